//! What Go projects ask for: `require` in `go.mod` (go.dev/ref/mod, "go.mod files"). What is replaced or excluded is not
//! asked for.

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(&[Name::Is("go.mod")], |file| {
    lines::packages(file, PackageKind::Golang, requirement)
})
.declared()];

/// `require x v1` and lines of its block; what is replaced or excluded is not asked for.
fn requirement(line: &str) -> Named {
    let line = line
        .split("//")
        .next()?
        .trim()
        .trim_start_matches("require ");
    let mut words = line.split_whitespace();
    let (path, version, rest) = (words.next()?, words.next()?, words.next());
    let exact = version.starts_with('v') && path.contains('.') && rest.is_none();
    exact.then(|| exactly(path, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_requirements() {
        let cases = [
            (
                "github.com/a/b v1.2.3 // indirect",
                Some(("github.com/a/b", "v1.2.3")),
            ),
            (
                "require example.com/x v0.1.0",
                Some(("example.com/x", "v0.1.0")),
            ),
            ("example.com/old v1.0.0 => example.com/new v1.1.0", None),
            ("go 1.22", None),
        ];
        lines::assert_read(requirement, &cases);
    }
}
