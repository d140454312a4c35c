"""The pool of a running node: what it takes, refuses and replaces, in which
words; blocks, branches and restarts."""
import time
import unittest

import framework
import peer
from blocks import COIN, FINAL, OP_TRUE, P2WSH_TRUE, Chain, Coin, Tx, TxIn, TxOut, coin_of, shown, spend


def pay(*coins, **named):
    return spend(*coins, script=P2WSH_TRUE, **named)


class PoolCase(framework.TestCase):
    chain = "bitcoin-regtest"
    args = ()

    def setUp(self):
        super().setUp()
        self.node = self.start_node(*self.args)
        self.rpc = self.node.rpc
        self.c = Chain(self.node, P2WSH_TRUE)
        self.c.mine(120)

    def send(self, tx):
        self.assertEqual(self.rpc.sendrawtransaction(tx.serialise().hex(), 0), shown(tx.txid))
        return tx

    def refuse(self, tx, reason, code=-26):
        """Both calls refuse it: one with the reason, one with all that is said."""
        with self.subTest(reason):
            answer = self.rpc.testmempoolaccept([tx.serialise().hex()], 0)[0]
            self.assertFalse(answer["allowed"])
            self.assertEqual(answer["reject-reason"], "missing-inputs" if "missingorspent" in reason else reason.split(",")[0])
            self.assert_rpc_error(code, reason, self.rpc.sendrawtransaction, tx.serialise().hex(), 0)

    def pool(self):
        return set(self.rpc.getrawmempool())


