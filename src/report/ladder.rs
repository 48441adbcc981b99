//! The ladder: the whole exchange, one row an event, the injector left and the target right.
//!
//! ```text
//!       0.0000  SYN  seq=isn  ------------------>
//!       0.0002                <------------------  SYN ACK  seq=irs ack=isn    x step 2
//! ```
//! Rows of noise are grey with the reason why it is legal; the row that decided the verdict carries a
//! mark. What does not fit beside the arrows on this page is set with short arrows in one column; the
//! middle of a long exchange is left out and counted.

use super::style::{Look, paint};
use super::text::{clean, columns, count, pad};
use crate::engine::event::{CaseEventKind, Claim};
use crate::engine::{CaseEvent, Violation, ViolationKind};
use crate::plan::Plan;
use crate::time::Time;
use anstyle::Style;
use std::time::Duration;

/// Rows of an exchange that are shown whole; a longer one loses its middle.
pub const ROWS_MAX: usize = 16;
/// Of those, how many stand at its beginning.
const ROWS_FIRST: usize = 5;
/// An application's answer that comes later than this has a row of its own.
const ANSWER_MAX: Duration = Duration::from_millis(1);
/// Rows kept behind a mark.
const ROWS_BEHIND: usize = 2;

const INDENT: &str = "      ";
const ARROW_MIN: usize = 8;
const ARROW_MAX: usize = 20;
const GAP: &str = "  ";
const REMARK: &str = "   ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// From the injector.
    Sent,
    /// From the live peer, and lost on the wire.
    Lost,
    /// From the target.
    Received,
    /// The application above the target.
    App,
    /// Something that the harness has to say.
    Aside,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    at: Time,
    side: Side,
    text: String,
    /// Why it is legal, or what is wrong.
    remark: String,
    tone: Tone,
    /// A call that has not been answered.
    open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    /// Legal, and of no matter.
    Noise,
    /// What decided the verdict.
    Wrong,
}

/// What is drawn: a row, or a count of rows left out.
#[derive(Debug, PartialEq, Eq)]
enum Rung<'a> {
    Row(&'a Row),
    Gap(usize),
}

impl<'a> Rung<'a> {
    fn row(&self) -> Option<&'a Row> {
        match self {
            Self::Row(row) => Some(row),
            Self::Gap(_) => None,
        }
    }
}

/// The ladder of these events, as lines without line ends. `rows_max` bounds its height.
pub fn draw(events: &[CaseEvent], plan: Option<&Plan>, rows_max: usize, look: Look) -> Vec<String> {
    let rows = rows(events, plan);
    let rungs = elide(&rows, rows_max);
    let shown: Vec<&Row> = rungs.iter().filter_map(Rung::row).collect();
    let time = shown.iter().map(|row| row.at.to_string().len()).max().unwrap_or(0);
    let layout = Layout::fit(&shown, time, look);
    let lines = |rung: &Rung<'_>| match rung {
        Rung::Row(row) => layout.lines(row, look),
        Rung::Gap(n) => {
            let text = format!("{}  {} more", pad("...", time), count(*n, "event"));
            vec![format!("{INDENT}{}", paint(look.palette.dim, text))]
        }
    };
    rungs.iter().flat_map(lines).collect()
}

