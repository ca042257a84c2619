//! From rules to tags: which rules act, what they give, which one decides about `latest`.

use super::context::Context;
use super::error::MetaError;
use super::expression::{dates, global, short_sha};
use super::flavor::{Flavor, Latest};
use super::pep440::PythonVersion;
use super::regex;
use super::rule::{Kind, Rule};
use super::semver::SemanticVersion;
use super::template::{Dialect, Template, Value, render};

/// The tags of an event, without the names of images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// The first tag.
    pub(crate) main: Option<String>,
    /// The others, without doubles.
    pub(crate) partial: Vec<String>,
    /// Whether `latest` is added.
    pub(crate) latest: bool,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evaluation {
    /// The rule as written.
    pub(crate) entry: String,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its `enable` is false.
    Disabled,
    /// It does not act on this event, or gives nothing.
    None(String),
    /// It gives a tag.
    Tag {
        /// The text before sanitising.
        value: String,
        tag: String,
        /// Whether an earlier rule gave it already.
        repeated: bool,
        /// What it says about `latest`, if it is the one that decides.
        latest: Option<bool>,
    },
}

/// What a type gives before prefix and suffix are put around it.
enum Yield {
    Value { text: String, latest: bool },
    None(String),
}

/// Evaluates rules.
pub(crate) struct Engine<'e> {
    pub(crate) context: &'e Context,
    pub(crate) flavor: &'e Flavor,
    pub(crate) dialect: Dialect,
}

