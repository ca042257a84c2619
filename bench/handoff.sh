#!/usr/bin/env bash
# The hand-off of a real image beside what people do today, in one run: handoff.md section 6, "Targets".
#
#   bench/handoff.sh FIRST SECOND [RUNS]
#
# FIRST and SECOND are two commits of one image in the daemon at DOCKER_HOST; they differ in the top layer. TARGET_HOST is
# another daemon, which plays the next job's runner and is EMPTIED again and again: give it one of its own. BARGE names the
# binary. Needs docker, zip, unzip, zstd, GNU time, bc. Each figure is the median of RUNS (default 3), taken in turns so
# that a noisy machine disturbs all alike.
#
# The rows "built by" are for images that barge builds itself: FIRST with a layer of 5 MB on top, saved from the layout that
# the builder leaves, loaded into BUILD_TARGET (default TARGET_HOST; emptied as well). That by buildx needs BARGE_BUILDX, the
# plugin, and BUILD_HOST, a daemon with a containerd store, as BUILD_TARGET has to be then: `.ci/engines` starts such daemons
# and makes such a plugin. These rows stand beside B1 and B2 between those two daemons, whose stores are slower or faster by
# what their layers are packed as: plain, as `docker load` leaves them, or zstd.
#
#   B1     docker save, zip -6, unzip, docker load: what upload-artifact does to an image
#   B2     docker save | zstd -3 -T0, zstd -d | docker load
#   barge  barge save, barge load; "by export" is how it saves where it may not read the daemon's data folder
set -euo pipefail
first=${1:?the reference of the first commit} second=${2:?the reference of the second commit}
runs=${3:-3}
: "${DOCKER_HOST:?the daemon that holds both}" "${TARGET_HOST:?an empty daemon}"
barge=$(realpath "${BARGE:-$(dirname "$0")/../target/release/barge}")
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/barge-handoff.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work
printf '[build]\nalways_export = true\n' >export.toml

empty() { # empty HOST
  local images
  images=$(DOCKER_HOST=$1 docker images --all --quiet | sort -u)
  [ -z "$images" ] || DOCKER_HOST=$1 docker rmi --force $images >/dev/null 2>&1 || true
}
empty_target() { empty "$TARGET_HOST"; }
timed() { # timed NAME COMMAND...: notes the seconds and the peak memory in kB of one run
  local name=$1
  shift
  /usr/bin/time --format '%e %M' --output "$name.now" "$@" >/dev/null 2>err || { cat err >&2; exit 1; }
  tail -n 1 "$name.now" >>"$name.runs"
}
median() { sort -n "$1.runs" | awk '{ a[NR] = $1 } END { printf "%.2f", a[int((NR + 1) / 2)] }'; }
memory() { awk '{ if ($2 > most) most = $2 } END { printf "%.0f", most / 1000 }' "$1.runs"; }
sum() { local s=0 name; for name in "$@"; do s=$(echo "$s + $(median "$name")" | bc); done; echo "$s"; }
shell() { timed "$1" bash -c "set -o pipefail; $2"; }
stored() { du -sb "${1:-.}/.barge/store/blobs" | cut -f1; }

builders=(embedded)
[ -z "${BUILD_HOST:+${BARGE_BUILDX:-}}" ] || builders+=(buildx)
build_target=${BUILD_TARGET:-$TARGET_HOST}
app() { # app BUILDER COMMIT: what changes with a commit, as make-image.sh's top layer
  mkdir -p "$1/app"
  find /usr/share /usr/lib -name '*.p[ymlh]' -size -200k 2>/dev/null | LC_ALL=C sort | awk 'NR <= 290' |
    while read -r file; do { cat "$file"; echo "# commit $2"; } >"$1/app/${file//\//_}"; done
  { head -c 1600000 "$(command -v docker)"; echo "$2"; } >"$1/app/native"
}
"$barge" --quiet save --store dir:base "$first" >/dev/null
for builder in "${builders[@]}"; do
  app "$builder" 0
  printf 'FROM %s\nCOPY app /opt/next\n' "$first" >"$builder/Dockerfile"
  printf '[meta]\nimages = ["ghcr.io/example/built"]\n[build]\nengine = "%s"\n' "$builder" >"$builder/barge.toml"
  printf 'contexts = { "%s" = "oci-layout:../base:%s" }\n' "$first" "$first" >>"$builder/barge.toml"
  (cd "$builder" && git init -q && git add . && git -c user.name=bench -c user.email=bench@localhost commit -q -m built)
