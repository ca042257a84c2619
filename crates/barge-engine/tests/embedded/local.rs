//! What needs no daemon: refusals, bases in every form, reproducibility, hostile contexts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, SystemTime};

use barge_engine::embedded::{Build, Built, Error, NamedContext, Plan, Progress};
use barge_image::archive::{LayerForm, write};
use barge_image::compression::Compression;
use barge_image::pack::LayerPacker;
use barge_image::tar::{Entry, Kind, Reader, Streaming};
use barge_image::{ImageConfig, Layout, MediaType, RawConfig};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Read as _;

use crate::cases::{Case, Oracle};
use crate::{context, shown};

/// The tests that need no daemon.
pub(crate) const ALL: &[(&str, fn())] = &[
    (
        "refuses_at_parse_time_with_line_text_and_engines",
        refuses_at_parse_time_with_line_text_and_engines,
    ),
    (
        "names_every_refused_line_at_once",
        names_every_refused_line_at_once,
    ),
    (
        "the_plan_is_pure_over_the_text",
        the_plan_is_pure_over_the_text,
    ),
    (
        "equal_input_makes_equal_bytes",
        equal_input_makes_equal_bytes,
    ),
    (
        "keeps_the_bytes_of_base_layers_in_every_form",
        keeps_the_bytes_of_base_layers_in_every_form,
    ),
    ("compression_is_the_callers", compression_is_the_callers),
    (
        "a_base_for_another_platform_is_refused",
        a_base_for_another_platform_is_refused,
    ),
    (
        "inline_files_expand_unless_quoted",
        inline_files_expand_unless_quoted,
    ),
    ("exclude_and_link", exclude_and_link),
    (
        "the_dockerfiles_own_ignore_file_wins",
        the_dockerfiles_own_ignore_file_wins,
    ),
    ("hostile_contexts", hostile_contexts),
    ("hostile_archives", hostile_archives),
    ("history_and_layers_agree", history_and_layers_agree),
    ("whiteouts_of_a_base_hold", whiteouts_of_a_base_hold),
    (
        "a_base_without_manifest_is_packed_once",
        a_base_without_manifest_is_packed_once,
    ),
];

