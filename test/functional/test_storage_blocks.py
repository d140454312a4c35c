"""Blocks that break one rule of storage each, on regtest: contracts, seals and
identities made and signed by the model in test/model."""
import dataclasses
import unittest

import framework
from blocks import COIN, FINAL, OP_TRUE, Chain, Coin, Tx, TxIn, TxOut, coin_of, shown, spend

import storage_model as model
from primitives import le, pubkey, schnorr_sign, tag

P = model.REGTEST
RENTER, HOST = bytes(31) + b"\x0b", bytes(31) + b"\x16"


class Typed:
    """A typed coin: its body as named from now on, and where it lies."""

    def __init__(self, body, tx, vout, height):
        prevout = tx.txid + le(vout, 4)
        self.txid, self.vout, self.value, self.height = tx.txid, vout, tx.vout[vout].value, height
        self.script, self.id = tx.vout[vout].script, body.id(prevout)
        name = {"contract_id": self.id} if body.kind == model.CONTRACT else {"seal_id": self.id}
        self.body = dataclasses.replace(body, sigs=b"", **({} if body.kind == model.IDENTITY else name))


class StorageCase(framework.TestCase):
    chain = "regtest"
    script = OP_TRUE        # what coinbases and change pay to

    def setUp(self):
        super().setUp()
        self.node = self.start_node()
        self.c = Chain(self.node, self.script)
        self.c.mine(110)
        self.genesis = bytes.fromhex(self.node.rpc.getblockhash(0))[::-1]

    # --- making -------------------------------------------------------------

    def contract(self, **changes):
        c = model.Contract(model.ZERO, pubkey(RENTER), pubkey(HOST), bytes(32), 0, 0, self.c.height + 1, 12, 6, 0, 1, 1,
                           50_000, 20_000, 300_000, 0)
        return dataclasses.replace(c, **changes)

    def form(self, body, value, secrets, coin=None, extra=0, fee=0):
        """A transaction whose first output is the typed coin."""
        coin = coin or self.c.take()
        tx = Tx([TxIn(coin.txid, coin.vout, sequence=FINAL)], [TxOut(value, b"")])
        message = model.form_message(self.genesis, tx.vin[0].prevout, 0, value, body)
        signed = dataclasses.replace(body, sigs=b"".join(schnorr_sign(s, message) for s in secrets))
        tx.vout[0].script = model.typed_script(signed)
        tx.vout.append(TxOut(coin.value - value + extra - fee, self.script))
        if self.script != OP_TRUE:
            tx.vin[0].witness = [OP_TRUE]
        return tx

    def settle(self, body, value, secrets, fee=0):
        """Formed and mined."""
        tx = self.form(body, value, secrets, fee=fee)
        self.c.mine(1, [tx])
        return Typed(body, tx, 0, self.c.height)

    def act(self, typed, head, secrets, successor=None, value=0, elements=(), pay=(), coins=()):
        """Spend typed by an action; successor: its body, with value."""
        outputs = [TxOut(value, model.typed_script(successor))] if successor else []
        outputs += [TxOut(v, s) for v, s in pay]
        tx = Tx([TxIn(typed.txid, typed.vout, sequence=FINAL)] +
                [TxIn(c.txid, c.vout, sequence=FINAL) for c in coins], outputs)
        spent = [model.Coin(typed.value, typed.script, typed.height)]
        spent += [model.Coin(c.value, OP_TRUE, c.height) for c in coins]
        signed = [bytes(head), *elements]
        message = model.action_message(self.genesis, tx, spent, 0, signed)
        tx.vin[0].witness = signed + [schnorr_sign(s, message) for s in secrets]
        return tx

    def prove(self, typed, i, fee=0):
        body = typed.body
        done = dataclasses.replace(body, done=i)
        paid = (i - body.done) * body.rent
        return self.act(typed, [1, *le(i, 2), 0], [HOST], done, typed.value - paid, pay=[(paid - fee, OP_TRUE)])

    # --- judging ------------------------------------------------------------

    def refuse(self, block, reason):
        with self.subTest(reason):
            tip = self.node.tip()
            got = self.c.submit(block)
            self.assertEqual(got, reason)
            self.assertEqual(self.node.tip(), tip)

    def refuse_tx(self, tx, reason, fees=0):
        self.refuse(self.c.block([tx], fees), reason)


