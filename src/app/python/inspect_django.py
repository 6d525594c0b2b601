"""Asks a Django project what easyserve has to know of it.

    inspect_django.py --timeout SECONDS [options]

manage.py is run first, without the command that it would execute, so that the
settings are loaded in the environment that the project prepares itself:
DJANGO_SETTINGS_MODULE, .env files, sys.path, django-configurations.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_application_loader as loader  # noqa: E402
import easyserve_django_addresses as addresses  # noqa: E402
import easyserve_django_files as files  # noqa: E402
import easyserve_django_examination as examination  # noqa: E402
import easyserve_django_interface as interfaces  # noqa: E402
import easyserve_django_settings as choice  # noqa: E402
import easyserve_inspection as inspection  # noqa: E402
import easyserve_whitenoise as whitenoise  # noqa: E402
from easyserve_django import keep_prefix, mounted  # noqa: E402
from easyserve_django_deployment import (  # noqa: E402
    gather_deployment,
    logs_errors,
)
from easyserve_django_interface import SETTINGS_VARIABLE  # noqa: E402
from easyserve_django_urls import import_urls  # noqa: E402
from easyserve_engine_io import has_engine_io  # noqa: E402
from easyserve_gil_limiter import is_gil_enabled  # noqa: E402
from easyserve_inspection import Failure  # noqa: E402
from easyserve_json_values import reduce_to_json  # noqa: E402


def main() -> None:
    """Answer for the project in the working directory."""
    arguments = parse_arguments()
    inspection.enter_project(arguments.timeout)
    inspection.answer(lambda: inspect_project(arguments))


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--manage", help="manage.py, where there is one")
    parser.add_argument(
        "--settings-module",
        help="instead of what the environment or manage.py names",
    )
    parser.add_argument(
        "--application", help="module:callable instead of the settings'"
    )
    loader.add_interface_options(parser)
    parser.add_argument(
        "--script-name", default="", help="where the site is mounted"
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="import the application too, and report its size",
    )
    parser.add_argument(
        "--examine",
        action="store_true",
        help="run Django's own checks, and ask the databases",
    )
    parser.add_argument(
        "--answered",
        action="append",
        default=[],
        help="prefix that is answered before the application is asked",
    )
    return parser.parse_args()


def inspect_project(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Return the report; raise Failure."""
    version = require_django()
    warnings: List[str] = []
    chosen = choice.choose_settings(arguments)
    settings = load_project(chosen, arguments.script_name)
    application, interface = interfaces.choose_application(
        settings, arguments, chosen.entries
    )
    choice.tell_choice(chosen, warnings)
    choice.tell_override(chosen, application, interface, warnings)
    report: Dict[str, Any] = {
        "settingsModule": os.environ[SETTINGS_VARIABLE],
        "hasOtherManageSettings": choice.is_other_in_manage(
            arguments.manage, os.environ[SETTINGS_VARIABLE]
        ),
        "application": application,
        "interface": interface,
        "installed": inspection.list_installed(),
        "hasEngineIo": has_engine_io(application),
        "isOfOtherEntry": choice.asks_other_entry(chosen, interface),
    }
    if arguments.measure:
        wanted = loader.InterfacePreference(interface, arguments.chosen_by)
        loader.load_application(application, wanted)
    urls_failure = load_urls(settings)
    if arguments.measure:
        report["rssBytes"] = inspection.resident_bytes()
    report["isGilEnabled"] = is_gil_enabled()
    report["warnings"] = warnings
    facts = report["django"] = gather_facts(settings, version, warnings)
    if urls_failure is not None:
        facts["urlsFailure"] = urls_failure
    else:
        facts["addresses"] = addresses.gather_addresses(
            settings, facts, arguments.answered, arguments.script_name
        )
    if arguments.examine:
        facts["examination"] = examination.examine(settings)
    return report


def require_django() -> str:
    """Return Django's version; raise Failure when it is missing."""
    try:
        import django
    except ImportError as error:
        raise Failure(
            "django-missing",
            f"Django cannot be imported: {inspection.summarise(error)}",
        ) from error
    return str(django.get_version())


def load_project(chosen: choice.ChosenSettings, script_name: str) -> Any:
    """Return the settings of the project, set up; raise Failure."""
    try:
        settings = choice.load_settings(chosen)
        set_up(settings, script_name)
    except Failure as failure:
        failure.other_settings = chosen.other
        raise
    return settings


def set_up(settings: Any, script_name: str) -> None:
    """Call django.setup(), as a process that is mounted there would."""
    import django

    try:
        with mounted(script_name):
            django.setup()
    except BaseException as error:
        raise Failure(
            "django-setup",
            "Django cannot set up the project: "
            f"{inspection.summarise(error)}",
        ) from error
    keep_prefix(settings, script_name)


def load_urls(settings: Any) -> Optional[str]:
    """Import the views, as a process does; return why that fails, if so."""
    try:
        import_urls(settings)
    except (Exception, SystemExit) as error:
        module = getattr(settings, "ROOT_URLCONF", None)
        reason = inspection.summarise(error)
        return f"The URLs of {module} cannot be loaded: {reason}"
    return None


def gather_facts(
    settings: Any, version: str, warnings: List[str]
) -> Dict[str, Any]:
    """Return DjangoFacts (src/contracts/project-facts.ts)."""
    facts: Dict[str, Any] = {
        "version": version,
        "isDebug": bool(settings.DEBUG),
        "allowedHosts": [str(host) for host in settings.ALLOWED_HOSTS],
        "redirectsToHttps": bool(settings.SECURE_SSL_REDIRECT),
        "logsErrors": logs_errors(),
        "deployment": gather_deployment(settings),
    }
    if settings.DEBUG:
        facts["productionSettings"] = choice.find_production_settings()
    facts.update(interfaces.gather_headers(settings))
    facts.update(files.gather_media(settings, warnings))
    facts.update(files.gather_written(settings))
    try:
        facts.update(files.gather_static(settings, warnings))
    except Exception as error:
        # Only a warning: Django itself raises it when a static file is asked
        # for, and serves everything else.
        reason = inspection.summarise(error)
        warnings.append(f"Static files are not served: {reason}")
    facts["whitenoise"] = whitenoise.gather_facts(settings, facts, warnings)
    facts = {
        name: value for name, value in facts.items() if value is not None
    }
    for name in ("EASYSERVER", "CHEROOT"):
        if hasattr(settings, name):
            value = reduce_to_json(getattr(settings, name))
            facts[name.lower()] = value
    return facts


if __name__ == "__main__":
    main()
