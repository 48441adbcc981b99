//! Segment arrival (RFC 9293 3.10.7.3 and 3.10.7.4), check by check in the order of the text.

use core::time::Duration;

use super::{Connection, Env};
use crate::event::{Error, EventKind};
use crate::mutant::Mutant;
use crate::recv::AckAdvice;
use crate::send::{AckInfo, Acked, Fin};
use crate::seq::SeqNum;
use crate::state::syn_received::{self, Abandon};
use crate::state::syn_sent::{self, SynSentDisposition};
use crate::state::synchronized::{self, Acceptability, AckDisposition, ResetDisposition};
use crate::state::{Origin, State, closed, closing};
use crate::timer::Timer;
use crate::wire::{Ecn, Flags, Segment, Timestamps};

/// RFC 7323 5.5: a connection idle for longer than this has outdated timestamps.
const TS_RECENT_LIFETIME: Duration = Duration::from_secs(24 * 24 * 3600);

/// Answers to unacceptable ACKs in each second, for each connection (RFC 5961 section 7 leaves the number open).
const STRAY_ACK_ANSWERS: u32 = 10;

/// Whether the next check is made.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Check {
    Passed,
    /// The segment is done with.
    Done,
}

impl Connection {
    /// A segment for this four-tuple has arrived.
    pub(crate) fn on_segment(&mut self, segment: &mut Segment<'_>, ecn: Ecn, env: &mut Env<'_>) {
        self.hear(env);
        match self.state {
            State::Closed => {}
            State::SynSent => self.in_syn_sent(segment, env),
            State::SynReceived(_)
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => self.in_other_states(segment, ecn, env),
        }
    }

    /// Whatever comes shows that the peer is there (RFC 9293 3.8.4).
    pub(super) fn hear(&mut self, env: &Env<'_>) {
        self.last_heard = env.now;
        if self.keepalives_unanswered > 0 && !env.config.is(Mutant::KeepAliveAnswerIgnored) {
            self.restart_keepalive(env);
        }
    }

    /// RFC 9293 3.10.7.3.
    fn in_syn_sent(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if env.config.is(Mutant::SynAckEchoRejected) && self.echoes_another_clock(segment, env) {
            return;
        }
        match syn_sent::decide(self.snd.iss, self.snd.nxt, segment, env.config) {
            SynSentDisposition::Ignore => {}
            SynSentDisposition::Reset(reset) => self.send_reset(reset, env),
            SynSentDisposition::Refused => self.fail(Error::Refused, env),
            SynSentDisposition::Establish => {
                self.take_syn(segment, env);
                self.take_ack(segment, env);
                self.establish(env);
                self.after_fast_open(segment, env);
                self.owed.ack = true;
                self.after_syn(segment, env);
            }
            SynSentDisposition::Simultaneous => {
                // Our SYN goes again, with the ACK bit and the same ISS.
                self.take_syn(segment, env);
                self.transition(State::SynReceived(Origin::Active), env);
                self.snd.repeat_front();
            }
        }
    }

    /// Text and FIN on the SYN,ACK that established us (RFC 9293 3.10.7.3, fourth).
    fn after_syn(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        self.check_urgent(segment, env);
        self.take_text(segment, env);
        if env.config.is(Mutant::SynAckTextLost) {
            self.rcv.discard();
        }
        self.take_fin(segment, env);
    }

    /// RFC 9293 3.10.7.4.
    fn in_other_states(&mut self, segment: &mut Segment<'_>, ecn: Ecn, env: &mut Env<'_>) {
        self.untangle_simultaneous_open(segment);
        if env.config.is(Mutant::EcnEchoesAnything) {
            self.note_ecn(ecn, segment, env);
        }
        if self.check_sequence(segment, env) == Check::Done
            || self.check_reset(segment, env) == Check::Done
            || self.check_syn(segment, env) == Check::Done
            || self.check_ack(segment, env) == Check::Done
        {
            return;
        }
        self.note_user_timeout(&segment.options, env);
        self.note_ecn(ecn, segment, env);
        self.check_urgent(segment, env);
        self.take_text(segment, env);
        self.take_fin(segment, env);
    }

    /// Figure 7: in a simultaneous open the peer's SYN comes a second time, with an ACK of ours. The SYN is old;
    /// what follows it is looked at.
    fn untangle_simultaneous_open(&mut self, segment: &mut Segment<'_>) {
        if self.state == State::SynReceived(Origin::Active)
            && segment.has(Flags::SYN | Flags::ACK)
            && !segment.has(Flags::RST)
            && segment.seq == self.rcv.irs
            && segment.ack == self.snd.nxt
        {
            segment.flags = segment.flags.without(Flags::SYN);
            segment.seq += 1;
            // RFC 7323 2.2: no window of a segment with SYN is scaled.
            segment.window >>= self.snd.shift;
            self.owed.ack = true;
        }
    }

