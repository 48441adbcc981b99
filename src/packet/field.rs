//! The fields of a packet that a case can name, and their values in a packet at hand.
//!
//! Owns the names (the language's names) and the reading of each. Must not know what a value should be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use super::defect::{Defect, Layer};
use super::flags::Flags;
use super::options::{Hex, TcpOption};
use super::seq::SeqNum;
use super::{Body, Icmp, Ip, Packet, Tcp};

/// A field, by its name in the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Field {
    Flags,
    Seq,
    Ack,
    Window,
    Urgent,
    /// Octets of payload.
    Len,
    /// SEG.LEN: payload, SYN and FIN.
    SegLen,
    Offset,
    Reserved,
    Checksum,
    SrcPort,
    DstPort,
    Mss,
    Wscale,
    SackPermitted,
    /// All blocks; as a number, how many.
    Sack,
    /// `sack[0].left`: one edge of one block.
    SackLeft(u8),
    SackRight(u8),
    TsVal,
    TsEcr,
    /// In seconds.
    UserTimeout,
    /// The cookie; as a number, its length.
    FastOpen,
    /// The whole list, less the padding at its end; as a number, how many.
    Options,
    RawOptions,
    /// The payload; as a number, its length.
    Data,
    Ttl,
    Tos,
    Dscp,
    /// The two ECN bits of the IP header.
    Ecn,
    FlowLabel,
    Df,
    IpId,
    IpChecksum,
    IpLength,
    IpVersion,
    Ihl,
    IpOptions,
    MoreFragments,
    FragmentOffset,
    IcmpType,
    IcmpCode,
    Mtu,
    Trailer,
}

