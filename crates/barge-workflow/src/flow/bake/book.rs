//! The files of one call: the targets that it means, through groups, parents and matrices.

use std::collections::BTreeMap;

use crate::symbolic::{Term, Text, Value};

use super::super::docker::Recipe;
use super::super::run::Repository;
use super::super::{compose, path};
use super::file::{Attributes, File};
use super::target::{Target, apply, joined, list, named};
use super::value::{Names, sole};

/// Groups and parents of targets that refer to each other in a circle end here.
const DEPTH_LIMIT: usize = 16;

/// More targets of one matrix are not followed.
const MATRIX_LIMIT: usize = 64;

/// The files that are read when none is named, as Buildx looks for them.
const DEFAULT_FILES: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// What is asked of bake.
pub(in super::super) struct Question<'a> {
    /// Files, from the working directory; none for the usual ones.
    pub(in super::super) files: Vec<String>,
    /// Targets and groups; none for the group `default`.
    pub(in super::super) wanted: Vec<String>,
    /// `TARGET.KEY=VALUE`
    pub(in super::super) overrides: Vec<Text>,
    /// Where the files are looked for.
    pub(in super::super) directory: Text,
    pub(in super::super) environment: &'a dyn Fn(&str) -> Option<Value>,
}

/// The targets that are built; nothing when files or targets are not there or cannot be followed.
pub(in super::super) fn targets(
    question: &Question<'_>,
    repository: &dyn Repository,
) -> Option<Vec<Target>> {
    let mut file = File::default();
    let mut composed: Vec<Target> = Vec::new();
    let mut found = false;
    let named = !question.files.is_empty();
    let usual = DEFAULT_FILES.iter().map(|name| (*name).to_owned());
    let names = if named {
        question.files.clone()
    } else {
        usual.collect()
    };
    for name in names {
        let path = path::normalize(&super::super::job::Walk::file_path(
            &question.directory,
            &Text::literal(name.as_str()),
        ));
        match repository.read(path.as_literal()?) {
            Some(source) if name.ends_with(".yml") || name.ends_with(".yaml") => {
                let services = compose::services(&source, question.environment)?;
                composed.extend(services.into_iter().filter(|service| service.builds));
            }
            Some(source) => file.add(&name, source.text())?,
            None if named => return None,
            None => continue,
        }
        found = true;
    }
    let book = Book {
        file: &file,
        composed: &composed,
        environment: question.environment,
    };
    let default = ["default".to_owned()];
    let wanted = if question.wanted.is_empty() {
        &default[..]
    } else {
        &question.wanted
    };
    let mut all = Vec::new();
    for name in wanted {
        book.select(name, 0, &mut all)?;
    }
    for line in &question.overrides {
        apply(line, &mut all);
    }
    found.then_some(all)
}

/// The files of one call.
struct Book<'a> {
    file: &'a File,
    composed: &'a [Target],
    environment: &'a dyn Fn(&str) -> Option<Value>,
}

impl Book<'_> {
    fn names(&self, bound: BTreeMap<String, Value>) -> Names<'_> {
        Names {
            environment: self.environment,
            variables: &self.file.variables,
            functions: &self.file.functions,
            bound,
            depth: 0,
        }
    }

    /// Collects the targets of a group, a target, or the members of a matrix.
    fn select(&self, name: &str, depth: usize, into: &mut Vec<Target>) -> Option<()> {
        if depth > DEPTH_LIMIT {
            return None;
        }
        if let Some(group) = self.file.groups.get(name) {
            let members = list(&self.names(BTreeMap::new()).value(group.get("targets")?))?;
            for member in members {
                self.select(member.as_literal()?, depth + 1, into)?;
            }
            return Some(());
        }
        let mut found = self
            .composed
            .iter()
            .filter(|target| target.name == name)
            .peekable();
        let made = if self.file.targets.contains_key(name) {
            self.members(name)?
        } else if found.peek().is_some() {
            found.cloned().collect()
        } else if name == "default" && !self.composed.is_empty() {
            self.composed.to_vec()
        } else {
            self.member_of_matrix(name)?
        };
        for target in made {
            if !into.iter().any(|known| known.name == target.name) {
                into.push(target);
            }
        }
        Some(())
    }

    /// A target that a matrix makes, asked for by its own name.
    fn member_of_matrix(&self, name: &str) -> Option<Vec<Target>> {
        let with_matrix = self.file.targets.iter();
        let mut with_matrix = with_matrix.filter(|(_, own)| own.contains_key("matrix"));
        with_matrix.find_map(|(base, _)| {
            let mut members = self.members(base)?;
            members.retain(|member| member.name == name);
            (!members.is_empty()).then_some(members)
        })
    }

    /// A target, once for each combination of its matrix.
    fn members(&self, name: &str) -> Option<Vec<Target>> {
        let own = self.file.targets.get(name)?;
        let mut attributes = Attributes::new();
        self.inherited(name, &BTreeMap::new(), 0, &mut attributes)?;
        let Some(matrix) = own.get("matrix") else {
            return Some(vec![self.target(name, &attributes, BTreeMap::new())]);
        };
        let Some(Term::Map(axes)) = sole(&self.names(BTreeMap::new()).value(matrix)) else {
            return None;
        };
        let mut cells = vec![BTreeMap::new()];
        for (axis, values) in axes.iter() {
            let Term::List(values) = values else {
                return None;
            };
            let with = |cell: &BTreeMap<String, Value>, value: &Term| {
                let mut cell = cell.clone();
                cell.insert(axis.clone(), value.clone().into());
                cell
            };
            cells = cells
                .iter()
                .flat_map(|cell| values.iter().map(|value| with(cell, value)))
                .take(MATRIX_LIMIT + 1)
                .collect();
        }
        if cells.len() > MATRIX_LIMIT {
            return None;
        }
        let member = |cell: BTreeMap<String, Value>| {
            let named = self.names(cell.clone()).value(own.get("name")?).literal()?;
            let mut attributes = Attributes::new();
            self.inherited(name, &cell, 0, &mut attributes)?;
            Some(self.target(&named, &attributes, cell))
        };
        cells.into_iter().map(member).collect()
    }

    /// The attributes of a target over those of its parents.
    fn inherited(
        &self,
        name: &str,
        cell: &BTreeMap<String, Value>,
        depth: usize,
        into: &mut Attributes,
    ) -> Option<()> {
        let own = self
            .file
            .targets
            .get(name)
            .filter(|_| depth < DEPTH_LIMIT)?;
        if let Some(parents) = own.get("inherits") {
            for parent in list(&self.names(cell.clone()).value(parents))? {
                self.inherited(parent.as_literal()?, cell, depth + 1, into)?;
            }
        }
        into.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        Some(())
    }

    fn target(&self, name: &str, own: &Attributes, cell: BTreeMap<String, Value>) -> Target {
        let names = self.names(cell);
        let value = |key: &str| own.get(key).map(|expression| names.value(expression));
        let text = |key: &str| value(key).and_then(|value| value.sole_text());
        let texts = |key: &str| {
            value(key)
                .and_then(|value| list(&value))
                .unwrap_or_default()
        };
        let platforms = texts("platforms");
        Target {
            name: name.to_owned(),
            builds: true,
            tags: value("tags").map(|value| named(&value)).unwrap_or_default(),
            outputs: texts("output"),
            platforms: (!platforms.is_empty()).then(|| joined(&platforms)),
            recipe: Recipe {
                context: text("context"),
                file: text("dockerfile"),
                target: text("target"),
            },
        }
    }
}
