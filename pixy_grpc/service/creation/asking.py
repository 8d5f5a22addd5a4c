"""Asks the generator: counted before, and accounted for afterwards, however it ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.creations import Creation, FenceLostError, Refusal
from pixy_grpc.core.exceptions import ImageException, ProviderUnavailableError
from pixy_grpc.core.ports import Audience
from pixy_grpc.core.progress import MAX_PARTIAL_BYTES
from pixy_grpc.service.creation.arrivals import Arrival
from pixy_grpc.service.creation.claims import Verdict, verdict
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.keeping import in_progress, unhindered
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.order import Order
from pixy_grpc.service.creation.parts import CreationParts
from pixy_grpc.service.creation.pictures import Made, Pictures
from pixy_grpc.service.inspection import sniff

RELEASE_SECONDS = 2.0
"""Cap on giving a creation up for which nothing was spent: the caller waits for it, and
its lease ends anyway."""

CONFIRM_SECONDS = 5.0
"""Cap on making sure of a lease, once it has run out: a request waits to be sent."""

_log = logging.getLogger(__name__)


class Asking:
    """Turns an order into an image, or into what the failure says."""

    def __init__(
        self, parts: CreationParts, pictures: Pictures, leases: Leases, limits: CreationLimits
    ) -> None:
        self._parts = parts
        self._pictures = pictures
        self._leases = leases
        self._limits = limits

    def ask(self, mine: Creation, order: Order, call: Call, arrival: Arrival) -> Made:
        """Have the image made, to the end, whoever still waits for it.

        The ask is noted; the image arrives where there is room for it. Raises what the
        generator does, and ProviderBadResponseError.
        """
        generator, prompt = self._parts.generator, order.image.prompt
        deadline = Deadline.after(self._limits.generate)
        start = HeadStart(self._parts.store, self._limits.store)
        try:
            self.confirm(mine)
            call.progress.generating(generator.name)
            audience = self._audience(mine, call, arrival)
            generated = generator.generate(prompt, order.options, deadline, audience)
            return self._pictures.made(mine, generated, start)
        except Exception as error:  # whatever it was, it may have been billed
            self._account(mine, error, start)
            raise

    def confirm(self, mine: Creation) -> None:
        """Make sure of the creation right before a request leaves that may be billed.

        Raises, so that nothing is sent, CreationInProgressError where somebody else goes
        on with it, and ProviderUnavailableError where that cannot be known.
        """
        try:
            self._leases.confirm(mine, Deadline.after(CONFIRM_SECONDS))
        except FenceLostError as error:
            raise in_progress() from error
        except ImageException as error:
            raise ProviderUnavailableError(
                "The lease of the creation has run out; the provider was not asked."
            ) from error

    def release(self, mine: Creation) -> None:
        """Give up a creation with as many asks as it had when it became ours."""
        with _noting(mine):
            deadline = Deadline.after(RELEASE_SECONDS)
            unhindered(lambda: self._parts.creations.release(mine.fence, mine.asks, deadline))

    def give_up(self, mine: Creation) -> None:
        """Leave a creation whose asks came to nobody knows what."""
        with _noting(mine):
            deadline = self._deadline()
            unhindered(lambda: self._parts.creations.note_unknown(mine.fence, deadline))

    def _audience(self, mine: Creation, call: Call, arrival: Arrival) -> Audience:
        """Return whoever waits for a call; they are shown what is an image by its first bytes."""

        def show(data: bytes) -> None:
            found = sniff(data)
            if found and len(data) <= MAX_PARTIAL_BYTES:
                call.progress.partial(data, found.content_type)

        return Audience(
            deadline=call.deadline,
            is_waiting=call.is_active,
            partial_images=call.progress.partial_images,
            show=show,
            asking=lambda: self.confirm(mine),
            arriving=arrival.enter,
        )

    def _account(self, mine: Creation, error: Exception, start: HeadStart) -> None:
        meaning = verdict(error)
        _log.info("creation %s guid=%s", meaning.name, mine.guid)
        if meaning is Verdict.RELEASED:
            self.release(mine)
        elif meaning is Verdict.REFUSED and isinstance(error, ImageException):
            self._refuse(mine, error, start)
        else:
            self.give_up(mine)

    def _refuse(self, mine: Creation, error: ImageException, start: HeadStart) -> None:
        """Keep the refusal; where that is ours to say, nobody adopts what was stored."""
        with _noting(mine):
            refusal, deadline = Refusal.of(error), self._deadline()
            unhindered(lambda: self._parts.creations.note_refused(mine.fence, refusal, deadline))
            start.set_aside()

    def _deadline(self) -> Deadline:
        return Deadline.after(self._limits.store)


@contextmanager
def _noting(mine: Creation) -> Iterator[None]:
    """Note how it ended, if that can be: else its lease ends, and a retry looks for itself."""
    try:
        yield
    except FenceLostError:
        _log.info("somebody else goes on guid=%s", mine.guid)
    except ImageException as error:
        _log.warning("end of a creation not noted guid=%s reason=%s", mine.guid, error.reason)
