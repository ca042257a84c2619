use super::super::syntax::{AndOr, Command, Kind, List, Pipeline, Word};
use super::*;
use crate::shell::syntax::Part;

fn outline(list: &List) -> String {
    let pipelines = |and_or: &AndOr| {
        let mut out = pipeline(&and_or.first);
        for (or, next) in &and_or.rest {
            out.push_str(if *or { " || " } else { " && " });
            out.push_str(&pipeline(next));
        }
        out
    };
    list.iter().map(pipelines).collect::<Vec<_>>().join("; ")
}

fn pipeline(pipeline: &Pipeline) -> String {
    let commands: Vec<String> = pipeline.commands.iter().map(command).collect();
    format!(
        "{}{}",
        if pipeline.negated { "!" } else { "" },
        commands.join(" | ")
    )
}

fn word(word: &Word) -> String {
    word.parts
        .iter()
        .map(|part| match part {
            Part::Literal(text, _) => text.clone(),
            Part::Parameter(parameter, _) => match &parameter.operation {
                Some((operator, operand)) => {
                    format!("${{{}{operator}{}}}", parameter.name, self::word(operand))
                }
                None => format!("${{{}}}", parameter.name),
            },
            Part::Command(script, _, _) => format!("$({})", outline(&script.body)),
            Part::Arithmetic(text) => format!("$(({text}))"),
            Part::Placeholder(number, _) => format!("@{number}"),
        })
        .collect()
}

fn command(command: &Command) -> String {
    let words = |words: &[Word]| words.iter().map(word).collect::<Vec<_>>().join(" ");
    let mut out = match &command.kind {
        Kind::Simple(assignments, rest) => {
            let set: Vec<String> = assignments
                .iter()
                .map(|a| format!("{}={}", a.name, words(&a.value)))
                .collect();
            format!("{} [{}]", set.join(" "), words(rest))
                .trim()
                .to_owned()
        }
        Kind::If(branches, otherwise) => {
            let branches: Vec<String> = branches
                .iter()
                .map(|(c, b)| format!("{} ? {}", outline(c), outline(b)))
                .collect();
            format!("if({} : {})", branches.join(" : "), outline(otherwise))
        }
        Kind::For(name, items, body) => {
            format!("for({name} in {}: {})", words(items), outline(body))
        }
        Kind::While(condition, body) => format!("while({}: {})", outline(condition), outline(body)),
        Kind::Case(subject, arms) => {
            let arms: Vec<String> = arms
                .iter()
                .map(|(p, b)| format!("{} => {}", words(p), outline(b)))
                .collect();
            format!("case({}: {})", word(subject), arms.join(", "))
        }
        Kind::Group(body) => format!("{{{}}}", outline(body)),
        Kind::Subshell(body) => format!("({})", outline(body)),
        Kind::Function(name, body) => format!("fn {name} {}", outline(body)),
        Kind::Test(items) => format!("test({})", words(items)),
        Kind::Arithmetic => "arithmetic".into(),
    };
    for redirect in &command.redirects {
        out.push_str(&format!(
            " {:?}:{}",
            redirect.direction,
            word(&redirect.target)
        ));
    }
    out
}

#[test]
fn scripts_of_workflows() {
    for (text, expected) in [
        (
            "docker save \"a:$TAG\" -o /tmp/x.tar",
            "[docker save a:${TAG} -o /tmp/x.tar]",
        ),
        (
            "A=1 B=\"x y\"\nexport C=${A,,}",
            "A=1 B=x y []; [export C=${A,,}]",
        ),
        (
            "echo \"k=$(echo A | tr a b)\" >> $GITHUB_OUTPUT",
            "[echo k=$([echo A] | [tr a b])] Append:${GITHUB_OUTPUT}",
        ),
        (
            "if [ a = b ]; then x; elif y; then z; else w; fi",
            "if([[ a = b ]] ? [x] : [y] ? [z] : [w])",
        ),
        (
            "if [[ $A == x* && -n \"$B\" ]]; then\n  x\nfi",
            "if(test(${A} == x* && -n ${B}) ? [x] : )",
        ),
        (
            "[[ $A =~ ^(a|b)$ ]] && x || true",
            "test(${A} =~ ^(a|b)$) && [x] || [true]",
        ),
        (
            "for t in a $B; do\n docker push $t\ndone",
            "for(t in a ${B}: [docker push ${t}])",
        ),
        (
            "case \"$X\" in\n a|b) one ;;\n *) two\nesac",
            "case(${X}: a b => [one], * => [two])",
        ),
        (
            "cat <<EOF > f\nx $Y\nEOF\necho z",
            "[cat] Text:x ${Y}\n Write:f; [echo z]",
        ),
        ("cat <<'EOF'\n$Y\nEOF", "[cat] Text:$Y\n"),
        (
            "{\n echo 'a<<E'\n echo E\n} >> \"$GITHUB_OUTPUT\"",
            "{[echo a<<E]; [echo E]} Append:${GITHUB_OUTPUT}",
        ),
        ("f() { a; }\nf x", "fn f {[a]}; [f x]"),
        ("a | b |& c 2>&1 &", "[a] | [b] | [c] Duplicate:1"),
        (
            "docker load < \u{E000}/x.tar # note",
            "[docker load] Read:@0/x.tar",
        ),
        ("a \\\n  b", "[a b]"),
        (
            "while read -r l; do x; done <<< \"$T\"",
            "while([read -r l]: [x]) Text:${T}",
        ),
        (
            "x=(a b)\necho ${x[@]} ${#x} ${y:-d e} ${z%%-*}",
            "x=a b []; [echo ${x} ${x#} ${y:-d e} ${z%%-*}]",
        ),
        ("! test -f x && (cd d; y)", "![test -f x] && ([cd d]; [y])"),
        ("echo $((1 + 2)) `date`", "[echo $(((1 + 2))) $([date])]"),
    ] {
        let script = parse(text);
        assert_eq!(script.error, None, "{text}");
        assert_eq!(outline(&script.body), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_read_stops_with_what_came_before() {
    let script = parse("a b\necho \"open\nc");
    assert_eq!(outline(&script.body), "[a b]");
    assert!(script.error.is_some());
    for text in [
        &"(".repeat(3000),
        &"$(".repeat(3000),
        &"{ ".repeat(3000),
        "if",
        "case x",
        "))",
        ";;",
        "<",
        "`",
        "${",
    ] {
        assert!(parse(text).error.is_some(), "{text}");
    }
}
