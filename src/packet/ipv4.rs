//! The IPv4 header (RFC 791).
//!
//! Owns its fields, its checksum, and where the header ends and the payload begins and ends, also when the header
//! lies about it. Must not know what the payload is.

use std::net::{IpAddr, Ipv4Addr};

use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv4::{Ipv4Packet, MutableIpv4Packet};
use serde::{Deserialize, Serialize};

use super::checksum::{Checksum, Sum, internet_checksum, v4_ends};
use super::defect::{Defect, Layer};
use super::parse::Extent;

pub(super) const IPV4_LEN: usize = 20;
const TTL_DEFAULT: u8 = 64;

/// An IPv4 header. Left out: version, lengths, protocol and checksum are right, TTL 64, DF set unless the packet is
/// a fragment, all else zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Ipv4 {
    pub version: Option<u8>,
    /// Header length in 32-bit words. Once given, options are not padded and the header is as long as they make it.
    pub ihl: Option<u8>,
    /// DSCP and ECN together.
    pub tos: Option<u8>,
    pub total_length: Option<u16>,
    pub id: Option<u16>,
    /// The flag that must be zero.
    pub reserved: Option<bool>,
    pub df: Option<bool>,
    pub mf: Option<bool>,
    /// In units of 8 octets, 13 bits.
    pub fragment_offset: Option<u16>,
    pub ttl: Option<u8>,
    pub protocol: Option<u8>,
    pub checksum: Checksum,
    pub src: Option<Ipv4Addr>,
    pub dst: Option<Ipv4Addr>,
    /// Header options, verbatim.
    pub options: Vec<u8>,
}

impl Ipv4 {
    #[must_use]
    pub fn new(src: Ipv4Addr, dst: Ipv4Addr) -> Self {
        Self { src: Some(src), dst: Some(dst), ..Self::default() }
    }

    /// True for every fragment, the first included.
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        self.mf.unwrap_or(false) || self.fragment_offset.unwrap_or(0) != 0
    }

    /// Takes what is left out here from `defaults`.
    pub fn fill_from(&mut self, defaults: &Self) {
        let Self {
            version,
            ihl,
            tos,
            total_length,
            id,
            reserved,
            df,
            mf,
            fragment_offset,
            ttl,
            protocol,
            checksum,
            src,
            dst,
            options,
        } = self;
        *version = version.or(defaults.version);
        *ihl = ihl.or(defaults.ihl);
        *tos = tos.or(defaults.tos);
        *total_length = total_length.or(defaults.total_length);
        *id = id.or(defaults.id);
        *reserved = reserved.or(defaults.reserved);
        *df = df.or(defaults.df);
        *mf = mf.or(defaults.mf);
        *fragment_offset = fragment_offset.or(defaults.fragment_offset);
        *ttl = ttl.or(defaults.ttl);
        *protocol = protocol.or(defaults.protocol);
        *checksum = checksum.or(defaults.checksum);
        *src = src.or(defaults.src);
        *dst = dst.or(defaults.dst);
        if options.is_empty() {
            options.clone_from(&defaults.options);
        }
    }

    pub(super) fn ends(&self) -> (IpAddr, IpAddr) {
        v4_ends(self.src, self.dst)
    }

    pub(super) fn emit(&self, protocol_auto: u8, body: &[u8], out: &mut Vec<u8>) {
        let mut header = vec![0; IPV4_LEN];
        header.extend(&self.options);
        if self.ihl.is_none() {
            header.resize(header.len().next_multiple_of(4), 0);
        }
        let header_len = header.len();
        let mut ip = MutableIpv4Packet::new(&mut header).expect("the buffer has the fixed size");
        ip.set_version(self.version.unwrap_or(4) & 0xf);
        ip.set_header_length(self.ihl.unwrap_or_else(|| (header_len / 4).min(15) as u8) & 0xf);
        let tos = self.tos.unwrap_or(0);
        ip.set_dscp(tos >> 2);
        ip.set_ecn(tos & 3);
        ip.set_total_length(self.total_length.unwrap_or_else(|| clamp(header_len + body.len())));
        ip.set_identification(self.id.unwrap_or(0));
        let df = self.df.unwrap_or_else(|| !self.is_fragment());
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        ip.set_flags(
            flag(self.reserved.unwrap_or(false), 4) | flag(df, 2) | flag(self.mf.unwrap_or(false), 1),
        );
        ip.set_fragment_offset(self.fragment_offset.unwrap_or(0) & 0x1fff);
        ip.set_ttl(self.ttl.unwrap_or(TTL_DEFAULT));
        ip.set_next_level_protocol(IpNextHeaderProtocol(self.protocol.unwrap_or(protocol_auto)));
        ip.set_source(self.src.unwrap_or(Ipv4Addr::UNSPECIFIED));
        ip.set_destination(self.dst.unwrap_or(Ipv4Addr::UNSPECIFIED));
        // The field is still zero here.
        let correct = internet_checksum(&header);
        header[10..12].copy_from_slice(&self.checksum.resolve(correct).to_be_bytes());
        out.extend(header);
        out.extend(body);
    }

    /// `None` where the octets do not even hold the fixed header.
    pub(super) fn parse(octets: &[u8], defects: &mut Vec<Defect>) -> Option<(Self, Extent)> {
        let Some(ip) = Ipv4Packet::new(octets) else {
            defects.push(Defect::Truncated { layer: Layer::Ipv4, needed: IPV4_LEN, present: octets.len() });
            return None;
        };
        let extent = Extent::of_ipv4(ip.get_header_length(), ip.get_total_length(), octets.len(), defects);
        let header = Self {
            version: Some(ip.get_version()),
            ihl: Some(ip.get_header_length()),
            tos: Some(ip.get_dscp() << 2 | ip.get_ecn()),
            total_length: Some(ip.get_total_length()),
            id: Some(ip.get_identification()),
            reserved: Some(ip.get_flags() & 4 != 0),
            df: Some(ip.get_flags() & 2 != 0),
            mf: Some(ip.get_flags() & 1 != 0),
            fragment_offset: Some(ip.get_fragment_offset()),
            ttl: Some(ip.get_ttl()),
            protocol: Some(ip.get_next_level_protocol().0),
            checksum: Checksum::Exact(ip.get_checksum()),
            src: Some(ip.get_source()),
            dst: Some(ip.get_destination()),
            options: octets[IPV4_LEN..extent.header].to_vec(),
        };
        if ip.get_version() != 4 {
            defects.push(Defect::Version { seen: ip.get_version() });
        }
        if ip.get_flags() & 4 != 0 {
            defects.push(Defect::ReservedBits { layer: Layer::Ipv4, bits: 4 });
        }
        let sum = Sum::default().add(&octets[..extent.header]);
        if extent.header_whole && !sum.is_valid() {
            let seen = ip.get_checksum();
            defects.push(Defect::Checksum { layer: Layer::Ipv4, seen, correct: sum.corrected(seen) });
        }
        Some((header, extent))
    }
}

/// A length for a 16-bit field; what does not fit becomes the largest that does.
pub(super) fn clamp(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}
