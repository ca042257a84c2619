//! The values of a bake file: HCL expressions over partly known variables.

use std::collections::BTreeMap;

use hcl::expr::{
    BinaryOperator, Conditional, Expression, FuncCall, ObjectKey, Operation, TemplateExpr,
    Traversal, TraversalOperator, UnaryOperator,
};
use hcl::template::{Element, Template};

use crate::symbolic::{Condition, Shape, Term, Value, text_equality};

/// Functions and variables that refer to each other in a circle end here.
const DEPTH_LIMIT: usize = 24;

/// A function of the file: its parameters and result.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) parameters: Vec<String>,
    pub(super) result: Expression,
}

/// What an expression can see.
pub(super) struct Names<'a> {
    /// Variables of the job's environment, which win over the defaults of the file.
    pub(super) environment: &'a dyn Fn(&str) -> Option<Value>,
    /// Variables of the file, with their defaults.
    pub(super) variables: &'a BTreeMap<String, Option<Expression>>,
    pub(super) functions: &'a BTreeMap<String, Function>,
    /// The values of a matrix, or the arguments of a function.
    pub(super) bound: BTreeMap<String, Value>,
    pub(super) depth: usize,
}

impl Names<'_> {
    /// The same with more names bound.
    pub(super) fn with(&self, bound: BTreeMap<String, Value>) -> Names<'_> {
        Names {
            environment: self.environment,
            variables: self.variables,
            functions: self.functions,
            bound,
            depth: self.depth + 1,
        }
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &Expression) -> Value {
        if self.depth > DEPTH_LIMIT {
            return unknown(expression);
        }
        match expression {
            Expression::Null => Value::null(),
            Expression::Bool(value) => Term::Boolean(*value).into(),
            Expression::Number(number) => match number.as_f64() {
                Some(number) => Term::Number(number).into(),
                None => unknown(expression),
            },
            Expression::String(text) => Value::text(text.as_str()),
            Expression::Array(items) => self.list(items),
            Expression::Object(entries) => {
                let known = entries.iter().map(|(key, value)| {
                    let key = match key {
                        ObjectKey::Identifier(name) => name.to_string(),
                        ObjectKey::Expression(key) => self.value(key).literal()?,
                        _ => return None,
                    };
                    sole(&self.value(value)).map(|value| (key, value))
                });
                known.collect::<Option<Vec<_>>>().map_or_else(
                    || unknown(expression),
                    |entries| Term::Map(entries.into()).into(),
                )
            }
            Expression::TemplateExpr(template) => self.template(template),
            Expression::Variable(name) => self.variable(name.as_str()),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => self.call(call),
            Expression::Parenthesis(inner) => self.value(inner),
            Expression::Conditional(conditional) => self.conditional(conditional),
            Expression::Operation(operation) => self.operation(operation),
            _ => unknown(expression),
        }
    }

    fn list(&self, items: &[Expression]) -> Value {
        let empty: Value = Term::List(Vec::new().into()).into();
        items.iter().fold(empty, |list, item| {
            let item = self.value(item);
            let joined = list.flat_map(|list| item.map(|item| appended(list, item)));
            joined.or_unknown(|| "a list of a bake file")
        })
    }

    fn template(&self, template: &TemplateExpr) -> Value {
        let Ok(parsed) = Template::from_expr(template) else {
            return Value::unknown(template.to_string(), Shape::Text);
        };
        let text = Value::text("");
        parsed
            .elements()
            .iter()
            .fold(text, |text, element| match element {
                Element::Literal(literal) => text.concat(&Value::text(literal.as_str())),
                Element::Interpolation(inner) => text.concat(&self.value(&inner.expr)),
                Element::Directive(_) => {
                    text.concat(&Value::unknown("a directive of a bake file", Shape::Text))
                }
            })
    }

    fn variable(&self, name: &str) -> Value {
        if let Some(bound) = self.bound.get(name) {
            return bound.clone();
        }
        let Some(default) = self.variables.get(name) else {
            return Value::unknown(format!("{name} of the bake file"), Shape::Text);
        };
        let own = match default {
            Some(default) => self.with(BTreeMap::new()).value(default),
            None => Value::text(""),
        };
        match (self.environment)(name) {
            Some(set) => set,
            None => own,
        }
    }

    fn traversal(&self, traversal: &Traversal) -> Value {
        let start = self.value(&traversal.expr);
        traversal.operators.iter().fold(start, |value, operator| {
            let key = match operator {
                TraversalOperator::GetAttr(name) => Term::text(name.as_str()),
                TraversalOperator::Index(index) => match sole(&self.value(index)) {
                    Some(index) => index,
                    None => return Value::unknown("an item of a bake file", Shape::Any),
                },
                _ => return Value::unknown("items of a bake file", Shape::Any),
            };
            value.map(|term| {
                let member = term.member(&key);
                member.unwrap_or_else(|| Term::unknown("a value of a bake file", Shape::Any))
            })
        })
    }

    fn call(&self, call: &FuncCall) -> Value {
        let name = call.name.name.as_str();
        let arguments: Vec<Value> = call.args.iter().map(|one| self.value(one)).collect();
        if let Some(function) = self.functions.get(name) {
            let bound = function.parameters.iter().cloned().zip(arguments).collect();
            return self.with(bound).value(&function.result);
        }
        match (name, arguments.as_slice()) {
            ("equal", [left, right]) => Value::from(&equal(left, right)),
            ("notequal", [left, right]) => Value::from(&equal(left, right).negate()),
            ("and", [left, right]) => Value::from(&truth(left).and(&truth(right))),
            ("or", [left, right]) => Value::from(&truth(left).or(&truth(right))),
            ("not", [value]) => Value::from(&truth(value).negate()),
            ("lower", [text]) => text.map(|term| Term::Text(term.printed().lower())),
            ("concat", lists) => lists
                .iter()
                .fold(Term::List(Vec::new().into()).into(), |all, list| {
                    all.flat_map(|all| list.map(|list| joined(all, list)))
                }),
            _ => Value::unknown(format!("{name}() of the bake file"), Shape::Any),
        }
    }

    fn conditional(&self, conditional: &Conditional) -> Value {
        let holds = truth(&self.value(&conditional.cond_expr));
        let then = self.value(&conditional.true_expr);
        Value::choose(&holds, &then, &self.value(&conditional.false_expr))
    }

    fn operation(&self, operation: &Operation) -> Value {
        match operation {
            Operation::Unary(unary) if unary.operator == UnaryOperator::Not => {
                Value::from(&truth(&self.value(&unary.expr)).negate())
            }
            Operation::Binary(binary) => {
                let (left, right) = (self.value(&binary.lhs_expr), self.value(&binary.rhs_expr));
                match binary.operator {
                    BinaryOperator::Eq => Value::from(&equal(&left, &right)),
                    BinaryOperator::NotEq => Value::from(&equal(&left, &right).negate()),
                    BinaryOperator::And => Value::from(&truth(&left).and(&truth(&right))),
                    BinaryOperator::Or => Value::from(&truth(&left).or(&truth(&right))),
                    _ => Value::unknown("a number of a bake file", Shape::Any),
                }
            }
            Operation::Unary(_) => Value::unknown("a number of a bake file", Shape::Any),
        }
    }
}

