"""Writes ../data/storage_*.json from the model. Deterministic; run it again after a rule changes."""
import json
import os
from dataclasses import replace
from hashlib import shake_256

from storage_model import *

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
P = REGTEST
G = sha256(b"CloudCoin test genesis")
HASHES = [sha256(b"block" + le(h, 4)) for h in range(640)]
SK = {name: (n + 1).to_bytes(32, "big") for n, name in
      enumerate(["renter", "host", "other", "ident", "host2", "renter2"])}
PK = {name: pubkey(sk) for name, sk in SK.items()}
BY_KEY = {PK[n]: SK[n] for n in SK}
TRUE = b"\x51"                                     # ordinary coins: anyone can spend


def hx(b):
    return b.hex()


def save(name, data):
    with open(os.path.join(OUT, name), "w") as f:
        f.write("{\n")
        for n, (key, value) in enumerate(data.items()):
            f.write(",\n" if n else "")
            if isinstance(value, list):
                rows = ",\n".join("  " + json.dumps(v, ensure_ascii=True) for v in value)
                f.write('"%s": [\n%s\n]' % (key, rows))
            else:
                f.write('"%s": %s' % (key, json.dumps(value, ensure_ascii=True)))
        f.write("\n}\n")
    print(name, os.path.getsize(os.path.join(OUT, name)), "bytes")


# ------------------------------------------------------------------------------------- test data
def raw_leaf(n):
    return shake_256(b"leaf" + le(n, 8)).digest(LEAF)


LEAVES = [raw_leaf(n) for n in range(3 * SECTOR_LEAVES)]
LEAF_HASHES = [leaf_hash(x) for x in LEAVES]
SECTOR_ROOTS = [merkle_root(LEAF_HASHES[s * 4096:(s + 1) * 4096]) for s in range(3)]
ROOTS = {n: merkle_root(SECTOR_ROOTS[:n]) for n in (1, 2, 3)}
ROOTS[0] = ZERO


def path_of(sectors, leaf):
    s = leaf // 4096
    inner = merkle_path(LEAF_HASHES[s * 4096:(s + 1) * 4096], leaf % 4096)
    return b"".join(inner + merkle_path(SECTOR_ROOTS[:sectors], s))


def sample(sectors, leaf):
    return LEAVES[leaf] + path_of(sectors, leaf)


# --------------------------------------------------------------------------- building transactions
def find_id(pattern, start, period, odds):
    """A contract id for which heights 1, 2, ... are called as pattern says ('1' called)."""
    for n in range(10 ** 6):
        cid = sha256(b"contract id" + le(n, 4))
        if all(called_by(HASHES[start + i * period], cid, odds) == (c == "1")
               for i, c in enumerate(pattern, 1)):
            return cid
    raise LookupError(pattern)


def contract(pattern=None, **kw):
    odds = kw.get("odds", 1)
    c = Contract(ZERO, PK["renter"], PK["host"], ROOTS[3], 3, 5, 100, 12, 6, 0, 2, odds,
                 50_000, 20_000, 300_000, 0)
    c = replace(c, **kw)
    if "contract_id" not in kw:
        c = replace(c, contract_id=find_id(pattern or "", c.start, c.period, c.odds))
    return c


class In:
    """An input: coin, outpoint, witness elements before the signatures, who signs."""
    count = 0

    def __init__(self, coin, elements=None, signers=(), script_sig=b"", prevout=None):
        In.count += 1
        self.coin, self.elements, self.signers, self.script_sig = coin, elements, signers, script_sig
        self.txid, self.vout = prevout or (sha256(b"outpoint" + le(In.count, 4)), In.count % 3)

    @property
    def prevout(self):
        return self.txid + le(self.vout, 4)


def typed_coin(body, value, height=90, signed=True):
    if body.forming and not body.sigs:              # a coin: formation signatures were checked once
        body = replace(body, sigs=sha256(b"old signatures") * 2 * len(body.signers))
    return Coin(value, typed_script(body), height)


def cash(value, height=50, coinbase=False):
    return In(Coin(value, TRUE, height, coinbase))


class Form:
    """A forming output, signed when its place is known."""

    def __init__(self, body, value, **override):
        self.body, self.value, self.over = body, value, override


def build(ins, outs, after=None):
    tx = Tx([TxIn(i.txid, i.vout, i.script_sig) for i in ins], [])
    for n, o in enumerate(outs):
        if isinstance(o, Form):
            v = o.over
            msg = form_message(v.get("G", G), v.get("prevout", tx.vin[0].prevout), v.get("index", n),
                               v.get("signed_value", o.value), v.get("signed_body", o.body))
            sigs = b"".join(schnorr_sign(BY_KEY[k], msg) for k in v.get("keys", o.body.signers))
            o = TxOut(o.value, typed_script(replace(o.body, sigs=v.get("sigs", sigs))))
        tx.vout.append(o)
    coins = [i.coin for i in ins]
    for n, i in enumerate(ins):
        if i.elements is not None:
            msg = action_message(G, tx, coins, n, i.elements)
            tx.vin[n].witness = list(i.elements) + [schnorr_sign(SK[s], msg) for s in i.signers]
    if after:
        after(tx)
    return tx, coins


def REV(cid, n, root, sectors, who, **o):
    msg = revision_message(o.get("G", G), o.get("id", cid), o.get("n", n), root, sectors)
    return le(n, 4) + root + le(sectors, 4) + schnorr_sign(SK[who], msg)


def VOU(cid, amount, who="renter", **o):
    return le(amount, 8) + schnorr_sign(SK[who], voucher_message(o.get("G", G), o.get("id", cid), amount))


def out(body, value):
    return TxOut(value, typed_script(body))


CASES, STATES, FAULTS = [], {}, []


def states_json():
    return {str(d): {"pool": s.pool, "T": "%064x" % s.T, "n": s.n} for d, s in STATES.items()}


def case(why, h, ins, outs, expect=True, after=None, tx=None):
    """expect: True, or a part of the model's reason for refusing (so that a case fails for the cause
    it is meant to show)."""
    tx, coins = tx or build(ins, outs, after=after)
    view = View(P, G, h, HASHES, STATES)
    row = {"why": why, "h": h, "tx": hx(tx.serialise()),
           "prevouts": [{"value": c.value, "script": hx(c.script), "height": c.height,
                         "coinbase": c.coinbase} for c in coins]}
    try:
        r = check_tx(tx, coins, view)
        if expect is not True:
            FAULTS.append("%s: valid, expected %r" % (why, expect))
        row["valid"] = True
        row["expect"] = {
            "txid": hx(tx.txid), "fee": r.fee, "mint": r.mint, "pool": r.pool, "claims": r.claims,
            "sigops": r.sigops, "owed": {hx(k): v for k, v in r.owed.items()},
            "successors": [{"input": n, "script": hx(typed_script(s.successor)), "value": s.value}
                           for n, s in r.steps.items() if s.successor],
            "maturing": r.maturing, "lo": r.lo, "hi": r.hi, "read": r.read}
    except Bad as e:
        if expect is True or expect not in e.reason:
            FAULTS.append("%s: %s, expected %r" % (why, e.reason, expect))
        row.update(valid=False, soft=e.soft, error=e.reason)
    CASES.append(row)
    return tx


# ------------------------------------------------------------------------------------------ PROVE
def prove_parts(c, value, i, prevout, h, rev=None, vou=None, proof=None):
    """(elements, successor, value') without checking any precondition."""
    cid = c.id(prevout)
    is_c = lambda j: called_by(HASHES[c.due(j)], cid, c.odds)
    k = sum(is_c(j) for j in range(c.done + 1, i))
    e = i - c.done - k
    flags = (1 if rev else 0) | (2 if vou else 0)
    elements = [b"\x01" + le(i, 2) + bytes([flags])] + [x for x in (rev, vou) if x]
    if proof is None:
        proof = []
        if c.sectors and is_c(i):
            proof = [sample(c.sectors, x) for x in sample_indices(c, cid, HASHES[c.due(i)])]
    s = replace(c, contract_id=cid, sigs=b"", done=i, allowance=c.allowance + k * c.rent)
    value -= e * c.rent + k * c.penalty
    if vou:
        value -= num(vou[:8]) - s.redeemed
        s = replace(s, redeemed=num(vou[:8]))
    if rev:
        s = replace(s, revision=num(rev[:4]), root=rev[4:36], sectors=num(rev[36:40]))
    return elements + proof, s, value


def prove(why, h, c, i, expect=True, free=111_111, change=None, dvalue=0, succ=None, outs=None, signer="host",
          after=None, fee=1000, edit=None, value=None, script_sig=b"", **kw):
    coin = typed_coin(c, value or c.need(P) + free)
    x = In(coin, None, [signer], script_sig)
    elements, s, v = prove_parts(c, coin.value, i, x.prevout, h, **kw)
    x.elements = edit(elements) if edit else elements
    s = replace(s, **succ) if succ else s
    k = (s.allowance - c.allowance) // c.rent if c.rent else 0
    pool = k * c.penalty if not succ else 0
    released = coin.value - v - pool
    res = [out(s, v + dvalue)] + ([TxOut(max(released - fee - dvalue, 0), pay_script(PK["host"]))])
    if change:
        res = change(res)
    return case("PROVE: " + why, h, [x], res, expect, after)


