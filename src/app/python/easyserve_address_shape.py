"""How the addresses of a URL pattern look, as far as the front can tell.

Each says no less than the pattern: where an address fits and the pattern
does not match, the application is asked in vain. Where the pattern matches,
the address fits.
"""

from __future__ import annotations

import itertools
from typing import Any, List, NamedTuple, Tuple

from easyserve_regex_reach import (
    BEGINNINGS,
    ENDS,
    ZERO_WIDTH,
    Chain,
    ends_closed,
    flatten,
    is_anchored,
)

# Parts of made-up addresses: what no pattern can mean in particular, for each
# of Django's path converters, and a year.
PARTS = (
    "zq7-easyserve",
    "7",
    "2026",
    "0b5f1c9e-3a52-4e6b-9a3e-7f2d8c4b6a10",
)
MIXED_DEPTH = 3
DEPTH = 6


class Shape(NamedTuple):
    """Addresses with these pieces in this order, and anything between."""

    # The first is what they begin with.
    pieces: Tuple[str, ...]
    # They end with the last piece.
    is_exact: bool

    def below(self, prefix: str) -> Shape:
        """Return the shape, or the prefix where all below it fit."""
        at = 0
        for piece in self.pieces:
            at = prefix.find(piece, at)
            if at < 0 or self.is_exact:
                return self
            at += len(piece)
        return Shape((prefix,), False)

    def names(self, prefix: str) -> bool:
        """Return whether a piece begins with the prefix."""
        return any(piece.startswith(prefix) for piece in self.pieces)

    def folder_below(self, prefix: str) -> str:
        """Return what a piece has behind the prefix; '' where none has it."""
        for piece in self.pieces:
            if piece.startswith(prefix):
                return piece[len(prefix):]
        return ""


def shape_of(chain: Chain) -> Shape:
    """Return the literal text of the expressions, in order."""
    pieces = [""]
    for segment in chain.segments:
        if not is_anchored(segment):
            pieces.append("")
        for name, value in flatten(segment):
            if name == "LITERAL" and not chain.is_case_ignored:
                pieces[-1] += chr(value)
            elif name not in ZERO_WIDTH:
                pieces.append("")
    is_exact = pieces[-1] != "" and ends_closed(chain.segments[-1])
    inner = [piece for piece in pieces[1:] if piece]
    return Shape((pieces[0], *inner), is_exact)


def covers(chain: Chain, prefix: str) -> bool:
    """Return whether nothing below gets past: the prefix, then anything."""
    nodes: List[Tuple[str, Any]] = []
    for segment in chain.segments:
        parts = flatten(segment)
        nodes += parts[1:] if parts and is_edge(parts[0], BEGINNINGS) else parts
    text = "".join(
        chr(value) for _, value in itertools.takewhile(is_literal, nodes)
    )
    rest = nodes[len(text):]
    if len(rest) > 1 and is_edge(rest[-1], ENDS):
        rest.pop()
    return text == prefix and (not rest or is_anything(rest))


def takes_anything(chain: Chain) -> bool:
    """Return whether it matches made-up addresses: it asks for no text."""
    return any(chain.takes(address) for address in make_up_addresses())


def make_up_addresses() -> List[str]:
    """Return addresses that have nothing to do with any project."""
    parts: List[Tuple[str, ...]] = []
    for depth in range(1, MIXED_DEPTH + 1):
        parts += itertools.product(PARTS, repeat=depth)
    for depth in range(MIXED_DEPTH + 1, DEPTH + 1):
        parts.append((PARTS[0],) * depth)
    plain = ["/".join(names) for names in parts]
    return plain + [address + "/" for address in plain]


# Private


def is_literal(node: Tuple[str, Any]) -> bool:
    return node[0] == "LITERAL"


def is_edge(node: Tuple[str, Any], kinds: Tuple[str, ...]) -> bool:
    name, value = node
    return name == "AT" and str(value) in kinds


def is_anything(nodes: List[Tuple[str, Any]]) -> bool:
    """Return whether it is .* or .+ and no more."""
    (name, value), *more = nodes
    if more or name not in ("MAX_REPEAT", "MIN_REPEAT"):
        return False
    least, most, body = value
    is_any = [str(op) for op, _ in body] == ["ANY"]
    return is_any and least <= 1 and str(most) == "MAXREPEAT"
