"""Which addresses a URL pattern can match, told from its regular expression alone."""

import itertools
import sys
import unittest

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_address_shape import covers, shape_of, takes_anything  # noqa: E402
from easyserve_regex_reach import Chain  # noqa: E402

# Expressions; whether they match at or below media/; whether they match anywhere; the pieces of every match, and
# whether it ends with the last.
CASES = [
    ([r"^media/(?P<path>.*)$"], True, False, (("media/",), False)),
    (["^", r"^media/(?P<path>.+)\Z"], True, False, (("media/",), False)),
    ([r"^media/private/", r"^(?P<path>.+)\Z"], True, False, (("media/private/",), False)),
    ([r"^media/\Z"], True, False, (("media/",), True)),
    ([r"^(?P<kind>media|docs)/(.*)$"], True, False, (("", "/"), False)),
    ([r"^me(?P<rest>[a-z]+)/(\d+)/$"], True, False, (("me", "/", "/"), True)),
    ([r"(?i)^MEDIA/(.*)$"], True, False, (("",), False)),
    ([r"^(?P<path>.+)\Z"], True, True, (("",), False)),
    ([r"^((?:[\w\-]+/)*)$"], True, True, (("",), False)),
    ([r"^(?!media/|static/).*$"], False, True, (("",), False)),
    ([r"^(?=media/).*$"], True, False, (("",), False)),
    ([r"^[^m].*$"], False, True, (("",), False)),
    ([r"^(?:en/|de/|)", r"^media/(.*)$"], True, False, (("", "media/"), False)),
    ([r"^admin/"], False, False, (("admin/",), False)),
    ([r"^(m|x)edia\1"], True, False, (("", "edia"), False)),
    ([r"private/"], True, True, (("", "private/"), False)),
    ([r"^media/", r"private/"], True, False, (("media/", "private/"), False)),
    ([r"\.txt$"], True, True, (("", ".txt"), True)),
    ([r"^(?P<top>[-a-zA-Z0-9_]+)/private/(?P<p>.+)\Z"], True, True, (("", "/private/"), False)),
    ([r"^(?i:MEDIA)/(.*)$"], True, True, (("", "/"), False)),
    ([r"^docs/|^admin/"], False, False, (("",), False)),
    ([r"", r"^media/a\Z"], True, False, (("media/a",), True)),
]

ANYTHING = [r".*", r"", r"^.*$", r"^(?P<path>.+)\Z", r"^((?:[\w\-]+/)*)$", r"^(?P<a>[^/]+)/(?P<b>[0-9]+)\Z"]
SOME_TEXT = [r"private/", r"^([^/]+)/private/(.+)\Z", r"^(media|docs)/(.*)$", r"\.txt$", r"(secret|private)/"]
COVERING = [[r"^media/(?P<path>.*)$"], [r"media/(?P<path>.*)"], ["^media/", r"^(?P<path>.+)\Z"]]
NOT_COVERING = [
    r"^media/(?!private)(.*)$",
    r"^media/([a-z]+)$",
    r"^media/open/(.*)$",
    r"open/(.*)$",
    r"^media/(.*)\.jpg$",
    r"^media/$",
]
ATOMS = ["^", "$", "media/", "private/", "/", "a", ".*", "[a-z]+", "(a|private)", "(?!a)", "(?i:PRI)", r"\b", ""]


class ChainTest(unittest.TestCase):
    def test_reach(self) -> None:
        for sources, is_below, is_general, (pieces, is_exact) in CASES:
            with self.subTest(sources=sources):
                chain = Chain(sources)
                self.assertEqual(chain.matches("media/"), is_below)
                self.assertEqual(chain.matches("zq7-easyserve/"), is_general)
                self.assertEqual(shape_of(chain), (pieces, is_exact))

    def test_a_single_address_has_nothing_below_it(self) -> None:
        self.assertFalse(Chain([r"^media/\Z"]).begins("media/"))
        self.assertTrue(Chain([r"^media/(.*)\Z"]).begins("media/"))

    def test_a_pattern_for_anything_asks_for_no_text(self) -> None:
        for source in ANYTHING:
            self.assertTrue(takes_anything(Chain([source])), source)
        for source in SOME_TEXT:
            self.assertFalse(takes_anything(Chain([source])), source)

    def test_only_a_plain_rest_covers_all_below(self) -> None:
        for sources in COVERING:
            self.assertTrue(covers(Chain(sources), "media/"), sources)
        for source in NOT_COVERING:
            self.assertFalse(covers(Chain([source]), "media/"), source)

    def test_what_django_finds_is_never_left_out(self) -> None:
        found = 0
        for atoms in itertools.product(ATOMS, repeat=3):
            for sources in (["".join(atoms)], [atoms[0], "".join(atoms[1:])]):
                chain = Chain(sources)
                for text in ("media/a", "media/private/b.txt", "media/x/private/a"):
                    is_found = chain.takes(text)
                    found += is_found
                    self.assertTrue(chain.matches("media/") or not is_found, (sources, text))
                    self.assertTrue(is_found or not covers(chain, "media/"), (sources, text))
        self.assertGreater(found, 1000)


if __name__ == "__main__":
    unittest.main()
