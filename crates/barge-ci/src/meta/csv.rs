//! The two ways in which lists are read: the behaviour of the npm library csv-parse 7 with the options in question.
//!
//! Both take `,` as delimiter and `"` as quote, drop empty lines and allow records of any length. The line ending is
//! found from the first one outside quotes and fixed from then on. [`Dialect::List`] also knows comments and lets
//! quotes stand inside unquoted fields; [`Dialect::Entry`] refuses them.

/// Which options are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A whole input: `#` at the start of a record opens a comment, quotes are relaxed.
    List,
    /// One entry of a list: no comments, quotes are strict.
    Entry,
}

/// Why a text is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A quote within an unquoted field.
    #[error(
        "Invalid Opening Quote: a quote is found on field {field} at line {line}, value is {value}"
    )]
    OpeningQuote {
        /// Counts the fields of the record from 0.
        field: usize,
        /// Counts the lines from 1.
        line: usize,
        /// What stands before the quote, as JSON.
        value: String,
    },
    /// Something else than a delimiter after a quoted field.
    #[error(
        "Invalid Closing Quote: got \"{found}\" at line {line} instead of delimiter, record delimiter, trimable character (if activated) or comment"
    )]
    ClosingQuote {
        /// The character.
        found: char,
        /// Counts the lines from 1.
        line: usize,
    },
    /// A quoted field without an end.
    #[error("Quote Not Closed: the parsing is finished with an opening quote at line {line}")]
    NotClosed {
        /// Counts the lines from 1.
        line: usize,
    },
}

/// Reads all records of a text.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Vec<Vec<String>>, CsvError> {
    let mut reader = Reader::new(text, dialect);
    reader.read()?;
    Ok(reader.records)
}

