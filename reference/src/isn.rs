//! Numbers that an outsider must not guess: initial sequence numbers (RFC 6528), timestamp offsets
//! (RFC 7323 5.4), ephemeral ports (RFC 6056), SYN and Fast Open cookies.
//!
//! All come from one keyed hash over the seed, so that the same seed gives the same octets.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::seq::SeqNum;
use crate::time::Instant;

/// RFC 9293 3.4.1, MUST-8: the clock component ticks about once every 4 microseconds.
const TICK: Duration = Duration::from_micros(4);

/// What a hash is for. Different purposes must not share values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Isn = 1,
    Timestamp = 2,
    Port = 3,
    SynCookie = 4,
    FastOpen = 5,
    Table = 6,
}

/// The secret key of an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    key: [u64; 2],
    table: [u64; 2],
}

impl Secret {
    pub(crate) fn new(seed: u64) -> Self {
        // Splitting the seed keeps neighbouring seeds from giving neighbouring keys.
        let key = [split(seed), split(seed ^ 0xa5a5_5a5a_c3c3_3c3c)];
        let table = [1, 2].map(|extra| {
            let mut mixer = Mixer::new(key);
            mixer.absorb(Purpose::Table as u64);
            mixer.absorb(extra);
            mixer.finish()
        });
        Self { key, table }
    }

    /// For hashes that only decide where something is kept. Nothing else may be learnt from them.
    #[inline]
    pub(crate) const fn table_key(&self) -> [u64; 2] {
        self.table
    }

    /// The keyed hash F() of RFC 6528 section 3, of one purpose, two addresses and one extra word.
    pub(crate) fn hash(&self, purpose: Purpose, local: SocketAddr, remote: SocketAddr, extra: u64) -> u64 {
        let mut mixer = Mixer::new(self.key);
        mixer.absorb(purpose as u64);
        mixer.absorb_socket(local);
        mixer.absorb_socket(remote);
        mixer.absorb(extra);
        mixer.finish()
    }

    /// ISN = M + F(localip, localport, remoteip, remoteport, secretkey) (RFC 6528 3, SHLD-1, MUST-9).
    pub(crate) fn isn(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> SeqNum {
        let clock = now.as_micros() / TICK.as_micros() as u64;
        SeqNum((clock as u32).wrapping_add(self.hash(Purpose::Isn, local, remote, 0) as u32))
    }
}

fn split(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An add-rotate-xor permutation over four words, in the manner of SipHash: two rounds a word, four to finish.
struct Mixer {
    v: [u64; 4],
}

impl Mixer {
    fn new(key: [u64; 2]) -> Self {
        Self {
            v: [
                key[0] ^ 0x736f_6d65_7073_6575,
                key[1] ^ 0x646f_7261_6e64_6f6d,
                key[0] ^ 0x6c79_6765_6e65_7261,
                key[1] ^ 0x7465_6462_7974_6573,
            ],
        }
    }

    fn round(&mut self) {
        let [a, b, c, d] = &mut self.v;
        *a = a.wrapping_add(*b);
        *c = c.wrapping_add(*d);
        *b = b.rotate_left(13) ^ *a;
        *d = d.rotate_left(16) ^ *c;
        *a = a.rotate_left(32).wrapping_add(*d);
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(17) ^ *c;
        *d = d.rotate_left(21) ^ *a;
        *c = c.rotate_left(32);
    }

    fn absorb(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.round();
        self.v[0] ^= word;
    }

    fn absorb_socket(&mut self, socket: SocketAddr) {
        match socket.ip() {
            IpAddr::V4(ip) => self.absorb(u64::from(u32::from(ip))),
            IpAddr::V6(ip) => {
                let bits = u128::from(ip);
                self.absorb((bits >> 64) as u64);
                self.absorb(bits as u64);
            }
        }
        self.absorb(u64::from(socket.port()));
    }

    fn finish(mut self) -> u64 {
        self.v[2] ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_isn_follows_a_clock_of_four_microseconds() {
        let secret = Secret::new(1);
        let (local, remote) = (socket("10.0.0.1:80"), socket("10.0.0.2:4000"));
        let first = secret.isn(Instant::from_millis(0), local, remote);
        let second = secret.isn(Instant::from_millis(1000), local, remote);
        assert_eq!(second.distance_from(first), 250_000);
    }

    #[test]
    fn tuples_and_seeds_give_unrelated_isns() {
        let (local, remote) = (socket("10.0.0.1:80"), socket("10.0.0.2:4000"));
        let other = socket("10.0.0.2:4001");
        let at = Instant::ZERO;
        let steps: Vec<u32> = (1..4)
            .map(|seed| {
                let secret = Secret::new(seed);
                secret.isn(at, local, other).distance_from(secret.isn(at, local, remote))
            })
            .collect();
        assert!(steps[0] != steps[1] && steps[1] != steps[2] && steps[0] != steps[2]);
        assert_ne!(Secret::new(1).isn(at, local, remote), Secret::new(2).isn(at, local, remote));
    }
}
