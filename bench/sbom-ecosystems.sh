#!/usr/bin/env bash
# Makes a root file system for each ecosystem with that ecosystem's own tools, and compares what they list with what
# `barge sbom` lists. Prints one line each: the native tool's number, what barge misses, what it lists beyond.
#
#   bench/sbom-ecosystems.sh [NAME ...]      debian rpm pacman npm go uv haskell nix lua wordpress composer cpan conan
#                                            kernel programs; all by default
#
# Runs as root on Debian with debootstrap, node, npm, go, python3-venv, kmod and db5.3-util; fetches from package registries.
# BARGE is the program (default target/release/barge), WORK a folder for what is made (default /var/tmp/barge-ecosystems).
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/sbom-roots.sh

debian() {
  root debian rails ruby-sinatra ruby-nokogiri php-pear php-cli r-base-core r-cran-jsonlite erlang-base elixir
  local at="$WORK/debian"
  chroot "$at" dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' | awk '/^.i/ { print $2, $3 }' |
    compare "dpkg-query" deb "$at"
  chroot "$at" ruby -rrubygems -e 'Gem::Specification.each { |s| puts "#{s.name} #{s.version}" }' | compare "gem list" gem "$at"
  chroot "$at" pear list -a 2>/dev/null | awk '$2 ~ /^[0-9]/ { print $1, $2 }' | compare "pear list" pear "$at"
  chroot "$at" Rscript -e 'x <- installed.packages(); cat(paste(x[, "Package"], x[, "Version"]), sep = "\n")' |
    compare "installed.packages()" cran "$at"
  find "$at/usr/lib" -path '*/ebin/*.app' -exec sed -n 's/.*{vsn, *"\([^"]*\)".*/\1/p;s/.*{vsn,"\([^"]*\)".*/\1/p' {} \; |
    wc -l | xargs printf '%-24s %5d there, barge lists %s\n' "*.app" | sed "s/\$/$(listed otp "$at" | wc -l)/"
}

rpm() {
  root rpm rpm
  local at="$WORK/rpm"
  cat >"$at/root/make.sh" <<'X'
set -e
cd /root; rm -rf top sqlite ndb
{ printf 'Name: main\nVersion: 2.4.57\nRelease: 5.el9\nEpoch: 3\nSummary: s\nLicense: ASL 2.0 and MIT\n%%description\nx\n%%files\n'
for i in $(seq 60); do
  printf '%%package -n pkg-%d+x\nVersion: %d.%d%s\nRelease: %d.el9\nSummary: s\nLicense: GPLv2+\n' $i $((i % 7)) $i \
    "$([ $((i % 13)) != 0 ] || echo '~rc1')$([ $((i % 17)) != 0 ] || echo '^git1')" $i
  printf '%%description -n pkg-%d+x\nd\n%%files -n pkg-%d+x\n' $i $i
done; } >main.spec
rpmbuild -bb --quiet --define '_topdir /root/top' main.spec 2>/dev/null
for backend in sqlite ndb; do
  with() { command rpm --root /root/$backend --define '_dbpath /var/lib/rpm' --define "_db_backend $backend" "$@" 2>/dev/null; }
  mkdir -p $backend; with --initdb; with -i --nodeps $(find top/RPMS -name '*.rpm'); with -e --nodeps pkg-11+x pkg-33+x
  with -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' >$backend.list
done
X
  chroot "$at" bash /root/make.sh
  for backend in sqlite ndb; do compare "rpm -qa ($backend)" rpm "$at/root/$backend" <"$at/root/$backend.list"; done
  python3 - "$at/root" <<'X'
import os, sqlite3, struct, subprocess, sys
root = sys.argv[1]
rows = sqlite3.connect(f"{root}/sqlite/var/lib/rpm/rpmdb.sqlite").execute("select hnum, blob from Packages").fetchall()
for order, mark in ((1234, "<I"), (4321, ">I")):
    database = f"{root}/berkeley-{order}/var/lib/rpm/Packages"
    os.makedirs(os.path.dirname(database), exist_ok=True)
    if os.path.exists(database): os.unlink(database)
    lines = [f"VERSION=3\nformat=bytevalue\ntype=hash\nh_nelem=20\ndb_pagesize=4096\ndb_lorder={order}\nHEADER=END"]
    lines += [" " + struct.pack("<I", 0).hex(), " " + struct.pack(mark, len(rows)).hex()]
    for number, blob in rows: lines += [" " + struct.pack(mark, number).hex(), " " + bytes(blob).hex()]
    subprocess.run(["db5.3_load", database], input="\n".join(lines + ["DATA=END\n"]), text=True, check=True)
X
  for order in 1234 4321; do compare "rpm -qa (berkeley $order)" rpm "$at/root/berkeley-$order" <"$at/root/sqlite.list"; done
}

