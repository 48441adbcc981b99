//! Matching tables: every kind of want, on fields that wrap and fields that do not.

use super::*;
use crate::packet::{Body, Checksum, Flags, Icmp, Ip, Ipv4, Options, Tcp, Window};
use rstest::rstest;

fn n(number: u64) -> Seen {
    Seen::Number(number)
}

const MAX: u64 = u32::MAX as u64;

#[rstest]
#[case::any(Field::Mss, Want::Any, n(0), true)]
#[case::any_absent(Field::Mss, Want::Any, Seen::Absent, false)]
#[case::absent(Field::Mss, Want::Absent, Seen::Absent, true)]
#[case::absent_but_there(Field::Mss, Want::Absent, n(1), false)]
#[case::exact(Field::Mss, Want::Exact(1460), n(1460), true)]
#[case::exact_absent(Field::Mss, Want::Exact(0), Seen::Absent, false)]
#[case::exact_modulo(Field::Seq, Want::Exact(MAX + 2), n(1), true)]
#[case::exact_not_modulo(Field::Len, Want::Exact(MAX + 2), n(1), false)]
#[case::not(Field::Seq, Want::Not(1), n(2), true)]
#[case::not_needs_presence(Field::Mss, Want::Not(1), Seen::Absent, false)]
#[case::range_low_end(Field::Window, Want::Range(5, 9), n(5), true)]
#[case::range_high_end(Field::Window, Want::Range(5, 9), n(9), true)]
#[case::range_above(Field::Window, Want::Range(5, 9), n(10), false)]
#[case::empty_range(Field::Window, Want::Range(9, 5), n(7), false)]
#[case::wrapping_range(Field::Seq, Want::Range(MAX, 5), n(3), true)]
#[case::wrapping_range_outside(Field::Seq, Want::Range(MAX, 5), n(6), false)]
#[case::wrapping_range_given_past_the_end(Field::Ack, Want::Range(MAX, MAX + 6), n(5), true)]
#[case::at_least_across_the_wrap(Field::Ack, Want::AtLeast(MAX), n(0), true)]
#[case::at_least_plain(Field::Window, Want::AtLeast(10), n(0), false)]
#[case::at_most(Field::Ack, Want::AtMost(0), n(MAX), true)]
#[case::at_most_itself(Field::Ack, Want::AtMost(5), n(5), true)]
#[case::at_most_passed(Field::Ack, Want::AtMost(5), n(6), false)]
#[case::at_least_itself(Field::Window, Want::AtLeast(5), n(5), true)]
#[case::less_indeed(Field::Window, Want::Less(5), n(4), true)]
#[case::greater_than_itself(Field::Window, Want::Greater(5), n(5), false)]
#[case::not_itself(Field::Window, Want::Not(5), n(5), false)]
#[case::less(Field::Ack, Want::Less(0), n(0), false)]
#[case::greater(Field::TsVal, Want::Greater(MAX), n(0), true)]
#[case::one_of(Field::Len, Want::OneOf(vec![Want::Exact(1), Want::Range(5, 6)]), n(6), true)]
#[case::one_of_none(Field::Len, Want::OneOf(vec![]), n(6), false)]
#[case::one_of_absent(Field::Mss, Want::OneOf(vec![Want::Absent, Want::Exact(9)]), Seen::Absent, true)]
#[case::blocks(Field::Sack, Want::Blocks(vec![(SeqNum(1), SeqNum(2))]), Seen::Blocks(vec![(SeqNum(1), SeqNum(2))]), true)]
#[case::other_blocks(Field::Sack, Want::Blocks(vec![(SeqNum(1), SeqNum(2))]), Seen::Blocks(vec![]), false)]
#[case::how_many_blocks(Field::Sack, Want::Exact(1), Seen::Blocks(vec![(SeqNum(1), SeqNum(2))]), true)]
#[case::octets(Field::Data, Want::Octets(vec![1]), Seen::Octets(vec![1]), true)]
#[case::octets_of_a_number(Field::Len, Want::Octets(vec![1]), n(1), false)]
#[case::cookie_length(Field::FastOpen, Want::AtLeast(4), Seen::Octets(vec![0; 8]), true)]
#[case::padding_does_not_count(
    Field::Options,
    Want::Options(vec![TcpOption::Mss(1)]),
    Seen::Options(vec![TcpOption::Mss(1), TcpOption::Eol, TcpOption::Eol]),
    true
)]
#[case::alignment_counts(
    Field::Options,
    Want::Options(vec![TcpOption::Mss(1)]),
    Seen::Options(vec![TcpOption::Nop, TcpOption::Mss(1)]),
    false
)]
#[case::good(Field::Checksum, Want::Good, Seen::Checksum { value: 1, good: true }, true)]
#[case::bad(Field::Checksum, Want::Bad, Seen::Checksum { value: 1, good: true }, false)]
#[case::checksum_value(Field::Checksum, Want::Exact(1), Seen::Checksum { value: 1, good: false }, true)]
fn table(#[case] field: Field, #[case] want: Want, #[case] seen: Seen, #[case] expected: bool) {
    assert_eq!(want.admits(field, &seen), expected, "{field} {want} {seen}");
}

fn syn_ack() -> Packet {
    Packet::parse_ip(&syn_ack_unread().build())
}

