"""A file of an image gives right bytes, or an error, and never the wrong ones after it."""

import pytest

from pixy_client import (
    DeadlineExceededError,
    ImageChangedError,
    ImageCorruptError,
    ImageFile,
    ImageStream,
    UnreachableError,
)
from tests.unit.client.images import DATA, image_of
from tests.unit.client.sources import Source


def test_file_of_changed_bytes_keeps_the_last_ones() -> None:
    """Nobody holds a whole image that is not the one that was stored."""
    source = Source(image_of(), DATA[::-1])
    with ImageFile(source.open) as file:
        first = file.read(15)
        with pytest.raises(ImageCorruptError):
            file.read(1)

        assert first == DATA[::-1][:15]
        assert file.tell() == 15
        assert source.running == 0


def test_file_of_bytes_that_became_others_fails() -> None:
    """Two streams of one file are of the same bytes."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(1)
        source.image = image_of(DATA[::-1])
        file.seek(10)

        with pytest.raises(ImageChangedError):
            file.read(1)

        assert source.running == 0


def test_read_that_fails_leaves_the_position() -> None:
    """And what comes after it is not taken for what was to be read."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(3)
        source.failures = [ImageCorruptError("Damaged.")]
        with pytest.raises(ImageCorruptError):
            file.read(4)

        assert file.tell() == 3
        assert file.read() == DATA[3:]
        assert source.running == 0


def test_file_that_was_left_alone_goes_on() -> None:
    """Its stream's time may be up, or the server's patience: another one takes over."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(5)
        source.failures = [DeadlineExceededError("Late.")]

        rest = file.read()

        assert rest == DATA[5:]
        assert source.offsets == [0, 5]


def test_file_without_a_sum_that_was_left_alone_fails() -> None:
    """What another stream brings may be of another version; before its first byte it is one."""
    source = Source(image_of(sha256=""))
    with ImageFile(source.open) as file:
        source.failures = [DeadlineExceededError("Late.")]
        assert file.read(5) == DATA[:5]
        source.failures = [DeadlineExceededError("Late.")]

        with pytest.raises(ImageChangedError):
            file.read()

        assert file.tell() == 5
        assert source.offsets == [0, 0]


def test_file_that_cannot_go_on_fails() -> None:
    """What has just been opened has had its tries."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(5)
        source.failures = [UnreachableError("Gone.") for _ in range(2)]

        with pytest.raises(UnreachableError):
            file.read()

        assert source.offsets == [0, 5]


def test_file_that_is_closed_has_ended_its_call() -> None:
    """And is read no more."""
    source = Source()
    file = ImageFile(source.open)
    file.close()
    file.close()

    assert source.running == 0
    for use in (file.read, file.read1, file.tell, lambda: file.seek(0)):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_file_that_cannot_be_opened_leaves_nothing() -> None:
    """The error is that of the first call."""

    def refuse(_offset: int, _sha256: str) -> ImageStream:
        raise UnreachableError("Gone.")

    with pytest.raises(UnreachableError):
        ImageFile(refuse)
