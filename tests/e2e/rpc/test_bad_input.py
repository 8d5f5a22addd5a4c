"""Each bad input of the contract: its status, its reason, its field, and nothing stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.fields import CreateFields, ListFields, ReadFields, UpdateFields
from tests.e2e.rpc.stocking import stock
from tests.e2e.rpc.wire import (
    CREATE,
    DELETE,
    GET,
    LIST,
    READ,
    UPDATE,
    ask,
    holdings,
    refused,
)
from tests.support.server import RunningServer

BYTES = 100


@dataclass(frozen=True)
class Case:
    """A request that is refused; `build` takes the guid of an image that is there."""

    name: str
    method: str
    build: Callable[[str], Message]
    reason: str
    field: str
    status: str = "INVALID_ARGUMENT"


def create(name: str, reason: str, field: str, **fields: Unpack[CreateFields]) -> Case:
    """Return a creation that is right but for these fields."""
    whole: CreateFields = {"prompt": "a fox", "size": "64x64", **fields}
    request = pb.CreateImageRequest(**whole)
    return Case(f"create, {name}", CREATE, lambda _: request, reason, field)


def listing(name: str, reason: str, field: str, **fields: Unpack[ListFields]) -> Case:
    """Return a list with these fields."""
    request = pb.ListImageDetailsRequest(**fields)
    return Case(f"list, {name}", LIST, lambda _: request, reason, field)


def update(name: str, reason: str, field: str, **fields: Unpack[UpdateFields]) -> Case:
    """Return a change of an image that is there."""
    build = lambda guid: pb.UpdateImageRequest(guid=guid, **fields)  # noqa: E731 - a field of the case
    return Case(f"update, {name}", UPDATE, build, reason, field)


def reading(name: str, **fields: Unpack[ReadFields]) -> Case:
    """Return a read of an image that is there."""
    build = lambda guid: pb.GetImageBytesRequest(guid=guid, **fields)  # noqa: E731 - a field of the case
    return Case(f"read, {name}", READ, build, "INVALID_OFFSET", "", "OUT_OF_RANGE")


def rendition(name: str, reason: str, field: str, **fields: Unpack[ReadFields]) -> Case:
    """Return a read of a rendition of an image that is there, and is no picture."""
    build = lambda guid: pb.GetImageBytesRequest(guid=guid, **fields)  # noqa: E731 - likewise
    return Case(f"rendition, {name}", READ, build, reason, field)


def guided(name: str, method: str, kind: Callable[..., Message], guid: str) -> Case:
    """Return a request of that kind for a guid that is none."""
    return Case(name, method, lambda _: kind(guid=guid), "INVALID_GUID", "guid")


PROMPTS = {
    "empty": "",
    "blank": " \t\n\u3000 ",
    "NUL": "a \0 fox",
    "NUL alone": "\0",
    "32,001 characters": "x" * 32_001,
    "65,536 bytes": "狐" * 21_845 + "x",
    "200,000 characters": "x" * 200_000,
}
FILENAMES = {
    "slash": "a/b.png",
    "backslash": "a\\b.png",
    "NUL": "a\0.png",
    "newline": "a\nb.png",
    "delete": "a\x7fb.png",
    "C1 control": "a\x85b.png",
    "line separator": "a\u2028b.png",
    "256 characters": "n" * 256,
    "blank": "   ",
    "dot": ".",
    "parent": "..",
}
SIZES = ["1024", "1024x", "x", "0x0", "64x0", "-64x64", "64X64", "64 x 64", "٦٤x٦٤", "big", " auto"]
UNMADE_SIZES = ["63x64", "64x63", "4097x64", "99999x99999", "1x1"]
NO_FORMATS = [pb.ImageFormat.ValueType(number) for number in (4, -1, 2**31 - 1)]
GUIDS = {
    "empty": "",
    "word": "fox",
    "short": "0" * 35,
    "braces": "{00000000-0000-4000-8000-000000000000}",
    "urn": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "no hyphens": "0" * 32,
    "hyphens elsewhere": "0000000-00000-4000-8000-000000000000",
    "letters": "gggggggg-0000-4000-8000-000000000000",
    "space": "00000000-0000-4000-8000-000000000000 ",
    "newline": "00000000-0000-4000-8000-000000000000\n",
    "other digits": "٠0000000-0000-4000-8000-000000000000",
    "path": "../../../../etc/passwd",
    "long": "0" * 100_000,
}
BY_GUID: dict[str, Callable[..., Message]] = {
    GET: pb.GetImageDetailsRequest,
    READ: pb.GetImageBytesRequest,
    UPDATE: pb.UpdateImageRequest,
    DELETE: pb.DeleteImageRequest,
}
TIMES = {
    "negative nanos": Timestamp(nanos=-1),
    "a second of nanos": Timestamp(nanos=1_000_000_000),
    "year 10000": Timestamp(seconds=253_402_300_800),
    "year 0": Timestamp(seconds=-62_135_596_801),
    "largest": Timestamp(seconds=2**63 - 1),
    "largest with nanos": Timestamp(seconds=2**63 - 1, nanos=1),
    "smallest": Timestamp(seconds=-(2**63)),
}

CASES = [
    *(create(name, "INVALID_PROMPT", "prompt", prompt=text) for name, text in PROMPTS.items()),
    *(create(name, "INVALID_FILENAME", "filename", filename=f) for name, f in FILENAMES.items()),
    *(create(text, "INVALID_SIZE", "size", size=text) for text in (*SIZES, *UNMADE_SIZES)),
    *(create(t, "INVALID_QUALITY", "quality", quality=t) for t in ("best", "HIGH", "a b", "\0")),
    *(create(f"format {n}", "INVALID_FORMAT", "format", format=n) for n in NO_FORMATS),
    *(
        create(name, "INVALID_REQUEST_ID", "request_id", request_id=text)
        for name, text in GUIDS.items()
        if text
    ),
    *(
        guided(f"{method}, {name}", method, kind, text)
        for method, kind in BY_GUID.items()
        for name, text in GUIDS.items()
    ),
    *(update(name, "INVALID_PROMPT", "prompt", prompt=text) for name, text in PROMPTS.items()),
    *(update(name, "INVALID_FILENAME", "filename", filename=f) for name, f in FILENAMES.items()),
    update("empty filename", "INVALID_FILENAME", "filename", filename=""),
    *(listing(str(n), "INVALID_PAGE_SIZE", "page_size", page_size=n) for n in (-1, -(2**31))),
    listing("33 words", "INVALID_PROMPT", "prompt", prompt=" ".join(f"w{n}" for n in range(33))),
    listing("long prompt", "INVALID_PROMPT", "prompt", prompt="x" * 32_001),
    listing("long filename", "INVALID_FILENAME", "filename", filename="n" * 256),
    *(
        listing(f"created_after, {name}", "INVALID_TIME_RANGE", "created_after", created_after=at)
        for name, at in TIMES.items()
    ),
    *(
        listing(
            f"created_before, {name}", "INVALID_TIME_RANGE", "created_before", created_before=at
        )
        for name, at in TIMES.items()
    ),
    listing(
        "reversed range",
        "INVALID_TIME_RANGE",
        "created_before",
        created_after=Timestamp(seconds=1_000_001),
        created_before=Timestamp(seconds=1_000_000),
    ),
    reading("past the end", read_offset=BYTES + 1),
    reading("offset below zero", read_offset=-1),
    reading("limit below zero", read_limit=-1),
    reading("both", read_offset=-(2**63), read_limit=-(2**63)),
    *(
        rendition(f"side {n}", "INVALID_SIZE", "max_side", max_side=n)
        for n in (1, 64, 127, 129, 2048, -1, -128, 2**31 - 1, -(2**31))
    ),
    *(rendition(f"format {n}", "INVALID_FORMAT", "format", format=n) for n in NO_FORMATS),
    rendition("no picture, small", "INVALID_FORMAT", "format", max_side=128),
    rendition("no picture, other", "INVALID_FORMAT", "format", format=pb.IMAGE_FORMAT_WEBP),
    *(
        rendition(f"sum {text}", "MALFORMED_REQUEST", "expected_sha256", expected_sha256=text)
        for text in ("0" * 63, "0" * 65, "g" * 64, "x", " " + "0" * 64)
    ),
]


@pytest.fixture(scope="module")
def guid(lone_server: RunningServer) -> str:
    """Store an image that is there."""
    with stock(lone_server) as add:
        return add(b"b" * BYTES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name)[1:60])
def test_bad_input_is_refused_with_its_reason(
    lone_server: RunningServer, channel: grpc.Channel, guid: str, case: Case
) -> None:
    """Each bad input has its reason and names its field; nothing is stored for it."""
    before = holdings(lone_server)

    refusal = refused(
        lambda: ask(channel, case.method, case.build(guid), metadata=lone_server.metadata())
    )

    assert (refusal.status, refusal.reason) == (case.status, case.reason)
    assert refusal.fields == ((case.field,) if case.field else ())
    assert refusal.domain == "pixy.v1"
    assert refusal.metadata["call_id"]
    assert 0 < len(refusal.text.encode()) < 1024
    assert holdings(lone_server) == before


def test_several_bad_fields_are_all_named(
    lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """The reason is that of the first; the violations name each."""
    request = pb.CreateImageRequest(prompt=" ", filename="a/b")

    refusal = refused(lambda: ask(channel, CREATE, request, metadata=lone_server.metadata()))

    assert refusal.reason == "INVALID_PROMPT"
    assert refusal.fields == ("prompt", "filename")


def test_refused_creation_carries_the_callers_request_id(
    lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """The caller's id comes back as they wrote it, and only if it is one."""
    request_id = "ABCDEF00-0000-4000-8000-00000000ABCD"
    request = pb.CreateImageRequest(prompt=" ", request_id=request_id)
    unusable = pb.CreateImageRequest(prompt=" ", request_id="not-an-id")
    metadata = lone_server.metadata()

    refusal = refused(lambda: ask(channel, CREATE, request, metadata=metadata))
    other = refused(lambda: ask(channel, CREATE, unusable, metadata=metadata))

    assert refusal.metadata["request_id"] == request_id
    assert "request_id" not in other.metadata
