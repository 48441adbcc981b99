use core::time::Duration;

use super::*;

const MSS: u32 = 100;

struct Bench {
    half: SendHalf,
    rtt: RttEstimator,
    config: Config,
    now: Instant,
}

impl Bench {
    fn new(config: Config) -> Self {
        let mut half = SendHalf::new(SeqNum(999), MSS, 536, &config);
        half.una = SeqNum(1000);
        half.nxt = SeqNum(1000);
        half.set_window(SeqNum(1), SeqNum(1000), 100_000);
        half.open(false, &config);
        let rtt = RttEstimator::new(&config);
        Self { half, rtt, config, now: Instant::ZERO }
    }

    fn write(&mut self, len: usize) {
        assert_eq!(self.half.write(&vec![b'x'; len]), len);
    }

    /// Sends all that may go and returns (offset, length) of each piece.
    fn flush(&mut self) -> Vec<(u32, u32)> {
        let mut out = Vec::new();
        loop {
            let piece = match self.half.retransmission(&self.config) {
                Some(piece) => piece,
                None => match self.half.fresh(&self.config) {
                    Fresh::Send(piece) => piece,
                    _ => return out,
                },
            };
            self.half.sent(piece, self.now, &self.rtt, &self.config);
            out.push((piece.seq.distance_from(SeqNum(1000)), piece.len));
        }
    }

    fn ack(&mut self, offset: u32) -> Acked {
        self.sack(offset, &[])
    }

    fn sack(&mut self, offset: u32, blocks: &[(u32, u32)]) -> Acked {
        let blocks: Vec<SackBlock> = blocks
            .iter()
            .map(|&(start, end)| SackBlock { start: SeqNum(1000 + start), end: SeqNum(1000 + end) })
            .collect();
        let info = AckInfo {
            ack: SeqNum(1000 + offset),
            pure: true,
            same_window: true,
            congested: false,
            sack: &blocks,
            now: self.now,
        };
        self.half.on_ack(info, Duration::from_millis(100), &self.config)
    }
}

#[test]
fn ten_segments_go_before_the_first_acknowledgement() {
    let mut bench = Bench::new(Config::default());
    bench.write(5000);
    assert_eq!(bench.flush().len(), 10);
    bench.ack(100);
    assert_eq!(bench.flush(), [(1000, 100), (1100, 100)]);
}

#[test]
fn nagle_holds_a_small_segment_until_the_flight_is_acknowledged() {
    let mut bench = Bench::new(Config::default());
    bench.write(10);
    assert_eq!(bench.flush(), [(0, 10)]);
    bench.write(10);
    assert_eq!(bench.half.fresh(&bench.config), Fresh::Hold);
    bench.half.nodelay = true;
    assert_eq!(bench.flush(), [(10, 10)]);
    bench.half.nodelay = false;
    bench.write(5);
    bench.half.queue_fin(&bench.config);
    assert_eq!(bench.flush(), [(20, 5)]);
    assert_eq!(bench.half.fin, Fin::Sent(SeqNum(1025)));
}

#[test]
fn a_small_window_opening_is_not_filled_with_a_tinygram() {
    let mut bench = Bench::new(Config::default());
    bench.write(500);
    bench.half.set_window(SeqNum(1), SeqNum(1000), 10);
    assert_eq!(bench.half.fresh(&bench.config), Fresh::Hold);
    bench.half.override_due = true;
    assert_eq!(bench.flush(), [(0, 10)]);
    assert_eq!(bench.half.fresh(&bench.config), Fresh::WindowClosed);
}

#[test]
fn three_duplicates_resend_the_front_and_a_partial_ack_the_next_hole() {
    let mut bench = Bench::new(Config::default());
    bench.write(5000);
    bench.flush();
    bench.ack(0);
    assert_eq!(bench.flush(), [(1000, 100)], "limited transmit");
    bench.ack(0);
    assert_eq!(bench.flush(), [(1100, 100)]);
    bench.ack(0);
    assert_eq!(bench.half.congestion.ssthresh, 500, "limited transmit is not in the flight");
    assert_eq!(bench.flush(), [(0, 100)]);
    for _ in 0..4 {
        bench.ack(0);
    }
    bench.ack(300);
    assert_eq!(bench.flush()[0], (300, 100));
    bench.ack(1200);
    assert_eq!(bench.half.phase, Phase::Open);
    assert!(bench.half.congestion.cwnd <= 500);
}

#[test]
fn sack_resends_only_the_holes() {
    let mut bench = Bench::new(Config::default());
    bench.half.sack = true;
    bench.write(1000);
    bench.flush();
    bench.sack(0, &[(100, 200)]);
    bench.sack(0, &[(100, 300)]);
    bench.sack(0, &[(100, 300), (400, 500)]);
    assert!(matches!(bench.half.phase, Phase::Fast { .. }));
    assert_eq!(bench.flush(), [(0, 100)]);
    bench.sack(0, &[(400, 800), (100, 300)]);
    assert_eq!(bench.flush(), [(300, 100)]);
    bench.sack(1000, &[]);
    assert_eq!(bench.half.phase, Phase::Open);
}

