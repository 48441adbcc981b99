//! The application above the reference stack: it does what a case says, and tells what it learned.

use crate::engine::{AppCall, AppEvent, AppOutcome, pattern};
use crate::target::Reply;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tcpspec_reference::{ConnId, ConnOption, Endpoint, Error, EventKind, Instant, ListenerId, Recv};

/// The handle that names no connection, but the listeners.
const NOBODY: u32 = 0;

#[derive(Default)]
pub(super) struct Apps {
    listeners: BTreeMap<u16, ListenerId>,
    /// Handles count from 1, in the order in which connections are first heard of.
    conns: Vec<Conn>,
    accepts: Vec<(u32, u16)>,
    replies: VecDeque<Reply>,
}

struct Conn {
    id: ConnId,
    /// Octets that the stack had no room for yet: where they begin, and how many.
    unwritten: (u64, u64),
    /// The last write did not find room for all.
    blocked: bool,
    urgent: bool,
    /// What was asked for after those octets.
    then: Option<Ending>,
    read: Option<Read>,
}

/// A call that waits until everything is written.
#[derive(Clone, Copy)]
enum Ending {
    Shutdown,
    Close,
}

/// A `recv` that waits for octets.
struct Read {
    call: u32,
    offset: u64,
    wanted: u64,
    count: u64,
    mismatch: Option<u64>,
}

impl Apps {
    /// The connection that was heard of last.
    pub(super) fn newest(&self) -> Option<ConnId> {
        self.conns.last().map(|conn| conn.id)
    }

    pub(super) fn poll_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    pub(super) fn call(&mut self, endpoint: &mut Endpoint, now: Instant, call: u32, what: &AppCall) {
        let outcome = match what {
            AppCall::Listen { port } => endpoint.listen(now, *port).map(|listener| {
                self.listeners.insert(*port, listener);
                AppOutcome::Ok
            }),
            AppCall::Unlisten { port } => {
                if let Some(listener) = self.listeners.remove(port) {
                    endpoint.close_listener(now, listener);
                }
                Ok(AppOutcome::Ok)
            }
            AppCall::Connect { to, from } => {
                let any = if to.is_ipv6() { IpAddr::from([0; 16]) } else { IpAddr::from([0; 4]) };
                let local = from.map(|port| SocketAddr::new(any, port));
                endpoint.connect(now, local, *to).map(|id| AppOutcome::Connection(self.handle(id)))
            }
            AppCall::Accept { port } => {
                self.accepts.push((call, *port));
                return;
            }
            AppCall::Send { conn, offset, count, urgent } => {
                self.send(endpoint, now, *conn, (*offset, *count), *urgent)
            }
            AppCall::Recv { conn, offset, count } => match self.conn(*conn) {
                Ok(conn) => {
                    let (offset, wanted) = (*offset, *count);
                    conn.read = Some(Read { call, offset, wanted, count: 0, mismatch: None });
                    return;
                }
                Err(e) => Err(e),
            },
            AppCall::Shutdown { conn } => self.end(endpoint, now, *conn, Ending::Shutdown),
            AppCall::Close { conn } => self.end(endpoint, now, *conn, Ending::Close),
            AppCall::Abort { conn: NOBODY } if !self.listeners.is_empty() => {
                for listener in std::mem::take(&mut self.listeners).into_values() {
                    endpoint.close_listener(now, listener);
                }
                Ok(AppOutcome::Ok)
            }
            AppCall::Abort { conn } => self
                .conn(*conn)
                .map(|conn| conn.id)
                .and_then(|id| endpoint.abort(now, id))
                .map(|()| AppOutcome::Ok),
            AppCall::Option { conn, name, value } => self.option(endpoint, now, *conn, name, *value),
            AppCall::Linux { .. } => Ok(AppOutcome::Unsupported),
            AppCall::Status { conn: NOBODY } if !self.listeners.is_empty() => {
                Ok(AppOutcome::State("LISTEN".to_owned()))
            }
            AppCall::UrgentLeft { conn } => {
                self.conn(*conn).map(|conn| AppOutcome::UrgentLeft(endpoint.status(conn.id).urgent > 0))
            }
            AppCall::Status { conn } => {
                self.conn(*conn).map(|conn| AppOutcome::State(endpoint.status(conn.id).state.to_string()))
            }
        };
        let outcome = outcome.unwrap_or_else(|e| AppOutcome::Failed(e.to_string()));
        self.replies.push_back(Reply::Answer { call, outcome });
    }