    /// First: the sequence number, and with timestamps PAWS (RFC 7323 5.3).
    fn check_sequence(&mut self, segment: &mut Segment<'_>, env: &mut Env<'_>) -> Check {
        let rst = segment.has(Flags::RST);
        if self.is_paws_failure(segment, env) == Check::Done {
            return Check::Done;
        }
        match synchronized::acceptability(self.rcv.nxt, self.rcv.window(), segment, env.config) {
            Acceptability::Acceptable => {}
            Acceptability::ControlOnly => {
                if !rst && !env.config.is(Mutant::UnacceptableSilent) {
                    self.owe_duplicate(env);
                }
                segment.payload = &[];
                segment.flags = segment.flags.without(Flags::FIN);
            }
            Acceptability::Unacceptable if rst && env.config.is(Mutant::RstWithoutSeqCheck) => {}
            Acceptability::Unacceptable => {
                if !rst && !env.config.is(Mutant::UnacceptableSilent) {
                    self.answer_unacceptable(segment, env);
                }
                return Check::Done;
            }
        }
        if !rst {
            self.note_timestamp(segment.seq, segment.options.timestamps, env);
        }
        Check::Passed
    }

    /// RFC 9293 3.5.2 group 3, U-6: an empty ACK and nothing else.
    fn answer_unacceptable(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        let syn_again = segment.has(Flags::SYN) && segment.seq == self.rcv.irs;
        if matches!(self.state, State::SynReceived(_)) && syn_again && !segment.has(Flags::ACK) {
            // The peer has not seen our SYN,ACK.
            self.snd.repeat_front();
            return;
        }
        if env.config.is(Mutant::UnacceptableAnsweredWithRst) {
            self.send_reset(closed::reset_at_ack(segment), env);
            return;
        }
        self.rcv.note_old(segment, env.config);
        // RFC 9293 3.10.7.4, eighth: in TIME-WAIT the peer's FIN may come again, and 2 MSL starts anew.
        if self.state == State::TimeWait && segment.has(Flags::FIN) {
            if env.config.is(Mutant::TimeWaitFinNotAcked) {
                return;
            }
            if !env.config.is(Mutant::TimeWaitNotRestarted) {
                self.restart_time_wait(env);
            }
        }
        // RFC 5961 section 10: two ends that find each other's ACKs unacceptable would answer each other for ever.
        if segment.is_empty() && !self.answers.take(env.now, STRAY_ACK_ANSWERS) {
            return;
        }
        self.owe_duplicate(env);
    }

    fn owe_duplicate(&mut self, env: &Env<'_>) {
        let _ = env;
        self.owed.duplicates = self.owed.duplicates.saturating_add(1);
    }

    /// RFC 5961: an ACK that asks the peer to prove itself, within the budget of section 7.
    fn challenge(&mut self, env: &mut Env<'_>) {
        let limit = match env.config.mutant {
            Some(Mutant::NoChallengeAck) => 0,
            Some(Mutant::ChallengeAcksUnlimited) => u32::MAX,
            _ => env.config.challenge_acks_per_second,
        };
        if env.challenges.take(env.now, limit) {
            self.owe_duplicate(env);
        }
    }

    /// RFC 7323 5.3 R1: an old timestamp is not acceptable. Resets are exempt (5.2).
    fn is_paws_failure(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) -> Check {
        if !self.timestamps && segment.options.timestamps.is_some() {
            let reject = env.config.is(Mutant::ThirdAckTimestampRejected);
            return if reject { Check::Done } else { Check::Passed };
        }
        if !self.timestamps || segment.has(Flags::RST) && !env.config.is(Mutant::PawsDropsRst) {
            return Check::Passed;
        }
        let offered = segment
            .options
            .timestamps
            .filter(|timestamps| timestamps.value != 0 || !env.config.is(Mutant::ZeroTimestampRejected));
        let Some(timestamps) = offered else {
            // RFC 7323 3.2: a segment without the option SHOULD be dropped; a SYN has its own rules.
            let drop = !segment.has(Flags::SYN) && !env.config.is(Mutant::MissingTimestampAccepted);
            return if drop { Check::Done } else { Check::Passed };
        };
        let old = synchronized::is_older_timestamp(timestamps.value, self.rcv.ts_recent);
        let outdated = env.now.since(self.rcv.ts_recent_at) > TS_RECENT_LIFETIME
            && !env.config.is(Mutant::PawsNeverOutdated);
        if old && outdated {
            // RFC 7323 5.5: what was remembered is void, and this is the first to be remembered again.
            self.rcv.ts_recent = timestamps.value;
            self.rcv.ts_recent_at = env.now;
        }
        if !old || outdated || segment.has(Flags::SYN) || env.config.is(Mutant::NoPaws) {
            return Check::Passed;
        }
        if !env.config.is(Mutant::PawsSilent) {
            self.owe_duplicate(env);
        }
        Check::Done
    }

