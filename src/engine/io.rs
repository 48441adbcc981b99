//! The inputs and outputs of `Exec`. Inputs are what `run.jsonl` records of a case.

pub mod linux;

use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Everything that can happen to a running case, with the time it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub at: Time,
    #[serde(flatten)]
    pub what: InputKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "in")]
pub enum InputKind {
    /// An IP packet from the target.
    Frame {
        #[serde(with = "hex")]
        octets: Vec<u8>,
    },
    /// The answer to an application call.
    App { call: u32, outcome: AppOutcome },
    /// Something that the target's application learned without asking.
    AppEvent { conn: u32, event: AppEvent },
    /// The deadline of `poll_timeout` has come.
    Timeout,
    /// A frame has left, or a call was made: how much later than it should have been, and how much later that began. In
    /// between the kernel may have run the target.
    Sent {
        late_ns: u64,
        #[serde(default)]
        overdue_ns: u64,
    },
    /// The target has waited so long for a processor, within the time `over_ns` before this. It could not answer then.
    Waited { for_ns: u64, over_ns: u64 },
    /// Frames were lost on our side (a full capture buffer): nothing may be concluded from silence.
    CaptureLost { count: u64 },
    /// The target's process is gone.
    TargetDied { how: String },
    /// The target's process lives, and the target does not answer any more.
    TargetHung { how: String },
    /// The target says that it cannot be had here.
    Absent { why: String },
    /// The harness, the lab or the control channel broke.
    Broken { how: String },
    /// The run was interrupted or the case ran out of its time limit.
    Stopped { why: String },
}

/// What `Exec` wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Put this IP packet on the wire.
    Frame(Vec<u8>),
    /// Make this call above the target.
    App { call: u32, what: AppCall },
}

/// A call of the application above the target. `conn` is the handle that `accept` or `connect` gave, or 0: no connection,
/// or the listener where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppCall {
    Listen {
        port: u16,
    },
    Connect {
        to: SocketAddr,
        /// The target's own port; it chooses one where this is `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u16>,
    },
    Accept {
        port: u16,
    },
    /// Octets of the stream pattern, from stream offset `offset` on.
    Send {
        conn: u32,
        offset: u64,
        count: u64,
        urgent: bool,
    },
    /// Reads until `count` octets have come (or the stream ends), checking them against the
    /// pattern from `offset` on.
    Recv {
        conn: u32,
        offset: u64,
        count: u64,
    },
    Shutdown {
        conn: u32,
    },
    Close {
        conn: u32,
    },
    Abort {
        conn: u32,
    },
    Option {
        conn: u32,
        name: String,
        value: i64,
    },
    Status {
        conn: u32,
    },
    /// Whether urgent data remains to be read (RFC 9293 MUST-33).
    UrgentLeft {
        conn: u32,
    },
    /// Stop listening.
    Unlisten {
        port: u16,
    },
    /// A system call, for a target that is the Linux kernel.
    Linux {
        socket: linux::LinuxSocket,
        what: linux::LinuxCall,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppOutcome {
    Ok,
    Connection(u32),
    Accepted {
        conn: u32,
        from: SocketAddr,
    },
    /// `mismatch` is the stream offset of the first octet that differs from the pattern.
    Received {
        count: u64,
        mismatch: Option<u64>,
        eof: bool,
    },
    /// The state, in the words of RFC 9293.
    State(String),
    UrgentLeft(bool),
    Linux(linux::LinuxReply),
    Unsupported,
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppEvent {
    Connected,
    Refused,
    Reset,
    TimedOut,
    Eof,
    Closed,
    Urgent,
    /// A condition that may pass: an ICMP error, or R1 (RFC 9293 section 3.9.1.8).
    SoftError,
    /// An ICMP error ended the connection.
    Unreachable,
}

/// Octets as hexadecimal text.
pub mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn encode(octets: &[u8]) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
        octets.iter().flat_map(|o| [digit(o >> 4), digit(o & 15)]).collect()
    }

    pub fn decode(text: &str) -> Option<Vec<u8>> {
        if !text.is_ascii() || !text.len().is_multiple_of(2) {
            return None;
        }
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
    }

    pub fn serialize<S: Serializer>(octets: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&encode(octets))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        decode(&text).ok_or_else(|| Error::custom("not an even number of hexadecimal digits"))
    }
}
