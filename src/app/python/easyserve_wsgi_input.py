"""wsgi.input, where the body of a request is not in its frame."""

import contextlib
import io
import os
from typing import Any

from easyserve_frames import BODY, Connection
from easyserve_wsgi_exchange import IS_COMPLETE, Exchange


class StreamedInput(io.RawIOBase):
    """wsgi.input of an upload that the front passes on as it arrives."""

    def __init__(self, connection: Connection, exchange: Exchange) -> None:
        self._connection = connection
        self._exchange = exchange
        self._rest = b""
        self._is_at_end = False

    def readable(self) -> bool:
        """Return True, as io.BufferedReader requires."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill `target` with the next bytes; return 0 at the end."""
        if not self._rest and not self._is_at_end:
            if self._exchange.state == IS_COMPLETE:
                # The front sends no more of it; the next frame is a request.
                raise OSError("the upload ended with the answer")
            kind, _, _, self._rest = self._connection.read_frame()
            if kind != BODY:
                raise OSError("a frame of kind %d in an upload" % kind)
            self._is_at_end = not self._rest
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def open_spooled(path: bytes) -> io.BufferedReader:
    """Open a request body that the front wrote to a file; delete the file."""
    body = open(path, "rb")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return body
