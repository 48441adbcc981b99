//! `--partition`: the same run in several jobs, without any of them knowing of the others.

use crate::suite::model::Family;
use std::str::FromStr;

/// A share of the cases. Shares count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// By a hash of (id, family): a case stays in its share when others come and go.
    Hash { share: u64, of: u64 },
    /// Every n-th case in the order of (id, family): shares of equal size.
    Slice { share: u64, of: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    #[error("expected `hash:i/n` or `slice:i/n`, as in `hash:1/4`")]
    Form,
    #[error("share {share} of {of}: shares count from 1 to {of}")]
    Share { share: u64, of: u64 },
}

impl Partition {
    /// Keeps this share of `items`.
    pub fn keep<T>(self, items: Vec<T>, key: impl Fn(&T) -> (&str, Family)) -> Vec<T> {
        match self {
            Self::Hash { share, of } => {
                items.into_iter().filter(|item| hash(key(item)) % of == share - 1).collect()
            }
            Self::Slice { share, of } => {
                let mut items = items;
                items.sort_by(|a, b| key(a).cmp(&key(b)));
                let numbered = (0u64..).zip(items);
                numbered.filter(|(n, _)| n % of == share - 1).map(|(_, item)| item).collect()
            }
        }
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (kind, rest) = text.split_once(':').ok_or(PartitionError::Form)?;
        let (share, of) = rest.split_once('/').ok_or(PartitionError::Form)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| PartitionError::Form);
        let (share, of) = (number(share)?, number(of)?);
        if share == 0 || share > of {
            return Err(PartitionError::Share { share, of });
        }
        match kind {
            "hash" => Ok(Self::Hash { share, of }),
            "slice" => Ok(Self::Slice { share, of }),
            _ => Err(PartitionError::Form),
        }
    }
}

/// FNV-1a: small, and the same everywhere and forever, which `std`'s hasher does not promise.
fn hash((id, family): (&str, Family)) -> u64 {
    let octets = id.bytes().chain([0, family.number()]);
    octets.fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn items() -> Vec<(String, Family)> {
        let both = |n: usize| Family::BOTH.map(|family| (format!("a/b/{n:03}"), family));
        (0..50).flat_map(both).collect()
    }

    #[rstest]
    #[case("hash", 1)]
    #[case("hash", 3)]
    #[case("slice", 3)]
    #[case("slice", 7)]
    fn shares_cover_everything_once(#[case] kind: &str, #[case] of: u64) {
        let mut all: Vec<_> = (1..=of)
            .flat_map(|share| {
                let partition: Partition = format!("{kind}:{share}/{of}").parse().unwrap();
                let kept = partition.keep(items(), |(id, family)| (id, *family));
                assert!(!kept.is_empty());
                kept
            })
            .collect();
        all.sort();
        assert_eq!(all, items());
    }

    #[rstest]
    #[case("hash:0/4", "share 0 of 4: shares count from 1 to 4")]
    #[case("hash:5/4", "share 5 of 4: shares count from 1 to 4")]
    #[case("hash:1/0", "share 1 of 0: shares count from 1 to 0")]
    #[case("count:1/4", "expected `hash:i/n` or `slice:i/n`, as in `hash:1/4`")]
    #[case("hash", "expected `hash:i/n` or `slice:i/n`, as in `hash:1/4`")]
    #[case("hash:1", "expected `hash:i/n` or `slice:i/n`, as in `hash:1/4`")]
    #[case("hash:-1/4", "expected `hash:i/n` or `slice:i/n`, as in `hash:1/4`")]
    fn what_is_no_partition(#[case] text: &str, #[case] message: &str) {
        assert_eq!(text.parse::<Partition>().unwrap_err().to_string(), message);
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(hash(("handshake/passive/x", Family::V4)), 0x1a3b_ed8e_3189_8baf);
    }
}
