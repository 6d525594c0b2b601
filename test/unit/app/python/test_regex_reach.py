"""Which addresses a URL pattern can match, told from its regular expression alone."""

import sys
import unittest

from paths import SOURCE

sys.path.insert(0, SOURCE)
from easyserve_regex_reach import Chain  # noqa: E402

# Expressions; whether they match at or below media/; whether they match anywhere; the head of every match.
CASES = [
    ([r"^media/(?P<path>.*)$"], True, False, ("media/", False)),
    (["^", r"^media/(?P<path>.+)\Z"], True, False, ("media/", False)),
    ([r"^media/private/", r"^(?P<path>.+)\Z"], True, False, ("media/private/", False)),
    ([r"^media/\Z"], True, False, ("media/", True)),
    ([r"^(?P<kind>media|docs)/(.*)$"], True, False, ("", False)),
    ([r"^me(?P<rest>[a-z]+)/(\d+)/$"], True, False, ("me", False)),
    ([r"(?i)^MEDIA/(.*)$"], True, False, ("", False)),
    ([r"^(?P<path>.+)\Z"], True, True, ("", False)),
    ([r"^((?:[\w\-]+/)*)$"], True, True, ("", False)),
    ([r"^(?!media/|static/).*$"], False, True, ("", False)),
    ([r"^(?=media/).*$"], True, False, ("", False)),
    ([r"^[^m].*$"], False, True, ("", False)),
    ([r"(?:en/|de/|)", r"^media/(.*)$"], True, False, ("", False)),
    ([r"^admin/"], False, False, ("admin/", False)),
    ([r"^(m|x)edia\1"], True, False, ("", False)),
]


class ChainTest(unittest.TestCase):
    def test_reach(self) -> None:
        for sources, is_below, is_general, head in CASES:
            with self.subTest(sources=sources):
                chain = Chain(sources)
                self.assertEqual(chain.matches("media/"), is_below)
                self.assertEqual(chain.matches("zq7-easyserve/"), is_general)
                self.assertEqual(chain.literal_head(), head)

    def test_a_single_address_has_nothing_below_it(self) -> None:
        self.assertFalse(Chain([r"^media/\Z"]).begins("media/"))
        self.assertTrue(Chain([r"^media/(.*)\Z"]).begins("media/"))


if __name__ == "__main__":
    unittest.main()
