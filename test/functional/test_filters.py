"""Filters of blocks: the index, the calls that read it, and peers that ask for them."""
import os
import struct

import framework
from peer import Peer, compact, read_compact, sha256d

OURS = framework.bech32m_address("bcrt", b"\7" * 32)
THEIRS = framework.BURN["bitcoin-regtest"]
SCRIPT = "5120" + "07" * 32


class Filters(framework.TestCase):
    chain = "bitcoin-regtest"

    def start_filters(self, *args):
        return self.start_node("-blockfilterindex", "-debug=net", "-connect=0", *args)

    def assert_rpc_error(self, code, message, fn, *args):
        with self.assertRaises(framework.RpcError) as e:
            fn(*args)
        self.assertEqual((e.exception.code, e.exception.message), (code, message))

    def assert_chained(self, node, hashes):
        """Each header is a hash over its filter's and the header before."""
        header = bytes(32)
        for h in hashes:
            got = node.rpc.getblockfilter(h)
            header = sha256d(sha256d(bytes.fromhex(got["filter"])) + header)
            self.assertEqual(got["header"], header[::-1].hex())


class TestIndex(Filters):
    def chain_of(self, node):
        return [node.rpc.getblockhash(h) for h in range(node.height() + 1)]

    def test_follows_the_tip(self):
        node = self.start_filters()
        node.generate(5)
        left = self.chain_of(node)
        self.assert_chained(node, left)
        node.rpc.invalidateblock(left[3])
        node.generate(4, OURS)
        self.assert_chained(node, self.chain_of(node))
        self.assert_chained(node, left)  # of what was once ours they stay
        self.assertEqual(node.rpc.getindexinfo(),
                         {"basic block filter index": {"synced": True, "best_block_height": 6}})
        self.assertEqual(node.rpc.getindexinfo("txindex"), {})

    def test_catches_up(self):
        node = self.start_node("-connect=0")
        tip = node.generate(5)[-1]
        self.assert_rpc_error(-1, "Index is not enabled for filtertype basic", node.rpc.getblockfilter, tip)
        self.assertEqual(node.rpc.getindexinfo(), {})
        node.stop()
        node.start("-blockfilterindex=basic")
        self.assertIn("basic block filter index is enabled at height 5", node.log())
        self.assert_chained(node, self.chain_of(node))
        self.assertTrue(os.path.isdir(node.chain_dir + "/indexes/blockfilter/basic"))

    def test_what_there_is_none_of(self):
        node = self.start_filters()
        other = self.start_node("-connect=0")
        tip = node.generate(1)[0]
        ask = node.rpc.getblockfilter
        self.assert_rpc_error(-5, "Unknown filtertype", ask, tip, "extended")
        self.assert_rpc_error(-5, "Block not found", ask, "11" * 32)
        other.generate(1, OURS)
        raw = other.rpc.getblockheader(other.tip(), False)
        node.rpc.submitheader(raw)
        self.assert_rpc_error(-5, "Filter not found. Block was not connected to active chain.", ask, other.tip())

    def test_options(self):
        node = self.add_node()
        for args, message in ((["-blockfilterindex=abc"], "Unknown -blockfilterindex value abc."),
                              (["-blockfilterindex=basic", "-blockfilterindex=x"], "Unknown -blockfilterindex value x."),
                              (["-peerblockfilters"], "Cannot set -peerblockfilters without -blockfilterindex."),
                              (["-peerblockfilters", "-noblockfilterindex"],
                               "Cannot set -peerblockfilters without -blockfilterindex.")):
            status, text = node.start_fails(*args)
            self.assertEqual((status, text.strip()), (1, "Error: " + message))

    def test_pruned_away(self):
        """What the index still needs is gone: it says so and does not start."""
        node = self.start_node("-fastprune", "-prune=1", "-connect=0", "-blockfilterindex", "-debug=prune")
        node.generate(300)
        node.rpc.pruneblockchain(10)
        self.assertIn("basic block filter index limited pruning to height 289", node.log())
        tip = node.tip()
        node.rpc.invalidateblock(tip)
        node.rpc.reconsiderblock(tip)
        self.assertIn("basic block filter index prune lock moved back to 299", node.log())
        node.stop()
        node.args = ["-fastprune", "-prune=1", "-connect=0"]
        node.start()
        node.generate(800)
        self.assertGreater(node.rpc.pruneblockchain(800), 300)
        node.stop()
        status, text = node.start_fails("-blockfilterindex")
        self.assertEqual(status, 1)
        self.assertEqual(text.splitlines(),
                         ["Error: basic block filter index best block of the index goes beyond pruned data. Please "
                          "disable the index or reindex (which will download the whole blockchain again)",
                          "Error: Failed to start indexes, shutting down.."])


