"""What each fault of a provider becomes, and how often the provider is asked for it."""

from dataclasses import dataclass

import pytest

from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    ImageException,
    InvalidPromptError,
    InvalidSizeError,
    ProviderBadResponseError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
)
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.service.generators.openai import NOTHING_SPENT
from tests.integration.generators.asking import KEY, SHORT_SECONDS, Make, create, picture
from tests.support.provider import (
    Peer,
    Provider,
    Reply,
    answer,
    endless,
    head,
    held,
    image,
    refusal,
    slots,
)

PNG = picture()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
HTML = b"<html><body>Welcome</body></html>"


@dataclass(frozen=True)
class Fault:
    """A reply, the error it becomes, how often it is asked for, and the caller's patience."""

    reply: Reply
    error: type[ImageException]
    requests: int = 1
    seconds: float = 6.0


def _cut_midway(status: int = 200) -> Reply:
    def cut(peer: Peer) -> None:
        peer.send(head(status, "application/json", 1000) + b'{"data":')
        peer.reset()

    return cut


def _dripping_body(status: int = 200) -> Reply:
    def drip(peer: Peer) -> None:
        peer.send(head(status, "application/json", 5000))
        peer.drip(b" " * 5000)

    return drip


FAULTS = {
    "moderation": Fault(refusal(400, "moderation_blocked"), ContentPolicyError),
    "policy violation": Fault(refusal(400, "content_policy_violation"), ContentPolicyError),
    "bad size": Fault(refusal(400, "invalid_value", "size"), InvalidSizeError),
    "bad prompt": Fault(refusal(400, "string_too_long", "prompt"), InvalidPromptError),
    "bad model": Fault(refusal(400, "invalid_value", "model"), ProviderMisconfiguredError),
    "bad request": Fault(answer(HTML, 400, "text/html"), ProviderMisconfiguredError),
    "credit limit": Fault(refusal(400, "billing_hard_limit_reached"), ProviderQuotaError),
    "FastAPI's": Fault(
        answer(b'{"detail":[{"loc":["body","size"],"msg":"SECRET"}]}', 422), InvalidSizeError
    ),
    "no key": Fault(refusal(401, "invalid_api_key"), ProviderMisconfiguredError),
    "payment required": Fault(refusal(402), ProviderQuotaError),
    "forbidden": Fault(refusal(403), ProviderMisconfiguredError),
    "no model": Fault(refusal(404, "model_not_found"), ProviderMisconfiguredError),
    "long page": Fault(answer(HTML * 9000, 404, "text/html"), ProviderMisconfiguredError),
    "request timeout": Fault(refusal(408), ProviderOutcomeUnknownError),
    "no credit": Fault(refusal(429, "insufficient_quota", retry_after="0"), ProviderQuotaError),
    "rate limit": Fault(refusal(429), ProviderRateLimitedError),
    "rate limit, in vain": Fault(refusal(429, retry_after="0"), ProviderRateLimitedError, 3),
    "rate limit, too long": Fault(refusal(429, retry_after="60"), ProviderRateLimitedError),
    "rate limit, nonsense": Fault(refusal(429, retry_after="soon"), ProviderRateLimitedError),
    "failed after accepting": Fault(refusal(500), ProviderOutcomeUnknownError),
    "overloaded": Fault(refusal(503, retry_after="0"), ProviderOutcomeUnknownError),
    "redirect, same place": Fault(
        answer(b"", 307, location="/v2/images/generations"), ProviderMisconfiguredError
    ),
    "cut after the request": Fault(lambda peer: peer.reset(), ProviderOutcomeUnknownError),
    "cut in the answer": Fault(_cut_midway(), ProviderOutcomeUnknownError),
    "cut in a refusal": Fault(_cut_midway(403), ProviderMisconfiguredError),
    "slow": Fault(held(image(PNG)), ProviderOutcomeUnknownError, seconds=SHORT_SECONDS),
    "dripping headers": Fault(
        lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\n" * 1000),
        ProviderOutcomeUnknownError,
        seconds=SHORT_SECONDS,
    ),
    "dripping answers to come": Fault(
        lambda peer: peer.drip(b"HTTP/1.1 102 Wait\r\n\r\n" * 1000),
        ProviderOutcomeUnknownError,
        seconds=SHORT_SECONDS,
    ),
    "dripping body": Fault(_dripping_body(), ProviderOutcomeUnknownError, seconds=SHORT_SECONDS),
    "dripping refusal": Fault(
        _dripping_body(401), ProviderMisconfiguredError, seconds=SHORT_SECONDS
    ),
    "no HTTP": Fault(
        lambda peer: peer.send(b"220 mail.test ESMTP\r\n\r\n"), ProviderOutcomeUnknownError
    ),
    "HTML": Fault(answer(HTML, 200, "text/html"), ProviderBadResponseError),
    "nothing": Fault(answer(b"", 200), ProviderBadResponseError),
    "cut JSON": Fault(answer(b'{"data":[{"b64', 200), ProviderBadResponseError),
    "a list": Fault(answer(b"[]", 200), ProviderBadResponseError),
    "empty data": Fault(slots(), ProviderBadResponseError),
    "null data": Fault(answer(b'{"created":1,"data":null}'), ProviderBadResponseError),
    "null slot": Fault(slots(None), ProviderBadResponseError),
    "empty slot": Fault(slots({}), ProviderBadResponseError),
    "number for base64": Fault(slots({"b64_json": 7}), ProviderBadResponseError),
    "bad base64": Fault(slots({"b64_json": "=not base64="}), ProviderBadResponseError),
    "no ASCII in base64": Fault(slots({"b64_json": "é"}), ProviderBadResponseError),
    "truncated PNG": Fault(image(PNG[: len(PNG) // 2]), ProviderBadResponseError),
    "SVG that claims PNG": Fault(image(SVG, output_format="png"), ProviderBadResponseError),
    "HTML as an image": Fault(image(HTML), ProviderBadResponseError),
    "compressed": Fault(answer(b"\x1f\x8b", content_encoding="gzip"), ProviderBadResponseError),
    "too large, said so": Fault(answer(b"0" * 2_000_000), ProviderBadResponseError),
    "too large": Fault(endless, ProviderBadResponseError),
    "url of a file": Fault(slots({"url": "file:///etc/passwd"}), ProviderBadResponseError),
    "url of no kind": Fault(slots({"url": "http://["}), ProviderBadResponseError),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_raises_what_it_is_after_so_many_requests(
    name: str, provider: Provider, make: Make
) -> None:
    """Each fault has its error, costs no more requests than said, ends by the deadline,
    and shows neither the key nor the provider's text.
    """
    fault = FAULTS[name]
    provider.will(fault.reply)
    options = GenerationOptions(size="640x480")

    with pytest.raises(ImageException) as raised:
        create(make(), fault.seconds, options)

    assert type(raised.value) is fault.error
    assert len(provider.requests) == fault.requests
    assert not any(secret in raised.value.message for secret in (KEY, "SECRET", "127.0.0.1"))


def test_every_error_is_known_to_be_free_or_not() -> None:
    """Whoever keeps the accounts finds each error on one side, and only two that may cost."""
    errors = {fault.error for fault in FAULTS.values()}

    assert errors - NOTHING_SPENT == {ProviderOutcomeUnknownError, ProviderBadResponseError}


def test_default_size_that_is_refused_is_a_misconfiguration(provider: Provider, make: Make) -> None:
    """The caller is not told off for a size that the service chose."""
    provider.will(refusal(400, "invalid_value", "size"))

    with pytest.raises(ProviderMisconfiguredError):
        create(make())


def test_huge_answer_is_cut_early(provider: Provider, make: Make) -> None:
    """Of 200 MB no more is taken than an image may have, and what buffers hold."""
    provider.will(endless)

    with pytest.raises(ProviderBadResponseError):
        create(make())

    provider.stop()
    assert provider.taken_bytes < 16_000_000


def test_rate_limit_says_when_to_come_back(provider: Provider, make: Make) -> None:
    """The provider's Retry-After reaches the caller; without one there is a default."""
    for header, seconds in (({"retry_after": "60"}, 60.0), ({}, 10.0)):
        provider.will(refusal(429, **header))

        with pytest.raises(ProviderRateLimitedError) as raised:
            create(make())

        assert raised.value.retry_delay_seconds == seconds
