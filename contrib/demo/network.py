"""The demo's private network: nodes, host extensions and the renter's gateway as processes.

Every process is a child of this one and in its process group; stop() ends them
all, and PR_SET_PDEATHSIG ends them if this process dies without a word.
"""
import base64
import ctypes
import http.client
import itertools
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from decimal import Decimal


class Failed(Exception):
    """Something that should have held did not; the text is for the user."""


class RpcError(Exception):
    pass


def wait_until(condition, timeout, what, pause=0.1):
    deadline = time.monotonic() + timeout
    last = ""
    while True:
        try:
            if condition():
                return
        except (RpcError, OSError, http.client.HTTPException) as e:
            last = f" ({e})"
        if time.monotonic() > deadline:
            raise Failed(f"not within {timeout} s: {what}{last}")
        time.sleep(pause)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def die_with_parent():
    """In the child: a SIGTERM when the demo is gone, whatever ended it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    os.setpgid(0, 0)


class Rpc:
    def __init__(self, port, cookie, path="/"):
        self._port, self._cookie, self._path, self._ids = port, cookie, path, itertools.count()

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._call(method, args)

    def _call(self, method, args):
        with open(self._cookie) as f:
            auth = base64.b64encode(f.read().strip().encode()).decode()
        body = json.dumps({"jsonrpc": "1.0", "id": next(self._ids), "method": method, "params": args})
        c = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            c.request("POST", self._path, body, {"Authorization": "Basic " + auth, "Content-Type": "application/json"})
            answer = c.getresponse().read()
        finally:
            c.close()
        try:
            answer = json.loads(answer, parse_float=Decimal)
        except ValueError:
            raise RpcError(f"{method}: {answer[:200]!r}") from None
        if answer.get("error"):
            raise RpcError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]


class Node:
    """A cloudcoind, with a wallet of its name and, for a host, an extension."""

    def __init__(self, net, name):
        self.net, self.name = net, name
        self.folder = os.path.join(net.folder, name)
        self.port, self.rpc_port, self.host_port = free_ports(3)
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        cookie = os.path.join(self.folder, "regtest", ".cookie")
        self.rpc = Rpc(self.rpc_port, cookie)
        self.wallet = Rpc(self.rpc_port, cookie, "/wallet/" + name)
        self.extension = None

    def options(self):
        return [f"-datadir={self.folder}", "-regtest", f"-rpcport={self.rpc_port}"]

    def start(self, *extra):
        log = open(os.path.join(self.folder, "stderr.txt"), "ab")
        args = [self.net.program("cloudcoind"), *self.options(), f"-port={self.port}", f"-bind=127.0.0.1:{self.port}",
                "-printtoconsole=0", "-dbcache=16", "-par=1", "-whitelist=noban@127.0.0.1", *extra]
        if self.extension:
            args.append("-extension=" + self.extension)
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        preexec_fn=die_with_parent)
        log.close()

    def ready(self):
        def up():
            if self.process.poll() is not None:
                with open(os.path.join(self.folder, "stderr.txt"), errors="replace") as f:
                    raise Failed(f"{self.name}: cloudcoind ended: {f.read().strip()}")
            return self.rpc.getblockcount() >= 0
        wait_until(up, 60, f"{self.name} answers")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """The node and its extension at once, no goodbye."""
        if self.running():
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()


class Host(Node):
    """A node with the host's program as its extension; it waits until its wallet has money."""

    def __init__(self, net, name, sealed_sectors):
        super().__init__(net, name)
        self.extension = shlex.join([
            net.program("cloudcoin-host"), f"-datadir={os.path.join(self.folder, 'host')}", f"-name={name}",
            f"-listen=127.0.0.1:{self.host_port}", f"-wallet={name}", f"-sealsectors={sealed_sectors}", "-sealwait=40"])


