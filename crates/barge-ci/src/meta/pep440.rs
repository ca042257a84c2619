//! Python versions (PEP 440) as the npm library @renovate/pep440 reads and normalises them.

use super::ecmascript::{number, number_text};

/// A version; numbers are JavaScript's, so that huge ones round as they do there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PythonVersion {
    epoch: f64,
    release: Vec<f64>,
    pre: Option<(&'static str, f64)>,
    post: Option<f64>,
    dev: Option<f64>,
    local: Vec<String>,
}

/// The spellings of a pre-release, longer ones before their beginnings, with what they mean.
const PRE: [(&str, &str); 8] = [
    ("alpha", "a"),
    ("a", "a"),
    ("beta", "b"),
    ("b", "b"),
    ("preview", "rc"),
    ("pre", "rc"),
    ("rc", "rc"),
    ("c", "rc"),
];
const POST: [&str; 3] = ["post", "rev", "r"];

impl PythonVersion {
    /// Reads a version; nothing when the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, parse_local(local)?),
            None => (text, Vec::new()),
        };
        let public = public.to_ascii_lowercase();
        let public = public.strip_prefix('v').unwrap_or(&public);
        let (epoch, rest) = match public.split_once('!') {
            Some((epoch, rest)) => (digits(epoch).filter(|(_, after)| after.is_empty())?.0, rest),
            None => (0.0, public),
        };
        let (release, rest) = parse_release(rest)?;
        let (pre, rest) = parse_pre(rest);
        let (post, rest) = parse_post(rest);
        let (dev, rest) = parse_dev(rest);
        rest.is_empty().then_some(Self {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    /// Whether it is a pre-release, post-release or development release.
    pub(crate) fn is_unstable(&self) -> bool {
        self.pre.is_some() || self.post.is_some() || self.dev.is_some()
    }

    /// A part of the release number, 0 where there is none.
    pub(crate) fn part(&self, at: usize) -> f64 {
        self.release.get(at).copied().unwrap_or_default()
    }

    /// The version in normal form.
    pub(crate) fn normalized(&self) -> String {
        let mut text = String::new();
        if self.epoch != 0.0 {
            text = format!("{}!", number_text(self.epoch));
        }
        text.push_str(
            &self
                .release
                .iter()
                .map(|part| number_text(*part))
                .collect::<Vec<_>>()
                .join("."),
        );
        if let Some((letter, number)) = self.pre {
            text.push_str(letter);
            text.push_str(&number_text(number));
        }
        for (name, number) in [("post", self.post), ("dev", self.dev)] {
            if let Some(number) = number {
                text.push_str(&format!(".{name}{}", number_text(number)));
            }
        }
        if !self.local.is_empty() {
            // The library joins the parts of a list by turning it into text.
            text.push_str(&format!("+{}", self.local.join(",")));
        }
        text
    }
}

fn digits(text: &str) -> Option<(f64, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let found = &text[..text.len() - rest.len()];
    (!found.is_empty()).then(|| (number(found), rest))
}

fn separator(text: &str) -> &str {
    text.strip_prefix(['-', '_', '.']).unwrap_or(text)
}

fn parse_release(text: &str) -> Option<(Vec<f64>, &str)> {
    let (first, mut rest) = digits(text)?;
    let mut release = vec![first];
    while let Some((part, after)) = rest.strip_prefix('.').and_then(digits) {
        release.push(part);
        rest = after;
    }
    Some((release, rest))
}

/// An optional number after an optional separator; a separator without a number is left to what follows.
fn counter(text: &str) -> (f64, &str) {
    digits(separator(text)).unwrap_or((0.0, separator(text)))
}

fn parse_pre(text: &str) -> (Option<(&'static str, f64)>, &str) {
    let after = separator(text);
    for (spelling, letter) in PRE {
        if let Some(rest) = after.strip_prefix(spelling) {
            let (number, rest) = counter(rest);
            return (Some((letter, number)), rest);
        }
    }
    (None, text)
}

fn parse_post(text: &str) -> (Option<f64>, &str) {
    if let Some((number, rest)) = text.strip_prefix('-').and_then(digits) {
        return (Some(number), rest);
    }
    let after = separator(text);
    match POST
        .iter()
        .find_map(|spelling| after.strip_prefix(spelling))
    {
        Some(rest) => {
            let (number, rest) = counter(rest);
            (Some(number), rest)
        }
        None => (None, text),
    }
}

fn parse_dev(text: &str) -> (Option<f64>, &str) {
    match separator(text).strip_prefix("dev") {
        Some(rest) => {
            let (number, rest) = counter(rest);
            (Some(number), rest)
        }
        None => (None, text),
    }
}

fn parse_local(text: &str) -> Option<Vec<String>> {
    let part = |part: &str| {
        let value = number(part);
        let alphabet = !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric());
        alphabet.then(|| {
            if value.is_nan() {
                part.to_ascii_lowercase()
            } else {
                number_text(value)
            }
        })
    };
    text.split(['.', '_', '-']).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_normalised() {
        for (text, expected) in [
            ("1.2.3", Some("1.2.3")),
            ("V1.2.3-beta.2", Some("1.2.3b2")),
            ("1.0dev", Some("1.0.dev0")),
            ("1.2.3-1", Some("1.2.3.post1")),
            ("1.2.3-r4", Some("1.2.3.post4")),
            ("1!01.02", Some("1!1.2")),
            ("1c1", Some("1rc1")),
            ("1-preview_3", Some("1rc3")),
            ("1.0a.post", Some("1.0a0.post0")),
            ("1.0a-.post", Some("1.0a0.post0")),
            ("1.0a-..post", None),
            ("1.0+Infinity", Some("1.0+Infinity")),
            ("1.0+Ubuntu-1_x", Some("1.0+ubuntu,1,x")),
            ("1.0+1e5.0x10", Some("1.0+100000,16")),
            ("12345678901234567890", Some("12345678901234567000")),
            (" 1.0", None),
            ("1.0-", None),
            ("1..0", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(
                PythonVersion::parse(text)
                    .map(|v| v.normalized())
                    .as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
