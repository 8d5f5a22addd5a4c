"""Rows of an older MySQL, which kept the zero date for a time that did not parse."""

from contextlib import closing

import pytest

from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.database import EPOCH
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import add, listed, soon
from tests.support.mariadb import connect

TINY = ListingLimits(first_look_factor=1, rare_images=0, rows_a_call=4, rows_a_query=1)


def _add_undated(url: str, repository: SqlImageRepository, count: int) -> list[str]:
    guids = [add(repository).image.guid for _ in range(count)]
    with closing(connect(url, parse_url(url).database)) as connection:
        connection.query("SET sql_mode = ''")
        connection.query("UPDATE images SET created_at = 0, updated_at = 0")
    return guids


def test_zero_date_is_shown_as_the_epoch(url: str, repository: SqlImageRepository) -> None:
    (guid,) = _add_undated(url, repository, 1)

    image = repository.get(guid, soon()).image

    assert (image.created_at, image.updated_at) == (EPOCH, EPOCH)


@pytest.mark.parametrize("sought", [ImageFilter(), ImageFilter("fox"), ImageFilter("- >")], ids=str)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_undated_images_are_listed_last_and_once(
    url: str, database: MySQLDatabase, sought: ImageFilter, limit: int
) -> None:
    """A page may end among them, or before them, or look through some of them."""
    repository = SqlImageRepository(database, TINY)
    undated = _add_undated(url, repository, 5)
    dated = [add(repository).image.guid for _ in range(3)]

    found = listed(repository, sought, limit=limit)

    assert found == ([] if sought.prompt == "- >" else [*dated[::-1], *undated[::-1]])
