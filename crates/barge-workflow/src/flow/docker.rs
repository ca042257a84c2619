//! The docker command line.

use crate::shell::{Call, Input, Output};
use crate::symbolic::{Condition, Text};

use super::facts::{
    Archive, Content, Delivery, FactKind, FileUse, Format, Need, Origin, Resolution,
};
use super::machine::{Data, Script, flag_value};

/// A command line taken apart.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    flags: Vec<(String, Option<Text>)>,
    pub(super) positional: Vec<Text>,
    /// An argument that could be anything stood before the first positional one.
    pub(super) uncertain: bool,
}

const BUILD_SWITCHES: &[&str] = &[
    "--load",
    "--push",
    "--no-cache",
    "--pull",
    "-q",
    "--quiet",
    "--rm",
    "--force-rm",
    "--squash",
    "--compress",
    "-D",
    "--debug",
    "--check",
];
const RUN_SWITCHES: &[&str] = &[
    "-d",
    "--detach",
    "-i",
    "--interactive",
    "-t",
    "--tty",
    "--rm",
    "--privileged",
    "--init",
    "--read-only",
    "-P",
    "--publish-all",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--sig-proxy",
    "-q",
    "--quiet",
];
const OTHER_SWITCHES: &[&str] = &[
    "-q",
    "--quiet",
    "-a",
    "--all",
    "--all-tags",
    "-f",
    "--force",
    "--no-prune",
    "--no-trunc",
    "--digests",
    "--disable-content-trust",
    "-s",
    "--size",
    "-v",
    "--verbose",
];

impl Arguments {
    pub(super) fn read(words: &[Text], switches: &[&str], values: &[&str]) -> Self {
        let mut arguments = Self::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let start = word.literal_start();
            if !start.starts_with('-') || start == "-" || start == "--" {
                if word
                    .as_symbol()
                    .is_some_and(|symbol| symbol.may_hold('-') && symbol.may_hold(' '))
                    && arguments.positional.is_empty()
                {
                    arguments.uncertain = true;
                }
                arguments.positional.push(word.clone());
                continue;
            }
            if let Some((name, value)) = word
                .split_first('=')
                .filter(|(name, _)| name.as_literal().is_some_and(|name| name.starts_with("--")))
            {
                arguments.flags.push((
                    name.as_literal().unwrap_or_default().to_owned(),
                    Some(value),
                ));
                continue;
            }
            let Some(name) = word.as_literal() else {
                arguments.flags.push((start.to_owned(), None));
                continue;
            };
            let bundle = !name.starts_with("--")
                && name.len() > 2
                && name
                    .chars()
                    .skip(1)
                    .all(|c| switches.contains(&format!("-{c}").as_str()));
            if switches.contains(&name) && !values.contains(&name) || bundle {
                arguments.flags.push((name.to_owned(), None));
            } else {
                arguments
                    .flags
                    .push((name.to_owned(), words.get(at).cloned()));
                at += 1;
            }
        }
        arguments
    }

    fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(name, value)| {
            names.contains(&name.as_str())
                && value
                    .as_ref()
                    .is_none_or(|value| value.as_literal() != Some("false"))
        })
    }

    fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Text> {
        self.flags
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .filter_map(|(_, value)| value.as_ref())
    }

    pub(super) fn value(&self, names: &[&str]) -> Option<Text> {
        self.flags
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()))
            .and_then(|(_, value)| value.clone())
    }
}

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
    let name = |at: usize| words.get(at).and_then(Text::as_literal).unwrap_or_default();
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
            ("buildx", _) | ("builder", "prune") => return Output::Nothing,
            ("image", "inspect") => "image inspect",
            (_, inner) => inner,
        };
    }
    match verb {
        "build" => build(script, call, rest, false),
        "buildx build" => build(script, call, rest, true),
        "buildx create" if rest.iter().any(|word| word.as_literal() == Some("--use")) => {
            let driver = flag_value(rest, &["--driver"]);
            if driver.is_none_or(|driver| driver.as_literal() != Some("docker")) {
                let here = script.when(&call.condition);
                script.walk.own_builder = script.walk.own_builder.or(&here);
            }
        }
        "buildx use" => script.walk.own_builder = Condition::Always,
        "bake" => script.fact(FactKind::DaemonOpaque("a bake file".into()), call),
        "compose" | "stack" if has_word(rest, &["build", "up", "run", "pull", "create"]) => {
            script.fact(FactKind::DaemonOpaque("a compose file".into()), call);
        }
        "save" => return save(script, call, rest),
        "load" => load(script, call, rest),
        "import" | "commit" => imported(script, call, rest),
        "tag" => tag(script, call, rest),
        "push" => push(script, call, rest),
        "pull" => pull(script, call, rest),
        "run" | "create" => run(script, call, rest, verb),
        "image inspect" | "history" => named(script, call, rest, "inspect"),
        "inspect" if has_word(rest, &["--type=image"]) => named(script, call, rest, "inspect"),
        "rmi" | "rm" if name(0) != "container" && name(0) != "rm" => removed(script, call, rest),
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

fn imported(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &["-m", "-a", "-c"]);
    let kind = match arguments.positional.last() {
        Some(reference) => FactKind::Present(reference.clone(), Origin::Built),
        None => FactKind::DaemonOpaque("an import".into()),
    };
    script.fact(kind, call);
}

