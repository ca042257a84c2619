//! Finds the recognizer of a file by tables of names, and has it read the file.

use std::sync::LazyLock;

use barge_image::layer::{Content, FileHead, Interest};
use hashbrown::HashMap;

use super::{CATALOGS, Name, Recognizer, Stage, program};
use crate::finding::{File, Finding, Says};

#[derive(Default)]
struct Table {
    recognizers: Vec<&'static Recognizer>,
    by_name: HashMap<&'static [u8], Vec<u16>>,
    by_extension: HashMap<&'static [u8], Vec<u16>>,
    by_prefix: Vec<(&'static [u8], u16)>,
    by_directory: HashMap<&'static [u8], Vec<u16>>,
    programs: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    for (role, recognizer) in (0u16..).zip(CATALOGS.iter().copied().flatten()) {
        table.recognizers.push(recognizer);
        for name in recognizer.names {
            match name {
                Name::Is(name) => table.by_name.entry(name.as_bytes()).or_default().push(role),
                Name::Extension(name) => {
                    table
                        .by_extension
                        .entry(name.as_bytes())
                        .or_default()
                        .push(role);
                }
                Name::Begins(prefix) => table.by_prefix.push((prefix.as_bytes(), role)),
                Name::In(name) => {
                    table
                        .by_directory
                        .entry(name.as_bytes())
                        .or_default()
                        .push(role);
                }
                Name::Program => table.programs.push(role),
            }
        }
    }
    table
});

/// The recognizer of a role.
pub(crate) fn recognizer(role: u16) -> Option<&'static Recognizer> {
    TABLE.recognizers.get(usize::from(role)).copied()
}

/// What a layer pass is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Catalogers {
    /// Whether lock files and the like count: what a project asks for, not only what is installed.
    pub declared: bool,
}

impl Catalogers {
    fn wants(self, role: u16, file: &FileHead<'_>) -> bool {
        recognizer(role).is_some_and(|recognizer| {
            (self.declared || recognizer.stage == Stage::Installed)
                && (recognizer.empty || file.size > 0)
                && (recognizer.accepts)(file)
        })
    }
}

impl Interest for Catalogers {
    type Role = u16;
    type Finding = Finding;

    fn role(&self, file: &FileHead<'_>) -> Option<u16> {
        let named = TABLE.by_name.get(file.name).into_iter().flatten();
        let mut lower = [0; 16];
        let by_extension = extension(file.name, &mut lower)
            .and_then(|extension| TABLE.by_extension.get(extension));
        let directory = file
            .directory
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        let neighbours = TABLE.by_directory.get(directory).into_iter().flatten();
        let prefixed = TABLE
            .by_prefix
            .iter()
            .filter(|(prefix, _)| file.name.starts_with(prefix))
            .map(|(_, role)| role);
        let programs: &[u16] = if program::is_program(file.head) {
            &TABLE.programs
        } else {
            &[]
        };
        named
            .chain(by_extension.into_iter().flatten())
            .chain(neighbours)
            .chain(prefixed)
            .chain(programs)
            .copied()
            .find(|role| self.wants(*role, file))
    }

    fn examine(&self, role: u16, path: &[u8], content: &dyn Content) -> Option<Finding> {
        let recognizer = recognizer(role)?;
        let path = String::from_utf8_lossy(path);
        let file = File {
            path: &path,
            content,
        };
        let says = (recognizer.read)(&file).unwrap_or_else(|refusal| Says::Unreadable(refusal.0));
        match &says {
            Says::Packages(none) if none.is_empty() => None,
            _ => Some(Finding { role, says }),
        }
    }
}

/// The extension in lower case, if it is short enough to be one of ours.
fn extension<'a>(name: &[u8], lower: &'a mut [u8; 16]) -> Option<&'a [u8]> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let extension = &name[dot + 1..];
    let lower = lower.get_mut(..extension.len())?;
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    Some(lower)
}
