"""An answer that comes in events: unfinished images are shown, the finished one counts."""

import threading
from dataclasses import dataclass, field, replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    ImageException,
    InvalidSizeError,
    ProviderBadResponseError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
)
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience
from pixy_grpc.core.progress import MAX_PARTIAL_BYTES
from pixy_grpc.service.generators.openai import (
    COMPATIBLE,
    OPENAI,
    OPENAI_ANY_SIZE,
    Limits,
    OpenAIGenerator,
    Profile,
)
from pixy_grpc.service.generators.openai.answer import MAX_STRUCTURE
from tests.integration.generators.asking import (
    KEY,
    LIMITS,
    SHORT_SECONDS,
    Make,
    create,
    picture,
)
from tests.support.provider import (
    Peer,
    Provider,
    Reply,
    answer,
    chunk,
    completed,
    event,
    events,
    fault,
    image,
    partial,
    refusal,
)

PNG = picture()
OTHER = picture("WEBP", 32)
USAGE = {"input_tokens": 12, "output_tokens": 472, "total_tokens": 484}
SHOWING = replace(LIMITS, max_partial_images=3)
WAIT_SECONDS = 20.0


@dataclass
class Seen:
    """What an audience was shown."""

    images: list[bytes] = field(default_factory=list)
    changed: threading.Event = field(default_factory=threading.Event)

    def show(self, data: bytes) -> None:
        """Keep it."""
        self.images.append(data)
        self.changed.set()


def watching(seen: Seen, partial_images: int = 3, seconds: float = 6.0) -> Audience:
    return Audience(
        Deadline.after(seconds, from_caller=True), partial_images=partial_images, show=seen.show
    )


def send(data: bytes) -> Reply:
    return lambda peer: peer.send(data)


def test_finished_image_comes_with_what_it_took(provider: Provider, make: Make) -> None:
    """Unfinished ones are shown as they were sent; the last event is the image."""
    provider.will(events(partial(OTHER), partial(PNG, 1), completed(PNG, usage=USAGE)))
    seen = Seen()

    made = create(make(profile=OPENAI, limits=SHOWING), audience=watching(seen, 2))

    assert made.data == PNG
    assert seen.images == [OTHER, PNG]
    assert made.usage
    assert made.usage.provider_request_id == "req_42"
    assert (made.usage.input_tokens, made.usage.output_tokens) == (12, 472)
    assert provider.requests[0].parameters == {
        "model": "a-model",
        "prompt": "a fox",
        "n": 1,
        "stream": True,
        "partial_images": 2,
    }


def test_unfinished_image_is_shown_before_the_finished_one_is_sent(
    provider: Provider, make: Make
) -> None:
    """The provider waits with the last event until the audience has seen the first."""
    seen = Seen()

    def until_seen(_: Peer) -> None:
        assert seen.changed.wait(WAIT_SECONDS)

    provider.will(events(partial(OTHER), until_seen, completed(PNG)))

    made = create(make(profile=OPENAI, limits=SHOWING), audience=watching(seen))

    assert (made.data, seen.images) == (PNG, [OTHER])


@pytest.mark.parametrize(
    ("profile", "allowed", "wanted", "asked"),
    [
        (OPENAI, 3, 3, 3),
        (OPENAI_ANY_SIZE, 1, 3, 1),
        (OPENAI, 3, 1, 1),
        (OPENAI, 3, 0, None),
        (OPENAI, 0, 3, None),
        (COMPATIBLE, 3, 3, None),
    ],
)
def test_as_many_are_asked_for_as_are_wanted_allowed_and_understood(
    provider: Provider, make: Make, profile: Profile, allowed: int, wanted: int, asked: int | None
) -> None:
    """They cost extra: nobody gets any who did not ask, nor against the settings."""
    provider.will(image(PNG))
    limits = replace(LIMITS, max_partial_images=allowed)

    create(make(profile=profile, limits=limits), audience=watching(Seen(), wanted))

    assert provider.requests[0].parameters.get("partial_images") == asked
    assert provider.requests[0].parameters.get("stream") == (True if asked else None)


