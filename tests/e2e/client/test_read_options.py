"""What a read may be told: how long, and which rendition."""

from pathlib import Path

import grpc
import pytest

from pixy_client import Client, ClientSettings, ImageException, InvalidSizeError, SettingsError
from tests.e2e.client.details import DATA, GUID, sends_range
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, breaks, refuses

CUT = sends_range(messages=1, then=breaks())


def test_download_timeout_is_that_of_reads_alone(stand_in: StandIn) -> None:
    """Large images take longer than a look-up may."""
    stand_in.script("GetImageBytes", sends_range())
    with Client(stand_in.target, token="t", timeout=1.0, download_timeout=50.0) as client:
        client.read(GUID)
        client.read(GUID, timeout=20.0)

    longer, shorter = (each.seconds_left for each in stand_in.received)
    assert 40.0 < longer < 60.0  # gRPC rounds what it sends
    assert 10.0 < shorter < 30.0


def test_get_takes_the_time_it_is_given(stand_in: StandIn, pixy: Pixy) -> None:
    """The option counts for every call, this one too."""
    stand_in.script("GetImageBytes", sends_range())

    pixy("--timeout", "20", "get", GUID)

    [received] = stand_in.received
    assert received.seconds_left < 30.0


def test_client_with_an_unusable_download_timeout_is_none() -> None:
    """Said when it is made, not when it reads."""
    with pytest.raises(SettingsError):
        ClientSettings("localhost:1", "t", download_timeout_seconds=0.0)


@pytest.mark.parametrize("call", ["read", "stream", "open", "download"])
def test_reads_ask_for_a_rendition(
    stand_in: StandIn, client: Client, tmp_path: Path, call: str
) -> None:
    """A side and a format, in each way to read; a resume keeps them."""
    stand_in.script("GetImageBytes", CUT, sends_range())
    where = {"download": (GUID, tmp_path)}.get(call, (GUID,))

    result = getattr(client, call)(*where, max_side=256, format="webp")
    if call in ("stream", "open"):
        with result:
            assert b"".join(result) == DATA

    asked = [(each.max_side, each.format) for each in stand_in.requests("GetImageBytes")]
    assert asked == [(256, 3), (256, 3)]


def test_read_in_an_unknown_format_asks_for_nothing(stand_in: StandIn, client: Client) -> None:
    """The text names those there are."""
    with pytest.raises(ImageException, match="png, jpeg, webp"):
        client.read(GUID, format="gif")

    assert stand_in.received == []


def test_read_of_no_such_rendition_fails(stand_in: StandIn, client: Client) -> None:
    """Which sides there are is the service's to say."""
    stand_in.script("GetImageBytes", refuses(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_SIZE"))

    with pytest.raises(InvalidSizeError):
        client.read(GUID, max_side=7)


def test_get_asks_for_a_rendition(stand_in: StandIn, pixy: Pixy) -> None:
    """Into a file and to standard output."""
    stand_in.script("GetImageBytes", sends_range())

    results = [
        pixy("get", GUID, "-o", output, "--max-side", "256", "--format", "webp")
        for output in ("fox.webp", "-")
    ]

    assert [result.exit_code for result in results] == [0, 0]
    asked = [(each.max_side, each.format) for each in stand_in.requests("GetImageBytes")]
    assert asked == [(256, 3)] * 2
