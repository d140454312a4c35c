"""gettxoutsetinfo: the hashes of the coin set, exact to the bit."""
import hashlib
import os

import framework
from blocks import COIN, Chain, Tx, TxIn, TxOut
from blocks import spend as pay

# The chain of Bitcoin Core's feature_utxo_set_hash.py (27), and what it expects of it.
OP_TRUE_TREE = "bcrt1p9yfmy5h72durp7zrhlw9lf7jpwjgvwdg0jr0lqmmjtgg83266lqsekaqka"
MINER = "mjTkW3DjgyZck4KbiRusZsqTgaYTxdSz6z"
HASH_SERIALIZED = "d1c7fec1c0623f6793839878cbe2a531eb968b50b27edd6e2a57077a5aed6094"
MUHASH = "d1725b2fe3ef43e55aa4907480aea98d406fc9e0bf8f60169e2305f1fbf5961b"
PRIME = (1 << 3072) - 1103717


class UtxoHash(framework.TestCase):
    chain = "bitcoin-regtest"

    def make(self):
        node = self.start_node()
        node.rpc.setmocktime(node.rpc.getblockheader(node.rpc.getblockhash(0))["time"] + 1)
        first = node.rpc.generatetoaddress(1, OP_TRUE_TREE)[0]
        node.rpc.generatetoaddress(99, MINER)
        coin = node.rpc.getblock(first, 2)["tx"][0]
        tx = Tx([TxIn(bytes.fromhex(coin["txid"])[::-1], 0, sequence=0,
                      witness=[b"\x51", b"\xc0" + (1).to_bytes(32, "big")])],
                [TxOut(50 * COIN - 31200, bytes.fromhex(coin["vout"][0]["scriptPubKey"]["hex"]))])
        node.rpc.generateblock(OP_TRUE_TREE, [node.rpc.sendrawtransaction(tx.serialise().hex())])
        return node

    def test_known_values(self):
        node = self.make()
        whole = node.rpc.gettxoutsetinfo()
        self.assertEqual(list(whole), ["height", "bestblock", "txouts", "bogosize", "hash_serialized_3",
                                       "total_amount", "transactions", "disk_size"])
        self.assertEqual(whole["hash_serialized_3"], HASH_SERIALIZED)
        self.assertEqual(node.rpc.gettxoutsetinfo(hash_type="hash_serialized_3"), whole)
        muhash = node.rpc.gettxoutsetinfo("muhash")
        self.assertEqual(muhash.pop("muhash"), MUHASH)
        none = node.rpc.gettxoutsetinfo("none")
        del whole["hash_serialized_3"]
        self.assertEqual((muhash, none), (whole, whole))
        self.assertEqual((whole["height"], whole["txouts"], whole["transactions"]), (101, 101, 101))
        self.assertEqual(whole["bestblock"], node.tip())
        self.assertTrue(3200 < whole["disk_size"] < 64000, whole["disk_size"])  # not what memory sets aside for it
        self.assertEqual(whole["total_amount"], framework.decimal.Decimal("5049.999688"))

        # The set is the same whatever came and went.
        tip = node.tip()
        node.rpc.invalidateblock(node.rpc.getblockhash(60))
        self.assertNotEqual(node.rpc.gettxoutsetinfo("muhash")["muhash"], MUHASH)
        node.rpc.reconsiderblock(tip)
        self.assertEqual(node.rpc.gettxoutsetinfo("muhash")["muhash"], MUHASH)
        node.stop()
        node.start("-reindex-chainstate")
        self.assertEqual(node.rpc.gettxoutsetinfo("muhash")["muhash"], MUHASH)
        self.assertEqual(node.rpc.gettxoutsetinfo()["hash_serialized_3"], HASH_SERIALIZED)

    def test_dump(self):
        """Bitcoin Core's rpc_dumptxoutset.py (27) makes this chain, and knows the hash of the file."""
        node = self.start_node()
        node.rpc.setmocktime(node.rpc.getblockheader(node.rpc.getblockhash(0))["time"] + 1)
        node.rpc.generatetoaddress(100, MINER)
        dump, path = node.rpc.dumptxoutset, os.path.join(node.chain_dir, "coins.dat")
        whole = node.rpc.gettxoutsetinfo()
        self.assertEqual(dump("coins.dat"), {
            "coins_written": 100, "base_hash": node.tip(), "base_height": 100, "path": path,
            "txoutset_hash": whole["hash_serialized_3"], "nchaintx": 101})
        with open(path, "rb") as f:
            data = f.read()
        self.assertEqual(hashlib.sha256(data).hexdigest(), "b1bacb602eacf5fbc9a7c2ef6eeb0d229c04e98bdf0c2ea5929012cd0eae3830")
        self.assertEqual(data[:40], bytes.fromhex(node.tip())[::-1] + (100).to_bytes(8, "little"))
        self.assert_rpc_error(-8, path + " already exists. If you are sure this is what you want, move it out of the way first",
                              dump, "coins.dat")
        nowhere = os.path.join(node.datadir, "no", "folder")
        self.assert_rpc_error(-8, f"Couldn't open file {nowhere}.incomplete for writing.", dump, nowhere)
        other = os.path.join(node.datadir, "other.dat")
        self.assertEqual(dump(other)["path"], other)
        with open(other, "rb") as f:
            self.assertEqual(f.read(), data)
        self.assertEqual([n for n in os.listdir(node.chain_dir) + os.listdir(node.datadir) if "incomplete" in n], [])
        os.mkdir(os.path.join(node.chain_dir, "coins2.dat.incomplete"))
        self.assert_rpc_error(-8, f"Couldn't open file {node.chain_dir}/coins2.dat.incomplete for writing.", dump, "coins2.dat")

    def test_dump_in_parts(self):
        """More than is kept in memory at once."""
        node = self.start_node()
        c = Chain(node)
        c.mine(110)
        for _ in range(4):
            coin = c.take()
            c.mine(1, [pay(coin, outputs=[TxOut(1000, b"\x51" * 900)] * 400)])
        out = node.rpc.dumptxoutset("coins.dat")
        self.assertEqual(out["coins_written"], node.rpc.gettxoutsetinfo()["txouts"])
        size = os.path.getsize(out["path"])
        self.assertGreater(size, 1600 * 900)
        with open(out["path"], "rb") as f:
            data = f.read()
        self.assertEqual(data.count(b"\x51" * 900), 1600)

    def test_against_the_definition(self):
        """SHA-256 of nothing else than one: the coins of the genesis block are none."""
        node = self.start_node()
        empty = hashlib.sha256((1 % PRIME).to_bytes(384, "little")).digest()[::-1].hex()
        self.assertEqual(node.rpc.gettxoutsetinfo("muhash")["muhash"], empty)
        self.assertEqual(node.rpc.gettxoutsetinfo()["hash_serialized_3"],
                         hashlib.sha256(hashlib.sha256(b"").digest()).digest()[::-1].hex())

    def test_errors(self):
        node = self.start_node()
        self.assert_rpc_error(-8, "'foohash' is not a valid hash_type", node.rpc.gettxoutsetinfo, "foohash")
        for type_ in ("muhash", "none"):
            self.assert_rpc_error(-8, "Querying specific block heights requires coinstatsindex",
                                  node.rpc.gettxoutsetinfo, type_, 0)


if __name__ == "__main__":
    framework.main()
