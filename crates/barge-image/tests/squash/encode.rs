//! Layers as bytes, in every notation of tar that programs write (GNU tar manual, "Basic Tar Format" and "Sparse Formats";
//! POSIX pax). Written apart from barge's own writer, which knows one notation only.

use std::io::Write as _;

/// Writes the entries of a layer, each a line of the rules.
pub(crate) fn layer(lines: &[String]) -> Vec<u8> {
    let mut tar = Vec::new();
    for line in lines {
        entry(&mut tar, line);
    }
    tar.extend([0; 1024]);
    tar
}

/// Packs a layer as the line before it says.
pub(crate) fn pack(compression: &str, tar: Vec<u8>) -> Vec<u8> {
    match compression {
        "gzip" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&tar).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::encode_all(&tar[..], 1).unwrap(),
        _ => tar,
    }
}

/// A line's text as bytes: `\xNN` is a byte, `{N}` repeats the one before it.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(hex) = rest.strip_prefix("\\x").and_then(|rest| rest.get(..2)) {
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &rest[4..];
        } else if first == '{' {
            let (count, after) = rest[1..].split_once('}').unwrap();
            let last = *bytes.last().unwrap();
            bytes.extend(vec![last; count.parse::<usize>().unwrap() - 1]);
            rest = after;
        } else {
            let (head, after) = rest.split_at(first.len_utf8());
            bytes.extend(head.as_bytes());
            rest = after;
        }
    }
    bytes
}

const ENCODINGS: [&str; 9] = [
    "gnu",
    "pax",
    "prefix",
    "base256",
    "v7",
    "sparse-gnu",
    "sparse-0.0",
    "sparse-0.1",
    "sparse-1.0",
];

/// What an entry is before it is encoded.
struct Member {
    path: Vec<u8>,
    link: Vec<u8>,
    content: Vec<u8>,
    flag: u8,
}

impl Member {
    fn parse(text: &str) -> Self {
        let new = |path: &str, link: &str, content: &str, flag| Self {
            path: bytes(path),
            link: bytes(link),
            content: bytes(content),
            flag,
        };
        if let Some((path, target)) = text.split_once(" -> ") {
            new(path, target, "", b'2')
        } else if let Some((path, target)) = text.split_once(" => ") {
            new(path, target, "", b'1')
        } else if let Some((path, content)) = text.split_once('=') {
            new(path, "", content, b'0')
        } else if text.ends_with('/') {
            new(text, "", "", b'5')
        } else if let Some(path) = text.strip_suffix('|') {
            new(path, "", "", b'6')
        } else {
            new(text.strip_suffix('@').unwrap(), "", "", b'3')
        }
    }
}

fn entry(tar: &mut Vec<u8>, line: &str) {
    let word = line.split_once(' ');
    let (encoding, text) = word
        .filter(|(word, _)| ENCODINGS.contains(word))
        .unwrap_or(("", line));
    let mut member = Member::parse(text);
    match encoding {
        "gnu" => gnu(tar, &mut member),
        "pax" => pax(tar, &mut member),
        "sparse-gnu" => return sparse_gnu(tar, &member),
        "sparse-0.0" | "sparse-0.1" | "sparse-1.0" => sparse_pax(tar, encoding, &mut member),
        _ => {}
    }
    let mut block = header(&member);
    match encoding {
        "prefix" => prefix(&mut block, &member.path),
        "base256" => {
            block[124..136].fill(0);
            block[124] = 0x80;
            block[135] = u8::try_from(member.content.len()).unwrap();
        }
        "v7" => {
            block[257..].fill(0);
            // A trailing slash was the only sign of a directory.
            block[156] = if member.flag == b'2' { b'2' } else { 0 };
        }
        // The record says the size: the header may not.
        "pax" => block[124..136].fill(b'0'),
        _ => {}
    }
    seal(tar, &mut block);
    append(tar, &member.content);
}

fn header(member: &Member) -> [u8; 512] {
    let mut block = [0; 512];
    put(&mut block[..100], &member.path);
    put(
        &mut block[100..108],
        if member.flag == b'5' {
            b"0000755\0"
        } else {
            b"0000644\0"
        },
    );
    for number in [108..116, 116..124] {
        put(&mut block[number], b"0000000\0");
    }
    put(
        &mut block[124..136],
        format!("{:011o}\0", member.content.len()).as_bytes(),
    );
    put(&mut block[136..148], b"00000000000\0");
    block[156] = member.flag;
    put(&mut block[157..257], &member.link);
    put(&mut block[257..265], b"ustar\x0000");
    // The null device, 1:3; zeros would be a whiteout of overlay file systems.
    let (major, minor): (&[u8], &[u8]) = if member.flag == b'3' {
        (b"0000001\0", b"0000003\0")
    } else {
        (b"0000000\0", b"0000000\0")
    };
    put(&mut block[329..337], major);
    put(&mut block[337..345], minor);
    block
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// Adds the checksum, and the block to the archive.
fn seal(tar: &mut Vec<u8>, block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block[148..156], format!("{sum:06o}\0 ").as_bytes());
    tar.extend(&*block);
}

