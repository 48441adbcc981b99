//! The wire between the live peer and the target: what is under way in each direction, and the rules that
//! interfere with it.
//!
//! A packet that enters goes through the rules in the order in which the case made them; what is left of it (none,
//! one, several copies) is due at some time at the other end. Without a rule that is now. The queues are bounded: a
//! case that delays without end loses segments as a router does, and says so.

use super::rule::{Copy, Dice, Effect, Rule};
use crate::packet::Packet;
use crate::suite::model::Origin;
use crate::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Packets under way in one direction at most.
const QUEUE_MAX: usize = 65_536;

/// A packet under way.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) from: Origin,
    pub(crate) octets: Vec<u8>,
    pub(crate) packet: Arc<Packet>,
    /// A receiver must discard it: its checksum is wrong.
    pub(crate) spoiled: bool,
}

/// A packet that waits for others to overtake it.
#[derive(Debug)]
struct Held {
    behind: u32,
    until: Time,
    parcel: Parcel,
}

/// What became of a packet on entering, in words: `dropped`, `delayed 20 ms`, `sent twice`; empty if nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) words: String,
    pub(crate) lost: bool,
}

#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) rules: Vec<Rule>,
    dice: Dice,
    /// By the time when they are due, and in the order of entering.
    under_way: BTreeMap<(Time, u64), Parcel>,
    entered: u64,
    held: Vec<Held>,
}

impl Wire {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), dice: Dice(seed), under_way: BTreeMap::new(), entered: 0, held: Vec::new() }
    }

    /// A packet enters. `number` is the connection it belongs to, if it is of one.
    pub(crate) fn enter(&mut self, now: Time, parcel: Parcel, number: Option<u32>) -> Fate {
        let (from, packet) = (parcel.from, Arc::clone(&parcel.packet));
        let mut copies = vec![Copy { parcel, due: now, held: None }];
        let mut fate = Fate::default();
        for rule in &mut self.rules {
            if copies.is_empty() || !rule.picks(from, number, &packet, &mut self.dice) {
                continue;
            }
            let Effect { words } = rule.apply(now, &mut copies, &mut self.dice);
            if !fate.words.is_empty() {
                fate.words.push_str(", ");
            }
            fate.words.push_str(&words);
        }
        if self.under_way.len() + self.held.len() + copies.len() > QUEUE_MAX {
            copies.clear();
            fate.words.push_str("lost: too many packets are under way");
        }
        fate.lost = copies.is_empty();
        if copies.iter().any(|copy| copy.held.is_none()) {
            self.overtake(now, from);
        }
        for Copy { parcel, due, held } in copies {
            match held {
                Some(behind) => self.held.push(Held { behind, until: due, parcel }),
                None => self.send_off(due, parcel),
            }
        }
        fate
    }

    fn send_off(&mut self, due: Time, parcel: Parcel) {
        self.entered += 1;
        self.under_way.insert((due, self.entered), parcel);
    }

    /// A packet passes those that are held: whoever has been overtaken often enough follows it.
    fn overtake(&mut self, now: Time, from: Origin) {
        for held in self.held.iter_mut().filter(|held| held.parcel.from == from) {
            held.behind = held.behind.saturating_sub(1);
            if held.behind == 0 {
                // After the packet that passes it now, before anything else.
                held.until = now;
            }
        }
    }

    /// The next packet that has arrived by now.
    pub(crate) fn arrived(&mut self, now: Time) -> Option<Parcel> {
        if let Some((&(due, _), _)) = self.under_way.first_key_value()
            && due <= now
        {
            return self.under_way.pop_first().map(|(_, parcel)| parcel);
        }
        let index = self.held.iter().position(|held| held.until <= now)?;
        Some(self.held.remove(index).parcel)
    }

    pub(crate) fn next_arrival(&self) -> Option<Time> {
        let first = self.under_way.first_key_value().map(|(&(due, _), _)| due);
        first.into_iter().chain(self.held.iter().map(|held| held.until)).min()
    }

    /// Ends the rule of this label, or all; false where there is no such rule.
    pub(crate) fn heal(&mut self, label: Option<&str>) -> bool {
        let mut found = label.is_none();
        for rule in &mut self.rules {
            if label.is_none() || rule.label.as_deref() == label {
                rule.healed = true;
                found = true;
            }
        }
        found
    }
}
