//! What the shell asks of the machine.

use crate::shell::parser::PLACEHOLDER;
use crate::shell::{Call, Machine, Output};
use crate::source::Span;
use crate::symbolic::{Condition, Doubt, Satisfiable, Text, Value};

use super::super::facts::{Content, FactKind};
use super::super::program::{self, Effect};
use super::super::{builder, deploy, docker, path, podman, registry, scanner};
use super::assign::Target;
use super::programs::flag_value;
use super::script::Script;

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
        let start = self.prepared.script.original(span.start);
        let line = self.source.line_of(self.run.locate(self.source, start));
        let shown = text.lines().next().unwrap_or_default().chars().take(60);
        let mut label = String::with_capacity(80);
        label.extend(shown.map(|c| match c {
            placeholder if u32::from(placeholder) >= PLACEHOLDER => '…',
            other => other,
        }));
        label.push_str(&format!(" (line {line})"));
        label
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
                let mut words = literals.iter();
                if runs_others && words.any(|word| ["docker", "podman"].contains(word)) {
                    // Once for each of what is not known.
                    let reason = format!("`{name}`");
                    self.fact(FactKind::DaemonOpaque(reason), call);
                }
                match program::effect(&name, &literals) {
                    Effect::None => {}
                    Effect::Files => self.opaque_files(call, &format!("`{name}`")),
                    Effect::Anything => {
                        let settled = self.walk.files.settled();
                        self.opaque_call(call, &format!("`{name}`"));
                        // A target that by its name builds or pushes leaves archives where they lie.
                        if name == "make" && program::builds(&literals) {
                            self.walk.files.settle(settled);
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
            .any(|symbol| symbol.doubt() == Some(Doubt::Success));
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
