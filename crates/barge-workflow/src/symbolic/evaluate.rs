//! Evaluates an expression over partly known contexts.
//!
//! `&&` and `||` return an operand; equality coerces as GitHub documents; an unknown property of a known object is null;
//! what cannot be decided becomes an unknown named by the canonical text of the expression.

use crate::expression::{Expression, Kind, Operator, Part, Template, coerce};

use super::compare::Comparison;
use super::condition::Condition;
use super::functions;
use super::symbol::{Shape, Symbol};
use super::text::Text;
use super::value::{Term, Value};

/// What an expression can see.
pub trait Scope {
    /// The value of a context path, `["github", "event_name"]`; names are in lower case unless they were quoted.
    fn resolve(&self, path: &[&str]) -> Value;

    /// The condition under which a status function is true.
    fn status(&self, function: &str) -> Condition;
}

/// The value of an expression.
#[must_use]
pub fn evaluate(expression: &Expression, scope: &dyn Scope) -> Value {
    let value = match &expression.kind {
        Kind::Null => Value::null(),
        Kind::Boolean(value) => Term::Boolean(*value).into(),
        Kind::Number(number) => Term::Number(*number).into(),
        Kind::Text(text) => Value::text(text.as_str()),
        Kind::Context(_) | Kind::Property(..) | Kind::Index(..) => access(expression, scope),
        Kind::Filter(inner) => filter(expression, &evaluate(inner, scope)),
        Kind::Call(name, arguments) => call(expression, name, arguments, scope),
        Kind::Not(inner) => Value::from(&evaluate(inner, scope).truth().negate()),
        Kind::Binary(Operator::And, left, right) => {
            let left = evaluate(left, scope);
            let truth = left.truth();
            if truth == Condition::Never {
                left
            } else {
                Value::choose(&truth, &evaluate(right, scope), &falsy_part(&left))
            }
        }
        Kind::Binary(Operator::Or, left, right) => {
            let left = evaluate(left, scope);
            let truth = left.truth();
            if truth == Condition::Always {
                left
            } else {
                Value::choose(&truth, &left, &evaluate(right, scope))
            }
        }
        Kind::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, scope), evaluate(right, scope));
            compare(expression, *operator, &left, &right)
        }
    };
    value.or_unknown(|| expression.to_string())
}

/// What a value can be where it does not count as true: an unknown text is then empty.
fn falsy_part(value: &Value) -> Value {
    value.map(|term| match term {
        Term::Text(text)
            if text
                .as_symbol()
                .is_some_and(|symbol| symbol.shape() == Shape::Text) =>
        {
            Term::text("")
        }
        Term::Text(text)
            if text
                .as_symbol()
                .is_some_and(|symbol| symbol.shape() == Shape::Boolean) =>
        {
            Term::Boolean(false)
        }
        _ => term.clone(),
    })
}

/// The condition that an `if:` puts: without a status function, `success()` is required as well.
#[must_use]
pub fn condition_of(template: &Template, text: &str, scope: &dyn Scope) -> Condition {
    let Some(expression) = template.sole_expression() else {
        // Text around `${{ }}` makes a text that is never empty.
        let has_text = template.parts.iter().any(|part| match part {
            Part::Literal(range) => text
                .get(range.clone())
                .is_some_and(|literal| !literal.is_empty()),
            _ => false,
        });
        return if has_text {
            scope.status("success")
        } else {
            Condition::truthy(&Symbol::new(text, Shape::Boolean))
        };
    };
    let truth = evaluate(expression, scope).truth();
    if expression.has_status_function() {
        truth
    } else {
        scope.status("success").and(&truth)
    }
}

/// A text with its expressions put in.
#[must_use]
pub fn interpolate(text: &str, scope: &dyn Scope) -> Value {
    if !text.contains("${{") {
        return Value::text(text);
    }
    interpolate_template(&Template::parse(text), text, scope)
}

/// A text that was split before, with its expressions put in.
#[must_use]
pub fn interpolate_template(template: &Template, text: &str, scope: &dyn Scope) -> Value {
    if let Some(expression) = template.sole_expression() {
        return evaluate(expression, scope);
    }
    let mut value = Value::text("");
    for part in &template.parts {
        let next = match part {
            Part::Literal(range) => Value::text(text.get(range.clone()).unwrap_or_default()),
            Part::Expression(_, expression) => evaluate(expression, scope),
            Part::Broken(range, _) => {
                Value::unknown(text.get(range.clone()).unwrap_or_default(), Shape::Text)
            }
        };
        value = value.concat(&next).or_unknown(|| text);
    }
    value
}

