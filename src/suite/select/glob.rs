//! Patterns over ids.

use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::source::Span;

/// Longest pattern, so that matching stays cheap whatever is typed.
const LENGTH_MAX: usize = 512;

/// `*` is any text without a slash, `**` any text, `?` one character, `[a-z]` one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    One(char),
    Any,
    /// Ranges, and whether they are what must *not* come.
    Set(Vec<(char, char)>, bool),
    Star,
    StarStar,
}

impl Glob {
    /// Reads a pattern; `None` has been reported.
    pub(in crate::suite) fn parse(text: &str, span: Span, sink: &mut Sink) -> Option<Self> {
        if text.len() > LENGTH_MAX {
            sink.push(Diagnostic::new(
                Code::BadGlob,
                span,
                format!("the pattern is longer than {LENGTH_MAX} octets"),
            ));
            return None;
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at + c.len_utf8()..];
            match c {
                '*' if rest.starts_with('*') => {
                    parts.push(Part::StarStar);
                    at += 2;
                    continue;
                }
                '*' => parts.push(Part::Star),
                '?' => parts.push(Part::Any),
                '[' => {
                    let Some(len) = rest.find(']').filter(|len| *len > 0) else {
                        let found =
                            Diagnostic::new(Code::BadGlob, span.slice(at, at + 1), "this `[` is not closed");
                        sink.push(found.help("`[abc]` or `[a-z]` stands for one of these characters"));
                        return None;
                    };
                    parts.push(set(&rest[..len]));
                    at += len + 2;
                    continue;
                }
                c => parts.push(Part::One(c)),
            }
            at += c.len_utf8();
        }
        Some(Self { text: text.to_owned(), parts })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` is matched.
    pub fn matches(&self, text: &str) -> bool {
        // Most patterns begin with a directory, and most cases are in another.
        let (mut text, mut parts) = (text.chars(), self.parts.as_slice());
        while let [Part::One(wanted), rest @ ..] = parts {
            if text.next() != Some(*wanted) {
                return false;
            }
            parts = rest;
        }
        let text: Vec<char> = text.collect();
        // reach[i]: the parts so far can match exactly the first i characters.
        let mut reach = vec![false; text.len() + 1];
        reach[0] = true;
        for part in parts {
            reach = step(part, &text, &reach);
        }
        reach[text.len()]
    }

    /// Whether a case is meant: its id, a directory or file it is in, the case of which it is an
    /// instance, or a match.
    pub fn selects(&self, id: &str) -> bool {
        let exact = self.text.trim_end_matches('/');
        let rest = id.strip_prefix(exact);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '['])) || self.matches(id)
    }
}

fn set(text: &str) -> Part {
    let (negated, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let chars: Vec<char> = text.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars.get(at + 1) == Some(&'-') && at + 2 < chars.len() {
            ranges.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    Part::Set(ranges, negated)
}

fn step(part: &Part, text: &[char], reach: &[bool]) -> Vec<bool> {
    let mut next = vec![false; reach.len()];
    let single = |c: char| match part {
        Part::One(wanted) => c == *wanted,
        Part::Any => c != '/',
        Part::Set(ranges, negated) => {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
        }
        Part::Star | Part::StarStar => false,
    };
    for i in 0..reach.len() {
        match part {
            Part::Star => next[i] = reach[i] || (i > 0 && next[i - 1] && text[i - 1] != '/'),
            Part::StarStar => next[i] = reach[i] || (i > 0 && next[i - 1]),
            Part::One(_) | Part::Any | Part::Set(..) => {
                next[i] = i > 0 && reach[i - 1] && single(text[i - 1]);
            }
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::source::SourceMap;
    use rstest::rstest;

    #[rstest]
    #[case("close/**", "close/active/fin", true)]
    #[case("close/*", "close/active/fin", false)]
    #[case("*/active/*", "close/active/fin", true)]
    #[case("**fin", "close/active/fin", true)]
    #[case("close/activ?/fin", "close/active/fin", true)]
    #[case("close?active/fin", "close/active/fin", false)]
    #[case("close/[a-c]ctive/fin", "close/active/fin", true)]
    #[case("close/[!a]ctive/fin", "close/active/fin", false)]
    #[case("close", "close/active/fin", true)]
    #[case("close/", "close/active/fin", true)]
    #[case("clos", "close/active/fin", false)]
    #[case("close/active/fin", "close/active/fin[n=7]", true)]
    #[case("close/active/fin[n=7]", "close/active/fin[n=7]", true)]
    #[case("close/active/fin*", "close/active/fin[n=7]", true)]
    fn a_pattern_selects(#[case] pattern: &str, #[case] id: &str, #[case] selects: bool) {
        let mut sources = SourceMap::default();
        let file = sources.add("<select>", pattern);
        let mut sink = Sink::default();
        let glob = Glob::parse(pattern, sources.whole(file), &mut sink).unwrap();
        assert_eq!(glob.selects(id), selects);
    }
}
