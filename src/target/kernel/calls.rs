//! The calls of the application.

use super::conn::{Conn, Ending, Next};
use super::poller::Token;
use super::{KernelTarget, options, socket};
use crate::engine::{AppCall, AppEvent, AppOutcome};
use crate::target::Reply;
use crate::target::kernel::{Entry, State};
use nix::errno::Errno;
use nix::sys::socket::Shutdown;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

impl KernelTarget {
    /// Makes a call: its answer, unless that comes later.
    pub(super) fn outcome(&mut self, call: u32, what: &AppCall) -> Option<AppOutcome> {
        let outcome = match what {
            AppCall::Linux { socket, what } => Ok(self.linux(*socket, what)),
            AppCall::Listen { port } => {
                self.listen(*port).map(|()| AppOutcome::Ok).map_err(|failed| failed.to_string())
            }
            AppCall::Unlisten { port } => {
                self.listeners.remove(port);
                Ok(AppOutcome::Ok)
            }
            AppCall::Connect { to, from } => self.connect(*to, *from),
            AppCall::Accept { port } => {
                self.accepts.push((call, *port));
                self.accept();
                return None;
            }
            AppCall::Send { conn: NOBODY, .. } => {
                self.without_connection(|fd| socket::write(fd, b"x", false, false).map(drop))
            }
            AppCall::Recv { conn: NOBODY, .. } => {
                self.without_connection(|fd| socket::read(fd, &mut [0]).map(drop))
            }
            AppCall::Shutdown { conn: NOBODY } => {
                self.without_connection(|fd| socket::shutdown(fd.as_fd(), Shutdown::Write))
            }
            AppCall::Abort { conn: NOBODY } => self.abort_listeners(),
            AppCall::Send { conn, offset, count, urgent } => match self.find(*conn) {
                Some(index) => Ok(self.conns[index].send((*offset, *count), *urgent, &mut self.replies)),
                None => Err(unknown()),
            },
            AppCall::Recv { conn, offset, count } => match self.find(*conn) {
                Some(index) => {
                    return self.conns[index].receive(call, (*offset, *count), &mut self.replies);
                }
                None => Err(unknown()),
            },
            AppCall::Shutdown { conn } => self.end(*conn, Ending::Shutdown),
            AppCall::Close { conn } => self.end(*conn, Ending::Close),
            AppCall::Abort { conn } => match self.find(*conn) {
                Some(index) => {
                    let conn = &mut self.conns[index];
                    conn.socket().map(drop).map(|()| {
                        conn.abort(&mut self.replies);
                        AppOutcome::Ok
                    })
                }
                None => Err(unknown()),
            },
            AppCall::Option { conn, name, value } => self.option(*conn, name, *value),
            AppCall::Status { conn } => self.status(*conn).map(|state| AppOutcome::State(state.to_string())),
            AppCall::UrgentLeft { conn } => match self.find(*conn) {
                Some(index) => Ok(AppOutcome::UrgentLeft(self.conns[index].has_urgent_pending())),
                None => Err(unknown()),
            },
        };
        Some(outcome.unwrap_or_else(AppOutcome::Failed))
    }

    pub(super) fn listen(&mut self, port: u16) -> Result<(), Failed> {
        if self.listeners.contains_key(&port) {
            return Err(Errno::EADDRINUSE.into());
        }
        let mut sockets = Vec::with_capacity(2);
        for v6 in [false, true] {
            let Some(fd) = self.socket(v6)? else { continue };
            socket::listen_on(&fd, v6, port, self.backlog)?;
            self.poller.add(&fd, Token::Listener(port))?;
            sockets.push(fd);
        }
        self.listeners.insert(port, sockets);
        Ok(())
    }

