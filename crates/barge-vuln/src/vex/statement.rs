//! What a VEX document says.

use jiff::Timestamp;

/// One statement about one flaw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The ids of the flaw.
    pub ids: Vec<String>,
    /// What the statement is about.
    pub products: Vec<Product>,
    /// What it says.
    pub status: Status,
    /// The reason in the format's terms, or in words.
    pub reason: String,
    /// When it was made; of two, the later holds, and one without a time before any that has one.
    pub timestamp: Option<Timestamp>,
}

/// What a statement is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// A package URL or another name of a package or image.
    pub id: String,
    /// Parts of it: if there are any, only they are meant.
    pub parts: Vec<String>,
}

/// What a statement says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// The flaw does not touch the product.
    NotAffected,
    /// It does.
    Affected,
    /// It did, and is mended in this version.
    Fixed,
    /// Nobody knows yet.
    #[default]
    UnderInvestigation,
}

impl Status {
    /// Whether the flaw does not count any more.
    pub(super) fn clears(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NotAffected => "not affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under investigation",
        }
    }
}
