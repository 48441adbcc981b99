//! A live case: what passes the wire between the reference stack and the target, and expectations of that.

use super::super::book::Weight;
use super::super::compose::Composed;
use super::super::eval::{EvalError, Mark};
use super::super::event::{CaseEventKind, Claim, Violation, ViolationKind};
use super::super::io::Output;
use super::super::live::{Parcel, Passage, Ports};
use super::super::matching::Resolved;
use super::super::segment::Segment;
use super::expect::candidates;
use super::{Exec, WINDOW_FIELD, report};
use crate::packet::{Flags, Packet, Tcp};
use crate::plan::Tuple;
use crate::suite::model::{Expect, Origin, Step, Verb};
use crate::time::{Time, span};
use std::sync::Arc;

/// Segments of the target's in a row that say nothing new. Whole windows of tiny segments above a hole draw fewer, and what
/// two TCPs say to each other for ever is cut here.
const REPEATS_MAX: u32 = 10_000;

impl Exec {
    /// The four-tuple of a connection, by its number.
    pub(super) fn tuple_of(&self, number: u32) -> Tuple {
        let ports = self.live.as_ref().and_then(|live| live.ports.get(&number).copied());
        let tuple = self.tuple;
        match (ports, &self.live) {
            (Some((target_port, peer_port)), _) => Tuple { target_port, peer_port, ..tuple },
            (None, Some(live)) => Tuple { peer_port: live.peer.port(number), ..tuple },
            (None, None) => tuple,
        }
    }

    /// A step of a live case begins: whose connection is it about?
    pub(super) fn live_begins(&mut self, step: &Step, own: bool) -> Result<(), EvalError> {
        let number = match &step.on {
            Some(on) => u32::try_from(self.count(on)?).unwrap_or(u32::MAX),
            None => 0,
        };
        self.app.turn_to(number);
        let plan = Arc::clone(&self.plan);
        let first = own && self.pc.checked_sub(1).is_none_or(|before| plan.steps[before].fixture.is_some());
        if let Some(live) = self.live.as_mut().filter(|_| first) {
            // What the fixture made pass is not what the case waits for.
            live.passed(Origin::Peer).clear();
            live.passed(Origin::Target).clear();
        }
        Ok(())
    }

    /// Moves what is due now on the peer's end and on the wire; false where nothing is.
    pub(super) fn pump(&mut self) -> bool {
        let mut moved = false;
        loop {
            let now = self.now;
            let Some(live) = self.live.as_mut() else { return moved };
            if let Some(octets) = live.peer.transmit(now) {
                self.peer_sends(octets);
            } else if let Some(parcel) = live.wire.arrived(now) {
                match parcel.from {
                    Origin::Target => live.peer.receive(now, &parcel.octets),
                    Origin::Peer => self.deliver(parcel),
                }
            } else if !live.peer.work(now) {
                return moved;
            }
            moved = true;
        }
    }

    /// A packet of the peer's enters the wire.
    fn peer_sends(&mut self, octets: Vec<u8>) {
        let now = self.now;
        let packet = Arc::new(Packet::parse_ip(&octets));
        let ports = packet.tcp().map(|tcp| (tcp.dport(), tcp.sport()));
        self.resolve_rules();
        let Some(live) = self.live.as_mut() else { return };
        let number = ports.map(|ports| live.peer.number(ports.1));
        let parcel = Parcel {
            from: Origin::Peer,
            octets: octets.clone(),
            packet: Arc::clone(&packet),
            spoiled: false,
        };
        let fate = live.wire.enter(now, parcel, number);
        if let (Some(ports), Some(tcp)) = (ports, packet.tcp()) {
            live.flow(ports, WINDOW_FIELD).peer_sends(now, &Segment::of(tcp), fate.lost);
        }
        let event = self.events.len();
        let line = self.live_line(&packet, report::From::Peer, ports);
        if fate.lost {
            self.emit(CaseEventKind::Lost { octets, line, how: fate.words });
        } else if !fate.words.is_empty() {
            self.emit(CaseEventKind::PeerApp { line: format!("{line}: {}", fate.words) });
        }
        let passage = Passage { at: now, packet, number, event: fate.lost.then_some(event) };
        if let Some(live) = &mut self.live {
            live.note(Origin::Peer, passage);
        }
    }

