//! The companions of RFC 9293: timestamps, the user timeout option, RFC 5961, ECN, RACK, Fast Open; and what is
//! below TCP.

use std::time::Duration;

use tcpspec_reference::wire::{Ecn, FastOpen, Flags, SackBlocks, Timestamps, UserTimeout, checksum};
use tcpspec_reference::{Config, ConnOption, Endpoint, Mutant};

use crate::script::{ACK, RST, SYN, Script};
use crate::{SEC, Scenario, blocks, sacking, start, with, with_options};

const DAY: u64 = 86_400 * SEC;

/// Established with timestamps; the peer's next segment carries `value` and echoes the SYN,ACK.
fn stamped(mutant: Option<Mutant>, value: u32) -> Script {
    let mut s = with_options(mutant, Config::default());
    s.listen();
    let syn_ack = s.tx(SYN, 0, 0, b"");
    let echo = syn_ack.first().and_then(|got| got.options.timestamps).map_or(0, |stamp| stamp.value);
    s.options.timestamps = Some(Timestamps { value, echo });
    s.tx(ACK, 1, 1, b"");
    s.accept();
    s
}

/// A connection whose peer advises a user timeout, and text that it does not acknowledge.
fn advised(mutant: Option<Mutant>, advice: u64, own: Option<u64>) -> Script {
    let mut s = with(mutant, Config { user_timeout_option: true, ..Config::default() });
    s.syn_options.user_timeout = Some(UserTimeout(Duration::from_secs(advice)));
    let mut s = s.active();
    if let Some(own) = own {
        s.set(ConnOption::UserTimeout(Duration::from_secs(own)));
    }
    s.send(b"unheard");
    s.wait(4000 * SEC);
    s.note("after");
    s
}

/// Opened in a tenth of a second, with SACK and RACK.
fn racked(mutant: Option<Mutant>) -> Script {
    let mut s = sacking(mutant, Config { rack: true, ..Config::default() });
    s.connect();
    s.now = s.now + Duration::from_millis(100);
    s.tx(SYN | ACK, 0, 1, b"");
    s
}

/// `ack`, and one SACK block, both relative.
fn report(s: &mut Script, ack: u32, from: u32, to: u32) {
    let base = s.iss.map_or(0, |iss| iss.0);
    s.options.sack = blocks(&[(base.wrapping_add(from), base.wrapping_add(to))]);
    s.tx(ACK, 1, ack, b"");
    s.options.sack = SackBlocks::default();
}

/// Another connection from the next port, with text for its SYN.
fn again(s: &mut Script) {
    s.iss = None;
    s.peer.set_port(s.peer.port() + 1);
    s.connect();
    s.send(b"early");
}

