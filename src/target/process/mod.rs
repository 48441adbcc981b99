//! A target that is a program: started for a case or a run, driven by the control protocol where it speaks it.
//!
//! Owns the program's stdin and stdout and what they mean. It must not know wires or cases.

mod beside;
mod child;
pub mod client;
pub mod control;
mod kin;
mod waits;

pub use beside::Beside;
pub use child::{Heard, Order, Place, Running, STARTING};
use client::Client;

use super::manifest::{App, Lifetime, Stdin};
use super::{Reply, Target};
use crate::engine::{AppCall, AppOutcome};
use control::{Answer, LINE_LEN_MAX, Said};
use futures_util::FutureExt;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use waits::Waits;

/// Lines that may wait to be looked at; beyond that the program waits.
const LINES_WAITING_MAX: usize = 256;
/// The number of calls that are the harness's own; those of a case count from 1 on the wire.
const OWN_CALL: u32 = 0;
/// How long a program may take to forget a case.
const RESET_PATIENCE: Duration = Duration::from_secs(1);
/// Between the end of a device and the end of the program whose it was.
const END_PATIENCE: Duration = Duration::from_millis(300);
/// What a program says that knows a command and not its subject, by convention of shells: not to be had here.
const EXIT_UNSUPPORTED: i32 = 127;

/// How a program is spoken to.
#[derive(Debug, Clone)]
pub struct Manner {
    pub app: App,
    pub stdin: Stdin,
    pub lifetime: Lifetime,
    /// It has a device of its own: that it goes away is its doing.
    pub has_device: bool,
}

pub struct ProcessTarget {
    manner: Manner,
    /// `None` after the end, and where only a client is ever started.
    running: Option<Running>,
    /// What connects, where that is a program of its own.
    client: Option<Client>,
    beside: Beside,
    heard: Heard,
    is_stopped: bool,
    /// Why the next case may not have it.
    hung: Option<String>,
    to_app: mpsc::UnboundedSender<String>,
    said: mpsc::Receiver<String>,
    is_mute: bool,
    /// The calls that wait for their answers, by their numbers on the wire.
    waiting: BTreeMap<u32, (u32, AppCall)>,
    accepts: VecDeque<u32>,
    accepted: VecDeque<(u32, SocketAddr)>,
    replies: VecDeque<Reply>,
    waits: Waits,
}

impl ProcessTarget {
    pub fn new(manner: Manner, running: Running, stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (to_app, lines) = mpsc::unbounded_channel();
        let (tell, said) = mpsc::channel(LINES_WAITING_MAX);
        let heard = running.heard().clone();
        match (&manner.stdin, manner.app) {
            (_, App::Control) => {
                tokio::spawn(write(stdin, lines));
                tokio::spawn(read_lines(stdout, tell));
            }
            (Stdin::Relay, _) => {
                tokio::spawn(relay(stdout, stdin));
            }
            (Stdin::Lines(first), _) => {
                first.iter().for_each(|line| drop(to_app.send(line.clone())));
                tokio::spawn(write(stdin, lines));
                tokio::spawn(heard.clone().listen(stdout));
            }
            (Stdin::Hold, _) => {
                tokio::spawn(write(stdin, lines));
                tokio::spawn(heard.clone().listen(stdout));
            }
        }
        Self { running: Some(running), heard, ..Self::empty(manner, to_app, said) }
    }

    /// A target of which nothing runs until it is to connect.
    pub fn client_only(manner: Manner, client: Client) -> Self {
        let (to_app, _) = mpsc::unbounded_channel();
        let (_, said) = mpsc::channel(1);
        Self { client: Some(client), ..Self::empty(manner, to_app, said) }
    }

