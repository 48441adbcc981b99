//! One host's TCP: owns all connections and listeners, finds the one a packet is for, and hands out what is to be
//! sent.
//!
//! The contract has four kinds of calls. *Input*: [`Endpoint::handle_packet`]. *Application*: [`Endpoint::listen`],
//! [`Endpoint::connect`], `send`, `recv` and so on. *Output*: [`Endpoint::poll_transmit`] until it returns `None`,
//! [`Endpoint::poll_event`] likewise, then [`Endpoint::poll_timeout`] for when to come back. *Getters*:
//! [`Endpoint::status`]. `now` must never go back. Nothing waits, reads a clock or fails because of a packet.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::config::Config;
use crate::connection::{AnswerBudget, Connection, Env, Outbox};
use crate::cookie::FastOpenCache;
use crate::demux::Demux;
use crate::event::{ConnId, ConnOption, Error, Event, ListenerId, Recv, Status};
use crate::fragments::Fragments;
use crate::isn::{Purpose, Secret};
use crate::listener::Listener;
use crate::mutant::Mutant;
use crate::spare::Spare;
use crate::state::State;
use crate::time::Instant;
use crate::tuple::Tuple;

/// Where a connection lives. A generation makes an old [`ConnId`] stale.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    conn: Option<Box<Connection>>,
}

/// A TCP endpoint.
#[derive(Debug)]
pub struct Endpoint {
    config: Config,
    secret: Secret,
    slots: Vec<Slot>,
    free: Vec<u32>,
    tuples: Demux,
    /// Who had the last packet, and is likely to have the next.
    recent: u32,
    leaving: Option<Leaving>,
    arriving: Option<Arriving>,
    listeners: BTreeMap<ListenerId, Listener>,
    next_listener: u64,
    next_port: u64,
    events: VecDeque<Event>,
    outbox: Outbox,
    challenges: AnswerBudget,
    cookies: FastOpenCache,
    spare: Spare,
    fragments: Fragments,
    /// Connections that may have something to send.
    ready: VecDeque<u32>,
    /// When to look at whose timers. An entry may be early, never late.
    deadlines: BTreeSet<(Instant, u32)>,
    /// There is no deadline before this. May be early.
    wake_at: Instant,
}

/// The first ephemeral port (RFC 6335).
const EPHEMERAL: u16 = 49152;

impl Endpoint {
    /// A host with no connections.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            secret: Secret::new(config.seed),
            config,
            slots: Vec::new(),
            free: Vec::new(),
            tuples: Demux::default(),
            recent: 0,
            leaving: None,
            arriving: None,
            listeners: BTreeMap::new(),
            next_listener: 1,
            next_port: 0,
            events: VecDeque::new(),
            outbox: Outbox::default(),
            challenges: AnswerBudget::default(),
            cookies: FastOpenCache::default(),
            spare: Spare::default(),
            fragments: Fragments::default(),
            ready: VecDeque::new(),
            deadlines: BTreeSet::new(),
            wake_at: Instant::ZERO,
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Settings for connections to come: some of them the application may choose.
    pub fn config_mut(&mut self) -> &mut Config {
        self.leaving = None;
        &mut self.config
    }

    // ------------------------------------------------------------- application

    /// Passive OPEN on all addresses (RFC 9293 3.10.1).
    ///
    /// # Errors
    /// [`Error::AddressInUse`] if the port has a listener. Connections of the port are not touched (MUST-41).
    pub fn listen(&mut self, now: Instant, port: u16) -> Result<ListenerId, Error> {
        self.listen_with(now, port, self.config.backlog)
    }

    /// The same with a backlog of its own.
    ///
    /// # Errors
    /// As [`Self::listen`].
    pub fn listen_with(&mut self, now: Instant, port: u16, backlog: usize) -> Result<ListenerId, Error> {
        self.advance(now);
        if self.listeners.values().any(|listener| listener.port == port) {
            return Err(Error::AddressInUse);
        }
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        self.listeners.insert(id, Listener::new(port, backlog));
        Ok(id)
    }

    /// CLOSE of a listener (RFC 9293 3.10.4). What was not accepted is aborted.
    pub fn close_listener(&mut self, now: Instant, listener: ListenerId) {
        self.advance(now);
        let Some(mut entry) = self.listeners.remove(&listener) else { return };
        while let Some(conn) = entry.accept() {
            if self.index_of(conn).is_ok() {
                self.with_conn(now, conn.index, Connection::abort);
            }
        }
        for index in 0..self.slots.len() as u32 {
            if self.conn(index).is_some_and(|conn| conn.half_open_of() == Some(listener)) {
                self.with_conn(now, index, Connection::abort);
            }
        }
    }

