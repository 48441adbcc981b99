//! TCP control bits (RFC 9293 section 3.1): the set on the wire, and the set a case asks for.
//!
//! A case that says `SYN|ACK` means exactly these of FIN, SYN, RST and ACK; PSH, URG, ECE and CWR matter only
//! where they are written. The ninth bit, AE (once NS), lives among the reserved bits of the header.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The eight control bits, as they stand in octet 13 of the header.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Flags(u8);

/// Names in the order they are shown: `SYN|ACK`, `FIN|ACK`, `SYN|FIN`.
const NAMES: [(&str, Flags); 8] = [
    ("SYN", Flags::SYN),
    ("FIN", Flags::FIN),
    ("RST", Flags::RST),
    ("PSH", Flags::PSH),
    ("ACK", Flags::ACK),
    ("URG", Flags::URG),
    ("ECE", Flags::ECE),
    ("CWR", Flags::CWR),
];

impl Flags {
    pub const NONE: Self = Self(0);
    pub const FIN: Self = Self(0x01);
    pub const SYN: Self = Self(0x02);
    pub const RST: Self = Self(0x04);
    pub const PSH: Self = Self(0x08);
    pub const ACK: Self = Self(0x10);
    pub const URG: Self = Self(0x20);
    pub const ECE: Self = Self(0x40);
    pub const CWR: Self = Self(0x80);
    /// The four that a pattern names exactly.
    pub const CORE: Self = Self(0x17);

    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// True where every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True where some flag of `other` is set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// FIN, SYN, RST and ACK of this set.
    #[must_use]
    pub fn core(self) -> Self {
        self & Self::CORE
    }

    /// PSH, URG, ECE and CWR of this set.
    #[must_use]
    pub fn optional(self) -> Self {
        self - Self::CORE
    }

    pub fn iter(self) -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter().filter(move |(_, flag)| self.contains(*flag))
    }

    fn by_name(name: &str) -> Result<Self, FlagsError> {
        NAMES
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, flag)| flag)
            .ok_or_else(|| FlagsError::Unknown { name: name.to_owned() })
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl BitAnd for Flags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Flags {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Not for Flags {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.pad("none");
        }
        let names: Vec<_> = self.iter().map(|(name, _)| name).collect();
        f.pad(&names.join("|"))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Flags {
    type Err = FlagsError;

    fn from_str(text: &str) -> Result<Self, FlagsError> {
        if text.trim() == "none" {
            return Ok(Self::NONE);
        }
        text.split('|').try_fold(Self::NONE, |set, name| Ok(set | Self::by_name(name.trim())?))
    }
}

impl TryFrom<String> for Flags {
    type Error = FlagsError;

    fn try_from(text: String) -> Result<Self, FlagsError> {
        text.parse()
    }
}

impl From<Flags> for String {
    fn from(flags: Flags) -> Self {
        flags.to_string()
    }
}

/// Why a text is not a set of flags.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FlagsError {
    #[error("unknown flag `{name}`: the flags are SYN, FIN, RST, PSH, ACK, URG, ECE, CWR")]
    Unknown { name: String },
    /// `-ACK`: a core flag is absent unless it is written, so a minus says nothing.
    #[error("`{flag}` is matched exactly: leave it out instead of writing `-{flag}`")]
    MinusCore { flag: Flags },
    /// `any|ACK`.
    #[error("`any` leaves FIN, SYN, RST and ACK open, so `{flag}` cannot be asked for")]
    AnyCore { flag: Flags },
    #[error("`{flag}` is both wanted and forbidden")]
    Contradiction { flag: Flags },
}

/// The flags a case asks for: `SYN|ACK`, `ACK|+PSH`, `ACK|-ECE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FlagsWant {
    /// FIN, SYN, RST, ACK: these and no others of the four; `None` where any will do.
    pub exact: Option<Flags>,
    /// Optional flags that must be set.
    pub plus: Flags,
    /// Optional flags that must not be set.
    pub minus: Flags,
}

impl FlagsWant {
    /// The core flags exactly as in `flags`, and its optional flags required.
    #[must_use]
    pub fn of(flags: Flags) -> Self {
        Self { exact: Some(flags.core()), plus: flags.optional(), minus: Flags::NONE }
    }

    #[must_use]
    pub fn matches(&self, seen: Flags) -> bool {
        let Self { exact, plus, minus } = *self;
        exact.is_none_or(|exact| seen.core() == exact) && seen.contains(plus) && !seen.intersects(minus)
    }

