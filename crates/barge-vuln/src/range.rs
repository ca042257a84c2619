//! Whether a version is affected (OSV schema 1.7.5, "Evaluation"): listed by name, or inside any range.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::ecosystem;
use crate::error::Error;
use crate::index::{Entry, EntryRange};
use crate::osv::{Affected, EventKind, Range};
use crate::version::{Scheme, Version};

/// Why an entry hits a version, and what would heal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    /// What holds the version.
    pub(crate) by: HitBy<'a>,
    /// The least fixed version above the installed one.
    pub(crate) fixed: Option<&'a str>,
    /// An event of the range that cannot be compared with the installed version, and was passed over.
    pub(crate) unread: Option<&'a str>,
}

/// What of an entry holds a version. Shown as an interval such as `>= 1.2, < 1.3`, or as `listed 1.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitBy<'a> {
    /// A range.
    Range {
        /// The version that it starts with, `0` for the first of all.
        start: &'a str,
        /// The version that it ends with, if it ends.
        end: Option<End<'a>>,
    },
    /// The list of versions, by the version as it stands there.
    Listed(&'a str),
}

/// The end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// The first version outside.
    Fixed(&'a str),
    /// The last version inside.
    LastAffected(&'a str),
}

impl Serialize for HitBy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for HitBy<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = match self {
            Self::Listed(version) => return write!(formatter, "listed {version}"),
            Self::Range { start: "0", end } => ("", end),
            Self::Range { start, end } => (*start, end),
        };
        let comma = match (start, end) {
            ("", None) => return formatter.write_str("all versions"),
            ("", _) => "",
            (start, end) => {
                write!(formatter, ">= {start}")?;
                end.map_or("", |_| ", ")
            }
        };
        match end {
            None => Ok(()),
            Some(End::Fixed(version)) => write!(formatter, "{comma}< {version}"),
            Some(End::LastAffected(version)) => write!(formatter, "{comma}<= {version}"),
        }
    }
}

/// Whether the order of an ecosystem can read a version.
pub(crate) fn is_readable(version: &str, scheme: Option<Scheme>) -> bool {
    scheme.is_some_and(|scheme| Version::parse(scheme, version).is_ok())
}

/// The listed versions of an entry that its ranges do not hold already. The others say nothing more: what is equal to a version
/// in a range is in that range. PyPA's records list each version that a range holds.
pub(crate) fn beyond_ranges(affected: &Affected) -> Vec<&str> {
    let listed = affected.versions.iter().map(String::as_str);
    // Versions of source rpms are compared without epochs, of which a range may have several.
    let scheme = ecosystem::scheme(&affected.ecosystem).filter(|scheme| *scheme != Scheme::Rpm);
    let mut texts = Vec::new();
    let mut ranges = Vec::with_capacity(affected.ranges.len());
    // The order of a range must be the one in which listed versions are compared.
    let is_own = |range: &&Range| !range.semver || scheme.is_some_and(is_semver_order);
    for range in affected.ranges.iter().filter(is_own) {
        let first = texts.len();
        texts.extend(range.events.iter().map(|event| event.version.as_str()));
        let numbers = (first..).map_while(|number| u32::try_from(number).ok());
        let kinds = range.events.iter().map(|event| event.kind);
        ranges.push(EntryRange {
            semver: range.semver,
            events: kinds.zip(numbers).collect(),
        });
    }
    if ranges.is_empty() || scheme.is_none() {
        return listed.collect();
    }
    let is_beyond = |version: &&str| {
        let listed = Installed::new(version, scheme, false, &texts);
        !ranges
            .iter()
            .filter_map(|range| listed.test_range(range))
            .any(|hit| hit.unread.is_none())
    };
    listed.filter(is_beyond).collect()
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
    fn test_range(&self, range: &EntryRange) -> Option<Hit<'a>> {
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
fn is_semver_order(scheme: Scheme) -> bool {
    matches!(
        scheme,
        Scheme::Go | Scheme::Npm | Scheme::Pub | Scheme::Semver
    )
}

/// An event, and how the installed version compares to its version.
#[derive(Debug, Clone, Copy)]
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
    /// An event that cannot be compared.
    unread: Option<&'e str>,
}

impl<'e> Walk<'e> {
    /// The interval that the installed version lies in, and its end if that is a fix.
    fn describe(&self) -> Hit<'e> {
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

#[cfg(test)]
mod tests {
    use smallvec::{SmallVec, smallvec};

    use super::*;
    use crate::index::Versions;
    use EventKind::{Fixed, Introduced, LastAffected, Limit};

    type Events<'a> = &'a [(EventKind, &'static str)];

    fn hit(events: Events<'_>, version: &str) -> Option<(String, Option<String>)> {
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
            versions: Versions::default(),
        };
        let installed = Installed::new(version, Some(Scheme::Semver), false, &texts);
        let hit = installed.test(&entry).unwrap()?;
        let unread = hit.unread.map(|text| format!(" but for {text}"));
        let by = format!("{}{}", hit.by, unread.unwrap_or_default());
        Some((by, hit.fixed.map(str::to_owned)))
    }

    /// A typing error in a record clears nobody: what the rest of the range holds is hit, and said to be doubtful.
    #[test]
    fn an_event_that_cannot_be_compared_is_passed_over_and_told() {
        let events = [
            (Introduced, "1.0.0"),
            (Fixed, "not a version"),
            (Fixed, "2.0.0"),
        ];
        let found = hit(&events, "1.5.0").unwrap();
        assert_eq!(found.0, ">= 1.0.0, < 2.0.0 but for not a version");
        assert_eq!(hit(&events, "2.0.0"), None);
        assert_eq!(hit(&events, "0.9.0"), None);
        assert_eq!(hit(&events, "also none"), None);
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
        let cases: [(Events<'_>, &str, bool); 16] = [
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
        let wanted = (">= 2.0.0, < 2.1.0".to_owned(), Some("2.1.0".to_owned()));
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
                versions: Versions::of(&[0], 1),
            };
            Installed::new(version, Some(Scheme::Pep440), false, &versions)
                .test(&entry)
                .unwrap()
                .is_some()
        };
        assert!(list(vec!["1.3"], "1.3.0"));
        assert!(list(vec!["2004d"], "2004d"));
        assert!(!list(vec!["1.3"], "1.3.1"));
    }

    #[test]
    fn listed_versions_that_a_range_holds_are_not_kept() {
        let beyond = |ecosystem: &str, kind: &str, versions: &str| {
            let text = format!(
                r#"{{"id":"A-1","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"a"}},"versions":{versions},
                "ranges":[{{"type":"{kind}","events":[{{"introduced":"1.0"}},{{"fixed":"2.0"}}]}}]}}]}}"#
            );
            let record = crate::Record::parse(text.as_bytes()).unwrap();
            beyond_ranges(&record.affected[0]).join(" ")
        };
        let versions = r#"["1.0", "1.5.0", "2.0", "2004d", "0.9"]"#;
        assert_eq!(beyond("PyPI", "ECOSYSTEM", versions), "2.0 2004d 0.9");
        // Orders that may differ from each other, or that epochs are left out of.
        let all = "1.0 1.5.0 2.0 2004d 0.9";
        assert_eq!(beyond("PyPI", "SEMVER", versions), all);
        assert_eq!(beyond("AlmaLinux:9", "ECOSYSTEM", versions), all);
        assert_eq!(beyond("npm", "SEMVER", r#"["1.5.0", "2.0.0"]"#), "2.0.0");
    }
}
