"""Where an answer may not lead, however it is put, and where the key never goes."""

import pytest

from pixy_grpc.core.exceptions import ProviderBadResponseError, ProviderMisconfiguredError
from tests.integration.generators.asking import Make, create, names
from tests.support.provider import Provider, answer, slots


def _url(provider: Provider) -> str:
    return f"{provider.origin}/files/1.png?sig=a%2Fb"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["93.184.215.14", "127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.1"],
        [],
    ],
)
def test_name_of_an_address_that_is_not_public_is_refused(
    addresses: list[str], provider: Provider, elsewhere: Provider, make: Make
) -> None:
    """Loopback, link-local, private: one of them among a name's addresses is enough."""
    provider.will(slots({"url": f"https://images.test:{elsewhere.port}/"}))
    network, _ = names({"images.test": addresses})

    with pytest.raises(ProviderBadResponseError):
        create(make(network=network))

    assert (len(provider.requests), elsewhere.connections) == (1, 0)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "https://images.test@127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "https:\\\\127.0.0.1:{port}/",
        "gopher://127.0.0.1:{port}/",
        "data:image/png;base64,AAAA",
        "https://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x",
    ],
)
def test_url_that_leads_inside_is_refused(
    url: str, provider: Provider, elsewhere: Provider, make: Make
) -> None:
    """However an inside address is written, nobody connects to it."""
    provider.will(slots({"url": url.format(port=elsewhere.port)}))

    with pytest.raises(ProviderBadResponseError):
        create(make())

    assert (len(provider.requests), elsewhere.connections) == (1, 0)


def test_redirect_of_an_image_is_not_followed(
    provider: Provider, elsewhere: Provider, make: Make
) -> None:
    """The way inside is not opened by a detour."""
    provider.will(slots({"url": _url(provider)}), answer(b"", 302, location=elsewhere.origin))

    with pytest.raises(ProviderBadResponseError):
        create(make())

    assert not elsewhere.connections


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_of_the_request_takes_the_key_nowhere(
    status: int, provider: Provider, elsewhere: Provider, make: Make
) -> None:
    """An endpoint that moved is a setting to mend, not a place to send the key to."""
    provider.will(answer(b"", status, location=f"{elsewhere.origin}/v1/images/generations"))

    with pytest.raises(ProviderMisconfiguredError):
        create(make())

    assert (len(provider.requests), elsewhere.connections) == (1, 0)
