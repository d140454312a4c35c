#!/usr/bin/env python3
"""Whole nodes on a long chain: how fast, with how much memory, how quick to answer.

    bench/make_chain FOLDER && bench/node.py FOLDER [--json] [--only WORD,...]

What is run, each by fresh daemons in a folder that is removed:

    sync      initial download from one local peer, nobody asking anything
    latency   the same while RPC is asked all the time: time of each answer
    reindex   -reindex, -reindex-chainstate
    block     getblock, verbosity 2, of the largest block
    template  the transactions of mempool.txt into the pool, then getblocktemplate

Of each the wall clock, processor time, peak memory. limit_s is what libsecp256k1 alone would take to check the
chain's signatures on as many threads as the node has (bench/bench measures it here and now); of_limit is limit_s
divided by the time it took. Programs are found as in functional tests: CC_BIN, or run it in the build folder.
"""
import argparse
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "test", "functional"))
import framework  # noqa: E402

PATIENCE_S = 1800
TICKS = os.sysconf("SC_CLK_TCK")
# No peer but the one given, no wallet, and times of the chain are not too old for what is asked of it.
QUIET = ["-listen=1", "-connect=0", "-disablewallet", "-maxtipage=1000000000"]
ASKED = [("getblockchaininfo", []), ("getblockcount", []), ("getmempoolinfo", []), ("getpeerinfo", []),
         ("getbestblockhash", []), ("getblockheader", ["genesis"]), ("gettxout", ["first", 0]), ("getchaintips", [])]


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def threads_s(pid):
    """Of each thread: seconds it ran, and seconds it would have if a core had been free."""
    out = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/comm") as f:
                name = f.read().strip()
            with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
                ran, waited = (int(n) / 1e9 for n in f.read().split()[:2])
        except FileNotFoundError:
            continue
        if ran + waited > 0.2:
            out[f"{name}/{tid}"] = [round(ran, 2), round(waited, 2)]
    return out


class Asker:
    """One connection that is kept, as a monitoring program has."""

    def __init__(self, node):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.rpc_port, timeout=PATIENCE_S)
        self.auth = "Basic " + base64.b64encode(node._cookie().encode()).decode()

    def text(self, method, params):
        body = json.dumps({"id": 1, "method": method, "params": params})
        self.connection.request("POST", "/", body, {"Authorization": self.auth, "Content-Type": "application/json"})
        return self.connection.getresponse().read()

    def ask(self, method, params=()):
        answer = json.loads(self.text(method, list(params)))
        if answer["error"]:
            raise framework.RpcError(answer["error"])
        return answer["result"]


