"""What meets a filter, and that the index of terms says the same."""

import sys
import timeit
import unicodedata
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.search import (
    MAX_NON_STARTERS,
    SUFFIX_CHARACTERS,
    TERM_CHARACTERS,
    ImageFilter,
    TermRange,
    index_terms,
    normalise,
)
from tests.integration.data.search_cases import SEARCH_CASES, SearchCase

PIECES = st.sampled_from(
    [
        *"aAeéiIİıſßﬁΣς12²_-> .%'\0\n\u00a0\u0301\u0302\ufe0f\u200d🦊",
        *"日本がか゛ｶﾞー฿ก้ั་བ⺀हिन्한\u1112",
        "日本語の長い文章です",
        "a" * TERM_CHARACTERS,
        "word",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
LONG_TEXTS = st.lists(PIECES, max_size=14).map("".join)


def test_every_case_is_named_once() -> None:
    names = [str(case) for case in SEARCH_CASES]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", SEARCH_CASES, ids=str)
def test_match_finds_what_the_rule_says(case: SearchCase) -> None:
    """`matches` is the definition of search."""
    found = case.sought.matches(case.prompt, case.filename)

    assert found is case.found


@pytest.mark.parametrize("case", SEARCH_CASES, ids=str)
def test_index_finds_what_the_rule_says(case: SearchCase) -> None:
    """The index misses nothing, and where it is exact it finds nothing else."""
    indexed = _is_indexed(case.sought, case.prompt, case.filename)

    assert indexed or not case.found
    assert case.found or not (indexed and case.sought.is_exact)


@pytest.mark.timeout(600)
@settings(derandomize=True, max_examples=1_500, deadline=None)
@given(data=st.data())
def test_index_agrees_with_match(data: st.DataObject) -> None:
    """An image that matches has a term in every range; the converse where it is exact."""
    prompt, filename = data.draw(LONG_TEXTS), data.draw(TEXTS)
    sought = ImageFilter(
        data.draw(TEXTS | _parts(prompt)), data.draw(st.just("") | TEXTS | _parts(filename))
    )

    matches = sought.matches(prompt, filename)
    indexed = _is_indexed(sought, prompt, filename)

    assert indexed or not matches
    assert matches or not (indexed and sought.is_exact)


@pytest.mark.timeout(600)
@settings(derandomize=True, max_examples=500, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=12), data=st.data())
def test_index_agrees_with_match_in_any_script(text: str, data: st.DataObject) -> None:
    """Likewise for a part of a text of any characters there are."""
    sought = ImageFilter(data.draw(_parts(text)))

    matches = sought.matches(text, "")
    indexed = _is_indexed(sought, text, "")

    assert indexed or not matches
    assert matches or not (indexed and sought.is_exact)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_text_finds_itself(text: str) -> None:
    """What is sought as it was stored is found, as a prompt and as a filename."""
    assert ImageFilter(prompt=text).matches(text, "")
    assert ImageFilter(filename=text).matches("", text)


@pytest.mark.parametrize("part", ["a", "日", "->", "é"])
def test_range_holds_what_starts_with_its_text(part: str) -> None:
    """The range ends behind every continuation, and before the next text."""
    sought = TermRange(part.encode())

    inside = [(part + more).encode() for more in ("", "\0", "a", "\U0010ffff" * 3)]
    outside = [chr(ord(part[0]) + 1).encode(), chr(ord(part[0]) - 1).encode(), b""]

    assert all(sought.low <= term < sought.high for term in inside)
    assert not any(sought.low <= term < sought.high for term in outside)


def test_terms_are_bounded() -> None:
    """A term fits the column of the index, whatever the text is."""
    terms = index_terms("𠮷" * 100 + " " + "𝒳" * 100 + "=" * 100, "名" * 255)

    assert max(len(term) for term in terms) <= 1 + 4 * TERM_CHARACTERS
    assert max(len(term.decode()) for term in terms) == 1 + TERM_CHARACTERS


def test_terms_of_a_run_begin_at_each_character() -> None:
    terms = index_terms("一二三四五六七八九", "")

    assert b"p" + "一二三四五六七八".encode() in terms
    assert b"p" + "二三四五六七八九".encode() in terms
    assert b"p" + "九".encode() in terms


@pytest.mark.parametrize(
    ("sought", "is_exact"),
    [
        (ImageFilter(), True),
        (ImageFilter(prompt="a" * TERM_CHARACTERS), True),
        (ImageFilter(prompt="a" * TERM_CHARACTERS + "a"), False),
        (ImageFilter(prompt="日" * SUFFIX_CHARACTERS), True),
        (ImageFilter(prompt="日" * SUFFIX_CHARACTERS + "日"), False),
        (ImageFilter(prompt="-" * SUFFIX_CHARACTERS), True),
        (ImageFilter(prompt="-" * SUFFIX_CHARACTERS + "-"), False),
        (ImageFilter(prompt="- >"), False),
        (ImageFilter(prompt="- a"), True),
        (ImageFilter(filename="a" * TERM_CHARACTERS), True),
        (ImageFilter(filename="a" * TERM_CHARACTERS + "a"), False),
    ],
)
def test_filter_is_exact_where_the_index_decides(sought: ImageFilter, *, is_exact: bool) -> None:
    """Images are read and compared only where the index cannot tell."""
    assert sought.is_exact is is_exact


def test_ranges_are_as_few_as_words() -> None:
    """Each range costs a look-up a row, so that the same one is looked up once."""
    sought = ImageFilter(prompt="fox FOX ﬁ fi " + "a" * 41 + " " + "a" * 42, filename="Fox")

    assert len(sought.ranges) == 4


def test_normalise_keeps_accents_and_nothing_else() -> None:
    assert normalise("ＣＡＦÉ ﬁ ß") == "café fi ss"
    assert unicodedata.is_normalized("NFKC", normalise("İ\u0301"))


@pytest.mark.parametrize(
    "hostile",
    ["a" + "\u0344" * 16_000 + "\u0316" * 15_999, "か" + "\u0f73\u0301\uff9e\u0316" * 8_000],
    ids=["in two halves", "mixed"],
)
def test_normalise_of_marks_takes_no_longer_than_of_words(hostile: str) -> None:
    """The time grows with the length, not its square: the interpreter is locked meanwhile."""
    plain = "e\u0301" * (len(hostile) // 2)

    hostile_seconds, plain_seconds = (
        min(timeit.repeat(partial(normalise, text), number=1, repeat=3))
        for text in (hostile, plain)
    )

    assert hostile_seconds < 100 * plain_seconds


@pytest.mark.timeout(600)
def test_normalise_cuts_a_run_of_any_marks() -> None:
    """Every code point that begins with a mark once decomposed counts, and no other."""
    points = list(map(chr, range(sys.maxunicode + 1)))
    parts = (points[at : at + 64] for at in range(0, len(points), 64))

    cut = {point for part in parts if not _stay(part) for point in part if _is_cut(point)}

    assert cut == {
        point for point in points if unicodedata.combining(unicodedata.normalize("NFKD", point)[0])
    }


def test_normalise_keeps_as_many_marks_as_a_stream_has() -> None:
    kept = "q" + "\u0323" * MAX_NON_STARTERS

    assert normalise(kept) == kept
    assert normalise(kept + "\u0301 a\u0301") == kept + " á"


def _stay(points: list[str]) -> bool:
    """Tell of many code points at once whether long runs of them stay as they are."""
    text = "\n".join(point * (MAX_NON_STARTERS + 1) for point in points)
    return normalise(text) == text


def _is_cut(point: str) -> bool:
    """Tell whether a longer run of a code point is compared like a shorter one."""
    run = point * (MAX_NON_STARTERS + 1)
    return normalise(run) == normalise(run[1:])


def _parts(text: str) -> st.SearchStrategy[str]:
    """Draw a part of a text."""
    edges = st.integers(0, len(text))
    return st.tuples(edges, edges).map(lambda ends: text[min(ends) : max(ends)])


def _is_indexed(sought: ImageFilter, prompt: str, filename: str) -> bool:
    terms = index_terms(prompt, filename)
    return all(any(each.low <= term < each.high for term in terms) for each in sought.ranges)
