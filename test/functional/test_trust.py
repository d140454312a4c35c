"""What a node takes on trust, and what it does not: -assumevalid, -minimumchainwork."""
import framework
import peer
from blocks import COIN, NULL, OP_TRUE, Block, Tx, TxIn, TxOut, coin_of, push_number, shown, spend

OP_FALSE = b"\0"
BURIED = 2017     # blocks of ten minutes that are just over two weeks


class Offline:
    """A chain made without a node, from the genesis block on."""

    def __init__(self, node):
        genesis = node.rpc.getblockheader(node.rpc.getblockhash(0))
        self.prev, self.time, self.height = bytes.fromhex(genesis["hash"])[::-1], genesis["time"], 0
        self.blocks = []

    def add(self, *txs):
        self.height += 1
        self.time += 1
        subsidy = 50 * COIN >> self.height // 150
        coinbase = Tx([TxIn(NULL, 0xffffffff, push_number(self.height) + OP_TRUE, 0xffffffff)],
                      [TxOut(subsidy, OP_TRUE)])
        b = Block(0x20000000, self.prev, self.time, 0x207fffff, [coinbase, *txs]).solve()
        self.prev = b.hash
        self.blocks.append(b)
        return coinbase


class AssumeValid(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        plain = self.start_node()
        chain = Offline(plain)
        first = chain.add()
        for _ in range(100):
            chain.add()
        locked = spend(coin_of(first), outputs=[TxOut(first.vout[0].value, OP_FALSE)])
        chain.add(locked)
        chain.add(spend(coin_of(locked), outputs=[locked.vout[0].value]))
        self.bad = chain.height
        for _ in range(BURIED):
            chain.add()
        self.blocks, self.plain = chain.blocks, plain

    def feed(self, node, headers):
        """The headers as a peer tells them, then the blocks up to a bit behind the bad one."""
        with peer.Peer(node) as p:
            for at in range(0, headers, 2000):
                some = self.blocks[at:min(at + 2000, headers)]
                p.send("headers", peer.compact(len(some)) + b"".join(b.header() + b"\0" for b in some))
            p.sync()
        self.assertEqual(node.rpc.getblockchaininfo()["headers"], headers)
        return [node.rpc.submitblock(b.serialise().hex()) for b in self.blocks[:self.bad + 5]]

    def test_scripts_below_are_not_run(self):
        bad = shown(self.blocks[self.bad - 1].hash)
        node = self.start_node(f"-assumevalid={bad}")
        self.assertIn(f"Assuming ancestors of block {bad} have valid signatures.", node.log())
        self.feed(node, self.bad + BURIED)
        self.assertEqual(node.height(), self.bad + 5)

    def test_without_it_they_are(self):
        self.assertIn("Validating signatures for all blocks.", self.plain.log())
        answers = self.feed(self.plain, self.bad + BURIED)
        self.assertIn("mandatory-script-verify-flag-failed", answers[self.bad - 1])
        self.assertEqual(self.plain.height(), self.bad - 1)

    def test_not_deep_enough(self):
        node = self.start_node(f"-assumevalid={shown(self.blocks[self.bad - 1].hash)}")
        self.feed(node, self.bad + BURIED - 1)
        self.assertEqual(node.height(), self.bad - 1)


class MinimumWork(framework.TestCase):
    chain = "bitcoin-regtest"

    def test_no_number(self):
        node = self.add_node()
        self.assertEqual(node.start_fails("-minimumchainwork=xyz"),
                         (1, "Error: Invalid non-hex (xyz) minimum chain work value specified\n"))

    def test_too_little_is_not_fetched(self):
        """Two for each block: 0x65 is reached with 50 on top of the genesis block."""
        source, node, after = self.start_node(), self.start_node("-minimumchainwork=0x65"), self.start_node()
        self.assertIn("Setting nMinimumChainWork=" + "65".rjust(64, "0"), node.log())
        source.generate(49)
        node.connect(source)
        after.connect(node)
        with peer.Peer(node) as p:
            # Nobody is led towards a chain that may be a wrong one, nor left without an answer.
            p.send("getheaders", b"\x7f\x11\x01\0" + peer.compact(1) + bytes(32) + bytes(32))
            self.assertEqual(p.wait("headers"), b"\0")
            p.sync()
        self.assertTrue(node.rpc.getblockchaininfo()["initialblockdownload"])
        self.assertEqual((node.height(), after.height()), (0, 0))
        source.generate(1)
        framework.sync([source, node, after])
        self.assertFalse(node.rpc.getblockchaininfo()["initialblockdownload"])


if __name__ == "__main__":
    framework.main()
