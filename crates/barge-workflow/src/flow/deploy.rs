//! Programs that have an image started somewhere else, by its name in a registry: clusters and hosting services.

use crate::shell::Call;
use crate::symbolic::Text;

use super::docker::{Arguments, literal};
use super::facts::{FactKind, Need};
use super::machine::Script;

const PROGRAMS: &[&str] = &[
    "az",
    "doctl",
    "fly",
    "flyctl",
    "gcloud",
    "helm",
    "kubectl",
    "kustomize",
    "oc",
    "scw",
];

/// The flags that take an image's name.
const FLAGS: [&str; 5] = [
    "--image",
    "--container-image-name",
    "--docker-custom-image-name",
    "--container-image",
    "-i",
];

/// Interprets a call; says whether the program was one of these.
pub(super) fn call(
    script: &mut Script<'_, '_>,
    program: &str,
    arguments: &[Text],
    call: &Call,
) -> bool {
    if !PROGRAMS.contains(&program) {
        return false;
    }
    let words = [literal(arguments, 0), literal(arguments, 1)];
    let set = match (program, words) {
        ("kubectl" | "oc", ["set", "image"]) => arguments.get(2..),
        // `kustomize edit set image NAME=NEW`
        ("kustomize", ["edit", "set"]) => arguments.get(3..),
        _ => None,
    };
    let mut named: Vec<Text> = Vec::new();
    for word in set.unwrap_or_default() {
        if let Some((_, name)) = word.split_first('=').filter(|_| !is_flag(word)) {
            named.push(name);
        }
    }
    let given = Arguments::read(arguments, &[], &[]);
    match program {
        "helm" => named.extend(of_chart(&given)),
        _ => named.extend(given.values(&FLAGS).cloned()),
    }
    for name in named.into_iter().filter(|name| name.contains("/")) {
        let kind = FactKind::Named(name, Need::Remote, format!("the deployment with {program}"));
        script.fact(kind, call);
    }
    true
}

/// `--set image.repository=NAME --set image.tag=TAG`: the images whose name and tag are both given.
fn of_chart(given: &Arguments) -> Vec<Text> {
    let set = given.values(&["--set", "--set-string"]);
    let pairs: Vec<(String, Text)> = set
        .flat_map(|list| list.split(|c| c == ','))
        .filter_map(|pair| pair.split_first('='))
        .filter_map(|(key, value)| Some((key.as_literal()?.to_owned(), value)))
        .collect();
    let value = |key: &str| {
        pairs
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value)
    };
    let images = pairs.iter().filter_map(|(key, name)| {
        let prefix = key.strip_suffix("repository")?;
        let mut image = name.clone();
        image.push_str(":");
        image.append(value(&format!("{prefix}tag"))?);
        Some(image)
    });
    images.collect()
}

fn is_flag(word: &Text) -> bool {
    word.literal_start().starts_with('-')
}
