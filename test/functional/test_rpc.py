"""The families of calls: names, results, errors. Vectors named "known" are public ones of Bitcoin."""
import decimal
import json
import re
import threading
import time
import xml.etree.ElementTree

import framework

D = decimal.Decimal
KNOWN_KEY = "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"
KNOWN_KEY_2 = "cVKpPfVKSJxKqVpE9awvXNWuLHCa5j5tiE7K6zbUSptFpTEtiFrA"
KNOWN_ADDRESS = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB"
ALICE = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"


class TestHelp(framework.TestCase):
    def test_every_method_has_help(self):
        node = self.start_node()
        overview = node.rpc.help()
        categories = re.findall(r"^== (\w+) ==$", overview, re.M)
        self.assertEqual(categories, sorted(categories))
        self.assertEqual(categories, ["Blockchain", "Control", "Mining", "Network", "Rawtransactions", "Storage",
                                      "Util", "Wallet"])
        lines = [line for line in overview.split("\n") if line and not line.startswith("==")]
        self.assertGreater(len(lines), 90)
        rows = node.rpc.help("dump_all_command_conversions")
        for row in (["getblock", 1, "verbosity", False], ["getblock", 1, "verbose", False], ["help", 0, "command", True],
                    ["echo", 9, "arg9", True],
                    ["echojson", 9, "arg9", True], ["sendrawtransaction", 0, "hexstring", True]):
            self.assertIn(row, rows)
        hidden = ["echo", "echojson", "setmocktime", "invalidateblock", "reconsiderblock", "waitforblock", "generate",
                  "waitforblockheight", "waitfornewblock", "addpeeraddress", "generatetoaddress", "generateblock",
                  "generatetodescriptor", "syncwithvalidationinterfacequeue", "addconnection", "getaddrmaninfo"]
        for line in lines + hidden:
            name = line.split(" ")[0]
            text = node.rpc.help(name)
            if name not in hidden:
                self.assertTrue(text.startswith(line + "\n\n"), text)
            parts = text.split("\n\n")
            self.assertGreater(len(parts[1]), 10, f"{name}: no description")
            self.assertEqual("\n\nResult:\n" in text, name != "generate", name)
            arguments = " " in line or name in ("echo", "setmocktime")
            if name not in hidden:
                self.assertEqual("\n\nArguments:\n1. " in text, arguments, name)
                self.assertIn(f"Examples:\n> cloudcoin-cli {name}", text)
            for other in hidden:
                self.assertNotIn("\n" + other + " ", overview)
        lines = overview.split("\n")
        for line in ("stop", 'submitblock "hexdata" ( "dummy" )', 'lockunspent unlock ( [{"txid":"hex","vout":n},...] persistent )',
                     'listunspent ( minconf maxconf ["address",...] include_unsafe query_options )',
                     'sendmany ( "" ) {"address":amount,...} ( minconf "comment" ["address",...] replaceable conf_target '
                     '"estimate_mode" fee_rate verbose )',
                     'getblocktemplate {"mode":"str","capabilities":["str",...],"rules":["segwit","str",...],'
                     '"longpollid":"str","data":"hex"}',
                     'signrawtransactionwithwallet "hexstring" ( [{"txid":"hex","vout":n,"scriptPubKey":"hex",'
                     '"redeemScript":"hex","witnessScript":"hex","amount":amount},...] "sighashtype" )'):
            self.assertIn(line, lines)
        self.assertNotIn("[...]", overview)
        self.assertNotIn("{...}", overview)
        self.assertNotIn("wait", node.rpc.help("stop"))
        text = "generate\n\nhas been replaced by the -generate cli option. Refer to -help for more information.\n"
        self.assertEqual(node.rpc.help("generate"), text)
        self.assert_rpc_error(-32601, text, node.rpc.generate)
        self.assertEqual(node.rpc.help("nothing"), "help: unknown command: nothing")


