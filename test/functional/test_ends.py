"""Starts that fail or end too early, and what is left of the folder then."""
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

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


class TestFiles(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_that_cannot_be_written(self):
        node, none = self.add_node(), os.path.join(self.folder, "none", "x")
        for option, text in (
                ("-pid=", f"Unable to create the PID file '{none}': No such file or directory (2)"),
                ("-settings=", "Settings file could not be written:\n- Error: Unable to open settings file "
                               f"{none}.tmp for writing")):
            self.assertEqual(node.start_fails(option + none), (1, f"Error: {text}\n"))

    def test_pid_goes_into_the_file_itself(self):
        """A file that was made for the node, with a second name: both show the process."""
        node, path = self.add_node(), os.path.join(self.folder, "given.pid")
        open(path, "w").close()
        os.link(path, path + ".link")
        node.start("-pid=" + path)
        with open(path + ".link") as f:
            self.assertEqual(int(f.read()), node.process.pid)

    def test_blocks_of_two(self):
        """Blocks in one folder are one node's."""
        blocks = os.path.join(self.folder, "shared")
        os.mkdir(blocks)
        node, other = self.add_node("-blocksdir=" + blocks), self.add_node("-blocksdir=" + blocks)
        node.start()
        self.assertEqual(other.start_fails(), (1, f"Error: Cannot obtain a lock on directory {blocks}/regtest/blocks. "
                                                  "Bitcoin Core is probably already running.\n"))
        node.stop()
        other.start()


class TestFilesAtOnce(framework.TestCase):
    chain = "bitcoin-regtest"

    def limited(self, soft, hard, *args):
        node = self.add_node(*args)
        # Through a shell: the limit is the node's alone.
        node.command = lambda *extra, was=node.command: [
            "sh", "-c", f'ulimit -S -n {soft} && ulimit -H -n {hard} && exec "$0" "$@"', *was(*extra)]
        return node

    def test_raised(self):
        node = self.limited(300, 5000, "-maxconnections=1000").start()
        with open(f"/proc/{node.process.pid}/limits") as f:
            line = next(line for line in f if line.startswith("Max open files"))
        self.assertGreaterEqual(int(line.split()[3]), 2000)

    def test_fewer_peers(self):
        node = self.limited(200, 400, "-maxconnections=1000").start()
        self.assertEqual(node.stderr(), "Warning: Reducing -maxconnections from 1000 to 240, because of system limitations.\n")
        node.stderr_expected = True
        self.assertEqual(node.height(), 0)

    def test_too_few(self):
        self.assertEqual(self.limited(100, 149).start_fails(), (1, "Error: Not enough file descriptors available.\n"))


class TestListening(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_no_connections(self):
        """Who wants none listens to none, unless he says so."""
        for args, listens in (["-maxconnections=0"], False), (["-maxconnections=0", "-listen"], True), ([], True):
            node = self.add_node(*args)
            node.command = lambda *extra, was=node.command: [w for w in was(*extra) if not w.startswith("-bind=")]
            node.start()
            with socket.socket() as s:
                self.assertEqual(s.connect_ex(("127.0.0.1", node.port)) == 0, listens, args)
            node.stop()


class TestStopAtHeight(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_exactly_there(self):
        """Blocks that come in one go, or are connected again at the start, end at that height too."""
        source = self.start_node()
        source.generate(150)
        node = self.start_node("-stopatheight=70")
        node.rpc.addnode(source.address, "onetry")
        node.wait_exit(0)
        for option in None, "-reindex-chainstate", "-reindex":
            if option:
                os.remove(os.path.join(node.chain_dir, "debug.log"))
                node.launch(option)
                node.wait_exit(0)
            last = re.findall(r"UpdateTip: new best=(\w+) height=(\d+) version=0x20000000 log2_work=7.149747 tx=71 "
                              r"date=.20\d\d-.*Z. progress=1.000000 cache=\d.\dMiB\(\d+txo\)\n", node.log())[-1]
            self.assertEqual(last, (source.rpc.getblockhash(70), "70"))


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


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/bin/mount"), "needs a file system of its own")
class TestDisk(framework.TestCase):
    """A small file system in memory."""
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.folder, "disk")
        os.mkdir(self.disk)

    def mount(self, size):
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", self.disk], stderr=subprocess.PIPE)
        if r.returncode:
            self.skipTest("may not mount: " + r.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk])

    def fill(self):
        with open(os.path.join(self.disk, "fill"), "wb") as f:
            os.posix_fallocate(f.fileno(), 0, os.statvfs(self.disk).f_bavail * os.statvfs(self.disk).f_bsize - (1 << 20))

    def test_what_is_not_saved_at_the_end(self):
        """A node that cannot save the last of what it has does not end as if all were well."""
        self.mount("150m")
        node = self.add_node()
        node.datadir, node.stderr_expected = self.disk, True
        node.start()
        node.generate(1)
        child = node.rpc.generateblock("raw(51)", [], False)["hex"]
        node.rpc.submitheader(child[:160])  # kept with what comes next, at the latest at the end
        self.fill()
        node.process.terminate()
        node.wait_exit(1)
        self.assertIn("Error: ", node.stderr())

    def test_blocks_on_a_disk_of_their_own(self):
        self.mount("40m")
        node = self.add_node("-blocksdir=" + self.disk)
        self.assertEqual(node.start_fails(), (1, f'Error: Disk space is low for "{self.disk}/regtest/blocks"\n'))
        subprocess.run(["mount", "-o", "remount,size=120m", self.disk], check=True)
        node.start()
        node.stderr_expected = True
        self.fill()
        node.wait_exit(1)
        self.assertEqual(node.stderr(), "Error: Disk space is too low!\n")


class TestIndexes(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_damaged(self):
        """-reindex makes the indexes anew as well."""
        args = ["-txindex", "-blockfilterindex", "-coinstatsindex"]
        node = self.start_node(*args)
        block = node.generate(10)[3]
        want = node.rpc.getblockfilter(block), node.rpc.gettxoutsetinfo("muhash")["muhash"]
        node.stop()
        below = os.path.join(node.chain_dir, "indexes")
        for folder, _, names in list(os.walk(below)):
            for name in names:
                if name.startswith("MANIFEST"):
                    with open(os.path.join(folder, name), "wb") as f:
                        f.write(b"damage")
        for option in args:
            self.assertEqual(node.start_fails(option)[0], 1)
        node.start("-reindex", *args)
        self.assertEqual((node.rpc.getblockfilter(block), node.rpc.gettxoutsetinfo("muhash")["muhash"]), want)
        txid = node.rpc.getblock(block)["tx"][0]
        self.assertEqual(node.rpc.getrawtransaction(txid, True)["blockhash"], block)

    def test_half_removed(self):
        """A process that dies while it removes the old database leaves what starts without being asked again."""
        node = self.start_node()
        node.generate(10)
        tip = node.tip()
        node.stop()
        state = os.path.join(node.chain_dir, "chainstate")
        for name in sorted(os.listdir(state))[:2]:
            os.remove(os.path.join(state, name))
        mark = os.path.join(state, "REMOVED")
        open(mark, "w").close()
        node.start()
        self.assertEqual(node.tip(), tip)
        self.assertFalse(os.path.exists(mark))

    def test_pruned_and_killed(self):
        """What -reindex would remove of a pruned node's files is removed by the next start if that one died."""
        node = self.start_node("-prune=1")
        node.generate(1)
        node.stop()
        shutil.rmtree(os.path.join(node.chain_dir, "chainstate"))
        blocks = os.path.join(node.chain_dir, "blocks")
        os.rename(os.path.join(blocks, "blk00000.dat"), os.path.join(blocks, "blk00002.dat"))
        node.start()
        self.assertEqual((node.height(), os.path.exists(os.path.join(blocks, "blk00002.dat"))), (0, False))


if __name__ == "__main__":
    framework.main()
