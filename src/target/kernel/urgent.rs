//! Urgent data, as the kernel tells of it: by SIGURG, as soon as a new urgent pointer has come.
//!
//! `poll` shows POLLPRI only once the urgent octet itself is there, which is too late for RFC 9293 MUST-32, and
//! never for a pointer whose octet does not fit into the window. The signal is sent to a thread of the target's
//! own that does nothing but wait for it, so no other target of the process is woken. It says that there is a
//! new pointer, and not of which socket.

use nix::errno::Errno;
use nix::libc;
use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// `F_SETOWN_EX` and `F_OWNER_TID` of `linux/fcntl.h`, which libc does not name.
const F_SETOWN_EX: c_int = 15;
const F_OWNER_TID: c_int = 0;

/// All it does is wait.
const STACK: usize = 64 << 10;

/// `struct f_owner_ex`.
#[repr(C)]
struct Owner {
    kind: c_int,
    id: libc::pid_t,
}

pub(super) struct Watch {
    thread: Option<JoinHandle<()>>,
    id: libc::pid_t,
    stop: Arc<AtomicBool>,
    heard: UnboundedReceiver<()>,
}

impl Watch {
    pub(super) fn start() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, heard) = unbounded_channel();
        let (ready, started) = sync_channel(1);
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("tcpspec-urgent".to_owned())
            .stack_size(STACK)
            .spawn(move || wait(&ready, &flag, &tell))?;
        let id = started.recv().map_err(|_| io::Error::other("the thread for SIGURG is gone"))??;
        Ok(Self { thread: Some(thread), id, stop, heard })
    }

    /// From here on the socket's signals go to the watch.
    pub(super) fn own(&self, socket: BorrowedFd<'_>) -> Result<(), Errno> {
        let owner = Owner { kind: F_OWNER_TID, id: self.id };
        // SAFETY: F_SETOWN_EX reads one f_owner_ex, and the pointer is to one.
        let result = unsafe { libc::fcntl(socket.as_raw_fd(), F_SETOWN_EX, &raw const owner) };
        Errno::result(result).map(drop)
    }

    /// Waits for the next new pointer. Cancel-safe.
    pub(super) async fn heard(&mut self) {
        if self.heard.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// What is of an earlier case.
    pub(super) fn forget(&mut self) {
        while self.heard.try_recv().is_ok() {}
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // SAFETY: tgkill takes numbers only; the thread is there until it is joined below.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.id, libc::SIGURG) };
        if let Some(thread) = self.thread.take() {
            // It does not panic: it calls nothing that could.
            let _ended = thread.join();
        }
    }
}

/// The thread: SIGURG is blocked in it, so that it can be waited for.
fn wait(ready: &SyncSender<io::Result<libc::pid_t>>, stop: &AtomicBool, tell: &UnboundedSender<()>) {
    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset writes the whole set before sigaddset and pthread_sigmask read it; the old mask is
    // not asked for; gettid takes nothing.
    let (blocked, id) = unsafe {
        libc::sigemptyset(signals.as_mut_ptr());
        libc::sigaddset(signals.as_mut_ptr(), libc::SIGURG);
        let blocked = libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), std::ptr::null_mut());
        (blocked, libc::gettid())
    };
    let told = if blocked == 0 { Ok(id) } else { Err(io::Error::from_raw_os_error(blocked)) };
    if ready.send(told).is_err() || blocked != 0 {
        return;
    }
    loop {
        // SAFETY: the set is whole, and nothing is wanted of the signal but that it came.
        let signal = unsafe { libc::sigwaitinfo(signals.as_ptr(), std::ptr::null_mut()) };
        let interrupted = signal < 0 && Errno::last() == Errno::EINTR;
        if stop.load(Ordering::SeqCst) || signal < 0 && !interrupted {
            return;
        }
        if signal == libc::SIGURG && tell.send(()).is_err() {
            return;
        }
    }
}
