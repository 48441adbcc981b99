//! tcpspec.
pub mod packet;
