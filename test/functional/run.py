#!/usr/bin/env python3
"""Runs the functional tests: run.py [-j JOBS] [-k WORD] [NAME…]

Each test method runs in a process of its own; JOBS at once. The output of one
that fails is shown whole, and why one was skipped. Ends with "N passed, N
failed".
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 600
running = set()  # each leads a process group: its daemons end with it


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
    def wanted(i):
        if i.startswith("unittest.loader."):
            return True  # a module that cannot be imported fails, whatever was asked for of it
        return (not word or word in i) and (not names or any(i.startswith(n) or n in i.split(".")[0] for n in names))
    return [i for i in flatten(suite) if wanted(i)]


def run(test):
    """What became of it ("ok", "skip", "FAIL"), its output and its time."""
    started = time.monotonic()
    p = subprocess.Popen([sys.executable, "-m", "unittest", "-v", test], env=dict(os.environ, PYTHONPATH=HERE),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         start_new_session=True)
    running.add(p)
    late = ""
    try:
        output, _ = p.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        output, _ = p.communicate()
        late = f"\nnot done after {LIMIT_S} s"
    running.discard(p)
    output = output.decode(errors="replace") + late
    state = "FAIL" if late or p.returncode else "skip" if re.search(r"^OK \(skipped=", output, re.M) else "ok"
    return test, state, output, time.monotonic() - started


def give_up(pool):
    pool.shutdown(wait=False, cancel_futures=True)
    for p in list(running):
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended just now
    os._exit(130)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-j", type=int, default=os.cpu_count() or 2, help="tests at once")
    p.add_argument("-k", default="", help="only tests whose name contains this")
    p.add_argument("names", nargs="*", help="modules (test_rpc or rpc) or test ids")
    a = p.parse_args()
    tests = find(a.names, a.k)
    count = {"ok": 0, "skip": 0, "FAIL": 0}
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: give_up(pool))
        for test, state, output, seconds in pool.map(run, tests):
            count[state] += 1
            print(f"{state:4} {test} ({seconds:.1f} s)", flush=True)
            if state == "FAIL":
                print("    " + output.replace("\n", "\n    "), flush=True)
            for reason in re.findall(r"skipped ['\"](.*)['\"]$", output, re.M):
                print("    skipped: " + reason, flush=True)
    print(f"{count['ok']} passed, {count['FAIL']} failed")
    return 1 if count["FAIL"] or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
