//! One epoll instance for all descriptors of a target, seen by tokio as one descriptor.
//!
//! tokio's own registration keeps "readable" and "writable" apart and folds the rest into them; the
//! events that a case asks for (the end of the stream, an error, urgent data) need epoll's words.

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What a descriptor is, to find its owner again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Listener(u16),
    Conn(u32),
    Diag,
}

#[derive(Debug)]
pub(super) struct Poller {
    epoll: AsyncFd<EpollFd>,
}

/// `Epoll` does not say that it is a descriptor.
#[derive(Debug)]
struct EpollFd(Epoll);

impl AsRawFd for EpollFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

impl AsFd for EpollFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

/// Edges are enough: whoever is told works until the kernel says `EAGAIN`.
const ALL: EpollFlags = EpollFlags::EPOLLIN
    .union(EpollFlags::EPOLLOUT)
    .union(EpollFlags::EPOLLRDHUP)
    .union(EpollFlags::EPOLLPRI)
    .union(EpollFlags::EPOLLET);

impl Poller {
    /// Needs to be called within a tokio runtime.
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // SAFETY: `EpollFd` owns its descriptor, always gives the same one, and closes it when dropped.
        let epoll = unsafe { AsyncFd::register_with_interest(EpollFd(epoll), Interest::READABLE)? };
        Ok(Self { epoll })
    }

    /// Watches a descriptor until it is closed.
    pub(super) fn add(&self, fd: &OwnedFd, token: Token) -> Result<(), Errno> {
        self.epoll.get_ref().0.add(fd, EpollEvent::new(ALL, token.pack()))
    }

    /// Stops watching, for a descriptor that lives on elsewhere.
    pub(super) fn remove(&self, fd: &OwnedFd) {
        // It is not registered any more only if it is closed already.
        let _gone = self.epoll.get_ref().0.delete(fd);
    }

    /// Waits until something has happened. Cancel-safe: what was taken from the kernel is returned.
    pub(super) async fn ready(&self) -> Vec<(Token, EpollFlags)> {
        loop {
            let Ok(mut guard) = self.epoll.readable().await else {
                // The runtime is shutting down: nothing will happen any more.
                return std::future::pending().await;
            };
            let ready = self.poll();
            if !ready.is_empty() {
                return ready;
            }
            guard.clear_ready();
        }
    }

    /// What has happened by now.
    pub(super) fn poll(&self) -> Vec<(Token, EpollFlags)> {
        let mut events = [EpollEvent::empty(); 32];
        let count = self.epoll.get_ref().0.wait(&mut events, EpollTimeout::ZERO).unwrap_or_default();
        let happened = events.iter().take(count);
        happened.filter_map(|event| Some((Token::unpack(event.data())?, event.events()))).collect()
    }
}

impl Token {
    fn pack(self) -> u64 {
        match self {
            Self::Listener(port) => 1 << 32 | u64::from(port),
            Self::Conn(conn) => 2 << 32 | u64::from(conn),
            Self::Diag => 3 << 32,
        }
    }

    fn unpack(data: u64) -> Option<Self> {
        let low = u32::try_from(data & u64::from(u32::MAX)).ok()?;
        match data >> 32 {
            1 => Some(Self::Listener(u16::try_from(low).ok()?)),
            2 => Some(Self::Conn(low)),
            3 => Some(Self::Diag),
            _ => None,
        }
    }
}
