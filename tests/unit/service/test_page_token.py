"""Page tokens: what was put in comes out, and nothing else is taken for one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.exceptions import InvalidPageTokenError
from pixy_grpc.core.ports import Position
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.service.page_token import decode_page_token, encode_page_token

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

moments = st.integers(0, 2**33).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
positions = st.builds(Position, moments, st.integers(-(2**63), 2**63 - 1))
filters = st.builds(
    ImageFilter,
    prompt=st.text(max_size=50),
    filename=st.text(max_size=50),
    created_after=st.none() | moments,
    created_before=st.none() | moments,
)


@settings(deadline=None)
@given(positions, filters)
def test_decode_of_an_encoded_position_returns_it(position: Position, sought: ImageFilter) -> None:
    """A token takes every position there is to where it came from."""
    token = encode_page_token(position, sought)

    assert decode_page_token(token, sought) == position
    assert token.isascii()
    assert token.replace("-", "").replace("_", "").isalnum()


@settings(deadline=None)
@given(positions, filters, filters)
def test_decode_with_other_filters_is_refused(
    position: Position, first: ImageFilter, second: ImageFilter
) -> None:
    """A token belongs to the filters it was made with, each of them."""
    token = encode_page_token(position, first)

    if first == second:
        assert decode_page_token(token, second) == position
    else:
        with pytest.raises(InvalidPageTokenError):
            decode_page_token(token, second)


@settings(deadline=None)
@given(st.text(min_size=1) | st.binary(min_size=1).map(lambda data: data.hex()))
def test_decode_of_any_text_is_refused(text: str) -> None:
    """Whatever a client makes up ends in the one error for it."""
    with pytest.raises(InvalidPageTokenError) as caught:
        decode_page_token(text, ImageFilter())

    assert [each.field for each in caught.value.violations] == ["page_token"]


def test_filters_do_not_run_into_each_other() -> None:
    """What is the end of one filter is not the beginning of the next."""
    token = encode_page_token(Position(NOON, 1), ImageFilter(prompt="a", filename="b"))

    for other in (ImageFilter(prompt="ab"), ImageFilter(prompt='a", "b'), ImageFilter("b", "a")):
        with pytest.raises(InvalidPageTokenError):
            decode_page_token(token, other)


def test_the_end_of_the_list_is_the_empty_token() -> None:
    """Only the end has no token, and no token means the beginning."""
    assert encode_page_token(None, ImageFilter()) == ""
    assert decode_page_token("", ImageFilter()) is None
