//! Paths inside images are bytes, relative to the root, without `.`, `..`, doubled or trailing slashes.
//!
//! Also the whiteout names (OCI image-spec, layer, "Whiteouts").

use std::borrow::Cow;

/// A path as an archive writes it, made clean: `./a//b/`, `/a/b` and `x/../a/b` are all `a/b`. `..` stops at the root.
#[must_use]
pub fn clean(path: &[u8]) -> Cow<'_, [u8]> {
    let trimmed = path.strip_prefix(b"./").unwrap_or(path);
    let trimmed = trimmed.strip_prefix(b"/").unwrap_or(trimmed);
    let trimmed = trimmed.strip_suffix(b"/").unwrap_or(trimmed);
    if components(trimmed).all(|part| !matches!(part, b"" | b"." | b"..")) {
        return Cow::Borrowed(trimmed);
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in components(trimmed) {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    Cow::Owned(parts.join(&b'/'))
}

/// The parts between slashes; one empty part for an empty path.
pub fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

/// How many symbolic links a look-up follows, as Linux does.
pub(crate) const LINK_LIMIT: u32 = 40;
/// How many parts may be left to look up: links name links.
pub(crate) const PENDING_LIMIT: usize = 4096;

/// The parts between slashes, last first: a stack of what is still to be looked up.
pub(crate) fn reversed(path: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<_> = components(path).map(<[u8]>::to_vec).collect();
    parts.reverse();
    parts
}

/// Directory and name of a clean path; the directory of a top-level name is empty.
#[must_use]
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// A name in a directory; the root directory is empty.
#[must_use]
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() {
        name.to_vec()
    } else {
        [directory, b"/", name].concat()
    }
}

/// What a name in a layer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker<'a> {
    /// An ordinary file.
    Ordinary,
    /// Hides this name of lower layers.
    Whiteout(&'a [u8]),
    /// Hides all that lower layers have in the directory.
    Opaque,
    /// Bookkeeping of AUFS, or a whiteout of nothing.
    Ignored,
}

/// Tells what a name in a layer asks for.
#[must_use]
pub fn marker(name: &[u8]) -> Marker<'_> {
    match name {
        b".wh..wh..opq" => Marker::Opaque,
        b".wh..wh.plnk" | b".wh..wh.aufs" | b".wh..wh.orph" => Marker::Ignored,
        _ => match name.strip_prefix(b".wh.") {
            None => Marker::Ordinary,
            Some(b"" | b"." | b"..") => Marker::Ignored,
            Some(hidden) => Marker::Whiteout(hidden),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_paths() {
        let cases: [(&str, &str); 11] = [
            ("a/b", "a/b"),
            ("./a/b", "a/b"),
            ("/a/b/", "a/b"),
            ("a//b", "a/b"),
            ("x/../a/b", "a/b"),
            ("../../a", "a"),
            ("a/./b", "a/b"),
            ("/", ""),
            ("./", ""),
            (".", ""),
            ("", ""),
        ];
        for (written, expected) in cases {
            assert_eq!(clean(written.as_bytes()), expected.as_bytes(), "{written}");
        }
    }

    #[test]
    fn tells_markers() {
        assert_eq!(marker(b".wh.x"), Marker::Whiteout(b"x"));
        assert_eq!(marker(b".wh..wh..opq"), Marker::Opaque);
        assert_eq!(marker(b".wh..wh..opqX"), Marker::Whiteout(b".wh..opqX"));
        assert_eq!(marker(b".wh."), Marker::Ignored);
        assert_eq!(marker(b".wh..."), Marker::Ignored);
        assert_eq!(marker(b".wh..wh.plnk"), Marker::Ignored);
        assert_eq!(marker(b"wh.x"), Marker::Ordinary);
    }
}
