"""Tells bytes that nobody will ever name from those that somebody may still name.

What is moved away while somebody goes on to name it is a lost image. So this is the
argument why nothing that a row names, or may come to name, is called an orphan.

1. Every row that names bytes is added by `images.add` in one transaction with its
   creation becoming `done`, and only by whoever holds the creation's fence. A creation
   that is done stays done: no fence of it holds any more. A creation is claimed, and
   noted as asked, before its bytes are put; it is forgotten only where nobody was asked,
   and then it has no bytes.
2. So when bytes have been *seen in the store*, and after that their guid has *no
   creation that is not done*, no row can come to name them later. A row that names them
   may be there already: it is looked up *after* the creations, so that one which was
   added while we looked is seen. Listing, creations, rows without contents, rows that name
   the bytes, in this order; every lookup sees what was committed before it.
3. That conclusion does not wear off: between it and the move nothing can undo it. All
   the same the bytes are listed and looked up anew for the move, in a second walk.

What may happen in between:

- An owner puts bytes after the listing: we have not seen them, and do not judge them.
- An owner has put them and not added the row yet: its creation is asked, kept or (a
  takeover ended it otherwise) refused or unknown. None of these is done: not an orphan.
- An owner adds the row between our two lookups: at the first its creation was not done,
  and we leave the bytes alone; or it was done, and the second finds the row.
- An owner is paused for hours behind its put, and its lease ends. Another takes over:
  while that one is at work the creation is not done. If it ends with an image, the
  sleeper finds its fence lost and puts its own bytes in quarantine, as we would. If it
  ends in a refusal, or unknown, the sleeper takes its fence back and binds its bytes: so
  every state but done protects them, however old its lease.
- A retry, the server's own sweep, or another fsck adopts the bytes: as an owner does.
- The image is deleted: its row goes first. Its bytes are an orphan for that moment, and
  whoever moves them does what the deletion is about to do.
- Bytes wait in a spool: their creation is not done; what is under the same key in the
  store is protected by it. Where the creation is gone, the spool's owner puts them in
  quarantine itself.
- A row lost what it knew of its bytes (`image_contents`): the image is still there under
  the guid, and its bytes are left for `--adopt`. Another check may adopt them while we
  look: so rows that lost it are looked up *before* those that name the bytes.

No clock has a part in this. Bytes that are younger than FsckLimits.young are left alone
on top of it, for images that some tool adds without a creation: bytes first, row second.

What this cannot see is a database that is the wrong one, or an old copy: then many bytes
are orphans at once, and `allowance` stops the run before anything is moved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pixy_grpc.core.creations import Creation
from pixy_grpc.core.keys import KEY, guid_of
from pixy_grpc.core.ports import StoredObject
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.fsck.parts import FsckLimits, FsckParts, soon


class Standing(Enum):
    """Who has to do with bytes that no row names."""

    LIVE = auto()
    """A creation that somebody is at, or an image that has lost what it knew of them."""
    UNFINISHED = auto()
    """A creation that is not done, and that nobody is at any more."""
    YOUNG = auto()
    """Nobody, but not for long enough."""
    ORPHAN = auto()
    """Nobody, for ever."""


@dataclass(frozen=True)
class Judged:
    """Bytes that no row names, and how they stand; `creation` is that of their guid."""

    found: StoredObject
    standing: Standing
    creation: Creation | None = None

    @property
    def guid(self) -> str:
        """The image they were made for."""
        return guid_of(self.found.key)


def allowance(objects: int, few: int = 0) -> int:
    """Return how many of that many objects may be orphans: one in a hundred.

    In spite of that as many as somebody has looked at, and takes for what they are.
    """
    return max(objects // 100, few)


class Judge:
    """Tells how bytes stand that have been seen in the store."""

    def __init__(self, parts: FsckParts, leases: Leases, limits: FsckLimits) -> None:
        self._parts = parts
        self._leases = leases
        self._limits = limits

    def judge(self, seen: Sequence[StoredObject]) -> Iterator[Judged]:
        """Yield those of the bytes that no row names, in their order.

        Nobody is asked about what is no key, such as what a cut write left, or a name that
        is not UTF-8: no row has ever named it.
        """
        inventory = self._parts.inventory
        keys = {each.key for each in seen if KEY.fullmatch(each.key)}
        left = keys - inventory.named(keys, soon())  # most are gone by now
        guids = {guid_of(key) for key in left}
        creations = {each.guid: each for each in inventory.list_not_done(guids, soon())}
        bare = inventory.without_contents(guids, soon())
        named = keys - left | inventory.named(left, soon())  # after both
        for each in seen:
            if each.key not in named:
                guid = guid_of(each.key)
                yield self._judged(each, creations.get(guid), is_bare=guid in bare)

    def _judged(self, found: StoredObject, creation: Creation | None, *, is_bare: bool) -> Judged:
        if creation:
            return Judged(found, self._standing_of(creation), creation)
        if is_bare:
            return Judged(found, Standing.LIVE)
        is_young = found.modified_at > self._parts.creation.clock.now() - self._limits.young
        return Judged(found, Standing.YOUNG if is_young else Standing.ORPHAN)

    def _standing_of(self, creation: Creation) -> Standing:
        is_live = creation.lease_until_ms >= self._leases.ended_before_ms()
        is_live = is_live or self._parts.creation.spool.holds(creation.guid)
        return Standing.LIVE if is_live else Standing.UNFINISHED
