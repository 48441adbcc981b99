//! Any of the lanes that this build has, chosen at run time.

use super::attached::{AttachedLane, AttachedMaker};
use super::sim::{SimLane, SimMaker};
#[cfg(target_os = "linux")]
use super::veth::{KernelLane, KernelMaker, ReferenceLane, ReferenceMaker};
use super::{Lane, LaneMaker, Progress, SetupError};
use crate::event::Try;
use crate::plan::Plan;
use std::sync::Arc;

pub enum AnyMaker {
    Sim(SimMaker),
    Attached(Box<AttachedMaker>),
    #[cfg(target_os = "linux")]
    Kernel(KernelMaker),
    #[cfg(target_os = "linux")]
    Reference(ReferenceMaker),
}

pub enum AnyLane {
    Sim(SimLane),
    Attached(Box<AttachedLane>),
    #[cfg(target_os = "linux")]
    Kernel(Box<KernelLane>),
    #[cfg(target_os = "linux")]
    Reference(Box<ReferenceLane>),
}

impl LaneMaker for AnyMaker {
    type Lane = AnyLane;

    fn wire(&self) -> &'static str {
        match self {
            Self::Sim(maker) => maker.wire(),
            Self::Attached(maker) => maker.wire(),
            #[cfg(target_os = "linux")]
            Self::Kernel(maker) => maker.wire(),
            #[cfg(target_os = "linux")]
            Self::Reference(maker) => maker.wire(),
        }
    }

    async fn make(&self) -> Result<AnyLane, SetupError> {
        Ok(match self {
            Self::Sim(maker) => AnyLane::Sim(maker.make().await?),
            Self::Attached(maker) => AnyLane::Attached(Box::new(maker.make().await?)),
            #[cfg(target_os = "linux")]
            Self::Kernel(maker) => AnyLane::Kernel(Box::new(maker.make().await?)),
            #[cfg(target_os = "linux")]
            Self::Reference(maker) => AnyLane::Reference(Box::new(maker.make().await?)),
        })
    }
}

impl Lane for AnyLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        match self {
            Self::Sim(lane) => lane.run(plan).await,
            Self::Attached(lane) => lane.run(plan).await,
            #[cfg(target_os = "linux")]
            Self::Kernel(lane) => lane.run(plan).await,
            #[cfg(target_os = "linux")]
            Self::Reference(lane) => lane.run(plan).await,
        }
    }

    fn tell(&mut self, progress: Arc<Progress>) {
        match self {
            Self::Sim(lane) => lane.tell(progress),
            Self::Attached(lane) => lane.tell(progress),
            #[cfg(target_os = "linux")]
            Self::Kernel(lane) => lane.tell(progress),
            #[cfg(target_os = "linux")]
            Self::Reference(lane) => lane.tell(progress),
        }
    }
}
