//! A program that is started to connect: the active open of a target that takes no orders.

use super::child::{Heard, Order, Place, Running};
use crate::engine::AppOutcome;
use crate::suite::text::fill;
use crate::target::Reply;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;

/// The one connection that such a target ever has.
const CONN: u32 = 1;

type Started = io::Result<(Running, ChildStdin, ChildStdout)>;

/// What starts it, and what of it runs.
#[derive(Debug)]
pub struct Client {
    /// With `{peer.ip}` and `{peer.port}` left to fill in.
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    directory: PathBuf,
    place: Place,
    /// The target's end of the wire, where the client itself is the TCP.
    fd: Option<OwnedFd>,
    tell: mpsc::UnboundedSender<(u32, Started)>,
    started: mpsc::UnboundedReceiver<(u32, Started)>,
    running: Option<(Running, ChildStdin)>,
}

impl Client {
    pub fn new(
        argv: Vec<String>,
        env: BTreeMap<String, String>,
        directory: PathBuf,
        place: Place,
        fd: Option<OwnedFd>,
    ) -> Self {
        let (tell, started) = mpsc::unbounded_channel();
        Self { argv, env, directory, place, fd, tell, started, running: None }
    }

    pub(super) fn start(&mut self, call: u32, to: SocketAddr) {
        let value = |name: &str| match name {
            "peer.ip" => Some(to.ip().to_string()),
            "peer.port" => Some(to.port().to_string()),
            _ => None,
        };
        let argv = self.argv.iter().map(|word| fill(word, &value)).collect();
        let (env, directory, place) = (self.env.clone(), self.directory.clone(), self.place.clone());
        let fd = self.fd.as_ref().map(OwnedFd::try_clone).transpose();
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let started = match fd {
                Ok(fd) => Order { argv, env, directory, fd }.start(&place).await,
                Err(e) => Err(e),
            };
            // Nobody waits any more: what was started ends with the message.
            let _late = tell.send((call, started));
        });
    }

    /// Waits until it has started, or failed. Cancel-safe.
    pub(super) async fn reply(&mut self, heard: &Heard) -> Reply {
        loop {
            let running = self.running.as_mut().map(|(running, _)| running);
            let ended = async {
                match running {
                    Some(running) => running.wait().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                started = self.started.recv() => match started {
                    Some((call, Ok((running, stdin, stdout)))) => {
                        tokio::spawn(heard.clone().listen(stdout));
                        self.running = Some((running, stdin));
                        return Reply::Answer { call, outcome: AppOutcome::Connection(CONN) };
                    }
                    Some((call, Err(e))) => {
                        let program = self.argv.first().map_or("", String::as_str);
                        let why = format!("cannot start `{program}`: {e}");
                        return Reply::Answer { call, outcome: AppOutcome::Failed(why) };
                    }
                    None => return std::future::pending().await,
                },
                status = ended => {
                    let Some((running, _)) = self.running.take() else { continue };
                    heard.add(running.heard().since(0).as_bytes());
                    let how = running.last_words(status);
                    tokio::spawn(running.stop());
                    // A client may be done; only what kills it is a crash.
                    if status.code().is_none() {
                        return Reply::Died { how };
                    }
                }
            }
        }
    }

    /// The number of the process that runs, if one does.
    pub(super) fn id(&self) -> Option<i32> {
        self.running.as_ref().map(|(running, _)| running.id())
    }

    pub(super) async fn stop(&mut self) {
        if let Some((running, _)) = self.running.take() {
            running.stop().await;
        }
    }
}
