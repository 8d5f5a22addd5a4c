"""What a client has to know before its first call: whom to ask, as whom, how long."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pixy_client.errors import SettingsError
from pixy_client.targets import is_loopback, target_complaint
from pixy_client.tokens import GIVEN, Token, check_token, find_token

DEFAULT_TARGET = "127.0.0.1:50051"
"""Where a server listens that was told nothing else."""

DEFAULT_TIMEOUT_SECONDS = 30.0
"""How long any call may take but a creation and a download."""

DEFAULT_CREATE_TIMEOUT_SECONDS = 180.0
"""How long a creation may take: providers are known to need a minute or two."""

DEFAULT_DOWNLOAD_TIMEOUT_SECONDS = 600.0
"""How long bytes may take, resumes included: a server cuts readers below 64 KiB/s, and at
twice that 75 MiB take as long."""

MAX_TIMEOUT_SECONDS = 7 * 24 * 3600.0
"""The longest deadline worth sending; gRPC counts past it, but nobody waits."""

_YES = ("1", "true")


def check_target(target: str, source: str = "The target") -> str:
    """Return a target, or raise SettingsError where it is not HOST:PORT, with its source."""
    if complaint := target_complaint(target, source):
        raise SettingsError(complaint)
    return target


def check_timeout(seconds: float) -> float:
    """Return the seconds, or raise SettingsError where nobody could wait that long."""
    if not math.isfinite(seconds) or not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise SettingsError("A timeout is a number of seconds above 0 and at most a week.")
    return seconds


@dataclass(frozen=True)
class ClientSettings:
    """The settings of a client, checked as they are made.

    Raises SettingsError where one cannot be used: a target that is not HOST:PORT, or is
    off this machine without `insecure` (TLS comes later), a token that no header can
    carry, a timeout of nothing. `token_source` says where the token is from, for errors.
    """

    target: str
    token: str = field(repr=False)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    create_timeout_seconds: float = DEFAULT_CREATE_TIMEOUT_SECONDS
    download_timeout_seconds: float = DEFAULT_DOWNLOAD_TIMEOUT_SECONDS
    insecure: bool = False
    token_source: str = GIVEN

    def __post_init__(self) -> None:
        check_target(self.target)
        check_timeout(self.timeout_seconds)
        check_timeout(self.create_timeout_seconds)
        check_timeout(self.download_timeout_seconds)
        check_token(Token(self.token, self.token_source))
        if not self.insecure and not is_loopback(self.target):
            raise SettingsError(
                f"{self.target} is not on this machine and the connection is not encrypted: "
                "set PIXY_INSECURE=1 to send the token in plain text."
            )

    @classmethod
    def from_environment(  # noqa: PLR0913 - the settings themselves
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        target: str | None = None,
        token: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        create_timeout_seconds: float = DEFAULT_CREATE_TIMEOUT_SECONDS,
        download_timeout_seconds: float = DEFAULT_DOWNLOAD_TIMEOUT_SECONDS,
        insecure: bool = False,
    ) -> Self:
        """Read what is not given from PIXY_TARGET, PIXY_TOKEN and PIXY_INSECURE.

        `environment` stands in for that of the process.
        For a target on this machine the file `.pixy/token` in the working folder stands
        in for a token. Raises MissingTokenError where there is none, SettingsError.
        """
        found = os.environ if environment is None else environment
        where = check_target(target) if target else _target_of(found)
        used = find_token(token, found, where)
        return cls(
            target=where,
            token=used.text,
            token_source=used.source,
            timeout_seconds=timeout_seconds,
            create_timeout_seconds=create_timeout_seconds,
            download_timeout_seconds=download_timeout_seconds,
            insecure=insecure or found.get("PIXY_INSECURE", "").lower() in _YES,
        )


def _target_of(environment: Mapping[str, str]) -> str:
    set_there = environment.get("PIXY_TARGET", "").strip()
    return check_target(set_there, "PIXY_TARGET") if set_there else DEFAULT_TARGET
