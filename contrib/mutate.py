#!/usr/bin/env python3
"""Does each rule have a test that fails when its line is deleted?

Changes one place of a source file at a time in a scratch copy of the tree,
rebuilds what that needs and runs the unit tests of the file's floor (all files
named are of one) until one fails. Prints for each
mutant whether it was killed (and by what), did not compile, or survived; a
survivor is either no change in behaviour or a missing test.

    contrib/mutate.py src/consensus/check.c:100-130
    contrib/mutate.py --max 200 src/consensus/*.c
    contrib/mutate.py --test src/chain/test/test_chain src/consensus/pow.c
    contrib/mutate.py --test src/net/test/test_reach --family tor src/net/tor.c

Mutants, the telling ones first: an `if` deleted or negated; a comparison, a
connective or a truth changed, one side of a ?: always taken; a statement
deleted; a constant off by one, + for -, * for /, << for >>. The source is read
as tokens, not parsed: what makes no sense is left to the compiler. A header is
a file like any other, but costs the whole floor, and tests keep the old one.
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TOKEN = re.compile(r"""
    (?P<skip>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<directive>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b)
  | (?P<word>\w+)
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[-+*/%&|^=!<>]=|&&|\|\||.)
""", re.X | re.S | re.M)

COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "+=": "-=", "-=": "+=", "*": "/", "/": "*",
              "<<": ">>", ">>": "<<"}
TRUTH = {"true": "false", "false": "true"}
BITS = {"&": "|", "|": "&", "|=": "&=", "&=": "|="}
JUMPS = ("return", "goto", "break", "continue")
CLOSES = {"(": ")", "{": "}", "[": "]"}
# Without these memory leaks, keeps what it held, or our own mistakes go on: the
# sanitizers' work.
HOUSEKEEPING = re.compile(r"free$|memset$|assert$|\w+_(clear|init)$")
LIBRARY = "libmutant.so"
PROGRAMS = ["cloudcoind", "cloudcoin-cli", "cloudcoin-host", "cloudcoin-gateway"]
FIRST, SECOND, THIRD, LAST = range(4)


class Token:
    def __init__(self, kind, text, start, end):
        self.kind, self.text, self.start, self.end = kind, text, start, end


class Mutant:
    """Text that stands for source[start:end]."""

    def __init__(self, rank, start, end, text, what):
        self.rank, self.start, self.end = rank, start, end
        self.text, self.what = text, what


def tokens_of(source):
    return [Token(m.lastgroup, m[0], m.start(), m.end())
            for m in TOKEN.finditer(source) if m.lastgroup != "skip"]


class Finder:
    """All mutants of one source."""

    def __init__(self, source):
        self.toks = tokens_of(source)
        self.pairs = self.match()
        self.found = []
        skip = 0
        for i, t in enumerate(self.toks):
            if t.text == "assert":
                skip = self.pairs.get(i + 1, 0)
            if i >= skip:
                self.token(i, t)
        self.functions()
        self.found.sort(key=lambda m: (m.start, m.rank))

    def add(self, *args):
        self.found.append(Mutant(*args))

    def text(self, i):
        return self.toks[i].text if 0 <= i < len(self.toks) else ""

    def match(self):
        pairs, open_ = {}, []
        for i, t in enumerate(self.toks):
            if t.text in CLOSES:
                open_.append(i)
            elif t.text in CLOSES.values():
                pairs[open_.pop()] = i
        return pairs

    def binary(self, i):
        """clang-format puts a space behind a binary operator alone."""
        return self.toks[i + 1].start > self.toks[i].end

    def token(self, i, t):
        if t.kind == "directive":
            self.define(t)
        elif t.kind == "number":
            self.number(i, t)
        elif t.text in COMPARE and self.binary(i):
            self.swap(SECOND, t, COMPARE[t.text])
        elif t.text in ("&&", "||"):
            self.swap(SECOND, t, "||" if t.text == "&&" else "&&")
        elif t.text in BITS and self.binary(i):
            self.swap(SECOND, t, BITS[t.text])
        elif t.text == "!" and self.text(i - 2) != "if":
            self.swap(SECOND, t, "!!")
        elif t.text in ARITHMETIC and self.binary(i):
            self.swap(LAST, t, ARITHMETIC[t.text])
        elif t.text in TRUTH:
            self.swap(SECOND, t, TRUTH[t.text])
        elif t.text == "?":
            self.add(SECOND, t.start, t.end, "|| 1 ?", "?: always the first")
            self.add(SECOND, t.start, t.end, "&& 0 ?", "?: always the second")

    def define(self, t):
        """The numbers of a macro's body, to both sides."""
        head = re.match(r"\s*#define \w+(\([^)]*\))?", t.text)
        code = t.text.partition("/*")[0]
        for m in re.finditer(r"\b(0x[0-9a-f]+|\d+)\b", code):
            for d in (1, -1) if head and m.start() > head.end() else ():
                self.add(LAST, t.start + m.start(), t.start + m.end(),
                         f"({m[1]} + {d})", f"{m[1]} + {d}")

    def swap(self, rank, t, text):
        self.add(rank, t.start, t.end, text, f"{t.text} -> {text}")

    def number(self, i, t):
        """Off by one, to the side where it is not the same as `<` for `<=`."""
        before, after = self.text(i - 1), self.text(i + 1)
        if before == "[" and after == "]":
            return
        digits = re.match(r"0x[0-9a-f]+|\d+", t.text, re.I)[0]
        up = int(digits, 16 if digits[:2] in ("0x", "0X") else 10) < 2
        if before in (">", "<="):
            up = True
        elif before in ("<", ">=") and digits != "0":
            up = False
        text = t.text + (" + 1" if up else " - 1")
        self.add(LAST, t.start, t.end, f"({text})", f"{t.text} -> {text}")

    def functions(self):
        """Each brace after a closing parenthesis at the outermost level."""
        i = 0
        while i < len(self.toks):
            if self.text(i) == "{":
                if self.text(i - 1) == ")":
                    self.block(i)
                i = self.pairs[i]
            i += 1

    def block(self, i):
        """Token i opens a block; answers the token behind it."""
        end = self.pairs[i]
        i += 1
        while i < end:
            i = self.statement(i, False)
        return end + 1

    def statement(self, i, only):
        """One statement, `only` if it is the whole body of another; answers
        the token behind it."""
        word = self.text(i)
        if word == "{":
            return self.block(i)
        if word in ("if", "for", "while", "switch"):
            close = self.pairs[i + 1]
            if word == "if":
                self.negate(i + 1, close)
            end = self.statement(close + 1, True)
            if word == "if" and self.text(end) == "else":
                return self.statement(end + 1, True)
            if word == "if" or word == "for":
                rank = FIRST if word == "if" else SECOND
                self.remove(rank, i, end - 1, word)
            return end
        if word == "do":
            return self.end_of(self.statement(i + 1, True))
        if word in ("case", "default") or self.text(i + 1) == ":":
            while self.text(i) != ":":
                i += 1
            return i + 1
        end = self.end_of(i)
        if (word not in (";", "return") and not HOUSEKEEPING.match(word) and
                not self.declares(i, end)):
            self.remove(THIRD, i, end - 1, "statement")
        return end

    def end_of(self, i):
        while self.text(i) != ";":
            i = self.pairs.get(i, i) + 1
        return i + 1

    def declares(self, i, end):
        if self.text(i) in JUMPS:
            return False
        while self.text(i) in ("const", "static", "struct", "enum", "unsigned"):
            i += 1
        i += 1
        while self.text(i) in ("*", "const"):
            i += 1
        return i < end and self.toks[i].kind == "word"

    def negate(self, open_, close):
        a, b = self.toks[open_], self.toks[close]
        self.add(FIRST, a.start, a.end, "(!(", "condition negated")
        self.found[-1].tail = (b.start, b.end, "))")

    def remove(self, rank, first, last, what):
        self.add(rank, self.toks[first].start, self.toks[last].end, ";",
                 what + " deleted")


