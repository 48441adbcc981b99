//! tcpspec.
