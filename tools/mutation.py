#!/usr/bin/env python3
"""Would the corpus notice any small change of the reference? docs/mutation.md tells what is measured, and why.

cargo-mutants names the changes. Each is compiled into the reference alone and linked with the `tcpspec` that is
already there; then `tcpspec run --fail-fast --deny should` is the only judge. A survivor is compiled once more with
all seeded bugs taken out: where the optimised code is the one of the unchanged source, nothing could be noticed.

    tools/mutation.py setup                    build and remember how (again after a change of src/ or reference/)
    tools/mutation.py run --seed 1 --count 200 a random sample; --all for every one; goes on where it stopped
    tools/mutation.py report                   the number, and what survived

Needs Linux, cargo-mutants and patch. Everything it writes is under target/mutation, or in the directory that the
environment variable MUTATION names: with two of them one change can be looked into while a long run goes on.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASE = pathlib.Path(os.environ.get("MUTATION", ROOT / "target" / "mutation")).absolute()
# What is measured is a copy, so that the work can go on meanwhile.
COPY = BASE / "copy"
REFERENCE = COPY / "reference" / "src"
SCOPE = ["state/*.rs", "send.rs", "send/*.rs", "recv.rs", "wire/options.rs", "rtt.rs", "timer.rs"]
# The tool is built as it is for users, but for what makes linking slow. Its own optimisation level is 2, so that it shares no
# generic code with the reference, which is replaced under it; the reference's is 1, so that it is compiled soon.
PROFILE = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_DEBUG": "0",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "2",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
}
RUN = ["run", "--fail-fast", "--deny", "should", "--format", "json"]
# The reference in each of its configurations: what is off in one is on in another.
TARGETS = [[], ["-t", "reference-careful"], ["-t", "reference-classic"]]
# Seconds of processor time. A run of the whole corpus takes one.
PATIENCE = 30


def sh(command, **how):
    return subprocess.run(command, check=True, text=True, **how)


def setup(_):
    """Builds, and writes down how the reference was compiled and how the tool was linked."""
    BASE.mkdir(parents=True, exist_ok=True)
    # What is fresh is not shown.
    for source in ["reference/src/lib.rs", "src/main.rs"]:
        (ROOT / source).touch()
    cargo = ["cargo", "rustc", "--release", "--locked", "-v", "--bin", "tcpspec", "--target-dir", str(BASE / "cargo")]
    cargo += ["--config", 'profile.release.package.tcpspec-reference.opt-level=1', "--", "-Csave-temps", "--print=link-args"]
    built = sh(cargo, cwd=ROOT, env=os.environ | PROFILE, capture_output=True)
    running = re.findall(r"Running `(.*)`$", built.stderr, re.M)
    compile_ = next(c for c in running if "--crate-name tcpspec_reference " in c)
    compile_ = [w for w in shlex.split(compile_) if not w.startswith(("--error-format", "--json", "--diagnostic-width"))]
    while "=" in compile_[0]:
        compile_.pop(0)
    link = next(line for line in built.stdout.splitlines() if "libtcpspec_reference-" in line)
    link = [w for w in shlex.split(link)]
    while re.match(r"[A-Z_]+=|env$|-u$", link[0]) or link[0] in ("LC_ALL", "VSLANG"):
        link.pop(0)
    (BASE / "commands.json").write_text(json.dumps({"compile": compile_, "link": link}, indent=1))
    print(f"compile: {len(compile_)} words, link: {len(link)} words")


def population():
    """All mutants, in the order of cargo-mutants, and a copy of what they change."""
    files = [w for name in SCOPE for w in ("-f", f"reference/src/{name}")]
    listed = sh(["cargo", "mutants", "--list", "--json", "--diff", "--package", "tcpspec-reference", *files],
                cwd=ROOT, capture_output=True)
    shutil.rmtree(COPY, ignore_errors=True)
    for part in ["reference/src", "suites", "targets"]:
        shutil.copytree(ROOT / part, COPY / part, ignore=shutil.ignore_patterns("target"))
    return json.loads(listed.stdout)


class Bench:
    """A copy of the reference that is changed, compiled and linked."""

    def __init__(self, number, commands):
        self.home = BASE / f"bench-{number}"
        self.tree = self.home / "reference" / "src"
        self.commands = commands
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def restore(self):
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(REFERENCE, self.tree)

    def change(self, mutant):
        done = subprocess.run(["patch", "-s", "-p0", "--no-backup-if-mismatch", mutant["file"]], cwd=self.home,
                              input=mutant["diff"], text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"the source has changed since the list was made: {mutant['name']}\n{done.stdout}")

    def compile(self, out, emit, extra=()):
        command = list(self.commands["compile"])
        source = next(i for i, word in enumerate(command) if word.endswith("src/lib.rs"))
        command[source] = str(self.tree / "lib.rs")
        command = [w for w in command if not w.startswith("--emit")]
        at = command.index("--out-dir")
        command[at + 1] = str(out)
        done = subprocess.run([*command, f"--emit={emit}", "--cap-lints=allow",
                               f"--remap-path-prefix={self.home}=.", *extra], cwd=ROOT,
                              capture_output=True, text=True)
        return done.returncode == 0

    def binary(self):
        """The tool with this reference in it, or nothing if it does not compile."""
        out = self.home / "out"
        out.mkdir(exist_ok=True)
        if not self.compile(out, "link,metadata", [f"-Cincremental={self.home / 'incremental'}"]):
            return None
        link = list(self.commands["link"])
        at = next(i for i, word in enumerate(link) if "libtcpspec_reference-" in word)
        link[at] = str(out / pathlib.Path(link[at]).name)
        tool = self.home / "tcpspec"
        link[link.index("-o") + 1] = str(tool)
        sh(link, cwd=ROOT, capture_output=True)
        return tool

    def judge(self, tool):
        """What the corpus says: survived, caught (and by what), or no end to be seen."""
        for target in TARGETS:
            verdict = self.run(tool, target)
            if verdict[0] != "survived":
                break
        return verdict

    def run(self, tool, target):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))

        try:
            # A machine that others keep busy is no endless loop; the longer limit is for what only waits.
            ran = subprocess.run([str(tool), *RUN, *target, "--out", str(self.home / "run")], cwd=COPY, text=True,
                                 capture_output=True, timeout=20 * PATIENCE, preexec_fn=limit)
        except subprocess.TimeoutExpired:
            return "timeout", []
        if ran.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timeout", []
        if ran.returncode == 0:
            return "survived", []
        try:
            cases = json.loads(ran.stdout)["cases"]
        except (json.JSONDecodeError, KeyError):
            return "crashed", [f"exit {ran.returncode}", ran.stderr[-300:]]
        return "caught", [c["id"] for c in cases if c["outcome"] in ("fail", "warn", "error")][:3]

    def code(self, mutant):
        """A fingerprint of the optimised code with no seeded bug in it."""
        self.restore()
        if mutant:
            self.change(mutant)
        for path in self.tree.rglob("*.rs"):
            path.write_text(sober(path.read_text().replace(" /* ~ changed by cargo-mutants ~ */", "")))
        out = self.home / "asm"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        ok = self.compile(out, "asm", ["-Copt-level=3", "-Ccodegen-units=1", "-Cdebuginfo=0"])
        return fingerprint(next(out.glob("*.s")).read_text()) if ok else None


def sober(text):
    """The source without seeded bugs: every question whether one is on is answered by no."""
    text = text.replace("self.mutant == Some(mutant)", "{ let _ = mutant; false }")
    return re.sub(r"(?:\b\w+\.)*\bconfig\.mutant\b(?!\s*=[^=])", "None::<crate::mutant::Mutant>", text)


def fingerprint(assembly):
    """Of the instructions and the constants, but not of where in the source a panic would say it is."""
    blocks = re.split(r"(?m)^(?=\t\.type\t|\t\.section\t)", assembly)
    place = re.compile(r"\.L(?:anon|__unnamed)\S*:\n\t\.quad\t\.L\S+\n\t\.asciz\t")
    kept = [re.sub(r"\.L(?:anon|alloc|__unnamed)[\w.]*", ".Lconst", b) for b in blocks if not place.search(b)]
    return hashlib.sha256("".join(sorted(kept)).encode()).hexdigest()


def run(options):
    commands = json.loads((BASE / "commands.json").read_text())
    mutants = population()
    random.Random(options.seed).shuffle(mutants)
    if options.only:
        mutants = [m for m in mutants if any(word in m["name"] for word in options.only)]
    results = BASE / options.out
    known = {} if options.afresh or not results.exists() else {r["name"]: r for r in map(json.loads, results.open())}
    if options.afresh and results.exists():
        results.unlink()
    benches = [Bench(n, commands) for n in range(options.jobs)]
    judge_the_clean(benches[0])
    sane = benches[0].code(None)
    todo = iter(mutants if options.all or options.only else mutants)
    lock = threading.Lock()
    viable = collections.Counter()
    wanted = len(mutants) if options.all or options.only else options.count

    def next_mutant():
        with lock:
            return next(todo, None) if viable["n"] < wanted else None

    def work(bench):
        while (mutant := next_mutant()) is not None:
            row = known.get(mutant["name"])
            fresh = row is None
            if fresh:
                row = {"name": mutant["name"], "file": mutant["file"], **one(bench, mutant, sane)}
            with lock:
                viable["n"] += row["result"] not in ("unviable", "equivalent")
                if fresh:
                    with results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                if fresh and row["result"] != "caught":
                    print(f"{row['result']:10} {row['name']}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(work, bench) for bench in benches]:
            done.result()
    report(options)


def judge_the_clean(bench):
    bench.restore()
    tool = bench.binary()
    verdict = bench.judge(tool) if tool else ("does not compile", [])
    if verdict[0] != "survived":
        sys.exit(f"the unchanged reference: {verdict}")


def one(bench, mutant, sane):
    # What is changed beside a seeded bug mostly belongs to it, and compiling is cheaper than running everything.
    changed = [line for line in mutant["diff"].splitlines() if line.startswith("-") and "---" not in line]
    early = any("Mutant::" in line for line in changed)
    if early and bench.code(mutant) == sane:
        return {"result": "equivalent", "by": []}
    bench.restore()
    bench.change(mutant)
    tool = bench.binary()
    if tool is None:
        return {"result": "unviable", "by": []}
    result, by = bench.judge(tool)
    if result == "survived" and not early and bench.code(mutant) == sane:
        result = "equivalent"
    return {"result": result, "by": by}


def report(options):
    rows = [json.loads(line) for line in (BASE / options.out).open()]
    count = collections.Counter(row["result"] for row in rows)
    viable = sum(n for result, n in count.items() if result not in ("unviable", "equivalent"))
    noticed = viable - count["survived"]
    for row in rows:
        if row["result"] == "survived":
            print(row["name"])
    print(f"{viable} viable, {noticed} noticed ({100 * noticed / max(viable, 1):.1f} %): {dict(count)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    verbs.add_parser("setup").set_defaults(main=setup)
    for name, verb in [("run", run), ("report", report)]:
        sub = verbs.add_parser(name)
        sub.set_defaults(main=verb)
        sub.add_argument("--out", default="results.jsonl", help="file under target/mutation")
    sub = verbs.choices["run"]
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument("--count", type=int, default=200, help="how many viable ones")
    sub.add_argument("--all", action="store_true")
    sub.add_argument("--only", nargs="*", help="those whose name contains one of these")
    sub.add_argument("--afresh", action="store_true", help="forget earlier results")
    sub.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.main(options)


if __name__ == "__main__":
    main()
