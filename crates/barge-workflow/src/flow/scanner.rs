//! Programs beside docker that name images or read archives: cluster loaders, scanners, signers.

use crate::shell::Call;
use crate::symbolic::Text;

use super::docker::Arguments;
use super::facts::{Content, FactKind, FileUse, Need};
use super::machine::Script;
use super::path;

const TRIVY_SWITCHES: &[&str] = &[
    "--ignore-unfixed",
    "--no-progress",
    "-q",
    "--quiet",
    "-d",
    "--debug",
    "--insecure",
    "--skip-db-update",
    "--light",
    "--list-all-pkgs",
    "--reset",
    "--download-db-only",
];

/// Interprets a call; says whether the program was one of these.
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
    let rest = |from: usize| arguments.get(from..).unwrap_or_default();
    match (program, word(0), word(1)) {
        ("kind", "load", "docker-image")
        | ("minikube", "image", "load")
        | ("k3d", "image" | "images", "import" | "load") => {
            let by = format!("{program} {} {}", word(0), word(1));
            cluster_load(script, &by, rest(2), call);
        }
        ("kind", "load", "image-archive") => {
            if let Some(file) = arguments.get(2) {
                read(script, file, FileUse::Load, call);
            }
        }
        ("trivy", "image", _) => trivy(script, rest(1), call),
        ("cosign", "sign" | "attest" | "verify", _) => {
            let switches = ["-y", "--yes", "-r", "--recursive", "-d"];
            for reference in Arguments::read(rest(1), &switches, &[]).positional {
                script.fact(FactKind::Attested(reference), call);
            }
        }
        _ => return false,
    }
    true
}

fn read(script: &mut Script<'_, '_>, file: &Text, usage: FileUse, call: &Call) {
    let (condition, place) = (script.when(&call.condition), script.place(call.span));
    let (file, step) = (script.file(file), script.step);
    script
        .walk
        .read_file(&file, usage, &condition, step, &place, call.tolerated);
}

fn cluster_load(script: &mut Script<'_, '_>, by: &str, words: &[Text], call: &Call) {
    for reference in Arguments::read(words, &["--daemon"], &[]).positional {
        if path::is_archive(&reference) {
            read(script, &reference, FileUse::Load, call);
        } else {
            script.fact(FactKind::Named(reference, Need::Local, by.to_owned()), call);
        }
    }
}

fn trivy(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let arguments = Arguments::read(words, TRIVY_SWITCHES, &[]);
    if let Some(output) = arguments.value(&["-o", "--output"]) {
        script.write_content(&output, Content::Other, call);
    }
    if let Some(file) = arguments.value(&["--input"]) {
        read(script, &file, FileUse::Scan, call);
        return;
    }
    if let Some(reference) = arguments.positional.last().filter(|_| !arguments.uncertain) {
        let kind = FactKind::Named(reference.clone(), Need::LocalOrRemote, "trivy image".into());
        script.fact(kind, call);
    }
}
