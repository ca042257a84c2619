//! Paths of files in a job, partly known.

use crate::symbolic::{Comparison, Piece, Shape, Symbol, Text};

/// How the names of archives end.
const ARCHIVE_SUFFIXES: [&str; 9] = [
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".tar.xz",
    ".tar.bz2",
    ".tar.zstd",
    ".oci",
    ".tar.lz4",
];

/// Says whether a path names the workspace itself at its start.
#[must_use]
pub(super) fn is_in_workspace(path: &Text) -> bool {
    matches!(path.pieces().first(), Some(Piece::Symbol(symbol)) if symbol.name() == "github.workspace")
}

/// The path relative to the workspace, without `./`, doubled slashes and `..` where it is known.
#[must_use]
pub fn normalize(path: &Text) -> Text {
    let mut path = path.trim();
    if let Some(Piece::Symbol(symbol)) = path.pieces().first()
        && symbol.name() == "github.workspace"
    {
        let mut rest = Text::new();
        path.pieces()
            .iter()
            .skip(1)
            .for_each(|piece| rest.push(piece));
        path = rest.strip_start("/").unwrap_or(rest);
    }
    while let Some(rest) = path.strip_start("./") {
        path = rest;
    }
    path = in_checkout(&path).unwrap_or(path);
    if path.as_literal() == Some(".") {
        return Text::new();
    }
    let cleaned = path.map(
        |literal| literal.replace("/./", "/").replace("//", "/"),
        std::sync::Arc::clone,
    );
    let cleaned = match cleaned.as_literal() {
        Some(literal) if literal.contains("..") => Text::literal(without_parents(literal)),
        _ => cleaned,
    };
    if cleaned.as_literal() == Some("/") {
        cleaned
    } else {
        cleaned.strip_end("/").unwrap_or(cleaned)
    }
}

/// The rest of a path that spells out where GitHub's runners check a repository out: `/home/runner/work/NAME/NAME`.
fn in_checkout(path: &Text) -> Option<Text> {
    let below = path.strip_start("/home/runner/work/")?;
    let (name, rest) = below.split_first('/')?;
    let (again, rest) = rest.split_first('/')?;
    (name == again).then_some(rest)
}

