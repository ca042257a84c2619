//! What is in a job's daemon when an image is named.

use crate::flow::{Fact, FactKind, JobTrace, Origin};
use crate::reference;
use crate::symbolic::{Comparison, Condition, Text};

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
    /// When something unknown can have put it there.
    pub opaque: Condition,
}

impl<'a> Presence<'a> {
    /// Looks at what came before the fact with a number.
    pub(super) fn before(job: &'a JobTrace, number: usize, name: &Text) -> Self {
        let mut presence = Self {
            equal: Vec::new(),
            maybe: Vec::new(),
            others: Vec::new(),
            built: Vec::new(),
            opaque: Condition::Never,
        };
        for fact in job.facts.iter().take(number) {
            match &fact.kind {
                FactKind::Present(reference, _) => match reference::compare(reference, name) {
                    Comparison::Equal => presence.equal.push(fact),
                    Comparison::Maybe => presence.maybe.push(fact),
                    Comparison::Different => presence.others.push((fact, reference)),
                },
                FactKind::Built(delivery)
                    if delivery.references.iter().any(|reference| {
                        reference::compare(reference, name) == Comparison::Equal
                    }) =>
                {
                    presence.built.push(fact);
                }
                FactKind::DaemonOpaque(_) => presence.opaque = presence.opaque.or(&fact.condition),
                _ => {}
            }
        }
        presence
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
