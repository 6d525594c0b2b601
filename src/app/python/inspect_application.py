"""Finds and loads a WSGI or ASGI application that is no Django project.

    inspect_application.py --timeout SECONDS [options] SPEC...

A SPEC is `module:attribute`, `module:attribute()`, or a bare `module`, in
which the usual names are tried. The first one that leads to an application is
reported. A bare module without any of these names is skipped, and so is one
whose application is of another kind than the preferred one. A module that
raises, exits or hangs is an error, which its owner has to know.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_inspection as inspection  # noqa: E402
import easyserve_application_loader as loader  # noqa: E402
from easyserve_application import takes_arguments  # noqa: E402
from easyserve_engine_io import has_engine_io  # noqa: E402
from easyserve_gil_limiter import is_gil_enabled  # noqa: E402

USUAL_NAMES = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


def main() -> None:
    """Answer for the modules that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    loader.add_interface_options(parser)
    parser.add_argument("specs", nargs="+")
    arguments = parser.parse_args()
    inspection.enter_project(arguments.timeout)
    inspection.answer(lambda: find_application(arguments))


def find_application(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Return the report: its `application` is None when there is none."""
    report: Dict[str, Any] = {"application": None}
    preference = loader.read_preference(arguments)
    for spec in arguments.specs:
        named = spec if ":" in spec else find_in_module(spec, preference)
        if named is not None:
            report["interface"] = loader.load_application(named, preference)
            report["application"] = named
            report["hasEngineIo"] = has_engine_io(named)
            report["rssBytes"] = inspection.resident_bytes()
            break
    report["isGilEnabled"] = is_gil_enabled()
    report["installed"] = inspection.list_installed()
    return report


def find_in_module(
    name: str, preference: loader.InterfacePreference
) -> Optional[str]:
    """Return the spec of the first usual name that the module has."""
    module = inspection.import_project_module(name)
    for attribute in USUAL_NAMES:
        found = getattr(module, attribute, None)
        if callable(found) and loader.suits(found, preference):
            return f"{name}:{attribute}"
    for attribute in USUAL_FACTORIES:
        factory = getattr(module, attribute, None)
        if callable(factory) and takes_arguments(factory, 0):
            return f"{name}:{attribute}()"
    return None


if __name__ == "__main__":
    main()
