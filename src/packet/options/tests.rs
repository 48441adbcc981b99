//! Option codec: tables of well-formed and malformed lists, and round trips over arbitrary octets.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn sack(blocks: &[(u32, u32)]) -> TcpOption {
    TcpOption::Sack(blocks.iter().map(|(left, right)| (SeqNum(*left), SeqNum(*right))).collect())
}

#[rstest]
#[case::mss(TcpOption::Mss(1460), &[2, 4, 0x05, 0xb4])]
#[case::window_scale(TcpOption::WindowScale(7), &[3, 3, 7])]
#[case::sack_permitted(TcpOption::SackPermitted, &[4, 2])]
#[case::sack(sack(&[(1, 2)]), &[5, 10, 0, 0, 0, 1, 0, 0, 0, 2])]
#[case::timestamps(TcpOption::Timestamps { val: 1, ecr: 0xffff_fffe }, &[8, 10, 0, 0, 0, 1, 255, 255, 255, 254])]
#[case::user_timeout(TcpOption::UserTimeout { minutes: true, value: 5 }, &[28, 4, 0x80, 5])]
#[case::fast_open_request(TcpOption::FastOpen(vec![]), &[34, 2])]
#[case::fast_open(TcpOption::FastOpen(vec![1, 2, 3, 4]), &[34, 6, 1, 2, 3, 4])]
#[case::md5(TcpOption::Md5([9; 16]), &[19, 18, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])]
#[case::unknown(TcpOption::Unknown { kind: 77, data: vec![] }, &[77, 2])]
#[case::nop(TcpOption::Nop, &[1])]
#[case::eol(TcpOption::Eol, &[0])]
fn well_formed_both_ways(#[case] option: TcpOption, #[case] octets: &[u8]) {
    let options = Options::encode(std::slice::from_ref(&option));
    assert_eq!(options.octets(), octets);
    assert_eq!(options.read(), OptionsRead { list: vec![option], defects: vec![] });
}

#[rstest]
#[case::length_0(&[1, 3, 0, 9], OptionDefect::LengthTooSmall { offset: 1, kind: 3, length: 0 })]
#[case::length_1(&[3, 1], OptionDefect::LengthTooSmall { offset: 0, kind: 3, length: 1 })]
#[case::no_length(&[1, 1, 8], OptionDefect::LengthMissing { offset: 2, kind: 8 })]
#[case::past_header(&[2, 4, 5], OptionDefect::PastHeader { offset: 0, kind: 2, length: 4, present: 3 })]
#[case::unknown_past_header(&[99, 41], OptionDefect::PastHeader { offset: 0, kind: 99, length: 41, present: 2 })]
#[case::short_mss(&[2, 3, 5, 1], OptionDefect::WrongLength { offset: 0, kind: 2, length: 3 })]
#[case::long_scale(&[3, 4, 5, 1], OptionDefect::WrongLength { offset: 0, kind: 3, length: 4 })]
#[case::empty_sack(&[5, 2], OptionDefect::WrongLength { offset: 0, kind: 5, length: 2 })]
#[case::half_sack(&[5, 6, 0, 0, 0, 1], OptionDefect::WrongLength { offset: 0, kind: 5, length: 6 })]
#[case::odd_cookie(&[34, 7, 1, 2, 3, 4, 5], OptionDefect::WrongLength { offset: 0, kind: 34, length: 7 })]
#[case::tiny_cookie(&[34, 4, 1, 2], OptionDefect::WrongLength { offset: 0, kind: 34, length: 4 })]
#[case::padding(&[0, 0, 7, 0], OptionDefect::Padding { offset: 2, octet: 7 })]
#[case::duplicate(&[4, 2, 1, 4, 2], OptionDefect::Duplicate { offset: 3, kind: 4 })]
fn malformed(#[case] octets: &[u8], #[case] defect: OptionDefect) {
    let read = Options::raw(octets).read();
    assert_eq!(read.defects, [defect]);
    assert_eq!(Options::encode(&read.list).octets(), octets, "{:?}", read.list);
}

