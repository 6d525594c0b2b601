"""Applications that start processes of their own, by fork and by spawn."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

from journal import dispatch

PLAIN = [("Content-Type", "text/plain")]
forking = multiprocessing.get_context("fork")
spawning = multiprocessing.get_context("spawn")

lasting = []


def answer(start_response, *facts):
    start_response("200 OK", PLAIN)
    return [" ".join(map(str, facts)).encode()]


def hello(environ, start_response):
    return answer(start_response, "hello")


def sleep_on(said):
    print(said, flush=True)
    time.sleep(600)


def terminates(environ, start_response):
    """A worker that is ended by Process.terminate(), which is a SIGTERM."""
    child = forking.Process(target=sleep_on, args=("forked child is there",))
    child.start()
    child.terminate()
    child.join(20)
    return answer(start_response, child.exitcode)


def starts(environ, start_response):
    child = forking.Process(target=sleep_on, args=("forked child is there",))
    child.start()
    lasting.append(child)
    return answer(start_response, child.pid)


def put_square(queue, number):
    queue.put(number * number)


def computes(environ, start_response):
    context = multiprocessing.get_context(environ["QUERY_STRING"])
    queue = context.Queue()
    child = context.Process(target=put_square, args=(queue, 7))
    child.start()
    square = queue.get(timeout=20)
    child.join(20)
    return answer(start_response, square, child.exitcode)


def pools(environ, start_response):
    with forking.Pool(2) as pool:
        return answer(start_response, *pool.map(abs, [-1, -2, -3]))


def runs(environ, start_response):
    code = "import signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    return [b"".join(answer(start_response, "")), subprocess.check_output([sys.executable, "-c", code])]


def wait_for(pid):
    _, status = os.waitpid(pid, 0)
    return status


def forks_and_returns(environ, start_response):
    """The child forgets to end, and answers as well."""
    pid = os.fork()
    if pid == 0:
        return answer(start_response, "child")
    return answer(start_response, "parent", wait_for(pid))


def forks_and_streams(environ, start_response):
    pid = os.fork()
    start_response("200 OK", PLAIN)
    yield b"child" if pid == 0 else b"parent %d" % wait_for(pid)


def forks_and_raises(environ, start_response):
    pid = os.fork()
    if pid == 0:
        raise ValueError("in a forked child")
    return answer(start_response, "parent", wait_for(pid))


def forks_and_exits(environ, start_response):
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    return answer(start_response, "parent", wait_for(pid))


def forks_twice(environ, start_response):
    pid = os.fork()
    if pid == 0:
        os._exit(wait_for(os.fork() or os._exit(0)))
    return answer(start_response, "parent", wait_for(pid))


def dies_by_sigterm(environ, start_response):
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(600)
    return answer(start_response, os.WTERMSIG(wait_for(pid)))


if os.environ.get("BEHAVIOUR") == "fork at import":
    at_import = forking.Process(target=sleep_on, args=("forked at import",))
    at_import.start()

application = dispatch(globals())