pacman() {
  root pacman pacman-package-manager makepkg libarchive-tools fakeroot binutils file
  local at="$WORK/pacman"
  cat >"$at/root/make.sh" <<'X'
set -e
id b >/dev/null 2>&1 || useradd -m b
rm -rf /srv/pk /srv/root; mkdir -p /srv/pk /srv/root/var/lib/pacman
for spec in glibc=2.39+r52 linux=6.9.1.arch1 epoch=1:3.0 python-six=1.16.0; do
  name=${spec%%=*}; version=${spec#*=}; mkdir /srv/pk/$name
  { echo "pkgname=$name"; case $version in *:*) echo "epoch=${version%%:*}";; esac
    printf 'pkgver=%s\npkgrel=1\npkgdesc=d\narch=(x86_64)\nlicense=(MIT)\npackage() { mkdir -p "$pkgdir/usr/share/%s"; }\n' "${version#*:}" "$name"
  } >/srv/pk/$name/PKGBUILD
done
chown -R b /srv/pk
for folder in /srv/pk/*/; do (cd $folder; su b -c "CARCH=x86_64 PKGEXT=.pkg.tar.gz makepkg -d" >/dev/null 2>&1); done
printf '[options]\nArchitecture = x86_64\nSigLevel = Never\n' >/srv/conf
with="pacman --config /srv/conf --root /srv/root --dbpath /srv/root/var/lib/pacman"
$with -U --noconfirm -dd /srv/pk/*/*.pkg.tar.* >/dev/null 2>&1
$with -Q >/srv/list
X
  # makepkg is a shell script that wants /dev/fd.
  inside "$at" bash /root/make.sh
  compare "pacman -Q" alpm "$at/srv/root" <"$at/srv/list"
}

npm() {
  local at="$WORK/npm"
  [ -d "$at" ] || { mkdir -p "$at" && (cd "$at" && command npm init -y >/dev/null && command npm install --silent --no-audit --no-fund \
    --cache "$WORK/npm-cache" express webpack next react-scripts jest typescript @angular/core >/dev/null); }
  node -e '
const fs = require("fs"), path = require("path");
(function walk(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(at);
    else if (entry.name === "package.json") {
      const above = path.dirname(folder), scope = path.basename(above);
      const modules = scope[0] === "@" ? path.basename(path.dirname(above)) : scope;
      let json = {}; try { json = JSON.parse(fs.readFileSync(at)); } catch {}
      if (modules === "node_modules" && json.name && json.version) console.log(json.name, json.version);
    }
  }
})(process.argv[1])' "$at" | compare "node_modules" npm "$at"
}

