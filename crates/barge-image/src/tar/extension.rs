//! PAX records and GNU long names: what stands in members of its own before the file that it is about.

use super::sparse::Records;

/// What extension headers say about the next file.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<i64>,
    pub(super) sparse: Option<Records>,
}

impl Extensions {
    /// Applies PAX records, `LENGTH KEY=VALUE\n` each. `None` when one is malformed.
    pub(super) fn apply(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ')?;
            let length: usize = ascii(&records[..space])?.parse().ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            self.set(&record[..equals], &record[equals + 1..])?;
            records = &records[length..];
        }
        Some(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            // GNU sparse 1.0 keeps the real name here and a mangled one in `path`.
            b"GNU.sparse.name" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(ascii(value)?.parse().ok()?),
            b"uid" => self.uid = Some(ascii(value)?.parse().ok()?),
            b"gid" => self.gid = Some(ascii(value)?.parse().ok()?),
            b"mtime" => self.mtime = Some(ascii(value)?.split('.').next()?.parse().ok()?),
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    let records = self.sparse.get_or_insert_default();
                    records.set(key, value)?;
                }
            }
        }
        Some(())
    }
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
