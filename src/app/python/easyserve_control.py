"""The control descriptor: what easyserve says, and what it is told.

Commands and events are JSON objects, one a line. The other end is
src/app/process/app-control.ts.
"""

import collections
import json
import os
import signal
import threading
import time
from typing import Any, Callable, Deque, Dict, NoReturn

# For the children of an application whose easyserve is gone.
ORPHAN_GRACE_SECONDS = 1.0
ORPHAN_POLL_SECONDS = 0.01


class Control:
    """The descriptor that joins this process to easyserve."""

    def __init__(
        self, descriptor: int, stacks: Callable[[], Dict[str, str]]
    ) -> None:
        """`stacks` returns where the program is, by thread or request."""
        # The application's own children must not hold it open.
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._stacks = stacks
        self._lines: Deque[bytes] = collections.deque()
        self._lock = threading.Lock()
        self._secret = b""
        self._has_secret = threading.Event()
        self._is_serving = False
        self.is_told_to_stop = threading.Event()

    def announce_ready(self, **fields: Any) -> None:
        """Tell easyserve that requests are served from now on."""
        self._is_serving = True
        self.tell("ready", **fields)

    def tell(self, event: str, **fields: Any) -> None:
        """Send one event."""
        self._lines.append(json.dumps({"event": event, **fields}).encode())
        self._send_lines(waits=True)

    def tell_from_handler(self, event: str) -> None:
        """Send one event from a signal handler, which may interrupt tell().

        Then tell() sends it too, after its own.
        """
        self._lines.append(json.dumps({"event": event}).encode())
        self._send_lines(waits=False)

    def close(self) -> None:
        """Leave the descriptor to the parent: called in a forked child."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def wait_for_secret(self) -> bytes:
        """Return the secret that easyserve sends to a gateway over TCP."""
        self._has_secret.wait()
        return self._secret

    def obey(self) -> None:
        """Follow commands until the end; the target of a thread.

        The thread runs from the start on: end of file means that easyserve
        is gone, however it ended, and then this process ends too, even in
        the middle of an import that hangs.
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
                self._follow(json.loads(line))

    # Private

    def _follow(self, message: Dict[str, Any]) -> None:
        command = message["command"]
        if command == "stop" and self._is_serving:
            self.is_told_to_stop.set()
        elif command == "stop":
            os._exit(0)  # in the middle of loading the application
        elif command == "stacks":
            self.tell("stacks", stacks=self._stacks())
        elif command == "secret":
            self._secret = message["secret"].encode()
            self._has_secret.set()

    def _send_lines(self, waits: bool) -> None:
        while self._lines and self._lock.acquire(waits):
            try:
                # On a line of its own, whatever the application has
                # written to this descriptor.
                self._write(b"\n" + self._lines.popleft() + b"\n")
            except (IndexError, OSError):
                pass  # sent by another thread; or easyserve is gone
            finally:
                self._lock.release()

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._descriptor, rest):]


def exit_as_orphan() -> NoReturn:
    """Exit at once, and end the application's own children too."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
        deadline = time.monotonic() + ORPHAN_GRACE_SECONDS
        while has_children():
            if time.monotonic() > deadline:
                os.killpg(os.getpid(), signal.SIGKILL)
            time.sleep(ORPHAN_POLL_SECONDS)
    os._exit(0)


def has_children() -> bool:
    """Return whether there are children left, and reap those that ended."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True
