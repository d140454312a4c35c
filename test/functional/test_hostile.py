"""Peers that lie, flood, stall and babble: the node stays up, honest peers stay connected, liars go."""
import hashlib
import os
import random
import socket
import struct
import time

import framework
from peer import (BLOCK, MAX_PAYLOAD, TX, WITNESS, WTX, Closed, Header, Peer, block, coinbase, compact, frame, inv,
                  merkle, sha256d, version)

UNKNOWN = bytes(range(32))


class Hostile(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-debug=net", "-debug=mempool")
        self.node.generate(3)
        self.honest = Peer(self.node)
        self.honest.sync()

    def tearDown(self):
        try:
            self.honest.sync()  # still connected, still answered
            self.assertTrue(self.node.running())
        finally:
            self.honest.sock.close()
            super().tearDown()

    def assert_log(self, *texts):
        self.wait_until(lambda: all(t in self.node.log() for t in texts), what=f"log says {texts}")

    def next_header(self, root=None, after=None, step=1):
        tip = self.node.rpc.getblockheader(after or self.node.tip())
        prev = bytes.fromhex(tip["hash"])[::-1]
        return Header(prev, root or bytes(32), tip["time"] + step), tip["height"] + 1

    def next_block(self, change=lambda txs, header: None, value=50 * 10**8, good=True, extra=b"\0"):
        """A block on the tip; change may spoil it before it is mined."""
        header, height = self.next_header()
        txs = [coinbase(height, value, extra)]
        header.root = merkle([sha256d(t) for t in txs])
        change(txs, header)
        header.mine(good)
        return header, block(header, txs)


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


class TestHeaders(Hostile):
    def headers(self, *hs):
        return compact(len(hs)) + b"".join(h.raw() + b"\0" for h in hs)

    def test_no_work(self):
        h, _ = self.next_header()
        with Peer(self.node) as p:
            p.send("headers", self.headers(h.mine(good=False)))
            p.wait_closed()
        self.assert_log("header with invalid proof of work")

    def test_not_continuous(self):
        a, _ = self.next_header()
        b, _ = self.next_header(step=2)
        with Peer(self.node) as p:
            p.send("headers", self.headers(a.mine(), b.mine()))
            p.sync()
        self.assert_log("non-continuous headers sequence")

    def test_wrong_bits(self):
        h, _ = self.next_header()
        h.bits = 0x207ffffe
        with Peer(self.node) as p:
            p.send("headers", self.headers(h.mine()))
            p.wait_closed()
        self.assert_log("bad-diffbits")

    def test_too_old(self):
        h, _ = self.next_header(step=-100000000)
        with Peer(self.node) as p:
            p.send("headers", self.headers(h.mine()))
            p.wait_closed()
        self.assert_log("time-too-old")

    def test_from_the_future_is_no_crime(self):
        h, _ = self.next_header(step=8000)
        with Peer(self.node) as p:
            p.send("headers", self.headers(h.mine()))
            p.sync()
        self.assert_log("time-too-new")

    def test_unconnecting(self):
        """Tolerated now and then: it makes the node ask; ten in a row cost."""
        with Peer(self.node) as p:
            for i in range(9):
                p.send("headers", self.headers(Header(os.urandom(32), bytes(32), 1700000000).mine()))
                p.sync()
            self.assertNotIn("non-connecting headers", self.node.log())
            p.send("headers", self.headers(Header(os.urandom(32), bytes(32), 1700000000).mine()))
            p.sync()
            self.assert_log("10 non-connecting headers")

    def test_low_work_flood(self):
        """Endless headers of little work: each is checked, none is kept."""
        self.node.generate(200)
        genesis = self.node.rpc.getblockhash(0)
        before = len(self.node.rpc.getchaintips())
        with Peer(self.node) as p:
            prev, at = bytes.fromhex(genesis)[::-1], self.node.rpc.getblockheader(genesis)["time"]
            for _ in range(10):
                hs = []
                for _ in range(5):
                    at += 1
                    h = Header(prev, os.urandom(32), at).mine()
                    prev = h.hash()
                    hs.append(h)
                p.send("headers", self.headers(*hs))
                p.sync()
                prev, at = bytes.fromhex(genesis)[::-1], self.node.rpc.getblockheader(genesis)["time"]
        self.assert_log("Ignoring low-work chain (height=5)")
        self.assertEqual(len(self.node.rpc.getchaintips()), before)

    def test_presync_remembers_nothing(self):
        """2,000 headers a message, work below ours: walked without being kept, until it comes to nothing."""
        self.node.generate(2300)
        genesis = self.node.rpc.getblockhash(0)
        before = len(self.node.rpc.getchaintips())
        with Peer(self.node) as p:
            p.sync()
            prev, at, hs = bytes.fromhex(genesis)[::-1], self.node.rpc.getblockheader(genesis)["time"], []
            for _ in range(2000):
                at += 1
                h = Header(prev, bytes(32), at).mine()
                prev = h.hash()
                hs.append(h)
            p.seen.clear()
            p.send("headers", self.headers(*hs))
            ask = p.wait("getheaders")
            self.assertEqual(ask[5:37], prev)  # it asks on from the last
            self.assertEqual(self.node.rpc.getpeerinfo()[-1]["presynced_headers"], 2000)
            p.send("headers", self.headers())
            p.sync()
            self.assertEqual(self.node.rpc.getpeerinfo()[-1]["presynced_headers"], -1)
        self.assertEqual(len(self.node.rpc.getchaintips()), before)


class TestBlocks(Hostile):
    def refuse(self, raw, reason, closed=True):
        tip = self.node.tip()
        with Peer(self.node) as p:
            p.send("block", raw)
            if closed:
                p.wait_closed()
            else:
                p.sync()
        self.assert_log(reason)
        self.assertEqual(self.node.tip(), tip)

    def test_good_block(self):
        header, raw = self.next_block()
        with Peer(self.node) as p:
            p.send("block", raw)
            p.sync()
        self.assertEqual(self.node.tip(), header.hash()[::-1].hex())
        # And others hear of it.
        self.honest.wait("inv", lambda payload: header.hash() in payload)

    def test_no_work(self):
        self.refuse(self.next_block(good=False)[1], "high-hash")

    def test_wrong_root(self):
        def spoil(_, header):
            header.root = bytes(32)
        self.refuse(self.next_block(spoil)[1], "bad-txnmrklroot")

    def test_too_much_money(self):
        self.refuse(self.next_block(value=50 * 10**8 + 1)[1], "bad-cb-amount")

    def test_wrong_height(self):
        def spoil(txs, header):
            txs[0] = coinbase(99, 50 * 10**8)
            header.root = merkle([sha256d(txs[0])])
        self.refuse(self.next_block(spoil)[1], "bad-cb-height")

    def test_missing_input(self):
        def spoil(txs, header):
            txs.append(struct.pack("<i", 2) + b"\x01" + UNKNOWN + bytes(4) + b"\0" + b"\xff" * 4 + b"\x01" +
                       struct.pack("<q", 1) + b"\x01\x51" + bytes(4))
            header.root = merkle([sha256d(t) for t in txs])
        self.refuse(self.next_block(spoil)[1], "bad-txns-inputs-missingorspent")

    def test_duplicate_transaction_is_mutation(self):
        """CVE-2012-2459: the hash is not condemned for it."""
        header, height = self.next_header()
        spend = (struct.pack("<i", 2) + b"\x01" + UNKNOWN + bytes(4) + b"\0" + b"\xff" * 4 + b"\x01" +
                 struct.pack("<q", 1) + b"\x01\x51" + bytes(4))
        txs = [coinbase(height, 50 * 10**8), spend[:-4] + b"\1\0\0\0", spend, spend]
        header.root = merkle([sha256d(t) for t in txs])
        self.refuse(block(header.mine(), txs), "bad-txns-duplicate")

    def test_unknown_parent(self):
        h = Header(UNKNOWN, bytes(32), 1700000000)
        txs = [coinbase(5, 1)]
        h.root = merkle([sha256d(txs[0])])
        self.refuse(block(h.mine(), txs), "prev-blk-not-found", closed=False)

    def test_on_a_bad_block(self):
        header, raw = self.next_block(value=51 * 10**8)
        self.refuse(raw, "bad-cb-amount")
        child = Header(header.hash(), bytes(32), header.time + 1).mine()
        with Peer(self.node) as p:
            p.send("headers", b"\x01" + child.raw() + b"\0")
            p.wait_closed()
        self.assert_log("bad-prevblk")

    def test_mutated_body_does_not_condemn(self):
        header, raw = self.next_block()
        spoiled = raw[:-5] + b"\x52" + raw[-4:]  # another script: another txid
        self.refuse(spoiled, "bad-txnmrklroot")
        self.assert_log("Received mutated block from peer=")
        with Peer(self.node) as p:
            p.send("block", raw)
            p.sync()
        self.assertEqual(self.node.tip(), header.hash()[::-1].hex())

    def test_half_a_block(self):
        _, raw = self.next_block()
        with Peer(self.node) as p:
            p.send("block", raw[:-1])
            p.sync()
            self.assert_log("malformed block message")
            p.send("block", raw + b"\0")  # what follows is not looked at
            p.sync()
        self.assertEqual(self.node.tip(), sha256d(raw[:80])[::-1].hex())
        self.assertEqual(self.node.rpc.getblock(self.node.tip(), 0), raw.hex())

    def test_unknown_parents(self):
        """A block of nobody's chain, again and again: ten times are enough, also when they come at once."""
        header, raw = self.next_block()
        orphan = Header(UNKNOWN, header.root, header.time).mine()
        with Peer(self.node) as p:
            for _ in range(10):
                p.send("block", orphan.raw() + raw[80:])
            p.wait_closed()
        self.assert_log("(90 -> 100) DISCOURAGE THRESHOLD EXCEEDED: prev-blk-not-found")
        self.assertEqual(self.node.log().count("AcceptBlock FAILED (prev-blk-not-found)"), 10)

    def test_promises_nothing_delivers(self):
        """A peer that announces a block and never sends it does not keep the node from getting it elsewhere."""
        other = self.start_node()
        other.connect(self.node)
        framework.sync([self.node, other])
        for p in other.rpc.getpeerinfo():
            other.rpc.disconnectnode(p["addr"])
        self.wait_until(lambda: not other.rpc.getpeerinfo(), what="apart")
        other.generate(5)
        first = other.rpc.getblockheader(other.rpc.getblockhash(4), False)
        with Peer(self.node) as p:
            p.sync()
            p.send("headers", b"\x01" + bytes.fromhex(first) + b"\0")
            p.wait("getdata")
            self.node.connect(other)
            # Asked of the first: the rest comes, and when it leaves, so does this one.
        framework.sync([self.node, other])


class TestCompactBlocks(Hostile):
    """BIP 152 from who does not keep it."""

    def setUp(self):
        super().setUp()
        header, height = self.next_header()
        self.cb = coinbase(height, 50 * 10**8)
        self.second = coinbase(height, 1)  # no block may hold it: the node cannot have it
        header.root = merkle([sha256d(self.cb), sha256d(self.second)])
        self.header = header.mine()

    def compact(self, short=(bytes(6),), whole=((0, None),), header=None):
        header = header or self.header
        return (header.raw() + bytes(8) + compact(len(short)) + b"".join(short) + compact(len(whole)) +
                b"".join(compact(at) + (tx or self.cb) for at, tx in whole))

    def test_honest(self):
        """A whole block in it needs no question."""
        header, raw = self.next_block()
        with Peer(self.node) as p:
            p.send("sendcmpct", b"\0" + struct.pack("<Q", 2))
            p.send("cmpctblock", self.compact(short=(), whole=((0, raw[81:]),), header=header))
            # From now on it may announce so.
            p.wait("sendcmpct", lambda s: s == b"\1" + struct.pack("<Q", 2))
        self.assertEqual(self.node.tip(), header.hash()[::-1].hex())

    def test_served(self):
        with Peer(self.node) as p:
            tip = bytes.fromhex(self.node.tip())[::-1]
            p.send("getdata", inv((4, tip)))
            got = p.wait("cmpctblock")
            self.assertEqual(sha256d(got[:80]), tip)
            p.send("getblocktxn", tip + b"\1\0")
            self.assertEqual(p.wait("blocktxn")[:33], tip + b"\1")

    def test_impossible(self):
        for payload in (self.compact(short=(), whole=()), self.compact(whole=((2, None),)),
                        self.compact(whole=((0, None), (2, None)))):
            with Peer(self.node) as p:
                p.send("cmpctblock", payload)
                p.wait_closed()
        self.assert_log("invalid compact block")

    def test_no_work(self):
        self.header.mine(good=False)
        with Peer(self.node) as p:
            p.send("cmpctblock", self.compact())
            p.wait_closed()
        self.assert_log("invalid header via cmpctblock")

    def test_wrong_number_of_transactions(self):
        with Peer(self.node) as p:
            p.send("cmpctblock", self.compact())
            self.assertEqual(p.wait("getblocktxn"), self.header.hash() + b"\1\1")
            p.send("blocktxn", self.header.hash() + b"\2" + self.second * 2)
            p.wait_closed()
        self.assert_log("invalid compact block/non-matching block transactions")

    def test_wrong_transaction(self):
        """May be a clash of short ids: the whole block is asked for instead."""
        with Peer(self.node) as p:
            p.send("cmpctblock", self.compact())
            p.wait("getblocktxn")
            p.send("blocktxn", self.header.hash() + b"\1" + coinbase(7, 7))
            self.assertEqual(p.wait("getdata"), inv((BLOCK | WITNESS, self.header.hash())))

    def test_bad_block(self):
        """Peers may pass a compact block on before they judged it: no punishment."""
        with Peer(self.node) as p:
            p.send("cmpctblock", self.compact())
            p.wait("getblocktxn")
            p.send("blocktxn", self.header.hash() + b"\1" + self.second)
            p.sync()
        self.assert_log("bad-cb-multiple")

    def test_two_at_once(self):
        """The one that is put together no further is asked for whole."""
        height = self.node.height() + 2
        cb = coinbase(height, 1)
        header = Header(self.header.hash(), merkle([sha256d(cb), sha256d(self.second)]), self.header.time + 1).mine()
        with Peer(self.node) as p:
            p.send("cmpctblock", self.compact())
            p.wait("getblocktxn")
            p.send("cmpctblock", self.compact(whole=((0, cb),), header=header))
            self.assertEqual(p.wait("getdata"), inv((BLOCK | WITNESS, self.header.hash())))
            self.assertEqual(p.wait("getblocktxn"), header.hash() + b"\1\1")

    def test_out_of_bounds(self):
        tip = bytes.fromhex(self.node.tip())[::-1]
        with Peer(self.node) as p:
            p.send("getblocktxn", tip + b"\1\5")
            p.wait_closed()
        self.assert_log("getblocktxn with out-of-bounds tx indices")

    def test_not_asked_for(self):
        with Peer(self.node) as p:
            p.send("blocktxn", bytes(32) + b"\0")
            p.send("getblocktxn", UNKNOWN + b"\1\0")
            p.sync()
        self.assert_log("sent us block transactions for block we weren't expecting",
                        "sent us a getblocktxn for a block we don't have")

    def test_unknown_parent(self):
        header = Header(UNKNOWN, bytes(32), self.header.time).mine()
        with Peer(self.node) as p:
            p.sync()
            p.seen.clear()
            p.send("headers", b"\0")  # answers what was asked at first
            p.send("cmpctblock", self.compact(header=header))
            p.wait("getheaders")


class TestSilentAnnouncer(Hostile):
    """Who announced a block first and does not complete it does not hold it up (BIP 152, high bandwidth)."""

    def give(self, p):
        """A block whole, as a compact one: the giver may announce so from now on."""
        header, raw = self.next_block(extra=os.urandom(4))
        p.send("sendcmpct", b"\0" + struct.pack("<Q", 2))
        p.send("cmpctblock", header.raw() + bytes(8) + b"\0\1\0" + raw[81:])
        p.wait("sendcmpct", lambda s: s == b"\1" + struct.pack("<Q", 2))

    def announce(self, p):
        p.seen.clear()
        p.send("cmpctblock", self.header.raw() + bytes(8) + b"\1" + bytes(6) + b"\1\0" + self.cb)
        p.sync()
        return b"".join(payload for command, payload in p.seen if command == "getblocktxn")

    def make_block(self, outpoint):
        """With a transaction that the node has never seen."""
        header, height = self.next_header()
        self.cb = coinbase(height, 50 * 10**8)
        self.tx = (struct.pack("<i", 1) + b"\1" + outpoint + b"\0" + b"\xff" * 4 + b"\1" + struct.pack("<q", 10**8) +
                   b"\1\x51" + bytes(4))
        header.root = merkle([sha256d(self.cb), sha256d(self.tx)])
        self.header = header.mine()

    def test_another_completes(self):
        header, raw = self.next_block()
        coins = sha256d(raw[81:]) + bytes(4)
        self.honest.send("block", raw)
        self.honest.sync()
        self.node.generate(101)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            s.settimeout(framework.TIMEOUT_S)
            self.node.rpc.addconnection(f"127.0.0.1:{s.getsockname()[1]}", "outbound-full-relay")
            c, _ = s.accept()
        ours = Peer.__new__(Peer)
        ours.node, ours.magic, ours.sock, ours.buffer, ours.seen, ours.closed = self.node, self.honest.magic, c, b"", [], False
        c.settimeout(framework.TIMEOUT_S)
        ours.shake()
        peers = [Peer(self.node) for _ in range(3)]
        for p in peers:
            self.give(p)
        self.make_block(coins)
        ask = self.header.hash() + b"\1\1"
        # Two of those who connected to us are asked; the third place is for one that we chose.
        self.assertEqual([self.announce(p) for p in peers], [ask, ask, b""])
        self.assertEqual(self.announce(ours), b"")  # was not told to announce so
        self.assertEqual(self.announce(peers[0]), b"")
        self.assert_log("Peer sent us compact block we were already syncing!")
        peers[1].send("blocktxn", self.header.hash() + b"\1" + self.tx)
        peers[1].sync()
        self.assertEqual(self.node.tip(), self.header.hash()[::-1].hex())
        peers[0].send("blocktxn", self.header.hash() + b"\1" + self.tx)
        peers[0].sync()
        self.assert_log("sent us block transactions for block we weren't expecting")
        # With an outbound one among them there are three.
        self.give(ours)
        self.make_block(sha256d(self.tx) + bytes(4))
        ask = self.header.hash() + b"\1\1"
        got = [self.announce(p) for p in (peers[1], peers[2], ours)]
        self.assertEqual((got[0] or got[1], got[2]), (ask, ask))
        ours.send("blocktxn", self.header.hash() + b"\1" + self.tx)
        ours.sync()
        self.assertEqual(self.node.tip(), self.header.hash()[::-1].hex())
        for p in peers + [ours]:
            p.sock.close()

    def test_refused_ones_are_remembered(self):
        """A transaction that the pool did not take need not be fetched when a block has it."""
        header, raw = self.next_block()
        self.honest.send("block", raw)
        self.honest.sync()
        self.node.generate(101)
        self.make_block(sha256d(raw[81:]) + bytes(4))
        with Peer(self.node) as p:
            p.send("tx", self.tx)  # bare OP_TRUE, and too small
            p.sync()
            self.assertEqual(self.node.rpc.getrawmempool(), [])
            k = hashlib.sha256(self.header.raw() + bytes(8)).digest()
            short = siphash(k[:8], k[8:16], sha256d(self.tx))[:6]
            p.send("cmpctblock", self.header.raw() + bytes(8) + b"\1" + short + b"\1\0" + self.cb)
            p.sync()
        self.assertEqual(self.node.tip(), self.header.hash()[::-1].hex())


def siphash(k0, k1, data):
    """SipHash-2-4 of 32 bytes."""
    mask = (1 << 64) - 1
    k0, k1 = int.from_bytes(k0, "little"), int.from_bytes(k1, "little")
    v = [0x736f6d6570736575 ^ k0, 0x646f72616e646f6d ^ k1, 0x6c7967656e657261 ^ k0, 0x7465646279746573 ^ k1]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & mask

    def rounds(n):
        for _ in range(n):
            v[0], v[2] = (v[0] + v[1]) & mask, (v[2] + v[3]) & mask
            v[1], v[3] = turn(v[1], 13) ^ v[0], turn(v[3], 16) ^ v[2]
            v[0] = turn(v[0], 32)
            v[2], v[0] = (v[2] + v[1]) & mask, (v[0] + v[3]) & mask
            v[1], v[3] = turn(v[1], 17) ^ v[2], turn(v[3], 21) ^ v[0]
            v[2] = turn(v[2], 32)
    for i in list(range(0, 32, 8)) + [None]:
        word = 32 << 56 if i is None else int.from_bytes(data[i:i + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")


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
