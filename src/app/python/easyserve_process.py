"""What the programs that run an application have in common.

easyserve starts gateway.py, serve_cheroot.py and serve_asgi.py with the
project's own interpreter; all of this needs the standard library only, Python
3.8 and later.

    join_easyserve ── Control.obey: "stacks", "stop", end of file
                   ── TerminationSignals: SIGTERM becomes an event
    listen, then Control.announce_ready
"""

import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback
from types import FrameType
from typing import (
    Any,
    Callable,
    Dict,
    NamedTuple,
    NoReturn,
    Optional,
    TextIO,
    Union,
)

from easyserve_application import format_failure, put_project_first
from easyserve_control import Control
from easyserve_own_ports import share_own_ports

SignalHandler = Union[Callable[[int, Optional[FrameType]], Any], int, None]

EXIT_START_FAILED = 3
EXIT_SERVER_ENDED = 1
EXIT_DEADLINE_SECONDS = 3.0
ACCEPT_RETRY_SECONDS = 0.5


class TerminationSignals:
    """SIGTERM, SIGINT and SIGQUIT don't end the process: easyserve does.

    So that no request is lost, easyserve puts a successor into service when
    it hears of the signal, and only then says "stop". The application's own
    handler of SIGTERM is called when the process really ends. Children that
    the application forks have the signals as if there were no easyserve.
    """

    NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

    def __init__(self, control: Control) -> None:
        self._control = control
        self._kept: Dict[int, SignalHandler] = {}
        self._forking = threading.local()

    def catch(self) -> None:
        """Take the signals over, also from the application's handlers."""
        for number in self.NUMBERS:
            previous = signal.signal(number, self._tell)
            if previous != self._tell:
                self._kept[number] = previous

    def leave_to_children(self) -> None:
        """Undo catch() in forked children, from their first instruction on."""
        os.register_at_fork(
            before=self._block,
            after_in_parent=self._unblock,
            after_in_child=self._restore,
        )

    def end(self) -> None:
        """Call the application's handler, and ignore the signals."""
        for number in self.NUMBERS:
            signal.signal(number, signal.SIG_IGN)
        handler = self._kept.get(signal.SIGTERM)
        if callable(handler):
            handler(signal.SIGTERM, sys._getframe())

    # Private

    def _tell(self, number: int, frame: Optional[FrameType]) -> None:
        if not self._control.is_told_to_stop.is_set():
            self._control.tell_from_handler("terminated")

    def _block(self) -> None:
        # In the child, a signal before _restore would call _tell.
        self._forking.mask = signal.pthread_sigmask(
            signal.SIG_BLOCK, self.NUMBERS
        )

    def _unblock(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _restore(self) -> None:
        for number, handler in self._kept.items():
            if signal.getsignal(number) == self._tell:
                signal.signal(number, handler)
        self._unblock()


def outlive_stray_signals() -> None:
    """Let SIGUSR1, SIGUSR2 and SIGHUP not end the process, as by default.

    They are sent to every process of a service, to have logs opened anew or
    the site reloaded. A handler of the application's takes the place of this one. Not SIG_IGN,
    which programs that the application starts would inherit.
    """
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, frame: None)


class SupervisorChannel(NamedTuple):
    """What joins this process to easyserve."""

    control: Control
    signals: TerminationSignals
    # The application's log, whatever it does to sys.stderr.
    errors: TextIO


def join_easyserve(
    control_fd: int, stacks: Callable[[], Dict[str, str]]
) -> SupervisorChannel:
    """Obey easyserve from here on; the first thing that a program does.

    Makes the process look like one of the project's own, too.
    """
    outlive_stray_signals()
    share_own_ports()
    put_project_first()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # A copy of its own: the application may close or replace sys.stderr.
    errors = open(
        os.dup(2), "w", buffering=1, encoding="utf-8",
        errors="backslashreplace",
    )
    faulthandler.enable(errors, all_threads=False)
    control = Control(control_fd, stacks)
    signals = TerminationSignals(control)
    signals.catch()
    signals.leave_to_children()
    os.register_at_fork(after_in_child=control.close)
    threading.Thread(target=control.obey, daemon=True).start()
    return SupervisorChannel(control, signals, errors)


def exit_unloaded(
    channel: SupervisorChannel,
    error: BaseException,
    trace: Optional[str] = None,
) -> NoReturn:
    """Tell why the application cannot be served, and end."""
    trace = trace or format_failure(error)
    with contextlib.suppress(OSError):
        channel.errors.write(trace)
    channel.control.tell("failed", error=trace, kind=type(error).__name__)
    set_exit_deadline(EXIT_START_FAILED)
    sys.exit(EXIT_START_FAILED)


def listen(path: str) -> socket.socket:
    """Listen on a Unix socket that only this user can reach.

    With a full queue Linux refuses a connection (EAGAIN), and the front would
    be a thread short; this queue is longer than a front fills.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)  # before listen(): nobody can have connected yet
    listener.listen(socket.SOMAXCONN)
    return listener


def pause_after_failed_accept(
    error: OSError, report: Callable[[str], object]
) -> None:
    """Report it and wait: as a rule, no descriptor is left for it now."""
    report("cannot accept a connection: %s\n" % error)
    time.sleep(ACCEPT_RETRY_SECONDS)


def freeze_loaded_objects() -> None:
    """Take what is loaded out of garbage collection: it stays anyway."""
    gc.collect()
    gc.freeze()


def thread_stacks(
    name_of: Callable[[threading.Thread], Optional[str]]
) -> Dict[str, str]:
    """Return the stacks of `main` and of the threads that `name_of` names."""
    frames = sys._current_frames()
    stacks = {}
    for thread in threading.enumerate():
        is_main = thread is threading.main_thread()
        name = "main" if is_main else name_of(thread)
        frame = frames.get(thread.ident or 0)
        if name is not None and frame is not None:
            stacks[name] = "".join(traceback.format_stack(frame))
    return stacks


def set_exit_deadline(
    code: int, seconds: float = EXIT_DEADLINE_SECONDS
) -> None:
    """Exit then in any case: threads and atexit functions may never end."""
    deadline = threading.Timer(seconds, os._exit, (code,))
    deadline.daemon = True
    deadline.start()
