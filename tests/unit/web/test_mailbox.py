"""What waits for a reader: all that is small, the newest of what is large."""

import threading

import pytest

from pixy_grpc.web.mailbox import Mailbox, Response


def kinds(responses: list[Response]) -> list[str | None]:
    return [each.WhichOneof("event") for each in responses]


def test_reader_gets_what_was_told_in_order() -> None:
    """And once it has ended, the end."""
    mailbox = Mailbox(3)
    mailbox.accepted(waiting=True)
    mailbox.generating("sketch")
    mailbox.partial(b"abc", "image/png")
    mailbox.stored(3)
    mailbox.end()

    accepted, generating, partial, stored = mailbox

    assert accepted.accepted.waiting
    assert generating.generating.generator == "sketch"
    shown = partial.partial_image
    assert (shown.index, shown.content_type, shown.data) == (0, "image/png", b"abc")
    assert stored.stored.size_bytes == 3
    assert list(mailbox) == []


def test_reader_gets_the_first_acceptance_alone() -> None:
    """One that waited, and then went on itself, is accepted once."""
    mailbox = Mailbox(0)
    mailbox.accepted(waiting=True)
    mailbox.accepted(waiting=False)
    mailbox.end()

    (accepted,) = mailbox

    assert accepted.accepted.waiting


def test_slow_reader_gets_the_newest_unfinished_image_and_its_place() -> None:
    """However many came, one is kept."""
    mailbox = Mailbox(3)
    mailbox.generating("openai")
    for data in (b"0", b"1", b"2"):
        mailbox.partial(data, "image/png")
    mailbox.stored(9)
    mailbox.end()

    told = list(mailbox)

    assert kinds(told) == ["generating", "partial_image", "stored"]
    assert (told[1].partial_image.index, told[1].partial_image.data) == (2, b"2")


def test_quick_reader_gets_each_unfinished_image() -> None:
    mailbox = Mailbox(3)
    told = iter(mailbox)
    shown = []

    for data in (b"0", b"1"):
        mailbox.partial(data, "image/png")
        shown.append(next(told).partial_image)

    assert [(each.index, each.data) for each in shown] == [(0, b"0"), (1, b"1")]


def test_reader_waits_for_what_is_told() -> None:
    """It is woken by it, and by the end."""
    mailbox = Mailbox(0)
    told: list[Response] = []
    reader = threading.Thread(target=lambda: told.extend(mailbox))
    reader.start()

    mailbox.stored(1)
    mailbox.end()
    reader.join(20)

    assert kinds(told) == ["stored"]


def test_abandoned_mailbox_keeps_nothing() -> None:
    """Neither what was left nor what comes: nobody is going to take it."""
    mailbox = Mailbox(3)
    mailbox.accepted(waiting=False)
    mailbox.abandon()
    mailbox.partial(b"0", "image/png")
    mailbox.generating("sketch")

    assert list(mailbox) == []


@pytest.mark.parametrize(("asked", "wanted"), [(-5, 0), (0, 0), (2, 2), (3, 3), (2**31 - 1, 3)])
def test_as_many_unfinished_images_are_wanted_as_there_can_be(asked: int, wanted: int) -> None:
    """More than three mean three, below zero means none."""
    assert Mailbox(asked).partial_images == wanted
