//! Dockerfiles that a real daemon and the embedded builder must build alike.

/// Who is the oracle: BuildKit of the daemon, or its classic builder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oracle {
    BuildKit,
    /// Through the `docker` program, which alone applies `.dockerignore` for it.
    Classic,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) oracle: Oracle,
    pub(crate) files: &'static [(&'static str, &'static str)],
    pub(crate) dockerfile: &'static str,
    pub(crate) target: Option<&'static str>,
    pub(crate) arguments: &'static [(&'static str, &'static str)],
    pub(crate) labels: &'static [(&'static str, &'static str)],
}

pub(crate) const fn case(name: &'static str, dockerfile: &'static str) -> Case {
    Case {
        name,
        oracle: Oracle::BuildKit,
        files: FILES,
        dockerfile,
        target: None,
        arguments: &[],
        labels: &[],
    }
}

const fn ignoring(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Case {
    Case {
        oracle: Oracle::Classic,
        files,
        ..case(name, "FROM scratch\nCOPY . /all/\n")
    }
}

const FILES: &[(&str, &str)] = &[
    ("a", "content of a\n"),
    ("755:run.sh", "#!/bin/sh\n"),
    ("4755:suid", "s"),
    ("700:d/", ""),
    ("d/x", "x\n"),
    ("600:d/private", "p\n"),
    ("750:d/sub/", ""),
    ("d/sub/y.txt", "y\n"),
    ("d/sub/z.md", "z\n"),
    ("d/inner", "-> x"),
    ("d/dangling", "-> nowhere/at/all"),
    ("empty/", ""),
    ("file-link", "-> a"),
    ("folder-link", "-> d"),
    ("up-link", "-> ../../../../a"),
    ("absolute-link", "-> /d/sub"),
    ("one.txt", "1"),
    ("two.txt", "2"),
    ("sp ace/na me", "spaces\n"),
    ("umlaut-ä", "ä\n"),
    ("e[x]", "brackets"),
    ("things.tar", "@tar"),
    ("things.tgz", "@tgz"),
    ("no-archive.gz", "@gz"),
    ("t/1/a.c", "1"),
    ("t/2/a.c", "2"),
    ("t/2/b.h", "b"),
];

/// The base image of the cases that say `FROM @base`.
pub(crate) const BASE: &str = "FROM scratch\nCOPY passwd group /etc/\nCOPY root /\nENV PATH=/opt/bin KEEP=1 CHANGE=old\n\
    LABEL from=base both=base\nENTRYPOINT [\"/entry\"]\nCMD [\"base\", \"command\"]\nWORKDIR /opt\nUSER app\n\
    EXPOSE 80\nVOLUME /data\nSTOPSIGNAL SIGINT\nSHELL [\"/bin/bash\", \"-c\"]\nHEALTHCHECK CMD true\n\
    ONBUILD COPY a /triggered/\nONBUILD ENV TRIGGERED=$KEEP\n";

pub(crate) const BASE_FILES: &[(&str, &str)] = &[
    ("passwd", "root:x:0:0:root:/:/bin/sh\napp:x:1000:1001::/:\n"),
    ("group", "root:x:0:\nweb:x:33:app\n"),
    ("root/usr/bin/tool", "tool"),
    ("root/bin", "-> usr/bin"),
    ("root/opt/", ""),
    ("1777:root/tmp/", ""),
    ("root/replace", "old"),
    ("root/folder/old", "old"),
];

pub(crate) const CASES: &[Case] = &[
    case(
        "config of every kind",
        "FROM scratch\nCOPY a /\nENV A=1 B=\"two words\" C=a\\ b\nENV OLD form of it\n\
        LABEL k=v \"with space\"='single $A' x=\"$A\"\nEXPOSE 80 53/udp 9000-9002\nVOLUME /v1 /v2\nVOLUME [\"/v 3\"]\n\
        USER 12:34\nSTOPSIGNAL SIGKILL\nMAINTAINER me <me@example.org>\nCMD [\"a\", \"b\"]\nENTRYPOINT [\"/x\"]\n\
        HEALTHCHECK --interval=1m30s --timeout=3s --start-period=100ms --retries=4 CMD [\"/check\", \"me\"]\n\
        ONBUILD COPY a /b\nONBUILD RUN x\n",
    ),
    case(
        "shell forms",
        "FROM scratch\nCOPY a /\nSHELL [\"/bin/sh\", \"-e\"]\nCMD echo $HOME  \"q\"\nENTRYPOINT exec top -b\nHEALTHCHECK CMD curl x || exit 1\n",
    ),
    case(
        "shell form without a shell",
        "FROM scratch\nCOPY a /\nCMD echo \\\n  # comment\n  more \\\n\n  and more\n",
    ),
    case(
        "health check none",
        "FROM scratch\nCOPY a /\nHEALTHCHECK NONE\n",
    ),
    case(
        "empty lists",
        "FROM scratch\nCOPY a /\nENTRYPOINT []\nCMD []\n",
    ),
    case(
        "entry point keeps the command of its stage",
        "FROM scratch\nCOPY a /\nCMD [\"x\"]\nENTRYPOINT [\"y\"]\n",
    ),
    case(
        "entry point drops an inherited command",
        "FROM scratch AS b\nCOPY a /\nCMD [\"x\"]\nFROM b\nENTRYPOINT [\"y\"]\n",
    ),
    case("copy a file to a file", "FROM scratch\nCOPY a /b/c/d\n"),
    case(
        "copy a file into a directory",
        "FROM scratch\nCOPY a /b/\nCOPY run.sh /b\nCOPY suid .\n",
    ),
    case(
        "copy a folder",
        "FROM scratch\nCOPY d /e\nCOPY d/ /f/\nCOPY empty /g\n",
    ),
    case("copy everything", "FROM scratch\nCOPY . /all\n"),
    case("copy everything to the root", "FROM scratch\nCOPY . .\n"),
    case(
        "copy a folder twice",
        "FROM scratch\nCOPY d /e\nCOPY --chown=3:4 t /e\nCOPY d/sub /e/sub\nCOPY --chown=5:6 d /e\n",
    ),
    case(
        "patterns",
        "FROM scratch\nCOPY *.txt /t/\nCOPY d/sub/* /u/\nCOPY ?n*.txt /v/\nCOPY [a-c] /w/\nCOPY t/*/a.c /x/\nCOPY t/*/*.h /y/\n",
    ),
    case(
        "a pattern without matches beside a file",
        "FROM scratch\nCOPY a nothing* /x/\nCOPY none*.y /z/\n",
    ),
    case(
        "a pattern through a link",
        "FROM scratch\nCOPY folder-link/sub/*.txt /x/\n",
    ),
    case("brackets escaped", "FROM scratch\nCOPY e[[]x] /x/\n"),
    case(
        "json form with spaces",
        "FROM scratch\nCOPY [\"sp ace/na me\", \"/with space/\"]\nCOPY [\"sp ace\", \"umlaut-ä\", \"/o/\"]\n",
    ),
    case(
        "links",
        "FROM scratch\nCOPY file-link /x\nCOPY folder-link /y\nCOPY up-link /z\nCOPY absolute-link /w/\nCOPY d/inner /v\n",
    ),
    case(
        "working directories",
        "FROM scratch\nWORKDIR /a\nWORKDIR b/../c\nCOPY a .\nCOPY a x/y\nCOPY a ./z/\nWORKDIR /\nWORKDIR d//e/\nCOPY a ../up\n",
    ),
    case(
        "working directory of a user",
        "FROM scratch\nCOPY a /\nUSER 5:6\nWORKDIR /home/u\nCOPY a .\n",
    ),
    case(
        "working directory with a variable",
        "FROM scratch\nENV D=/x\nWORKDIR $D/y\nWORKDIR ${D}z\nCOPY a ${D}/\n",
    ),
    case(
        "owners",
        "FROM scratch\nCOPY --chown=5 a /x/\nCOPY --chown=5:6 d /y\nARG O=7:8\nCOPY --chown=$O a /z\n",
    ),
    case(
        "modes",
        "FROM scratch\nCOPY --chmod=0711 a /x\nCOPY --chmod=0600 d /y/\n",
    ),
    case(
        "add files and folders",
        "FROM scratch\nADD a /x\nADD d /y/\nADD no-archive.gz /z/\nADD *.txt /w/\n",
    ),
    case(
        "add archives",
        "FROM scratch\nADD things.tar /x\nADD things.tgz /y/\nADD things.t* /z/\nCOPY things.tar /w/\n",
    ),
    case(
        "add an archive over files",
        "FROM scratch\nCOPY d/sub /x/d/sub\nCOPY a /x/d/f\nADD things.tar /x\n",
    ),
    case(
        "variables",
        "ARG G=global\nFROM scratch\nARG G\nARG H=${G}-h\nARG U\nENV E=$H F=${U:-unset} W=${U:+set}\nENV E=changed F2=$E\n\
        LABEL a=$E b=${E:+yes} c=\\$E d='$E' e=\"$E\" f=${NOPE} g=$F2\nCOPY a /${G}/\nCMD echo $E\n",
    ),
    case(
        "the later of ARG and ENV wins",
        "FROM scratch\nCOPY a /\nARG X=1\nARG X=2\nENV Y=env\nARG Y=arg\nARG Z=arg\nENV Z=env\nLABEL x=$X y=$Y z=$Z\n",
    ),
    case(
        "stages",
        "FROM scratch AS one\nCOPY --chown=5:6 d /d\nCOPY a /only-one\nENV E=1\nFROM scratch AS unused\nCOPY a /u\nRUN false\n\
        FROM scratch\nCOPY --from=one /d /e\nCOPY --from=0 /d/x /only-one /f/\nCOPY --from=one /d/*.md /d/inner /g/\nLABEL e=$E\n",
    ),
    case(
        "a stage on a stage",
        "FROM scratch AS base\nARG V=1\nENV A=1\nWORKDIR /w\nCOPY a .\nLABEL l=1\nFROM base AS next\nENV B=$A\nCOPY d .\nLABEL v=$V\n",
    ),
    case(
        "links in the destination",
        "FROM scratch AS l\nCOPY folder-link/ /real/\nFROM l\nCOPY --from=l /real/inner /\nCOPY t /real/sub/\n",
    ),
    case(
        "escape by backtick",
        "# escape=`\nFROM scratch\nCOPY a `\n  /x/\nENV P=C:\\dir Q=`$P\n",
    ),
    case(
        "lower case and tabs",
        "from scratch as x\ncopy\ta\t/x\nenv a=b\n",
    ),
    Case {
        arguments: &[("V", "given"), ("G", "given too")],
        ..case(
            "build arguments",
            "ARG G=default\nFROM scratch\nARG V=default\nARG G\nARG W=$V\nCOPY a /\nLABEL v=$V g=$G w=$W\n",
        )
    },
    Case {
        labels: &[("l", "given"), ("extra", "a b")],
        ..case(
            "labels of the caller win",
            "FROM scratch\nCOPY a /\nLABEL l=file m=file\n",
        )
    },
    Case {
        target: Some("mid"),
        ..case(
            "target",
            "FROM scratch AS first\nCOPY a /1\nFROM first AS mid\nCOPY a /2\nFROM mid\nRUN false\n",
        )
    },
    case(
        "platform arguments",
        "FROM scratch\nARG TARGETPLATFORM\nARG TARGETOS\nARG TARGETARCH\nARG TARGETVARIANT\nCOPY a /$TARGETARCH/\n\
        LABEL p=$TARGETPLATFORM o=$TARGETOS a=$TARGETARCH v=$TARGETVARIANT\n",
    ),
    case(
        "onto links",
        "FROM scratch AS l\nCOPY file-link d/inner /\nCOPY . /all/\nFROM l\nCOPY one.txt /all/file-link\n\
        COPY two.txt /all/d/dangling\nCOPY run.sh /all/folder-link/\n",
    ),
    case(
        "a folder over links and files",
        "FROM scratch\nCOPY d /x\nCOPY t/2/b.h /x/inner\nCOPY d /x\nCOPY t /x/sub\n",
    ),
    case(
        "variables grow",
        "FROM scratch\nCOPY a /\nENV PATH=$PATH:/more\nENV PATH=\"/first:${PATH}\" L=\"${NOPE:-a b}\"\nLABEL p=\"$PATH\" \\\n  q=1 \\\n\n  r=2\n",
    ),
    case(
        "carriage returns",
        "FROM scratch\r\nCOPY a \\\r\n  /x/\r\nENV A=1\r\nCMD [\"a\"]\r\n",
    ),
    case(
        "a volume that is filled later",
        "FROM scratch\nVOLUME /v $HOME/w\nCOPY a /v/\nENV U=5\nUSER ${U}:6\n",
    ),
    case(
        "platforms of stages",
        "FROM --platform=$BUILDPLATFORM scratch AS b\nCOPY a /\nFROM --platform=linux/amd64 scratch\nCOPY --from=b /a /b\n",
    ),
    case(
        "a base by argument",
        "ARG B=@base\nARG UNUSED=x\nFROM ${B} AS z\nCOPY a /\n",
    ),
    case(
        "from a stage through links and patterns",
        "FROM scratch AS s\nCOPY . /all/\nFROM scratch\nCOPY --from=s /all/folder-link/sub/*.txt /x/\n\
        COPY --from=s /all/file-link /y\nCOPY --from=s /all/t/*/b.h /z/\nCOPY --from=s --chown=9:9 /all/d/ /w/\n",
    ),
    case(
        "added files with owners",
        "FROM scratch\nADD --chown=3:4 a d /x/\nADD --chown=3:4 no-archive.gz /y\n",
    ),
    case(
        "a base image",
        "FROM @base\nCOPY a /bin/\nCOPY a relative\nCOPY d /folder\nCOPY a /replace\nENV CHANGE=new ADDED=$KEEP\nLABEL both=top\n\
        WORKDIR deeper\nCMD shell form\n",
    ),
    case(
        "names of owners in a base image",
        "FROM @base\nCOPY --chown=app a /1\nCOPY --chown=app:web a /2\nCOPY --chown=root:33 d /3/4\nADD --chown=:web a /5\n",
    ),
    case(
        "entry point on a base image",
        "FROM @base\nENTRYPOINT [\"/new\"]\nEXPOSE 81\nUSER 0\nHEALTHCHECK NONE\nSTOPSIGNAL 9\n",
    ),
    case(
        "copy from a base image",
        "FROM scratch\nCOPY --from=@base /usr /usr\nCOPY --from=@base /bin/tool /bin/\nCOPY --from=@base /bin /linked\n",
    ),
    ignoring(
        "ignore names",
        &[
            (".dockerignore", "# comment\n*.md\n!README.md\nsecret\n"),
            ("README.md", "r"),
            ("x.md", "x"),
            ("d/y.md", "y"),
            ("secret/k", "k"),
            ("sub/secret/k", "k"),
        ],
    ),
    ignoring(
        "ignore with double stars",
        &[
            (".dockerignore", "**/*.o\n**/cache\n!keep/**/x.o\nlogs/**\n"),
            ("a.o", ""),
            ("d/b.o", ""),
            ("d/cache/c", ""),
            ("keep/x.o", ""),
            ("keep/e/x.o", ""),
            ("logs/l", ""),
        ],
    ),
    ignoring(
        "ignore all but",
        &[
            (".dockerignore", "*\n!src\n!src/**\nsrc/*.tmp\n"),
            ("a", ""),
            ("src/m.c", "m"),
            ("src/t.tmp", ""),
            ("src/deep/t.tmp", "t"),
            ("srcx/y", ""),
        ],
    ),
    ignoring(
        "ignore slashes and blanks",
        &[
            (
                ".dockerignore",
                "\u{feff}/build/\n  tmp  \n./dist\nf?o\nd/../e\n[ab].txt\n",
            ),
            ("build/x", ""),
            ("sub/build/x", "x"),
            ("tmp/x", ""),
            ("dist/x", ""),
            ("foo", ""),
            ("fooo", "o"),
            ("e/x", ""),
            ("a.txt", ""),
            ("c.txt", "c"),
        ],
    ),
    ignoring(
        "ignore the Dockerfile itself",
        &[(".dockerignore", "Dockerfile\n.dockerignore\n"), ("x", "x")],
    ),
    ignoring(
        "ignore a folder with an exception in it",
        &[
            (".dockerignore", "deep\n!deep/er/kept\n"),
            ("deep/a", ""),
            ("deep/er/kept", "k"),
            ("deep/er/gone", ""),
            ("x", "x"),
        ],
    ),
];

/// Dockerfiles that both must refuse.
pub(crate) const FAILING: &[(&str, &str)] = &[
    ("a source that is not there", "FROM scratch\nCOPY nope /\n"),
    (
        "a source that is not there in a stage",
        "FROM scratch AS s\nCOPY a /\nFROM scratch\nCOPY --from=s /nope /\n",
    ),
    (
        "a dangling link in a pattern",
        "FROM scratch\nCOPY d/d* /x/\n",
    ),
    ("a dangling link", "FROM scratch\nCOPY d/dangling /x\n"),
    (
        "a folder over a link",
        "FROM scratch\nCOPY folder-link /all/d\nCOPY t/1/a.c /t\nCOPY . /\n",
    ),
    (
        "a folder over a file",
        "FROM scratch\nCOPY a /x\nCOPY d /x\n",
    ),
    ("below a file", "FROM scratch\nCOPY a /x\nCOPY a /x/y\n"),
    (
        "a name without accounts",
        "FROM scratch\nCOPY --chown=nobody a /\n",
    ),
    (
        "a port that is none",
        "FROM scratch\nCOPY a /\nEXPOSE abc\n",
    ),
    (
        "a signal that is none",
        "FROM scratch\nCOPY a /\nSTOPSIGNAL SIGNOPE\n",
    ),
    ("an unclosed quote", "FROM scratch\nCOPY a /\nLABEL a=\"b\n"),
    (
        "a bad substitution",
        "FROM scratch\nCOPY a /\nLABEL a=${}\n",
    ),
    (
        "a required variable",
        "FROM scratch\nARG X\nCOPY a /${X:?needed}/\n",
    ),
    ("an empty base", "ARG B\nFROM $B\nCOPY a /\n"),
    ("a flag that is none", "FROM scratch\nCOPY --nope a /\n"),
    ("no source", "FROM scratch\nCOPY a\n"),
    ("an instruction that is none", "FROM scratch\nCOPPY a /\n"),
    ("an unknown stage", "FROM scratch\nCOPY --from=5 a /\n"),
];
