"""Threads and their connections: in parallel, with a slow front, a client that leaves, a slow close()."""

import json
import socket
import threading
import unittest
from typing import List

from front_connection import (
    ABORT, BODY, DEADLINE_SECONDS, END, FAILED, IDLE, PIECE, REQUEST, START, STAYS_BUSY, WHOLE,
    FrontConnection, encode_environ, encode_frame,
)
from gateway_process import GatewayProcess, GatewayTestCase

BLOCK = b"".join(b"%07d\n" % number for number in range(8192))


class ThreadsTest(GatewayTestCase):
    application = "connections:application"
    threads = 8

    def test_each_thread_says_its_number(self) -> None:
        fronts = [self.front] + [self.connect() for _ in range(self.threads - 1)]
        self.assertEqual(sorted(front.thread for front in fronts), list(range(self.threads)))

    def test_in_parallel(self) -> None:
        fronts = [self.connect() for _ in range(self.threads - 1)]
        wrong: List[str] = []
        senders = [threading.Thread(target=self.ask_often, args=(front, wrong)) for front in fronts]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(DEADLINE_SECONDS)
        self.assertEqual(wrong, [])

    def ask_often(self, front: FrontConnection, wrong: List[str]) -> None:
        for number in range(100):
            name = "%d-%d" % (front.thread, number)
            body = name.encode() * (number * 50)
            if front.ask("/echo", "POST", body, QUERY_STRING=name).body != name.encode() + body:
                wrong.append(name)

    def test_requests_run_at_the_same_time(self) -> None:
        other = self.connect()
        self.front.send_request("/meets")
        self.assertEqual(other.ask("/meets").end, WHOLE)
        self.assertEqual(self.front.read_answer().end, WHOLE)

    def test_more_connections_than_threads_wait(self) -> None:
        fronts = [self.front] + [self.connect() for _ in range(self.threads - 1)]
        with FrontConnection(self.gateway.socket_path) as waiting:
            fronts.pop().close()
            self.assertEqual(waiting.wait_for_hello().ask("/hello").body, b"hello")


class LargeAnswerTest(GatewayTestCase):
    application = "connections:application"

    def test_ten_megabytes(self) -> None:
        for path, end in (("/large", WHOLE), ("/large_stream", END), ("/large_measured_stream", END)):
            with self.subTest(path):
                answer = self.front.ask(path)
                self.assertEqual(answer.end, end)
                self.assertTrue(answer.body == BLOCK * 160)

    def test_front_that_does_not_read_holds_the_application_back(self) -> None:
        observer = self.connect()
        self.front.send_request("/endless")
        self.gateway.stack_with(str(self.front.thread), "sendall")
        made = len(self.journal(observer))
        self.assertLess(made * len(BLOCK), 8 * 1024 * 1024)
        self.assertEqual(self.front.read_frame().kind, START)
        for _ in range(made + 20):
            frame = self.front.read_frame()
            self.assertEqual((frame.kind, frame.body == BLOCK), (PIECE, True))


class LeavingClientTest(GatewayTestCase):
    application = "connections:application"

    def test_in_mid_stream(self) -> None:
        observer = self.connect()
        for path, last in (("/endless", "close"), ("/endless_write", "ended")):
            with self.subTest(path):
                observer.ask("/journal/clear")
                with self.gateway.connect() if path != "/endless" else self.front as front:
                    front.send_request(path)
                    self.assertEqual(front.read_frame().kind, START)
                # The thread serves again once all is closed.
                with self.gateway.connect() as next_one:
                    self.assertEqual(next_one.ask("/hello").body, b"hello")
                self.assertEqual(self.journal(observer)[-1], last)
                self.assertEqual(self.journal(observer).count(last), 1)
        self.assertNotIn("failed", self.gateway.stderr.text)

    def test_before_the_answer(self) -> None:
        observer = self.connect()
        self.front.send_request("/hanging_close")
        self.front.close()
        observer.ask("/open_gate")
        self.assertEqual(self.connect().ask("/hello").body, b"hello")

    def test_in_the_middle_of_a_request(self) -> None:
        frame = encode_frame(REQUEST, encode_environ("/echo"), b"body")
        for length in (1, 20, len(frame) - 1):
            with self.subTest(length):
                self.front.socket.sendall(frame[:length])
                self.front.close()
                self.front = self.gateway.connect()
        self.front.close()

    def test_at_once(self) -> None:
        for _ in range(100):
            hasty = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            hasty.connect(self.gateway.socket_path)
            hasty.close()
        self.assertEqual(self.connect().ask("/hello").body, b"hello")

    def test_what_is_no_frame(self) -> None:
        # Never sent by the front; a thread must survive it nevertheless.
        with self.front as front:
            front.send(BODY, body=b"of no request")
            front.send(REQUEST, b"no environ")
            self.assertEqual(front.read_answer().kinds[-1:], [FAILED])
            front.send(99, b"no kind")
            self.assertEqual(front.read_answer().kinds[-1:], [FAILED])
        self.assertEqual(self.connect().ask("/hello").body, b"hello")


