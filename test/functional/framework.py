"""What functional tests share: real daemons on private chains, driven by RPC.

    class TestSync(framework.TestCase):
        def test_two_nodes_agree(self):
            a, b = self.start_nodes(2)
            a.generate(10)
            b.connect(a)
            self.wait_until(lambda: b.height() == 10)

Programs are looked for in $CC_BIN, else in the build folder that `make check`
runs in, else in ./build or the top of the checkout. Every daemon has its own data folder
below one temporary folder, which is removed when the test passed and named
when it failed. Daemons that still run at the end of a test are stopped; one
that does not stop, or that wrote to standard error, fails the test.
"""
import base64
import decimal
import http.client
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_S = 60 * float(os.environ.get("CC_TIMEOUT_FACTOR", "1"))


def program(name):
    """Path of a built program."""
    tried = [os.environ.get("CC_BIN"), os.getcwd(), os.path.join(TOP, "build"), TOP]
    for folder in filter(None, tried):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return os.path.abspath(path)
    raise FileNotFoundError(f"{name} is not built (looked in {', '.join(filter(None, tried))})")


_handed_out = set()


def free_port():
    """A TCP port that nobody uses now and that this process has not handed out. Not one of those that the system
    gives to outgoing connections: one of them could take it before the daemon does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        top = max(int(f.read().split()[0]), 12000)
    while True:
        port = random.SystemRandom().randrange(10000, top)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def wait_until(condition, timeout=TIMEOUT_S, what=""):
    """Wait for a state, with a deadline. condition may raise RpcError or OSError meanwhile."""
    deadline, last = time.monotonic() + timeout, None
    pause = 0.01
    while True:
        try:
            if condition():
                return
            last = None
        except (RpcError, OSError, http.client.HTTPException) as e:
            last = e
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout:g} s: {what or condition}" + (f" ({last!r})" if last else ""))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


class RpcError(Exception):
    """An error that the daemon answered: code and message as JSON-RPC gives them."""

    def __init__(self, error, status=None):
        super().__init__(f"{error.get('message')} ({error.get('code')})")
        self.code, self.message, self.status = error.get("code"), error.get("message"), status


class Rpc:
    """rpc.getblock(hash, 2) or, with names, rpc.getblock(blockhash=…, verbosity=2)."""

    def __init__(self, port, auth, path="/", timeout=TIMEOUT_S):
        self._port, self._auth, self._path, self._timeout = port, auth, path, timeout
        self._ids = itertools.count(1)

    def raw(self, body, auth=True, method="POST", headers=None, path=None):
        """One HTTP exchange: status, headers, body as bytes."""
        c = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        h = {"Content-Type": "application/json"}
        if auth:
            credentials = self._auth() if auth is True else auth
            h["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        h.update(headers or {})
        try:
            c.request(method, path or self._path, body, h)
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def call(self, method, *args, **named):
        request = {"jsonrpc": "1.0", "id": next(self._ids), "method": method, "params": named or list(args)}
        if named and args:
            request["params"] = dict(named, args=list(args))
        status, _, body = self.raw(json.dumps(request, default=str))
        try:
            answer = json.loads(body, parse_float=decimal.Decimal)
        except ValueError:
            raise RpcError({"code": None, "message": f"HTTP {status}: {body[:200]!r}"}, status) from None
        if answer.get("error") is not None:
            raise RpcError(answer["error"], status)
        return answer["result"]

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **named: self.call(method, *args, **named)

    def wallet(self, name):
        return Rpc(self._port, self._auth, "/wallet/" + name, self._timeout)


class Node:
    """One cloudcoind with its data folder."""

    def __init__(self, folder, chain="regtest", args=()):
        self.folder, self.chain, self.args = folder, chain, list(args)
        self.datadir = os.path.join(folder, "data")
        self.port, self.rpc_port = free_port(), free_port()
        self.process = None
        os.makedirs(self.datadir, exist_ok=True)
        self.rpc = Rpc(self.rpc_port, self._cookie)
        self.stderr_path = os.path.join(folder, "stderr")
        self.stderr_expected = False

    @property
    def chain_dir(self):
        return os.path.join(self.datadir, "regtest" if "regtest" in self.chain else self.chain)

    @property
    def chain_args(self):
        return ["-bitcoin", "-regtest"] if self.chain == "bitcoin-regtest" else ["-chain=" + self.chain]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _cookie(self):
        with open(os.path.join(self.chain_dir, ".cookie")) as f:
            return f.read().strip()

    def command(self, *extra):
        return [program("cloudcoind"), "-datadir=" + self.datadir, *self.chain_args, f"-port={self.port}",
                f"-rpcport={self.rpc_port}", f"-bind=127.0.0.1:{self.port}", "-printtoconsole=0",
                *self.args, *extra]

    def launch(self, *extra):
        """Start it and do not wait."""
        with open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(self.command(*extra), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=err, cwd=self.folder)

    def start(self, *extra):
        """Start it and wait until RPC answers."""
        self.launch(*extra)
        self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"cloudcoind exited with {self.process.returncode}: {self.stderr()}")
            return self.rpc.getblockcount() >= 0
        wait_until(ready, what="RPC answers")

    def start_fails(self, *extra, before_it=None):
        """Start it, expect that it gives up; returns exit status and standard error. before_it runs in the child."""
        r = subprocess.run(self.command(*extra), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S, preexec_fn=before_it)
        return r.returncode, r.stderr.decode()

    def stop(self):
        """Ask it to stop and wait for a clean end."""
        if not self.running():
            return
        try:
            self.rpc.stop()
        except (RpcError, OSError, http.client.HTTPException):
            self.process.send_signal(signal.SIGTERM)
        self.wait_exit(0)

    def wait_exit(self, status=0):
        try:
            got = self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError("cloudcoind did not stop") from None
        assert got == status, f"cloudcoind exited with {got}, expected {status}: {self.stderr()}"

    def kill(self):
        """As a power cut would, as far as a process can tell."""
        if self.running():
            self.process.kill()
            self.process.wait()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stderr(self):
        try:
            with open(self.stderr_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log(self):
        with open(os.path.join(self.chain_dir, "debug.log"), errors="replace") as f:
            return f.read()

    def cli(self, *args, stdin=None):
        """cloudcoin-cli against this node: status, standard output, standard error."""
        r = subprocess.run([program("cloudcoin-cli"), "-datadir=" + self.datadir, *self.chain_args,
                            f"-rpcport={self.rpc_port}", *map(str, args)], input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S, universal_newlines=True)
        return r.returncode, r.stdout, r.stderr

    # Short forms that many tests need.
    def height(self):
        return self.rpc.getblockcount()

    def tip(self):
        return self.rpc.getbestblockhash()

    def generate(self, blocks, address=None):
        return self.rpc.generatetoaddress(blocks, address or BURN[self.chain])

    def connect(self, other):
        """Connect to another node and wait until both sides have shaken hands."""
        self.rpc.addnode(other.address, "onetry")
        wait_until(lambda: any(p["addr"] == other.address and p["version"] for p in self.rpc.getpeerinfo()),
                   what=f"connected to {other.address}")


def bech32m_address(hrp, program, version=1):
    """Segwit address of a witness program (BIP 350)."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        check = 1
        for v in values:
            top, check = check >> 25, (check & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                check ^= g if top >> i & 1 else 0
        return check

    number, bits = int.from_bytes(program, "big"), len(program) * 8
    number, groups = number << -bits % 5, (bits + 4) // 5
    data = [version] + [number >> 5 * (groups - 1 - i) & 31 for i in range(groups)]
    expanded = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    rest = polymod(expanded + data + [0] * 6) ^ 0x2bc830a3
    data += [rest >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(letters[d] for d in data)


# Addresses of the point of BIP 341 that nobody has a key for.
_NUMS = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")
BURN = {chain: bech32m_address(hrp, _NUMS) for chain, hrp in
        (("main", "cc"), ("test", "tcc"), ("regtest", "ccrt"), ("bitcoin-regtest", "bcrt"))}


def sync(nodes, timeout=TIMEOUT_S):
    """Wait until all nodes have the same tip."""
    wait_until(lambda: len({n.tip() for n in nodes}) == 1, timeout, "all nodes at one tip")


def sync_mempools(nodes, timeout=TIMEOUT_S):
    wait_until(lambda: len({tuple(sorted(n.rpc.getrawmempool())) for n in nodes}) == 1, timeout, "mempools agree")


class TestCase(unittest.TestCase):
    chain = "regtest"

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cloudcoin-test-")
        self.nodes = []
        self._numbers = itertools.count()
        self.addCleanup(self._leave_none)

    def _leave_none(self):
        """After all; the only end there is if setUp failed."""
        for node in self.nodes:
            node.kill()

    def tearDown(self):
        faults = []
        for node in self.nodes:
            try:
                node.stop()
            except AssertionError as e:
                faults.append(str(e))
            if node.stderr() and not node.stderr_expected:
                faults.append(f"wrote to standard error: {node.stderr()}")
        result = self._outcome.result
        failed = faults or any(test is self for test, _ in result.failures + result.errors)
        if failed:
            print(f"data folders kept in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if faults:
            self.fail("; ".join(faults))

    def add_node(self, *args, chain=None):
        """A node that is not started yet."""
        node = Node(os.path.join(self.folder, f"node{next(self._numbers)}"), chain or self.chain, args)
        self.nodes.append(node)
        return node

    def start_node(self, *args, chain=None):
        return self.add_node(*args, chain=chain).start()

    def start_nodes(self, count, *args, chain=None):
        """Several nodes, each connected to the one before."""
        nodes = [self.add_node(*args, chain=chain) for _ in range(count)]
        for n in nodes:
            n.launch()
        for n in nodes:
            n.wait_ready()
        for a, b in zip(nodes, nodes[1:]):
            b.connect(a)
        return nodes

    def wait_until(self, condition, timeout=TIMEOUT_S, what=""):
        wait_until(condition, timeout, what)

    def assert_rpc_error(self, code, message, call, *args, **named):
        """The call fails with this code, and message is part of what it says."""
        with self.assertRaises(RpcError) as caught:
            call(*args, **named)
        if code is not None:
            self.assertEqual(caught.exception.code, code, caught.exception.message)
        if message is not None:
            self.assertIn(message, caught.exception.message)


def main():
    unittest.main(verbosity=2)