go() {
  local at="$WORK/go"
  mkdir -p "$at/source" "$at/out"
  (cd "$at/source" && export GOFLAGS=-mod=mod GOMODCACHE="$WORK/go-cache"
    printf 'module example.com/app\ngo 1.22\nrequire (\n\tgithub.com/google/uuid v1.6.0\n\tgopkg.in/yaml.v3 v3.0.1\n)\nreplace github.com/google/uuid => github.com/google/uuid v1.5.0\n' >go.mod
    printf 'package main\nimport ("fmt"; "github.com/google/uuid"; "gopkg.in/yaml.v3")\nfunc main() { b, _ := yaml.Marshal(1); fmt.Println(uuid.New(), string(b)) }\n' >main.go
    command go mod tidy 2>/dev/null
    for target in linux/amd64 linux/arm64 linux/s390x linux/386 darwin/arm64 windows/amd64; do
      GOOS=${target%/*} GOARCH=${target#*/} command go build -o "$at/out/${target/\//-}" .
    done)
  # A replaced module is the one after `=>`; what is `(devel)` has no version.
  for program in "$at"/out/*; do
    command go version -m "$program" | awk -F'\t' 'NR == 1 { n = split($0, w, "go"); print "stdlib", w[n] }
      $2 == "=>" { name = $3; version = $4; next } $2 == "dep" || $2 == "mod" || $2 == "build" { if (name != "" && version != "(devel)") print name, version
      name = ($2 == "build") ? "" : $3; version = $4 }'
  done | compare "go version -m" golang "$at/out"
}

uv() {
  local at="$WORK/uv"
  [ -d "$at" ] || { python3 -m venv "$WORK/venv" && "$WORK/venv/bin/pip" install --quiet --target "$at" uv; }
  python3 - "$at/bin/uv" <<'X' | compare ".dep-v0 of uv" cargo "$at"
import json, struct, sys, zlib
data = open(sys.argv[1], "rb").read()
table, (size, count, names) = struct.unpack_from("<Q", data, 0x28)[0], struct.unpack_from("<HHH", data, 0x3A)
rows = [struct.unpack_from("<IIQQQQ", data, table + row * size) for row in range(count)]
for row in rows:
    start = rows[names][4] + row[0]
    if data[start : data.index(b"\0", start)] == b".dep-v0":
        for package in json.loads(zlib.decompress(data[row[4] : row[4] + row[5]]))["packages"]:
            if package.get("kind", "runtime") != "build": print(package["name"], package["version"])
X
}

haskell() {
  root haskell ghc libghc-aeson-dev libghc-lens-dev
  local at="$WORK/haskell"
  inside "$at" ghc-pkg list --simple-output | tr ' ' '\n' | sed -E 's/-([0-9.]+)$/ \1/' | compare "ghc-pkg list" hackage "$at"
}

# Derivations that nix builds itself; how it parts names and versions is asked of it, too.
nix() {
  root nix nix-bin
  local at="$WORK/nix"
  cat >"$at/root/make.sh" <<'X'
set -e
export NIX_REMOTE= NIX_CONFIG='sandbox = false
build-users-group =
substituters ='
for name in hello-2.12.1 glibc-2.40-66 openssl-3.0.15-bin python3.12-six-1.16.0 linux-6.6.1 source no-version; do
  nix-build --no-out-link -E "derivation { name = \"$name\"; system = \"x86_64-linux\"; builder = \"/bin/sh\"; args = [ \"-c\" \"/bin/mkdir \$out; :\" ]; }" 2>/dev/null
done | sed 's,/nix/store/[^-]*-,,' | while read -r name; do
  nix-instantiate --eval --strict -E "let p = builtins.parseDrvName \"$name\"; in p.name + \" \" + p.version" | tr -d '"'
done >/root/list
X
  inside "$at" bash /root/make.sh
  # The name of an output, such as `bin`, is no part of the version.
  grep -E ' [0-9]' "$at/root/list" | sed 's/-bin$//' | compare "nix parseDrvName" nix "$at"
}

lua() {
  root lua luarocks lua5.4 zip unzip gcc libc6-dev
  local at="$WORK/lua"
  cat >"$at/root/make.sh" <<'X'
set -e
cd /root; rm -rf rocks; mkdir rocks; cd rocks; echo 'return {}' >m.lua
for rock in alpha-1.0-1 lua-beta-2.3.4-2 gamma_scm-0.1rc1-1; do
  name=${rock%-*-*}; version=${rock#"$name"-}
  printf 'rockspec_format = "3.0"\npackage = "%s"\nversion = "%s"\nsource = { url = "file:///root/rocks/m.lua" }\ndescription = { license = "MIT" }\nbuild = { type = "builtin", modules = { ["%s"] = "m.lua" } }\n' \
    "$name" "$version" "$name" >"$rock.rockspec"
  luarocks make "$rock.rockspec" >/dev/null
done
luarocks remove alpha >/dev/null
luarocks list --porcelain | cut -f1,2 | tr '\t' ' ' >/root/list
X
  inside "$at" bash /root/make.sh
  compare "luarocks list" luarocks "$at" <"$at/root/list"
}

wordpress() {
  root wordpress wordpress wordpress-theme-twentytwentyfive php-cli
  local at="$WORK/wordpress"
  inside "$at" php -r '
define("ABSPATH", "/usr/share/wordpress/"); define("KB_IN_BYTES", 1024); define("WPINC", "wp-includes"); define("WP_CONTENT_DIR", ABSPATH . "wp-content"); define("WP_PLUGIN_DIR", WP_CONTENT_DIR . "/plugins"); define("WPMU_PLUGIN_DIR", WP_CONTENT_DIR . "/mu-plugins");
$wp_plugin_paths = []; function wp_cache_get() { return false; } function wp_cache_set() {}
require ABSPATH . "wp-includes/functions.php"; require ABSPATH . "wp-includes/plugin.php"; require ABSPATH . "wp-includes/formatting.php";
require ABSPATH . "wp-admin/includes/plugin.php";
foreach (get_plugins() as $file => $plugin) echo basename(dirname($file)) == "." ? basename($file, ".php") : dirname($file), " ", $plugin["Version"], "\n";
foreach (glob(WP_CONTENT_DIR . "/themes/*/style.css") as $file) echo basename(dirname($file)), " ", get_file_data($file, ["v" => "Version"])["v"], "\n";
' 2>/dev/null | compare "get_plugins()" wordpress "$at"
}

