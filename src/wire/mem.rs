//! The wire of the `sim` lane: two queues in memory, and a delay in virtual time.

use crate::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// One way takes this long: short against every timer, long enough that order is seen.
pub const LATENCY: Duration = Duration::from_micros(50);

#[derive(Debug, Default)]
pub struct MemWire {
    to_target: VecDeque<(Time, Vec<u8>)>,
    to_peer: VecDeque<(Time, Vec<u8>)>,
}

impl MemWire {
    pub fn send_to_target(&mut self, now: Time, packet: Vec<u8>) {
        self.to_target.push_back((now + LATENCY, packet));
    }

    pub fn send_to_peer(&mut self, now: Time, packet: Vec<u8>) {
        self.to_peer.push_back((now + LATENCY, packet));
    }

    /// What has arrived at the target by now.
    pub fn at_target(&mut self, now: Time) -> Option<Vec<u8>> {
        due(&mut self.to_target, now)
    }

    /// What has arrived at the injector by now.
    pub fn at_peer(&mut self, now: Time) -> Option<Vec<u8>> {
        due(&mut self.to_peer, now)
    }

    /// When the next packet arrives somewhere.
    pub fn next_arrival(&self) -> Option<Time> {
        let first = |queue: &VecDeque<(Time, Vec<u8>)>| queue.front().map(|(at, _)| *at);
        first(&self.to_target).into_iter().chain(first(&self.to_peer)).min()
    }
}

fn due(queue: &mut VecDeque<(Time, Vec<u8>)>, now: Time) -> Option<Vec<u8>> {
    if queue.front().is_some_and(|(at, _)| *at <= now) {
        queue.pop_front().map(|(_, packet)| packet)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_arrive_in_order_and_not_before_their_time() {
        let mut wire = MemWire::default();
        wire.send_to_target(Time::ZERO, vec![1]);
        wire.send_to_target(Time::from_micros(1), vec![2]);
        assert_eq!(wire.at_target(Time::ZERO), None);
        assert_eq!(wire.next_arrival(), Some(Time::ZERO + LATENCY));
        let late = Time::from_micros(1) + LATENCY;
        assert_eq!(wire.at_target(late), Some(vec![1]));
        assert_eq!(wire.at_target(late), Some(vec![2]));
        assert_eq!(wire.at_target(late), None);
        assert_eq!(wire.next_arrival(), None);
    }
}
