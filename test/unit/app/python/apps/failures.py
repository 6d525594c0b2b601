"""Applications that break, or break the rules."""

import sys

from journal import Closing, dispatch, note

PLAIN = [("Content-Type", "text/plain")]


def fine(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"fine"]


def before_start(environ, start_response):
    raise ValueError("before start_response")


def after_start(environ, start_response):
    start_response("200 OK", PLAIN)
    raise ValueError("after start_response")


def before_block(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(raising())


def raising():
    yield b""
    raise ValueError("before the first block")


def within(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(raising_late())


def raising_late():
    yield b"a block"
    raise ValueError("after the first block")


def after_whole(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "7")])
    return Closing(raising_late())


def after_write(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"a block")
    raise ValueError("after write")


class BrokenClose:
    def __iter__(self):
        return iter([b"a block"])

    def close(self):
        note("close")
        raise ValueError("in close")


def in_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return BrokenClose()


class AllBroken(BrokenClose):
    def __iter__(self):
        raise ValueError("in iter")


def in_iter_and_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return AllBroken()


def exits(environ, start_response):
    sys.exit("an exit in a view")


def interrupts(environ, start_response):
    raise KeyboardInterrupt


def never_starts(environ, start_response):
    return [b"body"]


def never_starts_stream(environ, start_response):
    return Closing([b"body"])


def never_starts_empty(environ, start_response):
    return []


def returns_none(environ, start_response):
    start_response("200 OK", PLAIN)


def twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("404 Not Found", PLAIN)
    return [b"body"]


def twice_after_error(environ, start_response):
    # PEP 3333: fatal also when the first call raised.
    try:
        start_response("200 OK", [("X-Bad", "a\nb")])
    except ValueError:
        pass
    start_response("200 OK", PLAIN)
    return [b"body"]


def swallowed_error(environ, start_response):
    try:
        start_response("200 OK", [("X-Bad", "a\nb")])
    except ValueError:
        pass
    return [b"body"]


def recovers(environ, start_response):
    try:
        start_response("200 OK", [("X-Bad", "a\nb")])
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    return [b"recovered"]


def exc_info_late(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"a block")
    try:
        raise ValueError("the original error")
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
        note("went on")
    return [b"an error page"]


def exc_info_empty_late(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"a block")
    start_response("500 Oops", PLAIN, (None, None, None))
    return []


def too_short(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "100")])
    return [b"short"]


def too_short_stream(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "100")])
    return Closing([b"short"])


def too_short_nothing(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "100")])
    return Closing([])


def writes_too_much(environ, start_response):
    write = start_response("200 OK", PLAIN + [("Content-Length", "4")])
    write(b"four")
    write(b"more")
    return []


kept = []


def keeps_write(environ, start_response):
    kept.append(start_response("200 OK", PLAIN))
    if environ["QUERY_STRING"] == "fail":
        raise ValueError("after start_response")
    return [b"body"]


def writes_late(environ, start_response):
    for write in kept:
        try:
            write(b"a block of another answer")
        except ValueError as error:
            note(str(error))
    return fine(environ, start_response)


def header(environ, start_response):
    name, value = HEADERS[environ["QUERY_STRING"]]
    start_response("200 OK", PLAIN + [(name, value)])
    return [b"body"]


HEADERS = {
    "lf in value": ("X-A", "b\nSet-Cookie: evil=1"),
    "cr in value": ("X-A", "b\rc"),
    "nul in value": ("X-A", "b\0X-B\0c"),
    "lf in name": ("X-A: b\nX-B", "c"),
    "nul in name": ("X-A\0b", "c"),
    "not latin-1": ("X-A", "\u65e5\u672c"),
    "bytes": ("X-A", b"b"),
    "number": ("X-A", 1),
    "length of words": ("Content-Length", "many"),
    "length with underscore": ("content-length", "1_0"),
    "length below zero": ("Content-Length", "-1"),
    "length of nothing": ("Content-Length", ""),
}


def two_lengths(environ, start_response):
    start_response("200 OK", [("Content-Length", "4"), ("Content-Length", "5")])
    return [b"body"]


def status(environ, start_response):
    start_response(STATUSES[environ["QUERY_STRING"]], PLAIN)
    return [b"body"]


STATUSES = {"lf": "200 OK\nX-A: b", "words": "OK", "nothing": "", "bytes": b"200 OK", "number": 200}


def text_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return ["text"]


def text_stream(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(["text"])


def text_of_declared_length(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "4")])
    return Closing(["text"])


def large_text(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(["x" * 100000])


def text_after_bytes(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"bytes", "text"])


def text_written(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write("text")
    return []


def bytes_alone(environ, start_response):
    start_response("200 OK", PLAIN)
    return b"bytes"


def numbers(environ, start_response):
    start_response("200 OK", PLAIN)
    return iter([1, 2])


application = dispatch(globals())