class TestScan(Filters):
    def test_scanblocks(self):
        node = self.start_filters()
        first = node.generate(3)
        ours = node.generate(1, OURS)[0]
        node.generate(2)
        scan = node.rpc.scanblocks
        found = {"from_height": 0, "to_height": 6, "relevant_blocks": [ours], "completed": True}
        self.assertEqual(scan("start", [f"addr({OURS})"]), found)
        self.assertEqual(scan("start", [f"raw({SCRIPT})", "raw(51)"]), found)
        self.assertEqual(scan("start", [f"addr({OURS})"], 5)["relevant_blocks"], [])
        self.assertEqual(scan("start", [f"addr({OURS})"], 0, 3)["relevant_blocks"], [])
        self.assertEqual(scan("start", [f"addr({OURS})"], 4, 4), dict(found, from_height=4, to_height=4))
        self.assertEqual(scan("start", [f"addr({THEIRS})"], 1, 3)["relevant_blocks"], first)
        self.assertEqual(scan("start", []), dict(found, relevant_blocks=[]))
        self.assertIsNone(scan("status"))
        self.assertFalse(scan("abort"))

    def test_false_positives(self):
        """A script that falls where that of genesis does; the block itself tells them apart."""
        node = self.start_filters()
        genesis = node.rpc.getblockhash(0)
        script = node.rpc.getblock(genesis, 2)["tx"][0]["vout"][0]["scriptPubKey"]["hex"]
        k0, k1 = struct.unpack_from("<QQ", bytes.fromhex(genesis)[::-1])

        def place(raw):
            return siphash(k0, k1, raw) * 784931 >> 64
        wanted, n = place(bytes.fromhex(script)), 0
        like = bytes.fromhex("001400000000000000000000000000000000000cadcb")
        self.assertEqual(place(like), wanted)
        scan = node.rpc.scanblocks
        for raw, exact, found in ((script, False, [genesis]), (script, True, [genesis]), (like.hex(), False, [genesis]),
                                  (like.hex(), True, [])):
            got = scan("start", [f"raw({raw})"], 0, 0, "basic", {"filter_false_positives": exact})
            self.assertEqual(got["relevant_blocks"], found)

    def test_spent(self):
        """The block that spends from a script is found like the one that paid it."""
        node = self.start_filters("-acceptnonstdtxn")
        paid = node.generate(1, framework.bech32m_address("bcrt", b"\1" * 31, 2))[0]  # anybody may spend that
        node.generate(100)
        coin = node.rpc.getblock(paid, 2)["tx"][0]
        out = coin["vout"][0]
        tx = (struct.pack("<i", 2) + b"\1" + bytes.fromhex(coin["txid"])[::-1] + bytes(4) + b"\0" + b"\xff" * 4 +
              b"\1" + struct.pack("<q", 49 * 10**8) + b"\1\x51" + bytes(4))
        spent = node.rpc.generateblock(THEIRS, [tx.hex()])["hash"]
        raw = out["scriptPubKey"]["hex"]
        for exact in (False, True):
            got = node.rpc.scanblocks("start", [f"raw({raw})"], 0, 102, "basic", {"filter_false_positives": exact})
            self.assertEqual(got["relevant_blocks"], [paid, spent])

    def test_false_positives_of_pruned_blocks(self):
        """A block that is gone cannot tell whether it is one: that is said, and nothing is left out in silence."""
        node = self.start_filters("-fastprune", "-prune=1")
        node.generate(700)
        self.assertGreater(node.rpc.pruneblockchain(400), 0)
        genesis, like = node.rpc.getblockhash(0), ["raw(001400000000000000000000000000000000000cadcb)"]
        scan = node.rpc.scanblocks
        self.assertEqual(scan("start", like, 0, 0)["relevant_blocks"], [genesis])
        self.assert_rpc_error(-1, "Block not available (pruned data)", scan, "start", like, 0, 0, "basic",
                              {"filter_false_positives": True})
        self.assertIsNone(scan("status"))  # it is over
        self.assertEqual(scan("start", like, 600, 700, "basic", {"filter_false_positives": True})["relevant_blocks"], [])

    def test_faults(self):
        node = self.start_filters()
        node.generate(3)
        scan = node.rpc.scanblocks
        one = ["raw(51)"]
        self.assert_rpc_error(-1, "Invalid start_height", scan, "start", one, 4)
        self.assert_rpc_error(-1, "Invalid start_height", scan, "start", one, -1)
        self.assert_rpc_error(-1, "Invalid stop_height", scan, "start", one, 2, 1)
        self.assert_rpc_error(-1, "Invalid stop_height", scan, "start", one, 2, 4)
        self.assert_rpc_error(-5, "Unknown filtertype", scan, "start", one, 0, 3, "extended")
        self.assert_rpc_error(-8, "Invalid action 'look'", scan, "look")
        self.assert_rpc_error(-1, "scanobjects argument is required for the start action", scan, "start")
        node.stop()
        node.args = ["-connect=0"]
        node.start()
        self.assert_rpc_error(-1, "Index is not enabled for filtertype basic", scan, "start", one)