class Network:
    def __init__(self, bin_folder, folder, hosts, say):
        self.bin, self.folder, self.say = bin_folder, folder, say
        self.miner, self.renter = Node(self, "miner"), Node(self, "renter")
        # The last three seal a sector each, which takes a core some ten seconds even with regtest's small prime.
        self.hosts = [Host(self, f"host{i + 1}", int(i >= hosts - 3)) for i in range(hosts)]
        self.all = [self.miner, self.renter] + self.hosts
        self.miner_address = None
        self.block_pause = 0.7
        self.stopping, self.mining = threading.Event(), None
        self.mine_lock = threading.Lock()

    def program(self, name):
        path = os.path.join(self.bin, name)
        if not os.access(path, os.X_OK):
            raise Failed(f"{path} is not built")
        return path

    def start(self):
        for n in self.all:
            n.start()
        for n in self.all:
            n.ready()
            self.say(f"{n.name}: RPC on port {n.rpc_port}, data in {n.folder}")
        # The miner connects to the others, who trust this machine: so what they send is announced and asked for at
        # once, without the pauses that hide on a public network where a transaction comes from.
        others = self.all[1:]
        for n in others:
            self.miner.rpc.addnode(f"127.0.0.1:{n.port}", "add")
        wait_until(lambda: self.miner.rpc.getconnectioncount() >= len(others), 60, "all nodes are connected")

    def mine(self, blocks):
        with self.mine_lock:
            return self.miner.rpc.generatetoaddress(blocks, self.miner_address)

    def sync(self):
        nodes = [n for n in self.all if n.running()]
        wait_until(lambda: len({n.rpc.getbestblockhash() for n in nodes}) == 1, 60, "all nodes agree on the tip")

    def keep_mining(self):
        """A block now and then, in the background, as a network has them."""
        def loop():
            while not self.stopping.wait(self.block_pause):
                try:
                    self.mine(1)
                except (RpcError, OSError, http.client.HTTPException):
                    if not self.stopping.is_set() and not self.miner.running():
                        return
        self.mining = threading.Thread(target=loop, daemon=True)
        self.mining.start()

    def name_of(self, key):
        for i in self.renter.rpc.listidentities("host"):
            if i["key"] == key:
                return i["name"]
        return key[:16]

    def gateway_command(self, *args):
        r = self.renter
        os.makedirs(os.path.join(r.folder, "gateway"), exist_ok=True)
        return [self.program("cloudcoin-gateway"), f"-datadir={os.path.join(r.folder, 'gateway')}", "-regtest",
                f"-rpcport={r.rpc_port}", f"-rpccookiefile={os.path.join(r.folder, 'regtest', '.cookie')}",
                f"-rpcwallet={r.name}", *args]

    def gateway(self, *args):
        """Run the renter's program; its lines are shown; failure ends the demo."""
        p = subprocess.Popen(self.gateway_command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        last = ""
        for line in p.stdout:
            last = line.decode(errors="replace").rstrip().split("\r")[-1]
            if last:
                self.say("    " + last)
        if p.wait() != 0:
            raise Failed(f"cloudcoin-gateway {args[0]} failed: {last}")

    def hints(self, name, alive):
        """Commands to try, with a file that is stored and the number of hosts that are left."""
        cli = [self.program("cloudcoin-cli"), *self.renter.options()]
        gateway = self.gateway_command()
        host = [self.program("cloudcoin-cli"), *self.hosts[-1].options()]
        return [shlex.join(command) for command in (
            cli + ["getblockchaininfo"], cli + ["listcontracts"], cli + ["-rpcwallet=renter", "getbalances"],
            cli + ["help"], gateway + ["hosts"], gateway + ["ls"],
            gateway + ["get", name, os.path.join(self.folder, "again-" + name)],
            gateway + ["put", self.program("cloudcoin-cli"), "a-program", "-k=1", f"-n={alive}"],
            host + ["hostinfo"])]

    def stop(self):
        """End every process, politely first."""
        self.stopping.set()
        if self.mining:
            self.mining.join(10)
        running = [n for n in self.all if n.running()]
        for n in running:
            n.process.terminate()
        deadline = time.monotonic() + 20
        for n in running:
            try:
                n.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(n.process.pid, signal.SIGKILL)  # what the node left behind, if anything
            except (ProcessLookupError, PermissionError):
                pass
            n.process.wait()
