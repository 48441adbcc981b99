//! Monitors: invariants that are checked on every segment of every case.
//!
//! Each is a row of [`TABLE`]: an id, the level of the requirement behind it, and a pure function of
//! what arrived and of the wire's book before it arrived. A monitor answers whether it had something
//! to check at all, so a report can say how many segments stand behind "no violation". To add one:
//! write the function in the file of its subject, give it a row, and name a mutant that trips it in
//! its test.

mod header;
mod numbers;
mod options;

use super::book::Book;
use super::event::MonitorCount;
use super::segment::Segment;
use crate::packet::Packet;
use crate::suite::model::Level;

/// A packet of the target's and all that judging it takes.
pub(crate) struct Sighting<'a> {
    pub(crate) packet: &'a Packet,
    pub(crate) segment: &'a Segment,
    /// The wire's book before this segment.
    pub(crate) book: &'a Book,
    /// The segment belongs to the case's four-tuple.
    pub(crate) ours: bool,
    /// It belongs to no connection that the case knows of.
    pub(crate) stray: bool,
    /// The target's stream, as far as it was seen.
    pub(crate) stream: &'a [Option<u8>],
    /// All the octets its application has written.
    pub(crate) written: u64,
    pub(crate) mss: u16,
}

pub(crate) enum Judgement {
    /// Nothing here that this monitor looks at.
    Idle,
    Fine,
    Broken(String),
}

impl Judgement {
    fn of(fine: bool, sentence: impl FnOnce() -> String) -> Self {
        if fine { Self::Fine } else { Self::Broken(sentence()) }
    }
}

pub(crate) struct Monitor {
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    /// What holds, in a sentence.
    pub(crate) rule: &'static str,
    /// Requirements of the catalogue that it watches over.
    pub(crate) proves: &'static [&'static str],
    check: Check,
}

type Check = fn(&Sighting<'_>) -> Judgement;

const fn must(
    id: &'static str,
    rule: &'static str,
    proves: &'static [&'static str],
    check: Check,
) -> Monitor {
    Monitor { id, level: Level::Must, rule, proves, check }
}

pub(crate) const TABLE: &[Monitor] = &[
    must(
        "checksum",
        "every segment has a valid checksum (RFC 9293 3.1, MUST-2)",
        &["RFC9293-MUST-2"],
        header::checksum,
    ),
    must(
        "header",
        "headers are well formed and reserved bits are zero (RFC 9293 3.1)",
        &["RFC9293-U-1"],
        header::well_formed,
    ),
    must(
        "tuple",
        "nothing is sent to a tuple outside the case (RFC 9293 3.10.7)",
        &["RFC9293-U-7", "RFC9293-MUST-45"],
        header::tuple,
    ),
    must(
        "ack-bit",
        "every segment of a synchronized connection has ACK set (RFC 9293 3.1)",
        &["RFC9293-U-18"],
        header::ack_bit,
    ),
    must(
        "options",
        "options are well formed and have the length of their kind (RFC 9293 3.2)",
        &[],
        options::well_formed,
    ),
    must(
        "options-negotiated",
        "SYN-only options stand only on SYN, and none that was not negotiated (RFC 7323 2.2, 3.2; RFC 2018 2)",
        &["RFC7323-2.2-4", "RFC7323-3.2-1", "RFC2018-2-1", "RFC2018-4-1"],
        options::negotiated,
    ),
    must(
        "timestamps",
        "timestamps, once negotiated, stand on every segment, grow, and echo what was sent (RFC 7323 3.2)",
        &["RFC7323-3.2-2"],
        options::timestamps,
    ),
    must(
        "sack-blocks",
        "SACK blocks lie inside what was sent and above the ACK (RFC 2018 4)",
        &["RFC2018-3-1"],
        options::sack_blocks,
    ),
    must(
        "right-edge",
        "no octet lies beyond the right edge of our window, window probes aside (RFC 9293 3.8.6)",
        &[],
        numbers::right_edge,
    ),
    must(
        "ack-of-unsent",
        "nothing is acknowledged that was not sent, or that lies behind a hole (RFC 9293 3.4)",
        &[],
        numbers::ack_of_unsent,
    ),
    must(
        "ack-monotone",
        "the acknowledgment number never moves back (RFC 9293 3.4)",
        &["RFC9293-U-2"],
        numbers::ack_monotone,
    ),
    must(
        "retransmitted-bytes",
        "retransmitted octets equal the first transmission (RFC 9293 3.8.1)",
        &["RFC2525-2.4"],
        numbers::retransmitted_bytes,
    ),
    must(
        "beyond-fin",
        "nothing follows the FIN, and the FIN does not move (RFC 9293 3.5)",
        &[],
        numbers::beyond_fin,
    ),
    must(
        "mss",
        "no segment is larger than the MSS we announced, options counted (RFC 9293 3.7.1, MUST-16)",
        &["RFC9293-MUST-16", "RFC9293-U-11"],
        numbers::mss,
    ),
    must("content", "the payload is what the application wrote (RFC 9293 3.8)", &[], numbers::content),
    must(
        "rst-numbers",
        "a RST has the numbers of what it answers, or of the connection it ends (RFC 9293 3.5.2, 3.10.5)",
        &["RFC9293-U-4", "RFC9293-U-5"],
        numbers::rst_numbers,
    ),
    must(
        "ecn",
        "ECN bits are used only where both sides agreed, and not on pure ACKs (RFC 3168 6.1.1, 6.1.4)",
        &["RFC3168-6.1.1-2", "RFC3168-6.1.4-1"],
        header::ecn,
    ),
    must("rst-for-rst", "a RST is never answered with a RST (RFC 9293 3.5.2)", &[], numbers::rst_for_rst),
    must(
        "ack-of-ack",
        "an acceptable segment without data is not acknowledged (RFC 9293 3.10.7.4)",
        &[],
        numbers::ack_of_ack,
    ),
    Monitor {
        id: "held-text",
        level: Level::Should,
        rule: "text that comes above a hole, inside the window, is held (RFC 9293 3.10.7.4, SHLD-31)",
        proves: &["RFC9293-SHLD-31"],
        check: numbers::held_text,
    },
    Monitor {
        id: "window-retracted",
        level: Level::Should,
        rule: "the right edge of the window is not moved back (RFC 9293 3.8.6, SHLD-14)",
        proves: &["RFC9293-SHLD-14"],
        check: numbers::window_retracted,
    },
];

