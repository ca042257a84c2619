//! The rules: one file each, with what it proves and an example.
//!
//! A rule reads the walks of a workflow (`Trace`), one per scenario, and reports what it can prove. What it cannot
//! decide it leaves out. The ids are stable.

mod artifact_name_collision;
mod artifact_not_uploaded;
mod build_twice;
mod build_without_output;
mod condition_mismatch;
mod condition_precedence;
mod consumer_after_failed_producer;
mod context;
mod duplicate_step_id;
mod edit;
mod empty_event_field;
pub(crate) mod ignore_comment;
mod image_not_in_job;
mod load_bad_syntax;
mod load_multi_platform;
mod load_output_parsed;
mod load_path_not_present;
mod matrix_output_clobber;
mod metadata_ignored;
mod mutable_tag;
mod not_loaded;
mod other_image;
mod other_tag;
mod presence;
mod ref_empty_part;
mod ref_mismatch;
mod ref_retyped;
mod retention_missing;
mod run_own;
mod save_dir_missing;
mod save_untagged;
mod scan_input_not_produced;
mod shell_var_in_with;
mod tags_multiline_in_shell;
mod tar_not_loadable;
mod tar_overwritten;
mod untrusted_artifact_pushed;
mod upload_path_not_produced;
mod uppercase_ref;

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::source::Place;

pub use context::Context;

/// A rule: its documentation and its check.
#[derive(Debug)]
pub struct Rule {
    /// The stable id.
    pub id: &'static str,
    /// The gravity of most of its findings.
    pub severity: Severity,
    /// What a finding says, in one line.
    pub summary: &'static str,
    /// Why it matters and how to mend it.
    pub explanation: &'static str,
    check: fn(&Context<'_>, &mut Vec<Finding>),
}

impl Rule {
    /// A finding of this rule at a place.
    fn finding(&self, place: &Place, message: impl Into<String>) -> Finding {
        Finding {
            rule: self.id,
            severity: self.severity,
            place: place.clone(),
            message: message.into(),
            evidence: Vec::new(),
            case: None,
            consequence: None,
            fix: None,
        }
    }
}

/// All rules, by value.
pub static RULES: &[Rule] = &[
    condition_mismatch::RULE,
    ref_mismatch::RULE,
    not_loaded::RULE,
    load_path_not_present::RULE,
    upload_path_not_produced::RULE,
    scan_input_not_produced::RULE,
    artifact_not_uploaded::RULE,
    image_not_in_job::RULE,
    uppercase_ref::RULE,
    ref_empty_part::RULE,
    load_multi_platform::RULE,
    tar_not_loadable::RULE,
    load_bad_syntax::RULE,
    tar_overwritten::RULE,
    artifact_name_collision::RULE,
    consumer_after_failed_producer::RULE,
    build_twice::RULE,
    untrusted_artifact_pushed::RULE,
    mutable_tag::DIGEST_RULE,
    mutable_tag::ACROSS_JOBS_RULE,
    matrix_output_clobber::RULE,
    empty_event_field::RULE,
    metadata_ignored::RULE,
    ref_retyped::RULE,
    load_output_parsed::RULE,
    save_untagged::RULE,
    tags_multiline_in_shell::RULE,
    retention_missing::RULE,
    shell_var_in_with::RULE,
    save_dir_missing::RULE,
    duplicate_step_id::RULE,
    condition_precedence::RULE,
    build_without_output::RULE,
    ignore_comment::RULE,
];

/// The rule of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Runs all rules; one finding per rule and place, in the order of the file.
#[must_use]
pub fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in RULES {
        (rule.check)(context, &mut all);
    }
    let mut kept: BTreeMap<(String, usize, &'static str), Finding> = BTreeMap::new();
    for finding in all {
        // One finding a line: what a rule says of two words of one line is said once.
        let key = (
            finding.place.source.path().to_owned(),
            finding.place.line(),
            finding.rule,
        );
        match kept.get_mut(&key) {
            Some(known) => {
                known.severity = known.severity.max(finding.severity);
                if let (Some(case), Some(other)) = (&mut known.case, &finding.case) {
                    case.join(other);
                }
            }
            None => {
                kept.insert(key, finding);
            }
        }
    }
    without_echoes(kept.into_values().collect())
}

/// Drops findings that only repeat a graver one of the same line.
fn without_echoes(findings: Vec<Finding>) -> Vec<Finding> {
    const GRAVER: [(&str, &[&str]); 5] = [
        ("image-not-in-job", &["condition-mismatch", "not-loaded"]),
        ("ref-retyped", &["ref-mismatch"]),
        (
            "upload-path-not-produced",
            &["shell-var-in-with", "ref-empty-part"],
        ),
        ("artifact-not-uploaded", &["shell-var-in-with"]),
        (
            "ref-mismatch",
            &["uppercase-ref", "shell-var-in-with", "ref-empty-part"],
        ),
    ];
    let line_of = |finding: &Finding| {
        let path = finding.place.source.path().to_owned();
        (path, finding.place.line())
    };
    let mut rules: BTreeMap<(String, usize), Vec<&'static str>> = BTreeMap::new();
    for finding in &findings {
        rules
            .entry(line_of(finding))
            .or_default()
            .push(finding.rule);
    }
    let echoes = |finding: &Finding| {
        let of_line = rules.get(&line_of(finding)).map_or(&[][..], Vec::as_slice);
        GRAVER.iter().any(|(rule, graver)| {
            *rule == finding.rule && of_line.iter().any(|other| graver.contains(other))
        })
    };
    findings
        .into_iter()
        .filter(|finding| !echoes(finding))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Source, Span};

    #[test]
    fn echoes_are_of_one_file() {
        let finding = |rule: &Rule, path: &str| {
            let place = Place::new(&Source::new(path, "x"), Span::new(0, 1));
            rule.finding(&place, "")
        };
        let left = |mismatch: &str| {
            let all = vec![
                finding(&ref_retyped::RULE, "action.yml"),
                finding(&ref_mismatch::RULE, mismatch),
            ];
            without_echoes(all).len()
        };
        assert_eq!(left("action.yml"), 1);
        assert_eq!(left("w.yml"), 2);
    }
}
