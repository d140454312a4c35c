"""-rest: what may be read without a password, in which forms and words."""
import json

import framework
from blocks import COIN, P2WSH_TRUE, Chain, shown
from test_mempool import pay

NOWHERE = "11" * 32


class Rest(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-rest", "-blockfilterindex", "-txindex")
        self.rpc = self.node.rpc
        self.c = Chain(self.node, P2WSH_TRUE)
        self.c.mine(105)

    def get(self, path, body=None, status=200):
        answer = self.rpc.raw(body, auth=False, method="POST" if body else "GET", path="/rest/" + path)
        self.assertEqual(answer[0], status, (path, answer[2]))
        return answer[1]["Content-Type"], answer[2]

    def json(self, path, body=None):
        kind, text = self.get(path + ".json", body)
        self.assertEqual(kind, "application/json")
        self.assertTrue(text.endswith(b"\n"))
        return json.loads(text, parse_float=framework.decimal.Decimal)

    def bytes(self, path):
        """In both forms the same."""
        kind, data = self.get(path + ".bin")
        self.assertEqual(kind, "application/octet-stream")
        self.assertEqual(self.get(path + ".hex"), ("text/plain", data.hex().encode() + b"\n"))
        return data

    def refuse(self, path, status, words, body=None):
        self.assertEqual(self.get(path, body, status), ("text/plain", words.encode() + b"\r\n"), path)

    def no_form(self, *paths, known=".bin, .hex, .json"):
        for path in paths:
            self.refuse(path, 404, f"output format not found (available: {known})")

    def test_transactions_and_blocks(self):
        tx = pay(self.c.take(), fee=1000)
        txid = self.rpc.sendrawtransaction(tx.serialise().hex())
        self.assertEqual(self.json("tx/" + txid), self.rpc.getrawtransaction(txid, 1))
        self.assertEqual(self.bytes("tx/" + txid), tx.serialise())
        self.refuse("tx/abc.json", 400, "Invalid hash: abc")
        self.refuse(f"tx/{txid}.xml", 400, f"Invalid hash: {txid}.xml")
        self.refuse(f"tx/{NOWHERE}.hex", 404, NOWHERE + " not found")
        block = self.node.generate(1)[0]
        self.assertEqual(self.json("block/" + block), self.rpc.getblock(block, 3))
        self.assertEqual(self.json("block/notxdetails/" + block), self.rpc.getblock(block, 1))
        self.assertEqual(self.bytes("block/" + block).hex(), self.rpc.getblock(block, 0))
        self.refuse("block/abc.json", 400, "Invalid hash: abc")
        self.refuse(f"block/{NOWHERE}.bin", 404, NOWHERE + " not found")
        known = self.rpc.getrawtransaction(txid, 1)
        for name in ("confirmations", "time", "blocktime"):
            del known[name]
        self.assertEqual(self.json("tx/" + txid), known)
        self.assertEqual(known["blockhash"], block)
        self.no_form("tx/" + txid, "block/" + block, "block/notxdetails/" + block, "blockhashbyheight/1", "headers/" + block)

    def test_headers(self):
        hashes = [self.rpc.getblockhash(h) for h in range(98, 106)]
        told = [self.rpc.getblockheader(h) for h in hashes]
        self.assertEqual(self.json("headers/" + hashes[0]), told[:5])
        raw = self.get(f"headers/{hashes[0]}.json?count=3")[1]
        self.assertEqual([h["hash"] for h in json.loads(raw)], hashes[:3])
        self.assertEqual(self.json("headers/3/" + hashes[0]), told[:3])
        self.assertEqual(self.json("headers/2000/" + hashes[0]), told)
        self.assertEqual(self.bytes("headers/2/" + hashes[0]).hex(),
                         "".join(self.rpc.getblockheader(h, False) for h in hashes[:2]))
        self.assertEqual(self.json("headers/" + NOWHERE), [])
        self.rpc.invalidateblock(hashes[-1])
        self.assertEqual(self.json("headers/" + hashes[-1]), [])
        self.assertEqual(self.json("block/" + hashes[-1])["confirmations"], -1)
        for count in ("0", "2001", "5a", "-1", "", "9" * 40):
            self.refuse(f"headers/{hashes[0]}.json?a=b&count={count}", 400,
                        "Header count is invalid or out of acceptable range (1-2000): " + count)
        self.refuse(f"headers/{hashes[0]}.json?count=1+%2b", 400,
                    "Header count is invalid or out of acceptable range (1-2000): 1 +")
        self.refuse("headers/1/abc.json", 400, "Invalid hash: abc")
        self.refuse("headers/1/2/3.json", 400, "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>")
        for path in (f"headers/{hashes[0]}%.json", f"headers/{hashes[0]}.json?%4", "mempool/contents.json?%"):
            self.refuse(path, 400, "URI parsing failed, it likely contained RFC 3986 invalid characters")

    def test_heights(self):
        best = self.node.tip()
        self.assertEqual(self.json("blockhashbyheight/105"), {"blockhash": best})
        self.assertEqual(self.get("blockhashbyheight/105.hex")[1], best.encode() + b"\n")
        self.assertEqual(self.get("blockhashbyheight/105.bin")[1], bytes.fromhex(best)[::-1])
        self.refuse("blockhashbyheight/106.json", 404, "Block height out of range")
        for height in ("-1", "abc", "", "1x", "99999999999"):
            self.refuse(f"blockhashbyheight/{height}.json", 400, "Invalid height: " + height)
        self.refuse("blockhashbyheight/a<b>.json", 400, "Invalid height: ab")

    def test_the_node(self):
        self.assertEqual(self.json("chaininfo"), self.rpc.getblockchaininfo())
        self.assertEqual(self.json("deploymentinfo"), self.rpc.getdeploymentinfo())
        low = self.rpc.getblockhash(3)
        self.assertEqual(self.json("deploymentinfo/" + low), self.rpc.getdeploymentinfo(low))
        self.refuse("deploymentinfo/abc.json", 400, "Invalid hash: abc")
        self.refuse(f"deploymentinfo/{NOWHERE}.json", 400, "Block not found")
        self.rpc.sendrawtransaction(pay(self.c.take(), fee=1000).serialise().hex())
        self.assertEqual(self.json("mempool/info"), self.rpc.getmempoolinfo())
        self.assertEqual(self.json("mempool/contents"), self.rpc.getrawmempool(True))

        def contents(query):
            return json.loads(self.get("mempool/contents.json?" + query)[1])
        self.assertEqual(contents("verbose=false"), self.rpc.getrawmempool())
        self.assertEqual(contents("verbose=%66als%65"), self.rpc.getrawmempool())
        self.assertEqual(contents("verbose=false&mempool_sequence=true"), self.rpc.getrawmempool(False, True))
        self.refuse("mempool/contents.json?mempool_sequence=true", 400,
                    'Verbose results cannot contain mempool sequence values. (hint: set "verbose=false")')
        for name in ("verbose", "mempool_sequence"):
            self.refuse(f"mempool/contents.json?{name}=1", 400,
                        f'The "{name}" query parameter must be either "true" or "false".')
        self.refuse("mempool/all.json", 400, "Invalid URI format. Expected /rest/mempool/<info|contents>.json")
        self.no_form("chaininfo", "deploymentinfo", "mempool/info", "mempool/contents", known="json")
        self.assertEqual(self.get("chaininfo.bin", status=404)[0], "text/plain")

    def test_coins(self):
        coin = self.c.take()
        tx = pay(coin, fee=1000)
        spent, made = f"{shown(coin.txid)}-0", f"{shown(tx.txid)}-0"
        tip = {"chainHeight": 105, "chaintipHash": self.node.tip()}
        told = {"height": coin.height, "value": framework.decimal.Decimal("50.00000000")}

        def coins(*which, **at):
            o = self.json("getutxos/" + "/".join(which))
            scripts = [u.pop("scriptPubKey")["hex"] for u in o["utxos"]]
            self.assertEqual(scripts, [P2WSH_TRUE.hex()] * len(o["utxos"]))
            self.assertEqual({k: o.pop(k) for k in tip}, tip)
            return o
        self.assertEqual(coins(spent, made), {"bitmap": "10", "utxos": [told]})
        self.rpc.sendrawtransaction(tx.serialise().hex())
        self.assertEqual(coins(spent, made), {"bitmap": "10", "utxos": [told]})
        self.assertEqual(coins("checkmempool", spent, made), {"bitmap": "01", "utxos": [
            {"height": 0x7fffffff, "value": framework.decimal.Decimal("49.99999000")}]})
        # In bytes: one after the other in either form.
        ask = b"\0\2" + coin.txid + bytes(4) + tx.txid + bytes(4)
        want = (105).to_bytes(4, "little") + bytes.fromhex(self.node.tip())[::-1] + b"\1\1" + b"\1" + bytes(4) + \
            coin.height.to_bytes(4, "little") + (50 * COIN).to_bytes(8, "little") + b"\x22" + P2WSH_TRUE
        self.assertEqual(self.get("getutxos.bin", ask)[1], want)
        self.assertEqual(self.get("getutxos.hex", ask.hex())[1], want.hex().encode() + b"\n")
        self.assertEqual(self.get(f"getutxos/{spent}.bin")[1], want)
        self.assertEqual(self.get("getutxos.bin", b"\1" + ask[1:])[1][36:38], b"\1\2")
        for path, body in (("getutxos.json", None), ("getutxos/checkmempool.json", None), ("getutxos.json", "{}")):
            self.refuse(path, 400, "Error: empty request", body)
        for path in (f"{spent}x", f"{spent[:-3]}-0", f"{spent[:-2]}", f"{spent}-1", f"zz{spent[2:]}", spent + "0" * 12):
            self.refuse(f"getutxos/{path}.json", 400, "Parse error")
        for form, body in (("bin", b"\0\2" + coin.txid), ("bin", b"\0"), ("hex", "00"), ("hex", "zz")):
            self.refuse("getutxos." + form, 400, "Parse error", body)
        self.refuse(f"getutxos/{spent}.bin", 400,
                    "Combination of URI scheme inputs and raw post data is not allowed", ask)
        many = "/".join([spent] * 16)
        self.refuse(f"getutxos/{many}.json", 400, "Error: max outpoints exceeded (max: 15, tried: 16)")
        self.assertEqual(coins(*[spent] * 15)["bitmap"], "1" * 15)
        self.assertEqual(self.get("getutxos/" + "/".join([spent] * 9) + ".bin")[1][36:39], b"\2\xff\1")
        self.no_form("getutxos/" + spent)

    def test_filters(self):
        low, next_ = self.rpc.getblockhash(3), self.rpc.getblockhash(4)
        filter_ = bytes.fromhex(self.rpc.getblockfilter(low)["filter"])
        headers = [self.rpc.getblockfilter(h)["header"] for h in (low, next_)]
        self.assertEqual(self.json("blockfilter/basic/" + low), {"filter": filter_.hex()})
        self.assertEqual(self.bytes("blockfilter/basic/" + low),
                         b"\0" + bytes.fromhex(low)[::-1] + bytes([len(filter_)]) + filter_)
        self.assertEqual(self.json("blockfilterheaders/basic/2/" + low), headers)
        self.assertEqual(json.loads(self.get(f"blockfilterheaders/basic/{low}.json?count=2")[1]), headers)
        self.assertEqual(len(self.json("blockfilterheaders/basic/" + low)), 5)
        self.assertEqual(self.bytes("blockfilterheaders/basic/1/" + low), bytes.fromhex(headers[0])[::-1])
        self.refuse("blockfilter/basic.json", 400, "Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>")
        self.refuse("blockfilter/basic/abc.json", 400, "Invalid hash: abc")
        self.refuse(f"blockfilter/basic/{NOWHERE}.json", 404, NOWHERE + " not found")
        expected = "Invalid URI format. Expected /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>"
        self.refuse("blockfilterheaders/basic.json", 400, expected)
        self.refuse("blockfilterheaders/basic/1/2/3.json", 400, expected)
        self.refuse(f"blockfilterheaders/basic/0/{low}.json", 400,
                    "Header count is invalid or out of acceptable range (1-2000): 0")
        self.refuse("blockfilterheaders/basic/1/abc.json", 400, "Invalid hash: abc")
        self.no_form("blockfilter/basic/" + low, "blockfilterheaders/basic/1/" + low)
        for what in ("blockfilter", "blockfilterheaders"):
            self.refuse(f"{what}/other/{low}.json", 400, "Unknown filtertype other")
        header = self.rpc.generateblock(framework.BURN[self.chain], [], False)
        self.rpc.submitheader(header["hex"])
        self.refuse(f"blockfilter/basic/{header['hash']}.json", 404,
                    "Filter not found. Block was not connected to active chain.")
        self.node.stop()
        self.node.start("-blockfilterindex=0")
        for what in ("blockfilter", "blockfilterheaders"):
            self.refuse(f"{what}/basic/{low}.json", 400, "Index is not enabled for filtertype basic")

    def test_only_when_asked_for(self):
        self.assertEqual(self.get("nothing.json", status=404)[1], b"")
        self.assertEqual(self.rpc.raw(None, auth=False, method="GET", path="/")[0], 405)
        self.node.stop()
        self.node.start("-rest=0")
        self.assertEqual(self.get("chaininfo.json", status=404)[1], b"")


class RestAndPruning(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_blocks_that_are_gone(self):
        node = self.start_node("-rest", "-fastprune", "-prune=1")
        for _ in range(12):
            node.rpc.generatetodescriptor(100, "raw(51)")
        self.assertGreater(node.rpc.pruneblockchain(800), 0)
        low = node.rpc.getblockhash(1)
        status, _, body = node.rpc.raw(None, auth=False, method="GET", path=f"/rest/block/{low}.json")
        self.assertEqual((status, body), (404, f"{low} not available (pruned data)\r\n".encode()))