def prove_cases():
    c = contract()
    prove("first due height, first block after it", 113, c, 1)
    prove("last block of the window", 118, c, 1)
    prove("in the due block itself", 112, c, 1, "height out of range")
    prove("one block after the window", 119, c, 1, "window of the called height has passed")
    prove("one called height missed: its penalty to the pool, its rent to the allowance", 125, c, 2)
    prove("two missed", 142, c, 3)
    prove("three missed", 149, c, 4, "too many called heights missed")
    prove("i = done", 125, replace(c, done=1), 1, "i not in")
    prove("i = 0", 113, c, 0, "i not in")
    prove("i over periods", 185, replace(c, done=6), 7, "done over periods", proof=[])
    prove("last period", 173, replace(c, done=5), 6)
    prove("due not reached", 120, c, 2, "height out of range")
    cid = c.contract_id
    prove("with a voucher", 113, c, 1, vou=VOU(cid, 120_000))
    prove("with a voucher up to the allowance", 113, c, 1, vou=VOU(cid, 300_000))
    prove("with a voucher over the allowance", 113, c, 1, "over allowance", vou=VOU(cid, 300_001))
    prove("one missed: voucher up to allowance + rent of the missed", 125, c, 2, vou=VOU(cid, 350_000))
    prove("one missed: voucher one more than that", 125, c, 2, "over allowance", vou=VOU(cid, 350_001))
    d = replace(c, redeemed=120_000)
    prove("voucher equal to redeemed", 113, d, 1, "VOU", vou=VOU(cid, 120_000))
    prove("voucher below redeemed", 113, d, 1, "VOU", vou=VOU(cid, 119_999))
    prove("voucher one above redeemed", 113, d, 1, vou=VOU(cid, 120_001))
    prove("voucher signed by the host", 113, c, 1, "signature", vou=VOU(cid, 5, "host"))
    prove("voucher of another contract", 113, c, 1, "signature", vou=VOU(cid, 5, id=sha256(b"x")))
    prove("voucher of another chain", 113, c, 1, "signature", vou=VOU(cid, 5, G=sha256(b"x")))
    r6 = REV(cid, 6, ROOTS[2], 2, "renter")
    prove("with a revision", 113, c, 1, rev=r6)
    prove("with revision and voucher", 113, c, 1, rev=r6, vou=VOU(cid, 7))
    prove("revision number not above the coin's", 113, c, 1, "number does not rise",
          rev=REV(cid, 5, ROOTS[2], 2, "renter"))
    prove("revision number 2^32 - 1", 113, c, 1, rev=REV(cid, 2 ** 32 - 1, ROOTS[1], 1, "renter"))
    prove("revision signed by the host itself", 113, c, 1, "signature", rev=REV(cid, 6, ROOTS[2], 2, "host"))
    prove("revision to an empty contract", 113, c, 1, rev=REV(cid, 6, ZERO, 0, "renter"))
    prove("revision: sectors zero, root not", 113, c, 1, "sectors zero", rev=REV(cid, 6, ROOTS[1], 0, "renter"))
    prove("revision: root zero, sectors not", 113, c, 1, "sectors zero", rev=REV(cid, 6, ZERO, 1, "renter"))
    prove("revision: 2^24 + 1 sectors", 113, c, 1, "too many sectors",
          rev=REV(cid, 6, ROOTS[1], 2 ** 24 + 1, "renter"))
    prove("samples against the revision's root", 113, c, 1, "path", rev=r6,
          proof=[sample(2, x % 8192) for x in sample_indices(c, cid, HASHES[112])])
    idx = sample_indices(c, cid, HASHES[112])
    good = [sample(3, x) for x in idx]
    flip = lambda b, n: b[:n] + bytes([b[n] ^ 1]) + b[n + 1:]
    prove("a bit of the leaf flipped", 113, c, 1, "path", proof=[flip(good[0], 9), good[1]])
    prove("a bit of the path flipped", 113, c, 1, "path", proof=[good[0], flip(good[1], 1100)])
    prove("path one node short", 113, c, 1, "size of a sample", proof=[good[0][:-32], good[1]])
    prove("path one node long", 113, c, 1, "size of a sample", proof=[good[0] + ZERO, good[1]])
    prove("path one byte long", 113, c, 1, "size of a sample", proof=[good[0] + b"\0", good[1]])
    prove("one sample missing", 113, c, 1, "number of samples", proof=good[:1])
    prove("one sample too many", 113, c, 1, "number of samples", proof=good + good[:1])
    prove("no samples", 113, c, 1, "number of samples", proof=[])
    prove("samples in the wrong order", 113, c, 1, "path" if len(good[0]) == len(good[1]) else "size",
          proof=good[::-1])
    prove("samples of the previous due height", 125, replace(c, done=1), 2, ("path"), proof=[
        sample(3, x) if len(sample(3, x)) == len(sample(3, y)) else LEAVES[x] + path_of(3, y)
        for x, y in zip(idx, sample_indices(c, cid, HASHES[124]))])
    prove("one sector, sixteen samples", 113, contract(sectors=1, root=ROOTS[1], samples=16), 1)
    prove("two sectors, one sample", 113, contract(sectors=2, root=ROOTS[2], samples=1), 1)
    prove("empty contract: no samples", 113, contract(sectors=0, root=ZERO), 1)
    prove("empty contract with a sample", 113, contract(sectors=0, root=ZERO), 1, "number of samples",
          proof=good[:1])
    w0 = lambda b: (lambda e: [b] + e[1:])
    prove("flag bit 2 set", 113, c, 1, "flags", edit=w0(b"\1\1\0\4"))
    prove("flag bit 3 set", 113, c, 1, "flags", edit=w0(b"\1\1\0\x08"))
    prove("flag says REV, none there", 113, c, 1, "REV", edit=w0(b"\1\1\0\1"))
    prove("flag says VOU, none there", 113, c, 1, "VOU", edit=w0(b"\1\1\0\2"))
    prove("VOU before REV", 113, c, 1, "REV", rev=r6, vou=VOU(cid, 7),
          edit=lambda e: [e[0], e[2], e[1]] + e[3:])
    prove("first element one byte long", 113, c, 1, "size of the first", edit=w0(b"\1\1\0\0\0"))
    prove("first element one byte short", 113, c, 1, "size of the first", edit=w0(b"\1\1\0"))
    prove("unknown action 02", 113, c, 1, "unknown action", edit=w0(b"\2\1\0\0"))
    prove("action of another kind", 113, c, 1, "not for this kind", edit=lambda e: [b"\x22"])
    prove("an empty element before the samples", 113, c, 1, "number of samples", edit=lambda e: [e[0], b""] + e[1:])
    prove("signed by the renter", 113, c, 1, "signature", signer="renter")
    prove("no witness", 113, c, 1, "unknown action", after=lambda tx: setattr(tx.vin[0], "witness", []))
    prove("signature with a hash type byte", 113, c, 1, "signature size",
          after=lambda tx: tx.vin[0].witness.append(tx.vin[0].witness.pop() + b"\0"))
    prove("signature cut to 63 bytes", 113, c, 1, "signature size",
          after=lambda tx: tx.vin[0].witness.append(tx.vin[0].witness.pop()[:-1]))
    prove("an element after the signature", 113, c, 1, "signature size",
          after=lambda tx: tx.vin[0].witness.append(b"\x50annex"))
    prove("an output changed after signing", 113, c, 1, "signature",
          after=lambda tx: setattr(tx.vout[1], "value", tx.vout[1].value - 1))
    prove("lock time changed after signing", 113, c, 1, "signature", after=lambda tx: setattr(tx, "locktime", 1))
    prove("voucher swapped after signing", 113, c, 1, "signature", vou=VOU(cid, 7), after=lambda tx:
          tx.vin[0].witness.__setitem__(1, le(7, 8) + tx.vin[0].witness[1][8:-1] + b"\0"))
    prove("scriptSig not empty", 113, c, 1, "scriptSig", script_sig=b"\x51")
    prove("successor one satoshi richer", 113, c, 1, "not the successor", dvalue=1)
    prove("successor one satoshi poorer", 113, c, 1, "not the successor", dvalue=-1)
    prove("successor: done not advanced", 113, c, 1, "value below need", succ={"done": 0}, free=0)
    prove("successor: done one too far", 113, c, 1, "not the successor", succ={"done": 2})
    prove("successor: rent of the missed not in the allowance", 125, c, 2, "not the successor",
          succ={"allowance": 300_000})
    prove("successor: samples lowered", 113, c, 1, "not the successor", succ={"samples": 1})
    prove("successor: odds raised", 113, c, 1, "not the successor", succ={"odds": 2})
    prove("successor: host key changed", 113, c, 1, "not the successor", succ={"host_key": PK["other"]})
    prove("successor: another id", 113, c, 1, "does not name exactly one", succ={"contract_id": sha256(b"y")})
    prove("no successor", 113, c, 1, "no continuing output", change=lambda o: o[1:])
    prove("two successors", 113, c, 1, "two outputs continue", change=lambda o: [o[0], o[0]], free=10 ** 7,
          dvalue=0)
    prove("successor not the first output", 113, c, 1, change=lambda o: o[::-1])
    prove("outputs one satoshi over what is released", 113, c, 1, "outputs exceed", fee=-1)
    prove("nothing for the fee", 113, c, 1, fee=0)
    prove("penalty kept instead of going to the pool", 125, c, 2, "outputs exceed", fee=-20_000)
    f = contract(contract_id=ZERO, revision=0, start=100)
    prove("spends the forming coin: the successor carries the id", 113, f, 1)
    prove("successor of a forming coin without id", 113, f, 1, "signatures if and only if",
          succ={"contract_id": ZERO})
    big = contract(rent=0, penalty=0, allowance=0)
    prove("rent, penalty and allowance zero: only the deposit stays", 113, big, 1, free=0,
          change=lambda o: o[:1])
    # odds
    o = contract("001101", odds=3)
    prove("odds 3: uncalled height, no samples", 113, o, 1)
    prove("odds 3: samples for an uncalled height", 113, o, 1, "samples for an uncalled", proof=good)
    prove("odds 3: two uncalled heights at once", 125, o, 2)
    prove("odds 3: uncalled height long after its due height", 136, o, 1)
    prove("odds 3: called height pays for the uncalled below too", 137, o, 3)
    prove("odds 3: called height without samples", 137, o, 3, "number of samples", proof=[])
    prove("odds 3: called height after its window", 143, o, 3, "window of the called")
    prove("odds 3: uncalled height while a later called one is open", 142, o, 2)
    prove("odds 3: the same with a revision (no new root while a challenge is out)", 142, o, 2,
          "REV while a later height is called", rev=REV(o.contract_id, 6, ROOTS[2], 2, "renter"))
    prove("odds 3: uncalled height with a revision in the block of the called due height", 136, o, 2,
          rev=REV(o.contract_id, 6, ROOTS[2], 2, "renter"))
    prove("odds 3: uncalled height after the window of a later called one", 143, o, 2,
          "a later called height was missed")
    prove("odds 3: called height after one missed called height", 149, o, 4)
    prove("odds 3: uncalled height above a missed one", 161, o, 5, "below an uncalled one was missed")
    prove("odds 3: third called height, two missed", 173, o, 6)
    q = contract("000000", odds=7)
    prove("odds 7: none called: one PROVE takes all rent at the last block", 178, q, 6)
    prove("odds 7: one block after the last window", 179, q, 6, "height out of range")
    prove("odds 7: not yet due", 160, q, 5, "height out of range")
    prove("odds 7: with revision and voucher", 178, q, 6, rev=REV(q.contract_id, 6, ROOTS[2], 2, "renter"),
          vou=VOU(q.contract_id, 300_000))
    m = contract("1111", odds=3)
    prove("odds 3: fourth called height, three missed", 149, m, 4, "too many called heights missed")
    prove("odds 64: called", 113, contract("1", odds=64), 1)


