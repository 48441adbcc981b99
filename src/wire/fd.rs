//! The wire without privilege: one packet in one datagram, over a Unix socket pair or over UDP on loopback.
//!
//! The target inherits its end as a descriptor, or is told where to send datagrams; either way it needs neither
//! devices nor namespaces. There is no link layer. Packets are stamped when they are read, for no kernel stamps
//! them.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a wire is made of sockets and stamps"
)]

use super::{Received, Wire, WireError};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;
use tokio::net::UdpSocket;

/// Larger than any packet.
const PACKET_LEN_MAX: usize = 64 * 1024;
/// What waits while we are busy.
const BUFFER: usize = 4 << 20;
/// A target that does not read for so long loses packets, as on a full queue.
const SEND_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct FdWire {
    socket: AsyncFd<OwnedFd>,
    buffer: Box<[u8]>,
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
        let buffer = vec![0; PACKET_LEN_MAX].into_boxed_slice();
        Ok((Self { socket: watched(own)?, buffer, is_closed: false }, other))
    }
}

impl Wire for FdWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        while !self.is_closed {
            let mut guard = self.socket.readable().await.map_err(|e| broken("wait for a packet", &e))?;
            let buffer = &mut self.buffer;
            let read = guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?));
            match read {
                Ok(Ok(0)) => self.is_closed = true,
                Ok(Ok(len)) => {
                    let packet = self.buffer.get(..len).unwrap_or_default().to_vec();
                    return Ok(Received { at: Instant::now(), packet });
                }
                Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionReset => self.is_closed = true,
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(e)) => return Err(broken("receive", &e)),
                Err(_would_block) => {}
            }
        }
        std::future::pending().await
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

/// Packets in UDP datagrams on loopback. The target sends an empty datagram first, so that we know where it is.
#[derive(Debug)]
pub struct UdpWire {
    socket: UdpSocket,
    target: Option<SocketAddr>,
    buffer: Box<[u8]>,
}

impl UdpWire {
    /// # Errors
    /// Where there is no loopback interface.
    pub async fn bind() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        Ok(Self { socket, target: None, buffer: vec![0; PACKET_LEN_MAX].into_boxed_slice() })
    }

    /// What the target is told.
    ///
    /// # Errors
    /// Never on an open socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl Wire for UdpWire {
    async fn recv(&mut self) -> Result<Received, WireError> {
        loop {
            match self.socket.recv_from(&mut self.buffer).await {
                Ok((len, from)) if *self.target.get_or_insert(from) == from => {
                    if let Some(packet) = self.buffer.get(..len).filter(|packet| !packet.is_empty()) {
                        return Ok(Received { at: Instant::now(), packet: packet.to_vec() });
                    }
                }
                // Somebody else of this machine.
                Ok(_) => {}
                Err(e) if is_gone(&e) => {}
                Err(e) => return Err(broken("receive", &e)),
            }
        }
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        let at = Instant::now();
        let Some(target) = self.target else { return Ok(at) };
        match self.socket.send_to(packet, target).await {
            Ok(_) => Ok(at),
            Err(e) if is_gone(&e) => Ok(at),
            Err(e) => Err(broken("send", &e)),
        }
    }

    fn lost(&mut self) -> u64 {
        0
    }
}

/// The target has closed its end: what is sent is lost, and its process says more.
fn is_gone(e: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(e.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}

fn broken(operation: &'static str, e: &io::Error) -> WireError {
    WireError { operation, cause: e.to_string() }
}

fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays open until it is dropped.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
