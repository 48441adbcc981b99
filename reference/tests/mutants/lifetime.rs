//! Opening and closing: the handshake, the half-open queue, resets at closed ports, the ways to the end.

use std::time::Duration;

use tcpspec_reference::wire::Flags;
use tcpspec_reference::{Config, ConnOption};

use crate::script::{ACK, FIN, PSH, RST, SYN, patch};
use crate::{SEC, Scenario, start, with};

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("passive open, data both ways, close", |m| {
        let mut s = start(m).passive();
        s.note(&format!("iss {:?}", s.iss));
        s.tx(ACK | PSH, 1, 1, b"hello");
        s.wait(1000);
        s.read(100);
        s.send(b"world");
        s.tx(ACK, 6, 6, b"");
        s.tx(FIN | ACK, 6, 6, b"");
        s.wait(1000);
        s.read(10);
        s.close();
        s.tx(ACK, 7, 7, b"");
        s.wait(1000);
        s.tx(ACK, 7, 7, b"");
        s
    }),
    ("active open, active close, TIME-WAIT", |m| {
        let mut s = start(m).active();
        s.send(b"abc");
        s.tx(ACK, 1, 4, b"");
        s.shutdown();
        s.tx(ACK, 1, 5, b"");
        s.tx(ACK, 1, 5, b"half");
        s.wait(SEC);
        s.read(100);
        s.tx(FIN | ACK, 5, 5, b"");
        s.wait(SEC);
        s.tx(FIN | ACK, 5, 5, b"");
        s.wait(130 * SEC);
        s.tx(FIN | ACK, 5, 5, b"");
        s.wait(200 * SEC);
        s.tx(ACK, 6, 5, b"");
        s.wait(100 * SEC);
        s.tx(ACK, 6, 5, b"");
        s
    }),
    ("TIME-WAIT to its end", |m| {
        let mut s = start(m).active();
        s.shutdown();
        s.tx(FIN | ACK, 1, 2, b"");
        s.wait(239 * SEC);
        s.note("still");
        s.wait(2 * SEC);
        s.tx(FIN | ACK, 1, 2, b"");
        s
    }),
    ("TIME-WAIT with keep-alives", |m| {
        let mut s = start(m).active();
        s.set(ConnOption::KeepAliveIdle(Duration::from_secs(20)));
        s.set(ConnOption::KeepAlive(true));
        s.shutdown();
        s.tx(FIN | ACK, 1, 2, b"");
        s.wait(100 * SEC);
        s
    }),
    ("TIME-WAIT, SYN of any number", |m| {
        let mut s = start(m).passive();
        s.shutdown();
        s.tx(FIN | ACK, 1, 2, b"");
        s.tx(SYN, 0u32.wrapping_sub(5000), 0, b"");
        s.wait(10);
        s.tx(SYN, 5000, 0, b"");
        s
    }),
    ("both FINs cross", |m| {
        let mut s = start(m).active();
        s.shutdown();
        s.tx(FIN | ACK, 1, 1, b"");
        s.note("closing");
        s.tx(ACK, 2, 2, b"");
        s.note("after");
        s.wait(300 * SEC);
        s
    }),
    ("FIN lost", |m| {
        let mut s = start(m).active();
        s.shutdown();
        s.wait(10 * SEC);
        s.tx(ACK, 1, 2, b"");
        s
    }),
    ("data and FIN unacknowledged", |m| {
        let mut s = start(m).active();
        s.send(&[7; 1500]);
        s.shutdown();
        s.wait(500);
        s.tx(ACK, 1, 1502, b"");
        s
    }),
    ("close with unsent data and a small window", |m| {
        let mut s = start(m);
        s.window = 1000;
        let mut s = s.active();
        s.send(&[7; 3000]);
        s.close();
        s.tx(ACK, 1, 1001, b"");
        s.tx(ACK, 1, 2001, b"");
        s.tx(ACK, 1, 3001, b"");
        s.wait(5 * SEC);
        s
    }),
    ("last ack", |m| {
        let mut s = start(m).passive();
        s.tx(FIN | ACK, 1, 1, b"");
        s.note("close-wait");
        s.send(b"late");
        s.tx(ACK, 2, 5, b"");
        s.tx(RST, 2, 0, b"");
        s.note("reset");
        s
    }),
    ("close-wait, close", |m| {
        let mut s = start(m).passive();
        s.tx(FIN | ACK, 1, 1, b"");
        s.close();
        s.note("last-ack");
        s.tx(ACK, 2, 2, b"");
        s.note("done");
        s
    }),
    ("unread data at close", |m| {
        let mut s = start(m).passive();
        s.tx(ACK, 1, 1, b"unread");
        s.close();
        s.wait(SEC);
        s
    }),
    ("data after close", |m| {
        let mut s = start(m).passive();
        s.close();
        s.tx(ACK, 1, 2, b"");
        s.tx(ACK, 1, 2, b"late");
        s.wait(SEC);
        s
    }),
    ("abort", |m| {
        let mut s = start(m).passive();
        s.send(&[1; 100]);
        s.abort();
        s
    }),
    ("closed port", |m| {
        let mut s = start(m);
        s.tx(SYN, 0, 0, b"");
        s.tx(SYN, 0, 0, b"abc");
        s.tx(Flags::default(), 0, 0, b"abc");
        s.tx(ACK, 5, 77, b"");
        s.tx(FIN | ACK, 5, 77, b"x");
        s.tx(RST, 5, 77, b"");
        s.tx(RST | ACK, 5, 77, b"");
        s
    }),
    ("listen", |m| {
        let mut s = start(m);
        s.listen();
        s.tx(ACK, 5, 77, b"");
        s.tx(SYN | ACK, 5, 77, b"");
        s.tx(FIN, 5, 0, b"");
        s.tx(Flags::default(), 5, 0, b"x");
        s.tx(RST, 5, 0, b"");
        s.wait(5 * SEC);
        s
    }),
    ("group addresses", |m| {
        let mut s = start(m);
        s.listen();
        let packet = s.packet(SYN, 0, 0, b"");
        for (at, octets) in [(16, [224, 0, 0, 1]), (16, [255; 4]), (12, [224, 0, 0, 9]), (12, [255; 4])] {
            let mut bad = packet.clone();
            patch(&mut bad, |packet| packet[at..at + 4].copy_from_slice(&octets));
            s.raw(&bad);
        }
        s.note("still");
        let remote = "224.0.0.1:9".parse().unwrap();
        let now = s.now;
        let result = s.tcp.connect(now, None, remote).map(|_| ());
        s.note(&format!("{result:?}"));
        let remote = "10.0.0.7:9".parse().unwrap();
        let first = s.tcp.connect(now, None, remote).ok().and_then(|conn| s.tcp.status(conn).local);
        s.note(&format!("{first:?}"));
        s
    }),
    ("SYN-SENT answers", |m| {
        let mut s = start(m);
        s.connect();
        s.tx(ACK, 0, 0, b"");
        s.tx(SYN | ACK, 0, 9, b"");
        s.tx(RST | ACK, 0, 9, b"");
        s.note("bad reset");
        s.tx(RST, 0, 0, b"");
        s.note("bare reset");
        s.tx(ACK, 0, 1, b"");
        s.note("bare ack");
        s.tx(RST | ACK, 0, 1, b"");
        s.note("reset");
        s
    }),
    ("SYN-SENT, only a bad SYN,ACK", |m| {
        let mut s = start(m);
        s.connect();
        s.tx(SYN | ACK, 0, 9, b"");
        s.note("then");
        s
    }),
    ("SYN,ACK with text", |m| {
        let mut s = start(m);
        s.connect();
        s.tx(SYN | ACK, 0, 1, b"early");
        s.wait(500);
        s.read(10);
        s
    }),
    ("SYN lost for ever", |m| {
        let mut s = start(m);
        s.connect();
        s.wait(400 * SEC);
        s
    }),
    ("SYN lost once, then data", |m| {
        let mut s = start(m);
        s.connect();
        s.wait(1500);
        s.tx(SYN | ACK, 0, 1, b"");
        s.send(&[1; 5000]);
        s.wait(6 * SEC);
        s
    }),
    ("SYN,ACK lost for ever", |m| {
        let mut s = start(m);
        s.listen();
        s.tx(SYN, 0, 0, b"");
        s.accept();
        s.wait(400 * SEC);
        s
    }),
    ("SYN-RECEIVED", |m| {
        let mut s = start(m);
        s.listen();
        s.tx(SYN, 0, 0, b"");
        s.tx(SYN, 0, 0, b"");
        s.tx(ACK, 1, 9, b"");
        s.accept();
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s
    }),
    ("accept before the handshake", |m| {
        let mut s = start(m);
        s.listen();
        s.tx(SYN, 0, 0, b"");
        s.accept();
        s.send(b"too soon");
        s.close();
        s.wait(10);
        s
    }),
    ("simultaneous open", |m| {
        let mut s = start(m);
        s.connect();
        s.send(b"queued");
        s.tx(SYN, 0, 0, b"");
        s.note("syn-received");
        s.tx(SYN | ACK, 0, 1, b"");
        s.note("then");
        s
    }),
    ("simultaneous open, closed", |m| {
        let mut s = start(m);
        s.connect();
        s.tx(SYN, 0, 0, b"");
        s.close();
        s.wait(10);
        s
    }),
    ("simultaneous open, reset", |m| {
        let mut s = start(m);
        s.connect();
        s.tx(SYN, 0, 0, b"");
        s.tx(RST, 1, 0, b"");
        s.note("then");
        s
    }),
    ("half-open queue", |m| {
        let mut s = with(m, Config { syn_backlog: 1, syn_cookies: true, ..Config::default() });
        s.listen();
        s.tx(SYN, 0, 0, b"");
        s.peer.set_port(4001);
        s.iss = None;
        s.syn_options.sack_permitted = true;
        s.tx(SYN, 0, 0, b"");
        s.tx(ACK, 1, 5, b"");
        s.tx(ACK, 1, 1, b"");
        s.accept();
        s
    }),
    ("calls out of turn", |m| {
        let mut s = start(m);
        s.listen();
        s.connect();
        s.read(10);
        s.connect();
        s.peer = "0.0.0.0:4000".parse().unwrap();
        s.connect();
        s
    }),
    ("closed twice", |m| {
        let mut s = start(m).passive();
        s.shutdown();
        s.tx(ACK, 1, 2, b"");
        s.shutdown();
        s.tx(FIN | ACK, 1, 2, b"");
        s.read(10);
        s
    }),
];
