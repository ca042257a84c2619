//! What `COPY` does, from one tree into another (BuildKit's rules, measured against it).
//!
//! A directory's contents are copied, not itself; a destination that ends with `/` is a directory; missing directories
//! are made with mode 0755 for the owner of the copy; links in the way of source and destination are followed inside
//! their own root, links inside a copied directory are copied.

use std::collections::BTreeMap;

use super::apply::WHITEOUT;
use super::ignore::Ignore;
use super::path;
use super::pattern::{Pattern, has_wildcards};
use super::tree::{LinkLoop, Node, NodeKind, Tree};

/// What an instruction changed, by path.
pub(super) type Changes = BTreeMap<Vec<u8>, Node>;

/// Why nothing was copied.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, hint: None }
    }
}

impl From<LinkLoop> for Failure {
    fn from(_: LinkLoop) -> Self {
        String::from("too many symbolic links in a path").into()
    }
}

/// What becomes of what is copied.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) owner: Option<(u64, u64)>,
    pub(super) mode: Option<u32>,
    pub(super) exclude: Ignore,
}

/// The root file system that an instruction changes.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) changes: Changes,
    /// The time of what is made, and the latest time of what is copied, in seconds since 1970.
    pub(super) created: i64,
}

impl Target<'_> {
    pub(super) fn put(&mut self, path: Vec<u8>, mut node: Node) -> Result<(), Failure> {
        if path::components(&path).any(|part| part.starts_with(WHITEOUT)) {
            let shown = path::shown(&path);
            let reason = format!(
                "`{shown}` cannot be in a layer: names with `.wh.` first mark deleted files"
            );
            return Err(reason.into());
        }
        node.mtime = node.mtime.clamp(0, self.created.max(0));
        self.tree.put(path.clone(), node.clone());
        self.changes.insert(path, node);
        Ok(())
    }

    /// The changes with the directories above them. Docker unpacks every layer on its own, so that a directory which a
    /// layer does not spell out would come out with default mode and owner, whatever the layers below say.
    pub(super) fn finish(mut self) -> Changes {
        let above: Vec<Vec<u8>> = self
            .changes
            .keys()
            .flat_map(|path| path::parents(path))
            .filter(|path| !self.changes.contains_key(*path))
            .map(<[u8]>::to_vec)
            .collect();
        for path in above {
            if let Some(node) = self.tree.get(&path) {
                self.changes.insert(path, node.clone());
            }
        }
        self.changes
    }

    /// Makes a resolved directory and those above it that are not there.
    pub(super) fn make_directories(
        &mut self,
        directory: &[u8],
        owner: Option<(u64, u64)>,
    ) -> Result<(), Failure> {
        let above: Vec<Vec<u8>> = path::parents(directory)
            .chain([directory])
            .filter(|path| !path.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        for path in above {
            if self.tree.is_directory(&path) {
                continue;
            }
            if self.tree.has(&path) {
                return Err(format!("`{}` is not a directory", path::shown(&path)).into());
            }
            let mut node = Node::directory(self.created);
            (node.uid, node.gid) = owner.unwrap_or_default();
            self.put(path, node)?;
        }
        Ok(())
    }

    /// Copies what one source names; `destination` is clean, `into` says that it must be a directory.
    pub(super) fn copy(
        &mut self,
        source: &Tree,
        name: &str,
        destination: &[u8],
        into: bool,
        options: &Options,
    ) -> Result<(), Failure> {
        for name in sources(source, name)? {
            self.copy_path(source, &name, destination, into, options)?;
        }
        Ok(())
    }

    /// Copies what stands at one path.
    pub(super) fn copy_path(
        &mut self,
        source: &Tree,
        name: &[u8],
        destination: &[u8],
        into: bool,
        options: &Options,
    ) -> Result<(), Failure> {
        let from = &source.resolve(name)?;
        if !source.has(from) {
            return Err(format!("`{}` is not there", path::shown(name)).into());
        }
        let ensured = if into {
            destination
        } else {
            path::split(destination).0
        };
        let ensured = self.tree.resolve(ensured)?;
        self.make_directories(&ensured, options.owner)?;
        let resolved = self.tree.resolve(destination)?;
        if source.is_directory(from) {
            self.make_directories(&resolved, options.owner)?;
            return self.copy_contents(source, from, &resolved, options);
        }
        let last = path::split(name).1;
        let mut to = resolved;
        if self.tree.is_directory(&to) {
            if options.exclude.matches(last) {
                return Ok(());
            }
            to = path::join(&to, last);
        }
        self.make_directories(path::split(&to).0, options.owner)?;
        match source.get(from) {
            Some(node) => self.copy_node(node, from, to, options),
            None => Err(format!("`{}` is not there", path::shown(from)).into()),
        }
    }

    fn copy_contents(
        &mut self,
        source: &Tree,
        from: &[u8],
        to: &[u8],
        options: &Options,
    ) -> Result<(), Failure> {
        let prefix = if from.is_empty() { 0 } else { from.len() + 1 };
        for (path, node) in source.below(from) {
            let relative = &path[prefix..];
            if options.exclude.matches(relative) {
                continue;
            }
            let target = path::join(to, relative);
            // An excluded directory with something in it that an exception brings back.
            for parent in path::parents(relative) {
                let directory = path::join(to, parent);
                if let Some(node) = source.get(&path::join(from, parent))
                    && !self.tree.has(&directory)
                {
                    self.copy_node(node, parent, directory, options)?;
                }
            }
            self.copy_node(node, path, target, options)?;
        }
        Ok(())
    }

    fn copy_node(
        &mut self,
        node: &Node,
        from: &[u8],
        to: Vec<u8>,
        options: &Options,
    ) -> Result<(), Failure> {
        let standing = self.tree.get(&to);
        let is_directory = self.tree.is_directory(&to);
        if node.is_directory() && standing.is_some() && !is_directory {
            return Err(format!(
                "cannot copy a directory over `{}`, which is none",
                path::shown(&to)
            )
            .into());
        }
        if !node.is_directory() && is_directory {
            return Err(format!(
                "cannot copy `{}` over the directory `{}`",
                path::shown(from),
                path::shown(&to)
            )
            .into());
        }
        let mut copied = node.clone();
        match &node.kind {
            NodeKind::Special(what) => {
                return Err(format!(
                    "`{}` is {what}, which the embedded builder does not copy",
                    path::shown(from)
                )
                .into());
            }
            NodeKind::Symlink(_) => {}
            NodeKind::Directory | NodeKind::File { .. } => {
                copied.mode = options.mode.unwrap_or(copied.mode);
            }
        }
        if let Some((uid, gid)) = options.owner {
            (copied.uid, copied.gid) = (uid, gid);
        }
        self.put(to, copied)
    }
}

