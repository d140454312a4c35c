"""How the node reaches others: proxies, networks beside the Internet, anchors; and the files and limits of that."""
import base64
import hashlib
import json
import os
import queue
import socket
import struct
import subprocess
import tempfile
import threading
import time

import framework
from peer import Closed, Header, Peer, compact, inv, read_compact, sha256d
from test_p2p import Listener

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
I2P = "c4gfnttsuwqomiygupdqqqyy5y5emnk5c73hrfvatri67prd7vyq.b32.i2p"
MAGIC = bytes.fromhex("fabfb5da")
WITNESS_BLOCK = 2 | 1 << 30


class Proxy:
    """A SOCKS 5 server that takes every request down; it connects where `to` says, or refuses."""

    def __init__(self, auth=False, family=socket.AF_INET, to=None, code=0):
        self.auth, self.to, self.code = auth, to, code
        self.seen = queue.Queue()
        self.sock = socket.socket(family)
        self.sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.sock.listen()
        port = self.sock.getsockname()[1]
        self.address = f"[::1]:{port}" if family == socket.AF_INET6 else f"127.0.0.1:{port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        def take(n):
            got = b""
            while len(got) < n:
                more = c.recv(n - len(got))
                if not more:
                    raise OSError("closed")
                got += more
            return got

        try:
            with c:
                c.settimeout(framework.TIMEOUT_S)
                number, count = take(2)
                methods = take(count)
                user = password = None
                if self.auth and 2 in methods:
                    c.sendall(b"\5\2")
                    take(1)
                    user = take(take(1)[0])
                    password = take(take(1)[0])
                    c.sendall(b"\1\0")
                else:
                    c.sendall(b"\5\0")
                head, kind = take(3), take(1)[0]
                host = take(take(1)[0])
                port = int.from_bytes(take(2), "big")
                self.seen.put((number, head, kind, host.decode(), port, user, password))
                if self.code or not self.to:
                    c.sendall(bytes([5, self.code or 1, 0, 1]) + bytes(6))
                    return
                with socket.create_connection(self.to) as far:
                    c.sendall(b"\5\0\0\1" + bytes(6))
                    self._pump(c, far)
        except OSError:
            return

    def _pump(self, a, b):
        def one(x, y):
            try:
                while True:
                    data = x.recv(1 << 16)
                    if not data:
                        break
                    y.sendall(data)
            except OSError:
                pass
            for s in (x, y):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        t = threading.Thread(target=one, args=(b, a), daemon=True)
        t.start()
        one(a, b)
        t.join()

    def next(self):
        return self.seen.get(timeout=framework.TIMEOUT_S)


class Reach(framework.TestCase):
    chain = "bitcoin-regtest"

    def networks(self, node):
        return {n["name"]: n for n in node.rpc.getnetworkinfo()["networks"]}

    def assert_log(self, node, *texts):
        self.wait_until(lambda: all(t in node.log() for t in texts), what=f"log says {texts}")


