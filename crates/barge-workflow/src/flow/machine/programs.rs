//! Programs that move files and data: compressors, `cat`, `cp`, `tar`.

use crate::shell::{Call, Input, Machine as _, Output};
use crate::symbolic::{Comparison, Shape, Symbol, Term, Text, Value};

use super::super::facts::{Content, FactKind, FileUse, Resolution};
use super::super::path;
use super::script::{Data, Script};

impl Script<'_, '_> {
    pub(super) fn content_of(&self, output: &Output) -> Content {
        match output {
            Output::Data(number) => match self.walk.data.get(*number) {
                Some(Data::Made(content)) => content.clone(),
                Some(Data::File(file)) => self.walk.files.content(file),
                None => Content::Other,
            },
            _ => Content::Other,
        }
    }

    /// Records that a program can have done anything; one that is asked for a value writes no files that matter.
    pub(in super::super) fn opaque_call(&mut self, call: &Call, reason: &str) {
        let (condition, place) = (self.when(&call.condition), self.place(call.span));
        if call.asked {
            let kind = FactKind::DaemonOpaque(reason.to_owned());
            self.walk.add(kind, &condition, self.step, &place, true);
            return;
        }
        self.walk.mark_opaque(self.step, &condition, &place, reason);
    }

    /// The archives that a pattern matches, as paths from the script's directory, when nothing unknown can have added to
    /// them; the pattern itself when there are none, as the shell has it.
    pub(super) fn matching(&self, pattern: &Text) -> Option<Vec<Text>> {
        let wanted = self.file(pattern);
        if self.walk.files.is_in_open_directory(&wanted) {
            return None;
        }
        let walk = &*self.walk;
        match walk.files.resolve(&wanted, FileUse::Load, walk.repository) {
            Resolution::Written(_) if !self.walk.files.is_opaque() => {}
            Resolution::Absent(near) if !near.is_empty() && path::is_archive(&wanted) => {
                let leaves_out = self.prepared.script.text().contains("nullglob");
                return (!leaves_out).then(|| vec![pattern.clone()]);
            }
            _ => return None,
        }
        // A star matches within one directory.
        let beside = path::directory(&wanted);
        let found = self.walk.files.iter().map(|entry| &entry.path);
        let mut found: Vec<Text> = found
            .filter(|path| path::covers(&wanted, path) == Comparison::Equal)
            .filter(|path| path::is_glob(&beside) || path::directory(path) == beside)
            .map(|path| path::relative(&self.directory, path).unwrap_or_else(|| path.clone()))
            .collect();
        found.sort();
        found.dedup();
        (!found.is_empty()).then_some(found)
    }

    pub(in super::super) fn opaque_files(&mut self, call: &Call, reason: &str) {
        let (condition, place) = (self.when(&call.condition), self.place(call.span));
        self.walk
            .mark_files_opaque(self.step, &condition, &place, reason);
    }
}

