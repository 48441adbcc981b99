//! Settings of a network namespace: the `net.` half of /proc/sys, as the namespace's own threads see it.
//!
//! Owns the names, the reading and writing, and putting back what was changed. Settings outside of `net.` belong to the
//! whole machine and are refused.
#![allow(clippy::disallowed_methods, reason = "settings are files")]

use super::namespace::Namespace;
use super::{denied, failed};
use crate::lane::SetupError;
use std::fs;
use std::io::{self, Write};

/// The settings of one namespace, and what they were before.
#[derive(Debug)]
pub struct Sysctls {
    namespace: Namespace,
    /// What the first change of each setting found, latest last.
    before: Vec<(String, String)>,
}

impl Sysctls {
    #[must_use]
    pub fn new(namespace: Namespace) -> Self {
        Self { namespace, before: Vec::new() }
    }

    /// The value, without its line's end; several numbers have one space between them.
    ///
    /// # Errors
    /// Where this kernel has no such setting per namespace.
    pub async fn read(&self, name: &str) -> Result<String, SetupError> {
        let name = name.to_owned();
        self.namespace.run(move || read(&name)).await
    }

    /// Changes a setting until [`restore`](Self::restore).
    ///
    /// # Errors
    /// Where this kernel has no such setting per namespace, or does not take the value.
    pub async fn write(&mut self, name: &str, value: &str) -> Result<(), SetupError> {
        let (owned_name, owned_value) = (name.to_owned(), value.to_owned());
        let before = self
            .namespace
            .run(move || {
                let before = read(&owned_name)?;
                write(&owned_name, &owned_value).map(|()| before)
            })
            .await?;
        if self.before.iter().all(|(changed, _)| changed != name) {
            self.before.push((name.to_owned(), before));
        }
        Ok(())
    }

    /// Puts back every setting that was changed, the latest first.
    ///
    /// # Errors
    /// The first that could not be put back; the others are, all the same.
    pub async fn restore(&mut self) -> Result<(), SetupError> {
        let before = std::mem::take(&mut self.before);
        if before.is_empty() {
            return Ok(());
        }
        let put_back = move || {
            let results: Vec<_> = before.iter().rev().map(|(name, value)| write(name, value)).collect();
            results.into_iter().collect()
        };
        self.namespace.run(put_back).await
    }
}

/// Reads a setting of the calling thread's namespace.
///
/// # Errors
/// Where there is no such setting.
pub fn read(name: &str) -> Result<String, SetupError> {
    let text = fs::read_to_string(path(name)?).map_err(|e| explain("read", name, &e))?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Writes a setting of the calling thread's namespace.
///
/// # Errors
/// Where there is no such setting, or it does not take the value.
pub fn write(name: &str, value: &str) -> Result<(), SetupError> {
    // Never made where it is missing, as `fs::write` would try.
    let mut file =
        fs::OpenOptions::new().write(true).open(path(name)?).map_err(|e| explain("set", name, &e))?;
    file.write_all(value.as_bytes()).map_err(|e| match e.raw_os_error() {
        // ENOENT: a congestion control that the kernel does not have.
        Some(libc::EINVAL | libc::ERANGE | libc::ENOENT) => {
            failed(format!("set sysctl {name}"), format!("it does not take `{value}`"))
        }
        _ => explain("set", name, &e),
    })
}

/// True where this kernel has the setting in the calling thread's namespace.
#[must_use]
pub fn is_known(name: &str) -> bool {
    path(name).is_ok_and(|path| fs::metadata(path).is_ok())
}

/// The file of a setting. As in sysctl(8), whichever of `.` and `/` comes first is the separator.
fn path(name: &str) -> Result<String, SetupError> {
    let separator = name.find(['.', '/']).map_or('.', |at| char::from(name.as_bytes()[at]));
    let parts: Vec<_> = name.split(separator).collect();
    let is_clean = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('/');
    if parts.first() != Some(&"net") || parts.len() < 2 || !parts.iter().all(is_clean) {
        let mut e = failed(format!("find sysctl {name}"), "it is not a setting of a network namespace");
        e.hint = Some("names begin with `net.`, as in `net.ipv4.tcp_sack`".into());
        return Err(e);
    }
    Ok(format!("/proc/sys/{}", parts.join("/")))
}

fn explain(verb: &str, name: &str, e: &io::Error) -> SetupError {
    let operation = format!("{verb} sysctl {name}");
    match e.kind() {
        io::ErrorKind::NotFound => {
            let mut e = failed(operation, "this kernel has no such setting per network namespace");
            e.hint = Some("check its spelling, and whether the kernel is new enough".into());
            e
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            let mut e = failed(operation, "/proc/sys is read-only");
            e.hint =
                Some("in a container, mount it writable: `--security-opt systempaths=unconfined`".into());
            e
        }
        _ => denied(operation, e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("net.ipv4.tcp_sack", "/proc/sys/net/ipv4/tcp_sack")]
    #[case("net/ipv4/tcp_sack", "/proc/sys/net/ipv4/tcp_sack")]
    #[case("net/ipv4/conf/eth0.1/rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter")]
    fn names(#[case] name: &str, #[case] file: &str) {
        assert_eq!(path(name).unwrap(), file);
    }

    #[rstest]
    #[case("kernel.hostname")]
    #[case("net")]
    #[case("net.")]
    #[case("net/../kernel/hostname")]
    #[case("net.ipv4/../../kernel/hostname")]
    #[case("")]
    fn names_outside_of_the_namespace(#[case] name: &str) {
        assert!(path(name).unwrap_err().to_string().contains("not a setting of a network namespace"));
    }
}
