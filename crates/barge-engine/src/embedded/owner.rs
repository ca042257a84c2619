//! `--chown`: numbers as they are, names by the image's own `/etc/passwd` and `/etc/group`.

use super::tree::{NodeKind, Tree};

/// Larger account files than this are not read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

/// Resolves `user`, `user:group`, by names or numbers.
pub(super) fn resolve(text: &str, tree: &Tree) -> Result<(u64, u64), String> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    if text.is_empty() || group == Some("") {
        return Err(format!("`--chown={text}` is not `USER` or `USER:GROUP`"));
    }
    let (uid, primary) = match number(user) {
        Some(uid) => (uid, uid),
        // A group alone leaves the user at root.
        None if user.is_empty() => (0, 0),
        None => by_name(tree, b"etc/passwd", user)?,
    };
    let gid = match group {
        None => primary,
        Some(group) => match number(group) {
            Some(gid) => gid,
            None => by_name(tree, b"etc/group", group)?.0,
        },
    };
    Ok((uid, gid))
}

fn number(text: &str) -> Option<u64> {
    text.parse::<u32>().ok().map(u64::from)
}

/// The two numbers of an account line; of a group's the second is meaningless.
fn by_name(tree: &Tree, file: &[u8], name: &str) -> Result<(u64, u64), String> {
    let shown = format!("/{}", String::from_utf8_lossy(file));
    let missing = || format!("`{name}` is not in `{shown}` of the image");
    let path = tree.resolve(file).map_err(|_| missing())?;
    let Some(NodeKind::File { size, content }) = tree.get(&path).map(|node| &node.kind) else {
        return Err(format!("`{name}` is a name and the image has no `{shown}`"));
    };
    let bytes = content
        .read(*size, FILE_LIMIT)
        .map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    for fields in fields {
        if let [found, _, id, rest @ ..] = &fields[..]
            && *found == name
            && let Some(id) = number(id)
        {
            let primary = rest.first().and_then(|gid| number(gid)).unwrap_or(id);
            return Ok((id, primary));
        }
    }
    Err(missing())
}

#[cfg(test)]
mod tests {
    use super::super::content::Content;
    use super::super::tree::Node;
    use super::*;

    fn file(text: &str) -> Node {
        Node {
            kind: NodeKind::File {
                size: text.len() as u64,
                content: Content::Memory(text.as_bytes().into()),
            },
            ..Node::directory(0)
        }
    }

    #[test]
    fn resolves_numbers_and_names() {
        let mut tree = Tree::default();
        assert_eq!(resolve("5", &tree), Ok((5, 5)));
        assert_eq!(resolve("5:6", &tree), Ok((5, 6)));
        assert!(resolve("app", &tree).is_err());
        tree.put(
            b"etc/passwd".to_vec(),
            file("root:x:0:0::/:/bin/sh\napp:x:100:101::/:\nbroken\n"),
        );
        tree.put(b"etc/group".to_vec(), file("web:x:33:\n"));
        assert_eq!(resolve("app", &tree), Ok((100, 101)));
        assert_eq!(resolve("app:web", &tree), Ok((100, 33)));
        assert_eq!(resolve("7:web", &tree), Ok((7, 33)));
        assert_eq!(resolve(":web", &tree), Ok((0, 33)));
        for text in ["nobody", "app:nogroup", "", "1:", ":", "-1"] {
            assert!(resolve(text, &tree).is_err(), "{text}");
        }
    }
}
