use super::super::run::Repository;
use super::*;
use crate::source::Source;
use crate::symbolic::{Condition, Shape, Symbol, Text, Value};

/// A repository of a few files.
#[derive(Debug, Clone, Copy)]
struct Files<'a>(&'a [(&'a str, &'a str)]);

impl Repository for Files<'_> {
    fn read(&self, path: &str) -> Option<Source> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(name, text)| Source::new(name, text))
    }
}

fn asked(files: Files<'_>, wanted: &[&str], overrides: &[&str]) -> Option<Vec<String>> {
    let environment = |name: &str| match name {
        "TAG" => Some(Value::text("v1")),
        "SHA" => Some(Text::symbol(Symbol::new("github.sha", Shape::Hexadecimal)).into()),
        _ => None,
    };
    let question = Question {
        files: Vec::new(),
        wanted: wanted.iter().map(|name| (*name).to_owned()).collect(),
        overrides: overrides.iter().map(|line| Text::literal(*line)).collect(),
        directory: Text::new(),
        environment: &environment,
    };
    let targets = targets(&question, &files)?;
    let line = |target: &Target| {
        let tags = target.tags.iter().map(|(when, tag)| match when {
            Condition::Always => tag.describe(),
            when => format!("{} if {when}", tag.describe()),
        });
        format!("{}: {}", target.name, tags.collect::<Vec<_>>().join(" "))
    };
    Some(targets.iter().map(line).collect())
}

const HCL: &str = r#"
variable "TAG" { default = "latest" }
variable "REGISTRY" { default = "ghcr.io/example" }
variable "SHA" {}
function "named" {
  params = [name]
  result = ["${REGISTRY}/${name}:${TAG}", notequal("", SHA) ? "${REGISTRY}/${name}:${SHA}" : ""]
}
group "default" { targets = ["app", "tools"] }
group "tools" { targets = ["lint"] }
target "base" {
  dockerfile = "Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
}
target "app" {
  inherits = ["base"]
  tags     = named("app")
}
target "lint" {
  matrix = { os = ["alpine", "debian"] }
  name   = "lint-${os}"
  tags   = ["lint:${os}"]
}
"#;

#[test]
fn groups_parents_functions_and_matrices_are_followed() {
    let all = asked(Files(&[("docker-bake.hcl", HCL)]), &[], &[]).unwrap();
    assert_eq!(
        all,
        [
            "app: ghcr.io/example/app:v1 ghcr.io/example/app:{sha}",
            "lint-alpine: lint:alpine",
            "lint-debian: lint:debian"
        ]
    );
    let one = asked(Files(&[("docker-bake.hcl", HCL)]), &["lint-debian"], &[]).unwrap();
    assert_eq!(one, ["lint-debian: lint:debian"]);
}

#[test]
fn overrides_and_later_files_win() {
    let files = Files(&[
        (
            "docker-bake.json",
            r#"{"variable": {"TAG": {"default": "x"}}, "target": {"default": {"tags": ["app:${TAG}"]}}}"#,
        ),
        (
            "docker-bake.override.hcl",
            "target \"default\" { context = \"sub\" }",
        ),
    ]);
    assert_eq!(asked(files, &[], &[]).unwrap(), ["default: app:v1"]);
    let files = Files(&[("docker-bake.hcl", HCL)]);
    assert_eq!(
        asked(files, &["app"], &["*.tags=x:1"]).unwrap(),
        ["app: x:1"]
    );
}

#[test]
fn services_of_compose_files_are_targets() {
    let compose = "services:\n  web:\n    image: web:${TAG:-dev}\n    build: .\n  db:\n    image: postgres:16\n";
    let files = Files(&[("compose.yaml", compose)]);
    assert_eq!(asked(files, &[], &[]).unwrap(), ["web: web:v1"]);
}

#[test]
fn what_is_not_there_or_broken_is_not_followed() {
    assert_eq!(asked(Files(&[]), &[], &[]), None);
    assert_eq!(
        asked(Files(&[("docker-bake.hcl", "target {")]), &[], &[]),
        None
    );
    assert_eq!(
        asked(Files(&[("docker-bake.hcl", HCL)]), &["absent"], &[]),
        None
    );
    let circle = "target \"default\" { inherits = [\"default\"] }";
    assert_eq!(asked(Files(&[("docker-bake.hcl", circle)]), &[], &[]), None);
    let function = "function \"f\" {\n params = [x]\n result = f(x)\n}\ntarget \"default\" { tags = [f(\"a\")] }";
    assert!(asked(Files(&[("docker-bake.hcl", function)]), &[], &[]).is_some());
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("a = {}", "[".repeat(100_000));
    assert_eq!(asked(Files(&[("docker-bake.hcl", &deep)]), &[], &[]), None);
}

/// The rules that find something in a job with these steps, in a repository with the bake file and a compose file.
fn found(steps: &[&str]) -> Vec<&'static str> {
    let compose = "services: {web: {image: 'web:1', build: .}, db: {image: 'postgres:16'}}";
    let files = Files(&[("docker-bake.hcl", HCL), ("deploy/compose.yml", compose)]);
    let head =
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: {TAG: v1}\n    steps:\n";
    let lines = steps.iter().map(|step| format!("      - {step}\n"));
    let text = format!("{head}{}", lines.collect::<String>());
    let checked = crate::check(&Source::new("w.yml", &text), &files, None).unwrap();
    checked
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn workflows_know_what_bake_and_compose_build() {
    let builder = "uses: docker/setup-buildx-action@v3";
    let save = "run: docker save ghcr.io/example/app:v1 -o app.tar";
    assert_eq!(found(&["run: docker buildx bake app", save]), [""; 0]);
    assert_eq!(
        found(&[builder, "run: docker buildx bake app", save]),
        ["not-loaded"]
    );
    assert_eq!(
        found(&[builder, "run: docker buildx bake app --load", save])[..1],
        ["load-multi-platform"]
    );
    let action = "{uses: docker/bake-action@v6, with: {targets: lint, load: true}}";
    assert_eq!(
        found(&[builder, action, "run: docker run lint:alpine"]),
        [""; 0]
    );
    assert_eq!(
        found(&[builder, action, "run: docker save lint:fedora -o l.tar"]),
        ["ref-mismatch"]
    );
    let compose = "run: docker compose -f deploy/compose.yml build";
    assert_eq!(
        found(&[compose, "run: docker save web:1 -o w.tar"]),
        [""; 0]
    );
    assert_eq!(
        found(&[compose, "run: docker save web:2 -o w.tar"]),
        ["ref-mismatch"]
    );
    let unknown = "run: docker compose -f absent.yml build";
    assert_eq!(
        found(&[unknown, "run: docker save web:2 -o w.tar"]),
        [""; 0]
    );
}
