//! Maps of sparse files: which pieces of a file are stored, and where they belong (GNU tar manual, "Storing Sparse
//! Files"): the old form in header blocks, 0.0 and 0.1 in PAX records, 1.0 before the content.

use std::ops::Range;

use super::header::{self, Block};

/// The most pieces that a map may name, where nothing else limits it.
const PAIRS_LIMIT: usize = 1 << 18;
const RUN: usize = 24;
/// Where the old form has the file's real size.
const REAL_SIZE: Range<usize> = 483..495;
/// Where the old form has its first four runs.
const FIRST_RUNS: Range<usize> = 386..482;
/// Where the blocks after the header have theirs.
const MORE_RUNS: Range<usize> = 0..504;

/// The pieces of a sparse file. All else in it is zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparseMap {
    size: u64,
    runs: Vec<Run>,
}

/// A piece: where it belongs, where it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    offset: u64,
    stored: u64,
    length: u64,
}

impl SparseMap {
    /// From pairs of offset and length; `None` unless they are in order, inside the file, and make up what is stored.
    pub(crate) fn new(size: u64, numbers: &[u64], stored: u64) -> Option<Self> {
        let mut runs: Vec<Run> = Vec::with_capacity(numbers.len() / 2);
        let (mut end, mut at) = (0, 0);
        for pair in numbers.chunks(2) {
            let [offset, length] = *pair else {
                return None;
            };
            if offset < end {
                return None;
            }
            end = offset.checked_add(length).filter(|end| *end <= size)?;
            runs.push(Run {
                offset,
                stored: at,
                length,
            });
            at = at.checked_add(length)?;
        }
        (at == stored).then_some(Self { size, runs })
    }

    /// The length of the whole file, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where each piece belongs, and its length, one after the other.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let pairs = self.runs.iter().map(|run| [run.offset, run.length]);
        pairs.flatten().collect()
    }

    /// How many bytes are stored.
    #[must_use]
    pub fn stored_size(&self) -> u64 {
        self.runs.iter().map(|run| run.length).sum()
    }

    /// Fills a buffer with what the file has at an offset, asking `read` for stored bytes by their own offset; the number of
    /// bytes is smaller than the buffer only at the end of the file.
    ///
    /// # Errors
    /// When `read` fails.
    pub fn fill<E>(
        &self,
        offset: u64,
        buffer: &mut [u8],
        mut read: impl FnMut(u64, &mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let left = self.size.saturating_sub(offset);
        let want = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let buffer = &mut buffer[..want];
        buffer.fill(0);
        let end = offset + want as u64;
        let first = self
            .runs
            .partition_point(|run| run.offset + run.length <= offset);
        for run in self.runs[first..].iter().take_while(|run| run.offset < end) {
            let from = run.offset.max(offset);
            let to = (run.offset + run.length).min(end);
            let part = usize::try_from(from - offset)
                .ok()
                .zip(usize::try_from(to - offset).ok());
            if let Some(piece) = part.and_then(|(from, to)| buffer.get_mut(from..to)) {
                read(run.stored + (from - run.offset), piece)?;
            }
        }
        Ok(want)
    }
}

/// What PAX records say of a sparse file.
#[derive(Default)]
pub(super) struct Records {
    size: Option<u64>,
    numbers: Vec<u64>,
    /// Form 1.0: the map comes before the content.
    pub(super) before_content: bool,
}

impl Records {
    /// Takes one record, whose key comes without `GNU.sparse.`.
    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let value = std::str::from_utf8(value).ok()?;
        match key {
            b"major" => self.before_content = value == "1",
            b"size" | b"realsize" => self.size = Some(value.parse().ok()?),
            b"offset" | b"numbytes" => self.numbers.push(value.parse().ok()?),
            b"map" => {
                let numbers = value.split(',').map(str::parse);
                self.numbers = numbers.collect::<Result<_, _>>().ok()?;
            }
            _ => {}
        }
        Some(())
    }

    /// The map, where the records hold it.
    pub(super) fn map(&self, stored: u64) -> Option<SparseMap> {
        SparseMap::new(self.size?, &self.numbers, stored)
    }

    /// The map that stands before the content.
    pub(super) fn leading(&self, map: &LeadingMap, stored: u64) -> Option<SparseMap> {
        SparseMap::new(self.size?, map.numbers.get(1..)?, stored)
    }
}

