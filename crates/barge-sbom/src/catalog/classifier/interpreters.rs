//! Shells, interpreters, runtimes and compilers, and the libraries that are these.

use super::{Classifier, classifier};

/// Sorted by package.
pub(super) static INTERPRETERS: [Classifier; 22] = [
    classifier(
        "bash",
        ("gnu", "bash"),
        &["bash"],
        r"@\(#\)Bash version (\d+\.\d+\.\d+)",
    ),
    classifier("bun", ("oven", "bun"), &["bun"], r"Bun v(\d+\.\d+\.\d+) \("),
    classifier(
        "busybox",
        ("busybox", "busybox"),
        &["busybox"],
        r"(?:BusyBox v|busybox httpd/|crond \(busybox )(\d+\.\d+\.\d+)",
    ),
    classifier(
        "deno",
        ("deno", "deno"),
        &["deno"],
        r"Deno/(\d+\.\d+\.\d+)\+[0-9a-f]{7}",
    ),
    classifier(
        "gawk",
        ("gnu", "gawk"),
        &["gawk"],
        r"\x00GNU Awk (\d+\.\d+\.\d+)",
    ),
    classifier(
        "gcc",
        ("gnu", "gcc"),
        &[
            "cc1",
            "cc1plus",
            "gcc",
            "g++",
            "cpp",
            "x86_64-linux-gnu-gcc",
            "x86_64-linux-gnu-g++",
            "x86_64-linux-gnu-cpp",
        ],
        r"\x00(\d+\.\d+\.\d+)(?: \d{8})?\x00\([^)\x00]{1,60}\) \x00",
    ),
    classifier(
        "guile",
        ("gnu", "guile"),
        &["libguile"],
        r"\x00guileversion\x00(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "llvm",
        ("llvm", "llvm"),
        &["libLLVM*"],
        r"\x00LLVM\x00 version \x00(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "lua",
        ("lua", "lua"),
        &["lua", "luac", "liblua"],
        r"\$Lua(?:Version)?: Lua (\d+\.\d+\.\d+)",
    ),
    classifier(
        "luajit",
        ("luajit", "luajit"),
        &["luajit", "libluajit"],
        r"\x00LuaJIT (\d+\.\d+\.\d+(?:-beta\d+)?)\x00",
    ),
    classifier(
        "node",
        ("nodejs", "node.js"),
        &["node", "nodejs", "libnode"],
        r"nodejs\.org/(?:download/)?(?:release|nightly|rc)/v(\d+\.\d+\.\d+)/",
    ),
    classifier(
        "ocaml",
        ("ocaml", "ocaml"),
        &["ocamlrun", "ocamlrund"],
        r"\x00The OCaml runtime, version (\d+\.\d+\.\d+)",
    ),
    classifier(
        "openjdk",
        ("oracle", "openjdk"),
        &["java", "javac", "jdb", "jshell", "keytool"],
        r"\x00openjdk\x00[a-z]+\x00[^\x80-\xff]{0,64}?\x00(\d[0-9.]*(?:\+|_)\d[0-9A-Za-z.+~-]*)\x00",
    ),
    classifier(
        "openjdk",
        ("oracle", "openjdk"),
        &["libjvm"],
        r"OpenJDK 64-Bit Server VM \((\d[0-9.]*\+\d[0-9A-Za-z.+~-]*)\) for ",
    ),
    classifier(
        "perl",
        ("perl", "perl"),
        &["perl", "libperl"],
        r"\x00v(5\.\d+\.\d+)\x00",
    ),
    classifier(
        "php",
        ("php", "php"),
        &["php", "php-fpm", "php-cgi", "libphp"],
        r"X-Powered-By: PHP/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "pypy",
        ("pypy", "pypy"),
        &["libpypy*"],
        r"\n\[PyPy (\d+\.\d+\.\d+) with",
    ),
    classifier(
        "python",
        ("python", "python"),
        &["python", "libpython"],
        r"\x00([23]\.\d{1,2}\.\d{1,2}(?:(?:a|b|rc)\d+)?\+?)\x00(?:%\.80s \(|strict\x00)",
    ),
    classifier(
        "ruby",
        ("ruby-lang", "ruby"),
        &["ruby", "libruby", "libruby-"],
        r"\x00ruby (\d+\.\d+\.\d+)(?:p\d+|\w*)? \(",
    ),
    classifier(
        "rust",
        ("rust-lang", "rust"),
        &["librustc_driver*"],
        r"(?:rustc version )?(\d+\.\d+\.\d+)(?: \([0-9a-f]{9} \d{4}-\d\d-\d\d\)|clang LLVM)",
    ),
    classifier(
        "sbcl",
        ("sbcl", "steel_bank_common_lisp"),
        &["sbcl"],
        r"\x00(\d+\.\d+\.\d+)(?:\.[a-z]+)?\x00SBCL %s",
    ),
    classifier(
        "tcl",
        ("tcl", "tcl"),
        &["libtcl"],
        r"\x00([89]\.\d+\.\d+)\x00tcl_patchLevel",
    ),
];
