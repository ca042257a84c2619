//! `docker save`, `docker load` and their kin: images that go through files and pipes.

use crate::shell::{Call, Input, Output};
use crate::symbolic::Text;

use super::super::facts::{Archive, Content, FactKind, FileUse, Format, Need, Origin, Resolution};
use super::super::machine::{Data, Script};
use super::super::path;
use super::arguments::{Arguments, OTHER_SWITCHES};

pub(super) fn save(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) -> Output {
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

/// `docker export CONTAINER`: its root file system.
pub(super) fn export(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) -> Output {
    let content = Content::Images(Archive {
        references: Vec::new(),
        complete: false,
        format: Format::RootFilesystem,
    });
    match Arguments::read(words, &[], &[]).value(&["-o", "--output"]) {
        Some(file) => {
            script.write_content(&file, content, call);
            Output::Nothing
        }
        None => script.data(Data::Made(content)),
    }
}

pub(super) fn load(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, &["-q", "--quiet"], &[]);
    if call.captured {
        script.fact(FactKind::LoadOutputRead, call);
    }
    let uncertain = arguments
        .positional
        .iter()
        .any(|word| word.as_literal().is_none() && !path::is_archive(word));
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
        // The load fails; what comes after it is judged as if the file that was meant had been loaded.
        Resolution::Absent(near) if !near.is_empty() => {
            for meant in near {
                if let Content::Images(archive) = script.walk.files.content(&meant) {
                    loaded(script, call, &archive, &meant);
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

pub(super) fn imported(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, OTHER_SWITCHES, &["-m", "-a", "-c"]);
    if let Some(file) = arguments
        .positional
        .first()
        .filter(|file| path::is_archive(file))
        && let Content::Images(Archive {
            format: Format::Docker | Format::Oci,
            ..
        }) = script.walk.files.content(&script.file(file))
    {
        let reason = format!(
            "`docker import` takes a root file system, `{}` holds images; `docker load -i` is meant",
            file.describe()
        );
        script.fact(FactKind::BadLoad(reason), call);
    }
    let kind = match arguments.positional.last() {
        Some(reference) => FactKind::Present(reference.clone(), Origin::Built),
        None => FactKind::DaemonOpaque("an import".into()),
    };
    script.fact(kind, call);
}
