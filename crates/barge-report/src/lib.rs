//! One model of findings and its renderings: SARIF, Markdown, JUnit, tables.