fn syn_ack_unread() -> Packet {
    let tcp = Tcp {
        seq: Some(SeqNum(500)),
        ack: Some(SeqNum(1000)),
        window: Some(Window(8192)),
        options: Options::encode(&[
            TcpOption::Mss(1460),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { val: 3, ecr: 4 },
            TcpOption::WindowScale(7),
        ]),
        payload: vec![1, 2, 3],
        ..Tcp::with(Flags::SYN | Flags::ACK)
    };
    let ip = Ipv4 { tos: Some(0x2a), ..Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into()) };
    Packet::of(Ip::V4(ip), Body::Tcp(tcp))
}

#[test]
fn the_example_of_the_design() {
    let pattern = Pattern::flags("SYN|ACK".parse().unwrap())
        .and(Field::Ack, Want::Exact(1001))
        .and(Field::Mss, Want::Any);
    assert_eq!(pattern.compare(&syn_ack()).len(), 3);
    let mismatches = pattern.mismatches(&syn_ack());
    assert_eq!(
        mismatches,
        [Mismatch { field: Field::Ack, expected: Want::Exact(1001), got: n(1000), differs: true }]
    );
    assert_eq!(mismatches[0].to_string(), "ack  expected 1001, got 1000");
    assert!(Pattern::default().matches(&syn_ack()));
}

#[rstest]
#[case("flags", "SYN|ACK")]
#[case("seq", "500")]
#[case("window", "8192")]
#[case("len", "3")]
#[case("seg_len", "4")]
#[case("offset", "10")]
#[case("mss", "1460")]
#[case("wscale", "7")]
#[case("sack_permitted", "1")]
#[case("sack", "absent")]
#[case("sack[0].left", "absent")]
#[case("ts_val", "3")]
#[case("ts_ecr", "4")]
#[case("fast_open", "absent")]
#[case("data", "010203")]
#[case("ttl", "64")]
#[case("tos", "42")]
#[case("dscp", "10")]
#[case("ecn", "2")]
#[case("df", "1")]
#[case("flow_label", "absent")]
#[case("ip_version", "4")]
#[case("ip_length", "63")]
#[case("icmp_type", "absent")]
#[case("mtu", "absent")]
#[case("trailer", "no octets")]
fn fields_are_read_by_name(#[case] name: &str, #[case] expected: &str) {
    let field: Field = name.parse().unwrap();
    assert_eq!(field.read(&syn_ack()).to_string(), expected);
}

#[test]
fn names_are_distinct_and_parse() {
    for field in Field::ALL {
        assert_eq!(field.to_string().parse(), Ok(field));
    }
    assert!("sequence".parse::<Field>().is_err());
}

#[rstest]
#[case::tcp(Body::Tcp(Tcp { checksum: Checksum::Bad, ..Tcp::default() }), Want::Bad)]
#[case::tcp_good(Body::Tcp(Tcp::default()), Want::Good)]
#[case::icmp(Body::Icmp(Icmp { checksum: Checksum::Bad, ..Icmp::default() }), Want::Bad)]
#[case::icmpv6_in_ipv4(Body::Icmpv6(Icmp { checksum: Checksum::Bad, ..Icmp::default() }), Want::Bad)]
#[case::unreadable(Body::Other(vec![0; 20]), Want::Absent)]
fn checksums_are_judged(#[case] body: Body, #[case] want: Want) {
    let packet = Packet::parse_ip(&Packet { body, ..syn_ack_unread() }.build());
    assert!(Pattern::default().and(Field::Checksum, want).matches(&packet));
    assert!(Pattern::default().and(Field::IpChecksum, Want::Good).matches(&packet));
}

#[test]
fn icmp_fields() {
    let icmp = Icmp::fragmentation_needed(1400);
    let packet = Packet::parse_ip(&Packet { body: Body::Icmp(icmp), ..syn_ack_unread() }.build());
    let pattern = Pattern::default()
        .and(Field::IcmpType, Want::Exact(3))
        .and(Field::IcmpCode, Want::Exact(4))
        .and(Field::Mtu, Want::Range(1280, 1400));
    assert!(pattern.matches(&packet));
    assert!(!pattern.matches(&syn_ack()));
}

#[test]
fn flags_are_wanted_of_segments_only() {
    let pattern = Pattern::flags(FlagsWant::of(Flags::RST));
    let icmp = Packet { body: Body::Icmp(Default::default()), ..syn_ack() };
    let [ref mismatch] = pattern.mismatches(&icmp)[..] else { panic!() };
    assert_eq!(mismatch.to_string(), "flags  expected RST, got absent");
}

#[test]
fn differing_octets_say_where() {
    let pattern = Pattern::default().and(Field::Data, Want::Octets(vec![1, 2, 9, 4]));
    let [ref mismatch] = pattern.mismatches(&syn_ack())[..] else { panic!() };
    assert_eq!(mismatch.differs_at(), Some(2));
    assert_eq!(mismatch.to_string(), "data  expected 01020904, got 010203, first difference at octet 2");
}

#[test]
fn patterns_survive_json() {
    let pattern = Pattern::flags("any|-PSH".parse().unwrap())
        .and(Field::SackLeft(1), Want::OneOf(vec![Want::Absent, Want::Range(1, 2)]))
        .and(Field::Options, Want::Options(vec![TcpOption::Timestamps { val: 1, ecr: 2 }]));
    let json = serde_json::to_string(&pattern).unwrap();
    assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern);
}
