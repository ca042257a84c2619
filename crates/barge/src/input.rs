//! What commands look into: from `docker:REF`, `oci:DIR`, `sbom:FILE`, `purl:PURL` or a bare word to a bill of materials.

use std::fs;

use barge_engine::docker::BodyReader;
use barge_engine::{Docker, DockerHost};
use barge_image::{Image, Reference, Selection, open};
use barge_sbom::{NoCache, Sbom, catalog_image};
use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::Error;

/// The bill of materials of an input; several are only understood as package URLs.
pub(crate) fn bill(
    context: &Context,
    inputs: &[String],
    path: Option<&str>,
) -> Result<Sbom, Error> {
    let purls: Option<Vec<String>> = inputs
        .iter()
        .map(|input| {
            let purl = input.strip_prefix("purl:").unwrap_or(input);
            purl.starts_with("pkg:").then(|| purl.to_owned())
        })
        .collect();
    if let Some(purls) = purls {
        return Ok(barge_vuln::bill(&purls)?);
    }
    let [input] = inputs else {
        return Err(Error::Usage(
            "several inputs must all be package URLs".into(),
        ));
    };
    let (kind, rest) = input.split_once(':').unwrap_or(("", input));
    match kind {
        "sbom" => read_bill(&context.folder.join(rest)),
        "docker" => of_daemon(context, rest, path),
        "oci" => {
            let (folder, name) = split_name(context, rest);
            of_files(&folder, name, path)
        }
        "docker-archive" | "oci-archive" => of_files(&context.folder.join(rest), None, path),
        _ => bare(context, input, path),
    }
}

/// A bare word: an existing path is a bill, an archive or a layout, anything else the daemon's.
fn bare(context: &Context, input: &str, path: Option<&str>) -> Result<Sbom, Error> {
    let file = context.folder.join(input);
    if !file.exists() {
        return of_daemon(context, input, path);
    }
    if file.is_file() && starts_like_text(&file) {
        return read_bill(&file);
    }
    of_files(&file, None, path)
}

/// Bills are JSON or XML; image archives start with anything but `{` or `<`.
fn starts_like_text(file: &Utf8Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 64];
    let read = fs::File::open(file).and_then(|mut file| file.read(&mut start));
    let start = start.get(..read.unwrap_or(0)).unwrap_or_default();
    let first = start
        .iter()
        .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    matches!(first, Some(b'{' | b'<'))
}

fn read_bill(path: &Utf8Path) -> Result<Sbom, Error> {
    let bytes = fs::read(path).map_err(|source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let mut sbom = barge_sbom::bom::read(&bytes)?;
    if sbom.subject.name.is_empty() {
        sbom.subject.name = path.to_string();
    }
    Ok(sbom)
}

/// `DIR:TAG`, unless a folder of that whole name is there.
fn split_name<'a>(context: &Context, text: &'a str) -> (Utf8PathBuf, Option<&'a str>) {
    let whole = context.folder.join(text);
    match text.rsplit_once(':') {
        Some((folder, name)) if !whole.exists() => (context.folder.join(folder), Some(name)),
        _ => (whole, None),
    }
}

fn of_files(file: &Utf8Path, name: Option<&str>, path: Option<&str>) -> Result<Sbom, Error> {
    let selection = Selection {
        name: name.map(str::to_owned),
        platform: None,
    };
    let image = open(file, &selection).map_err(barge_pipeline::Error::from)?;
    catalogue(&image, file.as_str(), path)
}

/// Exports the image of the daemon into a temporary archive: its layers are read once, by the catalogers.
fn of_daemon(context: &Context, text: &str, path: Option<&str>) -> Result<Sbom, Error> {
    let reference: Reference = text.parse()?;
    let surroundings = context.surroundings()?;
    let archive = tempfile::NamedTempFile::new().map_err(Error::Output)?;
    let name = reference.clone();
    let mut out = archive.reopen().map_err(Error::Output)?;
    context.block_on(async move {
        let mut export = export(surroundings.docker_host()?, &name)
            .await
            .map_err(barge_pipeline::Error::from)?;
        let copy = move || std::io::copy(&mut export, &mut out);
        let copied = tokio::task::spawn_blocking(copy).await;
        copied
            .map_err(|_| Error::Interrupted)?
            .map_err(Error::Output)?;
        Ok(())
    })?;
    let file = Utf8Path::from_path(archive.path())
        .ok_or_else(|| Error::FolderName(archive.path().to_owned()))?;
    let image = open(file, &Selection::default()).map_err(barge_pipeline::Error::from)?;
    catalogue(&image, &reference.familiar(), path)
}

async fn export(
    host: DockerHost,
    reference: &Reference,
) -> Result<BodyReader, barge_engine::Error> {
    let docker = Docker::connect(host).await?;
    docker.require(reference).await?;
    docker.export(std::slice::from_ref(reference)).await
}

fn catalogue(image: &Image, name: &str, path: Option<&str>) -> Result<Sbom, Error> {
    let options = barge_sbom::Options {
        path: path.map(str::to_owned),
        verify: true,
        ..Default::default()
    };
    Ok(catalog_image(image, name, &options, &NoCache)?)
}
