"""cloudcoin-gateway: files onto hosts and back, with real daemons; and what it says when that cannot be."""
import fcntl
import json
import os
import random
import select
import socket
import subprocess
import threading
import unittest

import framework
from framework import TIMEOUT_S, free_port, program

HOSTS = 3


class Gateway:
    """The renter's program beside a node."""

    def __init__(self, node, folder, wallet="w"):
        self.node, self.folder, self.wallet = node, folder, wallet
        os.makedirs(folder, exist_ok=True)

    def command(self, *args):
        return [program("cloudcoin-gateway"), "-datadir=" + self.folder, "-regtest", f"-rpcport={self.node.rpc_port}",
                "-rpccookiefile=" + os.path.join(self.node.chain_dir, ".cookie"), "-rpcwallet=" + self.wallet,
                *map(str, args)]

    def run(self, *args):
        """Exit status, standard output, standard error."""
        r = subprocess.run(self.command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=2 * TIMEOUT_S, universal_newlines=True)
        return r.returncode, r.stdout, r.stderr

    def good(self, *args):
        status, out, err = self.run(*args)
        assert status == 0, f"{args}: {status}: {err}"
        return out

    def json(self, *args):
        return json.loads(self.good("-json", *args))


def make_file(path, size, seed=1):
    with open(path, "wb") as f:
        f.write(random.Random(seed).randbytes(size))
    return path


def content(path):
    with open(path, "rb") as f:
        return f.read()


class Door:
    """A way to a host that may slam: after a sector and the revision that takes it in, before the revision's answer."""

    slams = []  # one taken out by the door that slams next

    def __init__(self, port):
        self.port, self.closing = port, threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.closing.is_set():
            if select.select([self.socket], [], [], 0.1)[0]:
                threading.Thread(target=self.carry, args=(self.socket.accept()[0],)).start()

    def carry(self, inside):
        up, answers = 0, 0  # bytes from the renter; answers of the host since a sector went up
        with inside, socket.socket() as outside:
            if outside.connect_ex(("127.0.0.1", self.port)):
                return
            while not self.closing.is_set():
                for s in select.select([inside, outside], [], [], 0.1)[0]:
                    data = s.recv(1 << 16)
                    if s is inside:
                        up += len(data)
                    elif data and up > 4 << 20 and self.slams:
                        answers += 1
                        if answers == 2:
                            self.slams.pop()
                            return
                    if not data:
                        return
                    (outside if s is inside else inside).sendall(data)

    def close(self):
        self.closing.set()
        self.thread.join()
        self.socket.close()


