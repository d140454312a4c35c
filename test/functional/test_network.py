"""Whole networks: eight daemons that are parted, killed and pestered, and still come to one chain."""
import http.client
import os
import random
import threading

import framework
import peer

SIZE = 8
HALF = SIZE // 2


def join(nodes):
    """A ring with chords: whoever falls out, the others still reach each other."""
    for i, n in enumerate(nodes):
        for step in (1, 3):
            other = nodes[(i + step) % len(nodes)]
            if other is not n:
                n.connect(other)


class Network:
    def part(self, left, right):
        """Cut every connection between the two."""
        def across():
            return [(n, p["addr"]) for half, others in ((left, right), (right, left)) for n in half
                    for p in n.rpc.getpeerinfo() if p["addr"] in {o.address for o in others}]
        for n, address in across():
            n.rpc.disconnectnode(address)
        self.wait_until(lambda: not across(), what="parted")

    def launch(self, *args):
        nodes = [self.add_node(*args) for _ in range(SIZE)]
        for n in nodes:
            n.launch()
        for n in nodes:
            n.wait_ready()
        return nodes

    def test_partition(self):
        """Two halves go their ways with a double spend; the better one wins and nothing honest is lost."""
        nodes = self.launch()
        left, right = nodes[:HALF], nodes[HALF:]
        join(nodes)
        nodes[0].rpc.createwallet("w")
        wallet = nodes[0].rpc.wallet("w")
        nodes[0].generate(3, wallet.getnewaddress())
        nodes[0].generate(100)
        framework.sync(nodes)
        coins = wallet.listunspent()
        self.assertEqual(len(coins), 3)

        def spend(coin, address):
            raw = nodes[0].rpc.createrawtransaction(
                [{"txid": coin["txid"], "vout": coin["vout"]}], [{address: str(coin["amount"] - 1)}])
            return wallet.signrawtransactionwithwallet(raw)["hex"]

        mine, twice, theirs = coins
        kept = spend(mine, wallet.getnewaddress())
        first, second = spend(twice, wallet.getnewaddress()), spend(twice, framework.BURN[self.chain])
        other = spend(theirs, wallet.getnewaddress())

        self.part(left, right)
        high = {"maxfeerate": 0}
        kept_id = left[1].rpc.sendrawtransaction(kept, **high)
        first_id = left[2].rpc.sendrawtransaction(first, **high)
        second_id = right[1].rpc.sendrawtransaction(second, **high)
        other_id = right[2].rpc.sendrawtransaction(other, **high)
        for half, ids in ((left, {kept_id, first_id}), (right, {second_id, other_id})):
            self.wait_until(lambda h=half, i=ids: all(set(n.rpc.getrawmempool()) == i for n in h), what="told to a half")
        left[3].generate(5)
        right[3].generate(8)
        framework.sync(left)
        framework.sync(right)
        self.assertEqual(wallet.gettransaction(first_id)["confirmations"], 5)
        self.assertNotEqual(left[0].tip(), right[0].tip())

        join(nodes)
        framework.sync(nodes)
        self.assertEqual(nodes[0].height(), 103 + 8)
        # The loser's honest payment waits for a block again; its double spend is gone for good.
        self.wait_until(lambda: all(kept_id in n.rpc.getrawmempool() for n in left), what="waits again")
        self.assertLess(wallet.gettransaction(first_id)["confirmations"], 0)
        for n in nodes:
            self.assertNotIn(first_id, n.rpc.getrawmempool())
            self.assertEqual(n.rpc.gettxout(second_id, 0)["confirmations"], 8)
            self.assertIsNone(n.rpc.gettxout(first_id, 0))
        block = left[2].generate(1)[0]
        framework.sync(nodes)
        self.assertIn(kept_id, nodes[-1].rpc.getblock(block)["tx"])
        self.assertEqual([n.rpc.getrawmempool() for n in nodes], [[]] * SIZE)
        sums = {(r["txouts"], r["total_amount"], r["hash_serialized_3"]) for r in
                (n.rpc.gettxoutsetinfo() for n in nodes)}
        self.assertEqual(len(sums), 1)

    def test_kills_among_pests(self):
        """Miners on all nodes, two nodes killed at any moment again and again, each with pests at its door."""
        seed = int(os.environ.get("CC_SEED", "1"))
        print(f"seed: CC_SEED={seed}")
        dice = random.Random(seed)
        nodes = self.launch()
        others = {n: [nodes[(i + step) % SIZE] for step in (1, 3)] for i, n in enumerate(nodes)}
        join(nodes)
        nodes[0].generate(1)
        framework.sync(nodes)
        pests, answered, over = [], [], threading.Event()

        def pester(n):
            silent = peer.Peer(n, handshake=False)
            half = peer.Peer(n, handshake=False)
            half.raw(peer.frame(half.magic, "block", bytes(100_000))[:50_000])
            asks = peer.Peer(n)
            tip = bytes.fromhex(n.tip())[::-1]
            for _ in range(2_000):  # and never reads an answer
                asks.send("getdata", peer.inv((peer.BLOCK | peer.WITNESS, tip)))
            lies = peer.Peer(n)
            lies.send("inv", peer.inv(*((peer.TX, dice.randbytes(32)) for _ in range(5_000))))
            lies.send("headers", peer.compact(1) + dice.randbytes(80) + b"\0")
            pests.extend((silent, half, asks, lies))

        def mine(n, seed_of_miner):
            pause = random.Random(seed_of_miner)
            while not over.wait(pause.random() * 0.3):
                try:
                    answered.extend((n, block) for block in n.generate(1))
                except (framework.RpcError, OSError, http.client.HTTPException, ValueError):
                    pass  # it is being killed

        for n in nodes:
            pester(n)
        miners = [threading.Thread(target=mine, args=(n, seed + i)) for i, n in enumerate(nodes)]
        for m in miners:
            m.start()
        kills = 0
        try:
            for _ in range(4):
                for n in dice.sample(nodes, 2):
                    before = len(answered)
                    self.wait_until(lambda b=before: len(answered) > b, what="a block is mined")
                    n.kill()
                    kills += 1
                    n.start(*(f"-addnode={o.address}" for o in others[n]))
                    pester(n)
        finally:
            over.set()
            for m in miners:
                m.join()
        join([n for n in nodes if n.running()])
        nodes[-1].generate(2)  # of two chains alike one must be the better
        framework.sync(nodes)
        for n in nodes:
            self.assertTrue(n.rpc.verifychain(4, 6))
        # Whoever was told of a block has it, on the best chain or beside it.
        for n, block in answered:
            self.assertEqual(n.rpc.getblockheader(block)["hash"], block)
        self.assertGreater(nodes[0].height(), 10)
        print(f"{kills} kills, {len(pests)} pests, {len(answered)} answers held, height {nodes[0].height()}")
        for p in pests:
            p.sock.close()


class TestNetworkRegtest(Network, framework.TestCase):
    chain = "regtest"


class TestNetworkBitcoin(Network, framework.TestCase):
    chain = "bitcoin-regtest"


if __name__ == "__main__":
    framework.main()
