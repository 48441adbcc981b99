//! A program that runs: started in its namespace and process group, heard, and ended with all that it started.
//!
//! It must not know what the program is for.
#![allow(clippy::disallowed_methods, reason = "this is the edge where programs are started")]

use super::kin::{self, Family, TOKEN};
#[cfg(target_os = "linux")]
use crate::lab::namespace::Namespace;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::thread::{self, sleep};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Ten times the share of an ordinary program, about.
const NICENESS: libc::c_int = -10;
/// What is kept of a program's output: the last of it.
const HEARD_MAX: usize = 16 * 1024;
/// A program that is asked to end has so long before it is made to.
const GRACE: Duration = Duration::from_millis(200);
/// Between SIGKILL and the end of all that a program has started. What the kernel holds for longer is left to it.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// What a program wrote last is waited for so long after its end.
const LAST_WORDS_MS: u32 = 50;
/// Plenty for a few system calls; only touched pages count.
const KEEPER_STACK: usize = 256 * 1024;

/// Where a program is started.
#[derive(Debug, Clone)]
pub enum Place {
    Here,
    #[cfg(target_os = "linux")]
    Inside(Namespace),
}

impl Place {
    /// The number of a namespace that only the program is in: whoever else is there was started by it.
    fn own(&self) -> Option<u64> {
        match self {
            Self::Here => None,
            #[cfg(target_os = "linux")]
            Self::Inside(namespace) => Some(namespace.inode()),
        }
    }
}

/// What is started.
#[derive(Debug)]
pub struct Order {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
    /// Inherited, under the number that it has here.
    pub fd: Option<OwnedFd>,
}

/// A program that was started. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    group: Pid,
    family: Arc<Family>,
    keeper: Option<Keeper>,
    ended: watch::Receiver<Option<ExitStatus>>,
    heard: Heard,
}

type Started = (Running, ChildStdin, ChildStdout);

impl Order {
    /// Starts the program in a process group of its own.
    ///
    /// # Errors
    /// Where it cannot be executed.
    pub async fn start(self, place: &Place) -> io::Result<Started> {
        kin::adopt();
        let runtime = tokio::runtime::Handle::current();
        let namespace = place.own();
        // Until the program is executed, whoever starts it waits: that must not be a lane.
        let start = move || {
            let _watched_by = runtime.enter();
            self.begin(namespace)
        };
        match place {
            Place::Here => {
                let (tell, started) = oneshot::channel();
                let keep = move || match start() {
                    Ok((started, vigil)) => {
                        // Where nobody waits any more it ends with the message.
                        let _late = tell.send(Ok(started));
                        vigil.keep();
                    }
                    Err(e) => drop(tell.send(Err(e))),
                };
                keeper(keep)?;
                started.await.map_err(io::Error::other)?
            }
            #[cfg(target_os = "linux")]
            Place::Inside(namespace) => {
                let start = move || {
                    let (started, vigil) = start()?;
                    keeper(move || vigil.keep())?;
                    Ok(started)
                };
                namespace.run(start).await
            }
        }
    }

    fn begin(self, namespace: Option<u64>) -> io::Result<(Started, Vigil)> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let Self { argv, env, directory, fd } = self;
        let token = format!("{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(resolved(program, &directory));
        command.args(arguments).envs(env).env(TOKEN, &token).current_dir(directory).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(fd) = &fd {
            command.env("TCPSPEC_FD", fd.as_raw_fd().to_string());
        }
        let mut child = spawn(&mut command, fd)?;
        let group = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        let family = Arc::new(Family { leader: group, token, namespace });
        family.born();
        favour(group);
        let (orders, asked) = mpsc::channel();
        let (tell, ended) = watch::channel(None);
        let heard = Heard::default();
        let keeper = Some(Keeper(orders));
        // From here on it ends with this.
        let running = Running { group, family: Arc::clone(&family), keeper, ended, heard: heard.clone() };
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let stdin = ChildStdin::from_std(child.stdin.take().ok_or_else(gone)?)?;
        let stdout = ChildStdout::from_std(child.stdout.take().ok_or_else(gone)?)?;
        let stderr = ChildStderr::from_std(child.stderr.take().ok_or_else(gone)?)?;
        let listening = tokio::spawn(heard.listen(stderr));
        Ok(((running, stdin, stdout), Vigil { child, family, listening, tell, asked }))
    }
}

/// What is called when all is over.
type Done = Box<dyn FnOnce() + Send>;

/// By this the thread is told that goes with a program.
#[derive(Debug)]
struct Keeper(mpsc::Sender<Done>);

/// What the thread does that goes with a program: waits for its end, buries it, and ends what it has left.
///
/// It is a thread of ordinary priority: the kernel takes a dead process out of /proc, and where the last thread of the
/// process is not done with that itself, the one that buries it tries again and again, instead of letting that thread run.
struct Vigil {
    child: Child,
    family: Arc<Family>,
    listening: JoinHandle<()>,
    tell: watch::Sender<Option<ExitStatus>>,
    asked: mpsc::Receiver<Done>,
}

