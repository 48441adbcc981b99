//! How long we wait for an answer: R2 (RFC 9293 3.8.3) and the user timeout option (RFC 5482).

use core::time::Duration;

use super::{Connection, Env};
use crate::config::Config;
use crate::mutant::Mutant;
use crate::state::State;
use crate::wire::{Options, UserTimeout};

impl Connection {
    /// R2 of this connection (MUST-20, MUST-21), the same rule for SYNs (MUST-22), but longer (MUST-23).
    pub(super) fn r2(&self, config: &Config) -> Duration {
        if config.is(Mutant::R2TooShort) {
            return Duration::from_secs(10);
        }
        if config.is(Mutant::R2Never) {
            return Duration::from_secs(1 << 40);
        }
        let remote = self.settings.remote_timeout;
        match (config.mutant, remote) {
            (Some(Mutant::UserTimeoutOptionZeroTaken), Some(Duration::ZERO)) => {
                return Duration::from_millis(1);
            }
            (Some(Mutant::UserTimeoutOptionUnbounded), Some(remote))
                if self.settings.user_timeout.is_none() =>
            {
                return remote;
            }
            (Some(Mutant::UserTimeoutOptionOverrides), Some(remote))
                if self.settings.user_timeout.is_some() =>
            {
                return remote;
            }
            _ => {}
        }
        match (self.settings.user_timeout, self.state) {
            (Some(_), _) if config.is(Mutant::UserTimeoutIgnored) => config.r2,
            (Some(set), _) => set,
            (None, State::SynSent | State::SynReceived(_)) if !config.is(Mutant::SynR2TooShort) => {
                config.syn_r2
            }
            (None, State::SynSent | State::SynReceived(_)) => config.syn_r2 / 10,
            (None, _) => match self.settings.remote_timeout {
                // RFC 5482 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), unless the application has chosen.
                Some(remote) => {
                    remote.max(config.r2).max(config.user_timeout_limits.0).min(config.user_timeout_limits.1)
                }
                None => config.r2,
            },
        }
    }

    /// RFC 5482: what the peer advises, and what we announce.
    pub(super) fn note_user_timeout(&mut self, options: &Options, env: &Env<'_>) {
        if let Some(UserTimeout(span)) = options.user_timeout
            && env.config.uses_user_timeout_option()
            && (!span.is_zero() || env.config.is(Mutant::UserTimeoutOptionZeroTaken))
            && !env.config.is(Mutant::UserTimeoutOptionIgnored)
        {
            let seconds = env.config.is(Mutant::UserTimeoutOptionInSeconds) && span.as_secs() % 60 == 0;
            self.settings.remote_timeout = Some(if seconds { span / 60 } else { span });
        }
    }

    pub(super) fn announced_timeout(&self, config: &Config) -> UserTimeout {
        UserTimeout(self.settings.user_timeout.unwrap_or(config.r2))
    }
}
