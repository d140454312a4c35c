"""The wallet's calls on a running daemon: names, results and error codes."""
import http.client
import os
import random
import threading
import time
import unittest
from decimal import Decimal as D

import framework

HEADS_UP = "Error: Please enter the wallet passphrase with walletpassphrase first."


class WalletCase(framework.TestCase):
    def setUp(self):
        super().setUp()
        self.node = self.start_node("-fallbackfee=0.0001")
        self.rpc = self.node.rpc

    def wallet(self, name, **named):
        self.rpc.createwallet(wallet_name=name, **named)
        return self.rpc.wallet(name)

    def rich(self, name, blocks=101):
        """A wallet that has mined."""
        w = self.wallet(name)
        self.node.generate(1)
        self.rpc.generatetoaddress(blocks, w.getnewaddress("mining"))
        return w

    def in_mempool(self, txid):
        return txid in self.rpc.getrawmempool()


class TestNotify(WalletCase):
    def test_walletnotify(self):
        """Of each transaction that comes or changes, with its block; a name is one word whatever is in it."""
        told = os.path.join(self.folder, "told")
        os.mkdir(told)
        self.node.stop()
        self.node.start("-walletnotify=echo %h %b %% %x >> " + told + "/%w_%s")
        name = "a'b';$HOME&c"
        w = self.wallet(name)
        address = w.getnewaddress()

        def lines(txid):
            path = os.path.join(told, f"{name}_{txid}")
            return open(path).read().splitlines() if os.path.exists(path) else []
        block, = self.rpc.generatetoaddress(1, address)
        coinbase, = self.rpc.getblock(block)["tx"]
        self.wait_until(lambda: lines(coinbase) == [f"1 {block} %% %x"], what="told of a coinbase")
        self.rpc.generatetoaddress(100, framework.BURN["regtest"])
        txid = w.sendtoaddress(framework.BURN["regtest"], 1)
        # When it is made and when the pool has it. Commands run side by side: all of these first, then the next.
        self.wait_until(lambda: lines(txid) == ["-1 unconfirmed %% %x"] * 2, what="told of a payment")
        block, = self.node.generate(1)
        self.wait_until(lambda: lines(txid)[-1] == f"102 {block} %% %x", what="told of its block")
        self.rpc.invalidateblock(block)
        self.wait_until(lambda: lines(txid)[-1] == "-1 unconfirmed %% %x", what="told that it is gone")
        self.assertEqual(len(os.listdir(told)), 2)


