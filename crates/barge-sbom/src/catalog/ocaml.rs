//! OCaml: what opam installed into a switch, `.opam-switch/switch-state` (opam manual, "switch-state"), and what a project
//! asks for, `*.opam.locked`.

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer, directory_ends_with};
use crate::finding::{Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("switch-state")], |file| {
        Ok(Says::Packages(installed(&file.text()?)))
    })
    .accepts(|file| directory_ends_with(file, ".opam-switch")),
    Recognizer::new(&[Name::Extension("locked")], |file| {
        lines::packages(file, PackageKind::Opam, locked)
    })
    .accepts(|file| file.name.ends_with(b".opam.locked"))
    .declared(),
];

/// The list `installed: ["NAME.VERSION" ...]`; base packages are parts of the compiler and have no version.
fn installed(text: &str) -> Vec<Found> {
    let starts = |line: &str| line.trim_start().starts_with("installed:");
    let lines = text.lines().skip_while(|line| !starts(line));
    let mut found = Vec::new();
    for line in lines {
        for entry in line.split('"').skip(1).step_by(2) {
            if let Some((name, version)) = entry.split_once('.')
                && version.starts_with(|c: char| c.is_ascii_alphanumeric())
                && version != "base"
            {
                found.push(Found::new(PackageKind::Opam, name, version));
            }
        }
        if line.contains(']') {
            break;
        }
    }
    found
}

/// `"name" {= "1.0"}`.
fn locked(line: &str) -> Named {
    let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
    let version = rest.split_once("{= \"")?.1.split('"').next()?;
    Some(exactly(name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_switch() {
        let text = "opam-version: \"2.0\"\ncompiler: [\"ocaml-base-compiler.5.2.0\"]\nroots: [\"dune.3.16.0\"]\n\
installed: [\n  \"base-unix.base\"\n  \"dune.3.16.0\"\n  \"ocaml-config.3\"\n]\npinned: [\"x.1\"]\n";
        let found = installed(text);
        let names: Vec<_> = found
            .iter()
            .map(|found| (&*found.name, &*found.version))
            .collect();
        assert_eq!(names, [("dune", "3.16.0"), ("ocaml-config", "3")]);
    }

    #[test]
    fn reads_locks() {
        let cases = [
            ("\"dune\" {= \"3.0\"}", Some(("dune", "3.0"))),
            ("\"dune\" {>= \"3.0\"}", None),
        ];
        lines::assert_read(locked, &cases);
    }
}
