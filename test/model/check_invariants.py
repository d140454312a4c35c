"""Random runs of the storage rules against the invariants of doc/protocol.md 4.5 and section 6.

    python3 check_invariants.py [--steps 60000] [--seed 1] [--real] [--judge PROGRAM]

With --judge each transaction and block is also given to the C code (storage_judge.c), which must say the
same: verdict, whether it may be right elsewhere, every field of the result, the state per block.

Parties that collude, cheat and race try every action with random arguments on a chain with reorgs; after each
accepted transaction and each block the invariants are asserted. Signatures are stubbed (a keyed hash) unless
--real. One in eight claims carries a properly sealed leaf and is unsealed; the others skip that job.
"""
import argparse
import random
import time
from collections import Counter

import storage_model as M
from storage_model import *
import judge as J

ap = argparse.ArgumentParser()
ap.add_argument("--steps", type=int, default=60_000)
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--real", action="store_true")
ap.add_argument("--judge", help="path of storage_judge")
args = ap.parse_args()
R = random.Random(args.seed)
P = replace(REGTEST, HALVING=4000)
G = sha256(b"invariants")
SKS = [n.to_bytes(32, "big") for n in range(1, 7)]
KEYS = [pubkey(sk) for sk in SKS]
SECRET = dict(zip(KEYS, SKS))
TRUE = b"\x51"
judge = J.Judge(args.judge, P, G) if args.judge else None
if judge:
    M.schnorr_verify = judge.model_verify
elif not args.real:
    M.schnorr_verify = lambda key, msg, sig: sig == sha256(b"stub" + key + msg) * 2


def sign(key, msg):
    if judge:
        return judge.sign(SECRET[key], key, msg)
    return schnorr_sign(SECRET[key], msg) if args.real else sha256(b"stub" + key + msg) * 2


# One sector of data, used for every sector of every contract and seal.
LEAVES = [sha256(b"leaf" + le(n, 4)) * 32 for n in range(SECTOR_LEAVES)]
LEVELS = [[leaf_hash(x) for x in LEAVES]]
while len(LEVELS[-1]) > 1:
    a = LEVELS[-1]
    LEVELS.append([node_hash(a[i], a[i + 1]) for i in range(0, len(a), 2)])
TOP = LEVELS[-1][0]
ROOTS = {0: ZERO, **{n: merkle_root([TOP] * n) for n in range(1, 6)}}


