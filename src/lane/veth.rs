//! Lanes over veth: each a namespace of its own with its target in it, made once and reused.
//!
//! The target is the kernel of the namespace, or the reference stack in its place: then the kernel is mute and a packet
//! socket on its end of the wire is the reference's.

use super::real::RealLane;
use super::{Lane, LaneMaker, Progress, SetupError};
use crate::event::Try;
use crate::lab::{self, Lab, Options, Pair, TARGET_DEVICE, tap};
use crate::plan::Plan;
use crate::target::kernel::{self, KernelTarget};
use crate::target::profile::{Net, Profile};
use crate::target::reference::host::ReferenceHost;
use crate::wire::af_packet::{AfPacketWire, Carries};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tcpspec_reference::Mutant;
use tokio::sync::OnceCell;

/// Lanes take their ports from different places, so that traces of a run do not all look alike.
const PORT_STEP: u16 = 251;

/// What the lanes of a run share.
#[derive(Debug, Default)]
struct Site {
    net: Net,
    /// Made with the first lane.
    lab: OnceCell<Lab>,
    made: AtomicU16,
}

impl Site {
    fn new(net: Net) -> Self {
        Self { net, ..Self::default() }
    }

    async fn pair(&self) -> Result<(Pair, AfPacketWire), SetupError> {
        self.lab.get_or_try_init(Lab::new).await?.pair(&self.net, &Options::default()).await
    }

    /// Where the next lane takes its ports from.
    fn start(&self) -> u16 {
        self.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(PORT_STEP)
    }
}

/// Lanes with the Linux kernel as the target.
#[derive(Debug, Default)]
pub struct KernelMaker {
    site: Site,
}

impl KernelMaker {
    pub fn new(net: Net) -> Self {
        Self { site: Site::new(net) }
    }

    /// What this kernel can do in a namespace like those of the lanes.
    pub async fn profile(&self) -> Result<Profile, SetupError> {
        let (pair, _wire) = self.site.pair().await?;
        kernel::profile(pair.target().as_fd(), &self.site.net)
    }
}

impl LaneMaker for KernelMaker {
    type Lane = KernelLane;

    fn wire(&self) -> &'static str {
        "veth"
    }

    async fn make(&self) -> Result<KernelLane, SetupError> {
        let (pair, wire) = self.site.pair().await?;
        let target = KernelTarget::new(pair.target().as_fd(), &self.site.net)?;
        Ok(KernelLane { lane: RealLane::new(wire, target, self.site.start()), pair })
    }
}

pub struct KernelLane {
    lane: RealLane<AfPacketWire, KernelTarget>,
    /// Keeps the namespace and the wire.
    pair: Pair,
}

impl KernelLane {
    /// The world around the target, for whoever wants to disturb it.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }
}

impl Lane for KernelLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        self.lane.run(plan).await
    }

    fn tell(&mut self, progress: Arc<Progress>) {
        self.lane.tell(progress);
    }
}

/// Lanes with the reference stack as the target, in real time.
#[derive(Debug)]
pub struct ReferenceMaker {
    site: Site,
    mutant: Option<Mutant>,
}

impl ReferenceMaker {
    /// `mutant` is the bug that it has.
    pub fn new(net: Net, mutant: Option<Mutant>) -> Self {
        Self { site: Site::new(net), mutant }
    }
}

impl LaneMaker for ReferenceMaker {
    type Lane = ReferenceLane;

    fn wire(&self) -> &'static str {
        "veth"
    }

    async fn make(&self) -> Result<ReferenceLane, SetupError> {
        let net = &self.site.net;
        let (pair, wire) = self.site.pair().await?;
        tap::mute(pair.target(), TARGET_DEVICE).await?;
        let socket = tap::open(pair.target(), TARGET_DEVICE, Carries::Frames).await?;
        let operation = "give the reference its end of the wire";
        let socket = socket.ok_or_else(|| lab::failed(operation, "the device is gone"))?;
        let far = AfPacketWire::of_target(socket, net, pair.target_mac());
        let far = far.map_err(|e| lab::failed(operation, e))?;
        let host = ReferenceHost::start(far, net.clone(), 0, self.mutant);
        Ok(ReferenceLane { lane: RealLane::new(wire, host, self.site.start()), _pair: pair })
    }
}

pub struct ReferenceLane {
    lane: RealLane<AfPacketWire, ReferenceHost>,
    /// Keeps the namespace and the wire.
    _pair: Pair,
}

impl Lane for ReferenceLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        // As in virtual time, so that a run can be repeated by its seed.
        self.lane.parts().1.boot(plan).await;
        self.lane.run(plan).await
    }

    fn tell(&mut self, progress: Arc<Progress>) {
        self.lane.tell(progress);
    }
}
