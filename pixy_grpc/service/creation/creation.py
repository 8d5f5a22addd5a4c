"""The use case of creating an image: one for each request id, paid for once."""

import threading
import uuid
from dataclasses import replace
from functools import partial

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.creations import Creation, FenceLostError, NewCreation
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    CreationInProgressError,
    DeadlineTooShortError,
    FieldViolation,
    ImageException,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    RequestIdReusedError,
    StorageFullError,
)
from pixy_grpc.service.creation.asking import Asking
from pixy_grpc.service.creation.backlog import Backlog
from pixy_grpc.service.creation.billed import after_asks
from pixy_grpc.service.creation.claims import Step, next_step
from pixy_grpc.service.creation.keeping import NOT_NOW, Keeping, in_progress
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import MAX_ASKS, CreationLimits
from pixy_grpc.service.creation.order import CreationRequest, Order, placed
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts
from pixy_grpc.service.creation.pictures import Made, Pictures
from pixy_grpc.service.creation.recovery import Recovery
from pixy_grpc.service.creation.rounds import Rounds
from pixy_grpc.service.creation.waiting import Waiting

JOIN_SECONDS = 3.0
"""Cap on waiting for a round of a thread when stopping: what it is at may be out of reach."""

_LIMITS = CreationLimits()


class ImageCreation:
    """Makes images."""

    def __init__(self, parts: CreationParts, limits: CreationLimits = _LIMITS) -> None:
        self._parts = parts
        self._limits = limits
        self._leases = Leases(parts.creations, parts.clock, limits)
        self._waiting = Waiting(self._leases)
        self._pictures = pictures = Pictures(limits)
        keeping = Keeping(parts, self._leases, limits)
        self._asking = Asking(parts, pictures, self._leases, limits)
        self._recovery = Recovery(parts, keeping, pictures, self._leases, limits)
        self._backlog = Backlog(parts, keeping, pictures, self._leases, limits)
        self._pause = limits.first_pause
        self._draining = threading.Event()
        self._rounds = Rounds("pixy-backlog", self._round)

    def start(self) -> None:
        """Go on with what earlier processes left, in the background from now on."""
        self._leases.start()
        self._rounds.ensure()

    def drain(self) -> None:
        """Let nobody begin to work any more who has waited: the time to stop is not theirs.

        Calls that have begun go on; that no more come is up to the server.
        """
        self._draining.set()

    def stop(self, seconds: float) -> bool:
        """Give creations that run that long to end; return whether all have.

        What is then not stored is in the spool, or found by who asks again. What was
        paid for and is in memory only is stored or spooled; an error in the log names
        what is lost.
        """
        self.drain()
        deadline = Deadline.after(seconds)
        ended = self._leases.await_idle(seconds)
        self._rounds.stop(JOIN_SECONDS)
        ended &= self._backlog.drain(deadline.remaining())
        self._leases.stop(JOIN_SECONDS)
        self._pictures.close()
        return ended

    def create(self, request: CreationRequest, call: Call) -> CreatedImage:
        """Make the image, or return the one that the request id has made.

        Returns once the image is durable; `call.progress` hears how far it has come.
        Raises what the contract's CreateImage names.
        """
        order = placed(request, call.caller)
        again = replace(call, working=partial(self._work_again, call))
        created = self._go_on(order, call)
        while created is None:
            created = self._go_on(order, again)
        return created

    def _work_again(self, call: Call) -> None:
        """Let a call go on to work that has waited; raise what keeps it from that."""
        if self._draining.is_set():
            raise ProviderUnavailableError("This server is stopping; nothing was made.")
        call.working()

    def _go_on(self, order: Order, call: Call) -> CreatedImage | None:
        """Do what is next; return None where that was to wait, or another was quicker."""
        found = self._parts.creations.find(order.key, call.deadline)
        step = self._step(order, found)
        if found is None:
            return self._start(order, call)
        if step is Step.REJECT:
            raise _reused()
        if step is Step.REFUSE and found.refusal:
            raise found.refusal.error()
        if step is Step.RESUME:
            return self._resume(order, found, call)
        if step is Step.REPLAY:
            stored = self._parts.images.get(found.guid, call.deadline)
            call.progress.accepted(waiting=False)
            return CreatedImage(stored.image, replayed=True)
        self._pass(step, found, order, call)
        return None

    def _pass(self, step: Step, found: Creation, order: Order, call: Call) -> None:
        """Wait for the creation that is there, or free its name."""
        if step is Step.WAIT:
            self._wait(order, call)
        else:
            self._parts.creations.retire(found.fence, str(uuid.uuid4()), call.deadline)

    def _step(self, order: Order, found: Creation | None) -> Step:
        """Look up the step; whoever is at work in this process surely lives."""
        now, ended = self._parts.clock.now(), self._leases.ended_before_ms()
        step = next_step(found, order.fingerprint, now, ended)
        return Step.WAIT if step is Step.RESUME and self._leases.holds(order.key) else step

    def _wait(self, order: Order, call: Call) -> None:
        def is_over() -> bool:
            found = self._parts.creations.find(order.key, call.deadline)
            return self._step(order, found) is not Step.WAIT

        self._waiting.wait(order.key, call, is_over)

    def _start(self, order: Order, call: Call) -> CreatedImage | None:
        self._admit(order, call)
        try:
            mine = self._parts.creations.claim(self._new(order), call.deadline)
        except ConstraintViolationError:
            return None
        with self._leases.held(mine.fence):
            call.progress.accepted(waiting=False)
            return self._make(mine, order, call)

    def _resume(self, order: Order, found: Creation, call: Call) -> CreatedImage | None:
        until, ended = self._leases.until_ms(), self._leases.ended_before_ms()
        with after_asks(found):
            if self._parts.spool.holds(found.guid):  # another process of this machine stores it
                raise in_progress()
            mine = self._parts.creations.take_over(found, until, ended, call.deadline)
        if mine is None:
            return None
        with self._leases.held(mine.fence), after_asks(mine):
            call.progress.accepted(waiting=False)
            return self._adopt(mine) or self._ask_again(mine, order, call)

    def _adopt(self, mine: Creation) -> CreatedImage | None:
        """Return the image of an attempt whose bytes are durable."""
        if not mine.asks:
            return None
        try:
            return self._recovery.adopt(mine)
        except NOT_NOW as error:
            raise in_progress() from error

    def _ask_again(self, mine: Creation, order: Order, call: Call) -> CreatedImage | None:
        if self._is_spooled(mine):  # since we looked
            self._asking.release(mine)
            raise in_progress()
        if mine.asks >= MAX_ASKS:
            self._asking.give_up(mine)
            raise ProviderOutcomeUnknownError(
                "The provider was asked twice and both answers are lost: it is not asked again."
            )
        return self._make(mine, order, call)

    def _is_spooled(self, mine: Creation) -> bool:
        try:
            return self._parts.spool.holds(mine.guid)
        except ImageException:
            self._asking.release(mine)
            raise

    def _make(self, mine: Creation, order: Order, call: Call) -> CreatedImage | None:
        """Ask, from where on the creation runs to its end, whoever waits for it."""
        try:
            call.working()
            self._admit(order, call)
            self._parts.creations.note_asked(mine.fence, call.deadline)
        except FenceLostError:
            return None
        except ImageException:
            self._asking.release(mine)
            raise
        with self._pictures.arrival(mine) as arrival:
            made = self._asking.ask(mine, order, call, arrival)
            return self._keep(mine, made, call)

    def _keep(self, mine: Creation, made: Made, call: Call) -> CreatedImage:
        try:
            return self._backlog.keep(mine, made, call.progress)
        except CreationInProgressError:
            self._rounds.ensure()
            self._rounds.call()
            raise

    def _admit(self, order: Order, call: Call) -> None:
        """Raise what would keep the image from being made, or from being wanted or kept."""
        self._parts.generator.check(order.options)
        call.deadline.check()
        if not call.is_active():
            raise DeadlineTooShortError("The caller has gone; nothing was made.")
        self._backlog.check()
        space = self._parts.store.space(call.deadline)
        if space and space.free_bytes < self._limits.spare_of(space.total_bytes):
            raise StorageFullError("The store of bytes is nearly full; nothing was made.")

    def _new(self, order: Order) -> NewCreation:
        return NewCreation(
            key=order.key,
            fingerprint=order.fingerprint,
            guid=str(uuid.uuid4()),
            prompt=order.image.prompt,
            filename=order.image.filename or "",
            generator=self._parts.generator.name,
            created_at=self._parts.clock.now(),
            lease_until_ms=self._leases.until_ms(),
        )

    def _round(self) -> float:
        """Store what waits, complete what was left; return when to do so again."""
        stored = self._backlog.work()
        self._recovery.sweep()
        if stored:
            self._pause = self._limits.first_pause
            return self._limits.round
        self._pause = min(self._pause * 2, self._limits.longest_pause)
        return self._pause


def _reused() -> RequestIdReusedError:
    description = "This request_id has made another image: a new creation takes a new one."
    return RequestIdReusedError(description, violations=[FieldViolation("request_id", description)])