/// The map before a content: decimal numbers, a line each; first how many pairs follow.
#[derive(Default)]
pub(super) struct LeadingMap {
    numbers: Vec<u64>,
    digits: u64,
}

impl LeadingMap {
    /// Takes a block; whether the map ends in it. `None` when it is no map, or larger than barge reads.
    pub(super) fn extend(&mut self, block: &Block) -> Option<bool> {
        for byte in block {
            match byte {
                b'0'..=b'9' => {
                    self.digits = self
                        .digits
                        .checked_mul(10)?
                        .checked_add(u64::from(byte - b'0'))?;
                }
                b'\n' => self.numbers.push(std::mem::take(&mut self.digits)),
                _ => return None,
            }
            if self.is_whole()? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn is_whole(&self) -> Option<bool> {
        let Some(pairs) = self.numbers.first() else {
            return Some(false);
        };
        let pairs = usize::try_from(*pairs)
            .ok()
            .filter(|pairs| *pairs <= PAIRS_LIMIT)?;
        Some(self.numbers.len() == 1 + 2 * pairs)
    }
}

/// The old form, read block by block.
pub(super) struct OldMap {
    size: Option<u64>,
    numbers: Vec<u64>,
}

impl OldMap {
    pub(super) fn new(block: &Block) -> Self {
        let mut map = Self {
            size: number(&block[REAL_SIZE]),
            numbers: Vec::new(),
        };
        map.add(&block[FIRST_RUNS]);
        map
    }

    /// Takes a block that follows the header; whether another one does.
    pub(super) fn extend(&mut self, block: &Block) -> bool {
        self.add(&block[MORE_RUNS]);
        block[504] != 0 && self.numbers.len() < 2 * PAIRS_LIMIT
    }

    fn add(&mut self, runs: &[u8]) {
        let used = runs.chunks_exact(RUN).take_while(|run| run[0] != 0);
        for run in used {
            let (offset, length) = run.split_at(RUN / 2);
            let pair = [offset, length].map(number);
            // What is no number fits no file.
            self.numbers
                .extend(pair.map(|number| number.unwrap_or(u64::MAX)));
        }
    }

    pub(super) fn finish(&self, stored: u64) -> Option<SparseMap> {
        SparseMap::new(self.size?, &self.numbers, stored)
    }
}

fn number(field: &[u8]) -> Option<u64> {
    u64::try_from(header::number(field)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_where_they_belong() {
        let map = SparseMap::new(10, &[1, 2, 6, 3, 10, 0], 5).unwrap();
        let stored = b"abcde";
        let at = |offset: u64, length: usize| {
            let mut buffer = vec![9; length];
            let read = |at: u64, piece: &mut [u8]| {
                let at = usize::try_from(at).unwrap();
                piece.copy_from_slice(&stored[at..at + piece.len()]);
                Ok::<_, ()>(piece.len())
            };
            let count = map.fill(offset, &mut buffer, read).unwrap();
            buffer.truncate(count);
            buffer
        };
        assert_eq!(at(0, 20), b"\0ab\0\0\0cde\0");
        assert_eq!(at(2, 5), b"b\0\0\0c");
        assert_eq!(at(8, 2), b"e\0");
        assert_eq!(at(10, 2), b"");
    }

    #[test]
    fn refuses_maps_that_cannot_be() {
        for numbers in [
            &[0, 2, 1, 3][..],
            &[4, 1, 0, 4],
            &[0, 11],
            &[0, 4],
            &[0, 5, 7],
            &[u64::MAX, 2],
        ] {
            assert_eq!(SparseMap::new(10, numbers, 5), None, "{numbers:?}");
        }
    }
}
