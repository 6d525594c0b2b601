"""wsgi.file_wrapper: a real file is handed over to the front, anything else is read here."""

import os
import pathlib
import unittest

from front_connection import (
    BODY, END, FAILED, FILE, FILE_OPENED, REQUEST_STREAMED, START, WHOLE, Answer, FileTarget,
    decode_target, encode_environ,
)
from gateway_process import GatewayTestCase

CONTENT = b"".join(b"%07d\n" % number for number in range(20000))


def content_of(target: FileTarget) -> bytes:
    """Return what the front would send."""
    facts = os.stat(target.path)
    assert (facts.st_dev, facts.st_ino) == (target.device, target.inode), target
    content = pathlib.Path(target.path).read_bytes()
    return content[target.offset:target.offset + target.length]


class FileTestCase(GatewayTestCase):
    application = "files:application"

    def check_handed_over(
        self, path: str, content: bytes = CONTENT, method: str = "GET", **extra: str
    ) -> None:
        with self.subTest(path):
            answer = self.front.ask(path, method, b"", **extra)
            self.assertEqual((answer.kinds, answer.status, answer.body), ([FILE, END], "200 OK", b""))
            assert answer.file is not None
            self.assertEqual(content_of(answer.file), content)

    def check_read(self, path: str, content: bytes = CONTENT, method: str = "GET", **extra: str) -> Answer:
        with self.subTest(path):
            answer = self.front.ask(path, method, b"", **extra)
            self.assertEqual((answer.end, answer.status), (END, "200 OK"))
            self.assertEqual(answer.kinds[0], START)
            self.assertEqual(answer.body, content)
        return answer


class HandOverTest(FileTestCase):
    def test_open_file(self) -> None:
        self.check_handed_over("/real")
        self.check_handed_over("/unbuffered")
        self.check_handed_over("/read_write")

    def test_names_of_every_kind(self) -> None:
        self.check_handed_over("/path_object")
        self.check_handed_over("/bytes_name")
        self.check_handed_over("/relative")

    def test_file_that_has_been_read_from(self) -> None:
        self.check_handed_over("/real", CONTENT[1000:], QUERY_STRING="1000")

    def test_file_inside_another_object(self) -> None:
        self.check_handed_over("/closing")

    def test_declared_length(self) -> None:
        self.check_handed_over("/real", HTTP_X_LENGTH=str(len(CONTENT)))
        self.check_handed_over("/real", CONTENT[:100], HTTP_X_LENGTH="100")
        self.check_handed_over("/real", CONTENT[8:16], HTTP_X_LENGTH="8", QUERY_STRING="8")

    def test_head(self) -> None:
        # The front sends the length of the file.
        self.check_handed_over("/real", method="HEAD")

    def test_close_comes_after_the_front_has_opened_the_file(self) -> None:
        observer = self.connect()
        self.front.send_request("/closing")
        self.assertEqual(self.front.read_frame().kind, FILE)
        self.assertEqual(self.journal(observer), [])
        self.front.send(FILE_OPENED)
        self.assertEqual(self.front.read_frame().kind, END)
        self.assertEqual(self.journal(), ["close"])

    def test_temporary_file_is_deleted_after_the_front_has_opened_it(self) -> None:
        self.front.send_request("/named_temporary")
        target = decode_target(self.front.read_frame().body)
        with open(target.path, "rb") as opened:
            self.front.send(FILE_OPENED)
            self.assertEqual(self.front.read_answer().end, END)
            self.assertEqual(self.journal(), [])  # the file was closed before this was answered
            self.assertFalse(os.path.exists(target.path))
            opened.seek(target.offset)
            self.assertEqual(opened.read(target.length), CONTENT[8:])

    def test_data_that_was_not_flushed(self) -> None:
        self.front.send_request("/unwritten_temporary")
        target = decode_target(self.front.read_frame().body)
        self.assertEqual(content_of(target), b"small")
        self.front.send(FILE_OPENED)
        self.assertEqual(self.front.read_answer().end, END)

    def test_front_that_leaves_instead_of_opening(self) -> None:
        observer = self.connect()
        self.front.send_request("/closing")
        self.assertEqual(self.front.read_frame().kind, FILE)
        self.front.close()
        self.assertEqual(self.journal_of(observer, 1), ["close"])

    def test_upload_that_nobody_reads(self) -> None:
        self.front.send(REQUEST_STREAMED, encode_environ("/real", "POST"))
        self.front.send(BODY, body=b"first")
        self.front.send(BODY, body=b"second")
        answer = self.front.read_answer()
        self.assertEqual(answer.kinds, [FILE, END])
        self.check_handed_over("/real")


