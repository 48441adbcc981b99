//! TCP options (RFC 9293 3.2, 7323, 2018, 7413, 5482).
//!
//! Options may come on any segment (MUST-5) and begin at any octet (MUST-64), unknown ones that carry a length are
//! skipped (MUST-6, MUST-68), and an illegal length ends the reading without harm (MUST-7).

use core::time::Duration;

use super::{be16, be32};
use crate::seq::SeqNum;

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;
const USER_TIMEOUT: u8 = 28;
const FAST_OPEN: u8 = 34;

/// The most octets a header has room for.
pub const MAX_LEN: usize = 40;

/// The timestamps option (RFC 7323 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval: the sender's clock.
    pub value: u32,
    /// TSecr: the echo, valid with the ACK bit.
    pub echo: u32,
}

/// A run of octets that the receiver holds (RFC 2018 section 3): `start` up to but excluding `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SackBlock {
    /// First octet held.
    pub start: SeqNum,
    /// The octet after the last one held.
    pub end: SeqNum,
}

/// Up to four SACK blocks, in the order of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SackBlocks {
    blocks: [SackBlock; 4],
    len: u8,
}

impl SackBlocks {
    /// Adds a block, unless there are four.
    pub fn push(&mut self, block: SackBlock) {
        if let Some(slot) = self.blocks.get_mut(usize::from(self.len)) {
            *slot = block;
            self.len += 1;
        }
    }

    /// The blocks.
    #[must_use]
    pub fn as_slice(&self) -> &[SackBlock] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keeps at most `n` blocks.
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n as u8);
    }
}

/// The Fast Open option (RFC 7413 section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FastOpen {
    /// Length 2: a client asks for a cookie.
    Request,
    /// A cookie, from either side. This implementation makes cookies of eight octets.
    Cookie {
        /// The octets, zero after `len`.
        octets: [u8; 16],
        /// 4 to 16, even.
        len: u8,
    },
}

/// The user timeout option (RFC 5482 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserTimeout(pub Duration);

impl UserTimeout {
    fn parse(field: u16) -> Self {
        let unit = if field & 0x8000 == 0 { 1 } else { 60 };
        Self(Duration::from_secs(u64::from(field & 0x7fff) * unit))
    }

    fn encode(self) -> u16 {
        match u16::try_from(self.0.as_secs()) {
            Ok(seconds) if seconds < 0x8000 => seconds,
            _ => 0x8000 | (self.0.as_secs() / 60).min(0x7fff) as u16,
        }
    }
}

/// All options of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// Maximum segment size, on a SYN only (RFC 9293 3.7.1, MUST-65).
    pub mss: Option<u16>,
    /// Window scale shift, on a SYN only (RFC 7323 2.2).
    pub window_scale: Option<u8>,
    /// SACK permitted, on a SYN only (RFC 2018 section 2).
    pub sack_permitted: bool,
    /// Timestamps.
    pub timestamps: Option<Timestamps>,
    /// SACK blocks.
    pub sack: SackBlocks,
    /// Fast Open, on a SYN only.
    pub fast_open: Option<FastOpen>,
    /// User timeout.
    pub user_timeout: Option<UserTimeout>,
}

impl Options {
    /// Reads the octets between the fixed header and the payload. Never fails: what cannot be understood is
    /// ignored (MUST-6), and an illegal length ends the list (MUST-7).
    #[must_use]
    #[inline]
    pub fn parse(octets: &[u8]) -> Self {
        // Most segments have none.
        if octets.is_empty() { Self::default() } else { Self::parse_some(octets) }
    }

    fn parse_some(octets: &[u8]) -> Self {
        let mut options = Self::default();
        let mut rest = octets;
        while let Some(&kind) = rest.first() {
            match kind {
                // MUST-4; what lies behind is padding (MUST-69).
                END => break,
                NOP => rest = &rest[1..],
                _ => {
                    let Some(&len) = rest.get(1) else { break };
                    let len = usize::from(len);
                    if len < 2 || len > rest.len() {
                        break;
                    }
                    options.take(kind, &rest[2..len]);
                    rest = &rest[len..];
                }
            }
        }
        options
    }

