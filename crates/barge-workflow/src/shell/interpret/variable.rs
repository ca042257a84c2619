//! Variables and arrays of a script.

use std::rc::Rc;

use crate::symbolic::{Shape, Symbol, Text, Value};

use super::super::syntax::{Assignment, Part, Word};
use super::interpreter::Interpreter;
use super::machine::Machine;
use super::program::joined;

impl<M: Machine> Interpreter<'_, M> {
    pub(super) fn assign(&mut self, assignment: &Assignment) {
        if assignment.array {
            let mut items = if assignment.append {
                self.arrays
                    .get(&assignment.name)
                    .cloned()
                    .unwrap_or_default()
            } else {
                Vec::new()
            };
            items.extend(
                self.fields_of(&assignment.value)
                    .into_iter()
                    .flat_map(|(_, fields)| fields),
            );
            self.arrays.insert(assignment.name.clone(), items);
            return;
        }
        let mut value = assignment
            .value
            .first()
            .map_or_else(|| Value::text(""), |word| self.value_of(word));
        let before = self.variable(&assignment.name);
        if assignment.append {
            value = before.concat(&value);
        }
        let now = self.now();
        let value = Value::choose(&now, &value, &before);
        let value = value.or_unknown(|| format!("${}", assignment.name));
        self.set(assignment.name.clone(), value);
    }

    /// Gives a variable a value.
    pub(super) fn set(&mut self, name: String, value: Value) {
        Rc::make_mut(&mut self.variables).insert(name, value);
    }

    /// Gives a variable the value it had before, if it had one.
    pub(super) fn restore(&mut self, name: String, value: Option<Value>) {
        let variables = Rc::make_mut(&mut self.variables);
        match value {
            Some(value) => variables.insert(name, value),
            None => variables.remove(&name),
        };
    }

    /// `export NAME=value`, where the assignment is a word.
    pub(super) fn declare(&mut self, word: &Word) {
        let Some(Part::Literal(first, quoted)) = word.parts.first() else {
            return;
        };
        let Some((name, rest)) = first.split_once('=') else {
            return;
        };
        let mut parts = vec![Part::Literal(rest.to_owned(), *quoted)];
        parts.extend(word.parts.iter().skip(1).cloned());
        let value = vec![Word::new(word.span, parts)];
        self.assign(&Assignment {
            name: name.to_owned(),
            value,
            append: false,
            array: false,
        });
    }

    /// A variable of the script, or of the environment.
    pub(in super::super) fn variable(&self, name: &str) -> Value {
        if let Some(value) = self.variables.get(name) {
            return value.clone();
        }
        if let Some(items) = self.arrays.get(name) {
            return joined(items).into();
        }
        if let Some(item) = self.item(name) {
            return item;
        }
        if name == "?" {
            let last = Symbol::success_of("the last command", Shape::Digits);
            return Text::symbol(last).into();
        }
        self.machine
            .environment(name)
            .unwrap_or_else(|| Value::unknown(format!("${name}"), Shape::Text))
    }

    /// One item of an array, `NAME[0]`; the first of what is no array is the whole.
    fn item(&self, name: &str) -> Option<Value> {
        let (array, index) = name.strip_suffix(']')?.split_once('[')?;
        let index = index.parse::<usize>().ok();
        match (self.arrays.get(array), index) {
            (Some(items), Some(index)) => {
                // An unknown before it can hold several.
                let before = items.get(..=index)?;
                let certain = !before
                    .iter()
                    .any(|item| item.symbols().any(|one| one.may_hold(' ')));
                before
                    .last()
                    .filter(|_| certain)
                    .map(|item| item.clone().into())
            }
            (None, Some(0)) => Some(self.variable(array)),
            _ => None,
        }
    }

    /// The items of an array.
    pub(in super::super) fn array(&self, name: &str) -> Option<Vec<Text>> {
        self.arrays.get(name).cloned()
    }
}
