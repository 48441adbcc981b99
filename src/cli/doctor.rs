//! `tcpspec doctor`: what this machine allows, and what to do where it does not; or the same of a target.

mod target;

use super::error::Failure;
use super::stream::Streams;
use super::target::{TargetArguments, Wire};
use super::{Exit, ListFormat};
use crate::lab::facts::{Fact, Standing, gather, try_lab};
use crate::lab::user::obtain_privilege;
use crate::report::style::paint;
use crate::report::text::{pad, wrap};
use clap::Args;
use serde::Serialize;

/// Show what this machine allows, and what to do where it does not
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: ListFormat,
    /// A target instead: a name or a manifest. What is learned of it is written into the manifest
    target: Option<String>,
    /// Over which wire the target is examined: the one it prefers, unless given
    #[arg(long, value_name = "WIRE", value_enum, requires = "target")]
    wire: Option<Wire>,
    /// Show what would be written, and write nothing
    #[arg(long, requires = "target")]
    dry_run: bool,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    facts: &'a [Fact],
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    if let Some(name) = &arguments.target {
        let asked = TargetArguments::named(name, arguments.wire);
        return target::main(&asked, arguments.dry_run, streams);
    }
    let mut facts = gather();
    // Where this is refused, the facts above have said so, and the attempt below says why.
    let _refused = obtain_privilege();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::harness(format!("cannot start a runtime: {error}")))?;
    facts.push(runtime.block_on(try_lab()));
    match arguments.format {
        ListFormat::Json => {
            let object = Object { schema: 1, facts: &facts };
            let text = serde_json::to_string(&object).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
        ListFormat::Text => {
            for fact in &facts {
                streams.print(&shown(fact, streams))?;
            }
        }
    }
    let prevented = facts.iter().any(|fact| fact.standing == Standing::Prevents);
    Ok(if prevented { Exit::Harness } else { Exit::Success })
}

fn shown(fact: &Fact, streams: &Streams) -> String {
    let look = streams.out_look();
    let mark = match fact.standing {
        Standing::Fine => paint(look.palette.pass, "    ok"),
        Standing::Limits => paint(look.palette.warn, "limits"),
        Standing::Prevents => paint(look.palette.fail, "    no"),
    };
    let mut text = format!("{mark}  {}  {}\n", pad(fact.name, 24), fact.value);
    for line in fact.advice.iter().flat_map(|advice| wrap(advice, look.width.saturating_sub(10))) {
        text.push_str(&format!("          {line}\n"));
    }
    text
}
