"""The lifespan of an ASGI application: what it does before and after serving.

easyserve runs it itself, the same for every server: Daphne has none, and the
others go on serving after some failures. The specification is
https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

import asyncio
from typing import Any, Dict, List, Optional

from easyserve_application import format_failure
from easyserve_asgi_layer import Application, Message


class LifespanFailed(Exception):
    """The application cannot start up or shut down; the text says why."""


class Lifespan:
    """One lifespan: startup() once, then shutdown() once."""

    def __init__(self, application: Application) -> None:
        # Each request gets a shallow copy (specification, "Lifespan State").
        self.state: Dict[str, Any] = {}
        self._application = application
        self._events: "asyncio.Queue[Message]" = asyncio.Queue()
        self._answer: "asyncio.Future[Message]"
        self._task: Optional["asyncio.Task[None]"] = None

    async def startup(self) -> None:
        """Raise LifespanFailed when the application cannot start up.

        By the specification, an application that raises when it is called
        with this scope has no lifespan; Django and Channels raise ValueError.
        """
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        self._task = asyncio.ensure_future(
            self._application(scope, self._receive, self._send)
        )
        answer = await self._ask("lifespan.startup")
        if answer is None:
            self._raise_unless_unsupported(self._task)
            self._task = None
        elif answer["type"] == "lifespan.startup.failed":
            raise LifespanFailed(describe(answer))

    async def shutdown(self) -> None:
        """Let the application end; raise LifespanFailed when it can't."""
        if self._task is None or self._task.done():
            return
        answer = await self._ask("lifespan.shutdown")
        if answer is not None and answer["type"].endswith("failed"):
            raise LifespanFailed(describe(answer))
        await asyncio.wait([self._task])
        error = self._task.exception()
        if error is not None:
            raise LifespanFailed(format_failure(error))

    # Private

    async def _ask(self, event: str) -> Optional[Message]:
        """Return the answer; None when the application ends without one."""
        assert self._task is not None
        self._answer = asyncio.get_event_loop().create_future()
        self._events.put_nowait({"type": event})
        both: List["asyncio.Future[Any]"] = [self._answer, self._task]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return self._answer.result() if self._answer.done() else None

    def _raise_unless_unsupported(self, task: "asyncio.Task[None]") -> None:
        error = task.exception()
        if error is not None and self._events.empty():
            # It has taken the event, so its startup has failed.
            raise LifespanFailed(format_failure(error))

    async def _receive(self) -> Message:
        return await self._events.get()

    async def _send(self, message: Message) -> None:
        if not self._answer.done():
            self._answer.set_result(message)


def describe(answer: Message) -> str:
    """Return what startup.failed or shutdown.failed says.

    Starlette puts the whole traceback into the message.
    """
    said = answer.get("message") or "no message"
    return "The application says %s: %s\n" % (answer["type"], said)
