//! The workflow files of a checkout, or of many, and the repository they stand in.

use std::fs::{self, File};
use std::io::{self, Read as _};

use barge_workflow::{Repository, Source};
use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::Error;

/// Folders deeper than this below the given one are not searched for checkouts.
const DEPTH_LIMIT: usize = 6;
/// Workflows are smaller; a larger file is no workflow.
const SIZE_LIMIT: u64 = 4 << 20;

/// One workflow file.
#[derive(Debug, Clone)]
pub(crate) struct WorkflowFile {
    /// Where it lies.
    pub(crate) path: Utf8PathBuf,
    /// The path that people see, relative to where they are.
    pub(crate) shown: String,
    /// The checkout's root.
    pub(crate) root: Utf8PathBuf,
    /// Somebody gave its path; else it was found below a folder, and may not lead out of its checkout.
    named: bool,
}

/// The files of a checkout, read when a workflow refers to them.
#[derive(Debug)]
pub(crate) struct Checkout<'a> {
    root: &'a Utf8Path,
    /// What people see before the paths of its files.
    prefix: &'a str,
}

impl WorkflowFile {
    /// The checkout that the file stands in.
    pub(crate) fn checkout(&self) -> Checkout<'_> {
        let inside = self.path.strip_prefix(&self.root).ok();
        let prefix = inside.and_then(|inside| self.shown.strip_suffix(inside.as_str()));
        Checkout {
            root: &self.root,
            prefix: prefix.unwrap_or_default(),
        }
    }

    /// Its text; why not, when it cannot be had.
    pub(crate) fn read(&self) -> Result<String, String> {
        if !self.named && !leads_inside(&self.root, &self.path) {
            return Err("it is a link that leads out of the checkout".into());
        }
        read_bounded(&self.path)
    }
}

impl<'a> Checkout<'a> {
    pub(crate) fn new(root: &'a Utf8Path) -> Self {
        Self { root, prefix: "" }
    }

    /// A path inside the checkout; nothing for one that leads out of it.
    fn inside(&self, path: &str) -> Option<Utf8PathBuf> {
        let path = Utf8Path::new(path);
        let plain = path.components().all(|part| {
            matches!(
                part,
                camino::Utf8Component::Normal(_) | camino::Utf8Component::CurDir
            )
        });
        let file = self.root.join(path);
        (plain && leads_inside(self.root, &file)).then_some(file)
    }

    /// `owner/name` of the remote `origin`, when that is on GitHub.
    pub(crate) fn remote(&self) -> Option<String> {
        let config = read_bounded(&self.root.join(".git/config")).ok()?;
        let origin = config.split_once("[remote \"origin\"]")?.1;
        let section = origin.split("\n[").next()?;
        let url = section
            .lines()
            .find_map(|line| line.trim().strip_prefix("url = "))?;
        let (_, path) = url.split_once("github.com")?;
        let path = path.trim_start_matches([':', '/']).trim_end_matches(".git");
        (path.split('/').count() == 2).then(|| path.to_owned())
    }
}

/// A regular file's text, without its byte order mark; why not, when it cannot be had.
pub(crate) fn read_bounded(path: &Utf8Path) -> Result<String, String> {
    let bytes = bounded_bytes(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn bounded_bytes(path: &Utf8Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened, too: opening a pipe waits for somebody who writes.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        let reason = format!("more than {SIZE_LIMIT} bytes are too many for a workflow");
        return Err(io::Error::other(reason));
    }
    Ok(bytes)
}

/// Says whether a file is there and, with all links followed, below a folder.
fn leads_inside(root: &Utf8Path, file: &Utf8Path) -> bool {
    let root = if root.as_str().is_empty() {
        Utf8Path::new(".")
    } else {
        root
    };
    let (root, file) = (root.canonicalize(), file.canonicalize());
    root.ok()
        .zip(file.ok())
        .is_some_and(|(root, file)| file.starts_with(root))
}

impl Repository for Checkout<'_> {
    fn read(&self, path: &str) -> Option<Source> {
        let text = read_bounded(&self.inside(path)?).ok()?;
        Some(Source::new(&format!("{}{path}", self.prefix), &text))
    }

    fn exists(&self, path: &str) -> bool {
        self.inside(path).is_some_and(|file| file.exists())
    }
}

/// The files that the arguments mean: files as they are, folders with all checkouts below them.
pub(crate) fn find(context: &Context, paths: &[Utf8PathBuf]) -> Result<Vec<WorkflowFile>, Error> {
    let mut files = Vec::new();
    let here = [Utf8PathBuf::new()];
    for path in if paths.is_empty() { &here } else { paths } {
        let full = context.folder.join(path);
        let kind = fs::metadata(&full).map_err(|source| Error::File {
            action: "find",
            path: full.clone(),
            source,
        })?;
        if kind.is_dir() {
            folder(&full, path, 0, &mut files);
        } else {
            files.push(WorkflowFile {
                root: root_of(&full),
                shown: path.to_string(),
                path: full,
                named: true,
            });
        }
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn folder(full: &Utf8Path, shown: &Utf8Path, depth: usize, files: &mut Vec<WorkflowFile>) {
    let workflows = full.join(".github/workflows");
    if workflows.is_dir() {
        for path in entries(&workflows) {
            if matches!(path.extension(), Some("yml" | "yaml")) && !path.is_dir() {
                let name = path.file_name().unwrap_or_default();
                let shown = shown.join(".github/workflows").join(name).to_string();
                files.push(WorkflowFile {
                    shown,
                    root: full.to_owned(),
                    path,
                    named: false,
                });
            }
        }
        return;
    }
    if full.file_name() == Some("workflows") {
        for path in entries(full)
            .into_iter()
            .filter(|path| matches!(path.extension(), Some("yml" | "yaml")))
        {
            let shown = shown.join(path.file_name().unwrap_or_default()).to_string();
            files.push(WorkflowFile {
                shown,
                root: root_of(&path),
                path,
                named: false,
            });
        }
        return;
    }
    if depth >= DEPTH_LIMIT {
        return;
    }
    for path in entries(full) {
        let name = path.file_name().unwrap_or_default().to_owned();
        // Links could lead in circles; dependencies are not the repository's own.
        let skipped =
            name.starts_with('.') || matches!(name.as_str(), "node_modules" | "target" | "vendor");
        if !skipped && path.is_dir() && !path.is_symlink() {
            folder(&path, &shown.join(&name), depth + 1, files);
        }
    }
}

fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(read) = folder.read_dir_utf8() else {
        return Vec::new();
    };
    let mut entries: Vec<Utf8PathBuf> = read
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    entries.sort();
    entries
}

/// The folder above `.github`, else the file's own.
pub(crate) fn root_of(file: &Utf8Path) -> Utf8PathBuf {
    let above = file
        .ancestors()
        .find(|folder| folder.file_name() == Some(".github"));
    above
        .and_then(Utf8Path::parent)
        .or_else(|| file.parent())
        .map(Utf8Path::to_owned)
        .unwrap_or_default()
}
