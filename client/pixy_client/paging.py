"""Follows a list from page to page, as far as a server that misbehaves lets it."""

from collections.abc import Callable, Iterator

from pixy_client.errors import UnreadableAnswerError
from pixy_client.results import ImagePage
from pixy_grpc.core.models import Image

MAX_EMPTY_PAGES = 1_000
"""Empty pages in a row after which a list counts as endless."""


def follow(fetch: Callable[[str], ImagePage]) -> Iterator[Image]:
    """Yield the images of every page; `fetch` gets the page that a token names.

    Raises UnreadableAnswerError where a token comes again, or only empty pages come.
    """
    token = ""
    seen: set[int] = set()
    empty_pages = 0
    while True:
        page = fetch(token)
        yield from page.images
        token = page.next_page_token
        if not token:
            return
        empty_pages = 0 if page.images else empty_pages + 1
        if hash(token) in seen:
            raise UnreadableAnswerError("The list does not go on: a page repeats.")
        if empty_pages >= MAX_EMPTY_PAGES:
            raise UnreadableAnswerError(f"The list does not go on: {empty_pages:,} empty pages.")
        seen.add(hash(token))
