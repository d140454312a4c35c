"""Output descriptors over RPC, on Bitcoin's regtest: what Bitcoin Core's tests of them look at."""
import decimal
import threading

import framework

D = decimal.Decimal
TPRV = ("tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8"
        "UbK")
TPUB = ("tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZ"
        "L5B")
KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
KEY_2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
FIRST = "bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5"  # of wpkh(TPRV/1/1/0), and the two that follow
SECOND = "bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy"
THIRD = "bcrt1qpgptk2gvshyl0s9lqshsmx932l9ccsv265tvaq"

# Addresses of keys of TPRV, by path.
PATHS = {"0h/0h/0h": "mkHV1C6JLheLoUSSZYk7x3FH5tnx9bu7yc", "0h/0h/1h": "mipUSRmJAj2KrjSvsPQtnP8ynUon7FhpCR",
         "0h/0h/0": "mqS9Rpg8nNLAzxFExsgFLCnzHBsoQ3PRM6", "0h/0h/1": "mnTg5gVWr3rbhHaKjJv7EEEc76ZqHgSj4S",
         "0h/0h/1500": "mketCd6B9U9Uee1iCsppDJJBHfvi6U6ukC", "1/1/0'": "mj8zFzrbBcdaWXowCQ1oPZ4qioBVzLzAp7",
         "1/1/0": "mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ", "1/1/1": "mxp7w7j8S1Aq6L8StS2PqVvtt4HGxXEvdy",
         "1/1/1500": "mpQ8rokAhp1TAtJQR6F6TaUmjAWkAWYYBq"}


