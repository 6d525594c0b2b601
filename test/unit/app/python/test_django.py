"""Django, as installed in the tests' own environment, whatever Python runs this test."""

import hashlib
import os
import pathlib
import unittest

from front_connection import (
    ABORT, BODY, END, FILE, REQUEST, REQUEST_SPOOLED, REQUEST_STREAMED, START, WHOLE, Answer,
    encode_environ,
)
from gateway_process import GatewayProcess, GatewayTestCase
from paths import HERE

CONTENT = b"".join(b"%07d\n" % number for number in range(20000))
VENV_PYTHON = HERE.parents[3] / ".cache" / "venv" / "bin" / "python"


class DjangoTestCase(GatewayTestCase):
    @classmethod
    def start_gateway(cls) -> GatewayProcess:
        python = os.environ.get("EASYSERVE_TEST_PYTHON", str(VENV_PYTHON))
        return GatewayProcess("django_app:application", python=python)

    def tearDown(self) -> None:
        # close() of each answer sends this signal: once for each request.
        self.assertEqual(set(self.journal()) - {"finished"}, set())

    def check_finished(self, requests: int) -> None:
        self.assertEqual(self.journal(), ["finished"] * requests)


class AnswerTest(DjangoTestCase):
    def test_page(self) -> None:
        answer = self.front.ask("/hello")
        self.assertEqual((answer.kinds, answer.status), ([WHOLE], "200 OK"))
        self.assertEqual(answer.body.decode(), "hello, w\u00f6rld")
        self.assertEqual(answer.header("Content-Length"), "13")
        self.check_finished(1)

    def test_head(self) -> None:
        answer = self.front.ask("/hello", "HEAD")
        self.assertEqual((answer.kinds, answer.body, answer.header("Content-Length")), ([WHOLE], b"", "13"))

    def test_cookies(self) -> None:
        answer = self.front.ask("/cookies")
        found = [value.strip()[:3] for name, value in answer.headers if name == "Set-Cookie"]
        self.assertEqual(found, ["a=1", "b=2"])

    def test_stream(self) -> None:
        answer = self.front.ask("/stream")
        self.assertEqual((answer.kinds[0], answer.end), (START, END))
        self.assertEqual(answer.body, b"piece 0\npiece 1\npiece 2\n")
        self.check_finished(1)

    def test_stream_that_breaks(self) -> None:
        answer = self.front.ask("/breaking_stream")
        self.assertEqual((answer.kinds, answer.body), ([START, ABORT], b"first"))
        self.gateway.stderr.wait_for("ValueError: in a stream")
        self.check_finished(1)

    def test_error_page(self) -> None:
        self.assertEqual(self.front.ask("/breaks").status, "500 Internal Server Error")
        self.assertEqual(self.front.ask("/nowhere").status, "404 Not Found")
        self.check_finished(2)

    def test_not_modified(self) -> None:
        answer = self.front.ask("/not_modified")
        self.assertEqual((answer.kinds, answer.status, answer.body), ([WHOLE], "304 Not Modified", b""))
        etag = self.front.ask("/hello").header("ETag")
        assert etag is not None
        self.assertEqual(self.front.ask("/hello", HTTP_IF_NONE_MATCH=etag).status, "304 Not Modified")

    def test_path_that_is_not_ascii(self) -> None:
        path = "/url/\u65e5\u672c".encode().decode("latin-1")
        self.assertEqual(
            self.front.ask(path, SCRIPT_NAME="/mounted").body.decode(),
            "http://example.org/mounted/url/%E6%97%A5%E6%9C%AC \u65e5\u672c",
        )


class FileTest(DjangoTestCase):
    def test_files_are_handed_over(self) -> None:
        paths = ("/file", "/stored_file", "/wrapped_file")
        for path in paths:
            with self.subTest(path):
                answer = self.front.ask(path)
                self.assertEqual(answer.kinds, [FILE, END])
                self.assertEqual(answer.header("Content-Length"), str(len(CONTENT)))
                assert answer.file is not None
                self.assertEqual(pathlib.Path(answer.file.path).read_bytes(), CONTENT)
                self.assertEqual((answer.file.offset, answer.file.length), (0, len(CONTENT)))
        self.check_finished(len(paths))

    def test_temporary_file(self) -> None:
        answer = self.front.ask("/temporary_file")
        self.assertEqual(answer.kinds, [FILE, END])
        self.check_finished(1)
        assert answer.file is not None
        self.assertFalse(os.path.exists(answer.file.path))

    def test_file_that_the_front_refuses(self) -> None:
        self.front.send_request("/file")
        self.assertEqual(self.front.read_answer(opens_file=False).body, CONTENT)
        self.check_finished(1)

    def test_head(self) -> None:
        answer = self.front.ask("/file", "HEAD")
        self.assertEqual((answer.body, answer.header("Content-Length")), (b"", str(len(CONTENT))))


class UploadTest(DjangoTestCase):
    def multipart(self, content: bytes) -> bytes:
        return b"".join((
            b'--limit\r\nContent-Disposition: form-data; name="name"\r\n\r\nexample\r\n',
            b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n',
            content,
            b"\r\n--limit--\r\n",
        ))

    def check(self, answer: Answer, content: bytes) -> None:
        expected = "example a.bin %d %s" % (len(content), hashlib.sha256(content).hexdigest())
        self.assertEqual(answer.body.decode(), expected)

    def head(self, body: bytes) -> bytes:
        return encode_environ(
            "/upload", "POST", CONTENT_LENGTH=str(len(body)),
            CONTENT_TYPE="multipart/form-data; boundary=limit",
        )

    def test_in_memory(self) -> None:
        for content in (b"small", CONTENT):
            body = self.multipart(content)
            self.front.send(REQUEST, self.head(body), body)
            self.check(self.front.read_answer(), content)

    def test_spooled(self) -> None:
        body = self.multipart(CONTENT * 20)
        spooled = self.gateway.run_folder / "spooled"
        spooled.write_bytes(body)
        self.front.send(REQUEST_SPOOLED, self.head(body), os.fsencode(str(spooled)))
        self.check(self.front.read_answer(), CONTENT * 20)

    def test_streamed(self) -> None:
        body = self.multipart(CONTENT * 20)
        self.front.send(REQUEST_STREAMED, self.head(body))
        for at in range(0, len(body), 50000):
            self.front.send(BODY, body=body[at:at + 50000])
        self.front.send(BODY)
        self.check(self.front.read_answer(), CONTENT * 20)

    def test_body_of_the_request(self) -> None:
        answer = self.front.ask("/body", "POST", CONTENT, CONTENT_TYPE="application/octet-stream")
        self.assertEqual(answer.body.decode(), hashlib.sha256(CONTENT).hexdigest())


if __name__ == "__main__":
    unittest.main()