class TestPool(PoolCase):
    def test_reasons(self):
        c = self.c
        coin, other = c.take(), c.take()
        self.refuse(pay(coin, outputs=[]), "bad-txns-vout-empty")
        self.refuse(pay(coin, outputs=[2**64 - 1]), "bad-txns-vout-negative")
        self.refuse(c.coinbase(), "coinbase")
        tx = pay(coin, fee=1000)
        tx.version = 3
        self.refuse(tx, "version")
        tx = pay(coin, fee=1000)
        tx.vin[0].script_sig = b"\x61"
        self.refuse(tx, "scriptsig-not-pushonly")
        tx.vin[0].script_sig = bytes(1651)
        self.refuse(tx, "scriptsig-size")
        self.refuse(pay(coin, outputs=[TxOut(COIN, OP_TRUE)]), "scriptpubkey")
        self.refuse(pay(coin, outputs=[TxOut(0, b"\x6a"), TxOut(0, b"\x6a")]), "multi-op-return")
        self.refuse(pay(coin, outputs=[329]), "dust")
        tx = pay(coin, outputs=[TxOut(0, b"\x6a\x01\1")])
        tx.vin[0].witness = []
        self.refuse(tx, "tx-size-small")
        tx = pay(coin, fee=1000, sequence=0)
        tx.locktime = c.height + 1
        self.refuse(tx, "non-final")
        self.refuse(pay(coin, fee=1000, sequence=c.height - coin.height + 2), "non-BIP68-final")
        self.refuse(pay(Coin(b"\x77" * 32, 0, COIN, 1)), "bad-txns-inputs-missingorspent", -25)
        self.refuse(pay(c.coins[-1], fee=1000), "bad-txns-premature-spend-of-coinbase")
        self.refuse(pay(coin, outputs=[coin.value + 1]), "bad-txns-in-belowout, value in (50.00) < value out (50.00000001)")
        tx = pay(coin, fee=95)
        self.refuse(tx, "min relay fee not met, 95 < 96")
        self.rpc.prioritisetransaction(shown(tx.txid), 0, -100)  # an empty pool asks for nothing more
        self.refuse(tx, "min relay fee not met, -5 < 96")
        tx = pay(coin, fee=1000)
        tx.vin[0].witness = [b"\x52"]
        self.refuse(tx, "mandatory-script-verify-flag-failed (Witness program hash mismatch)")
        tx = pay(coin, fee=1000, sequence=FINAL)
        self.send(tx)
        # Core takes a transaction that it has for sent already.
        self.assertEqual(self.rpc.testmempoolaccept([tx.serialise().hex()])[0]["reject-reason"], "txn-already-in-mempool")
        self.assertEqual(self.rpc.sendrawtransaction(tx.serialise().hex()), shown(tx.txid))
        self.refuse(pay(coin, fee=5000), "txn-mempool-conflict")
        self.refuse(pay(coin_of(tx), coin_of(tx, 0), fee=5000), "bad-txns-inputs-duplicate")
        self.send(pay(other, fee=1000))
        c.mine(1, [tx], 1000)
        self.assert_rpc_error(-27, "Transaction already in block chain", self.rpc.sendrawtransaction, tx.serialise().hex())
        self.assertEqual(len(self.pool()), 1)

    def test_replacement(self):
        coin = self.c.take()
        first = self.send(pay(coin, fee=1000, sequence=0xfffffffd))
        child = self.send(pay(coin_of(first), fee=1000))
        better = pay(coin, fee=2095)
        self.refuse(better, f"insufficient fee, rejecting replacement {shown(better.txid)}, not enough additional fees to "
                            "relay; 0.00000095 < 0.00000096")
        better = self.send(pay(coin, fee=2096))
        self.assertEqual(self.pool(), {shown(better.txid)})
        self.refuse(child, "bad-txns-inputs-missingorspent", -25)

    def test_chains(self):
        tx = self.send(pay(self.c.take(), fee=1000))
        first = tx
        for _ in range(24):
            tx = self.send(pay(coin_of(tx), fee=1000))
        too_long = pay(coin_of(tx), fee=1000)
        answer = self.rpc.testmempoolaccept([too_long.serialise().hex()])[0]
        self.assertEqual(answer["reject-reason"], "too-long-mempool-chain")
        entry = self.rpc.getmempoolentry(shown(first.txid))
        self.assertEqual((entry["descendantcount"], entry["ancestorcount"]), (25, 1))
        self.assertEqual(len(self.rpc.getmempoolancestors(shown(tx.txid))), 24)
        self.assertEqual(self.rpc.getmempooldescendants(shown(tx.txid)), [])
        below = self.rpc.getmempooldescendants(shown(first.txid), True)
        self.assertEqual(set(below), self.pool() - {shown(first.txid)})
        self.assertEqual(below[shown(tx.txid)]["ancestorcount"], 25)
        self.assert_rpc_error(-5, "Transaction not in mempool", self.rpc.getmempooldescendants, "00" * 32)
        self.node.generate(1)
        self.assertEqual(self.pool(), set())
        self.send(too_long)

    def test_reorganisation(self):
        c, rpc = self.c, self.rpc
        coins = [c.take() for _ in range(4)]
        first = self.send(pay(coins[0], fee=1000))
        self.node.generate(1)
        second = self.send(pay(coin_of(first), fee=1000))
        self.node.generate(1)
        third = self.send(pay(coin_of(second), fee=1000))
        c.refresh()
        secret = pay(coins[1])          # no fee: only a block can hold it
        c.mine(1, [secret])
        young = self.send(pay(coins[2], fee=1000, sequence=c.height - coins[2].height))
        # Three blocks back: their transactions return, with what builds on them, and go again.
        rpc.invalidateblock(rpc.getblockhash(c.height - 2))
        self.assertEqual(self.pool(), {shown(t.txid) for t in (first, second, third, secret)})
        self.assertNotIn(shown(young.txid), self.pool())
        self.assertEqual(rpc.getmempoolentry(shown(third.txid))["ancestorcount"], 3)
        rpc.reconsiderblock(shown(c.prev))
        self.assertEqual(self.pool(), {shown(third.txid)})
        # A longer branch that spends otherwise.
        rpc.invalidateblock(rpc.getblockhash(c.height - 2))
        c.refresh()
        twin = pay(coins[0], fee=2000)
        c.mine(4, [twin], 2000)
        self.assertNotIn(shown(third.txid), self.pool())
        self.assertNotIn(shown(first.txid), self.pool())
        self.assertIn(shown(secret.txid), self.pool())
        self.refuse(first, "bad-txns-inputs-missingorspent", -25)

    def test_restart(self):
        first = self.send(pay(self.c.take(), fee=1000))
        second = self.send(pay(coin_of(first), fee=1000))
        self.rpc.prioritisetransaction(shown(second.txid), 0, 77)
        when = self.rpc.getmempoolentry(shown(first.txid))["time"]
        self.node.stop()
        self.node.start()
        framework.wait_until(lambda: len(self.pool()) == 2, what="mempool.dat is loaded")
        entry = self.rpc.getmempoolentry(shown(first.txid))
        self.assertEqual(entry["time"], when)
        entry = self.rpc.getmempoolentry(shown(second.txid))
        self.assertEqual(int((entry["fees"]["modified"] - entry["fees"]["base"]) * COIN), 77)
        self.node.stop()
        self.node.start("-persistmempool=0")
        self.assertEqual(self.pool(), set())

    def test_expiry(self):
        rpc = self.rpc
        now = rpc.getblockheader(self.node.tip())["time"] + 1000
        rpc.setmocktime(now)
        old = self.send(pay(self.c.take(), fee=1000))
        rpc.setmocktime(now + 336 * 3600 + 1)
        new = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(self.pool(), {shown(new.txid)})
        self.assertNotEqual(old.txid, new.txid)

    def test_as_long_as_can_be(self):
        self.node.stop()
        self.node.start("-mempoolexpiry=9223372036854775807", "-peertimeout=9223372036854775807",
                        "-timeout=9223372036854775807", "-bantime=9223372036854775807")
        old = self.send(pay(self.c.take(), fee=1000))
        new = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(self.pool(), {shown(old.txid), shown(new.txid)})
        self.rpc.setban("1.2.3.4", "add")
        self.assertGreater(self.rpc.listbanned()[0]["banned_until"], time.time())

    def test_template(self):
        low = self.send(pay(self.c.take(), fee=1000))
        high = self.send(pay(self.c.take(), fee=9000))
        t = self.rpc.getblocktemplate({"rules": ["segwit"]})
        self.assertEqual([x["txid"] for x in t["transactions"]], [shown(high.txid), shown(low.txid)])
        self.assertEqual(t["coinbasevalue"], 50 * COIN + 10_000)
        self.rpc.prioritisetransaction(shown(low.txid), 0, 50_000)
        t = self.rpc.getblocktemplate({"rules": ["segwit"]})
        self.assertEqual([x["txid"] for x in t["transactions"]], [shown(low.txid), shown(high.txid)])


