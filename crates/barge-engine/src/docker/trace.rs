//! BuildKit's progress messages: base64 of the protobuf `moby.buildkit.v1.StatusResponse` (buildkit api/services/control).
//!
//! Four of its fields matter here, so it is read by hand instead of by a generated decoder.

use std::collections::{BTreeMap, BTreeSet};

use super::progress::BuildEvent;

/// Follows a build's messages and tells what is new in each.
#[derive(Debug, Default)]
pub(super) struct Trace {
    names: BTreeMap<String, String>,
    started: BTreeSet<String>,
    completed: BTreeSet<String>,
    /// The first step that failed, with its error.
    failed: Option<(String, String)>,
    /// The last lines of each step.
    logs: BTreeMap<String, Vec<String>>,
}

/// Lines kept of each step for the error message.
const TAIL: usize = 20;

#[derive(Default)]
struct Vertex {
    digest: String,
    name: String,
    cached: bool,
    started: bool,
    completed: bool,
    error: String,
}

impl Trace {
    /// Reads one message; what is malformed in it is left out, since progress is never worth a build.
    pub(super) fn read(&mut self, message: &[u8], told: &mut Vec<BuildEvent>) {
        for (field, value) in fields(message) {
            match (field, value) {
                (1, Value::Bytes(bytes)) => self.vertex(vertex(bytes), told),
                (3, Value::Bytes(bytes)) => self.log(bytes, told),
                _ => {}
            }
        }
    }

    /// The step that failed, if one did.
    pub(super) fn failed_step(&self) -> Option<String> {
        self.failed
            .as_ref()
            .and_then(|(digest, _)| self.names.get(digest))
            .cloned()
    }

    /// The last lines of the step that failed.
    pub(super) fn failed_log(&self) -> Vec<String> {
        self.failed
            .as_ref()
            .and_then(|(digest, _)| self.logs.get(digest))
            .cloned()
            .unwrap_or_default()
    }

    fn vertex(&mut self, vertex: Vertex, told: &mut Vec<BuildEvent>) {
        self.names
            .insert(vertex.digest.clone(), vertex.name.clone());
        // Steps of the builder itself, such as reading the context, are of no interest to people.
        let shown = !vertex.name.starts_with("[internal]");
        if vertex.started && shown && self.started.insert(vertex.digest.clone()) {
            told.push(BuildEvent::Started {
                step: vertex.name.clone(),
            });
        }
        if vertex.completed
            && shown
            && vertex.error.is_empty()
            && self.completed.insert(vertex.digest.clone())
        {
            told.push(BuildEvent::Completed {
                step: vertex.name,
                cached: vertex.cached,
            });
        }
        if !vertex.error.is_empty() && self.failed.is_none() {
            self.failed = Some((vertex.digest, vertex.error));
        }
    }

    fn log(&mut self, bytes: &[u8], told: &mut Vec<BuildEvent>) {
        let (mut step, mut text) = (String::new(), String::new());
        for (field, value) in fields(bytes) {
            match (field, value) {
                (1, Value::Bytes(bytes)) => step = lossy(bytes),
                (4, Value::Bytes(bytes)) => text = lossy(bytes),
                _ => {}
            }
        }
        let tail = self.logs.entry(step).or_default();
        for line in text.lines() {
            tail.push(line.to_owned());
            told.push(BuildEvent::Output {
                line: line.to_owned(),
            });
        }
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
}

fn vertex(bytes: &[u8]) -> Vertex {
    let mut vertex = Vertex::default();
    for (field, value) in fields(bytes) {
        match (field, value) {
            (1, Value::Bytes(bytes)) => vertex.digest = lossy(bytes),
            (3, Value::Bytes(bytes)) => vertex.name = lossy(bytes),
            (4, Value::Number(number)) => vertex.cached = number != 0,
            (5, Value::Bytes(_)) => vertex.started = true,
            (6, Value::Bytes(_)) => vertex.completed = true,
            (7, Value::Bytes(bytes)) => vertex.error = lossy(bytes),
            _ => {}
        }
    }
    vertex
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message, up to the first malformed one.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => Value::Bytes(take(&mut bytes, 8)?),
            2 => {
                let length = varint(&mut bytes)?;
                Value::Bytes(take(&mut bytes, usize::try_from(length).ok()?)?)
            }
            5 => Value::Bytes(take(&mut bytes, 4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    #[test]
    fn tells_steps_and_output_once() {
        let started = [
            field(1, b"sha256:1"),
            field(3, b"[1/2] RUN x"),
            field(5, b""),
        ]
        .concat();
        let failed = [started.clone(), field(6, b""), field(7, b"exit code: 3")].concat();
        let log = [field(1, b"sha256:1"), field(4, b"one\ntwo\n")].concat();
        let mut trace = Trace::default();
        let mut told = Vec::new();
        trace.read(&field(1, &started), &mut told);
        trace.read(&[field(1, &failed), field(3, &log)].concat(), &mut told);
        let output = |line: &str| BuildEvent::Output { line: line.into() };
        assert_eq!(
            told,
            [
                BuildEvent::Started {
                    step: "[1/2] RUN x".into()
                },
                output("one"),
                output("two")
            ]
        );
        assert_eq!(trace.failed_step().as_deref(), Some("[1/2] RUN x"));
        assert_eq!(trace.failed_log(), ["one", "two"]);
    }

    #[test]
    fn malformed_messages_end_quietly() {
        let mut told = Vec::new();
        Trace::default().read(&[0x0a, 0xff, 0xff, 0xff], &mut told);
        Trace::default().read(&[0xff; 20], &mut told);
        assert!(told.is_empty());
    }
}
