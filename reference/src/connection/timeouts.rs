//! What the expiry of each timer means (RFC 9293 3.10.8, RFC 6298, 3.8.4, 3.8.6.1).

use core::time::Duration;

use super::{Connection, Env};
use crate::event::Error;
use crate::mutant::Mutant;
use crate::state::State;
use crate::timer::Timer;

impl Connection {
    /// Handles every timer that has expired by `env.now`.
    pub(crate) fn on_timers(&mut self, env: &mut Env<'_>) {
        while let Some(timer) = self.timers.take_expired(env.now) {
            match timer {
                Timer::Retransmit => self.on_retransmit(env),
                Timer::Persist => self.probe_due = self.snd.probe(env.config).is_some(),
                Timer::DelayedAck => self.owed.ack = true,
                Timer::Override => self.snd.override_due = true,
                Timer::KeepAlive => self.on_keepalive(env),
                Timer::TimeWait => self.transition(State::Closed, env),
                Timer::UserTimeout => self.on_user_timeout(env),
                Timer::FinWait2 => {
                    self.error.get_or_insert(Error::TimedOut);
                    self.transition(State::Closed, env);
                }
                Timer::Linger if self.snd.fin_acked() => {}
                Timer::Linger => self.abort(env),
                Timer::Reorder => self.rack_detect(env),
                Timer::Probe => self.rack.probe_due = true,
            }
        }
    }

    /// RFC 6298 5.4 to 5.6; RFC 9293 3.10.8, U-20.
    fn on_retransmit(&mut self, env: &mut Env<'_>) {
        self.snd.paused = false;
        if self.snd.board.is_empty() || env.config.is(Mutant::RetransmitNever) {
            return;
        }
        if matches!(self.state, State::SynSent | State::SynReceived(_)) {
            if self.state != State::SynSent && env.config.is(Mutant::SynAckNotRetransmitted) {
                return;
            }
            if self.state == State::SynSent && env.config.is(Mutant::SynNotRetransmitted) {
                return;
            }
            if self.state == State::SynSent && self.syn_repeats == 0 {
                self.fast_open_failed(env);
            }
            self.syn_repeats += 1;
        }
        self.rtt.back_off(env.config);
        let patience = self.rack_timeout_patience(env);
        self.snd.on_timeout(patience, env.now, env.config);
        self.rack_on_timeout();
        self.ecn.note_reduction();
        // SHLD-9: between R1 and R2 the application should hear of it.
        if self.snd.timeouts == env.config.r1 && !env.config.is(Mutant::R1NotReported) {
            self.report_soft_error(env);
        }
    }

    /// RFC 9293 3.10.8, U-19; 3.8.3, MUST-20.
    fn on_user_timeout(&mut self, env: &mut Env<'_>) {
        if self.half_open_of().is_some() {
            // The entry vanishes; the listener stays, and nobody was told of it.
            self.error = Some(Error::TimedOut);
            self.transition(State::Closed, env);
            return;
        }
        if env.config.is(Mutant::TimeoutSendsRst) {
            self.send_abort(env);
        }
        self.fail(Error::TimedOut, env);
    }

    /// MUST-26: only when nothing was heard and nothing is outstanding for the whole interval.
    fn on_keepalive(&mut self, env: &mut Env<'_>) {
        if !self.settings.keepalive || !self.state.is_synchronized() {
            return;
        }
        let quiet = env.now.since(self.last_heard);
        let busy = !self.snd.board.is_empty() || self.timers.is_running(Timer::Persist);
        let idle = self.keepalive_idle(env);
        let early = self.keepalives_unanswered == 0 && quiet < idle;
        if (early || busy) && !env.config.is(Mutant::KeepAliveWhileBusy) {
            let wait = if busy { idle } else { idle.saturating_sub(quiet).max(Duration::from_millis(1)) };
            self.timers.set(Timer::KeepAlive, env.now + wait);
            return;
        }
        let limit = match env.config.mutant {
            Some(Mutant::KeepAliveOneLossFatal) => 1,
            _ => self.settings.keepalive_count,
        };
        if self.keepalives_unanswered >= limit {
            self.send_abort(env);
            self.fail(Error::TimedOut, env);
            return;
        }
        self.keepalives_unanswered += 1;
        self.keepalive_due = true;
        let interval = match env.config.mutant {
            Some(Mutant::KeepAliveIntervalTooShort) => self.settings.keepalive_interval / 10,
            _ => self.settings.keepalive_interval,
        };
        self.timers.set(Timer::KeepAlive, env.now + interval);
    }

    pub(super) fn restart_keepalive(&mut self, env: &Env<'_>) {
        self.keepalives_unanswered = 0;
        if !self.settings.keepalive || !self.state.is_synchronized() || self.state == State::TimeWait {
            self.timers.stop(Timer::KeepAlive);
            return;
        }
        let idle = self.keepalive_idle(env);
        self.timers.set(Timer::KeepAlive, env.now + idle);
    }

    fn keepalive_idle(&self, env: &Env<'_>) -> Duration {
        match env.config.mutant {
            Some(Mutant::KeepAliveDefaultTooShort) => Duration::from_secs(60),
            Some(Mutant::KeepAliveBeforeUserTimeout) => self.settings.keepalive_idle,
            // RFC 5482 4.2: never sooner than the user timeout that both sides have agreed on.
            _ if env.config.uses_user_timeout_option() && self.settings.remote_timeout.is_some() => {
                self.settings.keepalive_idle.max(self.r2(env.config) + Duration::from_secs(1))
            }
            _ => self.settings.keepalive_idle,
        }
    }

    /// RFC 9293 3.8.6.1: the first probe after one RTO (SHLD-29), then at doubling intervals (SHLD-30).
    pub(super) fn persist_interval(&self, env: &Env<'_>) -> Duration {
        match env.config.mutant {
            Some(Mutant::PersistTooEarly) if self.persist_backoff == 0 => return Duration::from_millis(1),
            Some(Mutant::PersistTooLate) => return env.config.persist_max,
            _ => {}
        }
        let doublings =
            if env.config.is(Mutant::PersistNoBackoff) { 0 } else { self.persist_backoff.min(16) };
        self.rtt.rto(env.config).saturating_mul(1 << doublings).min(env.config.persist_max)
    }
}