fn rows(events: &[CaseEvent], plan: Option<&Plan>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for event in events {
        let row = |side, text: &str, tone| Row {
            at: event.at,
            side,
            text: clean(text).into(),
            remark: String::new(),
            tone,
            open: false,
        };
        match &event.what {
            CaseEventKind::Sent { octets: _, line } => rows.push(row(Side::Sent, line, Tone::Plain)),
            CaseEventKind::Received { octets: _, line, claim } => match claim {
                Claim::Expected => rows.push(row(Side::Received, line, Tone::Plain)),
                Claim::Noise(why) => rows.push(Row {
                    remark: format!("legal: {}", clean(why)),
                    ..row(Side::Received, line, Tone::Noise)
                }),
                Claim::Passed(what) => {
                    rows.push(Row { remark: clean(what).into(), ..row(Side::Received, line, Tone::Plain) });
                }
                Claim::Wrong => rows.push(row(Side::Received, line, Tone::Wrong)),
                Claim::Unread => insert(&mut rows, row(Side::Received, line, Tone::Plain)),
            },
            CaseEventKind::Lost { octets: _, line, how } => {
                rows.push(Row { remark: clean(how).into(), ..row(Side::Lost, line, Tone::Noise) });
            }
            CaseEventKind::PeerApp { line } => {
                rows.push(row(Side::Aside, &format!("live: {line}"), Tone::Plain));
            }
            CaseEventKind::AppCalled { line } => {
                let call = row(Side::App, &format!("app: {line}"), Tone::Plain);
                rows.push(Row { open: true, ..call });
            }
            CaseEventKind::AppReplied { line } => match rows.last_mut() {
                // An answer that comes at once stands beside its call.
                Some(call) if call.open && event.at.since(call.at) < ANSWER_MAX => {
                    call.text = format!("{} -> {}", call.text, clean(line));
                    call.open = false;
                }
                Some(_) | None => rows.push(row(Side::App, &format!("app: -> {line}"), Tone::Plain)),
            },
            CaseEventKind::Note { text } => rows.push(row(Side::Aside, &format!("# {text}"), Tone::Noise)),
            CaseEventKind::Unsupported { why } => rows.push(row(Side::Aside, why, Tone::Wrong)),
            CaseEventKind::Inconclusive { why } => rows.push(row(Side::Aside, why, Tone::Wrong)),
            CaseEventKind::Broken { how } => rows.push(row(Side::Aside, how, Tone::Wrong)),
            // Marked below: a monitor speaks before the row it speaks of is there.
            CaseEventKind::Violated(_)
            | CaseEventKind::Late { .. }
            | CaseEventKind::Waited { .. }
            | CaseEventKind::StepStarted
            | CaseEventKind::StepSkipped
            | CaseEventKind::StepPassed
            | CaseEventKind::Observed { .. }
            | CaseEventKind::Passed(_)
            | CaseEventKind::Finished { .. } => {}
        }
    }
    for event in events {
        if let CaseEventKind::Violated(violation) = &event.what {
            mark(&mut rows, violation, plan);
        }
    }
    rows
}

/// Marks the row that a violation is about, or adds one where it is about something that never came.
fn mark(rows: &mut Vec<Row>, violation: &Violation, plan: Option<&Plan>) {
    let remark = format!("x {}", short_place(violation, plan));
    let side = match &violation.kind {
        ViolationKind::WrongAnswer
        | ViolationKind::TooEarly
        | ViolationKind::TooLate
        | ViolationKind::NotSilent
        | ViolationKind::Unexpected
        | ViolationKind::Monitor(_) => Some(Side::Received),
        ViolationKind::App | ViolationKind::Content => Some(Side::App),
        ViolationKind::NoAnswer | ViolationKind::Crashed | ViolationKind::Hung => None,
    };
    let it = |row: &&mut Row| Some(row.side) == side && row.at == violation.at;
    if let Some(row) = rows.iter_mut().rev().find(it) {
        row.tone = Tone::Wrong;
        if !row.remark.is_empty() {
            row.remark.push_str(", ");
        }
        row.remark.push_str(&remark);
        return;
    }
    let text = match &violation.kind {
        ViolationKind::Crashed => "(the target's process is gone)",
        ViolationKind::Hung => "(the target hangs)",
        ViolationKind::App | ViolationKind::Content => violation.got.as_deref().unwrap_or("(app: nothing)"),
        ViolationKind::WrongAnswer
        | ViolationKind::NoAnswer
        | ViolationKind::TooEarly
        | ViolationKind::TooLate
        | ViolationKind::NotSilent
        | ViolationKind::Unexpected
        | ViolationKind::Monitor(_) => violation.got.as_deref().unwrap_or("(nothing)"),
    };
    let (side, text) = (Side::App, clean(text).into());
    insert(rows, Row { at: violation.at, side, text, remark, tone: Tone::Wrong, open: false });
}

/// By its time, among rows that stand in the order of the steps.
fn insert(rows: &mut Vec<Row>, row: Row) {
    let place = rows.partition_point(|before| before.at <= row.at);
    rows.insert(place, row);
}

/// `step 2`, `step 1 of established`, `right-edge`.
fn short_place(violation: &Violation, plan: Option<&Plan>) -> String {
    if let ViolationKind::Monitor(id) = &violation.kind {
        return clean(id).into();
    }
    let Some((plan, index)) = plan.zip(violation.step) else { return "after the last step".into() };
    let Some(step) = plan.steps.get(index) else { return format!("step {}", index + 1) };
    match step.fixture.and_then(|f| plan.fixtures.get(f)) {
        Some(fixture) => format!("step {} of {}", step.number, clean(&fixture.id)),
        None => format!("step {}", step.number),
    }
}

