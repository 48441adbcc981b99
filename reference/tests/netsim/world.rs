//! Two hosts, the path between them and their applications, in virtual time: whatever is due happens, then time
//! jumps to the next moment at which anything can.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tcpspec_reference::wire::{IpPacket, Segment, Verify};
use tcpspec_reference::{ConnId, Endpoint, Event, EventKind, Instant, ListenerId, Mutant};

use crate::account::metered;
use crate::app::End;
use crate::dice::{Dice, mix};
use crate::monitor::{Broken, Marks, Monitor, Tag};
use crate::path::Path;
use crate::scenario::{PORT, Plan, Scenario};

/// A run that takes more steps than this does not come to rest.
const STEPS_MAX: u32 = 400_000;
/// One answer to one stimulus is never longer.
const BURST_MAX: u32 = 5_000;

/// What a run has shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) marks: Marks,
    /// Depends on every octet that was sent and when.
    pub(crate) digest: u64,
    pub(crate) segments: u64,
    pub(crate) octets: u64,
}

/// A run that broke a rule.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) trace: Vec<String>,
}

struct Host {
    tcp: Endpoint,
    /// Octets the endpoint holds, and its bound.
    live: isize,
    live_max: isize,
    listener: ListenerId,
    /// Connections that wait for the application to accept them.
    waiting: u32,
    accept_at: Option<Instant>,
}

/// One connection as the applications see it.
struct Link {
    plan: usize,
    ends: [Option<End>; 2],
    settled: bool,
    /// Segments of an earlier connection that ended without TIME-WAIT may still be on their way.
    haunted: bool,
}

/// A plan in progress.
struct Course {
    plan: Plan,
    round: usize,
    /// When to open the next connection, and which links are its own.
    open_at: Option<Instant>,
    link: Option<usize>,
}

struct World {
    now: Instant,
    scenario: Scenario,
    hosts: [Host; 2],
    paths: [Path; 2],
    flying: BTreeMap<(Instant, u64), (usize, Tag, Vec<u8>)>,
    serial: u64,
    courses: Vec<Course>,
    links: Vec<Link>,
    monitor: Monitor,
    report: Report,
    buffer: Vec<u8>,
    seed: u64,
    trace: Option<Vec<String>>,
}

/// Runs the scenario of a seed. With `mutant`, one of the two hosts has that bug.
pub(crate) fn run(seed: u64, mutant: Option<Mutant>, traced: bool) -> Result<Report, Failure> {
    finish(World::new(seed, mutant, traced, true))
}

/// The same with every segment going the long way through the rules.
pub(crate) fn run_unpredicted(seed: u64) -> Result<Report, Failure> {
    finish(World::new(seed, None, false, false))
}

fn finish(mut world: World) -> Result<Report, Failure> {
    match world.run() {
        Ok(()) => {
            world.report.segments = world.monitor.emitted();
            world.report.marks = world.monitor.marks;
            Ok(world.report)
        }
        Err(what) => Err(Failure {
            what: format!("at {}: {what}", show(world.now)),
            trace: world.trace.unwrap_or_default(),
        }),
    }
}

fn show(at: Instant) -> String {
    format!("{:.6}", at.as_micros() as f64 / 1e6)
}

impl World {
    fn new(seed: u64, mutant: Option<Mutant>, traced: bool, prediction: bool) -> Self {
        let mut scenario = Scenario::new(seed);
        for config in &mut scenario.configs {
            config.header_prediction = prediction;
        }
        if mutant.is_some() {
            scenario.configs[(seed & 1) as usize].mutant = mutant;
        }
        let now = Instant::from_millis(1);
        let connections = 2 + 3 * scenario.plans.len() as isize;
        let hosts = scenario.configs.clone().map(|config| {
            let mut live = 0;
            // Buffers grow by doubling; what is out of order is held beside what is in order.
            let buffers = 2 * config.send_buffer as isize + 4 * config.recv_buffer as isize;
            let live_max = 32_000 + connections * (64_000 + 2 * buffers);
            let (tcp, listener) = metered(&mut live, || {
                let backlog = config.backlog;
                let mut tcp = Endpoint::new(config);
                let listener = tcp.listen_with(now, PORT, backlog).expect("the port is free");
                (tcp, listener)
            });
            Host { tcp, live, live_max, listener, waiting: 0, accept_at: None }
        });
        let path = |n: usize| Path::new(scenario.weather[n].clone(), Dice::new(mix(seed) ^ n as u64));
        let courses = scenario.plans.iter().map(|plan| Course {
            plan: plan.clone(),
            round: 0,
            open_at: Some(now + Duration::from_micros(plan.start_us)),
            link: None,
        });
        Self {
            now,
            courses: courses.collect(),
            paths: [path(0), path(1)],
            monitor: Monitor::new([0, 1].map(|n| usize::from(scenario.configs[n].mtu)), scenario.cookies),
            hosts,
            flying: BTreeMap::new(),
            serial: 0,
            links: Vec::new(),
            report: Report::default(),
            buffer: Vec::with_capacity(1 << 16),
            seed,
            trace: traced.then(Vec::new),
            scenario,
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        if self.trace.is_some() {
            let summary = format!("{:#?}", self.scenario);
            self.note(|| summary);
        }
        for _ in 0..STEPS_MAX {
            self.applications()?;
            self.transmit()?;
            self.advance_courses()?;
            if self.is_over() {
                return self.judge();
            }
            let Some(next) = self.next_moment() else {
                return Err(format!("nothing is left to happen, but {}", self.describe()));
            };
            self.now = self.now.max(next);
            self.deliver()?;
        }
        Err(format!("no rest after {STEPS_MAX} steps: {}", self.describe()))
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", show(now), line()));
        }
    }

