"""Runs one ASGI application under a server of the project's, for a front.

easyserve starts it (src/app/servers/asgi-server.ts) with the project's own
interpreter, which has uvicorn, granian, hypercorn or daphne; Python 3.8 and
later. The front speaks HTTP to it, over a Unix socket that only it can reach.

    main ── Program.serve ── Lifespan.startup ── AsgiServer.start ── "ready"
      │        └─ told to stop: FrontLayer.finish ── AsgiServer.stop
      │                         ── Lifespan.shutdown
      └─ easyserve_process: what joins it to easyserve
"""

import argparse
import asyncio
import contextlib
import os
import sys
import threading
import traceback
from typing import Dict, List, Optional

# PYTHONSAFEPATH leaves the script's folder out; join_easyserve removes it.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from easyserve_asgi_layer import Application, FrontLayer  # noqa: E402
from easyserve_asgi_servers import (  # noqa: E402
    SERVERS,
    AsgiServer,
    ServerOptions,
)
from easyserve_django import load_for_serving  # noqa: E402
from easyserve_lifespan import Lifespan, LifespanFailed  # noqa: E402
from easyserve_process import (  # noqa: E402
    EXIT_SERVER_ENDED,
    SupervisorChannel,
    exit_unloaded,
    freeze_loaded_objects,
    join_easyserve,
    set_exit_deadline,
    thread_stacks,
)

# For closing WebSockets, and for requests that the front has given up;
# together less than killTimeoutMs, so that the lifespan ends properly.
FINISH_SECONDS = 2.0
STOP_SECONDS = 1.0


class Program:
    """The application and its server, from the start to the end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._channel: SupervisorChannel
        self._layer: Optional[FrontLayer] = None

    def run(self) -> None:
        """Return when easyserve has said stop, and all has ended."""
        options = self._options
        self._channel = join_easyserve(options.control_fd, self._stacks)
        try:
            server = SERVERS[options.server](
                ServerOptions(options.socket, options.max_header_bytes)
            )
            loop = server.make_loop()
            asyncio.set_event_loop(loop)
            application = load_for_serving(
                options.application, "asgi", options.script_name
            )
            self._channel.signals.catch()
            lifespan = loop.run_until_complete(
                self._start(server, application)
            )
        except LifespanFailed as error:
            exit_unloaded(self._channel, error, str(error))
        except BaseException as error:
            exit_unloaded(self._channel, error)
        loop.run_until_complete(self._serve(server))
        loop.run_until_complete(self._end(server, lifespan))
        set_exit_deadline(0)
        self._channel.signals.end()

    # Private

    async def _start(
        self, server: AsgiServer, application: Application
    ) -> Lifespan:
        lifespan = Lifespan(application)
        await lifespan.startup()
        self._layer = FrontLayer(
            application, self._options.script_name, lifespan.state
        )
        try:
            await server.start(self._layer)
        except Exception:
            await lifespan.shutdown()
            raise
        freeze_loaded_objects()
        self._channel.control.announce_ready()
        return lifespan

    async def _serve(self, server: AsgiServer) -> None:
        """Return when told to stop; end the process when the server ends."""
        is_told = asyncio.ensure_future(self._told_to_stop())
        ended = asyncio.ensure_future(server.ended())
        await asyncio.wait(
            [is_told, ended], return_when=asyncio.FIRST_COMPLETED
        )
        if not is_told.done():
            error = ended.exception()
            if error is not None:
                traceback.print_exception(
                    type(error), error, error.__traceback__
                )
            self._channel.errors.write("The server has ended by itself.\n")
            os._exit(EXIT_SERVER_ENDED)
        ended.cancel()

    async def _told_to_stop(self) -> None:
        loop = asyncio.get_event_loop()
        is_told = asyncio.Event()

        def wait() -> None:
            self._channel.control.is_told_to_stop.wait()
            loop.call_soon_threadsafe(is_told.set)

        threading.Thread(target=wait, daemon=True).start()
        await is_told.wait()

    async def _end(self, server: AsgiServer, lifespan: Lifespan) -> None:
        assert self._layer is not None
        await self._layer.finish(FINISH_SECONDS)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(server.stop(), STOP_SECONDS)
        try:
            await lifespan.shutdown()
        except LifespanFailed as error:
            self._channel.errors.write(str(error))

    def _stacks(self) -> Dict[str, str]:
        """Return where threads and requests are."""
        stacks = {} if self._layer is None else self._layer.stacks()
        return {**stacks, **thread_stacks(name_executor_thread)}


def name_executor_thread(thread: threading.Thread) -> Optional[str]:
    """Return the name of a thread that may run a view, like asgiref's."""
    name = thread.name
    is_executor = "ThreadPool" in name or "executor" in name.lower()
    return name if is_executor else None


def main(arguments: List[str]) -> None:
    """Run until easyserve says stop, or is gone."""
    parser = argparse.ArgumentParser(description="easyserve's ASGI program")
    parser.add_argument("--server", choices=sorted(SERVERS), required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--script-name", default="")
    parser.add_argument("--max-header-bytes", type=int, required=True)
    Program(parser.parse_args(arguments)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
