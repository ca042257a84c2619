//! PHP: Composer's `installed.json` of either version, `composer.lock`, Composer itself, which is one PHP archive; PEAR and PECL's registry `.registry/**/*.reg`,
//! which are values in PHP's serialisation (php.net, "serialize"; PEAR, `PEAR/Registry.php`).

use serde_json::{Map, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("installed.json")], |file| {
        composer(file, &["packages"])
    })
    .accepts(|file| super::directory_ends_with(file, "composer")),
    Recognizer::new(&[Name::Is("composer.lock")], |file| {
        composer(file, &["packages", "packages-dev"])
    })
    .declared(),
    Recognizer::new(
        &[Name::Is("composer"), Name::Is("composer.phar")],
        composer_itself,
    )
    .accepts(|file| file.head.starts_with(b"#!") && file.size > 1 << 20),
    Recognizer::new(&[Name::Extension("reg")], pear).accepts(|file| {
        let mut parents = file.directory.rsplit(|byte| *byte == b'/');
        parents.any(|name| name == b".registry")
    }),
];

/// A list of packages, or an object with such lists.
fn composer(file: &File<'_>, lists: &[&str]) -> Examined {
    let json: Value = file.json()?;
    let packages: Vec<&Value> = match &json {
        Value::Array(packages) => packages.iter().collect(),
        Value::Object(object) => {
            let lists = lists
                .iter()
                .filter_map(|list| object.get(*list)?.as_array());
            lists.flatten().collect()
        }
        _ => return Err(Refusal::new("neither a list nor an object")),
    };
    Ok(Says::Packages(
        packages.into_iter().filter_map(composer_package).collect(),
    ))
}

fn composer_package(json: &Value) -> Option<Found> {
    let text = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let mut found = Found::new(PackageKind::Composer, text("name")?, text("version")?);
    found.licenses = match json.get("license") {
        Some(Value::String(name)) => vec![license::normalize(name)],
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .map(license::normalize)
            .collect(),
        _ => Vec::new(),
    };
    let needs = json.get("require").and_then(Value::as_object);
    found.requires = needs
        .into_iter()
        .flat_map(Map::keys)
        .map(|name| vec![name.clone()])
        .collect();
    found.fact("homepage", text("homepage").unwrap_or_default());
    Some(found)
}

/// `Composer::VERSION`, a constant in the archive's source, which is not compressed.
fn composer_itself(file: &File<'_>) -> Examined {
    const MARK: &[u8] = b"const VERSION = '";
    let bytes = file.content.bytes(16 << 20)?;
    let version = bytes
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
        .find_map(|(at, _)| {
            let mut rest = bytes.get(at + MARK.len()..)?.iter();
            let end = rest
                .position(|byte| *byte == b'\'')
                .filter(|end| *end < 32)?;
            let version = bytes.get(at + MARK.len()..at + MARK.len() + end)?;
            let version = std::str::from_utf8(version).ok()?;
            let is_release = version.starts_with(|c: char| c.is_ascii_digit());
            (is_release && version.contains('.')).then(|| version.to_owned())
        });
    let found = version.map(|version| {
        let mut found = Found::new(PackageKind::Generic, "composer", &version);
        found.fact(
            "cpe",
            format!("cpe:2.3:a:getcomposer:composer:{version}:*:*:*:*:*:*:*"),
        );
        found.fact("classifier", "composer");
        found
    });
    Ok(Says::Packages(found.into_iter().collect()))
}

fn pear(file: &File<'_>) -> Examined {
    let bytes = file.content.bytes(16 << 20)?;
    let (value, _) = unserialize(&bytes, 0).ok_or_else(|| Refusal::new("not a PHP value"))?;
    Ok(Says::Packages(pear_package(&value).into_iter().collect()))
}