class SlowCloseTest(GatewayTestCase):
    application = "connections:application"
    threads = 4

    @classmethod
    def setUpClass(cls) -> None:
        pass

    def setUp(self) -> None:
        # What a thread has learnt about its application stays with it: a process for each test.
        self.gateway = GatewayProcess(self.application, self.threads).wait_until_ready()
        self.addCleanup(self.gateway.__exit__)
        self.front = self.connect()

    @classmethod
    def tearDownClass(cls) -> None:
        pass

    def is_careful(self, path: str = "/hello", query: str = "") -> bool:
        """Return whether the thread says when it is free."""
        answer = self.front.ask(path, QUERY_STRING=query)
        if answer.flags != STAYS_BUSY:
            return False
        self.assertEqual(self.front.read_frame().kind, IDLE)
        return True

    def test_fast_application(self) -> None:
        # Not each time, for a busy machine may make any of them slow.
        careful = [self.is_careful() for _ in range(200)]
        self.assertFalse(careful[0])
        self.assertGreater(careful.count(False), 50)

    def test_after_a_slow_close_the_thread_says_when_it_is_free(self) -> None:
        self.assertFalse(self.is_careful("/slow_close", "0.05"))
        self.assertTrue(self.is_careful())

    def test_it_ends_being_careful(self) -> None:
        self.is_careful("/slow_close", "0.03")
        self.assertTrue(self.is_careful())
        # After one request for each millisecond; a busy machine may have made it more than 30.
        self.assertIn(False, (self.is_careful() for _ in range(3000)))

    def test_a_little_slow_now_and_then_does_not_count(self) -> None:
        # In one of the threads at least: on a busy machine 2 ms may become 20.
        results = []
        for front in [self.front] + [self.connect() for _ in range(self.threads - 1)]:
            self.front = front
            self.is_careful("/slow_close", "0.002")
            results.append(self.is_careful())
        self.assertIn(False, results)

    def test_often_a_little_slow_does(self) -> None:
        for _ in range(20):
            self.is_careful("/slow_close", "0.002")
        self.assertTrue(self.is_careful())

    def test_slow_rest_of_an_iteration(self) -> None:
        self.assertFalse(self.is_careful("/slow_rest"))
        self.assertTrue(self.is_careful())

    def test_idle_comes_after_close(self) -> None:
        self.is_careful("/slow_close", "0.05")
        answer = self.front.ask("/slow_close", QUERY_STRING="0.05")
        self.assertEqual(answer.flags, STAYS_BUSY)
        self.assertEqual(self.front.read_frame().kind, IDLE)
        self.assertEqual(self.journal_after_idle(), ["close", "close"])

    def journal_after_idle(self) -> List[str]:
        entries: List[str] = json.loads(self.front.ask("/journal").body)
        self.assertEqual(self.front.read_frame().kind, IDLE)
        return entries

    def test_failures_free_the_thread_without_more_words(self) -> None:
        self.is_careful("/slow_close", "0.05")
        answer = self.front.ask("/unknown")
        self.assertNotEqual(answer.end, ABORT)
        self.assertTrue(self.is_careful())

    def test_careful_on_the_next_connection_too(self) -> None:
        thread = self.front.thread
        self.is_careful("/slow_close", "0.05")
        self.front.close()
        fronts = [self.connect() for _ in range(self.threads)]
        self.front, = [front for front in fronts if front.thread == thread]
        self.assertTrue(self.is_careful())


class ResourcesTest(GatewayTestCase):
    application = "connections:application"

    def test_nothing_of_a_request_is_kept_by_an_idle_thread(self) -> None:
        observer = self.connect()
        self.assertEqual(self.front.ask("/keeps").body, b"hello")
        self.assertEqual(self.journal_of(observer, 1), ["freed"])

    def test_want_of_descriptors_ends_no_thread(self) -> None:
        # What is open stays so: no descriptor is left for the next connection of the other thread.
        other = self.connect()
        self.front.ask("/limit_descriptors", QUERY_STRING="3")
        other.close()
        self.gateway.stderr.wait_for("cannot accept a connection: [Errno 24] Too many open files")
        self.front.ask("/limit_descriptors")
        self.assertEqual(self.connect().ask("/hello").body, b"hello")


if __name__ == "__main__":
    unittest.main()
