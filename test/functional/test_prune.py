"""Letting go of old blocks: -prune, pruneblockchain, and what others see of it."""
import os
import struct
import threading

import framework
import peer

FAST = ("-fastprune", "-prune=1")
NETWORK, LIMITED = 1, 1 << 10
GONE = "Block not available (pruned data)"


class Options(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_what_does_not_go(self):
        for text, *args in (
                ("Prune cannot be configured with a negative value.", "-prune=-1"),
                ("Prune configured below the minimum of 550 MiB.  Please use a higher number.", "-prune=549"),
                ("Prune mode is incompatible with -txindex.", "-prune=550", "-txindex"),
                ("Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.",
                 "-prune=550", "-reindex-chainstate")):
            self.assertEqual(self.add_node().start_fails(*args), (1, f"Error: {text}\n"))

    def test_what_is_told(self):
        node = self.start_node("-prune=550")
        self.assertIn("Prune configured to target 550 MiB on disk for block and undo files.", node.log())
        info = node.rpc.getblockchaininfo()
        self.assertEqual({k: info[k] for k in ("pruned", "pruneheight", "automatic_pruning", "prune_target_size")},
                         {"pruned": True, "pruneheight": 0, "automatic_pruning": True,
                          "prune_target_size": 550 << 20})
        node.stop()
        node.args.remove("-prune=550")
        node.start("-prune=1")
        info = node.rpc.getblockchaininfo()
        self.assertIs(info["automatic_pruning"], False)
        self.assertNotIn("prune_target_size", info)
        node.stop()
        node.start()  # nothing was pruned yet
        info = node.rpc.getblockchaininfo()
        self.assertIs(info["pruned"], False)
        self.assertNotIn("pruneheight", info)
        self.assert_rpc_error(-1, "Cannot prune blocks because node is not in prune mode.", node.rpc.pruneblockchain, 1)


class Manual(framework.TestCase):
    chain = "bitcoin-regtest"

    def files(self, node, kind="blk"):
        return sorted(f for f in os.listdir(os.path.join(node.chain_dir, "blocks")) if f.startswith(kind))

    def test_by_hand(self):
        node = self.start_node(*FAST)
        node.generate(99)
        self.assert_rpc_error(-1, "Blockchain is too short for pruning.", node.rpc.pruneblockchain, 10)
        hashes = [node.rpc.getblockhash(h) for h in range(100)] + node.generate(901)
        self.assertGreater(len(self.files(node)), 3)
        prune = node.rpc.pruneblockchain
        self.assert_rpc_error(-8, "Negative block height.", prune, -10)
        self.assert_rpc_error(-8, "Blockchain is shorter than the attempted prune height.", prune, 1001)
        self.assert_rpc_error(-8, "Could not find block with at least the specified timestamp.", prune,
                              node.rpc.getblockheader(hashes[-1])["time"] + 7201)
        self.assertEqual(prune(100), -1)  # no file is below that altogether
        self.assertTrue(node.rpc.getblock(hashes[0]))
        first = prune(500) + 1
        self.assertTrue(0 < first <= 501)
        self.assertEqual(node.rpc.getblockchaininfo()["pruneheight"], first)
        for kind in ("blk", "rev"):
            self.assertNotIn(kind + "00000.dat", self.files(node, kind))
        self.assert_rpc_error(-1, GONE, node.rpc.getblock, hashes[first - 1])
        self.assertEqual(node.rpc.getblock(hashes[first])["height"], first)
        self.assertEqual(node.rpc.getblockheader(hashes[first - 1])["nTx"], 1)
        txid = node.rpc.getblock(hashes[-1])["tx"][0]
        self.assert_rpc_error(-1, "Block not available", node.rpc.getrawtransaction, txid, 0, hashes[1])
        self.assertEqual(prune(1000), node.rpc.getblockchaininfo()["pruneheight"] - 1)  # 288 are kept
        self.assertLess(node.rpc.getblockchaininfo()["pruneheight"], 1000 - 287)
        size, tip = node.rpc.getblockchaininfo()["size_on_disk"], node.tip()
        stats = node.rpc.gettxoutsetinfo()
        self.assertTrue(node.rpc.verifychain(4, 100))

        # Nothing of it is lost over a restart; only -reindex leads back.
        node.stop()
        with open(os.path.join(node.chain_dir, "blocks", "blk00000.dat"), "w") as f:
            f.write("left by a crash")
        node.start()
        self.assertNotIn("blk00000.dat", self.files(node))
        self.assertIn("LoadBlockIndexDB(): Block files have previously been pruned", node.log())
        self.assertEqual((node.tip(), node.rpc.getblockchaininfo()["size_on_disk"]), (tip, size))
        self.assertEqual(node.rpc.gettxoutsetinfo()["hash_serialized_3"], stats["hash_serialized_3"])
        node.stop()
        node.args.remove("-prune=1")
        self.assertEqual(node.start_fails(), (1, (
            ": You need to rebuild the database using -reindex to go back to unpruned mode.  This will redownload "
            "the entire blockchain.\nPlease restart with -reindex or -reindex-chainstate to recover.\n")))
        other = self.start_node()
        other.generate(1)
        node.start("-prune=1", "-reindex")
        self.assertEqual((node.height(), self.files(node), self.files(node, "rev")), (0, ["blk00000.dat"], []))
        node.connect(other)
        framework.sync([node, other])

    def test_by_time(self):
        node = self.add_node(*FAST)
        now = 1_700_000_000
        node.start(f"-mocktime={now}")
        node.generate(600)
        node.rpc.setmocktime(now + 100_000)
        node.generate(400)
        time_at = node.rpc.getblockheader(node.rpc.getblockhash(601))["time"]
        # Blocks whose time is two hours before, at least: not yet the later ones.
        last = node.rpc.pruneblockchain(time_at + 7200)
        self.assertTrue(0 < last <= 601)

    def test_what_peers_see(self):
        node, whole = self.start_node(*FAST), self.start_node("-fastprune")
        whole.generate(600)
        node.connect(whole)
        framework.sync([node, whole])
        names = node.rpc.getnetworkinfo()["localservicesnames"]
        self.assertTrue("NETWORK_LIMITED" in names and "NETWORK" not in names)
        self.assertIn("NETWORK", whole.rpc.getnetworkinfo()["localservicesnames"])
        first = node.rpc.pruneblockchain(250) + 1
        self.assertGreater(first, 0)

        def ask(at, height):
            p = peer.Peer(at)
            p.send("getdata", peer.inv((peer.BLOCK | peer.WITNESS, bytes.fromhex(at.rpc.getblockhash(height))[::-1])))
            return p
        with ask(node, 600 - 290) as p:
            p.wait("block")
            services = struct.unpack_from("<Q", next(b for c, b in p.seen if c == "version"), 4)[0]
            self.assertEqual(services & (NETWORK | LIMITED), LIMITED)
            # Of the last blocks only those are told of that will stay for an hour more.
            p.send("getblocks", b"\x7f\x11\x01\0" + peer.compact(1) +
                   bytes.fromhex(node.rpc.getblockhash(500))[::-1] + bytes(32))
            p.wait("inv", lambda b: peer.read_compact(b, 0)[0] == 100)
            p.send("getblocks", b"\x7f\x11\x01\0" + peer.compact(1) +
                   bytes.fromhex(node.rpc.getblockhash(300))[::-1] + bytes(32))
            p.sync()
            self.assertEqual(p.commands().count("inv"), 1)
        # That it has this one is nobody's business.
        self.assertLess(first, 600 - 291)
        with ask(node, 600 - 291) as p:
            p.wait_closed()
            self.assertNotIn("block", p.commands())
        with ask(whole, 1) as p:
            p.wait("block")

        # A block that is gone may be fetched by hand.
        gone = node.rpc.getblockhash(1)
        self.assert_rpc_error(-1, GONE, node.rpc.getblock, gone)
        peers = node.rpc.getpeerinfo()
        self.assertEqual(node.rpc.getblockfrompeer(gone, peers[0]["id"]), {})
        self.wait_until(lambda: node.rpc.getblock(gone)["height"] == 1)
        self.assertEqual(node.rpc.getblockchaininfo()["pruneheight"], first)
        self.assertEqual(node.rpc.pruneblockchain(300) + 1, node.rpc.getblockchaininfo()["pruneheight"])

    def test_heights_of_core(self):
        """The files of Bitcoin Core's rpc_getblockfrompeer.py (27) end at the same blocks."""
        miners = ("mjTkW3DjgyZck4KbiRusZsqTgaYTxdSz6z", "msX6jQXvxiNhx3Q62PKeLPrhrqZQdSimTg",
                  "mnonCMyH9TmAsSj3M59DsbH8H63U3RKoFP", "bcrt1p9yfmy5h72durp7zrhlw9lf7jpwjgvwdg0jr0lqmmjtgg83266lqsekaqka")
        whole, node = self.start_node(), self.start_node(*FAST)

        def more(count):
            whole.rpc.generatetoaddress(count, miners[0])
            framework.sync([whole, node])
        for i in range(8):
            whole.rpc.generatetoaddress(24 if i == 7 else 25, miners[i % 4])
        node.connect(whole)
        more(404)
        self.assertEqual(node.rpc.pruneblockchain(300), 248)
        gone = whole.rpc.getblockhash(2)
        self.assert_rpc_error(-1, GONE, node.rpc.getblock, gone)
        self.assertEqual(node.rpc.getblockfrompeer(gone, node.rpc.getpeerinfo()[0]["id"]), {})
        self.wait_until(lambda: node.rpc.getblock(gone)["height"] == 2)
        more(250)
        self.assertEqual(node.rpc.pruneblockchain(700), 248 + 251)
        self.assertEqual(node.rpc.getblock(gone)["height"], 2)  # it is in a later file now
        more(250)
        self.assertEqual(node.rpc.pruneblockchain(1000), 248 + 251 + 250)
        self.assert_rpc_error(-1, GONE, node.rpc.getblock, gone)

    def test_while_others_read_and_move(self):
        """Files go under the eyes of who reads them; what is left is right, and nothing stops."""
        node = self.start_node(*FAST, "-checkblockindex")
        node.generate(700)
        hashes = [node.rpc.getblockhash(h) for h in range(701)]
        done, wrong, seen = threading.Event(), [], set()

        def read(first):
            rpc = framework.Rpc(node.rpc_port, node._cookie)
            h = first
            while not done.is_set():
                try:
                    if rpc.getblock(hashes[h], 2)["height"] != h:
                        wrong.append(h)
                    seen.add("there")
                except framework.RpcError as e:
                    seen.add("gone")
                    if e.message != GONE:
                        wrong.append((h, e.message))
                h = (h + 97) % 412
        readers = [threading.Thread(target=read, args=(50 * i,)) for i in range(3)]
        for r in readers:
            r.start()
        self.wait_until(lambda: "there" in seen, what="somebody reads")
        for height in range(100, 1000, 50):
            node.rpc.pruneblockchain(min(height, node.height()))
            node.generate(20)
        self.wait_until(lambda: "gone" in seen, what="somebody comes too late")
        done.set()
        for r in readers:
            r.join()
        self.assertEqual(wrong, [])
        self.assertTrue(node.rpc.verifychain(4, 200))

    def test_wallets(self):
        node = self.start_node(*FAST)
        node.rpc.createwallet("a")
        node.rpc.createwallet("late")
        node.rpc.unloadwallet("late")
        address = node.rpc.wallet("a").getnewaddress()
        node.rpc.generatetoaddress(1, address)
        node.generate(700)
        node.rpc.pruneblockchain(400)
        first = node.rpc.getblockchaininfo()["pruneheight"]
        self.assertGreater(first, 0)
        a = node.rpc.wallet("a")
        self.assertGreater(a.getbalance(), 0)
        self.assert_rpc_error(-1, "Can't rescan beyond pruned data. Use RPC call getblockchaininfo to determine your "
                                  "pruned height.", a.rescanblockchain, first - 1)
        self.assertEqual(a.rescanblockchain(first)["stop_height"], 701)
        self.assert_rpc_error(-4, "Prune: last wallet synchronisation goes beyond pruned data. You need to -reindex "
                                  "(download the whole blockchain again in case of pruned node)",
                              node.rpc.loadwallet, "late")
        node.rpc.createwallet("new")


if __name__ == "__main__":
    framework.main()
