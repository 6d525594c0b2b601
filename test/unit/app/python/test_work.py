"""What one request costs in calls of our own functions: a guard of the speed that is the same on every machine.

test/work/ counts the system calls. Where the bound here is exceeded, see whether the new call is worth it for each
request.
"""
import io
import socket
import sys
import unittest
from collections import Counter
from types import FrameType
from typing import Any, Callable, Dict, Iterable

from paths import SOURCE

sys.path.insert(0, SOURCE)
import gateway  # noqa: E402
from easyserve_frames import FRAME, REQUEST, WHOLE, Connection  # noqa: E402
from easyserve_gil_limiter import GilLimiter  # noqa: E402
from easyserve_worker import Worker  # noqa: E402

# read_frame to send_frame, and what PEP 3333 takes in between.
MAX_CALLS = 17


def application(environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '5')])
    return [b'hello']


class WorkTest(unittest.TestCase):
    def test_calls_for_one_request(self) -> None:
        front, peer = socket.socketpair()
        front.settimeout(20)  # of an answer that never comes
        self.addCleanup(front.close)
        self.addCleanup(peer.close)
        base = gateway.base_environ(4, io.StringIO())
        worker = Worker(0, application, base, b'', GilLimiter())
        connection = Connection(peer)
        head = b'\0'.join([b'REQUEST_METHOD', b'GET', b'PATH_INFO', b'/', b'HTTP_HOST', b'localhost'])
        frame = FRAME.pack(REQUEST, 0, len(head), 0) + head
        calls: 'Counter[str]' = Counter()

        def count(frame: FrameType, event: str, _argument: Any) -> None:
            if event == 'call' and frame.f_code.co_filename.startswith(SOURCE):
                calls[frame.f_code.co_name] += 1

        front.sendall(frame)
        sys.setprofile(count)
        try:
            worker._answer_next(connection)
        finally:
            sys.setprofile(None)
        kind, _, head_length, body_length = FRAME.unpack(front.recv(FRAME.size))
        self.assertEqual(kind, WHOLE)
        self.assertTrue(front.recv(head_length + body_length).endswith(b'hello'))
        self.assertLessEqual(sum(calls.values()), MAX_CALLS, dict(calls))


if __name__ == '__main__':
    unittest.main()
