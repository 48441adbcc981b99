//! One direction of the simulated path: loses, repeats, delays, holds back, damages, marks and refuses packets.

use std::net::IpAddr;
use std::time::Duration;

use tcpspec_reference::Instant;
use tcpspec_reference::wire::checksum::{Sum, of};
use tcpspec_reference::wire::ip::PROTOCOL_ICMPV6;

use crate::dice::Dice;
use crate::scenario::Weather;

/// What happens to one packet.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// Copies that arrive, and when.
    pub(crate) arrivals: Vec<(Instant, Vec<u8>)>,
    /// An ICMP error to the sender.
    pub(crate) error: Option<(Instant, Vec<u8>)>,
}

/// The path from one host to the other.
#[derive(Debug)]
pub(crate) struct Path {
    weather: Weather,
    dice: Dice,
    /// When the last octet that waits for the line will have left.
    busy_until: Instant,
}

impl Path {
    pub(crate) fn new(weather: Weather, dice: Dice) -> Self {
        Self { weather, dice, busy_until: Instant::ZERO }
    }

    /// Puts a packet on the path.
    pub(crate) fn send(&mut self, now: Instant, packet: &[u8]) -> Fate {
        let mut fate = Fate::default();
        if packet.len() > self.weather.mtu {
            let at = now + Duration::from_micros(self.weather.delay_us);
            fate.error = Some((at, too_big(packet, if self.weather.silent { 0 } else { self.weather.mtu })));
            return fate;
        }
        let (from, to) = self.weather.outage;
        if (from..to).contains(&now.as_micros()) || self.dice.chance(self.weather.loss) {
            return fate;
        }
        let copies = 1 + u64::from(self.dice.chance(self.weather.duplicate));
        for _ in 0..copies {
            let Some((leaves, waiting)) = self.enqueue(now, packet.len() as u64) else { continue };
            let mut copy = packet.to_vec();
            if waiting * 2 > self.weather.queue || self.dice.chance(self.weather.mark) {
                mark(&mut copy);
            }
            if self.dice.chance(self.weather.corrupt) {
                self.damage(&mut copy);
            }
            fate.arrivals.push((leaves + self.delay(), copy));
        }
        fate
    }

    /// When the line has sent the packet and how much was waiting; nothing if the queue is full.
    fn enqueue(&mut self, now: Instant, len: u64) -> Option<(Instant, u64)> {
        let rate = self.weather.rate;
        if rate == 0 {
            return Some((now, 0));
        }
        let start = self.busy_until.max(now);
        let waiting = start.since(now).as_micros() as u64 * rate / 1000;
        if waiting > self.weather.queue {
            return None;
        }
        self.busy_until = start + Duration::from_micros(len * 1000 / rate);
        Some((self.busy_until, waiting))
    }

    fn delay(&mut self) -> Duration {
        let jitter = self.dice.below(self.weather.jitter_us + 1);
        let held =
            if self.dice.chance(self.weather.hold) { self.dice.below(self.weather.hold_us) } else { 0 };
        Duration::from_micros(self.weather.delay_us + jitter + held)
    }

    /// Flips one to three bits of one 16-bit word, which no Internet checksum misses, or cuts the packet short.
    fn damage(&mut self, packet: &mut Vec<u8>) {
        if self.dice.chance(100) {
            let len = self.dice.below(packet.len() as u64) as usize;
            packet.truncate(len);
            return;
        }
        let word = self.dice.below(packet.len() as u64 / 2) as usize * 2;
        for _ in 0..=self.dice.below(3) {
            let bit = self.dice.below(16) as usize;
            packet[word + bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// Sets CE on a packet of a sender that can tell (RFC 3168 section 5).
fn mark(packet: &mut [u8]) {
    if packet[0] >> 4 == 4 {
        if packet[1] & 3 != 0 {
            packet[1] |= 3;
            packet[10..12].fill(0);
            let sum = of(&packet[..20]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    } else if packet[1] >> 4 & 3 != 0 {
        packet[1] |= 0x30;
    }
}

/// "Fragmentation needed" (RFC 1191 section 4) or "packet too big" (RFC 4443 3.2) about `packet`, to its sender.
fn too_big(packet: &[u8], mtu: usize) -> Vec<u8> {
    if packet[0] >> 4 == 4 {
        let mut message = vec![3, 4, 0, 0, 0, 0];
        message.extend_from_slice(&(mtu as u16).to_be_bytes());
        message.extend_from_slice(&packet[..28]);
        let sum = of(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let mut out = vec![0x45, 0, 0, 20 + message.len() as u8, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1];
        out.extend_from_slice(&packet[12..16]);
        let sum = of(&out);
        out[10..12].copy_from_slice(&sum.to_be_bytes());
        out.extend_from_slice(&message);
        return out;
    }
    let address =
        |at: usize| IpAddr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("sixteen octets"));
    let (source, destination) = (address(24), address(8));
    // A router that speaks IPv6 always names its MTU, which is at least 1280.
    let mut message = vec![2, 0, 0, 0];
    message.extend_from_slice(&(mtu.max(1280) as u32).to_be_bytes());
    message.extend_from_slice(&packet[..packet.len().min(1000)]);
    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, PROTOCOL_ICMPV6, message.len());
    sum.add(&message);
    message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
    let mut out = vec![0x60, 0, 0, 0];
    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
    out.extend_from_slice(&[PROTOCOL_ICMPV6, 64]);
    out.extend_from_slice(&packet[24..40]);
    out.extend_from_slice(&packet[8..24]);
    out.extend_from_slice(&message);
    out
}
