//! What is wrong with a packet, as values with numbers.
//!
//! Owns the names of codec-level defects: what makes octets unreadable or untrue. It must not know whether a
//! defect is a failure: a case may have made it on purpose, and a monitor judges what the target sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::options::OptionDefect;

/// The header a defect was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    Ethernet,
    Arp,
    Ipv4,
    Ipv6,
    /// An IPv6 extension header.
    Extension,
    Tcp,
    Icmp,
    Icmpv6,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ethernet => "Ethernet",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Extension => "IPv6 extension",
            Self::Tcp => "TCP",
            Self::Icmp => "ICMP",
            Self::Icmpv6 => "ICMPv6",
        })
    }
}

/// One thing wrong with a packet. A parsed packet carries all of them; the rest of it is still readable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// The header, or what its length field promises, does not fit the octets that are there.
    Truncated {
        layer: Layer,
        needed: usize,
        present: usize,
    },
    /// The version nibble is not what the place of the packet says.
    Version {
        seen: u8,
    },
    /// IHL or data offset below the five words of the fixed header.
    HeaderLength {
        layer: Layer,
        words: u8,
    },
    /// The IPv4 total length does not even cover the header.
    TotalLength {
        claimed: u16,
        header: usize,
    },
    /// Octets after the end of the packet that are not zeros up to the Ethernet minimum.
    Trailing {
        octets: usize,
    },
    Checksum {
        layer: Layer,
        seen: u16,
        correct: u16,
    },
    /// Bits that must be zero. In TCP the lowest of the four is AE, which RFC 9768 has assigned.
    ReservedBits {
        layer: Layer,
        bits: u8,
    },
    /// ARP for other addresses than Ethernet and IPv4.
    ArpAddressing {
        hardware: u16,
        protocol: u16,
        hardware_len: u8,
        protocol_len: u8,
    },
    /// A malformed TCP option.
    Option(OptionDefect),
}

impl Defect {
    /// A few words without numbers, for a line that must stay short.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Truncated { layer, .. } => format!("truncated {layer}"),
            Self::Version { .. } => "bad IP version".to_owned(),
            Self::HeaderLength { layer, .. } => format!("bad {layer} header length"),
            Self::TotalLength { .. } => "bad IPv4 total length".to_owned(),
            Self::Trailing { .. } => "trailing octets".to_owned(),
            Self::Checksum { layer: Layer::Tcp, .. } => "bad checksum".to_owned(),
            Self::Checksum { layer, .. } => format!("bad {layer} checksum"),
            Self::ReservedBits { layer, .. } => format!("reserved {layer} bits"),
            Self::ArpAddressing { .. } => "foreign ARP".to_owned(),
            Self::Option(OptionDefect::Padding { .. }) => "bad option padding".to_owned(),
            Self::Option(
                OptionDefect::LengthTooSmall { kind, .. }
                | OptionDefect::LengthMissing { kind, .. }
                | OptionDefect::PastHeader { kind, .. }
                | OptionDefect::WrongLength { kind, .. },
            ) => format!("bad option {kind}"),
            Self::Option(OptionDefect::Duplicate { kind, .. }) => format!("second option {kind}"),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { layer, needed, present } => {
                write!(f, "{layer} truncated: {needed} octets needed, {present} present")
            }
            Self::Version { seen } => write!(f, "bad IP version {seen}"),
            Self::HeaderLength { layer, words } => {
                write!(f, "bad {layer} header length: {words} words, at least 5 needed")
            }
            Self::TotalLength { claimed, header } => {
                write!(f, "bad IPv4 total length {claimed}: the header alone takes {header}")
            }
            Self::Trailing { octets } => write!(f, "{octets} octets after the packet"),
            Self::Checksum { layer: Layer::Tcp, seen, correct } => {
                write!(f, "bad checksum {seen:#06x}, correct {correct:#06x}")
            }
            Self::Checksum { layer, seen, correct } => {
                write!(f, "bad {layer} checksum {seen:#06x}, correct {correct:#06x}")
            }
            Self::ReservedBits { layer, bits } => write!(f, "reserved {layer} bits {bits:#x} set"),
            Self::ArpAddressing { hardware, protocol, hardware_len, protocol_len } => write!(
                f,
                "ARP for hardware {hardware} protocol {protocol:#06x} with lengths {hardware_len}/{protocol_len}"
            ),
            Self::Option(defect) => defect.fmt(f),
        }
    }
}
