//! What tests on a real kernel share: privilege, and what a machine shows of namespaces and devices.
#![allow(dead_code, reason = "each test uses its part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use tcpspec::lab::user;

pub(crate) const NOBODY: u32 = 65534;

/// Runs a test that needs privilege: as it is, or once more in a user namespace. `test` is its path in the binary.
pub(crate) fn with_privilege(test: &str, body: impl Future<Output = ()>) {
    if user::missing_capabilities().is_empty() {
        tokio::runtime::Runtime::new().unwrap().block_on(body);
        return;
    }
    match user::try_user_namespace() {
        Ok(()) => {
            let mut again = this_test(test);
            assert!(user::enter_on_exec(&mut again).status().unwrap().success());
        }
        Err(refusal) if std::env::var_os("CI").is_none() => eprintln!("SKIPPED {test}: {refusal}"),
        Err(refusal) => panic!("no privilege in CI: {refusal}"),
    }
}

/// Runs one test of this file in another process.
pub(crate) fn this_test(test: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", test, "--include-ignored", "--nocapture"]);
    command
}

/// True for the root of the machine, not only of a user namespace.
pub(crate) fn is_root() -> bool {
    user::missing_capabilities().is_empty()
        && fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295")
}

pub(crate) fn host_devices() -> BTreeSet<String> {
    let names = fs::read_dir("/sys/class/net").unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The network namespaces that some thread is in or some process holds open.
pub(crate) fn namespaces_in_use() -> BTreeSet<String> {
    let list = |path: &str| {
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut links = Vec::new();
    for process in list("/proc") {
        links.extend(list(&process.join("fd").to_string_lossy()));
        let threads = list(&process.join("task").to_string_lossy());
        links.extend(threads.iter().map(|thread| thread.join("ns/net")));
    }
    let seen = links.iter().filter_map(|link| fs::read_link(link).ok()?.into_os_string().into_string().ok());
    seen.filter(|seen| seen.starts_with("net:")).collect()
}

/// Of the calling thread, until it starts a program.
pub(crate) fn drop_capabilities() {
    let header = [0x2008_0522_u32, 0];
    let none = [0_u32; 6];
    // SAFETY: version 3 of the interface, with its header of two and its data of six words; of this thread.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    assert_eq!(result, 0);
}

/// Handles of namespaces (Linux 6.18): they tell whether one still exists, without keeping it.
pub(crate) mod handles {
    use std::ffi::CString;
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::AsRawFd;

    /// `struct file_handle` with room for the octets.
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub(crate) struct Handle {
        len: u32,
        kind: i32,
        octets: [u8; 64],
    }

    /// Of all network namespaces that a process holds open, but for the one that we are in: as `/proc` shows them, and
    /// their handles. `None` where the kernel has no such handles.
    pub(crate) fn of(pid: u32) -> Option<Vec<(String, Handle)>> {
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let mut held = Vec::new();
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
            let path = entry.unwrap().path();
            // One that is closed by now is held no more.
            let Ok(shown) = fs::read_link(&path) else { continue };
            if shown != own && shown.to_string_lossy().starts_with("net:") {
                held.push((shown.to_string_lossy().into_owned(), Handle::new(path.to_str().unwrap())?));
            }
        }
        Some(held)
    }

    impl Handle {
        fn new(path: &str) -> Option<Self> {
            let path = CString::new(path).unwrap();
            let mut handle = Self { len: 64, kind: 0, octets: [0; 64] };
            let mut mount = 0;
            // SAFETY: the path has its end; the handle has as much room as it says.
            let result = unsafe {
                libc::name_to_handle_at(
                    libc::AT_FDCWD,
                    path.as_ptr(),
                    (&raw mut handle).cast(),
                    &raw mut mount,
                    libc::AT_SYMLINK_FOLLOW,
                )
            };
            (result == 0).then_some(handle)
        }

        pub(crate) fn is_stale(&self) -> bool {
            let any = File::open("/proc/self/ns/net").unwrap();
            let mut handle = *self;
            // SAFETY: the handle is one the kernel filled in, and has as much room as it says.
            let fd = unsafe {
                libc::open_by_handle_at(
                    any.as_raw_fd(),
                    (&raw mut handle).cast(),
                    libc::O_RDONLY | libc::O_CLOEXEC,
                )
            };
            if fd < 0 {
                let e = io::Error::last_os_error();
                assert_eq!(e.raw_os_error(), Some(libc::ESTALE), "{e}");
                return true;
            }
            // SAFETY: just opened, used by nobody else.
            unsafe { libc::close(fd) };
            false
        }
    }
}
