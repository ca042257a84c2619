//! The parts that follow a JavaScript library, each against that library under node.
//!
//! Questions are generated from a fixed seed, put to `tests/differential/driver.js` in one process, and every answer
//! must be ours. Needs `node` and `npm`; without them the test says so and passes, except in CI.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::csv::{Dialect as CsvDialect, parse as parse_csv};
use super::pep440::PythonVersion;
use super::semver::SemanticVersion;
use super::template::{Dialect, Template, Value, render};
use super::{date, ecmascript, moment, regex};

/// How many questions are put to each part.
const ROUNDS: usize = 1500;

/// xorshift64*: the same questions in every run.
struct Generator(u64);

impl Generator {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % below
    }

    fn choose<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.next(choices.len())]
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.next(most + 1))
            .map(|_| self.choose(pieces))
            .collect()
    }
}

const CSV: [&str; 16] = [
    "a", "b=c", ",", ",", "\"", "\"", "\"\"", "\n", "\r\n", "\r", "#", " ", "# x", "é", "{{x}}",
    "\t",
];
const TEMPLATE: [&str; 62] = [
    "{{branch}}",
    "{{{branch}}}",
    "{{&tag}}",
    "{{ tag }}",
    "{{~number~}}",
    "{{#if tag}}",
    "{{#if number}}",
    "{{/if}}",
    "{{else}}",
    "{{^}}",
    "{{else if branch}}",
    "{{#unless tag}}",
    "{{/unless}}",
    "{{#each items}}",
    "{{this}}",
    "{{@index}}",
    "{{@key}}",
    "{{@last}}",
    "{{/each}}",
    "{{#with branch}}",
    "{{/with}}",
    "{{../tag}}",
    "{{length}}",
    "{{items.length}}",
    "{{items.[1]}}",
    "{{lookup items 0}}",
    "{{join 'a' \"b\"}}",
    "{{join branch}}",
    "{{nothing}}",
    "{{nothing 1}}",
    "{{nothing a=1}}",
    "{{#branch}}",
    "{{/branch}}",
    "{{#items}}",
    "{{/items}}",
    "{{^items}}",
    "{{! note }}",
    "{{!-- note }} --}}",
    "\\{{branch}}",
    "\\\\{{branch}}",
    "{{@root.tag}}",
    "{{[branch]}}",
    "{{'branch'}}",
    "{{true}}",
    "{{1}}",
    "{{./branch}}",
    "{{this.tag}}",
    "{{branch.length}}",
    "{{branch",
    "}}",
    "{{#each items as |item at|}}",
    "{{item}}{{at}}",
    "{{#with tag as |t|}}",
    "{{t}}",
    " ",
    "\n",
    "x",
    "<&>",
    "{{#if (lookup items 1)}}",
    "{{#if (join 1 2)}}",
    "{{~#if branch~}}",
    "{{~/if~}}",
];
const BLOCKS: [(&str, &str); 12] = [
    ("{{#if tag}}", "{{/if}}"),
    ("{{#if branch}}", "{{/if}}"),
    ("{{#if number includeZero=true}}", "{{/if}}"),
    ("{{#unless number}}", "{{/unless}}"),
    ("{{#each items}}", "{{/each}}"),
    ("{{#each items as |item at|}}", "{{/each}}"),
    ("{{#with branch}}", "{{/with}}"),
    ("{{#with tag as |t|}}", "{{/with}}"),
    ("{{#items}}", "{{/items}}"),
    ("{{^nothing}}", "{{/nothing}}"),
    ("{{~#if branch~}}", "{{~/if~}}"),
    ("{{#number}}", "{{/number}}"),
];
const FORMAT: [&str; 58] = [
    "YYYY", "YY", "Y", "YYYYYY", "M", "MM", "MMM", "MMMM", "Mo", "D", "DD", "DDD", "DDDD", "Do",
    "d", "dd", "ddd", "dddd", "E", "e", "w", "ww", "wo", "W", "WW", "gg", "gggg", "GG", "GGGG",
    "Q", "Qo", "N", "y", "H", "HH", "h", "hh", "k", "kk", "m", "mm", "s", "ss", "S", "SSS",
    "SSSSS", "a", "A", "Z", "ZZ", "z", "X", "x", "L", "LLLL", "[", "]", "\\",
];
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "asia/tokyo",
    "US/Pacific",
    "Etc/GMT+5",
    "EST",
    "Zulu",
    "Australia/Lord_Howe",
    "america_new_york",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Nowhere",
    "CET",
];
const VERSION: [&str; 30] = [
    "v",
    "V",
    "1",
    "0",
    "01",
    "2",
    "10",
    ".",
    ".",
    ".",
    "-",
    "+",
    "_",
    "a",
    "b",
    "rc",
    "alpha",
    "post",
    "dev",
    "pre",
    "r",
    "!",
    " ",
    "x",
    "9007199254740992",
    "é",
    "1e5",
    "0x1",
    "c",
    "rev",
];
const PATTERN: [&str; 34] = [
    "v", "(", ")", "\\d", "+", "*", "?", ".", "[", "]", "^", "$", "|", "{1", "{1,2}", "}", "(?:",
    "(?=", "(?<=", "(?<n>", "\\1", "\\k<n>", "\\b", "\\w", "-", "a-z", "\\", "\\u0076", "\\x76",
    "\\p{L}", "🚢", "1", "(?!", "\\cA",
];
const KEYS: [&str; 24] = [
    "a", "b", "A", "B", "_", "-", ".", "/", ":", " ", "1", "9", "é", "ß", "@", "~", "$", "z", "Z",
    "ä", "(", "+", "0", "!",
];
/// Dates as forges and git write them, with slips; V8's guesses at other texts are not followed.
const DAYS: [&str; 10] = [
    "2026-01-05",
    "2024-02-29",
    "2026-02-30",
    "2026-13-01",
    "1969-12-31",
    "+002026-01-05",
    "-000001-01-01",
    "2026-01-00",
    "9999-12-31",
    "0001-01-01",
];
const TIMES: [&str; 10] = [
    "10:11:12",
    "00:00:00",
    "24:00:00",
    "23:59:59.999",
    "10:11",
    "10:11:12.1239",
    "25:00:00",
    "10:60:00",
    "10:11:12.5",
    "1:2",
];
const OFFSETS: [&str; 8] = [
    "Z", "", "+02:00", "-07:30", "+0000", "+24:00", " UTX", "+14:00",
];

