//! The `linux` step: a call on a socket of the kernel, and what must come of it.

use crate::suite::expr::{Bound, Expr};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linux {
    pub call: LinuxCall,
    #[serde(default)]
    pub on: Socket,
    #[serde(default)]
    pub result: CallResult,
}

/// Whose socket the call is made on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Socket {
    /// The connection, once there is one; before that the listener.
    #[default]
    Unsaid,
    /// The listener; options also for sockets that are yet to be opened.
    Listener,
}

/// What the call must return.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallResult {
    /// Anything but an error.
    #[default]
    Success,
    Returns(Bound),
    /// -1 with one of these errors.
    Errno(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinuxCall {
    /// Sets sysctls of the namespace, until the case is over.
    Sysctl(Vec<(String, String)>),
    SetSockOpt {
        option: SocketOption,
        value: OptionValue,
    },
    GetSockOpt {
        option: SocketOption,
        want: OptionWant,
    },
    /// Fields of `TCP_INFO`.
    Info(Vec<(String, InfoWant)>),
    /// What `poll` says, asked for everything.
    Poll(FlagWords),
    /// The oldest entry of the error queue; `None`: it must be empty.
    ErrQueue(Option<ErrorWant>),
    /// Lengths of queues: `SIOCINQ`, `SIOCOUTQ`.
    Ioctl(Vec<(String, Bound)>),
    Listen {
        backlog: Expr,
    },
    /// Takes a connection only if one waits.
    Accept,
    Shutdown {
        how: String,
    },
    Send {
        count: Expr,
        flags: Vec<String>,
    },
    Recv {
        count: Expr,
        flags: Vec<String>,
    },
}

/// By names in C, or by numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOption {
    pub level: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionValue {
    Int(Expr),
    /// Several ints in a row: `struct linger`, `struct timeval` on 32 bits ...
    Ints(Vec<Expr>),
    Text(String),
    Octets(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionWant {
    Int(Bound),
    Ints(Vec<Bound>),
    /// Up to its first zero octet.
    Text(String),
    Octets(Vec<u8>),
    /// One of these errors, for `SO_ERROR`; `none` is no error.
    Errno(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InfoWant {
    Number(Bound),
    /// One of these words, for `state` and `ca_state`.
    Words(Vec<String>),
    Flags(FlagWords),
}

/// `A|B` exactly these; `+A|-B` these set and those clear, whatever the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagWords {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exactly: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear: Vec<String>,
}

/// What an entry of the error queue must say (`struct sock_extended_err`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorWant {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errno: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<String>,
    /// `type`, `code`, `info`, `data`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(String, Bound)>,
}

impl FlagWords {
    pub fn admits(&self, seen: &[String]) -> bool {
        let same = |exactly: &Vec<String>| {
            exactly.iter().all(|flag| seen.contains(flag)) && seen.iter().all(|flag| exactly.contains(flag))
        };
        self.exactly.as_ref().is_none_or(same)
            && self.set.iter().all(|flag| seen.contains(flag))
            && !self.clear.iter().any(|flag| seen.contains(flag))
    }
}

impl fmt::Display for FlagWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.exactly.clone().unwrap_or_default();
        parts.extend(self.set.iter().map(|flag| format!("+{flag}")));
        parts.extend(self.clear.iter().map(|flag| format!("-{flag}")));
        f.write_str(&shown_flags(&parts))
    }
}

/// `POLLIN|POLLOUT`.
pub fn shown_flags(flags: &[String]) -> String {
    if flags.is_empty() { "none".to_owned() } else { flags.join("|") }
}

impl fmt::Display for SocketOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.name)
    }
}

impl LinuxCall {
    /// The call in a word or two, as the ladder shows it.
    pub fn name(&self) -> String {
        match self {
            Self::Sysctl(_) => "sysctl".to_owned(),
            Self::SetSockOpt { option, .. } => format!("setsockopt {option}"),
            Self::GetSockOpt { option, .. } => format!("getsockopt {option}"),
            Self::Info(_) => "TCP_INFO".to_owned(),
            Self::Poll(_) => "poll".to_owned(),
            Self::ErrQueue(_) => "recvmsg MSG_ERRQUEUE".to_owned(),
            Self::Ioctl(queues) => {
                format!(
                    "ioctl {}",
                    queues.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
                )
            }
            Self::Listen { .. } => "listen".to_owned(),
            Self::Accept => "accept".to_owned(),
            Self::Shutdown { how } => format!("shutdown {how}"),
            Self::Send { .. } => "send".to_owned(),
            Self::Recv { .. } => "recv".to_owned(),
        }
    }
}
