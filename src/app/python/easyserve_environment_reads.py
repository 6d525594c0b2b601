"""Which variables a project reads by name while it is loaded, and which files.

A service has none of the variables that a shell has, so whoever makes one of
a project has to know them: os.environ["NAME"], os.getenv, and what is built
upon them (django-environ, python-decouple, dotenv).
"""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, Iterator, List, Set

_set_at_first: Set[str] = set()
_read: Set[str] = set()
_files: List[str] = []


class RecordingEnviron(os._Environ):  # type: ignore[type-arg]
    """os.environ, which notes names that are looked up."""

    _listed: List[Any] = []

    def __getitem__(self, key: Any) -> Any:
        """Note the name, unless the environment as a whole is read."""
        if self._listed and self._listed[0] == key:
            self._listed.pop(0)
        else:
            self._listed.clear()
            if isinstance(key, str) and key in _set_at_first:
                _read.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Any]:
        """Yield the names; dict(os.environ) reads all of them then."""
        self._listed.clear()
        for key in super().__iter__():
            self._listed.append(key)
            yield key


def record() -> None:
    """Take notes from here on."""
    _set_at_first.update(os.environ)
    os.environ.__class__ = RecordingEnviron
    sys.addaudithook(note_file)


def note_file(event: str, arguments: Any) -> None:
    """Note a file of variables that is opened (PEP 578)."""
    if event != "open" or not isinstance(arguments[0], (str, bytes)):
        return
    path = os.fsdecode(arguments[0])
    name = os.path.basename(path)
    if name.startswith(".env") or name.endswith(".env"):
        _files.append(os.path.abspath(path))


def report() -> Dict[str, List[str]]:
    """Return EnvironmentUse (src/contracts/project-facts.ts)."""
    files = [path for path in dict.fromkeys(_files) if os.path.isfile(path)]
    return {"reads": sorted(_read), "files": files}