impl Field {
    /// Every field, with the edges of the four SACK blocks that fit a header.
    pub const ALL: [Self; 49] = [
        Self::Flags,
        Self::Seq,
        Self::Ack,
        Self::Window,
        Self::Urgent,
        Self::Len,
        Self::SegLen,
        Self::Offset,
        Self::Reserved,
        Self::Checksum,
        Self::SrcPort,
        Self::DstPort,
        Self::Mss,
        Self::Wscale,
        Self::SackPermitted,
        Self::Sack,
        Self::SackLeft(0),
        Self::SackRight(0),
        Self::SackLeft(1),
        Self::SackRight(1),
        Self::SackLeft(2),
        Self::SackRight(2),
        Self::SackLeft(3),
        Self::SackRight(3),
        Self::TsVal,
        Self::TsEcr,
        Self::UserTimeout,
        Self::FastOpen,
        Self::Options,
        Self::RawOptions,
        Self::Data,
        Self::Ttl,
        Self::Tos,
        Self::Dscp,
        Self::Ecn,
        Self::FlowLabel,
        Self::Df,
        Self::IpId,
        Self::IpChecksum,
        Self::IpLength,
        Self::IpVersion,
        Self::Ihl,
        Self::IpOptions,
        Self::MoreFragments,
        Self::FragmentOffset,
        Self::IcmpType,
        Self::IcmpCode,
        Self::Mtu,
        Self::Trailer,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Seq => "seq",
            Self::Ack => "ack",
            Self::Window => "window",
            Self::Urgent => "urgent",
            Self::Len => "len",
            Self::SegLen => "seg_len",
            Self::Offset => "offset",
            Self::Reserved => "reserved",
            Self::Checksum => "checksum",
            Self::SrcPort => "src_port",
            Self::DstPort => "dst_port",
            Self::Mss => "mss",
            Self::Wscale => "wscale",
            Self::SackPermitted => "sack_permitted",
            Self::Sack | Self::SackLeft(_) | Self::SackRight(_) => "sack",
            Self::TsVal => "ts_val",
            Self::TsEcr => "ts_ecr",
            Self::UserTimeout => "user_timeout",
            Self::FastOpen => "fast_open",
            Self::Options => "options",
            Self::RawOptions => "raw_options",
            Self::Data => "data",
            Self::Ttl => "ttl",
            Self::Tos => "tos",
            Self::Dscp => "dscp",
            Self::Ecn => "ecn",
            Self::FlowLabel => "flow_label",
            Self::Df => "df",
            Self::IpId => "ip_id",
            Self::IpChecksum => "ip_checksum",
            Self::IpLength => "ip_length",
            Self::IpVersion => "ip_version",
            Self::Ihl => "ihl",
            Self::IpOptions => "ip_options",
            Self::MoreFragments => "more_fragments",
            Self::FragmentOffset => "fragment_offset",
            Self::IcmpType => "icmp_type",
            Self::IcmpCode => "icmp_code",
            Self::Mtu => "mtu",
            Self::Trailer => "trailer",
        }
    }

    /// True for the fields that count modulo 2^32.
    #[must_use]
    pub fn wraps(self) -> bool {
        matches!(
            self,
            Self::Seq | Self::Ack | Self::TsVal | Self::TsEcr | Self::SackLeft(_) | Self::SackRight(_)
        )
    }

    /// What `packet` holds here.
    #[must_use]
    pub fn read(self, packet: &Packet) -> Seen {
        match self {
            Self::IcmpType | Self::IcmpCode | Self::Mtu => {
                let v6 = matches!(packet.body, Body::Icmpv6(_));
                packet.icmp().map_or(Seen::Absent, |icmp| self.read_icmp(icmp, v6))
            }
            Self::Trailer => Seen::octets(&packet.trailer),
            Self::Checksum => match &packet.body {
                Body::Tcp(tcp) => Seen::checksum(tcp.checksum, Layer::Tcp, packet),
                Body::Icmp(icmp) => Seen::checksum(icmp.checksum, Layer::Icmp, packet),
                Body::Icmpv6(icmp) => Seen::checksum(icmp.checksum, Layer::Icmpv6, packet),
                Body::Arp(_) | Body::Other(_) => Seen::Absent,
            },
            Self::Ttl
            | Self::Tos
            | Self::Dscp
            | Self::Ecn
            | Self::FlowLabel
            | Self::Df
            | Self::IpId
            | Self::IpChecksum
            | Self::IpLength
            | Self::IpVersion
            | Self::Ihl
            | Self::IpOptions
            | Self::MoreFragments
            | Self::FragmentOffset => packet.ip.as_ref().map_or(Seen::Absent, |ip| self.read_ip(ip, packet)),
            Self::Flags
            | Self::Seq
            | Self::Ack
            | Self::Window
            | Self::Urgent
            | Self::Len
            | Self::SegLen
            | Self::Offset
            | Self::Reserved
            | Self::SrcPort
            | Self::DstPort
            | Self::Mss
            | Self::Wscale
            | Self::SackPermitted
            | Self::Sack
            | Self::SackLeft(_)
            | Self::SackRight(_)
            | Self::TsVal
            | Self::TsEcr
            | Self::UserTimeout
            | Self::FastOpen
            | Self::Options
            | Self::RawOptions
            | Self::Data => packet.tcp().map_or(Seen::Absent, |tcp| self.read_tcp(tcp)),
        }
    }

    fn read_tcp(self, tcp: &Tcp) -> Seen {
        let options = &tcp.options;
        let block = |at: u8| options.sack().and_then(|blocks| blocks.get(usize::from(at)).copied());
        match self {
            Self::Flags => tcp.flags.map_or(Seen::Absent, Seen::Flags),
            Self::Seq => Seen::number(tcp.seq.map(|seq| seq.0)),
            Self::Ack => Seen::number(tcp.ack.map(|ack| ack.0)),
            Self::Window => Seen::number(tcp.window.map(|window| window.0)),
            Self::Urgent => Seen::number(tcp.urgent),
            Self::Len => Seen::Number(tcp.payload.len() as u64),
            Self::SegLen => Seen::number(Some(tcp.seg_len())),
            Self::Offset => Seen::number(tcp.offset),
            Self::Reserved => Seen::number(tcp.reserved),
            Self::SrcPort => Seen::number(tcp.sport),
            Self::DstPort => Seen::number(tcp.dport),
            Self::Mss => Seen::number(options.mss()),
            Self::Wscale => Seen::number(options.window_scale()),
            Self::SackPermitted => Seen::number(options.sack_permitted().then_some(1u8)),
            Self::Sack => options.sack().map_or(Seen::Absent, Seen::Blocks),
            Self::SackLeft(at) => Seen::number(block(at).map(|(left, _)| left.0)),
            Self::SackRight(at) => Seen::number(block(at).map(|(_, right)| right.0)),
            Self::TsVal => Seen::number(options.timestamps().map(|(val, _)| val)),
            Self::TsEcr => Seen::number(options.timestamps().map(|(_, ecr)| ecr)),
            Self::UserTimeout => Seen::number(
                options.user_timeout().map(|(minutes, value)| value | if minutes { 0x8000 } else { 0 }),
            ),
            Self::FastOpen => options.fast_open().map_or(Seen::Absent, Seen::Octets),
            Self::Options => Seen::Options(options.list()),
            Self::RawOptions => Seen::octets(options.octets()),
            Self::Data => Seen::octets(&tcp.payload),
            // Not fields of a TCP header.
            _ => Seen::Absent,
        }
    }

    fn read_ip(self, ip: &Ip, packet: &Packet) -> Seen {
        match (self, ip) {
            (Self::Ttl, _) => Seen::number(ip.ttl()),
            (Self::Tos, _) => Seen::number(ip.tos()),
            (Self::Dscp, _) => Seen::number(ip.tos().map(|tos| tos >> 2)),
            (Self::Ecn, _) => Seen::number(ip.tos().map(|tos| tos & 3)),
            (Self::FlowLabel, Ip::V6(v6)) => Seen::number(v6.flow_label),
            (Self::IpLength, Ip::V6(v6)) => Seen::number(v6.payload_length),
            (Self::IpVersion, Ip::V6(v6)) => Seen::number(v6.version),
            (Self::Df, Ip::V4(v4)) => Seen::number(v4.df),
            (Self::IpId, Ip::V4(v4)) => Seen::number(v4.id),
            (Self::IpChecksum, Ip::V4(v4)) => Seen::checksum(v4.checksum, Layer::Ipv4, packet),
            (Self::IpLength, Ip::V4(v4)) => Seen::number(v4.total_length),
            (Self::IpVersion, Ip::V4(v4)) => Seen::number(v4.version),
            (Self::Ihl, Ip::V4(v4)) => Seen::number(v4.ihl),
            (Self::IpOptions, Ip::V4(v4)) => Seen::octets(&v4.options),
            (Self::MoreFragments, Ip::V4(v4)) => Seen::number(v4.mf),
            (Self::FragmentOffset, Ip::V4(v4)) => Seen::number(v4.fragment_offset),
            (Self::MoreFragments, Ip::V6(v6)) => Seen::number(v6.fragment().map(|(_, more)| more)),
            (Self::FragmentOffset, Ip::V6(v6)) => Seen::number(v6.fragment().map(|(offset, _)| offset)),
            // Not fields of this header.
            _ => Seen::Absent,
        }
    }

    fn read_icmp(self, icmp: &Icmp, v6: bool) -> Seen {
        match self {
            Self::IcmpType => Seen::number(icmp.kind),
            Self::IcmpCode => Seen::number(icmp.code),
            Self::Mtu => Seen::number(icmp.mtu(v6)),
            // Not fields of an ICMP header.
            _ => Seen::Absent,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SackLeft(at) => f.pad(&format!("sack[{at}].left")),
            Self::SackRight(at) => f.pad(&format!("sack[{at}].right")),
            field => f.pad(field.word()),
        }
    }
}

