//! The real lane: the same `Exec` on a real clock, a real wire and a real target.
//!
//! The clock is the monotonic one. Frames carry the stamp of the moment they reached the wire, so it
//! does not matter how late this process gets to see them; how late it was itself is measured at every
//! send and told to `Exec`, which keeps it apart from what the target did. A time-out is delivered only
//! after everything that arrived before it.
#![allow(clippy::disallowed_methods, reason = "the lane owns the clock")]

use super::asking::{self, Asking};
use super::due::Due;
use super::stall::Stalls;
use super::{Lane, Progress};
use crate::engine::{Exec, Input, InputKind, Output, verdict};
use crate::event::Try;
use crate::packet::{Packet, Tcp};
use crate::plan::{Plan, Tuple};
use crate::target::{Reply, Target};
use crate::time::Time;
use crate::wire::{Received, Wire, WireError};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The dynamic ports of RFC 6335, of which every try takes the next.
const PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_534;

/// Segments of connections that ended a while ago may still be under way.
const REMEMBERED: usize = 4096;

/// Calls are not stamped by anyone; only what is worth knowing is recorded.
const LATE_CALL: Duration = Duration::from_millis(1);

/// More inputs than this, or more octets in them, is a target that floods.
const INPUTS_MAX: usize = 200_000;
const OCTETS_MAX: usize = 64 << 20;

/// So often it is told at most how far a case has come.
const TELL_PAUSE: Duration = Duration::from_millis(100);

/// So many frames are looked at before a deadline that has come, in case they came before it.
const FRAMES_AT_ONCE: usize = 10_000;

pub struct RealLane<W, T> {
    wire: W,
    target: T,
    next_port: u16,
    /// The ports of earlier tries, newest last.
    earlier: VecDeque<u16>,
    stalls: Stalls,
    progress: Arc<Progress>,
}

impl<W: Wire, T: Target> RealLane<W, T> {
    /// `start` spreads the lanes over the ports, so that a shared target does not see one twice.
    pub fn new(wire: W, target: T, start: u16) -> Self {
        let span = PORTS.end() - PORTS.start();
        let next_port = PORTS.start() + start % span;
        Self {
            wire,
            target,
            next_port,
            earlier: VecDeque::new(),
            stalls: Stalls::watch(),
            progress: Arc::default(),
        }
    }

    pub fn target(&self) -> &T {
        &self.target
    }

    pub fn parts(&mut self) -> (&mut W, &mut T) {
        (&mut self.wire, &mut self.target)
    }

    /// What still comes to these ports is none of a case's business.
    pub fn forget(&mut self, ports: impl IntoIterator<Item = u16>) {
        self.earlier.extend(ports);
        let excess = self.earlier.len().saturating_sub(REMEMBERED);
        self.earlier.drain(..excess);
    }

    fn fresh(&mut self, tuple: Tuple) -> Tuple {
        let peer_port = self.next_port;
        self.skip_port();
        Tuple { peer_port, ..tuple }
    }

    fn skip_port(&mut self) {
        self.next_port = if self.next_port == *PORTS.end() { *PORTS.start() } else { self.next_port + 1 };
    }

    /// What is left on the wire is of this try: it must not reach the next.
    async fn clear(&mut self, ports: BTreeSet<u16>) {
        self.target.reset().await;
        // A flood does not end: the next case is told its ports, not its frames.
        for _ in 0..FRAMES_AT_ONCE {
            let Some(Ok(_)) = self.wire.try_recv() else { break };
        }
        self.wire.lost();
        // A live case has taken further ports, one after the other.
        while ports.contains(&self.next_port) {
            self.skip_port();
        }
        self.forget(ports);
    }
}

impl<W: Wire + 'static, T: Target + 'static> Lane for RealLane<W, T> {
    fn tell(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
    }

    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        let tuple = self.fresh(plan.tuple);
        let plan = Arc::new(plan.on(tuple));
        let mut drive = Drive {
            exec: Exec::new(Arc::clone(&plan)),
            inputs: Vec::new(),
            start: Instant::now(),
            due: Due::BEGINNING,
            asking: Asking::default(),
            told: Time::ZERO,
            ports: BTreeSet::new(),
            octets: 0,
            is_deaf: false,
            lane: self,
        };
        drive.speaks_from(tuple.peer_port);
        drive.lane.target.watch();
        drive.finish().await;
        let Drive { exec, inputs, ports, .. } = drive;
        self.clear(ports).await;
        let events = exec.into_events();
        let verdict = verdict(&plan, &events);
        Try { tuple: Some(tuple), inputs, verdict, output: String::new(), events }
    }
}

struct Drive<'a, W, T> {
    exec: Exec,
    inputs: Vec<Input>,
    start: Instant,
    /// When what comes out of `exec` now should have left.
    due: Due,
    asking: Asking,
    /// When it was told last how far the case has come.
    told: Time,
    /// The ports that the case has spoken from.
    ports: BTreeSet<u16>,
    /// All that has come.
    octets: usize,
    /// The wire is gone, as it may: nothing comes any more, and nothing arrives.
    is_deaf: bool,
    lane: &'a mut RealLane<W, T>,
}

