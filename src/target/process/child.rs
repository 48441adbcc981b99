//! A program that runs: started in its namespace and process group, heard, and ended with all that it started.
//!
//! It must not know what the program is for.
#![allow(clippy::disallowed_methods, reason = "this is the edge where programs are started")]

use super::kin::{self, Family, TOKEN};
#[cfg(target_os = "linux")]
use crate::lab::namespace::Namespace;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

/// What is kept of a program's output: the last of it.
const HEARD_MAX: usize = 16 * 1024;
/// A program that is asked to end has so long before it is made to.
const GRACE: Duration = Duration::from_millis(200);

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
    token: String,
    namespace: Option<u64>,
    ended: watch::Receiver<Option<ExitStatus>>,
    heard: Heard,
}

impl Order {
    /// Starts the program in a process group of its own.
    ///
    /// # Errors
    /// Where it cannot be executed.
    pub async fn start(self, place: &Place) -> io::Result<(Running, ChildStdin, ChildStdout)> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let Self { argv, env, directory, fd } = self;
        let token = format!("{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(resolved(program, &directory));
        command.args(arguments).envs(env).env(TOKEN, &token).current_dir(directory).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(fd) = &fd {
            command.env("TCPSPEC_FD", fd.as_raw_fd().to_string());
        }
        kin::adopt();
        let runtime = tokio::runtime::Handle::current();
        let start = move || {
            let _watched_by = runtime.enter();
            spawn(&mut command, fd)
        };
        // Until the program is executed, whoever starts it waits: that must not be a lane.
        let mut child = match place {
            Place::Here => tokio::task::spawn_blocking(start).await.map_err(io::Error::other)??,
            #[cfg(target_os = "linux")]
            Place::Inside(namespace) => namespace.run(start).await?,
        };
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        let group = Pid::from_raw(id);
        kin::born(group, &token);
        let heard = Heard::default();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = child.stdout.take().ok_or_else(gone)?;
        let stderr = child.stderr.take().ok_or_else(gone)?;
        let listening = tokio::spawn(heard.clone().listen(stderr));
        let (tell, ended) = watch::channel(None);
        let mark = token.clone();
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                kin::reaped(group, &mark);
                // Its last words may still be in the pipe; something that it started may hold the pipe open.
                let _incomplete = tokio::time::timeout(Duration::from_millis(50), listening).await;
                let _ = tell.send(Some(status));
            }
        });
        let namespace = place.own();
        Ok((Running { group, token, namespace, ended, heard }, stdin, stdout))
    }
}

/// Held while something is open that only one program may have: a device that is being made, or the end of a wire that is
/// being handed over. A program that is being started holds every descriptor of ours until it is executed, and those that
/// are to be inherited for ever.
pub static STARTING: RwLock<()> = RwLock::new(());

/// Nothing is run between the birth of the process and its program (no `pre_exec`): so the process is not made as a copy of
/// this one, whose memory grows with the run.
fn spawn(command: &mut Command, fd: Option<OwnedFd>) -> io::Result<tokio::process::Child> {
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
            let _gone = killpg(self.group, Signal::SIGTERM);
            let _stubborn = tokio::time::timeout(GRACE, self.wait()).await;
        }
        let (group, token, namespace) = (self.group, std::mem::take(&mut self.token), self.namespace);
        let alive = self.ended().is_none();
        // Whatever is left has had its chance; to end it may take a while.
        let end = move || Family { group, token: &token, namespace }.end(alive);
        let _done = tokio::task::spawn_blocking(end).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.token.is_empty() {
            let family = Family { group: self.group, token: &self.token, namespace: self.namespace };
            family.end(self.ended().is_none());
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
