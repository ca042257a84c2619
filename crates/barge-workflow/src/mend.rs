//! Applies the fixes of a file until none is left: what one fix brings to light, another may mend.

use crate::check::{Checked, check};
use crate::finding::{Edit, Finding, apply_edits};
use crate::flow::Repository;
use crate::source::Source;
use crate::yaml::ParseYamlError;

/// Fixes that undo each other would go on for ever.
const ROUND_LIMIT: usize = 10;

/// Which of a file's findings to mend.
pub type Choice<'a> = dyn for<'b> Fn(&'b [Finding]) -> Vec<&'b Finding> + 'a;

/// A file after its fixes.
#[derive(Debug)]
pub struct Mended {
    /// The file as it is now.
    pub source: Source,
    /// How many findings were mended.
    pub count: usize,
    /// What is left.
    pub checked: Checked,
}

/// Mends what `choose` takes of a file's findings. A fix that leaves its finding where it was is none and is not made, nor
/// is a round whose result would be no YAML.
///
/// # Errors
/// When the file as it is cannot be read.
pub fn mend(
    source: &Source,
    files: &dyn Repository,
    repository: Option<&str>,
    choose: &Choice<'_>,
) -> Result<Mended, ParseYamlError> {
    let mut mended = Mended {
        source: source.clone(),
        count: 0,
        checked: check(source, files, repository)?,
    };
    for _ in 0..ROUND_LIMIT {
        let mut fixable = choose(&mended.checked.findings);
        fixable.retain(|one| !one.edits().is_empty());
        let again = |source: &Source| check(source, files, repository).ok();
        let Some(round) = Round::of(&mended.source, fixable, &again) else {
            break;
        };
        mended = Mended {
            count: mended.count + round.gone,
            source: round.source,
            checked: round.checked,
        };
    }
    Ok(mended)
}

/// A file after one round of fixes.
struct Round {
    source: Source,
    checked: Checked,
    /// How many of the findings are not there any more.
    gone: usize,
}

impl Round {
    /// Makes the fixes that mend; nothing when none does.
    fn of(
        source: &Source,
        mut fixable: Vec<&Finding>,
        check: &dyn Fn(&Source) -> Option<Checked>,
    ) -> Option<Self> {
        while !fixable.is_empty() {
            let edits = own_edits(source, &fixable);
            let next = Source::new(source.path(), &apply_edits(source.text(), &edits));
            let checked = check(&next)?;
            let mends = |one: &&Finding| {
                let found = checked.findings.iter();
                !found.into_iter().any(|left| is_same(one, left, &edits))
            };
            let mending: Vec<&Finding> = fixable.iter().copied().filter(mends).collect();
            if mending.len() == fixable.len() {
                return Some(Self {
                    source: next,
                    checked,
                    gone: mending.len(),
                });
            }
            fixable = mending;
        }
        None
    }
}

/// The changes that findings propose for a file.
fn own_edits(source: &Source, findings: &[&Finding]) -> Vec<Edit> {
    let edits = findings.iter().flat_map(|one| one.edits());
    let own = edits.filter(|edit| edit.path == source.path());
    own.cloned().collect()
}

/// Says whether a finding is one from before the edits, by what it says and by its line.
fn is_same(before: &Finding, after: &Finding, edits: &[Edit]) -> bool {
    let named = |one: &Finding| one.evidence.first().map(|first| first.message.clone());
    let says_the_same = before.rule == after.rule
        && before.message == after.message
        && named(before) == named(after)
        && before.place.shares_file(&after.place);
    let start = before.place.span.start;
    // What is put in at the very start of a step can come before the finding or become part of it.
    let lines = [start, start + 1].map(|limit| moved(start, limit, edits));
    says_the_same
        && lines
            .map(|at| after.place.source.line_of(at))
            .contains(&after.place.line())
}

/// Where a byte lies after the edits that end before `limit`.
fn moved(at: usize, limit: usize, edits: &[Edit]) -> usize {
    let earlier = edits.iter().filter(|edit| edit.span.end < limit);
    earlier.fold(at, |at, edit| {
        (at + edit.replacement.len()).saturating_sub(edit.span.end - edit.span.start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Fix, Severity};
    use crate::source::{Place, Span};

    #[test]
    fn what_one_side_of_an_or_says_is_no_guard() {
        let text = "on:\n  workflow_dispatch:\n    inputs: {publish: {type: boolean}, force: {type: boolean}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - if: inputs.publish && github.actor != 'bot'\n        run: docker build -t app:1 .\n      - if: inputs.force || inputs.publish\n        run: docker save app:1 -o app.tar\n";
        let mended = mend(&Source::new("w.yml", text), &(), None, &|all| {
            all.iter().collect()
        })
        .unwrap();
        assert!(
            mended.checked.findings.is_empty(),
            "{}",
            mended.source.text()
        );
        let guard =
            "if: (inputs.force || inputs.publish) && inputs.publish && github.actor != 'bot'\n";
        assert!(
            mended.source.text().contains(guard),
            "{}",
            mended.source.text()
        );
        assert_eq!(mended.count, 1);
    }

    #[test]
    fn a_fix_that_does_not_mend_is_not_made() {
        let text = "on: [push]\njobs:\n  a:\n    steps:\n      - run: one\n      - run: two\n";
        let source = Source::new("w.yml", text);
        let at = |word: &str| {
            let start = text.find(word).unwrap();
            Place::new(&source, Span::new(start, start + word.len()))
        };
        let finding = |word: &str, to: &str| Finding {
            rule: "not-loaded",
            severity: Severity::Error,
            place: at(word),
            message: word.to_owned(),
            evidence: Vec::new(),
            case: None,
            consequence: None,
            fix: Some(Fix::edit("", &at(word), to)),
        };
        let (good, bad) = (finding("one", "uno\n        # more"), finding("two", "due"));
        // Whatever stands there, the second finding stays.
        let check = |source: &Source| {
            let start = source.text().rfind("run: ").unwrap() + 5;
            let place = Place::new(source, Span::new(start, start + 3));
            Some(Checked {
                findings: vec![Finding {
                    place,
                    fix: None,
                    ..bad.clone()
                }],
                ignored: 0,
                undecided: Vec::new(),
            })
        };
        let round = Round::of(&source, vec![&good, &bad], &check).unwrap();
        assert_eq!(round.gone, 1);
        assert!(round.source.text().contains("uno") && round.source.text().contains("two"));
        assert!(Round::of(&source, vec![&bad], &check).is_none());
    }

    #[test]
    fn what_a_fix_brings_to_light_is_mended_too() {
        let text = "on: [pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          tags: app:1\n      - run: docker save app -o app.tar # kept\n";
        let source = Source::new("w.yml", text);
        let mended = mend(&source, &(), None, &|all| all.iter().collect()).unwrap();
        assert!(mended.count >= 2, "{}", mended.source.text());
        assert!(mended.checked.findings.is_empty());
        assert!(
            mended.source.text().contains(
                "          load: true\n      - run: docker save app:1 -o app.tar # kept\n"
            )
        );
    }
}
