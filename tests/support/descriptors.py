"""What this process has open, as the kernel knows it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def open_below(folder: Path) -> list[Path]:
    """Return the files in a folder, itself included, that are open, once for each descriptor."""
    return [path for path in _open_paths() if path.is_relative_to(folder)]


def _open_paths() -> Iterator[Path]:
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since, as the one of this very list
            yield link.readlink()
