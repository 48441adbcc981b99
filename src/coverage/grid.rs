//! The grid: which kind of segment is sent to a target in which state.
//!
//! Counted from the cases themselves, not from what they cite: the state is that of the fixture, the kind that of the
//! first segment that the case itself sends there.

use crate::suite::grammar::STATES;
use crate::suite::model::{App, Case, FieldName, Fields, FlagSpec, Send, Step, Verb};
use serde::Serialize;
use std::collections::BTreeMap;

/// The kinds of segments.
pub const KINDS: [&str; 11] =
    ["SYN", "SYN|ACK", "ACK", "FIN|ACK", "FIN", "RST", "RST|ACK", "SYN|FIN", "data", "none", "URG"];

/// How many instances of cases there are: by state, then by kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Grid(BTreeMap<&'static str, BTreeMap<&'static str, u32>>);

impl Default for Grid {
    fn default() -> Self {
        let empty: BTreeMap<_, _> = KINDS.iter().map(|kind| (*kind, 0)).collect();
        Self(STATES.iter().map(|state| (*state, empty.clone())).collect())
    }
}

impl Grid {
    pub fn cell(&self, state: &str, kind: &str) -> u32 {
        self.0.get(state).and_then(|row| row.get(kind)).copied().unwrap_or_default()
    }

    /// The states, in the order of the RFC.
    pub fn states(&self) -> impl Iterator<Item = &'static str> {
        STATES.iter().copied()
    }

    /// Cells that no case fills.
    pub fn empty(&self) -> Vec<(&'static str, &'static str)> {
        let all = STATES.iter().flat_map(|state| KINDS.iter().map(move |kind| (*state, *kind)));
        all.filter(|(state, kind)| self.cell(state, kind) == 0).collect()
    }

    pub(super) fn count(&mut self, case: &Case) {
        let Some(state) = case.given.last().and_then(|fixture| fixture.state.as_deref()) else { return };
        let Some(kind) = stimulus(&case.steps).and_then(kind) else { return };
        if let Some(cell) = self.0.get_mut(state).and_then(|row| row.get_mut(kind)) {
            *cell += 1;
        }
    }
}

/// The first segment that is sent while the target is still in the state of the fixture.
fn stimulus(steps: &[Step]) -> Option<&Fields> {
    for step in steps {
        match &step.verb {
            Verb::Send(send) => match &**send {
                Send::Segment(fields) => return Some(fields),
                Send::Icmp(_) | Send::Raw(_) => return None,
            },
            Verb::App(
                App::Listen
                | App::Connect
                | App::ConnectTo(_)
                | App::ConnectFrom(_)
                | App::Shutdown
                | App::Close
                | App::Abort,
            )
            | Verb::Live(_)
            | Verb::Linux(_) => return None,
            Verb::App(_)
            | Verb::Expect(_)
            | Verb::Wait(_)
            | Verb::Repeat(_)
            | Verb::Note(_)
            | Verb::Impair(_)
            | Verb::Heal(_) => {}
        }
    }
    None
}

fn kind(fields: &Fields) -> Option<&'static str> {
    const SYN_FIN: u8 = FlagSpec::SYN | FlagSpec::FIN;
    const SYN_ACK: u8 = FlagSpec::SYN | FlagSpec::ACK;
    const FIN_ACK: u8 = FlagSpec::FIN | FlagSpec::ACK;
    let flags = fields.flags?;
    let core = flags.core?;
    let has_data = fields.values.iter().any(|(name, _)| *name == FieldName::Len) || !fields.octets.is_empty();
    Some(match core {
        core if core & FlagSpec::RST != 0 && core & FlagSpec::ACK != 0 => KINDS[6],
        core if core & FlagSpec::RST != 0 => KINDS[5],
        core if core & SYN_FIN == SYN_FIN => KINDS[7],
        SYN_ACK => KINDS[1],
        FlagSpec::SYN => KINDS[0],
        FIN_ACK => KINDS[3],
        FlagSpec::FIN => KINDS[4],
        _ if flags.plus & FlagSpec::URG != 0 => KINDS[10],
        0 => KINDS[9],
        FlagSpec::ACK if has_data => KINDS[8],
        FlagSpec::ACK => KINDS[2],
        _ => return None,
    })
}
