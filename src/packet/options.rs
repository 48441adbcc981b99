//! TCP options (RFC 9293 section 3.2, RFC 7323, 2018, 5482, 7413, 2385): octets in, options and malformations out.
//!
//! The octets are the truth: [`Options`] holds them verbatim, so any malformation can be built and none is lost on
//! the way in. Reading them is a view that never fails, never loops and names every malformation with its offset.
//! Must not know which options belong on which segment or were negotiated: that is for the monitors.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::seq::SeqNum;

/// Option kinds, as assigned by IANA.
pub mod kind {
    pub const EOL: u8 = 0;
    pub const NOP: u8 = 1;
    pub const MSS: u8 = 2;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK_PERMITTED: u8 = 4;
    pub const SACK: u8 = 5;
    pub const TIMESTAMPS: u8 = 8;
    pub const MD5: u8 = 19;
    pub const USER_TIMEOUT: u8 = 28;
    pub const AUTHENTICATION: u8 = 29;
    pub const MULTIPATH: u8 = 30;
    pub const FAST_OPEN: u8 = 34;
    pub const EXPERIMENT_1: u8 = 253;
    pub const EXPERIMENT_2: u8 = 254;
}

/// The most octets of options that a data offset can describe.
pub const OPTIONS_LEN_MAX: usize = 40;

/// One option, well formed or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpOption {
    Eol,
    Nop,
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    /// Left and right edges, in the order of the wire.
    Sack(Vec<(SeqNum, SeqNum)>),
    Timestamps {
        val: u32,
        ecr: u32,
    },
    /// `value` is 15 bits, in minutes where `minutes` is set and in seconds otherwise.
    UserTimeout {
        minutes: bool,
        value: u16,
    },
    /// The cookie; empty asks for one.
    FastOpen(Vec<u8>),
    Md5([u8; 16]),
    /// An option this codec has no words for; its length octet is right.
    Unknown {
        kind: u8,
        data: Vec<u8>,
    },
    /// An option whose length octet is wrong for its kind. Parsed ones have `data` agree with `length`; a case may
    /// build any `length`.
    WrongLength {
        kind: u8,
        length: u8,
        data: Vec<u8>,
    },
    /// Octets that are not options: what follows a length that leads nowhere, or what a case wrote by hand.
    Raw(Vec<u8>),
}

impl TcpOption {
    /// The kind octet; `None` for raw octets.
    #[must_use]
    pub fn kind(&self) -> Option<u8> {
        match self {
            Self::Eol => Some(kind::EOL),
            Self::Nop => Some(kind::NOP),
            Self::Mss(_) => Some(kind::MSS),
            Self::WindowScale(_) => Some(kind::WINDOW_SCALE),
            Self::SackPermitted => Some(kind::SACK_PERMITTED),
            Self::Sack(_) => Some(kind::SACK),
            Self::Timestamps { .. } => Some(kind::TIMESTAMPS),
            Self::UserTimeout { .. } => Some(kind::USER_TIMEOUT),
            Self::FastOpen(_) => Some(kind::FAST_OPEN),
            Self::Md5(_) => Some(kind::MD5),
            Self::Unknown { kind, .. } | Self::WrongLength { kind, .. } => Some(*kind),
            Self::Raw(_) => None,
        }
    }

    fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Eol => out.push(kind::EOL),
            Self::Nop => out.push(kind::NOP),
            Self::Mss(mss) => tlv(out, kind::MSS, &mss.to_be_bytes()),
            Self::WindowScale(shift) => tlv(out, kind::WINDOW_SCALE, &[*shift]),
            Self::SackPermitted => tlv(out, kind::SACK_PERMITTED, &[]),
            Self::Sack(blocks) => {
                let edges = blocks.iter().flat_map(|(left, right)| [left.0, right.0]);
                tlv(out, kind::SACK, &edges.flat_map(u32::to_be_bytes).collect::<Vec<_>>());
            }
            Self::Timestamps { val, ecr } => {
                tlv(out, kind::TIMESTAMPS, &[val.to_be_bytes(), ecr.to_be_bytes()].concat());
            }
            Self::UserTimeout { minutes, value } => {
                let granularity = if *minutes { 0x8000 } else { 0 };
                tlv(out, kind::USER_TIMEOUT, &(value & 0x7fff | granularity).to_be_bytes());
            }
            Self::FastOpen(cookie) => tlv(out, kind::FAST_OPEN, cookie),
            Self::Md5(digest) => tlv(out, kind::MD5, digest),
            Self::Unknown { kind, data } => tlv(out, *kind, data),
            Self::WrongLength { kind, length, data } => {
                out.extend([*kind, *length]);
                out.extend(data);
            }
            Self::Raw(octets) => out.extend(octets),
        }
    }

    /// Reads the option of `kind` from the octets after its length octet; `None` if they are not of its length.
    fn read(kind: u8, data: &[u8]) -> Option<Self> {
        Some(match kind {
            kind::MSS => Self::Mss(u16::from_be_bytes(data.try_into().ok()?)),
            kind::WINDOW_SCALE => match data {
                [shift] => Self::WindowScale(*shift),
                _ => return None,
            },
            kind::SACK_PERMITTED if data.is_empty() => Self::SackPermitted,
            kind::SACK if !data.is_empty() && data.len().is_multiple_of(8) => {
                let edge = |at: &[u8]| SeqNum(u32::from_be_bytes([at[0], at[1], at[2], at[3]]));
                Self::Sack(data.chunks_exact(8).map(|block| (edge(block), edge(&block[4..]))).collect())
            }
            kind::TIMESTAMPS => {
                let both = u64::from_be_bytes(data.try_into().ok()?);
                Self::Timestamps { val: (both >> 32) as u32, ecr: both as u32 }
            }
            kind::MD5 => Self::Md5(data.try_into().ok()?),
            kind::USER_TIMEOUT => {
                let word = u16::from_be_bytes(data.try_into().ok()?);
                Self::UserTimeout { minutes: word & 0x8000 != 0, value: word & 0x7fff }
            }
            // RFC 7413 section 4.1.1: no cookie, or 4 to 16 octets, an even number.
            kind::FAST_OPEN if matches!(data.len(), 0 | 4..=16) && data.len().is_multiple_of(2) => {
                Self::FastOpen(data.to_vec())
            }
            kind::SACK_PERMITTED | kind::SACK | kind::FAST_OPEN => return None,
            _ => Self::Unknown { kind, data: data.to_vec() },
        })
    }
}

