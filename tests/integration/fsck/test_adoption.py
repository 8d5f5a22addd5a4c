"""Older images in a real folder and a real database: what --adopt makes of them."""

from datetime import timedelta

from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.adoption import adopt
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.service.fsck import Action, Fault, Tasks
from tests.integration.data.examples import contents, new_guid, soon
from tests.integration.fsck.depot import DATA, Depot
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import FEW, REPAIR, actions, faults

ADOPT = Tasks(adopt=True)


def pinned(depot: Depot, filename: str, data: bytes = DATA) -> str:
    """Add an older image with its file, taken over as at the first start; return its guid."""
    guid = depot.older(filename)
    depot.file(filename, data)
    depot.sql("UPDATE adoption SET next_image = 1, last_image = 1000000")
    adopt(depot.database, FolderStore(depot.root), soon())
    return guid


def found(depot: Depot, prompt: str) -> list[str]:
    """Return the guids that a search shows."""
    query = PageQuery(ImageFilter(prompt=prompt), None, 50, 1 << 20)
    page = depot.parts.images.list_page(query, soon())
    return [stored.image.guid for stored in page.images]


def test_pinned_image_gets_its_sums(depot: Depot) -> None:
    """From then on it is held to them, block by block, like any other."""
    guid = pinned(depot, "fox.png")

    events = depot.run(ADOPT)

    stored = depot.parts.images.get(guid, soon())
    assert actions(events) == [(Action.ADOPTED, "older/fox.png")]
    assert stored.contents
    assert stored.contents.block_digests == contents(DATA).block_digests
    assert stored.image.sha256 == contents(DATA).sha256
    assert (stored.image.width, stored.image.height) == (8, 6)
    assert stored.image.updated_at == stored.image.created_at
    assert (faults(depot.run(ADOPT)), actions(depot.run(ADOPT))) == ([], [])


def test_pinned_file_that_was_truncated_is_told(depot: Depot) -> None:
    """Its damage is not made the truth."""
    guid = pinned(depot, "fox.png")
    (depot.root / "fox.png").write_bytes(DATA[:20])

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.WRONG_SIZE, "older/fox.png")]
    assert actions(events) == []
    assert depot.parts.images.get(guid, soon()).image.sha256 == ""


def test_file_that_is_being_copied_is_left_until_it_is_whole(depot: Depot) -> None:
    """What is there of it is not made the truth, however often it is looked at."""
    guid = depot.older("fox.png")
    depot.file("fox.png", DATA[:30])
    assert actions(depot.run(ADOPT)) == []
    depot.file("fox.png", age=timedelta(0))
    assert actions(depot.run(ADOPT)) == []

    depot.file("fox.png")

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, "older/fox.png")]
    assert depot.parts.images.get(guid, soon()).image.width == 8


def test_file_of_two_rows_is_adopted_by_neither(depot: Depot) -> None:
    """By their filename to the letter: another that a collation takes for it is another."""
    for prompt in ("a white cat", "a black cat"):
        depot.older("cat.png", prompt)
    depot.older("Cát.png ", "a cat abroad")
    depot.older("Cat.png", "a lone cat")
    depot.file("cat.png")
    depot.file("Cat.png")

    events = depot.run(ADOPT)

    assert actions(events) == [(Action.ADOPTED, "older/Cat.png")]
    assert faults(events).count((Fault.UNKNOWN_BYTES, "")) == 6


def test_file_that_two_rows_were_given_is_sealed_for_neither(depot: Depot) -> None:
    """One was written over the other; once one is deleted it is the other's alone."""
    guids = [depot.older("cat.png", prompt) for prompt in ("a white cat", "a black cat")]
    depot.file("cat.png")
    pinned(depot, "fox.png")

    events = depot.run(ADOPT)

    assert actions(events) == [(Action.ADOPTED, "older/fox.png")]
    assert faults(events) == [(Fault.SHARED, "older/cat.png")] * 2
    assert depot.parts.images.delete(guids[0], soon()) is None
    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, "older/cat.png")]


def test_row_that_came_later_is_adopted_and_found(depot: Depot) -> None:
    """An earlier PixyProxy went on beside this one: its rows have neither file nor terms."""
    by_name, by_guid = depot.older("fox.png", "a marmot"), depot.older("gone.png", "a marmot")
    depot.file("fox.png")
    depot.file(f"{by_guid}.png")
    assert found(depot, "marmot") == []

    events = depot.run(ADOPT)

    assert [fault for fault, _ in faults(events)] == [Fault.UNKNOWN_BYTES] * 2
    assert actions(events) == [
        (Action.ADOPTED, "older/fox.png"),
        (Action.ADOPTED, f"older/{by_guid}.png"),
    ]
    assert set(found(depot, "marmot")) == {by_name, by_guid}
    assert faults(depot.run()) == []


def test_row_whose_guid_is_none_is_adopted_by_its_filename(depot: Depot) -> None:
    """No call finds it, as ever; it does not end the check."""
    depot.sql("INSERT INTO images (guid, filename, prompt) VALUES ('Nr. 7', 'fox.png', 'a fox')")
    depot.file("fox.png")

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert actions(events) == [(Action.ADOPTED, "older/fox.png")]
    assert faults(depot.run()) == []


def test_renamed_row_borrows_nobodys_file(depot: Depot) -> None:
    """A filename is a label: only one that was never changed tells of a file."""
    guid = depot.older("gone.png")
    later = depot.parts.clock.now().replace(year=2037)
    depot.parts.images.update(guid, ImageUpdate(filename="fox.png"), later, soon())
    depot.file("fox.png")

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert actions(events) == []
    assert (depot.root / "fox.png").exists()


def test_image_of_a_creation_gets_back_what_that_names(depot: Depot) -> None:
    """Under whatever name its creation is by now; an attempt that was too late is put aside."""
    depot.fill(4)
    mine, key = depot.abandoned()
    depot.run(REPAIR)
    done = depot.parts.creations.find(mine.key, soon())
    assert done
    depot.parts.creations.retire(done.fence, new_guid(), soon())
    late = depot.put(f"{mine.guid}.0.png", png("blue").data)
    depot.sql("DELETE FROM image_contents WHERE store_key = :key", {"key": key})

    events = depot.run(Tasks(adopt=True, repair=True, allow_orphans=FEW))

    assert actions(events) == [(Action.ADOPTED, key), (Action.QUARANTINED, late)]
    assert faults(depot.run()) == []


def test_image_that_lost_its_contents_gets_them_back(depot: Depot) -> None:
    """Its bytes are under its guid: a repair leaves them, an adoption binds them."""
    image = depot.fill(4)[0]
    guid = image.key.partition(".")[0]
    depot.sql("DELETE FROM image_contents WHERE store_key = :key", {"key": image.key})

    assert actions(depot.run(REPAIR)) == []
    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, image.key)]

    stored = depot.parts.images.get(guid, soon())
    assert stored.contents
    assert stored.contents.sha256 == image.sha256
    assert faults(depot.run()) == []