    /// A packet of the peer's has come to the target's end of the wire.
    fn deliver(&mut self, parcel: Parcel) {
        let Parcel { octets, packet, spoiled, .. } = parcel;
        let ports = packet.tcp().map(|tcp| (tcp.dport(), tcp.sport()));
        if let (Some(ports), Some(tcp)) = (ports.filter(|_| !spoiled), packet.tcp()) {
            let segment = Segment::of(tcp);
            self.on_delivered(ports, &segment, None);
        }
        let line = self.live_line(&packet, report::From::Peer, ports);
        self.emit(CaseEventKind::Sent { octets: octets.clone(), line });
        self.outputs.push_back(Output::Frame(octets));
    }

    fn on_delivered(&mut self, ports: Ports, segment: &Segment, weight: Option<Weight>) {
        let now = self.now;
        let Some(live) = self.live.as_mut() else { return };
        let flow = live.flow(ports, WINDOW_FIELD);
        let weight = weight.unwrap_or_else(|| flow.book.weigh(segment));
        flow.owes(segment);
        flow.delivered(now, segment, weight);
    }

    /// A segment that the case forges beside the live ones: it goes to the target as it is.
    pub(super) fn forge(&mut self, composed: Composed, step: &Step) -> bool {
        let Composed { octets, fragments, segment, weight, aside: _, elsewhere } = composed;
        let packet = Packet::parse_ip(&octets);
        let ports = packet.tcp().map(|tcp| (tcp.dport(), tcp.sport()));
        if let (Some(segment), Some(ports)) = (segment.filter(|_| !elsewhere), ports) {
            self.on_delivered(ports, &segment, Some(weight));
        }
        let line = format!("{}  (forged)", self.live_line(&packet, report::From::Peer, ports));
        self.emit(CaseEventKind::Sent { octets: octets.clone(), line });
        let pieces = if fragments.is_empty() { vec![octets] } else { fragments };
        self.outputs.extend(pieces.into_iter().map(Output::Frame));
        self.mark(step, Mark { at: self.now, packet: Some(packet), ..Mark::default() });
        self.pass(self.now)
    }

    /// A packet of the target's. `at` is the wire's stamp: it may be older than what has been handled already.
    pub(super) fn live_arrive(&mut self, at: Time, octets: &[u8]) {
        let packet = Arc::new(Packet::parse_ip(octets));
        let ends = packet.ends();
        let ours = ends == Some((self.tuple.target, self.tuple.peer));
        if !ours && packet.tcp().is_none() {
            return;
        }
        let ports = packet.tcp().map(|tcp| (tcp.sport(), tcp.dport()));
        let known = match (ports, packet.tcp()) {
            (Some(ports), Some(tcp)) => ours && self.knows(ports, tcp.flags()),
            _ => true,
        };
        let segment = packet.tcp().map(Segment::of);
        if let (Some(segment), Some(ports)) = (&segment, ports) {
            self.live_judge(at, &packet, segment, ports, known);
        }
        if !known {
            // The `tuple` monitor has spoken; the peer gets it all the same, and answers as a host does.
            let line = self.live_line(&packet, report::From::Target, None);
            self.emit_at(at, CaseEventKind::Received { octets: octets.to_vec(), line, claim: Claim::Wrong });
        }
        self.last_packet = octets.to_vec();
        self.resolve_rules();
        let now = self.now;
        let Some(live) = self.live.as_mut() else { return };
        let number = ports.filter(|_| known).map(|ports| live.peer.number(ports.1));
        let parcel = Parcel {
            from: Origin::Target,
            octets: octets.to_vec(),
            packet: Arc::clone(&packet),
            spoiled: false,
        };
        let fate = live.wire.enter(now, parcel, number);
        if let (true, Some(segment), Some(ports)) = (known, &segment, ports) {
            let flow = live.flow(ports, WINDOW_FIELD);
            flow.target_sends(at, segment, fate.lost);
            let endless = flow.repeats == REPEATS_MAX;
            let irs = flow.book.irs;
            flow.book.on_received(at, segment);
            if irs.is_some() && irs != flow.book.irs {
                // Another incarnation of the connection: another stream.
                flow.stream.clear();
            }
            if endless {
                return self.flooded("segments in a row that say nothing new", REPEATS_MAX as usize);
            }
        }
        let event = self.events.len();
        if known {
            let line = self.live_line(&packet, report::From::Target, ports);
            let claim = Claim::Passed(fate.words);
            self.emit_at(at, CaseEventKind::Received { octets: octets.to_vec(), line, claim });
        }
        let passage = Passage { at, packet, number, event: known.then_some(event) };
        if let Some(live) = &mut self.live {
            live.note(Origin::Target, passage);
        }
    }

