"""Reads ../data/storage_tx.json back and judges every case with the model: what another implementation must do."""
import json
import os

from storage_model import *

here = os.path.dirname(os.path.abspath(__file__))
d = json.load(open(os.path.join(here, "..", "data", "storage_tx.json")))
hashes = [bytes.fromhex(x) for x in d["hashes"]]
states = {int(k): State(s["pool"], int(s["T"], 16), s["n"]) for k, s in d["states"].items()}
for c in d["cases"]:
    tx = parse_tx(bytes.fromhex(c["tx"]))
    coins = [Coin(p["value"], bytes.fromhex(p["script"]), p["height"], p["coinbase"]) for p in c["prevouts"]]
    try:
        r = check_tx(tx, coins, View(REGTEST, bytes.fromhex(d["genesis"]), c["h"], hashes, states))
        e = c["expect"]
        assert c["valid"] and (r.fee, r.mint, r.pool, r.claims, r.lo, r.hi, r.read) == tuple(
            e[k] for k in ("fee", "mint", "pool", "claims", "lo", "hi", "read")), c["why"]
    except Bad as e:
        assert not c["valid"] and (e.reason, e.soft) == (c["error"], c["soft"]), c["why"]
print(len(d["cases"]), "cases agree")
