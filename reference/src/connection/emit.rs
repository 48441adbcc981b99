//! What goes out, one segment for each call, and what sending it starts.

use super::{Connection, Env, Followers};
use crate::mutant::Mutant;
use crate::recv::RecvHalf;
use crate::send::{Fresh, Piece};
use crate::seq::SeqNum;
use crate::state::{State, closing};
use crate::timer::Timer;
use crate::wire::{Flags, Options, Outgoing, Timestamps};

/// What a poll has chosen to send.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// A segment that occupies sequence space.
    Piece(Piece),
    /// An acknowledgement alone.
    Ack,
    /// A keep-alive (RFC 9293 3.8.4).
    KeepAlive,
}

impl Connection {
    /// Writes the next packet over what `buffer` holds, if there is one. Returns its length and what may follow.
    pub(crate) fn poll(&mut self, env: &mut Env<'_>, buffer: &mut Vec<u8>) -> Option<(usize, Followers)> {
        let len = match self.choose(env)? {
            Choice::Piece(piece) => {
                let len = self.emit_piece(piece, env, buffer);
                self.after_piece(piece, env);
                return Some((len, self.followers(piece, env)));
            }
            Choice::Ack => {
                let len = self.emit_ack(self.snd.acceptable_nxt(), env, buffer);
                self.owed.duplicates = self.owed.duplicates.saturating_sub(1);
                len
            }
            Choice::KeepAlive => {
                // SHLD-12: no octet, one below SND.NXT, so that the peer has to answer.
                let seq = match env.config.mutant {
                    Some(Mutant::KeepAliveWrongSeq) => self.snd.nxt,
                    _ => self.snd.nxt - 1,
                };
                let octet: &[u8] =
                    if env.config.keepalive_garbage || env.config.is(Mutant::KeepAliveWithGarbage) {
                        &[0]
                    } else {
                        &[]
                    };
                self.emit_empty(seq, octet, env, buffer)
            }
        };
        Some((len, Followers::default()))
    }

    fn choose(&mut self, env: &Env<'_>) -> Option<Choice> {
        if self.state == State::Closed {
            return None;
        }
        if self.snd.nxt == self.snd.iss && self.waits_for_text() {
            return None;
        }
        if self.snd.nxt == self.snd.iss {
            return Some(Choice::Piece(self.first_syn()));
        }
        if self.owed.duplicates > 0 {
            return Some(Choice::Ack);
        }
        if self.probe_due {
            self.probe_due = false;
            if let Some(piece) = self.snd.probe(env.config) {
                return Some(Choice::Piece(piece));
            }
        }
        if self.rack.probe_due
            && let Some(piece) = self.choose_probe(env)
        {
            return Some(Choice::Piece(piece));
        }
        if !self.timers.is_running(Timer::Persist)
            && let Some(piece) = self.snd.retransmission(env.config)
            && (piece.syn || self.state.is_synchronized() || self.is_early())
        {
            return Some(Choice::Piece(piece));
        }
        let premature = env.config.is(Mutant::DataBeforeEstablished) && !self.state.is_synchronized();
        let twice = env.config.is(Mutant::SecondCloseSendsFin) && self.state == State::FinWait2;
        if (self.state.sends() || self.is_early() || premature || twice)
            && let Some(piece) = self.choose_fresh(env)
        {
            return Some(Choice::Piece(piece));
        }
        if self.owed.ack {
            return Some(Choice::Ack);
        }
        // MUST-26: not if text has gone out since it was due; SND.NXT-1 is then an octet that the peer may take.
        let busy = !self.snd.board.is_empty() && !env.config.is(Mutant::KeepAliveWhileBusy);
        (core::mem::take(&mut self.keepalive_due) && !busy).then_some(Choice::KeepAlive)
    }

