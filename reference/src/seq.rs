//! Sequence numbers: 32 bits, compared and added modulo 2^32 (RFC 9293 3.4).
//!
//! Owns nothing but arithmetic. A comparison is only meaningful between numbers less than 2^31 apart, which
//! every window in TCP guarantees.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A sequence number. There is no `Ord`: the space is a circle.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// `self` comes strictly before `other` on the circle.
    #[must_use]
    pub const fn before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self` comes strictly after `other` on the circle.
    #[must_use]
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self` comes before `other` or is equal to it.
    #[must_use]
    pub const fn at_or_before(self, other: Self) -> bool {
        !other.before(self)
    }

    /// `self` comes after `other` or is equal to it.
    #[must_use]
    pub const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// How far `self` lies ahead of `start`, going forward.
    #[must_use]
    pub const fn distance_from(self, start: Self) -> u32 {
        self.0.wrapping_sub(start.0)
    }

    /// `start <= self < start + len`.
    #[must_use]
    pub const fn within(self, start: Self, len: u32) -> bool {
        self.distance_from(start) < len
    }

    /// The later of two numbers.
    #[must_use]
    pub const fn later(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of two numbers.
    #[must_use]
    pub const fn earlier(self, other: Self) -> Self {
        if self.before(other) { self } else { other }
    }
}

impl Add<u32> for SeqNum {
    type Output = Self;
    fn add(self, octets: u32) -> Self {
        Self(self.0.wrapping_add(octets))
    }
}

impl AddAssign<u32> for SeqNum {
    fn add_assign(&mut self, octets: u32) {
        *self = *self + octets;
    }
}

impl Sub<u32> for SeqNum {
    type Output = Self;
    fn sub(self, octets: u32) -> Self {
        Self(self.0.wrapping_sub(octets))
    }
}

impl fmt::Debug for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps_around_zero() {
        let high = SeqNum(u32::MAX);
        assert!(high.before(SeqNum(0)));
        assert!(SeqNum(5).after(high));
        assert_eq!(high + 1, SeqNum(0));
        assert_eq!(SeqNum(3).distance_from(high), 4);
        assert_eq!(SeqNum(0) - 1, high);
    }

    #[test]
    fn a_window_may_straddle_the_wrap() {
        let start = SeqNum(u32::MAX - 1);
        assert!(start.within(start, 4));
        assert!(SeqNum(1).within(start, 4));
        assert!(!SeqNum(2).within(start, 4));
        assert!(!(start - 1).within(start, 4));
        assert!(!start.within(start, 0));
    }

    #[test]
    fn equal_numbers_are_neither_before_nor_after() {
        let n = SeqNum(77);
        assert!(!n.before(n) && !n.after(n) && n.at_or_before(n) && n.at_or_after(n));
        assert_eq!(n.later(n + 1), n + 1);
        assert_eq!(n.earlier(n + 1), n);
    }
}
