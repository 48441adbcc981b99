//! How long a program has waited for a processor: while it waits there, it cannot answer.
//!
//! Owns what the kernel counts for each thread (`/proc/PID/task/TID/schedstat`). It must not know what follows from it.
//! Where the kernel does not count, nothing is known.
//!
//! The files are opened by a thread of ordinary priority and only read by those that ask. To look something up in the
//! directory of a process that is dying can mean to wait for that process, and the kernel waits there by trying again and
//! again: a thread that goes before all others (a lane) would keep from the processor the very one that it waits for.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "reads /proc")]

use std::collections::BTreeMap;
use std::fs::{File, read_dir, read_to_string};
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// A program with more threads is looked at no further; each needs two open files.
pub(crate) const THREADS_MAX: usize = 8;

/// What the kernel has counted for a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    ran_ns: u64,
    /// Not with the waiting that is not over yet.
    waited_ns: u64,
    turns: u64,
}

/// The files of a thread, and what they said last.
#[derive(Debug)]
struct Thread {
    counts: File,
    state: File,
    last: Counts,
}

/// Whose threads are to be found, and where they are to be put.
type Asked = (i32, Arc<Mutex<Threads>>);

type Threads = BTreeMap<(i32, i32), Thread>;

/// The threads of a program and of what it has started.
#[derive(Debug, Default)]
pub(super) struct Waits {
    threads: Arc<Mutex<Threads>>,
    looked_at: Option<Instant>,
}

impl Waits {
    /// From now on: finds out which threads there are. Does not wait until they are found.
    pub(super) fn begin(&mut self, leader: i32) {
        static FINDER: OnceLock<Option<Sender<Asked>>> = OnceLock::new();
        let finder = FINDER.get_or_init(|| {
            let (ask, asked) = channel::<Asked>();
            let find = move || asked.into_iter().for_each(|(leader, known)| find(leader, &known));
            thread::Builder::new().name("threads".into()).spawn(find).ok().map(|_| ask)
        });
        if let Some(finder) = finder {
            let _ended = finder.send((leader, Arc::clone(&self.threads)));
        }
        let _before = self.look();
        self.looked_at = Some(Instant::now());
    }

    /// How long any one thread has waited since the last look.
    pub(super) fn look(&mut self) -> Option<Duration> {
        let since = self.looked_at?.elapsed();
        let mut threads = match self.threads.try_lock() {
            Ok(threads) => threads,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Just being found; the next look tells it.
            Err(TryLockError::WouldBlock) => return None,
        };
        self.looked_at = Some(Instant::now());
        let mut longest = None;
        threads.retain(|_, thread| {
            let Some(now) = Counts::read(&thread.counts) else { return false };
            let before = std::mem::replace(&mut thread.last, now);
            // What has not had a turn since, and could have one, has waited all the time.
            let waited = match before == now && is_runnable(&thread.state) {
                true => since,
                false => Duration::from_nanos(now.waited_ns.saturating_sub(before.waited_ns)),
            };
            longest = longest.max(Some(waited));
            true
        });
        longest
    }
}

impl Counts {
    fn read(file: &File) -> Option<Self> {
        let text = text_of(file)?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { ran_ns: next()?, waited_ns: next()?, turns: next()? })
    }
}

/// On a processor or waiting for one. The state stands behind the name, which may hold anything.
fn is_runnable(file: &File) -> bool {
    let stat = text_of(file).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
}

/// What a file that is made anew at each reading says now; nothing once its thread is gone.
fn text_of(file: &File) -> Option<String> {
    let mut buffer = [0; 512];
    let len = file.read_at(&mut buffer, 0).ok().filter(|len| *len > 0)?;
    Some(String::from_utf8_lossy(buffer.get(..len)?).into_owned())
}

/// Adds the threads of a process and of those below it that are not known yet.
fn find(leader: i32, known: &Mutex<Threads>) {
    let mut processes = vec![leader];
    let mut found = Vec::new();
    while let Some(process) = processes.pop() {
        let tasks = read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        for id in tasks.filter_map(|task| task.file_name().to_str()?.parse::<i32>().ok()) {
            if found.len() == THREADS_MAX {
                break;
            }
            let place = format!("/proc/{process}/task/{id}");
            let open = |name: &str| File::open(format!("{place}/{name}")).ok();
            found.extend(open("schedstat").zip(open("stat")).and_then(|(counts, state)| {
                let last = Counts::read(&counts)?;
                Some(((process, id), Thread { counts, state, last }))
            }));
            let children = read_to_string(format!("{place}/children")).unwrap_or_default();
            processes.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<i32>().ok()));
        }
    }
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    for (id, thread) in found {
        if known.len() < THREADS_MAX {
            known.entry(id).or_insert(thread);
        }
    }
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
        assert_eq!(of_busy.look(), None, "nobody has begun");
        tokio::time::sleep(Duration::from_millis(300)).await;
        of_busy.begin(busy.id());
        of_idle.begin(idle.id());
        tokio::time::sleep(Duration::from_millis(900)).await;
        let Some(waited) = of_busy.look() else {
            assert!(!std::path::Path::new("/proc/self/schedstat").exists(), "the kernel counts");
            return;
        };
        assert!(waited > Duration::from_millis(100), "{waited:?}");
        assert!(of_idle.look().unwrap() < waited / 4);
        busy.stop().await;
        idle.stop().await;
        assert_eq!(of_busy.look(), None, "it is gone");
    }
}
