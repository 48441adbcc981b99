//! The TCP header (RFC 9293 section 3.1).
//!
//! Owns the fields of a segment and its checksum. Options are raw octets here ([`Options`] reads them). Must not know
//! about connections: what a field should be is decided elsewhere.

use std::fmt;
use std::net::IpAddr;

use pnet_packet::tcp::{MutableTcpPacket, TcpPacket};
use serde::{Deserialize, Serialize};

use super::checksum::{Checksum, Sum};
use super::defect::{Defect, Layer};
use super::flags::Flags;
use super::options::Options;
use super::protocol;
use super::seq::SeqNum;

pub(super) const TCP_LEN: usize = 20;

/// The window field as it stands in the header, not yet scaled (RFC 7323 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window(pub u16);

impl Window {
    pub const MAX: Self = Self(u16::MAX);

    /// The window in octets. RFC 7323 section 2.3: a shift above 14 counts as 14.
    #[must_use]
    pub fn scaled(self, shift: u8) -> u32 {
        u32::from(self.0) << shift.min(14)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A TCP segment. Left out: data offset and checksum are right, window 65535, all else zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Tcp {
    pub sport: Option<u16>,
    pub dport: Option<u16>,
    pub seq: Option<SeqNum>,
    pub ack: Option<SeqNum>,
    /// Header length in 32-bit words. Once given, options are not padded and the header is as long as they make it.
    pub offset: Option<u8>,
    /// The four bits after the offset. The lowest is AE (RFC 9768), once NS.
    pub reserved: Option<u8>,
    pub flags: Option<Flags>,
    pub window: Option<Window>,
    pub checksum: Checksum,
    pub urgent: Option<u16>,
    pub options: Options,
    pub payload: Vec<u8>,
}

impl Tcp {
    /// A segment with these flags and nothing else said.
    #[must_use]
    pub fn with(flags: Flags) -> Self {
        Self { flags: Some(flags), ..Self::default() }
    }

    #[must_use]
    pub fn sport(&self) -> u16 {
        self.sport.unwrap_or(0)
    }

    #[must_use]
    pub fn dport(&self) -> u16 {
        self.dport.unwrap_or(0)
    }

    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.seq.unwrap_or_default()
    }

    #[must_use]
    pub fn ack(&self) -> SeqNum {
        self.ack.unwrap_or_default()
    }

    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags.unwrap_or_default()
    }

    #[must_use]
    pub fn window(&self) -> Window {
        self.window.unwrap_or(Window::MAX)
    }

    #[must_use]
    pub fn urgent(&self) -> u16 {
        self.urgent.unwrap_or(0)
    }

    #[must_use]
    pub fn reserved(&self) -> u8 {
        self.reserved.unwrap_or(0)
    }

    /// The AE bit (RFC 9768), once NS (RFC 3540).
    #[must_use]
    pub fn ae(&self) -> bool {
        self.reserved() & 1 != 0
    }

    #[must_use]
    pub fn has(&self, flags: Flags) -> bool {
        self.flags().contains(flags)
    }

    /// SEG.LEN of RFC 9293: the payload, and one each for SYN and FIN.
    #[must_use]
    pub fn seg_len(&self) -> u32 {
        let controls = u32::from(self.has(Flags::SYN)) + u32::from(self.has(Flags::FIN));
        (self.payload.len() as u32).wrapping_add(controls)
    }

    /// The sequence number after this segment: SEG.SEQ + SEG.LEN.
    #[must_use]
    pub fn seq_end(&self) -> SeqNum {
        self.seq() + self.seg_len()
    }

    /// The octets of header that will be built, padding included.
    #[must_use]
    pub fn header_len(&self) -> usize {
        let len = TCP_LEN + self.options.octets().len();
        if self.offset.is_some() { len } else { len.next_multiple_of(4) }
    }

