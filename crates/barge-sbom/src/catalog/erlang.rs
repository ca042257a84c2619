//! Erlang and Elixir: application resource files `ebin/*.app` of OTP and of releases (erlang.org, app(4)); the version of
//! OTP itself, `releases/N/OTP_VERSION` (erlang.org, "Versions"); `rebar.lock` and `mix.lock` for what a project asks for.

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("app")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(application(&text).into_iter().collect()))
    })
    .accepts(|file| super::directory_ends_with(file, "ebin")),
    Recognizer::new(&[Name::Is("OTP_VERSION")], |file| {
        Ok(Says::Packages(runtime(&file.text()?).into_iter().collect()))
    })
    .accepts(|file| file.directory.rsplit(|byte| *byte == b'/').nth(1) == Some(b"releases")),
    Recognizer::new(&[Name::Is("mix.lock"), Name::Is("rebar.lock")], lock).declared(),
];

/// `{application, NAME, [{description, "..."}, {vsn, "1.2"}, {applications, [kernel, stdlib]}, ...]}.`
fn application(text: &str) -> Option<Found> {
    let code = without_comments(text);
    let rest = code
        .trim_start()
        .strip_prefix('{')?
        .trim_start()
        .strip_prefix("application")?;
    let rest = rest.trim_start().strip_prefix(',')?.trim_start();
    let name = rest.split(',').next()?.trim().trim_matches('\'');
    let value = |key: &str| {
        let at = code.find(&format!("{{{key},")).map(|at| at + key.len() + 2);
        at.or_else(|| Some(code.find(&format!("{{{key} ,"))? + key.len() + 3))
            .and_then(|at| code.get(at..))
    };
    let version = value("vsn")?
        .trim_start()
        .strip_prefix('"')?
        .split('"')
        .next()?;
    if version.is_empty() {
        return None;
    }
    let mut found = Found::new(PackageKind::Otp, name, version);
    let list = value("applications")
        .and_then(|text| text.trim_start().strip_prefix('[')?.split(']').next());
    let names = list
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().trim_matches('\''));
    found.requires = names
        .filter(|name| !name.is_empty())
        .map(|name| vec![name.to_owned()])
        .collect();
    Some(found)
}

/// A comment begins with a per cent sign that is in no text and no quoted name, and ends with its line.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('%', None) => {
                characters.by_ref().find(|next| *next == '\n');
                code.push(' ');
                continue;
            }
            ('"' | '\'', None) => quote = Some(character),
            ('\\', Some(_)) => {
                code.push(character);
                code.extend(characters.next());
                continue;
            }
            _ if quote == Some(character) => quote = None,
            _ => {}
        }
        code.push(if character == '\n' { ' ' } else { character });
    }
    code
}

/// Patched systems add `**` to the version (erlang.org, "OTP_VERSION").
fn runtime(text: &str) -> Option<Found> {
    let version = text.trim().trim_end_matches('*');
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut found = Found::new(PackageKind::Generic, "erlang", version);
    found.fact(
        "cpe",
        format!("cpe:2.3:a:erlang:erlang\\/otp:{version}:*:*:*:*:*:*:*"),
    );
    found.fact("classifier", "otp-version");
    Some(found)
}

/// `"name": {:hex, :name, "1.2", ...}` of Mix; `{<<"name">>,{pkg,<<"name">>,<<"1.2">>},0}` of rebar3.
fn lock(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let quoted = |line: &str, mark: &str| -> Option<(String, String)> {
        let mut parts = line.split(mark).nth(1)?.split(',').map(|part| {
            part.trim_matches(|c: char| !c.is_ascii_alphanumeric())
                .to_owned()
        });
        let (_, name, version) = (parts.next()?, parts.next()?, parts.next()?);
        Some((name, version))
    };
    let entries = text
        .lines()
        .filter_map(|line| quoted(line, "{:hex").or_else(|| quoted(line, "{pkg")));
    let is_version = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
    let found = entries.filter(|(_, version)| is_version(version));
    Ok(Says::Packages(
        found
            .map(|(name, version)| Found::new(PackageKind::Hex, name, version))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_application() {
        let text = "%% comment\n{application, 'asn1',\n [{description, \"x, y\"},\n  {vsn, \"5.3.1\"},\n  {applications, [kernel, stdlib]}]}.\n";
        let found = application(text).unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("asn1", "5.3.1")
        );
        assert_eq!(found.requires, [["kernel"], ["stdlib"]]);
    }

    #[test]
    fn a_per_cent_sign_in_a_text_begins_no_comment() {
        let text = r#"{application,all,[{description,"100% \"sure"},{vsn,"1.0"}]}. % {vsn,"2""#;
        assert_eq!(application(text).unwrap().version, "1.0");
    }

    #[test]
    fn reads_the_version_of_otp() {
        assert_eq!(runtime("27.3.4.1**\n").unwrap().version, "27.3.4.1");
        assert!(runtime("\n").is_none());
    }

    #[test]
    fn reads_locks() {
        for text in [
            "%{\n  \"jason\": {:hex, :jason, \"1.4.1\", \"abc\", [:mix]},\n}",
            "{\"1.2.0\",\n[{<<\"jason\">>,{pkg,<<\"jason\">>,<<\"1.4.1\">>},0}]}.",
        ] {
            let content = text.as_bytes().to_vec();
            let file = File {
                path: "mix.lock",
                content: &content,
            };
            let Ok(Says::Packages(found)) = lock(&file) else {
                panic!("not read");
            };
            assert_eq!(
                (found[0].name.as_str(), found[0].version.as_str()),
                ("jason", "1.4.1"),
                "{text}"
            );
        }
    }
}
