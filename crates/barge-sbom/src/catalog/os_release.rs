//! The distribution: `os-release` (freedesktop.org), and the versions that Alpine's repositories name.

use super::{Name, Place, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Says};
use crate::package::Distro;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(
        &[Name::Is("os-release"), Name::Begins("os-release-")],
        |file| file.text().map(|text| Says::Distro(parse(&text))),
    )
    .place(Place::Files(&["etc/os-release", "lib/os-release"])),
    Recognizer::new(&[Name::Is("repositories")], repositories)
        .accepts(|file| directory_ends_with(file, "etc/apk"))
        .place(Place::Files(&["etc/apk/repositories"])),
];

/// Reads `KEY=VALUE` lines with shell quoting.
fn parse(text: &str) -> Distro {
    let mut distro = Distro::default();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        let value = unquote(value);
        let some = Some(value.clone()).filter(|value| !value.is_empty());
        match key {
            "ID" => distro.id = value.to_lowercase(),
            "ID_LIKE" => distro.id_like = value.split_whitespace().map(str::to_owned).collect(),
            "VERSION_ID" => distro.version_id = some,
            "VERSION_CODENAME" => distro.codename = some,
            "BUILD_ID" => distro.build_id = some,
            "PRETTY_NAME" => distro.pretty_name = some,
            _ => {}
        }
    }
    if distro.id.is_empty() {
        "linux".clone_into(&mut distro.id);
    }
    distro
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut text = String::new();
    let mut escaped = false;
    for character in inner.unwrap_or(value).chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(character);
            escaped = false;
        }
    }
    text
}

/// `https://host/alpine/v3.19/main` names `v3.19`; `@testing https://host/alpine/edge/testing` names `edge`.
fn repositories(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut versions: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_end_matches('/').rsplit('/').nth(1))
        .filter(|part| *part == "edge" || part.starts_with('v'))
        .map(str::to_owned)
        .collect();
    versions.sort();
    versions.dedup();
    Ok(Says::Lines(versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quoted_and_bare_values() {
        let distro = parse(
            "ID=\"Debian\"\nVERSION_ID='13'\nID_LIKE=\"rhel fedora\"\nPRETTY_NAME=\"A \\\"b\\\"\"\nX\n",
        );
        assert_eq!(distro.id, "debian");
        assert_eq!(distro.version_id.as_deref(), Some("13"));
        assert_eq!(distro.id_like, ["rhel", "fedora"]);
        assert_eq!(distro.pretty_name.as_deref(), Some("A \"b\""));
    }
}
