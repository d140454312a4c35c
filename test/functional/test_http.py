"""The HTTP server below JSON-RPC: passwords, verbs, sizes, batches, names, versions."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import stat
import threading
import time

import framework


class TestHttp(framework.TestCase):
    def setUp(self):
        super().setUp()
        self.node = self.start_node()

    def post(self, request, **options):
        body = request if isinstance(request, (str, bytes)) else json.dumps(request)
        status, headers, answer = self.node.rpc.raw(body, **options)
        return status, json.loads(answer) if answer else None

    def error(self, request):
        status, answer = self.post(request)
        self.assertIsNone(answer["result"])
        return status, answer["error"]["code"], answer["error"]["message"]

    def test_passwords(self):
        ask = json.dumps({"method": "getblockcount"})
        for auth in (False, "__cookie__:wrong", "wrong", ":", "a:b:c"):
            started = time.monotonic()
            status, headers, body = self.node.rpc.raw(ask, auth=auth)
            self.assertEqual((status, body), (401, b""), auth)
            self.assertEqual(headers["WWW-Authenticate"], 'Basic realm="jsonrpc"')
            if auth is not False:
                self.assertGreater(time.monotonic() - started, 0.2)  # guessing is slow
        for header in ("Basic", "Basic !!!!", "Bearer abc", "Basic " + base64.b64encode(b"\0:\0").decode()):
            status, _, _ = self.node.rpc.raw(ask, auth=False, headers={"Authorization": header})
            self.assertEqual(status, 401, header)
        self.assertEqual(self.node.rpc.raw(ask)[0], 200)
        self.assertIn("incorrect password attempt from 127.0.0.1:", self.node.log())

    def test_wrong_passwords_hold_nobody_up(self):
        self.node.stop()
        self.node.start("-rpcthreads=1", "-rpcworkqueue=100")
        body = b'{"method":"getblockcount"}'
        wrong = (b"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nContent-Length: %d\r\n\r\n" %
                 len(body)) + body
        sockets = []
        started = time.monotonic()
        for _ in range(40):  # one after another they would take ten seconds
            s = socket.create_connection(("127.0.0.1", self.node.rpc_port), 60)
            s.sendall(wrong)
            sockets.append(s)
        self.assertEqual(self.node.rpc.raw(body)[0], 200)
        self.assertLess(time.monotonic() - started, 5)
        for s in sockets:
            self.assertIn(b"401", s.recv(4096).split(b"\r\n")[0])
        self.assertLess(time.monotonic() - started, 5)
        for s in sockets:
            s.sendall(wrong)
            s.close()  # gone before it is answered
        self.assertEqual(self.node.height(), 0)

    def test_cookie(self):
        path = os.path.join(self.node.chain_dir, ".cookie")
        with open(path) as f:
            cookie = f.read()
        self.assertRegex(cookie, r"\A__cookie__:[0-9a-f]{64}\Z")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.node.stop()
        self.assertFalse(os.path.exists(path))
        self.node.start()
        with open(path) as f:
            self.assertNotEqual(f.read(), cookie)

    def test_verbs_and_paths(self):
        for method in ("GET", "PUT", "HEAD", "DELETE"):
            status, _, body = self.node.rpc.raw(None, method=method)
            self.assertEqual(status, 405, method)
            if method != "HEAD":
                self.assertEqual(body, b"JSONRPC server handles only POST requests")
        ask = json.dumps({"method": "getblockcount"})
        self.assertEqual(self.node.rpc.raw(ask, path="/nothing")[0], 404)
        self.assertEqual(self.node.rpc.raw(ask, path="/wallet/none")[0], 200)

    def test_malformed(self):
        parse = (500, -32700, "Parse error")
        for body in ("", "{", "[1", "nothing", '{"method":"getblockcount"}x', '{"a":01}', '{"a":"\x01"}', "\x00",
                     '{"method":"echo","params":["\\u0000"]}', b'{"method":"\xff"}', "[" * 600 + "]" * 600):
            self.assertEqual(self.error(body), parse, body)
        self.assertEqual(self.error("3"), (500, -32700, "Top-level object parse error"))
        for request, text in (({"params": []}, "Missing method"), ({"method": 1}, "Method must be a string"),
                              ({"method": "getblockcount", "params": 1}, "Params must be an array or object"),
                              ({"method": "getblockcount", "jsonrpc": 2}, "jsonrpc field must be a string"),
                              ({"method": "getblockcount", "jsonrpc": "3.0"}, "JSON-RPC version not supported")):
            self.assertEqual(self.error(request), (400, -32600, text), request)
        self.assertEqual(self.error({"method": "nothing"}), (404, -32601, "Method not found"))
        self.assertEqual(self.error({"method": "getblockhash", "params": [99]})[:2], (500, -8))
        self.assertEqual(self.node.height(), 0)

    def test_huge(self):
        with socket.create_connection(("127.0.0.1", self.node.rpc_port), 60) as s:
            s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
            self.assertIn(b" 413 ", s.recv(4096).split(b"\r\n")[0] + b" ")
        with socket.create_connection(("127.0.0.1", self.node.rpc_port), 60) as s:
            try:
                s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
                answer = s.recv(4096)
            except ConnectionError:
                answer = b""
            self.assertNotIn(b" 200 ", answer)
        body = json.dumps({"method": "echo", "params": ["x" * (8 << 20)]})
        status, answer = self.post(body)
        self.assertEqual((status, len(answer["result"][0])), (200, 8 << 20))
        try:  # the answer may come while we still send, and the server hangs up
            status = self.node.rpc.raw(b" " * (33 << 20))[0]
        except ConnectionError:
            status = 413
        self.assertEqual(status, 413)
        self.assertEqual(self.node.height(), 0)

    def test_half_a_request(self):
        """Peers that stop half way hold nobody up, and go when their time is over."""
        self.node.stop()
        self.node.start("-rpcservertimeout=1")
        stuck = []
        for part in (b"", b"POST", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"):
            s = socket.create_connection(("127.0.0.1", self.node.rpc_port), 30)
            s.sendall(part)
            stuck.append(s)
        self.assertEqual(self.node.height(), 0)
        for s in stuck[1:]:
            while s.recv(4096):
                pass
        for s in stuck:
            s.close()

    def test_batches(self):
        batch = [{"method": "getblockcount", "id": 1}, {"method": "nothing", "id": "b"}, 7,
                 {"method": "getblockhash", "params": ["x"], "id": None}]
        status, answers = self.post(batch)
        self.assertEqual(status, 200)
        self.assertEqual([a["id"] for a in answers], [1, "b", None, None])
        self.assertEqual([a["error"] and a["error"]["code"] for a in answers], [None, -32601, -32600, -3])
        self.assertEqual(self.post([]), (200, []))

    def test_version_2(self):
        ask = {"jsonrpc": "2.0", "id": 5, "method": "getblockcount"}
        self.assertEqual(self.post(ask), (200, {"jsonrpc": "2.0", "result": 0, "id": 5}))
        status, answer = self.post(dict(ask, method="nothing"))
        self.assertEqual((status, answer), (200, {"jsonrpc": "2.0", "id": 5, "error": {
            "code": -32601, "message": "Method not found"}}))
        quiet = {"jsonrpc": "2.0", "method": "getblockcount"}
        self.assertEqual(self.post(quiet), (204, None))
        self.assertEqual(self.post([quiet, quiet]), (204, None))
        self.assertEqual(self.post([quiet, ask])[1], [{"jsonrpc": "2.0", "result": 0, "id": 5}])

    def test_ids_come_back(self):
        for given in (0, -7, "x", None, "\u00e9\"\\", 1.5):
            self.assertEqual(self.post({"method": "uptime", "id": given})[1]["id"], given)

    def test_named_arguments(self):
        rpc = self.node.rpc
        self.assertEqual(rpc.echo(arg1=1, arg3="x"), [None, 1, None, "x"])
        self.assertEqual(rpc.call("echo", 1, 2, arg2=3), [1, 2, 3])
        tip = rpc.getbestblockhash()
        self.assertEqual(rpc.getblock(blockhash=tip, verbosity=0), rpc.getblock(tip, False))
        self.assertEqual(rpc.getblock(blockhash=tip, verbose=0), rpc.getblock(tip, 0))
        self.assert_rpc_error(-8, "Unknown named parameter foo", rpc.echo, foo=1)
        self.assert_rpc_error(-8, "Parameter arg0 specified twice both as positional and named argument",
                              rpc.call, "echo", 5, arg0=1)
        twice = json.loads(rpc.raw('{"method":"echo","params":{"arg1":1,"arg0":0,"arg1":2}}')[2])
        self.assertEqual(twice["error"], {"code": -8, "message": "Parameter arg1 specified multiple times"})
        self.assert_rpc_error(-1, "getblockhash height", rpc.getblockhash)
        self.assert_rpc_error(-1, "getblockcount", rpc.getblockcount, 1)

    def test_types(self):
        self.assert_rpc_error(-3, 'Wrong type passed:\n{\n    "Position 1 (height)": "JSON value of type string is not '
                              'of expected type number"\n}', self.node.rpc.getblockhash, "a")
        self.assert_rpc_error(-3, '"Position 1 (blockhash)": "JSON value of type null', self.node.rpc.getblock, None)
        for n in (1.5, 1e3, 2 ** 31, -2 ** 63 - 1, 10 ** 30):
            self.assert_rpc_error(-1, "JSON integer out of range", self.node.rpc.getblockhash, n)

    def test_numbers_are_exact(self):
        """Through the server and back, no number changes."""
        numbers = ["0.1", "0.10000000", "1e8", "12345678901234567890", "-0", "-0.00000001", "1E-8", "123456789012345678",
                   "20999999.99999999", "0.30000000000000004"]
        body = '{"method":"echojson","params":[%s]}' % ",".join(numbers)
        status, _, answer = self.node.rpc.raw(body)
        self.assertEqual(status, 200)
        self.assertIn('"result":[%s]' % ",".join(numbers), answer.decode())

    def test_keep_alive(self):
        c = http.client.HTTPConnection("127.0.0.1", self.node.rpc_port, timeout=60)
        h = {"Authorization": "Basic " + base64.b64encode(self.node._cookie().encode()).decode()}
        c.request("POST", "/", '{"method":"uptime"}', h)
        c.getresponse().read()
        first = c.sock
        c.request("POST", "/", '{"method":"uptime"}', h)
        self.assertEqual(c.getresponse().status, 200)
        self.assertIs(c.sock, first)
        c.close()


class TestOptions(framework.TestCase):
    def test_user_and_password(self):
        node = self.add_node("-rpcuser=alice", "-rpcpassword=se:cret")
        node.rpc._auth = lambda: "alice:se:cret"
        node.start()
        self.assertFalse(os.path.exists(os.path.join(node.chain_dir, ".cookie")))
        for auth in ("alice:secret", "bob:se:cret", "alice:", "alice:se:cret2"):
            self.assertEqual(node.rpc.raw("{}", auth=auth)[0], 401)

    def test_rpcauth(self):
        salt, password = "7f3a", "open sesame"
        mac = hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()
        node = self.start_node(f"-rpcauth=bob:{salt}${mac}", f"-rpcauth=carol:00${mac}")
        ask = '{"method":"uptime"}'
        self.assertEqual(node.rpc.raw(ask, auth="bob:open sesame")[0], 200)
        for auth in ("bob:open", "carol:open sesame", "dave:open sesame"):
            self.assertEqual(node.rpc.raw(ask, auth=auth)[0], 401, auth)
        self.assertEqual(node.rpc.raw(ask)[0], 200)  # the cookie still opens
        node.stop()
        node.start("-rpcauth=")  # the last one says that there is none
        self.assertEqual(node.rpc.raw(ask, auth="bob:open sesame")[0], 401)
        other = self.add_node("-rpcauth=nonsense")
        status, text = other.start_fails()
        self.assertEqual((status, text), (1, "Error: Unable to start HTTP server. See debug log for details.\n"))

    def test_work_queue(self):
        node = self.start_node("-rpcthreads=1", "-rpcworkqueue=1")
        results = []

        def ask():
            results.append(node.rpc.raw('{"method":"waitfornewblock","params":[3000]}')[0::2])
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        full = [body for status, body in results if status == 503]
        self.assertTrue(full)
        self.assertEqual(set(full), {b"Work queue depth exceeded"})
        self.assertEqual(len([1 for status, _ in results if status == 200]), 4 - len(full))

    def test_bind_needs_allow(self):
        node = self.start_node("-rpcbind=0.0.0.0")
        self.assertIn("option -rpcbind was ignored", node.log())
        self.assertEqual(node.height(), 0)

    def test_bad_subnet(self):
        for subnet in ("1.2.3.4/33", "1.2.3", "::1/129", "x", "1.2.3.4/", "1.2.3.4/255.0.0.0.0",
                       "[::1", "::1]", "[]", "["):
            status, text = self.add_node("-rpcallowip=" + subnet).start_fails()
            self.assertEqual(status, 1)
            self.assertIn(f"Invalid -rpcallowip subnet specification: {subnet}. Valid are", text)

    def test_allowed_only(self):
        """Bound to a second address of this machine, from which nobody may come."""
        node = self.add_node("-rpcallowip=127.0.0.1")
        node.args.append(f"-rpcbind=127.0.0.1:{node.rpc_port}")
        node.start()
        self.assertEqual(node.height(), 0)
        node.stop()
        node.start("-rpcallowip=[::1]")
        self.assertEqual(node.height(), 0)

    def test_stop_lets_waiting_calls_go(self):
        node = self.start_node()
        answers = []
        t = threading.Thread(target=lambda: answers.append(node.rpc.waitfornewblock()))
        t.start()
        self.wait_until(lambda: any(c["method"] == "waitfornewblock"
                                    for c in node.rpc.getrpcinfo()["active_commands"]))
        node.stop()
        t.join(framework.TIMEOUT_S)
        self.assertEqual(answers[0]["height"], 0)


if __name__ == "__main__":
    framework.main()
