//! One processor's queue for all frames of a wire, so that they come in the order in which they were sent.
//!
//! A veth puts each frame into a queue of the processor that sends it, and every processor works its own queue off when it
//! comes to it. So two segments of one connection that are sent on two processors may change places on the way, and what
//! they say together becomes false: an ACK that moves back. Receive packet steering (RPS) names the processor instead,
//! whoever sends; and a connection sends under its lock, so the order of the queue is that of the target. A namespace says
//! which processor its devices begin with (`net.core.rps_default_mask`, Linux 6.3), before they are made.
//!
//! What we send needs none of that: the kernel works it off before the call is over, or else the wire
//! waits for it before whatever could overtake it.

use super::sysctl;
use crate::lane::SetupError;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

const MASK: &str = "net.core.rps_default_mask";
/// To the calls about processors: the calling thread.
const THIS: Pid = Pid::from_raw(0);

/// The processors to which wires may be steered.
#[derive(Debug, Clone)]
pub(super) struct Steering {
    processors: Vec<usize>,
}

impl Steering {
    /// Those that this process may run on, or else any, as far as the kernel steers frames to them (`isolcpus=` keeps some
    /// out of it); none where it steers none. To be called in a namespace of our own, which is left without steering.
    pub(super) fn find() -> Result<Self, SetupError> {
        let mut processors = Vec::new();
        if is_known() {
            processors = own_processors().into_iter().filter(|cpu| steer_to(*cpu).is_ok()).collect();
            if processors.is_empty() {
                processors = (0..CpuSet::count()).filter(|cpu| steer_to(*cpu).is_ok()).collect();
            }
            sysctl::write(MASK, "0")?;
        }
        Ok(Self { processors })
    }

    /// The processor of the `n`th wire: each has its share.
    pub(super) fn processor(&self, n: usize) -> Option<usize> {
        self.processors.get(n.checked_rem(self.processors.len())?).copied()
    }
}

/// Has the frames of all devices that are made in the calling thread's namespace from now on go through one queue.
pub(super) fn steer_to(processor: usize) -> Result<(), SetupError> {
    sysctl::write(MASK, &mask(processor))
}

/// False where this kernel's wires keep no order unless whoever sends stays on one processor.
#[must_use]
pub fn is_known() -> bool {
    sysctl::is_known(MASK)
}

/// Keeps the calling thread to the first of the processors that this process may run on. Threads that make a target send
/// do so where frames cannot be steered: then there is one queue, too.
pub fn keep_to_one_processor() {
    let mut one = CpuSet::new();
    if let Some(first) = own_processors().first()
        && one.set(*first).is_ok()
    {
        // A thread may always keep to fewer processors.
        let _kept = sched_setaffinity(THIS, &one);
    }
}

fn own_processors() -> Vec<usize> {
    let own = sched_getaffinity(THIS).unwrap_or_default();
    (0..CpuSet::count()).filter(|cpu| own.is_set(*cpu) == Ok(true)).collect()
}

/// What a set of one processor looks like: words of 32 bits in hexadecimal, the lowest last.
fn mask(processor: usize) -> String {
    let lower_words = ",00000000".repeat(processor / 32);
    format!("{:x}{lower_words}", 1_u32 << (processor % 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "1")]
    #[case(5, "20")]
    #[case(31, "80000000")]
    #[case(32, "1,00000000")]
    #[case(70, "40,00000000,00000000")]
    fn masks(#[case] processor: usize, #[case] text: &str) {
        assert_eq!(mask(processor), text);
    }

    #[test]
    fn wires_take_turns() {
        let two = Steering { processors: vec![3, 7] };
        assert_eq!([0, 1, 2].map(|n| two.processor(n)), [Some(3), Some(7), Some(3)]);
        assert_eq!(Steering { processors: vec![] }.processor(5), None);
    }

    #[test]
    fn a_thread_keeps_to_one_processor() {
        let kept = std::thread::spawn(|| {
            let before = own_processors();
            keep_to_one_processor();
            (before, own_processors())
        });
        let (before, after) = kept.join().unwrap();
        assert_eq!(after, before[..1]);
    }
}
