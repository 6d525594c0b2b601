"""The ASGI application as a server gets it: with the real client in its scope.

Imported by serve_asgi.py; the same for every ASGI server, so that all of them
tell an application the same, and end its WebSockets in the same way. The
specification is https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import traceback
from types import FrameType
from typing import (
    Any,
    Awaitable,
    Callable,
    Dict,
    List,
    MutableMapping,
    Optional,
    Set,
)

from easyserve_front_facts import is_below, read_front_facts

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# "Service restart": clients that know it connect again (RFC 6455, IANA).
CLOSE_CODE = 1012
MAX_SHOWN_STACKS = 20


class Call:
    """One call of the application: a request, or a WebSocket."""

    def __init__(self, name: str, receive: Receive, send: Send) -> None:
        self.name = name
        self.task = asyncio.current_task()
        self._receive = receive
        self._send = send
        self._receiving: Optional["asyncio.Future[Message]"] = None
        self._is_open = False
        self._is_closed_by_us = False

    async def receive(self) -> Message:
        """Return what the client of a WebSocket says, until we hang up."""
        if self._is_closed_by_us:
            return {"type": "websocket.disconnect", "code": CLOSE_CODE}
        self._receiving = asyncio.ensure_future(self._receive())
        try:
            return await self._receiving
        except asyncio.CancelledError:
            if not self._is_closed_by_us:
                raise
            return {"type": "websocket.disconnect", "code": CLOSE_CODE}

    async def send(self, message: Message) -> None:
        """Send what the application says to it, unless we have hung up."""
        if self._is_closed_by_us:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            self._is_open = True
        elif kind == "websocket.close":
            self._is_open = False
        await self._send(message)

    async def hang_up(self) -> None:
        """Close the WebSocket, on behalf of the application.

        Granian doesn't close one from which something is being received.
        """
        if not self._is_open:
            return
        self._is_open = False
        self._is_closed_by_us = True
        if self._receiving is not None:
            self._receiving.cancel()
        await self._send({"type": "websocket.close", "code": CLOSE_CODE})


class FrontLayer:
    """Stands between a server and the application, and knows what runs."""

    def __init__(
        self,
        application: Application,
        script_name: str,
        state: Dict[str, Any],
    ) -> None:
        self._application = application
        self._script_name = script_name
        self._state = state
        self._calls: Set[Call] = set()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        self._tell(scope)
        name = scope.get("method", "WebSocket") + " " + scope["path"]
        call = Call(name, receive, send)
        self._calls.add(call)
        self._is_idle.clear()
        try:
            if scope["type"] == "websocket":
                receive, send = call.receive, call.send
            await self._application(scope, receive, send)
        finally:
            self._calls.discard(call)
            if not self._calls:
                self._is_idle.set()

    async def finish(self, seconds: float) -> None:
        """Close the WebSockets, let the rest end, and cancel what doesn't."""
        goodbyes = asyncio.gather(
            *[call.hang_up() for call in self._calls],
            self._is_idle.wait(),
            return_exceptions=True,  # of clients that have gone meanwhile
        )
        try:
            await asyncio.wait_for(goodbyes, seconds)
        except asyncio.TimeoutError:
            for call in list(self._calls):
                if call.task is not None:
                    call.task.cancel()

    def stacks(self) -> Dict[str, str]:
        """Return where each call is; may be asked by another thread."""
        stacks = {}
        for number, call in enumerate(list(self._calls)[:MAX_SHOWN_STACKS]):
            if call.task is not None:
                name = "%d, %s" % (number, call.name)
                stacks[name] = format_task(call.task)
        return stacks

    # Private

    def _tell(self, scope: Scope) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"host", b"x-forwarded-for", b"x-forwarded-host")
            or name == b"x-forwarded-proto"
        }
        facts = read_front_facts(headers.get)
        is_secure = facts.scheme == "https"
        if scope["type"] == "websocket":
            scope["scheme"] = "wss" if is_secure else "ws"
        else:
            scope["scheme"] = facts.scheme
        # The front tells no port: 0 as for a client behind a proxy.
        scope["client"] = (facts.client, 0) if facts.client else None
        port = facts.server_port
        is_port = port.isascii() and port.isdigit()
        scope["server"] = (facts.server_name, int(port) if is_port else 0)
        below = is_below(scope["path"], self._script_name)
        scope["root_path"] = self._script_name if below else ""
        scope["state"] = self._state.copy()


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Satisfy a server that insists on it; easyserve_lifespan has done it."""
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": "lifespan.%s.complete" % event})


def format_task(task: "asyncio.Task[Any]") -> str:
    """Return the stack of a task that waits, from the outside in.

    Task.get_stack() ends at the first coroutine, which only waits for the
    next one.
    """
    lines: List[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = frame_of(awaited)
        if frame is not None:
            lines += traceback.format_stack(frame, 1)
        awaited = getattr(awaited, "cr_await", None) or getattr(
            awaited, "gi_yieldfrom", None
        )
    return "".join(lines)


def frame_of(awaited: Any) -> Optional[FrameType]:
    """Return the frame of a coroutine or generator; None of anything else."""
    frame: Optional[FrameType] = getattr(awaited, "cr_frame", None)
    return frame or getattr(awaited, "gi_frame", None)
