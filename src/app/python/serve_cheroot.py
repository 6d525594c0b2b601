"""Runs one WSGI application under Cheroot for an easyserve front.

easyserve starts it (src/app/servers/cheroot-server.ts) with the project's own
interpreter, which has the package `cheroot`; Python 3.8 and later. The front
speaks HTTP to it, over a Unix socket that only it can reach.

    main ── start ── load_for_serving, "ready" on the control descriptor
      ├─ FrontServer.serve ── WorkerThread ── FrontLayer ── the application
      └─ easyserve_process: what joins it to easyserve
"""

import argparse
import json
import os
import sys
import threading
import traceback
from typing import Any, Callable, Dict, Iterable, List, Optional

# PYTHONSAFEPATH leaves the script's folder out; join_easyserve removes it.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from easyserve_application import (  # noqa: E402
    Environ,
    WsgiApplication,
)
from easyserve_django import load_for_serving  # noqa: E402
from easyserve_front_facts import (  # noqa: E402
    FrontFacts,
    is_below,
    read_front_facts,
)
from easyserve_process import (  # noqa: E402
    EXIT_DEADLINE_SECONDS,
    EXIT_SERVER_ENDED,
    SupervisorChannel,
    exit_unloaded,
    freeze_loaded_objects,
    join_easyserve,
    listen,
    set_exit_deadline,
    thread_stacks,
)

# How many idle connections Cheroot keeps open. The front opens one a thread as
# a rule, and another one for each request that it can't send twice; above the
# limit, Cheroot closes a connection after its answer.
KEPT_CONNECTIONS_A_THREAD = 4
WORKER_THREAD = "CP Server "


class FrontLayer:
    """The application, with an environ that describes the real client."""

    def __init__(
        self,
        application: WsgiApplication,
        script_name: str,
        multiprocess: bool,
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
        self._add_front_facts(environ, facts)
        return self._application(environ, start_response)

    # Private

    def _add_front_facts(
        self, environ: Environ, facts: FrontFacts
    ) -> None:
        path = environ["PATH_INFO"]
        if is_below(path, self._script_name):
            environ["SCRIPT_NAME"] = self._script_name
            environ["PATH_INFO"] = path[len(self._script_name):]
        environ.update({
            "REMOTE_ADDR": facts.client,
            # The front doesn't say the client's port: 0, as behind any proxy.
            "REMOTE_PORT": "0",
            "SERVER_NAME": facts.server_name,
            "SERVER_PORT": facts.server_port,
            "wsgi.url_scheme": facts.scheme,
            "wsgi.multiprocess": self._multiprocess,
            # Cheroot's input ends where the body ends, chunked or not.
            "wsgi.input_terminated": True,
        })
        # With peercreds_resolve_enabled this is the user that the front runs
        # as; Django's RemoteUserMiddleware would log the client in as that.
        environ.pop("REMOTE_USER", None)


def make_server(
    application: WsgiApplication, path: str, keywords: Dict[str, Any]
) -> Any:
    """Return a cheroot.wsgi.Server that will listen on the Unix socket."""
    from cheroot import wsgi

    class FrontServer(wsgi.Server):
        """Only this user can connect; Cheroot would let every user in."""

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
    return thread_stacks(name_busy_thread)


def name_busy_thread(thread: threading.Thread) -> Optional[str]:
    """Return the number of a thread that has a connection; else None."""
    is_busy = getattr(thread, "conn", None) is not None
    return thread.name.replace(WORKER_THREAD, "") if is_busy else None


def start(options: argparse.Namespace, channel: SupervisorChannel) -> Any:
    """Load the application, then serve it on Cheroot's threads."""
    application = load_for_serving(
        options.application, "wsgi", options.script_name
    )
    channel.signals.catch()
    layer = FrontLayer(
        application, options.script_name, options.multiprocess
    )
    server = make_server(layer, options.socket, json.loads(options.keywords))
    # systemd set it when it started easyserve by socket activation. Cheroot
    # would take the control descriptor for a listening socket.
    os.environ.pop("LISTEN_PID", None)
    server.prepare()
    freeze_loaded_objects()
    # The application's own children must not hold it open.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(
        target=serve, args=(server, channel), daemon=True
    ).start()
    channel.control.announce_ready()
    return server


def serve(server: Any, channel: SupervisorChannel) -> None:
    """Serve until stop(); end the process when Cheroot ends by itself.

    It does when a view calls sys.exit(), or one of its threads breaks.
    """
    try:
        server.serve()
    except BaseException:
        channel.errors.write(traceback.format_exc())
    if not channel.control.is_told_to_stop.is_set():
        channel.errors.write("Cheroot has ended by itself.\n")
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
    channel = join_easyserve(options.control_fd, busy_stacks)
    try:
        server = start(options, channel)
    except BaseException as error:
        exit_unloaded(channel, error)
    channel.control.is_told_to_stop.wait()
    # stop() waits for its threads for shutdown_timeout, and then without a
    # limit for those that hang.
    if server.shutdown_timeout is not None:
        set_exit_deadline(0, server.shutdown_timeout + EXIT_DEADLINE_SECONDS)
    server.stop()
    set_exit_deadline(0)
    channel.signals.end()


if __name__ == "__main__":
    main(sys.argv[1:])