fn questions() -> Vec<Json> {
    let mut random = Generator(0x9e37_79b9_7f4a_7c15);
    let mut questions = Vec::new();
    for round in 0..ROUNDS {
        let dialect = random.choose(&["list", "entry"]);
        questions.push(json!({"part": "csv", "dialect": dialect, "text": random.text(&CSV, 9)}));
        let text = template(&mut random, if round % 2 == 0 { 1 } else { 3 });
        let context = json!({
            "branch": random.choose(&["main", "feat/a&b", ""]),
            "tag": random.choose(&["v1", ""]),
            "number": random.next(3),
            "items": (0..random.next(3)).map(|_| random.choose(&["p", "q<", ""])).collect::<Vec<_>>(),
        });
        questions.push(json!({"part": "template", "text": text, "context": context}));
        questions.push(json!({"part": "raw", "text": random.text(&["{{", "}}", "raw", " ", "x", "~", "@", "'", "{", "}"], 6)}));
        let time =
            i64::try_from(random.next(3_000_000_000)).unwrap() * 1000 - 500_000_000_000 + 123;
        let format = random.text(&FORMAT, 5);
        questions.push(json!({"part": "moment", "time": time, "zone": random.choose(&ZONES), "format": format}));
        let version = random.text(&VERSION, 9);
        questions.push(json!({"part": "semver", "text": format!("1.2.3{version}")}));
        questions.push(json!({"part": "semver", "text": version}));
        questions.push(json!({"part": "pep440", "text": format!("1.0{version}")}));
        questions.push(json!({"part": "pep440", "text": version}));
        let flags = random.choose(&["", "", "i", "g", "u", "y", "s", "gi"]);
        let text = random.text(&["v", "1", "a", "-", "é", "🚢", "\n", "b2"], 6);
        questions.push(json!({"part": "match", "text": text, "pattern": random.text(&PATTERN, 5), "flags": flags}));
        questions.push(json!({"part": "number", "text": random.text(&["1", "0", ".", "e", "-", "+", "x", "Infinity", " ", "_", "9"], 5)}));
        questions.push(json!({"part": "date", "text": date_text(&mut random)}));
        if round % 10 == 0 {
            let keys: Vec<String> = (0..12).map(|_| random.text(&KEYS, 4)).collect();
            questions.push(json!({"part": "order", "keys": keys}));
        }
    }
    questions
}

fn date_text(random: &mut Generator) -> String {
    let (day, time, offset) = (
        random.choose(&DAYS),
        random.choose(&TIMES),
        random.choose(&OFFSETS),
    );
    match random.next(3) {
        0 => day.to_owned(),
        1 => format!("{day}T{time}{offset}"),
        // Git's form.
        _ => format!(
            "2026-01-05 {} {}",
            random.choose(&TIMES[..2]),
            random.choose(&["+0200", "-0730", "+0000"])
        ),
    }
}

/// Mostly well-formed: pieces within blocks that close.
fn template(random: &mut Generator, depth: usize) -> String {
    let mut text = random.text(&TEMPLATE[..if depth == 1 { TEMPLATE.len() } else { 5 }], 3);
    if depth > 1 {
        for _ in 0..=random.next(2) {
            let (open, close) = BLOCKS[random.next(BLOCKS.len())];
            let inner = template(random, depth - 1);
            let other = if random.next(3) == 0 {
                "{{else}}\n y "
            } else {
                ""
            };
            text.push_str(&format!(
                "{open}{inner}{other}{close}{}",
                random.choose(&["", "\n", " ", "z"])
            ));
        }
    }
    text
}

