//! `sed` with one substitution.

use crate::symbolic::Text;

use super::tool::shape_change;

/// `s/from/to/flags` with a pattern that has no special characters.
pub(super) fn sed(input: &Text, script: &str) -> Option<Text> {
    let rest = script.strip_prefix('s')?;
    let separator = rest.chars().next()?;
    let mut fields = rest.get(separator.len_utf8()..)?.split(separator);
    let (from, to, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next().unwrap_or_default(),
    );
    if fields.next().is_some() {
        return None;
    }
    if from == ".*" && to == "\\L&" {
        return Some(input.lower());
    }
    if to.contains(['\\', '&']) {
        return None;
    }
    if let Some(prefix) = from
        .strip_prefix('^')
        .filter(|prefix| is_plain(prefix) && to.is_empty())
    {
        return strip_known_start(input, &prefix.replace('\\', ""));
    }
    let plain = from.replace("\\/", "/").replace("\\.", ".");
    if !is_plain(&plain.replace('.', ""))
        || plain.is_empty()
        || (from.contains('.') && !from.contains("\\."))
    {
        return None;
    }
    if flags == "g" || input.as_literal().is_some() {
        let all = flags.contains('g');
        let change = |text: &str| {
            if all {
                text.replace(&plain, to)
            } else {
                text.replacen(&plain, to, 1)
            }
        };
        let tool: &'static str = if plain == "/" {
            "slashes replaced"
        } else {
            "edited"
        };
        let can_hold = input
            .symbols()
            .any(|symbol| plain.chars().all(|c| symbol.may_hold(c)));
        if can_hold && plain.chars().count() != 1 {
            return None;
        }
        return Some(input.map(change, shape_change(tool)));
    }
    None
}

fn is_plain(pattern: &str) -> bool {
    !pattern.contains([
        '*', '[', ']', '?', '+', '(', ')', '$', '^', '|', '\\', '{', '}',
    ])
}

fn strip_known_start(input: &Text, prefix: &str) -> Option<Text> {
    if let Some(rest) = input.strip_start(prefix) {
        return Some(rest);
    }
    match input.as_literal() {
        Some(_) => Some(input.clone()),
        None => input.as_symbol().map(|symbol| {
            Text::symbol(symbol.derived(format!("{} without {prefix}", symbol.name())))
        }),
    }
}
