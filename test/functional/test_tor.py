"""Onion services of ours, made over Tor's control port: -listenonion, -torcontrol, -torpassword."""
import hmac
import os
import queue
import socket
import threading

import framework
from test_reach import ONION, Reach


class Tor:
    """A control port that makes one onion service, for whom it lets in by one method."""

    def __init__(self, folder, methods="NULL", password="", socks='"127.0.0.1:9150"', lies=False):
        self.methods, self.password, self.socks, self.lies = methods, password, socks, lies
        self.cookie, self.nonce = os.urandom(32), os.urandom(32)
        self.cookie_file = os.path.join(folder, 'a "cookie')
        with open(self.cookie_file, "wb") as f:
            f.write(self.cookie)
        self.lines = queue.Queue()
        self.connection = None
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.connection, _ = self.sock.accept()
            except OSError:
                return
            self.proof = None
            try:
                with self.connection.makefile("r", newline="\r\n") as lines:
                    for line in lines:
                        self.lines.put(line.rstrip())
                        self.connection.sendall(self.answer(line.split()).replace("\n", "\r\n").encode())
            except (OSError, ValueError):
                pass
            self.connection.close()

    def answer(self, words):
        digest = lambda label, client: hmac.new(b"Tor safe cookie authentication " + label, self.cookie + client + self.nonce,
                                                "sha256").hexdigest()
        if words[0] == "PROTOCOLINFO":
            name = self.cookie_file.replace("\\", "\\\\").replace('"', '\\"')
            return f'250-PROTOCOLINFO 1\n250-AUTH METHODS={self.methods} COOKIEFILE="{name}"\n250-VERSION Tor="0.4"\n250 OK\n'
        if words[0] == "AUTHCHALLENGE":
            client = bytes.fromhex(words[2])
            self.proof = digest(b"controller-to-server hash", client)
            said = "00" * 32 if self.lies else digest(b"server-to-controller hash", client)
            return f"250 AUTHCHALLENGE SERVERHASH={said.upper()} SERVERNONCE={self.nonce.hex()}\n"
        if words[0] == "AUTHENTICATE":
            good = {"NULL": [], "HASHEDPASSWORD": ['"' + self.password.replace('"', '\\"') + '"'],
                    "COOKIE,SAFECOOKIE": [self.proof]}[self.methods]
            return "250 OK\n" if words[1:] == good else "515 Authentication failed\n"
        if words[0] == "GETINFO":
            return f"250-net/listeners/socks={self.socks}\n250 OK\n" if self.socks else "552 no such thing\n"
        key = "" if words[1] != "NEW:ED25519-V3" else "250-PrivateKey=ED25519-V3:c2VjcmV0\n"
        return f"250-ServiceID={ONION[:56]}\n{key}250 OK\n"

    def next(self):
        return self.lines.get(timeout=framework.TIMEOUT_S)

    def drop(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass  # there is none, or no more

    def close(self):
        self.sock.close()
        self.drop()


class TestTor(Reach):
    """-listenonion: an onion service made over Tor's control port."""

    def start(self, tor, *options):
        return self.start_node("-connect=0", "-listenonion", "-torcontrol=" + tor.address, "-debug=net",
                               f"-bind=127.0.0.1:{framework.free_port()}=onion", *options)

    def local(self, node):
        return [(a["address"], a["port"], a["score"]) for a in node.rpc.getnetworkinfo()["localaddresses"]]

    def test_service(self):
        tor = Tor(self.folder)
        node = self.start(tor)
        target = [a for a in node.log().split() if a.endswith('=onion"')][0].split('"')[1][:-6]
        self.assertEqual([tor.next() for _ in range(4)], ["PROTOCOLINFO 1", "AUTHENTICATE", "GETINFO net/listeners/socks",
                                                          f"ADD_ONION NEW:ED25519-V3 Port=18444,{target}"])
        self.wait_until(lambda: self.local(node) == [(ONION, 18444, 4)], what="our address is known")
        self.assertEqual([self.networks(node)["onion"][k] for k in ("proxy", "reachable")], ["127.0.0.1:9150", True])
        path = os.path.join(node.chain_dir, "onion_v3_private_key")
        with open(path) as f:
            self.assertEqual(f.read(), "ED25519-V3:c2VjcmV0")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        # When Tor ends so does the service; it is made again, with the same key.
        tor.drop()
        self.wait_until(lambda: self.local(node) == [], what="our address is no more")
        self.assertEqual([tor.next() for _ in range(4)][3], f"ADD_ONION ED25519-V3:c2VjcmV0 Port=18444,{target}")
        self.wait_until(lambda: self.local(node) == [(ONION, 18444, 4)], what="it is there again")
        node.stop()
        with open(path, "w") as f:  # what would be a command of its own is no key
            f.write("x\r\nSIGNAL SHUTDOWN")
        node.start()
        self.assertEqual([tor.next() for _ in range(4)][3].split()[1], "NEW:ED25519-V3")

    def test_ways_in(self):
        for how, options, said in (
                (dict(methods="HASHEDPASSWORD", password='a"b'), ['-torpassword=a"b'], None),
                (dict(methods="COOKIE,SAFECOOKIE"), [], None),
                (dict(methods="HASHEDPASSWORD", password="right"), ["-torpassword=wrong"], "515 Authentication failed"),
                (dict(methods="HASHEDPASSWORD"), [], "no -torpassword is given"),
                (dict(methods="NULL"), ["-torpassword=a"], "takes no password"),
                (dict(methods="COOKIE"), [], "no way to authenticate"),
                (dict(methods="COOKIE,SAFECOOKIE", lies=True), [], "does not know Tor's cookie")):
            tor = Tor(self.folder, **how)
            node = self.start(tor, "-onion=127.0.0.1:1", *options)
            if said:
                self.assert_log(node, said, "trying again in 1 seconds")
                self.assertEqual(self.local(node), [])
            else:
                self.wait_until(lambda: self.local(node) == [(ONION, 18444, 4)], what="our address is known")
                self.assertNotIn("GETINFO", "".join(tor.lines.queue))  # -onion says where the proxy is
                self.assertEqual(self.networks(node)["onion"]["proxy"], "127.0.0.1:1")
            node.stop()
            tor.close()

    def test_nets(self):
        """Where Tor's proxy is, is what Tor says; -onlynet still counts."""
        for socks, proxy in (('"unix:/run/tor/socks" "10.0.0.1:9050" "127.0.0.1:9060"', "127.0.0.1:9060"),
                             ('"10.0.0.1:9050" "10.0.0.2:9050"', "10.0.0.1:9050"), ("", "127.0.0.1:9050"),
                             ('"unix:/run/tor/socks"', "127.0.0.1:9050")):
            tor = Tor(self.folder, socks=socks)
            node = self.start(tor, "-onlynet=onion")
            self.wait_until(lambda: self.networks(node)["onion"]["reachable"], what="Tor is there")
            self.assertEqual(self.networks(node)["onion"]["proxy"], proxy)
            node.stop()
            tor.close()
        tor = Tor(self.folder)
        node = self.start(tor, "-onlynet=ipv4")
        self.wait_until(lambda: self.local(node), what="our address is known")
        self.assertEqual(self.networks(node)["onion"]["reachable"], False)
        self.assertEqual(self.add_node("-listen=0", "-listenonion").start_fails()[1].split(":")[0], "Error")

    def test_not_there_or_odd(self):
        """No Tor, and one that talks nonsense, are tried again without an end."""
        node = self.start(Tor(self.folder), "-torcontrol=127.0.0.1:1", "-onlynet=onion")
        self.assert_log(node, "tor: Not connected to Tor control port 127.0.0.1:1 (", "trying again in 1 seconds")
        for nonsense, said in (("x" * 5000, "a line of Tor's is too long"), ("hello\n", "answer is malformed"),
                               ("250+data\n", "answer is malformed"), ("510 no\n", "Tor refuses: 510 no"),
                               ("250 OK\n", "no way to authenticate")):
            tor = Tor(self.folder)
            tor.answer = lambda words: nonsense
            node = self.start(tor)
            self.assert_log(node, said)
            node.stop()
            tor.close()
        tor = Tor(self.folder)
        usual = tor.answer
        tor.answer = lambda words: "250-ServiceID=abc\n250 OK\n" if words[0] == "ADD_ONION" else usual(words)
        node = self.start(tor)
        self.assert_log(node, "Tor does not tell of the service it made")


del Reach  # its tests run in their own module

if __name__ == "__main__":
    framework.main()
