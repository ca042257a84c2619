//! The machine that a step's script runs on: turns the programs it calls into facts.

mod assign;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::expression::Part as TemplatePart;
use crate::model::Field;
use crate::shell::parser::PLACEHOLDER;
use crate::shell::syntax::{Part, Script as ShellScript};
use crate::shell::{Call, Interpreter, Machine, Output, ScriptText};
use crate::source::{Source, Span};
use crate::symbolic::{
    Condition, Satisfiable, Scope as _, Shape, Symbol, Term, Text, Value, evaluate,
};

use super::facts::{Content, FactKind, FileUse, Origin, Place, Store};
use super::job::Walk;
use super::program::{self, Effect};
use super::scope::Contexts;
use super::{builder, deploy, docker, path, podman, registry, scanner};

use self::assign::Target;
pub(super) use self::programs::flag_value;

/// What flows through a pipe.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// Content that was just made.
    Made(Content),
    /// What this file holds.
    File(Text),
}

/// What a script's expressions and environment are in one walk.
pub(super) struct Prepared {
    script: Arc<ScriptText>,
    placeholders: Vec<Value>,
    environment: BTreeMap<String, Value>,
}

/// Evaluates what a script refers to.
pub(super) fn prepare(run: &Field, contexts: &Contexts<'_>) -> Prepared {
    let printed = |value: Value| value.map(|term| Term::Text(term.printed()));
    let values = run.template().parts.iter().filter_map(|part| match part {
        TemplatePart::Literal(_) => None,
        TemplatePart::Expression(_, expression) => Some(printed(evaluate(expression, contexts))),
        TemplatePart::Broken(range, _) => Some(Value::unknown(
            run.text.get(range.clone()).unwrap_or_default(),
            Shape::Text,
        )),
    });
    let script = Arc::clone(run.script());
    Prepared {
        placeholders: values.collect(),
        environment: environment(script.text(), contexts),
        script,
    }
}

/// The variables that a script can mean: only names that occur in it are looked up.
fn environment(script: &str, contexts: &Contexts<'_>) -> BTreeMap<String, Value> {
    let mut variables = BTreeMap::new();
    // Files that these programs read mean variables of their own.
    if ["bake", "compose", "ko "]
        .iter()
        .any(|program| script.contains(program))
    {
        let names = contexts.environment_names();
        variables
            .extend(names.filter_map(|name| Some((name.to_owned(), contexts.environment(name)?))));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (at, _) in script.match_indices('$') {
        let rest = script.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let rest = rest.trim_start_matches(['#', '!']);
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() || variables.contains_key(name) {
            continue;
        }
        let closed = !contexts.environment_open && !sets_unseen(script);
        if let Some(value) = contexts
            .environment(name)
            .or_else(|| default_variable(name, contexts))
            .or_else(|| {
                let unset = is_own(name) || set_in_another_shell(name, script, contexts);
                (closed && unset).then(|| Value::text(""))
            })
            .or_else(|| set_unseen(name, script, contexts))
        {
            variables.insert(name.to_owned(), value);
        }
    }
    variables
}

/// A variable that something unknown can have set: the script and `env.NAME` mean the same one.
fn set_unseen(name: &str, script: &str, contexts: &Contexts<'_>) -> Option<Value> {
    let is_shared = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let shared = contexts.environment_open
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(is_shared)
        && !sets_unseen(script);
    shared.then(|| Value::unknown(format!("env.{}", name.to_lowercase()), Shape::Text))
}

/// An earlier step has set a variable of its own by this name, which ended with its shell.
fn set_in_another_shell(name: &str, script: &str, contexts: &Contexts<'_>) -> bool {
    let sets = |script: &str| {
        script.lines().any(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        })
    };
    let steps = contexts
        .steps
        .get(contexts.first_step..)
        .unwrap_or_default();
    let hands_on = |script: &str| script.contains("GITHUB_ENV") || script.contains("BASH_ENV");
    steps
        .iter()
        .any(|step| sets(&step.script) && !hands_on(&step.script))
        && !script.contains(&format!("{name}="))
        && !script.contains("read ")
}

