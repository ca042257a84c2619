//! Which instruction of a Dockerfile made each layer of an image: findings are shown there, at a line that can be mended.
//!
//! The image's history says what made a layer, in the words of the builder: BuildKit's `RUN /bin/sh -c make # buildkit`,
//! or `/bin/sh -c #(nop) COPY dir:8e1c in /app` of the builder before it. Variables are substituted there, so the two texts
//! are matched from the last layer backwards, in their order; what matches no instruction came with the base image.

use std::collections::BTreeMap;

use barge_engine::dockerfile::{CommandLine, Dockerfile, Kind, Span, Stage};
use barge_report::Location;
use barge_sbom::package::LayerFact;

/// The places in a Dockerfile that made the layers of an image, by the layer's position from the bottom. None if the text
/// is no Dockerfile or its target is not there.
#[must_use]
pub fn layer_lines(
    path: &str,
    text: &str,
    target: Option<&str>,
    layers: &[LayerFact],
) -> BTreeMap<u32, Location> {
    let Ok(dockerfile) = Dockerfile::parse(text) else {
        return BTreeMap::new();
    };
    let stages = stages_of(&dockerfile, target);
    let Some(from) = stages.first().map(|stage| stage.span) else {
        return BTreeMap::new();
    };
    let makers: Vec<Maker> = stages.iter().flat_map(|stage| makers(stage)).collect();
    let mut left = makers.as_slice();
    let mut lines = BTreeMap::new();
    for (number, layer) in layers.iter().enumerate().rev() {
        let made = layer.instruction.as_deref().and_then(Made::parse);
        let place = made.and_then(|made| left.iter().rposition(|maker| maker.fits(&made)));
        let span = place.and_then(|place| {
            let span = left.get(place)?.span;
            left = left.get(..place)?;
            Some(span)
        });
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        lines.insert(number, location(path, span.unwrap_or(from)));
    }
    lines
}

fn location(path: &str, span: Span) -> Location {
    let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
    Location {
        path: path.to_owned(),
        line: line(span.first),
        end_line: Some(line(span.last)),
        ..Location::default()
    }
}

/// The target stage with the stages that it is built upon, the lowest first.
fn stages_of<'a>(dockerfile: &'a Dockerfile, target: Option<&str>) -> Vec<&'a Stage> {
    let by_name = |name: &str, before: usize| {
        let name = name.to_lowercase();
        let stages = dockerfile.stages.get(..before).unwrap_or_default();
        let named = stages
            .iter()
            .rposition(|stage| stage.name.as_deref() == Some(&name));
        named.or_else(|| name.parse().ok().filter(|number| *number < before))
    };
    let count = dockerfile.stages.len();
    let mut next = match target {
        Some(target) => by_name(target, count),
        None => count.checked_sub(1),
    };
    let mut stages = Vec::new();
    while let Some((number, stage)) =
        next.and_then(|number| Some((number, dockerfile.stages.get(number)?)))
    {
        stages.push(stage);
        next = by_name(&stage.base, number);
    }
    stages.reverse();
    stages
}

/// An instruction that makes a layer.
struct Maker {
    span: Span,
    keyword: &'static str,
    /// The command, or the last argument.
    text: String,
}

fn makers(stage: &Stage) -> Vec<Maker> {
    let maker = |instruction: &barge_engine::dockerfile::Instruction| {
        let text = match &instruction.kind {
            Kind::Run { command, .. } => match command {
                CommandLine::Exec(words) => words.join(" "),
                CommandLine::Shell(text) => text.clone(),
            },
            Kind::Copy(transfer) | Kind::Add(transfer) => transfer.destination.clone(),
            Kind::Workdir(path) => path.clone(),
            _ => return None,
        };
        Some(Maker {
            span: instruction.span,
            keyword: instruction.kind.keyword(),
            text: one_spaced(&text),
        })
    };
    stage.instructions.iter().filter_map(maker).collect()
}

impl Maker {
    fn fits(&self, made: &Made<'_>) -> bool {
        if self.keyword != made.keyword {
            return false;
        }
        if self.keyword == "RUN" {
            return !self.text.is_empty() && made.text.contains(&self.text);
        }
        // The builder substitutes variables and may make the path absolute.
        let own = self.text.trim_start_matches("./").trim_matches('/');
        let last = made.text.rsplit(' ').next().unwrap_or_default();
        own == "." || own.contains('$') || last.trim_matches('/').ends_with(own)
    }
}

