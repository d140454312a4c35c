#!/usr/bin/env python3
"""Seeds of the fuzz corpus, from test/data and a few written by hand.

    make_corpus.py FOLDER

writes FOLDER/<target>/<name>. What libFuzzer found beyond them lies beside
them under names of hex digits and is not made here.
"""
import base64
import hashlib
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
OUT = sys.argv[1]


def put(target, name, data):
    folder = os.path.join(OUT, target)
    os.makedirs(folder, exist_ok=True)
    if isinstance(data, str):
        data = data.encode()
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def load(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as f:
        return json.load(f)


def text(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as f:
        return f.read()


def compact(n):
    if n < 0xFD:
        return bytes([n])
    if n < 0x10000:
        return b"\xfd" + struct.pack("<H", n)
    return b"\xfe" + struct.pack("<I", n)


def var(b):
    return compact(len(b)) + b


def transaction():
    """The first valid one of test/data."""
    return bytes.fromhex(next(r[1] for r in load("tx_valid.json") if isinstance(r[0], list)))


def hash256(b):
    return hashlib.sha256(hashlib.sha256(b).digest()).digest()


def every(rows, count):
    """count of the rows, spread evenly."""
    rows = list(rows)
    step = max(1, len(rows) // count)
    return rows[::step][:count]


# --- Script in words ---------------------------------------------------------

def opcodes():
    names = {}
    with open(os.path.join(HERE, "../../src/consensus/script.c"),
              encoding="utf-8") as f:
        table = f.read().split("op_names[] = {")[1].split("};")[0]
    for i, name in enumerate(re.findall(r'"([^"]+)"', table)):
        if name.startswith("OP_"):
            names[name[3:]] = 0x4C + i
    return names


OPS = opcodes()


def push(b):
    if len(b) < 0x4C:
        return bytes([len(b)]) + b
    if len(b) <= 0xFF:
        return b"\x4c" + bytes([len(b)]) + b
    return b"\x4d" + struct.pack("<H", len(b)) + b


def number(n):
    if n == 0:
        return b"\x00"
    if n == -1 or 1 <= n <= 16:
        return bytes([0x50 + n])
    v, out = abs(n), b""
    while v:
        out += bytes([v & 255])
        v >>= 8
    if out[-1] & 0x80:
        out += b"\x00"
    if n < 0:
        out = out[:-1] + bytes([out[-1] | 0x80])
    return push(out)


def script(words):
    out = b""
    for w in words.split():
        if re.fullmatch(r"-?\d+", w):
            out += number(int(w))
        elif w.startswith("0x"):
            out += bytes.fromhex(w[2:])
        elif w.startswith("'"):
            out += push(w[1:-1].encode())
        else:
            out += bytes([OPS[w[3:] if w.startswith("OP_") else w]])
    return out


FLAGS = ("P2SH STRICTENC DERSIG LOW_S NULLDUMMY SIGPUSHONLY MINIMALDATA "
         "DISCOURAGE_UPGRADABLE_NOPS CLEANSTACK CHECKLOCKTIMEVERIFY "
         "CHECKSEQUENCEVERIFY WITNESS DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM "
         "MINIMALIF NULLFAIL WITNESS_PUBKEYTYPE CONST_SCRIPTCODE "
         "TAPROOT").split()


def make_verify():
    rows = [r for r in load("script_tests.json") if len(r) > 3]
    kinds = {}
    for r in rows:  # a few of each error
        at = 1 if isinstance(r[0], list) else 0
        kinds.setdefault((r[at + 3], at), []).append(r)
    for (error, at), some in sorted(kinds.items()):
        for i, r in enumerate(every(some, 3)):
            flags = sum(1 << FLAGS.index(f)
                        for f in r[at + 2].split(",") if f)
            sig, spent = script(r[at]), script(r[at + 1])
            if len(sig) + len(spent) > 1500:
                continue
            value, items = 0, []
            if at:
                value = round(r[0][-1] * 1e8)
                items = [bytes.fromhex(x) for x in r[0][:-1]]
            put("verify", "%s-%d-%d" % (error.lower(), at, i),
                struct.pack("<IIIIIQ", flags, 0, 1, 0, 0xFFFFFFFF, value) +
                var(spent) + var(sig) + b"".join(map(var, items)))
            put("script", "%s-%d-%d" % (error.lower(), at, i), spent)


# --- The rest ----------------------------------------------------------------

def make_tx():
    for name in ("tx_valid", "tx_invalid"):
        rows = [r for r in load(name + ".json") if isinstance(r[0], list)]
        rows = [r for r in rows if len(r[1]) < 2000]
        for i, r in enumerate(every(rows, 20)):
            put("tx", "%s-%d" % (name, i), bytes.fromhex(r[1]))


def make_block():
    rows = [r for r in load("tx_valid.json") if isinstance(r[0], list)]
    txs = [bytes.fromhex(r[1]) for r in rows if len(r[1]) < 800]
    head = struct.pack("<I32s32sIII", 4, b"\1" * 32, b"\2" * 32, 3, 4, 5)
    put("header", "plain", head)
    put("header", "short", head[:79])
    for n in (0, 1, 2, 5):
        put("block", "tx-%d" % n, head + compact(n) + b"".join(txs[:n]))
    commit = bytes.fromhex("6a24aa21a9ed") + b"\3" * 32
    coinbase = (struct.pack("<I", 2) + b"\0\1\1" + b"\0" * 32 +
                b"\xff" * 4 + b"\2\x51\x52" + b"\xff" * 4 + b"\1" +
                b"\0" * 8 + var(commit) + b"\1" + var(b"\0" * 32) + b"\0" * 4)
    block = head + b"\1" + coinbase
    put("block", "commitment", block)
    info = "250-AUTH METHODS=%s COOKIEFILE=\"/c\\\\d\"\r\n250 OK\r\n"
    made = ("250 OK\r\n250-ServiceID=pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd\r\n"
            "250-PrivateKey=ED25519-V3:c2Vj\r\n250 OK\r\n")
    socks = '250 OK\r\n250-net/listeners/socks="unix:/a" "127.0.0.1:9050"\r\n'
    challenge = f"250 AUTHCHALLENGE SERVERHASH={'0A' * 32} SERVERNONCE={'0b' * 32}\r\n"
    for name, said in (("null", "\0" + info % "NULL" + made), ("password", "\3" + info % "COOKIE,HASHEDPASSWORD" + socks + made),
                       ("cookie", "\0" + info % "SAFECOOKIE" + challenge), ("refused", "\x00510 no\r\n")):
        put("torctl", name, said)
    # one answer; a branch; a default; a good map of several providers
    for name, said in (("return", "000000"), ("branch", "010000000002"), ("default", "070098000001"), (
            "providers", "fb03ec0fb03fc0fe00fb03ec0fb03fc0fe00fb03ec0fb0fffffeffedb0ffd486e628290000400000400040990100800180"
                         "040000050006001cf039")):
        put("asmap", name, bytes.fromhex(said))
    magic = bytes.fromhex("fabfb5da")
    frame = magic + struct.pack("<I", len(block)) + block
    put("blockfile", "two", frame * 2 + b"\0" * 50)
    put("blockfile", "junk", b"\5" * 9 + frame)
    put("blockfile", "cut", frame[:-9])
    undo = b"\1\1\0\1\x02"
    put("blockfile", "undo", magic + struct.pack("<I", len(undo)) + undo +
        hash256(b"\0" * 32 + undo))


def make_storage():
    for i, r in enumerate(load("storage_script.json")["rows"]):
        raw = bytes.fromhex(r["script"])
        if len(raw) < 1300 and i % 3 == 0:
            put("typed", "row-%d" % i, raw)
    cases = load("storage_tx.json")["cases"]
    cases = [c for c in cases if len(c["tx"]) < 6000]
    for i, c in enumerate(every(cases, 60)):
        out = struct.pack("<I", c["h"] - 1) + var(bytes.fromhex(c["tx"]))
        for p in c["prevouts"]:
            if isinstance(p, dict):
                value = p.get("value", p.get("amount", 0))
                spent, height = p["script"], p.get("height", 0)
            else:
                value, spent, height = p[0], p[1], p[2] if len(p) > 2 else 0
            out += struct.pack("<QI", value, height) + var(
                bytes.fromhex(spent))
        put("storage", "case-%d" % i, out)


def make_text():
    for i, row in enumerate(every(load("key_io_valid.json"), 24)):
        put("address", "valid-%d" % i, row[0])
        put("base58" if row[0][:2] not in ("bc", "tb") else "bech32",
            "key-%d" % i, row[0])
        put("address", "script-%d" % i, bytes.fromhex(row[1]))
    for i, row in enumerate(every(load("key_io_invalid.json"), 12)):
        put("address", "invalid-%d" % i, row[0])
    for i, row in enumerate(load("base58_encode_decode.json")):
        put("base58", "row-%d" % i, row[1])
    for i, t in enumerate(("A12UEL5L", "a12lujl",
                           "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                           "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q"
                           "4k9hcz7vqzk5jj0", "11qqqqqqqqqqqqqqqqc8247j",
                           "split1checkupstagehandshakeupstreamerranterredcap"
                           "erred2y9e3w")):
        put("bech32", "text-%d" % i, t)
    keys = re.findall(r"xp(?:ub|rv)[1-9A-HJ-NP-Za-km-z]{107}",
                      text("bip32_vectors.mediawiki"))
    for i, k in enumerate(every(keys, 8)):
        put("bip32", "key-%d" % i, k)
    put("bip32", "path", "m/86'/0'/0'/1/2")
    put("bip32", "path-h", "86h/7733h/0")
    for i, row in enumerate(every(load("bip39_english_vectors.json"), 8)):
        put("bip39", "row-%d" % i, row[1])
    put("hex", "even", "00ffAbcd")
    put("hex", "odd", "00f")
    put("config", "lines", "server=1\nrpcuser=me\n# note\nchain=regtest\n"
        "[regtest]\nport=1\nport=2\nnoconnect=1\n[moon]\nport=3\n")
    put("config", "words", "-server\n-port=5\n--nodebug\n-regtest=1\nrest\n")
    put("config", "bad", "port\n=1\n[regtest\nincludeconf=x\n-conf=y\n")
    put("json", "object", '{"a":[1,-2.50,"x",null,true,{}],"b":1e3}')
    put("json", "deep", "[" * 60 + "]" * 60)
    put("json", "escape", '"\\u00e9\\n\\ud83d\\ude00"')
    put("json", "call", '{"jsonrpc":"1.0","id":1,"method":"sendtoaddress",'
        '"params":["x",0.10000000]}')
    put("banlist", "none", '{"banned_nets": []}')
    put("banlist", "two", '{"banned_nets": [{"version":1,"ban_created":'
        '1699999000,"banned_until":1800000000,"address":"10.0.0.0/8"},'
        '{"version":1,"ban_created":1,"banned_until":1900000000,'
        '"address":"::1/128"}]}')
    for i, t in enumerate(("1.2.3.4", "1.2.3.4:5", "[::1]:8333", "::ffff:1.2"
                           ".3.4", "10.0.0.0/8", "10.0.0.0/255.0.0.0",
                           "fe80::/10", "host.example:99", "[2001:db8::]/32",
                           "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf"
                           "4pscryd.onion")):
        put("netaddr", "text-%d" % i, t)


def make_message():
    def message(command, payload):
        put("message", command, bytes.fromhex("fabfb5da") +
            command.encode().ljust(12, b"\0") +
            struct.pack("<I", len(payload)) + hash256(payload)[:4] + payload)

    v4 = b"\0" * 10 + b"\xff\xff\x01\x02\x03\x04" + struct.pack(">H", 8333)
    message("version", struct.pack("<IQQ", 70016, 1033, 1700000000) +
            struct.pack("<Q", 1) + v4 + struct.pack("<Q", 1) + v4 +
            struct.pack("<Q", 77) + var(b"/CloudCoin:0.1/") +
            struct.pack("<I", 100) + b"\1")
    message("verack", b"")
    message("addr", compact(2) + (struct.pack("<IQ", 1700000000, 9) + v4) * 2)
    message("addrv2", compact(2) +
            struct.pack("<I", 1700000000) + b"\xfd\x09\x04" + b"\1\4" +
            b"\1\2\3\4" + struct.pack(">H", 1) +
            struct.pack("<I", 1700000000) + b"\1" + b"\4\x20" + b"\7" * 32 +
            struct.pack(">H", 2))
    message("inv", compact(2) + (struct.pack("<I", 1) + b"\5" * 32) * 2)
    message("getdata", compact(1) + struct.pack("<I", 0x40000002) + b"\6" * 32)
    message("notfound", compact(0))
    message("getheaders", struct.pack("<I", 70016) + compact(2) + b"\1" * 64 +
            b"\0" * 32)
    message("getblocks", struct.pack("<I", 70016) + compact(1) + b"\1" * 32 +
            b"\2" * 32)
    message("headers", compact(2) + (b"\4" * 80 + b"\0") * 2)
    message("ping", b"\1" * 8)
    message("pong", b"\1" * 8)
    message("feefilter", struct.pack("<Q", 1000))
    message("sendcmpct", b"\1" + struct.pack("<Q", 2))
    message("sendstorage", struct.pack("<I", 1))
    message("wtxidrelay", b"")
    message("unknowncmd", b"12345")
    for i, b in enumerate((b"\0\xfc\xfd\xfd\0\xfe\0\0\1\0", b"\xfd\xfc\0",
                           b"\xff" + b"\xff" * 8, b"\3abc\4\0\0\0\0\0")):
        put("reader", "sizes-%d" % i, b)


def make_miniscript():
    rows = [r for r in text("miniscript.txt").splitlines() if r[0] != "#" and len(r) < 1500]
    for i, row in enumerate(every(rows, 12)):
        put("miniscript", "row-%d" % i, bytes.fromhex(row.split("\t")[0]))


def make_noise():
    acts = re.findall(r"output: 0x([0-9a-f]{100,132})",
                      text("bolt08_transport_vectors.md"))
    for i, act in enumerate(every(acts, 6)):
        put("noise", "act-%d" % i, bytes([i % 4]) + bytes.fromhex(act))
    for i in range(4):
        put("noise", "honest-%d" % i, bytes([i]) + b"hello there, who is it?")
    for n, i, a, b in ((1, 0, 0, 0), (5, 4, 1, 2), (63, 31, 7, 20)):
        put("mtree", "tree-%d" % n, bytes([n - 1, i, a, b]) + b"\7" * 96)


def make_session():
    c = b"\1" * 32
    bodies = {
        1: b"", 8: c + b"\0" * 8, 10: b"\2" * 64,
        11: c + struct.pack("<III", 0, 0, 1024),
        13: c + struct.pack("<II", 0, 3), 15: c,
        17: c + struct.pack("<Q", 5) + b"\3" * 64, 18: b"\0" * 16, 19: c,
        20: b"\0" * 22, 255: struct.pack("<H", 2) + b"\3no!",
    }
    for kind, body in bodies.items():
        put("session", "type-%d" % kind, bytes([kind]) + body)
        put("session", "long-%d" % kind, bytes([kind]) + body + b"\0" * 200)
    for kind in range(1, 21):
        put("session", "zero-%d" % kind, bytes([kind]) + b"\0" * 300)


def make_coin():
    put("coin", "p2pkh", bytes.fromhex("02" "09" "00") + b"\5" * 20)
    put("coin", "p2pk", bytes.fromhex("8401" "32" "02") + b"\5" * 32)
    put("gcs", "genesis", bytes.fromhex("019dfca8"))
    put("gcs", "none", b"\0")
    put("gcs", "lies", b"\xff" * 9)
    put("coin", "undo", bytes.fromhex("02" "00" "09" "01") + b"\5" * 20)
    put("coin", "raw", bytes.fromhex("03" "8801" "0a" "51525354"))
    put("coin", "key", b"\6" * 32 + b"\1")


def make_descriptor():
    key, tprv = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5", (
        "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK")
    for name, text in {"raw": "raw(deadbeef)#89f8spxm", "addr": "addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)",
                       "combo": f"combo([deadbeef/1/2h]{key})", "range": f"wpkh({tprv}/1'/2/*h)",
                       "sh": f"sh(wsh(sortedmulti(2,{key},{tprv}/*)))",
                       "tr": f"tr({key[2:]},{{pk({key}),{{multi_a(1,{key}),sortedmulti_a(1,{key[2:]})}}}})",
                       "rawtr": f"rawtr({key[2:]})", "multi": f"multi(1,{key},{key})"}.items():
        put("descriptor", name, text.encode())


def make_wallet():
    put("wallet", "good", b"\0\0\0\0")
    put("wallet", "cut", b"\3\0\0\0")
    put("wallet", "change", b"\0\x50\0\1")
    put("wallet", "tail", b"\0\0\0\0" + b"\7" * 30)


def make_addrbook():
    put("addrbook", "junk", b"CCPEERS" + b"\1" * 40)
    magic = bytes.fromhex("fabfb5da")

    def one(port):
        return (struct.pack("<II", 1 << 29 | 220000, 1699999000) + b"\x09\1\4" + bytes([8, 8, 8, 8]) +
                struct.pack(">H", port))

    def sealed(data):
        return data + hash256(data)
    entries = [one(p) + b"\1\4" + bytes([9, 9, 9, 9]) + struct.pack("<qi", 0, 0) for p in (1, 2)]
    put("addrbook", "good", sealed(magic + bytes([4, 36]) + b"\5" * 32 + struct.pack("<iii", 1, 1, 1024 ^ 1 << 30) +
                                   b"".join(entries) + struct.pack("<ii", 1, 0) + bytes(4 * 1023) + bytes(32)))
    put("addrbook", "anchors", sealed(magic + b"\2" + one(1) + one(2)))


def make_proxies():
    for name, said in (("plain", b"\x02\5\0\5\0\0\1\x7f\0\0\1\0\x50tail"),
                       ("password", b"\x41\5\2\1\0\5\0\0\3\2ab\0\x50"), ("refused", b"\0\5\0\5\5")):
        put("socks5", name, said)
    hello = b"HELLO REPLY RESULT=OK VERSION=3.1\n"
    key = base64.b64encode(b"\5" * 384 + b"\5\0\4\0\7\0\0" + b"\1" * 64, b"-~")
    for name, said in (("session", b"\0" + hello + b"DEST REPLY PUB=x PRIV=" + key +
                                   b"\nSESSION STATUS RESULT=OK DESTINATION=" + key + b"\n"),
                       ("transient", b"\3" + hello + b"SESSION STATUS RESULT=OK DESTINATION=" + key + b"\n"),
                       ("connect", b"\1" + hello + b"NAMING REPLY RESULT=OK NAME=a VALUE=" + key +
                                   b"\nSTREAM STATUS RESULT=OK\nbytes"),
                       ("accept", b"\2" + hello + b"STREAM STATUS RESULT=OK\n" + key + b" FROM_PORT=0\nbytes"),
                       ("refused", b"\4" + hello + b"NAMING REPLY RESULT=KEY_NOT_FOUND\n")):
        put("sam", name, said)


def make_bloom():
    tx = transaction()
    for name, bits, hashes, flags in (("none", bytes(8), 3, 0), ("all", b"\xff" * 8, 3, 1), ("keys", b"\xff" * 8, 50, 2),
                                      ("empty", b"", 1, 1)):
        loaded = var(bits) + struct.pack("<IIB", hashes, 7, flags)
        put("bloom", name, bytes([len(loaded)]) + loaded + tx)
    root = bytes.fromhex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a")
    genesis = struct.pack("<i", 1) + bytes(32) + root + struct.pack("<III", 1296688602, 0x207fffff, 2)
    put("bloom", "merkleblock", genesis + struct.pack("<I", 1) + b"\1" + root + b"\1\1")


def make_rpc():
    tx = transaction().hex()
    zeros = "00" * 32
    address = "ccrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8xyp9j"
    calls = [
        ("getblockchaininfo", []), ("getbestblockhash", []),
        ("getblockhash", [0]), ("getblock", [zeros, 2]),
        ("getblockheader", [zeros, False]), ("getchaintips", []),
        ("getblockstats", [0, ["height", "time"]]), ("getdifficulty", []),
        ("gettxout", [zeros, 0, True]), ("gettxoutsetinfo", ["none"]),
        ("scantxoutset", ["start", ["raw(51)"]]),
        ("getmininginfo", []), ("getnetworkhashps", [10, 0]),
        ("submitblock", ["00" * 81]), ("submitheader", ["00" * 80]),
        ("prioritisetransaction", [zeros, 0, 1]), ("getmempoolinfo", []),
        ("getrawmempool", [True]), ("getmempoolentry", [zeros]),
        ("decoderawtransaction", [tx]), ("decodescript", ["51"]),
        ("decodescript", ["5121" + "02" * 33 + "51ae"]),
        ("getrawtransaction", [zeros, True]),
        ("sendrawtransaction", [tx, 0.1]), ("testmempoolaccept", [[tx]]),
        ("createrawtransaction", [[{"txid": zeros, "vout": 1, "sequence": 5}],
                                  [{address: 0.5}, {"data": "00ff"}], 7]),
        ("signrawtransactionwithkey", [tx, [], [{
            "txid": zeros, "vout": 0, "scriptPubKey": "51", "amount": 1}]]),
        ("gettxoutproof", [[zeros]]), ("verifytxoutproof", ["00" * 85]),
        ("validateaddress", [address]), ("getaddressinfo", [address]),
        ("createmultisig", [1, ["02" * 33]]), ("deriveaddresses", ["x", 1]),
        ("verifymessage", [address, "AAAA", "text"]),
        ("signmessagewithprivkey", ["x", "text"]),
        ("listidentities", ["host"]), ("getcontract", [zeros]),
        ("listseals", [zeros]), ("getstoragestate", [0]),
        ("decodestorage", ["bb020180"]), ("getnetworkstorage", []),
        ("estimatesmartfee", [6]), ("help", []),
    ]
    for i, (method, params) in enumerate(calls):
        put("rpc", "%02d-%s" % (i, method),
            json.dumps({"method": method, "params": params}))
    put("rpc", "named", '{"method":"getblockhash","params":{"height":0}}')
    put("rpc", "args", '{"method":"getblock","params":{"args":["00"],'
        '"verbosity":1}}')


def make_mempool():
    raw = transaction()
    tail = struct.pack("<qq", 1700000000, 0)
    put("mempool", "empty", struct.pack("<QQ", 1, 0) + b"\0\0")
    put("mempool", "one", struct.pack("<QQ", 1, 1) + raw + tail + b"\0\0")
    put("mempool", "delta", struct.pack("<QQ", 1, 0) + b"\1" + b"\5" * 32 +
        struct.pack("<q", 7) + b"\1" + b"\6" * 32)
    put("mempool", "overflow", struct.pack("<QQ", 1, 0) + b"\2" +
        (b"\5" * 32 + struct.pack("<q", 2 ** 62 + 2 ** 60)) * 2 + b"\0")
    put("mempool", "lies", struct.pack("<QQ", 1, 2 ** 60) + raw)


def make_compact():
    raw = transaction()
    head = struct.pack("<I32s32sIII", 4, b"\1" * 32, b"\2" * 32, 3, 4, 5)
    nonce = struct.pack("<Q", 9)
    put("compact", "block", head + nonce + b"\2" + b"\3" * 6 + b"\4" * 6 +
        b"\1\0" + raw)
    put("compact", "alone", head + nonce + b"\0" + b"\1\0" + raw)
    put("compact", "request", b"\7" * 32 + b"\3\0\0\5")
    put("compact", "answer", b"\7" * 32 + b"\1" + raw)


def make_host():
    rows = load("storage_script.json")["rows"]
    body = next(bytes.fromhex(r["script"])[4:] for r in rows
                if r["valid"] and r["kind"] == 2 and not r["forming"])
    put("hostfile", "plain", b"CChc\2" + b"\1" * 32 + b"\2" * 36 +
        struct.pack("<IIQQQ", 10, 20, 1000, 5, 7) + body + struct.pack("<Q", 1000) +
        b"\3" * 36 + struct.pack("<IBII", 30, 1, 0, 0) + b"\0" * 160 +
        struct.pack("<IQ", 0, 0) + b"\0" * 64 + struct.pack("<Q", 0) +
        struct.pack("<I", 1) + struct.pack("<I", 2) + b"\4" * 64 +
        struct.pack("<I", 1) + struct.pack("<III", 0, 2, 0) + b"\5" * 32)


def make_manifest():
    place = lambda n: struct.pack("<H", n) + b"\7" * 32
    manifest = (b"\4name" + b"\1" * 16 + struct.pack("<QQBB", 1700000000, 100, 1, 3) + b"\2" + b"\5" * 32 +
                b"\6" * 32)
    put("manifest", "good", manifest + place(0) + place(1) + place(0))
    put("manifest", "order", manifest + place(1) + place(0) + place(0))
    put("manifest", "unused", manifest + place(0) + place(0) + place(0))
    put("manifest", "cut", manifest + place(0) + place(1))


def make_journal():
    check = lambda record, n: record + hashlib.sha256(record + struct.pack("<Q", n)).digest()[:16]
    journal = check(b"CCJ2" + b"a" * 64, 0)
    put("journal", "good", journal + check(b"\1" * 64, 1) + check(b"\2" * 64, 2))
    put("journal", "torn", journal + check(b"\1" * 64, 1) + b"\2" * 50)
    put("journal", "other", check(b"CCJ1" + b"a" * 64, 0))


def make_renter():
    contract = {"version": 1, "id": "11" * 32, "txid": "22" * 32, "renter": "33" * 32, "host": "44" * 32, "start": 1,
                "period": 12, "periods": 3, "samples": 1, "odds": 1, "rent": 5, "penalty": 5, "allowance": 9,
                "value": 100, "capacity": 32, "price_write": 1, "price_read": 1, "price_request": 1,
                "endpoint": "127.0.0.1:1", "key_index": 1, "forming": False, "revision": 1,
                "host_signature": "55" * 64, "roots": "66" * 32, "signed_revision": 2, "pending": "", "garbage": "",
                "voucher": 1, "used": 1000000}
    put("renterfile", "good", json.dumps(contract))
    put("renterfile", "roots", json.dumps(dict(contract, roots="66" * 31)))
    put("renterfile", "negative", json.dumps(dict(contract, voucher=-1)))
    put("renterfile", "text", json.dumps(dict(contract, start="1")))


def make_keys():
    put("keys", "good", b"\0\0")
    put("keys", "cut", b"\1\0")
    put("keys", "change", b"\0\0\5\0\1\x60\0\2")


make_verify()
make_tx()
make_block()
make_storage()
make_text()
make_message()
make_miniscript()
make_noise()
make_session()
make_coin()
make_descriptor()
make_wallet()
make_addrbook()
make_proxies()
make_bloom()
make_rpc()
make_mempool()
make_compact()
make_host()
make_manifest()
make_journal()
make_renter()
make_keys()
