//! Sequence numbers: 32-bit counters that wrap (RFC 9293 section 3.4).
//!
//! Owns the arithmetic modulo 2^32 and nothing else. There is deliberately no `Ord`: "less than" between two
//! sequence numbers is a serial-number comparison, it is not transitive, so it must not be used to sort.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// A TCP sequence or acknowledgment number. RFC 7323 timestamps compare by the same rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// How far `self` is ahead of `other`; negative when it is behind.
    ///
    /// Two numbers exactly 2^31 apart are each behind the other (`i32::MIN` both ways).
    #[must_use]
    pub fn diff(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// The octets from `start` up to `self`, going forward only.
    #[must_use]
    pub fn since(self, start: Self) -> u32 {
        self.0.wrapping_sub(start.0)
    }

    /// `self < other`.
    #[must_use]
    pub fn before(self, other: Self) -> bool {
        self.diff(other) < 0
    }

    /// `self > other`.
    #[must_use]
    pub fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self =< other`.
    #[must_use]
    pub fn le(self, other: Self) -> bool {
        self == other || self.before(other)
    }

    /// `self >= other`.
    #[must_use]
    pub fn ge(self, other: Self) -> bool {
        self == other || self.after(other)
    }

    /// `start =< self < start + len`; an empty window holds nothing.
    #[must_use]
    pub fn in_window(self, start: Self, len: u32) -> bool {
        self.since(start) < len
    }

    /// `lo =< self =< hi` on the circle, walking forward from `lo`.
    #[must_use]
    pub fn in_range(self, lo: Self, hi: Self) -> bool {
        self.since(lo) <= hi.since(lo)
    }
}

impl Add<u32> for SeqNum {
    type Output = Self;

    fn add(self, octets: u32) -> Self {
        Self(self.0.wrapping_add(octets))
    }
}

impl Sub<u32> for SeqNum {
    type Output = Self;

    fn sub(self, octets: u32) -> Self {
        Self(self.0.wrapping_sub(octets))
    }
}

impl AddAssign<u32> for SeqNum {
    fn add_assign(&mut self, octets: u32) {
        *self = *self + octets;
    }
}

impl SubAssign<u32> for SeqNum {
    fn sub_assign(&mut self, octets: u32) {
        *self = *self - octets;
    }
}

impl From<u32> for SeqNum {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<SeqNum> for u32 {
    fn from(number: SeqNum) -> Self {
        number.0
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MAX: u32 = u32::MAX;

    #[rstest]
    #[case::equal(7, 7, 0)]
    #[case::ahead(8, 7, 1)]
    #[case::behind(7, 8, -1)]
    #[case::ahead_across_the_wrap(0, MAX, 1)]
    #[case::behind_across_the_wrap(MAX, 0, -1)]
    #[case::opposite(0x8000_0000, 0, i32::MIN)]
    #[case::opposite_the_other_way(0, 0x8000_0000, i32::MIN)]
    fn diff_is_signed_and_wraps(#[case] a: u32, #[case] b: u32, #[case] expected: i32) {
        assert_eq!(SeqNum(a).diff(SeqNum(b)), expected);
    }

    #[rstest]
    #[case(1, 2)]
    #[case(MAX, 0)]
    #[case(MAX - 5, 5)]
    #[case(0, 0x7fff_ffff)]
    fn order_follows_the_circle(#[case] low: u32, #[case] high: u32) {
        let (low, high) = (SeqNum(low), SeqNum(high));
        assert!(low.before(high) && high.after(low) && low.le(high) && high.ge(low));
        assert!(!high.before(low) && !low.after(high) && !high.le(low) && !low.ge(high));
        assert!(low.le(low) && low.ge(low) && !low.before(low) && !low.after(low));
    }

    #[rstest]
    #[case::first(100, 100, 10, true)]
    #[case::last(109, 100, 10, true)]
    #[case::right_edge(110, 100, 10, false)]
    #[case::left_of_it(99, 100, 10, false)]
    #[case::empty(100, 100, 0, false)]
    #[case::wrapped(3, MAX - 2, 10, true)]
    #[case::wrapped_right_edge(7, MAX - 2, 10, false)]
    fn window(#[case] n: u32, #[case] start: u32, #[case] len: u32, #[case] expected: bool) {
        assert_eq!(SeqNum(n).in_window(SeqNum(start), len), expected);
    }

    #[rstest]
    #[case(5, 5, 5, true)]
    #[case(6, 5, 5, false)]
    #[case(0, MAX, 1, true)]
    #[case(2, MAX, 1, false)]
    fn range_is_inclusive(#[case] n: u32, #[case] lo: u32, #[case] hi: u32, #[case] expected: bool) {
        assert_eq!(SeqNum(n).in_range(SeqNum(lo), SeqNum(hi)), expected);
    }

    #[test]
    fn arithmetic_wraps() {
        let mut n = SeqNum(MAX) + 2;
        assert_eq!(n, SeqNum(1));
        n -= 2;
        n += 1;
        assert_eq!(n, SeqNum(0));
        assert_eq!(n - 1, SeqNum(MAX));
        assert_eq!(SeqNum(MAX).to_string(), "4294967295");
        assert_eq!(serde_json::to_string(&n).unwrap(), "0");
    }
}
