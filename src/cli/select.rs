//! Which cases are meant: ids, globs, a filter, levels, families, shares.

use super::error::Failure;
use crate::run::{Partition, PartitionError};
use crate::suite::model::{Family, Level};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectArguments {
    /// Ids and globs: `close/**`, `*/passive/*`. Nothing selects everything
    #[arg(value_name = "SELECT")]
    pub(super) select: Vec<String>,
    /// Only cases that this matches: 'level(must) & tag(course) & not rfc(7323)'
    #[arg(short = 'E', long = "filter", value_name = "EXPR")]
    pub(super) filter: Option<String>,
    /// Suites to take the cases from, files or directories, instead of the shipped ones
    #[arg(long, value_name = "PATH")]
    pub(super) suites: Vec<PathBuf>,
    /// The address family
    #[arg(long, value_name = "FAMILY", default_value = "both", value_enum)]
    family: Families,
    /// The weakest level that is selected: `should` takes must and should
    #[arg(long, value_name = "LEVEL", default_value = "may", value_enum)]
    level: LevelWord,
    /// Cases that take over 10 s too; where time is virtual they always run
    #[arg(long)]
    pub(super) slow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Families {
    #[value(name = "4")]
    V4,
    #[value(name = "6")]
    V6,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelWord {
    Must,
    Should,
    May,
}

impl SelectArguments {
    pub(super) fn families(&self) -> &'static [Family] {
        match self.family {
            Families::V4 => &[Family::V4],
            Families::V6 => &[Family::V6],
            Families::Both => &Family::BOTH,
        }
    }

    pub(super) fn level(&self) -> Level {
        match self.level {
            LevelWord::Must => Level::Must,
            LevelWord::Should => Level::Should,
            LevelWord::May => Level::May,
        }
    }
}

/// `--partition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Given(Partition),
    /// As the CI system says.
    Auto,
}

impl std::str::FromStr for Share {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Given) }
    }
}

/// Where CI systems say which of the parallel jobs this is: index, count, and what indices begin with.
const PARALLEL: [(&str, &str, u64); 3] = [
    // GitLab
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
];

impl Share {
    pub(super) fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Partition, Failure> {
        if let Self::Given(partition) = self {
            return Ok(partition);
        }
        for (index, total, first) in PARALLEL {
            let (Some(i), Some(n)) = (variable(index), variable(total)) else { continue };
            let wrong = || Failure::usage(format!("{index}={i} of {total}={n} is no share of a run"));
            let share = i.parse::<u64>().ok().and_then(|i| (i + 1).checked_sub(first)).ok_or_else(wrong)?;
            let partition = format!("hash:{share}/{n}").parse().map_err(|_| wrong())?;
            return Ok(partition);
        }
        Err(Failure::usage("`--partition auto` found no parallel job of a CI system that it knows")
            .hint("it knows GitLab, CircleCI and Buildkite; elsewhere say `--partition hash:i/n`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")], Some("hash:2/4"))]
    #[case(&[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "4")], Some("hash:1/4"))]
    #[case(&[("BUILDKITE_PARALLEL_JOB", "3"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")], Some("hash:4/4"))]
    #[case(&[("CI_NODE_INDEX", "5"), ("CI_NODE_TOTAL", "4")], None)]
    #[case(&[("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "4")], None)]
    #[case(&[], None)]
    fn the_share_of_a_ci_job(#[case] variables: &[(&str, &str)], #[case] share: Option<&str>) {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let found = Share::Auto.resolve(variable).ok();
        assert_eq!(found, share.map(|text| text.parse().unwrap()));
    }

    #[test]
    fn what_is_given_needs_no_environment() {
        let share: Share = "slice:1/2".parse().unwrap();
        assert_eq!(share.resolve(|_| panic!()).unwrap(), "slice:1/2".parse().unwrap());
    }
}
