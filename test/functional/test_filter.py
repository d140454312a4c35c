"""Peers that look through a bloom filter (BIP 37), and those that can reconcile transactions (BIP 330)."""
import os
import struct

import framework
from blocks import Chain, P2WSH_TRUE, TxOut, coin_of, hash256, shown, spend
from peer import BLOCK, TX, WTX, Peer, compact, inv, version
from test_p2p import Listener

FILTERED = 3
WATCHED = bytes.fromhex("11" * 20)
TO_WATCHED = b"\xa9\x14" + WATCHED + b"\x87"
NONE, ALL = 0, 1
BLOOM = 1 << 2


def murmur(seed, data):
    h, m = seed, 0xffffffff

    def scramble(k):
        k = k * 0xcc9e2d51 & m
        return (k << 15 | k >> 17) * 0x1b873593 & m
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        h ^= scramble(int.from_bytes(data[at:at + 4], "little"))
        h = ((h << 13 | h >> 19) * 5 + 0xe6546b64) & m
    h ^= scramble(int.from_bytes(data[whole:], "little")) ^ len(data)
    for shift, times in ((16, 0x85ebca6b), (13, 0xc2b2ae35), (16, 1)):
        h = (h ^ (h & m) >> shift) * times & m
    return h


def bloom(*items, size=500, hashes=10, flags=NONE):
    """A filterload."""
    bits = bytearray(size)
    for item in items:
        for i in range(hashes):
            at = murmur(i * 0xfba4c795 & 0xffffffff, item) % (8 * size)
            bits[at // 8] |= 1 << at % 8
    return compact(size) + bytes(bits) + struct.pack("<IIB", hashes, 0, flags)


class Filter(framework.TestCase):
    chain = "bitcoin-regtest"

    def start(self, *args):
        node = self.start_node("-debug=net", "-whitelist=noban@127.0.0.1", *args)
        chain = Chain(node, P2WSH_TRUE)
        chain.mine(103)
        return node, chain

    def send(self, node, tx):
        node.rpc.sendrawtransaction(tx.serialise().hex(), 0)
        return hash256(tx.serialise())

    def pays(self, chain, script):
        coin = chain.take()
        return spend(coin, outputs=[TxOut(coin.value // 2, script), TxOut(coin.value // 2 - 10_000, P2WSH_TRUE)],
                     script=P2WSH_TRUE)


class TestBloom(Filter):
    def test_pool(self):
        """Only what passes is announced, with what spends it; what was there is told when asked for."""
        node, chain = self.start("-peerbloomfilters")
        self.assertIn("BLOOM", node.rpc.getnetworkinfo()["localservicesnames"])
        before = self.send(node, self.pays(chain, TO_WATCHED))
        other = self.send(node, self.pays(chain, P2WSH_TRUE))
        with Peer(node, relay=0) as p:
            self.assertTrue(int.from_bytes(p.seen[0][1][4:12], "little") & BLOOM)
            self.assertIs(node.rpc.getpeerinfo()[0]["relaytxes"], False)
            p.send("mempool")  # who wants to hear of nothing may ask all the same
            told = p.wait("inv")
            self.assertEqual({told[5:37], told[41:]}, {before, other})
            p.send("getdata", inv((WTX, other)))
            p.wait("tx")
            p.send("filterload", bloom(WATCHED, flags=ALL))
            p.sync()
            self.assertIs(node.rpc.getpeerinfo()[0]["relaytxes"], True)
            p.send("mempool")
            self.assertEqual(p.wait("inv"), inv((WTX, before)))
            p.send("getdata", inv((WTX, other)))  # it may ask for what it was not told of
            p.wait("tx")
            tx = self.pays(chain, TO_WATCHED)
            self.send(node, spend(chain.take(), fee=10_000, script=P2WSH_TRUE))
            self.assertEqual(self.send(node, tx), p.wait("inv")[5:])
            child = spend(coin_of(tx, 1), fee=10_000, script=P2WSH_TRUE)
            self.send(node, child)  # spends the output that is not watched
            p.send("filteradd", compact(36) + hash256(child.serialise(witness=False)) + bytes(4))
            p.sync()
            grandchild = spend(coin_of(child), fee=10_000, script=P2WSH_TRUE)
            self.assertEqual(self.send(node, grandchild), p.wait("inv")[5:])

    def test_blocks(self):
        """A block comes as its tree and what passes; without a filter there is no answer."""
        node, chain = self.start("-peerbloomfilters")
        ours, theirs = self.pays(chain, TO_WATCHED), self.pays(chain, P2WSH_TRUE)
        chain.mine(1, [theirs, ours], fees=20_000)
        tip = bytes.fromhex(node.tip())[::-1]
        with Peer(node) as p:
            p.send("getdata", inv((FILTERED, tip)))
            p.sync()
            self.assertNotIn("merkleblock", p.commands())
            p.send("filterload", bloom(WATCHED))
            p.send("getdata", inv((FILTERED, tip)))
            got = p.wait("merkleblock")
            self.assertEqual(hash256(got[:80]), tip)
            self.assertEqual(node.rpc.verifytxoutproof(got.hex()), [shown(ours.txid)])
            self.assertEqual(p.receive(), ("tx", ours.serialise(witness=False)))
            p.send("filterclear")
            p.send("getdata", inv((FILTERED, tip), (TX, ours.txid)))
            p.sync()
            self.assertEqual(p.commands().count("merkleblock"), 1)

    def test_bounds(self):
        """What is too large, or added to nothing, condemns; no bits match all and divide by nothing."""
        node, chain = self.start("-peerbloomfilters")
        with Peer(node) as p:
            for load, good in ((bloom(size=36_000), True), (bloom(size=36_001), False),
                               (bloom(size=1, hashes=50), True), (bloom(size=1, hashes=51), False)):
                p.send("filterload", load)
                p.sync()
                self.assertEqual("too-large bloom filter" not in node.log(), good)
                open(os.path.join(node.chain_dir, "debug.log"), "w").close()
            for message, good in (((compact(520) + bytes(520)), True), (compact(521) + bytes(521), False)):
                p.send("filteradd", message + b"\0")  # what follows is not looked at
                p.sync()
                self.assertNotIn("Exception", node.log())
                self.assertEqual("bad filteradd message" not in node.log(), good)
            p.send("filterclear")
            open(os.path.join(node.chain_dir, "debug.log"), "w").close()
            p.send("filteradd", b"\1\1")
            p.sync()
            self.assertIn("bad filteradd message", node.log())
            p.send("filterload", bloom(size=0, hashes=5))
            p.send("filteradd", b"\1\1")
            told = self.send(node, self.pays(chain, P2WSH_TRUE))
            self.assertEqual(p.wait("inv")[5:], told)

    def test_no_filter_for_who_is_asked_for_blocks(self):
        """A connection that takes no transactions does not begin to by a filter."""
        node, chain = self.start("-peerbloomfilters")
        p = Listener(node).open("block-relay-only")
        p.shake()
        p.send("filterload", bloom(WATCHED))
        p.send("filterclear")
        p.sync()
        self.assertIs(node.rpc.getpeerinfo()[0]["relaytxes"], False)
        self.send(node, self.pays(chain, TO_WATCHED))
        node.rpc.mockscheduler(3600)
        p.sync()
        self.assertNotIn("inv", p.commands())
        p.send("filteradd", compact(5) + b"\1")  # cut short
        p.sync()
        self.assertIn("Exception", node.log())

    def test_who_may(self):
        """Not offered: whoever tries goes, but who has the permission."""
        node = self.start_node("-debug=net")
        for command in ("filterload", "filteradd", "filterclear", "mempool"):
            with Peer(node) as p:
                self.assertFalse(int.from_bytes(p.seen[0][1][4:12], "little") & BLOOM)
                p.send(command, bloom())
                p.wait_closed()
        self.assertIn("filteradd received despite not offering bloom services from peer=1; disconnecting", node.log())
        self.assertIn("mempool request with bloom filters disabled, disconnect peer=3", node.log())
        node.stop()
        node.start("-whitelist=bloomfilter@127.0.0.1")
        self.assertNotIn("BLOOM", node.rpc.getnetworkinfo()["localservicesnames"])
        with Peer(node, relay=0) as p:
            self.assertTrue(int.from_bytes(p.seen[0][1][4:12], "little") & BLOOM)
            p.send("filterload", bloom())
            p.send("mempool")
            p.sync()
            self.assertIs(node.rpc.getpeerinfo()[0]["relaytxes"], True)

    def test_no_transactions_for_who_wants_none(self):
        """Who says so and cannot filter is given none either."""
        node, chain = self.start()
        tx = self.pays(chain, P2WSH_TRUE)
        self.send(node, tx)
        with Peer(node, relay=0) as p:
            p.send("getdata", inv((TX, tx.txid)))
            p.sync()
            self.assertEqual({"tx", "notfound"} & set(p.commands()), set())

    def test_pool_is_not_told_over_the_target(self):
        node = self.start_node("-debug=net", "-peerbloomfilters", "-maxuploadtarget=1k")
        node.generate(2)
        tip = bytes.fromhex(node.tip())[::-1]
        with Peer(node) as p:
            for _ in range(20):
                p.send("getdata", inv((BLOCK, tip)))
            p.sync()
            p.send("mempool")
            p.wait_closed()
        self.assertIn("mempool request with bandwidth limit reached, disconnect peer=0", node.log())


class TestReconciliation(Filter):
    SAY = struct.pack("<IQ", 1, 2)

    def open(self, node, *say, features=("wtxidrelay",), **more):
        p = Peer(node, handshake=False)
        p.send("version", version(**more))
        for f in features:
            p.send(f)
        for payload in say:
            p.send("sendtxrcncl", payload)
        return p

    def told(self, p):
        """Between its version and verack."""
        p.wait("verack")
        said = [payload for command, payload in p.seen if command == "sendtxrcncl"]
        p.sock.close()
        return bool(said) and struct.unpack("<IQ", said[0])[0]

    def test_offered(self):
        node = self.start_node("-txreconciliation", "-peerbloomfilters")
        self.assertEqual(self.told(self.open(node)), 1)
        for other in ({"relay": 0}, {"number": 70015}):
            self.assertFalse(self.told(self.open(node, **other)), other)
        for kind, want in (("outbound-full-relay", 1), ("block-relay-only", False), ("addr-fetch", False)):
            listener = Listener(node)
            p = listener.open(kind)
            listener.sock.close()
            p.send("version", version())
            self.assertEqual(self.told(p), want, kind)
        for args in (("-txreconciliation", "-blocksonly"), ()):
            self.assertFalse(self.told(self.open(self.start_node(*args))), args)

    def test_taken(self):
        """Once, before verack, of a version that there is, from whom both may send transactions."""
        node = self.start_node("-txreconciliation", "-debug=net", "-debug=txreconciliation")
        violation = "txreconciliation protocol violation from"
        for say, more, sentence in (
                ((self.SAY, self.SAY), {},
                 f"{violation} peer=0 (sendtxrcncl received from already registered peer); disconnecting"),
                ((struct.pack("<IQ", 0, 2),), {}, f"{violation} peer=1; disconnecting"),
                ((self.SAY,), {"relay": 0},
                 "sendtxrcncl received from peer=2 which indicated no tx relay to us; disconnecting")):
            with self.open(node, *say, **more) as p:
                p.wait_closed()
            self.assertIn(sentence, node.log())
        with self.open(node, struct.pack("<IQ", 2, 2) + b"\0") as p:
            p.send("verack")
            p.sync()
            self.assertIn("Register peer=3 (inbound=1)", node.log())
            self.assertNotIn("Forget txreconciliation state of peer=3", node.log())
            p.send("sendtxrcncl", self.SAY)
            p.wait_closed()
        self.assertIn("sendtxrcncl received after verack from peer=3; disconnecting", node.log())
        self.wait_until(lambda: "Forget txreconciliation state of peer=3" in node.log(), what="forgotten when gone")
        with self.open(node, self.SAY, features=()) as p:
            p.send("verack")
            p.sync()
            self.assertIn("Forget txreconciliation state of peer=4", node.log())
        with self.open(node, self.SAY, number=70015) as p:
            p.send("verack")
            p.sync()
        self.assertIn("Ignore unexpected txreconciliation signal from peer=5", node.log())
        p = Listener(node).open("block-relay-only")
        p.send("version", version())
        p.send("sendtxrcncl", self.SAY)
        p.wait_closed()
        self.assertIn("sendtxrcncl received from peer=6 to which we indicated no tx relay; disconnecting", node.log())
        with self.open(node, b"\1\0") as p:
            p.send("verack")
            p.sync()
        self.assertIn("Exception", node.log())
