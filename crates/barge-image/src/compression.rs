//! How the bytes of a layer or archive are packed: told from the first bytes, never from a media type or a name.
//!
//! Archives mix compressions layer by layer, so every layer is asked on its own.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// The largest zstd window that is accepted, as a power of two: what the reference decoder accepts by default.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const BUFFER: usize = 128 << 10;
/// What any stream may inflate to, in bytes, and how many times its own length beyond that. gzip cannot do more than 1032
/// times; a few kilobytes of zstd could go on for hours.
const INFLATED_FLOOR: u64 = 8 << 30;
const INFLATED_RATIO: u64 = 1000;

/// The compressions that layers and archives use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Plain bytes.
    None,
    /// RFC 1952, one or more members.
    Gzip,
    /// RFC 8878, one or more frames.
    Zstd,
}

impl Compression {
    /// How many first bytes [`Self::sniff`] needs to be sure.
    pub const MAGIC_LENGTH: usize = 4;

    /// Tells the compression from the first bytes.
    #[must_use]
    pub fn sniff(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame may come first (RFC 8878, section 3.1.2).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// A reader of the unpacked bytes. Its memory is bounded by the format's window, whatever the input says.
    ///
    /// # Errors
    /// When the decoder cannot be set up.
    pub fn decoder<R: Read>(self, reader: R) -> io::Result<Decoder<R>> {
        self.buffered(metered(reader))
    }

    fn buffered<R: Read>(self, reader: BufReader<Metered<R>>) -> io::Result<Decoder<R>> {
        let unpack = match self {
            Self::None => Unpack::Plain(reader),
            Self::Gzip => Unpack::Gzip(Box::new(MultiGzDecoder::new(reader))),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(reader)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Unpack::Zstd(Box::new(decoder))
            }
        };
        Ok(Decoder {
            unpack,
            inflated: 0,
        })
    }
}

/// A reader of the unpacked bytes. A stream that inflates to more than any layer does is given up.
pub struct Decoder<R: Read> {
    unpack: Unpack<R>,
    inflated: u64,
}

enum Unpack<R: Read> {
    Plain(BufReader<Metered<R>>),
    Gzip(Box<MultiGzDecoder<BufReader<Metered<R>>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Metered<R>>>>),
}

/// Counts what a decoder takes in.
struct Metered<R> {
    inner: R,
    taken: u64,
}

fn metered<R: Read>(inner: R) -> BufReader<Metered<R>> {
    BufReader::with_capacity(BUFFER, Metered { inner, taken: 0 })
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: Read> Decoder<R> {
    /// Looks at the first bytes of a reader and unpacks what it finds.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn sniffing(reader: R) -> io::Result<(Compression, Self)> {
        let mut reader = metered(reader);
        // One read may return less than the magic number, but only a broken source splits its first four bytes.
        let compression = Compression::sniff(reader.fill_buf()?);
        Ok((compression, compression.buffered(reader)?))
    }

    /// The source, for those who must tell it something; reading from it loses bytes.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.source().inner
    }

    fn source(&mut self) -> &mut Metered<R> {
        match &mut self.unpack {
            Unpack::Plain(reader) => reader.get_mut(),
            Unpack::Gzip(decoder) => decoder.get_mut().get_mut(),
            Unpack::Zstd(decoder) => decoder.get_mut().get_mut(),
        }
    }

    /// The source; buffered bytes that were not unpacked yet are lost.
    #[must_use]
    pub fn into_inner(self) -> R {
        let source = match self.unpack {
            Unpack::Plain(reader) => reader.into_inner(),
            Unpack::Gzip(decoder) => decoder.into_inner().into_inner(),
            Unpack::Zstd(decoder) => decoder.finish().into_inner(),
        };
        source.inner
    }

    fn check_inflated(&mut self) -> io::Result<()> {
        if self.inflated <= INFLATED_FLOOR {
            return Ok(());
        }
        let taken = self.source().taken;
        if self.inflated - INFLATED_FLOOR <= taken.saturating_mul(INFLATED_RATIO) {
            return Ok(());
        }
        let text = format!(
            "{taken} bytes inflate to more than {} GiB: nothing that an image holds does",
            INFLATED_FLOOR >> 30
        );
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.unpack {
            Unpack::Plain(reader) => return reader.read(buffer),
            Unpack::Gzip(decoder) => decoder.read(buffer)?,
            Unpack::Zstd(decoder) => decoder.read(buffer)?,
        };
        self.inflated += read as u64;
        self.check_inflated()?;
        Ok(read)
    }
}

impl<R: Read> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.unpack {
            Unpack::Plain(_) => "Decoder(plain)",
            Unpack::Gzip(_) => "Decoder(gzip)",
            Unpack::Zstd(_) => "Decoder(zstd)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> io::Result<(Compression, Vec<u8>)> {
        let (compression, mut decoder) = Decoder::sniffing(bytes)?;
        let mut unpacked = Vec::new();
        decoder.read_to_end(&mut unpacked)?;
        Ok((compression, unpacked))
    }

    #[test]
    fn unpacks_what_it_sniffs() {
        let text = b"layer ".repeat(50_000);
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9], &zstd[..]].concat();
        let cases = [
            (Compression::None, text.clone()),
            (Compression::Gzip, gzip(&text)),
            (Compression::Zstd, zstd),
            (Compression::Zstd, skippable),
        ];
        for (compression, packed) in cases {
            assert_eq!(unpack(&packed).unwrap(), (compression, text.clone()));
        }
        assert_eq!(unpack(b"").unwrap(), (Compression::None, Vec::new()));
    }

    #[test]
    fn reads_all_members_of_a_gzip_file() {
        let packed = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(unpack(&packed).unwrap().1, b"one two");
    }

    #[test]
    fn a_cut_stream_is_an_error() {
        let packed = gzip(&b"x".repeat(9000));
        assert!(unpack(&packed[..packed.len() - 9]).is_err());
    }

    #[test]
    fn gives_up_on_what_inflates_without_end() {
        let frame = zstd::encode_all(&vec![0; 64 << 20][..], 1).unwrap();
        let bomb = std::iter::repeat_n(&frame[..], 200).flatten().copied();
        let bomb: Vec<u8> = bomb.collect();
        let mut decoder = Compression::Zstd.decoder(&bomb[..]).unwrap();
        let error = io::copy(&mut decoder, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn refuses_a_window_larger_than_the_limit() {
        // Frame header: no single segment, window exponent 31 - 10.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
        assert!(unpack(&frame).is_err());
    }
}
