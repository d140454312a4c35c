"""Blocks and transactions made by hand, to be bent and then fed to a node.

    chain = Chain(node)                 # follows the node's tip
    chain.mine(101)                     # coins to spend: chain.coins
    block = chain.block([tx])           # a good one; bend its fields
    chain.submit(block)                 # None, or the reject reason

Transactions and storage bodies are those of test/model.
"""
import os
import struct
import sys
import time

import framework

sys.path.insert(0, os.path.join(framework.TOP, "test", "model"))

from primitives import compact, le, sha256, sized        # noqa: E402
from storage_model import Tx, TxIn, TxOut                # noqa: E402

COIN = 10**8
MAX_MONEY = 21_000_000 * COIN
OP_TRUE = b"\x51"
P2WSH_TRUE = b"\0\x20" + sha256(OP_TRUE)     # standard; the witness is OP_TRUE
NULL = bytes(32)
FINAL = 0xffffffff


def hash256(b):
    return sha256(sha256(b))


def merkle(hashes):
    while len(hashes) > 1:
        hashes = hashes + hashes[-1:] * (len(hashes) % 2)
        hashes = [hash256(a + b) for a, b in zip(hashes[::2], hashes[1::2])]
    return hashes[0]


def push_number(n):
    """As Script pushes a height."""
    if n <= 16:
        return bytes([0x50 + n]) if n else b"\0"
    b = le(n, (n.bit_length() + 8) // 8)
    return bytes([len(b)]) + b


def shown(b):
    return b[::-1].hex()


class Coin:
    def __init__(self, txid, vout, value, height):
        self.txid, self.vout, self.value, self.height = txid, vout, value, height


def spend(*coins, outputs=None, fee=0, sequence=FINAL, script=OP_TRUE):
    """A transaction that spends coins of script, OP_TRUE or P2WSH_TRUE; outputs: values to script, or TxOut."""
    if outputs is None:
        outputs = [sum(c.value for c in coins) - fee]
    witness = [OP_TRUE] if script == P2WSH_TRUE else []
    return Tx([TxIn(c.txid, c.vout, sequence=sequence, witness=list(witness)) for c in coins],
              [o if isinstance(o, TxOut) else TxOut(o, script) for o in outputs])


def coin_of(tx, vout=0, height=0):
    return Coin(tx.txid, vout, tx.vout[vout].value, height)


class Block:
    def __init__(self, version, prev, when, bits, txs):
        self.version, self.prev, self.time, self.bits, self.txs = version, prev, when, bits, txs
        self.nonce, self.root = 0, None

    def header(self):
        root = self.root or merkle([t.txid for t in self.txs])
        return struct.pack("<I32s32sIII", self.version & 0xffffffff, self.prev, root, self.time, self.bits, self.nonce)

    @property
    def hash(self):
        return hash256(self.header())

    def solve(self, good=True):
        """A nonce that meets the target of regtest, or one that does not."""
        while (self.hash[31] < 0x80) != good:
            self.nonce += 1
        return self

    def serialise(self):
        return self.header() + compact(len(self.txs)) + b"".join(t.serialise() for t in self.txs)

    def commit(self, nonce=NULL, wrong=False):
        """Add the commitment to all witnesses to the coinbase (BIP 141)."""
        hashes = [NULL] + [hash256(t.serialise()) for t in self.txs[1:]]
        commitment = hash256(merkle(hashes) + nonce)
        if wrong:
            commitment = bytes(32)
        self.txs[0].vin[0].witness = [nonce]
        self.txs[0].vout.append(TxOut(0, b"\x6a\x24\xaa\x21\xa9\xed" + commitment))
        return self


class Chain:
    def __init__(self, node, script=OP_TRUE):
        """Coinbases pay to script."""
        self.node, self.rpc, self.script = node, node.rpc, script
        self.storage = "bitcoin" not in node.chain
        self.coins = []
        self.unique = 0
        self.refresh()

    def refresh(self):
        tip = self.rpc.getblockheader(self.rpc.getbestblockhash())
        self.prev, self.height = bytes.fromhex(tip["hash"])[::-1], tip["height"]
        self.median, self.bits = tip["mediantime"], int(tip["bits"], 16)
        self.time = max(tip["time"], self.median) + 1

    def reward(self, height):
        subsidy = 50 * COIN >> height // (840_000 if self.storage else 150)
        return subsidy // 2 if self.storage else subsidy

    def coinbase(self, height=None, value=None):
        height = self.height + 1 if height is None else height
        value = self.reward(height) if value is None else value
        self.unique += 1
        return Tx([TxIn(NULL, 0xffffffff, push_number(height) + push_number(100_000 + self.unique), FINAL)],
                  [TxOut(value, self.script)])

    def block(self, txs=(), fees=0, witness=None):
        """A block on the tip, its coinbase taking the fees; with a commitment if there are witnesses."""
        coinbase = self.coinbase(value=self.reward(self.height + 1) + fees)
        b = Block(0x20000000, self.prev, self.time, self.bits, [coinbase, *txs])
        if witness or (witness is None and any(i.witness for t in txs for i in t.vin)):
            b.commit()
        return b

    def send(self, block):
        return self.rpc.submitblock(block.serialise().hex())

    def submit(self, block, solve=True):
        if solve:
            block.solve()
        result = self.send(block)
        if result is None:
            coinbase = block.txs[0]
            self.coins.append(coin_of(coinbase, 0, self.height + 1))
            self.refresh()
        return result

    def mine(self, count=1, txs=(), fees=0):
        for _ in range(count):
            result = self.submit(self.block(txs, fees))
            assert result is None, result
            txs, fees = (), 0

    def take(self):
        """A coin that is mature."""
        assert self.height + 1 - self.coins[0].height >= 100, "nothing is mature"
        return self.coins.pop(0)


def now():
    return int(time.time())
