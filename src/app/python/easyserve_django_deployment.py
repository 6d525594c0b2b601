"""What `easyserve check` has to know of a Django project's settings.

Only looks at values that are there, asks no database, and is done in no time:
every start looks too. What takes longer is in easyserve_django_examination.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any, Callable, Dict, List, Optional

from easyserve_django_interface import list_bases
from easyserve_django_secrets import describe_keys, find_secret_files

# Offset 18 of a database file is its write version, 2 with a write-ahead log
# (https://www.sqlite.org/fileformat2.html, "File format version numbers").
WAL_OFFSET = 18
WAL_VERSION = b"\x02\x02"


def gather_deployment(settings: Any) -> Dict[str, Any]:
    """Return DeploymentFacts (src/contracts/deployment-facts.ts).

    What a strange setting keeps from being told is left out: Django itself
    says at the start what is wrong with it.
    """
    facts: Dict[str, Any] = {}
    gatherers: Dict[str, Callable[[Any], Any]] = {
        "secretKeys": describe_keys,
        "databases": describe_databases,
        "caches": describe_caches,
        "sessions": describe_sessions,
        "channelLayer": name_channel_layer,
        "security": describe_security,
        "folders": describe_folders,
        "uploads": describe_uploads,
        "time": describe_time,
        "secretFiles": find_secret_files,
    }
    for name, gather in gatherers.items():
        try:
            value = gather(settings)
        except Exception:
            continue
        if value is not None:
            facts[name] = value
    return facts


def describe_databases(settings: Any) -> List[Dict[str, Any]]:
    """Return what matters of each database."""
    return [
        describe_database(alias, database)
        for alias, database in settings.DATABASES.items()
        if not str(database.get("ENGINE", "")).endswith(".dummy")
        and database.get("ENGINE")
    ]


def describe_database(alias: str, database: Dict[str, Any]) -> Dict[str, Any]:
    """Return what matters of one."""
    engine = str(database["ENGINE"])
    options = database.get("OPTIONS") or {}
    facts: Dict[str, Any] = {
        "alias": alias,
        "engine": engine,
        "connMaxAgeSeconds": database.get("CONN_MAX_AGE", 0),
        "poolSize": pool_size(options),
        "server": f"{engine} {database.get('HOST')}:{database.get('PORT')}",
    }
    if is_sqlite(engine):
        name = str(database.get("NAME") or "")
        in_memory = ":memory:" in name or "mode=memory" in name
        path = None if in_memory else database_path(name)
        facts["sqlite"] = {
            "file": path,
            "timeoutSeconds": options.get("timeout"),
            "isWal": has_wal(options, path),
        }
    return facts


def is_sqlite(engine: str) -> bool:
    """Return whether it is Django's backend for SQLite, or one beside it."""
    return engine.rpartition(".")[2] in ("sqlite3", "spatialite")


def database_path(name: str) -> str:
    """Return the file of a NAME, which may be a URI (sqlite.org/uri.html)."""
    if name.startswith("file:"):
        name = name[len("file:"):].partition("?")[0]
    return os.path.abspath(name)


def has_wal(options: Dict[str, Any], path: Optional[str]) -> bool:
    """Return whether it writes ahead: by the settings, or by the file."""
    command = str(options.get("init_command", ""))
    if re.search(r"journal_mode\s*[=(]\s*['\"]?wal", command, re.IGNORECASE):
        return True
    try:
        with open(path or "", "rb") as file:
            return file.read(WAL_OFFSET + 2)[WAL_OFFSET:] == WAL_VERSION
    except OSError:
        return False


def pool_size(options: Dict[str, Any]) -> Optional[int]:
    """Return how many connections a process may hold; None: no pool.

    psycopg_pool keeps 4 unless it is told otherwise (its max_size).
    """
    pool = options.get("pool")
    if not pool:
        return None
    sizes = pool if isinstance(pool, dict) else {}
    size = sizes.get("max_size") or sizes.get("min_size") or 4
    return int(size)


def describe_caches(settings: Any) -> Dict[str, Any]:
    """Return the backends, and whether the project says them."""
    return {
        "isSet": settings.is_overridden("CACHES"),
        "backends": {
            alias: str(cache.get("BACKEND", ""))
            for alias, cache in settings.CACHES.items()
        },
    }


