//! What arrives: acceptance, resets, acknowledgments, order, the receive window, urgent data.

use tcpspec_reference::Config;
use tcpspec_reference::wire::Flags;

use crate::script::{ACK, FIN, RST, SYN, URG};
use crate::{SEC, Scenario, sacking, start, with};

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a buffer smaller than a segment", |m| {
        let mut s = with(m, Config { recv_buffer: 1000, ..Config::default() }).passive();
        s.tx(ACK, 1, 1, &[b'x'; 1000]);
        s.wait(SEC);
        s.read(600);
        s
    }),
    ("octets one by one into a scaled window", |m| {
        let mut s = with(m, Config { recv_buffer: 200_000, ..Config::default() });
        s.syn_options.window_scale = Some(0);
        let mut s = s.passive();
        for seq in 1..6 {
            s.tx(ACK, seq, 1, b"x");
        }
        s.wait(SEC);
        s
    }),
    ("wrong twice", |m| {
        let mut s = with(m, Config { recv_buffer: 1000, ..Config::default() }).passive();
        s.tx(ACK, 1, 1, &[b'x'; 1000]);
        s.tx(ACK, 1001, 50, b"y");
        s
    }),
    ("urgent data behind the end", |m| {
        let mut s = start(m).passive();
        s.tx(FIN | ACK, 1, 1, b"");
        s.urgent = 5;
        s.tx(ACK | URG, 2, 1, b"");
        s.note("after");
        s
    }),
    ("text from the number of the end", |m| {
        let mut s = start(m).passive();
        s.tx(FIN | ACK, 1, 1, b"");
        s.tx(ACK, 1, 1, b"over");
        s.note("after");
        s
    }),
    ("text from before the first octet", |m| {
        let mut s = sacking(m, Config::default()).passive();
        s.tx(ACK, 0u32.wrapping_sub(999), 1, b"old");
        s
    }),
    ("text that fills a hole and was held", |m| {
        let mut s = sacking(m, Config::default()).passive();
        s.tx(ACK, 5, 1, b"held");
        s.tx(ACK, 1, 1, b"not held");
        s
    }),
    ("sequence check", |m| {
        let mut s = start(m).passive();
        for (seq, text) in [(0u32, &b""[..]), (0, b"a"), (0, b"ab"), (70_000, b"x"), (66_000, b"")] {
            s.tx(ACK, seq, 1, text);
            s.wait(300);
        }
        s.read(100);
        s.tx(ACK, 2, 1, b"over the wrap, with some more text after it to get there");
        s.wait(300);
        s.tx(ACK, 58, 1, b"on the other side");
        s.wait(300);
        s.read(100);
        s
    }),
    ("resets", |m| {
        for (seq, payload) in [(1u32, &b""[..]), (2, b""), (0, b""), (70_000, b""), (1, b"why")] {
            let mut s = start(m).passive();
            s.tx(RST, seq, 0, payload);
            s.note("after");
            s.read(10);
            if s.log != start(None).passive().log {
                continue;
            }
        }
        let mut s = start(m).passive();
        for seq in [0, 70_000, 2, 1] {
            s.tx(RST, seq, 0, b"");
            s.note("after");
        }
        s.read(10);
        s
    }),
    ("reset with text", |m| {
        let mut s = start(m).passive();
        s.tx(RST, 1, 0, b"why");
        s.note("after");
        s
    }),
    ("a FIN sent before the window closed", |m| {
        let mut s = start(m).active();
        s.shutdown();
        s.window = 0;
        s.tx(ACK, 1, 1, b"");
        s.wait(10 * SEC);
        s
    }),
    ("reset exact", |m| {
        let mut s = start(m).passive();
        s.tx(RST, 1, 0, b"");
        s.note("after");
        s
    }),
    ("challenges", |m| {
        let mut s = start(m).passive();
        s.tx(SYN, 5, 0, b"");
        s.note("syn");
        for _ in 0..120 {
            s.tx(SYN, 5, 0, b"");
        }
        s
    }),
    ("acknowledgments", |m| {
        let mut s = start(m).passive();
        s.send(&[1; 100]);
        s.tx(Flags::default(), 1, 1, b"no ack");
        s.wait(300);
        s.tx(ACK, 1, 5000, b"future");
        s.wait(300);
        s.tx(ACK, 1, 0u32.wrapping_sub(50_000), b"past");
        s.wait(300);
        s.read(100);
        s
    }),
    ("order and holes", |m| {
        let mut s = start(m).passive();
        s.tx(ACK, 6, 1, b"second");
        s.wait(300);
        s.tx(ACK, 1, 1, b"first");
        s.wait(300);
        s.read(100);
        s.tx(ACK, 1, 1, b"firstagain more");
        s.wait(300);
        s.tx(ACK, 20, 1, b"ab");
        s.tx(ACK, 20, 1, b"abcd");
        s.tx(ACK, 16, 1, b"1234");
        s.wait(300);
        s.read(100);
        s.tx(FIN | ACK, 30, 1, b"");
        s.wait(10);
        s.tx(ACK, 24, 1, b"123456");
        s.wait(10);
        s.tx(ACK, 30, 1, b"past the end");
        s.tx(ACK, 31, 1, b"past the end");
        s.read(100);
        s
    }),
    ("text beyond a FIN above a hole", |m| {
        let mut s = start(m).passive();
        s.tx(FIN | ACK, 5, 1, b"");
        s.tx(ACK, 1, 1, b"1234567");
        s.wait(300);
        s.read(100);
        s
    }),
    ("delayed acknowledgments", |m| {
        let mut s = start(m).passive();
        for n in 0..9 {
            s.tx(ACK, 1 + n * 100, 1, &[b'a'; 100]);
        }
        s.wait(SEC);
        s.read(1000);
        s.tx(ACK, 901, 1, b"x");
        s.send(b"reply");
        s.wait(SEC);
        s.tx(ACK, 902, 6, b"");
        s
    }),
    ("receive window", |m| {
        let mut s = with(m, Config { recv_buffer: 4000, ..Config::default() }).passive();
        for n in 0..4 {
            s.tx(ACK, 1 + n * 1000, 1, &[n as u8; 1000]);
        }
        s.tx(ACK, 4001, 1, b"?");
        s.tx(ACK | URG, 4001, 1, b"");
        s.send(b"out");
        s.tx(ACK, 4001, 4, b"!");
        s.wait(SEC);
        for _ in 0..20 {
            s.read(150);
        }
        s.wait(SEC);
        s.tx(ACK, 4501, 4, &[9; 700]);
        s.tx(ACK, 4001, 4, &[8; 500]);
        s.tx(ACK, 5201, 4, &[7; 9000]);
        s.wait(SEC);
        for _ in 0..8 {
            s.read(3000);
        }
        s
    }),
    ("text held while the application reads", |m| {
        let mut s = with(m, Config { recv_buffer: 4000, ..Config::default() }).passive();
        s.tx(ACK, 1, 1, &[1; 1000]);
        s.tx(ACK, 1001, 1, &[1; 1000]);
        s.tx(ACK, 2501, 1, &[2; 1200]);
        s.read(2000);
        s.wait(300);
        s
    }),
    ("urgent", |m| {
        let mut s = start(m).passive();
        s.urgent = 3;
        s.tx(ACK, 1, 1, b"plain");
        s.tx(ACK | URG, 6, 1, b"urgent");
        s.tx(ACK | URG, 9, 1, b"ent");
        s.urgent = 0;
        s.tx(ACK | URG, 12, 1, b"x");
        s.read(20);
        s.send_urgent(b"help");
        s.send(b"more");
        s
    }),
];
