//! Two endpoints over a network that loses, repeats, reorders, delays and damages packets, in virtual time.
//!
//! Every seed is a different network, configuration and use of the connection. What must hold for all of them: the
//! stream arrives whole and in order or the error is reported; both ends come to rest and forget the connection;
//! no rule that can be seen on the wire is broken; memory stays bounded. `TCPSPEC_SEEDS=N` runs N seeds,
//! `TCPSPEC_SEED=S` runs one.
#![allow(clippy::disallowed_methods)] // a test reads how long it shall run from the environment

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpspec_reference::wire::{Flags, IpPacket, Segment, Verify};
use tcpspec_reference::{
    Config, CongestionAlgorithm, ConnId, Endpoint, EventKind, Instant, Recv, SeqNum, StateName,
};

/// A small generator (xorshift64*), so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// How bad the network is.
#[derive(Debug)]
struct Weather {
    loss: u64,
    duplicate: u64,
    corrupt: u64,
    delay_us: u64,
    jitter_us: u64,
    /// Octets for each millisecond; zero is unlimited.
    rate: u64,
}

/// What one direction of the wire has shown, to check the segments against.
#[derive(Default)]
struct Monitor {
    /// Stream octets seen at each offset, to compare retransmissions.
    octets: BTreeMap<u32, u8>,
    iss: Option<SeqNum>,
    highest_ack: Option<SeqNum>,
    fin: Option<SeqNum>,
    mss: Option<u16>,
}

struct Host {
    tcp: Endpoint,
    conn: Option<ConnId>,
    to_send: Vec<u8>,
    sent: usize,
    got: Vec<u8>,
    eof: bool,
    error: bool,
    /// How fast the application reads; zero at times.
    appetite: u64,
    shut: bool,
    closed: bool,
    monitor: Monitor,
}

struct World {
    seed: u64,
    dice: Dice,
    weather: Weather,
    now: Instant,
    hosts: [Host; 2],
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    serial: u64,
    busy_until: [Instant; 2],
    aborts: bool,
}

fn configs(dice: &mut Dice) -> Config {
    Config {
        mtu: dice.pick(&[1500, 1500, 576, 1280, 9000, 100]),
        recv_buffer: dice.pick(&[65535, 65535, 1 << 20, 4000, 1500, 64]),
        send_buffer: dice.pick(&[65536, 65536, 1000, 1 << 20]),
        window_scale: dice.chance(70),
        timestamps: dice.chance(70),
        sack: dice.chance(70),
        ecn: dice.chance(30),
        rack: dice.chance(40),
        congestion: dice.pick(&[CongestionAlgorithm::NewReno, CongestionAlgorithm::Cubic]),
        rfc5961: dice.chance(80),
        delayed_ack: dice.pick(&[Some(Duration::from_millis(200)), Some(Duration::from_millis(40)), None]),
        rto_min: dice.pick(&[Duration::from_secs(1), Duration::from_millis(200)]),
        fin_wait_2: Some(Duration::from_secs(60)),
        r2: Duration::from_secs(3000),
        syn_r2: Duration::from_secs(3000),
        msl: Duration::from_secs(30),
        ..Config::default()
    }
}

