"""Takes over the images of an earlier PixyProxy, which knew only the table `images`.

There a file lay in the folder under its row's filename, or under its guid with some
extension. Adoption pins the file to the row, once: from then on the filename is a label
like any other, and changing it neither loses the file nor borrows another's.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.search import index_terms
from pixy_grpc.data.database import Database, Row
from pixy_grpc.data.init import SchemaError, lease
from pixy_grpc.data.older_files import NoOlderFiles, OlderFiles, older_files
from pixy_grpc.data.repository import insert_contents, replace_terms

ROWS_A_BATCH = 200
"""Rows adopted in one transaction: a crash repeats no more than these."""

BYTES_A_BATCH = 256 * 1024
"""Text adopted in one transaction, of one row at least: each character of a script
without spaces is a term, and what takes longer than BATCH_SECONDS never ends."""

BATCH_SECONDS = 10.0
"""Cap on one batch: no database lends a session for longer."""

REPORTED = 20
"""Rows that no guid finds and unreadable files named in the log; the others are counted."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_log = logging.getLogger(__name__)


@dataclass
class AdoptionReport:
    """What was taken over: rows, those with a file, and ids of those that no guid finds.

    `unreadable` names the files that could not be looked into.
    """

    images: int = 0
    files: int = 0
    not_uuid: list[int] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Adoption:
    """What is to be written for one row."""

    image_id: int
    terms: frozenset[bytes]
    contents: ImageContents | None


def adopt(database: Database, store: object, deadline: Deadline) -> AdoptionReport:
    """Take over the rows that were there before this version's tables, where it is due.

    One server does it, under the lease of the migration, and goes on where a crash left
    off; the deadline is for waiting for that lease. Without a folder there are no files to
    pin; the rows are found all the same.
    """
    report = AdoptionReport()
    if _due(database):
        with lease(database, deadline) as renew:
            _adopt_all(database, older_files(store), renew, report)
        _log_report(report)
    return report


def require_adopted(database: Database) -> None:
    """Raise SchemaError where older images wait to be taken over by a server that starts."""
    if _due(database):
        raise SchemaError(
            "Older images are still to be taken over: serve from the database, or run"
            " `pixy-grpc migrate`, first."
        )


def _adopt_all(
    database: Database,
    files: OlderFiles | NoOlderFiles,
    renew: Callable[[], None],
    report: AdoptionReport,
) -> None:
    report.unreadable = files.unreadable
    while rows := _due(database):
        for batch in _batches(rows):
            renew()
            adoptions = [_adoption(row, files) for row in batch]
            _write(database, adoptions)
            _count(batch, adoptions, report)


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield rows in their order, of a few bytes of prompt at a time."""
    batch: list[Row] = []
    room = BYTES_A_BATCH
    for row in rows:
        size = len(row["prompt"].encode())
        if batch and size > room:
            yield batch
            batch, room = [], BYTES_A_BATCH
        batch.append(row)
        room -= size
    yield batch


def _due(database: Database) -> list[Row]:
    with database.read(Deadline.after(BATCH_SECONDS)) as session:
        return session.query(
            "SELECT i.id, i.guid, i.filename, i.prompt FROM images i JOIN adoption a"
            " ON i.id >= a.next_image AND i.id <= a.last_image ORDER BY i.id LIMIT :rows",
            {"rows": ROWS_A_BATCH},
        )


def _adoption(row: Row, files: OlderFiles | NoOlderFiles) -> _Adoption:
    """Return what is to be written, made before the transaction that others wait for."""
    terms = index_terms(row["prompt"], row["filename"])
    return _Adoption(row["id"], terms, files.find(row["guid"], row["filename"]))


def _write(database: Database, adoptions: Sequence[_Adoption]) -> None:
    with database.write(Deadline.after(BATCH_SECONDS)) as session:
        for each in adoptions:
            replace_terms(session, each.image_id, each.terms)
            if each.contents:
                insert_contents(session, each.image_id, each.contents)
        session.execute(
            "UPDATE adoption SET next_image = :next_image",
            {"next_image": adoptions[-1].image_id + 1},
        )


def _count(rows: Sequence[Row], adoptions: Sequence[_Adoption], report: AdoptionReport) -> None:
    report.images += len(rows)
    report.files += sum(each.contents is not None for each in adoptions)
    report.not_uuid += [row["id"] for row in rows if not _UUID.fullmatch(row["guid"])]


def _log_report(report: AdoptionReport) -> None:
    _log.info("adopted older images=%d files=%d", report.images, report.files)
    if report.not_uuid:
        _log.warning(
            "no call finds images=%d whose guid is no UUID, rows=%s",
            len(report.not_uuid),
            report.not_uuid[:REPORTED],
        )
    if report.unreadable:
        _log.warning(
            "cannot read files=%d in the folder of images, names=%s",
            len(report.unreadable),
            report.unreadable[:REPORTED],
        )
