//! A step's script on its walk: what it is told, and the facts that it leaves.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::expression::Part as TemplatePart;
use crate::model::Field;
use crate::shell::syntax::{Part, Script as ShellScript};
use crate::shell::{Call, Interpreter, Machine as _, Output, success_of};
use crate::source::{Source, Span};
use crate::symbolic::{Condition, Text};

use super::super::facts::{Content, FactKind, FileUse, Origin, Place, Store};
use super::super::job::Walk;
use super::assign::Target;
use super::prepared::Prepared;

/// What flows through a pipe.
#[derive(Debug, Clone)]
pub(in super::super) enum Data {
    /// Content that was just made.
    Made(Content),
    /// What this file holds.
    File(Text),
}

/// A step's script on its walk.
pub(in super::super) struct Script<'w, 'a> {
    pub(in super::super) walk: &'w mut Walk<'a>,
    pub(super) prepared: Prepared,
    pub(super) run: &'w Field,
    pub(super) source: &'w Source,
    pub(in super::super) step: usize,
    /// The condition of the step.
    pub(super) condition: &'w Condition,
    pub(in super::super) directory: Text,
    pub(super) tolerated: bool,
    /// Outputs and variables that the script set.
    pub(super) assigned: BTreeSet<(Target, String)>,
}

/// Where a script stands: its step, and what that says of it.
pub(in super::super) struct Setting<'w> {
    pub(in super::super) run: &'w Field,
    pub(in super::super) source: &'w Source,
    /// The number of the step in the leg.
    pub(in super::super) step: usize,
    pub(in super::super) condition: &'w Condition,
    pub(in super::super) directory: Text,
    pub(in super::super) tolerated: bool,
}

/// Runs a step's script.
pub(in super::super) fn run(walk: &mut Walk<'_>, prepared: Prepared, setting: Setting<'_>) {
    let tree = Arc::clone(&prepared.script);
    let facts = walk.trace.facts.len();
    let Setting {
        run,
        source,
        step,
        condition,
        directory,
        tolerated,
    } = setting;
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
    pub(in super::super) fn place(&self, span: Span) -> Place {
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
    pub(in super::super) fn when(&self, condition: &Condition) -> Condition {
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
        if self.prepared.placeholders.is_empty() {
            return;
        }
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
    pub(in super::super) fn fact(&mut self, kind: FactKind, call: &Call) {
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
    pub(in super::super) fn present_on_success(&mut self, reference: Text, call: &Call) {
        let mut call = call.clone();
        if call.tolerated {
            let success = success_of(&self.label(call.span));
            call.condition = call.condition.and(&success);
        }
        self.fact(FactKind::Present(reference, Origin::Pulled), &call);
    }

    /// The path of a file the script names.
    pub(in super::super) fn file(&self, file: &Text) -> Text {
        Walk::file_path(&self.directory, file)
    }

    /// Makes data for a pipe or a redirection.
    pub(in super::super) fn data(&mut self, data: Data) -> Output {
        self.walk.data.push(data);
        Output::Data(self.walk.data.len() - 1)
    }

    /// Records that a call reads a file.
    pub(in super::super) fn read(&mut self, file: &Text, usage: FileUse, call: &Call) {
        let (condition, place) = (self.when(&call.condition), self.place(call.span));
        let (file, step) = (self.file(file), self.step);
        self.walk
            .read_file(&file, usage, &condition, step, &place, call.tolerated);
    }

    /// Records that a call writes a file.
    pub(in super::super) fn write_content(&mut self, file: &Text, content: Content, call: &Call) {
        let (condition, place, file) = (
            self.when(&call.condition),
            self.place(call.span),
            self.file(file),
        );
        self.walk
            .write_file(&file, content, &condition, self.step, &place);
    }
}