#[test]
fn a_timeout_resends_from_the_front_one_segment_at_a_time() {
    let mut bench = Bench::new(Config::default());
    bench.write(500);
    bench.flush();
    bench.half.on_timeout(None, bench.now, &bench.config);
    assert_eq!(bench.flush(), [(0, 100)]);
    bench.ack(100);
    assert_eq!(bench.flush(), [(100, 100), (200, 100)]);
    bench.ack(500);
    assert_eq!(bench.half.phase, Phase::Open);
}

#[test]
fn karn_takes_no_sample_from_a_repeated_segment() {
    let mut bench = Bench::new(Config::default());
    bench.write(100);
    bench.flush();
    bench.half.on_timeout(None, bench.now, &bench.config);
    bench.flush();
    assert_eq!(bench.ack(100).sample, None);
    bench.write(100);
    bench.flush();
    assert_eq!(bench.ack(200).sample, Some(bench.now));
}

#[test]
fn a_stale_segment_does_not_move_the_window() {
    let mut bench = Bench::new(Config::default());
    bench.half.update_window(SeqNum(0), SeqNum(1000), 5, &bench.config);
    assert_eq!(bench.half.wnd, 100_000);
    bench.half.update_window(SeqNum(1), SeqNum(1000), 5, &bench.config);
    assert_eq!(bench.half.wnd, 5);
}

#[test]
fn a_fin_waits_for_room_in_the_window_and_is_resent_whole() {
    let mut bench = Bench::new(Config::default());
    bench.half.set_window(SeqNum(1), SeqNum(1000), 100);
    bench.write(100);
    bench.half.queue_fin(&bench.config);
    assert_eq!(bench.flush(), [(0, 100)]);
    assert_eq!(bench.half.fresh(&bench.config), Fresh::WindowClosed);
    bench.half.set_window(SeqNum(1), SeqNum(1000), 101);
    assert_eq!(bench.flush(), [(100, 0)]);
    bench.ack(101);
    assert!(bench.half.fin_acked());
}

#[test]
fn a_later_acknowledgement_brings_its_window_though_it_is_a_retransmission() {
    let mut bench = Bench::new(Config::default());
    bench.write(500);
    bench.half.set_window(SeqNum(900), SeqNum(1000), 150);
    assert_eq!(bench.flush(), [(0, 100)]);
    bench.ack(100);
    // Numbered below WL1, but it acknowledges more: what is left of the window is 50.
    bench.half.update_window(SeqNum(700), SeqNum(1100), 50, &bench.config);
    assert_eq!(bench.half.wnd, 50);
    // An older one of the same acknowledgement says nothing.
    bench.half.update_window(SeqNum(600), SeqNum(1100), 400, &bench.config);
    assert_eq!(bench.half.wnd, 50);
}

#[test]
fn what_a_probe_had_sent_goes_again_before_the_text_behind_it() {
    let mut bench = Bench::new(Config::default());
    bench.half.set_window(SeqNum(1), SeqNum(1000), 0);
    bench.write(250);
    let probe = bench.half.probe(&bench.config).unwrap();
    bench.half.sent(probe, bench.now, &bench.rtt, &bench.config);
    bench.half.set_window(SeqNum(1), SeqNum(1000), 1000);
    bench.half.repeat_all();
    assert_eq!(bench.flush(), [(0, 1), (1, 100), (101, 100)]);
    assert_eq!(bench.half.board.pipe(), 201);
    assert_eq!(bench.ack(1).sample, None, "Karn: it was sent before");
    bench.ack(201);
    assert_eq!(bench.flush(), [(201, 49)]);
}

#[test]
fn duplicates_where_recovery_ended_tell_of_no_loss() {
    let mut bench = Bench::new(Config::default());
    bench.write(3000);
    assert_eq!(bench.flush().len(), 10);
    for _ in 0..3 {
        bench.ack(0);
    }
    assert_eq!(bench.flush(), [(0, 100)]);
    bench.ack(1000);
    let next = bench.flush();
    assert_eq!(next.first(), Some(&(1000, 100)));
    for _ in 0..3 {
        bench.ack(1000);
    }
    assert!(bench.flush().iter().all(|&(seq, _)| seq > 1000), "RFC 6582 3.2, step 2");
    // Beyond it they do.
    bench.ack(1100);
    bench.flush();
    for _ in 0..3 {
        bench.ack(1100);
    }
    assert_eq!(bench.flush().first(), Some(&(1100, 100)));
}

#[test]
fn what_duplicates_let_out_is_not_halved_with_the_rest() {
    for sack in [false, true] {
        let mut bench = Bench::new(Config::default());
        bench.half.sack = sack;
        bench.write(3000);
        bench.flush();
        for reported in 1..=3 {
            let blocks = [(100, 100 + 100 * reported)];
            bench.sack(0, if sack { &blocks } else { &[] });
            bench.flush();
        }
        assert_eq!(bench.half.nxt, SeqNum(2200));
        assert_eq!(bench.half.congestion.ssthresh, 500, "half of ten segments, with or without SACK");
    }
}