class TestImport(PoolCase):
    def setUp(self):
        super().setUp()
        self.node.generate(1)  # now: after a restart this is no initial download

    def test_file(self):
        """What a file of another time says is taken over as far as is asked for."""
        tx = self.send(pay(self.c.take(), fee=10000))
        txid, other = shown(tx.txid), "11" * 32
        for name in (txid, other):
            self.rpc.prioritisetransaction(name, 0, 500)
        self.rpc.setmocktime(self.rpc.getmempoolentry(txid)["time"] + 100)
        path = self.rpc.savemempool()["filename"]
        load = self.rpc.importmempool

        def entry(*how):
            """Of a node that comes up with an empty pool, then imports."""
            self.node.stop()
            self.node.start("-persistmempool=0")
            self.assertEqual(load(path, *how), {})
            e = self.rpc.getmempoolentry(txid)
            return e["time"], e["fees"]["modified"] - e["fees"]["base"], e["unbroadcast"], \
                sorted(self.rpc.getprioritisedtransactions())
        more, zero = framework.decimal.Decimal("0.00000500"), 0
        time_, delta, waiting, named = entry()
        self.assertEqual((delta, waiting, named), (zero, False, []))
        taken = entry({"use_current_time": False, "apply_fee_delta_priority": True, "apply_unbroadcast_set": True})
        self.assertLessEqual(taken[0], time_)
        self.assertEqual(taken[1:], (more, True, sorted([txid, other])))
        self.assertEqual(load(filepath=path, use_current_time=True), {})
        self.assert_rpc_error(-1, "Unable to import mempool file, see debug.log for details.", load, path + "x")
        self.assert_rpc_error(-3, "is not of expected type bool", load, path, {"use_current_time": 1})

    def test_current_time(self):
        tx = self.send(pay(self.c.take(), fee=10000))
        path, then = self.rpc.savemempool()["filename"], self.rpc.getmempoolentry(shown(tx.txid))["time"]
        for current in (True, False):
            self.node.stop()
            self.node.start("-persistmempool=0", f"-mocktime={then + 1000}")
            self.rpc.importmempool(path, {"use_current_time": current})
            self.assertEqual(self.rpc.getmempoolentry(shown(tx.txid))["time"], then + 1000 * current)

    def test_offered_again(self):
        """mockscheduler: what nobody has asked for is offered before its time."""
        tx = self.send(pay(self.c.take(), fee=10000))
        self.assertEqual(self.rpc.getmempoolinfo()["unbroadcastcount"], 1)
        other = self.start_node()
        other.connect(self.node)
        framework.sync([self.node, other])
        self.assertEqual(other.rpc.getrawmempool(), [])
        self.rpc.mockscheduler(900)
        self.wait_until(lambda: other.rpc.getrawmempool() == [shown(tx.txid)], what="the other has heard of it")
        self.wait_until(lambda: self.rpc.getmempoolinfo()["unbroadcastcount"] == 0, what="it is known to be out")
        self.send(tx)  # again: that is told, but no more is owed
        self.assertEqual(self.rpc.getmempoolinfo()["unbroadcastcount"], 0)