    /// Whether these ports are of a connection of the case: one that the peer opened, or one that the target may.
    fn knows(&mut self, ports: Ports, flags: Flags) -> bool {
        let Some(live) = self.live.as_mut() else { return false };
        let number = live.peer.number(ports.1);
        let opening = flags.core() == Flags::SYN && self.app.connecting && number < 0x4000;
        if opening && !live.flows.contains_key(&ports) {
            // An active open chooses its own port.
            live.flow(ports, WINDOW_FIELD);
            if number == 0 {
                self.tuple.target_port = ports.0;
            }
        }
        live.flows.contains_key(&ports) || self.asides.contains(&ports)
    }

    fn live_judge(&mut self, at: Time, packet: &Packet, segment: &Segment, ports: Ports, known: bool) {
        // An application that takes no orders may end a connection at any time.
        let is_ordered = self.can("control");
        let Some(live) = self.live.as_mut() else { return };
        let ending = if is_ordered { live.ended } else { Some(at) };
        let number = live.peer.number(ports.1);
        let Some(mut flow) = live.flows.remove(&ports).filter(|_| known) else {
            // No book to judge it by: of another connection that the case has spoken for, or of none.
            let kin = if known { super::arrive::Kinship::Aside } else { super::arrive::Kinship::Stray };
            return self.judge(packet, segment, kin);
        };
        if flow.book.adopt(at, segment) {
            flow.stream.clear();
        }
        flow.prepare(at, segment, ending);
        let written = self.app.written_on(number).filter(|_| self.can("control"));
        std::mem::swap(&mut self.wire, &mut flow.book);
        std::mem::swap(&mut self.stream, &mut flow.stream);
        // Without a control channel nobody knows what the application has written.
        let own = std::mem::replace(&mut self.app.written, written.unwrap_or(u64::MAX));
        self.judge(packet, segment, super::arrive::Kinship::Own);
        self.remember_stream(segment);
        self.app.written = own;
        std::mem::swap(&mut self.wire, &mut flow.book);
        std::mem::swap(&mut self.stream, &mut flow.stream);
        if let Some(live) = &mut self.live {
            live.flows.insert(ports, flow);
        }
    }

    fn can(&self, ability: &str) -> bool {
        self.plan.profile.abilities.contains(ability)
    }

    /// One line, in the names of the connection that the packet is of.
    fn live_line(&self, packet: &Packet, from: report::From, ports: Option<Ports>) -> String {
        let flow = ports.and_then(|ports| self.live.as_ref()?.flows.get(&ports));
        let (isn, irs) = flow.map_or((None, None), |flow| (Some(flow.book.isn), flow.book.irs));
        let isn = isn.filter(|isn| isn.0 != 0);
        let syn = packet.tcp().filter(|tcp| tcp.has(Flags::SYN)).map(Tcp::seq);
        let (isn, irs) = match from {
            report::From::Peer => (isn.or(syn), irs),
            report::From::Target => (isn, irs.or(syn)),
        };
        report::line_between(packet, from, isn, irs)
    }

