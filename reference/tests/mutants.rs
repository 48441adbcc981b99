//! Every mutant does something that can be seen: a battery of scripts is played against the clean stack and
//! against each mutant, and the records must differ.
//!
//! This says that a mutant is alive, not that a suite catches it; that is for the suites to show.

mod script;

use std::time::Duration;

use script::{ACK, FIN, Got, ISN, PSH, RST, SYN, Script, URG, patch};
use tcpspec_reference::wire::{
    Ecn, FastOpen, Flags, Options, SackBlock, SackBlocks, Timestamps, UserTimeout,
};
use tcpspec_reference::{Config, ConnOption, Mutant, SeqNum};

type Scenario = (&'static str, fn(Option<Mutant>) -> Script);

fn start(mutant: Option<Mutant>) -> Script {
    Script::mutated(mutant, Config::default())
}

fn with(mutant: Option<Mutant>, config: Config) -> Script {
    Script::mutated(mutant, config)
}

const SEC: u64 = 1000;

fn blocks(list: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(start, end) in list {
        blocks.push(SackBlock { start: SeqNum(start), end: SeqNum(end) });
    }
    blocks
}

/// Acknowledges everything as it comes, for `rounds` rounds.
fn absorb(s: &mut Script, rounds: usize, first: Vec<Got>) {
    let mut pending = first;
    for _ in 0..rounds {
        let Some(end) = pending.iter().map(|got| got.seq + got.payload.len() as u32).max() else { return };
        s.now = s.now + Duration::from_millis(50);
        pending.clear();
        pending.extend(s.tx(ACK, 1, end, b""));
    }
}

fn with_options(mutant: Option<Mutant>, config: Config) -> Script {
    let mut s = with(mutant, config);
    s.syn_options = Options {
        mss: Some(1000),
        window_scale: Some(2),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 100, echo: 0 }),
        ..Options::default()
    };
    s.options.timestamps = Some(Timestamps { value: 101, echo: 0 });
    s
}

fn sacking(mutant: Option<Mutant>, config: Config) -> Script {
    let mut s = with(mutant, config);
    s.syn_options.sack_permitted = true;
    s
}

#[rustfmt::skip]
const SCENARIOS: &[Scenario] = &[
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

fn differs(mutant: Mutant, clean: &[String]) -> Option<&'static str> {
    SCENARIOS
        .iter()
        .zip(clean)
        .find(|((_, run), clean)| run(Some(mutant)).log != **clean)
        .map(|((name, _), _)| *name)
}

#[test]
fn every_mutant_shows() {
    let clean: Vec<String> = SCENARIOS.iter().map(|(_, run)| run(None).log).collect();
    let dead: Vec<&str> = Mutant::ALL
        .iter()
        .copied()
        .filter(|&mutant| differs(mutant, &clean).is_none())
        .map(Mutant::id)
        .collect();
    assert!(dead.is_empty(), "{} of {} mutants change nothing: {dead:#?}", dead.len(), Mutant::ALL.len());
}

#[test]
fn the_same_script_gives_the_same_record() {
    for (name, run) in SCENARIOS {
        assert_eq!(run(None).log, run(None).log, "{name}");
    }
    let _ = ISN;
}
