//! Privilege for ordinary users: user namespaces (user_namespaces(7)).
//!
//! Inside a user namespace of its own a process may do what a lab needs (network namespaces, devices, packet sockets,
//! settings of its own network namespaces) and nothing to the rest of the machine. Owns going there. The settings
//! below /proc/sys/net are those of the reading thread's network namespace, and writable for whoever is root in the
//! user namespace that owns it, so no other view of /proc is needed.
#![allow(clippy::disallowed_methods, reason = "reads and writes files of /proc/self")]

use super::failed;
use crate::lane::SetupError;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What a lab needs: the numbers of linux/capability.h.
const NEEDED: [(u32, &str); 3] = [(12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW"), (21, "CAP_SYS_ADMIN")];

/// Whose privilege the process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// It had it from the start.
    Own,
    /// That of a user namespace, which it is in from now on.
    UserNamespace,
}

/// The step of going into a user namespace that the kernel refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{step} was refused: {}", io::Error::from_raw_os_error(*.errno))]
pub struct Refusal {
    pub step: Step,
    pub errno: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    UserNamespace,
    IdentityMap,
    NetworkNamespace,
    Mounts,
    PacketSocket,
}

const STEPS: [Step; 5] =
    [Step::UserNamespace, Step::IdentityMap, Step::NetworkNamespace, Step::Mounts, Step::PacketSocket];

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UserNamespace => "a user namespace",
            Self::IdentityMap => "being root in a user namespace",
            Self::NetworkNamespace => "a network namespace in a user namespace",
            Self::Mounts => "a private view of mounts in a user namespace",
            Self::PacketSocket => "a packet socket in a user namespace",
        })
    }
}

/// Goes into user, network and mount namespaces of the process's own, unless it is privileged as it is.
///
/// Must be called before any other thread is started: a user namespace is for whole processes.
///
/// # Errors
/// Where user namespaces are refused. Nothing has changed then.
pub fn obtain_privilege() -> Result<Privilege, SetupError> {
    if missing_capabilities().is_empty() {
        return Ok(Privilege::Own);
    }
    // In a child first: half of the way in there is no way back.
    try_user_namespace().map_err(|refusal| refused(&refusal))?;
    Plan::new().follow().map_err(|refusal| match (refusal.step, refusal.errno) {
        (Step::UserNamespace, libc::EINVAL) => {
            failed("enter a user namespace", "other threads are running already")
        }
        _ => refused(&refusal),
    })?;
    Ok(Privilege::UserNamespace)
}

/// Has a child process go into user, network and mount namespaces of its own before it begins.
///
/// Where that is refused, spawning it fails with `PermissionDenied` or what the kernel said.
pub fn enter_on_exec(command: &mut Command) -> &mut Command {
    let plan = Plan::new();
    // SAFETY: after the fork `follow` makes system calls and nothing else; all memory it uses is ready.
    unsafe {
        command.pre_exec(move || plan.follow().map_err(|refusal| io::Error::from_raw_os_error(refusal.errno)))
    }
}

/// Finds out whether this process could go into a user namespace, in a child that ends at once.
///
/// # Errors
/// The first step that was refused.
pub fn try_user_namespace() -> Result<(), Refusal> {
    let plan = Plan::new();
    let mut command = Command::new("/proc/self/exe");
    // The child never begins: whatever it found out is passed back as the reason why it did not. The step travels in
    // the upper half of the error number.
    let report = move || {
        let code = match plan.follow() {
            Ok(()) => ALL_DONE,
            Err(Refusal { step, errno }) => errno | (step as i32 + 1) << 16,
        };
        Err(io::Error::from_raw_os_error(code))
    };
    // SAFETY: after the fork the closure makes system calls and nothing else; all memory it uses is ready.
    unsafe { command.pre_exec(report) };
    let code = match command.spawn() {
        Ok(mut child) => {
            // It cannot have begun.
            let _ = child.wait();
            libc::EIO
        }
        Err(e) => e.raw_os_error().unwrap_or(libc::EIO),
    };
    if code == ALL_DONE {
        return Ok(());
    }
    let step = usize::try_from((code >> 16) - 1).ok().and_then(|step| STEPS.get(step).copied());
    Err(Refusal { step: step.unwrap_or(Step::UserNamespace), errno: code & 0xffff })
}

const ALL_DONE: i32 = 0x7fff_0000;

/// The capabilities that a lab needs and the calling thread lacks.
#[must_use]
pub fn missing_capabilities() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    NEEDED.iter().filter(|(bit, _)| effective >> bit & 1 == 0).map(|(_, name)| *name).collect()
}

fn refused(refusal: &Refusal) -> SetupError {
    SetupError {
        hint: Some(
            "run as root, or let ordinary users have user namespaces (`tcpspec doctor` says what is in the way); \
             the `sim` wire needs no privilege at all"
                .into(),
        ),
        ..failed("get the privilege to make network namespaces", refusal)
    }
}

/// All that going into a user namespace needs to know, so that a child has nothing to work out after the fork.
struct Plan {
    uid_map: String,
    gid_map: String,
}

impl Plan {
    fn new() -> Self {
        Self { uid_map: format!("0 {} 1", geteuid()), gid_map: format!("0 {} 1", getegid()) }
    }

    /// Goes, by system calls alone.
    fn follow(&self) -> Result<(), Refusal> {
        let at = |step| move |errno: nix::Error| Refusal { step, errno: errno as i32 };
        unshare(CloneFlags::CLONE_NEWUSER).map_err(at(Step::UserNamespace))?;
        // Nobody may drop a group that denies them something (user_namespaces(7)).
        put(c"/proc/self/setgroups", "deny").map_err(at(Step::IdentityMap))?;
        put(c"/proc/self/uid_map", &self.uid_map).map_err(at(Step::IdentityMap))?;
        put(c"/proc/self/gid_map", &self.gid_map).map_err(at(Step::IdentityMap))?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(at(Step::NetworkNamespace))?;
        unshare(CloneFlags::CLONE_NEWNS).map_err(at(Step::Mounts))?;
        super::namespace::keep_mounts_private().map_err(at(Step::Mounts))?;
        // AppArmor lets the namespace be made, and refuses its use.
        // SAFETY: no pointers; the result is checked.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        let socket = nix::Error::result(socket).map_err(at(Step::PacketSocket))?;
        // SAFETY: just opened, used by nobody else.
        unsafe { libc::close(socket) };
        Ok(())
    }
}

/// Writes a whole file of /proc by system calls alone.
fn put(path: &CStr, text: &str) -> nix::Result<()> {
    // SAFETY: the path has its end; octets and their number belong together; the descriptor is ours and closed once.
    unsafe {
        let fd = nix::Error::result(libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC))?;
        let written = nix::Error::result(libc::write(fd, text.as_ptr().cast(), text.len()));
        libc::close(fd);
        written.map(drop)
    }
}
