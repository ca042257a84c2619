//! Checks one workflow file: reads it, walks every scenario, runs the rules, drops what comments ignore.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::flow::{Repository, Trace, trace};
use crate::ignore::Ignores;
use crate::model::Workflow;
use crate::rule::ignore_comment::unused;
use crate::rule::{self, Context};
use crate::scenario::scenarios;
use crate::source::Source;
use crate::yaml::ParseYamlError;

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The findings, in the order of the file.
    pub findings: Vec<Finding>,
    /// How many findings comments ignored.
    pub ignored: usize,
    /// What could not be decided, and why: `line: reason`.
    pub undecided: Vec<(usize, String)>,
}

/// Checks a workflow. `repository` is its name on GitHub, `Owner/name`, when it is known.
pub fn check(
    source: &Source,
    files: &dyn Repository,
    repository: Option<&str>,
) -> Result<Checked, ParseYamlError> {
    let workflow = Workflow::parse(source)?;
    let traces: Vec<Trace> = scenarios(&workflow)
        .iter()
        .map(|scenario| trace(&workflow, scenario, files))
        .collect();
    let context = Context::new(&workflow, &traces, repository);
    let all = rule::run(&context);
    let mut ignores = BTreeMap::from([(source.path(), Ignores::read(source))]);
    for finding in &all {
        let source = &finding.place.source;
        let entry = ignores.entry(source.path());
        entry.or_insert_with(|| Ignores::read(source));
    }
    let covers = |finding: &Finding| {
        let own = ignores.get(finding.place.source.path());
        own.is_some_and(|own| own.covers(finding))
    };
    // What a called file silences may be found by another caller.
    let own = ignores.get(source.path());
    let unused = own.map_or_else(Vec::new, |own| unused(own, &all));
    let kept = all.iter().filter(|finding| !covers(finding));
    let mut findings: Vec<Finding> = kept.cloned().collect();
    let ignored = all.len() - findings.len();
    findings.extend(unused);
    findings.sort_by(|a, b| {
        let key = |one: &Finding| {
            (
                one.place.source.path().to_owned(),
                one.place.line(),
                one.rule,
            )
        };
        key(a).cmp(&key(b))
    });
    Ok(Checked {
        findings,
        ignored,
        undecided: undecided(&traces),
    })
}

