"""What was answered holds: kill -9 at any moment, rebuilding, damaged files."""
import http.client
import os
import random
import threading
import time

import framework
import peer

ROUNDS = 6


class Crash(framework.TestCase):
    def test_kill_while_generating(self):
        seed = int(os.environ.get("CC_SEED", "1"))
        print(f"seed: CC_SEED={seed}")
        moment = random.Random(seed)
        node = self.start_node()
        answered = [node.generate(1)[-1]]
        count = 0

        def work():
            nonlocal count
            try:
                while True:
                    answered.append(node.generate(1 + count % 4)[-1])
                    count += 1
            except (framework.RpcError, OSError, http.client.HTTPException, ValueError):
                pass  # it was killed meanwhile

        for _ in range(ROUNDS):
            worker = threading.Thread(target=work)
            worker.start()
            time.sleep(moment.random() * 0.3)  # any instant
            node.kill()
            worker.join()
            node.start()
            header = node.rpc.getblockheader(answered[-1])
            self.assertGreater(header["confirmations"], 0)
            self.assertTrue(node.rpc.verifychain(4, 0))
        self.assertGreater(count, 0)
        print(f"{ROUNDS} kills, {len(answered)} answers held")

    def test_kill_after_reorganising(self):
        node = self.start_node()
        old = node.generate(10)
        node.rpc.invalidateblock(old[5])
        new = node.rpc.generatetodescriptor(3, "raw(51)")  # not the same blocks again
        node.kill()
        node.start()
        self.assertEqual(node.tip(), new[-1])
        self.assertEqual(node.height(), 8)
        node.rpc.reconsiderblock(old[5])
        self.assertEqual(node.tip(), old[-1])
        node.kill()
        node.start()
        self.assertEqual(node.tip(), old[-1])

    def test_kill_while_far_behind_the_headers(self):
        source, node = self.add_node().start(), self.add_node().start()
        hashes = source.generate(10)
        source.rpc.invalidateblock(hashes[0])
        far = source.rpc.generatetodescriptor(60, "raw(51)")

        def tell_headers():  # they alone promise nothing: again after each start
            for h in far:
                node.rpc.submitheader(source.rpc.getblockheader(h, False))

        def survives():
            tip = node.tip()
            node.kill()
            node.start()
            self.assertEqual(node.tip(), tip)
            tell_headers()

        tell_headers()
        for h in hashes:
            self.assertIsNone(node.rpc.submitblock(source.rpc.getblock(h, 0)))
        self.assertEqual(node.tip(), hashes[9])
        survives()
        node.rpc.invalidateblock(hashes[8])
        self.assertEqual(node.tip(), hashes[7])
        survives()
        node.rpc.reconsiderblock(hashes[8])
        self.assertEqual(node.tip(), hashes[9])
        survives()
        node.rpc.generateblock("raw(51)", [])
        self.assertEqual(node.height(), 11)
        survives()

    def test_kill_after_duplicate(self):
        """A block that came from a peer during catching up is not synced yet; told "duplicate", a miner rests."""
        source = self.add_node(chain="bitcoin-regtest").start()
        node = self.add_node(chain="bitcoin-regtest").start()
        hashes = source.generate(60)
        blocks = [source.rpc.getblock(h, 0) for h in hashes]
        with peer.Peer(node) as p:
            p.send("headers", peer.compact(60) + b"".join(bytes.fromhex(b[:160]) + b"\0" for b in blocks))
            p.wait("getdata")
            for raw in blocks[:5]:
                p.send("block", bytes.fromhex(raw))
            p.sync()
            self.assertEqual(node.tip(), hashes[4])
            self.assertEqual(node.rpc.submitblock(blocks[3]), "duplicate")
            node.kill()
        node.start()
        self.assertGreaterEqual(node.height(), 4)
        self.assertEqual(node.rpc.getblockheader(hashes[3])["confirmations"], node.height() - 3)

    def test_rebuild(self):
        node = self.start_node()
        node.generate(120)
        tip, coins = node.tip(), node.rpc.gettxoutsetinfo()
        for option in "-reindex", "-reindex-chainstate":
            node.stop()
            node.start(option)
            self.wait_until(lambda: node.height() == 120, what="rebuilt")
            self.assertEqual(node.tip(), tip)
            again = node.rpc.gettxoutsetinfo()
            for field in "txouts", "total_amount", "hash_serialized_3":
                self.assertEqual(again[field], coins[field])
            self.assertTrue(node.rpc.verifychain(4, 0))

    def test_damaged_undo_data(self):
        node = self.start_node()
        node.generate(20)
        node.stop()
        path = os.path.join(node.chain_dir, "blocks", "rev00000.dat")
        with open(path, "r+b") as f:
            data = f.read().rstrip(b"\0")
            f.seek(len(data) - 8)  # the last block's checksum
            f.write(b"garbage!")
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        self.assertEqual(err, "Error: Corrupted block database detected.\n"
                              "Please restart with -reindex or -reindex-chainstate to recover.\n")
        self.assertIn("rev00000.dat", node.log())
        node.start("-reindex")
        self.wait_until(lambda: node.height() == 20, what="rebuilt")


if __name__ == "__main__":
    framework.main()