@pytest.mark.parametrize("allowed", [-1, 4])
def test_as_many_as_no_provider_makes_are_no_setting(allowed: int) -> None:
    """Said when it is set, not when somebody asks."""
    with pytest.raises(ValueError, match="0 to 3"):
        Limits(max_partial_images=allowed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * (MAX_PARTIAL_BYTES + 1),
    ],
)
def test_unfinished_image_that_cannot_be_shown_costs_no_image(
    provider: Provider, make: Make, data: bytes
) -> None:
    """One that is empty is handed on for its owner to drop, one that is too large is not."""
    provider.will(events(partial(data), completed(PNG)))
    seen = Seen()
    limits = replace(SHOWING, image_bytes=8 << 20)

    made = create(make(profile=OPENAI, limits=limits), audience=watching(seen))

    assert made.data == PNG
    assert not any(seen.images)


def test_events_that_mean_nothing_are_passed_over(provider: Provider, make: Make) -> None:
    """Comments, other types, broken JSON and broken base64 are no reason to lose an image."""
    provider.will(
        events(
            send(chunk(b": keep-alive\n\n")),
            send(chunk(b"data: {nonsense\n\n")),
            send(chunk(b"data: [1, 2]\n\n")),
            {"type": "image_generation.partial_image", "b64_json": "=not base64="},
            {"type": "image_generation.started"},
            completed(PNG),
            fault("too late to matter"),
        )
    )
    seen = Seen()

    made = create(make(profile=OPENAI, limits=SHOWING), audience=watching(seen))

    assert (made.data, seen.images) == (PNG, [])


def test_finished_image_without_the_blank_line_behind_it_counts(
    provider: Provider, make: Make
) -> None:
    """It is there, and it is paid for."""
    provider.will(events(send(chunk(event(completed(PNG)).rstrip()))))

    made = create(make(profile=OPENAI, limits=SHOWING), audience=watching(Seen()))

    assert made.data == PNG


def test_answer_in_one_piece_is_taken_though_events_were_asked_for(
    provider: Provider, make: Make
) -> None:
    """An endpoint that ignores `stream` has made the image all the same."""
    provider.will(image(PNG, usage=USAGE))

    made = create(make(profile=OPENAI, limits=SHOWING), audience=watching(Seen()))

    assert made.data == PNG
    assert made.usage
    assert made.usage.output_tokens == 472


@dataclass(frozen=True)
class Fault:
    """A reply, the error it becomes, and the caller's patience."""

    reply: Reply
    error: type[ImageException]
    seconds: float = 6.0


def _endless_events(peer: Peer) -> None:
    for _ in range(3000):
        peer.send(chunk(event(partial(b"x" * 60_000))))


def _endless_line(peer: Peer) -> None:
    peer.send(chunk(b"data: "))
    for _ in range(3000):
        peer.send(chunk(b"x" * 60_000))