#[test]
fn reading_goes_on_after_a_wrong_length_but_not_after_the_end() {
    let options = Options::raw([3, 4, 7, 7, 2, 4, 5, 180, 0, 3, 3, 1]);
    assert_eq!(options.mss(), Some(1460));
    assert_eq!(options.window_scale(), None);
    assert!(options.has(kind::WINDOW_SCALE));
    assert_eq!(options.read().defects.len(), 2);
}

#[test]
fn any_malformation_can_be_built() {
    let list = [
        TcpOption::WrongLength { kind: 3, length: 0, data: vec![7] },
        TcpOption::Raw(vec![2]),
        TcpOption::Sack(vec![]),
        // A timeout of more than 15 bits does not spill into the granularity.
        TcpOption::UserTimeout { minutes: false, value: 0x8001 },
    ];
    assert_eq!(Options::encode(&list).octets(), [3, 0, 7, 2, 5, 2, 28, 4, 0, 1]);
}

#[test]
fn accessors_take_the_first() {
    let options = Options::encode(&[
        TcpOption::Mss(1000),
        TcpOption::Mss(2000),
        TcpOption::SackPermitted,
        TcpOption::Timestamps { val: 5, ecr: 6 },
        sack(&[(10, 20), (30, 40)]),
    ]);
    assert_eq!(options.mss(), Some(1000));
    assert!(options.sack_permitted());
    assert_eq!(options.timestamps(), Some((5, 6)));
    assert_eq!(options.sack().unwrap()[1], (SeqNum(30), SeqNum(40)));
    assert_eq!(options.fast_open(), None);
    assert_eq!(options.user_timeout(), None);
}

pub(crate) fn any_well_formed() -> impl Strategy<Value = TcpOption> {
    let block = (any::<u32>(), any::<u32>()).prop_map(|(l, r)| (SeqNum(l), SeqNum(r)));
    prop_oneof![
        Just(TcpOption::Nop),
        any::<u16>().prop_map(TcpOption::Mss),
        any::<u8>().prop_map(TcpOption::WindowScale),
        Just(TcpOption::SackPermitted),
        proptest::collection::vec(block, 1..5).prop_map(TcpOption::Sack),
        any::<(u32, u32)>().prop_map(|(val, ecr)| TcpOption::Timestamps { val, ecr }),
        (any::<bool>(), 0u16..0x8000).prop_map(|(minutes, value)| TcpOption::UserTimeout { minutes, value }),
        proptest::sample::select(vec![0usize, 4, 8, 16]).prop_map(|n| TcpOption::FastOpen(vec![0xfe; n])),
        any::<[u8; 16]>().prop_map(TcpOption::Md5),
        (100u8..200, proptest::collection::vec(any::<u8>(), 0..9))
            .prop_map(|(kind, data)| TcpOption::Unknown { kind, data }),
    ]
}

proptest! {
    #[test]
    fn well_formed_lists_survive(list in proptest::collection::vec(any_well_formed(), 0..8)) {
        let read = Options::encode(&list).read();
        let only_duplicates = read.defects.iter().all(|d| matches!(d, OptionDefect::Duplicate { .. }));
        prop_assert!(only_duplicates);
        prop_assert_eq!(read.list, list);
    }

    #[test]
    fn no_octet_is_lost(octets in proptest::collection::vec(prop_oneof![any::<u8>(), 0u8..12], 0..60)) {
        let options = Options::raw(octets);
        let read = options.read();
        prop_assert_eq!(Options::encode(&read.list), options);
        let raw = read.list.iter().any(|o| matches!(o, TcpOption::Raw(_) | TcpOption::WrongLength { .. }));
        prop_assert!(!raw || !read.defects.is_empty());
    }
}