class Descriptors(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-disablewallet")
        self.rpc = self.node.rpc

    def seal(self, text):
        return text + "#" + self.rpc.getdescriptorinfo(text)["checksum"]


class TestInfo(Descriptors):
    def check(self, text, isrange=False, issolvable=True, hasprivatekeys=False, shown=None):
        info = self.rpc.getdescriptorinfo(text)
        self.assertEqual(list(info), ["descriptor", "checksum", "isrange", "issolvable", "hasprivatekeys"])
        self.assertEqual(info, self.rpc.getdescriptorinfo(f"{text}#{info['checksum']}"))
        self.assertEqual((info["isrange"], info["issolvable"], info["hasprivatekeys"]),
                         (isrange, issolvable, hasprivatekeys))
        if shown:
            self.assertEqual(info["descriptor"].split("#")[0], shown)
        else:
            self.assertEqual(info["descriptor"], f"{text}#{info['checksum']}")

    def test_forms(self):
        for form in ("pk(%s)", "pkh(%s)", "wpkh(%s)", "sh(wpkh(%s))", "combo(%s)", "sh(wsh(pkh(%s)))"):
            self.check(form % KEY)
        for form in ("%s", "sh(%s)", "wsh(%s)", "sh(wsh(%s))"):
            self.check(form % f"multi(1,{KEY},{KEY_2})")
            self.check(form % f"sortedmulti(2,{KEY},{KEY_2})")
        self.check(f"pk({TPUB})")
        self.check(f"pkh({TPUB}/1'/2)")
        self.check(f"pkh([d34db33f/44'/0'/0']{TPUB}/1/*)", isrange=True)
        self.check(f"wsh(multi(1,{TPUB}/1/0/*,{TPUB}/0/0/*))", isrange=True)
        self.check(f"tr({KEY[2:]},{{pk({KEY_2[2:]}),multi_a(1,{KEY[2:]})}})")
        self.check(f"wpkh({TPRV}/*h)", isrange=True, hasprivatekeys=True, shown=f"wpkh({TPUB}/*h)")
        self.check("raw(51)", issolvable=False)
        self.check(f"addr({FIRST})", issolvable=False)

    def test_faults(self):
        info = self.rpc.getdescriptorinfo
        self.assert_rpc_error(-1, "getdescriptorinfo", info)
        self.assert_rpc_error(-3, "JSON value of type number is not of expected type string", info, 1)
        self.assert_rpc_error(-5, "'' is not a valid descriptor function", info, "")
        self.assert_rpc_error(-5, "Multiple '#' symbols", info, "raw(51)##")


class TestDerive(Descriptors):
    def test_addresses(self):
        derive, one = self.rpc.deriveaddresses, f"wpkh({TPRV}/1/1/0)#t6wfjs64"
        self.assert_rpc_error(-5, "Missing checksum", derive, "a")
        self.assertEqual(derive(one), [FIRST])
        self.assert_rpc_error(-5, "Missing checksum", derive, one[:-9])
        self.assertEqual(derive(f"wpkh({TPUB}/1/1/0)#s9ga3alw"), [FIRST])
        many = f"wpkh({TPRV}/1/1/*)#kft60nuy"
        self.assertEqual(derive(many, [1, 2]), [SECOND, THIRD])
        self.assertEqual(derive(many, 2), [FIRST, SECOND, THIRD])
        self.assertEqual(derive(self.seal(f"combo({TPRV}/1/1/0)")),
                         [PATHS["1/1/0"], FIRST, "2NDvEwGfpEqJWfybzpKPHF2XH3jwoQV3D7x"])

    def test_faults(self):
        derive, one, many = self.rpc.deriveaddresses, f"wpkh({TPRV}/1/1/0)#t6wfjs64", f"wpkh({TPRV}/1/1/*)#kft60nuy"
        self.assert_rpc_error(-8, "Range should not be specified for an un-ranged descriptor", derive, one, [0, 2])
        self.assert_rpc_error(-8, "Range must be specified for a ranged descriptor", derive, many)
        self.assert_rpc_error(-8, "End of range is too high", derive, many, 10000000000)
        self.assert_rpc_error(-8, "End of range is too high", derive, many, -1)
        self.assert_rpc_error(-8, "Range is too large", derive, many, [1000000000, 2000000000])
        self.assert_rpc_error(-8, "Range specified as [begin,end] must not have begin after end", derive, many, [2, 0])
        self.assert_rpc_error(-8, "Range should be greater or equal than 0", derive, many, [-1, 0])
        self.assert_rpc_error(-8, "Range must be specified as end or as [begin,end]", derive, many, [1])
        self.assert_rpc_error(-5, "Cannot derive script without private keys", derive,
                              self.seal(f"wpkh({TPUB}/1'/1/0)"))
        for bare in (f"multi(1,{TPUB}/1/1/0,{TPUB}/1/1/1)", f"pk({KEY})", "raw(51)"):
            self.assert_rpc_error(-5, "Descriptor does not have a corresponding address", derive, self.seal(bare))


class TestScan(Descriptors):
    def scan(self, *objects):
        return self.rpc.scantxoutset("start", list(objects))

    def amount(self, *objects):
        return self.scan(*objects)["total_amount"]

    def found(self, *objects):
        return sorted(u["desc"] for u in self.scan(*objects)["unspents"])

    def test_coins(self):
        """One coinbase to each address: how many of them a descriptor finds."""
        for address in PATHS.values():
            self.rpc.generatetoaddress(1, address)
        for path in PATHS:
            self.assertEqual(self.amount(f"combo({TPRV}/{path})"), 50, path)
        self.assertEqual(self.amount(f"combo({TPUB}/1/1/0)", f"pkh([abcdef88/1/2'/3/4h]{TPUB}/1/1/1)"), 100)
        self.assertEqual(self.amount({"desc": f"combo({TPRV}/0h/0h/*)", "range": 1499}), 100)
        self.assertEqual(self.amount({"desc": f"combo({TPRV}/0h/0'/*)", "range": 1500}), 150)
        self.assertEqual(self.amount({"desc": f"combo({TPRV}/0h/0'/*h)", "range": [1, 2]}), 50)
        self.assertEqual(self.amount(f"pkh({TPUB}/1/1/*)"), 100)  # 0 to 1000
        self.assertEqual(self.amount({"desc": f"combo({TPUB}/1/1/*)", "range": [1500, 1500]}), 50)
        # a coin that two objects mean counts once
        self.assertEqual(self.amount(f"combo({TPUB}/1/1/0)", f"addr({PATHS['1/1/0']})"), 50)

        self.assertEqual(self.found({"desc": f"combo({TPRV}/0h/0'/*)", "range": 1499}), [
            "pkh([0c5f9a1e/0h/0h/0]026dbd8b2315f296d36e6b6920b1579ca75569464875c7ebe869b536a7d9503c8c)#rthll0rg",
            "pkh([0c5f9a1e/0h/0h/1]033e6f25d76c00bedb3a8993c7d5739ee806397f0529b1b31dda31ef890f19a60c)#mcjajulr"])
        self.assertEqual(self.found(f"combo({TPRV}/1/1/0)"), [
            "pkh([0c5f9a1e/1/1/0]03e1c5b6e650966971d7e71ef2674f80222752740fc1dfd63bbbd220d2da9bd0fb)#cxmct4w8"])
        self.assertEqual(self.found(f"addr({PATHS['1/1/0']})"), [self.seal(f"addr({PATHS['1/1/0']})")])

        scan = self.scan(f"combo({TPUB}/1/1/0)")
        info = self.rpc.gettxoutsetinfo()
        self.assertEqual([scan[k] for k in ("success", "height", "txouts", "bestblock")],
                         [True] + [info[k] for k in ("height", "txouts", "bestblock")])
        coin = scan["unspents"][0]
        self.assertEqual(list(coin), ["txid", "vout", "scriptPubKey", "desc", "amount", "coinbase", "height"])
        self.assertEqual((coin["coinbase"], coin["height"], coin["amount"]), (True, list(PATHS).index("1/1/0") + 1, 50))
        self.assertEqual(self.scan()["unspents"], [])

    def test_faults(self):
        start = lambda *o: self.rpc.scantxoutset("start", list(o))
        ranges = ((-1, "End of range is too high"), ([-1, 10], "Range should be greater or equal than 0"),
                  ([(2 << 32) - 1000000, 2 << 32], "End of range is too high"),
                  ([2, 1], "Range specified as [begin,end] must not have begin after end"),
                  ([0, 1000001], "Range is too large"))
        for r, said in ranges:
            self.assert_rpc_error(-8, said, start, {"desc": "desc", "range": r})
        self.assert_rpc_error(-8, "Scan object needs to be either a string or an object", start, 1)
        self.assert_rpc_error(-8, "Descriptor needs to be provided in scan object", start, {"range": 1})
        self.assert_rpc_error(-5, "'desc' is not a valid descriptor function", start, "desc")
        self.assert_rpc_error(-5, f"Cannot derive script without private keys: 'pk({TPUB}/1h)'", start, f"pk({TPUB}/1h)")
        self.assert_rpc_error(-1, "scanobjects argument is required for the start action", self.rpc.scantxoutset, "start")
        self.assert_rpc_error(-8, "Invalid action 'x'", self.rpc.scantxoutset, "x")
        self.assertIsNone(self.rpc.scantxoutset("status"))
        self.assertIs(self.rpc.scantxoutset("abort"), False)

    def test_abort(self):
        """Only one scan at a time; another call sees it and ends it."""
        self.rpc.generatetodescriptor(300, "raw(51)")
        many = {"desc": f"combo({TPRV}/0h/*h)", "range": 100000}
        results = []
        scanner = threading.Thread(target=lambda: results.append(self.scan(*[many] * 20)))
        scanner.start()
        self.wait_until(lambda: self.rpc.scantxoutset("status") is not None, what="the scan has begun")
        self.assertEqual(self.rpc.scantxoutset("status"), {"progress": 0})
        self.assert_rpc_error(-8, "Scan already in progress, use action \"abort\" or \"status\"", self.scan, "raw(51)")
        self.assertIs(self.rpc.scantxoutset("abort"), True)
        scanner.join()
        self.assertIs(results[0]["success"], False)
        self.assertIs(self.rpc.scantxoutset("abort"), False)


class TestGenerate(Descriptors):
    def paid(self, text):
        block = self.rpc.generatetodescriptor(1, text)[0]
        return self.rpc.getblock(block, 2)["tx"][0]["vout"][0]["scriptPubKey"]

    def test_scripts(self):
        self.assertEqual(self.paid("raw(51)#8lvh9jxk")["hex"], "51")
        self.assertEqual(self.paid(f"combo({TPRV}/1/1/0)")["address"], FIRST)
        long = KEY.replace("02", "04", 1) + "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
        self.assertEqual(self.paid(f"combo({long})")["type"], "pubkeyhash")
        self.assertEqual(self.paid(f"multi(1,{KEY})")["desc"], self.seal(f"multi(1,{KEY})"))
        self.assertEqual(self.paid(f"pk({KEY})")["desc"], self.seal(f"pk({KEY})"))
        taproot = self.paid(f"tr({KEY[2:]})")
        self.assertEqual(taproot["desc"], self.seal(f"rawtr({taproot['hex'][4:]})"))

    def test_faults(self):
        to = self.rpc.generatetodescriptor
        self.assert_rpc_error(-8, "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?", to, 1,
                              f"pk({TPUB}/*)")
        self.assert_rpc_error(-5, "Cannot derive script without private keys", to, 1, f"pk({TPUB}/0h)")
        self.assert_rpc_error(-5, "A function is needed within P2SH", to, 1, "sh(x)")
        block = self.rpc.generateblock
        self.assert_rpc_error(-5, "Error: Invalid address or descriptor", block, "sh(x)", [])
        self.assert_rpc_error(-8, "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?", block,
                              f"pk({TPUB}/*)", [])
        hash_ = block(f"wpkh({TPRV}/1/1/0)", [])["hash"]
        self.assertEqual(self.rpc.getblock(hash_, 2)["tx"][0]["vout"][0]["scriptPubKey"]["address"], FIRST)


if __name__ == "__main__":
    framework.main()
