//! Libraries, and the small programs that come with them.

use super::{Classifier, classifier};

/// Sorted by package.
pub(super) static LIBRARIES: [Classifier; 30] = [
    classifier(
        "bzip2",
        ("bzip", "bzip2"),
        &["libbz2", "bzip2"],
        r"\x00(1\.0\.\d+), \d{1,2}-\w{3}-\d{4}\x00",
    ),
    classifier(
        "curl",
        ("haxx", "curl"),
        &["curl"],
        r"\x00curl (\d+\.\d+\.\d+) \(",
    ),
    classifier(
        "curl",
        ("haxx", "libcurl"),
        &["libcurl", "libcurl-gnutls"],
        r"\x00libcurl/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "cyrus-sasl",
        ("cyrusimap", "cyrus-sasl"),
        &["libsasl2"],
        r"\x00Cyrus SASL\x00(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "expat",
        ("libexpat_project", "libexpat"),
        &["libexpat"],
        r"\x00expat_(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "glibc",
        ("gnu", "glibc"),
        &["libc"],
        r"GNU C Library \([^)\n]{1,80}\) \w+ release version (\d+\.\d+(?:\.\d+)?)\.",
    ),
    classifier(
        "gnutls",
        ("gnu", "gnutls"),
        &["libgnutls"],
        r"\x00Enabled GnuTLS (\d+\.\d+\.\d+) ",
    ),
    classifier(
        "krb5",
        ("mit", "kerberos_5"),
        &["libkrb5", "krb5kdc", "kadmind"],
        r"KRB5_BRAND: krb5-(\d+\.\d+(?:\.\d+)?)-",
    ),
    classifier(
        "libarchive",
        ("libarchive", "libarchive"),
        &["libarchive"],
        r"\x00libarchive (\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "libgcrypt",
        ("gnupg", "libgcrypt"),
        &["libgcrypt"],
        r"This is Libgcrypt (\d+\.\d+\.\d+) ",
    ),
    classifier(
        "libjpeg-turbo",
        ("libjpeg-turbo", "libjpeg-turbo"),
        &["libjpeg", "libturbojpeg"],
        r"libjpeg-turbo version (\d+\.\d+\.\d+) ",
    ),
    classifier(
        "libpcap",
        ("tcpdump", "libpcap"),
        &["libpcap"],
        r"libpcap version (\d+\.\d+\.\d+) ",
    ),
    classifier(
        "libpng",
        ("libpng", "libpng"),
        &["libpng"],
        r"\nlibpng version (\d+\.\d+\.\d+)\n",
    ),
    classifier(
        "libssh",
        ("libssh", "libssh"),
        &["libssh"],
        r"\x00SSH-2\.0-libssh_(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "libssh2",
        ("libssh2", "libssh2"),
        &["libssh2"],
        r"\x00SSH-2\.0-libssh2_(\d+\.\d+\.\d+)",
    ),
    classifier(
        "libtiff",
        ("libtiff", "libtiff"),
        &["libtiff"],
        r"\x00LIBTIFF, Version (\d+\.\d+\.\d+)\n",
    ),
    classifier(
        "libuv",
        ("libuv", "libuv"),
        &["libuv"],
        r"\x00(1\.\d+\.\d+)\x00",
    ),
    classifier(
        "lz4",
        ("lz4_project", "lz4"),
        &["liblz4"],
        r"\x00(1\.\d+\.\d+)\x00",
    ),
    classifier(
        "nss",
        ("mozilla", "nss"),
        &["libnss3"],
        r"Version: NSS (\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "openssl",
        ("openssl", "openssl"),
        &["openssl", "libcrypto", "libssl"],
        r"\x00OpenSSL (\d+\.\d+\.\d+[a-z]{0,2})(?:-\w+)?  ?\d",
    ),
    classifier(
        "pcre2",
        ("pcre", "pcre2"),
        &["libpcre2-8", "libpcre2-16", "libpcre2-32"],
        r"\x00(\d+\.\d+) \d{4}-\d\d-\d\d\x00",
    ),
    classifier(
        "qt",
        ("qt", "qt"),
        &["libQt5Core", "libQt6Core"],
        r"\x00Qt (\d+\.\d+\.\d+) \(",
    ),
    classifier(
        "sqlcipher",
        ("zetetic", "sqlcipher"),
        &["sqlcipher", "libsqlcipher"],
        r"\x00community\x00(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "sqlite",
        ("sqlite", "sqlite"),
        &["libsqlite3", "sqlite3"],
        r"\x00(3\.\d+\.\d+)\x00",
    ),
    classifier(
        "wolfssl",
        ("wolfssl", "wolfssl"),
        &["libwolfssl"],
        r"\x00wolfSSL (\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "xz",
        ("tukaani", "xz"),
        &["xz"],
        r"\(XZ Utils\) (\d+\.\d+\.\d+)",
    ),
    classifier(
        "xz",
        ("tukaani", "xz"),
        &["liblzma"],
        r"\x00(5\.\d+\.\d+)\x00",
    ),
    classifier(
        "zlib",
        ("zlib", "zlib"),
        &["libz"],
        r" deflate (\d+\.\d+(?:\.\d+)*) Copyright",
    ),
    classifier(
        "zstd",
        ("facebook", "zstandard"),
        &["zstd"],
        r"\x00v(\d+\.\d+\.\d+)\x00Zstandard CLI",
    ),
    classifier(
        "zstd",
        ("facebook", "zstandard"),
        &["libzstd"],
        r"\x00(1\.\d+\.\d+)\x00",
    ),
];
