//! One connection: its state, its two halves, its timers, and the rules that tie them together.
//!
//! The methods come in four kinds. *Inputs*: `on_segment`, `on_icmp`, `on_timers`. *Application calls*: `calls`.
//! *Output*: `poll` writes one packet at a time. *Getters*: `status` and what the endpoint asks. Only
//! [`Connection::transition`] changes the state.

mod ack;
mod calls;
mod ecn;
mod emit;
mod env;
mod fast_open;
mod icmp;
mod input;
mod predict;
mod rack;
mod timeouts;
mod train;
mod user_timeout;

pub(crate) use env::{AnswerBudget, Env, Outbox};
pub(crate) use predict::Plain;
pub(crate) use train::Followers;

use core::net::SocketAddr;
use core::time::Duration;

use crate::config::Config;
use crate::event::{ConnId, Error, Event, EventKind, ListenerId, Status};
use crate::isn::{Purpose, Secret};
use crate::mutant::Mutant;
use crate::recv::RecvHalf;
use crate::rtt::RttEstimator;
use crate::send::{Phase, SendHalf};
use crate::seq::SeqNum;
use crate::spare::Spare;
use crate::state::closed::Reset;
use crate::state::{Origin, State, synchronized};
use crate::time::Instant;
use crate::timer::{Timer, TimerTable};
use crate::tuple::Tuple;
use crate::wire::ip::{self, HeaderFields};
use crate::wire::{Ecn, Flags, Options, Outgoing, Segment, Timestamps};

/// What the application has set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) keepalive: bool,
    pub(crate) keepalive_idle: Duration,
    pub(crate) keepalive_interval: Duration,
    pub(crate) keepalive_count: u32,
    pub(crate) user_timeout: Option<Duration>,
    /// REMOTE_UTO (RFC 5482 section 3).
    pub(crate) remote_timeout: Option<Duration>,
    /// How long `close` waits for what was sent to be acknowledged before it aborts; zero aborts at once.
    pub(crate) linger: Option<Duration>,
    pub(crate) dscp: u8,
    pub(crate) hop_limit: u8,
    pub(crate) soft_errors: bool,
}

/// Acknowledgements that are owed.
#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    /// One that any segment may carry, so that one does for all that has come (MUST-58, MUST-59).
    ack: bool,
    /// Ones that have to stand alone: duplicates and answers to unacceptable segments.
    duplicates: u8,
}

/// What becomes of a SYN for a connection in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Incarnation {
    /// It opens a new connection.
    Accept,
    /// It is dropped in silence.
    Drop,
    /// It is judged as any other segment.
    None,
}

/// What the SYNs have agreed on, or may still.
#[derive(Clone, Copy, Debug)]
struct Offers {
    window_scale: bool,
    sack: bool,
    timestamps: bool,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnId,
    pub(crate) tuple: Tuple,
    pub(crate) state: State,
    pub(crate) snd: SendHalf,
    pub(crate) rcv: RecvHalf,
    pub(crate) timers: TimerTable,
    rtt: RttEstimator,
    settings: Settings,
    owed: Owed,
    /// Answers to unacceptable ACKs.
    answers: AnswerBudget,
    offers: Offers,
    ecn: ecn::EcnState,
    rack: rack::RackState,
    fast_open: fast_open::FastOpenState,
    /// The next segment with room for it carries the user timeout option (RFC 5482).
    announce_timeout: bool,
    /// Timestamps are on every segment, with this offset to our clock.
    timestamps: bool,
    ts_offset: u32,
    /// How often a SYN of ours was repeated.
    syn_repeats: u32,
    /// Probes of a closed window since it last opened.
    persist_backoff: u32,
    probe_due: bool,
    keepalive_due: bool,
    keepalives_unanswered: u32,
    last_heard: Instant,
    pub(crate) error: Option<Error>,
    /// The application has given the connection up.
    pub(crate) released: bool,
    /// The application knows the connection, so it is kept until released.
    pub(crate) owned: bool,
    readable_told: bool,
    identification: u16,
    /// The endpoint's bookkeeping: when it will look at our timers, and whether we are in its ready queue.
    pub(crate) armed: Option<Instant>,
    pub(crate) queued: bool,
}

