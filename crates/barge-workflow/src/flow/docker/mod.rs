//! The docker command line.

mod archive;
mod arguments;
mod bake;
mod build;
mod image;

use crate::shell::{Call, Output};
use crate::symbolic::{Condition, Text};

pub(super) use self::arguments::{Arguments, OTHER_SWITCHES, literal};
pub(super) use self::bake::{Baking, compose, deliver_target};
pub(super) use self::build::{OutputTarget, Recipe, deliver, platforms};
use super::facts::FactKind;
use super::machine::{Script, flag_value};
use super::scanner;

/// Interprets a call of docker.
pub(super) fn call(script: &mut Script<'_, '_>, call: &Call, arguments: &[Text]) -> Output {
    let mut words: Vec<Text> = arguments.to_vec();
    // Flags of docker itself.
    while words
        .first()
        .is_some_and(|word| word.literal_start().starts_with('-'))
    {
        let switch = words.first().is_some_and(|word| {
            matches!(
                word.as_literal(),
                Some("--debug" | "-D" | "--tls" | "--tlsverify")
            ) || word.contains("=")
        });
        words.drain(..if switch { 1 } else { 2.min(words.len()) });
    }
    let name = |at: usize| literal(&words, at);
    let mut rest = words.get(1..).unwrap_or_default();
    let mut verb = name(0);
    // `docker image save` is `docker save`; `docker inspect` alone may be about a container.
    if matches!(verb, "image" | "container" | "builder" | "buildx") {
        rest = words.get(2..).unwrap_or_default();
        verb = match (verb, name(1)) {
            ("buildx", "build" | "b") => "buildx build",
            ("buildx", "create") => "buildx create",
            ("buildx", "use") => "buildx use",
            ("buildx", "bake") => "bake",
            ("buildx", "imagetools") => "imagetools",
            ("buildx", _) | ("builder", "prune") => return Output::Nothing,
            ("image", "inspect") => "image inspect",
            ("image", "rm") => "rmi",
            (_, inner) => inner,
        };
    }
    command(script, call, verb, rest)
}

/// One of docker's commands, which podman has under the same names.
pub(super) fn command(
    script: &mut Script<'_, '_>,
    call: &Call,
    verb: &str,
    rest: &[Text],
) -> Output {
    match verb {
        "build" => build::build(script, call, rest, false),
        "buildx build" => build::build(script, call, rest, true),
        "buildx create" if rest.iter().any(|word| word.as_literal() == Some("--use")) => {
            let driver = flag_value(rest, &["--driver"]);
            if driver.is_none_or(|driver| driver.as_literal() != Some("docker")) {
                let here = script.when(&call.condition);
                script.walk.own_builder = script.walk.own_builder.or(&here);
            }
        }
        "buildx use" => script.walk.own_builder = Condition::Always,
        "bake" => bake::bake(script, call, rest),
        "compose" => bake::compose(script, call, rest),
        "stack" => script.fact(FactKind::DaemonOpaque("a compose file".into()), call),
        "scout" => scout(script, call, rest),
        "imagetools" => image::imagetools(script, call, rest),
        "manifest" => image::manifest(script, call, rest),
        "save" => return archive::save(script, call, rest),
        "export" => return archive::export(script, call, rest),
        "load" => archive::load(script, call, rest),
        "import" | "commit" => archive::imported(script, call, rest),
        "tag" => image::tag(script, call, rest),
        "push" => image::push(script, call, rest),
        "pull" => image::pull(script, call, rest),
        "run" | "create" => image::run(script, call, rest, verb),
        "inspect" | "image inspect" if image::asks_for_digest(script, rest) => {
            scanner::asked_for_digest(script, rest, &["--type=image"], call);
        }
        "image inspect" | "history" => image::named(script, call, rest, "inspect"),
        "inspect" if has_word(rest, &["--type=image"]) => {
            image::named(script, call, rest, "inspect");
        }
        "rmi" => image::removed(script, call, rest),
        "prune" | "system" if has_word(rest, &["-a", "--all", "-af", "-fa"]) => {
            script.fact(FactKind::Removed(None), call);
        }
        _ => {}
    }
    Output::Nothing
}

fn has_word(words: &[Text], wanted: &[&str]) -> bool {
    let mut literals = words.iter().filter_map(Text::as_literal);
    literals.any(|word| wanted.contains(&word))
}

/// `docker scout cves NAME`
fn scout(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let scans = ["cves", "quickview", "recommendations", "sbom", "compare"];
    if has_word(words.get(..1).unwrap_or_default(), &scans) {
        let rest = words.get(1..).unwrap_or_default();
        scanner::scanned(script, "docker scout", rest, call);
    }
}
