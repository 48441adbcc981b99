//! What connections share: what an endpoint lends to the one that it works on.

use core::time::Duration;
use std::collections::VecDeque;

use crate::config::Config;
use crate::cookie::FastOpenCache;
use crate::event::Event;
use crate::spare::Spare;
use crate::time::Instant;
use crate::wire::Outgoing;

/// What a connection may use of the endpoint that owns it.
pub(crate) struct Env<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) events: &'a mut VecDeque<Event>,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) challenges: &'a mut AnswerBudget,
    pub(crate) cookies: &'a mut FastOpenCache,
    pub(crate) spare: &'a mut Spare,
}

/// Packets that belong to no connection any more: resets and cookies. Bounded; what does not fit is lost, as any
/// packet may be.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    packets: VecDeque<Vec<u8>>,
}

impl Outbox {
    const CAPACITY: usize = 1024;

    pub(crate) fn push(&mut self, config: &Config, outgoing: Outgoing<'_>) {
        if self.packets.len() < Self::CAPACITY {
            let mut packet = Vec::new();
            crate::distort::emit(config, &outgoing, &mut packet);
            self.packets.push_back(packet);
        }
    }

    pub(crate) fn push_raw(&mut self, packet: Vec<u8>) {
        self.packets.push_back(packet);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        if self.packets.is_empty() { None } else { self.packets.pop_front() }
    }
}

/// RFC 5961 section 7: how many answers may still be given in this second.
#[derive(Debug, Default)]
pub(crate) struct AnswerBudget {
    second: Instant,
    used: u32,
}

impl AnswerBudget {
    pub(crate) fn take(&mut self, now: Instant, limit: u32) -> bool {
        if now.since(self.second) >= Duration::from_secs(1) {
            *self = Self { second: now, used: 0 };
        }
        self.used = self.used.saturating_add(1);
        self.used <= limit
    }
}