/// A folder with a Dockerfile, and a layout to build into.
struct Bench {
    folder: tempfile::TempDir,
    out: tempfile::TempDir,
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        context::write(folder.path(), files);
        Self {
            folder,
            out: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn layout(&self) -> Layout {
        Layout::create(Utf8Path::from_path(self.out.path()).unwrap()).unwrap()
    }

    fn request(&self, dockerfile: &str) -> Build {
        fs::write(self.path().join("Dockerfile"), dockerfile).unwrap();
        let case = Case {
            name: "",
            oracle: Oracle::BuildKit,
            files: &[],
            dockerfile: "",
            target: None,
            arguments: &[],
            labels: &[],
        };
        crate::build(self.path(), &case)
    }

    fn build(&self, dockerfile: &str) -> Result<Built, Error> {
        self.request(dockerfile)
            .plan()?
            .execute(&self.layout(), &|_| {})
    }

    fn members(&self, built: &Built) -> Vec<(Entry, Vec<u8>)> {
        let image = self
            .layout()
            .image(&built.descriptor.digest, Vec::new())
            .unwrap();
        let mut members = Vec::new();
        for layer in &image.layers {
            let mut reader = Reader::new(Streaming(layer.plain().unwrap()));
            while let Some(entry) = reader.next().unwrap() {
                let mut content = Vec::new();
                reader.read_to_end(&mut content).unwrap();
                members.push((entry, content));
            }
        }
        members
    }

    fn paths(&self, built: &Built) -> Vec<String> {
        let members = self.members(built);
        let paths = members
            .iter()
            .map(|(entry, _)| String::from_utf8_lossy(&entry.path).into_owned());
        paths.collect()
    }
}

fn error(result: Result<Built, Error>) -> String {
    let error = result.unwrap_err();
    format!(
        "{}; hint: {}",
        shown(&error),
        error.hint().unwrap_or_default()
    )
}

fn refuses_at_parse_time_with_line_text_and_engines() {
    let table = [
        (
            "FROM scratch\n\nRUN apk add \\\n  curl\n",
            "Dockerfile:3: `RUN apk add curl`: the embedded builder runs no commands",
            "buildah can build it",
        ),
        (
            "FROM scratch\nRUN --mount=type=cache,target=/x y\n",
            "Dockerfile:2",
            "BuildKit (Docker API or buildx), Podman",
        ),
        (
            "FROM scratch\nRUN <<EOF\nx\nEOF\nCOPY a /\n",
            "Dockerfile:2",
            "buildah",
        ),
        (
            "FROM scratch\nADD https://example.org/x /\n",
            "is remote",
            "buildx",
        ),
        (
            "FROM scratch\nADD git@example.org:a/b.git /\n",
            "is remote",
            "buildx",
        ),
        (
            "FROM scratch\nADD --checksum=sha256:00 x /\n",
            "--checksum",
            "BuildKit",
        ),
        (
            "FROM scratch\nCOPY --parents a /\n",
            "--parents",
            "BuildKit",
        ),
        (
            "FROM scratch\nCOPY --chmod=u=rwX a /\n",
            "octal",
            "BuildKit",
        ),
        (
            "# syntax=docker/dockerfile:1-labs\nFROM scratch\nCOPY a /\n",
            "Dockerfile:1",
            "BuildKit",
        ),
        (
            "# syntax=example.org/mine\nFROM scratch\nCOPY a /\n",
            "Dockerfile:1",
            "BuildKit",
        ),
        (
            "FROM debian:12\nCOPY a /\n",
            "`debian:12` is no earlier stage",
            "buildah",
        ),
        (
            "FROM scratch\nCOPY --from=alpine:3 a /\n",
            "`alpine:3` is no earlier stage",
            "buildah",
        ),
        (
            "FROM --platform=windows/amd64 scratch\nCOPY a /\n",
            "Linux only",
            "buildah",
        ),
    ];
    for (dockerfile, text, engines) in table {
        let bench = Bench::new(&[("a", "a")]);
        let found = error(bench.build(dockerfile));
        assert!(
            found.contains(text) && found.contains(engines),
            "{dockerfile}: {found}"
        );
        assert!(
            !bench.out.path().join("blobs").exists(),
            "planned before the layout is touched: {dockerfile}"
        );
    }
}

fn names_every_refused_line_at_once() {
    let bench = Bench::new(&[]);
    let dockerfile = "FROM a AS x\nRUN one\nFROM scratch AS unused\nRUN two\nFROM x\nRUN three\n";
    let Err(Error::Refused(refusals)) = bench.request(dockerfile).plan() else {
        panic!("refused")
    };
    let lines: Vec<usize> = refusals.iter().map(|refusal| refusal.place.line).collect();
    assert_eq!(lines, [1, 2, 6]);
}

fn the_plan_is_pure_over_the_text() {
    let bench = Bench::new(&[]);
    let build = bench.request("");
    let plan = Plan::of(
        build.clone(),
        "FROM scratch AS a\nFROM scratch AS b\nFROM a\nCOPY --from=0 /x /\n",
    )
    .unwrap();
    assert_eq!(plan.stages(), ["a", "2"]);
    let missing = Build {
        target: Some("nope".into()),
        ..build.clone()
    };
    let error = Plan::of(missing, "FROM scratch AS a\n").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has no stage `nope`; it has `a`"),
        "{error}"
    );
    let unused = Build {
        build_args: BTreeMap::from([("TYPO".into(), "1".into())]),
        ..build
    };
    assert_eq!(
        Plan::of(unused, "FROM scratch\n").unwrap().warnings.len(),
        1
    );
}