fn build(script: &mut Script<'_, '_>, call: &Call, words: &[Text], buildx: bool) {
    let arguments = Arguments::read(words, BUILD_SWITCHES, &[]);
    let references: Vec<Text> = arguments.values(&["-t", "--tag"]).cloned().collect();
    let here = script.when(&call.condition);
    let mut delivery = Delivery {
        references,
        to_daemon: Condition::Never,
        loads: Condition::Never,
        to_registry: if arguments.has(&["--push"]) {
            here.clone()
        } else {
            Condition::Never
        },
        to_file: Condition::Never,
        platforms: platforms(arguments.value(&["--platform"]).as_ref()),
        recipe: recipe(
            arguments.positional.last(),
            arguments.value(&["-f", "--file"]).as_ref(),
            arguments.value(&["--target"]).as_ref(),
        ),
        from_metadata: false,
        by: if buildx {
            "docker buildx build".into()
        } else {
            "docker build".into()
        },
    };
    let outputs: Vec<Text> = arguments.values(&["-o", "--output"]).cloned().collect();
    let mut loads = arguments.has(&["--load"]);
    for output in &outputs {
        let target = OutputTarget::read(output);
        loads |= target.loads();
        if target.pushes() {
            delivery.to_registry = here.clone();
        }
        if let Some((file, content)) = target.file(&delivery.references) {
            delivery.to_file = here.clone();
            script.write_content(&file, content, call);
        }
    }
    if loads {
        delivery.loads = here.clone();
    }
    delivery.to_daemon = if loads || !buildx {
        here.clone()
    } else if outputs.is_empty() || delivery.to_registry == Condition::Never {
        // A builder of the daemon keeps the image there; one of its own keeps it to itself.
        if outputs.is_empty() {
            here.and(&script.walk.own_builder.negate())
        } else {
            Condition::Never
        }
    } else {
        here.and(&script.walk.own_builder.negate())
    };
    let (step, place) = (script.step, script.place(call.span));
    deliver(script.walk, delivery, &here, step, &place, call.tolerated);
    for file in ["--iidfile", "--metadata-file"] {
        if let Some(file) = arguments.value(&[file]) {
            script.write_content(&file, Content::Other, call);
        }
    }
}

/// Records a build and what it leads to.
pub(super) fn deliver(
    walk: &mut super::job::Walk<'_>,
    delivery: Delivery,
    condition: &Condition,
    step: usize,
    place: &super::facts::Place,
    tolerated: bool,
) {
    for reference in &delivery.references {
        walk.add(
            FactKind::Present(reference.clone(), Origin::Built),
            &delivery.to_daemon.clone(),
            step,
            place,
            tolerated,
        );
        walk.add(
            FactKind::Pushed(reference.clone()),
            &delivery.to_registry.clone(),
            step,
            place,
            tolerated,
        );
    }
    walk.add(FactKind::Built(delivery), condition, step, place, tolerated);
}

