"""The turnstile before the application, on clocks that the tests turn."""
import os
import queue
import sys
import threading
import time
import unittest
from pathlib import Path
from typing import Callable, Dict, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'src' / 'app' / 'python'))

from easyserve_turnstile import (  # noqa: E402
    CHECK_REQUESTS,
    MAX_CLOSED_SECONDS,
    MIN_OPEN_SECONDS,
    OVERTAKEN_SAMPLES,
    SAMPLE_EVERY,
    SAMPLES,
    Clocks,
    Turn,
    Turnstile,
    _schedule,
    read_queued_seconds,
)

# A thread that waits for something that never comes fails its test instead of hanging it.
PATIENCE_SECONDS = 20
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


class Visitor:
    """A thread that goes in when it may, and out when it is told to."""

    def __init__(self, turnstile: Turnstile, entered: 'queue.Queue[Visitor]') -> None:
        self.turn: Optional[Turn] = None
        self._goes = threading.Event()
        self._turnstile = turnstile
        self._entered = entered
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._goes.set()
        self._thread.join(PATIENCE_SECONDS)

    def _visit(self) -> None:
        self.turn = self._turnstile.enter()
        self._entered.put(self)
        self._goes.wait(PATIENCE_SECONDS)
        self._turnstile.leave(self.turn)