    /// `expect` in a live case: the next of the segments that pass which fits; others are none of its business.
    pub(super) fn await_passage(&mut self, since: Time, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let Verb::Expect(expect) = &planned.step.verb else { return false };
        let step = &planned.step;
        let number = self.app.number;
        while let Some(passage) = self.next_passage(step.from, deadline) {
            let ours = passage.number.is_none_or(|of| of == number);
            if matches!(expect, Expect::Nothing { .. }) {
                if ours && passage.at >= since {
                    self.broke_silence(&passage, step, since);
                    return false;
                }
                continue;
            }
            let fits = match self.fitting(&passage.packet, expect) {
                Ok(fits) => fits,
                Err(e) => return self.broken(&e.to_string()),
            };
            if let Some(name) = fits.filter(|_| ours) {
                return self.claim_passage(&passage, name, step, since);
            }
        }
        self.now >= deadline && self.nothing_came(expect, step, since, deadline)
    }

    /// What passed next and was not claimed, up to a deadline.
    fn next_passage(&mut self, from: Origin, deadline: Time) -> Option<Passage> {
        let passed = self.live.as_mut()?.passed(from);
        if passed.front()?.at > deadline { None } else { passed.pop_front() }
    }

    /// The name of the allowed answer that a packet is, where it is one.
    fn fitting(&self, packet: &Packet, expect: &Expect) -> Result<Option<Option<String>>, EvalError> {
        let scope = self.scope();
        for (name, pattern) in candidates(expect) {
            if Resolved::of(pattern, &scope)?.matches(packet) {
                return Ok(Some(name.map(str::to_owned)));
            }
        }
        Ok(None)
    }

    fn claim_passage(&mut self, passage: &Passage, name: Option<String>, step: &Step, since: Time) -> bool {
        let from = step.within.as_ref().and_then(|within| within.from.as_ref());
        let from = match from.map(|from| self.eval_span(from)).transpose() {
            Ok(from) => from,
            Err(e) => return self.broken(&e.to_string()),
        };
        let early = from.filter(|from| passage.at + super::expect::tolerance(*from) < since + *from);
        if let Some(event) = passage.event.and_then(|index| self.events.get_mut(index))
            && let CaseEventKind::Received { claim, .. } = &mut event.what
        {
            *claim = if early.is_some() { Claim::Wrong } else { Claim::Expected };
        }
        if let Some(from) = early {
            let side = if step.from.is_target() { report::From::Target } else { report::From::Peer };
            let line = self.live_line(&passage.packet, side, None);
            let mut violation = self.violation(ViolationKind::TooEarly, &line, Some(line.clone()));
            violation.at = passage.at;
            violation.after = passage.at.since(since);
            violation.limit = Some(format!("not before {}", span(from)));
            violation.means = self.known_mistake(step, Some(&passage.packet));
            self.end_violated(violation);
            return false;
        }
        if let Some(answer) = &name {
            self.emit_at(passage.at, CaseEventKind::Observed { answer: answer.clone() });
        }
        let packet = Some((*passage.packet).clone());
        self.mark(step, Mark { at: passage.at, packet, answer: name, ..Mark::default() });
        self.pass(passage.at)
    }

    fn broke_silence(&mut self, passage: &Passage, step: &Step, since: Time) {
        let side = if step.from.is_target() { report::From::Target } else { report::From::Peer };
        let got = self.live_line(&passage.packet, side, None);
        let mut violation = self.violation(ViolationKind::NotSilent, "silence", Some(got));
        violation.at = passage.at;
        violation.after = passage.at.since(since);
        violation.means = self.known_mistake(step, Some(&passage.packet));
        self.end_violated(violation);
    }

    pub(super) fn end_violated(&mut self, violation: Violation) {
        self.violate(violation);
        self.finish();
    }

    /// After the last step: a rule that never did anything is a mistake of the case.
    pub(super) fn live_ends(&mut self) {
        if let Some(how) = self.idle_rule() {
            return self.end_with(CaseEventKind::Broken { how });
        }
        self.finish();
    }
}