    fn empty(manner: Manner, to_app: mpsc::UnboundedSender<String>, said: mpsc::Receiver<String>) -> Self {
        let is_mute = manner.app != App::Control;
        Self {
            manner,
            running: None,
            client: None,
            beside: Beside::default(),
            heard: Heard::default(),
            is_stopped: false,
            hung: None,
            to_app,
            said,
            is_mute,
            waiting: BTreeMap::new(),
            accepts: VecDeque::new(),
            accepted: VecDeque::new(),
            replies: VecDeque::new(),
            waits: Waits::default(),
        }
    }

    /// The program that is started to connect.
    #[must_use]
    pub fn with_client(self, client: Option<Client>) -> Self {
        Self { client, ..self }
    }

    /// The programs that run beside it.
    #[must_use]
    pub fn with_beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    pub fn is_alive(&self) -> bool {
        let is_gone = self.running.as_ref().is_some_and(|running| running.ended().is_some());
        !self.is_stopped && !is_gone && !self.beside.has_failed()
    }

    /// What its program has written, also after its end.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Why the next case may not have it: found out after the last one.
    pub fn hung(&mut self) -> Option<String> {
        self.hung.take()
    }

    /// Waits for the end of the program, or of one beside it that fails, and tells how it came; true where that says that it
    /// cannot run here.
    pub async fn ended(&mut self) -> (String, bool) {
        let Some(running) = &mut self.running else { return self.beside.failed(&self.heard).await };
        tokio::select! {
            biased;
            failed = self.beside.failed(&self.heard) => failed,
            status = running.wait() => (running.last_words(status), is_unsupported(status)),
        }
    }

    /// Asks whether the control channel works: any answer says so.
    ///
    /// # Errors
    /// What came instead.
    pub async fn hello(&mut self) -> Result<(), String> {
        self.own("hello").await.map(|_| ())
    }

    /// The answer to an earlier [`hello`](Self::hello) that was given up.
    ///
    /// # Errors
    /// What came instead.
    pub async fn heard_back(&mut self) -> Result<(), String> {
        self.own_answer().await.map(|_| ())
    }

    async fn own(&mut self, command: &str) -> Result<Answer, String> {
        let _gone = self.to_app.send(format!("{OWN_CALL} {command}"));
        self.own_answer().await
    }

    async fn own_answer(&mut self) -> Result<Answer, String> {
        while let Some(line) = self.said.recv().await {
            match control::parse(&line)? {
                Said::Answer { call: OWN_CALL, answer } => return Ok(answer),
                Said::Answer { .. } | Said::Accepted { .. } | Said::Event { .. } => {}
            }
        }
        // The end of the program is told by itself.
        std::future::pending().await
    }

    pub async fn stop(&mut self) {
        self.is_stopped = true;
        if let Some(client) = &mut self.client {
            client.stop().await;
        }
        let stop_program = async {
            if let Some(running) = self.running.take() {
                running.stop().await;
            }
        };
        futures_util::future::join(stop_program, self.beside.stop()).await;
    }

    /// How its program ended, where that is a failure. A server of one connection ends with it, and says so with 0.
    fn crashed(&self, running: &Running, status: ExitStatus) -> Option<String> {
        let one_shot = self.manner.app != App::Control && self.manner.lifetime == Lifetime::Case;
        (!(one_shot && status.success())).then(|| running.last_words(status))
    }

    fn said(&mut self, line: &str) {
        match control::parse(line) {
            Ok(Said::Answer { call: OWN_CALL, .. }) => {}
            Ok(Said::Answer { call: number, answer }) => self.answered(number, answer, line),
            Ok(Said::Accepted { conn, from }) => {
                self.accepted.push_back((conn, from));
                self.match_accepts();
            }
            Ok(Said::Event { conn, event }) => self.replies.push_back(Reply::Event { conn, event }),
            Err(why) => self.nonsense(&why),
        }
    }

    fn nonsense(&mut self, why: &str) {
        self.replies.push_back(Reply::Broken { how: format!("nonsense on the control channel: {why}") });
    }

