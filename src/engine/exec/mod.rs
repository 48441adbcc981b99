//! `Exec`: one case, step by step. It never reads a clock or a socket.
//!
//! Four kinds of methods, as in any sans-IO core. *Input*: [`Exec::handle`] takes frames, application
//! replies and time-outs, each with its time. *Output*: [`Exec::poll_output`] gives frames and
//! application calls; drain it after every input. *Time*: [`Exec::poll_timeout`] is the next moment at
//! which `Exec` wants a [`InputKind::Timeout`]. *Result*: [`Exec::is_done`], [`Exec::into_events`].
//!
//! Frames wait in an inbox until a step claims them, so a step means the same whether the answer came
//! before or after it began. See `book.rs` for the two books that this takes.

mod app;
pub(super) use app::NOTHING;
mod arrive;
mod expect;
mod linux;
mod live;
mod peer;
mod report;
mod rules;
mod service;

use super::book::Book;
use super::compose::{self, Composed};
use super::eval::{EvalError, Mark, Scope, Value, eval, fill_in, stretch};
use super::event::{CaseEvent, CaseEventKind, Claim, Stage, Verdict, Violation, ViolationKind};
use super::io::{AppEvent, AppOutcome, Input, InputKind, Output};
use super::live::Live;
use super::monitor::Monitors;
use super::verdict::verdict;
use crate::packet::SeqNum;
use crate::plan::{Plan, Tuple};
use crate::suite::expr::Expr;
use crate::suite::model::{Mode, Send, Step, Verb};
use crate::time::Time;
use arrive::Arrival;
use service::Service;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a step of a live case waits if it does not say: longer than any RTO, and several in a row.
const LIVE_PATIENCE: Duration = Duration::from_secs(60);

/// The window field of a peer that was told nothing else.
const WINDOW_FIELD: u16 = u16::MAX;

pub struct Exec {
    plan: Arc<Plan>,
    now: Time,
    pc: usize,
    state: State,
    /// When what put out our newest segments happened.
    caused: Time,
    /// When the step before was done.
    last: Time,
    script: Book,
    wire: Book,
    tuple: Tuple,
    /// Ports of other connections that the case has spoken for: the target's, the peer's.
    asides: BTreeSet<(u16, u16)>,
    inbox: VecDeque<Arrival>,
    /// All that have come.
    frames: usize,
    /// What the step at `pc` has skipped as noise: legal by itself, but it may be the wrong answer.
    skipped: Vec<Arrival>,
    labels: BTreeMap<String, Mark>,
    app: AppSide,
    service: Service,
    /// The target's stream as first sent, by offset.
    stream: Vec<Option<u8>>,
    monitors: Monitors,
    /// Monitors that have already spoken: one violation each is enough to read.
    spoken: BTreeSet<&'static str>,
    outputs: VecDeque<Output>,
    events: Vec<CaseEvent>,
    /// The target's last packet, for ICMP messages to quote.
    last_packet: Vec<u8>,
    /// The peer and the wire, where the script is not the peer.
    live: Option<Box<Live>>,
}

/// What the step at `pc` waits for.
enum State {
    /// Nothing: it is to begin.
    Ready,
    Pause {
        until: Time,
    },
    Frame {
        since: Time,
        deadline: Time,
    },
    Call {
        call: u32,
        deadline: Time,
    },
    /// The status was not yet the wanted one: ask again.
    AskAgain {
        at: Time,
        deadline: Time,
    },
    Learn {
        deadline: Time,
    },
    /// A server is to echo so many octets of the stream.
    Echo {
        wanted: u64,
        deadline: Time,
    },
    /// Something of the live peer's application.
    Peer {
        deadline: Time,
    },
    /// All steps are done; a late segment would still be seen.
    Settle {
        until: Time,
    },
    Done,
}

