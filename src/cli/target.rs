//! `-t`, `--wire` and `--mutant`: what is tested, and over what.

mod attached;

pub(super) use attached::manifest;

use super::error::Failure;
use super::stream::Streams;
use crate::lane::any::AnyMaker;
use crate::lane::sim::SimMaker;
use crate::suite::select::Selection;
use crate::target::deviation::Deviation;
use crate::target::manifest::{InSoak, Manifest, Waiver};
use crate::target::profile::Profile;
use crate::target::reference;
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;
use tcpspec_reference::Mutant;

/// The name of the built-in target.
const REFERENCE: &str = "reference";
/// The kernel that this runs on.
const LINUX: &str = "linux";

/// The seed where none is given: a run says the same on every machine.
pub(super) const SEED: u64 = 42;

#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetArguments {
    /// What to test: `reference` is the built-in TCP, `linux` the kernel this runs on; a shipped target, or a manifest
    #[arg(short, long, value_name = "TARGET", default_value = REFERENCE)]
    target: String,
    /// What carries the packets: the one the target prefers, unless given
    #[arg(long, value_name = "WIRE", value_enum)]
    wire: Option<Wire>,
}

impl TargetArguments {
    /// As if `-t` had named it.
    pub(super) fn named(name: &str, wire: Option<Wire>) -> Self {
        Self { target: name.to_owned(), wire }
    }

    /// What `-t` says.
    pub(super) fn name(&self) -> &str {
        &self.target
    }

