"""Starts a real gateway, as src/app/process/app-process.ts does, and reads what it says."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Any, BinaryIO, Dict, List, Optional

from front_connection import DEADLINE_SECONDS, FrontConnection
from paths import HERE, SOURCE

APPS = HERE / "apps"
GATEWAY = pathlib.Path(SOURCE) / "gateway.py"


class Output(threading.Thread):
    """What a process and its children write, read as it comes."""

    def __init__(self, pipe: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._data = b""
        self._is_at_end = False
        self._changed = threading.Condition()
        self.start()

    def run(self) -> None:
        while True:
            received = os.read(self._pipe.fileno(), 65536)
            with self._changed:
                self._data += received
                self._is_at_end = not received
                self._changed.notify_all()
            if not received:
                return

    @property
    def text(self) -> str:
        return self._data.decode("utf-8", "replace")

    def wait_for(self, text: str, after: int = 0) -> str:
        """Return what was written after so many characters once `text` is among it."""
        self._wait(lambda: text in self.text[after:], repr(text))
        return self.text[after:]

    def wait_for_end(self) -> str:
        """Return all once nobody has the output open: all children are gone too."""
        self._wait(lambda: self._is_at_end, "the end of the output")
        return self.text

    def _wait(self, is_met: Any, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(is_met, DEADLINE_SECONDS):
                raise AssertionError("no %s in %s" % (what, self.text))


class GatewayProcess:
    """A gateway in a process group of its own; `folder` is the project's."""

    def __init__(
        self,
        application: str,
        threads: int = 2,
        python: str = sys.executable,
        folder: pathlib.Path = APPS,
        env: Optional[Dict[str, str]] = None,
        place: Optional[str] = None,
    ) -> None:
        """`place`: the flag that says where to listen; by default a Unix socket."""
        self.run_folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-"))
        self.socket_path = str(self.run_folder / "app.sock")
        self.control, theirs = socket.socketpair()
        self.control.settimeout(DEADLINE_SECONDS)
        self.child = subprocess.Popen(
            [
                python, str(GATEWAY), place or "--socket=" + self.socket_path, "--application=" + application,
                "--threads=%d" % threads, "--control-fd=%d" % theirs.fileno(),
            ],
            cwd=str(folder),
            env={**os.environ, "TMPDIR": str(self.run_folder), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        assert self.child.stdout is not None and self.child.stderr is not None
        self.stdout = Output(self.child.stdout)  # type: ignore[arg-type]
        self.stderr = Output(self.child.stderr)  # type: ignore[arg-type]
        self._lines: List[bytes] = []
        self._rest = b""

    def wait_until_ready(self) -> "GatewayProcess":
        event = self.read_event()
        assert event["event"] == "ready", event
        return self

    def read_event(self) -> Dict[str, Any]:
        """Return the next event from the control descriptor; raise EOFError at its end."""
        while not self._lines:
            received = self.control.recv(65536)
            if not received:
                raise EOFError(self.stderr.text)
            *lines, self._rest = (self._rest + received).split(b"\n")
            # Each is a line of its own, whatever the application has left before it.
            self._lines = [line for line in lines if line]
        event: Dict[str, Any] = json.loads(self._lines.pop(0))
        return event

    def command(self, command: str) -> None:
        self.control.sendall(json.dumps({"command": command}).encode() + b"\n")

    def stacks(self) -> Dict[str, str]:
        self.command("stacks")
        event = self.read_event()
        assert event["event"] == "stacks", event
        stacks: Dict[str, str] = event["stacks"]
        return stacks

    def stack_with(self, name: str, text: str) -> str:
        """Ask for the stack of a thread until `text` is in it, and return it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            stack = self.stacks().get(name, "")
            if text in stack:
                return stack
        raise AssertionError("no %s in %s" % (text, stack))

    def connect(self) -> FrontConnection:
        return FrontConnection(self.socket_path).wait_for_hello()

    def wait_for_exit(self) -> int:
        return self.child.wait(DEADLINE_SECONDS)

    def stop(self) -> int:
        self.command("stop")
        return self.wait_for_exit()

    def __enter__(self) -> "GatewayProcess":
        return self

    def __exit__(self, *_: Any) -> None:
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all have ended by themselves
        self.child.wait(DEADLINE_SECONDS)
        self.control.close()
        for output, pipe in ((self.stdout, self.child.stdout), (self.stderr, self.child.stderr)):
            output.join(DEADLINE_SECONDS)
            assert pipe is not None
            pipe.close()
        shutil.rmtree(str(self.run_folder))


class GatewayTestCase(unittest.TestCase):
    """One gateway for all tests of a class, and a fresh connection for each test."""

    application = ""
    threads = 2
    gateway: GatewayProcess

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = cls.start_gateway().wait_until_ready()

    @classmethod
    def start_gateway(cls) -> GatewayProcess:
        return GatewayProcess(cls.application, cls.threads)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.gateway.__exit__()

    def setUp(self) -> None:
        self.front = self.gateway.connect()
        self.addCleanup(self.front.close)
        self.front.ask("/journal/clear")

    def connect(self) -> FrontConnection:
        """Return one more connection, which ends with the test."""
        front = self.gateway.connect()
        self.addCleanup(front.close)
        return front

    def journal(self, front: Optional[FrontConnection] = None) -> List[str]:
        """Return what the application has noted; see apps/journal.py."""
        entries: List[str] = json.loads((front or self.front).ask("/journal").body)
        return entries

    def journal_of(self, front: FrontConnection, count: int) -> List[str]:
        """Wait for so many entries."""
        entries: List[str] = json.loads(front.ask("/journal/await", QUERY_STRING=str(count)).body)
        return entries
