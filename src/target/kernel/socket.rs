//! Sockets: the system calls as the target needs them, each with the errno it gave.

use super::QueuedError;
use super::syscall::errno_name;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike,
    SockaddrStorage, accept4, bind, connect, getpeername, getsockname, recv, recvmsg, send, socket,
};
use std::ffi::{c_int, c_short};
use std::io::IoSliceMut;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// An unbound TCP socket in the namespace of the calling thread. It never blocks.
pub(super) fn stream(v6: bool) -> Result<OwnedFd, Errno> {
    let family = if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)?;
    if v6 {
        set_int(fd.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    // RFC 6093 5: urgent data stays where it was sent, so the stream has no hole.
    set_int(fd.as_fd(), libc::SOL_SOCKET, libc::SO_OOBINLINE, 1)?;
    Ok(fd)
}

/// Makes a socket of `stream` listen on every address.
pub(super) fn listen_on(fd: &OwnedFd, v6: bool, port: u16, backlog: u32) -> Result<(), Errno> {
    share_port(fd)?;
    let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(any, port)))?;
    listen_with(fd, backlog)
}

/// A port may have what listens and what connects, and what is left in TIME-WAIT (RFC 9293 MUST-42): the kernel asks for
/// both words of both sockets.
fn share_port(fd: &OwnedFd) -> Result<(), Errno> {
    set_int(fd.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    set_int(fd.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
}

/// Listens with this backlog; on a socket that listens already, from here on.
pub(super) fn listen_with(fd: &OwnedFd, backlog: u32) -> Result<(), Errno> {
    // nix would take no more than SOMAXCONN; the kernel itself has the limit.
    // SAFETY: listen takes a descriptor and a number.
    let result = unsafe { libc::listen(fd.as_raw_fd(), c_int::try_from(backlog).unwrap_or(c_int::MAX)) };
    Errno::result(result).map(drop)
}

/// Takes a connection from the accept queue.
pub(super) fn accept(listener: &OwnedFd) -> Result<OwnedFd, Errno> {
    let fd = accept4(listener.as_raw_fd(), SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC)?;
    // SAFETY: accept4 gave this descriptor to us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(super) fn connect_to(fd: &OwnedFd, to: SocketAddr) -> Result<(), Errno> {
    connect(fd.as_raw_fd(), &SockaddrStorage::from(to))
}

pub(super) fn local(fd: &OwnedFd) -> Result<SocketAddr, Errno> {
    getsockname::<SockaddrStorage>(fd.as_raw_fd()).and_then(|address| std_address(&address))
}

pub(super) fn remote(fd: &OwnedFd) -> Result<SocketAddr, Errno> {
    getpeername::<SockaddrStorage>(fd.as_raw_fd()).and_then(|address| std_address(&address))
}

fn std_address(address: &SockaddrStorage) -> Result<SocketAddr, Errno> {
    match address.family() {
        Some(AddressFamily::Inet) => {
            address.as_sockaddr_in().map(|a: &SockaddrIn| SocketAddr::from((a.ip(), a.port())))
        }
        Some(AddressFamily::Inet6) => {
            address.as_sockaddr_in6().map(|a: &SockaddrIn6| SocketAddr::from((a.ip(), a.port())))
        }
        _ => None,
    }
    .ok_or(Errno::EAFNOSUPPORT)
}

/// Writes what there is room for.
pub(super) fn write(fd: &OwnedFd, octets: &[u8], urgent: bool, more: bool) -> Result<usize, Errno> {
    let mut flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    flags.set(MsgFlags::MSG_OOB, urgent);
    // nix does not name it.
    flags.set(MsgFlags::from_bits_retain(libc::MSG_MORE), more);
    send(fd.as_raw_fd(), octets, flags)
}

/// Reads what is there; 0 is the end of the stream.
pub(super) fn read(fd: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    recv(fd.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)
}

/// The pending error, which this takes away.
pub(super) fn take_error(fd: &OwnedFd) -> Option<Errno> {
    match int(fd.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR) {
        Ok(0) | Err(_) => None,
        Ok(errno) => Some(Errno::from_raw(errno)),
    }
}

/// What `close` does: `None` leaves it to the kernel, zero aborts.
pub(super) fn set_linger(fd: BorrowedFd<'_>, seconds: Option<u32>) -> Result<(), Errno> {
    let on = c_int::from(seconds.is_some());
    let seconds = c_int::try_from(seconds.unwrap_or_default()).unwrap_or(c_int::MAX);
    let octets: Vec<u8> = [on, seconds].iter().flat_map(|field| field.to_ne_bytes()).collect();
    set_bytes(fd, libc::SOL_SOCKET, libc::SO_LINGER, &octets)
}

pub(super) fn set_int(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: c_int) -> Result<(), Errno> {
    set_bytes(fd, level, name, &value.to_ne_bytes())
}

pub(super) fn int(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> Result<c_int, Errno> {
    let octets = bytes(fd, level, name, size_of::<c_int>())?;
    match octets.as_slice() {
        // Some options answer in one octet when asked for four.
        [octet] => Ok(c_int::from(*octet)),
        octets => octets.try_into().map(c_int::from_ne_bytes).map_err(|_| Errno::EINVAL),
    }
}

pub(super) fn set_bytes(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &[u8]) -> Result<(), Errno> {
    let length = libc::socklen_t::try_from(value.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the pointer and the length are those of one slice, which the kernel only reads.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length) };
    Errno::result(result).map(drop)
}

/// At most `room` octets of an option.
pub(super) fn bytes(fd: BorrowedFd<'_>, level: c_int, name: c_int, room: usize) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; room];
    let mut length = libc::socklen_t::try_from(room).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel writes at most `length` octets, which is how long the vector is.
    let result =
        unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length) };
    Errno::result(result)?;
    value.truncate(usize::try_from(length).unwrap_or(room));
    Ok(value)
}