    /// Takes what is left out here from `defaults`; empty options and payload count as left out.
    pub fn fill_from(&mut self, defaults: &Self) {
        let Self {
            sport,
            dport,
            seq,
            ack,
            offset,
            reserved,
            flags,
            window,
            checksum,
            urgent,
            options,
            payload,
        } = self;
        *sport = sport.or(defaults.sport);
        *dport = dport.or(defaults.dport);
        *seq = seq.or(defaults.seq);
        *ack = ack.or(defaults.ack);
        *offset = offset.or(defaults.offset);
        *reserved = reserved.or(defaults.reserved);
        *flags = flags.or(defaults.flags);
        *window = window.or(defaults.window);
        *checksum = checksum.or(defaults.checksum);
        *urgent = urgent.or(defaults.urgent);
        if options.is_empty() {
            options.clone_from(&defaults.options);
        }
        if payload.is_empty() {
            payload.clone_from(&defaults.payload);
        }
    }

    pub(super) fn emit(&self, ends: Option<(IpAddr, IpAddr)>, out: &mut Vec<u8>) {
        let header_len = self.header_len();
        let mut octets = vec![0; TCP_LEN];
        octets.extend(self.options.octets());
        octets.resize(header_len, 0);
        let mut tcp = MutableTcpPacket::new(&mut octets).expect("the buffer has the fixed size");
        tcp.set_source(self.sport());
        tcp.set_destination(self.dport());
        tcp.set_sequence(self.seq().0);
        tcp.set_acknowledgement(self.ack().0);
        tcp.set_data_offset(self.offset.unwrap_or_else(|| (header_len / 4).min(15) as u8) & 0xf);
        tcp.set_reserved(self.reserved() & 0xf);
        tcp.set_flags(self.flags().bits());
        tcp.set_window(self.window().0);
        tcp.set_urgent_ptr(self.urgent());
        octets.extend(&self.payload);
        // The field is still zero here.
        let correct = Sum::pseudo(ends, protocol::TCP, octets.len()).add(&octets).finish();
        octets[16..18].copy_from_slice(&self.checksum.resolve(correct).to_be_bytes());
        out.extend(octets);
    }

    /// `None` where the octets do not even hold the fixed header.
    pub(super) fn parse(
        octets: &[u8],
        ends: (IpAddr, IpAddr),
        whole: bool,
        defects: &mut Vec<Defect>,
    ) -> Option<Self> {
        let present = octets.len();
        let Some(tcp) = TcpPacket::new(octets) else {
            defects.push(Defect::Truncated { layer: Layer::Tcp, needed: TCP_LEN, present });
            return None;
        };
        let words = tcp.get_data_offset();
        let claimed = usize::from(words) * 4;
        if words < 5 {
            defects.push(Defect::HeaderLength { layer: Layer::Tcp, words });
        } else if claimed > present {
            defects.push(Defect::Truncated { layer: Layer::Tcp, needed: claimed, present });
        }
        if tcp.get_reserved() != 0 {
            defects.push(Defect::ReservedBits { layer: Layer::Tcp, bits: tcp.get_reserved() });
        }
        let header_len = claimed.clamp(TCP_LEN, present);
        let options = Options::raw(&octets[TCP_LEN..header_len]);
        defects.extend(options.read().defects.into_iter().map(Defect::Option));
        let sum = Sum::pseudo(Some(ends), protocol::TCP, present).add(octets);
        if whole && !sum.is_valid() {
            let seen = tcp.get_checksum();
            defects.push(Defect::Checksum { layer: Layer::Tcp, seen, correct: sum.corrected(seen) });
        }
        Some(Self {
            sport: Some(tcp.get_source()),
            dport: Some(tcp.get_destination()),
            seq: Some(SeqNum(tcp.get_sequence())),
            ack: Some(SeqNum(tcp.get_acknowledgement())),
            offset: Some(words),
            reserved: Some(tcp.get_reserved()),
            flags: Some(Flags::from_bits(tcp.get_flags())),
            window: Some(Window(tcp.get_window())),
            checksum: Checksum::Exact(tcp.get_checksum()),
            urgent: Some(tcp.get_urgent_ptr()),
            options,
            payload: octets[header_len..].to_vec(),
        })
    }
}