/// Says whether by its name a variable is the script's own: the runner's are in capitals.
fn is_own(name: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(lower)
        && !name.ends_with("_proxy")
}

/// Says whether a script can set variables in ways that are not followed.
fn sets_unseen(script: &str) -> bool {
    [
        "source ",
        ". ",
        "eval ",
        "printf -v",
        "getopts ",
        "declare -n",
        "((",
        "let ",
        "select ",
    ]
    .iter()
    .any(|word| script.contains(word))
}

fn default_variable(name: &str, contexts: &Contexts<'_>) -> Option<Value> {
    let path: &[&str] = match name {
        "GITHUB_REPOSITORY" => &["repository"],
        "GITHUB_REPOSITORY_OWNER" => &["repository_owner"],
        "GITHUB_SHA" => &["sha"],
        "GITHUB_REF" => &["ref"],
        "GITHUB_REF_NAME" => &["ref_name"],
        "GITHUB_REF_TYPE" => &["ref_type"],
        "GITHUB_HEAD_REF" => &["head_ref"],
        "GITHUB_BASE_REF" => &["base_ref"],
        "GITHUB_RUN_ID" => &["run_id"],
        "GITHUB_RUN_NUMBER" => &["run_number"],
        "GITHUB_RUN_ATTEMPT" => &["run_attempt"],
        "GITHUB_ACTOR" => &["actor"],
        "GITHUB_EVENT_NAME" => &["event_name"],
        "GITHUB_WORKSPACE" => &["workspace"],
        "RUNNER_TEMP" => return Some(contexts.resolve(&["runner", "temp"])),
        "RUNNER_OS" => return Some(contexts.resolve(&["runner", "os"])),
        "GITHUB_OUTPUT" | "GITHUB_ENV" | "GITHUB_STEP_SUMMARY" | "GITHUB_PATH" | "GITHUB_STATE" => {
            return Some(Value::unknown(format!("${name}"), Shape::Word));
        }
        _ => return None,
    };
    let path: Vec<&str> = std::iter::once("github")
        .chain(path.iter().copied())
        .collect();
    Some(contexts.resolve(&path))
}

/// A step's script on its walk.
pub(super) struct Script<'w, 'a> {
    pub walk: &'w mut Walk<'a>,
    prepared: Prepared,
    run: &'w Field,
    source: &'w Source,
    pub step: usize,
    /// The condition of the step.
    condition: &'w Condition,
    pub directory: Text,
    tolerated: bool,
    /// Outputs and variables that the script set.
    assigned: BTreeSet<(Target, String)>,
}

/// Runs a step's script.
#[expect(
    clippy::too_many_arguments,
    reason = "all of it belongs to one step, and is used once"
)]
pub(super) fn run(
    walk: &mut Walk<'_>,
    prepared: Prepared,
    run: &Field,
    source: &Source,
    step: usize,
    condition: &Condition,
    directory: Text,
    tolerated: bool,
) {
    let tree = Arc::clone(&prepared.script);
    let facts = walk.trace.facts.len();
    let mut script = Script {
        walk,
        prepared,
        run,
        source,
        step,
        condition,
        directory,
        tolerated,
        assigned: BTreeSet::new(),
    };
    script.note_values(tree.tree());
    Interpreter::new(&mut script).run(tree.tree());
    script.settle(facts);
}

impl Script<'_, '_> {
    /// The place of a stretch of the script in its file.
    pub(super) fn place(&self, span: Span) -> Place {
        let (start, end) = (
            self.prepared.script.original(span.start),
            self.prepared.script.original(span.end),
        );
        let located = self.run.locate(self.source, start);
        Place {
            source: self.source.clone(),
            span: Span::new(located, self.run.locate(self.source, end).max(located)),
        }
    }