fn equal_input_makes_equal_bytes() {
    let dockerfile = "FROM scratch AS s\nCOPY . /all/\nFROM s\nADD things.tgz /x/\nCOPY <<hi /hi\nhello\nhi\nWORKDIR /w\nENV A=1\n";
    let files = [
        ("b", "b"),
        ("a/c", "c"),
        ("things.tgz", "@tgz"),
        ("l", "-> a"),
    ];
    let digests: Vec<_> = (0..2)
        .map(|round| {
            let bench = Bench::new(&files);
            // Checkouts differ in their times, and all of them are younger than the commit.
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000 + round * 1000);
            fs::File::open(bench.path().join("b"))
                .unwrap()
                .set_modified(time)
                .unwrap();
            let built = bench.build(dockerfile).unwrap();
            assert!(
                bench
                    .members(&built)
                    .iter()
                    .all(|(entry, _)| entry.mtime <= 1_700_000_000)
            );
            (built.descriptor.digest, built.config.digest())
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
}

fn keeps_the_bytes_of_base_layers_in_every_form() {
    let dockerfile = "FROM base:1\nCOPY a /dir/\nCOPY --from=base:1 /dir/old /copied\n";
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let base = Bench::new(&[("old", "old content"), ("700:d/", "")]);
        let mut request = base.request("FROM scratch\nCOPY old d /dir/\nENV B=1\n");
        request.compression = compression;
        let layout = base.layout();
        let first = request.plan().unwrap().execute(&layout, &|_| {}).unwrap();
        let name = "registry.example/base:1".parse().unwrap();
        layout.name(&first.descriptor, &[name]).unwrap();
        let image = layout.image(&first.descriptor.digest, Vec::new()).unwrap();
        let archive = base.path().join("base.tar");
        let names = ["base:1".parse().unwrap()];
        let file = fs::File::create(&archive).unwrap();
        write(
            &image,
            &names,
            LayerForm::AsStored,
            &std::collections::BTreeSet::new(),
            file,
            &|_| {},
        )
        .unwrap();

        for path in [
            Utf8PathBuf::from_path_buf(base.out.path().to_owned()).unwrap(),
            archive,
        ] {
            let bench = Bench::new(&[("a", "a")]);
            let mut request = bench.request(dockerfile);
            request.contexts.insert(
                "docker.io/library/base:1".into(),
                NamedContext::Image { path, name: None },
            );
            let layers = std::cell::Cell::new(0);
            let progress = |event: Progress<'_>| {
                if let Progress::Layer { count, .. } = event {
                    layers.set(count);
                }
            };
            let built = request
                .plan()
                .unwrap()
                .execute(&bench.layout(), &progress)
                .unwrap();
            assert_eq!(built.layers[0].blob, first.layers[0].blob);
            assert_eq!(layers.get(), 3);
            let members = bench.members(&built);
            let copied = members
                .iter()
                .find(|(entry, _)| entry.path == b"copied")
                .unwrap();
            assert_eq!(copied.1, b"old content");
            assert!(built.config.parsed().config.env.contains(&"B=1".to_owned()));
            bench
                .layout()
                .image(&built.descriptor.digest, Vec::new())
                .unwrap()
                .verify()
                .unwrap();
        }
    }
}

fn compression_is_the_callers() {
    let types = [Compression::None, Compression::Gzip, Compression::Zstd].map(|compression| {
        let bench = Bench::new(&[("a", "a")]);
        let mut request = bench.request("FROM scratch\nCOPY a /\n");
        request.compression = compression;
        let built = request
            .plan()
            .unwrap()
            .execute(&bench.layout(), &|_| {})
            .unwrap();
        (
            built.config.digest(),
            built.layers[0].blob.media_type.clone(),
        )
    });
    let [(one, none), (two, gzip), (three, zstd)] = types;
    assert!(
        one == two && two == three,
        "the identity does not depend on the packing"
    );
    assert_eq!(
        [none, gzip, zstd],
        [
            MediaType::LAYER,
            MediaType::LAYER_GZIP,
            MediaType::LAYER_ZSTD
        ]
    );
}