# ------------------------------------------------------------------------------------------- SYNC
def sync(why, h, c, expect=True, rev=None, vou=None, renter=False, flags=None, signer=None, dvalue=0,
         succ=None, free=111_111):
    coin = typed_coin(c, c.need(P) + free)
    x = In(coin, None, [signer or ("renter" if renter else "host")])
    f = (1 if rev else 0) | (2 if vou else 0) | (4 if renter else 0) if flags is None else flags
    x.elements = [b"\x03" + bytes([f])] + [e for e in (rev, vou) if e]
    s, value = replace(c, contract_id=c.id(x.prevout), sigs=b""), coin.value
    if vou:
        value -= num(vou[:8]) - c.redeemed
        s = replace(s, redeemed=num(vou[:8]))
    if rev:
        s = replace(s, revision=num(rev[:4]), root=rev[4:36], sectors=num(rev[36:40]))
    s = replace(s, **succ) if succ else s
    extra = cash(5000)
    return case("SYNC: " + why, h, [x, extra], [out(s, value + dvalue),
                TxOut(coin.value - value - dvalue + 4000, TRUE)], expect)


def sync_cases():
    c = contract()
    cid = c.contract_id
    r = REV(cid, 6, ROOTS[2], 2, "renter")
    rh = REV(cid, 6, ROOTS[2], 2, "host")
    v = VOU(cid, 250_000)
    sync("host, voucher", 105, c, vou=v)
    sync("host, revision", 105, c, rev=r)
    sync("host, both", 105, c, rev=r, vou=v)
    sync("renter, revision", 105, c, rev=rh, renter=True)
    sync("renter, revision signed by the renter only", 105, c, "signature", rev=r, renter=True)
    sync("renter's flag, host signs", 105, c, "signature", rev=rh, renter=True, signer="host")
    sync("nothing carried", 105, c, "flags", flags=0)
    sync("renter, nothing carried", 105, c, "flags", flags=4, signer="renter")
    sync("renter with a voucher", 105, c, "flags", vou=v, renter=True)
    sync("renter with both", 105, c, "flags", rev=rh, vou=v, renter=True)
    sync("flag bit 3", 105, c, "flags", rev=r, flags=9)
    sync("flags promise a voucher too", 105, c, "VOU", rev=r, flags=3)
    sync("an element too many", 105, c, "too many elements", rev=r, vou=v, flags=1)
    sync("revision in the due block", 112, c, rev=r)
    sync("revision one block after a called due height", 113, c, "REV while a called height", rev=r)
    sync("the same by the renter", 113, c, "REV while a called height", rev=rh, renter=True)
    sync("voucher while a challenge is open", 113, c, vou=v)
    sync("revision after the called height was proved", 113, replace(c, done=1), rev=r)
    sync("revision after a missed called height", 122, c, "REV while a called height", rev=r)
    o = contract("001101", odds=3)
    sync("odds 3: revision after uncalled due heights", 136, o, rev=REV(o.contract_id, 6, ROOTS[1], 1, "renter"))
    sync("odds 3: revision after a called one", 137, o, "REV while a called height",
         rev=REV(o.contract_id, 6, ROOTS[1], 1, "renter"))
    sync("revision number not above", 105, c, "does not rise", rev=REV(cid, 5, ROOTS[2], 2, "renter"))
    sync("revision with another root than signed", 105, c, "signature",
         rev=r[:4] + ROOTS[1] + r[36:])
    sync("voucher over the allowance", 105, c, "over allowance", vou=VOU(cid, 300_001))
    sync("successor keeps the voucher's money", 105, c, "not the successor", vou=v, dvalue=250_000)
    sync("successor: redeemed not raised", 105, c, "not the successor", vou=v, succ={"redeemed": 0},
         free=10 ** 7)
    sync("all periods done: no revision any more", 190, replace(c, done=6), "after the last period", rev=r)
    sync("voucher after the last window", 300, c, vou=v)
    sync("spends the forming coin", 105, contract(contract_id=ZERO, revision=0, start=106), "signature",
         rev=REV(ZERO, 6, ROOTS[2], 2, "renter"))


# ----------------------------------------------------------------------------------------- REVISE
def revise(why, h, c, expect=True, value=None, signers=("renter", "host"), raw_succ=None, **new):
    coin = typed_coin(c, c.need(P) + 111_111)
    x = In(coin, [b"\x04"], signers)
    s = raw_succ or replace(c, **{"contract_id": c.id(x.prevout), "revision": c.revision + 1, "sigs": b"", **new})
    v = s.need(P) + 55_555 if value is None else value
    extra = cash(1_000_000_000)
    return case("REVISE: " + why, h, [x, extra],
                [out(s, v), TxOut(max(coin.value + 1_000_000_000 - v - 1000, 0), TRUE)], expect)


def revise_cases():
    c = replace(contract(), done=2, redeemed=100_000)
    revise("terms changed, money released", 130, c, rent=40_000, penalty=1, samples=16, allowance=100_000)
    revise("money added", 130, c, rent=400_000)
    revise("root changed while a challenge is open", 137, c, root=ROOTS[1], sectors=1)
    revise("value just need'", 130, c, value=replace(c, rent=40_000).need(P), rent=40_000)
    revise("value one satoshi below need'", 130, c, "value below need",
           value=replace(c, rent=40_000).need(P) - 1, rent=40_000)
    revise("revision far ahead", 130, c, revision=2 ** 32 - 1)
    revise("revision not raised", 130, c, "revision does not rise", revision=5)
    revise("redeemed lowered", 130, c, "redeemed changed", redeemed=0)
    revise("redeemed raised", 130, c, "redeemed changed", redeemed=100_001)
    revise("renter key changed", 130, c, "renter_key changed", renter_key=PK["other"])
    revise("host key changed", 130, c, "host_key changed", host_key=PK["other"])
    revise("allowance below redeemed", 130, c, "redeemed over allowance", allowance=99_999)
    revise("periods lowered to done", 130, c, periods=2)
    revise("periods below done", 130, c, "done over periods", periods=1)
    revise("periods raised", 130, c, periods=4096)
    revise("periods over the limit", 130, c, "periods not in", periods=4097)
    revise("odds changed on the old schedule", 130, c, "neither the old schedule", odds=2)
    revise("period changed on the old schedule", 130, c, "neither the old schedule", period=13)
    revise("done lowered", 130, replace(c, start=200), "fresh start", done=0, start=129)
    revise("done raised", 130, c, "neither the old schedule", done=3)
    revise("fresh schedule, start = h", 130, c, done=0, start=130, period=20, odds=30, periods=180)
    revise("fresh schedule, too short for its odds", 130, c, "too few periods", done=0, start=130, period=20, odds=30, periods=179)
    revise("fresh schedule, start below h", 130, c, "fresh start", done=0, start=129, period=20)
    revise("fresh schedule, start = h + MAX_LEAD", 130, c, done=0, start=130 + 20160)
    revise("fresh schedule, start beyond", 130, c, "fresh start", done=0, start=131 + 20160)
    revise("fresh schedule, done not zero", 130, c, "neither the old schedule", done=1, start=140)
    revise("period below MIN_PERIOD", 130, c, "period below", done=0, start=130, period=11)
    revise("span at the limit", 130, c, done=0, start=130, period=1024, periods=4096)
    revise("span over the limit", 130, c, "span", done=0, start=130, period=1025, periods=4096)
    revise("samples zero", 130, c, "samples", samples=0)
    revise("samples 17", 130, c, "samples", samples=17)
    revise("odds zero", 130, c, "odds", done=0, start=130, odds=0)
    revise("odds 65", 130, c, "odds", done=0, start=130, odds=65)
    revise("rent over MAX_MONEY", 130, c, "rent over MAX_MONEY", value=1_000_000, rent=P.MAX_MONEY + 1)
    revise("need overflows 64 bits", 130, c, "could pass MAX_MONEY", value=1_000_000, rent=P.MAX_MONEY,
           penalty=P.MAX_MONEY, periods=4096)
    revise("signed by the host alone, twice", 130, c, "signature", signers=("host", "host"))
    revise("signatures swapped", 130, c, "signature", signers=("host", "renter"))
    revise("one signature", 130, c, "signature missing", signers=("host",))
    f = contract(contract_id=ZERO, revision=0)
    revise("spends the forming coin", 100, f, sectors=0, root=ZERO)