impl Script<'_, '_> {
    /// Programs that hand on what they read: compressors and `cat`.
    pub(super) fn filter(&mut self, name: &str, arguments: &[Text], call: &Call) -> Output {
        let files: Vec<&Text> = arguments
            .iter()
            .filter(|argument| !argument.literal_start().starts_with('-'))
            .collect();
        if let Input::Piped(output) = &call.input {
            if name == "tee" {
                for file in files {
                    self.write(file, true, output, &call.condition, call.span);
                }
            }
            return output.clone();
        }
        let file = match (files.first(), &call.input) {
            (Some(file), _) => self.file(file),
            (None, Input::File(file)) => self.file(file),
            _ => return Output::Nothing,
        };
        if call.captured || matches!(name, "cat" | "zcat" | "zstdcat") {
            return self.data(Data::File(file));
        }
        let flag = |flags: &[&str]| {
            let mut literals = arguments.iter().filter_map(Text::as_literal);
            literals.any(|argument| flags.contains(&argument))
        };
        if flag(&["-t", "--test", "-l", "--list"]) {
            return Output::Nothing;
        }
        // In place: the compressor's file takes the place of the one it read.
        let content = self.walk.files.content(&file);
        let suffix = match name {
            "gzip" | "pigz" => ".gz",
            "zstd" => ".zst",
            "xz" => ".xz",
            "bzip2" => ".bz2",
            _ => "",
        };
        let known = self.walk.files.has(&file);
        let decompress = suffix.is_empty() || flag(&["-d", "--decompress", "--uncompress"]);
        let target = if decompress {
            [".gz", ".zst", ".xz", ".bz2"]
                .iter()
                .find_map(|suffix| file.strip_end(suffix))
        } else {
            let mut target = file.clone();
            target.push_str(suffix);
            Some(target)
        };
        match target.filter(|_| known) {
            Some(target) => {
                // zstd keeps what it read, unless told otherwise.
                let keeps = flag(&["-k", "--keep"]) || (suffix == ".zst" && !flag(&["--rm"]));
                if !keeps {
                    self.walk.files.remove(&file);
                }
                let (condition, place) = (self.when(&call.condition), self.place(call.span));
                self.walk
                    .write_file(&target, content, &condition, self.step, &place);
            }
            None => self.opaque_files(call, &format!("`{name}`")),
        }
        Output::Nothing
    }

    pub(super) fn copy(&mut self, arguments: &[Text], call: &Call) {
        let files: Vec<Text> = arguments
            .iter()
            .filter(|argument| !argument.literal_start().starts_with('-'))
            .map(|file| self.file(file))
            .collect();
        let Some((target, sources)) = files.split_last() else {
            return;
        };
        for source in sources {
            let moved: Vec<_> = self
                .walk
                .files
                .iter()
                .filter(|entry| path::covers(source, &entry.path) == Comparison::Equal)
                .cloned()
                .collect();
            if moved.is_empty() {
                let (condition, place) = (self.when(&call.condition), self.place(call.span));
                let (step, tolerated) = (self.step, call.tolerated || self.tolerated);
                self.walk
                    .read_file(source, FileUse::Copy, &condition, step, &place, tolerated);
                // A file that is not followed: its new place is not known to be empty either.
                self.walk.files.open_directory(target.clone());
            }
            for entry in moved {
                let name = entry
                    .path
                    .split_last('/')
                    .map_or_else(|| entry.path.clone(), |(_, name)| name);
                let inside = super::super::artifact::below(target, &name);
                let (condition, place) = (self.when(&call.condition), self.place(call.span));
                // Whether the target is a directory is not known: both are possible.
                if !path::is_archive(target) {
                    self.walk.write_file(
                        &inside,
                        entry.content.clone(),
                        &condition,
                        self.step,
                        &place,
                    );
                }
                self.walk
                    .write_file(target, entry.content, &condition, self.step, &place);
            }
        }
    }

    pub(super) fn tar(&mut self, arguments: &[Text], call: &Call) {
        let first = arguments
            .first()
            .map(Text::literal_start)
            .unwrap_or_default()
            .trim_start_matches('-');
        let creates = first.contains('c')
            || arguments
                .iter()
                .any(|argument| argument.as_literal() == Some("--create"));
        let file = flag_value(arguments, &["-f", "--file"]).or_else(|| {
            let at = arguments.iter().position(|argument| {
                let text = argument.literal_start();
                (text.starts_with('-') && !text.starts_with("--")
                    || arguments.first() == Some(argument))
                    && text.ends_with('f')
            })?;
            arguments.get(at + 1).cloned()
        });
        match file {
            Some(file) if creates => self.write_content(&file, Content::Other, call),
            _ => self.opaque_files(call, "`tar`"),
        }
    }

