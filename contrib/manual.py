#!/usr/bin/env python3
"""Manual pages and the configuration reference, made of what `-help` prints: manual.py [--check] BUILD

BUILD is the folder with the four programs. Written are share/man/*.1 and, between its two marks, the tables of
doc/configuration.md; with --check nothing is written, what differs is named and the exit status is 1. What no help tells (what a
program is for, how it ends, what Bitcoin Core has and we have not) stands in this file.
"""
import argparse
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN, END = "<!-- made by contrib/manual.py -->", "<!-- end -->"

PAGES = {
    "cloudcoind": {
        "what": "full node of CloudCoin",
        "synopsis": [r"\fBcloudcoind\fR [\fIoptions\fR]"],
        "text": """Keeps the chain, the pool of transactions and the wallets, talks to other nodes, and answers JSON-RPC.
It starts in the foreground; \\fB-daemon\\fR puts it into the background. \\fBcloudcoin-cli stop\\fR, SIGTERM or SIGINT
end it cleanly; SIGHUP opens the log file anew.
.PP
Options may stand on the command line or, without their dash, in the configuration file. \\fB-no\\fIname\\fR is
\\fB-\\fIname\\fB=0\\fR.""",
        "files": [("~/.cloudcoin/cloudcoin.conf", "configuration (with -bitcoin: ~/.bitcoin/bitcoin.conf)"),
                  ("~/.cloudcoin/debug.log", "the log"),
                  ("~/.cloudcoin/.cookie", "user and password for JSON-RPC, new with each start"),
                  ("~/.cloudcoin/settings.json", "what calls decided for the next start")],
        "status": "0 after a clean end, 1 after an error, which is told on standard error.",
    },
    "cloudcoin-cli": {
        "what": "calls of a CloudCoin node",
        "synopsis": [r"\fBcloudcoin-cli\fR [\fIoptions\fR] \fIcommand\fR [\fIparameters\fR]",
                     r"\fBcloudcoin-cli\fR [\fIoptions\fR] \fB-named\fR \fIcommand\fR [\fIname=value\fR]...",
                     r"\fBcloudcoin-cli\fR [\fIoptions\fR] \fBhelp\fR [\fIcommand\fR]"],
        "text": """Sends one call to a running node and prints its result. \\fBhelp\\fR lists the calls.""",
        "files": [("~/.cloudcoin/cloudcoin.conf", "configuration, shared with the node"),
                  ("~/.cloudcoin/.cookie", "user and password, if no other are given")],
        "status": "0 if the call was answered with a result; else the absolute value of the error's code, or 1.",
    },
    "cloudcoin-host": {
        "what": "rents out disk over a CloudCoin node",
        "synopsis": [r'\fBcloudcoind\fR \fB-extension="cloudcoin-host\fR [\fIoptions\fR]\fB"\fR'],
        "text": """An extension of the node, started by it: answers renters, signs contracts, keeps sectors, proves that it
has them and collects what it is owed. It pays and is paid through one of the node's wallets.""",
        "files": [("<chain's folder>/host", "sectors, contracts, seal")],
        "status": "Ends with the node.",
    },
    "cloudcoin-gateway": {
        "what": "stores files with CloudCoin's hosts",
        "synopsis": [r"\fBcloudcoin-gateway\fR [\fIoptions\fR] \fIcommand\fR"],
        "text": """Encrypts files, spreads them over hosts and fetches them back, paying from a wallet of the node. The node
must be running.""",
        "files": [("~/.cloudcoin/gateway", "contracts and manifests: keep a copy")],
        "status": "0 if all went well, 2 for a name that is not stored, else 1.",
    },
}

# Every option of Bitcoin Core 27 that is none of ours, and why; "=" one that is taken (or taken to switch it off).
PARTS = {
    "cjdnsreachable dnsseed= forcednsseed natpmp= onion proxy "
    "proxyrandomize upnp= onlynet dns": "no port mapping",
    "v2transport=":
        "that part is not there",
    "zmqpubhashblock zmqpubhashtx zmqpubrawblock zmqpubrawtx zmqpubsequence zmqpubhashblockhwm zmqpubhashtxhwm "
    "zmqpubrawblockhwm zmqpubrawtxhwm zmqpubsequencehwm": "no ZeroMQ; an extension hears the same",
    "addresstype avoidpartialspends changetype consolidatefeerate keypool= maxapsfee signer txconfirmtarget "
    "walletbroadcast walletcrosschain walletrejectlongchains dblogsize flushwallet privdb swapbdbendian "
    "unsafesqlitesync= acceptstalefeeestimates": "wallets have one kind of address and their own format; no fee "
                                                 "estimates",
    "signet signetchallenge signetseednode": "no signet",
    "checkpoints= checkblockindex= maxsigcachesize= deprecatedrpc= rpcdoccheck=":
        "done in one way only",
    "addrmantest capturemessages checkaddrman fastprune stopafterblockimport assumevalid minimumchainwork loadblock "
    "blocksdir dbbatchsize dbcrashratio feefilter maxorphantx blockreconstructionextratxn maxuploadtarget discover prune":
        "not there",
}