impl Connection {
    fn new(id: ConnId, tuple: Tuple, iss: SeqNum, secret: &Secret, env: &Env<'_>) -> Self {
        let config = env.config;
        let (local, remote) = (tuple.local(), tuple.remote());
        let ip_header = ip::header_len(local.ip()) as u32;
        let path_mss = u32::from(config.mtu).saturating_sub(ip_header + 20).max(1);
        let settings = Settings {
            keepalive: config.is(Mutant::KeepAliveOnByDefault),
            keepalive_idle: config.keepalive_idle,
            keepalive_interval: config.keepalive_interval,
            keepalive_count: config.keepalive_count,
            user_timeout: None,
            remote_timeout: None,
            linger: None,
            dscp: 0,
            hop_limit: config.hop_limit,
            soft_errors: true,
        };
        let unguessable = secret.hash(Purpose::Timestamp, local, remote, 0);
        Self {
            id,
            tuple,
            state: State::Closed,
            snd: SendHalf::new(iss, path_mss, default_mss(&tuple, config), config),
            rcv: RecvHalf::new(config.recv_buffer),
            timers: TimerTable::default(),
            rtt: RttEstimator::new(config),
            settings,
            owed: Owed::default(),
            answers: AnswerBudget::default(),
            offers: Offers {
                window_scale: config.window_scale,
                sack: config.sack,
                timestamps: config.timestamps,
            },
            ecn: ecn::EcnState::new(config.ecn),
            rack: rack::RackState::default(),
            fast_open: fast_open::FastOpenState::default(),
            announce_timeout: false,
            timestamps: false,
            ts_offset: unguessable as u32,
            syn_repeats: 0,
            persist_backoff: 0,
            probe_due: false,
            keepalive_due: false,
            keepalives_unanswered: 0,
            last_heard: env.now,
            error: None,
            released: false,
            owned: false,
            readable_told: false,
            identification: (unguessable >> 32) as u16,
            armed: None,
            queued: false,
        }
    }

    /// Active OPEN (RFC 9293 3.10.1): to SYN-SENT.
    pub(crate) fn active(id: ConnId, tuple: Tuple, iss: SeqNum, secret: &Secret, env: &mut Env<'_>) -> Self {
        let mut conn = Self::new(id, tuple, iss, secret, env);
        conn.owned = true;
        conn.offer_fast_open(env);
        conn.transition(State::SynSent, env);
        conn
    }

    /// A listener takes a SYN (RFC 9293 3.10.7.2, third): to SYN-RECEIVED.
    pub(crate) fn passive(
        id: ConnId,
        tuple: Tuple,
        listener: ListenerId,
        syn: &Segment<'_>,
        iss: SeqNum,
        secret: &Secret,
        env: &mut Env<'_>,
    ) -> Self {
        let mut conn = Self::new(id, tuple, iss, secret, env);
        conn.take_syn(syn, env);
        conn.take_fast_open(syn, secret, env);
        conn.transition(State::SynReceived(Origin::Passive(listener)), env);
        if conn.is_early() {
            conn.owned = true;
            conn.tell(EventKind::Accepted { listener }, env);
            conn.tell_readable(env);
        }
        conn
    }

    /// The SYN,ACK went out as a cookie: from here on it is as if we had remembered it (RFC 4987 3.6).
    pub(crate) fn assume_syn_sent(&mut self, env: &Env<'_>) {
        let syn = self.first_syn();
        self.snd.sent(syn, env.now, &self.rtt, env.config);
    }

