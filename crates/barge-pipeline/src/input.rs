//! What commands look into: `docker:REF`, `podman:REF`, `registry:REF`, `oci:DIR[:NAME]`, an archive, `store:NAME`, a folder,
//! a file, a bill, package URLs, and `-` for what is piped in.

use std::fs;
use std::io;

use barge_engine::Docker;
use barge_engine::blocking;
use barge_engine::docker::Product;
use barge_image::{Image, Reference, Selection, open};
use barge_sbom::{LayerCache, NoCache, Options, Sbom, bom, catalog_directory, catalog_image};
use barge_store::Store;
use camino::{Utf8Path, Utf8PathBuf};

use crate::engine;
use crate::error::Error;
use crate::record::{RecordChoice, choose};
use crate::registry;
use crate::surroundings::Surroundings;
use crate::temporary::TemporaryFolder;

/// Something that a bill of materials can be made of, or is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An image of an engine.
    Engine(Product, Reference),
    /// An image in its registry.
    Registry(Reference),
    /// An image of the engine if that holds it, else in its registry.
    Anywhere(Reference),
    /// An image in a docker archive, an OCI archive or an OCI layout.
    Files {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Which of several images.
        name: Option<String>,
    },
    /// An image in the store.
    Store(RecordChoice),
    /// A root file system, or a single file.
    Folder(Utf8PathBuf),
    /// A bill of materials, which nothing has to be made of.
    Bill(Bill),
    /// An image's archive or a bill that is piped in.
    Piped,
}

/// A bill of materials as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bill {
    /// In a file.
    File(Utf8PathBuf),
    /// Package URLs, taken together.
    Packages(Vec<String>),
}

impl Bill {
    /// Reads it. Nothing is waited for: who has nothing else to do needs no runtime for it.
    ///
    /// # Errors
    /// When it is not there, or is none.
    pub fn read(&self) -> Result<Sbom, Error> {
        match self {
            Self::File(path) => read_bill(path),
            Self::Packages(purls) => Ok(bom::of_package_urls(purls)?),
        }
    }
}

impl Input {
    /// Understands what was typed. A bare word is an existing path, else a reference.
    ///
    /// # Errors
    /// When the words mean nothing, or several that are not all package URLs.
    pub fn parse(words: &[String], folder: &Utf8Path) -> Result<Self, Error> {
        let purl = |word: &String| word.strip_prefix("purl:").unwrap_or(word).to_owned();
        if !words.is_empty() && words.iter().map(purl).all(|word| word.starts_with("pkg:")) {
            let purls = words.iter().map(purl).collect();
            return Ok(Self::Bill(Bill::Packages(purls)));
        }
        match words {
            [] => Ok(Self::Store(RecordChoice::Last)),
            [word] if word == "-" => Ok(Self::Piped),
            [word] => Self::parse_word(word, folder),
            _ => Err(Error::Setting(
                "several inputs must all be package URLs".into(),
            )),
        }
    }

    fn parse_word(word: &str, folder: &Utf8Path) -> Result<Self, Error> {
        match word.split_once(':') {
            Some(("docker", reference)) => Ok(Self::Engine(Product::Docker, reference.parse()?)),
            Some(("podman", reference)) => Ok(Self::Engine(Product::Podman, reference.parse()?)),
            Some(("docker-archive" | "oci-archive" | "oci", rest)) => {
                Ok(path_and_name(folder, rest))
            }
            Some(("dir" | "file", path)) => Ok(Self::Folder(folder.join(path))),
            // Not one, as it seems: its reader says why.
            Some(("purl", text)) => Ok(Self::Bill(Bill::Packages(vec![text.to_owned()]))),
            Some(("sbom", path)) => Ok(Self::Bill(Bill::File(folder.join(path)))),
            Some(("store", name)) => {
                let name = name
                    .parse()
                    .map_err(|error| Error::Setting(format!("{error}")))?;
                Ok(Self::Store(RecordChoice::Artifact { name, run: None }))
            }
            Some(("registry", reference)) => Ok(Self::Registry(reference.parse()?)),
            _ => Self::parse_bare(word, folder),
        }
    }

    fn parse_bare(word: &str, folder: &Utf8Path) -> Result<Self, Error> {
        let path = folder.join(word);
        if path.is_file() {
            return Ok(match FileKind::of(&path) {
                FileKind::Bill => Self::Bill(Bill::File(path)),
                FileKind::Single => Self::Folder(path),
                FileKind::Archive => Self::Files { path, name: None },
            });
        }
        if path.is_dir() {
            let is_layout = path.join("index.json").exists();
            return Ok(if is_layout {
                Self::Files { path, name: None }
            } else {
                Self::Folder(path)
            });
        }
        Ok(Self::Anywhere(word.parse()?))
    }
}

