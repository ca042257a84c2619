//! The state of a git checkout as an event: what a run on a laptop works with.

use std::collections::BTreeMap;

use super::{Event, EventError, Forge, GitReference, Repository, Trigger};
use crate::git::Git;

impl Event {
    /// Reads an event from the checkout that `git` works in; `folder` names the repository when it has no remote.
    ///
    /// # Errors
    /// When there is no repository or it has no commit.
    pub fn from_checkout(git: &dyn Git, folder: &str) -> Result<Self, EventError> {
        let commit: super::CommitId = git
            .run(&["rev-parse", "--verify", "HEAD^{commit}"])?
            .parse()?;
        let message = git.run(&["log", "-1", "--format=%B"])?;
        Ok(Self {
            forge: Forge::Local,
            trigger: Trigger::Checkout,
            name: "checkout".into(),
            repository: repository(git, folder),
            reference: reference(git),
            head: commit.clone(),
            commit,
            message: Some(message).filter(|message| !message.is_empty()),
            pull_request: None,
            actor: None,
            previous: None,
            changed_files: None,
            upstream: None,
            inputs: BTreeMap::new(),
            run: None,
        })
    }
}

/// The branch, or on a detached head the one tag that names the commit.
fn reference(git: &dyn Git) -> Option<GitReference> {
    if let Ok(branch) = git.run(&["symbolic-ref", "--quiet", "HEAD"]) {
        return branch.parse().ok();
    }
    let tags = git.run(&["tag", "--points-at", "HEAD"]).ok()?;
    let mut tags = tags.lines();
    match (tags.next(), tags.next()) {
        (Some(tag), None) if !tag.is_empty() => Some(GitReference::Tag(tag.to_owned())),
        _ => None,
    }
}

fn repository(git: &dyn Git, folder: &str) -> Repository {
    let remote = git.run(&["remote", "get-url", "origin"]).ok();
    let path = remote.as_deref().and_then(repository_path);
    let (owner, name) = path.unwrap_or_else(|| ("local".into(), folder.to_owned()));
    Repository {
        owner,
        name,
        default_branch: default_branch(git),
        url: remote.as_deref().and_then(page),
        description: None,
        license: None,
        registry: remote.as_deref().and_then(registry),
    }
}

/// Where the forge that the remote lies at keeps images, so that a laptop gives them the names that CI does.
fn registry(remote: &str) -> Option<String> {
    let (host, path) = host_and_path(remote)?;
    match host.split(':').next()? {
        "github.com" | "ssh.github.com" => Some(format!("ghcr.io/{path}")),
        "gitlab.com" | "altssh.gitlab.com" => Some(format!("registry.gitlab.com/{path}")),
        _ => None,
    }
}

/// The remote's choice if it was cloned, else the one of the two usual names that exists.
fn default_branch(git: &dyn Git) -> Option<String> {
    let symbolic = git.run(&["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]);
    if let Some(name) = symbolic
        .ok()
        .and_then(|text| text.strip_prefix("refs/remotes/origin/").map(str::to_owned))
    {
        return Some(name);
    }
    ["main", "master"]
        .into_iter()
        .map(str::to_owned)
        .find(|name| {
            let reference = format!("refs/heads/{name}");
            git.run(&["rev-parse", "--verify", "--quiet", &reference])
                .is_ok()
        })
}

/// Owner and name from `https://host/owner/name.git`, `ssh://git@host/owner/name` or `git@host:owner/name.git`.
fn repository_path(remote: &str) -> Option<(String, String)> {
    let (_, path) = host_and_path(remote)?;
    let (owner, name) = path.rsplit_once('/')?;
    (!owner.is_empty() && !name.is_empty()).then(|| (owner.to_owned(), name.to_owned()))
}

/// The page of a repository: its host, without the port, which is that of ssh.
fn page(remote: &str) -> Option<String> {
    let (host, path) = host_and_path(remote)?;
    let is_web = remote.starts_with("http://") || remote.starts_with("https://");
    let host = match host.split_once(':') {
        Some((name, _)) if !is_web => name,
        _ => host,
    };
    Some(format!("https://{host}/{path}"))
}

fn host_and_path(remote: &str) -> Option<(&str, &str)> {
    let (authority, path) = match remote.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?,
        // The short form of ssh; a path on this machine has no colon, a slash before it, or the letter of a drive.
        None => remote
            .split_once(':')
            .filter(|(host, _)| !host.contains('/') && host.len() > 1)?,
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let path = path.trim_matches('/');
    Some((host, path.strip_suffix(".git").unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_name_owner_and_repository() {
        let path = |remote| repository_path(remote).map(|(owner, name)| format!("{owner} {name}"));
        for (remote, expected) in [
            ("https://github.com/Wikid82/Charon.git", "Wikid82 Charon"),
            (
                "https://user:token@github.com/Wikid82/Charon",
                "Wikid82 Charon",
            ),
            ("git@github.com:Wikid82/Charon.git", "Wikid82 Charon"),
            (
                "ssh://git@gitlab.example:2222/group/sub/app.git",
                "group/sub app",
            ),
        ] {
            assert_eq!(path(remote).as_deref(), Some(expected), "{remote}");
        }
        for remote in [
            "/srv/git/app.git",
            "../up",
            "file:///srv/app.git",
            "C:\\src\\app",
            "C:",
            "",
        ] {
            assert_eq!(path(remote), None, "{remote}");
        }
    }

    #[test]
    fn images_are_kept_where_the_forge_keeps_them() {
        for (remote, expected) in [
            ("git@github.com:Acme/App.git", Some("ghcr.io/Acme/App")),
            ("ssh://git@ssh.github.com:443/a/b", Some("ghcr.io/a/b")),
            (
                "https://gitlab.com/a/b/c",
                Some("registry.gitlab.com/a/b/c"),
            ),
            ("https://git.example/a/b", None),
        ] {
            assert_eq!(registry(remote).as_deref(), expected, "{remote}");
        }
    }

    #[test]
    fn a_page_never_shows_the_token_of_a_remote_or_the_port_of_ssh() {
        for (remote, expected) in [
            (
                "https://user:token@github.com/a/b.git",
                "https://github.com/a/b",
            ),
            (
                "ssh://git@host.example:2222/a/b",
                "https://host.example/a/b",
            ),
            (
                "https://host.example:8443/a/b",
                "https://host.example:8443/a/b",
            ),
        ] {
            assert_eq!(page(remote).as_deref(), Some(expected));
        }
    }
}
