//! The version of a Go program whose build information has none: from the linker's flags, the texts that the linker set,
//! the commit, or a variable of the program.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

use crate::binary::Program;

/// How much of the constants is searched for a version, in bytes, and how far from Go's own.
const CONSTANTS_LIMIT: u64 = 256 << 20;
const NEIGHBOURHOOD: usize = 1024;
/// How much of the variables is searched for a version, in bytes, and how long its text may be.
const VARIABLES_LIMIT: u64 = 32 << 20;
const TEXT_LIMIT: u64 = 40;
/// A version as programs write their own.
const VERSION: &str = r"v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:[-+~][0-9A-Za-z.+~-]+)?";

/// Modules that hold their version as a text of its own. In other programs, it may be that of something they use.
const VERSION_AS_TEXT: [&str; 8] = [
    "github.com/caddyserver/caddy",
    "github.com/containers/buildah",
    "github.com/containers/skopeo",
    "github.com/github/hub",
    "github.com/nats-io/nats-server",
    "github.com/rclone/rclone",
    "github.com/restic/restic",
    "go.etcd.io/etcd",
];

/// The version that the linker put into a variable: texts that it sets lie together, Go's own version among them, and end
/// with a zero, which other texts of Go do not. Only a single candidate counts.
pub(super) fn linked_text(program: &Program<'_>, go_version: &str) -> Option<String> {
    let go_version = go_version.split_whitespace().next()?;
    let bytes = constants(program)?.1;
    let own = regex(&format!("{}\\x00", regex::escape(go_version)))?;
    let other = regex(&format!(r"(?:^|[^0-9A-Za-z.+~-])({VERSION})\x00"))?;
    let at = own.find(&bytes)?;
    let start = at.start().saturating_sub(NEIGHBOURHOOD);
    let end = (at.end() + NEIGHBOURHOOD).min(bytes.len());
    let versions: BTreeSet<&[u8]> = other
        .captures_iter(bytes.get(start..end)?)
        .filter_map(|found| Some(without_v(found.get(1)?.as_bytes())))
        .collect();
    only(&versions)
}

/// The only version, or the one that all others add a distribution's revision to.
fn only(versions: &BTreeSet<&[u8]>) -> Option<String> {
    let (first, others) = (versions.first()?, versions.iter().skip(1));
    let is_revision = |other: &&[u8]| {
        other
            .strip_prefix(*first)
            .is_some_and(|rest| rest.starts_with(b"-"))
    };
    let version = Some(first).filter(|_| others.into_iter().all(is_revision))?;
    Some(format!("v{}", std::str::from_utf8(version).ok()?))
}

fn without_v(version: &[u8]) -> &[u8] {
    version.strip_prefix(b"v").unwrap_or(version)
}

/// The version that the linker was told to put into a variable: `-X main.version=1.2.3`.
pub(super) fn linked_version(flags: &str) -> Option<String> {
    let flags = flags.replace(['"', '\''], " ");
    let value = flags.split_whitespace().find_map(|word| {
        let (variable, value) = word.split_once('=')?;
        let name = variable.rsplit('.').next()?.to_ascii_lowercase();
        let value = value.trim_start_matches('v');
        let is_version = value.starts_with(|c: char| c.is_ascii_digit()) && value.contains('.');
        (is_version
            && matches!(
                name.as_str(),
                "version" | "ver" | "buildversion" | "appversion"
            ))
        .then_some(value)
    })?;
    Some(format!("v{value}"))
}

/// `v0.0.0-20260102030405-0123456789ab` (go.dev/ref/mod, "Pseudo-versions").
pub(super) fn pseudo_version(revision: &str, time: &str) -> Option<String> {
    let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    let revision = revision.get(..12)?;
    Some(format!("v0.0.0-{digits}-{revision}")).filter(|_| digits.len() == 14)
}

/// The module that a main package is probably of: `github.com/prometheus/prometheus` has `.../cmd/prometheus`, and
/// `github.com/containers/buildah` also `.../tests/tutorial`. The tool chain's own programs are of none.
pub(super) fn module_of(package: &str) -> Option<&str> {
    let (module, _) = package.split_once("/cmd/").unwrap_or((package, ""));
    let host = module.split('/').next()?;
    if host != "github.com" {
        return host.contains('.').then_some(module);
    }
    // A repository has an owner and a name; only a major version after them is part of a module's path.
    let mut slashes = module.match_indices('/').map(|(at, _)| at).skip(2);
    let Some(end) = slashes.next() else {
        return Some(module);
    };
    let major_end = slashes.next().unwrap_or(module.len());
    let is_major = module[end..major_end]
        .strip_prefix("/v")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    Some(&module[..if is_major { major_end } else { end }])
}

/// The version of a program that a distribution built without modules: the linker's, else the one that it holds itself.
/// Written as modules are, without the distribution's own revision.
pub(super) fn packaged_version(
    program: &Program<'_>,
    module: &str,
    go_version: &str,
) -> Option<String> {
    let own = || held_text(program, module).filter(|_| holds_its_version(module));
    let version = linked_text(program, go_version).or_else(own)?;
    Some(upstream(&version))
}

