#!/usr/bin/env python3
"""Make the genesis block of each chain again and print the fields that
src/consensus/params.c keeps.

The block holds one transaction. Its input carries Bitcoin's two pushes
(04ffff001d 0104) and the chain's message; its output pays the miner's half of
the first subsidy to a bare OP_RETURN, so nobody owns it and it never enters
the coin set. The nonce is the lowest one that meets the bits. Nothing here is
random: whoever runs it gets the same blocks.
"""
import hashlib
import struct

# chain: version, time, bits, message, value in satoshi, output script
CHAINS = {
    "main": (4, 1795132800, 0x1e00ffff,
             b"2026-11-20 CloudCoin main: a coin that pays for kept promises",
             25 * 10**8, b"\x6a"),
    "test": (4, 1795132800, 0x1e0fffff,
             b"2026-11-20 CloudCoin test: promises to practise with",
             25 * 10**8, b"\x6a"),
    "regtest": (4, 1296688602, 0x207fffff,
                b"CloudCoin regtest: promises of one machine to itself",
                25 * 10**8, b"\x6a"),
}


def hash256(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def coinbase(message, value, script):
    assert len(message) <= 75
    script_sig = b"\x04\xff\xff\x00\x1d\x01\x04" + bytes([len(message)])
    script_sig += message
    return (struct.pack("<iB", 1, 1) + bytes(32) + b"\xff\xff\xff\xff" +
            bytes([len(script_sig)]) + script_sig + b"\xff\xff\xff\xff" +
            struct.pack("<Bq", 1, value) + bytes([len(script)]) + script +
            struct.pack("<I", 0))


def mine(version, time, bits, message, value, script):
    root = hash256(coinbase(message, value, script))
    head = struct.pack("<i32s32sII", version, bytes(32), root, time, bits)
    target = (bits & 0x7fffff) << 8 * ((bits >> 24) - 3)
    first = hashlib.sha256(head[:64])
    for nonce in range(1 << 32):
        inner = first.copy()
        inner.update(head[64:] + struct.pack("<I", nonce))
        found = hashlib.sha256(inner.digest()).digest()
        if found[31] == 0 or target >> 248:
            if int.from_bytes(found, "little") <= target:
                return nonce, root, found
    raise SystemExit("no nonce: change the time")


for name, fields in CHAINS.items():
    nonce, root, found = mine(*fields)
    print(f"{name}: nonce {nonce}, root {root[::-1].hex()}, "
          f"hash {found[::-1].hex()}", flush=True)
    print("    hash bytes " + ", ".join(f"0x{b:02x}" for b in found))
