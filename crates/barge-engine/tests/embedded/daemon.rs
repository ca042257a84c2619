//! A real Docker daemon as oracle: just enough of its API, over its socket, without the crate's own client.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use barge_image::Digest;
use barge_image::tar::{Kind, Reader, Streaming};
use serde_json::Value;

pub(crate) struct Daemon {
    socket: String,
}

/// What stands at a path: kind, mode, owner, group, link, hash of the content.
pub(crate) type Listing = BTreeMap<String, String>;

impl Daemon {
    /// The daemon of `DOCKER_HOST` or the default socket. In CI a missing one is a failure.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no other way to learn where the daemon is"
    )]
    pub(crate) fn find() -> Option<Self> {
        let host =
            std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        let socket = host.strip_prefix("unix://").map(str::to_owned)?;
        let daemon = Self { socket };
        let answers = UnixStream::connect(&daemon.socket).is_ok()
            && daemon.call("GET", "/_ping", "", b"").is_ok();
        if answers {
            return Some(daemon);
        }
        assert!(
            std::env::var("CI").is_err(),
            "CI has no docker daemon at `{host}`: the differential tests did not run"
        );
        None
    }

    /// One request; HTTP/1.0, so that the answer ends with the connection and is not chunked.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, String> {
        let mut stream = UnixStream::connect(&self.socket).map_err(|error| error.to_string())?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut exchange = || {
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = exchange().map_err(|error| error.to_string())?;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or("no headers")?;
        let (head, body) = (
            String::from_utf8_lossy(&answer[..end]).into_owned(),
            answer[end + 4..].to_vec(),
        );
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status.starts_with('2') {
            Ok(body)
        } else {
            Err(format!(
                "{method} {path}: {status}: {}",
                String::from_utf8_lossy(&body)
            ))
        }
    }

    pub(crate) fn build(
        &self,
        tag: &str,
        version: u8,
        query: &str,
        context: &[u8],
    ) -> Result<(), String> {
        let path = format!("/build?version={version}&t={tag}&networkmode=none{query}");
        let answer = self.call("POST", &path, "application/x-tar", context)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        match text.lines().find(|line| line.contains("\"errorDetail\"")) {
            Some(line) => Err(line.to_owned()),
            None => Ok(()),
        }
    }

    pub(crate) fn load(&self, archive: &[u8]) -> Result<(), String> {
        let answer = self.call("POST", "/images/load?quiet=1", "application/x-tar", archive)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        if text.contains("\"errorDetail\"") {
            return Err(text);
        }
        Ok(())
    }

    pub(crate) fn inspect(&self, image: &str) -> Value {
        let answer = self
            .call("GET", &format!("/images/{image}/json"), "", b"")
            .unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub(crate) fn remove(&self, image: &str) {
        let _ = self
            .call("DELETE", &format!("/images/{image}?force=1"), "", b"")
            .is_ok();
    }

    /// The root file system of a container of the image, without what docker itself puts into every container.
    pub(crate) fn files(&self, image: &str) -> Listing {
        let body = format!(r#"{{"Image":"{image}","Cmd":["/none"]}}"#);
        let created = self
            .call(
                "POST",
                "/containers/create",
                "application/json",
                body.as_bytes(),
            )
            .unwrap();
        let created: Value = serde_json::from_slice(&created).unwrap();
        let id = created["Id"].as_str().unwrap();
        let export = self
            .call("GET", &format!("/containers/{id}/export"), "", b"")
            .unwrap();
        self.call("DELETE", &format!("/containers/{id}?v=1&force=1"), "", b"")
            .unwrap();
        listing(&export)
    }
}

const OF_EVERY_CONTAINER: [&str; 12] = [
    ".dockerenv",
    "dev",
    "dev/console",
    "dev/pts",
    "dev/shm",
    "etc",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc",
    "sys",
];

fn listing(tar: &[u8]) -> Listing {
    let mut reader = Reader::new(Streaming(tar));
    let mut listing = Listing::new();
    while let Some(entry) = reader.next().unwrap() {
        let path = String::from_utf8_lossy(&entry.path)
            .trim_matches('/')
            .to_owned();
        if OF_EVERY_CONTAINER.contains(&path.as_str()) {
            continue;
        }
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        let link = String::from_utf8_lossy(&entry.link).into_owned();
        // Which of two hard links comes first is the daemon's choice.
        let text = if entry.kind == Kind::HardLink {
            let first: &String = &listing[&link];
            first.clone()
        } else {
            let hash = Digest::of(&content).short();
            format!(
                "{:?} {:o} {}:{} {link} {} {hash}",
                entry.kind,
                entry.mode & 0o7777,
                entry.uid,
                entry.gid,
                content.len()
            )
        };
        listing.insert(path, text);
    }
    listing
}
