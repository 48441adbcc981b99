//! What an acknowledgement does (RFC 9293 3.10.7.4, fifth): it frees, measures, opens the window and follows the arrows.
//!
//! What it says of losses is decided in [`crate::send`].

use core::time::Duration;

use super::input::Check;
use super::{Connection, Env};
use crate::event::EventKind;
use crate::mutant::Mutant;
use crate::send::{AckInfo, Acked, Fin};
use crate::state::synchronized::{self, AckDisposition};
use crate::state::{State, closed, closing, syn_received};
use crate::timer::Timer;
use crate::wire::{Flags, Segment};

impl Connection {
    /// Fifth: the ACK field.
    pub(super) fn check_ack(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) -> Check {
        if !segment.has(Flags::ACK) {
            return if env.config.is(Mutant::MissingAckAccepted) { Check::Passed } else { Check::Done };
        }
        if let State::SynReceived(_) = self.state {
            if env.config.is(Mutant::WrongEchoResets) && self.echoes_another_clock(segment, env) {
                self.send_reset(closed::reset_at_ack(segment), env);
                return Check::Done;
            }
            match syn_received::on_ack(self.snd.una, self.snd.nxt, segment, env.config) {
                syn_received::AckDisposition::Establish => {
                    self.take_ack(segment, env);
                    self.establish(env);
                    if self.snd.fin == Fin::Queued {
                        // A CLOSE was queued for this moment (3.10.4).
                        self.transition(closing::on_close(self.state), env);
                    }
                }
                syn_received::AckDisposition::Reset(reset) => {
                    self.send_reset(reset, env);
                    return Check::Done;
                }
                syn_received::AckDisposition::Ignore => return Check::Done,
            }
        }
        let largest = match env.config.mutant {
            Some(Mutant::OldestAckByNewestWindow) => self.snd.wnd,
            _ => self.snd.max_wnd,
        };
        match synchronized::on_ack(self.snd.una, self.snd.nxt, largest, segment, env.config) {
            AckDisposition::Process => self.take_ack(segment, env),
            AckDisposition::Old => {
                if env.config.is(Mutant::StaleWindowAccepted) {
                    self.take_window(segment, env);
                }
            }
            AckDisposition::NotYetSent => {
                if !env.config.is(Mutant::FutureAckSilent) {
                    self.owe_duplicate();
                }
                return Check::Done;
            }
            AckDisposition::TooOld => {
                self.challenge(env);
                return Check::Done;
            }
        }
        if self.state == State::Closed { Check::Done } else { Check::Passed }
    }

    /// SND.UNA =< SEG.ACK =< SND.NXT: acknowledges, measures, opens the window and follows the arrows.
    pub(super) fn take_ack(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if segment.ack == self.snd.una && self.snd.board.is_empty() && segment.options.sack.is_empty() {
            if env.config.is(Mutant::SampleFromAnyAck) {
                self.measure(segment, Acked::default(), env);
            }
            // Text for us, most of the time: nothing is outstanding, so there is only the window to learn.
            self.take_echo(segment, env);
            self.take_window(segment, env);
            return;
        }
        let syn_acked = self.snd.una == self.snd.iss && segment.ack.after(self.snd.una);
        if syn_acked {
            self.rtt_after_handshake(env);
            self.snd.open(self.syn_repeats > 0, env.config);
        }
        let same_window = self.scaled_window(segment, env) == self.snd.wnd;
        // A mutant may let a wild number through; what it acknowledges is then all that was sent.
        let sane = segment.ack.at_or_after(self.snd.una) && segment.ack.at_or_before(self.snd.nxt);
        let ack = if sane { segment.ack } else { self.snd.nxt };
        let info = AckInfo {
            ack,
            pure: segment.is_empty(),
            same_window,
            congested: self.hears_echo(segment),
            sack: segment.options.sack.as_slice(),
            now: env.now,
        };
        let srtt = self.rtt.srtt().unwrap_or(env.config.rto_initial);
        let was_open = !self.in_recovery();
        let acked = self.snd.on_ack(info, srtt, env.config);
        if was_open && self.in_recovery() {
            self.ecn.note_reduction();
        }
        self.take_echo(segment, env);
        self.measure(segment, acked, env);
        self.take_window(segment, env);
        self.rack_on_ack(segment, acked, env);
        self.after_ack(acked, env);
        if self.snd.fin_acked() {
            self.transition(closing::on_fin_acked(self.state, env.config), env);
        }
    }

    /// RFC 6298 5.7: a repeated SYN gives no sample, and an RTO of 3 seconds to start with.
    fn rtt_after_handshake(&mut self, env: &Env<'_>) {
        if self.syn_repeats > 0 && !env.config.is(Mutant::RtoKeptAfterSynLoss) {
            self.rtt.restart_after_syn_loss(env.config);
        }
    }

