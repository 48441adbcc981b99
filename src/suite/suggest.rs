//! "Did you mean": the nearest of the known words, or nothing when none is near.

/// The known word most like `word`, if it is like enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One letter is not a misspelling of another.
    let length = word.chars().count();
    let limit = if length < 2 { 0 } else { (length / 3).clamp(1, 4) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let distance = distance(&fold(word), &fold(candidate));
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Case and the choice between `-` and `_` are the smallest of mistakes.
fn fold(word: &str) -> Vec<char> {
    let fold = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
    word.chars().take(64).map(fold).collect()
}

/// Edits between two words: insert, delete, replace, or swap two neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: [Vec<usize>; 3] = [vec![0; b.len() + 1], (0..=b.len()).collect(), vec![]];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[0][j - 2] + 1);
            }
            row.push(least);
        }
        rows = [std::mem::take(&mut rows[1]), row, vec![]];
    }
    rows[1][b.len()]
}

/// `a`, `a or b`, `a, b or c`: for messages that list what may stand there.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("isnn", Some("isn"))]
    #[case("ins", Some("isn"))]
    #[case("snd_nxt", None)]
    #[case("expcet", Some("expect"))]
    #[case("Expect", Some("expect"))]
    #[case("zebra", None)]
    #[case("", None)]
    fn nearest_is_near(#[case] word: &str, #[case] found: Option<&str>) {
        assert_eq!(nearest(word, ["isn", "irs", "expect", "snd.una.wl1"]), found);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
