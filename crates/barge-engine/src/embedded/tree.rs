//! A root file system in memory: what is where, with contents left where they are.
//!
//! The build context, each stage and each base image are trees, so that `COPY` has one meaning for all of them.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::content::Content;
use super::path;

/// As Linux, more symbolic links than these are a loop.
const LINK_LIMIT: usize = 40;

/// What stands at a path.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) mtime: i64,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Directory,
    File {
        size: u64,
        content: Content,
    },
    Symlink(Vec<u8>),
    /// A device, pipe or the like: known, never copied.
    Special(&'static str),
}

impl Node {
    pub(super) fn directory(mtime: i64) -> Self {
        Self {
            kind: NodeKind::Directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime,
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.kind, NodeKind::Directory)
    }
}

/// A root file system. The root itself is always there and stands for no entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
}

/// A path leads through too many symbolic links.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LinkLoop;

impl Tree {
    pub(super) fn get(&self, path: &[u8]) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether a directory, or the root, stands at a path.
    pub(super) fn is_directory(&self, path: &[u8]) -> bool {
        path.is_empty() || self.get(path).is_some_and(Node::is_directory)
    }

    /// Whether anything stands at a path.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        path.is_empty() || self.nodes.contains_key(path)
    }

    /// Puts a node; whatever stood there goes, and what was below it, unless both are directories.
    pub(super) fn put(&mut self, path: Vec<u8>, node: Node) {
        if !node.is_directory() {
            self.remove_below(&path);
        }
        self.nodes.insert(path, node);
    }

    /// Removes a path and what is below it.
    pub(super) fn remove(&mut self, path: &[u8]) {
        self.nodes.remove(path);
        self.remove_below(path);
    }

    /// Removes what is below a directory.
    pub(super) fn remove_below(&mut self, path: &[u8]) {
        let below: Vec<Vec<u8>> = self.below(path).map(|(path, _)| path.to_vec()).collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    /// Everything, sorted by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes
            .iter()
            .map(|(path, node)| (path.as_slice(), node))
    }

    /// What is below a directory, sorted by path, the directory itself excluded.
    pub(super) fn below<'a>(
        &'a self,
        directory: &[u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a Node)> {
        let (from, prefix) = if directory.is_empty() {
            (Bound::Unbounded, Vec::new())
        } else {
            let prefix = [directory, b"/"].concat();
            (Bound::Included(prefix.clone()), prefix)
        };
        self.nodes
            .range((from, Bound::Unbounded))
            .map(|(path, node)| (path.as_slice(), node))
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// Follows the symbolic links of a path, never out of the root. Parts that are not there stay as they are.
    pub(super) fn resolve(&self, path: &[u8]) -> Result<Vec<u8>, LinkLoop> {
        let mut pending: Vec<Vec<u8>> = path::components(path).rev().map(<[u8]>::to_vec).collect();
        let (mut resolved, mut links) = (Vec::new(), 0);
        while let Some(part) = pending.pop() {
            if part == b".." {
                resolved = path::split(&resolved).0.to_vec();
                continue;
            }
            let next = path::join(&resolved, &part);
            let Some(NodeKind::Symlink(target)) = self.get(&next).map(|node| &node.kind) else {
                resolved = next;
                continue;
            };
            links += 1;
            if links > LINK_LIMIT {
                return Err(LinkLoop);
            }
            if target.starts_with(b"/") {
                resolved.clear();
            }
            pending.extend(path::components(target).rev().map(<[u8]>::to_vec));
        }
        Ok(resolved)
    }

    /// Follows the symbolic links of a path's directory, not one at the path itself.
    pub(super) fn resolve_parent(&self, path: &[u8]) -> Result<Vec<u8>, LinkLoop> {
        let (directory, name) = path::split(path);
        Ok(path::join(&self.resolve(directory)?, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> Node {
        Node {
            kind: NodeKind::Symlink(target.into()),
            ..Node::directory(0)
        }
    }

    #[test]
    fn links_never_leave_the_root() {
        let mut tree = Tree::default();
        tree.put(b"usr".to_vec(), Node::directory(0));
        tree.put(b"usr/bin".to_vec(), Node::directory(0));
        tree.put(b"bin".to_vec(), link("usr/bin"));
        tree.put(b"out".to_vec(), link("../../../usr/./bin"));
        tree.put(b"usr/up".to_vec(), link("/bin"));
        tree.put(b"loop".to_vec(), link("loop"));
        let resolved = |path: &[u8]| tree.resolve(path).map(|path| path::shown(&path));
        assert_eq!(resolved(b"/bin/sh"), Ok("/usr/bin/sh".into()));
        assert_eq!(resolved(b"out"), Ok("/usr/bin".into()));
        assert_eq!(resolved(b"usr/up/../x"), Ok("/usr/x".into()));
        assert_eq!(resolved(b"../../etc"), Ok("/etc".into()));
        assert_eq!(resolved(b"loop/x"), Err(LinkLoop));
        assert_eq!(tree.resolve_parent(b"bin").unwrap(), b"bin");
    }

    #[test]
    fn below_keeps_to_the_directory() {
        let mut tree = Tree::default();
        for path in ["a", "a/b", "a/b/c", "a-b", "a.b"] {
            tree.put(path.into(), Node::directory(0));
        }
        let paths: Vec<_> = tree.below(b"a").map(|(path, _)| path).collect();
        assert_eq!(paths, [&b"a/b"[..], b"a/b/c"]);
        assert_eq!(tree.below(b"").count(), 5);
        tree.put(b"a".to_vec(), link("x"));
        assert_eq!(tree.below(b"a").count(), 0);
    }
}
