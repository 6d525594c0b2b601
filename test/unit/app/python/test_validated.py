"""The gateway as wsgiref.validate, the reference checker of PEP 3333, sees it."""

import json
import unittest
from typing import Any, Dict

from front_connection import (
    END, IS_MULTIPROCESS, REQUEST, START, WHOLE, Answer, FrontConnection, encode_environ,
)
from gateway_process import GatewayProcess, GatewayTestCase


class ValidatedTest(GatewayTestCase):
    application = "validated:application"

    def setUp(self) -> None:
        self.front = self.connect()

    def tearDown(self) -> None:
        # The checker's complaints are AssertionErrors, or lines about iterators that were never closed.
        log = self.gateway.stderr.text
        self.assertNotIn("Error", log)
        self.assertNotIn("garbage collected", log)

    def variables(self, path: str, **extra: str) -> Dict[str, Any]:
        answer = self.front.ask(path, "GET", b"", **extra)
        self.assertEqual(answer.status, "200 OK")
        found: Dict[str, Any] = json.loads(answer.body)
        return found

    def check(self, answer: Answer, end: int, body: bytes) -> None:
        self.assertEqual((answer.end, answer.status, answer.body), (end, "200 OK", body))

    def test_get(self) -> None:
        self.check(self.front.ask("/hello"), WHOLE, b"hello")

    def test_head(self) -> None:
        answer = self.front.ask("/hello", "HEAD")
        self.check(answer, WHOLE, b"")
        self.assertEqual(answer.header("Content-Length"), "5")

    def test_head_of_a_stream(self) -> None:
        self.check(self.front.ask("/stream", "HEAD"), END, b"")

    def test_post(self) -> None:
        self.check(self.front.ask("/body", "POST", b"first\nrest"), END, b"restfirst\n")

    def test_post_without_a_body(self) -> None:
        self.check(self.front.ask("/body", "POST"), WHOLE, b"")
        self.check(self.front.ask("/body", "POST", CONTENT_LENGTH="0"), WHOLE, b"")

    def test_empty_answer(self) -> None:
        self.check(self.front.ask("/empty"), WHOLE, b"")

    def test_answer_without_content(self) -> None:
        answer = self.front.ask("/no_content")
        self.assertEqual((answer.end, answer.status, answer.body), (WHOLE, "204 No Content", b""))

    def test_stream(self) -> None:
        answer = self.front.ask("/stream")
        self.check(answer, END, b"piece 0\npiece 1\npiece 2\n")
        self.assertEqual(answer.kinds[0], START)

    def test_write(self) -> None:
        self.check(self.front.ask("/legacy"), END, b"written, returned")

    def test_file_wrapper(self) -> None:
        self.check(self.front.ask("/file"), END, b"from a file")

    def test_errors_stream(self) -> None:
        self.check(self.front.ask("/report"), WHOLE, b"")
        self.gateway.stderr.wait_for("a report \u2192 in the log\none more\n")

    def test_headers_become_variables(self) -> None:
        found = self.variables(
            "/", HTTP_ACCEPT="text/*", HTTP_X_TEXT="caf\u00e9", CONTENT_TYPE="text/plain",
            QUERY_STRING="a=1&b=%20",
        )
        self.assertEqual(found["HTTP_ACCEPT"], "text/*")
        self.assertEqual(found["HTTP_X_TEXT"], "caf\u00e9")
        self.assertEqual(found["CONTENT_TYPE"], "text/plain")
        self.assertEqual(found["QUERY_STRING"], "a=1&b=%20")

    def test_empty_values(self) -> None:
        found = self.variables("/", QUERY_STRING="", HTTP_X_NOTHING="")
        self.assertEqual((found["QUERY_STRING"], found["HTTP_X_NOTHING"]), ("", ""))

    def test_path_that_is_not_ascii(self) -> None:
        # PEP 3333, "Unicode Issues": the UTF-8 bytes of the path, each as one latin-1 character.
        path = "/\u65e5\u672c/\u00e4".encode().decode("latin-1")
        self.assertEqual(self.variables(path)["PATH_INFO"], path)

    def test_script_name(self) -> None:
        found = self.variables("/below", SCRIPT_NAME="/mounted/here")
        self.assertEqual((found["SCRIPT_NAME"], found["PATH_INFO"]), ("/mounted/here", "/below"))
        self.assertEqual(self.variables("", SCRIPT_NAME="/mounted")["PATH_INFO"], "")

    def test_nothing_is_left_of_the_request_before(self) -> None:
        self.variables("/", HTTP_COOKIE="secret=1")
        self.assertNotIn("HTTP_COOKIE", self.variables("/"))

    def test_several_threads(self) -> None:
        self.assertIs(self.variables("/")["wsgi.multithread"], True)

    def test_one_thread(self) -> None:
        with GatewayProcess(self.application, threads=1) as gateway:
            with gateway.wait_until_ready().connect() as front:
                self.assertIs(json.loads(front.ask("/").body)["wsgi.multithread"], False)

    def test_multiprocess_is_told_with_each_request(self) -> None:
        self.assertIs(self.is_multiprocess(self.front, 0), False)
        self.assertIs(self.is_multiprocess(self.front, IS_MULTIPROCESS), True)
        self.assertIs(self.is_multiprocess(self.front, 0), False)

    def is_multiprocess(self, front: FrontConnection, flags: int) -> Any:
        front.send(REQUEST, encode_environ("/"), flags=flags)
        return json.loads(front.read_answer().body)["wsgi.multiprocess"]

    def test_facts_about_the_server(self) -> None:
        found = self.variables("/")
        self.assertEqual(found["wsgi.version"], [1, 0])
        self.assertIs(found["wsgi.run_once"], False)
        self.assertIs(found["wsgi.input_terminated"], True)
        self.assertEqual(found["SERVER_SOFTWARE"], "easyserve")


if __name__ == "__main__":
    unittest.main()
