"""Starting on Bitcoin's chain: under which name, from which folder, and what is said when it cannot go on."""
import os
import subprocess

import framework

RECOVER = "Please restart with -reindex or -reindex-chainstate to recover.\n"


class Start(framework.TestCase):
    chain = "bitcoin-regtest"

    def run_at_home(self, home, *args):
        r = subprocess.run([framework.program("cloudcoind"), "-bitcoin", *args], env=dict(os.environ, HOME=home),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=framework.TIMEOUT_S)
        return r.returncode, r.stderr

    def test_name(self):
        node = self.start_node()
        log = node.log()
        self.assertIn("Bitcoin Core version ", log)
        self.assertTrue(os.path.exists(os.path.join(node.chain_dir, "bitcoind.pid")))
        port = framework.free_port()
        self.assertEqual(node.start_fails(f"-rpcport={port}"),
                         (1, f"Error: Cannot obtain a lock on data directory {node.chain_dir}. Bitcoin Core is probably "
                             "already running.\n"))
        other = self.add_node()
        status, err = other.start_fails(f"-bind=127.0.0.1:{node.port}")
        self.assertEqual((status, err), (1, f"Error: Unable to bind to {node.address} on this computer. Bitcoin Core is "
                                            "probably already running.\n"))
        self.assertEqual(node.rpc.stop(), "Bitcoin Core stopping")
        node.wait_exit(0)
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, "bitcoind.pid")))

    def test_usual_folder(self):
        """~/.bitcoin, whose file may name another; a file that would be overlooked there is an error."""
        node, home = self.add_node(), os.path.join(self.folder, "home")
        os.makedirs(os.path.join(home, ".bitcoin"))
        conf = os.path.join(home, ".bitcoin", "bitcoin.conf")
        mine = os.path.join(node.datadir, "bitcoin.conf")
        with open(conf, "w") as f:
            f.write(f"datadir={node.datadir}\n")
        with open(mine, "w") as f:
            f.write("regtest=1\n")
        status, err = self.run_at_home(home)
        self.assertEqual((status, err.split(" Possible")[0]), (
            1, f'Error: Data directory "{node.datadir}" contains a "bitcoin.conf" file which is ignored, because a different '
               f'configuration file "{conf}" from data directory "{home}/.bitcoin" is being used instead.'))
        os.remove(mine)
        self.assertEqual(self.run_at_home(home),
                         (1, "Error: -bitcoin is there for regtest alone: say -bitcoin -regtest\n"))
        missing = os.path.join(self.folder, "missing")
        with open(conf, "w") as f:
            f.write(f"datadir={missing}\n")
        self.assertEqual(self.run_at_home(home), (1, "Error: Error reading configuration file: specified data directory "
                                                     f'"{missing}" does not exist.\n'))

    def test_what_other_chains_do_not_take(self):
        home = self.folder
        for args, text in (
                (["-acceptnonstdtxn"], "acceptnonstdtxn is not currently supported for main chain"),
                (["-acceptstalefeeestimates"], "acceptstalefeeestimates is not supported on main chain."),
                (["-signet", "-acceptstalefeeestimates"], "acceptstalefeeestimates is not supported on signet chain."),
                (["-signet"], "-bitcoin is there for regtest alone: say -bitcoin -regtest")):
            self.assertEqual(self.run_at_home(home, *args), (1, f"Error: {text}\n"))
        node = self.start_node("-acceptstalefeeestimates", "-acceptnonstdtxn")
        self.assertEqual(node.height(), 0)

    def test_includes_can_be_forbidden(self):
        node = self.add_node()
        with open(os.path.join(node.datadir, "bitcoin.conf"), "w") as f:
            f.write("includeconf=missing.conf\nreindex=1\n")
        said = "Error: Error parsing command line arguments: -includeconf cannot be used from commandline; -includeconf="
        self.assertEqual(node.start_fails("-noincludeconf=0"), (1, said + "true\n"))
        self.assertEqual(node.start_fails("-includeconf=a", "-includeconf=b"), (1, said + '"a"\n'))
        self.assertIn("Failed to include configuration file missing.conf", node.start_fails()[1])
        log = node.start("-noincludeconf").log()
        self.assertIn("Warning: reindex=1 is set in the configuration file, which will significantly slow down startup. "
                      "Consider removing or commenting out this option for better performance, unless there is currently "
                      "a condition which makes rebuilding the indexes necessary\n", log)
        self.assertIn("Command-line arg: includeconf=false\n", log)

    def test_foreign_database(self):
        """A chainstate of bitcoind is neither opened nor, by -reindex, removed."""
        node = self.add_node()
        path = os.path.join(node.chain_dir, "chainstate")
        os.makedirs(path)
        with open(os.path.join(path, "CURRENT"), "w") as f:
            f.write("MANIFEST-000002\n")
        for extra in (), ("-reindex",):
            self.assertEqual(node.start_fails(*extra), (1, f'Error: "{path}" holds the database of another program. Choose '
                                                           "another data directory.\n"))
            self.assertEqual(os.listdir(path), ["CURRENT"])

    def test_broken_database(self):
        node = self.start_node()
        node.generate(3)
        node.stop()
        path = os.path.join(node.chain_dir, "chainstate", "CURRENT")
        with open(path, "w") as f:
            f.write("nonsense")
        self.assertEqual(node.start_fails(), (1, ": Error opening block database.\n" + RECOVER))
        self.assertRegex(node.log(), "Error opening block database: .*chainstate")

    def test_undo_data_gone(self):
        """What cannot be undone is fatal; the sentence is general, the log has the particulars."""
        node, other = self.start_node(), self.start_node()
        other.rpc.setmocktime(1600000000)  # their blocks are not the same
        node.generate(3)
        os.remove(os.path.join(node.chain_dir, "blocks", "rev00000.dat"))
        other.generate(4)
        node.rpc.addnode(other.address, "onetry")
        node.wait_exit(1)
        self.assertEqual(node.stderr(), "Error: A fatal internal error occurred, see debug.log for details\n")
        node.stderr_expected = True
        self.assertRegex(node.log(), r"\*\*\* Failed to disconnect block: .*rev00000.dat")
        self.assertEqual(node.start_fails(), (1, ": Corrupted block database detected.\n" + RECOVER))

    def test_seeds_that_come_with_the_program(self):
        node = self.add_node()
        start = 1700000000
        log = node.start("-dnsseed=0", "-fixedseeds=0").log()
        self.assertIn("Fixed seeds are disabled\n", log)
        node.stop()
        node.start("-dnsseed=0")
        self.wait_until(lambda: "Added 0 fixed seeds from reachable networks.\n" in node.log(), what="added at once")
        self.assertIn("Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled via -onlynet) and neither "
                      "-addnode nor -seednode are provided\n", node.log())
        node.stop()
        os.remove(os.path.join(node.chain_dir, "debug.log"))
        node.start("-dnsseed=0", "-addnode=no.such.name", "-dns=0", f"-mocktime={start}")
        node.rpc.setmocktime(start + 60)
        node.rpc.ping()
        self.assertNotIn("Adding fixed seeds", node.log())
        node.rpc.setmocktime(start + 61)
        self.wait_until(lambda: "Adding fixed seeds as 60 seconds have passed and addrman is empty for at least one "
                                "reachable network\n" in node.log(), what="a minute later")
        node.stop()
        os.remove(os.path.join(node.chain_dir, "debug.log"))
        log = node.start("-connect=127.0.0.1:1", "-dnsseed=1", "-proxy=127.0.0.1:1").log()
        self.assertIn("-dnsseed is ignored when -connect is used and -proxy is specified\n", log)
        self.assertIn("addcon thread start\n", log)
        self.assertNotIn("-seednode is ignored", log)
        self.assertNotIn("ixed seeds", log)
        node.stop()
        for option in (), ("-dnsseed=0",):
            os.remove(os.path.join(node.chain_dir, "debug.log"))
            self.assertNotIn("-dnsseed is ignored", node.start("-connect=127.0.0.1:1", "-proxy=127.0.0.1:1", *option).log())
            node.stop()
        os.remove(os.path.join(node.chain_dir, "debug.log"))
        log = node.start("-noconnect", "-seednode=127.0.0.1:1").log()
        self.assertNotIn("-seednode is ignored", log)
        self.assertNotIn("opencon thread start", log)

    def test_stopped_at_any_step(self):
        """Each step is told, and SIGTERM at any of them leaves what starts well again."""
        steps = ["Validating signatures for all blocks", "scheduler thread start", "Starting HTTP server with 4 worker threads",
                 "init message: Loading block index", "Loaded best chain: hashBestChain=",
                 "Checking all blk files are present", "init message: Verifying blocks", "txindex thread start",
                 "basic block filter index thread start", "coinstatsindex thread start", "init message: Loading P2P addresses", "init message: Loading banlist",
                 "initload thread start", "init message: Starting network threads", "net thread start",
                 "addcon thread start", "opencon thread start", "msghand thread start"]
        node = self.start_node("-txindex", "-blockfilterindex", "-coinstatsindex")
        node.generate(20)
        tip = node.tip()
        node.stop()
        path = os.path.join(node.chain_dir, "debug.log")
        for step in steps:
            os.remove(path)
            node.launch()
            self.wait_until(lambda: os.path.exists(path) and step in node.log(), what=step)
            node.process.terminate()
            node.wait_exit(0)
        node.start()
        self.assertEqual(node.tip(), tip)

    def test_connection_is_there_when_the_call_returns(self):
        node, other = self.start_node(), self.start_node()
        node.rpc.addconnection(other.address, "block-relay-only", False)
        self.assertEqual([(p["addr"], p["connection_type"]) for p in node.rpc.getpeerinfo()],
                         [(other.address, "block-relay-only")])
        node.stop()
        self.assertIn("DumpAnchors: Flush 1 outbound block-relay-only peer addresses to anchors.dat\n", node.log())

    def test_hash_of_no_password(self):
        """An -rpcauth whose hash is too short lets nobody in; one without the marks stops the start."""
        node = self.start_node("-rpcauth=alice:salt$abcd")
        self.assertEqual(node.rpc.raw("{}", auth="alice:abcd")[0], 401)
        self.assertEqual(node.rpc.raw("{}", auth="alice:")[0], 401)
        for bad in "alice", "alice:salt", "a:b:c$d", "a:b$c$d":
            other = self.add_node("-rpcauth=" + bad)
            self.assertEqual(other.start_fails()[0], 1)
            self.assertIn("Invalid -rpcauth argument.", other.log())


if __name__ == "__main__":
    framework.main()
