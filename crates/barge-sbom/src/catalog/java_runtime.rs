//! Java runtimes, by the file `release` at their root.

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(&[Name::Is("release")], runtime)
    .accepts(|file| {
        file.head
            .windows(13)
            .any(|window| window == b"JAVA_VERSION=")
    })];

/// `KEY="VALUE"` lines of a runtime's `release` file.
fn runtime(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let value = |key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches('"')).filter(|value| !value.is_empty())
    };
    let version = ["JAVA_RUNTIME_VERSION", "FULL_VERSION", "JAVA_VERSION"]
        .into_iter()
        .find_map(value);
    let Some(version) = version else {
        return Ok(Says::Packages(Vec::new()));
    };
    let has_compiler = text
        .lines()
        .any(|line| line.starts_with("MODULES=") && line.contains("jdk.compiler"));
    let name = if value("GRAALVM_VERSION").is_some() {
        "graalvm"
    } else if has_compiler || value("IMAGE_TYPE") == Some("JDK") {
        "openjdk"
    } else {
        "openjdk-jre"
    };
    let mut found = Found::new(PackageKind::Generic, name, version);
    found.fact("vendor", value("IMPLEMENTOR").unwrap_or_default());
    found.fact("classifier", "java-release");
    Ok(Says::Packages(vec![found]))
}
