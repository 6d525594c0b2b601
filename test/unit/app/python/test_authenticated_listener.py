"""A gateway that listens on a port of this machine: easyserve_authenticated_listener.py lets only the front through."""

import os
import pathlib
import signal
import socket
import unittest

from front_connection import HELLO, FrontConnection, encode_environ, encode_frame
from gateway_process import GatewayProcess

SECRET = b"0123456789abcdef" * 2
PROOF = b"fedcba9876543210" * 2
THREADS = 2


class SecretTest(unittest.TestCase):
    def setUp(self) -> None:
        self.gateway = GatewayProcess("forks:application", THREADS, place="--tcp")
        self.addCleanup(self.gateway.__exit__)
        self.gateway.control.sendall(
            b'{"command": "secret", "secret": "%s"}\n' % (SECRET + PROOF)
        )
        event = self.gateway.read_event()
        self.assertEqual(event["event"], "ready")
        self.port: int = event["port"]

    def connect_with(self, sent: bytes) -> FrontConnection:
        """Connect, and send that first."""
        front = FrontConnection(("127.0.0.1", self.port))
        self.addCleanup(front.close)
        front.socket.sendall(sent)
        return front

    def expect_closed(self, front: FrontConnection) -> None:
        with self.assertRaises((EOFError, ConnectionError)):
            front.read_frame()

    def expect_served(self, front: FrontConnection) -> None:
        hello = front.read_frame()
        self.assertEqual(hello.kind, HELLO)
        _, proof = hello.head.split(b"\0")
        self.assertEqual(proof, PROOF)
        self.assertEqual(front.ask("/journal").status, "200 OK")

    def test_who_sends_the_secret_is_served_and_gets_the_proof(self) -> None:
        self.expect_served(self.connect_with(SECRET))

    def test_the_first_request_may_come_with_the_secret(self) -> None:
        front = self.connect_with(SECRET + encode_frame(1, encode_environ("/journal")))
        self.assertEqual(front.read_frame().kind, HELLO)
        self.assertEqual(front.read_answer().status, "200 OK")

    def test_the_secret_may_come_byte_by_byte(self) -> None:
        front = self.connect_with(b"")
        front.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in SECRET:
            front.socket.sendall(bytes((byte,)))
        self.expect_served(front)

    def test_a_wrong_secret_closes_the_connection(self) -> None:
        for sent in (b"x" * len(SECRET), SECRET[:-1] + b"x", PROOF, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with self.subTest(sent=sent):
                self.expect_closed(self.connect_with(sent))

    def test_half_a_secret_closes_the_connection(self) -> None:
        front = self.connect_with(SECRET[:-1])
        front.socket.shutdown(socket.SHUT_WR)
        self.expect_closed(front)

    def test_silent_connections_hold_no_thread_and_are_closed(self) -> None:
        silent = [self.connect_with(sent) for sent in [b"", SECRET[:5]] * THREADS]
        served = [self.connect_with(SECRET) for _ in range(THREADS)]
        for front in served:
            self.expect_served(front)
        for front in silent:
            self.expect_closed(front)

    def test_more_silent_connections_than_are_kept(self) -> None:
        silent = [self.connect_with(b"") for _ in range(300)]
        self.expect_served(self.connect_with(SECRET))
        self.expect_closed(silent[0])

    def test_a_child_that_forgets_to_end_takes_no_connection(self) -> None:
        front = self.connect_with(SECRET)
        self.expect_served(front)
        for path in ("/forks_and_returns", "/forks_and_raises", "/computes"):
            front.ask(path, QUERY_STRING="fork")
            self.assertEqual(front.ask("/hello").body, b"hello")
        self.expect_served(self.connect_with(SECRET))

    def test_a_lasting_child_holds_no_connection(self) -> None:
        silent, front = self.connect_with(b""), self.connect_with(SECRET)
        self.expect_served(front)
        front.ask("/starts")
        self.gateway.stdout.wait_for("forked child is there")
        os.kill(self.gateway.child.pid, signal.SIGKILL)
        self.gateway.wait_for_exit()
        for connection in (silent, front):
            self.expect_closed(connection)
        with self.assertRaises(ConnectionRefusedError):
            self.connect_with(SECRET)

    def test_other_users_cannot_read_the_secret_off_the_process(self) -> None:
        facts = pathlib.Path("/proc/%d" % self.gateway.child.pid)
        for name in ("cmdline", "environ"):
            self.assertNotIn(SECRET, (facts / name).read_bytes())


class StopTest(unittest.TestCase):
    def test_a_gateway_that_still_waits_for_its_secret_can_be_stopped(self) -> None:
        with GatewayProcess("forks:application", place="--tcp") as gateway:
            gateway.stack_with("main", "wait_for_secret")
            self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    unittest.main()