class TestWallets(WalletCase):
    def test_choosing_one(self):
        self.assert_rpc_error(-18, "No wallet is loaded.", self.rpc.getbalance)
        a = self.wallet("a")
        self.assertEqual(self.rpc.getwalletinfo()["walletname"], "a")
        b = self.wallet("b")
        self.assert_rpc_error(-19, "Wallet file not specified", self.rpc.getbalance)
        self.assert_rpc_error(-18, "Requested wallet does not exist or is not loaded", self.rpc.wallet("c").getbalance)
        self.assertEqual(b.getwalletinfo()["walletname"], "b")
        self.assertEqual(self.rpc.listwallets(), ["a", "b"])
        self.assertEqual(self.rpc.unloadwallet("a"), {})
        self.assert_rpc_error(-18, "Requested wallet does not exist", a.getbalance)
        self.assert_rpc_error(-18, "Requested wallet does not exist", self.rpc.unloadwallet, "a")
        self.assert_rpc_error(-8, "Either RPC endpoint wallet or wallet_name parameter must be provided", self.rpc.unloadwallet)
        self.assert_rpc_error(-8, "specify different wallets", b.unloadwallet, "a")
        self.assertEqual(self.rpc.listwallets(), ["b"])
        self.assertEqual({w["name"] for w in self.rpc.listwalletdir()["wallets"]}, {"a", "b"})
        self.assertEqual(self.rpc.loadwallet("a"), {"name": "a"})
        self.assert_rpc_error(-35, "is already loaded", self.rpc.loadwallet, "a")
        self.assert_rpc_error(-18, "Path does not exist", self.rpc.loadwallet, "none")
        self.assert_rpc_error(-4, "Database already exists", self.rpc.createwallet, "a")
        self.assert_rpc_error(-4, "not allowed", self.rpc.createwallet, "../a")
        self.assert_rpc_error(-8, "", self.rpc.createwallet, wallet_name="w", words="abandon abandon")
        for refused in ({"disable_private_keys": True}, {"blank": True}, {"avoid_reuse": True}, {"descriptors": False}):
            self.assert_rpc_error(-4, "", self.rpc.createwallet, wallet_name="w", **refused)
        self.assertFalse(os.path.exists(os.path.join(self.node.chain_dir, "wallets", "w")))

    def test_a_damaged_file_is_refused_and_a_torn_one_mended(self):
        a = self.wallet("a")
        address = a.getnewaddress()
        a.getnewaddress()
        self.rpc.unloadwallet("a")
        path = os.path.join(self.node.chain_dir, "wallets", "a", "wallet.dat")
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(good[:100] + bytes([good[100] ^ 1]) + good[101:])
        self.assert_rpc_error(-4, "is damaged", self.rpc.loadwallet, "a")
        with open(path, "wb") as f:
            f.write(good[:-3])
        self.rpc.loadwallet("a")
        self.assertTrue(a.getaddressinfo(address)["ismine"])
        with open(os.path.join(self.node.chain_dir, "wallets", "text"), "w") as f:
            f.write("x")
        self.assert_rpc_error(-4, "", self.rpc.loadwallet, "text")

    def test_words(self):
        a = self.rich("a", 110)
        given = a.getwalletwords()
        self.assertEqual(len(given["words"].split()), 24)
        a.sendtoaddress(a.getnewaddress(), 3)
        self.node.generate(1)
        again = self.wallet("again", words=given["words"], birthday=given["birthday"])
        self.assertEqual(again.getbalances(), a.getbalances())
        self.assertEqual(again.getwalletinfo()["txcount"], a.getwalletinfo()["txcount"])
        other = self.wallet("other", words=given["words"], words_passphrase="x")
        self.assertEqual(other.getbalance(), 0)
        self.assertEqual(other.getwalletwords()["words_passphrase"], "x")
        late = self.wallet("late", words=given["words"], birthday=1000)
        self.assertEqual(late.getbalance(), 0)
        self.assert_rpc_error(-8, "Invalid start_height", late.rescanblockchain, 1000)
        self.assert_rpc_error(-8, "stop_height must be greater than start_height", late.rescanblockchain, 9, 8)
        self.assertEqual(late.rescanblockchain(), {"start_height": 0, "stop_height": self.node.height()})
        self.assertEqual(late.getbalances(), a.getbalances())
        self.assertFalse(late.abortrescan())  # none runs
        self.assertEqual(len(self.wallet("short", word_count=12).getwalletwords()["words"].split()), 12)

    def test_backup(self):
        a = self.rich("a")
        copy = os.path.join(self.folder, "copy.dat")
        a.backupwallet(copy)
        self.assert_rpc_error(-4, "Error: Wallet backup failed!", a.backupwallet, "/nowhere/at/all")
        self.assert_rpc_error(-8, "Backup file does not exist", self.rpc.restorewallet, "b", copy + "x")
        self.assert_rpc_error(-36, "Database already exists.", self.rpc.restorewallet, "a", copy)
        self.assert_rpc_error(-4, "this is no wallet file", self.rpc.restorewallet, "b", __file__)
        self.node.generate(3)
        self.assertEqual(self.rpc.restorewallet("b", copy), {"name": "b"})
        self.assertEqual(self.rpc.wallet("b").getbalances(), a.getbalances())

    def test_kill_and_start(self):
        a = self.rich("a")
        b = self.wallet("b")
        address = b.getnewaddress("kept")
        txid = a.sendtoaddress(address, 2, "lunch", "bob")
        self.node.kill()
        self.node.start("-wallet=a", "-wallet=b")
        self.assertEqual(self.rpc.listwallets(), ["a", "b"])
        self.assertEqual(b.getaddressinfo(address)["labels"], ["kept"])
        self.assertNotEqual(b.getnewaddress(), address)
        self.assertTrue(self.in_mempool(txid))
        sent = a.gettransaction(txid)
        self.assertEqual((sent["comment"], sent["to"]), ("lunch", "bob"))
        self.node.generate(1)
        self.assertEqual(b.getbalance(), 2)

    def test_missing_or_named_twice(self):
        """Said, and no reason not to start."""
        self.rpc.createwallet("a")
        self.node.stop()
        self.node.stderr_expected = True
        self.node.start("-wallet=none", "-wallet=a", "-wallet=a")
        self.assertEqual(self.rpc.listwallets(), ["a"])
        folder = os.path.join(self.node.chain_dir, "wallets")
        said = [f"Warning: Skipping -wallet path that doesn't exist. Failed to load database path '{folder}/none'. "
                "Path does not exist.", "Warning: Ignoring duplicate -wallet a."]
        self.assertEqual(self.node.stderr().splitlines(), said)
        for line in said:
            self.assertIn(line, self.node.log())
        self.node.stop()
        with open(os.path.join(folder, "a", "wallet.dat"), "wb") as f:
            f.write(b"no wallet")
        status, err = self.node.start_fails("-wallet=a")  # this is another matter
        self.assertEqual(status, 1)
        self.assertIn("wallet.dat", err)

    def test_load_on_startup(self):
        for name, start in (("a", True), ("b", None), ("c", True), ("d", False)):
            self.rpc.createwallet(wallet_name=name, load_on_startup=start)
        self.node.stop()
        self.node.stderr_expected = True
        self.node.start("-wallet=b", "-wallet=a")
        self.assertEqual(sorted(self.rpc.listwallets()), ["a", "b", "c"])
        self.assertEqual(self.node.stderr(), "Warning: Ignoring duplicate -wallet a.\n")
        self.rpc.unloadwallet("a", False)
        self.rpc.unloadwallet("c")  # as it was
        self.rpc.loadwallet("d", True)
        self.node.stop()
        os.rename(os.path.join(self.node.chain_dir, "wallets", "c"), os.path.join(self.node.chain_dir, "c"))
        self.node.start()
        self.assertEqual(self.rpc.listwallets(), ["d"])
        self.assertIn("Skipping -wallet path that doesn't exist.", self.node.stderr())
        self.node.stop()
        self.node.start("-nowallet")
        self.assertEqual(self.rpc.listwallets(), [])
        self.node.stop()
        with open(os.path.join(self.node.chain_dir, "settings.json"), "w") as f:
            f.write("{")
        status, err = self.node.start_fails()
        self.assertEqual(status, 1)
        self.assertIn("Settings file could not be read", err)

    def test_encryption(self):
        a = self.rich("a")
        target = a.getnewaddress()
        for method, args in (("walletpassphrase", ("x", 1)), ("walletlock", ()), ("walletpassphrasechange", ("x", "y"))):
            self.assert_rpc_error(-15, f"Error: running with an unencrypted wallet, but {method} was called.",
                                  getattr(a, method), *args)
        self.assert_rpc_error(-8, "passphrase cannot be empty", a.encryptwallet, "")
        self.assertNotIn("unlocked_until", a.getwalletinfo())
        self.assertIn("wallet encrypted", a.encryptwallet("right"))
        self.assert_rpc_error(-15, "Error: running with an encrypted wallet, but encryptwallet was called.",
                              a.encryptwallet, "x")
        self.assertEqual(a.getwalletinfo()["unlocked_until"], 0)
        raw = self.rpc.createrawtransaction([], [{target: 1}])
        for call in (lambda: a.sendtoaddress(target, 1), a.getwalletwords, a.getstoragekey,
                     lambda: a.signrawtransactionwithwallet(a.fundrawtransaction(raw)["hex"]),
                     lambda: a.registeridentity("x")):
            self.assert_rpc_error(-13, HEADS_UP, call)
        a.getnewaddress()
        self.assert_rpc_error(-14, "Error: The wallet passphrase entered was incorrect.", a.walletpassphrase, "wrong", 9)
        self.assert_rpc_error(-8, "Timeout cannot be negative.", a.walletpassphrase, "right", -1)
        self.assertIsNone(a.walletpassphrase("right", 1000))
        self.assertTrue(self.in_mempool(a.sendtoaddress(target, 1)))
        a.walletlock()
        self.assert_rpc_error(-13, HEADS_UP, a.sendtoaddress, target, 1)
        self.assert_rpc_error(-14, "incorrect", a.walletpassphrasechange, "wrong", "new")
        a.walletpassphrasechange("right", "new")
        self.assert_rpc_error(-14, "incorrect", a.walletpassphrase, "right", 9)
        a.walletpassphrase("new", 1)
        self.wait_until(lambda: a.getwalletinfo()["unlocked_until"] == 0)
        self.assert_rpc_error(-13, HEADS_UP, a.getwalletwords)
        born = self.wallet("born", passphrase="p")
        self.assert_rpc_error(-13, HEADS_UP, born.getwalletwords)
        born.walletpassphrase("p", 9)
        self.assertTrue(born.getwalletwords()["words"])


