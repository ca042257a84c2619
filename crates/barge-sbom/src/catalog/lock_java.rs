//! What Java projects ask for: `pom.xml` (maven.apache.org, "POM reference") and `*.lockfile` of Gradle (docs.gradle.org,
//! "Locking versions").

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer, maven};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("pom.xml")], pom).declared(),
    Recognizer::new(&[Name::Extension("lockfile")], |file| {
        lines::packages(file, PackageKind::Maven, gradle)
    })
    .declared(),
];

fn pom(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut all = maven::dependencies(&text);
    all.extend(maven::from_pom(&text));
    all.sort();
    let package = |pom: maven::Coordinates| {
        Found::new(
            PackageKind::Maven,
            format!("{}:{}", pom.group, pom.artifact),
            pom.version,
        )
    };
    Ok(Says::Packages(all.into_iter().map(package).collect()))
}

/// `group:artifact:version=configurations`.
fn gradle(line: &str) -> Named {
    if line.starts_with('#') {
        return None;
    }
    let (name, version) = line.split('=').next()?.rsplit_once(':')?;
    Some(exactly(name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_locked_dependencies() {
        let cases = [
            ("org.a:b:1.0=compileClasspath", Some(("org.a:b", "1.0"))),
            ("empty=annotationProcessor", None),
            ("# comment", None),
        ];
        lines::assert_read(gradle, &cases);
    }
}