class TestFullPool(PoolCase):
    """The smallest pool that may be asked for, filled up."""
    args = ("-maxmempool=5", "-datacarriersize=100000")

    def test_full(self):
        data = TxOut(0, b"\x6a\x4e" + (90_000).to_bytes(4, "little") + bytes(90_000))
        sent = []
        while self.rpc.getmempoolinfo()["mempoolminfee"] * COIN <= 1000:
            coin = self.c.take() if len(self.c.coins) > 101 else self.mature()
            fee = 100_000 + 10_000 * len(sent)
            tx = pay(coin, outputs=[coin.value - fee, data])
            sent.append(self.send(tx))
            self.assertLess(len(sent), 100)
        pool = self.pool()
        self.assertNotIn(shown(sent[0].txid), pool)     # who pays least goes first
        self.assertIn(shown(sent[-1].txid), pool)
        info = self.rpc.getmempoolinfo()
        self.assertLessEqual(info["usage"], info["maxmempool"])
        coin = self.mature()
        for fee, words in (100_000, "mempool min fee not met"), (0, "min relay fee not met"):
            tx = pay(coin, outputs=[coin.value - fee, data])
            with self.assertRaises(framework.RpcError) as caught:
                self.rpc.sendrawtransaction(tx.serialise().hex(), 0)
            self.assertTrue(caught.exception.message.startswith(words), caught.exception.message)

    def mature(self):
        # A block of the node's own would empty the pool; ours holds nothing.
        self.c.mine()
        return self.c.take()


