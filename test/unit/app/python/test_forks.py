"""Children of the application: they speak neither to the front nor to easyserve, and end by SIGTERM."""

import os
import signal
import unittest

from gateway_process import GatewayProcess, GatewayTestCase


class ForkTest(GatewayTestCase):
    application = "forks:application"

    def check(self, path: str, body: str, query: str = "") -> None:
        with self.subTest(path):
            self.assertEqual(self.front.ask(path, QUERY_STRING=query).body.decode(), body)
            self.assertEqual(self.front.ask("/hello").body, b"hello")

    def test_multiprocessing(self) -> None:
        self.check("/computes", "49 0", "fork")
        self.check("/computes", "49 0", "spawn")
        self.check("/pools", "1 2 3")

    def test_child_ends_by_sigterm(self) -> None:
        self.check("/terminates", str(-signal.SIGTERM))
        self.check("/dies_by_sigterm", str(int(signal.SIGTERM)))
        self.check("/runs", "True\n")

    def test_signal_for_a_child_is_not_told_as_our_own(self) -> None:
        self.check("/dies_by_sigterm", str(int(signal.SIGTERM)))
        self.gateway.command("stacks")
        self.assertEqual(self.gateway.read_event()["event"], "stacks")

    def test_child_that_forgets_to_end_answers_nothing(self) -> None:
        self.check("/forks_and_returns", "parent 0")
        self.check("/forks_and_streams", "parent 0")
        self.check("/forks_and_raises", "parent 0")
        self.check("/forks_and_exits", "parent 0")
        self.check("/forks_twice", "parent 0")


class LastingChildTest(unittest.TestCase):
    def start(self, behaviour: str = "") -> GatewayProcess:
        gateway = GatewayProcess("forks:application", env={"BEHAVIOUR": behaviour})
        self.addCleanup(gateway.__exit__)
        return gateway.wait_until_ready()

    def test_child_holds_neither_connections_nor_control(self) -> None:
        gateway = self.start()
        with gateway.connect() as front:
            front.ask("/starts")
            gateway.stdout.wait_for("forked child is there")
            os.kill(gateway.child.pid, signal.SIGKILL)
            self.assertRaises((EOFError, ConnectionError), front.read_frame)
            self.assertRaises(EOFError, gateway.read_event)
        # Linux closes a killed process's descriptors in no promised order; all are closed once it has been waited for.
        gateway.wait_for_exit()
        self.assertRaises(ConnectionRefusedError, gateway.connect)

    def test_child_of_an_import_does_not_hold_control(self) -> None:
        gateway = self.start("fork at import")
        gateway.stdout.wait_for("forked at import")
        os.kill(gateway.child.pid, signal.SIGKILL)
        self.assertRaises(EOFError, gateway.read_event)

    def test_child_ends_when_easyserve_is_gone(self) -> None:
        for behaviour in ("", "fork at import"):
            with self.subTest(behaviour):
                gateway = self.start(behaviour)
                with gateway.connect() as front:
                    front.ask("/starts")
                    gateway.stdout.wait_for("forked child is there")
                    gateway.control.close()
                    gateway.stdout.wait_for_end()

    def test_stop_and_sigterm_for_the_group_end_all(self) -> None:
        gateway = self.start("fork at import")
        with gateway.connect() as front:
            front.ask("/starts")
            gateway.stdout.wait_for("forked child is there")
            gateway.command("stop")
            os.killpg(gateway.child.pid, signal.SIGTERM)
            self.assertEqual(gateway.wait_for_exit(), 0)
            gateway.stdout.wait_for_end()


if __name__ == "__main__":
    unittest.main()
