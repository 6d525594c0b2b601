"""Asks what WhiteNoise's settings say of each static file.

    inspect_static.py --timeout SECONDS [options]

After collectstatic, because it is asked of the files that are there; only of
projects whose settings have such a function (WhiteNoiseFacts.asksFiles).
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from typing import Any, Dict, Iterator, List, Tuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import easyserve_django_files as files  # noqa: E402
import easyserve_django_settings as choice  # noqa: E402
import easyserve_inspection as inspection  # noqa: E402
import easyserve_whitenoise as whitenoise  # noqa: E402
import inspect_django as project  # noqa: E402


def main() -> None:
    """Answer for the project in the working directory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--manage", help="manage.py, where there is one")
    parser.add_argument("--settings-module", required=True)
    parser.add_argument("--script-name", default="")
    parser.add_argument("--root", help="WHITENOISE_ROOT, where it is served")
    arguments = parser.parse_args()
    inspection.enter_project(arguments.timeout)
    inspection.answer(lambda: inspect_static(arguments))


def inspect_static(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Return the report; raise Failure."""
    project.require_django()
    chosen = choice.choose_settings(arguments)
    settings = project.load_project(chosen, arguments.script_name)
    warnings: List[str] = []
    mount = mount_of(settings, arguments)
    try:
        answers = whitenoise.ask_files(
            settings, list_files(settings, arguments), mount, warnings
        )
    except Exception as error:
        raise whitenoise.describe_failure(error) from error
    return {"answers": answers, "warnings": warnings}


def mount_of(settings: Any, arguments: argparse.Namespace) -> str:
    """Return what STATIC_URL has before the application's own path."""
    forced = settings.FORCE_SCRIPT_NAME
    name = arguments.script_name if forced is None else str(forced)
    return name.rstrip("/")


def list_files(
    settings: Any, arguments: argparse.Namespace
) -> Iterator[Tuple[str, str]]:
    """Go through the files that easyserve serves; the root goes last."""
    facts = files.gather_static(settings, [])
    prefix, root = facts.get("staticPrefix"), facts.get("staticRoot")
    collected: Iterator[Tuple[str, str]] = iter(())
    if prefix is not None and root is not None:
        collected = whitenoise.list_files(root, prefix)
    elif prefix is not None:
        found = facts.get("staticFound", {}).items()
        collected = ((prefix + below, path) for below, path in found)
    if arguments.root is None:
        return collected
    start = arguments.script_name + "/"
    more = whitenoise.list_files(arguments.root, start)
    return itertools.chain(collected, more)


if __name__ == "__main__":
    main()
