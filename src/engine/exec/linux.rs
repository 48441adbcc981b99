//! `linux`: system calls on the kernel's sockets, and what must come of them.
//!
//! What is asked of a state (TCP_INFO, poll, an option, a queue) is asked again until it holds or the time of
//! the step is up: the segment that brings it may still be on its way through the kernel. A call that does
//! something is made once.

use super::super::event::{CaseEventKind, Cell, ViolationKind};
use super::super::io::linux::{LinuxCall, LinuxReply, LinuxSocket, OptionValue, QueuedError};
use super::super::io::{AppCall, AppOutcome, hex};
use super::super::numbers;
use super::{Exec, State};
use crate::engine::eval::{EvalError, Mark, Value};
use crate::suite::expr::{Bound, Expr};
use crate::suite::linux::{self as names, Unit};
use crate::suite::model::{
    self, CallResult, ErrorWant, Family, FlagWords, InfoWant, Linux, OptionWant, Socket, Step, shown_flags,
};
use crate::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How soon something that does not hold yet is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(2);

/// What an answer amounts to.
struct Judged {
    cells: Vec<Cell>,
    /// One line for the ladder.
    line: String,
    /// It may still become so.
    may_change: bool,
    /// What a label remembers.
    values: BTreeMap<String, i64>,
}

/// The value of an option in all the ways that it can be read.
struct Read<'a> {
    errno: Option<&'a str>,
    number: Option<i64>,
    ints: &'a [i64],
    octets: &'a [u8],
}

impl Judged {
    fn holds(&self) -> bool {
        !self.cells.iter().any(|cell| cell.differs)
    }

    fn one(cell: Cell, line: String) -> Self {
        Self { cells: vec![cell], line, may_change: false, values: BTreeMap::new() }
    }
}

impl Exec {
    pub(super) fn begin_linux(&mut self, linux: &Linux, step: &Step) -> bool {
        let deadline = match self.since(step).and_then(|since| self.deadline(step, since)) {
            Ok(deadline) if step.after.is_none() => self.now + deadline.since(self.last),
            Ok(deadline) => deadline,
            Err(e) => return self.broken(&e.to_string()),
        };
        match self.linux_call(linux) {
            Ok(what) => {
                if let model::LinuxCall::SetSockOpt { option, .. } = &linux.call {
                    self.app.keep_alive |= option.name == "SO_KEEPALIVE" && sets_nonzero(&what);
                }
                if let AppCall::Linux { what: LinuxCall::Send { count, .. }, .. } = &what {
                    // Its segments may be here before its answer, which says how much was taken.
                    self.app.written += count;
                }
                let line = called(&what, linux);
                self.app.until = deadline;
                self.call_as(what, self.answer_by(), line);
                true
            }
            Err(e) => self.broken(&e.to_string()),
        }
    }

    /// The kernel has the time of a prompt answer, however soon what it says must hold.
    pub(super) fn answer_by(&self) -> Time {
        self.now + self.plan.profile.timing.reply
    }

    pub(super) fn linux_call(&self, linux: &Linux) -> Result<AppCall, EvalError> {
        use model::LinuxCall as Asked;
        let call = match &linux.call {
            Asked::Sysctl(values) => LinuxCall::Sysctl { values: values.clone() },
            Asked::SetSockOpt { option, value } => LinuxCall::SetOption {
                level: option.level.clone(),
                name: option.name.clone(),
                value: self.socket_option(value)?,
            },
            Asked::GetSockOpt { option, .. } => {
                LinuxCall::GetOption { level: option.level.clone(), name: option.name.clone() }
            }
            Asked::Info(_) => LinuxCall::Info,
            Asked::Poll(_) => LinuxCall::Poll,
            Asked::ErrQueue(_) => LinuxCall::ErrorQueue,
            Asked::Ioctl(queues) => {
                LinuxCall::Ioctl { requests: queues.iter().map(|(name, _)| name.clone()).collect() }
            }
            Asked::Listen { backlog } => LinuxCall::Listen { backlog: self.whole(backlog)? },
            Asked::Accept => LinuxCall::Accept,
            Asked::Shutdown { how } => LinuxCall::Shutdown { how: how.clone() },
            Asked::Send { count, flags } => {
                LinuxCall::Send { offset: self.app.written, count: self.count(count)?, flags: flags.clone() }
            }
            Asked::Recv { count, flags } => {
                LinuxCall::Recv { offset: self.app.read, count: self.count(count)?, flags: flags.clone() }
            }
        };
        Ok(AppCall::Linux { socket: self.socket_for(linux), what: call })
    }

