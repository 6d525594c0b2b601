"""How a Django project is served: WSGI or ASGI, and which headers it knows."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any, Dict, List, Optional, Tuple

import easyserve_application_loader as loader
from easyserve_inspection import Failure, is_installed

SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"
DEFAULT_WSGI = "django.core.wsgi:get_wsgi_application()"
DEFAULT_ASGI = "django.core.asgi:get_asgi_application()"


def choose_application(
    settings: Any, arguments: argparse.Namespace, entries: Dict[str, str]
) -> Tuple[str, str]:
    """Return its spec, and how it is called: "wsgi" or "asgi".

    `entries` are the wsgi.py and asgi.py of the project, where it has them.
    """
    preference = loader.read_preference(arguments)
    if arguments.application is not None:
        # What the settings file or the command line names may be either kind.
        named: str = arguments.application
        return named, loader.load_application(named, preference)
    if preference.interface == "asgi" or (
        preference.interface is None and prefers_asgi(settings)
    ):
        spec = read_spec(settings, "ASGI_APPLICATION")
        return spec or name_entry(entries.get("asgi"), DEFAULT_ASGI), "asgi"
    spec = read_spec(settings, "WSGI_APPLICATION")
    return spec or name_entry(entries.get("wsgi"), DEFAULT_WSGI), "wsgi"


def prefers_asgi(settings: Any) -> bool:
    """Return whether the project has only ASGI, or uses Channels.

    ASGI_APPLICATION is a setting of Channels and Daphne, not of Django.
    """
    from django.apps import apps

    if apps.is_installed("channels") or apps.is_installed("daphne"):
        return True
    return getattr(settings, "ASGI_APPLICATION", None) is not None and (
        settings.WSGI_APPLICATION is None
        or is_installed("channels")
    )


def name_entry(path: Optional[str], default: str) -> str:
    """Return the spec of the application that a wsgi.py or asgi.py has."""
    if path is None:
        return default
    with open(path, encoding="utf-8", errors="replace") as source:
        named = re.search(r"^(application|app)\b", source.read(), re.MULTILINE)
    module = os.path.splitext(path)[0].replace(os.sep, ".")
    return f"{module}:{named.group(1)}" if named is not None else default


def read_spec(settings: Any, name: str) -> Optional[str]:
    """Return the spec for a setting like WSGI_APPLICATION; None if unset."""
    dotted = getattr(settings, name, None)
    if dotted is None:
        return None
    module, _, attribute = str(dotted).rpartition(".")
    if not module:
        kind = name.partition("_")[0].lower()
        raise Failure(
            "django-settings",
            f"{name} is {dotted!r}, but must be a dotted name "
            f"like 'project.{kind}.application'.",
        )
    return f"{module}:{attribute}"


def gather_headers(settings: Any) -> Dict[str, Any]:
    """Return what DjangoFacts say of headers."""
    return {
        "secureProxyHeaders": secure_proxy_headers(settings),
        "decidesFraming": decides_framing(settings),
    }


def decides_framing(settings: Any) -> bool:
    """Return whether Django's middleware for it is there, or a kind of it."""
    return any(
        "XFrameOptionsMiddleware" in list_bases(name)
        for name in settings.MIDDLEWARE
    )


def list_bases(name: str) -> List[str]:
    """Return the names of a middleware's classes.

    None for one that cannot be imported: Django reports that at the start.
    """
    from django.utils.module_loading import import_string

    try:
        middleware = import_string(name)
    except Exception:
        return []
    return [base.__name__ for base in getattr(middleware, "__mro__", ())]


def secure_proxy_headers(settings: Any) -> Dict[str, str]:
    """Return what SECURE_PROXY_SSL_HEADER asks of a proxy, as a header."""
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    if not str(name).startswith("HTTP_"):
        return {}
    return {str(name)[len("HTTP_"):].lower().replace("_", "-"): str(value)}
