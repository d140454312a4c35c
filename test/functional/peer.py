"""A peer made of one socket: it says exactly what a test wants it to say.

    with Peer(node) as p:            # connected, hands shaken
        p.send("ping", b"12345678")
        p.wait("pong")
"""
import hashlib
import os
import socket
import struct
import time

import framework

MAGIC = {"bitcoin-regtest": bytes.fromhex("fabfb5da")}
MAX_PAYLOAD = 4_000_000
TX, BLOCK, WTX, WITNESS = 1, 2, 5, 1 << 30


def sha256d(b):
    return hashlib.sha256(hashlib.sha256(b).digest()).digest()


def compact(n):
    if n < 0xfd:
        return bytes([n])
    if n <= 0xffff:
        return b"\xfd" + struct.pack("<H", n)
    if n <= 0xffffffff:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


def read_compact(b, at):
    first = b[at]
    if first < 0xfd:
        return first, at + 1
    size = {0xfd: 2, 0xfe: 4, 0xff: 8}[first]
    return int.from_bytes(b[at + 1:at + 1 + size], "little"), at + 1 + size


def frame(magic, command, payload, checksum=None, length=None):
    command = command.encode() if isinstance(command, str) else command
    return (magic + command.ljust(12, b"\0") + struct.pack("<I", len(payload) if length is None else length) +
            (sha256d(payload)[:4] if checksum is None else checksum) + payload)


def inv(*items):
    return compact(len(items)) + b"".join(struct.pack("<I", t) + h for t, h in items)


def version(services=9, number=70016, nonce=None, agent=b"/raw:1/", height=0, relay=1, extra=b""):
    return (struct.pack("<iQq", number, services, int(time.time())) + bytes(26) + bytes(26) +
            (nonce or os.urandom(8)) + compact(len(agent)) + agent + struct.pack("<iB", height, relay) + extra)


class Header:
    """A block header of regtest, mined by hand."""

    def __init__(self, prev, root, at, bits=0x207fffff, number=0x20000000):
        self.prev, self.root, self.time, self.bits, self.version, self.nonce = prev, root, at, bits, number, 0

    def raw(self):
        return (struct.pack("<i", self.version) + self.prev + self.root +
                struct.pack("<III", self.time, self.bits, self.nonce))

    def hash(self):
        return sha256d(self.raw())

    def mine(self, good=True):
        while (int.from_bytes(self.hash(), "little") < 1 << 255) != good:
            self.nonce += 1
        return self


def script_number(n):
    if 1 <= n <= 16:
        return bytes([0x50 + n])
    size = (n.bit_length() + 8) // 8
    return bytes([size]) + n.to_bytes(size, "little")


def coinbase(height, value, extra=b"\0", script=b"\x51"):
    """Without witness and so without a commitment."""
    sig = script_number(height) + bytes([len(extra)]) + extra
    return (struct.pack("<i", 1) + b"\x01" + bytes(32) + b"\xff" * 4 + compact(len(sig)) + sig + b"\xff" * 4 +
            b"\x01" + struct.pack("<q", value) + compact(len(script)) + script + bytes(4))


def merkle(ids):
    while len(ids) > 1:
        ids = ids + ids[-1:] if len(ids) % 2 else ids
        ids = [sha256d(ids[i] + ids[i + 1]) for i in range(0, len(ids), 2)]
    return ids[0]


def block(header, txs):
    return header.raw() + compact(len(txs)) + b"".join(txs)


class Closed(Exception):
    """The node has closed the connection."""


class Peer:
    def __init__(self, node, handshake=True, features=("wtxidrelay", "sendaddrv2"), source=None, **say):
        self.node = node
        self.magic = MAGIC.get(node.chain) or magic_of(node)
        self.sock = socket.create_connection(("127.0.0.1", node.port), timeout=framework.TIMEOUT_S,
                                             source_address=source)
        self.buffer = b""
        self.seen = []  # (command, payload) in order
        self.closed = False
        if handshake:
            self.shake(features, **say)

    def shake(self, features=("wtxidrelay", "sendaddrv2"), **say):
        self.send("version", version(**say))
        for f in features:
            self.send(f)
        self.send("verack")
        self.wait("verack")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.closed = True

    def send(self, command, payload=b"", **lies):
        self.raw(frame(self.magic, command, payload, **lies))

    def receive(self):
        """The next message; answers pings by itself."""
        while True:
            if len(self.buffer) >= 24:
                size = struct.unpack_from("<I", self.buffer, 16)[0]
                if len(self.buffer) >= 24 + size:
                    assert self.buffer[:4] == self.magic, self.buffer[:4].hex()
                    command = self.buffer[4:16].rstrip(b"\0").decode()
                    payload, checksum = self.buffer[24:24 + size], self.buffer[20:24]
                    assert sha256d(payload)[:4] == checksum
                    self.buffer = self.buffer[24 + size:]
                    self.seen.append((command, payload))
                    if command == "ping":
                        self.send("pong", payload)
                    return command, payload
            try:
                more = self.sock.recv(1 << 16)
            except (ConnectionError, socket.timeout) as e:
                if isinstance(e, socket.timeout):
                    raise AssertionError("the node is silent") from None
                more = b""
            if not more:
                self.closed = True
                raise Closed
            self.buffer += more

    def wait(self, command, accept=lambda payload: True):
        """The next message of this name that accept likes."""
        while True:
            name, payload = self.receive()
            if name == command and accept(payload):
                return payload

    def sync(self):
        """Everything sent before is handled when this returns."""
        nonce = os.urandom(8)
        self.send("ping", nonce)
        self.wait("pong", lambda p: p == nonce)

    def wait_closed(self):
        try:
            while True:
                self.receive()
        except Closed:
            return

    def commands(self):
        return [c for c, _ in self.seen]


def magic_of(node):
    """Learned from the node itself: it connects to a socket of ours and speaks first."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        s.settimeout(framework.TIMEOUT_S)
        node.rpc.addnode(f"127.0.0.1:{s.getsockname()[1]}", "onetry")
        c, _ = s.accept()
        with c:
            c.settimeout(framework.TIMEOUT_S)
            got = c.recv(24)
    MAGIC[node.chain] = got[:4]
    return got[:4]
