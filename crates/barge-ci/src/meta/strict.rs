//! Strict mode: names as `barge.toml` asks for them. Every name must be one that a registry accepts, there must be a
//! tag, and every rule says what it gave or why it gave nothing.

use std::collections::{BTreeMap, BTreeSet};

use barge_image::{Digest, RepositoryName, Tag};
use jiff::Timestamp;

use super::context::{Context, RepositoryFacts};
use super::error::MetaError;
use super::flavor::{Flavor, Latest};
use super::label::{Label, annotations};
use super::names::{Names, TagDecision};
use super::rule::{Rule, rules_of, type_name};
use super::semver::SemanticVersion;
use super::settings::{LatestSetting, MetaSettings, RevisionSetting, TagRule};
use super::template::Dialect;
use super::version::{Engine, Evaluation, Outcome, Version};
use crate::event::{Event, Forge};
use crate::facts::Facts;

/// As many characters as a tag may have.
const TAG_LIMIT: usize = 128;
/// The part of a digest that keeps tags apart that were cut.
const CUT_DIGITS: usize = 8;

/// Names the image of an event.
///
/// # Errors
/// When a rule is malformed, no rule gives a tag, or a name is none that a registry accepts.
pub fn names(
    event: &Event,
    settings: &MetaSettings,
    facts: &Facts<'_>,
) -> Result<Names, MetaError> {
    let context = context(event, settings, facts);
    let flavor = Flavor {
        latest: match settings.latest {
            LatestSetting::Never => Latest::Never,
            LatestSetting::Always => Latest::Always,
            LatestSetting::Auto | LatestSetting::Highest => Latest::Auto,
        },
        prefix: settings.prefix.clone(),
        suffix: settings.suffix.clone(),
        ..Flavor::default()
    };
    let engine = Engine {
        context: &context,
        flavor: &flavor,
        dialect: Dialect::Strict,
    };
    // Warnings are reasons here: each stands with its rule.
    let (mut version, evaluations) = engine.version(&rules(settings)?, &mut Vec::new())?;
    version.latest &= settings.latest != LatestSetting::Highest || is_highest(event, facts.tags);
    let tags = tags(&version, &flavor, &evaluations)?;
    let main = tags
        .first()
        .ok_or_else(|| MetaError::NoTag(dump(&evaluations)))?
        .to_string();
    let images = images(&engine, event, settings)?;
    let labels = labels(&engine, &main, &settings.labels, settings.drop_empty_labels)?;
    let annotated = labels_of(
        &engine,
        &main,
        &settings.annotations,
        settings.drop_empty_labels,
    )?;
    Ok(Names {
        references: images
            .iter()
            .flat_map(|image| tags.iter().map(|tag| image.with_tag(tag.clone())))
            .collect(),
        annotations: annotations(
            &annotated,
            settings.annotation_levels.iter().map(String::as_str),
        ),
        version: main,
        labels,
        rules: evaluations.into_iter().map(decision).collect(),
    })
}

fn context(event: &Event, settings: &MetaSettings, facts: &Facts<'_>) -> Context {
    let repository = &event.repository;
    let change = event.pull_request.as_ref();
    let reference = match change {
        Some(change) => Some(format!("refs/pull/{}/merge", change.number)),
        None => event.reference.as_ref().map(ToString::to_string),
    };
    let commit = match settings.revision {
        RevisionSetting::Checkout => &event.commit,
        RevisionSetting::Head => &event.head,
    };
    let now = facts.now.as_millisecond();
    let number = change.map(|change| change.number.to_string());
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Context {
        event_name: event.name.clone(),
        sha: Some(commit.to_string()),
        reference,
        commit_date: Some(facts.commit_time.map_or(now, Timestamp::as_millisecond)),
        now,
        base_reference: change.and_then(|change| change.base_branch.clone()),
        default_branch: repository.default_branch.clone(),
        repository: RepositoryFacts {
            name: repository.name.clone(),
            description: text(repository.description.as_deref()),
            url: text(repository.url.as_deref()),
            default_branch: repository.default_branch.clone(),
            license: text(repository.license.as_deref()),
        },
        short_length: Some(settings.short_sha_length.to_string()),
        local_zone: "UTC".into(),
        default_by_event: false,
        extra: vec![
            ("head_ref", text(event.branch())),
            ("pr_number", text(number.as_deref())),
            ("is_pull_request", change.is_some().to_string()),
            ("is_fork", event.is_fork().to_string()),
            ("event", event.name.clone()),
            (
                "run_id",
                text(event.run.as_ref().map(|run| run.id.as_str())),
            ),
            ("owner", repository.owner.clone()),
            ("name", repository.name.clone()),
        ],
    }
}