    fn choose_fresh(&mut self, env: &Env<'_>) -> Option<Piece> {
        if env.config.is(Mutant::DataBeforeEstablished) && !self.state.is_synchronized() {
            return Some(self.snd.fresh_piece(env.config)).filter(|piece| piece.len > 0);
        }
        match self.snd.fresh(env.config) {
            Fresh::Send(piece) => Some(piece),
            Fresh::Hold => {
                // RFC 9293 3.8.6.2.1: the override timer, when no ACK will come to help.
                let never =
                    matches!(env.config.mutant, Some(Mutant::NagleDeadlock | Mutant::OverrideTimerNever));
                if self.snd.board.is_empty() && !never {
                    self.timers.start(Timer::Override, || env.now + env.config.override_timeout);
                }
                None
            }
            Fresh::WindowClosed => {
                if self.snd.board.is_empty() {
                    self.start_persist(env);
                }
                None
            }
            Fresh::CwndFull => None,
            Fresh::Nothing => self.snd.rescue(env.config),
        }
    }

    /// The timers that a transmission starts (RFC 6298 5.1, RFC 9293 3.8.3 and 3.8.6.1).
    fn after_piece(&mut self, piece: Piece, env: &mut Env<'_>) {
        self.snd.board.lend(env.spare);
        self.snd.sent(piece, env.now, &self.rtt, env.config);
        self.timers.stop(Timer::Override);
        if piece.fin && !piece.again {
            self.transition(closing::on_fin_sent(self.state, env.config), env);
        }
        if !self.timers.is_running(Timer::UserTimeout) {
            let r2 = self.r2(env.config);
            self.timers.set(Timer::UserTimeout, env.now + r2);
        }
        if self.snd.wnd == 0 && self.state.is_synchronized() {
            self.persist_backoff += 1;
            self.start_persist(env);
        } else {
            self.timers.start(Timer::Retransmit, || env.now + self.rtt.rto(env.config));
            if !piece.again && self.state.is_synchronized() {
                self.schedule_probe(env);
            }
        }
    }

    fn emit_piece(&mut self, piece: Piece, env: &Env<'_>, buffer: &mut Vec<u8>) -> usize {
        let config = env.config;
        let mut flags = Flags::default();
        if self.state != State::SynSent {
            flags = flags | Flags::ACK;
        }
        if piece.syn {
            flags = flags | Flags::SYN | self.ecn_syn_flags(env);
        }
        if piece.fin {
            flags = flags | Flags::FIN;
        }
        // MUST-61: PSH on the last segment of what is buffered.
        if piece.len > 0 && self.snd.ends_buffer(piece) && !config.is(Mutant::PushNeverSet) {
            flags = flags | Flags::PSH;
        }
        let mut urgent = 0;
        if let Some(up) = self.snd.urgent.filter(|up| up.after(piece.seq) && !piece.syn) {
            // RFC 9293 3.8.5: SND.UP - SEG.SEQ, or as far as the field goes.
            flags = flags | Flags::URG;
            urgent = up.distance_from(piece.seq).min(0xffff) as u16;
        }
        let (marks, codepoint) =
            if piece.syn { Default::default() } else { self.ecn_marks(Some(piece), env) };
        flags = flags | marks;
        let options = if piece.syn { self.syn_options(env) } else { self.options(env) };
        let window = if piece.syn {
            self.rcv.syn_window(config)
        } else {
            let mss = self.mss(config);
            self.rcv.advertise(mss, config)
        };
        let ack = if flags.has(Flags::ACK) { self.rcv.acknowledgment(config) } else { SeqNum(0) };
        let fields = self.ip_fields(codepoint);
        let moved = piece.again && piece.fin && config.is(Mutant::FinMovesWhenResent);
        let mut text = self.snd.text_of(piece);
        if piece.again && piece.len > 1 && text.1.is_empty() && config.is(Mutant::RetransmissionDiffers) {
            text = (&text.0[1..], &text.0[..1]);
        }
        let len = crate::distort::emit(
            config,
            &Outgoing {
                local: self.local(),
                remote: self.remote(),
                ip: fields,
                seq: piece.seq + u32::from(moved),
                ack,
                flags,
                window,
                urgent,
                options,
                text,
            },
            buffer,
        );
        if flags.has(Flags::ACK) {
            self.acknowledged(ack, env);
        }
        len
    }