/// Makes or reads the bill of materials of an input.
///
/// # Errors
/// When the input is not there, cannot be read, or lacks `options.path`.
pub async fn bill(
    surroundings: &Surroundings,
    store: &Store,
    input: &Input,
    options: Options,
    cache: Box<dyn LayerCache + Send>,
) -> Result<Sbom, Error> {
    match input {
        Input::Bill(bill) => {
            let bill = bill.clone();
            blocking(move || bill.read()).await
        }
        Input::Folder(path) => {
            let path = path.clone();
            Ok(blocking(move || catalog_directory(path.as_std_path(), &options)).await?)
        }
        Input::Files { path, name } => {
            let selection = Selection {
                name: name.clone(),
                platform: None,
            };
            let image = open_file(path.clone(), selection).await?;
            catalog(image, path.as_str(), options, cache).await
        }
        Input::Piped => of_pipe(options, cache).await,
        Input::Store(choice) => {
            let (surroundings, store, choice) =
                (surroundings.clone(), store.clone(), choice.clone());
            let found = blocking(move || {
                let chosen = choose(&surroundings, &store, &choice, true)?;
                let image = store.image(&chosen.digest, &chosen.record)?;
                Ok::<_, Error>((chosen, image))
            });
            let (chosen, image) = found.await?;
            catalog(image, chosen.record.artifact.as_str(), options, cache).await
        }
        Input::Engine(product, reference) => {
            let engine = engine::connect(surroundings, *product).await?;
            of_engine(&engine, reference, options, cache).await
        }
        Input::Registry(reference) => of_registry(surroundings, reference, options, cache).await,
        Input::Anywhere(reference) => of_anywhere(surroundings, reference, options, cache).await,
    }
}

async fn of_anywhere(
    surroundings: &Surroundings,
    reference: &Reference,
    options: Options,
    cache: Box<dyn LayerCache + Send>,
) -> Result<Sbom, Error> {
    let engine = engine::holding(surroundings).await;
    if let Ok(engine) = &engine
        && engine.inspect(reference).await?.is_some()
    {
        return of_engine(engine, reference, options, cache).await;
    }
    match of_registry(surroundings, reference, options, cache).await {
        Err(Error::Registry(source)) => Err(nowhere(engine, reference, source).await),
        pulled => pulled,
    }
}

/// Only now is the engine asked for names that resemble it.
async fn nowhere(
    engine: Result<Docker, Error>,
    reference: &Reference,
    source: barge_store::registry::Error,
) -> Error {
    let held = match engine {
        Ok(engine) => engine.require(reference).await.err(),
        Err(Error::Engine(error)) => Some(error),
        Err(error) => return error,
    };
    match held {
        Some(held) => Error::Nowhere {
            word: reference.familiar(),
            engine: Box::new(held),
            source: Box::new(source),
        },
        None => Error::Registry(source),
    }
}

/// What is piped in is kept in a file while it is read: an archive names its layers at its end.
async fn of_pipe(options: Options, cache: Box<dyn LayerCache + Send>) -> Result<Sbom, Error> {
    let (_folder, path) = blocking(|| keep(&mut io::stdin().lock())).await?;
    if FileKind::of(&path) == FileKind::Bill {
        return blocking(move || read_bill(&path)).await;
    }
    let image = open_file(path, Selection::default()).await?;
    catalog(image, "-", options, cache).await
}

async fn of_engine(
    engine: &Docker,
    reference: &Reference,
    options: Options,
    cache: Box<dyn LayerCache + Send>,
) -> Result<Sbom, Error> {
    let (_folder, path) = export(engine, reference).await?;
    let image = open_file(path, Selection::default()).await?;
    catalog(image, &reference.familiar(), options, cache).await
}

/// A registry's blobs pass through a temporary layout.
async fn of_registry(
    surroundings: &Surroundings,
    reference: &Reference,
    options: Options,
    cache: Box<dyn LayerCache + Send>,
) -> Result<Sbom, Error> {
    let folder = TemporaryFolder::new()?;
    let image = registry::pull(surroundings, reference, folder.path()).await?;
    catalog(image, &reference.familiar(), options, cache).await
}

/// Keeps nothing of what layers gave.
#[must_use]
pub fn no_cache() -> Box<dyn LayerCache + Send> {
    Box::new(NoCache)
}

/// An image is called as it calls itself, else as the user does.
async fn catalog(
    image: Image,
    word: &str,
    options: Options,
    cache: Box<dyn LayerCache + Send>,
) -> Result<Sbom, Error> {
    let name = image
        .references
        .first()
        .map_or_else(|| word.to_owned(), ToString::to_string);
    Ok(blocking(move || catalog_image(&image, &name, &options, &*cache)).await?)
}

/// An engine gives an archive; nothing of it is kept.
async fn export(
    engine: &Docker,
    reference: &Reference,
) -> Result<(TemporaryFolder, Utf8PathBuf), Error> {
    engine.require(reference).await?;
    let mut stream = engine.export(std::slice::from_ref(reference)).await?;
    blocking(move || keep(&mut stream)).await
}