/// What woke the lane.
enum Wake {
    Frame(Result<Received, WireError>),
    Reply(Reply),
    Deadline,
    /// Nothing has happened for a while.
    Look,
}

impl<W: Wire, T: Target> Drive<'_, W, T> {
    async fn finish(&mut self) {
        loop {
            self.put_out().await;
            if self.exec.is_done() {
                return;
            }
            if self.inputs.len() > INPUTS_MAX || self.octets > OCTETS_MAX {
                let how = format!("it floods: {} inputs, {} octets", self.inputs.len(), self.octets);
                self.input(self.now(), InputKind::TargetHung { how });
                return;
            }
            let wake = self.wait().await;
            if let Some(error) = self.take(wake) {
                self.wire_broke(&error).await;
            }
        }
    }

    async fn wait(&mut self) -> Wake {
        let deadline = self.exec.poll_timeout().map(|at| self.start + at.since_start());
        let look = self.start + self.asking.look().since_start();
        let is_deaf = self.is_deaf;
        let lane = &mut *self.lane;
        tokio::select! {
            biased;
            frame = lane.wire.recv(), if !is_deaf => Wake::Frame(frame),
            reply = lane.target.reply() => Wake::Reply(reply),
            () = until(deadline) => Wake::Deadline,
            () = until(Some(look)) => Wake::Look,
        }
    }

    /// Gives the error with which the wire broke, if it did.
    fn take(&mut self, wake: Wake) -> Option<WireError> {
        match wake {
            Wake::Frame(frame) => return self.frame(frame),
            Wake::Reply(reply) => {
                self.ask(asking::PAUSE, self.now());
                self.reply(reply);
            }
            Wake::Look => self.ask(asking::WAITED_MIN, self.now()),
            Wake::Deadline => {
                let lost = self.lane.wire.lost();
                if lost > 0 {
                    self.input(self.now(), InputKind::CaptureLost { count: lost });
                }
                // The timer may be late itself; what came before it counts by its own stamp.
                // A flood must not keep the time from passing.
                for _ in 0..FRAMES_AT_ONCE {
                    if self.is_deaf {
                        break;
                    }
                    let Some(frame) = self.lane.wire.try_recv() else { break };
                    let error = self.frame(frame);
                    if error.is_some() {
                        return error;
                    }
                }
                self.ask(asking::WAITED_MIN, self.now());
                self.input(self.now(), InputKind::Timeout);
            }
        }
        None
    }

    fn frame(&mut self, frame: Result<Received, WireError>) -> Option<WireError> {
        match frame {
            Ok(Received { at, packet }) => {
                self.octets = self.octets.saturating_add(packet.len());
                if !self.is_stale(&packet) {
                    let at = self.time(at);
                    self.ask(asking::PAUSE, at);
                    self.input(at, InputKind::Frame { octets: packet });
                }
                None
            }
            Err(e) => Some(e),
        }
    }

    async fn wire_broke(&mut self, error: &WireError) {
        if !error.is_gone() {
            return self.input(self.now(), InputKind::Broken { how: error.to_string() });
        }
        match self.lane.target.device_gone(error.cause.clone()).await {
            Some(reply) => self.reply(reply),
            None => self.is_deaf = true,
        }
    }

    fn reply(&mut self, reply: Reply) {
        let what = match reply {
            Reply::Answer { call, outcome } => InputKind::App { call, outcome },
            Reply::Event { conn, event } => InputKind::AppEvent { conn, event },
            Reply::Died { how } => InputKind::TargetDied { how },
            Reply::Hung { how } => InputKind::TargetHung { how },
            Reply::Broken { how } => InputKind::Broken { how },
        };
        self.input(self.now(), what);
    }

    /// Of an earlier try: a target may take its time to let go of a connection, or of fragments that are not whole.
    fn is_stale(&self, packet: &[u8]) -> bool {
        let stale = |port| !self.ports.contains(&port) && self.lane.earlier.contains(&port);
        !self.lane.earlier.is_empty() && own_port(&Packet::parse_ip(packet)).is_some_and(stale)
    }

    async fn put_out(&mut self) {
        while let Some(output) = self.exec.poll_output() {
            match output {
                Output::App { call, what } => {
                    // A call comes after what has left, for the target as well.
                    self.lane.wire.arrived().await;
                    let late = self.due.late(self.now());
                    self.lane.target.call(call, &what);
                    if late >= LATE_CALL {
                        self.late(late, late);
                    }
                }
                Output::Frame(packet) => {
                    if let Some(port) = Packet::parse_ip(&packet).tcp().and_then(|tcp| tcp.sport) {
                        self.speaks_from(port);
                    }
                    if self.is_deaf {
                        continue;
                    }
                    let overdue = self.due.late(self.now());
                    match self.lane.wire.send(&packet).await {
                        Ok(_sent) => {
                            // The kernel may run the target within the call, so it is late by when it returns.
                            self.late(self.due.late(self.now()), overdue);
                        }
                        Err(e) => self.wire_broke(&e).await,
                    }
                }
            }
        }
        self.due.all_out();
    }

    fn speaks_from(&mut self, port: u16) {
        if self.ports.insert(port) {
            self.lane.target.peer(port);
        }
    }

    /// Something of ours has left, so late, and began to leave so late.
    fn late(&mut self, by: Duration, overdue: Duration) {
        let [late_ns, overdue_ns] =
            [by, overdue].map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        self.due.all_out();
        self.input(self.now(), InputKind::Sent { late_ns, overdue_ns });
    }

    /// Asks how long the target has waited for a processor, unless that was asked a moment ago, and tells it before what has
    /// come at `at`.
    fn ask(&mut self, pause: Duration, at: Time) {
        let now = self.now();
        if !self.asking.is_time(pause, now) {
            return;
        }
        // Where nothing ran, the target did not run either, whatever it says itself.
        let stood_still = self.lane.stalls.since(self.start + self.asking.last().since_start());
        let waited = self.lane.target.waited().max(Some(stood_still));
        if let Some(what) = self.asking.answered(now, waited) {
            self.input(at, what);
        }
    }

    fn input(&mut self, at: Time, what: InputKind) {
        let input = Input { at, what };
        self.due.happened(at, self.exec.poll_timeout());
        self.exec.handle(&input);
        if input.at.since(self.told) >= TELL_PAUSE {
            self.told = input.at;
            self.lane.progress.note(self.exec.stage());
        }
        self.inputs.push(input);
    }

    fn now(&self) -> Time {
        self.time(Instant::now())
    }

    /// A stamp from before the case began counts as its beginning.
    fn time(&self, at: Instant) -> Time {
        Time::ZERO + at.saturating_duration_since(self.start)
    }
}

