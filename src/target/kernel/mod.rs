//! The Linux kernel's TCP as the target: the application above it is this process.
//!
//! Sockets are opened inside the target's namespace and never block. One epoll instance watches them
//! all, so what an application would learn by waiting arrives without a call: the end of the stream, a
//! reset, a time-out, urgent data. What happens to a connection after `close` comes from `sock_diag`.
//!
//! It does what the application above the reference stack does (`target::reference`), except where the
//! kernel does not let an application know.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the edge to the kernel: sockets, files below /proc/sys, and tokio's clock"
)]

mod calls;
mod conn;
mod diag;
mod info;
mod linux;
mod namespace;
mod options;
mod poller;
mod profile;
mod socket;
mod state;
mod stream;
mod syscall;
mod sysctl;
mod urgent;

pub use crate::engine::io::linux::QueuedError;
pub use diag::Entry;
pub use info::TcpInfo;
pub use linux::Refusal;
pub use namespace::Namespace;
pub use profile::profile;
pub use state::State;

use crate::engine::AppCall;
use crate::lane::SetupError;
use crate::target::profile::Net;
use crate::target::{Reply, Target};
use conn::{Conn, Next};
use diag::Diag;
use namespace::Pending;
use nix::sys::epoll::EpollFlags;
use poller::{Poller, Token};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;
use sysctl::Sysctls;
use tokio::time::Instant;

/// The end of TIME-WAIT is asked for again after this long: the kernel's timers fire late.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// A connection that the kernel does not show is asked for again after this long. The exchange that may hide
/// it takes microseconds.
const ASK_TWICE: Duration = Duration::from_millis(1);

/// How often a connection in TIME-WAIT is asked for.
const ASK_WHILE_WAITING: Duration = Duration::from_millis(20);

/// What a listener is given unless a case says otherwise.
const BACKLOG: u32 = 128;

pub struct KernelTarget {
    namespace: Namespace,
    net: Net,
    backlog: u32,
    poller: Poller,
    diag: Diag,
    sysctls: Sysctls,
    /// One of each family, on the same port.
    listeners: BTreeMap<u16, Vec<OwnedFd>>,
    /// The ports that the peer of this case has spoken from. The kernel keeps what is half open without its listener, and
    /// what is over in TIME-WAIT: those of earlier cases are none of this one.
    peers: BTreeSet<u16>,
    /// Handles count from 1.
    conns: Vec<Conn>,
    /// Calls of `accept` that wait, oldest first.
    accepts: Vec<(u32, u16)>,
    /// Options for connections to come.
    options: Vec<(String, i64)>,
    /// The same by the kernel's names.
    later: Vec<syscall::Later>,
    spares: Spares,
    /// Who hears of urgent data, once there is a connection.
    urgent: Option<urgent::Watch>,
    /// Ended connections that the kernel did not show when the case was over. While it exchanges a socket for
    /// its TIME-WAIT remains a look-up may find neither, so the next reset looks once more.
    unseen: Vec<(SocketAddr, SocketAddr)>,
    replies: VecDeque<Reply>,
}

/// Sockets opened ahead, between cases.
#[derive(Default)]
struct Spares {
    v4: Option<OwnedFd>,
    v6: Option<OwnedFd>,
    coming: Option<Pending<Pair>>,
}

/// A socket of each family. A kernel may have been built without IPv6.
type Pair = (OwnedFd, Option<OwnedFd>);

impl KernelTarget {
    /// The kernel behind a network namespace. Needs to be called within a tokio runtime.
    pub fn new(namespace: BorrowedFd<'_>, net: &Net) -> Result<Self, SetupError> {
        let failed = |operation: &str, hint: &str| {
            let (operation, hint) = (operation.to_owned(), hint.to_owned());
            move |e: std::io::Error| SetupError { operation, cause: e.to_string(), hint: Some(hint) }
        };
        let namespace =
            Namespace::new(namespace).map_err(failed("use the target's namespace", "is it still open?"))?;
        let diag = Diag::new(&namespace).map_err(failed(
            "ask the kernel about its sockets (NETLINK_SOCK_DIAG)",
            "needs CAP_SYS_ADMIN over the namespace, and a kernel with CONFIG_INET_DIAG",
        ))?;
        let poller = Poller::new().map_err(failed("watch sockets (epoll)", "are there descriptors left?"))?;
        let mut target = Self {
            sysctls: Sysctls::new(namespace.clone()),
            namespace,
            net: net.clone(),
            backlog: BACKLOG,
            poller,
            diag,
            listeners: BTreeMap::new(),
            peers: BTreeSet::new(),
            conns: Vec::new(),
            accepts: Vec::new(),
            options: Vec::new(),
            later: Vec::new(),
            spares: Spares::default(),
            urgent: None,
            unseen: Vec::new(),
            replies: VecDeque::new(),
        };
        let watched = target.poller.add(target.diag.news(), Token::Diag).map_err(std::io::Error::from);
        watched.map_err(failed("watch sockets (epoll)", "are there descriptors left?"))?;
        target
            .fresh_socket(false)
            .map(|fd| target.spares.v4 = fd)
            .map_err(failed("open a TCP socket in the target's namespace", "needs CAP_SYS_ADMIN over it"))?;
        Ok(target)
    }

    /// How many connections wait to be accepted, at most, on the next listener.
    pub fn set_backlog(&mut self, backlog: u32) {
        self.backlog = backlog;
    }

