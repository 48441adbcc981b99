//! Trains of packets: what goes out and what comes in one behind the other for one connection, with headers that differ
//! in numbers only (Jain's packet trains; what network interfaces call segmentation and receive offload).
//!
//! A packet of a train takes none of the ways through the connection that the first one took, because all that was
//! decided for that one holds for this one. On the way out anything that happens to a connection ends the train; on the
//! way in what could have changed is looked at.

use super::Endpoint;
use crate::connection::{Followers, Plain};
use crate::event::ConnId;
use crate::time::Instant;
use crate::wire::template::Template;

/// What may follow the full segment that went out last.
#[derive(Debug)]
pub(super) struct Leaving {
    index: u32,
    now: Instant,
    template: Template,
    /// How many more segments.
    left: u32,
}

/// What the text came with that came last.
#[derive(Debug)]
pub(super) struct Arriving {
    conn: ConnId,
    plain: Plain,
    template: Template,
}

#[cfg(test)]
impl Leaving {
    pub(super) fn has_more_of(&self, index: u32) -> bool {
        self.index == index && self.left > 0
    }
}

#[cfg(test)]
impl Arriving {
    pub(super) fn is_of(&self, conn: ConnId) -> bool {
        self.conn == conn
    }
}

impl Endpoint {
    /// A full segment has gone out and others may follow.
    pub(super) fn start_leaving(&mut self, now: Instant, index: u32, packet: &[u8], followers: Followers) {
        let Followers(left) = followers;
        if left > 0 {
            let train = |template| Leaving { index, now, template, left };
            self.leaving = Template::of(packet).map(train);
        }
    }

    /// Writes the next packet of the train that is going out, if one is.
    #[inline]
    pub(super) fn next_leaving(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<usize> {
        let train = self.leaving.as_mut()?;
        let conn = self.slots.get_mut(train.index as usize)?.conn.as_deref_mut()?;
        let len = match train.left {
            0 => None,
            // Timestamps and timers are of the time.
            _ if train.now != now => None,
            _ => {
                train.left -= 1;
                Some(conn.follow(now, &train.template, buffer))
            }
        };
        if len.is_none() {
            self.leaving = None;
        }
        len
    }

    /// Text has come by the short way of prediction, and more of it may follow.
    pub(super) fn start_arriving(&mut self, conn: ConnId, plain: Plain, packet: &[u8]) {
        self.arriving = Template::of(packet).map(|template| Arriving { conn, plain, template });
    }

    /// Takes the next packet of the train that is coming in, if it is that.
    #[inline]
    pub(super) fn take_arriving(&mut self, now: Instant, packet: &[u8]) -> bool {
        let Some(train) = &self.arriving else { return false };
        let Some(next) = train.template.recognise(packet) else { return false };
        let Arriving { conn: id, plain, .. } = *train;
        let predicted = self.conn(id.index).is_some_and(|conn| {
            conn.id == id && conn.predicts(&plain, next.seq, next.text.len(), &self.config)
        });
        if predicted {
            self.with_conn(now, id.index, |conn, env| {
                conn.on_predicted(&plain, next.seq, next.text, next.sum, env);
            });
        }
        predicted
    }
}
