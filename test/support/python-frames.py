"""Reads frames as the gateway does, for test/fuzz/python-frames.

Each line of the input is a list of pieces in base64, as they arrive one by one; each line of the output has the frames
that came out, as the gateway sends them again.
"""
import base64
import json
import sys
from typing import Any, List

import easyserve_frames


class Peer:
    """A socket whose other end has sent these pieces, and is gone then."""

    def __init__(self, pieces: List[bytes]) -> None:
        self.pieces = pieces
        self.sent = bytearray()

    def recv_into(self, target: Any) -> int:
        if not self.pieces:
            return 0
        piece = self.pieces[0]
        count = min(len(piece), len(target))
        memoryview(target)[:count] = piece[:count]
        if count == len(piece):
            self.pieces.pop(0)
        else:
            self.pieces[0] = piece[count:]
        return count

    def sendall(self, data: bytes) -> None:
        self.sent += data


for line in sys.stdin:
    peer = Peer([base64.b64decode(piece) for piece in json.loads(line)])
    connection = easyserve_frames.Connection(peer)  # type: ignore[arg-type]
    count = 0
    try:
        while True:
            kind, flags, head, body = connection.read_frame()
            connection.send_frame(kind, flags, head.encode("latin-1"), body)
            count += 1
    except easyserve_frames.FrontGone:
        pass
    print(json.dumps({"count": count, "sent": base64.b64encode(peer.sent).decode()}), flush=True)
