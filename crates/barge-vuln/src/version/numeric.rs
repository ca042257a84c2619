//! Lists of numbers: R's order (CRAN, Bioconductor) and Haskell's (Hackage, GHC). A longer list is above its own beginning.

use std::cmp::Ordering;

use super::number::Number;

/// A version that is a list of numbers.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    numbers: Vec<Number<'a>>,
}

impl<'a> Version<'a> {
    /// Reads an R version: numbers between `.` and `-`.
    pub(super) fn parse_cran(text: &'a str) -> Result<Self, &'static str> {
        Self::split(text, &['.', '-'])
    }

    /// Reads a Haskell version: numbers between dots.
    pub(super) fn parse_hackage(text: &'a str) -> Result<Self, &'static str> {
        Self::split(text, &['.'])
    }

    fn split(text: &'a str, separators: &[char]) -> Result<Self, &'static str> {
        let numbers: Option<Vec<_>> = text.trim().split(separators).map(Number::parse).collect();
        Ok(Self {
            numbers: numbers.ok_or("it is not a list of numbers")?,
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}
