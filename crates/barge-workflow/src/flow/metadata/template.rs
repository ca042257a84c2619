//! The expressions in a rule's values: `{{branch}}`, `{{sha}}`.

use crate::scenario::{RefKind, Scenario};
use crate::symbolic::{Piece, Shape, Symbol, Text};

/// The global expressions of a value.
pub(super) fn template(text: &Text, scenario: &Scenario) -> Option<Text> {
    let mut out = Text::new();
    for piece in text.pieces() {
        let Piece::Literal(literal) = piece else {
            out.push(piece);
            continue;
        };
        let mut rest = literal.as_str();
        while let Some(open) = rest.find("{{") {
            out.push_str(rest.get(..open)?);
            let close = rest.find("}}")?;
            let name = rest.get(open + 2..close)?.trim();
            out.append(&global(name, scenario)?);
            rest = rest.get(close + 2..)?;
        }
        out.push_str(rest);
    }
    Some(out)
}

fn global(name: &str, scenario: &Scenario) -> Option<Text> {
    match name {
        "branch" if scenario.reference == RefKind::Branch => {
            scenario.github(&["ref_name"]).sole_text()
        }
        "tag" if scenario.reference == RefKind::Tag => scenario.github(&["ref_name"]).sole_text(),
        "sha" => Some(Text::symbol(Symbol::new(
            "github.sha[..7]",
            Shape::Hexadecimal,
        ))),
        "branch" | "tag" if scenario.reference == RefKind::Any => None,
        "base_ref" | "commit_date" => None,
        "is_default_branch" | "is_not_default_branch" => None,
        "branch" | "tag" => Some(Text::new()),
        _ if name.starts_with("date ") => Some(Text::symbol(Symbol::new(name, Shape::TagWord))),
        _ => None,
    }
}