    fn socket_for(&self, linux: &Linux) -> LinuxSocket {
        let of_listener = linux.on == Socket::Listener
            || matches!(linux.call, model::LinuxCall::Listen { .. } | model::LinuxCall::Accept);
        match self.app.conn {
            Some(conn) if !of_listener => LinuxSocket::Conn(conn),
            Some(_) | None => LinuxSocket::Listener {
                port: self.plan.tuple.target_port,
                v6: self.plan.case.family == Family::V6,
            },
        }
    }

    fn socket_option(&self, value: &model::OptionValue) -> Result<OptionValue, EvalError> {
        Ok(match value {
            model::OptionValue::Int(expr) => OptionValue::Ints(vec![self.whole(expr)?]),
            model::OptionValue::Ints(all) => {
                OptionValue::Ints(all.iter().map(|expr| self.whole(expr)).collect::<Result<_, _>>()?)
            }
            model::OptionValue::Text(text) => OptionValue::Octets(text.as_bytes().to_vec()),
            model::OptionValue::Octets(octets) => OptionValue::Octets(octets.clone()),
        })
    }

    fn whole(&self, expr: &Expr) -> Result<i64, EvalError> {
        match self.eval(expr)? {
            Value::Int(n) => Ok(n),
            Value::Bool(yes) => Ok(i64::from(yes)),
            Value::Seq(_) | Value::Span(_) | Value::At(_) => Err(EvalError::Senseless(expr.to_string())),
        }
    }

    pub(super) fn linux_replied(&mut self, linux: &Linux, outcome: &AppOutcome) {
        let deadline = self.app.until;
        match outcome {
            AppOutcome::Linux(LinuxReply::Lacking { why }) => {
                self.end_with(CaseEventKind::Unsupported { why: why.clone() });
            }
            AppOutcome::Linux(LinuxReply::Refused { errno, what }) if !expects_error(linux) => {
                let refused = what.as_ref().map_or_else(String::new, |what| format!("{what}: "));
                self.linux_refused(linux, errno, &refused, deadline);
            }
            AppOutcome::Linux(reply) => match self.judge_linux(linux, reply) {
                Ok(judged) => self.linux_judged(linux, reply, judged, deadline),
                Err(why) => {
                    self.broken(&why);
                }
            },
            AppOutcome::Accepted { conn, .. } if !expects_error(linux) => {
                self.begin_connection(*conn);
                self.app_passes("accepted");
            }
            AppOutcome::Unsupported => {
                let why = "the target is not driven by system calls of Linux".to_owned();
                self.end_with(CaseEventKind::Unsupported { why });
            }
            AppOutcome::Accepted { .. } | AppOutcome::Ok => {
                self.linux_judged_result(linux, "success");
            }
            other => {
                self.broken(&format!("no answer to a system call: {other:?}"));
            }
        }
    }

    /// A call that was to succeed.
    fn linux_refused(&mut self, linux: &Linux, errno: &str, what: &str, deadline: Time) {
        if let Some(why) = lacking(&linux.call, errno, what) {
            return self.end_with(CaseEventKind::Unsupported { why });
        }
        let waits = matches!(linux.call, model::LinuxCall::Recv { .. }) && errno == "EAGAIN";
        let absent = matches!(linux.call, model::LinuxCall::ErrQueue(_)) && errno == "EAGAIN";
        if absent {
            return self.nothing_queued(linux, deadline);
        }
        if waits && self.now + ASK_AGAIN <= deadline {
            self.state = State::AskAgain { at: self.now + ASK_AGAIN, deadline };
            return;
        }
        self.emit(CaseEventKind::AppReplied { line: format!("{what}{errno}") });
        let expected = match &linux.result {
            CallResult::Returns(bound) => bound.to_string(),
            CallResult::Success | CallResult::Errno(_) => "success".to_owned(),
        };
        let name = linux.call.name();
        self.linux_violates(vec![cell(&name, &expected, &format!("{what}{errno}"), true)]);
    }

