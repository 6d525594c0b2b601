"""Runs a project's manage.py for what it prepares, without its command."""

from __future__ import annotations

import runpy
import sys

import easyserve_inspection as inspection
from easyserve_inspection import Failure


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
