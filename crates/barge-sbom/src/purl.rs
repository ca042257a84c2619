//! Package URLs (purl-spec): which type, namespace, name and qualifiers each kind of package has.
//!
//! Spelling and escaping is the `packageurl` crate's. Beyond the specification, `upstream` names the source package of a
//! distribution package, as scanners read it; `deb`, `rpm`, `apk` and `alpm` carry `arch` and `distro`.

use std::collections::BTreeMap;

use packageurl::PackageUrl;

use crate::kind::WORDPRESS_THEME;
use crate::package::{Distro, PackageKind, SourcePackage};

/// What a package URL is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) kind: PackageKind,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) architecture: Option<&'a str>,
    pub(crate) source: Option<&'a SourcePackage>,
    /// Further facts, of which some kinds put some into the package URL.
    pub(crate) facts: Option<&'a BTreeMap<String, String>>,
}

impl Identity<'_> {
    fn fact(&self, key: &str) -> Option<&str> {
        self.facts?.get(key).map(String::as_str)
    }
}

/// The canonical package URL.
pub(crate) fn purl(identity: &Identity<'_>, distro: Option<&Distro>) -> String {
    build(identity, distro)
        .or_else(|_| generic(identity))
        .unwrap_or_else(|_| "pkg:generic/unnamed".to_owned())
}

fn build(identity: &Identity<'_>, distro: Option<&Distro>) -> packageurl::Result<String> {
    let (namespace, name) = namespace_and_name(identity, distro);
    let mut purl = PackageUrl::new(purl_type(identity), name)?;
    if let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) {
        purl.with_namespace(namespace)?;
    }
    let (epoch, version) = match (identity.kind, identity.version.split_once(':')) {
        (PackageKind::Rpm, Some((epoch, version))) => (Some(epoch), version),
        _ => (None, identity.version),
    };
    purl.with_version(version.to_owned())?;
    for (key, value) in qualifiers(identity, distro, epoch) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            purl.add_qualifier(key, value)?;
        }
    }
    purl.validate()?;
    Ok(purl.to_string())
}

fn purl_type(identity: &Identity<'_>) -> &'static str {
    match identity.kind {
        PackageKind::Wordpress if identity.fact("type") == Some("theme") => WORDPRESS_THEME,
        kind => kind.purl_type(),
    }
}

fn qualifiers(
    identity: &Identity<'_>,
    distro: Option<&Distro>,
    epoch: Option<&str>,
) -> Vec<(&'static str, Option<String>)> {
    if identity.kind.is_distribution() {
        let source = identity.source;
        return vec![
            ("arch", identity.architecture.map(str::to_owned)),
            ("distro", distro.map(distro_qualifier)),
            (
                "epoch",
                epoch.filter(|epoch| *epoch != "0").map(str::to_owned),
            ),
            (
                "upstream",
                source.and_then(|source| upstream(identity, source)),
            ),
        ];
    }
    let stated: &[&'static str] = match identity.kind {
        PackageKind::Conda => &["build", "channel", "subdir"],
        PackageKind::Gem => &["platform"],
        PackageKind::Julia => &["uuid"],
        PackageKind::Vcpkg => &["port_version"],
        _ => &[],
    };
    let stated = stated.iter();
    stated
        .map(|key| (*key, identity.fact(key).map(str::to_owned)))
        .collect()
}

/// Some registered types demand a namespace that evidence may not state.
fn generic(identity: &Identity<'_>) -> packageurl::Result<String> {
    let mut purl = PackageUrl::new("generic", identity.name.to_owned())?;
    purl.with_version(identity.version.to_owned())?;
    Ok(purl.to_string())
}

/// `pkg:oci/NAME@sha256:...` of an image; none for a directory, or an image without a name.
#[must_use]
pub fn image(subject: &crate::package::Subject) -> Option<String> {
    let digest = subject.manifest.or(subject.image)?;
    let reference = subject.references.first()?;
    let name = reference.name();
    let repository = format!("{}/{}", name.registry(), name.path());
    let name = name.path().rsplit('/').next()?.to_lowercase();
    let build = || -> packageurl::Result<String> {
        let mut purl = PackageUrl::new("oci", name.clone())?;
        purl.with_version(digest.to_string())?;
        if let Some(architecture) = &subject.architecture {
            purl.add_qualifier("arch", architecture.clone())?;
        }
        purl.add_qualifier("repository_url", repository.clone())?;
        if let Some(tag) = reference.tag() {
            purl.add_qualifier("tag", tag.to_string())?;
        }
        Ok(purl.to_string())
    };
    build().ok()
}

fn namespace_and_name(
    identity: &Identity<'_>,
    distro: Option<&Distro>,
) -> (Option<String>, String) {
    let name = identity.name;
    let stated = identity.fact("namespace").map(str::to_owned);
    if let Some(separator) = identity.kind.separator() {
        return match name.rsplit_once(separator) {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (stated, name.to_owned()),
        };
    }
    match identity.kind {
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Alpm
        | PackageKind::Rpm
        | PackageKind::Opkg => {
            let namespace = distro.map(|distro| vendor(&distro.id).to_owned());
            (
                namespace.or_else(|| default_vendor(identity.kind)),
                name.to_owned(),
            )
        }
        PackageKind::Pypi => (None, pypi_name(name)),
        PackageKind::Luarocks => (stated, name.to_lowercase()),
        _ => (stated, name.to_owned()),
    }
}

/// The namespaces that the purl specification and advisories use, where `os-release` has another name.
fn vendor(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        "opensuse-leap" | "opensuse-tumbleweed" | "opensuse-microos" => "opensuse",
        "archlinux" => "arch",
        _ => id,
    }
}

fn default_vendor(kind: PackageKind) -> Option<String> {
    let vendor = match kind {
        PackageKind::Deb => "debian",
        PackageKind::Apk => "alpine",
        PackageKind::Alpm => "arch",
        _ => return None,
    };
    Some(vendor.to_owned())
}

fn distro_qualifier(distro: &Distro) -> String {
    let version = distro.version_id.as_ref().or(distro.build_id.as_ref());
    version.map_or_else(
        || distro.id.clone(),
        |version| format!("{}-{version}", distro.id),
    )
}

/// The source package where it differs: `NAME`, or `NAME@VERSION` where its version differs too.
fn upstream(identity: &Identity<'_>, source: &SourcePackage) -> Option<String> {
    let other_version = !source.version.is_empty() && source.version != identity.version;
    if identity.kind == PackageKind::Rpm {
        return Some(source_rpm(source));
    }
    if source.name == identity.name && !other_version {
        return None;
    }
    Some(if other_version {
        format!("{}@{}", source.name, source.version)
    } else {
        source.name.clone()
    })
}

/// The file name of a source rpm, which is what readers of `upstream` expect: without epoch.
fn source_rpm(source: &SourcePackage) -> String {
    let version = source
        .version
        .split_once(':')
        .map_or(source.version.as_str(), |(_, v)| v);
    format!("{}-{version}.src.rpm", source.name)
}

/// The comparable form of the name of a Python project (PEP 503).
pub(crate) fn pypi_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}

#[cfg(test)]
mod tests;