class TestKills(WalletCase):
    KILLS = 12

    def test_nothing_acknowledged_is_lost(self):
        """kill -9 at random instants while addresses are made, coins sent and blocks mined."""
        seed = int(os.environ.get("CC_SEED", "0")) or random.randrange(1 << 32)
        print(f"seed: CC_SEED={seed}")
        dice = random.Random(seed)
        a = self.rich("a", 120)
        known = {"addresses": [], "txids": []}

        def work():
            try:
                while True:
                    known["addresses"].append(a.getnewaddress())
                    known["txids"].append(a.sendtoaddress(known["addresses"][-1], D("0.01")))
                    if dice.random() < 0.3:
                        self.rpc.generatetoaddress(1, a.getnewaddress())
            except (framework.RpcError, OSError, http.client.HTTPException):
                pass  # killed

        for _ in range(self.KILLS):
            worker = threading.Thread(target=work)
            worker.start()
            time.sleep(dice.random() * 0.3)  # the instant of the kill is what is random here
            self.node.kill()
            worker.join()
            self.node.start("-wallet=a")
            for txid in known["txids"]:
                self.assertEqual(a.gettransaction(txid)["txid"], txid)
            for address in known["addresses"]:
                self.assertTrue(a.getaddressinfo(address)["ismine"])
            self.assertNotIn(a.getnewaddress(), known["addresses"])
        self.assertGreater(len(known["txids"]), self.KILLS)
        # What the wallet believes is what the words alone would tell.
        self.rpc.generatetoaddress(30, framework.BURN["regtest"])
        again = self.wallet("again", words=a.getwalletwords()["words"])
        self.assertEqual(again.getbalances()["mine"], a.getbalances()["mine"])