FAULTS = {
    "cut": Fault(events(partial(OTHER), Peer.reset), ProviderOutcomeUnknownError),
    "cut in an event": Fault(
        events(partial(OTHER), send(chunk(event(completed(PNG))[:500])), Peer.reset),
        ProviderOutcomeUnknownError,
    ),
    "ended": Fault(events(partial(OTHER)), ProviderOutcomeUnknownError),
    "ended in an event": Fault(
        events(send(chunk(event(completed(PNG))[:500]))), ProviderOutcomeUnknownError
    ),
    "no event": Fault(events(), ProviderOutcomeUnknownError),
    "waiting": Fault(events(partial(OTHER), Peer.wait), ProviderOutcomeUnknownError, SHORT_SECONDS),
    "dripping": Fault(
        events(lambda peer: peer.drip(chunk(b":" * 5000))),
        ProviderOutcomeUnknownError,
        SHORT_SECONDS,
    ),
    "moderation": Fault(
        events(partial(OTHER), fault("moderation_blocked", "image_generation_user_error")),
        ContentPolicyError,
    ),
    "no credit": Fault(events(fault("insufficient_quota")), ProviderQuotaError),
    "bad size": Fault(
        events(fault("invalid_value", "invalid_request_error", "size")), InvalidSizeError
    ),
    "failed": Fault(events(partial(OTHER), fault("server_error")), ProviderOutcomeUnknownError),
    "failed, said flat": Fault(
        events({"type": "error", "code": "moderation_blocked", "message": "SECRET"}),
        ContentPolicyError,
    ),
    "rate limit": Fault(
        events(fault("rate_limit_exceeded", "requests")), ProviderOutcomeUnknownError
    ),
    "no image": Fault(events({"type": "image_generation.completed"}), ProviderBadResponseError),
    "bad base64": Fault(
        events({"type": "image_generation.completed", "b64_json": "=no="}),
        ProviderBadResponseError,
    ),
    "truncated PNG": Fault(events(completed(PNG[: len(PNG) // 2])), ProviderBadResponseError),
    "too many events": Fault(events(_endless_events), ProviderBadResponseError),
    "too large an event": Fault(events(_endless_line), ProviderBadResponseError),
    "all structure": Fault(
        events(completed(PNG, usage=[{}] * MAX_STRUCTURE)), ProviderBadResponseError
    ),
    "HTML": Fault(answer(b"<html></html>", 200, "text/html"), ProviderBadResponseError),
    "refused at once": Fault(refusal(400, "moderation_blocked"), ContentPolicyError),
    "refused key": Fault(refusal(401), ProviderMisconfiguredError),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_among_events_raises_what_it_is_after_one_request(
    name: str, provider: Provider, make: Make
) -> None:
    """Something was accepted, so nothing is asked anew; it ends in time, and tells no secret."""
    failing = FAULTS[name]
    provider.will(failing.reply)
    options = GenerationOptions(size="1024x1024")
    seen = Seen()

    with pytest.raises(ImageException) as raised:
        create(
            make(profile=OPENAI, limits=SHOWING),
            failing.seconds,
            options,
            watching(seen, seconds=failing.seconds),
        )

    provider.stop()
    assert type(raised.value) is failing.error
    assert len(provider.requests) == 1
    assert provider.taken_bytes < 24_000_000
    assert not any(secret in raised.value.message for secret in (KEY, "SECRET", "127.0.0.1"))


def test_stream_needs_no_room_while_it_waits(provider: Provider, make: Make) -> None:
    """Events begin long before there is anything to decode: only the last one arrives."""
    seen, arrived = Seen(), threading.Event()
    provider.will(events(partial(OTHER), Peer.wait))
    generator = make(profile=OPENAI, limits=replace(SHOWING, cap_seconds=60.0))
    audience = replace(watching(seen, seconds=40.0), arriving=lambda _: arrived.set())
    slow = threading.Thread(target=_watch_in_vain, args=(generator, audience))
    slow.start()
    assert seen.changed.wait(WAIT_SECONDS)

    generator.close()

    slow.join(WAIT_SECONDS)
    assert not slow.is_alive()
    assert not arrived.is_set()


def test_large_image_waits_for_room_before_it_is_read(provider: Provider, make: Make) -> None:
    """The provider waits with the end of it: however many come at once, few are in memory."""
    arrived = threading.Event()
    data = PNG + bytes(6 << 20)
    large = event(completed(data))

    def until_arrived(_: Peer) -> None:
        assert arrived.wait(WAIT_SECONDS)

    provider.will(
        events(send(chunk(large[: 6 << 20])), until_arrived, send(chunk(large[6 << 20 :])))
    )
    limits = replace(SHOWING, image_bytes=8 << 20, cap_seconds=60.0)
    audience = replace(watching(Seen(), seconds=40.0), arriving=lambda _: arrived.set())

    made = create(make(profile=OPENAI, limits=limits), 40.0, audience=audience)

    assert made.data == data


def _watch_in_vain(generator: OpenAIGenerator, audience: Audience) -> None:
    with pytest.raises(ProviderOutcomeUnknownError):
        create(generator, 40.0, audience=audience)
