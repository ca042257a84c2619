//! Paths inside an image or a context: bytes, relative to the root, without leading slash; the root is empty.

/// What a path becomes without `.`, `..` and doubled slashes. `..` at the root stays at the root.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    barge_image::layer::path::clean(path).into_owned()
}

/// Whether `..` leads above the root.
pub(super) fn escapes(path: &[u8]) -> bool {
    let mut depth = 0usize;
    components(path).any(|part| {
        if part != b".." {
            depth += 1;
            return false;
        }
        match depth.checked_sub(1) {
            Some(up) => {
                depth = up;
                false
            }
            None => true,
        }
    })
}

/// The parts of a path, without empty ones and `.`.
pub(super) fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
}

/// A clean path below another.
pub(super) fn join(directory: &[u8], rest: &[u8]) -> Vec<u8> {
    match (directory.is_empty(), rest.is_empty()) {
        (true, _) => rest.to_vec(),
        (_, true) => directory.to_vec(),
        _ => [directory, b"/", rest].concat(),
    }
}

/// The directory and the last part of a clean path.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// The directories above a clean path, outermost first, without the root.
pub(super) fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(index, _)| &path[..index])
}

/// A path for messages.
pub(super) fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_and_tells_escapes() {
        let table: [(&[u8], &[u8], bool); 8] = [
            (b"/a//./b/", b"a/b", false),
            (b"a/../b", b"b", false),
            (b"../a", b"a", true),
            (b"a/../../b", b"b", true),
            (b"/..", b"", true),
            (b"", b"", false),
            (b".", b"", false),
            (b"..a/b..", b"..a/b..", false),
        ];
        for (path, expected, leaves) in table {
            assert_eq!(
                (clean(path), escapes(path)),
                (expected.to_vec(), leaves),
                "{}",
                shown(path)
            );
        }
        assert_eq!(parents(b"a/b/c").collect::<Vec<_>>(), [&b"a"[..], b"a/b"]);
        assert_eq!(split(b"a/b"), (&b"a"[..], &b"b"[..]));
        assert_eq!(join(b"", b"x"), b"x");
    }
}
