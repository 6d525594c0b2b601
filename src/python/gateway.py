"""Threaded WSGI gateway: runs one WSGI application for an easyserve front.

Started by easyserve (src/app/gateway-server.ts) with the project's own
interpreter; needs the standard library only, Python 3.8 and later.

It does not speak HTTP.  The front has parsed the request, and sends it as one
frame over a Unix socket; the answer goes back the same way.  Each thread
blocks on a connection of its own, so there is no selector and no hand-off
between threads.  The frames are described in src/front/upstream/frames.ts.

    main ── start ── load_application, "ready" on the control descriptor
      ├─ serve_connections (N threads)
      │    └─ Worker.serve ── Connection.read_frame ── Exchange.run
      └─ Control.obey: "stacks", "stop", end of file when easyserve is gone

PEP 3333 is the contract towards the application.
"""

import argparse
import faulthandler
import gc
import importlib
import io
import json
import os
import signal
import socket
import stat
import struct
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NoReturn,
    Optional,
    Tuple,
    Type,
    Union,
)

Environ = Dict[str, Any]
Headers = List[Tuple[str, str]]
ExcInfo = Union[
    Tuple[Type[BaseException], BaseException, TracebackType],
    Tuple[None, None, None],
]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# kind, flags, (two bytes unused), length of the head, length of the body
FRAME = struct.Struct("!BBxxII")

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
# A close() that takes longer than this makes the thread announce when it is
# free, so that the front does not queue a request behind it.
SLOW_CLOSE_SECONDS = 0.001
# For so many requests after a slow close() the thread stays careful.
CAREFUL_REQUESTS = 1000
THREAD_NAME = "easyserve-"
EXIT_START_FAILED = 3
EXIT_DEADLINE_SECONDS = 3.0