/// Kind, length and data; a length beyond 255 cannot be told and wraps.
fn tlv(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    out.extend([kind, (data.len() + 2) as u8]);
    out.extend(data);
}

impl fmt::Display for TcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eol => f.write_str("eol"),
            Self::Nop => f.write_str("nop"),
            Self::Mss(mss) => write!(f, "mss {mss}"),
            Self::WindowScale(shift) => write!(f, "wscale {shift}"),
            Self::SackPermitted => f.write_str("sackOK"),
            Self::Sack(blocks) => {
                f.write_str("sack")?;
                blocks.iter().try_for_each(|(left, right)| write!(f, " {left}..{right}"))
            }
            Self::Timestamps { val, ecr } => write!(f, "ts {val}/{ecr}"),
            Self::UserTimeout { minutes, value } => {
                write!(f, "uto {value}{}", if *minutes { "min" } else { "s" })
            }
            Self::FastOpen(cookie) if cookie.is_empty() => f.write_str("tfo request"),
            Self::FastOpen(cookie) => write!(f, "tfo {}", Hex(cookie)),
            Self::Md5(digest) => write!(f, "md5 {}", Hex(digest)),
            Self::Unknown { kind, data } if data.is_empty() => write!(f, "opt-{kind}"),
            Self::Unknown { kind, data } => write!(f, "opt-{kind} {}", Hex(data)),
            Self::WrongLength { kind, length, data } => {
                write!(f, "opt-{kind} length {length} {}", Hex(data))
            }
            Self::Raw(octets) => write!(f, "raw {}", Hex(octets)),
        }
    }
}

/// Octets in hexadecimal, without spaces.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A malformation, with the offset of its option from the start of the options.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionDefect {
    /// A length of 0 or 1 does not even cover kind and length; nothing after it can be read.
    LengthTooSmall { offset: usize, kind: u8, length: u8 },
    /// The header ends where the length octet should be.
    LengthMissing { offset: usize, kind: u8 },
    /// The option runs past the end of the header.
    PastHeader { offset: usize, kind: u8, length: u8, present: usize },
    /// The length is not one that this kind can have.
    WrongLength { offset: usize, kind: u8, length: u8 },
    /// RFC 9293 section 3.1: what follows the end of the list must be zero.
    Padding { offset: usize, octet: u8 },
    /// A second option of a kind that may come once.
    Duplicate { offset: usize, kind: u8 },
}

impl fmt::Display for OptionDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthTooSmall { offset, kind, length } => {
                write!(f, "bad option {kind} at {offset}: length {length}")
            }
            Self::LengthMissing { offset, kind } => write!(f, "bad option {kind} at {offset}: no length"),
            Self::PastHeader { offset, kind, length, present } => {
                write!(f, "bad option {kind} at {offset}: length {length}, only {present} octets left")
            }
            Self::WrongLength { offset, kind, length } => {
                write!(f, "bad option {kind} at {offset}: wrong length {length}")
            }
            Self::Padding { offset, octet } => {
                write!(f, "bad option padding at {offset}: {octet:#04x} after the end of the list")
            }
            Self::Duplicate { offset, kind } => write!(f, "second option {kind} at {offset}"),
        }
    }
}

/// The options of one segment: the exact octets between the fixed header and the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options {
    octets: Vec<u8>,
}

/// What [`Options::read`] finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionsRead {
    /// Encoding these again gives the same octets.
    pub list: Vec<TcpOption>,
    pub defects: Vec<OptionDefect>,
}

