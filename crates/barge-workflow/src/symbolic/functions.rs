//! The functions of the expression language, over partly known arguments.

use std::fmt::Display;

use serde_json::Value as Json;

use crate::expression::coerce;

use super::compare::Comparison;
use super::condition::Condition;
use super::evaluate::equality;
use super::symbol::{Shape, Symbol};
use super::text::{Piece, Text};
use super::value::{Term, Value};

/// The value of a call; `name` is in lower case, `canonical` names the unknown if the value cannot be known.
pub(super) fn call(name: &str, arguments: &[Value], canonical: &dyn Display) -> Value {
    let unknown = |shape| Value::unknown(canonical.to_string(), shape);
    match (name, arguments) {
        ("contains", [hay, needle]) => {
            pairs(hay, needle, |hay, needle| contains(hay, needle, canonical))
        }
        ("startswith", [text, part]) => {
            pairs(text, part, |text, part| edge(text, part, true, canonical))
        }
        ("endswith", [text, part]) => {
            pairs(text, part, |text, part| edge(text, part, false, canonical))
        }
        ("format", [pattern, rest @ ..]) => {
            format(pattern, rest).unwrap_or_else(|| unknown(Shape::Text))
        }
        ("join", [list]) => join(list, ",").unwrap_or_else(|| unknown(Shape::Text)),
        ("join", [list, separator]) => match separator.literal() {
            Some(separator) => join(list, &separator).unwrap_or_else(|| unknown(Shape::Text)),
            None => unknown(Shape::Text),
        },
        ("tojson", [value]) => value.map(|term| match to_json(term) {
            Some(json) => Term::text(serde_json::to_string_pretty(&json).unwrap_or_default()),
            None => Term::unknown(canonical.to_string(), Shape::Text),
        }),
        ("fromjson", [text]) => text.map(|term| {
            // What a step hands out as JSON is known by its parts.
            if matches!(term, Term::Map(_) | Term::List(_)) {
                return term.clone();
            }
            let printed = term.printed();
            let json = printed
                .as_literal()
                .and_then(|text| serde_json::from_str(text).ok());
            json.map_or_else(
                || Term::unknown(canonical.to_string(), Shape::Any),
                |json: Json| from_json(&json),
            )
        }),
        ("hashfiles", _) => unknown(Shape::Hexadecimal),
        ("case", _) => case(arguments).unwrap_or_else(|| unknown(Shape::Any)),
        _ => unknown(Shape::Any),
    }
}

fn pairs(left: &Value, right: &Value, decide: impl Fn(&Term, &Term) -> Condition) -> Value {
    left.flat_map(|left| right.flat_map(|right| Value::from(&decide(left, right))))
}

fn opaque(canonical: &dyn Display) -> Condition {
    Condition::truthy(&Symbol::new(canonical.to_string(), Shape::Boolean))
}

fn contains(hay: &Term, needle: &Term, canonical: &dyn Display) -> Condition {
    match hay {
        Term::List(items) => items.iter().fold(Condition::Never, |any, item| {
            any.or(&equality(item, needle))
        }),
        Term::Map(_) => Condition::Never,
        _ => {
            let (hay, needle) = (hay.printed().lower(), needle.printed().lower());
            match (hay.as_literal(), needle.as_literal()) {
                (_, Some("")) => Condition::Always,
                (Some(hay), Some(needle)) if hay.contains(needle) => Condition::Always,
                (Some(_), Some(_)) => Condition::Never,
                (None, Some(needle)) if hay.contains(needle) => Condition::Always,
                (None, Some(needle)) => {
                    match hay.as_symbol().filter(|symbol| !symbol.values().is_empty()) {
                        Some(symbol) => listed(symbol, |value| value.contains(needle)),
                        None => opaque(canonical),
                    }
                }
                _ => opaque(canonical),
            }
        }
    }
}

