//! Two endpoints on one wire in virtual time, for tests.
//!
//! `step` delivers what is due, then jumps to the next moment at which anything can happen. Every run has a bound
//! on its steps. What was sent is recorded, so a test can ask what the wire has seen.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::VecDeque;

use crate::wire::{Ecn, Flags, IpPacket, Options, Segment, Verify};
use crate::{Config, ConnId, Endpoint, Event, EventKind, Instant, ListenerId, Recv, SeqNum};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A segment that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) from: Side,
    pub(crate) seq: SeqNum,
    pub(crate) ack: SeqNum,
    pub(crate) flags: Flags,
    pub(crate) options: Options,
    pub(crate) len: usize,
    pub(crate) ecn: Ecn,
}

type Filter = Box<dyn FnMut(&Seen) -> bool>;
type Tamper = Box<dyn FnMut(&Seen, &mut Vec<u8>)>;

/// The wire and both ends.
pub(crate) struct Pair {
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) now: Instant,
    pub(crate) latency: Duration,
    pub(crate) seen: Vec<Seen>,
    /// Returns whether a segment is to be lost.
    pub(crate) lose: Option<Filter>,
    /// Changes a packet on its way.
    pub(crate) tamper: Option<Tamper>,
    flying: VecDeque<(Instant, Side, Vec<u8>)>,
    pub(crate) events: Vec<(Side, Event)>,
}

pub(crate) const PORT: u16 = 80;

pub(crate) fn address(side: Side, v6: bool) -> IpAddr {
    let text = match (side, v6) {
        (Side::Client, false) => "10.0.0.1",
        (Side::Server, false) => "10.0.0.2",
        (Side::Client, true) => "2001:db8::1",
        (Side::Server, true) => "2001:db8::2",
    };
    text.parse().unwrap()
}

impl Pair {
    pub(crate) fn new(client: Config, server: Config) -> Self {
        let host = |side, config: Config| {
            let addresses = vec![address(side, false), address(side, true)];
            Endpoint::new(Config { addresses, seed: config.seed ^ side as u64, ..config })
        };
        Self {
            client: host(Side::Client, client),
            server: host(Side::Server, server),
            now: Instant::from_millis(1000),
            latency: Duration::from_millis(10),
            seen: Vec::new(),
            lose: None,
            tamper: None,
            flying: VecDeque::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn flush(&mut self) {
        for side in [Side::Client, Side::Server] {
            let now = self.now;
            while let Some(mut packet) = self.end(side).poll_transmit(now) {
                let seen = look(now, side, &packet);
                let lost = self.lose.as_mut().is_some_and(|lose| lose(&seen));
                self.seen.push(seen);
                if let (Some(tamper), Some(seen)) = (&mut self.tamper, self.seen.last()) {
                    tamper(seen, &mut packet);
                }
                if !lost {
                    self.flying.push_back((now + self.latency, side, packet));
                }
            }
            while let Some(event) = self.end(side).poll_event() {
                self.events.push((side, event));
            }
        }
    }

    /// Delivers what is due and jumps ahead. Returns whether anything is left to happen before `limit`.
    pub(crate) fn step(&mut self, limit: Instant) -> bool {
        self.flush();
        let next = [
            self.flying.front().map(|&(at, _, _)| at),
            self.client.poll_timeout(),
            self.server.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min();
        let Some(next) = next.filter(|&next| next <= limit) else {
            self.now = self.now.max(limit);
            self.flush();
            return false;
        };
        self.now = self.now.max(next);
        while self.flying.front().is_some_and(|&(at, _, _)| at <= self.now) {
            let Some((_, from, packet)) = self.flying.pop_front() else { break };
            let now = self.now;
            match from {
                Side::Client => self.server.handle_packet(now, &packet),
                Side::Server => self.client.handle_packet(now, &packet),
            }
        }
        true
    }

    /// Runs for a span of virtual time.
    pub(crate) fn run(&mut self, span: Duration) {
        let limit = self.now + span;
        for _ in 0..200_000 {
            if !self.step(limit) {
                return;
            }
        }
        panic!("the run did not come to rest");
    }

    /// Listens, connects and runs until both sides are established.
    pub(crate) fn establish(&mut self) -> (ConnId, ConnId, ListenerId) {
        self.establish_over(false)
    }

    pub(crate) fn establish_over(&mut self, v6: bool) -> (ConnId, ConnId, ListenerId) {
        let listener = self.server.listen(self.now, PORT).unwrap();
        let remote = SocketAddr::new(address(Side::Server, v6), PORT);
        let client = self.client.connect(self.now, None, remote).unwrap();
        self.run(Duration::from_millis(100));
        let server = self.server.accept(listener).expect("the server has accepted");
        (client, server, listener)
    }

    /// Reads all there is now.
    pub(crate) fn read(&mut self, side: Side, conn: ConnId) -> (Vec<u8>, bool) {
        let now = self.now;
        let mut all = Vec::new();
        let mut buf = [0; 4096];
        loop {
            match self.end(side).recv(now, conn, &mut buf) {
                Ok(Recv::Octets(len)) => all.extend_from_slice(&buf[..len]),
                Ok(Recv::WouldBlock) | Err(_) => return (all, false),
                Ok(Recv::Eof) => return (all, true),
            }
        }
    }

    /// Sends `data` from one side while the other reads, to the end.
    pub(crate) fn transfer(&mut self, from: Side, sender: ConnId, receiver: ConnId, data: &[u8]) -> Vec<u8> {
        let to = if from == Side::Client { Side::Server } else { Side::Client };
        let (mut sent, mut got) = (0, Vec::new());
        for _ in 0..200_000 {
            let now = self.now;
            sent += self.end(from).send(now, sender, &data[sent..]).unwrap_or(0);
            let (more, _) = self.read(to, receiver);
            got.extend_from_slice(&more);
            if got.len() >= data.len() || !self.step(now + Duration::from_secs(200)) {
                break;
            }
        }
        got
    }

    pub(crate) fn told(&self, side: Side, kind: EventKind) -> bool {
        self.events.iter().any(|(who, event)| *who == side && event.kind == kind)
    }

    pub(crate) fn from(&self, side: Side) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.from == side)
    }
}

pub(crate) fn look(at: Instant, from: Side, packet: &[u8]) -> Seen {
    let packet = IpPacket::parse(packet).expect("a whole packet");
    let segment = Segment::parse(&packet, Verify::No).expect("a whole segment");
    Seen {
        at,
        from,
        seq: segment.seq,
        ack: segment.ack,
        flags: segment.flags,
        options: segment.options,
        len: segment.payload.len(),
        ecn: packet.ecn,
    }
}
