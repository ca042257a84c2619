//! Evaluation against what GitHub documents of expressions (Evaluate expressions in workflows and actions: literals,
//! operators, functions, status functions; Contexts reference): a table of expressions and the texts they print.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use barge_workflow::expression::{Template, parse};
use barge_workflow::symbolic::{
    Condition, Scope, Shape, Term, Value, condition_of, evaluate, interpolate,
};

/// Contexts in which everything is known.
struct Known;

impl Scope for Known {
    fn resolve(&self, path: &[&str]) -> Value {
        let json = serde_json::json!({
            "github": {
                "ref": "refs/heads/main",
                "event_name": "push",
                "event": {"issue": {"labels": [{"name": "bug"}, {"name": "Help"}]}, "pull_request": null},
                "object": {"a": {"n": 1}, "b": {"n": 2}},
            },
            "env": {"EMPTY": "", "FALSE": "false", "ZERO": "0", "TEN": "10"},
        });
        let found = path.iter().fold(term(&json), |value, key| {
            value.member(&Term::text(*key)).unwrap()
        });
        found.into()
    }

    fn status(&self, function: &str) -> Condition {
        match function {
            "success" | "always" => Condition::Always,
            _ => Condition::Never,
        }
    }
}

fn term(json: &serde_json::Value) -> Term {
    use serde_json::Value as Json;
    match json {
        Json::Null => Term::Null,
        Json::Bool(value) => Term::Boolean(*value),
        Json::Number(number) => Term::Number(number.as_f64().unwrap()),
        Json::String(text) => Term::text(text.as_str()),
        Json::Array(items) => Term::List(items.iter().map(term).collect::<Vec<_>>().into()),
        Json::Object(entries) => Term::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), term(value)))
                .collect::<Vec<_>>()
                .into(),
        ),
    }
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (expression, printed) in table {
        let text = format!("${{{{ {expression} }}}}");
        let value = interpolate(&text, &Known).map(|term| Term::Text(term.printed()));
        assert_eq!(value.literal().as_deref(), Some(*printed), "{expression}");
    }
}

#[test]
fn literals() {
    check(&[
        ("null", ""),
        ("true", "true"),
        ("FALSE", "false"),
        ("711", "711"),
        ("-9.2", "-9.2"),
        ("0xff", "255"),
        ("0o17", "15"),
        ("-2.99e-2", "-0.0299"),
        ("'Mona the Octocat'", "Mona the Octocat"),
        ("'It''s open source!'", "It's open source!"),
    ]);
}

#[test]
fn loose_equality_coerces_to_numbers() {
    check(&[
        ("null == 0", "true"),
        ("null == false", "true"),
        ("null == ''", "true"),
        ("true == 1", "true"),
        ("true == '1'", "true"),
        ("true == 'true'", "false"),
        ("false == ''", "true"),
        ("false == 'false'", "false"),
        ("'' == 0", "true"),
        ("' 12 ' == 12", "true"),
        ("'0xff' == 255", "true"),
        ("'1e3' == 1000", "true"),
        ("'abc' == 0", "false"),
        ("'abc' != 0", "true"),
        ("nan == nan", "false"),
        ("nan != nan", "true"),
        ("'abc' > 1", "false"),
        ("'abc' <= 1", "false"),
        ("null > -1", "true"),
        ("github.object == github.object", "false"),
        ("github.event.issue.labels == ''", "false"),
        ("github.event.pull_request.number == null", "true"),
        ("github.event.pull_request.number == 0", "true"),
    ]);
}

#[test]
fn texts_ignore_case() {
    check(&[
        ("'DSpace' == 'dspace'", "true"),
        ("'a' < 'B'", "true"),
        ("'b' > 'A'", "true"),
        ("'Hello' != 'hELLO'", "false"),
        ("GitHub.Event_Name == 'PUSH'", "true"),
    ]);
}