class TestBlockchain(framework.TestCase):
    def setUp(self):
        super().setUp()
        self.node = self.start_node()
        self.rpc = self.node.rpc

    def test_info(self):
        self.node.generate(5)
        info = self.rpc.getblockchaininfo()
        self.assertEqual(list(info), ["chain", "blocks", "headers", "bestblockhash", "difficulty", "time", "mediantime",
                                      "verificationprogress", "initialblockdownload", "chainwork", "size_on_disk", "pruned",
                                      "storagepool", "warnings"])
        self.assertEqual((info["chain"], info["blocks"], info["headers"]), ("regtest", 5, 5))
        self.assertEqual(info["chainwork"], f"{12:064x}")
        self.assertEqual(info["storagepool"], D(25 * 5))
        self.assertEqual(self.rpc.getdifficulty(), D("4.656542373906925e-10"))
        self.assertEqual(self.rpc.getbestblockhash(), self.rpc.getblockhash(5))
        self.assert_rpc_error(-8, "Block height out of range", self.rpc.getblockhash, 6)
        self.assert_rpc_error(-8, "Block height out of range", self.rpc.getblockhash, -1)
        forks = self.rpc.getdeploymentinfo()["deployments"]
        self.assertEqual(list(forks), ["bip34", "bip66", "bip65", "csv", "segwit", "taproot"])
        self.assertTrue(all(f["active"] and f["type"] == "buried" for f in forks.values()))

    def test_block(self):
        tip = self.node.generate(2)[1]
        full = self.rpc.getblock(tip, 2)
        brief = self.rpc.getblock(tip)
        self.assertEqual(brief["tx"], [t["txid"] for t in full["tx"]])
        self.assertEqual(self.rpc.getblock(tip, True), brief)
        raw = self.rpc.getblock(tip, 0)
        self.assertEqual((len(raw) // 2, raw[:160]), (full["size"], self.rpc.getblockheader(tip, False)))
        header = self.rpc.getblockheader(tip)
        self.assertEqual(header, {k: v for k, v in brief.items() if k not in ("tx", "size", "strippedsize", "weight")})
        self.assertEqual(header["previousblockhash"], self.rpc.getblockhash(1))
        self.assertEqual((header["confirmations"], header["height"], header["nTx"]), (1, 2, 1))
        self.assertNotIn("nextblockhash", header)
        self.assertEqual(self.rpc.getblockheader(self.rpc.getblockhash(1))["nextblockhash"], tip)
        self.assert_rpc_error(-5, "Block not found", self.rpc.getblock, "00" * 32)
        self.assert_rpc_error(-8, "blockhash must be of length 64 (not 3, for 'abc')", self.rpc.getblock, "abc")
        self.assert_rpc_error(-8, f"blockhash must be hexadecimal string (not '{'z' * 64}')", self.rpc.getblock, "z" * 64)

    def test_tips_and_moving(self):
        blocks = self.node.generate(4)
        self.assertEqual(self.rpc.getchaintips(), [{"height": 4, "hash": blocks[3], "branchlen": 0, "status": "active"}])
        self.rpc.invalidateblock(blocks[2])
        self.assertEqual(self.node.height(), 2)
        tips = self.rpc.getchaintips()
        self.assertEqual([(t["height"], t["branchlen"], t["status"]) for t in tips], [(4, 2, "invalid"), (2, 0, "active")])
        self.assertEqual(self.rpc.getblockheader(blocks[3])["confirmations"], -1)
        self.rpc.reconsiderblock(blocks[2])
        self.assertEqual(self.node.tip(), blocks[3])
        self.rpc.invalidateblock(blocks[3])
        other = self.rpc.generatetodescriptor(1, "raw(51)")[0]
        self.rpc.reconsiderblock(blocks[3])
        self.rpc.preciousblock(other)
        self.assertEqual(self.node.tip(), other)
        self.rpc.preciousblock(blocks[3])
        self.assertEqual(self.node.tip(), blocks[3])
        self.rpc.preciousblock(other)
        self.assertEqual(self.node.tip(), other)
        self.assert_rpc_error(-5, "Block not found", self.rpc.invalidateblock, "00" * 32)

    def test_waiting(self):
        blocks = self.node.generate(2)
        self.assertEqual(self.rpc.waitforblock(blocks[1]), {"hash": blocks[1], "height": 2})
        self.assertEqual(self.rpc.waitforblockheight(1), {"hash": blocks[1], "height": 2})
        started = time.monotonic()
        self.assertEqual(self.rpc.waitforblockheight(3, 300)["height"], 2)
        self.assertGreaterEqual(time.monotonic() - started, 0.3)
        self.assert_rpc_error(-1, "Negative timeout", self.rpc.waitfornewblock, -1)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.rpc.waitfornewblock())),
                   threading.Thread(target=lambda: answers.append(self.rpc.waitforblockheight(3)))]
        for t in threads:
            t.start()
        self.wait_until(lambda: len(self.rpc.getrpcinfo()["active_commands"]) == 3)
        new = self.node.generate(1)[0]
        for t in threads:
            t.join(framework.TIMEOUT_S)
        self.assertEqual(answers, [{"hash": new, "height": 3}] * 2)

    def test_coins(self):
        tip = self.node.generate(3)[2]
        txid = self.rpc.getblock(tip)["tx"][0]
        coin = self.rpc.gettxout(txid, 0)
        self.assertEqual(list(coin), ["bestblock", "confirmations", "value", "scriptPubKey", "coinbase"])
        self.assertEqual((coin["bestblock"], coin["confirmations"], coin["value"], coin["coinbase"]),
                         (tip, 1, D("25.00000000"), True))
        for where in ((txid, 9), (txid, -1), ("00" * 32, 0)):
            self.assertIsNone(self.rpc.gettxout(*where))
        info = self.rpc.gettxoutsetinfo()
        self.assertEqual((info["height"], info["bestblock"], info["txouts"], info["transactions"], info["total_amount"]),
                         (3, tip, 3, 3, D(75)))
        self.assertEqual(info["bogosize"], 3 * (50 + 34))
        self.assertEqual(info["hash_serialized_3"], self.rpc.gettxoutsetinfo()["hash_serialized_3"])
        self.assertNotIn("hash_serialized_3", self.rpc.gettxoutsetinfo("none"))
        self.assert_rpc_error(-8, "'x' is not a valid hash_type", self.rpc.gettxoutsetinfo, "x")
        found = self.rpc.scantxoutset("start", [f"addr({framework.BURN['regtest']})"])
        self.assertEqual((found["success"], found["total_amount"], len(found["unspents"])), (True, D(75), 3))
        self.assertIsNone(self.rpc.scantxoutset("status"))
        self.assertIs(self.rpc.scantxoutset("abort"), False)
        self.assert_rpc_error(-8, "Invalid action 'x'", self.rpc.scantxoutset, "x")
        self.assertIs(self.rpc.verifychain(4, 0), True)

    def test_proofs(self):
        a = self.start_node(chain="bitcoin-regtest")
        tip = a.generate(2)[1]
        txid = a.rpc.getblock(tip)["tx"][0]
        proof = a.rpc.gettxoutproof([txid])
        self.assertEqual(proof, a.rpc.getblockheader(tip, False) + "01000000" + "01" + bytes.fromhex(txid)[::-1].hex() + "0101")
        self.assertEqual(a.rpc.gettxoutproof([txid], tip), proof)
        self.assertEqual(a.rpc.verifytxoutproof(proof), [txid])
        self.assertEqual(a.rpc.verifytxoutproof(proof[:-2] + "00"), [])
        self.assertEqual(a.rpc.verifytxoutproof(proof[:-2] + "02"), [])
        self.assertEqual(a.rpc.verifytxoutproof(proof[:160] + "02" + proof[162:]), [])
        self.assert_rpc_error(-1, "the proof does not decode", a.rpc.verifytxoutproof, proof[:-4])
        self.assert_rpc_error(-8, "Parameter 'txids' cannot be empty", a.rpc.gettxoutproof, [])
        self.assert_rpc_error(-8, "Invalid parameter, duplicated txid", a.rpc.gettxoutproof, [txid, txid])
        self.assert_rpc_error(-5, "Transaction not yet in block", a.rpc.gettxoutproof, ["11" * 32])
        self.assert_rpc_error(-5, "Not all transactions found in specified or retrieved block", a.rpc.gettxoutproof,
                              [txid, "11" * 32], tip)
        a.rpc.invalidateblock(tip)
        self.assert_rpc_error(-5, "Block not found in chain", a.rpc.verifytxoutproof, proof)

    def test_statistics(self):
        self.rpc.setmocktime(1700000000)
        self.node.generate(20)
        s = self.rpc.getchaintxstats(10)
        self.assertEqual((s["txcount"], s["window_block_count"], s["window_tx_count"], s["window_final_block_height"]),
                         (21, 10, 10, 20))
        self.assertEqual(self.rpc.getchaintxstats()["window_block_count"], 19)
        self.assert_rpc_error(-8, "Invalid block count: should be between 0 and the block's height - 1",
                              self.rpc.getchaintxstats, 20)


