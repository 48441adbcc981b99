//! The command line: the only place that reads argv and the environment, prints, and picks an exit
//! code. One file per subcommand; what they share is in the files named for it.
//!
//! Results go to stdout, progress and diagnostics to stderr; an error is one line and, where there is
//! one, a hint. A reader that goes away (`| head`) is no error.

mod check;
mod corpus;
mod coverage;
#[cfg(target_os = "linux")]
mod doctor;
mod durations;
mod error;
mod explain;
mod faded;
mod interrupt;
mod list;
mod mutants;
mod new;
mod outputs;
mod report;
mod run;
mod schema;
mod select;
mod soak;
mod stream;
mod target;
mod targets;

use clap::{Parser, Subcommand, ValueEnum};
use error::Failure;
use std::process::ExitCode;
use stream::{Streams, When};

/// What the process says when it ends: a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Conformant, or the command did what it was asked to.
    Success = 0,
    /// Some requirement was violated.
    Violated = 1,
    /// Usage; an invalid suite, manifest or rubric.
    Usage = 2,
    /// The harness or the environment failed.
    Harness = 3,
    /// Nothing was selected.
    NothingSelected = 4,
    Interrupted = 130,
}

const AFTER_HELP: &str = "\
Exit codes:
  0    conformant
  1    some requirement was violated
  2    usage, or an invalid suite
  3    the harness or the environment failed
  4    nothing selected
  130  interrupted; the reports of what ran are written all the same";

/// TCP conformance cases, run against any TCP, with a requirement behind every verdict.
#[derive(Debug, Parser)]
#[command(name = "tcpspec", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(disable_help_subcommand = true, propagate_version = false)]
struct Arguments {
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    color: When,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Arguments>),
    List(list::Arguments),
    Check(check::Arguments),
    Explain(explain::Arguments),
    Coverage(coverage::Arguments),
    Mutants(mutants::Arguments),
    Soak(soak::Arguments),
    #[cfg(target_os = "linux")]
    Doctor(doctor::Arguments),
    Targets(targets::Arguments),
    New(new::Arguments),
    Schema(schema::Arguments),
    Report(report::Arguments),
}

// How results are written; no doc comments, clap would make the help long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    // A line a case, explanations, a summary.
    Human,
    // One object.
    Json,
}

// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    // A line a case.
    Text,
    // One object.
    Json,
}

/// Everything between argv and the exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap prints help and versions to stdout, mistakes to stderr, and knows which is which.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let mut streams = Streams::new(arguments.color);
    let done = match arguments.command {
        Command::Run(arguments) => run::main(&arguments, &mut streams),
        Command::List(arguments) => list::main(&arguments, &mut streams),
        Command::Check(arguments) => check::main(&arguments, &mut streams),
        Command::Explain(arguments) => explain::main(&arguments, &mut streams),
        Command::Coverage(arguments) => coverage::main(&arguments, &mut streams),
        Command::Mutants(arguments) => mutants::main(&arguments, &mut streams),
        Command::Soak(arguments) => soak::main(&arguments, &mut streams),
        #[cfg(target_os = "linux")]
        Command::Doctor(arguments) => doctor::main(&arguments, &mut streams),
        Command::Targets(arguments) => targets::main(&arguments, &streams),
        Command::New(arguments) => new::main(&arguments, &streams),
        Command::Schema(arguments) => schema::main(&arguments, &mut streams),
        Command::Report(arguments) => report::main(&arguments, &mut streams),
    };
    let exit = done.and_then(|exit| streams.finish().map(|()| exit)).unwrap_or_else(|failure: Failure| {
        failure.print(&mut streams);
        failure.exit
    });
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests;
