//! The suites and manifests that the program was built with.

use crate::suite::corpus::{SourceFile, Sources};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The shipped corpus.
pub fn sources() -> Sources {
    let files = SUITES.iter().filter_map(|(path, text)| {
        let id = path.strip_prefix("suites/")?.strip_suffix(".yaml")?;
        Some(SourceFile::new(*path, id, *text))
    });
    Sources { files: files.collect(), ..Sources::default() }
}

/// The shipped fixtures, for suites that bring none.
pub fn fixtures() -> Option<SourceFile> {
    sources().files.into_iter().find(|file| file.id == crate::suite::corpus::FIXTURES_ID)
}
