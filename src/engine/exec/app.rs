//! `app`: calls of the application above the target, and what it must learn.

use super::super::event::{CaseEventKind, ViolationKind};
use super::super::io::{AppCall, AppEvent, AppOutcome, Output};
use super::service::Service;
use super::{Exec, Reading, State};
use crate::engine::eval::{EvalError, Value};
use crate::suite::expr::Expr;
use crate::suite::model::{App, AppExpect, Step, Verb};
use crate::time::Time;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A state that is not there yet is asked for again after this long: the segment that brings it may
/// still be on its way through the target.
const ASK_AGAIN: Duration = Duration::from_millis(10);

impl Exec {
    pub(super) fn begin_app(&mut self, app: &App, step: &Step) -> bool {
        let deadline = match self.since(step).and_then(|since| self.deadline(step, since)) {
            // A call is given its time from now on: it cannot be answered before it is made.
            Ok(deadline) if step.after.is_none() => self.now + deadline.since(self.last),
            Ok(deadline) => deadline,
            Err(e) => return self.broken(&e.to_string()),
        };
        if self.service != Service::Orders && !matches!(app, App::Connect | App::ConnectTo(_)) {
            return self.begin_service(app, deadline);
        }
        if let App::Expect(wanted) = app {
            if !matches!(wanted, AppExpect::Data(_)) {
                self.state = State::Learn { deadline };
                return true;
            }
            if let Some(reading) = self.app.reading.take() {
                return self.await_reading(reading, deadline);
            }
        }
        match self.call_of(app) {
            Ok(call) => {
                let number = self.call(call, deadline);
                if let App::BeginRecv(_) = app {
                    self.app.reading = Some(Reading::Waits(number));
                    return self.pass(self.now);
                }
                true
            }
            Err(e) => self.broken(&e.to_string()),
        }
    }

    /// Goes on with a read that was begun earlier.
    fn await_reading(&mut self, reading: Reading, deadline: Time) -> bool {
        match reading {
            Reading::Waits(call) => self.state = State::Call { call, deadline },
            Reading::Answered(call, outcome) => {
                self.state = State::Call { call, deadline };
                self.app_replied(call, &outcome);
            }
        }
        true
    }

    fn call_of(&mut self, app: &App) -> Result<AppCall, EvalError> {
        let port = if self.live.is_some() { self.plan.tuple.target_port } else { self.tuple.target_port };
        let peer_port = self.tuple_of(self.app.number).peer_port;
        Ok(match app {
            App::Listen => AppCall::Listen { port },
            App::Accept => AppCall::Accept { port },
            App::ConnectTo(to) => AppCall::Connect { to: SocketAddr::new(*to, peer_port), from: None },
            App::ConnectFrom(port) => {
                let port = u16::try_from(self.count(port)?).ok().filter(|port| *port != 0);
                let from = Some(port.ok_or_else(|| EvalError::Senseless("app: connect".to_owned()))?);
                self.app.connecting |= self.wire.irs.is_none();
                AppCall::Connect { to: SocketAddr::new(self.tuple.peer, peer_port), from }
            }
            App::Connect => {
                self.open_again();
                self.app.connecting = true;
                AppCall::Connect { to: SocketAddr::new(self.tuple.peer, peer_port), from: None }
            }
            App::Send(count) | App::SendUrgent(count) => {
                let (offset, count) = (self.app.written, self.count(count)?);
                self.app.written += count;
                AppCall::Send { conn: self.conn()?, offset, count, urgent: matches!(app, App::SendUrgent(_)) }
            }
            App::Recv(count) | App::BeginRecv(count) | App::Expect(AppExpect::Data(count)) => {
                let (offset, count) = (self.app.read, self.count(count)?);
                AppCall::Recv { conn: self.conn()?, offset, count }
            }
            App::Shutdown => AppCall::Shutdown { conn: self.conn()? },
            // Without a connection there is a listener to close.
            App::Close if self.app.conn.is_none() => AppCall::Unlisten { port },
            App::Close => AppCall::Close { conn: self.conn()? },
            App::Abort if self.app.conn.is_none() => AppCall::Abort { conn: NOBODY },
            App::Abort => AppCall::Abort { conn: self.conn()? },
            App::Option(name, value) => {
                let value = self.option_value(name, value)?;
                self.app.keep_alive |= name.contains("keep") && value != 0;
                // Without a connection an option is for those to come.
                AppCall::Option { conn: self.app.conn.unwrap_or(0), name: name.clone(), value }
            }
            App::Status(_) => AppCall::Status { conn: self.app.conn.unwrap_or(NOBODY) },
            App::UrgentLeft(_) => AppCall::UrgentLeft { conn: self.conn()? },
            App::Expect(_) => return Err(EvalError::Senseless("app: expect".to_owned())),
        })
    }

