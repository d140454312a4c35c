"""What suites written for Bitcoin Core ask of the daemon on bitcoin-regtest: small facts, each told by them."""
import base64
import hashlib
import hmac
import http.client
import os
import socket
import time

import framework
from blocks import Chain, Coin, P2WSH_TRUE, coin_of, hash256, now, shown, spend
from peer import TX, WITNESS, WTX, Peer, inv


class Core(framework.TestCase):
    chain = "bitcoin-regtest"


class TestFolder(Core):
    def test_what_lies_in_it(self):
        """Folders are blocks, chainstate, indexes and an empty wallets; all else are files."""
        node = self.start_node("-disablewallet")
        self.assertEqual(os.listdir(os.path.join(node.chain_dir, "wallets")), [])
        node.stop()
        folders = [e for e in os.listdir(node.chain_dir) if os.path.isdir(os.path.join(node.chain_dir, e))]
        self.assertEqual(sorted(folders), ["blocks", "chainstate", "wallets"])


class TestSigning(Core):
    """signrawtransactionwithkey, told of coins that pay to scripts."""
    SECRET = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
    KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

    def test_scripts(self):
        rpc = self.start_node("-disablewallet").rpc
        for kind in ("legacy", "p2sh-segwit", "bech32"):
            made = rpc.createmultisig(1, [self.KEY], kind)
            script, pays = made["redeemScript"], rpc.validateaddress(made["address"])["scriptPubKey"]
            program = "0020" + hashlib.sha256(bytes.fromhex(script)).hexdigest()
            coin = {"txid": "11" * 32, "vout": 0, "scriptPubKey": pays, "amount": 1}
            raw = rpc.createrawtransaction([coin], {made["address"]: 0.9})

            def sign(keys=(), **more):
                return rpc.signrawtransactionwithkey(raw, list(keys), [{**coin, **more}])

            def refuse(sentence, **more):
                self.assert_rpc_error(-8, sentence, sign, **more)
            refuse("Missing redeemScript/witnessScript")
            refuse("redeemScript does not correspond to witnessScript", witnessScript=script, redeemScript="6a")
            refuse("redeemScript/witnessScript does not match scriptPubKey", redeemScript="6a")
            refuse("redeemScript/witnessScript does not match scriptPubKey", witnessScript="6a")
            for good in ({"redeemScript": script}, {"witnessScript": script},
                         {"redeemScript": script, "witnessScript": script},
                         {"redeemScript": program, "witnessScript": script}):
                self.assertIs(sign([self.SECRET], **good)["complete"], True, (kind, good))
            self.assertIs(sign(redeemScript=script)["complete"], False)

    def test_known_coin(self):
        """A coin of the chain is what the chain says."""
        node = self.start_node("-disablewallet")
        block = node.rpc.generatetodescriptor(1, "raw(51)")[0]
        coin = {"txid": node.rpc.getblock(block)["tx"][0], "vout": 0, "scriptPubKey": "6a", "amount": 1}
        raw = node.rpc.createrawtransaction([coin], {"mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB": 1})
        self.assert_rpc_error(-22, "Previous output scriptPubKey mismatch:\n1\nvs:\nOP_RETURN",
                              node.rpc.signrawtransactionwithkey, raw, [], [coin])

    def test_amount(self):
        """A witness signs the amount, so it has to be told."""
        rpc = self.start_node("-disablewallet").rpc
        made = rpc.createmultisig(1, [self.KEY], "bech32")
        coin = {"txid": "11" * 32, "vout": 0, "scriptPubKey": rpc.validateaddress(made["address"])["scriptPubKey"],
                "witnessScript": made["redeemScript"]}
        raw = rpc.createrawtransaction([coin], {made["address"]: 0.9})
        self.assert_rpc_error(-3, "Missing amount", rpc.signrawtransactionwithkey, raw, [self.SECRET], [coin])


