//! A wire on a network device: veth, TAP or TUN, through a packet socket (packet(7)).
//!
//! Owns the socket of the tester's end, the kernel's receive stamps and the count of frames lost. Link layers are
//! [`link`]'s. Frames are read in the order in which they arrived; those that are no IP packet of the
//! target's are answered or dropped here and never reach a case.
#![allow(clippy::disallowed_methods, reason = "stamps what the kernel could not stamp")]

mod backlog;
mod socket;

use super::link::{self, Inbound, Link, TargetMac};
use super::stamp::{Clocks, read_clocks};
use super::{DOWN, GONE, Received, Wire, WireError};
use crate::packet::{ETHERTYPE_IPV6, Mac};
use crate::target::profile::Net;
use backlog::Backlog;
use nix::sched::sched_getcpu;
use socket::FRAME_LEN_MAX;
pub use socket::{Carries, Socket};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A full device queue empties within this, or the wire is broken.
const SEND_PATIENCE: Duration = Duration::from_millis(500);
const SEND_PAUSE: Duration = Duration::from_micros(200);
/// So often it is asked whether what was sent has arrived, and for so long: what is late by more is late anyway.
const ARRIVE_PAUSE: Duration = Duration::from_millis(1);
const ARRIVE_PATIENCE: Duration = Duration::from_millis(100);
/// Frames of no interest in a row that are read without waiting.
const NOISE_MAX: u32 = 4096;
/// Between two questions for the target's Ethernet address.
const ASK_PAUSE: Duration = Duration::from_millis(50);
/// A target that answers no ARP although it has said something is given so long.
const DEAF: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct AfPacketWire {
    socket: AsyncFd<Socket>,
    link: Link,
    net: Net,
    clocks: Clocks,
    buffer: Box<[u8]>,
    /// A packet that was read while something else was waited for.
    early: Vec<Received>,
    /// The processor in whose queue the last frame was put, until it is known to have left it.
    queued_on: Option<usize>,
    /// The device was removed: the socket will never hear anything again, and says so only once.
    is_gone: bool,
}