    pub(super) fn conn(&self) -> Result<u32, EvalError> {
        match self.app.conn {
            Some(conn) => Ok(conn),
            None if self.is_refusal_next() => Ok(NOBODY),
            None => Err(EvalError::NotYet("the connection (accept or connect first)".to_owned())),
        }
    }

    /// Whether the next step is that this call was refused.
    fn is_refusal_next(&self) -> bool {
        let next = self.plan.steps.get(self.pc + 1).map(|planned| &planned.step.verb);
        matches!(next, Some(Verb::App(App::Expect(AppExpect::Error))))
    }

    pub(super) fn option_value(&self, name: &str, value: &Expr) -> Result<i64, EvalError> {
        Ok(match self.eval(value)? {
            Value::Bool(b) => i64::from(b),
            Value::Int(n) => n,
            Value::Span(d) => i64::try_from(d.as_millis()).unwrap_or(i64::MAX),
            Value::Seq(_) | Value::At(_) => return Err(EvalError::Senseless(name.to_owned())),
        })
    }

    pub(super) fn count(&self, expr: &Expr) -> Result<u64, EvalError> {
        match self.eval(expr)? {
            Value::Int(n) => u64::try_from(n).map_err(|_| EvalError::Senseless(expr.to_string())),
            Value::Seq(_) | Value::Span(_) | Value::At(_) | Value::Bool(_) => {
                Err(EvalError::Senseless(expr.to_string()))
            }
        }
    }

    fn call(&mut self, what: AppCall, deadline: Time) -> u32 {
        let line = describe(&what);
        self.call_as(what, deadline, line)
    }

    /// Makes a call that the ladder shows as `line`.
    pub(super) fn call_as(&mut self, what: AppCall, deadline: Time, line: String) -> u32 {
        self.emit(CaseEventKind::AppCalled { line });
        self.call_quietly(what, deadline)
    }

    fn call_quietly(&mut self, what: AppCall, deadline: Time) -> u32 {
        let call = self.app.next_call;
        self.app.next_call += 1;
        if let (Some(live), AppCall::Close { .. } | AppCall::Abort { .. }) = (&mut self.live, &what) {
            live.ended = Some(self.now);
        }
        self.outputs.push_back(Output::App { call, what });
        self.state = State::Call { call, deadline };
        call
    }

    pub(super) fn ask_again(&mut self, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let (what, deadline) = match &planned.step.verb {
            Verb::Linux(linux) => (self.linux_call(linux), self.answer_by()),
            _ => (Ok(AppCall::Status { conn: self.app.conn.unwrap_or(NOBODY) }), deadline),
        };
        match what {
            Ok(what) => {
                self.call_quietly(what, deadline);
                true
            }
            Err(e) => self.broken(&e.to_string()),
        }
    }

