"""Which variables a project reads by name while it is loaded, and which files.

A service has none of the variables that a shell has, so whoever makes one of
a project has to know them: os.environ["NAME"], os.getenv, and what is built
upon them (django-environ, python-decouple, dotenv).
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, Iterator, List, Optional, Set

# What projects bring along, to be copied and filled in.
TEMPLATES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    "example.env",
    "env.example",
    "sample.env",
)

_set_at_first: Set[str] = set()
_read: Set[str] = set()
_missing: List[str] = []
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
        try:
            return super().__getitem__(key)
        except KeyError:
            _missing.append(str(key))
            raise

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


def suggest_variable(error: BaseException) -> Optional[str]:
    """Return what brings the variable whose absence is the error."""
    words = set(re.findall(r"\w+", str(error)))
    name = next((each for each in reversed(_missing) if each in words), None)
    if name is None:
        return None
    if os.path.isfile(".env"):
        return f"{name}=… in .env, where the project reads it, or {export(name)}"
    template = next(filter(os.path.isfile, TEMPLATES), None)
    if template is not None:
        return f"cp {template} .env, and fill in {name} and what else it names"
    return export(name)


def export(name: str) -> str:
    """Return what sets a variable, now and for a service."""
    return f"export {name}=…, for a service --env-file (docs/systemd.md)"


def report() -> Dict[str, List[str]]:
    """Return EnvironmentUse (src/contracts/project-facts.ts)."""
    files = [path for path in dict.fromkeys(_files) if os.path.isfile(path)]
    return {"reads": sorted(_read), "files": files}
