#!/bin/sh
# Mends a copy of a folder of workflow files twice: the second run must change nothing, and every file must stay readable.
#
# usage: bench/check-fix.sh FOLDER
# needs: cargo, or BARGE with the path of a binary; python3
set -eu
folder=${1:?usage: bench/check-fix.sh FOLDER}
here=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
if [ -z "${BARGE:-}" ]; then
    cargo build --release --manifest-path "$here/Cargo.toml" -p barge
    BARGE=$target/release/barge
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/before/.github/workflows"
find "$folder" -type f \( -name '*.yml' -o -name '*.yaml' \) -exec cp {} "$work/before/.github/workflows/" \;
cp -r "$work/before" "$work/once"

# What it says of a folder: the findings, and the files it cannot read.
count() {
    (cd "$1" && "$BARGE" check --no-cache --fail-on never --format json || true) | python3 -c '
import json, sys
report = json.load(sys.stdin)
print(len(report["findings"]), len(report["unreadable"]))'
}

(cd "$work/once" && "$BARGE" check --no-cache --fix --fail-on never >/dev/null 2>&1 || true)
cp -r "$work/once" "$work/twice"
(cd "$work/twice" && "$BARGE" check --no-cache --fix --fail-on never >/dev/null 2>&1 || true)

set -- $(count "$work/before") $(count "$work/once")
changed=$(diff -rq "$work/before" "$work/once" | wc -l)
echo "findings $1 before, $3 after; $changed files changed; unreadable $2 before, $4 after"
[ "$2" = "$4" ] || { echo "a fix made a file unreadable" >&2; exit 1; }
diff -r "$work/once" "$work/twice" || { echo "a second run changed something" >&2; exit 1; }
echo "a second run changes nothing"