fn unknown(expression: &Expression) -> Value {
    Value::unknown(expression.to_string(), Shape::Any)
}

/// The only term it can be.
pub(super) fn sole(value: &Value) -> Option<Term> {
    match value.alternatives() {
        [(_, term)] => Some(term.clone()),
        _ => None,
    }
}

fn appended(list: &Term, item: &Term) -> Term {
    joined(list, &Term::List(vec![item.clone()].into()))
}

fn joined(left: &Term, right: &Term) -> Term {
    match (left, right) {
        (Term::List(left), Term::List(right)) => Term::List(
            left.iter()
                .chain(right.iter())
                .cloned()
                .collect::<Vec<_>>()
                .into(),
        ),
        _ => Term::unknown("a list of a bake file", Shape::Any),
    }
}

/// Truth as HCL sees it: the text `false` is false.
fn truth(value: &Value) -> Condition {
    let cases = value.alternatives().iter();
    cases.fold(Condition::Never, |any, (when, term)| {
        let holds = match term {
            Term::Text(text) => text_equality(text, &crate::symbolic::Text::literal("true")),
            other => other.truth(),
        };
        any.or(&when.and(&holds))
    })
}

fn equal(left: &Value, right: &Value) -> Condition {
    let mut any = Condition::Never;
    for (when, left) in left.texts() {
        for (also, right) in right.texts() {
            any = any.or(&when.and(&also).and(&text_equality(&left, &right)));
        }
    }
    any
}
