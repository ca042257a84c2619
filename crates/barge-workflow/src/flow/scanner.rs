//! Programs beside docker that name images or read archives: cluster loaders, scanners, signers.

use crate::shell::Call;
use crate::symbolic::Text;

use super::docker::Arguments;
use super::facts::{Archive, Content, FactKind, FileUse, Format, Need, Origin};
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

const SKOPEO_SWITCHES: &[&str] = &[
    "--insecure-policy",
    "--debug",
    "-a",
    "--all",
    "-q",
    "--quiet",
    "--raw",
    "--config",
    "--preserve-digests",
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
            for file in Arguments::read(rest(2), &[], &[]).positional {
                script.read(&file, FileUse::Load, call);
            }
        }
        ("crane", "digest", _) | ("regctl", "image", "digest") | ("oras", "resolve", _) => {
            let from = if word(0) == "image" { 2 } else { 1 };
            asked_for_digest(script, rest(from), &["--full-ref"], call);
        }
        ("skopeo", "inspect", _) if names_digest(arguments) => {
            asked_for_digest(script, rest(1), SKOPEO_SWITCHES, call);
        }
        ("skopeo", _, _)
            if arguments
                .iter()
                .any(|word| word.as_literal() == Some("copy")) =>
        {
            skopeo_copy(script, arguments, call);
        }
        ("trivy", "image", _) => trivy(script, rest(1), call),
        ("grype" | "dockle" | "dive", _, _) => scanned(script, program, arguments, call),
        ("syft", "scan" | "packages" | "attest", _) => scanned(script, program, rest(1), call),
        ("syft", _, _) => scanned(script, program, arguments, call),
        ("snyk", "container", "test" | "monitor") => {
            scanned(script, "snyk container", rest(2), call);
        }
        ("ctr" | "nerdctl", _, _) => imported(script, arguments, call),
        ("k3s", "ctr", _) => imported(script, rest(1), call),
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

/// Says whether a command line asks for a digest: `--format '{{.Digest}}'`.
pub(super) fn names_digest(arguments: &[Text]) -> bool {
    arguments.iter().any(|word| word.contains("Digest"))
}

/// The digest behind each name is asked for.
pub(super) fn asked_for_digest(
    script: &mut Script<'_, '_>,
    words: &[Text],
    switches: &[&str],
    call: &Call,
) {
    for reference in Arguments::read(words, switches, &[]).positional {
        let reference = reference.strip_start("docker://").unwrap_or(reference);
        script.fact(FactKind::DigestRead(reference), call);
    }
}

/// `skopeo copy FROM TO`, with a transport before each name.
fn skopeo_copy(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let arguments = Arguments::read(words, SKOPEO_SWITCHES, &[]);
    let [_, source, target] = arguments.positional.as_slice() else {
        return script.fact(FactKind::DaemonOpaque("`skopeo copy`".into()), call);
    };
    for transport in ["docker-archive:", "oci-archive:"] {
        let Some(file) = source.strip_start(transport) else {
            continue;
        };
        if file.as_literal().is_some() {
            let file = file.split_first(':').map_or(file, |(file, _)| file);
            script.read(&file, FileUse::Load, call);
        }
    }
    if let Some(reference) = source.strip_start("docker-daemon:") {
        let by = "skopeo copy".to_owned();
        script.fact(FactKind::Named(reference, Need::Local, by), call);
    }
    if let Some(reference) = target.strip_start("docker://") {
        script.fact(FactKind::Pushed(reference), call);
    } else if let Some(reference) = target.strip_start("docker-daemon:") {
        script.fact(
            FactKind::Present(reference, Origin::Tagged(source.clone())),
            call,
        );
    } else if let Some((transport, path)) = target.split_first(':') {
        transported(script, transport.as_literal(), &path, call);
    }
}

/// The file that `skopeo copy` and `podman push` write: `docker-archive:FILE[:REFERENCE]`.
pub(super) fn transported(
    script: &mut Script<'_, '_>,
    transport: Option<&str>,
    path: &Text,
    call: &Call,
) {
    let format = match transport {
        Some("docker-archive") => Format::Docker,
        Some("oci-archive" | "oci" | "dir") => Format::Oci,
        _ => return script.fact(FactKind::DaemonOpaque("`skopeo copy`".into()), call),
    };
    let (file, reference) = match path.split_first(':') {
        Some((file, reference)) => (file, Some(reference)),
        None => (path.clone(), None),
    };
    let content = Content::Images(Archive {
        complete: reference.is_some(),
        references: reference.into_iter().collect(),
        format,
    });
    script.write_content(&file, content, call);
}

fn cluster_load(script: &mut Script<'_, '_>, by: &str, words: &[Text], call: &Call) {
    for reference in Arguments::read(words, &["--daemon"], &[]).positional {
        if path::is_archive(&reference) {
            script.read(&reference, FileUse::Load, call);
        } else {
            script.fact(FactKind::Named(reference, Need::Local, by.to_owned()), call);
        }
    }
}

/// `ctr -n k8s.io images import ARCHIVE`
fn imported(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let is = |word: &Text, wanted: &str| word.as_literal() == Some(wanted);
    let Some(at) = words.iter().position(|word| is(word, "import")) else {
        return;
    };
    for file in Arguments::read(words.get(at + 1..).unwrap_or_default(), &[], &[]).positional {
        if path::is_archive(&file) {
            script.read(&file, FileUse::Load, call);
        }
    }
}

/// A scanner that takes an image by name, or by a scheme an archive.
pub(super) fn scanned(script: &mut Script<'_, '_>, by: &str, words: &[Text], call: &Call) {
    let switches = [
        "-q",
        "--quiet",
        "-v",
        "-vv",
        "--verbose",
        "--only-fixed",
        "--ci",
    ];
    let arguments = Arguments::read(words, &switches, &[]);
    if let Some(output) = arguments.value(&["--file", "--output-file"]) {
        script.write_content(&output, Content::Other, call);
    }
    let Some(image) = arguments
        .positional
        .first()
        .filter(|_| !arguments.uncertain)
    else {
        return;
    };
    for scheme in ["docker-archive:", "oci-archive:"] {
        if let Some(file) = image.strip_start(scheme) {
            return script.read(&file, FileUse::Scan, call);
        }
    }
    let name = image
        .strip_start("docker:")
        .unwrap_or_else(|| image.clone());
    let start = name.literal_start();
    let is_name = name.contains("/") || name.contains(":");
    let elsewhere = start.starts_with(['.', '/'])
        || [
            "registry:",
            "podman:",
            "dir:",
            "file:",
            "sbom:",
            "oci-dir:",
            "purl:",
        ]
        .iter()
        .any(|scheme| start.starts_with(scheme));
    if is_name && !elsewhere && !path::is_archive(&name) {
        script.fact(
            FactKind::Named(name, Need::LocalOrRemote, by.to_owned()),
            call,
        );
    }
}

fn trivy(script: &mut Script<'_, '_>, words: &[Text], call: &Call) {
    let arguments = Arguments::read(words, TRIVY_SWITCHES, &[]);
    if let Some(output) = arguments.value(&["-o", "--output"]) {
        script.write_content(&output, Content::Other, call);
    }
    if let Some(file) = arguments.value(&["--input"]) {
        script.read(&file, FileUse::Scan, call);
        return;
    }
    if let Some(reference) = arguments.positional.last().filter(|_| !arguments.uncertain) {
        let kind = FactKind::Named(reference.clone(), Need::LocalOrRemote, "trivy image".into());
        script.fact(kind, call);
    }
}