    /// Active OPEN (RFC 9293 3.10.1). Without a local socket the address and the port are chosen (MUST-44).
    ///
    /// # Errors
    /// [`Error::AddressInvalid`] for a remote socket that cannot be (MUST-46), [`Error::Exists`] if the four-tuple
    /// is taken, [`Error::AddressInUse`] if no port is left, [`Error::NoRoom`] at the limit of connections.
    pub fn connect(
        &mut self,
        now: Instant,
        local: Option<SocketAddr>,
        remote: SocketAddr,
    ) -> Result<ConnId, Error> {
        self.advance(now);
        let group = is_group(remote.ip()) && !self.config.is(Mutant::ConnectToMulticast);
        let nobody = remote.port() == 0 || remote.ip().is_unspecified();
        if nobody && !self.config.is(Mutant::ConnectToNobody) || group {
            return Err(Error::AddressInvalid);
        }
        if self.tuples.len() >= self.config.max_connections {
            return Err(Error::NoRoom);
        }
        let address = match local {
            Some(local) if !local.ip().is_unspecified() => Some(local.ip()),
            _ => self.config.addresses.iter().find(|ip| ip.is_ipv4() == remote.is_ipv4()).copied(),
        };
        let address = address
            .filter(|ip| ip.is_ipv4() == remote.is_ipv4() && self.config.addresses.contains(ip))
            .ok_or(Error::AddressInvalid)?;
        let port = match local.map(|local| local.port()).filter(|&port| port != 0) {
            Some(port) => port,
            None => self.ephemeral_port(address, remote)?,
        };
        let tuple = Tuple::new(SocketAddr::new(address, port), remote);
        let listens = self.listeners.values().any(|listener| listener.port == port);
        if listens && self.config.is(Mutant::ListenBlocksOpen) {
            return Err(Error::AddressInUse);
        }
        if self.find_slot(&tuple).is_some() && !self.config.is(Mutant::SecondOpenReplaces) {
            return Err(Error::Exists);
        }
        let iss = self.isn(now, tuple);
        let id = self.vacant();
        self.insert(now, id, tuple, |secret, env| Connection::active(id, tuple, iss, secret, env));
        Ok(id)
    }

    /// RFC 6056 algorithm 3: a keyed offset for each destination and a counter.
    fn ephemeral_port(&mut self, address: IpAddr, remote: SocketAddr) -> Result<u16, Error> {
        let range = u64::from(u16::MAX - EPHEMERAL) + 1;
        let offset = self.secret.hash(Purpose::Port, SocketAddr::new(address, 0), remote, 0);
        for _ in 0..range {
            if self.config.is(Mutant::EphemeralPortFixed) {
                self.next_port = 0;
                return Ok(EPHEMERAL);
            }
            let port = EPHEMERAL + (offset.wrapping_add(self.next_port) % range) as u16;
            self.next_port += 1;
            let local = SocketAddr::new(address, port);
            if self.find_slot(&Tuple::new(local, remote)).is_none() {
                return Ok(port);
            }
        }
        Err(Error::AddressInUse)
    }

    /// Takes the oldest established connection of a listener, if there is one.
    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnId> {
        self.listeners.get_mut(&listener)?.accept()
    }

