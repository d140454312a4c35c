"""What stands beside the programs: manual pages, configuration reference, completion, service unit, example."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import framework

SHARE = os.path.join(framework.TOP, "share")


class TestManual(framework.TestCase):
    def build(self):
        return os.path.dirname(framework.program("cloudcoind"))

    def test_pages_and_reference_say_what_help_says(self):
        r = subprocess.run([sys.executable, os.path.join(framework.TOP, "contrib", "manual.py"), "--check", self.build()],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((r.returncode, r.stdout.decode()), (0, ""))

    def test_every_option_is_there(self):
        with open(os.path.join(SHARE, "man", "cloudcoind.1")) as f:
            page = f.read().replace("\\-", "-")
        with open(os.path.join(framework.TOP, "doc", "configuration.md")) as f:
            reference = f.read()
        r = subprocess.run([framework.program("cloudcoind"), "-help", "-help-debug"], stdout=subprocess.PIPE, check=True)
        options = re.findall(r"^  (-[a-z0-9-]+)", r.stdout.decode(), re.M)
        self.assertGreater(len(options), 100)
        for option in options:
            self.assertIn(f"\\fB{option}", page)
            self.assertIn(f"| `{option}", reference)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_pages_are_sound(self):
        for name in ("cloudcoind", "cloudcoin-cli", "cloudcoin-host", "cloudcoin-gateway"):
            r = subprocess.run(["groff", "-man", "-ww", "-Tutf8", os.path.join(SHARE, "man", name + ".1")],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, LC_ALL="C.UTF-8"))
            self.assertEqual((r.returncode, r.stderr.decode()), (0, ""), name)
            text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", r.stdout.decode())
            for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "FILES", "EXIT STATUS", "SEE ALSO"):
                self.assertRegex(text, rf"(?m)^{heading}$")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_unit(self):
        with open(os.path.join(SHARE, "systemd", "cloudcoind.service")) as f:
            unit = f.read().replace("/usr/local/bin/cloudcoind", framework.program("cloudcoind"))
        path = os.path.join(self.folder, "cloudcoind.service")
        with open(path, "w") as f:
            f.write(unit)
        r = subprocess.run(["systemd-analyze", "verify", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        about = [line for line in r.stdout.decode().splitlines() if "cloudcoind" in line]
        self.assertEqual(about, [])

    def test_example(self):
        """It is taken as it stands, and so is every line that waits to be made valid."""
        with open(os.path.join(SHARE, "cloudcoin.conf.example")) as f:
            example = f.read()
        for text in (example, re.sub(r"(?m)^#((?!wallet=|extension=|rpcport=)[a-z]+=)", r"\1", example)):
            node = self.add_node()
            with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
                f.write(text)
            node.start()
            self.assertNotIn("Warning", node.log())
            node.stop()

    def test_rpcauth(self):
        """What the script prints lets that user in with that password, whether it made one or was given one."""
        def run(*words, stdin="", status=0):
            r = subprocess.run([sys.executable, "-B", os.path.join(SHARE, "rpcauth", "rpcauth.py"), *words], input=stdin,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
            self.assertEqual((r.returncode, bool(r.stderr)), (status, status != 0), r.stderr)
            return r.stdout
        _, line, _, made = run("alice").splitlines()
        self.assertRegex(line, r"\Arpcauth=alice:[0-9a-f]{32}\$[0-9a-f]{64}\Z")
        _, given = run("bob", "-", stdin="open sesame\n").splitlines()
        self.assertNotIn("sesame", given)
        third = json.loads(run("-j", "carol", "x:y"))
        self.assertEqual((third["username"], third["password"]), ("carol", "x:y"))
        self.assertNotEqual(run("bob", "x"), run("bob", "x"))
        node = self.add_node()
        with open(os.path.join(node.datadir, "cloudcoin.conf"), "w") as f:
            f.write("\n".join((line, given, "rpcauth=" + third["rpcauth"])) + "\n")
        node.start()
        for auth, status in (("alice:" + made, 200), ("bob:open sesame", 200), ("carol:x:y", 200), ("carol:x", 401)):
            self.assertEqual(node.rpc.raw('{"method":"uptime"}', auth=auth)[0], status, auth)
        for words in (("a:b", "x"), ("", "x"), ("a", "")):
            run(*words, status=2)


@unittest.skipUnless(shutil.which("bash"), "bash is not installed")
class TestCompletion(framework.TestCase):
    chain = "bitcoin-regtest"

    def complete(self, program, *words):
        """What bash would offer for the last word."""
        line = " ".join([program, *words])
        script = ('. "$1"; shift; COMP_LINE="$1"; shift; COMP_POINT=${#COMP_LINE}; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _cloudcoin_complete; printf "%s\\n" "${COMPREPLY[@]}"')
        r = subprocess.run(["bash", "-c", script, "bash", os.path.join(SHARE, "completions", "cloudcoin.bash"), line, program,
                            *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        return [word for word in r.stdout.decode().splitlines() if word]

    def test_options(self):
        daemon = framework.program("cloudcoind")
        self.assertEqual(self.complete(daemon, "-rpcwh"), ["-rpcwhitelist=", "-rpcwhitelistdefault"])
        self.assertEqual(self.complete(daemon, "-stopath"), ["-stopatheight="])  # of -help-debug
        self.assertEqual(self.complete(daemon, "-chain=re"), ["regtest"])
        self.assertEqual(self.complete(daemon, f"-datadir={self.folder[:-1]}"), [self.folder])
        self.assertEqual(self.complete(framework.program("cloudcoin-cli"), "-rpcwal"), ["-rpcwallet="])

    def test_calls(self):
        node = self.start_node()
        cli = framework.program("cloudcoin-cli")
        where = ["-datadir=" + node.datadir, "-bitcoin", "-regtest", f"-rpcport={node.rpc_port}"]
        self.assertEqual(self.complete(cli, *where, "getblockco"), ["getblockcount"])
        self.assertEqual(self.complete(cli, *where, "help", "getblockco"), ["getblockcount"])
        self.assertEqual(self.complete(cli, *where, "getblockcount", "g"), [])
        self.assertEqual(self.complete(framework.program("cloudcoin-gateway"), "he"), ["health", "help"])


if __name__ == "__main__":
    unittest.main()
