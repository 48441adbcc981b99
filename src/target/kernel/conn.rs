//! One connection as its application sees it: octets that wait to be written or read, and what was
//! learned.

use super::diag::Entry;
use super::info::TcpInfo;
use super::socket;
use super::state::State;
use super::stream;
use crate::engine::{AppEvent, AppOutcome};
use crate::target::Reply;
use nix::errno::Errno;
use nix::sys::epoll::EpollFlags;
use nix::sys::socket::Shutdown;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use tokio::time::Instant;

pub(super) struct Conn {
    pub(super) handle: u32,
    /// `None` once the application has let go of it.
    pub(super) fd: Option<OwnedFd>,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// Seconds that `close` waits for the peer.
    pub(super) linger: Option<u32>,
    /// When to ask the kernel again.
    pub(super) ask_at: Option<Instant>,
    /// The kernel did not show it when it was asked last. Only the second time is it believed: while it
    /// exchanges a socket for its TIME-WAIT remains a look-up finds neither.
    unseen: bool,
    /// Urgent data is told by SIGURG: then POLLPRI is no news.
    pub(super) watched: bool,
    progress: Progress,
    /// What ended it. Stays, other than the kernel's own note of it.
    error: Option<Errno>,
    /// The kernel's own note of it, which was taken to learn of it. A script that asks is given it once.
    pending: Option<Errno>,
    told: Told,
    shut: bool,
    /// Its `close` waits for the peer, and is not over.
    lingers: bool,
    /// Octets that the kernel had no room for yet: where they begin, and how many.
    unwritten: (u64, u64),
    urgent: bool,
    /// What was asked for after those octets.
    then: Option<Ending>,
    read: Option<Read>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Connecting,
    Synchronized,
    /// Aborted: nothing more will be learned.
    Aborted,
}

/// What the application knows already.
#[derive(Default)]
struct Told {
    eof: bool,
    urgent: bool,
    closed: bool,
}

/// A call that waits until everything is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Shutdown,
    Close,
}

/// A `recv` that waits for octets.
struct Read {
    call: u32,
    offset: u64,
    wanted: u64,
    count: u64,
    mismatch: Option<u64>,
}

/// What is to be done with the descriptor by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Next {
    Keep,
    Close,
    /// The kernel has no connection behind the descriptor any more: it ended, or is in TIME-WAIT.
    AskTheKernel,
}

impl Conn {
    pub(super) fn connecting(handle: u32, fd: OwnedFd, local: SocketAddr, remote: SocketAddr) -> Self {
        Self::new(handle, fd, (local, remote), Progress::Connecting)
    }

    pub(super) fn accepted(handle: u32, fd: OwnedFd, local: SocketAddr, remote: SocketAddr) -> Self {
        Self::new(handle, fd, (local, remote), Progress::Synchronized)
    }

    fn new(handle: u32, fd: OwnedFd, (local, remote): (SocketAddr, SocketAddr), progress: Progress) -> Self {
        Self {
            handle,
            fd: Some(fd),
            local,
            remote,
            linger: None,
            ask_at: None,
            unseen: false,
            watched: false,
            progress,
            error: None,
            pending: None,
            told: Told::default(),
            shut: false,
            lingers: false,
            unwritten: (0, 0),
            urgent: false,
            then: None,
            read: None,
        }
    }

    /// The descriptor, or why there is none.
    pub(super) fn socket(&self) -> Result<&OwnedFd, String> {
        self.fd.as_ref().ok_or_else(|| match self.error {
            Some(errno) => errno.to_string(),
            None => "connection closing".to_owned(),
        })
    }

