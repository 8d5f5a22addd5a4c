"""What one page may cost where the index cannot tell what matches."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError, DeadlineTooShortError, ImageException
from pixy_grpc.core.ports import Page, PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import Database, Parameters, Row, Session, time_text
from pixy_grpc.data.listing import EARLIEST, LATEST, Listing, ListingLimits
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import PAGE_BYTES, add, pages, soon
from tests.integration.data.implementations import new_sqlite_file
from tests.integration.data.interrupted import InterruptedDatabase

WORD = "wor" + "d" * 40
INEXACT = ImageFilter(WORD)
"""The index holds the first 40 characters of a word."""

SECOND = timedelta(seconds=1)

NO_MATCH = WORD[:-1]
"""And has this one for it."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """Return a database with this version's tables."""
    with closing(SqliteDatabase(new_sqlite_file(tmp_path))) as opened:
        yield opened


def _page(
    database: SqliteDatabase,
    sought: ImageFilter,
    limits: ListingLimits,
    *,
    limit: int = 3,
) -> Page:
    query = PageQuery(sought, None, limit, PAGE_BYTES)
    return SqlImageRepository(database, limits).list_page(query, soon())


def test_page_ends_where_its_text_was_compared(database: SqliteDatabase) -> None:
    """It is short, and the next begins behind what was compared, whether it matched or not."""
    repository = SqlImageRepository(database, ListingLimits(compared_bytes=4_500))
    prompts = [f"{WORD if number in (0, 7) else NO_MATCH} {'x' * 960}" for number in range(10)]
    guids = [add(repository, prompt=prompt).image.guid for prompt in prompts]

    found = list(pages(repository, INEXACT, limit=2))

    assert [len(page.images) for page in found] == [1, 1]
    assert found[0].next
    assert [each.image.guid for page in found for each in page.images] == [guids[7], guids[0]]


def test_page_without_a_match_moves_on(database: SqliteDatabase) -> None:
    """A text that is more than the budget is compared all the same, one in a page."""
    repository = SqlImageRepository(database, ListingLimits(compared_bytes=1))
    for number in range(3):
        add(repository, prompt=NO_MATCH if number else WORD)

    found = list(pages(repository, INEXACT))

    assert [len(page.images) for page in found] == [0, 0, 1]


def test_page_of_what_the_index_finds_has_no_such_budget(database: SqliteDatabase) -> None:
    limits = ListingLimits(compared_bytes=1)
    for _ in range(3):
        add(SqlImageRepository(database), prompt=WORD)

    assert len(_page(database, ImageFilter("wor"), limits).images) == 3


def test_page_goes_through_all_its_rows(database: SqliteDatabase) -> None:
    """Candidates that do not match end neither a walk nor the page."""
    repository = SqlImageRepository(database)
    for number in range(40):
        add(repository, prompt=WORD if number < 2 else NO_MATCH)
    limits = ListingLimits(
        first_look_factor=1, rare_images=0, rows_a_query=8, rows_a_call=100, candidates=5
    )

    page = _page(database, INEXACT, limits)

    assert len(page.images) == 2
    assert page.next is None


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_page_that_is_late_compares_no_further(
    database: SqliteDatabase, expected: type[ImageException], *, from_caller: bool
) -> None:
    """Time passes in Python too, where no statement is there to be interrupted."""
    add(SqlImageRepository(database), prompt=WORD)
    query = PageQuery(INEXACT, None, 3, PAGE_BYTES)
    passed = Deadline.after(-1, from_caller=from_caller)

    with database.read(soon()) as session, pytest.raises(expected):
        Listing(session, database.dialect, query, ListingLimits(), passed).page()


class TimedDatabase(InterruptedDatabase):
    """A database that notes how long each read may take."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.seconds: list[float] = []

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Note it, and lend a session."""
        self.seconds.append(deadline.remaining())
        return super().read(deadline)


def test_page_has_a_cap_of_ours(database: SqliteDatabase) -> None:
    """Its wait for a place included: a call without a deadline ends, too."""
    timed = TimedDatabase(database)
    query = PageQuery(INEXACT, None, 3, PAGE_BYTES)

    SqlImageRepository(timed).list_page(query, Deadline.after(600))

    assert max(timed.seconds) <= 10


