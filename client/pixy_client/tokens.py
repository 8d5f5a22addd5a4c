"""Where a client's token comes from, so that an error about it can name the place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pixy_client.errors import MissingTokenError, SettingsError
from pixy_client.targets import is_loopback

TOKEN_FILE = Path(".pixy", "token")
"""Where a server without configured tokens leaves one, in its working folder."""

TOKEN_VARIABLE = "PIXY_TOKEN"  # noqa: S105 - a name

GIVEN = "its caller"
"""The source of a token that was handed over in code."""


@dataclass(frozen=True)
class Token:
    """A token, and its source in words that follow "from"."""

    text: str = field(repr=False)
    source: str


def find_token(given: str | None, environment: Mapping[str, str], target: str) -> Token:
    """Return the token that is given, that of the environment, or that of the token file.

    The file counts for a target on this machine. Raises MissingTokenError where there is
    none, SettingsError where the file cannot be read.
    """
    if given:
        return Token(given, GIVEN)
    if text := environment.get(TOKEN_VARIABLE, "").strip():
        return Token(text, TOKEN_VARIABLE)
    if not is_loopback(target):
        raise MissingTokenError(f"No token for {target}: set {TOKEN_VARIABLE}.")
    return _read_file(TOKEN_FILE.absolute(), target)


def check_token(token: Token) -> None:
    """Raise SettingsError where no header can carry a token."""
    text = token.text
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise SettingsError(f"The token from {token.source} holds a character that no token has.")


def _read_file(path: Path, target: str) -> Token:
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        raise MissingTokenError(
            f"No token for {target}: set {TOKEN_VARIABLE}, or run this in the folder "
            f"where the server runs, which leaves a token in {TOKEN_FILE}."
        ) from None
    except OSError as exc:
        raise SettingsError(f"The token file {path} cannot be read: {exc.strerror}.") from exc
    if not text:
        raise MissingTokenError(
            f"The token file {path} is empty: set {TOKEN_VARIABLE}, or remove the file and "
            "start the server again, which leaves a token there."
        )
    return Token(text, str(path))
