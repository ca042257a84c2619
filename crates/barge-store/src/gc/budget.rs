//! How much a store may hold: the oldest artifacts go first.

use jiff::Timestamp;

use super::mark::{Marks, record};
use crate::error::Error;
use crate::pointer::Pointer;
use crate::remote::Remote;

/// How much a store may hold; as much as it likes where nothing is said. What is kept until somebody removes it counts and
/// never goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// How many artifacts.
    pub artifacts: Option<usize>,
    /// How long all that they need is together, in bytes as stored; a layer that several need counts once.
    pub bytes: Option<u64>,
}

impl Budget {
    /// Artifacts that are over the budget, and the others. Those that were made after `before` may be on their way to
    /// another job, and stay.
    pub(super) fn divide(
        self,
        store: &dyn Remote,
        pointers: Vec<Pointer>,
        before: Timestamp,
    ) -> Result<(Vec<Pointer>, Vec<Pointer>), Error> {
        if self == Self::default() {
            return Ok((Vec::new(), pointers));
        }
        let (mut over, mut kept) = (Vec::new(), Vec::new());
        let mut marks = Marks::of(store);
        for (stays, pointer) in ranked(store, pointers, before)? {
            if !stays && (!over.is_empty() || self.is_full(&mut marks, &pointer, kept.len())?) {
                over.push(pointer);
                continue;
            }
            marks.artifact(&pointer)?;
            kept.push(pointer);
        }
        Ok((over, kept))
    }

    /// Whether there is no room for one more.
    fn is_full(self, marks: &mut Marks<'_>, next: &Pointer, kept: usize) -> Result<bool, Error> {
        if self.artifacts.is_some_and(|most| kept >= most) {
            return Ok(true);
        }
        let Some(most) = self.bytes else {
            return Ok(false);
        };
        marks.artifact(next)?;
        Ok(marks.size() > most)
    }
}

/// What stays whatever the budget, then the others from the newest to the oldest. What is broken is no matter of budgets.
fn ranked(
    store: &dyn Remote,
    pointers: Vec<Pointer>,
    before: Timestamp,
) -> Result<Vec<(bool, Pointer)>, Error> {
    let mut ranked = Vec::new();
    for pointer in pointers {
        let made = record(store, &pointer)?.map(|record| record.created);
        let stays = pointer.expires.is_none() || made.is_none_or(|made| made > before);
        ranked.push((stays, made, pointer));
    }
    ranked.sort_by_key(|(stays, made, _)| std::cmp::Reverse((*stays, *made)));
    let ranked = ranked.into_iter();
    Ok(ranked.map(|(stays, _, pointer)| (stays, pointer)).collect())
}
