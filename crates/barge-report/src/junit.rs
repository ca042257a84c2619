//! JUnit XML, as test reporters of CI systems read it: one case for each finding, a failure if it is an error.

use crate::model::{Finding, Level, Report};

/// The report as one test suite. What was not looked at is a case that was skipped. A report without findings has one
/// case that passed, so that it does not look as if nothing had run.
#[must_use]
pub fn render(report: &Report) -> String {
    let counted = || {
        report
            .findings
            .iter()
            .filter(|finding| finding.suppression.is_none())
    };
    let failures = counted()
        .filter(|finding| finding.level == Level::Error)
        .count();
    let skipped = report.findings.len() - counted().count() + report.gaps.len();
    let tests = (report.findings.len() + report.gaps.len()).max(1);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts =
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    text.push_str(&format!(
        "<testsuites name=\"{}\" {counts}>\n",
        escape(&report.tool.name)
    ));
    text.push_str(&format!(
        "  <testsuite name=\"{}\" {counts}>\n",
        escape(&report.subject)
    ));
    for gap in &report.gaps {
        text.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"not looked at\">\n      <skipped message=\"{}\"/>\n    </testcase>\n",
            escape(&report.subject),
            escape(gap)
        ));
    }
    if report.findings.is_empty() && report.gaps.is_empty() {
        text.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"no findings\"/>\n",
            escape(&report.subject)
        ));
    }
    for finding in &report.findings {
        push_case(&mut text, report, finding);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn push_case(text: &mut String, report: &Report, finding: &Finding) {
    let place = finding.places.last();
    let class = place.map_or(report.subject.as_str(), String::as_str);
    let message = escape(&finding.message);
    let outcome = match (&finding.suppression, finding.level) {
        (Some(why), _) => format!("<skipped message=\"{}\"/>", escape(&why.justification)),
        (None, Level::Error) => format!("<failure type=\"error\" message=\"{message}\"/>"),
        (None, _) => format!("<system-out>{message}</system-out>"),
    };
    text.push_str(&format!(
        "    <testcase classname=\"{}\" name=\"{}\">\n      {outcome}\n    </testcase>\n",
        escape(class),
        escape(&finding.rule)
    ));
}

/// Text as XML 1.0 can hold it, inside attributes too.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            // XML has no way to write these.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Finding;

    #[test]
    fn findings_are_cases_and_errors_are_failures() {
        let finding = |level| Finding {
            rule: "R<1>".to_owned(),
            level,
            message: "a \"b\" & \u{1}".to_owned(),
            ..Finding::default()
        };
        let report = Report {
            subject: "image".to_owned(),
            findings: vec![finding(Level::Error), finding(Level::Note)],
            ..Report::default()
        };
        let text = render(&report);
        assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
        assert!(
            text.contains("<failure type=\"error\" message=\"a &quot;b&quot; &amp; \u{fffd}\"/>"),
            "{text}"
        );
        assert!(text.contains("name=\"R&lt;1&gt;\""), "{text}");
        assert!(render(&Report::default()).contains("no findings"));
        let blind = Report {
            gaps: vec!["a < b".to_owned()],
            ..Report::default()
        };
        let text = render(&blind);
        assert!(
            text.contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""),
            "{text}"
        );
        assert!(text.contains("<skipped message=\"a &lt; b\"/>"), "{text}");
    }
}