class TestPeers(Filters):
    def setUp(self):
        super().setUp()
        self.node = self.start_filters("-peerblockfilters")
        self.hashes = [self.node.rpc.getblockhash(0)]
        for h in self.node.generate(2010):
            self.hashes.append(h)

    def wire(self, height):
        return bytes.fromhex(self.hashes[height])[::-1]

    def of(self, height):
        got = self.node.rpc.getblockfilter(self.hashes[height])
        return bytes.fromhex(got["filter"]), bytes.fromhex(got["header"])[::-1]

    def request(self, start, stop, kind=0):
        return bytes([kind]) + struct.pack("<I", start) + self.wire(stop)

    def test_filters(self):
        with Peer(self.node) as p:
            self.assertTrue(struct.unpack_from("<Q", p.seen[0][1], 4)[0] & 64)
            p.send("getcfilters", self.request(5, 7))
            for h in (5, 6, 7):
                data = self.of(h)[0]
                self.assertEqual(p.wait("cfilter"), b"\0" + self.wire(h) + compact(len(data)) + data)
            p.send("getcfilters", self.request(0, 999))
            for h in range(1000):
                self.assertEqual(p.wait("cfilter")[1:33], self.wire(h))

    def test_headers(self):
        with Peer(self.node) as p:
            p.send("getcfheaders", self.request(0, 1))
            hashes = [sha256d(self.of(h)[0]) for h in (0, 1)]
            self.assertEqual(p.wait("cfheaders"), b"\0" + self.wire(1) + bytes(32) + b"\2" + b"".join(hashes))
            p.send("getcfheaders", self.request(11, 2010))
            got = p.wait("cfheaders")
            count, at = read_compact(got, 65)
            self.assertEqual((got[33:65], count), (self.of(10)[1], 2000))
            header = got[33:65]
            for i in range(count):
                header = sha256d(got[at + 32 * i:at + 32 * i + 32] + header)
            self.assertEqual(header, self.of(2010)[1])

    def test_checkpoints(self):
        with Peer(self.node) as p:
            for stop, heights in ((2010, (1000, 2000)), (2000, (1000, 2000)), (1999, (1000,)), (999, ())):
                p.send("getcfcheckpt", b"\0" + self.wire(stop))
                self.assertEqual(p.wait("cfcheckpt"), b"\0" + self.wire(stop) + compact(len(heights)) +
                                 b"".join(self.of(h)[1] for h in heights))

    def test_too_much(self):
        for command, payload, said in (
                ("getcfilters", self.request(0, 1000), "requested too many cfilters/cfheaders: 1001 / 1000"),
                ("getcfheaders", self.request(0, 2000), "requested too many cfilters/cfheaders: 2001 / 2000"),
                ("getcfheaders", self.request(8, 7),
                 "sent invalid getcfilters/getcfheaders with start height 8 and stop height 7"),
                ("getcfilters", self.request(1, 2, kind=1), "requested unsupported block filter type: 1"),
                ("getcfcheckpt", b"\0" + b"\x11" * 32, "requested invalid block hash: " + "11" * 32)):
            with Peer(self.node) as p:
                p.send(command, payload)
                p.wait_closed()
            self.wait_until(lambda: said in self.node.log(), what=said)

    def test_none_offered(self):
        other = self.start_filters()
        with Peer(other) as p:
            self.assertFalse(struct.unpack_from("<Q", p.seen[0][1], 4)[0] & 64)
            p.send("getcfcheckpt", b"\0" + self.wire(0))
            p.wait_closed()
        self.wait_until(lambda: "requested unsupported block filter type: 0" in other.log(), what="it says why")


def siphash(k0, k1, data):
    mask = (1 << 64) - 1

    def turn(x, n):
        return (x << n | x >> 64 - n) & mask

    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[2] = (v[2] + v[3]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[1]) & mask
            v[0] = (v[0] + v[3]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = turn(v[2], 32)
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for i in range(0, len(padded), 8):
        m = int.from_bytes(padded[i:i + 8], "little")
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 255
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
