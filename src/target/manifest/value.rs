//! Values of manifests: durations, addresses, numbers.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// `5s`, `200ms`, `1.5s`, `2min`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// An address, and behind a slash its prefix.
pub(super) fn network<A: std::str::FromStr>(text: &str, default: u8, longest: u8) -> Option<(A, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, prefix.parse().ok()?),
        None => (text, default),
    };
    Some((address.parse().ok()?, prefix)).filter(|_| prefix > 0 && prefix <= longest)
}

/// An address of the same subnet that is not the target's.
pub(super) fn neighbour_v4(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, last] = address.octets();
    Ipv4Addr::new(a, b, c, if last == 77 { 78 } else { 77 })
}

pub(super) fn neighbour_v6(address: Ipv6Addr) -> Ipv6Addr {
    let mut segments = address.segments();
    segments[7] = if segments[7] == 0x77 { 0x78 } else { 0x77 };
    Ipv6Addr::from(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("5s", Some(Duration::from_secs(5)))]
    #[case("200ms", Some(Duration::from_millis(200)))]
    #[case("1.5s", Some(Duration::from_millis(1500)))]
    #[case("2min", Some(Duration::from_secs(120)))]
    #[case("5", None)]
    #[case("-1s", None)]
    #[case("5 parsecs", None)]
    fn durations_have_a_unit(#[case] text: &str, #[case] expected: Option<Duration>) {
        assert_eq!(duration(text), expected);
    }

    #[rstest]
    #[case("10.0.0.2/24", Some(24))]
    #[case("10.0.0.2", Some(8))]
    #[case("10.0.0.2/33", None)]
    #[case("10.0.0.256/24", None)]
    fn networks_have_a_prefix(#[case] text: &str, #[case] prefix: Option<u8>) {
        let read = network::<Ipv4Addr>(text, 8, 32);
        assert_eq!(read.map(|(_, prefix)| prefix), prefix);
    }
}
