//! `live`: the application above the live peer.

use super::super::eval::{EvalError, Value};
use super::super::event::{CaseEventKind, ViolationKind};
use super::super::io::{AppCall, AppEvent, AppOutcome};
use super::super::live::Pace;
use super::app::{NOTHING, event_of, phrase, urgent_left};
use super::{AppSide, Exec, State};
use crate::suite::model::{App, AppExpect, Live, Reads, Step, Verb};
use crate::time::Time;
use std::net::SocketAddr;
use std::sync::Arc;

impl AppSide {
    /// Turns to another connection of a live case.
    pub(super) fn turn_to(&mut self, number: u32) {
        if number == self.number {
            return;
        }
        let (conn, written, read) = self.others.remove(&number).unwrap_or_default();
        let own = (
            std::mem::replace(&mut self.conn, conn),
            std::mem::replace(&mut self.written, written),
            std::mem::replace(&mut self.read, read),
        );
        self.others.insert(std::mem::replace(&mut self.number, number), own);
    }

    /// Octets that the target's application has written on a connection.
    pub(super) fn written_on(&self, number: u32) -> Option<u64> {
        if number == self.number { Some(self.written) } else { self.others.get(&number).map(|other| other.1) }
    }
}

impl Exec {
    pub(super) fn begin_live(&mut self, live: &Live, step: &Step) -> bool {
        let number = self.app.number;
        let now = self.now;
        match live {
            Live::Call(app) => self.begin_peer(app, step),
            Live::Reboot(settings) => {
                let mut values = Vec::new();
                for (setting, value) in settings {
                    match self.eval(value) {
                        Ok(Value::Int(n)) => values.push((*setting, n)),
                        Ok(Value::Bool(yes)) => values.push((*setting, i64::from(yes))),
                        Ok(Value::Span(span)) => {
                            values.push((*setting, i64::try_from(span.as_millis()).unwrap_or(i64::MAX)));
                        }
                        Ok(_) => return self.broken(&format!("`{value}` is no value of {}", setting.word())),
                        Err(e) => return self.broken(&e.to_string()),
                    }
                }
                let words: Vec<_> =
                    settings.iter().map(|(s, value)| format!("{} {value}", s.word())).collect();
                self.emit(CaseEventKind::PeerApp {
                    line: format!("reboot {}", words.join(", ")).trim_end().into(),
                });
                if let Some(live) = &mut self.live {
                    live.peer.reboot(values);
                }
                self.pass(now)
            }
            Live::Reads(reads) => {
                let pace = match self.pace(reads) {
                    Ok(pace) => pace,
                    Err(e) => return self.broken(&e.to_string()),
                };
                if let Some(live) = &mut self.live {
                    live.peer.read(now, number, pace);
                }
                self.pass(now)
            }
        }
    }

    fn pace(&self, reads: &Reads) -> Result<Pace, EvalError> {
        Ok(match reads {
            Reads::All => Pace::All,
            Reads::Nothing => Pace::Nothing,
            Reads::Slowly { octets, every } => {
                Pace::Slowly { octets: self.count(octets)?, every: self.eval_span(every)?, next: self.now }
            }
        })
    }

    /// Makes the call; those that wait are asked about by `await_peer`.
    fn begin_peer(&mut self, app: &App, step: &Step) -> bool {
        let deadline = match self.since(step).and_then(|since| self.deadline(step, since)) {
            Ok(deadline) => deadline.max(self.now),
            Err(e) => return self.broken(&e.to_string()),
        };
        let done = match self.peer_call(app) {
            Ok(done) => done,
            Err(e) => return self.broken(&e.to_string()),
        };
        match done {
            None => {
                self.state = State::Peer { deadline };
                true
            }
            Some(AppOutcome::Failed(error)) => {
                let expected = format!("the peer's application to {}", phrase(app));
                self.peer_violates(ViolationKind::App, &expected, format!("an error: {error}"));
                false
            }
            Some(_) => self.pass(self.now),
        }
    }

