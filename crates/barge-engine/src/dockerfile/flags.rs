//! The `--name=value` words between an instruction's keyword and its arguments.

/// Flags as written, in order.
#[derive(Debug, Default)]
pub(super) struct Flags(Vec<(String, Option<String>)>);

impl Flags {
    /// Splits the leading flags off an instruction's arguments.
    pub(super) fn split(text: &str) -> (Self, &str) {
        let mut flags = Vec::new();
        let mut rest = text.trim_start();
        while rest.starts_with("--") {
            let (word, after) = first_word(rest);
            rest = after.trim_start();
            let Some(flag) = word.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
                // A bare `--` ends the flags.
                break;
            };
            flags.push(match flag.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (flag.to_owned(), None),
            });
        }
        (Self(flags), rest)
    }

    /// Takes the value of a flag that may stand once.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let mut values = self.values(name)?;
        if values.len() > 1 {
            return Err(format!("`--{name}` is given twice"));
        }
        Ok(values.pop())
    }

    /// Takes the values of a flag that may stand several times.
    pub(super) fn values(&mut self, name: &str) -> Result<Vec<String>, String> {
        let (found, rest): (Vec<_>, Vec<_>) = self
            .0
            .drain(..)
            .partition(|(candidate, _)| candidate == name);
        self.0 = rest;
        found
            .into_iter()
            .map(|(_, value)| value.ok_or_else(|| format!("`--{name}` needs a value")))
            .collect()
    }

    /// Takes a flag that is true, false or absent.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, String> {
        for (candidate, value) in &mut self.0 {
            if candidate == name {
                value.get_or_insert_with(|| "true".into());
            }
        }
        match self.value(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(format!("`--{name}` is true or false, not `{other}`")),
        }
    }

    /// All flags as written.
    pub(super) fn into_texts(self) -> Vec<String> {
        let text = |(name, value): (String, Option<String>)| match value {
            Some(value) => format!("--{name}={value}"),
            None => format!("--{name}"),
        };
        self.0.into_iter().map(text).collect()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!("unknown flag `--{name}`")),
            None => Ok(()),
        }
    }
}

/// The first word without its quotes, and what follows.
fn first_word(text: &str) -> (String, &str) {
    let (mut word, mut quote) = (String::new(), None);
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '\\') => word.extend(characters.next().map(|(_, next)| next)),
            (None, _) if character.is_whitespace() => return (word, &text[index..]),
            _ => word.push(character),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_leading_flags_only() {
        let (mut flags, rest) =
            Flags::split("--from=a --link --exclude=\"a b\" --exclude=c x --y /z");
        assert_eq!(rest, "x --y /z");
        assert_eq!(flags.value("from"), Ok(Some("a".into())));
        assert_eq!(flags.boolean("link"), Ok(Some(true)));
        assert_eq!(flags.values("exclude"), Ok(vec!["a b".into(), "c".into()]));
        assert_eq!(flags.finish(), Ok(()));
        assert!(Flags::split("--nope x").0.finish().is_err());
        assert!(Flags::split("--from=a --from=b x").0.value("from").is_err());
        assert!(Flags::split("--from x").0.value("from").is_err());
    }
}
