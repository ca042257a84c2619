//! Debian's `docker-registry`, on a free port and in a folder of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Folder, folder};

/// `me` with the password `haven`, hashed with the least work that bcrypt allows.
const HTPASSWD: &str = "me:$2b$04$LY5MVlSbelStg9q06riINuyVbEk4Ex6ekW9k.tBJGRZwaJoghd9Ii\n";

/// A running registry; it ends with the test.
#[derive(Debug)]
pub struct Debian {
    /// `127.0.0.1:PORT`.
    pub host: String,
    _folder: Folder,
    child: Child,
}

/// How a registry is set up.
#[derive(Debug, Default)]
pub struct Settings<'a> {
    /// Whether it lets in `me` with the password `haven` alone.
    pub htpasswd: bool,
    /// The address of a token server, and the file of the authority that signs its tokens.
    pub certificate: Option<(&'a str, &'a str)>,
}

impl Debian {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&Settings::default())
    }

    /// Starts one that is set up so.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn with(settings: &Settings<'_>) -> Self {
        // Another process may take the port between the question and the start: then another one.
        for _ in 0..5 {
            if let Some(registry) = Self::try_start(settings) {
                return registry;
            }
        }
        panic!("docker-registry does not start");
    }

    fn try_start(settings: &Settings<'_>) -> Option<Self> {
        let folder = folder();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = free.local_addr().unwrap().to_string();
        drop(free);
        let data = folder.path.join("data");
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {data}}}\n  delete: {{enabled: true}}\nhttp:\n  addr: {host}\n"
        );
        if let Some((certificate, key)) = settings.certificate {
            config.push_str(&format!(
                "  tls: {{certificate: {certificate}, key: {key}}}\n"
            ));
        }
        if settings.htpasswd {
            let users = folder.path.join("users");
            fs::write(&users, HTPASSWD).unwrap();
            config.push_str(&format!(
                "auth:\n  htpasswd: {{realm: test, path: {users}}}\n"
            ));
        }
        let path = folder.path.join("config.yml");
        fs::write(&path, config).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", path.as_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut registry = Self {
            host,
            _folder: folder,
            child,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if TcpStream::connect(&registry.host).is_ok() {
                return Some(registry);
            }
            if registry.child.try_wait().unwrap().is_some() {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
