//! Licences as evidence states them, made SPDX expressions where that is certain; else left as they are written.

/// An SPDX expression in canonical spelling, if the text is one.
#[must_use]
pub fn expression(text: &str) -> Option<String> {
    let mode = spdx::ParseMode {
        allow_deprecated: true,
        allow_slash_as_or_operator: false,
        allow_imprecise_license_names: false,
        allow_postfix_plus_on_gpl: true,
        allow_unknown: false,
    };
    spdx::Expression::parse_mode(text.trim(), mode).ok()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The SPDX identifier in canonical case, if the text is exactly one.
#[must_use]
pub fn id(text: &str) -> Option<&'static str> {
    spdx::license_id(text).map(|id| id.name)
}

/// One line of text: an SPDX expression when the text is one or is a common name of one, else the text.
pub(crate) fn normalize(text: &str) -> String {
    let text = text.trim();
    if expression(text).is_some() {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if let Some(id) = common_name(text) {
        return id.to_owned();
    }
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect::<String>().trim().to_owned()
}

/// Names that ecosystems write so often, and with one meaning only, that they are worth translating.
fn common_name(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let lower = lower
        .trim_start_matches("the ")
        .trim_end_matches(" license");
    Some(match lower {
        "apache 2.0"
        | "apache-2"
        | "apache 2"
        | "apache2"
        | "apache license 2.0"
        | "apache license, version 2.0"
        | "apache software license 2.0"
        | "apache software license, version 2.0" => "Apache-2.0",
        "mit" | "expat" | "mit/x11" => "MIT",
        "isc" => "ISC",
        "bsd-3-clause" | "bsd 3-clause" | "3-clause bsd" | "new bsd" | "modified bsd" | "bsd-3" => {
            "BSD-3-Clause"
        }
        "bsd-2-clause" | "bsd 2-clause" | "2-clause bsd" | "simplified bsd" | "bsd-2" => {
            "BSD-2-Clause"
        }
        "mpl-2.0" | "mpl 2.0" | "mozilla public license 2.0" => "MPL-2.0",
        "psf" | "psf-2" | "python software foundation" => "PSF-2.0",
        "eclipse public license 2.0" | "epl 2.0" => "EPL-2.0",
        "eclipse public license 1.0" | "eclipse public license - v 1.0" => "EPL-1.0",
        "unlicense" => "Unlicense",
        "wtfpl" => "WTFPL",
        "zlib" => "Zlib",
        _ => return None,
    })
}

/// Debian's short names (DEP-5, "License specification"), which predate SPDX's.
pub(crate) fn from_debian(name: &str) -> String {
    let name = name.trim();
    let translated = match name {
        "Expat" => "MIT",
        "GPL-1" => "GPL-1.0-only",
        "GPL-1+" => "GPL-1.0-or-later",
        "GPL-2" => "GPL-2.0-only",
        "GPL-2+" | "GPL-2.0+" => "GPL-2.0-or-later",
        "GPL-3" => "GPL-3.0-only",
        "GPL-3+" | "GPL-3.0+" => "GPL-3.0-or-later",
        "LGPL-2" => "LGPL-2.0-only",
        "LGPL-2+" => "LGPL-2.0-or-later",
        "LGPL-2.1" => "LGPL-2.1-only",
        "LGPL-2.1+" => "LGPL-2.1-or-later",
        "LGPL-3" => "LGPL-3.0-only",
        "LGPL-3+" => "LGPL-3.0-or-later",
        "AGPL-3" => "AGPL-3.0-only",
        "AGPL-3+" => "AGPL-3.0-or-later",
        "GFDL-1.2" => "GFDL-1.2-only",
        "GFDL-1.3" => "GFDL-1.3-only",
        "Artistic" => "Artistic-1.0-Perl",
        "Apache-2" => "Apache-2.0",
        "BSD-3-clause" => "BSD-3-Clause",
        "BSD-2-clause" => "BSD-2-Clause",
        "BSD-4-clause" => "BSD-4-Clause",
        "CC0" => "CC0-1.0",
        "MPL-1.1" => "MPL-1.1",
        "MPL-2" => "MPL-2.0",
        "Zlib" => "Zlib",
        _ => return normalize(name),
    };
    translated.to_owned()
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
        ];
        for (written, expected) in cases {
            assert_eq!(normalize(written), expected, "{written}");
        }
        assert_eq!(from_debian("GPL-2+"), "GPL-2.0-or-later");
        assert_eq!(expression("MIT/Apache"), None);
    }
}
