"""Reports which keywords the installed Cheroot takes.

    inspect_cheroot.py --timeout SECONDS

Reports `version`, and for each of the `keywords` of cheroot.wsgi.Server the
type of its default: "int", "float", "bool", "str" or "any". They differ
between releases of Cheroot.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from typing import Any, Dict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_inspection as inspection  # noqa: E402


def main() -> None:
    """Answer for the Cheroot of this interpreter."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    arguments = parser.parse_args()
    inspection.enter_project(arguments.timeout)
    inspection.answer(describe_cheroot)


def describe_cheroot() -> Dict[str, Any]:
    """Return the report; raise Failure."""
    wsgi = inspection.import_project_module("cheroot.wsgi")
    parameters = inspect.signature(wsgi.Server.__init__).parameters
    return {
        "version": wsgi.Server.version,
        "keywords": {
            name: name_type(parameter.default)
            for name, parameter in parameters.items()
            if name != "self"
        },
    }


def name_type(default: Any) -> str:
    """Return the name of the default's type; "any" for None and others."""
    name = type(default).__name__
    return name if name in ("int", "float", "bool", "str") else "any"


if __name__ == "__main__":
    main()
