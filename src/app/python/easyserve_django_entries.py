"""The wsgi.py and asgi.py of a Django project, and which settings they name."""

from __future__ import annotations

import glob
import os
import re
import runpy
from typing import Any, Dict, Iterator, List, Optional, Tuple

from easyserve_django_interface import SETTINGS_VARIABLE

NAMED_SETTINGS = re.compile(
    SETTINGS_VARIABLE + r"""["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']"""
)


class ReachedSettings(BaseException):
    """Raised where wsgi.py would load the settings."""


def find_entries(named: Optional[str]) -> Dict[str, str]:
    """Return where wsgi.py and asgi.py are: beside the settings, or alone.

    Django's WSGI_APPLICATION names the first, but it is a setting itself.
    """
    found: Dict[str, str] = {}
    for kind in ("wsgi", "asgi"):
        for path in list_entry_paths(kind, named):
            if names_django(path, kind):
                found[kind] = path
                break
    return found


def list_entry_paths(kind: str, named: Optional[str]) -> Iterator[str]:
    """Yield where such a file may be, the likeliest place first."""
    packages = named.split(".")[:-1] if named is not None else []
    for length in range(len(packages), 0, -1):
        yield os.path.join(*packages[:length], f"{kind}.py")
    yield f"{kind}.py"
    others = glob.glob(os.path.join("*", f"{kind}.py"))
    if len(others) == 1:
        yield others[0]


def names_django(path: str, kind: str) -> bool:
    """Return whether the file makes Django's application."""
    text = read_text(path)
    return SETTINGS_VARIABLE in text or f"get_{kind}_application" in text


def read_text(path: str) -> str:
    """Return the file's text; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


def run_entry(path: str) -> Optional[str]:
    """Return what a wsgi.py sets, run up to where it would load them.

    Run, not only read: it may load a .env file which sets them. Its package
    is not imported first, because Celery's usual __init__.py names settings
    of its own.
    """
    literal = named_in_text(path)
    try:
        with stopped_at_settings():
            runpy.run_path(path, run_name=module_of(path))
    except ReachedSettings:
        pass
    except BaseException:
        # Loading the application reports it, with the traceback.
        return os.environ.pop(SETTINGS_VARIABLE, None) or literal
    return os.environ.pop(SETTINGS_VARIABLE, None)


def named_in_text(path: str) -> Optional[str]:
    """Return the settings that a file names in plain words."""
    named = NAMED_SETTINGS.search(read_text(path))
    return named.group(1) if named is not None else None


def module_of(path: str) -> str:
    """Return the dotted name of a file below the working directory."""
    return os.path.splitext(path)[0].replace(os.sep, ".")


class stopped_at_settings:
    """Makes everything that loads the settings raise ReachedSettings."""

    def __enter__(self) -> None:
        self.places: List[Tuple[Any, str, Any]] = []
        for module, name in list_loaders():
            self.places.append((module, name, getattr(module, name)))
            setattr(module, name, stop)

    def __exit__(self, *error: object) -> None:
        for module, name, loader in self.places:
            setattr(module, name, loader)


def list_loaders() -> Iterator[Tuple[Any, str]]:
    """Yield the functions of Django that load the settings."""
    import django
    import django.core.wsgi

    yield django, "setup"
    yield django.core.wsgi, "get_wsgi_application"
    try:
        import django.core.asgi
    except ImportError:  # Django 2
        return
    yield django.core.asgi, "get_asgi_application"


def stop(*_args: object, **_options: object) -> None:
    """Stand in for what loads the settings."""
    raise ReachedSettings
