use super::*;
use crate::wire::Flags;

fn half(config: &Config) -> RecvHalf {
    let mut half = RecvHalf::new(1000);
    half.synchronize(SeqNum(u32::MAX - 4), config);
    half
}

fn text(half: &RecvHalf, offset: u32, payload: &'static [u8]) -> Segment<'static> {
    Segment {
        source_port: 1,
        destination_port: 2,
        seq: half.irs + 1 + offset,
        ack: SeqNum(0),
        flags: Flags::ACK,
        window: 0,
        urgent: 0,
        options: Options::default(),
        payload,
    }
}

fn take(half: &mut RecvHalf, offset: u32, payload: &'static [u8], config: &Config) -> AckAdvice {
    let segment = text(half, offset, payload);
    half.take_text(&segment, config)
}

fn read_all(half: &mut RecvHalf) -> Vec<u8> {
    let mut out = vec![0; half.readable()];
    half.read(&mut out);
    out
}

#[test]
fn every_second_segment_in_order_is_acknowledged_at_once() {
    let config = Config::default();
    let mut half = half(&config);
    assert_eq!(take(&mut half, 0, b"abc", &config), AckAdvice::MayDelay);
    assert_eq!(take(&mut half, 3, b"def", &config), AckAdvice::AtOnce);
    half.acknowledged(half.nxt);
    assert_eq!(take(&mut half, 6, b"ghi", &config), AckAdvice::MayDelay);
    assert_eq!(read_all(&mut half), b"abcdefghi");
}

#[test]
fn a_hole_draws_duplicates_and_its_filling_an_ack_at_once() {
    let config = Config::default();
    let mut half = half(&config);
    assert_eq!(take(&mut half, 3, b"def", &config), AckAdvice::Duplicate);
    assert_eq!(take(&mut half, 9, b"jkl", &config), AckAdvice::Duplicate);
    assert_eq!(half.nxt, half.irs + 1);
    assert_eq!(take(&mut half, 0, b"abc", &config), AckAdvice::AtOnce);
    assert_eq!(half.nxt, half.irs + 7);
    assert_eq!(take(&mut half, 6, b"ghi", &config), AckAdvice::AtOnce);
    assert_eq!(read_all(&mut half), b"abcdefghijkl");
}

#[test]
fn old_octets_are_trimmed_and_octets_beyond_the_window_dropped() {
    let config = Config::default();
    let mut half = half(&config);
    let _ = take(&mut half, 0, b"abc", &config);
    let _ = take(&mut half, 1, b"bcdef", &config);
    assert_eq!(read_all(&mut half), b"abcdef");
    half.edge = half.nxt + 2;
    let _ = take(&mut half, 6, b"ghij", &config);
    assert_eq!((half.readable(), half.window()), (2, 0));
}

#[test]
fn a_fin_waits_for_the_hole_before_it_and_ends_the_text() {
    let config = Config::default();
    let mut half = half(&config);
    let fin = half.irs + 1 + 6;
    let _ = take(&mut half, 3, b"def", &config);
    assert!(!half.take_fin(Some(fin), &config));
    let _ = take(&mut half, 0, b"abc", &config);
    assert!(half.take_fin(None, &config));
    assert_eq!(half.nxt, fin + 1);
    assert_eq!(take(&mut half, 7, b"late", &config), AckAdvice::None);
    assert!(!half.take_fin(Some(fin), &config));
    assert_eq!(read_all(&mut half), b"abcdef");
}

#[test]
fn the_right_edge_moves_only_in_worthwhile_steps_and_never_left() {
    let config = Config::default();
    let mut half = RecvHalf::new(10);
    half.synchronize(SeqNum(0), &config);
    let _ = half.take_text(&text(&half, 0, b"0123456789"), &config);
    assert_eq!(half.advertise(100, &config), 0);
    half.read(&mut [0; 4]);
    assert!(!half.wants_update(100, &config));
    assert_eq!(half.advertise(100, &config), 0);
    half.read(&mut [0; 1]);
    assert!(half.wants_update(100, &config));
    assert_eq!(half.advertise(100, &config), 5);
}

#[test]
fn a_scaled_window_never_moves_the_edge_left() {
    let config = Config::default();
    let mut half = RecvHalf::new(1 << 20);
    half.synchronize(SeqNum(0), &config);
    half.shift = RecvHalf::wanted_shift(1 << 20);
    assert_eq!(half.shift, 5);
    half.advertise(1000, &config);
    let mut edge = half.edge;
    for n in 0..500 {
        let segment = Segment { seq: SeqNum(1 + n * 7), ..text(&half, 0, b"1234567") };
        let _ = half.take_text(&segment, &config);
        half.advertise(1000, &config);
        assert!(half.edge.at_or_after(edge), "segment {n}");
        edge = half.edge;
    }
    assert!(half.window() as usize + half.readable() <= (1 << 20) + (1 << 17));
}

#[test]
fn duplicates_are_reported_once() {
    let config = Config::default();
    let mut half = half(&config);
    let _ = take(&mut half, 0, b"abc", &config);
    let old = text(&half, 0, b"abc");
    half.note_old(&old, &Config::default());
    let mut options = Options::default();
    half.sack_option(&mut options, &config);
    assert_eq!(options.sack.as_slice(), [SackBlock { start: half.irs + 1, end: half.irs + 4 }]);
    half.sack_option(&mut options, &config);
    assert!(options.sack.is_empty());
}

#[test]
fn text_from_before_our_initial_sequence_number_is_not_reported_as_a_duplicate() {
    let config = Config::default();
    let mut half = half(&config);
    let _ = take(&mut half, 0, b"abc", &config);
    let mut old = text(&half, 0, b"abc");
    half.note_old(&old, &Config::default());
    let mut options = Options::default();
    half.sack_option(&mut options, &config);
    assert!(!options.sack.is_empty());
    old.seq = half.irs - 100;
    half.note_old(&old, &Config::default());
    half.sack_option(&mut options, &config);
    assert!(options.sack.is_empty());
}
