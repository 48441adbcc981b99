//! An executable reading of RFC 9293.
//!
//! A TCP without sockets, threads or clocks: packets, application calls and the time go in, packets and events
//! come out. The same inputs and the same seed give the same octets. See [`Endpoint`] for the contract and
//! `README.md` for where each rule of the RFCs is.
//!
//! It breaks on purpose when asked: [`Mutant`] lists small, plausible bugs, one of which [`Config::mutant`] may
//! switch on.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod congestion;
mod connection;
mod cookie;
mod demux;
mod distort;
mod endpoint;
mod event;
mod fragments;
mod isn;
mod listener;
mod mutant;
#[cfg(test)]
mod pair;
mod reassembly;
mod recv;
mod ring;
mod rtt;
mod scoreboard;
mod send;
mod seq;
mod spare;
mod state;
mod time;
mod timer;
mod tuple;
pub mod wire;

pub use config::{Config, CongestionAlgorithm};
pub use endpoint::Endpoint;
pub use event::{ConnId, ConnOption, Error, Event, EventKind, ListenerId, Recv, StateName, Status};
pub use mutant::{Mutant, Section};
pub use seq::SeqNum;
pub use time::Instant;