/// Leaves out the middle: the beginning stays, and the last rows before each mark (or the end).
fn elide(rows: &[Row], rows_max: usize) -> Vec<Rung<'_>> {
    if rows.len() <= rows_max {
        return rows.iter().map(Rung::Row).collect();
    }
    // Two lines of the page go to the gaps.
    let budget = rows_max.saturating_sub(2).max(1);
    let first = ROWS_FIRST.min(budget / 2);
    let mark = rows.iter().rposition(|row| row.tone == Tone::Wrong).unwrap_or(rows.len() - 1);
    let end = (mark + 1 + ROWS_BEHIND).min(rows.len()).max(budget);
    let start = end - (budget - first);
    if start <= first {
        // The mark stands early: one stretch, and one gap at the end.
        let end = (rows_max - 1).min(rows.len());
        let rest = rows.len() - end;
        return rows[..end].iter().map(Rung::Row).chain([Rung::Gap(rest)]).collect();
    }
    let mut rungs: Vec<Rung<'_>> = rows[..first].iter().map(Rung::Row).collect();
    rungs.push(Rung::Gap(start - first));
    rungs.extend(rows[start..end].iter().map(Rung::Row));
    if end < rows.len() {
        rungs.push(Rung::Gap(rows.len() - end));
    }
    rungs
}

/// Where things stand on the page.
struct Layout {
    time: usize,
    /// Columns of the left text; `None` for one column with short arrows.
    beside: Option<usize>,
    arrow: usize,
    /// Columns of the text before the remarks.
    right: usize,
}

impl Layout {
    fn fit(rows: &[&Row], time: usize, look: Look) -> Self {
        let widest = |pick: fn(&Row) -> bool, of: fn(&Row) -> &str| {
            rows.iter().filter(|row| pick(row)).map(|row| columns(of(row))).max().unwrap_or(0)
        };
        let left = widest(|row| matches!(row.side, Side::Sent | Side::Lost), |row| &row.text);
        let right = widest(|row| matches!(row.side, Side::Received | Side::App), |row| &row.text);
        let remark = widest(|_| true, |row| &row.remark);
        let fixed =
            INDENT.len() + time + 3 * GAP.len() + left + right + if remark > 0 { 3 + remark } else { 0 };
        match look.width.checked_sub(fixed) {
            Some(room) if room >= ARROW_MIN => {
                Self { time, beside: Some(left), arrow: room.min(ARROW_MAX), right }
            }
            Some(_) | None => {
                let texts = widest(|row| row.side != Side::Aside && !row.remark.is_empty(), |row| &row.text);
                Self { time, beside: None, arrow: 3, right: texts }
            }
        }
    }

    /// The row, with its remark behind it or, where there is no room, below.
    fn lines(&self, row: &Row, look: Look) -> Vec<String> {
        let style = match row.tone {
            Tone::Plain => Style::new(),
            Tone::Noise => look.palette.dim,
            Tone::Wrong => look.palette.fail,
        };
        let at = row.at.to_string();
        let time = paint(look.palette.dim, format!("{at:>width$}", width = self.time));
        let body = self.body(row);
        let room = look.width.saturating_sub(INDENT.len() + self.time + GAP.len());
        let fits = |body: &str| columns(body) + REMARK.len() + columns(&row.remark) <= room;
        let short = body.trim_end();
        let head = |text: String| format!("{INDENT}{time}{GAP}{}", paint(style, text));
        if row.remark.is_empty() {
            vec![head(short.to_owned())]
        } else if fits(&body) {
            vec![head(format!("{body}{REMARK}{}", row.remark))]
        } else if fits(short) {
            vec![head(format!("{short}{REMARK}{}", row.remark))]
        } else {
            let below = INDENT.len() + self.time + 2 * GAP.len() + self.arrow;
            vec![head(short.to_owned()), format!("{:below$}{}", "", paint(style, &row.remark))]
        }
    }

    /// Everything between the time and the remark.
    fn body(&self, row: &Row) -> String {
        let text = &row.text;
        let Some(left) = self.beside else {
            let arrow = match row.side {
                Side::Sent => "-->",
                Side::Lost => "--x",
                Side::Received => "<--",
                Side::App | Side::Aside => "   ",
            };
            return format!("{arrow}{GAP}{}", pad(text, self.right));
        };
        let dashes = "-".repeat(self.arrow.saturating_sub(1));
        let (blank, none) = (" ".repeat(left), " ".repeat(self.arrow));
        match row.side {
            Side::Sent => {
                format!("{}{GAP}{dashes}>{GAP}{}", pad(text, left), " ".repeat(self.right))
            }
            Side::Lost => {
                let half = "-".repeat(self.arrow / 2);
                let rest = " ".repeat(self.arrow.saturating_sub(half.len() + 1) + GAP.len() + self.right);
                format!("{}{GAP}{half}x{rest}", pad(text, left))
            }
            Side::Received => format!("{blank}{GAP}<{dashes}{GAP}{}", pad(text, self.right)),
            Side::App => format!("{blank}{GAP}{none}{GAP}{}", pad(text, self.right)),
            Side::Aside => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