class RefusedTest(FileTestCase):
    def ask_and_refuse(self, path: str, method: str = "GET", **extra: str) -> Answer:
        self.front.send_request(path, method, b"", **extra)
        return self.front.read_answer(opens_file=False)

    def test_application_reads_the_file_itself(self) -> None:
        answer = self.ask_and_refuse("/closing")
        self.assertEqual((answer.kinds[:2], answer.end), ([FILE, START], END))
        self.assertEqual(answer.body, CONTENT)
        self.assertEqual(self.journal(), ["close"])

    def test_from_the_offset_on(self) -> None:
        self.assertEqual(self.ask_and_refuse("/real", QUERY_STRING="1000").body, CONTENT[1000:])
        answer = self.ask_and_refuse("/real", QUERY_STRING="8", HTTP_X_LENGTH="8")
        self.assertEqual(answer.body, CONTENT[8:16])

    def test_head(self) -> None:
        answer = self.ask_and_refuse("/real", "HEAD")
        self.assertEqual((answer.kinds, answer.body), ([FILE, START, END], b""))


class ReadTest(FileTestCase):
    def test_what_is_no_file(self) -> None:
        self.check_read("/memory")
        self.check_read("/pipe", b"from a pipe")

    def test_files_without_a_name(self) -> None:
        self.check_read("/deleted")
        self.check_read("/unlinked")
        self.check_read("/spooled")

    def test_files_whose_name_is_another_file(self) -> None:
        self.check_read("/renamed")
        self.check_read("/relative", QUERY_STRING="elsewhere")

    def test_files_whose_bytes_are_not_those_of_the_disk(self) -> None:
        self.check_read("/packed")
        self.check_read("/member")
        self.check_read("/changed", CONTENT.replace(b"0", b"O"))

    def test_file_of_the_kernel_that_has_no_size(self) -> None:
        answer = self.front.ask("/proc")
        self.assertIn(b"--application=files:application", answer.body)

    def test_nothing_to_read(self) -> None:
        for path in ("/empty", "/at_the_end"):
            answer = self.front.ask(path)
            self.assertEqual((answer.kinds, answer.body), ([WHOLE], b""))

    def test_after_write(self) -> None:
        self.check_read("/after_write", b"first " + CONTENT)

    def test_status_without_a_body(self) -> None:
        answer = self.front.ask("/not_modified")
        self.assertEqual((answer.kinds, answer.body), ([WHOLE], b""))
        self.assertEqual(self.journal(), ["close"])

    def test_length_larger_than_the_file(self) -> None:
        answer = self.front.ask("/real", HTTP_X_LENGTH=str(len(CONTENT) + 1))
        self.assertNotEqual(answer.end, END)
        self.gateway.stderr.wait_for("but the body has %d bytes" % len(CONTENT))

    def test_broken_files(self) -> None:
        for path, reason in (
            ("/closed", "ValueError: read of closed file"),
            ("/text", "TypeError: the body must be bytes, not str"),
            ("/never_starts", "AssertionError: start_response was not called"),
        ):
            self.assertEqual(self.front.ask(path).kinds, [FAILED])
            self.gateway.stderr.wait_for(reason)


if __name__ == "__main__":
    unittest.main()
