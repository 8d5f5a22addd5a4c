"""Connections are cut, servers restart: the bytes arrive whole, and none is asked for twice."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pixy_client import Client, Download
from tests.e2e.client.recording import Asked, recording_server
from tests.e2e.rooms.large import MEBIBYTE, add_image
from tests.support.proxy import CuttingProxy, cutting_proxy
from tests.support.server import TOKENS, RunningServer, running_server

MESSAGES = 32
"""Of 1 MiB each, as the server sends them."""

TENTH_MESSAGE = 10 * MEBIBYTE + MEBIBYTE // 2
"""Ten messages have passed, and half of the next one: that one is cut."""


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[RunningServer, Asked]]:
    """Serve, and remember what is asked for."""
    with recording_server(tmp_path) as running:
        yield running


def _client_of(proxy: CuttingProxy) -> Client:
    return Client(proxy.target, token=TOKENS["alice"])


def test_download_cut_at_every_tenth_message_asks_for_no_byte_twice(
    recorded: tuple[RunningServer, Asked], tmp_path: Path
) -> None:
    """Each call begins behind the last whole message; only the cut one is sent again."""
    server, asked = recorded
    guid, data = add_image(server.folder, MESSAGES)
    told: list[int] = []
    with (
        cutting_proxy(server.target, TENTH_MESSAGE) as proxy,
        _client_of(proxy) as client,
    ):
        download = client.download(
            guid, tmp_path / "large.png", progress=lambda done, _: told.append(done)
        )

    assert download.verified
    assert download.path.read_bytes() == data
    assert [offsets[0] // MEBIBYTE for offsets in asked] == [0, 10, 20, 30]
    assert told == [MEBIBYTE * count for count in range(1, MESSAGES + 1)]


def test_file_cut_at_every_tenth_message_is_read_whole(
    recorded: tuple[RunningServer, Asked], tmp_path: Path
) -> None:
    """A reader of the file does not notice."""
    server, asked = recorded
    guid, data = add_image(server.folder, MESSAGES)
    copy = tmp_path / "copy.png"
    with (
        cutting_proxy(server.target, TENTH_MESSAGE) as proxy,
        _client_of(proxy) as client,
        client.open(guid) as file,
        copy.open("wb") as sink,
    ):
        shutil.copyfileobj(file, sink)
        verified = file.verified

    assert verified
    assert copy.read_bytes() == data
    assert [offsets[0] // MEBIBYTE for offsets in asked] == [0, 10, 20, 30]


def test_download_goes_on_after_a_restart_of_the_server(tmp_path: Path) -> None:
    """The server is gone, and another one comes back behind the same address."""
    with ExitStack() as closing:
        first = ExitStack()
        server = first.enter_context(running_server(tmp_path))
        guid, data = add_image(tmp_path, 8)
        proxy = closing.enter_context(cutting_proxy(server.target))
        client = closing.enter_context(_client_of(proxy))

        def restart(done: int, _total: int) -> None:
            if done == MEBIBYTE:
                proxy.cut()
                first.close()
                proxy.upstream = closing.enter_context(running_server(tmp_path)).target

        download: Download = client.download(guid, tmp_path / "large.png", progress=restart)

    assert download.verified
    assert download.path.read_bytes() == data
    assert proxy.connections == 2