def path_of(sectors, leaf):
    inner = b"".join(LEVELS[d][(leaf % SECTOR_LEAVES >> d) ^ 1] for d in range(12))
    return inner + b"".join(merkle_path([TOP] * sectors, leaf // SECTOR_LEAVES))


class Chain:
    """Coins, S and hashes of one branch, with snapshots for reorgs."""

    def __init__(self):
        self.coins, self.typed, self.paid, self.tip, self.salt = {}, {}, Counter(), 0, 0
        self.hashes, self.states, self.issued = {0: G}, {0: first_state(P)}, 0
        self.bases = []                               # (coins, paid, tip, issued) after each recent block
        self.open_block()

    def open_block(self):
        self.fees = self.minted = self.penalties = self.n = 0

    @property
    def h(self):
        return self.tip + 1

    def view(self, h=None):
        return View(P, G, h or self.h, Ahead(self), self.states)

    def put(self, op, coin):
        self.coins[op] = coin
        body = parse_script(coin.script)
        if body not in (None, RESERVED):
            self.typed[op] = body

    def take(self, op):
        self.typed.pop(op, None)
        return self.coins.pop(op)

    def sweep(self):
        """Join ordinary coins, so that long runs stay fast."""
        ops = [op for op, c in self.coins.items() if op not in self.typed and not (c.coinbase and self.h - c.height < MATURITY)]
        if len(ops) < 200:
            return
        total = sum(self.take(op).value for op in ops)
        for n in range(20):
            self.put((sha256(b"sweep" + le(self.h, 4) + le(self.salt, 4)), n), Coin(total // 20 + (total % 20 if n == 0 else 0), TRUE, self.h))

    def close_block(self):
        h = self.h
        self.sweep()
        S = next_state(P, self.states[self.tip], h, self.penalties, self.minted, self.n)
        self.put((sha256(b"coinbase" + le(h, 4) + le(self.salt, 4)), 0), Coin(subsidy(P, h) // 2 + self.fees, TRUE, h, True))
        self.hashes[h] = sha256(le(self.salt, 4) + le(h, 4))
        self.states[h], self.tip = S, h
        if judge:
            judge.connect(self.hashes[h], self.penalties, self.minted, self.n, S, mint(P, S, h))
        self.issued += subsidy(P, h)
        supply = sum(c.value for c in self.coins.values())
        assert supply + S.pool == self.issued, "conservation"
        assert supply <= self.issued and S.pool >= 0, "supply over schedule"
        assert S.n <= P.MAX_CLAIMS and self.minted <= self.states[h - 1].pool, "mint over the pool"
        self.open_block()
        self.bases.append((dict(self.coins), Counter(self.paid), self.tip, self.issued))
        del self.bases[:-12]

    def reorg(self, depth):
        """Throw away the open block and depth blocks; the new branch has other hashes."""
        self.salt += 1
        del self.bases[len(self.bases) - min(depth, len(self.bases) - 1):]
        coins, paid, self.tip, self.issued = self.bases[-1]
        self.coins, self.paid = dict(coins), Counter(paid)
        bodies = {op: parse_script(c.script) for op, c in coins.items()}
        self.typed = {op: b for op, b in bodies.items() if b not in (None, RESERVED)}
        for x in [x for x in self.hashes if x > self.tip]:
            del self.hashes[x], self.states[x]
        if judge:
            judge.reorg(self.tip, self.salt)
        self.open_block()


class Ahead:
    """Hashes of the branch; heights not there yet get a hash for probes into a possible future."""

    def __init__(self, chain):
        self.c = chain

    def __getitem__(self, x):
        return self.c.hashes.get(x) or sha256(b"future" + le(self.c.salt, 4) + le(x, 4))


chain = Chain()
tried, accepted, why_not = Counter(), Counter(), Counter()
FORBIDDEN = Counter()


def typed_coins(kind):
    return [(op, chain.coins[op], b) for op, b in chain.typed.items() if b.kind == kind]


def amount(top=300_000):
    return R.choice([0, 1, 999, 1000, 1001, R.randrange(top), R.randrange(top)])


# ------------------------------------------------------------ parts: what one action puts into a tx
class Part:
    def __init__(self, op=None, elements=None, signers=(), outs=()):
        self.op, self.elements, self.signers, self.outs = op, elements, list(signers), list(outs)


def rev(c, cid, other):
    n = R.choice([c.revision, c.revision + 1, c.revision + R.randrange(1, 9)]) & 0xffffffff
    s = R.choice([0, 1, 2, 3, 3])
    root = ROOTS[s] if R.random() < 0.95 else ROOTS[3]
    return le(n, 4) + root + le(s, 4) + sign(other, revision_message(G, cid, n, root, s))


def vou(c, cid):
    a = R.choice([c.redeemed, c.redeemed + 1, c.allowance, c.allowance + 1, R.randrange(c.redeemed, c.allowance + 60_000)])
    return le(a, 8) + sign(c.renter_key, voucher_message(G, cid, a))


def carry(c, s_rev, s_vou, value):
    if s_vou:
        value -= num(s_vou[:8]) - c.redeemed
        c = replace(c, redeemed=num(s_vou[:8]))
    if s_rev:
        c = replace(c, revision=num(s_rev[:4]), root=s_rev[4:36], sectors=num(s_rev[36:40]))
    return c, value


def prevout(op):
    return op[0] + le(op[1], 4)


def make_prove(op, coin, b):
    cid, v = b.id(prevout(op)), chain.view()
    passed = [i for i in range(b.done + 1, b.periods + 1) if b.due(i) < chain.h]
    i = R.choice(passed) if passed and R.random() < 0.9 else R.randrange(0, b.periods + 2)
    known = [j for j in range(b.done + 1, min(i, b.periods) + 1) if b.due(j) < chain.h]
    call = {j: is_called(b, cid, j, v) for j in known}
    k = sum(call[j] for j in known if j < i)
    e = i - b.done - k
    r = rev(b, cid, b.renter_key) if R.random() < 0.25 else None
    u = vou(b, cid) if R.random() < 0.25 else None
    proof = []
    if call.get(i) and b.sectors:
        proof = [LEAVES[x % SECTOR_LEAVES] + path_of(b.sectors, x)
                 for x in sample_indices(b, cid, chain.hashes[b.due(i)])]
    s = replace(b, contract_id=cid, sigs=b"", done=max(i, 0) & 0xffff, allowance=b.allowance + k * b.rent)
    s, value = carry(s, r, u, coin.value - e * b.rent - k * b.penalty)
    w = [b"\1" + le(i, 2) + bytes([(1 if r else 0) | (2 if u else 0)])] + [x for x in (r, u) if x] + proof
    return Part(op, w, [b.host_key], [(s, value)])


def make_sync(op, coin, b):
    cid, renter = b.id(prevout(op)), R.random() < 0.5
    r = rev(b, cid, b.host_key if renter else b.renter_key) if renter or R.random() < 0.6 else None
    u = vou(b, cid) if not renter and (not r or R.random() < 0.5) or R.random() < 0.05 else None
    s, value = carry(replace(b, contract_id=cid, sigs=b""), r, u, coin.value)
    w = [b"\3" + bytes([(1 if r else 0) | (2 if u else 0) | (4 if renter else 0)])] + [x for x in (r, u) if x]
    return Part(op, w, [b.renter_key if renter else b.host_key], [(s, value)])


def terms():
    odds = R.choice([1, 1, 1, 2, 3, 4])
    periods = R.choice([1, 2, 3, 5, 8]) if odds == 1 else 6 * odds + R.choice([-1, 0, 0, 1, 3])
    return dict(period=R.choice([11] + [12] * 7 + [13, 16]), periods=periods, samples=R.choice([1, 2, 3]),
                odds=odds, rent=amount(), penalty=amount(), allowance=R.choice([0, 1_000_000, amount()]))


def make_revise(op, coin, b):
    s = replace(b, contract_id=b.id(prevout(op)), sigs=b"", revision=b.revision + R.choice([0, 1, 1, 50]))
    t = terms()
    if R.random() < 0.5:
        s = replace(s, **t, done=0, start=chain.h + R.choice([-1, 0, 3, 9]))
    else:
        del t["period"], t["odds"]
        s = replace(s, **t)
    n = R.choice([0, 1, 2, 3])
    s = replace(s, sectors=n, root=ROOTS[n])
    if R.random() < 0.15:
        s = replace(s, **R.choice([{"redeemed": 0}, {"done": 0}, {"host_key": R.choice(KEYS)}, {"redeemed": s.allowance}]))
    return Part(op, [b"\4"], [b.renter_key, b.host_key], [(s, s.need(P) + R.choice([-1, 0, 0, 5000]))])


def make_end(op, coin, b):
    cid, v, h, renter = b.id(prevout(op)), chain.view(), chain.h, R.random() < 0.5
    u = vou(b, cid) if R.random() < 0.3 and not renter else None
    m = sum(is_called(b, cid, j, v) for j in range(b.done + 1, b.periods + 1) if b.due(j) + P.WINDOW < h)
    paid = num(u[:8]) - b.redeemed if u else 0
    rd, hd, pool = end_split(P, b, coin.value, paid, m)
    owed, key = (hd, b.host_key) if renter else (rd, b.renter_key)
    if R.random() < 0.1:
        owed -= 1
    p = Part(op, [b"\5" + bytes([(2 if u else 0) | (4 if renter else 0)])] + ([u] if u else []),
             [b.renter_key if renter else b.host_key], [(pay_script(key), owed)] if owed > 0 else [])
    p.sink = pool
    return p


def make_close(op, coin, b):
    return Part(op, [b"\6"], [b.renter_key, b.host_key])


def make_claim(op, coin, b):
    cid = b.id(prevout(op))
    d = R.randrange(max(1, chain.h - 18), chain.h + (R.random() < 0.05))
    if d <= b.seal_height < chain.tip and R.random() < 0.9:
        d = chain.tip
    if b.seal_height >= chain.h or d > chain.tip:
        K, sector = ZERO, 0
    else:
        K = seal_key(chain.hashes[b.seal_height], cid, b.host_key)
        unit = R.randrange((b.sectors + P.UNIT - 1) // P.UNIT)
        sector, _ = draw(P, chain.hashes[d], K, unit)
        if R.random() < 0.03:
            sector = R.randrange(b.sectors)
    l = sector * SECTOR_LEAVES + R.randrange(SECTOR_LEAVES)
    if R.random() < 0.1:
        d, l = b.mark_height, b.mark_leaf
    real = R.random() < (0.02 if judge else 0.125) and K != ZERO
    sealed = seal_leaf(P, K, l, LEAVES[l % SECTOR_LEAVES]) if real else sha256(le(l, 8)) * 32
    s = replace(b, seal_id=cid, sigs=b"", mark_height=d, mark_leaf=l)
    path = path_of(b.sectors, l) if l < b.sectors * SECTOR_LEAVES else bytes(32 * 12)
    p = Part(op, [b"\x21" + le(d, 4) + le(l, 8), sealed + path], [b.host_key], [(s, coin.value)])
    p.gain, p.real = (mint(P, chain.states[d], d) if d in chain.states else 0), real
    return p


def make_retire_seal(op, coin, b):
    return Part(op, [b"\x22"], [b.host_key])


def make_update(op, coin, b):
    s = replace(b, sequence=(b.sequence + R.choice([1, 1, 1, 2])) & 0xffffffff, sigs=b"", record=b"\1\1\0" + bytes([R.randrange(256)]))
    return Part(op, [b"\x11"], [b.key], [(s, max(0, coin.value + R.choice([-5000, -1, 0, 0, 7])))])


def make_retire_identity(op, coin, b):
    return Part(op, [b"\x12"], [b.key])


def form_contract():
    n = R.choice([0, 1, 2, 3])
    c = Contract(ZERO, R.choice(KEYS[:3]), R.choice(KEYS[2:5]), ROOTS[n], n, R.choice([0] * 9 + [1]),
                 chain.h + R.choice([-1, 0, 0, 1, 5, 20]), done=0, redeemed=0, **terms())
    return Part(outs=[(c, c.need(P) + R.choice([-1] + [0] * 6 + [40_000]))])


def form_seal():
    n = R.choice([0, 1, 2, 4, 5])
    s = Seal(ZERO, 1, R.choice(KEYS[2:5]), ROOTS[n], n, chain.h + R.choice([9, 10, 10, 12]), 0, 0)
    return Part(outs=[(s, P.SEAL_BOND + R.choice([-1, 0, 0, 9]))])


def form_identity():
    return Part(outs=[(Identity(R.choice(KEYS), R.randrange(9), b""), P.BOND_MIN + R.choice([-1, 0, 5000]))])


def forge():
    """A continuing output with no input behind it, or a copy of a coin's state."""
    kind = R.choice([CONTRACT, SEAL, IDENTITY])
    have = typed_coins(kind)
    if not have:
        return form_identity()
    op, coin, b = R.choice(have)
    b = {CONTRACT: lambda: replace(b, contract_id=b.id(prevout(op)), sigs=b"", redeemed=0),
         SEAL: lambda: replace(b, seal_id=b.id(prevout(op)), sigs=b"", mark_height=0),
         IDENTITY: lambda: replace(b, sigs=b"")}[kind]()
    return Part(outs=[(b, coin.value)])


MAKERS = {"PROVE": (CONTRACT, make_prove, 22), "SYNC": (CONTRACT, make_sync, 12), "REVISE": (CONTRACT, make_revise, 5),
          "END": (CONTRACT, make_end, 10), "CLOSE": (CONTRACT, make_close, 1), "CLAIM": (SEAL, make_claim, 14),
          "RETIRE_SEAL": (SEAL, make_retire_seal, 1), "UPDATE": (IDENTITY, make_update, 4),
          "RETIRE_ID": (IDENTITY, make_retire_identity, 1), "form contract": (None, form_contract, 9),
          "form seal": (None, form_seal, 2), "form identity": (None, form_identity, 2), "forge": (None, forge, 3)}


def cash_input(least):
    found = [(op, c) for op, c in chain.coins.items() if op not in chain.typed and c.value >= least
             and (not c.coinbase or chain.h - c.height >= MATURITY)]
    return R.choice(found) if found else None


def some_part(kind):
    of, make, _ = MAKERS[kind]
    if of is None:
        return make()
    have = typed_coins(of)
    if kind == "PROVE" and R.random() < 0.8:
        have = [x for x in have if x[2].due(x[2].done + 1) < chain.h <= x[2].due(x[2].periods) + P.WINDOW] or have
    if kind == "END" and R.random() < 0.5:
        have = [x for x in have if x[2].due(x[2].done + 1) + P.WINDOW < chain.h] or have
    return make(*R.choice(have)) if have else None


def assemble(parts):
    """A transaction of these parts, balanced by one ordinary input and change, then perhaps tampered with."""
    ins, outs, sink, gain = [], [], 0, 0
    for p in parts:
        if p.op:
            if any(p.op == q.op for q in ins):
                return None
            ins.append(p)
        outs += p.outs
        sink += getattr(p, "sink", 0)
        gain += getattr(p, "gain", 0)
    if any(v < 0 or v >= 2 ** 63 for _, v in outs):
        return None
    have = sum(chain.coins[p.op].value for p in ins) + gain
    k_pool = 0
    for p in ins:                                     # penalties of a PROVE
        if p.elements[0][0] == PROVE:
            b, s = parse_script(chain.coins[p.op].script), p.outs[0][0]
            if b.rent:
                k_pool += (s.allowance - b.allowance) // b.rent * b.penalty
    want = sum(v for _, v in outs) + sink + k_pool
    fund = cash_input(max(0, want - have) + 1000)
    if fund is None:
        return None
    ins.append(Part(fund[0]))
    if R.random() < 0.2:
        R.shuffle(ins)
    have += fund[1].value
    change = have - want - R.choice([0, 1, 500])
    outs = [list(o) for o in outs] + [[R.choice([TRUE, pay_script(R.choice(KEYS))]), max(change, 0)]]
    tamper = R.random()
    if tamper < 0.04:
        R.choice(outs)[1] += R.choice([1, -1, 10_000])
    elif tamper < 0.07:
        o = R.choice(outs)
        if not isinstance(o[0], bytes):
            f = R.choice([f.name for f in fields(o[0]) if f.name not in ("sigs", "record")])
            v = getattr(o[0], f)
            o[0] = replace(o[0], **{f: sha256(v) if isinstance(v, bytes) else (v + 1) & 0xff})
    elif tamper < 0.09:
        outs.pop(R.randrange(len(outs)))
    elif tamper < 0.10:
        outs.append(list(R.choice(outs)))
    if any(v < 0 for _, v in outs):
        return None
    tx = Tx([TxIn(*p.op) for p in ins], [])
    for n, (what, value) in enumerate(outs):
        if isinstance(what, bytes):
            tx.vout.append(TxOut(value, what))
            continue
        if what.forming:
            msg = form_message(G, tx.vin[0].prevout, n, value, what)
            what = replace(what, sigs=b"".join(sign(k, msg) for k in what.signers if k in SECRET))
        elif what.kind == IDENTITY and not any(p.op in chain.typed for p in ins):
            what = replace(what, sigs=sign(what.key, form_message(G, tx.vin[0].prevout, n, value, what))
                           if R.random() < 0.9 and what.key in SECRET else b"")
        tx.vout.append(TxOut(value, typed_script(what)))
    coins = [chain.coins[p.op] for p in ins]
    for n, p in enumerate(ins):
        if p.elements:
            if R.random() < 0.02:
                p.elements[0] = p.elements[0][:1] + bytes(R.choice(p.elements[0]) for _ in p.elements[0][1:])
            if R.random() < 0.02:
                p.signers = [R.choice(KEYS) for _ in p.signers]
            msg = action_message(G, tx, coins, n, p.elements)
            tx.vin[n].witness = p.elements + [sign(k, msg) for k in p.signers]
    return tx, coins, ins


# -------------------------------------------------------------------------------------- invariants
def open_challenge(c, cid, view):
    h, k = view.h, 0
    for i in range(c.done + 1, c.periods + 1):
        if c.due(i) >= h:
            return None
        if is_called(c, cid, i, view):
            if h <= c.due(i) + P.WINDOW:
                return i if k < P.MAX_MISS else None
            k += 1
    return None


def check_accepted(tx, coins, r, view):
    total_in, total_out = sum(c.value for c in coins), sum(o.value for o in tx.vout)
    assert total_in + r.mint == total_out + r.pool + r.fee and r.fee >= 0 and r.pool >= 0 and r.mint >= 0
    by_id, ids_before = {}, Counter()
    for n, st in r.steps.items():
        b = parse_script(coins[n].script)
        cid = b.id(tx.vin[n].prevout)
        ids_before[(b.kind, cid)] += 1
        if b.kind != CONTRACT:
            continue
        if open_challenge(b, cid, view):
            FORBIDDEN["coins spent under an open challenge"] += 1
            assert b.host_key in st.signers, "open challenge spent without the host"
            w = tx.vin[n].witness[0][0]
            if len(st.signers) == 1 and st.successor and w != PROVE:
                assert (st.successor.root, st.successor.sectors) == (b.root, b.sectors), "new root under a challenge"
            if w == PROVE:
                i = num(tx.vin[n].witness[0][1:3])
                if open_challenge(replace(b, done=i), cid, view):
                    FORBIDDEN["PROVE below an open challenge"] += 1
                    assert (st.successor.root, st.successor.sectors) == (b.root, b.sectors), "new root under a challenge"
        v = 0
        act = parse_witness(CONTRACT, tx.vin[n].witness)
        if act.vou:
            v = num(act.vou[:8]) - b.redeemed
            assert v > 0
        assert chain.paid[cid] == b.redeemed, "a voucher satoshi paid twice or lost"
        chain.paid[cid] += v
        if st.successor:
            assert chain.paid[cid] == st.successor.redeemed
    ids_after = Counter()
    for o in tx.vout:
        b = parse_script(o.script)
        if b in (None, RESERVED):
            continue
        if b.kind == CONTRACT:
            left = b.periods - b.done
            assert o.value >= left * (b.rent + b.penalty) + (b.allowance - b.redeemed) + P.DEPOSIT, "value' < need'"
        if not b.forming:
            ids_after[(b.kind, b.id(None))] += 1
    assert all(ids_after[x] <= ids_before[x] for x in ids_after), "a state out of nothing"
    if r.claims:
        typed = {n for n, o in enumerate(tx.vout) if parse_script(o.script) not in (None, RESERVED)}
        assert set(r.maturing) == set(range(len(tx.vout))) - typed


def probe():
    """PROVE and END never both possible; END's split the same for both signers and later; nothing one-sided by
    the renter under an open challenge; the facts' height range holds."""
    have = typed_coins(CONTRACT)
    if not have:
        return
    op, coin, b = R.choice(have)
    cid = b.id(prevout(op))
    h = max(1, R.choice([chain.h, b.due(R.randrange(0, b.periods + 1)) + R.randrange(-1, P.WINDOW + 3),
                         b.due(b.periods) + R.randrange(0, 2 * P.WINDOW)]))
    tried["probe"] += 1

    def step(h, fn, code, i=0, flags=0, rest=(), rv=None):
        view = chain.view(h)
        a = Action(code, flags, i, 0, 0, rv, None, list(rest), [], [])
        try:
            return fn(Spent(0, coin, b, cid, a), None, view)
        except Bad:
            return None

    view = chain.view(h)
    can_prove = False
    for i in range(b.done + 1, b.periods + 1):
        rest = []
        if b.due(i) < h and is_called(b, cid, i, view) and b.sectors:
            rest = [bytes(LEAF + 32 * path_length(x, b.sectors * SECTOR_LEAVES))
                    for x in sample_indices(b, cid, view.hash(b.due(i)))]
        st = step(h, do_prove, PROVE, i, 0, rest)
        can_prove |= st is not None
        if st:                                        # the facts: valid in all of lo ... hi, money conserved
            k = sum(is_called(b, cid, j, chain.view(h)) for j in range(b.done + 1, i))
            assert st.successor.done == i and st.pool == k * b.penalty
            assert coin.value - st.value - st.pool == (i - b.done - k) * b.rent, "the host takes what it proved"
            assert st.successor.allowance == b.allowance + k * b.rent, "missed rent stays the renter's"
            for x in {st.lo, st.hi, R.randint(st.lo, st.hi)}:
                called = is_called(b, cid, i, chain.view(max(x, h)))
                assert step(x, do_prove, PROVE, i, 0, rest) is not None, ("facts", called, x, st.lo, st.hi)
            if h == st.lo and st.lo > 0:
                assert step(st.lo - 1, do_prove, PROVE, i, 0, rest) is None
    ends = {who: step(h, do_end, END, 0, who) for who in (0, BY_RENTER)}
    if can_prove:
        FORBIDDEN["heights at which PROVE is possible"] += 1
        assert ends[BY_RENTER] is None, "PROVE and END meet"
        assert ends[0] is None, "PROVE and the host's END meet"
    if ends[BY_RENTER]:
        assert ends[0], "the renter may END, the host not"
    later = step(h + R.randrange(1, 60), do_end, END, 0, BY_RENTER)
    splits = set()
    for who, st in list(ends.items()) + ([(BY_RENTER, later)] if ends[0] and later and (b.left or ends[BY_RENTER]) else []):
        if st:
            FORBIDDEN["END splits compared"] += 1
            owed = sum(st.owed.values())
            mine = coin.value - owed - st.pool
            assert owed >= 0 and mine >= 0 and st.pool >= 0
            splits.add((owed, mine, st.pool) if who else (mine, owed, st.pool))
    assert len(splits) <= 1, ("END's split depends on who or when", splits)
    for host, renter, pool in splits:
        m = sum(is_called(b, cid, j, view) for j in range(b.done + 1, b.periods + 1) if b.due(j) + P.WINDOW < h)
        assert host == 0 if m >= 3 else pool == m * b.penalty, "forfeit"
        assert renter >= b.allowance - b.redeemed + m * b.rent
    if open_challenge(b, cid, view):
        FORBIDDEN["open challenges probed"] += 1
        rv = le(b.revision + 1, 4) + ROOTS[1] + le(1, 4) + bytes(64)
        assert step(h, do_sync, SYNC, 0, 5, (), rv) is None, "renter's SYNC under an open challenge"
        assert ends[BY_RENTER] is None


def heavy(r, unseal):
    """The jobs as check_tx runs them; unsealing, which is slow here, only where a sealed leaf was made."""
    for job in sorted(r.jobs, key=lambda j: j[0] != "sig"):
        if job[0] != "unseal" or unseal:
            fault = run_job(job)
            need(fault is None, "heavy job failed: %s" % fault, job[0] != "sig")


def judged(tx, coins, h, unseal):
    """The model's result, or its Bad; the C code must agree."""
    view, r = chain.view(h), None
    try:
        try:
            r = storage_check(tx, coins, view)
        except Bad as e:
            e.soft = e.soft or view.top >= 0
            raise
        heavy(r, unseal)
        verdict = r
        return r
    except Bad as e:
        verdict = e
        raise
    finally:
        if judge:
            judge.compare(tx, coins, h, unseal, verdict)


def elsewhere(tx, coins, unseal):
    """The same transaction in another block; and in every block that the facts allow, it is still valid."""
    heights = [chain.h + R.randrange(-3, 4)]
    try:
        r = storage_check(tx, coins, chain.view())
        heavy(r, unseal)
        lo, hi = max(r.lo or 0, r.read + 1), chain.h + 30 if r.hi is None else r.hi
        heights = [x for x in (lo, hi, R.randint(lo, hi)) if x > r.read] if lo <= hi else heights
        for h in heights:
            if all(not c.coinbase or h - c.height >= MATURITY for c in coins):
                assert judged(tx, coins, h, unseal).fee == r.fee, "facts"
    except Bad:
        for h in heights:
            try:
                judged(tx, coins, max(h, 1), unseal) if h <= chain.h or not tx_claims(tx) else None
            except Bad:
                pass


def tx_claims(tx):
    return any(i.witness and i.witness[0][:1] == b"\x21" for i in tx.vin)


def spoil(tx):
    """One change after signing: to a script, a value, a witness, whatever a third party could touch."""
    what = R.randrange(9)
    o, i = R.choice(tx.vout) if tx.vout else None, R.choice(tx.vin)
    flip = lambda b: b[:n] + bytes([b[n] ^ 1 << R.randrange(8)]) + b[n + 1:] if (n := R.randrange(len(b) or 1)) < len(b) else b
    if what == 0 and o:
        o.script = flip(o.script)
    elif what == 1 and o:
        o.value = R.choice([o.value ^ 1, o.value + 1000, 2 ** 63 + 5, 2 ** 64 - 1, P.MAX_MONEY, P.MAX_MONEY + 1])
    elif what == 2 and o:
        o.script = R.choice([o.script[:-1], o.script + b"\0", b"\xbb\x01\x80", b"\xbb\x01\x04", b"\xbb" + o.script])
    elif what in (3, 4) and i.witness:
        n = R.randrange(len(i.witness))
        i.witness[n] = flip(i.witness[n])
    elif what == 5 and i.witness:
        n = R.randrange(len(i.witness))
        i.witness[n:n + 1] = R.choice([[], [i.witness[n]] * 2, [i.witness[n][:-1]], [i.witness[n] + b"\0"], [b"", i.witness[n]]])
    elif what == 6:
        tx.locktime, i.sequence = R.choice([(1, i.sequence), (0, 0xffffffff), (5, 7)])
    elif what == 7:
        i.script_sig = b"\x51"
    elif what == 8 and len(tx.vout) > 1:
        R.shuffle(tx.vout)


def attempt():
    names = list(MAKERS)
    weights = [MAKERS[n][2] for n in names]
    kinds = R.choices(names, weights, k=R.choice([1, 1, 1, 1, 2, 3]))
    if kinds[0] == "CLAIM" and R.random() < 0.8:
        kinds = ["CLAIM"] * len(kinds)
    parts = [p for p in map(some_part, kinds) if p]
    if len(parts) < len(kinds):
        return False
    made = assemble(parts)
    if made is None:
        return False
    tx, coins, ins = made
    if judge and R.random() < 0.08:
        spoil(tx)
    for k in kinds:
        tried[k] += 1
    view = chain.view()
    unseal = any(getattr(p, "real", False) for p in parts) and sum(p.op is not None for p in parts) == 1
    try:
        r = judged(tx, coins, chain.h, unseal)
        next_state(P, chain.states[chain.tip], chain.h, chain.penalties + r.pool, chain.minted + r.mint, chain.n + r.claims)
    except Bad as e:
        why_not[e.reason] += 1
        return True
    finally:
        if judge and R.random() < 0.15:
            elsewhere(tx, coins, unseal)
    check_accepted(tx, coins, r, view)
    for k in kinds:
        accepted[k] += 1
    txid = tx.txid
    assert parse_tx(tx.serialise()).serialise() == tx.serialise()
    for i in tx.vin:
        chain.take((i.txid, i.vout))
    for n, o in enumerate(tx.vout):
        chain.put((txid, n), Coin(o.value, o.script, chain.h, n in r.maturing))
    chain.fees += r.fee
    chain.minted += r.mint
    chain.penalties += r.pool
    chain.n += r.claims
    return True


def main():
    print("seed: --seed %d" % args.seed, flush=True)
    for _ in range(MATURITY + 10):
        chain.close_block()
    steps = reorgs = 0
    deepest, told = chain.tip, time.time()
    probes = 0.25 if judge else 0.40                  # with a judge its comparisons are the steps
    while (judge.compared if judge else steps) < args.steps:
        x = R.random()
        if x < 0.22:
            chain.close_block()
        elif x < 0.223:
            chain.reorg(R.choice([1, 1, 2, 3, 8]))
            reorgs += 1
        elif x < probes:
            probe()
            steps += 1
        else:
            steps += attempt()
        if judge and time.time() > told + 20:
            told = time.time()
            print("%d steps compared, height %d" % (judge.compared, chain.tip), flush=True)
        deepest = max(deepest, chain.tip)
    chain.close_block()
    print("seed %d: %d steps, %d reorgs, height %d, %d coins, pool %.2f, supply %.2f of %.2f" % (
        args.seed, steps, reorgs, chain.tip, len(chain.coins), chain.states[chain.tip].pool / COIN,
        sum(c.value for c in chain.coins.values()) / COIN, chain.issued / COIN))
    print("%-16s %8s %8s" % ("action", "tried", "accepted"))
    for k in list(MAKERS) + ["probe"]:
        print("%-16s %8d %8d" % (k, tried[k], accepted[k]))
    for k, n in FORBIDDEN.items():
        print("%8d %s" % (n, k))
    print("why refused:", ", ".join("%s %d" % x for x in why_not.most_common(60)))
    if judge:
        print(judge.summary())


if __name__ == "__main__":
    main()
