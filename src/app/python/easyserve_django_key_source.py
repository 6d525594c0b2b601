"""Whether a Django project makes a new SECRET_KEY each time it is loaded.

As `os.environ.get("KEY", get_random_secret_key())` does where the variable is
not set: each process then refuses the sessions and forms of the others.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from typing import Any, List, NoReturn

LONGEST_LOAD_SECONDS = 10
NEW = b"1"


def is_made_anew(key: str, modules: List[str], paths: List[str]) -> bool:
    """Return whether loading the modules of the settings gives another key.

    They are loaded once more only where the key is in neither the environment
    nor their files, and in a copy of this process, which ends with it.
    """
    if not key or not hasattr(os, "fork") or is_written(key, paths):
        return False
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; the copy has none of them, and an end.
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        tell_whether_new(key, modules, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        told = answer.read(1)
    os.waitpid(child, 0)
    return told == NEW


def is_written(key: str, paths: List[str]) -> bool:
    """Return whether the key is in the environment, or in a file."""
    return any(key in value for value in os.environ.values()) or any(
        key.encode() in read(path) for path in paths
    )


def to_text(value: Any) -> str:
    """Return a setting that may be bytes as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def read(path: str) -> bytes:
    """Return what is in the file; nothing when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def tell_whether_new(key: str, modules: List[str], writer: int) -> NoReturn:
    """Load the settings in the copy; end it, whatever comes."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LONGEST_LOAD_SECONDS)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        for name in modules:
            sys.modules.pop(name, None)
        name = os.environ["DJANGO_SETTINGS_MODULE"]
        loaded = importlib.import_module(name)
        if to_text(loaded.SECRET_KEY) != key:
            os.write(writer, NEW)
    finally:
        os._exit(0)
