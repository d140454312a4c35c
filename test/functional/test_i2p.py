"""Peers by I2P, through a SAM bridge that is made here."""
import base64
import hashlib
import os
import queue
import socket
import stat
import threading

import framework
from peer import Peer, read_compact

CERTIFICATE = b"\5\0\4\0\7\0\0"


def letters(data):
    return base64.b64encode(data, b"-~").decode()


def host_of(destination):
    return base64.b32encode(hashlib.sha256(destination).digest()).decode().lower().rstrip("=") + ".b32.i2p"


class Bridge:
    """Knows destinations by name; hands the test each socket that the node connects or waits on."""

    def __init__(self):
        self.known, self.said, self.answers = {}, [], {}
        self.held = {}  # verb: what its answer waits for
        self.connected, self.accepting, self.sessions = queue.Queue(), queue.Queue(), queue.Queue()
        self.taken = []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.sock.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def make(self):
        """A destination that can be looked up."""
        destination = os.urandom(384) + CERTIFICATE
        self.known[host_of(destination)] = destination
        return host_of(destination)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # ends accept
        except OSError:
            pass  # a second time
        for s in (self.sock, *self.taken):
            s.close()

    def of(self, verb):
        return [line for line in self.said if line.startswith(verb)]

    def _serve(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self.taken.append(c)
            threading.Thread(target=self._talk, args=(c,), daemon=True).start()

    def _talk(self, c):
        line = b""
        while True:
            try:
                byte = c.recv(1)
            except OSError:
                return
            if not byte:
                return
            if byte != b"\n":
                line += byte
                continue
            text, line = line.decode(), b""
            self.said.append(text)
            verb = " ".join(text.split()[:2])
            if verb in self.held:
                self.held[verb].wait()
            c.sendall((self.answers.get(verb) or self.answer(verb, text)).encode() + b"\n")
            if verb in ("STREAM CONNECT", "STREAM ACCEPT", "SESSION CREATE"):
                {"STREAM CONNECT": self.connected, "STREAM ACCEPT": self.accepting,
                 "SESSION CREATE": self.sessions}[verb].put(c)
                return

    def answer(self, verb, text):
        words = dict(w.split("=", 1) for w in text.split()[2:])
        if verb == "HELLO VERSION":
            return "HELLO REPLY RESULT=OK VERSION=3.1"
        if verb == "DEST GENERATE":
            destination = os.urandom(384) + CERTIFICATE
            return f"DEST REPLY PUB={letters(destination)} PRIV={letters(destination + os.urandom(64))}"
        if verb == "SESSION CREATE":
            key = words["DESTINATION"]
            if key == "TRANSIENT":
                key = letters(os.urandom(384) + CERTIFICATE + os.urandom(64))
            return f"SESSION STATUS RESULT=OK DESTINATION={key}"
        if verb == "NAMING LOOKUP":
            found = self.known.get(words["NAME"])
            return (f"NAMING REPLY RESULT=OK NAME={words['NAME']} VALUE={letters(found)}" if found else
                    f"NAMING REPLY RESULT=KEY_NOT_FOUND NAME={words['NAME']}")
        return "STREAM STATUS RESULT=OK"


class I2P(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.bridge = Bridge()
        self.addCleanup(self.bridge.close)

    def start(self, *args):
        return self.start_node("-connect=0", "-listen=1", "-debug=i2p", "-debug=net", "-i2psam=" + self.bridge.address,
                               *args)

    def peer(self, node, sock):
        sock.settimeout(framework.TIMEOUT_S)
        p = Peer.__new__(Peer)
        p.node, p.magic, p.sock = node, bytes.fromhex("fabfb5da"), sock
        p.buffer, p.seen, p.closed = b"", [], False
        self.addCleanup(sock.close)
        return p

    def connected(self, node):
        return self.peer(node, self.bridge.connected.get(timeout=framework.TIMEOUT_S))

    def accepted(self, node, host):
        sock = self.bridge.accepting.get(timeout=framework.TIMEOUT_S)
        sock.sendall((letters(self.bridge.known[host]) + " FROM_PORT=0 TO_PORT=0\n").encode())
        return self.peer(node, sock)

    def wait_said(self, node, *texts):
        self.wait_until(lambda: all(t in node.log() for t in texts), what=f"log says {texts}")


class TestPersistent(I2P):
    def test_both_ways(self):
        """One session for who comes and whom we connect to; its key stays, and so our address."""
        node = self.start()
        theirs, others = self.bridge.make(), self.bridge.make()
        node.rpc.addnode(theirs, "onetry")
        p = self.connected(node)
        p.shake()
        self.bridge.sessions.get(timeout=framework.TIMEOUT_S)
        q = self.accepted(node, others)
        q.shake()
        self.assertEqual({(i["network"], i["inbound"], i["addr"]) for i in node.rpc.getpeerinfo()},
                         {("i2p", False, theirs), ("i2p", True, others + ":0")})
        self.bridge.accepting.get(timeout=framework.TIMEOUT_S)  # and waits for the next
        path = os.path.join(node.chain_dir, "i2p_private_key")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        key = open(path, "rb").read()
        ours = host_of(key[:391])
        create, = self.bridge.of("SESSION CREATE")
        session = create.split("ID=")[1].split()[0]
        self.assertIn(f"STYLE=STREAM ID={session} DESTINATION={letters(key)} inbound.quantity=3 outbound.quantity=3",
                      create)
        self.assertEqual(self.bridge.of("STREAM CONNECT"),
                         [f"STREAM CONNECT ID={session} DESTINATION={letters(self.bridge.known[theirs])} SILENT=false"])
        self.wait_said(node, f"Creating persistent SAM session {session} with {self.bridge.address}",
                       f"Persistent SAM session {session} created, my address={ours}:0")
        self.wait_until(lambda: node.rpc.getnetworkinfo()["localaddresses"], what="our address is known")
        info = node.rpc.getnetworkinfo()
        self.assertEqual([(a["address"], a["port"]) for a in info["localaddresses"]], [(ours, 0)])
        network, = [n for n in info["networks"] if n["name"] == "i2p"]
        self.assertEqual((network["reachable"], network["proxy"], network["proxy_randomize_credentials"]),
                         (True, self.bridge.address, False))
        node.stop()
        node.start()
        self.wait_until(lambda: len(self.bridge.of("SESSION CREATE")) == 2, what="another session")
        self.assertIn(letters(key), self.bridge.of("SESSION CREATE")[1])
        self.assertEqual(len(self.bridge.of("DEST GENERATE")), 1)

    def test_told_to_those_by_i2p(self):
        """Who came by I2P is told our address there, and no other."""
        node = self.start("-externalip=8.8.4.4")
        node.generate(1)  # not while catching up
        self.wait_until(lambda: len(node.rpc.getnetworkinfo()["localaddresses"]) == 2, what="our addresses are known")
        p = self.accepted(node, self.bridge.make())
        p.shake()
        p.send("getaddr")
        got = p.wait("addrv2")
        count, at = read_compact(got, 0)
        services = read_compact(got, at + 4)[1]
        self.assertEqual((count, got[services]), (1, 5))

    def test_session_is_lost(self):
        """Whoever is connected goes, and another session is made, with the same key."""
        node = self.start()
        p = self.accepted(node, self.bridge.make())
        p.shake()
        self.bridge.accepting.get(timeout=framework.TIMEOUT_S).close()  # nobody came: waits anew
        self.bridge.accepting.get(timeout=framework.TIMEOUT_S)
        self.bridge.sessions.get(timeout=framework.TIMEOUT_S).close()
        self.wait_said(node, "Persistent SAM session ended: the SAM proxy ended the session")
        self.accepted(node, self.bridge.make()).shake()
        a, b = (line.split("DESTINATION=")[1] for line in self.bridge.of("SESSION CREATE"))
        self.assertEqual(a, b)

    def test_added_node_comes_by_itself(self):
        """Its address has no port, however it is written."""
        node = self.start()
        host = self.bridge.make()
        node.rpc.addnode(host, "add")
        self.assert_rpc_error(-23, "Error: Node already added", node.rpc.addnode, host + ":0", "add")
        q = self.connected(node)
        self.accepted(node, host).shake()
        q.sock.close()
        self.wait_until(lambda: len(node.rpc.getpeerinfo()) == 1, what="ours is gone")
        info, = node.rpc.getaddednodeinfo()
        self.assertEqual((info["connected"], info["addresses"]),
                         (True, [{"address": host + ":0", "connected": "inbound"}]))

    def test_session_is_lost_on_the_way(self):
        """Whoever is being connected to may still answer when the session is gone."""
        node = self.start()
        theirs, held = self.bridge.make(), threading.Event()
        self.bridge.held["STREAM CONNECT"] = held
        node.rpc.addnode(theirs, "onetry")
        self.wait_until(lambda: self.bridge.of("STREAM CONNECT"), what="it is being connected to")
        self.bridge.sessions.get(timeout=framework.TIMEOUT_S).close()
        self.wait_said(node, "Persistent SAM session ended: the SAM proxy ended the session")
        held.set()
        self.connected(node).shake()
        ours = host_of(open(os.path.join(node.chain_dir, "i2p_private_key"), "rb").read(391))
        self.assertEqual([(p["addr"], p["addrbind"]) for p in node.rpc.getpeerinfo()], [(theirs, ours + ":0")])

    def test_key_that_is_none(self):
        node = self.add_node("-connect=0", "-listen=1", "-debug=i2p", "-i2psam=" + self.bridge.address)
        os.makedirs(node.chain_dir, exist_ok=True)
        path = os.path.join(node.chain_dir, "i2p_private_key")
        with open(path, "wb") as f:
            f.write(bytes(100))
        node.start()
        self.wait_said(node, f"Persistent SAM session ended: {path} is no key")
        self.assertEqual(open(path, "rb").read(), bytes(100))
        self.assertEqual(self.bridge.said, [])


class TestTransient(I2P):
    def test_an_address_for_each(self):
        node = self.start("-i2pacceptincoming=0")
        for _ in range(2):
            node.rpc.addnode(self.bridge.make(), "onetry")
            self.connected(node).shake()
        first, second = self.bridge.of("SESSION CREATE")
        self.assertIn("DESTINATION=TRANSIENT SIGNATURE_TYPE=7", first)
        self.assertNotEqual(first, second)
        self.assertEqual(self.bridge.of("STREAM ACCEPT"), [])
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, "i2p_private_key")))
        self.wait_said(node, "Creating transient SAM session", "Transient SAM session")
        self.bridge.sessions.get(timeout=framework.TIMEOUT_S).close()
        self.wait_until(lambda: len(node.rpc.getpeerinfo()) == 1, what="who was connected by it goes")

    def test_refusals(self):
        """A bridge that says no, or nonsense, or somebody with a port: told, and nothing else happens."""
        node = self.start("-i2pacceptincoming=0")
        host = self.bridge.make()
        node.rpc.addnode(host + ":8333", "onetry")
        self.wait_said(node, f"Error connecting to {host}:8333, connection refused due to arbitrary port 8333")
        self.assertEqual(self.bridge.said, [])
        for verb, line, why in (
                ("HELLO VERSION", "HELLO REPLY RESULT=NOVERSION", "no SAM proxy, or not of version 3.1"),
                ("HELLO VERSION", "SSH-2.0-x", "no SAM proxy, or not of version 3.1"),
                ("HELLO VERSION", "x" * 5000, "the SAM proxy's line is too long"),
                ("SESSION CREATE", "SESSION STATUS RESULT=I2P_ERROR", "the SAM proxy made no session"),
                ("SESSION CREATE", "SESSION STATUS RESULT=OK DESTINATION=abcd", "the SAM proxy named no destination"),
                ("NAMING LOOKUP", "NAMING REPLY RESULT=KEY_NOT_FOUND", "the SAM proxy cannot reach it"),
                ("NAMING LOOKUP", "NAMING REPLY RESULT=OK VALUE=a b", "the SAM proxy knows no destination"),
                ("STREAM CONNECT", "STREAM STATUS RESULT=CANT_REACH_PEER", "the SAM proxy cannot reach it")):
            self.bridge.answers = {verb: line}
            host = self.bridge.make()
            node.rpc.addnode(host, "onetry")
            self.wait_said(node, f"Error connecting to {host}:0: {why}")
        self.bridge.close()
        node.rpc.addnode(self.bridge.make(), "onetry")
        self.wait_said(node, f"Cannot connect to {self.bridge.address}")
        self.assertEqual(node.rpc.getpeerinfo(), [])

    def test_without_listening(self):
        """Who does not listen has no address that stays, unless he asks for it."""
        for args, kind in ((("-listen=0",), "transient"), (("-listen=0", "-i2pacceptincoming=1"), "persistent")):
            node = self.start_node("-connect=0", "-debug=i2p", "-i2psam=" + self.bridge.address, "-nobind", *args)
            node.rpc.addnode(self.bridge.make(), "onetry")
            self.connected(node)
            self.assertIn(f"Creating {kind} SAM session", node.log())
            self.assertEqual(len(self.bridge.of("STREAM ACCEPT")), int(kind == "persistent"))