class TestMining(framework.TestCase):
    def setUp(self):
        super().setUp()
        self.node = self.start_node()
        self.rpc = self.node.rpc

    def test_generate(self):
        hashes = self.rpc.generatetodescriptor(2, "raw(51)#8lvh9jxk")
        self.assertEqual(self.rpc.getblock(hashes[1], 2)["tx"][0]["vout"][0]["scriptPubKey"],
                         {"asm": "1", "desc": "raw(51)#8lvh9jxk", "hex": "51", "type": "nonstandard"})
        self.assert_rpc_error(-5, None, self.rpc.generatetodescriptor, 1, "raw(51)#8lvh9jxx")
        self.assert_rpc_error(-5, "Error: Invalid address", self.rpc.generatetoaddress, 1, "x")
        made = self.rpc.generateblock("raw(51)", [], False)
        self.assertEqual(self.node.height(), 2)
        self.assertIsNone(self.rpc.submitblock(made["hex"]))
        self.assertEqual(self.node.tip(), made["hash"])
        self.assert_rpc_error(-5, "not in mempool.", self.rpc.generateblock, "raw(51)", ["00" * 32])
        self.assert_rpc_error(-22, "Transaction decode failed for 0g.", self.rpc.generateblock, "raw(51)", ["0g"])
        self.assert_rpc_error(-32601, "generate\n\nhas been replaced by the -generate cli option", self.rpc.generate)
        self.assertEqual(self.rpc.generatetoaddress(1, framework.BURN["regtest"], 0), [])

    def test_template(self):
        self.node.generate(1)
        self.assert_rpc_error(-8, "getblocktemplate must be called with the segwit rule set", self.rpc.getblocktemplate, {})
        self.assert_rpc_error(-8, "Invalid mode", self.rpc.getblocktemplate, {"mode": "x", "rules": ["segwit"]})
        t = self.rpc.getblocktemplate({"rules": ["segwit"]})
        self.assertEqual((t["height"], t["previousblockhash"], t["coinbasevalue"], t["bits"]),
                         (2, self.node.tip(), 25 * 10 ** 8, "207fffff"))
        self.assertEqual(t["target"], "7fffff" + "0" * 58)
        self.assertTrue(t["longpollid"].startswith(self.node.tip()))
        block = self.rpc.generateblock("raw(51)", [], False)["hex"]
        propose = {"mode": "proposal", "rules": ["segwit"]}
        self.assertIsNone(self.rpc.getblocktemplate(dict(propose, data=block)))
        other_prev = block[:8] + "00" * 32 + block[72:]
        self.assertEqual(self.rpc.getblocktemplate(dict(propose, data=other_prev)), "inconclusive-not-best-prevblk")
        bad_root = block[:72] + "00" * 32 + block[136:]
        self.assertEqual(self.rpc.getblocktemplate(dict(propose, data=bad_root)), "bad-txnmrklroot")
        self.assert_rpc_error(-22, "Block decode failed", self.rpc.getblocktemplate, dict(propose, data="00"))
        self.assert_rpc_error(-3, "Missing data String key for proposal", self.rpc.getblocktemplate, propose)
        old = self.rpc.getblock(self.rpc.getblockhash(1), 0)
        self.assertEqual(self.rpc.getblocktemplate(dict(propose, data=old)), "duplicate")

    def test_long_poll(self):
        self.node.generate(1)
        t = self.rpc.getblocktemplate({"rules": ["segwit"]})
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            self.rpc.getblocktemplate({"rules": ["segwit"], "longpollid": t["longpollid"]})))
        thread.start()
        self.wait_until(lambda: len(self.rpc.getrpcinfo()["active_commands"]) == 2)
        self.assertEqual(answers, [])
        self.node.generate(1)
        thread.join(framework.TIMEOUT_S)
        self.assertEqual(answers[0]["height"], 3)

    def test_submit(self):
        block = self.rpc.generateblock("raw(51)", [], False)
        self.assert_rpc_error(-22, "Block decode failed", self.rpc.submitblock, block["hex"][:-2])
        header = block["hex"][:160]
        self.assert_rpc_error(-25, f"Must submit previous header ({'00' * 32}) first", self.rpc.submitheader,
                              header[:8] + "00" * 32 + header[72:])
        self.assert_rpc_error(-22, "Block header decode failed", self.rpc.submitheader, header[:-2])
        self.assert_rpc_error(-22, "Block header decode failed", self.rpc.submitheader, "xx" + header[2:])
        self.assertIsNone(self.rpc.submitheader(block["hex"]))  # what follows is not looked at
        self.assertEqual(self.rpc.getchaintips()[0]["status"], "headers-only")
        self.assertIsNone(self.rpc.submitheader(header))
        self.assertIsNone(self.rpc.submitblock(block["hex"] + "00"))
        self.assertEqual(self.rpc.submitblock(block["hex"]), "duplicate")
        self.rpc.invalidateblock(block["hash"])
        self.assertEqual(self.rpc.submitblock(block["hex"]), "duplicate-invalid")

    def test_numbers(self):
        self.node.generate(3)
        info = self.rpc.getmininginfo()
        self.assertEqual((info["blocks"], info["chain"], info["pooledtx"]), (3, "regtest", 0))
        self.assertGreaterEqual(self.rpc.getnetworkhashps(), 0)
        self.assert_rpc_error(-8, "Priority is no longer supported", self.rpc.prioritisetransaction, "00" * 32, 1, 5)
        self.assertIs(self.rpc.prioritisetransaction("00" * 32, 0, 5), True)