    /// `None` where the answer takes its time.
    fn peer_call(&mut self, app: &App) -> Result<Option<AppOutcome>, EvalError> {
        let (now, number, tuple) = (self.now, self.app.number, self.tuple);
        let count = match app {
            App::Send(n) | App::SendUrgent(n) | App::Recv(n) | App::Expect(AppExpect::Data(n)) => {
                self.count(n)?
            }
            _ => 0,
        };
        let option = match app {
            App::Option(name, value) => Some((name.clone(), self.option_value(name, value)?)),
            _ => None,
        };
        if !matches!(app, App::Expect(_) | App::Status(_) | App::UrgentLeft(_)) {
            let line = match app {
                App::Send(_) | App::Recv(_) => format!("{} {count}", phrase(app)),
                other => phrase(other).to_owned(),
            };
            self.emit(CaseEventKind::PeerApp { line });
        }
        // The peer of the first connection may have chosen its own port.
        let target_port = if number == 0 { tuple.target_port } else { self.plan.tuple.target_port };
        let Some(live) = self.live.as_mut() else { return Ok(None) };
        let peer = &mut live.peer;
        Ok(match app {
            App::Listen => Some(peer.listen(now, number)),
            App::Connect => Some(peer.connect(now, number, SocketAddr::new(tuple.target, target_port))),
            App::ConnectTo(to) => Some(peer.connect(now, number, SocketAddr::new(*to, target_port))),
            // The port of a connection follows from its number; and the application reads all the time.
            App::ConnectFrom(_) => {
                return Err(EvalError::Senseless("live: {connect: {from: ..}}".to_owned()));
            }
            App::BeginRecv(_) => Some(AppOutcome::Ok),
            App::Accept => {
                live.accepting = Some(peer.accept(now, number));
                None
            }
            App::Send(_) => Some(peer.send(now, number, count, false)),
            App::SendUrgent(_) => Some(peer.send(now, number, count, true)),
            App::Recv(_) | App::Expect(AppExpect::Data(_)) => {
                let conn = peer.conn(number).ok_or_else(|| EvalError::NotYet("the connection".to_owned()))?;
                conn.asked += count;
                None
            }
            App::Shutdown => Some(peer.on(now, number, |conn| AppCall::Shutdown { conn })),
            App::Close => Some(peer.on(now, number, |conn| AppCall::Close { conn })),
            App::Abort => Some(peer.on(now, number, |conn| AppCall::Abort { conn })),
            App::Option(..) => {
                let (name, value) = option.unwrap_or_default();
                Some(peer.on(now, number, |conn| AppCall::Option { conn, name, value }))
            }
            App::Status(_) | App::UrgentLeft(_) | App::Expect(_) => None,
        })
    }

    /// Whether what a `live` step waits for has happened.
    pub(super) fn await_peer(&mut self, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let Verb::Live(Live::Call(app)) = &planned.step.verb else { return false };
        match app {
            App::Accept => self.await_accept(deadline),
            App::Recv(_) | App::Expect(AppExpect::Data(_)) => self.await_octets(deadline),
            App::Status(allowed) => self.await_status(allowed, deadline),
            App::UrgentLeft(wanted) => self.await_urgent_left(*wanted, deadline),
            App::Expect(wanted) => self.await_peer_news(wanted, deadline),
            _ => false,
        }
    }

    fn await_accept(&mut self, deadline: Time) -> bool {
        let (now, number) = (self.now, self.app.number);
        let Some(live) = self.live.as_mut() else { return false };
        let done = live.accepting.is_some_and(|call| live.peer.accepted(now, number, call));
        if done {
            live.accepting = None;
            self.emit(CaseEventKind::PeerApp { line: "accepted".to_owned() });
            return self.pass(now);
        }
        if now >= deadline {
            self.peer_violates(ViolationKind::App, "the peer to accept a connection", NOTHING.to_owned());
        }
        false
    }

