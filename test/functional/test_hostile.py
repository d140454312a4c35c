"""Peers that lie, flood, stall and babble: the node stays up, honest peers stay connected, liars go."""
import os
import random
import socket
import struct
import time

import framework
from hostile import Hostile
from peer import BLOCK, MAX_PAYLOAD, TX, WITNESS, WTX, Closed, Peer, compact, frame, inv, version


class TestEnvelope(Hostile):
    def test_wrong_magic(self):
        with Peer(self.node) as p:
            p.raw(b"\xff\xff\xff\xff" + frame(p.magic, "ping", b"12345678")[4:])
            p.wait_closed()
        self.assert_log("Header error: Wrong MessageStart ffffffff received")

    def test_garbage(self):
        rng = random.Random(1)
        for size in (1, 23, 24, 100, 100000):
            with Peer(self.node, handshake=False) as p:
                p.raw(bytes(rng.randrange(256) for _ in range(size)))
                if size >= 24:
                    p.wait_closed()

    def test_oversized_length(self):
        with Peer(self.node) as p:
            p.raw(frame(p.magic, "block", b"", length=MAX_PAYLOAD + 1))
            p.wait_closed()
        self.assert_log(f"Header error: Size too large (block, {MAX_PAYLOAD + 1} bytes)")

    def test_largest_message_is_taken(self):
        with Peer(self.node) as p:
            p.send("unknownmsg", bytes(MAX_PAYLOAD))
            p.sync()
        self.assert_log(f"received: unknownmsg ({MAX_PAYLOAD} bytes)")

    def test_wrong_checksum(self):
        with Peer(self.node) as p:
            p.send("ping", b"12345678", checksum=b"\xff\xff\xff\xff")
            p.sync()  # skipped, not fatal: a line may be bad
        self.assert_log("Header error: Wrong checksum (ping, 8 bytes)")

    def test_invalid_command(self):
        with Peer(self.node) as p:
            for command in (b"\xff" * 12, b"ping\0x", b"pi\x01ng", b""):
                p.send(command)
            p.sync()
        self.assert_log("Header error: Invalid message type")

    def test_half_messages(self):
        whole = frame(self.honest.magic, "version", version())
        for end in (1, 10, 24, 50, len(whole) - 1):
            with Peer(self.node, handshake=False) as p:
                p.raw(whole[:end])
        self.wait_until(lambda: len(self.node.rpc.getpeerinfo()) == 1, what="half peers are gone")

    def test_byte_by_byte(self):
        with Peer(self.node, handshake=False) as p:
            p.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for b in frame(p.magic, "version", version()) + frame(p.magic, "verack", b""):
                p.raw(bytes([b]))
            p.wait("verack")
            p.sync()

    def test_many_at_once(self):
        with Peer(self.node) as p:
            p.raw(b"".join(frame(p.magic, "ping", struct.pack("<Q", i)) for i in range(5000)))
            for i in range(5000):
                self.assertEqual(p.wait("pong"), struct.pack("<Q", i))