    /// The condition of a call, that of the step included.
    pub(super) fn when(&self, condition: &Condition) -> Condition {
        self.condition.and(condition)
    }

    /// Matrix values and inputs may hold whole commands on purpose.
    fn is_commands(&self, number: usize) -> bool {
        let text = self.expression_text(number);
        text.starts_with("matrix.") || text.starts_with("inputs.")
    }

    fn is_output(&self, number: usize) -> bool {
        let text = self.expression_text(number);
        text.starts_with("steps.") && text.contains(".outputs.")
    }

    /// The canonical text of the workflow's expression with this number.
    fn expression_text(&self, number: usize) -> String {
        let parts = self.run.template().parts.iter();
        let mut values = parts.filter(|part| !matches!(part, TemplatePart::Literal(_)));
        match values.nth(number) {
            Some(TemplatePart::Expression(_, expression)) => expression.to_string(),
            _ => String::new(),
        }
    }

    /// Records where the runner puts a value of several lines into the script, which the shell takes for as many commands,
    /// and where it puts nothing, which leaves the command without that word.
    fn note_values(&mut self, tree: &ShellScript) {
        let mut found: Vec<(FactKind, Condition, Span)> = Vec::new();
        tree.visit_words(&mut |word| {
            for part in &word.parts {
                let Part::Placeholder(number, false) = part else {
                    continue;
                };
                let texts = self.placeholder(*number).texts();
                if word.parts.len() == 1
                    && texts.iter().all(|(_, text)| text.is_empty())
                    && self.is_output(*number)
                {
                    found.push((FactKind::EmptyWord, self.condition.clone(), word.span));
                }
                for (when, text) in texts {
                    if text.trim().contains("\n") && !self.is_commands(*number) {
                        let when = self.condition.and(&when);
                        found.push((FactKind::SeveralLines, when, word.span));
                    }
                }
            }
        });
        for (kind, condition, span) in found {
            let place = self.place(span);
            let (step, tolerated) = (self.step, self.tolerated);
            self.walk.add(kind, &condition, step, &place, tolerated);
        }
    }

    /// Records a fact of a call.
    pub(super) fn fact(&mut self, kind: FactKind, call: &Call) {
        let condition = self.when(&call.condition);
        let place = self.place(call.span);
        let tolerated = call.tolerated || self.tolerated;
        let kind = match kind {
            FactKind::Named(name, need, by) if self.walk.store == Store::Podman => {
                FactKind::Named(name, need, by.replacen("docker", "podman", 1))
            }
            kind => kind,
        };
        self.walk
            .add(kind, &condition, self.step, &place, tolerated);
    }

    /// Records that an image is there when the call succeeds.
    pub(super) fn present_on_success(&mut self, reference: Text, call: &Call) {
        let mut call = call.clone();
        if call.tolerated {
            let name = format!("success of `{}`", self.label(call.span));
            call.condition = call
                .condition
                .and(&Condition::truthy(&Symbol::new(name, Shape::Boolean)));
        }
        self.fact(FactKind::Present(reference, Origin::Pulled), &call);
    }

    /// The path of a file the script names.
    pub(super) fn file(&self, file: &Text) -> Text {
        Walk::file_path(&self.directory, file)
    }

    /// Makes data for a pipe or a redirection.
    pub(super) fn data(&mut self, data: Data) -> Output {
        self.walk.data.push(data);
        Output::Data(self.walk.data.len() - 1)
    }

    /// Records that a call reads a file.
    pub(super) fn read(&mut self, file: &Text, usage: FileUse, call: &Call) {
        let (condition, place) = (self.when(&call.condition), self.place(call.span));
        let (file, step) = (self.file(file), self.step);
        self.walk
            .read_file(&file, usage, &condition, step, &place, call.tolerated);
    }

