"""What calls answer to arguments of the wrong type, size or meaning: Core's codes and sentences; whatever comes, the
node answers and lives on."""
import decimal
import json
import os
import random
import re

import framework

D = decimal.Decimal
ALICE = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
LONG_KEY = ("0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
ZERO = "00" * 32
RANGE = (-1, "JSON integer out of range")


def not_text(kind):
    return -3, f"JSON value of type {kind} is not of expected type string"


class TestWords(framework.TestCase):
    chain = "bitcoin-regtest"

    def check(self, rpc, table):
        for (code, text), method, *args in table:
            with self.subTest(method=method, args=args):
                self.assert_rpc_error(code, text, getattr(rpc, method), *args)

    def test_elements_of_lists(self):
        """What is checked first is told first."""
        node = self.start_node("-fallbackfee=0.0001")
        node.rpc.createwallet("w")
        to = node.rpc.getnewaddress()
        tx = node.rpc.createrawtransaction([{"txid": ZERO, "vout": 0}], {})
        self.check(node.rpc, (
            (not_text("number"), "combinerawtransaction", [1]),
            ((-8, "Missing transactions"), "combinerawtransaction", []),
            (not_text("array"), "testmempoolaccept", [[]]),
            (not_text("null"), "testmempoolaccept", [None]),
            (not_text("object"), "generateblock", framework.BURN[self.chain], [{}]),
            (not_text("number"), "getblockstats", 0, [1]),
            ((-8, "Invalid selected statistic 'x'"), "getblockstats", 0, ["x"]),
            (not_text("bool"), "logging", [True]),
            (not_text("number"), "listunspent", 0, 9, [5]),
            (not_text("number"), "createmultisig", 1, [5]),
            (not_text("number"), "signrawtransactionwithkey", tx, [5]),
            (not_text("number"), "sendmany", "", {to: 1}, 1, "", [5]),
        ))

    def test_order_and_range(self):
        node = self.start_node()
        node.generate(2)
        pairs = [{"txid": ZERO, "vout": 0, "sequence": 0xffffffff}]
        self.check(node.rpc, (
            (RANGE, "createrawtransaction", [1], 5, 0.5),
            ((-8, "Invalid parameter, locktime out of range"), "createrawtransaction", [1], 5, -1),
            ((-3, "JSON value of type number is not of expected type object"), "createrawtransaction", [1], 5),
            ((-3, "JSON value of type number is not of expected type array"), "createrawtransaction", [], 5),
            ((-8, "Invalid parameter, output argument must be non-null"), "createrawtransaction", [], None),
            (RANGE, "createrawtransaction", [{"txid": ZERO, "vout": 2 ** 31}], {}),
            (RANGE, "createrawtransaction", [{"txid": ZERO, "vout": -2 ** 31 - 1}], {}),
            (RANGE, "createrawtransaction", [{"txid": ZERO, "vout": 0, "sequence": 2 ** 64}], {}),
            ((-5, "Invalid Bitcoin address: x"), "createrawtransaction", pairs, {"x": 1}, 0, True),
            ((-8, "Invalid parameter combination"), "createrawtransaction", pairs, {}, 0, True),
            ((-8, "Invalid nblocks. Must be a positive number or -1."), "getnetworkhashps", 0),
            ((-8, "Invalid nblocks. Must be a positive number or -1."), "getnetworkhashps", -2),
            ((-8, "Block does not exist at specified height"), "getnetworkhashps", 1, 3),
            ((-8, "Block does not exist at specified height"), "getnetworkhashps", 1, -2),
            (RANGE, "getnetworkhashps", 2 ** 31),
            (RANGE, "prioritisetransaction", ZERO, 1, 0.5),
            ((-30, "Error: Invalid IP/Subnet"), "setban", "x", "add", 0.5),
            (RANGE, "setban", "10.0.0.1", "add", 0.5),
            ((-8, "addconnection \"address\""), "addconnection", "127.0.0.1:1", "x"),
        ))
        self.assertGreaterEqual(node.rpc.getnetworkhashps(-1, 2), 0)

    def test_multisig(self):
        rpc = self.start_node().rpc
        self.check(rpc, (
            ((-5, "Invalid public key: 02\n."), "createmultisig", 0, ["02"], "x"),
            ((-5, "Unknown address type 'x'"), "createmultisig", 0, [ALICE], "x"),
            ((-8, "must require at least one key"), "createmultisig", 0, [ALICE]),
            ((-8, "not enough keys supplied (got 0 keys, but need at least 2 to redeem)"), "createmultisig", 2, []),
            # Nobody could spend it: the script is pushed as one element.
            ((-8, "redeemScript exceeds size limit: 547 > 520"), "createmultisig", 1, [ALICE] * 16),
            ((-8, "redeemScript exceeds size limit: 531 > 520"), "createmultisig", 1, [LONG_KEY] * 8, "bech32"),
            ((-8, "creation > 20\nReduce the number"), "createmultisig", 1, [ALICE] * 21),
        ))
        self.assertEqual(len(rpc.createmultisig(1, [ALICE] * 15)["redeemScript"]), 2 * 513)
        self.assertEqual(len(rpc.createmultisig(1, [ALICE] * 16, "bech32")["redeemScript"]), 2 * 547)
        self.assertEqual(len(rpc.createmultisig(1, [ALICE] * 16, "p2sh-segwit")["redeemScript"]), 2 * 547)

    def test_fee_of_a_wallet(self):
        node = self.start_node("-maxtxfee=0.02")
        node.rpc.createwallet("w")
        self.assertIs(node.rpc.settxfee(D("0.02")), True)
        self.check(node.rpc, (
            ((-8, "txfee cannot be more than wallet max tx fee (0.02000000 BTC/kvB)"), "settxfee", "0.02000001"),
            ((-3, "Amount out of range"), "settxfee", -1),
        ))


class TestAnything(framework.TestCase):
    ROUNDS = 25
    # Those that wait, end the node, or would take what the others need.
    SPARED = {"stop", "waitfornewblock", "waitforblock", "waitforblockheight", "unloadwallet", "encryptwallet",
              "invalidateblock", "setmocktime", "generate"}
    HIDDEN = ("addconnection", "addpeeraddress", "echo", "echojson", "generateblock", "generatetoaddress",
              "generatetodescriptor", "getaddrmaninfo", "reconsiderblock", "syncwithvalidationinterfacequeue")

    def values(self, node):
        tip = node.tip()
        block = node.rpc.getblock(tip, 0)
        address = node.rpc.getnewaddress()
        coin = node.rpc.listunspent()[0]
        return [
            None, True, False, 0, 1, -1, 6, 101, 2 ** 31 - 1, 2 ** 31, -2 ** 31 - 1, 2 ** 63 - 1, 2 ** 63, -2 ** 63,
            10 ** 40, 1e300, 0.5, -0.1, 1e-9, 21000001,
            "", "a", "w", "\u0436\u20ac\U0001f600", "\u0001\n\t", "%s%n", "../etc", ZERO, "f" * 64, "F" * 63, "00", "zz", "-1",
            "*", "unset", "economical", "ALL", "start", "status", "add", "raw(51)", "addr(x)", "wpkh(", "127.0.0.1:1",
            "1.2.3.4/33", "x" * 100000, tip, block, address, coin["txid"],
            [], [1], [[]], [{}], [None], ["a"], [[1, 2]], [0, 10], [-1, 5], [0] * 2000, {}, {"a": 1}, {"": None},
            [{"txid": coin["txid"], "vout": coin["vout"]}], [{"txid": ZERO, "vout": -1}],
            [{"txid": coin["txid"], "vout": 2 ** 40}], {address: 1}, {address: -1}, {address: 1e30}, {"data": "00"},
            [{"data": "00"}, {"data": "11"}], {"rules": ["segwit"]}, {"mode": "proposal", "data": block}, {"mode": 1},
            [{"desc": "raw(51)", "range": [0, 2 ** 31]}], {"fee_rate": "x", "conf_target": -1, "changePosition": 2 ** 31}]

    def test_anything(self):
        seed = int(os.environ.get("CC_SEED", "1"))
        print(f"seed: CC_SEED={seed}")
        chance = random.Random(seed)
        node = self.start_node("-fallbackfee=0.0001")
        node.rpc.createwallet("w")
        node.generate(101, node.rpc.getnewaddress())
        rpc = node.rpc.wallet("w")
        values = self.values(node)
        names = set(re.findall(r"^([a-z0-9_]+)", node.rpc.help(), re.M)) | set(self.HIDDEN)
        self.assertGreater(len(names), 100)
        for name in sorted(names - self.SPARED):
            for _ in range(self.ROUNDS):
                params = [chance.choice(values) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4, 6)))]
                if name.startswith("generate"):  # not so many blocks
                    params = [3 if isinstance(p, (int, float)) and p > 3 else p for p in params]
                status, _, body = rpc.raw(json.dumps({"method": name, "params": params}))
                what = f"{name} {json.dumps(params)[:300]}: {body[:300]}"
                self.assertIn(status, (200, 404, 500), what)
                error = json.loads(body)["error"]
                if error:  # one that the handler gave, and no "internal error"
                    self.assertNotIn(error["code"], (-32603, -32600, -32700), what)
                    self.assertTrue(error["message"], what)
        self.assertTrue(node.rpc.verifychain(4, 0))


if __name__ == "__main__":
    framework.main()
