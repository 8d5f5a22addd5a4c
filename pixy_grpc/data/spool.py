"""A folder of this machine where paid images wait that the store cannot take."""

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixy_grpc.core.creations import CreationKey, Fence, PaidImage, Usage
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.data.flushing import flush_folder, write_flushed
from pixy_grpc.data.folder_errors import translated

BYTES = ".bytes"
"""Ends the name of a file that holds an image."""

SIDECAR = ".json"
"""Ends the name of the file beside it, which says what to do with it. It is written last:
without one there is nothing to do."""

DAMAGED = ".damaged"
"""Ends the names of the two where they do not fit together: for somebody to look at."""

UNFINISHED = ".new"
"""Ends the name of a file that is being written, or was when a process ended."""

LOCK = ".lock"
"""The file that whoever writes shares, and whoever clears up has alone."""

Document = dict[str, Any]
"""A sidecar, as JSON has it."""

_log = logging.getLogger(__name__)


class FolderSpool:
    """A Spool in a folder that is made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._is_cleared = False

    def put(self, spooled: SpooledImage) -> None:
        """Write the bytes, then the sidecar, each flushed; leave no bytes without one."""
        name = spooled.paid.store_key
        with translated():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._writing(fcntl.LOCK_SH):
                self._write(name + BYTES, spooled.data)
                try:
                    self._write(name + SIDECAR, json.dumps(_document(spooled)).encode())
                except OSError:
                    self._forget_bytes(name)
                    raise

    def names(self) -> list[str]:
        """Look for sidecars; the first time, clear up behind processes that ended."""
        with translated():
            self._clear_up()
            found = [path for path in self._root.glob(f"*{SIDECAR}") if path.is_file()]
            found.sort(key=_age)
        return [path.name.removesuffix(SIDECAR) for path in found]

    def holds(self, guid: str) -> bool:
        """Look for a sidecar of the guid."""
        with translated():
            return any(self._root.glob(f"{guid}.*{SIDECAR}"))

    @contextmanager
    def take(self, name: str) -> Iterator[SpooledImage | None]:
        """Lock the sidecar; the kernel lets go of the lock of a process that ends."""
        with translated():
            descriptor = self._locked(name)
        if descriptor is None:
            yield None
            return
        try:
            with translated():
                spooled = self._read(name)
            yield spooled
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove the sidecar, then the bytes: a crash in between leaves nothing to do."""
        with translated():
            (self._root / (name + SIDECAR)).unlink(missing_ok=True)
            (self._root / (name + BYTES)).unlink(missing_ok=True)
            flush_folder(self._root)

    def _clear_up(self) -> None:
        """Remove what is not whole, while nobody writes: else whoever starts next does."""
        if self._is_cleared or not self._root.exists():
            return
        self._is_cleared = True
        with suppress(BlockingIOError), self._writing(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for path in self._root.glob(f"*{UNFINISHED}"):
                path.unlink(missing_ok=True)

    @contextmanager
    def _writing(self, operation: int) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._root / LOCK, flags, 0o600)
        try:
            fcntl.flock(descriptor, operation)
            yield
        finally:
            os.close(descriptor)

    def _write(self, name: str, data: bytes) -> None:
        """Write under another name first: a file is whole or not there."""
        path = self._root / name
        temporary = path.with_name(f"{name}{UNFINISHED}")
        temporary.unlink(missing_ok=True)
        try:
            write_flushed(temporary, data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        flush_folder(self._root)

    def _forget_bytes(self, name: str) -> None:
        """Remove bytes whose sidecar could not be written, unless an earlier one is there."""
        if not (self._root / (name + SIDECAR)).exists():
            (self._root / (name + BYTES)).unlink(missing_ok=True)

    def _locked(self, name: str) -> int | None:
        try:
            descriptor = os.open(self._root / (name + SIDECAR), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if not os.fstat(descriptor).st_nlink:  # stored by another in the meantime
            os.close(descriptor)
            return None
        return descriptor

    def _read(self, name: str) -> SpooledImage | None:
        try:
            sidecar = (self._root / (name + SIDECAR)).read_bytes()
        except FileNotFoundError:  # put aside by another in the meantime
            return None
        try:
            document = json.loads(sidecar)
            data = (self._root / (name + BYTES)).read_bytes()
            if hashlib.sha256(data).hexdigest() == document["sha256"]:
                return SpooledImage(_paid(document), data)
            why = "its digest is another"
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            why = type(error).__name__
        self._set_aside(name)
        guid = name.partition(".")[0]
        _log.error("damaged image in the spool put aside guid=%s name=%s: %s", guid, name, why)
        return None

    def _set_aside(self, name: str) -> None:
        """Give what is damaged another name: whoever asks again must not wait for it."""
        for part in (BYTES, SIDECAR):
            path = self._root / (name + part)
            with suppress(FileNotFoundError):
                path.rename(path.with_name(path.name + DAMAGED))
        flush_folder(self._root)


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name


def _document(spooled: SpooledImage) -> Document:
    paid = spooled.paid
    return {
        "caller": paid.fence.key.caller,
        "request_id": paid.fence.key.request_id,
        "fence": paid.fence.number,
        "guid": paid.guid,
        "store_key": paid.store_key,
        "model": paid.model,
        "usage": asdict(paid.usage) if paid.usage else None,
        "sha256": hashlib.sha256(spooled.data).hexdigest(),
    }


def _paid(document: Document) -> PaidImage:
    key = CreationKey(document["caller"], document["request_id"])
    return PaidImage(
        fence=Fence(key, document["fence"], document["guid"]),
        guid=document["guid"],
        store_key=document["store_key"],
        model=document["model"],
        usage=Usage(**document["usage"]) if document["usage"] else None,
    )
