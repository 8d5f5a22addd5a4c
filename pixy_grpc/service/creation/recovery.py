"""Completes what others left unfinished, from bytes that are durable."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, FenceLostError, PaidImage
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    ImageCorruptError,
    ImageException,
    ProviderBadResponseError,
)
from pixy_grpc.service.creation.keeping import Keeping
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts
from pixy_grpc.service.creation.pictures import Made, Pictures

BATCH = 100
"""How many unfinished creations are looked at in one round."""

_log = logging.getLogger(__name__)


class Completion(Enum):
    """What came of completing a creation."""

    DONE = auto()
    """Its image is there."""
    BUSY = auto()
    """Somebody is at it, or has ended it."""
    UNUSABLE = auto()
    """None of its bytes are an image; nothing has changed."""


class Recovery:
    """Looks for bytes of earlier attempts, and binds them to their creation."""

    def __init__(
        self,
        parts: CreationParts,
        keeping: Keeping,
        pictures: Pictures,
        leases: Leases,
        limits: CreationLimits,
    ) -> None:
        self._parts = parts
        self._keeping = keeping
        self._pictures = pictures
        self._leases = leases
        self._limits = limits

    def adopt(self, mine: Creation) -> CreatedImage | None:
        """Complete a creation from durable bytes of any attempt; None where there are none.

        Raises what Keeping.finish does.
        """
        deadline = Deadline.after(self._limits.store)
        for key in self._keys(mine, deadline):
            made = self._made(mine, key, deadline)
            if made:
                return replace(self._keeping.bind(mine, made, deadline), replayed=True)
        return None

    def complete(self, found: Creation) -> Completion:
        """Complete a creation that nobody is at any more, whatever it has come to.

        Raises what Keeping.finish does.
        """
        if self._is_at_work(found):
            return Completion.BUSY
        deadline = Deadline.after(self._limits.store)
        if not any(self._made(found, key, deadline) for key in self._keys(found, deadline)):
            return Completion.UNUSABLE
        mine = self._taken(found, self._leases.ended_before_ms(), deadline)
        if mine is None:
            return Completion.BUSY
        with self._leases.held(mine.fence):
            return Completion.DONE if self.adopt(mine) else Completion.UNUSABLE

    def sweep(self) -> None:
        """Complete what has lost its owner, without the provider, as far as bytes go."""
        ended = self._leases.ended_before_ms()
        deadline = Deadline.after(self._limits.store)
        try:
            for found in self._parts.creations.list_unfinished(ended, BATCH, deadline):
                self._try(found, ended)
        except DBConnectionError as error:
            _log.warning("unfinished creations wait reason=%s", error.reason)

    def _try(self, found: Creation, ended: int) -> None:
        """Settle one; what is wrong with it alone does not stop those behind it."""
        try:
            self._settle(found, ended)
        except DBConnectionError:
            raise
        except ImageException as error:
            _log.warning("not completed guid=%s reason=%s", found.guid, error.reason)
        except Exception:  # noqa: BLE001 - reported
            _log.exception("not completed guid=%s", found.guid)

    def _settle(self, found: Creation, ended: int) -> None:
        if self._is_at_work(found):
            return
        deadline = Deadline.after(self._limits.store)
        mine = self._taken(found, ended, deadline)
        if mine is None:
            return
        with self._leases.held(mine.fence):
            if not mine.asks:
                self._parts.creations.release(mine.fence, 0, deadline)
            elif self.adopt(mine):
                _log.info("completed an unfinished creation guid=%s", mine.guid)
            else:
                self._give_up(mine, deadline)

    def _is_at_work(self, found: Creation) -> bool:
        """Tell whether this process, or another of this machine, is to store it."""
        return self._leases.holds(found.key) or self._parts.spool.holds(found.guid)

    def _taken(self, found: Creation, ended: int, deadline: Deadline) -> Creation | None:
        until = self._leases.until_ms()
        return self._parts.creations.take_over(found, until, ended, deadline)

    def _give_up(self, mine: Creation, deadline: Deadline) -> None:
        """Leave it to whoever asks again: only they may have the provider asked."""
        try:
            self._parts.creations.note_unknown(mine.fence, deadline)
        except FenceLostError:
            _log.debug("an owner came back guid=%s", mine.guid)

    def _keys(self, mine: Creation, deadline: Deadline) -> Iterator[str]:
        if mine.store_key:
            yield mine.store_key
        for key in self._parts.store.keys(mine.guid, deadline):
            if key != mine.store_key:
                yield key

    def _made(self, mine: Creation, key: str, deadline: Deadline) -> Made | None:
        model = mine.model if key == mine.store_key else ""
        paid = PaidImage(mine.fence, mine.guid, key, model)
        try:
            with (
                self._pictures.arrival(mine) as arrival,
                self._parts.store.open(key, deadline) as source,
            ):
                arrival.enter(deadline)
                return self._pictures.found(mine, paid, source.read(0, source.size_bytes))
        except (ImageCorruptError, ProviderBadResponseError) as error:
            _log.warning("unusable bytes key=%s reason=%s", key, error.reason)
            return None