fn pear_package(value: &Value) -> Option<Found> {
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let name = ["name", "package"]
        .into_iter()
        .find_map(|key| text(value.get(key)?))?;
    let version = match value.get("version")? {
        Value::String(version) => version.clone(),
        version => text(version.get("release")?)?,
    };
    let channel = value
        .get("channel")
        .and_then(text)
        .unwrap_or_else(|| "pear.php.net".into());
    let mut found = Found::new(PackageKind::Pear, name, version);
    let declared = value
        .get("license")
        .and_then(|entry| text(entry).or_else(|| text(entry.get("_content")?)));
    found.licenses = declared
        .iter()
        .map(|text| license::normalize(text))
        .collect();
    found.fact("namespace", &channel);
    found.fact("channel", channel);
    Some(found)
}

/// One serialised value and the rest. Arrays become objects.
fn unserialize(bytes: &[u8], depth: u32) -> Option<(Value, &[u8])> {
    if depth > 64 {
        return None;
    }
    let until = |bytes: &'_ [u8], mark: u8| -> Option<(String, usize)> {
        let end = bytes.iter().position(|byte| *byte == mark)?;
        Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 1))
    };
    let kind = *bytes.first()?;
    if kind == b'N' {
        return Some((Value::Null, bytes.get(2..)?));
    }
    let body = bytes.get(2..)?;
    match kind {
        b'i' | b'd' | b'b' => {
            let (number, next) = until(body, b';')?;
            Some((Value::String(number), body.get(next..)?))
        }
        b's' => {
            let (length, next) = until(body, b':')?;
            let text = body.get(next + 1..)?;
            let (text, rest) = text.split_at_checked(length.parse().ok()?)?;
            let text = String::from_utf8_lossy(text).into_owned();
            Some((Value::String(text), rest.strip_prefix(b"\";")?))
        }
        b'a' => {
            let (count, next) = until(body, b':')?;
            let mut rest = body.get(next..)?.strip_prefix(b"{")?;
            let mut object = Map::new();
            for _ in 0..count.parse::<u32>().ok()? {
                let (key, after) = unserialize(rest, depth + 1)?;
                let (value, after) = unserialize(after, depth + 1)?;
                object.insert(key.as_str()?.to_owned(), value);
                rest = after;
            }
            Some((Value::Object(object), rest.strip_prefix(b"}")?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_generations_of_pear() {
        let old = br#"a:3:{s:7:"package";s:3:"Old";s:7:"version";s:5:"1.0.1";s:1:"n";N;}"#;
        let new = br#"a:4:{s:4:"name";s:3:"New";s:7:"channel";s:12:"pecl.php.net";s:7:"version";a:2:{s:7:"release";s:3:"2.0";s:3:"api";s:1:"2";}s:1:"x";a:1:{i:0;b:1;}}"#;
        let read = |bytes: &[u8]| pear_package(&unserialize(bytes, 0).unwrap().0).unwrap();
        assert_eq!(
            (read(old).name.as_str(), read(old).version.as_str()),
            ("Old", "1.0.1")
        );
        assert_eq!(
            (
                read(new).version.as_str(),
                read(new).facts["channel"].as_str()
            ),
            ("2.0", "pecl.php.net")
        );
    }

    #[test]
    fn reads_the_version_of_composer() {
        let content =
            b"#!/usr/bin/env php\nconst VERSION = '@package_version@';\nconst VERSION = '2.8.4';\n"
                .to_vec();
        let file = File {
            path: "usr/local/bin/composer",
            content: &content,
        };
        let Ok(Says::Packages(found)) = composer_itself(&file) else {
            panic!("not read");
        };
        assert_eq!((&*found[0].name, &*found[0].version), ("composer", "2.8.4"));
    }

    #[test]
    fn refuses_depth_and_cuts() {
        let deep = [b"a:1:{i:0;".repeat(100_000), b"N;".to_vec()].concat();
        assert!(unserialize(&deep, 0).is_none());
        let value = br#"a:1:{s:1:"a";s:1:"b";}"#;
        for end in 0..value.len() {
            assert!(unserialize(&value[..end], 0).is_none(), "{end}");
        }
        assert!(unserialize(br#"s:99999999999:"x";"#, 0).is_none());
    }
}
