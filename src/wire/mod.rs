//! Wires: what carries packets between the injector and the target.
//!
//! A wire knows nothing of cases. Link layers end here: whatever the wire is made of (Ethernet on a
//! veth or a TAP, bare IP on a TUN or a datagram socket), what goes in and comes out is IP packets.
//! Where there is a link layer, the wire itself answers for the injector's addresses (ARP, neighbour
//! discovery), because no kernel owns them.

#[cfg(target_os = "linux")]
pub mod af_packet;
pub mod fd;
#[cfg(target_os = "linux")]
pub mod link;
pub mod mem;
mod stamp;
pub mod udp;

use futures_util::FutureExt;
use std::future::Future;
use std::time::Instant;

/// A packet that the target sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When it reached the wire, by the kernel's stamp where there is one, on the monotonic clock.
    pub at: Instant,
    /// The IP packet, octet for octet.
    pub packet: Vec<u8>,
}

/// The wire is gone or refuses to work: the harness's trouble, never the target's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the wire broke while trying to {operation}: {cause}")]
pub struct WireError {
    pub operation: &'static str,
    pub cause: String,
}

/// The device that the wire was made of does not exist any more, or is down.
const GONE: &str = "the network device is gone";
const DOWN: &str = "the network device is down";

impl WireError {
    /// There is no device any more: where it belongs to the target, that is the target's doing.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.cause == GONE || self.cause == DOWN
    }
}

/// A wire on a real clock.
pub trait Wire: Send {
    /// Waits for the next packet of the target. Cancel-safe: a packet is never lost with the future.
    fn recv(&mut self) -> impl Future<Output = Result<Received, WireError>> + Send;

    /// The next packet that has arrived by now, if any. Unlike a poll of [`recv`](Self::recv), this asks the kernel
    /// itself: what the runtime has not yet heard of is not missed.
    fn try_recv(&mut self) -> Option<Result<Received, WireError>> {
        self.recv().now_or_never()
    }

    /// Puts an IP packet on the wire, and tells when it was there.
    fn send(&mut self, packet: &[u8]) -> impl Future<Output = Result<Instant, WireError>> + Send;

    /// Frames that were lost on our side since the last call: nothing may be concluded from silence.
    fn lost(&mut self) -> u64;
}