impl AfPacketWire {
    /// A wire over an open socket, whose device is the tester's end of `net`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    pub fn new(socket: Socket, net: &Net, target: TargetMac) -> io::Result<Self> {
        Self::over(socket, net, Link::new(net, target))
    }

    /// The far end of a wire, where a TCP of this process plays the target under the address `mac`.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    pub fn of_target(socket: Socket, net: &Net, mac: Mac) -> io::Result<Self> {
        Self::over(socket, net, Link::of_target(net, mac))
    }

    fn over(socket: Socket, net: &Net, link: Link) -> io::Result<Self> {
        // SAFETY: a socket keeps its descriptor until it is dropped.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Self {
            socket,
            link,
            net: net.clone(),
            clocks: Clocks::new(read_clocks()),
            buffer: vec![0; FRAME_LEN_MAX].into_boxed_slice(),
            early: Vec::new(),
            queued_on: None,
            is_gone: false,
        })
    }

    /// The Ethernet address under which the injector is known.
    #[must_use]
    pub fn mac(&self) -> Mac {
        self.link.mac()
    }

    /// The target's Ethernet address, as far as it is known.
    #[must_use]
    pub fn target_mac(&self) -> TargetMac {
        self.link.target()
    }

    /// Lets the injector answer for one more address.
    pub fn answer_for(&mut self, address: IpAddr) {
        self.link.answer_for(address);
    }

    /// Lets the injector be silent about an address, as if its host were gone.
    pub fn fall_silent_for(&mut self, address: IpAddr) {
        self.link.fall_silent_for(address);
    }

    /// Asks for the target's Ethernet address until it answers. False where nobody did within `patience`.
    ///
    /// What a target says of its own accord teaches its address, but not that it hears: the kernel drops what is sent to a
    /// device whose program has just attached.
    ///
    /// # Errors
    /// Where the wire broke.
    pub async fn find_target(&mut self, patience: Duration) -> Result<bool, WireError> {
        let until = Instant::now() + patience;
        let mut known_until = None;
        if matches!(self.link.target(), TargetMac::Pinned(_)) || self.carries() == Carries::Packets {
            return Ok(true);
        }
        while !self.link.is_heard() {
            let now = Instant::now();
            let is_known = self.link.target() != TargetMac::Unknown;
            if is_known && now >= *known_until.get_or_insert(now + DEAF) {
                return Ok(true);
            }
            if now >= until {
                return Ok(is_known);
            }
            for question in self.link.questions() {
                self.write("ask for the target's Ethernet address", &question, 0).await?;
            }
            // What comes is kept if it is a packet.
            let pause = ASK_PAUSE.min(until.saturating_duration_since(Instant::now()));
            let heard = tokio::time::timeout(pause, self.read_until_heard()).await;
            heard.unwrap_or(Ok(()))?;
        }
        Ok(true)
    }

    /// Tells a target that speaks IPv6 where the injector is.
    ///
    /// # Errors
    /// Where the wire broke.
    pub async fn introduce(&mut self) -> Result<(), WireError> {
        for question in self.link.introductions() {
            self.write("ask for the target by IPv6", &question, 0).await?;
        }
        Ok(())
    }

    async fn read_until_heard(&mut self) -> Result<(), WireError> {
        while !self.link.is_heard() {
            if let Some(received) = self.read().await? {
                self.early.push(received);
            }
        }
        Ok(())
    }

    fn carries(&self) -> Carries {
        self.socket.get_ref().carries()
    }

    /// Waits for one frame, and tells the packet if it was one.
    async fn read(&mut self) -> Result<Option<Received>, WireError> {
        loop {
            if self.is_gone {
                return Err(broken("receive", GONE));
            }
            // A device that goes down is an error and nothing to read.
            let news = self.socket.ready(Interest::READABLE | Interest::ERROR).await;
            let mut guard = news.map_err(|e| broken("wait for a frame", &e.to_string()))?;
            let looked_at = Instant::now();
            match guard.try_io(|socket| socket.get_ref().read(&mut self.buffer)) {
                Ok(Ok(read)) => return self.take(read),
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(e)) => {
                    self.is_gone = !self.socket.get_ref().has_device();
                    return Err(self.explain("receive", &e));
                }
                Err(_would_block) => self.clocks.was_empty(looked_at),
            }
        }
    }

    /// Makes of what is in the buffer what it is.
    fn take(&mut self, read: socket::Read) -> Result<Option<Received>, WireError> {
        let at = self.clocks.arrival(read.stamp_ns, read_clocks());
        if read.is_tagged {
            return Ok(None);
        }
        if read.is_unfinished {
            let cause = "the target's device leaves checksums to hardware that is not there; \
                         switch its transmit checksumming off";
            return Err(broken("receive", cause));
        }
        let Some(octets) = self.buffer.get(..read.len) else {
            return Err(broken("receive", &format!("a frame of {} octets", read.len)));
        };
        let packet = match self.carries() {
            Carries::Packets if is_noise(octets) => return Ok(None),
            Carries::Packets => octets.to_vec(),
            Carries::Frames => match self.link.inbound(octets) {
                Inbound::Packet(packet) => packet.to_vec(),
                Inbound::Noise => return Ok(None),
                Inbound::Answer(answer) => {
                    // Whoever asked and got no answer asks again.
                    let _ = self.socket.get_ref().write(&answer, 0);
                    return Ok(None);
                }
            },
        };
        Ok(Some(Received { at, packet }))
    }

    /// Writes until it is written, and tells when that began.
    ///
    /// The kernel does the target's work inside of the call, up to queueing its answer: only the time before it is
    /// sure to be before the answer's stamp.
    async fn write(
        &self,
        operation: &'static str,
        octets: &[u8],
        ethertype: u16,
    ) -> Result<Instant, WireError> {
        let first = Instant::now();
        loop {
            let now = Instant::now();
            let Err(e) = self.socket.get_ref().write(octets, ethertype) else { return Ok(now) };
            match e.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN | libc::ENOBUFS) if first.elapsed() < SEND_PATIENCE => {
                    tokio::time::sleep(SEND_PAUSE).await;
                }
                _ => return Err(self.explain(operation, &e)),
            }
        }
    }

    fn explain(&self, operation: &'static str, e: &io::Error) -> WireError {
        let cause = match e.raw_os_error() {
            _ if !self.socket.get_ref().has_device() => GONE.to_owned(),
            Some(libc::ENETDOWN) => DOWN.to_owned(),
            Some(libc::EMSGSIZE) => "the packet is larger than the device's MTU".to_owned(),
            Some(libc::ENOBUFS | libc::EAGAIN) => "the device's queue stays full".to_owned(),
            _ => e.to_string(),
        };
        broken(operation, &cause)
    }
}

