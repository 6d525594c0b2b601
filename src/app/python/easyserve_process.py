"""What the programs that run an application have in common.

Imported by gateway.py, serve_cheroot.py and serve_asgi.py, which easyserve
starts with the project's own interpreter; needs the standard library only,
Python 3.8 and later.

    join_easyserve ── Control.obey: "stacks", "stop", end of file
                   ── TerminationSignals: SIGTERM is a wish
    listen, then tell_ready
"""

import collections
import contextlib
import faulthandler
import json
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
    Deque,
    Dict,
    NamedTuple,
    NoReturn,
    Optional,
    TextIO,
    Union,
)

from easyserve_application import OWN_FOLDER, format_failure

SignalHandler = Union[Callable[[int, Optional[FrameType]], Any], int, None]

THREAD_NAME = "easyserve-"
EXIT_START_FAILED = 3
EXIT_DEADLINE_SECONDS = 3.0
# For the children of an application whose easyserve is gone.
ORPHAN_GRACE_SECONDS = 1.0


class Control:
    """The descriptor that joins this process to easyserve: one JSON a line."""

    def __init__(
        self,
        descriptor: int,
        stacks: Optional[Callable[[], Dict[str, str]]] = None,
    ) -> None:
        """`stacks` tells where the program is; thread_stacks by default."""
        # The application's own children must not hold it open.
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._stacks = stacks or thread_stacks
        self._lines: Deque[bytes] = collections.deque()
        self._lock = threading.Lock()
        self._secret = ""
        self._has_secret = threading.Event()
        self.is_serving = False
        self.is_told_to_stop = threading.Event()

    def tell(self, event: str, **fields: Any) -> None:
        """Send one event."""
        self._lines.append(json.dumps({"event": event, **fields}).encode())
        self._send_lines(waits=True)

    def tell_from_handler(self, event: str) -> None:
        """Send one event from a signal handler, which may interrupt tell().

        That sends it too then, after its own.
        """
        self._lines.append(json.dumps({"event": event}).encode())
        self._send_lines(waits=False)

    def close(self) -> None:
        """Leave the descriptor to the parent: called in a forked child."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def wait_for_secret(self) -> bytes:
        """Return what easyserve tells each process that it told --tcp."""
        self._has_secret.wait()
        return self._secret.encode()

    def obey(self) -> None:
        """Follow commands until the end; runs in a thread from the start on.

        End of file means that easyserve is gone, however it went: then this
        process ends too, even in the middle of an import that hangs.
        """
        pending = b""
        while True:
            try:
                received = os.read(self._descriptor, 4096)
            except OSError:
                received = b""
            if not received:
                exit_as_orphan()
            pending += received
            *lines, pending = pending.split(b"\n")
            for line in lines:
                message = json.loads(line)
                command = message["command"]
                if command == "stop" and self.is_serving:
                    self.is_told_to_stop.set()
                elif command == "stop":
                    os._exit(0)  # in the middle of loading the application
                elif command == "stacks":
                    self.tell("stacks", stacks=self._stacks())
                elif command == "secret":
                    self._secret = message["secret"]
                    self._has_secret.set()

    # Private

    def _send_lines(self, waits: bool) -> None:
        while self._lines and self._lock.acquire(waits):
            try:
                self._write(self._lines.popleft() + b"\n")
            except (IndexError, OSError):
                pass  # sent by another thread; or easyserve is gone
            finally:
                self._lock.release()

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._descriptor, rest):]


class TerminationSignals:
    """SIGTERM and SIGINT: easyserve decides when to end, not they.

    So that no request is lost it puts a successor into service first, and
    says "stop" then. What the application wants to do at SIGTERM is done when
    the process really ends. Children that the application forks have the
    signals as if there were no gateway.
    """

    NUMBERS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, control: Control) -> None:
        self._control = control
        self._kept: Dict[int, SignalHandler] = {}
        self._forking = threading.local()

    def catch(self) -> None:
        """Take the signals over, from the application too."""
        for number in self.NUMBERS:
            previous = signal.signal(number, self._tell)
            if previous != self._tell:
                self._kept[number] = previous

    def leave_to_children(self) -> None:
        """Make forked children do without catch(), from their birth on."""
        os.register_at_fork(
            before=self._hold,
            after_in_parent=self._let_go,
            after_in_child=self._give_back,
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

    def _hold(self) -> None:
        # A signal that comes before _give_back would be ours still.
        self._forking.mask = signal.pthread_sigmask(
            signal.SIG_BLOCK, self.NUMBERS
        )

    def _let_go(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _give_back(self) -> None:
        for number, handler in self._kept.items():
            if signal.getsignal(number) == self._tell:
                signal.signal(number, handler)
        self._let_go()


class Ties(NamedTuple):
    """What joins this process to easyserve."""

    control: Control
    signals: TerminationSignals
    # The application's log, whatever it does to sys.stderr.
    errors: TextIO


def join_easyserve(
    control_fd: int, stacks: Optional[Callable[[], Dict[str, str]]] = None
) -> Ties:
    """Obey easyserve from here on; the first thing that a program does.

    Makes the process look like one of the project's own, too.
    """
    # As manage.py has it: the project's folder, not this file's.
    sys.path[:] = [
        entry
        for entry in sys.path
        if os.path.abspath(entry or ".") != OWN_FOLDER
    ]
    sys.path.insert(0, os.getcwd())
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
    return Ties(control, signals, errors)


def exit_unloaded(
    ties: Ties, error: BaseException, trace: Optional[str] = None
) -> NoReturn:
    """Tell why the application cannot be served, and end."""
    trace = trace or format_failure(error)
    with contextlib.suppress(OSError):
        ties.errors.write(trace)
    ties.control.tell("failed", error=trace, kind=type(error).__name__)
    set_exit_deadline(EXIT_START_FAILED)
    sys.exit(EXIT_START_FAILED)


def listen(path: str) -> socket.socket:
    """Listen on a Unix socket that only this user can reach.

    With a full queue Linux refuses a connection (EAGAIN), and the front would
    be a thread short: hence the queue that a busy process never fills.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)  # before listen(): nobody can have connected yet
    listener.listen(socket.SOMAXCONN)
    return listener


def thread_stacks() -> Dict[str, str]:
    """Return the stack of every serving thread by number, and of `main`."""
    frames = sys._current_frames()
    stacks = {}
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is None:
            continue
        text = "".join(traceback.format_stack(frame))
        if thread is threading.main_thread():
            stacks["main"] = text
        elif thread.name.startswith(THREAD_NAME):
            stacks[thread.name[len(THREAD_NAME):]] = text
    return stacks


def exit_as_orphan() -> NoReturn:
    """Exit at once, and take the application's own children along."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
        deadline = time.monotonic() + ORPHAN_GRACE_SECONDS
        while has_children():
            if time.monotonic() > deadline:
                os.killpg(os.getpid(), signal.SIGKILL)
            time.sleep(0.01)
    os._exit(0)


def has_children() -> bool:
    """Return whether there are children left, and reap those that ended."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def set_exit_deadline(
    code: int, seconds: float = EXIT_DEADLINE_SECONDS
) -> None:
    """Exit in any case: threads and atexit functions may take for ever."""
    deadline = threading.Timer(seconds, os._exit, (code,))
    deadline.daemon = True
    deadline.start()
