//! The changes of text that several rules propose. All keep comments and layout.

use crate::finding::Fix;
use crate::model::{Guard, Step, Workflow};
use crate::source::{Place, Span};
use crate::symbolic::Text;

use super::context::shown;

/// Puts a known text in the place of another that stands once in a place; advice when it cannot be done by text.
pub(super) fn renamed(verb: &str, place: &Place, old: &Text, new: &Text) -> Fix {
    let edit = old
        .as_literal()
        .zip(new.as_literal())
        .and_then(|(old, new)| {
            let at = sole_occurrence(place.text(), old)?;
            let part = place.part(at, at + old.len());
            Some(Fix::edit(format!("{verb} `{new}`"), &part, new))
        });
    edit.unwrap_or_else(|| Fix::advice(format!("{verb} {}", shown(new))))
}

/// Renames a file also where the step's script removes it: `rm` fails for a file that is not there.
pub(super) fn with_removals(fix: Fix, step: &Place, old: &Text, new: &Text) -> Fix {
    let (Some(old), Some(new)) = (old.as_literal(), new.as_literal()) else {
        return fix;
    };
    if fix.edits.is_empty() {
        return fix;
    }
    let mut start = 0;
    step.text().split_inclusive('\n').fold(fix, |fix, line| {
        let removal = line.trim_start().starts_with("rm ");
        let found = sole_occurrence(line, old).filter(|_| removal);
        let at = start;
        start += line.len();
        match found {
            Some(found) => fix.and(&step.part(at + found, at + found + old.len()), new),
            None => fix,
        }
    })
}

/// Where a word stands in a text, if it does so once. Part of a longer path or reference is another word.
pub(super) fn sole_occurrence(text: &str, word: &str) -> Option<usize> {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./:@".contains(c);
    let mut found = text.match_indices(word).map(|(at, _)| at).filter(|at| {
        let before = text.get(..*at).unwrap_or_default();
        let before = before.strip_suffix("./").unwrap_or(before);
        let after = text.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    });
    match (found.next(), found.next()) {
        (Some(at), None) if !word.is_empty() => Some(at),
        _ => None,
    }
}

/// The step of the workflow's own file that a place lies in.
pub(super) fn step_at<'a>(workflow: &'a Workflow, place: &Place) -> Option<&'a Step> {
    if place.source.path() != workflow.source.path() {
        return None;
    }
    let mut steps = workflow.jobs.iter().flat_map(|job| &job.steps);
    steps.find(|step| step.span.contains(place.span))
}

/// Gives an input of a step a value; one that is not there yet comes after the others.
pub(super) fn with_input(workflow: &Workflow, step: &Step, name: &str, value: &str) -> Option<Fix> {
    let source = &workflow.source;
    let line = format!("{name}: {value}");
    if let Some(field) = step.input(name) {
        let place = Place::new(source, field.span);
        return Some(Fix::edit(line, &place, value));
    }
    let span = step.with_span?;
    let text = source.slice(span);
    let values = text.strip_prefix("with:")?.trim_start_matches([' ', '\t']);
    if values.starts_with('{') {
        let at = span.start + (text.len() - values.len()) + 1;
        let insertion = format!("{line}, ");
        return Some(Fix::edit(
            line,
            &Place::new(source, Span::new(at, at)),
            insertion,
        ));
    }
    let first = source.line_of(span.start) + 1;
    let last = source.line_of(span.start + text.trim_end().len());
    let is_entry = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let entry = (first..=last)
        .map(|number| source.line(number))
        .find(is_entry)?;
    let indent = entry.len() - entry.trim_start().len();
    let at = source.line_end(last);
    let insertion = format!("\n{}{line}", " ".repeat(indent));
    Some(Fix::edit(
        line,
        &Place::new(source, Span::new(at, at)),
        insertion,
    ))
}

/// Adds a condition to that of a step.
pub(super) fn guarded_step(place: &Place, guard: Option<&Guard>, wanted: &str) -> Fix {
    let advice = || Fix::advice(format!("if: {wanted}"));
    if wanted.contains('\n') {
        return advice();
    }
    let Some(guard) = guard else {
        // A step in braces cannot take a line of its own.
        if place.text().starts_with('{') {
            return advice();
        }
        let indent = " ".repeat(place.position().column - 1);
        let insertion = format!("if: {}\n{indent}", yaml_condition(wanted));
        return Fix::edit(format!("if: {wanted}"), &place.part(0, 0), insertion);
    };
    guarded(place, guard, wanted)
}

/// Adds a condition to one that is there; `near` is any place of its file.
pub(super) fn guarded(near: &Place, guard: &Guard, wanted: &str) -> Fix {
    let own = guard.bare();
    if own.contains('\n') || own.contains(wanted) {
        return Fix::advice(format!("if: ({own}) && ({wanted})"));
    }
    let left = if own.contains("||") {
        format!("({own})")
    } else {
        own.to_owned()
    };
    let missing: Vec<&str> = if wanted.contains("||") {
        Vec::new()
    } else {
        let parts = wanted.split("&&").map(str::trim);
        parts.filter(|part| !left.contains(part)).collect()
    };
    let right = if missing.is_empty() {
        format!("({wanted})")
    } else {
        missing.join(" && ")
    };
    let joined = format!("{left} && {right}");
    let place = Place::new(&near.source, guard.field.span);
    Fix::edit(format!("if: {joined}"), &place, yaml_condition(&joined))
}

/// A condition as a YAML value: one that starts with `!` or a quote, or holds `: ` or ` #`, needs braces around it.
fn yaml_condition(condition: &str) -> String {
    if condition.starts_with(['!', '\'', '"', '[', '{', '*', '&'])
        || condition.contains(": ")
        || condition.contains(" #")
    {
        format!("${{{{ {condition} }}}}")
    } else {
        condition.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::sole_occurrence;

    #[test]
    fn words_are_found_whole() {
        assert_eq!(
            sole_occurrence("docker save app -o app.tar", "app"),
            Some(12)
        );
        assert_eq!(sole_occurrence("load -i ./a.tar", "a.tar"), Some(10));
        assert_eq!(sole_occurrence("load -i x/a.tar", "a.tar"), None);
        assert_eq!(sole_occurrence("tag app:1 app:1", "app:1"), None);
        assert_eq!(sole_occurrence("x", ""), None);
    }
}