    fn happened(&mut self, token: Token, ready: EpollFlags) {
        match token {
            Token::Listener(_) => self.accept(),
            Token::Conn(handle) => {
                let Some(index) = (handle as usize).checked_sub(1) else { return };
                let Some(conn) = self.conns.get_mut(index) else { return };
                let next = conn.work(ready, &mut self.replies);
                self.go_on(index, next);
            }
            Token::Diag => {
                let news = self.diag.take_news();
                for index in 0..self.conns.len() {
                    if self.conns[index].is_orphan()
                        && news.tell_of(self.conns[index].local, self.conns[index].remote)
                    {
                        self.settle(index);
                    }
                }
            }
        }
    }

    fn go_on(&mut self, index: usize, next: Next) {
        match next {
            Next::Keep => {}
            Next::Close => self.close(index),
            Next::AskTheKernel => {
                if self.conns.get(index).is_some_and(|conn| conn.state().is_none()) {
                    self.settle(index);
                }
            }
        }
    }

    /// Asks the kernel what became of a connection that the descriptor tells nothing of.
    fn settle(&mut self, index: usize) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        // A failed question is asked again by the next news.
        if let Ok(entry) = self.diag.find(conn.local, conn.remote) {
            conn.settle(entry.as_ref(), Instant::now(), &mut self.replies);
        }
    }

    /// A new urgent pointer has come. With one connection it is clear of which.
    fn urgent_came(&mut self) {
        let open = self.conns.iter().filter(|conn| conn.fd.is_some()).count();
        for conn in self.conns.iter_mut().filter(|conn| conn.fd.is_some()) {
            if open == 1 || conn.has_urgent_pending() {
                conn.urgent_came(&mut self.replies);
            }
        }
    }

    /// Has the watch told of the connection's urgent data; whether it will be.
    fn watch_urgent(&mut self, fd: BorrowedFd<'_>) -> bool {
        if self.urgent.is_none() {
            self.urgent = urgent::Watch::start().ok();
        }
        self.urgent.as_ref().is_some_and(|watch| watch.own(fd).is_ok())
    }

    fn ask_at(&self) -> Option<Instant> {
        self.conns.iter().filter_map(|conn| conn.ask_at).min()
    }

    /// Leaves nothing of the case in the kernel.
    fn forget(&mut self) {
        self.peers.clear();
        self.accepts.clear();
        self.options.clear();
        self.later.clear();
        self.backlog = BACKLOG;
        // First, so that a four-tuple cannot be mistaken for its listener.
        self.listeners.clear();
        for (local, remote) in std::mem::take(&mut self.unseen) {
            let _stays = self.diag.destroy(local, remote);
        }
        for mut conn in std::mem::take(&mut self.conns) {
            let had_ended = conn.state().is_none();
            let may_linger = conn.may_linger();
            conn.abort(&mut self.replies);
            if had_ended && may_linger {
                // Without the capability it stays in TIME-WAIT: the next case has a tuple of its own.
                if let Ok(false) = self.diag.destroy(conn.local, conn.remote) {
                    self.unseen.push((conn.local, conn.remote));
                }
            }
        }
        self.diag.take_news();
        if let Some(watch) = &mut self.urgent {
            watch.forget();
        }
        self.replies.clear();
        self.sysctls.restore();
    }

    /// Has sockets opened for the next case, unless there are some.
    fn order_spares(&mut self) -> std::io::Result<()> {
        if self.spares.coming.is_none() && (self.spares.v4.is_none() || self.spares.v6.is_none()) {
            let open = || Ok((socket::stream(false)?, socket::stream(true).ok()));
            self.spares.coming = Some(self.namespace.begin(open)?);
        }
        Ok(())
    }

    /// A socket inside the namespace; `None` if the kernel has no such family.
    fn fresh_socket(&mut self, v6: bool) -> std::io::Result<Option<OwnedFd>> {
        let spare = |spares: &mut Spares| if v6 { spares.v6.take() } else { spares.v4.take() };
        if let Some(fd) = spare(&mut self.spares) {
            return Ok(Some(fd));
        }
        self.order_spares()?;
        if let Some(coming) = self.spares.coming.take() {
            let (v4, v6) = coming.wait()?;
            self.spares.v4 = Some(v4);
            self.spares.v6 = v6.or_else(|| self.spares.v6.take());
        }
        Ok(spare(&mut self.spares))
    }
}

impl Target for KernelTarget {
    fn call(&mut self, call: u32, what: &AppCall) {
        let before = self.replies.len();
        if let Some(outcome) = self.outcome(call, what) {
            // The answer comes before what the call brought about.
            self.replies.insert(before, Reply::Answer { call, outcome });
        }
    }

    async fn reply(&mut self) -> Reply {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return reply;
            }
            let ask_at = self.ask_at();
            let ready = tokio::select! {
                biased;
                () = heard(&mut self.urgent) => {
                    self.urgent_came();
                    Vec::new()
                }
                ready = self.poller.ready() => ready,
                () = until(ask_at) => Vec::new(),
            };
            for (token, flags) in ready {
                self.happened(token, flags);
            }
            let now = Instant::now();
            for index in 0..self.conns.len() {
                if self.conns[index].ask_at.is_some_and(|at| at <= now) {
                    self.settle(index);
                }
            }
        }
    }

    fn peer(&mut self, port: u16) {
        self.peers.insert(port);
    }

    async fn reset(&mut self) {
        self.forget();
        // If none can be opened, the call that needs one says so.
        let _later = self.order_spares();
    }
}

impl Drop for KernelTarget {
    fn drop(&mut self) {
        self.forget();
    }
}

async fn heard(watch: &mut Option<urgent::Watch>) {
    match watch {
        Some(watch) => watch.heard().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