    /// Reads the peer's SYN: IRS, window, MSS and what it offers.
    fn take_syn(&mut self, syn: &Segment<'_>, env: &Env<'_>) {
        let config = env.config;
        self.rcv.synchronize(syn.seq, config);
        // RFC 7323 2.2: the window of a SYN is never scaled.
        self.snd.set_window(syn.seq, syn.ack, u32::from(syn.window));
        // RFC 9293 3.7.1, MUST-14 and MUST-15. An MSS of zero says nothing.
        match syn.options.mss.filter(|&mss| mss > 0) {
            Some(mss) => self.snd.peer_mss = u32::from(mss),
            None if config.is(Mutant::MissingMssStopsSending) => self.snd.peer_mss = 1,
            None => self.snd.peer_mss = default_mss(&self.tuple, config),
        }
        self.negotiate(&syn.options, env);
        self.negotiate_ecn(syn, env);
        self.note_user_timeout(&syn.options, env);
    }

    /// What both SYNs carry is on (RFC 7323 2.2 and 3.2, RFC 2018 2).
    fn negotiate(&mut self, theirs: &Options, env: &Env<'_>) {
        let config = env.config;
        let offers = &mut self.offers;
        if let Some(shift) = theirs.window_scale.filter(|_| offers.window_scale) {
            // RFC 7323 2.3: a shift above 14 is taken for 14.
            self.snd.shift = match config.mutant {
                Some(Mutant::WindowScaleIgnored) => 0,
                Some(Mutant::WindowScaleUnbounded) => shift.min(31),
                _ => shift.min(14),
            };
            self.rcv.shift = RecvHalf::wanted_shift(config.recv_buffer, config);
        }
        let fault = |mutant| config.is(mutant);
        offers.window_scale &= theirs.window_scale.is_some() || fault(Mutant::WindowScaleNotNegotiated);
        offers.sack &= theirs.sack_permitted || fault(Mutant::SackNotNegotiated);
        offers.timestamps &= theirs.timestamps.is_some() || fault(Mutant::TimestampsNotNegotiated);
        self.snd.sack = offers.sack;
        self.timestamps = offers.timestamps;
        self.snd.option_len = if self.timestamps { 12 } else { 0 };
        if let Some(timestamps) = theirs.timestamps {
            self.rcv.ts_recent = timestamps.value;
            self.rcv.ts_recent_at = env.now;
        }
    }

    /// The one place where the state changes, and what entering a state means for timers and the application.
    fn transition(&mut self, next: State, env: &mut Env<'_>) {
        if self.state == next {
            return;
        }
        let previous = core::mem::replace(&mut self.state, next);
        match next {
            State::Established | State::FinWait1 | State::CloseWait => {
                if !previous.is_synchronized() {
                    self.restart_keepalive(env);
                }
            }
            State::FinWait2 => {
                self.timers.stop(Timer::Retransmit);
                if let Some(span) = env.config.fin_wait_2.filter(|_| self.released) {
                    self.timers.set(Timer::FinWait2, env.now + span);
                }
            }
            State::TimeWait => {
                // All of ours is acknowledged; nobody is asked whether he is there.
                if !env.config.is(Mutant::KeepAliveInTimeWait) {
                    self.timers.stop_all();
                }
                self.restart_time_wait(env);
            }
            State::Closed => {
                self.timers.stop_all();
                self.snd.discard();
                if self.error.is_none() && previous.is_synchronized() {
                    self.tell(EventKind::Closed, env);
                }
            }
            State::SynSent | State::SynReceived(_) | State::Closing | State::LastAck => {}
        }
    }

    /// The handshake is complete.
    fn establish(&mut self, env: &mut Env<'_>) {
        let kind = match self.state {
            State::SynReceived(Origin::Passive(listener)) => EventKind::Accepted { listener },
            _ => EventKind::Connected,
        };
        // From here on the application knows of it, at least through the accept queue.
        self.owned = true;
        // RFC 5482 section 3: the option may be lost with the SYN, so it is said once more.
        self.announce_timeout =
            env.config.uses_user_timeout_option() && !env.config.is(Mutant::UserTimeoutOptionOnlyOnSyn);
        self.transition(State::Established, env);
        if !self.is_early() {
            self.tell(kind, env);
        }
    }

