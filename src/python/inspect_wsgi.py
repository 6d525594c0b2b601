"""Find and try a plain WSGI application.

    inspect_wsgi.py --timeout SECONDS SPEC...

A SPEC is `module:attribute`, `module:attribute()`, or a bare `module`, whose
usual names are tried. The first one that leads to an application is
reported; a bare module without any of the names is passed over. A module
that raises, exits or hangs is an error: its owner wants to know.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_inspection as inspection  # noqa: E402

USUAL_NAMES = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


def main() -> None:
    """Answer for the modules that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("specs", nargs="+")
    arguments = parser.parse_args()
    inspection.enter_project(arguments.timeout)
    inspection.answer(lambda: find_application(arguments.specs))


def find_application(specs: List[str]) -> Dict[str, Any]:
    """Return the report: its `application` is None when there is none."""
    report: Dict[str, Any] = {"application": None}
    for spec in specs:
        named = spec if ":" in spec else find_in_module(spec)
        if named is not None:
            inspection.load_application(named)
            report["application"] = named
            report["rssBytes"] = inspection.resident_bytes()
            break
    report["isGilEnabled"] = inspection.is_gil_enabled()
    return report


def find_in_module(name: str) -> Optional[str]:
    """Return the spec of the first usual name that the module has."""
    module = inspection.import_project_module(name)
    for attribute in USUAL_NAMES:
        if callable(getattr(module, attribute, None)):
            return f"{name}:{attribute}"
    for attribute in USUAL_FACTORIES:
        factory = getattr(module, attribute, None)
        if callable(factory) and inspection.takes_arguments(factory, 0):
            return f"{name}:{attribute}()"
    return None


if __name__ == "__main__":
    main()