class TestFiles(Core):
    def test_fetching_ahead(self):
        """A node that prunes asks no peer for a block above its tip, another does."""
        source = self.start_node()
        ahead = source.generate(2)
        for args, said in ((("-prune=1",), "In prune mode, only blocks that the node has already synced previously can be "
                                           "fetched from a peer"), ((), "Peer does not exist")):
            node = self.start_node(*args)
            for hash_ in ahead:
                node.rpc.submitheader(source.rpc.getblockheader(hash_, False))
            self.assert_rpc_error(-1, said, node.rpc.getblockfrompeer, ahead[1], 0)
            self.assert_rpc_error(-1, "Block header missing", node.rpc.getblockfrompeer, "00" * 32, 0)
            self.assert_rpc_error(-1, "Block already downloaded", node.rpc.getblockfrompeer, node.tip(), 0)


    def test_bans_begun_anew(self):
        """There is a list of bans from the first moment, and again if it was taken away."""
        node = self.start_node()
        path = os.path.join(node.chain_dir, "banlist.json")
        for _ in range(2):
            self.assertTrue(os.path.exists(path))
            self.assertIn("Recreating the banlist database", node.log())
            node.stop()
            os.unlink(path)
            open(os.path.join(node.chain_dir, "debug.log"), "w").close()
            node.start()
        node.rpc.setban("127.7.7.0/24", "add")
        node.stop()
        open(os.path.join(node.chain_dir, "debug.log"), "w").close()
        node.start()
        self.assertNotIn("Recreating", node.log())
        self.assertEqual(len(node.rpc.listbanned()), 1)

    def test_cookie_cannot_be_written(self):
        node = self.add_node()
        os.makedirs(os.path.join(node.chain_dir, ".cookie.tmp"))
        self.assertEqual(node.start_fails(), (1, "Error: Unable to start HTTP server. See debug log for details.\n"))
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, ".cookie")))
        os.rmdir(os.path.join(node.chain_dir, ".cookie.tmp"))
        node.start()

    def test_files_of_blocks_away(self):
        """What is told of a block whose bytes, or whose undo, are not there."""
        node = self.start_node()
        c = Chain(node, P2WSH_TRUE)
        c.mine(101)
        node.rpc.sendrawtransaction(spend(c.take(), script=P2WSH_TRUE, fee=1000).serialise().hex())
        block, folder = node.generate(1)[0], os.path.join(node.chain_dir, "blocks")

        def away(name):
            path = os.path.join(folder, name)
            os.rename(path, path + ".away")
            self.addCleanup(lambda: os.path.exists(path + ".away") and os.rename(path + ".away", path))
            return path
        for level in (2, 3):
            self.assertEqual(node.rpc.getblock(block, level)["tx"][1]["fee"], framework.decimal.Decimal("0.00001000"))
        undo = away("rev00000.dat")
        for level in (2, 3):
            tx = node.rpc.getblock(block, level)["tx"][1]
            self.assertFalse("fee" in tx or "prevout" in tx["vin"][0])
        self.assert_rpc_error(-1, "Can't read undo data from disk", node.rpc.getblockstats, block)
        os.rename(undo + ".away", undo)
        blocks = away("blk00000.dat")
        for call in (node.rpc.getblock, node.rpc.getblockstats):
            self.assert_rpc_error(-1, "Block not found on disk", call, block)
        os.rename(blocks + ".away", blocks)
        self.assertEqual(node.rpc.getblock(block, 3)["tx"][1]["vin"][0]["prevout"]["height"], 1)


