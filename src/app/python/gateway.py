"""Threaded WSGI gateway: runs one WSGI application for an easyserve front.

Started by easyserve (src/app/gateway-server.ts) with the project's own
interpreter; needs the standard library only, Python 3.8 and later.

It does not speak HTTP.  The front has parsed the request, and sends it as one
frame over a Unix socket, or through a port whose Doorkeeper lets in only the
front; the answer goes back the same way.  Each thread blocks on a connection
of its own, so there is no selector and no hand-off between threads.  The
frames are described in src/front/upstream/frames.ts.

    main ── start ── load_application, "ready" on the control descriptor
      ├─ serve_connections (N threads)
      │    └─ Worker.serve ── Connection.read_frame ── Exchange.run
      └─ easyserve_process: what joins it to easyserve

PEP 3333 is the contract towards the application.
"""

import argparse
import contextlib
import gc
import io
import os
import socket
import stat
import struct
import sys
import threading
import time
from types import TracebackType
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    TextIO,
    Tuple,
    Type,
    Union,
)

# Not there by itself with PYTHONSAFEPATH; join_easyserve takes it out again.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from easyserve_application import (  # noqa: E402
    format_failure,
    load_application,
    require_interface,
)
from easyserve_doorkeeper import Doorkeeper, split_secret  # noqa: E402
from easyserve_process import (  # noqa: E402
    THREAD_NAME,
    Ties,
    exit_unloaded,
    join_easyserve,
    listen,
    set_exit_deadline,
)
from easyserve_turnstile import Turnstile, has_gil  # noqa: E402

Environ = Dict[str, Any]
Headers = List[Tuple[str, str]]
ExcInfo = Union[
    Tuple[Type[BaseException], BaseException, TracebackType],
    Tuple[None, None, None],
]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Listener = Union[socket.socket, Doorkeeper]

# kind, flags, (two bytes unused), length of the head, length of the body
FRAME = struct.Struct("!BBxxII")
unpack_frame = FRAME.unpack_from

REQUEST = 1
REQUEST_SPOOLED = 2
REQUEST_STREAMED = 3
BODY = 4
FILE_OPENED = 5
FILE_REFUSED = 6

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
STAYS_BUSY = 1  # flag of an answer: the thread says IDLE once it is free

RECEIVE_BYTES = 65536
# A thread that takes longer than this to be free after its answer, in
# close() as a rule, has made a request wait that was sent to it too early.
SLOW_CLOSE_SECONDS = 0.001
# It announces then when it is free: during one request for each millisecond
# lost, from so many milliseconds on (less is the wait for the GIL), and
# during so many requests at most.
CAREFUL_FROM_MS = 20
CAREFUL_MS = 1000
ANSWERING_POLL_SECONDS = 0.005
# When the process has no descriptor left for another connection.
ACCEPT_RETRY_SECONDS = 0.5