    /// The part of `seen` that this pattern looks at, for a display without noise.
    #[must_use]
    pub fn relevant(&self, seen: Flags) -> Flags {
        seen & (Flags::CORE | self.plus | self.minus)
    }
}

impl FromStr for FlagsWant {
    type Err = FlagsError;

    fn from_str(text: &str) -> Result<Self, FlagsError> {
        let (mut plus, mut minus) = (Flags::NONE, Flags::NONE);
        let mut any = false;
        for (at, token) in text.split('|').map(str::trim).enumerate() {
            if at == 0 && matches!(token, "any" | "none") {
                any = token == "any";
            } else if let Some(name) = token.strip_prefix('-') {
                let flag = Flags::by_name(name.trim())?;
                if flag.intersects(Flags::CORE) {
                    return Err(FlagsError::MinusCore { flag });
                }
                minus |= flag;
            } else {
                plus |= Flags::by_name(token.strip_prefix('+').unwrap_or(token).trim())?;
            }
        }
        if plus.intersects(minus) {
            return Err(FlagsError::Contradiction { flag: plus & minus });
        }
        let core = plus.core();
        if any && !core.is_empty() {
            return Err(FlagsError::AnyCore { flag: core });
        }
        Ok(Self { exact: (!any).then_some(core), plus: plus.optional(), minus })
    }
}

impl fmt::Display for FlagsWant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core: Vec<_> = self.exact.unwrap_or_default().iter().map(|(name, _)| name.to_owned()).collect();
        let stand_in = match self.exact {
            None => Some("any".to_owned()),
            Some(_) => core.is_empty().then(|| "none".to_owned()),
        };
        let plus = self.plus.iter().map(|(name, _)| format!("+{name}"));
        let minus = self.minus.iter().map(|(name, _)| format!("-{name}"));
        let tokens: Vec<_> = stand_in.into_iter().chain(core).chain(plus).chain(minus).collect();
        f.pad(&tokens.join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("SYN|ACK", 0x12)]
    #[case("FIN|ACK", 0x11)]
    #[case("PSH|ACK", 0x18)]
    #[case("SYN|FIN", 0x03)]
    #[case("SYN|FIN|RST|PSH|ACK|URG|ECE|CWR", 0xff)]
    #[case("none", 0)]
    fn text_and_bits_agree(#[case] text: &str, #[case] bits: u8) {
        assert_eq!(text.parse::<Flags>().unwrap().bits(), bits);
        assert_eq!(Flags::from_bits(bits).to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("SYN|")]
    #[case("SYNACK")]
    #[case("syn")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert!(matches!(text.parse::<Flags>(), Err(FlagsError::Unknown { .. })), "{text}");
        assert!(matches!(text.parse::<FlagsWant>(), Err(FlagsError::Unknown { .. })), "{text}");
    }

    #[rstest]
    #[case::exactly("SYN|ACK", "SYN|ACK", true)]
    #[case::one_missing("SYN|ACK", "SYN", false)]
    #[case::one_too_many("ACK", "FIN|ACK", false)]
    #[case::psh_is_free("ACK", "PSH|ACK", true)]
    #[case::psh_wanted("ACK|+PSH", "ACK", false)]
    #[case::psh_wanted_and_there("ACK|+PSH", "PSH|ACK", true)]
    #[case::written_bare_is_wanted("PSH|ACK", "ACK", false)]
    #[case::psh_forbidden("ACK|-PSH", "PSH|ACK", false)]
    #[case::psh_forbidden_and_absent("ACK|-PSH", "ACK|URG", true)]
    #[case::none_at_all("none", "none", true)]
    #[case::none_of_the_four("none", "PSH", true)]
    #[case::none_but_psh("none|+PSH", "none", false)]
    #[case::any("any", "SYN|FIN|URG", true)]
    #[case::any_but_psh("any|-PSH", "PSH|ACK", false)]
    fn matching(#[case] want: &str, #[case] seen: &str, #[case] expected: bool) {
        let want: FlagsWant = want.parse().unwrap();
        assert_eq!(want.matches(seen.parse().unwrap()), expected);
        assert_eq!(want.to_string().parse::<FlagsWant>().unwrap(), want);
    }

    #[test]
    fn wants_that_cannot_be() {
        assert_eq!("any|ACK".parse::<FlagsWant>(), Err(FlagsError::AnyCore { flag: Flags::ACK }));
        assert_eq!("SYN|-ACK".parse::<FlagsWant>(), Err(FlagsError::MinusCore { flag: Flags::ACK }));
        assert_eq!("ACK|+PSH|-PSH".parse::<FlagsWant>(), Err(FlagsError::Contradiction { flag: Flags::PSH }));
    }
}
