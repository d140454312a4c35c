"""Headers and blocks of peers that lie, keep back and make up: whole ones and compact ones."""
import hashlib
import os
import socket
import struct

import framework
from hostile import UNKNOWN, Hostile
from peer import BLOCK, WITNESS, Header, Peer, block, coinbase, compact, inv, merkle, sha256d


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


if __name__ == "__main__":
    framework.main()
