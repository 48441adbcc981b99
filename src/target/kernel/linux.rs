//! What only this target can be asked: socket options by their names in C, `TCP_INFO`, poll, the error
//! queue, the queues' lengths, and sysctls of the namespace.

use super::diag::Entry;
use super::info::TcpInfo;
use super::{KernelTarget, QueuedError, options, socket};
use nix::errno::Errno;
use nix::libc;
use std::ffi::{c_int, c_short};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Why the kernel, or the target before it, did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("connection {0} has no socket")]
    NoSocket(u32),
    #[error("unknown name `{0}`")]
    Unknown(String),
    #[error("{0}")]
    Errno(#[from] Errno),
}

/// Every flag that `poll` may report for a TCP socket, by its name in C.
const POLL: &[(c_short, &str)] = &[
    (libc::POLLIN, "POLLIN"),
    (libc::POLLPRI, "POLLPRI"),
    (libc::POLLOUT, "POLLOUT"),
    (libc::POLLRDHUP, "POLLRDHUP"),
    (libc::POLLERR, "POLLERR"),
    (libc::POLLHUP, "POLLHUP"),
];

impl KernelTarget {
    pub fn set_option(&self, conn: u32, level: &str, name: &str, value: c_int) -> Result<(), Refusal> {
        self.set_option_octets(conn, level, name, &value.to_ne_bytes())
    }

    pub fn set_option_octets(&self, conn: u32, level: &str, name: &str, value: &[u8]) -> Result<(), Refusal> {
        let (level, name) = numbers(level, name)?;
        Ok(socket::set_bytes(self.open(conn)?.as_fd(), level, name, value)?)
    }

    pub fn get_option(&self, conn: u32, level: &str, name: &str) -> Result<c_int, Refusal> {
        let (level, name) = numbers(level, name)?;
        Ok(socket::int(self.open(conn)?.as_fd(), level, name)?)
    }

    /// As many octets of the option as there are, and at most `room`.
    pub fn get_option_octets(
        &self,
        conn: u32,
        level: &str,
        name: &str,
        room: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let (level, name) = numbers(level, name)?;
        Ok(socket::bytes(self.open(conn)?.as_fd(), level, name, room)?)
    }

    pub fn info(&self, conn: u32) -> Result<TcpInfo, Refusal> {
        Ok(TcpInfo::of(self.open(conn)?.as_fd())?)
    }

    /// What `poll` says, asked for everything: `POLLIN`, `POLLRDHUP` ...
    pub fn poll(&self, conn: u32) -> Result<Vec<&'static str>, Refusal> {
        Ok(polled(self.open(conn)?.as_fd())?)
    }

    /// Takes the oldest entry of the error queue (`IP_RECVERR`, timestamps, zerocopy).
    pub fn queued_error(&self, conn: u32) -> Result<Option<QueuedError>, Refusal> {
        match socket::queued_error(self.open(conn)?) {
            Err(Errno::EAGAIN) => Ok(None),
            other => Ok(other?),
        }
    }

    /// Octets that wait to be read (`SIOCINQ`).
    pub fn unread(&self, conn: u32) -> Result<u64, Refusal> {
        Ok(socket::unread(self.open(conn)?.as_fd())?)
    }

    /// Octets that are written and not acknowledged (`SIOCOUTQ`).
    pub fn unacknowledged(&self, conn: u32) -> Result<u64, Refusal> {
        Ok(socket::unacknowledged(self.open(conn)?.as_fd())?)
    }

    /// A sysctl of the namespace: `net.ipv4.tcp_sack`.
    pub fn sysctl(&self, name: &str) -> io::Result<String> {
        self.sysctls.read(name)
    }

    /// Sets a sysctl of the namespace until `reset`.
    pub fn set_sysctl(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.sysctls.write(name, value)
    }

    /// What the kernel knows of a four-tuple: before `accept`, and after `close`.
    pub fn connection(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Entry>> {
        self.diag.find(local, remote)
    }

    /// Every TCP socket of the namespace. Slow: the kernel walks through its whole table.
    pub fn sockets(&self) -> io::Result<Vec<Entry>> {
        self.diag.all()
    }

    /// The two ends of a connection: the target's address, the peer's.
    pub fn addresses(&self, conn: u32) -> Option<(SocketAddr, SocketAddr)> {
        let conn = self.conns.get(self.find(conn)?)?;
        Some((conn.local, conn.remote))
    }

    pub(super) fn open(&self, conn: u32) -> Result<&OwnedFd, Refusal> {
        let index = self.find(conn).ok_or(Refusal::NoSocket(conn))?;
        self.conns[index].fd.as_ref().ok_or(Refusal::NoSocket(conn))
    }
}

/// What `poll` says, asked for everything.
pub(super) fn polled(fd: BorrowedFd<'_>) -> Result<Vec<&'static str>, Errno> {
    let wanted = libc::POLLIN | libc::POLLPRI | libc::POLLOUT | libc::POLLRDHUP;
    let seen = socket::poll_now(fd, wanted)?;
    Ok(POLL.iter().filter(|(flag, _)| seen & flag != 0).map(|(_, name)| *name).collect())
}

pub(super) fn numbers(level: &str, name: &str) -> Result<(c_int, c_int), Refusal> {
    let unknown = |name: &str| Refusal::Unknown(name.to_owned());
    let level = options::level(level).ok_or_else(|| unknown(level))?;
    Ok((level, options::number(name).ok_or_else(|| unknown(name))?))
}
