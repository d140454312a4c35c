"""getblocktemplate where Core's own tests do not look: before segwit, and with odd requests."""
import threading

import framework
from blocks import TxOut
from test_mempool import PoolCase, pay

RULES = {"rules": ["segwit"]}


class TestTemplate(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_before_segwit(self):
        """Limits and costs are those of before BIP 141 as long as it does not hold."""
        node = self.start_node("-testactivationheight=segwit@104", "-acceptnonstdtxn")
        anyone = node.rpc.getdescriptorinfo("raw(51)")["descriptor"]
        block = node.rpc.generatetodescriptor(101, anyone)[0]
        coin = node.rpc.getblock(block)["tx"][0]
        # One output with one OP_CHECKSIG: a sigop, of cost 4 with segwit.
        raw = node.rpc.createrawtransaction([{"txid": coin, "vout": 0}], [{"data": "00"}])
        raw = raw.replace("0000000000000000036a0100", (4999990000).to_bytes(8, "little").hex() + "14" + "00" * 19 + "ac")
        node.rpc.sendrawtransaction(raw)
        before = node.rpc.getblocktemplate(RULES)
        self.assertEqual((before["height"], before["rules"]), (102, ["csv", "taproot"]))
        self.assertEqual((before["sigoplimit"], before["sizelimit"], before.get("weightlimit")), (20000, 1000000, None))
        self.assertEqual([t["sigops"] for t in before["transactions"]], [1])
        node.generate(2)
        after = node.rpc.getblocktemplate(RULES)
        self.assertEqual((after["height"], after["rules"]), (104, ["csv", "!segwit", "taproot"]))
        self.assertEqual((after["sigoplimit"], after["sizelimit"], after["weightlimit"]), (80000, 4000000, 4000000))

    def test_odd_requests(self):
        node = self.start_node()
        node.generate(1)
        ask = node.rpc.getblocktemplate
        self.assert_rpc_error(-8, "longpollid must be of length 64 (not 3, for 'xyz')", ask, dict(RULES, longpollid="xyz"))
        self.assert_rpc_error(-8, "longpollid must be hexadecimal string (not '" + "g" * 64 + "')", ask,
                              dict(RULES, longpollid="g" * 64 + "1"))
        self.assert_rpc_error(-3, "JSON value of type number is not of expected type string", ask, {"rules": [5]})
        self.assertEqual(ask(dict(RULES, longpollid=None))["height"], 2)
        # What is no text stands for the template of now: it is waited for.
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(dict(RULES, longpollid=1))))
        thread.start()
        self.wait_until(lambda: len(node.rpc.getrpcinfo()["active_commands"]) == 2)
        node.generate(1)
        thread.join(framework.TIMEOUT_S)
        self.assertEqual(answers[0]["height"], 3)

    def test_first_lines_of_help(self):
        node = self.start_node()
        lines = node.rpc.help().split("\n")
        self.assertIn("stop", lines)
        self.assertIn('submitblock "hexdata" ( "dummy" )', lines)
        self.assertIn('getblocktemplate {"mode":"str","capabilities":["str",...],"rules":["segwit","str",...],'
                      '"longpollid":"str","data":"hex"}', lines)
        self.assert_rpc_error(-3, "JSON value of type number is not of expected type string", node.rpc.submitblock, "00", 1)

    def test_genesis_stays(self):
        node = self.start_node()
        node.generate(2)
        self.assertIsNone(node.rpc.invalidateblock(node.rpc.getblockhash(0)))
        self.assertEqual(node.height(), 2)


class TestWeight(PoolCase):
    args = ("-datacarriersize=100000", "-blockmaxweight=4000000")

    def test_most_there_is(self):
        """As in bitcoind, -blockmaxweight is 3,996,000 at most, with 4,000 for the coinbase."""
        heavy = TxOut(0, b"\x6a\x4e" + (99690).to_bytes(4, "little") + bytes(99690))
        for _ in range(10):
            coin = self.c.take()
            self.send(pay(coin, outputs=[heavy, coin.value - 200000]))
        txs = self.rpc.getblocktemplate(RULES)["transactions"]
        weight = txs[0]["weight"]
        self.assertTrue(3992000 < 10 * weight <= 3996000, weight)
        self.assertEqual(len(txs), 9)


if __name__ == "__main__":
    framework.main()
