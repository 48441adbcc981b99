//! `tcpspec doctor TARGET`: brings a target up, walks from the link to its limits, and writes what it learned into its
//! manifest.

use crate::cli::Exit;
use crate::cli::error::{Failure, plain};
use crate::cli::stream::Streams;
use crate::cli::target::{self, TargetArguments};
use crate::lane::any::AnyMaker;
use crate::lane::attached::Learned;
use crate::report::style::paint;
use crate::report::text::{clean, pad};
use crate::target::manifest::find::find;
use crate::target::manifest::write::{Section, span, with};
use std::path::Path;

const WIDTH: usize = 28;

#[allow(clippy::disallowed_methods, reason = "the command line reads and writes manifests")]
pub(super) fn main(arguments: &TargetArguments, dry: bool, streams: &Streams) -> Result<Exit, Failure> {
    let mut target = target::resolve(arguments, None, streams)?;
    let log = std::env::temp_dir().join(format!("tcpspec-build-{}.log", std::process::id()));
    let prepared = target.prepare(&log, streams);
    let _never_built = std::fs::remove_file(&log);
    prepared?;
    if let Some(why) = &target.absent {
        return Err(Failure::harness(format!("{} cannot be had here: {why}", target.name)));
    }
    let AnyMaker::Attached(maker) = &target.maker else {
        let failure = Failure::usage(format!("`{}` is no program that is attached", target.name));
        return Err(failure.hint("`tcpspec doctor` without a target is about this machine"));
    };
    line(streams, "link, ARP, SYN-ACK, app", "fine")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::harness(format!("cannot start a runtime: {error}")))?;
    let learned = runtime.block_on(maker.examine()).map_err(|error| Failure::from(&error))?;
    for (what, said) in &learned.said {
        line(streams, what, said)?;
    }
    let found = find(arguments.name()).map_err(|error| Failure::usage(plain(&error)))?;
    let text = String::from_utf8_lossy(&found.text).into_owned();
    let app_abilities: Vec<String> = target.profile.abilities.iter().cloned().collect();
    let new = with(&text, &sections(&learned, &app_abilities));
    if dry {
        streams.print(&format!("\n{new}"))?;
    } else if new == text {
        streams.note(&format!("{} says all of this already\n", found.name));
    } else {
        std::fs::write(Path::new(&found.name), &new).map_err(|e| Failure::write(&found.name, &e))?;
        streams.note(&format!("written to {}\n", found.name));
    }
    Ok(Exit::Success)
}

fn line(streams: &Streams, what: &str, said: &str) -> Result<(), Failure> {
    let mark = paint(streams.out_look().palette.pass, "    ok");
    streams.print(&format!("{mark}  {}  {}\n", pad(what, WIDTH), clean(said)))
}

/// What goes into the manifest. The abilities that it has by its kind of application are not repeated.
fn sections(learned: &Learned, before: &[String]) -> Vec<Section> {
    let mut abilities: Vec<String> = before.to_vec();
    abilities.extend(learned.abilities.iter().map(|ability| (*ability).to_owned()));
    abilities.retain(|ability| !learned.lacks.contains(&ability.as_str()));
    abilities.sort();
    abilities.dedup();
    // By the addresses; and what only a wish can be.
    abilities.retain(|ability| !matches!(ability.as_str(), "ipv4" | "ipv6"));
    let mut timing: Vec<(String, String)> =
        learned.timing.iter().map(|(key, value)| ((*key).to_owned(), span(*value))).collect();
    timing.extend(learned.scale.map(|scale| ("scale".to_owned(), scale.to_string())));
    let limits = learned.limits.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let mss = learned.mss.map(|mss| ("ipv4".to_owned(), mss.to_string())).into_iter().collect();
    let mut lacks: Vec<String> = learned.lacks.iter().map(|ability| (*ability).to_owned()).collect();
    lacks.sort();
    vec![
        Section::List("abilities", abilities),
        Section::List("lacks", lacks),
        Section::Map("mss", mss),
        Section::Map("limits", limits),
        Section::Map("timing", timing),
    ]
}
