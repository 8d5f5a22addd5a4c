"""Folders that settings name and that are made when they are needed: whether they could be."""

import os
from pathlib import Path

from pixy_grpc.settings import Settings, SettingsError


def require_folders(settings: Settings) -> None:
    """Raise SettingsError where paid images or renditions could not be kept.

    Nothing is made: a folder that is not there is judged by the one that it would be in.
    """
    _require("PIXY_SPOOL", settings.spool)
    if settings.renditions_mb:
        _require("PIXY_RENDITIONS", settings.renditions)


def _require(name: str, given: str) -> None:
    path = Path(given).absolute()
    nearest = next(level for level in (path, *path.parents) if os.path.lexists(level))
    if not nearest.is_dir():
        raise SettingsError(f"{name}: {given} cannot be used: {nearest} is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise SettingsError(f"{name}: {given} cannot be used: {nearest} may not be written to")
