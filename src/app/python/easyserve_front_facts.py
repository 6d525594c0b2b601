"""What the front says of the client, in headers that only it sets.

To a server that speaks HTTP the front is the client, and applications want to
know the real one. The headers can be trusted: only the front can connect, and
it removes what a client sends under these names
(src/front/upstream/request-headers.ts).
"""

import re
from typing import Callable, NamedTuple, Optional

HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?\Z")


class FrontFacts(NamedTuple):
    """The client, and what it asked for."""

    client: str
    scheme: str
    server_name: str
    server_port: str


def read_front_facts(header: Callable[[str], Optional[str]]) -> FrontFacts:
    """Return the facts; `header` looks up a name in lower case."""
    scheme = header("x-forwarded-proto") or "http"
    match = HOST.match(header("x-forwarded-host") or header("host") or "")
    # Neither may be empty (PEP 3333). It is up to the application to refuse
    # a port that is no number.
    name = (match and match.group(1)) or "localhost"
    port = match and match.group(2)
    return FrontFacts(
        client=header("x-forwarded-for") or "",
        scheme=scheme,
        server_name=name,
        server_port=port or ("443" if scheme == "https" else "80"),
    )


def is_below(path: str, script_name: str) -> bool:
    """Return whether the path lies below the application's mount point."""
    return script_name != "" and (
        path == script_name or path.startswith(script_name + "/")
    )