    /// Ends the connection with an error. All segment queues are flushed (RFC 9293 3.10.7.4, second).
    fn fail(&mut self, error: Error, env: &mut Env<'_>) {
        self.error = Some(error);
        self.rcv.discard();
        if !env.config.is(Mutant::ErrorsNotReported) {
            self.tell(
                match error {
                    Error::Refused => EventKind::Refused,
                    Error::TimedOut => EventKind::TimedOut,
                    Error::Unreachable => EventKind::HardError,
                    _ => EventKind::Reset,
                },
                env,
            );
        }
        self.transition(State::Closed, env);
    }

    fn tell(&self, kind: EventKind, env: &mut Env<'_>) {
        if self.owned || matches!(kind, EventKind::Accepted { .. }) {
            env.events.push_back(Event { conn: self.id, kind });
        }
    }

    fn restart_time_wait(&mut self, env: &Env<'_>) {
        // MUST-13: the side that closes first lingers.
        let linger = match env.config.mutant {
            // Long enough for the last ACK to leave.
            Some(Mutant::TimeWaitSkipped) => Duration::from_micros(1),
            Some(Mutant::TimeWaitTooShort) => env.config.msl,
            Some(Mutant::TimeWaitForever) => return,
            _ => env.config.msl * 2,
        };
        self.timers.set(Timer::TimeWait, env.now + linger);
    }

    /// `<SEQ=SND.NXT><CTL=RST>` (RFC 9293 3.10.5).
    fn send_abort(&mut self, env: &mut Env<'_>) {
        if env.config.is(Mutant::AbortSendsNoRst) {
            return;
        }
        let seq =
            if env.config.is(Mutant::AbortRstWrongSeq) { self.snd.una } else { self.snd.acceptable_nxt() };
        self.send_reset(Reset { seq, ack: None }, env);
    }

    fn send_reset(&mut self, reset: Reset, env: &mut Env<'_>) {
        let fields = self.ip_fields(Ecn::NotEct);
        // RFC 7323 3.2: once negotiated, a reset should carry them too.
        let echo = if reset.ack.is_some() || self.state.is_synchronized() { self.rcv.ts_recent } else { 0 };
        let timestamps = self.timestamps.then(|| Timestamps { value: self.ts_now(env), echo });
        env.outbox.push(env.config, reset_packet(&self.tuple, fields, reset, timestamps));
    }

    fn ip_fields(&mut self, ecn: Ecn) -> HeaderFields {
        self.identification = self.identification.wrapping_add(1);
        HeaderFields {
            hops: self.settings.hop_limit,
            dscp: self.settings.dscp,
            ecn,
            identification: self.identification,
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.tuple.local()
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        self.tuple.remote()
    }

    fn mss(&self, config: &Config) -> u32 {
        self.snd.mss(config)
    }

    /// Our timestamp clock: milliseconds from an unguessable origin (RFC 7323 4.1 and 5.4).
    fn ts_now(&self, env: &Env<'_>) -> u32 {
        match env.config.mutant {
            Some(Mutant::TimestampFrozen) => self.ts_offset,
            Some(Mutant::TimestampTooFast) => self.ts_offset.wrapping_add(env.now.as_micros() as u32),
            Some(Mutant::TimestampBackwards) => {
                self.ts_offset.wrapping_sub((env.now.as_micros() / 1000) as u32)
            }
            _ => self.ts_offset.wrapping_add((env.now.as_micros() / 1000) as u32),
        }
    }

    /// What a SYN in TIME-WAIT does (RFC 9293 3.6.1, MAY-2; RFC 6191 section 2).
    pub(crate) fn on_new_incarnation(&self, segment: &Segment<'_>, config: &Config) -> Incarnation {
        let opening = segment.has(Flags::SYN)
            && !segment.has(Flags::ACK)
            && !segment.has(Flags::RST)
            && !segment.has(Flags::FIN);
        if self.state != State::TimeWait || !opening || !config.time_wait_reuse {
            return Incarnation::None;
        }
        match config.mutant {
            Some(Mutant::TimeWaitReuseUnchecked) => return Incarnation::Accept,
            Some(Mutant::TimeWaitNotReused) => return Incarnation::None,
            _ => {}
        }
        let above = segment.seq.after(self.rcv.nxt);
        match segment.options.timestamps.filter(|_| self.timestamps) {
            // RFC 6191 (SHLD-4): a later timestamp will do; with an equal one the sequence number decides; an older one is
            // dropped in silence.
            Some(timestamps) if timestamps.value != self.rcv.ts_recent => {
                match synchronized::is_older_timestamp(timestamps.value, self.rcv.ts_recent) {
                    false => Incarnation::Accept,
                    true => Incarnation::Drop,
                }
            }
            _ if above => Incarnation::Accept,
            _ if self.timestamps => Incarnation::Drop,
            // The old connection had none, the new one brings them: their clock will tell the two apart.
            _ if segment.options.timestamps.is_some() && config.timestamps => Incarnation::Accept,
            _ => Incarnation::None,
        }
    }

    /// A deliberate bug has made another connection of the same name.
    pub(crate) fn forget(&mut self, env: &mut Env<'_>) {
        self.error = Some(Error::Reset);
        self.transition(State::Closed, env);
    }

    /// Whether the endpoint will look at it in time, for text and for timers.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        let in_time = |next| self.armed.is_some_and(|armed| armed <= next);
        self.queued && self.state != State::Closed && self.timers.next().is_none_or(in_time)
    }