fn holds_its_version(module: &str) -> bool {
    VERSION_AS_TEXT.iter().any(|known| {
        module
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// `v1.9.0-1+b4` and `v1.7.24~ds1` of Debian are `v1.9.0` and `v1.7.24+ds1`; what comes before a release has a `-`.
fn upstream(version: &str) -> String {
    let (version, revision) = version.rsplit_once('-').unwrap_or((version, ""));
    let is_revision = revision.starts_with(|c: char| c.is_ascii_digit());
    let version = match revision {
        "" => version.to_owned(),
        _ if is_revision => version.to_owned(),
        _ => format!("{version}-{revision}"),
    };
    match version.split_once('~') {
        Some((version, repack)) if repack.starts_with("ds") || repack.starts_with("dfsg") => {
            format!("{version}+{repack}")
        }
        Some((version, rest)) => format!("{version}-{rest}"),
        None => version,
    }
}

/// The only version that the program holds as a whole text, an address and a length: in a variable, else as a constant that
/// it passes on. Of several constants, the one that it calls itself by (`skopeo/1.18.0`). Floors and placeholders (`3.0.0`,
/// `0.0.0`) do not count beside another, and never as constants.
fn held_text(program: &Program<'_>, module: &str) -> Option<String> {
    if !program.little_endian {
        return None;
    }
    let (start, texts) = constants(program)?;
    let variables = program
        .bytes(program.section(".data")?, VARIABLES_LIMIT)
        .ok()?;
    let in_variables = texts_held(&variables, start, &texts)?;
    let precise_ones = precise(&in_variables);
    let in_variables = if precise_ones.is_empty() {
        in_variables
    } else {
        precise_ones
    };
    only(&in_variables).or_else(|| {
        let passed_on = precise(&texts_held(&texts, start, &texts)?);
        only(&passed_on).or_else(|| only(&called_by(module, passed_on, &texts)?))
    })
}

/// Those versions that a text has behind the name of the program: `skopeo/1.18.0`.
fn called_by<'a>(
    module: &str,
    mut versions: BTreeSet<&'a [u8]>,
    texts: &[u8],
) -> Option<BTreeSet<&'a [u8]>> {
    let name = regex::escape(module.rsplit('/').next()?);
    let own = regex(&format!("{name}/({VERSION})"))?;
    let named: Vec<_> = own
        .captures_iter(texts)
        .filter_map(|found| Some(found.get(1)?.as_bytes()))
        .collect();
    // Constants stand side by side: what follows in the text may be another one.
    versions.retain(|version| named.iter().any(|text| text.starts_with(version)));
    Some(versions)
}

/// The versions that are whole texts, each held as an address and a length.
fn texts_held<'a>(holder: &[u8], start: u64, texts: &'a [u8]) -> Option<BTreeSet<&'a [u8]>> {
    let version = regex(&format!(r"\A{VERSION}\z"))?;
    let (words, _) = holder.as_chunks::<8>();
    let found = words
        .windows(2)
        .filter_map(|pair| text_at(pair, start, texts))
        .filter(|text| version.is_match(text))
        .map(without_v);
    Some(found.collect())
}

/// Without floors and placeholders.
fn precise<'a>(versions: &BTreeSet<&'a [u8]>) -> BTreeSet<&'a [u8]> {
    let precise = versions
        .iter()
        .filter(|version| !version.ends_with(b".0.0"));
    precise.copied().collect()
}

/// The text that an address and a length stand for.
fn text_at<'a>(pair: &[[u8; 8]], start: u64, texts: &'a [u8]) -> Option<&'a [u8]> {
    let [address, length] = pair else { return None };
    let length = u64::from_le_bytes(*length);
    let at = u64::from_le_bytes(*address).checked_sub(start)?;
    let end = at.checked_add(length).filter(|_| length <= TEXT_LIMIT)?;
    texts.get(usize::try_from(at).ok()?..usize::try_from(end).ok()?)
}

/// Where the constants lie in memory, and they themselves.
fn constants(program: &Program<'_>) -> Option<(u64, Vec<u8>)> {
    let names = [".rodata", ".rdata", "__rodata"];
    let section = names.iter().find_map(|name| program.section(name))?;
    Some((
        section.address,
        program.bytes(section, CONSTANTS_LIMIT).ok()?,
    ))
}

