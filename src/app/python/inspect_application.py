"""Find and try a WSGI or ASGI application that is no Django project.

    inspect_application.py --timeout SECONDS [options] SPEC...

A SPEC is `module:attribute`, `module:attribute()`, or a bare `module`, whose
usual names are tried. The first one that leads to an application is
reported; a bare module without any of the names is passed over, and so is
one whose application is of another kind than is asked for. A module that
raises, exits or hangs is an error: its owner wants to know.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_inspection as inspection  # noqa: E402
import easyserve_wished_application as wished  # noqa: E402
from easyserve_application import takes_arguments  # noqa: E402

USUAL_NAMES = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


def main() -> None:
    """Answer for the modules that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    wished.add_interface_options(parser)
    parser.add_argument("specs", nargs="+")
    arguments = parser.parse_args()
    inspection.enter_project(arguments.timeout)
    inspection.answer(lambda: find_application(arguments))


def find_application(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Return the report: its `application` is None when there is none."""
    report: Dict[str, Any] = {"application": None}
    wish = wished.read_wish(arguments)
    for spec in arguments.specs:
        named = spec if ":" in spec else find_in_module(spec, wish)
        if named is not None:
            report["interface"] = wished.load_application(named, wish)
            report["application"] = named
            report["rssBytes"] = inspection.resident_bytes()
            break
    report["isGilEnabled"] = inspection.is_gil_enabled()
    report["installed"] = inspection.list_installed()
    return report


def find_in_module(name: str, wish: wished.Wish) -> Optional[str]:
    """Return the spec of the first usual name that the module has."""
    module = inspection.import_project_module(name)
    for attribute in USUAL_NAMES:
        found = getattr(module, attribute, None)
        if callable(found) and wished.suits(found, wish):
            return f"{name}:{attribute}"
    for attribute in USUAL_FACTORIES:
        factory = getattr(module, attribute, None)
        if callable(factory) and takes_arguments(factory, 0):
            return f"{name}:{attribute}()"
    return None


if __name__ == "__main__":
    main()
