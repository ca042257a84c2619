#!/usr/bin/env bash
# Saving beside `docker save | zstd`: a first save, one that finds all layers known, and a second commit.
#
#   bench/save.sh REFERENCE SECOND [RUNS]
#
# REFERENCE and SECOND are images that the Docker daemon holds, the second with a new top layer. Needs docker, zstd and bc.
# Each row is the median of RUNS (default 5), taken in turns so that a noisy machine disturbs all alike.
set -euo pipefail
first=${1:?the reference of an image that the daemon holds}
second=${2:?the reference of the same image with another top layer}
runs=${3:-5}
here=$(cd "$(dirname "$0")" && pwd)
barge=${BARGE:-$here/../target/release/barge}
work=$(mktemp -d /var/tmp/barge-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

. "$here/timing.sh"
piped() { docker save "$first" | zstd -q -3 -T0 -f -o piped.tar.zst; }
plain() { docker save "$first" >/dev/null; }
save() { "$barge" --quiet save "$1"; }
# How it saves where it may not read the daemon's data folder.
exported() { "$barge" --quiet --settings export.toml save --store dir:exported "$1"; }
printf '[build]\nalways_export = true\n' >export.toml

for _ in $(seq "$runs"); do
  timed export plain
  timed pipe piped
  rm -rf .barge
  timed first save "$first"
  timed known save "$first"
  rm -f .barge/store/blobs/sha256/"$(docker image inspect --format '{{.Id}}' "$first" | cut -d: -f2)"
  timed hashed save "$first"
  timed second save "$second"
  rm -rf exported
  timed exported exported "$first"
  timed exported-second exported "$second"
done
printf '%-52s %8s\n' row "s, median"
row() { printf '%-52s %8s\n' "$2" "$(median "$1")"; }
row export "docker save, to nowhere"
row pipe "docker save | zstd -3 -T0, to a file"
row first "barge save, nothing known"
row hashed "barge save, all layers known, config not"
row second "barge save, all layers known but the top one"
row exported "barge save by the daemon's export, nothing known"
row exported-second "barge save by the daemon's export, all but the top one"
row known "barge save, image known"
