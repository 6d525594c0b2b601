"""Runs one WSGI application under Cheroot for an easyserve front.

Started by easyserve (src/app/cheroot-server.ts) with the project's own
interpreter, which has the package `cheroot`; Python 3.8 and later. The front
speaks HTTP to it, over a Unix socket that only it can reach.

    main ── start ── load_application, "ready" on the control descriptor
      ├─ FrontServer.serve ── WorkerThread ── FrontLayer ── the application
      └─ easyserve_process: what joins it to easyserve
"""

import argparse
import gc
import json
import os
import sys
import threading
import traceback
from typing import Any, Callable, Dict, Iterable, List

# Not there by itself with PYTHONSAFEPATH; join_easyserve takes it out again.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from easyserve_application import (  # noqa: E402
    load_application,
    require_interface,
)
from easyserve_front_facts import (  # noqa: E402
    FrontFacts,
    is_below,
    read_front_facts,
)
from easyserve_process import (  # noqa: E402
    EXIT_DEADLINE_SECONDS,
    Ties,
    exit_unloaded,
    join_easyserve,
    listen,
    set_exit_deadline,
)

Environ = Dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

EXIT_SERVER_ENDED = 1
# What Cheroot keeps open of the connections that wait for another request.
# The front opens one a thread as a rule, and one each for what it can't send
# twice; a connection above this is closed after its answer.
KEPT_CONNECTIONS_A_THREAD = 4
WORKER_THREAD = "CP Server "


class FrontLayer:
    """The application, with an environ that tells of the real client."""

    def __init__(
        self, application: Application, script_name: str, multiprocess: bool
    ) -> None:
        self._application = application
        self._script_name = script_name
        self._multiprocess = multiprocess

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        facts = read_front_facts(
            lambda name: environ.get("HTTP_" + name.upper().replace("-", "_"))
        )
        self._tell(environ, facts)
        return self._application(environ, start_response)

    # Private

    def _tell(self, environ: Environ, facts: FrontFacts) -> None:
        path = environ["PATH_INFO"]
        if is_below(path, self._script_name):
            environ["SCRIPT_NAME"] = self._script_name
            environ["PATH_INFO"] = path[len(self._script_name):]
        environ.update({
            "REMOTE_ADDR": facts.client,
            # The front tells no port: 0 as for a client behind a proxy.
            "REMOTE_PORT": "0",
            "SERVER_NAME": facts.server_name,
            "SERVER_PORT": facts.server_port,
            "wsgi.url_scheme": facts.scheme,
            "wsgi.multiprocess": self._multiprocess,
            # Cheroot ends the input where the body ends, in each case.
            "wsgi.input_terminated": True,
        })
        # With peercreds_resolve_enabled: the user that the front runs as,
        # whom Django would take for the visitor (RemoteUserMiddleware).
        environ.pop("REMOTE_USER", None)


def make_server(
    application: Application, path: str, keywords: Dict[str, Any]
) -> Any:
    """Return a cheroot.wsgi.Server that is to listen on the Unix socket."""
    from cheroot import wsgi

    class FrontServer(wsgi.Server):
        """Listens where only easyserve can connect; Cheroot lets all in."""

        def bind_unix_socket(self, bind_addr: str) -> Any:
            self.socket = listen(bind_addr)
            return self.socket

    server = FrontServer(path, application, **keywords)
    threads = keywords["numthreads"]
    server.keep_alive_conn_limit = max(
        server.keep_alive_conn_limit, threads * KEPT_CONNECTIONS_A_THREAD
    )
    return server


def busy_stacks() -> Dict[str, str]:
    """Return the stack of every thread that has a connection, and `main`."""
    frames = sys._current_frames()
    stacks = {}
    for thread in threading.enumerate():
        is_main = thread is threading.main_thread()
        is_busy = getattr(thread, "conn", None) is not None
        frame = frames.get(thread.ident or 0)
        if frame is None or not (is_main or is_busy):
            continue
        name = "main" if is_main else thread.name.replace(WORKER_THREAD, "")
        stacks[name] = "".join(traceback.format_stack(frame))
    return stacks


def start(options: argparse.Namespace, ties: Ties) -> Any:
    """Load the application, and serve it on threads of Cheroot's."""
    application = load_application(options.application)
    require_interface(options.application, application, "wsgi")
    ties.signals.catch()
    layer = FrontLayer(
        application, options.script_name, options.multiprocess
    )
    server = make_server(layer, options.socket, json.loads(options.keywords))
    # Of easyserve's own socket activation by systemd: Cheroot would take the
    # control descriptor for a listening socket.
    os.environ.pop("LISTEN_PID", None)
    server.prepare()
    # What is loaded stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # The application's own children must not hold it open.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(
        target=serve, args=(server, ties), daemon=True
    ).start()
    ties.control.is_serving = True
    ties.control.tell("ready")
    return server


def serve(server: Any, ties: Ties) -> None:
    """Serve until stop(); end the process when Cheroot ends by itself.

    It does when a view calls sys.exit(), or one of its threads breaks.
    """
    try:
        server.serve()
    except BaseException:
        ties.errors.write(traceback.format_exc())
    if not ties.control.is_told_to_stop.is_set():
        ties.errors.write("Cheroot has ended by itself.\n")
        os._exit(EXIT_SERVER_ENDED)


def main(arguments: List[str]) -> None:
    """Run until easyserve says stop, or is gone."""
    parser = argparse.ArgumentParser(description="easyserve's Cheroot")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--script-name", default="")
    parser.add_argument("--multiprocess", action="store_true")
    parser.add_argument(
        "--keywords", required=True, help="of cheroot.wsgi.Server, as JSON"
    )
    options = parser.parse_args(arguments)
    ties = join_easyserve(options.control_fd, busy_stacks)
    try:
        server = start(options, ties)
    except BaseException as error:
        exit_unloaded(ties, error)
    ties.control.is_told_to_stop.wait()
    # stop() waits for its threads so long, and then for those that hang.
    if server.shutdown_timeout is not None:
        set_exit_deadline(0, server.shutdown_timeout + EXIT_DEADLINE_SECONDS)
    server.stop()
    set_exit_deadline(0)
    ties.signals.end()


if __name__ == "__main__":
    main(sys.argv[1:])