/// Our answer in the driver's form.
fn answer(question: &Json) -> Json {
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    let result: Result<Json, ()> = match text("part") {
        "csv" => {
            let dialect = if text("dialect") == "list" {
                CsvDialect::List
            } else {
                CsvDialect::Entry
            };
            parse_csv(text("text"), dialect)
                .map(|records| json!(records))
                .map_err(drop)
        }
        "template" => render(
            text("text"),
            &context(&question["context"]),
            Dialect::Compat,
        )
        .map(Json::from)
        .map_err(drop),
        "raw" => Ok(Template::parse(text("text"))
            .is_ok_and(|template| template.is_raw_statement())
            .into()),
        "moment" => moment::format(
            question["time"].as_i64(),
            text("zone"),
            text("format"),
            "UTC",
        )
        .map(Json::from)
        .map_err(drop),
        "date" => Ok(date::parse(text("text")).map(date::iso_text).into()),
        "semver" => Ok(
            SemanticVersion::parse(text("text")).map_or(Json::Null, |version| {
                json!([
                    version.version(),
                    version.prerelease.join("."),
                    version.build.join(".")
                ])
            }),
        ),
        "pep440" => Ok(
            PythonVersion::parse(text("text")).map_or(Json::Null, |version| {
                let part = |at| ecmascript::number_text(version.part(at));
                json!([version.normalized(), part(0), part(1), part(2)])
            }),
        ),
        "match" => regex::find(text("pattern"), text("flags"), text("text"))
            .map(|found| json!(found))
            .map_err(drop),
        "number" => Ok(ecmascript::number_text(ecmascript::number(text("text"))).into()),
        "order" => {
            let keys = question["keys"].as_array().unwrap();
            let keys = keys
                .iter()
                .map(|key| (key.as_str().unwrap().to_owned(), String::new()));
            let mut labels: Vec<_> = keys.collect();
            super::label::sort(&mut labels);
            Ok(labels.into_iter().map(|(key, _)| key).collect())
        }
        part => panic!("no such part: {part}"),
    };
    result.map_or_else(|()| json!({"failed": true}), |ok| json!({"ok": ok}))
}

fn context(given: &Json) -> Value<'static> {
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let constant = |name: &'static str| {
        let value = text(name);
        (
            name,
            Value::function(name, 0, move |_| Ok(Value::text(&value))),
        )
    };
    let items = given["items"].as_array().unwrap();
    let join = Value::function("join", 2, |arguments| {
        // A missing parameter is the options object, as in JavaScript.
        let shown = |at: usize| match arguments.positional.get(at) {
            Some(Value::Text(text)) => text.to_string(),
            Some(Value::Number(value)) => ecmascript::number_text(*value),
            Some(_) => "=>".to_owned(),
            None if arguments.hash.is_some() && at == arguments.positional.len() => {
                "[object Object]".to_owned()
            }
            None => "undefined".to_owned(),
        };
        Ok(Value::text(format!("{}+{}", shown(0), shown(1))))
    });
    Value::Object(Rc::from([
        constant("branch"),
        constant("tag"),
        ("number", Value::Number(given["number"].as_f64().unwrap())),
        (
            "items",
            Value::List(
                items
                    .iter()
                    .map(|item| Value::text(item.as_str().unwrap()))
                    .collect(),
            ),
        ),
        ("join", join),
    ]))
}

/// The driver with its libraries, installed once a build folder.
fn driver() -> Option<PathBuf> {
    let answers = |program: &str| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|run| run.status.success())
    };
    if !answers("node") || !answers("npm") {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let folder = std::env::current_exe()
        .unwrap()
        .with_file_name("barge-differential");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "driver.js"] {
        std::fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    if !folder.join("node_modules/moment-timezone").is_dir() {
        let mut install = Command::new("npm");
        install.args([
            "install",
            "--no-package-lock",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        let run = install.current_dir(&folder).output().unwrap();
        assert!(
            run.status.success(),
            "npm install failed: {}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
    Some(folder.join("driver.js"))
}

fn ask(driver: &Path, questions: &[Json]) -> Vec<Json> {
    let mut node = Command::new("node");
    node.arg(driver)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = node.spawn().unwrap();
    let lines: String = questions
        .iter()
        .map(|question| format!("{question}\n"))
        .collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "only CI insists on node")]
fn the_libraries_give_the_same_answers() {
    let Some(driver) = driver() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "node and npm are needed in CI"
        );
        println!("skipped: node and npm are not here");
        return;
    };
    let questions = questions();
    let answers = ask(&driver, &questions);
    assert_eq!(answers.len(), questions.len(), "the driver died");
    let mut differences: Vec<String> = Vec::new();
    for (question, theirs) in questions.iter().zip(&answers) {
        let ours = answer(question);
        if ours != *theirs && !is_source_of_function(question, theirs) {
            differences.push(format!("{question}\n  theirs {theirs}\n  ours   {ours}"));
        }
    }
    let shown = differences
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{shown}",
        differences.len(),
        questions.len()
    );
}

/// A function used as a text prints its source in JavaScript; here that is an error.
fn is_source_of_function(question: &Json, theirs: &Json) -> bool {
    let shown = |text: &str| text.contains("() &#x3D;") || text.contains("() =");
    question["part"] == "template" && theirs["ok"].as_str().is_some_and(shown)
}
