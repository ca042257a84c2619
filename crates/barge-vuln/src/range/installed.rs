//! An installed version against the ranges and lists of advisories.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;

use super::hit::{Hit, HitBy};
use super::walk::{Place, Walk};
use crate::error::Error;
use crate::index::{Entry, EntryRange};
use crate::osv::EventKind;
use crate::version::{Scheme, Version};

/// Whether the order of an ecosystem can read a version.
pub(crate) fn is_readable(version: &str, scheme: Option<Scheme>) -> bool {
    scheme.is_some_and(|scheme| Version::parse(scheme, version).is_ok())
}

/// An installed version against the texts of one package of the index. Each text is compared once, whatever many entries
/// name it.
#[derive(Debug)]
pub(crate) struct Installed<'v, 'a> {
    text: &'v str,
    texts: &'v [&'a str],
    scheme: Option<Scheme>,
    version: Option<Version<'v>>,
    semver: Option<Version<'v>>,
    /// Whether the ecosystem's own order is one of semantic versions: then `SEMVER` ranges have it, too.
    is_semver: bool,
    /// Compare without epochs: the version is a source rpm's, whose file name has none.
    without_epoch: bool,
    /// The number of the text that is the installed version, letter by letter; looked for once it is needed.
    own_text: OnceCell<Option<u32>>,
    orders: Vec<Cell<Compared>>,
    semver_orders: Vec<Cell<Compared>>,
}

/// A comparison, kept: not done yet, impossible, or its outcome.
type Compared = Option<Option<Ordering>>;

