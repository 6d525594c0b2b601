"""One thread of the gateway: it answers one request after another."""

import contextlib
import io
import os
import socket
import time
from typing import Optional, Union

from easyserve_application import Environ, WsgiApplication, format_failure
from easyserve_authenticated_listener import AuthenticatedListener
from easyserve_frames import (
    BODY,
    HELLO,
    IDLE,
    IS_MULTIPROCESS,
    RECEIVE_BYTES,
    REQUEST,
    REQUEST_STREAMED,
    STAYS_BUSY,
    Connection,
    FrontGone,
)
from easyserve_gil_limiter import GilLimiter
from easyserve_process import pause_after_failed_accept
from easyserve_wsgi_exchange import IS_COMPLETE, IS_STARTED, Exchange
from easyserve_wsgi_input import StreamedInput, open_spooled

Listener = Union[socket.socket, AuthenticatedListener]

# The front takes a thread for free when it has the answer.  One that is busy
# for longer than this afterwards, mostly in the application's close(), has
# made the next request wait.
SLOW_CLOSE_SECONDS = 0.001
# A thread that was slow tells the front when it is free (IDLE).  It does so
# for one request for each millisecond that it was busy, for CAREFUL_MS
# requests at most; below CAREFUL_FROM_MS it may only have waited for the GIL.
CAREFUL_FROM_MS = 20
CAREFUL_MS = 1000


class Worker:
    """One thread: answers the requests of one connection after another."""

    def __init__(
        self,
        number: int,
        application: WsgiApplication,
        base: Environ,
        proof: bytes,
        limiter: Optional[GilLimiter] = None,
    ) -> None:
        """`base`: what is the same in the environ of every request.

        `proof`: what the front wants to see over TCP, or nothing.
        """
        self.number = number
        self._application = application
        self._base = base
        self._limiter = limiter
        self._hello = b"%d\0%s" % (number, proof) if proof else b"%d" % number
        self._answer_flags = 0
        self._careful_ms = 0
        self._peer: Optional[socket.socket] = None
        self._exchange: Optional[Exchange] = None

    @property
    def is_answering(self) -> bool:
        """Return whether it is in an answer, or in close() after it."""
        exchange = self._exchange
        return exchange is not None and exchange.state >= IS_STARTED

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
            return  # rest of an upload that the application did not read
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
        if exchange.state == IS_COMPLETE:
            if self._answer_flags == STAYS_BUSY:
                connection.send_frame(IDLE, 0, b"", b"")
            self._note_delay(time.perf_counter() - exchange.completed_at)
        self._exchange = None

    def _run_spooled(
        self, exchange: Exchange, environ: Environ, path: bytes
    ) -> None:
        try:
            body = open_spooled(path)
        except OSError as error:  # the front deleted it: the client has left
            self._report_failure(environ, str(error) + "\n")
            exchange.fail()
            return
        with body:
            environ["wsgi.input"] = body
            self._run(exchange, environ)

    def _run(self, exchange: Exchange, environ: Environ) -> None:
        limiter = self._limiter
        try:
            turn = limiter.acquire() if limiter else None
            try:
                exchange.run(self._application, environ)
            finally:
                if limiter:
                    limiter.release(turn)
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
        """Take into account how long the thread was busy after its answer."""
        if seconds > SLOW_CLOSE_SECONDS:
            self._careful_ms += int(seconds * 1000)
            self._careful_ms = min(self._careful_ms, CAREFUL_MS)
        elif self._careful_ms:
            self._careful_ms -= 1
        else:
            return
        is_careful = self._careful_ms >= CAREFUL_FROM_MS
        self._answer_flags = STAYS_BUSY if is_careful else 0


def serve_connections(listener: Listener, worker: Worker) -> None:
    """Accept one connection after another; the target of a thread."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError as error:
            if listener.fileno() < 0:
                # This is a child that a view forked and did not end: the
                # listener is closed there.
                os._exit(0)
            pause_after_failed_accept(error, worker.report)
            continue
        try:
            worker.serve(peer)
        except FrontGone:
            pass  # the client left before the answer ended, or easyserve did
        except Exception as error:
            worker.report(format_failure(error))  # the front sees the close
        with contextlib.suppress(OSError):
            peer.close()
