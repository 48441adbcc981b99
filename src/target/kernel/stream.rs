//! The pattern of `engine::pattern` from a table, so that a long stream costs the lane no time.

use crate::engine::pattern;
use std::sync::LazyLock;

/// After so many octets the pattern begins again.
const PERIOD: u64 = 251 * 256;

/// Octets that `octets` gives at most.
pub(super) const CHUNK: u64 = 256 << 10;

static TABLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| pattern::octets(0, usize::try_from(PERIOD + CHUNK).unwrap_or_default()));

/// `count` octets from `offset` on, and no more than a chunk.
pub(super) fn octets(offset: u64, count: u64) -> &'static [u8] {
    let at = usize::try_from(offset % PERIOD).unwrap_or_default();
    let count = usize::try_from(count.min(CHUNK)).unwrap_or_default();
    TABLE.get(at..at + count).unwrap_or_default()
}

/// The stream offset of the first octet of `data` that is not the pattern's.
pub(super) fn mismatch(offset: u64, data: &[u8]) -> Option<u64> {
    let count = u64::try_from(data.len()).unwrap_or(u64::MAX);
    if octets(offset, count) == data { None } else { pattern::mismatch(offset, data) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn the_table_is_the_pattern(
        #[values(0, 1, 250, 64_255, 64_256, 1 << 32)] offset: u64,
        #[values(0, 1, 1460, 60_000)] count: u16,
    ) {
        let expected = pattern::octets(offset, usize::from(count));
        assert_eq!(octets(offset, u64::from(count)), expected);
        assert_eq!(mismatch(offset, &expected), None);
    }

    #[test]
    fn a_wrong_octet_is_found() {
        let mut data = octets(64_000, 1000).to_vec();
        data[700] ^= 1;
        assert_eq!(mismatch(64_000, &data), Some(64_700));
    }
}
