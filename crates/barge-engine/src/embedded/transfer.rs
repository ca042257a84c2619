//! `COPY` and `ADD` in a build: what they name, where it goes, what the history says.

use std::sync::Arc;

use super::add;
use super::context::Context;
use super::copy::{self, Changes, Failure, Options, Target};
use super::error::{Engines, Error, Refusal};
use super::execute::{Execution, Present, absolute, base_error, fails, failure};
use super::ignore::Ignore;
use super::plan::{is_remote, octal};
use super::stage::{NewLayer, Stage};
use super::tree::{NodeKind, Tree};
use super::{owner, path};
use crate::dockerfile::{Heredoc, Transfer, expand};

/// Where things are copied from.
enum Source {
    Context(Arc<Context>),
    Tree(Arc<Tree>),
}

impl Source {
    fn tree(&self) -> &Tree {
        match self {
            Self::Context(context) => &context.tree,
            Self::Tree(tree) => tree,
        }
    }
}

/// An instruction with its words expanded.
struct Words {
    sources: Vec<String>,
    heredocs: Vec<(String, String)>,
    destination: String,
    chown: Option<String>,
    chmod: Option<String>,
    exclude: Vec<String>,
}

impl Words {
    /// Whether the destination is a directory whatever lies there.
    fn is_into_directory(&self) -> bool {
        self.destination.is_empty() || self.destination == "." || self.destination.ends_with('/')
    }
}