    fn is_over(&self) -> bool {
        self.flying.is_empty()
            && self.courses.iter().all(|course| course.round == course.plan.rounds.len())
            && self.hosts.iter().all(|host| host.tcp.connection_count() == 0)
    }

    fn next_moment(&self) -> Option<Instant> {
        let flying = self.flying.first_key_value().map(|(&(at, _), _)| at);
        let hosts = self.hosts.iter().flat_map(|host| [host.tcp.poll_timeout(), host.accept_at]);
        let courses = self.courses.iter().map(|course| course.open_at);
        let live = self.links.iter().filter(|link| !link.settled);
        let ends = live.flat_map(|link| link.ends.iter().flatten().map(End::wake));
        [flying].into_iter().chain(hosts).chain(courses).chain(ends).flatten().min()
    }

    // ------------------------------------------------------------------------------------------- the wire

    fn transmit(&mut self) -> Result<(), Broken> {
        for side in 0..2 {
            self.transmit_from(side)?;
        }
        Ok(())
    }

    fn transmit_from(&mut self, side: usize) -> Result<(), Broken> {
        for _ in 0..BURST_MAX {
            let host = &mut self.hosts[side];
            let (now, buffer) = (self.now, &mut self.buffer);
            let Some(len) = metered(&mut host.live, || host.tcp.poll_transmit_into(now, buffer)) else {
                return host.check_memory();
            };
            let packet = core::mem::take(&mut self.buffer);
            let result = self.launch(side, &packet[..len]);
            self.buffer = packet;
            result?;
        }
        Err(format!("host {side} sends without end"))
    }

    fn launch(&mut self, side: usize, packet: &[u8]) -> Result<(), Broken> {
        let verdict = self.monitor.on_emit(side, packet);
        let at = self.now.as_micros();
        self.report.digest = mix(self.report.digest ^ at);
        for word in packet.chunks(8) {
            let word = word.iter().fold(0, |word: u64, &octet| word << 8 | u64::from(octet));
            self.report.digest =
                (self.report.digest ^ word).wrapping_mul(0x517c_c1b7_2722_0a95).rotate_left(9);
        }
        let fate = self.paths[side].send(self.now, packet);
        if self.trace.is_some() {
            let line = describe_packet(side, packet);
            let arrivals: Vec<_> = fate.arrivals.iter().map(|(at, _)| show(*at)).collect();
            let end =
                if fate.error.is_some() { "too big".to_owned() } else { format!("arrives {arrivals:?}") };
            self.note(|| format!("{line}  {end}"));
        }
        let tag = verdict.map_err(|what| format!("host {side}: {what}"))?;
        for (at, copy) in fate.arrivals {
            self.fly(at, 1 - side, tag, copy);
        }
        if let Some((at, error)) = fate.error {
            self.monitor.marks.hit("packet too big");
            self.fly(at, side, None, error);
        }
        Ok(())
    }

    fn fly(&mut self, at: Instant, to: usize, tag: Tag, packet: Vec<u8>) {
        self.serial += 1;
        self.flying.insert((at, self.serial), (to, tag, packet));
    }

