//! The wire without privilege: one packet in one datagram, over a Unix socket pair or over [UDP](super::udp) on loopback.
//!
//! The target inherits its end as a descriptor, or is told where to send datagrams; either way it needs neither
//! devices nor namespaces. There is no link layer. On Linux the kernel stamps packets when the target sends them; elsewhere
//! they are stamped when they are read.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a wire is made of sockets and stamps"
)]

use super::stamp::{Clocks, read_clocks};
use super::{Received, Wire, WireError};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrLike, recvmsg, send,
    setsockopt, socketpair, sockopt,
};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// Larger than any packet.
const PACKET_LEN_MAX: usize = 64 * 1024;
/// What waits while we are busy.
pub(super) const BUFFER: usize = 4 << 20;
/// A target that does not read for so long loses packets, as on a full queue.
const SEND_PATIENCE: Duration = Duration::from_millis(500);

/// Reads datagrams, with the time at which they were sent.
#[derive(Debug)]
pub(super) struct Inbox {
    buffer: Box<[u8]>,
    /// For the kernel's stamp.
    control: Vec<u8>,
    clocks: Clocks,
}

impl Inbox {
    /// For a socket whose kernel is to stamp what comes, where it can.
    pub(super) fn of(socket: &impl AsFd) -> Self {
        #[cfg(target_os = "linux")]
        let _unstamped = setsockopt(socket, sockopt::ReceiveTimestampns, &true);
        #[cfg(not(target_os = "linux"))]
        let _ = socket;
        let buffer = vec![0; PACKET_LEN_MAX].into_boxed_slice();
        Self { buffer, control: nix::cmsg_space!(TimeSpec), clocks: Clocks::new(read_clocks()) }
    }

    /// The next datagram and who sent it; an error where there is none.
    pub(super) fn read<A: SockaddrLike>(
        &mut self,
        socket: &impl AsRawFd,
    ) -> io::Result<(Received, Option<A>)> {
        let looked_at = Instant::now();
        let mut parts = [IoSliceMut::new(&mut self.buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let read = recvmsg::<A>(socket.as_raw_fd(), &mut parts, Some(&mut self.control), flags);
        let message = read.map_err(io::Error::from).inspect_err(|e| {
            if e.kind() == io::ErrorKind::WouldBlock {
                self.clocks.was_empty(looked_at);
            }
        })?;
        // A stamp that did not fit is none.
        let stamp =
            message.cmsgs().ok().and_then(|mut messages| messages.find_map(|message| stamp_of(&message)));
        let (len, from) = (message.bytes, message.address);
        let at = self.clocks.arrival(stamp, read_clocks());
        let packet = self.buffer.get(..len).unwrap_or_default().to_vec();
        Ok((Received { at, packet }, from))
    }
}

/// In nanoseconds of the wall clock.
fn stamp_of(message: &ControlMessageOwned) -> Option<i128> {
    match message {
        #[cfg(target_os = "linux")]
        ControlMessageOwned::ScmTimestampns(at) => {
            Some(i128::from(at.tv_sec()) * 1_000_000_000 + i128::from(at.tv_nsec()))
        }
        _ => None,
    }
}

#[derive(Debug)]
pub struct FdWire {
    socket: AsyncFd<OwnedFd>,
    inbox: Inbox,
    /// The target has closed its end. That is its own affair; nothing will come any more.
    is_closed: bool,
}

impl FdWire {
    /// A wire and the end for the target. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        // Packets keep their borders and the end of the target is seen; elsewhere only the former.
        let kind = if cfg!(target_os = "linux") { SockType::SeqPacket } else { SockType::Datagram };
        // Programs that are being started at this moment must not have them.
        #[cfg(target_os = "linux")]
        let flags = SockFlag::SOCK_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        let flags = SockFlag::empty();
        let (own, other) = socketpair(AddressFamily::Unix, kind, None, flags)?;
        for end in [&own, &other] {
            // As much as the system gives.
            let _less = setsockopt(end, sockopt::SndBuf, &BUFFER);
            let _less = setsockopt(end, sockopt::RcvBuf, &BUFFER);
        }
        for end in [&own, &other] {
            nix::fcntl::fcntl(end, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        }
        nix::fcntl::fcntl(&own, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
        let inbox = Inbox::of(&own);
        Ok((Self { socket: watched(own)?, inbox, is_closed: false }, other))
    }

    /// What was read, if that is a packet. The truth is that there was something to read.
    fn take(&mut self, read: io::Result<(Received, Option<()>)>) -> Option<Result<Received, WireError>> {
        match read {
            Ok((received, _)) if !received.packet.is_empty() => return Some(Ok(received)),
            Ok(_) => self.is_closed = true,
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => self.is_closed = true,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Some(Err(broken("receive", &e))),
        }
        None
    }
}

impl Wire for FdWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        while !self.is_closed {
            let mut guard = self.socket.readable().await.map_err(|e| broken("wait for a packet", &e))?;
            let inbox = &mut self.inbox;
            let Ok(read) = guard.try_io(|fd| inbox.read(fd.get_ref())) else { continue };
            if let Some(received) = self.take(read) {
                return received;
            }
        }
        std::future::pending().await
    }

    fn try_recv(&mut self) -> Option<Result<Received, WireError>> {
        while !self.is_closed {
            match self.inbox.read(self.socket.get_ref()) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                read => {
                    if let Some(received) = self.take(read) {
                        return Some(received);
                    }
                }
            }
        }
        None
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        let sent = async {
            loop {
                let mut guard = self.socket.writable().await?;
                let at = Instant::now();
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                match guard.try_io(|fd| Ok(send(fd.as_raw_fd(), packet, flags)?)) {
                    Ok(Err(e)) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
                    Ok(Ok(_)) => return Ok(at),
                    Ok(Err(_)) | Err(_) => {}
                }
            }
        };
        match tokio::time::timeout(SEND_PATIENCE, sent).await {
            Ok(Ok(at)) => Ok(at),
            // Nobody is there to receive it, or nobody reads: lost, as in a cable.
            Err(_) => Ok(Instant::now()),
            Ok(Err(e)) if is_gone(&e) => Ok(Instant::now()),
            Ok(Err(e)) => Err(broken("send", &e)),
        }
    }

    fn lost(&mut self) -> u64 {
        0
    }
}

/// The target has closed its end: what is sent is lost, and its process says more.
pub(super) fn is_gone(e: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(e.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}

pub(super) fn broken(operation: &'static str, e: &io::Error) -> WireError {
    WireError { operation, cause: e.to_string() }
}

fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays open until it is dropped.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