    /// The options one by one: where each begins, its kind, and its length unless that is illegal.
    pub(crate) fn kinds(octets: &[u8]) -> impl Iterator<Item = (usize, u8, Option<usize>)> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let start = at;
            let &kind = octets.get(start)?;
            if kind == END {
                return None;
            }
            let len = match kind {
                NOP => Some(1),
                _ => octets
                    .get(start + 1)
                    .map(|&len| usize::from(len))
                    .filter(|&len| len >= 2 && start + len <= octets.len()),
            };
            at = len.map_or(octets.len(), |len| start + len);
            Some((start, kind, len))
        })
    }

    /// Records one option. The first of its kind wins; a wrong length for a known kind is ignored.
    fn take(&mut self, kind: u8, body: &[u8]) {
        match (kind, body.len()) {
            (MSS, 2) => _ = self.mss.get_or_insert_with(|| be16(body, 0)),
            (WINDOW_SCALE, 1) => _ = self.window_scale.get_or_insert(body[0]),
            (SACK_PERMITTED, 0) => self.sack_permitted = true,
            (SACK, 8 | 16 | 24 | 32) => {
                for pair in body.chunks_exact(8) {
                    self.sack.push(SackBlock { start: SeqNum(be32(pair, 0)), end: SeqNum(be32(pair, 4)) });
                }
            }
            (TIMESTAMPS, 8) => {
                _ = self
                    .timestamps
                    .get_or_insert_with(|| Timestamps { value: be32(body, 0), echo: be32(body, 4) });
            }
            (USER_TIMEOUT, 2) => {
                _ = self.user_timeout.get_or_insert_with(|| UserTimeout::parse(be16(body, 0)));
            }
            (FAST_OPEN, 0) => _ = self.fast_open.get_or_insert(FastOpen::Request),
            (FAST_OPEN, len @ 4..=16) if len % 2 == 0 => {
                let mut cookie = [0; 16];
                cookie[..len].copy_from_slice(body);
                _ = self.fast_open.get_or_insert(FastOpen::Cookie { octets: cookie, len: len as u8 });
            }
            _ => {}
        }
    }

    /// How many octets they take in a header: a multiple of four.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        let Self { mss, window_scale, sack_permitted, timestamps, sack, fast_open, user_timeout } = self;
        let mut len = 0;
        len += if mss.is_some() { 4 } else { 0 };
        len += if window_scale.is_some() { 4 } else { 0 };
        len += if timestamps.is_some() { 12 } else { 0 };
        len += if *sack_permitted && timestamps.is_none() { 4 } else { 0 };
        len += if sack.is_empty() { 0 } else { 4 + 8 * sack.as_slice().len() };
        len += match fast_open {
            None => 0,
            Some(FastOpen::Request) => 4,
            Some(FastOpen::Cookie { len, .. }) => (2 + usize::from(*len)).next_multiple_of(4),
        };
        len += if user_timeout.is_some() { 4 } else { 0 };
        len
    }

    /// Fills [`Self::emitted_len`] octets with the options, each padded with NOPs to four octets, and the list with zeros (MUST-69).
    /// SACK-permitted takes the place of the padding before timestamps, so that a SYN with everything still has room for a cookie.
    pub(crate) fn write(&self, octets: &mut [u8]) {
        let mut out = Writer { octets };
        let Self { mss, window_scale, sack_permitted, timestamps, sack, fast_open, user_timeout } = self;
        if let Some(mss) = mss {
            out.put(&[MSS, 4]);
            out.put(&mss.to_be_bytes());
        }
        match (timestamps, sack_permitted) {
            (Some(_), false) => out.put(&[NOP, NOP]),
            (Some(_), true) => out.put(&[SACK_PERMITTED, 2]),
            (None, true) => out.put(&[NOP, NOP, SACK_PERMITTED, 2]),
            (None, false) => {}
        }
        if let Some(Timestamps { value, echo }) = timestamps {
            out.put(&[TIMESTAMPS, 10]);
            out.put(&value.to_be_bytes());
            out.put(&echo.to_be_bytes());
        }
        if let Some(shift) = window_scale {
            out.put(&[NOP, WINDOW_SCALE, 3, *shift]);
        }
        if !sack.is_empty() {
            out.put(&[NOP, NOP, SACK, 2 + 8 * sack.len]);
            for block in sack.as_slice() {
                out.put(&block.start.0.to_be_bytes());
                out.put(&block.end.0.to_be_bytes());
            }
        }
        if let Some(timeout) = user_timeout {
            out.put(&[USER_TIMEOUT, 4]);
            out.put(&timeout.encode().to_be_bytes());
        }
        match fast_open {
            None => {}
            Some(FastOpen::Request) => out.put(&[FAST_OPEN, 2]),
            Some(FastOpen::Cookie { octets, len }) => {
                out.put(&[FAST_OPEN, 2 + len]);
                out.put(&octets[..usize::from(*len)]);
            }
        }
        out.octets.fill(END);
    }
}