impl Vigil {
    fn keep(mut self) {
        self.family.until_dead();
        let Ok(status) = self.child.wait() else { return };
        // Its last words may still be in the pipe; something that it started may hold the pipe open.
        for _ in 0..LAST_WORDS_MS {
            if self.listening.is_finished() {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        let _nobody_asks = self.tell.send(Some(status));
        let done = self.asked.recv();
        self.family.end();
        if let Ok(done) = done {
            done();
        }
    }
}

fn keeper(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("keeper".into()).stack_size(KEEPER_STACK).spawn(work).map(drop)
}

/// Held while something is open that only one program may have: a device that is being made, or the end of a wire that is
/// being handed over. A program that is being started holds every descriptor of ours until it is executed, and those that
/// are to be inherited for ever.
pub static STARTING: RwLock<()> = RwLock::new(());

/// Nothing is run between the birth of the process and its program (no `pre_exec`): so the process is not made as a copy of
/// this one, whose memory grows with the run.
fn spawn(command: &mut Command, fd: Option<OwnedFd>) -> io::Result<Child> {
    let Some(fd) = fd else {
        let _nothing_is_open = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        return command.spawn();
    };
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let started = command.spawn();
    // Closed before anything else is started.
    drop(fd);
    started
}

/// Lets a program go before most others, if this process may: what waits for a processor cannot be judged. Lanes still go
/// before it, and it shares with what runs beside it, only not evenly.
fn favour(id: Pid) {
    let id = libc::id_t::try_from(id.as_raw()).unwrap_or(0);
    // SAFETY: takes numbers.
    let _may_not = unsafe { libc::setpriority(libc::PRIO_PROCESS, id, NICENESS) };
}

/// A program named by a path is looked for from the manifest on, whatever the working directory is.
fn resolved(program: &str, directory: &Path) -> PathBuf {
    if program.contains('/') { directory.join(program) } else { PathBuf::from(program) }
}

impl Running {
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The number of its process.
    pub fn id(&self) -> i32 {
        self.group.as_raw()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Waits until it ends. Cancel-safe.
    pub async fn wait(&mut self) -> ExitStatus {
        match self.ended.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => status,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// How it ended and its last words, in one line.
    pub fn last_words(&self, status: ExitStatus) -> String {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("its process ended with exit code {code}"),
            (None, Some(signal)) => {
                let name = Signal::try_from(signal).map_or("a signal", Signal::as_str);
                format!("its process was killed by {name}")
            }
            (None, None) => "its process ended".to_owned(),
        };
        match self.heard.last_lines(4) {
            said if said.is_empty() => format!("{how}, without a word"),
            said => format!("{how}; it said: {said}"),
        }
    }

    /// Asks it to end, and makes it and everything that it started.
    pub async fn stop(mut self) {
        if self.ended().is_none() {
            self.family.signal(Signal::SIGTERM);
            let _stubborn = tokio::time::timeout(GRACE, self.wait()).await;
        }
        // Whatever is left has had its chance.
        self.family.signal(Signal::SIGKILL);
        let Some(Keeper(keeper)) = self.keeper.take() else { return };
        let (tell, done) = oneshot::channel();
        if keeper.send(Box::new(move || tell.send(()).unwrap_or_default())).is_ok() {
            let _stuck = tokio::time::timeout(END_PATIENCE, done).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(Keeper(keeper)) = self.keeper.take() else { return };
        self.family.signal(Signal::SIGKILL);
        let (tell, done) = mpsc::channel();
        if keeper.send(Box::new(move || tell.send(()).unwrap_or_default())).is_ok() {
            let _stuck = done.recv_timeout(END_PATIENCE);
        }
    }
}

/// The last of what a program has written.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    octets: VecDeque<u8>,
    /// How many there were before them.
    before: u64,
}

impl Heard {
    pub fn add(&self, octets: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.octets.extend(octets);
        let surplus = kept.octets.len().saturating_sub(HEARD_MAX);
        kept.octets.drain(..surplus);
        kept.before += u64::try_from(surplus).unwrap_or(0);
    }

    /// How much was written so far.
    pub fn mark(&self) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.before + u64::try_from(kept.octets.len()).unwrap_or(0)
    }

    /// What was written since, as far as it was kept.
    pub fn since(&self, mark: u64) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(mark.saturating_sub(kept.before)).unwrap_or(usize::MAX);
        let octets: Vec<u8> = kept.octets.iter().skip(skip).copied().collect();
        String::from_utf8_lossy(&octets).trim_end().to_owned()
    }

    /// Reads to the end, however much that is.
    pub async fn listen(self, mut from: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 8192];
        while let Ok(len @ 1..) = from.read(&mut buffer).await {
            self.add(buffer.get(..len).unwrap_or_default());
        }
    }

    pub fn contains(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The last lines that say something, in one.
    pub fn last_lines(&self, count: usize) -> String {
        let text = self.text();
        let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let surplus = lines.len().saturating_sub(count);
        lines.drain(..surplus);
        lines.join(" | ")
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let octets: Vec<u8> = kept.octets.iter().copied().collect();
        String::from_utf8_lossy(&octets).into_owned()
    }
}
