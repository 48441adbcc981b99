//! Bugs that take more than a few segments to see, and exactly what is to be seen of each on the wire. A case that
//! is to catch one has to do what is done here.

use tcpspec_reference::wire::Options;
use tcpspec_reference::{Config, Mutant};

use crate::script::{ACK, FIN, SYN};
use crate::{start, with};

/// Answers to 150 SYNs inside the window within one second.
fn challenges(mutant: Option<Mutant>) -> usize {
    let mut s = start(mutant).passive();
    (0..150).map(|_| s.tx(SYN, 5, 0, b"").len()).sum()
}

#[test]
fn challenge_acks_unlimited_answers_every_one() {
    let limit = Config::default().challenge_acks_per_second as usize;
    assert_eq!(challenges(None), limit);
    assert_eq!(challenges(Some(Mutant::ChallengeAcksUnlimited)), 150);
}

/// How far apart the ISNs of two connections are that are opened at the same moment from different ports.
fn isn_gap(mutant: Option<Mutant>) -> u32 {
    let mut s = start(mutant);
    s.connect();
    let first = s.iss.take();
    s.peer.set_port(4001);
    s.connect();
    let gap = s.iss.zip(first).map(|(second, first)| second.0.wrapping_sub(first.0));
    gap.expect("two SYNs were sent")
}

#[test]
fn isn_clock_only_gives_neighbours_the_same_number() {
    assert_eq!(isn_gap(Some(Mutant::IsnClockOnly)), 0);
    // With the keyed hash they are anywhere: further apart than the clock goes in a minute.
    let minute = 60 * 1_000_000 / 4;
    assert!((minute..u32::MAX - minute).contains(&isn_gap(None)));
}

/// A FIN above a hole of four octets, then seven octets from the start of the hole: what is acknowledged, and read.
fn text_beyond_fin(mutant: Option<Mutant>) -> (u32, Vec<u8>, String) {
    let mut s = start(mutant).passive();
    s.tx(FIN | ACK, 5, 1, b"");
    let mut got = s.tx(ACK, 1, 1, b"1234567");
    got.extend(s.wait(300));
    let ack = got.last().expect("text was acknowledged").ack;
    (ack, s.read(100), s.state())
}

#[test]
fn data_after_fin_accepted_takes_octets_that_cannot_be() {
    assert_eq!(text_beyond_fin(None), (6, b"1234".to_vec(), "CLOSE-WAIT".to_owned()));
    let (ack, text, state) = text_beyond_fin(Some(Mutant::DataAfterFinAccepted));
    // Three octets beyond the FIN are acknowledged and delivered, and the FIN is never reached.
    assert_eq!((ack, text, state), (8, b"1234567".to_vec(), "ESTABLISHED".to_owned()));
}

/// The window of the SYN,ACK and of the first ACK after the handshake, with window scaling on.
fn windows(mutant: Option<Mutant>, recv_buffer: u32) -> (u16, u32) {
    let mut s = with(mutant, Config { recv_buffer, ..Config::default() });
    s.syn_options = Options { window_scale: Some(0), ..s.syn_options };
    s.listen();
    let syn_ack = s.tx(SYN, 0, 0, b"").remove(0);
    s.tx(ACK, 1, 1, b"");
    s.accept();
    let ack = s.tx(ACK, 30_000, 1, b"out of order").remove(0);
    let shift = syn_ack.options.window_scale.expect("it was offered");
    (syn_ack.window, u32::from(ack.window) << shift)
}

#[test]
fn syn_window_scaled_needs_a_buffer_that_scales() {
    assert_eq!(windows(None, 1 << 18), (65535, 1 << 18));
    // 2^18 does not fit in the field at a shift of two, so the shift is three.
    assert_eq!(windows(Some(Mutant::SynWindowScaled), 1 << 18), (1 << 15, 1 << 18));
    assert_eq!(windows(Some(Mutant::SynWindowScaled), 65535), windows(None, 65535));
}