impl Wire for AfPacketWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        if !self.early.is_empty() {
            return Ok(self.early.remove(0));
        }
        loop {
            if let Some(received) = self.read().await? {
                return Ok(received);
            }
            // A flood of noise must not keep the thread from everybody else.
            tokio::task::coop::consume_budget().await;
        }
    }

    fn try_recv(&mut self) -> Option<Result<Received, WireError>> {
        if !self.early.is_empty() {
            return Some(Ok(self.early.remove(0)));
        }
        // A flood of noise is no reason to stay here: whoever asks would not wait for a packet.
        for _ in 0..NOISE_MAX {
            if self.is_gone {
                return Some(Err(broken("receive", GONE)));
            }
            let looked_at = Instant::now();
            match self.socket.get_ref().read(&mut self.buffer) {
                Ok(read) => match self.take(read) {
                    Ok(Some(received)) => return Some(Ok(received)),
                    Ok(None) => {}
                    Err(e) => return Some(Err(e)),
                },
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.clocks.was_empty(looked_at);
                    return None;
                }
                Err(e) => {
                    self.is_gone = !self.socket.get_ref().has_device();
                    return Some(Err(self.explain("receive", &e)));
                }
            }
        }
        None
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        match self.carries() {
            Carries::Frames => {
                let frame = self.link.outbound(packet).map_err(|e| broken("send", &e.to_string()))?;
                // One queue keeps the order of its frames; two do not.
                if self.queued_on != sched_getcpu().ok() {
                    self.arrived().await;
                }
                self.queued_on = sched_getcpu().ok();
                self.write("send", &frame, 0).await
            }
            Carries::Packets => {
                let ethertype = link::ethertype_of(packet, self.net.target_v4, self.net.target_v6);
                self.write("send", packet, ethertype).await
            }
        }
    }

    async fn arrived(&mut self) {
        if self.queued_on.take().is_none() {
            return;
        }
        let Some(before) = Backlog::read() else { return };
        let began = Instant::now();
        // The first look is enough where nothing waits.
        let mut now = Some(before.clone());
        while now.is_some_and(|now| !before.is_gone_by(&now)) && began.elapsed() < ARRIVE_PATIENCE {
            tokio::time::sleep(ARRIVE_PAUSE).await;
            now = Backlog::read();
        }
    }

    fn lost(&mut self) -> u64 {
        self.socket.get_ref().dropped().unwrap_or(0)
    }
}

fn is_noise(packet: &[u8]) -> bool {
    if link::ethertype_of(packet, [0; 4].into(), [0; 16].into()) == ETHERTYPE_IPV6 {
        link::is_noise_v6(packet)
    } else {
        link::is_noise_v4(packet)
    }
}

fn broken(operation: &'static str, cause: &str) -> WireError {
    WireError { operation, cause: cause.to_owned() }
}