class FrontGone(ConnectionError):
    """The front closed the connection: the client left, or easyserve did.

    An application that reads an upload sees it, as the OSError that it is.
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


class StreamedInput(io.RawIOBase):
    """wsgi.input of an upload that the front passes on as it arrives."""

    def __init__(self, connection: Connection, exchange: "Exchange") -> None:
        self._connection = connection
        self._exchange = exchange
        self._rest = b""
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest and not self._is_at_end:
            if self._exchange.completed_at is not None:
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


class FileWrapper:
    """wsgi.file_wrapper of PEP 3333, "Platform-Specific File Handling".

    A real file is handed over to the front by its path; anything else is read
    block by block.
    """

    def __init__(self, filelike: Any, block_size: int = 65536) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        while True:
            block = self.filelike.read(self.block_size)
            if not block:
                return
            yield block

    def locate(self) -> Optional[Tuple[str, int, int, os.stat_result]]:
        """Return path, offset, length and identity of a real file, or None."""
        try:
            source = find_real_file(self.filelike)
            if source is None:
                return None
            facts = os.fstat(source.fileno())
            name = source.name
            if isinstance(name, int):  # NamedTemporaryFile before Python 3.10
                name = self.filelike.name
            path = os.path.abspath(os.fsdecode(name))
            named = os.stat(path)
            offset = source.tell()
        except (AttributeError, OSError, ValueError, TypeError):
            return None
        is_same = os.path.samestat(named, facts)
        if not is_same or not stat.S_ISREG(facts.st_mode):
            return None
        if facts.st_size <= offset:  # a file in /proc has no size at all
            return None
        return path, offset, facts.st_size - offset, facts


def find_real_file(filelike: Any) -> Any:
    """Return the open file whose bytes `filelike.read` gives, or None.

    Name and descriptor don't tell: a GzipFile has those of the packed file.
    The owner of the method does, for Django's File has the read() of the file
    inside.
    """
    if type(filelike).__module__ == "tempfile":  # its read() is a function
        filelike = filelike.file
    source: Any = getattr(filelike.read, "__self__", None)
    if type(source) in (io.BufferedReader, io.BufferedRandom):
        return source if type(source.raw) is io.FileIO else None
    return source if type(source) is io.FileIO else None


class Exchange:
    """One request with its answer: start_response, write and the iteration."""

    __slots__ = (
        "_connection", "_answer_flags", "_is_head", "_was_called", "_head",
        "_declared_length", "_has_body", "has_started", "_sent_length",
        "_has_failed", "completed_at",
    )

    def __init__(self, connection: Connection, answer_flags: int) -> None:
        self._connection = connection
        self._answer_flags = answer_flags
        self._is_head = False
        self._was_called = False
        self._head = b""
        self._declared_length: Optional[int] = None
        self._has_body = True
        self.has_started = False
        self._sent_length = 0
        self._has_failed = False
        self.completed_at: Optional[float] = None

    def run(self, application: Application, environ: Environ) -> None:
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
                if self.has_started and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._was_called:
            raise AssertionError("start_response was called twice")
        if self.has_started:
            raise AssertionError("start_response was called after the headers")
        self._was_called = True
        self._head = b""  # of an earlier call, should this one raise
        self._head = self._encode_head(status, headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a block at once: the legacy way out of start_response."""
        check_bytes(data)
        if self._has_failed or self.completed_at is not None:
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
        """Say that the application raised: before its answer, or within."""
        if self.completed_at is None:
            self._has_failed = True
            kind = ABORT if self.has_started else FAILED
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
            if self._has_enough():
                break  # PEP 3333, "Handling the Content-Length Header"
            if not self.has_started and len(data) == self._declared_length:
                self._send_whole(data)
            else:
                self._send_piece(data)
        if self.completed_at is None:
            self._send_whole(b"")

    def _has_enough(self) -> bool:
        """Return whether a block has no place in the answer any more."""
        if self.completed_at is not None:
            return True
        if self._is_head or not self._has_body:
            return True
        declared = self._declared_length
        return declared is not None and self._sent_length >= declared

    def _send_whole(self, body: bytes) -> None:
        if self.has_started:
            if body:
                self._send_piece(body)
            self._end()
            return
        if not self._has_body:
            body = b""
        elif self._is_head:
            if self._declared_length is None and not body:
                # The answer to a GET may have a body: no length is known.
                self._send_piece(b"")
                self._end()
                return
            if self._declared_length is None:
                self._head += b"\0Content-Length\0%d" % len(body)
            body = b""
        elif self._declared_length is not None:
            self._check_length(len(body))
            body = body[:self._declared_length]
        self._send_start(WHOLE, self._answer_flags, body)
        self.completed_at = time.perf_counter()

    def _send_piece(self, data: bytes) -> None:
        if self._declared_length is not None:
            data = data[:self._declared_length - self._sent_length]
        self._sent_length += len(data)
        if self._is_head or not self._has_body:
            data = b""
        if not self.has_started:
            self._send_start(START, 0, data)
        elif data:
            self._connection.send_frame(PIECE, 0, b"", data)

    def _send_start(self, kind: int, flags: int, data: bytes) -> None:
        if not self._head:
            raise AssertionError("start_response was not called")
        self.has_started = True
        self._connection.send_frame(kind, flags, self._head, data)

    def _end(self) -> None:
        if self._has_body and not self._is_head:
            self._check_length(self._sent_length)
        self._connection.send_frame(END, self._answer_flags, b"", b"")
        self.completed_at = time.perf_counter()

    def _check_length(self, length: int) -> None:
        declared = self._declared_length
        if declared is not None and length < declared:
            raise ValueError(
                "Content-Length is %d, but the body has %d bytes"
                % (declared, length)
            )

    def _hand_over(self, wrapper: FileWrapper) -> bool:
        """Give the file to the front; False when it has to be read here."""
        if self.has_started or not self._head or not self._has_body:
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
        # The front opens the file before the application may delete it.
        while True:
            kind = self._connection.read_frame()[0]
            if kind != BODY:  # rest of an upload that nobody wanted to read
                break
        if kind != FILE_OPENED:
            return False
        self.has_started = True
        self._sent_length = length
        self._end()
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
    """Raise TypeError for a block of the answer that is no bytestring."""
    if not isinstance(data, bytes):
        raise TypeError(
            "the body must be bytes, not %s" % type(data).__name__
        )