def apply(source, mutant):
    tail = getattr(mutant, "tail", None)
    if tail:
        source = source[:tail[0]] + tail[2] + source[tail[1]:]
    return source[:mutant.start] + mutant.text + source[mutant.end:]


class Tree:
    """A scratch copy with its own build, and the tests that pass in it. The
    floor is a shared library there, so that a mutant costs one object, without
    optimisation, and one link; what stands still is optimised."""

    def __init__(self, where, floor, tests, families, slow_s):
        self.source = os.path.join(where, "source")
        self.build = os.path.join(where, "build")
        os.makedirs(self.build, exist_ok=True)
        self.copy()
        if not os.path.exists(os.path.join(self.source, "configure")):
            self.run(["./autogen.sh"], self.source)
        if not os.path.exists(os.path.join(self.build, "Makefile")):
            self.run([self.source + "/configure", "CC=gcc",
                      "CFLAGS=-O2 -fPIC -w"], self.build)
        archive = f"libcc_{floor}.a"
        for script in glob.glob(os.path.join(self.build, "libcc_*.a")):
            if read(script).startswith(b"INPUT"):
                os.remove(script)
        self.run(["make", "-s", archive], self.build)
        names = subprocess.run(["ar", "t", archive], check=True,
                               cwd=self.build, capture_output=True, text=True)
        self.objects = [f"src/{floor}/{o}" for o in names.stdout.split()]
        self.link = ["gcc", "-shared", "-o", LIBRARY, *self.objects]
        self.run(self.link, self.build)
        # What asks for the archive gets a linker script that names the library.
        with open(os.path.join(self.build, archive), "w") as f:
            f.write(f"INPUT({self.build}/{LIBRARY})\n")
        programs = PROGRAMS if families else []
        for program in tests + programs:
            if os.path.exists(os.path.join(self.build, program)):
                os.remove(os.path.join(self.build, program))
        self.run(["make", "-s", *tests, *programs], self.build)
        self.tests = []
        run = os.path.join(ROOT, "test/functional/run.py")
        for command in [["./" + t] for t in tests] + [[run, f]
                                                      for f in families]:
            began = time.monotonic()
            family = len(command) == 2
            status = self.quiet(command, None if family else slow_s)
            if status is None:
                print(f"{command[-1]} takes too long: left out", flush=True)
            elif status != 0:
                sys.exit(f"{command[-1]} fails before anything was changed")
            else:
                self.tests.append((time.monotonic() - began, command))
        self.tests.sort()

    def copy(self):
        """What git knows of, when it differs: make looks at the times."""
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout
        for name in names.split("\0"):
            old, new = os.path.join(ROOT, name), os.path.join(self.source, name)
            if not name or not os.path.isfile(old):
                continue
            os.makedirs(os.path.dirname(new), exist_ok=True)
            if not os.path.exists(new) or read(old) != read(new):
                shutil.copy(old, new)

    def run(self, command, where, **more):
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "CCACHE_DISABLE": "1"}, **more)
        if done.returncode:
            sys.exit(done.stdout.decode(errors="replace"))

    def quiet(self, command, limit_s):
        """The exit status, or None after the time limit."""
        child = subprocess.Popen(command, cwd=self.build,
                                 stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            return child.wait(limit_s)
        except subprocess.TimeoutExpired:
            child.terminate()  # run.py ends what it started
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            return None

    def write(self, name, text):
        """The file, and what is to be made again of it: of a header, all."""
        with open(os.path.join(self.source, name), "w") as f:
            f.write(text)
        if name.endswith(".c"):
            return [name[:-2] + ".o"]
        for o in self.objects:
            if os.path.exists(os.path.join(self.build, o)):
                os.remove(os.path.join(self.build, o))
        return self.objects

    def restore(self, name, text):
        self.run(["make", "-s", *self.write(name, text)], self.build)

    def judge(self, name, text):
        """What killed this text of the file; "" for nothing, None if it does
        not compile. The test that killed goes first the next time."""
        objects = self.write(name, text)
        make = ["make", "-s", "CFLAGS=-O0 -fPIC -w"]
        if (self.quiet(make + objects, 120) != 0 or
                self.quiet(self.link, 120) != 0):
            return None
        for n, (took, command) in enumerate(self.tests):
            slower = 10 if len(command) == 1 else 3
            if self.quiet(command, 2 + slower * took) != 0:
                self.tests.insert(0, self.tests.pop(n))
                return os.path.basename(command[-1])
        return ""


def read(path):
    with open(path, "rb") as f:
        return f.read()


def pick(found, lines, quick, most, seed):
    """At most so many, the telling ones first, in the order of the file."""
    found = [m for m in found if lines[0] <= m.line <= lines[1]]
    if quick:
        found = [m for m in found if m.rank < LAST]
    if most and len(found) > most:
        random.Random(seed).shuffle(found)
        found.sort(key=lambda m: m.rank)
        found = found[:most]
    return sorted(found, key=lambda m: (m.start, m.rank))


def try_file(tree, name, lines, args):
    """Figures of one file: killed, survived, not compiled."""
    source = read(os.path.join(ROOT, name)).decode()
    found = Finder(source).found
    for m in found:
        m.line = source.count("\n", 0, m.start) + 1
        m.column = m.start - source.rfind("\n", 0, m.start)
    count = {"killed": 0, "survived": 0, "not compiled": 0}
    for m in pick(found, lines, args.quick, args.max, args.seed):
        if args.list:
            by = verdict = ""
        else:
            by = tree.judge(name, apply(source, m))
            verdict = ("not compiled" if by is None else
                       "killed" if by else "survived")
            count[verdict] += 1
        if by or args.survivors and verdict == "not compiled":
            if args.survivors:
                continue
            verdict += " by " + by if by else ""
        words = " ".join(source[m.start:m.end].split())
        row = source.splitlines()[m.line - 1].strip()
        print(f"{name}:{m.line}:{m.column}: {verdict}: {m.what}: "
              f"{words if 'deleted' in m.what else row}", flush=True)
    if tree:
        tree.restore(name, source)
        print(f"{name}: " + ", ".join(f"{n} {k}" for k, n in count.items()),
              flush=True)
    return count["survived"]


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("files", nargs="+", metavar="FILE[:FROM-TO]")
    p.add_argument("--max", type=int, default=0, help="mutants of one file")
    p.add_argument("--quick", action="store_true",
                   help="leave out constants and signs")
    p.add_argument("--seed", type=int, default=1, help="of the choice of them")
    p.add_argument("--test", action="append", default=[],
                   help="run these programs, not all of the floor's")
    p.add_argument("--family", action="append", default=[],
                   help="a functional test of this name too: slow")
    p.add_argument("--slow", type=float, default=10, metavar="SECONDS",
                   help="leave out tests that take longer")
    p.add_argument("--scratch", default="/tmp/cloudcoin-mutate")
    p.add_argument("--survivors", action="store_true", help="print no others")
    p.add_argument("--list", action="store_true", help="judge nothing")
    args = p.parse_args()
    os.nice(10)
    os.environ.setdefault("MALLOC_PERTURB_", "165")  # fresh memory is not zero
    os.environ.setdefault("CC_VECTORS", ROOT + "/../shared/vectors")
    os.chdir(ROOT)
    floor, = {name.split("/")[1] for name in args.files}
    tests = args.test or sorted(
        f[:-2] for f in glob.glob(f"src/{floor}/test/test_*.c"))
    tree = None if args.list else Tree(args.scratch, floor, tests, args.family,
                                       args.slow)
    survived = 0
    for name in args.files:
        name, _, lines = name.partition(":")
        first, _, last = (lines or "1-999999").partition("-")
        lines = int(first), int(last or first)
        survived += try_file(tree, name, lines, args)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
