"""What a bare stub sees of the service: messages, statuses and their details."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.support.server import RunningServer
from tests.support.status import status_of

SERVICE = "/pixy.v1.ImageService/"
CREATE = f"{SERVICE}CreateImage"
GET = f"{SERVICE}GetImageDetails"
LIST = f"{SERVICE}ListImageDetails"
READ = f"{SERVICE}GetImageBytes"
UPDATE = f"{SERVICE}UpdateImage"
DELETE = f"{SERVICE}DeleteImage"
METHODS = (CREATE, GET, LIST, READ, UPDATE, DELETE)
CREATE_STREAM = f"{SERVICE}CreateImageStream"
ALL_METHODS = (*METHODS, CREATE_STREAM)
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

TIMEOUT_SECONDS = 60.0
"""Nothing in these tests is expected to take so long."""

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Refusal:
    """An error as it came over the wire; the reason is empty without an ErrorInfo."""

    status: str
    text: str
    reason: str
    domain: str
    metadata: dict[str, str]
    violations: tuple[tuple[str, str], ...]
    retry_seconds: float | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that broke a rule."""
        return tuple(field for field, _ in self.violations)


def ask(
    channel: grpc.Channel, method: str, *requests: bytes | Message, metadata: Metadata
) -> list[bytes]:
    """Send messages to a method of any kind, as they are; return those that came back.

    A unary call is the same on the wire as a stream of one message, so that a stream may
    send none, or two.
    """
    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
    encoded = [each if isinstance(each, bytes) else each.SerializeToString() for each in requests]
    return list(call(iter(encoded), metadata=metadata, timeout=TIMEOUT_SECONDS))


def refused(act: Callable[[], object]) -> Refusal:
    """Return the error that an act ends in; fail where it ends in none."""
    try:
        act()
    except grpc.RpcError as error:
        return read_refusal(error)
    raise AssertionError("The call was answered OK.")


def read_refusal(error: grpc.RpcError) -> Refusal:
    """Return what an error of gRPC carries."""
    status = status_of(error)
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    delayed = False
    for detail in status.details if status else ():
        assert detail.Unpack(info) or detail.Unpack(request) or detail.Is(retry.DESCRIPTOR)
        delayed = detail.Unpack(retry) or delayed
    return Refusal(
        status=error.code().name,
        text=error.details() or "",
        reason=info.reason,
        domain=info.domain,
        metadata=dict(info.metadata),
        violations=tuple((each.field, each.description) for each in request.field_violations),
        retry_seconds=retry.retry_delay.ToMilliseconds() / 1000 if delayed else None,
    )


def parts(
    server: RunningServer, guid: str, offset: int = 0, limit: int = 0
) -> Iterable[pb.GetImageBytesResponse]:
    """Yield the messages of a read as they come."""
    with server.stub() as stub:
        request = pb.GetImageBytesRequest(guid=guid, read_offset=offset, read_limit=limit)
        yield from stub.GetImageBytes(request, metadata=server.metadata(), timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True)
class Holdings:
    """All that a server has stored: the rows of each table, and its files."""

    rows: tuple[int, ...]
    files: frozenset[str]


def holdings(server: RunningServer) -> Holdings:
    """Look into the database and the folder of a server."""
    tables = ("images", "image_contents", "image_terms", "creations")
    database = sqlite3.connect(server.folder / "pixy.db")
    try:
        counts = [database.execute(f"SELECT COUNT(*) FROM {name}") for name in tables]  # noqa: S608 - names of ours
        rows = tuple(count.fetchone()[0] for count in counts)
    finally:
        database.close()
    files = (path for path in server.images.rglob("*") if path.is_file())
    return Holdings(rows, frozenset(str(path) for path in files))
