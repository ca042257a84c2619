//! WordPress: the core's `wp-includes/version.php`, the header comment of plug-ins (`wp-content/plugins/*/*.php`, or one
//! file without a folder, also in `mu-plugins`) and themes (`wp-content/themes/*/style.css`) (developer.wordpress.org, "Header requirements").

use super::{Name, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("version.php")], core)
        .accepts(|file| directory_ends_with(file, "wp-includes")),
    Recognizer::new(&[Name::Extension("php")], |file| {
        extension(file, "Plugin Name")
    })
    .accepts(|file| {
        let is_file = |kind: &str| directory_ends_with(file, kind);
        is_extension(file.directory, b"plugins")
            || is_extension(file.directory, b"mu-plugins")
            || is_file("wp-content/plugins")
            || is_file("wp-content/mu-plugins")
    }),
    Recognizer::new(&[Name::Is("style.css")], |file| {
        extension(file, "Theme Name")
    })
    .accepts(|file| is_extension(file.directory, b"themes")),
];

fn is_extension(directory: &[u8], kind: &[u8]) -> bool {
    let mut parents = directory.rsplit(|byte| *byte == b'/').skip(1);
    parents.next() == Some(kind) && parents.next() == Some(b"wp-content")
}

fn core(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let version = text.lines().find_map(|line| {
        let (_, value) = line.trim().strip_prefix("$wp_version")?.split_once('=')?;
        Some(
            value
                .trim()
                .trim_end_matches(';')
                .trim_matches(['\'', '"'])
                .to_owned(),
        )
    });
    let found = version.map(|version| {
        let mut found = Found::new(PackageKind::Generic, "wordpress", &version);
        found.fact(
            "cpe",
            format!("cpe:2.3:a:wordpress:wordpress:{version}:*:*:*:*:*:*:*"),
        );
        found
    });
    Ok(Says::Packages(found.into_iter().collect()))
}

/// Only the first 8 KiB are looked at, as WordPress itself does.
fn extension(file: &File<'_>, title: &str) -> Examined {
    let mut head = vec![0; 8192];
    let read = file.content.read_at(0, &mut head)?;
    let text = String::from_utf8_lossy(head.get(..read).unwrap_or_default());
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let line = line.trim_start_matches([' ', '\t', '*', '/', '#', '@']);
            let value = line.strip_prefix(name)?.trim_start().strip_prefix(':')?;
            Some(value.trim().trim_end_matches("*/").trim().to_owned())
                .filter(|value| !value.is_empty())
        })
    };
    let slug = match file.directories().next() {
        Some("plugins" | "mu-plugins") => file.name().trim_end_matches(".php"),
        folder => folder.unwrap_or_default(),
    };
    let (Some(name), Some(version)) = (field(title), field("Version")) else {
        return Ok(Says::Packages(Vec::new()));
    };
    let mut found = Found::new(PackageKind::Wordpress, slug, version);
    found.licenses = field("License")
        .map(|text| license::normalize(&text))
        .into_iter()
        .collect();
    found.fact("title", name);
    if title == "Theme Name" {
        found.fact("type", "theme");
    }
    found.fact("author", field("Author").unwrap_or_default());
    Ok(Says::Packages(vec![found]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_header_comments() {
        let content =
            b"<?php\n/**\n * Plugin Name: Akismet\n * Version: 5.3 \n * License: GPLv2\n */"
                .to_vec();
        let file = File {
            path: "var/www/wp-content/plugins/akismet/akismet.php",
            content: &content,
        };
        let Ok(Says::Packages(found)) = extension(&file, "Plugin Name") else {
            panic!("not read");
        };
        assert_eq!(
            (found[0].name.as_str(), found[0].version.as_str()),
            ("akismet", "5.3")
        );
    }
}
