"""Fills one page of the list with bounded work, however common or rare what it seeks is.

A search looks through the newest rows first: what is common is found there at once.
Where that does not fill the page it asks the index of terms whether one of the terms is
rare: then its few images are all there is to look at. Where every term is common it
goes on through the rows, for a budget, and returns a short page with a position.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import Page, PageQuery, Position, StoredImage
from pixy_grpc.core.search import TermRange
from pixy_grpc.data.database import EPOCH, Dialect, Row, Session, late, time_text
from pixy_grpc.data.rows import STORED_COLUMNS, position, stored_image

FIRST_LOOK_FACTOR = 4
"""Rows looked through first, by image wanted: a term in one row of four fills the page."""

RARE_IMAGES = 1_000
"""Images up to which a term is rare: so many keys are read and sorted in a millisecond
or two, and a term in more rows than this is met often enough by going through them."""

ROWS_A_CALL = 20_000
"""Rows one call goes through where every term is common: a tenth of a second or so."""

ROWS_A_QUERY = 64
"""Rows whose texts are fetched at once: 4 MiB at most, at 64 KiB of prompt."""

COMPARED_BYTES = 512 * 1024
"""Text that one call compares where the index cannot tell: a second, at worst, of
normalising what grows most in it."""

CANDIDATES = 1_000
"""Keys fetched at once where most of them may turn out not to match."""

TERMS_AN_IMAGE = 4
"""Index rows counted by rare image: one image may have many terms in a range."""

FIXED_BYTES = 256
"""What the fields of one image's details take beside its texts, with all their tags."""

LATEST = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
"""The last moment that a MySQL TIMESTAMP holds."""

EARLIEST = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
"""The first one."""

_BEFORE_ZERO = "i.created_at < :earliest AND i.id < :after_row"
_UNTIL_ZERO = "(i.created_at >= :earliest OR i.id >= :end_row)"
_ORDER = "ORDER BY i.created_at DESC, i.id DESC"


@dataclass(frozen=True)
class ListingLimits:
    """What one call may cost; a test makes them small, to come to each with few rows."""

    first_look_factor: int = FIRST_LOOK_FACTOR
    rare_images: int = RARE_IMAGES
    rows_a_call: int = ROWS_A_CALL
    rows_a_query: int = ROWS_A_QUERY
    compared_bytes: int = COMPARED_BYTES
    candidates: int = CANDIDATES


@dataclass(frozen=True)
class _Batch:
    """Keys that meet the ranges, and how far the list was looked through to find them.

    `end` is None at the end of the list.
    """

    keys: Sequence[Position]
    end: Position | None


