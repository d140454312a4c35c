"""What the node says to peers: handshakes both ways, addresses, announcements, serving, bans, timeouts."""
import os
import socket
import struct
import time

import framework
from peer import (BLOCK, TX, WITNESS, WTX, Closed, Header, Peer, block, coinbase, compact, inv, merkle, read_compact,
                  sha256d, version)

ZERO = bytes(32)


class Listener:
    """Waits for the node to connect."""

    def __init__(self, node, host="127.0.0.1"):
        self.node = node
        self.sock = socket.socket()
        self.sock.bind((host, 0))
        self.sock.listen()
        self.sock.settimeout(framework.TIMEOUT_S)
        self.address = f"{host}:{self.sock.getsockname()[1]}"

    def accept(self):
        c, _ = self.sock.accept()
        c.settimeout(framework.TIMEOUT_S)
        p = Peer.__new__(Peer)
        p.node, p.magic, p.sock = self.node, bytes.fromhex("fabfb5da"), c
        p.buffer, p.seen, p.closed = b"", [], False
        return p

    def open(self, kind):
        self.node.rpc.addconnection(self.address, kind)
        return self.accept()


class P2P(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        # No connections on its own: the addresses in these tests may be somebody's.
        self.node = self.start_node("-debug=net", "-debug=addrman", "-debug=validation", "-connect=0")
        self.node.generate(3)

    def assert_log(self, *texts):
        self.wait_until(lambda: all(t in self.node.log() for t in texts), what=f"log says {texts}")

    def info(self, **match):
        for p in self.node.rpc.getpeerinfo():
            if all(p[k] == v for k, v in match.items()):
                return p
        return None

    def tip(self):
        return bytes.fromhex(self.node.tip())[::-1]

    def make_block(self, prev, height, at, extra=b"\0"):
        cb = coinbase(height, 50 * 10**8 >> height // 150, extra)
        header = Header(prev, sha256d(cb), at).mine()
        return header, block(header, [cb])


class TestOutbound(P2P):
    def test_handshake(self):
        """Who connects speaks first, and is told features between version and verack."""
        p = Listener(self.node).open("outbound-full-relay")
        got = p.wait("version")
        self.assertEqual(struct.unpack_from("<i", got)[0], 70016)
        self.assertEqual(struct.unpack_from("<Q", got, 4)[0] & 9, 9)
        self.assertEqual(got[-1], 1)
        self.assertEqual(struct.unpack("<i", got[-5:-1])[0], 3)
        p.send("version", version())
        for command in ("wtxidrelay", "sendaddrv2", "verack", "getaddr"):
            self.assertEqual(p.receive()[0], command)
        p.send("verack")
        self.assertEqual(p.receive()[0], "sendcmpct")
        p.wait("getheaders")
        self.assert_log("New outbound-full-relay v1 peer connected: version: 70016, blocks=0, peer=0")
        i = self.info(id=0)
        self.assertEqual((i["inbound"], i["connection_type"], i["startingheight"]), (False, "outbound-full-relay", 0))
        self.assertEqual((i["transport_protocol_type"], i["session_id"], i["subver"]), ("v1", "", "/raw:1/"))

    def test_without_services(self):
        p = Listener(self.node).open("outbound-full-relay")
        p.send("version", version(services=0))
        p.wait_closed()
        self.assert_log("does not offer the expected services (00000000 offered, 00000009 expected); disconnecting")

    def test_limited_is_enough_near_the_tip(self):
        """Who has its last blocks only will do for who needs no others."""
        limited = 1 << 10 | 1 << 3
        p = Listener(self.node).open("outbound-full-relay")
        p.send("version", version(services=limited))
        p.wait("verack")
        at = self.node.rpc.getblockheader(self.node.tip())["time"]
        self.node.rpc.setmocktime(at + 144 * 600)
        p = Listener(self.node).open("outbound-full-relay")
        p.send("version", version(services=limited))
        p.wait_closed()
        self.assert_log("does not offer the expected services (00000408 offered, 00000009 expected); disconnecting")

    def test_manual_needs_none(self):
        listener = Listener(self.node)
        self.node.rpc.addnode(listener.address, "onetry")
        p = listener.accept()
        p.shake(services=0)
        p.sync()

    def test_feeler(self):
        p = Listener(self.node).open("feeler")
        p.send("version", version())
        p.wait_closed()
        self.assert_log("feeler connection completed")

    def test_block_relay_only(self):
        p = Listener(self.node).open("block-relay-only")
        p.shake()
        self.assertEqual(p.seen[0][1][-1], 0)  # no transactions, please
        p.sync()
        self.assertIs(self.info(id=0)["relaytxes"], False)  # though it asks for them
        self.assertNotIn("getaddr", p.commands())
        p.send("inv", inv((WTX, ZERO)))
        p.wait_closed()
        self.assert_log("inv sent in violation of protocol")

    def test_addr_fetch(self):
        """It is not asked for a chain that is missing, and goes when it gave more addresses than its own."""
        self.node.rpc.setmocktime(int(time.time()) + 2 * 24 * 3600)
        p = Listener(self.node).open("addr-fetch")
        p.shake()
        p.wait("getaddr")
        one = struct.pack("<IQ", int(time.time()), 9) + bytes(10) + b"\xff\xff\x08\x08\x08\x08\x20\x8d"
        p.send("addr", b"\1" + one)
        p.sync()
        p.sync()
        self.assertNotIn("getheaders", p.commands())
        p.send("addr", b"\2" + one + one)
        p.wait_closed()
        self.assert_log("addrfetch connection completed", "Added 1 addresses (of 1) from 127.0.0.1: 0 tried, 1 new")

    def test_addr_fetch_in_time(self):
        at = int(time.time())
        self.node.rpc.setmocktime(at)
        p = Listener(self.node).open("addr-fetch")
        p.shake()
        p.sync()
        self.node.rpc.setmocktime(at + 300)
        p.sync()
        self.node.rpc.setmocktime(at + 301)
        p.wait_closed()
        self.assert_log("addrfetch connection timeout; disconnecting peer=0")

    def test_chain_must_be_shown(self):
        """A peer we chose that shows no chain as good as ours gives its slot to another."""
        now = int(time.time())
        self.node.rpc.setmocktime(now)
        p = Listener(self.node).open("outbound-full-relay")
        p.shake()
        p.sync()
        for passed in (600, 1190):
            self.node.rpc.setmocktime(now + passed)
            p.sync()
        self.assertNotIn("to verify chain work", self.node.log())
        self.node.rpc.setmocktime(now + 1202)
        self.assert_log("sending getheaders to outbound peer=0 to verify chain work")
        self.node.rpc.setmocktime(now + 1202 + 122)
        p.wait_closed()
        self.assert_log("Disconnecting outbound peer 0 for old chain, best known block = <none>")

    def test_chain_is_shown(self):
        now = int(time.time())
        self.node.rpc.setmocktime(now)
        p = Listener(self.node).open("outbound-full-relay")
        p.shake()
        header = self.node.rpc.getblockheader(self.node.tip(), False)
        p.send("headers", b"\1" + bytes.fromhex(header) + b"\0")
        p.sync()
        self.assert_log("Protecting outbound peer=0 from eviction")
        for passed in (600, 1200, 1800, 2400):
            self.node.rpc.setmocktime(now + passed)
            p.sync()

    def test_punished_by_score_only_if_not_manual(self):
        listener = Listener(self.node)
        self.node.rpc.addnode(listener.address, "onetry")
        p = listener.accept()
        p.shake()
        bad = Header(self.tip(), ZERO, 1).mine()
        p.send("headers", b"\1" + bad.raw() + b"\0")
        p.sync()
        self.assert_log("time-too-old", "Warning: not punishing manually connected peer 0!")

    def test_ourselves(self):
        self.node.rpc.addnode(self.node.address, "onetry")
        self.assert_log("connected to self at")
        self.wait_until(lambda: not self.node.rpc.getpeerinfo(), what="alone again")

    def test_capacity(self):
        listeners = [Listener(self.node) for _ in range(3)]
        peers = [x.open("block-relay-only") for x in listeners[:2]]
        for p in peers:
            p.shake()
        self.assert_rpc_error(-34, "Error: Already at capacity for specified connection type.",
                              self.node.rpc.addconnection, listeners[2].address, "block-relay-only")


class TestAddresses(P2P):
    def address(self, i, at=None):
        return (struct.pack("<IQ", at or int(time.time()), 9) + bytes(10) + b"\xff\xff" +
                bytes([8, 8, i // 256, i % 256]) + b"\x20\x8d")

    def test_rate_limit(self):
        with Peer(self.node) as p:
            p.send("addr", compact(100) + b"".join(self.address(i) for i in range(100)))
            p.sync()
            i = self.info(addr_relay_enabled=True)
            self.assertEqual((i["addr_processed"], i["addr_rate_limited"]), (1, 99))
        self.assert_log("Received addr: 100 addresses (1 processed, 99 rate-limited)")

    def test_getaddr(self):
        for i in range(200):
            self.node.rpc.addpeeraddress(f"{8 + i % 100}.{i}.3.4", 8333)
        known = len(self.node.rpc.getnodeaddresses(0))
        self.assertGreater(known, 150)
        with Peer(self.node) as p:
            p.send("getaddr")
            got = p.wait("addrv2")
            count, _ = read_compact(got, 0)
            self.assertLessEqual(count, known * 23 // 100)
            self.assertGreater(count, 20)
            p.send("getaddr")
            p.sync()
        self.assert_log('Ignoring repeated "getaddr"')

    def test_passed_on(self):
        """A fresh address goes to one or two others, in the form each can read."""
        with Peer(self.node) as p, Peer(self.node, features=()) as q:
            q.send("getaddr")  # shows interest
            q.sync()
            now = int(time.time()) + 10
            self.node.rpc.setmocktime(now)
            p.send("addr", b"\1" + self.address(7, now))
            p.sync()
            self.node.rpc.setmocktime(now + 700)
            self.assertEqual(q.wait("addr"), b"\1" + self.address(7, now))

    def test_book_survives(self):
        self.assertTrue(self.node.rpc.addpeeraddress("8.8.8.8", 8333)["success"])
        self.assertFalse(self.node.rpc.addpeeraddress("127.0.0.1", 8333)["success"])
        self.node.stop()
        self.node.start()
        self.assertEqual([a["address"] for a in self.node.rpc.getnodeaddresses(0)], ["8.8.8.8"])

    def test_bans_survive(self):
        self.node.rpc.setban("10.1.0.0/16", "add")
        self.node.rpc.setban("9.9.9.9", "add", 1000)
        self.assert_rpc_error(-23, "Error: IP/Subnet already banned", self.node.rpc.setban, "9.9.9.9", "add")
        self.node.stop()
        self.node.start()
        self.assertEqual([b["address"] for b in self.node.rpc.listbanned()], ["9.9.9.9/32", "10.1.0.0/16"])
        self.node.rpc.setban("127.0.0.1", "add")
        with self.assertRaises((Closed, OSError)):
            Peer(self.node)
        self.node.rpc.clearbanned()
        with Peer(self.node) as p:
            p.sync()


class TestOurAddress(P2P):
    def test_told_on_wish(self):
        self.node.stop()
        self.node.start("-addrmantest")
        with Peer(self.node, features=()) as p:
            p.send("getaddr")
            entry = p.wait("addr")
        self.assertEqual(entry[:1], b"\1")
        self.assertEqual(entry[5:13], struct.pack("<Q", 0x409))
        self.assertEqual(entry[13:], bytes(10) + b"\xff\xff\x7f\0\0\1" + struct.pack(">H", self.node.port))


class TestBlocks(P2P):
    def test_getheaders(self):
        hashes = [bytes.fromhex(self.node.rpc.getblockhash(h))[::-1] for h in range(4)]
        with Peer(self.node) as p:
            def ask(locator, stop=ZERO):
                p.send("getheaders", struct.pack("<I", 70016) + compact(len(locator)) + b"".join(locator) + stop)
                got = p.wait("headers")
                count, at = read_compact(got, 0)
                return [sha256d(got[at + 81 * i:at + 81 * i + 80]) for i in range(count)]
            self.assertEqual(ask([hashes[0]]), hashes[1:])
            self.assertEqual(ask([hashes[0]], hashes[2]), hashes[1:3])
            self.assertEqual(ask([os.urandom(32), hashes[1]]), hashes[2:])
            self.assertEqual(ask([os.urandom(32)]), hashes[1:])
            self.assertEqual(ask([], hashes[2]), [hashes[2]])
            self.assertEqual(ask([hashes[3]]), [])

    def test_getblocks(self):
        self.node.generate(600)
        hashes = [bytes.fromhex(self.node.rpc.getblockhash(h))[::-1] for h in range(604)]
        with Peer(self.node) as p:
            p.send("getblocks", struct.pack("<I", 70016) + b"\1" + hashes[0] + ZERO)
            self.assertEqual(p.wait("inv"), inv(*((BLOCK, h) for h in hashes[1:501])))
            p.send("getdata", inv((BLOCK, hashes[500])))
            p.wait("block")
            self.assertEqual(p.wait("inv"), inv((BLOCK, hashes[-1])))  # there is more

    def test_getdata(self):
        tip = self.tip()
        raw = bytes.fromhex(self.node.rpc.getblock(self.node.tip(), 0))
        with Peer(self.node) as p:
            p.send("getdata", inv((BLOCK | WITNESS, tip), (0, ZERO), (BLOCK | WITNESS, ZERO), (BLOCK, tip)))
            self.assertEqual(p.wait("block"), raw)
            stripped = p.wait("block")
            self.assertEqual(sha256d(stripped[:80]), tip)
            self.assertLess(len(stripped), len(raw))  # the coinbase has a witness

    def test_announced_by_headers(self):
        with Peer(self.node) as p, Peer(self.node) as q:
            for x in (p, q):
                x.sync()
                x.send("headers", b"\0")
            p.send("sendheaders")
            p.send("getheaders", struct.pack("<I", 70016) + b"\1" + self.tip() + ZERO)
            p.sync()
            self.node.generate(1)
            self.assertEqual(sha256d(p.wait("headers", lambda h: h != b"\0")[1:81]), self.tip())
            self.assertEqual(q.wait("inv"), inv((BLOCK, self.tip())))

    def test_fetched_when_announced(self):
        header = self.node.rpc.getblockheader(self.node.tip())
        head, raw = self.make_block(self.tip(), 4, header["time"] + 1)
        with Peer(self.node) as p:
            p.sync()
            p.send("headers", b"\0")
            p.send("inv", inv((BLOCK, head.hash())))
            p.wait("getheaders")
            p.send("headers", b"\1" + head.raw() + b"\0")
            self.assertEqual(p.wait("getdata"), inv((BLOCK | WITNESS, head.hash())))
            self.assertEqual([x["inflight"] for x in self.node.rpc.getpeerinfo()], [[4]])
            p.send("block", raw)
            p.sync()
        self.assertEqual(self.node.tip(), head.hash()[::-1].hex())

    def test_blocks_and_what_follows_in_order(self):
        """Blocks are judged beside the rest, yet what a peer sends behind a block is handled after it."""
        header = self.node.rpc.getblockheader(self.node.tip())
        tip, at, height, blocks = self.tip(), header["time"], header["height"], []
        for n in range(40):
            head, raw = self.make_block(tip, height + 1 + n, at + 1 + n)
            blocks.append(raw)
            tip = sha256d(raw[:80])
        with Peer(self.node) as p:
            for raw in blocks:
                p.send("block", raw)
            p.sync()
            self.assertEqual(self.node.height(), height + 40)
            p.send("block", blocks[-1][:-1])  # does not decode
            p.sync()
        # One that breaks a rule, and a ping behind it: its sender is gone before it is answered.
        bad, raw = self.make_block(tip, height + 40, at + 60)
        with Peer(self.node) as p:
            p.send("block", raw)
            p.send("ping", b"12345678")
            p.wait_closed()
            self.assertNotIn("pong", p.commands())
        self.assertEqual(self.node.height(), height + 40)

    def test_two_bodies_of_one_block(self):
        """While a body that does not belong to its header waits, another peer sends the right one: not that is blamed."""
        for _ in range(3):
            header = self.node.rpc.getblockheader(self.node.tip())
            tip, at, height, blocks = self.tip(), header["time"], header["height"], []
            for n in range(8):  # what they wait behind
                head, raw = self.make_block(tip, height + 1 + n, at + 1 + n)
                blocks.append(raw)
                tip = sha256d(raw[:80])
            head, good = self.make_block(tip, height + 9, at + 9)
            mutated = block(head, [coinbase(height + 9, 1, b"\1")])
            with Peer(self.node) as bad, Peer(self.node) as p:
                for raw in blocks + [mutated]:
                    bad.send("block", raw)
                for raw in blocks + [good]:
                    p.send("block", raw)
                bad.wait_closed()
                p.sync()
            self.assertEqual(self.node.height(), height + 9)

    def test_low_work_block_unasked(self):
        """Of a block far behind that nobody asked for, not even the header is kept."""
        genesis = self.node.rpc.getblockheader(self.node.rpc.getblockhash(0))
        self.node.generate(150)
        _, raw = self.make_block(bytes.fromhex(genesis["hash"])[::-1], 1, genesis["time"] + 1, b"\7")
        with Peer(self.node) as p:
            p.send("block", raw)
            p.sync()
        self.assert_log("AcceptBlockHeader: not adding new block header " + sha256d(raw[:80])[::-1].hex() +
                        ", missing anti-dos proof-of-work validation")
        self.assertEqual(len(self.node.rpc.getchaintips()), 1)

    def test_without_transactions_whole_blocks(self):
        """Who hears of no transactions could not put a compact block together, and is asked by nobody to announce so."""
        node = self.start_node("-blocksonly", "-connect=0")
        node.generate(3)
        header = node.rpc.getblockheader(node.tip())
        head, _ = self.make_block(bytes.fromhex(node.tip())[::-1], 4, header["time"] + 1)
        for n, kind in ((self.node, 4), (node, BLOCK | WITNESS)):
            at = n.rpc.getblockheader(n.tip())["time"] + 1
            head, _ = self.make_block(bytes.fromhex(n.tip())[::-1], 4, at)
            with Peer(n) as p:
                p.send("sendcmpct", b"\0" + struct.pack("<Q", 2))
                p.sync()
                p.send("headers", b"\1" + head.raw() + b"\0")
                self.assertEqual(p.wait("getdata"), inv((kind, head.hash())))

    def test_without_witnesses_no_blocks(self):
        """Who keeps no witnesses is asked for no block that may have some; the next is."""
        header = self.node.rpc.getblockheader(self.node.tip())
        head, raw = self.make_block(self.tip(), 4, header["time"] + 1)
        with Peer(self.node, services=1) as p, Peer(self.node) as q:
            for x in (p, q):
                x.sync()
                x.send("headers", b"\1" + head.raw() + b"\0")
                x.sync()
            self.assertNotIn("getdata", p.commands())
            self.assertIn(("getdata", inv((BLOCK | WITNESS, head.hash()))), q.seen)

    def test_promised_block_does_not_come(self):
        """Ten minutes, the spacing of blocks, is what a peer has to deliver."""
        now = int(time.time())
        self.node.rpc.setmocktime(now)
        header = self.node.rpc.getblockheader(self.node.tip())
        head, _ = self.make_block(self.tip(), 4, header["time"] + 1)
        with Peer(self.node) as p, Peer(self.node) as q:
            p.sync()
            p.send("headers", b"\1" + head.raw() + b"\0")
            p.wait("getdata")
            self.node.rpc.setmocktime(now + 590)
            p.sync()
            self.node.rpc.setmocktime(now + 610)
            p.wait_closed()
            q.sync()
        self.assert_log("Timeout downloading block " + head.hash()[::-1].hex() + " from peer=0, disconnecting")

    def test_fetched_from_a_fork(self):
        """From a peer that offers no old blocks, and of a fork of more than sixteen, two of them on their way."""
        prev, chain = self.node.rpc.getblockheader(self.node.rpc.getblockhash(1)), []
        at, last = prev["time"], bytes.fromhex(prev["hash"])[::-1]
        for i in range(18):
            at += 1
            head, raw = self.make_block(last, 2 + i, at, b"\7")
            chain.append((head, raw))
            last = head.hash()
        with Peer(self.node, services=8) as p:
            p.sync()

            def announce(first, count):
                p.send("headers", compact(count) + b"".join(h.raw() + b"\0" for h, _ in chain[first:first + count]))

            def wanted(first, count):
                return inv(*((BLOCK | WITNESS, h.hash()) for h, _ in chain[first:first + count]))
            announce(0, 1)  # less work than ours
            p.sync()
            self.assertNotIn("getdata", p.commands())
            announce(1, 1)
            self.assertEqual(p.wait("getdata"), wanted(0, 2))
            announce(2, 16)
            self.assertEqual(p.wait("getdata"), wanted(2, 14))
            for _, raw in chain[:16]:
                p.send("block", raw)
            p.sync()
        self.assertEqual(self.node.height(), 17)

    def test_stale_blocks_are_not_shown_for_ever(self):
        """A peer cannot tell us apart by a fork that we saw long ago."""
        old, stale = self.go_stale()
        with Peer(self.node) as p:
            self.assertTrue(self.shows(p, stale))
            self.node.rpc.invalidateblock(old)  # nor what was condemned
            self.assertFalse(self.shows(p, stale))
        self.node.rpc.reconsiderblock(old)
        self.node.rpc.setmocktime(int(time.time()) + 40 * 24 * 3600)
        self.node.generate(1)
        with Peer(self.node) as p:
            self.assertFalse(self.shows(p, stale))

    def test_stale_blocks_are_not_shown_beneath_much_work(self):
        """A month's blocks: 4,320, whatever their times say."""
        _, stale = self.go_stale()
        prev, at, headers = self.tip(), self.node.rpc.getblockheader(self.node.tip())["time"], []
        for _ in range(4319):
            at += 1
            headers.append(Header(prev, bytes(32), at).mine())
            prev = headers[-1].hash()
        with Peer(self.node) as p:
            for k in range(0, 4318, 2000):
                part = headers[k:min(k + 2000, 4318)]
                p.send("headers", compact(len(part)) + b"".join(h.raw() + b"\0" for h in part))
            self.assertTrue(self.shows(p, stale))
            p.send("headers", b"\1" + headers[-1].raw() + b"\0")
            self.assertFalse(self.shows(p, stale))

    def go_stale(self):
        """The tip, on a branch that two other blocks have left behind."""
        old = self.node.tip()
        self.node.rpc.invalidateblock(old)
        self.node.generate(2, framework.bech32m_address("bcrt", bytes(32)))
        self.node.rpc.reconsiderblock(old)
        return old, bytes.fromhex(old)[::-1]

    def shows(self, p, block):
        p.sync()
        p.seen.clear()
        p.send("getdata", inv((BLOCK, block)))
        p.sync()
        return [sha256d(m[:80]) for c, m in p.seen if c == "block"] == [block]

    def test_stalling_peer(self):
        """Who holds up the window of 1,024 blocks goes after two seconds."""
        header = self.node.rpc.getblockheader(self.node.tip())
        prev, at, chain = self.tip(), header["time"], []
        for i in range(1100):
            at += 1
            head, raw = self.make_block(prev, 4 + i, at)
            chain.append((head, raw))
            prev = head.hash()
        headers = compact(len(chain)) + b"".join(h.raw() + b"\0" for h, _ in chain)
        blocks = {h.hash(): raw for h, raw in chain}
        with Peer(self.node) as p, Peer(self.node) as q:
            p.sync()
            p.send("headers", headers)
            p.wait("getdata")  # the first sixteen: never delivered
            q.sync()
            q.send("headers", headers)
            delivered = 0
            while delivered < len(blocks):  # in the end also those that p held back
                payload = q.wait("getdata")
                count, at = read_compact(payload, 0)
                for k in range(count):
                    q.send("block", blocks[payload[at + 36 * k + 4:at + 36 * k + 36]])
                delivered += count
            p.wait_closed()
            q.sync()
            self.assertEqual(self.node.height(), 1103)
        self.assert_log("Stall started peer=0", "Peer=0 is stalling block download, disconnecting",
                        "Increased stalling timeout temporarily to 4 seconds")


class TestInitialHeaders(P2P):
    """A node that has nothing yet."""

    def setUp(self):
        framework.TestCase.setUp(self)
        self.node = self.start_node("-debug=net", "-connect=0", "-mocktime=1700000000",
                                    "-peertimeout=999999999")

    def test_progress_is_told(self):
        genesis = self.node.rpc.getblockheader(self.node.tip())
        head, _ = self.make_block(self.tip(), 1, genesis["time"] + 1)
        with Peer(self.node) as p:
            p.send("headers", b"\1" + head.raw() + b"\0")
            p.sync()
            p.send("headers", b"\1" + head.raw() + b"\0")  # no news
            p.sync()
        self.assertEqual(self.node.log().count("Synchronizing blockheaders, height: 1 (~0.00%)"), 1)

    def wait_for_question(self, p):
        p.wait("getheaders")
        p.sync()

    def slow(self, noban):
        """Fifteen minutes, and a millisecond for each block there may be, is what it has whom we asked."""
        genesis = self.node.rpc.getblockheader(self.node.tip())["time"]
        late = 1700000000 + 15 * 60 + (1700000000 - genesis) // 600 // 1000
        with Peer(self.node) as p:
            self.wait_for_question(p)
            q = Listener(self.node).open("outbound-full-relay")
            q.shake()
            q.sync()
            self.assertNotIn("getheaders", q.commands())
            self.node.rpc.setmocktime(late - 2)
            for x in (p, q):
                x.sync()
            self.assertNotIn("getheaders", q.commands())
            self.node.rpc.setmocktime(late + 2)
            if noban:
                self.assert_log("Timeout downloading headers from noban peer=0, not disconnecting")

                def asked():
                    p.sync()
                    q.sync()
                    return (p.commands() + q.commands()).count("getheaders")
                self.wait_until(lambda: asked() == 2, what="one of them is asked again")
            else:
                p.wait_closed()
                self.assert_log("Timeout downloading headers from peer=0, disconnecting")
                q.wait("getheaders")

    def test_who_is_slow_goes(self):
        self.slow(False)

    def test_who_may_be_slow_stays(self):
        self.node.stop()
        self.node.start("-whitelist=noban@127.0.0.1")
        self.slow(True)


class TestTime(P2P):
    def test_ping(self):
        with Peer(self.node) as p:
            p.sync()
            self.wait_until(lambda: "pingtime" in self.node.rpc.getpeerinfo()[0], what="a ping is answered")
            p.send("pong", bytes(8))
            p.send("pong", b"")
            p.sync()
        self.assert_log("pong peer=0: Unsolicited pong without ping, 0 expected, 0 received, 8 bytes",
                        "pong peer=0: Short payload, 0 expected, 0 received, 0 bytes")

    def test_ping_timeout(self):
        now = int(time.time())
        self.node.rpc.setmocktime(now)
        with Peer(self.node) as p:
            p.sync()
            self.node.rpc.setmocktime(now + 130)
            # The next ping stays unanswered.
            while True:
                command = self.silent(p)
                if command == "ping":
                    break
            self.node.rpc.setmocktime(now + 130 + 1201)
            try:
                while self.silent(p):
                    pass
            except Closed:
                pass
        self.assert_log("ping timeout: 1201.000000s peer=0")

    def test_ping_may_wait(self):
        """With a long -peertimeout no silence is held against a peer, however far the clock goes."""
        node = self.start_node("-debug=net", "-connect=0", "-peertimeout=999999999")
        now = int(time.time())
        node.rpc.setmocktime(now)
        with Peer(node) as p:
            p.sync()
            node.rpc.setmocktime(now + 130)
            while self.silent(p) != "ping":
                pass
            node.rpc.setmocktime(now + 130 + 7200)
            p.sync()
            self.assertEqual(len(node.rpc.getpeerinfo()), 1)
        self.assertNotIn("timeout:", node.log())

    def test_clocks_of_peers(self):
        """Those count to which we connected, from four hosts on; not what others tell who connect to us."""
        now = int(time.time())
        self.node.rpc.setmocktime(now)
        late = bytearray(version())
        struct.pack_into("<q", late, 12, now + 500)

        def offsets():
            return self.node.rpc.getnetworkinfo()["timeoffset"], self.node.rpc.getpeerinfo()[-1]["timeoffset"]
        for host in range(2, 8):
            with Peer(self.node, handshake=False, source=(f"127.0.0.{host}", 0)) as p:
                p.send("version", bytes(late))
                p.send("verack")
                p.sync()
                self.assertEqual(offsets(), (0, 500))
        for host in range(2, 6):
            p = Listener(self.node, f"127.0.0.{host}")
            self.node.rpc.addnode(p.address, "onetry")
            p = p.accept()
            p.send("version", bytes(late))
            p.send("verack")
            p.sync()
            self.assertEqual(offsets(), (500 if host == 5 else 0, 500))

    def silent(self, p):
        """The next command, without answering pings."""
        send, p.send = p.send, lambda *_, **__: None
        try:
            return p.receive()[0]
        finally:
            p.send = send

    def test_whitelist(self):
        self.node.stop()
        self.node.start("-whitelist=noban,mempool@127.0.0.1")
        with Peer(self.node) as p:
            p.sync()
            self.assertEqual(sorted(self.node.rpc.getpeerinfo()[0]["permissions"]), ["download", "mempool", "noban"])
            bad = Header(self.tip(), ZERO, 1).mine()
            p.send("headers", b"\1" + bad.raw() + b"\0")
            p.send("mempool")
            p.sync()
        self.assert_log("Warning: not punishing noban peer 0!")

    def test_permissions(self):
        self.node.stop()
        for options, want in (
                (["-whitelist=127.0.0.1"], ["download", "mempool", "noban", "relay"]),
                (["-whitelist=@127.0.0.1", "-whitelistforcerelay=1"], []),
                (["-whitelist=127.0.0.1", "-whitelistrelay=0"], ["download", "mempool", "noban"]),
                (["-whitelist=127.0.0.1", "-whitelistforcerelay"],
                 ["download", "forcerelay", "mempool", "noban", "relay"]),
                (["-whitelist=all@127.0.0.0/8"],
                 ["addr", "bloomfilter", "download", "forcerelay", "mempool", "noban", "relay"]),
                (["-whitelist=noban@10.0.0.0/8"], [])):
            self.node.start(*options)
            with Peer(self.node):
                self.assertEqual(sorted(self.node.rpc.getpeerinfo()[0]["permissions"]), want, options)
            self.node.stop()

    def test_bad_options(self):
        self.node.stop()
        for option, text in (("-whitelist=x@127.0.0.1", "Invalid P2P permission: 'x'"),
                             ("-whitelist=noban@nowhere", "Invalid netmask specified in -whitelist: 'nowhere'"),
                             ("-bind=nowhere", "Cannot resolve -bind address: 'nowhere'"),
                             ("-externalip=nowhere", "Cannot resolve -externalip address: 'nowhere'")):
            status, err = self.node.start_fails(option)
            self.assertEqual(status, 1)
            self.assertIn(text, err)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port = s.getsockname()[1]
            status, err = self.node.start_fails(f"-bind=127.0.0.1:{port}")
            self.assertEqual(status, 1)
            self.assertIn(f"Unable to bind to 127.0.0.1:{port} on this computer.", err)


del P2P

if __name__ == "__main__":
    framework.main()
