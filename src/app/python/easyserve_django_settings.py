"""Which settings a Django project is served with, and who names them.

Production servers import wsgi.py (asgi.py under ASGI), so that its settings
are those of the site; manage.py often names some for development.
"""

from __future__ import annotations

import argparse
import difflib
import glob
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional

import easyserve_inspection as inspection
from easyserve_django_entries import (
    find_entries,
    module_of,
    named_in_text,
    run_entry,
)
from easyserve_django_interface import SETTINGS_VARIABLE
from easyserve_django_manage import run_manage
from easyserve_inspection import Failure

PRODUCTION = (
    "production",
    "prod",
    "live",
    "deploy",
    "settings_production",
    "production_settings",
    "settings_prod",
    "prod_settings",
)


class Named(NamedTuple):
    """A settings module, and what names it."""

    module: str
    by: str


class ChosenSettings(NamedTuple):
    """The settings that were taken, and the other ones that were named."""

    taken: Named
    # Of manage.py.
    other: Optional[str]
    # wsgi.py and asgi.py of the project, by interface.
    entries: Dict[str, str]


def choose_settings(arguments: argparse.Namespace) -> ChosenSettings:
    """Set DJANGO_SETTINGS_MODULE, and run manage.py where there is one.

    The option comes first, then the environment, then wsgi.py or asgi.py,
    then manage.py. Raises Failure where nothing names any.
    """
    given = name_given(arguments)
    by_manage = named_in_text(arguments.manage or "")
    entries = find_entries(given.module if given else by_manage)
    taken = given or name_by_entry(entries, arguments.interface)
    if taken is not None:
        # Before manage.py, which may load them itself.
        os.environ[SETTINGS_VARIABLE] = taken.module
    if arguments.manage is not None:
        run_manage(arguments.manage)
    set_by_manage = os.environ.get(SETTINGS_VARIABLE)
    other = None
    if taken is None and set_by_manage:
        taken = Named(set_by_manage, "manage.py")
    elif taken is not None and given is None:
        if set_by_manage != taken.module:
            by_manage = set_by_manage
        other = by_manage if by_manage != taken.module else None
    if taken is None:
        raise Failure(
            "settings-module-unknown",
            f"{arguments.manage} sets no {SETTINGS_VARIABLE}.",
            "easyserve start --set settingsModule=project.settings",
        )
    os.environ[SETTINGS_VARIABLE] = taken.module  # manage.py may assign it
    return ChosenSettings(taken, other, entries)


def name_given(arguments: argparse.Namespace) -> Optional[Named]:
    """Return what easyserve's setting or the environment names."""
    if arguments.settings_module:
        return Named(arguments.settings_module, "the setting settingsModule")
    module = os.environ.get(SETTINGS_VARIABLE)
    return Named(module, SETTINGS_VARIABLE) if module else None


def name_by_entry(
    entries: Dict[str, str], interface: Optional[str]
) -> Optional[Named]:
    """Return the settings that the server's own file names."""
    kinds = ("asgi", "wsgi") if interface == "asgi" else ("wsgi", "asgi")
    for kind in kinds:
        path = entries.get(kind)
        module = path and run_entry(path)
        if path and module:
            return Named(module, path)
    return None


def load_settings(chosen: ChosenSettings) -> Any:
    """Return django.conf.settings, loaded; raise Failure."""
    from django.conf import settings

    try:
        settings.INSTALLED_APPS
    except BaseException as error:
        raise describe_settings_failure(chosen, error) from error
    return settings


def describe_settings_failure(
    chosen: ChosenSettings, error: BaseException
) -> Failure:
    """Return why the settings cannot be loaded."""
    (name, by), other = chosen.taken, chosen.other
    who = f", named by {by}," if other is not None else ""
    failure = Failure(
        "django-settings",
        f"Django's settings {name!r}{who} cannot be loaded: "
        f"{inspection.summarise(error)}",
    )
    missing = getattr(error, "name", None) or "?"
    if isinstance(error, ModuleNotFoundError) and (name + ".").startswith(
        missing + "."
    ):
        failure.is_package_missing = False
        failure.hint = suggest_settings(chosen.taken)
    return failure


def suggest_settings(named: Named) -> str:
    """Return what to write in place of settings that are not there."""
    near = difflib.get_close_matches(named.module, list_settings(), 1)
    if not near:
        return f"correct {named.by}, which names {named.module}"
    if named.by == SETTINGS_VARIABLE:
        return f"did you mean {SETTINGS_VARIABLE}={near[0]}"
    if named.by.endswith(".py"):
        return f"did you mean {near[0]}? Correct {named.by}"
    return f"easyserve start --set settingsModule={near[0]}"


def list_settings() -> List[str]:
    """Return the modules of the project that look like settings."""
    paths: List[str] = []
    for depth in ("", "*/", "*/*/"):
        paths += glob.glob(f"{depth}*settings*.py")
        paths += glob.glob(f"{depth}settings/*.py")
        paths += glob.glob(f"{depth}settings/__init__.py")
    return sorted(
        {re.sub(r"\.__init__$", "", module_of(path)) for path in paths}
    )


def find_production_settings() -> Optional[str]:
    """Return settings for production that lie beside those in use."""
    package, _, last = os.environ[SETTINGS_VARIABLE].rpartition(".")
    packages = [package, f"{package}.{last}" if package else last]
    for name in PRODUCTION:
        for each in packages:
            module = f"{each}.{name}" if each else name
            if name != last and os.path.isfile(
                module.replace(".", os.sep) + ".py"
            ):
                return module
    return None


def is_other_in_manage(manage: Optional[str], module: str) -> bool:
    """Return whether the text of manage.py names other settings only."""
    named = named_in_text(manage or "")
    return named is not None and named != module


def tell_choice(chosen: ChosenSettings, warnings: List[str]) -> None:
    """Say which settings were taken where two are named."""
    (module, by), other = chosen.taken, chosen.other
    # A .env file or the like that decides for wsgi.py does so for manage.py.
    if other is not None and named_in_text(by) == module:
        warnings.append(
            f"The settings are {module}, as {by} names them, "
            f"and not {other} of manage.py"
        )


def tell_override(
    chosen: ChosenSettings, application: str, interface: str, warnings: List[str]
) -> None:
    """Say which settings are served where the project insists on its own.

    A wsgi.py that assigns DJANGO_SETTINGS_MODULE, in place of setdefault(),
    undoes what the setting or the environment names.
    """
    (module, by), path = chosen.taken, chosen.entries.get(interface)
    is_given = by not in ("manage.py", *chosen.entries.values())
    if path is None or not is_given:
        return
    if application.partition(":")[0] != module_of(path):
        return
    served = run_entry(path) or module
    os.environ[SETTINGS_VARIABLE] = module
    if served != module:
        warnings.append(
            f"{by} names {module}, but {path} assigns {SETTINGS_VARIABLE}: "
            f"{served} is what is served. Write it as os.environ."
            f"setdefault('{SETTINGS_VARIABLE}', '{served}') in {path}"
        )


def asks_other_entry(chosen: ChosenSettings, interface: str) -> bool:
    """Return whether the other file, which is served, names others."""
    path = chosen.entries.get(interface)
    if path is None or chosen.taken.by not in chosen.entries.values():
        return False
    named = named_in_text(path)
    return path != chosen.taken.by and named not in (
        None,
        chosen.taken.module,
        named_in_text(chosen.taken.by),
    )
