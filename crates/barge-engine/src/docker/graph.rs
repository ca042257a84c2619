//! An image where the graph driver of a daemon on this machine keeps it.
//!
//! A daemon with a graph driver exports an image by writing all of it to a temporary folder first, whatever of it is
//! wanted (moby, image/tarexport/save.go). Who may read the daemon's data folder, as root may, can read single layers
//! instead, at the speed of the disk. Nothing there is trusted: a config must have the digest that is the image's ID, and
//! whoever takes a layer compares its bytes with its diff_id. Where anything is not as expected, the export remains.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};

use barge_image::compression::Compression;
use barge_image::config::chain_ids;
use barge_image::image::LayerSource;
use barge_image::{DOCUMENT_LIMIT, Digest, RawConfig};
use camino::{Utf8Path, Utf8PathBuf};

use super::answers::{InspectedImage, Product};
use super::client::Docker;
use super::host::DockerHost;
use super::tar_split::TarSplit;

/// The driver whose layers are read: what Docker uses wherever it can, unless it has a containerd store.
const DRIVER: &str = "overlay2";

/// An image of a graph driver, found but not read.
#[derive(Debug)]
pub struct GraphImage {
    config: RawConfig,
    layers: Vec<GraphLayer>,
}

/// Where a layer lies.
#[derive(Debug)]
struct GraphLayer {
    /// Its unpacked files.
    files: Utf8PathBuf,
    /// The rest of its tar.
    split: Utf8PathBuf,
}

impl Docker {
    /// Finds an image in the daemon's data folder; `None` where it does not lie open on this machine.
    ///
    /// # Errors
    /// When it lies on this machine and cannot be read.
    pub fn in_graph(&self, image: &InspectedImage) -> io::Result<Option<GraphImage>> {
        let info = self.info();
        let is_here = matches!(self.host, DockerHost::Unix(_)) && info.product == Product::Docker;
        let root = info.data_root.as_deref();
        let root = root.filter(|_| is_here && info.driver == DRIVER && !info.containerd_store);
        root.map(|root| GraphImage::find(root, image)).transpose()
    }
}

impl GraphImage {
    fn find(root: &Utf8Path, image: &InspectedImage) -> io::Result<Self> {
        let database = root.join("image").join(DRIVER);
        let config = database.join("imagedb/content/sha256").join(image.id.hex());
        let config = read_document(&config)?;
        if Digest::of(&config) != image.id {
            return Err(io::Error::other("the config is not the image's"));
        }
        let config = RawConfig::parse(config)?;
        let layers = chain_ids(&config.parsed().rootfs.diff_ids)
            .into_iter()
            .map(|chain_id| GraphLayer::find(root, &database, &chain_id));
        Ok(Self {
            layers: layers.collect::<io::Result<_>>()?,
            config,
        })
    }

    /// The config, as it is.
    #[must_use]
    pub fn config(&self) -> &RawConfig {
        &self.config
    }
}

impl GraphLayer {
    fn find(root: &Utf8Path, database: &Utf8Path, chain_id: &Digest) -> io::Result<Self> {
        let entry = database.join("layerdb/sha256").join(chain_id.hex());
        let cache_id =
            String::from_utf8_lossy(&read_document(&entry.join("cache-id"))?).into_owned();
        let is_name =
            !cache_id.is_empty() && cache_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_name {
            return Err(io::Error::other(format!("`{entry}` names no folder")));
        }
        let files = root.join(DRIVER).join(cache_id).join("diff");
        fs::read_dir(&files)?;
        Ok(Self {
            files,
            split: entry.join("tar-split.json.gz"),
        })
    }

    fn open(&self) -> io::Result<impl Read + use<>> {
        let lines = Compression::Gzip.decoder(File::open(&self.split)?)?;
        let root = File::open(&self.files)?;
        let lines = BufReader::with_capacity(64 << 10, lines);
        Ok(TarSplit::new(lines, move |name| open_beneath(&root, name)))
    }
}

impl LayerSource for GraphImage {
    fn open(&self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        let layer = self.layers.get(index).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(layer.open()?))
    }

    fn file(&self, _index: usize) -> Option<&File> {
        None
    }
}

/// Opens a file of a layer as the daemon unpacked it: seen from a root that no link leads out of, and nothing but a file.
#[cfg(target_os = "linux")]
fn open_beneath(root: &File, name: &[u8]) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    // A pipe would be waited for without NONBLOCK.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(root, name, flags, Mode::empty(), within)?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    let name = String::from_utf8_lossy(name);
    Err(io::Error::other(format!("`{name}` is no file")))
}

/// Daemons on other systems keep their images in a virtual machine.
#[cfg(not(target_os = "linux"))]
fn open_beneath(_root: &File, _name: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

fn read_document(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(DOCUMENT_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn nothing_but_files_of_the_layer_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("diff");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(folder.path().join("secret"), "of the host").unwrap();
        fs::write(root.join("etc/name"), "of the layer").unwrap();
        symlink("/etc", root.join("link")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        let pipe = root.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let root = File::open(root).unwrap();
        let read = |name: &str| {
            let mut text = String::new();
            open_beneath(&root, name.as_bytes())?.read_to_string(&mut text)?;
            Ok::<_, io::Error>(text)
        };
        // As the daemon unpacked them: links on the way lead where they lead inside the layer.
        for name in [
            "etc/name",
            "./etc/name",
            "/etc/name",
            "link/name",
            "../etc/name",
        ] {
            assert_eq!(read(name).unwrap(), "of the layer", "{name}");
        }
        for name in ["../secret", "out", "link/passwd", "pipe", "etc", "missing"] {
            assert!(read(name).is_err(), "{name}");
        }
    }
}
