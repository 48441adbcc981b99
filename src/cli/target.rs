//! `-t`, `--wire` and `--mutant`: what is tested, and over what.

mod attached;

use super::error::Failure;
use super::stream::Streams;
use crate::lane::any::AnyMaker;
use crate::lane::sim::SimMaker;
use crate::suite::embedded;
use crate::suite::select::Selection;
use crate::suite::source::SourceMap;
use crate::target::manifest::{Manifest, Waiver};
use crate::target::profile::{Deviation, Profile};
use crate::target::reference;
use clap::{Args, ValueEnum};
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
    built_in(reference::profile(), arguments.wire, mutant, Vec::new())
}

/// The reference with other abilities than its own.
fn variant(manifest: Manifest, wire: Option<Wire>, mutant: Option<Mutant>) -> Result<Target, Failure> {
    built_in(manifest.profile, wire, mutant, manifest.waivers)
}

fn built_in(
    profile: Profile,
    wire: Option<Wire>,
    mutant: Option<Mutant>,
    waivers: Vec<Waiver>,
) -> Result<Target, Failure> {
    match wire {
        None | Some(Wire::Sim) => {}
        Some(wire @ (Wire::Veth | Wire::Tap | Wire::Tun | Wire::Fd | Wire::Udp)) => {
            return Err(no_wire(&profile.name, wire, "sim"));
        }
    }
    let name = match mutant {
        None => profile.name.clone(),
        Some(mutant) => format!("{}+{}", profile.name, mutant.id()),
    };
    Ok(Target { name, wire: Wire::Sim.word(), profile, maker: AnyMaker::Sim(SimMaker { mutant }), waivers })
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
