"""The clocks by which the GilLimiter tells computing from waiting."""

import os
import threading
import time
from typing import Callable, NamedTuple


class QueuedClock(threading.local):
    """How long each thread was ready to run, but did not.

    Linux, Documentation/scheduler/sched-stats.rst: nanoseconds on the
    processor, nanoseconds in the queue, number of timeslices.  0 elsewhere.
    """

    def __init__(self) -> None:
        """Open this thread's file; called once in each thread."""
        try:
            path = "/proc/thread-self/schedstat"
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.descriptor = -1

    def read_seconds(self) -> float:
        """Return the figure of the calling thread; never raises."""
        if self.descriptor < 0:
            return 0.0
        try:
            return int(os.pread(self.descriptor, 64, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            self.descriptor = -1  # the application has closed it
            return 0.0


class Clocks(NamedTuple):
    """Functions that return seconds."""

    # Real time.
    wall: Callable[[], float]
    # Computed, by the process and by the calling thread.
    process: Callable[[], float]
    thread: Callable[[], float]
    # In which the calling thread was ready to run, but did not.
    queued: Callable[[], float]


def system_clocks() -> Clocks:
    """Return the clocks of this machine."""
    return Clocks(
        wall=time.perf_counter,
        process=time.process_time,
        thread=time.thread_time,
        queued=QueuedClock().read_seconds,
    )
