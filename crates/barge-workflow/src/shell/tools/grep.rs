//! `grep` on known text.

use regex::bytes::RegexBuilder;

use crate::symbolic::Text;

/// Whether `grep` finds its pattern in a known text; nothing for what is not followed.
#[must_use]
pub fn grep_finds(arguments: &[Text], text: &str) -> Option<bool> {
    const PROGRAM_LIMIT: usize = 1 << 16;
    let words: Vec<&str> = arguments
        .iter()
        .map(Text::as_literal)
        .collect::<Option<_>>()?;
    let (flags, patterns): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.starts_with('-'));
    let [pattern] = patterns.as_slice() else {
        return None;
    };
    let flags: Vec<char> = flags.iter().flat_map(|flag| flag.chars().skip(1)).collect();
    if flags
        .iter()
        .any(|flag| !matches!(flag, 'E' | 'i' | 'q' | 's'))
    {
        return None;
    }
    // Without -E these characters mean something else.
    if !flags.contains(&'E') && pattern.contains(['\\', '+', '?', '(', ')', '{', '}', '|']) {
        return None;
    }
    let built = RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(flags.contains(&'i'))
        .size_limit(PROGRAM_LIMIT)
        .build();
    let regex = built.ok()?;
    Some(text.lines().any(|line| regex.is_match(line.as_bytes())))
}
