//! Where manifests are: a file, a directory of the checkout, or the program itself.
#![allow(clippy::disallowed_methods, reason = "this is the edge where manifests are read")]

use crate::suite::embedded;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Longer than any manifest.
const TEXT_MAX: u64 = 256 * 1024;
const FILE: &str = "target.yaml";

/// The text of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As messages show it.
    pub name: String,
    pub text: Vec<u8>,
    /// Where its program is started. `None` where the manifest is in the program, without what stands beside it.
    pub directory: Option<PathBuf>,
}

/// Looks for a target: a path to a manifest or to the directory that holds it, or the name of a shipped one.
///
/// # Errors
/// Where there is none (`NotFound`), or it cannot be read.
pub fn find(target: &str) -> io::Result<Found> {
    let is_path = target.contains(['/', '\\']) || target.ends_with(".yaml") || target.starts_with('.');
    let places = if is_path {
        vec![PathBuf::from(target), Path::new(target).join(FILE)]
    } else {
        let folder = Path::new("targets");
        vec![folder.join(format!("{target}.yaml")), folder.join("examples").join(target).join(FILE)]
    };
    for place in &places {
        if place.is_file() {
            return from_disk(place);
        }
    }
    let shown = |place: &PathBuf| place.to_string_lossy().replace('\\', "/");
    let shipped =
        embedded::TARGETS.iter().find(|(path, _)| places.iter().any(|place| shown(place) == **path));
    match shipped {
        Some((path, text)) => {
            Ok(Found { name: (*path).to_owned(), text: text.as_bytes().to_vec(), directory: None })
        }
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

fn from_disk(path: &Path) -> io::Result<Found> {
    if fs::metadata(path)?.len() > TEXT_MAX {
        return Err(io::Error::other("it is too large for a manifest"));
    }
    let directory =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Ok(Found {
        name: path.display().to_string(),
        text: fs::read(path)?,
        directory: Some(fs::canonicalize(directory)?),
    })
}

/// The names of all shipped targets that `-t` takes.
pub fn names() -> Vec<String> {
    let name = |path: &str| {
        let inner = path.strip_prefix("targets/")?;
        let example = inner.strip_prefix("examples/").and_then(|rest| rest.strip_suffix("/target.yaml"));
        example.or_else(|| inner.strip_suffix(".yaml").filter(|name| !name.contains('/'))).map(str::to_owned)
    };
    embedded::TARGETS.iter().filter_map(|(path, _)| name(path)).collect()
}
