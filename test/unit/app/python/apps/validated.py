"""Every kind of answer, watched by wsgiref.validate; what it finds wrong is raised, and logged."""

import json
import os
import tempfile
from wsgiref.validate import validator

PLAIN = [("Content-Type", "text/plain")]


def empty(environ, start_response):
    start_response("200 OK", PLAIN)
    return []


def hello(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "5")])
    return [b"hello"]


def stream(environ, start_response):
    start_response("200 OK", PLAIN)
    return (b"piece %d\n" % number for number in range(3))


def legacy(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"written, ")
    write(b"")
    return [b"returned"]


def file(environ, start_response):
    source = tempfile.TemporaryFile()
    source.write(b"from a file")
    source.seek(0)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](source, 4)


def body(environ, start_response):
    source = environ["wsgi.input"]
    first = source.readline()
    rest = source.read(int(environ.get("CONTENT_LENGTH") or 0) - len(first))
    start_response("200 OK", PLAIN)
    return [rest, first]


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return []


def report(environ, start_response):
    environ["wsgi.errors"].write("a report \u2192 in the log\n")
    environ["wsgi.errors"].writelines(["one ", "more\n"])
    environ["wsgi.errors"].flush()
    return empty(environ, start_response)


def variables(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    shown = {name: value for name, value in environ.items() if isinstance(value, (str, bool, tuple))}
    shown["os"] = os.name
    return [json.dumps(shown).encode()]


def route(environ, start_response):
    view = globals().get(environ["PATH_INFO"][1:], variables)
    return view(environ, start_response)


application = validator(route)
