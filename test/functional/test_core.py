"""What suites written for Bitcoin Core ask of the daemon on bitcoin-regtest: small facts, each told by them."""
import os
import socket
import time

import framework


class Core(framework.TestCase):
    chain = "bitcoin-regtest"


class TestFolder(Core):
    def test_what_lies_in_it(self):
        """Folders are blocks, chainstate, indexes and an empty wallets; all else are files."""
        node = self.start_node("-disablewallet")
        self.assertEqual(os.listdir(os.path.join(node.chain_dir, "wallets")), [])
        node.stop()
        folders = [e for e in os.listdir(node.chain_dir) if os.path.isdir(os.path.join(node.chain_dir, e))]
        self.assertEqual(sorted(folders), ["blocks", "chainstate", "wallets"])


class TestControl(Core):
    def test_uptime_follows_the_mock_clock(self):
        rpc = self.start_node().rpc
        rpc.setmocktime(int(time.time()) + 1000)
        self.assertIn(rpc.uptime(), range(999, 1002 + int(framework.TIMEOUT_S)))
        rpc.setmocktime(0)
        self.assertLess(rpc.uptime(), 999)

    def test_internal_bug(self):
        rpc = self.start_node().rpc
        self.assert_rpc_error(-1, 'Internal bug detected: request.params[9].get_str() != "trigger_internal_bug"',
                              rpc.echo, arg9="trigger_internal_bug")
        self.assertEqual(rpc.echo(arg9="x"), [None] * 9 + ["x"])


class TestConnecting(Core):
    def test_v2transport_is_an_argument(self):
        rpc = self.start_node().rpc
        asked = "Error: v2transport requested but not enabled (see -v2transport)"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            address = "127.0.0.1:%d" % s.getsockname()[1]
            rpc.addnode(node=address, command="onetry", v2transport=False)
            self.assertEqual(rpc.addconnection(address, "block-relay-only", False),
                             {"address": address, "connection_type": "block-relay-only"})
            self.assert_rpc_error(-8, asked, rpc.addnode, address, "onetry", True)
            self.assert_rpc_error(-8, asked, rpc.addconnection, address, "feeler", True)


if __name__ == "__main__":
    framework.main()