    pub(super) fn app_replied(&mut self, replied: u32, outcome: &AppOutcome) {
        if matches!(self.app.reading, Some(Reading::Waits(call)) if call == replied) {
            self.app.reading = Some(Reading::Answered(replied, outcome.clone()));
            return;
        }
        let State::Call { call, deadline } = self.state else { return };
        if call != replied {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return };
        if let Verb::Linux(linux) = &planned.step.verb {
            return self.linux_replied(linux, outcome);
        }
        let Verb::App(app) = &planned.step.verb else { return };
        match outcome {
            AppOutcome::Ok => self.app_passes("ok"),
            AppOutcome::Connection(conn) => {
                self.begin_connection(*conn);
                self.app_passes("connecting");
            }
            AppOutcome::Accepted { conn, from } => {
                let live = self.live.as_ref().map(|live| live.peer.number(from.port()));
                // With many connections, which one was accepted says its port.
                let number = live.filter(|number| *number < 0x4000);
                self.app.turn_to(number.unwrap_or(self.app.number));
                self.begin_connection(*conn);
                // Which peer was accepted is a fact of the wire, not of this run's port.
                let known = number.is_some() || from.port() == self.tuple.peer_port;
                let who = if known { "accepted" } else { "accepted a stranger" };
                self.app_passes(who);
            }
            AppOutcome::Received { count, mismatch, eof } => self.received(app, *count, *mismatch, *eof),
            AppOutcome::State(state) => self.status_is(app, state, deadline),
            AppOutcome::UrgentLeft(left) => self.urgent_left_is(app, *left),
            AppOutcome::Unsupported | AppOutcome::Linux(_) => {
                let why = format!("the target's application cannot {}", phrase(app));
                self.end_with(CaseEventKind::Unsupported { why });
            }
            AppOutcome::Failed(error) => self.call_failed(app, error),
        }
    }

    /// Another connection is another stream, and its own news.
    pub(super) fn begin_connection(&mut self, conn: u32) {
        if self.app.conn.is_some() {
            self.app.written = 0;
            self.app.read = 0;
        }
        self.app.conn = Some(conn);
        let live = self.live.is_some();
        self.app.learned.retain(|(_, of, _)| live || *of == conn);
    }

    pub(super) fn app_passes(&mut self, line: &str) {
        self.emit(CaseEventKind::AppReplied { line: line.to_owned() });
        self.pass(self.now);
    }

    fn received(&mut self, app: &App, count: u64, mismatch: Option<u64>, eof: bool) {
        let wanted = match app {
            App::Recv(wanted) | App::Expect(AppExpect::Data(wanted)) => self.count(wanted).unwrap_or(count),
            _ => 0,
        };
        self.app.read += count;
        let end = if eof { ", then the end of the stream" } else { "" };
        self.emit(CaseEventKind::AppReplied { line: format!("received {count} octets{end}") });
        if let Some(at) = mismatch {
            let got = format!("octet {at} of the stream is not the one that was sent");
            self.app_violates(ViolationKind::Content, &format!("{wanted} octets of the stream"), got);
        } else if count == 0 && eof && self.is_refusal_next() {
            // RFC 9293 3.10.3: "error: connection closing" is what everybody calls the end of the stream.
            self.refused_as_expected();
        } else if count < wanted {
            let got = format!("{count} octets{end}");
            self.app_violates(ViolationKind::App, &format!("{wanted} octets"), got);
        } else {
            self.pass(self.now);
        }
    }

    fn status_is(&mut self, app: &App, state: &str, deadline: Time) {
        let App::Status(allowed) = app else { return };
        if allowed.iter().any(|name| name == state) {
            self.app_passes(state);
        } else if self.now + ASK_AGAIN <= deadline {
            self.state = State::AskAgain { at: self.now + ASK_AGAIN, deadline };
        } else {
            self.emit(CaseEventKind::AppReplied { line: state.to_owned() });
            self.app_violates(
                ViolationKind::App,
                &format!("state {}", allowed.join(" or ")),
                state.to_owned(),
            );
        }
    }

    fn urgent_left_is(&mut self, app: &App, left: bool) {
        let App::UrgentLeft(wanted) = app else { return };
        if *wanted == left {
            return self.app_passes(urgent_left(left));
        }
        self.emit(CaseEventKind::AppReplied { line: urgent_left(left).to_owned() });
        self.app_violates(ViolationKind::App, urgent_left(*wanted), urgent_left(left).to_owned());
    }

    fn call_failed(&mut self, app: &App, error: &str) {
        self.emit(CaseEventKind::AppReplied { line: format!("error: {error}") });
        if self.is_refusal_next() {
            return self.refused_as_expected();
        }
        if self.plan.steps.get(self.pc).is_some_and(|planned| planned.step.or_error) {
            self.pass(self.now);
            return;
        }
        let expected = format!("{} to succeed", phrase(app));
        self.app_violates(ViolationKind::App, &expected, format!("an error: {error}"));
    }

    fn refused_as_expected(&mut self) {
        self.pass(self.now);
        // The step that expects the error has it already.
        self.emit(CaseEventKind::StepStarted);
        self.pass(self.now);
    }