    /// SEND. Returns how many octets the buffer took.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn send(&mut self, now: Instant, conn: ConnId, octets: &[u8]) -> Result<usize, Error> {
        self.call(now, conn, |conn, env| conn.send(octets, env))
    }

    /// SEND without a copy: `fill` is given room for up to `most` octets in the send buffer, as far as it lies in
    /// one piece, and says how many it has put there. Returns that number; zero if the buffer is full.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn send_with(
        &mut self,
        now: Instant,
        conn: ConnId,
        most: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<usize, Error> {
        self.call(now, conn, |conn, _| conn.send_with(most, fill))
    }

    /// SEND with the URGENT flag (RFC 9293 3.8.5).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn send_urgent(&mut self, now: Instant, conn: ConnId, octets: &[u8]) -> Result<usize, Error> {
        self.call(now, conn, |conn, env| conn.send_urgent(octets, env))
    }

    /// RECEIVE.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn recv(&mut self, now: Instant, conn: ConnId, buf: &mut [u8]) -> Result<Recv, Error> {
        self.call(now, conn, |conn, env| conn.recv(buf, env))
    }

    /// RECEIVE without a copy: `take` is shown octets in the receive buffer, as far as they lie in one piece, and says
    /// how many it is done with. It is not called if there are none.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn recv_with(
        &mut self,
        now: Instant,
        conn: ConnId,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> Result<Recv, Error> {
        self.call(now, conn, |conn, env| conn.recv_by(|rcv| rcv.read_with(take), env))
    }

    /// Half-close: no more will be sent, but the application still reads.
    ///
    /// # Errors
    /// [`Error::Closing`] the second time.
    pub fn shutdown(&mut self, now: Instant, conn: ConnId) -> Result<(), Error> {
        self.call(now, conn, Connection::shutdown)
    }

    /// The application gives the connection up; the endpoint forgets it once it is CLOSED. Unread data turns this
    /// into an abort (RFC 9293 3.6.1, SHLD-3).
    ///
    /// # Errors
    /// [`Error::Closing`] the second time.
    pub fn close(&mut self, now: Instant, conn: ConnId) -> Result<(), Error> {
        self.call(now, conn, Connection::close)
    }

    /// ABORT.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such connection.
    pub fn abort(&mut self, now: Instant, conn: ConnId) -> Result<(), Error> {
        self.call(now, conn, |conn, env| {
            conn.abort(env);
            Ok(())
        })
    }

    /// Changes a setting of one connection.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such connection.
    pub fn set_option(&mut self, now: Instant, conn: ConnId, option: ConnOption) -> Result<(), Error> {
        self.call(now, conn, |conn, env| {
            conn.set_option(option, env);
            Ok(())
        })
    }

    /// STATUS (RFC 9293 3.9.1.6). A connection that was forgotten is CLOSED.
    #[must_use]
    pub fn status(&self, conn: ConnId) -> Status {
        match self.index_of(conn).ok().and_then(|index| self.conn(index)) {
            Some(conn) => conn.status(&self.config),
            None => Status::closed(),
        }
    }

    /// The connection of a four-tuple. Half-open ones, which no listener has shown yet, are found as well.
    #[must_use]
    pub fn lookup(&self, local: SocketAddr, remote: SocketAddr) -> Option<ConnId> {
        let index = self.find_slot(&Tuple::new(local, remote))?;
        self.conn(index).map(|conn| conn.id)
    }

    /// How many connections are known, in whatever state.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    // ------------------------------------------------------------------ output

    /// The next packet to put on the wire. Call until `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        let len = self.poll_transmit_into(now, &mut packet)?;
        packet.truncate(len);
        Some(packet)
    }

    /// The same, written over what a buffer of the caller's holds. Returns the length of the packet; the buffer
    /// grows if it has to and never shrinks, so that one that is used again costs nothing.
    pub fn poll_transmit_into(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<usize> {
        self.advance(now);
        if let Some(packet) = self.outbox.pop() {
            return Some(overwrite(buffer, &packet));
        }
        if let Some(len) = self.next_leaving(now, buffer) {
            return Some(len);
        }
        while let Some(index) = self.ready.pop_front() {
            if !self.conn(index).is_some_and(|conn| conn.queued) {
                continue;
            }
            let sent = self.with_conn(now, index, |conn, env| {
                conn.queued = false;
                conn.poll(env, buffer)
            });
            if let Some(Some((len, followers))) = sent {
                self.start_leaving(now, index, &buffer[..len], followers);
                return Some(len);
            }
            if let Some(conn) = self.conn_mut(index) {
                // It had nothing: whatever comes next will queue it again.
                conn.queued = false;
                if self.ready.back() == Some(&index) {
                    self.ready.pop_back();
                }
            }
        }
        // An expired timer or an answer to a call may have left a reset.
        self.outbox.pop().map(|packet| overwrite(buffer, &packet))
    }

    /// The next thing the application should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Self::poll_transmit`] again if nothing else happens. May be early.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    // ---------------------------------------------------------------- internal

    /// Lets every timer that is due by `now` expire.
    #[inline]
    fn advance(&mut self, now: Instant) {
        if now >= self.wake_at {
            self.expire(now);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(at, index)) = self.deadlines.first()
            && at <= now
        {
            self.deadlines.pop_first();
            if let Some(conn) = self.conn_mut(index) {
                conn.armed = None;
                self.with_conn(now, index, Connection::on_timers);
            }
        }
        self.wake_at = self.deadlines.first().map_or(Instant::NEVER, |&(at, _)| at);
    }

    #[cfg(test)]
    fn remember_fast_open(&mut self, server: IpAddr, cookie: crate::wire::FastOpen, mss: u16) {
        self.cookies.remember(server, cookie, mss);
    }

    /// The connection between two ends, by way of the table.
    fn find_slot(&self, tuple: &Tuple) -> Option<u32> {
        let is_it = |index| self.conn(index).is_some_and(|conn| conn.tuple == *tuple);
        self.tuples.find(tuple.hash(&self.secret), is_it)
    }

    fn conn(&self, index: u32) -> Option<&Connection> {
        self.slots.get(index as usize)?.conn.as_deref()
    }

    fn conn_mut(&mut self, index: u32) -> Option<&mut Connection> {
        self.slots.get_mut(index as usize)?.conn.as_deref_mut()
    }

    fn index_of(&self, id: ConnId) -> Result<u32, Error> {
        match self.conn(id.index) {
            Some(conn) if conn.id == id => Ok(id.index),
            _ => Err(Error::NotFound),
        }
    }

    fn call<R>(
        &mut self,
        now: Instant,
        id: ConnId,
        call: impl FnOnce(&mut Connection, &mut Env<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.advance(now);
        let index = self.index_of(id)?;
        self.with_conn(now, index, call).unwrap_or(Err(Error::NotFound))
    }

    /// Runs `work` on a connection and then sees to what it may have changed.
    fn with_conn<R>(
        &mut self,
        now: Instant,
        index: u32,
        work: impl FnOnce(&mut Connection, &mut Env<'_>) -> R,
    ) -> Option<R> {
        self.leaving = None;
        let conn = self.slots.get_mut(index as usize)?.conn.as_deref_mut()?;
        let mut env = Env {
            now,
            config: &self.config,
            events: &mut self.events,
            outbox: &mut self.outbox,
            challenges: &mut self.challenges,
            cookies: &mut self.cookies,
            spare: &mut self.spare,
        };
        let half_open = conn.half_open_of();
        let result = work(conn, &mut env);
        conn.give_back(&mut self.spare);
        let settled = conn.is_settled();
        if let Some(listener) = half_open.filter(|_| conn.half_open_of().is_none()) {
            // Half open no more: accepted, or gone.
            if let Some(entry) = self.listeners.get_mut(&listener) {
                entry.half_open = entry.half_open.saturating_sub(1);
                entry.early = entry.early.saturating_sub(usize::from(conn.is_early()));
                if conn.state.is_synchronized()
                    && !conn.is_early()
                    && !self.config.is(Mutant::AcceptBeforeAck)
                {
                    entry.push(conn.id);
                }
            }
        }
        if !settled {
            self.settle(index);
        }
        Some(result)
    }

    /// Queues, arms, unlinks and forgets as the connection's new condition asks.
    fn settle(&mut self, index: u32) {
        let Some(conn) = self.slots[index as usize].conn.as_deref_mut() else { return };
        if conn.state == State::Closed {
            let hash = conn.tuple.hash(&self.secret);
            let forget = conn.is_forgettable();
            let armed = conn.armed.take();
            if let Some(at) = armed {
                self.deadlines.remove(&(at, index));
            }
            self.tuples.remove(hash, index);
            if forget {
                self.slots[index as usize].conn = None;
                self.free.push(index);
            }
            return;
        }
        if !conn.queued {
            conn.queued = true;
            self.ready.push_back(index);
        }
        if let Some(next) = conn.timers.next()
            && conn.armed.is_none_or(|armed| next < armed)
        {
            if let Some(armed) = conn.armed.replace(next) {
                self.deadlines.remove(&(armed, index));
            }
            self.deadlines.insert((next, index));
            self.wake_at = self.wake_at.min(next);
        }
    }

    /// A name for a new connection.
    fn vacant(&mut self) -> ConnId {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot::default());
                (self.slots.len() - 1) as u32
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.generation += 1;
        ConnId { index, generation: slot.generation }
    }

    fn insert(
        &mut self,
        now: Instant,
        id: ConnId,
        tuple: Tuple,
        make: impl FnOnce(&Secret, &mut Env<'_>) -> Connection,
    ) {
        let mut env = Env {
            now,
            config: &self.config,
            events: &mut self.events,
            outbox: &mut self.outbox,
            challenges: &mut self.challenges,
            cookies: &mut self.cookies,
            spare: &mut self.spare,
        };
        let conn = make(&self.secret, &mut env);
        self.slots[id.index as usize].conn = Some(Box::new(conn));
        if let Some(replaced) = self.find_slot(&tuple) {
            // Only a deliberate bug does.
            self.tuples.remove(tuple.hash(&self.secret), replaced);
        }
        self.tuples.insert(tuple.hash(&self.secret), id.index);
        self.settle(id.index);
    }
}

/// A packet of the outbox goes out whole.
fn overwrite(buffer: &mut Vec<u8>, packet: &[u8]) -> usize {
    let len = packet.len();
    buffer.resize(buffer.len().max(len), 0);
    buffer[..len].copy_from_slice(packet);
    len
}

/// Broadcast or multicast. Directed broadcast is known to the interface, not to us.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

mod input;
mod passive;
mod train;

use train::{Arriving, Leaving};

#[cfg(test)]
mod extension_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod train_tests;
