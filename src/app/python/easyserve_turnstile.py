"""One thread at a time in the application, where the GIL allows no more.

Used by gateway.py.  Of many threads that compute, one runs, and the others
take the GIL from it each time that it lets go, at every step of SQLite for
example: each time the kernel changes threads, and all requests end late
instead of one after the other.  The turnstile lets the next thread in when
the one before has its answer.

It is open, and costs next to nothing, until the process looks as if the GIL
were its limit.  Closed, it watches whether those inside compute.  Whoever
stays longer than a moment, waiting for a database perhaps, is overtaken; and
where they mostly wait it opens again, and stays so for a while.

    open ── busy ──> closed ── those inside wait ──> open, for longer and longer
"""

import collections
import os
import sys
import threading
import time
from typing import Callable, Deque, NamedTuple, Optional

# So long one thread keeps the others out: as long as the GIL's own interval.
TURN_SECONDS = 0.005
# Open, it looks at the use of the processor after so many requests; less of
# one core is no lack of it, and more is work that lets go of the GIL.
CHECK_REQUESTS = 64
MIN_BUSY = 0.5
MAX_BUSY = 1.15
# Longer ago, and the requests were too few to say anything.
CHECK_SECONDS = 5.0
# Below that a request computes for less than passing it on in order costs.
MIN_REQUEST_SECONDS = 0.0005
# Closed, every so manieth turn is measured, and so many of them are judged.
SAMPLE_EVERY = 8
SAMPLES = 16
MAX_IDLE = 0.25
# One that was overtaken says as much as several: it took longer.
OVERTAKEN_SAMPLES = 4
# Closed, it can't see that more than one could compute, beside the GIL: now
# and then it is open for one look at the use of the processor.
MAX_CLOSED_SECONDS = 10.0
# Only the first that waits may overtake; those behind it look less often.
MAX_PATIENCE = 4
# After it was opened again it stays open for twice as long each time.
MIN_OPEN_SECONDS = 1.0
MAX_OPEN_SECONDS = 64.0


class _Schedule(threading.local):
    """The descriptor of this thread's schedstat; -1 where there is none."""

    def __init__(self) -> None:
        try:
            path = "/proc/thread-self/schedstat"
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.descriptor = -1


_schedule = _Schedule()


