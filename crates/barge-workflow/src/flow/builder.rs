//! Builders beside docker whose command line says which image they make and where it goes: buildpacks, ko, jib, and services
//! that build elsewhere.
//!
//! What a builder reads from a file of its own (an Earthfile, the rules of bazel, goreleaser's configuration) stays unknown.

use crate::shell::{Call, Machine as _};
use crate::symbolic::{Condition, Text};

use super::artifact::below;
use super::docker::{self, Arguments, Recipe, deliver, literal};
use super::facts::{Archive, Content, Delivery, Format};
use super::machine::Script;

/// What one call makes.
struct Made {
    by: &'static str,
    names: Vec<Text>,
    context: Option<Text>,
    /// It comes into the daemon.
    loads: bool,
    /// It is pushed.
    pushes: bool,
}

/// Interprets a call; says whether the program was one of these and says what it makes.
pub(super) fn call(
    script: &mut Script<'_, '_>,
    program: &str,
    arguments: &[Text],
    call: &Call,
) -> bool {
    let rest = |from: usize| arguments.get(from..).unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or(program);
    let made = match (name, literal(arguments, 0), literal(arguments, 1)) {
        ("depot", "build", _) => {
            let builder = std::mem::replace(&mut script.walk.own_builder, Condition::Always);
            docker::command(script, call, "buildx build", rest(1));
            script.walk.own_builder = builder;
            return true;
        }
        ("pack", "build", _) => pack(rest(1)),
        ("nixpacks", "build", _) => nixpacks(rest(1)),
        ("s2i", "build", _) => s2i(rest(1)),
        ("ko", "build" | "publish", _) => ko(script, rest(1), call),
        ("az", "acr", "build") => acr(rest(2)),
        ("gcloud", "builds", "submit") => cloud_build(rest(2)),
        ("mvn" | "mvnw" | "gradle" | "gradlew", _, _) => java(arguments),
        _ => None,
    };
    let Some(made) = made else {
        return false;
    };
    // What runs on the way to the image writes files of its own.
    script.opaque_files(call, &format!("`{name}`"));
    record(script, made, call);
    true
}

fn record(script: &mut Script<'_, '_>, made: Made, call: &Call) {
    let here = script.when(&call.condition);
    let when = |on: bool| if on { here.clone() } else { Condition::Never };
    let delivery = Delivery {
        to_daemon: when(made.loads),
        loads: Condition::Never,
        to_registry: when(made.pushes),
        to_file: Condition::Never,
        to_docker_archive: Condition::Never,
        platforms: vec![(Condition::Always, Some(1))],
        recipe: Recipe {
            context: made.context,
            // Two builders make two things of one directory.
            file: Some(Text::literal(made.by)),
            target: None,
        }
        .identity(),
        from_metadata: false,
        by: made.by.into(),
        references: made.names,
    };
    let (step, place) = (script.step, script.place(call.span));
    deliver(script.walk, delivery, &here, step, &place, call.tolerated);
}

/// `pack build NAME [--tag NAME] [--path DIRECTORY] [--publish]`
fn pack(words: &[Text]) -> Option<Made> {
    let switches = ["--publish", "--clear-cache", "--trust-builder", "-q", "-v"];
    let arguments = Arguments::read(words, &switches, &["-v"]);
    let mut names = arguments.positional.get(..1)?.to_vec();
    names.extend(arguments.values(&["-t", "--tag"]).cloned());
    let pushes = arguments.has(&["--publish"]);
    Some(Made {
        by: "pack build",
        names,
        context: arguments.value(&["-p", "--path"]),
        loads: !pushes,
        pushes,
    })
}

/// `nixpacks build DIRECTORY --name NAME [--tag NAME]`; with `--out` it writes a directory and builds nothing.
fn nixpacks(words: &[Text]) -> Option<Made> {
    let arguments = Arguments::read(words, &["--no-cache", "--inline-cache"], &[]);
    let named = ["-n", "--name", "-t", "--tag"];
    let names: Vec<Text> = arguments.values(&named).cloned().collect();
    (!names.is_empty() && arguments.value(&["-o", "--out"]).is_none()).then(|| Made {
        by: "nixpacks build",
        names,
        context: arguments.positional.first().cloned(),
        loads: true,
        pushes: false,
    })
}

/// `s2i build SOURCE BUILDER NAME`
fn s2i(words: &[Text]) -> Option<Made> {
    let switches = ["--copy", "-c", "--incremental", "--rm", "-q", "--quiet"];
    let arguments = Arguments::read(words, &switches, &[]);
    let [source, _, name] = arguments.positional.as_slice() else {
        return None;
    };
    Some(Made {
        by: "s2i build",
        names: vec![name.clone()],
        context: Some(source.clone()),
        loads: true,
        pushes: false,
    })
}

