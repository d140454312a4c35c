"""Blocks that break one rule each, on Bitcoin's regtest: the reason, and that
the node goes on as if they had never come."""
import unittest

import framework
from blocks import (COIN, FINAL, MAX_MONEY, NULL, OP_TRUE, Block, Chain, Coin, Tx, TxIn, TxOut, coin_of, now,
                    push_number, sha256, spend)


class BlockCase(framework.TestCase):
    chain = "bitcoin-regtest"
    args = ()

    def setUp(self):
        super().setUp()
        self.node = self.start_node(*self.args)
        self.c = Chain(self.node)
        self.c.mine(120)

    def refuse(self, block, reason, solve=True):
        """Refused for this reason; the tip stays, and a good block is taken after it."""
        with self.subTest(reason):
            tip = self.node.tip()
            got = self.c.submit(block, solve)
            if reason.endswith("*"):
                self.assertTrue(got and got.startswith(reason[:-1]), got)
            else:
                self.assertEqual(got, reason)
            self.assertEqual(self.node.tip(), tip)

    def refuse_tx(self, tx, reason, fees=0):
        self.refuse(self.c.block([tx], fees), reason)


class TestBlocks(BlockCase):
    def test_header(self):
        c = self.c
        self.refuse(c.block().solve(good=False), "high-hash", solve=False)
        b = c.block()
        b.bits = 0x207ffffe
        self.refuse(b, "bad-diffbits")
        b = c.block()
        b.time = c.median
        self.refuse(b, "time-too-old")
        b = c.block()
        b.time = now() + 7200 + 60
        self.refuse(b, "time-too-new")
        for version in (3, 1, 0x80000000):
            b = c.block()
            b.version = version
            self.refuse(b, f"bad-version(0x{version:08x})")
        b = c.block()
        b.prev = bytes(31) + b"\1"
        self.refuse(b, "prev-blk-not-found")
        c.mine()

    def test_future_block_is_not_condemned(self):
        b = self.c.block()
        b.time = now() + 7200 + 600
        b.solve()
        self.assertEqual(self.c.send(b), "time-too-new")
        self.node.rpc.setmocktime(b.time)
        self.assertIsNone(self.c.send(b))

    def test_body(self):
        c = self.c
        b = c.block()
        b.root = bytes(32)
        self.refuse(b, "bad-txnmrklroot")
        b = c.block()
        b.txs = [spend(c.coins[0])]
        # The RPC itself looks at that much; peers' blocks meet "bad-cb-missing".
        self.assert_rpc_error(-22, "Block does not start with a coinbase", c.submit, b)
        b = c.block([c.coinbase()])
        self.refuse(b, "bad-cb-multiple")
        b = c.block()
        b.txs[0].vin[0].script_sig = push_number(c.height + 2) + b"\0"
        self.refuse(b, "bad-cb-height")
        b = c.block()
        b.txs[0].vin[0].script_sig = push_number(c.height + 1) + bytes(99)
        self.refuse(b, "bad-cb-length")
        b = c.block()
        b.txs[0].vout.append(TxOut(0, bytes(1_000_000)))
        self.refuse(b, "bad-blk-length")
        b = c.block()
        b.txs[0].vout[0].script = b"\xac" * 20_001
        self.refuse(b, "bad-blk-sigops")
        b = c.block()
        b.txs[0].vout[0].value += 1
        self.refuse(b, "bad-cb-amount")
        c.mine()

    def test_mutated_block_does_not_condemn(self):
        c = self.c
        good = c.block([spend(c.coins[0], fee=1), spend(c.coins[1], fee=1)]).solve()
        bad = Block(good.version, good.prev, good.time, good.bits, good.txs + good.txs[-1:])
        bad.nonce = good.nonce
        self.assertEqual(bad.hash, good.hash)
        self.assertEqual(c.send(bad), "bad-txns-duplicate")
        # A witness put in on the way has the same hash too.
        good.txs[1].vin[0].witness = [b"x"]
        self.assertEqual(c.send(good), "unexpected-witness")
        good.txs[1].vin[0].witness = []
        self.assertIsNone(c.send(good))
        self.assertEqual(c.send(good), "duplicate")

    def test_transactions(self):
        c = self.c
        coin, other = c.take(), c.take()
        tx = spend(coin)
        tx.vout = []
        self.refuse_tx(tx, "bad-txns-vout-empty")
        # The value's eight bytes are two's complement.
        self.refuse_tx(spend(coin, outputs=[2**64 - 1]), "bad-txns-vout-negative")
        self.refuse_tx(spend(coin, outputs=[MAX_MONEY + 1]), "bad-txns-vout-toolarge")
        self.refuse_tx(spend(coin, outputs=[MAX_MONEY, 1]), "bad-txns-txouttotal-toolarge")
        self.refuse_tx(spend(coin, coin), "bad-txns-inputs-duplicate")
        tx = spend(coin)
        tx.vin.append(TxIn(NULL, 0xffffffff))
        self.refuse_tx(tx, "bad-txns-prevout-null")
        tx = spend(coin, sequence=0)
        tx.locktime = c.height + 1
        self.refuse_tx(tx, "bad-txns-nonfinal")
        tx.locktime = c.median
        self.refuse_tx(tx, "bad-txns-nonfinal")
        self.refuse_tx(spend(coin, outputs=[coin.value + 1]), "bad-txns-in-belowout")
        self.refuse_tx(spend(c.coins[-1]), "bad-txns-premature-spend-of-coinbase")
        self.refuse_tx(spend(Coin(b"\x55" * 32, 0, 1, 0)), "bad-txns-inputs-missingorspent")
        self.refuse(c.block([spend(coin), spend(coin, fee=1)]), "bad-txns-inputs-missingorspent")
        # Children may not come before their parents.
        parent = spend(coin)
        child = spend(coin_of(parent))
        self.refuse(c.block([child, parent]), "bad-txns-inputs-missingorspent")
        # BIP 68: two blocks after the coin's.
        self.refuse(c.block([parent, spend(coin_of(parent), sequence=1)]), "bad-txns-nonfinal")
        self.refuse(c.block([spend(coin, fee=7)], fees=8), "bad-cb-amount")
        self.assertIsNone(c.submit(c.block([parent, child, spend(other, fee=7)], fees=7)))
        self.refuse_tx(spend(coin), "bad-txns-inputs-missingorspent")

    def test_scripts(self):
        c = self.c
        coin = c.take()
        fund = spend(coin, outputs=[
            TxOut(COIN, b"\0\x20" + sha256(OP_TRUE)),
            TxOut(COIN, b"\x00"),
            TxOut(COIN, bytes([0xac]) * 10_000),
            TxOut(COIN, b"\xbb"),
        ])
        c.mine(1, [fund], coin.value - 4 * COIN)
        program, false, sigops, storage = (coin_of(fund, i) for i in range(4))
        why = "mandatory-script-verify-flag-failed*"
        self.refuse_tx(spend(false), why)
        self.refuse_tx(spend(storage), why)     # an opcode like any other here
        self.refuse_tx(spend(program), why)
        tx = spend(program)
        tx.vin[0].witness = [b"\x52"]
        self.refuse_tx(tx, why)
        self.refuse_tx(spend(sigops), why)
        tx.vin[0].witness = [OP_TRUE]
        c.mine(1, [tx])

    def test_witness(self):
        c = self.c
        coin = c.take()
        fund = spend(coin, outputs=[TxOut(coin.value, b"\0\x20" + sha256(OP_TRUE))])
        c.mine(1, [fund])
        tx = spend(coin_of(fund))
        tx.vin[0].witness = [OP_TRUE]
        self.refuse(c.block([tx], witness=False), "unexpected-witness")
        b = c.block([tx], witness=False)
        self.refuse(b.commit(wrong=True), "bad-witness-merkle-match")
        self.refuse(c.block([tx], witness=False).commit(nonce=bytes(31)), "bad-witness-nonce-size")
        self.refuse(c.block([tx], witness=False).commit(nonce=bytes(33)), "bad-witness-nonce-size")
        # Too heavy: 3.6 million bytes of witness and 120,000 without.
        heavy = spend(coin_of(fund), outputs=[TxOut(0, b"\x6a" + bytes(120_000))])
        heavy.vin[0].witness = [bytes(500)] * 7200 + [OP_TRUE]
        self.refuse(c.block([heavy]), "bad-blk-weight")
        # The RPC puts in the reserved value that a miner left out.
        b = c.block([tx])
        b.txs[0].vin[0].witness = []
        self.assertIsNone(c.submit(b))

    def test_child_of_bad_block(self):
        c = self.c
        bad = c.block()
        bad.txs[0].vout[0].value += 1
        child = Block(bad.version, bad.solve().hash, bad.time + 1, bad.bits, [c.coinbase(c.height + 2)])
        self.refuse(bad, "bad-cb-amount")
        self.refuse(child, "bad-prevblk")
        self.assertEqual(c.send(bad), "duplicate-invalid")
        c.mine()

    def test_duplicate_transaction(self):
        """BIP 30, on a chain where the height need not be shown."""
        node = self.start_node("-testactivationheight=bip34@1000")
        c = Chain(node)
        first = c.block()
        first.txs[0].vin[0].script_sig = b"same"
        again = first.txs[0]
        self.assertIsNone(c.submit(first))
        b = c.block()
        b.txs[0] = again
        self.assertEqual(c.submit(b), "bad-txns-BIP30")
        c.mine()

    def test_activation_heights(self):
        """Rules of a soft fork hold from its height and not before."""
        node = self.start_node("-testactivationheight=bip34@3", "-testactivationheight=dersig@5",
                               "-testactivationheight=cltv@7", "-testactivationheight=segwit@9")
        c = Chain(node)
        refused = {1: "bad-version(0x00000001)", 2: "bad-version(0x00000002)", 3: "bad-version(0x00000003)"}
        for height in range(1, 10):
            for version in (1, 2, 3, 4):
                good = version >= (4 if height >= 7 else 3 if height >= 5 else 2 if height >= 3 else 1)
                b = c.block()
                b.version = version
                if version == 4 and height < 9:
                    # A commitment means nothing yet: a witness is not expected.
                    b.commit()
                    self.assertEqual(c.submit(b), "unexpected-witness")
                    b = c.block()
                    b.version = version
                if not good:
                    self.assertEqual(c.submit(b), refused[version])
                elif version == 4:
                    if height >= 9:
                        b.commit()
                    self.assertIsNone(c.submit(b))

    def test_bad_activation_heights(self):
        node = self.add_node()
        for value, sentence in (("segwit", "Invalid format (segwit) for -testactivationheight=name@height."),
                                ("segwit@x", "Invalid height value (segwit@x) for -testactivationheight=name@height."),
                                ("segwitt@1", "Invalid name (segwitt@1) for -testactivationheight=name@height.")):
            status, text = node.start_fails("-testactivationheight=" + value)
            self.assertEqual(status, 1)
            self.assertIn(sentence, text)


if __name__ == "__main__":
    unittest.main()
