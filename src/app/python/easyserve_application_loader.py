"""Loads the application that a project is inspected for; tells its kind."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple, Optional

from easyserve_application import is_asgi, parse_spec, takes_arguments
from easyserve_inspection import (
    Failure,
    exited,
    import_project_module,
    raised,
)


class InterfacePreference(NamedTuple):
    """How the application is to be called, where the settings say it."""

    # "wsgi", "asgi", or None: whichever the application is.
    interface: Optional[str]
    # The setting that says so.
    chosen_by: str


def add_interface_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that read_preference reads."""
    parser.add_argument("--interface", choices=("wsgi", "asgi"))
    parser.add_argument(
        "--chosen-by", default="interface", help="setting, for messages"
    )


def read_preference(arguments: argparse.Namespace) -> InterfacePreference:
    """Return what the options say."""
    return InterfacePreference(arguments.interface, arguments.chosen_by)


def load_application(spec: str, preference: InterfacePreference) -> str:
    """Import the callable that the spec names; return "wsgi" or "asgi".

    Raises Failure, also when it is of another kind than is preferred.
    """
    named = parse_spec(spec)
    found = import_project_module(named.module)
    for part in named.attribute.split("."):
        if not hasattr(found, part):
            raise Failure(
                "application-callable-missing",
                f"The module {named.module!r} has no {named.attribute!r}.",
            )
        found = getattr(found, part)
    if named.is_factory:
        found = call_factory(spec, found)
    return require_application(spec, found, preference)


def call_factory(spec: str, factory: Any) -> Any:
    """Return what the factory makes; raise Failure whatever it does."""
    if not callable(factory):
        kind = type(factory).__name__
        raise Failure(
            "application-not-callable",
            f"{spec[:-2]!r} is no factory, but of the type {kind}.",
        )
    try:
        return factory()
    except SystemExit as error:
        raise exited(f"The factory {spec!r}", error) from error
    except BaseException as error:
        raise raised(f"The factory {spec!r}", error) from error


def require_application(
    spec: str, found: Any, preference: InterfacePreference
) -> str:
    """Return "wsgi" or "asgi"; raise Failure for what can't be served."""
    if not callable(found):
        kind = type(found).__name__
        raise Failure(
            "application-not-callable",
            f"{spec!r} cannot be called: its type is {kind}.",
        )
    interface = kind_of(found)
    if suits(found, preference):
        return preference.interface or interface or "wsgi"
    if interface is None:
        raise not_an_application(spec, found, preference)
    hint = f"easyserve start --set {preference.chosen_by}=auto"
    asks = f"and the setting {preference.chosen_by} asks for"
    if interface == "asgi":
        raise Failure(
            "application-asgi", f"{spec!r} is ASGI, {asks} WSGI.", hint
        )
    raise Failure("application-wsgi", f"{spec!r} is WSGI, {asks} ASGI.", hint)


def suits(found: Any, preference: InterfacePreference) -> bool:
    """Return whether the callable can be called as it is preferred."""
    if preference.interface == "asgi":
        return is_asgi(found) or takes_arguments(found, 3)
    if is_asgi(found):
        return preference.interface is None
    return takes_arguments(found, 2) or (
        preference.interface is None and takes_arguments(found, 3)
    )


def kind_of(found: Any) -> Optional[str]:
    """Return "wsgi" or "asgi"; None when it is called in another way."""
    if is_asgi(found):
        return "asgi"
    if takes_arguments(found, 2):
        return "wsgi"
    return "asgi" if takes_arguments(found, 3) else None


def not_an_application(
    spec: str, found: Any, preference: InterfacePreference
) -> Failure:
    """Return the failure of a callable that takes other arguments."""
    hint = None
    if not spec.endswith("()") and takes_arguments(found, 0):
        hint = f"If that is a factory: easyserve start --set 'app={spec}()'"
    taken = "(environ, start_response)"
    if preference.interface == "asgi":
        taken = "(scope, receive, send)"
    return Failure(
        "application-not-callable", f"{spec!r} does not take {taken}.", hint
    )