    /// Goes on after the kernel reported something.
    pub(super) fn work(&mut self, ready: EpollFlags, replies: &mut VecDeque<Reply>) -> Next {
        let Some(fd) = &self.fd else { return Next::Keep };
        if ready.contains(EpollFlags::EPOLLERR)
            && let Some(errno) = socket::take_error(fd)
        {
            self.pending = Some(errno);
            self.fail(errno, replies);
        }
        if self.progress == Progress::Connecting
            && ready.contains(EpollFlags::EPOLLOUT)
            && self.error.is_none()
        {
            self.progress = Progress::Synchronized;
            self.tell(AppEvent::Connected, replies);
        }
        let urgent = ready.contains(EpollFlags::EPOLLPRI);
        if urgent && !self.told.urgent && !self.watched {
            self.tell(AppEvent::Urgent, replies);
        }
        self.told.urgent = urgent;
        // The kernel marks an end by error as an end of the stream as well.
        let eof = ready.contains(EpollFlags::EPOLLRDHUP) && self.error.is_none();
        if eof && !self.told.eof {
            self.told.eof = true;
            self.tell(AppEvent::Eof, replies);
        }
        let next = self.write(replies);
        self.read(replies);
        if next == Next::Keep && ready.contains(EpollFlags::EPOLLHUP) { Next::AskTheKernel } else { next }
    }

    /// A new urgent pointer has come.
    pub(super) fn urgent_came(&self, replies: &mut VecDeque<Reply>) {
        self.tell(AppEvent::Urgent, replies);
    }

    /// Whether an urgent pointer is ahead of what was read.
    pub(super) fn has_urgent_pending(&self) -> bool {
        self.fd.as_ref().is_some_and(|fd| socket::has_urgent_pending(fd.as_fd()))
    }

    /// Writes octets of the pattern, now or when there is room.
    pub(super) fn send(
        &mut self,
        (offset, count): (u64, u64),
        urgent: bool,
        replies: &mut VecDeque<Reply>,
    ) -> AppOutcome {
        let refused = match (self.socket(), self.error, self.then) {
            (Err(error), ..) => Some(error),
            (_, Some(errno), _) => Some(errno.to_string()),
            (.., Some(_)) => Some(Errno::EPIPE.to_string()),
            (Ok(_), None, None) => None,
        };
        if let Some(error) = refused {
            return AppOutcome::Failed(error);
        }
        if self.unwritten.1 > 0 {
            self.unwritten.1 += count;
            self.urgent = urgent;
            return AppOutcome::Ok;
        }
        self.unwritten = (offset, count);
        self.urgent = urgent;
        match self.write_some() {
            Ok(()) | Err(Errno::EAGAIN) => AppOutcome::Ok,
            Err(errno) => {
                self.write_failed(errno, replies);
                AppOutcome::Failed(errno.to_string())
            }
        }
    }

    /// Writes what has room; then what was to follow.
    fn write(&mut self, replies: &mut VecDeque<Reply>) -> Next {
        if self.unwritten.1 > 0 {
            match self.write_some() {
                Ok(()) => {}
                Err(Errno::EAGAIN) => return Next::Keep,
                Err(errno) => self.write_failed(errno, replies),
            }
        }
        match self.then.take() {
            None => Next::Keep,
            Some(Ending::Close) => Next::Close,
            Some(Ending::Shutdown) => {
                // Refused only where the connection is gone already.
                let _gone = self.shutdown();
                Next::Keep
            }
        }
    }

    /// Writes until everything is written or an error comes; one call of an application is one write.
    fn write_some(&mut self) -> Result<(), Errno> {
        let fd = self.fd.as_ref().ok_or(Errno::EBADF)?;
        loop {
            let (offset, left) = self.unwritten;
            let chunk = left.min(stream::CHUNK);
            let last = chunk == left;
            // The octets that follow belong to the same write, and their segments are not cut here.
            let written = socket::write(fd, stream::octets(offset, chunk), self.urgent && last, !last)?;
            let written = u64::try_from(written).unwrap_or(left).min(left);
            self.unwritten = (offset + written, left - written);
            if self.unwritten.1 == 0 {
                return Ok(());
            }
        }
    }

    fn write_failed(&mut self, errno: Errno, replies: &mut VecDeque<Reply>) {
        self.unwritten.1 = 0;
        // Writing after one's own FIN is a mistake of the application, and not the connection's end.
        if errno != Errno::EPIPE || !self.shut {
            self.fail(errno, replies);
        }
    }

    /// Starts reading; the answer comes when enough has come.
    pub(super) fn receive(
        &mut self,
        call: u32,
        (offset, wanted): (u64, u64),
        replies: &mut VecDeque<Reply>,
    ) -> Option<AppOutcome> {
        if let Err(error) = self.socket() {
            return Some(AppOutcome::Failed(error));
        }
        if wanted == 0 {
            return Some(AppOutcome::Received { count: 0, mismatch: None, eof: false });
        }
        self.read = Some(Read { call, offset, wanted, count: 0, mismatch: None });
        self.read(replies);
        None
    }

