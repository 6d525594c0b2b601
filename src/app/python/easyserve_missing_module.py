"""Which module an application could not import, whatever became of that."""

from __future__ import annotations

from typing import Optional


def find_missing_module(error: Optional[BaseException]) -> Optional[str]:
    """Return the module of the ModuleNotFoundError that led to the error."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError):
            return error.name
        error = reason_of(error)
    return None


def reason_of(error: BaseException) -> Optional[BaseException]:
    """Return the error that this one was raised for.

    Django says `from` for a storage or a cache that cannot be imported, and
    not for the driver of PostgreSQL (django/db/backends/postgresql/base.py).
    In other code an error that was being handled may have nothing to do with
    the one that came of it.
    """
    is_of_django = type(error).__module__.startswith("django.")
    if is_of_django and not error.__suppress_context__:
        return error.__context__
    return error.__cause__
