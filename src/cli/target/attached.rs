//! Targets by manifest: found, checked, and brought up once before anything is judged.

use super::{Target, Wire};
use crate::cli::error::{Failure, plain};
use crate::cli::stream::Streams;
use crate::cli::{corpus, outputs};
use crate::lane::any::AnyMaker;
use crate::lane::attached::AttachedMaker;
use crate::suite::diagnostic::Severity;
use crate::suite::source::SourceMap;
use crate::target::manifest::find::{Found, find, names};
use crate::target::manifest::{App, Manifest, read};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tcpspec_reference::Mutant;

/// Finds and checks the manifest; nothing is started yet.
pub(super) fn resolve(
    name: &str,
    wire: Option<Wire>,
    mutant: Option<Mutant>,
    streams: &Streams,
) -> Result<Target, Failure> {
    let found = found(name)?;
    let manifest = checked(&found, streams)?;
    if manifest.program.app == App::Reference {
        return super::variant(manifest, wire, mutant);
    }
    if mutant.is_some() {
        let failure = Failure::usage("only the reference can be broken on purpose");
        return Err(failure.hint(format!("leave out `-t {name}`")));
    }
    if manifest.program.app == App::Kernel {
        return Err(Failure::usage(format!("`{name}` is not a program")).hint("the kernel is `-t linux`"));
    }
    if found.directory.is_none() {
        let failure = Failure::usage(format!("the program of `{name}` is not part of this binary"));
        return Err(failure.hint("run in a checkout of tcpspec"));
    }
    let wanted = wire.map(Wire::word);
    let link = manifest.links.iter().find(|link| wanted.is_none_or(|wanted| link.kind.word() == wanted));
    let Some(link) = link.cloned() else {
        let has: Vec<_> = manifest.links.iter().map(|link| link.kind.word()).collect();
        let failure =
            Failure::usage(format!("the target `{name}` has no wire `{}`", wanted.unwrap_or_default()));
        return Err(failure.hint(format!("wires of `{name}`: {}", has.join(", "))));
    };
    let profile = manifest.profile.clone();
    let waivers = manifest.waivers.clone();
    let wire = link.kind.word();
    let deviations = super::on(manifest.deviations.clone(), wire);
    let in_soak = manifest.in_soak.iter().filter(|known| known.is_on(wire)).cloned().collect();
    let maker = AnyMaker::Attached(Box::new(AttachedMaker::new(manifest, link)));
    let name = profile.name.clone();
    Ok(Target { name, wire, profile, maker, waivers, deviations, in_soak, absent: None })
}

fn found(name: &str) -> Result<Found, Failure> {
    find(name).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let known = names().join("`, `");
            Failure::usage(format!("there is no target `{name}`")).hint(format!(
                "there are `reference`, the built-in TCP, `{known}`; or give the path of a manifest"
            ))
        }
        _ => Failure::usage(format!("cannot read the manifest `{name}`: {}", plain(&error))),
    })
}

/// What the manifest of a target says; its mistakes are shown.
pub(in crate::cli) fn manifest(name: &str, streams: &Streams) -> Result<Manifest, Failure> {
    checked(&found(name)?, streams)
}

fn checked(found: &Found, streams: &Streams) -> Result<Manifest, Failure> {
    let mut sources = SourceMap::default();
    let directory = found.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let (manifest, mut diagnostics) = read(&found.name, &found.text, &directory, &mut sources);
    diagnostics.retain(|diagnostic| diagnostic.severity() == Severity::Error);
    if !diagnostics.is_empty() {
        streams.note(&corpus::shown(&diagnostics, &sources, streams));
    }
    manifest.ok_or_else(Failure::said)
}

impl Target {
    /// Builds a program and brings it up once: link, SYN-ACK, application. What its handshake shows becomes part of
    /// its profile, unless the manifest says what it can do.
    ///
    /// A target that says that it cannot be had here is no failure: its cases are unsupported.
    pub(in crate::cli) fn prepare(&mut self, log: &Path, streams: &Streams) -> Result<(), Failure> {
        let AnyMaker::Attached(maker) = &self.maker else { return Ok(()) };
        if let Some(directory) = log.parent().filter(|_| maker.has_build()) {
            outputs::directory(directory)?;
        }
        // While there is one thread only: a normal user becomes root of namespaces of their own.
        #[cfg(target_os = "linux")]
        if maker.needs_device() {
            crate::lab::user::obtain_privilege().map_err(|error| Failure::from(&error))?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::harness(format!("cannot start a runtime: {error}")))?;
        let found = runtime.block_on(async {
            maker.build(Some(log)).await?;
            maker.smoke().await
        });
        let found = found.map_err(|error| Failure::from(&error))?;
        if let Some(why) = found.unsupported {
            streams.note(&format!("warning: {} cannot be had here: {why}\n", self.name));
            self.absent = Some(why);
            return Ok(());
        }
        let added = maker.adds(&found);
        let shown = if added.is_empty() { "no options".to_owned() } else { added.join(", ") };
        streams.note(&format!(
            "{:>12} {} on {}; its handshake shows {shown}\n",
            "Attached", self.name, self.wire
        ));
        self.profile.abilities.extend(added);
        Ok(())
    }
}
