//! A listener: its half-open count and its accept queue (RFC 9293 3.9.1.1, RFC 4987).

use std::collections::VecDeque;

use crate::event::ConnId;
use crate::time::Instant;

/// One passive OPEN without a remote socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) backlog: usize,
    /// Connections in SYN-RECEIVED.
    pub(crate) half_open: usize,
    /// Those among them whose text on the SYN was taken (RFC 7413 4.2).
    pub(crate) early: usize,
    /// Until when a SYN cookie of ours may come back.
    pub(crate) cookies_until: Option<Instant>,
    accept_queue: VecDeque<ConnId>,
}

impl Listener {
    pub(crate) fn new(port: u16, backlog: usize) -> Self {
        Self { port, backlog, half_open: 0, early: 0, cookies_until: None, accept_queue: VecDeque::new() }
    }

    /// Whether another connection may become established.
    pub(crate) fn has_room(&self) -> bool {
        self.accept_queue.len() < self.backlog
    }

    pub(crate) fn push(&mut self, conn: ConnId) {
        self.accept_queue.push_back(conn);
    }

    pub(crate) fn accept(&mut self) -> Option<ConnId> {
        self.accept_queue.pop_front()
    }
}
