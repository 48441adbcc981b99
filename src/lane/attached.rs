//! Lanes for programs: each has a wire and a program of its own, fresh for every case unless its manifest says otherwise.
//!
//! Owns how a program is brought up: built, started, ready. Cases cannot tell what the wire is made of.

mod bring_up;
#[cfg(target_os = "linux")]
mod device;
mod probe;
mod smoke;

pub use smoke::Found;

use super::real::RealLane;
use super::{Lane, LaneMaker, SetupError};
use crate::engine::{CaseEventKind, Exec, Input, InputKind, verdict};
use crate::event::Try;
use crate::plan::Plan;
use crate::target::manifest::{Link, Manifest};
use crate::target::process::ProcessTarget;
use crate::time::Time;
#[cfg(target_os = "linux")]
use crate::wire::af_packet::AfPacketWire;
use crate::wire::fd::{FdWire, UdpWire};
use crate::wire::{Received, Wire, WireError};
use bring_up::{BringUp, Trouble};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

/// Lanes take their ports from different places, so that traces of a run do not all look alike.
const PORT_STEP: u16 = 251;

/// Any wire that a program can be attached to.
#[derive(Debug)]
pub enum AnyWire {
    Fd(FdWire),
    Udp(UdpWire),
    #[cfg(target_os = "linux")]
    Packet(Box<AfPacketWire>),
}

impl Wire for AnyWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        match self {
            Self::Fd(wire) => wire.recv().await,
            Self::Udp(wire) => wire.recv().await,
            #[cfg(target_os = "linux")]
            Self::Packet(wire) => wire.recv().await,
        }
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        match self {
            Self::Fd(wire) => wire.send(packet).await,
            Self::Udp(wire) => wire.send(packet).await,
            #[cfg(target_os = "linux")]
            Self::Packet(wire) => wire.send(packet).await,
        }
    }

    fn lost(&mut self) -> u64 {
        match self {
            Self::Fd(wire) => wire.lost(),
            Self::Udp(wire) => wire.lost(),
            #[cfg(target_os = "linux")]
            Self::Packet(wire) => wire.lost(),
        }
    }
}

/// Makes lanes for one manifest over one of its links.
#[derive(Debug)]
pub struct AttachedMaker {
    up: Arc<BringUp>,
    made: AtomicU16,
}

impl AttachedMaker {
    pub fn new(manifest: Manifest, link: Link) -> Self {
        Self { up: Arc::new(BringUp::new(manifest, link)), made: AtomicU16::new(0) }
    }

    /// Builds the program, where its manifest says how.
    ///
    /// # Errors
    /// With the last lines of what the build said.
    pub async fn build(&self) -> Result<(), SetupError> {
        self.up.build().await
    }

    /// Brings the target up once, and finds out what its handshake shows: before any verdict.
    ///
    /// # Errors
    /// With where it stopped and what to try.
    pub async fn smoke(&self) -> Result<Found, SetupError> {
        // With a lab of its own, for it lives no longer than the runtime that this is called in.
        smoke::smoke(&BringUp::new(self.up.manifest.clone(), self.up.link.clone())).await
    }

    /// The abilities that the handshake adds to what the manifest says.
    pub fn adds(&self, found: &Found) -> Vec<String> {
        let Manifest { states_abilities, lacks, .. } = &self.up.manifest;
        if *states_abilities {
            return Vec::new();
        }
        let shown = found.abilities.iter().filter(|ability| !lacks.iter().any(|lacked| lacked == *ability));
        shown.map(|ability| (*ability).to_owned()).collect()
    }
}

impl LaneMaker for AttachedMaker {
    type Lane = AttachedLane;

    fn wire(&self) -> &'static str {
        self.up.link.kind.word()
    }

    async fn make(&self) -> Result<AttachedLane, SetupError> {
        let start = self.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(PORT_STEP);
        Ok(AttachedLane { up: Arc::clone(&self.up), start, live: None })
    }
}

/// A target that is up: its wire, its program, and what keeps its namespace.
struct Live {
    lane: RealLane<AnyWire, ProcessTarget>,
    _world: bring_up::World,
}

pub struct AttachedLane {
    up: Arc<BringUp>,
    start: u16,
    live: Option<Live>,
}

impl Lane for AttachedLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        let mut live = match self.live.take() {
            Some(live) if live.lane.target().is_alive() => live,
            Some(_) | None => match self.up.bring_up().await {
                Ok(up) => Live { lane: RealLane::new(up.wire, up.target, self.start), _world: up.world },
                Err(trouble) => return without_target(plan, trouble),
            },
        };
        let tried = live.lane.run(plan).await;
        if live.lane.target().is_alive() {
            self.live = Some(live);
        }
        tried
    }
}

/// A case that never began, for want of a target.
fn without_target(plan: &Arc<Plan>, trouble: Trouble) -> Try {
    let mut exec = Exec::new(Arc::clone(plan));
    let mut inputs = Vec::new();
    let mut unsupported = None;
    let what = match trouble {
        Trouble::Setup(error) => InputKind::Broken { how: error.to_string() },
        Trouble::NotReady(why) => InputKind::Broken { how: why },
        Trouble::Died(how) => InputKind::TargetDied { how },
        Trouble::Unsupported(why) => {
            unsupported = Some(why.clone());
            InputKind::Stopped { why }
        }
    };
    let input = Input { at: Time::ZERO, what };
    exec.handle(&input);
    inputs.push(input);
    let mut events = exec.into_events();
    if let Some(why) = unsupported {
        for event in &mut events {
            if matches!(event.what, CaseEventKind::Broken { .. }) {
                event.what = CaseEventKind::Unsupported { why: why.clone() };
            }
        }
    }
    let verdict = verdict(plan, &events);
    Try { tuple: None, inputs, verdict, events }
}