    fn read(&mut self, replies: &mut VecDeque<Reply>) {
        let Some(mut read) = self.read.take() else { return };
        let outcome = loop {
            let left = usize::try_from(read.wanted - read.count).unwrap_or(usize::MAX);
            if left == 0 {
                break read.done(false);
            }
            let Some(fd) = &self.fd else { break AppOutcome::Failed("connection closing".to_owned()) };
            let mut buffer = vec![0; left.min(64 << 10)];
            match (socket::read(fd, &mut buffer), self.error) {
                (Ok(0) | Err(Errno::EAGAIN), Some(errno)) => break AppOutcome::Failed(errno.to_string()),
                (Ok(0), None) => break read.done(true),
                (Ok(n), _) => {
                    let at = read.offset + read.count;
                    let octets = buffer.get(..n).unwrap_or_default();
                    read.mismatch = read.mismatch.or_else(|| stream::mismatch(at, octets));
                    read.count += u64::try_from(n).unwrap_or_default();
                }
                (Err(Errno::EAGAIN), None) => {
                    self.read = Some(read);
                    return;
                }
                (Err(errno), known) => {
                    self.fail(errno, replies);
                    break AppOutcome::Failed(known.unwrap_or(errno).to_string());
                }
            }
        };
        self.told.urgent = self.told.urgent && self.fd.as_ref().is_some_and(socket::has_urgent);
        replies.push_back(Reply::Answer { call: read.call, outcome });
    }

    /// Ends this side, when everything is written.
    pub(super) fn end(&mut self, ending: Ending) -> Result<Next, String> {
        self.socket()?;
        if self.unwritten.1 > 0 {
            self.then = Some(ending);
            return Ok(Next::Keep);
        }
        match ending {
            Ending::Close => Ok(Next::Close),
            Ending::Shutdown => self.shutdown().map(|()| Next::Keep).map_err(|errno| errno.to_string()),
        }
    }

    fn shutdown(&mut self) -> Result<(), Errno> {
        let fd = self.fd.as_ref().ok_or(Errno::EBADF)?;
        self.shut = true;
        socket::shutdown(fd.as_fd(), Shutdown::Write).map_err(|errno| self.error.unwrap_or(errno))
    }

    /// `shutdown` as a script calls it.
    pub(super) fn shut(&mut self, how: Shutdown) -> Result<(), Errno> {
        let fd = self.fd.as_ref().ok_or(Errno::EBADF)?;
        self.shut |= how != Shutdown::Read;
        socket::shutdown(fd.as_fd(), how)
    }

    /// What the kernel would tell the next call, once.
    pub(super) fn take_pending(&mut self) -> Option<Errno> {
        self.pending.take()
    }

    pub(super) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// The peer refused within the call that connects.
    pub(super) fn refused(&mut self, event: AppEvent, replies: &mut VecDeque<Reply>) {
        self.error = Some(if event == AppEvent::Refused { Errno::ECONNREFUSED } else { Errno::ECONNRESET });
        self.tell(event, replies);
    }

    /// The descriptor is closed by somebody who has the time to wait for it.
    pub(super) fn lingers(&mut self) {
        self.lingers = true;
    }

    /// Lets go of the descriptor. What waits for octets is told that none will come.
    pub(super) fn release(&mut self, replies: &mut VecDeque<Reply>) -> Option<OwnedFd> {
        let fd = self.fd.take();
        self.read(replies);
        fd
    }

    /// Ends the connection with a RST.
    pub(super) fn abort(&mut self, replies: &mut VecDeque<Reply>) {
        if let Some(fd) = self.release(replies) {
            // Only a descriptor that is no socket would refuse.
            let _unheard = socket::set_linger(fd.as_fd(), Some(0));
        }
        self.error.get_or_insert(Errno::ECONNRESET);
        self.progress = Progress::Aborted;
    }

