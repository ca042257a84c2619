//! `barge db update`: brings OSV's published archives up to date, then compiles them.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::context::Context;
use crate::download::{Download, Outcome};
use crate::error::Error;
use crate::exit::Exit;

/// Where OSV publishes its archives.
const PUBLISHED: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// The ecosystems that images are made of, fetched when none are chosen.
const USUAL: [&str; 17] = [
    "AlmaLinux",
    "Alpine",
    "Bitnami",
    "Chainguard",
    "Debian",
    "Go",
    "Maven",
    "NuGet",
    "Packagist",
    "PyPI",
    "Red Hat",
    "Rocky Linux",
    "RubyGems",
    "Ubuntu",
    "Wolfi",
    "crates.io",
    "npm",
];

/// Fetch advisories that changed, verify them, and compile the index that scans use
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge db update --ecosystem Debian --ecosystem npm\n  barge db update --for sbom:bom.json\n  barge db update --from https://mirror.example.org/osv --output /var/cache/barge\n  barge db update --from /mnt/osv"
)]
pub(crate) struct Arguments {
    /// An ecosystem such as Debian or npm; may be repeated
    #[arg(long, value_name = "NAME")]
    ecosystem: Vec<String>,
    /// Fetch what the packages of this image or bill need
    #[arg(long = "for", value_name = "INPUT")]
    input: Option<String>,
    /// A mirror that is laid out as OSV's, or a folder
    #[arg(long, value_name = "URL|DIR", default_value = PUBLISHED, hide_default_value = true)]
    from: String,
    /// The folder of archives and index; by default .barge/db
    #[arg(short, long, value_name = "DIR")]
    output: Option<Utf8PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let output = match &arguments.output {
        Some(folder) => context.folder.join(folder),
        None => super::folder(context)?,
    };
    let is_remote = arguments.from.contains("://") && !arguments.from.starts_with("file://");
    if is_remote {
        fetch(arguments, context, &output)?;
        return super::compile(context, &output, &output.join(super::INDEX));
    }
    let folder = arguments
        .from
        .strip_prefix("file://")
        .unwrap_or(&arguments.from);
    super::compile(
        context,
        &context.folder.join(folder),
        &output.join(super::INDEX),
    )
}

fn fetch(arguments: &Arguments, context: &Context, output: &Utf8Path) -> Result<(), Error> {
    let base = arguments.from.trim_end_matches('/');
    let download = Download::new();
    for ecosystem in ecosystems(arguments, context)? {
        let folder = output.join(&ecosystem);
        fs::create_dir_all(&folder).map_err(|source| Error::File {
            action: "create",
            path: folder.clone(),
            source,
        })?;
        let url = format!("{base}/{}/all.zip", ecosystem.replace(' ', "%20"));
        let told = |text: &str| context.printer.status(text);
        let outcome = download.fetch(&url, &folder.join("all.zip"), &told)?;
        let word = match outcome {
            Outcome::Unchanged => "unchanged".to_owned(),
            Outcome::Fetched(bytes) => format!("fetched, {:.1} MB", bytes as f64 / 1e6),
        };
        context.printer.status(&format!("{ecosystem}: {word}"));
    }
    Ok(())
}

/// The ecosystems to fetch, without suffixes: an archive holds all releases.
fn ecosystems(arguments: &Arguments, context: &Context) -> Result<BTreeSet<String>, Error> {
    let mut names: BTreeSet<String> = arguments.ecosystem.iter().cloned().collect();
    if let Some(input) = &arguments.input {
        let sbom = crate::commands::bill_of(
            context,
            &Default::default(),
            std::slice::from_ref(input),
            None,
        )?;
        names.extend(barge_vuln::needed_ecosystems(&sbom));
    }
    if names.is_empty() {
        names.extend(USUAL.map(str::to_owned));
    }
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(Error::Usage(format!("`{name}` is no name of an ecosystem")));
    }
    Ok(names)
}

/// A name becomes a folder and a part of a URL: nothing else may be in it.
fn is_name(name: &str) -> bool {
    let fits = |next: char| next.is_ascii_alphanumeric() || " .-".contains(next);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(fits)
}
