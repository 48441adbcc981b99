//! A small generator of numbers (SplitMix64), so that a seed means the same on every machine.

/// Numbers that follow from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `limit`, which must not be zero.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The finishing step of SplitMix64: neighbouring inputs give unrelated outputs.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The octet at `offset` of the stream that `key` names. An octet out of its place shows.
pub(crate) fn octet(key: u64, offset: u64) -> u8 {
    (mix(key ^ (offset >> 3)) >> ((offset & 7) * 8)) as u8
}

/// Whether `octets` are what stands at `offset` of the stream.
pub(crate) fn is_stream(key: u64, offset: u64, octets: &[u8]) -> bool {
    let mut word = mix(key ^ (offset >> 3));
    octets.iter().zip(offset..).all(|(&got, at)| {
        if at & 7 == 0 {
            word = mix(key ^ (at >> 3));
        }
        got == (word >> ((at & 7) * 8)) as u8
    })
}
