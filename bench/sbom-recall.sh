#!/usr/bin/env bash
# As bench/sbom-ecosystems.sh, of what is made in less usual ways: gems from git, yarn's Plug'n'Play, Go programs of several
# releases and flags, Rust programs by cargo-auditable, rpm databases in either place and by an old rpm, environments of
# Conda, .NET in a wheel, releases of Elixir, programs of Debian that hold their version oddly.
#
#   bench/sbom-recall.sh [NAME ...]      bundler php managers builds auditable rpm berkeley conda dotnet elixir gentoo
#                                        programs; all by default
#
# Runs as root on Debian with debootstrap, node, npm, go, cargo and python3-venv; fetches from package registries. For BARGE,
# WORK and SYFT see bench/sbom-roots.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/sbom-roots.sh

bundler() {
  root bundler bundler ruby-dev gcc libc6-dev make git
  local at="$WORK/bundler"
  cat >"$at/root/make.sh" <<'X'
set -e
export BUNDLE_SILENCE_ROOT_WARNING=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
rm -rf /srv/*; mkdir -p /srv/source /srv/app/vendor/cache; cd /srv/source
make() { # make NAME VERSION LINES: a gem's source, and the gem
  mkdir -p $1/lib; cd $1; echo "module X; VERSION = '$2'; end" >lib/$1.rb
  printf 'require_relative "lib/%s"\nGem::Specification.new do |s|\n s.name = "%s"\n s.version = X::VERSION\n s.summary = "a \\"b\\" = c"\n s.authors = ["a"]\n s.files = Dir["lib/*"] + Dir["ext/**/*"]\n %s\nend\n' $1 $1 "$3" >$1.gemspec
  gem build -q $1.gemspec >/dev/null 2>&1; mv *.gem /srv/app/vendor/cache/; cd ..
}
make alpha 1.2.3 's.licenses = ["MIT", "Apache-2.0"]; s.add_dependency "beta-gem", "~> 2.0"'
make beta-gem 2.0.0
make platform 3.4.5 's.platform = Gem::Platform.local'
make under_score.dot 0.0.1.beta
mkdir -p native/ext/native; echo 'require "mkmf"; create_makefile("native/native")' >native/ext/native/extconf.rb
echo 'void Init_native(void) {}' >native/ext/native/native.c
make native 1.0.1 's.extensions = ["ext/native/extconf.rb"]'
make gitty 4.0.0; make monorepo 5.0.0; mkdir monorepo/inner
echo 'Gem::Specification.new { |s| s.name = "inner"; s.version = "5.1"; s.summary = "x"; s.authors = ["a"] }' >monorepo/inner/inner.gemspec
for name in gitty monorepo; do (cd $name; git init -q .; git add -A; git commit -qm x); done
cd ../app; rm vendor/cache/{gitty,monorepo}*
printf '%s\n' 'source "https://gems.example.org"' 'gem "alpha"' 'gem "native"' 'gem "platform"' 'gem "under_score.dot", ">= 0.0.1.a"' \
  'gem "gitty", git: "/srv/source/gitty"' 'git "/srv/source/monorepo" do' 'gem "monorepo"' 'gem "inner"' 'end' >Gemfile
bundle config set --local path vendor/bundle
bundle install --local >/dev/null
bundle list | sed -n 's/^  \* \(.*\) (\([^ )]*\).*/\1 \2/p' >/root/list
X
  inside "$at" bash /root/make.sh
  compare "bundle list" gem "$at/srv/app" <"$at/root/list"
  inside "$at" ruby -rrubygems -e 'Gem::Specification.each { |s| puts "#{s.name} #{s.version}" }' >"$at/root/gems"
  compare "gem list" gem "$at/usr" <"$at/root/gems"
}

