//! Here-documents: their texts stand on the lines after the command that reads them.

use std::sync::Arc;

use super::super::syntax::{Direction, Kind, List, Part, Redirect, Word};
use super::cursor::{Parsed, Parser};
use super::word::literal_with_placeholders;

/// A here-document whose text follows on the next lines; found by its number when the text has been read.
pub(super) struct HereDocument {
    delimiter: String,
    literal: bool,
    strip_tabs: bool,
    text: Option<Word>,
}

impl Parser<'_> {
    pub(super) fn read_heredocs(&mut self) {
        for number in 0..self.heredocs.len() {
            let Some((delimiter, literal, strip_tabs)) = self
                .heredocs
                .get(number)
                .filter(|document| document.text.is_none())
                .map(|document| {
                    (
                        document.delimiter.clone(),
                        document.literal,
                        document.strip_tabs,
                    )
                })
            else {
                continue;
            };
            let start = self.at;
            let mut body = String::new();
            while self.at < self.text.len() {
                let rest = self.rest();
                let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let line = rest.get(..end).unwrap_or_default();
                self.at += end;
                let content = if strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if content.trim_end_matches(['\n', '\r']) == delimiter {
                    break;
                }
                body.push_str(content);
            }
            let word = if literal {
                Word::new(self.span(start, self.at), literal_with_placeholders(&body))
            } else {
                // Where tabs were taken off the places in it are a little early.
                let mut inner = Parser::new(&body, self.base + start, self.depth + 1);
                let parts = inner.quoted_parts(None).unwrap_or_default();
                Word::new(self.span(start, self.at), parts)
            };
            if let Some(document) = self.heredocs.get_mut(number) {
                document.text = Some(word);
            }
        }
    }

    pub(super) fn heredoc(
        &mut self,
        descriptor: Option<u32>,
        strip_tabs: bool,
    ) -> Parsed<Redirect> {
        let word = self.word()?;
        let literal = word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Literal(_, true)));
        let delimiter = word.literal().unwrap_or_default();
        self.heredocs.push(HereDocument {
            delimiter,
            literal,
            strip_tabs,
            text: None,
        });
        // The number stands for the text until it has been read.
        let number = format!("\u{0}{}", self.heredocs.len() - 1);
        let target = Word::new(word.span, vec![Part::Literal(number, true)]);
        Ok(Redirect {
            descriptor,
            direction: Direction::Text,
            target,
        })
    }
}

/// Puts the texts of here-documents where their numbers stand.
pub(super) fn fill_heredocs(list: &mut List, documents: &[HereDocument]) {
    for and_or in list {
        for pipeline in std::iter::once(&mut and_or.first)
            .chain(and_or.rest.iter_mut().map(|(_, pipeline)| pipeline))
        {
            for command in &mut pipeline.commands {
                for redirect in &mut command.redirects {
                    let number = redirect
                        .target
                        .literal()
                        .and_then(|text| text.strip_prefix('\u{0}')?.parse::<usize>().ok());
                    if let Some(text) = number
                        .and_then(|number| documents.get(number))
                        .and_then(|document| document.text.clone())
                    {
                        redirect.target = text;
                    }
                }
                match &mut command.kind {
                    Kind::If(branches, otherwise) => {
                        for (condition, body) in branches {
                            fill_heredocs(condition, documents);
                            fill_heredocs(body, documents);
                        }
                        fill_heredocs(otherwise, documents);
                    }
                    Kind::For(_, _, body) | Kind::Group(body) | Kind::Subshell(body) => {
                        fill_heredocs(body, documents);
                    }
                    Kind::Function(_, body) => fill_heredocs(Arc::make_mut(body), documents),
                    Kind::While(condition, body) => {
                        fill_heredocs(condition, documents);
                        fill_heredocs(body, documents);
                    }
                    Kind::Case(_, arms) => arms
                        .iter_mut()
                        .for_each(|(_, body)| fill_heredocs(body, documents)),
                    Kind::Simple(..) | Kind::Test(_) | Kind::Arithmetic => {}
                }
            }
        }
    }
}