class TestHandshake(Hostile):
    def test_reconciliation_is_ignored(self):
        with Peer(self.node, handshake=False) as p:
            p.send("version", version())
            p.send("sendtxrcncl", struct.pack("<IQ", 1, 2))
            p.send("verack")
            p.wait("verack")
            p.sync()
        self.assert_log("ignored, as our node does not have txreconciliation enabled")

    def test_before_version(self):
        with Peer(self.node, handshake=False) as p:
            for command in ("verack", "ping", "inv", "getaddr"):
                p.send(command, b"\0" * 8)
            p.shake()
            p.sync()
        self.assert_log('non-version message before version handshake. Message "ping" from peer=1')

    def test_before_verack(self):
        with Peer(self.node, handshake=False) as p:
            p.send("version", version())
            p.send("ping", b"12345678")
            p.send("getaddr")
            p.send("verack")
            p.wait("verack")
            p.sync()
            self.assertNotIn(("pong", b"12345678"), p.seen)
        self.assert_log('Unsupported message "getaddr" prior to verack from peer=1')

    def test_second_version(self):
        with Peer(self.node) as p:
            p.send("version", version())
            p.sync()
        self.assert_log("redundant version message from peer=1")

    def test_second_verack(self):
        with Peer(self.node) as p:
            p.send("verack")
            p.sync()
        self.assert_log("ignoring redundant verack message from peer=1")

    def test_late_features(self):
        for command in ("wtxidrelay", "sendaddrv2"):
            with Peer(self.node) as p:
                p.send(command)
                p.wait_closed()
            self.assert_log(f"{command} received after verack")

    def test_obsolete_version(self):
        with Peer(self.node, handshake=False) as p:
            p.send("version", version(number=31799))
            p.wait_closed()
        self.assert_log("using obsolete version 31799; disconnecting")

    def test_clocks_of_any_time(self):
        for clock, offset in (-2**63, None), (-1, None), (2**63 - 1, 2**63 - 1):
            said = bytearray(version())
            struct.pack_into("<q", said, 12, clock)
            with Peer(self.node, handshake=False) as p:
                p.send("version", bytes(said))
                p.send("verack")
                p.wait("verack")
                p.sync()
                now = int(time.time())
                shown = self.node.rpc.getpeerinfo()[-1]["timeoffset"]
                self.assertAlmostEqual(shown, (offset or 0) - now, delta=60)

    def test_malformed_version(self):
        for payload in (b"", bytes(20), version()[:60], version(agent=b"a" * 257)):
            with Peer(self.node, handshake=False) as p:
                p.send("version", payload)
                p.wait_closed()

    def test_old_peer_gets_no_new_messages(self):
        with Peer(self.node, handshake=False) as p:
            p.send("version", version(number=70001))
            p.send("verack")
            p.wait("verack")
            p.sync()
            for command in ("wtxidrelay", "sendaddrv2", "sendheaders", "feefilter"):
                self.assertNotIn(command, p.commands())

    def test_order(self):
        """As Core 27 greets who connects to it."""
        with Peer(self.node) as p:
            p.sync()
            self.assertEqual(p.commands()[:4], ["version", "wtxidrelay", "sendaddrv2", "verack"])
            rest = p.commands()[4:]
            self.assertIn("ping", rest)
            self.assertIn("getheaders", rest)
            self.assertIn("feefilter", rest)

    def test_silence_is_dropped(self):
        self.node.stop()
        self.node.start("-debug=net", "-peertimeout=1")
        with Peer(self.node, handshake=False) as p, Peer(self.node, handshake=False) as q:
            q.send("version", version())  # and no verack
            q.wait_closed()
            p.wait_closed()
        self.assert_log("version handshake timeout", "socket no message in first 1 seconds")
        self.honest = Peer(self.node)


