"""What the inspect_*.py programs have in common.

easyserve runs them (src/project/ask-python.ts) with the project's interpreter
and the project's folder as working directory. The answer is one JSON object on
the last line of descriptor 3, since a project may print while it is imported:

    {"report": {...}}    what was found
    {"failure": {...}}   why it cannot be hosted: code, message, and where
                         there are any detail, hint and missingModule

Standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.util
import json
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any, Callable, Dict, List, Optional

import easyserve_environment_reads as environment_reads
from easyserve_application import (
    application_traceback,
    is_foreign,
    put_project_first,
)
from easyserve_missing_module import find_missing_module
from easyserve_own_ports import share_own_ports
from easyserve_own_server import OwnServerWatch, Place, place_of_server

ANSWER_DESCRIPTOR = 3
PARENT_CHECK_SECONDS = 0.5
# A call of C code that hangs and holds the GIL lets no other thread run: then
# faulthandler, which needs no GIL, ends the process so much later.
LAST_RESORT_SECONDS = 1.0
# The servers, and what uvicorn needs for WebSockets.
PACKAGES = (
    "cheroot",
    "uvicorn",
    "granian",
    "hypercorn",
    "daphne",
    "channels",
    "websockets",
    "wsproto",
)


class Failure(Exception):
    """The project cannot be hosted, for a reason that its owner can fix.

    `__cause__` is what the project raised.
    """

    def __init__(
        self, code: str, message: str, hint: Optional[str] = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        # Whether what could not be imported may be a package.
        self.is_package_missing = True
        # Django settings that were named too, and may be loaded.
        self.other_settings: Optional[str] = None


def enter_project(timeout_s: float) -> None:
    """Make this process look like one of the project's own.

    After `timeout_s` seconds the process is ended, and stderr tells where it
    was; when the parent is gone, it ends at once.
    """
    share_own_ports()
    put_project_first()
    environment_reads.record()
    sys.argv[1:] = []
    os.set_inheritable(ANSWER_DESCRIPTOR, False)
    faulthandler.dump_traceback_later(
        timeout_s + LAST_RESORT_SECONDS, exit=True
    )
    deadline = time.monotonic() + timeout_s
    threading.Thread(
        target=watch, args=(os.getppid(), deadline), daemon=True
    ).start()


def watch(parent: int, deadline: float) -> None:
    """End the process at the deadline, or when easyserve is gone.

    Looks at the parent instead of reading the answer's descriptor for its
    end: a thread that reads from it would keep it open after the answer.
    """
    own_server = OwnServerWatch()
    while os.getppid() == parent:
        left = deadline - time.monotonic()
        if left <= 0:
            os.write(2, b"It is still here:\n" + main_stack().encode())
            break
        place = own_server.look()
        if place is not None:
            send({"failure": describe_failure(serves_itself(place))})
            break
        time.sleep(min(PARENT_CHECK_SECONDS, left))
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def main_stack() -> str:
    """Return where the main thread is, from the project's own code on."""
    main = threading.main_thread().ident or 0
    stack = traceback.extract_stack(sys._current_frames()[main])
    begin = 0
    while begin < len(stack) and is_foreign(stack[begin].filename):
        begin += 1
    return "".join(traceback.format_list(stack[begin:] or stack))


def answer(find: Callable[[], Dict[str, Any]]) -> None:
    """Send what `find` returns, or the Failure that it raises."""
    try:
        message = {
            "report": dict(find(), environment=environment_reads.report())
        }
    except Failure as failure:
        message = {"failure": describe_failure(failure)}
    send(message)


def send(message: Dict[str, Any]) -> None:
    """Send the answer, once."""
    with os.fdopen(ANSWER_DESCRIPTOR, "w", encoding="ascii") as channel:
        # On a line of its own, whatever the project has written there.
        channel.write("\n" + json.dumps(message))


def serves_itself(place: Place) -> Failure:
    """Return the failure of a module whose import does not return."""
    return Failure(
        "application-serves-itself",
        f"{place[0]}, line {place[1]}, starts a server of its own when it is "
        "imported, and easyserve is the server.",
        'put that line below if __name__ == "__main__": and name the '
        "application, with Bottle by app = bottle.default_app()",
    )


def describe_failure(failure: Failure) -> Dict[str, Any]:
    """Return the failure as the answer carries it."""
    cause = failure.__cause__
    record: Dict[str, Any] = {
        "code": failure.code,
        "message": failure.message,
    }
    hint = failure.hint
    if hint is None and cause is not None:
        hint = environment_reads.suggest_variable(cause)
    if hint is not None:
        record["hint"] = hint
    if cause is not None:
        record["detail"] = format_for_owner(cause)
    missing = find_missing_module(cause)
    if missing is not None and failure.is_package_missing:
        record["missingModule"] = missing
    if failure.other_settings is not None:
        record["otherSettings"] = failure.other_settings
    return record


def format_for_owner(error: BaseException) -> str:
    """Return the traceback from where the project's own code begins."""
    trace = application_traceback(error)
    lines = traceback.format_exception(type(error), error, trace)
    return "".join(lines).rstrip()


def summarise(error: BaseException) -> str:
    """Return the error in one line, like `KeyError: 'SECRET_KEY'`."""
    message = str(error).strip().split("\n")[0]
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def import_project_module(name: str) -> Any:
    """Import a module of the project; raise Failure whatever it does."""
    try:
        return importlib.import_module(name)
    except BaseException as error:
        place = place_of_server(error)
        if place is not None:
            raise serves_itself(place) from error
        if isinstance(error, SystemExit):
            raise exited(f"Importing {name!r}", error) from error
        missing = getattr(error, "name", None) or "?"
        if isinstance(error, ModuleNotFoundError) and (
            name + "."
        ).startswith(missing + "."):
            raise Failure(
                "application-module-missing",
                f"There is no module {name!r} in {os.getcwd()}.",
            ) from error
        raise raised(f"Importing {name!r}", error) from error


def exited(what: str, error: SystemExit) -> Failure:
    """Return the failure of a project that calls sys.exit."""
    return Failure(
        "application-exits",
        f"{what} ended the process by sys.exit({error.code!r}).",
    )


def raised(what: str, error: BaseException) -> Failure:
    """Return the failure of a project that raises."""
    return Failure("application-raises", f"{what} failed: {summarise(error)}")


def list_installed() -> List[str]:
    """Return which of PACKAGES are installed.

    None of them is imported: that would take time and memory. A release that
    is too old to be used has `old ` before its name.
    """
    names = [name for name in PACKAGES if is_installed(name)]
    if "granian" in names and not is_granian_embeddable():
        names[names.index("granian")] = "old granian"
    return names


def is_granian_embeddable() -> bool:
    """Return whether Granian can be embedded, and take a Unix socket."""
    spec = importlib.util.find_spec("granian")
    folder = os.path.dirname((spec and spec.origin) or "")
    try:
        path = os.path.join(folder, "server", "embed.py")
        with open(path, encoding="utf-8") as source:
            return "uds" in source.read()
    except OSError:
        return False


def is_installed(name: str) -> bool:
    """Return whether there is such a module, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def resident_bytes() -> Optional[int]:
    """Return how much memory this process occupies.

    On a system without /proc: the largest size that it has had so far.
    """
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return largest_resident_bytes()


def largest_resident_bytes() -> Optional[int]:
    """Return the largest size of this process so far."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
