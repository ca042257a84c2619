//! What programs do to images and files that the walk does not follow itself.

/// How much a program can change without the walk knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that matters.
    None,
    /// It can write files, but no images.
    Files,
    /// It can do anything.
    Anything,
}

const INERT: &[&str] = &[
    ".",
    "[",
    "alias",
    "apt",
    "apt-get",
    "awk",
    "base64",
    "basename",
    "bc",
    "cat",
    "chmod",
    "chown",
    "cmp",
    "curl",
    "cut",
    "date",
    "df",
    "diff",
    "dig",
    "dirname",
    "du",
    "env",
    "expr",
    "false",
    "file",
    "find",
    "free",
    "getent",
    "gh",
    "git",
    "gpg",
    "grep",
    "head",
    "hostname",
    "id",
    "jq",
    "kill",
    "kubectl",
    "helm",
    "kind",
    "minikube",
    "k3d",
    "ln",
    "ls",
    "lscpu",
    "mkdir",
    "mktemp",
    "nc",
    "netstat",
    "nproc",
    "openssl",
    "ping",
    "pgrep",
    "printenv",
    "ps",
    "pwd",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sha256sum",
    "sleep",
    "sort",
    "ss",
    "stat",
    "sysctl",
    "systemctl",
    "service",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "tree",
    "type",
    "uname",
    "uniq",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "yq",
    "cosign",
    "syft",
    "grype",
    "trivy",
    "crane",
    "regctl",
    "oras",
    "aws",
    "gcloud",
    "az",
    "docker-credential-gcr",
    "hadolint",
    "dive",
    "add-apt-repository",
    "modprobe",
    "mount",
    "swapoff",
    "fallocate",
    "lsblk",
    "snap",
    "dpkg",
    "ufw",
    "iptables",
    "ip",
    "useradd",
    "usermod",
    "newgrp",
    "chgrp",
    "sync",
    "nslookup",
    "host",
    "psql",
    "mysql",
    "redis-cli",
    "source",
    "ulimit",
    "let",
    "hash",
    "command",
    "if",
    "cosign-installer",
    "notation",
    "snyk",
    "skopeo",
    "umoci",
    "unset",
    "column",
    "pv",
    "timeout",
    "ssh",
    "scp",
    "rsync",
];

const FILE_WRITERS: &[&str] = &[
    "cp",
    "mv",
    "tar",
    "zip",
    "unzip",
    "gunzip",
    "gzip",
    "zstd",
    "pigz",
    "xz",
    "bzip2",
    "7z",
    "dd",
    "install",
    "split",
    "cargo",
    "rustup",
    "npm",
    "npx",
    "node",
    "yarn",
    "pnpm",
    "pip",
    "pip3",
    "pipx",
    "poetry",
    "uv",
    "go",
    "gofmt",
    "dotnet",
    "gem",
    "bundle",
    "composer",
    "php",
    "cmake",
    "gcc",
    "protoc",
    "sass",
    "terraform",
    "brew",
    "choco",
    "corepack",
    "hugo",
    "mkdocs",
    "pytest",
    "tox",
    "coverage",
    "black",
    "flake8",
    "mypy",
    "ruff",
    "golangci-lint",
    "cypress",
    "playwright",
    "msbuild",
    "nuget",
];

/// The effect of a program, by its name and first arguments.
#[must_use]
pub(super) fn effect(program: &str, arguments: &[&str]) -> Effect {
    let name = program.rsplit('/').next().unwrap_or(program);
    // Package managers run the project's own scripts, which can build images.
    let runs_scripts = matches!(
        (name, arguments.first().copied()),
        (
            "npm" | "yarn" | "pnpm",
            Some("run" | "build" | "docker" | "start")
        ) | ("poetry" | "uv", Some("run"))
            | ("go", Some("run"))
            | ("cargo", Some("make" | "xtask" | "run"))
    );
    if runs_scripts
        || (name == "npx"
            && arguments
                .iter()
                .any(|argument| argument.contains("docker") || argument.contains("devcontainer")))
    {
        return Effect::Anything;
    }
    if program.starts_with("./")
        || program.contains('/') && !program.starts_with("/usr/") && !program.starts_with("/bin/")
    {
        return Effect::Anything;
    }
    if name == "." || name == "source" {
        return if arguments
            .first()
            .is_some_and(|file| file.contains("env") || file.contains("bin/activate"))
        {
            Effect::Files
        } else {
            Effect::Anything
        };
    }
    if INERT.contains(&name) {
        return Effect::None;
    }
    if FILE_WRITERS.contains(&name) {
        return Effect::Files;
    }
    Effect::Anything
}

