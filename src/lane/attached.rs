//! Lanes for programs: each has a wire and a program of its own, fresh for every case unless its manifest says otherwise.
//!
//! Owns how a program is brought up: built, started, ready. Cases cannot tell what the wire is made of.

mod bring_up;
#[cfg(target_os = "linux")]
mod device;
mod doctor;
mod probe;
mod smoke;

pub use doctor::Learned;
pub use smoke::Found;

use super::real::RealLane;
use super::{Lane, LaneMaker, Progress, SetupError};
use crate::engine::{Exec, Input, InputKind, Outcome, replay, verdict};
use crate::event::Try;
use crate::packet::{Body, Flags, Ip, Packet, SeqNum, Tcp};
use crate::plan::Plan;
use crate::target::Target;
use crate::target::manifest::{App, Lifetime, Link, Manifest};
use crate::target::process::ProcessTarget;
use crate::time::Time;
#[cfg(target_os = "linux")]
use crate::wire::af_packet::AfPacketWire;
use crate::wire::fd::FdWire;
use crate::wire::udp::UdpWire;
use crate::wire::{Received, Wire, WireError};
use bring_up::{BringUp, Trouble};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Lanes take their ports from different places, so that traces of a run do not all look alike.
const PORT_STEP: u16 = 251;

/// How long a target may take to answer a SYN between two cases.
const LIVENESS_PATIENCE: Duration = Duration::from_secs(1);

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

    fn try_recv(&mut self) -> Option<Result<Received, WireError>> {
        match self {
            Self::Fd(wire) => wire.try_recv(),
            Self::Udp(wire) => wire.try_recv(),
            #[cfg(target_os = "linux")]
            Self::Packet(wire) => wire.try_recv(),
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

    /// Whether the manifest says how the program is built.
    #[must_use]
    pub fn has_build(&self) -> bool {
        !self.up.manifest.program.build.is_empty()
    }

    /// Builds the program, where its manifest says how.
    ///
    /// # Errors
    /// With the last lines of what the build said.
    pub async fn build(&self, log: Option<&Path>) -> Result<(), SetupError> {
        self.up.build(log).await
    }

    /// Brings the target up once, and finds out what its handshake shows: before any verdict.
    ///
    /// # Errors
    /// With where it stopped and what to try.
    pub async fn smoke(&self) -> Result<Found, SetupError> {
        // With a lab of its own, for it lives no longer than the runtime that this is called in.
        smoke::smoke(&BringUp::new(self.up.manifest.clone(), self.up.link.clone())).await
    }

    /// Whether its wire is a network device, for which namespaces are made.
    pub fn needs_device(&self) -> bool {
        self.up.link.kind.is_device()
    }

    /// Finds out what the target can do and how fast it is.
    ///
    /// # Errors
    /// Where it cannot be brought up.
    pub async fn examine(&self) -> Result<Learned, SetupError> {
        doctor::examine(&self.up).await
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
        Ok(AttachedLane { up: Arc::clone(&self.up), start, live: None, progress: Arc::default() })
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
    progress: Arc<Progress>,
}

impl Lane for AttachedLane {
    fn tell(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
    }

    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        let mut live = match self.live.take() {
            Some(live) if live.lane.target().is_alive() => live,
            Some(_) | None => match self.bring_up().await {
                Ok(live) => live,
                Err(trouble) => return without_target(plan, trouble),
            },
        };
        let mark = live.lane.target().heard().mark();
        live.lane.tell(Arc::clone(&self.progress));
        let mut tried = live.lane.run(plan).await;
        let lost = self.after(&mut live, &tried).await;
        let is_lost = lost.is_some();
        if let Some(what) = lost {
            let waited = live.lane.parts().1.waited().map(|waited| kept(waited, tried.verdict.took));
            tried = worsened(plan, tried, waited.into_iter().chain([what]));
        }
        if !matches!(tried.verdict.outcome, Outcome::Pass | Outcome::Unsupported) {
            tried.output = bounded(live.lane.target().heard().since(mark));
        }
        if !is_lost && live.lane.target().is_alive() {
            self.live = Some(live);
        } else {
            live.lane.parts().1.stop().await;
        }
        tried
    }
}

impl AttachedLane {
    async fn bring_up(&mut self) -> Result<Live, Trouble> {
        let up = match self.up.bring_up().await {
            // It was ready before: once more, for our machine may be busy.
            Err(Trouble::NotReady(..) | Trouble::Kept(..)) => self.up.bring_up().await?,
            other => other?,
        };
        let mut lane = RealLane::new(up.wire, up.target, self.start);
        lane.forget(up.probed);
        Ok(Live { lane, _world: up.world })
    }

    /// A target that goes on to the next case: hangs up, and shows that it lives.
    async fn after(&self, live: &mut Live, tried: &Try) -> Option<InputKind> {
        let program = &self.up.manifest.program;
        if program.lifetime == Lifetime::Case || tried.verdict.outcome == Outcome::Error {
            return None;
        }
        if let Some(how) = live.lane.parts().1.hung() {
            return Some(InputKind::TargetHung { how });
        }
        if !live.lane.target().is_alive() {
            let died = |input: &Input| matches!(input.what, InputKind::TargetDied { .. });
            let how = "its process, or one beside it, ended when the case was over".to_owned();
            return (!tried.inputs.iter().any(died)).then_some(InputKind::TargetDied { how });
        }
        if !matches!(program.app, App::Echo | App::Sink) {
            return None;
        }
        let timing = &self.up.manifest.profile.timing;
        let patience = LIVENESS_PATIENCE.max(timing.reply.mul_f64(timing.scale.max(0.01)));
        let mut probe = self.up.probe();
        live.lane.forget([probe.port()]);
        let port = self.up.manifest.profile.net.port;
        let (wire, _) = live.lane.parts();
        let answer = async {
            for farewell in farewells(tried) {
                wire.send(&farewell).await?;
            }
            let answer = probe.syn(wire, patience).await?;
            probe.reset(wire).await?;
            Ok::<_, WireError>(answer)
        };
        let how = match answer.await {
            Ok(Some(answer)) if answer.has(Flags::SYN | Flags::ACK) => return None,
            Ok(Some(answer)) => {
                format!("after the case a SYN to port {port} is answered with {}", answer.flags())
            }
            Ok(None) => {
                format!(
                    "after the case a SYN to port {port} was not answered within {}",
                    crate::time::span(patience)
                )
            }
            Err(e) if e.is_gone() => return Some(InputKind::TargetDied { how: e.cause }),
            Err(e) => return Some(InputKind::Broken { how: e.to_string() }),
        };
        Some(InputKind::TargetHung { how })
    }
}

/// A RST for every connection that a case may have left open, with the number that the target expects.
fn farewells(tried: &Try) -> Vec<Vec<u8>> {
    let mut last = BTreeMap::new();
    for input in &tried.inputs {
        let InputKind::Frame { octets } = &input.what else { continue };
        let packet = Packet::parse_ip(octets);
        if let (Some(tcp), Some((target, peer))) =
            (packet.tcp().filter(|tcp| tcp.has(Flags::ACK)), packet.ends())
        {
            last.insert((tcp.dport(), tcp.sport()), (peer, target, tcp.ack()));
        }
    }
    let rst = |((own, port), (peer, target, number)): ((u16, u16), (IpAddr, IpAddr, SeqNum))| {
        let tcp = Tcp { sport: Some(own), dport: Some(port), seq: Some(number), ..Tcp::with(Flags::RST) };
        Some(Packet::of(Ip::between(peer, target)?, Body::Tcp(tcp)).build())
    };
    last.into_iter().filter_map(rst).collect()
}

/// A target that was kept from a processor, within a time that is over.
fn kept(waited: Duration, over: Duration) -> InputKind {
    let [for_ns, over_ns] = [waited, over].map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    InputKind::Waited { for_ns, over_ns }
}

/// The try, with what was found out after its end.
fn worsened(plan: &Arc<Plan>, mut tried: Try, what: impl IntoIterator<Item = InputKind>) -> Try {
    let at = tried.inputs.last().map_or(Time::ZERO, |input| input.at);
    tried.inputs.extend(what.into_iter().map(|what| Input { at, what }));
    let plan = Arc::new(plan.on(tried.tuple.unwrap_or(plan.tuple)));
    (tried.events, tried.verdict) = replay(&plan, &tried.inputs);
    tried
}

fn bounded(output: String) -> String {
    const OCTETS_MAX: usize = 4096;
    let surplus = output.len().saturating_sub(OCTETS_MAX);
    match output.char_indices().map(|(at, _)| at).find(|at| *at >= surplus) {
        Some(from) => output[from..].to_owned(),
        None => output,
    }
}

/// A case that never began, for want of a target.
fn without_target(plan: &Arc<Plan>, trouble: Trouble) -> Try {
    let mut exec = Exec::new(Arc::clone(plan));
    let waited = match &trouble {
        Trouble::Kept(.., waited) => Some(kept(*waited, *waited)),
        _ => None,
    };
    let what = match trouble {
        Trouble::Setup(error) => InputKind::Broken { how: error.to_string() },
        Trouble::NotReady(_, how) | Trouble::Kept(_, how, _) => InputKind::TargetHung { how },
        Trouble::Died(how) => InputKind::TargetDied { how },
        Trouble::Unsupported(why) => InputKind::Absent { why },
    };
    let inputs: Vec<Input> =
        waited.into_iter().chain([what]).map(|what| Input { at: Time::ZERO, what }).collect();
    inputs.iter().for_each(|input| exec.handle(input));
    let events = exec.into_events();
    let verdict = verdict(plan, &events);
    Try { tuple: None, inputs, verdict, output: String::new(), events }
}
