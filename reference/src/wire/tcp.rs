//! TCP segments, read and written (RFC 9293 3.1).

use core::fmt;
use core::net::SocketAddr;
use core::ops::BitOr;

use super::checksum::Sum;
use super::{IpPacket, Malformed, Options, Verify, be16, be32, halves, ip, put_words};
use crate::seq::SeqNum;

/// Length of the header without options.
pub const HEADER_LEN: usize = 20;

/// The control bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push function.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field is significant.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is significant.
    pub const URG: Self = Self(0x20);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x80);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        let mut first = true;
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                if !first {
                    f.write_str("|")?;
                }
                f.write_str(name)?;
                first = false;
            }
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}

/// A segment as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// SEG.SEQ.
    pub seq: SeqNum,
    /// SEG.ACK, significant with the ACK bit.
    pub ack: SeqNum,
    /// Control bits. The four reserved bits are ignored (RFC 9293 3.1).
    pub flags: Flags,
    /// The window field, unsigned and not scaled (MUST-1).
    pub window: u16,
    /// The urgent pointer, significant with the URG bit.
    pub urgent: u16,
    /// Options.
    pub options: Options,
    /// Text.
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads the payload of an IP packet.
    ///
    /// # Errors
    /// [`Malformed`] for a short header, a bad data offset or a checksum that does not verify (MUST-3).
    #[inline]
    pub fn parse(packet: &IpPacket<'a>, verify: Verify) -> Result<Self, Malformed> {
        let octets = packet.payload;
        if octets.len() < HEADER_LEN {
            return Err(Malformed::Truncated);
        }
        let header = usize::from(octets[12] >> 4) * 4;
        if header < HEADER_LEN || header > octets.len() {
            return Err(Malformed::HeaderLength);
        }
        if verify == Verify::Yes && !packet.is_intact() {
            return Err(Malformed::Checksum);
        }
        Ok(Self {
            source_port: be16(octets, 0),
            destination_port: be16(octets, 2),
            seq: SeqNum(be32(octets, 4)),
            ack: SeqNum(be32(octets, 8)),
            flags: Flags(octets[13]),
            window: be16(octets, 14),
            urgent: be16(octets, 18),
            options: Options::parse(&octets[HEADER_LEN..header]),
            payload: &octets[header..],
        })
    }

    /// SEG.LEN: text plus one for SYN and one for FIN (RFC 9293 3.4).
    #[must_use]
    pub fn len(&self) -> u32 {
        self.payload.len() as u32
            + u32::from(self.flags.has(Flags::SYN))
            + u32::from(self.flags.has(Flags::FIN))
    }

    /// Whether the segment occupies no sequence space.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequence number after the segment.
    #[must_use]
    pub fn end(&self) -> SeqNum {
        self.seq + self.len()
    }

    /// Whether all of `flags` are set.
    #[must_use]
    pub const fn has(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }
}

/// A segment to be written. The text may lie in two pieces, as a ring buffer holds it.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Our end.
    pub local: SocketAddr,
    /// Their end.
    pub remote: SocketAddr,
    /// What the IP header carries.
    pub ip: ip::HeaderFields,
    /// SEG.SEQ.
    pub seq: SeqNum,
    /// SEG.ACK.
    pub ack: SeqNum,
    /// Control bits.
    pub flags: Flags,
    /// The window field as it goes on the wire.
    pub window: u16,
    /// The urgent pointer.
    pub urgent: u16,
    /// Options.
    pub options: Options,
    /// Text.
    pub text: (&'a [u8], &'a [u8]),
}

