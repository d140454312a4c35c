"""Starts that fail or end too early, and what is left of the folder then."""
import os
import signal
import socket
import subprocess

import framework
from blocks import shown
from test_mempool import PoolCase, pay


class TestPoolFile(PoolCase):
    def test_what_was_not_read_is_not_emptied(self):
        """A start that fails before mempool.dat is read leaves it as it is."""
        node, tx = self.node, self.send(pay(self.c.take(), fee=1000))
        path = os.path.join(node.chain_dir, "mempool.dat")
        node.stop()
        with open(path, "rb") as f:
            kept = f.read()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", node.port))
            taken.listen()
            status, err = node.start_fails()
        self.assertEqual((status, err[:22]), (1, "Error: Unable to bind "))
        with open(path, "rb") as f:
            self.assertEqual(f.read(), kept)
        node.start()
        self.assertEqual(self.pool(), {shown(tx.txid)})


class TestBackground(framework.TestCase):
    def test_wrong_options(self):
        """Who starts it hears of them, though it would have gone into the background."""
        for option, text in (
                ("-prune=100", "Prune configured below the minimum of 550 MiB.  Please use a higher number."),
                ("-prune=-1", "Prune cannot be configured with a negative value."),
                ("-minimumchainwork=x", "Invalid non-hex (x) minimum chain work value specified"),
                ("-blocksdir=/nowhere", 'Specified blocks directory "/nowhere" does not exist.')):
            node = self.add_node("-daemon", option)
            self.assertEqual(node.start_fails(), (1, f"Error: {text}\n"))
            self.assertEqual(os.listdir(node.datadir), [])

    def test_nobody_waits_for_the_start(self):
        """With -daemon what the starter reads of us ends with the starting process, not with the start."""
        node = self.add_node("-daemon")
        blocks = os.path.join(node.datadir, "blocks")
        os.mkfifo(blocks)  # to be imported; nobody writes to it yet, so the start waits
        r = subprocess.run(node.command("-loadblock=" + blocks), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=framework.TIMEOUT_S)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, b"CloudCoin starting\n", b""))
        with open(blocks, "wb"):
            pass
        self.wait_until(lambda: node.rpc.getblockcount() == 0, what="RPC answers")
        node.rpc.stop()
        self.wait_until(lambda: not os.path.exists(os.path.join(node.chain_dir, "cloudcoind.pid")), what="it ends")


class TestCommands(framework.TestCase):
    def test_signals(self):
        """A command that is run on events has signals as any program has them: it can be ended."""
        out = os.path.join(self.folder, "out")
        node = self.start_node(f"-startupnotify=grep -E 'Sig(Blk|Ign)' /proc/self/status > {out}.new; mv {out}.new {out}")
        self.wait_until(lambda: os.path.exists(out), what="the command has run")
        with open(out) as f:
            masks = [int(line.split()[1], 16) for line in f]
        self.assertEqual(len(masks), 2)
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE:
            self.assertEqual([mask >> number - 1 & 1 for mask in masks], [0, 0], number)
        node.stop()
        node.start("-startupnotify=exit 3")
        self.wait_until(lambda: "runCommand error: system(exit 3) returned 768\n" in node.log())


if __name__ == "__main__":
    framework.main()
