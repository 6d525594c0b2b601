"""Lets the processes of an application share the ports that it opens itself.

A server for metrics listens on the same port in each process, and at a reload
in those of two releases. With SO_REUSEPORT all can (socket(7)); that is set
for the ports of the setting appPorts alone, since others may be bound to keep
a second process from something. Standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import os
import socket
from typing import Any, FrozenSet

VARIABLE = "EASYSERVE_APP_PORTS"


def share_own_ports() -> None:
    """Do so for the ports that the environment names, separated by commas."""
    text = os.environ.pop(VARIABLE, "")
    ports = frozenset(int(port) for port in text.split(",") if port)
    if ports and hasattr(socket, "SO_REUSEPORT"):
        share(ports)


def share(ports: FrozenSet[int]) -> None:
    """Set SO_REUSEPORT before a socket is bound to one of the ports."""
    bind = socket.socket.bind

    def bind_shared(self: socket.socket, address: Any) -> None:
        is_tcp = isinstance(address, tuple) and self.type == socket.SOCK_STREAM
        if is_tcp and address[1] in ports:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bind(self, address)

    socket.socket.bind = bind_shared  # type: ignore[method-assign,assignment]