/// The paths that a source names, sorted; a pattern may name none.
pub(super) fn sources(tree: &Tree, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
    if path::escapes(name.as_bytes()) {
        return Err(Failure {
            reason: format!("`{name}` leads out of the build context"),
            hint: Some(
                "copy only what is below the context, or choose a higher folder as context".into(),
            ),
        });
    }
    let clean = path::clean(name.as_bytes());
    if !has_wildcards(name) {
        return Ok(vec![clean]);
    }
    let clean = String::from_utf8_lossy(&clean).into_owned();
    let Some(pattern) = Pattern::wildcard(&clean) else {
        return Err(format!("`{name}` is not a pattern").into());
    };
    // The part without wildcards may lead through links, which patterns themselves do not.
    let literal = literal_directory(&clean);
    let resolved = tree.resolve(literal.as_bytes())?;
    if resolved == literal.as_bytes() {
        return Ok(matching(tree, &pattern, b""));
    }
    let rest = clean[literal.len()..].trim_start_matches('/');
    let Some(pattern) = Pattern::wildcard(rest) else {
        return Err(format!("`{name}` is not a pattern").into());
    };
    Ok(matching(tree, &pattern, &resolved))
}

fn matching(tree: &Tree, pattern: &Pattern, below: &[u8]) -> Vec<Vec<u8>> {
    let prefix = if below.is_empty() { 0 } else { below.len() + 1 };
    tree.below(below)
        .filter(|(path, _)| pattern.matches(&String::from_utf8_lossy(&path[prefix..])))
        .map(|(path, _)| path.to_vec())
        .collect()
}