php() {
  root php composer php-cli php-pear php-xml unzip git
  local at="$WORK/php"
  cat >"$at/root/make.sh" <<'X'
set -e
export COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=/root/.composer GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
rm -rf /srv/*; mkdir -p /srv/app /srv/thing /srv/branch /srv/pear/Foo; cd /srv
(cd thing; echo '{"name":"acme/thing","replace":{"acme/replaced":"self.version"}}' >composer.json; git init -q .; git add -A; git commit -qm x; git tag 2.2.0-beta.1)
(cd branch; echo '{"name":"acme/branch"}' >composer.json; git init -q -b main .; git add -A; git commit -qm x)
for name in lib dev; do mkdir -p paths/$name; printf '{"name":"path/%s","version":"1.0.0"}' $name >paths/$name/composer.json; done
cat >app/composer.json <<'J'
{"name":"me/app","version":"7.7.7","minimum-stability":"dev","prefer-stable":true,"repositories":[
{"type":"vcs","url":"/srv/thing"},{"type":"vcs","url":"/srv/branch"},{"type":"path","url":"/srv/paths/*"},
{"type":"package","package":{"name":"meta/all","version":"1.4.0","type":"metapackage","require":{"acme/thing":"*"}}},{"packagist.org":false}],
"require":{"acme/thing":"2.2.0-beta1","acme/branch":"dev-main","path/lib":"*","meta/all":"^1"},"require-dev":{"path/dev":"*"}}
J
(cd app; composer install --quiet --no-interaction; composer show --format=json |
  php -r 'foreach (json_decode(stream_get_contents(STDIN))->installed as $p) echo $p->name, " ", strtok($p->version, " "), "\n";') >/root/composer
cd pear; echo '<?php' >Foo/Foo.php
cat >package.xml <<'J'
<?xml version="1.0"?><package version="2.0" xmlns="http://pear.php.net/dtd/package-2.0"><name>Foo_Bar</name><channel>pear.php.net</channel><summary>s</summary><description>d</description>
<lead><name>a</name><user>a</user><email>a@b.c</email><active>yes</active></lead><date>2026-01-01</date><version><release>1.10.0RC2</release><api>1.0.0</api></version>
<stability><release>beta</release><api>beta</api></stability><license>BSD</license><notes>n</notes><contents><dir name="/"><file name="Foo/Foo.php" role="php"/></dir></contents>
<dependencies><required><php><min>5.2</min></php><pearinstaller><min>1.4.0</min></pearinstaller></required></dependencies><phprelease/></package>
J
pear package package.xml >/dev/null; pear install -f -n Foo_Bar*.tgz >/dev/null
pear list -a | awk '$2 ~ /^[0-9]/ { print $1, $2 }' >/root/pear
X
  inside "$at" bash /root/make.sh
  compare "composer show" composer "$at/srv/app" <"$at/root/composer"
  compare "pear list" pear "$at" <"$at/root/pear"
}

# The same project by every package manager of Node: aliases, a workspace, a folder, a patched package.
managers() {
  local at="$WORK/managers" tools="$WORK/managers-tools/node_modules"
  [ -d "$tools" ] || (mkdir -p "$WORK/managers-tools" && cd "$WORK/managers-tools" && npm init -y >/dev/null &&
    npm install --silent --no-audit --no-fund yarn@1 pnpm@9 @yarnpkg/cli-dist@4 >/dev/null)
  rm -rf "$at"
  for manager in npm yarn pnpm berry; do
    mkdir -p "$at/$manager/packages/own"
    echo '{"name":"@shop/own","version":"0.3.0","dependencies":{"ms":"2.0.0"}}' >"$at/$manager/packages/own/package.json"
    echo '{"name":"shop","version":"9.9.9","private":true,"workspaces":["packages/*"],"dependencies":{"express":"4.19.2","lodash4":"npm:lodash@4.17.21","@babel/code-frame":"7.24.2","resolve":"1.22.8","react":"18.2.0","react-redux":"9.1.0","string-width-cjs":"npm:string-width@^4.2.0"}}' >"$at/$manager/package.json"
  done
  local berry="$tools/@yarnpkg/cli-dist/bin/yarn.js"
  (cd "$at/npm" && npm install --silent --no-audit --no-fund --ignore-scripts >/dev/null)
  (cd "$at/yarn" && node "$tools/yarn/bin/yarn.js" install --silent --ignore-scripts --cache-folder "$WORK/yarn-cache" 2>/dev/null)
  (cd "$at/pnpm" && printf 'packages:\n  - packages/*\n' >pnpm-workspace.yaml && node "$tools/pnpm/bin/pnpm.cjs" install --silent --ignore-scripts --store-dir "$WORK/pnpm-store")
  (cd "$at/berry" && touch yarn.lock && printf 'enableTelemetry: false\nenableGlobalCache: false\nenableScripts: false\nnodeLinker: pnp\n' >.yarnrc.yml && node "$berry" install >/dev/null)
  # Each lists the project and its workspace, too, which are no packages that were installed.
  (cd "$at/npm" && npm query '*') | python3 -c '
import json, sys
for package in json.load(sys.stdin):
    if package["location"].startswith("node_modules/") and package["name"] != "@shop/own": print(package["name"], package["version"])' |
    compare "npm query" npm "$at/npm"
  (cd "$at/yarn" && node "$tools/yarn/bin/yarn.js" list --json 2>/dev/null) | python3 -c '
import json, re, sys
aliases = {"lodash4": "lodash", "string-width-cjs": "string-width"}
for tree in json.loads(sys.stdin.readlines()[-1])["data"]["trees"]:
    def walk(tree):
        name, version = tree["name"].rsplit("@", 1)
        if re.match(r"\d", version) and not tree.get("shadow") and name != "@shop/own": print(aliases.get(name, name), version)
        for child in tree.get("children", []): walk(child)
    walk(tree)' | compare "yarn list" npm "$at/yarn"
  find "$at/pnpm/node_modules/.pnpm" -maxdepth 1 -name '*@[0-9]*' -printf '%f\n' | sed -E 's/\(.*//; s/_.*//; s/\+/\//; s/(.)@([0-9])/\1 \2/' | compare "pnpm's store" npm "$at/pnpm"
  (cd "$at/berry" && node "$berry" info -AR --json) | python3 -c '
import json, re, sys
for line in sys.stdin:
    entry = json.loads(line)
    name, reference = re.match(r"(@?[^@]+)@(.*)", entry["value"]).groups()
    if not reference.startswith("workspace:"): print(name, entry["children"]["Version"])' | compare "yarn info (PnP)" npm "$at/berry"
}

