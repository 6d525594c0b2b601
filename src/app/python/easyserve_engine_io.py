"""Tells whether an application uses engine.io, on which Socket.IO builds."""

from __future__ import annotations

import importlib.util
import re
import sys


def has_engine_io(application: str) -> bool:
    """Return whether the application uses engine.io, as Socket.IO does.

    It has imported that, or its file names it: the file of a Django project
    is imported only where it is measured.
    """
    if "engineio" in sys.modules:
        return True
    try:
        spec = importlib.util.find_spec(application.partition(":")[0])
        with open((spec and spec.origin) or "", encoding="utf-8") as source:
            names = re.search(r"\b(socketio|engineio)\b", source.read())
            return names is not None
    except Exception:  # whatever the project does in the package's __init__
        return False