impl<'v, 'a> Installed<'v, 'a> {
    pub(crate) fn new(
        text: &'v str,
        scheme: Option<Scheme>,
        source: bool,
        texts: &'v [&'a str],
    ) -> Self {
        let read = |scheme| Version::parse(scheme, text).ok();
        let is_semver = scheme.is_some_and(is_semver_order);
        Self {
            text,
            texts,
            scheme,
            version: scheme.and_then(read),
            semver: if is_semver {
                None
            } else {
                read(Scheme::Semver)
            },
            is_semver,
            without_epoch: source && scheme == Some(Scheme::Rpm) && !text.contains(':'),
            own_text: OnceCell::new(),
            orders: vec![Cell::new(None); texts.len()],
            semver_orders: vec![Cell::new(None); if is_semver { 0 } else { texts.len() }],
        }
    }

    fn text(&self, number: u32) -> &'a str {
        self.texts.get(number as usize).copied().unwrap_or_default()
    }

    /// Compares with a version of an advisory; `None` if either cannot be read.
    fn compare(&self, semver: bool, number: u32) -> Option<Ordering> {
        let semver = semver && !self.is_semver;
        let orders = if semver {
            &self.semver_orders
        } else {
            &self.orders
        };
        let kept = orders.get(number as usize)?;
        let order = kept
            .get()
            .unwrap_or_else(|| self.compare_text(semver, self.text(number)));
        kept.set(Some(order));
        order
    }

    fn compare_text(&self, semver: bool, text: &str) -> Option<Ordering> {
        let (scheme, version) = if semver {
            (Scheme::Semver, self.semver.as_ref()?)
        } else {
            (self.scheme?, self.version.as_ref()?)
        };
        version.compare(&Version::parse(scheme, self.event_version(text)).ok()?)
    }

    fn event_version<'e>(&self, version: &'e str) -> &'e str {
        if !self.without_epoch {
            return version;
        }
        version.split_once(':').map_or(version, |(_, rest)| rest)
    }

    /// Tests an entry: first its ranges, then its list by text, then its list by order, at last ranges that can be read in
    /// part: a version that nobody can place must not clear what lies in the rest.
    pub(crate) fn test(&self, entry: &Entry<'_>) -> Result<Option<Hit<'a>>, Error> {
        let mut in_part = None;
        for hit in entry
            .ranges
            .iter()
            .filter_map(|range| self.test_range(range))
        {
            if hit.unread.is_none() {
                return Ok(Some(hit));
            }
            in_part.get_or_insert(hit);
        }
        let Some(listed) = self.listed(entry)? else {
            return Ok(in_part);
        };
        let mut fixes = entry
            .ranges
            .iter()
            .filter_map(|range| self.fixed_above(range));
        Ok(Some(Hit {
            by: HitBy::Listed(self.text(listed)),
            fixed: fixes.next(),
            unread: None,
        }))
    }

    /// The number of the version in the list of an entry that is the installed one.
    fn listed(&self, entry: &Entry<'_>) -> Result<Option<u32>, Error> {
        if entry.versions.is_empty() {
            return Ok(None);
        }
        let own = self.own_text();
        if own.is_some()
            && let Some(number) = entry.versions.find(|number| Some(number) == own)?
        {
            return Ok(Some(number));
        }
        let is_equal = |number| self.compare(false, number) == Some(Ordering::Equal);
        entry.versions.find(is_equal)
    }

    fn own_text(&self) -> Option<u32> {
        *self.own_text.get_or_init(|| {
            let number = self.texts.iter().position(|other| *other == self.text)?;
            u32::try_from(number).ok()
        })
    }

    /// Goes through the events once, in the order of the record: what a sorted walk would end with is the effect of the
    /// greatest event that takes effect at or below the installed version.
    pub(super) fn test_range(&self, range: &EntryRange) -> Option<Hit<'a>> {
        let mut walk = Walk::default();
        for (kind, number) in &range.events {
            let Some(event) = self.place(range.semver, *kind, *number) else {
                if !self.is_readable(range.semver) {
                    return None;
                }
                walk.unread = Some(self.text(*number));
                continue;
            };
            let order = |other: &Place<'_>| self.order(range.semver, &event, other);
            if event.kind == EventKind::Limit {
                walk.limits.get_or_insert(false);
                walk.limits = walk
                    .limits
                    .map(|inside| inside || event.installed == Ordering::Less);
                continue;
            }
            // Of equal events the later takes effect: an end before the next start, a start before its own end.
            if event.takes_effect() && walk.last.as_ref().is_none_or(|last| order(last).is_ge()) {
                walk.last = Some(event);
            }
            let is_start = event.kind == EventKind::Introduced && event.is_reached();
            if is_start && walk.start.as_ref().is_none_or(|start| order(start).is_ge()) {
                walk.start = Some(event);
            }
            if event.ends_above() && walk.end.as_ref().is_none_or(|end| order(end).is_lt()) {
                walk.end = Some(event);
            }
        }
        let is_inside = walk.limits.unwrap_or(true);
        let last = walk.last.as_ref()?;
        (is_inside && last.kind == EventKind::Introduced).then(|| walk.describe())
    }

    /// Whether the order of a range can read the installed version.
    fn is_readable(&self, semver: bool) -> bool {
        if semver && !self.is_semver {
            self.semver.is_some()
        } else {
            self.version.is_some()
        }
    }

    /// How two events order by version; what cannot be read is equal to everything.
    fn order(&self, semver: bool, left: &Place<'_>, right: &Place<'_>) -> Ordering {
        if left.text == right.text {
            return Ordering::Equal;
        }
        match (left.is_zero(), right.is_zero()) {
            (false, false) => {}
            (left, right) => return right.cmp(&left),
        }
        let (left, right) = (self.order_key(semver, left), self.order_key(semver, right));
        let both = left.zip(right);
        let order = both.and_then(|(left, right)| left.compare(&right));
        order.unwrap_or(Ordering::Equal)
    }

    /// Where the installed version stands to an event; `None` if they cannot be compared.
    fn place(&self, semver: bool, kind: EventKind, number: u32) -> Option<Place<'a>> {
        let text = self.text(number);
        let installed = match (kind, text) {
            (EventKind::Introduced | EventKind::Fixed, "0") => Ordering::Greater,
            (EventKind::Limit, "*") => Ordering::Less,
            _ => self.compare(semver, number)?,
        };
        Some(Place {
            kind,
            text,
            installed,
        })
    }

    /// The version of an event.
    fn order_key<'e>(&self, semver: bool, event: &Place<'e>) -> Option<Version<'e>> {
        let scheme = if semver && !self.is_semver {
            Scheme::Semver
        } else {
            self.scheme?
        };
        Version::parse(scheme, self.event_version(event.text)).ok()
    }

    /// The least fixed version of a range above the installed one.
    fn fixed_above(&self, range: &EntryRange) -> Option<&'a str> {
        let places = range
            .events
            .iter()
            .filter_map(|(kind, number)| self.place(range.semver, *kind, *number));
        let above = places
            .filter(|event| event.kind == EventKind::Fixed && event.installed == Ordering::Less);
        let keyed =
            above.filter_map(|event| Some((self.order_key(range.semver, &event)?, event.text)));
        let least =
            keyed.min_by(|(left, _), (right, _)| left.compare(right).unwrap_or(Ordering::Equal));
        least.map(|(_, text)| text)
    }
}

/// Whether an ecosystem's order is one of semantic versions.
pub(super) fn is_semver_order(scheme: Scheme) -> bool {
    matches!(
        scheme,
        Scheme::Go | Scheme::Npm | Scheme::Pub | Scheme::Semver
    )
}