fn append(tar: &mut Vec<u8>, content: &[u8]) {
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// A member that speaks of the next one.
fn extension(tar: &mut Vec<u8>, flag: u8, content: &[u8]) {
    let mut block = header(&Member {
        path: b"././@LongLink".to_vec(),
        link: Vec::new(),
        content: content.to_vec(),
        flag,
    });
    seal(tar, &mut block);
    append(tar, content);
}

fn gnu(tar: &mut Vec<u8>, member: &mut Member) {
    for (flag, value) in [(b'L', &mut member.path), (b'K', &mut member.link)] {
        if !value.is_empty() {
            extension(tar, flag, &[value, &b"\0"[..]].concat());
            value.truncate(99);
        }
    }
}

fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let body = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let digits = |length: usize| length.to_string().len();
    let length = body.len() + digits(body.len() + digits(body.len()));
    records.extend(length.to_string().as_bytes());
    records.extend(body);
}

fn pax(tar: &mut Vec<u8>, member: &mut Member) {
    let mut records = Vec::new();
    record(&mut records, "path", &std::mem::take(&mut member.path));
    let link = std::mem::take(&mut member.link);
    if link.is_empty() {
        record(
            &mut records,
            "size",
            member.content.len().to_string().as_bytes(),
        );
    } else {
        record(&mut records, "linkpath", &link);
    }
    extension(tar, b'x', &records);
    member.path = b"elsewhere".to_vec();
}

fn prefix(block: &mut [u8; 512], path: &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap();
    block[..100].fill(0);
    put(&mut block[..100], &path[slash + 1..]);
    put(&mut block[345..500], &path[..slash]);
}

/// The runs of a content whose holes are written as `_`: offset and length.
fn runs(content: &[u8]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in content.iter().enumerate() {
        match runs.last_mut() {
            _ if *byte == b'_' => {}
            Some((start, length)) if *start + *length == at => *length += 1,
            _ => runs.push((at, 1)),
        }
    }
    // A map ends where the file ends.
    runs.push((content.len(), 0));
    runs
}

fn packed(content: &[u8]) -> Vec<u8> {
    content
        .iter()
        .copied()
        .filter(|byte| *byte != b'_')
        .collect()
}

/// The old form: up to four runs in the header, 21 in each block that follows it.
fn sparse_gnu(tar: &mut Vec<u8>, member: &Member) {
    let runs = runs(&member.content);
    let mut block = header(&Member {
        content: packed(&member.content),
        path: member.path.clone(),
        link: Vec::new(),
        flag: b'S',
    });
    block[257..265].copy_from_slice(b"ustar  \0");
    block[345..500].fill(0);
    // Two runs in the header, the others in a block of their own.
    let (first, rest) = runs.split_at(2);
    let mut more = [0; 512];
    for (map, runs) in [(&mut block[386..], first), (&mut more[..], rest)] {
        for (at, (offset, length)) in runs.iter().enumerate() {
            let text = format!("{offset:011o}\0{length:011o}\0");
            put(&mut map[at * 24..], text.as_bytes());
        }
    }
    block[482] = 1;
    put(
        &mut block[483..495],
        format!("{:011o}\0", member.content.len()).as_bytes(),
    );
    seal(tar, &mut block);
    tar.extend(more);
    append(tar, &packed(&member.content));
}

fn sparse_pax(tar: &mut Vec<u8>, encoding: &str, member: &mut Member) {
    let runs = runs(&member.content);
    let size = member.content.len().to_string();
    let mut records = Vec::new();
    let mut add = |key: &str, value: &str| record(&mut records, key, value.as_bytes());
    let name = String::from_utf8(member.path.clone()).unwrap();
    let numbers = runs
        .iter()
        .flat_map(|(offset, length)| [offset, length])
        .map(ToString::to_string);
    let numbers: Vec<_> = numbers.collect();
    member.content = packed(&member.content);
    match encoding {
        "sparse-0.0" => {
            add("GNU.sparse.size", &size);
            add("GNU.sparse.numblocks", &runs.len().to_string());
            for (offset, length) in &runs {
                add("GNU.sparse.offset", &offset.to_string());
                add("GNU.sparse.numbytes", &length.to_string());
            }
        }
        "sparse-0.1" => {
            add("GNU.sparse.name", &name);
            add("GNU.sparse.size", &size);
            add("GNU.sparse.numblocks", &runs.len().to_string());
            add("GNU.sparse.map", &numbers.join(","));
            member.path = b"GNUSparseFile.0/x".to_vec();
        }
        _ => {
            add("GNU.sparse.major", "1");
            add("GNU.sparse.minor", "0");
            add("GNU.sparse.name", &name);
            add("GNU.sparse.realsize", &size);
            let mut map = format!("{}\n{}\n", runs.len(), numbers.join("\n")).into_bytes();
            map.resize(map.len().next_multiple_of(512), 0);
            map.extend(&member.content);
            member.content = map;
            member.path = b"GNUSparseFile.0/x".to_vec();
        }
    }
    extension(tar, b'x', &records);
}