/// What is known of the application above the target.
#[derive(Default)]
struct AppSide {
    conn: Option<u32>,
    next_call: u32,
    /// Octets it was told to write and to read.
    written: u64,
    read: u64,
    /// Which connection of a live case that is, and what is known of the others.
    number: u32,
    others: BTreeMap<u32, (Option<u32>, u64, u64)>,
    /// What it was told without asking: when, of which connection, what.
    learned: VecDeque<(Time, u32, AppEvent)>,
    keep_alive: bool,
    connecting: bool,
    /// Until when what a `linux` step asks for may come true.
    until: Time,
    /// A read that was begun and not yet looked at.
    reading: Option<Reading>,
}

/// A read that goes on beside the steps.
enum Reading {
    /// By the number of its call.
    Waits(u32),
    Answered(u32, AppOutcome),
}

impl Exec {
    pub fn new(plan: Arc<Plan>) -> Self {
        let book = Book::new(SeqNum(plan.isn), WINDOW_FIELD);
        let tuple = plan.tuple;
        let service = Service::of(&plan.profile);
        let live = (plan.mode == Mode::Live).then(|| Box::new(Live::new(&plan)));
        let mut exec = Self {
            plan,
            service,
            now: Time::ZERO,
            pc: 0,
            state: State::Ready,
            last: Time::ZERO,
            caused: Time::ZERO,
            script: book.clone(),
            wire: book,
            tuple,
            asides: BTreeSet::new(),
            inbox: VecDeque::new(),
            frames: 0,
            skipped: Vec::new(),
            labels: BTreeMap::new(),
            app: AppSide::default(),
            stream: Vec::new(),
            monitors: Monitors::default(),
            spoken: BTreeSet::new(),
            outputs: VecDeque::new(),
            events: Vec::new(),
            last_packet: Vec::new(),
            live,
        };
        exec.run_until(Time::ZERO);
        exec
    }

    pub fn handle(&mut self, input: &Input) {
        if self.is_done() {
            return self.afterwards(input);
        }
        // What the live peer and its wire had to do before comes before.
        self.run_until(input.at);
        if self.is_done() {
            return;
        }
        self.now = self.now.max(input.at);
        if !matches!(input.what, InputKind::Sent { .. }) {
            self.caused = self.now;
        }
        match &input.what {
            InputKind::Frame { octets } if self.live.is_some() => self.live_arrive(input.at, octets),
            InputKind::Frame { octets } => self.arrive(input.at, octets),
            InputKind::App { call, outcome } => self.app_replied(*call, outcome),
            InputKind::AppEvent { conn, event } => self.app_learned(*conn, *event),
            InputKind::Timeout => {}
            InputKind::Sent { late_ns, overdue_ns } => {
                self.left(*late_ns, *overdue_ns);
                self.wire.left(self.caused, self.now);
            }
            InputKind::Waited { for_ns, over_ns } => self.waited(*for_ns, *over_ns),
            InputKind::CaptureLost { count } => {
                let why = format!("{count} frames were lost on our side");
                self.end_with(CaseEventKind::Inconclusive { why });
            }
            InputKind::TargetDied { how } => {
                self.lost(ViolationKind::Crashed, how);
                self.finish();
            }
            InputKind::TargetHung { how } => {
                self.lost(ViolationKind::Hung, how);
                self.finish();
            }
            InputKind::Absent { why } => self.end_with(CaseEventKind::Unsupported { why: why.clone() }),
            InputKind::Broken { how } => self.end_with(CaseEventKind::Broken { how: how.clone() }),
            InputKind::Stopped { why } => self.end_with(CaseEventKind::Broken { how: why.clone() }),
        }
        self.run_until(self.now);
    }

    /// What a case leaves behind is its doing: a target that is gone or hangs once all steps are done. How late we were is
    /// told behind the violation, if that came while our segment was still to leave.
    fn afterwards(&mut self, input: &Input) {
        self.now = self.now.max(input.at);
        match &input.what {
            InputKind::TargetDied { how } => self.lost(ViolationKind::Crashed, how),
            InputKind::TargetHung { how } => self.lost(ViolationKind::Hung, how),
            InputKind::Waited { for_ns, over_ns } => self.waited(*for_ns, *over_ns),
            InputKind::Sent { late_ns, overdue_ns } => self.left(*late_ns, *overdue_ns),
            InputKind::Frame { .. }
            | InputKind::App { .. }
            | InputKind::AppEvent { .. }
            | InputKind::Timeout
            | InputKind::CaptureLost { .. }
            | InputKind::Absent { .. }
            | InputKind::Broken { .. }
            | InputKind::Stopped { .. } => {}
        }
    }