/// Says whether by the names of its targets `make` builds or publishes images, and does nothing else.
#[must_use]
pub(super) fn builds(arguments: &[&str]) -> bool {
    let is_target = |word: &&&str| !word.starts_with('-') && !word.contains('=');
    let mut targets = arguments.iter().filter(is_target).peekable();
    targets.peek().is_some()
        && targets.all(|target| {
            ["build", "push", "image", "docker"]
                .iter()
                .any(|word| target.contains(word))
                && !target.contains("save")
        })
}

/// Actions that touch neither images nor files of interest.
const INERT_ACTIONS: &[&str] = &[
    "actions/checkout",
    "actions/setup-",
    "actions/github-script",
    "actions/labeler",
    "actions/stale",
    "actions/cache/save",
    "actions/create-github-app-token",
    "actions/attest",
    "docker/login-action",
    "docker/setup-qemu-action",
    "docker/setup-buildx-action",
    "docker/setup-docker-action",
    "docker/metadata-action",
    "docker/scout-action",
    "github/codeql-action",
    "sigstore/cosign-installer",
    "codecov/",
    "step-security/harden-runner",
    "dorny/paths-filter",
    "tj-actions/changed-files",
    "aws-actions/configure-aws-credentials",
    "aws-actions/amazon-ecr-login",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "redhat-actions/podman-login",
    "google-github-actions/auth",
    "google-github-actions/setup-gcloud",
    "azure/login",
    "azure/docker-login",
    "aquasecurity/trivy-action",
    "anchore/",
    "hadolint/",
    "slackapi/",
    "softprops/action-gh-release",
    "peter-evans/",
    "mikepenz/",
    "crazy-max/ghaction-docker-meta",
    "crazy-max/ghaction-setup-buildx",
    "ishworkh/",
    "helm/kind-action",
    "helm/chart-testing-action",
    "azure/setup-",
    "jlumbroso/free-disk-space",
    "easimon/maximize-build-space",
    "oras-project/setup-oras",
    "imjasonh/setup-crane",
    "hashicorp/setup-",
    "engineerd/setup-kind",
    "medyagh/setup-minikube",
    "rtcamp/",
    "8398a7/action-slack",
    "dtolnay/rust-toolchain",
    "swatinem/rust-cache",
    "gittools/",
    "styfle/cancel-workflow-action",
    "n1hility/cancel-previous-runs",
    "fkirc/skip-duplicate-actions",
    "peaceiris/",
    "marocchino/",
    "mxschmitt/action-tmate",
    "nick-invision/retry",
    "webfactory/ssh-agent",
    "rlespinasse/github-slug-action",
    "satackey/action-docker-layer-caching",
    "insightsengineering/disk-space-reclaimer",
    "docker/setup-compose-action",
    "goodwithtech/",
    "snyk/",
    "rhysd/",
    "ludeeus/",
    "super-linter/",
    "pre-commit/",
    "release-drafter/",
    "googleapis/release-please-action",
    "google-github-actions/release-please-action",
    "andymckay/",
    "extractions/setup-just",
    "arduino/setup-",
    "taiki-e/install-action",
    "ruby/setup-ruby",
    "shivammathur/setup-php",
    "pnpm/action-setup",
    "oven-sh/setup-bun",
    "astral-sh/setup-uv",
    "gradle/actions/setup-gradle",
    "gradle/wrapper-validation-action",
    "docker/github-builder",
];

/// Says whether an action is known to leave images and tars alone.
#[must_use]
pub(super) fn is_inert_action(name: &str) -> bool {
    let name = name.to_lowercase();
    INERT_ACTIONS.iter().any(|known| name.starts_with(known))
}