/// The number of platforms of a list.
pub(super) fn platforms(list: Option<&Text>) -> Vec<(Condition, Option<usize>)> {
    let Some(list) = list else {
        return vec![(Condition::Always, Some(1))];
    };
    let parts = list
        .split(|c| c == ',' || c == '\n')
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .count();
    let known = list.symbols().all(|symbol| !symbol.may_hold(','));
    vec![(
        Condition::Always,
        if known || parts > 1 {
            Some(parts)
        } else {
            None
        },
    )]
}

/// What is built from what, to recognise two builds of one thing.
pub(super) fn recipe(context: Option<&Text>, file: Option<&Text>, target: Option<&Text>) -> Text {
    let mut recipe = context.map(super::path::normalize).unwrap_or_default();
    for part in [file.map(super::path::normalize), target.cloned()]
        .into_iter()
        .flatten()
    {
        recipe.push_str("|");
        recipe.append(&part);
    }
    recipe
}

/// One `--output` or line of `outputs:`.
#[derive(Debug)]
pub(super) struct OutputTarget {
    kind: Option<String>,
    destination: Option<Text>,
    push: bool,
}

impl OutputTarget {
    /// Reads `type=docker,dest=/tmp/x.tar`.
    pub(super) fn read(text: &Text) -> Self {
        let mut target = Self {
            kind: None,
            destination: None,
            push: false,
        };
        for field in text.split(|c| c == ',') {
            match field
                .split_first('=')
                .and_then(|(key, value)| Some((key.trim().as_literal()?.to_owned(), value.trim())))
            {
                Some((key, value)) => match key.as_str() {
                    "type" => target.kind = value.as_literal().map(str::to_owned),
                    "dest" => target.destination = Some(value),
                    "push" => target.push = value.as_literal() == Some("true"),
                    _ => {}
                },
                // A bare path is a directory of files.
                None => target.destination = Some(field.trim()),
            }
        }
        target
    }

    /// Says whether the result goes into the daemon.
    pub(super) fn loads(&self) -> bool {
        self.kind.as_deref() == Some("docker") && self.destination.is_none()
    }

    /// Says whether the result is pushed.
    pub(super) fn pushes(&self) -> bool {
        self.push || self.kind.as_deref() == Some("registry")
    }

    /// The file it goes to and what that holds.
    pub(super) fn file(&self, references: &[Text]) -> Option<(Text, Content)> {
        let destination = self
            .destination
            .clone()
            .filter(|destination| destination.as_literal() != Some("-"))?;
        let format = match self.kind.as_deref() {
            Some("docker") => Format::Docker,
            Some("oci") => Format::Oci,
            Some("tar") => Format::RootFilesystem,
            _ => return None,
        };
        Some((
            destination,
            Content::Images(Archive {
                references: references.to_vec(),
                complete: true,
                format,
            }),
        ))
    }
}

fn save(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) -> Output {
    let arguments = Arguments::read(words, &[], &[]);
    for reference in &arguments.positional {
        script.fact(
            FactKind::Named(reference.clone(), Need::Local, "docker save".into()),
            call,
        );
    }
    let complete = arguments
        .positional
        .iter()
        .all(|reference| !reference.may_be_empty());
    let content = Content::Images(Archive {
        references: arguments.positional.clone(),
        complete,
        format: Format::Docker,
    });
    let file = arguments.value(&["-o", "--output"]);
    let path = file.as_ref().map(|file| script.file(file));
    script.fact(FactKind::Saved(arguments.positional, path), call);
    match file {
        Some(file) => {
            script.write_content(&file, content, call);
            Output::Nothing
        }
        None => script.data(Data::Made(content)),
    }
}

