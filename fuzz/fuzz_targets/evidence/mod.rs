//! Hands bytes to the catalogers as a file of a name.

use barge_image::layer::{FileHead, Interest as _, path};
use barge_sbom::Catalogers;

/// What the catalogers make of a file; only that they come to an end matters here.
pub fn examine(name: &str, content: &[u8]) {
    let catalogers = Catalogers { declared: true };
    let (directory, file) = path::split(name.as_bytes());
    let head = FileHead {
        directory,
        name: file,
        size: content.len() as u64,
        mode: 0o755,
        head: &content[..content.len().min(512)],
    };
    if let Some(role) = catalogers.role(&head) {
        let _finding = catalogers.examine(role, name.as_bytes(), &content.to_vec());
    }
}

/// A name by the first byte, and what follows it.
pub fn choose<'a, 'n>(names: &[&'n str], data: &'a [u8]) -> Option<(&'n str, &'a [u8])> {
    let (first, content) = data.split_first()?;
    Some((names.get(usize::from(*first) % names.len())?, content))
}
