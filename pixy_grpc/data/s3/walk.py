"""Walks a bucket, a page of its listing at a time, however many objects there are."""

import logging
from collections.abc import Callable, Iterator

from pixy_grpc.core.ports import StoredObject
from pixy_grpc.data.s3.client import BucketClient, Listed
from pixy_grpc.data.s3.errors import UnreadableListingError
from pixy_grpc.data.s3.names import ObjectNames

LEVELS = 2
"""Folders above an object: `ab/cd/`."""

FOLDERS = tuple(f"{number:02x}" for number in range(256))
"""The names of the folders of a level, in the order of a listing."""

_log = logging.getLogger(__name__)


def stored_objects(client: BucketClient, names: ObjectNames) -> Iterator[StoredObject]:
    """Yield the objects that are where their key belongs.

    The listing is of all that is under the prefix: the quarantine is passed over there.
    """
    return _objects(_listed(client, names.prefix, LEVELS), names.stored_key)


def quarantined_objects(client: BucketClient, names: ObjectNames) -> Iterator[StoredObject]:
    """Yield the objects that were put aside: they were made when that was done."""
    return _objects(_listed(client, names.quarantine, 0), names.quarantined_key)


def _objects(
    listed: Iterator[Listed], key_of: Callable[[str], str | None]
) -> Iterator[StoredObject]:
    for found in listed:
        key = key_of(found.name)
        if key:
            yield StoredObject(key, found.size_bytes, found.modified_at)


def _listed(client: BucketClient, folder: str, levels: int, after: str = "") -> Iterator[Listed]:
    """Yield what a folder lists behind a name, so many levels above its objects.

    obstore refuses a whole page for one name that it cannot take, as somebody else may have
    put there. From then on only the folders are listed where objects of ours can be; of the
    last of them what comes behind such a name is not met.
    """
    last = after
    try:
        for page in client.pages(folder):
            for found in page:
                last = max(last, found.name)
                if found.name > after:
                    yield found
    except UnreadableListingError as error:
        _log.warning("cannot list all of folder=%r in the bucket: name=%s", folder, error.name)
    else:
        return
    for name in FOLDERS if levels else ():
        yield from _listed(client, f"{folder}/{name}".lstrip("/"), levels - 1, last)