    fn nothing_queued(&mut self, linux: &Linux, deadline: Time) {
        let model::LinuxCall::ErrQueue(want) = &linux.call else { return };
        if want.is_none() {
            return self.app_passes("nothing");
        }
        if self.now + ASK_AGAIN <= deadline {
            self.state = State::AskAgain { at: self.now + ASK_AGAIN, deadline };
            return;
        }
        self.emit(CaseEventKind::AppReplied { line: "nothing".to_owned() });
        self.linux_violates(vec![cell("error queue", "an entry", "nothing", true)]);
    }

    fn linux_judged(&mut self, linux: &Linux, reply: &LinuxReply, judged: Judged, deadline: Time) {
        self.account(linux, reply);
        if judged.holds() {
            let plan = Arc::clone(&self.plan);
            if let Some(planned) = plan.steps.get(self.pc) {
                let mark = Mark { at: self.now, values: judged.values, ..Mark::default() };
                self.mark(&planned.step, mark);
            }
            self.app_passes(&judged.line);
        } else if judged.may_change && self.now + ASK_AGAIN <= deadline {
            self.state = State::AskAgain { at: self.now + ASK_AGAIN, deadline };
        } else {
            self.emit(CaseEventKind::AppReplied { line: judged.line });
            self.linux_violates(judged.cells);
        }
    }

    /// It did what it was to be refused.
    fn linux_judged_result(&mut self, linux: &Linux, got: &str) {
        self.emit(CaseEventKind::AppReplied { line: got.to_owned() });
        let cell = cell(&linux.call.name(), &wanted_result(&linux.result), got, true);
        self.linux_violates(vec![cell]);
    }

    /// Octets that were written or read count in the streams.
    fn account(&mut self, linux: &Linux, reply: &LinuxReply) {
        match (&linux.call, reply) {
            (model::LinuxCall::Send { count, .. }, reply) => {
                let asked = self.count(count).unwrap_or_default();
                let taken = match reply {
                    LinuxReply::Returned { value } => u64::try_from(*value).unwrap_or_default(),
                    _ => 0,
                };
                self.app.written = self.app.written.saturating_sub(asked) + taken;
            }
            (model::LinuxCall::Recv { flags, .. }, LinuxReply::Received { count, .. })
                if !flags.iter().any(|flag| flag == "MSG_PEEK") =>
            {
                self.app.read += count;
            }
            _ => {}
        }
    }

    fn linux_violates(&mut self, cells: Vec<Cell>) {
        let line = |text: fn(&Cell) -> &str| {
            let differing = cells.iter().filter(|cell| cell.differs);
            differing.map(|cell| format!("{} {}", cell.field, text(cell))).collect::<Vec<_>>().join("  ")
        };
        let (expected, got) = (line(|cell| &cell.expected), line(|cell| &cell.got));
        let mut violation = self.violation(ViolationKind::App, &expected, Some(got));
        violation.after = self.now.since(self.last);
        violation.cells = cells;
        self.violate(violation);
        self.finish();
    }

    pub(super) fn linux_timed_out(&mut self, linux: &Linux) {
        self.linux_violates(vec![cell(&linux.call.name(), "an answer", "nothing", true)]);
    }

    fn judge_linux(&self, linux: &Linux, reply: &LinuxReply) -> Result<Judged, String> {
        use model::LinuxCall as Asked;
        match (&linux.call, reply) {
            (_, LinuxReply::Refused { errno, what }) => Ok(self.judge_errno(linux, errno, what.as_deref())),
            (_, _) if expects_error(linux) => {
                let got = shown_reply(reply);
                Ok(Judged::one(cell(&linux.call.name(), &wanted_result(&linux.result), &got, true), got))
            }
            (Asked::GetSockOpt { option, want }, LinuxReply::Option { errno, number, ints, octets }) => {
                let read = Read { errno: errno.as_deref(), number: *number, ints, octets };
                self.judge_option(&option.name, want, &read)
            }
            (Asked::Info(wants), LinuxReply::Info { fields }) => self.judge_info(wants, fields),
            (Asked::Poll(want), LinuxReply::Poll { flags }) => {
                let cell = flags_cell("poll", want, flags);
                let judged = Judged::one(cell, shown_flags(flags));
                Ok(Judged { may_change: true, ..judged })
            }
            (Asked::ErrQueue(want), LinuxReply::Queued(error)) => self.judge_queued(want.as_ref(), error),
            (Asked::Ioctl(wants), LinuxReply::Queues { lengths }) => self.judge_queues(wants, lengths),
            (Asked::Recv { .. }, LinuxReply::Received { count, mismatch }) => {
                self.judge_received(linux, *count, *mismatch)
            }
            (_, LinuxReply::Returned { value }) => self.judge_returned(linux, *value),
            (_, other) => Err(format!("no answer to {}: {other:?}", linux.call.name())),
        }
    }