fn rules(settings: &MetaSettings) -> Result<Vec<Rule>, MetaError> {
    let rules = settings.tags.iter().map(|rule| match rule {
        TagRule::Line(line) => Rule::parse(line),
        TagRule::Table(attributes) => {
            let mut attributes: BTreeMap<String, String> = attributes
                .iter()
                .map(|(key, value)| (key.to_lowercase(), value.text()))
                .collect();
            let entry = attributes
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(",");
            let kind = attributes.remove("type");
            Rule::new(
                &entry,
                type_name(kind.as_deref().unwrap_or("raw"))?,
                attributes,
            )
        }
    });
    Ok(rules_of(rules.collect::<Result<_, _>>()?))
}

/// The tags in order, each once, with the one that cannot be a tag named by its rule.
fn tags(
    version: &Version,
    flavor: &Flavor,
    evaluations: &[Evaluation],
) -> Result<Vec<Tag>, MetaError> {
    let mut seen = BTreeSet::new();
    let mut tags = Vec::new();
    for text in version.tags(flavor, None) {
        let tag: Tag = cut(&text).parse().map_err(|reason| MetaError::Tag {
            entry: origin(&text, evaluations),
            reason,
        })?;
        if seen.insert(tag.clone()) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn origin(text: &str, evaluations: &[Evaluation]) -> String {
    let gave = |evaluation: &&Evaluation| matches!(&evaluation.outcome, Outcome::Tag { tag, .. } if tag == text);
    evaluations.iter().find(gave).map_or_else(
        || "latest".to_owned(),
        |evaluation| evaluation.entry.clone(),
    )
}

/// Shortens what is too long so that different texts stay different.
fn cut(text: &str) -> String {
    if text.len() <= TAG_LIMIT {
        return text.to_owned();
    }
    // Sanitised tags are ASCII, so that bytes are characters.
    let kept = text.get(..TAG_LIMIT - CUT_DIGITS - 1).unwrap_or_default();
    let digest = Digest::of(text.as_bytes()).hex();
    format!("{kept}-{}", digest.get(..CUT_DIGITS).unwrap_or_default())
}

/// Whether no release of the repository is higher than the one that the event is for.
fn is_highest(event: &Event, tags: &[String]) -> bool {
    let release =
        |text: &str| SemanticVersion::parse(text).filter(|version| version.prerelease.is_empty());
    let own = event
        .reference
        .as_ref()
        .and_then(|reference| reference.tag())
        .and_then(release);
    own.is_some_and(|own| {
        tags.iter()
            .filter_map(|tag| release(tag))
            .all(|other| other.numbers <= own.numbers)
    })
}

fn images(
    engine: &Engine<'_>,
    event: &Event,
    settings: &MetaSettings,
) -> Result<Vec<RepositoryName>, MetaError> {
    let texts = if settings.images.is_empty() {
        vec![default_image(event)]
    } else {
        settings
            .images
            .iter()
            .map(|image| engine.render(image))
            .collect::<Result<_, _>>()?
    };
    let mut images: Vec<RepositoryName> = Vec::with_capacity(texts.len());
    for text in texts {
        let image = text.to_lowercase().parse().map_err(MetaError::Image)?;
        if !images.contains(&image) {
            images.push(image);
        }
    }
    Ok(images)
}

/// The repository that the forge keeps for the project.
fn default_image(event: &Event) -> String {
    let repository = &event.repository;
    let path = format!("{}/{}", repository.owner, repository.name);
    match (&repository.registry, event.forge) {
        (Some(registry), _) => registry.clone(),
        (None, Forge::GitHub) => format!("ghcr.io/{path}"),
        (None, Forge::GitLab) => format!("registry.gitlab.com/{path}"),
        (None, Forge::Forgejo | Forge::Local) => path,
    }
}

fn labels_of(
    engine: &Engine<'_>,
    version: &str,
    own: &BTreeMap<String, String>,
    drop_empty: bool,
) -> Result<Vec<Label>, MetaError> {
    let lines: Vec<String> = own
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mut labels = engine.labels(Some(version), &lines)?;
    labels.retain(|(_, value)| !drop_empty || !value.is_empty());
    Ok(labels)
}

fn labels(
    engine: &Engine<'_>,
    version: &str,
    own: &BTreeMap<String, String>,
    drop_empty: bool,
) -> Result<BTreeMap<String, String>, MetaError> {
    labels_of(engine, version, own, drop_empty).map(|labels| labels.into_iter().collect())
}

fn decision(evaluation: Evaluation) -> TagDecision {
    let (tag, reason) = match evaluation.outcome {
        Outcome::Disabled => (None, "its `enable` is false".to_owned()),
        Outcome::None(why) => (None, why),
        Outcome::Tag {
            value,
            tag,
            repeated,
            latest,
        } => {
            let mut reason = if value == tag {
                "as it is".to_owned()
            } else {
                format!("made of `{value}`")
            };
            if repeated {
                reason.push_str(", as an earlier rule did");
            }
            match latest {
                Some(true) => reason.push_str("; as the first one it asks for `latest`"),
                Some(false) => reason.push_str("; as the first one it does not ask for `latest`"),
                None => {}
            }
            (Some(cut(&tag)), reason)
        }
    };
    TagDecision {
        rule: evaluation.entry,
        tag,
        reason,
    }
}

/// Every rule with why it is off, one a line.
fn dump(evaluations: &[Evaluation]) -> String {
    let line = |decision: TagDecision| format!("  {}: {}", decision.rule, decision.reason);
    let lines: Vec<String> = evaluations
        .iter()
        .cloned()
        .map(decision)
        .map(line)
        .collect();
    if lines.is_empty() {
        "  there are no rules".into()
    } else {
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;
    use crate::job::Switches;

    const SHA: &str = "9b3e34350aba9a6814c74223bb3cad1aa29e6ed2";

    fn event(reference: &str) -> Event {
        let payload = format!(
            r#"{{"ref":"{reference}","after":"{SHA}","commits":[],
                "repository":{{"full_name":"Wikid82/Charon","default_branch":"main","description":""}}}}"#
        );
        Event::from_github(&Environment::default(), "event.json", &payload).unwrap()
    }

    fn name(reference: &str, settings: &str, tags: &[&str]) -> Result<Names, MetaError> {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let facts = Facts {
            now: "2026-03-04T05:06:07Z".parse().unwrap(),
            commit_time: None,
            changes: crate::Changes::default(),
            head_message: None,
            switches: &Switches::default(),
            tags: &tags,
        };
        names(
            &event(reference),
            &toml::from_str(settings).unwrap(),
            &facts,
        )
    }

    fn tags(reference: &str, settings: &str) -> Vec<String> {
        let names = name(reference, settings, &[]).unwrap();
        names
            .references
            .iter()
            .filter_map(|reference| Some(reference.tag()?.to_string()))
            .collect()
    }

    #[test]
    fn default_rules_name_releases_too() {
        assert_eq!(
            tags("refs/tags/v1.2.3", ""),
            ["1.2.3", "1.2", "sha-9b3e343"]
        );
        assert_eq!(
            tags("refs/tags/v1.2.3-rc.1", ""),
            ["1.2.3-rc.1", "sha-9b3e343"]
        );
        assert_eq!(tags("refs/heads/topic", ""), ["sha-9b3e343"]);
    }

    #[test]
    fn rules_may_be_tables_and_values_are_not_escaped() {
        let settings = r#"
            tags = [{ type = "raw", value = "{{branch}}", priority = 1 }, "type=raw,value=x,enable={{and true is_default_branch}}"]
            [labels]
            branch = "{{branch}}"
        "#;
        assert_eq!(tags("refs/heads/a&b", settings), ["a-b"]);
        assert_eq!(
            name("refs/heads/a&b", settings, &[]).unwrap().labels["branch"],
            "a&b"
        );
        assert_eq!(tags("refs/heads/main", settings), ["x", "main"]);
    }

    #[test]
    fn latest_can_be_kept_for_the_highest_version() {
        let settings = "latest = \"highest\"\ntags = [\"type=semver,pattern={{version}}\"]";
        let count = |tags: &[&str]| {
            name("refs/tags/v1.2.3", settings, tags)
                .unwrap()
                .references
                .len()
        };
        assert_eq!(count(&["v1.2.3", "v1.1.0", "v2.0.0-rc.1", "nightly"]), 2);
        assert_eq!(count(&["v1.2.3", "v1.10.0"]), 1);
    }

    #[test]
    fn no_tag_is_an_error_that_lists_every_rule() {
        let settings = r#"tags = ["type=ref,event=tag", "type=raw,value=x,enable=false", "type=semver,pattern={{version}},value=x"]"#;
        let message = name("refs/heads/main", settings, &[])
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "no rule gives a tag for this event:\n  \
             type=semver,pattern={{version}},value=x: x is not a valid semver. More info: https://semver.org/\n  \
             type=ref,event=tag: `refs/heads/main` is not a tag\n  \
             type=raw,value=x,enable=false: its `enable` is false"
        );
    }

    #[test]
    fn a_tag_that_no_registry_accepts_names_its_rule() {
        let message = name("refs/heads/main", r#"tags = ["type=sha,prefix=-"]"#, &[])
            .unwrap_err()
            .to_string();
        assert!(message.starts_with(
            "the rule `type=sha,prefix=-` gives a tag that no registry accepts: `-9b3e343`"
        ));
    }

    #[test]
    fn long_tags_are_cut_and_stay_apart() {
        let long = |end: &str| format!("tags = [\"type=raw,value={}{end}\"]", "a".repeat(140));
        let (one, two) = (
            tags("refs/heads/main", &long("1")),
            tags("refs/heads/main", &long("2")),
        );
        assert_eq!(one[0].len(), 128);
        assert_ne!(one, two);
    }

    #[test]
    fn images_are_normalised_and_named_once() {
        let settings =
            r#"images = ["GHCR.io/{{owner}}/{{name}}", "ghcr.io/wikid82/charon", "charon"]"#;
        let names = name("refs/heads/main", settings, &[]).unwrap();
        let texts: Vec<String> = names.references.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "ghcr.io/wikid82/charon:latest",
                "ghcr.io/wikid82/charon:sha-9b3e343",
                "docker.io/library/charon:latest",
                "docker.io/library/charon:sha-9b3e343",
            ]
        );
        assert!(name("refs/heads/main", r#"images = ["a b"]"#, &[]).is_err());
    }

    #[test]
    fn empty_labels_can_be_left_out() {
        let key = "org.opencontainers.image.description";
        assert!(
            name("refs/heads/main", "", &[])
                .unwrap()
                .labels
                .contains_key(key)
        );
        assert!(
            !name("refs/heads/main", "drop_empty_labels = true", &[])
                .unwrap()
                .labels
                .contains_key(key)
        );
    }
}
