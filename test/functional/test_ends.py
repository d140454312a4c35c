"""Starts that fail or end too early, and what is left of the folder then."""
import os
import socket

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


if __name__ == "__main__":
    framework.main()
