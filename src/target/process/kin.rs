//! What a program has started and left behind: daemons, and what those started.
//!
//! On Linux whoever loses its parent becomes a child of this process, so what was left is found among our own children, by
//! the mark in its environment or by the namespace that it is in. To look through all of /proc instead, at the end of every
//! case, takes longer than most cases, for there is a program for every lane. It must not know what the programs are for.
#![allow(clippy::disallowed_methods, reason = "reads /proc")]

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpgid, getsid};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// By this variable everything that a program started is found again.
pub(super) const TOKEN: &str = "TCPSPEC_TOKEN";

/// How often what is left is looked for: a program that forks for ever is not won by looking.
const ROUNDS_MAX: usize = 8;
/// Killed is not gone: the kernel may be busy.
const DEATH_PATIENCE: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The programs that run, or are dead and not buried: children of ours that nobody has left behind.
static PROGRAMS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn programs() -> MutexGuard<'static, BTreeSet<i32>> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of whoever loses its own. To be called before a program is started.
pub(super) fn adopt() {
    static ONCE: Once = Once::new();
    #[cfg(target_os = "linux")]
    ONCE.call_once(|| {
        // SAFETY: takes numbers. Where it is refused, what was left is looked for in all of /proc.
        let _refused = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    });
    #[cfg(not(target_os = "linux"))]
    ONCE.call_once(|| {});
}

/// A program that was started, with what tells its kin from that of others.
#[derive(Debug)]
pub(super) struct Family {
    /// The first, by whose number their group goes.
    pub(super) leader: Pid,
    pub(super) token: String,
    /// The number of a namespace that is its own.
    pub(super) namespace: Option<u64>,
}

impl Family {
    pub(super) fn born(&self) {
        programs().insert(self.leader.as_raw());
    }

    /// Waits for the death of the leader, and leaves it unburied: until then nobody else has its number.
    pub(super) fn until_dead(&self) {
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(self.leader), how) == Err(Errno::EINTR) {}
        programs().remove(&self.leader.as_raw());
    }

    /// To the group, as long as that is nobody else's.
    pub(super) fn signal(&self, signal: Signal) {
        let programs = programs();
        if programs.contains(&self.leader.as_raw()) {
            let _gone = killpg(self.leader, signal);
        }
    }

    /// Kills what the leader has left behind. What it started is ours since its death.
    pub(super) fn end(&self) {
        // What is being started while we look is found the next time.
        for _ in 0..ROUNDS_MAX {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            for id in &left {
                let _gone = kill(*id, Signal::SIGKILL);
            }
            left.into_iter().for_each(bury_in_time);
        }
    }

    /// The processes that it has left behind and that are still there, dying ones aside.
    fn left(&self) -> Vec<Pid> {
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let strangers = {
            let programs = programs();
            let known = |id: &i32| *id == own || programs.contains(id);
            candidates(own).into_iter().filter(|id| !known(id)).collect::<Vec<i32>>()
        };
        strangers.into_iter().filter(|id| self.is_kin(*id)).map(Pid::from_raw).collect()
    }

    /// Others' processes cannot be read, and are not ours; what is dead has neither.
    fn is_kin(&self, id: i32) -> bool {
        let mark = format!("{TOKEN}={}", self.token);
        let environ = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        if environ.split(|octet| *octet == 0).any(|variable| variable == mark.as_bytes()) {
            return true;
        }
        let place = || std::fs::metadata(format!("/proc/{id}/ns/net")).map(|place| place.ino()).ok();
        if self.namespace.is_some() && place() == self.namespace {
            return true;
        }
        bury(Pid::from_raw(id));
        false
    }
}

/// Our children, where the kernel tells them; else all that there is. The children of those who die are given to the first
/// thread of their new parent.
fn candidates(own: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/self/task/{own}/children"));
    if let (Ok(children), true) = (children, is_adopting()) {
        return children.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect();
    }
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(target_os = "linux")]
fn is_adopting() -> bool {
    let mut is_on: libc::c_int = 0;
    // SAFETY: the kernel writes one number to where the second argument points.
    let asked = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut is_on, 0, 0, 0) };
    asked == 0 && is_on != 0
}

#[cfg(not(target_os = "linux"))]
fn is_adopting() -> bool {
    false
}

/// A daemon that has ended by itself waits for its new parent to notice. Nobody else waits for a child of a foreign session.
fn bury(id: Pid) {
    let is_foreign = getsid(Some(id)).is_ok_and(|session| getsid(None).is_ok_and(|own| own != session));
    let is_orphan =
        is_foreign || getpgid(Some(id)).is_ok_and(|group| group != id && group != nix::unistd::getpgrp());
    if is_orphan {
        let _still_there = waitid(Id::Pid(id), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
    }
}

/// Waits for the death of a child. Of one that is not ours the kernel tells nothing.
fn bury_in_time(id: Pid) {
    let begun = Instant::now();
    while begun.elapsed() < DEATH_PATIENCE {
        match waitid(Id::Pid(id), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => sleep(LOOK_AGAIN),
            Ok(_) | Err(_) => return,
        }
    }
}