class Listing:
    """One page in the making. See ImageRepository.list_page."""

    def __init__(
        self,
        session: Session,
        dialect: Dialect,
        query: PageQuery,
        limits: ListingLimits,
        deadline: Deadline,
    ) -> None:
        self._session = session
        self._dialect = dialect
        self._query = query
        self._limits = limits
        self._deadline = deadline
        self._compared_bytes = 0
        self._wanted = query.limit if query.filter.is_exact else max(query.limit, limits.candidates)

    def page(self) -> Page:
        """Return the page."""
        images: list[StoredImage] = []
        reached = self._query.after
        room = self._query.max_bytes
        for batch in self._batches():
            for key, stored in self._stored(batch.keys):
                if self._compared_bytes >= self._limits.compared_bytes:
                    return Page(images, reached)
                if self._confirmed(stored):
                    room -= _details_bytes(stored)
                    if images and (room < 0 or len(images) == self._query.limit):
                        return Page(images, reached)
                    images.append(stored)
                reached = key
            reached = batch.end
            if reached is None or len(images) == self._query.limit:
                break
        return Page(images, reached)

    def _batches(self) -> Iterator[_Batch]:
        """Yield batches until the end of the list or of the budget."""
        sought = self._query.filter
        if sought.created_after and sought.created_after > LATEST:
            yield _Batch((), None)
        elif sought.ranges:
            yield from self._search()
        else:
            yield from self._among("1 = 1", {}, self._query.after)

    def _search(self) -> Iterator[_Batch]:
        """Look through the newest rows, then ask the index, then look on."""
        rows = max(self._query.limit * self._limits.first_look_factor, self._limits.rows_a_query)
        end = yield from self._walk(self._query.after, rows)
        rare = self._rarest() if end else None
        if end and rare:
            names, ids = _list_parameters(self._images(rare))
            yield from self._among(f"i.id IN ({names})", ids, end)
            return
        walked = rows
        while end and walked < self._limits.rows_a_call:
            rows = min(rows * 2, self._limits.rows_a_call - walked)
            end = yield from self._walk(end, rows)
            walked += rows

    def _among(
        self, condition: str, values: Row, after: Position | None, last: Position | None = None
    ) -> Iterator[_Batch]:
        """Yield all up to the last that meets a condition and every range, a page at a time."""
        while True:
            bounds, parameters = self._bounds(after)
            found = self._matching(f"{bounds} AND {condition}", {**parameters, **values})
            batch = _Batch(*_cut(found, last, self._wanted))
            yield batch
            if batch.end == last:
                return
            after = batch.end

    def _walk(self, after: Position | None, rows: int) -> Generator[_Batch, None, Position | None]:
        """Look through that many rows of the list for what meets every range.

        Return where they end, None at the end of the list.
        """
        bounds, parameters = self._bounds(after)
        found = self._session.query(
            f"SELECT i.created_at, i.id FROM images i WHERE {bounds} {_ORDER}"  # noqa: S608
            " LIMIT 1 OFFSET :skipped",
            {**parameters, "skipped": rows - 1},
        )
        if not found:
            yield from self._among("1 = 1", {}, after)
            return None
        end = position(found[0])
        until, values = self._until(end)
        yield from self._among(until, values, after, end)
        return end

    def _matching(self, bounds: str, parameters: Row) -> list[Position]:
        """Return the first keys in bounds that meet every range: one more than wanted."""
        conditions, ranges = _conditions(self._query.filter.ranges)
        found = self._session.query(
            f"SELECT i.created_at, i.id FROM images i"  # noqa: S608
            f" WHERE {bounds} AND {conditions} {_ORDER} LIMIT :wanted",
            {**parameters, **ranges, "wanted": self._wanted + 1},
        )
        return [position(row) for row in found]

    def _rarest(self) -> TermRange | None:
        """Return the range with the fewest images, None where all are common."""
        counts = {sought: self._count(sought) for sought in self._query.filter.ranges}
        rarest = min(counts, key=lambda sought: counts[sought])
        return rarest if counts[rarest] <= self._limits.rare_images else None

    def _count(self, sought: TermRange) -> int:
        """Return how many images have a term in the range, where they are rare.

        One more than is rare where there are more, or more terms than rare images have.
        """
        rare = self._limits.rare_images
        counted = self._session.query(
            "SELECT COUNT(*) AS terms, COUNT(DISTINCT few.image_id) AS images"
            " FROM (SELECT t.image_id FROM image_terms t"
            " WHERE t.term >= :low AND t.term < :high LIMIT :most) few",
            {"low": sought.low, "high": sought.high, "most": rare * TERMS_AN_IMAGE + 1},
        )
        is_whole = counted[0]["terms"] <= rare * TERMS_AN_IMAGE
        return int(counted[0]["images"]) if is_whole else rare + 1

    def _images(self, rare: TermRange) -> list[int]:
        """Return the images under a rare range, those added since it was counted too."""
        found = self._session.query(
            "SELECT DISTINCT t.image_id FROM image_terms t"
            " WHERE t.term >= :low AND t.term < :high LIMIT :most",
            {"low": rare.low, "high": rare.high, "most": self._limits.rare_images * 2},
        )
        return [row["image_id"] for row in found]

    def _bounds(self, after: Position | None) -> tuple[str, Row]:
        """Return the condition for the rows behind a position and in the time range."""
        conditions, parameters = ["1 = 1"], Row()
        if after:
            condition, parameters = self._before(after)
            conditions.append(condition)
        sought = self._query.filter
        if sought.created_after:
            conditions.append("i.created_at >= :since")
            parameters["since"] = time_text(max(sought.created_after, EARLIEST))
        if sought.created_before and sought.created_before <= LATEST:
            conditions.append("i.created_at < :until")
            parameters["until"] = time_text(max(sought.created_before, EARLIEST))
        return " AND ".join(conditions), parameters

    def _before(self, after: Position) -> tuple[str, Row]:
        """Return the condition for the rows behind a position.

        Those of the zero date are last; a server may refuse it as a value to compare with.
        """
        if after.created_at == EPOCH:
            earliest = time_text(EARLIEST)
            return _BEFORE_ZERO, {"earliest": earliest, "after_row": after.row}
        values = {"after_time": time_text(after.created_at), "after_row": after.row}
        return self._dialect.before, values

    def _until(self, end: Position) -> tuple[str, Row]:
        """Return the condition for the rows that are not behind a position."""
        if end.created_at == EPOCH:
            return _UNTIL_ZERO, {"earliest": time_text(EARLIEST), "end_row": end.row}
        values = {"end_time": time_text(end.created_at), "end_row": end.row}
        return self._dialect.until, values

    def _stored(self, keys: Sequence[Position]) -> Iterator[tuple[Position, StoredImage]]:
        """Yield the images of keys, in their order; raise what a database raises when late."""
        for at in range(0, len(keys), self._limits.rows_a_query):
            some = keys[at : at + self._limits.rows_a_query]
            names, parameters = _list_parameters([key.row for key in some])
            rows = self._session.query(
                f"SELECT {STORED_COLUMNS} FROM images i"  # noqa: S608
                " LEFT JOIN image_contents c ON c.image_id = i.id"
                f" WHERE i.id IN ({names})",
                parameters,
            )
            images = {row["id"]: stored_image(row) for row in rows}
            for key in some:
                if not self._deadline.remaining():
                    raise late(self._deadline)
                if stored := images.get(key.row):
                    yield key, stored

    def _confirmed(self, stored: StoredImage) -> bool:
        """Tell whether an image is meant, by its texts where the index cannot tell."""
        sought, image = self._query.filter, stored.image
        if sought.is_exact:
            return True
        self._compared_bytes += len(image.prompt.encode()) + len(image.filename.encode())
        return sought.matches(image.prompt, image.filename)