    fn left(&mut self, late_ns: u64, overdue_ns: u64) {
        let [by, overdue] = [late_ns, overdue_ns].map(Duration::from_nanos);
        self.emit(CaseEventKind::Late { by, overdue });
    }

    fn waited(&mut self, for_ns: u64, over_ns: u64) {
        let [time, over] = [for_ns, over_ns].map(Duration::from_nanos);
        self.emit(CaseEventKind::Waited { time, over });
    }

    fn lost(&mut self, kind: ViolationKind, how: &str) {
        let violation = self.violation(kind, "the target to live", Some(how.to_owned()));
        self.violate(violation);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let wire = self.live.as_ref().filter(|_| !self.is_done()).and_then(|live| live.next_wakeup());
        self.step_timeout().into_iter().chain(wire).min()
    }

    fn step_timeout(&self) -> Option<Time> {
        match self.state {
            State::Ready | State::Done => None,
            State::Pause { until } | State::Settle { until } => Some(until),
            State::AskAgain { at, .. } => Some(at),
            State::Frame { deadline, .. }
            | State::Call { deadline, .. }
            | State::Learn { deadline }
            | State::Echo { deadline, .. }
            | State::Peer { deadline } => Some(deadline),
        }
    }

    /// The time of the newest input: what comes out is meant to happen now.
    pub fn now(&self) -> Time {
        self.now
    }

    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// How far the case has come.
    pub fn stage(&self) -> Stage {
        let own =
            || self.plan.steps.iter().filter(|step| step.fixture.is_none()).map(|step| step.number as usize);
        let steps = own().max().unwrap_or(0);
        // Behind the last one the case only waits for what may still come.
        let step = self.plan.steps.get(self.pc).map_or(steps, |step| match step.fixture {
            Some(_) => 0,
            None => step.number as usize,
        });
        let traffic = self.live.as_ref().map(|live| live.traffic());
        let octets = traffic.map_or(0, |all| all.from_peer.octets + all.from_target.octets);
        Stage { step, steps, octets }
    }

    /// All that happened, in the order of time.
    pub fn into_events(mut self) -> Vec<CaseEvent> {
        self.events.sort_by_key(|event| event.at);
        self.events
    }

    /// Does all that is due by `until`: what the live peer and the wire have to do, and what steps wait for it.
    fn run_until(&mut self, until: Time) {
        loop {
            if self.live.is_none() {
                return self.advance();
            }
            loop {
                let pumped = self.pump();
                let moved = !self.is_done() && self.advance_once();
                if self.is_done() {
                    return;
                }
                if !pumped && !moved {
                    break;
                }
            }
            let Some(next) = self.live.as_ref().and_then(|live| live.next_wakeup()).filter(|at| *at <= until)
            else {
                return;
            };
            // A timer that does nothing must not stop the clock.
            self.now = self.now.max(next);
        }
    }

    /// Does all that can be done without waiting.
    fn advance(&mut self) {
        while self.advance_once() {}
    }

    fn advance_once(&mut self) -> bool {
        match self.state {
            State::Ready => self.begin(),
            State::Pause { until } => self.now >= until && self.pass(until),
            State::Frame { since, deadline } if self.live.is_some() => self.await_passage(since, deadline),
            State::Frame { since, deadline } => self.await_frame(since, deadline),
            State::Call { deadline, .. } => self.now >= deadline && self.call_timed_out(),
            State::AskAgain { at, deadline } => self.now >= at && self.ask_again(deadline),
            State::Learn { deadline } => self.await_news(deadline),
            State::Peer { deadline } => self.await_peer(deadline),
            State::Echo { wanted, deadline } => self.await_echo(wanted, deadline),
            State::Settle { until } => self.settle(until),
            State::Done => false,
        }
    }