class TurnstileTest(unittest.TestCase):
    def setUp(self) -> None:
        self.time = FakeClocks()
        self.turnstile = Turnstile(self.time.clocks())
        self.entered: 'queue.Queue[Visitor]' = queue.Queue()

    def ask(self, requests: int, wall: float, process: float) -> None:
        """Requests that find it open, of so many seconds each."""
        for _ in range(requests):
            self.assertIsNone(self.turnstile.enter())
            self.time.wall += wall
            self.time.process += process

    def close(self) -> None:
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertTrue(self.turnstile.is_closed)

    def visitor(self) -> Visitor:
        return Visitor(self.turnstile, self.entered)

    def next_inside(self) -> Visitor:
        return self.entered.get(timeout=PATIENCE_SECONDS)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline)

    def waiting(self, count: int) -> List[Visitor]:
        """So many threads that wait, in this order."""
        visitors = []
        for number in range(count):
            visitors.append(self.visitor())
            self.wait_for(lambda: len(self.turnstile._waiting) > number)
        self.assertTrue(self.entered.empty())
        return visitors

    def test_stays_open_where_the_gil_is_not_the_limit(self) -> None:
        cases: Dict[str, Dict[str, float]] = {
            'waits for a database': {'wall': 0.01, 'process': 0.004},
            'computes beside the GIL': {'wall': 0.002, 'process': 0.003},
            'is short': {'wall': 0.0001, 'process': 0.0001},
            'is rare': {'wall': 1.0, 'process': 0.9},
        }
        for name, seconds in cases.items():
            with self.subTest(name):
                self.ask(3 * CHECK_REQUESTS, **seconds)
                self.assertFalse(self.turnstile.is_closed)

    def test_closed_lets_one_in_after_the_other_in_order(self) -> None:
        self.close()
        first = self.visitor()
        self.assertIs(self.next_inside(), first)
        others = self.waiting(3)
        for before, after in zip([first] + others, others):
            self.time.compute(0.002)
            before.leave()
            self.assertIs(self.next_inside(), after)
            self.assertTrue(self.entered.empty())
        others[-1].leave()
        self.assertTrue(self.turnstile.is_closed)

    def test_one_that_takes_long_is_overtaken(self) -> None:
        self.close()
        slow = self.visitor()
        self.assertIs(self.next_inside(), slow)
        second, third = self.waiting(2)
        self.time.compute(0.1)
        self.assertIs(self.next_inside(), second)
        slow.leave()  # it has no turn to give any more
        self.assertTrue(self.entered.empty())
        second.leave()
        self.assertIs(self.next_inside(), third)
        third.leave()

    def test_opens_when_those_inside_wait(self) -> None:
        self.close()
        visitors = [self.visitor()]
        self.assertIs(self.next_inside(), visitors[0])
        visitors += self.waiting(SAMPLES // OVERTAKEN_SAMPLES + 2)
        for _ in range(SAMPLES // OVERTAKEN_SAMPLES):
            self.time.wall += 0.1
            self.next_inside()
        self.assertFalse(self.turnstile.is_closed)
        for _ in range(2):
            self.next_inside()
        for visitor in visitors:
            visitor.leave()

    def test_opens_when_turns_are_short_but_idle(self) -> None:
        self.close()
        for _ in range(SAMPLES * SAMPLE_EVERY):
            turn = self.turnstile.enter()
            self.time.compute(0.001)
            self.time.wall += 0.001
            self.turnstile.leave(turn)
        self.assertFalse(self.turnstile.is_closed)

    def test_waiting_for_the_processor_is_not_idle(self) -> None:
        self.close()
        for _ in range(2 * SAMPLES * SAMPLE_EVERY):
            turn = self.turnstile.enter()
            self.time.compute(0.001)
            self.time.wall += 0.003
            self.time.queued += 0.003
            self.turnstile.leave(turn)
        self.assertTrue(self.turnstile.is_closed)

    def test_stays_open_for_a_while_after_it_was_wrong(self) -> None:
        self.test_opens_when_turns_are_short_but_idle()
        opened = self.time.wall
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertFalse(self.turnstile.is_closed)
        self.time.wall = opened + MIN_OPEN_SECONDS
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)  # the pause is in these
        self.close()

    def test_one_that_fails_on_its_way_in_keeps_nobody_out(self) -> None:
        self.close()
        first = self.visitor()
        self.assertIs(self.next_inside(), first)
        failure = KeyboardInterrupt('from another thread')

        def process() -> float:
            raise failure

        self.turnstile._clocks = self.turnstile._clocks._replace(process=process)
        failed = threading.Event()

        def fail() -> None:
            try:
                self.turnstile.enter()
            except KeyboardInterrupt:
                failed.set()

        threading.Thread(target=fail, daemon=True).start()
        self.wait_for(lambda: len(self.turnstile._waiting) > 0)
        self.assertFalse(failed.is_set())
        first.leave()
        self.assertTrue(failed.wait(PATIENCE_SECONDS))
        self.turnstile._clocks = self.time.clocks()
        last = self.visitor()
        self.assertIs(self.next_inside(), last)
        last.leave()

    def test_looks_now_and_then_whether_more_than_one_could_compute(self) -> None:
        self.close()
        turn = self.turnstile.enter()
        self.time.compute(MAX_CLOSED_SECONDS + 1)
        self.turnstile.leave(turn)
        self.assertFalse(self.turnstile.is_closed)
        self.ask(3 * CHECK_REQUESTS, wall=0.002, process=0.003)
        self.assertFalse(self.turnstile.is_closed)
        self.ask(CHECK_REQUESTS, wall=0.002, process=0.0019)
        self.assertTrue(self.turnstile.is_closed)

    @unittest.skipUnless(SCHEDSTAT.exists(), 'the kernel does not count that')
    def test_the_kernel_tells_how_long_this_thread_was_queued(self) -> None:
        def read() -> float:
            return int(SCHEDSTAT.read_text().split()[1]) / 1e9

        before = read()
        told = read_queued_seconds()
        self.assertTrue(before <= told <= read(), told)
        self.assertGreater(read(), 0.0)

    def test_a_descriptor_that_the_application_closed_is_given_up(self) -> None:
        def close_and_read() -> None:
            read_queued_seconds()
            if _schedule.descriptor >= 0:
                os.close(_schedule.descriptor)
            told.extend([read_queued_seconds(), _schedule.descriptor])

        told: List[float] = []
        # The descriptor is of the thread, and this one needs its own.
        thread = threading.Thread(target=close_and_read, daemon=True)
        thread.start()
        thread.join(PATIENCE_SECONDS)
        self.assertEqual(told, [0.0, -1])


if __name__ == '__main__':
    unittest.main()