    /// Does what has become possible: accepts, reads, writes, and passes on what happened.
    pub(super) fn work(&mut self, endpoint: &mut Endpoint, now: Instant) {
        while let Some(event) = endpoint.poll_event() {
            let conn = self.handle(event.conn);
            if event.kind == EventKind::Writable
                && let Ok(conn) = self.conn(conn)
            {
                conn.blocked = false;
            }
            if let Some(event) = app_event(event.kind) {
                self.replies.push_back(Reply::Event { conn, event });
            }
        }
        self.accept(endpoint);
        for index in 0..self.conns.len() {
            self.write(endpoint, now, index);
            self.read(endpoint, now, index);
        }
    }

    fn accept(&mut self, endpoint: &mut Endpoint) {
        let mut waiting = std::mem::take(&mut self.accepts);
        waiting.retain(|&(call, port)| {
            let Some(id) = self.listeners.get(&port).and_then(|listener| endpoint.accept(*listener)) else {
                return true;
            };
            let from = endpoint.status(id).remote;
            let conn = self.handle(id);
            let from = from.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
            let outcome = AppOutcome::Accepted { conn, from };
            self.replies.push_back(Reply::Answer { call, outcome });
            false
        });
        self.accepts = waiting;
    }

    fn send(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        conn: u32,
        (offset, count): (u64, u64),
        urgent: bool,
    ) -> Result<AppOutcome, Error> {
        let state = self.conn(conn)?;
        // An empty write still tells whether writing is allowed.
        endpoint.send(now, state.id, &[])?;
        if state.unwritten.1 == 0 {
            state.unwritten = (offset, count);
        } else {
            state.unwritten.1 += count;
        }
        state.urgent = urgent;
        let index = conn as usize - 1;
        self.write(endpoint, now, index);
        Ok(AppOutcome::Ok)
    }

    fn write(&mut self, endpoint: &mut Endpoint, now: Instant, index: usize) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        while conn.unwritten.1 > 0 {
            if conn.blocked {
                // `Writable` will tell of room, unless the connection has ended.
                if endpoint.status(conn.id).error.is_some() {
                    conn.unwritten.1 = 0;
                }
                return;
            }
            // Octets that find no room need not be made; one that finds none asks to be told of room.
            let room = room(endpoint, conn.id).saturating_add(1);
            let chunk = usize::try_from(conn.unwritten.1).unwrap_or(usize::MAX).min(64 << 10).min(room);
            let octets = pattern::octets(conn.unwritten.0, chunk);
            let taken = if conn.urgent {
                endpoint.send_urgent(now, conn.id, &octets)
            } else {
                endpoint.send(now, conn.id, &octets)
            };
            match taken {
                Ok(n) => {
                    conn.blocked = n < chunk;
                    let n = u64::try_from(n).unwrap_or(u64::MAX);
                    conn.unwritten.0 += n;
                    conn.unwritten.1 -= n.min(conn.unwritten.1);
                }
                // The connection has ended, which its events tell; what was not written never will be.
                Err(_) => conn.unwritten.1 = 0,
            }
        }
        if let Some(ending) = conn.then.take() {
            let id = conn.id;
            // Refused only where the connection is gone already.
            let _gone = match ending {
                Ending::Shutdown => endpoint.shutdown(now, id),
                Ending::Close => endpoint.close(now, id),
            };
        }
    }

    fn end(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        conn: u32,
        ending: Ending,
    ) -> Result<AppOutcome, Error> {
        let state = self.conn(conn)?;
        if state.unwritten.1 > 0 {
            state.then = Some(ending);
            return Ok(AppOutcome::Ok);
        }
        let id = state.id;
        match ending {
            Ending::Shutdown => endpoint.shutdown(now, id),
            Ending::Close => endpoint.close(now, id),
        }
        .map(|()| AppOutcome::Ok)
    }

    fn read(&mut self, endpoint: &mut Endpoint, now: Instant, index: usize) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        let Some(mut read) = conn.read.take() else { return };
        let mut buffer = [0; 4096];
        let outcome = loop {
            let left = usize::try_from(read.wanted - read.count).unwrap_or(usize::MAX);
            if left == 0 {
                break read.done(false);
            }
            let room = left.min(buffer.len());
            match endpoint.recv(now, conn.id, &mut buffer[..room]) {
                Ok(Recv::Octets(n)) => {
                    let at = read.offset + read.count;
                    read.mismatch = read.mismatch.or_else(|| pattern::mismatch(at, &buffer[..n]));
                    read.count += u64::try_from(n).unwrap_or(u64::MAX);
                }
                Ok(Recv::WouldBlock) => {
                    conn.read = Some(read);
                    return;
                }
                Ok(Recv::Eof) => break read.done(true),
                Err(e) => break AppOutcome::Failed(e.to_string()),
            }
        };
        self.replies.push_back(Reply::Answer { call: read.call, outcome });
    }

    fn option(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        conn: u32,
        name: &str,
        value: i64,
    ) -> Result<AppOutcome, Error> {
        let span = Duration::from_millis(u64::try_from(value).unwrap_or_default());
        if let Some(outcome) = option_of_all(endpoint, name, value, span, conn) {
            return Ok(outcome);
        }
        let id = self.conn(conn)?.id;
        let option = match name {
            "nodelay" => ConnOption::NoDelay(value != 0),
            "keepalive" => ConnOption::KeepAlive(value != 0),
            "keepalive_idle" => ConnOption::KeepAliveIdle(span),
            "keepalive_interval" => ConnOption::KeepAliveInterval(span),
            "keepalive_count" => ConnOption::KeepAliveCount(u32::try_from(value).unwrap_or_default()),
            "user_timeout" => ConnOption::UserTimeout(span),
            "ttl" => ConnOption::HopLimit(u8::try_from(value).unwrap_or(u8::MAX)),
            "tos" => ConnOption::Dscp(u8::try_from(value >> 2).unwrap_or(u8::MAX)),
            "soft_errors" => ConnOption::SoftErrors(value != 0),
            "linger" => ConnOption::Linger(Some(span)),
            _ => return Ok(AppOutcome::Unsupported),
        };
        endpoint.set_option(now, id, option).map(|()| AppOutcome::Ok)
    }

    fn conn(&mut self, handle: u32) -> Result<&mut Conn, Error> {
        let index = (handle as usize).checked_sub(1).ok_or(Error::NotFound)?;
        self.conns.get_mut(index).ok_or(Error::NotFound)
    }

    /// The stack's name of a connection.
    pub(super) fn id(&self, handle: u32) -> Option<ConnId> {
        Some(self.conns.get((handle as usize).checked_sub(1)?)?.id)
    }

    pub(super) fn reading(&self, handle: u32) -> Option<(u64, Option<u64>)> {
        let conn = self.conns.get((handle as usize).checked_sub(1)?)?;
        conn.read.as_ref().map(|read| (read.count, read.mismatch))
    }

    pub(super) fn stop_reading(&mut self, handle: u32) -> Option<(u64, Option<u64>)> {
        let conn = self.conns.get_mut((handle as usize).checked_sub(1)?)?;
        conn.read.take().map(|read| (read.count, read.mismatch))
    }

    pub(super) fn handle(&mut self, id: ConnId) -> u32 {
        let index = self.conns.iter().position(|conn| conn.id == id).unwrap_or_else(|| {
            self.conns.push(Conn {
                id,
                unwritten: (0, 0),
                blocked: false,
                urgent: false,
                then: None,
                read: None,
            });
            self.conns.len() - 1
        });
        u32::try_from(index + 1).unwrap_or(u32::MAX)
    }
}

