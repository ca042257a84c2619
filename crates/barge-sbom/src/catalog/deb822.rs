//! Stanzas of `Field: value` lines with continuation lines (deb822(5)), as dpkg, opkg and others write them.

/// The fields of one stanza, in order. Continuation lines are joined to their field with newlines.
#[derive(Debug, Default)]
pub(crate) struct Stanza<'a> {
    fields: Vec<(&'a str, String)>,
}

impl<'a> Stanza<'a> {
    /// All stanzas of a text.
    pub(crate) fn all(text: &'a str) -> Vec<Self> {
        let mut stanzas = Vec::new();
        let mut stanza = Self::default();
        for line in text.lines() {
            if line.trim().is_empty() {
                if !stanza.fields.is_empty() {
                    stanzas.push(std::mem::take(&mut stanza));
                }
            } else if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = stanza.fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            } else if let Some((field, value)) = line.split_once(':') {
                stanza.fields.push((field, value.trim().to_owned()));
            }
        }
        if !stanza.fields.is_empty() {
            stanzas.push(stanza);
        }
        stanzas
    }

    /// A field's value, if it has one. Field names are compared without case.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        let (_, value) = self
            .fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(field))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// The names in a list of relations: `a (>= 1) | b:any, c` is `[[a, b], [c]]`.
pub(crate) fn relations(text: &str) -> Vec<Vec<String>> {
    text.split(',')
        .map(|need| {
            need.split('|')
                .filter_map(relation_name)
                .collect::<Vec<_>>()
        })
        .filter(|alternatives| !alternatives.is_empty())
        .collect()
}

fn relation_name(relation: &str) -> Option<String> {
    let name = relation.split_whitespace().next()?;
    let name = name.split(['(', ':', '[']).next()?;
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stanzas() {
        let stanzas = Stanza::all("\nPackage: a\nDescription: one\n two\n .\n\n\nPackage: b\n");
        assert_eq!(stanzas.len(), 2);
        assert_eq!(stanzas[0].get("description"), Some("one\ntwo\n."));
        assert_eq!(stanzas[1].get("Package"), Some("b"));
        assert_eq!(stanzas[1].get("Version"), None);
    }

    #[test]
    fn reads_relations() {
        assert_eq!(
            relations("a (>= 1) | b:any, c[amd64],, d(<2)"),
            [vec!["a", "b"], vec!["c"], vec!["d"]]
        );
    }
}
