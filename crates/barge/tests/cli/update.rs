//! `barge db update` against a web server on loopback: conditional, resumed, patient, verified.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::Checkout;

/// What the server answers to its next requests, and what it was asked.
#[derive(Default)]
struct Script {
    answers: Vec<Answer>,
    requests: Vec<BTreeMap<String, String>>,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Serves the script until it is over.
fn serve(answers: Vec<Answer>) -> (String, Arc<Mutex<Script>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let script = Arc::new(Mutex::new(Script {
        answers,
        requests: Vec::new(),
    }));
    let shared = Arc::clone(&script);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &shared);
        }
    });
    (address, script)
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut request = BTreeMap::new();
    for line in BufReader::new(&stream)
        .lines()
        .map(|line| line.unwrap())
        .take_while(|line| !line.is_empty())
    {
        match line.split_once(": ") {
            Some((name, value)) => request.insert(name.to_lowercase(), value.to_owned()),
            None => request.insert("line".to_owned(), line),
        };
    }
    let mut script = script.lock().unwrap();
    script.requests.push(request);
    let answer = script.answers.remove(0);
    let headers: String = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        stream,
        "HTTP/1.1 {}\r\nconnection: close\r\n{headers}\r\n",
        answer.status
    )
    .unwrap();
    stream.write_all(&answer.body).unwrap();
}

/// A zip archive with one stored record.
fn archive() -> Vec<u8> {
    let record = br#"{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]}]}"#;
    let mut table = [0_u32; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        *entry = (0..8).fold(u32::try_from(index).unwrap(), |crc, _| {
            if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            }
        });
    }
    let crc = !record.iter().fold(!0_u32, |crc, byte| {
        table[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8)
    });
    let size = u32::try_from(record.len()).unwrap().to_le_bytes();
    let name = b"X-1.json";
    let common = [&[0; 8][..], &crc.to_le_bytes(), &size, &size, &[8, 0, 0, 0]].concat();
    let local = [&b"PK\x03\x04\x14\x00"[..], &common, name, record].concat();
    let central = [&b"PK\x01\x02\x14\x00\x14\x00"[..], &common, &[0; 14], name].concat();
    let number = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &number(central.len()),
        &number(local.len()),
        &[0; 2],
    ]
    .concat();
    [local, central, end].concat()
}

fn whole(etag: &str) -> Answer {
    let body = archive();
    Answer {
        status: "200 OK",
        headers: vec![
            ("content-length", body.len().to_string()),
            ("etag", etag.to_owned()),
        ],
        body,
    }
}

fn status(status: &'static str, headers: Vec<(&'static str, String)>) -> Answer {
    Answer {
        status,
        headers,
        body: Vec::new(),
    }
}

#[test]
fn archives_are_fetched_once_and_asked_for_again() {
    let checkout = Checkout::new();
    let (address, script) = serve(vec![
        status("503 Busy", vec![("retry-after", "0".to_owned())]),
        whole("\"one\""),
        status("304 Not Modified", Vec::new()),
    ]);
    let update = ["db", "update", "--ecosystem", "npm", "--from", &address];
    for _ in 0..2 {
        let ran = checkout.barge(&update);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let scan = checkout.barge(&["scan", "pkg:npm/a@1.0.0", "--format", "json"]);
    assert!(
        scan.stdout.contains("X-1"),
        "{}{}",
        scan.stdout,
        scan.stderr
    );
    // When the archive was last found to be the newest is what a limit of age goes by.
    assert!(scan.stdout.contains(r#""checked": "20"#), "{}", scan.stdout);
    let requests = &script.lock().unwrap().requests;
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1]["line"], "GET /npm/all.zip HTTP/1.1");
    assert_eq!(requests[2]["if-none-match"], "\"one\"");
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let checkout = Checkout::new();
    let body = archive();
    let half = body.len() / 2;
    let mut broken = whole("\"one\"");
    broken.body.truncate(half);
    let rest = Answer {
        status: "206 Partial Content",
        headers: vec![
            ("content-length", (body.len() - half).to_string()),
            (
                "content-range",
                format!("bytes {half}-{}/{}", body.len() - 1, body.len()),
            ),
            ("etag", "\"one\"".to_owned()),
        ],
        body: body[half..].to_vec(),
    };
    let (address, script) = serve(vec![broken, rest]);
    let ran = checkout.barge(&["db", "update", "--ecosystem", "npm", "--from", &address]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let requests = &script.lock().unwrap().requests;
    assert_eq!(requests[1]["range"], format!("bytes={half}-"));
    assert_eq!(requests[1]["if-range"], "\"one\"");
    assert_eq!(
        std::fs::read(checkout.file(".barge/db/npm/all.zip")).unwrap(),
        body
    );
}

#[test]
fn what_is_missing_or_broken_is_an_error_that_keeps_the_old_data() {
    let checkout = Checkout::new();
    let (address, _) = serve(vec![whole("\"one\""), status("404 Not Found", Vec::new())]);
    let update = ["db", "update", "--ecosystem", "npm", "--from", &address];
    assert_eq!(checkout.barge(&update).code, 0);
    let ran = checkout.barge(&update);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("answered 404 for"), "{}", ran.stderr);
    assert_eq!(checkout.barge(&["scan", "pkg:npm/b@1.0.0"]).code, 0);
    let ran = checkout.barge(&["db", "update", "--ecosystem", "../x", "--from", &address]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_scan_without_data_says_how_to_get_it() {
    let ran = Checkout::new().barge(&["scan", "pkg:npm/a@1.0.0"]);
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("barge db update"), "{}", ran.stderr);
}