class TestOptions(Core):
    def fails(self, text, *args, conf=""):
        node = self.add_node()
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write(conf)
        self.assertEqual(node.start_fails(*args), (1, f"Error: {text}\n".replace("DIR", node.datadir)))

    def test_misplaced(self):
        said = "Config setting for -%s only applied on regtest network when in [regtest] section."
        self.fails(said % "wallet", conf="wallet=w\n")
        self.fails(said % "connect" + "\n" + said % "wallet", conf="wallet=w\nconnect=1.1.1.1\n")

    def test_ports(self):
        self.fails("Invalid port specified in -rpcport: '0'", "-rpcport=0")
        self.fails("Invalid port specified in -port: '0'", "-port=0")
        self.fails("Need to specify a port with -whitebind: '127.0.0.1'", "-whitebind=noban@127.0.0.1")

        for bad in ("127.0.0.1:notaport", "127.0.0.1:-18443", "127.0.0.1:0", "[::1]:65536"):
            self.fails(f"Invalid port specified in -rpcbind: '{bad}'", "-rpcbind=" + bad)

    def test_log_levels(self):
        self.fails("Unsupported global logging level -loglevel=all. Valid values: info, debug, trace.", "-loglevel=all")
        self.fails("Unsupported category-specific logging level -loglevel=net:x. Expected "
                   "-loglevel=<category>:<loglevel>. Valid categories: addrman, bench, blockstorage, cmpctblock, coindb, "
                   "estimatefee, http, i2p, ipc, leveldb, libevent, mempool, mempoolrej, net, proxy, prune, qt, rand, "
                   "reindex, rpc, scan, selectcoins, tor, txpackages, txreconciliation, util, validation, walletdb, zmq. "
                   "Valid loglevels: info, debug, trace.", "-loglevel=net:x")

    def test_least_highest_fee(self):
        self.fails("Invalid amount for -maxtxfee=<amount>: '0.00000999' (must be at least the minrelay fee of 0.00001000 "
                   "BTC/kvB to prevent stuck transactions)", "-maxtxfee=0.00000999")
        self.start_node("-maxtxfee=0.00001")

    def test_folder_of_wallets(self):
        node = self.add_node()
        file, other = (os.path.join(node.datadir, n) for n in ("file", "other"))
        with open(file, "w"):
            pass
        for path, what in ((other, "does not exist"), (file, "is not a directory"), (".", "is a relative path")):
            self.assertEqual(node.start_fails("-walletdir=" + path),
                             (1, f'Error: Specified -walletdir "{path}" {what}\n'))
        self.assertFalse(os.path.exists(other))
        os.mkdir(other)
        node.start("-walletdir=" + other)
        node.rpc.createwallet("w")
        self.assertEqual(os.listdir(other), ["w"])

    def test_files_that_are_folders(self):
        node = self.add_node()
        said = "Error: Error reading configuration file: %sonfig file \"%s\" is a directory.\n"
        self.assertEqual(node.start_fails("-conf=" + node.datadir), (1, said % ("C", node.datadir)))
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write("includeconf=.\n")
        status, err = node.start_fails()
        self.assertIn(said[:-30] % "Included c", err)
        self.assertEqual(status, 1)

    def test_files_included_by_included_files(self):
        node = self.add_node()
        for name, text in (("bitcoin.conf", "includeconf=one.conf\nuacomment=main\n"),
                           ("one.conf", "includeconf=two.conf\nuacomment=one\n"), ("two.conf", "uacomment=two\n")):
            with open(os.path.join(node.datadir, name), "w") as f:
                f.write(text)
        node.stderr_expected = True
        node.start()
        self.assertIn("(main; one)", node.rpc.getnetworkinfo()["subversion"])
        self.assertEqual(node.stderr(), "warning: -includeconf cannot be used from included files; ignoring "
                                        "-includeconf=two.conf\n")

    def test_log_that_cannot_be_opened(self):
        path = os.path.join(self.folder, "missing", "my.log")
        self.fails("Could not open debug log file " + path, "-debuglogfile=" + path)

    def test_told_by_the_log(self):
        node = self.add_node("-addnode=some.node", "-noconnect=0", "-rpcauth=a:b$" + "0" * 64, "-seednode=other.node",
                             "-connect=127.0.0.1:1", "-networkactive=0")
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write("rpcuser=secret\n[regtest]\nrpcservertimeout=99\n")
        log = node.start().log()
        for line in ('Command-line arg: addnode="some.node"\n', "Command-line arg: rpcauth=****\n",
                     "Config file arg: rpcuser=****\n", 'Config file arg: [regtest] rpcservertimeout="99"\n',
                     "Warning: parsed potentially confusing double-negative -connect=0\n",
                     "-seednode is ignored when -connect is used\n", "SetNetworkActive: false\n",
                     "Creating peers.dat because the file was not found"):
            self.assertIn(line, log)
        self.assertNotIn("secret", log)
        node.stop()
        self.assertIn("Config file: <disabled>\n", node.start("-noconf").log())
        node.stop()
        self.assertIn("SetNetworkActive: true\n", node.start("-networkactive").log())


