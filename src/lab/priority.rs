//! The priority of the threads that lanes run on.
//!
//! A segment that leaves late may change a verdict, so whoever has to be in time asks to go first. Lanes wait most of the
//! time and never work for long, so nobody is kept from the processor. Without the permission everything works as well,
//! only more cases may have to be tried again on a busy machine.

/// The lowest of the priorities that go before all ordinary threads.
const PRIORITY: libc::c_int = 1;
/// That of a thread which does next to nothing, and must not wait for lanes that work.
const PRIORITY_OF_A_WATCH: libc::c_int = PRIORITY + 1;

/// Lets the calling thread go before all ordinary ones (sched(7)), if this process may; tells whether it does.
///
/// Programs that it starts are ordinary again.
pub fn go_first() -> bool {
    go(PRIORITY)
}

/// Lets the calling thread go before those that go first, too.
pub fn go_before_lanes() -> bool {
    go(PRIORITY_OF_A_WATCH)
}

fn go(priority: libc::c_int) -> bool {
    // SAFETY: plain numbers, for which zero is a value.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = priority;
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: a whole `sched_param` that outlives the call; 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) == 0 }
}

/// Finds out whether [`go_first`] would be allowed, on a thread of its own.
#[must_use]
pub fn may_go_first() -> bool {
    std::thread::spawn(go_first).join().unwrap_or(false)
}
