//! Applications that take no orders: a server that sends back what it receives, or reads and throws it away.
//!
//! What a case asks of an application is had from such a server by the wire. It reads whatever comes, and an echo
//! proves what it has read; it writes when it is written to. Where that is not what the case means, the case is not
//! asked (see `lane::oracle`).

use super::super::compose::Composed;
use super::super::event::{CaseEventKind, ViolationKind};
use super::super::noise::Noise;
use super::super::segment::Segment;
use super::{Exec, Output, State, report};
use crate::engine::compose;
use crate::packet::{Flags, Packet};
use crate::suite::expr::{Bound, Expr};
use crate::suite::model::{App, AppExpect, FieldName, Fields, FlagSpec, Step, Verb};
use crate::target::profile::Profile;
use crate::time::Time;
use std::sync::Arc;

/// What stands above the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// An application that does what it is told.
    Orders,
    Echo,
    /// It reads, or not even that; it never writes.
    Mute,
}

impl Service {
    pub(super) fn of(profile: &Profile) -> Self {
        if profile.takes_orders() {
            Self::Orders
        } else if profile.abilities.contains("echo") {
            Self::Echo
        } else {
            Self::Mute
        }
    }
}

impl Exec {
    /// All the octets that the application has written, or may have by now.
    pub(super) fn written(&self) -> u64 {
        match self.service {
            Service::Orders => self.app.written,
            Service::Echo => self.wire.deliverable(),
            Service::Mute => 0,
        }
    }

    /// What a server does of itself: it echoes, and it closes once the peer has.
    pub(super) fn unasked(&self, segment: &Segment) -> Option<Noise> {
        let book = &self.wire;
        let next = segment.seq == book.target_max && segment.ack.ge(book.snd_una);
        let plain = !segment.has(Flags::SYN) && !segment.has(Flags::RST) && segment.has(Flags::ACK);
        if self.service == Service::Orders || !next || !plain || segment.ack.after(book.ackable()) {
            return None;
        }
        let (fin, data) = (segment.has(Flags::FIN), !segment.payload.is_empty());
        let offset = book.their_offset(segment.data_start())?;
        let end = offset + u64::try_from(segment.payload.len()).ok()?;
        let echoed = end <= self.written();
        let closes = !fin || book.fin_delivered() && (self.service == Service::Mute || end == self.written());
        ((fin || data) && echoed && closes).then_some(Noise::Server)
    }

    /// What a case asks of the application, asked of a server.
    pub(super) fn begin_service(&mut self, app: &App, deadline: Time) -> bool {
        match app {
            // It accepts whoever comes; that the handshake is complete is for the wire to show.
            App::Accept => {
                let conn = self.app.conn.map_or(1, |before| before + 1);
                self.begin_connection(conn);
                self.app_passes("a server: it accepts");
                true
            }
            App::Expect(AppExpect::Connected) => self.pass(self.now),
            App::Recv(count) | App::Expect(AppExpect::Data(count)) => match self.count(count) {
                Ok(count) => {
                    let wanted = self.app.read + count;
                    self.state = State::Echo { wanted, deadline };
                    true
                }
                Err(e) => self.broken(&e.to_string()),
            },
            App::Send(count) => match self.count(count) {
                Ok(count) => self.feed(count),
                Err(e) => self.broken(&e.to_string()),
            },
            other => {
                let why = format!("the target's application takes no orders: {other:?}");
                self.end_with(CaseEventKind::Unsupported { why });
                false
            }
        }
    }

    /// Makes the server write: it is sent what it is to echo.
    fn feed(&mut self, count: u64) -> bool {
        let mss = u64::from(self.plan.profile.mss(self.plan.case.family)).max(1);
        let mut left = count;
        while left > 0 {
            let len = left.min(mss);
            if !self.inject(len) {
                return false;
            }
            left -= len;
        }
        self.app.read += count;
        self.app.written += count;
        self.pass(self.now)
    }

    /// A plain segment of so many octets, everything in it as a correct peer would have it.
    fn inject(&mut self, len: u64) -> bool {
        let Ok(len) = i64::try_from(len) else { return false };
        let fields = Fields {
            flags: FlagSpec::parse(if len > 0 { "ACK|+PSH" } else { "ACK" }).ok(),
            values: vec![(FieldName::Len, Bound::Is(Expr::Int(len)))],
            ..Fields::default()
        };
        match compose::segment(&fields, &self.scope(), self.now) {
            Ok(composed) => {
                self.put_out(composed);
                true
            }
            Err(e) => self.broken(&e.to_string()),
        }
    }

    /// Waits until the server has echoed all that it was to read: the proof that it got it.
    pub(super) fn await_echo(&mut self, wanted: u64, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let step = &planned.step;
        while self.inbox.front().is_some_and(|arrival| arrival.at <= deadline) {
            let Some(arrival) = self.inbox.pop_front() else { break };
            if !self.take_noise(&arrival, Some(step)) {
                self.reject_unexpected(&arrival);
                return false;
            }
        }
        let echoed = self.script.their_offset(self.script.rcv_nxt()).unwrap_or(0);
        if echoed >= wanted {
            self.app.read = wanted;
            self.emit(CaseEventKind::AppReplied { line: format!("echoed: {wanted} octets in all") });
            // As the application's reading costs the peer nothing, so the echo is taken off the wire.
            return self.inject(0) && self.pass(self.now);
        }
        if self.now < deadline {
            return false;
        }
        self.no_echo(step, wanted, echoed)
    }

    fn no_echo(&mut self, step: &Step, wanted: u64, echoed: u64) -> bool {
        debug_assert!(matches!(step.verb, Verb::App(_)));
        let expected = format!("an echo of {wanted} octets in all");
        let got = if echoed == 0 { "nothing".to_owned() } else { format!("{echoed} octets") };
        self.app_violates(ViolationKind::App, &expected, got);
        false
    }

    /// Puts a segment of ours on the books and on the wire.
    pub(super) fn put_out(&mut self, composed: Composed) -> Packet {
        self.asides.extend(composed.aside);
        if let Some(segment) = composed.segment.as_ref().filter(|_| !composed.elsewhere) {
            self.script.on_sent(self.now, segment, composed.weight);
            self.wire.on_sent(self.now, segment, composed.weight);
        }
        let packet = Packet::parse_ip(&composed.octets);
        let line = self.line(&packet, report::From::Peer);
        self.emit(CaseEventKind::Sent { octets: composed.octets.clone(), line });
        self.outputs.push_back(Output::Frame(composed.octets));
        packet
    }
}
