//! tcpspec.

pub mod packet;
pub mod suite;
