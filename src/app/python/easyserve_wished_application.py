"""The application that inspect_*.py were asked for, loaded and looked at."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple, Optional

from easyserve_application import is_asgi, takes_arguments
from easyserve_inspection import (
    Failure,
    exited,
    import_project_module,
    raised,
)


class Wish(NamedTuple):
    """How the application is to be called, where the settings say it."""

    # "wsgi", "asgi", or None: as it comes.
    interface: Optional[str]
    # The setting that says so.
    chosen_by: str


def add_interface_options(parser: argparse.ArgumentParser) -> None:
    """Add what read_wish reads."""
    parser.add_argument("--interface", choices=("wsgi", "asgi"))
    parser.add_argument(
        "--chosen-by", default="interface", help="setting, for messages"
    )


def read_wish(arguments: argparse.Namespace) -> Wish:
    """Return what the options say."""
    return Wish(arguments.interface, arguments.chosen_by)


def load_application(spec: str, wish: Wish) -> str:
    """Import the callable that `module:attribute` names; tell its kind.

    Of `module:attribute()`, what that factory returns. Raises Failure, also
    when the kind, "wsgi" or "asgi", is not what is wished.
    """
    module_name, _, target = spec.partition(":")
    is_factory = target.endswith("()")
    attribute = target[:-2] if is_factory else target
    found = import_project_module(module_name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise Failure(
                "application-callable-missing",
                f"The module {module_name!r} has no {attribute!r}.",
            )
        found = getattr(found, part)
    if is_factory:
        found = call_factory(spec, found)
    return require_application(spec, found, wish)


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


def require_application(spec: str, found: Any, wish: Wish) -> str:
    """Return "wsgi" or "asgi"; raise Failure for what is not wished."""
    if not callable(found):
        kind = type(found).__name__
        raise Failure(
            "application-not-callable",
            f"{spec!r} cannot be called: its type is {kind}.",
        )
    interface = kind_of(found)
    if suits(found, wish):
        return wish.interface or interface or "wsgi"
    if interface is None:
        raise not_an_application(spec, found, wish)
    hint = f"easyserve start --set {wish.chosen_by}=auto"
    asks = f"and the setting {wish.chosen_by} asks for"
    if interface == "asgi":
        raise Failure(
            "application-asgi", f"{spec!r} is ASGI, {asks} WSGI.", hint
        )
    raise Failure("application-wsgi", f"{spec!r} is WSGI, {asks} ASGI.", hint)


def suits(found: Any, wish: Wish) -> bool:
    """Tell whether the callable can be called as it is wished."""
    if wish.interface == "asgi":
        return is_asgi(found) or takes_arguments(found, 3)
    if is_asgi(found):
        return wish.interface is None
    return takes_arguments(found, 2) or (
        wish.interface is None and takes_arguments(found, 3)
    )


def kind_of(found: Any) -> Optional[str]:
    """Return "wsgi", "asgi", or None of what is called in another way."""
    if is_asgi(found):
        return "asgi"
    if takes_arguments(found, 2):
        return "wsgi"
    return "asgi" if takes_arguments(found, 3) else None


def not_an_application(spec: str, found: Any, wish: Wish) -> Failure:
    """Return the failure of a callable that takes other arguments."""
    hint = None
    if not spec.endswith("()") and takes_arguments(found, 0):
        hint = f"If that is a factory: easyserve start --set 'app={spec}()'"
    taken = "(environ, start_response)"
    if wish.interface == "asgi":
        taken = "(scope, receive, send)"
    return Failure(
        "application-not-callable", f"{spec!r} does not take {taken}.", hint
    )
