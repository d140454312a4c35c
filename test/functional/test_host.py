"""cloudcoin-host and cloudcoin-gateway as real programs, on a private chain."""
import decimal
import os
import re
import select
import socket
import subprocess
import threading

import framework
from framework import program


class HostCase(framework.TestCase):
    """A node that mines into its wallet "money", with a host and a renter of their own."""

    def setUp(self):
        super().setUp()
        self.node = self.add_node()
        self.host_port = framework.free_port()
        self.node.start()
        for name in ("money", "host", "renter"):
            self.node.rpc.createwallet(name)
        self.money = self.node.rpc.wallet("money")
        self.renter = self.node.rpc.wallet("renter")
        self.host = self.node.rpc.wallet("host")
        self.address = self.money.getnewaddress()
        self.node.generate(110, self.address)

    def fund(self, wallet, coins, times=1):
        for _ in range(times):
            self.money.sendtoaddress(wallet.getnewaddress(), coins)
        self.mine(1)

    def start_host(self, *args):
        """Restart the node with the host as its extension."""
        self.node.stop()
        command = " ".join(["cloudcoin-host", f"-datadir={self.host_dir}", f"-listen=127.0.0.1:{self.host_port}",
                            "-wallet=host", *args])
        self.node.start("-wallet=money", "-wallet=host", "-wallet=renter", "-extension=" + command)
        self.wait_until(self.info, what="the host answers")

    @property
    def host_dir(self):
        return os.path.join(self.node.folder, "host")

    def info(self):
        return self.node.rpc.hostinfo()

    def mine(self, blocks):
        """Blocks one by one, each seen by the host before the next."""
        for _ in range(blocks):
            self.node.generate(1, self.address)
            if "hostinfo" in self.node.rpc.help():
                self.settle()

    def settle(self):
        """Wait until the host has looked at the tip and nothing of its is about to be sent."""
        height = self.node.height()
        self.wait_until(lambda: self.info()["height"] == height, what="the host sees the tip")
        self.node.rpc.hostseal()  # waits for the round that is under way

    def events(self, kind):
        return [e for e in self.node.rpc.hostevents() if e["event"] == kind]

    def registered(self):
        self.settle()
        for _ in range(3):
            self.mine(1)
        self.wait_until(lambda: self.info()["registered"], what="registered")

    def start_both(self, *args):
        """A host that is registered, and a renter; both with money."""
        self.fund(self.host, 5, 2)
        self.fund(self.renter, 5, 3)
        self.start_host(*args)
        self.registered()

    def gateway(self, *args, status=0):
        command = [program("cloudcoin-gateway"), "-datadir=" + self.node.datadir, "-regtest",
                   f"-rpcport={self.node.rpc_port}", "-rpcwallet=renter", "-k=1", "-n=1", *args]
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=framework.TIMEOUT_S)
        self.assertEqual(r.returncode, status, r.stdout.decode(errors="replace"))
        return r.stdout.decode(errors="replace")

    def put(self, name, data, *args):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        stop = self.mine_meanwhile()
        try:
            return self.gateway(*args, "put", path, name)
        finally:
            stop()

    def mine_meanwhile(self):
        """put waits for its contract to be mined."""
        over = threading.Event()

        def run():
            while not over.wait(0.3):
                self.node.generate(1, self.address)
        thread = threading.Thread(target=run)
        thread.start()

        def stop():
            over.set()
            thread.join()
        return stop

    def get(self, name):
        path = os.path.join(self.folder, name + ".back")
        self.gateway("get", name, path)
        with open(path, "rb") as f:
            return f.read()


