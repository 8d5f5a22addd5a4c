"""What it means that an image meets a filter, and the index terms that find it.

Text is compared by NFKC and case folding, accents kept. A prompt filter finds an image
when each of its words starts a word of the prompt. A run of a script written without
spaces has no words to start, so it is found wherever it is contained; so is a filter
without a letter or digit. Indexing each suffix of such a run turns "contained" into
"starts a term": one prefix search over one table of terms answers every question.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain

TERM_CHARACTERS = 40
"""Longest word kept whole in the index; a longer one is checked against the prompt."""

SUFFIX_CHARACTERS = 8
"""Longest suffix of an unspaced run kept in the index: each character begins one."""

MAX_SEARCH_WORDS = 32
"""Words in one filter: each costs an index lookup for every row looked at."""

MAX_NON_STARTERS = 30
"""Combining marks on one character, as in the stream-safe text of UAX #15: normalising
puts a run of them in order, in a time that grows with its square."""

_PROMPT = b"p"
_FILENAME = b"f"

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u1a20-\u1aaf"  # Tai Tham
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Han signs
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Kana
    "\u3105-\u312f\u31a0-\u31bf"  # Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\U0001b000-\U0001b16f"  # Kana, archaic
)


def _points_of(*categories: str) -> list[str]:
    """Return what is of these categories in the planes that hold every combining mark."""
    points = map(chr, chain(range(0x300, 0x1F000), range(0xE0100, 0xE01F0)))
    return [point for point in points if unicodedata.category(point) in categories]


def _is_non_starter(point: str) -> bool:
    """Tell whether what a code point is decomposed into begins with a combining mark."""
    return unicodedata.combining(unicodedata.normalize("NFKD", point)[0]) != 0


def _ranges(points: Iterable[str]) -> str:
    """Return a class of characters in ascending order, as the few ranges that they are."""
    ends: list[list[str]] = []
    for point in points:
        if ends and ord(point) == ord(ends[-1][1]) + 1:
            ends[-1][1] = point
        else:
            ends.append([point, point])
    return "".join(f"{first}-{last}" for first, last in ends)


_MARKS_AND_MODIFIERS = _points_of("Mn", "Mc", "Me", "Lm")
_MARKS = _ranges(point for point in _MARKS_AND_MODIFIERS if unicodedata.category(point) != "Lm")
"""They continue a word."""

_NON_STARTERS = _ranges(filter(_is_non_starter, _MARKS_AND_MODIFIERS))
_LONG_RUN = re.compile(
    rf"([{_NON_STARTERS}][{_NON_STARTERS}]{{{MAX_NON_STARTERS - 1}}})[{_NON_STARTERS}]+"
)
_TOKEN = re.compile(
    rf"(?P<run>(?=\w)[{_UNSPACED}][{_UNSPACED}{_MARKS}]*)"
    rf"|(?P<word>[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|[{_MARKS}])*)"
)
_SYMBOLS = re.compile(r"(?:[^\w\s]|_)+")


def normalise(text: str) -> str:
    """Return the text as it is compared: NFKC, case folded, accents kept.

    What a run of combining marks has beyond MAX_NON_STARTERS is left out.
    """
    if not text.isascii():
        text = _LONG_RUN.sub(r"\1", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _tokens(normalised: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(normalised):
        yield match.lastgroup or "", match.group()


def _symbols(normalised: str) -> Iterator[tuple[str, str]]:
    """Yield what holds no letter or digit, the marks that continue a word too."""
    return (("symbols", text) for text in _SYMBOLS.findall(normalised))


def _suffixes(run: str) -> Iterator[str]:
    return (run[at : at + SUFFIX_CHARACTERS] for at in range(len(run)))


def index_terms(prompt: str, filename: str) -> frozenset[bytes]:
    """Return the terms under which an image is found."""
    terms = {_term(_FILENAME, normalise(filename)[:TERM_CHARACTERS])}
    text = normalise(prompt)
    for kind, token in chain(_tokens(text), _symbols(text)):
        parts = (token[:TERM_CHARACTERS],) if kind == "word" else _suffixes(token)
        terms.update(_term(_PROMPT, part) for part in parts)
    return frozenset(terms)


def _term(space: bytes, text: str) -> bytes:
    return space + text.encode()


@dataclass(frozen=True)
class TermRange:
    """The index terms that start with a given text: low <= term < high, bytewise."""

    low: bytes

    @property
    def high(self) -> bytes:
        """The end of the range: no UTF-8 text holds the byte 0xFF."""
        return self.low + b"\xff"


@dataclass(frozen=True)
class ImageFilter:
    """What a list is limited to; empty or None does not limit it.

    `created_after` is inclusive, `created_before` exclusive, both aware, whole seconds.
    """

    prompt: str = ""
    filename: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None

    @cached_property
    def _prompt(self) -> str:
        return normalise(self.prompt).strip()

    @cached_property
    def _filename(self) -> str:
        return normalise(self.filename)

    @cached_property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The kind and text of what has to start a term: words, runs, or symbols alone."""
        spoken = tuple(dict.fromkeys(_tokens(self._prompt)))
        return spoken or tuple(dict.fromkeys(_symbols(self._prompt)))

    @cached_property
    def ranges(self) -> tuple[TermRange, ...]:
        """The ranges of terms an image needs one of each from, to meet the filter."""
        lengths = {"word": TERM_CHARACTERS}
        found = [
            TermRange(_term(_PROMPT, text[: lengths.get(kind, SUFFIX_CHARACTERS)]))
            for kind, text in self.words
        ]
        if self._filename:
            found.append(TermRange(_term(_FILENAME, self._filename[:TERM_CHARACTERS])))
        return tuple(dict.fromkeys(found))

    @cached_property
    def is_exact(self) -> bool:
        """Whether the ranges alone decide; else `matches` has to confirm each image."""
        lengths = {"word": TERM_CHARACTERS}
        whole = all(len(text) <= lengths.get(kind, SUFFIX_CHARACTERS) for kind, text in self.words)
        alone = all(kind != "symbols" or text == self._prompt for kind, text in self.words)
        return whole and alone and len(self._filename) <= TERM_CHARACTERS

    def matches(self, prompt: str, filename: str) -> bool:
        """Tell whether texts meet the filter: the definition the index is held to."""
        if not normalise(filename).startswith(self._filename):
            return False
        if not self._prompt:
            return True
        text = normalise(prompt)
        if self.words[0][0] == "symbols":
            return self._prompt in text
        tokens = tuple(_tokens(text))
        return all(_found(kind, word, tokens) for kind, word in self.words)


def _found(kind: str, word: str, tokens: tuple[tuple[str, str], ...]) -> bool:
    same = (token for other, token in tokens if other == kind)
    if kind == "run":
        return any(word in token for token in same)
    return any(token.startswith(word) for token in same)
