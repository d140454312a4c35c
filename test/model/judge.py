"""The C code as a judge beside the model: storage_judge.c behind two pipes, one line each way."""
import subprocess

from storage_model import *
from storage_model import schnorr_sign as python_sign, schnorr_verify as python_verify


class Differs(Exception):
    pass


class Judge:
    def __init__(self, program, P, G):
        self.p = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1 << 20)
        self.signed, self.sampled, self.compared, self.valid, self.blocks, self.soft = {}, 0, 0, 0, 0, 0
        self.ask("chain %d %s" % (P.HALVING, G.hex()))

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        answer = self.p.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise Differs("judge: %r to %.200s" % (answer, line))
        return answer

    # Signatures: made by the C code, for Python is slow; each is then known here, and no other is right, so the
    # model's judgement does not rest on the C code's. One in 2,000 is made and verified in Python too.
    def sign(self, secret, key, msg):
        sig = bytes.fromhex(self.ask("sign %s %s" % (secret.hex(), msg.hex())))
        if len(self.signed) % 2000 == 0:
            self.sampled += 1
            if python_sign(secret, msg) != sig or not python_verify(key, msg, sig):
                raise Differs("signature by %s of %s" % (key.hex(), msg.hex()))
        self.signed[key + msg] = sig
        return sig

    def model_verify(self, key, msg, sig):
        return self.signed.get(key + msg) == sig

    def connect(self, block_hash, penalties, minted, claims, S, reward):
        want = "ok %d %064x %d %d" % (S.pool, S.T, S.n, reward)
        got = self.ask("connect %s %d %d %d" % (block_hash.hex(), penalties, minted, claims))
        self.blocks += 1
        if got != want:
            raise Differs("block %s: C says %s, the model %s" % (block_hash.hex(), got, want))

    def reorg(self, tip, salt):
        self.ask("reorg %d %d" % (tip, salt))

    @staticmethod
    def say(verdict):
        if isinstance(verdict, Bad):
            return "invalid %d" % verdict.soft
        r = verdict
        bound = lambda x: "-" if x is None else "%d" % x
        many = lambda xs: ",".join(xs) or "-"
        return "valid %d %d %d %d %d %s %s %d %s %s" % (
            r.fee, r.mint, r.pool, r.claims, r.sigops, bound(r.lo), bound(r.hi), r.read,
            many("%s:%d" % (k.hex(), v) for k, v in sorted(r.owed.items())), many("%d" % n for n in r.maturing))

    def compare(self, tx, coins, h, unseal, verdict):
        line = "tx %d %d %s" % (h, unseal, tx.serialise().hex())
        for c in coins:
            line += " %d:%d:%d:%s" % (c.value, c.height, c.coinbase, c.script.hex())
        got = self.ask(line)
        want = self.say(verdict)
        self.compared += 1
        self.valid += want[0] == "v"
        self.soft += want == "invalid 1"
        if got.split(" #")[0] != want:
            raise Differs("C says %s\nthe model %s (%s)\nof %s" % (got, want, getattr(verdict, "reason", ""), line))

    def summary(self):
        return "%d steps compared with the C code, no difference: %d valid, %d invalid, %d of them here and now only; " \
            "%d blocks; %d signatures, %d of them also in Python" % (
                self.compared, self.valid, self.compared - self.valid, self.soft, self.blocks, len(self.signed), self.sampled)