/// Room that is filled from the front.
struct Writer<'a> {
    octets: &'a mut [u8],
}

impl Writer<'_> {
    fn put(&mut self, octets: &[u8]) {
        let (to, rest) = core::mem::take(&mut self.octets).split_at_mut(octets.len());
        to.copy_from_slice(octets);
        self.octets = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(options: Options) {
        let mut octets = vec![0xff; options.emitted_len()];
        options.write(&mut octets);
        assert_eq!(octets.len() % 4, 0);
        assert!(octets.len() <= MAX_LEN);
        assert_eq!(Options::parse(&octets), options);
    }

    #[test]
    fn what_is_written_is_read_back() {
        round_trip(Options::default());
        let mut cookie = [0; 16];
        cookie[..8].copy_from_slice(b"cookie!!");
        let syn = Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some(Timestamps { value: 1, echo: 0 }),
            fast_open: Some(FastOpen::Cookie { octets: cookie, len: 8 }),
            ..Options::default()
        };
        round_trip(syn);
        round_trip(Options { timestamps: None, fast_open: Some(FastOpen::Request), ..syn });
        let mut sack = SackBlocks::default();
        for n in 0..3 {
            sack.push(SackBlock { start: SeqNum(n * 10), end: SeqNum(n * 10 + 5) });
        }
        round_trip(Options {
            timestamps: Some(Timestamps { value: 1, echo: 2 }),
            sack,
            ..Options::default()
        });
        round_trip(Options {
            user_timeout: Some(UserTimeout(Duration::from_secs(90))),
            ..Options::default()
        });
        round_trip(Options {
            user_timeout: Some(UserTimeout(Duration::from_secs(60 * 0x7000))),
            ..Options::default()
        });
    }

    #[test]
    fn unknown_options_are_skipped_at_any_alignment() {
        let octets = [NOP, 253, 5, 1, 2, 3, MSS, 4, 0x02, 0x58, END, 9, 9];
        assert_eq!(Options::parse(&octets).mss, Some(600));
    }

    #[test]
    fn illegal_lengths_end_the_list_without_harm() {
        for bad in [[254u8, 0], [254, 1], [254, 200], [MSS, 0]] {
            let mut octets = vec![WINDOW_SCALE, 3, 2];
            octets.extend_from_slice(&bad);
            octets.extend_from_slice(&[MSS, 4, 2, 0]);
            let read = Options::parse(&octets);
            assert_eq!((read.window_scale, read.mss), (Some(2), None));
        }
        assert_eq!(Options::parse(&[MSS]), Options::default());
    }

    #[test]
    fn known_kinds_with_wrong_lengths_are_ignored_and_the_first_of_a_kind_wins() {
        let octets = [MSS, 3, 9, MSS, 4, 5, 0xb4, MSS, 4, 0, 100];
        assert_eq!(Options::parse(&octets).mss, Some(1460));
        assert!(Options::parse(&[SACK, 9, 0, 0, 0, 1, 0, 0, 0]).sack.is_empty());
        assert_eq!(Options::parse(&[FAST_OPEN, 5, 1, 2, 3]).fast_open, None);
    }
}
