"""The token that a server without PIXY_TOKENS makes for itself: it never runs open."""

import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pixy_grpc.settings import TOKEN, Settings, SettingsError

TOKEN_FILE = Path(".pixy/token")
"""Where it is, below the working folder; the client looks there."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""What a token file allows nobody: who reads it is the caller, who writes it makes one."""

LOCAL_CALLER = "local"
"""The caller that it names."""


def ensure_tokens(settings: Settings) -> Mapping[str, str]:
    """Return the tokens by caller; without any, those of a token file, made if missing."""
    if settings.tokens:
        return settings.tokens
    try:
        return {LOCAL_CALLER: _token_file()}
    except OSError as error:
        raise SettingsError(
            f"{TOKEN_FILE} cannot be used: {error.strerror}; set PIXY_TOKENS instead"
        ) from error


def _token_file() -> str:
    if not TOKEN_FILE.exists():
        _make_token_file()
    if TOKEN_FILE.stat().st_mode & _OTHERS:
        raise SettingsError(f"{TOKEN_FILE} is open to others: chmod 600 it, or remove it")
    token = TOKEN_FILE.read_text(encoding="ascii", errors="replace").strip()
    if not TOKEN.fullmatch(token):
        raise SettingsError(f"{TOKEN_FILE} holds no token: remove it, or set PIXY_TOKENS")
    return token


def _make_token_file() -> None:
    """Give the file its name once it is whole: another server may be starting here, and
    whichever comes first makes the token of both.
    """
    TOKEN_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=TOKEN_FILE.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):
            os.link(temporary, TOKEN_FILE)
    finally:
        Path(temporary).unlink()
