//! The catalogers: one file an ecosystem, each a list of [`Recognizer`]s.
//!
//! A file is recognised by its name, looked up in a table, and by its first bytes; globs are never walked. What the file
//! says is a pure function of its content and path, so it can be cached with its layer.

mod apk;
mod chisel;
mod classifier;
mod cocoapods;
mod conan;
mod conda;
mod dart;
mod deb822;
mod dotnet;
mod dpkg;
mod elf_note;
mod embedded;
mod erlang;
mod github_actions;
mod go;
mod go_mod;
mod go_version;
mod haskell;
mod homebrew;
mod java;
mod julia;
mod kernel;
mod kernel_module;
mod lines;
mod lock_java;
mod lock_npm;
mod lock_python;
mod lock_toml;
mod lua;
mod maven;
mod npm;
mod ocaml;
mod opkg;
mod os_release;
mod pacman;
mod perl;
mod php;
mod portage;
mod program;
mod python;
mod r;
mod rpm;
mod ruby;
mod rust;
mod swi_prolog;
mod swift;
mod terraform;
mod vcpkg;
mod wordpress;
mod yarn_pnp;

use std::collections::HashMap;
use std::sync::LazyLock;

use barge_image::layer::{Content, FileHead, Interest};

use crate::finding::{Examined, File, Finding, Says};

/// Changes with the source of the catalogers (`build.rs`): part of the key of cached results.
pub const VERSION: &str = env!("BARGE_CATALOGERS");

/// Says which files are evidence of something, and reads them.
pub(crate) struct Recognizer {
    /// The names that such files have.
    pub(crate) names: &'static [Name],
    /// What else must be true of the directory or the first bytes.
    pub(crate) accepts: fn(&FileHead<'_>) -> bool,
    /// Where the file counts.
    pub(crate) place: Place,
    /// A file that must lie beside it, by its path from the same directory; empty when none must.
    pub(crate) beside: &'static str,
    /// Whether it tells what is installed, or what a project asks for.
    pub(crate) stage: Stage,
    /// Whether a file without content says something by its name.
    pub(crate) empty: bool,
    pub(crate) read: fn(&File<'_>) -> Examined,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Name {
    Is(&'static str),
    /// The part after the last dot, in lower case.
    Extension(&'static str),
    Begins(&'static str),
    /// Any name in a directory that is called so.
    In(&'static str),
    /// Files that begin with the magic number of a program.
    Program,
}

/// Where a file must lie in the squashed image to count; checked when links are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    /// Paths that end so, and the file that `/`, `/var/` or `/usr/` before it leads to through links.
    Files(&'static [&'static str]),
    /// Any file in a directory whose path ends so, or that such a path leads to.
    In(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Installed,
    Declared,
}

impl Recognizer {
    /// Files of these names, wherever they lie.
    const fn new(names: &'static [Name], read: fn(&File<'_>) -> Examined) -> Self {
        Self {
            names,
            accepts: |_| true,
            place: Place::Anywhere,
            beside: "",
            stage: Stage::Installed,
            empty: false,
            read,
        }
    }

    const fn accepts(mut self, accepts: fn(&FileHead<'_>) -> bool) -> Self {
        self.accepts = accepts;
        self
    }

    const fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    const fn beside(mut self, path: &'static str) -> Self {
        self.beside = path;
        self
    }

    const fn declared(mut self) -> Self {
        self.stage = Stage::Declared;
        self
    }

    const fn even_empty(mut self) -> Self {
        self.empty = true;
        self
    }
}

/// All recognizers, in the order in which they are asked.
static CATALOGS: [&[Recognizer]; 42] = [
    os_release::RECOGNIZERS,
    dpkg::RECOGNIZERS,
    chisel::RECOGNIZERS,
    opkg::RECOGNIZERS,
    apk::RECOGNIZERS,
    rpm::RECOGNIZERS,
    pacman::RECOGNIZERS,
    portage::RECOGNIZERS,
    python::RECOGNIZERS,
    conda::RECOGNIZERS,
    npm::RECOGNIZERS,
    yarn_pnp::RECOGNIZERS,
    ruby::RECOGNIZERS,
    php::RECOGNIZERS,
    java::RECOGNIZERS,
    dotnet::RECOGNIZERS,
    r::RECOGNIZERS,
    lua::RECOGNIZERS,
    erlang::RECOGNIZERS,
    haskell::RECOGNIZERS,
    ocaml::RECOGNIZERS,
    swi_prolog::RECOGNIZERS,
    conan::RECOGNIZERS,
    vcpkg::RECOGNIZERS,
    homebrew::RECOGNIZERS,
    perl::RECOGNIZERS,
    wordpress::RECOGNIZERS,
    kernel::RECOGNIZERS,
    kernel_module::RECOGNIZERS,
    embedded::RECOGNIZERS,
    program::RECOGNIZERS,
    lock_npm::RECOGNIZERS,
    lock_toml::RECOGNIZERS,
    lock_python::RECOGNIZERS,
    lock_java::RECOGNIZERS,
    go_mod::RECOGNIZERS,
    dart::RECOGNIZERS,
    swift::RECOGNIZERS,
    cocoapods::RECOGNIZERS,
    julia::RECOGNIZERS,
    terraform::RECOGNIZERS,
    github_actions::RECOGNIZERS,
];

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

/// Whether the innermost directories of a file are called so, outermost first.
fn directory_ends_with(file: &FileHead<'_>, suffix: &str) -> bool {
    path_ends_with(file.directory, suffix.as_bytes())
}

/// Whether a path ends with whole components.
pub(crate) fn path_ends_with(path: &[u8], suffix: &[u8]) -> bool {
    path.strip_suffix(suffix)
        .is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}
