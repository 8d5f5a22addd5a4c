"""How many rows the server looks at for a page: no more of a long list than of a short one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from pixy_grpc.core.ports import PageQuery, Position
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import Session, time_text
from pixy_grpc.data.init import migrate
from pixy_grpc.data.listing import Listing, ListingLimits
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from tests.integration.data.examples import EVERYTHING, NOON, PAGE_BYTES, soon
from tests.support.mariadb import fresh_database, shared_server_url

ROWS = 20_000
"""Enough for a plan that looks at all of them to stand out."""

LIMIT = 50

FILL = f"""
    INSERT INTO images (guid, filename, prompt, created_at)
    SELECT UUID(), 'a-fox.png', 'fox', :at FROM seq_1_to_{ROWS}
"""  # noqa: S608 - a number of ours

INDEX = "INSERT INTO image_terms (term, image_id) SELECT :term, id FROM images"


@pytest.fixture(scope="module")
def filled() -> Iterator[MySQLDatabase]:
    """Hold a list whose images were all made in one second, but for one before and after."""
    with (
        fresh_database(shared_server_url()) as url,
        closing(MySQLDatabase(parse_url(url))) as database,
    ):
        migrate(database, soon())
        with database.write(soon()) as session:
            for at in (NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)):
                fill = FILL if at == NOON else FILL.replace(f"seq_1_to_{ROWS}", "seq_1_to_1")
                session.execute(fill, {"at": time_text(at)})
            for term in (b"pfox", b"fa-fox.png"):
                session.execute(INDEX, {"term": term})
            for number, term in enumerate((b"peven", b"podd")):
                session.execute(f"{INDEX} WHERE id % 2 = :number", {"term": term, "number": number})
        with database.write(soon()) as session:
            session.query("ANALYZE TABLE images, image_terms", {})
        yield database


@pytest.mark.parametrize("deep", [1, ROWS // 2, ROWS - LIMIT])
@pytest.mark.parametrize(
    "sought",
    [
        EVERYTHING,
        ImageFilter(created_after=NOON - timedelta(days=2), created_before=NOON + timedelta(1)),
        ImageFilter(created_after=datetime(2000, 1, 1, tzinfo=UTC)),
    ],
    ids=["all", "window", "since"],
)
def test_page_is_read_from_its_place_in_the_index(
    filled: MySQLDatabase, sought: ImageFilter, deep: int
) -> None:
    """However deep, and however many images one second has."""
    with filled.read(soon()) as session:
        place = _place(session, deep)
        before = _rows_read(session)
        page = _list(session, filled, sought, place)
        read = _rows_read(session) - before

    assert len(page) == LIMIT
    assert read < 8 * LIMIT


@pytest.mark.parametrize("deep", [1, ROWS // 2])
@pytest.mark.parametrize(
    "sought",
    [ImageFilter("fox"), ImageFilter(filename="a-f"), ImageFilter("fo", "a", NOON - timedelta(1))],
    ids=["word", "filename", "together"],
)
def test_search_for_what_is_common_looks_at_few_rows(
    filled: MySQLDatabase, sought: ImageFilter, deep: int
) -> None:
    with filled.read(soon()) as session:
        place = _place(session, deep)
        before = _rows_read(session)
        page = _list(session, filled, sought, place)
        read = _rows_read(session) - before

    assert len(page) == LIMIT
    assert read < 30 * LIMIT


def test_search_for_nothing_ends_at_once(filled: MySQLDatabase) -> None:
    with filled.read(soon()) as session:
        before = _rows_read(session)
        page = _list(session, filled, ImageFilter("hen"), None)
        read = _rows_read(session) - before

    assert page == []
    assert read < 30 * LIMIT


def test_search_for_what_seldom_meets_looks_at_a_bounded_number_of_rows(
    filled: MySQLDatabase,
) -> None:
    """A page is empty then, and goes on where it has come to."""
    limits = ListingLimits(rows_a_call=1_000, rare_images=100)
    query = PageQuery(ImageFilter("even odd"), None, LIMIT, PAGE_BYTES)
    with filled.read(soon()) as session:
        before = _rows_read(session)
        page = Listing(session, filled.dialect, query, limits, soon()).page()
        read = _rows_read(session) - before

    assert (page.images, page.next is None) == ([], False)
    assert read < 12 * limits.rows_a_call


def _place(session: Session, deep: int) -> Position:
    (row,) = session.query(
        "SELECT id FROM images ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET :deep",
        {"deep": deep},
    )
    return Position(NOON, row["id"])


def _list(
    session: Session, database: MySQLDatabase, sought: ImageFilter, after: Position | None
) -> list[str]:
    query = PageQuery(sought, after, LIMIT, PAGE_BYTES)
    page = Listing(session, database.dialect, query, ListingLimits(), soon()).page()
    return [stored.image.guid for stored in page.images]


def _rows_read(session: Session) -> int:
    """Count what this session has read so far, from tables, indexes and sorted results."""
    counters = session.query("SHOW SESSION STATUS LIKE 'Handler_read%'", {})
    return sum(int(counter["Value"]) for counter in counters)
