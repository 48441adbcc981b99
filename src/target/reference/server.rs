//! A server above the reference stack that takes no orders, as people write them: an echo server, or one that reads
//! and throws away.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tcpspec_reference::{ConnId, Endpoint, Instant, ListenerId, Recv};

const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What it does, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habit {
    pub echoes: bool,
    /// Between hearing and doing: at once, an echo rides on the ACK; later, behind it.
    pub delay: Duration,
    /// It closes when the stream ends; else it keeps its direction open for ever.
    pub closes: bool,
}

pub(super) struct Server {
    habit: Habit,
    listener: Option<ListenerId>,
    conns: BTreeMap<ConnId, Conn>,
}

#[derive(Default)]
struct Conn {
    /// What was read, and when it is to be written.
    pending: VecDeque<(Instant, Vec<u8>)>,
    closes_at: Option<Instant>,
    is_over: bool,
}

impl Server {
    pub(super) fn new(habit: Habit, endpoint: &mut Endpoint, port: u16) -> Self {
        let listener = endpoint.listen(Instant::from_micros(0), port).ok();
        Self { habit, listener, conns: BTreeMap::new() }
    }

    pub(super) fn adopt(&mut self, id: ConnId) {
        self.conns.entry(id).or_default();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let due = |conn: &Conn| conn.pending.front().map(|(at, _)| *at).or(conn.closes_at);
        self.conns.values().filter(|conn| !conn.is_over).filter_map(due).min()
    }

    pub(super) fn work(&mut self, endpoint: &mut Endpoint, now: Instant) {
        while endpoint.poll_event().is_some() {}
        while let Some(id) = self.listener.and_then(|listener| endpoint.accept(listener)) {
            self.adopt(id);
        }
        for (id, conn) in &mut self.conns {
            if !conn.is_over {
                conn.read(endpoint, now, *id, self.habit);
                conn.write(endpoint, now, *id);
            }
        }
    }
}

impl Conn {
    fn read(&mut self, endpoint: &mut Endpoint, now: Instant, id: ConnId, habit: Habit) {
        let mut buffer = [0; 4096];
        while self.closes_at.is_none() {
            match endpoint.recv(now, id, &mut buffer) {
                Ok(Recv::Octets(n)) if habit.echoes => {
                    self.pending.push_back((now + habit.delay, buffer[..n].to_vec()));
                }
                Ok(Recv::Octets(_)) => {}
                Ok(Recv::WouldBlock) => return,
                Ok(Recv::Eof) if habit.closes => self.closes_at = Some(now + habit.delay),
                Ok(Recv::Eof) => return,
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    fn write(&mut self, endpoint: &mut Endpoint, now: Instant, id: ConnId) {
        while let Some((due, octets)) = self.pending.front_mut().filter(|(at, _)| *at <= now) {
            match endpoint.send(now, id, octets) {
                Ok(n) if n == octets.len() => drop(self.pending.pop_front()),
                Ok(n) => {
                    octets.drain(..n);
                    // The stack is full.
                    *due = now + LOOK_AGAIN;
                    return;
                }
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
        if self.pending.is_empty() && self.closes_at.is_some_and(|at| at <= now) {
            self.is_over = true;
            // Refused only where the connection is gone already.
            let _gone = endpoint.close(now, id);
        }
    }
}
