"""uvicorn, granian, hypercorn and daphne, each behind the same four methods.

Each listens on a Unix socket behind a front, so: idle connections are kept
far longer than the front keeps them, nothing is limited that the front has
let pass, and the access log is the front's.
"""

import asyncio
import contextlib
import importlib
import inspect
import pathlib
import socket
from typing import Any, Awaitable, Dict, Iterator, NamedTuple, Optional, Type

from easyserve_asgi_layer import CLOSE_CODE, Application
from easyserve_process import listen

KEEP_ALIVE_SECONDS = 75
# The front's own headers, beside what the client sent.
FRONT_HEADER_BYTES = 16 * 1024
WEBSOCKET_MESSAGE_BYTES = 16 * 1024 * 1024
UNLIMITED = 1_000_000_000


class ServerOptions(NamedTuple):
    """What every server is started with."""

    socket_path: str
    # The longest head of a request that the front lets pass.
    max_header_bytes: int


class AsgiServer:
    """One server; created before the application is imported."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options

    def make_loop(self) -> asyncio.AbstractEventLoop:
        """Return a fast loop where one is installed."""
        try:
            uvloop = importlib.import_module("uvloop")
        except ImportError:
            return asyncio.new_event_loop()
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop

    async def start(self, application: Application) -> None:
        """Return when it accepts connections."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Return when it has ended; nothing is in flight any more."""

    async def ended(self) -> None:
        """Return when it ends by itself, or raise why."""
        await asyncio.Event().wait()


class TaskServer(AsgiServer):
    """A server that runs as a task: start() keeps it in `serving`."""

    serving: "asyncio.Future[Any]"

    async def stop(self) -> None:
        self.request_stop()
        await self.serving

    async def ended(self) -> None:
        await asyncio.shield(self.serving)

    def request_stop(self) -> None:
        """Make the task end."""
        raise NotImplementedError


class Uvicorn(TaskServer):
    """https://www.uvicorn.org/settings/"""

    async def start(self, application: Application) -> None:
        import uvicorn

        is_serving = asyncio.Event()

        class FrontServer(uvicorn.Server):
            """Sets is_serving, and leaves the signals to easyserve."""

            def install_signal_handlers(self) -> None:
                """Do nothing; uvicorn before 0.29 calls it."""

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets=sockets)
                is_serving.set()

        config = uvicorn.Config(
            application,
            interface="asgi3",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            backlog=socket.SOMAXCONN,
            h11_max_incomplete_event_size=header_bytes(self.options),
        )
        self._server = FrontServer(config)
        listener = listen(self.options.socket_path)
        self.serving = asyncio.ensure_future(
            self._server.serve(sockets=[listener])
        )
        await wait_until_serving(is_serving.wait(), self.serving)

    def request_stop(self) -> None:
        self._server.should_exit = True


class Hypercorn(TaskServer):
    """https://hypercorn.readthedocs.io/en/latest/how_to_guides/"""

    async def start(self, application: Any) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config, Sockets

        # It listens already: whoever connects before hypercorn accepts waits.
        listener = listen(self.options.socket_path)

        class FrontConfig(Config):
            """Uses a socket that exists, and that no child inherits."""

            def create_sockets(self) -> Sockets:
                return Sockets([], [listener], [])

        config = FrontConfig()
        config.loglevel = "WARNING"
        config.include_server_header = False
        config.keep_alive_timeout = KEEP_ALIVE_SECONDS
        config.keep_alive_max_requests = UNLIMITED
        config.backlog = socket.SOMAXCONN
        config.h11_max_incomplete_size = header_bytes(self.options)
        config.websocket_max_message_size = WEBSOCKET_MESSAGE_BYTES
        self._is_to_stop = asyncio.Event()
        self.serving = asyncio.ensure_future(
            serve(application, config, shutdown_trigger=self._is_to_stop.wait)
        )

    def request_stop(self) -> None:
        self._is_to_stop.set()