fn access(expression: &Expression, scope: &dyn Scope) -> Value {
    if let Some(path) = expression.path() {
        return scope.resolve(&path);
    }
    let unknown = || Value::unknown(expression.to_string(), Shape::Any);
    let (object, key) = match &expression.kind {
        Kind::Property(object, name) => (object, Value::text(name.as_str())),
        Kind::Index(object, index) => (object, evaluate(index, scope)),
        _ => return unknown(),
    };
    // `steps[matrix.id].outputs`: a known key makes it an ordinary path.
    if let (Some(mut path), Some(key)) = (object.path(), key.literal()) {
        path.push(&key);
        return scope.resolve(&path);
    }
    let filtered = is_filtered(object);
    let object = evaluate(object, scope);
    let member = |object: &Term, key: &Term| match object {
        Term::List(items) if filtered => members(items, key),
        _ => object.member(key),
    };
    object.flat_map(|object| {
        key.flat_map(|key| member(object, key).map_or_else(unknown, Value::from))
    })
}

/// Says whether an expression goes through `.*`: what follows is asked of each item.
fn is_filtered(expression: &Expression) -> bool {
    match &expression.kind {
        Kind::Filter(_) => true,
        Kind::Property(inner, _) | Kind::Index(inner, _) => is_filtered(inner),
        _ => false,
    }
}

/// The member of each item that has it.
fn members(items: &[Term], key: &Term) -> Option<Term> {
    let members: Vec<Term> = items
        .iter()
        .map(|item| item.member(key))
        .collect::<Option<_>>()?;
    let present: Vec<Term> = members
        .into_iter()
        .filter(|member| *member != Term::Null)
        .collect();
    Some(Term::List(present.into()))
}

fn filter(expression: &Expression, object: &Value) -> Value {
    object.map(|object| match object {
        Term::List(_) => object.clone(),
        Term::Map(entries) => Term::List(
            entries
                .iter()
                .map(|(_, value)| value.clone())
                .collect::<Vec<_>>()
                .into(),
        ),
        Term::Text(text) if text.as_literal().is_none() => {
            Term::unknown(expression.to_string(), Shape::Any)
        }
        _ => Term::List(Vec::new().into()),
    })
}

fn call(expression: &Expression, name: &str, arguments: &[Expression], scope: &dyn Scope) -> Value {
    if matches!(name, "success" | "failure" | "always" | "cancelled") {
        return Value::from(&scope.status(name));
    }
    let arguments: Vec<Value> = arguments
        .iter()
        .map(|argument| evaluate(argument, scope))
        .collect();
    functions::call(name, &arguments, expression)
}

fn compare(expression: &Expression, operator: Operator, left: &Value, right: &Value) -> Value {
    let mut truth = Condition::Never;
    for (when_left, left) in left.alternatives() {
        for (when_right, right) in right.alternatives() {
            let both = when_left.and(when_right);
            if both == Condition::Never {
                continue;
            }
            let holds = match operator {
                Operator::Equal => equality(left, right),
                Operator::NotEqual => equality(left, right).negate(),
                _ => order(expression, operator, left, right),
            };
            truth = truth.or(&both.and(&holds));
        }
    }
    Value::from(&truth)
}

fn known(truth: bool) -> Condition {
    if truth {
        Condition::Always
    } else {
        Condition::Never
    }
}

/// The condition under which two terms are equal in GitHub's sense.
pub(super) fn equality(left: &Term, right: &Term) -> Condition {
    match (left, right) {
        (Term::Text(a), Term::Text(b)) => text_equality(a, b),
        (Term::Boolean(a), Term::Boolean(b)) => known(a == b),
        (Term::Null, Term::Null) => Condition::Always,
        (Term::List(a), Term::List(b)) => known(std::sync::Arc::ptr_eq(a, b)),
        (Term::Map(a), Term::Map(b)) => known(std::sync::Arc::ptr_eq(a, b)),
        (Term::Text(text), other) | (other, Term::Text(text)) if text.as_literal().is_none() => {
            unknown_equality(text, other)
        }
        _ => match (left.number(), right.number()) {
            (Some(a), Some(b)) => known(a == b),
            _ => Condition::Never,
        },
    }
}

