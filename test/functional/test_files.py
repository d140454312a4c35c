"""Where blocks are, and where they come from: -blocksdir, -loadblock; what the chain says of itself."""
import os
import random
import struct

import framework
import peer

MAGIC = peer.MAGIC["bitcoin-regtest"]


class Files(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_blocksdir(self):
        elsewhere = os.path.join(self.folder, "elsewhere")
        node = self.add_node(f"-blocksdir={elsewhere}")
        self.assertEqual(node.start_fails(),
                         (1, f'Error: Specified blocks directory "{elsewhere}" does not exist.\n'))
        os.mkdir(elsewhere)
        node.start()
        node.generate(10)
        self.assertEqual(sorted(os.listdir(os.path.join(elsewhere, "regtest", "blocks"))),
                         [".lock", "blk00000.dat", "rev00000.dat"])
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, "blocks", "blk00000.dat")))
        node.stop()
        for option in (), ("-reindex",):
            node.start(*option)
            self.assertEqual(node.height(), 10)
            node.stop()

    def test_reindex_out_of_order(self):
        node = self.start_node("-debug=reindex")
        node.generate(12)
        node.stop()
        path = os.path.join(node.chain_dir, "blocks", "blk00000.dat")
        with open(path, "r+b") as f:
            data = f.read()
            at = [data.index(MAGIC)]
            while len(at) < 4:
                at.append(data.index(MAGIC, at[-1] + 4))
            self.assertEqual(at[2] - at[1], at[3] - at[2])
            f.seek(at[1])
            f.write(data[at[2]:at[3]] + data[at[1]:at[2]])
        node.start("-reindex")
        self.assertEqual(node.height(), 12)
        for text in "Out of order block", "Processing out of order child":
            self.assertIn(f"LoadExternalBlockFile: {text} ", node.log())

    def test_a_file_is_missing(self):
        node = self.start_node("-fastprune")
        node.generate(600)
        node.stop()
        path = os.path.join(node.chain_dir, "blocks", "blk00001.dat")
        os.rename(path, path + ".away")
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        self.assertEqual(err, ": Error loading block database.\n"
                              "Please restart with -reindex or -reindex-chainstate to recover.\n")
        self.assertIn("blk00001.dat is missing", node.log())
        os.rename(path + ".away", path)
        node.start()
        self.assertEqual((node.height(), node.log().count("Checking all blk files are present...")), (600, 2))

    def frames(self, blocks):
        return [MAGIC + struct.pack("<I", len(b)) + b for b in blocks]

    def source(self, count):
        node = self.start_node()
        hashes = [node.rpc.getblockhash(0)] + node.generate(count)
        return node, [bytes.fromhex(node.rpc.getblock(h, 0)) for h in hashes]

    def write(self, name, *parts):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            for p in parts:
                f.write(p)
        return path

    def test_loadblock(self):
        """Any order, with noise between, twice, blocks that are none and that break a rule."""
        source, blocks = self.source(120)
        shuffled = self.frames(blocks) * 2
        random.Random(1).shuffle(shuffled)
        bad = bytearray(blocks[100])
        bad[90] ^= 1  # its coinbase is not the one of the header
        noise = [MAGIC, MAGIC + struct.pack("<I", 0xffffffff), MAGIC + struct.pack("<I", 100) + bytes(30), b"\0" * 999,
                 *self.frames([bytes(bad), blocks[3][:200]])]
        first = self.write("first", noise[0], *[f + noise[i % len(noise)] for i, f in enumerate(shuffled[:130])])
        second = self.write("second", *[f + noise[i % len(noise)] for i, f in enumerate(shuffled)])
        node = self.start_node(f"-loadblock={first}", f"-loadblock={second}", "-loadblock=/nonexistent",
                               "-debug=reindex")
        self.assertEqual(node.tip(), source.tip())
        log = node.log()
        self.assertIn(f"Importing blocks file {first}...", log)
        self.assertIn("Warning: Could not open blocks file /nonexistent", log)
        self.assertRegex(log, r"LoadExternalBlockFile: Out of order block [0-9a-f]{64}, parent [0-9a-f]{64} not known")
        loaded = [int(w.split()[0]) for w in log.split("Loaded ") if "blocks from external file in" in w.split("\n")[0]]
        self.assertEqual((len(loaded), sum(loaded)), (2, 120))
        node.stop()
        node.args = []
        node.start()  # they are ours now
        self.assertEqual(node.tip(), source.tip())

    def test_frames_at_the_edge(self):
        """Of what is looked through at once: a mebibyte."""
        source, blocks = self.source(40)
        frames = self.frames(blocks)
        parts, at = [], 0
        for i, f in enumerate(frames):
            pad = (1 << 20) - at % (1 << 20) - 20 + i
            parts += [b"\xfa" * pad, f]
            at += pad + len(f)
        path = self.write("spread", *parts)
        node = self.start_node(f"-loadblock={path}")
        self.assertEqual(node.tip(), source.tip())

    def test_stop_after_import(self):
        source, blocks = self.source(30)
        path = self.write("bootstrap.dat", *self.frames(blocks))
        node = self.add_node("-stopafterblockimport", f"-loadblock={path}")
        node.launch()
        node.wait_exit(0)
        self.assertIn("Stopping after block import", node.log())
        node.args = []
        node.start()
        self.assertEqual(node.tip(), source.tip())

    def test_chainstates(self):
        node = self.start_node("-dbcache=100")
        node.generate(3)
        states = node.rpc.getchainstates()
        self.assertEqual(states["headers"], 3)
        one, = states["chainstates"]
        self.assertEqual(list(one), ["blocks", "bestblockhash", "difficulty", "verificationprogress",
                                     "coins_db_cache_bytes", "coins_tip_cache_bytes", "validated"])
        self.assertEqual((one["blocks"], one["bestblockhash"], one["validated"]), (3, node.tip(), True))
        self.assertEqual(one["coins_db_cache_bytes"] + one["coins_tip_cache_bytes"], 100 << 20)

    def test_tree_is_checked(self):
        node = self.start_node("-checkblockindex", "-fastprune", "-prune=1")
        hashes = node.generate(600)
        node.rpc.invalidateblock(hashes[550])
        node.rpc.generatetodescriptor(40, "raw(51)")
        node.rpc.reconsiderblock(hashes[550])
        node.rpc.pruneblockchain(300)
        self.assertEqual(node.tip(), hashes[-1])
        node.rpc.preciousblock(node.rpc.getblockhash(400))
        node.stop()
        node.start()
        node.generate(5)


if __name__ == "__main__":
    framework.main()
