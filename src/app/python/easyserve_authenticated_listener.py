"""A port of this machine on which only easyserve gets through.

For a gateway that can't listen on a Unix socket, whose folder only this user
may enter.  Anyone on the machine may connect to a port, so each connection
has to send a secret before it reaches a thread; and since anyone may listen
on a port that has become free, the front is sent one in return.

One thread watches all connections that have not sent their secret yet, so
that a silent one holds up no other.
"""

import collections
import contextlib
import hmac
import selectors
import socket
import threading
import time
from typing import Callable, Deque, Dict, NamedTuple, Optional, Tuple

from easyserve_process import pause_after_failed_accept

# The front sends the secret as it connects.
SECRET_TIMEOUT_SECONDS = 2.0
# More than fronts ever have; beyond it the oldest one is closed.
MAX_PENDING = 256


def split_secret(secret: bytes) -> Tuple[bytes, bytes]:
    """Return what the front sends, and the proof that it gets in return."""
    middle = len(secret) // 2
    return secret[:middle], secret[middle:]


class PendingConnection(NamedTuple):
    """A connection that has not sent all of the secret yet."""

    received: bytearray
    deadline: float


class AuthenticatedListener:
    """Listens; accept() returns only connections that sent the secret."""

    def __init__(
        self, secret: bytes, report: Callable[[str], object]
    ) -> None:
        self._secret = secret
        self._report = report
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(socket.SOMAXCONN)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        # In the order in which they came.
        self._pending: Dict[socket.socket, PendingConnection] = {}
        self._authenticated: Deque[socket.socket] = collections.deque()
        self._count = threading.Semaphore(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        threading.Thread(target=self._watch, daemon=True).start()

    def accept(self) -> Tuple[socket.socket, None]:
        """Wait for a connection that is easyserve's, like socket.accept."""
        if self.fileno() < 0:
            raise OSError("the listening socket is closed")
        self._count.acquire()
        return self._authenticated.popleft(), None

    def fileno(self) -> int:
        """Return -1 when it is closed, like socket.fileno."""
        return self._listener.fileno()

    def close(self) -> None:
        """Leave the port to the parent: called in a forked child."""
        self._listener.close()
        # Not unregister(): the parent uses the same epoll instance.
        self._selector.close()
        for peer in (*self._pending, *self._authenticated):
            peer.close()

    # Private

    def _watch(self) -> None:
        while True:
            for key, _ in self._selector.select(self._seconds_to_wait()):
                peer = key.fileobj
                assert isinstance(peer, socket.socket)
                if peer is self._listener:
                    self._accept_pending()
                elif peer in self._pending:
                    self._receive(peer)
            now = time.monotonic()
            for peer, pending in list(self._pending.items()):
                if pending.deadline <= now:
                    self._reject(peer)

    def _seconds_to_wait(self) -> Optional[float]:
        for pending in self._pending.values():  # the first is the oldest
            return max(0.0, pending.deadline - time.monotonic())
        return None

    def _accept_pending(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # it has been closed meanwhile
        except OSError as error:
            pause_after_failed_accept(error, self._report)
            return
        peer.setblocking(False)
        if len(self._pending) >= MAX_PENDING:
            self._reject(next(iter(self._pending)))
        deadline = time.monotonic() + SECRET_TIMEOUT_SECONDS
        self._pending[peer] = PendingConnection(bytearray(), deadline)
        self._selector.register(peer, selectors.EVENT_READ)

    def _receive(self, peer: socket.socket) -> None:
        received = self._pending[peer].received
        try:
            data = peer.recv(len(self._secret) - len(received))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        received += data
        if data and len(received) < len(self._secret):
            return
        if hmac.compare_digest(bytes(received), self._secret):
            self._admit(peer)
        else:
            self._reject(peer)

    def _admit(self, peer: socket.socket) -> None:
        self._forget(peer)
        try:
            peer.setblocking(True)
            # With Nagle's algorithm the second write of an answer would wait
            # until the first is acknowledged.
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            peer.close()  # the front has closed it already
            return
        self._authenticated.append(peer)
        self._count.release()

    def _reject(self, peer: socket.socket) -> None:
        self._forget(peer)
        with contextlib.suppress(OSError):
            peer.close()

    def _forget(self, peer: socket.socket) -> None:
        self._selector.unregister(peer)
        del self._pending[peer]
