//! Licences as evidence states them, made SPDX expressions where that is certain; else left as they are written.

mod names;

/// An SPDX expression in canonical spelling, if the text is one.
#[must_use]
pub fn expression(text: &str) -> Option<String> {
    // Most are one identifier, as it is written.
    if id(text).is_some_and(|id| id == text) {
        return Some(text.to_owned());
    }
    let mode = spdx::ParseMode {
        allow_deprecated: true,
        allow_slash_as_or_operator: false,
        allow_imprecise_license_names: false,
        allow_postfix_plus_on_gpl: true,
        allow_unknown: false,
    };
    let expression = spdx::Expression::parse_mode(text.trim(), mode).ok()?;
    let says_nothing = |requirement: &spdx::expression::ExpressionReq| {
        requirement.req.license.id().is_some_and(is_placeholder)
    };
    if expression.requirements().any(says_nothing) {
        return None;
    }
    Some(one_line(text))
}

/// The SPDX identifier in canonical case, if the text is exactly one.
#[must_use]
pub fn id(text: &str) -> Option<&'static str> {
    spdx::license_id(text)
        .filter(|id| !is_placeholder(*id))
        .map(|id| id.name)
}

/// What stands for a licence where nobody says anything.
fn is_placeholder(id: spdx::LicenseId) -> bool {
    matches!(id.name, "NONE" | "NOASSERTION")
}

/// One line of text: an SPDX expression when the text is one, or is one in the words of an ecosystem; else the text.
pub(crate) fn normalize(text: &str) -> String {
    expression(text)
        .or_else(|| translated(text, &|name| names::common(name)))
        .unwrap_or_else(|| as_written(text))
}

/// The same for Debian's and Gentoo's short names (DEP-5, "License specification"), which predate SPDX's.
pub(crate) fn from_debian(text: &str) -> String {
    let name_of = |name: &str| names::short(name).or_else(|| names::common(name));
    translated(text, &name_of).unwrap_or_else(|| normalize(text))
}

fn as_written(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().take(200).collect::<String>().trim().to_owned()
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

type NameOf<'a> = &'a dyn Fn(&str) -> Option<&'static str>;

/// An expression of names that all have an identifier: `A or B`, `A and (B or C)`, `A with B exception`. A comma before an
/// operator binds weaker than the operators around it, as DEP-5 has it.
fn translated(text: &str, name_of: NameOf<'_>) -> Option<String> {
    let text = one_line(text);
    if text.len() > 500 {
        return None;
    }
    if let Some(id) = name_of(&text) {
        return Some(id.to_owned());
    }
    for (comma, operator) in [(", and ", " AND "), (", or ", " OR ")] {
        if text.contains(comma) && !text.contains('(') {
            let parts: Option<Vec<_>> = text
                .split(comma)
                .map(|part| Some(in_parentheses(&translated(part, name_of)?)))
                .collect();
            return parts.map(|parts| parts.join(operator));
        }
    }
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut written = Vec::new();
    let mut phrase: Vec<&str> = Vec::new();
    for word in spaced.split_whitespace().chain(["end"]) {
        let operator = match word {
            "and" | "AND" | "&" => "AND",
            "or" | "OR" | "|" => "OR",
            "with" | "WITH" => "WITH",
            "(" | ")" => word,
            "end" => "",
            _ => {
                phrase.push(word);
                continue;
            }
        };
        if !phrase.is_empty() {
            let name = phrase.join(" ");
            phrase.clear();
            written.push(match written.last().map(String::as_str) {
                Some("WITH") => names::exception(&name)?.to_owned(),
                _ => identifier(&name, name_of)?,
            });
        }
        written.push(operator.to_owned());
    }
    expression(&written.join(" ").replace("( ", "(").replace(" )", ")"))
}

/// The identifier of one name, which may stand for a choice.
fn identifier(name: &str, name_of: NameOf<'_>) -> Option<String> {
    match name_of(name) {
        Some(id) => Some(in_parentheses(id)),
        None => expression(name).filter(|name| !name.contains(' ')),
    }
}

fn in_parentheses(expression: &str) -> String {
    if expression.contains(' ') {
        format!("({expression})")
    } else {
        expression.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_expressions_and_translates_common_names() {
        let cases = [
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT  AND Zlib)", "(MIT AND Zlib)"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("The MIT License", "MIT"),
            ("Dual: see LICENSE\nmore text", "Dual: see LICENSE"),
            ("", ""),
            // Fedora before it took SPDX's names.
            ("ASL 2.0 and MIT", "Apache-2.0 AND MIT"),
            (
                "(MPLv1.1 or LGPLv3+) and LGPLv3",
                "(MPL-1.1 OR LGPL-3.0-or-later) AND LGPL-3.0-only",
            ),
            ("GPL+ or Artistic", "GPL+ or Artistic"),
            ("BSD", "BSD"),
            ("GPLv2+ and BSD", "GPLv2+ and BSD"),
            // R, PyPI, WordPress.
            ("GPL (>= 2)", "GPL-2.0-or-later"),
            ("GPLv2 or later", "GPL-2.0-or-later"),
            ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ];
        for (written, expected) in cases {
            assert_eq!(normalize(written), expected, "{written}");
        }
        assert_eq!(expression("MIT/Apache"), None);
    }

    #[test]
    fn translates_the_short_names_of_debian() {
        let cases = [
            ("GPL-2+", "GPL-2.0-or-later"),
            (
                "Artistic or GPL-1+",
                "Artistic-1.0-Perl OR GPL-1.0-or-later",
            ),
            (
                "Artistic or GPL-1+, and BSD-3-clause",
                "(Artistic-1.0-Perl OR GPL-1.0-or-later) AND BSD-3-Clause",
            ),
            (
                "GPL-3+ with Bison exception",
                "GPL-3.0-or-later WITH Bison-exception-2.2",
            ),
            ("BSD-3-clause and GPL-2", "BSD-3-Clause AND GPL-2.0-only"),
            ("GPL-2+ and curl", "GPL-2.0-or-later AND curl"),
            (
                "GPL-3+ with Autoconf exception",
                "GPL-3+ with Autoconf exception",
            ),
            ("Expat or who-knows", "Expat or who-knows"),
            ("public-domain", "public-domain"),
        ];
        for (written, expected) in cases {
            assert_eq!(from_debian(written), expected, "{written}");
        }
    }
}