/// What the application chooses for all connections to come; `None` for what belongs to one.
fn option_of_all(
    endpoint: &mut Endpoint,
    name: &str,
    value: i64,
    span: Duration,
    conn: u32,
) -> Option<AppOutcome> {
    let config = endpoint.config_mut();
    match name {
        "fast_open" => {
            config.fast_open_wanted = value != 0;
            config.fast_open_backlog = usize::try_from(value).unwrap_or_default();
        }
        "user_timeout_option" => config.user_timeout_option_wanted = value != 0,
        "keepalive_garbage" => config.keepalive_garbage = value != 0,
        "rcvbuf" => config.recv_buffer = u32::try_from(value).unwrap_or(u32::MAX),
        "user_timeout" if conn == 0 => config.r2 = span,
        _ if conn == 0 => return Some(AppOutcome::Unsupported),
        _ => return None,
    }
    Some(AppOutcome::Ok)
}

/// Octets that the send buffer still takes.
fn room(endpoint: &Endpoint, id: ConnId) -> usize {
    let buffer = usize::try_from(endpoint.config().send_buffer).unwrap_or(usize::MAX);
    buffer.saturating_sub(endpoint.status(id).unacknowledged)
}

impl Read {
    fn done(&self, eof: bool) -> AppOutcome {
        AppOutcome::Received { count: self.count, mismatch: self.mismatch, eof }
    }
}

fn app_event(kind: EventKind) -> Option<AppEvent> {
    match kind {
        EventKind::Connected => Some(AppEvent::Connected),
        EventKind::Refused => Some(AppEvent::Refused),
        EventKind::Reset => Some(AppEvent::Reset),
        EventKind::TimedOut => Some(AppEvent::TimedOut),
        EventKind::Eof => Some(AppEvent::Eof),
        EventKind::Closed => Some(AppEvent::Closed),
        EventKind::Urgent => Some(AppEvent::Urgent),
        EventKind::SoftError => Some(AppEvent::SoftError),
        EventKind::HardError => Some(AppEvent::Unreachable),
        EventKind::Accepted { .. } | EventKind::Readable | EventKind::Writable => None,
    }
}
