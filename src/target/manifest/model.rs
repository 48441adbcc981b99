//! What a manifest says, as data.

use crate::target::deviation::Deviation;
use crate::target::profile::Profile;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What cases see of it.
    pub profile: Profile,
    /// False where abilities are found out by a handshake.
    pub states_abilities: bool,
    /// Abilities that no handshake may add.
    pub lacks: Vec<String>,
    /// The ways to attach it; the preferred one first. Never empty.
    pub links: Vec<Link>,
    pub prefix_v4: u8,
    pub prefix_v6: u8,
    pub program: Program,
    pub sysctls: Vec<(String, String)>,
    pub waivers: Vec<Waiver>,
    pub deviations: Vec<Deviation>,
    /// What of them random traffic shows.
    pub in_soak: Vec<InSoak>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    Veth,
    Tap,
    Tun,
    Fd,
    Udp,
}

impl LinkKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Veth => "veth",
            Self::Tap => "tap",
            Self::Tun => "tun",
            Self::Fd => "fd",
            Self::Udp => "udp",
        }
    }

    /// From a word that the grammar has let through.
    pub(super) fn of(word: &str) -> Self {
        let all = [Self::Veth, Self::Tap, Self::Tun, Self::Udp];
        all.into_iter().find(|kind| kind.word() == word).unwrap_or(Self::Fd)
    }

    /// Whether the target needs a network namespace of its own, and the harness the privilege to make one.
    pub fn is_device(self) -> bool {
        match self {
            Self::Veth | Self::Tap | Self::Tun => true,
            Self::Fd | Self::Udp => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    Harness,
    Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub kind: LinkKind,
    /// Empty where there is none.
    pub device: String,
    pub create: Creator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    Echo,
    Sink,
    None,
    Control,
    /// The sockets of this machine's kernel: no program is started.
    Kernel,
    /// The built-in TCP, with the abilities that the manifest leaves or gives it.
    Reference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    Case,
    Run,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    Hold,
    Lines(Vec<String>),
    Relay,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// The control channel answers.
    Control,
    /// A SYN is answered.
    Syn,
    Arp,
    Text(String),
    Delay,
}

/// The program, and how it is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is started: the manifest's directory.
    pub directory: PathBuf,
    pub build: Vec<String>,
    pub run: Vec<String>,
    /// What connects, where that is a program of its own; without `run`, it is the TCP itself.
    pub connect: Vec<String>,
    pub also: Vec<Vec<String>>,
    pub env: BTreeMap<String, String>,
    pub stdin: Stdin,
    pub ready: Ready,
    /// The deadline of readiness, or the delay.
    pub within: Duration,
    pub lifetime: Lifetime,
    pub app: App,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    pub cases: String,
    pub because: String,
}

/// A known deviation as `soak` meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InSoak {
    /// One of [`crate::soak::words`].
    pub word: String,
    pub because: String,
    /// The wires on which it is seen; empty where that is every one.
    pub wires: Vec<String>,
}

impl InSoak {
    /// Whether it is seen on a wire.
    pub fn is_on(&self, wire: &str) -> bool {
        self.wires.is_empty() || self.wires.iter().any(|one| one == wire)
    }
}

/// What argument vectors may name.
pub(super) const PLACEHOLDERS: &[&str] = &[
    "target.ipv4",
    "target.ipv6",
    "target.prefix",
    "target.prefix6",
    "target.port",
    "peer.ipv4",
    "peer.ipv6",
    "link.kind",
    "link.device",
];

impl Manifest {
    /// The value of a placeholder.
    pub fn value(&self, name: &str, link: &Link) -> Option<String> {
        let net = &self.profile.net;
        let v4 = |address: Ipv4Addr| address.to_string();
        let v6 = |address: Ipv6Addr| address.to_string();
        Some(match name {
            "target.ipv4" => v4(net.target_v4),
            "target.ipv6" => v6(net.target_v6),
            "target.prefix" => self.prefix_v4.to_string(),
            "target.prefix6" => self.prefix_v6.to_string(),
            "target.port" => net.port.to_string(),
            "peer.ipv4" => v4(net.peer_v4),
            "peer.ipv6" => v6(net.peer_v6),
            "link.kind" => link.kind.word().to_owned(),
            "link.device" => link.device.clone(),
            _ => return None,
        })
    }
}
