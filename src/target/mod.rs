//! Targets: what is tested, and how its application is driven.

pub mod deviation;
#[cfg(target_os = "linux")]
pub mod kernel;
pub mod manifest;
pub mod process;
pub mod profile;
pub mod reference;

use crate::engine::{AppCall, AppEvent, AppOutcome};
use std::future::Future;
use std::time::Duration;

/// What the application above a target says.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Answer {
        call: u32,
        outcome: AppOutcome,
    },
    Event {
        conn: u32,
        event: AppEvent,
    },
    /// The target's process is gone: how it ended.
    Died {
        how: String,
    },
    /// It lives, and does not answer any more.
    Hung {
        how: String,
    },
    /// The channel to its application broke: that is not the TCP's fault.
    Broken {
        how: String,
    },
}

/// A target on a real clock: takes calls, gives replies.
pub trait Target: Send {
    /// Starts a call. Its answer is a reply of its own; calls may overlap.
    fn call(&mut self, call: u32, what: &AppCall);

    /// Waits for the next reply. Cancel-safe.
    fn reply(&mut self) -> impl Future<Output = Reply> + Send;

    /// The device of the wire is gone: what that means. `None` where the target ended as it may.
    fn device_gone(&mut self, how: String) -> impl Future<Output = Option<Reply>> + Send {
        std::future::ready(Some(Reply::Broken { how }))
    }

    /// The peer of this case speaks from this port. What is left of an earlier case came from others.
    fn peer(&mut self, _port: u16) {}

    /// From now on it is counted how long it waits for a processor.
    fn watch(&mut self) {}

    /// How long it has waited for a processor since this was asked last, where that is known.
    fn waited(&mut self) -> Option<Duration> {
        None
    }

    /// Forgets the case: closes listeners, aborts connections, drops replies that nobody waits for.
    /// Afterwards the next case finds the target as the first one did.
    fn reset(&mut self) -> impl Future<Output = ()> + Send;
}
