//! Compound commands: groups, branches, loops and tests.

use std::rc::Rc;
use std::sync::Arc;

use crate::source::Span;
use crate::symbolic::{Condition, Shape, Symbol, Text, Value};

use super::super::syntax::{Command, Kind, List, Part, Word};
use super::super::test;
use super::interpreter::{Interpreter, LOOP_LIMIT};
use super::machine::Machine;

impl<M: Machine> Interpreter<'_, M> {
    pub(super) fn body(&mut self, command: &Command, tolerated: bool) -> Condition {
        match &command.kind {
            Kind::Simple(assignments, words) => self.simple(command, assignments, words, tolerated),
            Kind::If(branches, otherwise) => self.branches(branches, otherwise),
            Kind::For(name, words, body) => self.for_loop(name, words, body, command.span),
            Kind::While(condition, body) => {
                self.list(condition, true);
                let outer = self.path.clone();
                self.path = outer.and(&self.unknown_status(command.span));
                self.list(body, false);
                self.path = outer;
                Condition::Always
            }
            Kind::Case(subject, arms) => self.case(subject, arms, command.span),
            Kind::Group(body) => self.list(body, tolerated),
            Kind::Subshell(body) => {
                let (directory, variables) = (self.machine.directory(), Rc::clone(&self.variables));
                let status = self.list(body, tolerated);
                self.machine.set_directory(directory);
                self.variables = variables;
                status
            }
            Kind::Function(name, body) => {
                self.functions.insert(name.clone(), Arc::clone(body));
                Condition::Always
            }
            Kind::Test(words) => self.test(words, command.span),
            Kind::Arithmetic => self.unknown_status(command.span),
        }
    }

    fn branches(&mut self, branches: &[(List, List)], otherwise: &List) -> Condition {
        let outer = self.path.clone();
        let mut rest = outer.clone();
        for (condition, body) in branches {
            self.path = rest.clone();
            let holds = self.list(condition, true);
            self.path = rest.and(&holds);
            if self.path != Condition::Never {
                self.list(body, false);
            }
            rest = rest.and(&holds.negate());
        }
        self.path = rest;
        if self.path != Condition::Never {
            self.list(otherwise, false);
        }
        self.path = outer;
        Condition::Always
    }

    fn for_loop(&mut self, name: &str, words: &[Word], body: &List, span: Span) -> Condition {
        let lines = self.fields_of(words);
        let outer = self.path.clone();
        for (condition, fields) in lines {
            self.path = outer.and(&condition);
            let fields = self.matched(fields);
            let known = fields.len() <= LOOP_LIMIT;
            for (field, certain) in fields.iter().take(if known { LOOP_LIMIT } else { 1 }) {
                let value = if *certain && known {
                    field.clone().into()
                } else {
                    let label = format!(
                        "{name} in {}",
                        self.label(span).lines().next().unwrap_or_default()
                    );
                    Value::unknown(label, Shape::Text)
                };
                self.set(name.to_owned(), value);
                self.list(body, false);
            }
        }
        self.path = outer;
        Condition::Always
    }

    /// The fields with the files in place of patterns, where they are known; each with whether it is one single word.
    fn matched(&self, fields: Vec<Text>) -> Vec<(Text, bool)> {
        let is_open = |symbol: &Arc<Symbol>| matches!(symbol.shape(), Shape::Any | Shape::Text);
        let words = fields.into_iter().flat_map(|field| {
            let pattern = field.contains("*");
            let files = pattern.then(|| self.machine.matches(&field)).flatten();
            let certain = files.is_some() || !pattern;
            files
                .unwrap_or_else(|| vec![field])
                .into_iter()
                .map(move |word| {
                    let certain = certain && !word.symbols().any(is_open);
                    (word, certain)
                })
        });
        words.collect()
    }

    fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, List)], span: Span) -> Condition {
        let outer = self.path.clone();
        let mut rest = outer.clone();
        let subject = self.value_of(subject);
        for (patterns, body) in arms {
            let mut holds = Condition::Never;
            for pattern in patterns {
                let bare = pattern
                    .parts
                    .iter()
                    .any(|part| matches!(part, Part::Literal(_, false)));
                let pattern = self.value_of(pattern).sole_text().unwrap_or_default();
                let unknown = || self.unknown_status(span);
                let fits =
                    subject
                        .texts()
                        .into_iter()
                        .fold(Condition::Never, |any, (when, text)| {
                            let words = [
                                test::Operand { text, bare: false },
                                test::Operand {
                                    text: Text::literal("="),
                                    bare: true,
                                },
                                test::Operand {
                                    text: pattern.clone(),
                                    bare,
                                },
                            ];
                            any.or(&when.and(&test::condition(&words, &unknown)))
                        });
                holds = holds.or(&fits);
            }
            self.path = rest.and(&holds);
            if self.path != Condition::Never {
                self.list(body, false);
            }
            rest = rest.and(&holds.negate());
        }
        self.path = outer;
        Condition::Always
    }

    pub(super) fn test(&mut self, words: &[Word], span: Span) -> Condition {
        let mut lines: Vec<(Condition, Vec<test::Operand>)> = vec![(Condition::Always, Vec::new())];
        for word in words {
            let bare = word
                .parts
                .iter()
                .any(|part| matches!(part, Part::Literal(_, false)));
            let texts = self.value_of(word).texts();
            let mut next = Vec::new();
            for (condition, operands) in &lines {
                for (when, text) in &texts {
                    let mut operands = operands.clone();
                    operands.push(test::Operand {
                        text: text.clone(),
                        bare,
                    });
                    next.push((condition.and(when), operands));
                }
            }
            if next.len() > LOOP_LIMIT {
                return self.unknown_status(span);
            }
            lines = next;
        }
        let unknown = || self.unknown_status(span);
        lines.iter().fold(Condition::Never, |any, (when, words)| {
            any.or(&when.and(&test::condition(words, &unknown)))
        })
    }
}
