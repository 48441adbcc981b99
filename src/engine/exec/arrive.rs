//! Frames of the target: whose they are, what the monitors say, and who answers for them.

use super::super::event::{CaseEventKind, Claim, ViolationKind};
use super::super::matching::Resolved;
use super::super::monitor::Sighting;
use super::super::noise::{self, Noise};
use super::super::segment::Segment;
use super::{Exec, report};
use crate::packet::{Flags, Packet};
use crate::suite::model::{Family, Step};
use crate::time::Time;
use std::sync::Arc;

/// More frames than this waiting to be claimed is a flood.
const INBOX_MAX: usize = 10_000;
const UNASKED: &str = "segments that nobody asked for";
/// No case needs more of the target in all.
const FRAMES_MAX: usize = 50_000;
/// Octets of the target's stream that are kept to compare retransmissions with.
const STREAM_MAX: usize = 64 << 20;

/// A frame of the target that no step has claimed yet.
pub(super) struct Arrival {
    pub(super) at: Time,
    pub(super) octets: Vec<u8>,
    pub(super) packet: Packet,
    pub(super) segment: Option<Segment>,
    /// Why it would be legal if nobody asked for it.
    noise: Option<Noise>,
    /// It stands in the evidence already, as noise.
    pub(super) claimed: bool,
    /// It is of another connection than the case's own.
    pub(super) aside: bool,
}

/// Whose a frame of the target is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinship {
    /// Of the connection that the case is about.
    Own,
    /// Of another that the case has spoken for, by ports of its own.
    Aside,
    Stray,
}

impl Arrival {
    /// It was sent because of something, not by a timer.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self.noise, Some(Noise::Progress | Noise::Repeat))
    }
}

impl Exec {
    /// `at` is the wire's stamp: it may be older than what has been handled already.
    pub(super) fn arrive(&mut self, at: Time, octets: &[u8]) {
        self.frames += 1;
        if self.frames > FRAMES_MAX {
            return self.flooded(UNASKED, FRAMES_MAX);
        }
        let packet = Packet::parse_ip(octets);
        let Some(kin) = self.belongs(&packet) else { return };
        let aside = kin == Kinship::Aside;
        let segment = packet.tcp().map(Segment::of);
        let mut noise = None;
        if let Some(segment) = &segment {
            if kin == Kinship::Own && self.wire.adopt(at, segment) {
                self.stream.clear();
            }
            self.wire.outdate(at);
            self.judge(&packet, segment, kin);
            if aside {
                noise = Some(Noise::Aside);
            } else if kin == Kinship::Own {
                noise = noise::legal(segment, at, &self.wire, self.app.keep_alive)
                    .or_else(|| self.unasked(segment));
                self.remember_stream(segment);
                let irs = self.wire.irs;
                self.wire.on_received(at, segment);
                if irs.is_some() && irs != self.wire.irs {
                    // Another incarnation of the connection: another stream.
                    self.stream.clear();
                }
            } else {
                // The `tuple` monitor has spoken; a stray is no answer to anything.
                let line = self.line(&packet, report::From::Target);
                self.emit_at(
                    at,
                    CaseEventKind::Received { octets: octets.to_vec(), line, claim: Claim::Wrong },
                );
                return;
            }
        }
        if !aside {
            self.last_packet = octets.to_vec();
        }
        if self.inbox.len() == INBOX_MAX {
            return self.flooded(UNASKED, INBOX_MAX);
        }
        self.inbox.push_back(Arrival {
            at,
            octets: octets.to_vec(),
            packet,
            segment,
            noise,
            claimed: false,
            aside,
        });
    }

    pub(super) fn flooded(&mut self, what: &str, count: usize) {
        let got = format!("{count} {what}");
        let violation =
            self.violation(ViolationKind::Unexpected, "a reasonable number of segments", Some(got));
        self.violate(violation);
        self.finish();
    }

    /// `None` for what is none of our business.
    fn belongs(&mut self, packet: &Packet) -> Option<Kinship> {
        let (source, destination) = packet.ends()?;
        if source != self.plan.tuple.target || destination != self.plan.tuple.peer {
            return packet.tcp().map(|_| Kinship::Stray);
        }
        if let Some(tcp) = packet.tcp() {
            let opening = tcp.flags().core() == Flags::SYN && tcp.dport() == self.tuple.peer_port;
            if opening && self.app.connecting && self.wire.irs.is_none() {
                // An active open chooses its own port.
                self.tuple.target_port = tcp.sport();
            }
            let ports = (tcp.sport(), tcp.dport());
            return Some(if ports == (self.tuple.target_port, self.tuple.peer_port) {
                Kinship::Own
            } else if self.asides.contains(&ports) {
                Kinship::Aside
            } else {
                Kinship::Stray
            });
        }
        let icmp = packet.icmp()?;
        let kind = icmp.kind?;
        let error = match self.plan.case.family {
            Family::V4 => matches!(kind, 3 | 4 | 11 | 12),
            Family::V6 => matches!(kind, 1..=4),
        };
        error.then_some(Kinship::Own)
    }

