"""Which static files the project's templates ask for in vain.

With a manifest a name that it lacks is no missing picture, but a page that
fails (ManifestFilesMixin.stored_name). Only names that a template has as they
are can be told.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import unquote, urlsplit

# {% static 'app.css' %}, and {{ static('app.css') }} of Jinja2.
ASKED = re.compile(r"""\bstatic(?:\s+|\(\s*)(["'])([^"'{}%]+)\1""")
INSIDE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
COMMENTS = re.compile(
    r"\{#.*?#\}|\{%-?\s*comment\b.*?endcomment\s*-?%\}", re.DOTALL
)
MOST_FILES = 5000
LARGEST_BYTES = 1_000_000


def find_missing(
    settings: Any, storage: Any
) -> Optional[List[Dict[str, Any]]]:
    """Return MissingStatic (src/contracts/project-facts.ts) for each name.

    None where no name is missing, or the storage has no manifest: it makes
    an address of any name then.
    """
    listed = getattr(storage, "hashed_files", None)
    if settings.DEBUG or listed is None:
        return None
    from django.contrib.staticfiles import finders

    is_strict = getattr(storage, "manifest_strict", True)
    missing: List[Dict[str, Any]] = []
    for name, template in list_asked():
        is_found = finders.find(name) is not None
        if is_found and (name in listed or not is_strict):
            continue
        record = {"name": name, "template": template, "isFound": is_found}
        missing.append(record)
    return missing or None


def list_asked() -> Iterator[Tuple[str, str]]:
    """Go through the names, each with the first template that has it."""
    seen = set()
    for path in list_templates():
        for name in names_in(read(path)):
            if name not in seen:
                seen.add(name)
                yield name, os.path.relpath(path)


def names_in(text: str) -> Iterator[str]:
    """Go through the static files that a template names."""
    for code in INSIDE.findall(COMMENTS.sub("", text)):
        for _, written in ASKED.findall(code):
            name = unquote(urlsplit(written).path).lstrip("/")
            # A folder gets no hash (HashedFilesMixin._url).
            if name and not name.endswith("/") and "//" not in written:
                yield name


def list_templates() -> Iterator[str]:
    """Go through the project's own templates, not those of packages."""
    from django.template import engines

    count = 0
    for engine in engines.all():
        for folder in getattr(engine, "template_dirs", ()):
            if re.search(r"[/\\](?:site|dist)-packages[/\\]", str(folder)):
                continue
            for inside, _, names in os.walk(str(folder)):
                for name in sorted(names):
                    count += 1
                    if count > MOST_FILES:
                        return
                    yield os.path.join(inside, name)


def read(path: str) -> str:
    """Return the text; none for what is no template."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_BYTES:
            return ""
        with open(path, encoding="utf-8", errors="replace") as template:
            return template.read()
    except OSError:
        return ""
