//! From the layers of an image to its bill, step by step.

use barge_image::layer::LayerIndex;
use barge_image::rootfs::{NodeId, RootFs};

use super::hits::{self, Hits};
use super::{candidate, depends, duplicate, merge, nix, owner, unknown};
use crate::error::Error;
use crate::finding::{Finding, Says};
use crate::package::{Distro, LayerFact, Sbom, Subject};

/// What a bill is restricted or extended to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) path: Option<&'a str>,
    pub(crate) declared: bool,
}

/// Makes the bill of an image from its layers, lowest first. `facts` names them, in the same order.
pub(crate) fn assemble(
    subject: Subject,
    facts: Vec<LayerFact>,
    layers: &[&LayerIndex<Finding>],
    scope: Scope<'_>,
) -> Result<Sbom, Error> {
    let tree = RootFs::squash(layers);
    let within = restriction(&tree, scope, &subject)?;
    let late = hits::late(&tree, layers, scope.declared);
    let hits = Hits::collect(&tree, &late);
    let distro = distro(&tree, &hits);
    let store = nix::packages(&tree);
    let mut candidates = candidate::of_hits(&tree, &hits, distro.as_ref());
    let folders = store.iter();
    candidates.extend(folders.map(|(node, found)| candidate::of_store(&tree, *node, found)));
    duplicate::drop_said_better(&mut candidates);
    owner::mark(&tree, &hits, &mut candidates);
    depends::link(&mut candidates);
    candidates.retain(|candidate| !duplicate::is_copy_of_owner(candidate));
    if let Some(within) = within {
        candidates.retain(|candidate| is_within(&tree, candidate.node, within));
    }
    let unknowns = unknown::collect(&tree, &hits, &late, layers, &facts, within);
    let mut sbom = Sbom {
        subject,
        distro,
        layers: facts,
        packages: Vec::new(),
        unknowns,
    };
    sbom.packages = merge::merge(&candidates, &sbom.layers);
    Ok(sbom)
}

fn restriction(
    tree: &RootFs<'_, Finding>,
    scope: Scope<'_>,
    subject: &Subject,
) -> Result<Option<NodeId>, Error> {
    let Some(path) = scope.path else {
        return Ok(None);
    };
    match tree.resolve(path.as_bytes()) {
        Some(node) => Ok(Some(node)),
        None => Err(Error::NoSuchPath {
            path: path.to_owned(),
            subject: subject.name.clone(),
        }),
    }
}

pub(super) fn is_within(tree: &RootFs<'_, Finding>, node: NodeId, ancestor: NodeId) -> bool {
    let mut at = node;
    loop {
        if at == ancestor {
            return true;
        }
        let parent = tree.parent(at);
        if parent == at {
            return false;
        }
        at = parent;
    }
}

/// The file that `etc/os-release` leads to, else that of `usr/lib`.
fn distro(tree: &RootFs<'_, Finding>, hits: &Hits<'_>) -> Option<Distro> {
    let says = |path: &[u8]| hits.of(tree.resolve(path)?);
    let paths: [&[u8]; 2] = [b"etc/os-release", b"usr/lib/os-release"];
    let mut distro = paths.into_iter().find_map(|path| match says(path)? {
        Says::Distro(distro) => Some(distro.clone()),
        _ => None,
    })?;
    if let Some(Says::Lines(repositories)) = says(b"etc/apk/repositories") {
        distro.repositories.clone_from(repositories);
    }
    Some(distro)
}
