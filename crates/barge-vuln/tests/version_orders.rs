//! The orders of versions against the programs that define them, and against the laws of a total order.
//!
//! A program that is not installed is passed over, except in CI (`CI=true`), where its absence is a failure.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests ask the environment and fail by panicking"
)]

use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

use barge_vuln::version::{Scheme, Version, compare};
use proptest::prelude::*;

/// Reads pairs with a tab between them, answers -1, 0, 1 or `e` line by line.
struct Oracle {
    scheme: Scheme,
    command: &'static [&'static str],
    /// Pieces from which versions are made, besides [`VERSIONS`].
    pieces: &'static [&'static str],
}

const RUBY: &str = "STDIN.each_line { |line| a, b = line.chomp.split(\"\\t\", -1)\n\
    begin; puts(Gem::Version.new(a) <=> Gem::Version.new(b)); rescue ArgumentError; puts 'e'; end }";

const PYTHON: &str = "import sys\nfrom packaging.version import Version as V\n\
    for line in sys.stdin:\n    a, b = line.rstrip('\\n').split('\\t')\n    try:\n        x, y = V(a), V(b)\n        \
    print((x > y) - (x < y))\n    except Exception:\n        print('e')";

const RPM: &str = "import sys, rpm\nfor line in sys.stdin:\n    a, b = line.rstrip('\\n').split('\\t')\n    \
    try:\n        x, y = rpm.ver(a), rpm.ver(b)\n        print((x > y) - (x < y))\n    \
    except ValueError:\n        print('e')";

const PERL: &str = "use Dpkg::Version; while (<STDIN>) { chomp; my ($a, $b) = split /\\t/, $_, -1; \
    my ($x, $y) = map { Dpkg::Version->new($_, check => 1) } $a, $b; \
    print defined $x && defined $y ? version_compare($a, $b) : 'e', \"\\n\" }";

const PHP: &str = "require '/usr/share/php/Composer/Semver/autoload.php'; $p = new Composer\\Semver\\VersionParser();\n\
    while (($line = fgets(STDIN)) !== false) { [$a, $b] = explode(\"\\t\", rtrim($line, \"\\n\"));\n\
    try { $x = $p->normalize($a); $y = $p->normalize($b); $u = strpos($x, 'dev-') === 0; $v = strpos($y, 'dev-') === 0;\n\
    echo $u || $v ? ($u && $v ? strcmp($x, $y) <=> 0 : ($u ? -1 : 1)) : version_compare($x, $y), \"\\n\"; }\n\
    catch (\\Exception $e) { echo \"e\\n\"; } }";

const NODE: &str = "let semver;\n\
    for (const at of ['semver', '/usr/share/nodejs/semver', '/usr/lib/node_modules/npm/node_modules/semver'])\n\
    try { semver = semver || require(at); } catch (e) {}\n\
    for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) { const [a, b] = line.split('\\t');\n\
    try { console.log(semver.compare(a, b)); } catch (e) { console.log('e'); } }";

/// Runs from source; ComparableVersion is in every installation of Maven 3.
const JAVA: &str = "import java.io.*; import org.apache.maven.artifact.versioning.ComparableVersion;\n\
    public class Compare { public static void main(String[] none) throws Exception {\n\
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, \"UTF-8\"));\n\
    for (String line; (line = lines.readLine()) != null;) { String[] p = line.split(\"\\t\", -1);\n\
    System.out.println(Integer.signum(new ComparableVersion(p[0]).compareTo(new ComparableVersion(p[1])))); } } }";

/// Pacman's own program compares one pair each time.
const VERCMP: &str =
    "while IFS=\"$(printf '\\t')\" read -r a b; do vercmp \"$a\" \"$b\" || exit; done";