    fn judge_errno(&self, linux: &Linux, errno: &str, what: Option<&str>) -> Judged {
        let CallResult::Errno(wanted) = &linux.result else {
            return Judged::one(cell(&linux.call.name(), "success", errno, true), errno.to_owned());
        };
        let differs = !wanted.iter().any(|name| name == errno);
        let line = what.map_or_else(|| errno.to_owned(), |what| format!("{what}: {errno}"));
        Judged::one(cell(&linux.call.name(), &wanted.join(" or "), errno, differs), line)
    }

    fn judge_returned(&self, linux: &Linux, value: i64) -> Result<Judged, String> {
        let name = linux.call.name();
        let mut judged = match &linux.result {
            CallResult::Returns(bound) => {
                let cell = self.number_cell(&name, bound, value, Unit::Plain)?;
                Judged::one(cell, value.to_string())
            }
            // A short write is as good as none to a script that did not ask how much was taken.
            CallResult::Success | CallResult::Errno(_) => {
                let line = if value == 0 { "ok".to_owned() } else { value.to_string() };
                Judged::one(cell(&name, "success", &line, false), line)
            }
        };
        judged.values.insert("value".to_owned(), value);
        Ok(judged)
    }

    fn judge_received(&self, linux: &Linux, count: u64, mismatch: Option<u64>) -> Result<Judged, String> {
        let value = i64::try_from(count).unwrap_or(i64::MAX);
        let mut judged = self.judge_returned(linux, value)?;
        if let model::LinuxCall::Recv { flags, .. } = &linux.call {
            judged.may_change = flags.iter().any(|flag| flag == "MSG_PEEK");
        }
        if let Some(at) = mismatch {
            judged.may_change = false;
            judged.cells.push(cell("content", "the peer's octets", &format!("octet {at} differs"), true));
        }
        Ok(judged)
    }

    fn judge_option(&self, name: &str, want: &OptionWant, read: &Read<'_>) -> Result<Judged, String> {
        let Read { errno, number, ints, octets } = *read;
        let text = || {
            let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
            String::from_utf8_lossy(&octets[..end]).into_owned()
        };
        let mut values = BTreeMap::new();
        let cells = match want {
            OptionWant::Int(bound) => match number {
                Some(value) => {
                    values.insert("value".to_owned(), value);
                    vec![self.number_cell(name, bound, value, Unit::Plain)?]
                }
                None => vec![cell(name, &bound.to_string(), &hex::encode(octets), true)],
            },
            OptionWant::Ints(bounds) if bounds.len() == ints.len() => {
                let pairs = bounds.iter().zip(ints).enumerate();
                pairs
                    .map(|(at, (bound, value))| {
                        self.number_cell(&format!("{name}[{at}]"), bound, *value, Unit::Plain)
                    })
                    .collect::<Result<_, _>>()?
            }
            OptionWant::Ints(bounds) => {
                let got = format!("{} ints", ints.len());
                vec![cell(name, &format!("{} ints", bounds.len()), &got, true)]
            }
            OptionWant::Text(wanted) => vec![cell(name, wanted, &text(), *wanted != text())],
            OptionWant::Octets(wanted) => {
                vec![cell(name, &hex::encode(wanted), &hex::encode(octets), wanted != octets)]
            }
            OptionWant::Errno(wanted) => {
                let got = errno.unwrap_or("no errno");
                vec![cell(name, &wanted.join(" or "), got, !wanted.iter().any(|name| name == got))]
            }
        };
        let line = cells.iter().map(|cell| cell.got.clone()).collect::<Vec<_>>().join(" ");
        // Reading the pending error takes it away; until there is one it may still come.
        let may_change = errno.is_none_or(|errno| errno == "none");
        Ok(Judged { cells, line, may_change, values })
    }