class TestVote(framework.TestCase):
    """BIP 9 as on Core's regtest: testdummy, bit 28, 108 of 144."""
    chain = "bitcoin-regtest"

    def vote(self):
        return self.node.rpc.getdeploymentinfo()["deployments"]["testdummy"]

    def test_vote(self):
        self.node = node = self.start_node()
        template = lambda: self.node.rpc.getblocktemplate({"rules": ["segwit"]})
        fixed = {"start_time": 0, "timeout": 2**63 - 1, "min_activation_height": 0}

        def open_vote(signals, since, **more):
            stats = {"period": 144, "elapsed": len(signals), "count": signals.count("#"), **more}
            return {"bit": 28, **fixed, "status": "started", "since": since,
                    "status_next": "started", "statistics": stats, "signalling": signals}

        node.generate(142)
        self.assertEqual(self.vote(), {"type": "bip9", "active": False,
                                       "bip9": {**fixed, "status": "defined", "since": 0, "status_next": "defined"}})
        self.assertEqual(template()["version"], 0x20000000)
        node.generate(1)
        self.assertEqual(self.vote()["bip9"]["status_next"], "started")
        t = template()
        self.assertEqual((t["version"], t["vbavailable"], t["rules"]),
                         (0x30000000, {"testdummy": 28}, ["csv", "!segwit", "taproot"]))
        node.generate(10)
        self.assertEqual(node.rpc.getblockheader(node.tip())["version"], 0x30000000)
        # The bit counts only below the top bits 001.
        node.stop()
        node.start(f"-blockversion={0x10000004}")
        node.generate(36)
        signals = "#" * 10 + "-" * 36
        self.assertEqual(self.vote()["bip9"], open_vote(signals, 144, threshold=108, possible=True))
        node.generate(1)
        self.assertEqual(self.vote()["bip9"], open_vote(signals + "-", 144, threshold=108, possible=False))
        node.stop()
        node.start()
        node.generate(287 - 190)
        self.assertEqual(self.vote()["bip9"]["status_next"], "started")  # 107 are not enough
        node.generate(108)
        node.stop()
        node.start(f"-blockversion={0x20000000}")
        node.generate(36)
        self.assertEqual((node.height(), self.vote()["bip9"]["status_next"]), (431, "locked_in"))
        node.stop()
        node.start()
        node.generate(1)
        locked = self.vote()["bip9"]
        self.assertEqual((locked["status"], locked["since"], locked["bit"]), ("locked_in", 432, 28))
        self.assertEqual(locked["statistics"], {"period": 144, "elapsed": 1, "count": 1})
        self.assertEqual((template()["version"], template()["vbavailable"]), (0x30000000, {"testdummy": 28}))
        node.generate(143)
        self.assertEqual(self.vote(), {"type": "bip9", "height": 576, "active": True,
                                       "bip9": dict(locked, status_next="active", statistics=dict(
                                           period=144, elapsed=144, count=144), signalling="#" * 144)})
        t = template()
        self.assertEqual((t["version"], t["vbavailable"], t["rules"]),
                         (0x20000000, {}, ["csv", "!segwit", "testdummy", "taproot"]))
        node.generate(145)
        self.assertEqual((self.vote()["bip9"], self.vote()["height"]),
                         ({**fixed, "status": "active", "since": 576, "status_next": "active"}, 576))

    def test_taproot_needed_no_vote(self):
        node = self.start_node()
        deployments = node.rpc.getdeploymentinfo()["deployments"]
        self.assertEqual(list(deployments), ["bip34", "bip66", "bip65", "csv", "segwit", "testdummy", "taproot"])
        self.assertEqual(deployments["taproot"], {
            "type": "bip9", "height": 0, "active": True,
            "bip9": {"start_time": -1, "timeout": 2**63 - 1, "min_activation_height": 0, "status": "active",
                     "since": 0, "status_next": "active"}})


class TestNetwork(framework.TestCase):
    def test_all(self):
        a, b = self.start_nodes(2)
        rpc = a.rpc
        self.assertEqual(rpc.getconnectioncount(), 1)
        info = rpc.getnetworkinfo()
        self.assertEqual((info["connections"], info["connections_in"], info["connections_out"]), (1, 1, 0))
        self.assertIn("STORAGE", info["localservicesnames"])
        self.assertEqual(info["version"], 100)
        self.assertIsNone(rpc.ping())
        self.assertEqual(rpc.getnettotals()["uploadtarget"]["timeframe"], 86400)
        peer = rpc.getpeerinfo()[0]
        self.assertTrue(peer["inbound"])
        self.assert_rpc_error(-1, 'addnode "node" "command"', rpc.addnode, "x", "y")
        self.assert_rpc_error(-24, "Error: Node could not be removed.", rpc.addnode, "127.0.0.1:1", "remove")
        self.assertIsNone(rpc.addnode("127.0.0.1:1", "add"))
        self.assert_rpc_error(-23, "Error: Node already added", rpc.addnode, "127.0.0.1:1", "add")
        self.assertEqual(rpc.getaddednodeinfo(), [{"addednode": "127.0.0.1:1", "connected": False, "addresses": []}])
        self.assert_rpc_error(-24, "Error: Node has not been added.", rpc.getaddednodeinfo, "127.0.0.1:2")
        self.assert_rpc_error(-29, "Node not found in connected nodes", rpc.disconnectnode, "127.0.0.1:2")
        self.assert_rpc_error(-32602, "Only one of address and nodeid should be provided.", rpc.disconnectnode, "a", 1)
        self.assertIsNone(rpc.disconnectnode(nodeid=peer["id"]))
        self.wait_until(lambda: rpc.getconnectioncount() == 0)
        self.assertIs(rpc.setnetworkactive(False), False)
        self.assertIs(rpc.getnetworkinfo()["networkactive"], False)

    def test_bans(self):
        rpc = self.start_node().rpc
        self.assert_rpc_error(-30, "Error: Invalid IP/Subnet", rpc.setban, "1.2.3", "add")
        self.assertIsNone(rpc.setban("10.0.0.0/8", "add", 100))
        self.assert_rpc_error(-23, "Error: IP/Subnet already banned", rpc.setban, "10.0.0.0/8", "add")
        ban = rpc.listbanned()[0]
        self.assertEqual((ban["address"], ban["ban_duration"]), ("10.0.0.0/8", 100))
        self.assert_rpc_error(-8, "Error: Absolute timestamp is in the past", rpc.setban, "10.1.0.0/16", "add", 1, True)
        self.assert_rpc_error(-30, "Error: Unban failed.", rpc.setban, "11.0.0.0/8", "remove")
        self.assertIsNone(rpc.setban("10.0.0.0/8", "remove"))
        rpc.setban("::1", "add")
        rpc.clearbanned()
        self.assertEqual(rpc.listbanned(), [])
        self.assert_rpc_error(-1, "setban", rpc.setban, "::1", "x")

    def test_addresses(self):
        rpc = self.start_node().rpc
        self.assertEqual(rpc.addpeeraddress("1.2.3.4", 7733), {"success": True})
        self.assertEqual(rpc.getnodeaddresses()[0]["address"], "1.2.3.4")
        self.assertEqual(rpc.getaddrmaninfo()["all_networks"]["total"], 1)
        self.assert_rpc_error(-8, "Address count out of range", rpc.getnodeaddresses, -1)
        self.assert_rpc_error(-8, "Network not recognized: x", rpc.getnodeaddresses, 1, "x")