done
load_base() { DOCKER_HOST=$BUILD_HOST "$barge" --quiet load --store dir:base "$(ls base/artifacts)" >/dev/null; }
if [ -n "${builders[1]:-}" ]; then
  mkdir -p .docker/cli-plugins
  ln -s "$BARGE_BUILDX" .docker/cli-plugins/docker-buildx
  load_base
fi
between() { # between FORM: B1 and B2 from BUILD_HOST to the other daemon, with layers in this form
  empty "$BUILD_HOST"
  # What the builder keeps is taken for a layer of the same content, whatever it is packed as.
  DOCKER_HOST=$BUILD_HOST docker builder prune --all --force >/dev/null 2>&1
  if [ "$1" = plain ]; then
    docker save "$first" | DOCKER_HOST=$BUILD_HOST docker load --quiet >/dev/null
  else
    load_base
  fi
  DOCKER_HOST=$BUILD_HOST timed "$1-b1-save" docker save "$first" -o image.tar
  shell "$1-b1-zip" "rm -f between.zip; zip -q -6 between.zip image.tar"
  rm image.tar; shell "$1-b1-unzip" "unzip -q -o between.zip"; rm between.zip
  empty "$build_target"; DOCKER_HOST=$build_target timed "$1-b1-load" docker load --quiet --input image.tar
  rm image.tar
  DOCKER_HOST=$BUILD_HOST shell "$1-b2-save" "docker save '$first' | zstd -q -3 -T0 -f -o between.zst"
  empty "$build_target"; DOCKER_HOST=$build_target shell "$1-b2-load" "zstd -q -d -c between.zst | docker load --quiet"
  rm between.zst
}
built() { # built BUILDER SUFFIX: builds, saves and loads
  DOCKER_HOST=${BUILD_HOST:-$DOCKER_HOST} timed "$1-build$2" "$barge" --quiet --directory "$1" build
  timed "$1-save$2" "$barge" --quiet --directory "$1" save
  DOCKER_HOST=$build_target timed "$1-load$2" "$barge" --quiet --directory "$1" load
}

for run in $(seq "$runs"); do
  # The whole image, which neither store nor target has seen.
  timed b1-save docker save "$first" -o image.tar
  shell b1-zip "rm -f image.zip; zip -q -6 image.zip image.tar"
  rm image.tar; shell b1-unzip "unzip -q -o image.zip"
  empty_target; DOCKER_HOST=$TARGET_HOST timed b1-load docker load --quiet --input image.tar
  shell b2-save "docker save '$first' | zstd -q -3 -T0 -f -o image.zst"
  empty_target; DOCKER_HOST=$TARGET_HOST shell b2-load "zstd -q -d -c image.zst | docker load --quiet"
  rm -rf .barge
  timed barge-export "$barge" --quiet --settings export.toml save --store dir:exported "$first"
  timed barge-export-2 "$barge" --quiet --settings export.toml save --store dir:exported "$second"
  rm -rf exported
  timed barge-save "$barge" --quiet save "$first"
  empty_target; DOCKER_HOST=$TARGET_HOST timed barge-load "$barge" --quiet load
  DOCKER_HOST=$TARGET_HOST timed barge-present "$barge" --quiet load
  before=$(stored)
  # The second commit: the store has seen the first, and so has the target; then one that has not.
  timed b2-save-2 bash -c "docker save '$second' | zstd -q -3 -T0 -f -o image.zst"
  DOCKER_HOST=$TARGET_HOST shell b2-load-2 "zstd -q -d -c image.zst | docker load --quiet"
  DOCKER_HOST=$TARGET_HOST docker rmi --force "$second" >/dev/null
  timed barge-save-2 "$barge" --quiet save "$second"
  moved=$(($(stored) - before))
  DOCKER_HOST=$TARGET_HOST timed barge-load-2 "$barge" --quiet load
  empty_target; DOCKER_HOST=$TARGET_HOST timed barge-load-fresh "$barge" --quiet load
  image_size=$(stat -c %s image.tar)
  if [ -n "${builders[1]:-}" ]; then between plain; between zstd; fi
  for builder in "${builders[@]}"; do
    rm -rf "$builder/.barge"; empty "$build_target"
    app "$builder" "$run"; built "$builder" ''
    before_built=$(stored "$builder")
    app "$builder" "$run-2"; built "$builder" -2
    moved_built=$(($(stored "$builder") - before_built))
  done
