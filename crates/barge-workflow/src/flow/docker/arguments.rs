//! Command lines of docker and programs like it, taken apart.

use crate::symbolic::Text;

/// A word of a command line, if it is known; else nothing.
pub(in super::super) fn literal(words: &[Text], at: usize) -> &str {
    words.get(at).and_then(Text::as_literal).unwrap_or_default()
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub(in super::super) struct Arguments {
    pub(super) flags: Vec<(String, Option<Text>)>,
    pub(in super::super) positional: Vec<Text>,
    /// An argument that could be anything stood before the first positional one.
    pub(in super::super) uncertain: bool,
}

pub(super) const BUILD_SWITCHES: &[&str] = &[
    "--load",
    "--push",
    "--no-cache",
    "--pull",
    "-q",
    "--quiet",
    "--rm",
    "--force-rm",
    "--squash",
    "--compress",
    "-D",
    "--debug",
    "--check",
    "--layers",
    "--squash-all",
    "--no-hosts",
];
pub(super) const RUN_SWITCHES: &[&str] = &[
    "-d",
    "--detach",
    "-i",
    "--interactive",
    "-t",
    "--tty",
    "--rm",
    "--privileged",
    "--init",
    "--read-only",
    "-P",
    "--publish-all",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--sig-proxy",
    "-q",
    "--quiet",
];
pub(in super::super) const OTHER_SWITCHES: &[&str] = &[
    "-q",
    "--quiet",
    "-a",
    "--all",
    "--all-tags",
    "-f",
    "--force",
    "--no-prune",
    "--no-trunc",
    "--digests",
    "--disable-content-trust",
    "-s",
    "--size",
    "-v",
    "--verbose",
];

impl Arguments {
    pub(in super::super) fn read(words: &[Text], switches: &[&str], values: &[&str]) -> Self {
        let mut arguments = Self::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let start = word.literal_start();
            if !start.starts_with('-') || start == "-" || start == "--" {
                if word
                    .as_symbol()
                    .is_some_and(|symbol| symbol.may_hold('-') && symbol.may_hold(' '))
                    && arguments.positional.is_empty()
                {
                    arguments.uncertain = true;
                }
                arguments.positional.push(word.clone());
                continue;
            }
            if let Some((name, value)) = word
                .split_first('=')
                .filter(|(name, _)| name.as_literal().is_some_and(|name| name.starts_with("--")))
            {
                arguments.flags.push((
                    name.as_literal().unwrap_or_default().to_owned(),
                    Some(value),
                ));
                continue;
            }
            let Some(name) = word.as_literal() else {
                arguments.flags.push((start.to_owned(), None));
                continue;
            };
            let bundle = !name.starts_with("--")
                && name.len() > 2
                && name
                    .chars()
                    .skip(1)
                    .all(|c| switches.contains(&format!("-{c}").as_str()));
            // A flag that nobody knows and that another follows is a switch.
            let followed = words
                .get(at)
                .is_none_or(|next| next.literal_start().starts_with("--"));
            if switches.contains(&name) && !values.contains(&name) || bundle || followed {
                arguments.flags.push((name.to_owned(), None));
            } else {
                arguments
                    .flags
                    .push((name.to_owned(), words.get(at).cloned()));
                at += 1;
            }
        }
        arguments
    }

    pub(in super::super) fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(name, value)| {
            names.contains(&name.as_str())
                && value
                    .as_ref()
                    .is_none_or(|value| value.as_literal() != Some("false"))
        })
    }

    pub(in super::super) fn values<'a>(
        &'a self,
        names: &'a [&str],
    ) -> impl Iterator<Item = &'a Text> {
        self.flags
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .filter_map(|(_, value)| value.as_ref())
    }

    pub(in super::super) fn value(&self, names: &[&str]) -> Option<Text> {
        self.flags
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()))
            .and_then(|(_, value)| value.clone())
    }
}
