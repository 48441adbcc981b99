//! stdout and stderr: the only two doors for text, with what each of them looks like.

use super::error::Failure;
use crate::report::style::{Look, PAGE_WIDTH};
use anstream::ColorChoice;
use clap::ValueEnum;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};
use std::rc::Rc;
use terminal_size::{Height, Width, terminal_size_of};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

/// Both streams.
pub(super) struct Streams {
    out: Pipe<Stdout>,
    err: Pipe<Stderr>,
    out_look: Look,
    err_look: Look,
    err_is_terminal: bool,
}

impl Streams {
    pub(super) fn new(when: When) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let color = |choice: ColorChoice| match when {
            When::Auto => choice != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        };
        let width = |columns: Option<(Width, Height)>| columns.map_or(PAGE_WIDTH, |(w, _)| usize::from(w.0));
        let (out_width, err_width) = (width(terminal_size_of(&out)), width(terminal_size_of(&err)));
        Self {
            out_look: Look::new(out_width, color(anstream::AutoStream::choice(&out))),
            err_look: Look::new(err_width, color(anstream::AutoStream::choice(&err))),
            err_is_terminal: err.is_terminal(),
            out: Pipe::new(out),
            err: Pipe::new(err),
        }
    }

    /// For results.
    pub(super) fn out(&self) -> Pipe<Stdout> {
        self.out.clone()
    }

    /// For progress and diagnostics.
    pub(super) fn err(&self) -> Pipe<Stderr> {
        self.err.clone()
    }

    pub(super) fn out_look(&self) -> Look {
        self.out_look
    }

    pub(super) fn err_look(&self) -> Look {
        self.err_look
    }

    /// Whether somebody watches.
    pub(super) fn err_is_terminal(&self) -> bool {
        self.err_is_terminal
    }

    /// Writes a result.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        self.out().write_all(text.as_bytes()).map_err(|e| Failure::write("to stdout", &e))
    }

    /// Writes a diagnostic. Where stderr is gone there is nobody to tell.
    pub(super) fn note(&self, text: &str) {
        let _ = self.err().write_all(text.as_bytes());
    }

    /// What is still in a buffer goes out.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        self.out().flush().map_err(|e| Failure::write("to stdout", &e))
    }
}

/// A stream whose reader may go away: what is written after that is dropped, quietly. The command
/// ends as it would have, so a run whose output goes to `head` still writes its reports.
pub(super) struct Pipe<W>(Rc<RefCell<State<W>>>);

struct State<W> {
    stream: W,
    gone: bool,
}

impl<W> Clone for Pipe<W> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<W> Pipe<W> {
    fn new(stream: W) -> Self {
        Self(Rc::new(RefCell::new(State { stream, gone: false })))
    }
}

impl<W: Write> Pipe<W> {
    fn quietly<T>(&self, gone: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.borrow_mut();
        if state.gone {
            return Ok(gone);
        }
        match write(&mut state.stream) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                state.gone = true;
                Ok(gone)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.quietly(octets.len(), |stream| stream.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.quietly((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many octets, then fails like this.
    struct Reader(usize, io::ErrorKind);

    impl Write for Reader {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            let n = octets.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let mut pipe = Pipe::new(Reader(3, io::ErrorKind::BrokenPipe));
        pipe.write_all(b"hello").unwrap();
        pipe.write_all(b"world").unwrap();
        pipe.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut pipe = Pipe::new(Reader(3, io::ErrorKind::StorageFull));
        assert_eq!(pipe.write_all(b"hello").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
