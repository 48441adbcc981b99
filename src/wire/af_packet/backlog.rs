//! Whether the kernel has worked off what was put on a wire.
//!
//! A veth puts each frame into the queue of the processor that sends it, and the call that sends works the queue off before
//! it returns. Not always: the kernel does so for about two milliseconds and leaves the rest to a thread; and where another
//! processor has begun to steer frames to the same queue, and has not told so yet, a frame waits there until it has, though
//! the call was over at once. The kernel's own count tells, `/proc/net/softnet_stat`. Owns its reading, of four microseconds.
//! It must not know what a frame is.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "reads /proc")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// The queues of all processors at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backlog(Vec<Queue>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Queue {
    processor: u32,
    /// How many frames this processor has taken from queues, as 32 bits count.
    taken: u32,
    waiting: u32,
}

impl Backlog {
    /// `None` where the kernel does not tell (before Linux 5.10).
    pub(super) fn read() -> Option<Self> {
        static STAT: OnceLock<Option<File>> = OnceLock::new();
        let file = STAT.get_or_init(|| File::open("/proc/net/softnet_stat").ok()).as_ref()?;
        let mut text = vec![0; 16 << 10];
        let mut len = 0;
        loop {
            let read = file.read_at(text.get_mut(len..)?, len as u64).ok()?;
            len += read;
            if read == 0 {
                return Self::parse(std::str::from_utf8(text.get(..len)?).ok()?);
            }
            if len == text.len() {
                text.resize(2 * len, 0);
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        text.lines().map(Queue::parse).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether all that waited at this moment had been taken at that later one.
    pub(super) fn is_gone_by(&self, later: &Self) -> bool {
        self.0.iter().filter(|queue| queue.waiting > 0).all(|queue| {
            // A processor that was switched off has handed on what it had.
            let now = later.0.iter().find(|now| now.processor == queue.processor);
            now.is_none_or(|now| now.waiting == 0 || now.taken.wrapping_sub(queue.taken) >= queue.waiting)
        })
    }
}

impl Queue {
    fn parse(line: &str) -> Option<Self> {
        let field = |n| u32::from_str_radix(line.split_ascii_whitespace().nth(n)?, 16).ok();
        Some(Self { processor: field(12)?, taken: field(0)?, waiting: field(11)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(queues: &[(u32, u32, u32)]) -> Backlog {
        let line = |(processor, taken, waiting): &(u32, u32, u32)| {
            format!("{taken:08x} 0 1 0 0 0 0 0 0 5 0 {waiting:08x} {processor:08x} 0 0\n")
        };
        Backlog::parse(&queues.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn what_waited_is_gone_when_as_much_was_taken() {
        let before = stat(&[(0, 0xffff_ffff, 3), (1, 7, 0)]);
        assert!(before.is_gone_by(&stat(&[(0, 2, 9), (1, 7, 4)])), "and others wait by now");
        assert!(!before.is_gone_by(&stat(&[(0, 1, 1), (1, 90, 0)])));
        assert!(before.is_gone_by(&stat(&[(0, 1, 0), (1, 7, 0)])));
        assert!(before.is_gone_by(&stat(&[(1, 7, 0)])));
        assert!(stat(&[(0, 4, 0)]).is_gone_by(&stat(&[(0, 4, 2)])), "nothing waited");
    }

    #[test]
    fn a_kernel_that_does_not_tell_is_not_believed_to() {
        assert_eq!(Backlog::parse("0124a89d 00000000 00000007 0 0 0 0 0 0 0010f327 0\n"), None);
    }

    /// On any machine that tests run on.
    #[test]
    fn this_kernel_tells() {
        let backlog = Backlog::read().expect("Linux 5.10");
        let cpus = std::thread::available_parallelism().unwrap().get();
        assert!(backlog.0.len() >= cpus, "{backlog:?}");
    }
}
