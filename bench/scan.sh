#!/usr/bin/env bash
# Scans as whole processes: what building the index costs, and scanning 1,000 packages.
#
#   bench/scan.sh ADVISORIES [BILL...]
#
# ADVISORIES is a folder of OSV's archives (<Ecosystem>/all.zip). Two bills of 1,000 packages are made of them: `worst` has the
# packages with the most advisories in versions that most of them hit, `clean` has packages that nothing is known about. Further
# bills are rows of their own. BARGE=path names the program under test, RUNS=n how often each row is run (default 20), in turns.
# Each row tells the medians of wall and CPU time, the peak of one more run, and the number of matches.
set -euo pipefail
advisories=$(realpath "${1:?a folder of advisory archives}")
shift
bills=()
for bill in "$@"; do bills+=("$(realpath "$bill")"); done
barge=$(realpath "${BARGE:-$(dirname "$0")/../target/release/barge}")
work=$(mktemp -d /var/tmp/barge-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work
python3 - "$barge" "$advisories" "${RUNS:-20}" "${bills[@]}" <<'P'
import collections, json, os, statistics, subprocess, sys, time, zipfile

barge, advisories, runs, bills = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
TYPES = {"npm": "npm", "PyPI": "pypi", "Go": "golang", "crates.io": "cargo", "RubyGems": "gem", "Packagist": "composer"}

def component(purl_type, name, version):
    purl = f"pkg:{purl_type}/{name.replace('@', '%40')}@{version}"
    places = {"occurrences": [{"location": f"usr/lib/{name}/manifest"}]}
    licenses = [{"license": {"id": "MIT"}}]
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "evidence": places, "licenses": licenses}

def write(name, components):
    with open(name, "w") as out:
        json.dump({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}, out)
    return name

def busiest():
    counts = collections.Counter()
    for ecosystem, purl_type in TYPES.items():
        path = f"{advisories}/{ecosystem}/all.zip"
        if not os.path.exists(path):
            continue
        archive = zipfile.ZipFile(path)
        for member in archive.namelist():
            for affected in json.loads(archive.read(member)).get("affected", []):
                counts[purl_type, affected.get("package", {}).get("name", "")] += 1
    return [component(kind, name, "0.0.1") for (kind, name), _ in counts.most_common(1000)]

def run(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in (0, 10):
        sys.exit(error.decode())
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3

def peak(command):
    # Of a child the kernel tells no less than this interpreter had when it was forked, so a small program starts it.
    told = subprocess.run(["/usr/bin/time", "-f", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return int(told.stderr.split()[-1]) / 1024

index = "advisories.index"
build = [barge, "db", "build", "--from", advisories, "--output", index]
wall, cpu = run(build)
print(f"index: {wall / 1e3:.1f} s, {cpu / 1e3:.1f} s CPU, {peak(build):.0f} MiB; {os.path.getsize(index) / 1e6:.1f} MB")
names = [write("worst", busiest()), write("clean", [component("npm", f"none-{n}", "1.0.0") for n in range(1000)])] + bills
rows = [(name, report) for name in names for report in ("table", "json")]
taken = collections.defaultdict(list)
def scan(name, report):
    return [barge, "scan", "--db", index, f"sbom:{name}", "-o", f"{report}=/dev/null"]

for _ in range(runs):
    for name, report in rows:
        taken[name, report].append(run(scan(name, report)))
for name, report in rows:
    shown = subprocess.run(scan(name, report)[:5] + ["--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    matches = len(json.loads(shown)["matches"])
    wall, cpu = map(statistics.median, zip(*taken[name, report]))
    print(f"{os.path.basename(name)}, {report}: {wall:.1f} ms, {cpu:.1f} ms CPU, {peak(scan(name, report)):.0f} MiB; {matches} matches")
P
