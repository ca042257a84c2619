//! The conditions of `[ ]`, `[[ ]]` and `test`.

use crate::symbolic::{Comparison, Condition, Shape, Symbol, Text, start_of, text_equality};

/// One word of a test: its text and whether it is a pattern (unquoted characters may be special).
#[derive(Debug, Clone)]
pub struct Operand {
    /// The expanded text.
    pub text: Text,
    /// Unquoted, so that `*` matches anything on the right side of `==`.
    pub bare: bool,
}

/// The condition that a test's words make; `unknown` names what cannot be decided.
#[must_use]
pub fn condition(words: &[Operand], unknown: &dyn Fn() -> Condition) -> Condition {
    let mut reader = Reader {
        words,
        at: 0,
        unknown,
        depth: 0,
    };
    let condition = reader.any();
    if reader.at < words.len() {
        unknown()
    } else {
        condition
    }
}

struct Reader<'a> {
    words: &'a [Operand],
    at: usize,
    depth: usize,
    unknown: &'a dyn Fn() -> Condition,
}

impl Reader<'_> {
    fn operator(&self, at: usize) -> Option<&str> {
        self.words
            .get(at)
            .filter(|word| word.bare)
            .and_then(|word| word.text.as_literal())
    }

    fn accept(&mut self, operators: &[&str]) -> bool {
        let found = self
            .operator(self.at)
            .is_some_and(|operator| operators.contains(&operator));
        if found {
            self.at += 1;
        }
        found
    }

    fn any(&mut self) -> Condition {
        let mut condition = self.all();
        while self.accept(&["||", "-o"]) {
            condition = condition.or(&self.all());
        }
        condition
    }

    fn all(&mut self) -> Condition {
        let mut condition = self.one();
        while self.accept(&["&&", "-a"]) {
            condition = condition.and(&self.one());
        }
        condition
    }

    fn one(&mut self) -> Condition {
        self.depth += 1;
        if self.depth > 40 {
            self.at = self.words.len();
            return (self.unknown)();
        }
        if self.accept(&["!"]) {
            return self.one().negate();
        }
        if self.accept(&["("]) {
            let condition = self.any();
            return if self.accept(&[")"]) {
                condition
            } else {
                (self.unknown)()
            };
        }
        self.primary()
    }

    fn primary(&mut self) -> Condition {
        if let Some(operator) = self.operator(self.at + 1).map(str::to_owned)
            && matches!(
                operator.as_str(),
                "=" | "=="
                    | "!="
                    | "=~"
                    | "<"
                    | ">"
                    | "-eq"
                    | "-ne"
                    | "-lt"
                    | "-le"
                    | "-gt"
                    | "-ge"
                    | "-nt"
                    | "-ot"
            )
        {
            let (Some(left), Some(right)) = (self.words.get(self.at), self.words.get(self.at + 2))
            else {
                self.at = self.words.len();
                return (self.unknown)();
            };
            self.at += 3;
            return match operator.as_str() {
                "=" | "==" => self.matches(&left.text, right),
                "!=" => self.matches(&left.text, right).negate(),
                "-eq" => equal(&left.text, &right.text),
                "-ne" => equal(&left.text, &right.text).negate(),
                _ => (self.unknown)(),
            };
        }
        match self.operator(self.at).map(str::to_owned).as_deref() {
            Some("-z") if self.words.get(self.at + 1).is_some() => self.emptiness(),
            Some("-n") if self.words.get(self.at + 1).is_some() => self.emptiness().negate(),
            Some(flag)
                if flag.starts_with('-')
                    && flag.len() == 2
                    && self.words.get(self.at + 1).is_some() =>
            {
                self.at += 2;
                (self.unknown)()
            }
            _ => {
                let Some(word) = self.words.get(self.at) else {
                    return Condition::Never;
                };
                self.at += 1;
                equal(&word.text, &Text::new()).negate()
            }
        }
    }

    fn emptiness(&mut self) -> Condition {
        let text = self
            .words
            .get(self.at + 1)
            .map(|word| word.text.clone())
            .unwrap_or_default();
        self.at += 2;
        equal(&text, &Text::new())
    }

    fn matches(&self, left: &Text, right: &Operand) -> Condition {
        let Some(pattern) = right
            .text
            .as_literal()
            .filter(|pattern| right.bare && pattern.contains('*'))
        else {
            return equal(left, &right.text);
        };
        let inner = pattern.trim_matches('*');
        if inner.contains(['*', '?', '[']) {
            return (self.unknown)();
        }
        let question = |word: &str| {
            Condition::truthy(&Symbol::new(
                format!("{} {word} '{inner}'", left.describe()),
                Shape::Boolean,
            ))
        };
        let any = || Text::symbol(Symbol::new("\u{0}", Shape::Text));
        let mut shape = Text::new();
        let (open, close) = (pattern.starts_with('*'), pattern.ends_with('*'));
        if open {
            shape.append(&any());
        }
        shape.push_str(inner);
        if close {
            shape.append(&Text::symbol(Symbol::new("\u{1}", Shape::Text)));
        }
        let certain = match (open, close) {
            (false, true) => left.literal_start().starts_with(inner),
            (true, false) => left.literal_end().ends_with(inner),
            _ => left.contains(inner),
        };
        if certain || inner.is_empty() {
            return Condition::Always;
        }
        match left.compare(&shape) {
            Comparison::Different => Condition::Never,
            _ if open && close => question("contains"),
            _ if open => question("ends with"),
            _ => start_of(left, &inner.to_lowercase()).unwrap_or_else(|| question("starts with")),
        }
    }
}

fn equal(left: &Text, right: &Text) -> Condition {
    let asked = |symbol: &std::sync::Arc<Symbol>, literal: &str| {
        if symbol.shape() == Shape::Boolean {
            return match literal {
                "true" => Condition::truthy(symbol),
                "false" => Condition::truthy(symbol).negate(),
                _ => Condition::Never,
            };
        }
        Condition::equals(symbol, literal)
    };
    match (
        left.as_symbol(),
        right.as_literal(),
        right.as_symbol(),
        left.as_literal(),
    ) {
        (Some(symbol), Some(literal), _, _) | (_, _, Some(symbol), Some(literal)) => {
            asked(symbol, literal)
        }
        _ => text_equality(left, right),
    }
}
