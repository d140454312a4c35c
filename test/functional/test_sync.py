"""Nodes find one chain: headers first, from several peers, after forks and restarts."""
import framework


class Sync:
    def test_thousand_blocks_and_a_fork(self):
        a, b = self.start_node(), self.start_node()
        a.generate(1000)
        b.connect(a)
        framework.sync([a, b])
        self.assertEqual(b.height(), 1000)
        for p in b.rpc.getpeerinfo():
            b.rpc.disconnectnode(p["addr"])
        self.wait_until(lambda: not a.rpc.getpeerinfo() and not b.rpc.getpeerinfo(), what="apart")
        a.generate(20)
        b.generate(21)
        self.assertNotEqual(a.tip(), b.tip())
        b.connect(a)
        framework.sync([a, b])
        self.assertEqual(a.height(), 1021)

    def test_from_several_peers(self):
        a, b, c = self.start_nodes(3)
        a.generate(300)
        framework.sync([a, b, c])
        d = self.start_node("-debug=net")
        for n in (a, b, c):
            d.connect(n)
        framework.sync([a, d])
        # A new block reaches everybody without a new handshake.
        d.generate(1)
        framework.sync([a, b, c, d])

    def test_from_who_came_to_us(self):
        """What nobody we chose has, we take from who came."""
        a, b, c = self.start_node(), self.start_node(), self.start_node()
        a.connect(b)
        b.connect(c)
        a.generate(3)
        framework.sync([a, b, c])

    def test_restart_goes_on(self):
        a, b = self.start_node(), self.start_node()
        a.generate(200)
        b.stop()
        b.start(f"-addnode={a.address}")
        framework.sync([a, b])
        b.kill()
        a.generate(50)
        b.start(f"-addnode={a.address}")
        framework.sync([a, b])

    def test_connect_only(self):
        a = self.start_node()
        b = self.start_node(f"-connect={a.address}")
        a.generate(5)
        framework.sync([a, b])
        info = b.rpc.getpeerinfo()
        self.assertEqual([(p["addr"], p["connection_type"], p["inbound"]) for p in info],
                         [(a.address, "manual", False)])
        # The connection comes back by itself.
        a.rpc.disconnectnode(nodeid=a.rpc.getpeerinfo()[0]["id"])
        a.generate(5)
        framework.sync([a, b])

    def test_network_inactive(self):
        a, b = self.start_nodes(2)
        self.assertFalse(a.rpc.setnetworkactive(False))
        self.wait_until(lambda: a.rpc.getnetworkinfo()["connections"] == 0, what="nobody there")
        a.generate(3)
        self.assertEqual(b.height(), 0)
        self.assertTrue(a.rpc.setnetworkactive(True))
        b.connect(a)
        framework.sync([a, b])


class TestSyncRegtest(Sync, framework.TestCase):
    chain = "regtest"


class TestSyncBitcoin(Sync, framework.TestCase):
    chain = "bitcoin-regtest"

    def test_long_reorganisation(self):
        """A chain that forks long ago and has more work, in more than one headers message."""
        a, b = self.start_node(), self.start_node()
        a.generate(2300)
        b.generate(2500)
        b.connect(a)
        framework.sync([a, b])
        self.assertEqual(a.height(), 2500)


if __name__ == "__main__":
    framework.main()
