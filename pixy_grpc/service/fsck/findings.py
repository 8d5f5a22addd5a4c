"""What a check finds, and what is done about it: the events of one run, in their order."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong. Text is for programs: it does not change."""

    UNKNOWN_BYTES = "row_without_contents"
    """An image of which no bytes are known: an older one whose file was not found."""
    MISSING = "row_without_bytes"
    """An image whose bytes are not there, or are no plain object."""
    UNREADABLE = "unreadable_bytes"
    """An image whose bytes the store does not give out, though it is there itself."""
    WRONG_SIZE = "wrong_size"
    """An image with more or fewer bytes than were stored."""
    WRONG_SUM = "wrong_sum"
    """An image with other bytes than were stored."""
    SHARED = "bytes_of_several_rows"
    """An older image whose file another names too: whose bytes they are nobody can tell."""
    NOT_AN_IMAGE = "not_an_image"
    """An older image whose bytes do not decode: cut off, and left alone, or nothing known."""
    ORPHAN = "bytes_without_row"
    """Bytes that no row and no creation names, nor ever will."""
    UNFINISHED = "unfinished_creation"
    """Bytes of a creation that nobody is at any more, and that is not done."""
    LEFTOVER = "cut_write"
    """What a write that was cut has left."""
    NOT_PURGED = "not_purged"
    """What lies in quarantine, is old enough, and cannot be deleted."""
    STALE_RENDITIONS = "renditions_without_row"
    """Renditions on this machine of an image that is gone."""
    UNREADABLE_CACHE = "unreadable_renditions"
    """The cache of renditions cannot be looked through."""


class Action(StrEnum):
    """What can be done. Text is for programs: it does not change."""

    FINISHED = "finished"
    """The creation was completed: its image is there."""
    QUARANTINED = "quarantined"
    """The bytes were moved to quarantine."""
    RESTORED = "restored"
    """The image's bytes were moved back from quarantine."""
    ADOPTED = "adopted"
    """The image has its size, type, dimensions and sums now."""
    PURGED = "purged"
    """The bytes were deleted from quarantine."""
    REMOVED = "removed"
    """The renditions were deleted: of an image that is there they would be made anew."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `guid` and `key` are empty where there is none."""

    fault: Fault
    guid: str = ""
    key: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Repair:
    """One thing that was done, and what it has mended, if that had been a finding."""

    action: Action
    fault: Fault | None
    guid: str = ""
    key: str = ""


class Step(StrEnum):
    """What a run does at a time."""

    ROWS = "rows"
    OBJECTS = "objects"
    REPAIR = "repair"
    ADOPTION = "adoption"
    PURGE = "purge"


@dataclass(frozen=True)
class Progress:
    """How far a step has come: `at` of `total`, 0 where that is not known.

    `seen` counts what the step has looked at.
    """

    step: Step
    seen: int
    at: int
    total: int


Event = Finding | Repair | Progress


class TooManyOrphansError(Exception):
    """So many bytes belong to nobody that the database may be the wrong one, or an old one.

    `moved` is None where nothing was changed: they were told before anything was. Else they
    came to light while it was mended, and what had been done by then stays.
    """

    def __init__(self, orphans: int, objects: int, allowed: int, moved: int | None = None) -> None:
        done = "nothing is changed"
        if moved is not None:
            done = f"{moved} of them were moved, beside what else was mended before that"
        super().__init__(
            f"{orphans} of {objects} objects belong to no image, more than the {allowed} that"
            f" crashes may leave: {done}. Is the database the right one, and not restored"
            " from an old copy? If it is, --allow-orphans N has N of them allowed."
        )
        self.orphans = orphans
        self.objects = objects
        self.allowed = allowed
