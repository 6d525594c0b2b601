"""Which addresses below a prefix of files the application would answer.

easyserve answers STATIC_URL, MEDIA_URL and the prefixes of its own settings
before the application is asked. A view that the URLconf has there would never
be called: one that lets only some users have a file, for example.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from easyserve_address_shape import Shape, covers, shape_of, takes_anything
from easyserve_django_interface import list_bases
from easyserve_regex_reach import Chain

# An address that has nothing to do with any prefix: a pattern that matches
# there too is for whatever no other one matches.
ELSEWHERE = "zq7-easyserve/"


class Prefix(NamedTuple):
    """A prefix that easyserve answers."""

    url: str
    # The folder; None where it is none, or is not known.
    root: Optional[str]
    is_static: bool = False
    is_media: bool = False


class Route(NamedTuple):
    """A view, with the expressions that lead to it."""

    chain: Chain
    callback: Any
    arguments: Dict[str, Any]


def gather_addresses(
    settings: Any, facts: Dict[str, Any], answered: List[str], script_name: str
) -> List[Dict[str, Any]]:
    """Return the views that are meant for what lies below the prefixes.

    Each is a ViewAddress (src/contracts/project-facts.ts).
    `answered`: prefixes that easyserve's own settings name.
    """
    if getattr(settings, "ROOT_URLCONF", None) is None:
        return []
    given = getattr(settings, "EASYSERVER", None)
    mapped = given.get("STATIC") if isinstance(given, dict) else None
    urls = answered + list(mapped if isinstance(mapped, dict) else ())
    prefixes = [Prefix(str(url).rstrip("/") + "/", None) for url in urls]
    if "mediaPrefix" in facts and "mediaRoot" in facts:
        root = facts["mediaRoot"]
        prefixes.append(Prefix(facts["mediaPrefix"], root, is_media=True))
    if "staticPrefix" in facts:
        root = facts.get("staticRoot")
        prefixes.append(Prefix(facts["staticPrefix"], root, is_static=True))
    return find_addresses(settings, prefixes, script_name)


def find_addresses(
    settings: Any, prefixes: List[Prefix], script_name: str
) -> List[Dict[str, Any]]:
    """Return what lies below the prefixes."""
    owned: List[Dict[str, Any]] = []
    routes = list_routes(settings)
    for prefix in prefixes:
        if not prefix.url.startswith(script_name + "/"):
            continue  # not an address of the application
        below = prefix.url[len(script_name) + 1:]
        owned += find_below(routes, prefix, below, settings)
    return owned


def find_below(
    routes: List[Route], prefix: Prefix, below: str, settings: Any
) -> Iterator[Dict[str, Any]]:
    """Find the views that are meant for addresses below; `below` is the prefix.

    In the order of the URLconf: what comes after Django's helper for the
    whole prefix is never reached, and the helper is not where a view for
    everything comes before it. Without the helper such a view, of a CMS or a
    single-page application, has what is left: not these files.
    """
    guard = find_guard(settings)
    general: List[Dict[str, Any]] = []
    is_helped = False
    for chain, callback, arguments in routes:
        if not chain.matches(below):
            continue
        shape = shape_of(chain)
        folder = shape.folder_below(below)
        is_plain = is_helper(callback, arguments, prefix, folder)
        is_guarded = guard and getattr(callback, "login_required", True)
        if is_plain and not is_guarded:
            is_helped = covers(chain, below)
            if is_helped:
                break
            continue
        view = name_of(callback) + (f" behind {guard}" if is_plain else "")
        found = describe(shape, prefix, below, view)
        if is_plain or serves_files(callback) or is_meant(
            chain, shape, prefix, below
        ):
            yield found
        elif chain.begins(below):
            general.append(found)
    if is_helped and prefix.is_media:
        yield from general


def is_meant(chain: Chain, shape: Shape, prefix: Prefix, below: str) -> bool:
    """Return whether the pattern is there for addresses like these.

    One for whatever no other pattern matches is not. Below MEDIA_URL any
    text that it asks for is enough, wherever it is in the address. Static
    files are answered before the URLconf by Django's runserver and by
    WhiteNoise, too: there it has to name the prefix.
    """
    if prefix.is_media:
        return not takes_anything(chain)
    return shape.names(below) or not chain.matches(ELSEWHERE)


def describe(
    shape: Shape, prefix: Prefix, below: str, view: str
) -> Dict[str, Any]:
    """Return a ViewAddress (src/contracts/project-facts.ts)."""
    shape = shape.below(below)
    base = prefix.url[:len(prefix.url) - len(below)]
    return {
        "prefix": prefix.url,
        "pieces": [base + shape.pieces[0], *shape.pieces[1:]],
        "isExact": shape.is_exact,
        "view": view,
    }


def list_routes(settings: Any) -> List[Route]:
    """Return all views in order, for each language where routes have one."""
    from django.urls import get_resolver
    from django.utils import translation

    resolver = get_resolver()
    if not (settings.USE_I18N and has_translated(resolver, set())):
        return list(walk(resolver, [], {}, settings, ()))
    routes: List[Route] = []
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            routes += walk(resolver, [], {}, settings, ())
    return routes


def walk(
    resolver: Any,
    sources: List[str],
    arguments: Dict[str, Any],
    settings: Any,
    above: Tuple[int, ...],
) -> Iterator[Route]:
    """Go through the patterns below; a URLconf may include itself."""
    patterns = resolver.url_patterns
    if id(patterns) in above:
        return
    for pattern in patterns:
        expressions = sources + [source_of(pattern.pattern, settings)]
        defaults = getattr(
            pattern, "default_args", getattr(pattern, "default_kwargs", {})
        )
        given = {**arguments, **defaults}
        if hasattr(pattern, "url_patterns"):
            inside = above + (id(patterns),)
            yield from walk(pattern, expressions, given, settings, inside)
        else:
            yield Route(Chain(expressions), pattern.callback, given)


def source_of(pattern: Any, settings: Any) -> str:
    """Return the expression; that of i18n_patterns is for any language."""
    from django.urls.resolvers import LocalePrefixPattern

    if not isinstance(pattern, LocalePrefixPattern):
        return str(pattern.regex.pattern)
    prefixes = [re.escape(code + "/") for code, _ in settings.LANGUAGES]
    if not pattern.prefix_default_language:
        prefixes.append("")
    return "^(?:" + "|".join(prefixes) + ")"


def has_translated(resolver: Any, seen: Any) -> bool:
    """Return whether a route is translated (gettext_lazy)."""
    patterns = resolver.url_patterns
    if id(patterns) in seen:
        return False
    seen.add(id(patterns))
    for pattern in patterns:
        source = getattr(
            pattern.pattern, "_route", getattr(pattern.pattern, "_regex", "")
        )
        if not isinstance(source, str):
            return True
        if hasattr(pattern, "url_patterns") and has_translated(pattern, seen):
            return True
    return False


def is_helper(
    callback: Any, arguments: Dict[str, Any], prefix: Prefix, below: str
) -> bool:
    """Return whether it is Django's own view for these very files.

    Undecorated, as django.conf.urls.static.static() has it.
    """
    from django.contrib.staticfiles.views import serve as serve_found
    from django.views.static import serve

    while isinstance(callback, functools.partial):
        arguments = {**arguments, **callback.keywords}
        callback = callback.func
    if callback is serve_found:
        return prefix.is_static
    if callback is not serve:
        return False
    if prefix.is_static and not below:
        return True  # from where the files were, before they were collected
    root = arguments.get("document_root")
    if root is None or prefix.root is None:
        return False
    folder = os.path.join(prefix.root, below)
    return os.path.realpath(str(root)) == os.path.realpath(folder)


def serves_files(callback: Any) -> bool:
    """Return whether it is a decorated view of files, like serve()."""
    from django.views.static import serve

    while isinstance(callback, functools.partial):
        callback = callback.func
    inner = inspect.unwrap(callback)
    return inner is serve and inner is not callback


def find_guard(settings: Any) -> Optional[str]:
    """Return the middleware that asks visitors to log in, if there is one.

    Django's LoginRequiredMiddleware came with 5.1; others have that name.
    """
    for name in settings.MIDDLEWARE:
        plain = name.rpartition(".")[2].replace("_", "").lower()
        if "loginrequired" in plain or "requirelogin" in plain:
            return str(name)
        if "LoginRequiredMiddleware" in list_bases(name):
            return str(name)
    return None


def name_of(callback: Any) -> str:
    """Return where a person finds the view."""
    view = getattr(callback, "view_class", callback)
    while isinstance(view, functools.partial):
        view = view.func
    kind = view if hasattr(view, "__qualname__") else type(view)
    return f"{kind.__module__}.{kind.__qualname__}"
