"""What is read out of the headers that the front sets."""

import sys
import unittest
from typing import Dict

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_front_facts import FrontFacts, is_below, read_front_facts  # noqa: E402


def facts(headers: Dict[str, str]) -> FrontFacts:
    return read_front_facts(headers.get)


class FrontFactsTest(unittest.TestCase):
    def test_all_of_them(self) -> None:
        self.assertEqual(
            facts({
                "host": "inner:1",
                "x-forwarded-for": "2001:db8::1",
                "x-forwarded-proto": "https",
                "x-forwarded-host": "shop.example.org:8443",
            }),
            FrontFacts("2001:db8::1", "https", "shop.example.org", "8443"),
        )

    def test_ports_that_are_not_said(self) -> None:
        for scheme, port in (("http", "80"), ("https", "443")):
            with self.subTest(scheme):
                found = facts({"x-forwarded-proto": scheme, "host": "a"})
                self.assertEqual((found.server_name, found.server_port), ("a", port))

    def test_hosts(self) -> None:
        for host, expected in (
            ("", ("localhost", "80")),
            ("[::1]:8000", ("[::1]", "8000")),
            ("[::1]", ("[::1]", "80")),
            ("a:", ("a", "80")),
            ("a:b", ("localhost", "80")),
            ("a:1:2", ("localhost", "80")),
        ):
            with self.subTest(host):
                self.assertEqual(facts({"host": host})[2:], expected)

    def test_nothing_at_all(self) -> None:
        self.assertEqual(facts({}), FrontFacts("", "http", "localhost", "80"))

    def test_paths_below_a_prefix(self) -> None:
        for path, is_it in (("/shop", True), ("/shop/", True), ("/shop/a", True), ("/shopping", False), ("/", False)):
            with self.subTest(path):
                self.assertEqual(is_below(path, "/shop"), is_it)
        self.assertFalse(is_below("/a", ""))


if __name__ == "__main__":
    unittest.main()