#[test]
fn logical_operators_return_an_operand() {
    check(&[
        ("'a' && 'b'", "b"),
        ("'' && 'b'", ""),
        ("0 && 'b'", "0"),
        ("null || 'x'", "x"),
        ("env.EMPTY || 'default'", "default"),
        ("env.FALSE || 'default'", "false"),
        ("env.ZERO && 'texts are true'", "texts are true"),
        ("false || 0 || 'last'", "last"),
        ("nan || 'nan is false'", "nan is false"),
        ("-0 || 'zero is false'", "zero is false"),
        ("!''", "true"),
        ("!'false'", "false"),
        ("!github.object", "false"),
        ("true && false || true", "true"),
        ("true || false && false", "true"),
        ("!true == false", "true"),
        ("1 < 2 == true", "true"),
        ("(1 == 1) && 'yes' || 'no'", "yes"),
    ]);
}

#[test]
fn properties_and_filters() {
    check(&[
        ("github['event_name']", "push"),
        ("github.event.nothing.at.all", ""),
        ("github.event.issue.labels[1].name", "Help"),
        ("github.event.issue.labels[7].name", ""),
        ("github.event.issue.labels['1'].name", "Help"),
        ("join(github.event.issue.labels.*.name, '+')", "bug+Help"),
        ("contains(github.event.issue.labels.*.name, 'help')", "true"),
        ("join(github.object.*.n)", "1,2"),
        ("github.event.issue.labels", "Array"),
        ("github.object", "Object"),
    ]);
}

#[test]
fn functions() {
    check(&[
        ("contains('Hello world', 'LLO')", "true"),
        ("contains('abc', '')", "true"),
        ("contains(fromJSON('[1, \"2\", null]'), 2)", "true"),
        ("contains(fromJSON('[\"push\"]'), 'PUSH')", "true"),
        ("contains(123, 2)", "true"),
        ("contains(null, 'x')", "false"),
        ("startsWith('Hello world', 'HE')", "true"),
        ("startsWith(123, 12)", "true"),
        ("endsWith('Hello world', 'LD')", "true"),
        (
            "format('Hello {0} {1} {0}', 'Mona', 1)",
            "Hello Mona 1 Mona",
        ),
        ("format('{{Hello {0}}}', 'Mona')", "{Hello Mona}"),
        ("format('{0}', null)", ""),
        ("join(fromJSON('[1, true, null, \"x\"]'), '-')", "1-true--x"),
        ("join('only', '-')", "only"),
        ("toJSON('a')", "\"a\""),
        ("toJSON(null)", "null"),
        (
            "toJSON(fromJSON('{\"a\":[1]}'))",
            "{\n  \"a\": [\n    1\n  ]\n}",
        ),
        ("fromJSON('{\"a\":{\"b\":\"c\"}}').a.b", "c"),
        ("fromJSON('[5]')[0]", "5"),
        ("fromJSON('true') && 'typed'", "typed"),
        ("fromJSON('false') && 'typed'", "false"),
        ("fromJSON(env.TEN) > 9", "true"),
        ("case(false, 'a', true, 'b', 'c')", "b"),
        ("case(false, 'a', 'c')", "c"),
        ("success()", "true"),
        ("always()", "true"),
        ("failure()", "false"),
        ("cancelled()", "false"),
    ]);
}

#[test]
fn text_around_an_expression_is_always_true() {
    for (guard, expected) in [
        ("${{ false }}", Condition::Never),
        ("${{ false }} ", Condition::Never),
        ("${{ false }} || false", Condition::Always),
        ("x ${{ false }}", Condition::Always),
        ("${{ !cancelled() }}", Condition::Always),
    ] {
        let guard = guard.trim();
        let found = condition_of(&Template::parse(guard), guard, &Known);
        assert_eq!(found, expected, "{guard}");
    }
}

#[test]
fn what_only_a_run_knows_stays_unknown() {
    struct Unknown;
    impl Scope for Unknown {
        fn resolve(&self, path: &[&str]) -> Value {
            Value::unknown(path.join("."), Shape::Text)
        }
        fn status(&self, _: &str) -> Condition {
            Condition::Always
        }
    }
    for expression in [
        "hashFiles('**/go.sum')",
        "vars.x",
        "secrets.y",
        "env.a == env.b",
    ] {
        let value = evaluate(&parse(expression).unwrap(), &Unknown);
        assert_eq!(value.literal(), None, "{expression}");
    }
    // What holds whatever the unknown is, is known all the same.
    let same = evaluate(&parse("vars.x == vars.x").unwrap(), &Unknown);
    assert_eq!(same.literal().as_deref(), Some("true"));
}
