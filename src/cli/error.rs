//! What ends a command early: one line that says what is wrong, one that says what to do.

use super::Exit;
use super::stream::Streams;
use crate::lane::SetupError;
use crate::report::style::paint;
use crate::report::text::clean;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    /// Empty where all has been said already, by diagnostics.
    message: String,
    hint: Option<String>,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The user asked for something that cannot be.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The machine, or we, could not do it.
    pub(super) fn harness(message: impl Into<String>) -> Self {
        Self::new(Exit::Harness, message)
    }

    pub(super) fn nothing_selected(message: impl Into<String>) -> Self {
        Self::new(Exit::NothingSelected, message)
    }

    /// Everything has been said by diagnostics.
    pub(super) fn said() -> Self {
        Self::new(Exit::Usage, "")
    }

    pub(super) fn write(what: impl Display, error: &io::Error) -> Self {
        Self::harness(format!("cannot write {what}: {}", plain(error)))
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn print(&self, streams: &mut Streams) {
        let palette = streams.err_look().palette;
        let mut text = String::new();
        if !self.message.is_empty() {
            text.push_str(&format!("{} {}\n", paint(palette.fail, "error:"), clean(&self.message)));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{} {}\n", paint(palette.skip, "hint:"), clean(hint)));
        }
        // Where not even stderr can be written, the exit code has to do.
        let _ = streams.err().write_all(text.as_bytes());
    }
}

impl From<&SetupError> for Failure {
    fn from(error: &SetupError) -> Self {
        Self { hint: error.hint.clone(), ..Self::harness(error.to_string()) }
    }
}

/// A path as messages show it.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What went wrong, without the number of the system's error.
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        io::ErrorKind::NotADirectory => "a part of the path is not a directory".into(),
        io::ErrorKind::StorageFull => "no space is left".into(),
        _ => error.to_string(),
    }
}