/// Uses of images that hang on something unknown.
fn undecided(traces: &[Trace]) -> Vec<(usize, String)> {
    use crate::flow::FactKind;
    let cuts = traces.iter().filter_map(|trace| trace.cut.as_ref());
    let mut all: Vec<(usize, String)> = cuts
        .map(|cut| {
            let reason = format!("{}: the walk ends here, it is too long", cut.source.path());
            (cut.line(), reason)
        })
        .collect();
    for job in traces.iter().flat_map(|trace| &trace.jobs) {
        let mut reason: Option<&str> = None;
        for fact in &job.facts {
            match &fact.kind {
                FactKind::DaemonOpaque(why) => reason = Some(why),
                FactKind::Named(name, crate::flow::Need::Local, program) => {
                    if let Some(why) = reason {
                        let line = fact.place.position().line;
                        all.push((
                            line,
                            format!(
                                "{program} names `{}`: cannot tell, {why} can have made it",
                                name.describe()
                            ),
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workflow with one step whose script and condition are these.
    fn step(script: &str, condition: &str) -> Source {
        let script = script.replace('\n', "\n          ");
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - if: {condition}\n        run: |\n          {script}\n"
        );
        Source::new("w.yml", &text)
    }

    #[test]
    fn comments_silence_findings_of_their_own_file() {
        struct Files(&'static str);
        impl Repository for Files {
            fn read(&self, path: &str) -> Option<Source> {
                (path == "a/action.yml").then(|| Source::new(path, self.0))
            }
        }
        let found = |script: &str, comment: &str| {
            let text = format!(
                "on: push # {comment}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./a\n"
            );
            let action: String = format!(
                "runs: # {script}\n  using: composite\n  steps:\n    - uses: docker/setup-buildx-action@v3\n    - uses: docker/build-push-action@v6\n      with: {{tags: 'app:1'}}\n    - {{shell: bash, run: 'docker save app:1 -o a.tar'}} # {script}\n"
            );
            let checked = check(&Source::new("w.yml", &text), &Files(action.leak()), None).unwrap();
            let rules: Vec<&str> = checked.findings.iter().map(|one| one.rule).collect();
            (rules, checked.ignored)
        };
        assert_eq!(found("", ""), (vec!["not-loaded"], 0));
        assert_eq!(found("barge: ignore[not-loaded]", ""), (vec![], 1));
        // A comment of the workflow is for the workflow's lines.
        assert_eq!(
            found("", "barge: ignore[not-loaded]"),
            (vec!["not-loaded", "ignore-comment"], 0)
        );
    }

    #[test]
    fn walks_are_bounded_and_say_so() {
        struct Files;
        impl Repository for Files {
            fn read(&self, path: &str) -> Option<Source> {
                let text = match path {
                    "d/action.yml" => action("run: docker build -t app:1 ."),
                    ".github/workflows/deep.yml" => {
                        let job = |n| format!("  j{n}: {{uses: ./.github/workflows/deep.yml}}\n");
                        let jobs: String = (0..150).map(job).collect();
                        format!("on: workflow_call\njobs:\n{jobs}")
                    }
                    _ => {
                        let next = path.bytes().next().filter(|byte| *byte < b'd')? + 1;
                        action(&format!("uses: ./{}", char::from(next)))
                    }
                };
                Some(Source::new(path, &text))
            }
        }
        fn action(step: &str) -> String {
            let steps = format!("    - {step}\n").repeat(150);
            format!("runs:\n  using: composite\n  steps:\n{steps}")
        }
        let steps = "    steps:\n      - uses: ./a\n      - run: docker save app:2 -o x.tar\n      - uses: actions/upload-artifact@v4\n        with: {name: x, path: x.tar}\n";
        let load = "  load:\n    needs: [calls, save]\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/download-artifact@v4\n        with: {name: y}\n";
        let call = "  calls: {uses: ./.github/workflows/deep.yml}\n";
        for jobs in [
            format!("  save:\n    runs-on: ubuntu-latest\n{steps}{load}"),
            format!(
                "{call}  save:\n    runs-on: ubuntu-latest\n    steps: [run: docker save app:2]\n{load}"
            ),
        ] {
            let source = Source::new("w.yml", &format!("on: push\njobs:\n{jobs}"));
            let checked = check(&source, &Files, None).unwrap();
            assert!(checked.findings.is_empty(), "{:?}", checked.findings);
            let reasons = checked.undecided.iter();
            assert!(
                reasons
                    .into_iter()
                    .any(|(_, reason)| reason.contains("too long"))
            );
        }
    }

    #[test]
    fn what_follows_a_long_script_is_not_known() {
        let script = format!("{}docker build -t app:1 .", "true\n".repeat(6_000));
        let mut text = step(&script, "always()").text().to_owned();
        text.push_str("      - run: docker save app:1 -o app.tar\n");
        let checked = check(&Source::new("w.yml", &text), &(), None).unwrap();
        assert!(checked.findings.is_empty(), "{:?}", checked.findings);
        let reasons = checked.undecided.iter();
        assert!(
            reasons
                .into_iter()
                .any(|(_, reason)| reason.contains("script that is too long"))
        );
    }

    #[test]
    fn what_nests_without_end_is_bounded() {
        for operator in ["||", "&&", "==", "<"] {
            for count in [400, 50_000] {
                let row = vec!["github.actor"; count].join(operator);
                assert!(check(&step("echo", &row), &(), None).is_ok());
                let script = format!("echo ${{{{ {row} }}}}");
                assert!(check(&step(&script, "always()"), &(), None).is_ok());
            }
        }
        let deep = format!("{}x{}", "!!!!!!!!!!!!!!!!!!(".repeat(49), ")".repeat(49));
        assert!(check(&step("echo", &format!("${{{{ {deep} }}}}")), &(), None).is_ok());
        for (open, close) in [
            ("a()", ""),
            ("function a ", ""),
            ("{ ", "; }"),
            ("( ", ")"),
            ("if true; then ", "; fi"),
            ("\"$(", ")\""),
            ("$(", ")"),
            ("${a:-", "}"),
            ("`", ""),
            ("! ", ""),
            ("[[ ( ", ""),
            ("case x in x) ", ";; esac"),
            ("a | ", ""),
            ("cat <<E\n", ""),
        ] {
            for count in [39, 5_000] {
                let script = format!("{}echo{}", open.repeat(count), close.repeat(count));
                assert!(
                    check(&step(&script, "always()"), &(), None).is_ok(),
                    "{open}"
                );
            }
        }
    }

    #[test]
    fn long_rows_of_commands_are_bounded() {
        for joint in ["&&", "||", ";", "|"] {
            let row = |name: &dyn Fn(usize) -> String| {
                let commands: Vec<String> = (0..4_900).map(name).collect();
                commands.join(&format!(" {joint} "))
            };
            let same = row(&|_| "a".into());
            let different = row(&|number| format!("a{number}"));
            for script in [same, different] {
                assert!(
                    check(&step(&script, "always()"), &(), None).is_ok(),
                    "{joint}"
                );
            }
        }
    }

    #[test]
    fn functions_that_call_each_other_are_bounded() {
        let (open, close) = ("if true; then\n".repeat(38), "fi\n".repeat(38));
        let functions = (0..40).map(|n| format!("f{n}() {{\n{open}f{}\n{close}}}\n", n + 1));
        let script = functions.collect::<String>() + "f0";
        assert!(check(&step(&script, "always()"), &(), None).is_ok());
    }

    #[test]
    fn values_that_grow_with_each_line_are_bounded() {
        for line in [
            "A=$A$A$A",
            "A+=$A",
            "A=$(echo $A$A)",
            "A=$(echo \"$A$A\" | sed 's/x*/y/')",
            "echo \"B=$B$B$A\" >> $GITHUB_ENV",
        ] {
            let script = format!("          {line}\n").repeat(60);
            let text = format!(
                "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          A=x\n{script}"
            );
            let steps = "      - run: echo \"B=$B$B\" >> $GITHUB_ENV\n".repeat(40);
            let source = Source::new("w.yml", &(text + &steps));
            assert!(check(&source, &(), None).is_ok(), "{line}");
        }
    }
}
