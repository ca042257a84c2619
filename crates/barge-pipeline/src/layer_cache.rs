//! What layers gave the catalogers, a file each, kept for later images that hold the same layers.
//!
//! It lies in the user's own cache folder, never in a checkout: who can commit a file there could else say what is in a
//! layer. A file says whose version wrote it by its name and what its bytes must be by itself; what does not fit is removed.

use std::fs;
use std::io::{self, Write as _};
use std::time::SystemTime;

use barge_ci::Environment;
use barge_sbom::{LayerCache, NoCache};
use camino::{Utf8Path, Utf8PathBuf};

/// How much is kept, in bytes; then the half that was not used for longest goes.
const LIMIT: u64 = 512 << 20;
/// The largest file that is read, in bytes.
const FILE_LIMIT: u64 = 256 << 20;

/// A folder of what layers gave.
#[derive(Debug, Clone)]
pub struct LayerFolder {
    folder: Utf8PathBuf,
    limit: u64,
}

/// The user's cache of layers (XDG base directory specification); nothing is kept where there is no home.
#[must_use]
pub fn layer_cache(environment: &Environment) -> Box<dyn LayerCache + Send> {
    let cache = environment
        .non_empty("XDG_CACHE_HOME")
        .map(Utf8PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(Utf8Path::new(environment.non_empty("HOME")?).join(".cache")));
    match cache {
        Some(cache) => Box::new(LayerFolder::of(cache.join("barge/layers"))),
        None => Box::new(NoCache),
    }
}

impl LayerFolder {
    /// A folder, made when something is first kept.
    #[must_use]
    pub fn of(folder: Utf8PathBuf) -> Self {
        Self {
            folder,
            limit: LIMIT,
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "when a file was used is bookkeeping that no output shows"
    )]
    fn read(&self, key: &str) -> io::Result<Vec<u8>> {
        let path = self.folder.join(key);
        let file = fs::File::open(&path)?;
        let length = file.metadata()?.len();
        if length > FILE_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Used just now: it is the last to go. Where the folder is not ours to write, it stays as old as it is.
        drop(file.set_modified(SystemTime::now()));
        fs::read(path)
    }

    fn write(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        make_room(&self.folder, self.limit, bytes.len() as u64)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.folder.join(key))?;
        Ok(())
    }
}

/// Removes the files of a folder that were not used for longest, down to half of `limit` bytes, once there would be more
/// than that with `wanted` more.
pub fn make_room(folder: &Utf8Path, limit: u64, wanted: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    let mut size: u64 = files.iter().map(|(_, length, _)| length).sum();
    if size + wanted <= limit {
        return Ok(());
    }
    files.sort();
    for (_, length, path) in files {
        if size <= limit / 2 {
            break;
        }
        fs::remove_file(path)?;
        size -= length;
    }
    Ok(())
}

impl LayerCache for LayerFolder {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long ago a file was changed is bookkeeping that no output shows"
    )]
    fn now(&self) -> Option<SystemTime> {
        Some(SystemTime::now())
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.read(key).ok()
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        // Without the cache, the next run is slower and as right.
        drop(self.write(key, bytes));
    }

    fn remove(&self, key: &str) {
        drop(fs::remove_file(self.folder.join(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(root: &tempfile::TempDir, limit: u64) -> LayerFolder {
        LayerFolder {
            folder: Utf8Path::from_path(root.path()).unwrap().join("a/b"),
            limit,
        }
    }

    #[test]
    fn keeps_what_was_used_last() {
        let root = tempfile::tempdir().unwrap();
        let cache = folder(&root, 100);
        for (key, age) in [("old", 30), ("used", 20), ("new", 10)] {
            cache.put(key, &[0; 30]);
            let file = fs::File::open(cache.folder.join(key)).unwrap();
            let then = file.metadata().unwrap().modified().unwrap();
            file.set_modified(then - std::time::Duration::from_secs(age))
                .unwrap();
        }
        assert!(cache.get("used").is_some());
        cache.put("more", &[0; 30]);
        let kept = ["old", "used", "new", "more"].map(|key| cache.get(key).is_some());
        assert_eq!(kept, [false, true, false, true]);
        cache.remove("used");
        assert!(cache.get("used").is_none());
    }

    #[test]
    fn lies_in_the_users_own_folder() {
        let of = |variables: &[(&str, &str)]| {
            let environment: Environment = variables.iter().copied().collect();
            layer_cache(&environment).is_kept()
        };
        assert!(of(&[("HOME", "/nowhere")]));
        assert!(of(&[("XDG_CACHE_HOME", "/nowhere")]));
        assert!(!of(&[("XDG_CACHE_HOME", "relative")]));
        assert!(!of(&[]));
    }
}
