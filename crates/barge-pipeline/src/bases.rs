//! The images that a build starts from, for its record: by name as the Dockerfile says, by digest as far as somebody here
//! knows it.

use std::collections::BTreeMap;

use barge_engine::Docker;
use barge_engine::dockerfile::{Dockerfile, Scope};
use barge_engine::embedded::NamedContext;
use barge_image::record::BaseImage;
use barge_image::{Digest, Platform, Reference, Selection};

use crate::surroundings::Surroundings;

/// The images that the stages of a build start from, in the order of the Dockerfile, as far as the target needs them. A
/// Dockerfile that cannot be understood names none: that is the builder's to say.
pub(crate) async fn bases(
    surroundings: &Surroundings,
    defaults: &BTreeMap<String, String>,
    platform: &Platform,
    docker: Option<&Docker>,
) -> Vec<BaseImage> {
    let settings = &surroundings.build;
    let path = surroundings.path(&settings.dockerfile());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let Ok(dockerfile) = Dockerfile::parse(&text) else {
        return Vec::new();
    };
    let scope = Scope {
        target: settings.target.as_deref(),
        platform,
        given: &|name| settings.args.get(name).or(defaults.get(name)).cloned(),
    };
    let mut bases = Vec::new();
    for name in dockerfile.bases(&scope) {
        let digest = match (name.digest(), docker) {
            (Some(digest), _) => Some(*digest),
            (None, Some(docker)) => held(docker, &name).await,
            (None, None) => lying(surroundings, &name),
        };
        bases.push(BaseImage { name, digest });
    }
    bases
}

/// The digest by which the engine once pulled or pushed an image.
async fn held(docker: &Docker, name: &Reference) -> Option<Digest> {
    let image = docker.inspect(name).await.ok()??;
    let mut digests = image.digests.iter();
    let of_name = digests.find(|digest| digest.name() == name.name());
    of_name.and_then(Reference::digest).copied()
}

/// The manifest of an image that lies where the settings say.
fn lying(surroundings: &Surroundings, name: &Reference) -> Option<Digest> {
    let mut contexts = surroundings.build.contexts.iter();
    let is_it = |text: &str| text.parse::<Reference>().is_ok_and(|found| found == *name);
    let (_, context) = contexts.find(|(text, _)| is_it(text))?;
    let context: NamedContext = context.parse().ok()?;
    let NamedContext::Image { path, name } = context.in_folder(&surroundings.folder) else {
        return None;
    };
    let selection = Selection {
        name,
        platform: None,
    };
    let image = barge_image::open(&path, &selection).ok()?;
    Some(image.manifest?.descriptor().digest)
}
