//! What one walk may cost, calls included, and what it has read already.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Action, Workflow};

use super::facts::Place;
use super::run::Repository;

/// How many jobs and steps a walk takes. Actions and workflows that call each other multiply.
const STEP_LIMIT: usize = 20_000;

/// The budget of a walk, and the files that it has read.
pub(super) struct Budget<'a> {
    pub(super) repository: &'a dyn Repository,
    steps: Cell<usize>,
    cut: RefCell<Option<Place>>,
    actions: RefCell<BTreeMap<String, Option<Arc<Action>>>>,
    workflows: RefCell<BTreeMap<String, Option<Arc<Workflow>>>>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(repository: &'a dyn Repository) -> Self {
        Self {
            repository,
            steps: Cell::new(STEP_LIMIT),
            cut: RefCell::default(),
            actions: RefCell::default(),
            workflows: RefCell::default(),
        }
    }

    /// Takes one step or job; false when there is none left.
    pub(super) fn take(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// Says that what comes from here on is not walked.
    pub(super) fn cut(&self, place: &Place) {
        self.cut.borrow_mut().get_or_insert_with(|| place.clone());
    }

    /// Where the walk was cut first, if it was.
    pub(super) fn cut_at(&self) -> Option<Place> {
        self.cut.borrow().clone()
    }

    /// A local action that is made of steps.
    pub(super) fn action(&self, folder: &str) -> Option<Arc<Action>> {
        if let Some(known) = self.actions.borrow().get(folder) {
            return known.clone();
        }
        let names = ["action.yml", "action.yaml"].map(|name| match folder {
            "" => name.to_owned(),
            _ => format!("{folder}/{name}"),
        });
        let source = names.iter().find_map(|name| self.repository.read(name));
        let action = source.and_then(|source| Action::parse(&source).ok());
        let action = action.filter(|action| action.composite).map(Arc::new);
        let mut actions = self.actions.borrow_mut();
        actions.insert(folder.to_owned(), action.clone());
        action
    }

    /// A workflow of the repository.
    pub(super) fn workflow(&self, path: &str) -> Option<Arc<Workflow>> {
        if let Some(known) = self.workflows.borrow().get(path) {
            return known.clone();
        }
        let source = self.repository.read(path);
        let workflow = source.and_then(|source| Workflow::parse(&source).ok());
        let workflow = workflow.map(Arc::new);
        let mut workflows = self.workflows.borrow_mut();
        workflows.insert(path.to_owned(), workflow.clone());
        workflow
    }
}
