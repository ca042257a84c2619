//! Evidence in text and JSON of every ecosystem.
#![no_main]

mod evidence;

use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &[
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/a",
    "lib/apk/db/installed",
    "var/lib/pacman/local/a-1-1/desc",
    "usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
    "app/node_modules/a/package.json",
    "usr/share/gems/specifications/a-1.gemspec",
    "app/vendor/composer/installed.json",
    "app/a.deps.json",
    "usr/lib/R/library/a/DESCRIPTION",
    "app/package-lock.json",
    "app/yarn.lock",
    "app/pnpm-lock.yaml",
    "app/Cargo.lock",
    "app/go.mod",
    "app/Gemfile.lock",
    "app/pom.xml",
    "opt/conda/conda-meta/a.json",
    "usr/lib/erlang/lib/a-1/ebin/a.app",
    "etc/os-release",
    "app/a.cdx.json",
    "lib/luarocks/rocks-5.4/a/1-1/a-1-1.rockspec",
    "app/.pnp.cjs",
    "app/bundler/gems/a-1/a.gemspec",
    "lib/modules/a.ko.gz",
];

fuzz_target!(|data: &[u8]| {
    if let Some((name, content)) = evidence::choose(NAMES, data) {
        evidence::examine(name, content);
    }
});
