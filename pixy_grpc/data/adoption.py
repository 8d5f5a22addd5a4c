"""Takes over the images of an earlier PixyProxy, which knew only the table `images`.

There a file lay in the folder under its row's filename, or under its guid with some
extension. Adoption pins the file to the row, once: from then on the filename is a label
like any other, and changing it neither loses the file nor borrows another's.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.search import index_terms
from pixy_grpc.data.database import Database, Row, Session
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.init import lease
from pixy_grpc.data.older_files import OlderFiles
from pixy_grpc.data.repository import insert_contents, replace_terms

ROWS_A_BATCH = 200
"""Rows adopted in one transaction: a crash repeats no more than these."""

BATCH_SECONDS = 30.0
"""Cap on one batch."""

REPORTED_ROWS = 20
"""Rows that no guid finds which are named in the log; the others are counted."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_log = logging.getLogger(__name__)


@dataclass
class AdoptionReport:
    """What was taken over: rows, those with a file, and ids of those that no guid finds."""

    images: int = 0
    files: int = 0
    not_uuid: list[int] = field(default_factory=list)


def adopt(database: Database, store: FolderStore, deadline: Deadline) -> AdoptionReport:
    """Take over the rows that were there before this version's tables, where it is due.

    One server does it, under the lease of the migration, and goes on where a crash left
    off; the deadline is for waiting for that lease.
    """
    report = AdoptionReport()
    if _due(database):
        with lease(database, deadline) as renew:
            _adopt_all(database, OlderFiles(store), renew, report)
        _log_report(report)
    return report


def _adopt_all(
    database: Database, files: OlderFiles, renew: Callable[[], None], report: AdoptionReport
) -> None:
    while rows := _due(database):
        renew()
        with database.write(Deadline.after(BATCH_SECONDS)) as session:
            for row in rows:
                _adopt(session, row, files, report)
            session.execute(
                "UPDATE adoption SET next_image = :next_image", {"next_image": rows[-1]["id"] + 1}
            )


def _due(database: Database) -> list[Row]:
    with database.read(Deadline.after(BATCH_SECONDS)) as session:
        return session.query(
            "SELECT i.id, i.guid, i.filename, i.prompt FROM images i JOIN adoption a"
            " ON i.id >= a.next_image AND i.id <= a.last_image ORDER BY i.id LIMIT :rows",
            {"rows": ROWS_A_BATCH},
        )


def _adopt(session: Session, row: Row, files: OlderFiles, report: AdoptionReport) -> None:
    report.images += 1
    if not _UUID.fullmatch(row["guid"]):
        report.not_uuid.append(row["id"])
    replace_terms(session, row["id"], index_terms(row["prompt"], row["filename"]))
    contents = files.find(row["guid"], row["filename"])
    if contents:
        report.files += 1
        insert_contents(session, row["id"], contents)


def _log_report(report: AdoptionReport) -> None:
    _log.info("adopted older images=%d files=%d", report.images, report.files)
    if report.not_uuid:
        _log.warning(
            "no call finds images=%d whose guid is no UUID, rows=%s",
            len(report.not_uuid),
            report.not_uuid[:REPORTED_ROWS],
        )
