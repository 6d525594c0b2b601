"""What Django puts off until its first request, done before a process is ready.

A Django application can be called once its settings and apps are loaded; its
URLconf, with all views, is imported by the first request. A process that is
ready before that would let a release into service of which every page fails.

Nothing here imports Django for an application that has not done so itself,
unless it is mounted under a prefix.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import Any, Iterator

from easyserve_application import load_application, require_interface
from easyserve_django_urls import import_urls

# What get_wsgi_application() and get_asgi_application() import; a project that
# only uses Django's models does not.
HANDLERS = ("django.core.handlers.wsgi", "django.core.handlers.asgi")
# LazySettings puts the script prefix before these when they are relative, and
# keeps what it made of them.
PREFIXED_SETTINGS = ("STATIC_URL", "MEDIA_URL")


def load_for_serving(spec: str, interface: str, script_name: str) -> Any:
    """Return the application, loaded whole; raise what the project raises."""
    with mounted(script_name):
        application = load_application(spec)
    require_interface(spec, application, interface)
    if serves_django():
        from django.conf import settings

        keep_prefix(settings, script_name)
        import_urls(settings)
    return application


@contextlib.contextmanager
def mounted(script_name: str) -> Iterator[None]:
    """Let Django know the prefix while the application is loaded.

    Some asgi.py and wsgi.py call django.setup(), which would set the prefix
    to '/' (https://docs.djangoproject.com/en/stable/ref/applications/).
    """
    if not script_name or importlib.util.find_spec("django") is None:
        yield
        return
    import django
    from django.urls import set_script_prefix

    set_script_prefix(script_name)
    set_up = django.setup
    django.setup = lambda set_prefix=True: set_up(set_prefix=False)
    try:
        yield
    finally:
        django.setup = set_up


def serves_django() -> bool:
    """Return whether the application that was loaded is one of Django."""
    if not any(name in sys.modules for name in HANDLERS):
        return False
    from django.apps import apps

    return bool(apps.ready)


def keep_prefix(settings: Any, script_name: str) -> None:
    """Make Django keep the URLs of static and media files with the prefix.

    The first access decides for the life of the process, and the prefix
    belongs to a thread: one that the application starts has none.
    """
    from django.urls import set_script_prefix

    forced = settings.FORCE_SCRIPT_NAME
    prefix = script_name if forced is None else str(forced)
    if not prefix.strip("/"):
        return
    set_script_prefix(prefix.rstrip("/") + "/")
    for name in PREFIXED_SETTINGS:
        settings.__dict__.pop(name, None)
        getattr(settings, name)
