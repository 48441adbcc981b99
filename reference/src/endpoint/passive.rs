//! Segments for which there is no connection: closed ports, listeners, half-open queues and SYN cookies
//! (RFC 9293 3.10.7.1 and 3.10.7.2, RFC 4987).

use super::Endpoint;
use crate::connection::{Connection, reset_packet};
use crate::cookie::{Claim, SYN_COOKIE_LIFETIME};
use crate::event::ListenerId;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::state::closed::{self, Reset};
use crate::state::listen::{self, ListenDisposition};
use crate::time::Instant;
use crate::tuple::Tuple;
use crate::wire::ip::{self, HeaderFields};
use crate::wire::{Ecn, Flags, Options, Outgoing, Segment, Timestamps};

/// Whether an ACK was the answer to a SYN cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Redeemed {
    Yes,
    No,
}

impl Endpoint {
    pub(super) fn listener_of(&self, segment: &Segment<'_>) -> Option<ListenerId> {
        self.listeners
            .iter()
            .find(|(_, listener)| listener.port == segment.destination_port)
            .map(|(&id, _)| id)
    }

    /// CLOSED or LISTEN (RFC 9293 3.10.7.1 and 3.10.7.2).
    pub(super) fn on_no_connection(
        &mut self,
        now: Instant,
        tuple: Tuple,
        segment: &Segment<'_>,
        above: Option<SeqNum>,
    ) {
        let Some(id) = self.listener_of(segment) else {
            if let Some(reset) = closed::decide(segment, &self.config) {
                self.send_reset(tuple, segment, reset);
            }
            return;
        };
        if self.redeem_syn_cookie(now, tuple, id, segment) == Redeemed::Yes {
            return;
        }
        match listen::decide(segment, &self.config) {
            ListenDisposition::Ignore => {}
            ListenDisposition::Reset(reset) => self.send_reset(tuple, segment, reset),
            ListenDisposition::Synchronize => self.synchronize(now, tuple, id, segment, above),
        }
    }

    fn synchronize(
        &mut self,
        now: Instant,
        tuple: Tuple,
        listener: ListenerId,
        syn: &Segment<'_>,
        above: Option<SeqNum>,
    ) {
        let Some(entry) = self.listeners.get(&listener) else { return };
        if self.tuples.len() >= self.config.max_connections {
            return;
        }
        let echoes = syn.options.timestamps.is_some_and(|timestamps| timestamps.echo != 0);
        if echoes && self.config.is(Mutant::SynEchoBelieved) {
            return;
        }
        if entry.half_open >= self.config.syn_backlog && !self.config.is(Mutant::HalfOpenUnbounded) {
            if self.config.syn_cookies {
                self.send_syn_cookie(now, tuple, listener, syn);
            }
            return;
        }
        let mut syn = *syn;
        if entry.early >= self.config.fast_open_backlog && !self.config.is(Mutant::FastOpenUnbounded) {
            // RFC 7413 4.2: too many wait already, so this one goes through the whole handshake.
            syn.options.fast_open = None;
        }
        let mut iss = self.isn(now, tuple);
        if let Some(above) = above.filter(|above| !iss.after(*above)) {
            // MAY-2: the new ISS must be beyond all that the old incarnation used.
            iss = above + 250_000;
        }
        let id = self.vacant();
        self.insert(now, id, tuple, |secret, env| {
            Connection::passive(id, tuple, listener, &syn, iss, secret, env)
        });
        let fast = self.conn(id.index).is_some_and(Connection::is_early);
        let early = fast || self.config.is(Mutant::AcceptBeforeAck);
        if let Some(entry) = self.listeners.get_mut(&listener) {
            entry.half_open += 1;
            entry.early += usize::from(fast);
            if early {
                // RFC 7413 4.2.2: the application need not wait for the handshake.
                entry.push(id);
            }
        }
    }

