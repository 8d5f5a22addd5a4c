"""What each fault of a provider costs: status, reason, requests, and what stays of the claim."""

import uuid
from dataclasses import dataclass

import pytest

from pixy_grpc.core.creations import CreationState
from tests.e2e.creation.callers import create, refusal, request
from tests.e2e.provider.asking import KEY, Asked
from tests.integration.generators.asking import picture
from tests.support.provider import (
    Peer,
    Reply,
    answer,
    endless,
    head,
    held,
    image,
    slots,
)
from tests.support.provider import (
    refusal as refusing,
)

PNG = picture()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
HTML = b"<html><body>Welcome</body></html>"

RELEASED = None
REFUSED = CreationState.REFUSED
UNKNOWN = CreationState.UNKNOWN


@dataclass(frozen=True)
class Cost:
    """A fault, what the caller is told, and what there is to show for it."""

    reply: Reply
    told: tuple[str, str]
    state: CreationState | None
    requests: int = 1


def _cut(peer: Peer) -> None:
    peer.reset()


def _cut_in_the_answer(peer: Peer) -> None:
    peer.send(head(200, "application/json", 1000) + b'{"data":')
    peer.reset()


def _drip(peer: Peer) -> None:
    peer.send(head(200, "application/json", 5000))
    peer.drip(b" " * 5000)


_LOOPBACK = slots({"url": "https://127.0.0.1:1/1.png"})
_LINK_LOCAL = slots({"url": "https://169.254.169.254/latest/meta-data/"})

CONTENT_POLICY = ("INVALID_ARGUMENT", "CONTENT_POLICY")
MISCONFIGURED = ("FAILED_PRECONDITION", "PROVIDER_MISCONFIGURED")
RATE_LIMITED = ("RESOURCE_EXHAUSTED", "PROVIDER_RATE_LIMITED")
QUOTA = ("RESOURCE_EXHAUSTED", "PROVIDER_QUOTA")
LOST = ("UNKNOWN", "PROVIDER_OUTCOME_UNKNOWN")
UNUSABLE = ("INTERNAL", "PROVIDER_BAD_RESPONSE")

SLOW = {
    "slow": Cost(held(image(PNG)), LOST, UNKNOWN),
    "dripping": Cost(_drip, LOST, UNKNOWN),
}
"""Those that nothing ends but the cap on an exchange."""

