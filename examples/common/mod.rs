//! What the tools that make the tables of `reports/` share: the report as it was, the records of runs, and tables.

use std::error::Error;
use std::fs::{File, read_to_string};
use std::io::BufReader;
use tcpspec::engine::Outcome;
use tcpspec::event::CaseFinished;
use tcpspec::report::record::{Run, read};

/// A report that is made anew.
pub(crate) struct Report {
    /// As it was.
    pub(crate) old: String,
    pub(crate) runs: Vec<Run>,
    mark: &'static str,
}

impl Report {
    /// From the command line: the report, and records of runs.
    pub(crate) fn from_arguments(mark: &'static str) -> Result<Self, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        let report = arguments.next().ok_or("the report that is to be made anew, and records of runs")?;
        let old = read_to_string(&report)?;
        let mut runs = Vec::new();
        for name in arguments {
            runs.push(read(&name, BufReader::new(File::open(&name)?))?);
        }
        Ok(Self { old, runs, mark })
    }

    /// What people wrote above the mark, and below it what was made.
    pub(crate) fn print(&self, made: &str) {
        let head = self.old.split_once(self.mark).map_or(self.old.as_str(), |(head, _)| head).trim_end();
        println!("{head}\n\n{}\n\n{made}", self.mark);
    }
}

/// A table with these columns and rows.
pub(crate) fn table(columns: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(columns) + "|" + &"---|".repeat(columns.len()) + "\n";
    rows.into_iter().for_each(|row| text += &line(&row));
    text
}

/// The columns of a table.
pub(crate) fn columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The columns of what became of the cases of a run.
pub(crate) fn outcomes() -> Vec<&'static str> {
    [&["cases"][..], &Outcome::ALL.map(Outcome::word), &["unexpected"]].concat()
}

/// Their cells: how many there were, how many ended in each way, and how many of them nothing explains.
pub(crate) fn ended<'a>(cases: &(impl Iterator<Item = &'a CaseFinished> + Clone)) -> Vec<String> {
    let of = |outcome| cases.clone().filter(|case| case.verdict.outcome == outcome).count();
    let unexpected = cases.clone().filter(|case| !case.expected).count();
    let counts = [vec![cases.clone().count()], Outcome::ALL.map(of).to_vec(), vec![unexpected]].concat();
    counts.iter().map(usize::to_string).collect()
}

/// A text in a cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
