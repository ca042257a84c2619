//! A loopback HTTP server that answers as a test wants, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Whole(Vec<u8>),
    /// Not even a status: hangs up.
    Nothing,
    /// Promises more than it sends, then hangs up.
    Cut(Vec<u8>, usize),
    /// Promises more than it sends, then says nothing.
    Stalled(Vec<u8>, usize),
    /// One byte, and another, and another.
    Trickling(Vec<u8>),
    /// Without a length and without an end.
    Endless,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(Vec::new()),
        }
    }

    pub(crate) fn hung_up() -> Self {
        let mut reply = Self::status(0);
        reply.body = Body::Nothing;
        reply
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).whole(body)
    }

    pub(crate) fn whole(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }

    pub(crate) fn into_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn cut(mut self, bytes: &[u8], length: usize) -> Self {
        self.body = Body::Cut(bytes.to_vec(), length);
        self
    }

    pub(crate) fn stalled(mut self, bytes: &[u8], length: usize) -> Self {
        self.body = Body::Stalled(bytes.to_vec(), length);
        self
    }

    pub(crate) fn trickling(mut self, bytes: &[u8]) -> Self {
        self.body = Body::Trickling(bytes.to_vec());
        self
    }

    pub(crate) fn endless(mut self) -> Self {
        self.body = Body::Endless;
        self
    }
}

/// A server on this machine, for as long as the test runs.
#[derive(Debug)]
pub(crate) struct Server {
    /// `127.0.0.1:port`.
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request by the function, which is also told the server's own host.
    pub(crate) fn start(answer: impl Fn(&Asked, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, own) = (Arc::clone(&asked), host.clone());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log, own) = (Arc::clone(&answer), Arc::clone(&log), own.clone());
                thread::spawn(move || serve(&stream, &*answer, &log, &own));
            }
        });
        Self { host, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests whose path holds a text.
    pub(crate) fn asked_for(&self, part: &str) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.path.contains(part));
        asked
    }
}

fn serve(
    stream: &TcpStream,
    answer: &(dyn Fn(&Asked, &str) -> Reply + Send + Sync),
    log: &Mutex<Vec<Asked>>,
    own: &str,
) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let is_head = asked.method == "HEAD";
        if write(stream, &answer(&asked, own), is_head).is_none() {
            stream.shutdown(std::net::Shutdown::Both).ok();
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body,
    })
}

/// `None` when the connection is not to be used again.
fn write(mut stream: &TcpStream, reply: &Reply, is_head: bool) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (bytes, length) = match &reply.body {
        Body::Whole(bytes) | Body::Trickling(bytes) => (bytes.as_slice(), Some(bytes.len())),
        Body::Cut(bytes, length) | Body::Stalled(bytes, length) => {
            (bytes.as_slice(), Some(*length))
        }
        Body::Endless => (&[][..], None),
        Body::Nothing => return None,
    };
    if let Some(length) = length
        && reply.status != 204
    {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    if is_head {
        return Some(());
    }
    match &reply.body {
        Body::Whole(bytes) => stream.write_all(bytes).ok(),
        Body::Nothing => None,
        Body::Cut(..) => {
            stream.write_all(bytes).ok()?;
            None
        }
        Body::Stalled(..) => {
            stream.write_all(bytes).ok()?;
            thread::sleep(Duration::from_secs(60));
            None
        }
        Body::Trickling(bytes) => {
            for byte in bytes {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(Duration::from_millis(20));
            }
            Some(())
        }
        Body::Endless => loop {
            stream.write_all(&[b' '; 64 << 10]).ok()?;
        },
    }
}
