//! An executable reading of RFC 9293.
#![forbid(unsafe_code)]
