"""How a url in an answer is taken apart, and what it may be."""

import pytest

from pixy_grpc.service.generators.openai import Endpoint
from pixy_grpc.service.generators.openai.settings import Origin
from pixy_grpc.service.generators.openai.sources import ForbiddenUrlError, Sources

HTTPS = Sources(Endpoint("m", "k", "https://api.test/v1", image_hosts=frozenset({"cdn.test:8443"})))
HTTP = Sources(Endpoint("m", "k", "http://api.test:8000/v1"))


@pytest.mark.parametrize(
    ("url", "origin", "authority", "target"),
    [
        ("https://a.test", Origin("https", "a.test", 443), "a.test", "/"),
        ("https://A.Test:443/x", Origin("https", "a.test", 443), "a.test", "/x"),
        (
            "https://a.test:8443/x?a=%20b#c",
            Origin("https", "a.test", 8443),
            "a.test:8443",
            "/x?a=%20b",
        ),
        ("https://[2606:4700::1]/x", Origin("https", "2606:4700::1", 443), "[2606:4700::1]", "/x"),
        ("https://1.1.1.1/x", Origin("https", "1.1.1.1", 443), "1.1.1.1", "/x"),
    ],
)
def test_place_takes_a_url_apart(url: str, origin: Origin, authority: str, target: str) -> None:
    """The parts are read once, for the lookup, the connection and the request alike."""
    place = HTTPS.place(url)

    assert (place.origin, place.authority, place.target) == (origin, authority, target)


def test_place_takes_http_at_an_http_base_urls_own_origin() -> None:
    """A server in the same rack may speak plain http for its files as it does for its API."""
    place = HTTP.place("http://api.test:8000/files/1.png")

    assert place.authority == "api.test:8000"


@pytest.mark.parametrize(
    ("sources", "url"),
    [
        (HTTPS, "http://a.test/x"),
        (HTTPS, "http://api.test/x"),
        (HTTPS, "http://cdn.test:8443/x"),
        (HTTP, "http://api.test/x"),
        (HTTP, "http://other.test:8000/x"),
    ],
)
def test_place_refuses_http_elsewhere(sources: Sources, url: str) -> None:
    """Nothing else comes in plain text, not even from a named host."""
    with pytest.raises(ForbiddenUrlError):
        sources.place(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///x",
        "https://a test/",
        "https://a.test/\n",
        "https://ä.test/",
        "https://u:p@a.test/",
        "https://@a.test/",
        "https://:p@a.test/",
        "https://a.test:0/",
        "https://a.test:65536/",
        "https://a.test:x/",
        "https://-a.test/",
        "https://.a.test/",
        "https://a%2etest/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "ftp://a.test/",
        "file:///etc/passwd",
        "a.test/x",
        "https://a.test/" + "x" * 8192,
    ],
)
def test_place_refuses_what_is_no_plain_url(url: str) -> None:
    """What two programs could read in two ways is read by none."""
    with pytest.raises(ForbiddenUrlError):
        HTTPS.place(url)


def test_check_lets_trusted_hosts_have_any_address() -> None:
    """A setting knows better than a table of addresses; port and all."""
    HTTPS.check("api.test", 443, ["10.0.0.1"])
    HTTPS.check("cdn.test", 8443, ["127.0.0.1"])
    HTTPS.check("a.test", 443, ["1.1.1.1", "2606:4700::1"])


@pytest.mark.parametrize(
    ("host", "port", "addresses"),
    [
        ("cdn.test", 443, ["127.0.0.1"]),
        ("api.test", 8443, ["10.0.0.1"]),
        ("a.test", 443, ["1.1.1.1", "10.0.0.1"]),
        ("a.test", 443, []),
    ],
)
def test_check_refuses_other_hosts_inside(host: str, port: int, addresses: list[str]) -> None:
    """Another port of a trusted host is another host."""
    with pytest.raises(ForbiddenUrlError):
        HTTPS.check(host, port, addresses)