class TestReturn(PoolCase):
    """Families that were mined in pieces come back whole, as long as nobody has too many ancestors."""

    def test_large_family(self):
        self.node.stop()
        self.node.start("-limitancestorcount=60", "-limitancestorsize=1000")  # descendants: 25, 101 kB
        txs, first = [], None
        for i in range(60):  # each spends one output of every one before
            coins = [coin_of(txs[j], i - j - 1) for j in range(i)] or [self.c.take()]
            outputs = max(59 - i, 1)
            txs.append(self.send(pay(*coins, outputs=[(sum(c.value for c in coins) - 100000) // outputs] * outputs)))
            if i in (19, 39):
                block = self.node.generate(1)[0]
                first = first or block
                self.assertEqual(self.pool(), set())
        self.rpc.invalidateblock(first)
        entries = self.rpc.getrawmempool(True)
        for i, tx in enumerate(txs):
            entry = entries[shown(tx.txid)]
            self.assertEqual((entry["ancestorcount"], entry["descendantcount"]), (i + 1, 60 - i))
        self.node.generate(1)
        self.assertEqual(self.pool(), set())

    def test_long_chains(self):
        fork = self.node.generate(10)
        self.rpc.invalidateblock(fork[0])
        chain = [pay(self.c.take(), fee=1000)]
        while len(chain) < 40:
            chain.append(pay(coin_of(chain[-1]), fee=1000))
        # 20 in a block, and 20 on them in the pool: together too many.
        self.rpc.generateblock(framework.BURN[self.chain], [tx.serialise().hex() for tx in chain[:20]])
        for tx in chain[20:]:
            self.send(tx)
        self.rpc.reconsiderblock(fork[0])
        self.assertEqual(self.pool(), {shown(tx.txid) for tx in chain[:25]})

    def test_served_when_it_comes_back(self):
        """Who has a block is told of its transactions; what came since is not yet for all."""
        self.rpc.setmocktime(int(time.time()))  # so that nothing is announced after the first round
        first = self.send(pay(self.c.take(), fee=1000))
        block = self.node.generate(1)[0]
        with peer.Peer(self.node) as p:
            p.wait("feefilter")  # it ends the round
            second = self.send(pay(coin_of(first), fee=1000))
            self.rpc.invalidateblock(block)
            self.assertEqual(self.pool(), {shown(first.txid), shown(second.txid)})
            p.send("getdata", peer.inv(*((peer.WTX, peer.sha256d(tx.serialise())) for tx in (first, second))))
            p.sync()
            self.assertEqual([m for m in p.seen if m[0] in ("tx", "notfound")],
                             [("tx", first.serialise()), ("notfound", peer.inv((peer.WTX, peer.sha256d(second.serialise()))))])

    def test_never_announced(self):
        self.node.stop()
        self.node.start("-debug=mempool")
        tx = self.send(pay(self.c.take(), fee=1000))
        self.node.generate(1)
        self.assertIn(f"Removed {shown(tx.txid)} from set of unbroadcast txns before confirmation that txn was sent out",
                      self.node.log())


class TestPackages(PoolCase):
    """Several transactions in one testmempoolaccept."""

    def judge(self, *txs, fee=0):
        return self.rpc.testmempoolaccept([tx.serialise().hex() for tx in txs], fee)

    def reasons(self, *txs, fee=0):
        return [r.get("reject-reason", r.get("allowed")) for r in self.judge(*txs, fee=fee)]

    def package_error(self, words, *txs):
        answers = self.judge(*txs)
        self.assertEqual([(r["txid"], r["package-error"]) for r in answers], [(shown(tx.txid), words) for tx in txs])
        self.assertTrue(all("allowed" not in r for r in answers))

    def family(self, count, coin=None):
        txs = [pay(coin or self.c.take(), fee=1000)]
        while len(txs) < count:
            txs.append(pay(coin_of(txs[-1]), fee=1000))
        return txs

    def test_one_after_the_other(self):
        a, b, c = self.family(3)
        both = pay(coin_of(c), self.c.take(), fee=1000)
        self.assertEqual(self.reasons(a, b, c, both), [True] * 4)
        answers = self.judge(a, b)
        self.assertEqual([r["fees"]["effective-includes"] for r in answers], [[r["wtxid"]] for r in answers])
        self.assertEqual(self.pool(), set())
        self.rpc.prioritisetransaction(shown(a.txid), 0, 960)
        self.assertEqual([str(r["fees"]["effective-feerate"]) for r in self.judge(a, b)], ["0.00020416", "0.00010416"])
        self.assertEqual(self.reasons(b, self.family(1)[0]), ["missing-inputs", None])
        self.package_error("package-not-sorted", b, a)
        self.package_error("package-contains-duplicates", a, b, a)
        self.package_error("conflict-in-package", a, b, pay(coin_of(a), fee=5000))
        self.assertEqual(len(self.judge(*self.family(25))), 25)
        self.assert_rpc_error(-8, "Array must contain between 1 and 25 transactions.", self.judge, *self.family(26))
        large = [pay(self.c.take(), outputs=[1000] * 1180) for _ in range(2)]
        self.package_error("package-too-large", *large)

    def test_one_that_fails_ends_it(self):
        a, b = self.family(2)
        other = self.c.take()
        self.assertEqual(self.reasons(a, pay(other, fee=0), b), [None, "min relay fee not met", None])
        wrong = pay(other, fee=1000)
        wrong.vin[0].witness = [b"\x52"]
        self.assertEqual(self.reasons(a, wrong, b),
                         [True, "mandatory-script-verify-flag-failed (Witness program hash mismatch)", None])
        dear = pay(other, fee=10000000)
        self.assertEqual(self.reasons(a, dear, b, fee=0.1), [True, "max-fee-exceeded", None])
        self.assertEqual(self.reasons(a, pay(coin_of(a, 0), outputs=[COIN * 60])), [None, "bad-txns-in-belowout"])

    def test_with_the_pool(self):
        a, b, c = self.family(3)
        self.send(a)
        self.assertEqual(self.reasons(a, b), ["txn-already-in-mempool", None])
        self.assertEqual(self.reasons(b, c), [True, True])
        coin = self.c.take()
        self.send(pay(coin, fee=1000, sequence=0))
        self.assertEqual(self.reasons(pay(coin, fee=90000)), [True])
        self.assertEqual(self.reasons(b, pay(coin, fee=90000)), [None, "bip125-replacement-disallowed"])

    def test_limits(self):
        """Taken as one, however they hang together."""
        chain = self.family(24)
        for tx in chain[:23]:
            self.send(tx)
        last = coin_of(chain[22])
        self.assertEqual(self.reasons(*self.family(2, last)), [True, True])
        for answer in self.judge(*self.family(3, last)):
            self.assertRegex(answer["package-error"], r"^package-mempool-limits, possibly too many .* \[limit: 25\]$")
        self.node.stop()
        self.node.start("-limitancestorcount=3")
        self.package_error("package-mempool-limits, package count 4 exceeds ancestor count limit [limit: 3]", *self.family(4))
        parents = [self.send(pay(self.c.take(), fee=1000)) for _ in range(2)]
        self.package_error("package-mempool-limits, too many unconfirmed parents [limit: 3]",
                           pay(coin_of(parents[0]), fee=1000), pay(coin_of(parents[1]), fee=1000))
        self.node.stop()
        self.node.start("-limitdescendantcount=3")
        self.package_error("package-mempool-limits, package count 4 exceeds descendant count limit [limit: 3]",
                           *self.family(4))
        for name in ("ancestor", "descendant"):
            self.node.stop()
            self.node.start(f"-limit{name}size=5")
            two = [pay(self.c.take(), outputs=[1000] * 60) for _ in range(2)]
            size = sum(self.rpc.decoderawtransaction(tx.serialise().hex())["vsize"] for tx in two)
            self.package_error(f"package-mempool-limits, package size {size} exceeds {name} size limit [limit: 5000]", *two)
            root = self.send(pay(self.c.take(), outputs=[COIN] * 2 + [1000] * 60))
            two = [pay(coin_of(root, n), outputs=[1000] * 30) for n in range(2)]
            words = (f"possibly exceeds descendant size limit for tx {shown(root.txid)}" if name == "descendant" else
                     "possibly exceeds ancestor size limit")
            self.package_error(f"package-mempool-limits, {words} [limit: 5000]", *two)


class TestProposals(PoolCase):
    """Blocks that getblocktemplate is asked about: why they would be refused, whatever their work, and nothing stays."""

    def propose(self, block, solve=False):
        data = block if isinstance(block, str) else block.solve(solve).serialise().hex()
        return self.rpc.getblocktemplate({"mode": "proposal", "rules": ["segwit"], "data": data})

    def test_reasons(self):
        c, tip = self.c, self.node.tip()
        coin = c.take()
        good = pay(coin, fee=1000)
        self.assertIsNone(self.propose(c.block()))  # without work
        self.assertIsNone(self.propose(c.block(), True))
        self.assertIsNone(self.propose(c.block([good], 1000)))
        self.assertIsNone(self.propose(c.block([good], 1000)))  # the coin is still there

        def bent(txs=(), fees=0, **fields):
            block = c.block(txs, fees)
            for name, value in fields.items():
                setattr(block, name, value)
            return block
        missing, late, twice = c.block(), c.block(), c.block()
        missing.txs[0].vin[0].txid = b"\1" * 32
        late.txs[0].locktime, late.txs[0].vin[0].sequence = 2 ** 32 - 1, 0
        twice.txs.append(twice.txs[0])
        again = c.block()
        again.txs.append(c.coinbase())
        high = c.block()
        high.txs[0] = c.coinbase(height=7)
        greedy = c.block()
        greedy.txs[0].vout[0].value += 1
        wrong = c.block([good], 1000, witness=False)
        wrong.commit(wrong=True)
        witness = pay(coin, fee=1000)
        witness.vin[0].witness = [b"\x52"]
        for block, reason in ((missing, "bad-cb-missing"), (late, "bad-txns-nonfinal"), (twice, "bad-txns-duplicate"),
                              (again, "bad-cb-multiple"), (high, "bad-cb-height"), (greedy, "bad-cb-amount"),
                              (wrong, "bad-witness-merkle-match"), (bent(bits=c.bits - 1), "bad-diffbits"),
                              (c.block([good], 1000, witness=False), "unexpected-witness"),
                              (bent(root=b"\1" * 32), "bad-txnmrklroot"), (bent(time=2 ** 32 - 1), "time-too-new"),
                              (bent(time=c.median), "time-too-old"), (bent(version=1), "bad-version(0x00000001)"),
                              (bent(prev=b"\1" * 32), "inconclusive-not-best-prevblk"),
                              (c.block([pay(Coin(b"\1" * 32, 0, COIN, 1))]), "bad-txns-inputs-missingorspent"),
                              (c.block([good, pay(coin, fee=2000)], 3000), "bad-txns-inputs-missingorspent"),
                              (c.block([pay(coin, outputs=[coin.value + 1])]), "bad-txns-in-belowout"),
                              (c.block([pay(c.coins[-1], fee=0)]), "bad-txns-premature-spend-of-coinbase"),
                              (c.block([pay(coin, outputs=[])]), "bad-txns-vout-empty")):
            with self.subTest(reason):
                self.assertEqual(self.propose(block), reason)
        answer = self.propose(c.block([witness], 1000))
        self.assertEqual(answer, "mandatory-script-verify-flag-failed (Witness program hash mismatch)")
        whole = c.block().solve().serialise()
        for cut in (whole[:-1].hex(), (whole[:80] + b"\2" + whole[81:]).hex(), "00"):
            self.assert_rpc_error(-22, "Block decode failed", self.propose, cut)
        self.assertEqual(self.node.tip(), tip)
        self.assertEqual(self.rpc.getchaintips(), [{"height": c.height, "hash": tip, "branchlen": 0, "status": "active"}])
        self.assertIsNone(c.submit(c.block([good], 1000)))


if __name__ == "__main__":
    unittest.main()
