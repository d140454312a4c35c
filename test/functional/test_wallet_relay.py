"""What a wallet sends reaches other nodes."""
import framework


class TestWalletRelay(framework.TestCase):
    def test_a_payment_is_told_to_peers(self):
        a, b = self.start_nodes(2)
        a.rpc.createwallet("w")
        a.generate(101, a.rpc.wallet("w").getnewaddress())
        framework.sync([a, b])
        txid = a.rpc.wallet("w").sendtoaddress(framework.BURN[self.chain], 1)
        self.wait_until(lambda: txid in b.rpc.getrawmempool(), what="the payment reached the other node")


if __name__ == "__main__":
    framework.main()
