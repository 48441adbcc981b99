//! Octets read as application calls, segments, ICMP errors, junk and jumps in time, on one endpoint. The tests feed
//! it from a generator of numbers, the fuzzer from its corpus.

use std::time::Duration;

use crate::script::{self, ACK, FIN, RST, SYN, Script, URG};
use tcpspec_reference::wire::{Ecn, FastOpen, Flags, Options, SackBlock, Timestamps, UserTimeout};
use tcpspec_reference::{Config, CongestionAlgorithm, ConnOption, Endpoint, Instant, Mutant, SeqNum};

/// Decisions, read from octets. When they are spent every answer is zero.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn next(&mut self) -> u64 {
        let taken;
        (taken, self.0) = self.0.split_at(self.0.len().min(4));
        taken.iter().fold(0, |number, &octet| number << 8 | u64::from(octet))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn config(dice: &mut Dice<'_>) -> Config {
    Config {
        mtu: dice.pick(&[1500, 68, 576, 9000]),
        recv_buffer: dice.pick(&[65535, 1 << 20, 1000, 1]),
        send_buffer: dice.pick(&[65536, 1 << 20, 1]),
        ecn: dice.chance(50),
        rack: dice.chance(50),
        fast_open: dice.chance(50),
        user_timeout_option: dice.chance(50),
        rfc5961: dice.chance(50),
        rfc1337: dice.chance(50),
        syn_backlog: dice.pick(&[0, 2, 100]),
        backlog: dice.pick(&[0, 1, 100]),
        max_connections: 50,
        congestion: dice.pick(&[CongestionAlgorithm::NewReno, CongestionAlgorithm::Cubic]),
        msl: Duration::from_secs(dice.pick(&[1, 120])),
        ..Config::default()
    }
}

fn options(dice: &mut Dice<'_>, s: &Script) -> Options {
    let mut options = Options::default();
    if dice.chance(40) {
        options.timestamps = Some(Timestamps { value: dice.next() as u32, echo: dice.next() as u32 });
    }
    if dice.chance(20) {
        let base = s.iss.unwrap_or_default();
        for _ in 0..dice.below(4) {
            let start = base + dice.below(5000) as u32;
            let end = if dice.chance(10) { start - 7 } else { start + dice.below(3000) as u32 };
            options.sack.push(SackBlock { start, end });
        }
    }
    if dice.chance(5) {
        options.user_timeout = Some(UserTimeout(Duration::from_secs(dice.below(40_000))));
    }
    options
}

fn syn_options(dice: &mut Dice<'_>, s: &Script) -> Options {
    let mut options = Options { sack: Default::default(), ..options(dice, s) };
    options.mss = dice.chance(80).then(|| dice.pick(&[0, 1, 13, 536, 1460, 65535]));
    options.window_scale = dice.chance(50).then(|| dice.pick(&[0, 1, 7, 14, 15, 255]));
    options.sack_permitted = dice.chance(50);
    if dice.chance(20) {
        options.fast_open = Some(FastOpen::Request);
    }
    options
}

fn segment(dice: &mut Dice<'_>, s: &mut Script) {
    let flags = if dice.chance(80) {
        dice.pick(&[ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST, RST | ACK, ACK | URG])
    } else {
        Flags(dice.next() as u8)
    };
    let near = |dice: &mut Dice<'_>| match dice.below(10) {
        0 => dice.next() as u32,
        1 => 0u32.wrapping_sub(dice.below(70_000) as u32),
        _ => dice.below(6000) as u32,
    };
    let status = s.conn.map(|conn| s.tcp.status(conn));
    let (seq, ack) = match status {
        Some(status) if dice.chance(60) => (
            status.rcv_nxt.distance_from(s.isn),
            status
                .snd_una
                .distance_from(s.iss.unwrap_or_default())
                .wrapping_add(dice.below(u64::from(status.snd_nxt.distance_from(status.snd_una)) + 2) as u32),
        ),
        _ => (near(dice), near(dice)),
    };
    let payload = vec![dice.next() as u8; dice.pick(&[0, 0, 0, 1, 10, 1000, 3000])];
    s.window = dice.pick(&[0, 1, 100, 5000, 65535]);
    s.urgent = dice.pick(&[0, 1, 50, 65535]);
    s.ecn = dice.pick(&[Ecn::NotEct, Ecn::Ect0, Ecn::Ce]);
    s.options = options(dice, s);
    s.syn_options = syn_options(dice, s);
    if dice.chance(10) {
        s.peer.set_port(4000 + dice.below(100) as u16);
    } else {
        s.peer.set_port(4000);
    }
    let mut packet = s.packet(flags, seq, ack, &payload);
    if dice.chance(10) {
        let at = dice.below(packet.len() as u64) as usize;
        let octet = dice.next() as u8;
        if at >= 20 {
            script::patch(&mut packet, |packet| packet[at] = octet);
        }
    }
    if dice.chance(3) {
        packet.truncate(dice.below(packet.len() as u64) as usize);
    }
    s.raw(&packet);
}

