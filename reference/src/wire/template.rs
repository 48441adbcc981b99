//! The headers of one packet, to write those of the next ones after it or to recognise them.
//!
//! The packets of a train differ in a few numbers only: the lengths, the IPv4 identification, SEG.SEQ, PSH and the
//! checksums. Knows octets and sums; what a train is, and when it ends, is known to `crate::endpoint::train`.

use super::checksum::Sum;
use super::{IpPacket, be16, be32, halves, ip, tcp};
use crate::seq::SeqNum;

/// Both headers at their longest, without IPv4 options and IPv6 extension headers.
const MOST: usize = 40 + 60;
/// Where the TCP header has SEG.SEQ, PSH and the checksum.
const SEQ: usize = 4;
const FLAGS: usize = 13;
const CHECKSUM: usize = 16;
const PSH: u8 = tcp::Flags::PSH.0;

/// A mask of what is the same in every packet of a train.
const fn same(ip_header: usize, differing: &[usize]) -> [u8; MOST] {
    let mut mask = [0xff; MOST];
    let mut n = 0;
    while n < differing.len() {
        mask[differing[n]] = 0;
        n += 1;
    }
    let mut n = 0;
    while n < 4 {
        mask[ip_header + SEQ + n] = 0;
        n += 1;
    }
    mask[ip_header + FLAGS] = !PSH;
    mask[ip_header + CHECKSUM] = 0;
    mask[ip_header + CHECKSUM + 1] = 0;
    mask
}

/// IPv4: total length, identification, header checksum.
static SAME_V4: [u8; MOST] = same(20, &[2, 3, 4, 5, 10, 11]);
/// IPv6: payload length.
static SAME_V6: [u8; MOST] = same(40, &[4, 5]);

/// The headers of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    octets: [u8; MOST],
    /// Length of the IP header.
    ip: usize,
    /// Length of both headers.
    len: usize,
    /// Length of the text.
    text: usize,
    /// The sum of the pseudo-header without the length.
    pseudo: Sum,
    /// What the checksums add up that is the same in each packet of the same length.
    ip_sum: Sum,
    tcp_sum: Sum,
}

/// A packet that a template has recognised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alike<'a> {
    pub(crate) seq: SeqNum,
    pub(crate) text: &'a [u8],
    /// The sum of the pseudo-header and the header: with the text it has to make a valid checksum.
    pub(crate) sum: Sum,
}

