"""Applications that read wsgi.input in every way, or don't."""

import hashlib
import threading

from journal import Closing, dispatch, note

PLAIN = [("Content-Type", "text/plain")]

released = threading.Event()


def answer(start_response, *lines):
    start_response("200 OK", PLAIN)
    return ["\n".join(map(str, lines)).encode()]


def read_all(environ, start_response):
    body = environ["wsgi.input"].read()
    rest = environ["wsgi.input"].read()
    return answer(start_response, len(body), hashlib.sha256(body).hexdigest(), rest)


def read_pieces(environ, start_response):
    source, digest, length = environ["wsgi.input"], hashlib.sha256(), 0
    while True:
        piece = source.read(10007)
        if not piece:
            break
        digest.update(piece)
        length += len(piece)
    return answer(start_response, length, digest.hexdigest(), source.read(1))


def lines(environ, start_response):
    source = environ["wsgi.input"]
    found = [source.read(0), source.read(2), source.readline(), source.readline(3), source.readlines(1)]
    found += [list(source), source.readline(), source.readlines(), source.read(5), list(source)]
    return answer(start_response, *found)


def unread(environ, start_response):
    note("unread")
    return answer(start_response, "unread")


def half_read(environ, start_response):
    return answer(start_response, environ["wsgi.input"].read(5))


def closes(environ, start_response):
    environ["wsgi.input"].close()
    return answer(start_response, "closed")


def replaces(environ, start_response):
    environ["wsgi.input"] = None
    return answer(start_response, "replaced")


def breaks(environ, start_response):
    environ["wsgi.input"].read(3)
    raise ValueError("in the middle of an upload")


def slow(environ, start_response):
    note("waiting")
    released.wait(20)
    return read_all(environ, start_response)


def release(environ, start_response):
    released.set()
    return answer(start_response, "released")


def echo(environ, start_response):
    # Answers while it reads; read(n) would wait for n bytes.
    start_response("200 OK", PLAIN)
    return Closing(iter(lambda: environ["wsgi.input"].read1(65536), b""))


def large_answer(environ, start_response):
    # Larger than what the socket holds, while the upload is left unread.
    start_response("200 OK", PLAIN)
    return [b"x" * 3000000]


def reads_after_answer(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "4")])
    yield b"body"
    try:
        note("read " + repr(environ["wsgi.input"].read()))
    except OSError as error:
        note(str(error))


def notes_error(environ, start_response):
    try:
        environ["wsgi.input"].read()
    except OSError as error:
        note(type(error).__name__)
        raise
    return answer(start_response, "all")


def swallows_error(environ, start_response):
    try:
        environ["wsgi.input"].read()
    except OSError:
        pass
    start_response("200 OK", PLAIN)
    return Closing([b"nobody hears this"])


application = dispatch(globals())
