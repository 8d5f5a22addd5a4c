"""A read goes on while there is progress, and not for ever without."""

from collections.abc import Generator, Iterable, Iterator
from itertools import chain, repeat

import pytest

from pixy_client import Image, ImageException, UnexpectedStatusError, UnreachableError
from pixy_client.allowance import Allowance
from pixy_client.calls import Reading, StreamCall
from pixy_client.resuming import RESUMES_WITHOUT_PROGRESS, ResumingRead
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.unit.client.images import DATA, GUID, image_of

WHOLE = Reading(GUID)


class CuttingTransport:
    """A transport without a network: each stream brings so many bytes, and is cut.

    Waits are counted, and take no time.
    """

    def __init__(
        self,
        sizes: Iterable[int],
        image: Image | None = None,
        cut: ImageException | None = None,
    ) -> None:
        self.cut = cut or UnreachableError("Cut.")
        self.image = image or image_of()
        self.sizes: Iterator[int] = iter(sizes)
        self.offsets: list[int] = []
        self.waits: list[float] = []

    def stream(
        self,
        call: StreamCall[pb.GetImageBytesRequest, pb.GetImageBytesResponse, Image | bytes],
        _timeout: float,
        *,
        allowed_seconds: float,
    ) -> Generator[Image | bytes, None, None]:
        """Bring the image, nothing, some bytes, and the end."""
        assert allowed_seconds == 600.0
        offset = call.build().read_offset
        self.offsets.append(offset)
        yield self.image
        yield b""
        for at in range(offset, offset + next(self.sizes)):
            yield DATA[at : at + 1]
        raise self.cut

    def closes_within(self, seconds: float) -> bool:
        """Wait no time at all."""
        self.waits.append(seconds)
        return False


def _read(
    transport: CuttingTransport, reading: Reading = WHOLE, allowance: Allowance | None = None
) -> list[Image | bytes]:
    allowance = allowance or Allowance(600.0)
    read = ResumingRead(transport, reading, allowance)  # type: ignore[arg-type]  # acts as one
    return list(read.parts())


def _joined(parts: list[Image | bytes]) -> bytes:
    chunks = [part for part in parts if isinstance(part, bytes)]
    assert len(chunks) == len(parts)
    return b"".join(chunks)


def test_read_with_progress_goes_on_to_its_end() -> None:
    """However often it is cut; the waits begin anew each time, and the image comes once."""
    transport = CuttingTransport(repeat(1))

    image, *parts = _read(transport)

    assert image == image_of()
    assert _joined(parts) == DATA
    assert transport.offsets == list(range(len(DATA)))
    assert max(transport.waits) <= 0.2


def test_read_without_progress_is_given_up() -> None:
    """Neither details nor empty messages are progress."""
    transport = CuttingTransport(chain((3,), repeat(0)))

    with pytest.raises(UnreachableError) as caught:
        _read(transport)

    assert caught.value.message == (
        "The connection was cut 9 times, and the read came no further than "
        f"3 of {len(DATA):,} bytes."
    )
    assert str(caught.value.__cause__) == "Cut."
    assert transport.offsets == [0] + [3] * RESUMES_WITHOUT_PROGRESS
    assert len(transport.waits) == RESUMES_WITHOUT_PROGRESS


def test_read_without_time_says_how_far_it_came() -> None:
    """Of an image of unknown size, too; a reset stream is a cut like any other."""
    cut = UnexpectedStatusError("Reset.", status_name="INTERNAL")
    transport = CuttingTransport([5], image_of(sha256="x", size_bytes=0), cut)

    with pytest.raises(UnreachableError) as caught:
        _read(transport, allowance=Allowance(600.0, -600.0))

    assert caught.value.message == (
        "The connection was cut once, and the read came no further than 5 bytes."
    )


def test_read_with_late_progress_goes_on() -> None:
    """The budget is full again after the last try of the one before."""
    stuck = [0] * (RESUMES_WITHOUT_PROGRESS - 1)
    transport = CuttingTransport((1, *stuck, 1, *stuck, len(DATA) - 2))

    _, *parts = _read(transport)

    assert _joined(parts) == DATA


def test_read_cut_behind_its_limit_asks_for_no_more() -> None:
    """Of an image of unknown size, too: a limit of nothing would mean all there is."""
    transport = CuttingTransport([5], image_of(sha256="", size_bytes=0))

    _, *parts = _read(transport, Reading(GUID, 0, 5))

    assert _joined(parts) == DATA[:5]
    assert transport.offsets == [0]
