"""Bytes are those the image was stored with, or an error."""

from collections.abc import Generator

import pytest

from pixy_client import (
    AnswerTooLargeError,
    Image,
    ImageChangedError,
    ImageCorruptError,
    ImageStream,
    UnreadableAnswerError,
)
from pixy_client.streams import MAX_UNKNOWN_BYTES
from pixy_client.verification import Verification, check_unchanged
from tests.unit.client.images import DATA, GUID, image_of


def _verify(image: Image, data: bytes, offset: int = 0, limit: int = 0) -> bool:
    verification = Verification(image, offset, limit)
    for at in range(0, len(data), 5):
        verification.add(data[at : at + 5])
    return verification.finish()


@pytest.mark.parametrize("limit", [0, len(DATA), len(DATA) + 1])
def test_verification_of_a_whole_image_says_so(limit: int) -> None:
    """Everything that was stored has arrived and its digest is right."""
    verified = _verify(image_of(), DATA, limit=limit)

    assert verified


def test_verification_of_no_bytes_at_all_says_so() -> None:
    """An empty image has a digest too."""
    verified = _verify(image_of(b""), b"")

    assert verified


@pytest.mark.parametrize(
    ("offset", "limit", "data"),
    [(3, 0, DATA[3:]), (0, 4, DATA[:4]), (3, 4, DATA[3:7]), (len(DATA), 0, b"")],
)
def test_verification_of_a_part_checks_its_size_alone(offset: int, limit: int, data: bytes) -> None:
    """The digest is of the whole; the service checked the part."""
    verified = _verify(image_of(), data, offset, limit)

    assert not verified


@pytest.mark.parametrize("size", [len(DATA), 0])
def test_verification_of_an_older_image_is_none(size: int) -> None:
    """Where no digest is known, nothing is claimed."""
    verified = _verify(image_of(sha256="", size_bytes=size), DATA)

    assert not verified


@pytest.mark.parametrize(
    ("data", "how"),
    [
        (DATA[:-1], "ends after"),
        (DATA + b"!", "more than"),
        (DATA[::-1], "SHA-256"),
    ],
)
def test_verification_of_other_bytes_fails(data: bytes, how: str) -> None:
    """Short, long and changed bytes are told apart."""
    with pytest.raises(ImageCorruptError, match=how):
        _verify(image_of(), data)


@pytest.mark.parametrize("data", [DATA[3:6], DATA[3:8]])
def test_verification_of_a_part_of_another_size_fails(data: bytes) -> None:
    """A limit stops there, and not before."""
    with pytest.raises(ImageCorruptError):
        _verify(image_of(), data, offset=3, limit=4)


def test_verification_of_an_older_image_of_another_size_fails() -> None:
    """A size is checked where one is known."""
    with pytest.raises(ImageCorruptError):
        _verify(image_of(sha256=""), DATA[:-1])


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"sha256": "", "size_bytes": 7}])
def test_check_of_bytes_that_became_others_fails(change: dict[str, object]) -> None:
    """Told by the digest, and by the size where there is none."""
    older = image_of(sha256="") if change["sha256"] == "" else image_of()

    check_unchanged(older, older)
    with pytest.raises(ImageChangedError):
        check_unchanged(image_of(**change), older)


def _parts(*parts: Image | bytes) -> Generator[Image | bytes, None, None]:
    yield from parts


def test_stream_counts_what_arrives() -> None:
    """A reader sees how far it is."""
    with ImageStream(_parts(image_of(), DATA[:5], DATA[5:]), GUID, 0, 0) as stream:
        next(iter(stream))

        assert (stream.received_bytes, stream.expected_bytes) == (5, len(DATA))
        assert not stream.verified


def test_stream_read_to_its_end_is_verified() -> None:
    """After the last chunk it is known whether they were right."""
    stream = ImageStream(_parts(image_of(), DATA[:5], DATA[5:]), GUID, 0, 0)

    received = b"".join(stream)

    assert received == DATA
    assert stream.verified


@pytest.mark.parametrize("parts", [(), (DATA,)])
def test_stream_without_its_image_fails(parts: tuple[bytes, ...]) -> None:
    """Bytes nobody described are not handed out."""
    with pytest.raises(UnreadableAnswerError):
        ImageStream(_parts(*parts), GUID, 0, 0)


def test_stream_with_a_second_image_fails() -> None:
    """One stream is one image."""
    stream = ImageStream(_parts(image_of(), image_of()), GUID, 0, 0)

    with pytest.raises(UnreadableAnswerError):
        next(iter(stream))


def test_stream_of_another_image_fails() -> None:
    """Bytes of an image nobody asked for are not handed out."""
    other = "11111111-7a39-4e6b-9f4e-3f1f6c8f2a11"

    with pytest.raises(UnreadableAnswerError, match="another image"):
        ImageStream(_parts(image_of(), DATA), other, 0, 0)


def test_stream_asked_for_in_capitals_is_of_the_same_image() -> None:
    """A guid is a UUID, in either case."""
    stream = ImageStream(_parts(image_of(), DATA), GUID.upper(), 0, 0)

    assert b"".join(stream) == DATA


def test_stream_of_unknown_size_ends_at_the_ceiling() -> None:
    """A server that never stops does not fill a memory or a disk."""
    chunk = bytes(MAX_UNKNOWN_BYTES // 4)
    endless = _parts(image_of(sha256="", size_bytes=0), *(chunk for _ in range(5)))
    stream = ImageStream(endless, GUID, 0, 0)
    stream.limit_bytes(None)

    with pytest.raises(AnswerTooLargeError, match="268,435,456 bytes"):
        sum(len(part) for part in stream)


def test_stream_of_unknown_size_has_a_ceiling_of_its_own() -> None:
    """Whoever iterates it by hand need not know of it; a range ends at its limit."""
    older = image_of(sha256="", size_bytes=0)
    whole = ImageStream(_parts(older, bytes(MAX_UNKNOWN_BYTES), b"!"), GUID, 0, 0)
    part = ImageStream(_parts(older, DATA), GUID, 0, len(DATA) - 1)

    for stream in (whole, part):
        with pytest.raises(AnswerTooLargeError):
            sum(len(chunk) for chunk in stream)


def test_stream_of_known_size_has_no_ceiling_of_its_own() -> None:
    """What was promised is counted anyway."""
    stream = ImageStream(_parts(image_of(size_bytes=MAX_UNKNOWN_BYTES + 1)), GUID, 0, 0)

    stream.limit_bytes(None)


def test_stream_past_a_given_ceiling_fails_before_its_bytes() -> None:
    """Where it is known in advance, nothing is fetched for nothing."""
    stream = ImageStream(_parts(image_of(), DATA), GUID, 0, 0)
    stream.limit_bytes(len(DATA))

    with pytest.raises(AnswerTooLargeError):
        stream.limit_bytes(len(DATA) - 1)
