//! A walk through the events of a range.

use std::cmp::Ordering;

use super::hit::{End, Hit, HitBy};
use crate::osv::EventKind;

/// An event, and how the installed version compares to its version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'e> {
    pub(super) kind: EventKind,
    pub(super) text: &'e str,
    pub(super) installed: Ordering,
}

impl Place<'_> {
    pub(super) fn is_reached(&self) -> bool {
        self.installed != Ordering::Less
    }

    /// Whether it is the zero below every version.
    pub(super) fn is_zero(&self) -> bool {
        self.text == "0" && matches!(self.kind, EventKind::Introduced | EventKind::Fixed)
    }

    /// Whether it changes what holds for the installed version.
    pub(super) fn takes_effect(&self) -> bool {
        match self.kind {
            EventKind::Introduced | EventKind::Fixed => self.is_reached(),
            EventKind::LastAffected => self.installed == Ordering::Greater,
            EventKind::Limit => false,
        }
    }

    /// Whether it ends an interval that the installed version may lie in.
    pub(super) fn ends_above(&self) -> bool {
        match self.kind {
            EventKind::Fixed => self.installed == Ordering::Less,
            EventKind::LastAffected => self.installed != Ordering::Greater,
            EventKind::Introduced | EventKind::Limit => false,
        }
    }
}

/// What a walk through the events of a range has met.
#[derive(Default)]
pub(super) struct Walk<'e> {
    /// Whether the installed version lies below any limit; `None` without limits.
    pub(super) limits: Option<bool>,
    /// The greatest event that takes effect.
    pub(super) last: Option<Place<'e>>,
    /// The greatest start that is reached.
    pub(super) start: Option<Place<'e>>,
    /// The least end above.
    pub(super) end: Option<Place<'e>>,
    /// An event that cannot be compared.
    pub(super) unread: Option<&'e str>,
}

impl<'e> Walk<'e> {
    /// The interval that the installed version lies in, and its end if that is a fix.
    pub(super) fn describe(&self) -> Hit<'e> {
        let end = self.end.map(|end| match end.kind {
            EventKind::Fixed => End::Fixed(end.text),
            _ => End::LastAffected(end.text),
        });
        let by = HitBy::Range {
            start: self.start.map_or("0", |start| start.text),
            end,
        };
        let fixed = match end {
            Some(End::Fixed(version)) => Some(version),
            _ => None,
        };
        Hit {
            by,
            fixed,
            unread: self.unread,
        }
    }
}
