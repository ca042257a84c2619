//! The names that docker before 25 gives layers in an export: `<id>/layer.tar`.
//!
//! The id is not the layer's digest but that of a small document about the layer and all below it (moby,
//! image/v1/imagev1.go, `CreateID`). For all layers but the top one that document follows from the diff_ids alone, so
//! that a layer can be recognised before its first byte is read.

use crate::config::chain_ids;
use crate::digest::Digest;

/// A container's config in which nothing is set, as docker writes it.
const NOTHING_SET: &str = concat!(
    r#"{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"#,
    r#""Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,"Image":"","Volumes":null,"#,
    r#""WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null}"#
);

/// The ids of all layers but the top one, base first, each with the diff_id of its layer. A daemon that runs in another
/// time zone than UTC gives others.
#[must_use]
pub fn legacy_names(diff_ids: &[Digest]) -> Vec<(Digest, Digest)> {
    let below_top = diff_ids.len().saturating_sub(1);
    let mut names: Vec<(Digest, Digest)> = Vec::with_capacity(below_top);
    let diff_ids = &diff_ids[..below_top];
    for (diff_id, chain_id) in diff_ids.iter().zip(chain_ids(diff_ids)) {
        let parent = names
            .last()
            .map(|(parent, _)| format!(r#","parent":"{parent}""#));
        let document = format!(
            r#"{{"container_config":{NOTHING_SET},"created":"1970-01-01T00:00:00Z","layer_id":"{chain_id}"{}}}"#,
            parent.unwrap_or_default()
        );
        names.push((Digest::of(document.as_bytes()), *diff_id));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Docker 20.10.24 named the layers of an image of three.
    #[test]
    fn names_are_dockers() {
        let diff_ids = [
            "f32331013778d3d414b42362441bc1d5c62fa7df9e182ee10bff23790ffe1969",
            "36a8276ccfcecea4145789801cf671f66e9740ffb9600f009732ef924fd924c3",
            "ac015d87c1e8d6f86087d1fe2c0513712c3c7e090b30b3814c906bc2292eacd2",
        ];
        let diff_ids = diff_ids.map(|hex| Digest::from_hex(hex).unwrap());
        let names = legacy_names(&diff_ids);
        let names: Vec<_> = names.iter().map(|(name, _)| name.hex()).collect();
        assert_eq!(
            names,
            [
                "beadcfc6d9628527c0a60d1ca0815f22c0808bea98c87aaf8b4764a9df278d12",
                "db57fa63f59693c40848fa0fef8bdca802c1b8df9f19136f5d89dd65fefd355c",
            ]
        );
        assert!(legacy_names(&[]).is_empty() && legacy_names(&diff_ids[..1]).is_empty());
    }
}