/// Octets that wait to be read.
pub(super) fn unread(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    queue(fd, libc::FIONREAD)
}

/// Octets that were written and not acknowledged.
pub(super) fn unacknowledged(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    queue(fd, libc::TIOCOUTQ)
}

/// Octets that were written and not sent yet.
pub(super) fn unsent(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    /// libc has no name for it (`linux/sockios.h`).
    const SIOCOUTQNSD: libc::Ioctl = 0x894b;
    queue(fd, SIOCOUTQNSD)
}

/// Whether the next octet is the one that the urgent pointer names, 1 or 0.
pub(super) fn at_mark(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    /// `asm-generic/sockios.h`.
    const SIOCATMARK: libc::Ioctl = 0x8905;
    queue(fd, SIOCATMARK)
}

fn queue(fd: BorrowedFd<'_>, which: libc::Ioctl) -> Result<u64, Errno> {
    let mut count: c_int = 0;
    // SAFETY: SIOCINQ, SIOCOUTQ and SIOCATMARK write one int, and the pointer is to one.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), which, &raw mut count) };
    Errno::result(result)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

pub(super) fn shutdown(fd: BorrowedFd<'_>, how: nix::sys::socket::Shutdown) -> Result<(), Errno> {
    nix::sys::socket::shutdown(fd.as_raw_fd(), how)
}

/// `send`, once.
pub(super) fn send_with(fd: BorrowedFd<'_>, octets: &[u8], flags: c_int) -> Result<usize, Errno> {
    send(fd.as_raw_fd(), octets, MsgFlags::from_bits_retain(flags))
}

/// `recv`, once. With MSG_TRUNC more may be told of than there is room for.
pub(super) fn recv_with(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> Result<usize, Errno> {
    recv(fd.as_raw_fd(), buffer, MsgFlags::from_bits_retain(flags))
}

/// What `poll` says right now. (nix has no POLLRDHUP, and drops all that came with it.)
pub(super) fn poll_now(fd: BorrowedFd<'_>, events: c_short) -> Result<c_short, Errno> {
    let mut polled = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: the pointer is to one pollfd, which is how many there are said to be.
    let result = unsafe { libc::poll(&raw mut polled, 1, 0) };
    Errno::result(result).map(|_| polled.revents)
}

/// Whether urgent data waits to be read.
pub(super) fn has_urgent(fd: &OwnedFd) -> bool {
    poll_now(fd.as_fd(), libc::POLLPRI).is_ok_and(|seen| seen & libc::POLLPRI != 0)
}

/// Whether an urgent pointer is ahead of what was read, its octet here or not. The kernel tells it only where
/// urgent data is not read inline, so that is switched off for the question.
pub(super) fn has_urgent_pending(fd: BorrowedFd<'_>) -> bool {
    let inline = |on| set_int(fd, libc::SOL_SOCKET, libc::SO_OOBINLINE, on);
    let was = int(fd, libc::SOL_SOCKET, libc::SO_OOBINLINE).unwrap_or_default();
    let asked = inline(0).and_then(|()| recv_with(fd, &mut [0], libc::MSG_OOB | libc::MSG_PEEK));
    let put_back = inline(was);
    put_back.is_ok() && matches!(asked, Ok(_) | Err(Errno::EAGAIN))
}

/// Binds an active opener to its address; the port is found when it connects.
pub(super) fn bind_address(fd: &OwnedFd, address: IpAddr) -> Result<(), Errno> {
    set_int(fd.as_fd(), libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1)?;
    bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, 0)))
}

/// Binds an active opener to its address and port, where others may be already.
pub(super) fn bind_to(fd: &OwnedFd, address: SocketAddr) -> Result<(), Errno> {
    share_port(fd)?;
    bind(fd.as_raw_fd(), &SockaddrStorage::from(address))
}

/// Takes the oldest entry of the error queue.
pub(super) fn queued_error(fd: &OwnedFd) -> Result<Option<QueuedError>, Errno> {
    let mut octets = [0; 2048];
    let mut room = [IoSliceMut::new(&mut octets)];
    let mut control = [0; 512];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(fd.as_raw_fd(), &mut room, Some(&mut control), flags)?;
    let error = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            Some(error)
        }
        _ => None,
    });
    Ok(error.map(|error| QueuedError {
        errno: errno_name(i32::try_from(error.ee_errno).unwrap_or_default()),
        origin: error.ee_origin,
        kind: error.ee_type,
        code: error.ee_code,
        info: error.ee_info,
        data: error.ee_data,
    }))
}
