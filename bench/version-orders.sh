#!/usr/bin/env bash
# Compares `barge db compare` with the programs that define orders of versions and are too big for the tests:
# apk-tools (its C, in the crate apk-version), Elixir's Version, R's compareVersion, GHC's Data.Version, Go's x/mod/semver,
# NuGet.Core (in nuget.exe, by Mono; it knows version 1 of semantic versions only), and univers, an implementation of its own.
# Prints one line each: pairs that both can read, pairs that they order alike, the first pairs that they do not.
#
#   bench/version-orders.sh [NAME ...]      apk hex cran hackage go nuget univers; all by default
#
# Runs on Debian with cargo and libclang, elixir, r-base-core, ghc, go, mono-mcs, npm, python3-venv; fetches from package
# registries. BARGE is the program (default target/release/barge), PAIRS the number of pairs (default 20000), ADVISORIES a
# folder of OSV archives whose versions are compared, too, WORK a folder for what is made.
set -euo pipefail
cd "$(dirname "$0")/.."
BARGE=$(realpath "${BARGE:-target/release/barge}")
WORK=${WORK:-/var/tmp/barge-version-orders}
PAIRS=${PAIRS:-20000}
mkdir -p "$WORK"
WORK=$(realpath "$WORK")

# pairs ECOSYSTEM PIECE ...: pairs of versions that the pieces make, and that advisories of the ecosystem name.
pairs() {
  python3 - "${ADVISORIES:-}" "$PAIRS" "$@" <<'PYTHON'
import json, os, random, sys, zipfile
folder, count, ecosystem, *pieces = sys.argv[1:]
random.seed(ecosystem)
known = ["0", "1", "1.0", "1.0.0", "1.0.1", "1.10", "1.9.0", "1.01", "2.0.0-beta.11", "20210101", "1.0.0.1", "3.2.10"]
archive = os.path.join(folder, ecosystem, "all.zip")
if folder and os.path.exists(archive):
    with zipfile.ZipFile(archive) as records:
        for name in records.namelist():
            for affected in json.loads(records.read(name)).get("affected") or []:
                known += affected.get("versions") or []
                ranges = affected.get("ranges") or []
                for events in [r.get("events", []) for r in ranges if isinstance(r, dict) and r.get("type") != "GIT"]:
                    known += [version for event in events for version in event.values()]
known = sorted({text for text in known if text.isascii() and "\t" not in text})
def changed(text):
    for _ in range(random.randrange(4)):
        at = random.randrange(len(text) + 1)
        piece = random.choice(pieces + ["0", "1", "9", "10"])
        text = text[:at] + piece + text[at + random.randrange(2):]
    return text
for _ in range(int(count)):
    left = changed(random.choice(known))
    right = changed(left if random.random() < .5 else random.choice(known))
    print(left, right, sep="\t")
PYTHON
}

# compare SCHEME ECOSYSTEM PIECES PROGRAM ...: the program reads pairs and answers -1, 0, 1 or e, line by line.
compare() {
  local scheme=$1 ecosystem=$2 pieces=$3
  shift 3
  # shellcheck disable=SC2086 # pieces are words
  pairs "$ecosystem" $pieces >"$WORK/pairs"
  "$@" <"$WORK/pairs" >"$WORK/theirs"
  sed "s/^/$scheme\t/" "$WORK/pairs" | "$BARGE" db compare --stdin >"$WORK/ours"
  paste "$WORK/pairs" "$WORK/theirs" "$WORK/ours" | awk -F'\t' -v scheme="$scheme" -v program="$(basename "$1")" '
    $3 == "e" || $4 ~ /^error/ { next }
    { compared++; if ($3 == $4) equal++; else if (shown++ < 5) other = other "\n    " $1 " | " $2 ": " $3 ", not " $4 }
    END { printf "%-8s %-12s %6d compared, %6d alike%s\n", scheme, program, compared, equal, other }'
}

apk() {
  mkdir -p "$WORK/apk/src"
  printf '[package]\nname = "apk-tools"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\napk-version = "=0.1.0"\n' >"$WORK/apk/Cargo.toml"
  cat >"$WORK/apk/src/main.rs" <<'RUST'
use std::io::BufRead;
fn main() {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let order = line.split_once('\t').and_then(|(left, right)| apk_version::compare_apk_versions(left, right));
        println!("{}", order.map_or("e".to_owned(), |order| (order as i8).to_string()));
    }
}
RUST
  cargo build -q --release --manifest-path "$WORK/apk/Cargo.toml" --target-dir "$WORK/apk/target"
  compare apk Wolfi '. _ - -r _rc _alpha _p _git a ~ab 0' "$WORK/apk/target/release/apk-tools"
}

