"""When a request is made again, and what ends a creation before or while it is asked for."""

import socket
import threading
import time
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageException,
    InvalidSizeError,
    ProviderOutcomeUnknownError,
    ProviderRateLimitedError,
    TooManyCreatesError,
)
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience
from pixy_grpc.service.generators.openai import OPENAI, Network
from tests.integration.generators.asking import LIMITS, OPTIONS, Make, create, picture
from tests.support.provider import Peer, Provider, held, image, refusal

PNG = picture()
PATIENT = replace(LIMITS, cap_seconds=60.0)

AT_ONCE_SECONDS = 10.0
"""Much less than anything here would be waited for."""


class Ledger:
    """Counts what an audience hears; may refuse."""

    def __init__(self, refuse: ImageException | None = None) -> None:
        self.asked_times = 0
        self.answered_times = 0
        self._refuse = refuse

    def audience(self) -> Audience:
        """Return whoever keeps it."""
        return Audience(Deadline.after(60), asking=self.asking, arriving=self.arriving)

    def asking(self) -> None:
        """Count, or end the creation."""
        if self._refuse:
            raise self._refuse
        self.asked_times += 1

    def arriving(self, deadline: Deadline) -> None:
        """Count."""
        assert deadline.remaining() > 0
        self.answered_times += 1


def test_rate_limit_with_retry_after_is_tried_again(provider: Provider, make: Make) -> None:
    """A provider that says when gets the request again, and each one is counted."""
    provider.will(refusal(429, retry_after="0"), refusal(429, retry_after="0"), image(PNG))
    ledger = Ledger()

    made = create(make(), audience=ledger.audience())

    assert made.data == PNG
    assert len(provider.requests) == ledger.asked_times == 3
    assert ledger.answered_times == 1


def test_rate_limit_past_the_audience_is_told_at_once(provider: Provider, make: Make) -> None:
    """The service has time, but whoever waits has not: nobody is paid for who is not there."""
    provider.will(refusal(429, retry_after="30"), image(PNG))
    began = time.monotonic()
    hurried = Audience(Deadline.after(20.0, from_caller=True))

    with pytest.raises(ProviderRateLimitedError) as raised:
        create(make(limits=PATIENT), 60.0, audience=hurried)

    assert raised.value.retry_delay_seconds == 30.0
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert len(provider.requests) == 1


def test_rate_limit_that_outlasts_its_audience_is_not_tried_again(
    provider: Provider, make: Make
) -> None:
    """Whoever goes meanwhile ends the pause, and no request is made for them."""
    leaves: list[float] = []

    def refuse(peer: Peer) -> None:
        leaves.append(time.monotonic() + 0.2)
        refusal(429, retry_after="30")(peer)

    provider.will(refuse, image(PNG))
    began = time.monotonic()
    leaving = Audience(
        Deadline.after(60), is_waiting=lambda: not leaves or time.monotonic() < leaves[0]
    )

    with pytest.raises(ProviderRateLimitedError):
        create(make(limits=PATIENT), 60.0, audience=leaving)

    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert len(provider.requests) == 1


def test_answer_is_waited_for_when_its_audience_has_gone(provider: Provider, make: Make) -> None:
    """What was accepted is paid for: neither their deadline nor their leaving ends it."""
    provider.will(held(image(PNG)))
    gone = threading.Event()
    audience = Audience(Deadline.after(1.5, from_caller=True), is_waiting=lambda: not gone.is_set())
    made: list[bytes] = []
    creation = threading.Thread(
        target=lambda: made.append(create(make(), audience=audience).data),
    )
    creation.start()
    provider.asked.wait()
    gone.set()
    threading.Event().wait(audience.deadline.remaining() + 0.1)

    provider.release.set()
    creation.join()

    assert made == [PNG]


def test_connection_that_comes_after_the_audience_is_not_used(
    provider: Provider, make: Make
) -> None:
    """Whose deadline passes before anything is sent is told so, and pays for nothing."""
    provider.on_connect = Peer.wait
    hurried = Audience(Deadline.after(1.0, from_caller=True))

    with pytest.raises(DeadlineTooShortError):
        create(make(base_url=f"https://127.0.0.1:{provider.port}/v1"), audience=hurried)

    assert not provider.requests


@pytest.mark.parametrize(("patience", "leaves"), [(1.0, False), (60.0, True)])
def test_audience_that_leaves_while_we_connect_is_not_paid_for(
    provider: Provider, make: Make, patience: float, *, leaves: bool
) -> None:
    """The last look is when the connection stands: out of time, or gone."""
    provider.will(image(PNG))
    gone = threading.Event()

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        connected = socket.create_connection(address, seconds)
        threading.Event().wait(0 if leaves else patience)
        gone.set()
        return connected

    audience = Audience(
        Deadline.after(patience, from_caller=True), lambda: not (leaves and gone.is_set())
    )

    with pytest.raises(DeadlineTooShortError):
        create(make(network=Network(connect=connect)), audience=audience)

    provider.stop()
    assert gone.is_set()
    assert not provider.requests


def test_cap_ends_what_the_caller_would_wait_for(provider: Provider, make: Make) -> None:
    """Our own limit holds for a caller with hours to spare."""
    provider.will(held(image(PNG)))
    began = time.monotonic()

    with pytest.raises(ProviderOutcomeUnknownError):
        create(make(limits=replace(LIMITS, cap_seconds=1.0)), 3600)

    assert time.monotonic() - began < AT_ONCE_SECONDS


def test_deadline_that_is_too_near_asks_nobody(provider: Provider, make: Make) -> None:
    """An image that comes too late is paid for all the same, so it is not ordered."""
    with pytest.raises(DeadlineTooShortError):
        create(make(limits=replace(LIMITS, least_seconds=2.0)), 1.0)

    assert not provider.connections


def test_check_refuses_before_anybody_is_asked(provider: Provider, make: Make) -> None:
    """A size that the profile does not know costs no request."""
    generator = make(profile=OPENAI)
    options = GenerationOptions(size="640x480")

    with pytest.raises(InvalidSizeError):
        generator.check(options)
    with pytest.raises(InvalidSizeError):
        create(generator, options=options)

    assert not provider.connections


def test_audience_that_refuses_ends_it_with_nothing_sent(provider: Provider, make: Make) -> None:
    """Whoever lost the right to spend money just before it is spent, spends none."""
    provider.will(image(PNG))
    ledger = Ledger(TooManyCreatesError("lost the lease"))

    with pytest.raises(TooManyCreatesError):
        create(make(), audience=ledger.audience())

    provider.stop()
    assert not provider.requests


def test_close_cuts_an_exchange(provider: Provider, make: Make) -> None:
    """A caller that waits for an answer when its server ends does not wait on."""
    provider.will(held(image(PNG)))
    generator = make(limits=replace(LIMITS, cap_seconds=60))
    errors: list[type[Exception]] = []

    def ask() -> None:
        try:
            generator.generate("a fox", OPTIONS, Deadline.after(60), Audience(Deadline.after(60)))
        except ImageException as error:
            errors.append(type(error))

    caller = threading.Thread(target=ask)
    caller.start()
    provider.asked.wait()
    generator.close()
    caller.join(AT_ONCE_SECONDS)

    assert not caller.is_alive()
    assert errors == [ProviderOutcomeUnknownError]