    fn judge_info(
        &self,
        wants: &[(String, InfoWant)],
        fields: &BTreeMap<String, u64>,
    ) -> Result<Judged, String> {
        let mut cells = Vec::new();
        for (name, want) in wants {
            let Some(raw) = fields.get(name) else {
                cells.push(cell(name, &info_words(want), "not told by this kernel", true));
                continue;
            };
            let unit = names::info_fields().find(|field| field.name == name).map_or(Unit::Plain, |f| f.unit);
            cells.push(match want {
                InfoWant::Number(bound) => {
                    self.number_cell(name, bound, i64::try_from(*raw).unwrap_or(i64::MAX), unit)?
                }
                InfoWant::Words(words) => {
                    let got = info_word(name, *raw);
                    cell(name, &words.join(" or "), &got, !words.contains(&got))
                }
                InfoWant::Flags(flags) => flags_cell(name, flags, &info_flags(*raw)),
            });
        }
        let shown = cells.iter().map(|cell| format!("{} {}", cell.field, cell.got));
        let line = shown.collect::<Vec<_>>().join(", ");
        let values = fields.iter().filter_map(|(name, raw)| Some((name.clone(), i64::try_from(*raw).ok()?)));
        Ok(Judged { line, may_change: true, values: values.collect(), cells })
    }

    fn judge_queues(
        &self,
        wants: &[(String, Bound)],
        lengths: &BTreeMap<String, i64>,
    ) -> Result<Judged, String> {
        let mut cells = Vec::new();
        for (name, bound) in wants {
            let length = lengths.get(name).copied().unwrap_or_default();
            cells.push(self.number_cell(name, bound, length, Unit::Plain)?);
        }
        let line = cells.iter().map(|cell| cell.got.clone()).collect::<Vec<_>>().join(" ");
        Ok(Judged { cells, line, may_change: true, values: lengths.clone() })
    }

    fn judge_queued(&self, want: Option<&ErrorWant>, error: &QueuedError) -> Result<Judged, String> {
        let origin = names::ORIGINS.get(usize::from(error.origin)).map_or("unknown", |name| name);
        let line = format!(
            "{} origin {origin} type {} code {} info {} data {}",
            error.errno, error.kind, error.code, error.info, error.data
        );
        let Some(want) = want else {
            return Ok(Judged::one(cell("error queue", "nothing", &line, true), line));
        };
        let mut cells = Vec::new();
        for (field, wanted, got) in
            [("errno", &want.errno, error.errno.as_str()), ("origin", &want.origin, origin)]
        {
            if !wanted.is_empty() {
                let differs = !wanted.iter().any(|name| name == got);
                cells.push(cell(field, &wanted.join(" or "), got, differs));
            }
        }
        for (field, bound) in &want.numbers {
            let value = match field.as_str() {
                "type" => u32::from(error.kind),
                "code" => u32::from(error.code),
                "info" => error.info,
                _ => error.data,
            };
            cells.push(self.number_cell(field, bound, i64::from(value), Unit::Plain)?);
        }
        let values = [("info", error.info), ("data", error.data)];
        let values = values.map(|(name, value)| (name.to_owned(), i64::from(value))).into();
        Ok(Judged { cells, line, may_change: false, values })
    }

    fn number_cell(&self, field: &str, bound: &Bound, value: i64, unit: Unit) -> Result<Cell, String> {
        let scope = self.scope();
        let held = numbers::holds(bound, value, unit, &scope).map_err(|e| e.to_string())?;
        let expected = numbers::words(bound, &scope);
        Ok(cell(field, &expected, &numbers::shown(value, unit, bound), !held))
    }
}

/// Where the error says that this kernel, or this machine, does not have what the case is about.
fn lacking(call: &model::LinuxCall, errno: &str, what: &str) -> Option<String> {
    use model::LinuxCall as Asked;
    match (call, errno) {
        (Asked::Sysctl(_), "ENOENT") => {
            Some(format!("this kernel has no sysctl {}", what.trim_end_matches(": ")))
        }
        (Asked::Sysctl(_), "EACCES" | "EPERM" | "EROFS") => {
            Some(format!("the sysctl {} cannot be set here ({errno})", what.trim_end_matches(": ")))
        }
        (Asked::SetSockOpt { option, .. } | Asked::GetSockOpt { option, .. }, "ENOPROTOOPT") => {
            Some(format!("this kernel does not know the option {option}"))
        }
        (Asked::SetSockOpt { option, .. }, "EPERM") => Some(format!("{option} cannot be set here (EPERM)")),
        (Asked::SetSockOpt { option, value: model::OptionValue::Text(name) }, "ENOENT") => {
            Some(format!("this kernel has no `{name}` for {option}"))
        }
        _ => None,
    }
}

fn expects_error(linux: &Linux) -> bool {
    matches!(linux.result, CallResult::Errno(_))
}

