//! Applies the fixes of a file until none is left: what one fix brings to light, another may mend.

use crate::check::{Checked, check};
use crate::finding::{Edit, Finding, apply_edits};
use crate::flow::Repository;
use crate::source::Source;
use crate::yaml::ParseYamlError;

/// Fixes that undo each other would go on for ever.
const ROUND_LIMIT: usize = 10;

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

/// Mends what `wanted` chooses of a file's findings. A round whose result would be no YAML is left out.
///
/// # Errors
/// When the file as it is cannot be read.
pub fn mend(
    source: &Source,
    files: &dyn Repository,
    repository: Option<&str>,
    wanted: &dyn Fn(&Finding) -> bool,
) -> Result<Mended, ParseYamlError> {
    let mut mended = Mended {
        source: source.clone(),
        count: 0,
        checked: check(source, files, repository)?,
    };
    for _ in 0..ROUND_LIMIT {
        let fixable = mended.checked.findings.iter().filter(|one| wanted(one));
        let fixable: Vec<&Finding> = fixable.filter(|one| !one.edits().is_empty()).collect();
        let edits: Vec<Edit> = fixable
            .iter()
            .flat_map(|one| one.edits())
            .filter(|edit| edit.path == source.path())
            .cloned()
            .collect();
        let text = apply_edits(mended.source.text(), &edits);
        if text == mended.source.text() {
            break;
        }
        let next = Source::new(source.path(), &text);
        let Ok(checked) = check(&next, files, repository) else {
            break;
        };
        mended = Mended {
            count: mended.count + fixable.len(),
            source: next,
            checked,
        };
    }
    Ok(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fix_brings_to_light_is_mended_too() {
        let text = "on: [pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          tags: app:1\n      - run: docker save app -o app.tar # kept\n";
        let source = Source::new("w.yml", text);
        let mended = mend(&source, &(), None, &|_| true).unwrap();
        assert!(mended.count >= 2, "{}", mended.source.text());
        assert!(mended.checked.findings.is_empty());
        assert!(
            mended.source.text().contains(
                "          load: true\n      - run: docker save app:1 -o app.tar # kept\n"
            )
        );
    }
}