fn regex(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::{Format, Section};

    fn read<T>(constants: &[u8], variables: &[(u64, u64)], read: impl Fn(&Program<'_>) -> T) -> T {
        let words = variables
            .iter()
            .flat_map(|(at, length)| [0x1000 + at, *length]);
        let mut content = constants.to_vec();
        content.extend(words.flat_map(u64::to_le_bytes));
        let section = |name: &str, address, offset: usize, end: usize| Section {
            name: name.into(),
            address,
            offset: offset as u64,
            size: (end - offset) as u64,
        };
        let program = Program {
            content: &content,
            sections: vec![
                section(".rodata", 0x1000, 0, constants.len()),
                section(".data", 0x9000, constants.len(), content.len()),
            ],
            little_endian: true,
            format: Format::Elf,
        };
        read(&program)
    }

    #[test]
    fn a_text_of_the_linker_is_a_version_if_it_is_the_only_one() {
        let read =
            |constants: &[u8]| read(constants, &[], |program| linked_text(program, "go1.26.8"));
        let found = read(b"\xcb1.4.3-rc1\0\0go1.26.8\0\0runtime/cgo: \0");
        assert_eq!(found.as_deref(), Some("v1.4.3-rc1"));
        let revised = read(b"go1.26.8\0\x002.53.3+ds1\0debian/sid\x002.53.3+ds1-2\0");
        assert_eq!(revised.as_deref(), Some("v2.53.3+ds1"));
        assert_eq!(read(b"\0v1.4.3\0go1.26.8\0v2.0.0\0"), None);
        assert_eq!(read(b"\0v1.4.3\0go1.25.1\0"), None);
        assert_eq!(read(b"go1.26.8\0"), None);
    }

    #[test]
    fn a_constant_that_is_passed_on_is_a_version_if_the_program_calls_itself_by_it() {
        // As in Debian's NATS server, Skopeo and Podman.
        let texts = b"MQTT_WS2.10.27HEALTHZ0.2.61.18.0.0nameskopeo/1.18.0sign";
        let constant = |module: &str, held: &[(u64, u64)]| {
            let words = held.iter().flat_map(|(at, length)| [0x1000 + at, *length]);
            let pairs: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
            read(&[&pairs, &texts[..]].concat(), &[], |program| {
                held_text(program, module)
            })
        };
        let (nats, other, own) = ((7, 7), (21, 5), (26, 6));
        // The texts come after the pairs.
        let after = |pairs: u64, (at, length): (u64, u64)| (at + 16 * pairs, length);
        let found = constant("github.com/nats-io/nats-server", &[after(1, nats)]);
        assert_eq!(found.as_deref(), Some("v2.10.27"));
        let held = [after(2, other), after(2, own)];
        let found = constant("github.com/containers/skopeo", &held);
        assert_eq!(found.as_deref(), Some("v1.18.0"));
        assert_eq!(constant("github.com/containers/podman", &held), None);
        // `8.0.0`.
        let floor = (29, 5);
        assert_eq!(
            constant("github.com/containers/buildah", &[after(1, floor)]),
            None
        );
    }

    #[test]
    fn a_variable_holds_a_version_if_it_is_the_only_one() {
        // As in Debian's etcd, restic and rclone.
        let texts = b"3.0.03.5.16v1.60.102.01.20061.57.2\n";
        let (floor, own, other) = ((0, 5), (5, 6), (11, 7));
        let (date, line) = ((18, 10), (28, 7));
        let variable = |variables: &[(u64, u64)]| {
            read(texts, variables, |program| held_text(program, "x.org/y"))
        };
        assert_eq!(variable(&[floor, own]).as_deref(), Some("v3.5.16"));
        assert_eq!(variable(&[floor]).as_deref(), Some("v3.0.0"));
        assert_eq!(variable(&[other, date, line]).as_deref(), Some("v1.60.1"));
        assert_eq!(variable(&[own, other]), None);
        assert_eq!(variable(&[date, line, (9_999_999, 6), (0, u64::MAX)]), None);
    }

    #[test]
    fn a_distribution_revision_is_no_part_of_the_version() {
        for (packaged, expected) in [
            ("v1.9.0-1+b4", "v1.9.0"),
            ("v2.53.3+ds1", "v2.53.3+ds1"),
            ("v1.7.24~ds1-6+deb13u1", "v1.7.24+ds1"),
            ("v1.6.7~rc0", "v1.6.7-rc0"),
            ("v1.4.3-rc1", "v1.4.3-rc1"),
            ("v3.5.16", "v3.5.16"),
        ] {
            assert_eq!(upstream(packaged), expected, "{packaged}");
        }
    }

    #[test]
    fn a_main_package_is_of_a_module() {
        let of = |package| module_of(package);
        assert_eq!(of("github.com/a/b/cmd/c"), Some("github.com/a/b"));
        assert_eq!(of("github.com/a/b"), Some("github.com/a/b"));
        assert_eq!(of("github.com/a/b/tests/c"), Some("github.com/a/b"));
        assert_eq!(of("github.com/a/b/v2"), Some("github.com/a/b/v2"));
        assert_eq!(of("github.com/a/b/v2/c/d"), Some("github.com/a/b/v2"));
        assert_eq!(of("github.com/a/b/vendor/c"), Some("github.com/a/b"));
        assert_eq!(of("go.etcd.io/etcd/server"), Some("go.etcd.io/etcd/server"));
        assert_eq!(of("cmd/go"), None);
        assert!(holds_its_version("go.etcd.io/etcd/server"));
        assert!(!holds_its_version("github.com/docker/libnetwork"));
        assert_eq!(of("command-line-arguments"), None);
    }
}
