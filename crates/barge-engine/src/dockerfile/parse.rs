//! Logical lines to typed instructions and stages.

use super::arguments::{command_line, declarations, json, list, pairs};
use super::error::ParseError;
use super::flags::Flags;
use super::healthcheck;
use super::instruction::{Dockerfile, Heredoc, Instruction, Kind, Stage, Transfer};
use super::lines::{self, Line};

impl Dockerfile {
    /// Parses a Dockerfile.
    ///
    /// # Errors
    /// On the first line that no Dockerfile may have.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (directives, lines) = lines::split(text)?;
        let mut dockerfile = Self {
            escape: directives.escape,
            syntax: directives.syntax,
            check: directives.check,
            arguments: Vec::new(),
            stages: Vec::new(),
        };
        for line in lines {
            dockerfile.line(line)?;
        }
        if dockerfile.stages.is_empty() {
            return Err(ParseError::new(1, "", "there is no `FROM`"));
        }
        Ok(dockerfile)
    }

    fn line(&mut self, line: Line) -> Result<(), ParseError> {
        let fail = |reason: String| ParseError::new(line.span.first, &line.text, reason);
        let (keyword, rest) = keyword(&line.text);
        if keyword == "FROM" {
            let stage = stage(&line, rest).map_err(fail)?;
            self.stages.push(stage);
            return Ok(());
        }
        let kind = kind(&keyword, rest, &line.heredocs, self.escape).map_err(fail)?;
        let target = match self.stages.last_mut() {
            Some(stage) => &mut stage.instructions,
            None if matches!(kind, Kind::Arg(_)) => &mut self.arguments,
            None => return Err(fail("only `ARG` may stand before the first `FROM`".into())),
        };
        target.push(Instruction {
            span: line.span,
            text: line.text,
            kind,
        });
        Ok(())
    }
}

impl Kind {
    /// Parses one instruction without here-documents, such as an `ONBUILD` trigger of a base image.
    ///
    /// # Errors
    /// With the reason why it is none.
    pub(crate) fn parse(text: &str, escape: char) -> Result<Self, String> {
        let (keyword, rest) = keyword(text);
        kind(&keyword, rest, &[], escape)
    }
}

fn keyword(text: &str) -> (String, &str) {
    let text = text.trim();
    let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (keyword.to_ascii_uppercase(), rest.trim())
}

fn stage(line: &Line, rest: &str) -> Result<Stage, String> {
    let (mut flags, rest) = Flags::split(rest);
    let platform = flags.value("platform")?;
    flags.finish()?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (base, name) = match words[..] {
        [base] => (base, None),
        [base, word, name] if word.eq_ignore_ascii_case("as") => (base, Some(stage_name(name)?)),
        _ => return Err("expected `FROM [--platform=PLATFORM] IMAGE [AS NAME]`".into()),
    };
    Ok(Stage {
        name,
        base: base.to_owned(),
        platform,
        span: line.span,
        text: line.text.clone(),
        instructions: Vec::new(),
    })
}

fn stage_name(name: &str) -> Result<String, String> {
    let name = name.to_lowercase();
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
    if is_name {
        Ok(name)
    } else {
        Err(format!(
            "`{name}` cannot name a stage: letters, digits, `-`, `_` and `.`, a letter first"
        ))
    }
}

fn kind(keyword: &str, rest: &str, heredocs: &[Heredoc], escape: char) -> Result<Kind, String> {
    let (mut flags, arguments) = match keyword {
        "ADD" | "COPY" | "HEALTHCHECK" | "RUN" => Flags::split(rest),
        _ => (Flags::default(), rest),
    };
    if arguments.is_empty() && keyword_is_known(keyword) {
        return Err("arguments are missing".into());
    }
    let kind = match keyword {
        "ADD" => Kind::Add(transfer(&mut flags, arguments, heredocs, escape, true)?),
        "ARG" => Kind::Arg(declarations(arguments, escape)?),
        "CMD" => Kind::Cmd(command_line(arguments)),
        "COPY" => Kind::Copy(transfer(&mut flags, arguments, heredocs, escape, false)?),
        "ENTRYPOINT" => Kind::Entrypoint(command_line(arguments)),
        "ENV" => Kind::Env(pairs(arguments, escape)?),
        "EXPOSE" => Kind::Expose(arguments.split_whitespace().map(str::to_owned).collect()),
        "HEALTHCHECK" => Kind::Healthcheck(healthcheck::parse(&mut flags, arguments)?),
        "LABEL" => Kind::Label(pairs(arguments, escape)?),
        "MAINTAINER" => Kind::Maintainer(arguments.to_owned()),
        "ONBUILD" => Kind::Onbuild(trigger(arguments, escape)?),
        "RUN" => {
            return Ok(Kind::Run {
                flags: flags.into_texts(),
                command: command_line(arguments),
                heredocs: heredocs.to_vec(),
            });
        }
        "SHELL" => match json(arguments) {
            Some(words) if !words.is_empty() => Kind::Shell(words),
            _ => return Err("takes a JSON array of words".into()),
        },
        "STOPSIGNAL" => Kind::Stopsignal(arguments.to_owned()),
        "USER" => Kind::User(arguments.to_owned()),
        "VOLUME" => Kind::Volume(list(arguments)),
        "WORKDIR" => Kind::Workdir(arguments.to_owned()),
        _ => return Err(unknown(keyword)),
    };
    flags.finish()?;
    Ok(kind)
}

