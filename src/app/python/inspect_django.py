"""Asks a Django project what easyserve has to know of it.

    inspect_django.py --timeout SECONDS [options]

manage.py is run first, without the command that it would execute, so that the
settings are loaded in the environment that the project prepares itself:
DJANGO_SETTINGS_MODULE, .env files, sys.path, django-configurations.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import re
import runpy
import sys
from typing import Any, Dict, List, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_application_loader as loader  # noqa: E402
import easyserve_django_addresses as addresses  # noqa: E402
import easyserve_django_files as files  # noqa: E402
import easyserve_django_interface as interfaces  # noqa: E402
import easyserve_inspection as inspection  # noqa: E402
from easyserve_django import keep_prefix, mounted  # noqa: E402
from easyserve_django_interface import SETTINGS_VARIABLE  # noqa: E402
from easyserve_django_urls import import_urls  # noqa: E402
from easyserve_gil_limiter import is_gil_enabled  # noqa: E402
from easyserve_inspection import Failure  # noqa: E402

NAMED_SETTINGS = re.compile(
    SETTINGS_VARIABLE + r"""["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']"""
)


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
    is_named_by_manage = choose_settings(arguments)
    settings = load_settings()
    set_up(settings, arguments.script_name)
    application, interface = interfaces.choose_application(
        settings, arguments
    )
    if is_named_by_manage:
        warn_of_other_settings(application, warnings)
    report: Dict[str, Any] = {
        "settingsModule": os.environ[SETTINGS_VARIABLE],
        "application": application,
        "interface": interface,
        "installed": inspection.list_installed(),
    }
    if interface == "asgi":
        interfaces.warn_of_kept_connections(settings, warnings)
    if arguments.measure:
        preference = loader.InterfacePreference(
            interface, arguments.chosen_by
        )
        loader.load_application(application, preference)
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
    addresses.warn_of_whitenoise(settings, facts, warnings)
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


def choose_settings(arguments: argparse.Namespace) -> bool:
    """Set DJANGO_SETTINGS_MODULE, and run manage.py where there is one.

    The option comes first, then the environment, then manage.py. Returns
    whether manage.py named the settings; raises Failure where nothing does.
    """
    chosen = arguments.settings_module or os.environ.get(SETTINGS_VARIABLE)
    if chosen:
        os.environ[SETTINGS_VARIABLE] = chosen
    if arguments.manage is not None:
        run_manage(arguments.manage)
    if chosen:
        os.environ[SETTINGS_VARIABLE] = chosen  # manage.py may assign it
    elif not os.environ.get(SETTINGS_VARIABLE):
        raise Failure(
            "settings-module-unknown",
            f"{arguments.manage} sets no {SETTINGS_VARIABLE}.",
            "easyserve start --set settingsModule=project.settings",
        )
    return not chosen


def run_manage(path: str) -> None:
    """Run manage.py up to where it would run a command.

    It is told to run `check`: some projects treat other commands specially.
    """
    from django.core import management

    utility = management.ManagementUtility
    execute = management.execute_from_command_line
    execute_utility = utility.execute
    management.execute_from_command_line = lambda argv=None: None
    utility.execute = lambda self: None
    argv, sys.argv = sys.argv, [path, "check"]
    try:
        runpy.run_path(path, run_name="__main__")
    except BaseException as error:
        if not (isinstance(error, SystemExit) and not error.code):
            raise Failure(
                "manage-raises",
                f"{path} failed: {inspection.summarise(error)}",
            ) from error
    finally:
        sys.argv = argv
        management.execute_from_command_line = execute
        utility.execute = execute_utility


def load_settings() -> Any:
    """Return django.conf.settings, loaded; raise Failure."""
    from django.conf import settings

    try:
        settings.INSTALLED_APPS
    except BaseException as error:
        name = os.environ[SETTINGS_VARIABLE]
        raise Failure(
            "django-settings",
            f"Django's settings {name!r} cannot be loaded: "
            f"{inspection.summarise(error)}",
        ) from error
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


def warn_of_other_settings(application: str, warnings: List[str]) -> None:
    """Warn when wsgi.py would choose other settings than manage.py does.

    Some projects name those for production only in wsgi.py.
    """
    try:
        spec = importlib.util.find_spec(application.partition(":")[0])
    except Exception:
        return  # loading the application reports it, with the traceback
    if spec is None or not os.path.isfile(spec.origin or ""):
        return
    path = os.path.relpath(str(spec.origin))
    with open(path, encoding="utf-8", errors="replace") as source:
        named = NAMED_SETTINGS.search(source.read())
    chosen = os.environ[SETTINGS_VARIABLE]
    if named is not None and named.group(1) != chosen:
        other = named.group(1)
        warnings.append(
            f"The settings are {chosen}, as manage.py names them, but {path} "
            f"names {other}. To use those: "
            f"easyserve start --set settingsModule={other}"
        )


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
    }
    facts.update(interfaces.gather_headers(settings))
    facts.update(files.gather_media(settings, warnings))
    facts["databaseFiles"] = files.list_databases(settings)
    try:
        facts.update(files.gather_static(settings, warnings))
    except Exception as error:
        # Only a warning: Django itself raises it when a static file is asked
        # for, and serves everything else.
        reason = inspection.summarise(error)
        warnings.append(f"Static files are not served: {reason}")
    facts = {
        name: value for name, value in facts.items() if value is not None
    }
    for name in ("EASYSERVER", "CHEROOT"):
        if hasattr(settings, name):
            value = inspection.reduce_to_json(getattr(settings, name))
            facts[name.lower()] = value
    return facts


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


if __name__ == "__main__":
    main()