fn edge(text: &Term, part: &Term, start: bool, canonical: &dyn Display) -> Condition {
    let spelled = text.printed();
    let (text, part) = (spelled.lower(), part.printed().lower());
    let Some(part) = part.as_literal() else {
        return opaque(canonical);
    };
    let known = if start {
        text.literal_start()
    } else {
        text.literal_end()
    };
    let fits = |value: &str| {
        if start {
            value.starts_with(part)
        } else {
            value.ends_with(part)
        }
    };
    if fits(known) {
        return Condition::Always;
    }
    if let Some(symbol) = text
        .as_symbol()
        .filter(|symbol| !symbol.values().is_empty())
    {
        return listed(symbol, fits);
    }
    // Anything before or after the edge: can the whole still be this text?
    let mut pattern = Text::new();
    let rest = Text::symbol(Symbol::new("\u{0}", Shape::Text));
    if start {
        pattern.push_str(part);
        pattern.append(&rest);
    } else {
        pattern.append(&rest);
        pattern.push_str(part);
    }
    match text.compare(&pattern) {
        Comparison::Different => Condition::Never,
        _ => start
            .then(|| start_of(&spelled, part))
            .flatten()
            .unwrap_or_else(|| opaque(canonical)),
    }
}

/// The question to the unknown that comes first, after what is known: `refs/heads/{ref_name}` starts with `refs/heads/v`
/// when the name starts with `v`.
pub(crate) fn start_of(text: &Text, start: &str) -> Option<Condition> {
    let (symbol, known) = match text.pieces() {
        [Piece::Symbol(symbol)] => (symbol, ""),
        [Piece::Literal(known), Piece::Symbol(symbol)] => (symbol, known.as_str()),
        _ => return None,
    };
    let rest = start.strip_prefix(&known.to_lowercase())?;
    Some(Condition::starts_with(symbol, rest))
}

fn listed(symbol: &std::sync::Arc<Symbol>, fits: impl Fn(&str) -> bool) -> Condition {
    let fitting = symbol
        .values()
        .iter()
        .filter(|value| fits(&value.to_lowercase()));
    let fitting: Vec<&String> = fitting.collect();
    if fitting.len() == symbol.values().len() {
        return Condition::Always;
    }
    fitting.iter().fold(Condition::Never, |any, value| {
        any.or(&Condition::equals(symbol, value))
    })
}

fn format(pattern: &Value, arguments: &[Value]) -> Option<Value> {
    let pattern = pattern.literal()?;
    let mut value = Value::text("");
    let mut rest = pattern.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        value = value.concat(&Value::text(rest.get(..at)?));
        rest = rest.get(at..)?;
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            value = value.concat(&Value::text(rest.get(..1)?));
            rest = after;
            continue;
        }
        let close = rest.find('}')?;
        let index: usize = rest.get(1..close)?.parse().ok()?;
        value = value.concat(arguments.get(index)?);
        rest = rest.get(close + 1..)?;
    }
    Some(value.concat(&Value::text(rest)))
}

fn join(list: &Value, separator: &str) -> Option<Value> {
    let [(_, term)] = list.alternatives() else {
        return None;
    };
    match term {
        Term::List(items) => {
            let mut text = Text::new();
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push_str(separator);
                }
                text.append(&item.printed());
            }
            Some(text.into())
        }
        Term::Text(text) if text.as_literal().is_none() => None,
        other => Some(other.printed().into()),
    }
}

fn case(arguments: &[Value]) -> Option<Value> {
    let (default, branches) = arguments.split_last()?;
    let mut value = default.clone();
    for branch in branches.chunks(2).rev() {
        let [predicate, then] = branch else {
            return None;
        };
        value = Value::choose(&predicate.truth(), then, &value);
    }
    Some(value)
}

fn to_json(term: &Term) -> Option<Json> {
    Some(match term {
        Term::Null => Json::Null,
        Term::Boolean(value) => Json::Bool(*value),
        // Whole numbers print without a point.
        Term::Number(number) => match coerce::text_of_number(*number).parse::<i64>() {
            Ok(whole) => Json::from(whole),
            Err(_) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
        },
        Term::Text(text) => Json::String(text.as_literal()?.to_owned()),
        Term::List(items) => Json::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Term::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Some((key.clone(), to_json(value)?)));
            Json::Object(entries.collect::<Option<_>>()?)
        }
    })
}

/// A JSON value as a term; serde_json bounds its depth.
pub(crate) fn from_json(json: &Json) -> Term {
    match json {
        Json::Null => Term::Null,
        Json::Bool(value) => Term::Boolean(*value),
        Json::Number(number) => Term::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Term::text(text.as_str()),
        Json::Array(items) => Term::List(items.iter().map(from_json).collect::<Vec<_>>().into()),
        Json::Object(entries) => Term::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), from_json(value)))
                .collect::<Vec<_>>()
                .into(),
        ),
    }
}
