"""Django's URLconf: imported whole, with everything that it includes."""

from __future__ import annotations

from typing import Any, Optional, Set

ERROR_STATUSES = (400, 403, 404, 500)


def import_urls(settings: Any) -> None:
    """Import what the first requests would; raise what the project raises.

    All views, what the URLconf includes at any depth, and the views of error
    pages, which Django looks up by name when it needs one
    (https://docs.djangoproject.com/en/stable/ref/urls/#handler400).
    """
    if getattr(settings, "ROOT_URLCONF", None) is None:
        return  # a middleware chooses one for each request
    from django.urls import get_callable, get_resolver

    resolver = get_resolver()
    import_includes(resolver)
    for status in ERROR_STATUSES:
        resolver.resolve_error_handler(status)
    get_callable(settings.CSRF_FAILURE_VIEW)


def import_includes(resolver: Any, seen: Optional[Set[int]] = None) -> None:
    """Import the patterns below; a URLconf may include itself."""
    from django.urls import URLResolver

    seen = set() if seen is None else seen
    patterns = resolver.url_patterns
    if id(patterns) in seen:
        return
    seen.add(id(patterns))
    for pattern in patterns:
        # Compiled here, and not by the first visitor.
        getattr(getattr(pattern, "pattern", None), "regex", None)
        if isinstance(pattern, URLResolver):
            import_includes(pattern, seen)
