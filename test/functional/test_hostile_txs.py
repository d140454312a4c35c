"""Transactions of peers that lie, and those that others bring: what is asked for, refused, passed on."""
import hashlib
import os
import struct

from hostile import UNKNOWN, Hostile
from peer import TX, WITNESS, WTX, Peer, block, coinbase, compact, inv, merkle, sha256d

ANYONE = b"\0\x20" + hashlib.sha256(b"\x51").digest()  # P2WSH of OP_TRUE


class TestTransactions(Hostile):
    def tx(self, outpoint, value, script=ANYONE, sig=b"", outputs=1, number=2, witness=True):
        """Spends what anyone may spend."""
        body = (b"\x01" + outpoint + compact(len(sig)) + sig + b"\xff" * 4 +
                compact(outputs) + (struct.pack("<q", value) + compact(len(script)) + script) * outputs)
        number = struct.pack("<i", number)
        return number + b"\0\x01" + body + b"\x01\x01\x51" + bytes(4) if witness else number + body + bytes(4)

    def young(self, script=ANYONE):
        """The outpoint of a new block's coinbase that anybody may spend, later."""
        header, height = self.next_header()
        txs = [coinbase(height, 50 * 10**8, script=script)]
        header.root = merkle([sha256d(t) for t in txs])
        with Peer(self.node) as p:
            p.send("block", block(header.mine(), txs))
            p.sync()
        return sha256d(txs[0]) + bytes(4)

    def mature(self, script=ANYONE):
        out = self.young(script)
        self.node.generate(100)
        return out

    def refuse(self, raw, reason, closed):
        with Peer(self.node) as p:
            p.send("tx", raw)
            if closed:
                p.wait_closed()
            else:
                p.sync()
        self.assert_log(f"was not accepted: {reason}")
        self.assertEqual(self.node.rpc.getrawmempool(), [])

    def test_broken_rules_close(self):
        out = self.mature()
        self.refuse(self.tx(out, -1), "bad-txns-vout-negative", True)
        self.refuse(self.tx(out, 21 * 10**14 + 1), "bad-txns-vout-toolarge", True)
        self.refuse(self.tx(out, 21 * 10**14, outputs=2), "bad-txns-txouttotal-toolarge", True)
        self.refuse(self.tx(out, 51 * 10**8, outputs=2), "bad-txns-in-belowout", True)
        self.refuse(self.tx(bytes(32) + b"\xff" * 4, 1, sig=b"\0\0", witness=False), "coinbase", True)

    def test_policy_does_not(self):
        out = self.mature()
        self.refuse(self.tx(out, 50 * 10**8), "min relay fee not met", False)
        self.refuse(self.tx(out, 49 * 10**8, number=77), "version", False)
        self.refuse(self.tx(out, 49 * 10**8, b"\x51" * 40), "scriptpubkey", False)
        self.refuse(self.tx(out, 100), "dust", False)

    def test_young_coinbase(self):
        self.refuse(self.tx(self.young(), 49 * 10**8), "bad-txns-premature-spend-of-coinbase", False)

    def test_orphans(self):
        """A child before its parent: the parent is asked for, then both are taken."""
        out = self.mature()
        txid = sha256d(self.tx(out, 50 * 10**8 - 10000, witness=False))
        with Peer(self.node) as p:
            p.send("tx", self.tx(txid + bytes(4), 50 * 10**8 - 20000))
            asked = p.wait("getdata")
            self.assertEqual(asked, inv((TX | WITNESS, txid)))
            p.send("tx", self.tx(out, 50 * 10**8 - 10000))
            p.sync()
            p.sync()
            self.assertEqual(len(self.node.rpc.getrawmempool()), 2)

    def test_without_witnesses(self):
        """Who knows of no witnesses is asked for transactions without."""
        with Peer(self.node, features=(), services=1) as p:
            p.send("inv", inv((TX, UNKNOWN)))
            self.assertEqual(p.wait("getdata"), inv((TX, UNKNOWN)))

    def test_inputs_of_the_future(self):
        """Refused for what it spends: another witness would not help, so it is not asked for by txid either."""
        out = self.mature(b"\x52\x20" + bytes(32))
        self.refuse(self.tx(out, 49 * 10**8), "bad-txns-nonstandard-inputs", False)
        with Peer(self.node, features=()) as p:
            p.send("inv", inv((TX, sha256d(self.tx(out, 49 * 10**8, witness=False))), (TX, UNKNOWN)))
            self.assertEqual(p.wait("getdata"), inv((TX | WITNESS, UNKNOWN)))

    def test_malformed_witnesses(self):
        tx = self.tx(UNKNOWN + bytes(4), 1)
        with Peer(self.node) as p:
            p.send("tx", tx.replace(b"\x01\x01\x51" + bytes(4), b"\0" + bytes(4)))
            p.sync()
            self.assert_log("Exception 'Superfluous witness record' caught")
            p.send("tx", tx[:5] + b"\x03" + tx[6:])
            p.sync()
            self.assert_log("Exception 'Unknown transaction optional data' caught")
            p.send("tx", tx[:-1])
            p.sync()
            self.assert_log("Exception 'end of data' caught")

    def test_orphan_flood(self):
        with Peer(self.node) as p:
            for i in range(500):
                p.send("tx", self.tx(os.urandom(32) + bytes(4), i + 1, b"\0\x14" + bytes(20)))
            p.sync()
        self.assertEqual(self.node.rpc.getrawmempool(), [])

    def test_asked_of_one_at_a_time(self):
        wtxid = os.urandom(32)
        with Peer(self.node) as p, Peer(self.node) as q:
            for x in (p, q):
                x.send("inv", inv((WTX, wtxid)))
                x.sync()
            first = p.wait("getdata")
            self.assertEqual(first, inv((WTX, wtxid)))
            self.assertNotIn("getdata", q.commands())
            p.send("notfound", inv((WTX, wtxid)))
            self.assertEqual(q.wait("getdata"), inv((WTX, wtxid)))

    def test_relay(self):
        """Announced by wtxid to who asked for it, by txid to others, served with and without witness."""
        out = self.mature()
        raw = self.tx(out, 50 * 10**8 - 10000)
        plain = self.tx(out, 50 * 10**8 - 10000, witness=False)
        with Peer(self.node) as p, Peer(self.node, features=()) as q:
            # Before it is announced nobody can ask whether it is there.
            p.send("getdata", inv((WTX, sha256d(raw))))
            self.assertEqual(p.wait("notfound"), inv((WTX, sha256d(raw))))
            self.node.rpc.sendrawtransaction(raw.hex())
            self.assertEqual(p.wait("inv"), inv((WTX, sha256d(raw))))
            self.assertEqual(q.wait("inv"), inv((TX, sha256d(plain))))
            p.send("getdata", inv((WTX, sha256d(raw)), (WTX, UNKNOWN)))
            self.assertEqual(p.wait("tx"), raw)
            self.assertEqual(p.wait("notfound"), inv((WTX, UNKNOWN)))
            q.send("getdata", inv((TX, sha256d(plain)), (TX | WITNESS, sha256d(plain))))
            self.assertEqual(q.wait("tx"), plain)
            self.assertEqual(q.wait("tx"), raw)

    def test_fee_filter(self):
        out = self.mature()
        with Peer(self.node) as p, Peer(self.node) as q:
            q.send("feefilter", struct.pack("<Q", 10**7))
            q.sync()
            raw = self.tx(out, 50 * 10**8 - 10000)
            self.node.rpc.sendrawtransaction(raw.hex())
            self.assertEqual(p.wait("inv"), inv((WTX, sha256d(raw))))
            q.sync()  # those who connected to us are told at the same moment
            self.assertNotIn("inv", q.commands())

    def test_blocks_only(self):
        self.node.stop()
        self.node.start("-debug=net", "-blocksonly")
        for command, payload in (("inv", inv((WTX, UNKNOWN))), ("tx", self.tx(UNKNOWN + bytes(4), 1))):
            with Peer(self.node) as p:
                self.assertEqual(p.seen[0][1][-1], 0)  # relay: no
                p.send(command, payload)
                p.wait_closed()
        self.assert_log("inv sent in violation of protocol", "transaction sent in violation of protocol")
        self.honest = Peer(self.node)
