//! The servers, each started once for all tests.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde::Deserialize;

static RUNNING: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Ends them.
pub(crate) fn stop() {
    for mut child in RUNNING.lock().unwrap().drain(..) {
        // The front ends with its input, and its own child with it.
        drop(child.stdin.take());
        if child.stdout.is_none() {
            child.kill().ok();
        }
        child.wait().ok();
    }
}

/// Where npm has put the packages.
pub(crate) fn modules() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("BARGE_NODE_MODULES")?);
    folder
        .join("node_modules/azurite")
        .is_dir()
        .then_some(folder)
}

/// The file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cloud")
        .join(name)
}

/// The artifact service before azurite.
#[derive(Debug, Deserialize)]
pub(crate) struct Front {
    pub(crate) address: String,
}

pub(crate) fn front() -> &'static Front {
    static FRONT: OnceLock<Front> = OnceLock::new();
    FRONT.get_or_init(|| {
        let mut child = Command::new("node")
            .args([file("front.mjs"), modules().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        RUNNING.lock().unwrap().push(child);
        serde_json::from_str(&line).unwrap()
    })
}