    pub(super) fn call_timed_out(&mut self) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        if let Verb::Linux(linux) = &planned.step.verb {
            self.linux_timed_out(linux);
            return false;
        }
        let Verb::App(app) = &planned.step.verb else { return false };
        let (expected, got) = match app {
            App::Accept => ("the connection to be accepted".to_owned(), NOTHING.to_owned()),
            App::Recv(n) | App::Expect(AppExpect::Data(n)) => {
                let n = self.count(n).map_or_else(|_| n.to_string(), |n| n.to_string());
                (format!("{n} octets"), NOTHING.to_owned())
            }
            other => (format!("an answer to {}", phrase(other)), NOTHING.to_owned()),
        };
        self.app_violates(ViolationKind::App, &expected, got);
        false
    }

    pub(super) fn app_learned(&mut self, conn: u32, event: AppEvent) {
        if self.live.is_some() || self.app.conn.is_none_or(|own| own == conn) {
            self.emit(CaseEventKind::AppReplied { line: event.word().to_owned() });
            self.app.learned.push_back((self.now, conn, event));
        }
    }

    pub(super) fn await_news(&mut self, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let Verb::App(App::Expect(wanted)) = &planned.step.verb else { return false };
        let Some(event) = event_of(wanted) else {
            return match wanted {
                AppExpect::Nothing => self.await_no_news(deadline),
                AppExpect::Error if self.app.reading.is_some() => self.await_refused_reading(deadline),
                AppExpect::Error => {
                    self.app_violates(ViolationKind::App, "the call to be refused", "success".to_owned());
                    false
                }
                _ => false,
            };
        };
        let own = self.app.conn;
        let ours = |of: u32| own.is_none_or(|own| own == of);
        // A socket cannot always tell an ICMP error from a RST: both are "refused".
        let same =
            |learned| learned == event || event == AppEvent::Unreachable && learned == AppEvent::Refused;
        if let Some(index) = self.app.learned.iter().position(|(_, of, learned)| ours(*of) && same(*learned))
        {
            let at = self.app.learned.remove(index).map_or(self.now, |(at, ..)| at);
            return self.pass(at.max(self.last));
        }
        // What ends a connection otherwise than it should will not be followed by what should end it.
        let own_news = self.app.learned.iter().filter(|(_, of, _)| ours(*of));
        let ended = own_news.map(|(.., e)| *e).find(|e| e.is_end());
        if ended.is_some() || self.now >= deadline {
            let got = ended.map_or(NOTHING, AppEvent::word).to_owned();
            self.app_violates(ViolationKind::App, event.word(), got);
        }
        false
    }

    fn await_no_news(&mut self, deadline: Time) -> bool {
        if let Some((.., event)) = self.app.learned.front() {
            let got = event.word().to_owned();
            self.app_violates(ViolationKind::App, "to learn nothing", got);
            return false;
        }
        if matches!(self.app.reading, Some(Reading::Answered(..))) {
            self.app_violates(ViolationKind::App, "the read to wait", "an answer to it".to_owned());
            return false;
        }
        self.now >= deadline && self.pass(deadline)
    }

    /// A read that was begun is ended without octets.
    fn await_refused_reading(&mut self, deadline: Time) -> bool {
        let (is_refused, got) = match &self.app.reading {
            Some(Reading::Answered(_, AppOutcome::Failed(error))) => (true, format!("error: {error}")),
            Some(Reading::Answered(_, AppOutcome::Received { count: 0, eof: true, .. })) => {
                (true, AppEvent::Eof.word().to_owned())
            }
            Some(Reading::Answered(_, AppOutcome::Received { count, .. })) => {
                (false, format!("{count} octets"))
            }
            Some(Reading::Answered(..)) => (false, "another answer".to_owned()),
            Some(Reading::Waits(_)) | None if self.now < deadline => return false,
            Some(Reading::Waits(_)) | None => (false, NOTHING.to_owned()),
        };
        self.app.reading = None;
        self.emit(CaseEventKind::AppReplied { line: got.clone() });
        if is_refused {
            return self.pass(self.now);
        }
        self.app_violates(ViolationKind::App, "the read to be refused", got);
        false
    }

    pub(super) fn app_violates(&mut self, kind: ViolationKind, expected: &str, got: String) {
        let mut violation = self.violation(kind, expected, Some(got));
        violation.after = self.now.since(self.last);
        let plan = Arc::clone(&self.plan);
        if let Some(planned) = plan.steps.get(self.pc).filter(|_| violation.got.as_deref() == Some(NOTHING)) {
            violation.means = self.known_mistake(&planned.step, None);
        }
        self.violate(violation);
        self.finish();
    }
}

