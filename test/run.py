#!/usr/bin/env python3
"""All tests: unit tests, vectors, fuzz corpora (make check), then functional tests.

Sums the cases of every runner and ends with "N passed, N failed". What was
skipped is named with its reason.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def unit(build, jobs):
    """make check; passed, failed. cmocka programs count their cases, others count as one."""
    for old in glob.glob(build + "/**/*.trs", recursive=True):
        os.remove(old)
    env = dict(os.environ, CC_BIN=build)
    r = subprocess.run(["make", "-C", build, "-k", f"-j{jobs}", "check"], env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    passed = failed = 0
    results = sorted(glob.glob(build + "/**/*.trs", recursive=True))
    for trs in results:
        name = os.path.relpath(trs[:-4], build)
        result = re.search(r":test-result: (\w+)", read(trs)).group(1)
        log = read(trs[:-4] + ".log")
        cases = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", log)))
        broken = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", log)))
        if result in ("PASS", "SKIP"):
            passed += max(cases, result == "PASS")
            print(f"{'ok  ' if result == 'PASS' else 'skip'} {name} ({max(cases, 1)})")
        else:
            passed, failed = passed + cases, failed + max(broken, 1)
            print(f"FAIL {name}\n    " + log[-8000:].replace("\n", "\n    "))
        for line in re.findall(r"^.*(?:cases ran|steps compared|inputs replayed|not found; set|SKIPPED  \] \w|kills).*$", log, re.M):
            print("    " + line)
        sys.stdout.flush()
    if not results or (r.returncode and not failed):
        print(r.stdout.decode(errors="replace")[-8000:])
        failed += 1
    return passed, failed


def functional(build, jobs):
    r = subprocess.Popen([sys.executable, os.path.join(TOP, "test/functional/run.py"), f"-j{jobs}"],
                         env=dict(os.environ, CC_BIN=build), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    last = ""
    for line in r.stdout:
        last = line.decode(errors="replace").rstrip("\n")
        if not re.fullmatch(r"\d+ passed, \d+ failed", last):
            print(last, flush=True)
    r.wait()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    if not counts:
        return 0, 1
    passed, failed = map(int, counts.groups())
    return passed, failed or int(r.returncode != 0)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True, help="build folder")
    p.add_argument("-j", type=int, default=os.cpu_count() or 2)
    p.add_argument("--only", choices=["unit", "functional"])
    a = p.parse_args()
    passed = failed = 0
    for name, runner in (("unit", unit), ("functional", functional)):
        if a.only in (None, name):
            p_, f_ = runner(os.path.abspath(a.build), a.j)
            passed, failed = passed + p_, failed + f_
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
