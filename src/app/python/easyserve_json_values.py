"""Values of a project's settings, in a form that JSON has."""

from __future__ import annotations

import math
import os
from typing import Any

DEEPEST_VALUE = 20


def reduce_to_json(value: Any, depth: int = 0) -> Any:
    """Return the value in a form that JSON has.

    Paths become strings, tuples and sets become lists, and anything else that
    JSON does not have becomes {"__unserialisable__": repr}.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if depth < DEEPEST_VALUE:
        deeper = depth + 1
        if isinstance(value, dict):
            return {
                str(key): reduce_to_json(item, deeper)
                for key, item in value.items()
            }
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=repr)
        if isinstance(value, (list, tuple)):
            return [reduce_to_json(item, deeper) for item in value]
    return {"__unserialisable__": repr(value)}
