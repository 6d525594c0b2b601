"""Threaded WSGI gateway: runs one WSGI application for an easyserve front.

easyserve starts it (src/app/servers/gateway-server.ts) with the project's own
interpreter; it needs the standard library only, Python 3.8 and later.

It does not speak HTTP.  The front has parsed the request, and sends it as one
frame (easyserve_frames.py) over a Unix socket, or to a port on which only the
front is let in.  Each thread blocks on a connection of its own, so there is
no selector and no hand-off between threads.

    main ── start ── load_for_serving, "ready" on the control descriptor
      ├─ serve_connections (N threads)
      │    └─ Worker.serve ── Connection.read_frame ── Exchange.run
      └─ easyserve_process: what joins it to easyserve

PEP 3333 is the contract towards the application.
"""

import argparse
import os
import sys
import threading
import time
from typing import Dict, List, Optional, TextIO, Tuple

# PYTHONSAFEPATH leaves the script's folder out; join_easyserve removes it.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from easyserve_application import Environ  # noqa: E402
from easyserve_authenticated_listener import (  # noqa: E402
    AuthenticatedListener,
    split_secret,
)
from easyserve_django import load_for_serving  # noqa: E402
from easyserve_file_wrapper import FileWrapper  # noqa: E402
from easyserve_gil_limiter import GilLimiter, is_gil_enabled  # noqa: E402
from easyserve_process import (  # noqa: E402
    SupervisorChannel,
    exit_unloaded,
    freeze_loaded_objects,
    join_easyserve,
    listen,
    set_exit_deadline,
    thread_stacks,
)
from easyserve_worker import (  # noqa: E402
    Listener,
    Worker,
    serve_connections,
)

THREAD_NAME = "easyserve-"
ANSWERING_POLL_SECONDS = 0.005


def base_environ(threads: int, errors: TextIO) -> Environ:
    """Return what is the same in the environ of every request."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": errors,
        "wsgi.multithread": threads > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "easyserve",
    }


def start(
    options: argparse.Namespace, channel: SupervisorChannel
) -> List[Worker]:
    """Load the application, then serve it on threads of its own."""
    application = load_for_serving(
        options.application, "wsgi", options.script_name
    )
    channel.signals.catch()
    base = base_environ(options.threads, channel.errors)
    listener, proof = open_listener(options, channel)
    os.register_at_fork(after_in_child=listener.close)
    freeze_loaded_objects()
    # A single thread competes with no other for the GIL.
    is_limited = options.threads > 1 and is_gil_enabled()
    limiter = GilLimiter() if is_limited else None
    workers = [
        Worker(number, application, base, proof, limiter)
        for number in range(options.threads)
    ]
    for worker in workers:
        os.register_at_fork(after_in_child=worker.disconnect)
        threading.Thread(
            target=serve_connections,
            args=(listener, worker),
            name=THREAD_NAME + str(worker.number),
            daemon=True,
        ).start()
    if isinstance(listener, AuthenticatedListener):
        channel.control.announce_ready(port=listener.port)
    else:
        channel.control.announce_ready()
    return workers


def open_listener(
    options: argparse.Namespace, channel: SupervisorChannel
) -> Tuple[Listener, bytes]:
    """Return where the front connects, and the proof that it is shown."""
    if not options.tcp:
        return listen(options.socket), b""
    secret, proof = split_secret(channel.control.wait_for_secret())
    return AuthenticatedListener(secret, channel.errors.write), proof


def finish_answers(workers: List[Worker]) -> None:
    """Wait until the application has finished what it has answered.

    The front has those answers, so it doesn't wait for them. Only this
    process knows what still runs in close(), like Django's request_finished.
    """
    while any(worker.is_answering for worker in workers):
        time.sleep(ANSWERING_POLL_SECONDS)


def worker_stacks() -> Dict[str, str]:
    """Return the stack of each serving thread by number, and of `main`."""
    return thread_stacks(name_worker)


def name_worker(thread: threading.Thread) -> Optional[str]:
    """Return the number of a serving thread; None of any other thread."""
    is_worker = thread.name.startswith(THREAD_NAME)
    return thread.name[len(THREAD_NAME):] if is_worker else None


def main(arguments: List[str]) -> None:
    """Run until easyserve says stop, or is gone."""
    parser = argparse.ArgumentParser(description="easyserve's WSGI gateway")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket")
    place.add_argument("--tcp", action="store_true")
    parser.add_argument("--application", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--script-name", default="")
    parser.add_argument("--control-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    channel = join_easyserve(options.control_fd, worker_stacks)
    try:
        workers = start(options, channel)
    except BaseException as error:
        exit_unloaded(channel, error)
    channel.control.is_told_to_stop.wait()
    set_exit_deadline(0)
    finish_answers(workers)
    channel.signals.end()


if __name__ == "__main__":
    main(sys.argv[1:])