def _cut(
    found: list[Position], end: Position | None, limit: int
) -> tuple[list[Position], Position | None]:
    """Return keys and how far they reach: to the last of them where there may be more."""
    return (found, found[-1]) if len(found) > limit else (found, end)


def _conditions(ranges: Sequence[TermRange]) -> tuple[str, Row]:
    """Return a condition that every range has a term of the image.

    A scalar subquery, as an EXISTS is turned into a join that may begin with every
    image that has a common term.
    """
    conditions, parameters = ["1 = 1"], Row()
    for number, sought in enumerate(ranges):
        conditions.append(
            "(SELECT 1 FROM image_terms t WHERE t.image_id = i.id"  # noqa: S608
            f" AND t.term >= :low{number} AND t.term < :high{number} LIMIT 1) = 1"
        )
        parameters[f"low{number}"] = sought.low
        parameters[f"high{number}"] = sought.high
    return " AND ".join(conditions), parameters


def _list_parameters(values: Sequence[int]) -> tuple[str, Row]:
    """Return the names and values of parameters for an IN list; never empty."""
    parameters: Row = {f"value{number}": value for number, value in enumerate(values)}
    return ", ".join(f":{name}" for name in parameters) or "NULL", parameters


def _details_bytes(stored: StoredImage) -> int:
    """Return the bytes an image takes in a page, encoded, or a little more."""
    image = stored.image
    texts = (image.prompt, image.filename, image.generator, image.model)
    return FIXED_BYTES + sum(len(text.encode()) for text in texts)