# ---------------------------------------------------------------------------------- END and CLOSE
def end(why, h, c, expect=True, renter=False, vou=None, free=111_111, m=0, fee=1000, short=0, outs=None,
        flags=None, signer=None, extra=20_000):
    coin = typed_coin(c, c.need(P) + free)
    f = ((4 if renter else 0) | (2 if vou else 0)) if flags is None else flags
    x = In(coin, [b"\x05" + bytes([f])] + ([vou] if vou else []), [signer or ("renter" if renter else "host")])
    v = num(vou[:8]) - c.redeemed if vou else 0
    rd, hd, pool = end_split(P, c, coin.value, v, m)
    owed, key, mine, own = (hd, c.host_key, rd, c.renter_key) if renter else (rd, c.renter_key, hd, c.host_key)
    res = [TxOut(owed - short, pay_script(key))] if owed - short >= 0 else []
    res += [TxOut(max(mine + extra - fee, 0), pay_script(own) if own != key else TRUE)]
    return case("END: " + why, h, [x, cash(extra)], outs(res, coin.value, x) if outs else res, expect)


def end_cases():
    c = contract(allowance=300_000, redeemed=50_000)
    d = replace(c, done=6)
    end("all proved, host, at once", 173, d)
    end("all proved, host, with a voucher", 173, d, vou=VOU(c.contract_id, 200_000))
    end("all proved, renter, in the last window", 178, d, "too early", renter=True)
    end("all proved, renter, after the last window", 179, d, renter=True)
    end("periods left, host, in the last window", 178, replace(c, done=5), "too early")
    for who in (False, True):
        name = "renter" if who else "host"
        end("one called height missed, after the last window, " + name, 179, replace(c, done=5), renter=who, m=1)
        end("two missed, after the last window, " + name, 179, replace(c, done=4), renter=who, m=2)
        end("three missed, last block of the third window, " + name, 142, c, "too early", renter=who, m=3)
        end("three missed, forfeit, " + name, 143, c, renter=who, m=3)
        end("all six missed: the same split, " + name, 400, c, renter=who, m=6)
        end("forfeit with an odd remainder, " + name, 143, c, renter=who, m=3, free=111_112)
    end("forfeit, host with a voucher", 143, c, m=3, vou=VOU(c.contract_id, 300_000))
    end("renter with a voucher", 179, d, "flags", renter=True, vou=VOU(c.contract_id, 200_000))
    end("REV flag", 173, d, "flags", flags=1)
    end("voucher over the allowance", 173, d, "VOU", vou=VOU(c.contract_id, 300_001))
    end("two missed, the window of the third still open", 142, replace(c, done=0), "too early", m=2)
    o = contract("010000", odds=3, redeemed=0)
    end("odds 3: one of six called and missed: rent of the five others to the host", 179, o, m=1)
    end("odds 3: the same by the renter", 179, o, m=1, renter=True)
    q = contract("000000", odds=7)
    end("odds 7: none called: all rent to the host", 179, q, renter=True)
    end("odds 7: none called, before the end", 178, q, "too early")
    t = contract("101001", odds=3)
    end("odds 3: three called of six missed, one block early", 178, t, "too early", m=3)
    end("odds 3: three called of six missed", 179, t, m=3, renter=True)
    u = contract("110100", odds=3)
    end("odds 3: third called is height 4, last block of its window", 154, u, "too early", m=3)
    end("odds 3: third called is height 4, forfeit", 155, u, m=3, renter=True)
    end("signed by the other party", 173, d, "signature", signer="renter")
    end("owed sum one satoshi short", 173, d, "owed sum not paid", short=1)
    end("owed sum in two outputs", 173, d, outs=lambda r, v, x:
        [TxOut(1, r[0].script), TxOut(r[0].value - 1, r[0].script), r[1]])
    end("owed sum to another key", 173, d, "owed sum not paid",
        outs=lambda r, v, x: [TxOut(r[0].value, pay_script(PK["other"])), r[1]])
    end("owed sum to a witness v2 program of the key", 173, d, "owed sum not paid",
        outs=lambda r, v, x: [TxOut(r[0].value, b"\x52\x20" + PK["renter"]), r[1]])
    z = replace(d, allowance=50_999)
    end("owed 999 satoshi lapses", 173, z, outs=lambda r, v, x: [TxOut(r[1].value + 999, TRUE)])
    end("owed 1,000 satoshi does not", 173, replace(d, allowance=51_000), "owed sum not paid",
        outs=lambda r, v, x: [TxOut(r[1].value + 1000, TRUE)])
    end("pool's half kept", 143, c, "outputs exceed", renter=True, m=3, fee=-1)
    end("a continuing output", 173, d, "ends its coin",
        outs=lambda r, v, x: [out(d, v)])
    end("one key for both parties: its own due must be paid to it too", 173,
        replace(d, renter_key=PK["host"]), vou=None)
    end("one key for both parties: nothing paid to it", 173, replace(d, renter_key=PK["host"]),
        "owed sum not paid", outs=lambda r, v, x: [TxOut(r[0].value + r[1].value, TRUE)])
    # two inputs in one transaction
    a, b = replace(d, allowance=50_600), replace(d, allowance=50_700, contract_id=sha256(b"second"))
    for ok, pay in ((True, 1300), ("owed sum not paid", 1299)):
        ins = [In(typed_coin(x, x.need(P)), [b"\x05\0"], ["host"]) for x in (a, b)]
        total = sum(i.coin.value for i in ins)
        case("END: two coins owe one renter 600 + 700: together over OWED_MIN, paid %d" % pay, 173, ins,
             [TxOut(pay, pay_script(PK["renter"])), TxOut(total - pay - 500, pay_script(PK["host"]))], ok)
    b = replace(b, allowance=70_000)
    ins = [In(typed_coin(replace(d, allowance=60_000), 40_000), [b"\x05\0"], ["host"]),
           In(typed_coin(b, 60_000), [b"\x05\4"], ["renter"])]
    case("END: one by the host and one by the renter: each owes the other", 179, ins,
         [TxOut(10_000, pay_script(PK["renter"])), TxOut(40_000, pay_script(PK["host"])),
          TxOut(49_000, TRUE)])

    for why, w, signers, outs, ok in (
            ("both sign, any split", [b"\x06"], ("renter", "host"), None, True),
            ("order of signatures swapped", [b"\x06"], ("host", "renter"), None, "signature"),
            ("one signature", [b"\x06"], ("host",), None, "signature missing"),
            ("an argument", [b"\x06", b""], ("renter", "host"), None, "too many elements"),
            ("a continuing output", [b"\x06"], ("renter", "host"), True, "ends its coin")):
        x = In(typed_coin(c, c.need(P)), w, signers)
        case("CLOSE: " + why, 113, [x], [out(c, c.need(P))] if outs else
             [TxOut(c.need(P) - 1000, TRUE)], ok)


# ---------------------------------------------------------------------------------------- forming
def form(why, h, body, value, expect=True, fund=None, outs=None, **over):
    money = cash(value + 10_000 if fund is None else fund)
    return case("form " + why, h, [money], (outs or (lambda f: [f, TxOut(9_000, TRUE)]))(
        Form(body, value, **over)), expect)


def rec(*entries):
    return b"".join(bytes([t]) + le(len(v), 2) + v for t, v in entries)


