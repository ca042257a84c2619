#!/bin/sh
# Checks a folder of workflow files with barge and, side by side, with zizmor and jactionlint.
#
# usage: bench/check.sh FOLDER [ROUNDS]
# needs: cargo, GNU time as /usr/bin/time, python3 with venv; the peers come from PyPI into a folder of their own
# (PEERS, by default target/bench-peers). Each tool is given all files at once, offline, ROUNDS times (5).
set -eu
folder=${1:?usage: bench/check.sh FOLDER [ROUNDS]}
rounds=${2:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
peers=${PEERS:-$target/bench-peers}

if [ -z "${BARGE:-}" ]; then
    cargo build --release --manifest-path "$here/Cargo.toml" -p barge
    BARGE=$target/release/barge
fi
if [ ! -x "$peers/bin/zizmor" ] || [ ! -x "$peers/bin/jactionlint" ]; then
    python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet zizmor jactionlint
fi

files=$(find "$folder" -type f \( -name '*.yml' -o -name '*.yaml' \) | sort)
set -- $files
echo "$# files, $(cat "$@" | wc -c) bytes, $rounds rounds; medians"
printf '%-34s %8s %8s %9s %9s\n' tool 'wall s' 'user s' 'RSS MB' findings

out=$(mktemp) times=$(mktemp)
trap 'rm -f "$out" "$times"' EXIT

# measure NAME COUNT-COMMAND COMMAND...: the medians of its runs, and what COUNT-COMMAND makes of its output.
measure() {
    name=$1 count=$2
    shift 2
    : >"$times"
    for _ in $(seq "$rounds"); do
        /usr/bin/time -a -o "$times" -f '%e %U %M' "$@" >"$out" 2>/dev/null || true
    done
    median() { grep -E '^[0-9.]+ [0-9.]+ [0-9]+$' "$times" | cut -d' ' -f"$1" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
    printf '%-34s %8s %8s %9s %9s\n' "$name" "$(median 1)" "$(median 2)" "$(($(median 3) / 1024))" "$(eval "$count" <"$out")"
}

# zizmor checks nothing when it cannot take one of its files: it is given those it takes.
taken=
refused=0
for file in "$@"; do
    if "$peers/bin/zizmor" --offline --no-exit-codes --format json "$file" >/dev/null 2>&1; then
        taken="$taken $file"
    else
        refused=$((refused + 1))
    fi
done

length="python3 -c 'import json,sys; d=json.load(sys.stdin); print(len(d[\"findings\"] if isinstance(d, dict) else d))'"
measure 'barge check (no cache)' "$length" "$BARGE" check --no-cache --format json "$@"
measure 'barge check (cached)' "$length" "$BARGE" check --format json "$@"
# Paths with blanks are split here: keep them out of the folder.
measure "$("$peers/bin/zizmor" --version), $refused files refused" "$length" \
    "$peers/bin/zizmor" --offline --no-exit-codes --format json $taken
for profile in correctness default; do
    measure "jactionlint $profile" 'wc -l' "$peers/bin/jactionlint" --profile "$profile" --format jsonl "$@"
done
