"""Finds out that a module starts a server of its own when it is imported.

Bottle's run(), Flask's app.run() and uvicorn.run() do not return. Such an
import would be waited for until the deadline. They end the process where
their port is taken, and Flask's reloader does so in any case. Standard
library only, Python 3.8 and later.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from types import FrameType
from typing import Optional, Set, Tuple

# In which no other line of the project was come to, and a socket listens.
STILL_SECONDS = 1.5
LISTENING = "0A"

# What the project's own line calls to serve.
SERVERS = (
    "aiohttp.web",
    "bottle",
    "cheroot",
    "cherrypy",
    "eventlet",
    "flask.app",
    "flask_socketio",
    "gevent",
    "granian",
    "hypercorn",
    "sanic",
    "tornado",
    "uvicorn",
    "waitress",
    "werkzeug.serving",
)

Place = Tuple[str, int]


class OwnServerWatch:
    """Looks at the main thread now and then, from another one."""

    def __init__(self) -> None:
        self._place: Optional[Place] = None
        self._since = 0.0

    def look(self) -> Optional[Place]:
        """Return the file and line that serve; None while it isn't known."""
        place = project_place()
        if place != self._place:
            self._place = place
            self._since = time.monotonic()
        if place is None or time.monotonic() - self._since < STILL_SECONDS:
            return None
        return place if is_listening() else None


def project_place() -> Optional[Place]:
    """Return where the main thread is in the project's own code."""
    main = threading.main_thread().ident or 0
    frame: Optional[FrameType] = sys._current_frames().get(main)
    root = os.getcwd() + os.sep
    while frame is not None:
        path = os.path.abspath(frame.f_code.co_filename)
        if path.startswith(root) and f"{os.sep}site-packages" not in path:
            return path[len(root):], frame.f_lineno
        frame = frame.f_back
    return None


def place_of_server(error: BaseException) -> Optional[Place]:
    """Return the line of the project whose server has ended so, if one has."""
    if not isinstance(error, (SystemExit, OSError)):
        return None
    root = os.getcwd() + os.sep
    place: Optional[Place] = None
    trace = error.__traceback__
    while trace is not None:
        frame, line = trace.tb_frame, trace.tb_lineno
        path = os.path.abspath(frame.f_code.co_filename)
        if path.startswith(root) and f"{os.sep}site-packages" not in path:
            place = path[len(root):], line
        elif place is not None and is_server(frame):
            return place
        trace = trace.tb_next
    return None


def is_server(frame: FrameType) -> bool:
    """Return whether it is code of a server, in a function of it."""
    module = str(frame.f_globals.get("__name__"))
    return frame.f_code.co_name != "<module>" and any(
        module == name or module.startswith(name + ".") for name in SERVERS
    )


def is_listening() -> bool:
    """Return whether a TCP socket of this process listens; by /proc alone."""
    try:
        listening = read_listening()
        for descriptor in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{descriptor}")
            except OSError:  # the one of this listdir
                continue
            if target[len("socket:["):-1] in listening:
                return True
    except OSError:  # no /proc
        pass
    return False


def read_listening() -> Set[str]:
    """Return the inodes of all sockets that listen (proc_pid_net(5))."""
    inodes = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/self/net/{name}", encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[3] == LISTENING:
                    inodes.add(fields[9])
    return inodes
