"""Real damage to a real folder and a real database: what is found, and what is mended."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pixy_grpc.core.creations import PaidImage
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.data.init import StoreMismatchError
from pixy_grpc.preparation import checking
from pixy_grpc.service.fsck import Action, Fault, Tasks, TooManyOrphansError
from pixy_grpc.settings import SettingsError
from tests.integration.data.examples import new_key, soon
from tests.integration.fsck.depot import DATA, Depot, files, make_old
from tests.support.server import settings_for
from tests.unit.service.fsck.depot import FEW, REPAIR, actions, faults


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_link(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


DAMAGE: dict[str, tuple[Callable[[Path], object], Fault]] = {
    "deleted": (Path.unlink, Fault.MISSING),
    "replaced by a folder": (replace_by_folder, Fault.MISSING),
    "replaced by a link": (replace_by_link, Fault.MISSING),
    "emptied": (lambda path: path.write_bytes(b""), Fault.WRONG_SIZE),
    "truncated": (lambda path: os.truncate(path, 9), Fault.WRONG_SIZE),
    "longer": (lambda path: path.write_bytes(DATA + b"!"), Fault.WRONG_SIZE),
    "flipped": (flip, Fault.WRONG_SUM),
}


def test_service_in_order_is_clean(depot: Depot) -> None:
    """Nothing is found, nothing is done, and every image was looked at."""
    depot.fill(3)
    with checking(depot.settings) as fsck:
        events = list(fsck.run(Tasks(repair=True, adopt=True, purge_older_than=timedelta(0))))

        assert (faults(events), actions(events)) == ([], [])
        assert (fsck.counts.images, fsck.counts.objects) == (3, 3)


def test_each_damage_is_found_under_its_name(depot: Depot) -> None:
    """And left as it is: there is nothing to mend it from."""
    depot.fill(2)
    expected = {}
    for damage, fault in DAMAGE.values():
        image = depot.image()
        damage(depot.path(image.key))
        expected[image.key] = fault

    events = depot.run(REPAIR)

    assert {key: fault for fault, key in faults(events)} == expected
    assert actions(events) == []


def test_what_nobody_names_is_put_aside(depot: Depot) -> None:
    """Orphans and what cut writes left; the images and the files of others stay."""
    images = depot.fill(4)
    orphan = depot.put(new_key())
    leftover = depot.leftover()
    (depot.root / "holiday.png").write_bytes(b"not ours")
    make_old(depot.root / "holiday.png")

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.ORPHAN, orphan), (Fault.LEFTOVER, f"incoming/{leftover}")]
    assert files(depot.root) == {image.key for image in images}
    assert files(depot.root / ".quarantine", ["*"]) == {orphan, leftover}
    assert (depot.root / "holiday.png").read_bytes() == b"not ours"
    assert faults(depot.run(REPAIR)) == []


def test_creation_whose_bytes_are_durable_is_finished(depot: Depot) -> None:
    """It is an image from then on, with what its bytes say, and its creation done."""
    mine, key = depot.abandoned()

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNFINISHED, key)]
    assert actions(events) == [(Action.FINISHED, key)]
    stored = depot.parts.images.get(mine.guid, soon())
    assert stored.contents
    assert (stored.contents.key, stored.image.width, stored.image.height) == (key, 8, 6)
    done = depot.parts.creations.find(mine.key, soon())
    assert done
    assert done.state == "done"
    assert faults(depot.run()) == []


def test_image_that_waits_in_the_spool_is_live(depot: Depot) -> None:
    """Its bytes in the store too: whoever spooled it ends its creation."""
    mine, key = depot.abandoned()
    depot.parts.spool.put(SpooledImage(PaidImage(mine.fence, mine.guid, key), DATA))

    assert faults(depot.run(REPAIR)) == []
    assert files(depot.root) == {key}


def test_bytes_of_an_image_that_were_put_aside_come_back(depot: Depot) -> None:
    """Where they are right; the file is not left in quarantine beside that."""
    depot.fill(4)
    right, wrong = depot.image(), depot.image()
    for image in (right, wrong):
        depot.parts.store.quarantine(image.key, soon())
    (depot.root / ".quarantine" / wrong.key).write_bytes(DATA[:-1] + b"!")

    events = depot.run(REPAIR)

    assert actions(events) == [(Action.RESTORED, right.key)]
    assert files(depot.root / ".quarantine", ["*"]) == {wrong.key}
    assert faults(depot.run()) == [(Fault.MISSING, wrong.key)]


def test_deleted_image_leaves_nothing_to_find(depot: Depot) -> None:
    """Its row and its bytes are gone; bytes that stayed are an orphan, whoever made them."""
    depot.fill(4)
    mine, key = depot.abandoned()
    depot.run(REPAIR)
    depot.parts.images.delete(mine.guid, soon())

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.ORPHAN, key)]
    assert files(depot.root / ".quarantine", ["*"]) == {key}


def test_purge_deletes_by_the_time_in_quarantine(depot: Depot) -> None:
    """However old the file itself is."""
    depot.fill(4)
    keys = [depot.put(new_key()) for _ in range(2)]
    depot.run(REPAIR)
    make_old(depot.root / ".quarantine" / keys[0], timedelta(days=31))

    events = depot.run(Tasks(purge_older_than=timedelta(days=30)))

    assert actions(events) == [(Action.PURGED, keys[0])]
    assert files(depot.root / ".quarantine", ["*"]) == {keys[1]}


def test_names_that_are_no_keys_do_not_stop_a_run(depot: Depot) -> None:
    """Whoever made such files where writes begin: each is told, the rest is mended."""
    depot.fill(4)
    odd = depot.root / ".incoming" / "a\\b"
    odd.write_bytes(b"half")
    make_old(odd)
    orphan = depot.put(new_key())

    events = depot.run(REPAIR)

    assert actions(events) == [(Action.QUARANTINED, orphan)]
    assert faults(events)[1:] == [(Fault.LEFTOVER, "incoming/a\\b")] * 2


def test_name_that_is_not_utf8_is_put_aside_and_purged(small_depot: Depot) -> None:
    """No database can be asked for it; it is as old as any other."""
    small_depot.fill(4)
    name = os.fsdecode(b"\xff.png")
    odd = small_depot.root / ".incoming" / name
    odd.write_bytes(b"half")
    make_old(odd)

    moved = small_depot.run(REPAIR)
    make_old(small_depot.root / ".quarantine" / name)
    purged = small_depot.run(Tasks(purge_older_than=timedelta(0), allow_orphans=FEW))

    assert actions(moved) == [(Action.QUARANTINED, f"incoming/{name}")]
    assert actions(purged) == [(Action.PURGED, name)]


def test_rows_that_are_lost_are_not_taken_for_orphans(depot: Depot) -> None:
    """A database restored from an old copy knows nothing of newer images."""
    images = depot.fill(30)
    for image in images[:11]:
        depot.parts.images.delete(image.key.partition(".")[0], soon())

    with pytest.raises(TooManyOrphansError) as refused:
        depot.run(REPAIR)

    assert (refused.value.orphans, refused.value.objects) == (11, 30)
    assert files(depot.root) == {image.key for image in images}


def test_other_stores_folder_is_refused(small_depot: Depot, tmp_path: Path) -> None:
    """Before anything is looked at; nothing is made, and nothing is marked."""
    small_depot.fill(1)
    other = Depot(tmp_path / "other_service", database_url=f"sqlite:///{tmp_path / 'b.db'}")
    other.close()

    for images in (other.root, tmp_path / "missing"):
        settings = settings_for(tmp_path, images=str(images))
        with pytest.raises(StoreMismatchError), checking(settings):
            pass

    assert not (tmp_path / "missing").exists()


def test_database_of_an_earlier_version_is_refused(small_depot: Depot) -> None:
    """A check changes nothing by itself, the tables neither."""
    small_depot.sql("DELETE FROM schema_migrations WHERE version = 5")

    with pytest.raises(SettingsError, match="migrate"), checking(small_depot.settings):
        pass


def test_older_images_that_wait_for_a_server_are_refused(small_depot: Depot) -> None:
    """Whoever takes them over first and whoever adopts them would be in each other's way."""
    small_depot.sql("UPDATE adoption SET last_image = 1000")
    small_depot.older("fox.png")

    with pytest.raises(SettingsError, match="migrate"), checking(small_depot.settings):
        pass


def test_database_that_is_not_there_is_refused(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, database_url=f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(SettingsError, match="PIXY_DATABASE_URL"), checking(settings):
        pass

    assert not (tmp_path / "none.db").exists()