class CountingSession:
    """A session that notes its queries."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.statements: list[str] = []
        self.values: set[object] = set()

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        """Note the statement and its values, and query."""
        self.statements.append(sql)
        self.values.update(parameters.values())
        return self._session.query(sql, parameters)

    def execute(self, sql: str, parameters: Parameters) -> int:
        """Execute."""
        return self._session.execute(sql, parameters)

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Insert."""
        return self._session.insert(sql, parameters)

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Execute."""
        self._session.execute_many(sql, parameters)


class InterruptedSession(CountingSession):
    """A session behind whose first query something else happens."""

    def __init__(self, session: Session, happens: Callable[[], object]) -> None:
        super().__init__(session)
        self._happens = happens

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        """Query, and let it happen."""
        rows = super().query(sql, parameters)
        if len(self.statements) == 1:
            self._happens()
        return rows


def test_image_deleted_while_a_page_is_made_is_left_out(database: SqliteDatabase) -> None:
    """It was found, and is gone when its details are read: the page goes on."""
    repository = SqlImageRepository(database)
    guids = [add(repository).image.guid for _ in range(3)]
    query = PageQuery(ImageFilter(), None, 3, PAGE_BYTES)

    with database.read(soon()) as session:
        interrupted = InterruptedSession(session, lambda: repository.delete(guids[1], soon()))
        page = Listing(interrupted, database.dialect, query, ListingLimits(), soon()).page()

    assert [each.image.guid for each in page.images] == [guids[2], guids[0]]


@pytest.mark.parametrize(("words", "is_rare"), [(1, True), (3, True), (4, True), (5, False)])
def test_images_of_many_words_are_counted_once(
    database: SqliteDatabase, words: int, *, is_rare: bool
) -> None:
    """A beginning that few images have is rare, though each has it in several words."""
    repository = SqlImageRepository(database)
    for _ in range(3):
        add(repository, prompt=" ".join(f"rare{word}" for word in range(words)))
    for _ in range(30):
        add(repository, prompt="common")
    limits = ListingLimits(first_look_factor=1, rare_images=3, rows_a_query=1, rows_a_call=4)
    query = PageQuery(ImageFilter("rare"), None, 3, PAGE_BYTES)

    with database.read(soon()) as session:
        counting = CountingSession(session)
        page = Listing(counting, database.dialect, query, limits, soon()).page()

    assert any("DISTINCT t.image_id" in sql for sql in counting.statements) is is_rare
    assert len(page.images) == (3 if is_rare else 0)


@pytest.mark.parametrize(
    ("sought", "sent"),
    [
        (ImageFilter(created_after=LATEST), {time_text(LATEST)}),
        (ImageFilter(created_after=LATEST + SECOND), set()),
        (ImageFilter(created_before=LATEST), {time_text(LATEST)}),
        (ImageFilter(created_before=LATEST + SECOND), set()),
        (ImageFilter(created_after=EARLIEST - SECOND), {time_text(EARLIEST)}),
        (ImageFilter(created_before=EARLIEST - SECOND), {time_text(EARLIEST)}),
    ],
)
def test_times_that_no_image_has_are_not_sent(
    database: SqliteDatabase, sought: ImageFilter, sent: set[str]
) -> None:
    """A strict MySQL takes one that its TIMESTAMP does not hold for an error."""
    query = PageQuery(sought, None, 3, PAGE_BYTES)

    with database.read(soon()) as session:
        counting = CountingSession(session)
        Listing(counting, database.dialect, query, ListingLimits(), soon()).page()

    assert {value for value in counting.values if isinstance(value, str)} == sent
    assert bool(counting.statements) is (sought.created_after != LATEST + SECOND)


def test_candidates_are_fetched_together(database: SqliteDatabase) -> None:
    """A small page asks for no more often than a large one, where few candidates match."""
    for _ in range(60):
        add(SqlImageRepository(database), prompt=NO_MATCH)

    with database.read(soon()) as session:
        counting = CountingSession(session)
        query = PageQuery(INEXACT, None, 1, PAGE_BYTES)
        page = Listing(counting, database.dialect, query, ListingLimits(), soon()).page()

    assert page.next is None
    assert len(counting.statements) < 6
