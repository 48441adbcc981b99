//! `durations.json`: how long cases took, beside the record of the run, so that the next one begins with the longest.
#![allow(clippy::disallowed_methods, reason = "a file that the next run reads")]

use super::error::{Failure, shown};
use crate::event::CaseFinished;
use crate::run::Durations;
use crate::suite::model::Family;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    schema: u32,
    /// Milliseconds, by id and family: `{"close/active/x": {"4": 12.5}}`.
    cases: BTreeMap<String, BTreeMap<Family, f64>>,
}

fn path(directory: &Path) -> PathBuf {
    directory.join("durations.json")
}

/// What earlier runs into this directory remember. It is only a memory: what cannot be understood is forgotten.
pub(super) fn read(directory: &Path) -> Durations {
    let text = fs::read(path(directory)).unwrap_or_default();
    let Ok(File { schema: SCHEMA, cases }) = serde_json::from_slice(&text) else { return Durations::new() };
    let spans = |(id, families): (String, BTreeMap<Family, f64>)| {
        let span = |ms: f64| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        families.into_iter().map(move |(family, ms)| ((id.clone(), family), span(ms)))
    };
    cases.into_iter().flat_map(spans).collect()
}

/// Remembers these cases, and still those that did not run.
pub(super) fn write(directory: &Path, known: Durations, ran: &[CaseFinished]) -> Result<(), Failure> {
    let mut known = known;
    for case in ran.iter().filter(|case| !case.tries.is_empty()) {
        known.insert((case.info.id.clone(), case.info.family), case.verdict.took);
    }
    let mut cases: BTreeMap<String, BTreeMap<Family, f64>> = BTreeMap::new();
    for ((id, family), span) in known {
        let ms = (span.as_secs_f64() * 10_000.0).round() / 10.0;
        cases.entry(id).or_default().insert(family, ms);
    }
    let text = serde_json::to_string(&File { schema: SCHEMA, cases }).expect("plain data is always JSON");
    let path = path(directory);
    // Never half of it, whenever the process ends.
    let half = path.with_extension("json.new");
    let written: io::Result<()> = fs::write(&half, text + "\n").and_then(|()| fs::rename(&half, &path));
    written.map_err(|error| Failure::write(shown(&path), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Outcome;
    use crate::report::sample;

    #[test]
    fn what_ran_is_remembered_beside_what_did_not() {
        let directory = std::env::temp_dir().join(format!("tcpspec-durations-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        assert_eq!(read(&directory), Durations::new());
        let earlier = Durations::from([(("a/b/other".to_owned(), Family::V6), Duration::from_millis(1500))]);
        let ran = [sample::ended(Outcome::Pass), sample::ended(Outcome::Unsupported)];
        write(&directory, earlier, &ran).unwrap();
        let known = read(&directory);
        let of = |id: &str, family| known.get(&(id.to_owned(), family)).copied();
        assert_eq!(of("a/b/other", Family::V6), Some(Duration::from_millis(1500)));
        assert_eq!(of("handshake/passive/pass", Family::V4), Some(Duration::from_micros(3_200)));
        assert_eq!(known.len(), 2, "what was not run took no time: {known:?}");
        fs::write(path(&directory), "{\"schema\":2}").unwrap();
        assert_eq!(read(&directory), Durations::new());
        fs::remove_dir_all(&directory).unwrap();
    }
}
