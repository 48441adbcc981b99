//! `SYN|ACK`, `ACK +PSH`, `any`: the control bits as the language writes them.

use crate::suite::model::FlagSpec;
use std::fmt;

const NAMES: [(&str, u8); 8] = [
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ECE", 0x40),
    ("CWR", 0x80),
];

/// FIN, SYN, RST and ACK: a pattern says exactly which of them are set.
const CORE: u8 = 0x17;

impl FlagSpec {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
    pub const ECE: u8 = 0x40;
    pub const CWR: u8 = 0x80;

    /// Reads `SYN|ACK`, `ACK|+PSH|-URG`, `any`, `none`; the error is the word that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self::default();
        match text.trim() {
            "any" => return Ok(spec),
            "none" => return Ok(Self { core: Some(0), ..spec }),
            "" => return Err(String::new()),
            _ => {}
        }
        let words = text.split(|c: char| c == '|' || c.is_whitespace()).filter(|word| !word.is_empty());
        for word in words {
            let (sign, name) = match word.as_bytes()[0] {
                b'+' => ('+', &word[1..]),
                b'-' => ('-', &word[1..]),
                _ => (' ', word),
            };
            let (_, bit) =
                NAMES.into_iter().find(|(known, _)| *known == name).ok_or_else(|| word.to_owned())?;
            match sign {
                '-' => spec.minus |= bit,
                '+' => spec.plus |= bit,
                _ if bit & CORE == 0 => spec.plus |= bit,
                _ => spec.core = Some(spec.core.unwrap_or(0) | bit),
            }
        }
        if spec.plus & spec.minus != 0 {
            return Err(text.to_owned());
        }
        Ok(spec)
    }

    /// What an author may have meant that knows other tools: their letters (`SA`, `S.`), or names in lower case.
    pub fn meant(text: &str) -> Option<Self> {
        if let Ok(spec) = Self::parse(&text.to_uppercase()) {
            return Some(spec);
        }
        let name = |letter: char| match letter {
            'S' => Some("SYN"),
            'A' | '.' => Some("ACK"),
            'F' => Some("FIN"),
            'R' => Some("RST"),
            'P' => Some("PSH"),
            'U' => Some("URG"),
            _ => None,
        };
        let names: Option<Vec<_>> = text.chars().map(name).collect();
        names.and_then(|names| Self::parse(&names.join("|")).ok())
    }

    /// The names that [`Self::parse`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().map(|(name, _)| name)
    }
}

impl fmt::Display for FlagSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named =
            |bits: u8| NAMES.into_iter().filter(move |(_, bit)| bits & bit != 0).map(|(name, _)| name);
        let core = self.core.map(|bits| named(bits).map(str::to_owned).collect::<Vec<_>>());
        let mut words = match core {
            Some(names) if names.is_empty() && self.plus | self.minus == 0 => vec!["none".to_owned()],
            Some(names) => names,
            None if self.plus | self.minus == 0 => vec!["any".to_owned()],
            None => Vec::new(),
        };
        words.extend(named(self.plus).map(|name| format!("+{name}")));
        words.extend(named(self.minus).map(|name| format!("-{name}")));
        f.write_str(&words.join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("SYN|ACK", "SYN|ACK")]
    #[case("SYN", "SYN")]
    #[case("ACK +PSH", "ACK|+PSH")]
    #[case("PSH|ACK", "ACK|+PSH")]
    #[case("ACK|-URG|+PSH", "ACK|+PSH|-URG")]
    #[case("any", "any")]
    #[case("none", "none")]
    #[case("+ECE", "+ECE")]
    fn flags_read_back(#[case] text: &str, #[case] shown: &str) {
        let spec = FlagSpec::parse(text).unwrap();
        assert_eq!(spec.to_string(), shown);
        assert_eq!(FlagSpec::parse(shown), Ok(spec));
    }

    #[rstest]
    #[case("SYNN", "SYNN")]
    #[case("SYN,ACK", "SYN,ACK")]
    #[case("+", "+")]
    #[case("+PSH|-PSH", "+PSH|-PSH")]
    #[case("", "")]
    fn what_is_no_flag_is_named(#[case] text: &str, #[case] word: &str) {
        assert_eq!(FlagSpec::parse(text), Err(word.to_owned()));
    }
}
