"""The application: how it is loaded, which of WSGI and ASGI it is.

Imported by the programs that run an application, and by those that inspect
one; needs the standard library only, Python 3.8 and later.
"""

import importlib
import inspect
import os
import traceback
from typing import Any

OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def load_application(spec: str) -> Any:
    """Import `module:attribute` or call the factory `module:attribute()`."""
    module_name, _, attribute = spec.partition(":")
    module = importlib.import_module(module_name)
    is_factory = attribute.endswith("()")
    target: Any = module
    for part in (attribute[:-2] if is_factory else attribute).split("."):
        target = getattr(target, part)
    if is_factory:
        target = target()
    if not callable(target):
        raise TypeError("%s is not callable" % spec)
    return target


class WrongInterface(TypeError):
    """WSGI where ASGI is served, or the reverse; the text says it all."""


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
    """Tell whether calling `target` makes a coroutine, as ASGI 3 has it."""
    call = getattr(type(target), "__call__", None)
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(
        call
    )


def is_wsgi(target: Any) -> bool:
    """Tell whether `target` takes two arguments, and not the three of ASGI."""
    return takes_arguments(target, 2) and not takes_arguments(target, 3)


def takes_arguments(function: Any, count: int) -> bool:
    """Tell whether `function` can be called with `count` arguments.

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
    """Return the traceback from where it leaves easyserve and the import."""
    if isinstance(error, WrongInterface):
        return "%s\n" % error
    trace = error.__traceback__
    while trace is not None and is_foreign(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    start = trace or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, start))


def is_foreign(filename: str) -> bool:
    """Tell whether a frame is easyserve's own, or the import system's."""
    return (
        os.path.dirname(os.path.abspath(filename)) == OWN_FOLDER
        or filename == importlib.__file__
        or filename.startswith("<frozen importlib")
    )
