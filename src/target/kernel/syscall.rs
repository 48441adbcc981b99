//! The system calls of the `linux` step, carried out as they are written: one call, its result or its errno.

use super::conn::Conn;
use super::linux::Refusal;
use super::{KernelTarget, options, socket, stream};
use crate::engine::AppOutcome;
use crate::engine::io::linux::{LinuxCall, LinuxReply, LinuxSocket, OptionValue};
use nix::errno::Errno;
use nix::libc;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Room for the value of an option.
const ROOM: usize = 256;

/// A socket option for sockets that are yet to be opened.
pub(super) struct Later {
    v6: bool,
    level: c_int,
    number: c_int,
    value: Vec<u8>,
}

type Answer = Result<LinuxReply, Refusal>;

impl KernelTarget {
    pub(super) fn linux(&mut self, on: LinuxSocket, what: &LinuxCall) -> AppOutcome {
        if matches!(what, LinuxCall::Accept)
            && let LinuxSocket::Listener { port, .. } = on
        {
            return self.accept_on(port).unwrap_or_else(|| AppOutcome::Linux(refused(Errno::EAGAIN, None)));
        }
        let answer = match what {
            LinuxCall::Sysctl { values } => Ok(self.sysctls_set(values)),
            LinuxCall::SetOption { level, name, value } => self.option_set(on, level, name, value),
            LinuxCall::GetOption { level, name } => self.option_get(on, level, name),
            LinuxCall::Info => self.info_of(on),
            LinuxCall::Poll => self.poll_of(on),
            LinuxCall::ErrorQueue => self.error_of(on),
            LinuxCall::Ioctl { requests } => self.queues_of(on, requests),
            LinuxCall::Listen { backlog } => self.listen_again(on, *backlog),
            LinuxCall::Accept => Err(Errno::EINVAL.into()),
            LinuxCall::Shutdown { how } => self.shut(on, how),
            LinuxCall::Send { offset, count, flags } => self.write_once(on, (*offset, *count), flags),
            LinuxCall::Recv { offset, count, flags } => self.read_once(on, (*offset, *count), flags),
        };
        AppOutcome::Linux(match answer {
            Ok(reply) => reply,
            Err(Refusal::Errno(errno)) => refused(errno, None),
            // What C says of a descriptor that is closed.
            Err(Refusal::NoSocket(_)) => refused(Errno::EBADF, None),
            Err(unknown @ Refusal::Unknown(_)) => LinuxReply::Lacking { why: unknown.to_string() },
        })
    }

    fn sysctls_set(&mut self, values: &[(String, String)]) -> LinuxReply {
        for (name, value) in values {
            if let Err(e) = self.set_sysctl(name, value) {
                return refused(errno_of(&e), Some(name));
            }
        }
        LinuxReply::Returned { value: 0 }
    }

    fn option_set(&mut self, on: LinuxSocket, level: &str, name: &str, value: &OptionValue) -> Answer {
        let (level, number) = super::linux::numbers(level, name)?;
        let octets = octets_of(value)?;
        match on {
            LinuxSocket::Conn(conn) => {
                let conn = self.conn_mut(conn)?;
                let fd = conn.fd.as_ref().ok_or(Refusal::Errno(Errno::EBADF))?;
                socket::set_bytes(fd.as_fd(), level, number, &octets)?;
                if (level, number) == (libc::SOL_SOCKET, libc::SO_LINGER) {
                    conn.linger = seconds_of(&octets);
                }
            }
            LinuxSocket::Listener { port, v6 } => {
                match self.listener(port, v6) {
                    Ok(fd) => socket::set_bytes(fd, level, number, &octets)?,
                    // Whether a socket takes it is known only from a socket.
                    Err(_) => {
                        let scratch = self.fresh_socket(v6).map_err(|e| errno_of(&e))?;
                        let scratch = scratch.ok_or(Errno::EAFNOSUPPORT)?;
                        socket::set_bytes(scratch.as_fd(), level, number, &octets)?;
                    }
                }
                self.later.push(Later { v6, level, number, value: octets });
            }
        }
        Ok(LinuxReply::Returned { value: 0 })
    }

    /// Gives a new socket what was set for those to come.
    pub(super) fn set_later(&self, fd: BorrowedFd<'_>, v6: bool) -> Result<(), Errno> {
        let mut later = self.later.iter().filter(|later| later.v6 == v6);
        later.try_for_each(|later| socket::set_bytes(fd, later.level, later.number, &later.value))
    }

