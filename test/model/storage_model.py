"""Executable companion of the storage rules (doc/protocol.md, sections 3, 4 and 6).

Pure Python 3, standard library only. It is written to be read beside the text and to make test
vectors, not to be fast. 
Order: parameters, the seal, transactions, typed bodies, well-formedness, calls, witness, transitions,
transaction check, state per block. Hashes, BIP 340, Merkle trees and AES stand in primitives.py.

    result = check_tx(tx, coins, view)      # raises Bad(reason), or tells mint, pool, owed, facts ...
"""
from dataclasses import dataclass, field, fields, replace

from primitives import *     # hashes, BIP 340, Merkle trees, AES-CTR; handed on to who imports this module

# ---------------------------------------------------------------------------------- parameters (P)
COIN = 10 ** 8


@dataclass(frozen=True)
class Params:
    WINDOW: int = 288            # blocks in which a called height can be proved
    MIN_PERIOD: int = 576        # at least 2 * WINDOW: windows of one contract never overlap
    MAX_PERIODS: int = 4096
    MAX_MISS: int = 3
    MAX_SPAN: int = 2 ** 22
    MAX_LEAD: int = 20160
    SEAL_DELAY: int = 100
    SEAL_SLACK: int = 288
    CLAIM_WINDOW: int = 16
    MAX_CLAIMS: int = 16
    MINT_DIV: int = 512
    DEPOSIT: int = 20_000
    OWED_MIN: int = 1_000
    BOND_MIN: int = COIN
    BOND_LOCK: int = 1000
    SEAL_BOND: int = COIN // 10
    SEAL_MIN: int = 256          # sectors in a SEAL, at least
    UNIT: int = 2048             # sectors per draw
    MAX_SECTORS: int = 2 ** 24
    MAX_TYPED: int = 256
    T_MAX: int = 2 ** 239
    T_MIN: int = 2 ** 160
    MAX_MONEY: int = 84_000_000 * COIN
    SUBSIDY: int = 50 * COIN
    HALVING: int = 840_000       # the text gives no other value for regtest
    SEAL_P: int = 2 ** 4096 - 2549
    SEAL_E: int = 512            # bytes of one element


MAIN = Params()
REGTEST = replace(MAIN, WINDOW=6, MIN_PERIOD=12, SEAL_DELAY=10, BOND_LOCK=20, SEAL_MIN=1, UNIT=4,
                  T_MAX=2 ** 256 - 1, SEAL_P=2 ** 1024 - 179, SEAL_E=128)

MATURITY = 100                   # of coinbase outputs, and of what a CLAIM transaction pays


class Bad(Exception):
    """The transaction (or block) is invalid. soft: only here and now (heights, hashes, T), so it is
    neither punished nor remembered."""

    def __init__(self, reason, soft=False):
        super().__init__(reason)
        self.reason, self.soft = reason, soft


def need(ok, reason, soft=False):
    if not ok:
        raise Bad(reason, soft)


# -------------------------------------------------------------------------------- seal, version 1
def seal_key(block_hash, seal_id, host_key):
    return tag("seal", block_hash + seal_id + host_key)


def _map_elements(P, leaf, exponent):
    out = b""
    for i in range(0, LEAF, P.SEAL_E):
        x = num(leaf[i:i + P.SEAL_E])
        out += le(pow(x, exponent, P.SEAL_P) if x < P.SEAL_P else x, P.SEAL_E)
    return out


