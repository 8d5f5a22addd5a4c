"""Holds every RenditionCache to the contract in core/ports.py."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import RenditionCache
from tests.fakes import InMemoryRenditionCache
from tests.integration.data.examples import new_guid
from tests.integration.data.renditions.keeping import SIZE, folder_cache, kept, key_of, put


@pytest.mark.parametrize("size", [0, 1, SIZE, 2 * BLOCK_BYTES + 5])
def test_put_rendition_is_lent_as_it_was(tmp_path: Path, size: int) -> None:
    """Bytes and what is known of them, any part of them."""
    data = os.urandom(size)
    for make in (lambda _: InMemoryRenditionCache(), lambda f: folder_cache(f, 2**30)):
        cache = make(tmp_path)
        key = key_of(new_guid())

        put(cache, key, data)

        assert kept(cache, key) == data
        with cache.open(key) as opened:
            assert opened
            assert opened.source.size_bytes == size
            assert opened.source.read(1, 5) == data[1:6]
            assert opened.source.read(size, 5) == b""


def test_rendition_is_that_of_its_whole_key(cache: RenditionCache) -> None:
    """Another image, size, format, or other bytes of the image: another rendition."""
    key = key_of(new_guid())
    put(cache, key)

    for other in (
        replace(key, guid=new_guid()),
        replace(key, max_side=256),
        replace(key, format=ImageFormat.PNG),
        replace(key, source="t"),
    ):
        assert kept(cache, other) is None
    assert kept(cache, key) is not None


def test_put_again_replaces_what_is_there(cache: RenditionCache) -> None:
    """Two processes may make the same."""
    key = key_of(new_guid())

    for data in (b"one", b"another"):
        put(cache, key, data)

    assert kept(cache, key) == b"another"


def test_delete_removes_every_rendition_of_one_image(cache: RenditionCache) -> None:
    """Of all sizes, formats and originals; none of another image."""
    guid, other = new_guid(), new_guid()
    for each in (guid, other):
        put(cache, key_of(each))
        put(cache, key_of(each, 256))
        put(cache, key_of(each, source="t"))

    cache.delete(guid)
    cache.delete(new_guid())

    assert list(cache.guids()) == [other]
    assert kept(cache, key_of(guid)) is None
    assert kept(cache, key_of(other)) is not None


def test_guids_name_each_image_once(cache: RenditionCache) -> None:
    """So that fsck can ask for them."""
    guids = sorted(new_guid() for _ in range(3))
    assert list(cache.guids()) == []

    for guid in guids:
        put(cache, key_of(guid))
        put(cache, key_of(guid, 256))

    assert list(cache.guids()) == guids


def test_open_rendition_outlives_its_removal(cache: RenditionCache) -> None:
    """Who reads it reads it to the end."""
    key = key_of(new_guid())
    data = put(cache, key)

    with cache.open(key) as opened:
        cache.delete(key.guid)

        assert opened
        assert opened.source.read(0, SIZE) == data


def test_other_cache_of_the_folder_sees_what_is_put(tmp_path: Path) -> None:
    """The workers of a machine share it."""
    key = key_of(new_guid())
    data = put(folder_cache(tmp_path), key)

    assert kept(folder_cache(tmp_path), key) == data
