//! Programs: one opening of the file for all catalogers that look into programs.

use super::{Name, Recognizer, classifier, elf_note, go, rust};
use crate::binary::{Format, Program};
use crate::finding::{Examined, File, Says};

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(&[Name::Program], read)];

/// Whether a file with these first bytes is a program.
pub(super) fn is_program(head: &[u8]) -> bool {
    Format::sniff(head).is_some()
}

fn read(file: &File<'_>) -> Examined {
    // Files that only begin like a program are common (DOS stubs, cut debug files), and no evidence of anything.
    let Ok(program) = Program::open(file.content) else {
        return Ok(Says::Packages(Vec::new()));
    };
    let mut found = go::packages(&program)?;
    found.extend(rust::packages(&program)?);
    found.extend(elf_note::packages(&program)?);
    found.extend(classifier::packages(&program, file.name())?);
    Ok(Says::Packages(found))
}
