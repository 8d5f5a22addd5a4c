"""Messages that do not parse, too few of them or too many: MALFORMED_REQUEST, and why."""

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.wire import (
    ALL_METHODS,
    CREATE,
    DELETE,
    GET,
    LIST,
    READ,
    REFLECTION,
    TIMEOUT_SECONDS,
    UPDATE,
    Refusal,
    ask,
    holdings,
    refused,
)
from tests.support.server import RunningServer


def field(number: int, wire_type: int, rest: bytes) -> bytes:
    """Return one field of a message as it is encoded."""
    return bytes([number << 3 | wire_type]) + rest


def text(number: int, data: bytes) -> bytes:
    """Return a field that holds text, or claims to."""
    return field(number, 2, bytes([len(data)]) + data)


MALFORMED = {
    "garbage": b"\xff\xfe\xfd not a message",
    "cut off inside a field": text(1, b"a prompt")[:-3],
    "length of five bytes, all ones": field(1, 2, b"\xff\xff\xff\xff\xff"),
    "varint without end": field(3, 0, b"\xff" * 11),
    "field number zero": b"\x02\x01a",
    "end of a group that never began": field(1, 4, b""),
    "group without end": field(1, 3, b""),
    "wire type that is none": field(1, 7, b"\x00"),
}
NOT_UTF8 = {
    "lone continuation byte": b"a \x80 fox",
    "overlong NUL": b"a \xc0\x80 fox",
    "surrogate": b"a \xed\xa0\x80 fox",
    "past the last character": b"a \xf4\x90\x80\x80 fox",
    "cut character": b"a fox \xe7\x8b",
}
STRING_FIELDS = [
    *((CREATE, number) for number in (1, 2, 3, 4, 5)),
    (GET, 1),
    (READ, 1),
    (DELETE, 1),
    *((LIST, number) for number in (2, 3, 4)),
    *((UPDATE, number) for number in (1, 2, 3)),
]


def is_malformed(refusal: Refusal) -> bool:
    """Tell whether it is the contract's answer to what does not parse."""
    return (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")


@pytest.mark.parametrize("method", ALL_METHODS)
@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_message_that_does_not_parse_is_malformed(
    lone_server: RunningServer, channel: grpc.Channel, method: str, data: bytes
) -> None:
    """What grpcio would answer without a reason has one here, in every method."""
    before = holdings(lone_server)

    refusal = refused(lambda: ask(channel, method, data, metadata=lone_server.metadata()))

    assert is_malformed(refusal)
    assert refusal.metadata["call_id"]
    assert holdings(lone_server) == before


def test_question_of_reflection_that_does_not_parse_is_malformed(
    lone_server: RunningServer, channel: grpc.Channel, log: LogBook
) -> None:
    """Behind one that does, too; the log says the same, without a traceback."""
    question = text(7, b"")  # list_services

    refusal = refused(
        lambda: ask(channel, REFLECTION, question, b"\xff", metadata=lone_server.metadata())
    )

    assert is_malformed(refusal)
    assert log.of(refusal.metadata["call_id"])[-1].pairs["code"] == "INVALID_ARGUMENT"
    assert "Traceback" not in log.text


@pytest.mark.parametrize(("method", "number"), STRING_FIELDS)
@pytest.mark.parametrize("data", NOT_UTF8.values(), ids=NOT_UTF8)
def test_text_that_is_not_utf8_is_malformed(
    lone_server: RunningServer, channel: grpc.Channel, method: str, number: int, data: bytes
) -> None:
    """A string field holds UTF-8 or the message is none."""
    refusal = refused(
        lambda: ask(channel, method, text(number, data), metadata=lone_server.metadata())
    )

    assert is_malformed(refusal)


@pytest.mark.parametrize("method", ALL_METHODS)
@pytest.mark.parametrize("count", [0, 2])
def test_other_than_one_message_is_malformed(
    lone_server: RunningServer, channel: grpc.Channel, method: str, count: int
) -> None:
    """A unary request is one message: neither none nor two."""
    request = pb.CreateImageRequest(prompt="a fox", size="64x64")
    before = holdings(lone_server)

    refusal = refused(
        lambda: ask(channel, method, *[request] * count, metadata=lone_server.metadata())
    )

    assert is_malformed(refusal)
    assert holdings(lone_server) == before


@pytest.mark.parametrize("method", ALL_METHODS)
def test_unary_stub_with_garbage_is_malformed(
    lone_server: RunningServer, channel: grpc.Channel, method: str
) -> None:
    """The answer reaches an ordinary unary call as well."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

    refusal = refused(
        lambda: call(b"\xff", metadata=lone_server.metadata(), timeout=TIMEOUT_SECONDS)
    )

    assert is_malformed(refusal)


def test_field_of_another_wire_type_is_not_that_field(
    lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """Protobuf takes it for a field of a later version: the prompt is then not given."""
    refusal = refused(
        lambda: ask(channel, CREATE, field(1, 0, b"\x05"), metadata=lone_server.metadata())
    )

    assert (refusal.reason, refusal.fields) == ("INVALID_PROMPT", ("prompt",))


def test_unknown_fields_are_ignored(lone_server: RunningServer, channel: grpc.Channel) -> None:
    """A client of a later version is understood as far as possible."""
    request = pb.CreateImageRequest(prompt="a fox", size="64x64").SerializeToString()

    (answer,) = ask(channel, CREATE, request + text(15, b"later"), metadata=lone_server.metadata())

    assert pb.CreateImageResponse.FromString(answer).details.prompt == "a fox"


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_message_over_the_limit_is_refused_unread(
    lone_server: RunningServer, channel: grpc.Channel, compression: grpc.Compression
) -> None:
    """The transport ends what is far too large, packed or not, before it is held in memory."""
    request = pb.CreateImageRequest(prompt="x" * 20_000_000).SerializeToString()
    create: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CREATE)
    before = holdings(lone_server)

    refusal = refused(
        lambda: create(
            request,
            metadata=lone_server.metadata(),
            timeout=TIMEOUT_SECONDS,
            compression=compression,
        )
    )

    assert refusal.status == "RESOURCE_EXHAUSTED"
    assert holdings(lone_server) == before