const ORACLES: [Oracle; 7] = [
    Oracle {
        scheme: Scheme::Alpm,
        command: &["sh", "-c", VERCMP],
        pieces: &[
            "a", "rc", ".", "..", "-", "_", "+", "~", ":", "1:", "git", "^",
        ],
    },
    Oracle {
        scheme: Scheme::Gem,
        command: &["ruby", "-e", RUBY],
        pieces: &[".", "-", "a", "rc", "pre", "Z", ".0"],
    },
    Oracle {
        scheme: Scheme::Pep440,
        command: &["python3", "-c", PYTHON],
        pieces: &[
            "a", "rc", ".post", ".dev", "-", "_", ".", "+l", "+1.a", "alpha", "c", "preview",
            "rev", "1!", "v", "RC",
        ],
    },
    Oracle {
        scheme: Scheme::Rpm,
        command: &["/usr/bin/python3", "-c", RPM],
        pieces: &["~", "^", ".", "-", "_", "+", "a", "rc", "el8", "^^", "~~"],
    },
    Oracle {
        scheme: Scheme::Deb,
        command: &["perl", "-e", PERL],
        pieces: &["~", "+", "-", ".", "a", "rc", "~~", "deb11u1"],
    },
    Oracle {
        scheme: Scheme::Composer,
        command: &["php", "-r", PHP],
        pieces: &[
            ".", "-", "a", "b", "RC", "alpha", "patch", "pl", "p", "-dev", ".x", "v", "@stable",
            "+b", "x-dev", "2010",
        ],
    },
    Oracle {
        scheme: Scheme::Npm,
        command: &["node", "-e", NODE],
        pieces: &["-", ".", "-rc.1", "alpha", "beta.2", "+b", "-0"],
    },
];

const MAVEN_PIECES: &[&str] = &[
    "-",
    ".",
    "a",
    "b",
    "m",
    "alpha",
    "milestone",
    "rc",
    "cr",
    "snapshot",
    "final",
    "ga",
    "sp",
    "x",
    "RC",
    "_",
    "1a1",
];

/// Versions of all ecosystems: each order must cope with the shapes of the others.
const VERSIONS: [&str; 22] = [
    "0",
    "1",
    "1.0",
    "1.0.0",
    "1.0.1",
    "1.10",
    "1.9",
    "1.01",
    "2.0-rc1",
    "2.0.0-beta.11",
    "2.0.0-alpha.beta",
    "1.0~rc1-1",
    "7.0.4-1ubuntu2.1",
    "20210101",
    "2010.01.02",
    "1.0.0.1",
    "00.1",
    "10.5.0.Final",
    "1.0-SNAPSHOT",
    "3.2.0a1",
    "1.0.post1",
    "999999999999999999999.1",
];

/// A generator that gives the same versions on every machine (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn version(&mut self, pieces: &[&str]) -> String {
        let mut version = VERSIONS[self.below(VERSIONS.len())].to_owned();
        for _ in 0..self.below(4) {
            let at = self.below(version.len() + 1);
            match self.below(3) {
                0 if at < version.len() => drop(version.remove(at)),
                1 => version.insert_str(at, ["0", "1", "01", "10"][self.below(4)]),
                _ => version.insert_str(at, pieces[self.below(pieces.len())]),
            }
        }
        version
    }

    fn pairs(&mut self, pieces: &[&str], count: usize) -> Vec<(String, String)> {
        (0..count)
            .map(|_| {
                let left = self.version(pieces);
                let mut right = if self.below(2) == 0 {
                    left.clone()
                } else {
                    self.version(pieces)
                };
                let at = self.below(right.len() + 1);
                right.insert_str(at, pieces[self.below(pieces.len())]);
                (left, right)
            })
            .collect()
    }
}

/// Asks a program about all pairs; `None` if it is not there or cannot work.
fn ask(command: &[&str], pairs: &[(String, String)]) -> Option<Vec<String>> {
    let (program, arguments) = command.split_first()?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.ok()?;
    let lines: String = pairs
        .iter()
        .map(|(left, right)| format!("{left}\t{right}\n"))
        .collect();
    let mut stdin = child.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writer.join().unwrap().ok()?;
    let answers: Vec<String> = String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .map(str::to_owned)
        .collect();
    (output.status.success() && answers.len() == pairs.len()).then_some(answers)
}

/// Every answer of the program is ours, for all versions that both can read.
fn check(scheme: Scheme, command: &[&str], pieces: &[&str]) {
    let pairs = Numbers(0x9e37_79b9_7f4a_7c15).pairs(pieces, 3000);
    let Some(answers) = ask(command, &pairs) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "the program that defines {scheme} versions is not installed"
        );
        return;
    };
    let mut compared = 0;
    for ((left, right), answer) in pairs.iter().zip(answers) {
        let (Ok(wanted), Ok(found)) = (answer.parse::<i8>(), compare(scheme, left, right)) else {
            continue;
        };
        assert_eq!(found as i8, wanted.signum(), "{scheme} `{left}` `{right}`");
        compared += 1;
    }
    assert!(
        compared > 50,
        "{scheme}: only {compared} pairs could be compared"
    );
}

#[test]
fn orders_are_those_of_the_defining_programs() {
    for oracle in ORACLES {
        check(oracle.scheme, oracle.command, oracle.pieces);
    }
}