impl Engine<'_> {
    /// Evaluates all rules in their order; warnings are added as they arise, also before an error.
    pub(crate) fn version(
        &self,
        rules: &[Rule],
        warnings: &mut Vec<String>,
    ) -> Result<(Version, Vec<Evaluation>), MetaError> {
        let mut version = Version::default();
        let mut latest = None;
        let mut evaluations = Vec::with_capacity(rules.len());
        for rule in rules {
            let outcome = self.evaluate(rule, &mut version, &mut latest, warnings)?;
            evaluations.push(Evaluation {
                entry: rule.entry.clone(),
                outcome,
            });
        }
        version.latest = latest.unwrap_or_default();
        Ok((version, evaluations))
    }

    fn evaluate(
        &self,
        rule: &Rule,
        version: &mut Version,
        latest: &mut Option<bool>,
        warnings: &mut Vec<String>,
    ) -> Result<Outcome, MetaError> {
        let enabled = self.render(rule.attribute("enable").unwrap_or("true"))?;
        let enabled = enabled
            .parse::<bool>()
            .map_err(|_| MetaError::Enable(enabled))?;
        if !enabled {
            return Ok(Outcome::Disabled);
        }
        let (text, proposal) = match self.give(rule, warnings)? {
            Yield::Value { text, latest } => (text, latest),
            Yield::None(why) => return Ok(Outcome::None(why)),
        };
        let value = self.affix(rule, &text)?;
        if value.is_empty() {
            return Ok(Outcome::None("its value is empty".into()));
        }
        let tag = sanitize(&value);
        let repeated = version.main.as_ref() == Some(&tag) || version.partial.contains(&tag);
        if version.main.is_none() {
            version.main = Some(tag.clone());
        } else if !repeated {
            version.partial.push(tag.clone());
        }
        let decided = match self.flavor.latest {
            Latest::Auto => proposal,
            Latest::Always => true,
            Latest::Never => false,
        };
        let decides = latest.is_none();
        let decided = *latest.get_or_insert(decided);
        Ok(Outcome::Tag {
            value,
            tag,
            repeated,
            latest: decides.then_some(decided),
        })
    }

    /// Renders a template with all expressions.
    pub(crate) fn render(&self, template: &str) -> Result<String, MetaError> {
        Ok(render(template, &global(self.context), self.dialect)?)
    }

    fn affix(&self, rule: &Rule, text: &str) -> Result<String, MetaError> {
        let own = |name: &str, flavor: &str| match rule.attribute(name) {
            Some(own) => self.render(own),
            None => self.render(flavor),
        };
        let prefix = own("prefix", &self.flavor.prefix)?;
        let suffix = own("suffix", &self.flavor.suffix)?;
        Ok(format!("{prefix}{text}{suffix}"))
    }

    fn give(&self, rule: &Rule, warnings: &mut Vec<String>) -> Result<Yield, MetaError> {
        match rule.kind {
            Kind::Schedule => self.schedule(rule),
            Kind::Semver => self.versioned(rule, warnings, Self::semver),
            Kind::Pep440 => self.versioned(rule, warnings, Self::pep440),
            Kind::Match => self.matching(rule, warnings),
            Kind::Edge => Ok(self.edge(rule)),
            Kind::Branch => Ok(self.named("refs/heads/", false, "a branch")),
            Kind::Tag => Ok(self.named("refs/tags/", true, "a tag")),
            Kind::PullRequest => Ok(self.pull_request()),
            Kind::Raw => Ok(value(self.render(rule.text("value"))?, false)),
            Kind::ShortSha | Kind::LongSha => self.sha(rule.kind),
        }
    }

    fn reference(&self) -> &str {
        self.context.reference.as_deref().unwrap_or_default()
    }

    fn schedule(&self, rule: &Rule) -> Result<Yield, MetaError> {
        if !self.context.event_name.contains("schedule") {
            return Ok(Yield::None(format!(
                "the event `{}` is no schedule",
                self.context.event_name
            )));
        }
        Ok(value(
            render(rule.text("pattern"), &dates(self.context), self.dialect)?,
            false,
        ))
    }

    /// The text that version rules read: the rule's value, else the tag.
    fn source(&self, rule: &Rule) -> Result<Option<String>, MetaError> {
        let value = rule.text("value");
        if !value.is_empty() {
            return self.render(value).map(Some);
        }
        Ok(self
            .reference()
            .strip_prefix("refs/tags/")
            .map(str::to_owned))
    }

    fn no_source(&self) -> Yield {
        Yield::None(format!(
            "`{}` is no tag and the rule has no `value`",
            self.reference()
        ))
    }

    fn versioned(
        &self,
        rule: &Rule,
        warnings: &mut Vec<String>,
        read: impl Fn(&Self, &Rule, &str, &mut Vec<String>) -> Result<Yield, MetaError>,
    ) -> Result<Yield, MetaError> {
        let Some(mut text) = self.source(rule)? else {
            return Ok(self.no_source());
        };
        let pattern = rule.text("match");
        if !pattern.is_empty() {
            match regex::find(pattern, "", &text)? {
                None => warnings.push(format!("{pattern} does not match {text}.")),
                Some(mut groups) => {
                    let group = if groups.len() > 1 {
                        groups.swap_remove(1)
                    } else {
                        None
                    };
                    text = group.ok_or_else(|| {
                        MetaError::Runtime(
                            "Cannot read properties of undefined (reading 'replace')".into(),
                        )
                    })?;
                }
            }
        }
        read(self, rule, &text.replace('/', "-"), warnings)
    }

    fn semver(
        &self,
        rule: &Rule,
        text: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Yield, MetaError> {
        let Some(version) = SemanticVersion::parse(text) else {
            let warning = format!("{text} is not a valid semver. More info: https://semver.org/");
            warnings.push(warning.clone());
            return Ok(Yield::None(warning));
        };
        let pattern = rule.text("pattern");
        if version.prerelease.is_empty() {
            return Ok(value(
                render(pattern, &semver_value(&version), self.dialect)?,
                true,
            ));
        }
        // The pattern is looked at before it is known to be a template at all.
        let raw = Template::parse(pattern)
            .ok()
            .filter(Template::is_raw_statement);
        let text = match raw {
            Some(template) => template.render(&semver_value(&version), self.dialect)?,
            None => render("{{version}}", &semver_value(&version), self.dialect)?,
        };
        Ok(value(text, false))
    }

    fn pep440(
        &self,
        rule: &Rule,
        text: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Yield, MetaError> {
        let Some(version) = PythonVersion::parse(text) else {
            let warning = format!(
                "{text} does not conform to PEP 440. More info: https://www.python.org/dev/peps/pep-0440"
            );
            warnings.push(warning.clone());
            return Ok(Yield::None(warning));
        };
        let pattern = rule.text("pattern");
        if !version.is_unstable() {
            return Ok(value(
                render(pattern, &pep440_value(&version, text), self.dialect)?,
                true,
            ));
        }
        let raw = Template::parse(pattern).is_ok_and(|template| template.is_raw_statement());
        Ok(value(
            if raw {
                text.to_owned()
            } else {
                version.normalized()
            },
            false,
        ))
    }

    fn matching(&self, rule: &Rule, warnings: &mut Vec<String>) -> Result<Yield, MetaError> {
        let Some(text) = self.source(rule)? else {
            return Ok(self.no_source());
        };
        let pattern = rule.text("pattern");
        let (body, flags) = delimited(pattern).unwrap_or((pattern, ""));
        let Some(groups) = regex::find(body, flags, &text)? else {
            let warning = format!("{pattern} does not match {text}.");
            warnings.push(warning.clone());
            return Ok(Yield::None(warning));
        };
        let group = rule.text("group");
        let index = group
            .parse::<usize>()
            .ok()
            .filter(|index| index.to_string() == group);
        match index
            .and_then(|index| groups.into_iter().nth(index))
            .flatten()
        {
            Some(text) => Ok(value(text, true)),
            None => {
                let warning = format!("Group {group} does not exist for {pattern} pattern.");
                warnings.push(warning.clone());
                Ok(Yield::None(warning))
            }
        }
    }

    fn edge(&self, rule: &Rule) -> Yield {
        let Some(branch) = self.reference().strip_prefix("refs/heads/") else {
            return Yield::None(format!("`{}` is no branch", self.reference()));
        };
        let wanted = Some(rule.text("branch")).filter(|own| !own.is_empty());
        match wanted.or(self.context.repository.default_branch.as_deref()) {
            Some(wanted) if wanted == branch => value("edge".into(), false),
            Some(wanted) => Yield::None(format!("the branch `{branch}` is not `{wanted}`")),
            None => Yield::None("the default branch is not known".into()),
        }
    }

    fn named(&self, folder: &str, latest: bool, what: &str) -> Yield {
        match self.reference().strip_prefix(folder) {
            Some(name) => value(name.to_owned(), latest),
            None => Yield::None(format!("`{}` is not {what}", self.reference())),
        }
    }

    fn pull_request(&self) -> Yield {
        match self.reference().strip_prefix("refs/pull/") {
            Some(rest) => value(
                rest.strip_suffix("/merge").unwrap_or(rest).to_owned(),
                false,
            ),
            None => Yield::None(format!("`{}` is not a pull request", self.reference())),
        }
    }

    fn sha(&self, kind: Kind) -> Result<Yield, MetaError> {
        let Some(sha) = self.context.sha.as_deref().filter(|sha| !sha.is_empty()) else {
            return Ok(Yield::None("no commit is known".into()));
        };
        let text = if kind == Kind::LongSha {
            sha
        } else {
            short_sha(self.context)?
        };
        Ok(value(text.to_owned(), false))
    }
}

impl Version {
    /// All tags of one image, or bare ones without a name. `latest` may stand there twice.
    pub(crate) fn tags(&self, flavor: &Flavor, image: Option<&str>) -> Vec<String> {
        let Some(main) = &self.main else {
            return Vec::new();
        };
        let latest = self.latest.then(|| {
            let prefix = if flavor.prefix_on_latest {
                flavor.prefix.as_str()
            } else {
                ""
            };
            let suffix = if flavor.suffix_on_latest {
                flavor.suffix.as_str()
            } else {
                ""
            };
            sanitize(&format!("{prefix}latest{suffix}"))
        });
        let tags = std::iter::once(main.clone())
            .chain(self.partial.iter().cloned())
            .chain(latest);
        match image.filter(|name| !name.is_empty()) {
            Some(name) => tags.map(|tag| format!("{name}:{tag}")).collect(),
            None => tags.collect(),
        }
    }
}

fn value(text: String, latest: bool) -> Yield {
    Yield::Value { text, latest }
}

/// Each run of characters that no tag may hold becomes one `-`.
pub(crate) fn sanitize(text: &str) -> String {
    let mut tag = String::with_capacity(text.len());
    let mut replaced = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            tag.push(c);
            replaced = false;
        } else if !std::mem::replace(&mut replaced, true) {
            tag.push('-');
        }
    }
    tag
}