    /// A new socket with the options that were asked for; `None` if the kernel has no such family.
    fn socket(&mut self, v6: bool) -> Result<Option<OwnedFd>, Failed> {
        let fd = self.fresh_socket(v6).map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or_default()))?;
        if let Some(fd) = &fd {
            for (name, value) in &self.options {
                let set = options::set(fd.as_fd(), v6, name, *value).unwrap_or(Ok(()));
                set.map_err(|errno| Failed { what: Some(name.clone()), errno })?;
            }
            self.set_later(fd.as_fd(), v6)?;
        }
        Ok(fd)
    }

    /// What the kernel says to a call on a listener or, where there is none, on a socket that was never connected.
    fn without_connection(
        &mut self,
        call: impl FnOnce(&OwnedFd) -> Result<(), Errno>,
    ) -> Result<AppOutcome, String> {
        let result = match self.listeners.values().flatten().next() {
            Some(listener) => call(listener),
            None => {
                let fd = self.socket(false).map_err(|failed| failed.to_string())?;
                call(&fd.ok_or_else(|| Errno::EAFNOSUPPORT.to_string())?)
            }
        };
        result.map(|()| AppOutcome::Ok).map_err(|errno| errno.to_string())
    }

    /// The sockets have no call that aborts what was never connected, but closing tells nobody either.
    fn abort_listeners(&mut self) -> Result<AppOutcome, String> {
        if self.listeners.is_empty() {
            return Ok(AppOutcome::Unsupported);
        }
        for fd in std::mem::take(&mut self.listeners).into_values().flatten() {
            socket::set_linger(fd.as_fd(), Some(0)).map_err(|errno| errno.to_string())?;
        }
        Ok(AppOutcome::Ok)
    }

    fn connect(&mut self, to: SocketAddr, from: Option<u16>) -> Result<AppOutcome, String> {
        let own = match to {
            SocketAddr::V4(_) => IpAddr::V4(self.net.target_v4),
            SocketAddr::V6(_) => IpAddr::V6(self.net.target_v6),
        };
        let fd = self
            .socket(to.is_ipv6())
            .map_err(|failed| failed.to_string())?
            .ok_or_else(|| Errno::EAFNOSUPPORT.to_string())?;
        match from {
            None => socket::bind_address(&fd, own),
            Some(port) => socket::bind_to(&fd, SocketAddr::new(own, port)),
        }
        .map_err(|errno| errno.to_string())?;
        // The peer may have answered before the call is over.
        let refused = match socket::connect_to(&fd, to) {
            Ok(()) | Err(Errno::EINPROGRESS) => None,
            Err(Errno::ECONNREFUSED) => Some(AppEvent::Refused),
            Err(Errno::ECONNRESET) => Some(AppEvent::Reset),
            Err(errno) => return Err(errno.to_string()),
        };
        let watched = self.watch_urgent(fd.as_fd());
        let local = socket::local(&fd).map_err(|errno| errno.to_string())?;
        let handle = self.next_handle();
        let mut conn = Conn::connecting(handle, fd, local, to);
        conn.watched = watched;
        conn.linger = self.linger_to_come(to.is_ipv6());
        if let Some(event) = refused {
            conn.refused(event, &mut self.replies);
        } else if let Some(fd) = &conn.fd {
            self.poller.add(fd, Token::Conn(handle)).map_err(|errno| errno.to_string())?;
        }
        self.conns.push(conn);
        Ok(AppOutcome::Connection(handle))
    }

    /// Hands out what waits in the accept queues.
    pub(super) fn accept(&mut self) {
        let mut waiting = std::mem::take(&mut self.accepts);
        waiting.retain(|&(call, port)| {
            let Some(outcome) = self.accept_on(port) else { return true };
            self.replies.push_back(Reply::Answer { call, outcome });
            false
        });
        self.accepts = waiting;
    }

    pub(super) fn accept_on(&mut self, port: u16) -> Option<AppOutcome> {
        let taken = self
            .listeners
            .get(&port)?
            .iter()
            .map(socket::accept)
            .find(|r| !matches!(r, Err(Errno::EAGAIN)))?;
        let outcome = taken.and_then(|fd| {
            let (local, from) = (socket::local(&fd)?, socket::remote(&fd));
            let handle = self.next_handle();
            self.poller.add(&fd, Token::Conn(handle))?;
            let watched = self.watch_urgent(fd.as_fd());
            // One that was reset while it waited has no peer any more, which its events tell.
            let from = from.unwrap_or_else(|_| SocketAddr::new(local.ip(), 0));
            let mut conn = Conn::accepted(handle, fd, local, from);
            conn.watched = watched;
            conn.linger = self.linger_to_come(local.is_ipv6());
            // What came before it was watched.
            if watched && conn.has_urgent_pending() {
                conn.urgent_came(&mut self.replies);
            }
            self.conns.push(conn);
            Ok(AppOutcome::Accepted { conn: handle, from })
        });
        Some(outcome.unwrap_or_else(|errno| AppOutcome::Failed(errno.to_string())))
    }

    /// For how many seconds the `close` of a new connection waits, if it was told to.
    pub(super) fn linger_to_come(&self, v6: bool) -> Option<u32> {
        let asked = self.options.iter().filter(|(name, _)| name == "linger");
        let asked = asked.map(|(_, value)| options::linger(*value)).next_back();
        self.later_linger(v6).or(asked).flatten()
    }

    fn end(&mut self, conn: u32, ending: Ending) -> Result<AppOutcome, String> {
        let index = self.find(conn).ok_or_else(unknown)?;
        if self.conns[index].end(ending)? == Next::Close {
            self.close(index);
        }
        Ok(AppOutcome::Ok)
    }

    /// Closes the descriptor; from here on only `sock_diag` knows the connection.
    pub(super) fn close(&mut self, index: usize) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        let Some(fd) = conn.release(&mut self.replies) else { return };
        if conn.linger.is_some_and(|seconds| seconds > 0) {
            conn.lingers();
            self.poller.remove(&fd);
            // The kernel waits in close(2), even for a descriptor that never blocks.
            tokio::task::spawn_blocking(move || drop(fd));
        } else {
            if conn.linger.is_none() {
                // Only a descriptor that is no socket would refuse.
                let _unheard = socket::set_linger(fd.as_fd(), None);
            }
            drop(fd);
        }
        self.settle(index);
    }

    fn option(&mut self, conn: u32, name: &str, value: i64) -> Result<AppOutcome, String> {
        if conn == 0 {
            return self.option_of_all(name, value);
        }
        let index = self.find(conn).ok_or_else(unknown)?;
        let conn = &mut self.conns[index];
        let v6 = conn.local.is_ipv6();
        let result = options::set(conn.socket()?.as_fd(), v6, name, value);
        if name == "linger" {
            conn.linger = options::linger(value);
        }
        match result {
            None => Ok(AppOutcome::Unsupported),
            Some(result) => result.map(|()| AppOutcome::Ok).map_err(|errno| errno.to_string()),
        }
    }

    /// Without a connection an option is for those to come: listeners pass it on.
    fn option_of_all(&mut self, name: &str, value: i64) -> Result<AppOutcome, String> {
        if !options::is_known(name) {
            return Ok(AppOutcome::Unsupported);
        }
        self.options.push((name.to_owned(), value));
        for fd in self.listeners.values().flatten() {
            let v6 = socket::local(fd).is_ok_and(|local| local.is_ipv6());
            options::set(fd.as_fd(), v6, name, value).unwrap_or(Ok(())).map_err(|errno| errno.to_string())?;
        }
        Ok(AppOutcome::Ok)
    }

    fn status(&self, conn: u32) -> Result<State, String> {
        if conn == 0 {
            return self.status_of_listener().map_err(|e| e.to_string());
        }
        let index = self.find(conn).ok_or_else(unknown)?;
        let conn = &self.conns[index];
        if let Some(state) = conn.state() {
            return Ok(state);
        }
        let entry = self.diag.find(conn.local, conn.remote).map_err(|e| e.to_string())?;
        Ok(conn.state_of(entry.as_ref()))
    }

    /// Before `accept`: the state of a connection to a listener, or the listener's own.
    fn status_of_listener(&self) -> std::io::Result<State> {
        if self.listeners.is_empty() {
            return Ok(State::Closed);
        }
        let is_child = |entry: &Entry| {
            let (own, peer) = (entry.local.port(), entry.remote.port());
            entry.state != State::Listen && self.listeners.contains_key(&own) && self.peers.contains(&peer)
        };
        let child = self.diag.all()?.into_iter().find(is_child);
        Ok(child.map_or(State::Listen, |entry| entry.state))
    }

    pub(super) fn find(&self, handle: u32) -> Option<usize> {
        (handle as usize).checked_sub(1).filter(|index| *index < self.conns.len())
    }

    fn next_handle(&self) -> u32 {
        u32::try_from(self.conns.len() + 1).unwrap_or(u32::MAX)
    }
}

/// A system call that failed, and what it was for where there were several.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) what: Option<String>,
    pub(super) errno: Errno,
}

impl From<Errno> for Failed {
    fn from(errno: Errno) -> Self {
        Self { what: None, errno }
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            Some(what) => write!(f, "{what}: {}", self.errno),
            None => write!(f, "{}", self.errno),
        }
    }
}

/// The handle that names no connection, but the listeners.
const NOBODY: u32 = 0;

/// RFC 9293 3.10: the words for a handle that was never given.
fn unknown() -> String {
    "connection does not exist".to_owned()
}