class TestProxy(Reach):
    def asked(self, node, proxy, address):
        node.rpc.addnode(address, "onetry")
        return proxy.next()

    def test_every_kind_of_address(self):
        plain, tor = Proxy(), Proxy(auth=True)
        node = self.start_node("-connect=0", f"-proxy={plain.address}", f"-onion={tor.address}", "-debug=net")
        for address, host, port, proxy in (("15.61.23.23:1234", "15.61.23.23", 1234, plain),
                                           ("[1233:3432:2434:2343:3234:2345:6546:4534]:5443",
                                            "1233:3432:2434:2343:3234:2345:6546:4534", 5443, plain),
                                           (ONION + ":8333", ONION, 8333, tor),
                                           ("node.noumenon:8334", "node.noumenon", 8334, plain)):
            # The name goes to the proxy as it is, also where it is a number (RFC 1928, address type 3).
            got = self.asked(node, proxy, address)
            self.assertEqual(got[:5], (5, b"\5\1\0", 3, host, port))
            self.assertEqual(got[5] is None, proxy is plain)
        # Tor keeps connections with different credentials apart.
        pairs = {self.asked(node, tor, f"{ONION}:{port}")[5:] for port in range(1, 6)}
        self.assertEqual(len(pairs), 5)
        self.assert_log(node, f"connection to {ONION}:1 failed: Proxy error: general failure")
        nets = self.networks(node)
        self.assertEqual({n: v["proxy"] for n, v in nets.items()},
                         {"ipv4": plain.address, "ipv6": plain.address, "onion": tor.address, "i2p": "",
                          "cjdns": plain.address})
        self.assertEqual([n for n, v in nets.items() if v["reachable"]], ["ipv4", "ipv6", "onion"])
        self.assertEqual([n for n, v in nets.items() if v["proxy_randomize_credentials"]],
                         ["ipv4", "ipv6", "onion", "cjdns"])

    def test_one_for_all_over_ipv6(self):
        proxy = Proxy(auth=True, family=socket.AF_INET6)
        node = self.start_node("-connect=0", f"-proxy={proxy.address}", "-noonion", "-proxyrandomize=0",
                               "-cjdnsreachable")
        self.assertEqual(self.asked(node, proxy, "15.61.23.23:1")[3:], ("15.61.23.23", 1, None, None))
        self.assertEqual(self.asked(node, proxy, "[fc00:1::7]:2")[3:5], ("fc00:1::7", 2))
        nets = self.networks(node)
        self.assertEqual((nets["onion"]["proxy"], nets["onion"]["reachable"]), ("", False))
        self.assertEqual((nets["cjdns"]["proxy"], nets["cjdns"]["reachable"]), (proxy.address, True))
        self.assertFalse(nets["ipv4"]["proxy_randomize_credentials"])

    def test_two_nodes_through_it(self):
        far = self.start_node("-connect=0", "-listen=1")
        far.generate(5)
        proxy = Proxy(auth=True, to=("127.0.0.1", far.port))
        node = self.start_node("-connect=0", f"-onion={proxy.address}")
        node.rpc.addnode(f"{ONION}:18444", "onetry")
        self.wait_until(lambda: node.height() == 5, what="synced through the proxy")
        peer = node.rpc.getpeerinfo()[0]
        self.assertEqual((peer["addr"], peer["network"]), (f"{ONION}:18444", "onion"))
        self.assertEqual(node.rpc.getnettotals()["totalbytesrecv"], sum(p["bytesrecv"] for p in node.rpc.getpeerinfo()))
        node.rpc.disconnectnode(f"{ONION}:18444")
        # By a name nobody but the proxy knows.
        node.stop()
        node.start(f"-proxy={proxy.address}", "-listen=1")
        node.rpc.addnode("some.where:1", "onetry")
        self.wait_until(lambda: node.rpc.getconnectioncount() == 1)
        peer = node.rpc.getpeerinfo()[0]
        self.assertEqual((peer["addr"], peer["network"]), ("some.where:1", "not_publicly_routable"))
        # Hosts of this machine are not asked of it.
        node.rpc.addnode(far.address, "onetry")
        self.wait_until(lambda: node.rpc.getconnectioncount() == 2)
        self.assertEqual(sorted(x[3] for x in list(proxy.seen.queue)), sorted([ONION, "some.where"]))

    def test_is_waited_for(self):
        """addconnection answers when the attempt has ended, however long that takes."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            node = self.start_node("-connect=0", f"-proxy=127.0.0.1:{silent.getsockname()[1]}")
            call = threading.Thread(target=node.rpc.addconnection, args=("8.8.8.8:1", "outbound-full-relay"))
            call.start()
            c, _ = silent.accept()
            for _ in range(20):
                node.rpc.getpeerinfo()
            self.assertTrue(call.is_alive())
            c.close()
            call.join(framework.TIMEOUT_S)
            self.assertFalse(call.is_alive())

    def test_silent_or_false_proxy(self):
        node = self.add_node("-connect=0", "-debug=net")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            s.settimeout(framework.TIMEOUT_S)
            node.start(f"-proxy=127.0.0.1:{s.getsockname()[1]}")
            node.rpc.addnode("8.8.8.8:1", "onetry")
            c, _ = s.accept()
            with c:
                c.recv(100)
                c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                self.assert_log(node, "connection to 8.8.8.8:1 failed: Proxy failed to initialize")
        self.assertEqual(node.rpc.getpeerinfo(), [])

    def test_options(self):
        node = self.add_node()
        for args, sentence in (
                (["-proxy=abc..def:1"], "Invalid -proxy address or hostname: 'abc..def:1'"),
                (["-onion=.abc"], "Invalid -onion address or hostname: '.abc'"),
                (["-i2psam=def..xyz:1"], "Invalid -i2psam address or hostname: 'def..xyz:1'"),
                (["-dns=0", "-i2psam=somewhere"], "Invalid -i2psam address or hostname: 'somewhere'"),
                (["-proxy=abc:def"], "Invalid port specified in -proxy: 'abc:def'"),
                (["-onion=1.2.3.4:0"], "Invalid port specified in -onion: '1.2.3.4:0'"),
                (["-i2psam=1.2.3.4:65536"], "Invalid port specified in -i2psam: '1.2.3.4:65536'"),
                (["-torcontrol=[::1]:x"], "Invalid port specified in -torcontrol: '[::1]:x'"),
                (["-whitebind=noban@1.2.3.4:"], "Invalid port specified in -whitebind: 'noban@1.2.3.4:'"),
                (["-onlynet=i2p"],
                 "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided"),
                (["-asmap=map"], f'Could not find asmap file "{os.path.join(node.chain_dir, "map")}"'),
                (["-asmap"], f'Could not find asmap file "{os.path.join(node.chain_dir, "ip_asn.map")}"'),
                (["-onlynet=abc"], "Unknown network specified in -onlynet: 'abc'"),
                (["-onlynet=onion", "-noonion"],
                 "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the Tor network "
                 "is explicitly forbidden: -onion=0"),
                (["-onlynet=cjdns"],
                 "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not provided"),
                (["-onlynet=onion", "-dnsseed=1", "-proxy=127.0.0.1:1"],
                 "Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids connections to "
                 "IPv4/IPv6"),
                (["-forcednsseed", "-dnsseed=0"],
                 "Cannot set -forcednsseed to true when setting -dnsseed to false."),
                (["-maxuploadtarget=abc"], "Unable to parse -maxuploadtarget: 'abc'")):
            self.assertEqual(node.start_fails(*args), (1, f"Error: {sentence}\n"), args)
        node.start("-connect=0", "-onlynet=ipv6", "-natpmp=0", "-upnp=0", "-listenonion=0", "-v2transport=0",
                   "-i2pacceptincoming=0", "-torcontrol=127.0.0.1:9051", "-maxorphantx=5", "-dns=0")
        self.assertEqual([n for n, v in self.networks(node).items() if v["reachable"]], ["ipv6"])
        node.rpc.addnode("no.such.name:1", "onetry")  # -dns=0: is not looked up
        self.assertEqual(node.rpc.getpeerinfo(), [])


class TestOverlay(Reach):
    def test_bind_onion(self):
        port = framework.free_port()
        node = self.start_node("-connect=0", f"-bind=127.0.0.1:{port}=onion")
        with Peer(node) as p:
            p.sync()
            with socket.create_connection(("127.0.0.1", port)) as s:
                self.wait_until(lambda: len(node.rpc.getpeerinfo()) == 2)
                self.assertEqual([x["network"] for x in node.rpc.getpeerinfo()], ["not_publicly_routable", "onion"])
                s.close()

    def test_own_addresses_do_not_meet(self):
        """Who came through Tor is told our onion address only, everybody else the others only."""
        port = framework.free_port()
        node = self.start_node("-connect=0", f"-bind=127.0.0.1:{port}=onion", "-externalip=8.8.4.4",
                               f"-externalip={ONION}")
        node.generate(1)  # not while catching up
        main, known = node.port, {}
        try:
            for name, at in (("ip", main), ("onion", port)):
                node.port = at
                with Peer(node) as p:
                    p.send("getaddr")
                    got = p.wait("addrv2")
                    count, at = read_compact(got, 0)
                    services = read_compact(got, at + 4)[1]
                    known[name] = count, got[services], got[services + 2:services + 6]
        finally:
            node.port = main
        self.assertEqual(known["ip"], (1, 1, bytes([8, 8, 4, 4])))
        self.assertEqual(known["onion"], (1, 4, base64.b32decode(ONION[:56].upper())[:4]))

    def test_addresses_are_relayed(self):
        """Onion, I2P and CJDNS addresses come by addrv2 (BIP 155), are kept, shown, and told to who can read them."""
        node = self.start_node("-connect=0", "-cjdnsreachable", "-whitelist=addr,noban@127.0.0.1", "-debug=net",
                               "-onion=127.0.0.1:1", "-listen=1")
        now = int(time.time())
        node.rpc.setmocktime(now)
        onion = bytes(range(32))
        entries = [(4, onion), (5, bytes(32 * [7])), (6, b"\xfc" + bytes(14) + b"\1"), (1, bytes([8, 8, 4, 4]))]
        body = b"".join(struct.pack("<I", now) + compact(9) + bytes([n]) + compact(len(a)) + a + b"\x20\x8d"
                        for n, a in entries)
        bad = struct.pack("<I", now) + compact(9) + b"\6" + compact(16) + b"\xfd" + bytes(15) + b"\x20\x8d"
        with Peer(node) as p, Peer(node) as q, Peer(node, features=("wtxidrelay",)) as old:
            for x in (q, old):
                x.send("getaddr")
                x.sync()
            p.send("addrv2", compact(5) + body + bad)
            p.sync()
            known = {a["network"]: a for a in node.rpc.getnodeaddresses(0)}
            self.assertEqual(set(known), {"onion", "cjdns", "ipv4"})  # what we cannot reach is for others
            self.assertEqual(known["cjdns"]["address"], "fc00::1")
            check = hashlib.sha3_256(b".onion checksum" + onion + b"\3").digest()[:2]
            text = base64.b32encode(onion + check + b"\3").decode().lower() + ".onion"
            self.assertEqual(known["onion"]["address"], text)
            node.rpc.setmocktime(now + 700)
            got = q.wait("addrv2")
            for n, a in entries:
                self.assertIn(bytes([n]) + compact(len(a)) + a, got)
            got = old.wait("addr")
            self.assertEqual(read_compact(got, 0)[0], 1)

    def test_bans_of_one_host(self):
        node = self.start_node("-connect=0")
        node.rpc.setban(ONION, "add")
        node.rpc.setban(I2P, "add")
        self.assertEqual({b["address"] for b in node.rpc.listbanned()}, {ONION, I2P})
        self.assert_rpc_error(-30, "Error: Invalid IP/Subnet", node.rpc.setban, ONION + "/24", "add")
        node.stop()
        node.start()
        self.assertEqual({b["address"] for b in node.rpc.listbanned()}, {ONION, I2P})
        node.rpc.setban(ONION, "remove")
        self.assertEqual([b["address"] for b in node.rpc.listbanned()], [I2P])


def book_file(format=1, lowest=4, magic=MAGIC, key=1, fresh=0, tried=0, checksum=None):
    r = magic + bytes([format, (32 + lowest) & 255]) + key.to_bytes(32, "little")
    r += struct.pack("<iii", fresh, tried, 1024 ^ 1 << 30) + bytes(4 * 1024)
    return r + (checksum or sha256d(r))


class TestBook(Reach):
    def test_file(self):
        """peers.dat is Bitcoin Core's; one that is damaged is for the user to look at."""
        node = self.add_node("-connect=0", "-checkaddrman=1", "-debug=addrman")
        os.makedirs(node.chain_dir, exist_ok=True)
        path = os.path.join(node.chain_dir, "peers.dat")

        def write(data):
            with open(path, "wb") as f:
                f.write(data)

        def fails(reason, **how):
            write(how["data"] if "data" in how else book_file(**how))
            status, said = node.start_fails()
            self.assertEqual(status, 1)
            self.assertEqual(said, f"Error: Invalid or corrupt peers.dat ({reason}). If you believe this is a bug, "
                                   "please report it to https://github.com/bitcoin/bitcoin/issues. As a workaround, "
                                   f'you can move the file ("{path}") out of the way (rename, move, or delete) to '
                                   "have a new one created on the next start.\n")

        node.start()
        self.assertIn(f'Creating peers.dat because the file was not found ("{path}")', node.log())
        self.assertTrue(os.path.exists(path))
        node.stop()
        fails("Corrupted addrman database: The compat value (0) is lower than the expected minimum value 32.: "
              "iostream error", lowest=-32)
        fails("AutoFile::read: end of file: iostream error", data=book_file()[:-1])
        fails("Invalid network magic number", magic=b"\x0a\x03\xcf\x40")
        fails("Checksum mismatch, data corrupted", checksum=b"ab" * 16)
        for name, most, key in (("nTried", 16384, "tried"), ("nNew", 65536, "fresh")):
            for n in (-1, most + 1):
                fails(f"Corrupt AddrMan serialization: {name}={n}, should be in [0, {most}]: iostream error",
                      **{key: n})
        fails("Corrupt data. Consistency check failed with code -16: iostream error", key=0)
        write(book_file(lowest=111))
        node.start()
        self.assertIn(f'Creating new peers.dat because the file version was not compatible ("{path}"). Original '
                      "backed up to peers.dat.bak", node.log())
        self.assertTrue(os.path.exists(path + ".bak"))
        node.stop()
        write(book_file())
        node.start()
        self.assertIn("Loaded 0 addresses from peers.dat", node.log())

    def test_places(self):
        node = self.start_node("-connect=0", "-cjdnsreachable", "-checkaddrman=1", "-debug=addrman")
        now = int(time.time())
        node.rpc.setmocktime(now)
        self.assertEqual(node.rpc.getrawaddrman(), {"new": {}, "tried": {}})
        self.assertEqual(node.rpc.addpeeraddress("", 8333), {"success": False})
        self.assertEqual(node.rpc.addpeeraddress("127.0.0.1", 8333), {"success": False})
        self.assertEqual(node.rpc.addpeeraddress("1.2.3.4", 8333, True), {"success": True})
        for tried in (True, False):
            self.assertEqual(node.rpc.addpeeraddress("1.2.3.4", 8333, tried), {"success": False})
        for address, network in (("2.0.0.0", "ipv4"), ("2803:0:1234:abcd::1", "ipv6"), ("fc00:1:2:3:4:5:6:7", "cjdns"),
                                 (ONION, "onion"), (I2P, "i2p")):
            self.assertEqual(node.rpc.addpeeraddress(address, 8333), {"success": True})
            got = [(k, v) for k, v in node.rpc.getrawaddrman()["new"].items() if v["address"] == address]
            self.assertEqual(len(got), 1)
            bucket, position = map(int, got[0][0].split("/"))
            self.assertTrue(0 <= bucket < 1024 and 0 <= position < 64)
            self.assertEqual(got[0][1], {"address": address, "port": 8333, "network": network, "services": 9,
                                         "time": now, "source": address, "source_network": network})
        raw, info = node.rpc.getrawaddrman(), node.rpc.getaddrmaninfo()
        self.assertEqual([v["address"] for v in raw["tried"].values()], ["1.2.3.4"])
        self.assertEqual(info["all_networks"], {"new": 5, "tried": 1, "total": 6})
        self.assertEqual(info["onion"], {"new": 1, "tried": 0, "total": 1})
        node.rpc.getnodeaddresses(0)
        self.assertIn("CheckAddrman: new 5, tried 1, total 6 started", node.log())
        self.assertEqual([a["address"] for a in node.rpc.getnodeaddresses(0, "onion")], [ONION])
        # Everything is where it was after a restart.
        node.stop()
        node.start("-mocktime=" + str(now))
        self.assertEqual(node.rpc.getrawaddrman(), raw)

    def test_one_teller(self):
        """However many one peer tells, it reaches 64 buckets of 1024."""
        node = self.start_node("-connect=0", "-whitelist=addr@127.0.0.1")
        now = int(time.time())
        with Peer(node) as p:
            for k in range(10):
                p.send("addr", compact(1000) + b"".join(
                    struct.pack("<IQ", now, 9) + bytes(10) + b"\xff\xff" + bytes([8 + k, i % 256, i // 256, 1]) +
                    b"\x20\x8d" for i in range(1000)))
            p.sync()
        buckets = {k.split("/")[0] for k in node.rpc.getrawaddrman()["new"]}
        self.assertGreater(len(buckets), 20)
        self.assertLessEqual(len(buckets), 64)


    def test_answers_by_the_way_in(self):
        """Who asks over the same way is told the same for a day; by another way something else."""
        ports = [framework.free_port() for _ in range(2)]
        node = self.start_node("-connect=0", "-debug=net", f"-bind=127.0.0.1:{ports[0]}", f"-bind=127.0.0.1:{ports[1]}=onion")
        for i in range(1000):
            node.rpc.addpeeraddress(f"{8 + i % 100}.{i // 8}.1.1", 8333)
        now = int(time.time())
        node.rpc.setmocktime(now)
        main = node.port

        def answer(port):
            node.port = port
            with Peer(node) as p:
                p.sync()
                p.send("getaddr")
                node.rpc.setmocktime(now + 600)
                got = p.wait("addrv2")
                node.rpc.setmocktime(now)
                count, at = read_compact(got, 0)
                self.assertGreater(count, 100)
                # time 4, services 1, network and length 2, bytes 4, port 2
                return {got[at + 13 * i + 7:at + 13 * i + 11] for i in range(count)}
        try:
            first = [answer(port) for port in (main, *ports)]
            self.assertEqual([answer(port) for port in (main, *ports)], first)
            self.assertEqual(len({frozenset(a) for a in first}), 3)
            now += 30 * 3600
            node.rpc.setmocktime(now)
            self.assertNotEqual(answer(main), first[0])
        finally:
            node.port = main


class TestOwnAddresses(Reach):
    def local(self, *options):
        """localaddresses of a node with these options and no other -bind."""
        node = self.add_node("-connect=0")
        whole = node.command
        node.command = lambda *extra: [a for a in whole(*extra) if not a.startswith("-bind=127.0.0.1")] + list(options)
        node.start()
        got = [(a["address"], a["port"], a["score"]) for a in node.rpc.getnetworkinfo()["localaddresses"]]
        node.stop()
        return got

    def test_port_of_externalip(self):
        """Its own; else of the first -bind that has one, of a -whitebind that is not for friends, of -port."""
        a, b, c = (framework.free_port() for _ in range(3))
        for options, port in (([], a), ([f"-bind=127.0.0.2:{b}"], b), (["-bind=127.0.0.2"], a),
                              (["-bind=127.0.0.2", f"-bind=127.0.0.3:{b}"], b),
                              ([f"-bind=127.0.0.2:{b}", f"-whitebind=127.0.0.2:{c}"], b),
                              ([f"-whitebind=127.0.0.2:{c}"], c), ([f"-whitebind=relay@127.0.0.2:{c}"], c),
                              ([f"-whitebind=noban@127.0.0.2:{c}"], a)):
            self.assertEqual(self.local("-externalip=2.2.2.2", f"-port={a}", *options), [("2.2.2.2", port, 4)], options)
        self.assertEqual(self.local("-externalip=2.2.2.2:5", f"-port={a}", f"-bind=127.0.0.2:{b}"), [("2.2.2.2", 5, 4)])
        self.assertEqual(self.local("-externalip=2.2.2.2", "-externalip=2.2.2.2:6", f"-port={a}", "-bind=127.0.0.2"),
                         [("2.2.2.2", 6, 5)])

    def discovered(self, *options):
        """The same where this machine has two addresses of the Internet: in a net of its own."""
        folder = tempfile.mkdtemp(dir=self.folder)
        daemon = " ".join(f"'{a}'" for a in [framework.program("cloudcoind"), "-bitcoin", "-regtest", "-datadir=" + folder,
                                             "-connect=0", "-printtoconsole=0", "-daemonwait", *options])
        cli = f"'{framework.program('cloudcoin-cli')}' -bitcoin -regtest '-datadir={folder}'"
        r = subprocess.run(["unshare", "-n", "sh", "-c", "ip link set lo up && ip addr add 1.1.1.1/32 dev lo label lo:0 && "
                            f"ip addr add 2.2.2.2/32 dev lo label lo:1 || exit 77; {daemon} && {cli} getnetworkinfo && "
                            f"{cli} stop && while test -e '{folder}/regtest/bitcoind.pid'; do sleep 0.1; done"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if r.returncode == 77 or "unshare" in r.stderr:
            self.skipTest("cannot make a net of our own")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        said = r.stdout[r.stdout.index("{"):r.stdout.rindex("}") + 1]
        return sorted((a["address"], a["port"], a["score"]) for a in json.loads(said)["localaddresses"])

    def test_discover(self):
        self.assertEqual(self.discovered("-port=31001", "-discover"), [("1.1.1.1", 31001, 1), ("2.2.2.2", 31001, 1)])
        self.assertEqual(self.discovered("-discover", "-bind=1.1.1.1:31001"), [("1.1.1.1", 31001, 2)])
        self.assertEqual(self.discovered("-discover", "-bind=1.1.1.1:31001=onion", "-whitebind=2.2.2.2:31002"),
                         [("2.2.2.2", 31002, 2)])
        self.assertEqual(self.discovered("-discover=0", "-bind=1.1.1.1:31001"), [])
        self.assertEqual(self.discovered("-discover", "-whitebind=noban@1.1.1.1:31001"), [])


class TestProviders(Reach):
    """-asmap: addresses of one provider are one group."""
    # 250.0.0.0/8 is AS1000, 101.1.0.0/16 to 101.8.0.0/16 are AS1 to AS8
    MAP = bytes.fromhex("fb03ec0fb03fc0fe00fb03ec0fb03fc0fe00fb03ec0fb0fffffeffedb0ffd486e628290000400000400040990100800180040000"
                        "050006001cf039")
    VERSION = "fec61fa21a9f46f3b17bdcd660d7f4cd90b966aad3aec593c99b35f0aca15853"

    def write(self, path, data):
        with open(path, "wb") as f:
            f.write(data)

    def test_file(self):
        node = self.start_node()
        self.assertIn("Using /16 prefix for IP bucketing\n", node.log())
        node.stop()
        usual, other = os.path.join(node.chain_dir, "ip_asn.map"), os.path.join(self.folder, "other")
        for option, path in (("-asmap", usual), ("-asmap=", usual), ("-asmap=" + other, other),
                             ("-asmap=ip_asn.map", usual)):
            self.assertEqual(node.start_fails(option), (1, f'Error: Could not find asmap file "{path}"\n'))
            for bad in b"", self.MAP[:-1], self.MAP + b"\0":
                self.write(path, bad)
                self.assertEqual(node.start_fails(option), (1, f'Error: Could not parse asmap file "{path}"\n'))
            self.write(path, self.MAP)
            log = node.start(option).log()
            self.assertIn(f'Opened asmap file "{path}" (59 bytes) from disk\n', log)
            self.assertIn(f"Using asmap version {self.VERSION} for IP bucketing\n", log)
            node.stop()
            os.remove(path)
        node.start("-asmap", "-noasmap")

    def test_groups(self):
        tor = Proxy()
        node = self.add_node("-asmap=" + os.path.join(self.folder, "map"), "-connect=0", "-checkaddrman=1", "-debug=addrman",
                             f"-proxy={tor.address}")
        self.write(os.path.join(self.folder, "map"), self.MAP)
        node.start()
        for address in "250.1.0.0", "250.2.0.0", "101.2.0.0", "101.3.0.0":
            self.assertEqual(node.rpc.addpeeraddress(address, 8333, True)["success"], True)
        node.stop()
        node.start()
        self.assert_log(node, "ASMap Health Check: 4 clearnet peers are mapped to 3 ASNs with 0 peers being unmapped\n")
        node.rpc.getnodeaddresses(0)
        self.assert_log(node, "CheckAddrman: new 0, tried 4, total 4 started\n", "CheckAddrman: completed (")
        self.assertNotIn("CONSISTENCY CHECK FAILED", node.log())
        far = self.start_node()
        tor.to = ("127.0.0.1", far.port)
        for address, asn in ("250.1.2.3:1", 1000), ("101.4.5.6:1", 4), ("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4"
                                                                          "pscryd.onion:1", None):
            node.rpc.addnode(address, "onetry")
            self.wait_until(lambda: any(p["addr"] == address for p in node.rpc.getpeerinfo()), what="connected")
            peer, = [p for p in node.rpc.getpeerinfo() if p["addr"] == address]
            self.assertEqual(peer.get("mapped_as"), asn)
        self.assertNotIn("mapped_as", far.rpc.getpeerinfo()[0])


class TestAnchors(Reach):
    def test_anchors(self):
        node = self.start_node("-debug=net")
        path = os.path.join(node.chain_dir, "anchors.dat")
        self.assertFalse(os.path.exists(path))
        listeners = [Listener(node) for _ in range(3)]
        peers = [x.open("block-relay-only") for x in listeners[:2]] + [listeners[2].open("outbound-full-relay")]
        for p in peers:
            p.shake()
            p.sync()
        node.stop()
        with open(path, "rb") as f:
            data = f.read()
        ports = [int(x.address.split(":")[1]) for x in listeners]
        for port, there in zip(ports, (True, True, False)):
            self.assertEqual(bytes([127, 0, 0, 1]) + struct.pack(">H", port) in data, there)
        node.launch()
        node.wait_ready()
        self.assertIn("2 block-relay-only anchors will be tried for connections.", node.log())
        self.assertFalse(os.path.exists(path))

    def test_tried_again_through_tor(self):
        far = self.start_node("-connect=0", "-listen=1")
        proxy = Proxy(auth=True, to=("127.0.0.1", far.port))
        node = self.start_node(f"-onion={proxy.address}", "-debug=net", "-dnsseed=0")
        node.rpc.addconnection(f"{ONION}:1234", "block-relay-only")
        self.wait_until(lambda: any(p["version"] and p["synced_headers"] >= -1 and p["bytesrecv_per_msg"].get("verack")
                                    for p in node.rpc.getpeerinfo()))
        proxy.next()
        node.stop()
        node.start()
        self.assertEqual(proxy.next()[3:5], (ONION, 1234))
        self.assert_log(node, f"Trying to make an anchor connection to {ONION}:1234")
        self.wait_until(lambda: [p["connection_type"] for p in node.rpc.getpeerinfo()] == ["block-relay-only"])


class TestSeeds(Reach):
    SEED = "dummySeed.invalid."

    def test_at_once_without_addresses(self):
        node = self.start_node("-dnsseed=1")
        self.assert_log(node, f"Loading addresses from DNS seed {self.SEED}")
        self.assertNotIn("before querying DNS seeds", node.log())

    def test_by_the_proxy(self):
        """Names are not looked up past it: the seed is asked for addresses as a node."""
        proxy = Proxy()
        node = self.start_node(f"-proxy={proxy.address}")
        self.assertEqual(proxy.next()[3:5], (self.SEED, 18444))
        self.assertIn(f"Loading addresses from DNS seed {self.SEED}", node.log())

    def test_disabled(self):
        node = self.add_node("-onion=127.0.0.1:1")
        for args in (["-dnsseed=0"], ["-connect=0"], ["-maxconnections=0"], ["-onlynet=onion"]):
            node.start(*args)
            self.assertIn("DNS seeding disabled", node.log().split("CloudCoin version")[-1])
            node.stop()

    def test_addresses_are_tried_first(self):
        node = self.add_node()
        node.start("-dnsseed=0")
        node.rpc.addpeeraddress("8.8.8.8", 8333)
        node.stop()
        node.start("-onlynet=ipv6")
        self.assert_log(node, "Waiting 11 seconds before querying DNS seeds.")
        peers = [Listener(node).open("outbound-full-relay") for _ in range(2)]
        for p in peers:
            p.shake()
            p.sync()
        self.assert_log(node, "P2P peers available. Skipped DNS seeding.")
        self.assertNotIn("Loading addresses from DNS seed", node.log())
        node.stop()
        node.start("-onlynet=ipv6", "-forcednsseed")
        self.assert_log(node, f"Loading addresses from DNS seed {self.SEED}")


class TestStaleTip(Reach):
    def test_one_more_peer(self):
        """No block for half an hour: one peer more is asked; of nine the worst goes."""
        extra = Listener(None)
        proxy = Proxy(to=("127.0.0.1", int(extra.address.split(":")[1])))
        node = self.start_node("-dnsseed=0", "-debug=net", f"-proxy={proxy.address}", "-listen=1")
        extra.node = node
        now = int(time.time())
        node.rpc.setmocktime(now)
        node.generate(1)
        tip = bytes.fromhex(node.rpc.getblockheader(node.tip(), False))
        peers = []
        for kind in ["outbound-full-relay"] * 8 + ["block-relay-only"] * 2:
            p = Listener(node).open(kind)
            p.shake()
            p.send("headers", b"\1" + tip + b"\0")
            p.sync()
            peers.append(p)
        for passed in (500, 1000, 1500, 1900, 2300):
            node.rpc.setmocktime(now + passed)
            for p in peers:
                p.sync()
        self.assert_log(node, "Potential stale tip detected, will try using extra outbound peer (last tip update: ")
        node.rpc.addpeeraddress("8.8.8.8", 8333)
        p = extra.accept()
        self.assertEqual(proxy.next()[3:5], ("8.8.8.8", 8333))
        p.shake()
        p.sync()
        self.assertEqual(node.rpc.getnetworkinfo()["connections_out"], 11)
        # It tells of a new block at once, and so stays; the youngest of those that told nothing goes.
        header = Header(sha256d(tip), bytes(32), now + 2000).mine()
        p.send("headers", b"\1" + header.raw() + b"\0")
        p.sync()
        node.rpc.setmocktime(now + 2300 + 50)
        gone = next(x["id"] for x in node.rpc.getpeerinfo() if x["connection_type"] == "outbound-full-relay" and
                    x["id"] == 7)
        self.assert_log(node, f"disconnecting extra outbound peer={gone} (last block announcement received at time 0)")
        peers[7].wait_closed()
        self.assertEqual(node.rpc.getnetworkinfo()["connections_out"], 10)


class TestLimits(Reach):
    def target(self, node):
        return node.rpc.getnettotals()["uploadtarget"]

    def test_upload_target(self):
        node = self.add_node("-connect=0", "-debug=net")
        node.start()
        self.assertEqual(self.target(node), {"timeframe": 86400, "target": 0, "target_reached": False,
                                             "serve_historical_blocks": True, "bytes_left_in_cycle": 0,
                                             "time_left_in_cycle": 0})
        now = int(time.time())
        node.rpc.setmocktime(now - 8 * 86400)
        node.generate(5)
        old = bytes.fromhex(node.tip())[::-1]
        node.rpc.setmocktime(now)
        node.generate(1)
        new = bytes.fromhex(node.tip())[::-1]
        node.stop()
        # 144 full blocks a day are kept for new ones: a target above leaves the rest for old ones.
        node.start("-maxuploadtarget=576000500", f"-mocktime={now}")
        self.assertEqual(self.target(node)["target"], 576000500 << 20)
        node.stop()
        node.start("-maxuploadtarget=576003k", f"-mocktime={now}")
        t = self.target(node)
        self.assertEqual((t["target"], t["target_reached"], t["serve_historical_blocks"]), (576003000, False, True))
        self.assertEqual((t["bytes_left_in_cycle"], t["time_left_in_cycle"]), (576003000, 86400))
        with Peer(node) as p:
            for i in range(20):
                p.send("getdata", inv((WITNESS_BLOCK, old)))
            with self.assertRaises(Closed):
                p.sync()
        self.assert_log(node, "historical block serving limit reached, disconnect peer=0")
        self.assertFalse(self.target(node)["serve_historical_blocks"])
        self.assertFalse(self.target(node)["target_reached"])
        self.assertLess(self.target(node)["bytes_left_in_cycle"], 576003000)
        with Peer(node) as p:  # new ones are always served
            p.send("getdata", inv((WITNESS_BLOCK, new)))
            p.wait("block")
        node.rpc.setmocktime(now + 86401)  # a new day
        self.assertTrue(self.target(node)["serve_historical_blocks"])
        node.stop()
        node.start("-maxuploadtarget=1", "-whitelist=download@127.0.0.1", f"-mocktime={now}")
        self.assertFalse(self.target(node)["serve_historical_blocks"])
        with Peer(node) as p:
            p.send("getdata", inv((WITNESS_BLOCK, old)))
            p.wait("block")

    def test_capture(self):
        node = self.start_node("-connect=0", "-capturemessages")
        with Peer(node) as p:
            p.sync()
            name = node.rpc.getpeerinfo()[0]["addr"].replace(":", "_")
            p.send("ping", b"12345678")
            p.wait("pong", lambda b: b == b"12345678")
        folder = os.path.join(node.chain_dir, "message_capture", name)

        def read(which):
            with open(os.path.join(folder, which), "rb") as f:
                data = f.read()
            out = []
            while data:
                at, command, size = struct.unpack_from("<Q12sI", data)
                self.assertLess(abs(at / 1e6 - time.time()), 600)
                out.append((command.rstrip(b"\0").decode(), data[24:24 + size]))
                data = data[24 + size:]
            return out
        got, sent = read("msgs_recv.dat"), read("msgs_sent.dat")
        self.assertEqual([c for c, _ in got[:4]], ["version", "wtxidrelay", "sendaddrv2", "verack"])
        self.assertIn(("ping", b"12345678"), got)
        self.assertIn(("pong", b"12345678"), sent)
        node.stop()
        self.assertEqual(sorted(os.listdir(node.chain_dir)).count("message_capture"), 1)

    def test_sendmsgtopeer(self):
        node = self.start_node("-connect=0")
        with Peer(node) as p:
            p.sync()
            self.assertEqual(node.rpc.sendmsgtopeer(0, "addr", "FFFFFF"), {})
            self.assertEqual(p.wait("addr"), b"\xff\xff\xff")
            node.rpc.sendmsgtopeer(peer_id=0, msg_type="unknown", msg="")
            self.assertEqual(p.wait("unknown"), b"")
            node.rpc.sendmsgtopeer(0, "addr", "00" * 4000001)
            self.assertEqual(len(p.wait("addr")), 4000001)
            call = node.rpc.sendmsgtopeer
            self.assert_rpc_error(-1, "Error: Could not send message to peer", call, 100, "addr", "FF")
            self.assert_rpc_error(-8, "Error: msg_type too long, max length is 12", call, 0, "long_msg_type", "FF")
            self.assert_rpc_error(-8, "Error parsing input for msg", call, 0, "addr", "F")
            self.assertEqual(node.rpc.getpeerinfo()[0]["bytessent_per_msg"]["*other*"], 24)


class TestReachOnOurChain(Reach):
    chain = "regtest"

    def test_through_a_proxy(self):
        far = self.start_node("-connect=0", "-listen=1")
        far.generate(3)
        proxy = Proxy(to=("127.0.0.1", far.port))
        node = self.start_node("-connect=0", f"-proxy={proxy.address}", "-listen=1")
        node.rpc.addnode(f"{ONION}", "onetry")
        self.wait_until(lambda: node.height() == 3, what="synced through the proxy")
        self.assertEqual(proxy.next()[3:5], (ONION, 17744))
        self.assertEqual(node.rpc.addpeeraddress(ONION, 1), {"success": True})
        self.assertEqual(len(node.rpc.getrawaddrman()["new"]), 1)


if __name__ == "__main__":
    framework.main()