def forming_cases():
    f = contract(contract_id=ZERO, revision=0, start=100)
    n = f.need(P)
    c = "contract: "
    form(c + "value = need", 100, f, n)
    form(c + "start = h + MAX_LEAD", 100, replace(f, start=20260), n)
    form(c + "start one beyond", 100, replace(f, start=20261), n, "start not in")
    form(c + "start below h", 101, f, n, "start not in")
    form(c + "value one below need", 100, f, n - 1, "value below need")
    form(c + "revision not zero", 100, replace(f, revision=1), n, "forming with state")
    form(c + "done not zero", 100, replace(f, done=1), n, "forming with state")
    form(c + "redeemed not zero", 100, replace(f, redeemed=1), n, "forming with state")
    form(c + "empty", 100, replace(f, root=ZERO, sectors=0), n)
    form(c + "sectors without root", 100, replace(f, root=ZERO), n, "sectors zero")
    form(c + "2^24 sectors", 100, replace(f, sectors=2 ** 24), n)
    form(c + "2^24 + 1 sectors", 100, replace(f, sectors=2 ** 24 + 1), n, "too many sectors")
    form(c + "samples 0", 100, replace(f, samples=0), n, "samples")
    form(c + "samples 17", 100, replace(f, samples=17), n, "samples")
    form(c + "odds 0", 100, replace(f, odds=0), n, "odds")
    wide = replace(f, odds=64, periods=384)
    form(c + "odds 64", 100, wide, wide.need(P))
    form(c + "too few periods for its odds", 100, replace(wide, periods=383), wide.need(P), "too few periods")
    form(c + "allowance and rent together over MAX_MONEY", 100, replace(f, allowance=P.MAX_MONEY - 6 * f.rent + 1), n, "could pass MAX_MONEY")
    form(c + "odds 65", 100, replace(f, odds=65), n, "odds")
    form(c + "period below MIN_PERIOD", 100, replace(f, period=11), n, "period below")
    form(c + "periods 0", 100, replace(f, periods=0), n, "periods not in")
    form(c + "periods 4097", 100, replace(f, periods=4097), replace(f, periods=4097).need(P), "periods not in")
    form(c + "span over MAX_SPAN", 100, replace(f, period=65535, periods=65), replace(f, periods=65).need(P), "span")
    form(c + "allowance over MAX_MONEY", 100, replace(f, allowance=P.MAX_MONEY + 1), n, "allowance over")
    form(c + "penalty 2^64 - 1", 100, replace(f, penalty=2 ** 64 - 1), n, "penalty over")
    form(c + "need over 64 bits", 100, replace(f, rent=P.MAX_MONEY, penalty=P.MAX_MONEY, periods=4096), n,
         "could pass MAX_MONEY")
    form(c + "host's signature by another key", 100, f, n, "signature", keys=[PK["renter"], PK["other"]])
    form(c + "renter's signature by the host", 100, f, n, "signature", keys=[PK["host"], PK["host"]])
    form(c + "signatures for another chain", 100, f, n, "signature", G=sha256(b"x"))
    form(c + "signatures for another first input", 100, f, n, "signature", prevout=bytes(36))
    form(c + "signatures for another output index", 100, f, n, "signature", index=1)
    form(c + "signatures for another value", 100, f, n + 1, "signature", signed_value=n)
    form(c + "signatures for other terms", 100, f, n, "signature", signed_body=replace(f, rent=f.rent - 1))
    form(c + "one output formed twice", 100, f, n, "signature", fund=3 * n, outs=lambda x:
         [x, Form(f, n, index=0)])
    form(c + "second output", 100, f, n, outs=lambda x: [TxOut(9_000, TRUE), x])
    form(c + "more paid out than in", 100, f, n, "outputs exceed", fund=n)
    case("form contract: a state forged from nothing (id not zero, no such input)", 130, [cash(10 ** 7)],
         [out(replace(contract(), done=2), n)], "does not name exactly one")
    x = In(typed_coin(contract(), n + 1000), [b"\x06"], ("renter", "host"))
    g = Form(replace(f, start=130), n)
    case("form contract: funded by CLOSE of another", 130, [x], [g])
    i = Identity(PK["ident"], 7, rec((1, b"alice"), (2, b"\1")))
    d = "identity: "
    B = P.BOND_MIN
    form(d + "any sequence", 100, i, B)
    form(d + "empty record", 100, replace(i, record=b""), B)
    form(d + "record of 1,024 bytes", 100, replace(i, record=rec((9, bytes(1021)))), B)
    form(d + "bond one satoshi low", 100, i, B - 1, "bond below")
    form(d + "signed by another", 100, i, B, "signature", keys=[PK["other"]])
    form(d + "for another chain", 100, i, B, "signature", G=ZERO)
    form(d + "for another first input", 100, i, B, "signature", prevout=bytes(36))
    case("form identity: without signature and without input", 100, [cash(2 * B)],
         [out(i, B)], "does not name exactly one")
    form(d + "key not on the curve", 100, replace(i, key=le(5, 31) + b"\0"), B, "signature", keys=[PK["ident"]])
    s = Seal(ZERO, 1, PK["host"], ROOTS[1], 1, 110, 0, 0)
    e = "seal: "
    V = P.SEAL_BOND
    form(e + "seal_height = h + SEAL_DELAY", 100, s, V)
    form(e + "one below", 101, s, V, "seal_height")
    form(e + "seal_height = h + SEAL_DELAY + SEAL_SLACK", 100, replace(s, seal_height=398), V)
    form(e + "one beyond", 100, replace(s, seal_height=399), V, "seal_height")
    form(e + "mark height not zero", 100, replace(s, mark_height=1), V, "mark")
    form(e + "mark leaf not zero", 100, replace(s, mark_leaf=1), V, "mark")
    form(e + "version 2", 100, replace(s, version=2), V, "version")
    form(e + "version 0", 100, replace(s, version=0), V, "version")
    form(e + "no sectors", 100, replace(s, sectors=0), V, "sectors out of range")
    form(e + "2^24 + 1 sectors", 100, replace(s, sectors=2 ** 24 + 1), V, "sectors out of range")
    form(e + "value one below SEAL_BOND", 100, s, V - 1, "below SEAL_BOND")
    form(e + "signed by another", 100, s, V, "signature", keys=[PK["other"]])
    case("form seal: id not zero, no such input", 130, [cash(2 * V)],
         [out(replace(s, seal_id=sha256(b"z")), V)], "does not name exactly one")
    case("contract, identity and seal formed in one transaction", 100, [cash(3 * B)],
         [Form(f, n), Form(i, B), Form(s, V)])


# --------------------------------------------------------------------------------------- identity
def identity_cases():
    i = Identity(PK["ident"], 7, rec((1, b"alice")))
    B = P.BOND_MIN

    def update(why, h, old, value, new, newvalue, expect=True, signer="ident", height=90, w=b"\x11"):
        x = In(typed_coin(old, value, height), [w], [signer])
        case("UPDATE: " + why, h, [x, cash(B)], [out(new, newvalue), TxOut(max(value + B - newvalue - 1000, 0), TRUE)],
             expect)

    j = replace(i, sequence=8, record=rec((1, b"alice"), (5, b"10.0.0.1")))
    update("new record, same value, locked", 91, i, 2 * B, j, 2 * B)
    update("value raised, locked", 91, i, 2 * B, j, 2 * B + 5)
    update("value lowered, last locked block", 109, i, 2 * B, j, 2 * B - 1, "bond is locked")
    update("value lowered, lock over", 110, i, 2 * B, j, B)
    update("value lowered below BOND_MIN", 110, i, 2 * B, j, B - 1, "bond below")
    update("sequence not raised", 91, i, B, replace(j, sequence=7), B, "not the successor")
    update("sequence raised by two", 91, i, B, replace(j, sequence=9), B, "not the successor")
    update("sequence at its end", 91, replace(i, sequence=2 ** 32 - 1), B, replace(j, sequence=0), B,
           "last sequence")
    update("another key", 91, i, B, replace(j, key=PK["other"]), B, "does not name exactly one")
    update("signed by another", 91, i, B, j, B, "signature", signer="other")
    update("contract's action", 91, i, B, j, B, "not for this kind", w=b"\x04")
    update("coin made in this block", 120, i, B, j, B, height=120)
    f = replace(i, sigs=bytes(64))
    update("spends the forming coin", 91, f, B, j, B)

    def retire(why, h, expect=True, height=90, seq=7, w=b"\x12", outs=None):
        x = In(typed_coin(replace(i, sequence=seq), B, height), [w], ["ident"])
        case("RETIRE identity: " + why, h, [x], outs or [TxOut(B - 1000, TRUE)], expect)

    retire("lock over", 110)
    retire("last locked block", 109, "bond is locked")
    retire("last sequence number", 110, seq=2 ** 32 - 1)
    retire("re-created", 110, "ends its coin", outs=[out(j, B)])
    retire("seal's action", 110, "not for this kind", w=b"\x22")
    two = lambda a, b: [In(typed_coin(i, B), [a], ["ident"]), In(typed_coin(replace(i, sequence=3), B), [b], ["ident"])]
    case("two coins of one key: both RETIRE", 110, two(b"\x12", b"\x12"), [TxOut(2 * B - 1000, TRUE)])
    case("two coins of one key: UPDATE and RETIRE (output names two inputs)", 110, two(b"\x11", b"\x12"),
         [out(j, B), TxOut(B - 1000, TRUE)], "does not name exactly one")
    case("RETIRE and form anew with the same key", 110, [In(typed_coin(i, B), [b"\x12"], ["ident"]), cash(5000)],
         [Form(replace(i, sequence=0), B), TxOut(4000, TRUE)])


# ------------------------------------------------------------------------------------------ seals
def seal_coin(n, **kw):
    return replace(Seal(sha256(b"seal" + le(n, 4)), 1, PK["host"], ROOTS[3], 3, 300, 0, 0), **kw)


def drawn_leaf(s, d, prefer=0):
    """(leaf, sealed leaf) of the sector that block d draws from unit 0, None if past the end."""
    K = seal_key(HASHES[s.seal_height], s.seal_id, s.host_key)
    sector, _ = draw(P, HASHES[d], K, 0)
    if sector >= s.sectors:
        return None
    l = sector * 4096 + prefer
    return l, seal_leaf(P, K, l, LEAVES[l])


def claim_in(s, value, d, l, sealed, path=None, signer="host", w0=None):
    e = [w0 or b"\x21" + le(d, 4) + le(l, 8), sealed + (path_of(s.sectors, l) if path is None else path)]
    return In(typed_coin(s, value, 320), e, [signer])


