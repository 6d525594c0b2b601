"""Long answers, slow ones, and those whose client leaves."""

import resource
import threading
import time
import weakref

from journal import Closing, dispatch, note

PLAIN = [("Content-Type", "text/plain")]
PIECE = b"".join(b"%07d\n" % number for number in range(8192))

gate = threading.Barrier(2)
opened = threading.Event()


def hello(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "5")])
    return [b"hello"]


def echo(environ, start_response):
    start_response("200 OK", PLAIN)
    return [environ["QUERY_STRING"].encode(), environ["wsgi.input"].read()]


def large(environ, start_response):
    start_response("200 OK", PLAIN)
    return [PIECE * 160]


def large_stream(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(PIECE for _ in range(160))


def large_measured_stream(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", str(160 * len(PIECE)))])
    return Closing(PIECE for _ in range(160))


def endless(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(noted_pieces())


def noted_pieces():
    while True:
        note("piece")
        yield PIECE


def endless_write(environ, start_response):
    write = start_response("200 OK", PLAIN)
    try:
        while True:
            write(PIECE)
    finally:
        note("ended")


def meets(environ, start_response):
    # Answers only when two threads are here at once.
    gate.wait(20)
    return hello(environ, start_response)


class SlowClose:
    streaming = False

    def __init__(self, seconds):
        self._seconds = seconds

    def __iter__(self):
        return iter([b"hello"])

    def close(self):
        time.sleep(self._seconds)
        note("close")


def slow_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return SlowClose(float(environ["QUERY_STRING"]))


def slow_rest(environ, start_response):
    # The answer is complete with the first block, the iteration goes on.
    start_response("200 OK", PLAIN + [("Content-Length", "5")])
    yield b"hello"
    time.sleep(0.05)


class HangingClose(SlowClose):
    def close(self):
        note("closing")
        opened.wait(20)


def hanging_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return HangingClose(0)


def open_gate(environ, start_response):
    opened.set()
    return hello(environ, start_response)


class Kept:
    pass


def keeps(environ, start_response):
    kept = environ["test.kept"] = Kept()
    weakref.finalize(kept, note, "freed")
    return hello(environ, start_response)


def limit_descriptors(environ, start_response):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(environ["QUERY_STRING"] or most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return hello(environ, start_response)


application = dispatch(globals())
