//! Every row of the state/event matrix as a test of its own.
//!
//! The rows are read from `suites/catalog/state-event-matrix.yaml`. A row is proved by bringing an [`Endpoint`]
//! into its state by segments and calls alone (`scene`), doing what its event class stands for (`segments`,
//! `calls`) and holding the segments that come out, the variables, the next state and what the application learns
//! against the row (`verdict`, `signal`). A row of no particular variant must hold with and without RFC 5961, and
//! one about SYN-RECEIVED for both roads into it. A row that is neither in the tables nor in [`EXCUSED`] fails,
//! and so does an excuse for a row that does not exist.
//!
//! [`Endpoint`]: tcpspec_reference::Endpoint
#![allow(clippy::disallowed_methods, reason = "a test reads the catalogue from disk")]

mod calls;
mod catalogue;
mod host;
mod scene;
mod segments;
mod signal;
mod stimulus;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};

use libtest_mimic::{Arguments, Failed, Trial};
use tcpspec_reference::Config;

use catalogue::Row;
use scene::Origin;
use stimulus::Stimulus;

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../suites/catalog/state-event-matrix.yaml");

/// No security/compartment: RFC 9293 appendix A.1.2 says that hosts outside multilevel security drop the checks.
const NO_COMPARTMENTS: &str = "the endpoint has no security/compartment (RFC 9293 A.1.2)";
/// A listener is no connection, as with sockets: `send`, `recv` and `status` take a connection.
const NOT_A_CONNECTION: &str = "a listener is of a type that SEND, RECEIVE and STATUS do not take";

/// Rows that cannot be shown, and why.
const EXCUSED: [(&str, &str); 15] = [
    ("SEM-LIS-09", NO_COMPARTMENTS),
    ("SEM-SSE-13", NO_COMPARTMENTS),
    ("SEM-SSE-14", NO_COMPARTMENTS),
    ("SEM-SRC-23", NO_COMPARTMENTS),
    ("SEM-EST-14", NO_COMPARTMENTS),
    ("SEM-FW1-14", NO_COMPARTMENTS),
    ("SEM-FW2-14", NO_COMPARTMENTS),
    ("SEM-CWT-10", NO_COMPARTMENTS),
    ("SEM-CLG-10", NO_COMPARTMENTS),
    ("SEM-LAK-10", NO_COMPARTMENTS),
    ("SEM-TWT-09", NO_COMPARTMENTS),
    ("SEM-LIS-16", NOT_A_CONNECTION),
    ("SEM-LIS-17", NOT_A_CONNECTION),
    ("SEM-LIS-18", NOT_A_CONNECTION),
    ("SEM-LIS-21", NOT_A_CONNECTION),
];

fn main() {
    let arguments = Arguments::from_args();
    let text = std::fs::read_to_string(CATALOGUE).expect("the catalogue is there");
    let rows = catalogue::rows(&text);
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut trials = vec![Trial::test("every excuse is for a row", move || excuses_are_for_rows(&ids))];
    trials.extend(rows.into_iter().map(|row| {
        let excuse = EXCUSED.iter().find(|(id, _)| *id == row.id);
        let name = match excuse {
            Some((id, why)) => format!("{id} {} · {why}", row.class),
            None => format!("{} {} · {} · {}", row.id, row.state, row.class, row.variant),
        };
        Trial::test(name, move || prove(&row)).with_ignored_flag(excuse.is_some())
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn excuses_are_for_rows(ids: &[String]) -> Result<(), Failed> {
    match EXCUSED.iter().find(|(id, _)| !ids.iter().any(|row| row == id)) {
        Some((id, _)) => Err(format!("{id} is excused and does not exist").into()),
        None => Ok(()),
    }
}

/// All stimuli of a row, in all configurations that it is about.
fn prove(row: &Row) -> Result<(), Failed> {
    let stimuli = if row.is_segment { segments::stimuli(row) } else { calls::stimuli(row) };
    let stimuli = stimuli.ok_or("the row is neither in a table nor excused")?;
    let mut failures = String::new();
    for stimulus in &stimuli {
        for (variant, tune) in variants(row) {
            for origin in origins(row) {
                let tried = catch_unwind(AssertUnwindSafe(|| try_one(row, stimulus, tune, origin)));
                let failed = match tried {
                    Ok(Ok(())) => continue,
                    Ok(Err(why)) => why,
                    Err(panic) => match panic.downcast_ref::<String>() {
                        Some(why) => why.clone(),
                        None => "a panic".to_owned(),
                    },
                };
                failures.push_str(&format!("{} ({variant}, {origin:?} open): {failed}\n", stimulus.what));
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

type Tune = fn(&mut Config);

/// Which stacks the row is about.
fn variants(row: &Row) -> Vec<(&'static str, Tune)> {
    let modern: (&str, Tune) = ("rfc5961", |_| {});
    let classic: (&str, Tune) = ("classic", |config| config.rfc5961 = false);
    match row.variant.as_str() {
        "base" => vec![modern, classic],
        "rfc5961" => vec![modern],
        // Old stacks refused new incarnations in TIME-WAIT as well.
        "classic" => vec![("classic", |config| {
            config.rfc5961 = false;
            config.time_wait_reuse = false;
        })],
        "rfc1337" => vec![("rfc1337", |config| config.rfc1337 = true)],
        "rfc6191" | "reuse" => vec![("reuse", |config| config.time_wait_reuse = true)],
        "half-duplex" => vec![modern],
        other => panic!("the test does not know the variant {other}"),
    }
}

fn origins(row: &Row) -> Vec<Origin> {
    match (row.origin.as_deref(), row.state.as_str(), row.class.as_str()) {
        (Some("passive"), _, _) => vec![Origin::Passive],
        (Some("active"), _, _) | (_, "SYN-SENT", _) => vec![Origin::Active],
        // "Only where the target was the active opener"
        (_, _, "syn,ack retransmitted") => vec![Origin::Active],
        // A new incarnation needs a listener.
        (_, "CLOSED" | "LISTEN" | "TIME-WAIT", _) => vec![Origin::Passive],
        _ => vec![Origin::Passive, Origin::Active],
    }
}

fn try_one(row: &Row, stimulus: &Stimulus, tune: Tune, origin: Origin) -> Result<(), String> {
    let mut config = scene::config();
    tune(&mut config);
    (stimulus.tune)(&mut config);
    let mut host = scene::enter(&row.state, origin, stimulus.scene, config);
    let trace = verdict::run(&mut host, row, stimulus, origin);
    verdict::judge(&mut host, row, stimulus, &trace)
}
