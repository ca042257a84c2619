//! Perl: what cpanm and cpm note of each installed distribution, `.meta/NAME-VERSION/install.json` (App::cpanminus), whose
//! `pathname` names the author; and `perllocal.pod`, where every `make install` of a module leaves an entry (perl's
//! `ExtUtils::Command::MM`). The second knows no author; it is dropped for what the first names, too
//! ([`crate::assemble`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("install.json")], install)
        .accepts(|file| file.directory.rsplit(|byte| *byte == b'/').nth(1) == Some(b".meta")),
    Recognizer::new(&[Name::Is("perllocal.pod")], |file| {
        Ok(Says::Packages(local(&file.text()?)))
    }),
];

#[derive(Deserialize)]
struct Install {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: serde_json::Value,
    #[serde(default)]
    dist: Option<String>,
    #[serde(default)]
    pathname: Option<String>,
}

fn install(file: &File<'_>) -> Examined {
    let install: Install = file.json()?;
    let dist = install.dist.unwrap_or_default();
    let name = install.name.replace("::", "-");
    // `Name-Version`, which says more than the module's own version.
    let from_dist = dist
        .strip_prefix(&name)
        .and_then(|rest| rest.strip_prefix('-'));
    let version = match (&install.version, from_dist) {
        (_, Some(version)) => version.to_owned(),
        (serde_json::Value::String(version), None) => version.clone(),
        (serde_json::Value::Number(version), None) => version.to_string(),
        _ => String::new(),
    };
    if name.is_empty() || version.is_empty() {
        return Ok(Says::Packages(Vec::new()));
    }
    let mut found = Found::new(PackageKind::Cpan, name, version.trim_start_matches('v'));
    // `E/ET/ETHER/Name-1.0.tar.gz`.
    let author = install
        .pathname
        .as_deref()
        .and_then(|path| path.rsplit('/').nth(1));
    found.fact("namespace", author.unwrap_or_default());
    Ok(Says::Packages(vec![found]))
}

/// `=head2 DATE: C<Module> L<Foo::Bar|Foo::Bar>`, then `C<VERSION: 1.0>`. The last entry of a module counts.
fn local(text: &str) -> Vec<Found> {
    let mut versions: BTreeMap<&str, &str> = BTreeMap::new();
    let mut module = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("=head2 ") {
            let link = heading.split_once("C<Module> L<");
            module = link.and_then(|(_, link)| link.split(['|', '>']).next());
        } else if let Some(rest) = line.strip_prefix("C<VERSION: ")
            && let (Some(module), Some(version)) = (module, rest.strip_suffix('>'))
            && version.starts_with(|c: char| c.is_ascii_digit() || c == 'v')
            // What MakeMaker writes of a module that states none.
            && version != "0"
        {
            versions.insert(module, version.trim_start_matches('v'));
        }
    }
    let found = |(module, version)| Found::new(PackageKind::Cpan, module, version);
    versions.into_iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cpanm_notes() {
        let content = br#"{"dist":"Try-Tiny-0.31","name":"Try::Tiny","pathname":"E/ET/ETHER/Try-Tiny-0.31.tar.gz","provides":{},"target":"Try::Tiny","version":0.31}"#.to_vec();
        let file = File {
            path: "usr/local/lib/perl5/x86_64-linux-gnu/.meta/Try-Tiny-0.31/install.json",
            content: &content,
        };
        let Ok(Says::Packages(found)) = install(&file) else {
            panic!("not read");
        };
        assert_eq!((&*found[0].name, &*found[0].version), ("Try-Tiny", "0.31"));
        assert_eq!(found[0].facts["namespace"], "ETHER");
    }

    #[test]
    fn the_last_install_of_a_module_counts() {
        let entry = |version: &str| {
            format!(
                "=head2 Wed Nov 25 10:27:49 2026: C<Module> L<Acme::Trial|Acme::Trial>\n\n=over 4\n\n=item *\n\n\
C<installed into: /usr/local/share/perl/5.40.1>\n\n=item *\n\nC<VERSION: {version}>\n\n=back\n\n"
            )
        };
        let found = local(&[entry("1.03"), entry("1.04")].concat());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&*found[0].name, &*found[0].version),
            ("Acme::Trial", "1.04")
        );
    }
}
