"""Parents and a child that come together (submitpackage), and transactions of
version 3, whose families stay small."""
import framework
import peer
from blocks import COIN, FINAL, P2WSH_TRUE, TxOut, coin_of, shown
from test_mempool import PoolCase, pay


def wide(tx):
    return peer.sha256d(tx.serialise())


def names(tx):
    return f"tx {shown(tx.txid)} (wtxid={shown(wide(tx))})"


def three(*coins, **named):
    tx = pay(*coins, **named)
    tx.version = 3
    return tx


def data(size):
    return TxOut(0, b"\x6a\x4d" + size.to_bytes(2, "little") + bytes(size))


class SubmitCase(PoolCase):
    def submit(self, *txs):
        """The word on all, and of each that was judged its result."""
        answer = self.rpc.submitpackage([tx.serialise().hex() for tx in txs])
        self.replaced = answer.pop("replaced-transactions")
        results = answer["tx-results"]
        self.assertLessEqual(set(results), {shown(wide(tx)) for tx in txs})
        for tx in txs:
            if shown(wide(tx)) in results:
                self.assertEqual(results[shown(wide(tx))].pop("txid"), shown(tx.txid))
        return answer["package_msg"], [results.get(shown(wide(tx))) for tx in txs]

    def errors(self, *txs):
        message, results = self.submit(*txs)
        return message, [r and r.get("error") for r in results]

    def size(self, tx):
        return self.rpc.decoderawtransaction(tx.serialise().hex())["vsize"]


