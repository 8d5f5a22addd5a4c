"""What a creation took, as its row has it: whoever does the books reads it there."""

from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.core.creations import PaidImage, Usage
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import new_creation, soon
from tests.integration.data.implementations import new_sqlite_file

BOOKED = "SELECT provider_request_id, input_tokens, output_tokens, latency_ms FROM creations"


def booked(folder: Path, *usages: Usage | None) -> list[object]:
    """Return what a row has once each of these was noted with the image."""
    with closing(SqliteDatabase(new_sqlite_file(folder))) as database:
        creations = SqlCreationRepository(database)
        mine = creations.claim(new_creation(), soon())
        for usage in usages:
            creations.note_kept(PaidImage(mine.fence, mine.guid, "key", "m", usage), soon())
        with database.read(soon()) as session:
            (row,) = session.query(BOOKED, {})
    return list(row.values())


def test_usage_is_in_the_row(tmp_path: Path) -> None:
    assert booked(tmp_path, Usage("req-1", 12, 2**63 - 1, 5.25)) == ["req-1", 12, 2**63 - 1, 5_250]


def test_usage_that_nobody_knows_is_null(tmp_path: Path) -> None:
    assert booked(tmp_path, None) == [None] * 4
    (tmp_path / "other").mkdir()
    assert booked(tmp_path / "other", Usage()) == [None] * 4


def test_usage_stays_where_the_image_is_adopted(tmp_path: Path) -> None:
    """Who completes a creation from its bytes does not know what they took."""
    assert booked(tmp_path, Usage("req-1", 12, 34, 5.25), None) == ["req-1", 12, 34, 5_250]


@pytest.mark.parametrize("tokens", [10**30, -1, 2**63])
def test_count_that_does_not_fit_is_null(tmp_path: Path, tokens: int) -> None:
    usage = Usage("r" * 300, tokens, 34, float("inf"))

    assert booked(tmp_path, usage) == ["r" * 255, None, 34, None]