class TestControl(Core):
    def test_log_categories(self):
        """All of Bitcoin Core's, sorted, and named by the help."""
        rpc = self.start_node("-debug").rpc
        self.assertIs(rpc.logging()["qt"], True)
        self.assertIs(rpc.logging([], ["qt"])["qt"], False)
        self.assertIs(rpc.logging(["qt"])["qt"], True)
        names = list(rpc.logging())
        self.assertEqual(names, sorted(names))
        self.assertIn("valid logging categories are: " + ", ".join(names) + "\n", rpc.help("logging"))
        self.assertLessEqual({"tor", "zmq", "estimatefee", "selectcoins", "rand", "prune", "proxy", "mempoolrej", "leveldb",
                              "i2p", "ipc", "txreconciliation", "scan", "walletdb"}, set(names))

    def test_uptime_follows_the_mock_clock(self):
        rpc = self.start_node().rpc
        rpc.setmocktime(int(time.time()) + 1000)
        self.assertIn(rpc.uptime(), range(999, 1002 + int(framework.TIMEOUT_S)))
        rpc.setmocktime(0)
        self.assertLess(rpc.uptime(), 999)

    def test_help_names_networks(self):
        rpc = self.start_node().rpc
        self.assertIn("(ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable)", rpc.help("getpeerinfo"))
        self.assertIn("(ipv4, ipv6, onion, i2p, cjdns)", rpc.help("getnetworkinfo"))

    def test_internal_bug(self):
        rpc = self.start_node().rpc
        self.assert_rpc_error(-1, 'Internal bug detected: request.params[9].get_str() != "trigger_internal_bug"',
                              rpc.echo, arg9="trigger_internal_bug")
        self.assertEqual(rpc.echo(arg9="x"), [None] * 9 + ["x"])


class TestUsers(Core):
    def test_whitelist(self):
        """Who may call what; several entries of one user leave what they share."""
        def auth(user):
            digest = hmac.new(b"salt", user.encode(), "sha256").hexdigest()
            return f"-rpcauth={user}:salt${digest}"

        def call(user, body):
            c = http.client.HTTPConnection("127.0.0.1", node.rpc_port, timeout=framework.TIMEOUT_S)
            c.request("POST", "/", body, {"Authorization": "Basic " + base64.b64encode(
                f"{user}:{user}".encode()).decode()})
            return c.getresponse().status

        def method(name):
            return '{"method": "%s"}' % name

        node = self.start_node(*map(auth, ("one", "two", "none", "other")), "-rpcwhitelist=one:getblockcount,uptime",
                               "-rpcwhitelist=two:getblockcount,uptime", "-rpcwhitelist=two: getnettotals, uptime",
                               "-rpcwhitelist=none", "-rpcwhitelistdefault=0")
        self.assertEqual(call("one", method("getblockcount")), 200)
        self.assertEqual(call("one", method("uptime")), 200)
        self.assertEqual(call("one", method("getnettotals")), 403)
        self.assertEqual(call("two", method("getblockcount")), 403)
        self.assertEqual(call("two", method("uptime")), 200)
        self.assertEqual(call("two", "[%s]" % method("uptime")), 200)
        self.assertEqual(call("two", "[%s, %s]" % (method("uptime"), method("getblockcount"))), 403)
        self.assertEqual(call("none", method("uptime")), 403)
        self.assertEqual(call("other", method("getblockcount")), 200)
        self.assertIn("RPC User one not allowed to call method getnettotals\n", node.log())
        node.stop()
        node.launch("-rpcwhitelistdefault=1", "-rpcwhitelist=__cookie__:getblockcount,stop")
        node.wait_ready()
        self.assertEqual(call("other", method("getblockcount")), 403)
        self.assertIn("RPC User other not allowed to call any methods\n", node.log())


