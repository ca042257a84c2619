//! The legs of a job: its matrix spread out, as far as it is known.

use crate::model::Job;
use crate::symbolic::{Shape, Term, interpolate};
use crate::yaml::{Kind, Node, Style};

use super::scope::Contexts;

/// A matrix with more legs is walked as one of unknown values.
const LEG_LIMIT: usize = 40;

/// The legs of a job's matrix; one without values when the matrix is not known.
pub(super) fn legs(job: &Job, contexts: &Contexts<'_>) -> (Vec<Option<Term>>, bool) {
    let Some(matrix) = &job.matrix else {
        return (vec![Some(Term::Map(Vec::new().into()))], false);
    };
    let spread = spread(matrix, contexts).map(|legs| distinct(job, legs));
    match spread {
        Some(legs) if !legs.is_empty() && legs.len() <= LEG_LIMIT => (
            legs.into_iter()
                .map(|leg| Some(Term::Map(leg.into())))
                .collect(),
            false,
        ),
        _ => (vec![unknown_leg(job, matrix)], true),
    }
}

/// A leg of which only the keys are known; nothing when not even these are.
fn unknown_leg(job: &Job, matrix: &Node) -> Option<Term> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, value) in matrix.entries() {
        match key.text()? {
            "exclude" => {}
            "include" => {
                if value.text().is_some() {
                    return None;
                }
                let entries = value.items().iter().flat_map(|item| item.entries());
                keys.extend(entries.filter_map(|(key, _)| key.text()));
            }
            key => keys.push(key),
        }
    }
    let entry = |key: &str| {
        let name = format!("matrix.{} of {}", key.to_lowercase(), job.id);
        (key.to_owned(), Term::unknown(name, Shape::Any))
    };
    let leg: Leg = keys.into_iter().map(entry).collect();
    (!leg.is_empty()).then(|| Term::Map(leg.into()))
}

type Leg = Vec<(String, Term)>;

/// Legs that differ only in values the job never names do the same: two of them stand for all.
fn distinct(job: &Job, legs: Vec<Leg>) -> Vec<Leg> {
    let texts = job_texts(job);
    let whole = texts.iter().any(|text| {
        text.contains("matrix)") || text.contains("matrix[") || text.contains("matrix }")
    });
    if whole {
        return legs;
    }
    let named = |key: &str| {
        texts
            .iter()
            .any(|text| text.contains(&format!("matrix.{key}")))
    };
    let mut seen: Vec<(Leg, usize)> = Vec::new();
    let mut kept = Vec::new();
    for leg in legs {
        let shown: Leg = leg.iter().filter(|(key, _)| named(key)).cloned().collect();
        match seen.iter_mut().find(|(known, _)| *known == shown) {
            Some((_, count)) => {
                *count += 1;
                if *count > 2 {
                    continue;
                }
            }
            None => seen.push((shown, 1)),
        }
        kept.push(leg);
    }
    kept
}

/// All texts of a job that can name a matrix value, those of a step's keys included.
fn job_texts(job: &Job) -> Vec<&str> {
    fn collect<'a>(node: &'a Node, into: &mut Vec<&'a str>) {
        match node.text() {
            Some(text) if text.contains("matrix") => into.push(text),
            Some(_) => {}
            None => {
                node.items().iter().for_each(|item| collect(item, into));
                node.entries()
                    .iter()
                    .for_each(|(_, value)| collect(value, into));
            }
        }
    }
    let mut texts = Vec::new();
    // Not `runs-on` or `name`: they change nothing that is followed.
    for key in ["steps", "env", "outputs", "with", "defaults", "if"] {
        if let Some(node) = job.node.get(key) {
            collect(node, &mut texts);
        }
    }
    texts
}

fn spread(matrix: &Node, contexts: &Contexts<'_>) -> Option<Vec<Leg>> {
    if matrix.text().is_some() {
        return None;
    }
    let mut legs: Vec<Leg> = vec![Vec::new()];
    let mut keys = Vec::new();
    for (key, values) in matrix.entries() {
        let key = key.text()?;
        if matches!(key, "include" | "exclude") {
            continue;
        }
        keys.push(key.to_owned());
        let Term::List(values) = node_term(values, contexts)? else {
            return None;
        };
        let mut next = Vec::new();
        for leg in &legs {
            for value in values.iter() {
                let mut leg = leg.clone();
                leg.push((key.to_owned(), value.clone()));
                next.push(leg);
            }
        }
        if next.len() > LEG_LIMIT * 4 {
            return None;
        }
        legs = next;
    }
    if keys.is_empty() {
        legs.clear();
    }
    if let Some(excludes) = matrix.get("exclude") {
        let Term::List(excludes) = node_term(excludes, contexts)? else {
            return None;
        };
        for exclude in excludes.iter() {
            let Term::Map(entries) = exclude else {
                return None;
            };
            legs.retain(|leg| !entries.iter().all(|entry| leg.contains(entry)));
        }
    }
    if let Some(includes) = matrix.get("include") {
        let Term::List(includes) = node_term(includes, contexts)? else {
            return None;
        };
        let originals = legs.clone();
        for include in includes.iter() {
            let Term::Map(entries) = include else {
                return None;
            };
            let mut joined = false;
            for (leg, original) in legs.iter_mut().zip(&originals) {
                let fits = entries.iter().all(|(key, value)| {
                    original
                        .iter()
                        .find(|(own, _)| own == key)
                        .is_none_or(|(_, own)| own == value)
                });
                if fits {
                    joined = true;
                    for (key, value) in entries.iter() {
                        leg.retain(|(own, _)| own != key);
                        leg.push((key.clone(), value.clone()));
                    }
                }
            }
            if !joined {
                legs.push(entries.to_vec());
            }
        }
    }
    Some(legs)
}

/// A YAML value as a term, with its expressions evaluated; nothing when a part has several alternatives.
fn node_term(node: &Node, contexts: &Contexts<'_>) -> Option<Term> {
    Some(match &node.kind {
        Kind::Scalar(scalar) if scalar.style == Style::Plain && !scalar.text.contains("${{") => {
            match scalar.text.as_str() {
                "" | "~" | "null" => Term::Null,
                "true" => Term::Boolean(true),
                "false" => Term::Boolean(false),
                text => match text.parse::<f64>() {
                    // `1.10` is the number 1.1, as on GitHub.
                    Ok(number) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                        Term::Number(number)
                    }
                    _ => Term::text(text),
                },
            }
        }
        Kind::Scalar(scalar) => match interpolate(&scalar.text, contexts).alternatives() {
            [(_, term)] => term.clone(),
            _ => return None,
        },
        Kind::Sequence(items) => Term::List(
            items
                .iter()
                .map(|item| node_term(item, contexts))
                .collect::<Option<Vec<_>>>()?
                .into(),
        ),
        Kind::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Some((key.text()?.to_owned(), node_term(value, contexts)?)));
            Term::Map(entries.collect::<Option<Vec<_>>>()?.into())
        }
    })
}

/// The values of a leg, as people read them; those of an object one by one, `os.name`.
pub(super) fn describe(matrix: &Term) -> Vec<(String, String)> {
    let Term::Map(entries) = matrix else {
        return Vec::new();
    };
    let values = entries.iter().flat_map(|(key, value)| match value {
        Term::Map(_) => describe(value)
            .into_iter()
            .map(|(inner, value)| (format!("{key}.{inner}"), value))
            .collect(),
        _ => vec![(key.clone(), value.printed().describe())],
    });
    values.collect()
}
