"""cloudcoin-cli: words to JSON, what it prints and how it exits."""
import json
import subprocess
import threading

import framework


class TestCli(framework.TestCase):
    def setUp(self):
        super().setUp()
        self.node = self.start_node()

    def ok(self, *words, **more):
        status, out, err = self.node.cli(*words, **more)
        self.assertEqual((status, err), (0, ""), words)
        return out

    def test_results(self):
        self.assertEqual(self.ok("getblockcount"), "0\n")
        tip = self.ok("getbestblockhash").strip()
        self.assertEqual(tip, self.node.tip())
        self.assertEqual(json.loads(self.ok("getblock", tip))["height"], 0)
        self.assertEqual(json.loads(self.ok("getblockheader", tip, "true"))["hash"], tip)
        self.assertEqual(len(self.ok("getblockheader", tip, "false").strip()), 160)
        self.assertEqual(self.ok("setmocktime", 0), "")
        self.assertIn("== Blockchain ==", self.ok("help"))
        out = self.ok("getblockchaininfo")
        self.assertTrue(out.startswith('{\n  "chain": "regtest",\n'))

    def test_netinfo(self):
        other = self.start_node("-externalip=8.8.8.8")
        other.connect(self.node)
        other.rpc.ping()
        self.wait_until(lambda: all("pingtime" in p for p in other.rpc.getpeerinfo()))
        agent = other.rpc.getnetworkinfo()["subversion"]

        def shown(*words):
            status, out, err = other.cli("-netinfo", *words)
            self.assertEqual((status, err), (0, ""), words)
            return out.split("\n")
        out = shown()
        self.assertEqual(out[0], f"CloudCoin client v0.1.0 regtest - server 70016{agent}")
        self.assertEqual(out[2:6], ["         ipv4    ipv6     npr   total   block  manual",
                                    "in          0       0       0       0",
                                    "out         0       0       1       1       0       1",
                                    "total       0       0       1       1"])
        self.assertEqual(out[7:], ["Local addresses", f"8.8.8.8    port {other.port:6}    score      4", ""])
        self.assertEqual(shown("0"), out)
        for level, address, version in (("1", False, False), ("2", True, False), ("3", False, True), ("4", True, True)):
            out = shown(level)
            self.assertTrue(out[2].startswith("<->   type   net  v  mping   ping send recv  txn  blk  hb addrp addrl age id "))
            self.assertEqual(out[3].split()[:4], ["out", "manual", "npr", "1"])
            self.assertEqual((self.node.address in out[3], f"70016{agent}" in out[3]), (address, version))
            self.assertEqual(len(out[2].rstrip()) >= 70, True)
        self.assertIn("level 4", "\n".join(shown("help")))
        status, out, err = other.cli("-netinfo", "5")
        self.assertEqual((status, out, err), (1, "", "error: invalid -netinfo argument: 5\nFor more information, run: "
                                                     "cloudcoin-cli -netinfo help\n"))

    def test_addrinfo(self):
        for address in ("8.8.8.8", "9.9.9.9", "2001:4860::1"):
            self.node.rpc.addpeeraddress(address, 1)
        self.assertEqual(json.loads(self.ok("-addrinfo")), {"addresses_known": {
            "ipv4": 2, "ipv6": 1, "onion": 0, "i2p": 0, "cjdns": 0, "total": 3}})
        self.assertEqual(self.node.cli("-addrinfo", "x"), (1, "", "error: -addrinfo takes no arguments\n"))

    def test_errors(self):
        self.assertEqual(self.node.cli("getblockhash", 7), (8, "", "error code: -8\nerror message:\nBlock height out of range\n"))
        status, out, err = self.node.cli("nothing")
        self.assertEqual((status, out, err), (32601 & 0xff, "", "error code: -32601\nerror message:\nMethod not found\n"))
        self.assertEqual(self.node.cli("getblockhash", "x"), (1, "", "error: Error parsing JSON: x\n"))
        self.assertEqual(self.node.cli(), (1, "", "error: too few parameters (need at least command)\n"))
        status, out, err = self.node.cli("-nothing", "getblockcount")
        self.assertEqual((status, err), (1, "Error parsing command line arguments: Invalid parameter -nothing\n"))

    def test_named(self):
        self.assertEqual(self.ok("-named", "getblockhash", "height=0").strip(), self.node.tip())
        self.assertEqual(json.loads(self.ok("-named", "echo", "a", "arg1=b=c")), ["a", "b=c"])
        self.assertEqual(json.loads(self.ok("-named", "echojson", "1", "arg2=[true]")), [1, None, [True]])
        self.assertEqual(json.loads(self.ok("-named", "echo", "arg0=0", "arg1=1", "arg0=3")), ["3", "1"])
        self.assertEqual(self.node.cli("-named", "echo", "args=[0,1]", "4"),
                         (8, "", "error code: -8\nerror message:\nParameter args specified multiple times\n"))
        status, _, err = self.node.cli("-named", "getblockhash", "hight=0")
        self.assertEqual((status, err), (8, "error code: -8\nerror message:\nUnknown named parameter hight\n"))

    def test_strings_and_json(self):
        self.assertEqual(json.loads(self.ok("echo", "1", "true", "a b")), ["1", "true", "a b"])
        self.assertEqual(json.loads(self.ok("echojson", "1", "true", '{"a":[0.10000000]}')), [1, True, {"a": [0.1]}])
        self.assertIn("0.10000000", self.ok("echojson", '{"a":[0.10000000]}'))

    def test_stdin(self):
        self.assertEqual(json.loads(self.ok("-stdin", "echo", "a", stdin="b\nc d\n")), ["a", "b", "c d"])
        self.assertEqual(self.node.cli("-stdinrpcpass", "-rpcuser=a", "getblockcount", stdin="wrong\n"),
                         (1, "", "error: Authorization failed: Incorrect rpcuser or rpcpassword\n"))

    def test_server_is_not_there(self):
        self.node.stop()
        where = f"127.0.0.1:{self.node.rpc_port}"
        status, out, err = self.node.cli("getblockcount")
        self.assertEqual((status, out), (1, ""))
        self.assertTrue(err.startswith(f"error: Could not connect to the server {where}\n\nMake sure"), err)
        status, out, err = self.node.cli("-rpcwait", "-rpcwaittimeout=1", "getblockcount")
        self.assertEqual(status, 1)
        self.assertTrue(err.startswith(f"error: timeout on transient error: Could not connect to the server {where}"), err)
        answers = []
        t = threading.Thread(target=lambda: answers.append(self.node.cli("-rpcwait", "getblockcount")))
        t.start()
        self.node.start()
        t.join(framework.TIMEOUT_S)
        self.assertEqual(answers, [(0, "0\n", "")])

    def test_ports(self):
        """What cannot be a port is told as it was typed; -rpcport wins over -rpcconnect."""
        for option in ("-rpcconnect=127.0.0.1:x", "-rpcconnect=http://127.0.0.1", "-rpcconnect=[::1]:0", "-rpcport=65536"):
            name, given = option.split("=")
            words = [option] if name == "-rpcport" else [option, f"-rpcport={self.node.rpc_port}"]
            self.assertEqual(self.node.cli(*words, "uptime"), (1, "", f"error: Invalid port provided in {name}: {given}\n"))
        self.assertEqual(self.ok("-rpcconnect=127.0.0.1:1", f"-rpcport={self.node.rpc_port}", "getblockcount"), "0\n")

    def test_no_credentials(self):
        status, out, err = self.node.cli("-rpccookiefile=nowhere", "getblockcount")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("error: Could not locate RPC credentials. No authentication cookie could be found", err)

    def test_getinfo(self):
        out = self.ok("-getinfo")
        for line in ("Chain: regtest\n", "Blocks: 0\n", "Network: in 0, out 0, total 0\n", "Warnings: (none)\n"):
            self.assertIn(line, out)
        self.node.rpc.createwallet("w")
        self.assertIn("Balance: 0.00000000\n", self.ok("-getinfo"))
        self.node.rpc.createwallet("other")
        self.node.rpc.generatetoaddress(1, self.node.rpc.wallet("w").getnewaddress())
        self.node.generate(100)
        self.assertNotIn("Wallet:", self.ok("-getinfo"))
        value = self.node.rpc.wallet("w").getbalance()
        self.assertIn(f"Balances\n{value} w\n{'0.00000000':>{len(str(value))}} other\n\nWarnings:", self.ok("-getinfo"))
        self.assertIn(f"Wallet: w\n", self.ok("-getinfo", "-rpcwallet=w"))
        self.assertIn(f"Balance: {value}\n\nWarnings:", self.ok("-getinfo", "-rpcwallet=w"))

    def test_colors(self):
        plain = self.ok("-getinfo")
        self.assertNotIn("\x1b", plain)
        self.assertEqual(self.ok("-getinfo", "-color=never"), plain)
        self.assertEqual(self.ok("-getinfo", "-color=auto"), plain)
        coloured = self.ok("-getinfo", "-color=always")
        self.assertIn("\x1b[34mChain: regtest\x1b[0m\n", coloured)
        self.assertIn("\x1b[33mWarnings:\x1b[0m (none)", coloured)
        self.assertEqual(self.node.cli("-getinfo", "-color=red"),
                         (1, "", "error: Invalid value for -color option. Valid values: always, auto, never.\n"))

    def test_proxies(self):
        self.node.stop()
        self.node.start("-proxy=127.0.0.1:9050", "-onion=127.0.0.1:9051")
        networks = {n["name"]: n["proxy"] for n in self.node.rpc.getnetworkinfo()["networks"]}
        first = ", ".join(n for n, proxy in networks.items() if proxy == "127.0.0.1:9050")
        self.assertIn(f"Proxies: 127.0.0.1:9050 ({first}), 127.0.0.1:9051 (onion)\n", self.ok("-getinfo"))

    def test_generate(self):
        self.node.rpc.createwallet("w")
        self.assertEqual(len(json.loads(self.ok("-generate"))["blocks"]), 1)
        self.assertEqual(len(json.loads(self.ok("-generate", 3))["blocks"]), 3)
        self.assertEqual(self.node.height(), 4)
        self.assertEqual(self.node.cli("-generate", "0"), (1, "", "error: the first argument (number of blocks to generate, "
                                                                  "default: 1) must be an integer value greater than zero\n"))
        self.assertEqual(self.node.cli("-generate", "x"), (1, "", "error: Error parsing JSON: x\n"))
        self.assertEqual(self.node.cli("-generate", 1, 2, 3),
                         (1, "", "error: too many arguments (maximum 2 for nblocks and maxtries)\n"))
        self.assertEqual(self.node.height(), 4)

    def test_wallet_name(self):
        self.node.rpc.createwallet("a b")
        self.node.rpc.createwallet("d")
        self.assertEqual(json.loads(self.ok("-rpcwallet=a b", "getwalletinfo"))["walletname"], "a b")
        status, _, err = self.node.cli("getwalletinfo")
        self.assertEqual(status, 19)
        self.assertIn('Try adding "-rpcwallet=<filename>" option to cloudcoin-cli command line.', err)

    def test_help_and_version(self):
        r = subprocess.run([framework.program("cloudcoin-cli"), "-version"], stdout=subprocess.PIPE)
        self.assertRegex(r.stdout.decode(), r"\ACloudCoin RPC client version v")
        r = subprocess.run([framework.program("cloudcoin-cli"), "-bitcoin", "-version"], stdout=subprocess.PIPE)
        self.assertRegex(r.stdout.decode(), r"\ABitcoin Core RPC client version v27\.0\.0 \(CloudCoin v")
        r = subprocess.run([framework.program("cloudcoin-cli"), "-help"], stdout=subprocess.PIPE)
        self.assertIn(b"-rpcwait", r.stdout)
        r = subprocess.run([framework.program("cloudcoin-cli")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((r.returncode, r.stderr), (1, b"Error: too few parameters\n"))


if __name__ == "__main__":
    framework.main()