def claim_cases():
    s = seal_coin(1)
    V = P.SEAL_BOND
    good = [d for d in range(320, 600) if drawn_leaf(s, d)]
    none = next(d for d in range(320, 600) if not drawn_leaf(s, d))
    d = next(x for x in good if x > 400)
    pool = 6_400 * COIN
    for x in range(290, 620):
        STATES[x] = State(pool + x, P.T_MAX, x % 5)
    low = next(x for x in good if x > d + 40)
    STATES[low] = State(pool, 2 ** 200, 0)
    rich = next(x for x in good if x > low + 40)
    STATES[rich] = State(pool * 100, P.T_MAX, 0)
    dry = next(x for x in good if x > rich + 20)
    STATES[dry] = State(511, P.T_MAX, 0)
    M = mint(P, STATES[d], d)
    l, sealed = drawn_leaf(s, d, 77)

    def claim(why, h=d + 1, expect=True, s=s, d=d, l=l, sealed=sealed, path=None, succ=None, value=V,
              newvalue=None, minted=None, extra=0, outs=None, more_in=(), signer="host", w0=None, after=None):
        x = claim_in(s, value, d, l, sealed, path, signer, w0)
        m = mint(P, STATES[d], d) if minted is None else minted
        n = replace(s, seal_id=s.id(x.prevout), sigs=b"", mark_height=d, mark_leaf=l, **(succ or {})) \
            if not succ or "mark_height" not in succ else replace(s, **succ)
        res = [out(n, newvalue or value), TxOut(m - 500 + extra, pay_script(PK["host"]))]
        res = outs(res) if outs else res
        return case("CLAIM: " + why, h, [x] + list(more_in), res, expect, after)

    claim("first block after the draw")
    claim("last block of CLAIM_WINDOW", d + 16)
    claim("one block late", d + 17, "height out of range")
    claim("in the draw block itself", d, "height out of range")
    claim("last leaf of the drawn sector", l=l - 77 + 4095,
          sealed=drawn_leaf(s, d, 4095)[1])
    claim("another leaf of the same draw after the mark", s=replace(s, mark_height=d, mark_leaf=l - 1))
    claim("the same ticket again", s=replace(s, mark_height=d, mark_leaf=l), expect="not past the mark")
    claim("a lower leaf of the same draw", s=replace(s, mark_height=d, mark_leaf=l + 1), expect="not past the mark")
    claim("an older draw than the mark", s=replace(s, mark_height=d + 1, mark_leaf=0), expect="not past the mark")
    claim("a newer draw than the mark, lower leaf", s=replace(s, mark_height=d - 1, mark_leaf=2 ** 63))
    claim("draw at seal_height", s=replace(s, seal_height=d), expect="before the key")
    wrong = (l + 4096) % 12288
    claim("leaf of a sector that was not drawn", l=wrong, expect="sector not drawn")
    claim("sector past the end is drawn: nothing", d=none, h=none + 1, l=0, expect="sector not drawn")
    claim("no such leaf", l=3 * 4096, path=path_of(3, 0), expect="no such leaf")
    claim("ticket not below T", h=low + 1, d=low, l=drawn_leaf(s, low)[0], sealed=drawn_leaf(s, low)[1],
          expect="does not win")
    rl, rs = drawn_leaf(s, rich)
    claim("mint capped at half the storage half", h=rich + 1, d=rich, l=rl, sealed=rs)
    yl, ys = drawn_leaf(s, dry)
    claim("pool below MINT_DIV: mints nothing", h=dry + 1, d=dry, l=yl, sealed=ys, minted=0, extra=500, more_in=[cash(1000)])
    claim("raw leaf instead of the sealed", sealed=LEAVES[l], expect="unsealed path")
    claim("a bit of the sealed leaf flipped", sealed=sealed[:-1] + bytes([sealed[-1] ^ 1]), expect="unsealed path")
    bad = path_of(3, l)
    claim("a bit of the path flipped", path=bad[:-1] + bytes([bad[-1] ^ 1]), expect="unsealed path")
    claim("path one node short", path=bad[:-32], expect="size of the proof")
    claim("path one node long", path=bad + ZERO, expect="size of the proof")
    claim("proof in two elements", expect="size of the proof",
          after=lambda tx: tx.vin[0].witness.__setitem__(slice(1, 2), [sealed, bad]))
    claim("signed by another key", signer="other", expect="signature")
    claim("first element one byte short", w0=b"\x21" + le(d, 4) + le(l, 7), expect="size of the first")
    claim("outputs take one satoshi more than the mint", extra=501, expect="outputs exceed")
    claim("successor one satoshi richer", newvalue=V + 1, expect="not the successor")
    claim("successor one satoshi poorer", value=V + 10, newvalue=V + 9, expect="not the successor")
    claim("successor without the mark", succ={"mark_height": 0}, expect="not the successor")
    claim("successor with a new root", succ={"root": ROOTS[1]}, expect="not the successor")
    claim("successor with more sectors", succ={"sectors": 4}, expect="not the successor")
    claim("no successor", outs=lambda r: r[1:], expect="no continuing output")
    claim("beside an ordinary input: its change matures too", more_in=[cash(7000)],
          outs=lambda r: r + [TxOut(7000, TRUE)])
    claim("beside a forming output", more_in=[cash(2 * V)], outs=lambda r: r + [Form(
        Seal(ZERO, 1, PK["host"], ROOTS[1], 1, d + 20, 0, 0), V)], expect="beside a forming")
    claim("beside RETIRE of another seal", expect="beside another action",
          more_in=[In(typed_coin(seal_coin(2), V), [b"\x22"], ["host"])])
    e = replace(contract(), done=6)
    claim("beside END of a contract", expect="beside another action",
          more_in=[In(typed_coin(e, e.need(P)), [b"\x05\0"], ["host"])],
          outs=lambda r: r + [TxOut(300_000, pay_script(PK["renter"]))])
    claim("reserved kind output is stored as maturing", outs=lambda r: [r[0], TxOut(5, b"\xbb\1\x80"), r[1]])
    s2 = next(x for x in (seal_coin(n) for n in range(3, 99)) if drawn_leaf(x, d))
    l2, sealed2 = drawn_leaf(s2, d, 1)
    x1, x2 = claim_in(s, V, d, l, sealed), claim_in(s2, V + 9, d, l2, sealed2)
    case("CLAIM: two seals in one transaction", d + 2, [x1, x2], [
        out(replace(s2, mark_height=d, mark_leaf=l2), V + 9), TxOut(2 * M - 1000, TRUE),
        out(replace(s, mark_height=d, mark_leaf=l), V)])
    for txt, key, ok in (("RETIRE seal: at once", "host", True), ("RETIRE seal: signed by another", "other", "signature")):
        case(txt, 301, [In(typed_coin(s, V, 301), [b"\x22"], [key])], [TxOut(V - 500, TRUE)], ok)
    case("RETIRE seal: re-created", 301, [In(typed_coin(s, V), [b"\x22"], ["host"])], [out(s, V)], "ends its coin")
    case("RETIRE seal: with identity's action", 301, [In(typed_coin(s, V), [b"\x12"], ["host"])],
         [TxOut(V, TRUE)], "not for this kind")
    f = next(x for x in range(320, 600) if draw(P, HASHES[x], seal_key(HASHES[300], tag("contract", sha256(
        b"forming seal") + le(1, 4)), PK["host"]), 0)[0] == 0)
    fs = replace(s, seal_id=ZERO)
    x = In(typed_coin(fs, V), None, ["host"], prevout=(sha256(b"forming seal"), 1))
    sid = fs.id(x.prevout)
    K = seal_key(HASHES[300], sid, PK["host"])
    x.elements = [b"\x21" + le(f, 4) + le(9, 8), seal_leaf(P, K, 9, LEAVES[9]) + path_of(3, 9)]
    case("CLAIM: spends the forming coin", f + 3, [x], [out(replace(s, seal_id=sid, mark_height=f, mark_leaf=9), V),
         TxOut(mint(P, STATES[f], f) - 1000, TRUE)])


def other_cases():
    res = Coin(5000, b"\xbb\1\x80", 80)
    case("reserved kind: made", 100, [cash(5000)], [TxOut(4000, b"\xbb\4\x80abc")])
    case("reserved kind: anyone spends it", 100, [In(res, [b"anything", b""], [])], [TxOut(4000, TRUE)],
         after=lambda tx: setattr(tx.vin[0], "witness", [b"anything", b""]))
    case("reserved kind: scriptSig not empty", 100, [In(res, None, [], b"\x51")], [TxOut(4000, TRUE)], "scriptSig")
    case("kind 4", 100, [cash(5000)], [TxOut(4000, b"\xbb\2\4\0")], "unknown kind")
    case("0xbb alone", 100, [cash(5000)], [TxOut(4000, b"\xbb")], "no push")
    case("0xbb with an opcode after the push", 100, [cash(5000)], [TxOut(4000, b"\xbb\1\x80\x51")], "not the rest")
    case("0xbb not in first place is no matter", 100, [cash(5000)], [TxOut(4000, b"\x6a\xbb\1\1")])
    cb = Tx([TxIn(ZERO, 2 ** 32 - 1, b"\2\x64\0", 2 ** 32 - 1)], [TxOut(5, b"\xbb\1\x80")])
    case("coinbase with a typed output, even a reserved kind", 100, [], [], "coinbase", tx=(cb, [Coin(0, b"", 0)]))
    cb = Tx([TxIn(ZERO, 2 ** 32 - 1, b"\2\x64\0", 2 ** 32 - 1)], [TxOut(25 * COIN, TRUE)])
    case("coinbase without", 100, [], [], tx=(cb, [Coin(0, b"", 0)]))
    case("spends a coin that matures like coinbase, one block early", 149, [cash(5000, 50, True)],
         [TxOut(4000, TRUE)], "immature")
    case("spends a coin that matures like coinbase", 150, [cash(5000, 50, True)], [TxOut(4000, TRUE)])
    c, d = contract(), contract(contract_id=sha256(b"second"))
    ins, outs = [], []
    for x in (c, d):
        i = In(typed_coin(x, x.need(P)), None, ["host"])
        e, s, v = prove_parts(x, i.coin.value, 1, i.prevout, 113)
        i.elements = e
        ins.append(i)
        outs.append(out(s, v))
    case("two contracts proved in one transaction, outputs in the other order", 113, ins, outs[::-1] +
         [TxOut(99_000, pay_script(PK["host"]))])
    s = Seal(ZERO, 1, PK["host"], ROOTS[1], 1, 110, 0, 0)
    case("257 typed outputs", 100, [cash(30 * COIN)], [Form(s, P.SEAL_BOND, sigs=bytes(64))] * 257,
         "too many typed")


