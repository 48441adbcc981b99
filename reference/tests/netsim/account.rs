//! Counts the octets that one thread has allocated while a switch is on, so that an endpoint's memory can be told
//! from that of the test around it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator with a meter.
pub(crate) struct Metered;

fn note(change: isize) {
    if COUNTING.get() {
        LIVE.set(LIVE.get() + change);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: as asked of us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: as asked of us.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size as isize - layout.size() as isize);
        // SAFETY: as asked of us.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs `work`, an endpoint's call, and adds what it leaves allocated to `live`.
pub(crate) fn metered<R>(live: &mut isize, work: impl FnOnce() -> R) -> R {
    COUNTING.set(true);
    LIVE.set(0);
    let result = work();
    COUNTING.set(false);
    *live += LIVE.get();
    result
}
