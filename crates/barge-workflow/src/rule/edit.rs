//! The changes of text that several rules propose. All keep comments and layout.

use crate::expression::{Expression, Kind, Operator, parse};
use crate::finding::Fix;
use crate::model::{Guard, Step, Workflow};
use crate::source::{Place, Span};
use crate::symbolic::Text;
use crate::yaml::Style;

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
    if let Some(guard) = guard {
        return guarded(place, guard, wanted);
    }
    // A step in braces cannot take a line of its own.
    let condition = conjunction("", wanted).filter(|_| !place.text().starts_with('{'));
    let Some(condition) = condition else {
        return Fix::advice(format!("if: {wanted}"));
    };
    let indent = " ".repeat(place.position().column - 1);
    let insertion = format!("if: {}\n{indent}", yaml_condition(&condition));
    Fix::edit(format!("if: {condition}"), &place.part(0, 0), insertion)
}

/// Adds a condition to one that is there; `near` is any place of its file.
pub(super) fn guarded(near: &Place, guard: &Guard, wanted: &str) -> Fix {
    let own = guard.bare();
    let place = Place::new(&near.source, guard.field.span);
    let edit = conjunction(own, wanted).and_then(|joined| {
        let message = format!("if: {joined}");
        match guard.field.style {
            Style::Plain => Some(Fix::edit(message, &place, yaml_condition(&joined))),
            Style::Quoted => Some(Fix::edit(message, &place, quoted(&joined))),
            // In a block the line ends around the condition are the block's own.
            Style::Literal | Style::Folded => {
                let at = place.text().find(own)?;
                Some(Fix::edit(message, &place.part(at, at + own.len()), joined))
            }
        }
    });
    edit.unwrap_or_else(|| Fix::advice(format!("if: ({own}) && ({wanted})")))
}

/// A condition that holds exactly when both do, on one line; `own` is empty where there is none. Nothing when `own` says
/// all of `wanted` already, or one of them cannot be read.
fn conjunction(own: &str, wanted: &str) -> Option<String> {
    if own.contains('\n') || wanted.contains('\n') {
        return None;
    }
    let read = |text| parse(text).ok();
    let own_tree = if own.is_empty() {
        None
    } else {
        Some(read(own)?)
    };
    let wanted_tree = read(wanted)?;
    let own_parts = own_tree.as_ref().map(conjuncts).unwrap_or_default();
    // Without a status function `success()` is implied, and all that follows from it.
    let after_success = !own_tree
        .as_ref()
        .is_some_and(Expression::has_status_function);
    let implied = ["success()", "always()", "!cancelled()", "!failure()"];
    let is_said = |part: &Expression| {
        let text = part.to_string();
        own_parts.iter().any(|own| own.to_string() == text)
            || after_success && implied.contains(&text.as_str())
    };
    let parts = conjuncts(&wanted_tree).into_iter();
    let missing: Vec<&Expression> = parts.filter(|part| !is_said(part)).collect();
    if missing.is_empty() {
        return None;
    }
    let speaks_of_status = missing.iter().any(|part| part.has_status_function());
    let implicit = (after_success && speaks_of_status).then(|| "success()".to_owned());
    let own_part = own_tree.as_ref().map(|tree| operand(tree, own));
    let added = missing.iter().map(|part| operand(part, wanted));
    let all: Vec<String> = implicit.into_iter().chain(own_part).chain(added).collect();
    let alone = own.is_empty() && all.len() == 1 && missing.len() == conjuncts(&wanted_tree).len();
    let joined = if alone {
        wanted.to_owned()
    } else {
        all.join(" && ")
    };
    parse(&joined).is_ok().then_some(joined)
}

/// The parts that all must hold for an expression to hold.
fn conjuncts(expression: &Expression) -> Vec<&Expression> {
    match &expression.kind {
        Kind::Binary(Operator::And, left, right) => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        _ => vec![expression],
    }
}

/// An expression as its author wrote it in `text`, fit to stand beside `&&`.
fn operand(expression: &Expression, text: &str) -> String {
    let span = expression.span;
    let written = text.get(span.start..span.end).unwrap_or_default().trim();
    match &expression.kind {
        Kind::Binary(Operator::Or, left, _) if left.span.start == span.start => {
            format!("({written})")
        }
        _ => written.to_owned(),
    }
}

/// A text between double quotes, as YAML reads it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
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
    use super::{conjunction, sole_occurrence};

    #[test]
    fn conditions_are_joined_by_their_meaning() {
        for (own, wanted, joined) in [
            ("a", "b", Some("a && b")),
            ("a || b", "c", Some("(a || b) && c")),
            ("(a || b)", "c", Some("(a || b) && c")),
            ("(a) || (b)", "c", Some("((a) || (b)) && c")),
            ("a", "b || c", Some("a && (b || c)")),
            ("a", "(b || c)", Some("a && (b || c)")),
            // What one side of `||` says is not said.
            ("a || b", "b && c", Some("(a || b) && b && c")),
            ("a == 'x' && b", "B && c", Some("a == 'x' && b && c")),
            ("ab", "a", Some("ab && a")),
            ("a && b", "b && a", None),
            ("a", "!(b && c)", Some("a && !(b && c)")),
            ("!(b && c)", "b && d", Some("!(b && c) && b && d")),
            // `success()` is implied where no status function is, and stays so.
            ("a", "always() && b", Some("a && b")),
            ("", "!cancelled() && b", Some("b")),
            ("", "always()", None),
            (
                "a",
                "(always() || b)",
                Some("success() && a && (always() || b)"),
            ),
            (
                "always()",
                "success() && b",
                Some("always() && success() && b"),
            ),
            ("", "b || c", Some("b || c")),
            ("", "a == 'x' && b", Some("a == 'x' && b")),
            ("a &&", "b", None),
            ("a", "b)", None),
            ("a\n|| b", "c", None),
        ] {
            assert_eq!(
                conjunction(own, wanted).as_deref(),
                joined,
                "{own} + {wanted}"
            );
        }
    }

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