#[test]
fn the_order_of_maven_is_comparable_version() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("Compare.java");
    std::fs::write(&source, JAVA).unwrap();
    let jar = std::env::var("MAVEN_ARTIFACT_JAR")
        .unwrap_or_else(|_| "/usr/share/java/maven3-artifact.jar".to_owned());
    check(
        Scheme::Maven,
        &["java", "-cp", &jar, source.to_str().unwrap()],
        MAVEN_PIECES,
    );
}

#[test]
fn apk_versions_order_as_apk_tools_documents() {
    // Facts of apk-tools' version test, as strictly rising chains.
    let chains: [&[&str]; 5] = [
        &[
            "1.0_alpha",
            "1.0_alpha2",
            "1.0_beta",
            "1.0_pre",
            "1.0_rc1",
            "1.0_rc2",
            "1.0",
            "1.0-r1",
            "1.0-r10",
            "1.0~0",
            "1.0_cvs",
            "1.0_p",
            "1.0_p1",
            "1.0a",
            "1.0.0",
        ],
        &["1.0", "1.00", "1.000", "1.01", "1.1", "1.10", "2"],
        &["0.9_rc1", "0.9", "01.0", "1.0.1"],
        &["1.2.3~ab", "1.2.3_git20200101"],
        &["3.1.1-r1", "3.1.1-r2", "3.1.2-r0"],
    ];
    for chain in chains {
        for pair in chain.windows(2) {
            let order = compare(Scheme::Apk, pair[0], pair[1]);
            assert_eq!(order, Ok(Ordering::Less), "{pair:?}");
        }
    }
    for text in [
        "",
        "a",
        "1.",
        "1..2",
        "1.0_",
        "1.0_foo",
        "1.0-r",
        "1.0-1",
        "1.0A",
        "1.0ab",
        "1.0~",
        "1.0-r1_p1",
    ] {
        assert!(compare(Scheme::Apk, text, "1").is_err(), "{text}");
    }
}

#[test]
fn what_dpkg_refuses_is_no_debian_version() {
    for text in ["1:", "a:1.0", "1 0", "1.0-", "1.0--", "1:-1"] {
        assert!(compare(Scheme::Deb, text, "1.0").is_err(), "{text}");
    }
    // It warns of these, and compares them.
    for text in ["v1", "latest", "1.0_1"] {
        let order = compare(Scheme::Deb, text, text);
        assert_eq!(order, Ok(Ordering::Equal), "{text}");
    }
}

#[test]
fn what_node_semver_refuses_is_no_npm_version() {
    for text in [
        "4.17.20,4.17.21",
        "1.2.3 - 1.2.4",
        "1.2.3||1.2.4",
        "^1.2.3",
        "1.2.x",
        "latest",
        "1.2.3_4",
        "1.2.3-a_b",
        "1.2.3+a_b",
        "1.2.3:4",
        "1.2.3@4",
        "1.2.3#readme",
        "1.2.3-é",
    ] {
        assert!(compare(Scheme::Npm, text, "1.2.3").is_err(), "{text}");
    }
    for text in [
        "v1.2.3",
        "= 1.2.3",
        "v=1.2.3",
        "==1.2.3",
        " 1.2.3 ",
        "1.2.3+a-b",
    ] {
        let order = compare(Scheme::Npm, text, "1.2.3");
        assert_eq!(order, Ok(Ordering::Equal), "{text}");
    }
}

