#!/usr/bin/env python3
"""Shows the whole of CloudCoin at work on one machine, on a private chain (regtest).

A miner, a renter and five hosts, each with a node of its own. Files are stored
k-of-5 over the hosts; challenges are called and answered on chain, rent is
paid, data sealed, a draw won and coins minted; two hosts are killed and the
files fetched back and compared. Called by ./quickstart, which builds first.
"""
import argparse
import decimal
import http.client
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time

from network import Network, Failed, RpcError, wait_until

HOSTS = 5
KILLED = 2
STOPS = (signal.SIGINT, signal.SIGTERM)
STAY_PAUSE = 10  # seconds between blocks once all is shown: else the contracts would end in minutes
SAMPLE = 6 * 1024 * 1024 + 12345


class Printer:
    """Plain words on standard output, one line a thing, with the time it took so far."""

    def __init__(self):
        self.start, self.lock = time.monotonic(), threading.Lock()

    def __call__(self, text=""):
        with self.lock:
            print(f"{time.monotonic() - self.start:6.1f}s  {text}" if text else "", flush=True)

    def head(self, text):
        self()
        self("== " + text)


def coins(value):
    """12.50000000 as 12.5 CLC."""
    text = f"{decimal.Decimal(value):.8f}".rstrip("0").rstrip(".")
    return f"{text} CLC"


def make_sample(path):
    with open(path, "wb") as f:
        f.write(os.urandom(SAMPLE))


def same(a, b):
    with open(a, "rb") as x, open(b, "rb") as y:
        while True:
            p, q = x.read(1 << 20), y.read(1 << 20)
            if p != q:
                return False
            if not p:
                return True


class Demo:
    def __init__(self, options, say):
        self.o, self.say = options, say
        self.folder = options.folder or tempfile.mkdtemp(prefix="cloudcoin-demo-")
        os.makedirs(self.folder, exist_ok=True)
        self.net = Network(options.bin, os.path.abspath(self.folder), HOSTS, say)
        self.seen_until, self.next_progress = {}, time.monotonic() + 10
        self.kinds = {h.name: set() for h in self.net.hosts}  # what happened at each host
        self.telling = threading.Lock()  # held while hosts are told of, and by who wants to speak alone

    # ------------------------------------------------------------------ steps
    def run(self):
        say = self.say
        files = self.files()
        say(f"everything is kept in {self.folder}")
        say.head(f"Starting a private network: a miner, a renter and {HOSTS} hosts, a node each")
        self.net.start()
        say.head("Mining the first coins and handing them out")
        self.fund()
        say.head("Hosts register their identities on the chain")
        self.identities()
        self.watch()
        say.head(f"Storing {len(files)} file{'s' * (len(files) > 1)}, {self.o.k} of {HOSTS} shards needed")
        self.net.keep_mining()
        self.names = [name for _, name in files]
        for path, name in files:
            self.put(path, name)
        self.contracts()
        say.head("Hosts answer challenges, earn rent, seal data and win newly minted coins")
        self.earn()
        say.head(f"Killing {KILLED} of {HOSTS} hosts, then fetching the files back")
        self.kill_hosts()
        for path, name in files:
            self.get(path, name)
        with self.telling:
            say.head("Who has what now")
            self.balances()

    def files(self):
        paths = self.o.files
        if not paths:
            paths = [os.path.join(self.folder, "sample.bin")]
            make_sample(paths[0])
        names, out = set(), []
        for path in paths:
            name = os.path.basename(path)
            while name in names:
                name = "copy of " + name
            names.add(name)
            out.append((path, name))
        return out

    def fund(self):
        net = self.net
        for who in net.all:
            who.rpc.createwallet(who.name)
        net.miner_address = net.miner.wallet.getnewaddress()
        net.mine(110)
        self.say(f"110 blocks mined; the miner has {coins(net.miner.wallet.getbalance())} that can be spent")
        for who in net.hosts + [net.renter]:
            txid = net.miner.wallet.sendtoaddress(who.wallet.getnewaddress(), 20)
            self.say(f"{who.name} gets 20 CLC in {txid}")
        net.mine(1)
        net.sync()

    def identities(self):
        net = self.net

        def done():
            net.mine(1)
            return len(net.renter.rpc.listidentities("host")) >= HOSTS
        wait_until(done, 60, "all hosts are registered", pause=0.5)
        for i in net.renter.rpc.listidentities("host"):
            self.say(f"host {i['name'] or i['key'][:16]} at {', '.join(i['endpoints'])}: bond {coins(i['bond'])} in {i['txid']}")

    def put(self, path, name):
        size = os.path.getsize(path)
        self.say(f"storing {name} ({size:,} bytes)")
        self.net.gateway("put", path, name, "-k=%d" % self.o.k, "-n=%d" % HOSTS,
                         "-odds=1")  # each period is called, so that each host is seen to prove

    def contracts(self):
        net = self.net
        wait_until(lambda: net.renter.rpc.listcontracts(), 60, "contracts are on the chain")
        for c in net.renter.rpc.listcontracts():
            self.say(f"contract {c['id'][:16]} with {net.name_of(c['host'])}: {c['periods']} periods of {c['period']} "
                     f"blocks, rent {coins(c['rent'])} a period, collateral {coins(c['penalty'])}; {coins(c['value'])} "
                     f"locked in {c['txid']}")

    def events(self):
        """Print what hosts did since the last call; remember the kinds."""
        for h in self.net.hosts:
            since = self.seen_until.get(h.name, 0)
            if not h.running():
                continue
            for e in h.rpc.hostevents(since):
                self.seen_until[h.name] = e["id"]
                self.kinds[h.name].add(e["event"])
                money = f", {coins(e['amount'])}" if "amount" in e else ""
                txid = f" in {e['txid']}" if "txid" in e else ""
                self.say(f"{h.name}: {e['text']}{money}{txid}")

    def watch(self):
        """Tell what the hosts do while it happens."""
        def loop():
            while not self.net.stopping.wait(0.5):
                try:
                    with self.telling:
                        self.events()
                        self.progress()
                except (RpcError, OSError, http.client.HTTPException):
                    pass  # a host that was killed meanwhile
        threading.Thread(target=loop, daemon=True).start()

    def progress(self):
        """What takes its time, every ten seconds: sealing."""
        if time.monotonic() < self.next_progress:
            return
        self.next_progress = time.monotonic() + 10
        seals = {h.name: h.rpc.hostseal() for h in self.net.hosts if h.running()}
        if any(seal["state"] == "sealing" for seal in seals.values()):
            self.say("sealing: " + ", ".join(f"{name} {100 * seal.get('progress', 0):.0f}%" for name, seal in seals.items()
                                               if "progress" in seal))

    def earn(self):
        each = {"proof": "a proof on the chain", "rent": "rent paid"}
        some = {"seal": "data sealed", "mint": "coins minted"}

        def missing():
            out = [f"{text} ({name})" for name, kinds in self.kinds.items()
                   for kind, text in each.items() if kind not in kinds]
            return out + [text for kind, text in some.items() if not any(kind in k for k in self.kinds.values())]
        try:
            wait_until(lambda: not missing(), 150, "")
        except Failed:
            raise Failed("did not happen in time: " + ", ".join(missing())) from None

    def kill_hosts(self):
        for h in self.net.hosts[:KILLED]:
            h.kill()
            self.say(f"{h.name} is dead (kill -9), what it keeps out of reach")

    def get(self, path, name):
        back = os.path.join(self.folder, "fetched", name)
        os.makedirs(os.path.dirname(back), exist_ok=True)
        self.net.gateway("get", name, back)
        if not same(path, back):
            raise Failed(f"{name} came back changed: compare {path} and {back}")
        self.say(f"{name} came back, byte for byte the same")

    def balances(self):
        for who in self.net.all:
            if not who.running():
                self.say(f"{who.name:8} (killed)")
                continue
            b = who.wallet.getbalances()["mine"]
            self.say(f"{who.name:8} {coins(b['trusted']):>22}   not yet mature: {coins(b['immature'])}")

    def stay(self):
        self.net.block_pause = STAY_PAUSE
        last = max(c["start"] + c["period"] * c["periods"] for c in self.net.renter.rpc.listcontracts())
        self.say(f"from here on a block every {STAY_PAUSE} s; the contracts, and with them the files, "
                 f"run until block {last} ({self.net.miner.rpc.getblockcount()} now)")
        self.say.head("All of it held. The network stays up until Ctrl-C. Try in another terminal:")
        for line in self.net.hints(self.names[0], HOSTS - KILLED):
            print("    " + line)
        print(flush=True)
        while True:
            time.sleep(1)