/// The event that an application is to learn of, where it is one.
pub(super) fn event_of(wanted: &AppExpect) -> Option<AppEvent> {
    match wanted {
        AppExpect::Connected => Some(AppEvent::Connected),
        AppExpect::Eof => Some(AppEvent::Eof),
        AppExpect::Reset => Some(AppEvent::Reset),
        AppExpect::Refused => Some(AppEvent::Refused),
        AppExpect::TimedOut => Some(AppEvent::TimedOut),
        AppExpect::Closed => Some(AppEvent::Closed),
        AppExpect::Urgent => Some(AppEvent::Urgent),
        AppExpect::SoftError => Some(AppEvent::SoftError),
        AppExpect::Unreachable => Some(AppEvent::Unreachable),
        AppExpect::Nothing | AppExpect::Error | AppExpect::Data(_) => None,
    }
}

/// The handle that names no connection, but the listener.
const NOBODY: u32 = 0;

/// What an application got that waited in vain.
pub(in crate::engine) const NOTHING: &str = "nothing";

impl AppEvent {
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::TimedOut => "connection timed out",
            Self::Eof => "end of stream",
            Self::Closed => "connection closed",
            Self::Urgent => "urgent data",
            Self::SoftError => "an error that may pass",
            Self::Unreachable => "peer unreachable",
        }
    }

    pub(super) fn is_end(self) -> bool {
        matches!(self, Self::Refused | Self::Reset | Self::TimedOut | Self::Unreachable)
    }
}

/// A call as the ladder shows it.
fn describe(call: &AppCall) -> String {
    match call {
        AppCall::Listen { .. } => "listen".to_owned(),
        AppCall::Connect { from: None, .. } => "connect".to_owned(),
        AppCall::Connect { from: Some(port), .. } => format!("connect from port {port}"),
        AppCall::Accept { .. } => "accept".to_owned(),
        AppCall::Send { count, urgent: false, .. } => format!("send {count}"),
        AppCall::Send { count, urgent: true, .. } => format!("send {count} urgent"),
        AppCall::Recv { count, .. } => format!("recv {count}"),
        AppCall::Shutdown { .. } => "shutdown write".to_owned(),
        AppCall::Close { .. } => "close".to_owned(),
        AppCall::Abort { .. } => "abort".to_owned(),
        AppCall::Option { name, value, .. } => format!("option {name} = {value}"),
        AppCall::Status { .. } => "status".to_owned(),
        AppCall::UrgentLeft { .. } => "is urgent data left?".to_owned(),
        AppCall::Unlisten { .. } => "close the listener".to_owned(),
        // Worded by its own step.
        AppCall::Linux { .. } => "a system call".to_owned(),
    }
}

pub(super) const fn urgent_left(left: bool) -> &'static str {
    if left { "urgent data is left" } else { "no urgent data is left" }
}

pub(super) fn phrase(app: &App) -> String {
    match app {
        App::Listen => "listen".to_owned(),
        App::Connect | App::ConnectTo(_) | App::ConnectFrom(_) => "connect".to_owned(),
        App::Accept => "accept".to_owned(),
        App::Send(_) => "send".to_owned(),
        App::SendUrgent(_) => "send urgent data".to_owned(),
        App::Recv(_) | App::BeginRecv(_) => "receive".to_owned(),
        App::Shutdown => "shut down".to_owned(),
        App::Close => "close".to_owned(),
        App::Abort => "abort".to_owned(),
        App::Option(name, _) => format!("set the option {name}"),
        App::Status(_) => "tell its state".to_owned(),
        App::UrgentLeft(_) => "tell whether urgent data remains to be read".to_owned(),
        App::Expect(_) => "tell what it learned".to_owned(),
    }
}
