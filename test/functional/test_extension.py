"""Programs that the node starts and talks with."""
import json
import os
import signal
import sys
import threading
import time

import framework

PROGRAM = r'''
import json, os, sys, threading, time
folder = sys.argv[1]
mode = sys.argv[2] if len(sys.argv) > 2 else ""
lock = threading.Lock()
answers = {}
def say(**o):
    with lock:
        sys.stdout.write(json.dumps(dict(o, jsonrpc="2.0")) + "\n")
        sys.stdout.flush()
def note(*words):
    with lock, open(os.path.join(folder, "seen"), "a") as f:
        f.write(json.dumps(words) + "\n")
ids = iter(range(1000000))
def ask(method, params, **more):
    i = "q%d" % next(ids)
    answers[i] = threading.Event(), []
    say(id=i, method=method, params=params, **more)
    answers[i][0].wait()
    return answers[i][1][0]
METHODS = [dict(name=n, category="toys", usage="( words )", description="Does what " + n + " does.")
           for n in ("toyecho", "toyfail", "toyask", "toyslow", "toydie", "toymany", "toybroken", "toylong", "toymute")]
if mode == "clash":
    METHODS.append(dict(name="getblockcount", category="toys", usage="", description=""))
def serve(m):
    name, p = m["method"], m.get("params")
    if name == "getmanifest":
        if mode == "mute":
            return
        if mode == "garbage":
            sys.stdout.write("no json\n"); sys.stdout.flush()
        say(id=m["id"], result=dict(methods=METHODS, subscriptions=["blockconnected", "blockdisconnected", "transaction"]))
    elif name == "init":
        note("init", p)
        if mode == "refuse":
            say(id=m["id"], error=dict(code=-1, message="not today"))
        else:
            say(id=m["id"], result={})
    elif name == "toyecho":
        say(id=m["id"], result=[p, m.get("wallet")])
    elif name == "toyfail":
        say(id=m["id"], error=dict(code=-77, message="as asked", data=[1]))
    elif name == "toyask":
        say(id=m["id"], result=ask(p[0], p[1], **({"wallet": p[2]} if len(p) > 2 else {})))
    elif name == "toymany":
        r = []
        ts = [threading.Thread(target=lambda: r.append(ask("getblockcount", []))) for _ in range(p[0])]
        [t.start() for t in ts]; [t.join() for t in ts]
        say(id=m["id"], result=len([x for x in r if "result" in x]))
    elif name == "toyslow":
        time.sleep(p[0]); say(id=m["id"], result="slow")
    elif name == "toybroken":
        sys.stdout.write("\n[1,2]\nx" + "y" * 100000 + "\n" + '{"id": 12345, "result": 1}' + "\n"); sys.stdout.flush()
        say(id=m["id"], result="still here")
    elif name == "toylong":
        while True:
            sys.stdout.write("x" * (1 << 20)); sys.stdout.flush()
    elif name == "toymute":
        os.close(1)
        while True: time.sleep(1)
    elif name == "toydie":
        os._exit(3)
    elif name == "shutdown":
        note("shutdown")
        if mode != "stubborn":
            os._exit(0)
    else:
        note(name, p)
sys.stderr.write("hello from\tthe toy\n"); sys.stderr.flush()
for line in sys.stdin:
    m = json.loads(line)
    if "method" in m:
        threading.Thread(target=serve, args=(m,), daemon=True).start()
    else:
        answers[m["id"]][1].append(m); answers[m["id"]][0].set()
note("end of input")
if mode == "stubborn":
    if os.fork() == 0:
        while True: time.sleep(1)
    while True: time.sleep(1)
'''


