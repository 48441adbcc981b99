//! What soaking has done so far, and what it says at its end.
#![allow(clippy::disallowed_methods, reason = "soaking has a time limit")]

use super::super::stream::Streams;
use super::Arguments;
use crate::engine::{Traffic, monitor_rules};
use crate::event::Try;
use crate::report::text::count;
use crate::soak::{Episode, Finding};
use crate::time::span;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What has been done so far.
pub(super) struct Tally {
    pub(super) begun: Instant,
    bar: ProgressBar,
    limit: Duration,
    most: Option<u64>,
    pub(super) episodes: u64,
    connections: u64,
    impairments: u64,
    pub(super) inconclusive: u64,
    /// The time was over before the last episode was.
    pub(super) gave_up: bool,
    checks: u64,
    traffic: Traffic,
    /// Violations of a SHOULD, by their kind: how many episodes, and the first sentence.
    warnings: BTreeMap<String, (u64, String)>,
    /// Known deviations: in how many episodes each was seen, and why it is there.
    known: BTreeMap<String, (u64, String)>,
}

impl Tally {
    pub(super) fn new(
        arguments: &Arguments,
        known: impl Iterator<Item = (String, String)>,
        streams: &Streams,
    ) -> Self {
        let bar = if streams.err_is_terminal() { ProgressBar::new(100) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("     Soaking [{wide_bar:.cyan/blue}] {percent}%  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        let mut reasons = BTreeMap::new();
        for (word, because) in known {
            let (_, said): &mut (u64, String) = reasons.entry(word).or_default();
            let gap = if said.is_empty() { "" } else { " " };
            *said += &format!("{gap}{because}");
        }
        Self {
            begun: Instant::now(),
            bar,
            limit: arguments.limit,
            most: arguments.segments,
            episodes: 0,
            connections: 0,
            impairments: 0,
            inconclusive: 0,
            gave_up: false,
            checks: 0,
            traffic: Traffic::default(),
            warnings: BTreeMap::new(),
            known: reasons,
        }
    }

    pub(super) fn segments(&self) -> u64 {
        self.traffic.from_peer.segments + self.traffic.from_target.segments
    }

    fn octets(&self) -> u64 {
        self.traffic.from_peer.octets + self.traffic.from_target.octets
    }

    /// What went over the wire.
    pub(super) fn add(&mut self, tried: &Try) {
        self.checks += tried.verdict.monitors.iter().map(|monitor| monitor.checked).sum::<u64>();
        if let Some(passed) = &tried.verdict.traffic {
            self.traffic.add(passed);
        }
    }

    /// An episode is over, and known deviations were seen in it.
    pub(super) fn done(&mut self, episode: &Episode, seen: &BTreeSet<String>) {
        self.episodes += 1;
        self.connections += episode.conns.len() as u64;
        self.impairments += episode.impairments.len() as u64;
        for word in seen {
            self.known.entry(word.clone()).or_default().0 += 1;
        }
        let time = self.begun.elapsed().as_secs_f64() / self.limit.as_secs_f64();
        let share = self.most.map_or(0.0, |most| self.segments() as f64 / most as f64);
        self.bar.set_position((time.max(share) * 100.0) as u64);
        let (episodes, segments) = (self.episodes, self.segments());
        self.bar.set_message(format!("{episodes} episodes, {segments} segments, {}", mib(self.octets())));
    }

    pub(super) fn warned(&mut self, finding: Finding) {
        self.warnings.entry(finding.kinds.join(", ")).or_insert((0, finding.sentence)).0 += 1;
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// What went over the wire, in a line.
    fn sum(&self) -> String {
        let (peer, own) = (&self.traffic.from_peer, &self.traffic.from_target);
        let again = peer.retransmitted_segments + own.retransmitted_segments;
        let share = again as f64 * 100.0 / self.segments().max(1) as f64;
        format!(
            "{}, {} segments, {} of data in {}; {} impairments, {} segments lost, {share:.1} % sent again",
            count(self.connections, "connection"),
            self.segments(),
            mib(self.octets()),
            span(self.begun.elapsed()),
            self.impairments,
            peer.lost + own.lost,
        )
    }

    /// The known deviations, one a line, seen or not.
    pub(super) fn known(&self) -> String {
        let line = |(word, (episodes, because)): (&String, &(u64, String))| {
            let seen = match episodes {
                0 => "not seen".to_owned(),
                episodes => format!("in {}", count(*episodes, "episode")),
            };
            format!("  known {word}, {seen}: {because}\n")
        };
        self.known.iter().map(line).collect()
    }

    pub(super) fn page(&self, target: &str, seed: u64) -> String {
        let is_seen = self.known.values().any(|(episodes, _)| *episodes > 0);
        let mut page = format!(
            "{target}: no {}violation in {} (seed {seed})\n  {}\n  {} checks by {} monitors\n",
            if is_seen { "other " } else { "" },
            count(self.episodes, "episode"),
            self.sum(),
            self.checks,
            monitor_rules().count(),
        );
        page.push_str(&self.known());
        for (kind, (episodes, sentence)) in &self.warnings {
            page.push_str(&format!("  SHOULD {kind}, in {}: {sentence}\n", count(*episodes, "episode")));
        }
        if !self.warnings.is_empty() {
            page.push_str("  (`--deny should` stops at these, and says how to repeat them)\n");
        }
        if self.inconclusive > 0 {
            let late = count(self.inconclusive, "episode");
            page.push_str(&format!("  inconclusive: {late}, for this machine was late\n"));
        }
        if self.gave_up {
            page.push_str("  one episode more was not over in time\n");
        }
        page
    }
}

fn mib(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / f64::from(1 << 20))
}