    fn option_get(&mut self, on: LinuxSocket, level: &str, name: &str) -> Answer {
        let (level, number) = super::linux::numbers(level, name)?;
        if let (LinuxSocket::Conn(conn), (libc::SOL_SOCKET, libc::SO_ERROR)) = (on, (level, number))
            && let Some(errno) = self.conn_mut(conn)?.take_pending()
        {
            return Ok(option_reply(&(errno as c_int).to_ne_bytes(), true));
        }
        let is_error = (level, number) == (libc::SOL_SOCKET, libc::SO_ERROR);
        Ok(option_reply(&socket::bytes(self.socket_of(on)?, level, number, ROOM)?, is_error))
    }

    fn info_of(&self, on: LinuxSocket) -> Answer {
        let info = super::TcpInfo::of(self.socket_of(on)?)?;
        let named = super::TcpInfo::names().filter_map(|name| Some((name.to_owned(), info.field(name)?)));
        Ok(LinuxReply::Info { fields: named.collect() })
    }

    fn poll_of(&self, on: LinuxSocket) -> Answer {
        let mut flags: Vec<String> =
            super::linux::polled(self.socket_of(on)?)?.into_iter().map(str::to_owned).collect();
        // Taken from the kernel already, and not yet by the script.
        let pending = match on {
            LinuxSocket::Conn(conn) => self.conns.get(self.find(conn).unwrap_or(usize::MAX)),
            LinuxSocket::Listener { .. } => None,
        };
        let err = "POLLERR".to_owned();
        if pending.is_some_and(Conn::has_pending) && !flags.contains(&err) {
            flags.push(err);
        }
        Ok(LinuxReply::Poll { flags })
    }

    fn error_of(&self, on: LinuxSocket) -> Answer {
        let LinuxSocket::Conn(conn) = on else { return Err(Errno::EAGAIN.into()) };
        Ok(LinuxReply::Queued(self.queued_error(conn)?.ok_or(Errno::EAGAIN)?))
    }

    fn queues_of(&self, on: LinuxSocket, requests: &[String]) -> Answer {
        let fd = self.socket_of(on)?;
        let mut lengths = BTreeMap::new();
        for request in requests {
            let length = match request.as_str() {
                "SIOCINQ" => socket::unread(fd)?,
                "SIOCOUTQ" => socket::unacknowledged(fd)?,
                "SIOCATMARK" => socket::at_mark(fd)?,
                "SIOCOUTQNSD" => socket::unsent(fd)?,
                other => return Err(Refusal::Unknown(other.to_owned())),
            };
            lengths.insert(request.clone(), i64::try_from(length).unwrap_or(i64::MAX));
        }
        Ok(LinuxReply::Queues { lengths })
    }

    /// Listens, or changes the backlog of what listens already.
    fn listen_again(&mut self, on: LinuxSocket, backlog: i64) -> Answer {
        let LinuxSocket::Listener { port, .. } = on else { return Err(Errno::EINVAL.into()) };
        let backlog = u32::try_from(backlog).map_err(|_| Errno::EINVAL)?;
        if let Some(sockets) = self.listeners.get(&port) {
            sockets.iter().try_for_each(|fd| socket::listen_with(fd, backlog))?;
        } else {
            self.set_backlog(backlog);
            self.listen(port).map_err(|failed| failed.errno)?;
        }
        Ok(LinuxReply::Returned { value: 0 })
    }

    fn shut(&mut self, on: LinuxSocket, how: &str) -> Answer {
        let how = match how {
            "SHUT_RD" => nix::sys::socket::Shutdown::Read,
            "SHUT_WR" => nix::sys::socket::Shutdown::Write,
            "SHUT_RDWR" => nix::sys::socket::Shutdown::Both,
            other => return Err(Refusal::Unknown(other.to_owned())),
        };
        match on {
            LinuxSocket::Conn(conn) => self.conn_mut(conn)?.shut(how)?,
            LinuxSocket::Listener { .. } => socket::shutdown(self.socket_of(on)?, how)?,
        }
        Ok(LinuxReply::Returned { value: 0 })
    }

    fn write_once(&mut self, on: LinuxSocket, (offset, count): (u64, u64), flags: &[String]) -> Answer {
        let flags = message_flags(flags)?;
        let LinuxSocket::Conn(conn) = on else {
            let octets = stream::octets(offset, count);
            let sent = socket::send_with(self.socket_of(on)?, octets, flags)?;
            return Ok(LinuxReply::Returned { value: i64::try_from(sent).unwrap_or(i64::MAX) });
        };
        let conn = self.conn_mut(conn)?;
        if let Some(errno) = conn.take_pending() {
            return Err(errno.into());
        }
        let fd = conn.fd.as_ref().ok_or(Errno::EBADF)?;
        let sent = socket::send_with(fd.as_fd(), stream::octets(offset, count), flags)?;
        Ok(LinuxReply::Returned { value: i64::try_from(sent).unwrap_or(i64::MAX) })
    }