    pub(super) fn judge(&mut self, packet: &Packet, segment: &Segment, kin: Kinship) {
        let sighting = Sighting {
            packet,
            segment,
            book: &self.wire,
            ours: kin == Kinship::Own,
            stray: kin == Kinship::Stray,
            stream: &self.stream,
            written: self.written(),
            mss: self.announced_mss(),
        };
        for (monitor, sentence) in self.monitors.judge(&sighting) {
            if !self.spoken.insert(monitor.id) {
                continue;
            }
            let got = self.line(packet, report::From::Target);
            let mut violation =
                self.violation(ViolationKind::Monitor(monitor.id.to_owned()), monitor.rule, Some(got));
            violation.means = Some(sentence);
            violation.after = self.now.since(self.last);
            self.violate(violation);
        }
    }

    /// RFC 9293 section 3.7.1: 536 or 1220 where our SYN said nothing.
    fn announced_mss(&self) -> u16 {
        self.wire.ours.mss.unwrap_or(match self.plan.case.family {
            Family::V4 => 536,
            Family::V6 => 1220,
        })
    }

    pub(super) fn remember_stream(&mut self, segment: &Segment) {
        if segment.payload.is_empty() || segment.has(Flags::RST) {
            return;
        }
        // The first SYN may carry data before the book knows the initial number.
        let offset = match self.wire.their_offset(segment.data_start()) {
            Some(offset) => offset,
            None if segment.has(Flags::SYN) => 0,
            None => return,
        };
        let Ok(start) = usize::try_from(offset) else { return };
        let end = start.saturating_add(segment.payload.len());
        if end > STREAM_MAX {
            return;
        }
        if self.stream.len() < end {
            self.stream.resize(end, None);
        }
        for (slot, octet) in self.stream[start..end].iter_mut().zip(&segment.payload) {
            slot.get_or_insert(*octet);
        }
    }

    /// Takes what may come unasked off the inbox; false where nothing allows it.
    pub(super) fn take_noise(&mut self, arrival: &Arrival, step: Option<&Step>) -> bool {
        let reason = match self.tolerated(arrival, step) {
            Some(because) => because,
            None => match arrival.noise {
                // How strict a case is with its own connection says nothing of others.
                Some(noise) if noise == Noise::Aside || !self.is_strict(step) => noise.reason().to_owned(),
                Some(_) | None => return false,
            },
        };
        self.claim(arrival, Claim::Noise(reason));
        true
    }

    /// How many segments a stack makes of what the application wrote is its own business: what is left
    /// of it after the last step is no surprise. The monitors have judged it.
    pub(super) fn take_leftover(&mut self, arrival: &Arrival) -> bool {
        let plain = arrival
            .segment
            .as_ref()
            .is_some_and(|segment| segment.flags.core() == Flags::ACK && !segment.payload.is_empty());
        let leftover = plain && self.written() > 0 && !self.plan.strict;
        if leftover {
            self.claim(arrival, Claim::Noise("the rest of what the application wrote".to_owned()));
        }
        leftover
    }

    /// Like [`Exec::take_noise`], where the step expects silence: a repeated ACK is an answer.
    pub(super) fn take_silent_noise(&mut self, arrival: &Arrival, step: &Step) -> bool {
        let silent =
            arrival.noise.is_some_and(Noise::is_silent) || self.tolerated(arrival, Some(step)).is_some();
        silent && self.take_noise(arrival, Some(step))
    }

    fn is_strict(&self, step: Option<&Step>) -> bool {
        self.plan.strict || step.is_some_and(|step| step.strict)
    }

    fn tolerated(&self, arrival: &Arrival, step: Option<&Step>) -> Option<String> {
        let scope = self.scope();
        let own = step.map_or(&[][..], |step| &step.tolerate);
        own.iter()
            .chain(&self.plan.tolerate)
            .find(|t| Resolved::of(&t.seen, &scope).is_ok_and(|wanted| wanted.matches(&arrival.packet)))
            .map(|t| t.because.clone())
    }

    /// Puts the arrival on the script's book and into the evidence.
    pub(super) fn claim(&mut self, arrival: &Arrival, claim: Claim) {
        if let Some(segment) = arrival.segment.as_ref().filter(|_| !arrival.aside) {
            self.script.adopt(arrival.at, segment);
            self.script.on_received(arrival.at, segment);
        }
        let line = self.line(&arrival.packet, report::From::Target);
        self.emit_at(arrival.at, CaseEventKind::Received { octets: arrival.octets.clone(), line, claim });
    }

    /// After the last step a segment came that nothing allows.
    pub(super) fn reject_unexpected(&mut self, arrival: &Arrival) {
        self.claim(arrival, Claim::Wrong);
        let got = self.line(&arrival.packet, report::From::Target);
        let mut violation = self.violation(ViolationKind::Unexpected, "nothing more", Some(got));
        violation.at = arrival.at;
        violation.after = arrival.at.since(self.last);
        violation.step = self.plan.steps.len().checked_sub(1);
        let plan = Arc::clone(&self.plan);
        if let Some(planned) = plan.steps.last() {
            violation.means = self.known_mistake(&planned.step, Some(&arrival.packet));
        }
        self.violate(violation);
        self.finish();
    }
}
