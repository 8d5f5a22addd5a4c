"""Transactions that meet, each step of them in a known order."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.repository import SqlImageRepository
from tests.integration.data.examples import (
    PAGE_BYTES,
    add,
    creation_key,
    new_creation,
    soon,
)
from tests.integration.data.mysql.faults import call
from tests.support.mariadb import connect

LOOK_SECONDS = 0.12
"""InnoDB shows anew who waits for a row only to who has not looked for 0.1 s."""

CONNECTIONS = 4
LISTS = 8

WAITS_FOR_A_ROW = """
    SELECT 1 FROM information_schema.innodb_trx t
    JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
    WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()
"""
WAITS_FOR_A_TABLE = """
    SELECT 1 FROM information_schema.processlist
    WHERE state LIKE 'Waiting for table%' AND db = DATABASE()
"""


@pytest.fixture
def other(url: str, database: MySQLDatabase) -> Iterator[Connection]:
    """Change the same database over a connection of the test's own."""
    assert database.dialect.name == "mysql"  # its tables are there
    with closing(connect(url, parse_url(url).database)) as connection:
        yield connection


@pytest.fixture
def watcher(url: str) -> Iterator[Connection]:
    """See who waits."""
    with closing(connect(url, parse_url(url).database)) as connection:
        yield connection


def test_delete_takes_what_an_update_writes_before_it(
    repository: SqlImageRepository, other: Connection, watcher: Connection
) -> None:
    """It waits for the update first: no term is left that belongs to no image."""
    image = add(repository).image
    with ThreadPoolExecutor(1) as threads:
        other.begin()
        other.query("SELECT id FROM images FOR UPDATE")
        deleting = threads.submit(repository.delete, image.guid, soon())
        _poll_until(lambda: watcher.query(WAITS_FOR_A_ROW) == 1)
        other.query("INSERT INTO image_terms (term, image_id) SELECT 'late', id FROM images")
        other.commit()
        deleting.result(10)

    assert _fetch(other, "SELECT term FROM image_terms") == ()
    assert _fetch(other, "SELECT store_key FROM image_contents") == ()


def test_renewals_that_meet_do_not_cross(
    database: MySQLDatabase, other: Connection, watcher: Connection
) -> None:
    """They go through the rows in one order, whatever order they were asked in."""
    creations = SqlCreationRepository(database)
    first, last = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "19")
    fences = [
        creations.claim(new_creation(creation_key(request_id=each)), soon()).fence
        for each in (last, first)
    ]
    renew = "UPDATE creations SET lease_until = 2000 WHERE caller = 'alice' AND request_id = '{}'"
    with ThreadPoolExecutor(1) as threads:
        other.begin()
        other.query(renew.format(first))
        renewing = threads.submit(creations.renew, fences, 7_000, soon())
        _poll_until(lambda: watcher.query(WAITS_FOR_A_ROW) == 1)
        other.query(renew.format(last))
        other.commit()
        renewing.result(10)

    assert _fetch(other, "SELECT lease_until FROM creations") == ((7_000,), (7_000,))


def test_lists_that_wait_leave_connections_to_look_ups(
    url: str, other: Connection, watcher: Connection
) -> None:
    """Half of them: whatever holds up searches, other calls are as quick as before."""
    address = replace(parse_url(url), pool_size=CONNECTIONS)
    with closing(MySQLDatabase(address)) as small, ThreadPoolExecutor(LISTS) as threads:
        repository = SqlImageRepository(small)
        guid = add(repository, prompt="a fox").image.guid
        other.query("LOCK TABLES image_terms WRITE")
        query = PageQuery(ImageFilter("fox"), None, 1, PAGE_BYTES)
        lists = [
            threads.submit(call, lambda at: repository.list_page(query, at), _deadline())
            for _ in range(LISTS)
        ]
        _poll_until(lambda: watcher.query(WAITS_FOR_A_TABLE) == CONNECTIONS // 2)
        found = [
            call(lambda deadline: repository.get(guid, deadline), Deadline.after(4))
            for _ in range(50)
        ]
        other.query("UNLOCK TABLES")
        ended = [each.result(10) for each in lists]

    assert {outcome.error for outcome in found} == {None}
    assert {outcome.error for outcome in ended} == {None}


def test_list_waits_for_its_place_by_its_deadline(
    url: str, other: Connection, watcher: Connection
) -> None:
    address = replace(parse_url(url), pool_size=1)
    with closing(MySQLDatabase(address)) as small, ThreadPoolExecutor(1) as threads:
        repository = SqlImageRepository(small)
        other.query("LOCK TABLES image_terms WRITE")
        query = PageQuery(ImageFilter("fox"), None, 1, PAGE_BYTES)
        first = threads.submit(repository.list_page, query, _deadline())
        _poll_until(lambda: watcher.query(WAITS_FOR_A_TABLE) == 1)
        second = call(lambda at: repository.list_page(query, at), Deadline.after(0.2))
        other.query("UNLOCK TABLES")
        first.result(10)

    assert second.error
    assert second.in_time


def _deadline() -> Deadline:
    return Deadline.after(9)


def _fetch(connection: Connection, sql: str) -> tuple[tuple[object, ...], ...]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def _poll_until(condition: Callable[[], bool]) -> None:
    end = Deadline.after(20)
    while not condition():
        assert end.remaining(), "it did not come to pass"
        threading.Event().wait(LOOK_SECONDS)
