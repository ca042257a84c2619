//! The tools by their names, and the small ones among them.

use std::sync::Arc;

use crate::symbolic::{Shape, Symbol, Text, Value};

use super::cut::cut;
use super::sed::sed;

/// The output of a text tool for an input; nothing for programs that are none.
#[must_use]
pub fn apply(program: &str, arguments: &[Text], input: &Text) -> Option<Value> {
    let literals: Vec<&str> = arguments.iter().filter_map(Text::as_literal).collect();
    if literals.len() != arguments.len() {
        return matches!(
            program,
            "tr" | "sed" | "cut" | "awk" | "grep" | "head" | "tail"
        )
        .then(|| derived(program, arguments, input));
    }
    let result = match (program, literals.as_slice()) {
        ("tr", [from, to]) if is_upper(from) && is_lower(to) => Some(input.lower()),
        ("tr", ["-d", set]) => delete(input, set),
        ("tr", [from, to]) => translate(input, from, to),
        ("cat" | "tee" | "xargs" | "sort" | "uniq", []) => Some(input.trim()),
        ("sort" | "uniq", _) => input
            .as_literal()
            .filter(|text| !text.trim().contains('\n'))
            .map(Text::literal),
        ("head", ["-n1" | "-1"] | ["-n", "1"]) => first_line(input),
        ("tail", ["-n1" | "-1"] | ["-n", "1"]) => last_line(input),
        ("cut", rest) => cut(input, rest),
        ("sed", [script] | ["-e" | "-E" | "-r", script]) => sed(input, script),
        ("awk", [script]) if script.trim() == "{print $1}" || script.trim() == "{ print $1 }" => {
            first_word(input)
        }
        ("awk", [script]) if script.contains("tolower($0)") => Some(input.lower()),
        ("basename", _)
        | ("dirname", _)
        | ("grep" | "awk" | "jq" | "yq" | "rev" | "wc" | "base64" | "sha256sum", _) => None,
        _ => return None,
    };
    Some(result.map_or_else(|| derived(program, arguments, input), Value::from))
}

/// The unknown that a tool makes of an input.
#[must_use]
pub fn derived(program: &str, arguments: &[Text], input: &Text) -> Value {
    let arguments: Vec<String> = arguments.iter().map(Text::describe).collect();
    Value::unknown(
        format!("{program} {} <<< {}", arguments.join(" "), input.describe()),
        Shape::Text,
    )
}

fn is_upper(set: &str) -> bool {
    matches!(set, "[:upper:]" | "A-Z" | "[A-Z]" | "'[:upper:]'")
}

fn is_lower(set: &str) -> bool {
    matches!(set, "[:lower:]" | "a-z" | "[a-z]" | "'[:lower:]'")
}

pub(super) fn shape_change(tool: &'static str) -> impl Fn(&Arc<Symbol>) -> Arc<Symbol> {
    move |symbol| match symbol.shape() {
        Shape::Digits | Shape::Hexadecimal => Arc::clone(symbol),
        _ => symbol.derived(format!("{tool}({})", symbol.name())),
    }
}

fn delete(input: &Text, set: &str) -> Option<Text> {
    let unwanted: Vec<char> = match set {
        "\\n" | "\n" | "[:space:]" | "\\r\\n" | "\\n\\r" | "\\r" => vec!['\n', '\r', ' '],
        "\"" | "'" | " " => set.chars().collect(),
        _ => return None,
    };
    Some(input.map(
        |text| text.chars().filter(|c| !unwanted.contains(c)).collect(),
        Arc::clone,
    ))
}

fn translate(input: &Text, from: &str, to: &str) -> Option<Text> {
    let unescape = |text: &str| match text {
        "\\n" => "\n".to_owned(),
        "\\t" => "\t".to_owned(),
        other => other.to_owned(),
    };
    let (from, to) = (unescape(from), unescape(to));
    let (mut first, mut second) = (from.chars(), to.chars());
    match (first.next(), first.next(), second.next(), second.next()) {
        (Some(from), None, Some(to), None) => {
            let shown: &'static str = if from == '/' {
                "slashes replaced"
            } else {
                "translated"
            };
            Some(input.map(
                |text| text.replace(from, &to.to_string()),
                shape_change(shown),
            ))
        }
        _ => None,
    }
}

fn first_line(input: &Text) -> Option<Text> {
    match input.split_first('\n') {
        Some((first, _)) => Some(first),
        None if input
            .symbols()
            .all(|symbol| !matches!(symbol.shape(), Shape::Any | Shape::Text)) =>
        {
            Some(input.clone())
        }
        None => None,
    }
}

fn last_line(input: &Text) -> Option<Text> {
    let trimmed = input.trim();
    match trimmed.split_last('\n') {
        Some((_, last)) => Some(last),
        None => first_line(&trimmed),
    }
}

fn first_word(input: &Text) -> Option<Text> {
    let trimmed = input.trim();
    match trimmed.split_first(' ') {
        Some((first, _)) => Some(first),
        None if trimmed.as_literal().is_some() => Some(trimmed),
        None => None,
    }
}
