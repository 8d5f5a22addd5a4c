"""Who may call: a token in one form, one text for every other, and health for anybody."""

from functools import partial

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from pixy_client import Client
from pixy_grpc.core.exceptions import InvalidTokenError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.wire import (
    ALL_METHODS,
    CREATE,
    LIST,
    REFLECTION,
    Metadata,
    ask,
    holdings,
    refused,
)
from tests.support.health import HealthStub
from tests.support.server import TOKENS, RunningServer

TOKEN = TOKENS["alice"]

REFUSED: dict[str, Metadata] = {
    "none": (),
    "empty": (("authorization", ""),),
    "scheme alone": (("authorization", "Bearer"),),
    "scheme and space": (("authorization", "Bearer "),),
    "unknown": (("authorization", "Bearer nobody-s-token"),),
    "cut": (("authorization", f"Bearer {TOKEN[:-1]}"),),
    "longer": (("authorization", f"Bearer {TOKEN}x"),),
    "upper case": (("authorization", f"Bearer {TOKEN.upper()}"),),
    "caller's name": (("authorization", "Bearer alice"),),
    "pair": (("authorization", f"Bearer alice={TOKEN}"),),
    "without scheme": (("authorization", TOKEN),),
    "other scheme": (("authorization", f"Basic {TOKEN}"),),
    "two schemes": (("authorization", f"Bearer Bearer {TOKEN}"),),
    "comma": (("authorization", f"Bearer {TOKEN}, Bearer {TOKEN}"),),
    "twice": (("authorization", f"Bearer {TOKEN}"),) * 2,
    "two callers": tuple(("authorization", f"Bearer {token}") for token in TOKENS.values()),
    "good and bad": (("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer x")),
    "other header": (("token", TOKEN), ("proxy-authorization", f"Bearer {TOKEN}")),
}
TEXT = (
    "The call needs the metadata `authorization: Bearer TOKEN`, once,"
    " with a token that this service knows."
)


@pytest.mark.parametrize("metadata", REFUSED.values(), ids=REFUSED)
def test_call_without_a_good_token_is_refused_with_one_text(
    channel: grpc.Channel, metadata: Metadata
) -> None:
    """Missing, malformed and unknown cannot be told apart by who tries them."""
    refusal = refused(lambda: ask(channel, LIST, b"", metadata=metadata))

    assert (refusal.status, refusal.reason) == ("UNAUTHENTICATED", "INVALID_TOKEN")
    assert refusal.text == TEXT
    assert set(refusal.metadata) == {"call_id"}


@pytest.mark.parametrize("method", ALL_METHODS)
def test_every_method_asks_for_a_token_first(
    lone_server: RunningServer, channel: grpc.Channel, method: str
) -> None:
    """Without one nothing is read, not even whether the message parses."""
    request = pb.CreateImageRequest(prompt="a fox").SerializeToString()
    before = holdings(lone_server)

    refusals = [
        refused(partial(ask, channel, method, data, metadata=())) for data in (request, b"\xff")
    ]

    assert [refusal.reason for refusal in refusals] == ["INVALID_TOKEN"] * 2
    assert holdings(lone_server) == before


def test_refusal_does_not_wait_for_a_message(channel: grpc.Channel) -> None:
    """Who sends headers and nothing else is answered at once, and holds no thread."""
    refusals = [refused(lambda: ask(channel, CREATE, metadata=())) for _ in range(20)]

    assert {refusal.reason for refusal in refusals} == {"INVALID_TOKEN"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_scheme_in_any_case_is_accepted(channel: grpc.Channel, scheme: str) -> None:
    """RFC 9110: the scheme's name is compared without regard to case."""
    answers = ask(channel, LIST, b"", metadata=(("authorization", f"{scheme} {TOKEN}"),))

    assert len(answers) == 1


def test_client_with_a_wrong_token_raises_invalid_token(server: RunningServer) -> None:
    """The client's user gets the same exception, whatever they call."""
    with Client(server.target, token="a-token-of-nobody") as client:
        with pytest.raises(InvalidTokenError) as created:
            client.create("a fox")
        with pytest.raises(InvalidTokenError) as listed:
            list(client.list())
        with pytest.raises(InvalidTokenError) as read:
            client.read("0" * 36)

    assert {caught.value.message for caught in (created, listed, read)} == {TEXT}
    assert created.value.request_id


def test_metadata_over_eight_kilobytes_is_refused(
    lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """We measure it ourselves, as the transport's own limit ends few of these calls, by chance."""
    metadata = (*lone_server.metadata(), ("x-padding", "p" * 8_050))

    refusals = [refused(lambda: ask(channel, LIST, b"", metadata=metadata)) for _ in range(20)]

    assert ("INVALID_ARGUMENT", "MALFORMED_REQUEST") in {(r.status, r.reason) for r in refusals}
    assert {r.status for r in refusals} <= {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}


def test_metadata_over_the_hard_limit_is_refused(
    lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """Far too much is ended by the transport, and the connection goes on."""
    metadata = lone_server.metadata()

    refusal = refused(
        lambda: ask(channel, LIST, b"", metadata=(*metadata, ("x-padding", "p" * 60_000)))
    )

    assert refusal.status == "RESOURCE_EXHAUSTED"
    assert ask(channel, LIST, b"", metadata=metadata)


@pytest.mark.parametrize("method", ["/pixy.v1.ImageService/Nothing", "/other.Service/Call", "/x"])
def test_unknown_method_is_told_to_callers_only(
    lone_server: RunningServer, channel: grpc.Channel, method: str
) -> None:
    """Who has no token does not learn which methods there are."""
    stranger = refused(lambda: ask(channel, method, b"", metadata=()))
    caller = refused(lambda: ask(channel, method, b"", metadata=lone_server.metadata()))

    assert stranger.reason == "INVALID_TOKEN"
    assert caller.status == "UNIMPLEMENTED"


def reflected(channel: grpc.Channel, metadata: Metadata) -> list[str]:
    """Ask a server which services it has."""
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (encoded,) = ask(channel, REFLECTION, request, metadata=metadata)
    answer = reflection_pb2.ServerReflectionResponse.FromString(encoded)
    return [service.name for service in answer.list_services_response.service]


def test_reflection_needs_a_token(lone_server: RunningServer, channel: grpc.Channel) -> None:
    """The contract is described to callers only."""
    refusal = refused(lambda: reflected(channel, ()))

    assert refusal.reason == "INVALID_TOKEN"
    assert "pixy.v1.ImageService" in reflected(channel, lone_server.metadata())


@pytest.mark.parametrize("metadata", [(), REFUSED["unknown"], REFUSED["twice"]])
def test_health_answers_without_a_token(channel: grpc.Channel, metadata: Metadata) -> None:
    """Probes carry no token, and a wrong one does not matter to them."""
    stub = HealthStub(channel)

    answer = stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_method_that_only_looks_like_health_needs_a_token(channel: grpc.Channel) -> None:
    """The open door is one service, not every name that begins like it."""
    refusal = refused(lambda: ask(channel, "/grpc.health.v1.HealthX/Check", b"", metadata=()))

    assert refusal.reason == "INVALID_TOKEN"
