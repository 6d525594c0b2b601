"""The ASGI application as a server gets it: with the real client in its scope.

The same for every ASGI server, so that an application gets the same scope
from all of them, and its WebSockets are closed in the same way. The
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

# "Service Restart", registered with IANA (RFC 6455, section 7.4): clients that
# know it connect again.
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
        self._is_closed_by_easyserve = False

    async def receive(self) -> Message:
        """Return what the client sends, until close_websocket()."""
        if self._is_closed_by_easyserve:
            return {"type": "websocket.disconnect", "code": CLOSE_CODE}
        self._receiving = asyncio.ensure_future(self._receive())
        try:
            return await self._receiving
        except asyncio.CancelledError:
            if not self._is_closed_by_easyserve:
                raise
            return {"type": "websocket.disconnect", "code": CLOSE_CODE}

    async def send(self, message: Message) -> None:
        """Send what the application says, until close_websocket()."""
        if self._is_closed_by_easyserve:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            self._is_open = True
        elif kind == "websocket.close":
            self._is_open = False
        await self._send(message)

    async def close_websocket(self) -> None:
        """Close the WebSocket, on behalf of the application.

        Granian doesn't close one while a receive() is pending: that is
        cancelled first.
        """
        if not self._is_open:
            return
        self._is_open = False
        self._is_closed_by_easyserve = True
        if self._receiving is not None:
            self._receiving.cancel()
        await self._send({"type": "websocket.close", "code": CLOSE_CODE})


class FrontLayer:
    """Between a server and the application; it knows the calls that run."""

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
        self._add_front_facts(scope)
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
        endings = asyncio.gather(
            *[call.close_websocket() for call in self._calls],
            self._is_idle.wait(),
            return_exceptions=True,  # clients may have left meanwhile
        )
        try:
            await asyncio.wait_for(endings, seconds)
        except asyncio.TimeoutError:
            for call in list(self._calls):
                if call.task is not None:
                    call.task.cancel()

    def stacks(self) -> Dict[str, str]:
        """Return where each call is; any thread may ask."""
        stacks = {}
        for number, call in enumerate(list(self._calls)[:MAX_SHOWN_STACKS]):
            if call.task is not None:
                name = "%d, %s" % (number, call.name)
                stacks[name] = format_task(call.task)
        return stacks

    # Private

    def _add_front_facts(self, scope: Scope) -> None:
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
        # The front doesn't say the client's port: 0, as behind any proxy.
        scope["client"] = (facts.client, 0) if facts.client else None
        port = facts.server_port
        is_port = port.isascii() and port.isdigit()
        scope["server"] = (facts.server_name, int(port) if is_port else 0)
        below = is_below(scope["path"], self._script_name)
        scope["root_path"] = self._script_name if below else ""
        scope["state"] = self._state.copy()


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Answer a server that insists on it; Lifespan asks the application."""
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