    fn read_once(&mut self, on: LinuxSocket, (offset, count): (u64, u64), flags: &[String]) -> Answer {
        let bits = message_flags(flags)?;
        let LinuxSocket::Conn(conn) = on else {
            let mut octet = [0];
            socket::recv_with(self.socket_of(on)?, &mut octet, bits)?;
            return Ok(LinuxReply::Received { count: 0, mismatch: None });
        };
        let conn = self.conn_mut(conn)?;
        let fd = conn.fd.as_ref().ok_or(Errno::EBADF)?;
        let mut buffer = vec![0; usize::try_from(count).unwrap_or(usize::MAX).min(1 << 20)];
        let read = match socket::recv_with(fd.as_fd(), &mut buffer, bits) {
            // What the kernel would say once, and the watcher has taken.
            Ok(0) | Err(Errno::EAGAIN) if conn.has_pending() => {
                return Err(conn.take_pending().unwrap_or(Errno::EAGAIN).into());
            }
            other => other?,
        };
        // Octets that are not copied, or out of their place, say nothing.
        let is_checked = bits & (libc::MSG_TRUNC | libc::MSG_OOB) == 0;
        let octets = buffer.get(..read.min(buffer.len())).unwrap_or_default();
        let mismatch = if is_checked { stream::mismatch(offset, octets) } else { None };
        Ok(LinuxReply::Received { count: u64::try_from(read).unwrap_or_default(), mismatch })
    }

    fn socket_of(&self, on: LinuxSocket) -> Result<BorrowedFd<'_>, Refusal> {
        match on {
            LinuxSocket::Conn(conn) => Ok(self.open(conn)?.as_fd()),
            LinuxSocket::Listener { port, v6 } => self.listener(port, v6),
        }
    }

    /// The listening socket of a family.
    fn listener(&self, port: u16, v6: bool) -> Result<BorrowedFd<'_>, Refusal> {
        let of_family = |fd: &&OwnedFd| socket::local(fd).is_ok_and(|local| local.is_ipv6() == v6);
        let found = self.listeners.get(&port).and_then(|sockets| sockets.iter().find(of_family));
        found.map(AsFd::as_fd).ok_or(Refusal::Errno(Errno::EBADF))
    }

    fn conn_mut(&mut self, conn: u32) -> Result<&mut Conn, Refusal> {
        let index = self.find(conn).ok_or(Refusal::NoSocket(conn))?;
        Ok(&mut self.conns[index])
    }
}

fn refused(errno: Errno, what: Option<&String>) -> LinuxReply {
    LinuxReply::Refused { errno: errno_name(errno as i32), what: what.cloned() }
}

/// An error by its name in C; by its number if it has none.
pub(super) fn errno_name(number: i32) -> String {
    match Errno::from_raw(number) {
        Errno::UnknownErrno => number.to_string(),
        // One number, two names; the other is the common one.
        Errno::EWOULDBLOCK => "EAGAIN".to_owned(),
        errno => format!("{errno:?}"),
    }
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)
}

fn octets_of(value: &OptionValue) -> Result<Vec<u8>, Errno> {
    match value {
        OptionValue::Octets(octets) => Ok(octets.clone()),
        OptionValue::Ints(ints) => {
            let mut octets = Vec::with_capacity(ints.len() * size_of::<c_int>());
            for int in ints {
                // An unsigned one is written as it is said.
                let int = c_int::try_from(*int).or_else(|_| u32::try_from(*int).map(u32::cast_signed));
                octets.extend(int.map_err(|_| Errno::EINVAL)?.to_ne_bytes());
            }
            Ok(octets)
        }
    }
}

/// What `struct linger` says.
fn seconds_of(octets: &[u8]) -> Option<u32> {
    let int = |at: usize| octets.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    int(0).filter(|on| *on != 0).and_then(|_| int(4))
}

fn option_reply(octets: &[u8], is_error: bool) -> LinuxReply {
    let int = |octets: &[u8]| octets.try_into().ok().map(|four| i64::from(c_int::from_ne_bytes(four)));
    let number = match octets {
        [octet] => Some(i64::from(*octet)),
        four if four.len() == 4 => int(four),
        eight => eight.try_into().ok().map(i64::from_ne_bytes),
    };
    let errno = number.filter(|_| is_error).map(|number| match i32::try_from(number) {
        Ok(0) => "none".to_owned(),
        Ok(number) => errno_name(number),
        Err(_) => number.to_string(),
    });
    let ints = octets.chunks_exact(4).filter_map(int).collect();
    LinuxReply::Option { errno, number, ints, octets: octets.to_vec() }
}

fn message_flags(names: &[String]) -> Result<c_int, Refusal> {
    let mut bits = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    for name in names {
        let known = options::MESSAGE_FLAGS.iter().find(|(known, _)| known == name);
        bits |= known.ok_or_else(|| Refusal::Unknown(name.clone()))?.1;
    }
    Ok(bits)
}
