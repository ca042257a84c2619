//! Reads `rules.txt`, which says how it is written.

use super::encode::{layer, pack};

/// A rule, an image that breaks where it is not kept, and what the image holds.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Compression, and entries.
    layers: Vec<(String, Vec<String>)>,
    /// What must be there, sorted.
    pub(crate) files: Vec<String>,
    /// What the daemon shows instead.
    pub(crate) shown: Option<Vec<String>>,
    /// Words in which the daemon refuses the image.
    pub(crate) refusal: Option<String>,
}

/// A layer as it lies in an archive, and unpacked.
pub(crate) struct Layer {
    pub(crate) packed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

impl Rule {
    pub(crate) fn all() -> Vec<Self> {
        let text = include_str!("rules.txt");
        let rules = text.split("\n# ").skip(1);
        rules.map(Self::parse).collect()
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let mut rule = Self {
            name: lines.next().unwrap().to_owned(),
            layers: vec![(String::new(), Vec::new())],
            ..Self::default()
        };
        let mut is_expectation = false;
        for line in lines.filter(|line| !line.is_empty()) {
            if let Some(compression) = line.strip_prefix("--") {
                rule.layers
                    .push((compression.trim().to_owned(), Vec::new()));
            } else if let Some(words) = line.strip_prefix("! ") {
                rule.refusal = Some(words.to_owned());
            } else if line == "!=" {
                rule.shown = Some(Vec::new());
            } else if line == "==" {
                is_expectation = true;
            } else if let Some(shown) = &mut rule.shown {
                shown.push(normal(line));
            } else if is_expectation {
                rule.files.push(normal(line));
            } else {
                rule.layers.last_mut().unwrap().1.push(line.to_owned());
            }
        }
        rule.files.sort();
        rule
    }

    pub(crate) fn layers(&self) -> Vec<Layer> {
        let layers = self.layers.iter().map(|(compression, lines)| {
            let plain = layer(lines);
            Layer {
                packed: pack(compression, plain.clone()),
                plain,
            }
        });
        layers.collect()
    }
}

/// The one way in which listings write a line.
fn normal(line: &str) -> String {
    super::listing::text(&super::encode::bytes(line))
}
