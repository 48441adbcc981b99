//! What is sent: segment sizes, loss and timers, congestion, the peer's window, Nagle.

use std::time::Duration;

use tcpspec_reference::wire::{Options, SackBlocks};
use tcpspec_reference::{Config, ConnOption};

use crate::script::ACK;
use crate::{SEC, Scenario, absorb, blocks, sacking, start, with};

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("bulk sending", |m| {
        let mut s = start(m).active();
        let first = s.send(&[5; 60_000]);
        absorb(&mut s, 40, first);
        s.wait(20 * SEC);
        s
    }),
    ("bulk sending without MSS", |m| {
        let mut s = start(m);
        s.window = 60_000;
        s.syn_options = Options::default();
        let mut s = s.active();
        s.send(&[5; 60_000]);
        s
    }),
    ("small MTU", |m| {
        let mut s = with(m, Config { mtu: 500, ..Config::default() }).active();
        s.send(&[5; 2000]);
        s
    }),
    ("odd lengths and reads", |m| {
        let mut s = start(m).passive();
        s.send(b"odd");
        s.tx(ACK, 1, 4, &[b'z'; 1000]);
        s.tx(ACK, 1001, 4, &[b'y'; 1000]);
        s.tx(ACK, 2001, 4, &[b'x'; 1000]);
        s.read(4000);
        s
    }),
    ("ack division and avoidance", |m| {
        let mut s = with(m, Config { initial_window: 2, send_buffer: 1 << 20, ..Config::default() });
        s.window = 60_000;
        let mut s = s.active();
        s.send(&vec![5; 400_000]);
        for n in 1..20 {
            s.tx(ACK, 1, 1 + n * 50, b"");
        }
        s.wait(3 * SEC);
        let mut end = 2001;
        for _ in 0..60 {
            s.now = s.now + Duration::from_millis(50);
            let got = s.tx(ACK, 1, end, b"");
            end = got.iter().map(|got| got.seq + got.payload.len() as u32).max().unwrap_or(end);
        }
        s
    }),
    ("an octet more than the initial window", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::NoDelay(true));
        s.send(&[5; 10_001]);
        s
    }),
    ("slow start after a timeout", |m| {
        let mut s = with(m, Config { send_buffer: 1 << 20, ..Config::default() }).active();
        s.send(&[5; 90_000]);
        s.wait(SEC + SEC / 2);
        for n in 1..=20 {
            s.tx(ACK, 1, 1 + n * 1000, b"");
        }
        s
    }),
    ("a FIN behind text, of which the text is acknowledged", |m| {
        let mut s = start(m);
        s.window = 500;
        let mut s = s.active();
        s.send(&[5; 800]);
        s.close();
        s.window = 20_000;
        s.tx(ACK, 1, 501, b"");
        s.tx(ACK, 1, 801, b"");
        s.wait(2 * SEC);
        s
    }),
    ("a little more behind a rescue", |m| {
        let mut s = sacking(m, Config::default()).active();
        s.set(ConnOption::NoDelay(true));
        s.send(&[5; 10_000]);
        let base = s.iss.map_or(0, |iss| iss.0);
        for n in 2..9 {
            s.options.sack = blocks(&[(base.wrapping_add(1001), base.wrapping_add(n * 1000 + 1))]);
            s.tx(ACK, 1, 1, b"");
        }
        s.send(&[5; 500]);
        s
    }),
    ("a probe of text with a FIN behind it", |m| {
        let mut s = start(m).active();
        s.send(b"a");
        s.send(b"bcd");
        s.close();
        s.window = 0;
        s.tx(ACK, 1, 2, b"");
        s.wait(10 * SEC);
        s
    }),
    ("a tail of which nothing is reported", |m| {
        let mut s = sacking(m, Config::default()).active();
        s.send(&[5; 10_000]);
        let base = s.iss.map_or(0, |iss| iss.0);
        s.options.sack = blocks(&[(base.wrapping_add(1001), base.wrapping_add(4001))]);
        s.tx(ACK, 1, 1, b"");
        s.options.sack = SackBlocks::default();
        s.tx(ACK, 1, 7001, b"");
        s
    }),
    ("reports that nobody agreed on", |m| {
        let mut s = start(m).active();
        s.send(&[5; 10_000]);
        let base = s.iss.map_or(0, |iss| iss.0);
        s.options.sack = blocks(&[(base.wrapping_add(1001), base.wrapping_add(5001))]);
        s.tx(ACK, 1, 1, b"");
        s.wait(SEC);
        s.tx(ACK, 1, 1001, b"");
        s.wait(20 * SEC);
        s
    }),
    ("fast retransmit and partial acknowledgment", |m| {
        let mut s = start(m).active();
        s.send(&[5; 60_000]);
        s.now = s.now + Duration::from_millis(100);
        for ack in [1001, 2001, 3001] {
            s.tx(ACK, 1, ack, b"");
        }
        for _ in 0..14 {
            s.tx(ACK, 1, 3001, b"");
        }
        s.tx(ACK, 1, 6001, b"");
        s.now = s.now + Duration::from_millis(100);
        s.tx(ACK, 1, 18_001, b"");
        s.tx(ACK, 1, 19_001, b"");
        s.wait(4 * SEC);
        for _ in 0..4 {
            s.tx(ACK, 1, 19_001, b"");
        }
        s.wait(10 * SEC);
        s
    }),
    ("duplicates where recovery ended", |m| {
        let mut s = start(m).active();
        s.send(&[5; 60_000]);
        for _ in 0..4 {
            s.tx(ACK, 1, 1, b"");
        }
        s.tx(ACK, 1, 12_001, b"");
        for _ in 0..4 {
            s.tx(ACK, 1, 12_001, b"");
        }
        s
    }),
    ("limited transmit with SACK", |m| {
        let mut s = sacking(m, Config { rack: false, initial_window: 4, ..Config::default() }).active();
        s.send(&[5; 40_000]);
        let base = s.iss.map_or(0, |iss| iss.0).wrapping_add(1);
        for reported in 2..7 {
            s.options.sack = blocks(&[(base.wrapping_add(1000), base.wrapping_add(1000 * reported))]);
            s.tx(ACK, 1, 1, b"");
        }
        s
    }),
    ("three holes with SACK", |m| {
        let mut s = sacking(m, Config { rack: false, ..Config::default() }).active();
        s.send(&[5; 20_000]);
        let base = s.iss.map_or(0, |iss| iss.0).wrapping_add(1);
        for reported in 4..7 {
            s.options.sack = blocks(&[(base.wrapping_add(3000), base.wrapping_add(1000 * reported))]);
            s.tx(ACK, 1, 1, b"");
        }
        s.wait(100);
        s.tx(ACK, 1, 1001, b"");
        s.wait(600);
        s.tx(ACK, 1, 2001, b"");
        s.wait(5 * SEC);
        s
    }),
    ("not quite duplicates", |m| {
        let mut s = start(m).active();
        s.send(&[5; 9000]);
        for window in [20_001, 20_002, 20_003, 20_004, 20_005] {
            s.window = window;
            s.tx(ACK, 1, 1, b"");
        }
        s
    }),
    ("duplicates restart nothing", |m| {
        let mut s = start(m).active();
        s.send(&[5; 1000]);
        for _ in 0..2 {
            s.wait(600);
            s.tx(ACK, 1, 1, b"");
        }
        s.wait(600);
        s
    }),
    ("timeouts and recovery", |m| {
        let mut s = start(m).active();
        s.send(&[5; 5000]);
        s.tx(ACK, 1, 1001, b"");
        s.wait(800);
        s.tx(ACK, 1, 2001, b"");
        s.wait(40 * SEC);
        s.tx(ACK, 1, 3001, b"");
        s.wait(100);
        s.tx(ACK, 1, 5001, b"");
        s.send(&[6; 500]);
        s.wait(300);
        s.tx(ACK, 1, 5501, b"");
        s.send(&[6; 500]);
        s.wait(20 * SEC);
        s.tx(ACK, 1, 6001, b"");
        s.wait(20 * SEC);
        s
    }),
    ("round trips", |m| {
        let mut s = with(m, Config { rto_min: Duration::from_millis(200), ..Config::default() }).active();
        let mut end = 1;
        for n in 0..12 {
            s.send(&[5; 100]);
            end += 100;
            s.wait(if n % 3 == 0 { 700 } else { 80 });
            s.tx(ACK, 1, end, b"");
        }
        s.send(&[5; 100]);
        s.wait(60 * SEC);
        s
    }),
    ("a timer that should have stopped", |m| {
        let mut s = start(m).active();
        s.send(&[5; 100]);
        s.wait(900);
        s.tx(ACK, 1, 101, b"");
        s.send(&[6; 100]);
        s.wait(800);
        s
    }),
    ("a timer that restarts", |m| {
        let mut s = start(m).active();
        s.send(&[5; 3000]);
        s.wait(700);
        s.tx(ACK, 1, 1001, b"");
        s.wait(700);
        s.tx(ACK, 1, 3001, b"");
        s
    }),
    ("idle, then a burst", |m| {
        let mut s = start(m);
        s.window = 60_000;
        let mut s = s.active();
        let first = s.send(&[5; 60_000]);
        absorb(&mut s, 20, first);
        s.wait(30 * SEC);
        s.send(&[5; 60_000]);
        s
    }),
    ("given up after R2", |m| {
        let mut s = start(m).active();
        s.send(&[5; 100]);
        s.wait(400 * SEC);
        s
    }),
    ("user timeout", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::UserTimeout(Duration::from_secs(20)));
        s.set(ConnOption::SoftErrors(false));
        s.send(&[5; 100]);
        s.icmp(3, 1, 0, 1);
        s.wait(50 * SEC);
        s
    }),
    ("zero window", |m| {
        let mut s = start(m).active();
        s.window = 0;
        s.tx(ACK, 1, 1, b"");
        s.send(&[5; 3000]);
        for _ in 0..30 {
            let got = s.wait(20 * SEC);
            if let Some(last) = got.last() {
                let ack = last.seq;
                s.tx(ACK, 1, ack, b"");
            }
        }
        s.window = 5000;
        s.tx(ACK, 1, 1, b"");
        s.wait(5 * SEC);
        s
    }),
    ("windows of all kinds", |m| {
        let mut s = start(m).active();
        s.window = 40_000;
        s.tx(ACK, 1, 1, b"x");
        s.window = 100;
        s.tx(ACK, 1, 1, b"");
        s.send(&[5; 3000]);
        s.wait(2 * SEC);
        s.window = 300;
        s.tx(ACK, 2, 101, b"");
        s.wait(SEC);
        s.window = 20_000;
        s.tx(ACK, 2, 101, b"");
        s.wait(SEC);
        s
    }),
    ("a smaller window", |m| {
        let mut s = start(m).passive();
        s.window = 1000;
        s.tx(ACK, 1, 1, b"");
        s.send(&[5; 3000]);
        s
    }),
    ("a stale window", |m| {
        let mut s = start(m).active();
        s.tx(ACK, 1, 1, b"first");
        s.window = 50;
        s.tx(ACK, 1, 1, b"");
        s.window = 10;
        s.tx(ACK, 3, 1, b"rst six");
        s.send(&[5; 3000]);
        s
    }),
    ("stale windows twice", |m| {
        let mut s = start(m).active();
        s.tx(ACK, 1, 1, b"12345");
        s.send(&[5; 500]);
        s.tx(ACK, 6, 501, b"");
        s.window = 10;
        s.tx(ACK, 6, 301, b"");
        s.send(&[5; 3000]);
        s
    }),
    ("a window below the segment", |m| {
        let mut s = start(m);
        s.window = 600;
        let mut s = s.active();
        s.send(&[5; 3000]);
        s.wait(2 * SEC);
        s.tx(ACK, 1, 601, b"");
        s.wait(2 * SEC);
        s.window = 200;
        s.tx(ACK, 1, 1201, b"");
        s.wait(SEC);
        s
    }),
    ("window 33000", |m| {
        let mut s = with(m, Config { initial_window: 60, ..Config::default() });
        s.window = 33_000;
        let mut s = s.active();
        s.send(&[5; 60_000]);
        s
    }),
    ("the window is full", |m| {
        let mut s = with(m, Config { initial_window: 60, ..Config::default() });
        s.window = 3500;
        let mut s = s.active();
        s.send(&[5; 60_000]);
        s.close();
        s
    }),
    ("a FIN beyond the window", |m| {
        let mut s = start(m);
        s.window = 500;
        let mut s = s.active();
        s.send(&[5; 500]);
        s.shutdown();
        s.wait(10);
        s
    }),
    ("nagle", |m| {
        let mut s = start(m).active();
        s.send(b"a");
        s.send(b"b");
        s.send(b"c");
        s.tx(ACK, 1, 2, b"");
        s.set(ConnOption::NoDelay(true));
        s.send(b"d");
        s.send(b"e");
        s
    }),
    ("nagle and a close", |m| {
        let mut s = start(m).active();
        s.send(b"a");
        s.send(b"b");
        s.close();
        s
    }),
];