class Worker:
    """One thread: answers the requests of one connection after another."""

    def __init__(
        self,
        number: int,
        application: Application,
        base: Environ,
        proof: bytes,
        turnstile: Optional[Turnstile] = None,
    ) -> None:
        self.number = number
        self._application = application
        self._base = base
        self._turnstile = turnstile
        self._hello = b"%d\0%s" % (number, proof) if proof else b"%d" % number
        self._answer_flags = 0
        self._careful_ms = 0
        self._peer: Optional[socket.socket] = None
        self._exchange: Optional[Exchange] = None

    @property
    def is_answering(self) -> bool:
        """Return whether it is in an answer, or in close() after it."""
        exchange = self._exchange
        return exchange is not None and exchange.has_started

    def serve(self, peer: socket.socket) -> None:
        """Answer request after request until the front closes."""
        self._peer = peer
        connection = Connection(peer)
        connection.send_frame(HELLO, 0, self._hello, b"")
        try:
            while True:
                self._answer_next(connection)
        finally:
            self._exchange = None

    def report(self, text: str) -> None:
        """Write to the application's log, whatever it did to sys.stderr."""
        with contextlib.suppress(OSError, ValueError):
            self._base["wsgi.errors"].write(text)

    def disconnect(self) -> None:
        """Leave the connection to the parent: called in a forked child."""
        if self._peer is not None:
            self._peer.close()

    # Private

    def _answer_next(self, connection: Connection) -> None:
        # A method of its own, so that nothing of the last request is kept
        # while the thread waits for the next.
        kind, flags, head, body = connection.read_frame()
        if kind == BODY:
            return  # rest of an upload that nobody wanted to read
        environ = self._base.copy()
        fields = iter(head.split("\0"))
        environ.update(zip(fields, fields))
        environ["wsgi.multiprocess"] = flags == IS_MULTIPROCESS
        self._exchange = exchange = Exchange(connection, self._answer_flags)
        if kind == REQUEST:
            environ["wsgi.input"] = io.BytesIO(body)
            self._run(exchange, environ)
        elif kind == REQUEST_STREAMED:
            upload = StreamedInput(connection, exchange)
            with io.BufferedReader(upload, RECEIVE_BYTES) as stream:
                environ["wsgi.input"] = stream
                self._run(exchange, environ)
        else:
            self._run_spooled(exchange, environ, body)
        if exchange.completed_at is not None:
            if self._answer_flags == STAYS_BUSY:
                connection.send_frame(IDLE, 0, b"", b"")
            self._note_delay(time.perf_counter() - exchange.completed_at)
        self._exchange = None

    def _run_spooled(
        self, exchange: Exchange, environ: Environ, path: bytes
    ) -> None:
        try:
            body = open_spooled(path)
        except OSError as error:  # the front removed it: the client has left
            self._report_failure(environ, str(error) + "\n")
            exchange.fail()
            return
        with body:
            environ["wsgi.input"] = body
            self._run(exchange, environ)

    def _run(self, exchange: Exchange, environ: Environ) -> None:
        turnstile = self._turnstile
        try:
            turn = turnstile.enter() if turnstile else None
            try:
                exchange.run(self._application, environ)
            finally:
                if turnstile:
                    turnstile.leave(turn)
        except FrontGone:
            raise
        except BaseException as error:  # sys.exit() in a view ends no thread
            self._report_failure(environ, format_failure(error))
            exchange.fail()

    def _report_failure(self, environ: Environ, reason: str) -> None:
        method = environ.get("REQUEST_METHOD")
        path = ascii(environ.get("PATH_INFO"))
        self.report("%s %s failed: %s" % (method, path, reason))

    def _note_delay(self, seconds: float) -> None:
        """Keep in mind how long the thread was busy after its answer."""
        if seconds > SLOW_CLOSE_SECONDS:
            self._careful_ms += int(seconds * 1000)
            self._careful_ms = min(self._careful_ms, CAREFUL_MS)
        elif self._careful_ms:
            self._careful_ms -= 1
        else:
            return
        is_careful = self._careful_ms >= CAREFUL_FROM_MS
        self._answer_flags = STAYS_BUSY if is_careful else 0


