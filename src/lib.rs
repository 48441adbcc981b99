//! tcpspec.

pub mod suite;
