#!/usr/bin/env bash
# Makes the two large images of bench/sbom.sh from npm and from images that the daemon holds.
#
#   bench/sbom-images.sh OUT BASE [IMAGE...]
#
# OUT/c-node.tar: trees of npm on BASE, about 130,000 files in four layers. OUT/k-big.tar: that and the folders of every IMAGE,
# copied layer by layer. Needs docker and npm.
set -euo pipefail
out=$(realpath "${1:?where the archives go}") base=${2:?the reference of a base image}
shift 2
work=$(mktemp -d /var/tmp/barge-sbom-images.XXXXXX)
trap 'rm -rf "$work"' EXIT
export DOCKER_BUILDKIT=0

tree() { # tree NAME PACKAGE...: what npm installs
  local name=$1
  shift
  mkdir -p "$work/c/$name"
  (cd "$work/c/$name" && echo '{"private":true}' >package.json &&
    npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps "$@" >/dev/null)
  find "$work/c/$name" -name .bin -prune -o -type f -print | wc -l
}

tree web express@4 webpack@5 webpack-cli next@14 react-scripts@5 jest@29 typescript@5 eslint@8 prettier@3
tree api fastify@4 express@5 lodash moment rxjs axios aws-sdk@2 @aws-sdk/client-s3 mongoose typeorm pg
tree site gatsby@5 react@18 react-dom@18 @angular/cli@17 @angular/core@17 vite@5 svelte@4 @storybook/react@7
{
  echo "FROM $base"
  for name in web api site; do echo "COPY $name /srv/$name"; done
} >"$work/c/Dockerfile"
docker build -q -t barge-bench/c-node "$work/c" >/dev/null
docker save barge-bench/c-node -o "$out/c-node.tar"

mkdir "$work/k"
{
  echo "FROM barge-bench/c-node"
  for image in "$@"; do
    for folder in usr opt var; do
      # Only folders that the image has can be copied.
      id=$(docker create "$image" true)
      bytes=$(docker cp "$id:/$folder" - 2>/dev/null | head -c 1 | wc -c) || true
      [ "$bytes" = 0 ] || echo "COPY --from=$image /$folder /from/${image//[^a-z0-9]/-}/$folder"
      docker rm "$id" >/dev/null
    done
  done
} >"$work/k/Dockerfile"
docker build -q -t barge-bench/k-big "$work/k" >/dev/null
docker save barge-bench/k-big -o "$out/k-big.tar"
ls -l "$out"
