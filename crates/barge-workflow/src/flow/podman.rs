//! The command lines of podman and buildah, which keep images in a store of their own.

use crate::shell::{Call, Output};
use crate::symbolic::{Condition, Text};

use super::docker::{self, Arguments};
use super::facts::{FactKind, Need, Origin, Store};
use super::machine::Script;
use super::scanner;

/// Interprets a call of podman or buildah.
pub(super) fn call(
    script: &mut Script<'_, '_>,
    call: &Call,
    program: &str,
    arguments: &[Text],
) -> Output {
    let builder = std::mem::replace(&mut script.walk.own_builder, Condition::Never);
    script.walk.store = Store::Podman;
    let output = command(script, call, program, arguments);
    script.walk.store = Store::Docker;
    script.walk.own_builder = builder;
    output
}

fn command(script: &mut Script<'_, '_>, call: &Call, program: &str, arguments: &[Text]) -> Output {
    let word = |at: usize| {
        arguments
            .get(at)
            .and_then(Text::as_literal)
            .unwrap_or_default()
    };
    let (verb, rest) = match (word(0), word(1)) {
        ("image", "rm") => ("rmi", 2),
        ("image", "inspect") => ("image inspect", 2),
        ("image", inner) => (inner, 2),
        ("bud", _) => ("build", 1),
        (verb, _) => (verb, 1),
    };
    let rest = arguments.get(rest..).unwrap_or_default();
    match verb {
        "push" => push(script, call, rest),
        "pull" => pull(script, call, rest),
        "commit" if program == "buildah" => committed(script, call, rest),
        "load" if !names_file(rest) => {
            script.fact(FactKind::DaemonOpaque(format!("`{program} load`")), call);
        }
        "build" | "save" | "load" | "tag" | "run" | "create" | "image inspect" | "history"
        | "rmi" | "commit" | "import" => return docker::command(script, call, verb, rest),
        "login" | "logout" | "version" | "--version" | "info" | "images" | "ps" | "logs" | "rm"
        | "stop" | "start" | "kill" | "wait" | "exec" | "cp" | "inspect" | "exists" | "ls"
        | "network" | "volume" | "port" | "system" => {}
        _ => script.opaque_call(call, &format!("`{program} {verb}`")),
    }
    Output::Nothing
}

/// `podman load` that is given its archive by a flag, as docker has it.
fn names_file(words: &[Text]) -> bool {
    let arguments = Arguments::read(words, &["-q", "--quiet"], &[]);
    arguments.positional.is_empty()
}

/// `podman push NAME [TRANSPORT:DESTINATION]`.
fn push(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, docker::OTHER_SWITCHES, &[]);
    let Some(name) = arguments.positional.first() else {
        return;
    };
    let by = "podman push".to_owned();
    script.fact(FactKind::Named(name.clone(), Need::Local, by), call);
    let target = arguments.positional.get(1).unwrap_or(name);
    if let Some(name) = target.strip_start("docker-daemon:") {
        script.walk.store = Store::Docker;
        script.fact(FactKind::Present(name, Origin::Pulled), call);
    } else if let Some(name) = target.strip_start("docker://") {
        script.fact(FactKind::Pushed(name), call);
    } else if !is_file(target) {
        script.fact(FactKind::Pushed(target.clone()), call);
    } else if let Some((transport, path)) = target.split_first(':') {
        scanner::transported(script, transport.as_literal(), &path, call);
    }
}

fn is_file(target: &Text) -> bool {
    [
        "dir:",
        "oci:",
        "oci-archive:",
        "docker-archive:",
        "containers-storage:",
    ]
    .iter()
    .any(|transport| target.literal_start().starts_with(transport))
}

/// `podman pull [TRANSPORT:]NAME`.
fn pull(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, docker::OTHER_SWITCHES, &[]);
    for name in arguments.positional {
        if is_file(&name) {
            let reason = "`podman pull` of an archive".to_owned();
            script.fact(FactKind::DaemonOpaque(reason), call);
            continue;
        }
        let name = ["docker-daemon:", "docker://"]
            .iter()
            .find_map(|transport| name.strip_start(transport))
            .unwrap_or(name);
        script.present_on_success(name, call);
    }
}

/// `buildah commit CONTAINER NAME`.
fn committed(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, docker::OTHER_SWITCHES, &["--rm"]);
    if let Some(name) = arguments.positional.get(1) {
        script.fact(FactKind::Present(name.clone(), Origin::Built), call);
    }
}