class TestExtension(framework.TestCase):
    def toy(self, mode=""):
        path = os.path.join(self.folder, "toy")
        with open(path, "w") as f:
            f.write("#!" + sys.executable + "\n" + PROGRAM)
        os.chmod(path, 0o755)
        return self.add_node(f"-extension='{path}' \"{self.folder}\" {mode}")

    def seen(self):
        try:
            with open(os.path.join(self.folder, "seen")) as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []

    def test_calls(self):
        node = self.toy().start()
        self.wait_until(lambda: "toyecho" in node.rpc.help())
        self.assertIn("== Toys ==\ntoyask ( words )", node.rpc.help())
        self.assertEqual(node.rpc.help("toyfail"), "toyfail ( words )\n\nDoes what toyfail does.\n")
        self.assertEqual(node.rpc.toyecho(1, "a"), [[1, "a"], None])
        self.assertEqual(node.rpc.toyecho(x={"y": 1}), [{"x": {"y": 1}}, None])
        self.assertEqual(node.rpc.wallet("w%201").toyecho(), [[], "w 1"])
        self.assert_rpc_error(-77, "as asked", node.rpc.toyfail)
        status, out, err = node.cli("toyecho", 5, '{"a":1}')
        self.assertEqual((status, json.loads(out)), (0, [["5", '{"a":1}'], None]))
        self.assertIn("extension toy: hello from the toy", node.log())
        self.assertEqual(node.rpc.toybroken(), "still here")
        self.assertEqual(node.rpc.toymany(100), 100)

    def test_it_calls_the_node(self):
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.assertEqual(node.rpc.toyask("getblockcount", []), {"jsonrpc": "2.0", "result": 0, "id": "q0"})
        answer = node.rpc.toyask("getblockhash", {"height": 99})
        self.assertEqual(answer["error"], {"code": -8, "message": "Block height out of range"})
        self.assertEqual(node.rpc.toyask("nothing", [])["error"]["code"], -32601)
        self.assertEqual(node.rpc.toyask("toyecho", [1], "w")["result"], [[1], "w"])  # itself, even
        node.rpc.createwallet("a")
        node.rpc.createwallet("b")
        self.assertEqual(node.rpc.toyask("getwalletinfo", [], "b")["result"]["walletname"], "b")

    def test_events(self):
        node = self.toy().start()
        self.wait_until(lambda: ["init", {"chain": "regtest", "genesis": node.rpc.getblockhash(0), "datadir": node.chain_dir,
                                          "blocks": 0, "version": "v0.1.0"}] in self.seen())
        blocks = node.generate(2)
        node.rpc.invalidateblock(blocks[1])
        header = node.rpc.getblockheader(blocks[0])
        last = node.rpc.getblockheader(blocks[1])
        want = [["blockconnected", {"hash": h["hash"], "height": h["height"], "time": h["time"]}] for h in (header, last)]
        want.append(["blockdisconnected", want[1][1]])
        self.wait_until(lambda: sorted(e for e in map(json.dumps, self.seen()) if "blockc" in e or "blockd" in e)
                        == sorted(map(json.dumps, want)))

    def test_shutdown(self):
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        node.stop()
        self.assertIn(["shutdown"], self.seen())
        self.assertIn("extension toy exited with status 0", node.log())

    def test_stubborn_is_killed_with_its_children(self):
        node = self.toy("stubborn").start()
        self.wait_until(lambda: node.rpc.toyecho())
        started = time.monotonic()
        node.stop()
        self.assertGreater(time.monotonic() - started, 9)
        self.assertIn("did not end within 10 seconds: killed", node.log())
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    self.assertNotIn(self.folder.encode() + b"/toy", f.read())
            except OSError:
                pass

    def signal_toys(self, number):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if self.folder.encode() + b"/toy" in f.read().split(b"\0"):
                        os.kill(int(pid), number)
            except OSError:
                pass

    def test_crash(self):
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.assert_rpc_error(-1, "extension toy is not running: it exited with status 3", node.rpc.toydie)
        self.assert_rpc_error(-1, "extension toy is not running: it exited with status 3", node.rpc.toyecho)
        self.wait_until(lambda: "Warning: extension toy exited with status 3" in node.log())
        self.assertEqual(len(node.generate(2)), 2)

    def test_killed(self):
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.signal_toys(signal.SIGKILL)
        self.wait_until(lambda: "Warning: extension toy was killed by signal 9" in node.log())
        self.assertEqual(node.height(), 0)

    def test_line_that_does_not_end(self):
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.assert_rpc_error(-1, "extension toy is not running: it was killed by signal 9",
                              node.rpc.toylong)
        self.assertEqual(node.height(), 0)

    def test_mute(self):
        """It closes its output and stays: it gets ten seconds."""
        node = self.toy("stubborn").start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.assert_rpc_error(-1, "extension toy is not running: it was killed by signal 9", node.rpc.toymute)

    def test_deaf(self):
        """It does not read: what waits for it is bounded, then it is killed."""
        node = self.toy().start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.signal_toys(signal.SIGSTOP)
        faults = []

        def ask():
            try:
                node.rpc.toyecho("x" * (24 << 20))
            except framework.RpcError as e:
                faults.append(e.message)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        started = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join(framework.TIMEOUT_S)
        self.assertLess(time.monotonic() - started, 60)
        self.assertEqual(faults, ["extension toy is not running: it was killed by signal 9"] * 4)
        self.assertEqual(node.height(), 0)

    def test_bad_starts(self):
        for mode, text in (("clash", "there is a method getblockcount already"),
                           ("refuse", 'it answered init with the error "not today"')):
            node = self.toy(mode)
            status, err = node.start_fails()
            self.assertEqual(status, 1, err)
            self.assertIn(text, err)
        node = self.add_node("-extension=/nonexistent/program")
        status, err = node.start_fails()
        self.assertEqual(status, 1)
        self.assertIn('Error: extension "/nonexistent/program": cannot start /nonexistent/program: No such file', err)
        node = self.add_node("-extension=/bin/true")
        status, err = node.start_fails()
        self.assertEqual((status, err), (1, 'Error: extension "/bin/true": it exited with status 0 before it answered '
                                            'getmanifest\n'))

    def test_garbage_at_the_start(self):
        node = self.toy("garbage").start()
        self.wait_until(lambda: node.rpc.toyecho())
        self.assertIn("a line that is no JSON object", node.log())


if __name__ == "__main__":
    framework.main()
