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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tcpspec_reference::Mutant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The handle that a lane holds; dropping it switches the host off.
#[derive(Debug)]
pub struct ReferenceHost {
    commands: mpsc::UnboundedSender<Command>,
    replies: mpsc::UnboundedReceiver<Reply>,
    lag: Arc<Mutex<Lag>>,
    task: JoinHandle<()>,
}

/// How late the host is with its work: it shares its threads with many others, who may all want to go first.
#[derive(Debug, Default)]
struct Lag {
    /// When its timer is to go off, which it may have missed.
    due: Option<Instant>,
    /// The most since this was asked last.
    most: Duration,
}

impl Lag {
    fn take(&mut self, now: Instant) -> Duration {
        let missed = self.due.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        std::mem::take(&mut self.most).max(missed)
    }

    /// Only now something is done that was to be done at `due`.
    fn note(&mut self, due: Instant, now: Instant) {
        self.most = self.most.max(now.saturating_duration_since(due));
    }
}

fn locked(lag: &Mutex<Lag>) -> std::sync::MutexGuard<'_, Lag> {
    lag.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
enum Command {
    Call(u32, AppCall),
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
        let lag = Arc::<Mutex<Lag>>::default();
        let (start, its) = (Instant::now(), Arc::clone(&lag));
        let host = Host { wire, net, abilities, seed, mutant, start, inbox, outbox, lag: its };
        Self { commands, replies, lag, task: tokio::spawn(host.run()) }
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
        let _gone = self.commands.send(Command::Call(call, what.clone()));
    }

    async fn reply(&mut self) -> Reply {
        let gone = || Reply::Died { how: "the reference host stopped".to_owned() };
        self.replies.recv().await.unwrap_or_else(gone)
    }

    fn waited(&mut self) -> Option<Duration> {
        Some(locked(&self.lag).take(Instant::now()))
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
    lag: Arc<Mutex<Lag>>,
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
            locked(&self.lag).due = timer;
            let wake = tokio::select! {
                biased;
                packet = self.wire.recv() => Wake::Packet(packet),
                command = self.inbox.recv() => Wake::Command(command),
                () = until(timer) => Wake::Timer,
            };
            self.note_lag(&wake, timer);
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
                Wake::Command(Some(Command::Call(call, what))) => target.call(self.now(), call, &what),
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
        }
    }

    fn note_lag(&self, wake: &Wake, timer: Option<Instant>) {
        let came = match wake {
            Wake::Packet(Ok(Received { at, .. })) => Some(*at),
            Wake::Packet(Err(_)) | Wake::Command(_) | Wake::Timer => None,
        };
        let (mut lag, now) = (locked(&self.lag), Instant::now());
        came.into_iter().chain(timer).for_each(|due| lag.note(due, now));
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