    /// Begins the step at `pc`; the truth is that something moved.
    fn begin(&mut self) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else {
            let until = self.now + plan.profile.timing.settle;
            self.state = State::Settle { until };
            return true;
        };
        let step = &planned.step;
        if let Some(condition) = &step.when {
            match self.eval(condition) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => {
                    self.emit(CaseEventKind::StepSkipped);
                    self.pc += 1;
                    return true;
                }
                Ok(_) => return self.broken(&format!("`{condition}` is not a condition")),
                Err(e) => return self.broken(&e.to_string()),
            }
        }
        self.emit(CaseEventKind::StepStarted);
        if self.live.is_some() {
            match self.live_begins(step, planned.fixture.is_none()) {
                Ok(()) => {}
                Err(e) => return self.broken(&e.to_string()),
            }
        }
        match &step.verb {
            Verb::Live(live) => self.begin_live(live, step),
            Verb::Impair(rule) => self.impair(rule, step),
            Verb::Heal(label) => self.heal(label.as_deref(), step),
            Verb::Send(send) => self.send(send, step),
            Verb::Expect(expect) => self.begin_expect(expect, step),
            Verb::App(app) => self.begin_app(app, step),
            Verb::Linux(linux) => self.begin_linux(linux, step),
            Verb::Wait(span) => self.begin_wait(span, step),
            Verb::Note(text) => {
                let text = self.fill_in(text);
                self.emit(CaseEventKind::Note { text });
                self.pass(self.last)
            }
            Verb::Repeat(_) => self.broken("a `repeat` reached the executor unrolled by nobody"),
        }
    }

    /// Counted from a label, the pause may be over already.
    fn begin_wait(&mut self, span: &Expr, step: &Step) -> bool {
        let since = if step.after.is_some() { self.since(step) } else { Ok(self.now) };
        match since.and_then(|since| Ok(since + self.eval_span(span)?)) {
            Ok(until) => {
                self.state = State::Pause { until: self.now.max(until) };
                true
            }
            Err(e) => self.broken(&e.to_string()),
        }
    }

    fn send(&mut self, send: &Send, step: &Step) -> bool {
        let composed = {
            let scope = self.scope();
            match send {
                Send::Segment(fields) => compose::segment(fields, &scope, self.now),
                Send::Icmp(icmp) => compose::icmp(icmp, &scope, &self.last_packet),
                Send::Raw(octets) => Ok(Composed::raw(octets.clone())),
            }
        };
        let composed = match composed {
            Ok(composed) => composed,
            Err(e) => return self.broken(&e.to_string()),
        };
        self.asides.extend(composed.aside);
        if self.live.is_some() {
            return self.forge(composed, step);
        }
        let packet = self.put_out(composed);
        self.mark(step, Mark { at: self.now, packet: Some(packet), ..Mark::default() });
        self.pass(self.now)
    }

    /// An active open after another one is a connection of its own, from a port of its own.
    fn open_again(&mut self) {
        if self.wire.irs.is_none() || self.live.is_some() {
            return;
        }
        self.asides.insert((self.tuple.target_port, self.tuple.peer_port));
        self.script = Book::new(self.script.isn, WINDOW_FIELD);
        self.wire = self.script.clone();
        self.stream.clear();
    }

    /// The step is done, as of `at`.
    fn pass(&mut self, at: Time) -> bool {
        self.emit(CaseEventKind::StepPassed);
        let plan = Arc::clone(&self.plan);
        if let Some(label) = plan.steps.get(self.pc).and_then(|planned| planned.step.label.as_ref()) {
            let mark = self.labels.entry(label.clone()).or_insert_with(|| Mark { at, ..Mark::default() });
            mark.rcv_nxt = self.script.irs.map(|_| self.script.rcv_nxt());
        }
        self.last = at;
        self.pc += 1;
        self.state = State::Ready;
        true
    }

    fn mark(&mut self, step: &Step, mark: Mark) {
        if let Some(label) = &step.label {
            self.labels.insert(label.clone(), mark);
        }
    }

    /// After the last step whatever is left in the inbox is judged.
    fn settle(&mut self, until: Time) -> bool {
        if self.live.is_some() {
            if self.now >= until {
                self.live_ends();
            }
            return false;
        }
        while let Some(arrival) = self.inbox.pop_front() {
            if !self.take_noise(&arrival, None) && !self.take_leftover(&arrival) {
                self.reject_unexpected(&arrival);
                return false;
            }
        }
        if self.now >= until {
            self.finish();
        }
        false
    }

    fn finish(&mut self) {
        while let Some(arrival) = self.inbox.pop_front() {
            self.claim(&arrival, Claim::Unread);
        }
        let monitors = self.monitors.counts();
        if let Some(live) = &self.live {
            let traffic = live.traffic();
            self.emit(CaseEventKind::Passed(traffic));
        }
        self.emit(CaseEventKind::Finished { monitors });
        self.state = State::Done;
    }

    fn end_with(&mut self, what: CaseEventKind) {
        self.emit(what);
        self.finish();
    }

    fn broken(&mut self, how: &str) -> bool {
        let place = self.plan.steps.get(self.pc).map(|planned| format!("{}: ", planned.step.place));
        self.end_with(CaseEventKind::Broken { how: place.unwrap_or_default() + how });
        false
    }

    fn violate(&mut self, violation: Violation) {
        let at = violation.at;
        self.emit_at(at, CaseEventKind::Violated(Box::new(violation)));
    }

    fn emit(&mut self, what: CaseEventKind) {
        self.emit_at(self.now, what);
    }

    fn emit_at(&mut self, at: Time, what: CaseEventKind) {
        let step = (self.pc < self.plan.steps.len()).then_some(self.pc);
        self.events.push(CaseEvent { at, step, what });
    }

    fn scope(&self) -> Scope<'_> {
        let number = self.app.number;
        let live = self.live.as_ref();
        Scope {
            book: live.and_then(|live| live.flow_of(number)).map_or(&self.script, |flow| &flow.book),
            peer: live.and_then(|live| live.peer.status(number)),
            labels: &self.labels,
            profile: &self.plan.profile,
            tuple: self.tuple_of(number),
            family: self.plan.case.family,
            level: self.plan.case.level,
        }
    }

    fn eval(&self, expr: &Expr) -> Result<Value, EvalError> {
        eval(expr, &self.scope())
    }

    fn eval_span(&self, expr: &Expr) -> Result<Duration, EvalError> {
        match self.eval(expr)? {
            Value::Span(span) => Ok(span),
            Value::Int(_) | Value::Seq(_) | Value::At(_) | Value::Bool(_) => {
                Err(EvalError::Senseless(expr.to_string()))
            }
        }
    }

    fn fill_in(&self, text: &str) -> String {
        fill_in(text, &self.scope())
    }

    /// The moment that the time limit of a step counts from.
    fn since(&self, step: &Step) -> Result<Time, EvalError> {
        match &step.after {
            None => Ok(self.last),
            Some(label) => {
                let mark = self.labels.get(label);
                mark.map(|mark| mark.at).ok_or_else(|| EvalError::NotYet(label.clone()))
            }
        }
    }

    /// When a step must be done; what an answer takes that nothing delays, if it does not say.
    fn deadline(&self, step: &Step, since: Time) -> Result<Time, EvalError> {
        let limit = match &step.within {
            Some(within) => self.eval_span(&within.to)?,
            // Two TCPs and a wire that loses take their time.
            None if self.live.is_some() => LIVE_PATIENCE.mul_f64(self.plan.profile.timing.scale),
            None => stretch(self.plan.profile.timing.reply, self.plan.profile.timing.scale),
        };
        Ok(since + limit)
    }
}

/// Runs a recorded case again: the same plan and inputs give the same events and the same verdict.
pub fn replay(plan: &Arc<Plan>, inputs: &[Input]) -> (Vec<CaseEvent>, Verdict) {
    let mut exec = Exec::new(Arc::clone(plan));
    for input in inputs {
        exec.handle(input);
    }
    let events = exec.into_events();
    let verdict = verdict(plan, &events);
    (events, verdict)
}

#[cfg(test)]
mod tests;
