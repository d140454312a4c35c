"""Starting and ending the daemon: options, folders, locks, signals, power cuts."""
import ctypes
import os
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

import framework


def obey_modes():
    """In a child of root: what it runs may not write everywhere (prctl PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(24, 1, 0, 0, 0):
        raise OSError("root stays root")


class TestStart(framework.TestCase):
    def fails(self, text, *args, node=None, before_it=None):
        node = node or self.add_node()
        status, err = node.start_fails(*args, before_it=before_it)
        self.assertEqual((status, err), (1, f"Error: {text}\n"))

    def test_wrong_options(self):
        self.fails("Error parsing command line arguments: Invalid parameter -nothing", "-nothing")
        self.fails("Command line contains unexpected token 'word', see cloudcoind -h for a list of options.", "word")
        self.fails("Unsupported logging category -debug=nothing.", "-debug=nothing")
        self.fails("Invalid combination of -regtest, -signet, -testnet and -chain. Can use at most one.", "-testnet")
        self.fails("-maxmempool must be at least 5 MB", "-maxmempool=4")
        self.fails("Invalid port specified in -rpcport: '70000'", "-rpcport=70000")
        self.fails("Invalid port specified in -port: 'x'", "-port=x")
        self.fails("Cannot set -bind or -whitebind together with -listen=0", "-listen=0")
        self.fails("User Agent comment (a/b) contains unsafe characters.", "-uacomment=a/b")
        self.fails("Invalid amount for -minrelaytxfee=<amount>: 'x'", "-minrelaytxfee=x")
        self.fails("peertimeout must be a positive integer.", "-peertimeout=0")
        self.fails("Invalid name (x@1) for -testactivationheight=name@height.", "-testactivationheight=x@1")
        self.fails("Total length of network version string (290) exceeds maximum length (256). Reduce the number or size "
                   "of uacomments.", "-uacomment=" + "a" * 271)
        # Nothing was started: no folder, no log.
        self.assertEqual([os.listdir(node.datadir) for node in self.nodes], [[]] * len(self.nodes))

    def test_address_types(self):
        """Wallets know one; a node without them takes any, as bitcoind without them does."""
        self.fails("Unknown address type 'legacy'", "-addresstype=legacy")
        self.fails("Unknown change type 'bech32'", "-changetype=bech32", "-addresstype=bech32m")
        node = self.start_node("-disablewallet", "-addresstype=legacy", "-changetype=bech32")
        self.assertEqual(node.height(), 0)

    def test_what_is_not_there(self):
        self.fails("-upnp is not supported: this daemon does not have that.", "-upnp")

    def test_options_of_bitcoinds_tests(self):
        """As Bitcoin Core's own framework starts a node."""
        node = self.add_node("-logtimemicros", "-debug", "-debugexclude=libevent", "-debugexclude=leveldb",
                             "-debugexclude=rand", "-uacomment=testnode0", "-logthreadnames", "-logsourcelocations",
                             "-loglevel=trace", "-v2transport=0", "-disablewallet", chain="bitcoin-regtest")
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write("regtest=1\n[regtest]\nport=1\nrpcport=2\nrpcservertimeout=99000\nrpcdoccheck=1\nfallbackfee=0.0002\n"
                    "server=1\nkeypool=1\ndiscover=0\ndnsseed=0\nfixedseeds=0\nlistenonion=0\npeertimeout=999999999\n"
                    "printtoconsole=0\nupnp=0\nnatpmp=0\nshrinkdebugfile=0\ndeprecatedrpc=create_bdb\n"
                    "unsafesqlitesync=1\nmaxconnections=94\n")
        node.start()
        self.assertIs(node.rpc.getmempoolinfo()["loaded"], True)
        self.assertEqual(len(node.generate(1)), 1)
        self.assert_rpc_error(-32601, "Method not found", node.rpc.getwalletinfo)

    def test_unknown_chain(self):
        r = subprocess.run([framework.program("cloudcoind"), "-datadir=" + self.folder, "-chain=moon"],
                           stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.assertEqual((r.returncode, r.stderr), (1, b"Error: Unknown chain moon.\n"))
        r = subprocess.run([framework.program("cloudcoind"), "-datadir=" + self.folder, "-bitcoin"],
                           stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.assertEqual((r.returncode, r.stderr),
                         (1, b"Error: -bitcoin is there for regtest alone: say -bitcoin -regtest\n"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_folders(self):
        node = self.add_node()
        missing = os.path.join(self.folder, "missing")
        self.fails(f'Specified data directory "{missing}" does not exist.', "-datadir=" + missing, node=node)
        self.assertFalse(os.path.exists(missing))
        with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
            f.write("datadir=" + missing + "\n")
        self.assertEqual(self.add_node().start_fails("-conf=" + missing), (1, (
            f'Error: Error reading configuration file: specified config file "{missing}" could not be opened.\n')))

    def test_unwritable(self):
        node = self.add_node()
        os.makedirs(node.chain_dir)
        os.chmod(node.chain_dir, 0o500)
        self.fails(f"Cannot write to data directory '{node.chain_dir}'; check permissions.", node=node,
                   before_it=obey_modes)
        self.assertEqual(os.listdir(node.chain_dir), [])

    def test_folder_is_a_file(self):
        node = self.add_node()
        with open(node.chain_dir, "w"):
            pass
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        self.assertIn(node.chain_dir, err)

    def test_second_daemon(self):
        node = self.start_node()
        cookie = node._cookie()
        status, err = node.start_fails(f"-rpcport={framework.free_port()}", f"-port={framework.free_port()}")
        self.assertEqual((status, err), (1, f"Error: Cannot obtain a lock on data directory {node.chain_dir}. CloudCoin is "
                                            "probably already running.\n"))
        self.assertEqual(node._cookie(), cookie)  # the first one is unharmed
        self.assertEqual(node.height(), 0)

    def test_ports_in_use(self):
        node = self.start_node()
        other = self.add_node()
        status, err = other.start_fails(f"-rpcport={node.rpc_port}")
        self.assertEqual(status, 1)
        self.assertEqual(err, "Error: Unable to start HTTP server. See debug log for details.\n")
        self.assertIn(f"Binding RPC on address 127.0.0.1 port {node.rpc_port} failed", other.log())
        self.assertFalse(os.path.exists(os.path.join(other.chain_dir, ".cookie")))
        self.assertFalse(os.path.exists(os.path.join(other.chain_dir, "cloudcoind.pid")))
        status, err = other.start_fails(f"-bind=127.0.0.1:{node.port}", f"-port={node.port}")
        self.assertEqual(status, 1)
        self.assertIn(f"Unable to bind to 127.0.0.1:{node.port}", err)
        other.start()  # what failed left nothing in the way

    def test_database_that_cannot_open(self):
        node = self.start_node()
        node.generate(3)
        node.stop()
        path = os.path.join(node.chain_dir, "chainstate", "CURRENT")
        with open(path, "w") as f:
            f.write("nonsense")
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        self.assertEqual(err, "Error: Error opening block database.\nPlease restart with -reindex or -reindex-chainstate to "
                              "recover.\n")
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, ".cookie")))

    def test_version_and_help(self):
        for option in ("-version", "--version"):
            r = subprocess.run([framework.program("cloudcoind"), option], stdout=subprocess.PIPE, check=True)
            self.assertRegex(r.stdout.decode(), r"\ACloudCoin daemon version v\d+\.\d+\.\d+\n")
        for option in ("-help", "-h", "-?", "-help-debug"):
            r = subprocess.run([framework.program("cloudcoind"), option], stdout=subprocess.PIPE)
            self.assertEqual(r.returncode, 0)
            self.assertIn("-datadir=<dir>", r.stdout.decode())
            self.assertEqual("-stopatheight" in r.stdout.decode(), option == "-help-debug")


class TestFiles(framework.TestCase):
    def test_configuration(self):
        node = self.add_node()
        with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
            f.write("debug=net\nmoonshine=1\n[regtest]\ndebug=rpc\nuacomment=hello\n[moon]\nserver=0\n")
        node.stderr_expected = True
        node.start()
        on = [name for name, is_on in node.rpc.logging().items() if is_on]
        self.assertEqual(sorted(on), ["net", "rpc"])
        self.assertIn("(hello)", node.rpc.getnetworkinfo()["subversion"])
        self.assertIn("cloudcoin.conf:6 Section [moon] is not recognized.", node.log())
        self.assertEqual(node.stderr(), f"Warning: {node.datadir}/cloudcoin.conf:6 Section [moon] is not recognized.\n")
        self.assertIn("Warning: Ignoring unknown configuration value moonshine", node.log())

    def test_bitcoin_is_for_the_command_line(self):
        """It chooses the file, so the file cannot choose it: that is said, not passed over."""
        node = self.add_node()
        with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
            f.write("bitcoin=1\n")
        node.start()
        self.assertIn("Warning: Ignoring unknown configuration value bitcoin\n", node.log())
        self.assertIn("CloudCoin version", node.log())

    def test_pid(self):
        node = self.start_node()
        path = os.path.join(node.chain_dir, "cloudcoind.pid")
        with open(path) as f:
            self.assertEqual(int(f.read()), node.process.pid)
        node.stop()
        self.assertFalse(os.path.exists(path))

    def test_secrets_are_private(self):
        node = self.start_node()
        node.rpc.createwallet("w")
        node.generate(2)
        seen = []
        for folder, _, files in os.walk(node.chain_dir):
            for path in [folder, *(os.path.join(folder, f) for f in files)]:
                seen.append(os.path.basename(path))
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, path)
        for name in (".cookie", ".lock", "cloudcoind.pid", "debug.log", "wallet.dat", "blk00000.dat"):
            self.assertIn(name, seen)

    def test_bitcoin_shows_no_storage(self):
        node = self.start_node(chain="bitcoin-regtest")
        self.assertEqual(node.rpc.getblockhash(0), "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
        methods = [line.split()[0] for line in node.rpc.help().splitlines() if line and not line.startswith("==")]
        self.assertGreater(len(methods), 100)
        told = "\n".join([node.rpc.help(), *map(node.rpc.help, methods)]).replace("blockstorage", "")
        for word in ("torage", "identit", "contract", "seal", "CLC"):
            self.assertNotIn(word, told)
        self.assertNotIn("storage", node.rpc.logging())
        node.rpc.createwallet("w")
        self.assertEqual([d["internal"] for d in node.rpc.wallet("w").listdescriptors()["descriptors"]], [False, True])
        self.assert_rpc_error(-32601, "Method not found", node.rpc.getstoragestate)
        self.assertNotIn("storagepool", node.rpc.getblockchaininfo())
        self.assertEqual(node.rpc.getblockchaininfo()["chain"], "regtest")
        self.assertNotIn("storage", os.listdir(node.chain_dir))
        node.stop()
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write("[regtest]\nuacomment=bitcoin\n")
        with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
            f.write("[regtest]\nuacomment=cloud\n")
        node.start()
        self.assertIn("(bitcoin)", node.rpc.getnetworkinfo()["subversion"])


class TestEnd(framework.TestCase):
    def test_signals(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            node = self.start_node()
            node.generate(2)
            tip = node.tip()
            node.process.send_signal(sig)
            node.wait_exit(0)
            self.assertIn("Shutdown: done", node.log())
            node.start()
            self.assertEqual(node.tip(), tip)

    def test_log_is_reopened(self):
        node = self.start_node()
        path = os.path.join(node.chain_dir, "debug.log")
        os.rename(path, path + ".1")
        node.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: os.path.exists(path))
        node.rpc.raw("{}", auth="a:b")
        self.wait_until(lambda: "incorrect password" in node.log())

    def test_power_cuts(self):
        node = self.add_node()
        height = 0
        for round_ in range(5):
            node.start()
            self.assertEqual(node.height(), height)
            node.generate(3 + round_)
            height += 3 + round_
            tip = node.tip()
            node.kill()
            self.assertTrue(os.path.exists(os.path.join(node.chain_dir, ".cookie")))
        node.start()
        self.assertEqual((node.height(), node.tip()), (height, tip))

    def test_stop_at_height(self):
        node = self.start_node("-stopatheight=5")
        try:
            node.generate(20)
        except (framework.RpcError, OSError, framework.http.client.HTTPException):
            pass
        node.wait_exit(0)
        node.args.remove("-stopatheight=5")
        node.start()
        self.assertGreaterEqual(node.height(), 5)

    def test_block_notify(self):
        node = self.add_node()
        out = os.path.join(self.folder, "hashes")
        node.start(f"-blocknotify=echo %s >> {out}")
        blocks = node.generate(3)

        def seen():
            return os.path.exists(out) and sorted(open(out).read().split()) == sorted(blocks)
        self.wait_until(seen)

    def test_background(self):
        node = self.add_node()
        r = subprocess.run(node.command("-daemonwait"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=framework.TIMEOUT_S)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, b"CloudCoin starting\n", b""))
        self.assertEqual(node.height(), 0)  # it is ready already
        with open(os.path.join(node.chain_dir, "cloudcoind.pid")) as f:
            pid = int(f.read())
        again = subprocess.run(node.command("-daemonwait"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(again.returncode, 1)
        self.assertIn(b"probably already running", again.stderr)
        node.rpc.stop()

        def gone():
            try:
                os.kill(pid, 0)
                return False
            except ProcessLookupError:
                return True
        self.wait_until(gone)

    def test_background_that_fails(self):
        node = self.add_node()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            r = subprocess.run(node.command("-daemonwait", f"-rpcport={taken.getsockname()[1]}"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=framework.TIMEOUT_S)
        self.assertEqual(r.returncode, 1)
        self.assertIn(b"Unable to start HTTP server", r.stderr)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/bin/mount"), "needs a file system of its own")
class TestFullDisk(framework.TestCase):
    """A small file system in memory, filled up while the node runs."""

    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="cloudcoin-disk-")
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", self.disk], stderr=subprocess.PIPE)
        if r.returncode:
            os.rmdir(self.disk)
            self.skipTest("may not mount: " + r.stderr.decode().strip())
        super().setUp()

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            if os.path.ismount(self.disk):
                subprocess.run(["umount", self.disk])
            os.rmdir(self.disk)

    def test_full(self):
        node = self.add_node()
        node.datadir = self.disk
        node.stderr_expected = True
        node.start()
        node.generate(3)
        tip = node.tip()
        with open(os.path.join(self.disk, "fill"), "wb") as f:
            try:
                while True:
                    f.write(bytes(1 << 20))
                    f.flush()
            except OSError:
                pass
        node.wait_exit(1)
        self.assertIn("Error: Disk space is too low!", node.stderr())
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        os.remove(os.path.join(self.disk, "fill"))
        node.start()
        self.assertEqual(node.tip(), tip)
        node.stop()


if __name__ == "__main__":
    framework.main()
