"""A port of this machine on which only easyserve gets in.

Used by gateway.py where it can't listen on a Unix socket, whose folder only
this user may enter.  To a port anyone on the machine may connect, so each
connection has to show a secret before it reaches a thread; and since anyone
may listen on a port that has become free, the front is shown one in turn.

The connections that have shown nothing yet wait in a thread of their own:
whoever connects and says nothing holds up nobody.
"""

import collections
import contextlib
import hmac
import selectors
import socket
import threading
import time
from typing import Callable, Deque, Dict, NamedTuple, Optional, Tuple

# The front sends the secret as it connects.
PROOF_SECONDS = 2.0
# More than fronts ever have; beyond it the longest waiting one has to go.
MAX_WAITING = 256
# When the process has no descriptor left for another connection.
ACCEPT_RETRY_SECONDS = 0.5


def split_secret(secret: bytes) -> Tuple[bytes, bytes]:
    """Return what the front shows, and what it is shown in turn."""
    middle = len(secret) // 2
    return secret[:middle], secret[middle:]


class Visitor(NamedTuple):
    """A connection that has not shown all of the secret yet."""

    shown: bytearray
    deadline: float


class Doorkeeper:
    """Listens; accept() returns only connections that showed the secret."""

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
        self._visitors: Dict[socket.socket, Visitor] = {}
        self._admitted: Deque[socket.socket] = collections.deque()
        self._count = threading.Semaphore(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        threading.Thread(target=self._watch, daemon=True).start()

    def accept(self) -> Tuple[socket.socket, None]:
        """Wait for a connection that is easyserve's, as socket.accept."""
        if self.fileno() < 0:
            raise OSError("the listening socket is closed")
        self._count.acquire()
        return self._admitted.popleft(), None

    def fileno(self) -> int:
        """Return -1 when it is closed, as socket.fileno."""
        return self._listener.fileno()

    def close(self) -> None:
        """Leave the port to the parent: called in a forked child."""
        self._listener.close()
        self._selector.close()  # unregistering would reach the parent's too
        for peer in (*self._visitors, *self._admitted):
            peer.close()

    # Private

    def _watch(self) -> None:
        while True:
            for key, _ in self._selector.select(self._seconds_to_wait()):
                peer = key.fileobj
                assert isinstance(peer, socket.socket)
                if peer is self._listener:
                    self._let_visitor_in()
                elif peer in self._visitors:
                    self._look_at(peer)
            now = time.monotonic()
            for peer, visitor in list(self._visitors.items()):
                if visitor.deadline <= now:
                    self._turn_away(peer)

    def _seconds_to_wait(self) -> Optional[float]:
        for visitor in self._visitors.values():  # the first has waited longest
            return max(0.0, visitor.deadline - time.monotonic())
        return None

    def _let_visitor_in(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # gone again
        except OSError as error:
            self._report("cannot accept a connection: %s\n" % error)
            time.sleep(ACCEPT_RETRY_SECONDS)
            return
        peer.setblocking(False)
        if len(self._visitors) >= MAX_WAITING:
            self._turn_away(next(iter(self._visitors)))
        deadline = time.monotonic() + PROOF_SECONDS
        self._visitors[peer] = Visitor(bytearray(), deadline)
        self._selector.register(peer, selectors.EVENT_READ)

    def _look_at(self, peer: socket.socket) -> None:
        shown = self._visitors[peer].shown
        try:
            received = peer.recv(len(self._secret) - len(shown))
        except BlockingIOError:
            return
        except OSError:
            received = b""
        shown += received
        if received and len(shown) < len(self._secret):
            return
        if hmac.compare_digest(bytes(shown), self._secret):
            self._admit(peer)
        else:
            self._turn_away(peer)

    def _admit(self, peer: socket.socket) -> None:
        self._forget(peer)
        try:
            peer.setblocking(True)
            # An answer of several writes must not wait for what Nagle's
            # algorithm waits for.
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            peer.close()  # the front has left already
            return
        self._admitted.append(peer)
        self._count.release()

    def _turn_away(self, peer: socket.socket) -> None:
        self._forget(peer)
        with contextlib.suppress(OSError):
            peer.close()

    def _forget(self, peer: socket.socket) -> None:
        self._selector.unregister(peer)
        del self._visitors[peer]