# One program by several Go releases and flags.
builds() {
  local at="$WORK/builds"
  rm -rf "$at"
  mkdir -p "$at/source/lib" "$at/out"
  (cd "$at/source"
    export GOMODCACHE="$WORK/go-cache" GOFLAGS="-modcacherw -buildvcs=false"
    printf 'module example.com/team/app/v3\ngo 1.18\nrequire (\n\tgopkg.in/yaml.v3 v3.0.1\n\tgithub.com/docker/distribution v2.8.2+incompatible\n\tgithub.com/pkg/errors v0.9.1\n\texample.com/lib v1.2.3\n\trsc.io/quote/v3 v3.1.0\n)\nreplace example.com/lib => ./lib\nreplace github.com/pkg/errors => github.com/pkg/errors v0.8.1\n' >go.mod
    printf 'module example.com/lib\n' >lib/go.mod
    printf 'package lib\nfunc X() int { return 1 }\n' >lib/lib.go
    printf 'package main\nimport ("fmt"; "gopkg.in/yaml.v3"; "github.com/docker/distribution/reference"; "github.com/pkg/errors"; "example.com/lib"; "rsc.io/quote/v3")\nfunc main() { b, _ := yaml.Marshal(1); r, _ := reference.ParseNormalizedNamed("a"); fmt.Println(string(b), r, errors.New("x"), lib.X(), quote.HelloV3()) }\n' >main.go
    GOTOOLCHAIN=go1.18.10 go mod tidy 2>/dev/null
    build() { local out=$1; shift; env "$@" -o "$at/out/$out" .; }
    build plain go build
    build old GOTOOLCHAIN=go1.18.10 go build
    build middle GOTOOLCHAIN=go1.21.13 go build
    build stripped go build -trimpath -ldflags "-s -w"
    build position-independent go build -buildmode=pie
    build library.so CGO_ENABLED=1 go build -buildmode=c-shared
    build linked-outside CGO_ENABLED=1 go build -ldflags -linkmode=external
    for target in linux/s390x linux/mips linux/arm linux/ppc64le freebsd/amd64 windows/arm64 darwin/amd64; do
      build "${target/\//-}" GOOS="${target%/*}" GOARCH="${target#*/}" go build -ldflags=-s
    done
    go mod vendor && build vendored go build -mod=vendor)
  # A module that a folder replaces is the one that was asked for; one that another replaces is that one.
  for program in "$at"/out/*; do
    go version -m "$program" | awk -F'\t' 'NR == 1 { n = split($0, w, "go"); print "stdlib", w[n] }
      $2 == "=>" && $4 ~ /^v/ { name = $3; version = $4; next } $2 == "dep" || $2 == "mod" || $2 == "build" { if (version ~ /^v/) print name, version
      name = $3; version = ($2 == "build") ? "" : $4 }'
  done | compare "go version -m" golang "$at/out"
}

# One program by cargo-auditable in several forms: renamed crates, two versions of one, a macro and a build script, which are
# not in the program.
auditable() {
  local at="$WORK/auditable" tools="$WORK/auditable-tools"
  [ -x "$tools/bin/cargo-auditable" ] || cargo install --quiet --locked --root "$tools" cargo-auditable
  rm -rf "$at"
  mkdir -p "$at/source/src" "$at/source/own/src" "$at/out"
  (cd "$at/source"
    export PATH="$tools/bin:$PATH" CARGO_TARGET_DIR="$at/target"
    local host built
    host=$(rustc -vV | sed -n 's/^host: //p')
    built="$at/target/$host/release"
    printf '[package]\nname = "shop"\nversion = "3.1.4-rc.1+build.5"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib", "rlib"]\n[[bin]]\nname = "shop"\npath = "src/main.rs"\n[dependencies]\nown = { path = "own", version = "0.2.0" }\nold_itoa = { package = "itoa", version = "0.4.8" }\nitoa = "1"\nserde = { version = "1", features = ["derive"] }\nserde_json = "1"\n[target."cfg(windows)".dependencies]\nwinapi = "0.3"\n[build-dependencies]\nsemver = "1"\n[dev-dependencies]\nfastrand = "2"\n[workspace]\n[profile.release]\nlto = true\n' >Cargo.toml
    printf '[package]\nname = "own"\nversion = "0.2.0"\nedition = "2021"\n[dependencies]\nbitflags = "2"\n' >own/Cargo.toml
    echo 'bitflags::bitflags! { pub struct F: u32 { const A = 1; } }' >own/src/lib.rs
    echo 'fn main() { semver::Version::parse("1.0.0").unwrap(); }' >build.rs
    echo '#[no_mangle] pub extern "C" fn bits() -> u32 { own::F::A.bits() }' >src/lib.rs
    printf '#[derive(serde::Serialize)] struct S { a: u32 }\nfn main() { let (mut a, mut b) = (itoa::Buffer::new(), String::new()); old_itoa::fmt(&mut b, 2).unwrap(); println!("{}{}{}{}", a.format(1), b, serde_json::to_string(&S { a: own::F::A.bits() }).unwrap(), shop::bits()); }\n' >src/main.rs
    form() { # form NAME RUSTFLAGS SETTING...
      local name=$1 flags=$2
      shift 2
      # Flags of the target must not reach the macro, which is built for the host.
      env RUSTFLAGS="$flags" "$@" cargo auditable build --quiet --release --target "$host"
      for file in shop libshop.so shop.dwp; do [ ! -e "$built/$file" ] || mv "$built/$file" "$at/out/$name-$file"; done
    }
    form plain ""
    form stripped "" CARGO_PROFILE_RELEASE_STRIP=symbols
    form split "" CARGO_PROFILE_RELEASE_DEBUG=2 CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO=packed CARGO_PROFILE_RELEASE_LTO=off
    # These are programs only.
    sed -i 's/"cdylib", //' Cargo.toml
    form fixed "-C relocation-model=static"
    form static "-C target-feature=+crt-static"
    # What is parted from a program for debuggers has the list, too.
    objcopy --only-keep-debug "$at/out/split-shop" "$at/out/split-shop.debug"
    strip "$at/out/split-shop"
    cargo tree --quiet -e normal,no-proc-macro --prefix none) | sed 's/ v/ /; s/ (.*//' >"$WORK/crates"
  for program in "$at"/out/*shop*; do
    case $program in *.dwp) continue ;; esac
    compare "cargo tree ($(basename "$program"))" cargo "$program" <"$WORK/crates"
  done
}

rpm() {
  root rpm-odd rpm
  local at="$WORK/rpm-odd"
  cat >"$at/root/make.sh" <<'X'
set -e
cd /root; rm -rf top odd; mkdir odd
{ printf 'Name: odd-name+x_1.0\nVersion: 1.2~rc3\nRelease: 4.module_el8.6.0+1234+abcd\nEpoch: 2\nSummary: s\nLicense: (GPLv2+ or BSD) and MIT\nModularitylabel: nodejs:16:8060:ad00\n%%description\nx\n%%files\n'
printf '%%package -n libodd-devel\nVersion: 9.9\nSummary: s\nLicense: MIT\n%%description -n libodd-devel\nx\n%%files -n libodd-devel\n'; } >a.spec
for version in 6.1^git5 6.2; do printf 'Name: kernel-core\nVersion: %s\nRelease: 1.fc40\nSummary: s\nLicense: GPL-2.0-only\n%%description\nx\n%%files\n' $version >k-$version.spec; done
for spec in *.spec; do rpmbuild -bb --quiet --define '_topdir /root/top' $spec 2>/dev/null; done
for backend in sqlite ndb; do for place in /var/lib/rpm /usr/lib/sysimage/rpm; do
  at=odd/$backend${place//\//-}; mkdir -p $at
  with() { command rpm --root /root/$at --define "_dbpath $place" --define "_db_backend $backend" "$@" 2>/dev/null; }
  with --initdb; with -i --nodeps $(find top/RPMS -name '*.rpm')
  with -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' >$at.list
done; done
X
  inside "$at" bash /root/make.sh
  for list in "$at"/root/odd/*.list; do compare "rpm -qa ($(basename "$list" .list))" rpm "${list%.list}" <"$list"; done
}

# Of Debian bullseye, the last whose rpm writes BerkeleyDB itself: installed, upgraded and removed.
berkeley() {
  local at="$WORK/rpm-old"
  [ -d "$at" ] || { debootstrap --variant=minbase --include=rpm bullseye "$at.part" >"$WORK/rpm-old.log" && mv "$at.part" "$at"; }
  cat >"$at/root/make.sh" <<'X'
set -e
cd /root; rm -rf top odd *.spec; mkdir -p odd/var/lib/rpm
spec() { # spec NAME VERSION RELEASE [EPOCH]: many files make headers that need chained pages
  printf 'Name: %s\nVersion: %s\nRelease: %s\n%sSummary: s\nLicense: MIT\n%%description\n%s\n%%install\nmkdir -p %%{buildroot}/opt/%s\ncd %%{buildroot}/opt/%s; seq -f file-%%g %s | xargs touch\n%%files\n/opt/%s\n' \
    "$1" "$2" "$3" "${4:+Epoch: $4\n}" "$(seq 2000 | tr '\n' ' ')" "$1" "$1" "$((RANDOM % 3000 + 1))" "$1" | sed 's/\\n/\n/g' >"$1-$2.spec"
}
for number in $(seq 40); do spec "package-$number+x" "1.$number~rc1" "$number.el7"; done
spec odd-name_1.0 2 1.module_el8+1 3; spec gone 1 1; spec upgraded 1.0 1; spec upgraded 2.0 1; spec kernel-core 5.1 1; spec kernel-core 5.2 1
for each in *.spec; do rpmbuild -bb --quiet --define '_topdir /root/top' --define '__brp_compress /bin/true' "$each" >/dev/null 2>&1; done
with() { command rpm --root /root/odd --define '_dbpath /var/lib/rpm' --define '_db_backend bdb' --define '_pkgverify_level none' "$@" 2>/dev/null; }
with --initdb
find top/RPMS -name '*.rpm' ! -name 'upgraded-2*' -exec cp {} odd/ \;
with -i --nodeps --nosignature $(find top/RPMS -name '*.rpm' ! -name 'upgraded-2*')
with -U --nodeps --nosignature $(find top/RPMS -name 'upgraded-2*'); with -e --nodeps gone package-7+x package-19+x
with -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' >odd.list
rm -f odd/*.rpm
X
  inside "$at" bash /root/make.sh
  compare "rpm -qa (4.16, BerkeleyDB)" rpm "$at/root/odd" <"$at/root/odd.list"
}

# Packages of a channel in a folder, installed by rattler, the library of pixi.
conda() {
  local at="$WORK/conda"
  [ -d "$at/venv" ] || { mkdir -p "$at" && python3 -m venv "$at/venv" && "$at/venv/bin/pip" install --quiet py-rattler; }
  rm -rf "$at/channel" "$at/environment"
  "$at/venv/bin/python" - "$at" <<'X' | compare "rattler" conda "$at/environment"
import asyncio, io, json, pathlib, sys, tarfile
from rattler import Channel, Platform, PrefixRecord, install, solve
from rattler.index import index_fs
at = pathlib.Path(sys.argv[1])
packages = [("alpha", "1.2.3", "py312h123_0", []), ("beta-x", "1!2.0rc1", "0", ["alpha >=1"]), ("gamma.dot_under", "2024a", "h0_3", []), ("delta", "0.1.post2+cuda", "cuda_1", ["beta-x"])]
for name, version, build, depends in packages:
    for subdir in ["linux-64" if build != "0" else "noarch"]:
        folder = at / "channel" / subdir
        folder.mkdir(parents=True, exist_ok=True)
        index = {"name": name, "version": version, "build": build, "build_number": 0, "depends": depends, "license": "MIT", "subdir": subdir, "arch": None, "platform": None}
        if subdir == "noarch": index["noarch"] = "generic"
        with tarfile.open(folder / f"{name}-{version}-{build}.tar.bz2", "w:bz2") as tar:
            content = b"x"
            paths = {"paths": [{"_path": f"share/{name}", "path_type": "hardlink", "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "size_in_bytes": 1}], "paths_version": 1}
            for path, data in [("info/index.json", json.dumps(index).encode()), ("info/paths.json", json.dumps(paths).encode()), ("info/files", f"share/{name}\n".encode()), (f"share/{name}", content)]:
                member = tarfile.TarInfo(path)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
async def make():
    await index_fs(at / "channel", write_zst=False, write_shards=False)
    records = await solve([Channel(f"file://{at}/channel")], ["delta", "gamma.dot_under"], platforms=[Platform("linux-64"), Platform("noarch")])
    await install(records, at / "environment", show_progress=False)
asyncio.run(make())
for path in (at / "environment/conda-meta").glob("*.json"):
    record = PrefixRecord.from_path(path)
    print(record.name.source, record.version)
X
}

# The dependencies of .NET code that a wheel carries, written by the .NET SDK.
dotnet() {
  local at="$WORK/dotnet"
  [ -d "$at" ] || { python3 -m venv "$WORK/dotnet-venv" && "$WORK/dotnet-venv/bin/pip" install --quiet --target "$at" pythonnet; }
  python3 - "$at/pythonnet/runtime/Python.Runtime.deps.json" <<'X' | compare "deps.json with files" nuget "$at"
import json, sys
bill = json.load(open(sys.argv[1]))
for target in bill["targets"].values():
    for key, entry in target.items():
        if bill["libraries"][key]["type"] == "package" and entry.get("runtime"): print(*key.split("/"))
X
}

# A release of Elixir with applications in folders, which carries its own Erlang; what it holds is in its `.rel` file.
elixir() {
  root elixir elixir erlang-base erlang-dev erlang-crypto erlang-syntax-tools erlang-parsetools erlang-tools
  local at="$WORK/elixir"
  cat >"$at/root/make.sh" <<'X'
set -e
export LANG=C.UTF-8 LC_ALL=C.UTF-8 MIX_ENV=prod HOME=/root
rm -rf /srv/*; mkdir -p /srv/shop/lib /srv/dep/lib /srv/inner/lib
project() { # project FOLDER NAME VERSION DEPS
  printf 'defmodule %s.MixProject do\n use Mix.Project\n def project, do: [app: :%s, version: "%s", deps: [%s]]\n def application, do: [extra_applications: [:logger, :crypto]]\nend\n' "${2^}" "$2" "$3" "$4" >"/srv/$1/mix.exs"
  printf 'defmodule %s do\nend\n' "${2^}" >"/srv/$1/lib/$2.ex"
}
project shop shop 4.5.6-rc.1 '{:dep_one, path: "/srv/dep"}'
project dep dep_one 0.9.0 '{:inner, path: "/srv/inner"}'
project inner inner 1.0.0+build ''
cd /srv/shop; mix release --quiet >/dev/null
sed -n 's/^ *\[*{\([a-z_]*\),"\([^"]*\)",[a-z]*.*/\1 \2/p' _build/prod/rel/shop/releases/*/shop.rel >/root/list
X
  inside "$at" bash /root/make.sh
  compare "shop.rel" otp "$at/srv/shop/_build/prod/rel/shop" <"$at/root/list"
}

