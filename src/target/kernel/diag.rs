//! `sock_diag`: what the kernel knows of sockets that no descriptor leads to any more (or yet).
//!
//! Connections in TIME-WAIT, orphans that still send their FIN, and half-open ones before `accept` are
//! found by their four-tuple. The same family of netlink messages tells when a socket is destroyed, and
//! destroys one at once.

use super::namespace::Namespace;
use super::state::State;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP: u16 = 0x300;
/// Groups of `enum sknetlink_groups`: TCP sockets of both families that are destroyed.
const DESTROYED: [i32; 2] = [1, 3];
/// `idiag_timer` of the small socket that stays when a connection is over.
const TIMER_TIME_WAIT: u8 = 3;
/// Octets of `nlmsghdr`, and of `inet_diag_msg`.
const HEADER: usize = 16;
const MESSAGE: usize = 72;
const COOKIE_ANY: [u8; 8] = [0xff; 8];

#[derive(Debug)]
pub(super) struct Diag {
    /// For questions; the kernel answers within the system call.
    ask: OwnedFd,
    /// Tells of sockets that are destroyed.
    news: OwnedFd,
}

/// What the kernel says of one TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub state: State,
    /// When its timer fires; for TIME-WAIT, when it ends.
    pub expires: Duration,
    /// It is what is left of a connection that has ended: TIME-WAIT, or an orphan's FIN-WAIT-2.
    pub waits: bool,
    cookie: [u8; 8],
}

/// Sockets that were destroyed.
pub(super) struct News {
    gone: Vec<Entry>,
    /// There were more than the buffer held.
    missed: bool,
}

impl News {
    /// Whether this connection may be among them.
    pub(super) fn tell_of(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.missed || self.gone.iter().any(|entry| (entry.local, entry.remote) == (local, remote))
    }
}

impl Diag {
    pub(super) fn new(namespace: &Namespace) -> io::Result<Self> {
        namespace.enter(|| Ok(Self { ask: netlink()?, news: listening()? }))
    }

    /// Becomes readable when a TCP socket of the namespace is destroyed.
    pub(super) fn news(&self) -> &OwnedFd {
        &self.news
    }

    /// Takes the news: which sockets are gone.
    pub(super) fn take_news(&self) -> News {
        let mut news = News { gone: Vec::new(), missed: false };
        let mut buffer = [0; 4096];
        loop {
            match recv(self.news.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => {
                    let body = message(buffer.get(..length).unwrap_or_default()).map(|(_, body, _)| body);
                    news.gone.extend(body.and_then(Entry::parse));
                }
                Err(Errno::ENOBUFS) => news.missed = true,
                Err(_) => return news,
            }
        }
    }

    /// The connection of this four-tuple, in whatever state.
    pub(super) fn find(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Entry>> {
        // While the kernel exchanges a socket for its TIME-WAIT remains, a look-up may find neither.
        match self.find_once(local, remote)? {
            None => self.find_once(local, remote),
            found => Ok(found),
        }
    }

    fn find_once(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Entry>> {
        self.request(SOCK_DIAG_BY_FAMILY, 0, local, remote, COOKIE_ANY)?;
        let mut found = None;
        match self.replies(|entry| found = Some(entry), true) {
            Err(e) if !is_gone(&e) => return Err(e),
            _ => {}
        }
        // Where there is no connection the kernel finds the listener.
        Ok(found.filter(|entry| entry.state != State::Listen))
    }

    /// Every TCP socket of the namespace. Walks through the kernel's whole table: some milliseconds.
    pub(super) fn all(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let any = SocketAddr::new(any, 0);
            self.request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, any, any, COOKIE_ANY)?;
            self.replies(|entry| entries.push(entry), false)?;
        }
        Ok(entries)
    }