struct Reader<'t> {
    rest: std::str::Chars<'t>,
    dialect: Dialect,
    ending: Option<&'static str>,
    line: usize,
    line_ended: bool,
    quoting: bool,
    was_quoting: bool,
    commenting: bool,
    field: String,
    record: Vec<String>,
    records: Vec<Vec<String>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, dialect: Dialect) -> Self {
        Self {
            rest: text.chars(),
            dialect,
            ending: None,
            line: 1,
            line_ended: false,
            quoting: false,
            was_quoting: false,
            commenting: false,
            field: String::new(),
            record: Vec::new(),
            records: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<(), CsvError> {
        while let Some(c) = self.peek() {
            self.count_line(c);
            if !self.quoting {
                self.discover_ending();
            }
            self.step(c)?;
        }
        if self.quoting {
            return Err(CsvError::NotClosed { line: self.line });
        }
        if self.was_quoting || !self.record.is_empty() || !self.field.is_empty() {
            self.end_field();
            self.end_record();
        }
        Ok(())
    }

    /// A line counts once its end has been passed; `\r\n` is one end.
    fn count_line(&mut self, c: char) {
        if std::mem::take(&mut self.line_ended) {
            self.line += 1;
        } else if matches!(c, '\r' | '\n') {
            self.line_ended = true;
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.rest.next();
        }
    }

    fn discover_ending(&mut self) {
        if self.ending.is_none() {
            let rest = self.rest.as_str();
            self.ending = ["\r\n", "\n", "\r"]
                .into_iter()
                .find(|ending| rest.starts_with(ending));
        }
    }

    fn step(&mut self, c: char) -> Result<(), CsvError> {
        if self.quoting && self.rest.as_str().starts_with("\"\"") {
            self.field.push('"');
            self.skip(2);
            return Ok(());
        }
        if !self.commenting && c == '"' && self.quote()? {
            return Ok(());
        }
        if !self.quoting && self.structure(c) {
            return Ok(());
        }
        if !self.commenting {
            self.field.push(c);
        }
        self.skip(1);
        Ok(())
    }

    /// Handles a quote; false when it is to be kept as a character of the field.
    fn quote(&mut self) -> Result<bool, CsvError> {
        if self.quoting {
            return self.closing_quote();
        }
        if self.field.is_empty() {
            self.quoting = true;
            self.skip(1);
            return Ok(true);
        }
        if self.dialect == Dialect::Entry {
            return Err(CsvError::OpeningQuote {
                field: self.record.len(),
                line: self.line,
                value: serde_json::Value::String(self.field.clone()).to_string(),
            });
        }
        Ok(false)
    }

    fn closing_quote(&mut self) -> Result<bool, CsvError> {
        let line = self.line;
        self.skip(1);
        let next = self.peek();
        self.discover_ending();
        let closes = match next {
            None | Some(',') => true,
            Some('#') if self.dialect == Dialect::List => true,
            Some(_) => self
                .ending
                .is_some_and(|ending| self.rest.as_str().starts_with(ending)),
        };
        if let (false, Some(found), Dialect::Entry) = (closes, next, self.dialect) {
            return Err(CsvError::ClosingQuote { found, line });
        }
        self.quoting = false;
        self.was_quoting = true;
        if !closes {
            // Not a quoted field after all: both quotes belong to it.
            self.field.insert(0, '"');
            self.field.push('"');
        }
        Ok(true)
    }

    /// Handles the end of a record or field and the start of a comment, outside quotes.
    fn structure(&mut self, c: char) -> bool {
        if let Some(ending) = self
            .ending
            .filter(|ending| self.rest.as_str().starts_with(ending))
        {
            let empty = !self.was_quoting && self.record.is_empty() && self.field.is_empty();
            if !empty {
                self.end_field();
                self.end_record();
            }
            // The end of an empty line leaves a comment open only in the library's own state: nothing is left to see.
            self.commenting = false;
            self.skip(ending.len());
            return true;
        }
        if self.commenting {
            self.skip(1);
            return true;
        }
        if c == '#'
            && self.dialect == Dialect::List
            && self.record.is_empty()
            && self.field.is_empty()
        {
            self.commenting = true;
            self.skip(1);
            return true;
        }
        if c == ',' {
            self.end_field();
            self.skip(1);
            return true;
        }
        false
    }

    fn end_field(&mut self) {
        self.record.push(std::mem::take(&mut self.field));
        self.was_quoting = false;
    }

    fn end_record(&mut self) {
        self.records.push(std::mem::take(&mut self.record));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Vec<String>> {
        parse(text, Dialect::List).unwrap()
    }

    #[test]
    fn lists_relax_quotes_and_know_comments() {
        for (text, expected) in [
            ("a\nb", vec![vec!["a"], vec!["b"]]),
            ("a,b,\n\nc", vec![vec!["a", "b", ""], vec!["c"]]),
            ("# x\na#b # c\n  # d", vec![vec!["a#b # c"], vec!["  # d"]]),
            (
                "a=\"b\"\n{\"x\":1}",
                vec![vec!["a=\"b\""], vec!["{\"x\":1}"]],
            ),
            ("\"a,b\",c", vec![vec!["a,b", "c"]]),
            ("\"a\"\"b\"", vec![vec!["a\"b"]]),
            ("\"a\"b", vec![vec!["\"a\"b"]]),
            ("\"a\nb\"", vec![vec!["a\nb"]]),
            ("a\r\nb\nc\r\nd", vec![vec!["a"], vec!["b\nc"], vec!["d"]]),
            ("a\rb\nc", vec![vec!["a"], vec!["b\nc"]]),
            ("a\nb\rc", vec![vec!["a"], vec!["b\rc"]]),
            ("\"\"", vec![vec![""]]),
        ] {
            assert_eq!(list(text), expected, "{text:?}");
        }
    }

    #[test]
    fn entries_refuse_loose_quotes() {
        let message = |text: &str| parse(text, Dialect::Entry).unwrap_err().to_string();
        assert_eq!(
            message("type=raw,value=\"x\""),
            "Invalid Opening Quote: a quote is found on field 1 at line 1, value is \"value=\""
        );
        assert!(message("\"a\"b").starts_with("Invalid Closing Quote: got \"b\" at line 1"));
        assert!(message("\"a").starts_with("Quote Not Closed"));
        assert_eq!(parse("#a", Dialect::Entry).unwrap(), [["#a"]]);
    }
}
