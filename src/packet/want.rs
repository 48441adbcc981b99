//! Matching: what a case wants of a packet, field by field, and what came instead.
//!
//! Owns the comparison. Values arrive as numbers: names such as `isn + 1` belong to the engine, which words the
//! outcome. Fields that count modulo 2^32 are compared so, everything else as plain numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Packet;
use super::field::{Field, Seen, show_blocks, show_octets, show_options};
use super::flags::FlagsWant;
use super::options::TcpOption;
use super::seq::SeqNum;

/// What one field must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// Present, whatever it says.
    Any,
    Absent,
    Exact(u64),
    /// Inclusive; on a field that wraps, the values passed while counting up from the first to the second.
    Range(u64, u64),
    AtLeast(u64),
    AtMost(u64),
    Less(u64),
    Greater(u64),
    /// Present and another number.
    Not(u64),
    OneOf(Vec<Self>),
    /// Exactly these SACK blocks in this order.
    Blocks(Vec<(SeqNum, SeqNum)>),
    Octets(Vec<u8>),
    /// Exactly these options in this order; ends of list at the end do not count.
    Options(Vec<TcpOption>),
    /// For flags only.
    Flags(FlagsWant),
    /// For checksums only: right, or wrong.
    Good,
    Bad,
}

impl Want {
    /// Whether `seen` in `field` will do. A want that cannot speak of the field (octets of a number) is not met.
    #[must_use]
    pub fn admits(&self, field: Field, seen: &Seen) -> bool {
        let number = |test: &dyn Fn(u64) -> bool| seen.as_number().is_some_and(test);
        let order = |limit: u64, test: &dyn Fn(i64) -> bool| number(&|n| test(compare(field, n, limit)));
        match self {
            Self::Any => *seen != Seen::Absent,
            Self::Absent => *seen == Seen::Absent,
            Self::Exact(wanted) => order(*wanted, &|way| way == 0),
            Self::Not(wanted) => order(*wanted, &|way| way != 0),
            Self::AtLeast(limit) => order(*limit, &|way| way >= 0),
            Self::AtMost(limit) => order(*limit, &|way| way <= 0),
            Self::Less(limit) => order(*limit, &|way| way < 0),
            Self::Greater(limit) => order(*limit, &|way| way > 0),
            Self::Range(lo, hi) if field.wraps() => {
                let (lo, hi) = (SeqNum(*lo as u32), SeqNum(*hi as u32));
                // A range that ends before it begins is empty; it is not the rest of the circle.
                number(&|n| hi.diff(lo) >= 0 && SeqNum(n as u32).in_range(lo, hi))
            }
            Self::Range(lo, hi) => number(&|n| (*lo..=*hi).contains(&n)),
            Self::OneOf(wants) => wants.iter().any(|want| want.admits(field, seen)),
            Self::Blocks(wanted) => matches!(seen, Seen::Blocks(blocks) if blocks == wanted),
            Self::Octets(wanted) => matches!(seen, Seen::Octets(octets) if octets == wanted),
            Self::Options(wanted) => {
                matches!(seen, Seen::Options(list) if without_padding(list) == without_padding(wanted))
            }
            Self::Flags(wanted) => matches!(seen, Seen::Flags(flags) if wanted.matches(*flags)),
            Self::Good => matches!(seen, Seen::Checksum { good: true, .. }),
            Self::Bad => matches!(seen, Seen::Checksum { good: false, .. }),
        }
    }
}

/// Negative where `a` comes before `b`.
fn compare(field: Field, a: u64, b: u64) -> i64 {
    if field.wraps() { i64::from(SeqNum(a as u32).diff(SeqNum(b as u32))) } else { a.cmp(&b) as i64 }
}

fn without_padding(list: &[TcpOption]) -> &[TcpOption] {
    let end = list.iter().rposition(|option| *option != TcpOption::Eol).map_or(0, |last| last + 1);
    &list[..end]
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Any => "any".to_owned(),
            Self::Absent => "absent".to_owned(),
            Self::Exact(number) => number.to_string(),
            Self::Range(lo, hi) => format!("{lo}..{hi}"),
            Self::AtLeast(limit) => format!(">= {limit}"),
            Self::AtMost(limit) => format!("<= {limit}"),
            Self::Less(limit) => format!("< {limit}"),
            Self::Greater(limit) => format!("> {limit}"),
            Self::Not(number) => format!("!= {number}"),
            Self::OneOf(wants) => {
                let wants: Vec<_> = wants.iter().map(ToString::to_string).collect();
                format!("one of [{}]", wants.join(", "))
            }
            Self::Blocks(blocks) => show_blocks(blocks),
            Self::Octets(octets) => show_octets(octets),
            Self::Options(list) => show_options(list),
            Self::Flags(flags) => flags.to_string(),
            Self::Good => "good".to_owned(),
            Self::Bad => "bad".to_owned(),
        };
        f.pad(&text)
    }
}

/// What a case wants of a packet. What is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pattern {
    pub flags: Option<FlagsWant>,
    pub fields: Vec<(Field, Want)>,
}

/// One field held against what was wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub field: Field,
    pub expected: Want,
    pub got: Seen,
    pub differs: bool,
}

/// A [`Comparison`] that differs.
pub type Mismatch = Comparison;

impl Pattern {
    #[must_use]
    pub fn flags(flags: FlagsWant) -> Self {
        Self { flags: Some(flags), fields: Vec::new() }
    }

    /// This pattern, and one field more.
    #[must_use]
    pub fn and(mut self, field: Field, want: Want) -> Self {
        self.fields.push((field, want));
        self
    }

    /// Everything that was wanted, flags first, with what `packet` holds.
    #[must_use]
    pub fn compare(&self, packet: &Packet) -> Vec<Comparison> {
        let flags = self.flags.map(|flags| (Field::Flags, Want::Flags(flags)));
        flags
            .into_iter()
            .chain(self.fields.iter().cloned())
            .map(|(field, expected)| {
                let got = field.read(packet);
                let differs = !expected.admits(field, &got);
                Comparison { field, expected, got, differs }
            })
            .collect()
    }

    /// What does not fit; empty where the packet matches.
    #[must_use]
    pub fn mismatches(&self, packet: &Packet) -> Vec<Mismatch> {
        self.compare(packet).into_iter().filter(|comparison| comparison.differs).collect()
    }

    #[must_use]
    pub fn matches(&self, packet: &Packet) -> bool {
        self.mismatches(packet).is_empty()
    }
}

impl Comparison {
    /// Where two strings of octets part: the offset of the first that differs.
    #[must_use]
    pub fn differs_at(&self) -> Option<usize> {
        let (Want::Octets(wanted), Seen::Octets(octets)) = (&self.expected, &self.got) else { return None };
        let common = wanted.iter().zip(octets).take_while(|(a, b)| a == b).count();
        (common < wanted.len().max(octets.len())).then_some(common)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, got, differs: _ } = self;
        write!(f, "{field}  expected {expected}, got {got}")?;
        self.differs_at().map_or(Ok(()), |at| write!(f, ", first difference at octet {at}"))
    }
}

#[cfg(test)]
mod tests;