/// What made a layer, by the image's history.
struct Made<'a> {
    keyword: &'a str,
    text: String,
}

impl<'a> Made<'a> {
    fn parse(created_by: &'a str) -> Option<Self> {
        let text = created_by.trim();
        let text = text.strip_suffix("# buildkit").unwrap_or(text).trim();
        let made = |(keyword, text): (&'a str, &str)| Self {
            keyword,
            text: one_spaced(text),
        };
        if let Some((_, rest)) = text.split_once("#(nop)") {
            return rest.trim().split_once(' ').map(made);
        }
        // Without a keyword it is what the shell was told, with the build's arguments before it.
        if text.starts_with('/') || text.starts_with('|') {
            return Some(made(("RUN", text)));
        }
        text.split_once(' ').map(made)
    }
}

/// The text with single spaces: joined lines keep their indentation in one of the two, and not in the other.
fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "ARG BASE=debian:12
FROM ${BASE} AS base
RUN apt-get update && \\
    apt-get install -y curl
FROM golang AS build
RUN go build ./...
FROM base
ARG APP=/srv
WORKDIR ${APP}
COPY --from=build /out/server bin/
# What the server needs.
RUN --mount=type=cache,target=/x pip install -r requirements.txt
COPY . .
";

    fn lines(text: &str, target: Option<&str>, history: &[&str]) -> Vec<(u32, Option<u32>)> {
        let layers: Vec<LayerFact> = history
            .iter()
            .map(|instruction| LayerFact {
                diff_id: barge_image::Digest::of(instruction.as_bytes()),
                instruction: (!instruction.is_empty()).then(|| (*instruction).to_owned()),
            })
            .collect();
        let places = layer_lines("app/Dockerfile", text, target, &layers);
        assert!(places.values().all(|place| place.path == "app/Dockerfile"));
        places
            .values()
            .map(|place| (place.line, place.end_line))
            .collect()
    }

    #[test]
    fn layers_of_buildkit_lead_to_their_instructions() {
        let history = [
            "# debian.sh --arch 'amd64' out/ 'bookworm' '@1750000000'",
            "RUN |1 BASE=debian:12 /bin/sh -c apt-get update &&     apt-get install -y curl # buildkit",
            "WORKDIR /srv",
            "COPY /out/server bin/ # buildkit",
            "RUN |1 APP=/srv /bin/sh -c pip install -r requirements.txt # buildkit",
            "COPY . . # buildkit",
        ];
        let wanted = [2, 3, 9, 10, 12, 13];
        let found = lines(DOCKERFILE, None, &history);
        assert_eq!(
            found.iter().map(|place| place.0).collect::<Vec<_>>(),
            wanted
        );
        assert_eq!(
            found[1],
            (3, Some(4)),
            "an instruction has its last line, too"
        );
    }

    #[test]
    fn layers_of_the_builder_before_it_do_too() {
        let history = [
            "/bin/sh -c #(nop) ADD file:4b12 in / ",
            "/bin/sh -c apt-get update &&     apt-get install -y curl",
            "/bin/sh -c #(nop) WORKDIR /srv",
            "/bin/sh -c #(nop) COPY file:91 in /srv/bin/ ",
            "|1 APP=/srv /bin/sh -c pip install -r requirements.txt",
            "/bin/sh -c #(nop) COPY dir:17 in /srv ",
        ];
        let found = lines(DOCKERFILE, None, &history);
        let wanted = [2, 3, 9, 10, 12, 13];
        assert_eq!(
            found.iter().map(|place| place.0).collect::<Vec<_>>(),
            wanted
        );
    }

    #[test]
    fn what_nothing_explains_came_with_the_base() {
        assert_eq!(
            lines(DOCKERFILE, None, &["", "RUN other"]),
            [(2, Some(2)); 2]
        );
        assert_eq!(
            lines(
                DOCKERFILE,
                Some("build"),
                &["x", "RUN /bin/sh -c go build ./..."]
            ),
            [(5, Some(5)), (6, Some(6))]
        );
        assert!(lines("no Dockerfile", None, &["x"]).is_empty());
        assert!(lines(DOCKERFILE, Some("missing"), &["x"]).is_empty());
    }
}