const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

fn keyword_is_known(keyword: &str) -> bool {
    KEYWORDS.contains(&keyword)
}

fn unknown(keyword: &str) -> String {
    format!("`{keyword}` is not an instruction")
}

fn trigger(text: &str, escape: char) -> Result<String, String> {
    match keyword(text).0.as_str() {
        word @ ("ONBUILD" | "FROM" | "MAINTAINER") => {
            Err(format!("`{word}` cannot be a trigger of `ONBUILD`"))
        }
        _ => Kind::parse(text, escape).map(|_| text.to_owned()),
    }
}

fn transfer(
    flags: &mut Flags,
    arguments: &str,
    heredocs: &[Heredoc],
    escape: char,
    is_add: bool,
) -> Result<Transfer, String> {
    let mut words = list(arguments);
    let destination = words.pop().unwrap_or_default();
    if words.is_empty() {
        return Err("needs at least one source and a destination".into());
    }
    let mut transfer = Transfer {
        sources: words,
        heredocs: heredocs.to_vec(),
        destination,
        chown: flags.value("chown")?,
        chmod: flags.value("chmod")?,
        link: flags.boolean("link")?.unwrap_or(false),
        exclude: flags.values("exclude")?,
        ..Transfer::default()
    };
    if is_add {
        transfer.checksum = flags.value("checksum")?;
        transfer.keep_git_dir = flags.boolean("keep-git-dir")?.unwrap_or(false);
        transfer.unpack = flags.boolean("unpack")?;
    } else {
        transfer.from = flags.value("from")?;
        transfer.parents = flags.boolean("parents")?.unwrap_or(false);
    }
    if !heredocs.is_empty() {
        if lines::is_heredoc(&transfer.destination, escape) {
            return Err("a here-document cannot be the destination".into());
        }
        transfer
            .sources
            .retain(|source| !lines::is_heredoc(source, escape));
    }
    Ok(transfer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::instruction::{CommandLine, Span};
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let dockerfile = Dockerfile::parse(text).unwrap();
        dockerfile
            .stages
            .into_iter()
            .flat_map(|stage| stage.instructions)
            .map(|i| i.kind)
            .collect()
    }

    #[test]
    fn parses_stages_with_spans() {
        let text = "ARG V=1\nFROM --platform=$BUILDPLATFORM a:$V AS Build\nCOPY --from=x \\\n  a /b/\n\nfrom build\ncmd x";
        let dockerfile = Dockerfile::parse(text).unwrap();
        assert_eq!(dockerfile.arguments.len(), 1);
        let [first, second] = &dockerfile.stages[..] else {
            panic!("two stages")
        };
        assert_eq!(first.name.as_deref(), Some("build"));
        assert_eq!(first.platform.as_deref(), Some("$BUILDPLATFORM"));
        assert_eq!(first.instructions[0].span, Span { first: 3, last: 4 });
        assert_eq!(second.base, "build");
        assert_eq!(
            second.instructions[0].kind,
            Kind::Cmd(CommandLine::Shell("x".into()))
        );
    }

    #[test]
    fn copy_separates_heredocs_from_sources() {
        let found = kinds("FROM scratch\nCOPY --chown=1:2 --link a <<EOF /d/\nhi\nEOF\n");
        let Kind::Copy(copy) = &found[0] else {
            panic!("{found:?}")
        };
        assert_eq!(copy.sources, ["a"]);
        assert_eq!(copy.heredocs[0].content, "hi\n");
        assert_eq!((copy.destination.as_str(), copy.link), ("/d/", true));
    }

    #[test]
    fn refuses_with_line_and_text() {
        let table = [
            ("", 1),
            ("# only\n", 1),
            ("RUN x\nFROM a", 1),
            ("FROM a\nNOPE x", 2),
            ("FROM a b", 1),
            ("FROM a AS 1b", 1),
            ("FROM a\nCOPY x", 2),
            ("FROM a\nCOPY --nope x y", 2),
            ("FROM a\nCOPY", 2),
            ("FROM a\n\nSHELL sh -c", 3),
            ("FROM a\nONBUILD FROM b", 2),
            ("FROM a\nONBUILD NOPE", 2),
            ("FROM a\nHEALTHCHECK --interval=5 CMD x", 2),
            ("FROM a\nHEALTHCHECK x", 2),
            ("FROM a\nENV a", 2),
            ("FROM a\nCMD", 2),
        ];
        for (text, line) in table {
            let error = Dockerfile::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Dockerfile::parse(&text).is_ok();
        }

        #[test]
        fn never_panics_on_likely_lines(
            lines in proptest::collection::vec(
                ("(FROM|COPY|ADD|ENV|ARG|RUN|ONBUILD|HEALTHCHECK|SHELL|# escape=|LABEL|EXPOSE)", "[ a=\\\\`\"'\\[\\],<\\-$\\{\\}#\r\té]{0,20}"),
                0..8,
            )
        ) {
            let text: String = lines.iter().map(|(word, rest)| format!("{word} {rest}\n")).collect();
            let _ = Dockerfile::parse(&text).is_ok();
        }
    }
}