class FrontGone(Exception):
    """The front closed the connection: the client left, or easyserve did."""


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
        kind, flags, head_length, body_length = FRAME.unpack_from(
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
        head = str(self._view[self._start + FRAME.size:body_at], "latin-1")
        body = bytes(self._view[body_at:frame_end])
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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rest = b""
        self._is_complete = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest and not self._is_complete:
            kind, _, _, self._rest = self._connection.read_frame()
            if kind != BODY:
                raise OSError("the upload was cut")
            self._is_complete = not self._rest
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class FileWrapper:
    """wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling").

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
            name = self.filelike.name
            facts = os.fstat(self.filelike.fileno())
            if not isinstance(name, str) or not stat.S_ISREG(facts.st_mode):
                return None
            path = os.path.abspath(name)
            named = os.stat(path)
            if (named.st_dev, named.st_ino) != (facts.st_dev, facts.st_ino):
                return None
            offset = self.filelike.tell()
        except (AttributeError, OSError, ValueError, TypeError):
            return None
        return path, offset, max(0, facts.st_size - offset), facts


class Exchange:
    """One request with its answer: start_response, write and the iteration."""

    __slots__ = (
        "_connection", "_worker", "_is_head", "_status", "_headers", "_head",
        "_has_started", "_declared_length", "_sent_length", "is_complete",
    )

    def __init__(self, connection: Connection, worker: "Worker") -> None:
        self._connection = connection
        self._worker = worker
        self._is_head = False
        self._status: Optional[str] = None
        self._headers: Headers = []
        self._head = b""
        self._has_started = False
        self._declared_length: Optional[int] = None
        self._sent_length = 0
        self.is_complete = False

    def run(self, application: Application, environ: Environ) -> None:
        """Call the application and send its answer; raise what it raises."""
        self._is_head = environ["REQUEST_METHOD"] == "HEAD"
        result = application(environ, self.start_response)
        try:
            self._send(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                self._worker.close(close)

    def start_response(
        self,
        status: str,
        headers: Headers,
        exc_info: Optional[ExcInfo] = None,
    ) -> Callable[[bytes], None]:
        """Keep status and headers until the first block (PEP 3333)."""
        if exc_info is not None:
            try:
                if self._has_started and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._status is not None:
            raise AssertionError("start_response was called twice")
        self._status = status
        self._headers = list(headers)
        self._encode_head()
        return self.write

    def write(self, data: bytes) -> None:
        """Send a block at once: the legacy way out of start_response."""
        if data:
            self._send_piece(data)

    def fail(self) -> None:
        """Say that the application raised: before its answer, or within."""
        if not self.is_complete:
            kind = ABORT if self._has_started else FAILED
            self._connection.send_frame(kind, 0, b"", b"")

    # Private

    def _encode_head(self) -> None:
        parts = [self._status or ""]
        self._declared_length = None
        for name, value in self._headers:
            parts.append(name)
            parts.append(value)
            if len(name) == 14 and name.lower() == "content-length":
                self._declared_length = int(value)
        text = "\0".join(parts)
        if (
            text.count("\0") != 2 * len(self._headers)
            or "\n" in text
            or "\r" in text
        ):
            raise ValueError("a control character in the status or a header")
        self._head = text.encode("latin-1")

    def _send(self, result: Iterable[bytes]) -> None:
        if isinstance(result, FileWrapper) and self._hand_over(result):
            return
        if isinstance(result, (list, tuple)) or (
            # Django's HttpResponse has all of its content already.
            getattr(result, "streaming", None) is False
        ):
            self._send_whole(b"".join(result))
            return
        for data in result:
            if not data or self.is_complete:
                continue
            if not self._has_started and len(data) == self._declared_length:
                self._send_whole(data)
            else:
                self._send_piece(data)
        if not self._has_started:
            self._send_whole(b"")
        elif not self.is_complete:
            self._end()

    def _send_whole(self, body: bytes) -> None:
        if self._has_started:
            if body:
                self._send_piece(body)
            self._end()
            return
        if self._status is None:
            raise AssertionError("start_response was not called")
        declared = self._declared_length
        if not self._is_head and declared is not None:
            if len(body) < declared and not self._has_no_body():
                raise ValueError(
                    "Content-Length is %d, but the body has %d bytes"
                    % (declared, len(body))
                )
            body = body[:declared]
        if self._has_no_body():
            body = b""
        self._has_started = True
        self.is_complete = True
        self._connection.send_frame(
            WHOLE, self._worker.answer_flags, self._head, body
        )

    def _send_piece(self, data: bytes) -> None:
        if self._status is None:
            raise AssertionError("start_response was not called")
        if self._declared_length is not None:
            data = data[:self._declared_length - self._sent_length]
        self._sent_length += len(data)
        kind = PIECE
        head = b""
        if not self._has_started:
            self._has_started = True
            kind = START
            head = self._head
        elif not data:
            return
        if self._is_head or self._has_no_body():
            data = b""
        self._connection.send_frame(kind, 0, head, data)

    def _end(self) -> None:
        declared = self._declared_length
        if declared is not None and self._sent_length < declared:
            if not self._is_head and not self._has_no_body():
                raise ValueError(
                    "Content-Length is %d, but the body has %d bytes"
                    % (declared, self._sent_length)
                )
        self.is_complete = True
        self._connection.send_frame(END, self._worker.answer_flags, b"", b"")

    def _has_no_body(self) -> bool:
        status = self._status or ""
        return status[:3] in ("204", "304") or status[:1] == "1"

    def _hand_over(self, wrapper: FileWrapper) -> bool:
        """Give the file to the front; False when it has to be read here."""
        if self._has_started or self._is_head or self._has_no_body():
            return False
        found = wrapper.locate()
        if self._status is None or found is None:
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
        self._connection.send_frame(
            FILE, 0, self._head, os.fsencode(target)
        )
        # The front opens the file before the application may delete it.
        while True:
            kind = self._connection.read_frame()[0]
            if kind != BODY:
                break
        if kind != FILE_OPENED:
            return False
        self._has_started = True
        self._sent_length = length
        self._end()
        return True


class Worker:
    """What the connections of one thread share."""

    def __init__(
        self, number: int, application: Application, base: Environ
    ) -> None:
        self.number = number
        self.answer_flags = 0
        self._careful_requests = 0
        self._application = application
        self._base = base

    def serve(self, peer: socket.socket) -> None:
        """Answer request after request until the front closes."""
        connection = Connection(peer)
        connection.send_frame(HELLO, 0, str(self.number).encode(), b"")
        base = self._base
        while True:
            kind, flags, head, body = connection.read_frame()
            if kind == BODY:
                continue  # rest of an upload that nobody wanted to read
            environ = base.copy()
            fields = iter(head.split("\0"))
            environ.update(zip(fields, fields))
            environ["wsgi.multiprocess"] = bool(flags & IS_MULTIPROCESS)
            if kind == REQUEST:
                environ["wsgi.input"] = io.BytesIO(body)
            elif kind == REQUEST_SPOOLED:
                environ["wsgi.input"] = open_spooled(body)
            else:
                environ["wsgi.input"] = io.BufferedReader(
                    StreamedInput(connection), RECEIVE_BYTES
                )
            self._answer(connection, environ)

    def close(self, close: Callable[[], Any]) -> None:
        """Call close() of the answer, and keep in mind whether it is slow."""
        begin = time.perf_counter()
        close()
        if time.perf_counter() - begin > SLOW_CLOSE_SECONDS:
            self._careful_requests = CAREFUL_REQUESTS

    # Private

    def _answer(self, connection: Connection, environ: Environ) -> None:
        exchange = Exchange(connection, self)
        try:
            exchange.run(self._application, environ)
        except FrontGone:
            raise
        except BaseException:  # a sys.exit() in a view ends no thread
            report_exception(environ)
            exchange.fail()
        finally:
            environ["wsgi.input"].close()
        if self.answer_flags == STAYS_BUSY and exchange.is_complete:
            connection.send_frame(IDLE, 0, b"", b"")
        if self._careful_requests:
            self._careful_requests -= 1
            self.answer_flags = STAYS_BUSY if self._careful_requests else 0


def open_spooled(path: bytes) -> io.BufferedReader:
    """Open a request body that the front spooled; its name is not needed on."""
    body = open(path, "rb")
    os.unlink(path)
    return body


def report_exception(environ: Environ) -> None:
    """Write the traceback of a failed request to the application's log."""
    sys.stderr.write(
        "%s %s failed:\n%s"
        % (
            environ.get("REQUEST_METHOD"),
            ascii(environ.get("PATH_INFO", "")),
            traceback.format_exc(),
        )
    )


def serve_connections(listener: socket.socket, worker: Worker) -> None:
    """Accept one connection after another: the life of a thread."""
    while True:
        peer, _ = listener.accept()
        try:
            worker.serve(peer)
        except FrontGone:
            pass  # the client went away in mid-answer, or easyserve did
        except Exception:
            traceback.print_exc()  # the front sees the connection close
        finally:
            peer.close()


def load_application(spec: str) -> Application:
    """Import `module:attribute` or call the factory `module:attribute()`."""
    module_name, _, attribute = spec.partition(":")
    module = importlib.import_module(module_name)
    is_factory = attribute.endswith("()")
    target: Any = module
    for part in (attribute[:-2] if is_factory else attribute).split("."):
        target = getattr(target, part)
    if is_factory:
        target = target()
    if not callable(target):
        raise TypeError("%s is not callable" % spec)
    application: Application = target
    return application


def base_environ(threads: int) -> Environ:
    """Return what is the same in the environ of every request."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "easyserve",
    }


def listen(path: str, threads: int) -> socket.socket:
    """Listen on a Unix socket that only this user can reach."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(mask)
    listener.listen(2 * threads)
    return listener


def resident_bytes() -> Optional[int]:
    """Return the resident size of this process where the system tells it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            pages = int(statm.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


class Control:
    """The descriptor that joins this process to easyserve: one JSON a line."""

    def __init__(self, descriptor: int) -> None:
        # The application's own children must not hold it open.
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        # Reentrant: the handler of SIGTERM may come in the middle of tell().
        self._lock = threading.RLock()
        self.is_serving = False
        self.is_told_to_stop = threading.Event()

    def tell(self, event: str, **fields: Any) -> None:
        """Send one event."""
        line = json.dumps({"event": event, **fields}) + "\n"
        with self._lock:
            rest = memoryview(line.encode())
            while rest:
                rest = rest[os.write(self._descriptor, rest):]

    def obey(self) -> None:
        """Follow commands until the end; runs in a thread from the start on.

        End of file means that easyserve is gone, however it went: then this
        process ends too, even in the middle of an import that hangs.
        """
        pending = b""
        while True:
            try:
                received = os.read(self._descriptor, 4096)
            except OSError:
                received = b""
            if not received:
                exit_as_orphan()
            pending += received
            *lines, pending = pending.split(b"\n")
            for line in lines:
                command = json.loads(line)["command"]
                if command == "stop" and self.is_serving:
                    self.is_told_to_stop.set()
                elif command == "stop":
                    os._exit(0)  # in the middle of loading the application
                elif command == "stacks":
                    self.tell("stacks", stacks=thread_stacks())


def thread_stacks() -> Dict[str, str]:
    """Return the stack of every serving thread by number, and of `main`."""
    frames = sys._current_frames()
    stacks = {}
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is None:
            continue
        text = "".join(traceback.format_stack(frame))
        if thread is threading.main_thread():
            stacks["main"] = text
        elif thread.name.startswith(THREAD_NAME):
            stacks[thread.name[len(THREAD_NAME):]] = text
    return stacks


def exit_as_orphan() -> NoReturn:
    """Exit at once, and take the application's own children along."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
    os._exit(0)


def exit_in_order() -> NoReturn:
    """Exit with the application's atexit functions, within a deadline."""
    deadline = threading.Timer(EXIT_DEADLINE_SECONDS, os._exit, (0,))
    deadline.daemon = True
    deadline.start()
    sys.exit(0)


def start(options: argparse.Namespace, control: Control) -> None:
    """Load the application, then serve it on threads of its own."""
    application = load_application(options.application)
    base = base_environ(options.threads)
    listener = listen(options.socket, options.threads)
    # What is loaded stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    for number in range(options.threads):
        threading.Thread(
            target=serve_connections,
            args=(listener, Worker(number, application, base)),
            name=THREAD_NAME + str(number),
            daemon=True,
        ).start()
    control.is_serving = True
    control.tell(
        "ready",
        isGilEnabled=getattr(sys, "_is_gil_enabled", lambda: True)(),
        rssBytes=resident_bytes(),
    )


def main(arguments: List[str]) -> None:
    """Run until easyserve says stop, or is gone."""
    parser = argparse.ArgumentParser(description="easyserve's WSGI gateway")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    # As manage.py has it: the project's folder, not this file's.
    sys.path[0] = os.getcwd()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    faulthandler.enable()
    control = Control(options.control_fd)
    threading.Thread(target=control.obey, daemon=True).start()
    # easyserve decides when to end, so that no request is lost: it puts a
    # successor into service first, and says "stop" then.
    signal.signal(signal.SIGTERM, lambda *_: control.tell("terminated"))
    try:
        start(options, control)
    except BaseException as error:
        trace = traceback.format_exc()
        sys.stderr.write(trace)
        control.tell("failed", error=trace, kind=type(error).__name__)
        sys.exit(EXIT_START_FAILED)
    control.is_told_to_stop.wait()
    exit_in_order()


if __name__ == "__main__":
    main(sys.argv[1:])