/// A text that names no field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown field `{name}`")]
pub struct FieldError {
    pub name: String,
}

impl FromStr for Field {
    type Err = FieldError;

    fn from_str(name: &str) -> Result<Self, FieldError> {
        Self::ALL
            .into_iter()
            .find(|field| field.to_string() == name)
            .ok_or_else(|| FieldError { name: name.to_owned() })
    }
}

impl TryFrom<String> for Field {
    type Error = FieldError;

    fn try_from(name: String) -> Result<Self, FieldError> {
        name.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.to_string()
    }
}

/// What a packet holds in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// No such option, or no such header.
    Absent,
    Number(u64),
    Flags(Flags),
    /// A checksum, and whether it is right.
    Checksum {
        value: u16,
        good: bool,
    },
    Blocks(Vec<(SeqNum, SeqNum)>),
    Octets(Vec<u8>),
    Options(Vec<TcpOption>),
}

impl Seen {
    fn number(value: Option<impl Into<u64>>) -> Self {
        value.map_or(Self::Absent, |value| Self::Number(value.into()))
    }

    fn octets(octets: &[u8]) -> Self {
        Self::Octets(octets.to_vec())
    }

    fn checksum(checksum: Checksum, wanted: Layer, packet: &Packet) -> Self {
        let bad = |defect: &Defect| matches!(defect, Defect::Checksum { layer, .. } if *layer == wanted);
        match checksum {
            Checksum::Exact(value) => Self::Checksum { value, good: !packet.defects.iter().any(bad) },
            Checksum::Auto | Checksum::Bad => Self::Absent,
        }
    }

    /// The value as a number: for lists and octets, how many there are.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        match self {
            Self::Absent => None,
            Self::Number(number) => Some(*number),
            Self::Flags(flags) => Some(u64::from(flags.bits())),
            Self::Checksum { value, .. } => Some(u64::from(*value)),
            Self::Blocks(blocks) => Some(blocks.len() as u64),
            Self::Octets(octets) => Some(octets.len() as u64),
            Self::Options(list) => Some(list.len() as u64),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.pad("absent"),
            Self::Number(number) => number.fmt(f),
            Self::Flags(flags) => flags.fmt(f),
            Self::Checksum { value, good } => {
                f.pad(&format!("{value:#06x} ({})", if *good { "good" } else { "bad" }))
            }
            Self::Blocks(blocks) => f.pad(&show_blocks(blocks)),
            Self::Octets(octets) => f.pad(&show_octets(octets)),
            Self::Options(list) => f.pad(&show_options(list)),
        }
    }
}

pub(super) fn show_blocks(blocks: &[(SeqNum, SeqNum)]) -> String {
    let blocks: Vec<_> = blocks.iter().map(|(left, right)| format!("[{left}, {right}]")).collect();
    format!("[{}]", blocks.join(", "))
}

/// The first octets, and how many there are in all.
pub(super) fn show_octets(octets: &[u8]) -> String {
    const SHOWN_MAX: usize = 12;
    match octets {
        [] => "no octets".to_owned(),
        _ if octets.len() <= SHOWN_MAX => Hex(octets).to_string(),
        _ => format!("{}.. ({} octets)", Hex(&octets[..SHOWN_MAX]), octets.len()),
    }
}

pub(super) fn show_options(list: &[TcpOption]) -> String {
    let words: Vec<_> = list.iter().map(ToString::to_string).collect();
    format!("[{}]", words.join(", "))
}