def read_queued_seconds() -> float:
    """Return how long this thread was ready to run, but did not.

    Linux, Documentation/scheduler/sched-stats.rst: nanoseconds on the
    processor, nanoseconds in the queue, number of timeslices.  0 elsewhere.
    """
    if _schedule.descriptor < 0:
        return 0.0
    try:
        return int(os.pread(_schedule.descriptor, 64, 0).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        _schedule.descriptor = -1  # the application has closed it
        return 0.0


class Clocks(NamedTuple):
    """Seconds: that pass, that the process computed, and the thread."""

    wall: Callable[[], float] = time.perf_counter
    process: Callable[[], float] = time.process_time
    thread: Callable[[], float] = time.thread_time
    queued: Callable[[], float] = read_queued_seconds


class Turn:
    """The time of one thread inside; given by the thread before it.

    Times are those of the thread that has it, from begin() on.
    """

    __slots__ = ("gate", "is_given", "started", "busy", "computed", "queued",
                 "is_sample")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.is_given = False
        self.started = 0.0
        self.busy = 0.0
        self.is_sample = False
        self.computed = 0.0
        self.queued = 0.0

    def begin(self, clocks: Clocks, is_sample: bool) -> None:
        """Note the clocks; the thread is about to call the application."""
        self.is_sample = is_sample
        if is_sample:
            self.queued = clocks.queued()
            self.computed = clocks.thread()
        self.busy = clocks.process()
        self.started = clocks.wall()


class Turnstile:
    """Says when a thread may call the application.

    A thread calls enter(), and leave() with what that returned.
    """

    def __init__(self, clocks: Clocks = Clocks()) -> None:
        self._clocks = clocks
        self._lock = threading.Lock()
        self._is_closed = False
        self._inside: Optional[Turn] = None
        self._waiting: Deque[Turn] = collections.deque()
        self._requests = 0
        self._checked_at = self._clocks.wall()
        self._checked_busy = self._clocks.process()
        self._closes_at = 0.0
        self._open_seconds = MIN_OPEN_SECONDS
        self._closed_at = 0.0
        self._turns = 0
        self._samples = 0
        self._held = 0.0
        self._idle = 0.0
        # Another thread may have had the lock when the application forked.
        os.register_at_fork(after_in_child=self._renew_lock)

    @property
    def is_closed(self) -> bool:
        """Return whether threads go in one by one."""
        return self._is_closed

    def enter(self) -> Optional[Turn]:
        """Wait for a turn; None while it is open."""
        if not self._is_closed:
            # Two threads may count as one: it is a rough measure.
            self._requests += 1
            if self._requests >= CHECK_REQUESTS:
                self._check()
            return None
        turn = Turn()
        try:
            return turn if self._wait(turn) else None
        except BaseException:  # raised in this thread by another one
            self._give_up(turn)
            raise

    def leave(self, turn: Optional[Turn]) -> None:
        """Let the next thread in."""
        if turn is None:
            return
        with self._lock:
            if self._inside is not turn:
                return  # it was overtaken, or the turnstile was opened
            self._pass_on()
            if turn.is_sample:
                self._measure(turn)
            if self._clocks.wall() - self._closed_at > MAX_CLOSED_SECONDS:
                self._look_again()

    # Private

    def _wait(self, turn: Turn) -> bool:
        """Return whether it has a turn, or needs none."""
        with self._lock:
            if not self._is_closed:
                return False
            self._turns += 1
            is_sample = self._turns % SAMPLE_EVERY == 0
            if self._inside is None:
                self._inside = turn
                turn.is_given = True
            else:
                turn.gate.acquire()
                self._waiting.append(turn)
            seconds = TURN_SECONDS * min(len(self._waiting), MAX_PATIENCE)
        while not turn.is_given:
            if not turn.gate.acquire(timeout=seconds):
                self._overtake(turn)
        turn.begin(self._clocks, is_sample)
        return True

    def _give_up(self, turn: Turn) -> None:
        with self._lock:
            if self._inside is turn:
                self._pass_on()
            elif turn in self._waiting:
                self._waiting.remove(turn)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def _check(self) -> None:
        now = self._clocks.wall()
        busy = self._clocks.process()
        with self._lock:
            seconds = now - self._checked_at
            used = busy - self._checked_busy
            self._requests = 0
            self._checked_at = now
            self._checked_busy = busy
            if self._is_closed or now < self._closes_at:
                return
            if seconds > CHECK_SECONDS or seconds <= 0:
                return
            if used < MIN_REQUEST_SECONDS * CHECK_REQUESTS:
                return
            if MIN_BUSY <= used / seconds <= MAX_BUSY:
                self._close(now)

    def _overtake(self, turn: Turn) -> None:
        """Let the first that waits in beside one that takes long."""
        with self._lock:
            if turn.is_given or self._waiting[0] is not turn:
                return
            before = self._inside
            if before is not None:
                seconds = self._clocks.wall() - before.started
                if before.started == 0.0 or seconds < TURN_SECONDS:
                    return
                used = self._clocks.process() - before.busy
                self._judge(seconds, seconds - used, OVERTAKEN_SAMPLES)
            if not turn.is_given:
                self._pass_on()

    # With the lock

    def _close(self, now: float) -> None:
        self._is_closed = True
        self._closed_at = now
        self._samples = 0
        self._held = self._idle = 0.0

    def _open(self) -> None:
        now = self._clocks.wall()
        self._closes_at = now + self._open_seconds
        self._open_seconds = min(2 * self._open_seconds, MAX_OPEN_SECONDS)
        self._let_all_in()

    def _look_again(self) -> None:
        self._open_seconds = MIN_OPEN_SECONDS
        self._closes_at = 0.0
        self._requests = 0
        self._checked_at = self._clocks.wall()
        self._checked_busy = self._clocks.process()
        self._let_all_in()

    def _let_all_in(self) -> None:
        self._is_closed = False
        self._inside = None
        while self._waiting:
            self._admit(self._waiting.popleft())

    def _admit(self, turn: Turn) -> None:
        turn.is_given = True
        turn.gate.release()

    def _pass_on(self) -> None:
        if self._waiting:
            self._inside = self._waiting.popleft()
            self._admit(self._inside)
        else:
            self._inside = None

    def _measure(self, turn: Turn) -> None:
        seconds = self._clocks.wall() - turn.started
        computed = self._clocks.thread() - turn.computed
        queued = self._clocks.queued() - turn.queued
        self._judge(seconds, seconds - computed - queued, 1)

    def _judge(self, seconds: float, idle: float, samples: int) -> None:
        """Open where those inside wait for something else than the GIL."""
        self._held += seconds
        self._idle += max(0.0, idle)
        self._samples += samples
        if self._samples < SAMPLES:
            return
        if self._idle > MAX_IDLE * self._held:
            self._open()
        self._samples = 0
        self._held = self._idle = 0.0


def has_gil() -> bool:
    """Return whether threads take turns; Python 3.13 and later may not."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return is_enabled is None or is_enabled()
