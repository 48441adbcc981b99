//! Sysctls of the namespace, put back when the case is over.

use super::namespace::Namespace;
use std::io;
use std::path::PathBuf;

pub(super) struct Sysctls {
    namespace: Namespace,
    /// What was there before, oldest first.
    saved: Vec<(String, String)>,
}

impl Sysctls {
    pub(super) fn new(namespace: Namespace) -> Self {
        Self { namespace, saved: Vec::new() }
    }

    pub(super) fn read(&self, name: &str) -> io::Result<String> {
        let path = path(name)?;
        self.namespace.enter(move || std::fs::read_to_string(path)).map(|text| text.trim_end().to_owned())
    }

    pub(super) fn write(&mut self, name: &str, value: &str) -> io::Result<()> {
        let path = path(name)?;
        let value = value.to_owned();
        let before = self.namespace.enter(move || {
            let before = std::fs::read_to_string(&path)?;
            std::fs::write(&path, value)?;
            Ok(before)
        })?;
        if !self.saved.iter().any(|(saved, _)| saved == name) {
            self.saved.push((name.to_owned(), before.trim_end().to_owned()));
        }
        Ok(())
    }

    pub(super) fn restore(&mut self) {
        for (name, value) in std::mem::take(&mut self.saved).into_iter().rev() {
            let Ok(path) = path(&name) else { continue };
            // It could be written before, so it can be now, unless the namespace is gone.
            let _gone = self.namespace.enter(move || std::fs::write(path, value));
        }
    }
}

/// `net.ipv4.tcp_sack` below `/proc/sys`. Only what is below `net` belongs to the namespace.
fn path(name: &str) -> io::Result<PathBuf> {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    let name = name.replace('/', ".");
    if !name.starts_with("net.") || !name.split('.').all(plain) {
        let why = format!("`{name}` is not a sysctl of a network namespace");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(PathBuf::from("/proc/sys").join(name.replace('.', "/")))
}