done
empty_target

b1=$(sum b1-save b1-zip b1-unzip b1-load) b2=$(sum b2-save b2-load) b2_second=$(sum b2-save-2 b2-load-2)
row() { # row NAME SECONDS BASE...: the figure and its ratio to B1 and B2
  printf '%-62s %8.2f %7s %7s\n' "$1" "$2" "$(echo "scale=2; $2 / $b1" | bc)" "$(echo "scale=2; $2 / $3" | bc)"
}
echo "image: $((image_size / 1000000)) MB, $(DOCKER_HOST=$DOCKER_HOST docker inspect --format '{{len .RootFS.Layers}}' "$first") layers; $runs runs; $(nproc) cores"
printf '%-62s %8s %7s %7s\n' "seconds, medians" "" "/ B1" "/ B2"
row "B1 ($(median b1-save) + $(median b1-zip) + $(median b1-unzip) + $(median b1-load))" "$b1" "$b2"
row "B2 ($(median b2-save) + $(median b2-load))" "$b2" "$b2"
row "barge, first commit ($(median barge-save) + $(median barge-load))" "$(sum barge-save barge-load)" "$b2"
row "barge, first commit, by export ($(median barge-export) + $(median barge-load))" "$(sum barge-export barge-load)" "$b2"
row "barge, second commit, target has the first ($(median barge-save-2) + $(median barge-load-2))" "$(sum barge-save-2 barge-load-2)" "$b2_second"
row "barge, the same by export ($(median barge-export-2) + $(median barge-load-2))" "$(sum barge-export-2 barge-load-2)" "$b2_second"
row "barge, second commit, empty target ($(median barge-save-2) + $(median barge-load-fresh))" "$(sum barge-save-2 barge-load-fresh)" "$b2"
# What images that barge builds are measured by: B1 and B2 between containerd stores where they go there.
if [ -n "${builders[1]:-}" ]; then
  for form in plain zstd; do
    b1=$(sum "$form"-b1-{save,zip,unzip,load}) between=$(sum "$form"-b2-{save,load})
    row "containerd stores, $form layers: B1" "$b1" "$between"
    row "containerd stores, $form layers: B2" "$between" "$between"
    for builder in "${builders[@]}"; do
      row "built by $builder, first commit, beside these" "$(sum "$builder"-{build,save,load})" "$between"
    done
  done
  b1=$(sum b1-save b1-zip b1-unzip b1-load)
fi
for builder in "${builders[@]}"; do
  steps=("$builder-build" "$builder-save" "$builder-load")
  figures() { local name; for name in "$@"; do printf '%s ' "$(median "$name")"; done; }
  row "built by $builder, first commit ( $(figures "${steps[@]}"))" "$(sum "${steps[@]}")" "$b2"
  row "built by $builder, second commit ( $(figures "${steps[@]/%/-2}"))" "$(sum "${steps[@]/%/-2}")" "$b2_second"
done
row "barge, nothing changed: load" "$(median barge-present)" "$(median b1-load)"
printf '%-62s %8s\n' "bytes: zip / zstd / store" "$(($(stat -c %s image.zip) / 1000000)) / $(($(stat -c %s image.zst) / 1000000)) / $((before / 1000000)) MB"
printf '%-62s %8s\n' "bytes moved by barge for the second commit" "$moved"
printf '%-62s %8s\n' "bytes moved for the second commit built by barge" "$moved_built"
printf '%-62s %8s\n' "peak memory: save / by export / load" "$(memory barge-save) / $(memory barge-export) / $(memory barge-load) MB"
