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
mod java_manifest;
mod java_runtime;
mod julia;
mod kernel;
mod kernel_module;
mod lines;
mod lock_java;
mod lock_npm;
mod lock_python;
mod lock_toml;
mod lookup;
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
mod recognizer;
mod rpm;
mod ruby;
mod rust;
mod swi_prolog;
mod swift;
mod terraform;
mod vcpkg;
mod wordpress;
mod yarn_pnp;

pub use lookup::Catalogers;
pub(crate) use lookup::recognizer;
pub(crate) use recognizer::{Name, Place, Recognizer, Stage, directory_ends_with, path_ends_with};

/// Changes with the source of the catalogers (`build.rs`): part of the key of cached results.
pub const VERSION: &str = env!("BARGE_CATALOGERS");

/// All recognizers, in the order in which they are asked.
static CATALOGS: [&[Recognizer]; 43] = [
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
    java_runtime::RECOGNIZERS,
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
