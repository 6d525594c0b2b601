"""One request with its answer, as PEP 3333 has it."""

import os
import time
from types import TracebackType
from typing import Callable, Iterable, List, Optional, Tuple, Type, Union

from easyserve_application import Environ, WsgiApplication
from easyserve_file_wrapper import FileWrapper
from easyserve_frames import (
    ABORT,
    BODY,
    END,
    FAILED,
    FILE,
    FILE_OPENED,
    PIECE,
    START,
    WHOLE,
    Connection,
)

Headers = List[Tuple[str, str]]
ExcInfo = Union[
    Tuple[Type[BaseException], BaseException, TracebackType],
    Tuple[None, None, None],
]

# How far an answer has come. Plain numbers, since looking up a member of an
# Enum is a call of a Python function before Python 3.12.
#
#     IS_NEW ── start_response ──> IS_DECLARED ── first frame ──> IS_STARTED
#     IS_STARTED ── last frame ──> IS_COMPLETE
#     any but IS_COMPLETE ── the application raised ──> IS_BROKEN
IS_NEW = 0
IS_DECLARED = 1
IS_STARTED = 2
IS_COMPLETE = 3
IS_BROKEN = 4


class Exchange:
    """One request with its answer: start_response, write and the iteration."""

    __slots__ = (
        "_connection", "_answer_flags", "_is_head", "_head",
        "_declared_length", "_has_body", "_sent_length", "state",
        "completed_at",
    )

    def __init__(self, connection: Connection, answer_flags: int) -> None:
        self._connection = connection
        self._answer_flags = answer_flags
        self._is_head = False
        # Empty after start_response too, if that raised.
        self._head = b""
        self._declared_length: Optional[int] = None
        self._has_body = True
        self._sent_length = 0
        self.state = IS_NEW
        # Of time.perf_counter, in the state IS_COMPLETE.
        self.completed_at = 0.0

    def run(self, application: WsgiApplication, environ: Environ) -> None:
        """Call the application and send its answer; raise what it raises."""
        self._is_head = environ["REQUEST_METHOD"] == "HEAD"
        result = application(environ, self.start_response)
        try:
            self._send(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def start_response(
        self,
        status: str,
        headers: Headers,
        exc_info: Optional[ExcInfo] = None,
    ) -> Callable[[bytes], None]:
        """Keep status and headers until the first block (PEP 3333)."""
        if exc_info is not None:
            try:
                if self.state >= IS_STARTED and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.state != IS_NEW:
            raise AssertionError("start_response was called twice")
        if self.state >= IS_STARTED:
            raise AssertionError("start_response was called after the headers")
        self.state = IS_DECLARED
        self._head = b""  # without the head of an earlier call, if this raises
        self._head = self._encode_head(status, headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a block at once: what start_response returns (PEP 3333)."""
        check_bytes(data)
        if self.state > IS_STARTED:
            # The connection may carry another request by now.
            raise ValueError("write() was called after the end of the answer")
        declared = self._declared_length
        if declared is not None and self._has_body and not self._is_head:
            if self._sent_length + len(data) > declared:
                raise ValueError(
                    "write() goes beyond the Content-Length of %d" % declared
                )
        self._send_piece(data)

    def fail(self) -> None:
        """Tell the front that the application raised, unless all is sent."""
        if self.state != IS_COMPLETE:
            kind = ABORT if self.state == IS_STARTED else FAILED
            self.state = IS_BROKEN
            self._connection.send_frame(kind, 0, b"", b"")

    # Private

    def _encode_head(self, status: str, headers: Headers) -> bytes:
        parts = [status]
        declared = None
        for name, value in headers:
            parts.append(name)
            parts.append(value)
            if len(name) == 14 and name.lower() == "content-length":
                declared = parse_length(value, declared)
        self._declared_length = declared
        text = "\0".join(parts)
        if (
            text.count("\0") != len(parts) - 1
            or "\n" in text
            or "\r" in text
        ):
            raise ValueError("a control character in the status or a header")
        code = int(status[:3])
        self._has_body = code >= 200 and code != 204 and code != 304
        return text.encode("latin-1")

    def _send(self, result: Iterable[bytes]) -> None:
        if isinstance(result, (list, tuple)) or (
            # Django's HttpResponse has all of its content already.
            getattr(result, "streaming", None) is False
        ):
            self._send_whole(b"".join(result))
            return
        if isinstance(result, FileWrapper) and self._hand_over(result):
            return
        for data in result:
            if not data:
                continue
            check_bytes(data)
            if self._is_full():
                break  # PEP 3333, "Handling the Content-Length Header"
            if self.state != IS_STARTED and len(data) == self._declared_length:
                self._send_whole(data)
            else:
                self._send_piece(data)
        if self.state != IS_COMPLETE:
            self._send_whole(b"")

    def _is_full(self) -> bool:
        """Return whether the answer has no place for another block."""
        if self.state == IS_COMPLETE or self._is_head or not self._has_body:
            return True
        declared = self._declared_length
        return declared is not None and self._sent_length >= declared

    def _send_whole(self, body: bytes) -> None:
        if self.state == IS_STARTED:
            if body:
                self._send_piece(body)
            self._send_end()
            return
        if not self._has_body:
            body = b""
        elif self._is_head:
            if self._declared_length is None and not body:
                # The answer to a GET may have a body: no length is known.
                self._send_piece(b"")
                self._send_end()
                return
            if self._declared_length is None:
                self._head += b"\0Content-Length\0%d" % len(body)
            body = b""
        elif self._declared_length is not None:
            self._check_length(len(body))
            body = body[:self._declared_length]
        self._send_start(WHOLE, self._answer_flags, body)
        self.completed_at = time.perf_counter()
        self.state = IS_COMPLETE

    def _send_piece(self, data: bytes) -> None:
        if self._declared_length is not None:
            data = data[:self._declared_length - self._sent_length]
        self._sent_length += len(data)
        if self._is_head or not self._has_body:
            data = b""
        if self.state != IS_STARTED:
            self._send_start(START, 0, data)
        elif data:
            self._connection.send_frame(PIECE, 0, b"", data)

    def _send_start(self, kind: int, flags: int, data: bytes) -> None:
        if not self._head:
            raise AssertionError("start_response was not called")
        self.state = IS_STARTED
        self._connection.send_frame(kind, flags, self._head, data)

    def _send_end(self) -> None:
        if self._has_body and not self._is_head:
            self._check_length(self._sent_length)
        self._connection.send_frame(END, self._answer_flags, b"", b"")
        self.completed_at = time.perf_counter()
        self.state = IS_COMPLETE

    def _check_length(self, length: int) -> None:
        declared = self._declared_length
        if declared is not None and length < declared:
            raise ValueError(
                "Content-Length is %d, but the body has %d bytes"
                % (declared, length)
            )

    def _hand_over(self, wrapper: FileWrapper) -> bool:
        """Give the file to the front; False when it has to be read here."""
        if self.state != IS_DECLARED or not self._head or not self._has_body:
            return False
        found = wrapper.locate()
        if found is None:
            return False
        path, offset, length, facts = found
        if self._declared_length is not None:
            if self._declared_length > length:
                return False
            length = self._declared_length
        target = "\0".join(
            (path, str(offset), str(length), str(facts.st_dev),
             str(facts.st_ino))
        )
        self._connection.send_frame(FILE, 0, self._head, os.fsencode(target))
        # The application may delete the file in close(): wait until the front
        # has opened it.
        while True:
            kind = self._connection.read_frame()[0]
            if kind != BODY:  # rest of an upload that the application ignored
                break
        if kind != FILE_OPENED:
            return False
        self.state = IS_STARTED
        self._sent_length = length
        self._send_end()
        return True


def parse_length(value: str, before: Optional[int]) -> int:
    """Return a Content-Length; `before` is that of an earlier such header."""
    if not (value.isascii() and value.isdigit()):
        raise ValueError("Content-Length is %r" % value)
    length = int(value)
    if before is not None and before != length:
        raise ValueError("Content-Length is both %d and %d" % (before, length))
    return length


def check_bytes(data: bytes) -> None:
    """Raise TypeError when a block of the answer is not bytes."""
    if not isinstance(data, bytes):
        raise TypeError(
            "the body must be bytes, not %s" % type(data).__name__
        )
