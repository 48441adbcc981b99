//! Words of an expression: names, numbers with units, operators.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Duration(Duration),
    Name(String),
    /// `'...'`: a word that is not a name.
    Word(String),
    /// An operator or bracket, as written.
    Sign(&'static str),
    End,
}

/// A token and the octets it covers.
pub(super) type Spanned = (Token, usize, usize);

/// Longest duration that can be written: a year. Far beyond any case, near enough to add up.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Longer ones first: `<=` is not `<` and `=`.
const SIGNS: &[&str] = &[
    "..", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "=", "&", "|", "!",
];

pub(super) struct LexError {
    pub(super) message: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) fn lex(text: &str) -> Result<Vec<Spanned>, LexError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if c.is_ascii_digit() {
            let (token, len) = number(rest, at)?;
            tokens.push((token, at, at + len));
            at += len;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = name_len(rest);
            tokens.push((Token::Name(rest[..len].to_owned()), at, at + len));
            at += len;
        } else if c == '\'' {
            let Some(len) = rest[1..].find('\'') else {
                return Err(LexError {
                    message: "a quote that is not closed".into(),
                    start: at,
                    end: text.len(),
                });
            };
            tokens.push((Token::Word(rest[1..=len].to_owned()), at, at + len + 2));
            at += len + 2;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((Token::Sign(sign), at, at + sign.len()));
            at += sign.len();
        } else {
            let message = format!("`{c}` means nothing in an expression");
            return Err(LexError { message, start: at, end: at + c.len_utf8() });
        }
    }
    tokens.push((Token::End, text.len(), text.len()));
    Ok(tokens)
}

/// Letters, digits and `_`, in parts joined by single dots. `-` is a minus: `isn-1`.
fn name_len(text: &str) -> usize {
    let octets = text.as_bytes();
    let mut len = 0;
    while let Some(octet) = octets.get(len) {
        let word = octet.is_ascii_alphanumeric() || *octet == b'_';
        let dot = *octet == b'.'
            && octets.get(len + 1).is_some_and(|next| next.is_ascii_alphabetic() || *next == b'_');
        if !word && !dot {
            break;
        }
        len += 1;
    }
    len
}

fn number(text: &str, at: usize) -> Result<(Token, usize), LexError> {
    let octets = text.as_bytes();
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let fraction_at =
        |len: usize| octets.get(len) == Some(&b'.') && octets.get(len + 1).is_some_and(u8::is_ascii_digit);
    let mut len = 0;
    while octets.get(len).is_some_and(|octet| octet.is_ascii_alphanumeric() || *octet == b'_')
        || (!hex && fraction_at(len))
    {
        len += 1;
    }
    let word = &text[..len];
    let fail = |message: String| LexError { message, start: at, end: at + len };
    if hex {
        let digits = word[2..].replace('_', "");
        let value = i64::from_str_radix(&digits, 16);
        return value
            .map(|value| (Token::Int(value), len))
            .map_err(|_| fail(format!("`{word}` is not a number")));
    }
    let split = word.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(len);
    let (digits, unit) = (word[..split].replace('_', ""), &word[split..]);
    if let Some(nanos) = unit_nanos(unit) {
        let value = duration(&digits, nanos).filter(|value| *value <= LONGEST);
        return match value {
            Some(value) => Ok((Token::Duration(value), len)),
            None => Err(fail(format!("`{word}` is no duration from 1ns to one year"))),
        };
    }
    let factor = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "kB" => 1000,
        "MB" => 1_000_000,
        _ => {
            return Err(fail(format!(
                "`{unit}` is not a unit: durations are us, ms, s, min or h, sizes KiB or MiB"
            )));
        }
    };
    if digits.contains('.') {
        return Err(fail(format!("`{word}` is not a whole number")));
    }
    let value = digits.parse::<i64>().ok().and_then(|value| value.checked_mul(factor));
    value.map(|value| (Token::Int(value), len)).ok_or_else(|| fail(format!("`{word}` is too large a number")))
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Decimal digits with at most one dot, exactly: no detour over floating point.
fn duration(digits: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let mut total = whole.parse::<u64>().ok()?.checked_mul(nanos)?;
    let mut share = nanos;
    for digit in fraction.bytes() {
        if !share.is_multiple_of(10) && digit != b'0' {
            return None;
        }
        share /= 10;
        total = total.checked_add(u64::from(digit - b'0').checked_mul(share)?)?;
    }
    Some(Duration::from_nanos(total))
}
