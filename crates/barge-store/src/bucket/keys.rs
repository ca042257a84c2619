//! What is where in a bucket.

use barge_image::Digest;
use object_store::path::Path;

use crate::pointer::run_key;
use crate::remote::Wanted;

/// Keys below a prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        Self {
            prefix: prefix.to_owned(),
        }
    }

    fn key(&self, rest: &str) -> Path {
        if self.prefix.is_empty() {
            Path::from(rest)
        } else {
            Path::from(format!("{}/{rest}", self.prefix))
        }
    }

    pub(super) fn blobs(&self) -> Path {
        self.key("blobs/sha256")
    }

    pub(super) fn blob(&self, digest: &Digest) -> Path {
        self.key(&format!("blobs/sha256/{}", digest.hex()))
    }

    pub(super) fn relied(&self) -> Path {
        self.key("relied/sha256")
    }

    /// Whose time says when a blob was last relied on.
    pub(super) fn reliance(&self, digest: &Digest) -> Path {
        self.key(&format!("relied/sha256/{}", digest.hex()))
    }

    pub(super) fn layers(&self) -> Path {
        self.key("layers")
    }

    pub(super) fn layer(&self, diff_id: &Digest) -> Path {
        self.key(&format!("layers/{}", diff_id.hex()))
    }

    /// What the pointers that may be wanted begin with.
    pub(super) fn pointers(&self, wanted: &Wanted) -> Path {
        match (&wanted.artifact, &wanted.run) {
            (Some(name), Some(run)) => self.key(&format!("artifacts/{name}/{}", run_key(run))),
            (Some(name), None) => self.key(&format!("artifacts/{name}")),
            (None, _) => self.key("artifacts"),
        }
    }
}

/// The digest that a key ends with.
pub(super) fn digest_of(key: &Path) -> Option<Digest> {
    Digest::from_hex(key.filename()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_below_their_prefix() {
        let digest = Digest::of(b"");
        let at_root = Keys::new("").blob(&digest).to_string();
        assert_eq!(at_root, format!("blobs/sha256/{}", digest.hex()));
        let below = Keys::new("/ci/images/").blob(&digest);
        assert_eq!(below.to_string(), format!("ci/images/{at_root}"));
        assert_eq!(digest_of(&below), Some(digest));
        assert_eq!(digest_of(&Path::from("blobs/sha256/x")), None);
    }
}
