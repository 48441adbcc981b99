//! `-t`, `--wire` and `--mutant`: what is tested, and over what.

mod attached;

use super::error::Failure;
use super::stream::Streams;
use crate::lane::any::AnyMaker;
use crate::lane::sim::SimMaker;
use crate::suite::embedded;
use crate::suite::select::Selection;
use crate::suite::source::SourceMap;
use crate::target::manifest::Waiver;
use crate::target::profile::{Deviation, Profile};
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
    /// What to test: `reference` is the built-in TCP, `linux` the kernel this runs on; or a manifest
    #[arg(short, long, value_name = "TARGET", default_value = REFERENCE)]
    target: String,
    /// What carries the packets: the one the target prefers, unless given
    #[arg(long, value_name = "WIRE", value_enum)]
    wire: Option<Wire>,
}

impl TargetArguments {
    /// As if nothing had been said.
    pub(super) fn reference() -> Self {
        Self { target: REFERENCE.to_owned(), wire: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wire {
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
}

impl Target {
    /// True where time is virtual, so that no case is slow.
    pub(super) fn is_virtual(&self) -> bool {
        self.wire == Wire::Sim.word()
    }

    /// How many lanes may be worth their while on a machine of so many processors. A program costs more than a kernel.
    pub(super) fn lanes_most(&self, cpus: NonZeroUsize) -> NonZeroUsize {
        const PROGRAMS: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
        const NAMESPACES: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");
        let each = if matches!(self.maker, AnyMaker::Attached(_)) { PROGRAMS } else { NAMESPACES };
        let files = NonZeroUsize::new(crate::lab::limits::lanes_by_open_files()).unwrap_or(NonZeroUsize::MIN);
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
        LINUX => linux(arguments),
        name => attached::resolve(name, arguments.wire, mutant, streams),
    }
}

#[cfg(not(target_os = "linux"))]
fn linux(_: &TargetArguments) -> Result<Target, Failure> {
    Err(Failure::harness("this is not Linux"))
}

#[cfg(target_os = "linux")]
fn linux(arguments: &TargetArguments) -> Result<Target, Failure> {
    use crate::lane::veth::KernelMaker;
    use crate::target::profile::Net;
    if let Some(wire) = arguments.wire.filter(|wire| *wire != Wire::Veth) {
        return Err(no_wire(LINUX, wire, "veth"));
    }
    // While there is one thread only: a normal user becomes root of namespaces of their own.
    crate::lab::user::obtain_privilege().map_err(|error| Failure::from(&error))?;
    let mut profile = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::harness(format!("cannot start a runtime: {error}")))?
        .block_on(KernelMaker::new(Net::default()).profile())
        .map_err(|error| Failure::from(&error))?;
    profile.deviations = deviations(LINUX)?;
    let maker = AnyMaker::Kernel(KernelMaker::new(profile.net.clone()));
    Ok(Target { name: LINUX.to_owned(), wire: Wire::Veth.word(), profile, maker, waivers: Vec::new() })
}

/// What the manifest of a shipped target says it does otherwise: in a checkout the file, else what the
/// program was built with.
#[allow(clippy::disallowed_methods, reason = "the command line reads files")]
fn deviations(target: &str) -> Result<Vec<Deviation>, Failure> {
    let path = format!("targets/{target}.yaml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::usage(format!("cannot read {path}: {error}")));
        }
        Err(_absent) => {
            let found = embedded::TARGETS.iter().find(|(name, _)| *name == path);
            found.map(|(_, text)| (*text).to_owned()).unwrap_or_default()
        }
    };
    let mut sources = SourceMap::default();
    let (found, mistakes) = crate::target::deviations::read(&path, &text, &mut sources);
    match mistakes.first() {
        None => Ok(found),
        Some(mistake) => Err(Failure::usage(format!("{path}: {}", mistake.message))),
    }
}

fn no_wire(target: &str, wire: Wire, has: &str) -> Failure {
    Failure::usage(format!("the target `{target}` has no wire `{}`", wire.word()))
        .hint(format!("wires of `{target}`: {has}"))
}

fn reference(arguments: &TargetArguments, mutant: Option<Mutant>) -> Result<Target, Failure> {
    let (wire, maker) = match arguments.wire {
        None | Some(Wire::Sim) => (Wire::Sim, AnyMaker::Sim(SimMaker { mutant })),
        Some(Wire::Veth) => (Wire::Veth, over_veth(mutant)?),
        Some(wire @ (Wire::Tap | Wire::Tun | Wire::Fd | Wire::Udp)) => {
            return Err(no_wire(REFERENCE, wire, "sim, veth"));
        }
    };
    let name = match mutant {
        None => REFERENCE.to_owned(),
        Some(mutant) => format!("{REFERENCE}+{}", mutant.id()),
    };
    Ok(Target { name, wire: wire.word(), profile: reference::profile(), maker, waivers: Vec::new() })
}

#[cfg(not(target_os = "linux"))]
fn over_veth(_: Option<Mutant>) -> Result<AnyMaker, Failure> {
    Err(Failure::harness("this is not Linux").hint("the `sim` wire works everywhere"))
}

/// The reference on a real wire, in real time.
#[cfg(target_os = "linux")]
fn over_veth(mutant: Option<Mutant>) -> Result<AnyMaker, Failure> {
    use crate::lane::veth::ReferenceMaker;
    crate::lab::user::obtain_privilege().map_err(|error| Failure::from(&error))?;
    Ok(AnyMaker::Reference(ReferenceMaker::new(reference::profile().net, mutant)))
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
