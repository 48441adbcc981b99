//! The reference stack as a host on a real wire, in real time: one task that owns its end of the wire.
#![allow(clippy::disallowed_methods, reason = "a host on a real wire has a clock")]

use super::ReferenceTarget;
use crate::engine::AppCall;
use crate::plan::Plan;
use crate::target::profile::Net;
use crate::target::{Reply, Target};
use crate::time::Time;
use crate::wire::{Received, Wire, WireError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tcpspec_reference::Mutant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The handle that a lane holds; dropping it switches the host off.
#[derive(Debug)]
pub struct ReferenceHost {
    commands: mpsc::UnboundedSender<Command>,
    replies: mpsc::UnboundedReceiver<Reply>,
    /// For how long, in nanoseconds, it had something to do and did not.
    waited_ns: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Command {
    /// With the moment at which it was made.
    Call(u32, AppCall, Instant),
    /// Boots afresh, so or with the next seed, and says when that is done.
    Boot(Option<Fresh>, oneshot::Sender<()>),
}

/// What a host is like that boots for a case.
#[derive(Debug)]
struct Fresh {
    abilities: BTreeSet<String>,
    seed: u64,
}

impl ReferenceHost {
    pub fn start<W: Wire + 'static>(wire: W, net: Net, seed: u64, mutant: Option<Mutant>) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (outbox, replies) = mpsc::unbounded_channel();
        let abilities = super::profile().abilities;
        let (start, waited_ns) = (Instant::now(), Arc::default());
        let waits = Waits { idle_since: start, waited_ns: Arc::clone(&waited_ns) };
        let host = Host { wire, net, abilities, seed, mutant, start, inbox, outbox, waits };
        Self { commands, replies, waited_ns, task: tokio::spawn(host.run()) }
    }

    /// Boots afresh for a case, as the plan says and in virtual time: with its abilities, and all that the host chooses at
    /// random follows from its seed. Afterwards nothing of before is heard.
    pub async fn boot(&mut self, plan: &Plan) {
        let abilities = plan.profile.abilities.clone();
        self.reboot(Some(Fresh { abilities, seed: ReferenceTarget::seed(plan) })).await;
    }

    async fn reboot(&mut self, fresh: Option<Fresh>) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Boot(fresh, done)).is_ok() {
            // Answered unless the host is gone, which the next reply will say.
            let _gone = wait.await;
        }
        while self.replies.try_recv().is_ok() {}
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
        let _gone = self.commands.send(Command::Call(call, what.clone(), Instant::now()));
    }

    async fn reply(&mut self) -> Reply {
        let gone = || Reply::Died { how: "the reference host stopped".to_owned() };
        self.replies.recv().await.unwrap_or_else(gone)
    }

    fn watch(&mut self) {
        self.waited_ns.store(0, Ordering::Relaxed);
    }

    fn waited(&mut self) -> Option<Duration> {
        Some(Duration::from_nanos(self.waited_ns.swap(0, Ordering::Relaxed)))
    }

    async fn reset(&mut self) {
        self.reboot(None).await;
    }
}

struct Host<W> {
    wire: W,
    net: Net,
    abilities: BTreeSet<String>,
    seed: u64,
    mutant: Option<Mutant>,
    start: Instant,
    inbox: mpsc::UnboundedReceiver<Command>,
    outbox: mpsc::UnboundedSender<Reply>,
    waits: Waits,
}

/// How long it has waited for a processor, as the kernel counts for a program: the time in which there was something to do.
struct Waits {
    /// When it had done all that it knew of.
    idle_since: Instant,
    waited_ns: Arc<AtomicU64>,
}

impl Waits {
    /// What could have been done at `due` is begun now. What waited beside it is not counted twice.
    fn over(&self, due: Instant) {
        let waited = due.max(self.idle_since).elapsed();
        let waited_ns = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(waited_ns, Ordering::Relaxed);
    }
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
            match &wake {
                Wake::Packet(Ok(Received { at, .. })) | Wake::Command(Some(Command::Call(_, _, at))) => {
                    self.waits.over(*at);
                }
                Wake::Timer => timer.into_iter().for_each(|at| self.waits.over(at)),
                Wake::Packet(Err(_)) | Wake::Command(_) => {}
            }
            if let Wake::Command(_) = wake {
                // What was sent before a call arrived before it, also where the runtime has not heard of it yet.
                while let Some(packet) = self.wire.try_recv() {
                    let Ok(Received { packet, .. }) = packet else { return };
                    target.handle_packet(self.now(), &packet);
                    if self.drain(&mut target).await.is_none() {
                        return;
                    }
                }
            }
            match wake {
                Wake::Packet(Ok(Received { packet, .. })) => target.handle_packet(self.now(), &packet),
                Wake::Command(Some(Command::Call(call, what, _))) => target.call(self.now(), call, &what),
                Wake::Command(Some(Command::Boot(fresh, done))) => {
                    match fresh {
                        Some(Fresh { abilities, seed }) => (self.abilities, self.seed) = (abilities, seed),
                        None => self.seed = self.seed.wrapping_add(1),
                    }
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
            self.waits.idle_since = Instant::now();
        }
    }

    fn boot(&self) -> ReferenceTarget {
        ReferenceTarget::new(&self.net, &self.abilities, self.seed, self.mutant)
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
