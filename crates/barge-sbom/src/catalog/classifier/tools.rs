//! Tools for the command line and for media.

use super::{Classifier, classifier};

/// Sorted by package.
pub(super) static TOOLS: [Classifier; 14] = [
    classifier(
        "chromium",
        ("google", "chrome"),
        &["chrome", "chromium"],
        r"\x00(\d{2,3}\.\d\.\d{4}\.\d{1,3})\x00",
    ),
    classifier(
        "crun",
        ("crun_project", "crun"),
        &["crun"],
        r"\x00(\d+\.\d+(?:\.\d+)?)\x00%s version %s\n",
    ),
    classifier(
        "ffmpeg",
        ("ffmpeg", "ffmpeg"),
        &["ffmpeg", "ffprobe", "ffplay"],
        r"\x00%s version n?(\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "ffmpeg",
        ("ffmpeg", "ffmpeg"),
        &[
            "libavcodec",
            "libavformat",
            "libavutil",
            "ffmpeg*",
            "ffprobe",
        ],
        r"FFmpeg version n?(\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "ghostscript",
        ("artifex", "ghostscript"),
        &["libgs"],
        r"/ghostscript/(\d+\.\d+(?:\.\d+)?)/",
    ),
    classifier(
        "git",
        ("git-scm", "git"),
        &["git"],
        r"git/(\d+\.\d+\.\d+)\x00",
    ),
    classifier(
        "gnupg",
        ("gnupg", "gnupg"),
        &["gpg"],
        r" OpenPGP server (\d+\.\d+\.\d+) ready",
    ),
    classifier(
        "gzip",
        ("gnu", "gzip"),
        &["gzip"],
        r"[\n%]\x00(1\.\d{1,2})\x00",
    ),
    classifier(
        "imagemagick",
        ("imagemagick", "imagemagick"),
        &["libMagickCore*"],
        r"ImageMagick (\d+\.\d+\.\d+-\d+) ",
    ),
    classifier(
        "jq",
        ("jqlang", "jq"),
        &["jq", "libjq"],
        r"[/\x00]jq-(1\.\d+(?:\.\d+)?)[=\x00]",
    ),
    classifier(
        "jq",
        ("jqlang", "jq"),
        &["jq", "libjq"],
        r"\x00(1\.\d+(?:\.\d+)?)\x00",
    ),
    classifier(
        "rsync",
        ("samba", "rsync"),
        &["rsync"],
        r"\x00(\d+\.\d+\.\d+)\x00copyright\x00url\x00",
    ),
    classifier(
        "sudo",
        ("sudo_project", "sudo"),
        &["sudo"],
        r"\x00Sudo version %s\n\x00(\d+\.\d+\.\d+(?:p\d+)?)\x00",
    ),
    classifier(
        "util-linux",
        ("kernel", "util-linux"),
        &[
            "agetty", "blkid", "dmesg", "fdisk", "findmnt", "flock", "getopt", "login", "losetup",
            "lsblk", "mount", "nsenter", "su", "umount", "unshare",
        ],
        r"\x00util-linux (\d+\.\d+(?:\.\d+)?)\x00",
    ),
];