/// `/body/flags`; neither may hold a line end, and the body may not be empty.
fn delimited(pattern: &str) -> Option<(&str, &str)> {
    let (body, flags) = pattern.strip_prefix('/')?.rsplit_once('/')?;
    let plain = !pattern.contains(super::ecmascript::is_line_terminator);
    (plain && !body.is_empty()).then_some((body, flags))
}

fn semver_value(version: &SemanticVersion) -> Value<'static> {
    let [major, minor, patch] = version.numbers.map(|number| Value::Number(number as f64));
    let list = |parts: &[String]| Value::List(parts.iter().map(Value::text).collect());
    Value::Object(std::rc::Rc::from([
        (
            "options",
            Value::Object(std::rc::Rc::from([("loose", Value::Boolean(true))])),
        ),
        ("loose", Value::Boolean(true)),
        ("includePrerelease", Value::Boolean(false)),
        ("raw", Value::text(&version.raw)),
        ("major", major),
        ("minor", minor),
        ("patch", patch),
        ("prerelease", list(&version.prerelease)),
        ("build", list(&version.build)),
        ("version", Value::text(version.version())),
    ]))
}

fn pep440_value<'c>(version: &PythonVersion, raw: &str) -> Value<'c> {
    let constant = |name: &'static str, value: Value<'c>| {
        (name, Value::function(name, 0, move |_| Ok(value.clone())))
    };
    Value::Object(std::rc::Rc::from([
        constant("raw", Value::text(raw)),
        constant("version", Value::text(version.normalized())),
        constant("major", Value::Number(version.part(0))),
        constant("minor", Value::Number(version.part(1))),
        constant("patch", Value::Number(version.part(2))),
    ]))
}
