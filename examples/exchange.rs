//! The whole of an exchange, from the record of a run: a report leaves the middle of a long ladder out.
//!
//! ```text
//! cargo run --example exchange -- RUN.jsonl CASE...
//! ```
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a small tool of its own: it reads a file and prints"
)]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use tcpspec::engine::replay;
use tcpspec::report::ladder::draw;
use tcpspec::report::record::{read, rejudge};
use tcpspec::report::style::Look;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let record = arguments.next().ok_or("the record of a run, and ids of cases")?;
    let wanted: Vec<String> = arguments.collect();
    let mut run = read(&record, BufReader::new(File::open(&record)?))?;
    run.cases.retain(|case| wanted.contains(&case.info.id));
    rejudge(&mut run, replay).iter().for_each(|changed| println!("{changed}"));
    for case in &run.cases {
        let (id, family, verdict) = (&case.info.id, case.info.family, &case.verdict);
        println!("{id}  {family}  {}: {}\n", verdict.outcome, verdict.reason);
        for (n, each) in case.tries.iter().enumerate() {
            println!("  try {} of {}", n + 1, case.tries.len());
            let rows = draw(&each.events, case.plan.as_deref(), usize::MAX, Look::PLAIN);
            rows.iter().for_each(|row| println!("  {row}"));
        }
        println!();
    }
    Ok(())
}
