//! A TCP proxy that cuts connections, and an HTTP proxy that opens tunnels.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// Hands bytes to another server, and cuts the connection each time that so many more have passed, so many times.
#[derive(Debug)]
pub(crate) struct Cutter {
    pub(crate) host: String,
    pub(crate) up: Arc<AtomicU64>,
    pub(crate) down: Arc<AtomicU64>,
    pub(crate) cuts: Arc<AtomicU64>,
}

impl Cutter {
    pub(crate) fn start(target: &str, way: Way, after: u64, cuts: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cutter = Self {
            host: listener.local_addr().unwrap().to_string(),
            up: Arc::default(),
            down: Arc::default(),
            cuts: Arc::new(AtomicU64::new(cuts)),
        };
        let target = target.to_owned();
        let (up, down) = (Arc::clone(&cutter.up), Arc::clone(&cutter.down));
        let left = Arc::clone(&cutter.cuts);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(&target).unwrap();
                for (from, to, sum, is_cut) in [
                    (&near, &far, &up, way == Way::Up),
                    (&far, &near, &down, way == Way::Down),
                ] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (sum, left) = (Arc::clone(sum), Arc::clone(&left));
                    let after = if is_cut { after } else { u64::MAX };
                    thread::spawn(move || pass(from, to, &sum, (after, cuts), &left));
                }
            }
        });
        cutter
    }
}

/// `plan` is how many cuts there are in all, `cuts` how many are left.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    sum: &AtomicU64,
    (after, plan): (u64, u64),
    cuts: &AtomicU64,
) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        let passed = sum.fetch_add(read as u64, Ordering::SeqCst) + read as u64;
        let is_due = |left: u64| passed > after.saturating_mul(plan - left + 1);
        let cut = |left: u64| left.checked_sub(1).filter(|_| is_due(left));
        if cuts
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, cut)
            .is_ok()
        {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

/// Opens tunnels to one server, whatever host is named, and remembers the names.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) host: String,
    pub(crate) named: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    pub(crate) fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let named = Arc::new(Mutex::new(Vec::new()));
        let (target, log) = (target.to_owned(), Arc::clone(&named));
        thread::spawn(move || {
            for mut near in listener.incoming().flatten() {
                let mut reader = BufReader::new(near.try_clone().unwrap());
                let mut lines = (&mut reader).lines().map_while(Result::ok);
                log.lock().unwrap().push(lines.next().unwrap_or_default());
                lines.find(String::is_empty);
                near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let far = TcpStream::connect(&target).unwrap();
                let (from, to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let never = AtomicU64::new(0);
                thread::spawn(move || pass(from, to, &AtomicU64::new(0), (u64::MAX, 0), &never));
                thread::spawn(move || {
                    pass(
                        far,
                        near,
                        &AtomicU64::new(0),
                        (u64::MAX, 0),
                        &AtomicU64::new(0),
                    );
                });
            }
        });
        Self { host, named }
    }
}
