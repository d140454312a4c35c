"""Each option does what it says: the pool's, mining's, the log's, notify commands, settings.json."""
import os
import unittest

import framework
from blocks import OP_TRUE, P2WSH_TRUE, TxOut, coin_of, shown
from test_mempool import PoolCase, pay


class TestPoolOptions(PoolCase):
    """The pool starts afresh with other options for each."""

    def restart(self, *args):
        self.node.stop()
        self.node.start(*args)

    def reject(self, tx, fee=0):
        return self.rpc.testmempoolaccept([tx.serialise().hex()], fee)[0].get("reject-reason")

    def chain_of(self, count, size):
        """One after another, each of about size virtual bytes."""
        txs, coin = [], self.c.take()
        for _ in range(count):
            txs.append(self.send(pay(coin, outputs=[coin.value - 100 * size] + [1000] * ((size - 100) // 43))))
            coin = coin_of(txs[-1])
        return txs, coin

    def test_limits_of_families(self):
        self.restart("-limitancestorcount=3", "-limitdescendantcount=20")
        txs, coin = self.chain_of(3, 200)
        self.assertEqual(self.reject(pay(coin, fee=1000)), "too-long-mempool-chain")
        self.node.generate(1)
        self.restart("-limitdescendantcount=3", "-limitancestorcount=20")
        txs, coin = self.chain_of(3, 200)
        self.refuse(pay(coin, outputs=[coin.value - 9000000] + [1000] * 280),
                    f"too-long-mempool-chain, too many descendants for tx {shown(txs[0].txid)} [limit: 3]")
        self.node.generate(1)
        self.restart("-limitancestorsize=5")
        txs, coin = self.chain_of(2, 2000)
        self.refuse(pay(coin, outputs=[coin.value - 900000] + [1000] * 40),
                    "too-long-mempool-chain, exceeds ancestor size limit [limit: 5000]")
        self.send(pay(coin, fee=1000))
        self.node.generate(1)
        self.restart("-limitdescendantsize=5")
        txs, coin = self.chain_of(2, 2000)
        self.refuse(pay(coin, outputs=[coin.value - 9000000] + [1000] * 280),
                    f"too-long-mempool-chain, exceeds descendant size limit for tx {shown(txs[-1].txid)} [limit: 5000]")

    def test_room(self):
        self.node.stop()
        self.assertEqual(self.node.start_fails("-maxmempool=4")[1], "Error: -maxmempool must be at least 5 MB\n")
        self.assertEqual(self.node.start_fails("-maxmempool=8", "-limitdescendantsize=250")[1],
                         "Error: -maxmempool must be at least 10 MB\n")
        self.node.start("-maxmempool=1", "-limitdescendantsize=20")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 1000000)
        self.restart("-blocksonly")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 5000000)
        self.restart("-blocksonly", "-maxmempool=7")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 7000000)
        self.restart()
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 300000000)

    def test_bytespersigop(self):
        bare = TxOut(100000, b"\x51" + (b"\x21\x02" + b"\x79" * 32) * 1 + b"\x51\xae")  # 1 of 1: 20 sigops, x 4
        tx = pay(self.c.take(), outputs=[bare, 1000])
        size = self.rpc.decoderawtransaction(tx.serialise().hex())["vsize"]
        for each in (None, 7, 50, 100, 0):
            self.restart(*[f"-bytespersigop={each}"] * (each is not None))
            told = self.rpc.testmempoolaccept([tx.serialise().hex()], 0)[0]["vsize"]
            self.assertEqual(told, max(size, 20 * (20 if each is None else each)))

    def test_outputs(self):
        bare = pay(self.c.take(), outputs=[TxOut(100000, b"\x51\x21\x02" + b"\x79" * 32 + b"\x51\xae"), 1000])
        data = pay(self.c.take(), outputs=[TxOut(0, b"\x6a" + bytes(82)), 1000])
        large = pay(self.c.take(), outputs=[TxOut(0, b"\x6a" + bytes(83)), 1000])
        small = pay(self.c.take(), outputs=[300, 1000])
        free = pay(self.c.take(), fee=0)
        odd = pay(self.c.take(), outputs=[TxOut(10000, OP_TRUE), 1000])
        cases = [((), [None, None, "scriptpubkey", "dust", "min relay fee not met", "scriptpubkey"]),
                 (("-permitbaremultisig=0",), ["bare-multisig", None, "scriptpubkey", "dust", "min relay fee not met",
                                               "scriptpubkey"]),
                 (("-datacarrier=0",), [None, "scriptpubkey", "scriptpubkey", "dust", "min relay fee not met",
                                        "scriptpubkey"]),
                 (("-datacarriersize=84",), [None, None, None, "dust", "min relay fee not met", "scriptpubkey"]),
                 (("-dustrelayfee=0.00001",), [None, None, "scriptpubkey", None, "min relay fee not met", "scriptpubkey"]),
                 (("-minrelaytxfee=0",), [None, None, "scriptpubkey", "dust", None, "scriptpubkey"]),
                 (("-acceptnonstdtxn",), [None, None, None, None, "min relay fee not met", None])]
        for args, answers in cases:
            with self.subTest(args):
                self.restart(*args)
                self.assertEqual([self.reject(tx) for tx in (bare, data, large, small, free, odd)], answers)

    def test_checkmempool(self):
        def looks():
            return self.node.log().count("Checking mempool with ")
        self.restart("-debug=mempool")
        before = looks()
        tx = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(looks(), before + 1)
        self.assertIn("[mempool] Checking mempool with 1 transactions and 1 inputs", self.node.log())
        self.node.generate(1)
        self.assertGreater(looks(), before + 1)
        self.restart("-debug=mempool", "-checkmempool=0")
        before = looks()
        self.send(pay(coin_of(tx), fee=1000))
        self.assertEqual(looks(), before)

    def test_mempool_dat(self):
        path = os.path.join(self.node.chain_dir, "mempool.dat")
        tx = self.send(pay(self.c.take(), fee=1000))

        def version():
            with open(path, "rb") as f:
                return f.read(8)[0]
        for args, number in ((("-persistmempoolv1",), 2), (("-persistmempoolv1=0",), 1), ((), 2), ((), 2)):
            self.restart(*args)
            self.assertEqual(version(), number)
            framework.wait_until(lambda: self.pool() == {shown(tx.txid)}, what="the pool is loaded")
        self.restart("-persistmempool=0")
        self.assertEqual(self.pool(), set())

    def test_blocks(self):
        tx = self.send(pay(self.c.take(), fee=1000))
        rate = 1000 * 1000 // self.rpc.getmempoolentry(shown(tx.txid))["vsize"]
        self.node.generate(1)
        self.assertNotIn("fee rate", self.node.log())
        self.restart("-printpriority", "-blockversion=536870912")
        tx = self.send(pay(self.c.take(), fee=1000))
        self.node.generate(1)
        self.assertIn(f"fee rate 0.{rate:08} BTC/kvB txid {shown(tx.txid)}", self.node.log())
        self.assertEqual(self.rpc.getblockheader(self.node.tip())["version"], 536870912)
        self.restart("-blockmintxfee=0.0002")
        low = self.send(pay(self.c.take(), fee=1000))
        high = self.send(pay(self.c.take(), fee=3000))
        self.node.generate(1)
        self.assertEqual(self.pool(), {shown(low.txid)})
        self.restart("-blockmaxweight=4000")
        self.assertEqual(len(self.rpc.getblocktemplate({"rules": ["segwit"]})["transactions"]), 0)
        self.restart()
        self.assertEqual(len(self.rpc.getblocktemplate({"rules": ["segwit"]})["transactions"]), 1)
        self.assertEqual(self.rpc.getrawtransaction(shown(high.txid), 1, self.node.tip())["confirmations"], 1)


del PoolCase  # its tests run where it is defined

if __name__ == "__main__":
    unittest.main()
