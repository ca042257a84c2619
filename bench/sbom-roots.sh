# Sourced by the scripts that compare `barge sbom` with native tools: makes root file systems, and compares lists.
#
# BARGE is the program (default target/release/barge), WORK a folder for what is made (default /var/tmp/barge-ecosystems),
# SYFT=path adds what syft misses and lists beyond.
BARGE=$(realpath "${BARGE:-target/release/barge}")
WORK=${WORK:-/var/tmp/barge-ecosystems}
SUITE=${SUITE:-trixie}
mkdir -p "$WORK"

# listed KIND ROOT: what barge lists of a kind, as NAME VERSION.
listed() {
  "$BARGE" --quiet sbom "$2" -o json --no-cache | python3 -c '
import json, sys
bill = json.load(sys.stdin)
for package in bill.get("sbom", bill)["packages"]:
    if package["kind"] == sys.argv[1]: print(package["name"], package["version"])' "$1" | LC_ALL=C sort -u
}

# listed_by_syft KIND ROOT: the same of syft, as of an image.
listed_by_syft() {
  SYFT_CHECK_FOR_APP_UPDATE=false "$SYFT" -q "dir:$2" --override-default-catalogers image -o json | python3 -c '
import json, sys
kinds = {"golang": "go-module", "composer": "php-composer", "pear": "php-pear", "ebuild": "portage", "generic": "binary"}
for package in json.load(sys.stdin)["artifacts"]:
    if package["type"] == kinds.get(sys.argv[1], sys.argv[1]): print(package["name"], package["version"].removeprefix("go"))' "$1" |
    LC_ALL=C sort -u
}

# beside LISTED: how many of what is there are missed, and how many are listed beyond.
beside() {
  echo "missed: $(LC_ALL=C comm -23 "$WORK/there" "$1" | wc -l), beyond: $(LC_ALL=C comm -13 "$WORK/there" "$1" | wc -l)"
}

# compare TITLE KIND ROOT; what is there on stdin, as NAME VERSION. What differs stays in $WORK/there and $WORK/listed.
compare() {
  LC_ALL=C sort -u >"$WORK/there"
  listed "$2" "$3" >"$WORK/listed"
  printf '%-24s %5d there, %s' "$1" "$(wc -l <"$WORK/there")" "$(beside "$WORK/listed")"
  if [ -n "${SYFT:-}" ]; then
    listed_by_syft "$2" "$3" >"$WORK/listed-by-syft"
    printf '; syft %s' "$(beside "$WORK/listed-by-syft")"
  fi
  echo
}

base() {
  [ -d "$WORK/base" ] || debootstrap --variant=minbase "$SUITE" "$WORK/base" >"$WORK/debootstrap.log"
}

# inside ROOT COMMAND...: runs a command in a root file system that has /proc and /dev for the while.
inside() {
  unshare --mount bash -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"' "$@"
}

# root NAME PACKAGE...: a copy of the base with packages, at $WORK/NAME.
root() {
  local root="$WORK/$1"
  shift
  [ ! -d "$root" ] || return 0
  base
  rm -rf "$root.part"
  cp -a "$WORK/base" "$root.part"
  cp /etc/resolv.conf "$root.part/etc/"
  printf '#!/bin/sh\nexit 101\n' >"$root.part/usr/sbin/policy-rc.d"
  chmod +x "$root.part/usr/sbin/policy-rc.d"
  chroot "$root.part" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive inside "$root.part" apt-get install -y -qq --no-install-recommends "$@" >"$root.log" 2>&1
  mv "$root.part" "$root"
}
