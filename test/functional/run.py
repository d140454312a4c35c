#!/usr/bin/env python3
"""Runs the functional tests: run.py [-j JOBS] [-k WORD] [NAME…]

Each test method runs in a process of its own; JOBS at once. The output of one
that fails is shown whole. Ends with "N passed, N failed".
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 600


def find(names, word):
    sys.path.insert(0, HERE)
    suite = unittest.TestSuite()
    loader = unittest.TestLoader()
    modules = sorted(f[:-3] for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py"))
    for module in modules:
        if not names or any(n in (module, module[5:]) or n.startswith(module + ".") for n in names):
            suite.addTests(loader.loadTestsFromName(module))

    def flatten(s):
        for t in s:
            if isinstance(t, unittest.TestSuite):
                yield from flatten(t)
            else:
                yield t.id()
    ids = [i for i in flatten(suite) if not word or word in i]
    return [i for i in ids if not names or any(i.startswith(n) or n in i.split(".")[0] for n in names)]


def run(test):
    started = time.monotonic()
    try:
        r = subprocess.run([sys.executable, "-m", "unittest", test], env=dict(os.environ, PYTHONPATH=HERE),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        ok, output = r.returncode == 0, r.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as e:
        ok, output = False, (e.stdout or b"").decode(errors="replace") + f"\nnot done after {LIMIT_S} s"
    return test, ok, output, time.monotonic() - started


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-j", type=int, default=os.cpu_count() or 2, help="tests at once")
    p.add_argument("-k", default="", help="only tests whose name contains this")
    p.add_argument("names", nargs="*", help="modules (test_rpc or rpc) or test ids")
    a = p.parse_args()
    tests = find(a.names, a.k)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        for test, ok, output, seconds in pool.map(run, tests):
            print(f"{'ok  ' if ok else 'FAIL'} {test} ({seconds:.1f} s)", flush=True)
            if not ok:
                failed += 1
                print("    " + output.replace("\n", "\n    "), flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
