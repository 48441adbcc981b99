//! ICMP errors about this connection (RFC 9293 3.9.2.2, RFC 1191, RFC 8201, with the checks of RFC 5927).

use super::{Connection, Env};
use crate::event::{Error, EventKind};
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::state::{Origin, State};
use crate::wire::{IcmpKind, ip};

/// RFC 1191 section 7: sizes that networks have, for routers that do not name one.
const PLATEAUS: [u32; 10] = [32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

impl Connection {
    /// An error that quotes a segment of ours (MUST-54).
    pub(crate) fn on_icmp(&mut self, kind: IcmpKind, seq: SeqNum, env: &mut Env<'_>) {
        // RFC 5927 4.1: only a segment that is in flight can have met with an error.
        let in_flight = seq.within(self.snd.una, self.snd.flight());
        if !in_flight && !env.config.is(Mutant::IcmpSeqUnchecked) {
            return;
        }
        if self.state == State::SynSent {
            self.fast_open_failed(env);
        }
        match kind {
            // MUST-55, RFC 6633.
            IcmpKind::SourceQuench => {
                if env.config.is(Mutant::SourceQuenchObeyed) {
                    self.snd.congestion.cwnd = self.mss(env.config);
                }
            }
            IcmpKind::PacketTooBig { mtu } => self.on_packet_too_big(mtu, env),
            IcmpKind::Hard => self.on_hard_error(env),
            // MUST-56: never a reason to abort. MUST-47, SHLD-25: the application may hear of it.
            IcmpKind::Soft if env.config.is(Mutant::IcmpSoftAborts) => self.fail(Error::Unreachable, env),
            IcmpKind::Soft => self.report_soft_error(env),
        }
    }

    pub(super) fn report_soft_error(&self, env: &mut Env<'_>) {
        // SHLD-20
        let wanted = self.settings.soft_errors || env.config.is(Mutant::SoftErrorsNotSilenced);
        if wanted && !env.config.is(Mutant::SoftErrorsNotReported) {
            self.tell(EventKind::SoftError, env);
        }
    }

    /// SHLD-26 before the connection is synchronized; after that RFC 5927 5.2 takes it for soft.
    fn on_hard_error(&mut self, env: &mut Env<'_>) {
        match self.state {
            _ if env.config.is(Mutant::IcmpHardIgnored) => {}
            State::SynReceived(Origin::Passive(_)) => {
                self.error = Some(Error::Unreachable);
                self.transition(State::Closed, env);
            }
            State::SynSent | State::SynReceived(Origin::Active) => self.fail(Error::Unreachable, env),
            _ if env.config.icmp_hard_aborts || env.config.is(Mutant::IcmpHardAbortsEstablished) => {
                self.fail(Error::Unreachable, env);
            }
            _ => self.report_soft_error(env),
        }
    }

    /// Path MTU discovery (RFC 1191 section 6, RFC 8201 section 4): smaller from now on, what was too large again,
    /// and no change of the congestion window.
    fn on_packet_too_big(&mut self, mtu: u32, env: &Env<'_>) {
        if env.config.is(Mutant::PathMtuMessageIgnored) {
            return;
        }
        let headers = ip::header_len(self.local().ip()) as u32 + 20;
        let current = self.snd.path_mss + headers;
        let least = if self.local().is_ipv4() { 68 } else { 1280 };
        let mtu = match mtu {
            0 if self.local().is_ipv4() => PLATEAUS.into_iter().find(|&size| size < current).unwrap_or(least),
            named => named,
        };
        let floor = if env.config.is(Mutant::PathMtuBelowMinimum) { headers + 8 } else { least };
        if mtu < floor || mtu >= current {
            // Too small for any network, or no news.
            return;
        }
        self.snd.on_path_mtu(mtu - headers, env.config);
        if env.config.is(Mutant::PathMtuCutsWindow) {
            self.snd.congestion.cwnd = self.mss(env.config);
        }
    }
}
