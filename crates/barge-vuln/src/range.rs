//! Whether a version is affected (OSV schema 1.7.5, "Evaluation"): listed by name, or inside any range.

use std::cell::Cell;
use std::cmp::Ordering;

use crate::index::{Entry, EntryRange};
use crate::osv::EventKind;
use crate::version::{Scheme, Version};

/// Why an entry hits a version, and what would heal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The range or the listed version.
    pub(crate) rule: Rule,
    /// The least fixed version above the installed one.
    pub(crate) fixed: Option<String>,
}

/// What hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A range, as an interval such as `>= 1.2, < 1.3`.
    Range(String),
    /// A version of the list, as it stands there.
    Listed(String),
}

/// Whether the order of an ecosystem can read a version.
pub(crate) fn is_readable(version: &str, scheme: Option<Scheme>) -> bool {
    scheme.is_some_and(|scheme| Version::parse(scheme, version).is_ok())
}

/// An installed version against the texts of one package of the index. Each text is compared once, whatever many entries
/// name it.
#[derive(Debug)]
pub(crate) struct Installed<'a> {
    texts: &'a [&'a str],
    scheme: Option<Scheme>,
    version: Option<Version<'a>>,
    semver: Option<Version<'a>>,
    /// Whether the ecosystem's own order is one of semantic versions: then `SEMVER` ranges have it, too.
    is_semver: bool,
    /// Compare without epochs: the version is a source rpm's, whose file name has none.
    without_epoch: bool,
    /// The number of the text that is the installed version, letter by letter.
    own_text: Option<u32>,
    orders: Vec<Cell<Compared>>,
    semver_orders: Vec<Cell<Compared>>,
}

/// A comparison, kept: not done yet, impossible, or its outcome.
type Compared = Option<Option<Ordering>>;

impl<'a> Installed<'a> {
    pub(crate) fn new(
        text: &'a str,
        scheme: Option<Scheme>,
        source: bool,
        texts: &'a [&'a str],
    ) -> Self {
        let read = |scheme| Version::parse(scheme, text).ok();
        let is_semver = scheme.is_some_and(is_semver_order);
        let own_text = texts.iter().position(|other| *other == text);
        Self {
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
            own_text: own_text.and_then(|number| u32::try_from(number).ok()),
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

    fn event_version<'v>(&self, version: &'v str) -> &'v str {
        if !self.without_epoch {
            return version;
        }
        version.split_once(':').map_or(version, |(_, rest)| rest)
    }

    /// Tests an entry: first its ranges, then its list by text, then its list by order.
    pub(crate) fn test(&self, entry: &Entry<'_>) -> Option<Hit> {
        if let Some(hit) = entry.ranges.iter().find_map(|range| self.test_range(range)) {
            return Some(hit);
        }
        let by_text = entry
            .versions
            .iter()
            .find(|listed| Some(**listed) == self.own_text);
        let by_order = || {
            entry
                .versions
                .iter()
                .find(|listed| self.compare(false, **listed) == Some(Ordering::Equal))
        };
        let listed = by_text.or_else(by_order)?;
        let fixed = entry
            .ranges
            .iter()
            .filter_map(|range| self.fixed_above(range))
            .next();
        Some(Hit {
            rule: Rule::Listed(self.text(*listed).to_owned()),
            fixed,
        })
    }

    /// Goes through the events once, in the order of the record: what a sorted walk would end with is the effect of the
    /// greatest event that takes effect at or below the installed version.
    fn test_range(&self, range: &EntryRange) -> Option<Hit> {
        let mut walk = Walk::default();
        for (kind, number) in &range.events {
            let event = self.place(range.semver, *kind, *number)?;
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
                walk.last = Some(event.clone());
            }
            let is_start = event.kind == EventKind::Introduced && event.is_reached();
            if is_start && walk.start.as_ref().is_none_or(|start| order(start).is_ge()) {
                walk.start = Some(event.clone());
            }
            if event.ends_above() && walk.end.as_ref().is_none_or(|end| order(end).is_lt()) {
                walk.end = Some(event);
            }
        }
        let is_inside = walk.limits.unwrap_or(true);
        let last = walk.last.as_ref()?;
        (is_inside && last.kind == EventKind::Introduced).then(|| walk.describe())
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
    fn fixed_above(&self, range: &EntryRange) -> Option<String> {
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
        least.map(|(_, text)| text.to_owned())
    }
}

/// Whether an ecosystem's order is one of semantic versions.
fn is_semver_order(scheme: Scheme) -> bool {
    matches!(
        scheme,
        Scheme::Go | Scheme::Npm | Scheme::Pub | Scheme::Semver
    )
}

/// An event, and how the installed version compares to its version.
#[derive(Debug, Clone)]
struct Place<'e> {
    kind: EventKind,
    text: &'e str,
    installed: Ordering,
}

impl Place<'_> {
    fn is_reached(&self) -> bool {
        self.installed != Ordering::Less
    }

    /// Whether it is the zero below every version.
    fn is_zero(&self) -> bool {
        self.text == "0" && matches!(self.kind, EventKind::Introduced | EventKind::Fixed)
    }

    /// Whether it changes what holds for the installed version.
    fn takes_effect(&self) -> bool {
        match self.kind {
            EventKind::Introduced | EventKind::Fixed => self.is_reached(),
            EventKind::LastAffected => self.installed == Ordering::Greater,
            EventKind::Limit => false,
        }
    }

    /// Whether it ends an interval that the installed version may lie in.
    fn ends_above(&self) -> bool {
        match self.kind {
            EventKind::Fixed => self.installed == Ordering::Less,
            EventKind::LastAffected => self.installed != Ordering::Greater,
            EventKind::Introduced | EventKind::Limit => false,
        }
    }
}

