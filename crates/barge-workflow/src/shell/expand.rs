//! Expands words: parameters, command substitutions and expressions, into values and into fields.

use crate::symbolic::{Condition, Satisfiable, Shape, Symbol, Term, Text, Value};

use super::interpret::{Interpreter, Machine};
use super::syntax::{Parameter, Part, Word};
use super::tools;

/// More alternatives of a command line than this become one with unknowns.
const FIELD_ALTERNATIVES: usize = 8;

/// A command line that stands under a condition.
pub(super) type Fields = Vec<(Condition, Vec<Text>)>;

impl<M: Machine> Interpreter<'_, M> {
    /// The value of a word, without splitting.
    pub(super) fn value_of(&mut self, word: &Word) -> Value {
        if let Some(text) = word.known() {
            return text.clone().into();
        }
        let mut value = Value::text("");
        for part in &word.parts {
            let next = self.part(part);
            value = value.concat(&next);
        }
        if value.is_large() {
            Value::unknown(self.label(word.span), Shape::Text)
        } else {
            value
        }
    }

    /// The fields of words, for each alternative of what they expand to.
    pub(super) fn fields_of(&mut self, words: &[Word]) -> Fields {
        let mut lines: Fields = vec![(Condition::Always, Vec::with_capacity(words.len()))];
        for word in words {
            if let Some(text) = word.known() {
                lines
                    .iter_mut()
                    .for_each(|(_, line)| line.push(text.clone()));
                continue;
            }
            let fields = self.fields_of_word(word);
            if let [(Condition::Always, only)] = fields.as_slice() {
                lines
                    .iter_mut()
                    .for_each(|(_, line)| line.extend(only.iter().cloned()));
                continue;
            }
            let mut next = Fields::new();
            for (condition, line) in &lines {
                for (when, more) in &fields {
                    let both = condition.and(when);
                    if lines.len() > 1 && both.satisfiable() == Satisfiable::No {
                        continue;
                    }
                    next.push((both, line.iter().chain(more).cloned().collect()));
                }
            }
            if next.len() > FIELD_ALTERNATIVES {
                let unknown = Text::symbol(Symbol::new(self.label(word.span), Shape::Text));
                lines
                    .iter_mut()
                    .for_each(|(_, line)| line.push(unknown.clone()));
            } else {
                lines = next;
            }
        }
        lines
    }

    fn fields_of_word(&mut self, word: &Word) -> Fields {
        if let [Part::Parameter(parameter, _)] = word.parts.as_slice()
            && let Some(items) = self.array(&parameter.name)
        {
            return vec![(Condition::Always, items)];
        }
        let mut alternatives: Vec<(Condition, Splitting)> =
            vec![(Condition::Always, Splitting::default())];
        for part in &word.parts {
            let splits = matches!(
                part,
                Part::Parameter(_, false)
                    | Part::Command(_, _, false)
                    | Part::Placeholder(_, false)
            );
            let texts = self.part(part).texts();
            if let [(Condition::Always, text)] = texts.as_slice() {
                alternatives
                    .iter_mut()
                    .for_each(|(_, fields)| fields.add(text, splits));
                continue;
            }
            let mut next = Vec::new();
            for (condition, fields) in &alternatives {
                for (when, text) in &texts {
                    let mut fields = fields.clone();
                    fields.add(text, splits);
                    next.push((condition.and(when), fields));
                }
            }
            if next.len() > FIELD_ALTERNATIVES {
                let unknown = Text::symbol(Symbol::new(self.label(word.span), Shape::Text));
                return vec![(Condition::Always, vec![unknown])];
            }
            alternatives = next;
        }
        alternatives
            .into_iter()
            .map(|(condition, fields)| (condition, fields.finish()))
            .collect()
    }

    fn part(&mut self, part: &Part) -> Value {
        match part {
            Part::Literal(text, quoted) => match text.strip_prefix('~').filter(|_| !quoted) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                    let mut home = Text::symbol(Symbol::new("~", Shape::Word));
                    home.push_str(rest);
                    home.into()
                }
                _ => Value::text(text.as_str()),
            },
            Part::Placeholder(number, _) => match self.inserted(*number) {
                Some(text) => text.clone().into(),
                None => self.machine.placeholder(*number),
            },
            Part::Arithmetic(text) => Value::unknown(format!("$(({text}))"), Shape::Digits),
            Part::Command(script, text, _) => self.substitute(script, text),
            Part::Parameter(parameter, _) => self.parameter(parameter),
        }
    }

    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let value = self.variable(&parameter.name);
        let Some((operator, word)) = &parameter.operation else {
            return value;
        };
        let operand = self.value_of(word);
        let name = || {
            Value::unknown(
                format!("${{{}{operator}{}}}", parameter.name, describe(&operand)),
                Shape::Text,
            )
        };
        match operator.as_str() {
            ",," => value.map(|term| Term::Text(term.printed().lower())),
            ":-" | "-" | ":=" | "=" => {
                let set = self.is_not_empty(&value);
                Value::choose(&set, &value, &operand)
            }
            ":?" | "?" => value,
            ":+" | "+" => {
                let set = self.is_not_empty(&value);
                Value::choose(&set, &operand, &Value::text(""))
            }
            "#" | "##" | "%" | "%%" => match operand.literal() {
                Some(pattern) => {
                    value.flat_map(|term| tools::strip_pattern(&term.printed(), operator, &pattern))
                }
                None => name(),
            },
            "/" | "//" => {
                let (pattern, replacement) = split_replacement(word);
                let (pattern, replacement) = (self.value_of(&pattern), self.value_of(&replacement));
                match (pattern.literal(), replacement.literal()) {
                    (Some(from), Some(to)) => value.flat_map(|term| {
                        tools::replace_pattern(&term.printed(), operator == "//", &from, &to)
                    }),
                    _ => name(),
                }
            }
            ":" => match operand.literal() {
                Some(range) => value.flat_map(|term| tools::substring(&term.printed(), &range)),
                None => name(),
            },
            _ => value.map(|term| {
                Term::unknown(
                    format!("${{{operator}{}}}", term.printed().describe()),
                    Shape::Text,
                )
            }),
        }
    }

    /// The condition under which a value is not the empty text.
    pub(super) fn is_not_empty(&self, value: &Value) -> Condition {
        let empty = value
            .texts()
            .into_iter()
            .fold(Condition::Never, |any, (when, text)| {
                let empty = match (text.as_literal(), text.as_symbol()) {
                    (Some(""), _) => Condition::Always,
                    (Some(_), _) => Condition::Never,
                    (_, Some(symbol)) => Condition::equals(symbol, ""),
                    _ if text.may_be_empty() => {
                        Condition::truthy(&Symbol::new(text.describe(), Shape::Text)).negate()
                    }
                    _ => Condition::Never,
                };
                any.or(&when.and(&empty))
            });
        empty.negate()
    }
}