class TestVersion(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_of_the_calls(self):
        """Clients ask by it which calls there are; the user agent says whose program it is."""
        info = self.start_node().rpc.getnetworkinfo()
        self.assertEqual((info["version"], info["subversion"]), (270000, "/CloudCoin:0.1.0/"))


class TestRaw(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-acceptnonstdtxn=1")
        self.rpc = self.node.rpc

    def coin(self, script_hex):
        """A mature coin of a block subsidy that pays this script: txid, value."""
        block = self.rpc.generatetodescriptor(1, f"raw({script_hex})")[0]
        self.node.generate(100)
        return self.rpc.getblock(block)["tx"][0]

    def test_create(self):
        rpc, zero = self.rpc, "00" * 32
        self.assertEqual(rpc.createrawtransaction([], {}), "02000000000000000000")
        tx = rpc.createrawtransaction([{"txid": zero, "vout": 1}], [{KNOWN_ADDRESS: "0.1"}, {"data": "beef"}], 5)
        d = rpc.decoderawtransaction(tx)
        self.assertEqual((d["locktime"], d["vin"][0]["sequence"], d["vout"][0]["value"]), (5, 0xfffffffd, D("0.1")))
        self.assertEqual(d["vout"][1]["scriptPubKey"]["asm"], "OP_RETURN -28606")
        self.assertEqual(rpc.decoderawtransaction("ffffffff" + tx[8:])["version"], 0xffffffff)
        self.assertEqual(d["vout"][0]["scriptPubKey"]["address"], KNOWN_ADDRESS)
        for sequence, args in ((0xffffffff, (0, False)), (0xfffffffe, (7, False))):
            tx = rpc.createrawtransaction([{"txid": zero, "vout": 1}], {}, *args)
            self.assertEqual(rpc.decoderawtransaction(tx)["vin"][0]["sequence"], sequence)
        for code, text, inputs, outputs, *rest in (
                (-8, "txid must be of length 64 (not 3, for 'foo')", [{"txid": "foo"}], {}),
                (-8, "Invalid parameter, missing vout key", [{"txid": zero}], {}),
                (-8, "Invalid parameter, missing vout key", [{"txid": zero, "vout": "x"}], {}),
                (-8, "Invalid parameter, vout cannot be negative", [{"txid": zero, "vout": -1}], {}),
                (-8, "Invalid parameter, sequence number is out of range", [{"txid": zero, "vout": 1, "sequence": -1}], {}),
                (-8, "Invalid parameter, sequence number is out of range", [{"txid": zero, "vout": 1, "sequence": 2 ** 32}], {}),
                (-5, "Invalid Bitcoin address: foo", [], {"foo": 0}),
                (-3, "Invalid amount", [], {KNOWN_ADDRESS: "foo"}),
                (-3, "Amount out of range", [], {KNOWN_ADDRESS: -1}),
                (-3, "Amount out of range", [], {KNOWN_ADDRESS: 21000001}),
                (-3, "Invalid amount", [], {KNOWN_ADDRESS: "0.000000001"}),
                (-3, "Amount is not a number or string", [], {KNOWN_ADDRESS: True}),
                (-8, "Invalid parameter, duplicated address: " + KNOWN_ADDRESS, [],
                 [{KNOWN_ADDRESS: 1}, {KNOWN_ADDRESS: 1}]),
                (-8, "Invalid parameter, duplicate key: data", [], [{"data": "aa"}, {"data": "bb"}]),
                (-8, "Invalid parameter, key-value pair must contain exactly one key", [], [{}]),
                (-8, "Invalid parameter, key-value pair not an object as expected", [], ["x"]),
                (-8, "Data must be hexadecimal string (not 'foo')", [], {"data": "foo"}),
                (-8, "Invalid parameter, locktime out of range", [], {}, -1),
                (-8, "Invalid parameter, locktime out of range", [], {}, 2 ** 32),
                (-8, "Invalid parameter combination: Sequence number(s) contradict replaceable option",
                 [{"txid": zero, "vout": 0, "sequence": 0xffffffff}], {}, 0, True)):
            self.assert_rpc_error(code, text, rpc.createrawtransaction, inputs, outputs, *rest)

    def test_known_signatures(self):
        inputs = [{"txid": "9b907ef1e3c26fc71fe4a4b3580bc75264112f95050014157059c736f0202e71", "vout": 0,
                   "scriptPubKey": "76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac"},
                  {"txid": "83a4f6a6b73660e13ee6cb3c6063fa3759c50c9b7521d0536022961898f4fb02", "vout": 0,
                   "scriptPubKey": "76a914669b857c03a5ed269d5d85a1ffac9ed5d663072788ac"}]
        raw = self.rpc.createrawtransaction(inputs, {KNOWN_ADDRESS: "0.1"})
        signed = self.rpc.signrawtransactionwithkey(raw, [KNOWN_KEY, KNOWN_KEY_2], inputs)
        self.assertEqual((signed["complete"], "errors" in signed), (True, False))
        self.assertIn("[ALL] 03", self.rpc.decoderawtransaction(signed["hex"])["vin"][0]["scriptSig"]["asm"])
        half = self.rpc.signrawtransactionwithkey(raw, [KNOWN_KEY], inputs)
        self.assertEqual((half["complete"], len(half["errors"])), (False, 1))
        self.assertIn("Unable to sign input, invalid stack size (possibly missing key)", half["errors"][0]["error"])
        both = self.rpc.signrawtransactionwithkey(half["hex"], [KNOWN_KEY_2], inputs)
        self.assertEqual((both["complete"], len(both["hex"])), (True, len(signed["hex"])))
        unknown = self.rpc.signrawtransactionwithkey(raw, [KNOWN_KEY])
        self.assertEqual(unknown["errors"][0]["error"], "Input not found or already spent")
        self.assert_rpc_error(-5, "Invalid private key", self.rpc.signrawtransactionwithkey, raw, ["123"])
        self.assert_rpc_error(-8, "all is not a valid sighash parameter.", self.rpc.signrawtransactionwithkey, raw,
                              [KNOWN_KEY], inputs, "all")
        self.assert_rpc_error(-22, "TX decode failed. Make sure the tx has at least one input.",
                              self.rpc.signrawtransactionwithkey, raw + "00", [KNOWN_KEY])

    def test_sign_every_kind(self):
        """Each kind of output, signed with two keys, is spent on a chain that checks it."""
        pub = self.public_key(KNOWN_KEY)
        pub2 = self.public_key(KNOWN_KEY_2)
        bare = f"5121{pub}21{pub2}52ae"
        two = f"5221{pub}21{pub2}52ae"
        d = self.rpc.decodescript
        scripts = {
            "p2pk": (f"21{pub}ac", None, None), "p2pkh": ("76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac", None, None),
            "multisig": (bare, None, None), "p2sh": (self.script(d(two)["p2sh"]), two, None),
            "p2wpkh": (d(f"21{pub}ac")["segwit"]["hex"], None, None),
            "p2wsh": (d(two)["segwit"]["hex"], None, two),
            "p2sh-p2wsh": (self.script(d(two)["segwit"]["p2sh-segwit"]), d(two)["segwit"]["hex"], two),
            "p2sh-p2wpkh": (self.script(d(f"21{pub}ac")["segwit"]["p2sh-segwit"]), d(f"21{pub}ac")["segwit"]["hex"],
                            None),
            "p2tr": ("5120" + pub[2:], None, None)}
        blocks = {kind: self.rpc.generatetodescriptor(1, f"raw({s[0]})")[0] for kind, s in scripts.items()}
        self.node.generate(100)
        for kind, (script, redeem, witness) in scripts.items():
            txid = self.rpc.getblock(blocks[kind])["tx"][0]
            prev = {"txid": txid, "vout": 0, "scriptPubKey": script, "amount": 50}
            prev.update({"redeemScript": redeem} if redeem else {}, **({"witnessScript": witness} if witness else {}))
            raw = self.rpc.createrawtransaction([{"txid": txid, "vout": 0}], {KNOWN_ADDRESS: "49.99"})
            for hash_type in ("ALL", "SINGLE|ANYONECANPAY", "NONE"):
                signed = self.rpc.signrawtransactionwithkey(raw, [KNOWN_KEY, KNOWN_KEY_2], [prev], hash_type)
                self.assertTrue(signed["complete"], (kind, signed))
                self.assertTrue(self.rpc.testmempoolaccept([signed["hex"]])[0]["allowed"], kind)
            signed = self.rpc.signrawtransactionwithkey(raw, [KNOWN_KEY, KNOWN_KEY_2], [prev])
            halves = [self.rpc.signrawtransactionwithkey(raw, [k], [prev])["hex"] for k in (KNOWN_KEY, KNOWN_KEY_2)]
            for parts in (halves, halves[::-1], [raw] + halves):
                combined = self.rpc.combinerawtransaction(parts)
                self.assertTrue(self.rpc.testmempoolaccept([combined])[0]["allowed"], kind)
            self.rpc.sendrawtransaction(signed["hex"])
        block = self.rpc.getblock(self.node.generate(1)[0])
        self.assertEqual(len(block["tx"]), 1 + len(scripts))
        stats = self.rpc.getblockstats(block["hash"])
        self.assertEqual(stats, self.rpc.getblockstats(block["height"]))
        self.assertEqual([stats[k] for k in ("txs", "ins", "outs", "totalfee", "minfee", "maxfee", "medianfee", "avgfee",
                                             "total_out", "utxo_increase", "utxo_increase_actual", "swtxs", "subsidy")],
                         [10, 9, 11, 9000000, 1000000, 1000000, 1000000, 1000000, 9 * 4999000000, 2, 1, 5, 5000000000])
        self.assertEqual(stats["avgfeerate"], stats["totalfee"] * 4 // stats["total_weight"])
        self.assertEqual(self.rpc.getblockstats(0, ["txs", "utxo_increase", "utxo_increase_actual"]),
                         {"txs": 1, "utxo_increase": 1, "utxo_increase_actual": 0})
        self.assert_rpc_error(-8, "Invalid selected statistic 'x'", self.rpc.getblockstats, 0, ["x"])
        self.assert_rpc_error(-8, "Target block height 999 after current tip", self.rpc.getblockstats, 999)
        self.assert_rpc_error(-8, "Target block height -1 is negative", self.rpc.getblockstats, -1)
        for shown in range(1, 1 << len(block["tx"]), 37):
            txids = [t for i, t in enumerate(block["tx"]) if shown >> i & 1]
            proof = self.rpc.gettxoutproof(txids, block["hash"])
            self.assertEqual(self.rpc.verifytxoutproof(proof), txids)

    def public_key(self, key):
        """From a signature that shows the key: spend a P2PKH coin of it."""
        address = {KNOWN_KEY: "76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac",
                   KNOWN_KEY_2: "76a914669b857c03a5ed269d5d85a1ffac9ed5d663072788ac"}[key]
        prev = [{"txid": "11" * 32, "vout": 0, "scriptPubKey": address}]
        signed = self.rpc.signrawtransactionwithkey(self.rpc.createrawtransaction(prev, {}), [key], prev)
        return self.rpc.decoderawtransaction(signed["hex"])["vin"][0]["scriptSig"]["asm"].split(" ")[1]

    def script(self, address):
        return self.rpc.validateaddress(address)["scriptPubKey"]

    def test_send(self):
        rpc = self.rpc
        txid = self.coin("51")

        def spend(value, *more):
            return rpc.createrawtransaction([{"txid": txid, "vout": 0}], [{KNOWN_ADDRESS: value}, *more])
        self.assert_rpc_error(-22, "TX decode failed. Make sure the tx has at least one input.", rpc.sendrawtransaction, "00")
        self.assert_rpc_error(-25, "bad-txns-inputs-missingorspent", rpc.sendrawtransaction,
                              rpc.createrawtransaction([{"txid": "11" * 32, "vout": 0}], {KNOWN_ADDRESS: 1}))
        self.assert_rpc_error(-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
                              rpc.sendrawtransaction, spend(49))
        self.assert_rpc_error(-8, "Fee rates larger than or equal to 1BTC/kvB are not accepted", rpc.sendrawtransaction,
                              spend(49), 1)
        self.assert_rpc_error(-26, "min relay fee not met, 0 < 85", rpc.sendrawtransaction, spend(50))
        self.assert_rpc_error(-26, "bad-txns-in-belowout", rpc.sendrawtransaction, spend(51))
        burn = rpc.createrawtransaction([{"txid": txid, "vout": 0}], [{KNOWN_ADDRESS: "48.999"}, {"data": "aa"}])
        burn = burn.replace("0000000000000000036a01aa", "00e1f50500000000036a01aa")  # one coin into OP_RETURN
        self.assert_rpc_error(-25, "Unspendable output exceeds maximum configured by user (maxburnamount)",
                              rpc.sendrawtransaction, burn)
        tests = rpc.testmempoolaccept([spend("49.999")])
        self.assertEqual(list(tests[0]), ["txid", "wtxid", "allowed", "vsize", "fees"])
        self.assertEqual((tests[0]["allowed"], tests[0]["fees"]["base"]), (True, D("0.001")))
        self.assertEqual(rpc.testmempoolaccept([spend(49)])[0]["reject-reason"], "max-fee-exceeded")
        self.assertEqual(rpc.testmempoolaccept([spend(50)])[0]["reject-reason"], "min relay fee not met")
        self.assertEqual(rpc.testmempoolaccept([spend(49).replace(txid[:2], "11")])[0]["allowed"], False)
        self.assert_rpc_error(-8, "Array must contain between 1 and 25 transactions.", rpc.testmempoolaccept, [])
        self.assertEqual(rpc.getrawmempool(), [])
        sent = rpc.sendrawtransaction(spend("49.999"))
        self.assertEqual(rpc.sendrawtransaction(spend("49.999")), sent)  # once more is no fault
        self.assertEqual(rpc.getrawmempool(), [sent])
        entry = rpc.getmempoolentry(sent)
        self.assertEqual((entry["fees"]["base"], entry["ancestorcount"], entry["depends"], entry["bip125-replaceable"]),
                         (D("0.001"), 1, [], True))
        self.assertEqual(rpc.getrawmempool(True), {sent: entry})
        self.assertEqual(rpc.gettxspendingprevout([{"txid": txid, "vout": 0}]),
                         [{"txid": txid, "vout": 0, "spendingtxid": sent}])
        self.assertIsNone(rpc.gettxout(txid, 0))
        self.assertEqual(rpc.gettxout(txid, 0, False)["value"], 50)
        self.assertEqual(rpc.gettxout(sent, 0)["confirmations"], 0)
        self.assertEqual(rpc.getmempoolinfo()["size"], 1)
        self.look_up(sent, txid)

    def look_up(self, sent, txid):
        rpc = self.rpc
        raw = rpc.getrawtransaction(sent)
        self.assertEqual(rpc.getrawtransaction(sent, 1)["hex"], raw)
        block = self.node.generate(1)[0]
        self.assert_rpc_error(-5, "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain "
                                  "transaction queries. Use gettransaction for wallet transactions.",
                              rpc.getrawtransaction, sent)
        self.assertEqual(rpc.getrawtransaction(sent, 0, block), raw)
        shown = rpc.getrawtransaction(sent, 2, block)
        self.assertEqual((shown["in_active_chain"], shown["blockhash"], shown["confirmations"], shown["fee"]),
                         (True, block, 1, D("0.001")))
        self.assertEqual(shown["vin"][0]["prevout"]["value"], 50)
        self.assertEqual(shown["vin"][0]["txid"], txid)
        self.assert_rpc_error(-5, "No such transaction found in the provided block", rpc.getrawtransaction, sent, 0,
                              rpc.getblockhash(1))
        self.assert_rpc_error(-5, "Block hash not found", rpc.getrawtransaction, sent, 0, "00" * 32)
        self.assert_rpc_error(-27, "Transaction already in block chain", rpc.sendrawtransaction, raw)
        genesis = rpc.getblock(rpc.getblockhash(0))["tx"][0]
        self.assert_rpc_error(-5, "The genesis block coinbase is not considered an ordinary transaction and cannot be "
                                  "retrieved", rpc.getrawtransaction, genesis)
        self.assertEqual(rpc.getblock(block, 3)["tx"][1]["vin"][0]["prevout"]["generated"], True)

    def test_combine_errors(self):
        combine = self.rpc.combinerawtransaction
        self.assert_rpc_error(-8, "Missing transactions", combine, [])
        self.assert_rpc_error(-22, "TX decode failed for tx 0. Make sure the tx has at least one input.", combine, ["00"])
        raw = self.rpc.createrawtransaction([{"txid": "11" * 32, "vout": 0}], {})
        self.assert_rpc_error(-25, "Input not found or already spent", combine, [raw])

    def test_decode_script(self):
        d = self.rpc.decodescript
        self.assertEqual(d(""), {"asm": "", "desc": "raw()#58lrscpx", "type": "nonstandard",
                                 "p2sh": "2N9hLwkSqr1cPQAPxbrGVUjxyjD11G2e1he", "segwit": d("")["segwit"]})
        pk = d(f"21{ALICE}ac")
        self.assertEqual((pk["type"], pk["asm"]), ("pubkey", ALICE + " OP_CHECKSIG"))
        self.assertEqual(pk["desc"].split("#")[0], f"pk({ALICE})")
        self.assertEqual(pk["segwit"]["type"], "witness_v0_keyhash")
        multi = d(f"5121{ALICE}51ae")
        self.assertEqual(multi["desc"].split("#")[0], f"multi(1,{ALICE})")
        self.assertEqual(multi["segwit"]["desc"].split("#")[0], f"wsh(multi(1,{ALICE}))")
        self.assertEqual(d(f"21{ALICE}ad60b2")["segwit"]["desc"].split("#")[0], f"wsh(and_v(v:pk({ALICE}),older(16)))")
        self.assertTrue(d(f"21{ALICE}ac60b2")["segwit"]["desc"].startswith("addr("))
        null = d("6a04deadbeef")
        self.assertEqual((null["type"], null["asm"], "p2sh" in null), ("nulldata", "OP_RETURN -1866575390"[:9] + null["asm"][9:],
                                                                       False))
        self.assertEqual(d("bb"), dict(d("bb"), type="nonstandard", asm="OP_UNKNOWN"))
        self.assertEqual(d("5102")["asm"], "1 [error]")
        self.assert_rpc_error(-8, "argument must be hexadecimal string (not 'xx')", d, "xx")

    def test_messages(self):
        rpc = self.rpc
        text = "This is just a test message"
        known = "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0="
        self.assertEqual(rpc.signmessagewithprivkey(KNOWN_KEY, text), known)
        self.assertIs(rpc.verifymessage(KNOWN_ADDRESS, known, text), True)
        self.assertIs(rpc.verifymessage(KNOWN_ADDRESS, known, text + "."), False)
        self.assert_rpc_error(-5, "Invalid address", rpc.verifymessage, "x", known, text)
        self.assert_rpc_error(-3, "Malformed base64 encoding", rpc.verifymessage, KNOWN_ADDRESS, known[:-1], text)
        self.assert_rpc_error(-3, "Address does not refer to key", rpc.verifymessage, framework.BURN[self.chain], known, text)
        self.assert_rpc_error(-5, "Invalid private key", rpc.signmessagewithprivkey, "x", text)

    def test_addresses(self):
        rpc = self.rpc
        self.assertEqual(rpc.validateaddress(KNOWN_ADDRESS), {
            "isvalid": True, "address": KNOWN_ADDRESS, "scriptPubKey": "76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac",
            "isscript": False, "iswitness": False})
        burn = rpc.validateaddress(framework.BURN[self.chain])
        self.assertEqual((burn["isscript"], burn["iswitness"], burn["witness_version"], len(burn["witness_program"])),
                         (True, True, 1, 64))
        self.assert_rpc_error(-3, "JSON value of type number for field txid is not of expected type string",
                              rpc.gettxspendingprevout, [{"txid": 42, "vout": 0}])
        wrong = rpc.validateaddress("x")
        self.assertEqual((wrong["isvalid"], wrong["error_locations"]), (False, []))
        self.assertIn("error", wrong)
        multi = rpc.createmultisig(1, [ALICE], "bech32")
        self.assertEqual(multi["redeemScript"], f"5121{ALICE}51ae")
        self.assertEqual(multi["descriptor"].split("#")[0], f"wsh(multi(1,{ALICE}))")
        self.assert_rpc_error(-8, "not enough keys supplied (got 1 keys, but need at least 2 to redeem)",
                              rpc.createmultisig, 2, [ALICE])
        self.assert_rpc_error(-5, "Invalid public key: 02", rpc.createmultisig, 1, ["02"])
        self.assertEqual(rpc.getindexinfo(), {})


class TestControl(framework.TestCase):
    def test_all(self):
        node = self.start_node()
        rpc = node.rpc
        self.assertGreaterEqual(rpc.uptime(), 0)
        info = rpc.getrpcinfo()
        self.assertEqual([c["method"] for c in info["active_commands"]], ["getrpcinfo"])
        self.assertEqual(info["logpath"], node.chain_dir + "/debug.log")
        memory = rpc.getmemoryinfo()["locked"]
        self.assertEqual(list(memory), ["used", "free", "total", "locked", "chunks_used", "chunks_free"])
        self.assertEqual(memory["used"] + memory["free"], memory["total"])
        self.assertTrue(all(memory[k] > 0 for k in memory if k != "locked"), memory)
        self.assertEqual(xml.etree.ElementTree.fromstring(rpc.getmemoryinfo("mallocinfo")).tag, "malloc")
        self.assert_rpc_error(-8, "unknown mode x", rpc.getmemoryinfo, "x")
        self.assertIs(rpc.logging()["net"], False)
        self.assertIs(rpc.logging(["net"])["net"], True)
        self.assertIs(rpc.logging([], ["all"])["net"], False)
        self.assert_rpc_error(-8, "unknown logging category x", rpc.logging, ["x"])
        self.assertIn("valid logging categories are: " + ", ".join(rpc.logging()), rpc.help("logging"))
        self.assertEqual(rpc.echoipc("hello"), "hello")
        for delta in (0, 3601):
            self.assert_rpc_error(-1, "delta_time must be between 1 and 3600 seconds (1 hr)", rpc.mockscheduler, delta)
        self.assertIsNone(rpc.syncwithvalidationinterfacequeue())
        rpc.setmocktime(1700000000)
        header = rpc.getblockheader(node.generate(1)[0])
        self.assertEqual(header["time"], 1700000000)
        self.assert_rpc_error(-8, "Mocktime cannot be negative: -1.", rpc.setmocktime, -1)
        self.assert_rpc_error(-8, "Mocktime must be in the range [0, 9223372036], not 9223372037.", rpc.setmocktime,
                              9223372037)
        self.assertIsNone(rpc.setmocktime(9223372036))
        self.assertEqual(rpc.stop(), "CloudCoin stopping")
        node.wait_exit(0)


if __name__ == "__main__":
    framework.main()