/// The directories of a pattern before its first wildcard.
fn literal_directory(pattern: &str) -> &str {
    let end = pattern
        .split_inclusive('/')
        .take_while(|part| !has_wildcards(part) && !part.contains('\\') && part.ends_with('/'))
        .map(str::len)
        .sum::<usize>();
    pattern[..end].trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::super::content::Content;
    use super::*;

    fn file() -> Node {
        Node {
            kind: NodeKind::File {
                size: 0,
                content: Content::Memory(Vec::new().into()),
            },
            mode: 0o640,
            ..Node::directory(50)
        }
    }

    fn tree(files: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for path in files {
            for parent in path::parents(path.as_bytes()) {
                tree.put(parent.to_vec(), Node::directory(10));
            }
            tree.put(path.as_bytes().to_vec(), file());
        }
        tree
    }

    fn link(target: &str) -> Node {
        Node {
            kind: NodeKind::Symlink(target.into()),
            ..Node::directory(0)
        }
    }

    fn copied(
        source: &Tree,
        base: &mut Tree,
        name: &str,
        to: &str,
        options: &Options,
    ) -> Result<String, String> {
        let mut target = Target {
            tree: base,
            changes: Changes::new(),
            created: 20,
        };
        let into = to.ends_with('/');
        target
            .copy(source, name, &path::clean(to.as_bytes()), into, options)
            .map_err(|failure| failure.reason)?;
        assert!(target.changes.values().all(|node| node.mtime <= 20));
        Ok(target
            .finish()
            .keys()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn places_as_docker_does() {
        let source = tree(&["d/x", "d/s/y", "f", "g.txt"]);
        let table = [
            ("f", "/a", "a"),
            ("f", "/a/", "a a/f"),
            ("d", "/a", "a a/s a/s/y a/x"),
            ("d/", "/a/", "a a/s a/s/y a/x"),
            ("/d/*", "/", "x y"),
            ("*.txt", "/t/", "t t/g.txt"),
            ("*.nope", "/t/", ""),
            (".", "/", "d d/s d/s/y d/x f g.txt"),
        ];
        for (name, to, expected) in table {
            let found = copied(&source, &mut Tree::default(), name, to, &Options::default());
            assert_eq!(found.as_deref(), Ok(expected), "{name} {to}");
        }
    }

    #[test]
    fn follows_links_of_the_image_and_refuses_collisions() {
        let source = tree(&["bin/x", "f"]);
        let base = || {
            let mut base = tree(&["usr/bin/sh", "file"]);
            base.put(b"bin".to_vec(), link("usr/bin"));
            base.put(b"gone".to_vec(), link("/new/place"));
            base
        };
        let table = [
            ("f", "/bin/", Ok("usr usr/bin usr/bin/f")),
            ("bin", "/bin", Ok("usr usr/bin usr/bin/x")),
            ("f", "/gone", Ok("new new/place")),
            ("bin", "/file", Err("`/file` is not a directory")),
            ("f", "/file/x", Err("`/file` is not a directory")),
            (
                ".",
                "/",
                Err("cannot copy a directory over `/bin`, which is none"),
            ),
            ("../f", "/", Err("`../f` leads out of the build context")),
        ];
        for (name, to, expected) in table {
            let found = copied(&source, &mut base(), name, to, &Options::default());
            assert_eq!(
                found,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{name} {to}"
            );
        }
    }

    #[test]
    fn excludes_and_owns() {
        let source = tree(&["d/a.o", "d/s/b.o", "d/s/c"]);
        let options = Options {
            owner: Some((5, 6)),
            mode: Some(0o600),
            exclude: Ignore::of(&["**/*.o".into()]).unwrap(),
        };
        let mut base = Tree::default();
        assert_eq!(
            copied(&source, &mut base, "d", "/e", &options).unwrap(),
            "e e/s e/s/c"
        );
        let node = base.get(b"e/s/c").unwrap();
        assert_eq!((node.uid, node.gid, node.mode), (5, 6, 0o600));
    }
}
