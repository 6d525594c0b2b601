"""Loading an application: "ready", or "failed" with what went wrong."""

import os
import stat
import subprocess
import sys
import unittest
from typing import Any, Dict

from gateway_process import APPS, GATEWAY, GatewayProcess

EXIT_START_FAILED = 3


class StartTestCase(unittest.TestCase):
    def start(self, behaviour: str, application: str = "lifecycle:application", **env: str) -> GatewayProcess:
        gateway = GatewayProcess(application, env={"BEHAVIOUR": behaviour, **env})
        self.addCleanup(gateway.__exit__)
        return gateway


class ReadyTest(StartTestCase):
    def test_ready(self) -> None:
        self.assertEqual(self.start("").read_event(), {"event": "ready"})

    def test_connections_are_accepted_when_it_says_ready(self) -> None:
        with self.start("slow").wait_until_ready().connect() as front:
            self.assertEqual(front.ask("/hello").body, b"hello")

    def test_ways_to_name_an_application(self) -> None:
        for application in ("lifecycle:Holder.application", "lifecycle:make_application()"):
            with self.subTest(application):
                with self.start("", application).wait_until_ready().connect() as front:
                    self.assertEqual(front.ask("/hello").body, b"hello")

    def test_socket_is_for_this_user_only(self) -> None:
        gateway = self.start("").wait_until_ready()
        self.assertEqual(stat.S_IMODE(os.stat(gateway.socket_path).st_mode), 0o600)

    def test_import_path_begins_with_the_project(self) -> None:
        for env in ({}, {"PYTHONSAFEPATH": "1"}):
            with self.subTest(env):
                with self.start("", **env).wait_until_ready().connect() as front:
                    facts = front.ask("/facts").body.decode()
                    self.assertEqual(facts, repr((str(APPS), str(APPS), True)))

    def test_folder_that_the_application_changes(self) -> None:
        with self.start("changed folder").wait_until_ready().connect() as front:
            self.assertEqual(front.ask("/facts").body.decode(), repr(("/", str(APPS), True)))


class FailedTest(StartTestCase):
    def check(
        self, behaviour: str, kind: str, message: str, application: str = "lifecycle:application"
    ) -> str:
        with self.subTest(behaviour or application):
            gateway = self.start(behaviour, application)
            event: Dict[str, Any] = gateway.read_event()
            self.assertEqual((event["event"], event["kind"]), ("failed", kind))
            self.assertIn(message, event["error"])
            self.assertEqual(gateway.wait_for_exit(), EXIT_START_FAILED)
            self.assertIn(message, gateway.stderr.wait_for_end())
            error: str = event["error"]
            return error
        raise AssertionError

    def test_code_that_does_not_load(self) -> None:
        self.check("syntax error", "SyntaxError", "SyntaxError: invalid syntax")
        self.check("import error", "ModuleNotFoundError", "No module named 'module_that_is_not_there'")
        self.check("exit", "SystemExit", "SystemExit: no configuration")

    def test_traceback_shows_the_application_only(self) -> None:
        error = self.check("import error", "ModuleNotFoundError", "import module_that_is_not_there")
        self.assertNotIn("gateway.py", error)
        self.assertNotIn("importlib", error)

    def test_names_that_lead_nowhere(self) -> None:
        self.check("", "ModuleNotFoundError", "No module named 'nowhere'", "nowhere:application")
        self.check("", "AttributeError", "has no attribute 'missing'", "lifecycle:missing")
        self.check("", "TypeError", "lifecycle:not_callable is not callable", "lifecycle:not_callable")

    def test_an_asgi_application(self) -> None:
        message = "lifecycle:asgi is ASGI, and is to be served as WSGI"
        error = self.check("", "WrongInterface", message, "lifecycle:asgi")
        self.assertNotIn("Traceback", error)

    def test_long_traceback_arrives_whole(self) -> None:
        error = self.check("long traceback", "RuntimeError", "RuntimeError: " + "x" * 300000)
        self.assertTrue(error.endswith("x\n"))

    def test_text_that_no_encoding_knows(self) -> None:
        gateway = self.start("exception")
        self.assertIn("the settings are wrong \u2192 \ud800", gateway.read_event()["error"])
        gateway.stderr.wait_for("the settings are wrong \u2192 \\ud800")

    def test_thread_that_was_started_does_not_hold_the_process(self) -> None:
        gateway = self.start("exit with thread")
        self.assertEqual(gateway.read_event()["event"], "failed")
        self.assertEqual(gateway.wait_for_exit(), EXIT_START_FAILED)


class CommandLineTest(unittest.TestCase):
    def test_missing_arguments(self) -> None:
        found = subprocess.run([sys.executable, str(GATEWAY)], stderr=subprocess.PIPE, check=False)
        self.assertEqual(found.returncode, 2)
        self.assertIn(b"--socket", found.stderr)


if __name__ == "__main__":
    unittest.main()
