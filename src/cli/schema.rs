//! `tcpspec schema`: what an editor needs to complete and check suites and manifests.

use super::Exit;
use super::error::Failure;
use super::stream::Streams;
use crate::suite;
use crate::target::manifest;
use clap::Args;

/// Print the JSON Schema of suites, for editors
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Of the manifests of targets instead
    #[arg(long)]
    targets: bool,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let schema = if arguments.targets { manifest::schema() } else { suite::schema::json() };
    streams.print(&schema)?;
    Ok(Exit::Success)
}
