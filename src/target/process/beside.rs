//! Programs that run beside the target: what it needs to be a target at all, and which it goes down with.

use super::child::Running;
use super::{Heard, is_unsupported};
use futures_util::future::{join_all, select_all};
use std::future::pending;

#[derive(Debug, Default)]
pub struct Beside(Vec<One>);

#[derive(Debug)]
struct One {
    /// As the manifest calls it.
    name: String,
    running: Running,
    /// It has done what it was started for. What it left running stays until the end.
    is_done: bool,
}

impl Beside {
    pub fn add(&mut self, name: String, running: Running) {
        self.0.push(One { name, running, is_done: false });
    }

    /// True where one has ended as it should not.
    pub(super) fn has_failed(&self) -> bool {
        let has_failed = |one: &One| one.running.ended().is_some_and(|status| !status.success());
        self.0.iter().any(has_failed)
    }

    /// Waits until one fails, and tells how; true where it says that it cannot run here. What ends with 0 was done.
    /// Cancel-safe.
    pub(super) async fn failed(&mut self, heard: &Heard) -> (String, bool) {
        loop {
            let mut running: Vec<&mut One> = self.0.iter_mut().filter(|one| !one.is_done).collect();
            if running.is_empty() {
                return pending().await;
            }
            let ends = running.iter_mut().map(|one| Box::pin(one.running.wait()));
            let (status, at, _) = select_all(ends).await;
            let Some(one) = running.get_mut(at) else { continue };
            one.is_done = true;
            if !status.success() {
                heard.add(one.running.heard().since(0).as_bytes());
                let words = one.running.last_words(status);
                return (format!("`{}`, which runs beside it: {words}", one.name), is_unsupported(status));
            }
        }
    }

    pub(super) async fn stop(&mut self) {
        join_all(self.0.drain(..).map(|one| one.running.stop())).await;
    }
}
