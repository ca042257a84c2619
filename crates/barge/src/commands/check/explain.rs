//! What a rule means, and what words of a daemon can mean.

use barge_workflow::{daemon_error, rule};
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Explains a rule.
pub(super) fn rule(id: &str, context: &Context) -> Result<Exit, Error> {
    let Some(rule) = rule::find(id) else {
        let ids: Vec<&str> = rule::RULES.iter().map(|rule| rule.id).collect();
        return Err(Error::Usage(format!(
            "there is no rule `{id}`; the rules are {}",
            ids.join(", ")
        )));
    };
    #[derive(Serialize)]
    struct RuleJson<'a> {
        schema: &'static str,
        rule: &'a str,
        severity: String,
        summary: &'a str,
        explanation: &'a str,
    }
    let json = RuleJson {
        schema: "barge/rule/v1",
        rule: rule.id,
        severity: rule.severity.to_string(),
        summary: rule.summary,
        explanation: rule.explanation,
    };
    context.printer.result(&json, |out| {
        writeln!(
            out,
            "{} ({})\n{}\n\n{}",
            Tone::Strong.paint(rule.id),
            rule.severity,
            rule.summary,
            rule.explanation
        )
    })?;
    Ok(Exit::Done)
}

/// Explains words of a daemon or action.
pub(super) fn words(text: &str, context: &Context) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct MeaningJson {
        text: &'static str,
        causes: &'static [&'static str],
        rules: &'static [&'static str],
    }
    #[derive(Serialize)]
    struct ExplainJson {
        schema: &'static str,
        meanings: Vec<MeaningJson>,
    }
    let found = daemon_error::explain(text);
    let meanings = found.iter().map(|meaning| MeaningJson {
        text: meaning.text,
        causes: meaning.causes,
        rules: meaning.rules,
    });
    let json = ExplainJson {
        schema: "barge/explain-error/v1",
        meanings: meanings.collect(),
    };
    context.printer.result(&json, |out| {
        if found.is_empty() {
            writeln!(out, "these words are not known")?;
        }
        for meaning in &found {
            writeln!(out, "{}", Tone::Strong.paint(meaning.text))?;
            for cause in meaning.causes {
                writeln!(out, "  - {cause}")?;
            }
            if !meaning.rules.is_empty() {
                writeln!(out, "  found in workflows by: {}", meaning.rules.join(", "))?;
            }
        }
        Ok(())
    })?;
    Ok(if found.is_empty() {
        Exit::Failed
    } else {
        Exit::Done
    })
}
