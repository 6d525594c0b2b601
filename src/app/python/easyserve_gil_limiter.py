"""Lets one thread at a time into the application, where the GIL is the limit.

Of many threads that compute, one runs, and the others take the GIL from it
each time that it releases it, at every step of SQLite for example.  Each time
the kernel changes threads, and all requests end late instead of one after the
other.  The limiter admits the next thread when the one before has its answer.

It admits all, and costs next to nothing, until the process looks as if the
GIL were its limit.  While it limits, it watches whether the admitted threads
compute.  A thread that takes longer than TURN_SECONDS, waiting for a database
perhaps, is overtaken; where most of the time is spent waiting, the limiter
admits all again, and for a while.

    admits all ── the process computes on about one core ──> limits
    limits ── the admitted threads wait ──> admits all, longer each time
    limits ── MAX_LIMITING_SECONDS ──> admits all, until the next check
"""

import collections
import os
import sys
import threading
from typing import Callable, Deque, Optional

from easyserve_clocks import Clocks, system_clocks

# How long a thread keeps the others out: as long as the GIL's own interval.
TURN_SECONDS = 0.005
# While it admits all, it looks at the use of the processor after so many
# requests. Below MIN_BUSY of one core the GIL is not short; above MAX_BUSY
# there is work that releases it.
CHECK_REQUESTS = 64
MIN_BUSY = 0.5
MAX_BUSY = 1.15
# In a longer period the requests were too few to say anything.
CHECK_SECONDS = 5.0
# Below that a request computes for less than admitting it in order costs.
MIN_REQUEST_SECONDS = 0.0005
# While it limits, one of SAMPLE_EVERY turns is measured, and SAMPLES of them
# are judged together.
SAMPLE_EVERY = 8
SAMPLES = 16
MAX_IDLE = 0.25
# A turn that was overtaken counts as several samples: it took longer.
OVERTAKEN_SAMPLES = 4
# While it limits, it can't see whether more than one thread could compute
# beside the GIL: now and then it admits all for one check.
MAX_LIMITING_SECONDS = 10.0
# Only the first waiting thread may overtake: those behind it check less
# often, by their place in the queue up to this one.
MAX_POLL_FACTOR = 4
# How long it admits all after limiting was wrong: twice as long each time.
MIN_UNLIMITED_SECONDS = 1.0
MAX_UNLIMITED_SECONDS = 64.0


class Turn:
    """The time for which one thread is admitted.

    `started`, `busy`, `computed` and `queued` are what the clocks said when
    it began: wall, process, thread and queued; 0 before.
    """

    __slots__ = ("gate", "is_given", "started", "busy", "computed", "queued",
                 "is_sample")

    def __init__(self) -> None:
        # Held while the thread waits; whoever gives the turn releases it.
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


