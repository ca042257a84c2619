//! A writer of reproducible archives: ustar headers, PAX records only where a value does not fit.

use std::io::{self, Read, Write};

use super::BLOCK;
use super::entry::{Entry, Kind};
use super::header::{self, Block};

/// The largest number that eleven octal digits hold.
const OCTAL_11: u64 = 0o77_777_777_777;
const OCTAL_7: u64 = 0o7_777_777;
const BUFFER: usize = 64 << 10;

/// Writes members to a sink in the order given.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    /// Starts an archive.
    pub fn new(sink: W) -> Self {
        Self { sink }
    }

    /// Writes a regular file; `content` must yield exactly `entry.size` bytes.
    ///
    /// # Errors
    /// When the sink fails, or the content is shorter or longer than announced.
    pub fn file(&mut self, entry: &Entry, content: impl Read) -> io::Result<()> {
        self.header(entry)?;
        let mut content = content.take(entry.size.saturating_add(1));
        let written = copy(&mut content, &mut self.sink)?;
        if written != entry.size {
            let path = String::from_utf8_lossy(&entry.path);
            let text = format!(
                "`{path}` was announced with {} bytes and had {written} or more",
                entry.size
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.pad(written)
    }

    /// Writes a member without content.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn member(&mut self, entry: &Entry) -> io::Result<()> {
        self.header(entry)
    }

    /// Ends the archive and gives the sink back.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.write_all(&[0; 1024])?;
        Ok(self.sink)
    }

    /// Writes a header alone; the caller writes exactly `entry.size` bytes to [`Self::sink`] and then calls [`Self::pad`].
    ///
    /// # Errors
    /// When the sink fails.
    pub fn header(&mut self, entry: &Entry) -> io::Result<()> {
        let records = pax_records(entry);
        if !records.is_empty() {
            let size = records.len() as u64;
            let extension = Entry {
                mode: 0o644,
                ..Entry::file("PaxHeaders/entry", size)
            };
            self.sink.write_all(&block(&extension, b'x'))?;
            self.sink.write_all(&records)?;
            self.pad(size)?;
        }
        self.sink.write_all(&block(entry, type_flag(entry.kind)))
    }

    /// Fills up the last block of a content of `size` bytes.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn pad(&mut self, size: u64) -> io::Result<()> {
        let padding = size.next_multiple_of(BLOCK) - size;
        io::copy(&mut io::repeat(0).take(padding), &mut self.sink).map(drop)
    }

    /// The sink, for content that the caller streams itself.
    pub fn sink(&mut self) -> &mut W {
        &mut self.sink
    }
}

/// As [`io::copy`], in steps that suit layers of hundreds of megabytes.
fn copy(content: &mut impl Read, sink: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut written = 0;
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(count) => {
                sink.write_all(&buffer[..count])?;
                written += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn type_flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharacterDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

fn block(entry: &Entry, flag: u8) -> Block {
    let mut block = [0; 512];
    put(&mut block[header::NAME], &entry.path);
    octal(&mut block[header::MODE], u64::from(entry.mode));
    octal(&mut block[header::UID], entry.uid);
    octal(&mut block[header::GID], entry.gid);
    octal(
        &mut block[header::SIZE],
        if entry.kind == Kind::File {
            entry.size
        } else {
            0
        },
    );
    octal(
        &mut block[header::MTIME],
        u64::try_from(entry.mtime).unwrap_or(0),
    );
    block[header::TYPE] = flag;
    put(&mut block[header::LINK], &entry.link);
    block[header::MAGIC].copy_from_slice(b"ustar\x0000");
    let sum = format!("{:06o}\0 ", header::checksum(&block));
    block[header::CHECKSUM].copy_from_slice(sum.as_bytes());
    block
}

/// Copies what fits; what does not stands in a PAX record.
fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

fn octal(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let text = format!("{value:0digits$o}");
    put(field, &text.as_bytes()[text.len() - digits..]);
}

fn pax_records(entry: &Entry) -> Vec<u8> {
    let mut records = Vec::new();
    let mut record = |key: &str, value: &[u8]| {
        let body = key.len() + value.len() + 3;
        // The length counts its own digits.
        let mut length = body + body.to_string().len();
        length = body + length.to_string().len();
        records.extend_from_slice(format!("{length} {key}=").as_bytes());
        records.extend_from_slice(value);
        records.push(b'\n');
    };
    if entry.path.len() > header::NAME.len() {
        record("path", &entry.path);
    }
    if entry.link.len() > header::LINK.len() {
        record("linkpath", &entry.link);
    }
    if entry.size > OCTAL_11 {
        record("size", entry.size.to_string().as_bytes());
    }
    if entry.uid > OCTAL_7 {
        record("uid", entry.uid.to_string().as_bytes());
    }
    if entry.gid > OCTAL_7 {
        record("gid", entry.gid.to_string().as_bytes());
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_length_counts_itself() {
        for length in [90, 95, 101, 990, 995] {
            let entry = Entry::file("x".repeat(length), 0);
            let records = pax_records(&entry);
            if length > 100 {
                let announced: usize = String::from_utf8_lossy(&records)
                    .split(' ')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap();
                assert_eq!(announced, records.len());
            }
        }
    }

    #[test]
    fn refuses_content_that_is_not_as_announced() {
        let mut writer = Writer::new(Vec::new());
        assert!(writer.file(&Entry::file("a", 3), &b"12"[..]).is_err());
        assert!(writer.file(&Entry::file("a", 3), &b"1234"[..]).is_err());
    }
}