# ---------------------------------------------------------------------------------- smaller files
def script_rows():
    rows = []
    i = Identity(PK["ident"], 7, rec((1, b"alice"), (2, b"\1")))
    c = contract()
    s = seal_coin(1)
    sig = sha256(b"sig") * 2

    def row(why, script):
        r = {"why": why, "script": hx(script)}
        try:
            b = parse_script(script)
            r["valid"] = True
            if b is None:
                r["kind"] = None
            elif b == RESERVED:
                r["kind"] = "reserved"
            else:
                r["kind"], r["forming"] = b.kind, b.forming
                r["fields"] = {f.name: (hx(v) if isinstance(v, bytes) else v) for f in fields(b)
                               for v in [getattr(b, f.name)]}
                if b.kind == CONTRACT:
                    r["need"] = b.need(P)
                assert typed_script(b) == script
        except Bad as e:
            r["valid"], r["error"] = False, e.reason
        rows.append(r)
        return r["valid"]

    wrap = lambda data: b"\xbb" + push(data)
    ok = [("identity", typed_script(i)), ("identity, forming", typed_script(replace(i, sigs=sig))),
          ("identity, no record: direct push", typed_script(replace(i, record=b""))),
          ("identity, record of 1,024 bytes, forming: PUSHDATA2",
           typed_script(replace(i, record=rec((255, bytes(1021))), sigs=sig))),
          ("identity, entries of no length", typed_script(replace(i, record=rec((0, b""), (1, b""), (255, b""))))),
          ("identity whose record is 64 bytes: not forming", typed_script(replace(i, record=rec((3, bytes(61)))))),
          ("contract", typed_script(c)), ("contract, forming", typed_script(replace(c, contract_id=ZERO, sigs=sig * 2))),
          ("contract, every integer at its largest", typed_script(replace(c, **{n: 256 ** z - 1 for n, z in
           Contract.LAYOUT if z != 32}))),
          ("seal", typed_script(s)), ("seal, forming", typed_script(replace(s, seal_id=ZERO, sigs=sig))),
          ("reserved kind 0x80, empty", b"\xbb\1\x80"), ("reserved kind 0x81, empty: a push, not OP_1NEGATE", b"\xbb\1\x81"),
          ("reserved kind 0xff, 75 bytes", wrap(b"\xff" + bytes(74))), ("reserved, 76 bytes", wrap(b"\xff" + bytes(75))),
          ("reserved, 255 bytes", wrap(b"\xff" + bytes(254))), ("reserved, 256 bytes", wrap(b"\xff" + bytes(255))),
          ("not typed: OP_TRUE", TRUE), ("not typed: empty", b""), ("not typed: 0xbb later", b"\x51\xbb")]
    for why, script in ok:
        assert row(why, script), why
    C, I, S = c.pack(), i.pack(), s.pack()
    bad = [("no push", b"\xbb"), ("empty push", b"\xbb\0"), ("OP_1 is not a push here", b"\xbb\x51"),
           ("OP_1NEGATE is not a push here", b"\xbb\x4f"), ("push cut short", b"\xbb\5\x80ab"),
           ("byte after the push", wrap(b"\x80") + b"\0"), ("two pushes", wrap(b"\x80") * 2),
           ("PUSHDATA1 for 5 bytes", b"\xbb\x4c\5\x80abcd"), ("PUSHDATA1 cut short", b"\xbb\x4c"),
           ("PUSHDATA2 for 181 bytes", b"\xbb\x4d" + le(181, 2) + b"\2" + C),
           ("PUSHDATA4", b"\xbb\x4e" + le(181, 4) + b"\2" + C),
           ("PUSHDATA2 cut short", b"\xbb\x4d\0"),
           ("script over 10,000 bytes", wrap(b"\x80" + bytes(9_996))),
           ("kind 0", wrap(b"\0")), ("kind 4", wrap(b"\4" + C)), ("kind 0x7f", wrap(b"\x7f")),
           ("identity: one byte short of a header", wrap(b"\1" + I[:37])), ("identity: empty", wrap(b"\1")),
           ("identity: byte after", wrap(b"\1" + I + b"\0")), ("identity: signature of 63 bytes", wrap(b"\1" + I + sig[:63])),
           ("identity: signature of 65 bytes", wrap(b"\1" + I + sig + b"\0")),
           ("identity: record_len one too large", wrap(b"\1" + I[:36] + le(num(I[36:38]) + 1, 2) + I[38:])),
           ("identity: record of 1,025 bytes", wrap(b"\1" + I[:36] + le(1025, 2) + rec((1, bytes(1022))))),
           ("identity: types equal", typed_script(replace(i, record=rec((1, b"a"), (1, b"b"))))),
           ("identity: types fall", typed_script(replace(i, record=rec((2, b"a"), (1, b"b"))))),
           ("identity: entry header cut short", typed_script(replace(i, record=b"\1\0"))),
           ("identity: entry longer than the record", typed_script(replace(i, record=b"\1\5\0abcd"))),
           ("identity: byte after the last entry", typed_script(replace(i, record=rec((1, b"a")) + b"\2"))),
           ("contract: one byte short", wrap(b"\2" + C[:-1])), ("contract: one byte long", wrap(b"\2" + C + b"\0")),
           ("contract: id and signatures", wrap(b"\2" + C + sig * 2)),
           ("contract: neither id nor signatures", wrap(b"\2" + ZERO + C[32:])),
           ("contract: one signature", wrap(b"\2" + ZERO + C[32:] + sig)),
           ("contract: three signatures", wrap(b"\2" + ZERO + C[32:] + sig * 3)),
           ("seal: one byte short", wrap(b"\3" + S[:-1])), ("seal: one byte long", wrap(b"\3" + S + b"\0")),
           ("seal: id and signature", wrap(b"\3" + S + sig)), ("seal: neither", wrap(b"\3" + ZERO + S[32:])),
           ("seal: signature of 63 bytes", wrap(b"\3" + ZERO + S[32:] + sig[:63]))]
    for why, script in bad:
        assert not row(why, script), why
    return rows


def hash_file():
    rows = []

    def row(what, inputs, preimage, result):
        rows.append({"what": what, **inputs, "message": hx(preimage), "hash": hx(result)})

    row("id of a forming contract or seal: tag contract over txid, vout", {}, ZERO + le(1, 4), tag("contract", ZERO + le(1, 4)))
    pv = sha256(b"a") + le(258, 4)
    row("the same", {}, pv, tag("contract", pv))
    f = contract(contract_id=ZERO, revision=0)
    i, s = Identity(PK["ident"], 7, rec((1, b"alice"))), Seal(ZERO, 1, PK["host"], ROOTS[1], 1, 110, 0, 0)
    for body, v, keys in ((f, f.need(P), "renter host"), (i, P.BOND_MIN, "ident"), (s, P.SEAL_BOND, "host")):
        pre = G + pv + le(2, 4) + le(v, 8) + bytes([body.kind]) + body.pack()
        msg = form_message(G, pv, 2, v, body)
        assert msg == tag("form", pre)
        row("formation, kind %d: tag form over G, vin[0].prevout, output index 2, value, kind, body without signatures"
            % body.kind, {"signatures": {k: hx(schnorr_sign(SK[k], msg)) for k in keys.split()}}, pre, msg)
    cid = contract().contract_id
    pre = G + cid + le(6, 4) + ROOTS[2] + le(2, 4)
    m = revision_message(G, cid, 6, ROOTS[2], 2)
    assert m == tag("revision", pre)
    row("revision: tag revision over G, id, number, root, sectors",
        {"REV by renter": hx(REV(cid, 6, ROOTS[2], 2, "renter")), "REV by host": hx(REV(cid, 6, ROOTS[2], 2, "host"))}, pre, m)
    pre = G + cid + le(250_000, 8)
    row("voucher: tag voucher over G, id, amount", {"VOU": hx(VOU(cid, 250_000))}, pre, voucher_message(G, cid, 250_000))
    seed = tag("challenge", HASHES[112] + cid)
    row("challenge seed: tag challenge over block hash, id", {}, HASHES[112] + cid, seed)
    for j in (0, 1, 15):
        row("sample %d: tag sample over seed, j; index = n64 mod leaves" % j,
            {"leaves": 12288, "index": n64(tag("sample", seed + le(j, 1))) % 12288}, seed + le(j, 1), tag("sample", seed + le(j, 1)))
    x = HASHES[300] + seal_coin(1).seal_id + PK["host"]
    K = tag("seal", x)
    row("K: tag seal over hash(seal_height), seal_id, host_key", {}, x, K)
    row("draw: tag draw over B, K, u", {"q_main": n64(tag("draw", HASHES[400] + K + le(3, 4))) % 32768,
        "q_regtest": n64(tag("draw", HASHES[400] + K + le(3, 4))) % 64}, HASHES[400] + K + le(3, 4), tag("draw", HASHES[400] + K + le(3, 4)))
    # action messages
    acts = []
    for spec in (("REVISE", 0), ("PROVE", 1)):
        c = contract()
        if spec[0] == "REVISE":
            a = In(typed_coin(c, c.need(P) + 10), [b"\x04"], ["renter", "host"])
            outs = [out(replace(c, revision=9), c.need(P))]
            ins = [a, cash(7000)]
        else:
            a = In(typed_coin(c, c.need(P) + 10), None, ["host"])
            a.elements, n, v = prove_parts(c, a.coin.value, 1, a.prevout, 113, vou=VOU(cid, 9))
            outs, ins = [TxOut(1000, TRUE), out(n, v)], [cash(7000), a]
        tx, coins = build(ins, outs)
        el = a.elements
        acts.append({"what": spec[0], "tx": hx(tx.serialise()), "input": spec[1],
                     "prevouts": [{"value": x.value, "script": hx(x.script)} for x in coins],
                     "elements": [hx(e) for e in el],
                     "A_preimage": hx(compact(len(el)) + b"".join(map(sized, el))),
                     "sig_msg": hx(sig_msg(tx, coins, spec[1])[1:]),
                     "message": hx(action_message(G, tx, coins, spec[1], el)),
                     "signatures": [hx(x) for x in tx.vin[spec[1]].witness[len(el):]]})
    save("storage_hash.json", {"genesis": hx(G), "keys": {n: {"secret": hx(SK[n]), "public": hx(PK[n])} for n in SK},
                               "rows": rows, "actions": acts})