def main():
    p = argparse.ArgumentParser(prog="quickstart run", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    p.add_argument("--once", action="store_true", help="end after the files came back")
    p.add_argument("-k", type=int, default=3, help="shards of five that restore a file (1 to 3; default 3)")
    p.add_argument("--folder", help="keep everything below this folder")
    p.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("files", nargs="*", metavar="FILE")
    o = p.parse_intermixed_args()
    if not 1 <= o.k <= HOSTS - KILLED:
        p.error(f"-k must be 1 to {HOSTS - KILLED}, as {KILLED} of {HOSTS} hosts will be killed")
    for path in o.files:
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                p.error(f"{path}: not a file")
            with open(path, "rb"):
                pass
        except OSError as e:
            p.error(f"{path}: {e.strerror}")
    if o.folder and os.path.exists(o.folder) and (not os.path.isdir(o.folder) or os.listdir(o.folder)):
        p.error(f"--folder {o.folder}: not an empty folder")
    if o.check:
        return 0

    def stop(signum, frame):
        for s in STOPS:
            signal.signal(s, signal.SIG_IGN)  # once is enough: what follows is clearing up
        raise KeyboardInterrupt
    for s in STOPS:
        signal.signal(s, stop)  # also where a shell had it ignored, as in "quickstart run &"
    say, demo, status = Printer(), None, 1
    try:
        demo = Demo(o, say)
        demo.run()
        status = 0
        if not o.once:
            demo.stay()
    except KeyboardInterrupt:
        say("stopping")
        status = status or (0 if not o.once else 130)
    except (Failed, RpcError, OSError) as e:
        say(f"FAILED: {e}")
    finally:
        for s in STOPS:
            signal.signal(s, signal.SIG_IGN)
        if demo:
            demo.net.stop()
            if status == 0 and o.once and not o.folder:
                shutil.rmtree(demo.folder, ignore_errors=True)
            elif status:
                say(f"logs and data are kept in {demo.folder}")
    if status == 0 and o.once:
        say("PASSED: everything held")
    return status


if __name__ == "__main__":
    sys.exit(main())
