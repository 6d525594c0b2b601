"""Which of a Django project's files can be served without Django.

What STATIC_*, STORAGES, the staticfiles finders and MEDIA_* mean together;
to be asked after django.setup().
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from easyserve_static_names import find_missing


def gather_media(settings: Any, warnings: List[str]) -> Dict[str, Any]:
    """Return mediaPrefix and mediaRoot, each None where it is not set."""
    return {
        "mediaPrefix": url_prefix(settings, "MEDIA_URL", warnings),
        "mediaRoot": servable_root(settings.MEDIA_ROOT),
    }


def list_databases(settings: Any) -> Optional[List[str]]:
    """Return the files of SQLite databases; None where there are none."""
    files: List[str] = []
    for database in settings.DATABASES.values():
        name = str(database.get("NAME") or "")
        if not str(database.get("ENGINE", "")).endswith("sqlite3"):
            continue
        if name and ":memory:" not in name and not name.startswith("file:"):
            files.append(os.path.abspath(name))
    return files or None


def gather_written(settings: Any) -> Dict[str, Any]:
    """Return databaseFiles, logFiles and cacheFolders, or None for each.

    What the project writes besides MEDIA_ROOT and STATIC_ROOT.
    """
    handlers = (settings.LOGGING or {}).get("handlers") or {}
    logs = [
        os.path.abspath(str(handler["filename"]))
        for handler in handlers.values()
        if isinstance(handler, dict) and handler.get("filename")
    ]
    caches = [
        os.path.abspath(str(cache["LOCATION"]))
        for cache in settings.CACHES.values()
        if str(cache.get("BACKEND", "")).endswith("FileBasedCache")
        and cache.get("LOCATION")
    ]
    for name in ("SESSION_FILE_PATH", "FILE_UPLOAD_TEMP_DIR"):
        if is_set(settings, name):
            caches.append(os.path.abspath(str(getattr(settings, name))))
    return {
        "databaseFiles": list_databases(settings),
        "logFiles": logs or None,
        "cacheFolders": caches or None,
    }


def gather_static(settings: Any, warnings: List[str]) -> Dict[str, Any]:
    """Return the facts whose names begin with `static`.

    An empty dict without django.contrib.staticfiles or STATIC_URL, and where
    the storage is no folder (a bucket), because both collecting and serving
    happen elsewhere then. Raises what Django raises for settings that
    contradict each other.
    """
    from django.apps import apps

    if not apps.is_installed("django.contrib.staticfiles"):
        return {}
    prefix = url_prefix(settings, "STATIC_URL", warnings)
    if not is_set(settings, "STATIC_URL") or settings.STATIC_URL == "/":
        return {}
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import FileSystemStorage

    if not isinstance(staticfiles_storage, FileSystemStorage):
        return {}
    location = staticfiles_storage.base_location
    root = servable_root(location)
    facts: Dict[str, Any] = {"staticPrefix": prefix, "staticRoot": root}
    if root is not None:
        facts["staticManifest"] = manifest_path(staticfiles_storage)
        facts["staticMissing"] = find_missing(settings, staticfiles_storage)
        facts["compressedBelow"] = compressed_below(settings, root)
    elif prefix is not None and not location:
        ignored = apps.get_app_config("staticfiles").ignore_patterns
        facts["staticFound"] = find_static(ignored, warnings)
    return facts


def compressed_below(settings: Any, root: str) -> Optional[str]:
    """Return where django-compressor writes below the root.

    Its names there are made of the content (CompressorBase.get_filepath).
    """
    from django.apps import apps

    if not apps.is_installed("compressor"):
        return None
    given = str(getattr(settings, "COMPRESS_ROOT", None) or root)
    if os.path.realpath(given) != os.path.realpath(root):
        return None
    return str(settings.COMPRESS_OUTPUT_DIR).strip("/")


def url_prefix(
    settings: Any, name: str, warnings: List[str]
) -> Optional[str]:
    """Return the setting as a path with slashes at both ends.

    None for a full URL, an empty one, and '/'.
    """
    if not is_set(settings, name):
        return None
    url = str(getattr(settings, name))
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return None
    if url == "/":
        better = "/" + name.split("_")[0].lower() + "/"
        warnings.append(
            f"{name} is '/', which would take every address of the site for "
            f"a file, so these files are not served. Use {better!r}."
        )
        return None
    return url if url.startswith("/") else "/" + url


def is_set(settings: Any, name: str) -> bool:
    """Return whether the settings name a URL.

    Reads the setting as it is written: Django turns an empty MEDIA_URL into
    '/' (LazySettings).
    """
    return bool(getattr(settings._wrapped, name, None))


def servable_root(root: Any) -> Optional[str]:
    """Return the absolute folder; None when it is unset.

    None as well when the project lies inside it: serving it would publish
    the project's code, settings and database.
    """
    if not root:
        return None
    path = str(os.path.abspath(os.fspath(root)))
    project = Path.cwd().resolve()
    if Path(path).resolve() in (project, *project.parents):
        return None  # a finding of `easyserve check`, and of the start
    return path


def manifest_path(storage: Any) -> Optional[str]:
    """Return where a manifest storage writes its manifest.

    Django 4.0 and later allow another storage for it (manifest_storage).
    """
    name = getattr(storage, "manifest_name", None)
    if name is None:
        return None
    holder = getattr(storage, "manifest_storage", storage)
    return str(os.path.abspath(holder.path(name)))


def find_static(
    ignore_patterns: List[str], warnings: List[str]
) -> Dict[str, str]:
    """Return what collectstatic would collect: URL path -> file.

    The paths are relative to the prefix. As in collectstatic, the first
    finder that has a file wins.
    """
    from django.contrib.staticfiles.finders import get_finders

    found: Dict[str, str] = {}
    for finder in get_finders():
        try:
            for path, storage in finder.list(ignore_patterns):
                prefix = getattr(storage, "prefix", None)
                url_path = os.path.join(prefix, path) if prefix else path
                file = os.path.abspath(storage.path(path))
                found.setdefault(url_path.replace(os.sep, "/"), file)
        except FileNotFoundError as error:
            # A missing folder of STATICFILES_DIRS, which Django 4.0 skips.
            warnings.append(
                f"Static files: {error.filename} does not exist."
            )
    return keep_utf8(found, warnings)


def keep_utf8(found: Dict[str, str], warnings: List[str]) -> Dict[str, str]:
    """Return the files whose names are UTF-8, as URLs have them."""
    kept: Dict[str, str] = {}
    for url_path, file in found.items():
        try:
            (url_path + file).encode("utf-8")
        except UnicodeEncodeError:
            warnings.append(
                f"Static files: {ascii(file)} is not served, as its name is "
                "not UTF-8."
            )
        else:
            kept[url_path] = file
    return kept
