//! `mode: live`: the reference stack is the peer, and the wire between it and the target misbehaves as the case
//! says. All of it is part of `Exec`, so a live case is judged again from its record like any other: what the target
//! sent and when is in the record, what the peer made of it follows.

mod flow;
mod peer;
mod rule;
mod wire;

pub(crate) use flow::Flow;
pub(crate) use peer::{Pace, Peer};
pub(crate) use rule::{Choice, Deed, Rule, describe, is_rewritable};
pub(crate) use wire::{Parcel, Wire};

use crate::engine::event::Traffic;
use crate::packet::Packet;
use crate::plan::{Plan, mix};
use crate::suite::model::Origin;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Passages that are kept for an `expect` to claim.
const PASSAGES_MAX: usize = 10_000;

/// The ports of a connection: the target's, the peer's.
pub(crate) type Ports = (u16, u16);

/// A packet that has passed the wire, or was lost there.
pub(crate) struct Passage {
    pub(crate) at: Time,
    pub(crate) packet: Arc<Packet>,
    /// The connection, where it is of one.
    pub(crate) number: Option<u32>,
    /// Where it stands in the evidence.
    pub(crate) event: Option<usize>,
}

pub(crate) struct Live {
    pub(crate) peer: Peer,
    pub(crate) wire: Wire,
    pub(crate) flows: BTreeMap<Ports, Flow>,
    /// The ports of each connection, by its number.
    pub(crate) ports: BTreeMap<u32, Ports>,
    /// What passed and was not claimed, by whose it is.
    passed: [VecDeque<Passage>; 2],
    /// The `accept` that a step waits for.
    pub(crate) accepting: Option<u32>,
    /// When the target's application last ended a connection.
    pub(crate) ended: Option<Time>,
}

impl Live {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            peer: Peer::new(plan),
            wire: Wire::new(mix(plan.seed, &format!("{} wire", plan.case.id))),
            flows: BTreeMap::new(),
            ports: BTreeMap::new(),
            passed: Default::default(),
            accepting: None,
            ended: None,
        }
    }

    pub(crate) fn next_wakeup(&self) -> Option<Time> {
        self.wire.next_arrival().into_iter().chain(self.peer.next_wakeup()).min()
    }

    pub(crate) fn passed(&mut self, from: Origin) -> &mut VecDeque<Passage> {
        &mut self.passed[usize::from(from == Origin::Target)]
    }

    pub(crate) fn note(&mut self, from: Origin, passage: Passage) {
        let passed = self.passed(from);
        if passed.len() == PASSAGES_MAX {
            passed.pop_front();
        }
        passed.push_back(passage);
    }

    /// The flow of these ports; made where the peer speaks first.
    pub(crate) fn flow(&mut self, ports: Ports, window: u16) -> &mut Flow {
        let number = self.peer.number(ports.1);
        self.ports.insert(number, ports);
        self.flows.entry(ports).or_insert_with(|| Flow::new(window))
    }

    /// The flow of a connection, by its number.
    pub(crate) fn flow_of(&self, number: u32) -> Option<&Flow> {
        self.flows.get(self.ports.get(&number)?)
    }

    /// What went through the wire, all connections together.
    pub(crate) fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        for flow in self.flows.values() {
            traffic.from_peer.add(&flow.from_peer);
            traffic.from_target.add(&flow.from_target);
        }
        traffic
    }
}
