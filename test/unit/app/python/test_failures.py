"""What applications do wrong: the front hears of it, the log shows where, and the thread goes on."""

import unittest

from front_connection import ABORT, END, FAILED, START, WHOLE
from gateway_process import GatewayTestCase


class FailureTestCase(GatewayTestCase):
    application = "failures:application"

    def check(self, path: str, kinds: "list[int]", reason: str, query: str = "") -> None:
        with self.subTest(path=path, query=query):
            before = len(self.gateway.stderr.text)
            answer = self.front.ask(path, QUERY_STRING=query)
            self.assertEqual(answer.kinds, kinds)
            # The log comes before the last frame, but by another way.
            log = self.gateway.stderr.wait_for(reason, before)
            self.assertIn("GET '%s' failed: Traceback (most recent call last):\n" % path, log)
            self.assertEqual(self.front.ask("/fine").body, b"fine")


class ExceptionTest(FailureTestCase):
    def test_before_the_answer(self) -> None:
        self.check("/before_start", [FAILED], "ValueError: before start_response")
        self.check("/after_start", [FAILED], "ValueError: after start_response")
        self.check("/before_block", [FAILED], "ValueError: before the first block")
        self.assertEqual(self.journal(), ["close"])

    def test_within_the_answer(self) -> None:
        self.check("/within", [START, ABORT], "ValueError: after the first block")
        self.assertEqual(self.journal(), ["close"])
        self.check("/after_write", [START, ABORT], "ValueError: after write")

    def test_after_a_whole_answer(self) -> None:
        self.check("/after_whole", [WHOLE], "ValueError: after the first block")
        self.assertEqual(self.journal(), ["close"])

    def test_in_close(self) -> None:
        self.check("/in_close", [START, END], "ValueError: in close")
        self.assertEqual(self.journal(), ["close"])

    def test_in_iteration_and_close(self) -> None:
        self.check("/in_iter_and_close", [FAILED], "ValueError: in close")
        self.assertIn("ValueError: in iter", self.gateway.stderr.text)
        self.assertEqual(self.journal(), ["close"])

    def test_exit_in_a_view(self) -> None:
        self.check("/exits", [FAILED], "SystemExit: an exit in a view")
        self.check("/interrupts", [FAILED], "KeyboardInterrupt")

    def test_unknown_path_of_this_very_application(self) -> None:
        self.check("/unknown", [FAILED], "KeyError: 'unknown'")

    def test_traceback_begins_with_the_application(self) -> None:
        self.front.ask("/before_start")
        begin = "GET '/before_start' failed: Traceback (most recent call last):\n"
        log = self.gateway.stderr.wait_for(begin)
        self.assertRegex(log.split(begin)[-1], r'^  File ".*journal\.py"')

    def test_path_that_would_forge_a_line_of_the_log(self) -> None:
        self.front.ask("/x\nGET /forged")
        self.assertNotIn("\nGET /forged", self.gateway.stderr.wait_for("GET '/x\\nGET /forged' failed"))


class ContractTest(FailureTestCase):
    def test_start_response_never_called(self) -> None:
        for path in ("/never_starts", "/never_starts_stream", "/never_starts_empty"):
            self.check(path, [FAILED], "AssertionError: start_response was not called")

    def test_start_response_twice(self) -> None:
        self.check("/twice", [FAILED], "AssertionError: start_response was called twice")
        self.check("/twice_after_error", [FAILED], "AssertionError: start_response was called twice")

    def test_headers_that_were_refused_are_not_sent(self) -> None:
        self.check("/swallowed_error", [FAILED], "AssertionError: start_response was not called")

    def test_recovery_with_exc_info(self) -> None:
        answer = self.front.ask("/recovers")
        self.assertEqual((answer.status, answer.body), ("500 Oops", b"recovered"))

    def test_exc_info_after_the_headers_raises_the_original(self) -> None:
        self.check("/exc_info_late", [START, ABORT], "ValueError: the original error")
        self.assertEqual(self.journal(), [])
        self.check("/exc_info_empty_late", [START, ABORT], "start_response was called after the headers")

    def test_nothing_returned(self) -> None:
        self.check("/returns_none", [FAILED], "TypeError: 'NoneType' object is not iterable")

    def test_body_shorter_than_its_length(self) -> None:
        self.check("/too_short", [FAILED], "Content-Length is 100, but the body has 5 bytes")
        self.check("/too_short_nothing", [FAILED], "Content-Length is 100, but the body has 0 bytes")
        self.check("/too_short_stream", [START, ABORT], "Content-Length is 100, but the body has 5 bytes")

    def test_write_beyond_the_length(self) -> None:
        self.check("/writes_too_much", [START, ABORT], "write() goes beyond the Content-Length of 4")

    def test_write_after_the_end(self) -> None:
        self.front.ask("/keeps_write")
        self.front.ask("/keeps_write", QUERY_STRING="fail")
        answer = self.front.ask("/writes_late")
        self.assertEqual((answer.kinds, answer.body), ([WHOLE], b"fine"))
        self.assertEqual(self.journal(), ["write() was called after the end of the answer"] * 2)


class HeadersTest(FailureTestCase):
    def test_control_characters(self) -> None:
        for query in ("lf in value", "cr in value", "nul in value", "lf in name", "nul in name"):
            self.check("/header", [FAILED], "a control character in the status or a header", query)
        self.check("/status", [FAILED], "a control character in the status or a header", "lf")

    def test_characters_beyond_latin_1(self) -> None:
        self.check("/header", [FAILED], "UnicodeEncodeError", "not latin-1")

    def test_values_that_are_no_text(self) -> None:
        self.check("/header", [FAILED], "expected str instance, bytes found", "bytes")
        self.check("/header", [FAILED], "expected str instance, int found", "number")

    def test_lengths_that_are_none(self) -> None:
        self.check("/header", [FAILED], "Content-Length is 'many'", "length of words")
        self.check("/header", [FAILED], "Content-Length is '1_0'", "length with underscore")
        self.check("/header", [FAILED], "Content-Length is '-1'", "length below zero")
        self.check("/header", [FAILED], "Content-Length is ''", "length of nothing")
        self.check("/two_lengths", [FAILED], "Content-Length is both 4 and 5")

    def test_statuses_that_are_none(self) -> None:
        self.check("/status", [FAILED], "invalid literal for int() with base 10: 'OK'", "words")
        self.check("/status", [FAILED], "invalid literal for int() with base 10: ''", "nothing")
        self.check("/status", [FAILED], "expected str instance, bytes found", "bytes")
        self.check("/status", [FAILED], "expected str instance, int found", "number")


class BodyTypeTest(FailureTestCase):
    def test_text(self) -> None:
        self.check("/text_list", [FAILED], "expected a bytes-like object, str found")
        self.check("/text_stream", [FAILED], "TypeError: the body must be bytes, not str")
        self.check("/text_of_declared_length", [FAILED], "TypeError: the body must be bytes, not str")
        self.check("/large_text", [FAILED], "TypeError: the body must be bytes, not str")
        self.check("/text_written", [FAILED], "TypeError: the body must be bytes, not str")

    def test_text_within_the_answer(self) -> None:
        self.check("/text_after_bytes", [START, ABORT], "TypeError: the body must be bytes, not str")

    def test_bytes_instead_of_a_list(self) -> None:
        self.check("/bytes_alone", [FAILED], "TypeError: the body must be bytes, not int")
        self.check("/numbers", [FAILED], "TypeError: the body must be bytes, not int")


if __name__ == "__main__":
    unittest.main()
