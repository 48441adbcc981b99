//! Cutting a packet into fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Owns the cut. The pieces are ordinary packets, so a case may drop, reorder or spoil them. Must not put fragments
//! together again: that is the target's work.

use super::ipv6::Extension;
use super::{Body, Ip, Packet};

impl Packet {
    /// The pieces of this packet with at most `size` octets of payload each, rounded down to a multiple of 8. A packet
    /// that fits, or has no IP header, stays whole. Every piece gets the frame and the trailer.
    ///
    /// The checksum of the body is that of the whole packet, worked out before the cut.
    #[must_use]
    pub fn fragments(&self, size: usize, id: u32) -> Vec<Self> {
        let octets = self.body_octets();
        let size = (size / 8 * 8).max(8);
        let Some(ip) = self.ip.as_ref().filter(|_| octets.len() > size) else { return vec![self.clone()] };
        let last = (octets.len() - 1) / size;
        let piece = |(at, part): (usize, &[u8])| Self {
            // 13 bits of units hold more than any packet whose length its header can tell.
            ip: Some(self.cut(ip, (at * size / 8) as u16, at < last, id)),
            body: Body::Other(part.to_vec()),
            ..self.clone()
        };
        octets.chunks(size).enumerate().map(piece).collect()
    }

    fn cut(&self, ip: &Ip, offset: u16, more: bool, id: u32) -> Ip {
        let protocol = self.body.protocol();
        match ip.clone() {
            Ip::V4(mut v4) => {
                v4.protocol = v4.protocol.or(Some(protocol));
                v4.id = v4.id.or(Some(id as u16));
                v4.fragment_offset = Some(offset);
                v4.mf = Some(more);
                Ip::V4(v4)
            }
            Ip::V6(mut v6) => {
                // Behind the headers that every router must see; what was there before stays in front.
                let header = Extension { next: Some(protocol), ..Extension::fragment(offset, more, id) };
                v6.extensions.push(header);
                Ip::V6(v6)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Flags, Tcp};
    use rstest::rstest;

    fn segment(v6: bool, payload: usize) -> Packet {
        let ends: [std::net::IpAddr; 2] = if v6 {
            ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()]
        } else {
            ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()]
        };
        let tcp = Tcp { payload: (0..payload).map(|n| n as u8).collect(), ..Tcp::with(Flags::ACK) };
        Packet::of(Ip::between(ends[0], ends[1]).unwrap(), Body::Tcp(tcp))
    }

    #[rstest]
    #[case::three(false, 40, 24, 3)]
    #[case::exactly_two(false, 44, 32, 2)]
    #[case::rounded_down(false, 40, 31, 3)]
    #[case::never_zero(false, 4, 0, 3)]
    #[case::fits(false, 10, 64, 1)]
    #[case::v6(true, 40, 24, 3)]
    fn pieces_make_the_whole(
        #[case] v6: bool,
        #[case] payload: usize,
        #[case] size: usize,
        #[case] pieces: usize,
    ) {
        let whole = segment(v6, payload);
        let cut = whole.fragments(size, 77);
        assert_eq!(cut.len(), pieces);
        let mut body = Vec::new();
        for piece in &cut {
            let read = Packet::parse_ip(&piece.build());
            // A first piece of 8 octets does not hold a TCP header, and reading says so (RFC 1858).
            assert!(read.is_sound() || size < 20, "{:?}", read.defects);
            let (offset, more) = match read.ip.as_ref().unwrap() {
                Ip::V4(v4) => (v4.fragment_offset.unwrap(), v4.mf.unwrap()),
                Ip::V6(v6) => v6.fragment().unwrap_or_default(),
            };
            assert_eq!(usize::from(offset) * 8, body.len());
            body.extend(read.body_octets());
            assert_eq!(more, body.len() < whole.body_octets().len());
            assert_eq!(read.ip.unwrap().is_fragment(), pieces > 1);
        }
        assert_eq!(body, whole.body_octets());
    }
}