    /// RFC 6298 section 3 (Karn) or RFC 7323 4.1: one sample from an acknowledgement of something new.
    fn measure(&mut self, segment: &Segment<'_>, acked: Acked, env: &Env<'_>) {
        if acked.octets == 0 && !env.config.is(Mutant::SampleFromAnyAck) {
            return;
        }
        if let Some(sent_at) = acked.sample {
            self.rtt.sample(env.now.since(sent_at), env.config);
            return;
        }
        let Some(timestamps) = segment.options.timestamps.filter(|_| self.timestamps) else { return };
        // A garbled echo is not fatal: it is just not a sample.
        let age = self.ts_now(env).wrapping_sub(timestamps.echo);
        if timestamps.echo != 0 && age < 1 << 20 && self.syn_repeats == 0 {
            self.rtt.sample(Duration::from_millis(u64::from(age)), env.config);
        }
    }

    /// The echo cannot be of a timestamp of ours. That is no reason to do anything (RFC 7323 3.2).
    pub(super) fn echoes_another_clock(&self, segment: &Segment<'_>, env: &Env<'_>) -> bool {
        segment
            .options
            .timestamps
            .is_some_and(|timestamps| self.ts_now(env).wrapping_sub(timestamps.echo) > 1 << 20)
    }

    fn scaled_window(&self, segment: &Segment<'_>, env: &Env<'_>) -> u32 {
        let window = match env.config.mutant {
            Some(Mutant::WindowSigned) => u32::from(segment.window & 0x7fff),
            _ => u32::from(segment.window),
        };
        // RFC 7323 2.2: SEG.WND is scaled, except on a SYN.
        let window = if segment.has(Flags::SYN) { window } else { window << self.snd.shift.min(15) };
        if env.config.is(Mutant::WindowKeptIn16Bits) { window & 0xffff } else { window }
    }

    /// The window, and the persist timer that guards a closed one (RFC 9293 3.8.6.1, MUST-34 to MUST-37).
    fn take_window(&mut self, segment: &Segment<'_>, env: &Env<'_>) {
        let was_closed = self.snd.wnd == 0;
        let window = self.scaled_window(segment, env);
        self.snd.update_window(segment.seq, segment.ack, window, env.config);
        let waiting = || !self.snd.board.is_empty() || self.snd.probe(env.config).is_some();
        if self.snd.wnd == 0 && self.state.is_synchronized() && waiting() {
            self.timers.stop(Timer::Retransmit);
            self.snd.paused = false;
            self.start_persist(env);
            // MUST-37: as long as probes are answered the connection stays.
            if self.timers.is_running(Timer::UserTimeout) && !env.config.is(Mutant::PersistGivesUp) {
                let r2 = self.r2(env.config);
                self.timers.set(Timer::UserTimeout, env.now + r2);
            }
        } else if was_closed && self.snd.wnd > 0 {
            self.timers.stop(Timer::Persist);
            self.persist_backoff = 0;
            self.probe_due = false;
            if !self.snd.board.is_empty() && self.state.is_synchronized() {
                // What was sent into the closed window was most likely not kept.
                self.snd.repeat_all();
            }
        }
    }

    pub(super) fn start_persist(&mut self, env: &Env<'_>) {
        if !env.config.is(Mutant::NoWindowProbe) {
            let interval = self.persist_interval(env);
            self.timers.start(Timer::Persist, || env.now + interval);
        }
    }

    /// The retransmission timer after an acknowledgement (RFC 6298 5.2 and 5.3), R2 and the application.
    fn after_ack(&mut self, acked: Acked, env: &mut Env<'_>) {
        if acked.octets == 0 {
            if env.config.is(Mutant::RtoRestartedByDuplicate) && self.timers.is_running(Timer::Retransmit) {
                let rto = self.rtt.rto(env.config);
                self.timers.set(Timer::Retransmit, env.now + rto);
            }
            return;
        }
        self.timers.stop(Timer::UserTimeout);
        if self.snd.board.is_empty() {
            if !self.snd.paused && !env.config.is(Mutant::RtoNotStopped) {
                self.timers.stop(Timer::Retransmit);
            }
        } else {
            let r2 = self.r2(env.config);
            self.timers.set(Timer::UserTimeout, env.now + r2);
            if !self.timers.is_running(Timer::Persist)
                && !acked.later_partial
                && !env.config.is(Mutant::RtoNotRestartedOnAck)
            {
                let rto = self.rtt.rto(env.config);
                self.timers.set(Timer::Retransmit, env.now + rto);
            }
        }
        self.schedule_probe(env);
        if acked.made_room {
            self.tell(EventKind::Writable, env);
        }
    }
}