class TestStorageBlocks(StorageCase):
    def test_reward(self):
        """Half of the subsidy is the storers'."""
        c = self.c
        b = c.block()
        b.txs[0].vout[0].value += 1
        self.refuse(b, "bad-cb-amount")
        self.assertEqual(b.txs[0].vout[0].value, 25 * COIN + 1)
        b = c.block()
        b.txs[0].vout.append(TxOut(0, b"\xbb"))
        self.refuse(b, "bad-cb-storage")
        coin = c.take()
        self.refuse(c.block([spend(coin, fee=5)], fees=6), "bad-cb-amount")
        c.mine(1, [spend(coin, fee=5)], 5)
        state = self.node.rpc.getstoragestate()
        self.assertEqual(state["pool"], 25 * c.height)

    def test_scripts(self):
        """Every output that starts with 0xbb must be well made."""
        c = self.c
        coin = c.take()
        for script in (b"\xbb", b"\xbb\x51", b"\xbb\x02\x01", b"\xbb\x01\x04", b"\xbb\x01\x80\x51", b"\xbb\x4c\x01\x80"):
            self.refuse_tx(spend(coin, outputs=[TxOut(coin.value, script)]), "bad-storage-script")
            self.assert_rpc_error(-22, "Script decode failed: ", self.node.rpc.decodestorage, script.hex())
        self.assert_rpc_error(-8, "This script holds no typed coin", self.node.rpc.decodestorage, "51")
        # Reserved kinds are coins of the future, spent with any witness.
        tx = spend(coin, outputs=[TxOut(coin.value, b"\xbb\x01\x80")])
        c.mine(1, [tx])
        later = spend(coin_of(tx))
        later.vin[0].witness = [b"anything"]
        c.mine(1, [later])

    def test_contract(self):
        c = self.c
        body = self.contract()
        need = body.need(P)
        good = self.form(body, need + 10, [RENTER, HOST])
        coin = Coin(good.vin[0].txid, 0, 25 * COIN, 1)
        self.refuse_tx(self.form(body, need - 1, [RENTER, HOST], coin), "bad-storage-terms")
        self.refuse_tx(self.form(self.contract(periods=0), need, [RENTER, HOST], coin), "bad-storage-terms")
        self.refuse_tx(self.form(self.contract(start=c.height), need, [RENTER, HOST], coin), "bad-storage-terms")
        self.refuse_tx(self.form(body, need, [RENTER, RENTER], coin), "bad-storage-signature")
        self.refuse_tx(self.form(body, need, [RENTER, HOST], coin, extra=1), "bad-txns-in-belowout")
        c.mine(1, [good])
        deal = Typed(body, good, 0, c.height)
        listed = self.node.rpc.getcontract(deal.id.hex())
        self.assertEqual(listed["start"], body.start)
        self.assertEqual(listed["done"], 0)
        shows = self.node.rpc.decodestorage(good.vout[0].script.hex())
        self.assertEqual(shows.pop("id"), "00" * 32)  # its outpoint, from its first spend on
        self.assertEqual((shows["start"], shows["renter"]), (body.start, pubkey(RENTER).hex()))
        same = shows.keys() & listed.keys()
        self.assertEqual({k: listed[k] for k in same}, {k: shows[k] for k in same})
        sums = self.node.rpc.getnetworkstorage()
        self.assertEqual((sums["contracts"], sums["contract_sectors"], int(sums["contract_value"] * COIN)),
                         (1, body.sectors, deal.value))
        self.assertEqual((sums["hosts"], sums["seals"], sums["height"]), (0, 0, c.height))

        # A proof before its time, for a period that is none, too greedy, badly signed.
        self.refuse_tx(self.prove(deal, 1), "bad-storage-action")
        while c.height < body.start + 12:
            c.mine()
        self.refuse_tx(self.prove(deal, 0), "bad-storage-action")
        self.refuse_tx(self.prove(deal, 7), "bad-storage-terms")
        tx = self.prove(deal, 1)
        tx.vin[0].witness[-1] = bytes(64)
        self.refuse_tx(tx, "bad-storage-signature")
        done = dataclasses.replace(deal.body, done=1)
        paid = deal.body.rent
        for value, successor in ((deal.value - paid - 1, done), (deal.value - paid + 1, done), (deal.value - paid, dataclasses.replace(done, done=2)),
                                 (deal.value - paid, dataclasses.replace(done, rent=1))):
            tx = self.act(deal, [1, 1, 0, 0], [HOST], successor, value, pay=[(paid - 1, OP_TRUE)])
            self.refuse_tx(tx, "bad-storage-successor")
        tx = self.act(deal, [1, 1, 0, 0], [HOST], pay=[(paid, OP_TRUE)])
        self.refuse_tx(tx, "bad-storage-successor")
        tx = self.prove(deal, 1)
        tx.vin[0].script_sig = b"\0"
        self.refuse_tx(tx, "bad-storage-witness")
        self.refuse_tx(self.act(deal, [0x22], [HOST], pay=[(deal.value, OP_TRUE)]), "bad-storage-witness")
        tx = self.prove(deal, 1, fee=1000)
        self.refuse_tx(tx, "bad-cb-amount", fees=1001)
        c.mine(1, [tx], 1000)
        self.assertEqual(self.node.rpc.getcontract(deal.id.hex())["done"], 1)
        deal = Typed(done, tx, 0, c.height)

        # The window of the next passes: a host who comes late pays.
        while c.height < body.start + 24 + P.WINDOW:
            c.mine()
        self.refuse_tx(self.prove(deal, 2), "bad-storage-action")
        while c.height < body.start + 36:
            c.mine()
        pool = self.node.rpc.getstoragestate()["pool"]
        # Proof of the third: the second is missed, its rent goes to the renter, its penalty to the pool.
        next_body = dataclasses.replace(deal.body, done=3, allowance=deal.body.allowance + body.rent)
        tx = self.act(deal, [1, 3, 0, 0], [HOST], next_body, deal.value - body.rent - body.penalty,
                      pay=[(body.rent, OP_TRUE)])
        c.mine(1, [tx])
        after = self.node.rpc.getstoragestate()["pool"]
        self.assertEqual(int((after - pool) * COIN), 25 * COIN + body.penalty)

    def test_end_pays_what_is_owed(self):
        c = self.c
        body = self.contract(periods=1)
        deal = self.settle(body, body.need(P), [RENTER, HOST])
        while c.height < body.start + 12:
            c.mine()
        tx = self.prove(deal, 1)
        c.mine(1, [tx])
        deal = Typed(dataclasses.replace(deal.body, done=1), tx, 0, c.height)
        owed, rest = body.allowance, deal.value - body.allowance
        to_renter = b"\x51\x20" + pubkey(RENTER)
        self.refuse_tx(self.act(deal, [5, 0], [HOST], pay=[(deal.value, OP_TRUE)]), "bad-storage-owed")
        self.refuse_tx(self.act(deal, [5, 0], [HOST], pay=[(owed - 1, to_renter), (rest, OP_TRUE)]), "bad-storage-owed")
        c.mine(1, [self.act(deal, [5, 0], [HOST], pay=[(owed, to_renter), (rest, OP_TRUE)])])
        self.assert_rpc_error(-5, None, self.node.rpc.getcontract, deal.id.hex())

    def test_identity(self):
        c = self.c
        body = model.Identity(pubkey(HOST), 0, b"\1\4\0name")
        coin = c.take()
        self.refuse_tx(self.form(body, P.BOND_MIN - 1, [HOST], coin), "bad-storage-terms")
        self.refuse_tx(self.form(body, P.BOND_MIN, [RENTER], coin), "bad-storage-signature")
        tx = self.form(body, P.BOND_MIN, [HOST], coin)
        c.mine(1, [tx])
        me = Typed(body, tx, 0, c.height)
        self.assertEqual(self.node.rpc.getidentity(pubkey(HOST).hex())["name"], "name")
        retire = self.act(me, [0x12], [HOST], pay=[(me.value, OP_TRUE)])
        self.refuse_tx(retire, "bad-storage-action")
        newer = dataclasses.replace(me.body, sequence=1)
        self.refuse_tx(self.act(me, [0x11], [HOST], dataclasses.replace(newer, sequence=2), me.value),
                       "bad-storage-successor")
        c.mine(P.BOND_LOCK - 1)
        c.mine(1, [retire])
        self.assert_rpc_error(-5, None, self.node.rpc.getidentity, pubkey(HOST).hex())

    def test_reorg_takes_back_contract_and_pool(self):
        c, rpc = self.c, self.node.rpc
        before = rpc.getstoragestate()
        body = self.contract()
        deal = self.settle(body, body.need(P), [RENTER, HOST])
        rpc.invalidateblock(rpc.getbestblockhash())
        self.assertEqual(rpc.getstoragestate(), before)
        self.assert_rpc_error(-5, None, rpc.getcontract, deal.id.hex())
        rpc.reconsiderblock(shown(c.prev))
        self.assertEqual(rpc.getcontract(deal.id.hex())["height"], c.height)


