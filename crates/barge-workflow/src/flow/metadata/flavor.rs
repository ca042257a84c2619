//! `flavor:`, which holds for all rules.

use crate::symbolic::Text;

pub(super) struct Flavor {
    pub(super) latest: Option<bool>,
    pub(super) prefix: Text,
    pub(super) suffix: Text,
}

impl Flavor {
    pub(super) fn read(text: &Text) -> Option<Self> {
        let mut flavor = Self {
            latest: None,
            prefix: Text::new(),
            suffix: Text::new(),
        };
        for line in text
            .split(|c| c == '\n' || c == ',')
            .iter()
            .map(Text::trim)
            .filter(|line| !line.is_empty())
        {
            let (key, value) = line.split_first('=')?;
            match key.as_literal()?.trim() {
                "latest" => {
                    flavor.latest = match value.as_literal()?.trim() {
                        "true" => Some(true),
                        "false" => Some(false),
                        "auto" => None,
                        _ => return None,
                    }
                }
                "prefix" => flavor.prefix = value,
                "suffix" => flavor.suffix = value,
                _ => {}
            }
        }
        Some(flavor)
    }
}