# By hand, in the form of the installed packages of Portage: no tool of Gentoo is at hand.
gentoo() {
  local at="$WORK/gentoo"
  rm -rf "$at"
  for entry in sys-libs/glibc-2.38-r10 dev-lang/python-3.12.3-r1 dev-lang/python-2.7.18_p16-r2 virtual/libc-1-r1 acct-user/nobody-0-r2 \
    media-fonts/font-misc-100dpi-1.0.4 x11-libs/gtk+-3.24.41 dev-db/mysql-connector-c++-8.0.33 app-x/foo-2-3.4b_alpha5_rc1 dev-x/pkg-9999; do
    mkdir -p "$at/var/db/pkg/$entry"
    case $entry in virtual/* | acct-user/*) : ;; *) echo 'obj /usr/bin/x d41d8cd98f00b204e9800998ecf8427e 1' ;; esac >"$at/var/db/pkg/$entry/CONTENTS"
    echo "$entry"
  done | sed -E 's/-([0-9][^-]*(-r[0-9]+)?)$/ \1/' >"$WORK/entries"
  mkdir -p "$at/var/db/pkg/dev-x/-MERGING-half-1.0"
  touch "$at/var/db/pkg/dev-x/-MERGING-half-1.0/CONTENTS"
  compare "var/db/pkg" ebuild "$at" <"$WORK/entries"
}

# Programs of Debian without its database whose version is no plain text, or stands among others.
programs() {
  local at="$WORK/odd-programs"
  if [ ! -d "$at" ]; then
    base
    cp /etc/resolv.conf "$WORK/base/etc/"
    mkdir -p "$WORK/base/debs" "$at"
    chroot "$WORK/base" sh -c 'apt-get update -qq && cd /debs && apt-get download -qq samba smbclient crun guile-3.0-libs skopeo buildah nats-server' >/dev/null 2>&1
    for package in "$WORK"/base/debs/*.deb; do dpkg -x "$package" "$at/$(basename "$package")"; done
    rm -r "$WORK/base/debs"
  fi
  upstream() { # upstream DEB NAME...
    local name=$1 package version
    package=$(basename "$(echo "$at/$name"_*.deb)")
    version=$(cut -d_ -f2 <<<"$package" | sed -E 's/^[0-9]+%3a//; s/-[^-]*$//; s/\+really.*//; s/[+~].*//')
    echo "$2 ${3:-}$version"
  }
  { upstream samba samba; upstream crun crun; upstream guile-3.0-libs guile; } | compare "programs" generic "$at"
  { upstream skopeo github.com/containers/skopeo v; upstream buildah github.com/containers/buildah v; upstream nats-server github.com/nats-io/nats-server v
    for program in "$at"/*/usr/*bin/*; do command go version "$program" 2>/dev/null | sed 's/.* go/stdlib /'; done; } | compare "programs of Go" golang "$at"
}

for name in "${@:-bundler php managers builds auditable rpm berkeley conda dotnet elixir gentoo programs}"; do for each in $name; do "$each"; done; done
