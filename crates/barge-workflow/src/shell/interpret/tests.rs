use super::*;
use crate::shell::parse;
use crate::source::Span;
use crate::symbolic::{Condition, Shape, Text, Value};

#[derive(Default)]
struct Recorder {
    script: String,
    calls: Vec<String>,
    directory: Text,
}

impl Machine for Recorder {
    fn placeholder(&self, number: usize) -> Value {
        Value::unknown(format!("p{number}"), Shape::Word)
    }
    fn environment(&self, name: &str) -> Option<Value> {
        match name {
            "OWNER" => Some(Value::unknown("owner", Shape::Segment)),
            "TAGS" => Some(Value::text("a:1\na:2")),
            "GITHUB_OUTPUT" => Some(Value::text("OUT")),
            "EVENT" => Some(Value::unknown("event", Shape::Text)),
            _ => None,
        }
    }
    fn matches(&self, pattern: &Text) -> Option<Vec<Text>> {
        let files = ["a.tar", "b.tar"].map(Text::literal);
        (pattern.as_literal() == Some("*.tar")).then(|| files.to_vec())
    }
    fn label(&self, span: Span) -> String {
        self.script
            .get(span.start..span.end)
            .unwrap_or_default()
            .to_owned()
    }
    fn call(&mut self, call: &Call) -> Output {
        let words: Vec<String> = call.words.iter().map(Text::describe).collect();
        let when = if call.condition == Condition::Always {
            String::new()
        } else {
            format!("[{}] ", call.condition)
        };
        self.calls.push(format!("{when}{}", words.join(" ")));
        Output::Nothing
    }
    fn write(
        &mut self,
        path: &Text,
        append: bool,
        output: &Output,
        condition: &Condition,
        _: Span,
    ) {
        let text = match output {
            Output::Text(value) => value
                .texts()
                .iter()
                .map(|(c, t)| format!("({c}) {}", t.describe()))
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        };
        self.calls.push(format!(
            "[{condition}] {}{}{}",
            path.describe(),
            if append { " << " } else { " < " },
            text.trim_end()
        ));
    }
    fn print(&mut self, _: &Value, _: &Condition) {}
    fn exit(&mut self, status: &Text, condition: &Condition, _: Span) {
        self.calls
            .push(format!("[{condition}] exit {}", status.describe()));
    }
    fn directory(&self) -> Text {
        self.directory.clone()
    }
    fn set_directory(&mut self, directory: Text) {
        self.directory = directory;
    }
    fn opaque(&mut self, reason: &str, _: &Condition, _: Span) {
        self.calls.push(format!("opaque: {reason}"));
    }
}

fn run(script: &str) -> Vec<String> {
    let mut recorder = Recorder {
        script: script.to_owned(),
        ..Recorder::default()
    };
    Interpreter::new(&mut recorder).run(&parse(script));
    recorder.calls
}

#[test]
fn values_reach_the_programs() {
    for (script, expected) in [
        (
            "I=$(echo \"$OWNER/App\" | tr '[:upper:]' '[:lower:]')\ndocker save \"$I:1\"",
            vec!["docker save {lower(owner)}/app:1"],
        ),
        ("I=${OWNER,,}\nx $I", vec!["x {lower(owner)}"]),
        (
            "T=v1.2\nx ${T#v} ${T%.*} ${U:-d}",
            vec!["[$U != ''] x 1.2 v1 {$U}", "[$U == ''] x 1.2 v1 d"],
        ),
        (
            "for t in $TAGS; do docker push $t; done",
            vec!["docker push a:1", "docker push a:2"],
        ),
        ("x \"$TAGS\"", vec!["x a:1\na:2"]),
        (
            "echo \"k=v\" >> $GITHUB_OUTPUT",
            vec!["[always] OUT << (always) k=v"],
        ),
        (
            "{ echo a; echo b; } > f",
            vec!["[always] f < (always) a\nb"],
        ),
        (
            "if [ \"$EVENT\" = push ]; then T=a; else T=b; fi\nx $T",
            vec!["[event != 'push'] x b", "[event == 'push'] x a"],
        ),
        (
            "if [[ $EVENT == push ]]; then x; elif [[ $EVENT == pr ]]; then y; fi",
            vec![
                "[event == 'push'] x",
                "[event != 'push' && event == 'pr'] y",
            ],
        ),
        (
            "case $EVENT in push) x;; *) y;; esac",
            vec!["[event == 'push'] x", "[event != 'push'] y"],
        ),
        (
            "[ -z \"$EVENT\" ] && exit 1\nx",
            vec!["[event == ''] exit 1", "[event != ''] x"],
        ),
        ("f() { docker tag $1 $2; }\nf a b", vec!["docker tag a b"]),
        ("sudo -E docker load < x.tar", vec!["docker load"]),
        (
            "a=(x y); a+=(z)\ndocker build \"${a[@]}\"",
            vec!["docker build x y z"],
        ),
        ("x $(head -n1 <<< \"$TAGS\")", vec!["x a:1"]),
        (
            "docker pull a || docker build -t a .",
            vec![
                "docker pull a",
                "[!success of `docker pull a`] docker build -t a .",
            ],
        ),
        ("(cd sub && x)\ny", vec!["x", "y"]),
        ("echo 'open", vec!["opaque: a quote is not closed"]),
    ] {
        assert_eq!(run(script), expected, "{script}");
    }
}