    /// RFC 7323 4.3 (2): TS.Recent follows the segment that covers Last.ACK.sent.
    pub(super) fn note_timestamp(&mut self, seq: SeqNum, timestamps: Option<Timestamps>, env: &Env<'_>) {
        let Some(timestamps) = timestamps.filter(|_| self.timestamps) else { return };
        let newer = !synchronized::is_older_timestamp(timestamps.value, self.rcv.ts_recent);
        let covers = seq.at_or_before(self.rcv.last_ack_sent);
        if newer && (covers || env.config.is(Mutant::TsRecentFromAnySegment)) {
            self.rcv.ts_recent = timestamps.value;
            self.rcv.ts_recent_at = env.now;
        }
    }

    /// Second: the RST bit.
    fn check_reset(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) -> Check {
        if !segment.has(Flags::RST) {
            return Check::Passed;
        }
        // RFC 1337: a reset must not end TIME-WAIT.
        if self.state == State::TimeWait && env.config.rfc1337 {
            return Check::Done;
        }
        let disposition = if env.config.is(Mutant::RstWithoutSeqCheck) {
            ResetDisposition::Reset
        } else {
            synchronized::on_reset(self.rcv.nxt, segment, env.config)
        };
        match disposition {
            ResetDisposition::Ignore => {}
            ResetDisposition::Challenge => {
                if let (Some(stamp), true) =
                    (segment.options.timestamps, env.config.is(Mutant::RstTimestampKept))
                {
                    self.rcv.ts_recent = stamp.value;
                }
                self.challenge(env);
            }
            ResetDisposition::Reset => match self.state {
                State::SynReceived(origin) => self.abandon(syn_received::on_reset(origin, env.config), env),
                State::Closing | State::LastAck | State::TimeWait => self.transition(State::Closed, env),
                State::CloseWait if env.config.is(Mutant::ResetInCloseWaitIgnored) => {}
                _ => self.fail(Error::Reset, env),
            },
        }
        Check::Done
    }

    fn abandon(&mut self, how: Abandon, env: &mut Env<'_>) {
        match how {
            Abandon::ToListen => {
                self.error = Some(Error::Reset);
                self.transition(State::Closed, env);
            }
            Abandon::Refused => self.fail(Error::Refused, env),
        }
    }

    /// Fourth: the SYN bit, in the window.
    fn check_syn(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) -> Check {
        if !segment.has(Flags::SYN) {
            return Check::Passed;
        }
        match env.config.mutant {
            Some(Mutant::SynInWindowIgnored) => return Check::Done,
            Some(Mutant::SynDataTaken) if self.state == State::Established => self.take_text(segment, env),
            Some(Mutant::SynInWindowResets) => {
                self.send_reset(closed::reset_at_ack(segment), env);
                self.fail(Error::Reset, env);
                return Check::Done;
            }
            _ => {}
        }
        if let State::SynReceived(origin @ Origin::Passive(_)) = self.state {
            self.abandon(syn_received::on_reset(origin, env.config), env);
        } else if env.config.rfc5961 {
            // RFC 5961 4.2: whatever the sequence number.
            self.challenge(env);
        } else if self.state == State::TimeWait {
            self.answer_with_reset(segment, env);
            self.transition(State::Closed, env);
        } else {
            self.answer_with_reset(segment, env);
            self.fail(Error::Reset, env);
        }
        Check::Done
    }

    fn answer_with_reset(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if let Some(reset) = closed::decide(segment, env.config) {
            self.send_reset(reset, env);
        }
    }

