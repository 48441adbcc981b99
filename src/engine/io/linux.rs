//! The calls of the `linux` step, and the kernel's answers. Numbers that C keeps in octets are read by the
//! target, so that a record can be judged again on another machine.

use super::hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The socket that a call is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinuxSocket {
    Conn(u32),
    /// What listens on this port in this family; options also for sockets that are yet to be opened.
    Listener {
        port: u16,
        v6: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinuxCall {
    /// Sets sysctls of the namespace until the case is over.
    Sysctl {
        values: Vec<(String, String)>,
    },
    /// By names in C, or by numbers.
    SetOption {
        level: String,
        name: String,
        value: OptionValue,
    },
    GetOption {
        level: String,
        name: String,
    },
    Info,
    Poll,
    ErrorQueue,
    Ioctl {
        requests: Vec<String>,
    },
    Listen {
        backlog: i64,
    },
    Accept,
    Shutdown {
        how: String,
    },
    /// Octets of the stream pattern, from stream offset `offset` on.
    Send {
        offset: u64,
        count: u64,
        flags: Vec<String>,
    },
    Recv {
        offset: u64,
        count: u64,
        flags: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionValue {
    Ints(Vec<i64>),
    #[serde(with = "hex")]
    Octets(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinuxReply {
    /// What the call returned.
    Returned {
        value: i64,
    },
    /// -1, and `errno` by its name; `what` it was about, where the call had several parts.
    Refused {
        errno: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<String>,
    },
    Option {
        /// The name of the error, for `SO_ERROR`; `none` if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<String>,
        /// As one number, where it is as long as one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<i64>,
        /// As ints in a row.
        ints: Vec<i64>,
        #[serde(with = "hex")]
        octets: Vec<u8>,
    },
    /// Every field of `TCP_INFO` that the kernel has.
    Info {
        fields: BTreeMap<String, u64>,
    },
    Poll {
        flags: Vec<String>,
    },
    Queued(QueuedError),
    Queues {
        lengths: BTreeMap<String, i64>,
    },
    Received {
        count: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mismatch: Option<u64>,
    },
    /// The target has no such thing, or is not allowed to: nothing can be said of the kernel.
    Lacking {
        why: String,
    },
}

/// An entry of a socket's error queue (`struct sock_extended_err`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedError {
    /// By its name in C, or its number.
    pub errno: String,
    /// `SO_EE_ORIGIN_*`.
    pub origin: u8,
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    /// The next hop's MTU, the first notification of a range ...
    pub info: u32,
    pub data: u32,
}
