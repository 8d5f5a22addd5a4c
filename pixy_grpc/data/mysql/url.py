"""Reads `mysql://user:password@host:3306/name?parameters` into what a connection needs."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

DEFAULT_PORT = 3306
"""Where MySQL and MariaDB listen unless told otherwise."""

DEFAULT_POOL_SIZE = 16
"""Connections a process keeps: ten processes of it just pass max_connections = 151."""

MAX_POOL_SIZE = 1_000
"""A larger pool is a slip of the finger: each connection is a thread of the server."""

PARAMETERS = frozenset(
    {"pool_size", "ssl", "ssl_ca", "ssl_cert", "ssl_check_hostname", "ssl_key", "unix_socket"}
)
"""What may stand behind the question mark."""

_FLAGS = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
_FORM = "mysql://user:password@host:3306/name"
_HINT = "characters such as @ : / ? # % in the user or the password have to be percent-encoded"


@dataclass(frozen=True)
class TLS:
    """How the server is verified: always by a certificate, by default by its name too.

    `ca` is a PEM file of authorities, None for the system's. `certificate` and `key` are
    PEM files of our own, for a server that asks who we are.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    check_hostname: bool = True


@dataclass(frozen=True)
class MySQLAddress:
    """A database, and how it is reached. `tls` None means without."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    unix_socket: str | None = None
    tls: TLS | None = None
    pool_size: int = DEFAULT_POOL_SIZE


def parse_url(url: str) -> MySQLAddress:
    """Return the address a URL names; raise ValueError that never shows the password.

    Parameters: `ssl=1` asks for TLS verified by the system's authorities, `ssl_ca=FILE`
    by those of a file; `ssl_cert` and `ssl_key` show a certificate of ours;
    `ssl_check_hostname=0` leaves the name in the server's certificate alone. Without any
    of these the connection is plain, which suits loopback and unix sockets.
    `unix_socket=PATH` connects there, whatever the host. `pool_size=N` is the number of
    connections of one process.
    """
    parts, port = _split(url)
    if not parts.username:  # what looks like a parameter may be of the password
        raise ValueError(f"The URL of the database names no user: write {_FORM}; {_HINT}.")
    parameters = _parameters(parts.query)
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ValueError(f"The URL of the database names no database: write {_FORM}.")
    unix_socket = parameters.get("unix_socket")
    if not parts.hostname and not unix_socket:
        raise ValueError(f"The URL of the database names no host: write {_FORM}; {_HINT}.")
    return MySQLAddress(
        host=unquote(parts.hostname or "localhost"),
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=name,
        unix_socket=unix_socket,
        tls=_tls(parameters),
        pool_size=_pool_size(parameters.get("pool_size")),
    )


def _split(url: str) -> tuple[SplitResult, int]:
    """Split the URL; urllib's own messages are not shown, as they quote the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(
            f"The URL of the database does not parse: write {_FORM}; {_HINT}."
        ) from None
    if parts.scheme != "mysql":
        raise ValueError(f"The URL of the database does not start with mysql://: write {_FORM}.")
    if parts.fragment:
        raise ValueError(f"The URL of the database has a # in it; {_HINT}.")
    return parts, port or DEFAULT_PORT


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("The parameters of the database's URL are not name=value.") from None
    parameters = dict(pairs)
    unknown = sorted(parameters.keys() - PARAMETERS)
    if unknown:
        known = ", ".join(sorted(PARAMETERS))
        raise ValueError(f"Unknown parameter of the database's URL: {unknown[0]}; known: {known}.")
    return parameters


def _tls(parameters: dict[str, str]) -> TLS | None:
    files = {name: parameters.get(name) for name in ("ssl_ca", "ssl_cert", "ssl_key")}
    wanted = any(files.values())
    if not _flag(parameters, "ssl", default=wanted):
        if wanted:
            raise ValueError("The database's URL says ssl=0 and names certificates.")
        return None
    if bool(files["ssl_cert"]) != bool(files["ssl_key"]):
        raise ValueError("ssl_cert and ssl_key of the database's URL need each other.")
    paths = {name: Path(file) if file else None for name, file in files.items()}
    return TLS(
        ca=paths["ssl_ca"],
        certificate=paths["ssl_cert"],
        key=paths["ssl_key"],
        check_hostname=_flag(parameters, "ssl_check_hostname", default=True),
    )


def _flag(parameters: dict[str, str], name: str, *, default: bool) -> bool:
    if name not in parameters:
        return default
    value = _FLAGS.get(parameters[name].lower())
    if value is None:
        raise ValueError(f"{name} of the database's URL is neither 1 nor 0.")
    return value


def _pool_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_POOL_SIZE
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_POOL_SIZE):
        raise ValueError(f"pool_size of the database's URL is not 1 to {MAX_POOL_SIZE}.")
    return int(text)