class TestSubmit(SubmitCase):
    def test_each_pays_for_itself(self):
        parents = [pay(self.c.take(), fee=1000 * (i + 1)) for i in range(2)]
        child = pay(*map(coin_of, parents), fee=5000)
        message, results = self.submit(*parents, child)
        self.assertEqual((message, self.replaced), ("success", []))
        for tx, result, fee in zip([*parents, child], results, (1000, 2000, 5000)):
            size = self.size(tx)
            self.assertEqual(result["vsize"], size)
            self.assertEqual(result["fees"]["base"] * COIN, fee)
            self.assertEqual(int(result["fees"]["effective-feerate"] * COIN), fee * 1000 // size)
            self.assertEqual(result["fees"]["effective-includes"], [shown(wide(tx))])
        self.assertEqual(self.pool(), {shown(tx.txid) for tx in [*parents, child]})
        self.assertEqual(self.rpc.getmempoolinfo()["unbroadcastcount"], 0)
        # Again: what it came in with is not told.
        message, results = self.submit(*parents, child)
        self.assertEqual(message, "success")
        self.assertEqual([set(r["fees"]) for r in results], [{"base"}] * 3)
        self.assertEqual([r["vsize"] for r in results], [self.size(tx) for tx in [*parents, child]])
        other = pay(*map(coin_of, parents), fee=5000)
        other.vin[0].witness = [b"\1"]
        self.assertEqual(self.submit(*parents, other)[1][2], {"other-wtxid": shown(wide(child))})

    def test_families_only(self):
        a = pay(self.c.take(), outputs=[COIN, COIN])
        b = pay(coin_of(a), fee=1000)
        words = "package topology disallowed. not child-with-parents or parents depend on each other."
        for txs in ([a], [b, a], [a, pay(self.c.take(), fee=1000)], [a, b, pay(coin_of(b), fee=1000)],
                    [a, b, pay(coin_of(a, 1), coin_of(b), fee=1000)]):
            self.assert_rpc_error(-25, words, self.submit, *txs)
        self.assert_rpc_error(-8, "Array must contain between 1 and 25 transactions.", self.submit)
        self.assert_rpc_error(-8, "Array must contain between 1 and 25 transactions.", self.submit, *[a] * 26)
        self.assert_rpc_error(-22, "TX decode failed: 00 Make sure the tx has at least one input.",
                              self.rpc.submitpackage, ["00"])
        self.assertEqual(self.pool(), set())

    def test_not_even_judged(self):
        a, coin = pay(self.c.take(), fee=1000), self.c.take()
        self.assertEqual(self.submit(a, a, pay(coin_of(a), fee=1000)), ("package-contains-duplicates", [None] * 3))
        b, c = pay(coin, fee=1000), pay(coin, fee=2000)
        self.assertEqual(self.submit(b, c, pay(coin_of(b), coin_of(c), fee=1000)), ("conflict-in-package", [None] * 3))
        # The child's parents in the pool must be of the package; those of the parents need not.
        self.send(b)
        self.assertEqual(self.submit(a, pay(coin_of(a), coin_of(b), fee=1000)),
                         ("package-not-child-with-unconfirmed-parents", [None] * 2))
        d = pay(coin_of(b), fee=1000)
        self.assertEqual(self.submit(d, pay(coin_of(d), self.c.take(), fee=1000))[0], "success")

    def test_a_part_gets_in(self):
        good, bad, poor = pay(self.c.take(), fee=1000), pay(self.c.take(), fee=1000), pay(self.c.take(), fee=0)
        bad.vin[0].witness = [b"\x52"]
        child = pay(coin_of(bad), coin_of(good), fee=1000)
        self.assertEqual(self.errors(bad, good, child), ("transaction failed", [
            "mandatory-script-verify-flag-failed (Witness program hash mismatch)", None,
            "bad-txns-inputs-missingorspent"]))
        self.assertEqual(self.pool(), {shown(good.txid)})
        # Below what relay costs nobody can pay for another.
        child = pay(coin_of(poor), fee=10000)
        self.assertEqual(self.errors(poor, child), ("transaction failed", [
            f"min relay fee not met, 0 < {self.size(poor)}", "bad-txns-inputs-missingorspent"]))

    def test_replaces(self):
        coin = self.c.take()
        old = self.send(pay(coin, fee=1000, sequence=0))
        older = self.send(pay(coin_of(old), fee=1000))
        new = pay(coin, fee=10000)
        self.assertEqual(self.submit(new, pay(coin_of(new), fee=1000))[0], "success")
        self.assertEqual(self.replaced, [shown(t) for t in sorted((old.txid, older.txid))])
        # In a package nothing is replaced, so no child helps a parent that pays too little for that.
        coin = self.c.take()
        self.send(pay(coin, fee=1000, sequence=0))
        poor = pay(coin, fee=1010)
        message, errors = self.errors(poor, pay(coin_of(poor), fee=100000))
        self.assertEqual((message, errors[1]), ("transaction failed", "bad-txns-inputs-missingorspent"))
        self.assertRegex(errors[0], f"^insufficient fee, rejecting replacement {shown(poor.txid)}, not enough additional fees "
                                    r"to relay; 0\.0000001 < 0\.")

    def test_announced(self):
        with peer.Peer(self.node) as p:
            p.sync()  # it has heard that hands are shaken
            a = pay(self.c.take(), fee=1000)
            b = pay(coin_of(a), fee=1000)
            self.submit(a, b)
            wanted = {(peer.WTX, wide(tx)) for tx in (a, b)}
            while wanted:
                p.wait("inv")
                wanted = {i for i in wanted if not any(c == "inv" and i[1] in m for c, m in p.seen)}

    def test_no_room_is_made(self):
        """Neither what is replaced nor a small child goes beyond the limits on chains."""
        self.node.stop()
        self.node.start("-limitdescendantcount=2", "-limitancestorcount=3")
        root = self.send(pay(self.c.take(), outputs=[COIN, COIN]))
        self.send(pay(coin_of(root), fee=1000, sequence=0))
        for tx in (pay(coin_of(root), fee=10000), pay(coin_of(root, 1), fee=1000)):
            self.assertTrue(self.rpc.testmempoolaccept([tx.serialise().hex()])[0]["allowed"])
            message, (error, _) = self.errors(tx, pay(coin_of(tx), fee=1000))
            self.assertEqual(message, "transaction failed")
            self.assertEqual(error, f"too-long-mempool-chain, too many descendants for tx {shown(root.txid)} [limit: 2]")


class TestFull(SubmitCase):
    """In the smallest pool that may be asked for."""
    args = ("-maxmempool=5", "-datacarriersize=100000", "-debug=mempool")

    def fill(self):
        blob = TxOut(0, b"\x6a\x4e" + (90_000).to_bytes(4, "little") + bytes(90_000))
        fee = 100_000
        while not self.node.log().count("txn, rolling minimum fee bumped to"):
            coin = self.c.take()
            self.send(pay(coin, outputs=[coin.value - fee, blob]))
            fee += 100_000  # more than the pool asks for beyond who left last
        self.assertRegex(self.node.log(), r"Removed 1 txn, rolling minimum fee bumped to 0\.0000\d{4} BTC/kvB")
        self.assertGreater(self.least(), 1000)

    def least(self):
        return int(self.rpc.getmempoolinfo()["mempoolminfee"] * COIN)

    def test_child_pays(self):
        self.c.mine(60)
        self.fill()
        poor, rich = pay(self.c.take(), fee=200), pay(self.c.take(), fee=0)
        self.rpc.prioritisetransaction(shown(rich.txid), 0, 5000)
        need = -(-self.least() * self.size(poor) // 1000)
        self.refuse(poor, f"mempool min fee not met, 200 < {need}")
        self.refuse(pay(self.c.take(), fee=10), f"min relay fee not met, 10 < {self.size(poor)}")
        child = pay(coin_of(poor), coin_of(rich), fee=2)
        size = self.size(poor) + self.size(child)
        # Who pays for itself pays for nobody else.
        self.assertEqual(self.errors(poor, rich, child)[1], [
            f"mempool min fee not met, 200 < {need}", None, f"min relay fee not met, 2 < {self.size(child)}"])
        child = pay(coin_of(poor), coin_of(rich), fee=200)
        need = -(-self.least() * size // 1000)
        self.assertEqual(self.errors(poor, rich, child)[1][2], f"mempool min fee not met, 400 < {need}")
        child = pay(coin_of(poor), coin_of(rich), fee=6000)
        message, results = self.submit(poor, rich, child)
        self.assertEqual(message, "success")
        self.assertEqual(results[1]["fees"]["base"], 0)
        for i in (0, 2):
            fees = results[i]["fees"]
            self.assertEqual(int(fees["effective-feerate"] * COIN), 6200 * 1000 // size)
            self.assertEqual(fees["effective-includes"], [shown(wide(poor)), shown(wide(child))])
        # It pays what is asked, and is still the least deserving.
        coin, big = self.c.take(), data(45_000)
        parent = pay(coin, outputs=[coin.value, big])
        size, least = self.size(parent), self.least()
        parent.vout[0].value -= (least - 20) * size // 1000
        child = pay(coin_of(parent), outputs=[parent.vout[0].value - (least + 120) * size // 1000, big])
        message, errors = self.errors(parent, child)
        self.assertEqual((message, errors), ("transaction failed", ["mempool full"] * 2))


class TestVersion3(SubmitCase):
    args = ("-acceptnonstdtxn=1",)

    def judge(self, *txs):
        answers = self.rpc.testmempoolaccept([tx.serialise().hex() for tx in txs], 0)
        said = {a.get("package-error") for a in answers}
        self.assertEqual(len(said), 1)
        return said.pop() or [a["allowed"] for a in answers]

    def test_rules(self):
        parent, two = self.send(three(self.c.take(), outputs=[COIN, COIN])), self.send(pay(self.c.take(), fee=1000))
        rule = "v3-rule-violation, "
        for tx in (pay(coin_of(parent), fee=1000), three(coin_of(two), fee=1000)):
            mine, other = ("v3", "non-v3") if tx.version == 3 else ("non-v3", "v3")
            self.refuse(tx, f"{rule}{mine} {names(tx)} cannot spend from {other} "
                            f"{names(two if tx.version == 3 else parent)}")
        large = three(coin_of(parent), outputs=[COIN // 2, data(900)])
        self.assertGreater(self.size(large), 1000)
        self.refuse(large, f"{rule}v3 child {names(large)} is too big: {self.size(large)} > 1000 virtual bytes")
        child = self.send(three(coin_of(parent), fee=1000, sequence=FINAL))
        self.assertFalse(self.rpc.getmempoolentry(shown(child.txid))["bip125-replaceable"])
        grandchild = three(coin_of(child), fee=1000)
        self.refuse(grandchild, f"{rule}{names(grandchild)} would have too many ancestors")
        self.refuse(three(coin_of(parent, 1), fee=1000), f"{rule}{names(parent)} would exceed descendant count limit")
        # In the place of the other it may come, whether that one agreed or not.
        self.send(three(coin_of(parent), fee=5000))
        self.send(three(coin_of(parent), coin_of(parent, 1), fee=9000))
        self.assertEqual(len(self.pool()), 3)

    def test_parent_for_nothing(self):
        parent = three(self.c.take(), fee=0)
        self.refuse(parent, f"min relay fee not met, 0 < {self.size(parent)}")
        child = three(coin_of(parent), fee=150)
        size = self.size(parent) + self.size(child)
        self.assertEqual(self.errors(parent, child), ("transaction failed", [
            f"min relay fee not met, 0 < {self.size(parent)}", f"min relay fee not met, 150 < {size}"]))
        child = three(coin_of(parent), fee=1000)
        message, results = self.submit(parent, child)
        self.assertEqual(message, "success")
        self.assertEqual([int(r["fees"]["effective-feerate"] * COIN) for r in results], [1000 * 1000 // size] * 2)

    def test_refused_for_good(self):
        """One that no fee would help leaves the others to themselves, even where they could do without it."""
        known = self.send(pay(self.c.take(), fee=1000))
        self.node.generate(1)
        parent = three(self.c.take(), fee=0)
        child = three(coin_of(parent), coin_of(known), fee=1000)
        self.assertEqual(self.errors(known, parent, child), ("transaction failed", [
            "txn-already-known", f"min relay fee not met, 0 < {self.size(parent)}", "bad-txns-inputs-missingorspent"]))
        self.assertEqual(self.submit(parent, child)[0], "success")

    def test_packages(self):
        rule = "v3-violation, "
        a, b = three(self.c.take(), outputs=[COIN, COIN]), pay(self.c.take(), fee=1000)
        child = three(coin_of(a), fee=1000)
        self.assertEqual(self.judge(a, b, child, pay(coin_of(b), fee=1000)), [True] * 4)
        mixed = pay(coin_of(a), fee=1000)
        self.assertEqual(self.judge(b, a, mixed), f"{rule}non-v3 {names(mixed)} cannot spend from v3 {names(a)}")
        mixed = three(coin_of(b), fee=1000)
        self.assertEqual(self.judge(a, b, mixed), f"{rule}v3 {names(mixed)} cannot spend from non-v3 {names(b)}")
        self.assertEqual(self.judge(a, child, three(coin_of(a, 1), fee=1000)),
                         f"{rule}{names(a)} would exceed descendant count limit")
        grandchild = three(coin_of(child), fee=1000)
        self.assertEqual(self.judge(a, child, grandchild), f"{rule}{names(grandchild)} would have too many ancestors")
        other = three(self.c.take(), fee=1000)
        both = three(coin_of(a), coin_of(other), fee=1000)
        self.assertEqual(self.judge(a, other, both), f"{rule}{names(both)} would have too many ancestors")
        large = three(coin_of(a), outputs=[COIN // 2, data(900)])
        self.assertEqual(self.judge(a, large),
                         f"{rule}v3 child {names(large)} is too big: {self.size(large)} > 1000 virtual bytes")
        # Half of the family in the pool.
        self.send(a)
        self.assertEqual(self.judge(child, b), [True] * 2)
        self.assertEqual(self.judge(child, three(coin_of(a, 1), fee=1000)),
                         f"{rule}{names(a)} would exceed descendant count limit")
        for family in (child, grandchild), (other, both):
            self.assertEqual(self.judge(*family), f"{rule}{names(family[1])} would have too many ancestors")

    def test_not_standard(self):
        self.node.stop()
        self.node.start("-acceptnonstdtxn=0")
        self.refuse(three(self.c.take(), fee=1000), "version")

    def test_no_carve_out(self):
        self.node.stop()
        self.node.start("-limitdescendantcount=1")
        self.send(old := pay(self.c.take(), fee=1000))
        self.send(pay(coin_of(old), fee=1000))
        parent = self.send(three(self.c.take(), fee=1000))
        self.refuse(three(coin_of(parent), fee=1000),
                    f"too-long-mempool-chain, too many descendants for tx {shown(parent.txid)} [limit: 1]")

    def test_block_taken_back(self):
        """What was in blocks is not held to the rules."""
        parent = self.send(three(self.c.take(), outputs=[COIN, COIN]))
        first = self.node.generate(1)[0]
        children = [self.send(three(coin_of(parent, i), fee=1000)) for i in range(2)]
        self.node.generate(1)
        self.rpc.invalidateblock(first)
        self.assertEqual(self.pool(), {shown(tx.txid) for tx in (parent, *children)})


class TestAncestors(SubmitCase):
    args = ("-limitancestorsize=1", "-datacarriersize=100000")

    def test_alone_is_no_chain(self):
        coin = self.c.take()
        parent = self.send(pay(coin, outputs=[COIN, data(1500)]))
        self.refuse(pay(coin_of(parent), fee=1000), "too-long-mempool-chain, exceeds ancestor size limit [limit: 1000]")
        self.rpc.invalidateblock(self.node.generate(1)[0])
        self.assertEqual(self.pool(), {shown(parent.txid)})  # it came back
        self.rpc.invalidateblock(self.rpc.generateblock(framework.BURN[self.chain], [])["hash"])
        self.assertEqual(self.pool(), {shown(parent.txid)})  # and stays
