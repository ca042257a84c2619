//! What GitHub workflows ask for: `uses: OWNER/NAME[/PATH]@REF` in `.github/workflows` (docs.github.com, "Workflow
//! syntax"). The reference is taken as the version: a tag or a commit.

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer, directory_ends_with};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[
        Recognizer::new(&[Name::Extension("yml"), Name::Extension("yaml")], |file| {
            lines::packages(file, PackageKind::Github, uses)
        })
        .accepts(|file| directory_ends_with(file, ".github/workflows"))
        .declared(),
    ];

fn uses(line: &str) -> Named {
    let line = line.trim_start_matches("- ").trim_start();
    let value = line.strip_prefix("uses:")?.split(" #").next()?;
    let (action, reference) = value.trim().trim_matches(['"', '\'']).split_once('@')?;
    let mut parts = action.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let is_local = owner.starts_with('.') || owner.contains(':');
    (!is_local && !reference.contains("${{"))
        .then(|| exactly(&format!("{owner}/{name}"), reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references() {
        let cases = [
            (
                "- uses: actions/checkout@v4",
                Some(("actions/checkout", "v4")),
            ),
            (
                "uses: \"github/codeql-action/init@0123abc\" # v3",
                Some(("github/codeql-action", "0123abc")),
            ),
            ("- uses: ./.github/actions/x", None),
            ("- uses: docker://alpine@sha256:1", None),
        ];
        lines::assert_read(uses, &cases);
    }
}