    /// The kernel has dealt with the connection to its end, or has not yet. `entry` is what it says of
    /// the four-tuple.
    pub(super) fn settle(&mut self, entry: Option<&Entry>, now: Instant, replies: &mut VecDeque<Reply>) {
        self.ask_at = None;
        if self.progress != Progress::Synchronized || self.error.is_some() || self.told.closed {
            return;
        }
        let entry = entry.filter(|entry| self.owns(entry.state));
        let unseen = std::mem::replace(&mut self.unseen, entry.is_none());
        match entry {
            None if unseen => {
                self.told.closed = true;
                self.tell(AppEvent::Closed, replies);
            }
            None => self.ask_at = Some(now + super::ASK_TWICE),
            // It may also be cut short, by a RST for one, which the kernel does not tell.
            Some(entry) if entry.waits => {
                self.ask_at = Some(now + entry.expires.clamp(super::ASK_AGAIN, super::ASK_WHILE_WAITING));
            }
            // The kernel tells when it destroys a socket.
            Some(_) => {}
        }
    }

    /// Whether a connection in this state can be what is left of this one. Others are its successor,
    /// with the same four-tuple.
    fn owns(&self, state: State) -> bool {
        match state {
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck | State::TimeWait => true,
            State::Listen | State::Closed => false,
            State::SynSent | State::SynReceived | State::Established | State::CloseWait => {
                self.fd.is_some() || self.lingers
            }
        }
    }

    /// Its state, as far as the descriptor tells.
    pub(super) fn state(&self) -> Option<State> {
        let info = TcpInfo::of(self.fd.as_ref()?.as_fd()).ok()?;
        Some(info.state()).filter(|state| *state != State::Closed)
    }

    /// Its state, from what the kernel says of the four-tuple.
    pub(super) fn state_of(&self, entry: Option<&Entry>) -> State {
        entry.map(|entry| entry.state).filter(|state| self.owns(*state)).unwrap_or(State::Closed)
    }

    /// Whether something of it may still be in the kernel although the descriptor is closed.
    pub(super) fn may_linger(&self) -> bool {
        self.progress == Progress::Synchronized && !self.told.closed
    }

    /// Whether its end is not known yet, and can be known only by asking.
    pub(super) fn is_orphan(&self) -> bool {
        self.fd.is_none() && self.may_linger() && self.error.is_none()
    }

    fn fail(&mut self, errno: Errno, replies: &mut VecDeque<Reply>) {
        // A socket that hears of ICMP (`IP_RECVERR`) lives on.
        if self.error.is_some() || self.state().is_some() {
            return;
        }
        // The kernel's word for a RST in CLOSE-WAIT: the FIN came first, and both before we looked.
        if errno == Errno::EPIPE && !self.told.eof {
            self.told.eof = true;
            self.tell(AppEvent::Eof, replies);
        }
        self.error = Some(errno);
        self.unwritten.1 = 0;
        if let Some(event) = event_of(errno, self.progress) {
            self.tell(event, replies);
        }
    }

    fn tell(&self, event: AppEvent, replies: &mut VecDeque<Reply>) {
        replies.push_back(Reply::Event { conn: self.handle, event });
    }
}

/// What an error means to the application, in the words of the case language.
fn event_of(errno: Errno, progress: Progress) -> Option<AppEvent> {
    match errno {
        Errno::ECONNREFUSED => Some(AppEvent::Refused),
        // RST in CLOSE-WAIT is `EPIPE`; a socket destroyed by its administrator is `ECONNABORTED`.
        Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED => Some(AppEvent::Reset),
        Errno::ETIMEDOUT => Some(AppEvent::TimedOut),
        // Given up as above, after ICMP had said why nothing comes back.
        Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::ENOPROTOOPT
            if progress == Progress::Synchronized =>
        {
            Some(AppEvent::TimedOut)
        }
        // EPROTO is what an ICMPv6 parameter problem becomes.
        Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::ENOPROTOOPT | Errno::EPROTO
            if progress == Progress::Connecting =>
        {
            Some(AppEvent::Unreachable)
        }
        _ => None,
    }
}

impl Read {
    fn done(&self, eof: bool) -> AppOutcome {
        AppOutcome::Received { count: self.count, mismatch: self.mismatch, eof }
    }
}
