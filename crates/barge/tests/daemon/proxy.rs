//! Between barge and the real daemon: a socket that passes everything on, and cuts exports off after so many bytes.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

/// Listens at `path` for the daemon at `daemon` and lets `limit` bytes of each export through.
pub(crate) fn cutting(path: &Path, daemon: &str, limit: usize) -> String {
    let listener = UnixListener::bind(path).unwrap();
    let daemon = daemon.trim_start_matches("unix://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let daemon = UnixStream::connect(&daemon).unwrap();
            thread::spawn(move || pass(client, daemon, limit));
        }
    });
    format!("unix://{}", path.display())
}

fn pass(mut client: UnixStream, mut daemon: UnixStream, limit: usize) {
    let mut head = vec![0; 64 << 10];
    let read = client.read(&mut head).unwrap_or(0);
    let is_export = head[..read]
        .windows(11)
        .any(|window| window == b"/images/get");
    if daemon.write_all(&head[..read]).is_err() {
        return;
    }
    let (mut up_from, mut up_to) = (client.try_clone().unwrap(), daemon.try_clone().unwrap());
    thread::spawn(move || drop(std::io::copy(&mut up_from, &mut up_to)));
    let limit = if is_export { limit as u64 } else { u64::MAX };
    // What goes wrong here is what the test is about.
    drop(std::io::copy(&mut (&mut daemon).take(limit), &mut client));
    drop(client.shutdown(Shutdown::Both));
    drop(daemon.shutdown(Shutdown::Both));
}
