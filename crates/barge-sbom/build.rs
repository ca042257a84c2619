//! Names the version of the catalogers by the source text that decides what they find, so that nobody has to remember to
//! change it: what was cached by any other program is not used.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where the text lies, seen from this crate: the catalogers and the pass that hands them files.
const SOURCES: [&str; 3] = ["src", "../barge-image/src/layer", "../barge-image/src/tar"];

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        for file in files(Path::new(source))? {
            hasher.write(file.as_os_str().as_encoded_bytes());
            hasher.write(&fs::read(&file)?);
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    println!(
        "cargo:rustc-env=BARGE_CATALOGERS={version}-{:016x}",
        hasher.finish()
    );
    Ok(())
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