class Prober(threading.Thread):
    """Asks one thing after the other, and notes how long each took."""

    def __init__(self, node, genesis, coinbase):
        super().__init__(daemon=True)
        self.asker, self.taken, self.done = Asker(node), [], threading.Event()
        names = {"genesis": genesis, "first": coinbase}
        self.what = [(m, [names.get(p, p) for p in params]) for m, params in ASKED]

    def run(self):
        while not self.done.is_set():
            for method, params in self.what:
                start = time.monotonic()
                self.asker.text(method, params)
                self.taken.append((time.monotonic() - start, method))
                self.done.wait(0.002)

    def result(self):
        self.done.set()
        self.join()
        ms = sorted(1000 * t for t, _ in self.taken)
        worst = max(self.taken)
        return {"answers": len(ms), "median_ms": round(ms[len(ms) // 2], 3),
                "p99_ms": round(ms[len(ms) * 99 // 100], 3), "max_ms": round(ms[-1], 3), "max_of": worst[1],
                "over_50_ms": sum(t > 50 for t in ms)}


def median_ms(function, times):
    taken = []
    for _ in range(times):
        start = time.monotonic()
        function()
        taken.append(1000 * (time.monotonic() - start))
    return {"median_ms": round(sorted(taken)[times // 2], 3), "max_ms": round(max(taken), 3), "times": times}


class Bench:
    def __init__(self, folder, options):
        self.options, self.source_dir = options, os.path.abspath(folder)
        with open(os.path.join(folder, "chain.json")) as f:
            self.made = json.load(f)
        self.work = tempfile.mkdtemp(prefix="cloudcoin-bench-", dir=options.work)
        self.nodes = []

    def node(self, name, *args):
        n = framework.Node(os.path.join(self.work, name), self.made["chain"],
                           [*QUIET, f"-dbcache={self.options.dbcache}", f"-par={self.options.par}", *args])
        self.nodes.append(n)
        return n

    def source(self):
        """The node that has the chain, on a copy of its folder."""
        n = self.node("source")
        if not os.path.isdir(n.chain_dir):
            shutil.copytree(os.path.join(self.source_dir, "regtest"), n.chain_dir)
        return n.start()

    def figures(self, node, seconds, cpu):
        made = self.made
        out = {"seconds": round(seconds, 2), "cpu_s": round(cpu, 2), "blocks_per_s": round(made["blocks"] / seconds, 1),
               "tx_per_s": round(made["transactions"] / seconds), "peak_mib": round(peak_mib(node.process.pid))}
        if self.options.threads_shown:
            out["threads_ran_waited_s"] = threads_s(node.process.pid)
        if self.limit:
            out.update(limit_s=round(self.limit, 2), of_limit=round(self.limit / seconds, 3),
                       signatures_of_cpu=round(self.limit * self.options.threads / cpu, 3))
        return out

    def wait_tip(self, node, timeout=PATIENCE_S):
        asker = Asker(node)
        deadline = time.monotonic() + timeout
        while asker.ask("getblockcount") < self.made["blocks"]:
            if time.monotonic() > deadline or not node.running():
                raise AssertionError(f"no tip: {node.stderr()}")
            time.sleep(0.05)
        if asker.ask("getbestblockhash") != self.made["tip"]:
            raise AssertionError("another tip than was made")

    def find_limit(self):
        """Seconds of libsecp256k1 alone, on all threads."""
        try:
            text = subprocess.run([framework.program("bench/bench"), "-json", "-rounds=9", "-filter=verify_"],
                                  stdout=subprocess.PIPE, check=True).stdout
        except FileNotFoundError:
            return 0
        ns = {b["name"]: b["reference_ns_per_item"] for b in json.loads(text)["benchmarks"]}
        n = self.made["inputs"]
        ecdsa, key, leaf = ns["verify_p2wpkh"], ns["verify_p2tr_key"], ns["verify_p2tr_script"]
        single = n["p2pkh"] + n["p2wpkh"]
        # Two of three: the keys are tried from the last, so one time in three one more is tried.
        multi = (n["p2sh_multisig"] + n["p2wsh_multisig"]) * 8 / 3
        self.signatures = round(single + multi) + n["p2tr"] + n["p2tr_script"]
        return ((single + multi) * ecdsa + n["p2tr"] * key + n["p2tr_script"] * leaf) / 1e9 / self.options.threads

    # --- Runs

    def sync(self, probe=False):
        source, fresh = self.source(), self.node("probed" if probe else "fresh")
        fresh.start()
        prober = None
        if probe:
            genesis = source.rpc.getblockhash(0)
            coinbase = source.rpc.getblock(source.rpc.getblockhash(1))["tx"][0]
            prober = Prober(fresh, genesis, coinbase)
        start, cpu = time.monotonic(), cpu_s(fresh.process.pid)
        fresh.rpc.addnode(source.address, "onetry")
        if prober:
            prober.start()
        self.wait_tip(fresh)
        out = self.figures(fresh, time.monotonic() - start, cpu_s(fresh.process.pid) - cpu)
        if prober:
            out["rpc"] = prober.result()
        source.stop()
        start = time.monotonic()
        fresh.stop()
        out["stop_s"] = round(time.monotonic() - start, 2)
        return out

    def rebuild(self, option):
        n = self.node("rebuilt")
        if not os.path.isdir(n.chain_dir):
            shutil.copytree(os.path.join(self.source_dir, "regtest"), n.chain_dir)
        start = time.monotonic()
        n.start(option)
        self.wait_tip(n)
        out = self.figures(n, time.monotonic() - start, cpu_s(n.process.pid))
        n.stop()
        return out

    def block(self):
        n = self.source()
        asker = Asker(n)
        heights = range(self.made["blocks"] - 3, self.made["blocks"] + 1)
        largest = max((asker.ask("getblock", [asker.ask("getblockhash", [h])]) for h in heights),
                      key=lambda b: b["nTx"])
        out = {"transactions": largest["nTx"], "bytes": largest["size"], "weight": largest["weight"]}
        for verbosity in (0, 1, 2, 3):
            out[f"verbosity_{verbosity}"] = median_ms(lambda: asker.text("getblock", [largest["hash"], verbosity]), 11)
        n.stop()
        return out

    def template(self):
        n = self.source()
        asker, cpu = Asker(n), cpu_s(n.process.pid)
        with open(os.path.join(self.source_dir, "mempool.txt")) as f:
            txs = f.read().split()
        last = txs.pop()
        start = time.monotonic()
        for tx in txs:
            asker.ask("sendrawtransaction", [tx, 0])
        seconds, cpu = time.monotonic() - start, cpu_s(n.process.pid) - cpu
        rules = [{"rules": ["segwit"]}]
        begin = time.monotonic()
        first = asker.ask("getblocktemplate", rules)
        taken = 1000 * (time.monotonic() - begin)
        asker.ask("sendrawtransaction", [last, 0])
        out = {"pool": asker.ask("getmempoolinfo")["size"], "accepted_per_s": round(len(txs) / seconds),
               "accept_cpu_us": round(1e6 * cpu / len(txs)), "transactions": len(first["transactions"]),
               "first_ms": round(taken, 3), "again": median_ms(lambda: asker.text("getblocktemplate", rules), 11)}
        n.stop()
        return out

    def run(self):
        runs = {"sync": self.sync, "latency": lambda: self.sync(True), "reindex": lambda: self.rebuild("-reindex"),
                "reindex_chainstate": lambda: self.rebuild("-reindex-chainstate"), "block": self.block,
                "template": self.template}
        only = self.options.only
        self.signatures = 0
        self.limit = self.find_limit()
        out = {"chain": self.made, "dbcache_mib": self.options.dbcache, "par": self.options.par,
               "signatures": self.signatures, "signatures_limit_s": round(self.limit, 2)}
        for name, run in runs.items():
            if only and not any(word in name for word in only):
                continue
            out[name] = run()
            if not self.options.json:
                print(name, json.dumps(out[name]), flush=True)
        return out

    def clean(self):
        for n in self.nodes:
            n.kill()
        shutil.rmtree(self.work, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", help="made by bench/make_chain")
    p.add_argument("--json", action="store_true", help="all figures at the end as JSON")
    p.add_argument("--only", type=lambda s: s.split(","), default=[], help="runs whose name holds one of these words")
    p.add_argument("--dbcache", type=int, default=450, help="MiB (default: %(default)s)")
    p.add_argument("--par", type=int, default=0, help="as the daemon's (default: all cores)")
    p.add_argument("--threads", dest="threads_shown", action="store_true", help="say what each thread did")
    p.add_argument("--work", help="folder for the nodes' data (default: the system's for temporary files)")
    options = p.parse_args()
    options.threads = options.par if options.par > 0 else max(1, len(os.sched_getaffinity(0)) + options.par)
    bench = Bench(options.folder, options)
    try:
        out = bench.run()
    finally:
        bench.clean()
    if options.json:
        print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
