//! What projects for Apple's systems ask for: `Podfile.lock` (guides.cocoapods.org).

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("Podfile.lock")], |file| {
        lines::packages(file, PackageKind::Cocoapods, pod)
    })
    .declared()];

/// `- Name (1.0):` under `PODS:`.
fn pod(line: &str) -> Named {
    let entry = line
        .strip_prefix("- ")?
        .trim_end_matches(':')
        .trim_matches('"');
    let (name, version) = entry.strip_suffix(')')?.split_once(" (")?;
    // `AFNetworking/NSURLSession` is a part of the pod.
    let name = name.split('/').next()?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| exactly(name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pods() {
        let cases = [
            ("- AFNetworking (4.0.1):", Some(("AFNetworking", "4.0.1"))),
            ("- AFNetworking (~> 4.0)", None),
        ];
        lines::assert_read(pod, &cases);
    }
}
