//! Programs that copy and tag images from registry to registry: crane, regctl, oras.

use crate::shell::Call;
use crate::symbolic::Text;

use super::docker::Arguments;
use super::facts::{FactKind, FileUse, Need};
use super::machine::Script;

const SWITCHES: &[&str] = &[
    "--all-tags",
    "-a",
    "--digest-tags",
    "--force-recursive",
    "--include-external",
    "--insecure",
    "--no-clobber",
    "--plain-http",
    "--recursive",
    "--referrers",
    "-r",
    "-v",
    "--verbose",
];

/// Interprets a call; says whether the program was one of these and does something to images.
pub(super) fn call(
    script: &mut Script<'_, '_>,
    program: &str,
    arguments: &[Text],
    call: &Call,
) -> bool {
    let word = |at: usize| {
        arguments
            .get(at)
            .and_then(Text::as_literal)
            .unwrap_or_default()
    };
    let rest = |from: usize| {
        let words = arguments.get(from..).unwrap_or_default();
        Arguments::read(words, SWITCHES, &[]).positional
    };
    match (program, word(0), word(1)) {
        ("crane" | "gcrane", "copy" | "cp", _) | ("oras", "copy" | "cp", _) => {
            copied(script, program, &rest(1), call);
        }
        ("regctl", "image", "copy" | "cp") => copied(script, program, &rest(2), call),
        ("crane", "tag", _) => retagged(script, &rest(1), call),
        ("crane", "push", _) => pushed(script, &rest(1), call),
        ("crane", "index" | "mutate" | "append", _) | ("regctl", "index", _) => {
            let words = arguments.get(1..).unwrap_or_default();
            let given = Arguments::read(words, SWITCHES, &[]);
            for name in given.values(&["-t", "--tag", "--new_tag"]) {
                script.fact(FactKind::Pushed(name.clone()), call);
            }
        }
        _ => return false,
    }
    true
}

fn copied(script: &mut Script<'_, '_>, by: &str, names: &[Text], call: &Call) {
    let [source, target, ..] = names else {
        return;
    };
    let kind = FactKind::Named(source.clone(), Need::Remote, format!("{by} copy"));
    script.fact(kind, call);
    script.fact(FactKind::Pushed(target.clone()), call);
    // `oras cp NAME REPOSITORY:TAG,TAG`
    if let Some((name, tags)) = target.split_last(':') {
        for tag in tags.split(|c| c == ',').iter().skip(1) {
            let mut further = name.clone();
            further.push_str(":");
            further.append(tag);
            script.fact(FactKind::Pushed(further), call);
        }
    }
}

/// `crane tag NAME TAG`
fn retagged(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let [name, tag] = words else { return };
    let kind = FactKind::Named(name.clone(), Need::Remote, "crane tag".into());
    script.fact(kind, call);
    let repository = match name.split_first('@') {
        Some((repository, _)) => repository,
        None => match name.split_last(':') {
            Some((repository, tag)) if !tag.contains("/") => repository,
            _ => name.clone(),
        },
    };
    let mut target = repository;
    target.push_str(":");
    target.append(tag);
    script.fact(FactKind::Pushed(target), call);
}

/// `crane push ARCHIVE NAME`
fn pushed(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let [file, name] = words else { return };
    script.read(file, FileUse::Load, call);
    script.fact(FactKind::Pushed(name.clone()), call);
}
