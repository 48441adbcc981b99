//! `tcpspec targets`: what can be tested here.

use super::error::Failure;
use super::stream::Streams;
use super::{Exit, ListFormat, target};
use crate::report::style::paint;
use crate::report::text::{clean, columns, pad};
use crate::target::manifest::find::{find, names};
use crate::target::manifest::{App, Manifest};
use clap::Args;
use serde::Serialize;
use std::path::Path;

/// List the targets that `-t` takes by name, and what keeps them from being tested here
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: ListFormat,
}

#[derive(Serialize)]
struct Object {
    schema: u32,
    targets: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    about: String,
    wires: Vec<&'static str>,
    /// Why it cannot be tested here; empty if it can, as far as can be seen without starting it.
    lacks: String,
}

pub(super) fn main(arguments: &Arguments, streams: &Streams) -> Result<Exit, Failure> {
    let mut targets = vec![Row {
        name: "reference".to_owned(),
        about: "the reference stack of tcpspec, built in".to_owned(),
        wires: vec!["sim"],
        lacks: String::new(),
    }];
    for name in names() {
        let manifest = target::manifest(&name, streams)?;
        targets.push(row(&name, &manifest));
    }
    match arguments.format {
        ListFormat::Json => {
            let object = Object { schema: 1, targets };
            let text = serde_json::to_string(&object).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
        ListFormat::Text => text(&targets, streams)?,
    }
    Ok(Exit::Success)
}

fn row(name: &str, manifest: &Manifest) -> Row {
    let wires = manifest.links.iter().map(|link| link.kind.word()).collect();
    let lacks = lacks(name, manifest).unwrap_or_default();
    Row { name: name.to_owned(), about: manifest.profile.about.clone(), wires, lacks }
}

/// What is missing here, as far as it can be seen.
#[allow(clippy::disallowed_methods, reason = "the command line looks at files")]
fn lacks(name: &str, manifest: &Manifest) -> Option<String> {
    if manifest.program.app == App::Kernel {
        return (!cfg!(target_os = "linux")).then(|| "this is not Linux".to_owned());
    }
    if find(name).ok()?.directory.is_none() {
        return Some("its program is not part of this binary: run in a checkout".to_owned());
    }
    let needs_device = manifest.links.iter().all(|link| link.kind.is_device());
    if needs_device && !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    let program = manifest.program.run.first().or_else(|| manifest.program.connect.first())?;
    let place = manifest.program.directory.join(program);
    let is_there = !program.contains('/') || place.exists() || !manifest.program.build.is_empty();
    (!is_there).then(|| format!("{} is not built", place.display()))
}

fn text(targets: &[Row], streams: &Streams) -> Result<(), Failure> {
    let palette = streams.out_look().palette;
    let width = targets.iter().map(|row| columns(&row.name)).max().unwrap_or(0);
    let wires = targets.iter().map(|row| columns(&row.wires.join(" "))).max().unwrap_or(0);
    for row in targets {
        let name = paint(palette.strong, pad(&row.name, width));
        let said = match row.lacks.as_str() {
            "" => clean(&row.about).into_owned(),
            lacks => paint(palette.skip, format!("not here: {}", clean(lacks))).to_string(),
        };
        streams.print(&format!("{name}  {}  {said}\n", pad(&row.wires.join(" "), wires)))?;
    }
    Ok(())
}
