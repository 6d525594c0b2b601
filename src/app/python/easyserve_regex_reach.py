"""What a regular expression can match, told without any text to match.

Works on the tree that Python's own parser makes of it. Where that says too
little, as with a reference to a group, the answer is yes: it can match.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any, Iterable, List, Set, Tuple

# sre_parse is deprecated since Python 3.11.
PARSER = importlib.import_module(
    "re._parser" if sys.version_info >= (3, 11) else "sre_parse"
)
REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
ENDS = ("AT_END", "AT_END_STRING")
BEGINNINGS = ("AT_BEGINNING", "AT_BEGINNING_STRING")
ZERO_WIDTH = ("AT", "ASSERT", "ASSERT_NOT")
CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


class _ReadsOn(Exception):
    """The text is at its end, and the expression would take more of it."""


class Chain:
    """Regular expressions that match one behind the other, as Django's."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.sources = list(sources)
        self.segments = [PARSER.parse(source) for source in self.sources]
        self.is_case_ignored = any(
            segment.state.flags & re.IGNORECASE for segment in self.segments
        )

    def begins(self, text: str) -> bool:
        """Return whether a longer text that begins so can match."""
        try:
            self._run(text)
        except _ReadsOn:
            return True
        return False

    def matches(self, text: str) -> bool:
        """Return whether this text, or a longer one, can match."""
        try:
            return len(text) in self._run(text)
        except _ReadsOn:
            return True

    def takes(self, text: str) -> bool:
        """Return whether Django would find the view for this very text."""
        rest = text
        for source in self.sources:
            found = re.search(source, rest)
            if found is None:
                return False
            rest = rest[found.end():]
        return True

    # Private

    def _run(self, text: str) -> Set[int]:
        positions = {0}
        for segment in self.segments:
            found: Set[int] = set()
            ended = None
            for start in positions:
                matcher = _Matcher(text, start, self.is_case_ignored)
                for at in starts_of(segment, start, text):
                    try:
                        found |= matcher.run(segment, at)
                    except _ReadsOn as error:
                        ended = error
            if ended is not None:
                raise ended
            positions = found
        if any(position < len(text) for position in positions):
            if not ends_closed(self.segments[-1]):
                raise _ReadsOn
        return positions


class _Matcher:
    """Matches one segment against a text that may go on."""

    def __init__(self, text: str, start: int, is_case_ignored: bool) -> None:
        self._text = text
        self._start = start
        self._is_case_ignored = is_case_ignored

    def run(self, nodes: Iterable[Any], position: int) -> Set[int]:
        """Return where a match of these nodes can end."""
        positions = {position}
        for op, value in nodes:
            positions = self._all(
                positions, lambda at: self._step(str(op), value, at)
            )
        return positions

    # Private

    def _all(self, positions: Iterable[int], step: Any) -> Set[int]:
        """Return what follows from any position; one that reads on wins."""
        found: Set[int] = set()
        ended = None
        for position in positions:
            try:
                found |= step(position)
            except _ReadsOn as error:
                ended = error
        if ended is not None:
            raise ended
        return found

    def _step(self, name: str, value: Any, at: int) -> Set[int]:
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            if at >= len(self._text):
                raise _ReadsOn
            return {at + 1} if self._takes(name, value, at) else set()
        if name == "AT":
            return {at} if self._holds(str(value), at) else set()
        if name == "SUBPATTERN" and not value[1]:
            return self.run(value[-1], at)
        if name == "ATOMIC_GROUP":
            return self.run(value, at)
        if name == "BRANCH":
            return self._all(value[1], lambda branch: self.run(branch, at))
        if name in REPEATS:
            return self._repeat(value, at)
        if name in ("ASSERT", "ASSERT_NOT"):
            return self._look(name == "ASSERT", value, at)
        raise _ReadsOn

    def _takes(self, name: str, value: Any, at: int) -> bool:
        if name == "ANY":
            return True
        character = self._text[at]
        if name == "IN":
            return is_in(value, character, self._is_case_ignored)
        is_same = is_in([("LITERAL", value)], character, self._is_case_ignored)
        return is_same == (name == "LITERAL")

    def _holds(self, name: str, at: int) -> bool:
        if name in BEGINNINGS:
            return at == self._start
        return at == len(self._text) if name in ENDS else True

    def _repeat(self, value: Any, at: int) -> Set[int]:
        least, most, body = value
        positions = {at}
        found = {at} if least == 0 else set()
        for count in range(1, least + len(self._text) + 2):
            if count > int(most):
                break
            positions = self._all(positions, lambda p: self.run(body, p))
            if count >= least:
                if positions <= found:
                    break
                found |= positions
        return found

    def _look(self, is_wanted: bool, value: Any, at: int) -> Set[int]:
        way, body = value
        if way < 0:
            return {at}  # behind: rare, and it may hold
        try:
            is_met = bool(self.run(body, at))
        except _ReadsOn:
            return {at}
        return {at} if is_met == is_wanted else set()


def starts_of(segment: Any, start: int, text: str) -> Iterable[int]:
    """Return where a match may begin: Django searches, it does not match."""
    if is_anchored(segment):
        return (start,)
    return range(start, len(text) + 1)


def is_anchored(segment: Any) -> bool:
    """Return whether a match begins where the search does.

    An empty expression is found there at once.
    """
    if segment.state.flags & re.MULTILINE:
        return False
    return not segment or begins_closed(segment)


def begins_closed(nodes: Iterable[Any]) -> bool:
    """Return whether the expression says where the text begins."""
    for name, value in flatten(nodes):
        if name == "AT" and str(value) in BEGINNINGS:
            return True
        if name == "BRANCH":
            return all(begins_closed(branch) for branch in value[1])
        if name not in ZERO_WIDTH:
            return False
    return False


def ends_closed(segment: Any) -> bool:
    """Return whether the expression says where the text ends."""
    nodes = list(segment)
    if not nodes:
        return False
    op, value = nodes[-1]
    if str(op) == "SUBPATTERN":
        return ends_closed(value[-1])
    return str(op) == "AT" and str(value) in ENDS


def flatten(nodes: Iterable[Any]) -> List[Tuple[str, Any]]:
    """Return the nodes, with groups opened."""
    flat: List[Tuple[str, Any]] = []
    for op, value in nodes:
        if str(op) == "SUBPATTERN" and not value[1]:
            flat += flatten(value[-1])
        else:
            flat.append((str(op), value))
    return flat


def is_in(items: Iterable[Any], character: str, ignores_case: bool) -> bool:
    """Return whether a set of characters has this one."""
    cases = {character}
    if ignores_case:
        cases = {character.lower(), character.upper()}
    is_negated = False
    is_found = False
    for op, value in items:
        name = str(op)
        if name == "NEGATE":
            is_negated = True
        elif name == "LITERAL":
            is_found |= chr(value) in cases
        elif name == "RANGE":
            is_found |= any(value[0] <= ord(c) <= value[1] for c in cases)
        else:
            is_found |= is_of_category(str(value), character)
    return is_found != is_negated


def is_of_category(name: str, character: str) -> bool:
    """Return whether it is what CATEGORY_DIGIT or CATEGORY_NOT_DIGIT say."""
    kind = CATEGORIES.get(name.rpartition("_")[2])
    if kind is None:
        return True
    return bool(re.match(kind, character)) != ("_NOT_" in name)