def seal_leaf(P, K, l, raw):
    stream = aes256_ctr(K, l * 64, LEAF)
    mixed = bytes(a ^ b for a, b in zip(raw, stream))
    return _map_elements(P, mixed, (2 * P.SEAL_P - 1) // 3)           # cube root, as p = 2 mod 3


def unseal_leaf(P, K, l, sealed):
    stream = aes256_ctr(K, l * 64, LEAF)
    mixed = _map_elements(P, sealed, 3)
    return bytes(a ^ b for a, b in zip(mixed, stream))


def draw(P, B, K, u):
    """(sector, column) that block hash B draws from unit u; the sector counts from the seal's start
    and may lie past its end: then nothing is drawn."""
    q = n64(tag("draw", B + K + le(u, 4))) % (P.UNIT * 16)
    return u * P.UNIT + q // 16, q % 16


def ticket(P, B, K, l, column, sealed):
    w = P.SEAL_E // 16
    cut = b"".join(sealed[i + column * w:i + (column + 1) * w] for i in range(0, LEAF, P.SEAL_E))
    return num(tag("ticket", B + K + le(l, 8) + cut))


# ------------------------------------------------------------------------------------ transactions
@dataclass
class TxIn:
    txid: bytes                  # internal byte order
    vout: int
    script_sig: bytes = b""
    sequence: int = 0xfffffffd
    witness: list = field(default_factory=list)

    @property
    def prevout(self):
        return self.txid + le(self.vout, 4)


@dataclass
class TxOut:
    value: int
    script: bytes

    def serialise(self):
        return le(self.value, 8) + sized(self.script)


@dataclass
class Tx:
    vin: list
    vout: list
    version: int = 2
    locktime: int = 0

    def serialise(self, witness=True):
        witness = witness and any(i.witness for i in self.vin)
        b = le(self.version, 4) + (b"\0\1" if witness else b"")
        b += compact(len(self.vin))
        b += b"".join(i.prevout + sized(i.script_sig) + le(i.sequence, 4) for i in self.vin)
        b += compact(len(self.vout)) + b"".join(o.serialise() for o in self.vout)
        if witness:
            b += b"".join(compact(len(i.witness)) + b"".join(map(sized, i.witness)) for i in self.vin)
        return b + le(self.locktime, 4)

    @property
    def txid(self):
        return sha256(sha256(self.serialise(False)))

    @property
    def is_coinbase(self):
        return len(self.vin) == 1 and self.vin[0].prevout == bytes(32) + b"\xff" * 4


def parse_tx(b):
    pos = 0

    def take(n):
        nonlocal pos
        need(pos + n <= len(b), "transaction cut short")
        pos += n
        return b[pos - n:pos]

    def vint():
        n = num(take(1))
        return n if n < 0xfd else num(take({0xfd: 2, 0xfe: 4, 0xff: 8}[n]))

    version, marker = num(take(4)), b[4:6] == b"\0\1"
    if marker:
        take(2)
    vin = [TxIn(take(32), num(take(4)), take(vint()), num(take(4))) for _ in range(vint())]
    vout = [TxOut(num(take(8)), take(vint())) for _ in range(vint())]
    if marker:
        for i in vin:
            i.witness = [take(vint()) for _ in range(vint())]
    tx = Tx(vin, vout, version, num(take(4)))
    need(pos == len(b), "bytes after the transaction")
    return tx


@dataclass
class Coin:
    """An unspent output. coinbase: it matures like coinbase."""
    value: int
    script: bytes
    height: int
    coinbase: bool = False


# ------------------------------------------------------------------------------------ typed bodies
OP_STORAGE = 0xbb
IDENTITY, CONTRACT, SEAL, RESERVED = 1, 2, 3, 0x80
ZERO = bytes(32)


def _pack(body):
    return b"".join(v if isinstance(v, bytes) else le(v, size)
                    for v, size in ((getattr(body, n), s) for n, s in body.LAYOUT))


def _unpack(cls, b):
    values, pos = {}, 0
    for name, size in cls.LAYOUT:
        chunk, pos = b[pos:pos + size], pos + size
        values[name] = chunk if size == 32 else num(chunk)
    return cls(**values, sigs=b[pos:])


@dataclass(frozen=True)
class Identity:
    key: bytes
    sequence: int
    record: bytes
    sigs: bytes = b""            # 64 bytes if forming, else none
    kind = IDENTITY

    def pack(self):
        return self.key + le(self.sequence, 4) + le(len(self.record), 2) + self.record

    @property
    def forming(self):
        return bool(self.sigs)

    @property
    def signers(self):
        return [self.key]

    def id(self, prevout):
        return self.key


@dataclass(frozen=True)
class Contract:
    contract_id: bytes
    renter_key: bytes
    host_key: bytes
    root: bytes
    sectors: int
    revision: int
    start: int
    period: int
    periods: int
    done: int
    samples: int
    odds: int
    rent: int
    penalty: int
    allowance: int
    redeemed: int
    sigs: bytes = b""            # renter's, host's if forming, else none
    kind = CONTRACT
    LAYOUT = (("contract_id", 32), ("renter_key", 32), ("host_key", 32), ("root", 32), ("sectors", 4),
              ("revision", 4), ("start", 4), ("period", 2), ("periods", 2), ("done", 2), ("samples", 1),
              ("odds", 1), ("rent", 8), ("penalty", 8), ("allowance", 8), ("redeemed", 8))
    pack = _pack

    @property
    def forming(self):
        return self.contract_id == ZERO

    @property
    def signers(self):
        return [self.renter_key, self.host_key]

    def id(self, prevout):
        return tag("contract", prevout) if self.forming else self.contract_id

    def due(self, i):
        return self.start + i * self.period

    @property
    def left(self):
        return self.periods - self.done

    def need(self, P):
        return self.left * (self.rent + self.penalty) + self.allowance - self.redeemed + P.DEPOSIT


@dataclass(frozen=True)
class Seal:
    seal_id: bytes               # first, before version
    version: int
    host_key: bytes
    root: bytes
    sectors: int
    seal_height: int
    mark_height: int
    mark_leaf: int
    sigs: bytes = b""            # the host's if forming, else none
    kind = SEAL
    LAYOUT = (("seal_id", 32), ("version", 1), ("host_key", 32), ("root", 32), ("sectors", 4),
              ("seal_height", 4), ("mark_height", 4), ("mark_leaf", 8))
    pack = _pack

    @property
    def forming(self):
        return self.seal_id == ZERO

    @property
    def signers(self):
        return [self.host_key]

    def id(self, prevout):
        return tag("contract", prevout) if self.forming else self.seal_id     # same tag


CONTRACT_SIZE = sum(s for _, s in Contract.LAYOUT)        # 180, forming 308
SEAL_SIZE = sum(s for _, s in Seal.LAYOUT)                # 117, forming 181


def push(data):
    """Shortest push by length. OP_1 ... OP_16 and OP_1NEGATE are not pushes here."""
    n = len(data)
    if n < 0x4c:
        return le(n, 1) + data
    if n <= 0xff:
        return b"\x4c" + le(n, 1) + data
    need(n <= 0xffff, "push too long")
    return b"\x4d" + le(n, 2) + data


def typed_script(body):
    return bytes([OP_STORAGE]) + push(bytes([body.kind]) + body.pack() + body.sigs)


def parse_record(record):
    """[(type, value)], types strictly rising, filling the record exactly."""
    need(len(record) <= 1024, "record over 1,024 bytes")
    out, pos = [], 0
    while pos < len(record):
        need(pos + 3 <= len(record), "record entry cut short")
        kind, size = record[pos], num(record[pos + 1:pos + 3])
        need(pos + 3 + size <= len(record), "record entry cut short")
        need(not out or kind > out[-1][0], "record types do not rise")
        out.append((kind, record[pos + 3:pos + 3 + size]))
        pos += 3 + size
    return out


def parse_script(script):
    """Body of a typed output; RESERVED for a kind >= 0x80; None if the script is not typed at all."""
    if not script or script[0] != OP_STORAGE:
        return None
    need(len(script) >= 2, "no push")
    need(len(script) <= 10_000, "script over 10,000 bytes")          # else never spendable
    op = script[1]
    need(0 < op <= 0x4d, "not a push of data")
    head = 2 if op < 0x4c else 3 if op == 0x4c else 4
    size = op if op < 0x4c else num(script[2:head])
    data = script[head:head + size]
    need(len(script) == head + size, "push is not the rest of the script")
    need(size > 0 and push(data) == script[1:], "push not minimal")
    kind, b = data[0], data[1:]
    if kind >= RESERVED:
        return RESERVED
    if kind == IDENTITY:
        need(len(b) >= 38, "identity body size")
        n = num(b[36:38])
        need(len(b) in (38 + n, 38 + n + 64), "identity body size")
        parse_record(b[38:38 + n])
        return Identity(b[:32], num(b[32:36]), b[38:38 + n], b[38 + n:])
    if kind == CONTRACT:
        need(len(b) in (CONTRACT_SIZE, CONTRACT_SIZE + 128), "contract body size")
        c = _unpack(Contract, b)
        need(c.forming == bool(c.sigs), "contract: signatures if and only if the id is zero")
        return c
    if kind == SEAL:
        need(len(b) in (SEAL_SIZE, SEAL_SIZE + 64), "seal body size")
        s = _unpack(Seal, b)
        need(s.forming == bool(s.sigs), "seal: signature if and only if the id is zero")
        return s
    raise Bad("unknown kind")


# --------------------------------------------------------------------------------- well-formedness
def check_wellformed(P, body, value):
    """W: true of every typed output, forming or continuing."""
    need(0 <= value <= P.MAX_MONEY, "value out of range")
    if body.kind == IDENTITY:
        need(value >= P.BOND_MIN, "identity: bond below BOND_MIN")
    elif body.kind == CONTRACT:
        c = body
        need(c.sectors <= P.MAX_SECTORS, "contract: too many sectors")
        need((c.sectors == 0) == (c.root == ZERO), "contract: sectors zero without root zero or vice versa")
        need(1 <= c.samples <= 16, "contract: samples not in 1-16")
        need(1 <= c.odds <= 64, "contract: odds not in 1-64")
        need(c.period >= P.MIN_PERIOD, "contract: period below MIN_PERIOD")
        need(1 <= c.periods <= P.MAX_PERIODS, "contract: periods not in 1-MAX_PERIODS")
        need(c.period * c.periods <= P.MAX_SPAN, "contract: span over MAX_SPAN")
        need(c.done <= c.periods, "contract: done over periods")
        for name in ("rent", "penalty", "allowance"):
            need(getattr(c, name) <= P.MAX_MONEY, "contract: %s over MAX_MONEY" % name)
        need(c.redeemed <= c.allowance, "contract: redeemed over allowance")
        need(c.allowance + c.left * c.rent <= P.MAX_MONEY, "contract: allowance could pass MAX_MONEY")
        need(value >= c.need(P), "contract: value below need")
    else:
        need(body.version == 1, "seal: unknown version")                          #
        need(P.SEAL_MIN <= body.sectors <= P.MAX_SECTORS, "seal: sectors out of range")   #
        need(value >= P.SEAL_BOND, "seal: value below SEAL_BOND")


def form_message(G, prevout0, index, value, body):
    """What the parties to a new typed output sign."""
    return tag("form", G + prevout0 + le(index, 4) + le(value, 8) + bytes([body.kind]) + body.pack())


def check_schedule(P, c):
    """A new schedule must be long enough for its odds: else a host that stores nothing is hardly
    ever called and keeps most of the rent."""
    need(c.odds == 1 or c.periods >= 6 * c.odds, "contract: too few periods for its odds")


def check_forming(P, body, h):
    """Height range (lo, hi) in which this output may be formed; None is no bound."""
    if body.kind == CONTRACT:
        check_schedule(P, body)
        need(body.revision == body.done == body.redeemed == 0, "contract: forming with state")
        lo, hi = body.start - P.MAX_LEAD, body.start
        need(lo <= h <= hi, "contract: start not in h ... h + MAX_LEAD", True)
        return lo, hi
    if body.kind == SEAL:
        need(body.mark_height == body.mark_leaf == 0, "seal: forming with a mark")
        hi = body.seal_height - P.SEAL_DELAY
        lo = hi - P.SEAL_SLACK
        need(lo <= h <= hi, "seal: seal_height too near or too far", True)
        return lo, hi
    return None, None


# ---------------------------------------------------------------------------------- chain and calls
@dataclass(frozen=True)
class State:
    """S(h), kept with the block index."""
    pool: int
    T: int
    n: int


class View:
    """What the rules may know of the chain: h (height of the block that holds the transaction), the
    hashes of that block's ancestors, and S of recent ones. It remembers the highest hash read."""

    def __init__(self, params, genesis, h, hashes, states=None):
        self.P, self.G, self.h = params, genesis, h
        self._hashes, self._states, self.top = hashes, states or {}, -1

    def hash(self, x):
        assert 0 <= x < self.h, "the rules may read ancestors only"
        self.top = max(self.top, x)
        return self._hashes[x]

    def state(self, d):
        assert 0 <= d < self.h
        return self._states[d]


def called_by(block_hash, cid, odds):
    """One due height in `odds`. Multiply and shift, not a remainder: the low bits of an id, which can
    be chosen, must not sort contracts into classes that are called together."""
    x = (n64(block_hash) ^ n64(cid)) * 0x9E3779B97F4A7C15 % 2 ** 64
    return x * odds >> 64 == 0


def is_called(c, cid, i, view):
    """Needs a proof. Only for due(i) < h."""
    return called_by(view.hash(c.due(i)), cid, c.odds)


def sample_indices(c, cid, block_hash):
    """Leaves to show for a called height whose block is block_hash; repeats allowed."""
    seed = tag("challenge", block_hash + cid)
    return [n64(tag("sample", seed + le(j, 1))) % (c.sectors * SECTOR_LEAVES) for j in range(c.samples)]


# ---------------------------------------------------------------------------- witness and messages
PROVE, SYNC, REVISE, END, CLOSE = 0x01, 0x03, 0x04, 0x05, 0x06
UPDATE, RETIRE_IDENTITY, CLAIM, RETIRE_SEAL = 0x11, 0x12, 0x21, 0x22
HAS_REV, HAS_VOU, BY_RENTER = 1, 2, 4                     # flags
# action: kind of coin, bytes of w[0], signatures, flag values allowed, re-creates the coin
ACTIONS = {
    PROVE: (CONTRACT, 4, 1, (0, 1, 2, 3), True), SYNC: (CONTRACT, 2, 1, (1, 2, 3, 5), True),
    REVISE: (CONTRACT, 1, 2, None, True), END: (CONTRACT, 2, 1, (0, 2, 4), False),
    CLOSE: (CONTRACT, 1, 2, None, False), UPDATE: (IDENTITY, 1, 1, None, True),
    RETIRE_IDENTITY: (IDENTITY, 1, 1, None, False), CLAIM: (SEAL, 13, 1, None, True),
    RETIRE_SEAL: (SEAL, 1, 1, None, False),
}


@dataclass
class Action:
    code: int
    flags: int
    i: int
    d: int
    leaf: int
    rev: bytes                   # 104 bytes or None
    vou: bytes                   # 72 bytes or None
    rest: list                   # proofs
    sigs: list
    signed: list                 # all elements but the signatures

    @property
    def recreates(self):
        return ACTIONS[self.code][4]


def parse_witness(kind, stack):
    need(stack and stack[0] and stack[0][0] in ACTIONS, "witness: unknown action")
    w0 = stack[0]
    of, size, nsig, flag_values, _ = ACTIONS[w0[0]]
    need(of == kind, "witness: action is not for this kind of coin")
    need(len(w0) == size, "witness: size of the first element")
    need(len(stack) >= 1 + nsig, "witness: signature missing")
    sigs, signed = stack[-nsig:], stack[:-nsig]
    need(all(len(s) == 64 for s in sigs), "witness: signature size")
    a = Action(w0[0], w0[-1] if flag_values else 0, 0, 0, 0, None, None, signed[1:], sigs, signed)
    if flag_values:
        need(a.flags in flag_values, "witness: flags")
    if a.code == PROVE:
        a.i = num(w0[1:3])
    if a.code == CLAIM:
        a.d, a.leaf = num(w0[1:5]), num(w0[5:13])
    if a.flags & HAS_REV:
        need(a.rest and len(a.rest[0]) == 104, "witness: REV")
        a.rev = a.rest.pop(0)
    if a.flags & HAS_VOU:
        need(a.rest and len(a.rest[0]) == 72, "witness: VOU")
        a.vou = a.rest.pop(0)
    if a.code not in (PROVE, CLAIM):
        need(not a.rest, "witness: too many elements")
    return a


def sig_msg(tx, coins, index):
    """BIP 341 SigMsg with hash type 0x00 and spend type 0x04, led by the epoch byte."""
    b = b"\0" + b"\0" + le(tx.version, 4) + le(tx.locktime, 4)
    b += sha256(b"".join(i.prevout for i in tx.vin))
    b += sha256(b"".join(le(c.value, 8) for c in coins))
    b += sha256(b"".join(sized(c.script) for c in coins))
    b += sha256(b"".join(le(i.sequence, 4) for i in tx.vin))
    b += sha256(b"".join(o.serialise() for o in tx.vout))
    return b + b"\4" + le(index, 4)


def action_message(G, tx, coins, index, elements):
    A = sha256(compact(len(elements)) + b"".join(map(sized, elements)))
    return tag("action", sig_msg(tx, coins, index) + G + A)


def revision_message(G, cid, revision, root, sectors):
    return tag("revision", G + cid + le(revision, 4) + root + le(sectors, 4))


def voucher_message(G, cid, amount):
    return tag("voucher", G + cid + le(amount, 8))


# ------------------------------------------------------------------------------------- transitions
@dataclass
class Spent:
    """A typed input: its coin, parsed, and what happens to it."""
    index: int
    coin: Coin
    body: object
    id: bytes
    action: Action


@dataclass
class Step:
    """Outcome of one typed input. successor is None if the action ends the coin."""
    successor: object = None
    value: int = 0
    pool: int = 0
    mint: int = 0
    owed: dict = field(default_factory=dict)
    signers: list = field(default_factory=list)
    jobs: list = field(default_factory=list)
    lo: int = None               # valid from height lo ...
    hi: int = None               # ... to hi with the hashes read so far; past it, run again


def apply_rev(c, s, view, jobs, signer):
    """Carry a co-signed revision; signer is the party that did not sign the action."""
    b = s.action.rev
    n, root, sectors = num(b[:4]), b[4:36], num(b[36:40])
    need(n > c.revision, "REV: number does not rise")
    jobs.append(("sig", signer, revision_message(view.G, s.id, n, root, sectors), b[40:]))
    return replace(c, revision=n, root=root, sectors=sectors)


def apply_vou(c, s, view, jobs):
    """(contract, v): redeem a voucher up to its amount."""
    if s.action.vou is None:
        return c, 0
    a, sig = num(s.action.vou[:8]), s.action.vou[8:]
    need(c.redeemed < a <= c.allowance, "VOU: amount not above redeemed and within allowance")
    jobs.append(("sig", c.renter_key, voucher_message(view.G, s.id, a), sig))
    return replace(c, redeemed=a), a - c.redeemed


def copy_of(s):
    """The coin's body with its real id and without formation signatures."""
    name = {CONTRACT: "contract_id", SEAL: "seal_id", IDENTITY: "key"}[s.body.kind]
    return replace(s.body, **{name: s.id}, sigs=b"")


def do_prove(s, out, view):
    P, h, a = view.P, view.h, s.action
    c = copy_of(s)
    need(c.done < a.i <= c.periods, "PROVE: i not in done+1 ... periods")
    st = Step(signers=[c.host_key], lo=c.due(a.i) + 1, hi=c.due(c.periods) + P.WINDOW)
    need(st.lo <= h <= st.hi, "PROVE: height out of range", True)
    k = sum(is_called(c, s.id, j, view) for j in range(c.done + 1, a.i))
    e = a.i - c.done - k
    if is_called(c, s.id, a.i, view):
        st.hi = c.due(a.i) + P.WINDOW
        need(h <= st.hi, "PROVE: window of the called height has passed", True)
        need(k < P.MAX_MISS, "PROVE: too many called heights missed", True)
        wanted = sample_indices(c, s.id, view.hash(c.due(a.i))) if c.sectors else []
        need(len(a.rest) == len(wanted), "PROVE: number of samples", True)
        leaves = c.sectors * SECTOR_LEAVES
        for index, sample in zip(wanted, a.rest):
            need(len(sample) == LEAF + 32 * path_length(index, leaves), "PROVE: size of a sample", True)
            st.jobs.append(("path", c.root, index, leaves, sample[:LEAF], sample[LEAF:]))
    else:
        need(k == 0, "PROVE: a called height below an uncalled one was missed", True)
        need(not a.rest, "PROVE: samples for an uncalled height", True)
        for j in range(a.i + 1, c.periods + 1):
            if c.due(j) + P.WINDOW >= h:
                st.hi = min(st.hi, c.due(j) + P.WINDOW)
                break
            need(not is_called(c, s.id, j, view), "PROVE: a later called height was missed", True)
        if a.rev:                                         # no new root while a challenge is out
            for j in range(a.i + 1, c.periods + 1):
                if c.due(j) >= h:
                    st.hi = min(st.hi, c.due(j))
                    break
                need(not is_called(c, s.id, j, view), "PROVE: REV while a later height is called", True)
    c = replace(c, done=a.i, allowance=c.allowance + k * c.rent)
    c, v = apply_vou(c, s, view, st.jobs)
    if a.rev:
        c = apply_rev(c, s, view, st.jobs, c.renter_key)
    st.pool = k * c.penalty
    st.successor, st.value = c, s.coin.value - e * c.rent - k * c.penalty - v
    return st


def do_sync(s, out, view):
    a, c = s.action, copy_of(s)
    signer, other = (c.host_key, c.renter_key)
    if a.flags & BY_RENTER:
        signer, other = other, signer
    st = Step(signers=[signer])
    if a.rev:
        need(c.left > 0, "SYNC: REV after the last period")
        for j in range(c.done + 1, c.periods + 1):
            if c.due(j) >= view.h:
                st.hi = c.due(j)
                break
            need(not is_called(c, s.id, j, view), "SYNC: REV while a called height is unproved", True)
    c, v = apply_vou(c, s, view, st.jobs)
    if a.rev:
        c = apply_rev(c, s, view, st.jobs, other)
    st.successor, st.value = c, s.coin.value - v
    return st


def do_revise(s, out, view):
    P, c, (n, value) = view.P, copy_of(s), out
    st = Step(signers=[c.renter_key, c.host_key], successor=n, value=value)
    need(n.revision > c.revision, "REVISE: revision does not rise")
    for name in ("contract_id", "renter_key", "host_key", "redeemed"):
        need(getattr(n, name) == getattr(c, name), "REVISE: %s changed" % name)
    same = all(getattr(n, x) == getattr(c, x) for x in ("start", "period", "done", "odds"))
    if not (same and n.periods >= c.done):
        need(n.done == 0, "REVISE: neither the old schedule nor a fresh one")
        check_schedule(P, n)
        st.lo, st.hi = n.start - P.MAX_LEAD, n.start
        need(st.lo <= view.h <= st.hi, "REVISE: fresh start not in h ... h + MAX_LEAD", True)
    return st


def end_split(P, c, value, v, m):
    """(renter's due, host's due, to the pool) of a contract that ends with m called heights missed.
    A function of the coin and the voucher alone, not of who signs or when."""
    unspent = c.allowance - c.redeemed - v
    if m >= P.MAX_MISS:
        renter = unspent + c.left * c.rent
        return renter, v, value - v - renter              # the collateral: to the pool, so that
                                                          # nobody gains by silencing a host
    renter, pool = unspent + m * c.rent, m * c.penalty
    return renter, value - renter - pool, pool


def do_end(s, out, view):
    P, h, a, c = view.P, view.h, s.action, s.body
    by_renter = bool(a.flags & BY_RENTER)
    st, m = Step(signers=[c.renter_key if by_renter else c.host_key]), 0
    if c.left > 0 or by_renter:
        last = c.due(c.periods) + P.WINDOW
        st.lo = last + 1
        for j in range(c.done + 1, c.periods + 1):
            if c.due(j) + P.WINDOW >= h:
                break
            m += is_called(c, s.id, j, view)
            if m == P.MAX_MISS:
                st.lo = c.due(j) + P.WINDOW + 1
                break
        need(h >= st.lo, "END: too early", True)
    _, v = apply_vou(c, s, view, st.jobs)
    renter, host, st.pool = end_split(P, c, s.coin.value, v, m)
    if by_renter:
        st.owed = {c.host_key: host}
    else:
        st.owed = {c.renter_key: renter}                  # also where both keys are one
    return st


def do_close(s, out, view):
    return Step(signers=[s.body.renter_key, s.body.host_key])


def do_claim(s, out, view):
    P, h, a = view.P, view.h, s.action
    c = copy_of(s)
    st = Step(signers=[c.host_key], lo=a.d + 1, hi=a.d + P.CLAIM_WINDOW)
    leaves = c.sectors * SECTOR_LEAVES
    need(a.leaf < leaves, "CLAIM: no such leaf")
    need((a.d, a.leaf) > (c.mark_height, c.mark_leaf), "CLAIM: not past the mark")
    need(c.seal_height < a.d, "CLAIM: drawn before the key was known")
    need(len(a.rest) == 1 and len(a.rest[0]) == LEAF + 32 * path_length(a.leaf, leaves),
         "CLAIM: size of the proof")
    need(st.lo <= h <= st.hi, "CLAIM: height out of range", True)
    sealed, path = a.rest[0][:LEAF], a.rest[0][LEAF:]
    B, K = view.hash(a.d), seal_key(view.hash(c.seal_height), s.id, c.host_key)
    sector = a.leaf // SECTOR_LEAVES
    drawn, column = draw(P, B, K, sector // P.UNIT)
    need(sector == drawn, "CLAIM: sector not drawn", True)
    S = view.state(a.d)
    need(ticket(P, B, K, a.leaf, column, sealed) < S.T, "CLAIM: ticket does not win", True)
    st.mint = mint(P, S, a.d)
    st.jobs.append(("unseal", P, K, c.root, a.leaf, leaves, sealed, path))
    st.successor, st.value = replace(c, mark_height=a.d, mark_leaf=a.leaf), s.coin.value
    return st


def do_retire_seal(s, out, view):
    return Step(signers=[s.body.host_key])


def do_update(s, out, view):
    c, (n, value) = copy_of(s), out
    st = Step(signers=[c.key], value=value)
    need(c.sequence < 2 ** 32 - 1, "UPDATE: last sequence number used")
    if value < s.coin.value:
        st.lo = s.coin.height + view.P.BOND_LOCK
        need(view.h >= st.lo, "UPDATE: bond is locked", True)
    st.successor = replace(c, sequence=c.sequence + 1, record=n.record)
    return st


def do_retire_identity(s, out, view):
    st = Step(signers=[s.body.key], lo=s.coin.height + view.P.BOND_LOCK)
    need(view.h >= st.lo, "RETIRE: bond is locked", True)
    return st


TRANSITIONS = {PROVE: do_prove, SYNC: do_sync, REVISE: do_revise, END: do_end, CLOSE: do_close,
               UPDATE: do_update, RETIRE_IDENTITY: do_retire_identity, CLAIM: do_claim,
               RETIRE_SEAL: do_retire_seal}


# ------------------------------------------------------------------------------- transaction check
@dataclass
class Result:
    fee: int = 0
    mint: int = 0
    pool: int = 0
    claims: int = 0
    sigops: int = 0
    owed: dict = field(default_factory=dict)       # key: sum, only sums that outputs must reach
    steps: dict = field(default_factory=dict)      # input index: Step
    maturing: list = field(default_factory=list)   # outputs to store with the coinbase bit
    lo: int = None                                 # facts: height range, highest hash read, claims
    hi: int = None
    read: int = -1
    draws: list = field(default_factory=list)      # (d, T(d), pool(d))
    jobs: list = field(default_factory=list)

    def bound(self, lo, hi):
        if lo is not None:
            self.lo = lo if self.lo is None else max(self.lo, lo)
        if hi is not None:
            self.hi = hi if self.hi is None else min(self.hi, hi)


def pay_script(key):
    return b"\x51\x20" + key


def storage_check(tx, coins, view):
    """All rules but the heavy jobs, which it returns. coins: what tx.vin spend, in order."""
    P, r = view.P, Result()
    outs = [parse_script(o.script) for o in tx.vout]
    if tx.is_coinbase:
        need(all(b is None for b in outs), "typed output in a coinbase")
        return r

    total_in = total_out = 0
    for c in coins:
        total_in += c.value
        need(not c.coinbase or view.h - c.height >= MATURITY, "spends an immature coin", True)
    for o in tx.vout:
        need(o.value <= P.MAX_MONEY, "output over MAX_MONEY")
        total_out += o.value
    need(total_in <= P.MAX_MONEY and total_out <= P.MAX_MONEY, "sum over MAX_MONEY")

    # Inputs: parse coins and witnesses.
    spent = []
    for index, (i, coin) in enumerate(zip(tx.vin, coins)):
        body = parse_script(coin.script)
        if body is None:
            continue
        need(not i.script_sig, "scriptSig not empty")
        if body != RESERVED:                              # reserved kinds: any witness
            spent.append(Spent(index, coin, body, body.id(i.prevout), parse_witness(body.kind, i.witness)))
    typed = [(n, b) for n, b in enumerate(outs) if b not in (None, RESERVED)]
    need(len(spent) <= P.MAX_TYPED and len(typed) <= P.MAX_TYPED, "too many typed inputs or outputs")

    # Outputs: forming, or continuing exactly one input that re-creates.
    names, forming, successor_of = [(s.body.kind, s.id) for s in spent], [], {}
    for n, body in typed:
        check_wellformed(P, body, tx.vout[n].value)
        if body.forming:
            r.bound(*check_forming(P, body, view.h))
            msg = form_message(view.G, tx.vin[0].prevout, n, tx.vout[n].value, body)
            sigs = [body.sigs[k:k + 64] for k in range(0, len(body.sigs), 64)]
            r.jobs += [("sig", key, msg, sig) for key, sig in zip(body.signers, sigs)]
            forming.append(n)
            continue
        name = (body.kind, body.id(None))
        need(names.count(name) == 1, "continuing output does not name exactly one input")
        s = spent[names.index(name)]
        need(s.action.recreates, "continuing output for an input that ends its coin")
        need(s.index not in successor_of, "two outputs continue one input")
        successor_of[s.index] = n

    # Transitions.
    owed = {}
    for s in spent:
        n = successor_of.get(s.index)
        need(n is not None or not s.action.recreates, "input has no continuing output")
        st = TRANSITIONS[s.action.code](s, (outs[n], tx.vout[n].value) if n is not None else None, view)
        if s.action.recreates:
            need(outs[n] == st.successor and tx.vout[n].value == st.value, "output is not the successor")
            check_wellformed(P, st.successor, st.value)
        msg = action_message(view.G, tx, coins, s.index, s.action.signed)
        r.jobs += [("sig", key, msg, sig) for key, sig in zip(st.signers, s.action.sigs)] + st.jobs
        for key, amount in st.owed.items():
            owed[key] = owed.get(key, 0) + amount
        r.mint, r.pool = r.mint + st.mint, r.pool + st.pool
        if s.action.code == CLAIM:
            r.claims += 1
            S = view.state(s.action.d)
            r.draws.append((s.action.d, S.T, S.pool))
        r.bound(st.lo, st.hi)
        r.steps[s.index] = st

    # Shape of a claiming transaction.
    if r.claims:
        need(r.claims == len(spent), "CLAIM beside another action")
        need(r.claims <= P.MAX_CLAIMS, "more claims than a block may hold")
        need(not forming, "CLAIM beside a forming output")
        r.maturing = [n for n in range(len(outs)) if n not in successor_of.values()]

    # Money.
    r.owed = {key: total for key, total in owed.items() if total >= P.OWED_MIN}
    for key, total in r.owed.items():
        paid = sum(o.value for o in tx.vout if o.script == pay_script(key))
        need(paid >= total, "owed sum not paid")
    need(total_in + r.mint <= P.MAX_MONEY and total_out + r.pool <= P.MAX_MONEY, "sum over MAX_MONEY")
    need(total_in + r.mint >= total_out + r.pool, "outputs exceed inputs")
    r.fee = total_in + r.mint - total_out - r.pool
    r.sigops = sum(job[0] == "sig" for job in r.jobs)
    r.read = view.top
    return r


def split_path(b):
    return [b[i:i + 32] for i in range(0, len(b), 32)]


def run_job(job):
    """Heavy and self-contained: signature, Merkle path, unsealing. Says why it failed, or None."""
    what, *a = job
    if what == "sig":
        return None if schnorr_verify(*a) else "signature"
    if what == "path":
        root, index, leaves, leaf, path = a
        return None if path_root(leaf_hash(leaf), index, leaves, split_path(path)) == root else "path"
    P, K, root, l, leaves, sealed, path = a
    raw = unseal_leaf(P, K, l, sealed)
    return None if path_root(leaf_hash(raw), l, leaves, split_path(path)) == root else "unsealed path"


def check_tx(tx, coins, view):
    """Everything. What fails after a hash was read may be right on another branch (calls, samples, splits), so it
    is soft, but for a wrong signature."""
    try:
        r = storage_check(tx, coins, view)
    except Bad as e:
        e.soft = e.soft or view.top >= 0
        raise
    for job in sorted(r.jobs, key=lambda j: j[0] != "sig"):
        fault = run_job(job)
        need(fault is None, "heavy job failed: %s" % fault, job[0] != "sig")
    return r


# --------------------------------------------------------------------------------- state per block
def subsidy(P, h):
    return P.SUBSIDY >> (h // P.HALVING) if h // P.HALVING < 64 else 0


def storage_half(P, h):
    return subsidy(P, h) - subsidy(P, h) // 2


def first_state(P):
    return State(0, P.T_MAX, 0)


def mint(P, state_d, d):
    """What one claim on the draw of block d pays, fixed by that block."""
    return min(state_d.pool // P.MINT_DIV, storage_half(P, d) // 2)


def next_state(P, prev, h, penalties, minted, n):
    """S(h) from S(h - 1) and what the block's transactions did. T needs more than 256 bits on the way."""
    need(n <= P.MAX_CLAIMS, "block: too many claims")
    need(minted <= prev.pool, "block: mints more than the pool holds")
    T = prev.T + (4 - prev.n) * (prev.T // 512)
    return State(prev.pool + storage_half(P, h) + penalties - minted, min(max(T, P.T_MIN), P.T_MAX), n)
