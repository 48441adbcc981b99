//! The reference stack as a host on a real wire, in real time: one task that owns its end of the wire.
#![allow(clippy::disallowed_methods, reason = "a host on a real wire has a clock")]

use super::ReferenceTarget;
use crate::engine::AppCall;
use crate::target::profile::Net;
use crate::target::{Reply, Target};
use crate::time::Time;
use crate::wire::{Received, Wire, WireError};
use std::time::Instant;
use tcpspec_reference::Mutant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The handle that a lane holds; dropping it switches the host off.
#[derive(Debug)]
pub struct ReferenceHost {
    commands: mpsc::UnboundedSender<Command>,
    replies: mpsc::UnboundedReceiver<Reply>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Command {
    Call(u32, AppCall),
    /// Boots afresh, and says when that is done.
    Reset(oneshot::Sender<()>),
}

impl ReferenceHost {
    pub fn start<W: Wire + 'static>(wire: W, net: Net, seed: u64, mutant: Option<Mutant>) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (outbox, replies) = mpsc::unbounded_channel();
        let host = Host { wire, net, seed, mutant, boots: 0, start: Instant::now(), inbox, outbox };
        Self { commands, replies, task: tokio::spawn(host.run()) }
    }
}

impl Drop for ReferenceHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Target for ReferenceHost {
    fn call(&mut self, call: u32, what: &AppCall) {
        // A host that is gone says so itself, in `reply`.
        let _gone = self.commands.send(Command::Call(call, what.clone()));
    }

    async fn reply(&mut self) -> Reply {
        let gone = || Reply::Died { how: "the reference host stopped".to_owned() };
        self.replies.recv().await.unwrap_or_else(gone)
    }

    async fn reset(&mut self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Reset(done)).is_ok() {
            // Answered unless the host is gone, which the next reply will say.
            let _gone = wait.await;
        }
        while self.replies.try_recv().is_ok() {}
    }
}

struct Host<W> {
    wire: W,
    net: Net,
    seed: u64,
    mutant: Option<Mutant>,
    boots: u64,
    start: Instant,
    inbox: mpsc::UnboundedReceiver<Command>,
    outbox: mpsc::UnboundedSender<Reply>,
}

enum Wake {
    Packet(Result<Received, WireError>),
    Command(Option<Command>),
    Timer,
}

impl<W: Wire> Host<W> {
    async fn run(mut self) {
        let mut target = self.boot();
        loop {
            let timer = target.poll_timeout().map(|at| self.start + at.since_start());
            let wake = tokio::select! {
                biased;
                packet = self.wire.recv() => Wake::Packet(packet),
                command = self.inbox.recv() => Wake::Command(command),
                () = until(timer) => Wake::Timer,
            };
            match wake {
                Wake::Packet(Ok(Received { packet, .. })) => target.handle_packet(self.now(), &packet),
                Wake::Command(Some(Command::Call(call, what))) => target.call(self.now(), call, &what),
                Wake::Command(Some(Command::Reset(done))) => {
                    target = self.boot();
                    // Nobody waits any more: the lane is gone.
                    let _gone = done.send(());
                }
                Wake::Timer => {}
                Wake::Packet(Err(_)) | Wake::Command(None) => return,
            }
            if self.drain(&mut target).await.is_none() {
                return;
            }
        }
    }

    fn boot(&mut self) -> ReferenceTarget {
        self.boots += 1;
        ReferenceTarget::new(
            &self.net,
            &super::profile().abilities,
            self.seed.wrapping_add(self.boots),
            self.mutant,
        )
    }

    /// `None` where nobody listens any more.
    async fn drain(&mut self, target: &mut ReferenceTarget) -> Option<()> {
        while let Some(packet) = target.poll_transmit(self.now()) {
            self.wire.send(&packet).await.ok()?;
        }
        while let Some(reply) = target.poll_reply() {
            self.outbox.send(reply).ok()?;
        }
        Some(())
    }

    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