class Granian(TaskServer):
    """https://github.com/emmett-framework/granian, embedded."""

    async def start(self, application: Application) -> None:
        try:
            embed = importlib.import_module("granian.server.embed")
            http = importlib.import_module("granian.http")
        except ImportError as error:
            raise too_old("granian") from error
        if "uds" not in inspect.signature(embed.Server).parameters:
            raise too_old("granian")
        self._server = embed.Server(
            application,
            uds=pathlib.Path(self.options.socket_path),
            interface=embed.Interfaces.ASGINL,
            backlog=socket.SOMAXCONN,
            backpressure=UNLIMITED,
            websockets=True,
            log_level=embed.LogLevels.error,
            http=embed.HTTPModes.http1,
            http1_settings=http.HTTP1Settings(
                header_read_timeout=KEEP_ALIVE_SECONDS * 1000,
                max_buffer_size=max(
                    http.HTTP1Settings.max_buffer_size,
                    header_bytes(self.options),
                ),
            ),
        )
        self.serving = asyncio.ensure_future(self._server.serve())
        # serve() binds and starts its worker before its first await.
        await asyncio.sleep(0)

    def request_stop(self) -> None:
        self._server.stop()


class Daphne(AsgiServer):
    """https://github.com/django/daphne, on the loop of Twisted's reactor."""

    def __init__(self, options: ServerOptions) -> None:
        super().__init__(options)
        # Before the application, which may import Twisted: that would choose
        # another reactor.
        self._daphne = importlib.import_module("daphne.server")

    def make_loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self._daphne.twisted_loop
        return loop

    async def start(self, application: Application) -> None:
        from twisted.web.http import HTTPChannel

        # Twisted's own limits are 16 KiB.
        HTTPChannel.totalHeadersSize = header_bytes(self.options)
        HTTPChannel.MAX_LENGTH = header_bytes(self.options)
        HTTPChannel.maxHeaders = UNLIMITED
        self._allow_close_code()
        # daphne runs the reactor; the loop below it runs already.
        self._daphne.reactor.run = self._daphne.reactor.startRunning
        path = self.options.socket_path.replace(":", "\\:")
        # Before daphne 4.2 there was no limit.
        limits = {
            "websocket_max_message_size": WEBSOCKET_MESSAGE_BYTES,
            "websocket_max_frame_size": WEBSOCKET_MESSAGE_BYTES,
        }
        known = inspect.signature(self._daphne.Server).parameters
        server = self._daphne.Server(
            application,
            endpoints=[
                "unix:%s:mode=600:lockfile=0:backlog=%d"
                % (path, socket.SOMAXCONN)
            ],
            signal_handlers=False,
            websocket_timeout=-1,
            verbosity=0,
            server_name="",
            **{name: limits[name] for name in limits if name in known},
        )
        server.run()
        if server.abort_start:
            raise RuntimeError("daphne cannot listen; see what it wrote")

    # Private

    def _allow_close_code(self) -> None:
        """Allow CLOSE_CODE too: Autobahn takes 1000 and 3000 to 4999 only."""
        from daphne.ws_protocol import WebSocketProtocol

        close = WebSocketProtocol.serverClose

        def close_with(protocol: Any, code: Optional[int] = None) -> None:
            if code == CLOSE_CODE:
                protocol.sendCloseFrame(code=code)
            else:
                close(protocol, code)

        WebSocketProtocol.serverClose = close_with


SERVERS: Dict[str, Type[AsgiServer]] = {
    "uvicorn": Uvicorn,
    "granian": Granian,
    "hypercorn": Hypercorn,
    "daphne": Daphne,
}


def header_bytes(options: ServerOptions) -> int:
    """Return how long the head of a request may be, generously."""
    return 2 * options.max_header_bytes + FRONT_HEADER_BYTES


def too_old(name: str) -> RuntimeError:
    """Return the error of a server that can't be run in this process."""
    return RuntimeError(
        "this version of %s cannot be embedded on a Unix socket" % name
    )


async def wait_until_serving(
    event: Awaitable[Any], serving: "asyncio.Future[Any]"
) -> None:
    """Wait for the event; raise why the server ends before it."""
    waiting = asyncio.ensure_future(event)
    await asyncio.wait(
        [waiting, serving], return_when=asyncio.FIRST_COMPLETED
    )
    if not waiting.done():
        waiting.cancel()
        serving.result()
        raise RuntimeError("the server ended before it served")
