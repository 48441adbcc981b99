//! Lanes over veth: each a namespace of its own with its target in it, made once and reused.

use super::real::RealLane;
use super::{Lane, LaneMaker, SetupError};
use crate::event::Try;
use crate::lab::{Lab, Options, Pair};
use crate::plan::Plan;
use crate::target::kernel::{self, KernelTarget};
use crate::target::profile::{Net, Profile};
use crate::wire::af_packet::AfPacketWire;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::sync::OnceCell;

/// Lanes with the Linux kernel as the target.
#[derive(Debug, Default)]
pub struct KernelMaker {
    net: Net,
    /// What all lanes share, made with the first of them.
    lab: OnceCell<Lab>,
    made: AtomicU16,
}

/// Lanes take their ports from different places, so that traces of a run do not all look alike.
const PORT_STEP: u16 = 251;

impl KernelMaker {
    pub fn new(net: Net) -> Self {
        Self { net, ..Self::default() }
    }

    async fn pair(&self) -> Result<(Pair, AfPacketWire), SetupError> {
        self.lab.get_or_try_init(Lab::new).await?.pair(&self.net, &Options::default()).await
    }

    /// What this kernel can do in a namespace like those of the lanes.
    pub async fn profile(&self) -> Result<Profile, SetupError> {
        let (pair, _wire) = self.pair().await?;
        kernel::profile(pair.target().as_fd(), &self.net)
    }
}

impl LaneMaker for KernelMaker {
    type Lane = KernelLane;

    fn wire(&self) -> &'static str {
        "veth"
    }

    async fn make(&self) -> Result<KernelLane, SetupError> {
        let (pair, wire) = self.pair().await?;
        let target = KernelTarget::new(pair.target().as_fd(), &self.net)?;
        let start = self.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(PORT_STEP);
        Ok(KernelLane { lane: RealLane::new(wire, target, start), _pair: pair })
    }
}

pub struct KernelLane {
    lane: RealLane<AfPacketWire, KernelTarget>,
    /// Keeps the namespace and the wire.
    _pair: Pair,
}

impl Lane for KernelLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        self.lane.run(plan).await
    }
}
