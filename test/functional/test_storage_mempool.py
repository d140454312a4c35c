"""Storage transactions in the pools of running nodes: they come in time, a
block early, too late; they are not held up by dearer ones; branches."""
import dataclasses
import unittest

import framework
from blocks import COIN, P2WSH_TRUE, now, shown
from test_storage_blocks import HOST, P, RENTER, StorageCase

import storage_model as model
from primitives import le, schnorr_sign


class TestStoragePool(StorageCase):
    script = P2WSH_TRUE

    def send(self, tx, node=None):
        return (node or self.node).rpc.sendrawtransaction(tx.serialise().hex(), 0)

    def deal(self):
        body = self.contract(allowance=500_000)
        return self.settle(body, body.need(P), [RENTER, HOST])

    def mine_to(self, height):
        while self.c.height < height:
            self.c.mine()


    def prove(self, typed, i, fee=1000):
        done = dataclasses.replace(typed.body, done=i)
        paid = (i - typed.body.done) * typed.body.rent
        return self.act(typed, [1, *le(i, 2), 0], [HOST], done, typed.value - paid, pay=[(paid - fee, P2WSH_TRUE)])

    def redeem(self, typed, amount, fee):
        message = model.voucher_message(self.genesis, typed.id, amount)
        voucher = le(amount, 8) + schnorr_sign(RENTER, message)
        after = dataclasses.replace(typed.body, redeemed=amount)
        return self.act(typed, [3, 2], [HOST], after, typed.value - amount, elements=[voucher],
                        pay=[(amount - fee, P2WSH_TRUE)])

    def test_proof_in_time(self):
        deal = self.deal()
        due = deal.body.start + 12
        tx = self.prove(deal, 1)
        self.mine_to(due - 2)
        self.assert_rpc_error(-26, "bad-storage-action", self.send, tx)
        self.mine_to(due - 1)
        # One block early: refused, and taken by itself when the block comes.
        self.assert_rpc_error(-26, "bad-storage-action", self.send, tx)
        self.mine_to(due)
        self.assertEqual(self.node.rpc.getrawmempool(), [shown(tx.txid)])
        # Nobody mines it in its window.
        self.mine_to(due + P.WINDOW - 1)
        self.assertEqual(self.node.rpc.getrawmempool(), [shown(tx.txid)])
        self.mine_to(due + P.WINDOW)
        self.assertEqual(self.node.rpc.getrawmempool(), [])
        self.assert_rpc_error(-26, "bad-storage-action", self.send, tx)

    def test_proof_pushes_out_what_is_in_its_way(self):
        deal = self.deal()
        self.mine_to(deal.body.start + 12)
        dear = self.redeem(deal, 400_000, 300_000)
        self.send(dear)
        proof = self.prove(deal, 1, 1000)
        self.send(proof)
        self.assertEqual(self.node.rpc.getrawmempool(), [shown(proof.txid)])
        self.assert_rpc_error(-26, "insufficient fee", self.send, self.redeem(deal, 400_000, 900))
        self.node.generate(1)
        self.assertEqual(self.node.rpc.getrawmempool(), [])
        self.assertEqual(self.node.rpc.getcontract(deal.id.hex())["done"], 1)

    def test_proof_of_another_branch(self):
        """The block whose hash it read is taken back, and then the contract itself."""
        rpc = self.node.rpc
        deal = self.deal()
        due = deal.body.start + 12
        self.mine_to(due)
        proof = self.prove(deal, 1)
        self.send(proof)
        tip = rpc.getbestblockhash()
        rpc.invalidateblock(tip)
        self.assertEqual(rpc.getrawmempool(), [])
        rpc.reconsiderblock(tip)
        self.assertEqual(rpc.getrawmempool(), [])
        self.send(proof)
        # Back before the contract was formed: the forming transaction waits again.
        rpc.invalidateblock(rpc.getblockhash(deal.height))
        self.assertEqual(rpc.getrawmempool(), [deal.txid[::-1].hex()])

    def test_relay_and_template(self):
        other = self.start_node()
        self.c.time = now()     # else both think they are far behind, and relay nothing
        self.c.mine()
        other.connect(self.node)
        framework.sync([self.node, other])
        deal = self.deal()
        self.mine_to(deal.body.start + 12)
        proof = self.prove(deal, 1)
        self.send(proof)
        framework.sync_mempools([self.node, other])
        t = other.rpc.getblocktemplate({"rules": ["segwit"]})
        self.assertEqual([x["txid"] for x in t["transactions"]], [shown(proof.txid)])
        self.assertEqual(t["coinbasevalue"], 25 * COIN + 1000)
        other.generate(1)
        framework.sync([self.node, other])
        self.assertEqual(self.node.rpc.getrawmempool(), [])


if __name__ == "__main__":
    unittest.main()
