//! Segment arrival (RFC 9293 3.10.7.3 and 3.10.7.4), check by check in the order of the text.

use core::time::Duration;

use super::{Connection, Env};
use crate::event::{Error, EventKind};
use crate::mutant::Mutant;
use crate::recv::AckAdvice;
use crate::seq::SeqNum;
use crate::state::syn_received::{self, Abandon};
use crate::state::syn_sent::{self, SynSentDisposition};
use crate::state::synchronized::{self, Acceptability, ResetDisposition};
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
pub(super) enum Check {
    Passed,
    /// The segment is done with.
    Done,
}

impl Connection {
    /// A segment for this four-tuple has arrived.
    pub(crate) fn on_segment(&mut self, segment: &mut Segment<'_>, ecn: Ecn, env: &mut Env<'_>) {
        self.hear(env);
        let owed = self.owed.duplicates;
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
        // RFC 5681 4.2: never more than one ACK for a segment, however many of the checks have asked for one.
        if !env.config.is(Mutant::OneAckForEachCheck) {
            self.owed.duplicates = self.owed.duplicates.min(owed.saturating_add(1));
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
                    self.owe_duplicate();
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
        self.owe_duplicate();
    }

    /// An ACK for this segment alone, at once.
    pub(super) fn owe_duplicate(&mut self) {
        self.owed.duplicates = self.owed.duplicates.saturating_add(1);
    }

    /// RFC 5961: an ACK that asks the peer to prove itself, within the budget of section 7.
    pub(super) fn challenge(&mut self, env: &mut Env<'_>) {
        let limit = match env.config.mutant {
            Some(Mutant::NoChallengeAck) => 0,
            Some(Mutant::ChallengeAcksUnlimited) => u32::MAX,
            _ => env.config.challenge_acks_per_second,
        };
        if env.challenges.take(env.now, limit) {
            self.owe_duplicate();
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
        let equal = timestamps.value == self.rcv.ts_recent && !segment.payload.is_empty();
        let old = synchronized::is_older_timestamp(timestamps.value, self.rcv.ts_recent)
            || equal && env.config.is(Mutant::EqualTimestampRejected);
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
            self.owe_duplicate();
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
                self.owe_duplicate();
            }
            return;
        }
        if !self.state.takes_text() || self.drops_inbound(env) {
            // The peer has said that it sends no more: ignore the text.
            let over_fin = || segment.seq.before(self.rcv.nxt) && segment.end().after(self.rcv.nxt);
            if env.config.is(Mutant::TextOverFinResets) && self.rcv.fin_taken() && over_fin() {
                self.send_abort(env);
                self.fail(Error::Reset, env);
            }
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
            AckAdvice::Duplicate => self.owe_duplicate(),
            // SHLD-18
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
                self.owe_duplicate();
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
            self.owe_duplicate();
        }
    }
}
