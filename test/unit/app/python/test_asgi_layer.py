"""What an application is told by FrontLayer, and how its WebSockets end."""

import asyncio
import sys
import unittest
from typing import Any, Dict, List, Optional

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_asgi_layer import Application, FrontLayer, Message  # noqa: E402

DEADLINE_SECONDS = 20.0
LONG_SECONDS = 1000.0


def request_scope(path: str = "/", **headers: str) -> Dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()
        ],
        "client": None,
        "server": ("/run/1.sock", None),
        "scheme": "http",
    }


class Server:
    """The server's end of one call: what it is sent, and what it lets the application receive."""

    def __init__(self) -> None:
        self.sent: List[Message] = []
        self.to_receive: "asyncio.Queue[Message]" = asyncio.Queue()
        self.receiving = 0

    async def receive(self) -> Message:
        self.receiving += 1
        try:
            return await self.to_receive.get()
        finally:
            self.receiving -= 1

    async def send(self, message: Message) -> None:
        # As Granian: it waits until nobody receives any more.
        while message["type"] == "websocket.close" and self.receiving:
            await asyncio.sleep(0)
        self.sent.append(message)


class FrontLayerTest(unittest.IsolatedAsyncioTestCase):
    async def told(self, scope: Dict[str, Any], script_name: str = "", state: Optional[Dict[str, Any]] = None) -> Any:
        seen: List[Any] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope)

        server = Server()
        await FrontLayer(application, script_name, state or {})(scope, server.receive, server.send)
        return seen[0]

    async def test_the_real_client(self) -> None:
        scope = await self.told(request_scope(
            host="inner", x_forwarded_for="192.0.2.7", x_forwarded_proto="https",
            x_forwarded_host="shop.example.org:8443",
        ))
        self.assertEqual(
            (scope["client"], scope["server"], scope["scheme"], scope["root_path"]),
            (("192.0.2.7", 0), ("shop.example.org", 8443), "https", ""),
        )

    async def test_schemes_of_a_websocket(self) -> None:
        for scheme, expected in (("http", "ws"), ("https", "wss")):
            with self.subTest(scheme):
                scope = await self.told({**request_scope(x_forwarded_proto=scheme), "type": "websocket"})
                self.assertEqual(scope["scheme"], expected)

    async def test_without_a_client_there_is_none(self) -> None:
        scope = await self.told(request_scope(host="a:99999999"))
        self.assertEqual((scope["client"], scope["server"]), (None, ("a", 99999999)))

    async def test_root_path_where_the_application_is_mounted(self) -> None:
        for path, expected in (("/shop/a", "/shop"), ("/other", "")):
            with self.subTest(path):
                scope = await self.told(request_scope(path), "/shop")
                self.assertEqual((scope["path"], scope["root_path"]), (path, expected))

    async def test_each_request_has_a_state_of_its_own(self) -> None:
        state = {"database": object()}
        scope = await self.told(request_scope(), state=state)
        self.assertEqual(scope["state"], state)
        self.assertIsNot(scope["state"], state)

    async def test_a_server_that_insists_on_a_lifespan_gets_one(self) -> None:
        server = Server()
        for event in ("startup", "shutdown"):
            server.to_receive.put_nowait({"type": "lifespan." + event})
        await FrontLayer(fail, "", {})({"type": "lifespan"}, server.receive, server.send)
        self.assertEqual(
            [message["type"] for message in server.sent],
            ["lifespan.startup.complete", "lifespan.shutdown.complete"],
        )


class EndTest(unittest.IsolatedAsyncioTestCase):
    async def start(self, application: Application, **more: Any) -> None:
        self.server = Server()
        self.layer = FrontLayer(application, "", {})
        self.call = asyncio.ensure_future(
            self.layer({**request_scope(), **more}, self.server.receive, self.server.send)  # type: ignore[arg-type]
        )
        await asyncio.sleep(0)

    async def test_a_websocket_gets_a_close_frame_and_the_application_hears_of_it(self) -> None:
        heard: List[Message] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "websocket.accept"})
            heard.append(await receive())
            await send({"type": "websocket.send", "text": "too late"})

        await self.start(application, type="websocket")
        await asyncio.wait_for(self.layer.finish(LONG_SECONDS), DEADLINE_SECONDS)
        self.assertEqual(heard, [{"type": "websocket.disconnect", "code": 1012}])
        self.assertEqual(
            self.server.sent, [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 1012}]
        )

    async def test_one_that_is_not_accepted_yet_is_only_waited_for(self) -> None:
        may_end = asyncio.Event()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await may_end.wait()

        await self.start(application, type="websocket")
        finishing = asyncio.ensure_future(self.layer.finish(LONG_SECONDS))
        await asyncio.sleep(0)
        self.assertFalse(finishing.done())
        may_end.set()
        await asyncio.wait_for(finishing, DEADLINE_SECONDS)
        self.assertEqual(self.server.sent, [])

    async def test_a_request_that_does_not_end_is_cancelled(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.Event().wait()

        await self.start(application)
        await self.layer.finish(0.01)
        with self.assertRaises(asyncio.CancelledError):
            await asyncio.wait_for(self.call, DEADLINE_SECONDS)

    async def test_with_nothing_in_flight_it_returns(self) -> None:
        await asyncio.wait_for(FrontLayer(fail, "", {}).finish(LONG_SECONDS), DEADLINE_SECONDS)

    async def test_stacks_lead_to_where_the_application_waits(self) -> None:
        async def deep() -> None:
            await asyncio.Event().wait()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await deep()

        await self.start(application)
        (name, stack), = self.layer.stacks().items()
        self.assertEqual(name, "0, GET /")
        self.assertRegex(stack, r"(?s)in application.*in deep.*in wait")
        self.call.cancel()


async def fail(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the application was called")


if __name__ == "__main__":
    unittest.main()