impl Template {
    /// The headers of a packet that is well formed. `None` with IPv4 options or IPv6 extension headers.
    pub(crate) fn of(packet: &[u8]) -> Option<Self> {
        let IpPacket { source, destination, payload, .. } = IpPacket::parse(packet).ok()?;
        let ip = ip::header_len(source);
        let whole = ip + payload.len();
        let plain = match source.is_ipv4() {
            true => packet[0] == 0x45 && usize::from(be16(packet, 2)) == whole,
            false => packet[6] == ip::PROTOCOL_TCP,
        };
        if !plain {
            return None;
        }
        let len = ip + usize::from(payload[12] >> 4) * 4;
        let mut octets = [0; MOST];
        octets[..len].copy_from_slice(&packet[..len]);
        octets[ip + SEQ..ip + SEQ + 4].fill(0);
        octets[ip + CHECKSUM..ip + CHECKSUM + 2].fill(0);
        let mut ip_sum = Sum::default();
        if ip == 20 {
            octets[4..6].fill(0);
            octets[10..12].fill(0);
            ip_sum.add_few(&octets[..20]);
        }
        let mut pseudo = Sum::default();
        pseudo.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, 0);
        let mut tcp_sum = pseudo;
        tcp_sum.add_word(payload.len() as u32);
        tcp_sum.add_few(&octets[ip..len]);
        Some(Self { octets, ip, len, text: whole - len, pseudo, ip_sum, tcp_sum })
    }

    /// Octets of text in each packet that [`Self::write`] makes.
    pub(crate) fn text_len(&self) -> usize {
        self.text
    }

    /// Octets of each packet that [`Self::write`] makes.
    pub(crate) fn packet_len(&self) -> usize {
        self.len + self.text
    }

    /// Writes a packet as long as the first, with other numbers and other text, and returns its length.
    pub(crate) fn write(
        &self,
        identification: u16,
        seq: SeqNum,
        text: (&[u8], &[u8]),
        buffer: &mut [u8],
    ) -> usize {
        match self.ip {
            20 => self.write_after::<20, 40>(identification, seq, text, buffer),
            _ => self.write_after::<40, 60>(identification, seq, text, buffer),
        }
        self.packet_len()
    }

    /// The same after an IP header of `IP` octets, with `FIXED` octets before the options.
    #[inline]
    fn write_after<const IP: usize, const FIXED: usize>(
        &self,
        identification: u16,
        seq: SeqNum,
        text: (&[u8], &[u8]),
        buffer: &mut [u8],
    ) {
        let (header, rest) = buffer.split_at_mut(self.len);
        let mut sum = self.tcp_sum;
        sum.add_word(seq.0);
        sum.add_text(text, &mut rest[..self.text]);
        let (fixed, options) = header.split_at_mut(FIXED);
        fixed.copy_from_slice(&self.octets[..FIXED]);
        if !options.is_empty() {
            options.copy_from_slice(&self.octets[FIXED..self.len]);
        }
        if IP == 20 {
            let mut sum = self.ip_sum;
            sum.add_word(halves(identification, 0));
            fixed[4..6].copy_from_slice(&identification.to_be_bytes());
            fixed[10..12].copy_from_slice(&sum.finish().to_be_bytes());
        }
        fixed[IP + SEQ..IP + SEQ + 4].copy_from_slice(&seq.0.to_be_bytes());
        fixed[IP + CHECKSUM..IP + CHECKSUM + 2].copy_from_slice(&sum.finish().to_be_bytes());
    }

    /// Whether a packet has these headers but for what differs in a train, and brings text.
    #[inline]
    pub(crate) fn recognise<'p>(&self, packet: &'p [u8]) -> Option<Alike<'p>> {
        match self.ip {
            20 => self.recognise_after::<20, 40>(packet, &SAME_V4),
            _ => self.recognise_after::<40, 60>(packet, &SAME_V6),
        }
    }

    #[inline]
    fn recognise_after<'p, const IP: usize, const FIXED: usize>(
        &self,
        packet: &'p [u8],
        same: &[u8; MOST],
    ) -> Option<Alike<'p>> {
        let header = packet.get(..self.len)?;
        let (fixed, options) = header.split_first_chunk::<FIXED>()?;
        let ours = self.octets.first_chunk::<FIXED>()?;
        let other = (0..FIXED).fold(0, |other, at| other | ((ours[at] ^ fixed[at]) & same[at]));
        if other != 0 || (!options.is_empty() && options != &self.octets[FIXED..self.len]) {
            return None;
        }
        let whole = if IP == 20 { be16(fixed, 2) } else { be16(fixed, 4).checked_add(40)? };
        let text = packet.get(self.len..usize::from(whole)).filter(|text| !text.is_empty())?;
        if IP == 20 {
            let mut sum = Sum::default();
            sum.add_few(&fixed[..20]);
            if sum.finish() != 0 {
                return None;
            }
        }
        let mut sum = self.pseudo;
        sum.add_word(u32::from(whole - IP as u16));
        sum.add_few(&fixed[IP..]);
        if !options.is_empty() {
            sum.add_few(options);
        }
        Some(Alike { seq: SeqNum(be32(fixed, IP + SEQ)), text, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Ecn, Flags, Options, Outgoing, Segment, Timestamps, Verify};

    const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog";

    fn outgoing(v6: bool, seq: u32, text: &[u8]) -> Outgoing<'_> {
        let (local, remote) =
            if v6 { ("[fd00::1]:80", "[fd00::2]:9") } else { ("10.0.0.1:80", "10.0.0.2:9") };
        let timestamps = Some(Timestamps { value: 5, echo: 6 });
        Outgoing {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            ip: ip::HeaderFields { hops: 64, dscp: 3, ecn: Ecn::Ect0, identification: seq as u16 },
            seq: SeqNum(seq),
            ack: SeqNum(17),
            flags: Flags::ACK,
            window: 512,
            urgent: 0,
            options: Options { timestamps, ..Options::default() },
            text: (text, &[]),
        }
    }

    fn packet(outgoing: Outgoing<'_>) -> Vec<u8> {
        let mut packet = Vec::new();
        outgoing.emit(&mut packet);
        packet
    }

    #[test]
    fn the_next_packet_is_what_would_have_been_written_in_full() {
        for v6 in [false, true] {
            let first = packet(outgoing(v6, 1, &TEXT[..20]));
            let template = Template::of(&first).unwrap();
            assert_eq!(template.text_len(), 20);
            for (seq, cut) in [(21, 0), (u32::MAX - 3, 7), (0x1234_5678, 20)] {
                let mut next = vec![0xee; 200];
                let text = &TEXT[3..23];
                let len = template.write(seq as u16, SeqNum(seq), (&text[..cut], &text[cut..]), &mut next);
                assert_eq!(next[..len], packet(outgoing(v6, seq, text)), "v6 {v6}, {seq}");
            }
        }
    }

    #[test]
    fn a_packet_alike_is_recognised_with_its_numbers_and_any_other_is_not() {
        for v6 in [false, true] {
            let template = Template::of(&packet(outgoing(v6, 1, b"first"))).unwrap();
            let mut pushed = outgoing(v6, 99, TEXT);
            pushed.flags = Flags::ACK | Flags::PSH;
            for next in [outgoing(v6, 99, TEXT), pushed] {
                let mut next = packet(next);
                next.extend_from_slice(&[0; 5]); // link-layer padding
                let alike = template.recognise(&next).unwrap();
                assert_eq!((alike.seq, alike.text), (SeqNum(99), TEXT));
                let (mut sum, mut text) = (alike.sum, Sum::default());
                text.add(alike.text);
                sum.append(0, text);
                assert_eq!(sum.finish(), 0);
            }
            // Whatever single octet of the headers is another, the packet either is another or has a number, a flag
            // or a checksum that says so.
            let good = packet(outgoing(v6, 99, TEXT));
            for at in 0..good.len() - TEXT.len() {
                let mut bad = good.clone();
                bad[at] ^= 0x20;
                let Some(alike) = template.recognise(&bad) else { continue };
                let mut sum = alike.sum;
                let mut text = Sum::default();
                text.add(alike.text);
                sum.append(0, text);
                assert_ne!(sum.finish(), 0, "octet {at} of v6 {v6}");
            }
            for other in [
                Outgoing { ack: SeqNum(18), ..outgoing(v6, 99, TEXT) },
                Outgoing { window: 511, ..outgoing(v6, 99, TEXT) },
                Outgoing { urgent: 1, ..outgoing(v6, 99, TEXT) },
                Outgoing { flags: Flags::ACK | Flags::FIN, ..outgoing(v6, 99, TEXT) },
                Outgoing { options: Options::default(), ..outgoing(v6, 99, TEXT) },
                outgoing(v6, 99, b""),
            ] {
                assert!(template.recognise(&packet(other)).is_none());
            }
        }
    }

    #[test]
    fn every_cut_is_refused_and_none_panics() {
        for v6 in [false, true] {
            let whole = packet(outgoing(v6, 1, TEXT));
            let template = Template::of(&whole).unwrap();
            for len in 0..whole.len() {
                assert!(template.recognise(&whole[..len]).is_none());
            }
            let read = IpPacket::parse(&whole).unwrap();
            assert!(Segment::parse(&read, Verify::Yes).is_ok());
        }
    }
}