    fn answered(&mut self, number: u32, answer: Answer, line: &str) {
        let Some((call, what)) = self.waiting.remove(&number) else {
            return self.nonsense(&format!("`{line}`: there is no call {number} that waits"));
        };
        let outcome = match answer {
            Answer::Unsupported => Some(AppOutcome::Unsupported),
            Answer::Error(why) => Some(AppOutcome::Failed(why)),
            Answer::Mismatch(at) => match what {
                AppCall::Recv { count, .. } => {
                    Some(AppOutcome::Received { count, mismatch: Some(at), eof: false })
                }
                _ => None,
            },
            Answer::Ok(words) => ok(&what, &words),
        };
        match outcome {
            Some(outcome) => self.replies.push_back(Reply::Answer { call, outcome }),
            None => self.nonsense(&format!("`{line}`: that is no answer to `{}`", shown(number, &what))),
        }
    }

    fn match_accepts(&mut self) {
        while !self.accepted.is_empty() {
            let Some(call) = self.accepts.pop_front() else { return };
            let Some((conn, from)) = self.accepted.pop_front() else { return };
            self.replies.push_back(Reply::Answer { call, outcome: AppOutcome::Accepted { conn, from } });
        }
    }

    /// An application that takes no orders can at most connect, by a program that does.
    fn unasked(&mut self, call: u32, what: &AppCall) {
        match (what, &mut self.client) {
            (AppCall::Connect { to, from: None }, Some(client)) => client.start(call, *to),
            _ => self.replies.push_back(Reply::Answer { call, outcome: AppOutcome::Unsupported }),
        }
    }
}

fn is_unsupported(status: ExitStatus) -> bool {
    status.code() == Some(EXIT_UNSUPPORTED)
}

fn shown(number: u32, what: &AppCall) -> String {
    control::command(number, what).unwrap_or_default()
}

/// What `ok` and the words behind it mean as the answer to a call.
fn ok(what: &AppCall, words: &[String]) -> Option<AppOutcome> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (what, words.as_slice()) {
        (AppCall::Connect { .. }, [conn]) => conn.parse().ok().map(AppOutcome::Connection),
        (AppCall::Recv { .. }, [count]) => {
            Some(AppOutcome::Received { count: count.parse().ok()?, mismatch: None, eof: false })
        }
        (AppCall::Recv { .. }, [count, "eof"]) => {
            Some(AppOutcome::Received { count: count.parse().ok()?, mismatch: None, eof: true })
        }
        (AppCall::Status { .. }, [state]) => Some(AppOutcome::State((*state).to_owned())),
        (AppCall::UrgentLeft { .. }, ["yes"]) => Some(AppOutcome::UrgentLeft(true)),
        (AppCall::UrgentLeft { .. }, ["no"]) => Some(AppOutcome::UrgentLeft(false)),
        (
            AppCall::Connect { .. }
            | AppCall::Recv { .. }
            | AppCall::Status { .. }
            | AppCall::UrgentLeft { .. },
            _,
        ) => None,
        (_, []) => Some(AppOutcome::Ok),
        _ => None,
    }
}

impl Target for ProcessTarget {
    fn call(&mut self, call: u32, what: &AppCall) {
        if self.manner.app != App::Control || matches!(what, AppCall::Linux { .. }) {
            self.unasked(call, what);
        } else if let Some(line) = control::command(call.saturating_add(1), what) {
            self.waiting.insert(call.saturating_add(1), (call, what.clone()));
            // A program that is gone says so itself, in `reply`.
            let _gone = self.to_app.send(line);
        } else {
            self.accepts.push_back(call);
            self.match_accepts();
        }
    }