def merkle_file():
    rows = []
    for n in (1, 2, 3, 5, 4096, 4097, 12288):
        leaves = LEAF_HASHES[:n]
        root = merkle_root(leaves)
        picks = range(n) if n < 9 else sorted({0, 1, 2, 4094, 4095, n - 1, n // 2, 8191 if n > 8191 else 0})
        for m in picks:
            p = merkle_path(leaves, m)
            assert len(p) == path_length(m, n) and path_root(leaves[m], m, n, p) == root
            rows.append({"leaves": n, "index": m, "leaf_hash": hx(leaves[m]), "root": hx(root),
                         "path": [hx(x) for x in p], "valid": True})
        p = merkle_path(leaves, n - 1)
        alter = [("one node long", n - 1, p + [ZERO])]
        if p:
            alter += [("one node short", n - 1, p[:-1]), ("index one lower", n - 2, p),
                      ("order reversed", n - 1, p[::-1]) if p != p[::-1] else ("empty", n - 1, [])]
        alter.append(("index = leaves", n, p))
        for why, m, q in alter:
            assert path_root(leaves[n - 1], m, n, q) != root, (why, n)
            rows.append({"leaves": n, "index": m, "leaf_hash": hx(leaves[n - 1]), "root": hx(root),
                         "path": [hx(x) for x in q], "valid": False, "why": why})
    lengths = [[m, n, path_length(m, n)] for n in (1, 2, 3, 5, 6, 7, 4096, 4097, 12288, 2 ** 36, 2 ** 36 - 4096)
               for m in sorted({0, n - 1, n // 2, max(n - 2, 0)})]
    save("storage_merkle.json", {
        "leaf": "leaf n is the first 1,024 bytes of SHAKE256('leaf' + n as 8 bytes little-endian)",
        "leaf_0_start": hx(LEAVES[0][:32]), "leaf_0_hash": hx(LEAF_HASHES[0]), "sector_roots": [hx(r) for r in SECTOR_ROOTS],
        "roots_of_1_2_3_sectors": [hx(ROOTS[n]) for n in (1, 2, 3)], "path_lengths": lengths, "paths": rows})


def calls_file():
    rows = []
    for odds in (1, 2, 3, 4, 7, 30, 32, 63, 64):
        for n in range(2):
            cid = sha256(b"call" + le(odds, 1) + le(n, 1))
            c = replace(contract(contract_id=cid), odds=odds, start=20, period=12, periods=48)
            v = View(P, G, 620, HASHES)
            rows.append({"odds": odds, "id": hx(cid), "start": 20, "period": 12, "periods": 48,
                         "called": [i for i in range(1, 49) if is_called(c, cid, i, v)]})
    samples = []
    for sectors in (1, 3, 2 ** 24):
        c = replace(contract(), sectors=sectors, samples=16)
        samples.append({"id": hx(c.contract_id), "block_hash": hx(HASHES[112]), "sectors": sectors,
                        "indices": sample_indices(c, c.contract_id, HASHES[112])})
    save("storage_calls.json", {"hashes": [hx(x) for x in HASHES], "calls": rows, "samples": samples})


def over_p_leaf(Q, K, l, where):
    """A raw leaf whose element number `where` is x >= p once the keystream is on."""
    stream = aes256_ctr(K, l * 64, LEAF)
    mixed = bytearray(shake_256(b"over p").digest(LEAF))
    mixed[where * Q.SEAL_E:(where + 1) * Q.SEAL_E] = le(Q.SEAL_P + where * 2, Q.SEAL_E)
    if where:
        mixed[:Q.SEAL_E] = le(8, Q.SEAL_E)
    return bytes(a ^ b for a, b in zip(mixed, stream))


def seal_file():
    rows, draws, tickets = [], [], []
    for name, Q, picks in (("main", MAIN, (0, 4097, 2 ** 36 - 1)), ("regtest", REGTEST, (0, 1, 4096, 12287, 2 ** 36 - 1))):
        K = tag("seal", HASHES[300] + seal_coin(1).seal_id + PK["host"])
        todo = [("leaf of the test data", l, LEAVES[l % 12288]) for l in picks]
        todo.append(("element 0 is x = p: stays", 5, over_p_leaf(Q, K, 5, 0)))
        todo.append(("last element is x > p: stays; element 0 is 8: its root is 2", 6, over_p_leaf(Q, K, 6, LEAF // Q.SEAL_E - 1)))
        todo.append(("leaf of zeros", 7, bytes(LEAF)))
        for why, l, raw in todo:
            sealed = seal_leaf(Q, K, l, raw)
            assert unseal_leaf(Q, K, l, sealed) == raw
            rows.append({"chain": name, "why": why, "K": hx(K), "leaf_index": l, "raw": hx(raw), "sealed": hx(sealed),
                         "keystream_start": hx(aes256_ctr(K, l * 64, 16))})
            for col in (0, 1, 15):
                t = ticket(Q, HASHES[400], K, l, col, sealed)
                tickets.append({"chain": name, "row": len(rows) - 1, "block_hash": hx(HASHES[400]), "column": col,
                                "ticket": "%064x" % t, "below_2_255": t < 2 ** 255})
        for u in (0, 1, 7, 8191):
            sec, col = draw(Q, HASHES[401 + u % 5], K, u)
            draws.append({"chain": name, "block_hash": hx(HASHES[401 + u % 5]), "K": hx(K), "unit": u, "sector": sec, "column": col})
    save("storage_seal.json", {"seals": rows, "draws": draws, "tickets": tickets})


def state_file():
    seqs = []

    def run(name, Q, start, h, steps, why):
        S, rows = start, []
        for pen, claims, n, bad in steps:
            minted = claims if isinstance(claims, int) else sum(claims)
            h += 1
            try:
                new = next_state(Q, S, h, pen, minted, n)
                assert not bad
            except Bad as e:
                assert bad, (why, e.reason)
                rows.append({"h": h, "penalties": pen, "minted": minted, "n": n, "valid": False, "error": e.reason})
                h -= 1
                continue
            S = new
            rows.append({"h": h, "penalties": pen, "minted": minted, "n": n, "valid": True, "pool": S.pool, "T": "%064x" % S.T,
                         "mint": mint(Q, S, h)})
        seqs.append({"why": why, "chain": name, "before": {"h": h - sum(r["valid"] for r in rows), "pool": start.pool,
                                                           "T": "%064x" % start.T, "n": start.n}, "blocks": rows})

    for name, Q in (("main", MAIN), ("regtest", REGTEST)):
        run(name, Q, first_state(Q), 0, [(0, 0, 0, False)] * 5 + [(7, 0, 0, False), (0, 0, 16, False), (0, 0, 16, False),
            (0, 1, 5, False), (0, 0, 17, True), (0, 0, 4, False), (0, 0, 3, False)], "from the first block; the T of a block is "
            "moved by the claims of the block before it")
        run(name, Q, State(1000, 2 ** 230 + 12345, 16), 839_998, [(0, 0, 0, False), (3, 0, 0, False), (0, 0, 1, False)],
            "over the first halving")
        run(name, Q, State(0, 2 ** 200, 0), 0, [(0, 1, 1, True), (10 ** 9, 0, 0, False), (0, 25 * COIN + 10 ** 9, 2, False),
            (0, 25 * COIN + 1, 1, True), (0, 25 * COIN, 1, False)], "minted is held against the pool of the block before")
        run(name, Q, State(10 ** 10, Q.T_MIN + 5, 16), 100, [(0, 0, 16, False), (0, 0, 0, False), (0, 0, 0, False)], "T at its floor")
        run(name, Q, State(10 ** 12, Q.T_MAX - 1, 0), 100, [(0, 0, 4, False), (0, 0, 5, False), (0, 0, 4, False), (0, 0, 16, False),
            (0, 0, 0, False)], "T at its ceiling")
    caps = []
    for pool, d in ((0, 5), (511, 5), (512, 5), (12_799 * COIN // 2, 5), (6_400 * COIN, 5), (6_401 * COIN, 5), (10 ** 15, 5),
                    (10 ** 15, 840_000), (10 ** 15, 840_000 * 31), (10 ** 15, 840_000 * 33), (10 ** 15, 840_000 * 64)):
        caps.append({"pool": pool, "d": d, "subsidy": subsidy(MAIN, d), "storage_half": storage_half(MAIN, d),
                     "mint": mint(MAIN, State(pool, 1, 0), d)})
    save("storage_state.json", {"sequences": seqs, "mints": caps})


def main():
    for part in (prove_cases, sync_cases, revise_cases, end_cases, forming_cases, identity_cases, claim_cases, other_cases):
        part()
    assert not FAULTS, "\n".join(FAULTS)
    good = sum(c["valid"] for c in CASES)
    print(len(CASES), "transactions,", good, "valid")
    save("storage_tx.json", {"params": "regtest", "genesis": hx(G), "hashes": [hx(x) for x in HASHES],
                             "states": states_json(), "cases": CASES})
    rows = script_rows()
    print(len(rows), "scripts")
    save("storage_script.json", {"rows": rows})
    hash_file()
    merkle_file()
    calls_file()
    seal_file()
    state_file()


if __name__ == "__main__":
    main()
