"""Walks a bucket, a page of its listing at a time, however many objects there are."""

from collections.abc import Callable, Iterator

from pixy_grpc.core.ports import StoredObject
from pixy_grpc.data.s3.client import BucketClient
from pixy_grpc.data.s3.names import ObjectNames


def stored_objects(client: BucketClient, names: ObjectNames) -> Iterator[StoredObject]:
    """Yield the objects that are where their key belongs.

    The listing is of all that is under the prefix: the quarantine is passed over there.
    """
    return _objects(client, names.prefix, names.stored_key)


def quarantined_objects(client: BucketClient, names: ObjectNames) -> Iterator[StoredObject]:
    """Yield the objects that were put aside: they were made when that was done."""
    return _objects(client, names.quarantine, names.quarantined_key)


def _objects(
    client: BucketClient, folder: str, key_of: Callable[[str], str | None]
) -> Iterator[StoredObject]:
    for page in client.pages(folder):
        for found in page:
            key = key_of(found.name)
            if key:
                yield StoredObject(key, found.size_bytes, found.modified_at)
