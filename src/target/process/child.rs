//! A program that runs: started in its namespace and process group, heard, and ended with all that it started.
//!
//! It must not know what the program is for.
#![allow(clippy::disallowed_methods, reason = "this is the edge where programs are started")]

#[cfg(target_os = "linux")]
use crate::lab::namespace::Namespace;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

/// What is kept of a program's output: the last of it.
const HEARD_MAX: usize = 16 * 1024;
/// A program that is asked to end has so long before it is made to.
const GRACE: Duration = Duration::from_millis(200);
/// By this variable everything that a program started is found again.
const TOKEN: &str = "TCPSPEC_TOKEN";

/// Where a program is started.
#[derive(Debug, Clone)]
pub enum Place {
    Here,
    #[cfg(target_os = "linux")]
    Inside(Namespace),
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
            let raw = fd.as_raw_fd();
            command.env("TCPSPEC_FD", raw.to_string());
            // SAFETY: between fork and exec only fcntl is called, which is safe there; the descriptor is open until
            // the child was started.
            unsafe {
                command.pre_exec(move || match libc::fcntl(raw, libc::F_SETFD, 0) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                });
            }
        }
        let mut child = match place {
            Place::Here => spawn(&mut command)?,
            #[cfg(target_os = "linux")]
            Place::Inside(namespace) => {
                let runtime = tokio::runtime::Handle::current();
                namespace
                    .run(move || {
                        let _watched_by = runtime.enter();
                        spawn(&mut command)
                    })
                    .await?
            }
        };
        drop(fd);
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        let heard = Heard::default();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = child.stdout.take().ok_or_else(gone)?;
        let stderr = child.stderr.take().ok_or_else(gone)?;
        let listening = tokio::spawn(heard.clone().listen(stderr));
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                // Its last words may still be in the pipe; something that it started may hold the pipe open.
                let _incomplete = tokio::time::timeout(Duration::from_millis(50), listening).await;
                let _ = tell.send(Some(status));
            }
        });
        Ok((Running { group: Pid::from_raw(id), token, ended, heard }, stdin, stdout))
    }
}

#[cfg(target_os = "linux")]
fn spawn(command: &mut Command) -> io::Result<tokio::process::Child> {
    let _no_device_is_open = crate::lab::tap::STARTING.read().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

#[cfg(not(target_os = "linux"))]
fn spawn(command: &mut Command) -> io::Result<tokio::process::Child> {
    command.spawn()
}

/// A program named by a path is looked for from the manifest on, whatever the working directory is.
fn resolved(program: &str, directory: &Path) -> PathBuf {
    if program.contains('/') { directory.join(program) } else { PathBuf::from(program) }
}

impl Running {
    pub fn heard(&self) -> &Heard {
        &self.heard
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
        let (group, token, alive) = (self.group, self.token.clone(), self.ended().is_none());
        // Whatever is left has had its chance; reading through /proc may take a while.
        let _done = tokio::task::spawn_blocking(move || end(group, alive, &token)).await;
        self.token.clear();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.token.is_empty() {
            end(self.group, self.ended().is_none(), &self.token);
        }
    }
}

/// Kills the group, and what has left it: daemons, and what they started.
fn end(group: Pid, alive: bool, token: &str) {
    if alive {
        let _gone = killpg(group, Signal::SIGKILL);
    }
    let mark = format!("{TOKEN}={token}");
    let own = std::process::id();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if u32::try_from(id) == Ok(own) {
            continue;
        }
        // Others' processes cannot be read, and are not ours.
        let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environ.split(|octet| *octet == 0).any(|variable| variable == mark.as_bytes()) {
            let _gone = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The last of what a program has written.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<VecDeque<u8>>>);

impl Heard {
    pub fn add(&self, octets: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(octets);
        let surplus = kept.len().saturating_sub(HEARD_MAX);
        kept.drain(..surplus);
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
        let octets: Vec<u8> = kept.iter().copied().collect();
        String::from_utf8_lossy(&octets).into_owned()
    }
}