class TestAnswers(Core):
    def test_last_block_put_together(self):
        node = self.start_node()
        self.assertNotIn("currentblockweight", node.rpc.getmininginfo())
        node.generate(1)
        info = node.rpc.getmininginfo()
        self.assertEqual((info["currentblocktx"], info["currentblockweight"]), (0, 4000))
        chain = Chain(node, P2WSH_TRUE)
        chain.mine(101)
        tx = spend(chain.take(), fee=10_000, script=P2WSH_TRUE)
        txid = node.rpc.sendrawtransaction(tx.serialise().hex())
        node.rpc.getblocktemplate({"rules": ["segwit"]})
        info = node.rpc.getmininginfo()
        self.assertEqual((info["currentblocktx"], info["currentblockweight"]),
                         (1, 4000 + node.rpc.getmempoolentry(txid)["weight"]))

    def test_a_chain_of_twenty_five(self):
        node = self.start_node()
        chain = Chain(node, P2WSH_TRUE)
        chain.mine(101)
        txs, coin = [], chain.take()
        for _ in range(26):
            txs.append(spend(coin, fee=10_000, script=P2WSH_TRUE))
            coin = coin_of(txs[-1])
        for tx in txs[:25]:
            node.rpc.sendrawtransaction(tx.serialise().hex())
        self.assert_rpc_error(-26, "too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]",
                              node.rpc.sendrawtransaction, txs[25].serialise().hex())

    def test_shutdownnotify(self):
        path = os.path.join(self.folder, "gone")
        node = self.start_node("-shutdownnotify=echo > " + path)
        self.assertFalse(os.path.exists(path))
        node.stop()
        self.assertTrue(os.path.exists(path))

    def test_network_hashes(self):
        node = self.start_node()
        node.generate(3)
        ask = node.rpc.getnetworkhashps
        for blocks in (0, -2):
            self.assert_rpc_error(-8, "Invalid nblocks. Must be a positive number or -1.", ask, blocks)
        for height in (4, -2):
            self.assert_rpc_error(-8, "Block does not exist at specified height", ask, 100, height)
        self.assertEqual(ask(-1), ask(120, 3))

    def test_size_of_the_coins(self):
        node = self.start_node()
        node.generate(5)
        self.assertGreater(node.rpc.gettxoutsetinfo()["disk_size"], 0)

    def test_coins_told_to_the_signer(self):
        rpc = self.start_node().rpc
        key, txid = "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW", "11" * 32
        raw = rpc.createrawtransaction([{"txid": txid, "vout": 7}], {framework.BURN[self.chain]: 1})
        coin = {"txid": txid, "vout": 7, "scriptPubKey": "00142b4569203694fc997e13f2c0a1383b9e16c77a0d"}
        self.assert_rpc_error(-3, "Missing amount for CTxOut(nValue=21000000.00000000, "
                                  "scriptPubKey=00142b4569203694fc997e13f2c0a1)",
                              rpc.signrawtransactionwithkey, raw, [key], [coin])
        self.assertIs(rpc.signrawtransactionwithkey(raw, [key], [dict(coin, amount=2)])["complete"], True)
        for member in ("txid", "vout", "scriptPubKey"):
            self.assert_rpc_error(-3, "Missing " + member, rpc.signrawtransactionwithkey, raw, [key],
                                  [{k: v for k, v in coin.items() if k != member}])


