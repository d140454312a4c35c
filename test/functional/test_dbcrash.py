"""-dbcrashratio: a node that keeps ending inside database writes always comes back by itself."""
import http.client
import os
import random

import framework
from blocks import Chain, TxOut, coin_of, spend, OP_TRUE

CRASHES = int(os.environ.get("CC_CRASHES", "40"))
GONE = (framework.RpcError, OSError, http.client.HTTPException, ValueError)


class Crashing:
    """A node that follows source, through as many crashes as it takes."""

    def __init__(self, test, source, *args):
        self.test, self.source = test, source
        self.args = args
        self.node = test.add_node(*args)
        self.crashes = self.starts = 0

    def up(self):
        """Running and answering; a start may crash too."""
        while True:
            if not self.node.running():
                if self.starts > self.crashes:
                    self.ended()  # after it was last heard of
                self.node.launch()
                self.starts += 1
            try:
                if self.node.rpc.getblockcount() >= 0:
                    return
            except GONE:
                pass
            self.ended()

    def ended(self):
        """Whether it has, and that it was by a crash of that kind."""
        try:
            status = self.node.process.wait(0.02)
        except framework.subprocess.TimeoutExpired:
            return False
        self.test.assertEqual((status, self.node.stderr()), (0, ""))
        self.crashes += 1
        self.test.assertEqual(self.node.log().count("Simulating a crash. Goodbye."), self.crashes)
        return True

    def attempt(self, work):
        """work() again and again, until it comes to its end."""
        while True:
            self.up()
            try:
                return work()
            except GONE as e:
                if not self.ended():
                    if isinstance(e, framework.RpcError):
                        raise
                    self.node.process.wait(framework.TIMEOUT_S)
                    self.test.assertTrue(self.ended())

    def follow(self, known):
        """Reach the tip of source from peers."""
        def reach():
            self.test.assertIn(self.node.tip(), known)  # whatever it was at, it was so once
            self.node.rpc.addnode(self.source.address, "onetry")
            framework.wait_until(lambda: self.ended_or_at(self.source.tip()), what="at the tip")
            if self.node.process.returncode is not None:
                raise OSError
        self.attempt(reach)

    def ended_or_at(self, tip):
        try:
            return self.node.tip() == tip
        except GONE:
            return self.node.process.poll() is not None


class DbCrash(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("CC_SEED", "1"))
        print(f"seed: CC_SEED={seed}")
        self.random = random.Random(seed)
        self.source = self.start_node()
        self.source.generate(480)  # of today, so that the source tells peers of the next ones
        self.chain_of = Chain(self.source)
        self.chain_of.mine(120)
        self.known = {self.source.rpc.getblockhash(h) for h in range(601)}
        self.spare = []

    def more(self):
        """A few blocks that make and spend coins, or a branch that is better by one block."""
        chain = self.chain_of
        if self.random.random() < 0.3:
            depth = self.random.randrange(1, 6)
            self.source.rpc.invalidateblock(self.source.rpc.getblockhash(chain.height - depth + 1))
            chain.refresh()
            chain.coins = [c for c in chain.coins if c.height <= chain.height]
            self.spare = []
            chain.mine(depth)
        for _ in range(self.random.randrange(1, 4)):
            coin = self.spare.pop() if self.spare and self.random.random() < 0.5 else chain.take()
            tx = spend(coin, outputs=[TxOut(coin.value // 40, OP_TRUE)] * 40)
            chain.mine(1, [tx], 0)
            self.spare = [coin_of(tx, n, chain.height) for n in range(40)]
        height = self.source.height()
        self.known |= {self.source.rpc.getblockhash(h) for h in range(height - 10, height + 1)}

    def test_loop(self):
        nodes = [Crashing(self, self.source, "-dbcrashratio=6", "-dbcache=4"),
                 Crashing(self, self.source, "-dbcrashratio=25", "-dbbatchsize=1000", "-txindex"),
                 Crashing(self, self.source, "-dbcrashratio=5", "-dbbatchsize=1000", "-fastprune", "-prune=1")]
        pruning = nodes[2]
        # The index writes with each block: it must get further than a batch before it ends.
        while sum(n.crashes for n in nodes) < CRASHES or not all(n.crashes for n in nodes):
            self.more()
            for n in nodes:
                n.follow(self.known)
            pruning.attempt(lambda: pruning.node.rpc.pruneblockchain(pruning.node.height()))
        self.assertFalse(os.path.exists(os.path.join(pruning.node.chain_dir, "blocks", "blk00000.dat")))
        coins = self.source.rpc.gettxoutsetinfo("muhash")
        for n in nodes:
            depth = 288 if n is pruning else 0
            n.attempt(lambda n=n, depth=depth: self.assertTrue(n.node.rpc.verifychain(4, depth)))
            n.attempt(lambda n=n: self.same(n.node.rpc.gettxoutsetinfo("muhash"), coins))
            self.assertNotIn("-reindex", n.node.log())
            n.node.kill()
        print(f"{sum(n.crashes for n in nodes)} crashes in {sum(n.starts for n in nodes)} starts, "
              f"all recovered without a reindex")

    def same(self, a, b):
        for field in ("bestblock", "txouts", "total_amount", "muhash"):
            self.assertEqual(a[field], b[field])


if __name__ == "__main__":
    framework.main()
