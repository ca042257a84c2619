//! Why tags, labels or annotations could not be made. In compat mode the texts are those of the action.

use barge_image::reference::{ParseReferenceError, Reason};

use super::csv::CsvError;
use super::regex::RegexError;
use super::template::TemplateError;

/// Why no names could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// A list is no CSV.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A template cannot be rendered.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A pattern is no regular expression.
    #[error(transparent)]
    Regex(#[from] RegexError),
    /// Git gave no answer, or one that names no reference.
    #[error("{0}")]
    Git(String),
    /// The forge gave no answer.
    #[error("{0}")]
    Api(String),
    /// What ends the action with an error of the JavaScript runtime.
    #[error("{0}")]
    Runtime(String),
    /// The input `context` is neither `workflow` nor `git`.
    #[error("Invalid context source: {0}")]
    ContextSource(String),
    /// A variable that should hold a truth value.
    #[error("parseBool syntax error: {0}")]
    Boolean(String),
    /// An image with an `enable` that is neither `true` nor `false`.
    #[error("Invalid enable attribute value: {0}")]
    ImageEnable(String),
    /// An image with an attribute that images do not have.
    #[error("Unknown image attribute: {0}")]
    ImageAttribute(String),
    /// An image without a name.
    #[error("Image name attribute empty: {0}")]
    ImageName(String),
    /// A flavor whose `latest` is not `auto`, `true` or `false`.
    #[error("Invalid latest flavor entry: {0}")]
    FlavorLatest(String),
    /// A flavor whose `onlatest` is neither `true` nor `false`.
    #[error("Invalid value for onlatest attribute: {0}")]
    FlavorOnLatest(String),
    /// A field of a flavor without `=`.
    #[error("Invalid flavor entry: {0}")]
    FlavorEntry(String),
    /// A flavor with an attribute that flavors do not have.
    #[error("Unknown flavor entry: {0}")]
    FlavorAttribute(String),
    /// A rule of an unknown type.
    #[error("Unknown tag type attribute: {0}")]
    RuleType(String),
    /// A rule without an attribute that its type needs.
    #[error("Missing {attribute} attribute for {entry}")]
    RuleAttribute {
        /// The attribute.
        attribute: &'static str,
        /// The rule as written.
        entry: String,
    },
    /// A rule with an attribute that its type cannot use.
    #[error("Invalid {attribute} for {entry}")]
    RuleValue {
        /// The attribute.
        attribute: &'static str,
        /// The rule as written.
        entry: String,
    },
    /// A rule whose `enable` renders to neither `true` nor `false`.
    #[error("Invalid value for enable attribute: {0}")]
    Enable(String),
    /// Strict mode: an image name that is no repository.
    #[error("`meta.images` names an image that no registry accepts: {0}")]
    Image(ParseReferenceError),
    /// Strict mode: the rules gave no tag.
    #[error("no rule gives a tag for this event:\n{0}")]
    NoTag(String),
    /// Strict mode: a rule gave a tag that no registry accepts.
    #[error("the rule `{entry}` gives a tag that no registry accepts: {reason}")]
    Tag {
        /// The rule as written.
        entry: String,
        /// The rule of the reference grammar that it breaks.
        reason: Reason,
    },
}

impl MetaError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image(source) => source.hint(),
            Self::NoTag(_) => Some("add a rule under `meta.tags` that acts on this event".into()),
            Self::Tag { .. } => {
                Some("give the rule a prefix or a value that starts with a letter or digit".into())
            }
            Self::Csv(_) => Some(
                "quote a field that holds a comma or a quote, and double the quotes inside it"
                    .into(),
            ),
            _ => None,
        }
    }
}