    /// An idle connection holds no buffers.
    #[inline]
    pub(crate) fn give_back(&mut self, spare: &mut Spare) {
        self.snd.buffer.give_back(spare);
        self.snd.board.give_back(spare);
        self.rcv.buffer.give_back(spare);
    }

    /// The old incarnation makes room for a new one.
    pub(crate) fn end_time_wait(&mut self, env: &mut Env<'_>) {
        self.transition(State::Closed, env);
    }

    /// Whether nothing keeps the endpoint from forgetting this connection.
    pub(crate) fn is_forgettable(&self) -> bool {
        self.state == State::Closed && (self.released || !self.owned)
    }

    /// The listener of a connection that is still half open.
    pub(crate) fn half_open_of(&self) -> Option<ListenerId> {
        match self.state {
            State::SynReceived(Origin::Passive(listener)) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn status(&self, config: &Config) -> Status {
        Status {
            state: self.state.name(),
            local: Some(self.local()),
            remote: Some(self.remote()),
            iss: self.snd.iss,
            snd_una: self.snd.una,
            snd_nxt: self.snd.nxt,
            snd_wnd: self.snd.wnd,
            irs: self.rcv.irs,
            rcv_nxt: self.rcv.nxt,
            rcv_wnd: self.rcv.window(),
            mss: self.mss(config),
            cwnd: self.snd.congestion.cwnd,
            ssthresh: self.snd.congestion.ssthresh,
            srtt: self.rtt.srtt(),
            rto: self.rtt.rto(config),
            unacknowledged: self.snd.buffer.len(),
            readable: self.rcv.readable(),
            urgent: self.rcv.urgent_left(config),
            error: self.error,
        }
    }

    fn in_recovery(&self) -> bool {
        self.snd.phase != Phase::Open
    }
}

/// MUST-15: 536 for IPv4, 1220 for IPv6.
fn default_mss(tuple: &Tuple, config: &Config) -> u32 {
    match config.mutant {
        Some(Mutant::DefaultMssTooLarge) => 1460,
        _ if tuple.is_ipv4() => 536,
        _ => 1220,
    }
}

/// A reset as a packet.
pub(crate) fn reset_packet(
    tuple: &Tuple,
    fields: HeaderFields,
    reset: Reset,
    timestamps: Option<Timestamps>,
) -> Outgoing<'static> {
    Outgoing {
        local: tuple.local(),
        remote: tuple.remote(),
        ip: fields,
        seq: reset.seq,
        ack: reset.ack.unwrap_or(SeqNum(0)),
        flags: if reset.ack.is_some() { Flags::RST | Flags::ACK } else { Flags::RST },
        window: 0,
        urgent: 0,
        options: Options { timestamps, ..Options::default() },
        text: (&[], &[]),
    }
}