impl Execution<'_> {
    pub(super) fn transfer(
        &mut self,
        stage: &mut Stage,
        present: &Present<'_>,
        transfer: &Transfer,
        is_add: bool,
    ) -> Result<(), Error> {
        let place = &present.place;
        let words = self.words(stage, present, transfer)?;
        let source = match &transfer.from {
            Some(from) => Source::Tree(self.source(present, from)?),
            None if transfer.sources.is_empty() => Source::Tree(Arc::default()),
            None => Source::Context(self.context()?),
        };
        let into = words.is_into_directory();
        if words.sources.len() + words.heredocs.len() > 1 && !into {
            let reason =
                "with several sources the destination must be a directory and end with `/`";
            return Err(fails(place, reason.into()));
        }
        let destination = path::clean(absolute(&stage.config, &words.destination).as_bytes());
        let created = self.created_seconds();
        let tree = stage.tree().map_err(|source| base_error(place, source))?;
        let options = options(&words, tree).map_err(|reason| fails(place, reason))?;
        if transfer.link {
            refuse_linked_destination(tree, &destination).map_err(|reason| fails(place, reason))?;
        }
        let mut target = Target {
            tree: Arc::make_mut(tree),
            changes: Changes::new(),
            created,
        };
        let bring = if is_add { add_one } else { copy_one };
        for name in &words.sources {
            bring(
                &mut target,
                source.tree(),
                name,
                &destination,
                into,
                &options,
            )
            .map_err(|error| failure(place, explained(error, &source, name)))?;
        }
        for (name, content) in words.heredocs.iter().cloned() {
            let mut inline = Tree::default();
            inline.put(path::clean(name.as_bytes()), add::inline(content, created));
            let copied = target.copy(&inline, &name, &destination, into, &options);
            copied.map_err(|error| failure(place, error))?;
        }
        let layer = NewLayer {
            place: place.clone(),
            changes: target.finish(),
        };
        stage.add_layer(noted(&words, is_add), self.created(), layer);
        Ok(())
    }

    fn words(
        &self,
        stage: &Stage,
        present: &Present<'_>,
        transfer: &Transfer,
    ) -> Result<Words, Error> {
        let place = &present.place;
        let word = |text: &String| self.word(stage, place, text);
        let sources = transfer
            .sources
            .iter()
            .map(word)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(remote) = sources.iter().find(|source| is_remote(source)) {
            return Err(Error::Refused(vec![Refusal {
                place: place.clone(),
                reason: format!("fetches nothing, and `{remote}` is remote"),
                engines: Engines::Any,
            }]));
        }
        let heredoc = |doc: &Heredoc| {
            let content = if doc.expand {
                let lookup = |name: &str| stage.variable(name);
                expand::heredoc(&doc.content, self.plan.dockerfile.escape, &lookup)
                    .map_err(|error| fails(place, error.to_string()))?
            } else {
                doc.content.clone()
            };
            Ok((doc.name.clone(), content))
        };
        Ok(Words {
            sources,
            heredocs: transfer
                .heredocs
                .iter()
                .map(heredoc)
                .collect::<Result<_, Error>>()?,
            destination: word(&transfer.destination)?,
            chown: transfer.chown.as_ref().map(word).transpose()?,
            chmod: transfer.chmod.as_ref().map(word).transpose()?,
            exclude: transfer
                .exclude
                .iter()
                .map(word)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn options(words: &Words, tree: &Tree) -> Result<Options, String> {
    let owner = words
        .chown
        .as_ref()
        .map(|text| owner::resolve(text, tree))
        .transpose()?;
    let mode = match &words.chmod {
        None => None,
        Some(text) => {
            Some(octal(text).ok_or_else(|| format!("`--chmod={text}` is not octal, 0 to 7777"))?)
        }
    };
    let exclude = Ignore::of(&words.exclude)
        .map_err(|pattern| format!("`--exclude={pattern}` is not a pattern"))?;
    Ok(Options {
        owner,
        mode,
        exclude,
    })
}

/// `--link` copies into a layer of its own, which knows no links of the image: where there are some, the result differs.
fn refuse_linked_destination(tree: &Tree, destination: &[u8]) -> Result<(), String> {
    match tree.resolve(destination) {
        Ok(resolved) if resolved == destination => Ok(()),
        _ => Err(format!(
            "`--link` does not follow the symbolic links of the image, and `{}` leads through one",
            path::shown(destination)
        )),
    }
}

fn copy_one(
    target: &mut Target<'_>,
    source: &Tree,
    name: &str,
    destination: &[u8],
    into: bool,
    options: &Options,
) -> Result<(), Failure> {
    target.copy(source, name, destination, into, options)
}

/// Archives are unpacked, everything else is copied.
fn add_one(
    target: &mut Target<'_>,
    source: &Tree,
    name: &str,
    destination: &[u8],
    into: bool,
    options: &Options,
) -> Result<(), Failure> {
    for path in copy::sources(source, name)? {
        let resolved = source.resolve(&path)?;
        let shown = String::from_utf8_lossy(&path).into_owned();
        let plain = match source.get(&resolved).map(|node| &node.kind) {
            Some(NodeKind::File { size, content }) => add::archive(&shown, content, *size)?,
            _ => None,
        };
        match plain {
            Some(_)
                if options.owner.is_some()
                    || options.mode.is_some()
                    || !options.exclude.is_empty() =>
            {
                let reason = format!(
                    "builders differ in what `--chown`, `--chmod` and `--exclude` do to the contents of the archive `{shown}`"
                );
                let hint = Some("unpack it before the build and `COPY` the folder".into());
                return Err(Failure { reason, hint });
            }
            Some(plain) => target.unpack(&shown, &plain, destination)?,
            None => target.copy_path(source, &path, destination, into, options)?,
        }
    }
    Ok(())
}

/// Says why a source is not there when the ignore file is the reason.
fn explained(mut failure: Failure, source: &Source, name: &str) -> Failure {
    if let Source::Context(context) = source
        && failure.hint.is_none()
        && context.hides(&path::clean(name.as_bytes()))
    {
        failure.hint = Some(format!("the ignore file of the build takes `{name}` away"));
    }
    failure
}

fn noted(words: &Words, is_add: bool) -> String {
    let mut text = String::from(if is_add { "ADD" } else { "COPY" });
    let chown = words.chown.iter().map(|owner| format!("--chown={owner}"));
    let chmod = words.chmod.iter().map(|mode| format!("--chmod={mode}"));
    let heredocs = words.heredocs.iter().map(|(name, _)| format!("<<{name}"));
    let parts = chown
        .chain(chmod)
        .chain(words.sources.iter().cloned())
        .chain(heredocs);
    for part in parts.chain([words.destination.clone()]) {
        text.push(' ');
        text.push_str(&part);
    }
    text
}