    /// `<SEQ=seq><ACK=RCV.NXT><CTL=ACK>`.
    fn emit_ack(&mut self, seq: SeqNum, env: &Env<'_>, buffer: &mut Vec<u8>) -> usize {
        self.emit_empty(seq, &[], env, buffer)
    }

    /// The same, with octets that were acknowledged long ago (MAY-6).
    fn emit_empty(&mut self, seq: SeqNum, garbage: &[u8], env: &Env<'_>, buffer: &mut Vec<u8>) -> usize {
        let config = env.config;
        let mut options = self.options(env);
        if self.snd.sack && !config.is(Mutant::SackNotSent) {
            self.rcv.sack_option(&mut options, config);
        }
        if core::mem::take(&mut self.announce_timeout) {
            options.user_timeout = Some(self.announced_timeout(config));
        }
        let mss = self.mss(config);
        let window = self.rcv.advertise(mss, config);
        let ack = self.rcv.acknowledgment(config);
        let (marks, codepoint) = self.ecn_marks(None, env);
        let fields = self.ip_fields(codepoint);
        let len = crate::distort::emit(
            config,
            &Outgoing {
                local: self.local(),
                remote: self.remote(),
                ip: fields,
                seq,
                ack,
                flags: Flags::ACK | marks,
                window,
                urgent: 0,
                options,
                text: (garbage, &[]),
            },
            buffer,
        );
        self.acknowledged(ack, env);
        len
    }

    fn acknowledged(&mut self, ack: SeqNum, env: &Env<'_>) {
        self.rcv.acknowledged(ack);
        self.owed.ack = false;
        if !env.config.is(Mutant::DelayedAckTimerNotStopped) {
            self.timers.stop(Timer::DelayedAck);
        }
    }

    /// The options of a SYN or SYN,ACK: what we offer, or what both offer (RFC 7323 2.2, 3.2, RFC 2018 2).
    fn syn_options(&self, env: &Env<'_>) -> Options {
        let config = env.config;
        let ip_header = crate::wire::ip::header_len(self.local().ip()) as u16;
        // SHLD-5: always announced. MUST-67: MMS_R - 20, and options are not taken off (RFC 6691).
        let mss = config.mtu.saturating_sub(ip_header + 20);
        let echo = if self.state == State::SynSent { 0 } else { self.rcv.ts_recent };
        let careless = match config.mutant {
            Some(Mutant::FastOpenSynRepeated) => self.state == State::SynSent,
            Some(Mutant::FastOpenSynAckRepeated) => self.state != State::SynSent,
            _ => false,
        };
        Options {
            mss: (!config.is(Mutant::MssNotSent)).then_some(mss),
            window_scale: self
                .offers
                .window_scale
                .then(|| RecvHalf::wanted_shift(config.recv_buffer, config)),
            sack_permitted: self.offers.sack,
            timestamps: self.offers.timestamps.then(|| Timestamps { value: self.ts_now(env), echo }),
            // RFC 7413 4.1.3: a repeated SYN goes without.
            fast_open: self.fast_open.option.filter(|_| self.syn_repeats == 0 || careless),
            user_timeout: config.uses_user_timeout_option().then(|| self.announced_timeout(config)),
            ..Options::default()
        }
    }

    /// The options of every other segment (RFC 7323 3.2).
    fn options(&self, env: &Env<'_>) -> Options {
        let timestamps = self.timestamps.then(|| Timestamps {
            value: self.ts_now(env),
            echo: if env.config.is(Mutant::TimestampEchoZero) { 0 } else { self.rcv.ts_recent },
        });
        Options { timestamps, ..Options::default() }
    }
}
