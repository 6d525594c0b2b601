"""Answers of every shape that PEP 3333 knows; close() of each is noted."""

import sys

from journal import Closing, dispatch, note

PLAIN = [("Content-Type", "text/plain")]


def sized(length):
    return PLAIN + [("Content-Length", str(length))]


def wanted(environ):
    """The headers that the test wants: its own Content-Length, or none."""
    length = environ.get("HTTP_X_LENGTH")
    return PLAIN if length is None else sized(length)


def whole(environ, start_response):
    start_response("200 OK", wanted(environ))
    return [b"hello ", b"world"]


def stream(environ, start_response):
    start_response("200 OK", wanted(environ))
    return Closing([b"", b"hello ", b"", b"world"])


def single(environ, start_response):
    # As werkzeug's ClosingIterator: one block, its length declared.
    start_response("200 OK", sized(5))
    return Closing([b"hello"])


def generator(environ, start_response):
    start_response("200 OK", PLAIN)
    try:
        yield b"hello "
        yield b"world"
        note("exhausted")
    finally:
        note("ended")


def empty_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return []


def empty_stream(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([])


def empty_blocks(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"", b"", b""])


def written(environ, start_response):
    write = start_response("200 OK", wanted(environ))
    write(b"hello ")
    write(b"")
    write(b"world")
    return Closing([])


def written_then_returned(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"hello ")
    return [b"world"]


def nothing_written(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"")
    return []


def endless(environ, start_response):
    start_response("200 OK", wanted(environ))
    try:
        while True:
            yield b"hello "
    finally:
        note("ended")


def status(environ, start_response):
    start_response(environ["QUERY_STRING"], wanted(environ))
    return [b"hello ", b"world"]


def status_of_stream(environ, start_response):
    start_response(environ["QUERY_STRING"], wanted(environ))
    return Closing([b"hello ", b"world"])


def cookies(environ, start_response):
    headers = [("Set-Cookie", "a=1"), ("X-Text", "caf\u00e9"), ("Set-Cookie", "b=2"), ("X-Empty", "")]
    start_response("200 OK", headers)
    return [b""]


def late_start(environ, start_response):
    # A generator that names its status only when it is asked for the first block.
    start_response("201 Created", PLAIN)
    yield b"made"


def replaced(environ, start_response):
    start_response("200 OK", sized(1000))
    try:
        raise ValueError("changed its mind")
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    return [b"an error page"]


def replaced_in_stream(environ, start_response):
    start_response("200 OK", PLAIN)
    try:
        yield b""
        raise ValueError("changed its mind")
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    yield b"an error page"


class HttpResponse:
    """As Django's: it says that all of its content is there."""

    streaming = False

    def __iter__(self):
        return iter([b"hello ", b"world"])

    def close(self):
        note("close")


def response(environ, start_response):
    start_response("200 OK", PLAIN)
    return HttpResponse()


class ClosingList(list):
    def close(self):
        note("close")


def closing_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return ClosingList([b"hello ", b"world"])


application = dispatch(globals())
