#!/usr/bin/env bash
# The hand-off of a real image beside what people use today: times, bytes, and whether the packages agree.
#
#   bench/crossing.sh REFERENCE [RUNS]
#
# REFERENCE is a Debian image that the Docker daemon holds. Needs docker, and syft for its row (SYFT=path). Each row is
# the median of RUNS (default 5), taken in turns so that a noisy machine disturbs all alike.
set -euo pipefail
reference=${1:?the reference of an image that the daemon holds}
runs=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
barge=${BARGE:-$here/../target/release/barge}
work=$(mktemp -d /var/tmp/barge-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

. "$here/timing.sh"
barge_save() { rm -rf .barge && "$barge" --quiet save "$reference"; }
absent() { docker rmi --force "$reference" >/dev/null; }

docker save "$reference" -o image.tar
for _ in $(seq "$runs"); do
  timed docker-save docker save "$reference" -o image.tar
  timed barge-save barge_save
  absent; timed docker-load docker load --input image.tar
  absent; timed barge-load "$barge" --quiet load
  timed barge-load-present "$barge" --quiet load
  timed barge-sbom "$barge" --quiet sbom image.tar --no-cache -o cyclonedx-json=barge.json
  timed barge-sbom-store "$barge" --quiet sbom -o purls=barge.purls
  if [ -n "${SYFT:-}" ]; then timed syft "$SYFT" -q docker-archive:image.tar -o cyclonedx-json=syft.json; fi
done

printf '%-34s %8s\n' row "s, median"
for row in docker-save barge-save docker-load barge-load barge-load-present barge-sbom barge-sbom-store syft; do
  [ -e "$row.s" ] && printf '%-34s %8s\n' "$row" "$(median "$row")"
done
printf '%-34s %8s\n' "archive, MB" "$(($(stat -c %s image.tar) / 1000000))"
printf '%-34s %8s\n' "store, MB" "$(($(du -sb .barge/store/blobs | cut -f1) / 1000000))"

# The packages, as the image's own dpkg lists them.
docker run --rm --network none --entrypoint dpkg-query "$reference" -W -f '${Package} ${Version}\n' | sort >dpkg.txt
sed -n 's|^pkg:deb/[^/]*/\([^?]*\).*|\1|p' barge.purls | sed 's/@/ /; s/%2B/+/g; s/%3A/:/g; s/%7E/~/g' | sort >ours.txt
diff dpkg.txt ours.txt >/dev/null && echo "packages equal dpkg-query: $(wc -l <dpkg.txt)" || { echo "packages differ"; exit 1; }