    /// As if nothing had been said.
    pub(super) fn reference() -> Self {
        Self { target: REFERENCE.to_owned(), wire: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Wire {
    Veth,
    Tap,
    Tun,
    Fd,
    Udp,
    Sim,
}

impl Wire {
    fn word(self) -> &'static str {
        match self {
            Self::Veth => "veth",
            Self::Tap => "tap",
            Self::Tun => "tun",
            Self::Fd => "fd",
            Self::Udp => "udp",
            Self::Sim => "sim",
        }
    }
}

/// A target that can be run.
pub(super) struct Target {
    /// As reports name it: `reference`, `reference+syn-not-counted`.
    pub(super) name: String,
    pub(super) wire: &'static str,
    pub(super) profile: Profile,
    pub(super) maker: AnyMaker,
    /// Cases that are not asked of it.
    pub(super) waivers: Vec<Waiver>,
    /// What is known of it on this wire.
    pub(super) deviations: Vec<Deviation>,
    /// What of that random traffic shows.
    pub(super) in_soak: Vec<InSoak>,
    /// Why it cannot be had here, where it says so itself.
    pub(super) absent: Option<String>,
}

impl Target {
    /// True where time is virtual, so that no case is slow.
    pub(super) fn is_virtual(&self) -> bool {
        self.wire == Wire::Sim.word()
    }

    /// True where frames go through queues of the kernel that keep no order unless they are made to.
    pub(super) fn is_on_veth(&self) -> bool {
        self.wire == Wire::Veth.word()
    }

    /// How many lanes may be worth their while on a machine of so many processors. A program costs more than a kernel.
    pub(super) fn lanes_most(&self, cpus: NonZeroUsize) -> NonZeroUsize {
        const PROGRAMS: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
        // What more of them have to do at once makes them late, and is tried again.
        const NAMESPACES: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
        use crate::lab::limits::{FILES_OF_A_LANE, FILES_OF_A_PROGRAM, lanes_by_open_files};
        let (each, files) = match self.maker {
            AnyMaker::Attached(_) => (PROGRAMS, FILES_OF_A_PROGRAM),
            _ => (NAMESPACES, FILES_OF_A_LANE),
        };
        let files = NonZeroUsize::new(lanes_by_open_files(files)).unwrap_or(NonZeroUsize::MIN);
        each.saturating_mul(cpus).min(files)
    }
}

/// Finds the target, or says which there are. `mutant` breaks the reference on purpose.
pub(super) fn resolve(
    arguments: &TargetArguments,
    mutant: Option<Mutant>,
    streams: &Streams,
) -> Result<Target, Failure> {
    match arguments.target.as_str() {
        REFERENCE => reference(arguments, mutant),
        LINUX if mutant.is_some() => {
            Err(Failure::usage("only the reference can be broken on purpose").hint("leave out `-t linux`"))
        }
        LINUX => linux(arguments, streams),
        name => attached::resolve(name, arguments.wire, mutant, streams),
    }
}

#[cfg(not(target_os = "linux"))]
fn linux(_: &TargetArguments, _: &Streams) -> Result<Target, Failure> {
    Err(Failure::harness("this is not Linux"))
}

#[cfg(target_os = "linux")]
fn linux(arguments: &TargetArguments, streams: &Streams) -> Result<Target, Failure> {
    use crate::lane::veth::KernelMaker;
    use crate::target::profile::Net;
    if let Some(wire) = arguments.wire.filter(|wire| *wire != Wire::Veth) {
        return Err(no_wire(LINUX, wire, "veth"));
    }
    // Sockets say what the kernel does; its manifest, what is known of that.
    let manifest = manifest(LINUX, streams)?;
    // While there is one thread only: a normal user becomes root of namespaces of their own.
    crate::lab::user::obtain_privilege().map_err(|error| Failure::from(&error))?;
    let profile = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::harness(format!("cannot start a runtime: {error}")))?
        .block_on(KernelMaker::new(Net::default()).profile())
        .map_err(|error| Failure::from(&error))?;
    let maker = AnyMaker::Kernel(KernelMaker::new(profile.net.clone()));
    Ok(Target {
        name: LINUX.to_owned(),
        wire: Wire::Veth.word(),
        profile,
        maker,
        waivers: manifest.waivers,
        deviations: on(manifest.deviations, Wire::Veth.word()),
        in_soak: manifest.in_soak,
        absent: None,
    })
}

fn no_wire(target: &str, wire: Wire, has: &str) -> Failure {
    Failure::usage(format!("the target `{target}` has no wire `{}`", wire.word()))
        .hint(format!("wires of `{target}`: {has}"))
}

fn reference(arguments: &TargetArguments, mutant: Option<Mutant>) -> Result<Target, Failure> {
    built_in(reference::profile(), arguments.wire, mutant, Known::default())
}

/// The reference with other abilities than its own.
fn variant(manifest: Manifest, wire: Option<Wire>, mutant: Option<Mutant>) -> Result<Target, Failure> {
    let Manifest { waivers, deviations, in_soak, .. } = manifest;
    let known = Known { waivers, deviations, in_soak };
    built_in(manifest.profile, wire, mutant, known)
}

/// What a manifest says of cases.
#[derive(Default)]
struct Known {
    waivers: Vec<Waiver>,
    deviations: Vec<Deviation>,
    in_soak: Vec<InSoak>,
}

/// The deviations that are seen on a wire.
fn on(mut deviations: Vec<Deviation>, wire: &str) -> Vec<Deviation> {
    deviations.retain(|known| known.is_on(wire));
    deviations
}

fn built_in(
    profile: Profile,
    wire: Option<Wire>,
    mutant: Option<Mutant>,
    known: Known,
) -> Result<Target, Failure> {
    let (wire, maker) = match wire {
        None | Some(Wire::Sim) => (Wire::Sim, AnyMaker::Sim(SimMaker { mutant })),
        Some(Wire::Veth) => (Wire::Veth, over_veth(&profile, mutant)?),
        Some(wire @ (Wire::Tap | Wire::Tun | Wire::Fd | Wire::Udp)) => {
            return Err(no_wire(&profile.name, wire, "sim, veth"));
        }
    };
    let name = match mutant {
        None => profile.name.clone(),
        Some(mutant) => format!("{}+{}", profile.name, mutant.id()),
    };
    let (wire, Known { waivers, deviations, mut in_soak }) = (wire.word(), known);
    in_soak.retain(|known| known.is_on(wire));
    let deviations = on(deviations, wire);
    Ok(Target { name, wire, profile, maker, waivers, deviations, in_soak, absent: None })
}

#[cfg(not(target_os = "linux"))]
fn over_veth(_: &Profile, _: Option<Mutant>) -> Result<AnyMaker, Failure> {
    Err(Failure::harness("this is not Linux").hint("the `sim` wire works everywhere"))
}

/// The reference on a real wire, in real time.
#[cfg(target_os = "linux")]
fn over_veth(profile: &Profile, mutant: Option<Mutant>) -> Result<AnyMaker, Failure> {
    use crate::lane::veth::ReferenceMaker;
    crate::lab::user::obtain_privilege().map_err(|error| Failure::from(&error))?;
    Ok(AnyMaker::Reference(ReferenceMaker::new(profile.net.clone(), mutant)))
}

/// For clap: the bug of that name.
pub(super) fn mutant(id: &str) -> Result<Mutant, String> {
    Mutant::from_id(id).ok_or_else(|| {
        let ids: Vec<String> = Mutant::ALL.iter().map(|mutant| mutant.id().to_owned()).collect();
        let selection = Selection::parse(&[id.to_owned()], None).ok();
        let near = selection.as_ref().and_then(|s| s.unmatched(&ids).first().and_then(|(_, near)| *near));
        match near {
            Some(near) => format!("the reference has no such bug; did you mean `{near}`?"),
            None => "the reference has no such bug; the `kills:` of the cases name them".into(),
        }
    })
}
