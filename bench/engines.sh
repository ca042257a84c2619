#!/usr/bin/env bash
# Takes images through engines that are newer than those of CI: the tests of `cargo test -p barge --test daemon`.
#
#   bench/engines.sh FOLDER sid     Docker, containerd and Podman of Debian sid
#   bench/engines.sh FOLDER moby    the same with the newest dockerd that the Go module proxy has, built here
#
# FOLDER keeps what is made for the next time: 2 GB. DOCKER_HOST is the daemon that builds. Needs root, debootstrap, curl,
# podman, and go for moby; about 2 minutes for sid, 10 more for moby, and what the tests take. CI does not run it: sid
# changes under it, and dockerd takes too long to build. What passed last stands in docs/engines.md.
set -euo pipefail
folder=$(realpath -m "${1:?a folder}") which=${2:?sid or moby}
: "${DOCKER_HOST:?the daemon that builds}"
repository=$(realpath "$(dirname "$0")/..")
module=github.com/moby/moby/v2
mkdir -p "$folder"

build_dockerd() { # build_dockerd: prints the file
  local version source
  version=$(go list -m -versions "$module" | tr ' ' '\n' | tail -n 1)
  [ -e "$folder/dockerd-$version" ] || {
    source=$(cd / && GOFLAGS=-mod=mod go mod download -json "$module@$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
    rm -rf "$folder/source" && cp -r "$source" "$folder/source" && chmod -R u+w "$folder/source"
    # A version that reads as one: clients compare it. The module's own starts at 2.
    (cd "$folder/source" && GOFLAGS=-mod=mod CGO_ENABLED=0 go build -trimpath -o "$folder/dockerd-$version" \
      -ldflags "-s -w -X $module/dockerversion.Version=29.0.0+moby.${version#v}" ./cmd/dockerd)
    rm -rf "$folder/source"
  }
  echo "$folder/dockerd-$version"
}

export ENGINES_SUITE=sid
case $which in
  sid) ;;
  moby) ENGINES_DOCKERD=$(build_dockerd) && export ENGINES_DOCKERD ;;
  *) echo "not an engine: $which" >&2; exit 2 ;;
esac
root=$folder/$which/root client=$(mktemp -d)
trap '"$repository/.ci/engines" "$folder/$which" stop; rm -rf "$client"' EXIT
engines=$("$repository/.ci/engines" "$folder/$which")
# A newer daemon may refuse the API of the machine's docker client; this one speaks to old daemons, too.
[ -e "$root/usr/bin/docker" ] ||
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -q --no-install-recommends docker-cli >"$folder/client.log"
ln -s "$root/usr/bin/docker" "$client/docker"
cd "$repository"
PATH=$client:$PATH BARGE_ENGINES=$engines BARGE_BUILDX=$root/usr/libexec/docker/cli-plugins/docker-buildx \
  cargo test -p barge --test daemon