    /// Records that a call writes a file.
    pub(super) fn write_content(&mut self, file: &Text, content: Content, call: &Call) {
        let (condition, place, file) = (
            self.when(&call.condition),
            self.place(call.span),
            self.file(file),
        );
        self.walk
            .write_file(&file, content, &condition, self.step, &place);
    }
}

impl Machine for Script<'_, '_> {
    fn placeholder(&self, number: usize) -> Value {
        self.prepared
            .placeholders
            .get(number)
            .cloned()
            .unwrap_or_else(Value::null)
    }

    fn environment(&self, name: &str) -> Option<Value> {
        self.prepared.environment.get(name).cloned()
    }

    fn label(&self, span: Span) -> String {
        let text = self
            .prepared
            .script
            .text()
            .get(span.start..span.end)
            .unwrap_or_default();
        let line = self.source.line_of(self.place(span).span.start);
        let shown: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect();
        let shown: String = shown
            .chars()
            .map(|c| {
                if u32::from(c) >= PLACEHOLDER {
                    '…'
                } else {
                    c
                }
            })
            .collect();
        format!("{shown} (line {line})")
    }

    fn call(&mut self, call: &Call) -> Output {
        let Some(program) = call.words.first() else {
            return Output::Nothing;
        };
        let Some(name) = program.as_literal().map(str::to_owned) else {
            self.opaque_call(call, "a program whose name is not known");
            return Output::Nothing;
        };
        let arguments = call.words.get(1..).unwrap_or_default();
        match name.as_str() {
            "docker" => return docker::call(self, call, arguments),
            "podman" | "buildah" => return podman::call(self, call, &name, arguments),
            "docker-compose" => docker::compose(self, call, arguments),
            "gzip" | "pigz" | "zstd" | "xz" | "bzip2" | "pv" | "gunzip" | "zcat" | "cat"
            | "unzstd" | "unpigz" | "zstdcat" | "tee" => {
                return self.filter(&name, arguments, call);
            }
            "mv" | "cp" => self.copy(arguments, call),
            "mkdir" => {
                for directory in arguments
                    .iter()
                    .filter(|argument| !argument.literal_start().starts_with('-'))
                {
                    let directory = self.file(directory);
                    self.fact(FactKind::Directory(directory), call);
                }
            }
            "touch" => arguments
                .iter()
                .for_each(|file| self.write_content(file, Content::Other, call)),
            "curl" | "wget" => {
                let target = flag_value(arguments, &["-o", "-O", "--output", "--output-document"]);
                if let Some(file) = target.filter(|file| !file.literal_start().starts_with("http"))
                {
                    self.write_content(&file, Content::Other, call);
                }
            }
            "tar" => self.tar(arguments, call),
            _ if scanner::call(self, &name, arguments, call) => {}
            _ if registry::call(self, &name, arguments, call) => {}
            _ if builder::call(self, &name, arguments, call) => {}
            _ if deploy::call(self, &name, arguments, call) => {}
            _ => {
                let literals: Vec<&str> = arguments.iter().filter_map(Text::as_literal).collect();
                let runs_others = matches!(name.as_str(), "find" | "xargs" | "parallel" | "retry");
                if runs_others
                    && literals
                        .iter()
                        .any(|word| ["docker", "podman"].contains(word))
                {
                    // `find` and `xargs` run it once for each of what is not known.
                    let reason = format!("`{name}`");
                    self.fact(FactKind::DaemonOpaque(reason), call);
                }
                match program::effect(&name, &literals) {
                    Effect::None => {}
                    Effect::Files => self.opaque_files(call, &format!("`{name}`")),
                    Effect::Anything => {
                        let settled = self.walk.files_settled;
                        self.opaque_call(call, &format!("`{name}`"));
                        // A target that by its name builds or pushes leaves archives where they lie.
                        if name == "make" && program::builds(&literals) {
                            self.walk.files_settled = settled;
                        }
                    }
                }
                return self.known_output(&name, arguments);
            }
        }
        Output::Nothing
    }