/// An unknown text against something that is no text: the text becomes a number, unless the unknown has another type.
fn unknown_equality(text: &Text, other: &Term) -> Condition {
    let Some(symbol) = text.as_symbol() else {
        return opaque(text, other);
    };
    match (symbol.shape(), other) {
        (Shape::Boolean, Term::Boolean(true)) => Condition::truthy(symbol),
        (Shape::Boolean, Term::Boolean(false) | Term::Null) => Condition::truthy(symbol).negate(),
        (Shape::Any, Term::Boolean(true)) => Condition::equals(symbol, "true"),
        // Null, an empty text and false are all 0.
        (Shape::Any, Term::Boolean(false)) => {
            Condition::equals(symbol, "false").or(&Condition::equals(symbol, ""))
        }
        (_, Term::Null) => Condition::equals(symbol, ""),
        (_, Term::Number(number)) => Condition::equals(symbol, &coerce::text_of_number(*number)),
        // A text `true` is no number, so it never equals the boolean; `''` equals false.
        (_, Term::Boolean(true)) => Condition::equals(symbol, "1"),
        (_, Term::Boolean(false)) => {
            Condition::equals(symbol, "").or(&Condition::equals(symbol, "0"))
        }
        _ => Condition::Never,
    }
}

/// The condition under which two texts are equal, letters of either case being the same.
#[must_use]
pub fn text_equality(left: &Text, right: &Text) -> Condition {
    if let (Some(a), Some(b)) = (left.as_literal(), right.as_literal()) {
        return known(coerce::same_text(a, b));
    }
    // `refs/heads/{ref_name}` against a known ref is a question to the unknown alone.
    for (unknown, literal) in [(left, right), (right, left)] {
        let Some(literal) = literal.as_literal() else {
            continue;
        };
        if unknown.symbols().count() != 1 {
            continue;
        }
        let (start, end) = match unknown.pieces() {
            [_] => ("", ""),
            _ if unknown.as_symbol().is_none() => {
                let start = if unknown
                    .pieces()
                    .first()
                    .is_some_and(|p| matches!(p, super::text::Piece::Literal(_)))
                {
                    unknown.literal_start()
                } else {
                    ""
                };
                (start, unknown.literal_end())
            }
            _ => ("", ""),
        };
        let Some(symbol) = unknown.symbols().next() else {
            continue;
        };
        return match strip_ignoring_case(literal, start, end) {
            Some(middle) => Condition::equals(symbol, middle),
            None => Condition::Never,
        };
    }
    match left.lower().compare(&right.lower()) {
        Comparison::Equal => Condition::Always,
        Comparison::Different => Condition::Never,
        Comparison::Maybe => opaque(left, &Term::Text(right.clone())),
    }
}

fn strip_ignoring_case<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    let middle = text.get(start.len()..text.len().checked_sub(end.len())?)?;
    let tail = text.get(text.len() - end.len()..)?;
    (coerce::same_text(head, start) && coerce::same_text(tail, end)).then_some(middle)
}

fn opaque(left: &Text, right: &Term) -> Condition {
    let name = format!("{} == {}", left.describe(), right.printed().describe());
    Condition::truthy(&Symbol::new(name, Shape::Boolean))
}

