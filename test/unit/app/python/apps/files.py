"""Files that an application returns through wsgi.file_wrapper."""

import gzip
import io
import os
import pathlib
import tarfile
import tempfile

from journal import dispatch, note

PLAIN = [("Content-Type", "application/octet-stream")]
CONTENT = b"".join(b"%07d\n" % number for number in range(20000))

folder = pathlib.Path(tempfile.mkdtemp())
path = folder / "content \u00e4"
path.write_bytes(CONTENT)


def noted(source):
    """Note the first close() of an open file, whatever it is."""
    close = source.close

    class Wrapper:
        # As Django's File: it hands out the methods of the file inside.
        read = source.read

        def close(self):
            note("close")
            close()

    return Wrapper()


def wrapped(environ, start_response, source, headers=()):
    start_response("200 OK", PLAIN + list(headers))
    return environ["wsgi.file_wrapper"](source, 8192)


def real(environ, start_response):
    length = environ.get("HTTP_X_LENGTH")
    headers = [("Content-Length", length)] if length else []
    source = open(str(path), "rb")
    source.seek(int(environ["QUERY_STRING"] or 0))
    return wrapped(environ, start_response, source, headers)


def closing(environ, start_response):
    return wrapped(environ, start_response, noted(open(str(path), "rb")))


def unbuffered(environ, start_response):
    return wrapped(environ, start_response, open(str(path), "rb", buffering=0))


def read_write(environ, start_response):
    return wrapped(environ, start_response, open(str(path), "r+b"))


def path_object(environ, start_response):
    return wrapped(environ, start_response, path.open("rb"))


def bytes_name(environ, start_response):
    return wrapped(environ, start_response, open(os.fsencode(str(path)), "rb"))


def named_temporary(environ, start_response):
    source = tempfile.NamedTemporaryFile()
    source.write(CONTENT)
    source.seek(8)
    return wrapped(environ, start_response, source)


def unwritten_temporary(environ, start_response):
    # Written, not flushed, and read from the beginning.
    source = tempfile.NamedTemporaryFile()
    source.write(b"small")
    source.seek(0)
    return wrapped(environ, start_response, source)


def deleted(environ, start_response):
    source = tempfile.TemporaryFile()
    source.write(CONTENT)
    source.seek(0)
    return wrapped(environ, start_response, source)


def unlinked(environ, start_response):
    descriptor, name = tempfile.mkstemp(dir=str(folder))
    os.write(descriptor, CONTENT)
    os.close(descriptor)
    source = open(name, "rb")
    os.unlink(name)
    return wrapped(environ, start_response, source)


def renamed(environ, start_response):
    # Another file has taken the name.
    name = str(folder / "renamed")
    pathlib.Path(name).write_bytes(CONTENT)
    source = open(name, "rb")
    os.rename(name, name + ".old")
    pathlib.Path(name).write_bytes(b"another")
    return wrapped(environ, start_response, source)


def relative(environ, start_response):
    os.chdir(str(folder))
    source = open(path.name, "rb")
    if environ["QUERY_STRING"] == "elsewhere":
        os.chdir("/")
    return wrapped(environ, start_response, source)


def memory(environ, start_response):
    return wrapped(environ, start_response, io.BytesIO(CONTENT))


def spooled(environ, start_response):
    source = tempfile.SpooledTemporaryFile(max_size=10)
    source.write(CONTENT)
    source.seek(0)
    return wrapped(environ, start_response, source)


def packed(environ, start_response):
    name = str(folder / "packed.gz")
    with gzip.open(name, "wb") as target:
        target.write(CONTENT)
    return wrapped(environ, start_response, gzip.open(name, "rb"))


def member(environ, start_response):
    name = str(folder / "archive.tar")
    with tarfile.open(name, "w") as archive:
        archive.add(str(path), "content")
    return wrapped(environ, start_response, tarfile.open(name).extractfile("content"))


class Upper:
    """Has a real file inside, and gives other bytes."""

    def __init__(self, file):
        self.file = file
        self.name = file.name
        self.fileno = file.fileno
        self.tell = file.tell

    def read(self, size):
        return self.file.read(size).replace(b"0", b"O")


def changed(environ, start_response):
    return wrapped(environ, start_response, Upper(open(str(path), "rb")))


def text(environ, start_response):
    return wrapped(environ, start_response, open(str(path), "r"))


def empty(environ, start_response):
    name = folder / "empty"
    name.write_bytes(b"")
    return wrapped(environ, start_response, name.open("rb"))


def at_the_end(environ, start_response):
    source = open(str(path), "rb")
    source.seek(0, io.SEEK_END)
    return wrapped(environ, start_response, source)


def proc(environ, start_response):
    return wrapped(environ, start_response, open("/proc/self/cmdline", "rb"))


def pipe(environ, start_response):
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    return wrapped(environ, start_response, open(reader, "rb"))


def closed(environ, start_response):
    source = open(str(path), "rb")
    source.close()
    return wrapped(environ, start_response, source)


def after_write(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"first ")
    return environ["wsgi.file_wrapper"](open(str(path), "rb"))


def not_modified(environ, start_response):
    start_response("304 Not Modified", [])
    return environ["wsgi.file_wrapper"](noted(open(str(path), "rb")))


def never_starts(environ, start_response):
    return environ["wsgi.file_wrapper"](noted(open(str(path), "rb")))


application = dispatch(globals())