#[test]
fn orders_without_an_installed_program_follow_their_documents() {
    use Ordering::{Equal, Greater, Less};
    let cases = [
        (Scheme::Nuget, "1.0", "1.0.0.0", Equal),
        (Scheme::Nuget, "1.0.0-Beta", "1.0.0-beta", Equal),
        (Scheme::Nuget, "1.0.0+a", "1.0.0+b", Equal),
        (Scheme::Nuget, "1.0.0-rc.9", "1.0.0-rc.10", Less),
        (Scheme::Nuget, "1.0.0-1", "1.0.0-a", Less),
        (Scheme::Nuget, "1.0.0.1", "1.0.0", Greater),
        (Scheme::Cran, "1.0-1", "1.0.1", Equal),
        (Scheme::Cran, "1.0", "1.0.0", Less),
        (Scheme::Hackage, "1.10", "1.9", Greater),
        (Scheme::Hackage, "1.0", "1.0.0", Less),
        (Scheme::Alpm, "1.0rc", "1.0", Less),
        (Scheme::Alpm, "1:1.0", "2.0", Greater),
        (Scheme::Alpm, "1.0-1", "1.0", Equal),
        (Scheme::Opam, "1.0~beta", "1.0", Less),
        (Scheme::Opam, "v0.9", "v0.10", Less),
        (Scheme::Go, "v1.2.3+incompatible", "1.2.3", Equal),
        (Scheme::Go, "go1.22rc1", "1.22.0-rc.2", Less),
        (
            Scheme::Go,
            "v0.0.0-20200101000000-abcdef",
            "v0.0.0-20210101000000-000000",
            Less,
        ),
        (Scheme::Pub, "1.0.0+1", "1.0.0+2", Less),
        (Scheme::Pub, "1.0.0", "1.0.0+1", Less),
        (Scheme::Semver, "1.0.0+1", "1.0.0+2", Equal),
        (Scheme::Semver, "1.2", "v1.2.0", Equal),
        (Scheme::Semver, "1.0.0-alpha.1", "1.0.0-alpha.beta", Less),
    ];
    for (scheme, left, right, wanted) in cases {
        assert_eq!(
            compare(scheme, left, right),
            Ok(wanted),
            "{scheme} {left} {right}"
        );
        assert_eq!(
            compare(scheme, right, left),
            Ok(wanted.reverse()),
            "{scheme} {right} {left}"
        );
    }
}

fn version() -> impl Strategy<Value = String> {
    let number = prop_oneof![Just("0".to_owned()), "[0-9]{1,3}", "0[0-9]", "[0-9]{20}"];
    let joint = prop_oneof![
        8 => Just(".".to_owned()), 4 => Just("-".to_owned()), 1 => Just("_".to_owned()), 2 => Just("~".to_owned()),
        1 => Just("^".to_owned()), 1 => Just("+".to_owned()), 1 => Just(":".to_owned()), 1 => Just(String::new()),
    ];
    let word = prop_oneof![
        Just("a"),
        Just("rc"),
        Just("alpha"),
        Just("dev"),
        Just("p"),
        Just("SNAPSHOT"),
        Just("sp"),
        Just("x")
    ];
    let part = prop_oneof![3 => number.clone(), 1 => word.prop_map(str::to_owned)];
    (number, proptest::collection::vec((joint, part), 0..4)).prop_map(|(first, rest)| {
        rest.into_iter()
            .fold(first, |version, (joint, part)| version + &joint + &part)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_total(a in version(), b in version(), c in version()) {
        for scheme in Scheme::all() {
            let read = [&a, &b, &c].map(|text| Version::parse(scheme, text));
            let [Ok(x), Ok(y), Ok(z)] = read else { continue };
            // Pacman ignores a release that only one side has, so that equality is not transitive.
            if scheme == Scheme::Alpm && [&a, &b, &c].iter().any(|text| text.contains('-') != a.contains('-')) {
                continue;
            }
            // ComparableVersion and version_compare themselves are not transitive where words meet numbers.
            let is_transitive = !matches!(scheme, Scheme::Maven | Scheme::Composer)
                || [&a, &b, &c].iter().all(|text| !text.bytes().any(|byte| byte.is_ascii_alphabetic()));
            let order = |left: &Version<'_>, right: &Version<'_>| left.compare(right).unwrap();
            prop_assert_eq!(order(&x, &x), Ordering::Equal, "{} {}", scheme, a);
            prop_assert_eq!(order(&x, &y), order(&y, &x).reverse(), "{} {} {}", scheme, a, b);
            if !is_transitive {
                continue;
            }
            let (xy, yz, xz) = (order(&x, &y), order(&y, &z), order(&x, &z));
            if xy == yz {
                prop_assert_eq!(xz, xy, "{} {} {} {}", scheme, a, b, c);
            }
            if xy == Ordering::Equal {
                prop_assert_eq!(xz, yz, "{} {} {} {}", scheme, a, b, c);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd(a in "\\PC{0,24}", b in "[0-9a-z.~^+_:-]{0,24}") {
        for scheme in Scheme::all() {
            drop(compare(scheme, &a, &b));
            drop(compare(scheme, &b, &a));
        }
    }
}

#[test]
fn hostile_versions_cost_little() {
    for text in [
        "-".repeat(1024),
        "1-a".repeat(341),
        "9".repeat(1024),
        ".".repeat(1024),
        "1".repeat(2000),
        "é".repeat(512),
    ] {
        for scheme in Scheme::all() {
            drop(compare(scheme, &text, &text));
        }
    }
}
