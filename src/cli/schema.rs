//! `tcpspec schema`: what an editor needs to complete and check suites.

use super::Exit;
use super::error::Failure;
use super::stream::Streams;
use clap::Args;

/// Print the JSON Schema of suites, for editors
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn main(_: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    streams.print(&crate::suite::schema::json())?;
    Ok(Exit::Success)
}