/// One of two fragments of an IPv4 packet, cut after the first 32 octets of what it carries.
fn fragment(packet: &[u8], second: bool) -> Vec<u8> {
    let mut octets = packet[..20].to_vec();
    octets.extend(if second { &packet[52..] } else { &packet[20..52] });
    let total = octets.len() as u16;
    octets[2..4].copy_from_slice(&total.to_be_bytes());
    octets[6..8].copy_from_slice(if second { &[0, 4] } else { &[0x20, 0] });
    octets[10..12].fill(0);
    let sum = checksum::of(&octets[..20]);
    octets[10..12].copy_from_slice(&sum.to_be_bytes());
    octets
}

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a SYN that echoes something", |m| {
        let mut s = with_options(m, Config::default());
        s.syn_options.timestamps = Some(Timestamps { value: 100, echo: 7 });
        s.passive()
    }),
    ("timestamps of resets", |m| {
        let mut s = stamped(m, 200);
        s.options.timestamps = Some(Timestamps { value: 500, echo: 1 });
        s.tx(RST, 26, 0, b"");
        s.options.timestamps = Some(Timestamps { value: 400, echo: 1 });
        s.tx(ACK, 1, 1, b"text");
        s.wait(SEC);
        s.read(10);
        s.abort();
        s
    }),
    ("a timestamp of 25 days ago", |m| {
        let mut s = stamped(m, 200);
        s.wait(25 * DAY);
        s.options.timestamps = Some(Timestamps { value: 50, echo: 1 });
        s.tx(ACK, 1, 1, b"text");
        s.wait(SEC);
        s.read(10);
        s
    }),
    ("a window of more than 16 bits", |m| {
        let mut s = with_options(m, Config { initial_window: 200, ..Config::default() }).active();
        s.tx(ACK, 1, 1, b"x");
        s.send(&[5; 60_000]);
        s
    }),
    ("an old echo on text", |m| {
        let mut s = stamped(m, 200);
        s.send(b"measured");
        s.tx(ACK, 1, 9, b"");
        s.wait(30 * SEC);
        s.tx(ACK, 1, 9, b"text");
        s.send(b"unheard");
        s.wait(100 * SEC);
        s
    }),
    ("user timeout said", |m| {
        let mut s = with(m, Config { user_timeout_option: true, ..Config::default() }).active();
        s.set(ConnOption::UserTimeout(Duration::from_secs(200)));
        s
    }),
    ("a long user timeout advised", |m| advised(m, 3000, None)),
    ("a short user timeout advised", |m| advised(m, 50, None)),
    ("no user timeout advised", |m| advised(m, 0, None)),
    ("a user timeout advised and another set", |m| advised(m, 3000, Some(200))),
    ("keep-alives after the user timeout", |m| {
        let mut s = with(m, Config { user_timeout_option: true, ..Config::default() });
        s.syn_options.user_timeout = Some(UserTimeout(Duration::from_secs(3000)));
        let mut s = s.active();
        s.set(ConnOption::KeepAliveIdle(Duration::from_secs(600)));
        s.set(ConnOption::KeepAlive(true));
        s.wait(3500 * SEC);
        s
    }),
    ("text on a SYN in the window", |m| {
        let mut s = start(m).passive();
        s.tx(SYN, 1, 0, b"bcde");
        s.tx(ACK, 1, 1, b"a");
        s.wait(SEC);
        s.read(10);
        s
    }),
    ("an ACK as old as the window is large", |m| {
        let mut s = start(m);
        s.window = 1000;
        let mut s = s.active();
        s.send(&[5; 1000]);
        s.tx(ACK, 1, 1001, b"");
        s.tx(ACK, 1, 1, b"text");
        s.wait(SEC);
        s.read(10);
        s
    }),
    ("an old ACK after the window has become small", |m| {
        let mut s = start(m).active();
        s.send(&[5; 3000]);
        s.window = 100;
        s.tx(ACK, 1, 3001, b"");
        s.tx(ACK, 1, 1, b"text");
        s.wait(SEC);
        s.read(10);
        s
    }),
    ("a window that shrinks below what is in flight", |m| {
        let mut s = start(m).active();
        s.send(&[5; 5000]);
        s.window = 500;
        s.tx(ACK, 1, 1001, b"");
        s.wait(20 * SEC);
        s
    }),
    ("a CE mark outside the window", |m| {
        let mut s = with(m, Config { ecn: true, ..Config::default() });
        s.listen();
        s.tx(SYN | Flags::ECE | Flags::CWR, 0, 0, b"");
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s.ecn = Ecn::Ce;
        s.tx(ACK, 100_000, 1, b"outside");
        s
    }),
    ("an echo at a window of one segment", |m| {
        let mut s = with(m, Config { ecn: true, initial_window: 1, ..Config::default() });
        s.connect();
        s.tx(SYN | ACK | Flags::ECE, 0, 1, b"");
        s.send(&[5; 5000]);
        s.tx(ACK | Flags::ECE, 1, 1001, b"");
        s.wait(3 * SEC);
        s
    }),
    ("lost tail without SACK", |m| {
        let mut s = with(m, Config { rack: true, ..Config::default() }).active();
        s.send(&[5; 1000]);
        s.wait(50);
        s.tx(ACK, 1, 1001, b"");
        s.send(&[5; 3000]);
        s.wait(3 * SEC);
        s
    }),
    ("a lost tail behind a full window", |m| {
        let mut s = racked(m);
        s.send(&[5; 60_000]);
        s.wait(SEC);
        s
    }),
    ("a retransmission that is lost", |m| {
        let mut s = racked(m);
        s.send(&[5; 5000]);
        s.wait(100);
        report(&mut s, 1, 1001, 5001);
        s.wait(5);
        s.send(&[5; 2000]);
        s.wait(150);
        report(&mut s, 1, 1001, 6001);
        s.wait(5 * SEC);
        s
    }),
    ("a duplicate reported, then reordering", |m| {
        let mut s = racked(m);
        s.send(&[5; 2000]);
        s.wait(100);
        report(&mut s, 2001, 1, 1001);
        s.send(&[5; 2000]);
        s.wait(5);
        s.send(&[5; 3000]);
        s.wait(95);
        report(&mut s, 2001, 4001, 5001);
        s.wait(200);
        s
    }),
    ("text after a known hole", |m| {
        let mut s = racked(m);
        s.send(&[5; 5000]);
        s.wait(100);
        report(&mut s, 1, 1001, 3001);
        s.wait(60);
        s.send(&[5; 1000]);
        s.wait(5 * SEC);
        s
    }),
    ("two blocks that lie apart", |m| {
        let mut s = sacking(m, Config { rack: true, ..Config::default() });
        s.connect();
        s.now = s.now + Duration::from_millis(100);
        s.tx(SYN | ACK, 0, 1, b"");
        let base = s.iss.map_or(0, |iss| iss.0).wrapping_add(1);
        s.send(&[5; 4000]);
        s.wait(100);
        let above = |from: u32| (base.wrapping_add(from), base.wrapping_add(from + 1000));
        s.options.sack = blocks(&[above(3000), above(1000)]);
        s.tx(ACK, 1, 1, b"");
        s.wait(100);
        s
    }),
    ("fast open, a client", |m| {
        let mut s = with(m, Config { fast_open: true, ..Config::default() });
        s.connect();
        s.wait(2 * SEC);
        s.abort();
        // Nobody answered, so it is left alone for an hour (RFC 7413 4.1.3.1).
        again(&mut s);
        s.wait(3601 * SEC);
        s.abort();
        again(&mut s);
        s.syn_options.fast_open = Some(FastOpen::Cookie { octets: [3; 16], len: 16 });
        s.tx(SYN | ACK, 0, 1, b"");
        s.abort();
        // The text is not taken.
        again(&mut s);
        s.syn_options.fast_open = None;
        s.tx(SYN | ACK, 0, 1, b"");
        s.wait(2 * SEC);
        s.abort();
        again(&mut s);
        s
    }),
    ("fast open, a server that repeats", |m| {
        let mut s = with(m, Config { fast_open: true, ..Config::default() });
        s.listen();
        s.syn_options.fast_open = Some(FastOpen::Request);
        s.tx(SYN, 0, 0, b"");
        s.wait(2 * SEC);
        s
    }),
    ("fast open, a server that has enough", |m| {
        let mut s = with(m, Config { fast_open: true, fast_open_backlog: 0, ..Config::default() });
        s.syn_options.fast_open = Some(FastOpen::Request);
        s.passive()
    }),
    ("fragments in the wrong order", |m| {
        let mut s = start(m).passive();
        let packet = s.packet(ACK, 1, 1, &[7; 40]);
        s.raw(&fragment(&packet, true));
        s.raw(&fragment(&packet, false));
        s.wait(SEC);
        s.read(100);
        s
    }),
    ("an extension header", |m| {
        let mut s = start(m);
        s.target = "[fd00::1]:80".parse().unwrap();
        s.peer = "[fd00::2]:4000".parse().unwrap();
        s.tcp = Endpoint::new(Config { addresses: vec![s.target.ip()], mutant: m, ..Config::default() });
        let mut s = s.passive();
        let mut packet = s.packet(ACK, 1, 1, b"extended");
        let len = (packet.len() - 40 + 8) as u16;
        packet[4..6].copy_from_slice(&len.to_be_bytes());
        // Hop-by-hop options, all of them padding (RFC 8200 4.3).
        packet[6] = 0;
        packet.splice(40..40, [6, 0, 1, 4, 0, 0, 0, 0]);
        s.raw(&packet);
        s.wait(SEC);
        s.read(100);
        s
    }),
];