    fn await_octets(&mut self, deadline: Time) -> bool {
        let (now, number) = (self.now, self.app.number);
        let Some(live) = self.live.as_mut() else { return false };
        let Some(progress) = live.peer.progress(number) else { return false };
        let Some(conn) = live.peer.conn(number) else { return false };
        let (asked, ended) =
            (conn.asked, conn.news.iter().rev().find(|(_, event)| ends(*event)).map(|(_, event)| *event));
        if let Some(at) = progress.mismatch {
            let got = format!("octet {at} of the stream is not the one that was sent");
            self.peer_violates(
                ViolationKind::Content,
                &format!("{asked} octets of the target's stream"),
                got,
            );
        } else if progress.octets >= asked {
            self.emit(CaseEventKind::PeerApp { line: format!("received {} octets so far", progress.octets) });
            return self.pass(now);
        } else if now >= deadline || ended.is_some() {
            let end = ended.map_or(String::new(), |event| format!(", then {}", event.word()));
            let got = format!("{} octets{end}", progress.octets);
            self.peer_violates(ViolationKind::App, &format!("the peer to receive {asked} octets"), got);
        }
        false
    }

    fn await_status(&mut self, allowed: &[String], deadline: Time) -> bool {
        let (now, number) = (self.now, self.app.number);
        let status = self.live.as_ref().and_then(|live| live.peer.status(number));
        let state = status.map_or_else(|| "CLOSED".to_owned(), |status| status.state.to_string());
        if allowed.contains(&state) {
            return self.pass(now);
        }
        if now >= deadline {
            let expected = format!("the peer to be in {}", allowed.join(" or "));
            self.peer_violates(ViolationKind::App, &expected, state);
        }
        false
    }

    fn await_urgent_left(&mut self, wanted: bool, deadline: Time) -> bool {
        let (now, number) = (self.now, self.app.number);
        let status = self.live.as_ref().and_then(|live| live.peer.status(number));
        let left = status.is_some_and(|status| status.urgent > 0);
        if left == wanted {
            return self.pass(now);
        }
        if now >= deadline {
            self.peer_violates(ViolationKind::App, urgent_left(wanted), urgent_left(left).to_owned());
        }
        false
    }

    fn await_peer_news(&mut self, wanted: &AppExpect, deadline: Time) -> bool {
        let (now, number) = (self.now, self.app.number);
        let Some(live) = self.live.as_mut() else { return false };
        let Some(conn) = live.peer.conn(number) else {
            return self.broken("there is no connection to learn anything of (connect or accept first)");
        };
        let Some(event) = event_of(wanted) else {
            let news = conn.news.first().copied();
            if let Some((_, event)) = news {
                self.peer_violates(ViolationKind::App, "the peer to learn nothing", event.word().to_owned());
                return false;
            }
            return now >= deadline && self.pass(deadline);
        };
        if let Some(index) = conn.news.iter().position(|(_, learned)| *learned == event) {
            let (at, _) = conn.news.remove(index);
            self.emit(CaseEventKind::PeerApp { line: event.word().to_owned() });
            return self.pass(at.max(self.last));
        }
        let ended = conn.news.iter().map(|(_, event)| *event).find(|event| event.is_end());
        if ended.is_some() || now >= deadline {
            let got = ended.map_or(NOTHING, AppEvent::word).to_owned();
            self.peer_violates(ViolationKind::App, &format!("the peer to learn: {}", event.word()), got);
        }
        false
    }

    fn peer_violates(&mut self, kind: ViolationKind, expected: &str, got: String) {
        self.emit(CaseEventKind::PeerApp { line: got.clone() });
        let violation = self.violation(kind, expected, Some(got));
        self.end_violated(violation);
    }
}

/// After this no octet comes any more.
fn ends(event: AppEvent) -> bool {
    event.is_end() || matches!(event, AppEvent::Eof | AppEvent::Closed)
}