fn without_parents(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            ".." if parts
                .last()
                .is_some_and(|last| *last != ".." && !last.is_empty()) =>
            {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Says whether a pattern (a file, a directory or a glob) can take in a file.
#[must_use]
pub fn covers(pattern: &Text, file: &Text) -> Comparison {
    if pattern.is_empty() {
        // The workspace itself: everything that is not elsewhere.
        let elsewhere = file.literal_start().starts_with('/') || file.literal_start().is_empty();
        return if elsewhere {
            Comparison::Different
        } else {
            Comparison::Equal
        };
    }
    let glob = as_glob(pattern);
    let direct = glob.compare(file);
    if direct == Comparison::Equal {
        return direct;
    }
    let mut below = glob.clone();
    below.push_str("/");
    below.push(&Piece::Symbol(Symbol::new("\u{0}below", Shape::Text)));
    let inside = below.compare(file);
    // A glob of a known file is exact: its wildcards stand for anything.
    let exact = file.as_literal().is_some() && pattern.as_literal().is_some();
    match (direct, inside) {
        (Comparison::Different, Comparison::Different) => Comparison::Different,
        _ if exact => Comparison::Equal,
        _ if starts_with_directory(pattern, file) => Comparison::Equal,
        _ => Comparison::Maybe,
    }
}

fn starts_with_directory(pattern: &Text, file: &Text) -> bool {
    relative(pattern, file).is_some()
}

/// The directory a file lies in; empty for the workspace.
#[must_use]
pub(super) fn directory(file: &Text) -> Text {
    file.split_last('/')
        .map_or_else(Text::new, |(head, _)| head)
}

/// The rest of a file's path below a directory.
#[must_use]
pub(super) fn relative(directory: &Text, file: &Text) -> Option<Text> {
    if directory.is_empty() {
        return Some(file.clone());
    }
    let pieces = directory.pieces();
    let mut rest = Text::new();
    let mut remaining = file.pieces().iter();
    for (at, piece) in pieces.iter().enumerate() {
        let other = remaining.next()?;
        match (piece, other) {
            (Piece::Symbol(a), Piece::Symbol(b)) if a == b => {}
            (Piece::Literal(a), Piece::Literal(b)) if at + 1 == pieces.len() => {
                let tail = b.strip_prefix(a.as_str())?;
                rest.push_str(tail);
            }
            (Piece::Literal(a), Piece::Literal(b)) if a == b => {}
            _ => return None,
        }
    }
    remaining.for_each(|piece| rest.push(piece));
    rest.strip_start("/")
}

fn as_glob(pattern: &Text) -> Text {
    let mut text = Text::new();
    for piece in pattern.pieces() {
        match piece {
            Piece::Symbol(_) => text.push(piece),
            Piece::Literal(literal) => push_glob(&mut text, literal),
        }
    }
    text
}

fn push_glob(text: &mut Text, literal: &str) {
    let literal = literal.replace("**/", "**");
    let mut rest = literal.as_str();
    let mut number = 0;
    while let Some(at) = rest.find(['*', '?', '[', '{']) {
        text.push_str(rest.get(..at).unwrap_or_default());
        let wild = rest.get(at..).unwrap_or_default();
        number += 1;
        let deep = wild.starts_with("**");
        let shape = if deep { Shape::Text } else { Shape::Any };
        text.push(&Piece::Symbol(Symbol::new(format!("\u{0}{number}"), shape)));
        let skip = match wild.chars().next() {
            Some('[') => wild.find(']').map_or(1, |close| close + 1),
            Some('{') => wild.find('}').map_or(1, |close| close + 1),
            _ if deep => 2,
            _ => 1,
        };
        rest = wild.get(skip..).unwrap_or_default();
    }
    text.push_str(rest);
}

/// Says whether a path has wildcards.
#[must_use]
pub(super) fn is_glob(path: &Text) -> bool {
    path.contains("*") || path.contains("?") || path.contains("{") || path.contains("[")
}

/// The directory a path is in; the workspace for a bare name.
#[must_use]
pub(super) fn parent(path: &Text) -> Text {
    match path.split_last('/') {
        Some((directory, _)) if directory.is_empty() => Text::literal("/"),
        Some((directory, _)) => directory,
        None => Text::new(),
    }
}

/// The part of a pattern before its first wildcard, up to a slash.
#[must_use]
pub(super) fn fixed_part(pattern: &Text) -> Text {
    if !is_glob(pattern) {
        return pattern.clone();
    }
    let mut fixed = Text::new();
    for part in pattern.split(|c| c == '/') {
        if is_glob(&part) {
            break;
        }
        if !fixed.is_empty() || pattern.literal_start().starts_with('/') {
            fixed.push_str("/");
        }
        fixed.append(&part);
    }
    let fixed = fixed.map(|text| text.replace("//", "/"), std::sync::Arc::clone);
    fixed.strip_end("/").unwrap_or(fixed)
}

/// Says whether a name is that of an archive.
#[must_use]
pub fn is_archive(path: &Text) -> bool {
    let end = path.literal_end();
    ARCHIVE_SUFFIXES.iter().any(|suffix| end.ends_with(suffix))
}

/// The last part of a path.
#[must_use]
pub fn file_name(path: &Text) -> Text {
    path.split_last('/')
        .map_or_else(|| path.clone(), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_after_cleaning() {
        let clean = |path: &str| normalize(&Text::literal(path)).describe();
        assert_eq!(clean("./a/b/"), "a/b");
        assert_eq!(clean("a//b/../c"), "a/c");
        assert_eq!(clean("."), "");
        assert_eq!(clean("/tmp"), "/tmp");
        let mut workspace = Text::symbol(Symbol::new("github.workspace", Shape::Word));
        workspace.push_str("/out/x.tar");
        assert_eq!(normalize(&workspace).describe(), "out/x.tar");
    }

    #[test]
    fn patterns_cover_files() {
        use Comparison::{Different, Equal};
        for (pattern, file, expected) in [
            ("a.tar", "a.tar", Equal),
            ("dist", "dist/a.tar", Equal),
            ("dist/*.tar", "dist/a.tar", Equal),
            ("*.tar", "a.tar.gz", Different),
            ("**/*.tar", "x/y/a.tar", Equal),
            ("", "a.tar", Equal),
            ("", "/tmp/a.tar", Different),
            ("/tmp/image.tar", "/tmp/images.tar", Different),
        ] {
            assert_eq!(
                covers(&Text::literal(pattern), &Text::literal(file)),
                expected,
                "{pattern} {file}"
            );
        }
    }

    #[test]
    fn directories() {
        let text = Text::literal;
        assert_eq!(parent(&text("a/b.tar")), text("a"));
        assert_eq!(parent(&text("b.tar")), text(""));
        assert_eq!(fixed_part(&text("/tmp/x/*.tar")), text("/tmp/x"));
        assert_eq!(
            relative(&text("/tmp"), &text("/tmp/a/b")),
            Some(text("a/b"))
        );
    }
}
