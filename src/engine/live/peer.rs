//! The live peer: the reference stack on the injector's end of the wire, and the application above it.
//!
//! Sans-IO like all of the executor. The application reads all that comes, and checks it, unless a case says
//! otherwise; that way both sides of a bulk transfer go on at once, and a step that waits for octets asks how
//! far it has come.

use crate::engine::io::{AppCall, AppEvent, AppOutcome};
use crate::plan::{Plan, Tuple};
use crate::suite::model::Setting;
use crate::target::Reply;
use crate::target::reference::ReferenceTarget;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tcpspec_reference::{Config, Status};

/// What a host on a fast local wire uses for RTO.MIN, as kernels do: RFC 6298 section 2.4 asks for a second, and
/// a case with many losses would take minutes.
const RTO_MIN: Duration = Duration::from_millis(200);

/// The dynamic ports of RFC 6335, from which cases take theirs.
const PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Octets in flight that a host on a fast wire can hold.
const BUFFER: u32 = 256 << 10;

pub(crate) struct Peer {
    host: ReferenceTarget,
    tuple: Tuple,
    seed: u64,
    boots: u64,
    settings: Vec<(Setting, i64)>,
    next_call: u32,
    /// Connections of the case by number.
    conns: BTreeMap<u32, Conn>,
    /// Answers that nobody has asked for yet.
    answers: BTreeMap<u32, AppOutcome>,
}

/// One connection as the peer's application knows it.
#[derive(Debug)]
pub(crate) struct Conn {
    handle: u32,
    /// Octets written, and octets that steps have asked for.
    written: u64,
    pub(crate) asked: u64,
    /// Octets read by calls that have ended.
    read: u64,
    /// The stream offset of the first wrong octet.
    mismatch: Option<u64>,
    reads: Pace,
    /// The `recv` that is going on.
    reading: Option<u32>,
    /// What it learned, oldest first.
    pub(crate) news: Vec<(Time, AppEvent)>,
}

/// How the application reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    All,
    Nothing,
    Slowly { octets: u64, every: Duration, next: Time },
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) octets: u64,
    pub(crate) mismatch: Option<u64>,
}

