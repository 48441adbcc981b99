//! Texts with `{name}` in them: in titles, sentences for a reader, and scalars with parameters.

/// A `{name}` in a text: where it stands and what it names.
pub(in crate::suite) struct Placeholder<'t> {
    pub(in crate::suite) start: usize,
    pub(in crate::suite) end: usize,
    pub(in crate::suite) name: &'t str,
}

/// The placeholders of a text, in order. A brace that holds no name is a brace.
pub(in crate::suite) fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{') {
        let start = at + open;
        let rest = &text[start + 1..];
        let name_char = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let len = rest.find(|c: char| !name_char(c)).unwrap_or(rest.len());
        let name = &rest[..len];
        if rest[len..].starts_with('}') && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            found.push(Placeholder { start, end: start + len + 2, name });
            at = start + len + 2;
        } else {
            at = start + 1;
        }
    }
    found
}

/// Puts values in the place of `{target.port}` and its like. What `value` does not know stays.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut from = 0;
    for placeholder in placeholders(text) {
        if let Some(value) = value(placeholder.name) {
            out.push_str(&text[from..placeholder.start]);
            out.push_str(&value);
            from = placeholder.end;
        }
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in() {
        let known = |name: &str| (name == "target.port").then(|| "7".to_owned());
        assert_eq!(
            fill("port {target.port}, {isn}, { no }, {}, {é}, {", &known),
            "port 7, {isn}, { no }, {}, {é}, {"
        );
    }
}
