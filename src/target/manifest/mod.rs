//! Manifests: files that say how a target is attached, started and spoken to, and what it can do.
//!
//! Owns their grammar, and the way from text to [`Manifest`], with every mistake reported at its place like
//! those in suites. Pure: who reads the files is in `find`. It knows nothing of processes or wires.

pub mod find;
mod grammar;
mod model;
mod read;
mod value;
pub mod write;

pub use grammar::MANIFEST as GRAMMAR;
pub use model::{App, Creator, InSoak, Lifetime, Link, LinkKind, Manifest, Program, Ready, Stdin, Waiver};
pub use read::read;

/// The JSON Schema of manifests, for editors. Checked in as `targets/schema.json`.
pub fn schema() -> String {
    crate::suite::schema::of(&GRAMMAR, "tcpspec target", "How a target is attached, and what it can do.")
}

#[cfg(test)]
mod tests;
