"""Answers that go well: blocks, lengths, HEAD, statuses without a body, close()."""

import unittest

from front_connection import END, PIECE, START, WHOLE, Answer
from gateway_process import GatewayTestCase


class AnswerTest(GatewayTestCase):
    application = "answers:application"

    def check(self, answer: Answer, kinds: "list[int]", body: bytes = b"hello world") -> None:
        self.assertEqual((answer.kinds, answer.status, answer.body), (kinds, "200 OK", body))

    def check_closed(self) -> None:
        self.assertEqual(self.journal(), ["close"])


class BlocksTest(AnswerTest):
    def test_list_leaves_in_one_frame(self) -> None:
        self.check(self.front.ask("/whole"), [WHOLE])

    def test_list_that_has_a_close(self) -> None:
        self.check(self.front.ask("/closing_list"), [WHOLE])
        self.check_closed()

    def test_response_that_is_no_stream_leaves_in_one_frame(self) -> None:
        self.check(self.front.ask("/response"), [WHOLE])
        self.check_closed()

    def test_single_block_of_the_declared_length_leaves_in_one_frame(self) -> None:
        self.check(self.front.ask("/single"), [WHOLE], b"hello")
        self.check_closed()

    def test_stream_leaves_block_by_block(self) -> None:
        self.check(self.front.ask("/stream"), [START, PIECE, END])
        self.check_closed()

    def test_headers_wait_for_the_first_block_that_is_not_empty(self) -> None:
        self.front.send_request("/stream")
        start = self.front.read_frame()
        self.assertEqual((start.kind, start.body), (START, b"hello "))

    def test_generator_runs_to_its_end(self) -> None:
        self.check(self.front.ask("/generator"), [START, PIECE, END])
        self.assertEqual(self.journal(), ["exhausted", "ended"])

    def test_status_that_a_generator_names_late(self) -> None:
        answer = self.front.ask("/late_start")
        self.assertEqual((answer.status, answer.body), ("201 Created", b"made"))

    def test_nothing_at_all(self) -> None:
        self.check(self.front.ask("/empty_list"), [WHOLE], b"")

    def test_stream_of_nothing(self) -> None:
        for path in ("/empty_stream", "/empty_blocks"):
            with self.subTest(path):
                self.front.ask("/journal/clear")
                self.check(self.front.ask(path), [WHOLE], b"")
                self.check_closed()

    def test_write(self) -> None:
        self.check(self.front.ask("/written"), [START, PIECE, END])
        self.check_closed()

    def test_write_then_return(self) -> None:
        self.check(self.front.ask("/written_then_returned"), [START, PIECE, END])

    def test_write_of_nothing_sends_the_headers(self) -> None:
        self.check(self.front.ask("/nothing_written"), [START, END], b"")

    def test_headers_keep_order_and_duplicates(self) -> None:
        self.assertEqual(
            self.front.ask("/cookies").headers,
            [("Set-Cookie", "a=1"), ("X-Text", "caf\u00e9"), ("Set-Cookie", "b=2"), ("X-Empty", "")],
        )

    def test_start_response_again_with_exc_info_replaces_the_headers(self) -> None:
        for path in ("/replaced", "/replaced_in_stream"):
            with self.subTest(path):
                answer = self.front.ask(path)
                self.assertEqual((answer.status, answer.body), ("500 Oops", b"an error page"))
                self.assertIsNone(answer.header("Content-Length"))


class LengthTest(AnswerTest):
    def tearDown(self) -> None:
        # A thread calls close() after its answer: when it gives the next one, that has not been left to the next test.
        self.journal()

    def test_right_length(self) -> None:
        self.check(self.front.ask("/whole", HTTP_X_LENGTH="11"), [WHOLE])
        self.check(self.front.ask("/stream", HTTP_X_LENGTH="11"), [START, PIECE, END])
        self.check(self.front.ask("/written", HTTP_X_LENGTH="11"), [START, PIECE, END])

    def test_what_goes_beyond_the_length_is_not_sent(self) -> None:
        self.check(self.front.ask("/whole", HTTP_X_LENGTH="8"), [WHOLE], b"hello wo")
        self.check(self.front.ask("/stream", HTTP_X_LENGTH="8"), [START, PIECE, END], b"hello wo")
        self.check(self.front.ask("/stream", HTTP_X_LENGTH="6"), [WHOLE], b"hello ")
        self.assertEqual(self.journal(), ["close", "close"])

    def test_iteration_stops_at_the_length(self) -> None:
        self.check(self.front.ask("/endless", HTTP_X_LENGTH="6"), [WHOLE], b"hello ")
        self.check(self.front.ask("/endless", HTTP_X_LENGTH="8"), [START, PIECE, END], b"hello he")
        self.assertEqual(self.journal(), ["ended", "ended"])

    def test_length_of_zero(self) -> None:
        for path in ("/whole", "/stream", "/endless"):
            self.check(self.front.ask(path, HTTP_X_LENGTH="0"), [WHOLE], b"")


class HeadTest(AnswerTest):
    def check_head(self, path: str, kinds: "list[int]", length: "str | None", **extra: str) -> None:
        with self.subTest(path):
            answer = self.front.ask(path, "HEAD", b"", **extra)
            self.check(answer, kinds, b"")
            self.assertEqual(answer.header("Content-Length"), length)

    def test_length_is_that_of_the_body_which_is_not_sent(self) -> None:
        self.check_head("/whole", [WHOLE], "11")
        self.check_head("/response", [WHOLE], "11")
        self.check_closed()

    def test_declared_length_is_kept(self) -> None:
        # An application may leave out the body of a HEAD, and yet declare its length.
        self.check_head("/whole", [WHOLE], "5000", HTTP_X_LENGTH="5000")
        self.check_head("/empty_list", [START, END], None)
        self.check_head("/stream", [WHOLE], "5000", HTTP_X_LENGTH="5000")

    def test_length_that_is_not_known_is_not_told(self) -> None:
        self.check_head("/stream", [START, END], None)
        self.check_head("/written", [START, END], None)
        self.check_head("/empty_list", [START, END], None)

    def test_stream_is_not_read_on(self) -> None:
        self.check_head("/endless", [START, END], None)
        self.assertEqual(self.journal(), ["ended"])


class BodilessTest(AnswerTest):
    def test_statuses_without_a_body(self) -> None:
        for status in ("204 No Content", "304 Not Modified", "103 Early Hints"):
            for path in ("/status", "/status_of_stream"):
                for extra in ({}, {"HTTP_X_LENGTH": "11"}, {"HTTP_X_LENGTH": "5000"}):
                    with self.subTest(status=status, path=path, extra=extra):
                        answer = self.front.ask(path, "GET", b"", QUERY_STRING=status, **extra)
                        self.assertEqual((answer.kinds, answer.status, answer.body), ([WHOLE], status, b""))

    def test_other_statuses(self) -> None:
        for status in ("200 ", "404 Not Found", "599 What Is This", "206"):
            answer = self.front.ask("/status", QUERY_STRING=status)
            self.assertEqual((answer.status, answer.body), (status, b"hello world"))


if __name__ == "__main__":
    unittest.main()
