//! Programs: one opening of the file for all catalogers that look into programs.

use super::{Name, Recognizer, classifier, elf_note, go, rust};
use crate::binary::{Format, Program};
use crate::finding::{Examined, File, Refusal, Says};

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
    if program.is_packed() {
        return Err(Refusal::new(
            "packed by UPX, which hides what it was built from: unpack it (`upx -d`)",
        ));
    }
    let mut found = go::packages(&program)?;
    found.extend(rust::packages(&program)?);
    found.extend(elf_note::packages(&program)?);
    found.extend(classifier::packages(&program, file.name())?);
    Ok(Says::Packages(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_program_is_told() {
        let examined = |content: &Vec<u8>| {
            let path = "opt/app";
            read(&File { path, content })
        };
        let mut program = b"\x7fELF\x02\x01\x01".to_vec();
        program.resize(512, 0);
        assert!(examined(&program).is_ok());
        program[0xec..0xf0].copy_from_slice(b"UPX!");
        assert!(examined(&program).is_err());
    }
}