impl Peer {
    pub(crate) fn new(plan: &Plan) -> Self {
        let seed = crate::plan::mix(plan.seed ^ u64::from(plan.isn), "peer");
        Self {
            host: boot(plan.tuple, seed, &[]),
            tuple: plan.tuple,
            seed,
            boots: 0,
            settings: Vec::new(),
            next_call: 0,
            conns: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// The host forgets all it knew and starts again.
    pub(crate) fn reboot(&mut self, settings: Vec<(Setting, i64)>) {
        self.boots += 1;
        for (setting, value) in settings {
            self.settings.retain(|(known, _)| *known != setting);
            self.settings.push((setting, value));
        }
        self.host = boot(self.tuple, self.seed.wrapping_add(self.boots), &self.settings);
        self.conns.clear();
        self.answers.clear();
    }

    // ---------------------------------------------------------------- the wire

    pub(crate) fn receive(&mut self, now: Time, packet: &[u8]) {
        self.host.handle_packet(now, packet);
    }

    pub(crate) fn transmit(&mut self, now: Time) -> Option<Vec<u8>> {
        self.host.poll_transmit(now)
    }

    pub(crate) fn next_wakeup(&self) -> Option<Time> {
        let slow = self.conns.values().filter_map(|conn| match conn.reads {
            Pace::Slowly { next, .. } if conn.reading.is_none() => Some(next),
            Pace::Slowly { .. } | Pace::All | Pace::Nothing => None,
        });
        slow.chain(self.host.poll_timeout()).min()
    }

    /// Hears what the host has to say, and goes on reading; false where nothing was to be done.
    pub(crate) fn work(&mut self, now: Time) -> bool {
        let mut moved = false;
        while let Some(reply) = self.host.poll_reply() {
            moved = true;
            match reply {
                Reply::Answer { call, outcome } => self.answered(now, call, outcome),
                Reply::Event { conn, event } => {
                    if let Some(conn) = self.conns.values_mut().find(|known| known.handle == conn) {
                        conn.news.push((now, event));
                    }
                }
                // The embedded host has no process and no channel.
                Reply::Died { .. } | Reply::Hung { .. } | Reply::Broken { .. } => {}
            }
        }
        for number in self.conns.keys().copied().collect::<Vec<_>>() {
            moved |= self.go_on_reading(now, number);
        }
        moved
    }

    fn answered(&mut self, now: Time, call: u32, outcome: AppOutcome) {
        let reader = self.conns.values_mut().find(|conn| conn.reading == Some(call));
        let Some(conn) = reader else {
            self.answers.insert(call, outcome);
            return;
        };
        conn.reading = None;
        match outcome {
            AppOutcome::Received { count, mismatch, eof } => {
                conn.read += count;
                conn.mismatch = conn.mismatch.or(mismatch);
                match &mut conn.reads {
                    Pace::Slowly { every, next, .. } if !eof => *next = now + *every,
                    Pace::Slowly { .. } | Pace::All | Pace::Nothing if eof => conn.reads = Pace::Nothing,
                    Pace::Slowly { .. } | Pace::All | Pace::Nothing => {}
                }
            }
            // The connection has ended, which its events tell.
            _ => conn.reads = Pace::Nothing,
        }
    }

    fn go_on_reading(&mut self, now: Time, number: u32) -> bool {
        let Some(conn) = self.conns.get(&number).filter(|conn| conn.reading.is_none()) else { return false };
        let count = match conn.reads {
            Pace::All => u64::MAX - conn.read,
            Pace::Slowly { octets, next, .. } if now >= next => octets,
            Pace::Slowly { .. } | Pace::Nothing => return false,
        };
        let what = AppCall::Recv { conn: conn.handle, offset: conn.read, count };
        let call = self.next();
        if let Some(conn) = self.conns.get_mut(&number) {
            conn.reading = Some(call);
        }
        self.host.call(now, call, &what);
        true
    }

    // ------------------------------------------------------------- application

    fn next(&mut self) -> u32 {
        self.next_call += 1;
        self.next_call
    }

    /// Makes a call that is answered at once.
    fn call(&mut self, now: Time, what: &AppCall) -> AppOutcome {
        let call = self.next();
        self.host.call(now, call, what);
        self.work(now);
        self.answers.remove(&call).unwrap_or(AppOutcome::Ok)
    }

    /// The port of a connection, by its number.
    pub(crate) fn port(&self, number: u32) -> u16 {
        let offset = u32::from(self.tuple.peer_port.wrapping_sub(*PORTS.start())) + number;
        let span = u32::from(PORTS.end() - PORTS.start()) + 1;
        PORTS.start() + u16::try_from(offset % span).unwrap_or_default()
    }

    /// The number of the connection with this port of ours.
    pub(crate) fn number(&self, port: u16) -> u32 {
        if !PORTS.contains(&port) {
            return u32::MAX;
        }
        let span = u32::from(PORTS.end() - PORTS.start()) + 1;
        (span + u32::from(port) - u32::from(self.tuple.peer_port.max(*PORTS.start()))) % span
    }

    pub(crate) fn listen(&mut self, now: Time, number: u32) -> AppOutcome {
        let port = self.port(number);
        self.call(now, &AppCall::Listen { port })
    }

    pub(crate) fn connect(&mut self, now: Time, number: u32, to: SocketAddr) -> AppOutcome {
        let local = SocketAddr::new(self.tuple.peer, self.port(number));
        match self.host.connect_from(now, local, to) {
            Ok(handle) => {
                self.attach(number, handle);
                AppOutcome::Ok
            }
            Err(error) => AppOutcome::Failed(error.to_string()),
        }
    }

    /// Asks for a connection that came in; `accepted` tells whether it has.
    pub(crate) fn accept(&mut self, now: Time, number: u32) -> u32 {
        let (call, port) = (self.next(), self.port(number));
        self.host.call(now, call, &AppCall::Accept { port });
        call
    }

    pub(crate) fn accepted(&mut self, now: Time, number: u32, call: u32) -> bool {
        self.work(now);
        let Some(AppOutcome::Accepted { conn, .. }) = self.answers.remove(&call) else { return false };
        self.attach(number, conn);
        self.work(now);
        true
    }

    fn attach(&mut self, number: u32, handle: u32) {
        let conn = Conn {
            handle,
            written: 0,
            asked: 0,
            read: 0,
            mismatch: None,
            reads: Pace::All,
            reading: None,
            news: Vec::new(),
        };
        self.conns.insert(number, conn);
    }

    /// A call of a connection that exists, made by what `make` gives for its handle.
    pub(crate) fn on(&mut self, now: Time, number: u32, make: impl FnOnce(u32) -> AppCall) -> AppOutcome {
        match self.conns.get(&number) {
            Some(conn) => self.call(now, &make(conn.handle)),
            None => AppOutcome::Failed("there is no such connection (connect or accept first)".to_owned()),
        }
    }

    pub(crate) fn send(&mut self, now: Time, number: u32, count: u64, urgent: bool) -> AppOutcome {
        let offset = self.conns.get_mut(&number).map_or(0, |conn| {
            conn.written += count;
            conn.written - count
        });
        self.on(now, number, |conn| AppCall::Send { conn, offset, count, urgent })
    }

    pub(crate) fn read(&mut self, now: Time, number: u32, pace: Pace) {
        let Some(conn) = self.conns.get_mut(&number) else { return };
        conn.reads = pace;
        if conn.reading.take().is_some()
            && let Some((count, mismatch)) = self.host.stop_reading(conn.handle)
        {
            conn.read += count;
            conn.mismatch = conn.mismatch.or(mismatch);
        }
        self.work(now);
    }

    pub(crate) fn conn(&mut self, number: u32) -> Option<&mut Conn> {
        self.conns.get_mut(&number)
    }

    pub(crate) fn progress(&self, number: u32) -> Option<Progress> {
        let conn = self.conns.get(&number)?;
        let (now, wrong) = self.host.reading(conn.handle).unwrap_or((0, None));
        Some(Progress { octets: conn.read + now, mismatch: conn.mismatch.or(wrong) })
    }

    /// The variables of a connection, half-open ones of a listener excepted.
    pub(crate) fn status(&self, number: u32) -> Option<Status> {
        self.host.status(self.conns.get(&number)?.handle)
    }
}

fn boot(tuple: Tuple, seed: u64, settings: &[(Setting, i64)]) -> ReferenceTarget {
    let mut config = Config {
        addresses: vec![tuple.peer],
        seed,
        rto_min: RTO_MIN,
        recv_buffer: BUFFER,
        send_buffer: BUFFER,
        rack: true,
        backlog: 4096,
        syn_backlog: 4096,
        // A transfer answers more than an attacker is worth.
        challenge_acks_per_second: 10_000,
        ..Config::default()
    };
    let headers = if tuple.peer.is_ipv6() { 60 } else { 40 };
    for &(setting, value) in settings {
        let number = u32::try_from(value.max(0)).unwrap_or(u32::MAX);
        let span = Duration::from_millis(u64::from(number));
        match setting {
            Setting::Mss => config.mtu = u16::try_from(number).unwrap_or(u16::MAX).saturating_add(headers),
            Setting::Buffer => config.recv_buffer = number,
            Setting::Sack => config.sack = value != 0,
            Setting::Timestamps => config.timestamps = value != 0,
            Setting::Wscale => config.window_scale = value != 0,
            Setting::Ecn => config.ecn = value != 0,
            Setting::DelayedAck => config.delayed_ack = Some(span).filter(|span| !span.is_zero()),
            Setting::RtoMin => config.rto_min = span,
            Setting::RtoInitial => config.rto_initial = span,
            Setting::Isn => config.isn = Some(number),
        }
    }
    ReferenceTarget::with(config)
}
