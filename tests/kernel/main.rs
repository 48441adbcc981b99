//! The kernel as the target, over the loopback of a namespace of its own. The peer is a socket of the
//! same kernel.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peer is a plain socket, and waits"
)]
#![allow(clippy::print_stdout, reason = "numbers are for whoever runs the tests with --nocapture")]

mod calls;
mod events;
mod linux;
mod reset;
mod support;
