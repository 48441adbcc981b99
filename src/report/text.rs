//! Text that came from outside (suites, targets, records), made harmless and put into lines.

use std::borrow::Cow;
use std::fmt::{Display, Write};

/// Makes control characters visible, so that no title, reason or answer of a target can move the
/// cursor, recolour the screen or hide a line; and so that no text breaks an XML document.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            c if dangerous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Control characters, the overrides of text direction, and what XML 1.0 cannot hold.
fn dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Columns that a text takes. Cases are written in scripts where a character is a column.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` followed by spaces up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Breaks a paragraph into lines of at most `width` columns; a longer word gets a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `1 case`, `2 cases`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    if n == N::from(1) { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// An argument as a POSIX shell wants it.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain · text", "plain · text")]
    #[case("\u{1b}[31mred", "\\u{1b}[31mred")]
    #[case("a\nb\tc", "a b c")]
    #[case("bell\u{7} c1\u{9b}31m", "bell\\u{7} c1\\u{9b}31m")]
    #[case("abc\u{202e}def\u{ffff}", "abc\\u{202e}def\\u{ffff}")]
    fn control_characters_are_shown(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(clean(text), shown);
    }

    #[rstest]
    #[case("a/b", "a/b")]
    #[case("rst[n=7]", "'rst[n=7]'")]
    #[case("it's", r"'it'\''s'")]
    #[case("", "''")]
    fn shell_words_are_quoted_where_needed(#[case] word: &str, #[case] quoted: &str) {
        assert_eq!(shell_word(word), quoted);
    }

    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two  three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("", 9), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn clean_text_holds_nothing_dangerous(text in any::<String>()) {
            prop_assert!(!clean(&text).contains(dangerous));
        }
    }
}
