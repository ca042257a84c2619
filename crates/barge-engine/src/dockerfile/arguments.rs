//! The forms that arguments take: JSON arrays, words, name=value pairs.

use super::instruction::{Argument, CommandLine, Pair};

/// Reads `["a", "b"]`. `None` when the text is anything else, which then is shell form.
pub(super) fn json(text: &str) -> Option<Vec<String>> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// Exec or shell form.
pub(super) fn command_line(text: &str) -> CommandLine {
    json(text).map_or_else(
        || CommandLine::Shell(text.trim().to_owned()),
        CommandLine::Exec,
    )
}

/// A JSON array, or words split at blanks without regard to quotes.
pub(super) fn list(text: &str) -> Vec<String> {
    json(text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect())
}

/// Words split at blanks outside quotes; quotes and escapes stay in them.
pub(super) fn words(text: &str, escape: char) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(character);
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => {}
        }
        if character == escape && quote != Some('\'') {
            word.extend(characters.next());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `NAME=value ...`, or the old `NAME value with blanks`.
pub(super) fn pairs(text: &str, escape: char) -> Result<Vec<Pair>, String> {
    let words = words(text, escape);
    match words.first() {
        None => return Err("needs a name and a value".into()),
        Some(first) if !first.contains('=') => return legacy_pair(text).map(|pair| vec![pair]),
        Some(_) => {}
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some(("", _)) => Err(format!("a name is missing in `{word}`")),
            Some((name, value)) => Ok(Pair {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            None => Err(format!("`{word}` has no `=`")),
        })
        .collect()
}

fn legacy_pair(text: &str) -> Result<Pair, String> {
    match text.trim().split_once(char::is_whitespace) {
        Some((name, value)) => Ok(Pair {
            name: name.to_owned(),
            value: value.trim_start().to_owned(),
        }),
        None => Err("needs a name and a value".into()),
    }
}

/// `NAME` or `NAME=default`, several.
pub(super) fn declarations(text: &str, escape: char) -> Result<Vec<Argument>, String> {
    let words = words(text, escape);
    if words.is_empty() {
        return Err("needs a name".into());
    }
    words
        .into_iter()
        .map(|word| {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (word.as_str(), None),
            };
            if name.is_empty() {
                return Err(format!("a name is missing in `{word}`"));
            }
            Ok(Argument {
                name: name.to_owned(),
                default,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_quotes_and_escapes() {
        let read = |text| {
            pairs(text, '\\').map(|pairs| {
                pairs
                    .into_iter()
                    .map(|pair| (pair.name, pair.value))
                    .collect::<Vec<_>>()
            })
        };
        let owned = |pairs: &[(&str, &str)]| {
            Ok(pairs
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect())
        };
        assert_eq!(
            read("a=\"b c\" d=e\\ f g="),
            owned(&[("a", "\"b c\""), ("d", "e\\ f"), ("g", "")])
        );
        assert_eq!(read("a  b c=d"), owned(&[("a", "b c=d")]));
        assert!(read("a").is_err());
        assert!(read("a=b c").is_err());
        assert!(read("=b").is_err());
    }

    #[test]
    fn json_that_is_not_strings_is_shell_form() {
        assert_eq!(json("[\"a\"]"), Some(vec!["a".into()]));
        assert_eq!(json("[1]"), None);
        assert_eq!(json("[a]"), None);
        assert_eq!(command_line("['a']"), CommandLine::Shell("['a']".into()));
        assert_eq!(list("\"/a b\""), ["\"/a", "b\""]);
    }
}
