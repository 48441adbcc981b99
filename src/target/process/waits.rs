//! How long a program has waited for a processor: while it waits there, it cannot answer.
//!
//! Owns reading what the kernel counts for each thread (`/proc/PID/task/TID/schedstat`). It must not know what follows from
//! it. Where the kernel does not count, nothing is known.
#![allow(clippy::disallowed_methods, reason = "reads /proc")]

use std::collections::BTreeMap;
use std::fs::{read_dir, read_to_string};
use std::time::{Duration, Instant};

/// A program with more threads is looked at no further.
const THREADS_MAX: usize = 64;

/// What the kernel has counted for a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    ran_ns: u64,
    /// Not with the waiting that is not over yet.
    waited_ns: u64,
    turns: u64,
}

/// The threads of a program and of what it has started, as they were when they were looked at last.
#[derive(Debug, Default)]
pub(super) struct Waits {
    seen: BTreeMap<(i32, i32), Counts>,
    looked_at: Option<Instant>,
}

impl Waits {
    /// How long any one thread has waited since the last look. The first look tells nothing.
    pub(super) fn look(&mut self, leader: i32) -> Option<Duration> {
        let now = Instant::now();
        let since = self.looked_at.replace(now).map(|at| now - at);
        let threads = threads(leader);
        let counts = threads.into_iter().filter_map(|thread| Some((thread, Counts::read(thread)?)));
        let seen = std::mem::replace(&mut self.seen, counts.collect());
        let waited = self.seen.iter().map(|(thread, now)| {
            let Some(before) = seen.get(thread) else { return Duration::from_nanos(now.waited_ns) };
            // What has not had a turn since, and could have one, has waited all the time.
            if before == now && is_runnable(*thread) {
                return since.unwrap_or_default();
            }
            Duration::from_nanos(now.waited_ns.saturating_sub(before.waited_ns))
        });
        waited.max().filter(|_| since.is_some())
    }
}

impl Counts {
    fn read((process, thread): (i32, i32)) -> Option<Self> {
        let text = read_to_string(format!("/proc/{process}/task/{thread}/schedstat")).ok()?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { ran_ns: next()?, waited_ns: next()?, turns: next()? })
    }
}

/// The threads of a process and of those below it.
fn threads(leader: i32) -> Vec<(i32, i32)> {
    let (mut found, mut processes) = (Vec::new(), vec![leader]);
    while let Some(process) = processes.pop() {
        let tasks = read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        for thread in tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()) {
            if found.len() >= THREADS_MAX {
                return found;
            }
            found.push((process, thread));
            let children = read_to_string(format!("/proc/{process}/task/{thread}/children"));
            let children = children.unwrap_or_default();
            processes.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<i32>().ok()));
        }
    }
    found
}

/// On a processor or waiting for one. The state stands behind the name, which may hold anything.
fn is_runnable((process, thread): (i32, i32)) -> bool {
    let stat = read_to_string(format!("/proc/{process}/task/{thread}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::target::process::{Order, Place};

    /// Two that spin on one processor wait for each other half of the time; one that sleeps waits for nothing.
    #[tokio::test]
    async fn who_shares_a_processor_waits_for_it() {
        let order = |line: &str| Order {
            argv: ["sh", "-c", line].map(str::to_owned).to_vec(),
            env: BTreeMap::new(),
            directory: "/".into(),
            fd: None,
        };
        let spin = "taskset -c 0 sh -c 'while :; do :; done' & taskset -c 0 sh -c 'while :; do :; done'";
        let (busy, _in, _out) = order(spin).start(&Place::Here).await.unwrap();
        let (idle, _in2, _out2) = order("sleep 60").start(&Place::Here).await.unwrap();
        let (mut of_busy, mut of_idle) = (Waits::default(), Waits::default());
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            (of_busy.look(busy.id()), of_idle.look(idle.id())),
            (None, None),
            "the first look tells nothing"
        );
        tokio::time::sleep(Duration::from_millis(600)).await;
        let Some(waited) = of_busy.look(busy.id()) else {
            assert!(!std::path::Path::new("/proc/self/schedstat").exists(), "the kernel counts");
            return;
        };
        assert!(waited > Duration::from_millis(100), "{waited:?}");
        assert!(of_idle.look(idle.id()).unwrap() < waited / 4);
        busy.stop().await;
        idle.stop().await;
    }
}