/// What a walk through the events of a range has met.
#[derive(Default)]
struct Walk<'e> {
    /// Whether the installed version lies below any limit; `None` without limits.
    limits: Option<bool>,
    /// The greatest event that takes effect.
    last: Option<Place<'e>>,
    /// The greatest start that is reached.
    start: Option<Place<'e>>,
    /// The least end above.
    end: Option<Place<'e>>,
}

impl Walk<'_> {
    /// The interval that the installed version lies in, and its end if that is a fix.
    fn describe(&self) -> Hit {
        let start = self.start.as_ref().map_or("0", |event| event.text);
        let mut interval = if start == "0" {
            String::new()
        } else {
            format!(">= {start}")
        };
        if let Some(end) = &self.end {
            let sign = if end.kind == EventKind::Fixed {
                "<"
            } else {
                "<="
            };
            let comma = if interval.is_empty() { "" } else { ", " };
            interval.push_str(&format!("{comma}{sign} {}", end.text));
        }
        if interval.is_empty() {
            interval.push_str("all versions");
        }
        let fixed = self.end.as_ref().filter(|end| end.kind == EventKind::Fixed);
        Hit {
            rule: Rule::Range(interval),
            fixed: fixed.map(|end| end.text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use smallvec::{SmallVec, smallvec};

    use super::*;
    use EventKind::{Fixed, Introduced, LastAffected, Limit};

    type Events<'a> = &'a [(EventKind, &'static str)];

    fn hit(events: Events<'_>, version: &str) -> Option<Hit> {
        let texts: Vec<&str> = events.iter().map(|(_, text)| *text).collect();
        let events = events
            .iter()
            .zip(0..)
            .map(|((kind, _), number)| (*kind, number))
            .collect();
        let ranges = smallvec![EntryRange {
            semver: true,
            events,
        }];
        let entry = Entry {
            record: 0,
            ratings: Vec::new(),
            informational: "",
            ranges,
            versions: Vec::new(),
        };
        Installed::new(version, Some(Scheme::Semver), false, &texts).test(&entry)
    }

    #[test]
    fn ranges_follow_the_osv_rules() {
        let zero_to_two = [(Introduced, "0"), (Fixed, "2.0.0")];
        let unsorted = [
            (Fixed, "3.0.0"),
            (Introduced, "2.0.0"),
            (Fixed, "1.5.0"),
            (Introduced, "1.0.0"),
        ];
        let last = [(Introduced, "1.0.0"), (LastAffected, "1.2.0")];
        let limited = [(Introduced, "1.0.0"), (Limit, "2.0.0")];
        let seam = [
            (Introduced, "0"),
            (Fixed, "1.0.0"),
            (Introduced, "1.0.0"),
            (Fixed, "2.0.0"),
        ];
        let cases: [(Events<'_>, &str, bool); 17] = [
            (&zero_to_two, "0.0.0-0", true),
            (&zero_to_two, "2.0.0-rc.1", true),
            (&zero_to_two, "2.0.0", false),
            (&unsorted, "0.9.0", false),
            (&unsorted, "1.0.0", true),
            (&unsorted, "1.5.0", false),
            (&unsorted, "2.5.0", true),
            (&unsorted, "3.0.0", false),
            (&last, "1.2.0", true),
            (&last, "1.2.1", false),
            (&limited, "1.9.9", true),
            (&limited, "2.0.0", false),
            (&seam, "1.5.0", true),
            (&[(Introduced, "1.0.0"), (Fixed, "1.0.0")], "1.0.0", false),
            (&[(Introduced, "0"), (Fixed, "0")], "1.0.0", false),
            (
                &[(Introduced, "0"), (Fixed, "not a version")],
                "1.0.0",
                false,
            ),
            (&[(Introduced, "1.0.0"), (Limit, "*")], "9.0.0", true),
        ];
        for (events, version, wanted) in cases {
            assert_eq!(
                hit(events, version).is_some(),
                wanted,
                "{events:?} {version}"
            );
        }
    }

    #[test]
    fn the_fix_is_the_least_above_the_installed_version() {
        let events = [
            (Introduced, "0"),
            (Fixed, "1.1.0"),
            (Introduced, "2.0.0"),
            (Fixed, "2.1.0"),
        ];
        let found = hit(&events, "2.0.5");
        let wanted = Hit {
            rule: Rule::Range(">= 2.0.0, < 2.1.0".to_owned()),
            fixed: Some("2.1.0".to_owned()),
        };
        assert_eq!(found, Some(wanted));
    }

    #[test]
    fn listed_versions_hit_by_text_and_by_order() {
        let list = |versions: Vec<&'static str>, version: &str| {
            let entry = Entry {
                record: 0,
                ratings: Vec::new(),
                informational: "",
                ranges: SmallVec::new(),
                versions: vec![0],
            };
            Installed::new(version, Some(Scheme::Pep440), false, &versions)
                .test(&entry)
                .is_some()
        };
        assert!(list(vec!["1.3"], "1.3.0"));
        assert!(list(vec!["2004d"], "2004d"));
        assert!(!list(vec!["1.3"], "1.3.1"));
    }
}