composer() {
  root composer composer php-cli unzip git
  local at="$WORK/composer"
  cat >"$at/root/make.sh" <<'X'
set -e
export COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=/root/.composer
rm -rf /srv/app; mkdir -p /srv/app; cd /srv/app; repositories= requires=
for package in acme/log:1.2.3 acme/old:v0.9.0 other/thing:2.0.0-RC1; do
  name=${package%:*}; version=${package#*:}; mkdir -p "/srv/packages/$name"
  printf '{"name":"%s","version":"%s","license":"MIT"}' "$name" "$version" >"/srv/packages/$name/composer.json"
  repositories+="{\"type\":\"path\",\"url\":\"/srv/packages/$name\",\"options\":{\"symlink\":false}},"; requires+="\"$name\":\"$version\","
done
printf '{"name":"me/app","repositories":[%s{"packagist.org":false}],"require":{%s},"minimum-stability":"dev"}' "$repositories" "${requires%,}" >composer.json
composer install --quiet --no-interaction
composer show --format=json | php -r 'foreach (json_decode(stream_get_contents(STDIN))->installed as $p) echo $p->name, " ", $p->version, "\n";' >/root/list
X
  inside "$at" bash /root/make.sh
  compare "composer show" composer "$at/srv/app" <"$at/root/list"
}

cpan() {
  root cpan cpanminus make perl
  local at="$WORK/cpan"
  cat >"$at/root/make.sh" <<'X'
set -e
cd /root; rm -rf dists; mkdir dists; cd dists; : >/root/list
for dist in Acme-Alpha:1.02 Acme-Beta-Gamma:v2.3.4; do
  name=${dist%:*}; version=${dist#*:}; module=${name//-/::}; path=lib/${name//-//}.pm
  mkdir -p "$name-$version/$(dirname "$path")"
  (cd "$name-$version"; printf 'package %s;\nour $VERSION = "%s";\n1;\n' "$module" "$version" >"$path"
    printf 'use ExtUtils::MakeMaker; WriteMakefile(NAME => "%s", VERSION_FROM => "%s", LICENSE => "perl_5");\n' "$module" "$path" >Makefile.PL)
  tar czf "$name-$version.tar.gz" "$name-$version"
  cpanm --quiet --notest "./$name-$version.tar.gz" >/dev/null 2>&1
  echo "$module $(perl -M"$module" -e "print \$${module}::VERSION" | sed 's/^v//')" >>/root/list
done
X
  inside "$at" bash /root/make.sh
  compare "cpanm" cpan "$at" <"$at/root/list"
}

conan() {
  local at="$WORK/conan"
  [ -d "$at/venv" ] || { mkdir -p "$at" && python3 -m venv "$at/venv" && "$at/venv/bin/pip" install --quiet conan; }
  rm -rf "$at/root" "$at/recipes"
  mkdir -p "$at/root/conan" "$at/recipes"
  (
    export CONAN_HOME="$at/root/conan"
    "$at/venv/bin/conan" profile detect >/dev/null 2>&1
    for package in alpha/1.2.3 beta/0.1; do
      printf 'from conan import ConanFile\nclass P(ConanFile):\n    name = "%s"\n    version = "%s"\n    license = "MIT"\n' \
        "${package%/*}" "${package#*/}" >"$at/recipes/conanfile.py"
      [ "$package" != beta/0.1 ] || printf '    requires = "alpha/1.2.3"\n' >>"$at/recipes/conanfile.py"
      "$at/venv/bin/conan" create "$at/recipes" >/dev/null 2>&1
    done
    "$at/venv/bin/conan" list '*' --format=json 2>/dev/null |
      python3 -c 'import json,sys; [print(*name.split("/")) for name in json.load(sys.stdin)["Local Cache"]]'
  ) | compare "conan list" conan "$at/root"
}

# Debian's modules are packed; without its database they speak for themselves.
kernel() {
  base
  local at="$WORK/kernel" image
  [ -d "$at" ] || { cp /etc/resolv.conf "$WORK/base/etc/"
    chroot "$WORK/base" sh -c 'apt-get update -qq; cd /root; apt-get download -qq $(apt-cache depends linux-image-amd64 | sed -n "s/.*Depends: \(linux-image-.*\)/\1/p" | head -1)' >/dev/null 2>&1
    image=$(ls "$WORK"/base/root/linux-image-*.deb)
    mkdir "$at" && dpkg -x "$image" "$at" && rm "$image"; }
  find "$at" -name '*.ko.xz' -print0 | xargs -0 modinfo |
    awk '/^filename:/ { version = "" } /^version:/ { sub(/^version: */, ""); version = $0 } /^name:/ { if (version != "") print $2, version }' >"$WORK/modules"
  find "$at/boot" -name 'vmlinuz-*' | sed 's,.*vmlinuz-,linux-kernel ,' | cat "$WORK/modules" - | compare "modinfo" generic "$at"
}

# Debian's programs without its database: each must be recognised in the version of its package.
programs() {
  base
  local at="$WORK/programs" pairs="bash:bash busybox:busybox curl:curl git:git haproxy:haproxy apache2-bin:httpd lighttpd:lighttpd
    lua5.4:lua mariadb-server-core:mariadb memcached:memcached nginx:nginx libnode115:node openssl:openssl sudo:sudo
    perl-base:perl php8.4-cli:php postgresql-17:postgresql python3.13-minimal:python redis-tools:redis libruby3.3:ruby squid:squid
    unbound:unbound valkey-tools:valkey varnish:varnish bind9:bind postfix:postfix erlang-base:erlang libsqlite3-0:sqlite
    etcd-server:etcd etcd-client:etcd prometheus:prometheus redis-server:redis mariadb-client-core:mariadb valkey-server:valkey"
  mkdir -p "$WORK/debs" "$at"
  cp /etc/resolv.conf "$WORK/base/etc/"
  [ -n "$(ls "$WORK/debs")" ] || { chroot "$WORK/base" apt-get update -qq
    mkdir -p "$WORK/base/debs"
    chroot "$WORK/base" sh -c "cd /debs && apt-get download -qq $(sed 's/:[^ ]*//g' <<<"$pairs" | tr '\n' ' ')" >/dev/null 2>&1
    mv "$WORK/base/debs"/*.deb "$WORK/debs/"; }
  for package in "$WORK"/debs/*.deb; do
    name=$(basename "$package" | cut -d_ -f1)
    [ -d "$at/$name" ] || dpkg -x "$package" "$at/$name"
  done
  for package in "$WORK"/debs/*.deb; do
    name=$(basename "$package" | cut -d_ -f1)
    program=$(tr ' ' '\n' <<<"$pairs" | sed -n "s/^ *$name://p")
    # The upstream version: without epoch, revision and what Debian appended.
    dpkg-deb -f "$package" Version | sed -E "s/^[0-9]+://;s/-[^-]*\$//;s/[+~].*//;s/^/$program /"
  done | compare "programs" generic "$at"
}

for name in "${@:-debian rpm pacman npm go uv haskell nix lua wordpress composer cpan conan kernel programs}"; do for each in $name; do "$each"; done; done