class TestIndex(Core):
    def test_transactions(self):
        node = self.start_node()
        rpc = node.rpc
        node.generate(3)
        first, second = (rpc.getblock(rpc.getblockhash(h))["tx"][0] for h in (1, 2))
        self.assertEqual(rpc.getindexinfo(), {})
        self.assert_rpc_error(-5, "No such mempool transaction. Use -txindex", rpc.getrawtransaction, first)
        node.stop()
        node.start("-txindex")  # reads what is there
        self.assertIn("txindex is enabled at height 3", node.log())
        self.assertEqual(rpc.getindexinfo(), {"txindex": {"synced": True, "best_block_height": 3}})
        self.assertEqual(rpc.getindexinfo("foo"), {})
        found = rpc.getrawtransaction(first, True)
        self.assertEqual((found["txid"], found["blockhash"], found["confirmations"]), (first, rpc.getblockhash(1), 3))
        self.assertNotIn("in_active_chain", found)
        self.assertEqual(rpc.getrawtransaction(first), found["hex"])
        self.assertEqual(rpc.getrawtransaction(first, 2)["hash"], found["hash"])
        self.assert_rpc_error(-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.",
                              rpc.getrawtransaction, "11" * 32)
        self.assertEqual(rpc.verifytxoutproof(rpc.gettxoutproof([second])), [second])
        node.generate(1)
        last = rpc.getblock(node.tip())["tx"][0]
        self.assertEqual(rpc.getrawtransaction(last, True)["blockhash"], node.tip())
        self.assertEqual(rpc.getindexinfo("txindex")["txindex"]["best_block_height"], 4)
        old = node.tip()
        rpc.invalidateblock(old)
        self.assertEqual(rpc.getrawtransaction(last, True)["confirmations"], 0)
        self.assertEqual(sorted(os.listdir(node.chain_dir + "/indexes")), ["txindex"])


class TestLog(Core):
    def wait_log(self, node, *lines):
        self.wait_until(lambda: all(line in node.log() for line in lines), what=lines)

    def test_script_that_fails_in_a_block(self):
        node = self.start_node()
        chain = Chain(node)
        chain.mine(101)
        bad = spend(chain.take())
        bad.vin[0].script_sig = b"\x6a"
        self.assertEqual(chain.submit(chain.block([bad])), "mandatory-script-verify-flag-failed (OP_RETURN was encountered)")
        self.wait_log(node, f"ERROR: ConnectBlock(): CheckInputScripts on {shown(bad.txid)} failed with "
                            "mandatory-script-verify-flag-failed (OP_RETURN was encountered)")

    def test_faults_of_headers(self):
        node = self.start_node("-debug=validation")
        chain = Chain(node)
        block = chain.block()
        block.version = 1
        self.assertEqual(chain.submit(block), "bad-version(0x00000001)")
        self.wait_log(node, f"ContextualCheckBlockHeader: {shown(block.hash)}, bad-version(0x00000001)")
        block = chain.block().solve(good=False)
        self.assert_rpc_error(-25, "high-hash", node.rpc.submitheader, block.header().hex())
        self.wait_log(node, f"CheckBlockHeader: {shown(block.hash)}, high-hash")

    def test_orphans(self):
        node = self.start_node("-debug")
        chain = Chain(node, P2WSH_TRUE)
        chain.time = now() - 3600
        chain.mine(101)
        parent = spend(chain.take(), fee=10_000, script=P2WSH_TRUE)
        child = spend(coin_of(parent), fee=10_000, script=P2WSH_TRUE)
        orphans = [spend(Coin(os.urandom(32), 0, 100_000, 1), fee=10_000, script=P2WSH_TRUE) for _ in range(100)]
        with Peer(node) as p:
            for tx in (child, *orphans):
                p.send("tx", tx.serialise())
            p.sync()
            self.wait_log(node, "New inbound v1 peer connected: version: 70016, blocks=0, peer=0",
                          "from peer=0 was not accepted: bad-txns-inputs-missingorspent",
                          f"stored orphan tx {shown(child.txid)} (wtxid={shown(hash256(child.serialise()))}) (mapsz 1)",
                          "orphanage overflow, removed 1 tx")
        self.wait_log(node, "Erased 100 orphan tx from peer=0")
        with Peer(node) as p:
            p.send("tx", child.serialise())
            p.sync()
            other = spend(coin_of(parent), coin_of(parent, 0), fee=30_000, script=P2WSH_TRUE)
            other.vin[1].txid = os.urandom(32)
            p.send("tx", other.serialise())
            p.sync()
            chain.mine(1, [parent, child], fees=20_000)
            self.wait_log(node, "Erased 2 orphan tx included or conflicted by block")
            parent = spend(chain.take(), fee=10_000, script=P2WSH_TRUE)
            child = spend(coin_of(parent), fee=10_000, script=P2WSH_TRUE)
            p.send("tx", child.serialise())
            p.sync()
            chain.mine(1, [parent], fees=10_000)
            self.wait_until(lambda: node.rpc.getrawmempool() == [shown(child.txid)], what="what waited for it is taken")
            rejected = spend(chain.take())
            rejected.version = 9
            orphan = spend(coin_of(rejected), fee=10_000, script=P2WSH_TRUE)
            for tx in (rejected, orphan):
                p.send("tx", tx.serialise())
            self.wait_log(node, f"not keeping orphan with rejected parents {shown(orphan.txid)}")
            p.send("mempool")
            p.wait_closed()
        self.wait_log(node, "mempool request with bloom filters disabled, disconnect peer=1")


