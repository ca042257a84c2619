//! What ecosystems call licences, and the SPDX identifier of each name that has one meaning only. A name that leaves the
//! version or the variant open (`BSD`, `GPL`) has none.

/// Names that ecosystems share, in lower case, without a leading "the" and a trailing "license".
const COMMON: &[(&str, &str)] = &[
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("apache software license, version 2.0", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("mit", "MIT"),
    ("mit (expat)", "MIT"),
    ("expat", "MIT"),
    ("mit/x11", "MIT"),
    ("x11/mit", "MIT"),
    ("isc", "ISC"),
    ("isc license (iscl)", "ISC"),
    ("3-clause bsd", "BSD-3-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd-3-clause", "BSD-3-Clause"),
    ("bsd3", "BSD-3-Clause"),
    ("bsd_3_clause", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("revised bsd", "BSD-3-Clause"),
    ("2-clause bsd", "BSD-2-Clause"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd-2-clause", "BSD-2-Clause"),
    ("bsd2", "BSD-2-Clause"),
    ("bsd_2_clause", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("bsd-4-clause", "BSD-4-Clause"),
    ("mpl 1.1", "MPL-1.1"),
    ("mplv1.1", "MPL-1.1"),
    ("mpl 2.0", "MPL-2.0"),
    ("mpl-2", "MPL-2.0"),
    ("mpl-2.0", "MPL-2.0"),
    ("mplv2.0", "MPL-2.0"),
    ("mozilla public license 2.0", "MPL-2.0"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("mozilla public license, version 2.0", "MPL-2.0"),
    ("psf", "PSF-2.0"),
    ("psf-2", "PSF-2.0"),
    ("python software foundation", "PSF-2.0"),
    ("eclipse public license 1.0", "EPL-1.0"),
    ("eclipse public license - v 1.0", "EPL-1.0"),
    ("eclipse public license 2.0", "EPL-2.0"),
    ("eclipse public license - v 2.0", "EPL-2.0"),
    ("eclipse public license v2.0", "EPL-2.0"),
    ("epl 2.0", "EPL-2.0"),
    ("edl 1.0", "BSD-3-Clause"),
    ("eclipse distribution license - v 1.0", "BSD-3-Clause"),
    ("boost", "BSL-1.0"),
    ("boost software license 1.0", "BSL-1.0"),
    ("boost software license 1.0 (bsl-1.0)", "BSL-1.0"),
    ("cc0", "CC0-1.0"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("unlicense", "Unlicense"),
    ("unlicense (unlicense)", "Unlicense"),
    ("wtfpl", "WTFPL"),
    ("zlib", "Zlib"),
    ("zlib/libpng", "Zlib"),
    ("artistic 2.0", "Artistic-2.0"),
    ("artistic-2", "Artistic-2.0"),
    ("artistic license 2.0", "Artistic-2.0"),
    ("perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("perl_5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("gpl+", "GPL-1.0-or-later"),
    ("gplv1", "GPL-1.0-only"),
    ("gplv1+", "GPL-1.0-or-later"),
    ("gplv2", "GPL-2.0-only"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gpl-2", "GPL-2.0-only"),
    ("gpl-3", "GPL-3.0-only"),
    ("gplv2 or later", "GPL-2.0-or-later"),
    ("gpl v2 or later", "GPL-2.0-or-later"),
    ("gpl (>= 2)", "GPL-2.0-or-later"),
    ("gpl (>= 2.0)", "GPL-2.0-or-later"),
    ("gplv3", "GPL-3.0-only"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("gplv3 or later", "GPL-3.0-or-later"),
    ("gpl v3 or later", "GPL-3.0-or-later"),
    ("gpl (>= 3)", "GPL-3.0-or-later"),
    ("gnu general public license v2 or later", "GPL-2.0-or-later"),
    ("gnu general public license v3 or later", "GPL-3.0-or-later"),
    ("gnu general public license v2 (gplv2)", "GPL-2.0-only"),
    (
        "gnu general public license v2 or later (gplv2+)",
        "GPL-2.0-or-later",
    ),
    ("gnu general public license v3 (gplv3)", "GPL-3.0-only"),
    (
        "gnu general public license v3 or later (gplv3+)",
        "GPL-3.0-or-later",
    ),
    ("lgplv2.1", "LGPL-2.1-only"),
    ("lgplv2.1+", "LGPL-2.1-or-later"),
    ("lgpl (>= 2)", "LGPL-2.0-or-later"),
    ("lgpl (>= 2.0)", "LGPL-2.0-or-later"),
    ("lgpl (>= 2.1)", "LGPL-2.1-or-later"),
    ("lgpl (>= 3)", "LGPL-3.0-or-later"),
    ("lgplv2+", "LGPL-2.0-or-later"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    (
        "gnu lesser general public license v2 or later (lgplv2+)",
        "LGPL-2.0-or-later",
    ),
    (
        "gnu lesser general public license v3 (lgplv3)",
        "LGPL-3.0-only",
    ),
    (
        "gnu lesser general public license v3 or later (lgplv3+)",
        "LGPL-3.0-or-later",
    ),
    ("agplv3", "AGPL-3.0-only"),
    ("agplv3+", "AGPL-3.0-or-later"),
    ("gnu affero general public license v3", "AGPL-3.0-only"),
    (
        "gnu affero general public license v3 or later (agplv3+)",
        "AGPL-3.0-or-later",
    ),
];

/// Debian's and Gentoo's short names, as they are written (DEP-5, "License specification").
const SHORT: &[(&str, &str)] = &[
    ("Apache-2", "Apache-2.0"),
    ("Artistic", "Artistic-1.0-Perl"),
    ("Artistic-2", "Artistic-2.0"),
    ("BSD-2", "BSD-2-Clause"),
    ("CC0", "CC0-1.0"),
    ("Expat", "MIT"),
    ("AGPL-3", "AGPL-3.0-only"),
    ("AGPL-3+", "AGPL-3.0-or-later"),
    ("GFDL-1.2", "GFDL-1.2-only"),
    ("GFDL-1.2+", "GFDL-1.2-or-later"),
    ("GFDL-1.3", "GFDL-1.3-only"),
    ("GFDL-1.3+", "GFDL-1.3-or-later"),
    ("GFDL-NIV-1.2+", "GFDL-1.2-no-invariants-or-later"),
    ("GFDL-NIV-1.3", "GFDL-1.3-no-invariants-only"),
    ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
    ("GPL-1", "GPL-1.0-only"),
    ("GPL-1+", "GPL-1.0-or-later"),
    ("GPL-2", "GPL-2.0-only"),
    ("GPL-2.0", "GPL-2.0-only"),
    ("GPL-2+", "GPL-2.0-or-later"),
    ("GPL-2.0+", "GPL-2.0-or-later"),
    ("GPL-3", "GPL-3.0-only"),
    ("GPL-3.0", "GPL-3.0-only"),
    ("GPL-3+", "GPL-3.0-or-later"),
    ("GPL-3.0+", "GPL-3.0-or-later"),
    ("LGPL-2", "LGPL-2.0-only"),
    ("LGPL-2+", "LGPL-2.0-or-later"),
    ("LGPL-2.0+", "LGPL-2.0-or-later"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("LGPL-2.1+", "LGPL-2.1-or-later"),
    ("LGPL-3", "LGPL-3.0-only"),
    ("LGPL-3+", "LGPL-3.0-or-later"),
    ("LGPL-3.0+", "LGPL-3.0-or-later"),
    ("MPL-1.1", "MPL-1.1"),
    ("MPL-2", "MPL-2.0"),
    ("Zlib", "Zlib"),
    ("ZLIB", "Zlib"),
    ("openssl", "OpenSSL"),
];

/// Exceptions, in lower case, without a trailing "exception".
const EXCEPTIONS: &[(&str, &str)] = &[
    ("bison", "Bison-exception-2.2"),
    ("classpath", "Classpath-exception-2.0"),
    ("font", "Font-exception-2.0"),
    ("gcc", "GCC-exception-3.1"),
    ("gcc runtime library", "GCC-exception-3.1"),
    ("libtool", "Libtool-exception"),
    ("linux-syscall-note", "Linux-syscall-note"),
    ("llvm", "LLVM-exception"),
];

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, id)| *id)
}

/// The identifier of a name that means the same everywhere.
pub(super) fn common(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let lower = lower.trim().trim_start_matches("the ");
    look_up(COMMON, lower)
        .or_else(|| look_up(COMMON, lower.strip_suffix(" license")?))
        .or_else(|| identifier(lower))
}

/// An identifier in other case than SPDX's.
fn identifier(lower: &str) -> Option<&'static str> {
    let known = spdx::identifiers::LICENSES.iter();
    let mut same = known.filter(|license| license.name.eq_ignore_ascii_case(lower));
    same.next().map(|license| license.name)
}

/// The identifier of one of Debian's or Gentoo's short names.
pub(super) fn short(name: &str) -> Option<&'static str> {
    look_up(SHORT, name)
}

/// The identifier of an exception.
pub(super) fn exception(name: &str) -> Option<&'static str> {
    if let Some(id) = spdx::exception_id(name) {
        return Some(id.name);
    }
    let lower = name.to_ascii_lowercase();
    look_up(EXCEPTIONS, lower.trim_end_matches("exception").trim())
}
