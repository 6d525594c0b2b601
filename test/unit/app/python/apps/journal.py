"""What an application under test notes, and how a test reads it; also finds the view of a path."""

import json
import threading
from typing import Any, Callable, Dict, Iterable, List

DEADLINE_SECONDS = 20.0

View = Callable[[Dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_entries: List[str] = []
_changed = threading.Condition()


def note(entry: str) -> None:
    with _changed:
        _entries.append(entry)
        _changed.notify_all()


class Closing:
    """An iterable whose close() is noted."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Any:
        return iter(self._pieces)

    def close(self) -> None:
        note("close")


def dispatch(views: Dict[str, Any]) -> View:
    """Return an application: /name is answered by the function `name`."""

    def application(environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/journal"):
            return _serve_journal(environ, start_response)
        view: View = views[path[1:]]
        return view(environ, start_response)

    return application


def _serve_journal(environ: Dict[str, Any], start_response: Callable[..., Any]) -> List[bytes]:
    with _changed:
        if environ["PATH_INFO"] == "/journal/clear":
            _entries.clear()
        elif environ["PATH_INFO"] == "/journal/await":
            count = int(environ["QUERY_STRING"])
            _changed.wait_for(lambda: len(_entries) >= count, DEADLINE_SECONDS)
        body = json.dumps(_entries).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
