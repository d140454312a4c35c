"""Each option does what it says: the pool's, mining's, the log's, notify commands, settings.json."""
import json
import os
import re
import subprocess
import unittest

import framework
from blocks import OP_TRUE, P2WSH_TRUE, TxOut, coin_of, shown
from peer import Peer
from test_mempool import PoolCase, pay


class TestPoolOptions(PoolCase):
    """The pool starts afresh with other options for each."""

    def restart(self, *args):
        self.node.stop()
        self.node.start(*args)

    def reject(self, tx, fee=0):
        return self.rpc.testmempoolaccept([tx.serialise().hex()], fee)[0].get("reject-reason")

    def chain_of(self, count, size):
        """One after another, each of about size virtual bytes."""
        txs, coin = [], self.c.take()
        for _ in range(count):
            txs.append(self.send(pay(coin, outputs=[coin.value - 100 * size] + [1000] * ((size - 100) // 43))))
            coin = coin_of(txs[-1])
        return txs, coin

    def test_limits_of_families(self):
        self.restart("-limitancestorcount=3", "-limitdescendantcount=20")
        txs, coin = self.chain_of(3, 200)
        self.assertEqual(self.reject(pay(coin, fee=1000)), "too-long-mempool-chain")
        self.node.generate(1)
        self.restart("-limitdescendantcount=3", "-limitancestorcount=20")
        txs, coin = self.chain_of(3, 200)
        self.refuse(pay(coin, outputs=[coin.value - 9000000] + [1000] * 280),
                    f"too-long-mempool-chain, too many descendants for tx {shown(txs[0].txid)} [limit: 3]")
        self.node.generate(1)
        self.restart("-limitancestorsize=5")
        txs, coin = self.chain_of(2, 2000)
        self.refuse(pay(coin, outputs=[coin.value - 900000] + [1000] * 40),
                    "too-long-mempool-chain, exceeds ancestor size limit [limit: 5000]")
        self.send(pay(coin, fee=1000))
        self.node.generate(1)
        self.restart("-limitdescendantsize=5")
        txs, coin = self.chain_of(2, 2000)
        self.refuse(pay(coin, outputs=[coin.value - 9000000] + [1000] * 280),
                    f"too-long-mempool-chain, exceeds descendant size limit for tx {shown(txs[-1].txid)} [limit: 5000]")

    def test_room(self):
        self.node.stop()
        self.assertEqual(self.node.start_fails("-maxmempool=4")[1], "Error: -maxmempool must be at least 5 MB\n")
        self.assertEqual(self.node.start_fails("-maxmempool=8", "-limitdescendantsize=250")[1],
                         "Error: -maxmempool must be at least 10 MB\n")
        self.node.start("-maxmempool=1", "-limitdescendantsize=20")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 1000000)
        self.restart("-blocksonly")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 5000000)
        self.restart("-blocksonly", "-maxmempool=7")
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 7000000)
        self.restart()
        self.assertEqual(self.rpc.getmempoolinfo()["maxmempool"], 300000000)

    def test_bytespersigop(self):
        bare = TxOut(100000, b"\x51" + (b"\x21\x02" + b"\x79" * 32) * 1 + b"\x51\xae")  # 1 of 1: 20 sigops, x 4
        tx = pay(self.c.take(), outputs=[bare, 1000])
        size = self.rpc.decoderawtransaction(tx.serialise().hex())["vsize"]
        for each in (None, 7, 50, 100, 0):
            self.restart(*[f"-bytespersigop={each}"] * (each is not None))
            told = self.rpc.testmempoolaccept([tx.serialise().hex()], 0)[0]["vsize"]
            self.assertEqual(told, max(size, 20 * (20 if each is None else each)))

    def test_maxsigcachesize(self):
        """With any size, and none, what is good is taken and what is bad is not."""
        for size in (0, 1, -1, 1 << 40):
            with self.subTest(size):
                self.restart(f"-maxsigcachesize={size}")
                tx = pay(self.c.take(), fee=1000)
                bad = pay(self.c.take(), fee=1000)
                bad.vin[0].witness = [b"\x52"]
                for _ in range(2):
                    self.assertIsNone(self.reject(tx))
                    self.assertIn("Witness program hash mismatch", self.reject(bad))
                self.send(tx)
                self.node.generate(1)
                self.assertEqual(self.rpc.getmempoolinfo()["size"], 0)

    def test_outputs(self):
        bare = pay(self.c.take(), outputs=[TxOut(100000, b"\x51\x21\x02" + b"\x79" * 32 + b"\x51\xae"), 1000])
        data = pay(self.c.take(), outputs=[TxOut(0, b"\x6a" + bytes(82)), 1000])
        large = pay(self.c.take(), outputs=[TxOut(0, b"\x6a" + bytes(83)), 1000])
        small = pay(self.c.take(), outputs=[300, 1000])
        free = pay(self.c.take(), fee=0)
        odd = pay(self.c.take(), outputs=[TxOut(10000, OP_TRUE), 1000])
        cases = [((), [None, None, "scriptpubkey", "dust", "min relay fee not met", "scriptpubkey"]),
                 (("-permitbaremultisig=0",), ["bare-multisig", None, "scriptpubkey", "dust", "min relay fee not met",
                                               "scriptpubkey"]),
                 (("-datacarrier=0",), [None, "scriptpubkey", "scriptpubkey", "dust", "min relay fee not met",
                                        "scriptpubkey"]),
                 (("-datacarriersize=84",), [None, None, None, "dust", "min relay fee not met", "scriptpubkey"]),
                 (("-dustrelayfee=0.00001",), [None, None, "scriptpubkey", None, "min relay fee not met", "scriptpubkey"]),
                 (("-minrelaytxfee=0",), [None, None, "scriptpubkey", "dust", None, "scriptpubkey"]),
                 (("-acceptnonstdtxn",), [None, None, None, None, "min relay fee not met", None])]
        for args, answers in cases:
            with self.subTest(args):
                self.restart(*args)
                self.assertEqual([self.reject(tx) for tx in (bare, data, large, small, free, odd)], answers)

    def test_checkmempool(self):
        def looks():
            return self.node.log().count("Checking mempool with ")
        self.restart("-debug=mempool")
        before = looks()
        tx = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(looks(), before + 1)
        self.assertIn("[mempool] Checking mempool with 1 transactions and 1 inputs", self.node.log())
        self.node.generate(1)
        self.assertGreater(looks(), before + 1)
        self.restart("-debug=mempool", "-checkmempool=0")
        before = looks()
        self.send(pay(coin_of(tx), fee=1000))
        self.assertEqual(looks(), before)

    def test_mempool_dat(self):
        path = os.path.join(self.node.chain_dir, "mempool.dat")
        tx = self.send(pay(self.c.take(), fee=1000))

        def version():
            with open(path, "rb") as f:
                return f.read(8)[0]
        for args, number in ((("-persistmempoolv1",), 2), (("-persistmempoolv1=0",), 1), ((), 2), ((), 2)):
            self.restart(*args)
            self.assertEqual(version(), number)
            framework.wait_until(lambda: self.pool() == {shown(tx.txid)}, what="the pool is loaded")
        self.restart("-persistmempool=0")
        self.assertEqual(self.pool(), set())

    def test_blocks(self):
        tx = self.send(pay(self.c.take(), fee=1000))
        rate = 1000 * 1000 // self.rpc.getmempoolentry(shown(tx.txid))["vsize"]
        self.node.generate(1)
        self.assertNotIn("fee rate", self.node.log())
        self.restart("-printpriority", "-blockversion=536870912")
        tx = self.send(pay(self.c.take(), fee=1000))
        self.node.generate(1)
        self.assertIn(f"fee rate 0.{rate:08} BTC/kvB txid {shown(tx.txid)}", self.node.log())
        self.assertEqual(self.rpc.getblockheader(self.node.tip())["version"], 536870912)
        self.restart("-blockmintxfee=0.0002")
        low = self.send(pay(self.c.take(), fee=1000))
        high = self.send(pay(self.c.take(), fee=3000))
        self.node.generate(1)
        self.assertEqual(self.pool(), {shown(low.txid)})
        self.restart("-blockmaxweight=4000")
        self.assertEqual(len(self.rpc.getblocktemplate({"rules": ["segwit"]})["transactions"]), 0)
        self.restart()
        self.assertEqual(len(self.rpc.getblocktemplate({"rules": ["segwit"]})["transactions"]), 1)
        self.assertEqual(self.rpc.getrawtransaction(shown(high.txid), 1, self.node.tip())["confirmations"], 1)

    def test_extra_transactions(self):
        """What was replaced still helps to put a block of who did not replace it together."""
        self.node.generate(1)  # of now: a node that is behind takes no transactions
        for option, asked in ((), False), (("-blockreconstructionextratxn=0",), True):
            with self.subTest(option):
                other = self.start_node("-mempoolfullrbf", f"-connect=127.0.0.1:{self.node.port}", *option)
                framework.sync([self.node, other])
                coin = self.c.take()
                first, better = pay(coin, fee=1000), pay(coin, fee=9000)
                self.send(first)
                framework.wait_until(lambda: other.rpc.getrawmempool() == [shown(first.txid)], what="the first is relayed")
                other.rpc.sendrawtransaction(better.serialise().hex())
                self.node.generate(1)
                framework.sync([self.node, other])
                got = other.rpc.getpeerinfo()[0]["bytesrecv_per_msg"]
                self.assertIn("cmpctblock", got)
                self.assertEqual("blocktxn" in got, asked)
                other.stop()

    def test_replacement(self):
        coin, other = self.c.take(), self.c.take()
        first, signals = self.send(pay(coin, fee=1000)), self.send(pay(other, fee=1000, sequence=0))
        self.assertEqual(self.reject(pay(coin, fee=9000)), "txn-mempool-conflict")
        self.assertIsNone(self.reject(pay(other, fee=1100)))  # 96 more are asked for
        self.assertIs(self.rpc.getmempoolinfo()["fullrbf"], False)
        self.restart("-mempoolfullrbf")
        self.assertIs(self.rpc.getmempoolinfo()["fullrbf"], True)
        self.assertIsNone(self.reject(pay(coin, fee=9000)))
        self.assertEqual(self.pool(), {shown(first.txid), shown(signals.txid)})
        self.restart("-incrementalrelayfee=0.00002")
        info = self.rpc.getmempoolinfo()
        self.assertEqual([str(info[n]) for n in ("incrementalrelayfee", "minrelaytxfee")], ["0.00002000"] * 2)
        self.assertEqual(self.reject(pay(other, fee=1191)), "insufficient fee")
        self.assertIsNone(self.reject(pay(other, fee=1192)))

    def test_expiry(self):
        now = int(self.rpc.getblockheader(self.node.tip())["time"])
        self.restart("-mempoolexpiry=2", f"-mocktime={now}", "-debug=mempool")
        self.send(pay(self.c.take(), fee=1000))
        self.rpc.setmocktime(now + 7100)
        young = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(len(self.pool()), 2)
        self.rpc.setmocktime(now + 7300)
        late = self.send(pay(self.c.take(), fee=1000))
        self.assertEqual(self.pool(), {shown(young.txid), shown(late.txid)})
        self.assertEqual(self.node.log().count("Expired 1 transactions from the memory pool\n"), 1)
        self.assertEqual(self.node.log().count("from the memory pool\n"), 1)


class TestProcess(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_background(self):
        for option in ("-daemon", "-daemonwait"):
            node = self.add_node()
            r = subprocess.run(node.command(option), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=framework.TIMEOUT_S)
            self.assertEqual((r.returncode, r.stdout, r.stderr), (0, b"Bitcoin Core starting\n", b""))
            if option == "-daemon":
                self.wait_until(lambda: node.rpc.getblockcount() == 0, what="RPC answers")
            self.assertEqual(node.rpc.getblockcount(), 0)
            with open(os.path.join(node.chain_dir, "bitcoind.pid")) as f:
                pid = int(f.read())
            self.assertEqual(os.getsid(pid), pid)
            node.rpc.stop()
            self.wait_until(lambda: not os.path.exists(f"/proc/{pid}") or self.is_zombie(pid), what="it ends")

    def is_zombie(self, pid):
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"

    def test_pid(self):
        for name in ("my.pid", os.path.join(self.folder, "own.pid")):
            node = self.start_node("-pid=" + name)
            path = os.path.join(node.chain_dir, name)
            with open(path) as f:
                self.assertEqual(int(f.read()), node.process.pid)
            self.assertFalse(os.path.exists(os.path.join(node.chain_dir, "bitcoind.pid")))
            node.stop()
            self.assertFalse(os.path.exists(path))
        node = self.start_node("-nopid")
        self.assertEqual([f for f in os.listdir(node.chain_dir) if f.endswith(".pid")], [])
        node.stop()
        self.assertEqual(node.start_fails("-pid=missing/my.pid")[0], 1)

    def test_threads(self):
        for option, threads in (("-par=1", 0), ("-par=3", 2), ("-par=100", 15)):
            node = self.start_node(option)
            self.assertIn(f"Script verification uses {threads} additional threads", node.log())
            node.stop()

    def test_steps_are_told(self):
        log = self.start_node().log()
        steps = ["Loading block index\u2026", "Starting network threads\u2026", "Done loading"]
        places = [log.index("init message: " + step) for step in steps]
        self.assertEqual(places, sorted(places))


class TestLogOptions(framework.TestCase):
    chain = "bitcoin-regtest"

    def restart(self, *args):
        """What the log tells of one start."""
        node = self.nodes[0]
        node.stop()
        before = len(node.log())
        node.start(*args)
        return node.log()[before:]

    def test_categories(self):
        node = self.start_node()
        self.assertNotIn("[rpc]", self.restart())
        self.assertIn("[rpc]", self.restart("-debug=rpc"))
        self.assertIn("[rpc]", self.restart("-debug"))
        self.assertNotIn("[rpc]", self.restart("-debug", "-debugexclude=rpc"))
        self.assertTrue(node.rpc.logging()["net"])
        for none in ("-debug=0", "-debug=none", "-nodebug"):
            self.restart("-debug=rpc", none)
            self.assertFalse(any(node.rpc.logging().values()), none)
        node.stop()
        for option in ("debug", "debugexclude"):
            self.assertEqual(node.start_fails(f"-{option}=abc"),
                             (1, f"Error: Unsupported logging category -{option}=abc.\n"))

    def test_levels(self):
        node = self.start_node()
        for args, told in ((("-loglevel=info",), False), (("-loglevel=debug",), True), (("-loglevel=rpc:info",), False),
                           (("-loglevel=net:info",), True), (("-loglevel=info", "-loglevel=rpc:trace"), True),
                           (("-loglevel=rpc:info", "-loglevel=rpc:debug"), True)):
            self.assertEqual("[rpc]" in self.restart("-debug=rpc", *args), told, args)
        node.stop()
        self.assertEqual(node.start_fails("-loglevel=loud")[1], "Error: Unsupported global logging level -loglevel=loud. "
                                                                "Valid values: info, debug, trace.\n")
        for level in ("net:loud", "abc:debug"):
            self.assertIn(f"Unsupported category-specific logging level -loglevel={level}. Expected -loglevel=<category>:"
                          "<loglevel>. Valid categories: ", node.start_fails(f"-loglevel={level}")[1])

    def test_heads_of_lines(self):
        self.start_node()
        stamp = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
        for args, shape in (((), stamp + "Z "), (("-logtimemicros",), stamp + r"\.\d{6}Z "), (("-logtimestamps=0",), "^(?=B)"),
                            (("-logthreadnames",), stamp + r"Z \[[a-z-]+"),
                            (("-logsourcelocations",), stamp + r"Z \[[^]]*node\.c:\d+\]")):
            self.assertTrue(re.search(shape + ".*Bitcoin Core version", self.restart(*args), re.M), args)

    def test_addresses(self):
        """Who connects is told by number alone, but for -logips."""
        node = self.start_node("-debug=net")
        for options in (), ("-logips",):
            with self.subTest(options):
                with Peer(node) as p:
                    p.sync()
                    port = p.sock.getsockname()[1]
                lines = [line for line in node.log().splitlines() if "peer connected: version" in line or
                         "receive version message" in line or "send version message" in line]
                self.assertEqual(len(lines), 3)
                for line in lines:
                    end = f", peeraddr=127.0.0.1:{port}" if options and "send" not in line else ""
                    self.assertRegex(line, f"peer=0{end}$")
                    self.assertEqual("them=" in line, bool(options) and "send" in line)
                node.stop()
                os.remove(os.path.join(node.chain_dir, "debug.log"))
                node.start("-debug=net", "-logips")

    def test_file(self):
        node = self.start_node("-debuglogfile=foo.log")
        path = os.path.join(node.chain_dir, "foo.log")
        self.assertTrue(os.path.exists(path))
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, "debug.log")))
        node.stop()
        for bad in ("foo/foo.log", os.path.join(self.folder, "foo", "foo.log")):
            status, err = node.start_fails("-debuglogfile=" + bad)
            self.assertEqual(status, 1)
            self.assertRegex(err, r"\AError: Could not open debug log file \S+$")
        os.mkdir(os.path.join(self.folder, "foo"))
        node.start("-debuglogfile=" + os.path.join(self.folder, "foo", "foo.log"))
        node.stop()
        self.assertGreater(os.path.getsize(os.path.join(self.folder, "foo", "foo.log")), 100)
        os.remove(path)
        node.args = []
        node.start("-nodebuglogfile")
        node.stop()
        self.assertEqual([f for f in os.listdir(node.chain_dir) if f.endswith(".log")], [])

    def test_shrinking(self):
        node = self.start_node()
        path = os.path.join(node.chain_dir, "debug.log")
        for args, size, shrunk in (((), 12000000, True), ((), 10900000, False), (("-debug=net",), 12000000, False),
                                   (("-debug=net", "-shrinkdebugfile"), 12000000, True),
                                   (("-shrinkdebugfile=0",), 12000000, False)):
            node.stop()
            with open(path, "wb") as f:
                f.write(b"old line\n" * (size // 9) + b"the last\n")
            node.start(*args)
            self.assertEqual(os.path.getsize(path) < 10500000, shrunk, args)
            self.assertIn("old line\nthe last\n", node.log())


class TestSettings(framework.TestCase):
    chain = "bitcoin-regtest"
    WARNING = {"_warning_": "This file is automatically generated and updated by Bitcoin Core. Please do not edit this file "
                            "while the node is running, as any changes might be ignored or overwritten."}

    def setUp(self):
        super().setUp()
        self.node = self.start_node()
        self.path = os.path.join(self.node.chain_dir, "settings.json")
        self.assertEqual(self.read(), self.WARNING)
        self.node.stop()

    def read(self):
        with open(self.path) as f:
            return json.load(f)

    def write(self, value):
        with open(self.path, "w") as f:
            f.write(value if isinstance(value, str) else json.dumps(value))

    def restart(self, *args):
        before = len(self.node.log())
        self.node.start(*args)
        self.node.stop()
        return self.node.log()[before:]

    def test_values(self):
        odd = {"string": "string", "num": 5, "bool": True, "null": None, "list": [6, 7]}
        self.write(odd)
        log = self.restart()
        for name in odd:
            self.assertIn("Ignoring unknown rw_settings value " + name, log)
        for line in ('string = "string"', "num = 5", "bool = true", "null = null", "list = [6,7]"):
            self.assertIn("Setting file arg: " + line, log)
        self.assertEqual(self.read(), {**self.WARNING, **odd})

    def test_options(self):
        """Weaker than the command line, stronger than the file."""
        with open(os.path.join(self.node.datadir, "bitcoin.conf"), "w") as f:
            f.write("[regtest]\nmaxmempool=11\nuacomment=file\n")
        for saved, args, megabytes in (({"maxmempool": 12}, (), 12), ({"maxmempool": "13"}, (), 13),
                                       ({"maxmempool": 12}, ("-maxmempool=14",), 14), ({}, (), 11),
                                       ({"maxmempool": [15, 16]}, (), 16)):
            self.write(saved)
            self.node.start(*args)
            self.assertEqual(self.node.rpc.getmempoolinfo()["maxmempool"], megabytes * 1000000)
            self.node.stop()
        self.write({"uacomment": ["a", "b"], "server": True, "persistmempool": False})
        self.node.start("-uacomment=first")
        self.assertIn("(first; a; b; file)", self.node.rpc.getnetworkinfo()["subversion"])
        self.node.stop()
        self.write({"maxmempool": 1})
        self.assertEqual(self.node.start_fails(), (1, "Error: -maxmempool must be at least 5 MB\n"))

    def test_bad_files(self):
        for text, words in (("invalid json", "does not contain valid JSON. This is probably caused by disk corruption or a "
                                             "crash, and can be fixed by removing the file, which will reset settings to "
                                             "default values."),
                            ('"string"', f'Found non-object value "string" in settings file {self.path}'),
                            ('{"key": 1, "key": 2}', f"Found duplicate key key in settings file {self.path}")):
            self.write(text)
            status, err = self.node.start_fails()
            self.assertEqual(status, 1)
            self.assertTrue(err.startswith("Error: Settings file could not be read:\n- "), err)
            self.assertIn(words, err)
            with open(self.path) as f:
                self.assertEqual(f.read(), text)
        self.assertIn("Command-line arg: settings=false", self.restart("-nosettings"))
        self.node.start("-nosettings")
        self.assertIn("Wallet load on startup setting value could not be updated",
                      self.node.rpc.createwallet(wallet_name="w", load_on_startup=True)["warnings"][0])
        self.node.stop()
        with open(os.path.join(self.node.datadir, "bitcoin.conf"), "w") as f:
            f.write("[regtest]\nnosettings=1\n")
        self.assertIn("Config file arg: [regtest] settings=false", self.restart())

    def test_another_file(self):
        other = os.path.join(self.folder, "other.json")
        with open(other, "w") as f:
            f.write('{"key": "value"}')
        self.assertIn('Setting file arg: key = "value"', self.restart("-settings=" + other))
        self.assertEqual(self.read(), self.WARNING)
        self.restart("-settings=more.json")
        self.assertTrue(os.path.exists(os.path.join(self.node.chain_dir, "more.json")))


class TestFiles(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_ignored_configuration(self):
        node = self.add_node()
        given = os.path.join(self.folder, "given.conf")
        for path, text in ((given, ""), (os.path.join(node.datadir, "bitcoin.conf"), "")):
            with open(path, "w") as f:
                f.write(text)
        told = (f'Data directory "{node.datadir}" contains a "bitcoin.conf" file which is ignored, because a different '
                f'configuration file "{given}" from command line argument "-conf={given}" is being used instead. Possible '
                'ways to address this would be to:\n- Delete or rename the "bitcoin.conf" file in data directory '
                f'"{node.datadir}".\n- Change datadir= or conf= options to specify one configuration file, not two, and use '
                'includeconf= to include any other configuration files.')
        self.assertEqual(node.start_fails("-conf=" + given), (1, "Error: " + told + "\n- Set allowignoredconf=1 option to "
                         "treat this condition as a warning, not an error.\n"))
        node.start("-conf=" + given, "-allowignoredconf")
        self.assertIn('contains a "bitcoin.conf" file which is ignored', node.log())
        node.stop()
        node.start("-noconf")
        self.assertIn(f'Data directory "{node.datadir}" contains a "bitcoin.conf" file which is explicitly ignored using '
                      "-noconf.", node.log())
        node.stop()
        node.start("-conf=bitcoin.conf")

    def test_block_of_the_future(self):
        node = self.start_node()
        node.rpc.setmocktime(1600000000)
        node.generate(1)
        node.stop()
        self.assertEqual(node.start_fails("-mocktime=1599992799"), (1, (
            ": The block database contains a block which appears to be from the future. This may be due to your "
            "computer's date and time being set incorrectly. Only rebuild the block database if you are sure that "
            "your computer's date and time are correct.\n"
            "Please restart with -reindex or -reindex-chainstate to recover.\n")))
        node.start("-mocktime=1599992800")
        self.assertEqual(node.height(), 1)

    def test_maxtipage(self):
        node = self.start_node()
        node.rpc.setmocktime(1400000000)
        node.generate(1)
        node.stop()
        for args, ibd in ((("-mocktime=1400080000",), False), (("-mocktime=1400090000",), True),
                          (("-mocktime=1400090000", "-maxtipage=100000"), False),
                          (("-mocktime=1400080000", "-maxtipage=1000"), True)):
            node.start(*args)
            self.assertEqual(node.rpc.getblockchaininfo()["initialblockdownload"], ibd, args)
            node.stop()


class TestWords(framework.TestCase):
    def test_option_without_value(self):
        self.assertEqual(self.add_node().start_fails("-proxy"), (1, (
            "Error: Error parsing command line arguments: Can not set -proxy with no value. Please specify value with "
            "-proxy=value.\n")))


class TestStoredBlocks(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_blocks_checked_at_start(self):
        node = self.start_node()
        node.generate(10)
        node.stop()
        path = os.path.join(node.chain_dir, "blocks", "rev00000.dat")
        with open(path, "r+b") as f:
            f.seek(8)  # what undoes block 1
            first = f.read(1)
            f.seek(8)
            f.write(bytes([first[0] ^ 1]))
        node.start()
        node.stop()
        node.start("-checkblocks=9")
        node.stop()
        node.start("-checkblocks=0", "-checklevel=1")
        self.assertIn("Verifying last 10 blocks at level 1", node.log())
        self.assertTrue(node.rpc.verifychain(1, 0))
        self.assertFalse(node.rpc.verifychain(2, 0))
        self.assertTrue(node.rpc.verifychain(4, 9))
        node.stop()
        for options in ("-checkblocks=10",), ("-checkblocks=0",), ("-checkblocks=0", "-checklevel=2"):
            self.assertIn(": Corrupted block database detected.\n", node.start_fails(*options)[1])
        node.start("-reindex-chainstate")
        self.assertEqual(node.height(), 10)


class TestActivation(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_blocks_of_before_segwit(self):
        """Judged without the rules of witnesses, they are not to be trusted once those hold from earlier on."""
        node = self.start_node("-testactivationheight=segwit@10")
        node.generate(8)
        self.assertFalse(node.rpc.getdeploymentinfo()["deployments"]["segwit"]["active"])
        node.stop()
        node.args = []
        self.assertEqual(node.start_fails("-testactivationheight=segwit@5"), (1, (
            ": Witness data for blocks after height 5 requires validation. Please restart with -reindex..\n"
            "Please restart with -reindex or -reindex-chainstate to recover.\n")))
        node.start("-testactivationheight=segwit@9")
        self.assertEqual(node.height(), 8)
        node.generate(2)  # of blocks with witnesses
        node.stop()
        node.start("-testactivationheight=segwit@11")
        self.assertTrue(node.rpc.verifychain(4, 0))
        node.stop()
        node.start("-reindex", "-testactivationheight=segwit@5")
        self.assertEqual(node.height(), 4)  # the others commit to witnesses but have no value for it
        self.assertTrue(node.rpc.getdeploymentinfo()["deployments"]["segwit"]["active"])
        node.stop()
        node.start("-testactivationheight=segwit@5")
        node.generate(2)


class TestNotify(framework.TestCase):
    """Commands that are run when something happens."""
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.told = os.path.join(self.folder, "told")

    def lines(self):
        try:
            with open(self.told) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def test_blocks(self):
        node = self.start_node(f"-blocknotify=echo %s >> {self.told}")
        node.rpc.setmocktime(2000000000)  # the first block's time is its median plus one: downloading still
        blocks = node.generate(1)
        self.wait_until(lambda: self.lines() == blocks)
        for _ in range(3):
            blocks += node.generate(1)
            self.wait_until(lambda: self.lines() == blocks)

    def test_start_and_end(self):
        node = self.start_node(f"-startupnotify=echo up %s %w >> {self.told}", f"-shutdownnotify=echo down >> {self.told}",
                               f"-shutdownnotify=echo out >> {self.told}")
        self.wait_until(lambda: self.lines() == ["up %s %w"])  # nothing stands for anything here
        node.stop()
        self.assertEqual(self.lines(), ["up %s %w", "down", "out"])
        node.start_fails("-wallet=" + "x" * 3000, "-blocksdir=/nowhere")
        self.assertEqual(self.lines(), ["up %s %w", "down", "out"])

    def warnings(self, node):
        return {node.rpc.getmininginfo()["warnings"], node.rpc.getnetworkinfo()["warnings"],
                node.rpc.getblockchaininfo()["warnings"]}

    def test_votes_that_nobody_knows(self):
        miner = self.start_node("-blockversion=%d" % (0x20000000 | 1 << 27))
        node = self.add_node(f"-alertnotify=echo %s >> {self.told}").start()
        node.connect(miner)
        node.generate(144)
        framework.sync([node, miner])
        miner.generate(107)  # one too few
        framework.sync([node, miner])
        node.generate(144 - 107)
        framework.sync([node, miner])
        miner.generate(108)
        framework.sync([node, miner])
        node.generate(36 + 142)
        self.assertEqual(self.warnings(node), {""})
        self.assertEqual(self.lines(), [])
        node.generate(1)
        self.assertEqual(self.warnings(node), {"Unknown new rules activated (versionbit 27)"})
        self.wait_until(lambda: self.lines() == ["Unknown new rules activated (versionbit 27)"])
        node.generate(2)
        node.stop()
        node.start()
        node.generate(1)
        self.assertEqual(self.warnings(node), {"Unknown new rules activated (versionbit 27)"})
        self.wait_until(lambda: len(self.lines()) == 2)

    def test_vbparams(self):
        node = self.start_node("-vbparams=testdummy:100:1999999999999:432")
        self.assertEqual(node.rpc.getdeploymentinfo()["deployments"]["testdummy"]["bip9"]["timeout"], 1999999999999)
        node.generate(287)
        info = node.rpc.getdeploymentinfo()["deployments"]["testdummy"]
        self.assertEqual((info["bip9"]["status_next"], info["bip9"]["min_activation_height"], info["bip9"]["start_time"]),
                         ("locked_in", 432, 100))
        node.generate(143)
        self.assertFalse(node.rpc.getdeploymentinfo()["deployments"]["testdummy"]["active"])
        node.generate(1)
        info = node.rpc.getdeploymentinfo()["deployments"]["testdummy"]
        self.assertEqual((info["active"], info["height"]), (True, 432))
        node.stop()
        node.args = []
        for spec, words in (("testdummy:0", "Version bits parameters malformed, expecting deployment:start:end"
                                            "[:min_activation_height]"),
                            ("testdummy:a:1", "Invalid nStartTime (a)"), ("testdummy:1:b", "Invalid nTimeout (b)"),
                            ("testdummy:1:2:-1", "Invalid min_activation_height (-1)"), ("moon:1:2", "Invalid deployment (moon)")):
            self.assertEqual(node.start_fails("-vbparams=" + spec), (1, f"Error: {words}\n"))


del PoolCase  # its tests run where it is defined

if __name__ == "__main__":
    unittest.main()
