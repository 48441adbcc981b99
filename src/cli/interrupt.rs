//! `^C` (and SIGTERM): the first stops taking cases and lets the reports be written, the second ends
//! the process at once.

use super::Exit;
use indicatif::ProgressBar;
use std::io::{self, Write};
use tokio::sync::watch;

/// Watches for signals; must be called inside a runtime.
pub(super) fn watch(stop: watch::Sender<bool>, bar: ProgressBar) {
    tokio::spawn(async move {
        if signal().await.is_err() {
            return;
        }
        stop.send_replace(true);
        bar.suspend(|| {
            let text = "\ninterrupted: waiting for the cases that run; ^C again ends at once\n";
            let _ = io::stderr().write_all(text.as_bytes());
        });
        if signal().await.is_ok() {
            end();
        }
    });
}

/// What ran has been recorded as far as it was written; nobody wants to wait any more.
#[allow(clippy::exit, clippy::disallowed_methods, reason = "the second ^C ends the process at once")]
fn end() {
    std::process::exit(i32::from(Exit::Interrupted as u8));
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