class GilLimiter:
    """Says when a thread may call the application.

    A thread calls acquire(), and release() with what that returned.
    """

    def __init__(self, clocks: Optional[Clocks] = None) -> None:
        self._clocks = clocks or system_clocks()
        self._lock = threading.Lock()
        self._is_limiting = False
        self._admitted: Optional[Turn] = None
        self._waiting: Deque[Turn] = collections.deque()
        self._requests = 0
        self._checked_at = self._clocks.wall()
        self._checked_busy = self._clocks.process()
        self._limits_from = 0.0
        self._unlimited_seconds = MIN_UNLIMITED_SECONDS
        self._limited_at = 0.0
        self._turns = 0
        self._samples = 0
        self._held = 0.0
        self._idle = 0.0
        # Another thread may have had the lock when the application forked.
        os.register_at_fork(after_in_child=self._renew_lock)

    @property
    def is_limiting(self) -> bool:
        """Return whether threads are admitted one by one."""
        return self._is_limiting

    def acquire(self) -> Optional[Turn]:
        """Wait for a turn; None while all are admitted."""
        if not self._is_limiting:
            # Two threads may count as one: a rough measure is enough.
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

    def release(self, turn: Optional[Turn]) -> None:
        """Admit the next thread."""
        if turn is None:
            return
        with self._lock:
            if self._admitted is not turn:
                return  # it was overtaken, or all were admitted
            self._admit_next()
            if turn.is_sample:
                self._measure(turn)
            limited_seconds = self._clocks.wall() - self._limited_at
            if limited_seconds > MAX_LIMITING_SECONDS:
                self._check_again()

    # Private

    def _wait(self, turn: Turn) -> bool:
        """Return whether it has a turn; False when it needs none."""
        with self._lock:
            if not self._is_limiting:
                return False
            self._turns += 1
            is_sample = self._turns % SAMPLE_EVERY == 0
            if self._admitted is None:
                self._admitted = turn
                turn.is_given = True
            else:
                turn.gate.acquire()
                self._waiting.append(turn)
            poll_factor = min(len(self._waiting), MAX_POLL_FACTOR)
        while not turn.is_given:
            if not turn.gate.acquire(timeout=TURN_SECONDS * poll_factor):
                self._overtake(turn)
        turn.begin(self._clocks, is_sample)
        return True

    def _give_up(self, turn: Turn) -> None:
        with self._lock:
            if self._admitted is turn:
                self._admit_next()
            elif turn in self._waiting:
                self._waiting.remove(turn)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def _check(self) -> None:
        """Limit from now on, if the process computes on about one core."""
        now = self._clocks.wall()
        busy = self._clocks.process()
        with self._lock:
            seconds = now - self._checked_at
            used = busy - self._checked_busy
            self._requests = 0
            self._checked_at = now
            self._checked_busy = busy
            if self._is_limiting or now < self._limits_from:
                return
            if seconds > CHECK_SECONDS or seconds <= 0:
                return
            if used < MIN_REQUEST_SECONDS * CHECK_REQUESTS:
                return
            if MIN_BUSY <= used / seconds <= MAX_BUSY:
                self._limit(now)

    def _overtake(self, turn: Turn) -> None:
        """Admit the first waiting thread beside one that takes long."""
        with self._lock:
            if turn.is_given or self._waiting[0] is not turn:
                return
            before = self._admitted
            if before is not None:
                seconds = self._clocks.wall() - before.started
                if before.started == 0.0 or seconds < TURN_SECONDS:
                    return
                used = self._clocks.process() - before.busy
                self._judge(seconds, seconds - used, OVERTAKEN_SAMPLES)
            if not turn.is_given:
                self._admit_next()

    # The caller of these has the lock.

    def _limit(self, now: float) -> None:
        self._is_limiting = True
        self._limited_at = now
        self._samples = 0
        self._held = self._idle = 0.0

    def _stop_limiting(self) -> None:
        self._limits_from = self._clocks.wall() + self._unlimited_seconds
        self._unlimited_seconds = min(
            2 * self._unlimited_seconds, MAX_UNLIMITED_SECONDS
        )
        self._admit_all()

    def _check_again(self) -> None:
        self._unlimited_seconds = MIN_UNLIMITED_SECONDS
        self._limits_from = 0.0
        self._requests = 0
        self._checked_at = self._clocks.wall()
        self._checked_busy = self._clocks.process()
        self._admit_all()

    def _admit_all(self) -> None:
        self._is_limiting = False
        while self._waiting:
            self._admit_next()
        self._admitted = None

    def _admit_next(self) -> None:
        self._admitted = self._waiting.popleft() if self._waiting else None
        if self._admitted is not None:
            self._admitted.is_given = True
            self._admitted.gate.release()

    def _measure(self, turn: Turn) -> None:
        seconds = self._clocks.wall() - turn.started
        computed = self._clocks.thread() - turn.computed
        queued = self._clocks.queued() - turn.queued
        self._judge(seconds, seconds - computed - queued, 1)

    def _judge(self, seconds: float, idle: float, samples: int) -> None:
        """Stop limiting where the admitted threads wait, but not for the GIL.

        `idle`: how long a thread neither computed nor waited for a core.
        """
        self._held += seconds
        self._idle += max(0.0, idle)
        self._samples += samples
        if self._samples < SAMPLES:
            return
        if self._idle > MAX_IDLE * self._held:
            self._stop_limiting()
        self._samples = 0
        self._held = self._idle = 0.0


def is_gil_enabled() -> bool:
    """Return whether only one thread runs Python code at a time (PEP 703).

    An imported extension may have switched the GIL on again.
    """
    tell: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return tell()