class TestMessages(Hostile):
    def assert_score(self, command, payload, text, closed=False):
        with Peer(self.node) as p:
            p.send(command, payload)
            if closed:
                p.wait_closed()
            else:
                p.sync()
        self.assert_log("Misbehaving: peer=", text)

    def test_too_many_items(self):
        self.assert_score("inv", compact(50001) + bytes(36 * 50001), "inv message size = 50001")
        self.assert_score("getdata", compact(50001) + bytes(36 * 50001), "getdata message size = 50001")
        self.assert_score("headers", compact(2001) + bytes(81 * 2001), "headers message size = 2001")
        self.assert_score("addr", compact(1001) + bytes(30 * 1001), "addr message size = 1001")
        self.assert_score("addrv2", compact(1001) + (bytes(5) + b"\x01\x04" + bytes(6)) * 1001,
                          "addrv2 message size = 1001")

    def test_five_times_is_enough(self):
        with Peer(self.node) as p:
            for _ in range(5):
                p.send("inv", compact(50001) + bytes(36 * 50001))
            p.wait_closed()
        self.assert_log("(80 -> 100) DISCOURAGE THRESHOLD EXCEEDED: inv message size = 50001")

    def test_malformed_payloads(self):
        rng = random.Random(2)
        commands = ("inv", "getdata", "notfound", "getheaders", "getblocks", "headers", "block", "tx", "addr",
                    "addrv2", "feefilter", "sendcmpct", "ping", "pong")
        for command in commands:
            for size in (0, 1, 5, 33, 200):
                with Peer(self.node) as p:
                    p.send(command, bytes(rng.randrange(256) for _ in range(size)))
                    try:
                        p.sync()
                    except Closed:
                        pass
        self.assert_log("malformed inv message")

    def test_long_locator(self):
        for command in ("getheaders", "getblocks"):
            with Peer(self.node) as p:
                p.send(command, struct.pack("<I", 70016) + compact(102) + bytes(32 * 103))
                p.wait_closed()
            self.assert_log(f"{command} locator size 102 > 101, disconnect")
            with Peer(self.node) as p:
                p.send(command, struct.pack("<I", 70016) + compact(101) + bytes(32 * 102))
                p.sync()

    def test_not_offered(self):
        for command in ("filterload", "filteradd", "filterclear", "mempool", "getcfilters", "getcfheaders", "getcfcheckpt"):
            with Peer(self.node) as p:
                p.send(command, bytes(40))
                p.wait_closed()

    def test_unknown_commands(self):
        with Peer(self.node) as p:
            for command in ("hello", "sendstorage", "merkleblock", "alert", "reject", "zzzzzzzzzzzz"):
                p.send(command, b"whatever")
            p.sync()
        self.assert_log('Unknown command "hello" from peer=1')

    def test_floods(self):
        """Inventory, addresses, pings without end: the node answers others meanwhile."""
        rng = random.Random(3)
        with Peer(self.node) as p:
            for _ in range(5):
                p.send("inv", inv(*((WTX, rng.randbytes(32)) for _ in range(20000))))
                p.send("addr", compact(1000) + b"".join(
                    struct.pack("<IQ", int(time.time()), 9) + bytes(10) + b"\xff\xff" + rng.randbytes(4) +
                    b"\x20\x8d" for _ in range(1000)))
            self.honest.sync()
            p.sync()
            info = [x for x in self.node.rpc.getpeerinfo() if x["addr_processed"] or x["addr_rate_limited"]]
            self.assertEqual(len(info), 1)
            self.assertLess(info[0]["addr_processed"], 20)
            self.assertGreater(info[0]["addr_rate_limited"], 4900)

    def test_who_does_not_read(self):
        """Asks for a megabyte again and again and reads nothing: what waits for it stays bounded."""
        hashes = [self.node.rpc.getblockhash(h) for h in range(4)]
        with Peer(self.node) as p:
            p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            p.sock.settimeout(2)
            ask = inv(*((BLOCK | WITNESS, bytes.fromhex(h)[::-1]) for h in hashes * 5000))
            while not p.closed:  # until the node takes no more of this
                p.send("getdata", ask)
            self.honest.sync()
            rss = int(next(line for line in open(f"/proc/{self.node.process.pid}/status")
                           if line.startswith("VmRSS")).split()[1])
            self.assertLess(rss, 400 * 1024)

    def test_buffers(self):
        """Who does not read is served no further than -maxsendbuffer, and then read no further than -maxreceivebuffer."""
        for send, receive in (1, 100), (300, 1):
            with self.subTest(send=send, receive=receive):
                self.honest.sock.close()
                self.node.stop()
                self.node.start(f"-maxsendbuffer={send}", f"-maxreceivebuffer={receive}")
                hashes = [bytes.fromhex(self.node.rpc.getblockhash(h))[::-1] for h in range(4)]
                with Peer(self.node) as p:
                    def info():
                        return self.node.rpc.getpeerinfo()[0]

                    def waiting():
                        i = info()
                        return sum(i["bytessent_per_msg"].values()) - i["bytessent"]

                    def pings():
                        return info()["bytesrecv_per_msg"].get("ping", 0)
                    before = pings()
                    p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    p.send("getdata", inv(*((BLOCK | WITNESS, h) for h in hashes * 12500)))
                    self.wait_until(lambda: waiting() >= send * 1000, what="the send buffer is full")
                    self.assertLess(waiting(), send * 1000 + 1000)
                    for _ in range(200000 // 32):
                        p.send("ping", bytes(8))
                    self.wait_until(lambda: pings() - before >= receive * 1000 // 8, what="the receive buffer is full")
                    self.assertLess(pings() - before, receive * 1000 + 100)
                    self.assertLess(waiting(), send * 1000 + 1000)
                self.honest = Peer(self.node)

    def test_many_connections(self):
        self.node.stop()
        self.node.start("-debug=net", "-maxconnections=20")  # 9 inbound
        peers = []
        try:
            for _ in range(40):
                try:
                    peers.append(Peer(self.node))
                except (Closed, OSError):
                    pass
            self.wait_until(lambda: len(self.node.rpc.getpeerinfo()) <= 9, what="no more than the limit")
            self.assertGreater(len(self.node.rpc.getpeerinfo()), 4)
        finally:
            for p in peers:
                p.sock.close()
        self.wait_until(lambda: not self.node.rpc.getpeerinfo(), what="all gone")
        self.honest = Peer(self.node)


class TestMutations(Hostile):
    def test_mutated_messages(self):
        """Valid messages with bits turned, cut, doubled: whatever the peer gets, the node lives."""
        seed = int(os.environ.get("CC_SEED", "20261121"))
        print(f"seed: CC_SEED={seed}")
        rng = random.Random(seed)
        header, raw = self.next_block()
        tip = bytes.fromhex(self.node.tip())[::-1]
        address = struct.pack("<IQ", int(time.time()), 9) + bytes(10) + b"\xff\xff\x08\x08\x08\x08\x20\x8d"
        tx = raw[81:]
        valid = {
            "version": version(), "verack": b"", "wtxidrelay": b"", "sendaddrv2": b"", "getaddr": b"",
            "inv": inv((TX, tip), (WTX, tip), (BLOCK, tip)), "getdata": inv((BLOCK | WITNESS, tip), (4, tip), (TX, tip)),
            "notfound": inv((TX, tip)), "addr": b"\2" + address * 2,
            "addrv2": b"\1" + struct.pack("<I", int(time.time())) + b"\x09\1\4\x08\x08\x04\x04\x20\x8d",
            "getheaders": struct.pack("<I", 70016) + b"\1" + tip + bytes(32),
            "getblocks": struct.pack("<I", 70016) + b"\1" + tip + bytes(32),
            "headers": b"\1" + header.raw() + b"\0", "block": raw, "tx": tx,
            "cmpctblock": header.raw() + bytes(8) + b"\0\1\0" + tx, "getblocktxn": tip + b"\1\0",
            "blocktxn": header.hash() + b"\1" + tx, "sendcmpct": b"\0" + struct.pack("<Q", 2),
            "feefilter": struct.pack("<Q", 1000), "ping": bytes(8), "pong": bytes(8), "sendheaders": b"",
            "mempool": b"", "sendstorage": struct.pack("<I", 1)}
        commands = sorted(valid)
        closed = 0
        for _ in range(60):
            shaken = rng.random() < 0.9
            with Peer(self.node, handshake=shaken) as p:
                for _ in range(25):
                    command = rng.choice(commands)
                    payload = bytearray(valid[command])
                    for _ in range(rng.randrange(4)):
                        kind = rng.randrange(4)
                        at = rng.randrange(len(payload) + 1)
                        if kind == 0 and payload:
                            payload[at % len(payload)] ^= 1 << rng.randrange(8)
                        elif kind == 1:
                            del payload[at:]
                        elif kind == 2:
                            payload[at:at] = rng.randbytes(rng.randrange(10))
                        else:
                            payload += payload[at:]
                    p.send(command, bytes(payload))
                try:
                    if shaken and rng.random() < 0.5:
                        p.sync()
                except Closed:
                    closed += 1
        self.assertGreater(closed, 0)


if __name__ == "__main__":
    framework.main()
