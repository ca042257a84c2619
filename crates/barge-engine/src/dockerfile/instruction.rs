//! What a Dockerfile says, typed. Values are as written: quotes and variables are still in them.

use std::fmt;

/// The lines of an instruction, from 1, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first line.
    pub first: usize,
    /// The last line, with continuations and here-documents.
    pub last: usize,
}

/// A parsed Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The escape character, `\` or `` ` ``.
    pub escape: char,
    /// The value of `# syntax=`, and its line.
    pub syntax: Option<(usize, String)>,
    /// The value of `# check=`.
    pub check: Option<String>,
    /// The `ARG` instructions before the first `FROM`.
    pub arguments: Vec<Instruction>,
    /// The build stages; at least one.
    pub stages: Vec<Stage>,
}

impl Dockerfile {
    /// The last stage of this name among the first `before`; case does not matter.
    #[must_use]
    pub fn stage_named(&self, before: usize, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        let named = |stage: &Stage| stage.name.as_deref() == Some(&wanted);
        self.stages.get(..before)?.iter().rposition(named)
    }

    /// The same by name or, where none is called so, by number.
    #[must_use]
    pub fn stage(&self, before: usize, name: &str) -> Option<usize> {
        let numbered = || name.parse().ok().filter(|number| *number < before);
        self.stage_named(before, name).or_else(numbered)
    }
}

/// A build stage: `FROM` and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// The base as written.
    pub base: String,
    /// The value of `--platform` as written.
    pub platform: Option<String>,
    /// Where `FROM` stands.
    pub span: Span,
    /// `FROM` as written.
    pub text: String,
    /// What follows.
    pub instructions: Vec<Instruction>,
}

/// An instruction other than `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Where it stands.
    pub span: Span,
    /// It as written, continuations joined.
    pub text: String,
    /// What it says.
    pub kind: Kind,
}

/// What an instruction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `ADD`
    Add(Transfer),
    /// `ARG`
    Arg(Vec<Argument>),
    /// `CMD`
    Cmd(CommandLine),
    /// `COPY`
    Copy(Transfer),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `ENV`
    Env(Vec<Pair>),
    /// `EXPOSE`
    Expose(Vec<String>),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `LABEL`
    Label(Vec<Pair>),
    /// `MAINTAINER`
    Maintainer(String),
    /// `ONBUILD`, with the instruction to keep for later.
    Onbuild(String),
    /// `RUN`, with its flags as written.
    Run {
        /// `--mount=...`, `--network=...`, `--security=...`.
        flags: Vec<String>,
        /// What to run.
        command: CommandLine,
        /// Its here-documents.
        heredocs: Vec<Heredoc>,
    },
    /// `SHELL`
    Shell(Vec<String>),
    /// `STOPSIGNAL`
    Stopsignal(String),
    /// `USER`
    User(String),
    /// `VOLUME`
    Volume(Vec<String>),
    /// `WORKDIR`
    Workdir(String),
}

/// `["exec", "form"]` or shell form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// The words of a JSON array.
    Exec(Vec<String>),
    /// A text for the shell.
    Shell(String),
}

/// `NAME=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name as written.
    pub name: String,
    /// The value as written.
    pub value: String,
}

/// `NAME` or `NAME=default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The default as written.
    pub default: Option<String>,
}

/// `COPY` or `ADD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Sources other than here-documents, as written.
    pub sources: Vec<String>,
    /// Files written in the Dockerfile itself.
    pub heredocs: Vec<Heredoc>,
    /// The destination as written.
    pub destination: String,
    /// `--from`
    pub from: Option<String>,
    /// `--chown`
    pub chown: Option<String>,
    /// `--chmod`
    pub chmod: Option<String>,
    /// `--link`
    pub link: bool,
    /// `--parents`
    pub parents: bool,
    /// `--exclude`, each.
    pub exclude: Vec<String>,
    /// `--checksum` of `ADD`
    pub checksum: Option<String>,
    /// `--keep-git-dir` of `ADD`
    pub keep_git_dir: bool,
    /// `--unpack` of `ADD`
    pub unpack: Option<bool>,
}

/// A file written in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, which is its file name.
    pub name: String,
    /// The text between.
    pub content: String,
    /// Whether variables in it are substituted: when the word was not quoted.
    pub expand: bool,
}

/// How to tell that a container works. Durations in nanoseconds; 0 where not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`, `CMD word...` or `CMD-SHELL text`, as the image config holds it.
    pub test: Vec<String>,
    /// `--interval`
    pub interval: i64,
    /// `--timeout`
    pub timeout: i64,
    /// `--start-period`
    pub start_period: i64,
    /// `--start-interval`
    pub start_interval: i64,
    /// `--retries`
    pub retries: i64,
}

impl Kind {
    /// The instruction's keyword.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run { .. } => "RUN",
            Self::Shell(_) => "SHELL",
            Self::Stopsignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.default {
            Some(default) => write!(f, "{}={default}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