    async fn reply(&mut self) -> Reply {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return reply;
            }
            let is_mute = self.is_mute;
            let client = self.client.as_mut();
            let Some(running) = &mut self.running else {
                return tokio::select! {
                    biased;
                    reply = client_reply(client, &self.heard) => reply,
                    (how, _) = self.beside.failed(&self.heard) => Reply::Died { how },
                };
            };
            let status = tokio::select! {
                biased;
                line = self.said.recv(), if !is_mute => {
                    match line {
                        Some(line) => self.said(&line),
                        None => self.is_mute = true,
                    }
                    continue;
                }
                reply = client_reply(client, &self.heard) => return reply,
                (how, _) = self.beside.failed(&self.heard) => {
                    self.is_stopped = true;
                    return Reply::Died { how };
                }
                status = running.wait() => status,
            };
            let Some(running) = self.running.take() else { continue };
            let how = self.crashed(&running, status);
            self.heard.add(format!("\n(its process has ended: {status})\n").as_bytes());
            // What it leaves is ended aside: this must not wait, for nobody may ask again.
            tokio::spawn(running.stop());
            self.is_stopped = true;
            self.replies.extend(how.map(|how| Reply::Died { how }));
        }
    }

    async fn device_gone(&mut self, how: String) -> Option<Reply> {
        if !self.manner.has_device {
            return Some(Reply::Broken { how });
        }
        // A device ends with its program: which of the two was first is for the program's end to say.
        let ended = match &mut self.running {
            Some(running) => tokio::time::timeout(END_PATIENCE, running.wait()).await.ok(),
            None => return None,
        };
        match ended {
            Some(_) => match self.reply().now_or_never() {
                Some(died @ Reply::Died { .. }) => Some(died),
                Some(_) | None => None,
            },
            None => Some(Reply::Died { how: format!("{how}, and its program still runs") }),
        }
    }

    fn watch(&mut self) {
        let client = || self.client.as_ref().and_then(Client::id);
        if let Some(leader) = self.running.as_ref().map(Running::id).or_else(client) {
            self.waits.begin(leader);
        }
    }

    fn waited(&mut self) -> Option<Duration> {
        self.waits.look()
    }

    async fn reset(&mut self) {
        let keeps = self.manner.lifetime == Lifetime::Run && self.is_alive();
        if keeps && self.manner.app == App::Control {
            match tokio::time::timeout(RESET_PATIENCE, self.own("reset")).await {
                Ok(Ok(Answer::Ok(_) | Answer::Unsupported)) => {}
                Ok(Ok(other)) => {
                    self.hung = Some(format!("after the case it answered `reset` with {other:?}"));
                }
                Ok(Err(why)) => self.hung = Some(format!("after the case: {why}")),
                Err(_) => {
                    let span = crate::time::span(RESET_PATIENCE);
                    self.hung = Some(format!("after the case it did not answer `reset` within {span}"));
                }
            }
        }
        if !keeps || self.hung.is_some() {
            self.stop().await;
        }
        self.waiting.clear();
        self.accepts.clear();
        self.accepted.clear();
        self.replies.clear();
    }
}

async fn client_reply(client: Option<&mut Client>, heard: &Heard) -> Reply {
    match client {
        Some(client) => client.reply(heard).await,
        None => std::future::pending().await,
    }
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        // A program that does not read any more is judged by what it does.
        let _deaf = stdin.write_all(format!("{line}\n").as_bytes()).await;
    }
}

async fn relay(mut from: ChildStdout, mut to: ChildStdin) {
    let mut buffer = vec![0; 8192];
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        if to.write_all(buffer.get(..len).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}

/// Cuts what comes into lines. One that does not end is passed on as far as it may go, and found to be nonsense.
async fn read_lines(mut from: ChildStdout, to: mpsc::Sender<String>) {
    let mut buffer = vec![0; 8192];
    let mut line = Vec::new();
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        for octet in buffer.iter().take(len) {
            if *octet != b'\n' && line.len() < LINE_LEN_MAX {
                line.push(*octet);
                continue;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if to.send(text).await.is_err() {
                return;
            }
        }
    }
}