def parse(text):
    """[(heading, [(option with value, paragraph)])] of what -help prints, and what stands before the first."""
    head, parts = [], []
    for line in text.splitlines():
        if re.match(r"^[A-Z][^ ].*:$", line):
            parts.append((line[:-1], []))
        elif not parts:
            head.append(line)
        elif re.match(r"^  \S", line):
            parts[-1][1].append([line.strip(), ""])
        elif line.strip() and parts[-1][1]:
            last = parts[-1][1][-1]
            last[1] = (last[1] + " " + line.strip()).strip()
    return head, [(h, sorted(map(tuple, options))) for h, options in parts if options]


def help_of(build, program, *args):
    r = subprocess.run([os.path.join(build, program), *args], stdout=subprocess.PIPE, check=True)
    return r.stdout.decode()


def roff(text):
    text = text.replace("\\", "\\\\").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def page(build, program):
    p = PAGES[program]
    version = re.search(r"\d+\.\d+\.\d+", help_of(build, program, "-version")).group()
    args = ["-help", "-help-debug"] if program == "cloudcoind" else ["-help"] if program != "cloudcoin-host" else ["-?"]
    _, parts = parse(help_of(build, program, *args))
    out = [f'.TH {program.upper()} 1 "" "CloudCoin {version}" "User Commands"', ".SH NAME",
           f"{roff(program)} \\- {p['what']}", ".SH SYNOPSIS"]
    out += ["\n.br\n".join(p["synopsis"]), ".SH DESCRIPTION", p["text"].replace("-", "\\-")]
    for heading, options in parts:
        out.append(f'.SH "{heading.upper()}"')
        for name, text in options:
            out += [".TP", f"\\fB{roff(name)}\\fR", roff(text)]
    out.append(".SH FILES")
    for path, text in p["files"]:
        out += [".TP", f"\\fI{roff(path)}\\fR", roff(text)]
    out += [".SH EXIT STATUS", roff(p["status"]), ".SH SEE ALSO"]
    out.append(", ".join(f"\\fB{roff(n)}\\fR(1)" for n in PAGES if n != program))
    return "\n".join(out) + "\n"


def cell(text):
    return text.replace("|", "\\|").replace("<", "\\<").replace(">", "\\>").replace("*", "\\*").replace("_", "\\_")


def reference(build):
    usual = {o for _, options in parse(help_of(build, "cloudcoind", "-help"))[1] for o, _ in options}
    _, parts = parse(help_of(build, "cloudcoind", "-help", "-help-debug"))
    out, ours = [], set()
    for heading, options in parts:
        out += [f"### {heading}", "", "| option | meaning |", "| --- | --- |"]
        for name, text in options:
            bare = re.match(r"-([a-z0-9-]+)", name).group(1)
            ours.add(bare)
            mark = "" if name in usual else " *"
            out.append(f"| `{name.replace('|', chr(92) + '|')}`{mark} | {cell(text)} |")
        out.append("")
    out += ["`*`: told by `-help-debug` only.", "", "### Options of Bitcoin Core 27 that are not there", "",
            "Those with `=0` are taken when they switch off what is not there; those with `=` are taken and change",
            "nothing. Any other is an error on the command line and a warning in a file.", "", "| option | why |",
            "| --- | --- |"]
    with open(os.path.join(TOP, "src", "options.c")) as f:
        source = f.read()
    absent = set(re.findall(r'^    "([a-z0-9]+)",$', source[source.index("cc_daemon_absent"):], re.M))
    hidden = set(re.findall(r'^    \{"([a-z0-9]+)", "[^\n]*CC_ARG_HIDDEN', source, re.M))
    for names, why in PARTS.items():
        rest = sorted({n.rstrip("=") for n in names.split()} - ours)
        if rest:
            out.append("| " + ", ".join(f"`-{n}{'=0' if n in absent else '=' if n in hidden else ''}`" for n in rest) +
                       f" | {why} |")
    known = {n.rstrip("=") for names in PARTS for n in names.split()} | {"h"}
    for name in sorted(hidden - ours - known):
        out.append(f"| `-{name}=` | taken without effect |")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("build")
    args = parser.parse_args()
    files = {os.path.join("share", "man", name + ".1"): page(args.build, name) for name in PAGES}
    path = os.path.join("doc", "configuration.md")
    with open(os.path.join(TOP, path)) as f:
        text = f.read()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    files[path] = text[:start] + "\n\n" + reference(args.build) + "\n\n" + text[end:]
    wrong = []
    for path, text in files.items():
        try:
            with open(os.path.join(TOP, path)) as f:
                same = f.read() == text
        except FileNotFoundError:
            same = False
        if same:
            continue
        wrong.append(path)
        if not args.check:
            with open(os.path.join(TOP, path), "w") as f:
                f.write(text)
    for path in wrong:
        print(path, "differs from what -help prints: run contrib/manual.py" if args.check else "written")
    return 1 if wrong and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