impl Outgoing<'_> {
    /// Octets of text.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.text.0.len() + self.text.1.len()
    }

    /// Octets of the whole IP packet.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        ip::header_len(self.local.ip()) + HEADER_LEN + self.options.emitted_len() + self.text_len()
    }

    /// Appends the whole IP packet to `buffer`, checksum included (MUST-2).
    pub fn emit(&self, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        buffer.resize(start + self.packet_len(), 0);
        self.write(&mut buffer[start..]);
    }

    /// The same into [`Self::packet_len`] octets.
    pub(crate) fn write(&self, packet: &mut [u8]) {
        let (source, destination) = (self.local.ip(), self.remote.ip());
        let (ip_header, segment) = packet.split_at_mut(ip::header_len(source));
        ip::write(ip_header, source, destination, self.ip, segment.len());
        let mut sum = Sum::default();
        sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
        let (header, text) = segment.split_at_mut(segment.len() - self.text_len());
        let offset = ((header.len() / 4) as u16) << 12 | u16::from(self.flags.0);
        let mut fixed = [
            halves(self.local.port(), self.remote.port()),
            self.seq.0,
            self.ack.0,
            halves(offset, self.window),
            halves(0, self.urgent),
        ];
        fixed.iter().for_each(|&word| sum.add_word(word));
        let (fixed_part, options) = header.split_at_mut(HEADER_LEN);
        if !options.is_empty() {
            self.options.write(options);
            sum.add_few(options);
        }
        sum.add_text(self.text, text);
        fixed[4] = halves(sum.finish(), self.urgent);
        put_words(&fixed, fixed_part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Ecn, Timestamps};

    fn outgoing<'a>(local: &str, remote: &str, text: (&'a [u8], &'a [u8])) -> Outgoing<'a> {
        Outgoing {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            ip: ip::HeaderFields { hops: 64, dscp: 0, ecn: Ecn::NotEct, identification: 1 },
            seq: SeqNum(0xffff_fff0),
            ack: SeqNum(17),
            flags: Flags::ACK | Flags::PSH,
            window: 65535,
            urgent: 3,
            options: Options { timestamps: Some(Timestamps { value: 5, echo: 6 }), ..Options::default() },
            text,
        }
    }

    #[test]
    fn a_segment_reads_back_as_it_was_written() {
        for (local, remote) in [("10.0.0.1:80", "10.0.0.2:4000"), ("[2001:db8::1]:80", "[2001:db8::2]:4000")]
        {
            for text in [(&b""[..], &b""[..]), (b"abc", b"defg"), (b"x", b"")] {
                let out = outgoing(local, remote, text);
                let mut octets = Vec::new();
                out.emit(&mut octets);
                let packet = IpPacket::parse(&octets).unwrap();
                let read = Segment::parse(&packet, Verify::Yes).unwrap();
                assert_eq!((read.source_port, read.destination_port), (80, 4000));
                assert_eq!((read.seq, read.ack, read.flags), (out.seq, out.ack, out.flags));
                assert_eq!((read.window, read.urgent, read.options), (65535, 3, out.options));
                assert_eq!(read.payload, [text.0, text.1].concat());
            }
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_in_the_segment_fails_the_checksum() {
        let mut octets = Vec::new();
        outgoing("10.0.0.1:80", "10.0.0.2:4000", (b"abc", b"")).emit(&mut octets);
        for at in 20..octets.len() {
            let mut bad = octets.clone();
            bad[at] ^= 0x04;
            let packet = IpPacket::parse(&bad).unwrap();
            assert!(Segment::parse(&packet, Verify::Yes).is_err(), "octet {at}");
        }
    }

    #[test]
    fn syn_and_fin_count_in_the_length() {
        let segment = Segment {
            source_port: 1,
            destination_port: 2,
            seq: SeqNum(u32::MAX),
            ack: SeqNum(0),
            flags: Flags::SYN | Flags::FIN,
            window: 0,
            urgent: 0,
            options: Options::default(),
            payload: b"ab",
        };
        assert_eq!((segment.len(), segment.end()), (4, SeqNum(3)));
    }

    #[test]
    fn a_bad_data_offset_is_refused() {
        let mut octets = Vec::new();
        outgoing("10.0.0.1:80", "10.0.0.2:4000", (b"", b"")).emit(&mut octets);
        for offset in [0, 4, 15] {
            let mut bad = octets.clone();
            bad[32] = offset << 4;
            let packet = IpPacket::parse(&bad).unwrap();
            assert_eq!(Segment::parse(&packet, Verify::No), Err(Malformed::HeaderLength));
        }
    }
}