class TestMint(StorageCase):
    """A sealed sector wins draws; its claims mint, and what they pay matures."""

    def leaf(self, number):
        return le(number, 4) * 256

    def make_seal(self):
        from primitives import leaf_hash, merkle_path, merkle_root
        self.hashes = [leaf_hash(self.leaf(i)) for i in range(4096)]
        body = model.Seal(model.ZERO, 1, pubkey(HOST), merkle_root(self.hashes), 1, self.c.height + 1 + P.SEAL_DELAY, 0, 0)
        seal = self.settle(body, P.SEAL_BOND, [HOST])
        while self.c.height < body.seal_height:
            self.c.mine()
        block = bytes.fromhex(self.node.rpc.getblockhash(body.seal_height))[::-1]
        self.key = model.seal_key(block, seal.id, pubkey(HOST))
        self.path = merkle_path
        return seal

    def claim(self, seal, d, number, reward, fee=0, taken=None):
        sealed = model.seal_leaf(P, self.key, number, self.leaf(number))
        path = b"".join(self.path(self.hashes, number))
        marked = dataclasses.replace(seal.body, mark_height=d, mark_leaf=number)
        pay = [((reward if taken is None else taken) - fee, OP_TRUE)]
        return self.act(seal, [0x21, *le(d, 4), *le(number, 8)], [HOST], marked, seal.value, elements=[sealed + path], pay=pay)

    def test_claim(self):
        c, rpc = self.c, self.node.rpc
        seal = self.make_seal()
        # On regtest any ticket wins while T stands at its maximum; find a draw that hits the one sector.
        for _ in range(60):
            c.mine()
            d = c.height
            block = bytes.fromhex(rpc.getblockhash(d))[::-1]
            sector, _column = model.draw(P, block, self.key, 0)
            if sector == 0:
                break
        self.assertEqual(sector, 0)
        state = rpc.getstoragestate(d)
        pool = int(state["pool"] * COIN)
        reward = min(pool // P.MINT_DIV, 25 * COIN // 2)
        self.assertEqual(int(state["mint"] * COIN), reward)
        self.refuse_tx(self.claim(seal, d, 5, reward, taken=reward + 1), "bad-txns-in-belowout")
        wrong = self.claim(seal, d, 5, reward)
        wrong.vin[0].witness[1] = wrong.vin[0].witness[1][:-1] + b"x"
        self.refuse_tx(wrong, "bad-storage-signature")
        self.refuse_tx(self.claim(seal, d + 1, 5, reward), "bad-storage-action")
        tx = self.claim(seal, d, 5, reward, fee=700)
        other = c.take()
        forming = self.form(model.Identity(pubkey(HOST), 0, b""), P.BOND_MIN, [HOST], other)
        both = self.claim(seal, d, 5, reward)
        both.vin += forming.vin
        both.vout += forming.vout
        self.refuse_tx(both, "bad-storage-claim")
        c.mine(1, [tx], 700)
        after = rpc.getstoragestate()
        self.assertEqual(int(after["pool"] * COIN), int(rpc.getstoragestate(c.height - 1)["pool"] * COIN) + 25 * COIN - reward)
        self.assertEqual(after["claims"], 1)
        # The same ticket twice; a later leaf of the same draw is another.
        seal = Typed(dataclasses.replace(seal.body, mark_height=d, mark_leaf=5), tx, 0, c.height)
        self.refuse_tx(self.claim(seal, d, 5, reward), "bad-storage-action")
        self.refuse_tx(self.claim(seal, d, 4, reward), "bad-storage-action")
        # What was minted matures like a coinbase.
        self.refuse_tx(spend(coin_of(tx, 1)), "bad-txns-premature-spend-of-coinbase")


if __name__ == "__main__":
    unittest.main()
