//! `barge db update`: brings OSV's published archives up to date, then compiles them.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;

use barge_pipeline::registry::http_options;
use barge_store::http::{Fetch, FetchError, Outcome};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use jiff::tz::TimeZone;

use crate::commands::StoreArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::bytes;

/// Where OSV publishes its archives.
const PUBLISHED: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Where CISA publishes its catalogue of known exploited vulnerabilities.
const KEV: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// Where FIRST's Exploit Prediction Scoring System publishes its scores of the day.
const EPSS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

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
    after_help = "Examples:\n  barge db update --ecosystem Debian --ecosystem npm\n  barge db update --for sbom:bom.json\n  barge db update --from https://mirror.example.org/osv --output /var/cache/barge\n  barge db update --from /mnt/osv\n  barge db update --kev --epss"
)]
pub(crate) struct Arguments {
    /// An ecosystem such as Debian or npm; may be repeated
    #[arg(long, value_name = "NAME")]
    ecosystem: Vec<String>,
    /// Fetch what the packages of this image or bill need
    #[arg(long = "for", value_name = "INPUT")]
    input: Option<String>,
    /// A mirror that is laid out as OSV's, or a folder; of several mirrors the next is asked when one fails
    #[arg(long, value_name = "URL|DIR", default_value = PUBLISHED, hide_default_value = true)]
    from: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
    /// Fetch CISA's list of exploited vulnerabilities, too
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = KEV)]
    kev: Option<String>,
    /// Fetch FIRST's scores of how likely exploitation is, too
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = EPSS)]
    epss: Option<String>,
    /// The folder of archives and index; by default .barge/db
    #[arg(short, long, value_name = "DIR")]
    output: Option<Utf8PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let output = match &arguments.output {
        Some(folder) => context.folder.join(folder),
        None => {
            context.surroundings()?.workspace().make()?;
            super::folder(context)?
        }
    };
    let index = output.join(barge_vuln::INDEX);
    let is_remote = |from: &String| from.contains("://") && !from.starts_with("file://");
    match arguments.from.as_slice() {
        [folder] if !is_remote(folder) => {
            let folder = folder.strip_prefix("file://").unwrap_or(folder);
            let chosen = chosen_ecosystems(arguments, context)?;
            super::compile(context, &context.folder.join(folder), &chosen, &index)
        }
        mirrors if mirrors.iter().all(is_remote) => {
            let _lock = lock(context, &output)?;
            fetch(arguments, context, &output)?;
            super::compile(context, &output, &BTreeSet::new(), &index)
        }
        _ => Err(Error::Usage(
            "several sources must all be mirrors: compile a folder by itself".into(),
        )),
    }
}

/// Keeps a second update of the same folder waiting: both would write the same files.
fn lock(context: &Context, folder: &Utf8Path) -> Result<File, Error> {
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(failed("write", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!("another update of `{folder}` is at work: waiting for it");
            context.printer.status(&text);
            file.lock().map_err(failed("lock", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
    }
    Ok(file)
}

fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

/// Whether a fetched file is what it should be.
type Check = dyn Fn(&Utf8Path) -> Result<(), barge_vuln::Error>;

fn fetch(arguments: &Arguments, context: &Context, output: &Utf8Path) -> Result<(), Error> {
    let fetch = Fetch::new(http_options(&context.environment)).map_err(FetchError::from)?;
    let archive = |path: &Utf8Path| barge_vuln::check_archive(path.as_std_path());
    for ecosystem in ecosystems(arguments, context)? {
        let file = output.join(&ecosystem).join("all.zip");
        let path = ecosystem.replace(' ', "%20");
        let mirrors = arguments.from.iter();
        let urls: Vec<String> = mirrors
            .map(|base| format!("{}/{path}/all.zip", base.trim_end_matches('/')))
            .collect();
        fetch_file(context, &fetch, &ecosystem, &urls, &file, &archive)?;
    }
    let side = |path: &Utf8Path| barge_vuln::check_side_data(path.as_std_path());
    for (name, url, file) in [
        ("KEV", &arguments.kev, "kev.json"),
        ("EPSS", &arguments.epss, "epss_scores.csv.gz"),
    ] {
        if let Some(url) = url {
            let urls = std::slice::from_ref(url);
            fetch_file(context, &fetch, name, urls, &output.join(file), &side)?;
        }
    }
    Ok(())
}

/// Brings one file up to date from the first mirror that has it.
fn fetch_file(
    context: &Context,
    fetch: &Fetch,
    name: &str,
    urls: &[String],
    file: &Utf8Path,
    check: &Check,
) -> Result<(), Error> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
    }
    let tell = |text: &str| context.printer.status(text);
    let mut outcome = Err(Error::Usage("no mirror was named".into()));
    for url in urls {
        match &outcome {
            Err(error @ Error::Fetch(FetchError::Http(_) | FetchError::Damaged { .. })) => {
                tell(&format!("{error}; asking the next mirror"));
            }
            Ok(_) | Err(Error::Fetch(FetchError::File { .. })) => break,
            Err(_) => {}
        }
        outcome = fetch.file(url, file, check, tell).map_err(Error::from);
    }
    let outcome = outcome?;
    let today = context.now.to_zoned(TimeZone::UTC).date();
    barge_vuln::note_checked(file.as_std_path(), today)?;
    let word = match outcome {
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Fetched(count) => format!("fetched, {}", bytes(count)),
    };
    tell(&format!("{name}: {word}"));
    Ok(())
}

/// The ecosystems to fetch: the usual ones if none is chosen.
fn ecosystems(arguments: &Arguments, context: &Context) -> Result<BTreeSet<String>, Error> {
    let mut names = chosen_ecosystems(arguments, context)?;
    if names.is_empty() {
        names.extend(USUAL.map(str::to_owned));
    }
    Ok(names)
}

/// The ecosystems that are named or needed, without suffixes: an archive holds all releases.
fn chosen_ecosystems(arguments: &Arguments, context: &Context) -> Result<BTreeSet<String>, Error> {
    let mut names: BTreeSet<String> = arguments.ecosystem.iter().cloned().collect();
    if let Some(input) = &arguments.input {
        let sbom =
            crate::commands::bill_of(context, &arguments.store, std::slice::from_ref(input), None)?;
        names.extend(barge_vuln::needed_ecosystems(&sbom));
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
