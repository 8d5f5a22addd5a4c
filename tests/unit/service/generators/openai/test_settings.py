"""Which settings go together; what is wrong with the others is said at the start."""

import pytest

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.service.generators.openai import (
    COMPATIBLE,
    OPENAI,
    Defaults,
    Endpoint,
    OpenAIGenerator,
    Profile,
)
from pixy_grpc.service.generators.openai.settings import Origin


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.openai.com/v1", Origin("https", "api.openai.com", 443)),
        ("http://LocalHost:8000", Origin("http", "localhost", 8000)),
        ("http://[::1]:1/v1/", Origin("http", "::1", 1)),
    ],
)
def test_base_url_names_an_origin(base_url: str, origin: Origin) -> None:
    """Who is asked is a scheme, a host and a port."""
    assert Endpoint("m", "k", base_url).origin == origin


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.openai.com/v1",
        "ftp://a.test/",
        "https:///v1",
        "https://u@a.test/v1",
        "https://u:p@a.test/v1",
        "https://a.test/v1?x=1",
        "https://a.test/v1#x",
        "https://a.test:0/v1",
        "https://a.test:x/v1",
        "https://.a.test/v1",
    ],
)
def test_base_url_that_is_none_is_refused(base_url: str) -> None:
    """A key is sent nowhere by accident."""
    with pytest.raises(ValueError, match="base URL"):
        Endpoint("m", "k", base_url)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_key_that_cannot_travel_is_refused_unseen(key: str) -> None:
    """A key goes into a header; the message names the setting, never the value."""
    with pytest.raises(ValueError, match="api_key") as raised:
        Endpoint("m", key)

    assert not key or key not in str(raised.value)


def test_model_organization_and_project_are_checked() -> None:
    """There is no model that is a safe default; the others may be left out."""
    with pytest.raises(ValueError, match="model"):
        Endpoint("", "k")
    with pytest.raises(ValueError, match="organization"):
        Endpoint("m", "k", organization="a b")
    with pytest.raises(ValueError, match="project"):
        Endpoint("m", "k", project="a\n")


def test_endpoint_never_shows_its_key() -> None:
    """What is printed by mistake holds no secret."""
    assert "sk-secret" not in repr(Endpoint("m", "sk-secret"))


@pytest.mark.parametrize("host", ["", "a b", "https://a.test", "a.test:0", "a.test:65536", "a/"])
def test_image_host_that_is_none_is_refused(host: str) -> None:
    """A host or host:port, nothing that could be read as more."""
    with pytest.raises(ValueError, match="image host"):
        Endpoint("m", "k", image_hosts=frozenset({host}))


@pytest.mark.parametrize(
    ("profile", "defaults"),
    [
        (OPENAI, Defaults(size="640x480")),
        (OPENAI, Defaults(size="large")),
        (OPENAI, Defaults(quality="hd")),
        (OPENAI, Defaults(background="green")),
        (OPENAI, Defaults(background="transparent", format=ImageFormat.JPEG)),
        (OPENAI, Defaults(compression=101)),
        (OPENAI, Defaults(compression=-1)),
        (COMPATIBLE, Defaults(size="99999x99999")),
        (COMPATIBLE, Defaults(quality="high")),
        (COMPATIBLE, Defaults(format=ImageFormat.PNG)),
        (COMPATIBLE, Defaults(background="auto")),
        (COMPATIBLE, Defaults(compression=50)),
    ],
)
def test_default_that_the_profile_rules_out_is_refused(
    profile: Profile, defaults: Defaults
) -> None:
    """A setting that would fail every request fails the start."""
    with pytest.raises(ValueError, match=r"."):
        OpenAIGenerator(Endpoint("m", "k", profile=profile), defaults)