impl Options {
    /// Writes options one after the other. No padding: a segment with an automatic data offset is padded to 32 bits
    /// with zeros when it is built, one with a given data offset is not.
    #[must_use]
    pub fn encode(list: &[TcpOption]) -> Self {
        let mut octets = Vec::new();
        list.iter().for_each(|option| option.emit(&mut octets));
        Self { octets }
    }

    /// Octets as they are, right or wrong.
    #[must_use]
    pub fn raw(octets: impl Into<Vec<u8>>) -> Self {
        Self { octets: octets.into() }
    }

    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    pub fn push(&mut self, option: &TcpOption) {
        option.emit(&mut self.octets);
    }

    /// Reads everything. Each step takes at least one octet, so this ends.
    #[must_use]
    pub fn read(&self) -> OptionsRead {
        let mut read = OptionsRead::default();
        let mut seen = [false; 256];
        let mut offset = 0;
        while let Some(rest) = self.octets.get(offset..).filter(|rest| !rest.is_empty()) {
            let (option, taken) = match rest[0] {
                kind::EOL => {
                    read.end_of_list(rest, offset);
                    break;
                }
                kind::NOP => (TcpOption::Nop, 1),
                kind => {
                    if std::mem::replace(&mut seen[usize::from(kind)], true) {
                        read.defects.push(OptionDefect::Duplicate { offset, kind });
                    }
                    read.sized(rest, offset)
                }
            };
            read.list.push(option);
            offset += taken;
        }
        read
    }

    #[must_use]
    pub fn list(&self) -> Vec<TcpOption> {
        self.read().list
    }

    /// The first well-formed option for which `pick` has an answer.
    fn find<T>(&self, pick: impl Fn(TcpOption) -> Option<T>) -> Option<T> {
        self.list().into_iter().find_map(pick)
    }

    #[must_use]
    pub fn mss(&self) -> Option<u16> {
        self.find(|option| if let TcpOption::Mss(mss) = option { Some(mss) } else { None })
    }

    #[must_use]
    pub fn window_scale(&self) -> Option<u8> {
        self.find(|option| if let TcpOption::WindowScale(shift) = option { Some(shift) } else { None })
    }

    #[must_use]
    pub fn sack_permitted(&self) -> bool {
        self.list().contains(&TcpOption::SackPermitted)
    }

    #[must_use]
    pub fn sack(&self) -> Option<Vec<(SeqNum, SeqNum)>> {
        self.find(|option| if let TcpOption::Sack(blocks) = option { Some(blocks) } else { None })
    }

    /// TSval and TSecr.
    #[must_use]
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        self.find(
            |option| if let TcpOption::Timestamps { val, ecr } = option { Some((val, ecr)) } else { None },
        )
    }

    /// The 16 bits of the User Timeout option: granularity and value.
    #[must_use]
    pub fn user_timeout(&self) -> Option<(bool, u16)> {
        self.find(|option| {
            if let TcpOption::UserTimeout { minutes, value } = option { Some((minutes, value)) } else { None }
        })
    }

    /// The Fast Open cookie; empty where one is asked for.
    #[must_use]
    pub fn fast_open(&self) -> Option<Vec<u8>> {
        self.find(|option| if let TcpOption::FastOpen(cookie) = option { Some(cookie) } else { None })
    }

    /// True where an option of this kind is there, well formed or not.
    #[must_use]
    pub fn has(&self, kind: u8) -> bool {
        self.list().iter().any(|option| option.kind() == Some(kind))
    }
}

impl OptionsRead {
    /// The end of the list and the padding behind it. Zeros read as further ends, the rest as raw octets.
    fn end_of_list(&mut self, rest: &[u8], offset: usize) {
        let zeros = rest.iter().take_while(|octet| **octet == 0).count();
        self.list.extend(std::iter::repeat_n(TcpOption::Eol, zeros));
        if let Some(octet) = rest.get(zeros) {
            self.defects.push(OptionDefect::Padding { offset: offset + zeros, octet: *octet });
            self.list.push(TcpOption::Raw(rest[zeros..].to_vec()));
        }
    }

    /// An option with a length octet, and how many octets it takes: all that is left where the length is no use.
    fn sized(&mut self, rest: &[u8], offset: usize) -> (TcpOption, usize) {
        let (kind, present) = (rest[0], rest.len());
        let lost = match rest.get(1).copied() {
            None => OptionDefect::LengthMissing { offset, kind },
            Some(length @ (0 | 1)) => OptionDefect::LengthTooSmall { offset, kind, length },
            Some(length) if usize::from(length) > present => {
                OptionDefect::PastHeader { offset, kind, length, present }
            }
            Some(length) => {
                let data = &rest[2..usize::from(length)];
                let option = TcpOption::read(kind, data).unwrap_or_else(|| {
                    self.defects.push(OptionDefect::WrongLength { offset, kind, length });
                    TcpOption::WrongLength { kind, length, data: data.to_vec() }
                });
                return (option, usize::from(length));
            }
        };
        self.defects.push(lost);
        (TcpOption::Raw(rest.to_vec()), present)
    }
}

#[cfg(test)]
mod tests;
