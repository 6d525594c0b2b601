"""Applications that load, run and end in unusual ways: the environment variable BEHAVIOUR says which."""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

from journal import dispatch, note

PLAIN = [("Content-Type", "text/plain")]

never = threading.Event()
behaviour = os.environ.get("BEHAVIOUR", "")


def hello(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "5")])
    return [b"hello"]


def blocks(environ, start_response):
    note("blocked")
    never.wait()


def facts(environ, start_response):
    start_response("200 OK", PLAIN)
    return [repr((os.getcwd(), sys.path[0], "app.sock" in os.listdir(os.environ["TMPDIR"]))).encode()]


def prints(environ, start_response):
    sys.stdout.buffer.write(bytes(range(256)))
    sys.stdout.flush()
    print("a line")
    print("an error line", file=sys.stderr)
    return hello(environ, start_response)


def breaks(environ, start_response):
    raise ValueError("in a view")


def logs(environ, start_response):
    environ["wsgi.errors"].write("a line for wsgi.errors\n")
    return hello(environ, start_response)


def kills_itself(environ, start_response):
    ctypes.string_at(0)


def start_child(code):
    """Start a child that says something on our output when it is ready."""
    subprocess.Popen([sys.executable, "-u", "-c", code])


def lasting_thread():
    threading.Thread(target=never.wait).start()


application = dispatch(globals())
not_callable = "text"


async def asgi(scope, receive, send):
    """Of the other kind than a gateway serves."""


def make_application():
    return application


class Holder:
    application = staticmethod(application)


if behaviour == "syntax error":
    exec("def broken(:\n    pass")
elif behaviour == "import error":
    import module_that_is_not_there
    note(module_that_is_not_there)
elif behaviour == "exception":
    raise RuntimeError("the settings are wrong \u2192 \ud800")
elif behaviour == "exit":
    sys.exit("no configuration")
elif behaviour == "exit with thread":
    lasting_thread()
    sys.exit(1)
elif behaviour == "long traceback":
    raise RuntimeError("x" * 300000)
elif behaviour == "hang":
    print("importing")
    never.wait()
elif behaviour == "hang with child":
    start_child("import time; print('child is there'); time.sleep(600)")
    never.wait()
elif behaviour == "child":
    start_child("import time; print('child is there'); time.sleep(600)")
elif behaviour == "stubborn child":
    start_child(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('child is there'); time.sleep(600)"
    )
elif behaviour == "thread":
    lasting_thread()
elif behaviour == "atexit":
    atexit.register(print, "atexit was called")
elif behaviour == "hanging atexit":
    atexit.register(never.wait)
elif behaviour == "own handler":
    signal.signal(signal.SIGTERM, lambda number, frame: print("own handler:", signal.Signals(number).name))
    atexit.register(print, "atexit was called")
elif behaviour == "exiting handler":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    atexit.register(print, "atexit was called")
elif behaviour == "broken handler":
    signal.signal(signal.SIGTERM, lambda number, frame: 1 / 0)
    atexit.register(print, "atexit was called")
elif behaviour == "hanging handler":
    signal.signal(signal.SIGTERM, lambda number, frame: never.wait())
elif behaviour == "chaining handler":
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda number, frame: (print("chained"), before(number, frame)))
elif behaviour == "ignores signals":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif behaviour == "closed output":
    sys.stdout.close()
    sys.stderr.close()
elif behaviour == "replaced output":
    sys.stdout = sys.stderr = open(os.devnull, "w")
elif behaviour == "changed folder":
    os.chdir("/")
elif behaviour == "prints":
    print("on stdout")
    print("on stderr", file=sys.stderr)
elif behaviour == "slow":
    time.sleep(0.1)
