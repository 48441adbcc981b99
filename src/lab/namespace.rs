//! Network namespaces without a name.
//!
//! Owns their making and the threads that live in them. A namespace exists as long as something refers to it: this
//! handle, a socket opened inside, a process started inside. Nothing of it is in the file system, so nothing is left
//! when the process ends, however it ends.
//!
//! A thread is in one network namespace, and only by `setns` in another; async code moves between threads. So each
//! namespace has a worker, a thread that was born there and never leaves, and sockets opened by it are handed over.
#![allow(clippy::disallowed_methods, reason = "opens the handle of the thread's own namespace")]

use super::{denied, failed};
use crate::lane::SetupError;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;

const SETTINGS: &str = "/proc/sys";
const OWN: &str = "/proc/thread-self/ns/net";
/// Plenty for a few system calls; only touched pages count.
const WORKER_STACK: usize = 256 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Namespace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fd: OwnedFd,
    inode: u64,
    /// Ends with the last handle, and the worker with it.
    jobs: mpsc::Sender<Job>,
}

impl Namespace {
    /// Makes a namespace with nothing in it but a loopback device that is down.
    ///
    /// # Errors
    /// Where the kernel refuses one: no `CAP_SYS_ADMIN`, or too many.
    pub async fn new() -> Result<Self, SetupError> {
        Self::with_worker(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            make_settings_writable();
            File::open(OWN).map(OwnedFd::from)
        })
        .await
        .map_err(|e| denied("make a network namespace", &e))
    }

    /// The namespace that `file` refers to, as in `/proc/<pid>/ns/net`.
    ///
    /// # Errors
    /// Where it is no network namespace or may not be entered.
    pub async fn of(file: OwnedFd) -> Result<Self, SetupError> {
        Self::with_worker(move || {
            setns(&file, CloneFlags::CLONE_NEWNET)?;
            Ok(file)
        })
        .await
        .map_err(|e| denied("enter a network namespace", &e))
    }

    /// Starts a worker that goes into a namespace by `enter`.
    async fn with_worker(enter: impl FnOnce() -> io::Result<OwnedFd> + Send + 'static) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (entered, has_entered) = oneshot::channel();
        thread::Builder::new().name("netns".into()).stack_size(WORKER_STACK).spawn(move || {
            let result = enter().and_then(|fd| Ok((File::from(fd.try_clone()?).metadata()?.ino(), fd)));
            let is_inside = result.is_ok();
            if entered.send(result).is_ok() && is_inside {
                todo.iter().for_each(|job| job());
            }
        })?;
        let (inode, fd) = has_entered.await.map_err(io::Error::other)??;
        Ok(Self { shared: Arc::new(Shared { fd, inode, jobs }) })
    }

    /// Runs `work` inside the namespace, after what others have asked for. What it opens there stays there.
    ///
    /// # Panics
    /// If `work` does.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, is_done) = oneshot::channel();
        self.submit(Box::new(move || {
            // Nobody waits for the result of a cancelled call.
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        }));
        unwind(is_done.await.expect("the worker answers every job"))
    }

    /// [`run`](Self::run) for code that is not async. Must not be called on a thread of an async runtime.
    ///
    /// # Panics
    /// If `work` does.
    pub fn run_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, is_done) = mpsc::channel();
        self.submit(Box::new(move || {
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        }));
        unwind(is_done.recv().expect("the worker answers every job"))
    }

    fn submit(&self, job: Job) {
        self.shared.jobs.send(job).expect("the worker lives as long as its handles");
    }

    /// Puts the calling thread into this namespace, for good: for a thread of one's own, or a child before `exec`.
    ///
    /// # Errors
    /// Without `CAP_SYS_ADMIN`.
    pub fn enter(&self) -> io::Result<()> {
        Ok(setns(&self.shared.fd, CloneFlags::CLONE_NEWNET)?)
    }

    /// The number in `net:[4026531840]`, by which the kernel shows a namespace.
    #[must_use]
    pub fn inode(&self) -> u64 {
        self.shared.inode
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

/// Containers show /proc/sys read-only. Whoever may mount can look at it otherwise: in a mount namespace of this thread
/// alone. Where that fails, so will the first setting, and say why.
fn make_settings_writable() {
    let is_read_only = statvfs(SETTINGS).is_ok_and(|found| found.flags().contains(FsFlags::ST_RDONLY));
    if is_read_only && unshare(CloneFlags::CLONE_NEWNS).is_ok() && keep_mounts_private().is_ok() {
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
        let _ = mount(None::<&str>, SETTINGS, None::<&str>, flags, None::<&str>);
    }
}

/// Keeps what is mounted by the calling thread from being seen in other mount namespaces. Only makes system calls.
pub(super) fn keep_mounts_private() -> nix::Result<()> {
    mount(None::<&str>, c"/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}

fn unwind<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The index of a device in the calling thread's namespace.
pub(super) fn device_index(device: &str) -> Result<u32, SetupError> {
    nix::net::if_::if_nametoindex(device).map_err(|e| failed(format!("find device {device}"), e))
}
