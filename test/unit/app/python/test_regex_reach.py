"""Which addresses a URL pattern can match, told from its regular expression alone."""

import sys
import unittest

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_address_shape import covers, shape_of, takes_anything  # noqa: E402
from easyserve_regex_reach import Chain  # noqa: E402

# Expressions; whether they match at or below media/; whether they match anywhere; the pieces of every match, and whether it ends with the last.
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
        for source in [r".*", r"", r"^.*$", r"^(?P<path>.+)\Z", r"^((?:[\w\-]+/)*)$", r"^(?P<a>[^/]+)/(?P<b>[0-9]+)\Z"]:
            self.assertTrue(takes_anything(Chain([source])), source)
        for source in [r"private/", r"^([^/]+)/private/(.+)\Z", r"^(media|docs)/(.*)$", r"\.txt$", r"(secret|private)/"]:
            self.assertFalse(takes_anything(Chain([source])), source)

    def test_only_a_plain_rest_covers_all_below(self) -> None:
        for sources in [[r"^media/(?P<path>.*)$"], [r"media/(?P<path>.*)"], ["^media/", r"^(?P<path>.+)\Z"]]:
            self.assertTrue(covers(Chain(sources), "media/"), sources)
        for source in [r"^media/(?!private)(.*)$", r"^media/([a-z]+)$", r"^media/open/(.*)$", r"open/(.*)$", r"^media/(.*)\.jpg$"]:
            self.assertFalse(covers(Chain([source]), "media/"), source)


if __name__ == "__main__":
    unittest.main()
