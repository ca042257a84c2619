//! What is in a job's daemon when an image is named.

use crate::flow::{Fact, FactKind, Origin};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Condition, Text};

use super::context::Site;

/// The facts of a leg before a use, sorted by what they say about one name.
#[derive(Debug)]
pub(super) struct Presence<'a> {
    /// Facts that put exactly this name into the daemon.
    pub equal: Vec<&'a Fact>,
    /// Facts that may do so.
    pub maybe: Vec<&'a Fact>,
    /// Facts that put another name there.
    pub others: Vec<(&'a Fact, &'a Text)>,
    /// Builds that gave this name, wherever the image went.
    pub built: Vec<&'a Fact>,
    /// Facts that put it into the store of another engine.
    pub other_store: Vec<&'a Fact>,
    /// When something unknown can have put it there.
    pub opaque: Condition,
}

impl<'a> Presence<'a> {
    /// Looks at what came before a fact that names an image.
    pub(super) fn before(site: &Site<'a>, name: &Text, program: &str) -> Self {
        let compare = |made: &Text| match program {
            "docker save" | "podman save" => compare_saved(made, name),
            _ => reference::compare(made, name),
        };
        let mut presence = Self {
            equal: Vec::new(),
            maybe: Vec::new(),
            others: Vec::new(),
            built: Vec::new(),
            other_store: Vec::new(),
            opaque: Condition::Never,
        };
        // Cluster tools take images from the engine they run on, which is not said.
        let any_store = ["kind ", "minikube ", "k3d "]
            .iter()
            .any(|tool| program.starts_with(tool));
        for fact in site.before() {
            let elsewhere = !any_store && fact.store != site.fact.store;
            match &fact.kind {
                FactKind::Present(reference, _)
                    if elsewhere && compare(reference) != Comparison::Different =>
                {
                    presence.other_store.push(fact);
                }
                FactKind::Present(..) if elsewhere => {}
                FactKind::Built(_) if elsewhere => {}
                FactKind::Present(reference, _) => match compare(reference) {
                    Comparison::Equal => presence.equal.push(fact),
                    Comparison::Maybe => presence.maybe.push(fact),
                    Comparison::Different => presence.others.push((fact, reference)),
                },
                FactKind::Built(delivery)
                    if delivery
                        .references
                        .iter()
                        .any(|made| compare(made) == Comparison::Equal) =>
                {
                    presence.built.push(fact);
                }
                FactKind::DaemonOpaque(_) => presence.opaque = presence.opaque.or(&fact.condition),
                _ => {}
            }
        }
        presence
    }

    /// Says whether nothing before gave this name, or may have.
    pub(super) fn is_empty(&self) -> bool {
        self.equal.is_empty() && self.maybe.is_empty() && self.built.is_empty()
    }

    /// The condition under which the name can be in the daemon.
    pub(super) fn possible(&self) -> Condition {
        let facts = self.equal.iter().chain(&self.maybe);
        facts.fold(self.opaque.clone(), |any, fact| any.or(&fact.condition))
    }

    /// The last fact that put exactly this name there.
    pub(super) fn producer(&self) -> Option<&'a Fact> {
        // The build says more than a later pull or tag.
        let built = self
            .equal
            .iter()
            .rev()
            .find(|fact| matches!(fact.kind, FactKind::Present(_, Origin::Built)));
        built.or_else(|| self.equal.last()).copied()
    }
}

/// `docker save NAME` without a tag takes every tag of the name.
fn compare_saved(made: &Text, name: &Text) -> Comparison {
    let (own, wanted) = (Name::of(made), Name::of(name));
    if !wanted.explicit && own.repository == wanted.repository {
        return Comparison::Equal;
    }
    reference::compare(made, name)
}
