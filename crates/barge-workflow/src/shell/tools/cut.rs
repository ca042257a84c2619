//! `cut`.

use std::sync::Arc;

use crate::symbolic::{Symbol, Text};

pub(super) fn cut(input: &Text, arguments: &[&str]) -> Option<Text> {
    let joined = arguments.join(" ");
    let text = input.as_literal().map(str::trim_end);
    if let Some(range) = joined.strip_prefix("-c") {
        let end = leading_characters(range.trim())?;
        return match (text, input.trim().as_symbol()) {
            (Some(text), _) if !text.contains('\n') => {
                Some(Text::literal(text.chars().take(end).collect::<String>()))
            }
            (None, Some(symbol)) => Some(shortened(symbol, end)),
            _ => None,
        };
    }
    let delimiter = joined
        .split("-d")
        .nth(1)?
        .trim_start()
        .trim_start_matches(['\'', '"'])
        .chars()
        .next()?;
    let field: usize = joined
        .split("-f")
        .nth(1)?
        .trim()
        .split([' ', '-', ','])
        .next()?
        .parse()
        .ok()?;
    let exact = joined
        .split("-f")
        .nth(1)?
        .trim()
        .chars()
        .all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    if !exact || joined.contains("--") {
        return None;
    }
    let range = joined.split("-f").nth(1)?.trim().ends_with('-');
    let parts = input.trim().split(|c| c == delimiter);
    // An unknown could hold the delimiter: the fields are certain only where none comes before them.
    let certain = parts
        .iter()
        .take(field)
        .all(|part| part.symbols().all(|symbol| !symbol.may_hold(delimiter)));
    if !certain || range {
        return None;
    }
    Some(
        parts
            .get(field.checked_sub(1)?)
            .cloned()
            .unwrap_or_default(),
    )
}

/// How many characters `cut -c` keeps of a line, when they are the first ones: `1-12`, `-12` or `1`.
fn leading_characters(range: &str) -> Option<usize> {
    let end = range
        .strip_prefix("1-")
        .or_else(|| range.strip_prefix('-'))
        .or(Some(range).filter(|range| *range == "1"))?;
    end.parse().ok().filter(|count| *count > 0)
}

pub(super) fn shortened(symbol: &Arc<Symbol>, length: usize) -> Text {
    Text::symbol(symbol.derived(format!("{}[..{length}]", symbol.name())))
}