fn host(dice: &mut Dice, address: IpAddr, seed: u64) -> Host {
    let len = dice.pick(&[0, 1, 100, 5000, 40_000, 120_000]);
    let config = Config { addresses: vec![address], seed, ..configs(dice) };
    let small = config.recv_buffer < 2000 || config.mtu == 100;
    let len = if small { len.min(5000) } else { len };
    Host {
        tcp: Endpoint::new(config),
        conn: None,
        to_send: (0..len).map(|n: usize| (n * 31 + n / 256 + seed as usize) as u8).collect(),
        sent: 0,
        got: Vec::new(),
        eof: false,
        error: false,
        appetite: dice.pick(&[100_000, 100_000, 3000, 700]),
        shut: false,
        closed: false,
        monitor: Monitor::default(),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let v6 = dice.chance(30);
        let address = |n: u8| -> IpAddr {
            if v6 { format!("2001:db8::{n}").parse().unwrap() } else { [10, 0, 0, n].into() }
        };
        let harsh = dice.pick(&[0, 1, 5, 20]);
        let weather = Weather {
            loss: dice.below(harsh + 1),
            duplicate: dice.below(harsh + 1),
            corrupt: dice.below(harsh / 4 + 1),
            delay_us: dice.pick(&[100, 5_000, 60_000, 400_000]),
            jitter_us: dice.pick(&[0, 0, 1_000, 100_000]),
            rate: dice.pick(&[0, 0, 1000, 100]),
        };
        let mut hosts = [host(&mut dice, address(1), seed ^ 1), host(&mut dice, address(2), seed ^ 2)];
        if hosts.iter().any(|host| host.tcp.config().mtu == 100) {
            for host in &mut hosts {
                host.to_send.truncate(5000);
            }
        }
        let aborts = dice.chance(10);
        Self {
            seed,
            dice,
            weather,
            now: Instant::from_millis(5),
            hosts,
            flying: BTreeMap::new(),
            serial: 0,
            busy_until: [Instant::ZERO; 2],
            aborts,
        }
    }

    fn transmit(&mut self) {
        for side in 0..2 {
            while let Some(packet) = self.hosts[side].tcp.poll_transmit(self.now) {
                self.watch(side, &packet);
                if self.dice.chance(self.weather.loss) {
                    continue;
                }
                let copies = if self.dice.chance(self.weather.duplicate) { 2 } else { 1 };
                for _ in 0..copies {
                    self.fly(side, packet.clone());
                }
            }
        }
    }

    fn fly(&mut self, side: usize, mut packet: Vec<u8>) {
        if self.dice.chance(self.weather.corrupt) {
            let at = self.dice.below(packet.len() as u64) as usize;
            packet[at] ^= 1 << self.dice.below(8);
        }
        let start = self.busy_until[side].max(self.now);
        let wire = match self.weather.rate {
            0 => 0,
            rate => packet.len() as u64 * 1000 / rate,
        };
        self.busy_until[side] = start + Duration::from_micros(wire);
        let delay = self.weather.delay_us + self.dice.below(self.weather.jitter_us + 1);
        let at = self.busy_until[side] + Duration::from_micros(delay);
        self.serial += 1;
        self.flying.insert((at, self.serial), (side, packet));
    }

    /// The monitors: what any segment of a correct TCP satisfies.
    fn watch(&mut self, side: usize, packet: &[u8]) {
        let seed = self.seed;
        let ip = IpPacket::parse(packet).expect("well-formed IP");
        let segment = Segment::parse(&ip, Verify::Yes).expect("well-formed TCP with a valid checksum");
        let mtu = usize::from(self.hosts[side].tcp.config().mtu);
        assert!(packet.len() <= mtu, "seed {seed}: {} octets over an MTU of {mtu}", packet.len());
        let peer_iss = self.hosts[1 - side].monitor.iss;
        let peer_mss = self.hosts[1 - side].monitor.mss;
        let peer_end = {
            let peer = &self.hosts[1 - side];
            peer.monitor.octets.last_key_value().map_or(0, |(&offset, _)| offset)
        };
        let monitor = &mut self.hosts[side].monitor;
        if segment.has(Flags::RST) {
            return;
        }
        if segment.has(Flags::SYN) {
            assert!(monitor.iss.is_none_or(|iss| iss == segment.seq), "seed {seed}: the ISS moved");
            monitor.iss = Some(segment.seq);
            monitor.mss = segment.options.mss;
            return;
        }
        let iss = monitor.iss.expect("a SYN comes first");
        assert!(segment.has(Flags::ACK), "seed {seed}: no ACK bit");
        if let Some(mss) = peer_mss {
            assert!(segment.payload.len() <= usize::from(mss), "seed {seed}: beyond the MSS");
        }
        for (n, &octet) in segment.payload.iter().enumerate() {
            let offset = segment.seq.distance_from(iss) + n as u32;
            let first = *monitor.octets.entry(offset).or_insert(octet);
            assert_eq!(first, octet, "seed {seed}: another octet at {offset} than the first time");
        }
        let end = segment.end();
        if let Some(fin) = monitor.fin {
            assert!(end.at_or_before(fin + 1), "seed {seed}: something after the FIN");
        }
        if segment.has(Flags::FIN) {
            assert!(monitor.fin.is_none_or(|fin| fin == end - 1), "seed {seed}: the FIN moved");
            monitor.fin = Some(end - 1);
        }
        let ack = segment.ack;
        assert!(monitor.highest_ack.is_none_or(|high| ack.at_or_after(high)), "seed {seed}: ACK went back");
        monitor.highest_ack = Some(ack);
        if let Some(peer) = peer_iss {
            // One for the SYN, one for the FIN.
            assert!(ack.distance_from(peer) <= peer_end + 2, "seed {seed}: acknowledges what was not sent");
        }
    }

    fn applications(&mut self) {
        for side in 0..2 {
            let now = self.now;
            let host = &mut self.hosts[side];
            while let Some(event) = host.tcp.poll_event() {
                match event.kind {
                    EventKind::Accepted { listener } => host.conn = host.tcp.accept(listener).or(host.conn),
                    EventKind::Reset | EventKind::TimedOut | EventKind::Refused => host.error = true,
                    _ => {}
                }
            }
            let Some(conn) = host.conn else { continue };
            if host.closed {
                continue;
            }
            if host.sent < host.to_send.len() {
                match host.tcp.send(now, conn, &host.to_send[host.sent..]) {
                    Ok(len) => host.sent += len,
                    Err(_) => host.sent = host.to_send.len(),
                }
            }
            if self.aborts && self.dice.chance(1) {
                host.tcp.abort(now, conn).ok();
                host.closed = true;
                host.error = true;
                self.hosts[1 - side].error = true;
                continue;
            }
            if self.dice.chance(60) {
                host.read(now, conn);
            }
            // CLOSE in SYN-SENT deletes the connection (RFC 9293 3.10.4), so wait.
            let opening = host.tcp.status(conn).state == StateName::SynSent;
            if host.sent == host.to_send.len() && !host.shut && !opening && self.dice.chance(20) {
                host.tcp.shutdown(now, conn).ok();
                host.shut = true;
            }
            if host.shut && (host.eof || host.error) {
                host.tcp.close(now, conn).ok();
                host.closed = true;
            }
        }
    }

    /// Jumps to the next moment at which anything can happen. The applications look in every so often.
    fn step(&mut self) {
        self.applications();
        self.transmit();
        let mut next = self.now + Duration::from_millis(20 + self.dice.below(200));
        if let Some((&(at, _), _)) = self.flying.first_key_value() {
            next = next.min(at);
        }
        for host in &self.hosts {
            if let Some(at) = host.tcp.poll_timeout() {
                next = next.min(at);
            }
        }
        self.now = self.now.max(next);
        while let Some(entry) = self.flying.first_entry()
            && entry.key().0 <= self.now
        {
            let (from, packet) = entry.remove();
            self.hosts[1 - from].tcp.handle_packet(self.now, &packet);
        }
    }

    fn run(mut self) {
        let seed = self.seed;
        let listener_side = 1;
        self.hosts[listener_side].tcp.listen(self.now, 80).unwrap();
        let remote = SocketAddr::new(self.hosts[1].tcp.config().addresses[0], 80);
        self.hosts[0].conn = Some(self.hosts[0].tcp.connect(self.now, None, remote).unwrap());
        let start = self.now;
        for _ in 0..2_000_000 {
            self.step();
            let done = self.hosts.iter().all(|host| host.closed || (host.error && host.conn.is_none()));
            let gone = self.hosts.iter().all(|host| host.tcp.connection_count() == 0);
            if done && gone && self.flying.is_empty() {
                self.judge();
                return;
            }
            if self.now.since(start) > Duration::from_secs(50_000) {
                break;
            }
        }
        let states: Vec<_> =
            self.hosts.iter().map(|host| host.conn.map(|conn| host.tcp.status(conn))).collect();
        panic!(
            "seed {seed} does not end: {:?} sent {:?} got {:?} {states:#?}",
            self.weather,
            self.hosts.each_ref().map(|host| (host.sent, host.to_send.len(), host.closed, host.error)),
            self.hosts.each_ref().map(|host| (host.got.len(), host.eof)),
        );
    }

    fn judge(&self) {
        for side in 0..2 {
            let (host, peer) = (&self.hosts[side], &self.hosts[1 - side]);
            let seed = self.seed;
            assert!(peer.to_send.starts_with(&host.got), "seed {seed}: the stream was changed");
            if !self.aborts && !host.error && !peer.error {
                assert!(host.eof, "seed {seed}: no end of file");
                assert_eq!(host.got.len(), peer.to_send.len(), "seed {seed}: the stream is not whole");
            }
            if let Some(conn) = host.conn {
                assert_eq!(host.tcp.status(conn).state, StateName::Closed);
            }
        }
        if !self.aborts && self.hosts.iter().any(|host| host.error) {
            // With these time limits only a network that loses nearly everything may end a connection.
            assert!(self.weather.loss > 15, "seed {}: an error in {:?}", self.seed, self.weather);
        }
    }
}

impl Host {
    fn read(&mut self, now: Instant, conn: ConnId) {
        let mut left = self.appetite as usize;
        let mut buf = [0; 4096];
        while left > 0 {
            let room = left.min(buf.len());
            match self.tcp.recv(now, conn, &mut buf[..room]) {
                Ok(Recv::Octets(len)) => {
                    self.got.extend_from_slice(&buf[..len]);
                    left -= len;
                }
                Ok(Recv::WouldBlock) => break,
                Ok(Recv::Eof) => {
                    self.eof = true;
                    break;
                }
                Err(_) => {
                    self.error = true;
                    break;
                }
            }
        }
    }
}

#[test]
fn streams_survive_any_weather() {
    if let Some(seed) = std::env::var("TCPSPEC_SEED").ok().and_then(|text| text.parse().ok()) {
        World::new(seed).run();
        return;
    }
    let seeds = std::env::var("TCPSPEC_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    for seed in 0..seeds {
        World::new(seed).run();
    }
}
