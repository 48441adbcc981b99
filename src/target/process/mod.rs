//! A target that is a program: started for a case or a run, driven by the control protocol where it speaks it.
//!
//! Owns the program's stdin and stdout and what they mean. It must not know wires or cases.

mod child;
pub mod control;

pub use child::{Heard, Order, Place, Running};

use super::manifest::{App, Lifetime, Stdin};
use super::{Reply, Target};
use crate::engine::{AppCall, AppOutcome};
use control::{Answer, LINE_LEN_MAX, Said};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;

/// Lines that may wait to be looked at; beyond that the program waits.
const LINES_WAITING_MAX: usize = 256;
/// The number of calls that are the harness's own; those of a case count from 1 on the wire.
const OWN_CALL: u32 = 0;
/// How long a program may take to forget a case.
const RESET_PATIENCE: Duration = Duration::from_secs(1);
/// What a program says that knows a command and not its subject, by convention of shells: not to be had here.
const EXIT_UNSUPPORTED: i32 = 127;

/// How a program is spoken to.
#[derive(Debug, Clone)]
pub struct Manner {
    pub app: App,
    pub stdin: Stdin,
    pub lifetime: Lifetime,
    /// Where an application that takes no orders listens.
    pub port: u16,
    /// Whose connections it accepts.
    pub peer: SocketAddr,
}

pub struct ProcessTarget {
    manner: Manner,
    /// `None` after the end.
    running: Option<Running>,
    to_app: mpsc::UnboundedSender<String>,
    said: mpsc::Receiver<String>,
    is_mute: bool,
    /// The calls that wait for their answers, by their numbers on the wire.
    waiting: BTreeMap<u32, (u32, AppCall)>,
    accepts: VecDeque<u32>,
    accepted: VecDeque<(u32, SocketAddr)>,
    replies: VecDeque<Reply>,
}

impl ProcessTarget {
    pub fn new(manner: Manner, running: Running, stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (to_app, lines) = mpsc::unbounded_channel();
        let (tell, said) = mpsc::channel(LINES_WAITING_MAX);
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
                tokio::spawn(running.heard().clone().listen(stdout));
            }
            (Stdin::Hold, _) => {
                tokio::spawn(write(stdin, lines));
                tokio::spawn(running.heard().clone().listen(stdout));
            }
        }
        let is_mute = manner.app != App::Control;
        Self {
            manner,
            running: Some(running),
            to_app,
            said,
            is_mute,
            waiting: BTreeMap::new(),
            accepts: VecDeque::new(),
            accepted: VecDeque::new(),
            replies: VecDeque::new(),
        }
    }

    pub fn is_alive(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.ended().is_none())
    }

    pub fn heard(&self) -> Option<&Heard> {
        self.running.as_ref().map(Running::heard)
    }

    /// Waits for the end of the program, and tells how it came; true where it says that it cannot run here.
    pub async fn ended(&mut self) -> (String, bool) {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let status = running.wait().await;
        (running.last_words(status), is_unsupported(status))
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
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
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

    /// What an application does that takes no orders.
    fn unasked(&self, what: &AppCall) -> AppOutcome {
        match what {
            AppCall::Listen { port } if *port == self.manner.port && self.manner.app != App::None => {
                AppOutcome::Ok
            }
            // It accepts whoever comes; the wire has shown that the handshake was completed.
            AppCall::Accept { .. } => AppOutcome::Accepted { conn: 1, from: self.manner.peer },
            AppCall::Listen { .. }
            | AppCall::Unlisten { .. }
            | AppCall::Connect { .. }
            | AppCall::Send { .. }
            | AppCall::Recv { .. }
            | AppCall::Shutdown { .. }
            | AppCall::Close { .. }
            | AppCall::Abort { .. }
            | AppCall::Option { .. }
            | AppCall::Status { .. }
            | AppCall::Linux { .. } => AppOutcome::Unsupported,
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
        (AppCall::Connect { .. } | AppCall::Recv { .. } | AppCall::Status { .. }, _) => None,
        (_, []) => Some(AppOutcome::Ok),
        _ => None,
    }
}

impl Target for ProcessTarget {
    fn call(&mut self, call: u32, what: &AppCall) {
        if self.manner.app != App::Control || matches!(what, AppCall::Linux { .. }) {
            let outcome = self.unasked(what);
            self.replies.push_back(Reply::Answer { call, outcome });
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
            let Some(running) = &mut self.running else { return std::future::pending().await };
            tokio::select! {
                biased;
                line = self.said.recv(), if !is_mute => match line {
                    Some(line) => self.said(&line),
                    None => self.is_mute = true,
                },
                status = running.wait() => {
                    let how = running.last_words(status);
                    self.stop().await;
                    return Reply::Died { how };
                }
            }
        }
    }

    async fn reset(&mut self) {
        let keeps = self.manner.lifetime == Lifetime::Run && self.is_alive();
        let forgot = keeps
            && (self.manner.app != App::Control
                || matches!(
                    tokio::time::timeout(RESET_PATIENCE, self.own("reset")).await,
                    Ok(Ok(Answer::Ok(_)))
                ));
        if !forgot {
            self.stop().await;
        }
        self.waiting.clear();
        self.accepts.clear();
        self.accepted.clear();
        self.replies.clear();
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