    /// One packet at a time, each with its answers, so that the monitor knows what is an answer to what.
    fn deliver(&mut self) -> Result<(), Broken> {
        while let Some(entry) = self.flying.first_entry()
            && entry.key().0 <= self.now
        {
            let (to, tag, packet) = entry.remove();
            if self.trace.is_some() {
                let line = describe_packet(1 - to, &packet);
                self.note(|| format!("    {line}  has arrived"));
            }
            let host = &mut self.hosts[to];
            let now = self.now;
            let busy = host.tcp.poll_timeout().is_some_and(|at| at <= now);
            self.monitor.on_deliver(to, tag, &packet, busy);
            metered(&mut host.live, || host.tcp.handle_packet(now, &packet));
            host.check_memory()?;
            self.transmit_from(to)?;
            self.monitor.settle();
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------ the applications

    fn applications(&mut self) -> Result<(), Broken> {
        for side in 0..2 {
            while let Some(event) = self.hosts[side].tcp.poll_event() {
                self.on_event(side, event)?;
            }
            let host = &mut self.hosts[side];
            if host.accept_at.is_some_and(|at| at <= self.now) {
                host.accept_at = None;
                self.accept(side)?;
            }
            let now = self.now;
            for n in 0..self.links.len() {
                self.act(side, n, now)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, side: usize, n: usize, now: Instant) -> Result<(), Broken> {
        let link = &mut self.links[n];
        let Some(end) = link.ends[side].as_mut().filter(|end| end.wake().is_some_and(|at| at <= now)) else {
            return Ok(());
        };
        let host = &mut self.hosts[side];
        let tcp = &mut host.tcp;
        let mut result = Ok(());
        let before = (end.wrote, end.read, end.ended, end.released);
        metered(&mut host.live, || result = end.act(now, tcp));
        let sockets = self.courses[link.plan].plan.sockets;
        let book = self.monitor.book(sockets, side, end.iss);
        book.written = end.wrote;
        book.ended = end.ended;
        let after = (end.wrote, end.read, end.ended, end.released);
        let error = end.error;
        let status = host.tcp.status(end.conn);
        let config = &self.scenario.configs[side];
        if status.unacknowledged > config.send_buffer as usize
            || status.readable > 2 * config.recv_buffer as usize + 64
        {
            result = Err(format!("host {side}: a buffer overflows: {status:?}"));
        }
        if before != after {
            self.note(|| format!("host {side} link {n} {after:?} {error:?} {:?}", status.state));
        }
        result
    }

    fn on_event(&mut self, side: usize, event: Event) -> Result<(), Broken> {
        self.note(|| format!("host {side} is told {:?} of {:?}", event.kind, event.conn));
        let (now, waits) = (self.now, self.scenario.accept_wait_us);
        let host = &mut self.hosts[side];
        if let EventKind::Accepted { listener } = event.kind {
            if listener != host.listener {
                return Err("accepted by nobody's listener".to_owned());
            }
            host.waiting += 1;
            host.accept_at.get_or_insert_with(|| now + Duration::from_micros(waits[side]));
            return Ok(());
        }
        match self.find(side, event.conn) {
            Some(end) => end.on_event(now, event.kind).map_err(|what| format!("host {side}: {what}")),
            // Not accepted yet: the application will find out when it reads.
            None => Ok(()),
        }
    }

    fn find(&mut self, side: usize, conn: ConnId) -> Option<&mut End> {
        let ends = self.links.iter_mut().rev().filter_map(|link| link.ends[side].as_mut());
        ends.into_iter().find(|end| end.conn == conn)
    }

    /// Accepts one connection and finds out whose it is.
    fn accept(&mut self, side: usize) -> Result<(), Broken> {
        let host = &mut self.hosts[side];
        let Some(conn) = host.tcp.accept(host.listener) else {
            return Err(format!("host {side}: a connection was announced and is not there"));
        };
        host.waiting -= 1;
        if host.waiting > 0 {
            host.accept_at = Some(self.now + Duration::from_micros(self.scenario.accept_wait_us[side]));
        }
        let status = host.tcp.status(conn);
        let link = self.links.iter().position(|link| {
            let plan = &self.courses[link.plan].plan;
            Some(plan.sockets[1 - side]) == status.remote
                && link.ends[side].is_none()
                && link.ends[1 - side].as_ref().is_some_and(|end| end.iss == status.irs)
        });
        let Some(link) = link else {
            if self.scenario.cookies {
                // The second life of a SYN cookie.
                metered(&mut host.live, || host.tcp.abort(self.now, conn)).ok();
                return Ok(());
            }
            return Err(format!("host {side}: a connection that nobody has opened: {status:?}"));
        };
        self.attach(link, side, conn, true);
        Ok(())
    }

    fn attach(&mut self, link: usize, side: usize, conn: ConnId, accepted: bool) {
        let key = |of: usize| mix(self.seed ^ mix((link * 2 + of) as u64));
        let keys = [key(side), key(1 - side)];
        let course = &self.courses[self.links[link].plan];
        let rounds = &course.plan.rounds;
        let round = self.links[..link].iter().filter(|other| other.plan == self.links[link].plan).count();
        let script = rounds[round][side].clone();
        let tcp = &mut self.hosts[side].tcp;
        let end = End::new(tcp, self.now, conn, script, keys, accepted);
        self.monitor.book(course.plan.sockets, side, end.iss).key = keys[0];
        self.links[link].ends[side] = Some(end);
        self.links[link].settled = false;
    }

    // ----------------------------------------------------------------------------------- the connections

    /// Opens what is to be opened and sees whether a round is over.
    fn advance_courses(&mut self) -> Result<(), Broken> {
        for n in 0..self.courses.len() {
            if let Some(link) = self.courses[n].link
                && self.is_round_over(n, link)
            {
                self.end_round(n, link)?;
            }
            if self.courses[n].open_at.is_some_and(|at| at <= self.now) {
                self.open(n);
            }
        }
        Ok(())
    }

    /// Both applications are through, and the openers are rid of their connection.
    fn is_round_over(&self, n: usize, link: usize) -> bool {
        let ends = &self.links[link].ends;
        let done = ends.iter().flatten().all(End::is_done);
        let plan = &self.courses[n].plan;
        done && (0..2).all(|side| {
            let end = ends[side].as_ref();
            // One that may still be accepted will be.
            let count = self.hosts[side].tcp.connection_count();
            end.map_or(plan.opens[side] || count == 0 || self.courses.len() > 1, |_| true)
        })
    }

    fn end_round(&mut self, n: usize, link: usize) -> Result<(), Broken> {
        let course = &mut self.courses[n];
        let ends = &self.links[link].ends;
        // The clock of the initial sequence numbers has to pass what was sent, or old duplicates could fit.
        let octets: u64 = ends.iter().flatten().map(|end| end.wrote).sum();
        self.report.octets += ends.iter().flatten().map(|end| end.read).sum::<u64>();
        course.link = None;
        course.round += 1;
        self.links[link].settled = true;
        if course.round < course.plan.rounds.len() {
            // Two openers at once that meet an old SYN as well could stay out of step until R2.
            let quiet = if course.plan.opens == [true, true] { 8_000_000 } else { 0 };
            course.open_at = Some(self.now + Duration::from_micros(octets * 4 + 1000 + quiet));
        }
        self.note(|| format!("round {n} is over"));
        Ok(())
    }

    fn open(&mut self, n: usize) {
        let now = self.now;
        let course = &self.courses[n];
        let [a, b] = course.plan.sockets;
        let tuples: [(SocketAddr, SocketAddr); 2] = [(a, b), (b, a)];
        let opens = course.plan.opens;
        let mut conns = [None, None];
        for side in 0..2 {
            if opens[side] {
                let (local, remote) = tuples[side];
                let host = &mut self.hosts[side];
                let result = metered(&mut host.live, || host.tcp.connect(now, Some(local), remote));
                conns[side] = result.ok();
            }
        }
        if (0..2).any(|side| opens[side] && conns[side].is_none()) {
            // The four-tuple lives on in TIME-WAIT somewhere: again later.
            for (host, conn) in self.hosts.iter_mut().zip(conns) {
                if let Some(conn) = conn {
                    metered(&mut host.live, || host.tcp.abort(now, conn)).ok();
                }
            }
            self.courses[n].open_at = Some(now + Duration::from_secs(1));
            return;
        }
        self.monitor.marks.hit(if opens == [true, true] { "simultaneous open" } else { "open" });
        if self.courses[n].round > 0 {
            self.monitor.marks.hit("four-tuple used again");
        }
        // And without RFC 5961 a SYN that must not end a TIME-WAIT draws a reset (RFC 9293 3.10.7.4, fourth).
        let refuses = self.scenario.configs.iter().any(|config| !config.time_wait_reuse && !config.rfc5961);
        let mut earlier = self.links.iter().filter(|link| link.plan == n);
        let haunted = earlier.any(|link| refuses || link.is_rough());
        self.links.push(Link { plan: n, ends: [None, None], settled: false, haunted });
        let link = self.links.len() - 1;
        for (side, conn) in conns.into_iter().enumerate() {
            if let Some(conn) = conn {
                self.attach(link, side, conn, false);
            }
        }
        self.courses[n].link = Some(link);
        self.courses[n].open_at = None;
    }

    // ------------------------------------------------------------------------------------------ the verdict

    fn judge(&mut self) -> Result<(), Broken> {
        for (n, link) in self.links.iter().enumerate() {
            let [a, b] = &link.ends;
            let rough = link.is_rough() || link.haunted;
            let strict = self.scenario.strict;
            for (side, (end, peer)) in [(a, b), (b, a)].into_iter().enumerate() {
                let Some(end) = end else { continue };
                end.judge(peer.as_ref()).map_err(|what| format!("host {side} link {n}: {what}"))?;
                if let Some(error) = end.error.filter(|_| strict && !rough) {
                    return Err(format!("host {side} link {n}: {error} without a cause"));
                }
                let alone =
                    peer.as_ref().is_some_and(|peer| peer.error.is_some() || peer.is_rough(end.wrote));
                if end.gave_up && strict && !alone {
                    return Err(format!("host {side} link {n}: no progress for hours"));
                }
                if peer.is_none() && end.error.is_none() && !end.aborted && strict {
                    return Err(format!("host {side} link {n}: a connection with nobody"));
                }
            }
            if link.ends.iter().flatten().any(|end| end.error.is_some()) {
                self.monitor.marks.hit("error told");
            } else if !rough {
                self.monitor.marks.hit("whole and graceful");
            }
        }
        self.check_economy()?;
        for (side, host) in self.hosts.iter().enumerate() {
            if host.tcp.poll_timeout().is_some() {
                return Err(format!("host {side}: a timer runs for no connection"));
            }
        }
        Ok(())
    }

    /// No storm: segments are bounded by octets and time.
    fn check_economy(&self) -> Result<(), Broken> {
        let octets: u64 =
            self.links.iter().flat_map(|link| link.ends.iter().flatten()).map(|end| end.wrote).sum();
        let opened = self.links.len() as u64;
        let seconds = self.now.as_micros() / 1_000_000;
        // A minute between retransmissions or probes of what stays unanswered.
        let bound = 300 * opened + 16 * octets + seconds / 100;
        if self.monitor.emitted() > bound {
            return Err(format!("{} segments for {octets} octets in {seconds} s", self.monitor.emitted()));
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let mut states = Vec::new();
        for link in self.links.iter().filter(|link| !link.settled) {
            for (host, end) in self.hosts.iter().zip(&link.ends) {
                let Some(end) = end else { continue };
                let status = host.tcp.status(end.conn);
                states.push((status.state, end.wrote, end.read, end.eof, end.released));
            }
        }
        let counts = self.hosts.each_ref().map(|host| host.tcp.connection_count());
        format!("{counts:?} connections are left: {states:?}")
    }
}

impl Link {
    /// Whether the applications may be the reason for an error.
    fn is_rough(&self) -> bool {
        let [a, b] = &self.ends;
        let wrote = |end: &Option<End>| end.as_ref().map_or(0, |end| end.wrote);
        [(a, b), (b, a)].iter().any(|(end, peer)| end.as_ref().is_some_and(|end| end.is_rough(wrote(peer))))
    }
}

impl Host {
    fn check_memory(&self) -> Result<(), Broken> {
        if self.live > self.live_max {
            return Err(format!("an endpoint holds {} octets, more than {}", self.live, self.live_max));
        }
        Ok(())
    }
}

fn describe_packet(side: usize, octets: &[u8]) -> String {
    let Ok(packet) = IpPacket::parse(octets) else { return format!("host {side} sends what is no packet") };
    let Ok(segment) = Segment::parse(&packet, Verify::No) else {
        return format!("host {side} sends no segment");
    };
    let Segment { source_port, destination_port, seq, ack, flags, window, urgent, options, payload } =
        segment;
    let mut text = format!(
        "{} {source_port}>{destination_port} {flags:?} seq {seq} ack {ack} win {window} len {}",
        if side == 0 { "-->" } else { "<--" },
        payload.len()
    );
    if urgent > 0 {
        text += &format!(" urgent {urgent}");
    }
    if let Some(timestamps) = options.timestamps {
        text += &format!(" ts {}/{}", timestamps.value, timestamps.echo);
    }
    for block in options.sack.as_slice() {
        text += &format!(" sack {}..{}", block.start, block.end);
    }
    if let Some(mss) = options.mss {
        text += &format!(" mss {mss} wscale {:?} sack {}", options.window_scale, options.sack_permitted);
    }
    if packet.ecn as u8 != 0 {
        text += &format!(" {:?}", packet.ecn);
    }
    text
}
