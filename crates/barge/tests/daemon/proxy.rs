//! Between barge and the real daemon: a socket that passes everything on, and cuts exports off after so many bytes or lets
//! builds stall.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// What happens to some calls on the way.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// So many bytes of each export pass.
    CutExports(usize),
    /// A build is answered with this, and then neither heard nor answered any more.
    StallBuilds(&'static str),
}

/// Listens at `path` for the daemon at `daemon`.
pub(crate) fn faulty(path: &Path, daemon: &str, fault: Fault) -> String {
    let listener = UnixListener::bind(path).unwrap();
    let daemon = daemon.trim_start_matches("unix://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let daemon = UnixStream::connect(&daemon).unwrap();
            thread::spawn(move || pass(client, daemon, fault));
        }
    });
    format!("unix://{}", path.display())
}

fn pass(mut client: UnixStream, mut daemon: UnixStream, fault: Fault) {
    let mut head = vec![0; 64 << 10];
    let read = client.read(&mut head).unwrap_or(0);
    let asks = |path: &str| {
        let mut windows = head[..read].windows(path.len());
        windows.any(|window| window == path.as_bytes())
    };
    let limit = match fault {
        Fault::StallBuilds(answer) if asks("/build?") => {
            client.write_all(answer.as_bytes()).unwrap();
            // As long as the test runs: whoever waits for this is not ended by it.
            thread::sleep(Duration::from_secs(600));
            return;
        }
        Fault::CutExports(limit) if asks("/images/get") => limit as u64,
        _ => u64::MAX,
    };
    if daemon.write_all(&head[..read]).is_err() {
        return;
    }
    let (mut up_from, mut up_to) = (client.try_clone().unwrap(), daemon.try_clone().unwrap());
    thread::spawn(move || drop(std::io::copy(&mut up_from, &mut up_to)));
    // What goes wrong here is what the test is about.
    drop(std::io::copy(&mut (&mut daemon).take(limit), &mut client));
    drop(client.shutdown(Shutdown::Both));
    drop(daemon.shutdown(Shutdown::Both));
}