fn load(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, &["-q", "--quiet"], &[]);
    if call.captured {
        script.fact(FactKind::LoadOutputRead, call);
    }
    let uncertain = arguments
        .positional
        .iter()
        .any(|word| word.as_literal().is_none());
    if !arguments.positional.is_empty() && !uncertain {
        let given = arguments
            .positional
            .iter()
            .map(Text::describe)
            .collect::<Vec<_>>()
            .join(" ");
        script.fact(
            FactKind::BadLoad(format!(
                "`docker load` takes no arguments, `{given}` needs `-i`"
            )),
            call,
        );
        return script.fact(
            FactKind::DaemonOpaque("a load that cannot work".into()),
            call,
        );
    }
    let file = arguments.value(&["-i", "--input"]);
    match (file, call.input.clone()) {
        (Some(file), _) | (None, Input::File(file)) => {
            if file.contains("(")
                || file.literal_start().is_empty()
                    && file.as_symbol().is_some_and(|s| s.may_hold(' '))
            {
                return script.fact(
                    FactKind::DaemonOpaque("a load from a file that is not known".into()),
                    call,
                );
            }
            load_file(script, call, &file);
        }
        (None, Input::Piped(Output::Data(number))) => match script.walk.data.get(number).cloned() {
            Some(Data::File(file)) => load_path(script, call, &file),
            Some(Data::Made(Content::Images(archive))) => {
                loaded(script, call, &archive, &Text::new());
            }
            _ => script.fact(FactKind::DaemonOpaque("a load from a pipe".into()), call),
        },
        _ => script.fact(FactKind::DaemonOpaque("a load from a pipe".into()), call),
    }
}

fn load_file(script: &mut Script<'_, '_>, call: &Call, file: &Text) {
    // `docker load < gzip -cd x`: the program's name is taken for the file.
    if matches!(
        file.as_literal(),
        Some("gzip" | "gunzip" | "zcat" | "cat" | "pigz" | "zstd" | "unzstd")
    ) {
        let reason = format!(
            "the shell reads a file named `{}`; a pipe is meant",
            file.describe()
        );
        return script.fact(FactKind::BadLoad(reason), call);
    }
    let file = script.file(file);
    load_path(script, call, &file);
}

fn load_path(script: &mut Script<'_, '_>, call: &Call, file: &Text) {
    let (condition, place) = (script.when(&call.condition), script.place(call.span));
    let step = script.step;
    match script.walk.read_file(
        file,
        FileUse::Load,
        &condition,
        step,
        &place,
        call.tolerated,
    ) {
        Resolution::Written(found) => {
            for (_, content, _) in found {
                match content {
                    Content::Images(archive) => loaded(script, call, &archive, file),
                    _ => script.fact(
                        FactKind::DaemonOpaque(format!("the images in `{}`", file.describe())),
                        call,
                    ),
                }
            }
        }
        _ => script.fact(
            FactKind::DaemonOpaque(format!("the images in `{}`", file.describe())),
            call,
        ),
    }
}

fn loaded(script: &mut Script<'_, '_>, call: &Call, archive: &Archive, file: &Text) {
    for reference in &archive.references {
        // `docker save NAME` without a tag keeps every tag of that name.
        let tagged = reference
            .split_last('/')
            .map_or_else(|| reference.clone(), |(_, name)| name)
            .contains(":");
        script.fact(
            FactKind::Present(reference.clone(), Origin::Loaded(file.clone())),
            call,
        );
        if !tagged {
            script.fact(
                FactKind::DaemonOpaque("an archive with all tags of a name".into()),
                call,
            );
        }
    }
    if !archive.complete || archive.references.is_empty() {
        script.fact(
            FactKind::DaemonOpaque("an archive whose names are not known".into()),
            call,
        );
    }
}

fn tag(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
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

fn push(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
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

fn pull(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &[]);
    for reference in arguments.positional {
        script.fact(
            FactKind::Named(reference.clone(), Need::Remote, "docker pull".into()),
            call,
        );
        script.present_on_success(reference, call);
    }
}

fn run(script: &mut Script<'_, '_>, call: &Call, words: &[Text], verb: &str) {
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

fn named(script: &mut Script<'_, '_>, call: &Call, words: &[Text], verb: &str) {
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

fn removed(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &[]);
    for reference in arguments.positional {
        script.fact(FactKind::Removed(Some(reference)), call);
    }
}
