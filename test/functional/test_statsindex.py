"""-coinstatsindex: what the coins come to after any block, and what the block did to them."""
import framework
from blocks import COIN, OP_TRUE, P2WSH_TRUE, Chain, TxOut
from test_mempool import pay

DETAILS = ("transactions", "disk_size")


def amounts(o):
    """In satoshis."""
    return {k: amounts(v) if isinstance(v, dict) else int(v * COIN) for k, v in o.items()}


class StatsIndex(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-coinstatsindex")
        self.rpc = self.node.rpc
        self.c = Chain(self.node, P2WSH_TRUE)

    def same(self):
        """The index says what counting says."""
        counted = self.rpc.gettxoutsetinfo("muhash", None, False)
        told = self.rpc.gettxoutsetinfo("muhash")
        for name in DETAILS:
            self.assertNotIn(name, told)
            del counted[name]
        self.assertEqual({k: told[k] for k in counted}, counted)
        return told

    def did(self, height):
        told = self.rpc.gettxoutsetinfo("none", height)
        self.assertNotIn("muhash", told)
        info = amounts(told["block_info"])
        self.assertEqual(list(info), ["prevout_spent", "coinbase", "new_outputs_ex_coinbase", "unspendable", "unspendables"])
        self.assertEqual(info["unspendable"], sum(info["unspendables"].values()))
        self.assertEqual(info["prevout_spent"] + 50 * COIN,
                         info["new_outputs_ex_coinbase"] + info["coinbase"] + info["unspendable"])
        return {k: v for k, v in {**info, **info["unspendables"]}.items() if not isinstance(v, dict)}

    def test_amounts(self):
        rpc, c = self.rpc, self.c
        self.assertEqual(rpc.getindexinfo(), {"coinstatsindex": {"synced": True, "best_block_height": 0}})
        c.mine(110)
        lost = TxOut(3 * COIN, b"\x6a\x01\x01")
        coin = c.take()
        c.mine(1, [pay(coin, outputs=[coin.value - 3 * COIN - 1000, lost])], 400)  # 600 of the fee are nobody's
        self.assertEqual(self.did(0), dict(prevout_spent=0, coinbase=0, new_outputs_ex_coinbase=0, unspendable=50 * COIN,
                                           genesis_block=50 * COIN, bip30=0, scripts=0, unclaimed_rewards=0))
        self.assertEqual(self.did(111), dict(
            prevout_spent=50 * COIN, coinbase=50 * COIN + 400, new_outputs_ex_coinbase=47 * COIN - 1000,
            unspendable=3 * COIN + 600, genesis_block=0, bip30=0, scripts=3 * COIN, unclaimed_rewards=600))
        told = self.same()
        self.assertEqual((told["height"], told["bestblock"]), (111, self.node.tip()))
        self.assertEqual(int(told["total_unspendable_amount"] * COIN), 53 * COIN + 600)
        self.assertEqual(list(rpc.gettxoutsetinfo("muhash", 5)), [
            "height", "bestblock", "txouts", "bogosize", "muhash", "total_amount", "total_unspendable_amount", "block_info"])
        self.assertEqual(rpc.gettxoutsetinfo("muhash", 5), rpc.gettxoutsetinfo("muhash", rpc.getblockhash(5)))
        self.assertEqual(rpc.gettxoutsetinfo("muhash", 111), told)
        self.assertIn("hash_serialized_3", rpc.gettxoutsetinfo())
        self.assertEqual(rpc.getindexinfo("coinstatsindex"),
                         {"coinstatsindex": {"synced": True, "best_block_height": 111}})
        self.assertEqual(rpc.getindexinfo("txindex"), {})

    def test_refusals(self):
        ask = self.rpc.gettxoutsetinfo
        for use in (True, False, None):
            self.assert_rpc_error(-8, "hash_serialized_3 hash type cannot be queried for a specific block",
                                  ask, "hash_serialized_3", 0, use)
        self.assert_rpc_error(-8, "Cannot set use_index to false when querying for a specific block", ask, "none", 0, False)
        self.assert_rpc_error(-8, "Target block height -1 is negative", ask, "none", -1)
        self.assert_rpc_error(-8, "Target block height 1 after current tip 0", ask, "none", 1)
        self.assert_rpc_error(-5, "Block not found", ask, "none", "11" * 32)
        self.node.stop()
        self.node.start("-coinstatsindex=0")
        self.assert_rpc_error(-8, "Querying specific block heights requires coinstatsindex", ask, "none", 0)
        self.assertEqual(self.rpc.getindexinfo(), {})
        storage = self.add_node(chain="regtest")
        self.assertEqual(storage.start_fails("-coinstatsindex"),
                         (1, "Error: -coinstatsindex is not supported where storage is active.\n"))
        storage.start("-coinstatsindex=0")

    def test_branches_and_restarts(self):
        rpc, c = self.rpc, self.c
        c.mine(105)
        old = self.node.generate(3)
        told = self.same()
        rpc.invalidateblock(old[0])
        self.assertEqual(self.same()["height"], 105)
        c.refresh()
        c.mine(4, [pay(c.take(), fee=1000)], 1000)
        self.same()
        self.assertEqual(rpc.gettxoutsetinfo("muhash", old[-1]), told)  # of another branch
        now = self.same()
        for options in ((), ("-reindex",), ("-reindex-chainstate",)):
            self.node.stop()
            self.node.start(*options)
            self.wait_until(lambda: rpc.getblockcount() == 109)
            self.assertEqual(self.same(), now)
        # A branch while the index was off.
        self.node.stop()
        self.node.start("-coinstatsindex=0")
        rpc.invalidateblock(rpc.getblockhash(104))
        self.node.generate(9)
        self.node.stop()
        self.node.start()
        self.same()
        self.assertIn("Syncing coinstatsindex with block chain from height 65", self.node.log())
        self.node.kill()
        self.node.start()
        self.node.generate(1)
        self.same()

    def test_blocks_that_are_gone(self):
        node = self.start_node("-fastprune", "-prune=1")
        script = "raw(" + OP_TRUE.hex() + ")"
        for _ in range(12):
            node.rpc.generatetodescriptor(100, script)
        self.assertGreater(node.rpc.pruneblockchain(800), 0)
        node.stop()
        self.assertEqual(node.start_fails("-coinstatsindex"), (
            1, "Error: coinstatsindex best block of the index goes beyond pruned data. Please disable the index or reindex "
               "(which will download the whole blockchain again)\nError: Failed to start indexes, shutting down..\n"))

    def test_pruning_waits_for_it(self):
        """It is told of each block at once, so what it holds back is what it might have to go back over."""
        node = self.start_node("-fastprune", "-prune=1", "-coinstatsindex", "-debug=prune")
        node.rpc.generatetodescriptor(700, "raw(" + OP_TRUE.hex() + ")")
        self.assertGreater(node.rpc.pruneblockchain(400), 0)
        self.assertIn("coinstatsindex limited pruning to height 689\n", node.log())
        node.rpc.invalidateblock(node.rpc.getblockhash(699))
        self.assertIn("coinstatsindex prune lock moved back to 698\n", node.log())
        plain = self.start_node("-fastprune", "-prune=1", "-debug=prune")
        plain.rpc.generatetodescriptor(700, "raw(" + OP_TRUE.hex() + ")")
        self.assertEqual(plain.rpc.pruneblockchain(400), node.rpc.getblockchaininfo()["pruneheight"] - 1)
        self.assertNotIn("limited pruning", plain.log())
