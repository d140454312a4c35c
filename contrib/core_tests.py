#!/usr/bin/env python3
"""Bitcoin Core 27's functional tests against cloudcoind -bitcoin: core_tests.py [-j JOBS] CORE BUILD [TEST…]

CORE is a source tree of Bitcoin Core 27 (its test/functional is all that is used), BUILD the folder with cloudcoind and
cloudcoin-cli. Without TEST all scripts run that Core's own test_runner.py lists; those of the wallet skip themselves,
as with a Core built without one. Each that fails says its last lines. What cannot pass yet stands in LATER below with
the reason, is run when named, and is not counted otherwise. Ends with "N passed, N failed".
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

LIMIT_S = 1800
SKIPPED = 77
LATER = {
    "feature_assumeutxo": "loadtxoutset is still to come",
    "feature_blocksdir": "its last line looks for blocks/index; our index is in the database of the chain state",
    "feature_fee_estimation": "fee estimation is still to come",
    "feature_init": "damages LevelDB's files by their names; ours are RocksDB's",
    "feature_signet": "there is no signet",
    "p2p_dos_header_tree": "runs on Bitcoin's testnet; -bitcoin is for regtest",
    "p2p_v2_earlykeyresponse": "BIP 324 is still to come",
    "p2p_v2_encrypted": "BIP 324 is still to come",
    "p2p_v2_transport": "BIP 324 is still to come",
    "--v2transport": "BIP 324 is still to come",
    "rpc_estimatefee": "fee estimation is still to come",
    "rpc_validateaddress": "runs on Bitcoin's main chain; -bitcoin is for regtest",
}

CONFIG = """[environment]
PACKAGE_NAME=Bitcoin Core
PACKAGE_BUGREPORT=https://github.com/bitcoin/bitcoin/issues
SRCDIR={core}
BUILDDIR={build}
EXEEXT=
RPCAUTH={core}/share/rpcauth/rpcauth.py

[components]
ENABLE_WALLET=false
USE_SQLITE=false
USE_BDB=false
ENABLE_CLI=true
ENABLE_BITCOIN_UTIL=false
ENABLE_WALLET_TOOL=false
ENABLE_BITCOIND=true
ENABLE_FUZZ_BINARY=false
ENABLE_ZMQ=false
ENABLE_EXTERNAL_SIGNER=false
ENABLE_USDT_TRACEPOINTS=false
"""


def scripts(core):
    """What Core's runner would run: [(file, arguments)]."""
    with open(os.path.join(core, "test", "functional", "test_runner.py")) as f:
        return [(m.group(1), m.group(2).split())
                for m in re.finditer(r"^ {4}'(\w+\.py)([^']*)',", f.read(), re.M)]


def prepare(folder, core, build):
    """Programs under Core's names, where a build of Core has them."""
    os.makedirs(os.path.join(folder, "src"))
    os.makedirs(os.path.join(folder, "test"))
    for theirs, ours in ("bitcoind", "cloudcoind"), ("bitcoin-cli", "cloudcoin-cli"):
        path = os.path.join(folder, "src", theirs)
        with open(path, "w") as f:
            f.write(f'#!/bin/sh\nexec {os.path.join(build, ours)} -bitcoin "$@"\n')
        os.chmod(path, 0o755)
    config = os.path.join(folder, "test", "config.ini")
    with open(config, "w") as f:
        f.write(CONFIG.format(core=core, build=folder))
    return config


def run(folder, config, core, number, script, args):
    """(exit status, seconds, output)."""
    place = os.path.join(folder, f"run{number}")
    env = dict(os.environ, BITCOIND=os.path.join(folder, "src", "bitcoind"),
               BITCOINCLI=os.path.join(folder, "src", "bitcoin-cli"))
    command = [sys.executable, os.path.join(core, "test", "functional", script), *args, f"--configfile={config}",
               f"--cachedir={folder}/cache{number}", f"--tmpdir={place}", f"--portseed={os.getpid() % 500 + number}"]
    start = time.monotonic()
    try:
        r = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=LIMIT_S)
        status, out = r.returncode, r.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as e:
        status, out = 1, (e.stdout or b"").decode(errors="replace") + f"\nnot done after {LIMIT_S} s"
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(f"{folder}/cache{number}", ignore_errors=True)
    return status, time.monotonic() - start, out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-j", type=int, default=os.cpu_count() or 2, help="tests at once")
    p.add_argument("core")
    p.add_argument("build")
    p.add_argument("test", nargs="*", help="names as of the scripts, without .py")
    a = p.parse_args()
    core, build = os.path.abspath(a.core), os.path.abspath(a.build)
    wanted = [(t if t.endswith(".py") else t + ".py", []) for t in a.test] or scripts(core)
    count = {"passed": 0, "failed": 0, "skipped": 0, "later": 0}
    lock = threading.Lock()

    def one(number, script, args):
        name = " ".join([script[:-3], *args])
        why = LATER.get(script[:-3]) or next((LATER[x] for x in args if x in LATER), None)
        if why and not a.test:
            with lock:
                count["later"] += 1
                print(f"later {name}: {why}", flush=True)
            return
        status, seconds, out = run(folder, config, core, number, script, args)
        word = {0: "passed", SKIPPED: "skipped"}.get(status, "failed")
        with lock:
            count[word] += 1
            print(f"{word:7} {name} ({seconds:.0f} s)", flush=True)
            if word == "failed":
                print("    " + out[-3000:].replace("\n", "\n    "), flush=True)

    with tempfile.TemporaryDirectory(prefix="core-tests-") as folder:
        config = prepare(folder, core, build)
        with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
            for f in [pool.submit(one, n, *w) for n, w in enumerate(wanted)]:
                f.result()
    print(f"{count['skipped']} skipped, {count['later']} for later")
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
