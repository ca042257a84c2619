//! Edits as a unified diff.

use std::fmt::Write as _;

use crate::finding::{Edit, apply_edits};
use crate::source::{Source, Span};

const AROUND: usize = 3;

/// The diff that edits make of a source.
#[must_use]
pub fn unified(source: &Source, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut hunks: Vec<(usize, usize, Vec<Edit>)> = Vec::new();
    for edit in sorted {
        let (first, last) = (
            source.line_of(edit.span.start),
            source.line_of(edit.span.end),
        );
        match hunks.last_mut() {
            Some((_, end, list)) if first <= *end + 2 * AROUND => {
                *end = last.max(*end);
                list.push(edit.clone());
            }
            _ => hunks.push((first, last, vec![edit.clone()])),
        }
    }
    let mut out = format!("--- a/{0}\n+++ b/{0}\n", source.path());
    let mut shift: isize = 0;
    for (first, last, edits) in hunks {
        hunk(&mut out, source, first, last, &edits, &mut shift);
    }
    out
}

fn hunk(
    out: &mut String,
    source: &Source,
    first: usize,
    last: usize,
    edits: &[Edit],
    shift: &mut isize,
) {
    let (start, end) = (source.line_start(first), source.line_end(last));
    let moved: Vec<Edit> = edits
        .iter()
        .map(|edit| Edit {
            span: Span::new(edit.span.start - start, edit.span.end - start),
            ..edit.clone()
        })
        .collect();
    let old: Vec<&str> = source.slice(Span::new(start, end)).split('\n').collect();
    let new_text = apply_edits(source.slice(Span::new(start, end)), &moved);
    let new: Vec<&str> = new_text.split('\n').collect();
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let before = first.saturating_sub(AROUND).max(1);
    let after = (last + AROUND).min(source.line_count());
    let after = if source.line(after).is_empty() && after == source.line_count() {
        after - 1
    } else {
        after.max(last)
    };
    let old_count = after + 1 - before;
    let new_count = old_count + new.len() - old.len();
    let new_before = before.checked_add_signed(*shift).unwrap_or(before);
    let _ = writeln!(out, "@@ -{before},{old_count} +{new_before},{new_count} @@");
    let mut line = |mark: char, text: &str| {
        let _ = writeln!(out, "{mark}{text}");
    };
    (before..first).for_each(|number| line(' ', source.line(number)));
    for text in old.iter().take(same_start) {
        line(' ', text);
    }
    for text in old
        .iter()
        .skip(same_start)
        .take(old.len() - same_start - same_end)
    {
        line('-', text);
    }
    for text in new
        .iter()
        .skip(same_start)
        .take(new.len() - same_start - same_end)
    {
        line('+', text);
    }
    for text in old.iter().skip(old.len() - same_end) {
        line(' ', text);
    }
    (last + 1..=after).for_each(|number| line(' ', source.line(number)));
    *shift += isize::try_from(new.len()).unwrap_or(0) - isize::try_from(old.len()).unwrap_or(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_count_their_lines() {
        let source = Source::new("w.yml", "a\nb\nc\nd\ne\nf\n");
        let edits = [Edit {
            path: "w.yml".into(),
            span: Span::new(4, 5),
            replacement: "C\nC2".into(),
        }];
        assert_eq!(
            unified(&source, &edits),
            "--- a/w.yml\n+++ b/w.yml\n@@ -1,6 +1,7 @@\n a\n b\n-c\n+C\n+C2\n d\n e\n f\n"
        );
    }
}
