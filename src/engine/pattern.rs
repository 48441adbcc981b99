//! The octets of every stream: a pattern that depends on the position, so content is checked and
//! not only length.
//!
//! Octet `i` of a stream, counted from 0, is `(i mod 251 + 7 (i div 251)) mod 256`. One line in any
//! language, and data shifted by any distance that TCP makes likely (a power of two, an MSS, a
//! window) does not look like itself.

/// The octet at `offset` of the stream.
pub fn octet(offset: u64) -> u8 {
    let octet = offset % 251 + 7 * (offset / 251 % 256);
    u8::try_from(octet % 256).unwrap_or_default()
}

/// The rows of 251 octets that `count` octets from `offset` on lie in: where each begins in its row,
/// what its first octet is, and how many of it there are.
fn rows(offset: u64, count: usize) -> impl Iterator<Item = (u8, usize)> {
    let mut at = offset;
    let mut left = count;
    std::iter::from_fn(move || {
        let run = usize::try_from(251 - at % 251).unwrap_or(left).min(left);
        let first = octet(at);
        at += run as u64;
        left -= run;
        (run > 0).then_some((first, run))
    })
}

/// `count` octets from `offset` on.
pub fn octets(offset: u64, count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count);
    for (first, run) in rows(offset, count) {
        out.extend((0..run as u8).map(|n| first.wrapping_add(n)));
    }
    out
}

/// The stream offset of the first octet of `data` that is not the pattern's.
pub fn mismatch(offset: u64, data: &[u8]) -> Option<u64> {
    let mut from = 0;
    for (first, run) in rows(offset, data.len()) {
        let seen = &data[from..from + run];
        let wrong = (0..run as u8).zip(seen).position(|(n, seen)| first.wrapping_add(n) != *seen);
        if let Some(wrong) = wrong {
            return Some(offset + (from + wrong) as u64);
        }
        from += run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0)]
    #[case(250, 250)]
    #[case(251, 7)]
    #[case(252, 8)]
    #[case(502, 14)]
    fn the_pattern_is_the_documented_one(#[case] offset: u64, #[case] value: u8) {
        assert_eq!(octet(offset), value);
    }

    #[test]
    fn octets_are_those_at_their_places() {
        for offset in [0, 1, 250, 251, 64_255, 64_256, (1 << 32) + 7] {
            let alone: Vec<u8> = (offset..offset + 1000).map(octet).collect();
            assert_eq!(octets(offset, 1000), alone, "{offset}");
            assert_eq!(mismatch(offset, &alone), None, "{offset}");
        }
    }

    #[test]
    fn shifted_data_differs_early() {
        for shift in [1u64, 2, 4, 100, 251, 512, 536, 1000, 1024, 1440, 1460, 4096, 65_535, 65_536] {
            let shifted = octets(shift, 300);
            assert!(mismatch(0, &shifted).is_some_and(|at| at < 4), "shift {shift}");
        }
    }

    #[test]
    fn a_single_wrong_octet_is_found() {
        let mut data = octets(1000, 100);
        assert_eq!(mismatch(1000, &data), None);
        data[42] ^= 1;
        assert_eq!(mismatch(1000, &data), Some(1042));
    }
}
