"""The application: how it is named and loaded, which of WSGI and ASGI it is.

For the programs that run an application, and for those that inspect one;
needs the standard library only, Python 3.8 and later.
"""

import importlib
import inspect
import os
import sys
import traceback
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, NamedTuple, Optional

Environ = Dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))
# runpy runs manage.py (inspect_django.py).
IMPORTING_FILES = (
    importlib.__file__,
    os.path.join(os.path.dirname(os.__file__), "runpy.py"),
)


class ApplicationSpec(NamedTuple):
    """What `module:attribute` or `module:factory()` names."""

    module: str
    # May be dotted, like `Holder.application`.
    attribute: str
    is_factory: bool


class WrongInterface(TypeError):
    """WSGI where ASGI is served, or the reverse; the text says it all."""


def put_project_first() -> None:
    """Make sys.path begin with the project's folder, as under manage.py.

    The folder of easyserve's own files is taken out.
    """
    kept = [
        entry
        for entry in sys.path
        if os.path.abspath(entry or ".") != OWN_FOLDER
    ]
    sys.path[:] = [os.getcwd()] + kept


def parse_spec(spec: str) -> ApplicationSpec:
    """Take a spec apart."""
    module, _, attribute = spec.partition(":")
    if attribute.endswith("()"):
        return ApplicationSpec(module, attribute[:-2], is_factory=True)
    return ApplicationSpec(module, attribute, is_factory=False)


def load_application(spec: str) -> Any:
    """Import what the spec names; raise what the project raises."""
    named = parse_spec(spec)
    target: Any = importlib.import_module(named.module)
    for part in named.attribute.split("."):
        target = getattr(target, part)
    if named.is_factory:
        target = target()
    if not callable(target):
        raise TypeError("%s is not callable" % spec)
    return target


def require_interface(spec: str, target: Any, interface: str) -> None:
    """Raise WrongInterface when it is surely of the other kind."""
    if is_asgi(target) != (interface == "asgi"):
        if interface == "asgi" and not is_wsgi(target):
            return
        kinds = ("WSGI", "ASGI") if interface == "asgi" else ("ASGI", "WSGI")
        raise WrongInterface(
            "%s is %s, and is to be served as %s" % (spec, *kinds)
        )


def is_asgi(target: Any) -> bool:
    """Return whether calling `target` makes a coroutine, as in ASGI 3."""
    call = getattr(type(target), "__call__", None)
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(
        call
    )


def is_wsgi(target: Any) -> bool:
    """Return whether `target` takes two arguments, and not ASGI's three."""
    return takes_arguments(target, 2) and not takes_arguments(target, 3)


def takes_arguments(function: Any, count: int) -> bool:
    """Return whether `function` can be called with `count` arguments.

    True where it does not say (functions written in C).
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def format_failure(error: BaseException) -> str:
    """Return the traceback from where the application's own code begins.

    The whole traceback, where none of that is in it.
    """
    if isinstance(error, WrongInterface):
        return "%s\n" % error
    start = application_traceback(error) or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, start))


def application_traceback(error: BaseException) -> Optional[TracebackType]:
    """Return the traceback without the frames before the application's."""
    trace = error.__traceback__
    while trace is not None and is_foreign(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def is_foreign(filename: str) -> bool:
    """Return whether a frame is easyserve's, or the import system's."""
    return (
        os.path.dirname(os.path.abspath(filename)) == OWN_FOLDER
        or filename.startswith("<frozen ")
        or filename in IMPORTING_FILES
    )
