//! The 512-byte header block: field positions, numbers, checksum (POSIX ustar, GNU tar manual, "Basic Tar Format").

use std::ops::Range;

pub(super) const NAME: Range<usize> = 0..100;
pub(super) const MODE: Range<usize> = 100..108;
pub(super) const UID: Range<usize> = 108..116;
pub(super) const GID: Range<usize> = 116..124;
pub(super) const SIZE: Range<usize> = 124..136;
pub(super) const MTIME: Range<usize> = 136..148;
pub(super) const CHECKSUM: Range<usize> = 148..156;
pub(super) const TYPE: usize = 156;
pub(super) const LINK: Range<usize> = 157..257;
pub(super) const MAGIC: Range<usize> = 257..265;
pub(super) const PREFIX: Range<usize> = 345..500;
/// In an old GNU sparse header: set when more map blocks follow the header.
pub(super) const GNU_SPARSE_EXTENDED: usize = 482;

pub(super) type Block = [u8; 512];

/// The bytes of a text field up to its first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number field: octal text, or base-256 when the first bit is set. `None` when it is neither.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base256(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<i64> {
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0i64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

fn base256(field: &[u8]) -> Option<i64> {
    // Two's complement over the whole field, with the marker bit taken as the sign's copy.
    let negative = field[0] & 0x40 != 0;
    let first = if negative { field[0] } else { field[0] & 0x7f };
    let start = if negative { -1i64 } else { 0 };
    std::iter::once(&first)
        .chain(&field[1..])
        .try_fold(start, |value, byte| {
            value
                .checked_mul(256)
                .map(|shifted| shifted | i64::from(*byte))
        })
}

/// Whether the stored checksum is right, by the unsigned sum or by the signed one of some old programs.
pub(super) fn checksum_is_right(block: &Block) -> bool {
    let Some(stored) = octal(&block[CHECKSUM]) else {
        return false;
    };
    // The signed sum counts every byte from 128 on as 256 less.
    let unsigned = i64::from(checksum(block));
    let signed = || unsigned - 256 * high_bytes(block);
    stored == unsigned || stored == signed()
}

/// The sum to be stored, with the checksum field itself counted as blanks.
pub(super) fn checksum(block: &Block) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().copied().map(u32::from).sum::<u32>();
    let blanks = CHECKSUM.map(|_| u32::from(b' ')).sum::<u32>();
    sum(block) - sum(&block[CHECKSUM]) + blanks
}

fn high_bytes(block: &Block) -> i64 {
    let (before, after) = (&block[..CHECKSUM.start], &block[CHECKSUM.end..]);
    let high = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte >> 7)).sum::<i64>();
    high(before) + high(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_in_every_notation() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"    644 "), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\0\0\x01\0"), Some(256));
        assert_eq!(
            number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            Some(-1)
        );
        assert_eq!(
            number(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
        assert_eq!(number(b"12x"), None);
    }
}