COSTS = {
    "400 moderation": Cost(refusing(400, "moderation_blocked"), CONTENT_POLICY, REFUSED),
    "401": Cost(refusing(401, "invalid_api_key"), MISCONFIGURED, RELEASED),
    "404": Cost(refusing(404, "model_not_found"), MISCONFIGURED, RELEASED),
    "429 without Retry-After": Cost(refusing(429), RATE_LIMITED, RELEASED),
    "429 for too long": Cost(refusing(429, retry_after="60"), RATE_LIMITED, RELEASED),
    "429 to the end": Cost(refusing(429, retry_after="0"), RATE_LIMITED, RELEASED, requests=3),
    "insufficient_quota": Cost(refusing(429, "insufficient_quota"), QUOTA, RELEASED),
    "500 after accepting": Cost(refusing(500), LOST, UNKNOWN),
    "cut after the request": Cost(_cut, LOST, UNKNOWN),
    "cut in the answer": Cost(_cut_in_the_answer, LOST, UNKNOWN),
    "HTML with 200": Cost(answer(HTML, 200, "text/html"), UNUSABLE, REFUSED),
    "empty data": Cost(slots(), UNUSABLE, REFUSED),
    "null data": Cost(answer(b'{"created":1,"data":null}'), UNUSABLE, REFUSED),
    "bad base64": Cost(slots({"b64_json": "=not base64="}), UNUSABLE, REFUSED),
    "truncated PNG": Cost(image(PNG[: len(PNG) // 2]), UNUSABLE, REFUSED),
    "SVG that claims PNG": Cost(image(SVG, output_format="png"), UNUSABLE, REFUSED),
    "200 MB": Cost(endless, UNUSABLE, REFUSED),
    "redirect": Cost(answer(b"", 307, location="/v2"), MISCONFIGURED, RELEASED),
    "url into loopback": Cost(_LOOPBACK, UNUSABLE, REFUSED),
    "url into link-local": Cost(_LINK_LOCAL, UNUSABLE, REFUSED),
}
"""The stand-in's faults, by the names they have in the README and the issue tracker."""


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
def test_fault_costs_what_it_says_and_stores_nothing(asked: Asked, cost: Cost) -> None:
    """The caller hears the reason, the provider its requests, and the claim stays or goes."""
    require_cost(asked, cost)


@pytest.mark.parametrize("cost", SLOW.values(), ids=SLOW)
def test_slowness_costs_what_it_says_and_stores_nothing(impatient: Asked, cost: Cost) -> None:
    """Likewise."""
    require_cost(impatient, cost)


def require_cost(asked: Asked, cost: Cost) -> None:
    request_id, before = str(uuid.uuid4()), asked.files()
    asked.provider.will(cost.reply)

    told = refusal(asked.server, request(request_id))

    claim = asked.claim(request_id)
    assert (told.status, told.reason) == cost.told
    assert len(asked.provider.requests) == cost.requests
    assert (claim.state if claim else RELEASED) == cost.state
    assert (claim.asks if claim else 0) == (0 if cost.state is RELEASED else 1)
    assert asked.files() == before
    assert not any(secret in told.text for secret in (KEY, "SECRET", "127.0.0.1", "169.254"))


@pytest.mark.parametrize("name", [name for name, cost in COSTS.items() if cost.state is REFUSED])
def test_refusal_is_repeated_without_the_provider(asked: Asked, name: str) -> None:
    """Who asks again with the same request id gets the same no, and pays nothing for it."""
    message = request()
    asked.provider.will(COSTS[name].reply)
    first = refusal(asked.server, message)
    asked.provider.will(image(PNG))

    again = refusal(asked.server, message)

    assert (again.status, again.reason, again.text) == (
        first.status,
        first.reason,
        first.text,
    )
    assert len(asked.provider.requests) == 1


@pytest.mark.parametrize("name", [name for name, cost in COSTS.items() if cost.state is RELEASED])
def test_retry_of_what_cost_nothing_begins_anew(asked: Asked, name: str) -> None:
    """The request id is free again: its next image is a first one."""
    message = request()
    asked.provider.will(COSTS[name].reply)
    refusal(asked.server, message)
    asked.provider.forget()
    asked.provider.will(image(PNG))

    created = create(asked.server, message)

    claim = asked.claim(message.request_id)
    assert not created.replayed
    assert claim is not None
    assert (claim.state, claim.asks) == (CreationState.DONE, 1)
    assert len(asked.provider.requests) == 1


@pytest.mark.parametrize("name", [name for name, cost in COSTS.items() if cost.state is UNKNOWN])
def test_retry_of_a_lost_answer_asks_once_more_and_never_a_third_time(
    asked: Asked, name: str
) -> None:
    """Nobody knows what a lost answer cost, so that the asks are counted."""
    require_no_third_ask(asked, COSTS[name])


@pytest.mark.parametrize("name", SLOW)
def test_retry_of_a_slow_answer_asks_once_more_and_never_a_third_time(
    impatient: Asked, name: str
) -> None:
    """Likewise."""
    require_no_third_ask(impatient, SLOW[name])


def require_no_third_ask(asked: Asked, cost: Cost) -> None:
    message = request()
    asked.provider.will(cost.reply)

    lost = [refusal(asked.server, message).reason for _ in range(3)]

    claim = asked.claim(message.request_id)
    assert lost == ["PROVIDER_OUTCOME_UNKNOWN"] * 3
    assert len(asked.provider.requests) == 2
    assert claim is not None
    assert (claim.state, claim.asks) == (UNKNOWN, 2)