def describe_sessions(settings: Any) -> Optional[Dict[str, Any]]:
    """Return where sessions are kept; None without the middleware."""
    if not has_middleware(settings, "SessionMiddleware"):
        return None
    return {
        "engine": str(settings.SESSION_ENGINE),
        "cache": str(settings.SESSION_CACHE_ALIAS),
    }


def has_middleware(settings: Any, class_name: str) -> bool:
    """Return whether this middleware is there, or a kind of it."""
    return any(
        name.endswith("." + class_name) or class_name in list_bases(name)
        for name in settings.MIDDLEWARE
    )


def name_channel_layer(settings: Any) -> Optional[str]:
    """Return the backend of Channels; None where none is set."""
    layers = getattr(settings, "CHANNEL_LAYERS", None) or {}
    backend = layers.get("default", {}).get("BACKEND")
    return None if backend is None else str(backend)


def describe_security(settings: Any) -> Dict[str, Any]:
    """Return what depends on the TLS and the proxy in front."""
    return {
        "csrfTrustedOrigins": [
            str(origin) for origin in settings.CSRF_TRUSTED_ORIGINS
        ],
        "hasCsrf": has_middleware(settings, "CsrfViewMiddleware"),
        "secureCookies": [
            name
            for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
            if getattr(settings, name)
        ],
        "hstsSeconds": int(settings.SECURE_HSTS_SECONDS or 0),
        "forceScriptName": settings.FORCE_SCRIPT_NAME,
        "hasProxyHeader": bool(settings.SECURE_PROXY_SSL_HEADER),
        "usesForwardedHost": bool(settings.USE_X_FORWARDED_HOST),
    }


def describe_folders(settings: Any) -> Dict[str, Any]:
    """Return the folders as the settings name them, absolute."""
    roots = {
        name: os.path.abspath(os.fspath(value))
        for name, value in (
            ("mediaRoot", settings.MEDIA_ROOT),
            ("staticRoot", getattr(settings, "STATIC_ROOT", None)),
            ("whitenoiseRoot", getattr(settings, "WHITENOISE_ROOT", None)),
        )
        if value
    }
    dirs = [
        os.path.abspath(
            os.fspath(item[1] if isinstance(item, (list, tuple)) else item)
        )
        for item in getattr(settings, "STATICFILES_DIRS", [])
    ]
    return {
        **roots,
        "staticDirs": dirs,
        "missingStaticDirs": [
            path for path in dirs if not os.path.isdir(path)
        ],
    }


def describe_uploads(settings: Any) -> Dict[str, Any]:
    """Return the limits in bytes; None: no limit."""
    return {
        "requestMaxBytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        "fileMemoryBytes": settings.FILE_UPLOAD_MAX_MEMORY_SIZE,
        "folder": settings.FILE_UPLOAD_TEMP_DIR
        and str(settings.FILE_UPLOAD_TEMP_DIR),
    }


def describe_time(settings: Any) -> Dict[str, Any]:
    """Return the time zone, and how dates are kept."""
    return {
        "zone": str(settings.TIME_ZONE),
        "isSet": settings.is_overridden("TIME_ZONE"),
        "usesZones": bool(settings.USE_TZ),
        "isKnown": is_zone_known(str(settings.TIME_ZONE)),
    }


def is_zone_known(name: str) -> bool:
    """Return whether this Python can find the zone (PEP 615)."""
    try:
        from zoneinfo import ZoneInfo
    except ImportError:  # Python 3.8
        return True
    try:
        ZoneInfo(name)
    except Exception:
        return False
    return True


def logs_errors() -> bool:
    """Return whether the traceback of a failing view is written anywhere.

    With Django's default LOGGING and DEBUG off, it is only mailed to ADMINS.
    """
    from django.utils.log import AdminEmailHandler

    logger: Optional[logging.Logger] = logging.getLogger("django.request")
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 0, "", None, None
    )
    has_handlers = False
    while logger is not None:
        for handler in logger.handlers:
            has_handlers = True
            if isinstance(handler, (AdminEmailHandler, logging.NullHandler)):
                continue
            if handler.level <= record.levelno and handler.filter(record):
                return True
        logger = logger.parent if logger.propagate else None
    # Without any handler Python writes to stderr (logging.lastResort).
    return not has_handlers