hex() {
  cat >"$WORK/hex.exs" <<'ELIXIR'
Enum.each(IO.stream(:stdio, :line), fn line ->
  [left, right] = String.split(String.trim_trailing(line, "\n"), "\t")
  try do
    IO.puts(%{gt: 1, lt: -1, eq: 0}[Version.compare(left, right)])
  rescue
    Version.InvalidVersionError -> IO.puts("e")
  end
end)
ELIXIR
  compare hex Hex '. - -rc.1 -alpha +b -0 .0' elixir "$WORK/hex.exs"
}

cran() {
  cat >"$WORK/cran.R" <<'R'
input <- file("stdin")
lines <- readLines(input)
close(input)
for (line in lines) {
  pair <- strsplit(line, "\t", fixed = TRUE)[[1]]
  cat(tryCatch({ package_version(pair); compareVersion(pair[1], pair[2]) }, error = function(e) "e"), "\n", sep = "")
}
R
  compare cran CRAN '. - .0 -1' Rscript "$WORK/cran.R"
}

hackage() {
  cat >"$WORK/Order.hs" <<'HASKELL'
import Data.Version (Version (..), parseVersion)
import Text.ParserCombinators.ReadP (readP_to_S)
main :: IO ()
main = interact (unlines . map answer . lines)
answer :: String -> String
answer line = case break (== '\t') line of
  (left, _ : right) | Just a <- branch left, Just b <- branch right -> show (fromEnum (compare a b) - 1)
  _ -> "e"
branch :: String -> Maybe [Int]
branch text = case [numbers | (Version numbers [], "") <- readP_to_S parseVersion text] of
  [numbers] -> Just numbers
  _ -> Nothing
HASKELL
  ghc -v0 -w -outputdir "$WORK/hackage" -o "$WORK/data-version" "$WORK/Order.hs"
  compare hackage Hackage '. .0 .1.2' "$WORK/data-version"
}

go() {
  mkdir -p "$WORK/go"
  cat >"$WORK/go/main.go" <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		left, right, _ := strings.Cut(lines.Text(), "\t")
		left, right = "v"+strings.TrimPrefix(left, "v"), "v"+strings.TrimPrefix(right, "v")
		if semver.IsValid(left) && semver.IsValid(right) {
			fmt.Println(semver.Compare(left, right))
		} else {
			fmt.Println("e")
		}
	}
}
GO
  (cd "$WORK/go" && { [ -f go.mod ] || command go mod init order; } && command go get golang.org/x/mod@v0.20.0 && command go build -o ../mod-semver .) 2>/dev/null
  compare go Go '. - v -rc.1 +incompatible -0.20200101000000-abcdef012345' "$WORK/mod-semver"
}

nuget() {
  (cd "$WORK" && npm pack --silent electron-winstaller@5.4.4 >/dev/null && tar xzf electron-winstaller-5.4.4.tgz package/vendor/nuget.exe)
  cat >"$WORK/Order.cs" <<'CSHARP'
using System;
using System.Reflection;
static class Order {
    static void Main(string[] arguments) {
        var type = Assembly.LoadFrom(arguments[0]).GetType("NuGet.SemanticVersion", true);
        var parse = type.GetMethod("Parse", new[] { typeof(string) });
        for (string line; (line = Console.ReadLine()) != null;) {
            var pair = line.Split('\t');
            // Version 2 of semantic versions came later: labels with dots, and build metadata.
            if (pair[0].Contains("+") || pair[1].Contains("+") || Label(pair[0]).Contains(".") || Label(pair[1]).Contains(".")) {
                Console.WriteLine("e");
                continue;
            }
            try {
                var left = (IComparable)parse.Invoke(null, new object[] { pair[0] });
                Console.WriteLine(Math.Sign(left.CompareTo(parse.Invoke(null, new object[] { pair[1] }))));
            } catch (TargetInvocationException) { Console.WriteLine("e"); }
        }
    }
    static string Label(string text) { var at = text.IndexOf('-'); return at < 0 ? "" : text.Substring(at); }
}
CSHARP
  mcs -out:"$WORK/order.exe" "$WORK/Order.cs"
  compare nuget NuGet '. .0 -alpha -Beta -rc' mono "$WORK/order.exe" "$WORK/package/vendor/nuget.exe"
}

univers() {
  [ -x "$WORK/venv/bin/python" ] || python3 -m venv "$WORK/venv"
  "$WORK/venv/bin/pip" install -q --disable-pip-version-check univers==32.0.1
  cat >"$WORK/compare.py" <<'PYTHON'
import sys
from univers import versions
read = getattr(versions, sys.argv[1])
for line in sys.stdin:
    try:
        left, right = map(read, line.rstrip("\n").split("\t"))
        print((left > right) - (left < right))
    except Exception:
        print("e")
PYTHON
  compare nuget NuGet '. .0 -alpha -Beta -rc.1 +b .10' "$WORK/venv/bin/python" "$WORK/compare.py" NugetVersion
}

[ $# -gt 0 ] || set -- apk hex cran hackage go nuget univers
for name in "$@"; do "$name"; done