    fn write(
        &mut self,
        file: &Text,
        append: bool,
        output: &Output,
        condition: &Condition,
        span: Span,
    ) {
        let condition = self.when(condition);
        let target = match file.as_symbol().map(|symbol| symbol.name()) {
            Some("$GITHUB_OUTPUT") => Some(Target::Output),
            Some("$GITHUB_ENV") => Some(Target::Environment),
            Some("$GITHUB_STEP_SUMMARY" | "$GITHUB_PATH" | "$GITHUB_STATE") => return,
            _ => None,
        };
        if let Some(target) = target {
            match output {
                Output::Text(value) => {
                    // Values are relative to the step: a skipped step has no outputs at all.
                    let inner = if matches!(target, Target::Output) {
                        relative(&condition, self.condition)
                    } else {
                        condition
                    };
                    for (when, text) in value.texts() {
                        self.assign_lines(target, &text, &inner.and(&when));
                    }
                }
                _ => self.open(target),
            }
            return;
        }
        if file
            .as_literal()
            .is_some_and(|file| file.starts_with("/dev/"))
        {
            return;
        }
        let (path, place) = (self.file(file), self.place(span));
        let content = self.content_of(output);
        if append && matches!(content, Content::Images(_)) {
            self.walk.add(
                FactKind::Saved(Vec::new(), Some(path.clone())),
                &condition,
                self.step,
                &place,
                false,
            );
        }
        self.walk
            .write_file(&path, content, &condition, self.step, &place);
    }

    fn print(&mut self, text: &Value, condition: &Condition) {
        for (when, text) in text.texts() {
            if !text.contains("::set-output name=") {
                continue;
            }
            for line in text.lines() {
                let Some(rest) = line.strip_start("::set-output name=") else {
                    continue;
                };
                if let Some((name, value)) = rest.split_first(':')
                    && let (Some(name), Some(value)) = (name.as_literal(), value.strip_start(":"))
                {
                    let when = condition.and(&when);
                    self.assign(Target::Output, name, &value.into(), &when);
                } else {
                    self.open_outputs();
                }
            }
        }
    }

    fn exit(&mut self, status: &Text, condition: &Condition, span: Span) {
        if matches!(status.as_literal(), Some("0" | "")) {
            return;
        }
        let condition = self.when(condition);
        let place = self.place(span);
        self.walk.add(
            FactKind::Failed(status.clone()),
            &condition,
            self.step,
            &place,
            self.tolerated,
        );
        // Whether a program succeeds is not asked of later steps: they are walked as if all went well.
        let asks_program = condition
            .symbols()
            .iter()
            .any(|symbol| symbol.name().starts_with("success of "));
        if !self.tolerated && !asks_program && condition.satisfiable() != Satisfiable::No {
            self.walk.alive = self.walk.alive.and(&condition.negate());
        }
    }

    fn directory(&self) -> Text {
        self.directory.clone()
    }

    fn matches(&self, pattern: &Text) -> Option<Vec<Text>> {
        self.matching(pattern)
    }

    fn set_directory(&mut self, directory: Text) {
        self.directory = path::normalize(&directory);
    }

    fn opaque(&mut self, reason: &str, condition: &Condition, span: Span) {
        let (condition, place) = (self.when(condition), self.place(span));
        self.walk.mark_opaque(self.step, &condition, &place, reason);
    }
}

/// A condition of a call with the step's own part taken out, where that is easy.
fn relative(condition: &Condition, step: &Condition) -> Condition {
    if condition == step {
        return Condition::Always;
    }
    match (condition, step) {
        (Condition::All(parts), Condition::All(known)) => parts
            .iter()
            .filter(|part| !known.contains(part))
            .fold(Condition::Always, |all, part| all.and(part)),
        (Condition::All(parts), one) => parts
            .iter()
            .filter(|part| *part != one)
            .fold(Condition::Always, |all, part| all.and(part)),
        _ => condition.clone(),
    }
}