def open_spooled(path: bytes) -> io.BufferedReader:
    """Open a request body that the front spooled, and remove its name."""
    body = open(path, "rb")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return body


def serve_connections(listener: Listener, worker: Worker) -> None:
    """Accept one connection after another: the life of a thread."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError as error:
            if listener.fileno() < 0:
                os._exit(0)  # a child that the application forked and forgot
            worker.report("cannot accept a connection: %s\n" % error)
            time.sleep(ACCEPT_RETRY_SECONDS)
            continue
        try:
            worker.serve(peer)
        except FrontGone:
            pass  # the client went away in mid-answer, or easyserve did
        except Exception as error:
            worker.report(format_failure(error))  # the front sees it close
        with contextlib.suppress(OSError):
            peer.close()


def base_environ(threads: int, errors: TextIO) -> Environ:
    """Return what is the same in the environ of every request."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": errors,
        "wsgi.multithread": threads > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "easyserve",
    }


def start(options: argparse.Namespace, ties: Ties) -> List[Worker]:
    """Load the application, then serve it on threads of its own."""
    application = load_application(options.application)
    require_interface(options.application, application, "wsgi")
    ties.signals.catch()
    base = base_environ(options.threads, ties.errors)
    listener, proof = open_listener(options, ties)
    os.register_at_fork(after_in_child=listener.close)
    # What is loaded stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # Threads that have nobody to wait for need none.
    turnstile = Turnstile() if options.threads > 1 and has_gil() else None
    workers = [
        Worker(number, application, base, proof, turnstile)
        for number in range(options.threads)
    ]
    for worker in workers:
        os.register_at_fork(after_in_child=worker.disconnect)
        threading.Thread(
            target=serve_connections,
            args=(listener, worker),
            name=THREAD_NAME + str(worker.number),
            daemon=True,
        ).start()
    ties.control.is_serving = True
    if isinstance(listener, Doorkeeper):
        ties.control.tell("ready", port=listener.port)
    else:
        ties.control.tell("ready")
    return workers


def open_listener(
    options: argparse.Namespace, ties: Ties
) -> Tuple[Listener, bytes]:
    """Return where the front connects, and what it is shown there."""
    if not options.tcp:
        return listen(options.socket), b""
    secret, proof = split_secret(ties.control.wait_for_secret())
    return Doorkeeper(secret, ties.errors.write), proof


def finish_answers(workers: List[Worker]) -> None:
    """Let the application end with what it has answered already.

    The front has the answers, so it waits no longer: what is still done in
    close(), as by Django's request_finished, is known here only.
    """
    while any(worker.is_answering for worker in workers):
        time.sleep(ANSWERING_POLL_SECONDS)


def main(arguments: List[str]) -> None:
    """Run until easyserve says stop, or is gone."""
    parser = argparse.ArgumentParser(description="easyserve's WSGI gateway")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket")
    place.add_argument("--tcp", action="store_true")
    parser.add_argument("--application", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    ties = join_easyserve(options.control_fd)
    try:
        workers = start(options, ties)
    except BaseException as error:
        exit_unloaded(ties, error)
    ties.control.is_told_to_stop.wait()
    set_exit_deadline(0)
    finish_answers(workers)
    ties.signals.end()


if __name__ == "__main__":
    main(sys.argv[1:])
