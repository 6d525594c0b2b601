"""The wire between the front and one thread: frames over a connection.

The front has parsed the HTTP request, and sends it as one frame; the answer
goes back the same way. src/front/upstream/frames.ts describes the frames.
"""

import socket
import struct
from typing import Tuple, Union

# kind, flags, (two bytes unused), length of the head, length of the body
FRAME = struct.Struct("!BBxxII")
unpack_frame = FRAME.unpack_from

# What the front sends.
REQUEST = 1
REQUEST_SPOOLED = 2
REQUEST_STREAMED = 3
BODY = 4
FILE_OPENED = 5
FILE_REFUSED = 6

# What it gets.
HELLO = 1
WHOLE = 2
START = 3
PIECE = 4
END = 5
ABORT = 6
FILE = 7
FAILED = 8
IDLE = 9

IS_MULTIPROCESS = 1  # flag of a request: other processes run the application
STAYS_BUSY = 1  # flag of an answer: the thread sends IDLE once it is free

RECEIVE_BYTES = 65536


class FrontGone(ConnectionError):
    """The front closed the connection: the client left, or easyserve ended.

    An application that is reading an upload sees it, as an OSError.
    """


class Connection:
    """One persistent connection from the front, used by one thread."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._buffer = bytearray(RECEIVE_BYTES)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0

    def read_frame(self) -> Tuple[int, int, str, bytes]:
        """Return kind, flags, head and body; raise FrontGone at the end."""
        if self._start == self._end:
            self._start = 0
            self._end = self._receive_into(self._buffer)
        while self._end - self._start < FRAME.size:
            self._receive_more(FRAME.size)
        kind, flags, head_length, body_length = unpack_frame(
            self._buffer, self._start
        )
        total = FRAME.size + head_length + body_length
        if self._end - self._start < total:
            if total > RECEIVE_BYTES:
                return self._read_large(kind, flags, head_length, total)
            while self._end - self._start < total:
                self._receive_more(total)
        body_at = self._start + FRAME.size + head_length
        frame_end = self._start + total
        head = self._buffer[self._start + FRAME.size:body_at].decode("latin-1")
        body = self._view[body_at:frame_end].tobytes()
        self._start = frame_end
        return kind, flags, head, body

    def send_frame(
        self, kind: int, flags: int, head: bytes, body: bytes
    ) -> None:
        """Send one frame; a large body goes out without being copied."""
        start = FRAME.pack(kind, flags, len(head), len(body))
        try:
            if len(body) <= RECEIVE_BYTES:
                self._peer.sendall(start + head + body)
            else:
                self._peer.sendall(start + head)
                self._peer.sendall(body)
        except OSError as error:
            raise FrontGone from error

    # Private

    def _receive_into(self, target: Union[bytearray, memoryview]) -> int:
        try:
            count = self._peer.recv_into(target)
        except OSError as error:
            raise FrontGone from error
        if count == 0:
            raise FrontGone
        return count

    def _receive_more(self, needed: int) -> None:
        if self._start and self._start + needed > RECEIVE_BYTES:
            rest = self._end - self._start
            self._buffer[:rest] = self._buffer[self._start:self._end]
            self._start, self._end = 0, rest
        self._end += self._receive_into(self._view[self._end:])

    def _read_large(
        self, kind: int, flags: int, head_length: int, total: int
    ) -> Tuple[int, int, str, bytes]:
        frame = bytearray(total)
        have = self._end - self._start
        frame[:have] = self._view[self._start:self._end]
        self._start = self._end = 0
        view = memoryview(frame)
        while have < total:
            have += self._receive_into(view[have:])
        body_at = FRAME.size + head_length
        head = str(view[FRAME.size:body_at], "latin-1")
        return kind, flags, head, bytes(view[body_at:])
