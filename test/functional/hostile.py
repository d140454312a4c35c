"""What the tests of hostile peers share: a node, an honest peer beside them, blocks to spoil."""
import framework
from peer import Header, Peer, block, coinbase, merkle, sha256d

UNKNOWN = bytes(range(32))


class Hostile(framework.TestCase):
    chain = "bitcoin-regtest"

    def setUp(self):
        super().setUp()
        self.node = self.start_node("-debug=net", "-debug=mempool")
        self.node.generate(3)
        self.honest = Peer(self.node)
        self.honest.sync()

    def tearDown(self):
        try:
            self.honest.sync()  # still connected, still answered
            self.assertTrue(self.node.running())
        finally:
            self.honest.sock.close()
            super().tearDown()

    def assert_log(self, *texts):
        self.wait_until(lambda: all(t in self.node.log() for t in texts), what=f"log says {texts}")

    def next_header(self, root=None, after=None, step=1):
        tip = self.node.rpc.getblockheader(after or self.node.tip())
        prev = bytes.fromhex(tip["hash"])[::-1]
        return Header(prev, root or bytes(32), tip["time"] + step), tip["height"] + 1

    def next_block(self, change=lambda txs, header: None, value=50 * 10**8, good=True, extra=b"\0"):
        """A block on the tip; change may spoil it before it is mined."""
        header, height = self.next_header()
        txs = [coinbase(height, value, extra)]
        header.root = merkle([sha256d(t) for t in txs])
        change(txs, header)
        header.mine(good)
        return header, block(header, txs)
