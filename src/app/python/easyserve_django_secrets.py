"""What can be said of a Django project's secrets without telling them."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, List

from easyserve_django_key_source import is_made_anew, to_text

# A shorter value would be found where it is none.
SHORTEST_SECRET = 8
# PASSWORD_RESET_URL and TOKEN_MODEL hold none.
SECRET_NAMES = re.compile(
    r"(SECRET|PASSWORD|TOKEN|(SECRET|API|ACCESS|PRIVATE)_?KEY)$"
)


def describe_keys(settings: Any) -> List[Dict[str, Any]]:
    """Return what can be said of each key without telling it.

    An empty SECRET_KEY raises when it is read, and is told as one of no
    letters.
    """
    from django.core.exceptions import ImproperlyConfigured

    try:
        keys = [("SECRET_KEY", settings.SECRET_KEY)]
    except ImproperlyConfigured:
        keys = [("SECRET_KEY", "")]
    source = list_settings_modules()
    is_new = is_made_anew(
        to_text(keys[0][1]), list(source), sorted(set(source.values()))
    )
    for index, key in enumerate(
        getattr(settings, "SECRET_KEY_FALLBACKS", [])
    ):
        keys.append((f"SECRET_KEY_FALLBACKS[{index}]", key))
    return [
        {
            "name": name,
            "length": len(key),
            "distinct": len(set(key)),
            "isExample": to_text(key).startswith("django-insecure-"),
            "isMadeAnew": is_new and name == "SECRET_KEY",
        }
        for name, key in keys
    ]


def find_secret_files(settings: Any) -> List[str]:
    """Return the settings files that have a secret of the site in them."""
    secrets = [secret.encode() for secret in list_secrets(settings)]
    found = []
    for path in sorted(set(list_settings_modules().values())):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        if any(secret in text for secret in secrets):
            found.append(path)
    return found


def list_secrets(settings: Any) -> List[str]:
    """Return the values of settings that nobody else may know."""
    values = [
        to_text(getattr(settings, name))
        for name in dir(settings)
        if SECRET_NAMES.search(name)
        and isinstance(getattr(settings, name), (str, bytes))
    ]
    for database in settings.DATABASES.values():
        values.append(str(database.get("PASSWORD") or ""))
    return [value for value in values if len(value) >= SHORTEST_SECRET]


def list_settings_modules() -> Dict[str, str]:
    """Return the settings module and those beside it, with their files."""
    module = os.environ["DJANGO_SETTINGS_MODULE"]
    package = module.rpartition(".")[0]
    files = {}
    for name, loaded in list(sys.modules.items()):
        path = getattr(loaded, "__file__", None)
        is_beside = package and name.rpartition(".")[0] == package
        if path and (name == module or is_beside):
            files[name] = os.path.abspath(path)
    return files
