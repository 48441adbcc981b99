//! Wording: the lines of the ladder and the body of a violation.

use super::super::event::{Violation, ViolationKind};
use super::super::matching::Resolved;
use super::Exec;
use crate::packet::show::{self, Side};
use crate::packet::{Packet, SeqNum};
use crate::suite::model::Step;

/// Who sent a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Peer,
    Target,
}

impl Exec {
    /// One line, in the names of the case: `SYN ACK  seq=irs ack=isn+1  mss 1460`.
    pub(super) fn line(&self, packet: &Packet, from: From) -> String {
        let isn = Some(self.script.isn);
        let irs = self.wire.irs.or_else(|| match (from, packet.tcp()) {
            (From::Target, Some(tcp)) if tcp.has(crate::packet::Flags::SYN) => Some(tcp.seq()),
            _ => None,
        });
        line_between(packet, from, isn, irs)
    }

    /// A violation of the current step, now.
    pub(super) fn violation(&self, kind: ViolationKind, expected: &str, got: Option<String>) -> Violation {
        let planned = self.plan.steps.get(self.pc);
        Violation {
            kind,
            at: self.now,
            step: planned.map(|_| self.pc),
            cells: Vec::new(),
            expected: expected.to_owned(),
            got,
            limit: None,
            after: self.now.since(self.last),
            means: None,
            why: planned.and_then(|p| p.step.why.as_ref()).map(|why| self.fill_in(why)),
        }
    }

    /// The entry of `otherwise:` that fits what came; `None` is silence.
    pub(super) fn known_mistake(&self, step: &Step, packet: Option<&Packet>) -> Option<String> {
        let scope = self.scope();
        let known = step.otherwise.iter().find(|known| match (&known.seen, packet) {
            (None, None) => true,
            (Some(pattern), Some(packet)) => {
                Resolved::of(pattern, &scope).is_ok_and(|wanted| wanted.matches(packet))
            }
            (None, Some(_)) | (Some(_), None) => false,
        })?;
        Some(self.fill_in(&known.means))
    }
}

/// The same, with the initial numbers of both sides.
pub(super) fn line_between(packet: &Packet, from: From, isn: Option<SeqNum>, irs: Option<SeqNum>) -> String {
    show::line_named(packet, &|side, number| match (from, side) {
        (From::Peer, Side::Seq) | (From::Target, Side::Ack) => named("isn", isn, number),
        (From::Peer, Side::Ack) | (From::Target, Side::Seq) => named("irs", irs, number),
    })
}

fn named(name: &str, base: Option<SeqNum>, number: SeqNum) -> String {
    match base.map(|base| number.diff(base)) {
        Some(0) => name.to_owned(),
        Some(n @ 1..=0x3fff_ffff) => format!("{name}+{n}"),
        Some(n @ -0xf_ffff..=-1) => format!("{name}{n}"),
        Some(_) | None => number.to_string(),
    }
}
