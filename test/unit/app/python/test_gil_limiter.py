"""The GilLimiter, on clocks that the tests set."""
import os
import queue
import sys
import threading
import time
import unittest
from pathlib import Path
from typing import Callable, Dict, List, Optional

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_clocks import Clocks, QueuedClock  # noqa: E402
from easyserve_gil_limiter import (  # noqa: E402
    CHECK_REQUESTS,
    MAX_LIMITING_SECONDS,
    MIN_UNLIMITED_SECONDS,
    OVERTAKEN_SAMPLES,
    SAMPLE_EVERY,
    SAMPLES,
    Turn,
    GilLimiter,
)

# A thread that waits for something that never comes fails its test instead of hanging it.
DEADLINE_SECONDS = 20
SCHEDSTAT = Path('/proc/thread-self/schedstat')


class FakeClocks:
    def __init__(self) -> None:
        self.wall = self.process = self.thread = self.queued = 0.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, lambda: self.process, lambda: self.thread, lambda: self.queued)

    def compute(self, seconds: float) -> None:
        self.wall += seconds
        self.process += seconds
        self.thread += seconds


class RequestThread:
    """A thread that acquires a turn, and releases it when it is told to."""

    def __init__(self, limiter: GilLimiter, admitted: 'queue.Queue[RequestThread]') -> None:
        self.turn: Optional[Turn] = None
        self._goes = threading.Event()
        self._limiter = limiter
        self._admitted = admitted
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._goes.set()
        self._thread.join(DEADLINE_SECONDS)

    def _answer(self) -> None:
        self.turn = self._limiter.acquire()
        self._admitted.put(self)
        self._goes.wait(DEADLINE_SECONDS)
        self._limiter.release(self.turn)


