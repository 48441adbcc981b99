//! The harness codec: builds packets, right or wrong on purpose, and reads whatever a target sends.
//!
//! Owns layers with optional fields, their octets, checksums, TCP options, matching and display. Two rules hold all
//! through: what is left out of a layer is filled in sensibly when it is built, and everything that can be right can
//! be made wrong; reading never fails, never panics and hides nothing, so building what was read gives the same octets.
//! It must not know of connections, cases or verdicts, and touches no clock, file or socket.
//!
//! RFC 9293 section 3.1, RFC 791, 792, 826, 1071, 4443, 7323, 8200. The fixed headers stand on pnet's packet types.

mod checksum;
mod defect;
mod ether;
mod field;
mod flags;
mod fragment;
mod icmp;
mod ipv4;
mod ipv6;
pub mod options;
mod parse;
mod resolve;
mod seq;
pub mod show;
mod tcp;
mod want;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use checksum::{Checksum, internet_checksum};
pub use defect::{Defect, Layer};
pub use ether::{Arp, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ethernet, Mac, MacError};
pub use field::{Field, FieldError, Seen};
pub use flags::{Flags, FlagsError, FlagsWant};
pub use icmp::{Icmp, QUOTE_LEN_MIN, Quoted};
pub use ipv4::Ipv4;
pub use ipv6::{Extension, Ipv6};
pub use options::{OptionDefect, Options, OptionsRead, TcpOption};
pub use seq::SeqNum;
pub use tcp::{Tcp, Window};
pub use want::{Comparison, Mismatch, Pattern, Want};

/// IP protocol numbers.
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const TCP: u8 = 6;
    pub const ICMPV6: u8 = 58;
    /// What an empty body is announced as.
    pub const NO_NEXT_HEADER: u8 = 59;
}

/// The network layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ip {
    V4(Ipv4),
    V6(Ipv6),
}

impl Ip {
    /// A header between two addresses of one family; `None` where the families differ.
    #[must_use]
    pub fn between(src: IpAddr, dst: IpAddr) -> Option<Self> {
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => Some(Self::V4(Ipv4::new(src, dst))),
            (IpAddr::V6(src), IpAddr::V6(dst)) => Some(Self::V6(Ipv6::new(src, dst))),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }

    /// Source and destination; the unspecified address stands for one left out.
    #[must_use]
    pub fn ends(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(v4) => v4.ends(),
            Self::V6(v6) => v6.ends(),
        }
    }

    #[must_use]
    pub fn is_v6(&self) -> bool {
        matches!(self, Self::V6(_))
    }

    /// TTL or hop limit.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        match self {
            Self::V4(v4) => v4.ttl,
            Self::V6(v6) => v6.hop_limit,
        }
    }

    /// Type of service or traffic class: DSCP and, in the two lowest bits, ECN.
    #[must_use]
    pub fn tos(&self) -> Option<u8> {
        match self {
            Self::V4(v4) => v4.tos,
            Self::V6(v6) => v6.traffic_class,
        }
    }

    #[must_use]
    pub fn is_fragment(&self) -> bool {
        match self {
            Self::V4(v4) => v4.is_fragment(),
            Self::V6(v6) => v6.is_fragment(),
        }
    }
}

/// What travels in the network layer, or in the frame where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    Tcp(Tcp),
    Icmp(Icmp),
    Icmpv6(Icmp),
    Arp(Arp),
    /// Octets without a name: another protocol, a later fragment, or a header cut short.
    Other(Vec<u8>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Other(Vec::new())
    }
}

impl Body {
    fn protocol(&self) -> u8 {
        match self {
            Self::Tcp(_) => protocol::TCP,
            Self::Icmp(_) => protocol::ICMP,
            Self::Icmpv6(_) => protocol::ICMPV6,
            Self::Arp(_) | Self::Other(_) => protocol::NO_NEXT_HEADER,
        }
    }

    fn emit(&self, ends: Option<(IpAddr, IpAddr)>, out: &mut Vec<u8>) {
        match self {
            Self::Tcp(tcp) => tcp.emit(ends, out),
            Self::Icmp(icmp) => icmp.emit(None, out),
            Self::Icmpv6(icmp) => icmp.emit(ends, out),
            Self::Arp(arp) => arp.emit(out),
            Self::Other(octets) => out.extend(octets),
        }
    }
}

/// A packet, to be built or as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Packet {
    /// Without it the packet begins with its IP header.
    pub ether: Option<Ethernet>,
    /// `None` for ARP and for what is not IP.
    pub ip: Option<Ip>,
    pub body: Body,
    /// Octets after the end of the packet.
    pub trailer: Vec<u8>,
    /// What reading found wrong; building ignores it.
    pub defects: Vec<Defect>,
}

impl Packet {
    /// A packet of this network layer and body, without a frame around it.
    #[must_use]
    pub fn of(ip: Ip, body: Body) -> Self {
        Self { ip: Some(ip), body, ..Self::default() }
    }

    /// The octets. Never fails: lengths that their fields cannot hold are clamped.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(ether) = &self.ether {
            ether.emit(self.ethertype(), &mut out);
        }
        let body = self.body_octets();
        match &self.ip {
            Some(Ip::V4(v4)) => v4.emit(self.body.protocol(), &body, &mut out),
            Some(Ip::V6(v6)) => v6.emit(self.body.protocol(), &body, &mut out),
            None => out.extend(body),
        }
        out.extend(&self.trailer);
        out
    }

    /// The octets of the body alone, checksum included.
    #[must_use]
    pub fn body_octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.body.emit(self.ip.as_ref().map(Ip::ends), &mut octets);
        octets
    }

    fn ethertype(&self) -> u16 {
        match (&self.ip, &self.body) {
            (Some(Ip::V4(_)), _) => ETHERTYPE_IPV4,
            (Some(Ip::V6(_)), _) => ETHERTYPE_IPV6,
            (None, Body::Arp(_)) => ETHERTYPE_ARP,
            // Reserved by IANA; nothing real is of this type.
            (None, Body::Tcp(_) | Body::Icmp(_) | Body::Icmpv6(_) | Body::Other(_)) => 0xffff,
        }
    }

    #[must_use]
    pub fn tcp(&self) -> Option<&Tcp> {
        if let Body::Tcp(tcp) = &self.body { Some(tcp) } else { None }
    }

    #[must_use]
    pub fn tcp_mut(&mut self) -> Option<&mut Tcp> {
        if let Body::Tcp(tcp) = &mut self.body { Some(tcp) } else { None }
    }

    /// The ICMP message of either version.
    #[must_use]
    pub fn icmp(&self) -> Option<&Icmp> {
        match &self.body {
            Body::Icmp(icmp) | Body::Icmpv6(icmp) => Some(icmp),
            Body::Tcp(_) | Body::Arp(_) | Body::Other(_) => None,
        }
    }

    #[must_use]
    pub fn arp(&self) -> Option<&Arp> {
        if let Body::Arp(arp) = &self.body { Some(arp) } else { None }
    }

    /// Source and destination address.
    #[must_use]
    pub fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        self.ip.as_ref().map(Ip::ends)
    }

    #[must_use]
    pub fn is_v6(&self) -> bool {
        self.ip.as_ref().is_some_and(Ip::is_v6)
    }

    /// True where reading found nothing wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.defects.is_empty()
    }
}

#[cfg(test)]
mod tests;
