#!/usr/bin/env bash
# Bills of materials beside syft: wall time, CPU time and memory, in one run.
#
#   bench/sbom.sh IMAGES [RUNS]
#
# IMAGES is a folder of archives (bench/sbom-images.sh makes the large ones). Each row is the median of RUNS (default 3),
# taken in turns. SYFT=path adds the peer; BARGE=path names the program under test. `gz` rows read the same image with every
# layer packed (skopeo); `again` rows are a second commit in an archive that was just written: all layers but one small one
# were seen in another archive; `store` rows are the same commit as `barge save` carries it; `same` rows are a second bill of
# the same file.
set -euo pipefail
images=$(realpath "${1:?a folder of archives}") runs=${2:-3}
barge=$(realpath "${BARGE:-$(dirname "$0")/../target/release/barge}")
work=$(mktemp -d /var/tmp/barge-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work/home SYFT_CHECK_FOR_APP_UPDATE=false
mkdir "$HOME"

timed() { # timed ROW COMMAND...: appends wall seconds, CPU seconds and KiB of one run to ROW
  local row=$1
  shift
  /usr/bin/time -f '%e %U %S %M' -o time.txt "$@" >/dev/null 2>err.txt || { cat err.txt >&2; exit 1; }
  awk 'END { print $1, $2 + $3, $4 }' time.txt >>"$row.runs"
}
median() { cut -d' ' -f"$2" "$1.runs" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# The same image with one more small layer, as the next commit makes it.
next_commit() { # next_commit ARCHIVE OUT
  mkdir -p next/app/node_modules/next
  echo '{"name":"next-commit","version":"1.0.0"}' >next/app/node_modules/next/package.json
  python3 - "$1" "$2" <<'P'
import hashlib, io, json, sys, tarfile
layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as tar:
    tar.add("next/app", "app")
layer = layer.getvalue()
with tarfile.open(sys.argv[1]) as tar:
    manifest = json.load(tar.extractfile("manifest.json"))
    config = json.load(tar.extractfile(manifest[0]["Config"]))
config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(layer).hexdigest())
config = json.dumps(config).encode()
manifest[0]["Config"] = hashlib.sha256(config).hexdigest() + ".json"
manifest[0]["Layers"].append("next/layer.tar")
with tarfile.open(sys.argv[1]) as old, tarfile.open(sys.argv[2], "w") as tar:
    for member in old:
        if member.name != "manifest.json":
            tar.addfile(member, old.extractfile(member) if member.isreg() else None)
    for name, content in [(manifest[0]["Config"], config), ("next/layer.tar", layer), ("manifest.json", json.dumps(manifest).encode())]:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
P
}

# What is known before a second commit is what the first left, each time.
cache="$HOME/.cache/barge/layers"
first() { # first NAME INPUT...: catalogues the first commit, and keeps what is then known
  rm -rf "$cache"
  "$barge" --quiet sbom "${@:2}" -o purls=/dev/null
  rm -rf "known-$1" && mv "$cache" "known-$1"
}
after() { rm -rf "$cache" && cp -a "known-$1" "$cache"; }

rows=()
for archive in "$images"/*.tar; do
  name=$(basename "$archive" .tar)
  rows+=("$name" "$name-again" "$name-store" "$name-same")
  cat "$archive" >/dev/null
  next_commit "$archive" next.tar
  rm -rf store
  "$barge" --quiet save "$archive" --store dir:store --tag example.org/app:first >/dev/null
  "$barge" --quiet save next.tar --store dir:store --tag example.org/app:second >/dev/null
  first store store:app-first --store dir:store
  first archive "$archive"
  for _ in $(seq "$runs"); do
    timed "$name" "$barge" --quiet sbom "$archive" --no-cache -o cyclonedx-json=ours.json
    after archive
    timed "$name-same" "$barge" --quiet sbom "$archive" -o cyclonedx-json=same.json
    touch next.tar
    timed "$name-again" "$barge" --quiet sbom next.tar -o cyclonedx-json=again.json
    after store
    timed "$name-store" "$barge" --quiet sbom store:app-second --store dir:store -o cyclonedx-json=store.json
    if [ -n "${SYFT:-}" ]; then timed "$name-syft" "$SYFT" -q "docker-archive:$archive" -o cyclonedx-json=syft.json; fi
  done
  if [ -n "${GZ:-}" ]; then
    rows+=("$name-gz")
    rm -rf gz && skopeo --insecure-policy copy --quiet --dest-compress-format gzip "docker-archive:$archive" oci:gz:x
    for _ in $(seq "$runs"); do timed "$name-gz" "$barge" --quiet sbom oci:gz --no-cache -o cyclonedx-json=gz.json; done
  fi
  rm -rf next.tar store
done

printf '%-22s %7s %7s %7s   %8s %8s   %s\n' image s "CPU s" MB "syft CPU" "syft MB" ratio
for row in "${rows[@]}"; do
  printf '%-22s %7.2f %7.2f %7d' "$row" "$(median "$row" 1)" "$(median "$row" 2)" "$(($(median "$row" 3) / 1000))"
  if [ -e "$row-syft.runs" ]; then
    cpu=$(median "$row-syft" 2)
    printf '   %8.2f %8d   %s' "$cpu" "$(($(median "$row-syft" 3) / 1000))" "$(echo "scale=0; $cpu / $(median "$row" 2)" | bc)"
  fi
  echo
done
