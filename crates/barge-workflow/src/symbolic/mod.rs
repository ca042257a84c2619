//! Values that are only partly known.
//!
//! A [`Text`] is literal stretches and [`Symbol`]s; a [`Value`] is a set of alternatives, each under a [`Condition`]
//! over the symbols. Everything stays exact or becomes a symbol of its own: nothing is guessed. Conditions are decided by
//! trying every assignment of the few symbols they test ([`Condition::satisfiable`]).

mod compare;
mod condition;
mod evaluate;
mod functions;
mod satisfiable;
mod symbol;
mod text;
mod value;

pub use compare::Comparison;
pub use condition::{Condition, Expectation, Test};
pub use evaluate::{
    Scope, condition_of, evaluate, interpolate, interpolate_template, text_equality,
};
pub(crate) use functions::{from_json, start_of};
pub use satisfiable::{Assignment, Candidate, Satisfiable};
pub use symbol::{Doubt, Shape, Symbol};
pub use text::{Piece, Text};
pub use value::{Term, Value};
