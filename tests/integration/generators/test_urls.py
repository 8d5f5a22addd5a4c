"""Answers that name a url: how the image is fetched, and what becomes of it if not."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ImageException,
    ProviderBadResponseError,
    ProviderOutcomeUnknownError,
)
from pixy_grpc.core.ports import Audience
from pixy_grpc.service.generators.openai import Network
from tests.integration.generators.asking import (
    KEY,
    LIMITS,
    OPTIONS,
    SHORT_SECONDS,
    Make,
    create,
    names,
    picture,
)
from tests.integration.generators.certificates import Authority
from tests.support.provider import (
    Peer,
    Provider,
    Reply,
    answer,
    endless,
    head,
    image,
    providing,
    slots,
)

PNG = picture()
TOO_LARGE = PNG + bytes(LIMITS.image_bytes)
"""It decodes; what is behind it is not looked at."""


@pytest.fixture
def images(authority: Authority) -> Iterator[Provider]:
    """Run an https server with images, which its certificate calls images.test."""
    with providing(authority.server_context()) as running:
        running.will(answer(PNG, content_type="image/png"))
        yield running


def _url(provider: Provider) -> str:
    return f"{provider.origin}/files/1.png?sig=a%2Fb"


def test_url_at_the_base_urls_own_origin_is_fetched(provider: Provider, make: Make) -> None:
    """A local server may hand out its files by http, on whatever address; without the key."""
    provider.will(slots({"url": _url(provider)}), answer(PNG, content_type="image/png"))

    made = create(make())

    fetched = provider.requests[1]
    assert made.data == PNG
    assert fetched.line == "GET /files/1.png?sig=a%2Fb HTTP/1.1"
    assert fetched.headers["host"] == f"127.0.0.1:{provider.port}"
    assert KEY not in str(fetched.headers)


def test_url_at_a_named_host_is_fetched_at_the_address_it_resolved_to(
    provider: Provider, images: Provider, authority: Authority, make: Make
) -> None:
    """A host of a setting may have a private address; it is looked up once, and certificate
    and Host are those of its name.
    """
    host = f"images.test:{images.port}"
    provider.will(slots({"url": f"https://{host}/1.png"}))
    network, asked = names({"images.test": ["127.0.0.1"]})

    made = create(
        make(network=network, image_hosts=frozenset({host}), ca_file=str(authority.ca_file))
    )

    assert made.data == PNG
    assert asked == ["images.test"]
    assert images.requests[0].headers["host"] == host
    assert "authorization" not in images.requests[0].headers


def test_url_at_a_public_address_is_fetched_at_the_address_that_was_checked(
    provider: Provider, images: Provider, authority: Authority, make: Make
) -> None:
    """A name that would resolve to something else the second time gains nothing."""
    provider.will(slots({"url": "https://images.test/1.png"}))
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        if address[0] == "127.0.0.1":
            return socket.create_connection(address, seconds)
        connected.append(address)
        return socket.create_connection(("127.0.0.1", images.port), seconds)

    network = Network(resolve=lambda _host, _port: answers.pop(0), connect=connect)

    made = create(make(network=network, ca_file=str(authority.ca_file)))

    assert made.data == PNG
    assert connected == [("93.184.215.14", 443)]
    assert images.requests[0].headers["host"] == "images.test"


def test_certificate_of_another_host_is_refused(
    provider: Provider, images: Provider, authority: Authority, make: Make
) -> None:
    """An address is no identity: the name in the url has to be in the certificate."""
    host = f"other.test:{images.port}"
    provider.will(slots({"url": f"https://{host}/1.png"}))
    network, _ = names({"other.test": ["127.0.0.1"]})

    with pytest.raises(ProviderOutcomeUnknownError):
        create(make(network=network, image_hosts=frozenset({host}), ca_file=str(authority.ca_file)))

    assert not images.requests


def test_image_that_fails_to_load_is_tried_again(provider: Provider, make: Make) -> None:
    """It is paid for, and asking for it again is free; the provider makes no second one."""
    provider.will(
        slots({"url": _url(provider)}),
        answer(b"", 503),
        lambda peer: peer.reset(),
        answer(PNG, content_type="image/png"),
    )

    made = create(make())

    assert made.data == PNG
    assert [asked.line[:4] for asked in provider.requests] == ["POST", "GET ", "GET ", "GET "]


def _dripping_image(peer: Peer) -> None:
    peer.send(head(200, "image/png", 5000))
    peer.drip(b"x" * 5000)


@pytest.mark.parametrize(
    ("reply", "error", "requests"),
    [
        (answer(b"", 404), ProviderBadResponseError, 2),
        (answer(b"", 500), ProviderOutcomeUnknownError, 4),
        (answer(b"<svg/>", content_type="image/png"), ProviderBadResponseError, 2),
        (answer(b"0" * 2_000_000), ProviderBadResponseError, 2),
        (endless, ProviderBadResponseError, 2),
        (answer(TOO_LARGE, content_type="text/event-stream"), ProviderBadResponseError, 2),
        (answer(PNG, content_encoding="gzip"), ProviderBadResponseError, 2),
        (_dripping_image, ProviderOutcomeUnknownError, 2),
    ],
)
def test_image_that_cannot_be_fetched_is_never_called_free(
    reply: Reply, error: type[ImageException], requests: int, provider: Provider, make: Make
) -> None:
    """The image was made, so the error is one that may have cost; bounded in bytes and time."""
    provider.will(slots({"url": _url(provider)}), reply)

    with pytest.raises(error):
        create(make(), SHORT_SECONDS if reply is _dripping_image else 6.0)

    assert len(provider.requests) == requests


def _dawdle(deadline: Deadline) -> None:
    """Hold an answer up until little of its deadline is left."""
    threading.Event().wait(max(0.0, min(deadline.remaining(), 6.0) - 5.1))


def test_url_that_comes_late_is_still_fetched(provider: Provider, make: Make) -> None:
    """With the image paid for there is no deadline too short to try."""
    png = answer(PNG, content_type="image/png")
    provider.will(image(PNG), slots({"url": _url(provider)}), png)
    generator = make(limits=replace(LIMITS, least_seconds=5.2))
    soon = Deadline.after(60)
    generator.generate("a fox, which imports openai", OPTIONS, soon, Audience(soon))

    made = create(generator, 6.0, audience=Audience(Deadline.after(6.0), arriving=_dawdle))

    assert made.data == PNG