class TestGatewayAlone(framework.TestCase):
    """No hosts: every fault has its words, and nothing is left behind."""

    def gateway(self, *args, **kwargs):
        node = self.start_node(*args)
        node.rpc.createwallet("w")
        return Gateway(node, os.path.join(self.folder, "gateway"), **kwargs)

    def assert_says(self, g, words, *args, status=1):
        got, out, err = g.run(*args)
        self.assertEqual(got, status, err)
        self.assertIn(words, err)
        self.assertEqual(out, "")

    def test_words_and_options(self):
        g = self.gateway()
        status, out, err = g.run("help")
        self.assertEqual((status, err), (0, ""))
        for word in ("put FILE", "get NAME", "ls", "rm NAME", "health [NAME]", "hosts", "contracts", "-maxrent", "-rpcwallet"):
            self.assertIn(word, out)
        self.assertEqual(g.run("-help")[1], out)
        self.assertIn("CloudCoin gateway version", g.run("-version")[1])
        self.assert_says(g, "need a command")
        self.assert_says(g, "unknown command 'fetch'", "fetch", "x")
        self.assert_says(g, "wrong number of words", "put")
        self.assert_says(g, "wrong number of words", "ls", "x")
        self.assert_says(g, "wrong number of words", "get", "a", "b", "c")
        self.assert_says(g, "Invalid parameter -nosuchoption", "ls", "-nosuchoption=1")
        self.assert_says(g, "-k=4 -n=3", "ls", "-k=4", "-n=3")
        for bad in ("-k=0", "-k=x", "-n=256", "-k=", "-timeout=0", "-hosts=-1", "-odds=65"):
            self.assert_says(g, "Invalid value for " + bad.split("=")[0], "ls", bad)
        self.assert_says(g, "Invalid amount for -maxrent", "ls", "-maxrent=much")
        self.assert_says(g, "Invalid value for -rpcport", "ls", "-rpcport=99999")

    def test_files_and_names(self):
        g = self.gateway()
        self.assertEqual(g.good("ls"), "")
        self.assertEqual(g.json("ls"), [])
        self.assertEqual(g.json("hosts"), [])
        self.assertEqual(g.json("contracts"), [])
        self.assert_says(g, "there is no file /nonexistent", "put", "/nonexistent")
        self.assert_says(g, "no regular file", "put", self.folder)
        self.assert_says(g, 'nothing is stored as "x"', "get", "x", os.path.join(self.folder, "x"), status=2)
        self.assert_says(g, 'nothing is stored as "x"', "rm", "x", status=2)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x")))
        path = make_file(os.path.join(self.folder, "file"), 1000)
        self.assert_says(g, "no hosts", "put", path)
        self.assert_says(g, "a name has 1 to 1,024 bytes", "put", path, "")
        self.assertEqual(g.json("ls"), [])

    def test_node_and_wallet(self):
        g = self.gateway()
        path = make_file(os.path.join(self.folder, "file"), 1000)
        self.assert_says(g, "check -rpcuser and -rpcpassword", "ls", "-rpcuser=u", "-rpcpassword=wrong")
        self.assert_says(g, "cannot be reached (is it running?)", "ls", f"-rpcport={free_port()}")
        self.assert_says(g, "is the node running", "ls", "-rpccookiefile=/nonexistent/.cookie")
        self.assert_says(g, "-rpcwallet", "ls", "-rpcwallet=nobody")
        g.node.rpc.createwallet("second")
        got = subprocess.run([a for a in g.command("ls") if not a.startswith("-rpcwallet")], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        self.assertEqual(got.returncode, 1)
        self.assertIn(b"say which one with -rpcwallet", got.stderr)
        g.node.rpc.wallet("w").encryptwallet("secret")
        self.assert_says(g, "the wallet is locked", "ls")
        self.assert_says(g, "the wallet is locked", "put", path)
        g.node.rpc.wallet("w").walletpassphrase("secret", 60)
        self.assertEqual(g.json("ls"), [])

    def test_configuration_file(self):
        g = self.gateway()
        with open(os.path.join(g.folder, "cloudcoin.conf"), "w") as f:
            f.write(f"regtest=1\njson=1\n[regtest]\nrpcport={g.node.rpc_port}\nrpcwallet=w\n"
                    f"rpccookiefile={os.path.join(g.node.chain_dir, '.cookie')}\n")
        r = subprocess.run([program("cloudcoin-gateway"), "-datadir=" + g.folder, "ls"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, b"[]\n", b""))

    def test_one_at_a_time(self):
        g = self.gateway()
        g.good("ls")
        with open(os.path.join(g.folder, "regtest", "gateway", ".lock"), "r+") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            self.assert_says(g, "another cloudcoin-gateway works in", "ls")


class TestGateway(framework.TestCase):
    """A renter, who also mines, and hosts with a node each."""

    def setUp(self):
        super().setUp()
        self.renter = self.start_node()
        self.renter.rpc.createwallet("w")
        self.wallet = self.renter.rpc.wallet("w")
        self.renter.generate(110, self.wallet.getnewaddress())
        self.hosts = [self.start_host(i) for i in range(HOSTS)]
        self.gateway = Gateway(self.renter, os.path.join(self.folder, "gateway"))
        self.wait_until(self.hosts_ready, what="hosts are registered and have coins")

    def hosts_ready(self):
        self.mine(1)
        keys = {i["key"] for i in self.renter.rpc.listidentities("host")}
        return len(keys) == HOSTS and sum(h["answers"] for h in self.gateway.json("hosts")) == HOSTS and \
            all(self.confirmed(h) > 3 for h in self.hosts)

    @staticmethod
    def confirmed(host):
        return sum(u["amount"] for u in host.rpc.wallet("h").listunspent(1))

    def mine(self, blocks):
        self.renter.generate(blocks)
        framework.sync([self.renter] + [h for h in self.hosts if h.running()] if hasattr(self, "hosts") else [self.renter])

    def start_host(self, i):
        node = self.add_node()
        node.endpoint = f"127.0.0.1:{free_port()}"
        node.door = Door(int(node.endpoint.split(":")[1]))
        self.addCleanup(node.door.close)
        node.start()
        node.rpc.createwallet("h")
        node.connect(self.renter)
        for _ in range(5):
            self.wallet.sendtoaddress(node.rpc.wallet("h").getnewaddress(), 4)
        self.renter.generate(1)
        framework.sync([node, self.renter])
        node.stop()
        node.args = [f"-extension={program('cloudcoin-host')} -name=host{i} -listen={node.endpoint} "
                     f"-announce={node.door.endpoint} -wallet=h",
                     "-wallet=h", f"-addnode={self.renter.address}"]
        return node.start()

    def stop_host(self, host):
        host.stop()

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_files_and_back(self):
        """Sizes that are nothing, one byte, odd, and more than a slab; each from any two of three hosts."""
        g, sizes = self.gateway, {"empty": 0, "one": 1, "odd": 65537, "slabs": 17 * 1024 * 1024 + 3}
        for name, size in sizes.items():
            make_file(self.path(name), size, name)
            g.good("put", self.path(name), "-k=2", "-n=3")
            self.mine(1)
        self.assertEqual({o["name"]: o["size"] for o in g.json("ls")}, sizes)
        contracts = g.json("contracts")
        self.assertEqual(len(contracts), HOSTS)
        self.assertTrue(all(c["on_chain"] for c in contracts))
        self.assertEqual({c["sectors"] for c in contracts}, {1 + 1 + 1 + 3})
        second = sorted((c["end"] for c in contracts), reverse=True)[1]
        self.assertEqual({o["kept_until"] for o in g.json("ls")}, {second})
        status, _, err = g.run("put", self.path("one"), "-k=2", "-n=3")
        self.assertEqual(status, 1)
        self.assertIn('"one" is stored already', err)

        for name in sizes:
            g.good("get", name, self.path("back"))
            self.assertEqual(content(self.path("back")), content(self.path(name)))
        for host in self.hosts:
            self.stop_host(host)
            for name in sizes:
                g.good("get", name, self.path("back"))
                self.assertEqual(content(self.path("back")), content(self.path(name)), name)
            host.start()
            self.wait_until(lambda: all(h["answers"] for h in g.json("hosts")), what="the host is back")

        self.assertEqual({(o["reachable"], o["state"]) for o in g.json("health")}, {(3, "good")})
        for host, left, state in zip(self.hosts[1:], (2, 1), ("degraded", "unreachable")):
            self.stop_host(host)
            status, out, err = g.run("-json", "health")
            self.assertEqual(status, left == 1, err)
            self.assertEqual({(o["reachable"], o["state"]) for o in json.loads(out)}, {(left, state)})
            for o in json.loads(out):
                self.assertEqual(len(o["faults"]), 3 - left)
                self.assertTrue(o["faults"][host.door.endpoint])
        status, out, err = g.run("health", "odd")
        self.assertEqual(status, 1)
        self.assertIn("1 cannot be fetched now", err)
        self.assertRegex(out, r"^unreachable +1 of 3 shards, 2 needed  kept until block \d+ \(\d+ left, about .* days\)  odd\n")
        self.assertEqual(g.run("health", "nothing")[0], 2)
        os.unlink(self.path("back"))
        status, _, err = g.run("get", "odd", self.path("back"))
        self.assertEqual(status, 1)
        self.assertIn("only 1 of 2 shards", err)
        self.assertFalse(os.path.exists(self.path("back")))
        self.assertFalse(os.path.exists(self.path("back.partial")))
        for host in self.hosts[1:]:
            host.start()
        self.wait_until(lambda: all(h["answers"] for h in g.json("hosts")), what="the hosts are back")

        g.good("rm", "slabs")
        self.assertNotIn("slabs", [o["name"] for o in g.json("ls")])
        self.assertEqual({c["sectors"] for c in g.json("contracts")}, {3})
        self.assertEqual(g.run("get", "slabs", self.path("back"))[0], 2)
        g.good("get", "odd", self.path("back"))
        self.assertEqual(content(self.path("back")), content(self.path("odd")))

    def test_removed_while_away(self):
        """Sectors that a host keeps although the object is gone are trimmed when next we talk."""
        g = self.gateway
        make_file(self.path("a"), 1000)
        g.good("put", self.path("a"), "-k=1", "-n=3")
        self.mine(1)
        self.stop_host(self.hosts[0])
        status, _, err = g.run("rm", "a")
        self.assertEqual(status, 0, err)
        self.assertIn("to be trimmed later", err)
        self.assertEqual(sorted(c["sectors"] for c in g.json("contracts")), [0, 0, 1])
        self.hosts[0].start()
        self.wait_until(lambda: all(h["answers"] for h in g.json("hosts")), what="the host is back")
        g.good("put", self.path("a"), "b", "-k=1", "-n=3")
        self.assertEqual({c["sectors"] for c in g.json("contracts")}, {1})

    def test_lost_answer(self):
        """A host that took a shard and was given up for another keeps nothing for ever."""
        g = self.gateway
        make_file(self.path("a"), 1000)
        Door.slams.append(1)
        status, _, err = g.run("put", self.path("a"), "-k=1", "-n=1")
        self.assertEqual((status, Door.slams), (0, []), err)
        self.assertIn("left out", err)
        self.assertEqual([c["sectors"] for c in g.json("contracts")].count(1), 1)
        # Everybody is talked to: what nobody names is trimmed.
        g.good("put", self.path("a"), "b", "-k=1", "-n=3")
        self.assertEqual(sorted(c["sectors"] for c in g.json("contracts")), [1, 1, 2])
        # All of them slam: the put fails, and what it left goes too.
        Door.slams.extend([1] * HOSTS)
        status, _, err = g.run("put", self.path("a"), "c", "-k=1", "-n=1")
        self.assertEqual((status, Door.slams), (1, []), err)
        for name in ("a", "b"):
            g.good("rm", name)
        self.assertEqual([c["sectors"] for c in g.json("contracts")], [0] * HOSTS)

    def test_damaged_manifest(self):
        """One object's own file is damaged: it is told, and the others are listed and fetched."""
        g = self.gateway
        objects = os.path.join(g.folder, "regtest", "gateway", "objects")
        for name in "ab":
            before = set(os.listdir(objects)) if os.path.isdir(objects) else set()
            make_file(self.path(name), 1000, name)
            g.good("put", self.path(name), "-k=1", "-n=2")
            self.mine(1)
        damaged, = set(os.listdir(objects)) - before
        with open(os.path.join(objects, damaged), "r+b") as f:
            f.seek(30)
            f.write(b"xxxx")
        good, bad = sorted(g.json("ls"), key=lambda o: "file" in o)
        self.assertEqual((good["name"], bad["file"]), ("a", damaged))
        self.assertIn(damaged, bad["fault"])
        self.assertIn("damaged: ", g.good("ls"))
        status, out, err = g.run("health")
        self.assertEqual(status, 1)
        self.assertIn("good ", out)
        g.good("get", "a", self.path("back"))
        self.assertEqual(content(self.path("back")), content(self.path("a")))
        status, _, err = g.run("get", "b", self.path("back"))
        self.assertEqual(status, 1)
        self.assertIn(damaged, err)

    def test_damaged_contract(self):
        """One contract's file is damaged: it is told, and objects come from the other hosts."""
        g = self.gateway
        make_file(self.path("a"), 1000)
        g.good("put", self.path("a"), "-k=2", "-n=3")
        self.mine(1)
        folder = os.path.join(g.folder, "regtest", "gateway", "contracts")
        damaged = sorted(os.listdir(folder))[0]
        with open(os.path.join(folder, damaged), "rb") as f:
            kept = f.read()
        with open(os.path.join(folder, damaged), "wb") as f:
            f.write(kept.replace(b'"revision": 1,', b'"revision": 2,'))
        rows = g.json("contracts")
        self.assertEqual(([r.get("file") for r in rows], len(rows)), ([None, None, damaged], HOSTS))
        self.assertIn("damaged: ", g.good("contracts"))
        status, _, err = g.run("get", "a", self.path("back"))
        self.assertEqual(status, 0, err)
        self.assertIn(damaged, err)
        self.assertEqual(content(self.path("back")), content(self.path("a")))
        self.assertEqual([o["reachable"] for o in g.json("health")], [2])
        with open(os.path.join(folder, damaged), "wb") as f:
            f.write(kept)
        self.assertEqual([o["reachable"] for o in g.json("health")], [3])

    def test_expiry(self):
        """Who stored is told until when; ls and health count down, and say when it is over."""
        g = self.gateway
        make_file(self.path("a"), 1000)
        status, _, err = g.run("put", self.path("a"), "-k=1", "-n=1", "-periods=6", "-period=12")
        self.assertEqual(status, 0, err)
        until = g.json("ls")[0]["kept_until"]
        self.assertIn(f"kept until block {until}, ", err)
        left = until - self.renter.height()
        self.assertEqual(g.json("ls")[0]["blocks_left"], left)
        self.assertIn(f"kept until block {until} ({left} left", g.good("ls"))
        self.mine(left)
        self.assertIn(f"EXPIRED at block {until}", g.good("ls"))

    def test_damaged_disk(self):
        """A host whose disk changed a bit is left out; the file comes from the others."""
        g = self.gateway
        make_file(self.path("a"), 100000)
        g.good("put", self.path("a"), "-k=2", "-n=3")
        self.mine(1)
        damaged = 0
        for folder, _, files in os.walk(self.hosts[0].datadir):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.getsize(path) < 4 << 20 or "host" not in os.path.relpath(path, self.hosts[0].datadir):
                    continue
                with open(path, "r+b") as f:
                    for at in range(0, os.path.getsize(path), 512):
                        f.seek(at)
                        byte = f.read(1)
                        f.seek(at)
                        f.write(bytes([byte[0] ^ 1]))
                damaged += 1
        self.assertTrue(damaged)
        for _ in range(2):
            g.good("get", "a", self.path("back"))
            self.assertEqual(content(self.path("back")), content(self.path("a")))

    def test_full_disk(self):
        """Neither a fetched file nor the gateway's own notes can be written: said, and nothing is lost."""
        g = self.gateway
        make_file(self.path("a"), 100000)
        g.good("put", self.path("a"), "-k=2", "-n=3")
        os.symlink("/dev/full", self.path("back.partial"))
        status, _, err = g.run("get", "a", self.path("back"))
        self.assertEqual(status, 1)
        self.assertIn("No space left on device", err)
        self.assertFalse(os.path.lexists(self.path("back")))
        self.assertFalse(os.path.lexists(self.path("back.partial")))
        journal = os.path.join(g.folder, "regtest", "gateway", "journal")
        g.good("put", self.path("a"), "b", "-k=2", "-n=3")
        for command in (("put", self.path("a"), "c", "-k=2", "-n=3"), ("rm", "b")):
            os.symlink(os.path.join(self.folder, "nowhere", "journal"), journal)
            status, _, err = g.run(*command)
            self.assertEqual(status, 1, command)
            self.assertIn("journal", err)
            os.unlink(journal)
        g.good("get", "b", self.path("back"))
        self.assertEqual(content(self.path("back")), content(self.path("a")))
        self.assertEqual(sorted(o["name"] for o in g.json("ls")), ["a", "b"])

    def test_host_that_hangs(self):
        """A host that takes the connection and says nothing costs seconds, not the file."""
        g = self.gateway
        make_file(self.path("a"), 100000)
        g.good("put", self.path("a"), "-k=2", "-n=3")
        self.mine(1)
        with socket.socket() as s:
            self.stop_host(self.hosts[0])
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", int(self.hosts[0].endpoint.split(":")[1])))
            s.listen(5)
            for _ in range(2):
                g.good("get", "a", self.path("back"), "-timeout=1")
                self.assertEqual(content(self.path("back")), content(self.path("a")))

    def test_money(self):
        """Too little money, rent above the limit, too few hosts: said, and nothing is half done."""
        g = self.gateway
        path = make_file(self.path("a"), 1000)
        status, _, err = g.run("put", path, "-k=2", "-n=4")
        self.assertEqual(status, 1)
        self.assertIn("too few hosts: -n=4 needs as many, 3 are registered", err)
        self.assertEqual(g.json("contracts"), [])
        status, _, err = g.run("put", path, "-k=2", "-n=3", "-maxrent=0.00000001", "-capacity=4096")
        self.assertEqual(status, 1)
        self.assertIn("above -maxrent=0.00000001", err)
        self.renter.rpc.createwallet("poor")
        poor = Gateway(self.renter, self.path("poor"), wallet="poor")
        status, _, err = poor.run("put", path, "-k=2", "-n=3")
        self.assertEqual(status, 1)
        self.assertIn("insufficient funds", err)
        self.assertEqual(poor.json("contracts"), [])
        self.assertEqual(self.wallet.listlockunspent(), [])

    def test_killed_at_any_time(self):
        """The gateway dies in the middle of a transfer, again and again; afterwards all is well."""
        g, rng = self.gateway, random.Random(7)
        make_file(self.path("a"), 9 * 1024 * 1024)
        g.good("put", self.path("a"), "first", "-k=2", "-n=3")
        self.mine(1)
        for i in range(8):
            p = subprocess.Popen(g.command("put", self.path("a"), f"try{i}", "-k=2", "-n=3"),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            timer = threading.Timer(rng.uniform(0.01, 0.6), p.kill)
            timer.start()
            p.wait(TIMEOUT_S)
            timer.cancel()
        names = [o["name"] for o in g.json("ls")]
        self.assertIn("first", names)
        g.good("put", self.path("a"), "last", "-k=2", "-n=3")
        for name in names + ["last"]:
            g.good("get", name, self.path("back"))
            self.assertEqual(content(self.path("back")), content(self.path("a")), name)
        # What the dead ones had stored belongs to nobody and is trimmed.
        for name in names + ["last"]:
            g.good("rm", name)
        self.assertEqual({c["sectors"] for c in g.json("contracts")}, {0})


if __name__ == "__main__":
    unittest.main(verbosity=2)