fn wanted_result(result: &CallResult) -> String {
    match result {
        CallResult::Success => "success".to_owned(),
        CallResult::Returns(bound) => bound.to_string(),
        CallResult::Errno(names) => names.join(" or "),
    }
}

fn sets_nonzero(call: &AppCall) -> bool {
    let AppCall::Linux { what: LinuxCall::SetOption { value: OptionValue::Ints(ints), .. }, .. } = call
    else {
        return false;
    };
    ints.iter().any(|n| *n != 0)
}

fn cell(field: &str, expected: &str, got: &str, differs: bool) -> Cell {
    Cell { field: field.to_owned(), expected: expected.to_owned(), got: got.to_owned(), differs }
}

fn flags_cell(field: &str, want: &FlagWords, seen: &[String]) -> Cell {
    cell(field, &want.to_string(), &shown_flags(seen), !want.admits(seen))
}

/// `state` and `ca_state` in words.
fn info_word(name: &str, raw: u64) -> String {
    let at = usize::try_from(raw).unwrap_or(usize::MAX);
    let known = if name == "state" { STATES } else { names::CA_STATES };
    known.get(at).map_or_else(|| raw.to_string(), |word| (*word).to_owned())
}

/// `TCP_*` of `net/tcp_states.h`, by number, in the words of RFC 9293.
const STATES: &[&str] = &[
    "CLOSED",
    "ESTABLISHED",
    "SYN-SENT",
    "SYN-RECEIVED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "CLOSED",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECEIVED",
];

fn info_flags(raw: u64) -> Vec<String> {
    let named = names::INFO_OPTIONS.iter().enumerate();
    named.filter(|(bit, _)| raw >> bit & 1 == 1).map(|(_, name)| (*name).to_owned()).collect()
}

fn info_words(want: &InfoWant) -> String {
    match want {
        InfoWant::Number(bound) => bound.to_string(),
        InfoWant::Words(words) => words.join(" or "),
        InfoWant::Flags(flags) => flags.to_string(),
    }
}

fn shown_reply(reply: &LinuxReply) -> String {
    match reply {
        LinuxReply::Returned { value: 0 } => "success".to_owned(),
        LinuxReply::Returned { value } => value.to_string(),
        LinuxReply::Received { count, .. } => count.to_string(),
        LinuxReply::Refused { errno, .. } => errno.clone(),
        LinuxReply::Option { .. }
        | LinuxReply::Info { .. }
        | LinuxReply::Poll { .. }
        | LinuxReply::Queued(_)
        | LinuxReply::Queues { .. }
        | LinuxReply::Lacking { .. } => "success".to_owned(),
    }
}

/// The call as the ladder shows it.
fn called(what: &AppCall, linux: &Linux) -> String {
    let name = linux.call.name();
    let AppCall::Linux { socket, what } = what else { return name };
    let on = match socket {
        LinuxSocket::Listener { .. } if linux.on == Socket::Listener => " on the listener",
        LinuxSocket::Listener { .. } | LinuxSocket::Conn(_) => "",
    };
    let arguments = match what {
        LinuxCall::Sysctl { values } => {
            values.iter().map(|(name, value)| format!(" {name} = {value}")).collect::<Vec<_>>().join(",")
        }
        LinuxCall::SetOption { value: OptionValue::Ints(ints), .. } => {
            format!(" = {}", ints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        }
        LinuxCall::SetOption { value: OptionValue::Octets(octets), .. } => {
            match std::str::from_utf8(octets) {
                Ok(text) if text.chars().all(|c| c.is_ascii_graphic()) => format!(" = {text}"),
                Ok(_) | Err(_) => format!(" = {}", hex::encode(octets)),
            }
        }
        LinuxCall::Listen { backlog } => format!(" {backlog}"),
        LinuxCall::Send { count, flags, .. } | LinuxCall::Recv { count, flags, .. } => {
            let flags = if flags.is_empty() { String::new() } else { format!(" {}", flags.join("|")) };
            format!(" {count}{flags}")
        }
        LinuxCall::GetOption { .. }
        | LinuxCall::Info
        | LinuxCall::Poll
        | LinuxCall::ErrorQueue
        | LinuxCall::Ioctl { .. }
        | LinuxCall::Accept
        | LinuxCall::Shutdown { .. } => String::new(),
    };
    format!("{name}{arguments}{on}")
}
