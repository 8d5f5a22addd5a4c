"""GetImageBytes: whole images and ranges of them, message by message."""

import hashlib
import uuid
from collections.abc import Iterator

import pytest

from pixy_client import Client
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import InvalidOffsetError, RecordNotFoundError
from tests.e2e.rpc.stocking import stock
from tests.e2e.rpc.wire import parts
from tests.support.server import RunningServer

SIZE = 2 * BLOCK_BYTES + 4321
DATA = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(SIZE // 32 + 1))[:SIZE]
EXACT = DATA[: 2 * BLOCK_BYTES]


@pytest.fixture(scope="module")
def stored(server: RunningServer) -> Iterator[dict[str, str]]:
    """Store an image of two blocks and a bit, and one that ends with a block."""
    with stock(server) as add:
        yield {"ragged": add(DATA), "exact": add(EXACT)}


def test_read_whole_is_every_byte_verified(client: Client, stored: dict[str, str]) -> None:
    """The client gets all of it, and knows that it is right."""
    read = client.read(stored["ragged"])

    assert read.data == DATA
    assert read.verified


RANGES = [
    (0, 1),
    (1, 0),
    (SIZE - 1, 0),
    (SIZE - 1, 100),
    (SIZE, 0),
    (SIZE, 100),
    (0, SIZE),
    (0, SIZE + 1),
    (0, 2**63 - 1),
    (BLOCK_BYTES, 1),
    (BLOCK_BYTES - 1, 1),
    (BLOCK_BYTES - 1, 2),
    (BLOCK_BYTES, BLOCK_BYTES),
    (BLOCK_BYTES - 1, BLOCK_BYTES),
    (BLOCK_BYTES + 1, BLOCK_BYTES),
    (BLOCK_BYTES - 1, BLOCK_BYTES + 2),
    (2 * BLOCK_BYTES, 0),
    (2 * BLOCK_BYTES - 1, 2),
    (0, 2 * BLOCK_BYTES),
    (0, 2 * BLOCK_BYTES + 1),
]


@pytest.mark.parametrize(("offset", "limit"), RANGES)
def test_read_range_is_exactly_that_range(
    client: Client, stored: dict[str, str], offset: int, limit: int
) -> None:
    """An offset skips, a limit stops, wherever the blocks begin and end."""
    read = client.read(stored["ragged"], offset, limit)

    assert read.data == (DATA[offset : offset + limit] if limit else DATA[offset:])


@pytest.mark.parametrize(
    ("offset", "limit"), [(0, 0), (2 * BLOCK_BYTES, 0), (2 * BLOCK_BYTES - 1, 5)]
)
def test_read_of_an_image_that_ends_with_a_block_is_right(
    client: Client, stored: dict[str, str], offset: int, limit: int
) -> None:
    """The last block is the last one though it is a full one."""
    read = client.read(stored["exact"], offset, limit)

    assert read.data == (EXACT[offset : offset + limit] if limit else EXACT[offset:])


@pytest.mark.parametrize(
    ("offset", "limit"),
    [(SIZE + 1, 0), (2**63 - 1, 2**63 - 1), (-1, 0), (-(2**63), 0), (0, -1), (SIZE, -1)],
)
def test_read_outside_the_image_is_out_of_range(
    client: Client, stored: dict[str, str], offset: int, limit: int
) -> None:
    """Past the end, below zero and negative limits are all INVALID_OFFSET."""
    with pytest.raises(InvalidOffsetError):
        client.read(stored["ragged"], offset, limit)


def test_first_message_holds_details_alone(server: RunningServer, stored: dict[str, str]) -> None:
    """Details come first and once, without data; data follows without details."""
    first, *rest = parts(server, stored["ragged"])

    assert first.HasField("details")
    assert first.details.guid == stored["ragged"]
    assert first.details.sha256 == hashlib.sha256(DATA).hexdigest()
    assert first.data == b""
    assert not any(part.HasField("details") for part in rest)
    assert b"".join(part.data for part in rest) == DATA


def test_no_message_holds_more_than_a_mebibyte(
    server: RunningServer, stored: dict[str, str]
) -> None:
    """Messages are small enough for every client's default, and none is empty."""
    _, *rest = parts(server, stored["ragged"], 5, SIZE - 10)

    sizes = [len(part.data) for part in rest]
    assert max(sizes) <= BLOCK_BYTES
    assert min(sizes) > 0


def test_read_at_the_end_is_details_and_no_data(
    server: RunningServer, stored: dict[str, str]
) -> None:
    """An empty range is an answer, not an error."""
    messages = list(parts(server, stored["ragged"], SIZE))

    assert [message.HasField("details") for message in messages] == [True]
    assert messages[0].details.size_bytes == SIZE


def test_read_by_a_guid_in_upper_case_finds_the_image(
    client: Client, stored: dict[str, str]
) -> None:
    """A guid is looked up without regard to case."""
    assert client.read(stored["exact"].upper()).image.guid == stored["exact"]


def test_read_of_an_unknown_guid_is_not_found(client: Client) -> None:
    """There is nothing to read, and no message comes before the error says so."""
    with pytest.raises(RecordNotFoundError):
        client.read(str(uuid.uuid4()))
