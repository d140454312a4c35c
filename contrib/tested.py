#!/usr/bin/env python3
"""Which test holds what users can meet: each option, call, message, rejection and script error beside the tests that
name it.

Prints the tables in Markdown; with --check only what no test names, and the exit status is then 1. That a test names
something does not say that it tests it well; that none does says that nobody looks.
"""
import argparse
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def source(*path):
    with open(os.path.join(TOP, *path)) as f:
        return f.read()


def tests():
    """{short name: text} of functional tests, unit tests, and the vectors that name what they test."""
    out = {}
    for folder, _, names in os.walk(TOP):
        place = os.path.relpath(folder, TOP)
        for name in names:
            path = os.path.join(place, name)
            if re.match(r"src/(\w+/)?test/test_\w+\.c$|test/functional/test_\w+\.py$|test/\w+\.c$|test/data/script_tests\.json$", path):
                out[path.replace("test/functional/", "").replace("src/", "").replace("/test/", "/")] = source(path)
    return out


def options():
    text = source("src", "options.c")
    start = text.index("cc_daemon_options[] = {")
    table = text[start:text.index("\n};", start)]
    for name, flags in re.findall(r'^    \{"([a-z0-9-]+)", .*?([A-Z_ |0]+)\},$', table, re.M):
        if "HIDDEN" not in flags:
            yield f"-{name}", [rf'''["'\s\[]-(?:no)?{name}(?![a-z-])''', rf"(?:^|\\n|\"){name}="]


def calls():
    for name in sorted(os.listdir(os.path.join(TOP, "src", "rpc"))):
        if name.endswith(".c"):
            for method in re.findall(r'^    \{"[a-z]+",\s+"([a-z]+)",\s+\w+,', source("src", "rpc", name), re.M):
                yield method, [rf'''["']{method}["' ]''', rf"\.{method}\b"]


def messages():
    for name in re.findall(r'\[CC_MSG_[A-Z0-9]+\] = "([a-z0-9]+)"', source("src", "net", "proto.c")):
        yield name, [rf'''["']{name}["']''', rf"CC_MSG_{name.upper()}\b"]


def rejections():
    text = source("src", "consensus", "reject.h")
    seen = {}
    for code, reason in re.findall(r'X\((\w+), \w+,\s+"([^"]+)"', text):
        seen.setdefault(reason, []).append(code)
    for reason, codes in seen.items():
        yield reason, [rf"(?<![\w-]){re.escape(reason)}(?![\w-])"] + [rf"CC_REJECT_{c}\b" for c in codes]


def script_errors():
    for name in re.findall(r"X\((\w+),", source("src", "consensus", "script_error.h")):
        yield name, [rf'"{name}"', rf"\b(?:CC_SCRIPT_ERR_|ERR\(){name}\b"]


KINDS = (("option", options), ("call", calls), ("message", messages), ("rejection", rejections),
         ("script error", script_errors))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only what no test names")
    args = parser.parse_args()
    texts, missing = tests(), 0
    lower = {t: texts[t].lower() for t in texts}
    for kind, things in KINDS:
        rows = []
        for name, patterns in things():
            found, word = re.compile("|".join(patterns), re.M), name.lstrip("-").lower()
            rows.append((name, [t for t in sorted(texts) if word in lower[t] and found.search(texts[t])]))
        assert rows, kind
        without = [name for name, where in rows if not where]
        missing += len(without)
        if args.check:
            for name in without:
                print(f"{kind} {name}: no test names it")
            continue
        print(f"\n## {len(rows)} {kind}s, {len(rows) - len(without)} with a test\n\n| {kind} | tests |\n| --- | --- |")
        for name, where in rows:
            print(f"| `{name}` | {', '.join(where[:6]) or '**none**'}{', …' if len(where) > 6 else ''} |")
    return 1 if args.check and missing else 0


if __name__ == "__main__":
    sys.exit(main())