    /// Ends a connection at once, also one in TIME-WAIT, and says whether it was there. Needs `CAP_NET_ADMIN`
    /// over the namespace.
    pub(super) fn destroy(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<bool> {
        // It may become another socket, with a cookie of its own, between the question and the end.
        for _ in 0..4 {
            let Some(entry) = self.find(local, remote)? else { return Ok(false) };
            self.request(SOCK_DESTROY, NLM_F_ACK, local, remote, entry.cookie)?;
            match self.replies(|_| {}, true) {
                Err(e) if is_gone(&e) => {}
                done => return done.map(|()| true),
            }
        }
        Ok(false)
    }

    fn request(
        &self,
        kind: u16,
        flags: u16,
        local: SocketAddr,
        remote: SocketAddr,
        cookie: [u8; 8],
    ) -> io::Result<()> {
        let family = if local.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
        let mut message = Vec::with_capacity(HEADER + 56);
        message.extend_from_slice(&72u32.to_ne_bytes());
        message.extend_from_slice(&kind.to_ne_bytes());
        message.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(&[octet(family), octet(libc::IPPROTO_TCP), 0, 0]);
        message.extend_from_slice(&u32::MAX.to_ne_bytes());
        message.extend_from_slice(&local.port().to_be_bytes());
        message.extend_from_slice(&remote.port().to_be_bytes());
        message.extend_from_slice(&address(local.ip()));
        message.extend_from_slice(&address(remote.ip()));
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&cookie);
        send(self.ask.as_raw_fd(), &message, MsgFlags::empty())?;
        Ok(())
    }

    /// Reads what the kernel has queued in answer: one message, or all up to the end of a dump.
    fn replies(&self, mut each: impl FnMut(Entry), single: bool) -> io::Result<()> {
        // What the kernel fills at most in one go (`NLMSG_GOODSIZE`), twice over.
        let mut buffer = [0; 16 << 10];
        loop {
            let length = recv(self.ask.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((kind, body, after)) = message(rest) {
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => return refusal(body),
                    SOCK_DIAG_BY_FAMILY => {
                        if let Some(entry) = Entry::parse(body) {
                            each(entry);
                        }
                    }
                    _ => {}
                }
                rest = after;
            }
            if single {
                return Ok(());
            }
        }
    }
}

impl Entry {
    fn parse(body: &[u8]) -> Option<Self> {
        let body = body.get(..MESSAGE)?;
        let at = |offset: usize| -> Option<SocketAddr> {
            let port = u16::from_be_bytes(body.get(4 + offset * 2..)?.get(..2)?.try_into().ok()?);
            let octets: [u8; 16] = body.get(8 + offset * 16..)?.get(..16)?.try_into().ok()?;
            let ip = if i32::from(body[0]) == libc::AF_INET6 {
                IpAddr::V6(Ipv6Addr::from(octets))
            } else {
                IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
            };
            Some(SocketAddr::new(ip, port))
        };
        let expires = u32::from_ne_bytes(body.get(52..56)?.try_into().ok()?);
        Some(Self {
            local: at(0)?,
            remote: at(1)?,
            state: State::from_kernel(body[1]),
            expires: Duration::from_millis(u64::from(expires)),
            waits: body[2] == TIMER_TIME_WAIT,
            cookie: body.get(44..52)?.try_into().ok()?,
        })
    }
}

fn netlink() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)
}

fn listening() -> nix::Result<OwnedFd> {
    let fd = netlink()?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    for group in DESTROYED {
        super::socket::set_int(fd.as_fd(), libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group)?;
    }
    setsockopt(&fd, sockopt::RcvBuf, &(1 << 18))?;
    Ok(fd)
}

/// The first message of a buffer: its type, its body, and what follows.
fn message(buffer: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(buffer.get(..4)?.try_into().ok()?)).ok()?;
    let kind = u16::from_ne_bytes(buffer.get(4..6)?.try_into().ok()?);
    let body = buffer.get(HEADER..length)?;
    Some((kind, body, buffer.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// An error message: zero is an acknowledgement.
fn refusal(body: &[u8]) -> io::Result<()> {
    let errno = body.get(..4).and_then(|octets| octets.try_into().ok()).map_or(0, i32::from_ne_bytes);
    if errno == 0 { Ok(()) } else { Err(Errno::from_raw(-errno).into()) }
}

/// The socket is not there, or another has its place by now.
fn is_gone(e: &io::Error) -> bool {
    [Errno::ENOENT, Errno::ESTALE].iter().any(|errno| e.raw_os_error() == Some(*errno as i32))
}

/// An address as sixteen octets; an IPv4 one takes the first four.
fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&ip.octets());
            octets
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn octet(value: i32) -> u8 {
    u8::try_from(value).unwrap_or_default()
}