fn a_base_for_another_platform_is_refused() {
    let base = Bench::new(&[("a", "a")]);
    let mut request = base.request("FROM scratch\nCOPY a /\n");
    request.platform = "linux/arm64".parse().unwrap();
    let layout = base.layout();
    let built = request.plan().unwrap().execute(&layout, &|_| {}).unwrap();
    assert_eq!(built.config.parsed().platform().to_string(), "linux/arm64");
    layout
        .name(&built.descriptor, &["b:1".parse().unwrap()])
        .unwrap();
    let bench = Bench::new(&[]);
    let mut request = bench.request("FROM b:1\nENV A=1\n");
    request.platform = "linux/amd64".parse().unwrap();
    let path = layout.root().to_owned();
    request
        .contexts
        .insert("b:1".into(), NamedContext::Image { path, name: None });
    let found = error(request.plan().unwrap().execute(&bench.layout(), &|_| {}));
    assert!(found.contains("linux/arm64"), "{found}");
}

fn inline_files_expand_unless_quoted() {
    let bench = Bench::new(&[("a", "a")]);
    let built = bench
        .build("FROM scratch\nARG V=1\nCOPY <<one <<\"two\" a /d/\nv=$V \"q\" \\$V\none\nv=$V\ntwo\nCOPY --chown=5:6 <<-x /file\n\tt\n\tx\n")
        .unwrap();
    let members = bench.members(&built);
    let content = |path: &str| {
        let (entry, content) = members
            .iter()
            .find(|(entry, _)| entry.path == path.as_bytes())
            .unwrap();
        (
            String::from_utf8_lossy(content).into_owned(),
            entry.mode,
            entry.uid,
        )
    };
    assert_eq!(content("d/one"), ("v=1 \"q\" $V\n".into(), 0o644, 0));
    assert_eq!(content("d/two"), ("v=$V\n".into(), 0o644, 0));
    assert_eq!(content("file"), ("t\n".into(), 0o644, 5));
}

fn exclude_and_link() {
    let bench = Bench::new(&[
        ("d/a.o", ""),
        ("d/b.c", ""),
        ("d/s/c.o", ""),
        ("d/s/keep.o", ""),
    ]);
    let built = bench
        .build("FROM scratch\nCOPY --link --exclude=**/*.o --exclude=!s/keep.o d /x/\n")
        .unwrap();
    assert_eq!(bench.paths(&built), ["x/", "x/b.c", "x/s/", "x/s/keep.o"]);
    let bench = Bench::new(&[("d/", ""), ("l", "-> d")]);
    let found = error(bench.build("FROM scratch\nCOPY . /\nCOPY --link l /l/x\n"));
    assert!(found.contains("--link"), "{found}");
}

fn the_dockerfiles_own_ignore_file_wins() {
    let bench = Bench::new(&[
        ("a", ""),
        ("b", ""),
        (".dockerignore", "a\n"),
        ("Dockerfile.dockerignore", "b\n"),
    ]);
    let built = bench.build("FROM scratch\nCOPY a /\n").unwrap();
    assert_eq!(bench.paths(&built), ["a"]);
    let found = error(bench.build("FROM scratch\nCOPY b /\n"));
    assert!(
        found.contains("`/b` is not there") && found.contains("ignore file"),
        "{found}"
    );
    fs::write(bench.path().join("Dockerfile.dockerignore"), "x\n[\n").unwrap();
    let found = error(bench.build("FROM scratch\nCOPY b /\n"));
    assert!(
        found.contains("dockerignore:2: `[` is not a pattern"),
        "{found}"
    );
}

