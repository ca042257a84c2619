//! Commands that name images: tag, push, pull, run, inspect, remove.

use crate::shell::Call;
use crate::symbolic::Text;

use super::super::facts::{FactKind, Need, Origin};
use super::super::machine::Script;
use super::super::scanner::{asked_for_digest, names_digest};
use super::arguments::{Arguments, OTHER_SWITCHES, RUN_SWITCHES};

pub(super) fn tag(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let [source, target] = words else { return };
    script.fact(
        FactKind::Named(source.clone(), Need::Local, "docker tag".into()),
        call,
    );
    script.fact(
        FactKind::Present(target.clone(), Origin::Tagged(source.clone())),
        call,
    );
}

pub(super) fn push(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &[]);
    let all = arguments.has(&["-a", "--all-tags"]);
    for reference in arguments.positional {
        if !all {
            script.fact(
                FactKind::Named(reference.clone(), Need::Local, "docker push".into()),
                call,
            );
        }
        script.fact(FactKind::Pushed(reference), call);
    }
}

pub(super) fn pull(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &[]);
    for reference in arguments.positional {
        script.fact(
            FactKind::Named(reference.clone(), Need::Remote, "docker pull".into()),
            call,
        );
        script.present_on_success(reference, call);
    }
}

pub(super) fn run(script: &mut Script<'_, '_>, call: &Call, words: &[Text], verb: &str) {
    let arguments = Arguments::read(words, RUN_SWITCHES, &["-e"]);
    if arguments.uncertain {
        return;
    }
    let never = arguments.flags.iter().any(|(name, value)| {
        name == "--pull" && value.as_ref().and_then(Text::as_literal) == Some("never")
    });
    if let Some(reference) = arguments.positional.first() {
        let need = if never {
            Need::Local
        } else {
            Need::LocalOrRemote
        };
        script.fact(
            FactKind::Named(reference.clone(), need, format!("docker {verb}")),
            call,
        );
    }
    // A container can write what is mounted into it.
    let mounts = arguments
        .flags
        .iter()
        .any(|(name, _)| matches!(name.as_str(), "-v" | "--volume" | "--mount"));
    let socket = arguments.flags.iter().any(|(_, value)| {
        value
            .as_ref()
            .is_some_and(|value| value.contains("docker.sock"))
    });
    if mounts {
        let (condition, place) = (script.when(&call.condition), script.place(call.span));
        let step = script.step;
        script.walk.mark_files_opaque(
            step,
            &condition,
            &place,
            "a container with a mounted directory",
        );
    }
    if socket {
        script.fact(
            FactKind::DaemonOpaque("a container that talks to the daemon".into()),
            call,
        );
    }
}

pub(super) fn named(script: &mut Script<'_, '_>, call: &Call, words: &[Text], verb: &str) {
    let arguments = Arguments::read(
        words,
        &[
            "-s",
            "--size",
            "-H",
            "--human",
            "--no-trunc",
            "-q",
            "--quiet",
        ],
        &[],
    );
    for reference in arguments.positional {
        script.fact(
            FactKind::Named(reference.clone(), Need::Local, format!("docker {verb}")),
            call,
        );
        if call.tolerated {
            // A script that asks first goes on knowing the answer.
            script.present_on_success(reference, call);
        }
    }
}

pub(super) fn removed(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &[]);
    for reference in arguments.positional {
        script.fact(FactKind::Removed(Some(reference)), call);
    }
}

/// `docker inspect --format '{{index .RepoDigests 0}}' NAME` of an image that was pulled by its tag: what was pushed from here
/// has its own digest.
pub(super) fn asks_for_digest(script: &Script<'_, '_>, words: &[Text]) -> bool {
    let named = words.last();
    let came = script
        .walk
        .trace
        .facts
        .iter()
        .rev()
        .find_map(|fact| match &fact.kind {
            FactKind::Present(name, origin) if Some(name) == named => Some(origin),
            _ => None,
        });
    words.iter().any(|word| word.contains(".RepoDigests")) && came == Some(&Origin::Pulled)
}

/// `docker buildx imagetools create | inspect`: manifests in a registry.
pub(super) fn imagetools(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let Some((verb, rest)) = words.split_first() else {
        return;
    };
    // What is asked for a value in `$( ... )` is asked for the digest, by a format, a pipe or as the whole.
    if verb.as_literal() == Some("inspect") && (call.asked || names_digest(rest)) {
        return asked_for_digest(script, rest, &["--raw"], call);
    }
    let arguments = Arguments::read(
        rest,
        &["--raw", "--append", "--dry-run", "--prefer-index"],
        &[],
    );
    for reference in arguments.values(&["-t", "--tag"]) {
        script.fact(FactKind::Pushed(reference.clone()), call);
    }
    let named = arguments.values(&["-t", "--tag"]).next().is_some();
    for reference in &arguments.positional {
        // Where no name is given, what is not known can hold `-t` with one.
        if !named && reference.as_symbol().is_some() {
            script.fact(FactKind::Pushed(reference.clone()), call);
        }
        let verb = verb.as_literal().unwrap_or_default();
        let by = format!("docker buildx imagetools {verb}");
        script.fact(FactKind::Named(reference.clone(), Need::Remote, by), call);
    }
}

/// `docker manifest create LIST MEMBER...` and `docker manifest push LIST`.
pub(super) fn manifest(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let Some((verb, rest)) = words.split_first() else {
        return;
    };
    let switches = ["--amend", "-a", "--insecure", "--purge", "-p", "--all"];
    let arguments = Arguments::read(rest, &switches, &[]);
    let mut names = arguments.positional.into_iter();
    match verb.as_literal() {
        Some("create") => {
            for member in names.skip(1) {
                let by = "docker manifest create".to_owned();
                script.fact(FactKind::Named(member, Need::Remote, by), call);
            }
        }
        Some("push") => {
            if let Some(list) = names.next() {
                script.fact(FactKind::Pushed(list), call);
            }
        }
        _ => {}
    }
}