class TestCrowd(WalletCase):
    SECONDS = 8

    def act(self, dice, wallets, locked):
        """One call of somebody, anything but wrong."""
        w, other = dice.choice(wallets), dice.choice(wallets)
        what = dice.randrange(11)
        if what < 4:
            w.sendtoaddress(other.getnewaddress(), D(dice.randrange(1000, 90000000)) / 100000000)
        elif what == 4:
            self.rpc.generatetoaddress(1, other.getnewaddress())
        elif what == 5:
            w.listunspent(0)
        elif what == 6:
            w.listtransactions("*", 50)
        elif what == 7:
            w.getbalances()
        elif what == 8:
            w.rescanblockchain(dice.randrange(100))
        elif what == 9:
            w.getstoragekey()
        elif locked.acquire(blocking=False):  # one fork at a time
            try:
                tip = self.rpc.getbestblockhash()
                self.rpc.invalidateblock(tip)
                self.rpc.generatetoaddress(1, other.getnewaddress())
                self.rpc.reconsiderblock(tip)
            finally:
                locked.release()

    def test_many_callers_and_forks(self):
        """Several callers at once pay, mine, fork and rescan; in the end the wallets know what their words tell."""
        seed = int(os.environ.get("CC_SEED", "0")) or random.randrange(1 << 32)
        print(f"seed: CC_SEED={seed}")
        a = self.rich("a", 120)
        wallets = [a, self.wallet("b"), self.wallet("c")]
        a.sendmany("", {w.getnewaddress(): 20 for w in wallets[1:]})
        self.node.generate(1)
        end, locked = time.monotonic() + self.SECONDS, threading.Lock()
        faults, calls = [], [0] * 6

        def caller(number):
            dice = random.Random(seed + number)
            while time.monotonic() < end:
                calls[number] += 1
                try:
                    self.act(dice, wallets, locked)
                except framework.RpcError as e:
                    # Out of money, two rescans at once, a block overtaken by another: all fair answers.
                    if e.code not in (-6, -4, -32603):
                        faults.append(e)

        threads = [threading.Thread(target=caller, args=(i,)) for i in range(len(calls))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(faults, [])
        self.assertGreater(sum(calls), 30)
        self.node.stop()
        self.node.start("-wallet=a", "-wallet=b", "-wallet=c")
        self.node.generate(130)
        for i, w in enumerate(wallets):
            again = self.wallet(f"again{i}", words=w.getwalletwords()["words"])
            self.assertEqual(again.getbalances()["mine"], w.getbalances()["mine"])


class TestAddresses(WalletCase):
    def test_addresses_and_labels(self):
        a = self.wallet("a")
        address = a.getnewaddress("tabby")
        self.assertTrue(address.startswith("ccrt1p"))
        info = a.getaddressinfo(address)
        self.assertEqual((info["ismine"], info["ischange"], info["labels"], info["hdkeypath"]),
                         (True, False, ["tabby"], "m/86h/1h/0h/0/0"))
        change = a.getaddressinfo(a.getrawchangeaddress())
        self.assertEqual((change["ismine"], change["ischange"], change["labels"], change["hdkeypath"]),
                         (True, True, [], "m/86h/1h/0h/1/0"))
        listed = a.listdescriptors()["descriptors"]
        self.assertEqual([(d["internal"], d["next"]) for d in listed if d["active"]], [(False, 1), (True, 1)])
        self.assertEqual((info["parent_desc"], change["parent_desc"]), (listed[0]["desc"], listed[1]["desc"]))
        self.assertRegex(info["parent_desc"], r"^tr\(\[[0-9a-f]{8}/86h/1h/0h\]tpub\w+/0/\*\)#\w{8}$")
        self.assertRegex(listed[2]["desc"], r"^rawtr\(\[[0-9a-f]{8}/86h/1h/1h\]tpub\w+/0/\*\)#\w{8}$")
        stranger = a.getaddressinfo(framework.BURN["regtest"])
        self.assertEqual((stranger["ismine"], stranger["solvable"]), (False, False))
        self.assert_rpc_error(-5, "", a.getaddressinfo, "ccrt1nonsense")
        self.assert_rpc_error(-11, "Invalid label name", a.getnewaddress, "*")
        self.assert_rpc_error(-5, "Unknown address type 'moon'", a.getnewaddress, "", "moon")
        self.assertEqual(a.getaddressesbylabel("tabby"), {address: {"purpose": "receive"}})
        self.assert_rpc_error(-11, "No addresses with label none", a.getaddressesbylabel, "none")
        for call in (lambda: a.setlabel("nobody", "x"), lambda: a.getreceivedbyaddress("nobody")):
            self.assert_rpc_error(-5, "Invalid CloudCoin address", call)
        self.assert_rpc_error(-5, "Invalid CloudCoin address: nobody", a.listunspent, 0, 9, ["nobody"])
        a.setlabel(address, "tom")
        a.setlabel(framework.BURN["regtest"], "fire")
        self.assertEqual(a.listlabels(), ["fire", "tom"])

    def test_storage_keys(self):
        a = self.rich("a")
        zero, one = a.getstoragekey(), a.getstoragekey()
        self.assertEqual((zero["index"], one["index"]), (0, 1))
        self.assertEqual(a.getstoragekey(0), zero)
        self.assertEqual(a.getstoragekey(5)["index"], 5)
        self.assertEqual(a.getstoragekey()["index"], 6)
        self.assert_rpc_error(-8, "Invalid index", a.getstoragekey, -1)
        self.assert_rpc_error(-8, "handed out in order", a.getstoragekey, 5000)
        # What is paid to the key as it is belongs to the wallet, and it can spend it.
        self.assertEqual(a.getaddressinfo(zero["address"])["scriptPubKey"], "5120" + zero["key"])
        a.sendtoaddress(zero["address"], 4)
        self.node.generate(1)
        coin = next(c for c in a.listunspent() if c["address"] == zero["address"])
        raw = self.rpc.createrawtransaction([{"txid": coin["txid"], "vout": coin["vout"]}], [{a.getnewaddress(): D("3.999")}])
        signed = a.signrawtransactionwithwallet(raw)
        self.assertTrue(signed["complete"])
        self.assertTrue(self.in_mempool(self.rpc.sendrawtransaction(signed["hex"])))


class TestMoney(WalletCase):
    def test_balances_and_history(self):
        a, b = self.rich("a"), self.wallet("b")
        self.assertEqual(a.getbalances()["mine"], {"trusted": 25, "untrusted_pending": 0, "immature": 100 * 25})
        address = b.getnewaddress("in")
        txid = a.sendtoaddress(address, D("1.5"))
        self.assertEqual(b.getbalances()["mine"]["untrusted_pending"], D("1.5"))
        self.assertEqual((b.getbalance(), b.getunconfirmedbalance()), (0, D("1.5")))
        sent, got = a.gettransaction(txid), b.gettransaction(txid)
        self.assertEqual((sent["amount"], got["amount"]), (D("-1.5"), D("1.5")))
        self.assertLess(sent["fee"], 0)
        self.assertNotIn("fee", got)
        self.assertEqual(a.getbalance(), 25 - D("1.5") + sent["fee"])
        self.assertEqual([d["category"] for d in sent["details"]], ["send"])
        entry = a.listtransactions()[-1]
        self.assertEqual((entry["category"], entry["amount"], entry["fee"], entry["confirmations"], entry["txid"]),
                         ("send", D("-1.5"), sent["fee"], 0, txid))
        block = self.node.generate(1)[0]
        entry = b.listtransactions()[-1]
        self.assertEqual((entry["category"], entry["label"], entry["confirmations"], entry["blockhash"], entry["address"]),
                         ("receive", "in", 1, block, address))
        self.assertEqual(b.getreceivedbyaddress(address), D("1.5"))
        self.assertEqual(b.getreceivedbyaddress(address, 2), 0)
        self.assertEqual(b.getreceivedbylabel("in"), D("1.5"))
        self.assert_rpc_error(-4, "Address not found in wallet", b.getreceivedbyaddress, a.getnewaddress())
        kinds = [e["category"] for e in a.listtransactions("mining", 1000)]
        self.assertEqual((kinds.count("generate"), kinds.count("immature")), (2, 99))
        self.assert_rpc_error(-8, "Negative count", a.listtransactions, "*", -1)
        self.assert_rpc_error(-8, "Negative from", a.listtransactions, "*", 1, -1)
        self.assertEqual(len(a.listtransactions("*", 7, 3)), 7)
        self.assertEqual(a.listtransactions("*", 3, 2)[-1], a.listtransactions("*", 5)[-3])
        self.assert_rpc_error(-5, "Invalid or non-wallet transaction id", b.gettransaction, "00" * 32)
        self.assert_rpc_error(-32, "dummy first argument must be excluded", b.getbalance, "x")
        # A block that goes takes its confirmations with it.
        self.rpc.invalidateblock(block)
        self.assertEqual(b.gettransaction(txid)["confirmations"], 0)
        self.node.generate(2, a.getnewaddress())  # not the same block again
        since = b.listsinceblock(block)
        self.assertEqual([t["txid"] for t in since["transactions"]], [txid])
        self.assertEqual(since["lastblock"], self.node.tip())
        self.assertEqual([t["txid"] for t in since["removed"]], [txid])
        self.assertEqual(b.listsinceblock(self.node.tip())["transactions"], [])

    def test_sending(self):
        a, b = self.rich("a"), self.wallet("b")
        x, y = b.getnewaddress(), b.getnewaddress()
        self.assert_rpc_error(-6, "Insufficient funds", a.sendtoaddress, x, 26)
        self.assert_rpc_error(-5, "Invalid CloudCoin address: nobody", a.sendtoaddress, "nobody", 1)
        self.assert_rpc_error(-3, "Invalid amount for send", a.sendtoaddress, x, 0)
        self.assert_rpc_error(-3, "Amount out of range", a.sendtoaddress, x, -1)
        self.assert_rpc_error(-6, "Transaction amount too small", a.sendtoaddress, x, D("0.00000329"))
        self.assert_rpc_error(-6, "is lower than the minimum fee rate setting", a.sendtoaddress, address=x, amount=1, fee_rate=D("0.999"))
        self.assert_rpc_error(-8, "Cannot specify both conf_target and fee_rate", a.sendtoaddress, address=x, amount=1,
                              fee_rate=2, conf_target=6)
        txid = a.sendtoaddress(address=x, amount=1, fee_rate=25)
        size = self.rpc.getmempoolentry(txid)["vsize"]
        self.assertEqual(a.gettransaction(txid)["fee"], -25 * size * D("0.00000001"))
        txid = a.sendtoaddress(x, 2, "", "", True)
        self.assertEqual(b.gettransaction(txid)["amount"], 2 + a.gettransaction(txid)["fee"])
        txid = a.sendmany("", {x: 1, y: D("0.5")})
        self.assertEqual(b.gettransaction(txid)["amount"], D("1.5"))
        txid = a.sendmany("", {x: 1, y: 1}, 0, "", [y])
        got = {d["address"]: d["amount"] for d in b.gettransaction(txid)["details"]}
        self.assertEqual((got[x], got[y]), (1, 1 + a.gettransaction(txid)["fee"]))
        self.assert_rpc_error(-8, 'Dummy value must be set to ""', a.sendmany, "x", {x: 1})
        a.settxfee(D("0.0005"))
        self.assertEqual(a.getwalletinfo()["paytxfee"], D("0.0005"))
        txid = a.sendtoaddress(x, 1)
        self.assertEqual(a.gettransaction(txid)["fee"], -50 * self.rpc.getmempoolentry(txid)["vsize"] * D("0.00000001"))
        self.assert_rpc_error(-8, "txfee cannot be less than min relay tx fee", a.settxfee, D("0.000001"))
        self.node.generate(1)
        self.assertEqual(self.rpc.getrawmempool(), [])

    def test_replaced_and_abandoned(self):
        a = self.rich("a", 102)
        first = a.sendtoaddress(a.getnewaddress(), 30)  # takes both coins
        self.assert_rpc_error(-5, "Transaction not eligible for abandonment", a.abandontransaction, first)
        self.assert_rpc_error(-5, "Invalid or non-wallet transaction id", a.abandontransaction, "00" * 32)
        coin = self.rpc.decoderawtransaction(a.gettransaction(first)["hex"])["vin"][0]
        raw = self.rpc.createrawtransaction([{"txid": coin["txid"], "vout": coin["vout"]}], [{a.getnewaddress(): D("24.99")}])
        second = self.rpc.sendrawtransaction(a.signrawtransactionwithwallet(raw)["hex"])
        self.assertEqual(self.rpc.getrawmempool(), [second])
        # The one that lost holds no coin any more: the other coin is free.
        self.assertTrue(a.gettransaction(first)["details"][0]["abandoned"])
        self.assertEqual(a.getbalance(), D("24.99") + 25)
        self.assertEqual(a.gettransaction(first)["walletconflicts"], [second])
        self.node.generate(1)
        self.assertEqual(a.gettransaction(first)["confirmations"], -1)

    def test_coins(self):
        a = self.rich("a", 103)
        coins = a.listunspent()
        self.assertEqual(len(coins), 3)
        self.assertEqual(len(a.listunspent(102)), 2)
        self.assertEqual(a.listunspent(1, 100), [])
        self.assertEqual(len(a.listunspent(1, 999, [coins[0]["address"]])), 3)
        self.assertEqual(a.listunspent(1, 999, [a.getnewaddress()]), [])
        self.assertEqual(len(a.listunspent(1, 999, [], True, {"maximumCount": 2})), 2)
        self.assertEqual(len(a.listunspent(1, 999, [], True, {"minimumSumAmount": 30})), 2)
        self.assertEqual(len(a.listunspent(1, 999, [], True, {"include_immature_coinbase": True})), 103)
        one = {k: coins[0][k] for k in ("txid", "vout")}
        self.assertTrue(a.lockunspent(False, [one]))
        self.assertEqual(a.listlockunspent(), [one])
        self.assertEqual(len(a.listunspent()), 2)
        self.assert_rpc_error(-8, "Invalid parameter, output already locked", a.lockunspent, False, [one])
        self.assert_rpc_error(-8, "Invalid parameter, unknown transaction", a.lockunspent, False, [{"txid": "00" * 32, "vout": 0}])
        self.assert_rpc_error(-8, "Invalid parameter, vout index out of bounds", a.lockunspent, False, [dict(one, vout=9)])
        self.assert_rpc_error(-6, "Insufficient funds", a.sendtoaddress, a.getnewaddress(), 60)
        self.assertTrue(a.lockunspent(True, [one]))
        self.assert_rpc_error(-8, "Invalid parameter, expected locked output", a.lockunspent, True, [one])
        a.lockunspent(False, [one])
        self.assertTrue(a.lockunspent(True))
        self.assertEqual(a.listlockunspent(), [])

    def test_raw(self):
        a, b = self.rich("a", 103), self.wallet("b")
        target = b.getnewaddress()
        raw = self.rpc.createrawtransaction([], [{target: 30}])
        self.assert_rpc_error(-22, "TX decode failed", a.fundrawtransaction, "zz")
        self.assert_rpc_error(-8, "changePosition out of bounds", a.fundrawtransaction, raw, {"changePosition": 2})
        self.assert_rpc_error(-5, "Change address must be a valid bitcoin address", a.fundrawtransaction, raw, {"changeAddress": "x"})
        self.assert_rpc_error(-3, "Unexpected key foo", a.fundrawtransaction, raw, {"foo": 1})
        self.assert_rpc_error(-4, "Insufficient funds", b.fundrawtransaction, raw)
        change = a.getrawchangeaddress()
        funded = a.fundrawtransaction(raw, {"changePosition": 0, "changeAddress": change, "fee_rate": 10, "lockUnspents": True})
        self.assertEqual(funded["changepos"], 0)
        tx = self.rpc.decoderawtransaction(funded["hex"])
        self.assertEqual(tx["vout"][0]["scriptPubKey"]["address"], change)
        self.assertEqual(tx["vout"][1]["value"], 30)
        self.assertEqual(len(a.listlockunspent()), len(tx["vin"]))
        half = b.signrawtransactionwithwallet(funded["hex"])
        self.assertFalse(half["complete"])
        self.assertEqual(len(half["errors"]), len(tx["vin"]))
        signed = a.signrawtransactionwithwallet(funded["hex"])
        self.assertTrue(signed["complete"])
        txid = self.rpc.sendrawtransaction(signed["hex"])
        self.assertEqual(b.getbalances()["mine"]["untrusted_pending"], 30)
        self.assertEqual(a.gettransaction(txid)["fee"], -funded["fee"])
        self.assertEqual(a.listlockunspent(), [])
        self.assert_rpc_error(-8, "X is not a valid sighash parameter.", a.signrawtransactionwithwallet, raw, [], "X")
        lost = self.rpc.createrawtransaction([{"txid": "11" * 32, "vout": 0}], [{target: 1}])
        answer = a.signrawtransactionwithwallet(lost)
        self.assertEqual((answer["complete"], answer["errors"][0]["error"]), (False, "Input not found or already spent"))
        sub = a.fundrawtransaction(self.rpc.createrawtransaction([], [{target: 1}]), {"subtractFeeFromOutputs": [0]})
        values = [o["value"] for o in self.rpc.decoderawtransaction(sub["hex"])["vout"]]
        self.assertIn(1 - sub["fee"], values)


class TestOptions(WalletCase):
    """What the wallet's options change in what it sends."""

    def restart(self, *args):
        self.node.stop()
        self.node.start(*args)
        if not self.rpc.listwallets():
            self.rpc.loadwallet("a")
        return self.rpc.wallet("a")

    def rate(self, txid):
        """Satoshi for each virtual byte, as they were paid."""
        entry = self.rpc.getmempoolentry(txid)
        return entry["fees"]["base"] * 10**8 / entry["vsize"]

    def signals(self, a, txid):
        return [i["sequence"] for i in self.rpc.decoderawtransaction(a.gettransaction(txid)["hex"])["vin"]]

    def test_feerates(self):
        a = self.rich("a", 105)
        to = a.getnewaddress()
        a = self.restart("-paytxfee=0.0003")
        self.assertEqual(a.getwalletinfo()["paytxfee"], D("0.0003"))
        self.assertEqual(self.rate(a.sendtoaddress(to, 1)), 30)
        a = self.restart("-fallbackfee=0.00005", "-mintxfee=0.0002")
        self.assertEqual(self.rate(a.sendtoaddress(to, 1)), 20)
        a = self.restart("-fallbackfee=0.0004", "-mintxfee=0.0002")
        self.assertEqual(self.rate(a.sendtoaddress(to, 1)), 40)

    def test_discardfee(self):
        """Change that it would cost more than this to spend is left to the miner."""
        a = self.rich("a")
        for option, outputs in ("-discardfee=0.00003", 2), ("-discardfee=0.01", 1):
            a = self.restart("-fallbackfee=0.00001", option)
            coin = a.listunspent()[0]
            raw = self.rpc.createrawtransaction([{"txid": coin["txid"], "vout": coin["vout"]}],
                                                [{a.getnewaddress(): coin["amount"] - D("0.00002")}])
            funded = a.fundrawtransaction(raw)
            self.assertEqual(len(self.rpc.decoderawtransaction(funded["hex"])["vout"]), outputs)
            self.assertEqual(funded["changepos"] >= 0, outputs == 2)

    def test_unconfirmed_change(self):
        a = self.rich("a")
        to = a.getnewaddress()
        a = self.restart("-fallbackfee=0.0001", "-spendzeroconfchange=0")
        a.sendtoaddress(to, 1)
        self.assert_rpc_error(-6, "Insufficient funds", a.sendtoaddress, to, 1)
        a = self.restart("-fallbackfee=0.0001")
        self.assertEqual(len(a.sendtoaddress(to, 1)), 64)

    def test_replaceable(self):
        a = self.rich("a", 103)
        to = a.getnewaddress()
        for option, sequence in ("-walletrbf=0", 0xfffffffe), ("-walletrbf=1", 0xfffffffd):
            a = self.restart("-fallbackfee=0.0001", option)
            self.assertEqual(set(self.signals(a, a.sendtoaddress(to, 1))), {sequence})


class TestIdentities(WalletCase):
    def test_register_update_retire(self):
        a = self.rich("a", 103)
        made = a.registeridentity("h1", ["host", "user"], ["127.0.0.1:9000"])
        self.assertEqual(made["key"], a.getstoragekey(0)["key"])
        self.node.generate(1)
        shown = self.rpc.getidentity(made["key"])
        self.assertEqual((shown["name"], set(shown["roles"]), shown["endpoints"], shown["bond"], shown["sequence"]),
                         ("h1", {"host", "user"}, ["127.0.0.1:9000"], 1, 0))
        self.assert_rpc_error(-8, "registered already", a.registeridentity, "h1")
        self.assert_rpc_error(-8, "Unknown role 'king'", a.registeridentity, "x", ["king"])
        self.assert_rpc_error(-8, "longer than 1024 bytes", a.registeridentity, name="x" * 1100, index=1)
        self.assert_rpc_error(-8, "bond is below", a.registeridentity, name="x", bond=D("0.5"), index=1)
        a.updateidentity(made["key"], {"endpoints": ["127.0.0.1:9001"], "bond": 2})
        self.node.generate(1)
        shown = self.rpc.getidentity(made["key"])
        self.assertEqual((shown["name"], shown["endpoints"], shown["bond"], shown["sequence"]), ("h1", ["127.0.0.1:9001"], 2, 1))
        self.assert_rpc_error(-3, "Unexpected key foo", a.updateidentity, made["key"], {"foo": 1})
        self.assert_rpc_error(-4, "no storage key of the wallet", self.wallet("b").updateidentity, made["key"], {})
        self.assert_rpc_error(-26, "", a.retireidentity, made["key"])
        self.node.generate(20)
        txid = a.retireidentity(made["key"])["txid"]
        self.node.generate(1)
        self.assertEqual(self.rpc.listidentities(), [])
        self.assertTrue(D("1.999") < a.gettransaction(txid)["amount"] < 2)
        self.assert_rpc_error(-5, "No identity is registered", a.retireidentity, made["key"])


class TestBitcoin(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_no_fee_to_fall_back_on(self):
        node = self.start_node("-fallbackfee=0")
        node.rpc.createwallet("a")
        a = node.rpc.wallet("a")
        address = a.getnewaddress()
        self.assertTrue(address.startswith("bcrt1p"))
        node.rpc.generatetoaddress(101, address)
        self.assertEqual(a.getbalance(), 50)
        self.assert_rpc_error(-6, "Fee estimation failed. Fallbackfee is disabled.", a.sendtoaddress, address, 1)
        self.assertTrue(a.sendtoaddress(address=address, amount=1, fee_rate=1))
        self.assert_rpc_error(-5, "Invalid Bitcoin address: nobody", a.sendtoaddress, "nobody", 1)
        for method in ("getstoragekey", "registeridentity"):
            self.assert_rpc_error(-32601, "Method not found", getattr(a, method), "x")


if __name__ == "__main__":
    unittest.main()
