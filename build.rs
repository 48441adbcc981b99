//! Lists the shipped suites and manifests, so that the program carries them: an installed binary
//! needs no checkout.
#![allow(clippy::disallowed_methods, reason = "a build script reads the tree and its environment")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut out = String::new();
    for (name, folder) in [("SUITES", "suites"), ("TARGETS", "targets")] {
        let mut files = Vec::new();
        if root.join(folder).is_dir() {
            println!("cargo:rerun-if-changed={folder}");
            collect(&root.join(folder), Path::new(folder), &mut files)?;
        }
        files.sort();
        let _ = writeln!(out, "pub static {name}: &[(&str, &str)] = &[");
        for file in files {
            let _ = writeln!(
                out,
                "    ({file:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),",
                format!("/{file}")
            );
        }
        out.push_str("];\n");
    }
    println!("cargo:rerun-if-changed=build.rs");
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("embedded.rs"), out)
}

/// Every text file below, but not the catalogue (it has a door of its own) nor what is broken on purpose.
fn collect(from: &Path, shown: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) || name == "catalog" || name == "target" {
            continue;
        }
        let shown = shown.join(&name);
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &shown, files)?;
        } else if ["yaml", "h", "py", "rs", "c", "md"].iter().any(|kind| name.ends_with(&format!(".{kind}")))
        {
            files.push(shown.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