    /// Output of programs that say the same wherever they are asked.
    pub(super) fn known_output(&self, name: &str, arguments: &[Text]) -> Output {
        let all: Vec<String> = arguments.iter().map(Text::describe).collect();
        let text = format!("$({name} {})", all.join(" "));
        let shape = match (name, all.first().map(String::as_str)) {
            ("git", Some("rev-parse"))
                if !all.iter().any(|argument| argument == "--abbrev-ref") =>
            {
                Shape::Hexadecimal
            }
            ("git", Some("describe")) => Shape::Word,
            ("basename", _) => Shape::Word,
            ("pwd", _) => return Output::Text(self.workspace_directory()),
            ("jq", _) => match self
                .field_of_event(arguments)
                .or_else(|| self.metadata_tags(arguments))
            {
                Some(value) => return Output::Text(value),
                None => return Output::Nothing,
            },
            _ => return Output::Nothing,
        };
        Output::Text(Value::unknown(text, shape))
    }

    /// `jq -r .pull_request.title $GITHUB_EVENT_PATH`: a field of the event, by a path of plain names.
    fn field_of_event(&self, arguments: &[Text]) -> Option<Value> {
        let [raw, path, file] = arguments else {
            return None;
        };
        let of_event = file
            .as_symbol()
            .is_some_and(|file| file.name() == "$GITHUB_EVENT_PATH");
        let names = path.as_literal()?.strip_prefix('.')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if raw.as_literal() != Some("-r") || !of_event || !names.chars().all(plain) {
            return None;
        }
        let field: Vec<&str> = std::iter::once("event").chain(names.split('.')).collect();
        let value = self.walk.scenario.github(&field);
        Some(value.map(|term| match term {
            Term::Null => Term::text("null"),
            other => Term::Text(other.printed()),
        }))
    }

    /// `jq -cr '.tags | map("-t " + .) | join(" ")' <<< "$DOCKER_METADATA_OUTPUT_JSON"`: the tags of the metadata step before.
    fn metadata_tags(&self, arguments: &[Text]) -> Option<Value> {
        if !self.run.text.contains("DOCKER_METADATA_OUTPUT_JSON") {
            return None;
        }
        let mut programs = arguments.iter().filter_map(Text::as_literal);
        let program = programs.find(|word| word.starts_with(".tags"))?;
        let mut steps = self.walk.trace.steps.iter().rev();
        let made = steps.find(|step| step.kind.to_lowercase().contains("metadata-action"))?;
        let listed = |text: &Text, before: &str, between: &str| {
            let mut out = Text::new();
            for (at, line) in text.lines().iter().enumerate() {
                out.push_str(if at > 0 { between } else { "" });
                out.push_str(before);
                out.append(line);
            }
            out
        };
        let render: &dyn Fn(&Text) -> Text = match program {
            _ if program.contains("\"-t \"") => &|text| listed(text, "-t ", " "),
            ".tags[0]" => &|text| text.lines().first().cloned().unwrap_or_default(),
            ".tags[]" => &|text| text.clone(),
            _ => return None,
        };
        let tags = made.outputs.get("tags")?;
        Some(tags.map(|term| Term::Text(render(&term.printed()))))
    }

    fn workspace_directory(&self) -> Value {
        let mut text = Text::symbol(Symbol::new("github.workspace", Shape::Word));
        if self.directory.literal_start().starts_with('/') {
            return self.directory.clone().into();
        }
        if !self.directory.is_empty() {
            text.push_str("/");
            text.append(&self.directory);
        }
        text.into()
    }
}

/// The value of the first of some flags, as the next word or after `=`.
pub(in super::super) fn flag_value(arguments: &[Text], flags: &[&str]) -> Option<Text> {
    for (at, argument) in arguments.iter().enumerate() {
        for flag in flags {
            if argument.as_literal() == Some(flag) {
                return arguments.get(at + 1).cloned();
            }
            if let Some(rest) = argument
                .strip_start(&format!("{flag}="))
                .filter(|_| flag.starts_with("--"))
            {
                return Some(rest);
            }
        }
    }
    None
}