fn operate(dice: &mut Dice<'_>, s: &mut Script) {
    match dice.below(24) {
        0 => _ = s.connect(),
        1 | 2 => _ = s.accept(),
        3 => _ = s.send(&vec![1; dice.below(20_000) as usize]),
        4 => _ = s.send_urgent(b"urgent"),
        5 | 6 => _ = s.read(dice.below(5000) as usize),
        7 if dice.chance(20) => _ = s.shutdown(),
        8 if dice.chance(20) => _ = s.close(),
        9 if dice.chance(10) => _ = s.abort(),
        10 => _ = s.wait(dice.pick(&[1, 250, 1500, 70_000])),
        11 => {
            let option = dice.pick(&[
                ConnOption::NoDelay(true),
                ConnOption::KeepAlive(true),
                ConnOption::KeepAliveIdle(Duration::from_secs(1)),
                ConnOption::KeepAliveInterval(Duration::from_millis(1)),
                ConnOption::UserTimeout(Duration::from_secs(5)),
                ConnOption::Linger(Some(Duration::ZERO)),
                ConnOption::Dscp(255),
            ]);
            s.set(option);
        }
        12 => {
            let (kind, code) = dice.pick(&[(3, 4), (3, 1), (3, 3), (4, 0), (11, 0)]);
            let mtu = dice.pick(&[0, 1, 68, 100, 600, 65535]);
            let seq = dice.below(3000) as u32;
            s.icmp(kind, code, mtu, seq);
        }
        13 => {
            let junk: Vec<u8> = (0..dice.below(100)).map(|_| dice.next() as u8).collect();
            s.raw(&junk);
        }
        _ => segment(dice, s),
    }
}

/// The most operations of one run.
const OPERATIONS_MAX: usize = 1000;

/// Does what `octets` say until they are spent. Panics if the endpoint does, or if it never stops sending; returns
/// the endpoint for other questions.
pub(crate) fn run(octets: &[u8], mutant: Option<Mutant>) -> Endpoint {
    let mut dice = Dice(octets);
    let mut s = Script::mutated(mutant, config(&mut dice));
    s.isn = SeqNum(dice.next() as u32);
    s.now = Instant::from_millis(dice.next() << 8);
    s.listen();
    if dice.chance(50) {
        s.tx(SYN, 0, 0, b"");
        s.tx(ACK, 1, 1, b"");
        s.accept();
    }
    for _ in 0..OPERATIONS_MAX {
        if dice.0.is_empty() {
            break;
        }
        operate(&mut dice, &mut s);
        s.log.clear();
        assert!(s.tcp.connection_count() <= 400, "connections without end");
        assert!(s.tcp.poll_transmit(s.now).is_none(), "it does not stop sending");
        if let Some(status) = s.conn.map(|conn| s.tcp.status(conn)) {
            let config = s.tcp.config();
            assert!(
                status.unacknowledged <= config.send_buffer as usize,
                "the send buffer overflows: {status:?}"
            );
            // A window rounded up to its scale may promise an eighth more; see `RecvHalf::advertise`.
            let room = config.recv_buffer as usize + config.recv_buffer as usize / 8 + (1 << 14);
            assert!(status.readable <= room, "the receive buffer overflows: {status:?}");
            assert!(status.snd_nxt.at_or_after(status.snd_una), "SND.UNA beyond SND.NXT: {status:?}");
        }
    }
    s.tcp
}
