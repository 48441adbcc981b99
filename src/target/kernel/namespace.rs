//! Work inside a network namespace.
//!
//! `setns` moves one thread only, so a thread of its own does what has to happen inside: it opens
//! sockets and files there and hands them out. A socket stays in the namespace it was opened in, and
//! can be used from anywhere. One thread serves every namespace of the process.

use nix::sched::{CloneFlags, setns};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, OnceLock};

/// Who walks into namespaces.
static WALKER: OnceLock<Option<Sender<Job>>> = OnceLock::new();

type Job = Box<dyn FnOnce(BorrowedFd<'_>) + Send>;

/// A network namespace, kept alive by its descriptor.
#[derive(Debug, Clone)]
pub struct Namespace {
    fd: Arc<OwnedFd>,
}

impl Namespace {
    /// The namespace of a descriptor such as `/proc/self/ns/net`, which is duplicated.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { fd: Arc::new(fd.try_clone_to_owned()?) })
    }

    /// Does `work` on a thread that is inside, and waits for it: some ten microseconds.
    pub fn enter<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.begin(work)?.wait()
    }

    /// Has `work` done on a thread that is inside, while this one goes on.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<Pending<T>> {
        let (done, result) = sync_channel(1);
        let fd = Arc::clone(&self.fd);
        let job = Box::new(move |home: BorrowedFd<'_>| {
            let outcome = setns(&*fd, CloneFlags::CLONE_NEWNET).map_err(io::Error::from).and_then(|()| {
                let outcome = catch_unwind(AssertUnwindSafe(work));
                outcome.unwrap_or_else(|_| Err(io::Error::other("panicked inside the namespace")))
            });
            // Staying would keep the namespace alive after its lane.
            let _still_inside = setns(home, CloneFlags::CLONE_NEWNET);
            // Nobody waits only where the caller is gone.
            let _unheard = done.send(outcome);
        });
        let walker = WALKER.get_or_init(start).as_ref().ok_or_else(gone)?;
        walker.send(job).map_err(|_| gone())?;
        Ok(Pending(result))
    }
}

/// What comes of work that was begun.
#[derive(Debug)]
pub(super) struct Pending<T>(Receiver<io::Result<T>>);

impl<T> Pending<T> {
    pub(super) fn wait(self) -> io::Result<T> {
        self.0.recv().map_err(|_| gone())?
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that enters namespaces is gone")
}

/// Starts the thread; it lives as long as the process.
fn start() -> Option<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    let work = move || {
        let Ok(home) = std::fs::File::open("/proc/thread-self/ns/net") else { return };
        for job in jobs {
            job(home.as_fd());
        }
    };
    std::thread::Builder::new().name("tcpspec-netns".to_owned()).spawn(work).ok()?;
    Some(sender)
}