    /// Fifth: the ACK field.
    fn check_ack(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) -> Check {
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
                    self.owe_duplicate(env);
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
    fn take_ack(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
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
    fn echoes_another_clock(&self, segment: &Segment<'_>, env: &Env<'_>) -> bool {
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

    /// Sixth: the URG bit, where text is still taken (MUST-32, U-13).
    fn check_urgent(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        let flagged =
            segment.has(Flags::URG) || (env.config.is(Mutant::UrgentWithoutFlag) && segment.urgent > 0);
        let late = !self.state.takes_text() && !env.config.is(Mutant::UrgentBehindFin);
        if !flagged || late || env.config.is(Mutant::UrgentIgnored) {
            return;
        }
        let up = segment.seq + u32::from(segment.urgent);
        let ahead = up.after(self.rcv.nxt) && self.rcv.urgent.is_none_or(|old| up.after(old));
        if ahead || env.config.is(Mutant::UrgentRepeated) {
            self.rcv.urgent = Some(up);
            self.tell(EventKind::Urgent, env);
        }
    }

    /// Seventh: the segment text.
    fn take_text(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if segment.payload.is_empty() {
            if env.config.is(Mutant::AckOfPureAck) && segment.has(Flags::ACK) {
                self.owed.duplicates = self.owed.duplicates.saturating_add(1);
            }
            return;
        }
        if !self.state.takes_text() || self.drops_inbound(env) {
            // The peer has said that it sends no more: ignore the text.
            return;
        }
        let before = self.rcv.nxt;
        self.rcv.buffer.lend(env.spare);
        let advice = self.rcv.take_text(segment, env.config);
        if self.released && self.rcv.nxt != before && self.resets_late_text(env) {
            return;
        }
        self.acknowledge_text(advice, env);
        if self.rcv.nxt != before && !self.released {
            self.tell_readable(env);
        }
        if self.released {
            self.rcv.discard();
        }
    }

    fn drops_inbound(&self, env: &Env<'_>) -> bool {
        env.config.is(Mutant::HalfCloseDropsInbound) && self.state != State::Established
    }

    /// SHLD-3, RFC 2525 2.16: text for an application that is gone.
    fn resets_late_text(&mut self, env: &mut Env<'_>) -> bool {
        if env.config.is(Mutant::LateTextNotReset) {
            return false;
        }
        self.send_abort(env);
        self.fail(Error::Reset, env);
        true
    }

    pub(super) fn acknowledge_text(&mut self, advice: AckAdvice, env: &Env<'_>) {
        match advice {
            AckAdvice::None => {}
            AckAdvice::AtOnce => self.owed.ack = true,
            AckAdvice::Duplicate => self.owed.duplicates = self.owed.duplicates.saturating_add(1),
            AckAdvice::MayDelay => match (env.config.delayed_ack, env.config.mutant) {
                (_, Some(Mutant::AckNever)) => {}
                (Some(_), Some(Mutant::DelayedAckTooLong)) => {
                    self.timers.start(Timer::DelayedAck, || env.now + Duration::from_millis(700));
                }
                (None, _) | (Some(_), Some(Mutant::NoDelayedAck)) => self.owed.ack = true,
                (Some(delay), _) => self.timers.start(Timer::DelayedAck, || env.now + delay),
            },
        }
    }

    pub(super) fn tell_readable(&mut self, env: &mut Env<'_>) {
        if !self.readable_told {
            self.readable_told = self.owned;
            self.tell(EventKind::Readable, env);
        }
    }

    /// Eighth: the FIN bit, when everything before it is here.
    fn take_fin(&mut self, segment: &Segment<'_>, env: &mut Env<'_>) {
        if !self.state.takes_text() {
            if segment.has(Flags::FIN) && self.rcv.fin_taken() {
                // A FIN where there can be none: the peer hears once more what we have.
                self.owe_duplicate(env);
            }
            return;
        }
        let at = segment.has(Flags::FIN).then(|| segment.end() - 1);
        let above = at.is_some_and(|at: SeqNum| at.after(self.rcv.nxt));
        if self.rcv.take_fin(at, env.config) {
            if env.config.is(Mutant::FinAckDelayed) {
                self.timers.start(Timer::DelayedAck, || env.now + Duration::from_millis(450));
            } else if !env.config.is(Mutant::FinNotAcked) {
                self.owed.ack = true;
            }
            if !self.released && !env.config.is(Mutant::EofNotTold) {
                self.tell(EventKind::Eof, env);
            }
            self.transition(closing::on_fin(self.state, env.config), env);
        } else if above && segment.payload.is_empty() {
            // A FIN above a hole is out of order like any octet (RFC 5681 4.2).
            self.owed.duplicates = self.owed.duplicates.saturating_add(1);
        }
    }
}
