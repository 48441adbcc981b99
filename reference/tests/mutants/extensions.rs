//! Keep-alive and other settings, options, checksums, ICMP, ECN, RACK, Fast Open, ports and numbers.

use std::time::Duration;

use tcpspec_reference::wire::{Ecn, FastOpen, Flags, SackBlocks, Timestamps, UserTimeout};
use tcpspec_reference::{Config, ConnOption};

use crate::script::{ACK, RST, SYN, patch};
use crate::{SEC, Scenario, absorb, blocks, sacking, start, with, with_options};

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("keep-alive", |m| {
        let mut s = start(m).active();
        s.wait(100 * SEC);
        s.set(ConnOption::KeepAliveIdle(Duration::from_secs(600)));
        s.set(ConnOption::KeepAlive(true));
        s.wait(300 * SEC);
        s.tx(ACK, 1, 1, b"x");
        s.wait(590 * SEC);
        s.wait(20 * SEC);
        s.tx(ACK, 2, 1, b"");
        s.wait(700 * SEC);
        s.wait(700 * SEC);
        s
    }),
    ("keep-alive by default", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::KeepAlive(true));
        s.wait(7100 * SEC);
        s.wait(200 * SEC);
        s
    }),
    ("keep-alive never asked for", |m| {
        let mut s = start(m).active();
        s.wait(9000 * SEC);
        s
    }),
    ("settings", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::Dscp(0x2e));
        s.set(ConnOption::HopLimit(9));
        s.send(b"x");
        s
    }),
    ("options passive", |m| {
        let mut s = with_options(m, Config { recv_buffer: 1 << 18, ..Config::default() }).passive();
        s.window = 3000;
        s.options.timestamps = Some(Timestamps { value: 200, echo: 5 });
        s.tx(ACK, 1, 1, &[1; 10]);
        s.wait(300);
        s.options.timestamps = Some(Timestamps { value: 150, echo: 5 });
        s.tx(ACK, 11, 1, b"old");
        s.wait(300);
        s.options.timestamps = Some(Timestamps { value: 300, echo: 5 });
        s.tx(ACK, 21, 1, b"above");
        s.tx(ACK, 31, 1, b"higher");
        s.tx(ACK, 31, 1, b"higher");
        s.options.timestamps = None;
        s.tx(ACK, 11, 1, b"none");
        s.wait(300);
        s.options.timestamps = Some(Timestamps { value: 310, echo: 5 });
        s.tx(ACK, 11, 1, &[2; 10]);
        s.send(&[5; 30_000]);
        s.wait(50);
        s.options.timestamps = Some(Timestamps { value: 290, echo: 5 });
        s.tx(RST, 26, 0, b"");
        s.note("reset");
        s
    }),
    ("options active", |m| {
        let mut s = with_options(m, Config { initial_window: 60, ..Config::default() });
        s.connect();
        s.syn_options.timestamps = Some(Timestamps { value: 100, echo: 9 });
        s.syn_options.window_scale = Some(15);
        s.tx(SYN | ACK, 0, 1, b"");
        s.note("then");
        s.window = 1;
        s.tx(ACK, 1, 1, b"x");
        s.send(&[5; 60_000]);
        s.options.timestamps = Some(Timestamps { value: 0x8000_0000, echo: 9 });
        s.tx(ACK, 2, 1, b"y");
        s
    }),
    ("timestamp of zero", |m| {
        let mut s = with_options(m, Config::default());
        s.syn_options.timestamps = Some(Timestamps { value: u32::MAX, echo: 0 });
        s.options.timestamps = Some(Timestamps { value: 0, echo: 0 });
        let mut s = s.passive();
        s.tx(ACK, 1, 1, b"zero");
        s.wait(300);
        s.read(10);
        s
    }),
    ("timestamps not agreed on", |m| {
        let mut s = start(m);
        s.listen();
        s.tx(SYN, 0, 0, b"");
        s.options.timestamps = Some(Timestamps { value: 5, echo: 5 });
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s
    }),
    ("a scaled SYN window", |m| {
        let mut s = with_options(m, Config { recv_buffer: 1 << 18, ..Config::default() });
        s.window = 1000;
        let mut s = s.active();
        s.send(&[5; 9000]);
        s
    }),
    ("the peer scales and reports", |m| {
        let mut s = sacking(m, Config::default()).active();
        let base = s.iss.map_or(0, |iss| iss.0);
        let first = s.send(&[5; 60_000]);
        absorb(&mut s, 1, first);
        for (from, to) in [(12_001, 13_001), (12_001, 14_001), (12_001, 16_001), (12_001, 17_001)] {
            s.options.sack = blocks(&[(base.wrapping_add(from), base.wrapping_add(to))]);
            s.tx(ACK, 1, 11_001, b"");
        }
        s.options.sack = SackBlocks::default();
        s.tx(ACK, 1, 18_001, b"");
        s.wait(5 * SEC);
        s
    }),
    ("we report", |m| {
        let mut s = sacking(m, Config::default()).passive();
        for seq in [11u32, 31, 51, 71, 91] {
            s.tx(ACK, seq, 1, b"held above");
        }
        s.tx(ACK, 31, 1, b"held above");
        s.tx(ACK, 1, 1, b"0123456789");
        s.tx(ACK, 1, 1, b"0123456789");
        s
    }),
    ("checksums", |m| {
        let mut s = start(m).passive();
        let mut packet = s.packet(ACK, 1, 1, b"spoiled");
        packet[36] ^= 1;
        s.raw(&packet);
        s.wait(300);
        s.read(10);
        s
    }),
    ("odd headers", |m| {
        let mut s = start(m).passive();
        let good = s.packet(ACK, 1, 1, b"reserved");
        let mut packet = good.clone();
        patch(&mut packet, |packet| packet[32] |= 0x0e);
        s.raw(&packet);
        s.wait(300);
        let mut packet = s.packet(ACK, 9, 1, b"version");
        patch(&mut packet, |packet| packet[0] = 0x35);
        s.raw(&packet);
        s.wait(300);
        s.options.user_timeout = Some(UserTimeout(Duration::from_secs(5)));
        for kind in [[99, 4], [99, 0]] {
            let mut packet = s.packet(ACK, 9, 1, b"option");
            patch(&mut packet, |packet| packet[40..42].copy_from_slice(&kind));
            s.raw(&packet);
            s.wait(300);
        }
        s.read(100);
        s
    }),
    ("options at odd places", |m| {
        let mut s = start(m);
        s.listen();
        s.syn_options.window_scale = Some(3);
        let mut packet = s.packet(SYN, 0, 0, b"");
        patch(&mut packet, |packet| packet[40..48].copy_from_slice(&[1, 2, 4, 2, 0, 1, 1, 1]));
        s.raw(&packet);
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s.send(&[5; 2000]);
        s
    }),
    ("options behind the end", |m| {
        let mut s = start(m);
        s.listen();
        s.syn_options.window_scale = Some(3);
        let mut packet = s.packet(SYN, 0, 0, b"");
        patch(&mut packet, |packet| packet[40..48].copy_from_slice(&[0, 4, 3, 0, 2, 4, 0, 100]));
        s.raw(&packet);
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s.send(&[5; 2000]);
        s
    }),
    ("ports alone", |m| {
        let mut s = start(m).passive();
        s.peer = "10.0.0.3:4000".parse().unwrap();
        s.tx(ACK, 1, 1, b"stranger");
        s.wait(300);
        s
    }),
    ("soft and hard errors", |m| {
        let mut s = start(m);
        s.connect();
        s.icmp(3, 3, 0, 77);
        s.note("forged");
        s.icmp(3, 1, 0, 0);
        s.note("soft");
        s.icmp(3, 3, 0, 0);
        s.note("hard");
        s
    }),
    ("errors on a live connection", |m| {
        let mut s = start(m).active();
        s.send(&[5; 60_000]);
        s.icmp(4, 0, 0, 1);
        s.icmp(3, 4, 60, 1);
        s.icmp(3, 4, 600, 1);
        s.note("smaller");
        s.tx(ACK, 1, 1001, b"");
        s.icmp(3, 3, 0, 1001);
        s.note("hard");
        s
    }),
    ("a path too narrow for one of two", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::NoDelay(true));
        s.send(&[5; 536]);
        s.send(&[6; 100]);
        s.icmp(3, 4, 500, 1);
        s.wait(100);
        s
    }),
    ("ecn passive", |m| {
        let mut s = with(m, Config { ecn: true, ..Config::default() });
        s.listen();
        s.tx(SYN | Flags::ECE | Flags::CWR, 0, 0, b"");
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s.ecn = Ecn::Ce;
        s.tx(ACK, 1, 1, b"marked");
        s.ecn = Ecn::Ect0;
        s.wait(300);
        s.tx(ACK, 7, 1, b"again");
        s.wait(300);
        s.tx(ACK | Flags::CWR, 12, 1, b"heard");
        s.wait(300);
        s.ecn = Ecn::NotEct;
        s.send(&[5; 30_000]);
        for n in 1..8 {
            s.tx(ACK | Flags::ECE, 17, n * 1000 + 1, b"");
        }
        for n in 8..12 {
            s.tx(ACK, 17, n * 1000 + 1, b"");
        }
        s.wait(3 * SEC);
        s
    }),
    ("ecn not agreed on", |m| {
        let mut s = with(m, Config { ecn: true, ..Config::default() }).active();
        s.send(b"x");
        s
    }),
    ("lost tail", |m| {
        let mut s = sacking(m, Config { rack: true, ..Config::default() }).active();
        s.send(&[5; 1000]);
        s.wait(50);
        s.tx(ACK, 1, 1001, b"");
        s.send(&[5; 3000]);
        s.wait(400);
        s.tx(ACK, 1, 4001, b"");
        s.send(&[5; 60_000]);
        s.wait(50);
        s.tx(ACK, 1, 9001, b"");
        s.wait(10);
        s
    }),
    ("a moment before the timer", |m| {
        let mut s = sacking(m, Config { rack: true, ..Config::default() });
        s.connect();
        s.now = s.now + Duration::from_millis(250);
        s.tx(SYN | ACK, 0, 1, b"");
        s.send(&[5; 1000]);
        s.wait(250);
        s.tx(ACK, 1, 1001, b"");
        s.send(&[5; 2000]);
        // A probe after two round trips, and the timer a second after it.
        s.wait(1450);
        s.send(&[5; 1000]);
        s.wait(60);
        s.tx(ACK, 1, 2001, b"");
        s
    }),
    ("reordering", |m| {
        let mut s = sacking(m, Config { rack: true, ..Config::default() });
        s.connect();
        s.now = s.now + Duration::from_millis(100);
        s.tx(SYN | ACK, 0, 1, b"");
        let base = s.iss.map_or(0, |iss| iss.0);
        s.send(&[5; 2000]);
        s.now = s.now + Duration::from_millis(5);
        s.send(&[5; 3000]);
        s.now = s.now + Duration::from_millis(95);
        s.options.sack = blocks(&[(base.wrapping_add(2001), base.wrapping_add(3001))]);
        s.tx(ACK, 1, 1, b"");
        s.wait(100);
        s
    }),
    ("fast open", |m| {
        let mut s = with(m, Config { fast_open: true, ..Config::default() });
        s.listen();
        s.syn_options.fast_open = Some(FastOpen::Cookie { octets: [3; 16], len: 8 });
        s.tx(SYN, 0, 0, b"early");
        s.accept();
        s
    }),
    ("slow start from one segment", |m| {
        let mut s = start(m);
        s.window = 60_000;
        let mut s = s.active();
        s.send(&[5; 60_000]);
        s.wait(1500);
        let mut end = 1001;
        for _ in 0..6 {
            s.now = s.now + Duration::from_millis(50);
            let got = s.tx(ACK, 1, end, b"");
            end = got.iter().map(|got| got.seq + got.payload.len() as u32).max().unwrap_or(end);
            for _ in 0..4 {
                s.tx(ACK, 1, end, b"");
            }
        }
        s
    }),
    ("a second connection of the same name", |m| {
        let mut s = start(m);
        s.connect();
        s.note(&format!("{:?}", s.iss));
        s.abort();
        s.wait(1);
        s.iss = None;
        s.connect();
        s.note(&format!("{:?}", s.iss));
        s.peer.set_port(4001);
        s.iss = None;
        s.connect();
        s.note(&format!("{:?}", s.iss));
        s
    }),
];
