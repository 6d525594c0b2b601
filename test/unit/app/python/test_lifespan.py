"""The lifespan, which easyserve runs for every server alike."""

import asyncio
import sys
import unittest
from typing import Any, List

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_asgi_layer import Application  # noqa: E402
from easyserve_lifespan import Lifespan, LifespanFailed  # noqa: E402


def answering(*answers: Any) -> Application:
    """Return an application that answers each event so, or raises."""
    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["opened"] = True
        for answer in answers:
            await receive()
            if isinstance(answer, Exception):
                raise answer
            await send(answer)

    return application


class LifespanTest(unittest.IsolatedAsyncioTestCase):
    async def test_begins_and_ends(self) -> None:
        events: List[str] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            for _ in range(2):
                event = (await receive())["type"]
                events.append(event)
                await send({"type": event + ".complete"})
            events.append("returned")

        lifespan = Lifespan(application)
        await lifespan.startup()
        self.assertEqual(events, ["lifespan.startup"])
        await lifespan.shutdown()
        self.assertEqual(events, ["lifespan.startup", "lifespan.shutdown", "returned"])

    async def test_state_for_the_requests(self) -> None:
        lifespan = Lifespan(answering({"type": "lifespan.startup.complete"}))
        await lifespan.startup()
        self.assertEqual(lifespan.state, {"opened": True})

    async def test_an_application_without_one(self) -> None:
        async def refuses(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("Django can only handle ASGI/HTTP connections, not lifespan.")

        async def returns(scope: Any, receive: Any, send: Any) -> None:
            return

        for application in (refuses, returns):
            with self.subTest(application.__name__):
                lifespan = Lifespan(application)
                await lifespan.startup()
                await lifespan.shutdown()

    async def test_startup_that_fails(self) -> None:
        for answer, message in (
            (RuntimeError("no database"), "RuntimeError: no database\n"),
            ({"type": "lifespan.startup.failed", "message": "told"}, "startup.failed: told\n"),
            ({"type": "lifespan.startup.failed"}, "startup.failed: no message\n"),
        ):
            with self.subTest(message):
                with self.assertRaises(LifespanFailed) as caught:
                    await Lifespan(answering(answer)).startup()
                self.assertTrue(str(caught.exception).endswith(message), str(caught.exception))
                self.assertNotIn("easyserve_lifespan", str(caught.exception))

    async def test_shutdown_that_fails(self) -> None:
        for answer, message in (
            (RuntimeError("broken"), "RuntimeError: broken\n"),
            ({"type": "lifespan.shutdown.failed", "message": "told"}, "shutdown.failed: told\n"),
        ):
            with self.subTest(message):
                lifespan = Lifespan(answering({"type": "lifespan.startup.complete"}, answer))
                await lifespan.startup()
                with self.assertRaises(LifespanFailed) as caught:
                    await lifespan.shutdown()
                self.assertTrue(str(caught.exception).endswith(message), str(caught.exception))

    async def test_an_application_that_ended_meanwhile(self) -> None:
        lifespan = Lifespan(answering({"type": "lifespan.startup.complete"}))
        await lifespan.startup()
        await asyncio.sleep(0)
        await lifespan.shutdown()


if __name__ == "__main__":
    unittest.main()
