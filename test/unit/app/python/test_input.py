"""wsgi.input: bodies in memory, in spool files, and streamed as they arrive."""

import hashlib
import os
import pathlib
import unittest

from front_connection import (
    BODY, DEADLINE_SECONDS, END, FAILED, HEADER_BYTES, REQUEST, REQUEST_SPOOLED, REQUEST_STREAMED, WHOLE,
    encode_environ, encode_frame,
)
from gateway_process import GatewayTestCase

KIB = 1024


def make_body(length: int) -> bytes:
    """Return bytes of which no two places look alike."""
    return b"".join(b"%07d\n" % number for number in range(length // 8 + 1))[:length]


def facts_of(body: bytes) -> bytes:
    """Return what the views read_all and read_pieces answer."""
    return b"%d\n%s\nb''" % (len(body), hashlib.sha256(body).hexdigest().encode())


class InputTestCase(GatewayTestCase):
    application = "inputs:application"

    def spool(self, body: bytes) -> pathlib.Path:
        path = self.gateway.run_folder / ("spool-%s" % self.id().rsplit(".", 1)[-1])
        path.write_bytes(body)
        return path

    def start_upload(self, path: str) -> None:
        self.front.send(REQUEST_STREAMED, encode_environ(path, "POST"))

    def send_body(self, body: bytes, piece_bytes: int = 64 * KIB) -> None:
        for at in range(0, len(body), piece_bytes):
            self.front.send(BODY, body=body[at:at + piece_bytes])
        self.front.send(BODY)

    def check_fine(self) -> None:
        """The connection is in order for the next request."""
        self.assertEqual(self.front.ask("/read_all", "POST", b"next").body, facts_of(b"next"))


class MemoryTest(InputTestCase):
    def test_sizes(self) -> None:
        for length in (0, 1, 65500, 65536, 70000, 300 * KIB):
            for path in ("/read_all", "/read_pieces"):
                with self.subTest(length=length, path=path):
                    body = make_body(length)
                    self.assertEqual(self.front.ask(path, "POST", body).body, facts_of(body))

    def test_frames_around_the_size_of_the_buffer(self) -> None:
        head = encode_environ("/read_all", "POST")
        for total in range(64 * KIB - 2, 64 * KIB + 3):
            with self.subTest(total=total):
                body = make_body(total - len(head) - HEADER_BYTES)
                self.front.send(REQUEST, head, body)
                self.assertEqual(self.front.read_answer().body, facts_of(body))

    def test_large_head(self) -> None:
        for length in (1000, 64 * KIB, 200 * KIB):
            with self.subTest(length=length):
                answer = self.front.ask("/read_all", "POST", b"body", HTTP_X_LARGE="x" * length)
                self.assertEqual(answer.body, facts_of(b"body"))

    def test_frame_that_arrives_byte_by_byte(self) -> None:
        for byte in encode_frame(REQUEST, encode_environ("/read_all", "POST"), b"body"):
            self.front.socket.sendall(bytes([byte]))
        self.assertEqual(self.front.read_answer().body, facts_of(b"body"))

    def test_frames_that_arrive_together(self) -> None:
        # As after a slow close(), when a request was sent to a thread too early. So many wrap around the
        # buffer.
        bodies = [make_body(5000 + number) for number in range(40)]
        head = encode_environ("/read_all", "POST")
        self.front.socket.sendall(b"".join(encode_frame(REQUEST, head, body) for body in bodies))
        for body in bodies:
            self.assertEqual(self.front.read_answer().body, facts_of(body))

    def test_lines(self) -> None:
        answer = self.front.ask("/lines", "POST", b"1 first\n2 second\n3 third\n4 fourth\nlast")
        self.assertEqual(answer.body.decode().split("\n"), [
            "b''", "b'1 '", "b'first\\n'", "b'2 s'", "[b'econd\\n']",
            "[b'3 third\\n', b'4 fourth\\n', b'last']", "b''", "[]", "b''", "[]",
        ])

    def test_application_that_does_as_it_likes(self) -> None:
        for path in ("/unread", "/half_read", "/closes", "/replaces"):
            with self.subTest(path):
                self.assertEqual(self.front.ask(path, "POST", make_body(1000)).end, WHOLE)
                self.check_fine()


class SpoolTest(InputTestCase):
    def ask_spooled(self, path: str, spooled: pathlib.Path) -> "tuple[int, bytes]":
        self.front.send(REQUEST_SPOOLED, encode_environ(path, "POST"), os.fsencode(str(spooled)))
        answer = self.front.read_answer()
        return answer.end, answer.body

    def test_read(self) -> None:
        body = make_body(2000 * KIB)
        for path in ("/read_all", "/read_pieces"):
            with self.subTest(path):
                self.assertEqual(self.ask_spooled(path, self.spool(body)), (WHOLE, facts_of(body)))

    def test_lines(self) -> None:
        _, body = self.ask_spooled("/lines", self.spool(b"1 first\n2 second\nlast"))
        self.assertIn("b'first\\n'", body.decode())

    def test_file_is_removed_whatever_the_application_does(self) -> None:
        for path in ("/read_all", "/unread", "/closes", "/replaces", "/breaks"):
            with self.subTest(path):
                spooled = self.spool(make_body(1000))
                self.ask_spooled(path, spooled)
                self.assertFalse(spooled.exists())
                self.check_fine()

    def test_file_is_closed_after_the_answer(self) -> None:
        for _ in range(50):
            self.ask_spooled("/unread", self.spool(b"body"))
        self.check_fine()  # answered after the last of them is done with
        folder = pathlib.Path("/proc/%d/fd" % self.gateway.child.pid)
        if folder.exists():
            self.assertEqual([link for link in map(os.readlink, folder.iterdir()) if "spool-" in link], [])

    def test_file_that_is_gone(self) -> None:
        # The front removes it when the client leaves; it drops the answer then.
        self.assertEqual(self.ask_spooled("/read_all", pathlib.Path("/nonexistent/spool")), (FAILED, b""))
        log = self.gateway.stderr.wait_for("POST '/read_all' failed: [Errno 2] No such file or directory")
        self.assertNotIn("Traceback", log.split("[Errno 2]")[-1])
        self.check_fine()


class StreamTest(InputTestCase):
    def test_read(self) -> None:
        body = make_body(1000 * KIB)
        for path in ("/read_all", "/read_pieces"):
            for piece_bytes in (1000, 64 * KIB, 200 * KIB):
                with self.subTest(path=path, piece_bytes=piece_bytes):
                    self.start_upload(path)
                    self.send_body(body, piece_bytes)
                    self.assertEqual(self.front.read_answer().body, facts_of(body))

    def test_empty_upload(self) -> None:
        self.start_upload("/read_all")
        self.send_body(b"")
        self.assertEqual(self.front.read_answer().body, facts_of(b""))

    def test_lines(self) -> None:
        self.start_upload("/lines")
        self.send_body(b"1 first\n2 second\nlast", 3)
        self.assertIn("b'first\\n'", self.front.read_answer().body.decode())

    def test_answer_while_the_upload_arrives(self) -> None:
        self.start_upload("/echo")
        for piece in (b"first", b"x" * 70000, b"last"):
            self.front.send(BODY, body=piece)
            received = b""
            while len(received) < len(piece):
                received += self.front.read_frame().body
            self.assertEqual(received, piece)
        self.front.send(BODY)
        self.assertEqual(self.front.read_answer().end, END)

    def test_upload_that_is_not_read(self) -> None:
        # Complete, and broken off by the answer, as the front breaks it off.
        for path in ("/unread", "/half_read", "/closes", "/replaces", "/breaks"):
            for ends in (True, False):
                with self.subTest(path=path, ends=ends):
                    self.start_upload(path)
                    self.front.send(BODY, body=make_body(70000))
                    if ends:
                        self.front.send(BODY)
                    self.assertEqual(self.front.read_answer().end, FAILED if path == "/breaks" else WHOLE)
                    self.check_fine()

    def test_large_answer_while_the_upload_is_not_read(self) -> None:
        self.start_upload("/large_answer")
        self.front.send(BODY, body=make_body(64 * KIB))
        self.assertEqual(len(self.front.read_answer().body), 3000000)
        self.check_fine()

    def test_upload_that_is_read_after_the_answer(self) -> None:
        # The next request is on its way already: it must not be taken for a piece of the upload.
        self.start_upload("/reads_after_answer")
        self.front.send_request("/read_all", "POST", b"next")
        self.assertEqual(self.front.read_answer().body, b"body")
        self.assertEqual(self.front.read_answer().body, facts_of(b"next"))
        self.assertEqual(self.journal(), ["the upload ended with the answer"])

    def test_back_pressure(self) -> None:
        observer = self.connect()
        self.start_upload("/slow")
        self.journal_of(observer, 1)
        piece = make_body(64 * KIB)
        body = piece * 300
        rest = self.send_until_full(encode_frame(BODY, body=piece) * 300)
        self.assertGreater(len(rest), 15000 * KIB)
        observer.ask("/release")
        self.front.socket.sendall(rest)
        self.front.send(BODY)
        self.assertEqual(self.front.read_answer().body, facts_of(body))

    def send_until_full(self, data: bytes) -> bytes:
        """Send as much as the socket takes without waiting; return the rest."""
        self.front.socket.setblocking(False)
        try:
            while data:
                data = data[self.front.socket.send(data):]
        except BlockingIOError:
            pass
        finally:
            self.front.socket.settimeout(DEADLINE_SECONDS)
        return data

    def test_client_that_leaves_in_mid_upload(self) -> None:
        observer = self.connect()
        self.start_upload("/notes_error")
        self.front.send(BODY, body=b"some of it")
        self.front.close()
        self.assertEqual(self.journal_of(observer, 1), ["FrontGone"])
        # The thread is back in service, and its traceback is nobody's concern.
        self.connect()
        self.assertNotIn("notes_error", self.gateway.stderr.text)

    def test_client_that_leaves_an_application_which_does_not_care(self) -> None:
        observer = self.connect()
        self.start_upload("/swallows_error")
        self.front.close()
        self.assertEqual(self.journal_of(observer, 1), ["close"])


if __name__ == "__main__":
    unittest.main()
