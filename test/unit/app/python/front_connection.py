"""The front's end of a connection to a gateway: src/front/upstream/frames.ts in Python."""

import socket
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

FRAME = struct.Struct("!BBxxII")
HEADER_BYTES = FRAME.size

REQUEST, REQUEST_SPOOLED, REQUEST_STREAMED, BODY, FILE_OPENED, FILE_REFUSED = range(1, 7)
HELLO, WHOLE, START, PIECE, END, ABORT, FILE, FAILED, IDLE = range(1, 10)

IS_MULTIPROCESS = 1
STAYS_BUSY = 1

DEADLINE_SECONDS = 20.0


class Frame(NamedTuple):
    kind: int
    flags: int
    head: bytes
    body: bytes


class FileTarget(NamedTuple):
    path: str
    offset: int
    length: int
    device: int
    inode: int


class Answer(NamedTuple):
    """All frames of one answer."""

    # WHOLE, END, ABORT or FAILED
    end: int
    flags: int
    status: str
    headers: List[Tuple[str, str]]
    body: bytes
    kinds: List[int]
    file: Optional[FileTarget]

    def header(self, name: str) -> Optional[str]:
        """Return the value of a header that is there once at most."""
        values = [value for found, value in self.headers if found.lower() == name.lower()]
        assert len(values) <= 1, values
        return values[0] if values else None


def encode_frame(kind: int, head: bytes = b"", body: bytes = b"", flags: int = 0) -> bytes:
    return FRAME.pack(kind, flags, len(head), len(body)) + head + body


def encode_environ(path: str, method: str = "GET", **extra: str) -> bytes:
    """Return the head of a request frame; `path` is as in PATH_INFO."""
    environ: Dict[str, str] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "example.org",
    }
    environ.update(extra)
    return "\0".join(text for pair in environ.items() for text in pair).encode("latin-1")


class FrontConnection:
    """One connection to one thread of a gateway. Every wait has a deadline."""

    def __init__(self, place: Union[str, Tuple[str, int]]) -> None:
        """`place`: the path of a Unix socket, or host and port."""
        family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_SECONDS)
        try:
            self.socket.connect(place)
        except OSError:
            self.socket.close()
            raise
        self._received = bytearray()
        self.thread = -1

    def wait_for_hello(self) -> "FrontConnection":
        frame = self.read_frame()
        assert frame.kind == HELLO, frame
        self.thread = int(frame.head)
        return self

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **extra: str) -> Answer:
        """Send a request whose body is in memory, and read the answer."""
        self.send_request(path, method, body, **extra)
        return self.read_answer()

    def send_request(self, path: str, method: str = "GET", body: bytes = b"", **extra: str) -> None:
        if body:
            extra.setdefault("CONTENT_LENGTH", str(len(body)))
        self.send(REQUEST, encode_environ(path, method, **extra), body)

    def send(self, kind: int, head: bytes = b"", body: bytes = b"", flags: int = 0) -> None:
        self.socket.sendall(encode_frame(kind, head, body, flags))

    def read_frame(self) -> Frame:
        """Raise EOFError when the gateway has closed the connection."""
        kind, flags, head_length, body_length = FRAME.unpack(self._read(FRAME.size))
        return Frame(kind, flags, self._read(head_length), self._read(body_length))

    def read_answer(self, opens_file: bool = True) -> Answer:
        """Read all frames of an answer; a file that is handed over is accepted or refused."""
        kinds: List[int] = []
        body = bytearray()
        status, headers = "", []  # type: str, List[Tuple[str, str]]
        target: Optional[FileTarget] = None
        while True:
            frame = self.read_frame()
            kinds.append(frame.kind)
            if frame.kind in (WHOLE, START, FILE):
                status, headers = decode_head(frame.head)
            if frame.kind == FILE:
                target = decode_target(frame.body)
                self.send(FILE_OPENED if opens_file else FILE_REFUSED)
            else:
                body += frame.body
            if frame.kind in (WHOLE, END, ABORT, FAILED):
                return Answer(frame.kind, frame.flags, status, headers, bytes(body), kinds, target)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "FrontConnection":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Private

    def _read(self, count: int) -> bytes:
        while len(self._received) < count:
            received = self.socket.recv(262144)
            if not received:
                raise EOFError("the gateway closed the connection")
            self._received += received
        data = bytes(self._received[:count])
        del self._received[:count]
        return data


def decode_head(head: bytes) -> Tuple[str, List[Tuple[str, str]]]:
    status, *fields = head.decode("latin-1").split("\0")
    return status, list(zip(fields[::2], fields[1::2]))


def decode_target(body: bytes) -> FileTarget:
    path, *numbers = body.decode().split("\0")
    return FileTarget(path, *map(int, numbers))