/// The counts of one case.
#[derive(Debug)]
pub(crate) struct Monitors {
    counts: Vec<(u64, u64)>,
}

impl Default for Monitors {
    fn default() -> Self {
        Self { counts: vec![(0, 0); TABLE.len()] }
    }
}

impl Monitors {
    /// Judges one segment; gives the monitors it broke, with a sentence each.
    pub(crate) fn judge(&mut self, seen: &Sighting<'_>) -> Vec<(&'static Monitor, String)> {
        let mut broken = Vec::new();
        for (monitor, (checked, violations)) in TABLE.iter().zip(&mut self.counts) {
            // A stray has no book to be judged by, only its own octets and where it went.
            if !seen.ours && !matches!(monitor.id, "checksum" | "header" | "tuple" | "options") {
                continue;
            }
            match (monitor.check)(seen) {
                Judgement::Idle => {}
                Judgement::Fine => *checked += 1,
                Judgement::Broken(sentence) => {
                    *checked += 1;
                    *violations += 1;
                    broken.push((monitor, sentence));
                }
            }
        }
        broken
    }

    pub(crate) fn counts(&self) -> Vec<MonitorCount> {
        TABLE
            .iter()
            .zip(&self.counts)
            .map(|(monitor, (checked, violations))| MonitorCount {
                id: monitor.id.to_owned(),
                checked: *checked,
                violations: *violations,
            })
            .collect()
    }
}

/// The level of a monitor, by id.
pub(crate) fn find(id: &str) -> Option<&'static Monitor> {
    TABLE.iter().find(|monitor| monitor.id == id)
}

/// A monitor as reports and coverage know it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub id: &'static str,
    pub level: Level,
    /// What it holds the target to, in a sentence.
    pub sentence: &'static str,
    /// The requirements of the catalogue that it watches over.
    pub proves: &'static [&'static str],
}

pub fn rules() -> impl Iterator<Item = Rule> {
    TABLE.iter().map(|monitor| {
        let Monitor { id, level, rule: sentence, proves, check: _ } = *monitor;
        Rule { id, level, sentence, proves }
    })
}