class TestContract(HostCase):
    def test_a_contract_lives(self):
        """Formed, filled, challenged, proved, paid, ended: without a hand."""
        self.start_both("-name=one")
        listed = self.node.rpc.listidentities("host")
        self.assertEqual([i["name"] for i in listed], ["one"])
        self.assertEqual(listed[0]["endpoints"], [f"127.0.0.1:{self.host_port}"])
        data = os.urandom(5_000_000)
        self.put("file", data, "-periods=3", "-odds=1")
        self.assertEqual(self.get("file"), data)
        self.mine(3)
        contract, = self.node.rpc.listcontracts()
        self.assertEqual(contract["periods"], 3)
        self.assertGreater(contract["sectors"], 0)  # the root came to the chain by itself
        last = contract["start"] + 3 * contract["period"]
        while self.node.height() < last + 4:
            self.mine(1)
        self.assertEqual(len(self.events("proof")), 3)
        rent = sum(decimal.Decimal(str(e["amount"])) for e in self.events("rent"))
        self.assertEqual(rent, 3 * contract["rent"])
        self.assertEqual(len(self.events("end")), 1)
        self.assertEqual(self.node.rpc.listcontracts(), [])
        # Its sectors go when the end is deep.
        self.assertGreater(self.info()["used"], 0)
        self.mine(8)
        self.wait_until(lambda: self.info()["used"] == 0, what="sectors released")

    def test_kill(self):
        """kill -9 of node and host, again and again: what was stored is there, and proofs go on."""
        self.start_both()
        data = os.urandom(300_000)
        self.put("file", data, "-periods=3", "-odds=1")
        self.mine(1)
        contract, = self.node.rpc.listcontracts()
        for _ in range(4):
            self.mine(4)
            self.node.kill()
            self.start_host()
            self.assertEqual(self.get("file"), data)
        while self.node.height() < contract["start"] + 2 * contract["period"] + 3:
            self.mine(1)
        self.assertEqual(self.node.rpc.getcontract(contract["id"])["done"], 2)

    def test_fork(self):
        """Blocks with contract, root and proof go away: the host follows, and proves on the branch that stays."""
        self.start_both()
        data = os.urandom(300_000)
        self.put("file", data, "-periods=3", "-odds=1")
        self.mine(2)
        contract, = self.node.rpc.listcontracts()
        due = contract["start"] + contract["period"]
        while self.node.height() < due + 2:
            self.mine(1)
        self.assertEqual(self.node.rpc.getcontract(contract["id"])["done"], 1)
        # The called block itself goes: another hash, so other samples are asked for.
        self.node.rpc.invalidateblock(self.node.rpc.getblockhash(due))
        self.assertEqual(self.node.rpc.getcontract(contract["id"])["done"], 0)
        self.node.generate(1)  # to nobody: another block than before
        self.settle()
        while self.node.height() < due + 4:
            self.mine(1)
        self.assertEqual(self.node.rpc.getcontract(contract["id"])["done"], 1)
        self.assertEqual(self.get("file"), data)
        self.assertEqual(self.info()["contracts"], 1)


class TestSeal(HostCase):
    def test_seal(self):
        """A seal is formed, made, drawn, and mints coins."""
        self.fund(self.host, 5, 2)
        self.start_host("-sealsectors=1", "-sealthreads=2", "-sealwait=1")
        self.registered()
        self.mine(3)
        seal, = self.node.rpc.listseals()
        self.assertEqual(seal["sectors"], 1)
        while self.node.height() <= seal["seal_height"]:
            self.mine(1)
        self.wait_until(lambda: self.node.rpc.hostseal()["state"] == "sealed", 300, "sealed")
        before = self.host.getbalances()["mine"]
        for _ in range(60):
            self.mine(1)
            if self.events("mint"):
                break
        self.assertEqual(len(self.events("seal")), 1)
        mint = self.events("mint")[0]
        self.assertGreater(mint["amount"], 0)
        after = self.host.getbalances()["mine"]
        self.assertGreater(after["immature"], before["immature"])
        self.assertGreater(self.node.rpc.getseal(seal["id"])["mark_height"], 0)


class TestStrangers(HostCase):
    def test_raw_sockets(self):
        """Silence, garbage and a crowd of connections: dropped, and customers are served all the same."""
        self.start_both("-maxsessions=16")
        data = os.urandom(1000)
        self.put("file", data, "-periods=3")
        crowd = []
        for n in range(12):
            s = socket.create_connection(("127.0.0.1", self.host_port), 10)
            s.settimeout(framework.TIMEOUT_S)
            crowd.append(s)
        # One address gets a quarter of all sessions and one more; the others are hung up on.
        closed = [s for s in crowd if select.select([s], [], [], 1)[0]]
        self.assertEqual(len(crowd) - len(closed), 5)
        for s in closed:
            self.assertEqual(s.recv(1), b"")
        for s in crowd:
            s.close()
        self.wait_until(lambda: self.info()["sessions"] == 0, what="all hung up")
        for junk in (b"\0" * 50, os.urandom(50), b"GET / HTTP/1.0\r\n\r\n" * 10, os.urandom(70_000)):
            with socket.create_connection(("127.0.0.1", self.host_port), 10) as s:
                s.settimeout(framework.TIMEOUT_S)
                try:
                    s.sendall(junk)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(4096):
                        pass
                except OSError:
                    pass  # hung up already, perhaps before we were done
        self.assertEqual(self.get("file"), data)