fn hostile_contexts() {
    let bench = Bench::new(&[
        ("a", "a"),
        ("out", "-> ../../../../../../etc"),
        (".wh.a", ""),
    ]);
    let odd = Path::new(std::ffi::OsStr::from_bytes(b"odd\xff\nname"));
    fs::write(bench.folder.path().join("odd"), "").unwrap();
    fs::write(bench.folder.path().join(odd), "odd").unwrap();
    let _socket = UnixListener::bind(bench.folder.path().join("socket")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(bench.folder.path().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let table = [
        ("COPY ../x /", "leads out of the build context"),
        ("COPY d/../../x /", "leads out of the build context"),
        ("COPY out/passwd /", "is not there"),
        ("COPY socket /", "is not there"),
        ("COPY pipe /", "a named pipe"),
        ("COPY .wh.a /", "cannot be in a layer"),
        ("COPY a /x/.wh.y", "cannot be in a layer"),
    ];
    for (line, text) in table {
        let found = error(bench.build(&format!("FROM scratch\n{line}\n")));
        assert!(
            found.contains(text) && found.contains("Dockerfile:2"),
            "{line}: {found}"
        );
    }
    let built = bench.build("FROM scratch\nCOPY odd* /\nCOPY out /\nCOPY /a ../../b\n");
    // `out` leads to `/etc` of the context, which is not there.
    assert!(error(built).contains("`/out` is not there"));
    let built = bench
        .build("FROM scratch\nCOPY odd* /\nCOPY /a ../../b\n")
        .unwrap();
    let names: Vec<_> = bench
        .members(&built)
        .into_iter()
        .map(|(entry, _)| entry.path)
        .collect();
    assert_eq!(names, [&b"odd"[..], b"odd\xff\nname", b"b"]);
}

fn hostile_archives() {
    let archive = |entry: Entry| {
        let mut writer = barge_image::tar::Writer::new(Vec::new());
        writer.member(&Entry::symlink("l", "/etc")).unwrap();
        writer.member(&entry).unwrap();
        writer.finish().unwrap()
    };
    let device = Entry {
        kind: Kind::CharacterDevice,
        ..Entry::file("null", 0)
    };
    let table = [
        (
            archive(Entry::file("../x", 0)),
            Err("leads out of the destination"),
        ),
        (archive(device), Err("a device")),
        (
            archive(Entry::file(".wh.x", 0)),
            Err("cannot be in a layer"),
        ),
        (
            archive(Entry::hard_link("h", "../../etc/passwd")),
            Err("a hard link to"),
        ),
        (archive(Entry::file("l/x", 0)), Ok("etc/ etc/x to/ to/l")),
        (b"BZh9 not unpacked here".to_vec(), Err("bzip2 or xz")),
    ];
    for (bytes, expected) in table {
        let bench = Bench::new(&[]);
        fs::write(bench.path().join("x.tar"), bytes).unwrap();
        let found = bench.build("FROM scratch\nADD x.tar /to/\n");
        match (found, expected) {
            (Ok(built), Ok(paths)) => assert_eq!(bench.paths(&built).join(" "), paths),
            (found, Err(text)) => {
                let found = error(found);
                assert!(found.contains(text), "{found}");
            }
            (Err(error), Ok(_)) => panic!("{error}"),
        }
    }
}

fn history_and_layers_agree() {
    let bench = Bench::new(&[("a", "a"), ("empty/", "")]);
    let built = bench.build("FROM scratch\nENV A=1\nWORKDIR /w\nWORKDIR /w\nCOPY a .\nCOPY nothing* /\nCMD [\"x\", \"a\\\"b\"]\n").unwrap();
    let config = built.config.parsed();
    let shown: Vec<_> = config
        .history
        .iter()
        .map(|entry| (entry.created_by.clone().unwrap(), entry.empty_layer))
        .collect();
    let expected = [
        ("ENV A=1", true),
        ("WORKDIR /w", false),
        ("WORKDIR /w", true),
        ("COPY a .", false),
        ("COPY nothing* /", true),
        ("CMD [\"x\" \"a\\\"b\"]", true),
    ];
    assert_eq!(
        shown,
        expected.map(|(text, empty)| (text.to_owned(), empty))
    );
    assert_eq!(config.rootfs.diff_ids.len(), 2);
    assert_eq!(config.created.as_deref(), Some("2023-11-14T22:13:20Z"));
}

fn whiteouts_of_a_base_hold() {
    let base = Bench::new(&[("Dockerfile", "FROM scratch\n")]);
    let layout = base.layout();
    let layers: Vec<_> = [
        &["d/", "d/a", "d/b", "e/", "e/x", "e/s/", "e/s/deep", "f"][..],
        // An opaque mark hides what is below, not what stands beside it, whichever comes first.
        &[
            "d/.wh.a",
            "e/",
            "e/y",
            "e/.wh..wh..opq",
            ".wh.f",
            "b/",
            ".wh.b",
        ],
    ]
    .iter()
    .map(|paths| {
        let mut writer = barge_image::tar::Writer::new(
            LayerPacker::new(layout.blobs(), Compression::Gzip).unwrap(),
        );
        for path in *paths {
            let entry = if path.ends_with('/') {
                Entry::directory(*path)
            } else {
                Entry::file(*path, 0)
            };
            writer.member(&entry).unwrap();
        }
        writer.finish().unwrap().finish(layout.blobs()).unwrap()
    })
    .collect();
    let mut config = ImageConfig {
        architecture: barge_image::Platform::host().architecture,
        os: "linux".into(),
        ..ImageConfig::default()
    };
    config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
    let config = RawConfig::parse(serde_json::to_vec(&config).unwrap()).unwrap();
    let descriptor = layout.put_image(&config, &layers).unwrap();
    layout.name(&descriptor, &["b:1".parse().unwrap()]).unwrap();

    let bench = Bench::new(&[]);
    let mut request = bench.request("FROM scratch\nCOPY --from=b:1 / /\n");
    let path = layout.root().to_owned();
    request
        .contexts
        .insert("b:1".into(), NamedContext::Image { path, name: None });
    let built = request
        .plan()
        .unwrap()
        .execute(&bench.layout(), &|_| {})
        .unwrap();
    assert_eq!(bench.paths(&built), ["b/", "d/", "d/b", "e/", "e/y"]);
}

fn a_base_without_manifest_is_packed_once() {
    let base = Bench::new(&[("a", "a")]);
    let built = base.build("FROM scratch\nCOPY a /base\n").unwrap();
    let image = base
        .layout()
        .image(&built.descriptor.digest, Vec::new())
        .unwrap();
    let mut hybrid = Vec::new();
    write(
        &image,
        &["b:1".parse().unwrap()],
        LayerForm::Plain,
        &std::collections::BTreeSet::new(),
        &mut hybrid,
        &|_| {},
    )
    .unwrap();
    // A docker archive of old has no manifest: the same members without the OCI half.
    let mut reader = Reader::new(Streaming(&hybrid[..]));
    let mut docker = barge_image::tar::Writer::new(Vec::new());
    while let Some(entry) = reader.next().unwrap() {
        if entry.path != b"index.json" && entry.path != b"oci-layout" {
            docker.file(&entry, &mut reader).unwrap();
        }
    }
    let path = base.path().join("old.tar");
    fs::write(&path, docker.finish().unwrap()).unwrap();

    let bench = Bench::new(&[("b", "b")]);
    let layout = bench.layout();
    let mut request = bench.request("FROM b:1\nCOPY b /\n");
    request
        .contexts
        .insert("b:1".into(), NamedContext::Image { path, name: None });
    let first = request.plan().unwrap().execute(&layout, &|_| {}).unwrap();
    assert_eq!(first.layers[0].diff_id, built.layers[0].diff_id);
    layout
        .name(&first.descriptor, &["mine:1".parse().unwrap()])
        .unwrap();
    let second = request.plan().unwrap().execute(&layout, &|_| {}).unwrap();
    assert_eq!(first.descriptor, second.descriptor);
    layout
        .image(&second.descriptor.digest, Vec::new())
        .unwrap()
        .verify()
        .unwrap();
}