    /// RFC 4987 3.6: with the half-open queue full, the SYN,ACK itself remembers the SYN. Only the MSS survives.
    fn send_syn_cookie(&mut self, now: Instant, tuple: Tuple, listener: ListenerId, syn: &Segment<'_>) {
        let (local, remote) = (tuple.local(), tuple.remote());
        let default = if remote.is_ipv4() { 536 } else { 1220 };
        let claim = Claim { local, remote, irs: syn.seq };
        let mss = syn.options.mss.filter(|&mss| mss > 0).unwrap_or(default);
        let Some(cookie) = claim.syn_cookie(&self.secret, now, mss) else { return };
        let headers = ip::header_len(local.ip()) as u16 + 20;
        let fields =
            HeaderFields { hops: self.config.hop_limit, dscp: 0, ecn: Ecn::NotEct, identification: 0 };
        self.outbox.push(
            &self.config,
            Outgoing {
                local,
                remote,
                ip: fields,
                seq: cookie,
                ack: syn.seq + 1,
                flags: Flags::SYN | Flags::ACK,
                window: self.config.recv_buffer.min(0xffff) as u16,
                urgent: 0,
                options: Options { mss: Some(self.config.mtu.saturating_sub(headers)), ..Options::default() },
                text: (&[], &[]),
            },
        );
        if let Some(entry) = self.listeners.get_mut(&listener) {
            entry.cookies_until = Some(now + SYN_COOKIE_LIFETIME);
        }
    }

    /// The ACK of a SYN,ACK that was a cookie makes the connection that we did not keep.
    fn redeem_syn_cookie(
        &mut self,
        now: Instant,
        tuple: Tuple,
        listener: ListenerId,
        segment: &Segment<'_>,
    ) -> Redeemed {
        let Some(entry) = self.listeners.get(&listener) else { return Redeemed::No };
        let awaited = entry.cookies_until.is_some_and(|until| now <= until);
        let plain = segment.has(Flags::ACK) && !segment.has(Flags::RST) && !segment.has(Flags::SYN);
        if !awaited || !plain {
            return Redeemed::No;
        }
        let claim = Claim { local: tuple.local(), remote: tuple.remote(), irs: segment.seq - 1 };
        let cookie = segment.ack - 1;
        let mss = match claim.check_syn_cookie(&self.secret, now, cookie) {
            Some(mss) => mss,
            None if self.config.is(Mutant::SynCookieUnchecked) => 536,
            None => return Redeemed::No,
        };
        if !entry.has_room() || self.tuples.len() >= self.config.max_connections {
            // Lost on us; the peer will send something again.
            return Redeemed::Yes;
        }
        let syn = Segment {
            seq: claim.irs,
            flags: Flags::SYN,
            options: Options { mss: Some(mss), ..Options::default() },
            payload: &[],
            ..*segment
        };
        let id = self.vacant();
        self.insert(now, id, tuple, |secret, env| {
            let mut conn = Connection::passive(id, tuple, listener, &syn, cookie, secret, env);
            conn.assume_syn_sent(env);
            conn
        });
        if let Some(entry) = self.listeners.get_mut(&listener) {
            entry.half_open += 1;
        }
        self.with_conn(now, id.index, |conn, env| conn.on_segment(&mut { *segment }, Ecn::NotEct, env));
        Redeemed::Yes
    }

    pub(super) fn isn(&self, now: Instant, tuple: Tuple) -> SeqNum {
        let (local, remote) = (tuple.local(), tuple.remote());
        if let Some(isn) = self.config.isn {
            return SeqNum(isn);
        }
        match self.config.mutant {
            Some(Mutant::IsnConstant) => SeqNum(0x1000_0000),
            Some(Mutant::IsnClockOnly) => SeqNum((now.as_micros() / 4) as u32),
            Some(Mutant::IsnNoClock) => self.secret.isn(Instant::ZERO, local, remote),
            _ => self.secret.isn(now, local, remote),
        }
    }

    /// A reset where there is no connection. It echoes the timestamp that drew it (RFC 7323 5.2).
    fn send_reset(&mut self, tuple: Tuple, cause: &Segment<'_>, reset: Reset) {
        let timestamps = cause.options.timestamps.map(|cause| Timestamps { value: 0, echo: cause.value });
        let fields =
            HeaderFields { hops: self.config.hop_limit, dscp: 0, ecn: Ecn::NotEct, identification: 0 };
        self.outbox.push(&self.config, reset_packet(&tuple, fields, reset, timestamps));
    }
}