/// The pattern and the replacement of `${NAME/pattern/replacement}`: they part at the first slash that is not escaped.
fn split_replacement(word: &Word) -> (Word, Word) {
    let mut pattern = Word::default();
    let mut parts = word.parts.iter();
    for part in parts.by_ref() {
        if let Part::Literal(text, false) = part
            && let Some((before, after)) = text.split_once('/')
        {
            pattern.parts.push(Part::Literal(before.to_owned(), false));
            let first = Part::Literal(after.to_owned(), false);
            let parts = std::iter::once(first).chain(parts.cloned());
            return (pattern, Word::new(word.span, parts.collect()));
        }
        pattern.parts.push(part.clone());
    }
    (pattern, Word::default())
}

fn describe(value: &Value) -> String {
    value
        .sole_text()
        .map_or_else(|| "...".to_owned(), |text| text.describe())
}

/// Fields that are being built.
#[derive(Clone, Default)]
struct Splitting {
    done: Vec<Text>,
    open: Option<Text>,
}

impl Splitting {
    fn add(&mut self, text: &Text, splits: bool) {
        if !splits {
            self.open.get_or_insert_with(Text::new).append(text);
            return;
        }
        let starts_blank = text.literal_start().starts_with(char::is_whitespace);
        let ends_blank = text.literal_end().ends_with(char::is_whitespace);
        if starts_blank {
            self.close();
        }
        let parts: Vec<Text> = text
            .split(char::is_whitespace)
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let count = parts.len();
        for (at, part) in parts.iter().enumerate() {
            self.open.get_or_insert_with(Text::new).append(part);
            if at + 1 < count || ends_blank {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    fn finish(mut self) -> Vec<Text> {
        self.close();
        self.done
    }
}