class TestSetup(HostCase):
    def test_no_money(self):
        """A host that cannot pay its bond says what it lacks, and goes on when it has it."""
        self.start_host()
        self.mine(1)
        self.wait_until(lambda: self.info()["waits_for"], what="it says what it waits for")
        self.assertIn("nsufficient funds", self.info()["waits_for"])
        self.assertFalse(self.info()["registered"])
        self.fund(self.host, 5)
        self.registered()
        self.assertEqual(self.info()["waits_for"], "")

    def test_settings(self):
        self.start_host("-readprice=7", "-collateral=500")
        s = self.node.rpc.hostsettings()
        self.assertEqual((s["price_read"], s["collateral_permille"]), (7, 500))
        self.assertEqual(self.node.rpc.hostsettings({"price_read": 9})["price_read"], 9)
        self.assert_rpc_error(-8, "odds_max must be within", self.node.rpc.hostsettings, {"odds_max": 65})
        self.assert_rpc_error(-8, "no setting foo", self.node.rpc.hostsettings, {"foo": 1})
        self.assertIn("hostseal", self.node.rpc.help())

    def test_help(self):
        """What -help calls the default of a price or term is what the host asks for."""
        texts = set()
        for word in ("-help", "-h", "-?"):
            r = subprocess.run([program("cloudcoin-host"), word], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
            texts.add(re.sub(r"\s+", " ", r.stdout.decode()))
        self.assertEqual(len(texts), 1)
        told = dict(re.findall(r" -(\w+)=<[^ ]*> [^()]*\(default: (?:\d+; regtest )?(\d+)\)", texts.pop()))
        self.start_host()
        asked = self.node.rpc.hostsettings()
        for option, setting in (("storageprice", "price_storage"), ("writeprice", "price_write"), ("readprice", "price_read"),
                                ("requestprice", "price_request"), ("collateral", "collateral_permille"),
                                ("minperiod", "period_min"), ("maxperiod", "period_max"), ("maxperiods", "periods_max"),
                                ("maxcapacity", "capacity_max"), ("samples", "samples"), ("maxodds", "odds_max"),
                                ("minallowance", "allowance_min")):
            self.assertEqual(int(told[option]), asked[setting], option)

    def test_refuses(self):
        """Wrong options, by hand: one clear sentence, exit status 1."""
        for args, text in ((["-storage=lots"], None), (["-nothing=1"], "nothing")):
            r = subprocess.run([program("cloudcoin-host"), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=framework.TIMEOUT_S)
            if text:
                self.assertEqual(r.returncode, 1)
                self.assertIn(text, r.stderr.decode())
        self.node.stop()
        for option, text in (("-storage=lots", "-storage=lots is no size"), ("-samples=17", "-samples=17"),
                             ("-listen=0.0.0.0:1", "-announce"), ("-listen=nowhere", "no host:port")):
            status, err = self.node.start_fails("-wallet=money", "-extension=cloudcoin-host -datadir=" + self.host_dir +
                                                " " + option)
            self.assertEqual(status, 1, err)
            self.assertIn(text, err)
        self.node.stderr_expected = True

    def test_bitcoins_chain(self):
        """There it has no business: the node says so and leaves nothing of it."""
        other = self.add_node(chain="bitcoin-regtest")
        other.stderr_expected = True
        status, err = other.start_fails("-extension=cloudcoin-host -listen=127.0.0.1:0")
        self.assertEqual(status, 1, err)
        self.assertIn("there is no storage on this chain", err)
        self.assertNotIn("host", os.listdir(other.chain_dir))

    def test_two_hosts_one_folder(self):
        self.start_host()
        self.mine(1)
        other = self.add_node()
        other.stderr_expected = True
        status, err = other.start_fails(f"-extension=cloudcoin-host -datadir={self.host_dir} -listen=127.0.0.1:0")
        self.assertEqual(status, 1, err)
        self.assertIn("volume", err)


if __name__ == "__main__":
    framework.main()