class GilLimiterTest(unittest.TestCase):
    def setUp(self) -> None:
        self.time = FakeClocks()
        self.limiter = GilLimiter(self.time.clocks())
        self.admitted: 'queue.Queue[RequestThread]' = queue.Queue()

    def ask(self, requests: int, wall: float, process: float) -> None:
        """Requests that are all admitted, of so many seconds each."""
        for _ in range(requests):
            self.assertIsNone(self.limiter.acquire())
            self.time.wall += wall
            self.time.process += process

    def limit(self) -> None:
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertTrue(self.limiter.is_limiting)

    def request(self) -> RequestThread:
        return RequestThread(self.limiter, self.admitted)

    def next_admitted(self) -> RequestThread:
        return self.admitted.get(timeout=DEADLINE_SECONDS)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline)

    def waiting(self, count: int) -> List[RequestThread]:
        """So many threads that wait, in this order."""
        requests = []
        for number in range(count):
            requests.append(self.request())
            self.wait_for(lambda: len(self.limiter._waiting) > number)
        self.assertTrue(self.admitted.empty())
        return requests

    def test_admits_all_where_the_gil_is_not_the_limit(self) -> None:
        cases: Dict[str, Dict[str, float]] = {
            'waits for a database': {'wall': 0.01, 'process': 0.004},
            'computes beside the GIL': {'wall': 0.002, 'process': 0.003},
            'is short': {'wall': 0.0001, 'process': 0.0001},
            'is rare': {'wall': 1.0, 'process': 0.9},
        }
        for name, seconds in cases.items():
            with self.subTest(name):
                self.ask(3 * CHECK_REQUESTS, **seconds)
                self.assertFalse(self.limiter.is_limiting)

    def test_limiting_admits_one_after_the_other_in_order(self) -> None:
        self.limit()
        first = self.request()
        self.assertIs(self.next_admitted(), first)
        others = self.waiting(3)
        for before, after in zip([first] + others, others):
            self.time.compute(0.002)
            before.leave()
            self.assertIs(self.next_admitted(), after)
            self.assertTrue(self.admitted.empty())
        others[-1].leave()
        self.assertTrue(self.limiter.is_limiting)

    def test_one_that_takes_long_is_overtaken(self) -> None:
        self.limit()
        slow = self.request()
        self.assertIs(self.next_admitted(), slow)
        second, third = self.waiting(2)
        self.time.compute(0.1)
        self.assertIs(self.next_admitted(), second)
        slow.leave()  # its turn has been passed on already
        self.assertTrue(self.admitted.empty())
        second.leave()
        self.assertIs(self.next_admitted(), third)
        third.leave()

    def test_admits_all_when_the_admitted_threads_wait(self) -> None:
        self.limit()
        requests = [self.request()]
        self.assertIs(self.next_admitted(), requests[0])
        requests += self.waiting(SAMPLES // OVERTAKEN_SAMPLES + 2)
        for _ in range(SAMPLES // OVERTAKEN_SAMPLES):
            self.time.wall += 0.1
            self.next_admitted()
        self.assertFalse(self.limiter.is_limiting)
        for _ in range(2):
            self.next_admitted()
        for request in requests:
            request.leave()

    def test_admits_all_when_turns_are_short_but_idle(self) -> None:
        self.limit()
        for _ in range(SAMPLES * SAMPLE_EVERY):
            turn = self.limiter.acquire()
            self.time.compute(0.001)
            self.time.wall += 0.001
            self.limiter.release(turn)
        self.assertFalse(self.limiter.is_limiting)

    def test_waiting_for_the_processor_is_not_idle(self) -> None:
        self.limit()
        for _ in range(2 * SAMPLES * SAMPLE_EVERY):
            turn = self.limiter.acquire()
            self.time.compute(0.001)
            self.time.wall += 0.003
            self.time.queued += 0.003
            self.limiter.release(turn)
        self.assertTrue(self.limiter.is_limiting)

    def test_admits_all_for_a_while_after_it_was_wrong(self) -> None:
        self.test_admits_all_when_turns_are_short_but_idle()
        opened = self.time.wall
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertFalse(self.limiter.is_limiting)
        self.time.wall = opened + MIN_UNLIMITED_SECONDS
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)  # the pause is in these
        self.limit()

    def test_a_thread_that_fails_while_it_acquires_keeps_no_other_out(self) -> None:
        self.limit()
        first = self.request()
        self.assertIs(self.next_admitted(), first)
        failure = KeyboardInterrupt('from another thread')

        def process() -> float:
            raise failure

        self.limiter._clocks = self.limiter._clocks._replace(process=process)
        failed = threading.Event()

        def fail() -> None:
            try:
                self.limiter.acquire()
            except KeyboardInterrupt:
                failed.set()

        threading.Thread(target=fail, daemon=True).start()
        self.wait_for(lambda: len(self.limiter._waiting) > 0)
        self.assertFalse(failed.is_set())
        first.leave()
        self.assertTrue(failed.wait(DEADLINE_SECONDS))
        self.limiter._clocks = self.time.clocks()
        last = self.request()
        self.assertIs(self.next_admitted(), last)
        last.leave()

    def test_looks_now_and_then_whether_more_than_one_could_compute(self) -> None:
        self.limit()
        turn = self.limiter.acquire()
        self.time.compute(MAX_LIMITING_SECONDS + 1)
        self.limiter.release(turn)
        self.assertFalse(self.limiter.is_limiting)
        self.ask(3 * CHECK_REQUESTS, wall=0.002, process=0.003)
        self.assertFalse(self.limiter.is_limiting)
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertTrue(self.limiter.is_limiting)

    @unittest.skipUnless(SCHEDSTAT.exists(), 'the kernel does not count that')
    def test_the_kernel_tells_how_long_this_thread_was_queued(self) -> None:
        def read() -> float:
            return int(SCHEDSTAT.read_text().split()[1]) / 1e9

        before = read()
        told = QueuedClock().read_seconds()
        self.assertTrue(before <= told <= read(), told)
        self.assertGreater(read(), 0.0)

    def test_a_descriptor_that_the_application_closed_is_given_up(self) -> None:
        clock = QueuedClock()
        if clock.descriptor >= 0:
            os.close(clock.descriptor)
        self.assertEqual([clock.read_seconds(), clock.descriptor], [0.0, -1])

    def test_each_thread_reads_a_descriptor_of_its_own(self) -> None:
        def read() -> None:
            descriptors.append(clock.descriptor)

        clock = QueuedClock()
        descriptors: List[int] = [clock.descriptor]
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(DEADLINE_SECONDS)
        self.assertEqual(len(descriptors), 2)
        if SCHEDSTAT.exists():
            self.assertNotEqual(*descriptors)


if __name__ == '__main__':
    unittest.main()
