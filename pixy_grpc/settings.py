"""The settings of a server, read once from the environment and `.env`, handed down as values."""

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from dotenv.parser import parse_stream
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pixy_grpc.data.s3.address import SCHEME, parse_address

LATER = ("PIXY_TLS_CERT", "PIXY_TLS_KEY", "PIXY_TLS_CLIENT_CA", "PIXY_KEYS_FILE")
"""Settings of a later version: a server that ignored them would be less safe than asked."""

OF_THE_CLIENT = frozenset({"PIXY_TARGET", "PIXY_TOKEN"})
"""Settings that only the client reads."""

OF_TESTS = "PIXY_TEST_"
"""Begins the names that only the tests read."""

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+):(?P<port>\d{1,5})", re.ASCII)
_CALLER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

TOKEN = re.compile(r"[\x21-\x7e]{8,512}", re.ASCII)
"""What may be a token: it travels in a header."""


class SettingsError(Exception):
    """A setting cannot be used; the text names it and says what would do."""


class Settings(BaseSettings):
    """What the README's table of settings says, a field each."""

    model_config = SettingsConfigDict(
        env_prefix="PIXY_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    listen: str = "127.0.0.1:50051"
    insecure: bool = False
    database_url: str = Field(default="sqlite:///pixy.db", repr=False)
    images: str = "./images"
    aws_access_key_id: str = Field(default="", repr=False, validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: str = Field(
        default="", repr=False, validation_alias="AWS_SECRET_ACCESS_KEY"
    )
    aws_session_token: str = Field(default="", repr=False, validation_alias="AWS_SESSION_TOKEN")
    aws_region: str = Field(default="", validation_alias="AWS_REGION")
    aws_default_region: str = Field(default="", validation_alias="AWS_DEFAULT_REGION")
    aws_endpoint_url: str = Field(default="", validation_alias="AWS_ENDPOINT_URL")
    spool: str = ".pixy/spool"
    renditions: str = Field(default=".pixy/renditions", min_length=1)
    renditions_mb: int = Field(default=256, ge=0, le=1024 * 1024)
    generator: Literal["sketch", "openai"] = "sketch"
    openai_model: str = ""
    openai_api_key: str = Field(default="", repr=False, validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", repr=False, validation_alias="OPENAI_BASE_URL")
    openai_organization: str = Field(default="", validation_alias="OPENAI_ORG_ID")
    openai_project: str = Field(default="", validation_alias="OPENAI_PROJECT_ID")
    openai_profile: Literal["", "openai", "openai-any-size", "compatible"] = ""
    openai_size: str = ""
    openai_quality: str = ""
    openai_format: Literal["", "png", "jpeg", "webp"] = ""
    openai_background: Literal["", "transparent", "opaque", "auto"] = ""
    openai_compression: int | None = None
    openai_image_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    openai_ca_file: str = ""
    openai_partial_images: int = Field(default=0, ge=0, le=3)
    openai_seconds: float = Field(default=170.0, ge=1, le=3600)
    tokens: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict, repr=False)
    workers: int = Field(default=1, ge=1, le=64)
    max_reads: int = Field(default=64, ge=2, le=4096)
    max_creates: int = Field(default=32, ge=2, le=4096)
    max_downloads: int = Field(default=64, ge=2, le=4096)
    stall_seconds: float = Field(default=30.0, ge=1, le=3600)
    grace_seconds: float = Field(default=30.0, ge=0, le=3600)
    create_grace_seconds: float = Field(default=180.0, ge=0, le=3600)
    reflection: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    keys_file: str = ""

    @field_validator("tokens", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        return _token_pairs(value) if isinstance(value, str) else value

    @field_validator("openai_image_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(host.strip() for host in value.split(",") if host.strip())

    @field_validator("openai_compression", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        match = _ADDRESS.fullmatch(value)
        if not match or int(match["port"]) > 65535:  # noqa: PLR2004 - the last TCP port
            raise ValueError("takes HOST:PORT, such as 127.0.0.1:50051")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "mysql://")) or value == "sqlite:///":
            raise ValueError("takes sqlite:///FILE or mysql://user:password@host:3306/name")
        return value

    @field_validator("images")
    @classmethod
    def _folder_or_bucket(cls, value: str) -> str:
        if value.startswith(SCHEME):
            parse_address(value)
        elif not value or ":/" in value:
            raise ValueError("takes a folder or s3://bucket/prefix")
        return value

    @model_validator(mode="after")
    def _safe(self) -> "Settings":
        given = (self.tls_cert, self.tls_key, self.tls_client_ca, self.keys_file)
        for name, value in zip(LATER, given, strict=True):
            if value:
                raise ValueError(f"{name} is for a later version: this one cannot honour it")
        if not self.insecure and not is_loopback(self.host):
            raise ValueError(
                "PIXY_LISTEN is off loopback, where tokens would travel in the clear:"
                " set PIXY_INSECURE=1 if something else protects them"
            )
        if self.generator == "openai" and self.create_grace_seconds < self.openai_seconds:
            raise ValueError(
                "PIXY_CREATE_GRACE_SECONDS is at least PIXY_OPENAI_SECONDS: what was asked"
                " for is waited for"
            )
        return self

    @property
    def host(self) -> str:
        """The host to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def database_file(self) -> Path | None:
        """The file of an SQLite database: three slashes relative, four absolute."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///"))


def load_settings() -> Settings:
    """Read the settings. Raises SettingsError with one line that says what to mend."""
    try:
        _refuse_unknown({*os.environ, *_names_in(Path(".env"))})
        return Settings()
    except ValidationError as error:
        raise SettingsError(_line(error)) from None
    except OSError as error:
        raise SettingsError(f".env cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(".env is not UTF-8") from None


def _names_in(file: Path) -> set[str]:
    """Return the names that a file sets, if it is there. Raises SettingsError, OSError."""
    if file.is_dir():
        raise SettingsError(f"{file} is a folder: it has to be a file, or not there")
    if not file.exists():
        return set()
    names = set()
    with file.open(encoding="utf-8") as text:
        for line in parse_stream(text):
            if line.error:
                raise SettingsError(f"{file}: line {line.original.line} is no NAME=value")
            names.add(line.key or "")
    return names


def _refuse_unknown(names: set[str]) -> None:
    """Refuse a name that is none of ours: a setting misspelt is a setting not made."""
    known = {name_of(field) for field in Settings.model_fields} | OF_THE_CLIENT
    for name in sorted(names):
        if name.startswith("PIXY_") and not name.startswith(OF_TESTS) and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise SettingsError(f"{name} is no setting of PixyProxy{hint}")


def name_of(field: str) -> str:
    """Return the name that sets a field: one that others use too, or ours."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"PIXY_{field.upper()}"


def _line(error: ValidationError) -> str:
    """Return the first thing that is wrong; never the value, which may be a token."""
    details = error.errors(include_input=False)[0]
    text = details["msg"].removeprefix("Value error, ")
    if not details["loc"]:
        return text
    where = str(details["loc"][0])
    return f"{name_of(where) if where in Settings.model_fields else where}: {text}"


def _token_pairs(text: str) -> dict[str, str]:
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    tokens = dict(pair.partition("=")[::2] for pair in pairs)
    if len(tokens) != len(pairs) or len(set(tokens.values())) != len(pairs):
        raise ValueError("takes each name and each token once")
    for name, token in tokens.items():
        if not _CALLER.fullmatch(name) or not TOKEN.fullmatch(token):
            raise ValueError(
                "takes NAME=TOKEN pairs, comma separated: names of letters, digits, . _ -,"
                " tokens of 8 to 512 visible ASCII characters"
            )
    return tokens


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to a host stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