class TestAfterTheBlock(Core):
    def test_last_block_s_transactions_are_given(self):
        """Who was told of one just before it was mined gets it, by either id and with its witness if he asks for it;
        what an older block has is not in anybody's way any more."""
        node = self.start_node()
        chain = Chain(node, P2WSH_TRUE)
        chain.mine(101)
        tx = spend(chain.take(), fee=10_000, script=P2WSH_TRUE)
        txid, wtxid = hash256(tx.serialise(witness=False)), hash256(tx.serialise())
        node.rpc.sendrawtransaction(tx.serialise().hex())
        node.generate(1)
        with Peer(node) as p:
            for kind, id_, raw in ((TX, txid, tx.serialise(witness=False)), (TX | WITNESS, txid, tx.serialise()),
                                   (WTX, wtxid, tx.serialise())):
                p.send("getdata", inv((kind, id_)))
                self.assertEqual(p.wait("tx"), raw)
            for later in (1, 2):
                node.generate(1)
                p.send("getdata", inv((WTX, wtxid)))
                self.assertEqual(p.wait("notfound"), inv((WTX, wtxid)), later)

    def test_what_was_in_a_block_is_no_secret(self):
        """Nobody is told of what comes back from a block, but who asks gets it at once."""
        node = self.start_node()
        chain = Chain(node, P2WSH_TRUE)
        chain.mine(101)
        tx = spend(chain.take(), fee=10_000, script=P2WSH_TRUE)
        node.rpc.sendrawtransaction(tx.serialise().hex())
        block = node.generate(2)[0]
        with Peer(node) as p:
            p.sync()
            node.rpc.invalidateblock(block)
            p.send("getdata", inv((WTX, hash256(tx.serialise()))))
            self.assertEqual(p.wait("tx"), tx.serialise())


class TestConnecting(Core):
    def test_v2transport_is_an_argument(self):
        rpc = self.start_node().rpc
        asked = "Error: v2transport requested but not enabled (see -v2transport)"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            address = "127.0.0.1:%d" % s.getsockname()[1]
            rpc.addnode(node=address, command="onetry", v2transport=False)
            self.assertEqual(rpc.addconnection(address, "block-relay-only", False),
                             {"address": address, "connection_type": "block-relay-only"})
            self.assert_rpc_error(-8, asked, rpc.addnode, address, "onetry", True)
            self.assert_rpc_error(-8, asked, rpc.addconnection, address, "feeler", True)


if __name__ == "__main__":
    framework.main()
