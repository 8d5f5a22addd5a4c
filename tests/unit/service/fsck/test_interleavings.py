"""Owners that go on while a check runs, at every point where the two may meet.

No clock protects anything here: bytes are old and leases long over, as after a pause of
days. Whatever the order, an image that is there has its bytes, and what was paid for
becomes an image.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import digest_blocks
from pixy_grpc.core.creations import Creation, FenceLostError, Refusal
from pixy_grpc.core.exceptions import ConstraintViolationError
from pixy_grpc.core.keys import guid_of
from pixy_grpc.core.ports import GeneratedImage, StoredObject
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.keeping import Keeping
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.pictures import Made, Pictures
from tests.fakes import InMemoryBytes, InMemoryImageStore, InMemoryInventory
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import LIMITS, LONG, REPAIR, Depot, monotone, soon

TICKS = 15
"""About how often a run that finds one thing to mend stops to look or to move."""

Act = Callable[[], object]


class Script:
    """Acts that take place at ticks that are chosen for them, in their order."""

    def __init__(self) -> None:
        self.acts: list[tuple[int, Act]] = []
        self.ticks = 0
        self._acting = False

    def tick(self) -> None:
        """Let happen what is due, then go on; an act is never within another."""
        if self._acting:
            return
        due = [act for tick, act in self.acts if tick <= self.ticks]
        self.acts = self.acts[len(due) :]
        self.ticks += 1
        self._acting = True
        for act in due:
            act()
        self._acting = False

    def end(self) -> None:
        """Let happen what is left."""
        self._acting = True
        for _, act in self.acts:
            act()


class TickingStore(InMemoryImageStore):
    """A store beside which acts take place between any two calls of a check."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def list_objects(self) -> Iterator[StoredObject]:
        """Act before the listing, and behind it."""
        self._script.tick()
        found = list(super().list_objects())
        self._script.tick()
        return iter(found)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Act, then open."""
        self._script.tick()
        with super().open(key, deadline) as source:
            yield source

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Act, then tell."""
        self._script.tick()
        return super().modified_at(key, deadline)

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Act, then move."""
        self._script.tick()
        super().quarantine(key, deadline)


class TickingInventory(InMemoryInventory):
    """An inventory beside which the same acts take place before each lookup."""

    script: Script

    def __getattribute__(self, name: str) -> object:
        """Act before a method is called."""
        if name in ("named", "without_contents", "list_not_done"):
            object.__getattribute__(self, "script").tick()
        return object.__getattribute__(self, name)


class Owner:
    """Somebody who made an image, and stores it in three steps by the code that servers run."""

    def __init__(self, depot: Depot, mine: Creation, image: GeneratedImage) -> None:
        self._depot = depot
        self._mine = mine
        leases = Leases(depot.creations, depot.clock, LIMITS)
        self._keeping = Keeping(depot.parts, leases, LIMITS)
        self._made: Made = Pictures(LIMITS).made(mine, image, HeadStart(InMemoryImageStore(), 30.0))

    def put(self) -> None:
        """Store the bytes, and age them at once."""
        key = self._made.contents.key
        try:
            self._depot.put(key, self._made.data, LONG)
        except ConstraintViolationError:
            pytest.fail("nobody else has this key")

    def note(self) -> None:
        """Note that they are kept, as the first half of `bind`."""
        try:
            self._depot.creations.note_kept(self._made.paid(self._mine), soon())
        except FenceLostError:
            return

    def bind(self) -> None:
        """Add the row, or give way."""
        self._keeping.bind(self._mine, self._made, soon())

    @property
    def steps(self) -> Sequence[Act]:
        """The steps in their order."""
        return (self.put, self.note, self.bind)


class Rival:
    """Whoever takes over from an owner that sleeps, and what that comes to."""

    def __init__(self, depot: Depot, seen: Creation, outcome: str) -> None:
        self._depot = depot
        self._seen = seen
        self._outcome = outcome
        self._mine: Creation | None = None

    def take_over(self) -> None:
        """Take the fence, if nobody has ended the creation."""
        over = self._depot.clock.milliseconds() - LIMITS.skew_ms
        until = self._depot.clock.milliseconds() - 60_000
        found = self._depot.creations.find(self._seen.key, soon())
        assert found
        self._mine = self._depot.creations.take_over(found, until, over, soon())

    def end(self) -> None:
        """Come to the outcome."""
        if self._mine is None:
            return
        try:
            if self._outcome == "done":
                for step in Owner(self._depot, self._mine, png("blue")).steps:
                    step()
            else:
                refusal = Refusal("CONTENT_POLICY", "No.")
                self._depot.creations.note_refused(self._mine.fence, refusal, soon())
        except FenceLostError:
            return


def scripted() -> tuple[Depot, Script]:
    """Return a depot in which acts take place while a check looks at it."""
    script = Script()
    depot = Depot(store=TickingStore(script), inventory=TickingInventory)
    assert isinstance(depot.inventory, TickingInventory)
    depot.inventory.script = script
    depot.fill(1)
    return depot, script


def meet(depot: Depot, script: Script, acts: Sequence[tuple[int, Act]]) -> None:
    """Run a check with repair while the acts take place; then let them end."""
    script.acts = list(acts)
    depot.run(REPAIR)
    script.end()


def images_with_bytes(depot: Depot) -> list[str]:
    """Return the guids of all images, each of whose bytes is there and right."""
    rows = depot.inventory.list_rows(0, 100, soon())
    for row in rows:
        assert row.contents
        data = depot.store.objects[row.contents.key]
        assert digest_blocks(data) == row.contents.block_digests
    return [row.guid for row in rows]


def test_owner_beside_a_check_loses_nothing() -> None:
    """Wherever its three steps fall, its image is there with its bytes, once."""
    for ticks in monotone(TICKS, 3):
        depot, script = scripted()
        mine = depot.creation(lease_seconds=-60)
        owner = Owner(depot, mine, png())

        meet(depot, script, list(zip(ticks, owner.steps, strict=True)))

        assert images_with_bytes(depot).count(mine.guid) == 1, ticks
        kept = [key for key in depot.store.objects if guid_of(key) == mine.guid]
        assert len(kept) == 1, ticks


@pytest.mark.parametrize("outcome", ["done", "refused"])
def test_sleeper_beside_a_check_loses_nothing(outcome: str) -> None:
    """It put its bytes and sleeps; a rival takes over and ends somehow; it wakes."""
    for ticks in monotone(TICKS, 3):
        depot, script = scripted()
        mine = depot.creation(lease_seconds=-60)
        owner, rival = Owner(depot, mine, png()), Rival(depot, mine, outcome)
        owner.put()

        acts = (rival.take_over, rival.end, owner.bind)
        meet(depot, script, list(zip(ticks, acts, strict=True)))

        assert images_with_bytes(depot).count(mine.guid) == 1, ticks


@pytest.mark.parametrize("tick", range(TICKS))
def test_adoption_beside_a_check_loses_nothing(tick: int) -> None:
    """Another check binds the bytes of an image that lost what it knew: they stay."""
    depot, script = scripted()
    depot.fill(2)
    row = depot.inventory.list_rows(0, 1, soon())[0]
    assert row.contents
    known = row.contents
    depot.forget(row.guid)

    def adopt() -> None:
        assert InMemoryInventory(depot.images).set_contents(row, known, soon())

    meet(depot, script, [(tick, adopt)])

    assert row.guid in images_with_bytes(depot)


@pytest.mark.parametrize("tick", range(TICKS))
def test_deletion_beside_a_check_deletes(tick: int) -> None:
    """Row, then bytes: neither is left, and the check is no hindrance."""
    depot, script = scripted()
    depot.fill(2)
    row = depot.inventory.list_rows(0, 1, soon())[0]
    assert row.contents
    key = row.contents.key

    meet(
        depot,
        script,
        [
            (tick, lambda: depot.images.delete(row.guid, soon())),
            (tick + 1, lambda: depot.store.delete(key, soon())),
        ],
    )

    assert row.guid not in images_with_bytes(depot)
    assert key not in depot.store.objects
