//! Ruby: `specifications/*.gemspec` and `specifications/default/*.gemspec` of installed gems, which RubyGems writes in one
//! fixed form of Ruby (`Gem::Specification#to_ruby`); `Gemfile.lock` for what a project asks for.

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("gemspec")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(specification(&text).into_iter().collect()))
    })
    .accepts(|file| {
        let mut parents = file.directory.rsplit(|byte| *byte == b'/');
        match parents.next() {
            Some(b"specifications") => true,
            Some(b"default") => parents.next() == Some(b"specifications"),
            _ => false,
        }
    }),
    Recognizer::new(&[Name::Extension("gemspec")], |file| {
        let text = file.text()?;
        let written = text
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("# stub: "));
        let found = written.then(|| specification(&text)).flatten();
        Ok(Says::Packages(found.into_iter().collect()))
    })
    .accepts(|file| is_from_git(file.directory)),
    Recognizer::new(&[Name::Is("Gemfile.lock"), Name::Is("gems.locked")], lock).declared(),
];

/// `bundler/gems/NAME-COMMIT` or one or two folders in it: there Bundler writes the specifications of gems that it takes from
/// git in the fixed form, too.
fn is_from_git(directory: &[u8]) -> bool {
    let parents: Vec<_> = directory.rsplit(|byte| *byte == b'/').take(5).collect();
    let mut above = parents.windows(2).skip(1);
    above.any(|pair| matches!(pair, [b"gems", b"bundler"]))
}

fn specification(text: &str) -> Option<Found> {
    let assigned = |field: &str| {
        text.lines().find_map(|line| {
            let (target, value) = line.trim().split_once(" = ")?;
            (target.strip_prefix("s.") == Some(field)).then_some(value)
        })
    };
    let name = strings(assigned("name")?).into_iter().next()?;
    let version = strings(assigned("version")?).into_iter().next()?;
    let mut found = Found::new(PackageKind::Gem, name, version);
    let licenses = assigned("licenses").or_else(|| assigned("license"));
    found.licenses = strings(licenses.unwrap_or_default())
        .iter()
        .map(|text| license::normalize(text))
        .collect();
    found.requires = text
        .lines()
        .filter(|line| {
            line.contains(".add_runtime_dependency(") || line.contains(".add_dependency(")
        })
        .filter_map(|line| strings(line).into_iter().next())
        .map(|name| vec![name])
        .collect();
    for (fact, field) in [("homepage", "homepage"), ("platform", "platform")] {
        let value = strings(assigned(field).unwrap_or_default());
        found.fact(fact, value.into_iter().next().unwrap_or_default());
    }
    let authors = strings(assigned("authors").unwrap_or_default());
    found.fact("author", authors.join(", "));
    Some(found)
}

/// The string literals of a line: `"x"`, `'x'` and `%q<x>`.
fn strings(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'', '%']) {
        let tail = &rest[at..];
        let (close, body) = if let Some(body) = tail.strip_prefix("%q<") {
            ('>', body)
        } else if let Some(more) = tail.strip_prefix('%') {
            rest = more;
            continue;
        } else {
            (if tail.starts_with('"') { '"' } else { '\'' }, &tail[1..])
        };
        let Some(end) = body.find(close) else {
            break;
        };
        found.push(body[..end].to_owned());
        rest = &body[end + close.len_utf8()..];
    }
    found
}

/// The `specs:` of a lock file: four blanks before a gem, six before what it needs.
fn lock(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut found: Vec<Found> = Vec::new();
    let mut in_specs = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        let entry = line.trim();
        match depth {
            0 => in_specs = false,
            2 => in_specs = entry == "specs:",
            4 if in_specs => {
                if let Some((name, version)) = entry
                    .strip_suffix(')')
                    .and_then(|entry| entry.split_once(" ("))
                {
                    // `1.18.2-x86_64-linux-gnu`: a version has no hyphen.
                    let (version, platform) = version.split_once('-').unwrap_or((version, ""));
                    let mut gem = Found::new(PackageKind::Gem, name, version);
                    gem.fact("platform", platform);
                    found.push(gem);
                }
            }
            6 if in_specs => {
                let need = entry.split(' ').next().unwrap_or_default();
                if let Some(gem) = found.last_mut() {
                    gem.requires.push(vec![need.to_owned()]);
                }
            }
            _ => {}
        }
    }
    Ok(Says::Packages(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rubygems_writes() {
        let text = "Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"3.1.8\"\n\
  s.licenses = [\"MIT\".freeze]\n  s.authors = [\"A B\".freeze, \"C\".freeze]\n\
  s.add_runtime_dependency(%q<webrick>.freeze, [\">= 1\"])\n  s.add_development_dependency(%q<x>.freeze)\nend\n";
        let found = specification(text).unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("rack", "3.1.8")
        );
        assert_eq!(found.licenses, ["MIT"]);
        assert_eq!(found.requires, [["webrick"]]);
        assert_eq!(found.facts["author"], "A B, C");
        assert!(specification("s.name = 'x'").is_none());
    }

    #[test]
    fn a_gem_from_git_is_one_that_bundler_wrote() {
        for (directory, expected) in [
            ("usr/local/bundle/bundler/gems/rack-0123", true),
            ("v/ruby/3.3.0/bundler/gems/rails-0123/activerecord", true),
            ("v/bundler/gems/rails-0123/a/b", true),
            ("v/bundler/gems/rails-0123/a/b/c", false),
            ("v/bundler/gems", false),
            ("v/gems/rack-3.1", false),
        ] {
            assert_eq!(is_from_git(directory.as_bytes()), expected, "{directory}");
        }
        let read = |text: &str| {
            let content = text.as_bytes().to_vec();
            let path = "bundler/gems/a-01/a.gemspec";
            let recognizer = &RECOGNIZERS[1];
            match (recognizer.read)(&File {
                path,
                content: &content,
            }) {
                Ok(Says::Packages(found)) => found.len(),
                _ => panic!("not read"),
            }
        };
        let body = "Gem::Specification.new do |s|\n s.name = \"a\".freeze\n s.version = \"1\".freeze\nend\n";
        assert_eq!(
            read(&format!(
                "# -*- encoding: utf-8 -*-\n# stub: a 1 ruby lib\n\n{body}"
            )),
            1
        );
        assert_eq!(read(body), 0, "a source, not what was installed");
    }

    #[test]
    fn reads_a_lock() {
        let content = b"GEM\n  remote: x\n  specs:\n    rack (3.1)\n      webrick (>= 1)\n    webrick (1.9)\n\nPLATFORMS\n  ruby\n".to_vec();
        let file = File {
            path: "Gemfile.lock",
            content: &content,
        };
        let Ok(Says::Packages(found)) = lock(&file) else {
            panic!("not read");
        };
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].requires, [["webrick"]]);
    }
}
