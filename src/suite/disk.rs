//! Reads suites from files: the one door of this module to the outside.
#![allow(clippy::disallowed_methods, reason = "this is the edge where files are read")]

use crate::suite::corpus::{FIXTURES_ID, SourceFile, Sources};
use crate::suite::diagnostic::{Code, Diagnostic};
use crate::suite::{embedded, yaml};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Deepest directory below the one that was named.
const DEPTH_MAX: usize = 12;
/// Most files of one corpus.
const FILES_MAX: usize = 10_000;

/// Reads every suite at `paths`: files, or directories with all below them.
///
/// Ids begin at the nearest directory above that holds `fixtures.yaml`, so a single file of the
/// corpus keeps the ids and fixtures it has in the whole. Without such a directory ids begin at
/// the path itself, and the fixtures are the shipped ones. What cannot be read is reported with
/// what the corpus finds.
pub fn read(paths: &[PathBuf]) -> Sources {
    let mut reader = Reader::default();
    for path in paths {
        reader.path(path);
    }
    if !reader.sources.files.iter().any(|file| file.id == FIXTURES_ID) {
        reader.sources.partial = true;
        reader.sources.files.extend(embedded::fixtures());
    }
    reader.sources
}

#[derive(Default)]
struct Reader {
    sources: Sources,
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn fail(&mut self, path: &Path, error: &io::Error) {
        let found =
            Diagnostic::bare(Code::CannotRead, format!("cannot read {}: {}", path.display(), plain(error)));
        self.sources.problems.push(match error.kind() {
            io::ErrorKind::NotFound => found.help("name a .yaml file, or a directory that holds some"),
            io::ErrorKind::PermissionDenied => {
                found.help("the file must be readable for the user who runs this")
            }
            _ => found,
        });
    }

    fn path(&mut self, path: &Path) {
        let absolute = match fs::canonicalize(path) {
            Ok(absolute) => absolute,
            Err(error) => return self.fail(path, &error),
        };
        let folder =
            if absolute.is_dir() { absolute.as_path() } else { absolute.parent().unwrap_or(&absolute) };
        let fixtures = |folder: &&Path| folder.join("fixtures.yaml").is_file();
        let root = folder.ancestors().take(DEPTH_MAX).find(fixtures).unwrap_or(folder).to_path_buf();
        let before = self.sources.files.len() + self.sources.problems.len();
        if absolute.is_dir() {
            self.sources.partial |= absolute != root;
            self.folder(path, &absolute, &root, 0);
            if self.sources.files.len() + self.sources.problems.len() == before {
                let message = format!("no suites in {}", path.display());
                let found = Diagnostic::bare(Code::NoSuites, message);
                self.sources
                    .problems
                    .push(found.help("suites are files that end in .yaml; `tcpspec new case` writes one"));
            }
        } else {
            self.sources.partial = true;
            self.file(path, &absolute, &root);
        }
        let shared = root.join("fixtures.yaml");
        if shared.is_file() {
            self.file(&shown(path, &absolute, &shared), &shared, &root);
        }
    }

    fn folder(&mut self, shown: &Path, at: &Path, root: &Path, depth: usize) {
        let entries = match fs::read_dir(at) {
            Ok(entries) => entries,
            Err(error) => return self.fail(shown, &error),
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if folder {
                let skip = text.starts_with(['.', '_']) || text == "catalog" || depth >= DEPTH_MAX;
                if !skip {
                    self.folder(&shown.join(&name), &entry.path(), root, depth + 1);
                }
            } else if text.ends_with(".yaml") || text.ends_with(".yml") {
                self.file(&shown.join(&name), &entry.path(), root);
            }
        }
    }

    fn file(&mut self, shown: &Path, at: &Path, root: &Path) {
        if !self.seen.insert(at.to_path_buf()) {
            return;
        }
        let name = shown.display().to_string();
        if at.extension().is_none_or(|kind| kind != "yaml") {
            let found =
                Diagnostic::bare(Code::CannotRead, format!("{name} is not a suite: suites end in .yaml"));
            self.sources.problems.push(found.help("rename the file"));
            return;
        }
        if self.sources.files.len() >= FILES_MAX {
            let found =
                Diagnostic::bare(Code::TooMany, format!("more than {FILES_MAX} files; {name} is not read"));
            self.sources.problems.push(found);
            return;
        }
        let relative = at.strip_prefix(root).unwrap_or(at).with_extension("");
        let id: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        match content(at) {
            Ok(Content::Octets(octets)) => {
                self.sources.files.push(SourceFile::new(name, id.join("/"), octets));
            }
            Ok(Content::TooLarge(octets)) => self.sources.problems.push(yaml::too_large(&name, octets)),
            Err(error) => self.fail(shown, &error),
        }
    }
}

enum Content {
    Octets(Vec<u8>),
    TooLarge(u64),
}

/// Never reads more than a suite may have, whatever the file claims to be.
fn content(path: &Path) -> io::Result<Content> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > yaml::TEXT_MAX as u64 {
        return Ok(Content::TooLarge(length));
    }
    let mut octets = Vec::new();
    file.take(yaml::TEXT_MAX as u64 + 1).read_to_end(&mut octets)?;
    Ok(if octets.len() > yaml::TEXT_MAX {
        Content::TooLarge(octets.len() as u64)
    } else {
        Content::Octets(octets)
    })
}

/// The name of a file beside or above what the user typed, as near to what was typed as can be.
fn shown(typed: &Path, absolute: &Path, file: &Path) -> PathBuf {
    let levels = absolute.components().count() - file.parent().unwrap_or(file).components().count();
    let typed_up = typed.ancestors().nth(levels).filter(|up| !up.as_os_str().is_empty());
    match (typed_up, file.file_name()) {
        (Some(up), Some(name)) => up.join(name),
        _ => file.to_path_buf(),
    }
}

/// What went wrong, without the number of the system's error.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}