/// Opens an image off the async threads: an archive is read from end to end for it.
async fn open_file(path: Utf8PathBuf, selection: Selection) -> Result<Image, Error> {
    Ok(blocking(move || open(&path, &selection)).await?)
}

/// Puts a stream into a file of a temporary folder, which goes with the value.
fn keep(stream: &mut impl io::Read) -> Result<(TemporaryFolder, Utf8PathBuf), Error> {
    let folder = TemporaryFolder::new()?;
    let path = folder.path().join("content");
    let kept = fs::File::create_new(&path).and_then(|mut file| io::copy(stream, &mut file));
    match kept {
        Ok(_) => Ok((folder, path)),
        Err(source) => Err(Error::File {
            action: "write",
            path,
            source,
        }),
    }
}

fn read_bill(path: &Utf8Path) -> Result<Sbom, Error> {
    let bytes = fs::read(path).map_err(|source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let mut sbom = bom::read(&bytes)?;
    if sbom.subject.name.is_empty() {
        sbom.subject.name = path.to_string();
    }
    Ok(sbom)
}

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    /// JSON, XML or SPDX's tags.
    Bill,
    /// A program, or an archive of Java's or Python's making.
    Single,
    /// Anything else: an image, or nothing that is understood.
    Archive,
}

impl FileKind {
    fn of(file: &Utf8Path) -> Self {
        use io::Read as _;
        let mut start = [0; 64];
        let read = fs::File::open(file).and_then(|mut file| file.read(&mut start));
        Self::from_start(start.get(..read.unwrap_or(0)).unwrap_or_default())
    }

    fn from_start(start: &[u8]) -> Self {
        let is_mark =
            |byte: &&u8| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf);
        match (start, start.iter().find(is_mark)) {
            (_, Some(b'{' | b'<')) => Self::Bill,
            _ if start.starts_with(b"SPDXVersion:") => Self::Bill,
            ([0x7f, b'E', b'L', b'F', ..] | [b'P', b'K', 3, 4, ..] | [b'M', b'Z', ..], _) => {
                Self::Single
            }
            ([0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..], _) => Self::Single,
            _ => Self::Archive,
        }
    }
}

/// `PATH[:NAME]`, where a path may hold colons itself.
fn path_and_name(folder: &Utf8Path, text: &str) -> Input {
    let whole = folder.join(text);
    let split = text
        .match_indices(':')
        .map(|(at, _)| (&text[..at], &text[at + 1..]));
    let mut parts = split.filter(|(path, _)| folder.join(path).exists());
    match parts.next().filter(|_| !whole.exists()) {
        Some((path, name)) => Input::Files {
            path: folder.join(path),
            name: Some(name.to_owned()),
        },
        None => Input::Files {
            path: whole,
            name: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Input, Error> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Input::parse(&words, Utf8Path::new("/nowhere"))
    }

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let kind = |start: &[u8]| FileKind::from_start(start);
        assert_eq!(kind(b"\xef\xbb\xbf {}"), FileKind::Bill);
        assert_eq!(kind(b"SPDXVersion: SPDX-2.3"), FileKind::Bill);
        assert_eq!(kind(b"\x7fELF\x02"), FileKind::Single);
        assert_eq!(kind(b"PK\x03\x04"), FileKind::Single);
        for archive in [&b"blobs/\0"[..], b"\x1f\x8b\x08", b"MZ"[..1].as_ref(), b""] {
            assert_eq!(kind(archive), FileKind::Archive, "{archive:?}");
        }
    }

    #[test]
    fn words_mean_one_thing() {
        assert_eq!(parse(&[]).unwrap(), Input::Store(RecordChoice::Last));
        assert_eq!(parse(&["-"]).unwrap(), Input::Piped);
        assert_eq!(
            parse(&["docker:a:1"]).unwrap(),
            Input::Engine(Product::Docker, "a:1".parse().unwrap())
        );
        assert_eq!(
            parse(&["podman:a:1"]).unwrap(),
            Input::Engine(Product::Podman, "a:1".parse().unwrap())
        );
        assert_eq!(
            parse(&["a:1"]).unwrap(),
            Input::Anywhere("a:1".parse().unwrap())
        );
        assert_eq!(
            parse(&["registry:a:1"]).unwrap(),
            Input::Registry("a:1".parse().unwrap())
        );
        assert_eq!(
            parse(&["sbom:x.json"]).unwrap(),
            Input::Bill(Bill::File("/nowhere/x.json".into()))
        );
        assert_eq!(
            parse(&["oci:x"]).unwrap(),
            Input::Files {
                path: "/nowhere/x".into(),
                name: None
            }
        );
        let purls = vec!["pkg:npm/a@1".to_owned(), "pkg:npm/b@2".to_owned()];
        assert_eq!(
            parse(&["purl:pkg:npm/a@1", "pkg:npm/b@2"]).unwrap(),
            Input::Bill(Bill::Packages(purls))
        );
        for words in [&["a", "b"][..], &["store:a/b"], &["Upper:1"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