/// `ko build IMPORTPATH`: the repository is `KO_DOCKER_REPO`, what comes behind it depends on the flags.
fn ko(script: &mut Script<'_, '_>, words: &[Text], call: &Call) -> Option<Made> {
    let switches = ["--bare", "-B", "--base-import-paths", "-L", "--local", "-P"];
    let arguments = Arguments::read(words, &switches, &[]);
    let repository = script.environment("KO_DOCKER_REPO")?.sole_text()?;
    let local = repository.as_literal() == Some("ko.local");
    let is_off = |flag: &str| {
        let value = arguments.value(&[flag]);
        value.is_some_and(|value| value.as_literal() == Some("false"))
    };
    let loads = local || arguments.has(&["-L", "--local"]);
    let pushes = !loads && !is_off("--push");
    let tags = arguments.values(&["-t", "--tags"]);
    let mut tags: Vec<Text> = tags.flat_map(|list| list.split(|c| c == ',')).collect();
    if tags.is_empty() {
        tags.push(Text::literal("latest"));
    }
    let base = arguments.has(&["-B", "--base-import-paths"]);
    let repositories: Vec<Text> = if arguments.has(&["--bare"]) && !local {
        vec![repository]
    } else {
        let paths = arguments.positional.iter().filter(|_| base);
        let last = paths.filter_map(|path| path.split_last('/'));
        last.map(|(_, last)| below(&repository, &last)).collect()
    };
    let names: Vec<Text> = repositories
        .iter()
        .flat_map(|name| tags.iter().map(|tag| tagged(name, tag)))
        .collect();
    if let Some(file) = arguments.value(&["--tarball"]) {
        let content = Content::Images(Archive {
            references: names.clone(),
            complete: !names.is_empty(),
            format: Format::Docker,
        });
        script.write_content(&file, content, call);
    }
    // The name holds a checksum of the import path.
    if names.is_empty() && loads {
        return None;
    }
    Some(Made {
        by: "ko build",
        names,
        context: arguments.positional.first().cloned(),
        loads,
        pushes,
    })
}

fn tagged(name: &Text, tag: &Text) -> Text {
    let mut name = name.clone();
    name.push_str(":");
    name.append(tag);
    name
}

/// `az acr build --registry NAME --image REPOSITORY:TAG DIRECTORY`
fn acr(words: &[Text]) -> Option<Made> {
    let arguments = Arguments::read(words, &["--no-push", "--no-logs", "--no-wait"], &[]);
    let registry = arguments.value(&["-r", "--registry"])?;
    let mut host = registry.clone();
    if !registry.contains(".") {
        host.push_str(".azurecr.io");
    }
    let images = arguments.values(&["-t", "--image"]);
    Some(Made {
        by: "az acr build",
        names: images.map(|image| below(&host, image)).collect(),
        context: arguments.positional.last().cloned(),
        loads: false,
        pushes: !arguments.has(&["--no-push"]),
    })
}

/// `gcloud builds submit --tag NAME DIRECTORY`
fn cloud_build(words: &[Text]) -> Option<Made> {
    let arguments = Arguments::read(words, &["--async", "--quiet", "-q"], &[]);
    let name = arguments.value(&["-t", "--tag"])?;
    Some(Made {
        by: "gcloud builds submit",
        names: vec![name],
        context: arguments.positional.first().cloned(),
        loads: false,
        pushes: true,
    })
}

/// The plugins of Maven and Gradle: jib and Spring Boot, where the name is given on the command line.
fn java(words: &[Text]) -> Option<Made> {
    const NAMES: [&str; 6] = [
        "-Dimage=",
        "-Djib.to.image=",
        "-Dspring-boot.build-image.imageName=",
        "--image=",
        "--imageName=",
        "-Dquarkus.container-image.image=",
    ];
    let has = |wanted: &str| {
        let mut literals = words.iter().filter_map(Text::as_literal);
        literals.any(|word| word == wanted || word.ends_with(&format!(":{wanted}")))
    };
    let jib = |goal: &str| {
        let mut literals = words.iter().filter_map(Text::as_literal);
        let is_plugin =
            |word: &str| word.starts_with("jib:") || word.contains(":jib-maven-plugin:");
        literals.any(|word| is_plugin(word) && word.ends_with(&format!(":{goal}")))
    };
    let (by, loads, pushes) = if jib("dockerBuild") || has("jibDockerBuild") {
        ("jib", true, false)
    } else if jib("build") || has("jib") {
        ("jib", false, true)
    } else if has("spring-boot:build-image") {
        let publishes = has("-Dspring-boot.build-image.publish=true");
        ("Spring Boot", true, publishes)
    } else if has("bootBuildImage") {
        ("Spring Boot", true, has("--publishImage"))
    } else if has("-Dquarkus.container-image.build=true") {
        let publishes = has("-Dquarkus.container-image.push=true");
        ("Quarkus", true, publishes)
    } else {
        return None;
    };
    let mut given = words.iter();
    let name = given.find_map(|word| NAMES.iter().find_map(|start| word.strip_start(start)))?;
    let mut names = vec![name.clone()];
    let tags = words
        .iter()
        .find_map(|word| word.strip_start("-Djib.to.tags="));
    for tag in tags.into_iter().flat_map(|tags| tags.split(|c| c == ',')) {
        let repository = name.split_last(':').map(|(repository, _)| repository);
        names.push(tagged(&repository.unwrap_or(name.clone()), &tag));
    }
    Some(Made {
        by,
        names,
        context: None,
        loads,
        pushes,
    })
}
