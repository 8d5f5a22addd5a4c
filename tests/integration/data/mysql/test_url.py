"""What a URL of a database means, and that its password is never shown."""

from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from pixy_grpc.data.mysql.url import TLS, MySQLAddress, parse_url
from pixy_grpc.data.mysql.wire import ssl_context

SECRET = "s3cr3t"


class _Fields(TypedDict, total=False):
    host: str
    port: int
    database: str
    unix_socket: str
    tls: TLS
    pool_size: int


def _address(**fields: Unpack[_Fields]) -> MySQLAddress:
    usual = MySQLAddress("db", port=3306, user="pixy", password=SECRET, database="images")
    return replace(usual, **fields)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("db/images", _address()),
        ("db:3307/images", _address(port=3307)),
        ("[::1]:3307/images", _address(host="::1", port=3307)),
        ("db/im%C3%A4ges", _address(database="imäges")),
        ("db/images?pool_size=4", _address(pool_size=4)),
        ("db/images?ssl=0", _address()),
        ("db/images?ssl=1", _address(tls=TLS())),
        ("db/images?ssl_ca=/ca.pem", _address(tls=TLS(ca=Path("/ca.pem")))),
        (
            "db/images?ssl=true&ssl_check_hostname=off",
            _address(tls=TLS(check_hostname=False)),
        ),
        (
            "db/images?ssl_cert=/c.pem&ssl_key=/k.pem",
            _address(tls=TLS(certificate=Path("/c.pem"), key=Path("/k.pem"))),
        ),
        ("/images?unix_socket=/run/s", _address(host="localhost", unix_socket="/run/s")),
        ("db/images?unix_socket=%2Frun%2Fs", _address(unix_socket="/run/s")),
    ],
)
def test_parse_reads_every_part(rest: str, expected: MySQLAddress) -> None:
    parsed = parse_url(f"mysql://pixy:{SECRET}@{rest}")

    assert parsed == expected


@pytest.mark.parametrize(
    ("credentials", "user", "password"),
    [
        ("pixy", "pixy", ""),
        ("pixy:", "pixy", ""),
        ("pi%40xy:p%3Aa%2Fs%23s%3F%25", "pi@xy", "p:a/s#s?%"),
        ("pixy:p@ss:word", "pixy", "p@ss:word"),
        ("pixy:p%C3%A4ss", "pixy", "päss"),
    ],
)
def test_parse_decodes_user_and_password(credentials: str, user: str, password: str) -> None:
    parsed = parse_url(f"mysql://{credentials}@db/images")

    assert (parsed.user, parsed.password) == (user, password)


@pytest.mark.parametrize(
    ("url", "tells"),
    [
        (f"postgres://pixy:{SECRET}@db/images", "mysql://"),
        (f"mysql://pixy:{SECRET}@db", "no database"),
        (f"mysql://pixy:{SECRET}@db/", "no database"),
        (f"mysql://pixy:{SECRET}@db/a/b", "no database"),
        (f"mysql://:{SECRET}@db/images", "no user"),
        ("mysql://db/images", "no user"),
        (f"mysql://pixy:{SECRET}@/images", "no host"),
        (f"mysql://pixy:{SECRET}@db:x/images", "does not parse"),
        (f"mysql://pixy:{SECRET}@db:99999/images", "does not parse"),
        (f"mysql://pixy:{SECRET}/x@db/images", "does not parse"),
        (f"mysql://pixy:{SECRET}@[::1/images", "does not parse"),
        (f"mysql://pixy:{SECRET}\u2100@db/images", "does not parse"),
        (f"mysql://pixy:x#{SECRET}@db/images", "percent-encoded"),
        (f"mysql://pixy:12?{SECRET}=x@db/images", "percent-encoded"),
        (f"mysql://pixy:12/x?{SECRET}=x@db/images", "percent-encoded"),
        (f"mysql://pixy:{SECRET}@db/images#x", "#"),
        (f"mysql://pixy:{SECRET}@db/images?ssl", "name=value"),
        (f"mysql://pixy:{SECRET}@db/images?colour=red", "colour"),
        (f"mysql://pixy:{SECRET}@db/images?ssl=perhaps", "ssl"),
        (f"mysql://pixy:{SECRET}@db/images?ssl=0&ssl_ca=/ca.pem", "ssl=0"),
        (f"mysql://pixy:{SECRET}@db/images?ssl_cert=/c.pem", "ssl_key"),
        (f"mysql://pixy:{SECRET}@db/images?pool_size=0", "pool_size"),
        (f"mysql://pixy:{SECRET}@db/images?pool_size=many", "pool_size"),
        (f"mysql://pixy:{SECRET}@db/images?pool_size=1001", "pool_size"),
    ],
)
def test_parse_of_a_bad_url_says_what_is_wrong(url: str, tells: str) -> None:
    """And neither it nor what caused it shows the password."""
    with pytest.raises(ValueError, match=tells) as caught:
        parse_url(url)

    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_address_is_shown_without_its_password() -> None:
    shown = repr(_address())

    assert SECRET not in shown


@pytest.mark.parametrize(
    "tls", [TLS(ca=Path("/no/ca")), TLS(certificate=Path("/c"), key=Path("/k"))]
)
def test_certificate_that_is_not_there_is_named(tls: TLS) -> None:
    with pytest.raises(ValueError, match=r"/no/ca|/c, /k"):
        ssl_context(tls)
