"""What WhiteNoise's settings say, for files that easyserve answers itself.

https://whitenoise.readthedocs.io/en/stable/django.html has the settings.
WhiteNoise need not be installed to have them read.
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple
from wsgiref.headers import Headers

import easyserve_inspection as inspection
from easyserve_django_addresses import find_guard
from easyserve_django_files import servable_root

PREFIX = "WHITENOISE_"
# Of the storage, which collectstatic runs, so they hold.
OF_COLLECTING = (
    "KEEP_ONLY_HASHED_FILES",
    "MANIFEST_STRICT",
    "SKIP_COMPRESS_EXTENSIONS",
)
HONOURED = (
    "MAX_AGE",
    "ALLOW_ALL_ORIGINS",
    "CHARSET",
    "MIMETYPES",
    "INDEX_FILE",
    "ROOT",
    "IMMUTABLE_FILE_TEST",
    "ADD_HEADERS_FUNCTION",
)
# They say what is sent, and how, which easyserve alone knows.
OWN_HEADERS = (
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "transfer-encoding",
)
# RFC 9110 sections 5.1 and 5.5.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
FOREVER = "max-age=31536000, public, immutable"


def gather_facts(
    settings: Any, facts: Dict[str, Any], warnings: List[str]
) -> Optional[Dict[str, Any]]:
    """Return WhiteNoiseFacts (src/contracts/project-facts.ts)."""
    names = [name for name in dir(settings) if name.startswith(PREFIX)]
    if not names:
        return None
    try:
        return read_settings(settings, names, facts, warnings)
    except (TypeError, ValueError, AttributeError) as error:
        # A value that WhiteNoise may never have looked at: the site goes on.
        reason = inspection.summarise(error)
        warnings.append(f"The settings of WhiteNoise are left out: {reason}")
        return None


def read_settings(
    settings: Any,
    names: List[str],
    facts: Dict[str, Any],
    warnings: List[str],
) -> Dict[str, Any]:
    """Return what these settings say; raise for values of another kind."""
    given = {name[len(PREFIX):]: getattr(settings, name) for name in names}
    found: Dict[str, Any] = {}
    if "MAX_AGE" in given:
        age = given["MAX_AGE"]
        found["maxAgeSeconds"] = None if age is None else int(age)
    if "ALLOW_ALL_ORIGINS" in given:
        found["allowsAllOrigins"] = bool(given["ALLOW_ALL_ORIGINS"])
    if "CHARSET" in given:
        found["charset"] = str(given["CHARSET"])
    if given.get("MIMETYPES"):
        types = given["MIMETYPES"].items()
        found["mediaTypes"] = {str(name): str(value) for name, value in types}
    index = given.get("INDEX_FILE")
    if index is True or isinstance(index, str) and index:
        found["indexFile"] = "index.html" if index is True else index
    root = find_root(settings, facts, warnings) if given.get("ROOT") else None
    if root is not None:
        found["root"] = root
    found["asksFiles"] = any(list_functions(settings))
    found["ignored"] = list_ignored(given, facts)
    return found


def find_root(
    settings: Any, facts: Dict[str, Any], warnings: List[str]
) -> Optional[str]:
    """Return WHITENOISE_ROOT where its files are for everybody.

    Its middleware is there, and none before it asks visitors to log in.
    """
    if not any("hitenoise" in name.lower() for name in settings.MIDDLEWARE):
        return None
    root = settings.WHITENOISE_ROOT
    for name in ("mediaPrefix", "staticPrefix"):
        url = facts.get(name)
        if url is not None and os.path.isdir(os.path.join(root, url[1:])):
            warnings.append(
                f"WHITENOISE_ROOT has a folder for {url}, where easyserve "
                "answers first: its files there are hidden."
            )
    if find_guard(settings) is not None:
        return None
    return servable_root(root)


def list_ignored(given: Dict[str, Any], facts: Dict[str, Any]) -> List[str]:
    """Return the settings that have no effect on what easyserve sends."""
    return sorted(
        PREFIX + name
        for name in given
        if name not in OF_COLLECTING + HONOURED
        # Without STATIC_ROOT the finders are asked in any case.
        and not (name == "USE_FINDERS" and "staticFound" in facts)
    )


def list_functions(settings: Any) -> Tuple[Any, Any]:
    """Return what has to be asked of each file."""
    return (
        getattr(settings, PREFIX + "IMMUTABLE_FILE_TEST", None),
        getattr(settings, PREFIX + "ADD_HEADERS_FUNCTION", None),
    )


def ask_files(
    settings: Any,
    files: Iterator[Tuple[str, str]],
    mount: str,
    warnings: List[str],
) -> Dict[str, Dict[str, Any]]:
    """Return a FileAnswer (src/contracts/project-facts.ts) for each address.

    `files` are addresses with their files. As with WhiteNoise the functions
    get the address below the prefix of the application.
    """
    given, add_headers = list_functions(settings)
    test = given if callable(given) or given is None else matcher(given)
    index = getattr(settings, PREFIX + "INDEX_FILE", None)
    name = "index.html" if index is True else index
    answers: Dict[str, Dict[str, Any]] = {}
    for address, path in files:
        is_below = mount and address.startswith(mount + "/")
        url = address[len(mount):] if is_below else address
        if name and url.endswith("/" + name):
            url = url[:-len(name)]
        answer: Dict[str, Any] = {}
        if test is not None:
            answer["isImmutable"] = bool(test(path, url))
        if add_headers is not None:
            changes = ask_headers(
                settings, add_headers, (path, url), answer, warnings
            )
            if changes:
                answer["headers"] = changes
        answers[address] = answer
    return answers


def matcher(expression: str) -> Callable[[str, str], bool]:
    """Return the function that an expression stands for."""
    search = re.compile(expression).search
    return lambda path, url: search(url) is not None


def ask_headers(
    settings: Any,
    add_headers: Callable[[Any, str, str], None],
    file: Tuple[str, str],
    answer: Dict[str, Any],
    warnings: List[str],
) -> List[List[Any]]:
    """Return the names whose values the function changes, with the new ones.

    A name that it takes away has none.
    """
    path, url = file
    before = usual_headers(settings, path, bool(answer.get("isImmutable")))
    headers = Headers(list(before))
    add_headers(headers, path, url)
    after = [(str(name), str(value)) for name, value in headers.items()]
    changes: List[List[Any]] = []
    for name in dict.fromkeys(name.lower() for name, _ in before + after):
        values = values_of(after, name)
        if values == values_of(before, name):
            continue
        if name in OWN_HEADERS:
            complain(warnings, f"{name} of a file is easyserve's to say")
        elif not (NAME.fullmatch(name) and all(map(VALUE.fullmatch, values))):
            complain(warnings, f"{name!r} is no header that HTTP can carry")
        else:
            written = [each for each, _ in after if each.lower() == name]
            changes.append([(written or [name])[0], values])
    return changes


def usual_headers(
    settings: Any, path: str, is_immutable: bool
) -> List[Tuple[str, str]]:
    """Return what the function finds, as WhiteNoise would have set it."""
    import mimetypes

    types = getattr(settings, PREFIX + "MIMETYPES", None) or {}
    name = os.path.basename(path).lower()
    kind = types.get(name) or types.get(os.path.splitext(name)[1])
    kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        charset = getattr(settings, PREFIX + "CHARSET", "utf-8")
        kind = f'{kind}; charset="{charset}"'
    headers = [("Content-Type", str(kind))]
    age = getattr(settings, PREFIX + "MAX_AGE", 60)
    if is_immutable:
        headers.append(("Cache-Control", FOREVER))
    elif age is not None:
        headers.append(("Cache-Control", f"max-age={age}, public"))
    if getattr(settings, PREFIX + "ALLOW_ALL_ORIGINS", True):
        headers.append(("Access-Control-Allow-Origin", "*"))
    return headers


def values_of(headers: List[Tuple[str, str]], name: str) -> List[str]:
    """Return the values of a name in lower case."""
    return [value for each, value in headers if each.lower() == name]


def complain(warnings: List[str], reason: str) -> None:
    """Warn once of what the function says in vain."""
    sentence = f"{PREFIX}ADD_HEADERS_FUNCTION: {reason}; it is left out."
    if sentence not in warnings:
        warnings.append(sentence)


def list_files(root: str, prefix: str) -> Iterator[Tuple[str, str]]:
    """Go through a folder: addresses, and their files."""
    for folder, _, names in os.walk(root, followlinks=True):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        start = prefix if below == "." else f"{prefix}{below}/"
        for name in names:
            yield start + name, os.path.join(folder, name)


def describe_failure(error: BaseException) -> inspection.Failure:
    """Return the failure of a function that raises."""
    reason = inspection.summarise(error)
    return inspection.Failure(
        "static-functions",
        "WhiteNoise's functions of the settings (IMMUTABLE_FILE_TEST, "
        f"ADD_HEADERS_FUNCTION) failed: {reason}",
    )