fn order(expression: &Expression, operator: Operator, left: &Term, right: &Term) -> Condition {
    let texts = match (left, right) {
        (Term::Text(a), Term::Text(b)) => a.as_literal().zip(b.as_literal()),
        _ => None,
    };
    let ordering = match texts {
        Some((a, b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        None => match (left.number(), right.number()) {
            (Some(a), Some(b)) => match a.partial_cmp(&b) {
                Some(ordering) => Some(ordering),
                None => return Condition::Never,
            },
            _ => None,
        },
    };
    match ordering {
        Some(ordering) => known(match operator {
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            _ => ordering.is_ge(),
        }),
        None => Condition::truthy(&Symbol::new(expression.to_string(), Shape::Boolean)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;

    struct Example;

    impl Scope for Example {
        fn resolve(&self, path: &[&str]) -> Value {
            match path {
                ["github", "event_name"] => Value::text("pull_request"),
                ["github", "ref"] => {
                    let mut text = Text::literal("refs/heads/");
                    text.append(&Text::symbol(Symbol::new("github.ref_name", Shape::Word)));
                    text.into()
                }
                ["github", "missing", ..] => Value::null(),
                ["env", name] => Value::text(*name),
                _ => Value::unknown(path.join("."), Shape::Text),
            }
        }

        fn status(&self, function: &str) -> Condition {
            if matches!(function, "success" | "always") {
                Condition::Always
            } else {
                Condition::Never
            }
        }
    }

    fn print(text: &str) -> String {
        let value = evaluate(&parse(text).unwrap(), &Example);
        let shown: Vec<String> = value
            .alternatives()
            .iter()
            .map(|(condition, term)| match condition {
                Condition::Always => {
                    format!("{term:?}").chars().take(0).collect::<String>()
                        + &term.printed().describe()
                }
                _ => format!("[{condition}] {}", term.printed().describe()),
            })
            .collect();
        shown.join(" ")
    }

    /// The table of GitHub's documentation and of the runner's known behaviour.
    #[test]
    fn coercions() {
        for (text, expected) in [
            ("null == 0", "true"),
            ("null == false", "true"),
            ("null == ''", "true"),
            ("false == 0", "true"),
            ("true == 1", "true"),
            ("'' == 0", "true"),
            ("' 12 ' == 12", "true"),
            ("'0xff' == 255", "true"),
            ("'1e2' == 100", "true"),
            ("'abc' == 0", "false"),
            ("'true' == true", "false"),
            ("'1' == true", "true"),
            ("'DSpace' == 'dspace'", "true"),
            ("'a' < 'B'", "true"),
            ("1 < 'x'", "false"),
            ("'' || 'x'", "x"),
            ("'a' && 'b'", "b"),
            ("0 && 'b'", "0"),
            ("'false' && 'yes'", "yes"),
            ("!''", "true"),
            ("!'false'", "false"),
            ("null || false", "false"),
            ("github.missing.deep", ""),
            ("contains('Hello', 'LL')", "true"),
            (
                "contains(fromJSON('[\"push\", \"a\"]'), github.event_name)",
                "false",
            ),
            (
                "contains(fromJSON('[\"pull_request\"]'), github.event_name)",
                "true",
            ),
            ("startsWith('Hello', 'he')", "true"),
            ("endsWith('Hello', 'LO')", "true"),
            ("format('{0}-{1}-{{0}}', 'a', 1)", "a-1-{0}"),
            ("join(fromJSON('[1, true, \"x\"]'), '/')", "1/true/x"),
            ("fromJSON('{\"a\": {\"b\": [1, 2]}}').A.b[1]", "2"),
            ("fromJSON('true') && 'yes' || 'no'", "yes"),
            ("toJSON('a')", "\"a\""),
            ("case(false, 'a', true, 'b', 'c')", "b"),
            ("case(false, 'a', 'c')", "c"),
            ("success() && 'x'", "x"),
            ("failure() && 'x' || 'y'", "y"),
            ("1.50", "1.5"),
        ] {
            assert_eq!(print(text), expected, "{text}");
        }
    }

    #[test]
    fn unknown_values_stay_conditions() {
        for (text, expected) in [
            (
                "github.ref == 'refs/heads/main'",
                "[github.ref_name == 'main'] true [github.ref_name != 'main'] false",
            ),
            ("github.ref == 'refs/tags/v1'", "false"),
            ("startsWith(github.ref, 'refs/heads/')", "true"),
            ("startsWith(github.ref, 'refs/tags/')", "false"),
            (
                "steps.a.outputs.b != 'true' && 'x' || 'y'",
                "[steps.a.outputs.b != 'true'] x [steps.a.outputs.b == 'true'] y",
            ),
            ("steps.a.outputs.b == steps.a.outputs.b", "true"),
            (
                "steps.a.outputs.b == true",
                "[steps.a.outputs.b == '1'] true [steps.a.outputs.b != '1'] false",
            ),
            (
                "inputs.tag || 'latest'",
                "[inputs.tag] {inputs.tag} [!inputs.tag] latest",
            ),
        ] {
            assert_eq!(print(text), expected, "{text}");
        }
    }

    #[test]
    fn conditions_of_steps() {
        let condition =
            |text: &str| condition_of(&Template::parse(text), text, &Example).to_string();
        assert_eq!(condition("${{ github.event_name == 'push' }}"), "never");
        assert_eq!(condition("${{ github.event_name == 'push' }} "), "always");
        assert_eq!(
            condition("${{ steps.a.outcome == 'success' }}"),
            "steps.a.outcome == 'success'"
        );
    }
}
