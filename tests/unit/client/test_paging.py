"""A list ends, whatever a server does."""

import itertools
from collections.abc import Iterator

import pytest

from pixy_client import ImagePage, UnreadableAnswerError
from pixy_client.paging import MAX_EMPTY_PAGES, follow
from tests.unit.client.images import image_of


class Pages:
    """Pages by number, counted as they are fetched."""

    def __init__(self, pages: Iterator[ImagePage]) -> None:
        self.fetched = 0
        self._pages = pages

    def __call__(self, _token: str) -> ImagePage:
        """Return the next page, whatever the token."""
        self.fetched += 1
        return next(self._pages)


def _empty(count: int) -> Iterator[ImagePage]:
    return (ImagePage((), f"t{number}") for number in range(count))


def test_follow_of_empty_pages_without_end_gives_up() -> None:
    """A thousand in a row are no list."""
    pages = Pages(_empty(10 * MAX_EMPTY_PAGES))

    with pytest.raises(UnreadableAnswerError, match="1,000 empty pages"):
        list(follow(pages))

    assert pages.fetched == MAX_EMPTY_PAGES


def test_follow_counts_empty_pages_in_a_row_alone() -> None:
    """A sparse list is a list."""
    almost = MAX_EMPTY_PAGES - 1
    pages = Pages(
        itertools.chain(
            _empty(almost),
            [ImagePage((image_of(),), "between")],
            (ImagePage((), f"u{number}") for number in range(almost)),
            [ImagePage((), "")],
        )
    )

    assert len(list(follow(pages))) == 1


def test_follow_of_tokens_in_a_circle_gives_up() -> None:
    """However long the way round is, and whatever the pages hold."""
    circle = itertools.cycle(ImagePage((image_of(),), token) for token in ("a", "b", "c"))
    pages = Pages(circle)

    with pytest.raises(UnreadableAnswerError, match="repeats"):
        list(follow(pages))

    assert pages.fetched == 4
