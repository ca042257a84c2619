//! The servers, each started once for all tests.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

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
    /// Azurite itself.
    pub(crate) blobs: String,
    pub(crate) account: String,
    pub(crate) key: String,
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

/// The python that has moto.
pub(crate) fn python() -> Option<&'static PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let python = PathBuf::from(std::env::var_os("BARGE_PYTHON")?);
        let mut check = Command::new(&python);
        check.args(["-c", "import moto.server"]);
        let output = check.output().ok()?;
        output.status.success().then_some(python)
    });
    found.as_ref()
}

/// The address of moto, which speaks S3 and has the bucket `barge`.
pub(crate) fn s3() -> &'static str {
    static S3: OnceLock<String> = OnceLock::new();
    S3.get_or_init(|| {
        let code = "from moto.server import main; main()";
        let arguments = ["-c", code, "-H", "127.0.0.1", "-p"];
        let address = serve(python().unwrap(), &arguments);
        curl(&["-X", "PUT", &format!("{address}/barge")]);
        address
    })
}

/// Starts a server that is told its port last, and waits until it answers.
fn serve(program: &Path, arguments: &[&str]) -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = free.local_addr().unwrap();
    drop(free);
    let child = Command::new(program)
        .args(arguments)
        .arg(host.port().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    RUNNING.lock().unwrap().push(child);
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(host).is_err() {
        assert!(Instant::now() < deadline, "{arguments:?} does not start");
        thread::sleep(Duration::from_millis(50));
    }
    format!("http://{host}")
}

/// Runs curl, which must succeed.
pub(crate) fn curl(arguments: &[&str]) {
    let output = Command::new("curl")
        .arg("-sSf")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}
