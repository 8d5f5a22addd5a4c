"""Holds every Inventory to the contract in core/ports.py."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation, Refusal
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import CreationRepository, ImageRow, Inventory
from tests.integration.data.examples import (
    NOON,
    add,
    contents,
    new_creation,
    new_guid,
    new_image,
    new_key,
    soon,
)
from tests.integration.data.implementations import OpenRepositories, Repositories

LATER = NOON.replace(hour=13)


@pytest.fixture
def stored(open_repositories: OpenRepositories) -> Repositories:
    """Return empty repositories over one database."""
    return open_repositories()


@pytest.fixture
def inventory(open_repositories: OpenRepositories, stored: Repositories) -> Inventory:
    """Return an inventory of that database, over connections of its own."""
    assert stored
    return open_repositories().inventory


def walked(inventory: Inventory, limit: int) -> list[ImageRow]:
    """Return every image, so many at a time."""
    found: list[ImageRow] = []
    while rows := inventory.list_rows(found[-1].number if found else 0, limit, soon()):
        assert len(rows) <= limit
        found += rows
    return found


def the_row(inventory: Inventory) -> ImageRow:
    """Return the one image."""
    (row,) = inventory.list_rows(0, 2, soon())
    return row


def without_sums(key: str = "") -> ImageContents:
    """Return what is known of an older image."""
    return replace(contents(key=key), sha256="", block_digests=b"", width=0, height=0)


def test_walk_meets_each_image_once(stored: Repositories, inventory: Inventory) -> None:
    """In pages of any length, with what is known of its bytes, to the last number."""
    images = [add(stored.images) for _ in range(7)]

    for limit in (1, 3, 7, 50):
        rows = walked(inventory, limit)

        assert [(row.guid, row.contents) for row in rows] == [
            (each.image.guid, each.contents) for each in images
        ]
        assert rows[-1].number == inventory.last_number(soon())


def test_walk_over_nothing_ends(inventory: Inventory) -> None:
    assert walked(inventory, 5) == []
    assert inventory.last_number(soon()) == 0


def test_walk_goes_on_behind_a_deleted_image(stored: Repositories, inventory: Inventory) -> None:
    """What is gone does not end it, and what stays is met once."""
    images = [add(stored.images).image.guid for _ in range(4)]
    (first,) = inventory.list_rows(0, 1, soon())
    for guid in images[:2]:
        stored.images.delete(guid, soon())

    rest = inventory.list_rows(first.number, 9, soon())

    assert [row.guid for row in rest] == images[2:]


def test_walk_tells_changed_images(stored: Repositories, inventory: Inventory) -> None:
    """By whether they were ever updated, to whatever filename."""
    same, changed = (add(stored.images).image.guid for _ in range(2))
    stored.images.update(changed, ImageUpdate(filename="other.png"), LATER, soon())

    found = {row.guid: (row.unchanged, row.filename) for row in walked(inventory, 9)}

    assert found == {same: (True, "a-red-fox.png"), changed: (False, "other.png")}


def test_present_images_are_those_with_rows(stored: Repositories, inventory: Inventory) -> None:
    """Whether or not their bytes are known; one that was deleted is not among them."""
    kept, deleted = (add(stored.images).image.guid for _ in range(2))
    stored.images.delete(deleted, soon())

    assert inventory.present([kept, deleted, new_guid()], soon()) == {kept}
    assert inventory.present([], soon()) == set()


def test_named_keys_are_those_of_images(stored: Repositories, inventory: Inventory) -> None:
    """Byte for byte; a key of no image is not among them, nor one that was deleted."""
    kept, deleted = (add(stored.images) for _ in range(2))
    assert kept.contents
    assert deleted.contents
    stored.images.delete(deleted.image.guid, soon())
    asked = {kept.contents.key, deleted.contents.key, new_key(), kept.contents.key.upper()}

    assert inventory.named(asked, soon()) == {kept.contents.key}
    assert inventory.named([], soon()) == set()


def test_named_takes_many_keys(stored: Repositories, inventory: Inventory) -> None:
    """A whole batch in one question."""
    stored_key = add(stored.images).contents
    assert stored_key
    asked = [new_key() for _ in range(500)]

    assert inventory.named([*asked, stored_key.key], soon()) == {stored_key.key}


def test_shared_keys_are_those_of_several_images(
    stored: Repositories, inventory: Inventory
) -> None:
    """Until all but one are deleted."""
    alone = add(stored.images).contents
    shared = [replace(new_image(), contents=without_sums("older/a.png")) for _ in range(2)]
    for each in shared:
        stored.images.add(each, soon())
    assert alone
    asked = [alone.key, "older/a.png", new_key()]

    assert inventory.shared(asked, soon()) == {"older/a.png"}
    assert inventory.shared([], soon()) == set()
    stored.images.delete(shared[0].guid, soon())
    assert inventory.shared(asked, soon()) == set()


STATES: dict[str, Callable[[CreationRepository, Creation], object]] = {
    "claimed": lambda _creations, _mine: None,
    "asked": lambda creations, mine: creations.note_asked(mine.fence, soon()),
    "refused": lambda creations, mine: creations.note_refused(
        mine.fence, Refusal("CONTENT_POLICY", "No."), soon()
    ),
    "unknown": lambda creations, mine: creations.note_unknown(mine.fence, soon()),
    "retired": lambda creations, mine: creations.retire(mine.fence, new_guid(), soon()),
}


@pytest.mark.parametrize("state", STATES)
def test_creation_that_is_not_done_is_found_by_its_guid(
    stored: Repositories, inventory: Inventory, state: str
) -> None:
    """Whatever else it has come to, and however long ago its lease ended."""
    mine = stored.creations.claim(new_creation(), soon())
    STATES[state](stored.creations, mine)

    (found,) = inventory.list_not_done([mine.guid, new_guid()], soon())

    assert found == stored.creations.find(found.key, soon())
    assert found.guid == mine.guid


def test_creation_that_is_done_is_not_found(stored: Repositories, inventory: Inventory) -> None:
    """From the moment that its row is there."""
    mine = stored.creations.claim(new_creation(), soon())
    image = new_image(guid=mine.guid, fence=mine.fence)

    stored.images.add(image, soon())

    assert list(inventory.list_not_done([mine.guid], soon())) == []
    assert inventory.named([image.contents.key], soon()) == {image.contents.key}
    assert list(inventory.list_not_done([], soon())) == []


def test_sums_are_set_where_there_are_none(stored: Repositories, inventory: Inventory) -> None:
    """Every connection sees them; `updated_at` stays."""
    older = replace(new_image(), contents=without_sums(new_key()))
    stored.images.add(older, soon())
    known = contents(b"what is there", older.contents.key)

    assert inventory.set_contents(the_row(inventory), known, soon())

    found = stored.images.get(older.guid, soon())
    assert found.contents == known
    assert (found.image.sha256, found.image.width) == (known.sha256, known.width)
    assert found.image.updated_at == NOON
    assert the_row(inventory).unchanged


def test_sums_that_are_known_stay(stored: Repositories, inventory: Inventory) -> None:
    """So do the contents of another key: what is set is what was looked at."""
    image = add(stored.images)
    assert image.contents

    for other in (contents(b"damaged", image.contents.key), contents(b"other")):
        assert not inventory.set_contents(the_row(inventory), other, soon())

    assert stored.images.get(image.image.guid, soon()) == image


def test_sums_of_another_key_are_not_set(stored: Repositories, inventory: Inventory) -> None:
    older = replace(new_image(), contents=without_sums(new_key()))
    stored.images.add(older, soon())

    assert not inventory.set_contents(the_row(inventory), contents(), soon())

    assert stored.images.get(older.guid, soon()).contents == older.contents


def test_sums_of_a_deleted_image_are_not_set(stored: Repositories, inventory: Inventory) -> None:
    """They would be in the way of nobody, and of no use."""
    older = replace(new_image(), contents=without_sums(new_key()))
    stored.images.add(older, soon())
    row = the_row(inventory)
    stored.images.delete(older.guid, soon())

    assert not inventory.set_contents(row, contents(key=older.contents.key), soon())

    assert inventory.named([older.contents.key], soon()) == set()


CALLS: dict[str, Callable[[Inventory, Deadline], object]] = {
    "last_number": lambda inventory, deadline: inventory.last_number(deadline),
    "list_rows": lambda inventory, deadline: inventory.list_rows(0, 1, deadline),
    "present": lambda inventory, deadline: inventory.present(["a"], deadline),
    "named": lambda inventory, deadline: inventory.named(["a"], deadline),
    "shared": lambda inventory, deadline: inventory.shared(["a"], deadline),
    "without_contents": lambda inventory, deadline: inventory.without_contents(["a"], deadline),
    "sharing": lambda inventory, deadline: inventory.sharing("a.png", deadline),
    "list_not_done": lambda inventory, deadline: inventory.list_not_done(["a"], deadline),
}


@pytest.mark.parametrize("name", CALLS)
def test_call_past_its_deadline_is_unavailable(inventory: Inventory, name: str) -> None:
    """A cap of ours that has passed is the database's fault."""
    with pytest.raises(DBConnectionError):
        CALLS[name](inventory, Deadline.after(-1))
