//! Ethernet II and ARP (RFC 826) headers.
//!
//! Owns the fields of both. What travels inside a frame is the packet's business.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use pnet_packet::arp::{ArpHardwareType, ArpOperation, ArpPacket, MutableArpPacket};
use pnet_packet::ethernet::{EtherType, EthernetPacket, MutableEthernetPacket};
use serde::{Deserialize, Serialize};

use super::defect::{Defect, Layer};

pub const ETHERTYPE_IPV4: u16 = 0x0800;
pub const ETHERTYPE_ARP: u16 = 0x0806;
pub const ETHERTYPE_IPV6: u16 = 0x86dd;

pub(super) const ETHERNET_LEN: usize = 14;
/// A frame without its check sequence is padded to this.
pub(super) const FRAME_LEN_MIN: usize = 60;
pub(super) const ARP_LEN: usize = 28;

/// A 48-bit Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    pub const BROADCAST: Self = Self([0xff; 6]);
    pub const ZERO: Self = Self([0; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is not six octets in hexadecimal with colons between them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an Ethernet address such as 02:00:00:00:00:01")]
pub struct MacError {
    text: String,
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let octet = |part: &str| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok()).flatten();
        text.split(':')
            .map(octet)
            .collect::<Option<Vec<_>>>()
            .and_then(|octets| octets.try_into().ok())
            .map(Self)
            .ok_or_else(|| MacError { text: text.to_owned() })
    }
}

impl TryFrom<String> for Mac {
    type Error = MacError;

    fn try_from(text: String) -> Result<Self, MacError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// An Ethernet II header. Left out: zero addresses, and the type of what is inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Ethernet {
    pub dst: Option<Mac>,
    pub src: Option<Mac>,
    pub ethertype: Option<u16>,
}

impl Ethernet {
    pub(super) fn emit(&self, ethertype_auto: u16, out: &mut Vec<u8>) {
        let Self { dst, src, ethertype } = *self;
        let mut header = [0; ETHERNET_LEN];
        let mut frame = MutableEthernetPacket::new(&mut header).expect("the buffer has the fixed size");
        frame.set_destination(dst.unwrap_or_default().0.into());
        frame.set_source(src.unwrap_or_default().0.into());
        frame.set_ethertype(EtherType(ethertype.unwrap_or(ethertype_auto)));
        out.extend(header);
    }

    /// `None` where the octets are too few.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let frame = EthernetPacket::new(octets)?;
        Some(Self {
            dst: Some(Mac(frame.get_destination().octets())),
            src: Some(Mac(frame.get_source().octets())),
            ethertype: Some(frame.get_ethertype().0),
        })
    }
}

/// An ARP packet for IPv4 over Ethernet. Left out: a request with zero addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Arp {
    pub hardware: Option<u16>,
    pub protocol: Option<u16>,
    pub hardware_len: Option<u8>,
    pub protocol_len: Option<u8>,
    pub operation: Option<u16>,
    pub sender_mac: Option<Mac>,
    pub sender_ip: Option<Ipv4Addr>,
    pub target_mac: Option<Mac>,
    pub target_ip: Option<Ipv4Addr>,
}

impl Arp {
    pub const REQUEST: u16 = 1;
    pub const REPLY: u16 = 2;

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        let Self {
            hardware,
            protocol,
            hardware_len,
            protocol_len,
            operation,
            sender_mac,
            sender_ip,
            target_mac,
            target_ip,
        } = *self;
        let mut octets = [0; ARP_LEN];
        let mut arp = MutableArpPacket::new(&mut octets).expect("the buffer has the fixed size");
        arp.set_hardware_type(ArpHardwareType(hardware.unwrap_or(1)));
        arp.set_protocol_type(EtherType(protocol.unwrap_or(ETHERTYPE_IPV4)));
        arp.set_hw_addr_len(hardware_len.unwrap_or(6));
        arp.set_proto_addr_len(protocol_len.unwrap_or(4));
        arp.set_operation(ArpOperation(operation.unwrap_or(Self::REQUEST)));
        arp.set_sender_hw_addr(sender_mac.unwrap_or_default().0.into());
        arp.set_sender_proto_addr(sender_ip.unwrap_or(Ipv4Addr::UNSPECIFIED));
        arp.set_target_hw_addr(target_mac.unwrap_or_default().0.into());
        arp.set_target_proto_addr(target_ip.unwrap_or(Ipv4Addr::UNSPECIFIED));
        out.extend(octets);
    }

    /// `None` where the octets are too few.
    pub(super) fn parse(octets: &[u8], defects: &mut Vec<Defect>) -> Option<Self> {
        let Some(arp) = ArpPacket::new(octets) else {
            defects.push(Defect::Truncated { layer: Layer::Arp, needed: ARP_LEN, present: octets.len() });
            return None;
        };
        let (hardware, protocol) = (arp.get_hardware_type().0, arp.get_protocol_type().0);
        let (hardware_len, protocol_len) = (arp.get_hw_addr_len(), arp.get_proto_addr_len());
        if (hardware, protocol, hardware_len, protocol_len) != (1, ETHERTYPE_IPV4, 6, 4) {
            defects.push(Defect::ArpAddressing { hardware, protocol, hardware_len, protocol_len });
        }
        Some(Self {
            hardware: Some(hardware),
            protocol: Some(protocol),
            hardware_len: Some(hardware_len),
            protocol_len: Some(protocol_len),
            operation: Some(arp.get_operation().0),
            sender_mac: Some(Mac(arp.get_sender_hw_addr().octets())),
            sender_ip: Some(arp.get_sender_proto_addr()),
            target_mac: Some(Mac(arp.get_target_hw_addr().octets())),
            target_ip: Some(arp.get_target_proto_addr()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn mac_text_round_trips() {
        let mac = Mac([2, 0, 0, 0xab, 0, 1]);
        assert_eq!(mac.to_string(), "02:00:00:ab:00:01");
        assert_eq!("02:00:00:ab:00:01".parse(), Ok(mac));
    }

    #[rstest]
    #[case("")]
    #[case("02:00:00:00:00")]
    #[case("02:00:00:00:00:01:02")]
    #[case("2:0:0:0:0:1")]
    #[case("02:00:00:00:00:0g")]
    fn not_a_mac(#[case] text: &str) {
        assert!(text.parse::<Mac>().is_err());
    }
}
