//! Limits of this process that lanes run into.

use std::mem::MaybeUninit;

/// Descriptors of a lane: its namespace, wire, sockets and pollers, with some to spare.
pub const FILES_OF_A_LANE: u64 = 12;
/// The same where the target is a program: pipes, and what is watched of its threads.
pub const FILES_OF_A_PROGRAM: u64 = 28;
/// Beside all lanes: reports, the runtime, the tester's side.
const FILES_BESIDE: u64 = 100;

/// How many lanes of so many files the limit on open files has room for, after raising it as far as a process may.
#[must_use]
pub fn lanes_by_open_files(each: u64) -> usize {
    let most = raise_open_files().saturating_sub(FILES_BESIDE) / each.max(1);
    usize::try_from(most).unwrap_or(usize::MAX).max(1)
}

/// Raises the soft limit to the hard one, which every process may, and tells what it is now.
fn raise_open_files() -> u64 {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the call fills a whole `rlimit`, and says so by its result.
    let mut limit = unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) != 0 {
            return u64::MAX;
        }
        limit.assume_init()
    };
    let before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: a whole `rlimit` that outlives the call.
    let raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0;
    if raised { limit.rlim_max } else { before }
}