/// The port of ours that a packet is for: of a segment, or of the one that an ICMP error is about.
fn own_port(packet: &Packet) -> Option<u16> {
    let about = || packet.icmp()?.quoted().map(|quoted| quoted.sport);
    packet.tcp().map(Tcp::dport).or_else(about)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::AppCall;
    use crate::packet::{Body, Flags, Icmp, Ip};
    use crate::report::sample;
    use crate::suite::expr::parse_expr;
    use crate::suite::model::{Expect, Verb};
    use std::future::pending;
    use std::net::Ipv4Addr;

    /// Where nothing ever happens.
    struct Silence;

    impl Wire for Silence {
        async fn recv(&mut self) -> Result<Received, WireError> {
            pending().await
        }

        async fn send(&mut self, _packet: &[u8]) -> Result<Instant, WireError> {
            Ok(Instant::now())
        }

        fn lost(&mut self) -> u64 {
            0
        }
    }

    /// How often it was asked how long it has waited.
    struct Asked(usize);

    impl Target for Asked {
        fn call(&mut self, _call: u32, _what: &AppCall) {}

        async fn reply(&mut self) -> Reply {
            pending().await
        }

        fn waited(&mut self) -> Option<Duration> {
            self.0 += 1;
            None
        }

        async fn reset(&mut self) {}
    }

    /// Once when the silence is over, and before that while it lasts.
    #[tokio::test]
    async fn a_target_is_asked_while_nothing_happens() {
        let mut plan = sample::plan(&sample::info("a/b/silent"));
        plan.steps.truncate(1);
        let span = parse_expr("3s").expect("a span");
        plan.steps[0].step.verb = Verb::Expect(Expect::Nothing { span });
        let mut lane = RealLane::new(Silence, Asked(0), 0);
        let tried = lane.run(&Arc::new(plan)).await;
        assert!(tried.verdict.took >= Duration::from_secs(3), "{:?}", tried.verdict);
        // The wait behind the last step is asked about, too.
        assert!((3..=6).contains(&lane.target().0), "asked {} times", lane.target().0);
    }

    #[test]
    fn what_comes_is_for_a_port_or_about_one() {
        let (peer, target) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let way = |from: Ipv4Addr, to: Ipv4Addr| Ip::between(from.into(), to.into()).unwrap();
        let syn = Tcp { sport: Some(50_000), dport: Some(7), ..Tcp::with(Flags::SYN) };
        let syn = Packet::parse_ip(&Packet::of(way(peer, target), Body::Tcp(syn)).build());
        assert_eq!(own_port(&syn), Some(7), "as its receiver sees it");
        let late = Icmp { kind: Some(11), code: Some(1), ..Icmp::default() }.quoting(&syn, 8);
        let late = Packet::of(way(target, peer), Body::Icmp(late)).build();
        assert_eq!(own_port(&Packet::parse_ip(&late)), Some(50_000));
        let echo = Packet::of(way(target, peer), Body::Icmp(Icmp::default())).build();
        assert_eq!(own_port(&Packet::parse_ip(&echo)), None);
    }
}
