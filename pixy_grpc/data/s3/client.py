"""The requests we make of a bucket, each within a deadline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store as Bucket

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.data.s3.address import BucketAccess
from pixy_grpc.data.s3.errors import UnreadableListingError
from pixy_grpc.data.s3.requests import Request

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta
    from obstore.store import ClientConfig, RetryConfig, S3Config  # in stubs alone

REQUEST_SECONDS = 10.0
"""Cap on a request that carries 2 MiB at most: a store that takes longer is no use now."""

TRANSFER_SECONDS = 30.0
"""Cap on one that carries a whole image, as long as creations give one attempt at storing."""

CONNECT_SECONDS = 3.0
"""Cap on making a connection: what takes longer does not answer at all."""

IDLE_SECONDS = 15.0
"""How long a connection waits for the next request; stores close them after 20 or more."""

RETRIES = 2
"""How often a cut connection or an answer of 5xx is tried again within one request: that
hides a restart of one of many machines, and adds under half a second where none answers.
obstore's own 10 would take minutes."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0

_CLIENT: "ClientConfig" = {
    "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
    "timeout": timedelta(seconds=TRANSFER_SECONDS),
    "pool_idle_timeout": timedelta(seconds=IDLE_SECONDS),
}

_RETRY: "RetryConfig" = {
    "max_retries": RETRIES,
    "retry_timeout": timedelta(seconds=REQUEST_SECONDS),
    "backoff": {
        "init_backoff": timedelta(seconds=FIRST_PAUSE_SECONDS),
        "max_backoff": timedelta(seconds=LONGEST_PAUSE_SECONDS),
        "base": 2,
    },
}

KEYS_A_PAGE = 100
"""Names asked for at a time: an image has one or two, and is followed by others'."""

OBJECTS_A_PAGE = 1000
"""Objects that one request of a walk lists: no store sends more of them."""


@dataclass(frozen=True)
class Part:
    """Bytes of an object, and what the object was then: how long, and which (its ETag)."""

    data: memoryview
    size_bytes: int
    tag: str


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it."""

    name: str
    size_bytes: int
    modified_at: datetime


class BucketClient:
    """Names are full: the prefix is in them. Methods raise what `Request.result` does."""

    def __init__(self, access: BucketAccess) -> None:
        """Nothing is opened before the first request, in the process that makes it."""
        self._access = access

    def create(self, name: str, data: bytes, deadline: Deadline) -> None:
        """Store an object under a new name. Raises TakenNameError.

        Its SHA-256 goes with it twice, as a checksum and in the signature: bytes that
        change on the way are refused. An answer that is lost is not known from a name
        that was taken before: obstore repeats the request.
        """
        Request(self._create(name, data)).result(deadline.within(TRANSFER_SECONDS))

    def renew(self, name: str, data: bytes, deadline: Deadline) -> None:
        """Store an object over one of the same bytes, so that it is as of now."""
        Request(self._renew(name, data)).result(deadline.within(TRANSFER_SECONDS))

    def read(self, name: str, deadline: Deadline) -> Part:
        """Return a whole object. Raises MissingObjectError."""
        return Request(self._get(name, None, "")).result(deadline.within(TRANSFER_SECONDS))

    def begin_read(self, name: str, span: range, tag: str = "") -> Request[Part]:
        """Begin to read a part, of just that object where a tag is given.

        Its end raises MissingObjectError, ChangedObjectError, EmptyRangeError.
        """
        return Request(self._get(name, span, tag))

    def modified_at(self, name: str, deadline: Deadline) -> datetime:
        """Return when an object was stored. Raises MissingObjectError."""
        return Request(self._modified_at(name)).result(deadline.within(REQUEST_SECONDS))

    def delete(self, name: str, deadline: Deadline) -> None:
        """Remove an object; one that is not there is no error."""
        Request(self._delete(name)).result(deadline.within(REQUEST_SECONDS))

    def names(self, folder: str, start: str, deadline: Deadline) -> Sequence[str]:
        """Return the names in a folder, its end or `start` behind it, that begin with `start`."""
        work = self._list(folder, start)
        try:
            return Request(work).result(deadline.within(REQUEST_SECONDS))
        except UnreadableListingError as error:
            raise StorageUnavailableError("The store lists what cannot be read.") from error

    def pages(
        self, folder: str, page_seconds: float = REQUEST_SECONDS
    ) -> Iterator[Sequence[Listed]]:
        """Yield what is in a folder or below it, of the whole bucket where that is empty.

        A page is asked for when it is wanted, and each has that long. Raises
        UnreadableListingError.
        """
        listing = obstore.list(self._bucket, folder or None, chunk_size=OBJECTS_A_PAGE)
        while page := Request(_next_page(listing)).result(Deadline.after(page_seconds)):
            yield [Listed(each["path"], each["size"], each["last_modified"]) for each in page]

    async def _create(self, name: str, data: bytes) -> None:
        await obstore.put_async(self._bucket, name, data, mode="create", use_multipart=False)

    async def _renew(self, name: str, data: bytes) -> None:
        await obstore.put_async(self._bucket, name, data, mode="overwrite", use_multipart=False)

    async def _delete(self, name: str) -> None:
        await obstore.delete_async(self._bucket, name)

    async def _modified_at(self, name: str) -> datetime:
        return (await obstore.head_async(self._bucket, name))["last_modified"]

    async def _get(self, name: str, span: range | None, tag: str) -> Part:
        options: obstore.GetOptions = {"if_match": tag} if tag else {}
        if span:
            options["range"] = (span.start, span.stop)
        found = await obstore.get_async(self._bucket, name, options=options)
        data = memoryview(await found.bytes_async())
        return Part(data, found.meta["size"], found.meta["e_tag"] or "")

    async def _list(self, folder: str, start: str) -> Sequence[str]:
        """Walk the listing, which is in order, from `start` to what no longer begins so."""
        names: list[str] = []
        listing = obstore.list(self._bucket, folder, offset=start, chunk_size=KEYS_A_PAGE)
        async for page in listing:
            found = [entry["path"] for entry in page]
            names += [name for name in found if name.startswith(start)]
            if found and not found[-1].startswith(start):
                break
        return names

    @cached_property
    def _bucket(self) -> Bucket:
        """Say all that obstore would otherwise look for in the environment."""
        client = _CLIENT | {"allow_http": self._access.is_clear}
        bucket = self._access.address.bucket
        return Bucket(
            bucket, config=_config(self._access), client_options=client, retry_config=_RETRY
        )


async def _next_page(
    listing: "ListStream[Sequence[ObjectMeta]]",
) -> "Sequence[ObjectMeta]":
    """Return the next page, none at the end; `anext` does not take obstore's awaitables."""
    async for page in listing:
        return page
    return ()


def _config(access: BucketAccess) -> "S3Config":
    config: S3Config = {
        "endpoint": access.url,
        "aws_endpoint_url_s3": access.url,
        "region": access.region,
        "access_key_id": access.credentials.access_key_id,
        "secret_access_key": access.credentials.secret_access_key,
        "virtual_hosted_style_request": False,
        "skip_signature": False,
        "unsigned_payload": False,
        "checksum_algorithm": "SHA256",
        "conditional_put": "etag",
        "disable_bulk_delete": True,  # one request for one object; not every store has the other
    }
    if access.credentials.session_token:
        config["session_token"] = access.credentials.session_token
    return config
