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
                format!("{term:?}").chars().take(0).collect::<String>() + &term.printed().describe()
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
    let condition = |text: &str| condition_of(&Template::parse(text), text, &Example).to_string();
    assert_eq!(condition("${{ github.event_name == 'push' }}"), "never");
    assert_eq!(condition("${{ github.event_name == 'push' }} "), "always");
    assert_eq!(
        condition("${{ steps.a.outcome == 'success' }}"),
        "steps.a.outcome == 'success'"
    );
}
